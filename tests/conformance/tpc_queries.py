#!/usr/bin/env python3
"""TPC: the queries of TPC-H and TPC-DS in the words of Spark's own tests, against answers that a real Spark 4.2 gave.

The queries come out of Spark's test jar and the tables out of DuckDB's generators; both are fetched by
"tools/setup.sh tpc" and neither is kept in this repository. The tables are made once for each scale, as Parquet in
--data, and read by the server from there: as Delta tables that it writes itself, or as they are with --parquet.
data/tpc_answers.json.gz holds column names, types and rows of every query; a result too large for that, a checksum; or
the class of Spark's error (a small scale leaves nothing to divide by in one of them).
--learn writes the answers of the server instead of checking them: give it a Spark.
"""
import gzip
import json
import math
import os
import sys
import zipfile
from pathlib import Path

import answers
import canonical
import runner

NAME = "TPC"
CACHE = Path(os.environ.get("LAKESHED_CACHE", Path.home() / ".cache" / "lakeshed"))
JAR = CACHE / "downloads" / "spark-sql_2.13-4.2.0-tests.jar"
EXTENSIONS = {kind: CACHE / "downloads" / f"duckdb_extension_{kind}-1.5.5-py3-none-manylinux2014_x86_64.whl" for kind in ("tpch", "tpcds")}
GENERATOR = {"tpch": "dbgen", "tpcds": "dsdgen"}
RENAMED = {"customer": ("c_last_review_date_sk", "c_last_review_date")}  # what the generator calls differently than the queries
ANSWERS = runner.HERE / "data" / "tpc_answers.json.gz"
ROWS_KEPT = 1000


def add_options(parser):
    parser.add_argument("--scales", default="tpch:0.1,tpcds:0.1", help="which tables, how large (default tpch:0.1,tpcds:0.1)")
    parser.add_argument("--data", type=Path, default=CACHE / "tpc", help="where the generated Parquet files are kept")
    parser.add_argument("--parquet", action="store_true", help="query the Parquet files instead of Delta tables")
    parser.add_argument("--learn", action="store_true", help=f"write {ANSWERS.name}")


def prepare(options):
    options.answers = {} if options.learn else read_answers()
    session = runner.new_session(options.remote)
    for kind, scale in scales(options):
        folder = generate(kind, scale, options.data)
        schema = schema_name(kind, scale)
        session.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}").collect()
        for table in sorted(folder.iterdir()):
            session.sql(f"DROP TABLE IF EXISTS {schema}.{table.name}").collect()
            how = f"USING parquet LOCATION '{table}'" if options.parquet else f"USING delta AS SELECT * FROM parquet.`{table}`"
            session.sql(f"CREATE TABLE {schema}.{table.name} {how}").collect()
    session.stop()
    return (lambda: collect_answers(options)) if options.learn else None


def scales(options):
    return [part.split(":") for part in options.scales.split(",")]


def schema_name(kind, scale):
    return f"{kind}_{scale.replace('.', '_')}"


def generate(kind, scale, data):
    """The folder with one folder of Parquet a table."""
    folder = data / f"{kind}-{scale}"
    if folder.is_dir():
        return folder
    import duckdb
    half = data / f".{kind}-{scale}-{os.getpid()}"
    (half / "tables").mkdir(parents=True)
    with zipfile.ZipFile(EXTENSIONS[kind]) as wheel:
        name = next(n for n in wheel.namelist() if n.endswith(".duckdb_extension"))
        (half / Path(name).name).write_bytes(wheel.read(name))
    connection = duckdb.connect(config={"threads": "2"})
    connection.execute(f"LOAD '{half / Path(name).name}'")
    connection.execute(f"CALL {GENERATOR[kind]}(sf={scale})")
    for (table,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
        (half / "tables" / table).mkdir()
        if kind == "tpcds" and table in RENAMED:
            connection.execute("ALTER TABLE {} RENAME {} TO {}".format(table, *RENAMED[table]))
        connection.execute(f"COPY {table} TO '{half / 'tables' / table / 'part-0.parquet'}' (FORMAT parquet)")
    (half / "tables").rename(folder)
    for rest in half.iterdir():
        rest.unlink()
    half.rmdir()
    return folder


def queries(kind):
    """{name: text} as Spark's tests have them."""
    with zipfile.ZipFile(JAR) as jar:
        names = [n for n in jar.namelist() if n.startswith(f"{kind}/") and n.endswith(".sql")]
        return {Path(n).stem: jar.read(n).decode() for n in names}


def read_answers():
    return json.loads(gzip.decompress(ANSWERS.read_bytes())) if ANSWERS.exists() else {}


def cases(options):
    found = []
    for kind, scale in scales(options):
        for query, text in sorted(queries(kind).items()):
            name = f"{kind}:{scale}/{query}"
            found.append(runner.Case(name, detail=(schema_name(kind, scale), text), available=options.learn or name in options.answers))
    return found


def open_worker(options):
    worker = runner.new_session(options.remote, session__timeZone="UTC")
    worker.options = options
    return worker


def ask(spark, text):
    """Columns and rows, or a checksum of many rows; the rows sorted, since not every query says in which order."""
    frame = spark.sql(text)
    columns = [[field.name, field.dataType.simpleString()] for field in frame.schema]
    table = frame.toArrow()
    if table.num_rows > ROWS_KEPT and not any(kind == "double" for _, kind in columns):
        return {"columns": columns, "rows": table.num_rows, "sum": canonical.table_checksum(table)}
    rows = [list(row) for row in zip(*[answers.column(table.column(i)) for i in range(table.num_columns)])]
    return {"columns": columns, "rows": sorted(rows, key=sort_key)}


def sort_key(row):
    """Doubles last and rounded: their last digits depend on the order of a sum."""
    exact = [json.dumps(value) for value in row if not isinstance(value, float)]
    return exact, [float(f"{value:.6g}") for value in row if isinstance(value, float)]


def close(got, want):
    if isinstance(got, float) and isinstance(want, (int, float)):
        return math.isclose(got, want, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(got, list) and isinstance(want, list):
        return len(got) == len(want) and all(map(close, got, want))
    return got == want


def run_case(spark, case):
    schema, text = case.detail
    spark.sql(f"USE {schema}").collect()
    try:
        got = ask(spark, text)
    except Exception as error:
        got = {"error": getattr(error, "getCondition", lambda: None)()}
        if not got["error"] or not spark.options.learn and "error" not in spark.options.answers[case.name]:
            return {"status": "error", "error": f"{type(error).__name__}: {error}".split("\n\nJVM stacktrace")[0][:900]}
    if spark.options.learn:
        part = spark.options.out.parent / "learned"
        part.mkdir(exist_ok=True)
        (part / case.name.replace("/", "@")).write_text(json.dumps(got))
        return {"status": "pass"}
    want = spark.options.answers[case.name]
    for what in ("error", "columns", "sum", "rows"):
        if what in want and not close(got.get(what), want[what]):
            return {"status": "fail", "error": f"{what} differ", **difference(got.get(what), want[what])}
    return {"status": "pass"}


def difference(got, want):
    if not isinstance(want, list) or not isinstance(got, list):
        return {"got": got if not isinstance(got, list) else len(got), "want": want if not isinstance(want, list) else len(want)}
    index = next((i for i, pair in enumerate(zip(got, want)) if not close(*pair)), min(len(got), len(want)))
    return {"count": [len(got), len(want)], "at": index, "got": got[index:index + 2], "want": want[index:index + 2]}


def collect_answers(options):
    answers = read_answers()
    for file in (options.out.parent / "learned").iterdir():
        answers[file.name.replace("@", "/")] = json.loads(file.read_text())
    text = json.dumps(answers, sort_keys=True, separators=(",", ":")).encode()
    ANSWERS.write_bytes(gzip.compress(text, 9, mtime=0))
    print(f"{len(answers)} answers, {ANSWERS.stat().st_size} bytes")


if __name__ == "__main__":
    sys.exit(runner.main(sys.modules[__name__]))
