#!/usr/bin/env python3
"""Asks a real Spark for the answers of generated cases, and keeps them in answers.jsonl.xz.

  record.py --remote sc://localhost:15002 [--rows build/tests/golden/print_rows] [--cases PART] [--jobs N] [--again]

Asked are the cases without an answer; with --again all. Cases that generate.py no longer makes are dropped. Left out by rule:
answers that differ between one and five shuffle partitions, that take too long or too much room, and those that are
no contract: INTERNAL_ERROR, or an error without a class.
"""
import json
import lzma
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "conformance")]

import answers  # noqa: E402
import generate  # noqa: E402
import generated  # noqa: E402
import runner  # noqa: E402

LONGEST = 4000
REPEATED = ("query/", "function/")


def add_options(parser):
    parser.add_argument("--rows", default=generate.ROWS, help="the program that prints the registry")
    parser.add_argument("--again", action="store_true", help="ask everything, not only what has no answer")


def cases(options):
    return [runner.Case(name=case["id"], detail=case) for case in generate.cases(options.rows)]


def open_worker(options):
    return {"remote": options.remote}


def run_case(worker, case):
    spark = generated.session(worker, case.detail["profile"])
    got = answers.answer(spark, case.detail["sql"])
    got.pop("message", None)
    why = None
    if "error" in got and (not got["error"] or got["error"].startswith("INTERNAL_ERROR")):
        why = f"no contract: {got['error']}"
    elif len(json.dumps(got)) > LONGEST:
        why = "too long"
    elif case.name.startswith(REPEATED) and "error" not in got:
        spark.conf.set("spark.sql.shuffle.partitions", "1")
        again = answers.answer(spark, case.detail["sql"])
        spark.conf.set("spark.sql.shuffle.partitions", "5")
        ordered = generated.ordered(case.detail)
        if answers.judge(again, got, ordered)["status"] != "pass":
            why = "two answers"
    return {"status": "skip" if why else "pass", "why": why, "answer": got}


def add_scores(kept, new):
    """New cases are open until a run of `generated.py --record` has seen them pass."""
    scores = runner.read_scores()
    entry = scores.setdefault(generated.NAME, {"minimum": 0, "open": []})
    entry["open"] = sorted((set(entry["open"]) | new) & kept.keys())
    runner.write_scores(scores)


def main():
    options = runner.parse(sys.modules[__name__], None)
    everything = cases(options)
    known = {}
    if generated.DATA.exists():
        known = {case.name: case.detail for case in generated.cases(options)}
    skipped_file = HERE / "left_out.txt"
    left_out = set(skipped_file.read_text().split()) if skipped_file.exists() else set()
    kept, dropped = {}, {}
    for case in everything:
        if case.name in known:
            kept[case.name] = known[case.name]
    chosen = [number for number, case in enumerate(everything)
              if (options.again or (case.name not in known and case.name not in left_out)) and (not options.cases or options.cases in case.name)]
    details = {case.name: case.detail for case in everything}

    def each(result):
        if result["status"] == "pass":
            kept[result["case"]] = {**details[result["case"]], **result["answer"]}
        else:
            kept.pop(result["case"], None)
            dropped[result["case"]] = result.get("why") or result.get("error")

    runner.run_all(Path(__file__).stem, options, everything, chosen, each)
    with lzma.open(generated.DATA, "wt", encoding="utf-8", preset=9) as out:
        for name in sorted(kept):
            out.write(json.dumps(kept[name], ensure_ascii=False, separators=(",", ":")) + "\n")
    add_scores(kept, kept.keys() - known.keys())
    left_out = (left_out & details.keys()) - kept.keys() | dropped.keys()
    skipped_file.write_text("\n".join(sorted(left_out)) + "\n")
    for name, why in sorted(dropped.items()):
        print(f"  left out  {name}: {why}")
    print(f"{len(kept)} cases with an answer, {len(left_out)} left out")


if __name__ == "__main__":
    main()
