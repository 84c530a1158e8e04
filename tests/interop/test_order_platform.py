"""The user's table program (tests/e2e/programs), then its table and change feed at every version in every engine."""
import datetime
import importlib.util
import os
import pathlib

import pytest
from engines import rows

PROGRAM = pathlib.Path(__file__).parents[1] / "e2e" / "programs" / "delta_operations.py"
TABLE = "prod.orders.orders"
SCHEMA = "order_id string, customer_id string, amount double, status string, created_at timestamp, updated_at timestamp"


@pytest.fixture(scope="module")
def orders(lakeshed):
    """The program run for twelve days: path, last version."""
    lakeshed.sql("CREATE CATALOG IF NOT EXISTS prod", "CREATE SCHEMA IF NOT EXISTS prod.orders")
    os.environ["SPARK_REMOTE"] = lakeshed.remote
    spec = importlib.util.spec_from_file_location("delta_operations", PROGRAM)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    assert program.spark is lakeshed.session
    lakeshed.sql(**{"spark.sql.session.timeZone": "America/Los_Angeles"})
    program.create_orders_table()
    for day in range(1, 13):
        at = datetime.datetime(2024, 3, day, 23, 30, tzinfo=datetime.timezone.utc)
        orders = [(f"o{n}", f"c{n % 3}", n * 1.25, f"day {day}", at, at) for n in range(day, day + 4)]
        program.upsert_orders(program.spark.createDataFrame(orders, SCHEMA))
        if day % 4 == 0:
            program.soft_delete_orders([f"o{day}", f"o{day + 1}"])
    program.vacuum_table()
    lakeshed.sql(**{"spark.sql.session.timeZone": "UTC"})
    return lakeshed.path(TABLE), lakeshed.last_version(TABLE)


def test_every_version(orders, lakeshed, spark, delta_rs, duck):
    path, last = orders
    assert last >= 15
    ours = [rows(table) for table in lakeshed.version(path, *range(last + 1))]
    assert len(ours[-1]) == 15
    for engine in spark, delta_rs, duck:
        for version, table in enumerate(engine.version(path, *range(last + 1))):
            assert rows(table) == ours[version], f"{engine} reads version {version} differently"


def test_change_feed(orders, lakeshed, spark):
    path, last = orders
    ours = lakeshed.changes(path, 0, last)
    assert rows(ours) == rows(spark.changes(path, 0, last)) and ours.num_rows > 60


def test_spark_prunes_by_the_generated_column(orders, lakeshed, spark):
    path, _ = orders
    query = f"SELECT * FROM delta.`{path}` WHERE created_at >= TIMESTAMP'2024-03-05 00:00:00' AND created_at < TIMESTAMP'2024-03-07'"
    assert rows(lakeshed.query(query)) == rows(spark.query(query)) and lakeshed.query(query).num_rows == 2
