"""CHAR(n): read with blanks and compared as if the other side had them. Answers are a recording of Spark 4.2 with Delta 4.4."""
import pytest


@pytest.fixture(scope="module", params=["delta", "parquet"])
def table(request, server):
    spark = server.session()
    name = f"chars_{request.param}"
    spark.sql(f"CREATE TABLE {name} (id INT, c CHAR(5), v VARCHAR(4), s STRUCT<c: CHAR(3)>, a ARRAY<CHAR(3)>, m MAP<CHAR(2), CHAR(3)>) USING {request.param}")
    spark.sql(f"INSERT INTO {name} VALUES (1, 'ab', 'ab', named_struct('c', 'x'), array('y', NULL), map('k', 'v')), "
              "(2, 'abcde', 'abcd', NULL, NULL, NULL), (3, NULL, NULL, NULL, NULL, NULL), (4, 'ab  ', 'ab  ', named_struct('c', CAST(NULL AS STRING)), CAST(array() AS ARRAY<STRING>), CAST(map() AS MAP<STRING, STRING>))")
    yield name
    spark.sql(f"DROP TABLE {name}")
    spark.stop()


def test_values(spark, table):
    rows = spark.sql(f"SELECT c, v, s.c, a, m, length(c) FROM {table} ORDER BY id").collect()
    assert [tuple(r) for r in rows] == [
        ("ab   ", "ab", "x  ", ["y  ", None], {"k ": "v  "}, 5), ("abcde", "abcd", None, None, None, 5),
        (None, None, None, None, None, None), ("ab   ", "ab  ", None, [], {}, 5)]
    assert spark.sql(f"SELECT s FROM {table} WHERE id = 2").collect()[0].s is None


@pytest.mark.parametrize("condition, ids", [
    ("c = 'ab'", [1, 4]), ("'ab' = c", [1, 4]), ("c = 'ab     '", [1, 4]), ("c IN ('ab', 'abcde')", [1, 2, 4]), ("c > 'ab'", [2]),
    ("c <=> 'ab'", [1, 4]), ("c <> 'ab'", [2]), ("c = concat('a', 'b')", [1, 4]), ("c NOT IN ('ab')", [2]),
    ("v = 'ab'", [1]), ("s.c = 'x'", []), ("get(a, 0) = 'y'", []), ("c LIKE 'ab'", []), ("c BETWEEN 'ab' AND 'ab'", []),
    ("c = (SELECT 'ab')", []), ("CASE c WHEN 'ab' THEN true END", [1, 4]),
])
def test_comparisons(spark, table, condition, ids):
    assert [r.id for r in spark.sql(f"SELECT id FROM {table} WHERE {condition} ORDER BY id").collect()] == ids


def test_names_and_renamed_columns(spark, table):
    shown = spark.sql(f"SELECT c = 'ab' FROM {table}")
    assert shown.columns == ["(c = ab)"]
    assert spark.sql(f"SELECT count(*) FROM (SELECT c AS d FROM {table}) WHERE d = 'ab'").collect()[0][0] == 2
    assert spark.sql(f"SELECT count(*) FROM {table} x JOIN {table} y ON x.c = y.c WHERE x.c = 'ab'").collect()[0][0] == 4


def test_unpadded_when_asked(spark, table):
    spark.conf.set("spark.sql.readSideCharPadding", "false")
    try:
        stored = spark.sql(f"SELECT id, c FROM {table} WHERE c = 'ab' ORDER BY id").collect()
    finally:
        spark.conf.unset("spark.sql.readSideCharPadding")
    assert [r.id for r in stored] == [1, 4]
    assert [r.c for r in stored] == (["ab", "ab  "] if table.endswith("delta") else ["ab   ", "ab   "])


def test_statements_compare_what_is_stored(spark):
    spark.sql("CREATE TABLE chars_changed (id INT, c CHAR(5)) USING delta")
    spark.sql("INSERT INTO chars_changed VALUES (1, 'ab'), (2, 'ab  ')")
    spark.sql("UPDATE chars_changed SET id = 3 WHERE c = 'ab'")
    assert [tuple(r) for r in spark.table("chars_changed").orderBy("id").collect()] == [(2, "ab   "), (3, "ab   ")]
    spark.sql("DROP TABLE chars_changed")
