"""Table features written here, and Spark taking turns on the same tables."""
import pytest
from engines import rows

MAPPED = """CREATE TABLE {t} (id INT, `a b` STRING, s STRUCT<x: INT, y: STRING>, l ARRAY<STRUCT<q: INT>>, p STRING) USING DELTA PARTITIONED BY (p)
    TBLPROPERTIES ('delta.columnMapping.mode' = '{mode}', 'delta.enableDeletionVectors' = '{vectors}')"""
TURNS = [
    ("lakeshed", "INSERT INTO {t} VALUES (1, 'x', struct(1, 'u'), array(struct(1)), 'q'), (2, 'y', struct(2, 'v'), NULL, 'r;s'), (3, 'z', NULL, array(), NULL)"),
    ("spark", "INSERT INTO {t} VALUES (10, 'x', struct(1, 'u'), array(struct(NULL)), 'q'), (20, 'y', struct(2, 'v'), NULL, 'r;s')"),
    ("lakeshed", "UPDATE {t} SET `a b` = 'xx', s.x = 11 WHERE id IN (1, 10)"),
    ("spark", "ALTER TABLE {t} RENAME COLUMN `a b` TO c"),
    ("lakeshed", "DELETE FROM {t} WHERE c = 'y' AND id = 20"),
    ("lakeshed", "ALTER TABLE {t} RENAME COLUMN p TO `p,1`"),
    ("spark", "INSERT INTO {t} VALUES (30, 'new', struct(3, 'w'), array(struct(4), struct(5)), 'q')"),
    ("lakeshed", "ALTER TABLE {t} DROP COLUMNS (s.y, c)"),
    ("lakeshed", "ALTER TABLE {t} ADD COLUMN c INT AFTER id"),
    ("spark", "ALTER TABLE {t} ADD COLUMN s.y INT"),
    ("lakeshed", "MERGE INTO {t} t USING (SELECT 3 id, 9 n UNION ALL SELECT 4, 8) u ON t.id = u.id WHEN MATCHED THEN UPDATE SET c = u.n "
                 "WHEN NOT MATCHED THEN INSERT (id, c, s) VALUES (u.id, u.n, named_struct('x', u.n, 'y', u.n))"),
    ("spark", "UPDATE {t} SET s.y = 1 WHERE `p,1` = 'q'"),
    ("lakeshed", "OPTIMIZE {t}"),
    ("spark", "DELETE FROM {t} WHERE id = 4"),
    ("lakeshed", "INSERT INTO {t} VALUES (5, 55, struct(5, 6), array(struct(7)), 'z')"),
]


@pytest.mark.parametrize("mode, vectors", [("name", "true"), ("id", "false")])
def test_mapped_columns(mode, vectors, lakeshed, spark):
    name = f"mapped_{mode}"
    lakeshed.sql(MAPPED.format(t=name, mode=mode, vectors=vectors))
    path = lakeshed.path(name)
    writers = {"lakeshed": lakeshed, "spark": spark}
    for writer, statement in TURNS:
        writers[writer].sql(statement.format(t=f"delta.`{path}`"))
    last = lakeshed.last_version(name)
    mine = lakeshed.version(path, *range(last + 1))
    for version, table in enumerate(spark.version(path, *range(last + 1))):
        assert rows(table) == rows(mine[version]), f"version {version}"
    assert sorted(r[1] for r in rows(mine[last])) == [1, 2, 3, 5, 10, 30]
