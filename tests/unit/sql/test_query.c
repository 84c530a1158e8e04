/* Queries of Spark SQL: what each parses to, printed by plan_text.c; and how long and deep they may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "plan_text.h"

typedef struct Row {
    const char *sql;
    const char *plan;
} Row;

static const Row rows[] = {
    {"select 1 union select 2 intersect select 3 union all select 4",
     "(union-all (union (project 1) (intersect (project 2) (project 3))) (project 4))"},
    {"select 1 except select 2 minus all select 3",
     "(except-all (except (project 1) (project 2)) (project 3))"},
    {"from a select b", "(project b a)"},
    {"from a", "a"},
    {"from a select b select c", "(union-all (project b a) (project c a))"},
    {"select * from a join b using (x) left join c on a.x = c.x, d, lateral (select 1) e",
     "(project * (join-inner lateral (join-inner (join-left (join-inner a b using=[x]) c on=(= a.x c.x)) d) (as e (project 1))))"},
    {"select * from a natural full outer join b cross join c",
     "(project * (join-cross (join-full natural a b) c))"},
    {"select * from a left semi join b on x left anti join c on y",
     "(project * (join-anti (join-semi a b on=x) c on=y))"},
    {"select * from a right join b on x", "(project * (join-right a b on=x))"},
    {"select * from a, b join c on d", "(project * (join-inner (join-inner a b) c on=d))"},
    {"select * from (a join b on x) join c on y", "(project * (join-inner (join-inner a b on=x) c on=y))"},
    {"select * from a join (b join c on x) on y", "(project * (join-inner a (join-inner b c on=x) on=y))"},
    {"select a, sum(b) from t where c group by rollup(a), b having sum(b) > 1 order by 1 limit 2 offset 3",
     "(limit 2 (offset 3 (sort 1-asc (sets keys=[a b] set=(a b) set=(b) items=[a (sum b)] having=(> (sum b) 1) (filter if=c t)))))"},
    {"select a from t group by cube(a, b)", "(sets keys=[a b] set=(a b) set=(a) set=(b) set=() items=[a] t)"},
    {"select a from t group by grouping sets ((a, b), a, ())",
     "(sets keys=[a b] set=(a b) set=(a) set=() items=[a] t)"},
    {"select a from t group by a, b grouping sets ((a), (b))",
     "(sets keys=[a b] set=(a) set=(b) items=[a] t)"},
    {"select a from t group by a, b with rollup", "(rollup keys=[a b] items=[a] t)"},
    {"select a from t group by a, rollup(b, (c, d))",
     "(sets keys=[a b c d] set=(a b c d) set=(a b) set=(a) items=[a] t)"},
    {"select a from t group by all", "(all items=[a] t)"},
    {"select a from t group by a, A", "(aggregate keys=[a A] items=[a] t)"},
    {"select 1 having a > 1", "(aggregate items=[1] having=(> a 1))"},
    {"select all a from t", "(project a t)"},
    {"select distinct a from t", "(project distinct a t)"},
    {"select distinct a from t group by a window w as (partition by x) qualify row_number() over w = 1",
     "(qualify if=(= (over (row_number) w) 1) (windows (w partition=[x]) (distinct (aggregate keys=[a] items=[a] t))))"},
    {"with recursive r(a) as (select 1) select * from r",
     "(with (recursive r columns=[a] (project 1)) (project * r))"},
    {"with a as (select 1), b as (select 2) select * from a",
     "(with (a (project 1)) (b (project 2)) (project * a))"},
    {"with a as (with b as (select 1) select * from b) select * from a",
     "(with (a (with (b (project 1)) (project * b))) (project * a))"},
    {"select * from t version as of 3 x", "(project * (as x t version=3))"},
    {"select * from t timestamp as of '2020-01-01'", "(project * t timestamp='2020-01-01')"},
    {"select * from t for system_time as of current_date() x",
     "(project * (as x t timestamp=(current_date)))"},
    {"select * from t@v3", "(project * t version=3L)"},
    {"select * from t@20240131235959000", "(project * t timestamp='2024-01-31 23:59:59.000')"},
    {"select * from t tablesample (10 percent) repeatable (7) x", "(project * (sample 0.1 seed=7 (as x t)))"},
    {"select * from t tablesample (5 rows)", "(project * (sample rows=5 t))"},
    {"select * from t tablesample (bucket 1 out of 4)", "(project * (sample 0.25 t))"},
    {"values (1, 'a'), (2, default) as t(x, y)", "(as t columns=[x y] (values row=[1 'a'] row=[2 default]))"},
    {"values 1, 2", "(values row=[1] row=[2])"},
    {"select * from values (1) as t", "(project * (as t (values row=[1])))"},
    {"table t", "t"},
    {"(select 1) limit 1", "(limit 1 (project 1))"},
    {"((select 1) union (select 2)) limit 1", "(limit 1 (union (project 1) (project 2)))"},
    {"select * from ((select 1) x join y)", "(project * (join-inner (as x (project 1)) y))"},
    {"select * from (select 1)", "(project * (as __auto_generated_subquery_name (project 1)))"},
    {"select * from ((select 1))", "(project * (as __auto_generated_subquery_name (project 1)))"},
    {"select /*+ broadcast(a), repartition(3) */ 1", "(hint broadcast a (hint repartition 3 (project 1)))"},
    {"table t |> where x |> select y |> aggregate sum(z) group by w as k |> set q = 1, r = q |> drop r |> as z |> limit 3",
     "(limit 3 (as z (project |>DROP * except=[r] (with-columns (as q names=[r]) (with-columns (as 1 names=[q]) (pipe-aggregate keys=[(as w names=[k])] items=[(sum z)] (project |>SELECT y (filter if=x t))))))))"},
    {"table t |> extend a + 1 as b |> union all table u |> join v on x |> order by y",
     "(sort y-asc (join-inner (union-all (project |>EXTEND * (as (+ a 1) names=[b]) t) u) v on=x))"},
    {"table t | where x | select y", "(project |>SELECT y (filter if=x t))"},
    {"select a | b from t", "(project (| a b) t)"},
    {"select * from range(10) as r(i) lateral view outer explode(a) e as x, y",
     "(project * (generate outer by=(explode a) as=e columns=[x y] (as r columns=[i] (function range 10))))"},
    {"select * from a lateral view explode(b) c", "(project * (generate by=(explode b) as=c a))"},
    {"select * from t pivot (sum(a) s for b in (1 as x, 2)) p",
     "(project * (as p (pivot (as (sum a) names=[s]) for=[b] in=[1 2] names=[x ] t)))"},
    {"select * from t pivot (sum(a) for (b, c) in ((1, 2) as x))",
     "(project * (pivot (sum a) for=[b c] in=[(struct 1 2)] names=[x] t))"},
    {"select * from t unpivot include nulls ((a, b) for n in ((c, d) as cd, (e, f))) u",
     "(project * (as u (unpivot include-nulls name=n values=[a b] group=[c d]:cd group=[e f] t)))"},
    {"select * from t unpivot (a for n in (c as x, d.e))",
     "(project * (unpivot name=n values=[a] group=[c]:x group=[d.e] t))"},
    {"select a from t cluster by a", "(sort-local a-asc (repartition a (project a t)))"},
    {"select a from t distribute by a sort by b desc nulls last",
     "(sort-local b-desc (repartition a (project a t)))"},
    {"select 1 union by name select 2", "(union by-name (project 1) (project 2))"},
    {"select 1 limit all", "(project 1)"},
    {"select a from t order by a desc nulls first, b", "(sort a-desc-nulls-first b-asc (project a t))"},
    {"select * from f(table(t), x => 1)", "(project * (function f (table t) (x=> 1)))"},
    {"select * from a.b.c d", "(project * (as d a.b.c))"},
    {"select * from identifier('a.b')", "(project * a.b)"},
    {"select * from delta.`/x/y`", "(project * delta.`/x/y`)"},
    {"select 1 select", "(project (as 1 names=[select]))"},
    {"select a from t where", "(project a (as where t))"},
    {"select a from t as x(p, q)", "(project a (as x columns=[p q] t))"},
    {"select 1 -- c\n, 2 /* a /* b */ c */", "(project 1 2)"},
    {"select * from t with (a = 1)", "(project * t)"},
    {"select * except (a) from t", "(project * except=[a] t)"},
    {"select * from t where a in (select 1 union select 2)",
     "(project * (filter if=(in a (union (project 1) (project 2))) t))"},
    {"select (select max(a) from t) from u", "(project (scalar (project (max a) t)) u)"},
    {"select a from t where exists (select 1 from u)", "(project a (filter if=(exists (project 1 u)) t))"},
    {"select 1 as `x y`, 2 z", "(project (as 1 names=[x y]) (as 2 names=[z]))"},
};

static void parses_queries(void **state)
{
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        AUTO_ARENA arena = arena_new();
        Error err = error_in(arena);
        SqlOptions options = {.ansi = true, .zone = S("UTC")};
        Statement s;
        if (!sql_parse(str_from(rows[i].sql), &options, arena, &s, &err))
            fail_msg("%s: " STR_FMT, rows[i].sql, STR_ARG(error_message(&err, arena)));
        assert_non_null(s.query);
        assert_string_equal(str_z(rel_text(s.query, arena), arena), rows[i].plan);
    }
}

/* head, then the piece many times, then tail. */
static bool parse_repeated(const char *head, const char *piece, int count, const char *tail, ErrorClass *cls)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Buf b = buf_in(arena);
    Statement s;
    buf_addz(&b, head);
    for (int i = 0; i < count; i++)
        buf_addz(&b, piece);
    buf_addz(&b, tail);
    bool good = sql_parse(buf_str(&b), NULL, arena, &s, &err);
    *cls = err.cls;
    return good;
}

static void takes_long_chains(void **state)
{
    ErrorClass cls;
    assert_true(parse_repeated("select 1", " + 1", 10000, "", &cls));
    assert_true(parse_repeated("select 1", " and 1", 200000, "", &cls));
    assert_true(parse_repeated("select 1", " or 1", 200000, "", &cls));
    assert_true(parse_repeated("select 1", " union all select 1", 10000, "", &cls));
    assert_true(parse_repeated("select 1", ", 1", 200000, "", &cls));
    assert_true(parse_repeated("values (1)", ", (1)", 200000, "", &cls));
    assert_true(parse_repeated("select a in (1", ", 1", 200000, ")", &cls));
    assert_true(parse_repeated("select * from t", " join t", 10000, "", &cls));
    assert_true(parse_repeated("table t", " |> where a", 10000, "", &cls));
    assert_true(parse_repeated("select 'a'", " 'a'", 200000, "", &cls));
    assert_true(parse_repeated("select case", " when 1 then 2", 100000, " end", &cls));
}

static void refuses_deep_nesting(void **state)
{
    static const char *const pieces[] = {"(", "f(", "case when ", "- ", "not ", "array(", "a[", "(select ", "x -> ",
                                         "cast(", "substring(", "trim(", "exists(select ", "(select * from ("};
    ErrorClass cls;
    for (size_t i = 0; i < LENGTH_OF(pieces); i++) {
        assert_false(parse_repeated("select ", pieces[i], 100000, "1", &cls));
        assert_int_equal(cls, ERR_FAILED_TO_PARSE_TOO_COMPLEX);
    }
    assert_false(parse_repeated("", "(", 100000, "", &cls));
    assert_false(parse_repeated("select cast(a as ", "array<", 1000, "int", &cls));
    assert_int_equal(cls, ERR_FAILED_TO_PARSE_TOO_COMPLEX);
    assert_false(parse_repeated("", "explain ", 100000, "select 1", &cls));
    assert_int_equal(cls, ERR_FAILED_TO_PARSE_TOO_COMPLEX);
}

static void is_not_quadratic(void **state)
{
    ErrorClass cls;
    /* Each of these took time in the square of its length in an earlier form of some parser. */
    assert_false(parse_repeated("select ", "((((", 100000, "", &cls));
    assert_false(parse_repeated("select /* ", "/*", 200000, "", &cls));
    assert_false(parse_repeated("select ", "'", 200001, "", &cls));
    assert_false(parse_repeated("select ", "`", 200001, "", &cls));
    assert_false(parse_repeated("select f(", "a, ", 100000, "b c d", &cls));
    assert_false(parse_repeated("select ", "extract(", 100000, "", &cls));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_queries),
        cmocka_unit_test(takes_long_chains),
        cmocka_unit_test(refuses_deep_nesting),
        cmocka_unit_test(is_not_quadratic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
