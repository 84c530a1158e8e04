"""Errors from a client's side: class, SQLSTATE, and the place in the text or the program, as Spark 4.2 answered."""
import pytest
from pyspark.errors import PySparkException, QueryContextType
from pyspark.sql import functions as F

from mutate import ENGINE_TALK

# statement, class, where it starts, the fragment; start -1: a place that names nothing, None: no context at all
RUNTIME = [
    ("SELECT 1, 2 + 1/0 AS x", "DIVIDE_BY_ZERO", 14, "1/0"),
    ("SELECT id, 10 div (id-1) FROM range(3)", "DIVIDE_BY_ZERO", 11, "10 div (id-1)"),
    ("SELECT CAST('a' AS INT)", "CAST_INVALID_INPUT", 7, "CAST('a' AS INT)"),
    ("SELECT 'a'::INT", "CAST_INVALID_INPUT", 7, "'a'::INT"),
    ("SELECT float('a')", "CAST_INVALID_INPUT", 7, "float('a')"),
    ("SELECT 1 + 'a'", "CAST_INVALID_INPUT", 7, "1 + 'a'"),
    ("SELECT coalesce('a', 1)+0", "CAST_INVALID_INPUT", 7, "coalesce('a', 1)"),
    ("SELECT id FROM range(2) WHERE 'a' in (1, 2)", "CAST_INVALID_INPUT", 34, "in (1, 2)"),
    ("SELECT avg(CAST(x AS INT)) FROM VALUES ('a') t(x)", "CAST_INVALID_INPUT", 11, "CAST(x AS INT)"),
    ("SELECT CAST(12345.6 AS DECIMAL(3,1))", "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", 7, "CAST(12345.6 AS DECIMAL(3,1))"),
    ("SELECT 2147483647 + 1", "ARITHMETIC_OVERFLOW", 7, "2147483647 + 1"),
    ("SELECT sum(x) FROM VALUES (9223372036854775807L),(1L) t(x)", "ARITHMETIC_OVERFLOW", -1, ""),
    ("SELECT abs(-2147483648)", "ARITHMETIC_OVERFLOW", None, None),
    ("SELECT CAST(1000 AS TINYINT)", "CAST_OVERFLOW", None, None),
    ("SELECT mod(5, 0)", "REMAINDER_BY_ZERO", 7, "mod(5, 0)"),
    ("SELECT interval 1 year / 0", "INTERVAL_DIVIDED_BY_ZERO", 7, "interval 1 year / 0"),
    ("SELECT array(1,2)[5], 1", "INVALID_ARRAY_INDEX", 7, "array(1,2)[5]"),
    ("SELECT elt(5, 'a', 'b')", "INVALID_ARRAY_INDEX", 7, "elt(5, 'a', 'b')"),
    ("SELECT element_at(array(1,2), 5)", "INVALID_ARRAY_INDEX_IN_ELEMENT_AT", 7, "element_at(array(1,2), 5)"),
    ("SELECT transform(array(1,0), x -> 1/x)", "DIVIDE_BY_ZERO", 34, "1/x"),
    ("SELECT CASE WHEN 1/0 > 1 THEN 1 END", "DIVIDE_BY_ZERO", 17, "1/0"),
    ("SELECT sum(1/id) OVER (ORDER BY id) FROM range(2)", "DIVIDE_BY_ZERO", 11, "1/id"),
    ("SELECT * FROM range(3) WHERE 1/(id-1) > 0", "DIVIDE_BY_ZERO", 29, "1/(id-1)"),
    ("SELECT count(*) FROM range(3) GROUP BY 1/(id-1)", "DIVIDE_BY_ZERO", 39, "1/(id-1)"),
    ("SELECT id FROM range(3) ORDER BY 1/(id-1)", "DIVIDE_BY_ZERO", 33, "1/(id-1)"),
    ("WITH a AS (SELECT 1/0 AS z) SELECT z FROM a", "DIVIDE_BY_ZERO", 18, "1/0"),
    ("SELECT (SELECT id FROM range(3))", "SCALAR_SUBQUERY_TOO_MANY_ROWS", 7, "(SELECT id FROM range(3))"),
    ("SELECT raise_error('x')", "USER_RAISED_EXCEPTION", None, None),
    ("SELECT nosuch, 1", "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", 7, "nosuch"),
    ("INSERT INTO nosuchx SELECT 1/0", "TABLE_OR_VIEW_NOT_FOUND", 12, "nosuchx"),
]


def error_of(action):
    with pytest.raises(PySparkException) as caught:
        action()
    return caught.value


@pytest.mark.parametrize("statement,condition,start,fragment", RUNTIME, ids=[row[0] for row in RUNTIME])
def test_place_in_sql(spark, statement, condition, start, fragment):
    error = error_of(lambda: spark.sql(statement).collect())
    assert error.getCondition() == condition
    contexts = error.getQueryContext()
    if start is None:
        assert not contexts
        return
    [context] = contexts
    assert context.contextType() == QueryContextType.SQL
    assert (context.startIndex(), context.fragment()) == (start, fragment)
    assert context.stopIndex() == (start + len(fragment) - 1 if fragment else -1)


def test_block_below_the_message(spark):
    error = error_of(lambda: spark.sql("SELECT\n  1,\n  id / 0\nFROM range(2)").collect())
    assert "SQLSTATE: 22012\n== SQL (line 3, position 3) ==\n  id / 0\n  ^^^^^^\n" in str(error)


def test_views_point_at_the_statement(spark):
    spark.sql("CREATE OR REPLACE TEMP VIEW errors_v AS SELECT id, 1/(id-1) AS r FROM range(3)")
    [context] = error_of(lambda: spark.sql("SELECT r + 1 FROM errors_v").collect()).getQueryContext()
    assert (context.startIndex(), context.fragment()) == (18, "errors_v")


def test_writes_point_at_the_expression(spark):
    spark.sql("CREATE OR REPLACE TABLE errors_t (x DOUBLE) USING delta")
    error = error_of(lambda: spark.sql("INSERT INTO errors_t SELECT 1/(id-1) FROM range(3)"))
    [context] = error.getQueryContext()
    assert (error.getCondition(), context.fragment()) == ("DIVIDE_BY_ZERO", "1/(id-1)")
    assert spark.sql("SELECT count(*) FROM errors_t").collect()[0][0] == 0
    spark.sql("DROP TABLE errors_t")


def test_place_in_a_program(spark):
    frame = spark.range(3)
    for action, fragment in [(lambda: frame.select(F.lit(1) / (frame.id - 1)), "__truediv__"),
                             (lambda: frame.select(F.lit("a").cast("int")), "cast"),
                             (lambda: frame.select(F.col("nosuch")), "col")]:
        [context] = error_of(lambda: action().collect()).getQueryContext()
        assert context.contextType() == QueryContextType.DataFrame
        assert context.fragment() == fragment
        assert "test_errors.py" in context.callSite()
        assert context.summary() == f'== DataFrame ==\n"{fragment}" was called from\n{context.callSite()}\n'


def test_place_in_text_inside_a_program(spark):
    for frame in (spark.range(3).select(F.expr("1/(id-1) AS z")), spark.range(3).selectExpr("1/(id-1) AS z")):
        [context] = error_of(frame.collect).getQueryContext()
        assert (context.startIndex(), context.fragment()) == (0, "1/(id-1)")
        assert "== SQL (line 1, position 1) ==\n1/(id-1) AS z\n" in context.summary()


# statement, class, some of the parameters
CHECKED = [
    ("SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN 2 FOLLOWING AND 1 FOLLOWING) FROM range(4)",
     "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON", {"sqlExpr": '"ROWS BETWEEN 2 FOLLOWING AND 1 FOLLOWING"'}),
    ("SELECT sum(id) OVER (ROWS BETWEEN CURRENT ROW AND UNBOUNDED PRECEDING) FROM range(2)",
     "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_INVALID_BOUND", {"lower": '"CURRENT ROW"', "upper": '"UNBOUNDED PRECEDING"'}),
    ("SELECT nth_value(id, 0) OVER (ORDER BY id) FROM range(3)", "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", {"currentValue": "0L"}),
    ("SELECT ntile(0) OVER (ORDER BY id) FROM range(3)", "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", {"exprName": "buckets"}),
    ("SELECT ntile(id) OVER (ORDER BY id) FROM range(3)", "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", {"inputType": '"BIGINT"'}),
    ("SELECT lag(id, id) OVER (ORDER BY id) FROM range(3)", "_LEGACY_ERROR_TEMP_1035", {"prettyName": "lag"}),
    ("SELECT rank() OVER (ORDER BY id ROWS 1 PRECEDING) FROM range(2)", "_LEGACY_ERROR_TEMP_1036",
     {"wf": "specifiedwindowframe(RowFrame, -1, currentrow$())"}),
    ("SELECT median(id) OVER (ORDER BY id) FROM range(3)", "INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC", {"aggFunc": '"median(id)"'}),
    ("SELECT * FROM range(1, 4, 0)", "FAILED_FUNCTION_CALL", {"funcName": "`range`"}),
    ("SELECT * FROM range(1, NULL)", "UNEXPECTED_INPUT_TYPE", {"paramIndex": "second"}),
    ("SELECT * FROM upper('a')", "NOT_A_TABLE_FUNCTION", {"functionName": "`upper`"}),
    ("SELECT * FROM explode(array(1)) AS t(a, b)", "NUM_TABLE_VALUE_ALIASES_MISMATCH", {"aliasesNum": "2", "outColsNum": "1"}),
    ("SELECT * FROM stack('2', 1)", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", {"requiredType": '"INT"'}),
    ("SELECT * FROM VALUES (1, 'a', 2) t(x, y, z) UNPIVOT (v FOR n IN (x, y, z))", "UNPIVOT_VALUE_DATA_TYPE_MISMATCH",
     {"types": '"INT" (`x`, `z`), "STRING" (`y`)'}),
    ("SELECT to_timestamp('11-365', 'MM-DDD')", "CANNOT_PARSE_TIMESTAMP",
     {"message": "Conflict found: Field MonthOfYear 11 differs from MonthOfYear 12 derived from 1970-12-31."}),
    ("SELECT CAST('a' AS INT)", "CAST_INVALID_INPUT", {"ansiConfig": '"spark.sql.ansi.enabled"'}),
    ("SET spark.sql.parquet.compression.codec=zip9", "INVALID_CONF_VALUE.OUT_OF_RANGE_OF_OPTIONS",
     {"confOptions": "brotli, uncompressed, lzo, snappy, lz4_raw, none, zstd, lz4, gzip"}),
    ("SET spark.sql.adaptive.advisoryPartitionSizeInBytes=-1k", "INVALID_CONF_VALUE.REQUIREMENT", {"confValue": "-1024b"}),
    ("SET spark.sql.legacy.parquet.int96RebaseModeInRead=LEGACY", "_LEGACY_ERROR_TEMP_1226", {"version": "4.0.0"}),
]


@pytest.mark.parametrize("statement,condition,parameters", CHECKED, ids=[row[0] for row in CHECKED])
def test_checks_of_arguments(spark, statement, condition, parameters):
    error = error_of(lambda: spark.sql(statement).collect())
    assert error.getCondition() == condition
    found = error.getMessageParameters()
    assert {name: found.get(name) for name in parameters} == parameters


def test_arguments_of_sql_functions(spark):
    spark.sql("CREATE OR REPLACE TEMPORARY FUNCTION checked_args(a INT, b INT DEFAULT 10) RETURNS INT RETURN a * b")
    for call, condition in [("()", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"), ("(b => 1)", "REQUIRED_PARAMETER_NOT_FOUND"),
                            ("(a => 1, a => 2)", "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE"),
                            ("(1, a => 2)", "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.BOTH_POSITIONAL_AND_NAMED"),
                            ("(c => 1)", "UNRECOGNIZED_PARAMETER_NAME"), ("(a => 1, 2)", "UNEXPECTED_POSITIONAL_ARGUMENT")]:
        assert error_of(lambda: spark.sql("SELECT checked_args" + call).collect()).getCondition() == condition
    assert spark.sql("SELECT checked_args(b => 4, a => 5)").first()[0] == 20


def test_generators_side_by_side(spark):
    rows = spark.sql("SELECT explode(array(1, 2)) a, explode(array(3, 4)) b").collect()
    assert sorted(tuple(r) for r in rows) == [(1, 3), (1, 4), (2, 3), (2, 4)]
