#!/bin/bash
# Configures a Meson build directory once and compiles it:  tools/compile.sh build|build-asan|build-fuzz|DIR [meson options]
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$1; shift
checks=(-Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false)
case $dir in
build-asan) set -- "${checks[@]}" "$@" ;;
build-fuzz) set -- -Dfuzz=true "${checks[@]}" "$@"; export CC=clang-14 ;;
esac
key="$* ${CC:-} $(sha256sum < meson_options.txt)"
if [ ! -f "$dir/build.ninja" ] || [ "$(cat "$dir/.options" 2>/dev/null)" != "$key" ]; then
    echo "[build] configuring $dir"
    if [ -d "$dir/meson-private" ]; then rm -rf "$dir"; fi
    mkdir -p "$dir"
    if ! meson setup "$dir" "$@" >"$dir/setup.log" 2>&1; then
        tail -15 "$dir/setup.log" >&2
        exit 1
    fi
    printf '%s' "$key" > "$dir/.options"
fi
echo "[build] compiling $dir"
if [ -t 1 ]; then
    ninja -C "$dir"
else
    ninja -C "$dir" --quiet | { grep -v '^ninja: no work to do' || true; }
fi
ln -sf "$PWD/.deps/duckdb/lib/libduckdb.so" "$dir/libduckdb.so"
ln -sfn "$PWD/.deps/duckdb/extensions" "$dir/extensions"
if [ -x "$dir/lakeshed" ]; then echo "[build] $dir/lakeshed is ready"; fi
