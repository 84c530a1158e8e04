"""SELECT TRANSFORM(..) USING 'script', MAP, REDUCE: rows through a program. What is spelled out here are Spark 4.2's answers."""
import datetime
import os
import time

import pytest


@pytest.fixture
def view(spark):
    spark.sql("CREATE OR REPLACE TEMP VIEW st AS SELECT * FROM VALUES (1, 2, 3), (4, NULL, 6), (7, 8, 9) AS t(a, b, c)")
    return spark


def rows(spark, sql):
    return sorted((tuple(r) for r in spark.sql(sql).collect()), key=str)


def condition(do):
    with pytest.raises(Exception) as e:
        do()
    return e.value.getCondition()


def test_columns_of_a_script(view):
    assert view.sql("SELECT TRANSFORM(a, b) USING 'cat' FROM st").schema.simpleString() == "struct<key:string,value:string>"
    assert rows(view, "SELECT TRANSFORM(a, b) USING 'cat' FROM st") == [("1", "2"), ("4", "\\N"), ("7", "8")]
    assert rows(view, "SELECT TRANSFORM(a, b, c) USING 'cat' AS (x INT, y STRING) FROM st") == [(1, "2"), (4, None), (7, "8")]
    assert rows(view, "MAP a, b USING 'cat' AS x, y FROM st WHERE a > 1") == [("4", None), ("7", "8")]
    assert rows(view, "FROM st REDUCE a + 1, 'q' USING 'tr q r' AS (x, y)") == [("2", "r"), ("5", "r"), ("8", "r")]
    assert rows(view, "SELECT TRANSFORM(sum(a)) USING 'cat' AS (x BIGINT) FROM st GROUP BY b IS NULL HAVING sum(a) > 4") == [(8,)]
    assert rows(view, "SELECT x + 1 FROM (SELECT TRANSFORM(*) USING 'cat' AS (x INT, y INT, z INT) FROM st)") == [(2,), (5,), (8,)]
    assert rows(view, "SELECT TRANSFORM('a|b', '') ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' USING 'cat' AS (x, y, z) "
                      "ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' FROM st LIMIT 1") == [("a", "|", "b")]
    assert rows(view, "SELECT TRANSFORM(a, NULL) ROW FORMAT DELIMITED FIELDS TERMINATED BY '@' NULL DEFINED AS 'none' USING 'cat' "
                      "AS (x, y) ROW FORMAT DELIMITED FIELDS TERMINATED BY '@' FROM st LIMIT 1") == [("1", "none")]


def test_types(view):
    got = view.sql("""SELECT TRANSFORM(array(1, 2), map('a', 1), named_struct('q', 1), DATE'2020-01-01', 1.5D, X'61', true, '1231a')
        USING 'cat' AS (a ARRAY<INT>, b MAP<STRING, INT>, c STRUCT<q: INT>, d DATE, e DOUBLE, f BINARY, g BOOLEAN, h INT)
        FROM st LIMIT 1""").collect()
    assert [tuple(r) for r in got] == [([1, 2], {"a": 1}, (1,), datetime.date(2020, 1, 1), 1.5, b"a", True, None)]
    text = rows(view, "SELECT TRANSFORM(array(1, 2), named_struct('q', 1), INTERVAL 1 DAY) USING 'cat' AS (a, b, c) FROM st LIMIT 1")
    assert text == [("[1,2]", '{"q":1}', "INTERVAL '1' DAY")]
    assert condition(lambda: rows(view, "SELECT TRANSFORM(a) USING 'cat' AS (b TIME) FROM st")) == "_LEGACY_ERROR_TEMP_2265"


def test_scripts_that_fail(view):
    for script, code, text in (("cat >&2; exit 3", "3", "4\x01\\N\n"), ("nonexistentcmd", "127", "command not found")):
        with pytest.raises(Exception) as e:
            view.sql(f"SELECT TRANSFORM(a, b) USING '{script}' AS (x) FROM st").collect()
        assert e.value.getCondition() == "_LEGACY_ERROR_TEMP_2264"
        assert e.value.getMessageParameters()["exitCode"] == code and text in e.value.getMessageParameters()["stderrBuffer"]
    assert rows(view, "SELECT TRANSFORM(a) USING 'head -n 1' AS (x) FROM st") == [("1",)]
    assert view.sql("SELECT TRANSFORM(id) USING 'head -n 1' AS (x) FROM range(2000000)").count() == 1
    assert condition(lambda: view.sql("SELECT TRANSFORM(DISTINCT a) USING 'cat' FROM st").collect()) == (
        "UNSUPPORTED_FEATURE.TRANSFORM_DISTINCT_ALL")
    assert condition(lambda: view.sql("SELECT TRANSFORM(a) ROW FORMAT SERDE 'x' USING 'cat' FROM st").collect()) == (
        "UNSUPPORTED_FEATURE.TRANSFORM_NON_HIVE")
    assert condition(lambda: view.sql("SELECT TRANSFORM(a AS b) USING 'cat' FROM st").collect()) == "PARSE_SYNTAX_ERROR"
    assert view.sql("SELECT transform(array(1, 2), x -> x + 1)").collect()[0][0] == [2, 3]


def test_many_rows_and_a_limit(view):
    assert view.sql("SELECT TRANSFORM(id, id * 2) USING 'cat' AS (x BIGINT, y BIGINT) FROM range(300000)").selectExpr(
        "count(*)", "sum(x)", "sum(y)").collect()[0] == (300000, 44999850000, 89999700000)
    assert view.sql("SELECT TRANSFORM(a) USING 'yes' AS (x) FROM st LIMIT 3").count() == 3


def test_confinement(new_server, tmp_path, monkeypatch):
    monkeypatch.setenv("LAKESHED_TEST_SECRET", "hush")
    server = new_server("limits", "--python-memory-mb", "200", "--python-silence-seconds", "2")
    spark = server.session()
    env = [r[0] for r in spark.sql("SELECT TRANSFORM(1) USING 'env; ls /proc/self/fd | wc -l' AS (x) FROM range(1)").collect()]
    assert not any("hush" in line for line in env) and int(env[-1]) <= 5
    assert spark.sql("SELECT TRANSFORM(1) USING 'ulimit -v; ulimit -c; pwd' AS (x) FROM range(1)").collect()[0][0] == str(200 * 1024)
    assert condition(lambda: spark.sql("SELECT TRANSFORM(1) USING 'sleep 1000' AS (x) FROM range(1)").collect()) == (
        "LAKESHED_PYTHON_SILENT")
    time.sleep(0.2)
    assert not [p for p in os.listdir("/proc") if p.isdigit() and b"sleep\x001000" in read_command(p)]
    spark.stop()
    spark = new_server("forbidden", "--no-scripts").session()
    assert condition(lambda: spark.sql("SELECT TRANSFORM(1) USING 'cat' AS (x) FROM range(1)").collect()) == "LAKESHED_UNSUPPORTED"
    spark.stop()


def read_command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read()
    except OSError:
        return b""
