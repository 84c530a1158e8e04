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
