"""The order platform's table, step by step: make it, upsert into it, look at its past.

    SPARK_REMOTE=sc://localhost:15002 python orders.py
"""
import pathlib

from delta.tables import DeltaTable
from pyspark.sql import SparkSession, functions as F

TABLE = "prod.orders.orders"
DATA = pathlib.Path(__file__).resolve().parent / "data"
ORDER_COLUMNS = ("order_id STRING, customer_id STRING, amount DOUBLE, status STRING, "
                 "created_at TIMESTAMP, updated_at TIMESTAMP")


def step(text):
    print(f"\n--- {text}", flush=True)


def create(spark):
    """A catalog, a schema, a table. DATE(created_at) becomes the generated column created_at_date."""
    spark.sql("CREATE CATALOG IF NOT EXISTS prod")
    spark.sql("CREATE SCHEMA IF NOT EXISTS prod.orders")
    spark.sql(f"DROP TABLE IF EXISTS {TABLE}")
    spark.sql(f"""
        CREATE TABLE {TABLE} (
            order_id STRING NOT NULL, customer_id STRING NOT NULL, amount DOUBLE, status STRING,
            created_at TIMESTAMP, updated_at TIMESTAMP, is_deleted BOOLEAN DEFAULT FALSE)
        USING DELTA
        PARTITIONED BY (DATE(created_at))
        TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')
    """)


def upsert(spark, orders):
    """Newer rows replace older ones, unknown orders are added. Default and generated columns fill themselves."""
    (DeltaTable.forName(spark, TABLE).alias("target")
     .merge(orders.alias("source"), "target.order_id = source.order_id")
     .whenMatchedUpdate(condition="source.updated_at > target.updated_at",
                        set={name: f"source.{name}" for name in ("amount", "status", "updated_at")})
     .whenNotMatchedInsertAll()
     .execute())


def main():
    spark = SparkSession.builder.getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")

    step(f"create {TABLE}")
    create(spark)

    step("upsert two days of orders from JSON, then one from a DataFrame")
    for day in ("day1", "day2"):
        upsert(spark, spark.read.schema(ORDER_COLUMNS).json(str(DATA / f"{day}.json")))
    late = spark.sql("SELECT 'O-1004' order_id, 'C-31' customer_id, 15.75D amount, 'PAID' status, "
                     "TIMESTAMP '2026-03-02 08:01:00' created_at, TIMESTAMP '2026-03-03 09:00:00' updated_at")
    upsert(spark, late)

    step("soft-delete one order")
    DeltaTable.forName(spark, TABLE).update(
        condition=F.col("order_id") == "O-1003",
        set={"is_deleted": F.lit(True), "updated_at": F.lit("2026-03-03T12:00:00Z").cast("timestamp")})

    step("the table")
    spark.table(TABLE).orderBy("order_id").show(truncate=False)

    step("its history")
    (DeltaTable.forName(spark, TABLE).history()
     .select("version", "operation", "operationMetrics.numTargetRowsInserted", "operationMetrics.numTargetRowsUpdated",
             "operationMetrics.numUpdatedRows").orderBy("version").show(truncate=False))

    step("what happened to O-1001: the change data feed")
    (spark.read.format("delta").option("readChangeFeed", "true").option("startingVersion", 0).table(TABLE)
     .filter("order_id = 'O-1001'").select("_commit_version", "_change_type", "status", "amount")
     .orderBy("_commit_version", "_change_type").show(truncate=False))

    step("as it was: version 1, in three spellings")
    counts = [spark.sql(f"SELECT * FROM {TABLE} VERSION AS OF 1").count(),
              spark.read.option("versionAsOf", 1).table(TABLE).count(),
              spark.sql(f"SELECT * FROM {TABLE}@v1").count()]
    print(counts)

    step("remove files that seven days of history no longer need")
    spark.sql(f"VACUUM {TABLE} RETAIN 168 HOURS")
    detail = DeltaTable.forName(spark, TABLE).detail().collect()[0]
    print(f"{detail.numFiles} files, {detail.sizeInBytes} bytes, partitioned by {detail.partitionColumns} in {detail.location}")


if __name__ == "__main__":
    main()
