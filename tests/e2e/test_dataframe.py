"""What DataFrames ask for beyond SQL. Where rows or numbers are spelled out, they are Spark's own answers."""
import uuid

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import Row, functions as F
from pyspark.sql.window import Window


def with_partition(df):
    return [tuple(row) for row in df.select("*", F.spark_partition_id().alias("p")).collect()]


# ---- partitions: the answers of a Spark with two cores ----

@pytest.fixture
def two_cores(spark):
    spark.conf.set("spark.sql.leafNodeDefaultParallelism", 2)


def test_ranges_are_sliced_evenly(spark, two_cores):
    assert [p for _, p in with_partition(spark.range(10))] == [0] * 5 + [1] * 5
    assert [p for _, p in with_partition(spark.range(0, 10, 1, 3))] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 2]
    assert [p for _, p in with_partition(spark.range(10).filter("id > 3").limit(5))] == [0] * 5


def test_partitions_of_a_union_follow_each_other(spark, two_cores):
    assert with_partition(spark.range(3).union(spark.range(3))) == [(0, 0), (1, 1), (2, 1), (0, 2), (1, 3), (2, 3)]


def test_repartitioning_by_hash_and_coalescing(spark, two_cores):
    by_hash = with_partition(spark.range(10).repartition(3, "id"))
    assert by_hash == [(3, 0), (6, 0), (7, 0), (0, 1), (1, 2), (2, 2), (4, 2), (5, 2), (8, 2), (9, 2)]
    coalesced = with_partition(spark.range(0, 10, 1, 4).coalesce(3))
    assert [p for _, p in coalesced] == [0, 0, 1, 1, 1, 2, 2, 2, 2, 2]


def test_repartitioning_by_range_keeps_the_order_inside(spark):
    rows = with_partition(spark.range(0, 20, 1, 4).repartitionByRange(3, F.desc("id")))
    assert rows == [(i, 0) for i in range(13, 20)] + [(i, 1) for i in range(6, 13)] + [(i, 2) for i in range(6)]


def test_round_robin_uses_every_partition(spark):
    rows = with_partition(spark.range(0, 64, 1, 9).repartition(10))
    assert {p for _, p in rows} == set(range(10)) and {i for i, _ in rows} == set(range(64))


def test_repartition_by_id(spark):
    rows = spark.range(9).repartitionById(3, (F.col("id") % 3).cast("int")).groupBy(F.spark_partition_id().alias("p")).count()
    assert sorted(map(tuple, rows.collect())) == [(0, 3), (1, 3), (2, 3)]


def test_random_numbers_are_seeded_by_partition(spark):
    rows = spark.range(0, 10, 1, 3).select(F.rand(5), F.monotonically_increasing_id()).collect()
    assert [r[0] for r in rows][:4] == [0.02390696427502892, 0.09509767744084452, 0.7705061443410145, 0.07039836716341774]
    assert [r[1] for r in rows] == [0, 1, 2] + [(1 << 33) + i for i in range(3)] + [(2 << 33) + i for i in range(4)]


def test_samples_take_the_rows_that_spark_takes(spark, two_cores):
    assert [r.id for r in spark.range(100).sample(0.1, 3).collect()] == [29, 51, 54, 58, 60, 68, 87, 92]
    assert [r.id for r in spark.range(0, 100, 1, 4).sample(0.1, 3).collect()] == [
        26, 29, 33, 35, 43, 50, 51, 55, 59, 61, 65, 66, 70, 75, 86, 96, 99]


def test_random_split(spark, two_cores):
    df = spark.createDataFrame([Row(age=10, height=80, name="Alice"), Row(age=5, height=None, name="Bob"),
                                Row(age=None, height=None, name="Tom"), Row(age=None, height=None, name=None)])
    first, second = df.randomSplit([1.0, 2.0], 24)
    assert [tuple(r) for r in first.collect()] == [(None, None, None)]
    assert [r.name for r in second.collect()] == ["Bob", "Alice", "Tom"]


def test_moments_merge_partition_by_partition(spark, two_cores):
    weights = spark.createDataFrame([(40.3,), (37.8,), (44.1,)], "weight double")
    assert weights.describe().collect()[2].weight == "3.172275734127371"
    spark.conf.set("spark.sql.leafNodeDefaultParallelism", 4)
    assert weights.describe().collect()[2].weight == "3.1722757341273704"


# ---- plans as text ----

@pytest.fixture
def explained(capsys):
    def run(df, *args, **kwargs):
        capsys.readouterr()
        df.explain(*args, **kwargs)
        return capsys.readouterr().out
    return run


def test_explain_has_spark_s_headings(spark, explained):
    df = spark.range(3).filter("id > 1").select((F.col("id") + 1).alias("x"))
    simple = explained(df)
    assert simple.startswith("== Physical Plan ==\nProject [") and "Range (0, 3, step=1)" in simple
    extended = explained(df, True)
    headings = [line for line in extended.splitlines() if line.startswith("== ")]
    assert headings == ["== Parsed Logical Plan ==", "== Analyzed Logical Plan ==", "== Optimized Logical Plan ==", "== Physical Plan =="]
    assert "\nx: bigint\n" in extended
    assert "(1) Range\n" in explained(df, mode="formatted")
    assert "Statistics(sizeInBytes=" in explained(df, mode="cost")
    for text in simple, extended:
        assert "SELECT" not in text


def test_explain_in_sql_says_the_same(spark):
    plan = spark.sql("EXPLAIN SELECT a.id FROM range(3) a JOIN range(4) b ON a.id = b.id").head()[0]
    assert plan.startswith("== Physical Plan ==\n") and "BroadcastHashJoin [id#" in plan


def test_persisted_frames_are_scanned_from_memory(spark, explained):
    df = spark.range(1).cache()
    assert explained(df).startswith("== Physical Plan ==\nInMemoryTableScan ")
    df.unpersist()
    assert "InMemoryTableScan" not in explained(df)


# ---- windows of time ----

def test_a_row_is_in_every_window_of_its_time(spark):
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    times = spark.sql("SELECT * FROM VALUES (1, TIMESTAMP '2024-01-01 00:00:07'), (2, TIMESTAMP '2024-01-01 00:00:12'), (3, NULL) t(v, d)")
    tumbling = times.groupBy(F.window("d", "5 seconds")).agg(F.sum("v").alias("s"))
    assert tumbling.schema["window"].nullable is False
    rows = tumbling.select(F.date_format("window.start", "ss"), F.date_format("window.end", "ss"), "s").orderBy("s").collect()
    assert [tuple(r) for r in rows] == [("05", "10", 1), ("10", "15", 2)]
    sliding = times.groupBy(F.window("d", "10 seconds", "5 seconds"), "v").count()
    rows = sliding.select("v", F.date_format("window.start", "ss").alias("s")).orderBy("v", "s").collect()
    assert [tuple(r) for r in rows] == [(1, "00"), (1, "05"), (2, "05"), (2, "10")]


# ---- what a session keeps ----

def test_a_checkpoint_keeps_its_rows(spark):
    table = "kept_" + uuid.uuid4().hex
    spark.sql(f"CREATE TABLE {table} (a INT, b STRUCT<c: STRING>) USING delta")
    spark.sql(f"INSERT INTO {table} VALUES (1, named_struct('c', 'x'))")
    kept = spark.table(table).localCheckpoint()
    spark.sql(f"DELETE FROM {table}")
    assert kept.collect() == [Row(a=1, b=Row(c="x"))] and spark.table(table).count() == 0
    assert kept.filter("a > 1").count() == 0
    spark.sql(f"DROP TABLE {table}")


def test_cached_names(spark):
    table = "cached_" + uuid.uuid4().hex
    spark.sql(f"CREATE TABLE {table} (a INT) USING delta")
    assert not spark.catalog.isCached(table)
    spark.catalog.cacheTable(table)
    assert spark.catalog.isCached(table) and spark.catalog.isCached("default." + table)
    spark.catalog.uncacheTable(table)
    assert not spark.catalog.isCached(table)
    spark.sql(f"CACHE TABLE {table}")
    spark.catalog.clearCache()
    assert not spark.catalog.isCached(table)
    spark.sql(f"DROP TABLE {table}")
    with pytest.raises(AnalysisException):
        spark.catalog.isCached(table)


# ---- rows out of rows ----

def test_records_in_a_column(spark):
    texts = spark.createDataFrame([('{"b": 1, "a": "x"}',), ('{"b": 2.5}',), (None,)], "value string")
    df = spark.read.json(texts)
    assert df.schema.simpleString() == "struct<a:string,b:double>"
    assert [tuple(r) for r in df.orderBy("b").collect()][-2:] == [("x", 1.0), (None, 2.5)]
    assert spark.read.schema("b int").json(texts).orderBy("b").collect()[-1].b == 1


def test_nearest_rows(spark):
    users = spark.createDataFrame([(1, 10.0), (2, 20.0), (3, None)], "id int, score double")
    products = spark.createDataFrame([("A", 11.0), ("B", 22.0), ("C", 5.0)], "product string, price double")
    distance = F.abs(users.score - products.price)
    near = users.nearestByJoin(products, distance, 2, "exact", "distance").select("id", "product")
    assert sorted(map(tuple, near.collect())) == [(1, "A"), (1, "C"), (2, "A"), (2, "B")]


def test_frequent_items(spark):
    df = spark.createDataFrame([(1, 11), (1, 11), (3, 10), (4, 8), (4, 8)], ["c1", "c2"])
    row = df.freqItems(["c1", "c2"], 0.4).head()
    assert sorted(row.c1_freqItems) == [1, 4] and sorted(row.c2_freqItems) == [8, 11]


def test_what_the_server_knows(spark):
    assert spark.sql("SELECT count(*) FROM sql_keywords() WHERE keyword = 'SELECT' AND NOT reserved").head()[0] == 1
    assert {"UTF8_BINARY", "UTF8_LCASE"} <= {r.NAME for r in spark.tvf.collations().collect()}


# ---- names ----

def test_names_of_calls(spark):
    df = spark.range(1)
    assert df.select(-F.col("id"), F.negative("id"), F.shuffle(F.array(F.lit(1)), F.lit(3))).columns == [
        "negative(id)", "negative(id)", "shuffle(array(1))"]
    assert df.select(F.mode("id"), F.mode("id", True)).columns == ["mode(id)", "mode() WITHIN GROUP (ORDER BY id DESC)"]
    assert spark.sql("SELECT -id, current_date FROM range(1)").columns == ["(- id)", "current_date()"]


def test_nth_value_can_ignore_nulls(spark):
    df = spark.createDataFrame([(1, None), (2, "x"), (3, "y")], "a int, b string")
    over = Window.orderBy("a")
    rows = df.select(F.nth_value("b", 1, True).over(over).alias("n"), F.nth_value("b", 1).over(over).alias("m")).collect()
    assert [tuple(r) for r in rows] == [(None, None), ("x", None), ("x", None)]
