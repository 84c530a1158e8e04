"""The functions that only clients name: what pandas-on-Spark computes with. Answers are those of a real Spark 4.2."""
import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import Window, functions as F
from pyspark.sql.internal import InternalFunction

ROWS = [(1, 1.0, 1), (2, None, 2), (3, 3.0, 2), (4, None, 5), (5, None, None), (6, 5.0, 7), (7, 2.5, 7)]
SO_FAR = Window.orderBy("i").rowsBetween(Window.unboundedPreceding, 0)


@pytest.fixture
def frame(spark):
    return spark.createDataFrame(ROWS, "i int, x double, n int")


def column(frame, expression):
    return [row[0] for row in frame.select(expression).collect()]


def value(frame, expression):
    return frame.agg(expression).collect()[0][0]


@pytest.mark.parametrize("ignore, want", [
    (True, [1.0, 1.0, 2.1764705882352944, 2.1764705882352944, 2.1764705882352944, 3.4657534246575343, 3.084484800631662]),
    (False, [1.0, 1.0, 2.3422818791946307, 2.3422818791946307, 2.3422818791946307, 4.101113780301376, 3.3230238479037046]),
])
def test_exponentially_weighted_mean(frame, ignore, want):
    assert column(frame, InternalFunction.ewm(F.col("x"), 0.3, ignore).over(SO_FAR)) == pytest.approx(want, rel=1e-15)


def test_runs_of_missing_values(frame):
    assert column(frame, InternalFunction.null_index(F.col("x")).over(SO_FAR)) == [0, 1, 0, 1, 2, 0, 0]


@pytest.mark.parametrize("name, dropna, want", [("n", True, 980), ("n", False, None), ("x", True, 37.5), ("x", False, None)])
def test_product(frame, name, dropna, want):
    assert value(frame, InternalFunction.product(F.col(name), dropna)) == want


def test_product_of_nothing(frame):
    assert value(frame.where("i < 0"), InternalFunction.product(F.col("x"), True)) == 1.0


@pytest.mark.parametrize("ddof, want", [(0, 2.046875), (1, 2.7291666666666665), (2, 4.09375), (4, None)])
def test_variance_by_degrees_of_freedom(frame, ddof, want):
    assert value(frame, InternalFunction.var(F.col("x"), ddof)) == want


def test_moments(frame):
    assert value(frame, InternalFunction.skew(F.col("x"))) == 0.43666208457574884
    assert value(frame, InternalFunction.kurt(F.col("x"))) == 1.1656663364605784
    assert value(frame.where("i < 4"), InternalFunction.skew(F.col("x"))) is None
    assert value(frame, InternalFunction.covar(F.col("x"), F.col("n"), 1)) == 3.5416666666666665


def test_modes(frame):
    assert sorted(value(frame, InternalFunction.mode(F.col("n"), True))) == [2, 7]
    assert value(frame, InternalFunction.mode(F.col("x"), False)) == [None]
    assert value(frame.where("i < 0"), InternalFunction.mode(F.col("x"), True)) == []


def test_top_values(frame):
    assert value(frame, InternalFunction.collect_top_k(F.col("n"), 3, True)) == [1, 2, 2]
    assert value(frame, InternalFunction.collect_top_k(F.col("n"), 3, False)) == [7, 7, 5]


def test_binary_search(frame):
    places = InternalFunction.array_binary_search(F.array(F.lit(1), F.lit(3), F.lit(5)), F.col("i"))
    assert column(frame, places) == [0, -2, 1, -3, 2, -4, -4]


def test_row_numbers_are_those_of_all_rows(frame):
    numbered = frame.select("i", InternalFunction.distributed_sequence_id().alias("q"), F.monotonically_increasing_id().alias("m"))
    assert [tuple(row) for row in numbered.where("i > 4").collect()] == [(5, 4, 4), (6, 5, 5), (7, 6, 6)]
    assert frame.select(InternalFunction.distributed_sequence_id()).columns == ["distributed_sequence_id(true)"]


def test_random_numbers_are_those_of_all_rows(spark):
    chosen = spark.sql("SELECT r FROM (SELECT id, rand(5) AS r FROM range(0, 6, 1, 1)) WHERE id > 3").collect()
    assert [row.r for row in chosen] == [0.33696441248382314, 0.034174777061646844]


@pytest.mark.parametrize("rows, want", [
    ("(SELECT id, monotonically_increasing_id() AS m FROM range(0, 6, 1, 1) ORDER BY id DESC)", [(4, 4), (5, 5)]),
    ("(SELECT id, monotonically_increasing_id() AS m FROM range(0, 6, 1, 1) UNION ALL SELECT 9, 9)", [(4, 4), (5, 5), (9, 9)]),
    ("(SELECT id, max(m) AS m FROM (SELECT id, monotonically_increasing_id() AS m FROM range(0, 6, 1, 1)) GROUP BY id)", [(4, 4), (5, 5)]),
    ("(SELECT id, monotonically_increasing_id() AS m FROM range(0, 6, 1, 1)) JOIN VALUES (4), (5) AS v(i) ON id = i", [(4, 4), (5, 5)]),
])
def test_row_ids_below_sorts_unions_groups_and_joins(spark, rows, want):
    assert sorted(tuple(row) for row in spark.sql(f"SELECT id, m FROM {rows} WHERE id > 3").collect()) == want


def test_text_cannot_name_them(spark):
    with pytest.raises(AnalysisException) as failure:
        spark.sql("SELECT pandas_skew(1)").collect()
    assert failure.value.getCondition() == "UNRESOLVED_ROUTINE"


def test_windows_in_windows(spark):
    query = "SELECT id, avg(row_number() OVER (ORDER BY id)) OVER (PARTITION BY id % 2) AS a FROM range(4) ORDER BY id"
    assert [row.a for row in spark.sql(query).collect()] == [2.0, 3.0, 2.0, 3.0]


def test_the_same_column_twice_is_not_ambiguous(spark):
    assert spark.sql("SELECT a FROM (SELECT a, a FROM VALUES (1) AS t(a))").collect()[0].a == 1
    with pytest.raises(AnalysisException) as failure:
        spark.sql("SELECT a FROM (SELECT a, a AS a FROM VALUES (1) AS t(a))").collect()
    assert failure.value.getCondition() == "AMBIGUOUS_REFERENCE"
    assert failure.value.getMessageParameters()["referenceNames"] == "[`a`, `a`]"
