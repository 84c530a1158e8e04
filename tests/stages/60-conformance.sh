#!/bin/bash
# Other people's suites against tests/conformance/scores.json: what passed once passes still. A case never recorded may fail.
# needs: client pandas
# builds: build
# minutes: 28
set -uo pipefail
passed=0 failed=0 skipped=0 server=

stop() { [ -z "$server" ] || { kill -TERM "$server"; wait "$server"; } 2>/dev/null; server=; }
trap stop EXIT

start() {  # name, Python of the workers; sets remote
    local log=$STAGE_DIR/$1.log
    stop
    build/lakeshed serve --data "$STAGE_DIR/$1" --port 0 --rest-port -1 --python "$2" >"$log" 2>&1 </dev/null &
    server=$!
    for _ in $(seq 1200); do
        grep -qs '^data ' "$log" && break
        kill -0 "$server" 2>/dev/null || break
        sleep 0.05
    done
    remote=$(awk '$1 == "listening" && $2 == "spark-connect" { print $3 }' "$log")
    [ -n "$remote" ] || { echo "no server for $1:"; tail -20 "$log"; }
}

suite() {  # module, seconds it may take, cases of its fixed sample (0: all), Python
    local python=${4:-$CLIENT_PYTHON}
    local out=$STAGE_DIR/$1.txt start=$SECONDS status counts p f s
    start "$1" "$python"
    CI_SAMPLE=$3 timeout -k 10 "$2" "$python" -W ignore "tests/conformance/$1.py" \
        --remote "${remote:-sc://127.0.0.1:1}" --timeout 120 --out "$STAGE_DIR/$1.jsonl" >"$out" 2>&1 </dev/null
    status=$?
    awk '/^  new / { next } /^  LOST / && ++lost > 40 { next } { print } END { if (lost > 40) print "  LOST  and", lost - 40, "more" }' "$out"
    counts=$(grep '^of the recorded cases: ' "$out" | tail -1)
    read -r p f s < <(echo "$counts" | tr -cd '0-9 \n')
    p=${p:-0} f=${f:-0} s=${s:-0}
    # A suite that died, or lost its minimum without losing a case, failed as well.
    if [ "$status" -ne 0 ] && [ "$f" = 0 ]; then echo "$1 ended with status $status"; f=1; fi
    if [ "$p" = 0 ] && [ "$f" = 0 ]; then echo "$1 ran nothing"; f=1; fi
    echo "$1 took $((SECONDS - start)) s"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

suite golden_sql 600 0
suite generated 400 0
suite delta_corpus 600 0
suite s1_doctests 400 150
suite pandas_doctests 300 200 "$PANDAS_PYTHON"
stop
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
