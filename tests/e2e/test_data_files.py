"""How the files of a Delta table are laid out: how many, how large, with which codec and statistics."""
import json
import pathlib

import pyarrow.parquet as pq
import pytest


def commits(path):
    log = sorted(pathlib.Path(path, "_delta_log").glob("*[0-9].json"))
    return [[json.loads(line) for line in f.read_text().splitlines()] for f in log]


def adds(path, version=-1):
    return [a["add"] for a in commits(path)[version] if "add" in a]


def stats(path, version=-1):
    return json.loads(adds(path, version)[0]["stats"])


def codecs(path):
    return {pq.ParquetFile(f).metadata.row_group(0).column(0).compression for f in pathlib.Path(path).rglob("*.parquet")}


def refusal(spark, sql):
    with pytest.raises(Exception) as caught:
        spark.sql(sql).collect()
    return caught.value.getErrorClass()


NESTED = "a INT, s STRUCT<x: INT, y: STRUCT<z: STRING, w: ARRAY<INT>>>, b STRING, c BOOLEAN, d BINARY"
ROW = "SELECT 1, named_struct('x', 1, 'y', named_struct('z', 'q', 'w', array(1))), 't', true, X'00'"


def nested_table(spark, path, properties):
    spark.sql(f"CREATE TABLE delta.`{path}` ({NESTED}) USING delta TBLPROPERTIES ({properties})")
    spark.sql(f"INSERT INTO delta.`{path}` {ROW}")
    return stats(path)


def test_named_columns_have_statistics(spark, tmp_path):
    found = nested_table(spark, tmp_path / "t", "'delta.dataSkippingStatsColumns' = 's.y, b'")
    assert found == {"numRecords": 1, "minValues": {"s": {"y": {"z": "q"}}, "b": "t"}, "maxValues": {"s": {"y": {"z": "q"}}, "b": "t"},
                     "nullCount": {"s": {"y": {"z": 0}}, "b": 0}}


def test_first_columns_have_statistics(spark, tmp_path):
    found = nested_table(spark, tmp_path / "t", "'delta.dataSkippingNumIndexedCols' = '3'")
    assert found["minValues"] == {"a": 1, "s": {"x": 1, "y": {"z": "q"}}}
    assert found["nullCount"] == {"a": 0, "s": {"x": 0, "y": {"z": 0}}}


def test_no_column_has_statistics(spark, tmp_path):
    assert "minValues" not in nested_table(spark, tmp_path / "t", "'delta.dataSkippingStatsColumns' = ''")
    assert "minValues" not in nested_table(spark, tmp_path / "u", "'delta.dataSkippingNumIndexedCols' = '0'")


def test_an_insert_of_no_rows_is_no_commit(spark, tmp_path):
    nested_table(spark, tmp_path / "t", "'delta.dataSkippingNumIndexedCols' = '0'")
    before = adds(tmp_path / "t")
    spark.sql(f"INSERT INTO delta.`{tmp_path}/t` SELECT * FROM delta.`{tmp_path}/t` WHERE a > 5")
    assert adds(tmp_path / "t") == before


def test_thirty_two_columns_by_default(spark, tmp_path):
    spark.range(3).selectExpr(*[f"id + {i} AS c{i}" for i in range(40)]).write.format("delta").save(str(tmp_path / "t"))
    assert list(stats(tmp_path / "t")["minValues"]) == [f"c{i}" for i in range(32)]


def test_statistics_columns_are_checked(spark, tmp_path):
    path = tmp_path / "t"
    spark.sql(f"CREATE TABLE delta.`{path}` ({NESTED}, p INT) USING delta PARTITIONED BY (p)")
    wanted = {"nope": "DELTA_COLUMN_NOT_FOUND_IN_SCHEMA", "c": "DELTA_COLUMN_DATA_SKIPPING_NOT_SUPPORTED_TYPE",
              "A, d": "DELTA_COLUMN_DATA_SKIPPING_NOT_SUPPORTED_TYPE", "s,s.x": "DELTA_DUPLICATE_DATA_SKIPPING_COLUMNS",
              "a,a": "DELTA_DUPLICATE_DATA_SKIPPING_COLUMNS", "p": "DELTA_COLUMN_DATA_SKIPPING_NOT_SUPPORTED_PARTITIONED_COLUMN"}
    for columns, error in wanted.items():
        assert refusal(spark, f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('delta.dataSkippingStatsColumns' = '{columns}')") == error
    assert refusal(spark, f"CREATE TABLE delta.`{path}2` (a BOOLEAN) USING delta TBLPROPERTIES ('delta.dataSkippingStatsColumns' = 'a')") == \
        "DELTA_COLUMN_DATA_SKIPPING_NOT_SUPPORTED_TYPE"


def test_statistics_columns_follow_names(spark, tmp_path):
    table = f"delta.`{tmp_path}/t`"
    spark.sql(f"CREATE TABLE {table} (a INT, s STRUCT<x: INT, y: INT>, `odd,name` INT) USING delta TBLPROPERTIES "
              "('delta.columnMapping.mode' = 'name', 'delta.dataSkippingStatsColumns' = 's.x, a,`odd,name`')")

    def named():
        return {r.key: r.value for r in spark.sql(f"SHOW TBLPROPERTIES {table}").collect()}["delta.dataSkippingStatsColumns"]
    spark.sql(f"ALTER TABLE {table} RENAME COLUMN a TO a2")
    spark.sql(f"ALTER TABLE {table} RENAME COLUMN s TO s9")
    assert named() == "s9.x,a2,`odd,name`"
    spark.sql(f"ALTER TABLE {table} DROP COLUMN a2")
    assert named() == "s9.x,`odd,name`"
    spark.sql(f"INSERT INTO {table} VALUES (named_struct('x', 1, 'y', 2), 3)")
    (below,) = [v for v in stats(tmp_path / "t")["minValues"].values() if isinstance(v, dict)]
    assert len(below) == 1


def test_max_records_per_file(spark, tmp_path):
    rows = spark.range(1000).selectExpr("id", "id % 4 AS p")
    rows.write.format("delta").option("maxRecordsPerFile", 300).save(str(tmp_path / "t"))
    assert sorted(json.loads(a["stats"])["numRecords"] for a in adds(tmp_path / "t")) == [100, 300, 300, 300]
    rows.write.format("delta").option("maxRecordsPerFile", 100).partitionBy("p").save(str(tmp_path / "u"))
    assert sorted(json.loads(a["stats"])["numRecords"] for a in adds(tmp_path / "u")) == [50] * 4 + [100] * 8
    assert {a["partitionValues"]["p"] for a in adds(tmp_path / "u")} == {"0", "1", "2", "3"}
    rows.repartition(2).write.format("delta").option("maxRecordsPerFile", 200).save(str(tmp_path / "v"))
    assert sorted(json.loads(a["stats"])["numRecords"] for a in adds(tmp_path / "v")) == [100, 100, 200, 200, 200, 200]
    assert spark.read.format("delta").load(str(tmp_path / "u")).agg({"id": "sum"}).first()[0] == 499500


def test_max_records_per_file_of_the_session(spark, tmp_path):
    spark.conf.set("spark.sql.files.maxRecordsPerFile", "400")
    spark.range(1000).write.format("delta").save(str(tmp_path / "t"))
    spark.range(1000).write.parquet(str(tmp_path / "u"))
    spark.conf.unset("spark.sql.files.maxRecordsPerFile")
    assert len(adds(tmp_path / "t")) == 3
    assert len(list((tmp_path / "u").glob("*.parquet"))) == 3


@pytest.mark.parametrize("codec,name", [("zstd", "ZSTD"), ("gzip", "GZIP"), ("uncompressed", "UNCOMPRESSED"), ("none", "UNCOMPRESSED"),
                                        ("lz4_raw", "LZ4"), ("SNAPPY", "SNAPPY"), ("brotli", "BROTLI")])
def test_codecs(spark, tmp_path, codec, name):
    spark.range(1000).write.format("delta").option("compression", codec).save(str(tmp_path / "t"))
    assert codecs(tmp_path / "t") == {name}
    assert spark.read.format("delta").load(str(tmp_path / "t")).count() == 1000


def test_codec_of_table_and_session(spark, tmp_path):
    spark.conf.set("spark.sql.parquet.compression.codec", "gzip")
    spark.range(10).write.format("delta").save(str(tmp_path / "t"))
    spark.sql(f"CREATE TABLE delta.`{tmp_path}/u` (id BIGINT) USING delta TBLPROPERTIES ('delta.parquet.compression.codec' = 'zstd')")
    spark.sql(f"INSERT INTO delta.`{tmp_path}/u` VALUES (1)")
    spark.conf.unset("spark.sql.parquet.compression.codec")
    assert codecs(tmp_path / "t") == {"GZIP"}
    assert codecs(tmp_path / "u") == {"ZSTD"}
    with pytest.raises(Exception, match="CODEC_NOT_AVAILABLE"):
        spark.range(10).write.format("delta").option("compression", "zip").save(str(tmp_path / "v"))
    assert refusal(spark, f"ALTER TABLE delta.`{tmp_path}/u` SET TBLPROPERTIES ('delta.parquet.compression.codec' = 'zip')").startswith("CODEC_NOT_AVAILABLE")


def test_files_of_partitions_keep_to_the_target_size(spark, tmp_path):
    spark.sql(f"CREATE TABLE delta.`{tmp_path}/t` (id BIGINT, x DOUBLE, p BIGINT) USING delta PARTITIONED BY (p) "
              "TBLPROPERTIES ('delta.targetFileSize' = '2mb')")
    spark.range(2000000).selectExpr("id", "rand(1) AS x", "id % 2 AS p").write.format("delta").mode("append").save(str(tmp_path / "t"))
    files = adds(tmp_path / "t")
    assert len(files) > 4 and max(f["size"] for f in files) < 6 << 20
    assert sum(json.loads(f["stats"])["numRecords"] for f in files) == 2000000
    row = spark.sql(f"SELECT p, count(*), sum(id) FROM delta.`{tmp_path}/t` GROUP BY p ORDER BY p").collect()
    assert [tuple(r) for r in row] == [(0, 1000000, 999999000000), (1, 1000000, 1000000000000)]
    assert not [f for f in tmp_path.rglob("*") if f.name.startswith(".writing")]


def test_optimize_write_gathers_the_rows_of_partitions(spark, tmp_path):
    rows = spark.range(600000).selectExpr("id", "id % 250 AS p")
    rows.write.format("delta").partitionBy("p").option("optimizeWrite", "true").save(str(tmp_path / "t"))
    assert len(adds(tmp_path / "t")) == 250
    spark.sql(f"CREATE TABLE delta.`{tmp_path}/u` (id BIGINT) USING delta TBLPROPERTIES ('delta.autoOptimize.optimizeWrite' = 'true')")
    spark.range(100).repartition(7).write.format("delta").mode("append").save(str(tmp_path / "u"))
    assert len(adds(tmp_path / "u")) == 1
    spark.conf.set("spark.databricks.delta.optimizeWrite.enabled", "false")
    spark.range(100).repartition(7).write.format("delta").mode("append").save(str(tmp_path / "u"))
    assert len(adds(tmp_path / "u")) == 7
    spark.range(100).repartition(7).write.format("delta").mode("append").option("optimizeWrite", True).save(str(tmp_path / "u"))
    assert len(adds(tmp_path / "u")) == 1
    spark.conf.unset("spark.databricks.delta.optimizeWrite.enabled")
    with pytest.raises(Exception, match="DELTA_ILLEGAL_OPTION"):
        spark.range(1).write.format("delta").mode("append").option("optimizeWrite", "maybe").save(str(tmp_path / "u"))


def operations(path):
    infos = [[a["commitInfo"] for a in c if "commitInfo" in a][0] for c in commits(path)]
    return [(i["operation"], i["operationParameters"].get("auto"), i["operationParameters"].get("predicate")) for i in infos]


@pytest.fixture
def two_files_are_many(spark):
    spark.conf.set("spark.databricks.delta.autoCompact.minNumFiles", "2")
    yield
    spark.conf.unset("spark.databricks.delta.autoCompact.minNumFiles")


def test_auto_compaction_packs_the_partitions_that_grew(spark, tmp_path, two_files_are_many):
    table = f"delta.`{tmp_path}/t`"
    spark.sql(f"CREATE TABLE {table} (a INT, p STRING) USING delta PARTITIONED BY (p) TBLPROPERTIES ('delta.autoOptimize.autoCompact' = 'true')")
    spark.sql(f"INSERT INTO {table} VALUES (1, 'x'), (2, 'y')")
    assert len(operations(tmp_path / "t")) == 2
    spark.sql(f"INSERT INTO {table} VALUES (3, 'x')")
    assert operations(tmp_path / "t")[2:] == [("WRITE", None, None), ("OPTIMIZE", True, "[\"('p <=> cast(x as string))\"]")]
    newest = commits(tmp_path / "t")[-1]
    assert [a["remove"]["dataChange"] for a in newest if "remove" in a] == [False, False]
    (added,) = adds(tmp_path / "t")
    assert added["partitionValues"] == {"p": "x"} and added["dataChange"] is False
    assert [tuple(r) for r in spark.sql(f"SELECT * FROM {table} ORDER BY a").collect()] == [(1, "x"), (2, "y"), (3, "x")]
    spark.sql(f"INSERT INTO {table} VALUES (4, NULL), (5, 'y')")
    assert operations(tmp_path / "t")[-1][2] == "[\"('p <=> cast(y as string))\"]"
    assert spark.sql(f"DESCRIBE DETAIL {table}").first().numFiles == 3


def test_auto_compaction_waits_for_fifty_files(spark, tmp_path):
    table = f"delta.`{tmp_path}/t`"
    spark.sql(f"CREATE TABLE {table} (id BIGINT) USING delta TBLPROPERTIES ('delta.autoOptimize.autoCompact' = 'true')")
    spark.range(490).repartition(49).write.format("delta").mode("append").save(str(tmp_path / "t"))
    assert len(operations(tmp_path / "t")) == 2
    spark.range(1).write.format("delta").mode("append").save(str(tmp_path / "t"))
    assert [o[0] for o in operations(tmp_path / "t")] == ["CREATE TABLE", "WRITE", "WRITE", "OPTIMIZE"]
    assert spark.sql(f"SELECT count(*) FROM {table}").first()[0] == 491


def test_auto_compaction_of_the_session(spark, tmp_path, two_files_are_many):
    def write(name, times=3):
        for _ in range(times):
            spark.range(5).write.format("delta").mode("append").save(str(tmp_path / name))
        return [o[0] for o in operations(tmp_path / name)]
    assert write("t") == ["WRITE"] * 3
    spark.conf.set("spark.databricks.delta.autoCompact.enabled", "true")
    try:
        assert write("u") == ["WRITE", "WRITE", "OPTIMIZE", "WRITE", "OPTIMIZE"]
        spark.conf.set("spark.databricks.delta.autoCompact.minFileSize", "1")
        assert write("v") == ["WRITE"] * 3
        spark.conf.unset("spark.databricks.delta.autoCompact.minFileSize")
        spark.sql(f"UPDATE delta.`{tmp_path}/v` SET id = id + 1 WHERE id = 0")
        assert operations(tmp_path / "v")[-1][0] in ("UPDATE", "OPTIMIZE")
        assert spark.sql(f"SELECT sum(id), count(*) FROM delta.`{tmp_path}/v`").first()[:] == (33, 15)
    finally:
        spark.conf.unset("spark.databricks.delta.autoCompact.enabled")
        spark.conf.unset("spark.databricks.delta.autoCompact.minFileSize")


def test_switches_of_auto_compaction_are_true_or_false(spark, tmp_path):
    spark.sql(f"CREATE TABLE delta.`{tmp_path}/t` (a INT) USING delta")
    for value in ("auto", "TRUE"):
        assert refusal(spark, f"ALTER TABLE delta.`{tmp_path}/t` SET TBLPROPERTIES ('delta.autoOptimize.autoCompact' = '{value}')") == "UNSUPPORTED_TABLE_CHANGE"
