#!/bin/bash
# The commands and Python of README.md and of the examples' pages, run as a reader would type them; every page's links.
# needs: client
# builds: build
LAKESHED=$PWD/build/lakeshed "$CLIENT_PYTHON" -m pytest -q --timeout 120 -p no:cacheprovider \
    --basetemp "$STAGE_DIR/tmp" --junitxml "$STAGE_DIR/junit.xml" tests/docs
status=$?
python3 tests/count.py junit "$STAGE_DIR/junit.xml"
exit $status
