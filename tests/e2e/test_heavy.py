"""Requests that are large in one direction: none may grow the server or be refused for its size."""
import pytest


def deep(term, levels):
    return "+".join([term] + ["1"] * levels)


@pytest.mark.parametrize("levels", [100, 1000])
def test_long_sums(spark, levels):
    assert spark.sql(f"SELECT {deep('1', levels)} AS x").collect()[0].x == levels + 1
    rows = spark.sql(f"SELECT {deep('id', levels)} AS x FROM range(3) WHERE {deep('id', levels)} > {levels}").collect()
    assert sorted(r.x for r in rows) == [levels + 1, levels + 2]


def test_deep_expressions_in_every_clause(spark):
    key, value = deep("id % 2", 60), deep("id", 60)
    rows = spark.sql(f"SELECT {key} AS k, sum({value}) AS s FROM range(4) GROUP BY {key} HAVING sum({value}) > 0 ORDER BY {value.replace('id', 'k')}")
    assert [tuple(r) for r in rows.collect()] == [(60, 122), (61, 124)]
    rows = spark.sql(f"SELECT id FROM range(3) a WHERE EXISTS (SELECT 1 FROM range(2) b WHERE {deep('b.id', 60)} = {deep('a.id', 60)})")
    assert sorted(r.id for r in rows.collect()) == [0, 1]
    rows = spark.sql(f"SELECT CASE WHEN id = 0 THEN -1 ELSE {deep('10 / id', 60)} END AS x FROM range(3)")
    assert [r.x for r in rows.collect()] == [-1.0, 70.0, 65.0]
    nested = "if(id > 0, " * 100 + "id" + ", 7)" * 100
    assert [r[0] for r in spark.sql(f"SELECT {nested} FROM range(2)").collect()] == [7, 1]


def test_many_joins(spark):
    joins = " ".join(f"JOIN range(3) t{i} ON t{i}.id = t0.id" for i in range(1, 80))
    assert spark.sql(f"SELECT count(*) FROM range(3) t0 {joins}").collect()[0][0] == 3


def test_columns_of_a_table_that_nobody_names(spark):
    spark.sql("CREATE OR REPLACE TABLE many (a INT, b STRING, c STRUCT<x: INT, y: INT>, p INT) USING delta PARTITIONED BY (p)")
    spark.sql("INSERT INTO many VALUES (1, 'x', struct(1, 2), 7), (2, 'y', struct(3, 4), 8), (2, NULL, NULL, 8)")
    spark.sql("DELETE FROM many WHERE a = 1")
    questions = {
        f"SELECT {deep('a', 60)} AS x FROM many WHERE p = 8": [(62,), (62,)],
        "SELECT 1 FROM many": [(1,), (1,)],
        "SELECT count(*) FROM many m LEFT ANTI JOIN many n ON m.b = n.b": [(1,)],
        "SELECT count(1) FROM (SELECT * FROM many UNION SELECT * FROM many)": [(2,)],
        "SELECT count(1) FROM (SELECT * FROM many EXCEPT ALL SELECT a, 'y', c, p FROM many)": [(1,)],
        "SELECT count(*) FROM many m WHERE EXISTS (SELECT * FROM many n WHERE n.c.y = m.c.y)": [(1,)],
        "SELECT e FROM many LATERAL VIEW explode(array(p)) t AS e": [(8,), (8,)],
        "WITH t AS (SELECT * FROM many) SELECT sum(u.a) FROM t u JOIN t v USING (a, p)": [(8,)],
        "SELECT s.n FROM many m, LATERAL (SELECT m.p + 1 AS n) s": [(9,), (9,)],
        "SELECT max(b) FROM many TABLESAMPLE (100 PERCENT)": [("y",)],
        "SELECT row_number() OVER (ORDER BY a) AS r FROM many": [(1,), (2,)],
    }
    for sql, answer in questions.items():
        assert sorted(tuple(r) for r in spark.sql(sql).collect()) == answer, sql
    assert spark.table("many").dropDuplicates(["a"]).count() == 1
    table = spark.table("many")
    assert [r.p for r in table.withColumn("q", table.a).select("p").collect()] == [8, 8]
    spark.sql("DROP TABLE many")


def test_a_client_that_does_not_read_leaves_the_server_small(new_server):
    server = new_server("slow")
    session = server.session()
    rows = session.sql("SELECT id, concat('row-', id, repeat('x', 30)) AS s FROM range(50000000)").toLocalIterator()
    next(rows)
    next(rows)
    assert server.rss_kb() < 600_000  # the whole result is above 2 GB


def test_sorting_more_than_memory_spills(new_server):
    session = new_server("spill", "--memory-limit", "200MB").session()
    row = session.sql("""SELECT count(*) AS n, sum(r) AS places, max(length(x)) AS longest FROM (
        SELECT concat('abcdefgh', id, repeat('z', 16)) AS x, row_number() OVER (ORDER BY id DESC) AS r FROM range(5000000))""").collect()[0]
    assert (row.n, row.places, row.longest) == (5000000, 5000000 * 5000001 // 2, 31)
