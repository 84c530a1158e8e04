"""SQL beyond one statement over tables: functions, variables, dynamic statements, names resolved as Spark resolves them."""
from decimal import Decimal

import pytest


def rows(spark, sql, **args):
    return [tuple(r) for r in spark.sql(sql, **args).collect()]


def condition(spark, sql):
    with pytest.raises(Exception) as error:
        spark.sql(sql).collect()
    return error.value.getCondition()


def test_scalar_functions(spark):
    spark.sql("CREATE OR REPLACE TEMPORARY FUNCTION area(x DOUBLE, y DOUBLE DEFAULT 2) RETURNS DOUBLE RETURN x * y")
    assert rows(spark, "SELECT area(3, 4), area(3), area(y => 5, x => 1)") == [(12.0, 6.0, 5.0)]
    assert spark.sql("SELECT area(1, 2) + 1").columns == ["(area(1, 2) + 1)"]
    assert condition(spark, "SELECT area(1, 2, 3)") == "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"
    assert condition(spark, "SELECT area()") == "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"
    assert condition(spark, "SELECT area(y => 1)") == "REQUIRED_PARAMETER_NOT_FOUND"
    assert condition(spark, "CREATE TEMPORARY FUNCTION area(x INT) RETURNS INT RETURN x") == "ROUTINE_ALREADY_EXISTS"
    spark.sql("DROP TEMPORARY FUNCTION area")
    assert condition(spark, "SELECT area(1, 2)") == "UNRESOLVED_ROUTINE"


def test_functions_of_the_catalog_outlive_the_session(server, spark):
    spark.sql("CREATE OR REPLACE FUNCTION plus_one(x INT) RETURNS INT RETURN x + 1")
    spark.sql("CREATE OR REPLACE FUNCTION below(n INT) RETURNS TABLE (a INT, b STRING) "
              "RETURN SELECT id, CAST(id AS STRING) FROM range(10) WHERE id < n")
    other = server.session()
    assert rows(other, "SELECT plus_one(sum(id)) FROM range(4)") == [(7,)]
    assert rows(other, "SELECT * FROM below(2) ORDER BY a") == [(0, "0"), (1, "1")]
    assert rows(other, "SELECT t.id, f.a FROM range(3) t, LATERAL below(t.id) f ORDER BY 1, 2") == [(1, 0), (2, 0), (2, 1)]
    other.stop()
    assert condition(spark, "SELECT below(1)") == "NOT_A_SCALAR_FUNCTION"
    assert condition(spark, "SELECT * FROM plus_one(1)") == "NOT_A_TABLE_FUNCTION"
    spark.sql("DROP FUNCTION plus_one")
    spark.sql("DROP FUNCTION below")
    assert condition(spark, "DROP FUNCTION plus_one") == "ROUTINE_NOT_FOUND"


def test_function_bodies(spark):
    spark.sql("CREATE OR REPLACE TEMPORARY FUNCTION nth(k INT) RETURNS INT RETURN (SELECT max(id) FROM range(10) WHERE id < k)")
    assert rows(spark, "SELECT nth(id + 4) FROM range(3)") == [(3,), (4,), (5,)]
    complex_body = "USER_DEFINED_FUNCTIONS.CANNOT_CONTAIN_COMPLEX_FUNCTIONS"
    assert condition(spark, "CREATE TEMPORARY FUNCTION bad(x INT) RETURNS INT RETURN sum(x)") == complex_body
    assert condition(spark, "CREATE FUNCTION stored(x INT) RETURNS INT RETURN nth(x)") == "INVALID_TEMP_OBJ_REFERENCE"
    assert condition(spark, "CREATE TEMPORARY FUNCTION f(x INT, X INT) RETURNS INT RETURN 1") == "DUPLICATE_ROUTINE_PARAMETER_NAMES"


def test_variables(spark):
    spark.sql("DECLARE OR REPLACE VARIABLE a, b INT DEFAULT 7")
    spark.sql("SET VARIABLE a = b + 1, b = a + 10")
    assert rows(spark, "SELECT a, b") == [(8, 17)]
    spark.sql("SET VARIABLE (a, b) = (SELECT 1, 2)")
    assert rows(spark, "SELECT a, session.b, system.session.a") == [(1, 2, 1)]
    spark.sql("SET VARIABLE (a, b) = (SELECT 1, 2 WHERE false)")
    assert rows(spark, "SELECT a, b") == [(None, None)]
    spark.sql("SET VARIABLE a = DEFAULT")
    assert rows(spark, "SELECT a") == [(7,)]
    assert condition(spark, "SET VARIABLE (a, b) = (VALUES (1, 2), (3, 4))") == "ROW_SUBQUERY_TOO_MANY_ROWS"
    assert condition(spark, "SET VARIABLE a = 1, A = 2") == "DUPLICATE_ASSIGNMENTS"
    assert condition(spark, "SET a = 5") == "UNSUPPORTED_FEATURE.SET_VARIABLE_USING_SET"
    assert condition(spark, "CREATE VIEW over_variable AS SELECT a AS x") == "INVALID_TEMP_OBJ_REFERENCE"
    spark.sql("DROP TEMPORARY VARIABLE a")
    assert condition(spark, "DROP TEMPORARY VARIABLE a") == "VARIABLE_NOT_FOUND"


def test_execute_immediate(spark):
    spark.sql("DECLARE OR REPLACE VARIABLE total BIGINT")
    spark.sql("EXECUTE IMMEDIATE 'SELECT sum(id) FROM range(?)' INTO total USING 5")
    assert rows(spark, "SELECT total") == [(10,)]
    assert rows(spark, "EXECUTE IMMEDIATE 'SELECT :x + :y' USING 1 AS x, total AS y") == [(11,)]
    spark.sql("EXECUTE IMMEDIATE 'CREATE OR REPLACE TEMPORARY VIEW made AS SELECT 42 AS n'")
    assert rows(spark, "SELECT n FROM made") == [(42,)]
    assert condition(spark, "EXECUTE IMMEDIATE 'SET x.y = 1' INTO total") == "INVALID_STATEMENT_FOR_EXECUTE_INTO"
    assert condition(spark, "EXECUTE IMMEDIATE 'SELECT id FROM range(2)' INTO total") == "ROW_SUBQUERY_TOO_MANY_ROWS"
    assert condition(spark, "EXECUTE IMMEDIATE CAST(NULL AS STRING)") == "NULL_QUERY_STRING_EXECUTE_IMMEDIATE"


def test_identifier_clause(spark):
    spark.sql("DROP TABLE IF EXISTS named")
    spark.sql("CREATE TABLE IDENTIFIER('na' || 'med') (c1 INT)")
    spark.sql("INSERT INTO IDENTIFIER('na' || 'med') VALUES (3)")
    assert rows(spark, "SELECT IDENTIFIER('c' || 1) FROM IDENTIFIER(:t)", args={"t": "named"}) == [(3,)]
    assert rows(spark, "SELECT * FROM IDENTIFIER('ra' || 'nge')(0, 2)") == [(0,), (1,)]
    assert condition(spark, "SELECT * FROM IDENTIFIER(1 + 1)") == "NOT_A_CONSTANT_STRING.WRONG_TYPE"
    assert condition(spark, "SELECT IDENTIFIER((SELECT 'c1')) FROM named") == "NOT_A_CONSTANT_STRING.NOT_CONSTANT"
    spark.sql("DROP TABLE IDENTIFIER('named')")


def test_which_column_a_name_means(spark):
    spark.sql("CREATE OR REPLACE TEMPORARY VIEW v AS SELECT * FROM VALUES (1, 10), (2, 20), (2, 30) AS t(k, v)")
    assert rows(spark, "SELECT k AS g, 2 AS k FROM v GROUP BY ALL HAVING k > 1") == [(2, 2)]
    assert rows(spark, "SELECT sum(v) FROM v GROUP BY k + 1 ORDER BY 1 + k") == [(10,), (50,)]
    assert rows(spark, "SELECT k % 2 AS odd, sum(v) FROM v GROUP BY odd + 1, odd ORDER BY odd") == [(0, 50), (1, 10)]
    assert condition(spark, "SELECT sum(v) FROM v GROUP BY k ORDER BY v") == "UNRESOLVED_COLUMN.WITH_SUGGESTION"
    assert condition(spark, "SELECT k + sum(v) FROM v GROUP BY ALL") == "UNRESOLVED_ALL_IN_GROUP_BY"
    assert rows(spark, "SELECT k, (SELECT count(*) FROM v) FROM v GROUP BY k ORDER BY k") == [(1, 3), (2, 3)]
    got = rows(spark, "SELECT l.k, r.v FROM v l LEFT JOIN v r ON l.k = r.k AND l.v IN (SELECT max(v) FROM v) ORDER BY l.v, r.v")
    assert got == [(1, None), (2, None), (2, 20), (2, 30)]
    assert rows(spark, "SELECT k, v, grouping__id, count(*) FROM v GROUP BY k, v GROUPING SETS (()) ") == [(None, None, 3, 3)]


def test_recursion_ends(spark):
    to = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < {}) SELECT max(n) FROM t"
    assert rows(spark, to.format(100)) == [(100,)]
    assert condition(spark, to.format(101)) == "RECURSION_LEVEL_LIMIT_EXCEEDED"
    assert rows(spark, to.format(150).replace("t(n)", "t(n) MAX RECURSION LEVEL 200")) == [(150,)]
    assert rows(spark, "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t LIMIT 3") == [(1,), (2,), (3,)]
    assert condition(spark, to.format(5).replace("ALL", "")) == "UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE"


def test_decimals_of_more_than_18_digits(spark):
    rows = spark.sql("""SELECT a * a AS p, a - b AS d, b * b AS q, a * b * c AS r, sum(a * a) OVER () AS t
        FROM VALUES (CAST(9999999999999.99 AS DECIMAL(15,2)), CAST(-99999999.9999999999 AS DECIMAL(18,10)), CAST(7 AS DECIMAL(3,0))),
            (NULL, 1, 1), (1.5, NULL, 2) AS t(a, b, c)""").collect()
    total = Decimal("99999999999999800000000002.2501")
    assert [tuple(r) for r in rows] == [
        (Decimal("99999999999999800000000000.0001"), Decimal("10000099999999.9899999999"), Decimal("9999999999999999.98000000000000000"),
         Decimal("-6999999999999992993000.000000"), total),
        (None, None, Decimal("1.00000000000000000"), None, total),
        (Decimal("2.2500"), None, None, None, total)]
    with pytest.raises(Exception, match="NUMERIC_VALUE_OUT_OF_RANGE"):
        spark.sql("SELECT a * a FROM VALUES (CAST(99999999999999999999 AS DECIMAL(20,0))) t(a)").collect()


def test_in_among_results_is_true_or_false(spark):
    """What a real Spark answers: an unknown IN is false there, and an unknown NOT IN as well."""
    rows = spark.sql("""SELECT a, a IN (SELECT x FROM VALUES (1), (NULL) AS t(x)), a NOT IN (SELECT x FROM VALUES (1), (NULL) AS t(x)),
            NOT (a IN (SELECT x FROM VALUES (1), (2) AS t(x))), NOT (NOT a IN (SELECT x FROM VALUES (1), (NULL) AS t(x)))
        FROM VALUES (1), (3), (NULL) AS v(a)""").collect()
    assert {row[0]: tuple(row[1:]) for row in rows} == {
        1: (True, False, False, True), 3: (False, False, True, False), None: (False, False, False, False)}
