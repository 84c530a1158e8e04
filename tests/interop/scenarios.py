"""Tables by feature: how each is made and what happens to it. Every statement is lakeshed's and Spark's alike."""
import dataclasses

FILL = ("INSERT INTO {t} (id, v, day) SELECT CAST(id AS INT), concat('r', id), date_add(DATE '2024-01-01', CAST(id % 3 AS INT)) "
        "FROM range(50)")
CHANGE = [
    FILL,
    "UPDATE {t} SET v = concat(v, '!') WHERE id % 10 = 0",
    "DELETE FROM {t} WHERE id > 40 OR v IS NULL",
    "MERGE INTO {t} t USING (SELECT CAST(id AS INT) id, concat('m', id) v, DATE '2024-01-02' day FROM range(35, 60)) s "
    "ON t.id = s.id WHEN MATCHED AND s.id % 2 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.v "
    "WHEN NOT MATCHED THEN INSERT (id, v, day) VALUES (s.id, s.v, s.day) WHEN NOT MATCHED BY SOURCE AND t.id < 3 THEN DELETE",
    "INSERT INTO {t} (id, v, day) VALUES (100, NULL, NULL), (101, '', DATE '2024-01-01')",
    "DELETE FROM {t} WHERE id = 101",
    "OPTIMIZE {t}",
    "UPDATE {t} SET day = DATE '2024-02-29' WHERE id IN (5, 6, 7)",
    "INSERT OVERWRITE {t} (id, v, day) SELECT id, v, day FROM {t} WHERE id < 30",
    "RESTORE TABLE {t} TO VERSION AS OF 4",
    "DELETE FROM {t} WHERE day = DATE '2024-01-03'",
    "INSERT INTO {t} (id, v, day) VALUES (200, 'last', DATE '1066-10-14')",
]
COLUMNS = "(id INT, v STRING, day DATE)"
VECTORS = "'delta.enableDeletionVectors' = 'true'"
FEED = "'delta.enableChangeDataFeed' = 'true'"


@dataclasses.dataclass
class Scenario:
    """`maker` runs the statements. `mirrored`: Spark runs them too, and must come to the same rows at every version.

    `feeds`: ranges of versions for the change feed, which does not reach over a renamed or dropped column."""
    name: str
    create: str
    statements: list = dataclasses.field(default_factory=lambda: CHANGE)
    maker: str = "lakeshed"
    mirrored: bool = False
    readers: tuple = ("delta_rs", "duck")
    feeds: tuple = ()


SCENARIOS = [
    Scenario("plain", "{c} USING DELTA", mirrored=True),
    Scenario("feed", "{c} USING DELTA PARTITIONED BY (v) TBLPROPERTIES ({FEED})", feeds=((0, 12), (2, 3))),
    Scenario("vectors", "{c} USING DELTA PARTITIONED BY (day) TBLPROPERTIES ({VECTORS}, {FEED})", mirrored=True,
             feeds=((0, 12), (2, 3))),
    Scenario("guarded", """(id INT NOT NULL, v STRING DEFAULT 'none', day DATE, week INT GENERATED ALWAYS AS (weekofyear(day)))
             USING DELTA PARTITIONED BY (week) TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')""",
             ["ALTER TABLE {t} ADD CONSTRAINT small CHECK (id < 1000)", *CHANGE[:5],
              "INSERT INTO {t} (id, day) VALUES (300, DATE '2024-12-30'), (301, NULL)",
              "ALTER TABLE {t} DROP CONSTRAINT small", "UPDATE {t} SET v = DEFAULT, day = DATE '2020-01-01' WHERE id < 5"],
             mirrored=True),
    Scenario("nested", """(id INT, s STRUCT<a: INT, b: STRUCT<c: STRING, d: ARRAY<INT>>>, m MAP<STRING, ARRAY<DATE>>)
             USING DELTA TBLPROPERTIES ({VECTORS})""",
             ["""INSERT INTO {t} SELECT CAST(id AS INT), IF(id % 4 = 0, NULL, named_struct('a', CAST(id AS INT), 'b',
              IF(id % 4 = 1, NULL, named_struct('c', string(id), 'd', array(1, NULL, CAST(id AS INT)))))),
              IF(id % 3 = 0, NULL, map('k', array(DATE '2024-01-01', NULL), string(id), NULL)) FROM range(12)""",
              "UPDATE {t} SET s = named_struct('a', -1, 'b', s.b) WHERE id IN (1, 2, 4)",
              "DELETE FROM {t} WHERE s.b.d[2] = 3",
              """MERGE INTO {t} t USING (SELECT 6 id, named_struct('c', 'm', 'd', array(9)) b) s ON t.id = s.id
              WHEN MATCHED THEN UPDATE SET t.s = named_struct('a', 0, 'b', s.b), t.m = map('z', array())""",
              "OPTIMIZE {t}"], mirrored=True),
    Scenario("mapped", "{c} USING DELTA PARTITIONED BY (day) TBLPROPERTIES ('delta.columnMapping.mode' = 'name', {VECTORS}, {FEED})",
             [*CHANGE[:4], "ALTER TABLE {t} RENAME COLUMN v TO `a b`", "ALTER TABLE {t} ADD COLUMNS (extra DOUBLE AFTER id, v INT)",
              "INSERT INTO {t} (id, `a b`, day, extra, v) VALUES (300, 'new', DATE '2024-03-01', 1.5, 7)",
              "ALTER TABLE {t} DROP COLUMN extra", "UPDATE {t} SET v = id, `a b` = 'y' WHERE id > 50", "OPTIMIZE {t}"], maker="spark",
             feeds=((9, 10),)),
    Scenario("modern", """(id INT, v STRING, day DATE, n BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 10 INCREMENT BY 5)) USING DELTA
             CLUSTER BY (id) TBLPROPERTIES ('delta.columnMapping.mode' = 'id', 'delta.enableRowTracking' = 'true',
             'delta.enableInCommitTimestamps' = 'true', 'delta.checkpointPolicy' = 'v2', {VECTORS})""", maker="spark"),
    Scenario("widened", "(id INT, v STRING, day DATE, n SMALLINT) USING DELTA TBLPROPERTIES ('delta.enableTypeWidening' = 'true')",
             [*CHANGE[:2], "UPDATE {t} SET n = CAST(id AS SMALLINT)", "ALTER TABLE {t} ALTER COLUMN n TYPE BIGINT",
              "INSERT INTO {t} VALUES (300, 'big', NULL, 1234567890123)", "DELETE FROM {t} WHERE n = 7",
              "ALTER TABLE {t} ALTER COLUMN id TYPE BIGINT", "OPTIMIZE {t}"], maker="spark"),
]


def create(scenario, table):
    return f"CREATE TABLE {table} " + scenario.create.format(c=COLUMNS, VECTORS=VECTORS, FEED=FEED)
