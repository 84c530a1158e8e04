"""Time travel and change feeds in every spelling, over one table that Spark wrote: the same rows, or the same error class."""
import os
import re

import pytest
from engines import rows

DAY = 86400
FIRST = 1704067200  # version n was committed n days after 2024-01-01
QUERIES = """
SELECT * FROM {t} VERSION AS OF 1
SELECT * FROM {t} VERSION AS OF '1'
SELECT * FROM {t} VERSION AS OF 1 + 1
SELECT * FROM {t} VERSION AS OF -1
SELECT * FROM {t} VERSION AS OF 99
SELECT * FROM {t} VERSION AS OF 'abc'
SELECT * FROM {t} VERSION AS OF ''
SELECT * FROM {t} VERSION AS OF NULL
SELECT * FROM {t} VERSION AS OF 1.5
SELECT * FROM {t} VERSION AS OF 9223372036854775808
SELECT * FROM {t} VERSION AS OF (SELECT 1)
SELECT * FROM {t} FOR VERSION AS OF 2
SELECT * FROM {t} FOR SYSTEM_VERSION AS OF 2
SELECT * FROM {t} SYSTEM_VERSION AS OF 2
SELECT * FROM {t} FOR SYSTEM_TIME AS OF '2024-01-03'
SELECT * FROM {t} SYSTEM_TIME AS OF '2024-01-03'
SELECT * FROM {t} TIMESTAMP AS OF '2024-01-03'
SELECT * FROM {t} FOR TIMESTAMP AS OF '2024-01-03'
SELECT * FROM {t} TIMESTAMP AS OF '2024-01-03 12:00:00'
SELECT * FROM {t} TIMESTAMP AS OF '2024-01-03T12:00:00+14:00'
SELECT * FROM {t} TIMESTAMP AS OF TIMESTAMP '2024-01-03 00:00:00'
SELECT * FROM {t} TIMESTAMP AS OF DATE '2024-01-03'
SELECT * FROM {t} TIMESTAMP AS OF TIMESTAMP_NTZ '2024-01-03 00:00:00'
SELECT * FROM {t} TIMESTAMP AS OF date_add(DATE '2024-01-01', 2)
SELECT * FROM {t} TIMESTAMP AS OF DATE '2024-01-01' + INTERVAL 2 DAYS
SELECT * FROM {t} TIMESTAMP AS OF current_timestamp()
SELECT * FROM {t} TIMESTAMP AS OF now() - INTERVAL 1 DAY
SELECT * FROM {t} TIMESTAMP AS OF '2023-01-01'
SELECT * FROM {t} TIMESTAMP AS OF '2024-01-06'
SELECT * FROM {t} TIMESTAMP AS OF '2099-01-01'
SELECT * FROM {t} TIMESTAMP AS OF 'nonsense'
SELECT * FROM {t} TIMESTAMP AS OF ''
SELECT * FROM {t} TIMESTAMP AS OF NULL
SELECT * FROM {t} TIMESTAMP AS OF 1704240000
SELECT * FROM {t} TIMESTAMP AS OF 1704240000.5
SELECT * FROM {t} TIMESTAMP AS OF true
SELECT * FROM {t} TIMESTAMP AS OF (SELECT TIMESTAMP '2024-01-03')
SELECT * FROM {t} TIMESTAMP AS OF id
SELECT * FROM {t} TIMESTAMP AS OF rand()
SELECT a.id AS x, b.id AS y FROM {t} VERSION AS OF 1 a FULL JOIN {t} TIMESTAMP AS OF '2024-01-05' b ON a.id = b.id
SELECT * FROM delta.`{p}@v1`
SELECT * FROM delta.`{p}@V1`
SELECT * FROM delta.`{p}@v01`
SELECT * FROM delta.`{p}@20240103000000000`
SELECT * FROM delta.`{p}@20240102235959999`
SELECT * FROM delta.`{p}@v99`
SELECT * FROM delta.`{p}@v1` VERSION AS OF 2
SELECT * FROM (SELECT * FROM {t}) VERSION AS OF 1
WITH c AS (SELECT * FROM {t} VERSION AS OF 1) SELECT * FROM c
WITH c AS (SELECT * FROM {t}) SELECT * FROM c VERSION AS OF 1
SELECT * FROM nothing_here VERSION AS OF 1
SELECT * FROM range(3) VERSION AS OF 1
SELECT * FROM parquet.`{p}` VERSION AS OF 1
SELECT * FROM table_changes('{n}', 1)
SELECT * FROM table_changes('{n}', 1, 2)
SELECT * FROM table_changes('{n}', '1', '2')
SELECT * FROM table_changes('{n}', 2, 1)
SELECT * FROM table_changes('{n}', 99)
SELECT * FROM table_changes('{n}', 6)
SELECT * FROM table_changes('{n}', 1, 99)
SELECT * FROM table_changes('{n}', NULL)
SELECT * FROM table_changes('{n}', '2024-01-02')
SELECT * FROM table_changes('{n}', '2024-01-02', '2024-01-04')
SELECT * FROM table_changes('{n}', TIMESTAMP'2024-01-02', TIMESTAMP'2024-01-04')
SELECT * FROM table_changes('{n}', TIMESTAMP'2023-01-01')
SELECT * FROM table_changes('{n}', TIMESTAMP'2030-01-01')
SELECT * FROM table_changes('{n}', TIMESTAMP'2024-01-04', TIMESTAMP'2024-01-02')
SELECT * FROM table_changes('{n}', TIMESTAMP'2024-01-02', TIMESTAMP'2030-01-01')
SELECT * FROM table_changes('{n}', 1 + 1, 2 + 1)
SELECT * FROM table_changes('{n}', 1.5)
SELECT * FROM table_changes('{n}', true)
SELECT * FROM table_changes('{n}', 'abc')
SELECT * FROM table_changes('nothing_here', 3)
SELECT * FROM table_changes('travelled_view', 3)
SELECT * FROM table_changes_by_path('{p}', 3)
SELECT * FROM table_changes_by_path('{p}', 3, 4)
RESTORE {t} TO VERSION AS OF 99
RESTORE {t} TO VERSION AS OF -1
RESTORE {t} TO TIMESTAMP AS OF '2023-01-01'
RESTORE {t} TO TIMESTAMP AS OF '2099-01-01'
RESTORE {t} TO TIMESTAMP AS OF 'x'
""".strip().split("\n")
FEED = {"readChangeFeed": "true"}
OPTIONS = [
    {"versionAsOf": "1"}, {"VERSIONASOF": "1"}, {"versionAsOf": "x"}, {"versionAsOf": "99"}, {"versionAsOf": "-1"}, {"versionAsOf": ""},
    {"timestampAsOf": "2024-01-03"}, {"timestampAsOf": "2024-01-03T01:00:00.000Z"}, {"timestampAsOf": "x"}, {"timestampAsOf": ""},
    {"timestampAsOf": "2020-01-01"}, {"timestampAsOf": "2099-01-01"}, {"timestampAsOf": "1704240000"},
    {"versionAsOf": "1", "timestampAsOf": "2024-01-03"},
    FEED, FEED | {"startingVersion": "1"}, FEED | {"startingVersion": "1", "endingVersion": "2"}, FEED | {"startingTimestamp": "2024-01-03"},
    FEED | {"startingTimestamp": "2024-01-02", "endingTimestamp": "2024-01-03"}, FEED | {"startingVersion": "latest"},
    FEED | {"startingVersion": "1", "startingTimestamp": "2024-01-02"}, FEED | {"startingVersion": "3", "endingVersion": "2"},
    FEED | {"startingVersion": "99"}, FEED | {"startingVersion": "x"}, {"readChangeData": "true", "startingVersion": "4"},
    {"readChangeFeed": "false", "startingVersion": "4"}, {"readChangeFeed": "maybe", "startingVersion": "4"},
    FEED | {"startingVersion": "4", "versionAsOf": "4"}, FEED | {"startingTimestamp": "2099-01-01"}, FEED | {"startingTimestamp": "x"},
    {"startingVersion": "4"}, FEED | {"endingVersion": "4"}, FEED | {"startingVersion": "5", "endingVersion": "99"},
    FEED | {"startingVersion": "1", "endingTimestamp": "2024-01-03"}, FEED | {"startingTimestamp": "2024-01-03", "endingVersion": "4"},
]
STATEMENTS = [
    "CREATE TABLE {t} (id INT, v STRING) USING delta TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true', "
    "'delta.deletedFileRetentionDuration' = 'interval 100000 days', 'delta.logRetentionDuration' = 'interval 100000 days')",
    "INSERT INTO {t} VALUES (1, 'a'), (2, 'b')", "INSERT INTO {t} VALUES (3, 'c')", "UPDATE {t} SET v = 'B' WHERE id = 2",
    "DELETE FROM {t} WHERE id = 1", "INSERT INTO {t} VALUES (5, 'e')"]


@pytest.fixture(scope="module")
def travelled(lakeshed, spark, tmp_path_factory):
    path = tmp_path_factory.mktemp("travel") / "table"
    spark.sql(*(s.format(t=f"delta.`{path}`") for s in STATEMENTS))
    for version in range(6):
        os.utime(path / "_delta_log" / f"{version:020}.json", (FIRST + version * DAY,) * 2)
        for name in (f"{version:020}.crc", f".{version:020}.json.crc"):
            (path / "_delta_log" / name).unlink(missing_ok=True)
    for engine in (lakeshed, spark):
        engine.sql(f"CREATE TABLE travelled USING delta LOCATION '{path}'", "CREATE TEMP VIEW travelled_view AS SELECT * FROM travelled")
    return path


def class_of(text):
    found = re.search(r"\[([A-Z_]+(\.[A-Z_]+)?)\]", text)
    return found.group(1) if found else text


def ours(ask):
    try:
        return rows(ask())
    except Exception as error:
        return class_of(str(error))


def theirs(spark, read):
    answer = spark.ask(reads=[read | {"to": str(spark.folder / "travel.arrow")}])
    return class_of(answer["error"]) if "error" in answer else rows(spark._load(str(spark.folder / "travel.arrow")))


@pytest.mark.parametrize("query", QUERIES)
def test_spellings(query, lakeshed, spark, travelled):
    text = query.format(t="travelled", n="travelled", p=travelled)
    got, expected = ours(lambda: lakeshed.query(text)), theirs(spark, {"query": text})
    if isinstance(expected, str) and "time travel spec" in expected:
        expected = "_LEGACY_ERROR_TEMP_0056"
        got = got if isinstance(got, list) or "time travel spec" not in got else expected
    assert got == expected


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_options(options, lakeshed, spark, travelled):
    path = str(travelled)
    assert ours(lambda: lakeshed.read(path, **options)) == theirs(spark, {"path": path, "options": options})


@pytest.mark.parametrize("suffix", ["@v1", "@20240103000000000", "@v99"])
def test_paths(suffix, lakeshed, spark, travelled):
    path = str(travelled) + suffix
    assert ours(lambda: lakeshed.read(path)) == theirs(spark, {"path": path, "options": {}})


def test_names(lakeshed, travelled):
    """Beyond open-source Delta, as on Databricks: a suffix of a table's name."""
    for name in ("travelled@v1", "`travelled@v1`", "travelled@20240102000000000", "default.travelled@v1"):
        assert rows(lakeshed.query(f"SELECT id FROM {name}")) == [(1,), (2,)]
