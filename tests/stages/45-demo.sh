#!/bin/bash
# What "make demo" runs once everything is built: it ends by itself with status 0 and shows the orders, in a new data folder and
# again in the same one.
# needs: client
# builds: build
set -uo pipefail
passed=0 failed=0
for run in first second; do
    out=$STAGE_DIR/$run.txt
    DEMO_DATA=$STAGE_DIR/lakeshed-demo timeout -k 10 250 tools/demo.sh >"$out" 2>&1 </dev/null
    status=$?
    rows=$(grep -cE '^\|O-100[1-5] *\|' "$out")
    if [ $status -eq 0 ] && [ "$rows" -eq 5 ]; then
        passed=$((passed + 1))
    else
        echo "the $run run: status $status, $rows orders shown"; tail -30 "$out"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
