"""VARIANT columns of Delta tables."""
import glob
import json

import pytest

DOCUMENTS = ['{"a":1,"b":[1,2.5,"x",null]}', "null", None, "[]", '"text"', "-7", "1e300", "true", '{"deep":{"er":[{"x":[[]]}]}}']


def refused(spark, statement):
    with pytest.raises(Exception) as error:
        spark.sql(statement).collect()
    return error.value.getCondition()


def content(spark, name, where="true"):
    """id, then v and s.x as JSON (None: NULL), then the elements of l."""
    rows = spark.sql(f"SELECT id, to_json(v), to_json(s.x), transform(l, e -> to_json(e)) FROM {name} WHERE {where} ORDER BY id")
    return [tuple(r) for r in rows.collect()]


def log(spark, name):
    path = spark.sql(f"DESCRIBE DETAIL {name}").first()["location"].removeprefix("file:")
    return [json.loads(line) for f in sorted(glob.glob(f"{path}/_delta_log/*.json")) for line in open(f)]


def literal(document):
    return "CAST(NULL AS VARIANT)" if document is None else f"parse_json('{document}')"


@pytest.fixture(params=["", "'delta.enableDeletionVectors' = 'true', 'delta.enableRowTracking' = 'true'",
                        "'delta.columnMapping.mode' = 'name', 'delta.enableChangeDataFeed' = 'true'", "'delta.columnMapping.mode' = 'id'"])
def variants(spark, request):
    spark.sql("DROP TABLE IF EXISTS variants")
    properties = f"TBLPROPERTIES ({request.param})" if request.param else ""
    spark.sql(f"CREATE TABLE variants (id INT, v VARIANT, s STRUCT<x: VARIANT, y: INT>, l ARRAY<VARIANT>, m MAP<STRING, VARIANT>) USING DELTA {properties}")
    for i, d in enumerate(DOCUMENTS):
        v = literal(d)
        spark.sql(f"INSERT INTO variants SELECT {i}, {v}, struct({v} AS x, {i} AS y), array({v}, NULL), map('k', {v})")
    return spark


def expected(i):
    d = DOCUMENTS[i]
    shown = {"1e300": "1.0E300"}.get(d, d)
    return (i, shown, shown, [shown, None])


def test_what_was_written_is_read(variants):
    assert content(variants, "variants") == [expected(i) for i in range(len(DOCUMENTS))]
    known = variants.sql("SELECT id FROM variants WHERE is_variant_null(v) AND is_variant_null(m['k'])").collect()
    assert [r[0] for r in known] == [1]
    assert [r[0] for r in variants.sql("SELECT id FROM variants WHERE v IS NULL").collect()] == [2]
    value = variants.table("variants").where("id = 0").first()["v"]
    assert json.loads(value.toJson()) == {"a": 1, "b": [1, 2.5, "x", None]}
    protocol = [a["protocol"] for a in log(variants, "variants") if "protocol" in a][0]
    assert "variantType" in protocol["readerFeatures"] and "variantType" in protocol["writerFeatures"]
    counts = [json.loads(a["add"]["stats"])["nullCount"] for a in log(variants, "variants") if "add" in a]
    assert [sum(1 for c in counts for k in c if c[k] == n and not isinstance(c[k], dict)) > 0 for n in (0, 1)] == [True, True]


def test_rows_change(variants):
    variants.sql("UPDATE variants SET v = parse_json('{\"u\":[0]}') WHERE id = 3")
    variants.sql("UPDATE variants SET s.x = v WHERE variant_get(v, '$.a', 'int') = 1")
    variants.sql("DELETE FROM variants WHERE is_variant_null(v)")
    variants.sql("""MERGE INTO variants t USING (SELECT 4 id, parse_json('{"m":1}') v UNION ALL SELECT 20, parse_json('null')) s ON t.id = s.id
                 WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, s.v)""")
    now = {r[0]: r for r in content(variants, "variants")}
    assert now[3][1] == '{"u":[0]}' and now[0][2] == DOCUMENTS[0] and now[4][1] == '{"m":1}'
    assert now[20] == (20, "null", None, None) and 1 not in now
    before = content(variants, "variants")
    variants.sql("OPTIMIZE variants")
    assert content(variants, "variants") == before
    assert content(variants, f"variants VERSION AS OF {len(DOCUMENTS)}") == [expected(i) for i in range(len(DOCUMENTS))]
    variants.sql("DROP TABLE IF EXISTS copied")
    variants.sql("CREATE TABLE copied SHALLOW CLONE variants")
    assert content(variants, "copied") == before


def test_other_ways_in(variants):
    variants.sql("DROP TABLE IF EXISTS made")
    variants.sql("CREATE TABLE made USING DELTA AS SELECT id, v, s, l FROM variants")
    assert content(variants, "made") == [expected(i) for i in range(len(DOCUMENTS))]
    variants.table("made").write.format("delta").mode("append").saveAsTable("made")
    assert len(content(variants, "made")) == 2 * len(DOCUMENTS)
    variants.sql("ALTER TABLE made ADD COLUMN w VARIANT")
    variants.sql("INSERT INTO made (id, w) VALUES (99, 5)")
    assert [tuple(r) for r in variants.sql("SELECT w, schema_of_variant(w) FROM made WHERE w IS NOT NULL").collect()][0][1] == "BIGINT"


def test_refusals(spark):
    spark.sql("DROP TABLE IF EXISTS bad")
    assert refused(spark, "CREATE TABLE bad (id INT, v VARIANT) USING DELTA PARTITIONED BY (v)") == "INVALID_PARTITION_COLUMN_DATA_TYPE"
    assert refused(spark, "CREATE TABLE bad (id INT, v VARIANT) USING DELTA CLUSTER BY (v)") == "DELTA_CLUSTERING_COLUMNS_DATATYPE_NOT_SUPPORTED"


def test_the_property_brings_the_feature(spark):
    spark.sql("DROP TABLE IF EXISTS shredding")
    spark.sql("CREATE TABLE shredding (v VARIANT) USING DELTA TBLPROPERTIES ('delta.enableVariantShredding' = 'true')")
    spark.sql("INSERT INTO shredding SELECT parse_json('[1]')")
    assert "variantShredding-preview" in [a["protocol"] for a in log(spark, "shredding") if "protocol" in a][0]["readerFeatures"]
    assert spark.sql("SELECT to_json(v) FROM shredding").first()[0] == "[1]"
