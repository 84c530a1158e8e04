"""Plain files and streams on S3: written, read, listed, followed."""
import subprocess
import sys

import pytest

from gateway import PUT, gateway, needs_gateway, one, s3_server, spark  # noqa: F401

pytestmark = needs_gateway


def test_plain_files(spark, gateway):
    rows = spark.range(1000).selectExpr("id", "id % 3 AS k")
    for form in ("parquet", "csv", "json"):
        place = f"s3a://lake/plain/{form}"
        rows.write.format(form).partitionBy("k").option("header", "true").save(place)
        read = spark.read.format(form).option("header", "true").option("inferSchema", "true").load(place)
        assert read.selectExpr("count(*)", "sum(id)", "sum(k)").collect() == [(1000, 499500, 999)]
        with pytest.raises(Exception, match="PATH_ALREADY_EXISTS"):
            rows.write.format(form).save(place)
        rows.limit(7).write.format(form).mode("overwrite").option("header", "true").save(place)
        assert spark.read.format(form).option("header", "true").load(place).count() == 7
    assert spark.read.parquet("s3a://lake/plain/par*").count() == 7
    files = spark.read.parquet("s3a://lake/plain/parquet").inputFiles()
    assert files and all(f.startswith("s3a://lake/plain/parquet/part-") for f in files)
    with pytest.raises(Exception, match="PATH_NOT_FOUND.*s3a://lake/nothing"):
        spark.read.parquet("s3a://lake/nothing").count()


def test_replaced_file_is_read_anew(spark, gateway):
    file = gateway.folder / "lake/replaced.csv"
    put = lambda text: subprocess.run([sys.executable, "-c", PUT, gateway.url, "replaced.csv", text], check=True)  # noqa: E731
    put("a\n1\n")
    assert spark.read.option("header", "true").csv("s3://lake/replaced.csv").collect() == [("1",)]
    put("a\n2\n")
    assert spark.read.option("header", "true").csv("s3://lake/replaced.csv").collect() == [("2",)]
    assert file.exists()


def test_streaming_sink(spark, tmp_path):
    spark.sql("CREATE TABLE events (id BIGINT) USING delta LOCATION 's3://lake/events'")
    spark.sql("INSERT INTO events SELECT id FROM range(50)")
    q = (spark.readStream.table("events").writeStream.format("delta").option("checkpointLocation", str(tmp_path / "check"))
         .trigger(availableNow=True).start("s3://lake/events_out"))
    assert q.awaitTermination(60)
    assert q.exception() is None
    assert one(spark, "SELECT sum(id) FROM delta.`s3://lake/events_out`") == sum(range(50))


def test_tables_of_plain_files(spark, gateway):
    """INSERT, overwrite, partitions that the catalog knows, repair and statistics."""
    for form in ("parquet", "csv", "json"):
        name = f"kept_{form}"
        spark.sql(f"CREATE TABLE {name} (a BIGINT, k STRING) USING {form} PARTITIONED BY (k) LOCATION 's3a://lake/tables/{name}'")
        spark.sql(f"INSERT INTO {name} VALUES (1, 'x'), (2, 'y y'), (3, NULL)")
        spark.sql(f"INSERT INTO {name} PARTITION (k = 'x') VALUES (4)")
        spark.range(5, 7).selectExpr("id AS a", "'z' AS k").write.insertInto(name)
        assert sorted(spark.table(name).collect(), key=str) == sorted([(1, "x"), (2, "y y"), (3, None), (4, "x"), (5, "z"), (6, "z")], key=str)
        assert {f.split("/")[0] for f in gateway.files(f"tables/{name}")} == {"k=x", "k=y y", "k=__HIVE_DEFAULT_PARTITION__", "k=z"}
        spark.sql(f"INSERT OVERWRITE {name} PARTITION (k = 'x') VALUES (40)")
        assert one(spark, f"SELECT sum(a) FROM {name}") == 40 + 2 + 3 + 5 + 6
        spark.sql(f"INSERT OVERWRITE {name} SELECT a + 1, k FROM {name} WHERE k = 'z'")
        assert sorted(spark.table(name).collect()) == [(6, "z"), (7, "z")]
        assert {f.split("/")[0] for f in gateway.files(f"tables/{name}")} == {"k=z"}
        copy = f"found_{form}"
        spark.sql(f"CREATE TABLE {copy} (a BIGINT, k STRING) USING {form} PARTITIONED BY (k) LOCATION 's3://lake/tables/{name}'")
        assert spark.table(copy).count() == 0
        spark.sql(f"MSCK REPAIR TABLE {copy}")
        assert sorted(spark.table(copy).collect()) == [(6, "z"), (7, "z")]
        spark.sql(f"ALTER TABLE {copy} DROP PARTITION (k = 'z')")
        assert spark.table(copy).count() == 0 and spark.table(name).count() == 2
        spark.sql(f"ANALYZE TABLE {name} COMPUTE STATISTICS")
        said = {r[0]: r[1] for r in spark.sql(f"DESCRIBE EXTENDED {name}").collect()}["Statistics"]
        size = sum((gateway.folder / "lake/tables" / name / f).stat().st_size for f in gateway.files(f"tables/{name}"))
        assert said == f"{size} bytes, 2 rows"


def test_a_table_without_partitions(spark, gateway):
    spark.sql("CREATE TABLE whole (a BIGINT) USING parquet LOCATION 's3n://lake/tables/whole'")
    spark.sql("INSERT INTO whole VALUES (1), (2)")
    spark.sql("INSERT INTO whole SELECT a + 10 FROM whole")
    assert sorted(r[0] for r in spark.table("whole").collect()) == [1, 2, 11, 12]
    spark.sql("INSERT OVERWRITE whole SELECT sum(a) FROM whole")
    assert spark.table("whole").collect() == [(26,)]
    assert len(gateway.files("tables/whole")) == 1
    spark.range(3).write.mode("append").partitionBy().json("s3://lake/alt/a/x=1")
    spark.range(4).write.json("s3://lake/alt/b/x=2")
    assert spark.read.json("s3://lake/alt/{a,b,nothing}/x=*").count() == 7
    with pytest.raises(Exception, match="PATH_NOT_FOUND"):
        spark.read.json("s3://lake/alt/{c,d}/x=1").count()


def run(query):
    assert query.awaitTermination(90)
    assert query.exception() is None


def test_streams_wholly_on_s3(spark, gateway):
    """Source, sink, checkpoint and state are objects; a second run goes on where the first one stopped."""
    def put(name, text):
        subprocess.run([sys.executable, "-c", PUT, gateway.url, name, text], check=True)

    def follow(sink, check, change=lambda df: df, mode="append"):
        read = spark.readStream.schema("id BIGINT, v STRING").option("header", "true").csv("s3a://lake/inbox")
        run(change(read).writeStream.format(sink).outputMode(mode).option("checkpointLocation", f"s3a://lake/checks/{check}")
            .trigger(availableNow=True).start(f"s3a://lake/outbox/{check}"))

    put("inbox/a b.csv", "id,v\n1,x\n2,y\n")
    for sink in ("delta", "parquet", "json"):
        follow(sink, sink)
    put("inbox/k=7/_hidden.csv", "id,v\n100,hidden\n")
    put("inbox/c%20d.csv", "id,v\n3,x\n")
    for sink in ("delta", "parquet", "json"):
        follow(sink, sink)
        follow(sink, sink)
        read = spark.read.format(sink).schema("id BIGINT, v STRING") if sink == "json" else spark.read.format(sink)
        assert sorted(read.load(f"s3a://lake/outbox/{sink}").collect()) == [(1, "x"), (2, "y"), (3, "x")], sink
        assert [f for f in gateway.files(f"checks/{sink}") if f.startswith("commits/")] == ["commits/0", "commits/1"]
    for n in range(2):
        follow("delta", "counted", lambda df: df.groupBy("v").count(), "complete")
        assert sorted(spark.read.format("delta").load("s3a://lake/outbox/counted").collect()) == ([("x", 2), ("y", 1)] if not n else [("x", 3), ("y", 1)])
        put("inbox/late.csv", "id,v\n4,x\n")


def test_foreach_batch_merges_on_s3(spark):
    from delta.tables import DeltaTable
    spark.sql("CREATE TABLE delta.`s3://lake/merged` (id BIGINT, n BIGINT) USING delta")
    spark.range(10).write.format("delta").save("s3://lake/feed")

    def merge(batch, number):
        (DeltaTable.forPath(batch.sparkSession, "s3://lake/merged").alias("t").merge(batch.alias("s"), "t.id = s.id % 3")
         .whenNotMatchedInsert(values={"id": "s.id", "n": "1"}).execute())

    run(spark.readStream.format("delta").load("s3://lake/feed").writeStream.foreachBatch(merge).trigger(availableNow=True)
        .option("checkpointLocation", "s3://lake/checks/merged").start())
    assert one(spark, "SELECT count(*) FROM delta.`s3://lake/merged`") == 10
