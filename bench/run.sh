#!/bin/bash
# Asks the questions one after another:  bench/run.sh [QUESTION...]
# A table per question is printed and written as JSON to build/bench/. Nothing is asserted about time.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${BENCH_PYTHON:-${LAKESHED_CACHE:-$HOME/.cache/lakeshed}/venv-bench/bin/python}
[ $# -gt 0 ] || set -- startup latency fetch merge change optimize write ctas log files vacuum plan tpch udf spill
mkdir -p build/bench
for question in "$@"; do
    [ -f "bench/$question.py" ] || { echo "no such question: $question" >&2; exit 2; }
    echo "== $question: $(sed -n '1s/"""//gp' "bench/$question.py")"
    "$python" -W ignore "bench/$question.py"
done
