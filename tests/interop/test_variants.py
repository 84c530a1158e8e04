"""VARIANT columns: what Spark writes, marked, shredded or neither, is read here; what is written here is read by all."""
import pathlib

import pytest
from engines import rows

SHOWN = """SELECT id, to_json(v) AS v, v IS NULL AS n, schema_of_variant(v) AS t, to_json(s.x) AS x,
           transform(l, e -> to_json(e)) AS l FROM {t}"""
VALUES = """SELECT * FROM VALUES
    (1, parse_json('{"a":1,"b":[1,2.5,"x",null],"c":{"d":"e"}}'), struct(parse_json('7') AS x), array(parse_json('null'), NULL)),
    (2, NULL, NULL, NULL), (3, parse_json('{"a":null,"b":[],"c":{"d":5}}'), struct(NULL AS x), array()),
    (4, parse_json('"text"'), struct(parse_json('{"q":1}') AS x), array(parse_json('1'), parse_json('"y"'))) v(id, v, s, l)"""
NULLS = "SELECT * FROM VALUES (5, parse_json('null'), struct(parse_json('null') AS x), array(parse_json('null'))) v(id, v, s, l)"
TYPED = """SELECT 6 AS id, to_variant_object(named_struct('d', DATE'2024-01-02', 't', TIMESTAMP'2024-01-02 03:04:05.678', 'n',
           TIMESTAMP_NTZ'2024-01-02 03:04:05', 'b', X'0102', 'f', 1.5f, 'g', 2.5d, 'l', 123456789012L, 'm', 12.345BD, 'o', true)) AS v,
           CAST(NULL AS STRUCT<x: VARIANT>) AS s, CAST(NULL AS ARRAY<VARIANT>) AS l"""
CREATE = "CREATE TABLE {t} (id INT, v VARIANT, s STRUCT<x: VARIANT>, l ARRAY<VARIANT>) USING DELTA TBLPROPERTIES ('k' = 'v'{more})"
SHRED = {"spark.sql.variant.writeShredding.enabled": "true", "spark.sql.variant.inferShreddingSchema": "true"}
WHOLE = {"spark.sql.variant.writeShredding.enabled": "false", "spark.sql.variant.inferShreddingSchema": "false"}


@pytest.mark.parametrize("more", ["", ", 'delta.columnMapping.mode' = 'id', 'delta.enableDeletionVectors' = 'true'"])
def test_turns(more, lakeshed, spark, delta_rs, duck, tmp_path):
    path = f"{tmp_path}/t"
    table = f"delta.`{path}`"
    spark.sql(CREATE.format(t=table, more=more + ", 'delta.enableVariantShredding' = 'true'"), **WHOLE)

    def same():
        seen = rows(lakeshed.query(SHOWN.format(t=table)))
        assert seen == rows(spark.query(SHOWN.format(t=table)))
        return len(seen)

    spark.sql(f"INSERT INTO {table} {VALUES}", f"INSERT INTO {table} {NULLS}", f"INSERT INTO {table} {TYPED}", **WHOLE)
    assert same() == 6
    lakeshed.sql(f"INSERT INTO {table} {VALUES}", f"INSERT INTO {table} {NULLS}", f"INSERT INTO {table} {TYPED}")
    assert same() == 12
    spark.sql(f"INSERT INTO {table} {VALUES} UNION ALL {NULLS}", f"INSERT INTO {table} {TYPED}", **SHRED)
    assert same() == 18
    lakeshed.sql(f"UPDATE {table} SET v = s.x WHERE id = 1", f"DELETE FROM {table} WHERE id = 3")
    assert same() == 15
    spark.sql(f"UPDATE {table} SET v = parse_json('[0]') WHERE id = 4", **WHOLE)
    lakeshed.sql(f"OPTIMIZE {table}")
    assert same() == 15


def test_shredded_without_a_mark(lakeshed, spark, tmp_path):
    """As Spark 4.0 wrote such files: the same without the groups' logical type."""
    path = f"{tmp_path}/t"
    table = f"delta.`{path}`"
    spark.sql(CREATE.format(t=table, more=", 'delta.enableVariantShredding' = 'true'"), **WHOLE)
    spark.sql(f"INSERT INTO {table} {VALUES} UNION ALL {NULLS}", f"INSERT INTO {table} {TYPED}", **SHRED)
    known = rows(spark.query(SHOWN.format(t=table)))
    mark, stripped = bytes.fromhex("5c0c2013010000"), 0
    for file in pathlib.Path(path).glob("*.parquet"):
        data = file.read_bytes()
        start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
        footer = data[start:-8].replace(mark, b"")
        stripped += data[start:-8].count(mark)
        file.write_bytes(data[:start] + footer + len(footer).to_bytes(4, "little") + b"PAR1")
    assert stripped >= 6 and rows(lakeshed.query(SHOWN.format(t=table))) == known


def test_other_readers(lakeshed, delta_rs, duck, tmp_path):
    path = f"{tmp_path}/t"
    lakeshed.sql(CREATE.format(t=f"delta.`{path}`", more=""), f"INSERT INTO delta.`{path}` {VALUES}")
    theirs = {r["id"]: r for r in delta_rs.version(path, 1)[0].to_pylist()}
    mine = {r["id"]: r for r in lakeshed.read(path).to_pylist()}
    for i, row in mine.items():
        assert theirs[i]["v"] == row["v"] and theirs[i]["l"] == row["l"]
    seen = duck.connection.execute(f"SELECT id, CAST(v AS JSON) FROM delta_scan('{path}') ORDER BY id").fetchall()
    assert [r[0] for r in seen] == [1, 2, 3, 4] and seen[3][1] == '"text"'
