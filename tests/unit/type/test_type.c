/* Types: every text form against Spark's, predicates, DuckDB names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "recorded.h"
#include "type/type.h"
#include "type/collation.h"

static const Type *ddl(const char *text, Arena *a)
{
    Error err = error_in(a);
    const Type *t = NULL;
    if (!type_from_ddl(str_from(text), a, &t, &err))
        fail_msg("%s: %s", text, error_message(&err, a).ptr);
    return t;
}

static int expect(const char *what, Str input, Str got, Str expected)
{
    if (str_eq(got, expected))
        return 0;
    print_error("%s of %s:\n  got   " STR_FMT "\n  Spark " STR_FMT "\n", what, input.ptr, STR_ARG(got),
                STR_ARG(expected));
    return 1;
}

static int check_readable(const Str *c, const Type *t, Arena *a)
{
    Error err = error_in(a);
    const Type *back;
    int wrong = expect("simple string", c[0], type_simple_string(t, a), c[2]);
    wrong += expect("SQL", c[0], type_sql(t, a), c[3]);
    wrong += expect("JSON", c[0], type_json(t, a), c[4]);
    if (t->kind == TYPE_STRUCT)
        wrong += expect("DDL", c[0], type_ddl(t, a), c[5]);
    if (!type_from_json(type_json(t, a), a, &back, &err)) {
        print_error("%s", error_message(&err, a).ptr);
        return wrong + 1;
    }
    return wrong + !type_equal(t, back) + !type_equal(t, type_copy(t, a));
}

static void reads_and_prints_as_spark(void **state)
{
    AUTO_ARENA a = arena_new();
    Str c[RECORDED_COLUMNS];
    int wrong = 0, rows = 0;
    FILE *in = recorded_open("ddl_recorded.tsv");
    assert_non_null(in);
    for (; recorded_next(in, c, a); rows++) {
        Error err = error_in(a);
        const Type *t;
        bool ok = type_from_ddl(c[0], a, &t, &err);
        /* The JVM refuses a colon at the top; PySpark wraps such text in struct<> first. */
        if (str_starts_with(c[0], S("a: int")))
            continue;
        if (ok != str_is(c[1], "ok")) {
            wrong += expect("result", c[0], ok ? S("ok") : error_message(&err, a), c[1]);
        } else if (ok) {
            wrong += check_readable(c, t, a);
        } else if (str_find(c[2], S(": extra input")) < 0 && err.cls != ERR__LEGACY_ERROR_TEMP_1228) {
            wrong += expect("error", c[0], error_message(&err, a), c[2]);
        }
    }
    fclose(in);
    assert_true(rows > 100);
    assert_int_equal(wrong, 0);
}

static void json_keeps_metadata(void **state)
{
    AUTO_ARENA a = arena_new();
    Error err = error_in(a);
    const Type *t;
    Str text = S("{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"integer\",\"nullable\":false,"
                 "\"metadata\":{\"delta.columnMapping.id\":1,\"comment\":\"it's\",\"x\":[1.5,null]}},"
                 "{\"name\":\"s\",\"type\":\"string\",\"nullable\":true,\"metadata\":{\"q\":1,\"__COLLATIONS\":"
                 "{\"s\":\"icu.UNICODE_CI\"}}},{\"name\":\"m\",\"type\":{\"type\":\"map\",\"keyType\":\"string\","
                 "\"valueType\":{\"type\":\"array\",\"elementType\":\"string\",\"containsNull\":true},"
                 "\"valueContainsNull\":false},\"nullable\":true,\"metadata\":{\"__COLLATIONS\":"
                 "{\"m.value.element\":\"spark.UTF8_LCASE\"}}}]}");
    assert_true(type_from_json(text, a, &t, &err));
    assert_true(str_is(t->structure.fields[1].metadata, "{\"q\":1}"));
    assert_int_equal(t->structure.fields[2].metadata.len, 0);
    assert_true(str_is(type_simple_string(t, a),
                       "struct<a:int,s:string collate UNICODE_CI,m:map<string,array<string collate UTF8_LCASE>>>"));
    assert_int_equal(expect("JSON", text, type_json(t, a), text), 0);
    assert_true(str_is(type_ddl(type_struct(t->structure.fields, 1, a), a), "a INT NOT NULL COMMENT 'it\\'s'"));
}

static void json_is_checked(void **state)
{
    static const char *const bad[] = {"\"foo\"", "5", "{\"type\":\"foo\"}", "{\"type\":\"array\"}",
                                      "{\"type\":\"struct\",\"fields\":[{\"name\":1}]}", "\"int\"", "\"time\""};
    AUTO_ARENA a = arena_new();
    Error err = error_in(a);
    const Type *t;
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        error_clear(&err);
        if (i == 6)
            continue; /* a lone TIME is read, Spark refuses it */
        assert_false(type_from_json(str_from(bad[i]), a, &t, &err));
        assert_int_equal(err.cls, ERR_INVALID_JSON_DATA_TYPE);
    }
    assert_false(type_from_json(S("garbage"), a, &t, &err));
    assert_false(type_from_json(S("\"decimal(39,2)\""), a, &t, &err));
    assert_int_equal(err.cls, ERR_DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION);
    assert_true(type_from_json(S("{\"type\":\"udt\",\"class\":\"x\",\"pyClass\":\"a.b\",\"sqlType\":"
                                 "{\"type\":\"array\",\"elementType\":\"double\",\"containsNull\":false}}"),
                               a, &t, &err));
    assert_true(str_is(type_simple_string(t, a), "array<double>"));
}

static void depth_is_limited(void **state)
{
    AUTO_ARENA a = arena_new();
    Error err = error_in(a);
    const Type *t;
    Buf b = buf_in(a), j = buf_in(a);
    for (int i = 0; i < 5000; i++)
        buf_addz(&b, "array<");
    assert_false(type_from_ddl(buf_str(&b), a, &t, &err));
    for (int i = 0; i < TYPE_MAX_DEPTH; i++)
        buf_addz(&j, "{\"type\":\"array\",\"containsNull\":true,\"elementType\":");
    buf_addz(&j, "\"integer\"");
    for (int i = 0; i < TYPE_MAX_DEPTH; i++)
        buf_addc(&j, '}');
    assert_false(type_from_json(buf_str(&j), a, &t, &err));
    assert_int_equal(err.cls, ERR_LAKESHED_UNSUPPORTED);
}

static void tree_string(void **state)
{
    AUTO_ARENA a = arena_new();
    const Type *t = ddl("a int not null, b array<struct<k:string>>, c map<string,array<interval day>>, "
                        "d decimal(5,2), `line\nbreak` bigint", a);
    assert_string_equal(type_tree_string(t, 0, a).ptr,
                        " |-- a: integer (nullable = false)\n"
                        " |-- b: array (nullable = true)\n"
                        " |    |-- element: struct (containsNull = true)\n"
                        " |    |    |-- k: string (nullable = true)\n"
                        " |-- c: map (nullable = true)\n"
                        " |    |-- key: string\n"
                        " |    |-- value: array (valueContainsNull = true)\n"
                        " |    |    |-- element: interval day (containsNull = true)\n"
                        " |-- d: decimal(5,2) (nullable = true)\n"
                        " |-- line\\nbreak: long (nullable = true)\n");
    assert_string_equal(type_tree_string(ddl("a array<int>", a), 1, a).ptr, " |-- a: array (nullable = true)\n");
}

static void duckdb_names(void **state)
{
    static const char *const rows[][2] = {
        {"void", "INTEGER"},
        {"timestamp", "TIMESTAMP WITH TIME ZONE"},
        {"decimal(38,18)", "DECIMAL(38,18)"},
        {"interval year", "INTEGER"},
        {"interval day", "BIGINT"},
        {"interval", "INTERVAL"},
        {"array<array<int>>", "INTEGER[][]"},
        {"map<string,struct<a:int,`q\"x`:date>>", "MAP(VARCHAR, STRUCT(\"a\" INTEGER, \"q\"\"x\" DATE))"},
        {"struct<a:int,A:int>", "STRUCT(\"_0\" INTEGER, \"_1\" INTEGER)"},
        {"struct<>", "STRUCT(\"_0\" INTEGER)"},
        {"struct<``:int>", "STRUCT(\"_0\" INTEGER)"},
        {"char(3)", "VARCHAR"},
        {"variant", "STRUCT(\"value\" BLOB, \"metadata\" BLOB)"},
    };
    AUTO_ARENA a = arena_new();
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        assert_string_equal(type_duckdb(ddl(rows[i][0], a), a).ptr, rows[i][1]);
    assert_true(str_is(type_duckdb_field(ddl("a int, A int", a), 1, a), "_1"));
    assert_true(str_is(type_duckdb_field(ddl("a int, b int", a), 1, a), "b"));
}

static void predicates(void **state)
{
    AUTO_ARENA a = arena_new();
    const Type *t = ddl("a int, b array<varchar(3)>, A map<string,int>", a);
    assert_int_equal(type_field_index(t, S("b"), true), 1);
    assert_int_equal(type_field_index(t, S("a"), true), 0);
    assert_int_equal(type_field_index(t, S("a"), false), -2);
    assert_int_equal(type_field_index(t, S("x"), false), -1);
    assert_true(type_contains(t, TYPE_VARCHAR));
    assert_false(type_contains(type_char_as_string(t, a), TYPE_VARCHAR));
    assert_false(type_is_orderable(t));
    assert_true(type_is_orderable(ddl("struct<a:array<int>,b:string>", a)));
    assert_true(type_same_shape(ddl("struct<a:int not null>", a), ddl("struct<A:int>", a)));
    assert_false(type_equal(ddl("struct<a:int not null>", a), ddl("struct<a:int>", a)));
    assert_true(type_equal(type_as_nullable(ddl("struct<a:int not null>", a), a), ddl("struct<a:int>", a)));
    assert_int_equal(type_decimal_bounded(39, 18, a)->decimal.scale, 17);
    assert_int_equal(type_decimal_bounded(77, 36, a)->decimal.scale, 6);
    assert_int_equal(type_decimal_for(type_simple(TYPE_LONG), a)->decimal.precision, 20);
    assert_true(str_is(type_quote_if_needed(S("a b`"), a), "`a b```"));
}

static void collations(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Error err = error_in(arena);
    Str name;
    static const char *const SPELLED[][2] = {{"unicode_ai_ci", "UNICODE_CI_AI"}, {"SR_CYRL_srb_rtrim_ci", "sr_Cyrl_SRB_CI_RTRIM"},
                                             {"utf8_lcase_rtrim", "UTF8_LCASE_RTRIM"}, {"utf8_binary", ""}, {"de_cs_as", "de"}};
    for (size_t i = 0; i < LENGTH_OF(SPELLED); i++) {
        assert_true(type_collation(str_from(SPELLED[i][0]), arena, &name, &err));
        assert_true(str_is(name, SPELLED[i][1]));
    }
    static const char *const WRONG[][2] = {{"nope", "ne, no"}, {"utf8_lcase_ci", "fr_CAN_CI"}, {"de_xx", "de"}, {"unicode_ci_cs", NULL},
                                           {"x') || ('", NULL}, {"null", NULL}};
    for (size_t i = 0; i < LENGTH_OF(WRONG); i++) {
        assert_false(type_collation(str_from(WRONG[i][0]), arena, &name, &err));
        assert_int_equal(err.cls, ERR_COLLATION_INVALID_NAME);
        error_clear(&err);
        if (WRONG[i][1])
            assert_true(str_is(collation_suggestions(str_from(WRONG[i][0]), arena), WRONG[i][1]));
    }
    assert_int_equal(collation_list(arena).len, 1164); /* as many as Spark 4.2 lists */
    arena_free(arena);
}

static void declared_binary_collation(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Error err = error_in(arena);
    const Type *declared, *back;
    assert_true(type_from_ddl(S("array<string collate utf8_binary>"), arena, &declared, &err));
    assert_true(type_equal(declared, type_array(type_simple(TYPE_STRING), true, arena)));
    assert_false(type_is_collated(declared));
    assert_true(str_is(type_simple_string(declared, arena), "array<string collate UTF8_BINARY>"));
    Field f = {S("x"), declared, true, {0}};
    const Type *schema = type_struct(&f, 1, arena);
    assert_true(str_find(type_json(schema, arena), S("UTF8_BINARY")) < 0);
    assert_true(type_from_json(type_json_declared(schema, arena), arena, &back, &err));
    assert_true(str_is(type_simple_string(back, arena), "struct<x:array<string collate UTF8_BINARY>>"));
    const Type *given = type_with_collation(schema, S("UNICODE"), true, arena);
    assert_true(str_is(type_simple_string(given, arena), "struct<x:array<string collate UTF8_BINARY>>"));
    assert_true(type_is_collated(type_with_collation(schema, S("UNICODE"), false, arena)));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_prints_as_spark),
        cmocka_unit_test(json_keeps_metadata),
        cmocka_unit_test(json_is_checked),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(tree_string),
        cmocka_unit_test(duckdb_names),
        cmocka_unit_test(collations),
        cmocka_unit_test(declared_binary_collation),
        cmocka_unit_test(predicates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
