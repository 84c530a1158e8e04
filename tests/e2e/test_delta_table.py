"""The DeltaTable API and Delta's statements, with the rows they must leave."""
import pytest


@pytest.fixture
def table(spark):
    spark.sql("DROP TABLE IF EXISTS dt")
    spark.sql("CREATE TABLE dt (id INT, v STRING) USING DELTA")
    spark.sql("INSERT INTO dt VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    from delta.tables import DeltaTable
    return DeltaTable.forName(spark, "dt")


def content(spark, name="dt"):
    return sorted(tuple(r) for r in spark.table(name).collect())


def source(spark, *pairs):
    return spark.createDataFrame(list(pairs), "id int, v string")


def test_merge_every_clause(spark, table):
    (table.alias("t").merge(source(spark, (1, "A"), (2, None), (9, "i")).alias("s"), "t.id = s.id")
     .whenMatchedDelete("s.v IS NULL").whenMatchedUpdate(set={"v": "s.v"})
     .whenNotMatchedInsert(values={"id": "s.id", "v": "concat(s.v, '!')"})
     .whenNotMatchedBySourceUpdate(condition="t.id = 3", set={"v": "'kept'"}).execute())
    assert content(spark) == [(1, "A"), (3, "kept"), (9, "i!")]


def test_merge_star_and_ambiguity(spark, table):
    (table.alias("t").merge(source(spark, (3, "z"), (4, "d")).alias("s"), "t.id = s.id")
     .whenMatchedUpdateAll().whenNotMatchedInsertAll().execute())
    assert content(spark) == [(1, "a"), (2, "b"), (3, "z"), (4, "d")]
    with pytest.raises(Exception) as error:
        (table.alias("t").merge(source(spark, (1, "x"), (1, "y")).alias("s"), "t.id = s.id").whenMatchedUpdateAll().execute())
    assert error.value.getCondition() == "DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE"
    assert content(spark) == [(1, "a"), (2, "b"), (3, "z"), (4, "d")]


@pytest.mark.parametrize("vectors", ["false", "true"])
def test_update_and_delete(spark, vectors):
    from delta.tables import DeltaTable
    spark.sql("DROP TABLE IF EXISTS dv")
    spark.sql(f"CREATE TABLE dv (id INT, v STRING) USING DELTA TBLPROPERTIES ('delta.enableDeletionVectors' = '{vectors}')")
    spark.range(100).selectExpr("CAST(id AS INT) id", "'x' v").write.mode("append").saveAsTable("dv")
    table = DeltaTable.forName(spark, "dv")
    table.delete("id % 2 = 0")
    table.update(condition="id < 10", set={"v": "concat(v, id)"})
    table.delete("id = 11")
    got = content(spark, "dv")
    assert len(got) == 49 and got[:5] == [(i, f"x{i}") for i in (1, 3, 5, 7, 9)] and got[5] == (13, "x")
    metrics = table.history(1).collect()[0].operationMetrics
    assert metrics["numDeletedRows"] == "1"
    assert (metrics["numDeletionVectorsAdded"] != "0") == (vectors == "true")
    location = table.detail().collect()[0].location.removeprefix("file:")
    import deltalake
    theirs = deltalake.QueryBuilder().register("t", deltalake.DeltaTable(location)).execute("SELECT id FROM t").read_all()
    import pyarrow
    assert sorted(pyarrow.table(theirs)["id"].to_pylist()) == [row[0] for row in got]


def test_check_constraint(spark, table):
    spark.sql("ALTER TABLE dt ADD CONSTRAINT small CHECK (id < 100)")
    with pytest.raises(Exception) as error:
        spark.sql("INSERT INTO dt VALUES (500, 'x')").collect()
    assert error.value.getCondition() == "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"
    assert content(spark) == [(1, "a"), (2, "b"), (3, "c")]


def test_optimize_and_restore(spark, table):
    for i in range(4, 8):
        spark.sql(f"INSERT INTO dt VALUES ({i}, 'n')")
    before = content(spark)
    metrics = table.optimize().executeCompaction().collect()[0].metrics
    assert metrics.numFilesAdded == 1 and metrics.numFilesRemoved >= 5
    assert content(spark) == before
    table.restoreToVersion(1)
    assert content(spark) == [(1, "a"), (2, "b"), (3, "c")]


def test_replace_where_and_overwrite(spark, table):
    source(spark, (2, "B"), (1, "A")).write.mode("overwrite").option("replaceWhere", "id <= 2").saveAsTable("dt")
    assert content(spark) == [(1, "A"), (2, "B"), (3, "c")]
    source(spark, (7, "q")).write.mode("overwrite").insertInto("dt")
    assert content(spark) == [(7, "q")]


def test_change_feed_of_sql_statements(spark):
    spark.sql("DROP TABLE IF EXISTS cf")
    spark.sql("CREATE TABLE cf (id INT, v STRING) USING DELTA TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')")
    spark.sql("INSERT INTO cf VALUES (1, 'a'), (2, 'b')")
    spark.sql("UPDATE cf SET v = 'z' WHERE id = 1")
    spark.sql("DELETE FROM cf WHERE id = 2")
    feed = spark.sql("SELECT id, v, _change_type, _commit_version FROM table_changes('cf', 1)").collect()
    assert sorted(tuple(r) for r in feed) == sorted([
        (1, "a", "insert", 1), (2, "b", "insert", 1), (1, "a", "update_preimage", 2), (1, "z", "update_postimage", 2),
        (2, "b", "delete", 3)])


def test_corrupt_and_foreign_logs(spark, table, tmp_path):
    import json
    import pathlib
    import shutil
    location = pathlib.Path(table.detail().collect()[0].location.removeprefix("file:"))
    copies = {name: tmp_path / name for name in ("corrupt", "feature", "missing")}
    for copy in copies.values():
        shutil.copytree(location, copy)
    (copies["corrupt"] / "_delta_log" / f"{1:020}.json").write_text('{"add": {"path": ')
    (copies["feature"] / "_delta_log" / f"{2:020}.json").write_text(json.dumps({"protocol": {
        "minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["timeTravelBackwards"],
        "writerFeatures": ["timeTravelBackwards"]}}) + "\n")
    next(copies["missing"].glob("*.parquet")).unlink()
    for name, word in (("corrupt", ""), ("feature", "timeTravelBackwards"), ("missing", "parquet")):
        with pytest.raises(Exception) as error:
            spark.read.format("delta").load(str(copies[name])).collect()
        assert error.value.getCondition() and word in str(error.value)
    assert content(spark) == [(1, "a"), (2, "b"), (3, "c")]
