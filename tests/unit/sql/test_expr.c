/* Expressions of Spark SQL: what each parses to, printed by plan_text.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "plan_text.h"

typedef struct Row {
    const char *sql;
    const char *plan;
} Row;

static const Row rows[] = {
    {"1 + 2 * 3 - 4", "(- (+ 1 (* 2 3)) 4)"},
    {"-a.b[1].c::int", "(- (cast (extract (extract a.b 1) 'c') int))"},
    {"not a = b and c or d", "(or (and (not (= a b)) c) d)"},
    {"not not a", "(not (not a))"},
    {"!a", "(not a)"},
    {"a in (1, 2)", "(in a 1 2)"},
    {"a not in (1)", "(not (in a 1))"},
    {"(a, b) in (select 1, 2)", "(in a b (project 1 2))"},
    {"a not in (select 1)", "(not (in a (project 1)))"},
    {"case x when 1 then 'a' else 'b' end", "(case ((= x 1) 'a') else='b')"},
    {"case when a then 1 when b then 2 end", "(case (a 1) (b 2))"},
    {"a between 1 and 2 and c", "(and (between a 1 2) c)"},
    {"a not between b + 1 and c", "(not (between a (+ b 1) c))"},
    {"f(x -> x + 1, (a, b) -> a)", "(f (lambda params=[x] body=(+ x 1)) (lambda params=[a b] body=a))"},
    {"count(distinct a, b) filter (where c > 1) over (partition by d order by e desc rows between 1 preceding and unbounded following)",
     "(over (count distinct a b filter=(> c 1)) partition=[d] order=[e-desc] rows preceding:1 unbounded-following)"},
    {"sum(a) over (cluster by b)", "(over (sum a) partition=[b])"},
    {"sum(a) over (w)", "(over (sum a) w)"},
    {"sum(a) over (range 1 preceding)", "(over (sum a) range preceding:1 current)"},
    {"lag(a) ignore nulls over w", "(over (lag a ignore-nulls) w)"},
    {"a not like 'x' escape '!'", "(not (like a 'x' '!'))"},
    {"a ilike b", "(ilike a b)"},
    {"a rlike 'x'", "(rlike a 'x')"},
    {"a regexp 'x'", "(rlike a 'x')"},
    {"a like any ('x', y)", "(or (like a 'x') (like a y))"},
    {"a not like all ('x', y)", "(and (not (like a 'x')) (not (like a y)))"},
    {"a is null", "(isnull a)"},
    {"a is not null", "(isnotnull a)"},
    {"a is true", "(<=> a true)"},
    {"a is not unknown", "(not (isnull a))"},
    {"a is distinct from b", "(not (<=> a b))"},
    {"a is not distinct from b", "(<=> a b)"},
    {"a <> b", "(not (= a b))"},
    {"a != b", "(not (= a b))"},
    {"a == b", "(= a b)"},
    {"a <=> b", "(<=> a b)"},
    {"a !> b", "(<= a b)"},
    {"a !< b", "(>= a b)"},
    {"~a ^ b & c | d << 2", "(| (^ (~ a) (& b c)) (<< d 2))"},
    {"a >>> 1 >> 2", "(>> (>>> a 1) 2)"},
    {"a div b % c", "(% (div a b) c)"},
    {"a || b || c", "(|| (|| a b) c)"},
    {"1 = 2 = 3", "(= (= 1 2) 3)"},
    {"-1 + - 2", "(+ -1 -2)"},
    {"- (1)", "(- 1)"},
    {"+a", "(positive a)"},
    {"-1", "-1"},
    {"interval 1 day 2 hours", "INTERVAL '1 02' DAY TO HOUR"},
    {"interval -1 year", "INTERVAL '-1' YEAR"},
    {"interval '1-2' year to month", "INTERVAL '1-2' YEAR TO MONTH"},
    {"interval '1 02:03:04.5' day to second", "INTERVAL '1 02:03:04.5' DAY TO SECOND"},
    {"interval '3 weeks 4 minutes'", "INTERVAL '21 00:04' DAY TO MINUTE"},
    {"interval 1.5 seconds", "INTERVAL '01.5' SECOND"},
    {"date '2020-01-01'", "DATE '2020-01-01'"},
    {"date'2020-1-1'", "DATE '2020-01-01'"},
    {"timestamp '2020-01-01 00:00:00'", "TIMESTAMP '2020-01-01 00:00:00'"},
    {"timestamp_ntz '2020-01-01 00:00:00'", "TIMESTAMP_NTZ '2020-01-01 00:00:00'"},
    {"x'0aFF'", "X'0AFF'"},
    {"x'abc'", "X'0ABC'"},
    {"trim(both 'x' from y)", "(trim 'x' y)"},
    {"trim(leading from y)", "(ltrim y)"},
    {"trim(trailing 'x' from y)", "(rtrim 'x' y)"},
    {"trim('x')", "(trim 'x')"},
    {"extract(year from z)", "(extract 'year' z)"},
    {"substring(a from 2 for 3)", "(substring a 2 3)"},
    {"substring(a, 2)", "(substring a 2)"},
    {"overlay(a placing b from 1 for 2)", "(overlay a b 1 2)"},
    {"position('a' in b)", "(locate 'a' b)"},
    {"position('a', b)", "(position 'a' b)"},
    {"percentile_cont(0.5) within group (order by x desc)", "(percentile_cont 0.5BD within=[x-desc])"},
    {"cast(a as array<struct<x:int,y:string>>)", "(cast a array<struct<x:int,y:string>>)"},
    {"cast(a as map<int, array<array<int>>>)", "(cast a map<int,array<array<int>>>)"},
    {"try_cast(a as decimal(10, 2))", "(try_cast a decimal(10,2))"},
    {"cast(a as varchar(3))", "(cast a string)"},
    {"a::timestamp without time zone", "(cast a timestamp_ntz)"},
    {"a::interval day to second", "(cast a interval day to second)"},
    {"x:a.b[0]", "(as (variant_get x '$.a.b[0]') names=[b])"},
    {"x:['a']", "(as (variant_get x '$[\\'a\\']') names=[a])"},
    {"named(a => 1, b => 'x')", "(named (a=> 1) (b=> 'x'))"},
    {"exists(select 1) and exists(arr, x -> x)",
     "(and (exists (project 1)) (exists arr (lambda params=[x] body=x)))"},
    {"(select 1) + 1", "(+ (scalar (project 1)) 1)"},
    {"((select 1))", "(scalar (project 1))"},
    {"((select 1) + 1)", "(+ (scalar (project 1)) 1)"},
    {"array(1, 2)[0]", "(extract (array 1 2) 0)"},
    {"m['k'].f", "(extract (extract m 'k') 'f')"},
    {"f(a).b.c", "(extract (extract (f a) 'b') 'c')"},
    {"first(x ignore nulls)", "(first x ignore-nulls)"},
    {"first(x)", "(first x)"},
    {"any_value(x ignore nulls) filter (where y)", "(any_value x ignore-nulls filter=y)"},
    {"struct(1 as a, b)", "(struct (as 1 names=[a]) b)"},
    {"(1, 2, a as b)", "(struct 1 2 (as a names=[b]))"},
    {"(1)", "1"},
    {"timestampadd(day, 1, t)", "(timestampadd 'day' 1 t)"},
    {"datediff(a, b)", "(datediff a b)"},
    {"date_add(x, 1)", "(date_add x 1)"},
    {"t.*", "*:t"},
    {"t.* except (a, b.c)", "*:t except=[a b.c]"},
    {"count(*)", "(count *)"},
    {"*", "*"},
    {"'a' 'b' \"c\"", "'abc'"},
    {"'it''s'", "'it\\'s'"},
    {"'a\\n\\u0041\\101\\%'", "'a\nAA\\\\%'"},
    {"r'a\\n'", "'a\\\\n'"},
    {"\"a\"\"b\"", "'a\"b'"},
    {"`a b`.c", "`a b`.c"},
    {"`a``b`", "`a``b`"},
    {":p", ":p"},
    {"?", "?0"},
    {"identifier('a.b')", "(identifier 'a.b')"},
    {"identifier('a.' || b)", "(identifier (|| 'a.' b))"},
    {"identifier('f')(1)", "(f 1)"},
    {"identifier(:f)(1, 2)", "(identifier-call :f 1 2)"},
    {"1e3", "1000.0D"},
    {"1.5", "1.5BD"},
    {".5", "0.5BD"},
    {"1.", "1BD"},
    {"1D", "1.0D"},
    {"1F", "CAST('1.0' AS FLOAT)"},
    {"1BD", "1BD"},
    {"3S", "3S"},
    {"4Y", "4Y"},
    {"2147483648", "2147483648L"},
    {"9223372036854775808", "9223372036854775808BD"},
    {"a.1x", "a.`1x`"},
    {"current_date", "current_date"},
    {"current_date()", "(current_date)"},
    {"date", "date"},
    {"left(a, 1)", "(left a 1)"},
    {"filter(a, x -> x)", "(filter a (lambda params=[x] body=x))"},
    {"a collate utf8_lcase", "(collate a 'utf8_lcase')"},
    {"a as b", "(as a names=[b])"},
    {"a b", "(as a names=[b])"},
    {"explode(m) as (k, v)", "(as (explode m) names=[k v])"},
    {"a and b and c and d and e", "(and (and (and a b) c) (and d e))"},
    {"a or b or c", "(or (or a b) c)"},
    {"a is", "(as a names=[is])"},
    {"nulls", "nulls"},
    {"select", "select"},
    {"null", "NULL"},
    {"true", "true"},
    {"false", "false"},
    {"case", "case"},
    {"cast", "cast"},
    {"f(all a)", "(f a)"},
    {"f(distinct)", "(f distinct)"},
    {"a.b.c.d", "a.b.c.d"},
    {"interval", "interval"},
    {"a is null and b", "(and (isnull a) b)"},
};

static void parses_expressions(void **state)
{
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        AUTO_ARENA arena = arena_new();
        Error err = error_in(arena);
        SqlOptions options = {.ansi = true, .zone = S("UTC")};
        Expr *e;
        if (!sql_parse_expr(str_from(rows[i].sql), &options, arena, &e, &err))
            fail_msg("%s: " STR_FMT, rows[i].sql, STR_ARG(error_message(&err, arena)));
        assert_string_equal(str_z(expr_text(e, arena), arena), rows[i].plan);
    }
}

/* Where each part stands in the text: the analyzer's messages depend on it. */
static void remembers_origins(void **state)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Str sql = S("a + f( b.c ) in (1, 2)");
    Expr *e;
    assert_true(sql_parse_expr(sql, NULL, arena, &e, &err));
    assert_true(str_is(sql_fragment(sql, e->origin), "in (1, 2)"));
    Expr *sum = e->call.args.at[0];
    assert_true(str_is(sql_fragment(sql, sum->origin), "a + f( b.c )"));
    Expr *call = sum->call.args.at[1];
    assert_true(str_is(sql_fragment(sql, call->origin), "f( b.c )"));
    assert_true(str_is(sql_fragment(sql, call->call.args.at[0]->origin), "b.c"));
}

static void obeys_options(void **state)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Expr *e;
    SqlOptions quoted = {.double_quoted_identifiers = true};
    assert_true(sql_parse_expr(S("\"a\"\"b\""), &quoted, arena, &e, &err));
    assert_string_equal(str_z(expr_text(e, arena), arena), "`a\"b`");
    SqlOptions escaped = {.escaped_string_literals = true};
    assert_true(sql_parse_expr(S("'a\\n'"), &escaped, arena, &e, &err));
    assert_true(str_is(e->literal.bytes, "a\\n"));
    SqlOptions reserved = {.enforce_reserved = true};
    assert_false(sql_parse_expr(S("select"), &reserved, arena, &e, &err));
    error_clear(&err);
    SqlOptions zone = {.zone = S("America/Los_Angeles")};
    assert_true(sql_parse_expr(S("timestamp '1970-01-01 00:00:00'"), &zone, arena, &e, &err));
    assert_int_equal(e->literal.integer, INT64_C(8) * 3600 * 1000000);
    SqlOptions ntz = {.timestamp_ntz = true};
    assert_true(sql_parse_expr(S("timestamp '1970-01-01 00:00:00'"), &ntz, arena, &e, &err));
    assert_int_equal(e->literal.type->kind, TYPE_TIMESTAMP_NTZ);
}

static void parses_names_and_types(void **state)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Name name;
    const Type *type;
    assert_true(sql_parse_name(S("a.`b c`.d"), NULL, arena, &name, &err));
    assert_int_equal(name.len, 3);
    assert_true(str_is(name.at[1], "b c"));
    assert_false(sql_parse_name(S("a.b c"), NULL, arena, &name, &err));
    error_clear(&err);
    assert_true(sql_parse_type(S("struct<a: int not null comment 'x', b: map<string, array<date>>>"), NULL, arena, &type, &err));
    assert_string_equal(str_z(type_simple_string(type, arena), arena), "struct<a:int,b:map<string,array<date>>>");
    assert_false(type->structure.fields[0].nullable);
    assert_true(str_is(type->structure.fields[0].metadata, "{\"comment\":\"x\"}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_expressions),
        cmocka_unit_test(remembers_origins),
        cmocka_unit_test(obeys_options),
        cmocka_unit_test(parses_names_and_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
