"""Options and odd files of csv, json and text. What is spelled out here are Spark 4.2's answers."""
import pytest


@pytest.fixture
def read(spark, tmp_path):
    def rows(form, text, schema=None, **options):
        file = tmp_path / f"file.{form}"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        reader = spark.read.options(**options)
        return [tuple(r) for r in getattr(reader.schema(schema) if schema else reader, form)(str(file)).collect()]
    return rows


def condition(do):
    with pytest.raises(Exception) as e:
        do()
    return e.value.getCondition()


QUOTES = 'a,b\n"x ""y"" z",1\n"x \\"y\\" z",2\n"x" ,3\n "x",4\n"a"b,5\nx"y,6\n"unclosed,7\nlast,8\n'


def test_csv_quotes(read):
    plain = [('"x ""y"" z"', "1"), ('x "y" z', "2"), ("x", "3"), (' "x"', "4"), ('"a"b', "5"), ('x"y', "6")]
    assert read("csv", QUOTES, header=True) == plain + [("unclosed,7", None), ("last", "8")]
    assert read("csv", QUOTES, header=True, multiLine=True) == plain + [("unclosed,7\nlast,8\n", None)]
    assert read("csv", 'a,b\r\n1,2\r\n"x\r\ny",3\r\n', header=True, multiLine=True) == [("1", "2"), ("x\ny", "3")]
    assert read("csv", '"x\\\\",1\n"x\\\\\\"y",2\n') == [("x\\", "1"), ('x\\"y', "2")]


def test_csv_empty_and_null(read):
    text = '"","",x\n,"",y\n'
    assert read("csv", text) == [(None, None, "x"), (None, None, "y")]
    assert read("csv", text, emptyValue="E") == [("E", "E", "x"), (None, "E", "y")]
    assert read("csv", text, nullValue="x") == [("", "", None), (None, "", "y")]
    assert read("csv", "1\nInfinity\n", "a double") == [(1.0,), (float("inf"),)]


def test_csv_modes(read):
    ragged = "a,b,c\n1,2\n1,2,3,4\n1,2,3\n"
    assert read("csv", ragged, "a int, b int, c int", header=True, mode="nope") == [(1, 2, None), (1, 2, 3), (1, 2, 3)]
    assert condition(lambda: read("csv", ragged, "a int, b int, c int", header=True, mode="FAILFAST")) == "FAILED_READ_FILE.NO_HINT"
    assert read("csv", ragged, "a int, b int, c int, bad string", header=True, columnNameOfCorruptRecord="bad") == [
        (1, 2, None, "1,2"), (1, 2, 3, "1,2,3,4"), (1, 2, 3, None)]


def test_only_the_corrupt_column(spark, tmp_path):
    file = tmp_path / "bad.json"
    file.write_text('{"a":1}\n{"a":\n')
    df = spark.read.json(str(file))
    assert df.count() == 2 and df.where("_corrupt_record IS NOT NULL").select("a").collect()[0][0] is None
    assert condition(lambda: df.select("_corrupt_record").collect()) == "UNSUPPORTED_FEATURE.QUERY_ONLY_CORRUPT_RECORD_COLUMN"
    assert condition(lambda: spark.read.option("mode", "FAILFAST").json(str(file)).collect()) == "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION"


def test_json(spark, read):
    assert read("json", b'\xef\xbb\xbf{"a":1}\n') == [(1,)]
    assert read("json", '{"a":007}\n{"a":NaN}\n{"a":-INF}\n')[2] == (None, float("-inf"))
    assert condition(lambda: read("json", '{"a":1,"A":2}\n')) == "COLUMN_ALREADY_EXISTS"


def test_text_takes_one_text(spark, read):
    assert condition(lambda: read("text", "a\n", "x int")) == "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE"
    assert condition(lambda: read("text", "a\n", "x string, y string")) == "_LEGACY_ERROR_TEMP_1290"
    assert read("text", "a\n", "x string") == [("a",)] and spark.range(1).count() == 1


@pytest.mark.parametrize("form, options, expected", [
    ("csv", {"header": "maybe"}, "_LEGACY_ERROR_TEMP_2147"), ("csv", {"maxColumns": "x"}, "_LEGACY_ERROR_TEMP_2146"),
    ("csv", {"quote": "ab"}, "OPTION_VALUE_EXCEEDS_ONE_CHARACTER"), ("csv", {"modifiedAfter": "zz"}, "_LEGACY_ERROR_TEMP_1294"),
    ("csv", {"modifiedBefore": "2000-01-01T00:00:00"}, "UNABLE_TO_INFER_SCHEMA")])
def test_bad_options(read, form, options, expected):
    assert condition(lambda: read(form, "a,b\n1,2\n", **options)) == expected


@pytest.mark.parametrize("form, options", [
    ("csv", {"unescapedQuoteHandling": "SKIP_VALUE"}), ("csv", {"charToEscapeQuoteEscaping": "#"}), ("csv", {"encoding": "UTF-16"}),
    ("csv", {"singleVariantColumn": "v"}), ("json", {"allowComments": True}), ("json", {"allowUnquotedFieldNames": True}),
    ("json", {"allowSingleQuotes": False}), ("json", {"maxNestingDepth": "1"})])
def test_options_that_would_change_the_answer_are_refused(read, form, options):
    """Not Spark's answer: it knows them."""
    assert condition(lambda: read(form, '{"a":1}\n', **options)) == "LAKESHED_UNSUPPORTED"


def test_damaged_and_missing_files(spark, tmp_path):
    (tmp_path / "x.csv.gz").write_bytes(b"not gzip")
    (tmp_path / "a.csv").write_text("1\n")
    read = spark.read.schema("a string")
    assert condition(lambda: read.csv(str(tmp_path)).collect()) == "FAILED_READ_FILE.NO_HINT"
    assert [tuple(r) for r in read.option("ignoreCorruptFiles", "true").csv(str(tmp_path)).collect()] == [("1",)]


def test_csv_written(spark, tmp_path):
    def text(**options):
        out = tmp_path / str(len(list(tmp_path.iterdir())))
        spark.sql("SELECT 1 a, CAST(NULL AS string) b, 'x\"y' c, '' e, 'a\\nb' n, 'back\\\\slash' s").coalesce(1).write.csv(str(out), **options)
        return next(p for p in out.iterdir() if p.name.startswith("part-")).read_bytes()
    assert text() == b'1,,"x\\"y","","a\nb",back\\slash\n'
    assert text(quoteAll=True) == b'"1","","x\\"y","","a\nb","back\\\\slash"\n'
    assert text(quote="") == b'1,,x"y,"",\x00a\nb\x00,back\\slash\n'
    assert condition(lambda: text(encoding="UTF-16")) == "LAKESHED_UNSUPPORTED"
    assert condition(lambda: spark.sql("SELECT 'a' a, 'b' b").write.text(str(tmp_path / "two"))) == "_LEGACY_ERROR_TEMP_1290"
