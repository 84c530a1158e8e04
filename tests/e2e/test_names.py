"""Names, stars, subqueries and pipe steps: each statement with what a real Spark 4.2 answered, columns and rows or the class."""
import pytest


def plain(value):
    return value.asDict(True) if hasattr(value, "asDict") else value


ANSWERS = [
    # pipe steps
    ("VALUES (0, 'abc'), (1, 'def') t(x, y) |> EXTEND *",
     'INVALID_USAGE_OF_STAR_OR_REGEX'),
    ("VALUES (0, 'abc'), (1, 'def') t(x, y) |> EXTEND sum(x) AS s",
     'PIPE_OPERATOR_CONTAINS_AGGREGATE_FUNCTION'),
    ("VALUES (0, 'abc'), (1, 'def') t(x, y) |> EXTEND sum(x) OVER () AS s |> ORDER BY x",
     ['x', 'y', 's'], [(0, 'abc', 1), (1, 'def', 1)]),
    ("VALUES (0, 'abc'), (1, 'def') t(x, y) |> SET z = 1",
     'UNRESOLVED_COLUMN.WITH_SUGGESTION'),
    ("VALUES (0, 'abc'), (1, 'def') t(x, y) |> DROP x, t.x",
     'EXCEPT_OVERLAPPING_COLUMNS'),
    ("VALUES (0, 'abc'), (1, 'def') t(x, y) |> SELECT x, length(y) AS z |> WHERE length(y) < 4",
     'UNRESOLVED_COLUMN.WITH_SUGGESTION'),
    ("VALUES (0, 'abc'), (1, 'def') t(x, y) |> AGGREGATE sum(x) GROUP BY 2, 2 |> ORDER BY `sum(x)`",
     ['y', 'y', 'sum(x)'], [('abc', 'abc', 0), ('def', 'def', 1)]),
    ("VALUES (0, 'abc'), (1, 'def') t(x, y) |> AGGREGATE x GROUP BY x",
     'PIPE_OPERATOR_AGGREGATE_EXPRESSION_CONTAINS_NO_AGGREGATE_FUNCTION'),
    ("VALUES (0, 'abc'), (1, 'def') t(x, y) |> AGGREGATE count(*) AS c, sum(x) AS x GROUP BY x |> WHERE x = 1",
     'AMBIGUOUS_REFERENCE'),
    ('VALUES (0), (1) l(a) |> JOIN VALUES (1), (2) r(a) USING (a) |> EXTEND 1 AS z |> SELECT r.a',
     ['a'], [(1,)]),
    # stars
    ("SELECT * EXCEPT (s.a) FROM VALUES (named_struct('a', 1, 'b', 2), 3) t(s, k)",
     ['s', 'k'], [({'b': 2}, 3)]),
    ("SELECT * EXCEPT (s.x.c, s.d) FROM VALUES (named_struct('x', named_struct('b', 1, 'c', 2), 'd', 4)) t(s)",
     ['s'], [({'x': {'b': 1}},)]),
    ('SELECT * EXCEPT (z) FROM VALUES (1, 2) t(a, b)',
     'UNRESOLVED_COLUMN.WITH_SUGGESTION'),
    ('SELECT * EXCEPT (a, t.a) FROM VALUES (1, 2) t(a, b)',
     'EXCEPT_OVERLAPPING_COLUMNS'),
    ("SELECT s.* EXCEPT (a) FROM VALUES (named_struct('a', 1, 'b', 2)) t(s)",
     ['b'], [(2,)]),
    ("SELECT * EXCEPT (x.a) FROM VALUES (array(named_struct('a', 1))) t(x)",
     'EXCEPT_NESTED_COLUMN_INVALID_TYPE'),
    ('SELECT * FROM VALUES (1, 2) t(a, b), LATERAL (SELECT t.*, u.* FROM VALUES (3) u(c))',
     ['a', 'b', 'a', 'b', 'c'], [(1, 2, 1, 2, 3)]),
    # IDENTIFIER
    ("SELECT IDENTIFIER('s').x FROM VALUES (named_struct('x', 1)) t(s)",
     ['s.x'], [(1,)]),
    ("SELECT IDENTIFIER('t').a FROM VALUES (1) t(a)",
     'UNRESOLVED_COLUMN.WITH_SUGGESTION'),
    ("SELECT t.IDENTIFIER('a') FROM VALUES (1) t(a)",
     'UNRESOLVED_ROUTINE'),
    ("SELECT 1 AS IDENTIFIER('x' 'y')",
     ['xy'], [(1,)]),
    ("SELECT * FROM IDENTIFIER('range')(2)",
     ['id'], [(0,), (1,)]),
    ("SELECT transform(array(1), x -> IDENTIFIER('x'))",
     'UNRESOLVED_COLUMN.WITHOUT_SUGGESTION'),
    ("SELECT TIMESTAMPADD(IDENTIFIER('YEAR'), 1, DATE'2024-01-15')",
     'UNRESOLVED_ROUTINE'),
    # correlation
    ('SELECT * FROM VALUES (0, 1) t(a, b) WHERE a > (SELECT sum(x) + t.b FROM VALUES (1) u(x))',
     'UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_REFERENCE'),
    ('SELECT * FROM VALUES (0, 1) t(a, b) WHERE a > (SELECT sum(x + t.b) FROM VALUES (1) u(x))',
     'UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.AGGREGATE_FUNCTION_MIXED_OUTER_LOCAL_REFERENCES'),
    ('SELECT * FROM VALUES (0, 1) t(a, b) WHERE a > (SELECT max(x) FROM VALUES (1) u(x) GROUP BY x + t.a)',
     'UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_REFERENCE'),
    ('SELECT * FROM VALUES (0, 1) t(a, b) WHERE EXISTS (SELECT 1 FROM VALUES (1) u(x) LEFT JOIN (SELECT 1 AS y WHERE t.a = 0) v ON x = y)',
     'UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.ACCESSING_OUTER_QUERY_COLUMN_IS_NOT_ALLOWED'),
    ('SELECT * FROM VALUES (0, 1) t(a, b) WHERE EXISTS (SELECT 1 FROM VALUES (1) u(x) WHERE EXISTS (SELECT 1 WHERE t.a = 0))',
     'UNRESOLVED_COLUMN.WITHOUT_SUGGESTION'),
    ('SELECT * FROM VALUES (0, 1) t(a, b) ORDER BY (SELECT max(x) FROM VALUES (1) u(x) WHERE x = t.a)',
     'UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_SCALAR_SUBQUERY'),
    ('SELECT * FROM VALUES (0, 1) t(a, b) ORDER BY EXISTS (SELECT 1)',
     'UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_IN_EXISTS_SUBQUERY'),
    ('SELECT * FROM VALUES (0), (1) t(a), LATERAL (SELECT rand(0))',
     'UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.NON_DETERMINISTIC_LATERAL_SUBQUERIES'),
    ('SELECT * FROM VALUES (0) t(a) JOIN VALUES (1) u(x) ON EXISTS (SELECT 1 WHERE t.a = u.x)',
     'UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_EXPRESSION_IN_JOIN_CONDITION'),
    ('SELECT (SELECT max(x) FROM VALUES (1) u(x) WHERE x = t.a), count(*) FROM VALUES (1), (2) t(a) GROUP BY 1 ORDER BY 2, 1',
     ['scalarsubquery(a)', 'count(1)'], [(None, 1), (1, 1)]),
    ('SELECT coalesce(a IN (SELECT x FROM VALUES (1), (NULL) u(x)), true) FROM VALUES (2) t(a)',
     ['coalesce((a IN (listquery())), true)'], [(False,)]),
    ('SELECT a FROM VALUES (2) t(a) WHERE NOT coalesce(a IN (SELECT x FROM VALUES (1), (NULL) u(x)), true)',
     ['a'], [(2,)]),
    ('SELECT a, b FROM VALUES (1, NULL), (2, 3) t(a, b) WHERE (a, b) NOT IN (SELECT x, y FROM VALUES (1, 5) u(x, y))',
     ['a', 'b'], [(2, 3)]),
    # recursion
    ('WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT CAST(n + 1 AS BIGINT) FROM t WHERE n < 3) SELECT * FROM t',
     'CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE'),
    ('WITH RECURSIVE t(n) AS (SELECT 1L UNION ALL SELECT CAST(n + 1 AS INT) FROM t WHERE n < 3) SELECT * FROM t',
     ['n'], [(1,), (2,), (3,)]),
    ('WITH RECURSIVE t(n) AS (SELECT n FROM t UNION ALL SELECT 1) SELECT * FROM t',
     'INVALID_RECURSIVE_CTE'),
    ('WITH RECURSIVE t(n) AS (SELECT 1L UNION ALL SELECT count(*) FROM t) SELECT * FROM t',
     'INVALID_RECURSIVE_REFERENCE.PLACE'),
    ('WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT t.n + 1 FROM VALUES (1) u(x) LEFT JOIN t ON n = x) SELECT * FROM t',
     'INVALID_RECURSIVE_REFERENCE.PLACE'),
    ('WITH RECURSIVE t(n) AS (WITH s AS (SELECT 1 AS i) SELECT i FROM s UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT * FROM t',
     ['n'], [(1,), (2,), (3,)]),
    ('WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL (WITH s AS (SELECT n + 1 AS k FROM t WHERE n < 3) SELECT k FROM s)) SELECT * FROM t',
     ['n'], [(1,), (2,), (3,)]),
    # clauses
    ('SELECT sum(b) FROM VALUES (6, 7), (1, 2) t(a, b) GROUP BY a HAVING max(b) > 5 ORDER BY max(b)',
     'UNRESOLVED_COLUMN.WITH_SUGGESTION'),
    ('SELECT sum(b) FROM VALUES (6, 7), (1, 2) t(a, b) GROUP BY a HAVING max(a) > 5 ORDER BY max(a)',
     'UNSUPPORTED_EXPR_FOR_OPERATOR'),
    ('SELECT sum(b) FROM VALUES (6, 7), (1, 2) t(a, b) GROUP BY a HAVING max(b) > 5 ORDER BY a',
     ['sum(b)'], [(7,)]),
    ('SELECT * FROM VALUES (1) t(a) WHERE row_number() OVER (ORDER BY a) = 1',
     'WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE'),
    ('SELECT a FROM VALUES (1) t(a) QUALIFY a = 1',
     'QUALIFY_REQUIRES_WINDOW_FUNCTION'),
    ('SELECT a, rank() OVER (ORDER BY a) AS r FROM VALUES (1) t(a) QUALIFY count(1) > 1',
     'QUALIFY_AGGREGATE_NOT_ALLOWED'),
    ('SELECT sum(a) OVER v FROM VALUES (1) t(a) WINDOW w AS (ORDER BY a) WINDOW v AS (ORDER BY a)',
     'MISSING_WINDOW_SPECIFICATION'),
    ('SELECT * FROM VALUES (1) t(a) LIMIT a',
     'INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE'),
    ("SELECT * FROM VALUES (1, 'x') t(a, b) PIVOT (sum(a) FOR b IN (b))",
     'NON_LITERAL_PIVOT_VALUES'),
    ('SELECT grouping_id(a) FROM VALUES (1, 2) t(a, b) GROUP BY CUBE (a, b)',
     'GROUPING_ID_COLUMN_MISMATCH'),
    ('SELECT a FROM VALUES (1) t(a) WHERE grouping(a) = 1',
     'UNSUPPORTED_GROUPING_EXPRESSION'),
    ("SELECT m, count(*) FROM VALUES (named_struct('d', map('k', 1))) t(m) GROUP BY m",
     ['m', 'count(1)'], [({'d': {'k': 1}}, 1)]),
    ('SELECT count()',
     'WRONG_NUM_ARGS.WITH_SUGGESTION'),
    ('SELECT count(t.*) FROM VALUES (1) t(a)',
     'INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT'),
    ('SELECT * FROM VALUES (rand(5)) t(a)',
     'INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE'),
    ('SELECT * FROM VALUES (1), (2) t(a, b)',
     'INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH'),
    ('WITH c AS (SELECT a, a FROM VALUES (1) t(a)) SELECT a FROM c',
     ['a'], [(1,)]),
    ("SELECT if(a > 2, raise_error('too big'), a) FROM VALUES (3) t(a)",
     'USER_RAISED_EXCEPTION'),
    ('SELECT * FROM a.b.c',
     'REQUIRES_SINGLE_PART_NAMESPACE'),
    ('DROP TABLE IF EXISTS a.b.c',
     'REQUIRES_SINGLE_PART_NAMESPACE'),
    # generated names
    ('SELECT a AS z, z + 1, sum(a) OVER () + z AS q FROM VALUES (1) t(a)',
     ['z', '(lateralAliasReference(z) + 1)', 'q'], [(1, 2, 2)]),
    ("SELECT m.f, f + 1 FROM VALUES (named_struct('f', 1)) t(m)",
     ['f', '(lateralAliasReference(f) + 1)'], [(1, 2)]),
    ("SELECT (a, b), struct(a, b), struct(a AS q, b + 1), named_struct('q', a) FROM VALUES (1, 2) t(a, b)",
     ['named_struct(a, a, b, b)', 'struct(a, b)', 'struct(a AS q, (b + 1))', 'named_struct(q, a)'], [({'a': 1, 'b': 2}, {'a': 1, 'b': 2}, {'q': 1, 'col2': 3}, {'q': 1})]),
    ('SELECT struct(a AS q).q FROM VALUES (1) t(a)',
     ['struct(a AS q).q'], [(1,)]),
    ("SELECT col.a, col['k'], NULL[0] FROM (SELECT NULL AS col)",
     ['a', 'col[k]', 'NULL[0]'], [(None, None, None)]),
    ("SELECT typeof(v:`field-name`), v:a.b[0]::int, v:a IS NULL FROM VALUES (parse_json('{}')) t(v)",
     ['typeof(variant_get(v, $.field-name) AS `field-name`)', 'b', '(variant_get(v, $.a) AS a IS NULL)'], [('variant', None, True)]),
    ("SELECT 'abc' AS current_user, current_user = current_user()",
     ['current_user', '(current_user() = current_user())'], [('abc', True)]),
    ('SELECT * FROM VALUES (1) t(a), LATERAL (SELECT a + 1)',
     ['a', '(outer(t.a) + 1)'], [(1, 2)]),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda a: a[0][:60])
def test_answers_as_spark_does(spark, answer):
    sql, *expected = answer
    if len(expected) == 2:
        frame = spark.sql(sql)
        assert (frame.columns, [tuple(map(plain, row)) for row in frame.collect()]) == tuple(expected)
        return
    with pytest.raises(Exception) as error:
        spark.sql(sql).collect()
    assert error.value.getCondition() == expected[0]


@pytest.fixture
def setting(spark):
    """Settings of one test."""
    def put(key, value):
        spark.conf.set(key, value)

    return put


def condition(spark, sql):
    with pytest.raises(Exception) as error:
        spark.sql(sql).collect()
    return error.value.getCondition()


def test_the_identifier_clause_of_old(spark, setting):
    setting("spark.sql.legacy.identifierClause", "true")
    assert spark.sql("SELECT IDENTIFIER('a' || 'b') FROM VALUES (1) t(ab)").columns == ["ab"]
    for sql in ("SELECT 1 AS IDENTIFIER('x')", "WITH IDENTIFIER('x') AS (SELECT 1) SELECT * FROM x",
                "SELECT * FROM IDENTIFIER('s').tab", "SELECT named_struct('a', 1).IDENTIFIER('a')"):
        assert condition(spark, sql) == "PARSE_SYNTAX_ERROR", sql


def test_settings_are_put_into_statements(spark, setting):
    spark.sql("SET hivevar:word = 'c'")
    assert spark.sql("SELECT ${word}").columns == ["c"]
    assert spark.sql("SELECT '${nothing}', '${ word}'").collect()[0] == ("", "${ word}")
    assert condition(spark, "SELECT ${env:HOME}") == "PARSE_SYNTAX_ERROR"
    setting("spark.sql.variable.substitute", "false")
    assert spark.sql("SELECT '${word}'").columns == ["${word}"]


def test_a_bar_alone_is_a_pipe_unless_told_otherwise(spark, setting):
    assert spark.sql("VALUES (1) t(a) | SELECT a").columns == ["a"]
    setting("spark.sql.parser.singleCharacterPipeOperator.enabled", "false")
    assert condition(spark, "VALUES (1) t(a) | SELECT a") == "PARSE_SYNTAX_ERROR"
    assert spark.sql("SELECT 1 | 2").collect()[0][0] == 3


def test_parameters_and_functions_of_one_name(spark, setting):
    spark.sql("CREATE OR REPLACE TEMPORARY FUNCTION day_of(current_date INT) RETURNS STRING RETURN typeof(current_date)")
    assert spark.sql("SELECT day_of(1)").collect()[0][0] == "date"
    setting("spark.sql.legacy.allowUdfParameterToShadowParameterlessFunction", "true")
    assert spark.sql("SELECT day_of(1)").collect()[0][0] == "int"
    spark.sql("DROP TEMPORARY FUNCTION day_of")


def test_variables_are_named_in_expressions(spark):
    spark.sql("DECLARE OR REPLACE VARIABLE va = 1")
    assert spark.sql("SELECT va, va + 1, IDENTIFIER('va')").columns == \
        ["va", "(variablereference(system.session.va=1) + 1)", "variablereference(system.session.va=1)"]
    spark.sql("DROP TEMPORARY VARIABLE va")


@pytest.mark.parametrize("call, want", [
    ("mask('AbC1', digitChar => 'd')", "XxXd"),
    ("mask(lowerChar => 'q', upperChar => 'Q', digitChar => 'd', str => 'AbCD123-@$#')", "QqQQddd-@$#"),
    ("mask('a', nosuch => 'q')", "UNRECOGNIZED_PARAMETER_NAME"),
    ("mask(lowerChar => 'q', 'a')", "UNEXPECTED_POSITIONAL_ARGUMENT"),
    ("mask('a', digitChar => 'd', digitChar => 'e')", "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE"),
    ("mask('a', str => 'b')", "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.BOTH_POSITIONAL_AND_NAMED"),
    ("mask(lowerChar => 'q')", "REQUIRED_PARAMETER_NOT_FOUND"),
    ("abs(expr => 1)", "NAMED_PARAMETERS_NOT_SUPPORTED"),
])
def test_named_arguments_of_builtins(spark, call, want):
    try:
        got = spark.sql(f"SELECT {call}").collect()[0][0]
    except Exception as failure:
        got = failure.getCondition()
    assert got == want
