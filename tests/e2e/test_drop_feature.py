"""ALTER TABLE .. DROP FEATURE: what each feature needs before it goes, what the log says afterwards, and what keeps older versions."""
import glob
import json
import os
import time

import pytest


def refused(spark, statement):
    with pytest.raises(Exception) as error:
        spark.sql(statement).collect()
    return error.value.getCondition()


def actions(path, kind):
    """[(version, action)] of one kind, as the log has them."""
    return [(int(os.path.basename(f)[:20]), a[kind]) for f in sorted(glob.glob(f"{path}/_delta_log/*.json")) if os.path.basename(f)[:20].isdigit()
            for a in map(json.loads, open(f)) if kind in a]


def protocol(path):
    p = actions(path, "protocol")[-1][1]
    return p["minReaderVersion"], p["minWriterVersion"], sorted(p.get("readerFeatures", [])), sorted(p.get("writerFeatures", []))


def operations(path, since=0):
    return [i["operation"] for v, i in actions(path, "commitInfo") if v >= since]


def checkpoints(path):
    return sorted(int(os.path.basename(f)[:20]) for f in glob.glob(f"{path}/_delta_log/*.checkpoint*.parquet"))


def make_old(path, hours):
    """As if the log had been written so long ago."""
    then = time.time() - hours * 3600
    for f in glob.glob(f"{path}/_delta_log/*"):
        os.utime(f, (then, then))


@pytest.fixture
def table(spark, tmp_path):
    def create(columns, properties, rest=""):
        spark.sql("DROP TABLE IF EXISTS dropping")
        listed = ", ".join(f"'{k}' = '{v}'" for k, v in properties.items())
        spark.sql(f"CREATE TABLE dropping ({columns}) USING delta {rest} LOCATION '{tmp_path}/t' TBLPROPERTIES ({listed})")
        return f"{tmp_path}/t"
    return create


def test_vectors_go_with_the_files_that_had_them(spark, table):
    path = table("a INT", {"delta.enableDeletionVectors": "true"})
    spark.sql("INSERT INTO dropping SELECT id FROM range(0, 100, 1, 1)")
    spark.sql("DELETE FROM dropping WHERE a < 10")
    spark.sql("ALTER TABLE dropping DROP FEATURE deletionVectors")
    last = actions(path, "commitInfo")[-1]
    assert last[1]["operation"] == "DROP FEATURE" and last[1]["operationParameters"] == {"featureName": "deletionVectors", "truncateHistory": False}
    assert protocol(path) == (1, 7, [], ["appendOnly", "checkpointProtection", "invariants"])
    assert checkpoints(path)[-4:] == list(range(last[0] - 3, last[0] + 1))
    config = actions(path, "metaData")[-1][1]["configuration"]
    assert config == {"delta.requireCheckpointProtectionBeforeVersion": str(last[0])}
    assert "REORG" in operations(path) and "Deletion Vector Tombstones" in operations(path)
    assert spark.sql("SELECT count(*), sum(a) FROM dropping").first() == (90, 4905)
    assert spark.sql("SELECT count(*) FROM dropping VERSION AS OF 1").first() == (100,)
    spark.sql("DELETE FROM dropping WHERE a = 50")
    assert all("deletionVector" not in a for v, a in actions(path, "add") if v > last[0])


def test_history_is_truncated_when_it_is_old_enough(spark, table):
    path = table("a INT", {"delta.enableDeletionVectors": "true"})
    spark.sql("INSERT INTO dropping SELECT id FROM range(0, 10, 1, 1)")
    spark.sql("DELETE FROM dropping WHERE a < 3")
    drop = "ALTER TABLE dropping DROP FEATURE deletionVectors TRUNCATE HISTORY"
    assert refused(spark, drop) == "DELTA_FEATURE_DROP_WAIT_FOR_RETENTION_PERIOD"
    assert refused(spark, drop) == "DELTA_FEATURE_DROP_HISTORICAL_VERSIONS_EXIST"
    assert "deletionVectors" in protocol(path)[2]
    make_old(path, 25)
    spark.sql(drop)
    assert protocol(path)[:2] == (1, 2)
    assert actions(path, "commitInfo")[-1][1]["operationParameters"]["truncateHistory"] is True
    assert actions(path, "commitInfo")[0][0] > 2
    assert sorted(r.a for r in spark.table("dropping").collect()) == list(range(3, 10))


def test_protection_goes_once_the_history_before_it_has(spark, table):
    path = table("a INT", {"delta.feature.vacuumProtocolCheck": "supported"})
    spark.sql("INSERT INTO dropping VALUES (1)")
    spark.sql("ALTER TABLE dropping DROP FEATURE vacuumProtocolCheck")
    protected = int(actions(path, "metaData")[-1][1]["configuration"]["delta.requireCheckpointProtectionBeforeVersion"])
    drop = "ALTER TABLE dropping DROP FEATURE checkpointProtection"
    assert refused(spark, drop) == "DELTA_FEATURE_CAN_ONLY_DROP_CHECKPOINT_PROTECTION_WITH_HISTORY_TRUNCATION"
    assert refused(spark, drop + " TRUNCATE HISTORY") == "DELTA_FEATURE_DROP_CHECKPOINT_PROTECTION_WAIT_FOR_RETENTION_PERIOD"
    make_old(path, 25)
    spark.sql(drop + " TRUNCATE HISTORY")
    assert protocol(path) == (1, 2, [], [])
    assert actions(path, "commitInfo")[0][0] >= protected
    assert spark.table("dropping").count() == 1


@pytest.mark.parametrize("mode", ["name", "id"])
def test_columns_get_their_names_in_files(spark, table, mode):
    path = table("a INT, b STRING, s STRUCT<x: INT, y: INT>", {"delta.columnMapping.mode": mode}, "PARTITIONED BY (b)")
    spark.sql("INSERT INTO dropping VALUES (1, 'x', struct(1, 2)), (2, 'y', struct(3, 4))")
    spark.sql("ALTER TABLE dropping RENAME COLUMN a TO c")
    spark.sql("ALTER TABLE dropping DROP FEATURE columnMapping")
    assert protocol(path)[:2] == (1, 7) and "columnMapping" not in protocol(path)[3]
    assert "columnMapping" not in json.dumps(actions(path, "metaData")[-1][1])
    assert all(a["partitionValues"].keys() == {"b"} for _, a in actions(path, "add")[-2:])
    assert sorted(tuple(r) for r in spark.table("dropping").collect()) == [(1, "x", (1, 2)), (2, "y", (3, 4))]
    assert [r.c for r in spark.sql("SELECT c FROM dropping WHERE b = 'y' AND s.y > 3").collect()] == [2]
    assert spark.sql("SELECT a FROM dropping VERSION AS OF 1 WHERE b = 'x'").first().a == 1


def test_mapping_stays_where_names_need_it(spark, table):
    path = table("`a b` INT, s STRUCT<`x;y`: INT>", {"delta.columnMapping.mode": "name"})
    for statement in ("DROP FEATURE columnMapping", "SET TBLPROPERTIES ('delta.columnMapping.mode' = 'none')"):
        assert refused(spark, f"ALTER TABLE dropping {statement}") == "DELTA_INVALID_COLUMN_NAMES_WHEN_REMOVING_COLUMN_MAPPING"
    assert len(actions(path, "commitInfo")) == 1


def test_mapping_is_taken_away_and_put_back(spark, table):
    path = table("a INT, g INT GENERATED ALWAYS AS (a + 1)", {
        "delta.columnMapping.mode": "name", "delta.enableRowTracking": "true", "delta.enableDeletionVectors": "true"}, "CLUSTER BY (a)")
    spark.sql("INSERT INTO dropping (a) VALUES (1), (2), (3)")
    spark.sql("DELETE FROM dropping WHERE a = 1")
    before = spark.sql("SELECT a, g, _metadata.row_id i, _metadata.row_commit_version v FROM dropping ORDER BY a").collect()
    spark.sql("ALTER TABLE dropping SET TBLPROPERTIES ('delta.columnMapping.mode' = 'none')")
    assert spark.sql("SELECT a, g, _metadata.row_id i, _metadata.row_commit_version v FROM dropping ORDER BY a").collect() == before
    assert operations(path)[-1] == "REMOVE COLUMN MAPPING"
    assert '["a"]' in [d for _, d in actions(path, "domainMetadata") if d["domain"] == "delta.clustering"][-1]["configuration"]
    assert all(not a["dataChange"] for v, a in actions(path, "add") if v == actions(path, "commitInfo")[-1][0])
    spark.sql("ALTER TABLE dropping SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
    spark.sql("INSERT INTO dropping (a) VALUES (9)")
    assert [tuple(r) for r in spark.table("dropping").orderBy("a").collect()] == [(2, 3), (3, 4), (9, 10)]
    assert refused(spark, "ALTER TABLE dropping SET TBLPROPERTIES ('delta.columnMapping.mode' = 'id')") == "DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE"


def test_widened_columns_are_written_again(spark, table):
    path = table("a SMALLINT, s STRUCT<x: INT, l: ARRAY<INT>>", {"delta.enableTypeWidening": "true"})
    spark.sql("INSERT INTO dropping VALUES (1, struct(1, array(2)))")
    spark.sql("ALTER TABLE dropping ALTER COLUMN a TYPE INT")
    spark.sql("ALTER TABLE dropping ALTER COLUMN s.l.element TYPE BIGINT")
    spark.sql("INSERT INTO dropping VALUES (100000, struct(2, array(3)))")
    kept = actions(path, "add")[-1][1]["path"]
    spark.sql("ALTER TABLE dropping DROP FEATURE typeWidening")
    assert protocol(path)[3] == ["appendOnly", "checkpointProtection", "invariants"]
    assert "typeChanges" not in actions(path, "metaData")[-1][1]["schemaString"]
    removed = [r["path"] for _, r in actions(path, "remove")]
    assert len(removed) == 1 and kept not in removed
    assert sorted(tuple(r) for r in spark.table("dropping").collect()) == [(1, (1, [2])), (100000, (2, [3]))]


def test_rows_lose_their_ids(spark, table):
    path = table("a INT", {"delta.enableRowTracking": "true"})
    spark.sql("INSERT INTO dropping SELECT id FROM range(0, 100, 1, 1)")
    assert refused(spark, "ALTER TABLE dropping DROP FEATURE domainMetadata") == "DELTA_FEATURE_DROP_DEPENDENT_FEATURE"
    assert refused(spark, "ALTER TABLE dropping DROP FEATURE rowTracking TRUNCATE HISTORY") == "DELTA_FEATURE_DROP_HISTORY_TRUNCATION_NOT_ALLOWED"
    spark.sql("ALTER TABLE dropping DROP FEATURE rowTracking")
    assert operations(path)[2:] == ["SET TBLPROPERTIES", "ROW TRACKING UNBACKFILL", "DROP FEATURE"]
    assert "baseRowId" not in actions(path, "add")[-1][1] and not actions(path, "add")[-1][1]["dataChange"]
    assert not any("rowTracking" in k.lower() for k in actions(path, "metaData")[-1][1]["configuration"])
    assert actions(path, "domainMetadata")[-1][1]["removed"]
    spark.sql("ALTER TABLE dropping DROP FEATURE domainMetadata")
    assert protocol(path) == (1, 2, [], [])
    spark.sql("INSERT INTO dropping VALUES (100)")
    assert spark.sql("SELECT sum(a) FROM dropping").first() == (5050,)


def test_small_ones(spark, table):
    path = table("a INT", {"delta.enableInCommitTimestamps": "true", "delta.checkpointPolicy": "v2", "delta.feature.typeWidening-preview": "supported"})
    spark.sql("ALTER TABLE dropping ADD CONSTRAINT positive CHECK (a > 0)")
    assert refused(spark, "ALTER TABLE dropping DROP FEATURE checkConstraints") == "DELTA_CANNOT_DROP_CHECK_CONSTRAINT_FEATURE"
    spark.sql("ALTER TABLE dropping DROP CONSTRAINT positive")
    for feature in ("checkConstraints", "inCommitTimestamp", "v2Checkpoint", "`typeWidening-preview`"):
        spark.sql(f"ALTER TABLE dropping DROP FEATURE {feature}")
    assert protocol(path) == (1, 7, [], ["appendOnly", "checkpointProtection", "invariants"])
    spark.sql("INSERT INTO dropping VALUES (1)")
    assert spark.table("dropping").count() == 1


@pytest.mark.parametrize("feature, condition", [
    ("appendOnly", "DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE"), ("timestampNtz", "DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE"),
    ("deletionVectors", "DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT"), ("nothing", "DELTA_FEATURE_DROP_UNSUPPORTED_CLIENT_FEATURE"),
    ("`delta.appendOnly`", "DELTA_FEATURE_DROP_FEATURE_IS_DELTA_PROPERTY"), ("appendonly", "DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT")])
def test_what_cannot_go(spark, table, feature, condition):
    path = table("a INT, t TIMESTAMP_NTZ", {"delta.appendOnly": "true"})
    assert refused(spark, f"ALTER TABLE dropping DROP FEATURE {feature}") == condition
    assert len(actions(path, "commitInfo")) == 1


def test_the_builder_drops_features(spark, table):
    from delta.tables import DeltaTable
    path = table("a INT", {"delta.feature.vacuumProtocolCheck": "supported"})
    DeltaTable.forPath(spark, path).dropFeatureSupport("vacuumProtocolCheck")
    assert "checkpointProtection" in protocol(path)[3]
    with pytest.raises(Exception) as error:
        DeltaTable.forPath(spark, path).dropFeatureSupport("checkpointProtection")
    assert error.value.getCondition() == "DELTA_FEATURE_CAN_ONLY_DROP_CHECKPOINT_PROTECTION_WITH_HISTORY_TRUNCATION"
