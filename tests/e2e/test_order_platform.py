"""The user's table program, unchanged, then its table as delta-rs and DuckDB read it at every version."""
import datetime
import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

PROGRAM = pathlib.Path(__file__).parent / "programs" / "delta_operations.py"
EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "order-platform" / "orders.py"
TABLE = "prod.orders.orders"
SCHEMA = ("order_id string, customer_id string, amount double, status string, created_at timestamp, updated_at timestamp")
CHANGES = ["insert", "update_preimage", "update_postimage"]


def at(day, hour=10):
    return datetime.datetime(2024, 1, day, hour)


@pytest.fixture(scope="module")
def program(server):
    """The program as a module, with the catalog and schema it names and two days of orders upserted."""
    session = server.session()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    session.sql("CREATE CATALOG IF NOT EXISTS prod")
    session.sql("CREATE SCHEMA IF NOT EXISTS prod.orders")
    spec = importlib.util.spec_from_file_location("delta_operations", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    os.environ["SPARK_REMOTE"] = server.remote
    spec.loader.exec_module(module)
    module.spark.conf.set("spark.sql.session.timeZone", "UTC")
    module.create_orders_table()
    module.create_orders_table()
    frame = module.spark.createDataFrame
    module.upsert_orders(frame([("o1", "c1", 10.0, "NEW", at(1), at(1)), ("o2", "c2", 20.0, "NEW", at(2), at(2))], SCHEMA))
    module.upsert_orders(frame([("o1", "c1", 11.0, "PAID", at(1), at(3)), ("o2", "c2", 99.0, "LATE", at(2), at(1)),
                                ("o3", "c3", 30.0, "NEW", at(3), at(3))], SCHEMA))
    module.soft_delete_orders(["o2"])
    yield module
    module.spark.stop()
    session.stop()


def rows(frame):
    return sorted(tuple(row) for row in frame.collect())


def test_rows(program):
    got = program.spark.table(TABLE).orderBy("order_id").collect()
    assert [(r.order_id, r.amount, r.status, r.is_deleted, r.created_at_date) for r in got] == [
        ("o1", 11.0, "PAID", False, datetime.date(2024, 1, 1)), ("o2", 20.0, "NEW", True, datetime.date(2024, 1, 2)),
        ("o3", 30.0, "NEW", False, datetime.date(2024, 1, 3))]


def test_change_feed(program):
    feed = program.read_order_history("o1").collect()
    assert [(r.status, r.amount, r._change_type) for r in feed[:1]] == [("NEW", 10.0, "insert")]
    assert sorted(r._change_type for r in feed) == sorted(CHANGES)


def test_time_travel(program):
    spark = program.spark
    assert [spark.sql(f"SELECT * FROM {TABLE} VERSION AS OF {v}").count() for v in range(4)] == [0, 2, 3, 3]
    assert rows(spark.read.option("versionAsOf", 1).table(TABLE)) == rows(spark.sql(f"SELECT * FROM {TABLE}@v1"))
    stamp = spark.sql(f"DESCRIBE HISTORY {TABLE}").filter("version = 2").collect()[0].timestamp
    assert spark.sql(f"SELECT * FROM {TABLE} TIMESTAMP AS OF '{stamp}'").count() == 3
    with pytest.raises(Exception) as error:
        spark.sql(f"SELECT * FROM {TABLE} VERSION AS OF 99").collect()
    assert error.value.getCondition() == "DELTA_VERSION_NOT_FOUND"


def test_history(program):
    history = {r.version: r for r in program.spark.sql(f"DESCRIBE HISTORY {TABLE}").collect()}
    assert [history[v].operation for v in range(4)] == ["CREATE TABLE", "MERGE", "MERGE", "UPDATE"]
    assert history[2].operationMetrics["numTargetRowsInserted"] == "1"
    assert history[2].operationMetrics["numTargetRowsUpdated"] == "1"
    assert history[3].operationMetrics["numUpdatedRows"] == "1"
    assert history[1].operationParameters["predicate"].startswith("[")


def test_detail(program):
    detail = program.spark.sql(f"DESCRIBE DETAIL {TABLE}").collect()[0]
    assert (detail.format, detail.name, detail.partitionColumns) == ("delta", TABLE, ["created_at_date"])
    assert detail.properties["delta.enableChangeDataFeed"] == "true"
    assert {"generatedColumns", "allowColumnDefaults", "changeDataFeed"} <= set(detail.tableFeatures)


def test_every_version_in_other_engines(program):
    import deltalake
    import duckdb
    import duckdb_extension_delta
    spark = program.spark
    location = spark.sql(f"DESCRIBE DETAIL {TABLE}").collect()[0].location.removeprefix("file:")
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    package = pathlib.Path(duckdb_extension_delta.__file__).parent
    connection.execute(f"LOAD '{next(package.rglob('delta.duckdb_extension'))}'")
    last = max(r.version for r in spark.sql(f"DESCRIBE HISTORY {TABLE}").collect())
    for version in range(last + 1):
        ours = rows(spark.sql(f"SELECT order_id, amount, status FROM {TABLE} VERSION AS OF {version}"))
        theirs = deltalake.DeltaTable(location, version=version).to_pyarrow_table(columns=["order_id", "amount", "status"])
        assert sorted(tuple(r.values()) for r in theirs.to_pylist()) == ours
        duck = connection.execute(f"SELECT order_id, amount, status FROM delta_scan('{location}', version => {version})").fetchall()
        assert sorted(duck) == ours


def test_vacuum_keeps_what_time_travel_needs(program):
    program.vacuum_table()
    assert program.spark.sql(f"SELECT * FROM {TABLE} VERSION AS OF 1").count() == 2
    with pytest.raises(Exception) as error:
        program.spark.sql(f"VACUUM {TABLE} RETAIN 0 HOURS")
    assert error.value.getCondition() == "DELTA_VACUUM_RETENTION_PERIOD_TOO_SHORT"


def test_not_null_is_kept(program):
    before = program.spark.table(TABLE).count()
    for columns, values, condition in [("order_id, customer_id", "'o9', NULL", "DELTA_NOT_NULL_CONSTRAINT_VIOLATED"),
                                       ("order_id", "'o9'", "DELTA_INSERT_COLUMN_MISMATCH")]:
        with pytest.raises(Exception) as error:
            program.spark.sql(f"INSERT INTO {TABLE} ({columns}) VALUES ({values})").collect()
        assert error.value.getCondition() == condition
    assert program.spark.table(TABLE).count() == before


def test_example(new_server):
    """examples/order-platform as its README says to run it."""
    environment = os.environ | {"SPARK_REMOTE": new_server("example").remote}
    run = subprocess.run([sys.executable, "-W", "ignore", str(EXAMPLE)], env=environment, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=110)
    assert run.returncode == 0, run.stdout
    lines = [line.replace(" ", "") for line in run.stdout.splitlines()]
    for line in ("|O-1001|C-17|129.9|SHIPPED|2026-03-0109:12:00|2026-03-0210:00:00|false|2026-03-01|",
                 "|O-1003|C-17|880.0|PAID|2026-03-0117:05:00|2026-03-0312:00:00|true|2026-03-01|",
                 "|2|update_preimage|NEW|129.9|", "|4|UPDATE|NULL|NULL|1|", "[4,4,4]"):
        assert line in lines, f"{line} is not in\n{run.stdout}"
