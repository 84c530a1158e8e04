"""SQL scripts: BEGIN .. END as Spark 4.2 answers them; every answer and error below was recorded from it."""
import threading
import time

import pytest


def answer(spark, script):
    return [tuple(r) for r in spark.sql(script).collect()]


def error_of(spark, script):
    with pytest.raises(Exception) as error:
        spark.sql(script).collect()
    return error.value


ANSWERS = [
    ("BEGIN SELECT 1; SHOW CATALOGS; END", [(1,)]),
    ("BEGIN END", []),
    ("BEGIN DECLARE x, y INT DEFAULT 3; DECLARE z = x + 1; SELECT x, y, z; END", [(3, 3, 4)]),
    ("BEGIN DECLARE x INT; DECLARE y INT; SET x = 1, y = 2; SET (x, y) = (SELECT y, x); SELECT x, y; END", [(2, 1)]),
    ("BEGIN DECLARE x INT; SET (x) = (SELECT 1 WHERE false); SELECT x; END", [(None,)]),
    ("BEGIN a: BEGIN DECLARE x INT DEFAULT 3; b: BEGIN DECLARE x INT DEFAULT 4; SELECT x, a.x, b.x; END; END; END", [(4, 3, 4)]),
    ("BEGIN DECLARE x INT DEFAULT 3; SELECT x FROM VALUES (1) AS t(x); END", [(1,)]),
    ("BEGIN DECLARE s STRUCT<a INT, b STRING> DEFAULT named_struct('a', 1, 'b', 'x'); SELECT s.a, s.b; END", [(1, "x")]),
    ("BEGIN IF (SELECT true WHERE false) THEN SELECT 1; ELSEIF 2 > 3 THEN SELECT 2; ELSE SELECT 3; END IF; END", [(3,)]),
    ("BEGIN CASE 2 WHEN 1 THEN SELECT 'one'; WHEN 2 THEN SELECT 'two'; ELSE SELECT 'other'; END CASE; END", [("two",)]),
    ("BEGIN CASE WHEN 1 = 2 THEN SELECT 'one'; END CASE; END", []),
    ("BEGIN DECLARE x INT DEFAULT 0; WHILE x < 3 DO SET x = x + 1; SELECT x AS y; END WHILE; END", [(3,)]),
    ("BEGIN DECLARE x INT DEFAULT 0; REPEAT SET x = x + 1; UNTIL x >= 3 END REPEAT; SELECT x; END", [(3,)]),
    ("BEGIN DECLARE x INT DEFAULT 0; l: LOOP SET x = x + 1; IF x > 4 THEN LEAVE l; END IF; END LOOP l; SELECT x; END", [(5,)]),
    ("BEGIN a: BEGIN SELECT 5; LEAVE a; SELECT 6; END; END", [(5,)]),
    ("BEGIN FOR r AS SELECT id, id * 2 AS d FROM range(3) DO SELECT r.id, d; END FOR; END", [(2, 4)]),
    ("BEGIN DECLARE x INT DEFAULT 0; l: FOR r AS SELECT id FROM range(5) DO IF r.id = 2 THEN ITERATE l; END IF; "
     "SET x = x + r.id; END FOR; SELECT x; END", [(8,)]),
    ("BEGIN FOR r AS SELECT id FROM range(0) DO SELECT 1; END FOR; END", []),
    ("BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION SELECT 'h'; SELECT 1/0; SELECT 5; END", [("h",)]),
    ("BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION SELECT 'ex'; DECLARE EXIT HANDLER FOR SQLSTATE '22012' SELECT 'st'; "
     "DECLARE EXIT HANDLER FOR DIVIDE_BY_ZERO SELECT 'cond'; SELECT 1/0; END", [("cond",)]),
    ("BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION SELECT 'out'; BEGIN DECLARE EXIT HANDLER FOR SQLSTATE '22012' SELECT 'in'; "
     "SELECT 1/0; END; SELECT 'after'; END", [("after",)]),
    ("BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION SELECT 'out'; BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION SELECT 1/0; "
     "SELECT CAST('a' AS INT); END; SELECT 'after'; END", [("after",)]),
    ("BEGIN DECLARE EXIT HANDLER FOR UNRESOLVED_COLUMN SELECT 'u'; SELECT nosuch; END", [("u",)]),
    ("BEGIN DECLARE x INT DEFAULT 5; DECLARE EXIT HANDLER FOR SQLEXCEPTION SET x = 3; SELECT 7; SELECT 1/0; END", [(7,)]),
    ("BEGIN l: BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN LEAVE l; END; SELECT 5; SELECT 1/0; END; SELECT 6; END", [(6,)]),
    ("BEGIN DECLARE x INT; EXECUTE IMMEDIATE 'SELECT 5' INTO x; SELECT x; END", [(5,)]),
    ("BEGIN CREATE TEMPORARY FUNCTION ff(a INT) RETURNS INT RETURN a + 1; SELECT ff(3); DROP TEMPORARY FUNCTION ff; END", [(4,)]),
]


@pytest.mark.parametrize("script, expected", ANSWERS)
def test_answers(spark, script, expected):
    assert answer(spark, script) == expected


ERRORS = [
    ("BEGIN DECLARE x INT; DECLARE x INT; END", "VARIABLE_ALREADY_EXISTS"),
    ("BEGIN DECLARE OR REPLACE x INT; END", "INVALID_VARIABLE_DECLARATION.REPLACE_LOCAL_VARIABLE"),
    ("BEGIN DECLARE a.x INT; END", "INVALID_VARIABLE_DECLARATION.QUALIFIED_LOCAL_VARIABLE"),
    ("BEGIN DECLARE x INT DEFAULT 3; DROP TEMPORARY VARIABLE x; END", "UNSUPPORTED_FEATURE.SQL_SCRIPTING_DROP_TEMPORARY_VARIABLE"),
    ("BEGIN SET nosuch = 3; END", "UNRESOLVED_VARIABLE"),
    ("BEGIN IF 1 THEN SELECT 1; END IF; END", "INVALID_BOOLEAN_STATEMENT"),
    ("BEGIN FOR r AS SELECT 1 AS a, 2 AS a DO SELECT a; END FOR; END", "VARIABLE_ALREADY_EXISTS"),
    ("BEGIN l: BEGIN DECLARE x INT DEFAULT 1; END; SELECT x; END", "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION"),
    ("BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION SELECT x; BEGIN DECLARE x INT DEFAULT 5; SELECT 1/0; END; END",
     "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION"),
    ("BEGIN DECLARE EXIT HANDLER FOR NOT FOUND SELECT 'nf'; SELECT 1/0; END", "DIVIDE_BY_ZERO"),
    ("EXECUTE IMMEDIATE 'BEGIN SELECT 1; END'", "SQL_SCRIPT_IN_EXECUTE_IMMEDIATE"),
    ("BEGIN DECLARE x INT DEFAULT 3; EXECUTE IMMEDIATE 'SELECT x'; END", "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION"),
]


@pytest.mark.parametrize("script, condition", ERRORS)
def test_errors(spark, script, condition):
    assert error_of(spark, script).getCondition() == condition


def test_the_line_is_named(spark):
    error = error_of(spark, "BEGIN\n  SELECT 1;\n  l1: BEGIN\n    LEAVE\n      l3;\n  END l1;\nEND")
    assert error.getCondition() == "INVALID_LABEL_USAGE.DOES_NOT_EXIST"
    assert "{LINE:4} [INVALID_LABEL_USAGE.DOES_NOT_EXIST]" in str(error)


def test_continue_handlers_go_on_behind_the_statement(spark):
    spark.conf.set("spark.sql.scripting.continueHandlerEnabled", "true")
    assert answer(spark, "BEGIN DECLARE x INT DEFAULT 0; DECLARE CONTINUE HANDLER FOR SQLEXCEPTION SET x = x + 1; SELECT 1/0; "
                         "IF 1/0 = 1 THEN SET x = x + 10; ELSE SET x = x + 100; END IF; "
                         "WHILE 1/0 = 1 DO SET x = x + 1000; END WHILE; "
                         "BEGIN SELECT 1/0; SET x = x + 10000; END; SELECT x; END") == [(10004,)]


def test_parameters_and_settings(spark):
    assert [tuple(r) for r in spark.sql("BEGIN IF :a > 3 THEN SELECT :a; END IF; END", args={"a": 5}).collect()] == [(5,)]
    with pytest.raises(Exception) as error:
        spark.sql("BEGIN SELECT ?; END", args=[1]).collect()
    assert error.value.getCondition() == "UNSUPPORTED_FEATURE.SQL_SCRIPTING_WITH_POSITIONAL_PARAMETERS"
    spark.conf.set("spark.sql.scripting.enabled", "false")
    assert error_of(spark, "BEGIN SELECT 1; END").getCondition() == "UNSUPPORTED_FEATURE.SQL_SCRIPTING"


def test_statements_change_tables(spark):
    spark.sql("CREATE TABLE scripted (a INT, b STRING) USING delta")
    spark.sql("BEGIN DECLARE i INT DEFAULT 0; WHILE i < 3 DO INSERT INTO scripted VALUES (i, 'n' || i); SET i = i + 1; END WHILE; "
              "FOR r AS SELECT a FROM scripted WHERE a > 0 DO UPDATE scripted SET b = b || '!' WHERE a = r.a; END FOR; END")
    assert answer(spark, "SELECT * FROM scripted ORDER BY a") == [(0, "n0"), (1, "n1!"), (2, "n2!")]
    spark.sql("DROP TABLE scripted")


def test_a_script_that_never_ends_is_interrupted(spark):
    failed = []

    def run():
        try:
            spark.sql("BEGIN DECLARE x INT DEFAULT 0; DECLARE EXIT HANDLER FOR SQLEXCEPTION SELECT 'h'; "
                      "WHILE true DO SET x = x + 1; END WHILE; END")
        except Exception as error:  # noqa: BLE001: whatever the client makes of it
            failed.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive():
        spark.interruptAll()
        time.sleep(0.1)
    assert len(failed) == 1 and "OPERATION_CANCELED" in failed[0]


def test_nearest_by(spark):
    assert answer(spark, "SELECT * FROM VALUES (1), (2) u(a) JOIN VALUES (1), (5) p(b) "
                         "APPROX NEAREST 1 BY DISTANCE abs(a - b) ORDER BY a, b") == [(1, 1), (2, 1)]
    assert error_of(spark, "SELECT * FROM VALUES (1) u(a) JOIN VALUES (1) p(b) APPROX NEAREST 1 BY DISTANCE map(a, b)"
                    ).getCondition() == "NEAREST_BY_JOIN.NON_ORDERABLE_RANKING_EXPRESSION"
    assert error_of(spark, "VALUES (1 + (SELECT 1))"
                    ).getCondition() == "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.SCALAR_SUBQUERY_IN_VALUES"
