"""Answers as the recorded suites spell and compare them: columns, rows, or an error's class and SQLSTATE."""
import datetime
import json
import math

import pyarrow

import canonical


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
    if isinstance(values, pyarrow.ChunkedArray):
        values = values.combine_chunks()
    if pyarrow.types.is_timestamp(kind) or pyarrow.types.is_duration(kind):
        return values.cast(pyarrow.int64()).to_pylist()
    if pyarrow.types.is_time(kind):
        return values.cast(pyarrow.int32() if pyarrow.types.is_time32(kind) else pyarrow.int64()).to_pylist()
    try:
        return [plain(item, kind) for item in values.to_pylist()]
    except (ValueError, OverflowError):  # dates and times that Python does not have
        return [None if text == "N" else text for text in canonical.texts(values)]


def type_text(data_type):
    """Spark's simple name of a type, with ! behind elements, values and fields that are never NULL."""
    name = data_type.typeName()
    mark = {True: "", False: "!"}
    if name == "array":
        return f"array<{type_text(data_type.elementType)}{mark[data_type.containsNull]}>"
    if name == "map":
        return f"map<{type_text(data_type.keyType)},{type_text(data_type.valueType)}{mark[data_type.valueContainsNull]}>"
    if name == "struct":
        return "struct<" + ",".join(f"{field.name}:{type_text(field.dataType)}{mark[field.nullable]}" for field in data_type) + ">"
    return data_type.simpleString()


def ask(spark, sql):
    """(schema, rows) of a query, in one request."""
    from pyspark.sql.connect.plan import SQL
    client = spark.client
    table, schema, _ = client.to_table(SQL(sql).to_proto(client), {})
    rows = [list(row) for row in zip(*[column(table.column(i)) for i in range(table.num_columns)])]
    return schema, rows or [[]] * table.num_rows


def answer(spark, sql):
    """What a recording holds of an answer: schema and rows, or error and state."""
    try:
        schema, rows = ask(spark, sql)
    except Exception as error:
        condition = getattr(error, "getCondition", lambda: None)()
        message = f"{type(error).__name__}: {error}".split("\n\nJVM stacktrace")[0][:600]
        return {"error": condition, "state": getattr(error, "getSqlState", lambda: None)(), "message": message}
    return {"schema": [[field.name, type_text(field.dataType), field.nullable] for field in schema], "rows": rows}


def close(got, want):
    """Equal, doubles within the last places that library functions of two platforms may differ in."""
    if isinstance(got, float) and isinstance(want, (int, float)):
        return math.isclose(got, want, rel_tol=1e-14, abs_tol=1e-300)
    if isinstance(got, list) and isinstance(want, list):
        return len(got) == len(want) and all(map(close, got, want))
    if isinstance(got, dict) and isinstance(want, dict):
        return got.keys() == want.keys() and all(close(got[key], want[key]) for key in got)
    return got == want


def bag(rows):
    """Rows in an order of their own, for answers that have none."""
    def key(value):
        return f"{value:.9g}" if isinstance(value, float) else value

    return sorted(rows, key=lambda row: json.dumps([key(value) for value in row], default=str))


def judge(got, want, ordered=True):
    """The result line of a case: pass, or fail with what differs."""
    if "error" in got:
        same = "error" in want and got["error"] == want["error"] and want.get("state") in (None, got["state"])
        return {"status": "pass" if same else "fail", "condition": got["error"], "error": got["message"], "want": want.get("error", "rows")}
    if "error" in want:
        return {"status": "fail", "error": "no error", "want": want["error"], "got": str(got["rows"])[:300]}
    if got["schema"] != want["schema"]:
        return {"status": "fail", "error": "schema differs", "got": got["schema"], "want": want["schema"]}
    rows = (got["rows"], want["rows"]) if ordered else (bag(got["rows"]), bag(want["rows"]))
    if not close(*rows):
        return {"status": "fail", "error": "rows differ", "got": str(rows[0])[:300], "want": str(rows[1])[:300]}
    return {"status": "pass"}
