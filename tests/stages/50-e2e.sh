#!/bin/bash
# The built program driven by the real clients. A process for each file: clients keep sessions and retries for the whole process,
# also those of servers that a test has killed.
# needs: client s3
# builds: build
# minutes: 20
status=0
mkdir -p "$STAGE_DIR/tmp"
for file in tests/e2e/test_*.py; do
    name=$(basename "$file" .py)
    LAKESHED=$PWD/build/lakeshed "$CLIENT_PYTHON" -m pytest -q --timeout 120 -p no:cacheprovider \
        --basetemp "$STAGE_DIR/tmp/$name" --junitxml "$STAGE_DIR/$name.xml" "$file" || status=1
done
python3 tests/count.py junit "$STAGE_DIR"/*.xml
exit $status
