"""Where rows come from: input_file_name() and kin, the hidden column _metadata. What is spelled out here are Spark 4.2's answers."""
import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import functions as F


@pytest.fixture
def folder(tmp_path):
    d = tmp_path / "in put"
    (d / "c").mkdir(parents=True)
    (d / "c" / "a b.csv").write_text("1,x\n2,y\n")
    (d / "c" / "b%20é.csv").write_text("3,z\n")
    (d / "j").mkdir()
    (d / "j" / "a.json").write_text('{"a":1}\n{"a":2}\n')
    return d


def uri(path):
    return "file://" + str(path).replace("%", "%25").replace(" ", "%20")


def rows(df):
    return sorted(tuple(r) for r in df.collect())


def test_input_file_name(spark, folder):
    csv, json = spark.read.csv(str(folder / "c")), spark.read.json(str(folder / "j"))
    first, second = uri(folder / "c" / "a b.csv"), uri(folder / "c" / "b%20é.csv")
    named = [("1", first), ("2", first), ("3", second)]
    assert rows(csv.select("_c0", F.input_file_name())) == named
    assert rows(csv.filter("_c0 > 1").select("_c0").select("_c0", F.input_file_name())) == named[1:]
    assert rows(csv.groupBy(F.input_file_name()).count()) == [(first, 2), (second, 1)]
    assert rows(csv.filter(F.input_file_name().like("%a%20b%")).select("_c0")) == [("1",), ("2",)]
    assert rows(csv.select(F.input_file_block_start(), F.input_file_block_length()).distinct()) == [(0, 4), (0, 8)]
    both = csv.select("_c0").union(json.select(F.col("a").cast("string"))).select("_c0", F.input_file_name())
    assert rows(both) == sorted(named + [("1", uri(folder / "j" / "a.json")), ("2", uri(folder / "j" / "a.json"))])
    spread = csv.select("_c0", F.explode(F.array(F.lit(1), F.lit(2)))).select("_c0", F.input_file_name())
    assert rows(spread) == sorted(named * 2)
    path = f"csv.`{folder}/c`"
    assert rows(spark.sql(f"WITH t AS (SELECT * FROM {path}) SELECT _c0, input_file_name() FROM t")) == named
    ranked = spark.sql(f"SELECT _c0, row_number() OVER (PARTITION BY input_file_name() ORDER BY _c0) FROM {path}")
    assert rows(ranked) == [("1", 1), ("2", 2), ("3", 1)]


def test_rows_forget_their_file(spark, folder):
    csv, json = spark.read.csv(str(folder / "c")), spark.read.json(str(folder / "j"))
    for df in (csv.groupBy("_c0").count(), csv.orderBy("_c0"), csv.limit(10)):
        assert rows(df.select(F.input_file_name(), F.input_file_block_start()).distinct()) == [("", -1)]
    assert rows(spark.range(1).select(F.input_file_name())) == [("",)]
    with pytest.raises(AnalysisException) as e:
        csv.join(json).select(F.input_file_name()).collect()
    assert e.value.getCondition() == "MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION"
    named = csv.select("_c0", F.input_file_name().alias("f")).join(json.select("a", F.input_file_name().alias("g")))
    assert rows(named.select("f", "g").distinct()) == [(uri(folder / "c" / n), uri(folder / "j" / "a.json"))
                                                       for n in ("a b.csv", "b%20é.csv")]


def test_metadata_column(spark, folder):
    csv = spark.read.csv(str(folder / "c"))
    facts = csv.select("_c0", "_metadata.*")
    assert facts.schema.simpleString() == (
        "struct<_c0:string,file_path:string,file_name:string,file_size:bigint,file_block_start:bigint,file_block_length:bigint,"
        "file_modification_time:timestamp>")
    path = uri(folder / "c" / "b%20é.csv").replace("file://", "file:")
    assert rows(facts)[2][:6] == ("3", path, "b%2520é.csv", 4, 0, 4)
    assert "_metadata" not in csv.columns
    assert rows(csv.withColumn("x", F.col("_metadata.file_size")).select("_c0").filter("_c0 = 3")
                .select("_c0", "_metadata.file_block_length")) == [("3", 4)]
    assert rows(spark.sql(f"SELECT q._metadata.file_name FROM (SELECT _c0 FROM csv.`{folder}/c` WHERE _c0 = 1) q")) == [("a%20b.csv",)]
    with pytest.raises(AnalysisException):
        csv.select("_c0").union(csv.select("_c0")).select("_metadata").collect()


def test_files_of_tables(spark, folder):
    spark.range(3).coalesce(1).write.parquet(str(folder / "p"))
    (file,) = (folder / "p").glob("*.parquet")
    parquet = spark.read.parquet(str(folder / "p"))
    assert rows(parquet.select("id", F.input_file_name(), "_metadata.row_index")) == [(i, uri(file), i) for i in range(3)]
    assert parquet.inputFiles() == [uri(file)]
    spark.range(3).selectExpr("id", "id % 2 p").write.format("delta").partitionBy("p").save(str(folder / "d"))
    delta = spark.read.format("delta").load(str(folder / "d"))
    got = rows(delta.select("id", F.input_file_name(), "_metadata.file_path", "_metadata.file_name"))
    for id, name, path, last in got:
        assert name == path and path.startswith(uri(folder / "d").replace("file://", "file:") + f"/p={id % 2}/")
        assert path.endswith("/" + last) and (folder / "d" / f"p={id % 2}" / last).exists()
    assert [r[0] for r in got] == [0, 1, 2]
