#!/bin/bash
# make demo: a server on free ports, the order platform's table program with the real client, and how to go on.
# DEMO_KEEP=1 leaves the server running.
set -euo pipefail
cd "$(dirname "$0")/.."
DATA=${DEMO_DATA:-$PWD/lakeshed-demo}
LOG=$DATA.log
say() { printf '\n[demo] %s\n' "$*"; }

say "1/4 the Python client"
tools/setup.sh client
PYTHON=${LAKESHED_CACHE:-$HOME/.cache/lakeshed}/venv-client/bin/python

say "2/4 lakeshed on free ports, data in ${DATA#"$PWD/"}"
: >"$LOG"  # emptied before the server is there to do so: an earlier demo's address must not be found
build/lakeshed serve --data "$DATA" --port 0 --rest-port 0 --python "$PYTHON" >>"$LOG" 2>&1 &
server=$!
stop() { kill -TERM "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
trap stop EXIT
trap 'exit 130' INT TERM
for _ in $(seq 100); do
    grep -q '^data ' "$LOG" && break
    kill -0 "$server" 2>/dev/null || { cat "$LOG" >&2; exit 1; }
    sleep 0.05
done
remote=$(awk '$1 == "listening" && $2 == "spark-connect" { print $3 }' "$LOG")

say "3/4 examples/order-platform/orders.py with SPARK_REMOTE=$remote"
SPARK_REMOTE=$remote "$PYTHON" -W ignore examples/order-platform/orders.py

say "4/4 connect your own program"
cat <<TEXT
    build/lakeshed serve --data ${DATA#"$PWD/"}
    SPARK_REMOTE=sc://localhost:15002 $PYTHON
    >>> from pyspark.sql import SparkSession
    >>> SparkSession.builder.getOrCreate().table("prod.orders.orders").show()
TEXT
if [ -n "${DEMO_KEEP:-}" ]; then
    trap - EXIT
    echo "    The server keeps running as process $server: SPARK_REMOTE=$remote"
fi
