"""ORC files through the Python worker: written and read as Spark 4.2 does (in UTC), files of pyarrow's, damaged files."""
import datetime
import decimal

import pyarrow as pa
import pytest
from pyarrow import orc
from pyspark.sql import functions as F

ALL = """SELECT 1 i, CAST(2 AS bigint) l, 'x' s, DATE'2020-01-02' d, TIMESTAMP'2020-01-02 03:04:05.678901' ts,
         CAST(-1.25 AS decimal(10,2)) de, array(1, NULL) a, map('k', 1, 'q', NULL) m,
         named_struct('q', 1.5D, 'z', array(named_struct('t', TIMESTAMP'2020-01-02 03:04:05', 'n', TIMESTAMP_NTZ'2020-01-01 00:00:00'))) st,
         X'00ff' b, TIMESTAMP_NTZ'2020-01-01 00:00:00' nt, CAST(1.5 AS float) f, true bo, CAST(3 AS tinyint) ti, CAST(4 AS smallint) si,
         CAST('12345678901234567890123456789012345678' AS decimal(38,0)) big, INTERVAL '1' SECOND dt
         UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"""


@pytest.fixture
def utc(spark):
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    return spark


@pytest.mark.parametrize("codec, ending", [("zstd", ".zstd.orc"), ("snappy", ".snappy.orc"), ("zlib", ".zlib.orc"),
                                           ("lz4", ".lz4.orc"), ("none", ".orc")])
def test_what_is_written_is_read(utc, tmp_path, codec, ending):
    out = tmp_path / "out"
    utc.sql(ALL).write.orc(str(out), compression=codec)
    names = [p.name for p in out.iterdir() if p.name.startswith("part-")]
    assert names and all(n.endswith("-c000" + ending) for n in names)
    df = utc.read.orc(str(out))
    assert df.schema.simpleString() == (
        "struct<i:int,l:bigint,s:string,d:date,ts:timestamp,de:decimal(10,2),a:array<int>,m:map<string,int>,"
        "st:struct<q:double,z:array<struct<t:timestamp,n:timestamp_ntz>>>,b:binary,nt:timestamp_ntz,f:float,bo:boolean,ti:tinyint,"
        "si:smallint,big:decimal(38,0),dt:interval second>")
    full, empty = sorted(map(tuple, df.drop("ts", "st").collect()), key=lambda r: r[0] is None)
    assert full == (1, 2, "x", datetime.date(2020, 1, 2), decimal.Decimal("-1.25"), [1, None], {"k": 1, "q": None}, b"\x00\xff",
                    datetime.datetime(2020, 1, 1), 1.5, True, 3, 4, decimal.Decimal("12345678901234567890123456789012345678"),
                    datetime.timedelta(seconds=1))
    assert set(empty) == {None}
    assert df.where("i = 1").selectExpr("cast(ts AS string)", "cast(st AS string)").collect()[0] == (
        "2020-01-02 03:04:05.678901", "{1.5, [{2020-01-02 03:04:05, 2020-01-01 00:00:00}]}")
    assert df.count() == 2


def test_schemas(utc, tmp_path):
    for k, query in ((1, "SELECT id FROM range(2)"), (2, "SELECT id, id * 2 y FROM range(2)")):
        utc.sql(query).write.orc(str(tmp_path / f"o/k={k}"))
    path = str(tmp_path / "o")
    assert utc.read.orc(path).columns == ["id", "k"]
    merged = utc.read.orc(path, mergeSchema=True)
    assert merged.columns == ["id", "y", "k"]
    assert sorted(map(tuple, merged.collect()), key=str) == [(0, 0, 2), (0, None, 1), (1, 2, 2), (1, None, 1)]
    assert sorted(map(tuple, utc.read.schema("zz int, ID int").orc(path + "/k=1").collect())) == [(None, 0), (None, 1)]
    assert utc.read.orc(path).where("k = 2").select(F.input_file_name()).distinct().collect()[0][0].startswith(f"file://{path}/k=2/part-")
    hive = tmp_path / "hive.orc"
    orc.write_table(pa.table({"_col0": [1, 2], "_col1": ["a", "b"]}), str(hive))
    assert [tuple(r) for r in utc.read.schema("x bigint, y string").orc(str(hive)).collect()] == [(1, "a"), (2, "b")]


def test_days_before_the_gregorian_calendar(utc, tmp_path):
    """ORC counts them as Julian dates: Spark reads 0001-01-01 of pyarrow's as 0001-01-03."""
    file = tmp_path / "old.orc"
    orc.write_table(pa.table({"d": pa.array([datetime.date(1, 1, 1), datetime.date(1582, 10, 15), None])}), str(file))
    days = utc.read.orc(str(file)).selectExpr("cast(d AS string)")
    assert [r[0] for r in days.collect()] == ["0001-01-03", "1582-10-15", None]
    utc.sql("SELECT DATE'0500-03-01' d UNION ALL SELECT DATE'1582-10-04'").write.orc(str(tmp_path / "o"))
    assert sorted(r[0] for r in utc.read.orc(str(tmp_path / "o")).selectExpr("cast(d AS string)").collect()) == ["0500-03-01", "1582-10-04"]
    for do in (lambda: utc.sql("SELECT TIMESTAMP'1500-01-01 00:00:00' t").write.orc(str(tmp_path / "t")),):
        with pytest.raises(Exception, match="ORC timestamps outside of the years 1678 to 2261"):
            do()


def test_tables(utc, tmp_path):
    utc.sql("DROP TABLE IF EXISTS orc_table")
    utc.sql("CREATE TABLE orc_table (a INT, b STRING, c INT) USING orc PARTITIONED BY (c)")
    utc.sql("INSERT INTO orc_table VALUES (1, 'x', 2), (3, NULL, 4)")
    assert sorted(map(tuple, utc.table("orc_table").collect())) == [(1, "x", 2), (3, None, 4)]
    utc.sql("DROP TABLE orc_table")
    out = str(tmp_path / "parts")
    utc.range(6).selectExpr("id", "id % 2 k").write.partitionBy("k").orc(out)
    utc.range(2).selectExpr("id", "id % 2 k").write.mode("overwrite").partitionBy("k").orc(out)
    assert sorted(map(tuple, utc.read.orc(out).collect())) == [(0, 0), (1, 1)]
    with pytest.raises(Exception) as e:
        utc.range(1).write.orc(out)
    assert e.value.getCondition() == "PATH_ALREADY_EXISTS"


def test_refusals(utc, tmp_path):
    junk = tmp_path / "junk.orc"
    junk.write_bytes(b"hello world this is junk")
    for do, condition in ((lambda: utc.read.orc(str(junk)).collect(), "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER"),
                          (lambda: utc.sql("SELECT parse_json('1') m").write.orc(str(tmp_path / "v")), "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE"),
                          (lambda: utc.sql("SELECT NULL m").write.orc(str(tmp_path / "n")), "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE"),
                          (lambda: utc.range(1).write.orc(str(tmp_path / "z"), compression="zz"),
                           "CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION")):
        with pytest.raises(Exception) as e:
            do()
        assert e.value.getCondition() == condition
    utc.range(1).write.orc(str(tmp_path / "ok"))
    file = next(p for p in (tmp_path / "ok").iterdir() if p.name.startswith("part-"))
    good = file.read_bytes()
    for cut in (10, len(good) // 2, len(good) - 3):
        bad = tmp_path / f"bad{cut}.orc"
        bad.write_bytes(good[:cut])
        with pytest.raises(Exception):
            utc.read.schema("id bigint").orc(str(bad)).collect()
    assert utc.range(3).count() == 3
