"""Collations: what is compared, grouped, ordered and searched by them. ANSWERS and REFUSALS are recorded from Spark 4.2."""
import pytest
from pyspark.sql.types import ArrayType, StringType, StructField, StructType

ANSWERS = [
    ("select 'a' collate utf8_lcase = 'A', 'a ' collate utf8_binary_rtrim = 'a', 'é' collate unicode_ci_ai = 'E', 'a' collate unicode < 'B', 'I' collate tr_ci = 'ı'",
     [(True, True, True, True, True)]),
    ("select 'Kypper' collate sv < 'Köpfe', 'Kypper' collate de > 'Köpfe', 'é' collate unicode = 'e\\u0301'",
     [(True, True, True)]),
    ("select x from values ('b'),('A'),('a'),('B') t(x) order by x collate unicode",
     [('a',), ('A',), ('b',), ('B',)]),
    ("select x from values ('b'),('A'),('a'),('B') t(x) order by x collate utf8_lcase desc, x",
     [('B',), ('b',), ('A',), ('a',)]),
    ("select count(*) from values ('b'),('A'),('a'),('B') t(x) group by x collate utf8_lcase",
     [(2,), (2,)]),
    ("select count(distinct x collate unicode_ci), min(x collate utf8_lcase), max(x collate unicode) from values ('b'),('A'),('B') t(x)",
     [(2, 'A', 'B')]),
    ("select x collate utf8_lcase from values ('a'),('A'),('b') t(x) except select y collate utf8_lcase from values ('B') u(y)",
     [('a',)]),
    ("select t.x, u.y from values ('a'),('b') t(x) join values ('A'),('C') u(y) on t.x = u.y collate utf8_lcase",
     [('a', 'A')]),
    ("select x from values ('a'),('b'),('A') t(x) where x collate utf8_lcase in ('A', 'q')",
     [('a',), ('A',)]),
    ("select x from values ('a'),('b') t(x) where x collate utf8_lcase in (select y collate utf8_lcase from values ('B') u(y))",
     [('b',)]),
    ("select row_number() over (partition by x collate utf8_lcase order by x) from values ('a'),('A'),('b') t(x) order by 1",
     [(1,), (1,), (2,)]),
    ("select array_distinct(array('a' collate utf8_lcase, null, 'A', null)), array_union(array('a' collate utf8_lcase), array('A','b')), array_except(array('a' collate utf8_lcase,'b'), array('B')), array_intersect(array('a' collate utf8_lcase,'b'), array('B')), array_remove(array('a' collate utf8_lcase,'B'),'A')",
     [(['a', None], ['a', 'b'], ['a'], ['b'], ['B'])]),
    ("select array_contains(array('a' collate unicode_ci),'A'), array_position(array(null,'a' collate utf8_lcase),'A'), arrays_overlap(array('a' collate utf8_lcase), array('A')), sort_array(array('b' collate utf8_lcase,'A','a','B')), array_max(array('b' collate unicode,'A')), array_min(array('b' collate unicode_ci,'A'))",
     [(True, 2, True, ['A', 'a', 'b', 'B'], 'b', 'A')]),
    ("select greatest('a' collate utf8_lcase,'B','b'), least('b' collate utf8_lcase,'B'), nullif('a' collate utf8_lcase,'A'), map('a' collate utf8_lcase, 1)['A']",
     [('B', 'b', None, 1)]),
    ("select contains('aBc' collate utf8_lcase,'bC'), startswith('aBc' collate unicode_ci,'AB'), endswith('aBc' collate utf8_lcase,'BC'), instr('aBc' collate unicode_ci,'bC'), locate('bC','aBcbc' collate utf8_lcase,3), replace('aBcB' collate unicode_ci,'b','x'), split_part('aBcB' collate utf8_lcase,'b',2), substring_index('aBcB' collate utf8_lcase,'b',-1), find_in_set('B', 'a,b' collate utf8_lcase), translate('aBc' collate utf8_lcase,'AbC','xyz'), trim('A' from 'aBca' collate utf8_lcase)",
     [(True, True, True, 2, 4, 'axcx', 'c', '', 2, 'xyz', 'Bc')]),
    ("select 'aBc' collate utf8_lcase like 'Ab%', 'aBc' collate utf8_lcase rlike 'AB', regexp_replace('aBc' collate utf8_lcase, 'b', 'x'), split('aXbxc' collate utf8_lcase, 'x'), initcap('istanbul' collate tr), upper('ß' collate utf8_lcase)",
     [(True, True, 'axc', ['a', 'b', 'c'], 'İstanbul', 'SS')]),
    ("select typeof('a' collate sr_cyrl_ci_ai), typeof(cast('a' as string collate unicode_ai_ci)), collation('a' collate utf8_lcase || 'b'), typeof('a' collate utf8_binary)",
     [('string collate sr_Cyrl_CI_AI', 'string collate UNICODE_CI_AI', 'SYSTEM.BUILTIN.UTF8_LCASE', 'string collate UTF8_BINARY')]),
    ("select listagg(distinct x collate utf8_lcase) within group (order by x collate utf8_lcase) from values ('B'),('a'),('b') t(x)",
     [('aB',)]),
    ("select * from (select x collate utf8_lcase as x, 1 as n from values ('a'),('A'),('b') t(x)) pivot (sum(n) for x in ('A', 'B'))",
     [(2, 1)]),
]

REFUSALS = [
    ("select 'a' collate utf8_lcase = 'A' collate unicode_ci", 'COLLATION_MISMATCH.EXPLICIT'),
    ("select x || y = 'a' from (select 'a' collate utf8_lcase as x, 'b' collate unicode as y)", 'INDETERMINATE_COLLATION_IN_EXPRESSION'),
    ("select 'a' collate utf8_nope", 'COLLATION_INVALID_NAME'),
    ("select 'a' collate unicode_ci_cs", 'COLLATION_INVALID_NAME'),
    ("select 'a' collate unicode_ci rlike 'a'", 'DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE'),
    ("select contains('a' collate unicode_ai, 'a')", 'DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE'),
    ("select collate(1, 'utf8_lcase')", 'DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE'),
    ("select collect_set('a' collate utf8_lcase)", 'DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE'),
    ("select x from (select 'a' collate utf8_lcase as x) union select 'a'", 'INCOMPATIBLE_COLUMN_TYPE'),
    ("select listagg(distinct x collate utf8_lcase) within group (order by x) from values ('a') t(x)", 'INVALID_WITHIN_GROUP_EXPRESSION.MISMATCH_WITH_DISTINCT_INPUT'),
]


def rows(spark, sql):
    return [tuple(r) for r in spark.sql(sql).collect()]


@pytest.mark.parametrize("sql,expected", ANSWERS)
def test_answers(spark, sql, expected):
    assert rows(spark, sql) == expected


@pytest.mark.parametrize("sql,condition", REFUSALS)
def test_refusals(spark, sql, condition):
    with pytest.raises(Exception) as e:
        spark.sql(sql).collect()
    assert e.value.getCondition() == condition


def test_a_schema_of_the_client_has_collations(spark):
    schema = StructType([StructField("x", StringType("UTF8_LCASE")), StructField("y", ArrayType(StringType("UNICODE_CI")))])
    df = spark.createDataFrame([("a", ["b"]), ("A", ["B"])], schema)
    assert df.schema == schema
    assert df.select("x").distinct().count() == 1
    assert df.select("y").distinct().count() == 1
    assert df.dropDuplicates(["x"]).count() == 1
    assert df.filter(df.x == "A").count() == 2


def test_a_name_from_the_wire_is_checked(spark):
    schema = StructType([StructField("x", StringType("UTF8_LCASE') || ('"))])
    with pytest.raises(Exception) as e:
        spark.createDataFrame([("a",)], schema).groupBy("x").count().collect()
    assert "UTF8_LCASE') || ('" in str(e.value)


@pytest.fixture
def collated(spark):
    spark.sql("CREATE TABLE collated (c1 STRING, c2 STRING COLLATE UTF8_BINARY, c3 ARRAY<STRING>, n INT) USING parquet "
              "DEFAULT COLLATION UTF8_LCASE")
    spark.sql("INSERT INTO collated VALUES ('a', 'a', array('x'), 1), ('A', 'A', array('X'), 2), ('b', 'b', array('y'), 3)")
    yield spark
    spark.sql("DROP TABLE collated")


def test_default_collations_of_tables(collated):
    spark = collated
    described = [r[:2] for r in rows(spark, "DESCRIBE collated")]
    assert described == [("c1", "string collate UTF8_LCASE"), ("c2", "string collate UTF8_BINARY"),
                         ("c3", "array<string collate UTF8_LCASE>"), ("n", "int")]
    assert "DEFAULT COLLATION UTF8_LCASE\n" in rows(spark, "SHOW CREATE TABLE collated")[0][0]
    assert ("Collation", "UTF8_LCASE") in [r[:2] for r in rows(spark, "DESCRIBE EXTENDED collated")]
    assert rows(spark, "SELECT sum(n) FROM collated WHERE c1 = 'A'") == [(3,)]
    assert rows(spark, "SELECT sum(n) FROM collated WHERE c2 = 'A'") == [(2,)]
    assert sorted(rows(spark, "SELECT count(*) FROM collated GROUP BY c3")) == [(1,), (2,)]
    assert sorted(rows(spark, "SELECT count(*) FROM collated GROUP BY CUBE(c1)")) == [(1,), (2,), (3,)]
    assert rows(spark, "SELECT a.n FROM collated a SEMI JOIN collated b ON a.c1 = b.c1 AND a.n < b.n") == [(1,)]
    spark.sql("ALTER TABLE collated DEFAULT COLLATION UNICODE")
    spark.sql("ALTER TABLE collated ADD COLUMNS (c5 STRING)")
    assert rows(spark, "DESCRIBE collated")[4][:2] == ("c5", "string collate UNICODE")


def test_default_collations_of_views(spark):
    spark.sql("CREATE OR REPLACE VIEW collated_view DEFAULT COLLATION UTF8_LCASE AS "
              "SELECT 'a' AS c1, 'b' COLLATE UTF8_BINARY AS c2, CAST(1 AS STRING) AS c3, 'a' = 'A' AS c4")
    assert [r[1] for r in rows(spark, "DESCRIBE collated_view")] == [
        "string collate UTF8_LCASE", "string collate UTF8_BINARY", "string collate UTF8_LCASE", "boolean"]
    assert rows(spark, "SELECT c4, 'a' = 'A' FROM collated_view") == [(True, False)]
    spark.sql("DROP VIEW collated_view")


def test_default_collations_of_schemas(spark):
    with pytest.raises(Exception) as e:
        spark.sql("CREATE SCHEMA collated_schema DEFAULT COLLATION UNICODE_CI")
    assert e.value.getCondition() == "UNSUPPORTED_FEATURE.SCHEMA_LEVEL_COLLATIONS"
    spark.conf.set("spark.sql.collation.schemaLevel.enabled", "true")
    spark.sql("CREATE SCHEMA collated_schema DEFAULT COLLATION UNICODE_CI")
    assert ("Collation", "UNICODE_CI") in rows(spark, "DESCRIBE SCHEMA collated_schema")
    spark.sql("CREATE TABLE collated_schema.t (c STRING) USING parquet")
    assert rows(spark, "DESCRIBE collated_schema.t")[0][:2] == ("c", "string collate UNICODE_CI")
    spark.sql("DROP SCHEMA collated_schema CASCADE")
    spark.conf.unset("spark.sql.collation.schemaLevel.enabled")


@pytest.mark.parametrize("sql,condition", [
    ("CREATE TABLE t_bad USING parquet AS SELECT x || y AS z FROM (SELECT 'a' COLLATE UTF8_LCASE AS x, 'b' COLLATE UNICODE AS y)",
     "INDETERMINATE_COLLATION_IN_SCHEMA"),
    ("CREATE TABLE t_bad (a STRING COLLATE UTF8_LCASE, b INT) USING parquet PARTITIONED BY (a)", "INVALID_PARTITION_COLUMN_DATA_TYPE"),
    ("CREATE TABLE t_bad (a STRING COLLATE UTF8_LCASE) USING parquet CLUSTERED BY (a) INTO 2 BUCKETS", "INVALID_BUCKET_COLUMN_DATA_TYPE"),
    ("CREATE TABLE t_bad (a STRING) USING parquet DEFAULT COLLATION nope", "COLLATION_INVALID_NAME"),
])
def test_where_collations_may_not_stand(spark, sql, condition):
    with pytest.raises(Exception) as e:
        spark.sql(sql).collect()
    assert e.value.getCondition() == condition


def test_delta_keeps_collations_unless_strict(spark):
    spark.sql("CREATE TABLE delta_collated (l STRING COLLATE UTF8_LCASE, n INT) USING delta")
    spark.sql("INSERT INTO delta_collated VALUES ('a', 1), ('A', 2)")
    spark.sql("UPDATE delta_collated SET n = n + 10 WHERE l = 'a'")
    assert sorted(rows(spark, "SELECT l, n FROM delta_collated WHERE l = 'A'")) == [("A", 12), ("a", 11)]
    spark.sql("MERGE INTO delta_collated t USING (SELECT 'B' COLLATE UTF8_LCASE AS l, 3 AS n) s ON t.l = s.l "
              "WHEN NOT MATCHED THEN INSERT *")
    spark.sql("DELETE FROM delta_collated WHERE l = 'b'")
    assert rows(spark, "SELECT count(*) FROM delta_collated") == [(2,)]
    spark.conf.set("lakeshed.strict", "true")
    with pytest.raises(Exception) as e:
        spark.sql("CREATE TABLE delta_refused (l STRING COLLATE UTF8_LCASE) USING delta")
    spark.conf.unset("lakeshed.strict")
    assert e.value.getCondition() == "DELTA_UNSUPPORTED_DATA_TYPES"
    spark.sql("DROP TABLE delta_collated")


def test_the_list_of_collations(spark):
    assert spark.sql("SELECT * FROM collations()").count() == 1164
    assert [r[0] for r in rows(spark, "SHOW COLLATIONS LIKE 'UTF8*'")] == [
        "UTF8_BINARY", "UTF8_LCASE", "UTF8_BINARY_RTRIM", "UTF8_LCASE_RTRIM"]
