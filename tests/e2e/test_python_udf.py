"""Python functions in the server's workers: scalar UDFs in expressions, errors, cancelling, files on the worker's path."""
import threading
import time

import pytest
from pyspark.errors import PySparkException, PythonException
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, LongType, StringType, StructType


@F.udf(returnType=IntegerType())
def plus_one(x):
    return None if x is None else x + 1


def test_a_call_becomes_a_column(spark):
    df = spark.range(5).select(plus_one("id"), plus_one(F.col("id") + 1).alias("two"), "id")
    assert df.schema == (StructType().add("plus_one(id)", IntegerType(), True).add("two", IntegerType(), True)
                         .add("id", LongType(), False))
    assert [tuple(r) for r in df.collect()] == [(i + 1, i + 2, i) for i in range(5)]


def test_names_are_printed_as_spark_does(spark):
    up = F.udf(lambda s: s.upper(), "string").asNondeterministic()
    df = spark.range(1).select(up(F.lit("a")), up(F.col("id").cast("string")), plus_one(plus_one("id")))
    assert df.columns == ["<lambda>(a)", "<lambda>(cast(id as string))", "plus_one(plus_one(id))"]
    assert tuple(df.first()) == ("A", "0", 2)


def test_calls_in_every_clause(spark):
    df = spark.range(10)
    assert [r.id for r in df.where(plus_one("id") > 8).collect()] == [8, 9]
    assert [r.id for r in df.orderBy(-plus_one("id")).limit(2).collect()] == [9, 8]
    by = df.groupBy((plus_one("id") % 2).alias("odd")).agg(F.sum(plus_one("id")).alias("s")).collect()
    assert sorted(tuple(r) for r in by) == [(0, 30), (1, 25)]
    joined = df.join(spark.range(3).withColumnRenamed("id", "k"), plus_one("id") == F.col("k")).collect()
    assert sorted(tuple(r) for r in joined) == [(0, 1), (1, 2)]
    exploded = df.limit(2).select(F.explode(F.array(plus_one("id"), F.lit(7))).alias("v")).collect()
    assert [r.v for r in exploded] == [1, 7, 2, 7]


def test_nulls_and_nested_values(spark):
    rows = [(1, [1, 2], {"k": 1}), (None, None, None)]
    df = spark.createDataFrame(rows, "a int, l array<int>, m map<string,int>")
    both = F.udf(lambda l, m: None if l is None else {"total": sum(l), "keys": sorted(m)}, "total int, keys array<string>")
    assert [r.v for r in df.select(both("l", "m").alias("v")).collect()] == [(3, ["k"]), None]
    assert [r[0] for r in df.select(plus_one("a")).collect()] == [2, None]
    assert [r[0] for r in df.select(plus_one(x=F.col("a"))).collect()] == [2, None]


def test_many_rows_keep_their_order(spark):
    df = spark.range(100000).select("id", F.col("id").cast("string").alias("s"), plus_one("id").alias("v"))
    rows = df.collect()
    assert all(r.v == r.id + 1 and r.s == str(r.id) for r in rows)
    assert [r.id for r in rows] == list(range(100000))


def test_nothing_in_nothing_out(spark):
    assert spark.range(0).select(plus_one("id")).collect() == []
    assert [r[0] for r in spark.range(3).select(F.udf(lambda: "x", StringType())()).collect()] == ["x"] * 3


def test_an_exception_carries_the_traceback(spark):
    def boom(x):
        raise ValueError(f"bad {x}")

    with pytest.raises(PythonException) as caught:
        spark.range(3).select(F.udf(boom, "int")("id")).collect()
    text = str(caught.value)
    assert "[PYTHON_EXCEPTION]" in text and "ValueError: bad 0" in text and "in boom" in text
    assert [r[0] for r in spark.range(2).select(plus_one("id")).collect()] == [1, 2]


def test_a_crash_fails_its_query_alone(spark):
    def crash(x):
        import os
        os.kill(os.getpid(), 9)

    with pytest.raises(PythonException, match="exited unexpectedly"):
        spark.range(3).select(F.udf(crash, "int")("id")).collect()
    assert spark.range(2).select(plus_one("id")).count() == 2


def test_a_loop_ends_when_the_query_is_interrupted(spark):
    def forever(x):
        while True:
            pass

    failure = []

    def run():
        try:
            spark.addTag("loop")
            spark.range(3).select(F.udf(forever, "int")("id")).collect()
        except PySparkException as e:
            failure.append(str(e))

    thread = threading.Thread(target=run)
    thread.start()
    for _ in range(600):
        if spark.interruptTag("loop"):
            break
        time.sleep(0.05)
    thread.join(60)
    assert failure and "OPERATION_CANCELED" in failure[0]


def test_a_silent_worker_is_stopped(new_server):
    spark = new_server("silent", "--python-silence-seconds", "1").session()

    def sleep(x):
        import time
        time.sleep(60)

    with pytest.raises(PySparkException, match="LAKESHED_PYTHON_SILENT"):
        spark.range(1).select(F.udf(sleep, "int")("id")).collect()
    spark.stop()


def test_without_a_fitting_python(new_server):
    spark = new_server("none", "--python", "/does/not/exist").session()
    with pytest.raises(PySparkException, match="LAKESHED_PYTHON_NOT_AVAILABLE.*setting python"):
        spark.range(1).select(plus_one("id")).collect()
    spark.stop()


def test_workers_do_not_see_the_server_s_secrets(new_server, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    spark = new_server("env").session()

    def look(x):
        import os
        return str(os.environ.get("AWS_SECRET_ACCESS_KEY")) + " " + str(len(os.listdir("/proc/self/fd")))

    seen, files = spark.range(1).select(F.udf(look, "string")("id")).first()[0].split()
    assert seen == "None" and int(files) < 20
    spark.stop()


def test_uploaded_modules_can_be_imported(new_server, tmp_path):
    spark = new_server("files").session()
    module = tmp_path / "lakeshed_sample_module.py"
    module.write_text("def twice(x):\n    return 2 * x\n")
    spark.addArtifacts(str(module), pyfile=True)

    @F.udf("int")
    def twice(x):
        import lakeshed_sample_module
        return lakeshed_sample_module.twice(x)

    assert [r[0] for r in spark.range(3).select(twice("id")).collect()] == [0, 2, 4]
    spark.stop()


def test_the_result_can_be_stored(spark):
    spark.range(4).select("id", plus_one("id").alias("v")).write.mode("overwrite").saveAsTable("default.udf_stored")
    assert spark.table("default.udf_stored").where("v > 2").count() == 2
    spark.sql("DROP TABLE default.udf_stored")


def test_a_registered_function_serves_sql(spark):
    spark.udf.register("add_n", lambda x, n=10: x + n, "long")
    assert [r[0] for r in spark.sql("SELECT add_n(id) FROM range(3)").collect()] == [10, 11, 12]
    assert [r[0] for r in spark.sql("SELECT add_n(id, 1) AS v FROM range(3) WHERE add_n(id, n => 5) > 5").collect()] == [2, 3]
    assert spark.range(1).select(F.call_function("add_n", F.lit(1))).first()[0] == 11


def test_pandas_functions(spark):
    import pandas as pd

    @F.pandas_udf("long")
    def plus(a: pd.Series, b: pd.Series) -> pd.Series:
        return a + b

    assert [r[0] for r in spark.range(3).select(plus("id", F.col("id") * 2)).collect()] == [0, 3, 6]

    batches = F.pandas_udf(lambda it: (s + 1 for s in it), "long", F.PandasUDFType.SCALAR_ITER)
    assert [r[0] for r in spark.range(25000).select(batches("id")).tail(2)] == [24999, 25000]

    @F.pandas_udf("double")
    def mean(v: pd.Series) -> float:
        return v.mean()

    df = spark.createDataFrame([(1, 1.0), (2, 3.0), (1, 2.0), (None, 5.0)], "k int, v double")
    assert [tuple(r) for r in df.groupBy("k").agg(mean("v")).collect()] == [(None, 5.0), (1, 1.5), (2, 3.0)]
    assert df.agg(mean("v").alias("m")).first().m == 2.75
    with pytest.raises(PySparkException, match="INVALID_PANDAS_UDF_PLACEMENT"):
        df.groupBy("k").agg(mean("v"), F.sum("v")).collect()


def test_arrow_functions(spark):
    import pyarrow as pa
    import pyarrow.compute as pc

    @F.arrow_udf("string")
    def upper(a: pa.Array) -> pa.Array:
        return pc.ascii_upper(a)

    assert spark.createDataFrame([("a",), (None,)], "s string").select(upper("s").alias("u")).collect() == [("A",), (None,)]


def test_map_in_pandas_and_arrow(spark):
    import pyarrow as pa

    df = spark.createDataFrame([(1, 21), (2, 30)], "id long, age int")
    kept = df.mapInPandas(lambda it: (p[p.id == 1] for p in it), df.schema)
    assert kept.collect() == [(1, 21)]
    doubled = df.mapInArrow(lambda it: (pa.RecordBatch.from_pydict({"n": [b.num_rows]}) for b in it), "n long")
    assert doubled.schema.simpleString() == "struct<n:bigint>" and doubled.collect() == [(2,)]
    assert spark.range(30000).mapInPandas(lambda it: it, "id long").count() == 30000
    assert len(spark.range(30000).mapInPandas(lambda it: it, "id long").limit(3).collect()) == 3


def test_groups_in_pandas_and_arrow(spark):
    import pandas as pd
    import pyarrow as pa

    df = spark.createDataFrame([(2, 3.0), (1, 1.0), (1, 2.0), (2, 5.0), (2, 10.0)], "id long, v double")
    normal = df.groupBy("id").applyInPandas(lambda p: p.assign(v=p.v - p.v.mean()), "id long, v double")
    assert [tuple(r) for r in normal.collect()] == [(1, -0.5), (1, 0.5), (2, -3.0), (2, -1.0), (2, 4.0)]
    keyed = df.groupBy((F.col("id") % 2).alias("odd")).applyInPandas(
        lambda key, p: pd.DataFrame([(key[0], len(p), ",".join(p.columns))]), "k long, n long, c string")
    assert [tuple(r) for r in keyed.collect()] == [(0, 3, "id,v"), (1, 2, "id,v")]
    arrow = df.groupBy("id").applyInArrow(
        lambda key, t: pa.Table.from_pydict({"k": [key[0].as_py()], "n": [t.num_rows]}), "k long, n long")
    assert [tuple(r) for r in arrow.collect()] == [(1, 2), (2, 3)]
    whole = df.groupBy().applyInPandas(lambda p: pd.DataFrame({"n": [len(p)]}), "n long")
    assert whole.collect() == [(5,)]


def test_pairs_of_groups(spark):
    import pandas as pd

    left = spark.createDataFrame([(1, "a"), (2, "b"), (2, "c")], "id int, x string")
    right = spark.createDataFrame([(2, 7.5), (3, 8.5)], "id long, y double")
    both = left.groupBy("id").cogroup(right.groupBy("id")).applyInPandas(
        lambda key, l, r: pd.DataFrame([(key[0], len(l), len(r))]), "k long, l long, r long")
    assert [tuple(r) for r in both.collect()] == [(1, 1, 0), (2, 2, 1), (3, 0, 1)]


def test_calls_over_common_tables_and_inside_subqueries(spark):
    spark.udf.register("times2", lambda x: 2 * x, "long")
    text = "WITH t AS (SELECT id FROM range(4)), u AS (SELECT times2(id) AS d FROM t) SELECT d, (SELECT max(times2(d)) FROM u) FROM u"
    assert [tuple(r) for r in spark.sql(text).collect()] == [(0, 12), (2, 12), (4, 12), (6, 12)]


def test_rows_for_nobody(spark):
    spark.range(10).foreachPartition(lambda rows: [r.id for r in rows])
    spark.range(3).foreach(lambda r: r.id)
    with pytest.raises(PythonException, match="ZeroDivisionError"):
        spark.range(3).foreach(lambda r: 1 // r.id)


def test_table_functions(spark):
    @F.udtf(returnType="c1: int, c2: string")
    class Repeat:
        def eval(self, n: int, text: str = "x"):
            for i in range(n):
                yield i, text * i

        def terminate(self):
            yield -1, "end"

    assert [tuple(r) for r in Repeat(F.lit(2)).collect()] == [(0, ""), (1, "x"), (-1, "end")]
    spark.udtf.register("repeat_rows", Repeat)
    rows = spark.sql("SELECT c2, c1 FROM repeat_rows(3, text => 'ab') WHERE c1 > 0").collect()
    assert [tuple(r) for r in rows] == [("ab", 1), ("abab", 2)]


@pytest.mark.parametrize("arrow", [False, True])
def test_table_arguments_of_table_functions(spark, arrow):
    from pyspark.sql.functions import lit, udtf

    @udtf(returnType="kind: string, n: int, s: string", useArrow=arrow)
    class Sums:
        def __init__(self):
            self.n, self.s, self.fields = 0, "", None

        def eval(self, row, times=1):
            self.n += row["key"] * times
            self.s += str(row["value"])
            self.fields = ",".join(row.asDict())

        def terminate(self):
            yield "end", self.n, f"{self.s} {self.fields}"

    df = spark.createDataFrame([(1, "a"), (2, "c"), (1, "b"), (2, "d"), (3, None)], ["key", "value"])
    assert [tuple(r) for r in Sums(df.asTable().partitionBy("key").orderBy(df.value.desc()), lit(10)).collect()] == [
        ("end", 20, "ba key,value"), ("end", 40, "dc key,value"), ("end", 30, "None key,value")]
    assert [tuple(r) for r in Sums(row=df.asTable().withSinglePartition().orderBy("value"), times=lit(3)).collect()] == [
        ("end", 27, "Noneabcd key,value")]
    spark.udtf.register("sums", Sums)
    df.createOrReplaceTempView("keyed")
    rows = spark.sql("SELECT n, s FROM sums(TABLE(SELECT * FROM keyed WHERE key < 3) PARTITION BY (key) ORDER BY value DESC, times => 2)")
    assert [tuple(r) for r in rows.collect()] == [(4, "ba key,value"), (8, "dc key,value")]
    with pytest.raises(Exception) as e:
        spark.sql("SELECT * FROM sums(TABLE(keyed), TABLE(keyed))").collect()
    assert e.value.getCondition() == "TABLE_VALUED_FUNCTION_TOO_MANY_TABLE_ARGUMENTS"
