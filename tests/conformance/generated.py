#!/usr/bin/env python3
"""GENERATED: the expressions and queries of tests/golden/generate.py, as a real Spark 4.2 answered them."""
import json
import lzma
import re
import sys

import answers
import runner

NAME = "GENERATED"
GOLDEN = runner.HERE.parent / "golden"
DATA = GOLDEN / "answers.jsonl.xz"
LAST_ORDER = re.compile(r"ORDER BY [^()]*$")


def cases(options):
    with lzma.open(DATA, "rt", encoding="utf-8") as lines:
        recorded = [json.loads(line) for line in lines]
    return [runner.Case(name=want["id"], detail=want) for want in recorded]


def open_worker(options):
    """Sessions by profile, made when a case wants one."""
    return {"remote": options.remote}


def session(worker, profile):
    if profile not in worker:
        mode, zone = profile.split()
        spark = runner.new_session(worker["remote"], session__timeZone=zone, ansi__enabled=str(mode == "ansi").lower())
        for statement in (GOLDEN / "tables.sql").read_text().split(";\n"):
            if statement.strip():
                spark.sql(statement)
        worker[profile] = spark
    return worker[profile]


def ordered(case):
    """Whether the order of the rows counts: other than a query's, that of a list of values does."""
    return not case["id"].startswith("query/") or LAST_ORDER.search(case["sql"]) is not None


def run_case(worker, case):
    want = case.detail
    got = answers.answer(session(worker, want["profile"]), want["sql"])
    return {**answers.judge(got, want, ordered(want)), "source": f"{want['profile']}: {want['sql']}"}


if __name__ == "__main__":
    sys.exit(runner.main(sys.modules[__name__]))
