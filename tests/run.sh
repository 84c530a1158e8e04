#!/bin/bash
# Runs the stages of tests/stages/, two at a time, and closes with one line: N passed, N failed.
#   tests/run.sh [STAGE...]      a stage is named by its file without number and ending: floors, unit, e2e
#
# A stage is an executable file NN-name.sh. Lines of its head are read here:
#   # needs: GROUP...     groups of tools/setup.sh
#   # builds: build|build-asan|build-fuzz   build directories that must be compiled first
#   # minutes: N          it is stopped after that (default 10)
#   # alone               nothing runs beside it
# It finds CLIENT_PYTHON, OLDER_CLIENTS, PANDAS_PYTHON, ORACLE_PYTHON, DELTA_JARS and STAGE_DIR (an empty directory of its
# own) in the environment, and its last "N passed, N failed[, N skipped]" line counts.
set -uo pipefail
cd "$(dirname "$0")/.."
export CACHE=${LAKESHED_CACHE:-$HOME/.cache/lakeshed}
export CLIENT_PYTHON=$CACHE/venv-client/bin/python OLDER_CLIENTS=$CACHE/venv-client
export PANDAS_PYTHON=$CACHE/venv-pandas/bin/python
export ORACLE_PYTHON=$CACHE/venv-oracle/bin/python DELTA_JARS=$CACHE/jars
LOGS=$PWD/build/test
JOBS=${JOBS:-2}

stage_name() { basename "$1" .sh | sed -E 's/^[0-9]+-//'; }
head_value() { sed -nE "s/^# $2: *//p" "$1" | head -1; }

stages=()
for file in tests/stages/[0-9]*.sh; do
    name=$(stage_name "$file")
    if [ $# -eq 0 ] || [[ " $* " == *" $name "* ]]; then stages+=("$file"); fi
done
[ ${#stages[@]} -gt 0 ] || { echo "no such stage: $*" >&2; exit 2; }

groups=$(for file in "${stages[@]}"; do head_value "$file" needs; done | tr ' ' '\n' | sort -u | tr '\n' ' ')
builds=$(for file in "${stages[@]}"; do head_value "$file" builds; done | tr ' ' '\n' | sort -u | grep .)
# shellcheck disable=SC2086
tools/setup.sh build $groups || exit 1
for dir in $builds; do
    tools/compile.sh "$dir" || { echo "$dir did not compile"; echo "0 passed, 1 failed"; exit 1; }
done

rm -rf "$LOGS"; mkdir -p "$LOGS"

run_stage() {  # writes NAME.log and NAME.count ("passed failed skipped seconds")
    local file=$1 name start status counts passed failed skipped
    name=$(stage_name "$file")
    start=$SECONDS
    mkdir -p "$LOGS/$name"
    STAGE_DIR=$LOGS/$name timeout -k 20 "$(($(head_value "$file" minutes | grep . || echo 10) * 60))" \
        bash "$file" >"$LOGS/$name.log" 2>&1 </dev/null
    status=$?
    counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$LOGS/$name.log" | tail -1)
    read -r passed failed skipped < <(echo "$counts" | tr -cd '0-9 \n')
    passed=${passed:-0} failed=${failed:-0} skipped=${skipped:-0}
    # A stage that died, or did not count, failed whatever it printed.
    if [ -z "$counts" ] || { [ $status -ne 0 ] && [ "$failed" = 0 ]; }; then failed=$((failed + 1)); fi
    [ $status -eq 124 ] && echo "stopped after its time limit" >>"$LOGS/$name.log"
    echo "$passed $failed $skipped $((SECONDS - start))" >"$LOGS/$name.count"
    if [ "$failed" -gt 0 ]; then
        printf '[test] %-14s FAILED: %s passed, %s failed, %s skipped in %ss; end of %s:\n%s\n' "$name" "$passed" "$failed" \
            "$skipped" $((SECONDS - start)) "${LOGS#"$PWD/"}/$name.log" "$(tail -60 "$LOGS/$name.log" | sed 's/^/    /')"
    else
        printf '[test] %-14s %s passed, %s skipped in %ss\n' "$name" "$passed" "$skipped" $((SECONDS - start))
    fi
}

running=0
for file in "${stages[@]}"; do
    if grep -q '^# alone' "$file"; then
        wait; running=0
        echo "[test] $(stage_name "$file") starts, alone"
        run_stage "$file"
        continue
    fi
    if [ "$running" -ge "$JOBS" ]; then wait -n; running=$((running - 1)); fi
    echo "[test] $(stage_name "$file") starts"
    run_stage "$file" &
    running=$((running + 1))
done
wait

read -r passed failed skipped < <(cat "$LOGS"/*.count | awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }')
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
