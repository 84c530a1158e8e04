#!/usr/bin/env python3
"""Closes a stage with its line "N passed, N failed, N skipped", from a Meson log or from pytest's JUnit file.

    count.py meson BUILD/meson-logs/testlog.json | count.py junit FILE.xml...
"""
import json
import re
import sys
import xml.etree.ElementTree as ET


def meson(paths):
    """cmocka programs count their own tests; any other program counts as one."""
    for path in paths:
        for line in open(path):
            test = json.loads(line)
            # cmocka reports on stderr or stdout, depending on its version and format.
            text = (test.get("stdout") or "") + (test.get("stderr") or "")
            passed = sum(map(int, re.findall(r"\[  PASSED  \] (\d+) test", text)))
            failed = sum(map(int, re.findall(r"\[  FAILED  \] (?:tests: )?(\d+) test", text)))
            skipped = sum(map(int, re.findall(r"\[  SKIPPED \] (?:tests: )?(\d+) test", text)))
            if test["result"] in ("OK", "EXPECTEDFAIL"):
                yield max(passed, 1), failed, skipped
            elif test["result"] == "SKIP":
                yield 0, 0, 1
            else:
                yield passed, max(failed, 1), skipped


def junit(paths):
    for path in paths:
        for suite in ET.parse(path).getroot().iter("testsuite"):
            total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
            failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            yield total - failed - skipped, failed, skipped


counts = list({"meson": meson, "junit": junit}[sys.argv[1]](sys.argv[2:]))
print("%d passed, %d failed, %d skipped" % tuple(sum(c[i] for c in counts) for i in range(3)))
