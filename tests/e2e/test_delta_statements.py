"""Delta's statements as a real Spark 4.2 with Delta 4.4 answers them: what is written, what is refused and how."""
import time

import pytest


@pytest.fixture
def sql(spark):
    """Runs statements in a schema of the test's own; rows as sorted tuples, a refusal as its class."""
    spark.sql("DROP SCHEMA IF EXISTS statements CASCADE")
    spark.sql("CREATE SCHEMA statements")
    spark.sql("USE statements")
    yield lambda text: sorted((tuple(r) for r in spark.sql(text).collect()), key=repr)
    spark.sql("USE default")


def refusal(sql, text):
    with pytest.raises(Exception) as error:
        sql(text)
    return error.value.getCondition()


def test_overwrite_of_partitions(sql):
    sql("CREATE TABLE p (p INT, q STRING, v INT) USING DELTA PARTITIONED BY (p, q)")
    sql("INSERT INTO p VALUES (1, 'a', 1), (1, 'b', 2), (2, 'a', 3)")
    sql("INSERT OVERWRITE p PARTITION (p = 1, q = 'a') SELECT 5 WHERE false")
    assert sql("SELECT * FROM p") == [(1, "b", 2), (2, "a", 3)]
    sql("INSERT OVERWRITE p PARTITION (p = 1) SELECT 'c', 9")
    assert sql("SELECT * FROM p") == [(1, "c", 9), (2, "a", 3)]
    sql("INSERT OVERWRITE p PARTITION (p, q) VALUES (5, 'x', 5)")
    assert sql("SELECT * FROM p") == [(5, "x", 5)]
    sql("SET spark.sql.sources.partitionOverwriteMode = dynamic")
    sql("INSERT INTO p VALUES (6, 'a', 1), (6, 'b', 2)")
    sql("INSERT OVERWRITE p VALUES (6, 'a', 100)")
    sql("INSERT OVERWRITE p PARTITION (p = 6) VALUES ('b', 200)")
    assert sql("SELECT * FROM p") == [(5, "x", 5), (6, "a", 100), (6, "b", 200)]
    sql("SET spark.sql.sources.partitionOverwriteMode = static")


def test_values_are_cast_as_delta_casts_them(sql):
    sql("CREATE TABLE c (i INT, d DATE, b BOOLEAN, s STRING) USING DELTA")
    sql("INSERT INTO c VALUES ('5', '2024-01-02', 'true', 7)")
    sql("UPDATE c SET i = '9', b = 0 WHERE i = 5")
    sql("MERGE INTO c t USING (SELECT '11' i, '2024-01-01' d, true b, 5 s) s ON t.i = s.i WHEN NOT MATCHED THEN INSERT *")
    assert [(i, str(d), b, s) for i, d, b, s in sql("SELECT * FROM c")] == [(11, "2024-01-01", True, "5"), (9, "2024-01-02", False, "7")]
    assert refusal(sql, "INSERT INTO c VALUES ('x', NULL, NULL, NULL)") == "CAST_INVALID_INPUT"
    assert refusal(sql, "INSERT INTO c VALUES (3000000000, NULL, NULL, NULL)") == "CAST_OVERFLOW_IN_TABLE_INSERT"
    assert refusal(sql, "INSERT INTO c VALUES (DATE'2024-01-01', NULL, NULL, NULL)").startswith("DATATYPE_MISMATCH.CAST_")


def test_nested_fields_by_name_or_position(sql):
    sql("CREATE TABLE n (id INT, s STRUCT<a: INT, b: ARRAY<INT>>) USING DELTA")
    sql("INSERT INTO n VALUES (1, struct(1, array(1, 2)))")
    sql("INSERT INTO n VALUES (2, named_struct('b', 5, 'a', array(3)))")
    sql("INSERT INTO n SELECT 3 id, named_struct('b', array(3), 'a', 5) s")
    sql("INSERT INTO n BY NAME SELECT 4 id, named_struct('b', array(4), 'a', 6) s")
    assert sql("SELECT id, s.a, s.b FROM n") == [(1, 1, [1, 2]), (2, 5, [3]), (3, 5, [3]), (4, 6, [4])]
    assert refusal(sql, "INSERT INTO n VALUES (6, named_struct('a', 5))") == "DELTA_INSERT_COLUMN_ARITY_MISMATCH"
    sql("CREATE TABLE l (id INT, l ARRAY<STRUCT<a: INT, b: STRING>>) USING DELTA")
    sql("INSERT INTO l BY NAME SELECT 2 id, array(named_struct('b', 'q', 'a', 2)) l")
    sql("INSERT INTO l SELECT 4 other, array(named_struct('b', '9', 'a', 2)) l")
    assert sql("SELECT id, l[0].a, l[0].b FROM l") == [(2, 2, "q"), (4, 9, "2")]


def test_merge_evolves_the_schema(sql):
    sql("CREATE TABLE e (id INT, v STRING) USING DELTA")
    sql("INSERT INTO e VALUES (1, 'a'), (2, 'b')")
    both = "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    sql(f"MERGE INTO e t USING (SELECT 2 id, 'B' v, 5 extra) s ON t.id = s.id {both}")
    assert sql("SELECT * FROM e") == [(1, "a"), (2, "B")]
    sql(f"MERGE WITH SCHEMA EVOLUTION INTO e t USING (SELECT 2 id, 'C' v, 5 extra UNION ALL SELECT 9, 'n', 6) s ON t.id = s.id {both}")
    assert sql("SELECT * FROM e") == [(1, "a", None), (2, "C", 5), (9, "n", 6)]
    sql("MERGE WITH SCHEMA EVOLUTION INTO e t USING (SELECT 1 id, 8 fresh, 3 other) s ON t.id = s.id "
        "WHEN MATCHED THEN UPDATE SET fresh = s.fresh")
    assert sql("SELECT * FROM e") == [(1, "a", None, 8), (2, "C", 5, None), (9, "n", 6, None)]
    sql("SET spark.databricks.delta.schema.autoMerge.enabled = true")
    sql(f"MERGE INTO e t USING (SELECT 1000 id, 1 last) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET *")
    sql("SET spark.databricks.delta.schema.autoMerge.enabled = false")
    assert [name for name, _, _ in sql("DESCRIBE e")] == ["extra", "fresh", "id", "last", "v"]


def test_merge_keeps_fields_that_the_source_lacks(sql):
    """UPDATE * that evolves the schema goes field by field through structs; elements of arrays are replaced whole."""
    sql("CREATE TABLE f (k INT, s STRUCT<a: INT, b: STRUCT<c: INT, d: INT>>, l ARRAY<STRUCT<x: INT, y: INT>>) USING DELTA")
    sql("INSERT INTO f VALUES (1, struct(1, struct(2, 3)), array(struct(4, 5)))")
    sql("MERGE WITH SCHEMA EVOLUTION INTO f t USING (SELECT 1 k, named_struct('b', named_struct('d', 9), 'e', 8) s,"
        " array(named_struct('y', 7)) l) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET *")
    assert sql("SELECT s.a, s.b.c, s.b.d, s.e, l FROM f") == [(1, 2, 9, 8, [(None, 7)])]


def test_what_a_merge_cannot_resolve(sql):
    sql("CREATE TABLE m (k INT, v STRING) USING DELTA")
    start = "MERGE INTO m t USING (SELECT 1 k, 'x' v) s ON "
    for rest in ("t.k = s.nope WHEN MATCHED THEN DELETE", "t.k = s.k WHEN MATCHED THEN UPDATE SET v = nope",
                 "t.k = s.k WHEN NOT MATCHED THEN INSERT (k) VALUES (t.k)", "t.k = s.k WHEN NOT MATCHED BY SOURCE AND s.k = 1 THEN DELETE"):
        assert refusal(sql, start + rest) == "DELTA_MERGE_UNRESOLVED_EXPRESSION", rest
    assert refusal(sql, start + "t.k = max(s.k) WHEN MATCHED THEN DELETE") == "DELTA_AGGREGATION_NOT_SUPPORTED"
    assert refusal(sql, start + "t.k = s.k WHEN NOT MATCHED THEN INSERT (k, k) VALUES (1, 2)") == "DELTA_DUPLICATE_COLUMNS_ON_INSERT"
    assert refusal(sql, start + "t.k = s.k WHEN MATCHED THEN UPDATE SET k = 1, t.k = 2") == "DELTA_CONFLICT_SET_COLUMN"


def test_a_merge_tells_rows_that_no_source_row_matched(sql):
    sql("CREATE TABLE b (k INT, v INT) USING DELTA")
    sql("INSERT INTO b SELECT id, id FROM range(6)")
    sql("MERGE INTO b t USING (SELECT id k FROM range(2)) s ON t.k = s.k WHEN MATCHED AND t.k = 0 THEN DELETE"
        " WHEN MATCHED THEN UPDATE SET v = 9 WHEN NOT MATCHED BY SOURCE AND v > 2 THEN DELETE WHEN NOT MATCHED BY SOURCE THEN UPDATE SET v = 8")
    metrics = sql("DESCRIBE HISTORY b LIMIT 1")[0][12]
    counts = {key[13:]: metrics[key] for key in metrics if key.startswith("numTargetRows") and "atched" in key}
    assert counts == {"MatchedUpdated": "1", "MatchedDeleted": "1", "NotMatchedBySourceUpdated": "1", "NotMatchedBySourceDeleted": "3"}


def test_time_travel_ends_where_files_may_be_gone(sql):
    sql("CREATE TABLE t (a INT) USING DELTA TBLPROPERTIES ('delta.deletedFileRetentionDuration' = 'interval 0 hours')")
    sql("INSERT INTO t VALUES (1)")
    sql("INSERT INTO t VALUES (2)")
    time.sleep(0.01)
    expected = "DELTA_UNSUPPORTED_TIME_TRAVEL_BEYOND_DELETED_FILE_RETENTION_DURATION"
    assert refusal(sql, "SELECT * FROM t VERSION AS OF 1") == expected
    assert refusal(sql, "RESTORE TABLE t TO VERSION AS OF 1") == expected
    assert sql("SELECT * FROM t VERSION AS OF 2") == [(1,), (2,)]
    sql("SET spark.databricks.delta.vacuum.enforceTimeTravelWithinDeletedFileRetentionDuration = false")
    assert sql("SELECT * FROM t VERSION AS OF 1") == [(1,)]
    sql("SET spark.databricks.delta.vacuum.enforceTimeTravelWithinDeletedFileRetentionDuration = true")


def test_a_table_without_columns_cannot_be_read(sql):
    sql("CREATE TABLE bare USING DELTA")
    assert refusal(sql, "SELECT * FROM bare") == "DELTA_READ_TABLE_WITHOUT_COLUMNS"
    assert sql("DESCRIBE bare") == []


def test_rearranging(sql):
    sql("CREATE TABLE z (id INT, p INT) USING DELTA PARTITIONED BY (p) TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    sql("INSERT INTO z SELECT CAST((id * 7) % 10 AS INT), CAST(id % 2 AS INT) FROM range(20)")
    sql("INSERT INTO z VALUES (3, 0)")
    before = sql("SELECT * FROM z")
    metrics = sql("OPTIMIZE z ZORDER BY (id)")[0][1]
    assert (metrics.numFilesAdded, metrics.numFilesRemoved, metrics.filesAdded.totalFiles) == (2, 3, 2)
    assert sql("SELECT * FROM z") == before
    assert refusal(sql, "OPTIMIZE z ZORDER BY (p)") == "DELTA_ZORDERING_ON_PARTITION_COLUMN"
    assert refusal(sql, "OPTIMIZE z ZORDER BY (nope)") == "DELTA_ZORDERING_COLUMN_DOES_NOT_EXIST"
    sql("DELETE FROM z WHERE id = 3")
    metrics = sql("REORG TABLE z APPLY (PURGE)")[0][1]
    assert (metrics.numFilesAdded, metrics.numFilesRemoved) == (2, 2)
    assert sql("SELECT * FROM z") == [row for row in before if row[0] != 3]
    assert sql("REORG TABLE z APPLY (PURGE)")[0][1].numFilesRemoved == 0
    history = [(r[4], r[5].get("zOrderBy"), r[5].get("applyPurge")) for r in sql("DESCRIBE HISTORY z") if r[4] in ("OPTIMIZE", "REORG")]
    assert sorted(history) == [("OPTIMIZE", '["id"]', None), ("REORG", None, "true")]


def test_counting_reads_no_file(sql, spark):
    sql("CREATE TABLE counted (id INT) USING DELTA TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    sql("INSERT INTO counted SELECT CAST(id AS INT) FROM range(10)")
    sql("DELETE FROM counted WHERE id < 3")
    plan = spark.sql("SELECT count(*), count(1) FROM counted")
    assert plan.collect()[0] == (7, 7)
    assert sql("SELECT count(*) FROM counted WHERE id > 4") == [(5,)]
    assert sql("SELECT count(id) FROM counted") == [(7,)]


@pytest.mark.parametrize("property, expected", [
    ("'delta.nosuch' = '1'", "DELTA_UNKNOWN_CONFIGURATION"),
    ("'delta.feature.nosuch' = 'supported'", "DELTA_UNSUPPORTED_FEATURES_IN_CONFIG"),
    ("'location' = '/x'", "UNSUPPORTED_FEATURE.SET_TABLE_PROPERTY"),
    ("'delta.minReaderVersion' = '9'", None),
    ("'delta.appendOnly' = 'maybe'", None),
    ("'delta.checkpointInterval' = '0'", None),
    ("'delta.logRetentionDuration' = 'interval 1 day'", None),
    ("'delta.columnMapping.mode' = 'foo'", None),
])
def test_properties_are_checked_when_a_table_is_made(sql, property, expected):
    """None: refused by Spark with an exception that has no class."""
    found = refusal(sql, f"CREATE TABLE bad (a INT) USING DELTA TBLPROPERTIES ({property})")
    assert expected is None or found == expected
    assert sql("SHOW TABLES") == []


def test_a_constraint_may_be_a_property(sql):
    sql("CREATE TABLE positive (a INT) USING DELTA TBLPROPERTIES ('delta.constraints.c' = 'a > 0')")
    sql("INSERT INTO positive VALUES (1)")
    assert refusal(sql, "INSERT INTO positive VALUES (0)").startswith("DELTA_VIOLATE_CONSTRAINT")


def test_nested_fields_are_assigned(sql):
    sql("CREATE TABLE f (id INT, s STRUCT<a: INT, t: STRUCT<x: INT, y: STRING>>) USING DELTA")
    sql("INSERT INTO f VALUES (1, struct(1, struct(2, 'q'))), (2, NULL)")
    sql("UPDATE f SET s.t.x = s.a + 10, s.a = '5' WHERE id = 1")
    sql("UPDATE f SET s.t.y = 'only' WHERE id = 2")
    assert sql("SELECT id, s.a, s.t.x, s.t.y FROM f") == [(1, 5, 11, "q"), (2, None, None, "only")]
    sql("MERGE INTO f t USING (SELECT 1 id, 7 a) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET t.s.a = s.a, t.s.t.y = 'm'")
    assert sql("SELECT id, s.a, s.t.x, s.t.y FROM f") == [(1, 7, 11, "m"), (2, None, None, "only")]
    assert refusal(sql, "UPDATE f SET s.a = 1, s = NULL") == "DELTA_CONFLICT_SET_COLUMN"
    assert refusal(sql, "UPDATE f SET s.a = 1, s.a = 2") == "DELTA_CONFLICT_SET_COLUMN"


def test_queries_open_only_the_files_that_can_match(spark):
    """A file whose partition or statistics exclude it may even be gone."""
    import pathlib
    spark.sql("DROP TABLE IF EXISTS skipping")
    spark.sql("CREATE TABLE skipping (k INT, day DATE, v STRING) USING DELTA PARTITIONED BY (day)")
    spark.sql("INSERT INTO skipping VALUES (1, DATE'2026-01-01', 'a')")
    spark.sql("INSERT INTO skipping VALUES (2, DATE'2026-01-02', 'b')")
    spark.sql("INSERT INTO skipping VALUES (30, DATE'2026-01-02', 'c')")
    folder = pathlib.Path(spark.sql("DESCRIBE DETAIL skipping").first().location.removeprefix("file:"))
    for part in (folder / "day=2026-01-01").glob("*.parquet"):
        part.unlink()

    def rows(sql):
        return sorted(tuple(r) for r in spark.sql(sql).collect())

    assert rows("SELECT k FROM skipping WHERE day = DATE'2026-01-02'") == [(2,), (30,)]
    assert rows("SELECT v FROM skipping WHERE k > 20") == [("c",)]
    assert rows("SELECT x.v FROM (SELECT k AS n, v, k FROM skipping) x WHERE x.k > 20 AND upper(x.v) = 'C'") == [("c",)]
    assert rows("SELECT s.k FROM skipping s JOIN VALUES (2), (30) t(k) ON s.k = t.k WHERE s.k > 1") == [(2,), (30,)]
    assert rows("SELECT t.n, s.v FROM VALUES (1), (2) t(n) LEFT JOIN skipping s ON s.k = t.n AND s.k > 1") == [(1, None), (2, "b")]
    assert spark.table("skipping").filter("day > '2026-01-01'").count() == 2
    for everything in ("SELECT k FROM skipping", "SELECT v FROM skipping WHERE k < 5", "SELECT k, sum(k) OVER () FROM skipping WHERE k > 0",
                       "SELECT * FROM (SELECT k, row_number() OVER (ORDER BY k) n FROM skipping) WHERE k > 20"):
        with pytest.raises(Exception) as error:
            spark.sql(everything).collect()
        assert "FAILED_READ_FILE" in error.value.getCondition()
