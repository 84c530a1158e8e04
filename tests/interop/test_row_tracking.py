"""Row ids: Spark and lakeshed take turns on one table, and each reads the ids that the other kept."""
import pytest
from engines import rows

IDS = "SELECT *, _metadata.row_id AS r, _metadata.row_commit_version AS v_ FROM {t}"
TURNS = [
    ("INSERT INTO {t} SELECT id, 'a', id % 2 FROM range(8)", 0),
    ("UPDATE {t} SET v = 'b' WHERE id IN (1, 2)", 1),
    ("""MERGE INTO {t} t USING (SELECT 3 id, 'c' v UNION ALL SELECT 4, 'd' UNION ALL SELECT 20, 'n') s ON t.id = s.id
     WHEN MATCHED AND s.v = 'd' THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.v
     WHEN NOT MATCHED THEN INSERT (id, v, p) VALUES (s.id, s.v, 1)""", 0),
    ("DELETE FROM {t} WHERE id = 5", 1),
    ("OPTIMIZE {t}", 0),
    ("UPDATE {t} SET p = 1 - p WHERE id < 3", 1),
    ("OPTIMIZE {t} ZORDER BY (id)", 1),
    ("INSERT INTO {t} VALUES (30, 'e', 0)", 0),
    ("INSERT INTO {t} VALUES (31, 'f', 1)", 1),
    ("DELETE FROM {t} WHERE id = 0", 0),
    ("REORG TABLE {t} APPLY (PURGE)", 0),
    ("MERGE INTO {t} t USING (SELECT 30 id UNION ALL SELECT 40) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = 'g' "
     "WHEN NOT MATCHED THEN INSERT (id, v, p) VALUES (s.id, 'h', 0)", 1),
    ("RESTORE TABLE {t} TO VERSION AS OF 3", 1),
    ("UPDATE {t} SET v = 'i' WHERE id = 6", 0),
    ("RESTORE TABLE {t} TO VERSION AS OF 9", 0),
    ("DELETE FROM {t} WHERE id = 6", 1),
]
KINDS = {
    "plain": "", "vectors": ", 'delta.enableDeletionVectors' = 'true'", "named": ", 'delta.columnMapping.mode' = 'name'",
    "by_id": ", 'delta.columnMapping.mode' = 'id', 'delta.enableDeletionVectors' = 'true'",
    "modern": ", 'delta.checkpointPolicy' = 'v2', 'delta.checkpointInterval' = '4', 'delta.enableChangeDataFeed' = 'true'",
}


@pytest.mark.parametrize("kind, first", [(kind, n % 2) for n, kind in enumerate(KINDS)])
def test_turns(kind, first, lakeshed, spark, tmp_path):
    writers = (lakeshed, spark)
    table = f"delta.`{tmp_path}/t`"
    writers[first].sql(f"CREATE TABLE {table} (id INT, v STRING, p INT) USING DELTA PARTITIONED BY (p) "
                       f"TBLPROPERTIES ('delta.enableRowTracking' = 'true'{KINDS[kind]})")
    known = {}
    for statement, writer in TURNS:
        writers[writer ^ first].sql(statement.format(t=table))
        seen = [rows(w.query(IDS.format(t=table))) for w in writers]
        assert seen[0] == seen[1], statement
        now = {row[0]: row[2] for row in seen[0]}
        assert len(set(now.values())) == len(now)
        assert all(known.setdefault(i, r) == r for i, r in now.items()), statement
    assert sorted(known) == [0, 1, 2, 3, 4, 5, 6, 7, 20, 30, 31, 40]


def test_backfill(lakeshed, spark, delta_rs, duck, tmp_path):
    """Tables that had rows: each gives the ids, the other reads and keeps them."""
    for n, (giver, keeper) in enumerate([(lakeshed, spark), (spark, lakeshed)]):
        path = f"{tmp_path}/late{n}"
        table = f"delta.`{path}`"
        keeper.sql(f"CREATE TABLE {table} (id INT, v STRING, p INT) USING DELTA",
                   f"INSERT INTO {table} SELECT id, 'a', 0 FROM range(5)", f"INSERT INTO {table} VALUES (5, 'b', 0)")
        giver.sql(f"ALTER TABLE {table} SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')")
        before = rows(giver.query(IDS.format(t=table)))
        assert sorted(r[2] for r in before) == list(range(6))
        assert rows(keeper.query(IDS.format(t=table))) == before
        keeper.sql(f"UPDATE {table} SET v = 'c' WHERE id = 2", f"OPTIMIZE {table}")
        after = rows(giver.query(IDS.format(t=table)))
        assert {r[0]: r[2] for r in after} == {r[0]: r[2] for r in before}
        assert rows(keeper.query(IDS.format(t=table))) == after
        last = len(lakeshed.query(f"DESCRIBE HISTORY {table}")) - 1
        plain = rows(lakeshed.read(path))
        assert rows(delta_rs.version(path, last)[0]) == plain == rows(duck.version(path, last)[0])
