"""Row tracking: every row keeps its id, whoever writes it again."""
import glob
import json
import random
import threading

import pytest


def ask(spark, sql):
    return [tuple(r) for r in spark.sql(sql).collect()]


def refused(spark, statement):
    with pytest.raises(Exception) as error:
        spark.sql(statement).collect()
    return error.value.getCondition()


def log(spark, name):
    """The actions of every commit, in order."""
    path = spark.sql(f"DESCRIBE DETAIL {name}").first()["location"].removeprefix("file:")
    return [[json.loads(line) for line in open(f)] for f in sorted(glob.glob(f"{path}/_delta_log/*.json"))]


def of_kind(commits, kind):
    return [action[kind] for commit in commits for action in commit if kind in action]


def ids(spark, name, where="true"):
    return ask(spark, f"SELECT id, _metadata.row_id, _metadata.row_commit_version FROM {name} WHERE {where} ORDER BY id")


def check_log(spark, name):
    """Ranges of ids that commits gave never overlap and stay below the mark, which never falls."""
    given, mark = set(), -1
    for commit in log(spark, name):
        for a in of_kind([commit], "add"):
            rows = json.loads(a["stats"])["numRecords"]
            assert a["baseRowId"] >= 0 and a["defaultRowCommitVersion"] >= 0
            given.add((a["baseRowId"], a["baseRowId"] + rows, a["path"]))
        for d in of_kind([commit], "domainMetadata"):
            if d["domain"] == "delta.rowTracking":
                now = json.loads(d["configuration"])["rowIdHighWaterMark"]
                assert now >= mark
                mark = now
    last = -1
    for first, after, _ in sorted(given):
        assert first > last
        last = after - 1
    assert last <= mark


@pytest.fixture(params=["", ", 'delta.enableDeletionVectors' = 'true'", ", 'delta.columnMapping.mode' = 'name'",
                        ", 'delta.columnMapping.mode' = 'id', 'delta.enableChangeDataFeed' = 'true'"])
def tracked(spark, request):
    spark.sql("DROP TABLE IF EXISTS tracked")
    spark.sql(f"""CREATE TABLE tracked (id INT, v STRING, p INT) USING DELTA PARTITIONED BY (p)
              TBLPROPERTIES ('delta.enableRowTracking' = 'true'{request.param})""")
    spark.sql("INSERT INTO tracked SELECT id, 'v' || id, id % 2 FROM range(6)")
    return spark


def test_ids_outlive_every_rewrite(tracked):
    first = {i: r for i, r, _ in ids(tracked, "tracked")}
    assert sorted(first.values()) == [0, 1, 2, 3, 4, 5]
    tracked.sql("UPDATE tracked SET v = 'u' WHERE id = 2")
    tracked.sql("UPDATE tracked SET p = 1 WHERE id = 4")
    tracked.sql("DELETE FROM tracked WHERE id = 1")
    tracked.sql("""MERGE INTO tracked t USING (SELECT 3 id, 'm' v UNION ALL SELECT 5, 'd' UNION ALL SELECT 9, 'n') s ON t.id = s.id
                WHEN MATCHED AND s.v = 'd' THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.v
                WHEN NOT MATCHED THEN INSERT (id, v, p) VALUES (s.id, s.v, 0)""")
    before = ids(tracked, "tracked")
    now = {i: r for i, r, _ in before}
    assert {i: first[i] for i in (0, 2, 3, 4)} == {i: now[i] for i in (0, 2, 3, 4)} and set(now) == {0, 2, 3, 4, 9}
    assert now[9] > 5
    assert {i: v for i, _, v in before} == {0: 1, 2: 2, 3: 5, 4: 3, 9: 5}
    tracked.sql("OPTIMIZE tracked")
    assert ids(tracked, "tracked") == before
    tracked.sql("OPTIMIZE tracked ZORDER BY (id, v)")
    assert ids(tracked, "tracked") == before
    tracked.sql("REORG TABLE tracked APPLY (PURGE)")
    assert ids(tracked, "tracked") == before
    assert ids(tracked, "tracked VERSION AS OF 1") == sorted((i, r, 1) for i, r in first.items())
    check_log(tracked, "tracked")
    tags = [c["operation"] for c in of_kind(log(tracked, "tracked"), "commitInfo")
            if c.get("tags") == {"delta.rowTracking.preserved": "true"}]
    assert {"UPDATE", "DELETE", "MERGE", "OPTIMIZE"} <= set(tags) and "WRITE" not in tags


def test_what_is_written_anew_gets_new_ids(tracked):
    tracked.sql("INSERT OVERWRITE tracked SELECT id, 'w', 0 FROM range(3)")
    assert sorted(r for _, r, _ in ids(tracked, "tracked")) == [6, 7, 8]
    tracked.sql("INSERT INTO tracked REPLACE WHERE id = 1 SELECT 1, 'x', 0")
    now = {i: r for i, r, _ in ids(tracked, "tracked")}
    assert now[1] > 8 and {now[0], now[2]} < {6, 7, 8}
    tracked.sql("DELETE FROM tracked")
    tracked.sql("INSERT INTO tracked VALUES (1, 'y', 1)")
    assert ids(tracked, "tracked")[0][1] > now[1]
    check_log(tracked, "tracked")


def test_restore_gives_the_old_ids_back(tracked):
    old = ids(tracked, "tracked")
    tracked.sql("UPDATE tracked SET v = 'u'")
    tracked.sql("INSERT INTO tracked VALUES (7, 'z', 0)")
    marked = of_kind(log(tracked, "tracked"), "domainMetadata")[-1]
    tracked.sql("RESTORE TABLE tracked TO VERSION AS OF 1")
    assert ids(tracked, "tracked") == old
    assert of_kind(log(tracked, "tracked"), "domainMetadata")[-1] == marked
    tracked.sql("INSERT INTO tracked VALUES (8, 'z', 0)")
    assert ids(tracked, "tracked", "id = 8")[0][1] == json.loads(marked["configuration"])["rowIdHighWaterMark"] + 1
    check_log(tracked, "tracked")


def test_a_checkpoint_keeps_the_ids(tracked):
    tracked.sql("UPDATE tracked SET v = 'u' WHERE id < 3")
    before = ids(tracked, "tracked")
    for i in range(12):
        tracked.sql(f"INSERT INTO tracked VALUES ({100 + i}, 'x', 0)")
    path = tracked.sql("DESCRIBE DETAIL tracked").first()["location"].removeprefix("file:")
    assert glob.glob(f"{path}/_delta_log/*.checkpoint.parquet")
    again = ask(tracked, f"SELECT id, _metadata.row_id, _metadata.row_commit_version FROM delta.`{path}` WHERE id < 100 ORDER BY id")
    assert again == before
    check_log(tracked, "tracked")


def test_metadata_columns(tracked):
    row = tracked.sql("SELECT _metadata.*, _metadata AS m FROM tracked WHERE id = 3").first()
    assert row["row_id"] == row["base_row_id"] + row["row_index"] == row["m"]["row_id"]
    assert row["default_row_commit_version"] == row["row_commit_version"] == 1
    table = tracked.read.table("tracked")
    assert sorted(r[0] for r in table.select("_metadata.row_id").collect()) == list(range(6))
    assert [r[0] for r in table.where("_metadata.row_id >= 4").select("_metadata.row_id").sort("row_id").collect()] == [4, 5]
    joined = tracked.sql("SELECT a.id FROM tracked a JOIN tracked b ON a._metadata.row_id = b._metadata.row_id").collect()
    assert sorted(r[0] for r in joined) == list(range(6))
    assert ask(tracked, "SELECT max(_metadata.row_id), count(*) FROM tracked") == [(5, 6)]
    tracked.sql("DELETE FROM tracked WHERE _metadata.row_id = 5")
    assert max(r for _, r, _ in ids(tracked, "tracked")) == 4
    assert refused(tracked, "UPDATE tracked SET v = 'x' WHERE _metadata.row_id = 1").startswith("UNRESOLVED_COLUMN")
    assert refused(tracked, "SELECT _metadata.row_ids FROM tracked") == "FIELD_NOT_FOUND"


def test_a_table_that_has_rows(spark):
    spark.sql("DROP TABLE IF EXISTS late")
    spark.sql("CREATE TABLE late (id INT) USING DELTA")
    spark.sql("INSERT INTO late VALUES (1), (2)")
    spark.sql("INSERT INTO late VALUES (3)")
    assert refused(spark, "SELECT _metadata.row_id FROM late") == "FIELD_NOT_FOUND"
    assert refused(spark, "SELECT _metadata.base_row_id FROM late") == "FIELD_NOT_FOUND"
    spark.sql("ALTER TABLE late SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')")
    commits = log(spark, "late")
    info = of_kind(commits[3:], "commitInfo")
    assert [c["operation"] for c in info] == ["UPGRADE PROTOCOL", "ROW TRACKING BACKFILL", "SET TBLPROPERTIES"]
    assert info[1]["operationParameters"] == {"batchId": "0"} and not info[1]["isBlindAppend"]
    assert info[2]["tags"] == {"rowTrackingEnablementOnly": "true"}
    assert all(not a["dataChange"] for a in of_kind(commits[4:5], "add"))
    assert sorted(r for _, r, _ in ids(spark, "late")) == [0, 1, 2]
    properties = of_kind(commits, "metaData")[-1]["configuration"]
    spark.sql("ALTER TABLE late SET TBLPROPERTIES ('delta.enableRowTracking' = 'false')")
    assert refused(spark, "SELECT _metadata.row_id FROM late") == "FIELD_NOT_FOUND"
    spark.sql("UPDATE late SET id = 4 WHERE id = 3")
    spark.sql("ALTER TABLE late SET TBLPROPERTIES ('delta.enableRowTracking' = 'true', 'k' = 'v')")
    assert len(log(spark, "late")) == 9 and "tags" not in of_kind(log(spark, "late"), "commitInfo")[-1]
    now = of_kind(log(spark, "late"), "metaData")[-1]["configuration"]
    assert now == {**properties, "k": "v"}
    assert [r for i, r, _ in ids(spark, "late") if i == 4] == [3]
    spark.sql("ALTER TABLE late UNSET TBLPROPERTIES ('delta.rowTracking.materializedRowIdColumnName')")
    assert of_kind(log(spark, "late"), "metaData")[-1]["configuration"] == now


def test_back_before_tracking(spark):
    spark.sql("DROP TABLE IF EXISTS back")
    spark.sql("CREATE TABLE back (id INT) USING DELTA")
    spark.sql("INSERT INTO back VALUES (1), (2)")
    spark.sql("ALTER TABLE back SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')")
    spark.sql("DELETE FROM back")
    spark.sql("RESTORE TABLE back TO VERSION AS OF 1")
    assert refused(spark, "SELECT _metadata.row_id FROM back") == "FIELD_NOT_FOUND"
    spark.sql("RESTORE TABLE back TO VERSION AS OF 4")
    assert sorted(r for _, r, _ in ids(spark, "back")) == [2, 3]
    check = of_kind(log(spark, "back"), "domainMetadata")
    assert json.loads(check[-1]["configuration"])["rowIdHighWaterMark"] == 3


def test_ids_without_the_promise_to_keep_them(spark):
    spark.sql("DROP TABLE IF EXISTS supported")
    spark.sql("CREATE TABLE supported (id INT) USING DELTA TBLPROPERTIES ('delta.feature.rowTracking' = 'supported')")
    spark.sql("INSERT INTO supported VALUES (1), (2)")
    spark.sql("UPDATE supported SET id = 3 WHERE id = 2")
    commits = log(spark, "supported")
    assert [a["baseRowId"] for a in of_kind(commits, "add")] == [0, 2]
    assert "tags" not in of_kind(commits, "commitInfo")[-1]
    assert refused(spark, "SELECT _metadata.row_id FROM supported") == "FIELD_NOT_FOUND"
    check_log(spark, "supported")


def test_other_tables_from_it(tracked):
    tracked.sql("UPDATE tracked SET v = 'u' WHERE id = 1")
    tracked.sql("DROP TABLE IF EXISTS cloned")
    tracked.sql("DROP TABLE IF EXISTS alike")
    tracked.sql("CREATE TABLE cloned SHALLOW CLONE tracked")
    given = [r for _, r, _ in ids(tracked, "cloned")]
    assert len(set(given)) == 6 and all(v == 0 for _, _, v in ids(tracked, "cloned"))
    names = [{k: v for k, v in of_kind(log(tracked, t), "metaData")[-1]["configuration"].items() if k.startswith("delta.rowTracking.")}
             for t in ("tracked", "cloned")]
    assert len({*names[0].values(), *names[1].values()}) == 4
    check_log(tracked, "cloned")
    tracked.sql("CREATE TABLE alike LIKE tracked")
    tracked.sql("INSERT INTO alike VALUES (1, 'x', 2)")
    assert ids(tracked, "alike") == [(1, 0, 1)]
    tracked.sql("CREATE OR REPLACE TABLE alike USING DELTA TBLPROPERTIES ('delta.enableRowTracking' = 'true') AS SELECT 5 AS id")
    assert ids(tracked, "alike") == [(5, 1, 2)]
    check_log(tracked, "alike")


def test_refusals(tracked):
    assert refused(tracked, "ALTER TABLE tracked SET TBLPROPERTIES ('delta.rowTrackingSuspended' = 'true')") == \
        "DELTA_ROW_TRACKING_ILLEGAL_PROPERTY_COMBINATION"
    assert refused(tracked, "ALTER TABLE tracked SET TBLPROPERTIES ('delta.rowTracking.materializedRowIdColumnName' = 'x')") == \
        "DELTA_UNKNOWN_CONFIGURATION"
    name = of_kind(log(tracked, "tracked"), "metaData")[-1]["configuration"]["delta.rowTracking.materializedRowIdColumnName"]
    assert refused(tracked, f"ALTER TABLE tracked ADD COLUMN `{name}` INT") == "DELTA_ADDING_COLUMN_WITH_INTERNAL_NAME_FAILED"


def test_writers_at_once_share_no_id(server, spark):
    spark.sql("DROP TABLE IF EXISTS busy")
    spark.sql("CREATE TABLE busy (id INT, v INT) USING DELTA TBLPROPERTIES ('delta.enableRowTracking' = 'true')")
    spark.sql("INSERT INTO busy VALUES (-1, 0)")
    failures = []

    def write(writer):
        session = server.session()
        try:
            for i in range(6):
                session.sql(f"INSERT INTO busy SELECT {writer * 100 + i}, id FROM range(3)").collect()
        except Exception as e:
            failures.append(e)
        session.stop()

    threads = [threading.Thread(target=write, args=(w,)) for w in range(4)]
    for t in threads:
        t.start()
    for i in range(4):
        spark.sql("OPTIMIZE busy").collect()
    for t in threads:
        t.join()
    assert not failures
    given = [r for _, r, _ in ids(spark, "busy")]
    assert len(given) == len(set(given)) == 4 * 6 * 3 + 1
    check_log(spark, "busy")


def test_ids_while_writers_go_on(server, spark):
    """A table is given its ids while others write to it: none is lost, none given twice."""
    spark.sql("DROP TABLE IF EXISTS alive")
    spark.sql("CREATE TABLE alive (id INT, v INT) USING DELTA")
    spark.sql("INSERT INTO alive VALUES (-1, 0)")
    started, failures = threading.Event(), []

    def write():
        session = server.session()
        try:
            for i in range(20):
                session.sql(f"INSERT INTO alive VALUES ({i}, 0)").collect()
                started.set()
        except Exception as e:
            failures.append(e)
        session.stop()

    thread = threading.Thread(target=write)
    thread.start()
    started.wait(60)
    spark.sql("ALTER TABLE alive SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')")
    thread.join()
    assert not failures
    given = [r for _, r, _ in ids(spark, "alive")]
    assert sorted(given) == list(range(21))


def test_defaults_of_the_session(spark):
    prefix = "spark.databricks.delta.properties.defaults."
    settings = {"enableRowTracking": "true", "feature.vacuumProtocolCheck": "supported", "enableChangeDataFeed": "true", "unheard": "of"}
    for t in ("started", "stated"):
        spark.sql(f"DROP TABLE IF EXISTS {t}")
    for key, value in settings.items():
        spark.conf.set(prefix + key, value)
    spark.sql("CREATE TABLE started USING DELTA AS SELECT 1 AS id")
    spark.sql("CREATE TABLE stated (id INT) USING DELTA TBLPROPERTIES ('delta.enableChangeDataFeed' = 'false')")
    assert ids(spark, "started") == [(1, 0, 0)]
    known = {t: dict(ask(spark, f"SHOW TBLPROPERTIES {t}")) for t in ("started", "stated")}
    assert known["started"]["delta.enableChangeDataFeed"] == "true" and known["stated"]["delta.enableChangeDataFeed"] == "false"
    assert all(p["delta.feature.vacuumProtocolCheck"] == "supported" and "delta.unheard" not in p for p in known.values())
    spark.conf.set(prefix + "checkpointInterval", "x")
    assert refused(spark, "CREATE TABLE never (id INT) USING DELTA") == "UNSUPPORTED_TABLE_CHANGE"


@pytest.mark.parametrize("seed", range(4))
def test_any_changes(spark, seed):
    """Random statements on random kinds of tables: a row that stays keeps its id, and no two have the same."""
    dice = random.Random(seed)
    kinds = ["'delta.enableRowTracking' = 'true'"]
    kinds += dice.sample(["'delta.enableDeletionVectors' = 'true'", "'delta.enableChangeDataFeed' = 'true'",
                          f"'delta.columnMapping.mode' = '{dice.choice(['name', 'id'])}'"], dice.randrange(4))
    layout = dice.choice(["", "PARTITIONED BY (p)", "CLUSTER BY (id)"])
    spark.sql("DROP TABLE IF EXISTS any")
    spark.sql(f"""CREATE TABLE any (id INT, v STRING NOT NULL, p INT, g INT GENERATED ALWAYS AS (id * 2),
              n BIGINT GENERATED ALWAYS AS IDENTITY) USING DELTA {layout} TBLPROPERTIES ({', '.join(kinds)})""")
    spark.sql("ALTER TABLE any ADD CONSTRAINT positive CHECK (id >= 0)")
    spark.sql("INSERT INTO any (id, v, p) SELECT id, 'a', id % 3 FROM range(12)")
    known, newest = {}, 100
    for step in range(10):
        found = spark.sql("SELECT id, _metadata.row_id AS r, g, n FROM any").collect()
        assert len({row.r for row in found}) == len({row.id for row in found}) == len(found)
        assert all(known.setdefault(row.id, (row.r, row.n)) == (row.r, row.n) and row.g == 2 * row.id for row in found)
        some = ", ".join(str(row.id) for row in dice.sample(found, min(len(found), dice.randint(1, 3)))) or "0"
        newest += 2
        spark.sql(dice.choice([
            f"UPDATE any SET v = '{step}' WHERE id IN ({some})",
            f"UPDATE any SET p = (p + 1) % 3 WHERE id % {dice.randint(2, 4)} = 0",
            f"DELETE FROM any WHERE id IN ({some})",
            f"""MERGE INTO any t USING (SELECT explode(array({some}, {newest}, {newest + 1})) id) s ON t.id = s.id
            WHEN MATCHED AND t.id % 5 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET v = 'm'
            WHEN NOT MATCHED THEN INSERT (id, v, p) VALUES (s.id, 'n', 1)
            WHEN NOT MATCHED BY SOURCE AND t.id % 7 = 0 THEN UPDATE SET v = 's' WHEN NOT MATCHED BY SOURCE AND t.id % 11 = 10 THEN DELETE""",
            f"""MERGE WITH SCHEMA EVOLUTION INTO any t USING (SELECT explode(array({some})) id, 1 AS x{step}) s ON t.id = s.id
            WHEN MATCHED THEN UPDATE SET x{step} = s.x{step}""",
            f"INSERT INTO any (id, v, p) VALUES ({newest}, 'i', 0), ({newest + 1}, 'i', 2)",
            "OPTIMIZE any FULL" if "CLUSTER" in layout else "OPTIMIZE any ZORDER BY (v)",
            "OPTIMIZE any", "REORG TABLE any APPLY (PURGE)"]))
    check_log(spark, "any")
