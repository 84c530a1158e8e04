"""Operators, casts and checked arguments over pairs of types: types, values and error classes as a real Spark 4.2 gave them."""
import json
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "conformance"))
import answers  # noqa: E402

RECORDED = [json.loads(line) for line in (HERE / "data" / "operands.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("mode", ["ansi", "legacy"])
def test_operands_as_recorded(spark, mode):
    spark.conf.set("spark.sql.session.timeZone", "America/Los_Angeles")
    spark.conf.set("spark.sql.ansi.enabled", str(mode == "ansi").lower())
    asked = [want for want in RECORDED if want["mode"] == mode]
    assert len(asked) > 100
    wrong = []
    for want in asked:
        got = json.loads(json.dumps(answers.answer(spark, want["sql"])))
        if answers.judge(got, want)["status"] != "pass":
            wrong.append((want["sql"], want.get("error") or want.get("rows"), got.get("error") or got.get("rows")))
    assert not wrong, wrong[:5]
