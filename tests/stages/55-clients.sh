#!/bin/bash
# What every client must be able to do, with the oldest one; that and the order platform with the full PySpark.
# needs: oldest-client oracle
# builds: build
export LAKESHED=$PWD/build/lakeshed
run() {  # name, python, tests...
    local name=$1 python=$2
    shift 2
    timeout -k 20 270 "$python" -m pytest -q -p no:cacheprovider --basetemp "$STAGE_DIR/$name" \
        --junitxml "$STAGE_DIR/$name.xml" "$@" || status=1
}
status=0
run oldest "$OLDEST_CLIENT_PYTHON" tests/e2e/test_client_core.py
# What other engines read does not depend on the client: the e2e stage looks at it.
run full "$ORACLE_PYTHON" -k 'not other_engines' tests/e2e/test_client_core.py tests/e2e/test_order_platform.py
python3 tests/count.py junit "$STAGE_DIR/oldest.xml" "$STAGE_DIR/full.xml"
exit $status
