#!/bin/bash
# The built program driven by the real clients.
# needs: client
# builds: build
# minutes: 20
[ -n "$(find tests/e2e -name 'test_*.py' 2>/dev/null | head -1)" ] || { echo "0 passed, 0 failed"; exit 0; }
LAKESHED=$PWD/build/lakeshed "$CLIENT_PYTHON" -m pytest -q --timeout 120 -p no:cacheprovider \
    --basetemp "$STAGE_DIR/tmp" --junitxml "$STAGE_DIR/junit.xml" tests/e2e
status=$?
python3 tests/count.py junit "$STAGE_DIR/junit.xml"
exit $status
