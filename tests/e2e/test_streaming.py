"""Structured Streaming with the real client: answers as a real Spark 4.2 gave them to the same programs."""
import datetime
import json
import os
import signal
import threading
import uuid

import pytest
from pyspark.errors import AnalysisException, IllegalArgumentException, StreamingQueryException
from pyspark.sql import functions as F
from pyspark.sql.streaming import StreamingQueryListener
from pyspark.sql.types import LongType


class Folder:
    """A folder of CSV files that grows; times of files ascend, so that they are read in their order."""

    def __init__(self, path):
        self.path, self.count = path, 0
        path.mkdir()

    def put(self, *rows):
        self.count += 1
        file = self.path / f"{self.count:03}.csv"
        part = self.path / f".{self.count:03}"
        part.write_text("".join(",".join(map(str, r)) + "\n" for r in rows))
        os.utime(part, (self.count * 10, self.count * 10))
        part.rename(file)

    def read(self, spark, **options):
        return spark.readStream.schema("ts timestamp, k string, v int").options(**options).csv(str(self.path))


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "in")


@pytest.fixture
def utc(spark):
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    return spark


def at(text):
    return datetime.datetime.fromisoformat("2024-01-01 " + text)


STEPS = [
    [("2024-01-01 00:01:00", "a", 1), ("2024-01-01 00:02:00", "a", 2), ("2024-01-01 00:06:00", "b", 3)],
    [("2024-01-01 00:20:00", "a", 4), ("2024-01-01 00:01:30", "a", 5)],
    [("2024-01-01 00:03:00", "a", 100), ("2024-01-01 00:21:00", "c", 6), ("2024-01-01 00:06:00", "b", 7)],
    [("2024-01-01 01:00:00", "a", 8), ("2024-01-01 00:01:00", "a", 9)],
]


def in_steps(spark, folder, df, mode):
    """What each step adds to a memory sink, and what the progress says of the state."""
    name = "t" + uuid.uuid4().hex
    q = df.writeStream.format("memory").queryName(name).outputMode(mode).start()
    seen, added = 0, []
    for step in STEPS:
        folder.put(*step)
        q.processAllAvailable()
        rows = [tuple(r) for r in spark.table(name).collect()]
        added.append(sorted(rows[seen:], key=str))
        seen = len(rows)
    state = [tuple((o.numRowsTotal, o.numRowsUpdated, o.numRowsRemoved, o.numRowsDroppedByWatermark) for o in p.stateOperators)
             for p in q.recentProgress]
    watermarks = [p.eventTime.get("watermark") for p in q.recentProgress]
    q.stop()
    assert q.exception() is None
    return added, state, watermarks


# ---- sources and what a streaming DataFrame is ----

def test_a_streaming_frame_has_a_schema_and_no_rows(spark):
    df = spark.readStream.format("rate").load()
    assert df.isStreaming and not spark.range(1).isStreaming
    assert df.schema.simpleString() == "struct<timestamp:timestamp,value:bigint>"
    with pytest.raises(AnalysisException) as e:
        df.collect()
    assert str(e.value).startswith("Queries with streaming sources must be executed with writeStream.start()")
    with pytest.raises(AnalysisException) as e:
        df.write.format("parquet").save("/nowhere")
    assert e.value.getCondition() == "CALL_ON_STREAMING_DATASET_UNSUPPORTED"
    with pytest.raises(AnalysisException) as e:
        spark.range(3).writeStream.format("noop").start()
    assert e.value.getCondition() == "WRITE_STREAM_NOT_ALLOWED"


@pytest.mark.parametrize("load, kind, text", [
    (lambda r, d: r.format("csv").load(d), IllegalArgumentException, "Schema must be specified when creating a streaming source"),
    (lambda r, d: r.schema("a int").csv(d + "/nope"), AnalysisException, "[PATH_NOT_FOUND] Path does not exist: "),
    (lambda r, d: r.format("csv").schema("a int").load(), IllegalArgumentException, "'path' is not specified."),
    (lambda r, d: r.format("rate").option("rowsPerSecond", "-1").load(), IllegalArgumentException, "'rowsPerSecond' must be positive"),
    (lambda r, d: r.format("rate").load().withWatermark("timestamp", "foo"), AnalysisException, "[CANNOT_PARSE_INTERVAL] Unable to parse 'foo'"),
    (lambda r, d: r.format("rate").load().withWatermark("timestamp", "-1 minutes"), IllegalArgumentException,
     "requirement failed: delay threshold (-1 minutes) should not be negative."),
    (lambda r, d: r.format("rate").load().withWatermark("value", "1 minutes"), AnalysisException,
     '[EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE] The event time `value` has the invalid type "BIGINT", but expected "TIMESTAMP".'),
])
def test_what_cannot_be_read(spark, tmp_path, load, kind, text):
    with pytest.raises(kind) as e:
        load(spark.readStream, str(tmp_path)).schema
    assert text in str(e.value)


def test_rate_micro_batch(utc):
    df = utc.readStream.format("rate-micro-batch").option("rowsPerBatch", 10).load()
    q = df.writeStream.format("memory").queryName("rate_rows").trigger(availableNow=True).start()
    assert q.awaitTermination(60) is True
    assert sorted(r.value for r in utc.table("rate_rows").collect()) == list(range(10))
    source = q.lastProgress.sources[0]
    assert (source.endOffset, source.numInputRows) == ('{"offset":10,"timestamp":1000}', 10)
    assert q.lastProgress.sink.description == "MemorySink" and q.lastProgress.sink.numOutputRows == 10


def test_limits_make_batches(spark, folder):
    for step in STEPS:
        folder.put(*step)
    q = folder.read(spark, maxFilesPerTrigger=3).writeStream.format("noop").trigger(availableNow=True).start()
    assert q.awaitTermination(60)
    assert [(p.batchId, p.sources[0].numInputRows, p.sources[0].endOffset) for p in q.recentProgress] == [
        (0, 8, '{"logOffset":0}'), (1, 2, '{"logOffset":1}')]
    q = folder.read(spark, maxFilesPerTrigger=3).writeStream.format("noop").trigger(once=True).start()
    assert q.awaitTermination(60)
    assert [p.sources[0].numInputRows for p in q.recentProgress] == [10]


def test_folders_named_key_value_are_columns(spark, tmp_path):
    spark.range(6).selectExpr("id", "id % 2 AS even").write.partitionBy("even").format("json").save(str(tmp_path / "in"))
    df = spark.readStream.schema("id long, even int").json(str(tmp_path / "in"))
    q = df.writeStream.format("memory").queryName("by_folder").trigger(availableNow=True).start()
    assert q.awaitTermination(60)
    assert sorted(map(tuple, spark.table("by_folder").collect())) == [(i, i % 2) for i in range(6)]


# ---- checkpoints ----

def test_a_checkpoint_has_sparks_layout(spark, folder, tmp_path):
    folder.put(*STEPS[0])
    cp, out = tmp_path / "cp", tmp_path / "out"
    q = folder.read(spark).writeStream.format("delta").option("checkpointLocation", str(cp)).trigger(availableNow=True).start(str(out))
    assert q.awaitTermination(60) and q.exception() is None
    assert json.loads((cp / "metadata").read_text()) == {"id": q.id}
    version, conf, offset = (cp / "offsets" / "0").read_text().split("\n")
    assert (version, offset) == ("v1", '{"logOffset":0}') and json.loads(conf)["batchWatermarkMs"] == 0
    assert (cp / "commits" / "0").read_text() == 'v1\n{"nextBatchWatermarkMs":0}'
    version, line = (cp / "sources" / "0" / "0").read_text().split("\n")
    assert json.loads(line) == {"path": f"file://{folder.path}/001.csv", "timestamp": 10000, "batchId": 0}


def test_a_delta_sink_takes_a_batch_once(spark, folder, tmp_path):
    cp, out = str(tmp_path / "cp"), str(tmp_path / "out")

    def run():
        q = folder.read(spark).writeStream.format("delta").option("checkpointLocation", cp).trigger(availableNow=True).start(out)
        assert q.awaitTermination(60) and q.exception() is None
        return q

    folder.put(*STEPS[0])
    first = run()
    folder.put(*STEPS[1])
    second = run()
    assert (first.id, first.runId != second.runId) == (second.id, True)
    # As after a crash between the sink's commit and the query's: the batch is run again, and changes nothing.
    (tmp_path / "cp" / "commits" / "1").unlink()
    third = run()
    assert third.lastProgress.batchId == 1 and (tmp_path / "cp" / "commits" / "1").exists()
    assert sorted(r.v for r in spark.read.format("delta").load(out).collect()) == [1, 2, 3, 4, 5]
    history = spark.sql(f"DESCRIBE HISTORY delta.`{out}`").collect()
    assert [(h.version, h.operation, h.operationParameters["epochId"]) for h in history] == [
        (1, "STREAMING UPDATE", "1"), (0, "STREAMING UPDATE", "0")]
    assert history[0].operationParameters["queryId"] == first.id


def test_a_file_sink_takes_a_batch_once(spark, folder, tmp_path):
    cp, out = str(tmp_path / "cp"), tmp_path / "out"

    def run():
        w = folder.read(spark).writeStream.partitionBy("k").format("parquet").option("checkpointLocation", cp)
        q = w.trigger(availableNow=True).start(str(out))
        assert q.awaitTermination(60) and q.exception() is None

    folder.put(*STEPS[0])
    run()
    (tmp_path / "cp" / "commits" / "0").unlink()
    run()
    # A file that no batch committed does not count.
    whole = next(out.glob("k=a/*.parquet"))
    (out / "k=a" / "part-99999-cut-off.parquet").write_bytes(whole.read_bytes())
    df = spark.read.schema("ts timestamp, k string, v int").parquet(str(out))
    assert df.columns == ["ts", "k", "v"]
    assert sorted((r.k, r.v) for r in df.collect()) == [("a", 1), ("a", 2), ("b", 3)]
    assert (out / "_spark_metadata" / "0").read_text().startswith("v1\n{")


def test_memory_does_not_recover(spark, folder, tmp_path):
    folder.put(*STEPS[0])
    w = folder.read(spark).writeStream.format("memory").queryName("again").option("checkpointLocation", str(tmp_path / "cp"))
    assert w.trigger(availableNow=True).start().awaitTermination(60)
    with pytest.raises(AnalysisException, match="This query does not support recovering from checkpoint location."):
        w.start()


def test_a_server_goes_on_where_the_one_before_stopped(new_server, tmp_path):
    folder = Folder(tmp_path / "in")
    cp, out = str(tmp_path / "cp"), str(tmp_path / "out")

    def run(server):
        spark = server.session()
        counts = folder.read(spark).groupBy("k").agg(F.count("*").alias("n"), F.sum("v").alias("s"), F.collect_list("v").alias("l"))
        w = counts.writeStream.format("delta").outputMode("complete").option("checkpointLocation", cp)
        q = w.trigger(availableNow=True).start(out)
        assert q.awaitTermination(60) and q.exception() is None
        rows = sorted((r.k, r.n, r.s, sorted(r.l)) for r in spark.read.format("delta").load(out).collect())
        spark.stop()
        server.stop()
        return rows

    folder.put(*STEPS[0])
    assert run(new_server("first")) == [("a", 2, 3, [1, 2]), ("b", 1, 3, [3])]
    folder.put(*STEPS[1])
    assert run(new_server("second")) == [("a", 4, 12, [1, 2, 4, 5]), ("b", 1, 3, [3])]


def test_stopping_the_server_ends_its_queries(new_server, tmp_path):
    server = new_server("stopped")
    spark = server.session()
    out, cp = str(tmp_path / "out"), str(tmp_path / "cp")
    w = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 100).load().writeStream.format("delta")
    q = w.option("checkpointLocation", cp).start(out)
    while q.lastProgress is None:
        pass
    assert server.stop() == 0
    again = new_server("again").session()
    q = again.readStream.format("rate-micro-batch").option("rowsPerBatch", 100).load().writeStream.format("delta") \
        .option("checkpointLocation", cp).trigger(availableNow=True).start(out)
    assert q.awaitTermination(60) and q.exception() is None
    values = sorted(r.value for r in again.read.format("delta").load(out).collect())
    assert values == list(range(len(values))) and len(values) >= 200


def test_servers_that_are_killed_lose_and_repeat_nothing(new_server, tmp_path):
    def start(spark):
        read = lambda: spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 100).load()  # noqa: E731
        sums = read().groupBy((F.col("value") % 10).alias("k")).agg(F.count("*").alias("n"), F.sum("value").alias("s"))
        return [
            read().writeStream.format("delta").option("checkpointLocation", str(tmp_path / "c1")).start(str(tmp_path / "o1")),
            read().writeStream.format("parquet").option("checkpointLocation", str(tmp_path / "c2")).start(str(tmp_path / "o2")),
            sums.writeStream.format("delta").outputMode("complete").option("checkpointLocation", str(tmp_path / "c3"))
            .start(str(tmp_path / "o3"))]

    for _ in range(3):
        server = new_server("killed")
        queries = start(server.session())
        while any(len(q.recentProgress) < 5 for q in queries):
            assert all(q.exception() is None for q in queries)
        server.stop(signal.SIGKILL)
    spark = new_server("killed").session()
    rows = sorted(r.value for r in spark.read.format("delta").load(str(tmp_path / "o1")).collect())
    assert rows == list(range(len(rows))) and len(rows) >= 1500
    rows = sorted(r.value for r in spark.read.schema("timestamp timestamp, value long").parquet(str(tmp_path / "o2")).collect())
    assert rows == list(range(len(rows))) and len(rows) >= 1500
    groups = spark.read.format("delta").load(str(tmp_path / "o3")).collect()
    n = sum(g.n for g in groups)
    assert len(groups) == 10 and sum(g.s for g in groups) == n * (n - 1) // 2


# ---- Delta as a source ----

def test_a_table_is_followed(spark, tmp_path):
    spark.sql("CREATE OR REPLACE TABLE followed (id BIGINT)")
    spark.range(3).write.insertInto("followed")
    q = spark.readStream.table("followed").writeStream.format("memory").queryName("followed_rows").start()
    q.processAllAvailable()
    spark.range(3, 5).write.insertInto("followed")
    q.processAllAvailable()
    assert sorted(r.id for r in spark.table("followed_rows").collect()) == [0, 1, 2, 3, 4]
    spark.sql("DELETE FROM followed WHERE id = 1")
    with pytest.raises(StreamingQueryException) as e:
        q.awaitTermination()
    assert "DELTA_SOURCE" in str(e.value)
    spark.sql("DROP TABLE followed")


def test_a_change_feed_is_followed(spark, tmp_path):
    table, out = f"delta.`{tmp_path}/t`", str(tmp_path / "out")
    spark.sql(f"CREATE TABLE {table} (k INT, v STRING) USING delta TBLPROPERTIES (delta.enableChangeDataFeed = true)")
    spark.sql(f"INSERT INTO {table} VALUES (1, 'a'), (2, 'b')")

    def follow(name, **options):
        changes = spark.readStream.format("delta").options(readChangeFeed=True, **options).load(f"{tmp_path}/t").drop("_commit_timestamp")
        started = changes.writeStream.format("delta").option("checkpointLocation", f"{tmp_path}/{name}.ck").trigger(availableNow=True)
        assert started.start(out + name).awaitTermination(60)
        return sorted(tuple(r) for r in spark.read.format("delta").load(out + name).collect())

    first = [(1, "a", "insert", 1), (2, "b", "insert", 1)]
    assert follow("all") == first
    spark.sql(f"UPDATE {table} SET v = 'z' WHERE k = 1")
    spark.sql(f"DELETE FROM {table} WHERE k = 2")
    later = [(1, "a", "update_preimage", 2), (1, "z", "update_postimage", 2), (2, "b", "delete", 3)]
    assert follow("all") == sorted(first + later)
    assert follow("from", startingVersion=2, maxFilesPerTrigger=1) == sorted(later)
    assert follow("now") == [(1, "z", "insert", 3)]


def test_to_table_and_back(spark, folder, tmp_path):
    spark.sql("DROP TABLE IF EXISTS streamed")
    folder.put(*STEPS[0])
    q = folder.read(spark).select("k", "v").writeStream.toTable("streamed", checkpointLocation=str(tmp_path / "cp"))
    q.processAllAvailable()
    q.stop()
    assert sorted(map(tuple, spark.table("streamed").collect())) == [("a", 1), ("a", 2), ("b", 3)]
    spark.sql("DROP TABLE streamed")


# ---- operators with state: rows, states and watermarks as Spark 4.2 answered ----

WATERMARKS = ["1970-01-01T00:00:00.000Z", "2023-12-31T23:56:00.000Z", "2023-12-31T23:56:00.000Z", "2024-01-01T00:10:00.000Z",
              "2024-01-01T00:10:00.000Z", "2024-01-01T00:11:00.000Z", "2024-01-01T00:11:00.000Z", "2024-01-01T00:50:00.000Z"]


def test_windows_come_out_once_their_time_is_over(utc, folder):
    df = folder.read(utc).withWatermark("ts", "10 minutes").groupBy(F.window("ts", "5 minutes"), "k").agg(
        F.count("*").alias("c"), F.sum("v").alias("s"), F.avg("v").alias("a"), F.min("v"), F.max("v"))
    added, state, watermarks = in_steps(utc, folder, df.select("window.start", "window.end", "k", "c", "s", "a", "min(v)", "max(v)"), "append")
    assert added == [
        [],
        [(at("00:00"), at("00:05"), "a", 3, 8, 8 / 3, 1, 5), (at("00:05"), at("00:10"), "b", 1, 3, 3.0, 3, 3)],
        [],
        [(at("00:20"), at("00:25"), "a", 1, 4, 4.0, 4, 4), (at("00:20"), at("00:25"), "c", 1, 6, 6.0, 6, 6)]]
    assert watermarks == WATERMARKS
    assert state == [((2, 2, 0, 0),), ((2, 0, 0, 0),), ((3, 2, 0, 0),), ((1, 0, 2, 0),), ((2, 1, 0, 2),), ((2, 0, 0, 0),), ((3, 1, 0, 1),),
                     ((1, 0, 2, 0),)]


def test_updates_are_the_groups_that_changed(utc, folder):
    df = folder.read(utc).groupBy("k").agg(F.count("*").alias("c"), F.avg("v").alias("a"), F.sort_array(F.collect_list("v")).alias("l"))
    added, _, _ = in_steps(utc, folder, df, "update")
    assert added == [[("a", 2, 1.5, [1, 2]), ("b", 1, 3.0, [3])], [("a", 4, 3.0, [1, 2, 4, 5])],
                     [("a", 5, 22.4, [1, 2, 4, 5, 100]), ("b", 2, 5.0, [3, 7]), ("c", 1, 6.0, [6])],
                     [("a", 7, 129 / 7, [1, 2, 4, 5, 8, 9, 100])]]


def test_duplicates_are_known_until_the_watermark_passes(utc, folder):
    df = folder.read(utc).withWatermark("ts", "10 minutes").dropDuplicatesWithinWatermark(["k"]).select("k", "v")
    added, state, _ = in_steps(utc, folder, df, "append")
    assert added == [[("a", 1), ("b", 3)], [], [("c", 6)], [("a", 8)]]
    assert state[-1] == ((1, 0, 2, 0),)


def test_duplicates_without_a_watermark(utc, folder):
    added, _, _ = in_steps(utc, folder, folder.read(utc).dropDuplicates(["k"]).select("k", "v"), "update")
    assert added == [[("a", 1), ("b", 3)], [], [("c", 6)], []]


def test_complete_mode_is_the_whole_answer(utc, folder):
    q = folder.read(utc).groupBy("k").count().orderBy("k").writeStream.format("memory").queryName("whole").outputMode("complete").start()
    for step, rows in zip(STEPS, [[("a", 2), ("b", 1)], [("a", 4), ("b", 1)], [("a", 5), ("b", 2), ("c", 1)], [("a", 7), ("b", 2), ("c", 1)]]):
        folder.put(*step)
        q.processAllAvailable()
        assert [tuple(r) for r in utc.table("whole").collect()] == rows
    q.stop()


@pytest.mark.parametrize("make, mode, text", [
    (lambda r: r.groupBy("value").count(), "append", "[STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION] Invalid streaming output mode: append. "
     "This output mode is not supported for streaming aggregations without watermark"),
    (lambda r: r, "complete", "[STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION] Invalid streaming output mode: complete. "
     "This output mode is not supported for no streaming aggregations"),
    (lambda r: r.sort("value"), "append", "Sorting is not supported on streaming DataFrames/Datasets, unless"),
    (lambda r: r.limit(3), "update", "Limits are not supported on streaming DataFrames/Datasets in Update output mode"),
    (lambda r: r.groupBy("value").agg(F.countDistinct("value")), "update", "Distinct aggregations are not supported"),
    (lambda r: r.dropDuplicatesWithinWatermark(), "append", "dropDuplicatesWithinWatermark is not supported on streaming DataFrames/DataSets without watermark"),
])
def test_what_sparks_checks_refuse(spark, make, mode, text):
    with pytest.raises(AnalysisException) as e:
        make(spark.readStream.format("rate").load()).writeStream.format("noop").outputMode(mode).start()
    assert str(e.value).startswith(text)


@pytest.mark.parametrize("make, mode, what", [
    (lambda r: r.withWatermark("timestamp", "1 second").groupBy(F.session_window("timestamp", "5 seconds")).count(), "append", "session_window of a stream"),
    (lambda r: r.cube("value").count(), "complete", "ROLLUP, CUBE and GROUPING SETS of a stream"),
    (lambda r: r.join(r.withColumnRenamed("timestamp", "t"), "value"), "append", "A join of two streams"),
    (lambda r: r.limit(3), "append", "limit of a stream"),
    (lambda r: r.dropDuplicates(["value"]).groupBy("value").count(), "update", "Multiple streaming aggregations are not supported"),
])
def test_what_is_not_there_is_named(spark, make, mode, what):
    with pytest.raises(Exception) as e:
        make(spark.readStream.format("rate").load()).writeStream.format("noop").outputMode(mode).start()
    assert what in str(e.value)


def test_a_stream_meets_tables_views_and_functions(spark):
    rate = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 10).load()
    rate.createOrReplaceTempView("rate_view")
    names = spark.createDataFrame([(1, "x"), (3, "y")], ["value", "n"])
    # Neither F.udf nor a type as text: both ask whichever session is the newest, and that one's server may be gone.
    spark.udf.register("plus", lambda x: x + 1, LongType())
    cases = [
        (rate.join(names, "value").select("value", "n"), "append", [(1, "x"), (3, "y")]),
        (spark.sql("SELECT value % 3 AS k, count(*) AS c FROM rate_view GROUP BY 1"), "update", [(0, 4), (1, 3), (2, 3)]),
        (spark.sql("SELECT DISTINCT value % 2 AS k FROM rate_view"), "update", [(0,), (1,)]),
        (rate.where("value > 7").selectExpr("plus(value)"), "append", [(10,), (9,)]),
        (rate.filter("value < 1").union(rate.filter("value > 8")).select("value"), "append", [(0,), (9,)]),
        (rate.agg(F.sum("value"), F.avg("value"), F.max("value")), "complete", [(45, 4.5, 9)]),
    ]
    for i, (df, mode, rows) in enumerate(cases):
        q = df.writeStream.format("memory").queryName(f"met{i}").outputMode(mode).trigger(availableNow=True).start()
        assert q.awaitTermination(60) and q.exception() is None
        assert sorted(map(tuple, spark.table(f"met{i}").collect()), key=str) == rows


@pytest.mark.parametrize("start, kind, text", [
    (lambda w: w.format("memory").start(), AnalysisException, "queryName must be specified for memory sink."),
    (lambda w: w.format("parquet").start("/x"), AnalysisException, "checkpointLocation must be specified either through option("),
    (lambda w: w.format("noop").outputMode("foo").start(), IllegalArgumentException, "[STREAMING_OUTPUT_MODE.INVALID]"),
    (lambda w: w.format("noop").trigger(continuous="1 second").start(), Exception, "Continuous processing"),
])
def test_what_cannot_start(spark, start, kind, text):
    with pytest.raises(kind) as e:
        start(spark.readStream.format("rate").load().writeStream)
    assert text in str(e.value)


# ---- Python sinks ----

def test_foreach_batch(spark, folder, tmp_path):
    out, cp = str(tmp_path / "out"), str(tmp_path / "cp")

    def upsert(batch, number):
        from pyspark.sql import functions as F
        batch.withColumn("batch", F.lit(number)).write.format("delta").mode("append").save(out)

    q = folder.read(spark).select("k", "v").writeStream.foreachBatch(upsert).option("checkpointLocation", cp).start()
    for step in STEPS[:2]:
        folder.put(*step)
        q.processAllAvailable()
    q.stop()
    assert sorted(map(tuple, spark.read.format("delta").load(out).collect())) == [("a", 1, 0), ("a", 2, 0), ("a", 4, 1), ("a", 5, 1), ("b", 3, 0)]


def test_foreach_batch_that_fails_ends_the_query(spark, folder):
    def fail(batch, number):
        raise ValueError("no such luck")

    folder.put(*STEPS[0])
    q = folder.read(spark).writeStream.foreachBatch(fail).start()
    with pytest.raises(StreamingQueryException) as e:
        q.awaitTermination()
    assert "ValueError: no such luck" in str(e.value) and not q.isActive


def test_foreach_gets_every_row(spark, folder, tmp_path):
    seen = str(tmp_path / "seen")

    class Writer:
        def open(self, partition, epoch):
            self.lines, self.epoch = [], epoch
            return True

        def process(self, row):
            self.lines.append(f"{self.epoch} {row.k} {row['v']} {type(row.ts).__name__}\n")

        def close(self, error):
            with open(seen, "a") as f:
                f.writelines(sorted(self.lines))

    folder.put(*STEPS[0])
    q = folder.read(spark).writeStream.foreach(Writer()).trigger(availableNow=True).start()
    assert q.awaitTermination(60) and q.exception() is None
    assert open(seen).read() == "0 a 1 datetime\n0 a 2 datetime\n0 b 3 datetime\n"


# ---- the query, the manager, listeners ----

def test_a_query_can_be_asked(spark, folder):
    folder.put(*STEPS[0])
    q = folder.read(spark).writeStream.format("noop").queryName("asked").start()
    q.processAllAvailable()
    assert q.isActive and q.name == "asked" and uuid.UUID(q.id) and uuid.UUID(q.runId)
    assert [a.id for a in spark.streams.active] == [q.id] and spark.streams.get(q.id).name == "asked"
    assert q.awaitTermination(0.2) is False
    assert q.status == {"message": "Waiting for data to arrive", "isDataAvailable": False, "isTriggerActive": False}
    with pytest.raises(Exception, match="Cannot start query with name asked as a query with that name is already active"):
        folder.read(spark).writeStream.format("noop").queryName("asked").start()
    q.stop()
    assert q.status == {"message": "Stopped", "isDataAvailable": False, "isTriggerActive": False}
    assert spark.streams.active == [] and spark.streams.get(q.id) is None and not q.isActive
    assert spark.streams.awaitAnyTermination(5) is True
    spark.streams.resetTerminated()
    assert spark.streams.awaitAnyTermination(0.2) is False


def test_a_failed_query_says_why(spark, folder):
    folder.put(*STEPS[0])
    q = folder.read(spark).select(F.raise_error(F.lit("boo"))).writeStream.format("noop").start()
    with pytest.raises(StreamingQueryException) as e:
        q.awaitTermination()
    assert str(e.value).startswith(f"[STREAM_FAILED] Query [id = {q.id}, runId = {q.runId}] terminated with exception: "
                                   "[USER_RAISED_EXCEPTION] boo SQLSTATE: P0001")
    assert "[USER_RAISED_EXCEPTION] boo" in str(q.exception())
    assert q.status["message"] == "Terminated with exception: [USER_RAISED_EXCEPTION] boo SQLSTATE: P0001"
    with pytest.raises(StreamingQueryException):
        spark.streams.awaitAnyTermination(1)


def test_listeners_hear_of_every_batch(spark, folder):
    heard, ended = [], threading.Event()

    class Listener(StreamingQueryListener):
        def onQueryStarted(self, event):
            heard.append(("started", event.name))

        def onQueryProgress(self, event):
            heard.append(("progress", event.progress.batchId, event.progress.sources[0].numInputRows,
                          event.progress.observedMetrics.get("seen")))

        def onQueryIdle(self, event):
            pass

        def onQueryTerminated(self, event):
            heard.append(("terminated", event.exception))
            ended.set()

    listener = Listener()
    spark.streams.addListener(listener)
    folder.put(*STEPS[0])
    df = folder.read(spark).observe("seen", F.count(F.lit(1)).alias("n"), F.max("v").alias("most"))
    q = df.writeStream.format("noop").queryName("heard").start()
    q.processAllAvailable()
    q.stop()
    assert ended.wait(30)
    spark.streams.removeListener(listener)
    assert [h[:3] for h in heard] == [("started", "heard"), ("progress", 0, 3), ("terminated", None)]
    assert (heard[1][3].n, heard[1][3].most) == (3, 3)


def test_a_session_takes_its_queries_along(server, tmp_path):
    first, second = server.session(), server.session()
    second.sql("SELECT 1").collect()
    q = first.readStream.format("rate").load().writeStream.format("noop").start()
    assert second.streams.active == [] and q.isActive
    first.stop()
    second.stop()
