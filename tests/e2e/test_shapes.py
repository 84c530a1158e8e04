"""GEOMETRY and GEOGRAPHY: types, functions and the limits of well-known binary. Answers are a recording of Spark 4.2."""
import struct

import pytest

POINT = "X'0101000000000000000000f03f0000000000000040'"


def one(spark, text):
    return spark.sql("SELECT " + text).collect()[0][0]


def failure(spark, text):
    with pytest.raises(Exception) as caught:
        spark.sql("SELECT " + text).collect()
    return str(caught.value).split("\n")[0]


def hexed(*parts):
    return "X'" + b"".join(parts).hex() + "'"


@pytest.mark.parametrize("text, want", [
    (f"typeof(st_geomfromwkb({POINT}))", "geometry(0)"),
    (f"typeof(st_geomfromwkb({POINT}, 2154))", "geometry(2154)"),
    (f"typeof(st_geomfromwkb({POINT}, 4325 + 1))", "geometry(any)"),
    (f"typeof(array(st_geomfromwkb({POINT}, 4326), st_geomfromwkb({POINT})))", "array<geometry(any)>"),
    (f"typeof(cast(st_geogfromwkb({POINT}) AS geometry(4326)))", "geometry(4326)"),
    (f"st_srid(st_setsrid(st_geomfromwkb({POINT}), 3857))", 3857),
    (f"st_srid(st_geomfromwkb({POINT}, 4326)::geometry(any))", 4326),
    (f"hex(st_asbinary(st_geogfromwkb({POINT}), 'XDR'))", "00000000013FF00000000000004000000000000000"),
    ("hex(st_asbinary(st_geomfromwkb(X'00000000013ff00000000000004000000000000000')))",
     "0101000000000000000000F03F0000000000000040"),
    ("st_srid(NULL)", None),
    (f"st_geomfromwkb({POINT}, NULL) IS NULL", True),
])
def test_answers(spark, text, want):
    assert one(spark, text) == want


def test_values_reach_the_client(spark):
    shape = one(spark, f"st_geomfromwkb({POINT}, 3857)")
    assert shape.getSrid() == 3857 and shape.getBytes().hex() == "0101000000000000000000f03f0000000000000040"
    schema = spark.sql("SELECT cast(NULL AS geography(any)) a, cast(NULL AS geometry(4326)) b").schema
    assert schema.simpleString() == "struct<a:geography(any),b:geometry(4326)>"


LINE, RING = struct.pack("<BIIdddd", 1, 2, 2, 0, 0, 1, 1), struct.pack("<BIII6d", 1, 3, 1, 3, 0, 0, 1, 1, 0, 0)


@pytest.mark.parametrize("wkb, message", [
    ("X''", "WKB data is empty or null at position 0"),
    ("X'6F'", "Unexpected end of WKB buffer at position 0"),
    ("X'0201000000000000000000f03f0000000000000040'", "Invalid byte order 2 at position 0"),
    (hexed(struct.pack("<BI", 1, 9)), "Invalid or unsupported type 9 at position 1"),
    (hexed(struct.pack("<BIdd", 1, 1, 1, float("inf"))), "Invalid coordinate value found at position 13"),
    (hexed(struct.pack("<BIi", 1, 2, -1)), "Invalid count for LineString points: -1 at position 5"),
    (hexed(struct.pack("<BII", 1, 6, 0x7FFFFFFF)),
     "Invalid count for MultiPolygon polygons: exceeds remaining bytes at position 5"),
    (hexed(struct.pack("<BIIdd", 1, 2, 1, 0, 0)), "Too few points in linestring at position 5"),
    (hexed(RING), "Too few points in ring at position 9"),
    (hexed(struct.pack("<BIII8d", 1, 3, 1, 4, 0, 0, 1, 1, 2, 1, 0, 5)), "Ring is not closed at position 9"),
    (hexed(struct.pack("<BII", 1, 4, 1), LINE), "Expected Point in MultiPoint at position 50"),
    (hexed(struct.pack("<BII", 1, 7, 1), struct.pack("<BIddd", 1, 1001, 1, 2, 3)),
     "Invalid or unsupported type 1001 at position 10"),
])
def test_broken_bytes(spark, wkb, message):
    assert failure(spark, f"st_geomfromwkb({wkb})").startswith(f"[WKB_PARSE_ERROR] Error parsing WKB: {message}")


def test_deep_bytes_end(spark):
    deep = struct.pack("<BII", 1, 7, 1) * 5000 + struct.pack("<BIdd", 1, 1, 1, 2)
    assert "WKB_PARSE_ERROR" in failure(spark, f"st_geomfromwkb({hexed(deep)})")


@pytest.mark.parametrize("text, error", [
    (f"st_geomfromwkb({POINT}, 9999)", "ST_INVALID_SRID_VALUE"),
    (f"st_setsrid(st_geogfromwkb({POINT}), 3857)", "ST_INVALID_SRID_VALUE"),
    (f"st_asbinary(st_geomfromwkb({POINT}), 'abc')", "ST_INVALID_ENDIANNESS_VALUE"),
    ("st_geogfromwkb(X'010100000000000000000069400000000000005940')", "WKB_PARSE_ERROR"),
    (f"cast(st_geomfromwkb({POINT}) AS string)", "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"),
    (f"cast(st_geomfromwkb({POINT}, 3857) AS geometry(4326))", "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"),
    ("cast(NULL AS geography)", "UNSUPPORTED_DATATYPE"),
    ("st_srid(1)", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"),
    (f"st_geomfromwkb({POINT}) = st_geomfromwkb({POINT})", "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE"),
])
def test_refused(spark, text, error):
    with pytest.raises(Exception, match=error.replace(".", r"\.")):
        spark.sql("SELECT " + text).collect()


def test_delta_tables_have_no_shapes(spark):
    with pytest.raises(Exception, match="DELTA_GEOSPATIAL_NOT_SUPPORTED"):
        spark.sql("CREATE TABLE shapes (g geometry(4326)) USING delta")


@pytest.fixture
def preview(spark):
    spark.conf.set("spark.databricks.delta.geo.preview.enabled", "true")
    yield spark
    spark.conf.unset("spark.databricks.delta.geo.preview.enabled")


SHAPED = "id INT, g GEOMETRY(4326), h GEOGRAPHY(4326), many ARRAY<GEOMETRY(0)>, inner STRUCT<g: GEOGRAPHY(4326)>"
READ = "SELECT id, hex(st_asbinary(g)), st_srid(g), hex(st_asbinary(h)), hex(st_asbinary(many[0])), hex(st_asbinary(inner.g)) FROM {} ORDER BY id"
WKB = POINT[2:-1].upper()


def test_delta_tables_keep_shapes_in_the_preview(preview, tmp_path):
    table = f"delta.`{tmp_path}/shaped`"
    preview.sql(f"CREATE TABLE {table} ({SHAPED}) USING delta TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.enableChangeDataFeed' = 'true')")
    preview.sql(f"INSERT INTO {table} SELECT 1, st_geomfromwkb({POINT}, 4326), st_geogfromwkb({POINT}), array(st_geomfromwkb({POINT})), "
                f"struct(st_geogfromwkb({POINT}))")
    preview.sql(f"INSERT INTO {table} VALUES (2, NULL, NULL, NULL, NULL)")
    preview.sql(f"UPDATE {table} SET h = st_geogfromwkb({POINT}) WHERE id = 2")
    preview.sql(f"MERGE INTO {table} t USING (SELECT 2 id, st_geomfromwkb({POINT}, 4326) g) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET g = s.g")
    assert [tuple(r) for r in preview.sql(READ.format(table)).collect()] == [
        (1, WKB, 4326, WKB, WKB, WKB), (2, WKB, 4326, WKB, None, None)]
    features = preview.sql(f"DESCRIBE DETAIL {table}").collect()[0].tableFeatures
    assert "geospatial" in features
    preview.conf.unset("spark.databricks.delta.geo.preview.enabled")
    for text in (f"SELECT id FROM {table}", f"DELETE FROM {table}"):
        with pytest.raises(Exception, match="DELTA_GEOSPATIAL_NOT_SUPPORTED"):
            preview.sql(text).collect()


@pytest.mark.parametrize("text, error", [
    ("CREATE TABLE {} (g GEOMETRY(ANY)) USING delta", "DELTA_GEOSPATIAL_SRID_NOT_SUPPORTED"),
    ("CREATE TABLE {} (g ARRAY<GEOMETRY(ANY)>) USING delta", "DELTA_GEOSPATIAL_SRID_NOT_SUPPORTED"),
    ("CREATE TABLE {} (g GEOMETRY(4326)) USING delta CLUSTER BY (g)", "DELTA_CLUSTERING_COLUMNS_DATATYPE_NOT_SUPPORTED"),
    ("CREATE TABLE {} (g GEOMETRY(4326)) USING delta; ALTER TABLE {} DROP FEATURE geospatial", "DELTA_CANNOT_DROP_GEOSPATIAL_FEATURE"),
    ("CREATE TABLE {} (g GEOMETRY(4326)) USING delta; OPTIMIZE {} ZORDER BY (g)", "DELTA_OPERATION_NOT_SUPPORTED_FOR_DATATYPES"),
])
def test_refused_of_tables_with_shapes(preview, tmp_path, text, error):
    *before, last = text.format(*2 * [f"delta.`{tmp_path}/t`"]).split("; ")
    for statement in before:
        preview.sql(statement)
    with pytest.raises(Exception, match=error):
        preview.sql(last).collect()
