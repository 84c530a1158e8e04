#!/usr/bin/env python3
"""Prints the generated cases, one JSON line each; the same ones every time, as long as the registry's rows are the same.

  generate.py [--rows build/tests/golden/print_rows] [--cases PART]
"""
import argparse
import hashlib
import json
import re
from pathlib import Path

import expressions
import queries

ROOT = Path(__file__).resolve().parents[2]
ROWS = ROOT / "build" / "tests" / "golden" / "print_rows"
# What a session is set to: ANSI mode and time zone.
PROFILES = ["ansi America/Los_Angeles", "ansi UTC", "legacy America/Los_Angeles", "legacy Europe/Paris", "ansi Asia/Kolkata"]
WEIGHTS = [4, 2, 3, 2, 1]
# A time of day cast to a timestamp is of the day it is asked on: no answer to record.
OF_TODAY = re.compile(r"CAST\('\d+:\d+' AS TIMESTAMP\)", re.IGNORECASE)


def cases(program=ROWS):
    """{"id", "profile", "sql"} of every case; an id is the family and a digest of what is asked."""
    seen = set()
    for source in (expressions.function_cases(program), expressions.operator_cases(), expressions.cast_cases(), queries.cases()):
        for family, sql, rng in source:
            profile = rng.choices(PROFILES, WEIGHTS)[0]
            name = f"{family}/{hashlib.sha256(f'{profile} {sql}'.encode()).hexdigest()[:8]}"
            if name not in seen and not OF_TODAY.search(sql):
                seen.add(name)
                yield {"id": name, "profile": profile, "sql": sql}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default=ROWS, help="the program that prints the registry")
    parser.add_argument("--cases", default="", help="only ids with this in them")
    options = parser.parse_args()
    for case in cases(options.rows):
        if options.cases in case["id"]:
            print(json.dumps(case, ensure_ascii=False))


if __name__ == "__main__":
    main()
