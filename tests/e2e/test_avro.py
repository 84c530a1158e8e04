"""Avro files: written and read as Spark 4.2 does (its answers are spelled out), and files that others damaged."""
import datetime
import decimal
import json
import random
import struct
import zlib

import pytest

ALL = """SELECT 1 i, CAST(2 AS bigint) l, 'x' s, DATE'2020-01-02' d, TIMESTAMP_NTZ'2020-01-02 03:04:05.678901' nt,
         CAST(-1.25 AS decimal(10,2)) de, array(1, NULL) a, map('k', 1, 'q', NULL) m, named_struct('q', 1.5D, 'z', array('u')) st,
         X'00ff' b, CAST(1.5 AS float) f, true bo, CAST(3 AS tinyint) ti,
         CAST('12345678901234567890123456789012345678' AS decimal(38,0)) big, INTERVAL '1' SECOND dt
         UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"""


def number(n):
    z = ((n << 1) ^ (n >> 63)) & ((1 << 64) - 1)
    out = b""
    while z >= 0x80:
        out += bytes([z & 0x7f | 0x80])
        z >>= 7
    return out + bytes([z])


def text(b):
    return number(len(b)) + b


def avro(path, fields, rows, codec="null"):
    schema = {"type": "record", "name": "r", "fields": [{"name": n, "type": t} for n, t in fields]}
    body = b"".join(rows)
    if codec == "deflate":
        c = zlib.compressobj(9, zlib.DEFLATED, -15)
        body = c.compress(body) + c.flush()
    sync = b"0123456789abcdef"
    path.write_bytes(b"Obj\x01" + number(2) + text(b"avro.schema") + text(json.dumps(schema).encode()) + text(b"avro.codec")
                     + text(codec.encode()) + number(0) + sync + number(len(rows)) + text(body) + sync)
    return str(path)


@pytest.mark.parametrize("codec, ending", [("snappy", ".snappy.avro"), ("deflate", ".deflate.avro"), ("uncompressed", ".avro"),
                                           ("zstandard", ".zstandard.avro")])
def test_what_is_written_is_read(spark, tmp_path, codec, ending):
    out = tmp_path / "out"
    spark.sql(ALL).write.format("avro").option("compression", codec).save(str(out))
    names = [p.name for p in out.iterdir() if p.name.startswith("part-")]
    assert names and all(n.endswith("c000" + ending) for n in names)
    df = spark.read.format("avro").load(str(out))
    assert df.schema.simpleString() == (
        "struct<i:int,l:bigint,s:string,d:date,nt:timestamp_ntz,de:decimal(10,2),a:array<int>,m:map<string,int>,"
        "st:struct<q:double,z:array<string>>,b:binary,f:float,bo:boolean,ti:int,big:decimal(38,0),dt:interval second>")
    full, empty = sorted(map(tuple, df.collect()), key=lambda r: r[0] is None)
    assert full == (1, 2, "x", datetime.date(2020, 1, 2), datetime.datetime(2020, 1, 2, 3, 4, 5, 678901), decimal.Decimal("-1.25"),
                    [1, None], {"k": 1, "q": None}, (1.5, ["u"]), b"\x00\xff", 1.5, True, 3,
                    decimal.Decimal("12345678901234567890123456789012345678"), datetime.timedelta(seconds=1))
    assert set(empty) == {None}
    assert [tuple(r) for r in df.select("s", "i").where("i = 1").collect()] == [("x", 1)]


def test_types_of_others(spark, tmp_path):
    path = avro(tmp_path / "a.avro", [
        ("a", ["int", "long"]), ("b", ["null", "float", "double"]), ("c", ["int", "string"]), ("d", ["null", "int", "string"]),
        ("e", {"type": "long", "logicalType": "timestamp-millis"}), ("f", {"type": "enum", "name": "en", "symbols": ["A", "B"]}),
        ("g", {"type": "fixed", "name": "fx", "size": 3}), ("h", {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}),
        ("i", {"type": "fixed", "name": "fd", "size": 2, "logicalType": "decimal", "precision": 30, "scale": 2}),
        ("j", {"type": "array", "items": {"type": "map", "values": ["null", "long"]}}), ("k", {"type": "int", "logicalType": "time-millis"})],
        [number(0) + number(5) + number(1) + struct.pack("<f", 1.5) + number(1) + text(b"x") + number(0) + number(1600000000123)
         + number(1) + b"abc" + text(b"\xff\x00") + b"\x01\x02" + number(-1) + number(6) + number(1) + text(b"k") + number(1) + number(3)
         + number(0) + number(0) + number(7)], "deflate")
    df = spark.read.format("avro").load(path)
    assert df.schema.simpleString() == (
        "struct<a:bigint,b:double,c:struct<member0:int,member1:string>,d:struct<member0:int,member1:string>,e:timestamp,f:string,"
        "g:binary,h:decimal(6,2),i:binary,j:array<map<string,bigint>>,k:int>")
    row = df.selectExpr("*", "unix_millis(e) ms").collect()[0]
    assert (row.a, row.b, tuple(row.c), row.d, row.ms, row.f, row.g, row.h, row.i, row.j, row.k) == (
        5, 1.5, (None, "x"), None, 1600000000123, "B", b"abc", decimal.Decimal("-2.56"), b"\x01\x02", [{"k": 3}], 7)


def test_schemas_meet_by_name(spark, tmp_path):
    path = avro(tmp_path / "a.avro", [("a", "int"), ("b", "string")], [number(1) + text(b"x")])
    assert [tuple(r) for r in spark.read.format("avro").schema("b string, zz int, A bigint").load(path).collect()] == [("x", None, 1)]
    with pytest.raises(Exception) as e:
        spark.read.format("avro").schema("b int").load(path).collect()
    assert e.value.getCondition() == "FAILED_READ_FILE.NO_HINT"
    given = json.dumps({"type": "record", "name": "r", "fields": [{"name": "b", "type": "string"},
                                                                  {"name": "c", "type": ["null", "int"], "default": None}]})
    assert [tuple(r) for r in spark.read.format("avro").option("avroSchema", given).load(path).collect()] == [("x", None)]


def test_tables_and_folders(spark, tmp_path):
    spark.sql("DROP TABLE IF EXISTS avro_table")
    spark.sql("CREATE TABLE avro_table (a INT, b STRING) USING avro")
    spark.sql("INSERT INTO avro_table VALUES (1, 'x'), (2, NULL)")
    assert sorted(map(tuple, spark.table("avro_table").collect())) == [(1, "x"), (2, None)]
    spark.sql("DROP TABLE avro_table")
    out = str(tmp_path / "parts")
    spark.range(6).selectExpr("id", "id % 2 k").write.partitionBy("k").format("avro").save(out)
    assert [tuple(r) for r in spark.sql(f"SELECT k, sum(id) FROM avro.`{out}` GROUP BY k ORDER BY k").collect()] == [(0, 6), (1, 9)]
    with pytest.raises(Exception) as e:
        spark.range(1).write.format("avro").option("compression", "zz").save(str(tmp_path / "zz"))
    assert e.value.getCondition() == "CODEC_SHORT_NAME_NOT_FOUND"


def test_damaged_files(spark, tmp_path):
    """Any byte may be wrong: rows or an error come back, and the server lives."""
    out = tmp_path / "out"
    spark.sql(ALL).coalesce(1).write.format("avro").option("compression", "uncompressed").save(str(out))
    good = next(p for p in out.iterdir() if p.name.startswith("part-")).read_bytes()
    schema = spark.sql(ALL).schema
    rng = random.Random(7)
    for i in range(150):
        bad = bytearray(good)
        for _ in range(rng.randint(1, 3)):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        path = tmp_path / f"bad{i}.avro"
        path.write_bytes(bytes(bad[:rng.randrange(len(bad))] if i % 5 == 0 else bad))
        try:
            spark.read.format("avro").schema(schema).load(str(path)).collect()
        except Exception as e:
            assert "INTERNAL" not in (getattr(e, "getCondition", lambda: "")() or "")
    assert spark.range(3).count() == 3
