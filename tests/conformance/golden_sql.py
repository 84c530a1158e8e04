#!/usr/bin/env python3
"""SQL: statements whose column names, types, nullability and rows (or error class) a real Spark 4.2 gave."""
import json
import sys

import answers
import runner

NAME = "SQL"
DATA = runner.HERE / "data" / "functions.jsonl"


def cases(options):
    with DATA.open(encoding="utf-8") as lines:
        recorded = [json.loads(line) for line in lines]
    return [runner.Case(name=want["sql"], detail=want) for want in recorded]


def open_worker(options):
    return runner.new_session(options.remote, session__timeZone="America/Los_Angeles")


def run_case(spark, case):
    got = answers.answer(spark, case.detail["sql"])
    if "schema" in got:  # recorded without the nullability inside of types
        got["schema"] = [[name, kind.replace("!", ""), nullable] for name, kind, nullable in got["schema"]]
    return answers.judge(got, case.detail)


if __name__ == "__main__":
    sys.exit(runner.main(sys.modules[__name__]))
