/* Constants: their text forms, reading them, and that DuckDB gets exactly the value and type meant. */
#include <duckdb.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "recorded.h"
#include "type/number_text.h"
#include "type/value.h"

static const Type *ddl(const char *text, Arena *a)
{
    Error err = error_in(a);
    const Type *t = NULL;
    assert_true(type_from_ddl(str_from(text), a, &t, &err));
    return t;
}

static Value from(const char *text, const char *type, Arena *a)
{
    Error err = error_in(a);
    Value v;
    if (!value_from_text(str_from(text), ddl(type, a), S("America/Los_Angeles"), a, &v, &err))
        fail_msg("%s", error_message(&err, a).ptr);
    return v;
}

static void doubles_print_as_java(void **state)
{
    static const struct { double v; const char *text; } rows[] = {
        {1e10, "1.0E10"},        {1e-5, "1.0E-5"},          {123456.789, "123456.789"},
        {1e7, "1.0E7"},          {9999999, "9999999.0"},    {0.001, "0.001"},
        {0.0001, "1.0E-4"},      {4.9e-324, "4.9E-324"},    {-0.0, "-0.0"},
        {0.1, "0.1"},            {100, "100.0"},            {1.7976931348623157e308, "1.7976931348623157E308"},
        {1e23, "1.0E23"},        {2e23, "2.0E23"},          {NAN, "NaN"},
        {-INFINITY, "-Infinity"}, {1.0 / 3, "0.3333333333333333"}, {2.2250738585072014e-308, "2.2250738585072014E-308"},
        {12345678.9, "1.23456789E7"}, {0.00123, "0.00123"}, {1e22, "1.0E22"}, {-1234.5, "-1234.5"},
    };
    static const struct { float v; const char *text; } floats[] = {
        {3.4028235e38f, "3.4028235E38"}, {1.17e-38f, "1.17E-38"}, {0.1f, "0.1"},
        {16777216, "1.6777216E7"},       {1.4e-45f, "1.4E-45"},   {1e7f, "1.0E7"},
        {3.3554432e7f, "3.3554432E7"},   {1.1f, "1.1"},           {100, "100.0"},
        {9.8e-45f, "9.8E-45"},           {2e9f, "2.0E9"},
    };
    char out[NUMBER_TEXT_MAX];
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        assert_int_equal(double_text(rows[i].v, out), strlen(rows[i].text));
        assert_string_equal(out, rows[i].text);
    }
    for (size_t i = 0; i < LENGTH_OF(floats); i++) {
        assert_int_equal(float_text(floats[i].v, out), strlen(floats[i].text));
        assert_string_equal(out, floats[i].text);
    }
}

static void printed_numbers_read_back(void **state)
{
    uint64_t bits = 88172645463325252u;
    char out[NUMBER_TEXT_MAX];
    for (int i = 0; i < 200000; i++) {
        double v, back;
        float f, narrow;
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        memcpy(&v, &bits, 8);
        memcpy(&f, &bits, 4);
        size_t len = double_text(v, out);
        assert_true(len < NUMBER_TEXT_MAX);
        assert_true(double_parse((Str){out, len}, &back));
        assert_true(back == v || isnan(v));
        len = float_text(f, out);
        assert_true(float_parse((Str){out, len}, &narrow));
        assert_true(narrow == f || isnan(f));
    }
}

/* type, text, CAST AS STRING, SQL, pretty; recorded from Spark 4.2. */
static void prints_as_spark(void **state)
{
    static const char *const rows[][5] = {
        {"date", "2020-1-1", "2020-01-01", "DATE '2020-01-01'", "DATE '2020-01-01'"},
        {"timestamp", "2020-01-01 10:00:00.50", "2020-01-01 10:00:00.5", "TIMESTAMP '2020-01-01 10:00:00.5'",
         "TIMESTAMP '2020-01-01 10:00:00.5'"},
        {"timestamp_ntz", "2020-01-01", "2020-01-01 00:00:00", "TIMESTAMP_NTZ '2020-01-01 00:00:00'",
         "TIMESTAMP_NTZ '2020-01-01 00:00:00'"},
        {"time", "10:00:00.25", "10:00:00.25", "TIME '10:00:00.25'", "TIME '10:00:00.25'"},
        {"time(1)", "10:00:00.25", "10:00:00.2", "TIME '10:00:00.2'", "TIME '10:00:00.2'"},
        {"binary", "\x1c\xff", "\x1c\xff", "X'1CFF'", "X'1CFF'"},
        {"boolean", " yes ", "true", "true", "true"},
        {"tinyint", "-1", "-1", "-1Y", "-1"},
        {"smallint", "2", "2", "2S", "2"},
        {"int", " +12 ", "12", "12", "12"},
        {"bigint", "-9223372036854775808", "-9223372036854775808", "-9223372036854775808L", "-9223372036854775808"},
        {"float", "1.5", "1.5", "CAST('1.5' AS FLOAT)", "1.5"},
        {"float", "inf", "Infinity", "CAST('Infinity' AS FLOAT)", "Infinity"},
        {"double", "1e20", "1.0E20", "1.0E20D", "1.0E20"},
        {"double", "nan", "NaN", "CAST('NaN' AS DOUBLE)", "NaN"},
        {"double", "0x1p3", "8.0", "8.0D", "8.0"},
        {"double", "1d", "1.0", "1.0D", "1.0"},
        {"string", "a'b\\ \n", "a'b\\ \n", "'a\\'b\\\\ \n'", "a'b\\ \n"},
        {"decimal(3,2)", "1.5", "1.50", "1.50BD", "1.50"},
        {"decimal(3,2)", "-1.995", "-2.00", "-2.00BD", "-2.00"},
        {"decimal(10,2)", "1e5", "100000.00", "100000.00BD", "100000.00"},
        {"decimal(7,7)", "1e-7", "0.0000001", "1E-7BD", "1E-7"},
        {"decimal(7,7)", "0", "0.0000000", "0E-7BD", "0E-7"},
        {"decimal(12,12)", "1.23e-10", "0.000000000123", "1.23E-10BD", "1.23E-10"},
        {"decimal(38,0)", "-99999999999999999999999999999999999999", "-99999999999999999999999999999999999999",
         "-99999999999999999999999999999999999999BD", "-99999999999999999999999999999999999999"},
        {"interval year to month", "1-2", "INTERVAL '1-2' YEAR TO MONTH", "INTERVAL '1-2' YEAR TO MONTH",
         "INTERVAL '1-2' YEAR TO MONTH"},
        {"interval day", "3", "INTERVAL '3' DAY", "INTERVAL '3' DAY", "INTERVAL '3' DAY"},
        {"interval", "1 year 3 days", "1 years 3 days", "INTERVAL '1 years 3 days'", "INTERVAL '1 years 3 days'"},
    };
    AUTO_ARENA a = arena_new();
    Str la = S("America/Los_Angeles");
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        Value v = from(rows[i][1], rows[i][0], a);
        assert_string_equal(value_to_text(&v, la, a).ptr, rows[i][2]);
        assert_string_equal(value_sql(&v, la, a).ptr, rows[i][3]);
        assert_string_equal(value_pretty(&v, la, a).ptr, rows[i][4]);
    }
    Value none = value_null(type_simple(TYPE_INT));
    assert_string_equal(value_sql(&none, la, a).ptr, "CAST(NULL AS INT)");
    assert_string_equal(value_pretty(&none, la, a).ptr, "NULL");
}

static void refuses_as_spark(void **state)
{
    static const char *const rows[][3] = {
        {"int", "1.5", "[CAST_INVALID_INPUT] The value '1.5' of the type \"STRING\" cannot be cast to \"INT\" because"},
        {"tinyint", "300", "[CAST_INVALID_INPUT] The value '300' "},
        {"bigint", "12345678901234567890", "[CAST_INVALID_INPUT]"},
        {"date", "it's \\ x", "[CAST_INVALID_INPUT] The value 'it\\'s \\\\ x' "},
        {"decimal(5,1)", "123456",
         "[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION]  123456 cannot be represented as Decimal(5, 1). If necessary "
         "set \"spark.sql.ansi.enabled\" to \"false\""},
        {"decimal(3,2)", "9.999", "[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION]  9.999 "},
        {"decimal(38,0)", "1e400000000", "[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION]"},
        {"decimal(5,1)", "abc", "[CAST_INVALID_INPUT] The value 'abc' of the type \"STRING\" cannot be cast to "
                                "\"DECIMAL(5,1)\""},
        {"boolean", "maybe", "[CAST_INVALID_INPUT]"},
        {"double", "", "[CAST_INVALID_INPUT]"},
        {"array<int>", "[1]", "[LAKESHED_UNSUPPORTED]"},
    };
    AUTO_ARENA a = arena_new();
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        Error err = error_in(a);
        Value v;
        assert_false(value_from_text(str_from(rows[i][1]), ddl(rows[i][0], a), S("UTC"), a, &v, &err));
        Str message = error_message(&err, a);
        if (!str_starts_with(message, str_from(rows[i][2])))
            fail_msg("%s", message.ptr);
    }
}

static void decimal_literals(void **state)
{
    static const struct { const char *text; int precision, scale; const char *plain; } rows[] = {
        {"12.34", 4, 2, "12.34"}, {"0.1", 1, 1, "0.1"},   {"0.00", 2, 2, "0.00"}, {"1e3", 4, 0, "1000"},
        {"1.10", 3, 2, "1.10"},   {"-0.5", 1, 1, "-0.5"}, {".5", 1, 1, "0.5"},    {"100.", 3, 0, "100"},
        {"0", 1, 0, "0"},         {"1e-7", 7, 7, "0.0000001"}, {"-007", 1, 0, "-7"}, {"1.5E1", 2, 0, "15"},
        {"99999999999999999999999999999999999999", 38, 0, "99999999999999999999999999999999999999"},
    };
    static const char *const bad[] = {"", ".", "1e", "1.2.3", "a", "999999999999999999999999999999999999999", "1e40",
                                      "1e-39", "0x1", "1e99999999999"};
    AUTO_ARENA a = arena_new();
    Value v;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        assert_true(value_decimal_parse(str_from(rows[i].text), a, &v));
        assert_int_equal(v.type->decimal.precision, rows[i].precision);
        assert_int_equal(v.type->decimal.scale, rows[i].scale);
        assert_string_equal(value_decimal_text(v.decimal, v.type->decimal.scale, a).ptr, rows[i].plain);
    }
    for (size_t i = 0; i < LENGTH_OF(bad); i++)
        assert_false(value_decimal_parse(str_from(bad[i]), a, &v));
}

/* ---- nested values ---- */

static Value nested_sample(Arena *a)
{
    const Type *t = ddl("struct<xs:array<decimal(5,2)>,m:map<string,timestamp>,e:struct<>,none:array<string>,n:double>", a);
    Value *parts = ARENA_ARRAY(a, Value, 5), *xs = ARENA_ARRAY(a, Value, 2), *kv = ARENA_ARRAY(a, Value, 2);
    xs[0] = from("1.5", "decimal(5,2)", a);
    xs[1] = value_null(xs[0].type);
    kv[0] = value_string(S("it's \0 q"));
    kv[1] = from("2020-01-01 00:00:00", "timestamp", a);
    parts[0] = (Value){.type = t->structure.fields[0].type, .list = {xs, 2}};
    parts[1] = (Value){.type = t->structure.fields[1].type, .map = {&kv[0], &kv[1], 1}};
    parts[2] = (Value){.type = t->structure.fields[2].type};
    parts[3] = (Value){.type = t->structure.fields[3].type};
    parts[4] = value_double(NAN);
    return (Value){.type = t, .list = {parts, 5}};
}

static void nested_values_print(void **state)
{
    AUTO_ARENA a = arena_new();
    Value v = nested_sample(a);
    Str text = value_to_text(&v, S("UTC"), a);
    assert_true(str_eq(text, S("{[1.50, null], {it's \0 q -> 2020-01-01 08:00:00}, {}, [], NaN}")));
    assert_string_equal(value_sql(&v.list.items[0], S("UTC"), a).ptr, "ARRAY(1.50BD, CAST(NULL AS DECIMAL(5,2)))");
    assert_true(value_equal(&v, &v));
    Value other = nested_sample(a);
    assert_true(value_equal(&v, &other));
    other.list.items[4].real = 1;
    assert_false(value_equal(&v, &other));
}

/* ---- DuckDB ---- */

typedef struct Duck {
    duckdb_database db;
    duckdb_connection con;
} Duck;

static Str ask(Duck *d, Str sql, Arena *a)
{
    duckdb_result r;
    if (duckdb_query(d->con, str_z(sql, a), &r) != DuckDBSuccess)
        fail_msg("%s: %s", sql.ptr, duckdb_result_error(&r));
    char *text = duckdb_value_varchar(&r, 0, 0);
    Str copy = str_copy(str_from(text), a);
    duckdb_free(text);
    duckdb_destroy_result(&r);
    return copy;
}

static void expect_in_duckdb(Duck *d, const Value *v, const char *expected, Arena *a)
{
    Str expression = value_duckdb(v, a);
    Str type = ask(d, str_printf(a, "SELECT typeof(" STR_FMT ")", STR_ARG(expression)), a);
    Str wanted = ask(d, str_printf(a, "SELECT typeof(CAST(NULL AS " STR_FMT "))", STR_ARG(type_duckdb(v->type, a))), a);
    Str value = ask(d, str_printf(a, "SELECT CAST((" STR_FMT ") AS VARCHAR)", STR_ARG(expression)), a);
    if (!str_eq(type, wanted) || (expected && !str_is(value, expected)))
        fail_msg("%s: %s is %s, wanted %s %s", expression.ptr, value.ptr, type.ptr, wanted.ptr,
                 expected ? expected : "");
}

static void duckdb_gets_the_value(void **state)
{
    static const char *const rows[][3] = {
        {"boolean", "true", "true"},
        {"tinyint", "-128", "-128"},
        {"smallint", "7", "7"},
        {"int", "-2147483648", "-2147483648"},
        {"bigint", "-9223372036854775808", "-9223372036854775808"},
        {"float", "0.1", "0.1"},
        {"float", "-inf", "-inf"},
        {"double", "0.30000000000000004", "0.30000000000000004"},
        {"double", "4.9e-324", "5e-324"},
        {"double", "nan", "nan"},
        {"decimal(38,18)", "-1.000000000000000001", "-1.000000000000000001"},
        {"decimal(5,0)", "12", "12"},
        {"string", "it''s \\ \"x\"", "it''s \\ \"x\""},
        {"string", "", ""},
        {"char(3)", "a", "a"},
        {"binary", "\x01z'", "\\x01z\\x27"},
        {"date", "2020-02-29", "2020-02-29"},
        {"date", "-0001-01-01", "0002-01-01 (BC)"},
        {"date", "290000-01-01", "290000-01-01"},
        {"timestamp", "2020-01-01 00:00:00.000001", "2020-01-01 08:00:00.000001+00"},
        {"timestamp", "-0100-01-01 00:00:00", NULL},
        {"timestamp_ntz", "2020-01-01 00:00:00.5", "2020-01-01 00:00:00.5"},
        {"timestamp_ntz", "200000-01-01", "200000-01-01 00:00:00"},
        {"time", "23:59:59.999999", "23:59:59.999999"},
        {"interval year to month", "1-2", "14"},
        {"interval day to second", "1 00:00:00", "86400000000"},
        {"interval", "1 month 2 days 3 seconds", "1 month 2 days 00:00:03"},
    };
    static const char *const nulls[] = {"void", "int", "array<int>", "map<int,string>", "struct<a:int,b:array<date>>",
                                        "variant", "interval", "timestamp"};
    AUTO_ARENA a = arena_new();
    Duck d;
    assert_int_equal(duckdb_open(NULL, &d.db), DuckDBSuccess);
    assert_int_equal(duckdb_connect(d.db, &d.con), DuckDBSuccess);
    duckdb_query(d.con, "SET TimeZone='UTC'", NULL);
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        Value v = from(rows[i][1], rows[i][0], a);
        expect_in_duckdb(&d, &v, rows[i][2], a);
    }
    for (size_t i = 0; i < LENGTH_OF(nulls); i++) {
        Value v = value_null(ddl(nulls[i], a));
        expect_in_duckdb(&d, &v, NULL, a);
    }
    Value v = nested_sample(a);
    expect_in_duckdb(&d, &v, NULL, a);
    Value nul = value_string(S("a\0b\0"));
    assert_true(str_is(ask(&d, str_printf(a, "SELECT hex(" STR_FMT ")", STR_ARG(value_duckdb(&nul, a))), a), "61006200"));
    Value bad = value_string(S("a\xff"));
    expect_in_duckdb(&d, &bad, "a\xef\xbf\xbd", a);
    Value empty_map = {.type = ddl("map<string,int>", a)};
    expect_in_duckdb(&d, &empty_map, "{}", a);
    Value variant = {.type = type_simple(TYPE_VARIANT), .bytes = S_INIT("\x0c\x01")};
    expect_in_duckdb(&d, &variant, NULL, a);
    duckdb_disconnect(&d.con);
    duckdb_close(&d.db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_print_as_java), cmocka_unit_test(printed_numbers_read_back),
        cmocka_unit_test(prints_as_spark),       cmocka_unit_test(refuses_as_spark),
        cmocka_unit_test(decimal_literals),      cmocka_unit_test(nested_values_print),
        cmocka_unit_test(duckdb_gets_the_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
