#!/bin/bash
# Brings a plain Debian 12 to the point where Meson can configure: packages, pinned downloads, unpacked dependencies.
#   tools/setup.sh GROUP...   downloads and Python environments are kept in ${LAKESHED_CACHE:-$HOME/.cache/lakeshed}
# Groups: build; test (cmocka); client (the real Python clients); bench (the peers that bench/ measures beside); older-clients; pandas (pandas-on-Spark); oracle (Spark itself);
#         s3 (the S3 server of the tests, built with Go);
#         tpc (generators and queries of TPC-H and TPC-DS); fuzz (clang); lint.
set -euo pipefail
cd "$(dirname "$0")/.."
ROOT=$PWD
CACHE=${LAKESHED_CACHE:-$HOME/.cache/lakeshed}
DEPS=$ROOT/.deps
WANT="${*:-build}"
mkdir -p "$CACHE/downloads" "$DEPS"
export PIP_DISABLE_PIP_VERSION_CHECK=1

STEP=0
step() { STEP=$((STEP + 1)); printf '[setup %d] %s\n' "$STEP" "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }
wanted() { case " $WANT " in *" $1 "*) return 0 ;; esac; return 1; }

# Two set-ups at once would unpack over each other.
exec 9>"$CACHE/lock"
flock -n 9 || { echo "[setup] waiting for another set-up to finish"; flock 9; }

# ---- Debian packages ----------------------------------------------------------------------------
missing_packages() {
    local group package name command
    while read -r group package; do
        case $group in ''|'#'*) continue ;; esac
        wanted "$group" || continue
        name=${package%%:*}
        command=${package#"$name"}; command=${command#:}
        if [ -n "$command" ] && command -v "$command" >/dev/null; then continue; fi
        dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || echo "$name"
    done < tools/packages.txt
}

install_packages() {
    local packages sudo=""
    packages=$(missing_packages | tr '\n' ' ')
    [ -n "${packages// /}" ] || return 0
    command -v apt-get >/dev/null || die "needs Debian 12 or a relative of it; install by hand: $packages"
    step "installing Debian packages: $packages"
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "neither root nor sudo; as root run: apt-get install $packages"
        sudo="sudo"
    fi
    $sudo apt-get update -qq || die "apt-get update failed (no network?)"
    # shellcheck disable=SC2086
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages \
        >"$CACHE/apt.log" 2>&1 || { tail -20 "$CACHE/apt.log" >&2; die "apt-get failed, log in $CACHE/apt.log"; }
}

# ---- Python used by the build itself ------------------------------------------------------------
TOOLS=$CACHE/venv-build
make_venv() {  # directory, requirements file with hashes
    local dir=$1 requirements=$2 sum
    sum=$(cat tools/requirements-bootstrap.txt "$requirements" | sha256sum)
    [ "$(cat "$dir/.stamp" 2>/dev/null)" = "$sum" ] && return 0
    step "making the Python environment of ${requirements##*/}"
    rm -rf "$dir"
    python3 -m venv "$dir" || die "python3 -m venv failed (package python3-venv?)"
    # Source packages are then built with these, not with whatever is newest today.
    "$dir/bin/python" -m pip install -q --no-deps --require-hashes -r tools/requirements-bootstrap.txt &&
        "$dir/bin/python" -m pip install -q --no-deps --no-build-isolation --require-hashes -r "$requirements" ||
        die "pip could not install $requirements"
    echo "$sum" > "$dir/.stamp"
}

# ---- Pinned downloads ---------------------------------------------------------------------------
sum_is() { [ "$(sha256sum < "$2" | cut -d' ' -f1)" = "$1" ]; }

download() {  # sha256, file, kind, spec
    local sum=$1 file=$2 kind=$3 spec=$4 target=$CACHE/downloads/$2 tmp log
    if [ -f "$target" ]; then
        # Checked once, when it arrived; the marker keeps later starts from reading 100 MB again.
        [ "$(cat "$target.ok" 2>/dev/null)" = "$sum" ] && return 0
        if sum_is "$sum" "$target"; then echo "$sum" > "$target.ok"; return 0; fi
        rm -f "$target"
    fi
    step "fetching $spec"
    tmp=$(mktemp -d "$CACHE/downloads/.new-XXXXXX")
    log=$tmp/log
    case $kind in
    npm) (cd "$tmp" && npm pack --silent "$spec") >"$log" 2>&1 ;;
    pip-wheel) "$TOOLS/bin/python" -m pip download -q --no-deps --only-binary :all: -d "$tmp" "$spec" >"$log" 2>&1 ;;
    # pip asks a source package for its metadata; nanoarrow answers by compiling itself, quicker without optimizing.
    pip-source) CFLAGS=-O0 PATH=$TOOLS/bin:$PATH "$TOOLS/bin/python" -m pip download -q --no-deps --no-build-isolation \
        --no-binary :all: -d "$tmp" "$spec" >"$log" 2>&1 ;;
    maven) mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -Dartifact="$spec" \
        -DoutputDirectory="$tmp" >"$log" 2>&1 ;;
    *) die "unknown kind $kind in tools/downloads.txt" ;;
    esac || { tail -20 "$log" >&2; rm -rf "$tmp"; die "could not fetch $spec"; }
    [ -f "$tmp/$file" ] || { ls "$tmp" >&2; rm -rf "$tmp"; die "$spec did not bring $file"; }
    sum_is "$sum" "$tmp/$file" || { rm -rf "$tmp"; die "checksum of $file is not the one in tools/downloads.txt"; }
    mv "$tmp/$file" "$target"
    echo "$sum" > "$target.ok"
    rm -rf "$tmp"
}

download_all() {
    local sum file kind spec group
    while read -r sum file kind spec group; do
        case $sum in ''|'#'*) continue ;; esac
        wanted "$group" || continue
        download "$sum" "$file" "$kind" "$spec"
    done < tools/downloads.txt
}

# ---- Unpacking ----------------------------------------------------------------------------------
# unpack NAME KEY: runs unpack_NAME in a new directory and puts it at $DEPS/NAME; KEY changes when it must be redone.
unpack() {
    local name=$1 key=$2 new=$DEPS/.new-$1
    [ "$(cat "$DEPS/$name/.stamp" 2>/dev/null)" = "$key" ] && return 0
    step "unpacking $name"
    rm -rf "$new"; mkdir -p "$new"
    (cd "$new" && "unpack_$name") || die "could not unpack $name"
    echo "$key" > "$new/.stamp"
    rm -rf "${DEPS:?}/$name"
    mv "$new" "$DEPS/$name"
}
D=$CACHE/downloads

unpack_duckdb() {
    mkdir -p include lib extensions
    tar xzf "$D/duckdb-node-bindings-linux-x64-1.5.5-r.5.tgz" -C lib --strip-components=1 package/libduckdb.so
    tar xzf "$D/duckdb-1.5.5.tar.gz" -C include --strip-components=5 duckdb-1.5.5/external/duckdb/src/include/duckdb.h
    unzip -qoj "$D/duckdb_extension_httpfs-1.5.5-py3-none-manylinux2014_x86_64.whl" '*.duckdb_extension' -d extensions
}

unpack_nanoarrow() {
    local tree=src-tree/subprojects
    mkdir src-tree
    tar xzf "$D/nanoarrow-0.9.0.tar.gz" -C src-tree --strip-components=1
    # bundle.py looks for flatcc where nanoarrow's own repository keeps it.
    mkdir -p $tree/arrow-nanoarrow/thirdparty
    mv $tree/flatcc-* $tree/arrow-nanoarrow/thirdparty/flatcc
    (cd $tree/arrow-nanoarrow && python3 ci/scripts/bundle.py --output-dir ../../../bundle --with-ipc --with-flatcc)
    mv bundle/include bundle/src .
    rm -rf src-tree bundle
}

unpack_yyjson() {
    tar xzf "$D/yyjson-4.0.6.tar.gz" --strip-components=2 yyjson-4.0.6/yyjson/yyjson.c yyjson-4.0.6/yyjson/yyjson.h
}

unpack_proto() {
    mkdir python
    tar xzf "$D/pyspark_client-4.2.0.tar.gz" -C python --strip-components=1 --wildcards '*_pb2.py'
    unzip -qo "$D/delta_spark-4.4.1-py3-none-any.whl" '*_pb2.py' -d python
    unzip -qo "$D/googleapis_common_protos-1.76.0-py3-none-any.whl" 'google/rpc/*_pb2.py' -d python
    "$TOOLS/bin/python" "$ROOT/tools/gen_protos.py" python .
    rm -rf python
}

install_packages
if wanted build; then
    make_venv "$TOOLS" tools/requirements-build.txt
fi
download_all
if wanted build; then
    unpack duckdb "1 $(grep duckdb tools/downloads.txt | sha256sum)"
    unpack nanoarrow "1 $(grep nanoarrow tools/downloads.txt | sha256sum)"
    unpack yyjson "1 $(grep yyjson tools/downloads.txt | sha256sum)"
    unpack proto "1 $(cat tools/gen_protos.py <(grep -E 'pyspark|delta_spark|googleapis' tools/downloads.txt) | sha256sum)"
fi
# versitygw, the S3 server of the tests, is built from its Go module, whose hash is checked here and whose own go.sum names the rest.
GATEWAY=github.com/versity/versitygw
GATEWAY_VERSION=v1.8.0
GATEWAY_SUM=h1:au+wI+aybno/STsQiSm35Uu6Q6iK5MWReQxgO6SEMFc=
build_gateway() {
    local new=$CACHE/bin/.new
    go version -m "$CACHE/bin/versitygw" 2>/dev/null | grep "$GATEWAY_VERSION.*$GATEWAY_SUM" >/dev/null && return 0
    command -v go >/dev/null || { step "no Go here: the tests on S3 are skipped"; return 0; }
    step "building $GATEWAY $GATEWAY_VERSION"
    rm -rf "$new"
    GOBIN=$new GOFLAGS=-buildvcs=false go install "$GATEWAY/cmd/versitygw@$GATEWAY_VERSION" >"$CACHE/go.log" 2>&1 ||
        { tail -20 "$CACHE/go.log" >&2; die "could not build $GATEWAY"; }
    go version -m "$new/versitygw" | grep "$GATEWAY_VERSION.*$GATEWAY_SUM" >/dev/null || die "$GATEWAY is not the one that is pinned"
    mv "$new/versitygw" "$CACHE/bin/versitygw"
    rm -rf "$new"
}

if wanted s3; then build_gateway; fi
if wanted client; then make_venv "$CACHE/venv-client" tests/requirements-client.txt; fi
if wanted pandas; then make_venv "$CACHE/venv-pandas" tests/requirements-pandas.txt; fi
if wanted older-clients; then
    for line in 3.5 4.0 4.1; do make_venv "$CACHE/venv-client-$line" "tests/requirements-client-$line.txt"; done
fi
if wanted bench; then make_venv "$CACHE/venv-bench" bench/requirements.txt; fi
if wanted oracle; then
    make_venv "$CACHE/venv-oracle" tests/requirements-oracle.txt
    mkdir -p "$CACHE/jars"
    (cd "$CACHE/jars" && awk '$NF == "oracle" { print "../downloads/" $2 }' "$ROOT/tools/downloads.txt" | xargs ln -sf -t .)
fi
exit 0
