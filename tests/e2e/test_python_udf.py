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
