"""Tables made of other tables' files: CLONE, CONVERT TO DELTA, GENERATE; read by delta-rs too."""
import os
import pathlib
import shutil

import pytest
from delta.tables import DeltaTable
import deltalake


def failure(spark, text):
    with pytest.raises(Exception) as caught:
        spark.sql(text).collect()
    return caught.value.getCondition()


@pytest.fixture
def source(spark, tmp_path):
    path = str(tmp_path / "source")
    spark.sql(f"CREATE TABLE delta.`{path}` (a INT, p STRING) USING delta PARTITIONED BY (p)")
    spark.sql(f"INSERT INTO delta.`{path}` VALUES (1, 'x y'), (2, NULL), (3, 'b%c')")
    return path


def rows(spark, path):
    return sorted(map(tuple, spark.read.format("delta").load(str(path)).collect()), key=str)


def test_shallow_clone_reads_the_files_of_its_source(spark, source, tmp_path):
    path = tmp_path / "clone"
    counts = spark.sql(f"CREATE TABLE delta.`{path}` SHALLOW CLONE delta.`{source}`").collect()[0].asDict()
    assert counts["source_num_of_files"] == 3 and counts["num_copied_files"] == 0
    assert rows(spark, path) == rows(spark, source)
    assert not list(path.rglob("*.parquet"))
    spark.sql(f"DELETE FROM delta.`{path}` WHERE a = 2")
    spark.sql(f"INSERT INTO delta.`{path}` VALUES (9, 'x y')")
    assert [r[0] for r in rows(spark, path)] == [1, 3, 9] and len(rows(spark, source)) == 3
    last = spark.sql(f"DESCRIBE HISTORY delta.`{path}`").collect()[-1]
    assert last.operation == "CLONE" and last.operationParameters["sourceVersion"] == "1"


def test_clone_keeps_deletion_vectors(spark, tmp_path):
    path = str(tmp_path / "vectors")
    spark.sql(f"CREATE TABLE delta.`{path}` (a BIGINT) USING delta TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    spark.range(0, 100, 1, 1).selectExpr("id AS a").write.format("delta").mode("append").save(path)
    spark.sql(f"DELETE FROM delta.`{path}` WHERE a % 10 = 3")
    for kind in ("SHALLOW", "DEEP"):
        clone = str(tmp_path / kind)
        spark.sql(f"CREATE TABLE delta.`{clone}` {kind} CLONE delta.`{path}`")
        assert spark.read.format("delta").load(clone).count() == 90
        spark.sql(f"DELETE FROM delta.`{clone}` WHERE a = 4")
        assert spark.read.format("delta").load(clone).count() == 89
    shutil.rmtree(path)
    assert spark.read.format("delta").load(str(tmp_path / "DEEP")).count() == 89


def test_deep_clone_stands_alone(spark, source, tmp_path):
    spark.sql(f"CREATE TABLE deep_clone DEEP CLONE delta.`{source}` TBLPROPERTIES ('made' = 'by clone')")
    first = rows(spark, source)
    spark.sql(f"INSERT INTO delta.`{source}` VALUES (4, 'later')")
    assert sorted(map(tuple, spark.table("deep_clone").collect()), key=str) == first
    location = spark.sql("DESCRIBE DETAIL deep_clone").collect()[0]
    assert location.properties["made"] == "by clone" and location.partitionColumns == ["p"]
    found = deltalake.DeltaTable(location.location.removeprefix("file:")).to_pandas()
    assert sorted(found.a) == [1, 2, 3]
    counts = spark.sql(f"CREATE OR REPLACE TABLE deep_clone DEEP CLONE delta.`{source}`").collect()[0]
    assert counts.num_copied_files == 4 and counts.num_removed_files == 3
    assert spark.table("deep_clone").count() == 4
    assert failure(spark, f"CREATE TABLE deep_clone DEEP CLONE delta.`{source}`") == "TABLE_OR_VIEW_ALREADY_EXISTS"
    spark.sql(f"CREATE TABLE IF NOT EXISTS deep_clone SHALLOW CLONE delta.`{source}`")
    spark.sql("DROP TABLE deep_clone")


def test_clone_of_an_old_version_and_by_the_client(spark, source, tmp_path):
    spark.sql(f"CREATE TABLE old_clone SHALLOW CLONE delta.`{source}` VERSION AS OF 0")
    assert spark.table("old_clone").count() == 0
    spark.sql("DROP TABLE old_clone")
    target = str(tmp_path / "by_client")
    DeltaTable.forPath(spark, source).clone(target, isShallow=True)
    assert rows(spark, target) == rows(spark, source)
    assert failure(spark, f"CREATE TABLE delta.`{target}` SHALLOW CLONE delta.`{source}`") == "DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION"


def test_convert_keeps_files_where_they_are(spark, tmp_path):
    path = tmp_path / "plain"
    spark.range(20).selectExpr("id", "named_struct('x', id * 2, 'y', 'text') AS s", "CAST(id % 3 AS INT) AS p", "1.5D AS r") \
        .write.partitionBy("p").parquet(str(path))
    files = set(path.rglob("*.parquet"))
    named = f"CONVERT TO DELTA parquet.`{path}`"
    assert failure(spark, named) == "DELTA_UNEXPECTED_NUM_PARTITION_COLUMNS_FROM_FILE_NAME"
    assert failure(spark, named + " PARTITIONED BY (q INT)") == "DELTA_UNEXPECTED_PARTITION_COLUMN_FROM_FILE_NAME"
    spark.sql(named + " PARTITIONED BY (p INT)")
    spark.sql(named + " PARTITIONED BY (p INT)")
    assert set(path.rglob("*.parquet")) == files and len(list((path / "_delta_log").glob("*.json"))) == 1
    got = deltalake.DeltaTable(str(path))
    assert sorted(got.to_pandas().id) == list(range(20)) and got.metadata().partition_columns == ["p"]
    adds = got.get_add_actions(flatten=True)
    assert sum(adds.column("num_records").to_pylist()) == 20
    assert min(adds.column("min.s.x").to_pylist()) == 0 and max(adds.column("max.s.x").to_pylist()) == 38
    assert "max.r" not in adds.schema.names or set(adds.column("max.r").to_pylist()) == {None}  # a footer is silent about NaN
    spark.sql(f"UPDATE delta.`{path}` SET r = 2 WHERE id = 3")
    assert spark.sql(f"SELECT sum(r), sum(s.x) FROM delta.`{path}`").collect()[0] == (30.5, 380)


def test_convert_a_table_of_the_catalog(spark, tmp_path):
    spark.sql("CREATE TABLE converted (id BIGINT, m INT) USING parquet PARTITIONED BY (m)")
    spark.sql("INSERT INTO converted SELECT id, CAST(id % 3 AS INT) FROM range(10)")
    spark.sql("CONVERT TO DELTA converted")
    spark.sql("UPDATE converted SET id = 100 WHERE id = 9")
    assert spark.sql("SELECT count(*), max(id), count(DISTINCT m) FROM converted").collect()[0] == (10, 100, 3)
    assert [r.operation for r in spark.sql("DESCRIBE HISTORY converted").collect()] == ["UPDATE", "CONVERT"]
    spark.sql("DROP TABLE converted")


def test_convert_what_is_no_table(spark, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk" / "a.parquet").write_text("no parquet")
    assert failure(spark, f"CONVERT TO DELTA parquet.`{tmp_path}/empty`") == "DELTA_EMPTY_DIRECTORY"
    assert failure(spark, f"CONVERT TO DELTA parquet.`{tmp_path}/junk`") == "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER"
    assert failure(spark, f"CONVERT TO DELTA json.`{tmp_path}/empty`") == "DELTA_CONVERT_NON_PARQUET_TABLE"
    assert not (tmp_path / "junk" / "_delta_log").exists() or not os.listdir(tmp_path / "junk" / "_delta_log")


def test_manifests_name_the_files(spark, source, tmp_path):
    spark.sql(f"GENERATE symlink_format_manifest FOR TABLE delta.`{source}`")
    folder = pathlib.Path(source) / "_symlink_format_manifest"
    lists = {str(m.parent.relative_to(folder)): m.read_text().splitlines() for m in folder.rglob("manifest")}
    assert set(lists) == {"p=x y", "p=__HIVE_DEFAULT_PARTITION__", "p=b%25c"}
    for lines in lists.values():
        assert len(lines) == 1 and pathlib.Path(lines[0].removeprefix("file:")).is_file()
    spark.sql(f"DELETE FROM delta.`{source}` WHERE a = 1")
    DeltaTable.forPath(spark, source).generate("symlink_format_manifest")
    assert not (folder / "p=x y" / "manifest").exists()
    assert failure(spark, f"GENERATE other FOR TABLE delta.`{source}`") == "DELTA_MODE_NOT_SUPPORTED"


def test_manifests_that_follow_every_commit(spark, tmp_path):
    path = tmp_path / "followed"
    spark.sql(f"CREATE TABLE delta.`{path}` (a INT) USING delta TBLPROPERTIES ('delta.compatibility.symlinkFormatManifest.enabled' = 'true')")
    for i in range(3):
        spark.sql(f"INSERT INTO delta.`{path}` VALUES ({i})")
        assert len((path / "_symlink_format_manifest" / "manifest").read_text().splitlines()) == i + 1


def test_the_history_of_a_saved_frame(spark, tmp_path):
    """As Spark's own commits say it."""
    path = str(tmp_path / "saved")
    for mode in ("error", "overwrite", "append"):
        spark.range(3).write.format("delta").mode(mode).save(path)
    history = spark.sql(f"DESCRIBE HISTORY delta.`{path}`").collect()[::-1]
    assert [(r.operation, r.operationParameters["mode"], r.isBlindAppend) for r in history] == [
        ("WRITE", "ErrorIfExists", True), ("WRITE", "Overwrite", False), ("WRITE", "Append", True)]


def aged(path):
    """All files look ten days old."""
    for file in pathlib.Path(path).rglob("*"):
        if file.is_file() and "_delta_log" not in file.parts:
            os.utime(file, (file.stat().st_mtime - 864000,) * 2)


@pytest.fixture
def rewritten(spark, tmp_path):
    """One live file, one that was removed, and one that no version knows."""
    path = tmp_path / "rewritten"
    spark.sql("SET spark.databricks.delta.retentionDurationCheck.enabled = false")
    spark.range(0, 10, 1, 1).write.format("delta").save(str(path))
    spark.range(0, 5, 1, 1).write.format("delta").mode("overwrite").save(str(path))
    shutil.copy(next(path.glob("*.parquet")), path / "stranger.parquet")
    aged(path)
    yield path
    spark.sql("RESET spark.databricks.delta.retentionDurationCheck.enabled")


def names(path):
    return sorted(f.name for f in path.glob("*.parquet"))


def test_vacuum_lite_deletes_what_the_log_removed(spark, rewritten):
    before = names(rewritten)
    assert len(before) == 3
    found = spark.sql(f"VACUUM delta.`{rewritten}` LITE RETAIN 0 HOURS DRY RUN").collect()
    assert len(found) == 1 and names(rewritten) == before
    spark.sql(f"VACUUM delta.`{rewritten}` LITE RETAIN 0 HOURS")
    assert len(names(rewritten)) == 2 and "stranger.parquet" in names(rewritten)
    assert spark.read.format("delta").load(str(rewritten)).count() == 5
    assert spark.sql(f"VACUUM delta.`{rewritten}` LITE RETAIN 0 HOURS DRY RUN").collect() == []


def test_vacuum_lite_needs_the_whole_log(spark, rewritten):
    (rewritten / "_delta_log" / "00000000000000000000.json").rename(rewritten / "away")
    with pytest.raises(Exception):
        spark.sql(f"VACUUM delta.`{rewritten}` LITE RETAIN 0 HOURS").collect()
    assert len(names(rewritten)) == 3


def test_vacuum_by_an_inventory(spark, rewritten):
    listed = [(f"file:{f}", f.stat().st_size, False, 0) for f in rewritten.glob("*.parquet") if f.name == "stranger.parquet"]
    listed += [(f"file:{f}", 1, False, 0) for f in rewritten.glob("part-*")]
    listed += [(str(rewritten), 0, True, 0), ("/etc/passwd", 1, False, 0), ("nowhere.parquet", 1, False, 0)]
    spark.createDataFrame(listed, "path string, length long, isDir boolean, modificationTime long").createOrReplaceTempView("inventory")
    spark.sql(f"VACUUM delta.`{rewritten}` USING INVENTORY (SELECT * FROM inventory WHERE path LIKE '%stranger%' OR isDir) RETAIN 0 HOURS")
    assert len(names(rewritten)) == 2 and "stranger.parquet" not in names(rewritten)
    spark.sql(f"VACUUM delta.`{rewritten}` USING INVENTORY inventory RETAIN 0 HOURS")
    assert len(names(rewritten)) == 1 and os.path.exists("/etc/passwd")
    assert spark.read.format("delta").load(str(rewritten)).count() == 5
    assert failure(spark, f"VACUUM delta.`{rewritten}` USING INVENTORY (SELECT 1 AS path)") == "DELTA_INVALID_INVENTORY_SCHEMA"


def test_restore_to_no_instant(spark, source):
    assert failure(spark, f"RESTORE TABLE delta.`{source}` TO TIMESTAMP AS OF '05/04/1999'") == "DELTA_TIMESTAMP_INVALID"


@pytest.mark.parametrize("form", ["delta", "parquet"])
def test_repartition_says_how_many_files(spark, tmp_path, form):
    frame = spark.range(100).selectExpr("id", "id % 2 AS p")
    for count in (1, 7):
        path = tmp_path / f"{form}{count}"
        frame.repartition(count).write.format(form).save(str(path))
        assert len(list(path.glob("*.parquet"))) == count
        assert sorted(r.id for r in spark.read.format(form).load(str(path)).collect()) == list(range(100))
    frame.repartition(3).write.format(form).partitionBy("p").save(str(tmp_path / "parts"))
    files = sorted(f.parent.name for f in (tmp_path / "parts").rglob("*.parquet"))
    assert files == ["p=0"] * 3 + ["p=1"] * 3
    read = spark.read.format(form).load(str(tmp_path / "parts"))
    assert read.columns == ["id", "p"] and read.selectExpr("sum(id)", "sum(p)").collect()[0] == (4950, 50)
    frame.coalesce(1).write.format(form).save(str(tmp_path / "one"))
    assert len(list((tmp_path / "one").glob("*.parquet"))) == 1
