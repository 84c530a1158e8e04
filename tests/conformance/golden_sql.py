#!/usr/bin/env python3
"""SQL: statements whose column names, types, nullability and rows (or error class) a real Spark 4.2 gave."""
import datetime
import json
import math
import sys

import pyarrow

import runner

NAME = "SQL"
DATA = runner.HERE / "data" / "functions.jsonl"


def add_options(parser):
    """None of its own."""


def prepare(options):
    """Nothing to make ready."""


def cases(options):
    with DATA.open(encoding="utf-8") as lines:
        recorded = [json.loads(line) for line in lines]
    return [runner.Case(name=want["sql"], detail=want) for want in recorded]


def open_worker(options):
    return runner.new_session(options.remote, session__timeZone="America/Los_Angeles")


def plain(value, kind):
    """An Arrow value as the recording spells it: text for what JSON cannot hold exactly."""
    types = pyarrow.types
    if value is None:
        return None
    if types.is_floating(kind):
        return value if math.isfinite(value) else str(value)
    if types.is_decimal(kind):
        return format(value, "f")
    if types.is_binary(kind) or types.is_large_binary(kind):
        return "0x" + value.hex()
    if types.is_list(kind) or types.is_large_list(kind):
        return [plain(item, kind.value_type) for item in value]
    if types.is_map(kind):
        return [[plain(k, kind.key_type), plain(v, kind.item_type)] for k, v in value]
    if types.is_struct(kind):
        return {field.name: plain(value[field.name], field.type) for field in kind}
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return value if isinstance(value, (bool, int, str)) else str(value)


def column(values):
    kind = values.type
    if pyarrow.types.is_timestamp(kind) or pyarrow.types.is_duration(kind):
        return values.cast(pyarrow.int64()).to_pylist()
    if pyarrow.types.is_time(kind):
        return values.cast(pyarrow.int32() if pyarrow.types.is_time32(kind) else pyarrow.int64()).to_pylist()
    return [plain(item, kind) for item in values.to_pylist()]


def ask(spark, sql):
    frame = spark.sql(sql)
    schema = [[field.name, field.dataType.simpleString(), field.nullable] for field in frame.schema]
    table = frame.toArrow()
    return schema, [list(row) for row in zip(*[column(table.column(i)) for i in range(table.num_columns)])]


def close(got, want):
    """Equal, doubles within the last places that library functions of two platforms may differ in."""
    if isinstance(got, float) and isinstance(want, (int, float)):
        return math.isclose(got, want, rel_tol=1e-14, abs_tol=1e-300)
    if isinstance(got, list) and isinstance(want, list):
        return len(got) == len(want) and all(map(close, got, want))
    if isinstance(got, dict) and isinstance(want, dict):
        return got.keys() == want.keys() and all(close(got[key], want[key]) for key in got)
    return got == want


def run_case(spark, case):
    want = case.detail
    try:
        schema, rows = ask(spark, want["sql"])
    except Exception as error:
        condition = getattr(error, "getCondition", lambda: None)()
        message = f"{type(error).__name__}: {error}".split("\n\nJVM stacktrace")[0][:600]
        same = "error" in want and condition == want["error"]
        return {"status": "pass" if same else "fail", "condition": condition, "error": message, "want": want.get("error")}
    if "error" in want:
        return {"status": "fail", "error": "no error", "want": want["error"], "got": str(rows)[:300]}
    if schema != want["schema"]:
        return {"status": "fail", "error": "schema differs", "got": schema, "want": want["schema"]}
    if not close(rows, want["rows"]):
        return {"status": "fail", "error": "rows differ", "got": str(rows)[:300], "want": str(want["rows"])[:300]}
    return {"status": "pass"}


if __name__ == "__main__":
    sys.exit(runner.main(sys.modules[__name__]))
