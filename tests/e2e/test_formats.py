"""XML files, sessions of events, UDTs taken apart. What is spelled out here are Spark 4.2's own answers."""
import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import functions as F

PEOPLE = """SELECT 1 a, 'x<y"&' b, array(1, 2) c, named_struct('q', 1.5, '_at', 'v', '_VALUE', 't') s,
            CAST(NULL AS INT) n, X'6162' bi, 1e10D db
            UNION ALL SELECT NULL, NULL, NULL, NULL, 5, NULL, NULL"""


def files(folder, ending):
    return sorted(p for p in folder.iterdir() if p.name.endswith(ending))


def test_xml_is_written_as_spark_writes_it(spark, tmp_path):
    out = tmp_path / "people"
    spark.sql(PEOPLE).coalesce(1).write.option("rowTag", "person").xml(str(out))
    (file,) = files(out, ".xml")
    assert file.read_text() == (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<ROWS>\n    <person>\n        <a>1</a>\n'
        '        <b>x&lt;y"&amp;</b>\n        <c>1</c>\n        <c>2</c>\n        <s at="v">\n            <q>1.5</q>t\n'
        "        </s>\n        <bi>[61 62]</bi>\n        <db>1.0E10</db>\n    </person>\n    <person>\n        <n>5</n>\n"
        "    </person>\n</ROWS>")
    df = spark.read.option("rowTag", "person").xml(str(out))
    assert df.schema.simpleString() == ("struct<a:bigint,b:string,bi:string,c:array<bigint>,db:double,n:bigint,"
                                        "s:struct<_VALUE:string,_at:string,q:double>>")
    first, second = df.collect()
    assert (first.b, first.c, first.s.asDict(), second.n) == ('x<y"&', [1, 2], {"_VALUE": "t", "_at": "v", "q": 1.5}, 5)
    typed = spark.read.option("rowTag", "person").schema("c array<string>, a int, zz string").xml(str(out)).collect()
    assert [tuple(r) for r in typed] == [(["1", "2"], 1, None), (None, None, None)]


def test_xml_options(spark, tmp_path):
    out = tmp_path / "options"
    (spark.sql(PEOPLE).select("a", "b").coalesce(1).write.option("rowTag", "p").option("rootTag", 'all x="1"')
     .option("declaration", "").option("nullValue", "-").option("compression", "gzip").xml(str(out)))
    assert len(files(out, ".xml.gz")) == 1
    assert [tuple(r) for r in spark.read.option("rowTag", "p").xml(str(out)).collect()] == [("1", 'x<y"&'), ("-", "-")]
    parted = tmp_path / "parted"
    spark.sql("SELECT 1 a, 'q' p UNION ALL SELECT 2, 'r'").write.partitionBy("p").option("rowTag", "z").xml(str(parted))
    assert sorted(map(tuple, spark.read.option("rowTag", "z").xml(str(parted)).collect())) == [(1, "q"), (2, "r")]
    with pytest.raises(AnalysisException) as e:
        spark.read.xml(str(out)).collect()
    assert e.value.getCondition() == "XML_ROW_TAG_MISSING"


ODD = ('<?xml version="1.0"?><root><!-- <b>1</b> --><b k="1">t</b><c><b><d>1</d><d>x</d></b></c><b/><b>\n <d>2.5</d> </b>'
       "<bb>1</bb><b><d>1</b></root>")


@pytest.mark.parametrize("option, schema, rows", [
    ({}, "_VALUE:string,_corrupt_record:string,_k:bigint,d:array<string>", 5),
    ({"mode": "DROPMALFORMED"}, "_VALUE:string,_k:bigint,d:array<string>", 4),
    ({"excludeAttribute": "true"}, "_VALUE:string,_corrupt_record:string,d:array<string>", 5),
    ({"inferSchema": "false"}, "_VALUE:string,_corrupt_record:string,_k:string,d:array<string>", 5),
    ({"attributePrefix": "@"}, "@k:bigint,_VALUE:string,_corrupt_record:string,d:array<string>", 5),
    ({"valueTag": "v"}, "_corrupt_record:string,_k:bigint,d:array<string>,v:string", 5)])
def test_xml_elements_are_found_between_others(spark, tmp_path, option, schema, rows):
    file = tmp_path / "odd.xml"
    file.write_text(ODD)
    df = spark.read.option("rowTag", "b").options(**option).xml(str(file))
    assert df.schema.simpleString() == f"struct<{schema}>"
    found = df.collect()
    assert [r.d for r in found][:4] == [None, ["1", "x"], None, ["2.5"]] and len(found) == rows


def test_session_window(spark):
    events = spark.sql("""SELECT * FROM VALUES ('A1', TIMESTAMP'2021-01-01 00:00:00'), ('A1', TIMESTAMP'2021-01-01 00:05:00'),
        ('A1', TIMESTAMP'2021-01-01 00:12:00'), ('A2', TIMESTAMP'2021-01-01 00:01:00'), ('A2', NULL) AS t(a, b)""")
    found = (events.groupBy("a", F.session_window("b", "5 minutes")).count()
             .selectExpr("a", "CAST(session_window.start AS STRING)", "CAST(session_window.end AS STRING)", "count"))
    assert sorted(tuple(r) for r in found.collect()) == [
        ("A1", "2021-01-01 00:00:00", "2021-01-01 00:10:00", 2), ("A1", "2021-01-01 00:12:00", "2021-01-01 00:17:00", 1),
        ("A2", "2021-01-01 00:01:00", "2021-01-01 00:06:00", 1)]


def test_equal_map_keys(spark):
    with pytest.raises(Exception) as e:
        spark.sql("SELECT transform_keys(map(1, 2, 3, 4), (k, v) -> DATE'2020-01-01')").collect()
    assert e.value.getCondition() == "DUPLICATED_MAP_KEY" and e.value.getMessageParameters()["key"] == "18262"
    spark.conf.set("spark.sql.mapKeyDedupPolicy", "LAST_WIN")
    row = spark.sql("""SELECT map_from_arrays(array(1, 2, 1), array('a', 'b', 'c')), str_to_map('a:1,b:2,a:3'),
                       map_concat(map(1, 'x'), map(1, 'y')), map_from_entries(array(struct(1.5D, 2), struct(1.5D, 3)))""").first()
    assert tuple(row) == ({1: "c", 2: "b"}, {"a": "3", "b": "2"}, {1: "y"}, {1.5: 3})


def test_show_prints_variants_as_json(spark):
    text = spark.sql("SELECT parse_json('\"hello\"') v, array(parse_json('\"a\"')) w")._show_string()
    assert '|"hello"|["a"]|' in text
