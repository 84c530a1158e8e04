#!/bin/bash
# What every client must be able to do, with the older lines of clients; that and the order platform with the full PySpark.
# needs: older-clients oracle
# builds: build
export LAKESHED=$PWD/build/lakeshed
run() {  # name, python, tests...
    local name=$1 python=$2
    shift 2
    timeout -k 20 270 "$python" -m pytest -q -p no:cacheprovider --basetemp "$STAGE_DIR/$name" \
        --junitxml "$STAGE_DIR/$name.xml" "$@" || status=1
}
status=0
for line in 3.5 4.0 4.1; do
    run "$line" "$OLDER_CLIENTS-$line/bin/python" tests/e2e/test_client_core.py
done
# What other engines read does not depend on the client: the e2e stage looks at it.
run full "$ORACLE_PYTHON" -k 'not other_engines' tests/e2e/test_client_core.py tests/e2e/test_order_platform.py
python3 tests/count.py junit "$STAGE_DIR"/{3.5,4.0,4.1,full}.xml
exit $status
