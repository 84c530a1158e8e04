"""Columns whose type becomes wider while their files stay, and schemas that grow with what is written."""
import json
from datetime import date, datetime
from decimal import Decimal
import glob

import pytest


def refused(spark, statement):
    with pytest.raises(Exception) as error:
        spark.sql(statement).collect()
    return error.value.getCondition()


def schema_string(path):
    newest = [line for f in sorted(glob.glob(f"{path}/_delta_log/*.json")) for line in open(f) if line.startswith('{"metaData"')][-1]
    return json.loads(json.loads(newest)["metaData"]["schemaString"])


def changes(path):
    """{top field: its delta.typeChanges}"""
    return {f["name"]: f["metadata"]["delta.typeChanges"] for f in schema_string(path)["fields"] if "delta.typeChanges" in f["metadata"]}


@pytest.fixture
def wide(spark, tmp_path):
    spark.sql("DROP TABLE IF EXISTS wide")
    spark.sql("CREATE TABLE wide (a BYTE, s STRUCT<x: SMALLINT, y: ARRAY<INT>>, m MAP<SMALLINT, FLOAT>, d DECIMAL(5,2), dt DATE, i INT, f FLOAT) "
              f"USING delta LOCATION '{tmp_path}/wide' TBLPROPERTIES ('delta.enableTypeWidening' = 'true', 'delta.feature.timestampNtz' = 'supported')")
    spark.sql("INSERT INTO wide VALUES (1, struct(2, array(3)), map(4, 5.5), 6.26, DATE'2024-01-02', 8, 0.1)")
    return spark, f"{tmp_path}/wide"


WIDENED = ["a TYPE INT", "a TYPE BIGINT", "s.x TYPE INT", "s.y.element TYPE BIGINT", "m.key TYPE INT", "m.value TYPE DOUBLE",
           "d TYPE DECIMAL(10,4)", "dt TYPE TIMESTAMP_NTZ", "i TYPE DOUBLE", "f TYPE DOUBLE"]


def test_every_kind_of_column_is_widened(wide):
    spark, path = wide
    for change in WIDENED:
        spark.sql(f"ALTER TABLE wide ALTER COLUMN {change}")
    found = changes(path)
    assert found["a"] == [{"toType": "integer", "fromType": "byte"}, {"toType": "long", "fromType": "integer"}]
    assert found["m"] == [{"toType": "integer", "fromType": "short", "fieldPath": "key"}, {"toType": "double", "fromType": "float", "fieldPath": "value"}]
    inner = schema_string(path)["fields"][1]["type"]["fields"]
    assert [f["metadata"]["delta.typeChanges"][0].get("fieldPath") for f in inner] == [None, "element"]
    spark.sql("INSERT INTO wide VALUES (10000000000, struct(200000, array(30000000000)), map(400000, 5.5), 6.2555, "
              "TIMESTAMP_NTZ'2024-01-01 03:04:05', 7.5, 0.1)")
    rows = [tuple(r) for r in spark.table("wide").orderBy("a").collect()]
    assert rows[0][:6] == (1, (2, [3]), {4: 5.5}, Decimal("6.2600"), datetime(2024, 1, 2), 8.0) and rows[0][6] == pytest.approx(0.1, 1e-6)
    assert rows[1] == (10000000000, (200000, [30000000000]), {400000: 5.5}, Decimal("6.2555"), datetime(2024, 1, 1, 3, 4, 5), 7.5, 0.1)
    assert spark.sql("SELECT * FROM wide VERSION AS OF 1").first().dt == date(2024, 1, 2)


@pytest.mark.parametrize("condition, rows", [
    ("i <= 7.5D", [7.5]), ("i > 7.6D", [8.0]), ("i = 8.2D", []), ("i < 8.4D", [7.5, 8.0]), ("d = 6.2555", [7.5]), ("d < 6.2601", [7.5, 8.0]),
    ("d > 6.2599", [8.0]), ("f = 0.1D", [7.5]), ("f > 0.1D", [8.0]), ("dt < TIMESTAMP_NTZ'2024-01-02 01:00:00'", [7.5, 8.0]),
    ("dt >= TIMESTAMP_NTZ'2024-01-02 00:00:01'", []), ("a < 30000000000", [7.5, 8.0]), ("s.x = 2", [8.0]), ("s.y[0] = 30000000000", [7.5])])
def test_old_files_are_asked_in_the_new_type(wide, condition, rows):
    spark, _ = wide
    for change in WIDENED:
        spark.sql(f"ALTER TABLE wide ALTER COLUMN {change}")
    spark.sql("INSERT INTO wide VALUES (100, struct(200000, array(30000000000)), map(400000, 5.5), 6.2555, TIMESTAMP_NTZ'2024-01-01 03:04:05', 7.5, 0.1)")
    assert [r.i for r in spark.sql(f"SELECT i FROM wide WHERE {condition} ORDER BY i").collect()] == rows


def test_other_changes_are_refused(wide):
    spark, _ = wide
    assert refused(spark, "ALTER TABLE wide ALTER COLUMN i TYPE SMALLINT") == "NOT_SUPPORTED_CHANGE_COLUMN"
    assert refused(spark, "ALTER TABLE wide ALTER COLUMN d TYPE DECIMAL(5,3)") == "NOT_SUPPORTED_CHANGE_COLUMN"
    assert refused(spark, "ALTER TABLE wide ALTER COLUMN i TYPE STRING") == "DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP"
    spark.sql("ALTER TABLE wide ADD CONSTRAINT positive CHECK (i > 0)")
    assert refused(spark, "ALTER TABLE wide ALTER COLUMN i TYPE BIGINT") == "DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE"
    spark.sql("ALTER TABLE wide SET TBLPROPERTIES ('delta.enableTypeWidening' = 'false')")
    assert refused(spark, "ALTER TABLE wide ALTER COLUMN a TYPE INT") == "DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP"


# ---- schema evolution ----

def test_appends_widen_columns_and_add_fields(wide):
    spark, path = wide
    rows = spark.sql("SELECT 70000 a, named_struct('x', 90000, 'y', array(5L), 'z', 'new') s, 9000000000 i, 'more' extra")
    rows.write.mode("append").option("mergeSchema", "true").format("delta").save(path)
    table = spark.read.format("delta").load(path)
    assert dict(table.dtypes)["a"] == "int" and dict(table.dtypes)["i"] == "bigint" and dict(table.dtypes)["s"] == "struct<x:int,y:array<bigint>,z:string>"
    assert [(r.a, tuple(r.s), r.i, r.extra) for r in table.orderBy("a").collect()] == [
        (1, (2, [3], None), 8, None), (70000, (90000, [5], "new"), 9000000000, "more")]
    spark.sql("SELECT 2.5D a").write.mode("append").option("mergeSchema", "true").format("delta").save(path)
    assert dict(spark.read.format("delta").load(path).dtypes)["a"] == "int"


def test_merge_adds_fields_inside_structs(spark, tmp_path):
    spark.sql("DROP TABLE IF EXISTS grown")
    spark.sql(f"CREATE TABLE grown (id INT, s STRUCT<a: INT, b: STRUCT<c: INT>>, l ARRAY<STRUCT<q: INT>>) USING delta LOCATION '{tmp_path}/grown'")
    spark.sql("INSERT INTO grown VALUES (1, struct(1, struct(1)), array(struct(1))), (2, struct(2, struct(2)), NULL)")
    spark.sql("""MERGE WITH SCHEMA EVOLUTION INTO grown t
        USING (SELECT 2 id, named_struct('a', 20, 'b', named_struct('c', 21, 'd', 'deep')) s, array(named_struct('q', 22, 'r', 'in')) l
               UNION ALL SELECT 3, named_struct('a', 30, 'b', named_struct('c', 31, 'd', NULL)), NULL) u ON t.id = u.id
        WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *""")
    assert spark.table("grown").schema.simpleString() == "struct<id:int,s:struct<a:int,b:struct<c:int,d:string>>,l:array<struct<q:int,r:string>>>"
    assert [(r.id, r.s.a, tuple(r.s.b), r.l and [tuple(x) for x in r.l]) for r in spark.table("grown").orderBy("id").collect()] == [
        (1, 1, (1, None), [(1, None)]), (2, 20, (21, "deep"), [(22, "in")]), (3, 30, (31, None), None)]
