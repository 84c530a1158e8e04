#!/bin/bash
# Tables written here and read by Spark, delta-rs and DuckDB, and the other way round.
# needs: client oracle
# builds: build
# minutes: 30
LAKESHED=$PWD/build/lakeshed "$CLIENT_PYTHON" -m pytest -q --timeout 600 -p no:cacheprovider \
    --basetemp "$STAGE_DIR/tmp" --junitxml "$STAGE_DIR/junit.xml" tests/interop
status=$?
python3 tests/count.py junit "$STAGE_DIR/junit.xml"
exit $status
