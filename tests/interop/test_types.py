"""Every type a Delta table can hold, written by lakeshed and by Spark with the same statements, read by both and by the others."""
import pytest
from engines import rows

TYPES = {
    "b": "BOOLEAN", "y": "TINYINT", "h": "SMALLINT", "i": "INT", "l": "BIGINT", "f": "FLOAT", "d": "DOUBLE", "s": "STRING",
    "v": "VARCHAR(8)", "x": "BINARY", "day": "DATE", "t": "TIMESTAMP", "n": "TIMESTAMP_NTZ", "m9": "DECIMAL(9,2)",
    "m18": "DECIMAL(18,9)", "m38": "DECIMAL(38,10)", "a": "ARRAY<STRUCT<p: INT, q: DECIMAL(5,1)>>",
    "k": "MAP<STRING, ARRAY<TIMESTAMP>>", "r": "STRUCT<p: INT, q: STRUCT<u: DATE, w: BINARY>>",
}
NULL = {name: "NULL" for name in TYPES}
USUAL = {
    "b": "true", "y": "1", "h": "-2", "i": "3", "l": "-4", "f": "1.5", "d": "-2.25", "s": "'text'", "v": "'short'", "x": "X'00FF10'",
    "day": "DATE'2024-02-29'", "t": "TIMESTAMP'2024-07-01 12:34:56.789012'", "n": "TIMESTAMP_NTZ'2024-07-01 12:34:56.789012'",
    "m9": "1234567.89", "m18": "123456789.123456789", "m38": "1.0000000001",
    "a": "array(named_struct('p', 1, 'q', 2.5), NULL, named_struct('p', NULL, 'q', -2.5))",
    "k": "map('one', array(TIMESTAMP'2024-01-01 00:00:00', NULL), '', NULL)",
    "r": "named_struct('p', 1, 'q', named_struct('u', DATE'1999-12-31', 'w', X'AB'))",
}
ROWS = [
    USUAL, NULL,
    USUAL | {"b": "false", "y": "-128", "h": "-32768", "i": "-2147483648", "l": "-9223372036854775808", "f": "-3.4028235E38",
             "d": "-1.7976931348623157E308", "day": "DATE'0001-01-01'", "t": "TIMESTAMP'0001-01-03 00:00:00'",
             "n": "TIMESTAMP_NTZ'0001-01-01 00:00:00'", "m9": "-9999999.99", "m18": "-999999999.999999999",
             "m38": "-9999999999999999999999999999.9999999999", "s": "''", "v": "''", "x": "X''"},
    USUAL | {"y": "127", "h": "32767", "i": "2147483647", "l": "9223372036854775807", "f": "3.4028235E38",
             "d": "1.7976931348623157E308", "day": "DATE'9999-12-31'", "t": "TIMESTAMP'9999-12-30 23:59:59.999999'",
             "n": "TIMESTAMP_NTZ'9999-12-31 23:59:59.999999'", "m9": "9999999.99", "m18": "999999999.999999999",
             "m38": "9999999999999999999999999999.9999999999", "s": "repeat('ż😀', 40)", "v": "'żółć😀'"},
    USUAL | {"f": "FLOAT('NaN')", "d": "DOUBLE('NaN')", "a": "array()", "k": "map()", "r": "named_struct('p', NULL, 'q', NULL)",
             "day": "DATE'1582-10-04'", "t": "TIMESTAMP'1582-10-04 23:59:59'", "n": "TIMESTAMP_NTZ'1582-10-15 00:00:00'"},
    USUAL | {"f": "-0.0", "d": "-0.0", "day": "DATE'1500-02-28'", "t": "TIMESTAMP'1883-11-18 12:00:00'"},
    USUAL | {"f": "FLOAT('-Infinity')", "d": "DOUBLE('Infinity')", "day": "DATE'1970-01-01'", "t": "TIMESTAMP'1969-12-31 23:59:59.999999'",
             "s": "'line\\nquote\\'\"\\\\'"},
]
PREDICATES = [
    "b", "NOT b", "y = -128", "h > 32766", "i = 2147483647", "l < -9223372036854775807", "f = FLOAT('NaN')", "d > 1e308", "d = 0",
    "d = DOUBLE('Infinity')", "f < -3e38", "s = ''", "s >= 'ż'", "s = repeat('ż😀', 40)", "s LIKE 'line%'", "v = ''", "x = X''", "x = X'00FF10'",
    "day < DATE'1600-01-01'", "day = DATE'9999-12-31'", "t = TIMESTAMP'9999-12-30 23:59:59.999999'", "t < TIMESTAMP'1583-01-01 00:00:00'",
    "t > TIMESTAMP'2024-07-01 12:34:56.789'", "n = TIMESTAMP_NTZ'0001-01-01 00:00:00'", "m9 = -9999999.99", "m18 > 999999999.99999999",
    "m38 < 0", "i IS NULL", "a IS NOT NULL", "r.q.u = DATE'1999-12-31'", "r.p IS NULL", "size(a) = 0", "k[''] IS NULL AND k IS NOT NULL",
]
ZONES = {"lakeshed": "America/Los_Angeles", "spark": "Asia/Kolkata"}


def make_everything(engine, name):
    columns = ", ".join(f"{column} {kind}" for column, kind in TYPES.items())
    inserts = [f"INSERT INTO {name} VALUES ({number}, {', '.join(row.values())})" for number, row in enumerate(ROWS)]
    engine.sql(f"CREATE TABLE {name} (id INT, {columns}) USING DELTA", *inserts)
    return engine.path(name)


@pytest.fixture(scope="module")
def everything(lakeshed, spark):
    """The same rows in a table of each engine, each written by a session with a time zone of its own."""
    paths = {}
    for writer, engine in ("lakeshed", lakeshed), ("spark", spark):
        engine.sql(**{"spark.sql.session.timeZone": ZONES[writer]})
        paths[writer] = make_everything(engine, "everything")
        engine.sql(**{"spark.sql.session.timeZone": "UTC"})
    return paths


@pytest.mark.parametrize("writer", ZONES)
def test_values(writer, everything, lakeshed, spark, delta_rs, duck):
    path = everything[writer]
    ours = lakeshed.version(path, len(ROWS))[0]
    assert rows(ours) == rows(spark.version(path, len(ROWS))[0])
    assert [field["type"] for field in lakeshed.schema(path)["fields"]] == [field["type"] for field in spark.schema(path)["fields"]]
    if writer == "lakeshed":
        # delta-rs and DuckDB have no CHAR, VARCHAR, and hold a number of microseconds since 1970 as Spark does.
        assert rows(delta_rs.version(path, len(ROWS))[0]) == rows(ours)
        assert rows(duck.version(path, len(ROWS))[0]) == rows(ours)


def test_both_wrote_the_same(everything, lakeshed):
    """Apart from the instants, which follow the zone of the session that wrote them."""
    zoned = ("t", "k")
    columns = ["id", *(name for name in TYPES if name not in zoned)]
    mine, theirs = (lakeshed.version(everything[writer], len(ROWS))[0] for writer in ZONES)
    assert rows(mine, *columns) == rows(theirs, *columns)


@pytest.mark.parametrize("writer", ZONES)
def test_predicates_find_the_same(writer, everything, lakeshed, spark):
    """Each row is a file: what statistics leave out must not be what the predicate wants."""
    query = " UNION ALL ".join(f"SELECT {number} predicate, id FROM delta.`{everything[writer]}` WHERE {text}"
                               for number, text in enumerate(PREDICATES))
    ours = rows(lakeshed.query(query))
    assert ours == rows(spark.query(query))
    assert len({predicate for _, predicate in ours}) > len(PREDICATES) - 4


PLAIN = ["a b", "a%20b", "a/b", "a=b", "a:b", "żółć", '"quoted"', "it's", "{x}", "a\\b", "#", "?", "a\tb", "a\nb", "+&*", ".", "..", " ",
         "trailing ", "😀", "x" * 150, "[1]", "~^|<>", "\u007f", "null", "__HIVE_DEFAULT_PARTITION__x"]


def quoted(text):
    escapes = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t"}
    return "'" + "".join(escapes.get(c, c) for c in text) + "'"


@pytest.mark.parametrize("writer", ZONES)
def test_partition_texts(writer, request, lakeshed, spark, delta_rs, duck):
    engine = request.getfixturevalue(writer)
    values = ", ".join(f"({number}, {quoted(text)})" for number, text in enumerate(PLAIN))
    engine.sql("CREATE TABLE texts (id INT, p STRING) USING DELTA PARTITIONED BY (p)",
               f"INSERT INTO texts VALUES {values}, (-1, NULL), (-2, '')")
    path = engine.path("texts")
    wanted = sorted([*enumerate(PLAIN), (-1, None), (-2, None)], key=repr)
    for reader in (lakeshed, spark, delta_rs, duck):
        assert rows(reader.version(path, 1)[0], "id", "p") == wanted, reader
    lakeshed.sql(f"UPDATE delta.`{path}` SET id = id + 1000 WHERE p IN ('a/b', 'a%20b', 'a\\nb')",
                 f"DELETE FROM delta.`{path}` WHERE p = 'it\\'s' OR p IS NULL")
    changed = sorted(((number + 1000 if text in ("a/b", "a%20b", "a\nb") else number, text) for number, text in enumerate(PLAIN)
                      if text != "it's"), key=repr)
    for reader in (lakeshed, spark):
        assert rows(reader.version(path, 3)[0], "id", "p") == changed, reader


PARTITIONS = [name for name in TYPES if name not in ("x", "v", "a", "k", "r", "s")]


@pytest.mark.parametrize("writer", ZONES)
def test_partition_types(writer, request, lakeshed, spark, delta_rs, duck):
    """Every type that can partition, with the values of ROWS; instants in a zone with daylight saving."""
    engine = request.getfixturevalue(writer)
    columns = ", ".join(f"{name} {TYPES[name]}" for name in PARTITIONS)
    values = ", ".join(f"({number}, {', '.join(row[name] for name in PARTITIONS)})" for number, row in enumerate(ROWS))
    engine.sql(**{"spark.sql.session.timeZone": "America/Los_Angeles"})
    engine.sql(f"CREATE TABLE kinds (id INT, {columns}) USING DELTA PARTITIONED BY ({', '.join(PARTITIONS)})",
               f"INSERT INTO kinds VALUES {values}",
               "INSERT INTO kinds (id, t) SELECT 100 + n, timestamp_seconds(1730624400 + 1800 * n) FROM "
               "(SELECT explode(sequence(0, 5)) n)")
    engine.sql(**{"spark.sql.session.timeZone": "UTC"})
    path = engine.path("kinds")
    ours = rows(lakeshed.version(path, 2)[0])
    assert ours == rows(spark.version(path, 2)[0])
    found = "SELECT id FROM delta.`{}` WHERE t = TIMESTAMP'2024-11-03 09:30:00' OR day = DATE'1582-10-04' OR m9 < -9999999 OR d = DOUBLE('NaN')"
    assert rows(lakeshed.query(found.format(path))) == rows(spark.query(found.format(path)))
    if writer == "lakeshed":  # Spark itself takes the second 01:30 of that night for the first.
        assert [row[0] for row in rows(lakeshed.query(found.format(path)))] == [101, 2, 4]
