"""What every PySpark client from 3.5 on must be able to do. Run with the newest by the e2e stage, with others by the clients stage."""
import datetime
import decimal
import threading
import time

import pyspark
import pytest
from pyspark.sql import Row, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

UTC = datetime.timezone.utc
NEWER = not pyspark.__version__.startswith("3.")  # than 3.5, which lacks some of what the others have


def tuples(frame):
    return [tuple(row) for row in frame.collect()]


def condition(error):
    """The error's class. A 3.5 client keeps it in the message only."""
    if hasattr(error, "getCondition"):
        return error.getCondition()
    return error.getErrorClass() or str(error).split("[")[1].split("]")[0]


@pytest.fixture(scope="module")
def spark(server):
    """One session for all: up to 4.0, collecting a stopped session closes a thread pool that its successors use."""
    session = server.session()
    yield session
    session.stop()


@pytest.fixture
def people(spark):
    return spark.createDataFrame([("ann", 31, "a"), ("bob", 25, "b"), ("cid", None, "a"), ("dee", 40, "b")],
                                 "name string, age int, team string")


def test_select_and_schema(spark):
    frame = spark.range(3).select("id", (F.col("id") * 2).alias("twice"), F.lit("x").alias("x"))
    assert frame.schema == T.StructType([T.StructField("id", T.LongType(), False), T.StructField("twice", T.LongType(), False),
                                         T.StructField("x", T.StringType(), False)])
    assert tuples(frame) == [(0, 0, "x"), (1, 2, "x"), (2, 4, "x")]
    assert frame.columns == ["id", "twice", "x"] and frame.dtypes[1] == ("twice", "bigint")
    assert (frame.count(), frame.first(), len(frame.take(2)), len(frame.head(2)), len(frame.tail(1))) == (
        3, Row(id=0, twice=0, x="x"), 2, 2, 1)
    assert not frame.isEmpty() and frame.limit(0).isEmpty()
    assert [row.id for row in frame.toLocalIterator()] == [0, 1, 2]


def test_version_and_conf(spark):
    assert spark.version.split(".")[0] in ("3", "4")
    spark.conf.set("spark.sql.shuffle.partitions", "7")
    assert spark.conf.get("spark.sql.shuffle.partitions") == "7"
    spark.conf.unset("spark.sql.shuffle.partitions")
    assert spark.conf.get("spark.sql.shuffle.partitions") == "200"
    assert spark.conf.get("spark.no.such", "default") == "default"
    assert spark.conf.isModifiable("spark.sql.ansi.enabled") and not spark.conf.isModifiable("spark.sql.warehouse.dir")
    with pytest.raises(Exception):
        spark.conf.get("spark.no.such")


def test_create_data_frame(spark):
    import pandas
    assert tuples(spark.createDataFrame([(1, "a"), (2, None)], ["n", "s"])) == [(1, "a"), (2, None)]
    assert tuples(spark.createDataFrame([Row(n=1, s="a")])) == [(1, "a")]
    assert tuples(spark.createDataFrame([{"n": 1, "s": "a"}])) == [(1, "a")]
    assert tuples(spark.createDataFrame([], "n int")) == []
    frame = spark.createDataFrame(pandas.DataFrame({"n": [1, 2], "s": ["a", "b"], "f": [0.5, float("nan")]}))
    assert frame.schema.simpleString() == "struct<n:bigint,s:string,f:double>"
    assert [row.s for row in frame.collect()] == ["a", "b"]


def test_values_come_back_as_they_went(spark):
    spark.conf.set("spark.sql.session.timeZone", "America/Los_Angeles")
    schema = ("b boolean, y tinyint, h smallint, i int, l bigint, f float, d double, m decimal(20,4), s string, x binary, "
              "day date, a array<int>, k map<string,bigint>, r struct<p:int,q:array<string>>")
    value = (True, -7, 300, 70000, 2 ** 40, 1.5, -0.25, decimal.Decimal("12345.6789"), "żółć", bytearray(b"\x00\xff"),
             datetime.date(2024, 2, 29), [1, None, 3], {"a": 1, "b": None}, Row(p=1, q=["u", None]))
    frame = spark.createDataFrame([value, tuple([None] * 14)], schema)
    assert tuples(frame) == [value, tuple([None] * 14)]
    assert frame.schema.simpleString() == "struct<" + ",".join(
        field.strip().replace(" ", ":", 1) for field in schema.split(", ")) + ">"


def test_time_stamps(spark):
    spark.conf.set("spark.sql.session.timeZone", "America/Los_Angeles")
    frame = spark.sql("SELECT TIMESTAMP'2024-07-01 12:00:00' t, TIMESTAMP_NTZ'2024-07-01 12:00:00' n, DATE'2024-07-01' d")
    assert frame.schema.simpleString() == "struct<t:timestamp,n:timestamp_ntz,d:date>"
    assert tuples(frame.select(F.unix_timestamp("t"), "n", "d")) == [
        (1719860400, datetime.datetime(2024, 7, 1, 12), datetime.date(2024, 7, 1))]
    assert tuples(frame.select(F.date_format("t", "yyyy-MM-dd HH:mm"))) == [("2024-07-01 12:00",)]
    pandas = frame.toPandas()
    assert str(pandas.t[0]) == "2024-07-01 12:00:00" and str(pandas.n[0]) == "2024-07-01 12:00:00"
    moment = datetime.datetime(2024, 7, 1, 12, tzinfo=UTC)
    back = spark.createDataFrame([(moment,)], "t timestamp").collect()[0].t
    assert back.astimezone(UTC) == moment if back.tzinfo else back.timestamp() == moment.timestamp()


def test_to_pandas(spark, people):
    frame = people.orderBy("name").toPandas()
    assert list(frame.columns) == ["name", "age", "team"] and list(frame.name) == ["ann", "bob", "cid", "dee"]
    assert frame.age.isna().tolist() == [False, False, True, False] and frame.age.sum() == 96
    assert spark.range(0).toPandas().shape == (0, 1)
    assert spark.range(100_000).toPandas().id.sum() == 4999950000


def test_sql(spark, people):
    people.createOrReplaceTempView("people")
    assert tuples(spark.sql("SELECT team, count(*), sum(age) FROM people GROUP BY team ORDER BY team")) == [
        ("a", 2, 31), ("b", 2, 65)]
    assert tuples(spark.sql("SELECT :a + :b x", args={"a": 1, "b": 2})) == [(3,)]
    assert tuples(spark.sql("SELECT ? + 1 x", args=[41])) == [(42,)]
    if NEWER:
        assert tuples(spark.sql("SELECT count(*) FROM {p} WHERE age > {n}", p=people, n=30)) == [(2,)]
    assert spark.table("people").count() == 4
    people.createGlobalTempView("everyone")
    assert spark.sql("SELECT * FROM global_temp.everyone").count() == 4
    assert spark.catalog.dropGlobalTempView("everyone") and spark.catalog.dropTempView("people")
    assert not spark.catalog.tableExists("people")


def test_relational(spark, people):
    assert tuples(people.filter("age > 26").select("name").orderBy(F.desc("name"))) == [("dee",), ("ann",)]
    assert tuples(people.groupBy("team").agg(F.count("*").alias("n"), F.avg("age"), F.collect_list("name")).orderBy("team")) == [
        ("a", 2, 31.0, ["ann", "cid"]), ("b", 2, 32.5, ["bob", "dee"])]
    teams = spark.createDataFrame([("a", "red"), ("c", "blue")], "team string, colour string")
    assert tuples(people.join(teams, "team", "left").orderBy("name").select("name", "colour")) == [
        ("ann", "red"), ("bob", None), ("cid", "red"), ("dee", None)]
    assert tuples(people.join(teams, people.team == teams.team, "leftsemi").select("name").orderBy("name")) == [("ann",), ("cid",)]
    assert people.crossJoin(teams).count() == 8
    ranked = people.withColumn("r", F.row_number().over(Window.partitionBy("team").orderBy(F.col("age").desc_nulls_last())))
    assert tuples(ranked.filter("r = 1").select("name").orderBy("name")) == [("ann",), ("dee",)]
    assert people.union(people).distinct().count() == 4 and people.unionByName(people).dropDuplicates(["team"]).count() == 2
    assert people.exceptAll(people.limit(4)).count() == 0 and people.intersect(people).count() == 4
    assert tuples(people.groupBy().pivot("team", ["a", "b"]).count()) == [(2, 2)]
    assert people.withColumnRenamed("age", "years").drop("team").columns == ["name", "years"]
    assert people.na.fill(0).filter("age = 0").count() == 1 and people.dropna().count() == 3
    assert people.na.replace("ann", "eve").filter("name = 'eve'").count() == 1
    assert people.selectExpr("upper(name) n").orderBy("n").first().n == "ANN"
    assert people.rollup("team").count().count() == 3 and people.cube("team").count().count() == 3
    assert people.sample(1.0).count() == 4 and len(people.randomSplit([0.5, 0.5], 1)) == 2
    assert people.repartition(3).coalesce(1).hint("broadcast").sortWithinPartitions("name").count() == 4
    assert people.toDF("x", "y", "z").columns == ["x", "y", "z"] and people.alias("p").select("p.name").count() == 4
    assert people.unpivot(["name"], ["team"], "what", "value").count() == 4
    assert people.offset(3).count() == 1 and people.withColumns({"u": F.lit(1)}).columns[-1] == "u"


def test_functions(spark):
    frame = spark.sql("SELECT ' Ab ' s, array(3, 1, 2) a, map('k', 1) m, 2.5 d, DATE'2024-03-31' day, named_struct('f', 1) r, "
                      "'{\"x\": 5}' j")
    got = frame.select(
        F.trim("s"), F.length("s"), F.concat(F.upper("s"), F.lit("!")), F.sort_array("a"), F.size("a"), F.array_contains("a", 2),
        F.transform("a", lambda x: x + 1), F.filter("a", lambda x: x > 1), F.aggregate("a", F.lit(0), lambda s, x: s + x),
        F.map_keys("m"), F.round("d"), F.add_months("day", 1), F.date_add("day", 1), F.year("day"), F.col("r.f"), F.col("a")[0],
        F.get_json_object("j", "$.x"), F.from_json("j", "x int").alias("p"), F.when(F.col("d") > 2, "big").otherwise("small"),
        F.coalesce(F.lit(None), F.lit(1)), F.col("d").cast("int"), F.expr("d + 1"), F.col("s").like("%A%"), F.col("d").between(2, 3),
        F.col("d").isin(1, 2), F.sha2("s", 256).substr(1, 4), F.regexp_replace("s", "b", "c"), F.struct("d").alias("st"))
    row = tuple(got.collect()[0])
    assert row[:10] == ("Ab", 4, " AB !", [1, 2, 3], 3, True, [4, 2, 3], [3, 2], 6, ["k"])
    assert row[10:17] == (decimal.Decimal(3), datetime.date(2024, 4, 30), datetime.date(2024, 4, 1), 2024, 1, 3, "5")
    assert row[17:] == (Row(x=5), "big", 1, 2, decimal.Decimal("3.5"), True, True, False, row[25], " Ac ", Row(d=decimal.Decimal("2.5")))
    assert tuples(spark.sql("SELECT array(1, 2) a").select(F.explode("a"))) == [(1,), (2,)]
    assert tuples(spark.sql("SELECT map('k', 1) m").select(F.posexplode("m"))) == [(0, "k", 1)]


def test_statistics_and_text(spark, people, capsys):
    assert {row.summary: row.age for row in people.describe("age").collect()}["max"] == "40"
    assert people.summary("count").collect()[0].age == "3"
    assert people.crosstab("team", "name").count() == 2
    assert people.approxQuantile("age", [0.5], 0.0) == [31.0] and people.stat.corr("age", "age") == pytest.approx(1.0)
    people.orderBy("name").limit(1).show()
    people.printSchema()
    people.explain()
    text = capsys.readouterr().out
    assert "+----+---+----+\n|name|age|team|\n+----+---+----+\n| ann| 31|   a|\n+----+---+----+" in text
    assert "root\n |-- name: string (nullable = true)" in text and "== Physical Plan ==" in text


def test_delta_tables(spark):
    spark.sql("DROP TABLE IF EXISTS core_delta")
    spark.range(5).withColumn("v", F.lit("a")).write.format("delta").saveAsTable("core_delta")
    spark.createDataFrame([(9, "z")], "id long, v string").write.mode("append").saveAsTable("core_delta")
    spark.sql("UPDATE core_delta SET v = 'u' WHERE id = 1")
    spark.sql("DELETE FROM core_delta WHERE id = 0")
    assert sorted(tuples(spark.table("core_delta"))) == [(1, "u"), (2, "a"), (3, "a"), (4, "a"), (9, "z")]
    assert spark.read.option("versionAsOf", 0).table("core_delta").count() == 5
    assert [row.operation for row in spark.sql("DESCRIBE HISTORY core_delta").orderBy("version").collect()][0] == (
        "CREATE TABLE AS SELECT")
    spark.range(2).withColumn("v", F.lit("o")).writeTo("core_delta").overwrite(F.lit(True))
    assert sorted(tuples(spark.read.table("core_delta"))) == [(0, "o"), (1, "o")]
    spark.range(1).withColumn("v", F.lit("i")).write.insertInto("core_delta", overwrite=True)
    assert tuples(spark.table("core_delta")) == [(0, "i")]


def test_delta_table_api(spark):
    pytest.importorskip("delta.connect.tables", reason="delta-spark speaks Connect from 4.0 on")
    from delta.tables import DeltaTable
    spark.sql("DROP TABLE IF EXISTS core_api")
    spark.range(3).withColumn("v", F.lit("a")).write.saveAsTable("core_api")
    table = DeltaTable.forName(spark, "core_api")
    source = spark.createDataFrame([(1, "m"), (7, "n")], "id long, v string")
    table.alias("t").merge(source.alias("s"), "t.id = s.id").whenMatchedUpdateAll().whenNotMatchedInsertAll().execute()
    table.update("id = 0", {"v": F.lit("u")})
    table.delete(F.col("id") == 2)
    assert sorted(tuples(table.toDF())) == [(0, "u"), (1, "m"), (7, "n")]
    assert table.history(1).collect()[0].operation == "DELETE" and table.detail().collect()[0].format == "delta"


def test_files(spark, tmp_path):
    frame = spark.createDataFrame([(1, "a"), (2, "b")], "n int, s string")
    for kind in ("parquet", "json", "csv", "delta"):
        path = str(tmp_path / kind)
        frame.write.format(kind).mode("overwrite").save(path)
        assert sorted(tuples(spark.read.format(kind).schema("n int, s string").load(path) if kind != "delta"
                             else spark.read.format(kind).load(path))) == [(1, "a"), (2, "b")]
    assert spark.read.option("header", "false").csv(str(tmp_path / "csv")).columns == ["_c0", "_c1"]
    assert spark.read.json(str(tmp_path / "json")).schema.simpleString() == "struct<n:bigint,s:string>"


def test_catalog(spark):
    spark.sql("CREATE DATABASE IF NOT EXISTS core_db")
    spark.sql("CREATE TABLE IF NOT EXISTS core_db.t (n INT COMMENT 'number') USING DELTA")
    assert "core_db" in [database.name for database in spark.catalog.listDatabases()]
    assert spark.catalog.databaseExists("core_db") and spark.catalog.tableExists("core_db.t")
    assert [table.name for table in spark.catalog.listTables("core_db")] == ["t"]
    column = spark.catalog.listColumns("core_db.t")[0]
    assert (column.name, column.dataType, column.description) == ("n", "int", "number")
    before = spark.catalog.currentDatabase()
    spark.catalog.setCurrentDatabase("core_db")
    assert spark.catalog.currentDatabase() == "core_db" and spark.table("t").count() == 0
    spark.catalog.setCurrentDatabase(before)
    assert spark.catalog.functionExists("upper") and spark.catalog.getFunction("upper").name == "upper"
    spark.sql("DROP DATABASE core_db CASCADE")


def test_cache(spark):
    frame = spark.range(10).cache()
    assert frame.is_cached and frame.count() == 10
    frame.unpersist()
    spark.catalog.clearCache()


@pytest.mark.parametrize("statement, error_class, state", [
    ("SELECT nothing FROM VALUES (1) t(a)", "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703"),
    ("SELECT * FROM no_such_table", "TABLE_OR_VIEW_NOT_FOUND", "42P01"),
    ("SELEC 1", "PARSE_SYNTAX_ERROR", "42601"),
    ("SELECT 1 / 0", "DIVIDE_BY_ZERO", "22012"),
    ("SELECT CAST('x' AS INT)", "CAST_INVALID_INPUT", "22018"),
    ("SELECT no_such_function(1)", "UNRESOLVED_ROUTINE", "42883"),
])
def test_errors(spark, statement, error_class, state):
    from pyspark.errors import PySparkException
    with pytest.raises(PySparkException) as error:
        spark.sql(statement).collect()
    assert condition(error.value) == error_class
    assert f"[{error_class}]" in str(error.value)
    if hasattr(error.value, "getSqlState"):
        assert error.value.getSqlState() in (state, None)


def test_error_types(spark):
    from pyspark.errors import AnalysisException, ParseException
    with pytest.raises(AnalysisException) as error:
        spark.range(1).select("nothing").collect()
    assert "`nothing`" in str(error.value)
    if NEWER:
        assert error.value.getMessageParameters()["objectName"] == "`nothing`"
    with pytest.raises(ParseException):
        spark.sql("SELECT 1 +").collect()
    with pytest.raises(AnalysisException):
        spark.table("no_such_table").schema


def test_python_function(spark):
    """The tests' server runs its workers with the client's Python: one whose PySpark is older is refused by name, not waited for."""
    frame = spark.range(3).select(F.udf(lambda n: n + 1, "long")("id"))
    if tuple(int(n) for n in pyspark.__version__.split(".")[:2]) >= (4, 2):
        assert tuples(frame) == [(1,), (2,), (3,)]
        return
    with pytest.raises(Exception, match=f"its pyspark is {pyspark.__version__}, 4.2 is needed") as e:
        frame.collect()
    assert condition(e.value) == "LAKESHED_PYTHON_NOT_AVAILABLE"


def test_interrupt(spark):
    """A query that would run for hours ends when it is told to."""
    failed = []

    def endless():
        try:
            pairs = spark.range(10 ** 7).crossJoin(spark.range(10 ** 7).toDF("j"))
            pairs.agg(F.sum(F.col("id").bitwiseXOR(F.col("j")))).collect()
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=endless)
    thread.start()
    interrupted = []
    while thread.is_alive() and not interrupted:
        time.sleep(0.2)
        interrupted = spark.interruptAll()
    thread.join(60)
    assert not thread.is_alive() and interrupted and "OPERATION_CANCELED" in str(failed[0])


def test_tags(spark):
    spark.addTag("nightly")
    assert spark.getTags() == {"nightly"}
    assert spark.range(1).count() == 1 and spark.interruptTag("hourly") == []
    spark.removeTag("nightly")
    spark.clearTags()
    assert spark.getTags() == set()
