"""Spark and delta-rs change tables that lakeshed made, lakeshed goes on where they stopped, and all see the same."""
import deltalake
import pyarrow
import pytest
from engines import rows

CREATE = """CREATE TABLE {t} (id INT NOT NULL, v STRING DEFAULT 'none', day DATE, month INT GENERATED ALWAYS AS (month(day)))
    USING DELTA {partitioned} TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true', 'delta.enableDeletionVectors' = '{vectors}',
    'delta.feature.allowColumnDefaults' = 'supported', 'delta.checkpointInterval' = '4')"""
START = ["INSERT INTO {t} (id, v, day) SELECT CAST(id AS INT), concat('r', id), date_add(DATE'2024-01-30', CAST(id AS INT)) FROM range(40)",
         "ALTER TABLE {t} ADD CONSTRAINT small CHECK (id IS NULL OR id < 1000)"]
ROUNDS = [
    ("spark", "INSERT INTO {t} (id, day) VALUES (100, DATE'2024-03-03'), (101, NULL)"),
    ("spark", "UPDATE {t} SET v = concat(v, '+'), day = date_add(day, 40) WHERE id % 7 = 0"),
    ("lakeshed", "UPDATE {t} SET v = concat(v, '-') WHERE id % 5 = 0"),
    ("spark", """MERGE INTO {t} t USING (SELECT CAST(id AS INT) id, 'm' v, DATE'2023-05-05' day FROM range(30, 50)) s ON t.id = s.id
     WHEN MATCHED AND s.id % 2 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.v
     WHEN NOT MATCHED THEN INSERT (id, v, day) VALUES (s.id, s.v, s.day)"""),
    ("lakeshed", "DELETE FROM {t} WHERE id IN (3, 31, 45, 100)"),
    ("spark", "DELETE FROM {t} WHERE id IN (4, 33, 47)"),
    ("lakeshed", """MERGE INTO {t} t USING (SELECT CAST(id AS INT) id, 'again' v FROM range(33, 36)) s ON t.id = s.id
     WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)"""),
    ("spark", "OPTIMIZE {t}"),
    ("lakeshed", "INSERT INTO {t} (id, v, day) VALUES (200, DEFAULT, DATE'1582-10-04')"),
    ("spark", "RESTORE TABLE {t} TO VERSION AS OF 8"),
    ("lakeshed", "OPTIMIZE {t}"),
    ("spark", "UPDATE {t} SET v = 'end' WHERE id = 1"),
]


@pytest.mark.parametrize("vectors", ["false", "true"])
def test_taking_turns(vectors, lakeshed, spark):
    name = f"turns_{vectors}"
    lakeshed.sql(CREATE.format(t=name, vectors=vectors, partitioned="PARTITIONED BY (month)" if vectors == "true" else ""),
                 *(statement.format(t=name) for statement in START))
    path = lakeshed.path(name)
    writers = {"lakeshed": lakeshed, "spark": spark}
    for writer, statement in ROUNDS:
        writers[writer].sql(statement.format(t=f"delta.`{path}`"))
    last = lakeshed.last_version(name)
    assert last in (len(START) + len(ROUNDS), len(START) + len(ROUNDS) - 2)  # one file needs no OPTIMIZE
    contents = [rows(table) for table in lakeshed.version(path, *range(last + 1))]
    for version, table in enumerate(spark.version(path, *range(last + 1))):
        assert rows(table) == contents[version], f"version {version}"
    assert (1, "end") in rows(lakeshed.query(f"SELECT id, v FROM {name}"))
    assert rows(lakeshed.changes(path, 0, last)) == rows(spark.changes(path, 0, last))


def test_each_keeps_the_others_rules(lakeshed, spark):
    lakeshed.sql(CREATE.format(t="ruled", vectors="true", partitioned=""), *(statement.format(t="ruled") for statement in START))
    path = lakeshed.path("ruled")
    for statement, word in [("INSERT INTO {t} (id) VALUES (5000)", "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"),
                            ("INSERT INTO {t} (id) VALUES (NULL)", "DELTA_NOT_NULL_CONSTRAINT_VIOLATED"),
                            ("INSERT INTO {t} (v) VALUES ('x')", "DELTA_INSERT_COLUMN_MISMATCH"),
                            ("INSERT INTO {t} (id, day, month) VALUES (1, DATE'2024-01-01', 2)", "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES")]:
        assert word in spark.refusal(statement.format(t=f"delta.`{path}`"))
        with pytest.raises(Exception) as error:
            lakeshed.sql(statement.format(t="ruled"))
        assert error.value.getCondition() == word
    assert lakeshed.last_version("ruled") == len(START)


def test_delta_rs_writes(lakeshed, spark):
    lakeshed.sql("CREATE TABLE shared (id INT, v STRING) USING DELTA PARTITIONED BY (v)", "INSERT INTO shared VALUES (1, 'a'), (2, 'b')")
    path = lakeshed.path("shared")
    new = pyarrow.table({"id": pyarrow.array([3, 4], pyarrow.int32()), "v": ["a", "c/d"]})
    deltalake.write_deltalake(path, new, mode="append")
    deltalake.DeltaTable(path).delete("id = 1")
    deltalake.DeltaTable(path).update(predicate="id = 2", new_values={"id": 20})
    lakeshed.sql("INSERT INTO shared VALUES (5, NULL)")
    deltalake.DeltaTable(path).optimize.compact()
    lakeshed.sql("UPDATE shared SET id = id * 10 WHERE v = 'a'")
    assert rows(lakeshed.query("SELECT * FROM shared")) == [(20, "b"), (30, "a"), (4, "c/d"), (5, None)]
    last = lakeshed.last_version("shared")
    for mine, theirs in zip(lakeshed.version(path, *range(last + 1)), spark.version(path, *range(last + 1))):
        assert rows(mine) == rows(theirs)
