#!/bin/bash
# The queries of TPC-H and TPC-DS against a real Spark's answers, at scale 0.1; TPC_SCALES="tpch:1,tpcds:1" asks the large ones.
# needs: client tpc
# builds: build
# minutes: 10
set -uo pipefail
log=$STAGE_DIR/server.log
build/lakeshed serve --data "$STAGE_DIR/data" --port 0 --rest-port -1 --python "$CLIENT_PYTHON" >"$log" 2>&1 </dev/null &
server=$!
trap 'kill -TERM $server; wait $server' EXIT
for _ in $(seq 1200); do
    grep -qs '^data ' "$log" && break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.05
done
remote=$(awk '$1 == "listening" && $2 == "spark-connect" { print $3 }' "$log")
"$CLIENT_PYTHON" -W ignore tests/conformance/tpc_queries.py --remote "${remote:-sc://127.0.0.1:1}" --verbose \
    --scales "${TPC_SCALES:-tpch:0.1,tpcds:0.1}" --timeout 120 --out "$STAGE_DIR/tpc.jsonl" </dev/null
python3 - "$STAGE_DIR/tpc.jsonl" <<'END'
import json, sys
results = [json.loads(line)["status"] for line in open(sys.argv[1])]
failed = len(results) - results.count("pass")
print(f"{results.count('pass')} passed, {failed} failed, 0 skipped")
sys.exit(failed > 0 or not results)
END
