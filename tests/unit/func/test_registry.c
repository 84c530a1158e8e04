/* Looking up rows, their rules, and the errors that name what was wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "func/func.h"

static FuncContext context(Arena *arena) {
    return (FuncContext){.ansi = true, .zone = S("UTC"), .arena = arena};
}

static FuncCall call_of(const char *name, Arena *arena, size_t count, const Type *const *types) {
    FuncCall call = {.row = func_find(str_from(name)), .written_name = str_from(name)};
    assert_non_null(call.row);
    for (size_t i = 0; i < count; i++) {
        BoundColumn column = {.id = (ColumnId)i + 1,
                              .name = str_printf(arena, "c%zu", i + 1),
                              .type = types[i],
                              .nullable = true};
        vec_push(arena, &call.args, bound_column(&column, arena));
    }
    return call;
}

static void test_lookup(void **state) {
    (void)state;
    assert_ptr_equal(func_find(S("UCASE")), func_find(S("upper")));
    assert_null(func_find(S("no_such_function")));
    AUTO_ARENA arena = arena_new();
    StrVec near = func_similar(S("uper"), 3, arena);
    assert_true(near.len > 0);
    assert_true(str_is(near.at[0], "upper"));
}

/* Every row can be asked for its rules; a text that does not parse aborts. */
static void test_rules_parse(void **state) {
    (void)state;
    for (size_t i = 0; i < func_count(); i++) {
        AUTO_ARENA arena = arena_new();
        FuncContext ctx = context(arena);
        Error err = error_in(arena);
        const FuncRow *row = func_at(i);
        FuncCall call = {.row = row, .written_name = str_from(row->name)};
        if (row->signature)
            (void)!func_resolve(&call, &ctx, &err);
    }
}

static void test_coercion(void **state) {
    (void)state;
    AUTO_ARENA arena = arena_new();
    FuncContext ctx = context(arena);
    Error err = error_in(arena);
    const Type *types[] = {type_simple(TYPE_INT), type_decimal(10, 2, arena)};
    FuncCall call = call_of("*", arena, 2, types);
    assert_true(func_resolve(&call, &ctx, &err));
    assert_true(type_equal(call.result, type_decimal(21, 2, arena)));
    assert_int_equal(call.args.at[0]->kind, BEXPR_CAST);
    assert_true(call.args.at[0]->implicit);
}

static void test_refusals(void **state) {
    (void)state;
    AUTO_ARENA arena = arena_new();
    FuncContext ctx = context(arena);
    Error err = error_in(arena);
    const Type *types[] = {type_array(type_simple(TYPE_INT), true, arena)};
    FuncCall call = call_of("substring", arena, 1, types);
    assert_false(func_resolve(&call, &ctx, &err));
    assert_int_equal(err.cls, ERR_WRONG_NUM_ARGS__WITHOUT_SUGGESTION);
    assert_true(str_is(error_param(&err, "expectedNum"), "[2, 3]"));
    error_clear(&err);
    call = call_of("abs", arena, 1, types);
    assert_false(func_resolve(&call, &ctx, &err));
    assert_int_equal(err.cls, ERR_DATATYPE_MISMATCH__UNEXPECTED_INPUT_TYPE);
    assert_true(
        str_is(error_param(&err, "requiredType"),
               "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\")"));
    assert_true(str_is(error_param(&err, "paramIndex"), "first"));
}

static void test_cast_text(void **state) {
    (void)state;
    AUTO_ARENA arena = arena_new();
    FuncContext ctx = context(arena);
    Error err = error_in(arena);
    Buf out = buf_in(arena);
    assert_true(func_render_cast(S("c1"), type_simple(TYPE_INT), type_simple(TYPE_LONG), CAST_ANSI,
                                 &ctx, &out, &err));
    assert_true(str_is(buf_str(&out), "CAST(c1 AS BIGINT)"));
    buf_reset(&out);
    assert_true(func_render_cast(S("c1"), type_simple(TYPE_STRING), type_simple(TYPE_INT), CAST_TRY,
                                 &ctx, &out, &err));
    assert_true(str_is(buf_str(&out), "ls_to_int(c1, 2, 'STRING')"));
}

static BoundExpr *constant_call(const char *row, const Type *type, Value left, Value right, Arena *arena) {
    BoundExpr *e = bound_new(BEXPR_CALL, type, false, arena);
    e->call.row = func_find(str_from(row));
    assert_non_null(e->call.row);
    vec_push(arena, &e->call.args, bound_literal(left, arena));
    vec_push(arena, &e->call.args, bound_literal(right, arena));
    return e;
}

/* Against what Spark answers for date'2024-01-31' + interval 1 month and its kin. */
static void test_fold(void **state) {
    (void)state;
    AUTO_ARENA arena = arena_new();
    const Type *date = type_simple(TYPE_DATE), *timestamp = type_simple(TYPE_TIMESTAMP);
    Value last_of_january = value_int(TYPE_DATE, 19753), month = value_int(TYPE_INTERVAL_YM, 1), out;
    BoundExpr *e = constant_call("date_plus_months", date, last_of_january, month, arena);
    assert_true(func_fold(e, S("UTC"), arena, &out));
    assert_int_equal(out.integer, 19782); /* 2024-02-29 */
    assert_ptr_equal(out.type, date);
    e->call.args.at[0] = bound_cast(bound_literal(value_string(S("2024-01-31")), arena), date, CAST_ANSI, false, arena);
    assert_true(func_fold(e, S("UTC"), arena, &out));
    assert_int_equal(out.integer, 19782);
    /* Clocks of Los Angeles went forward on 2024-03-10: that day has 23 hours. */
    Value noon = value_int(TYPE_TIMESTAMP, INT64_C(1710014400) * 1000000); /* 2024-03-09 12:00 there */
    Value day = value_int(TYPE_INTERVAL_DT, INT64_C(86400) * 1000000);
    e = constant_call("timestamp_plus_time", timestamp, noon, day, arena);
    assert_true(func_fold(e, S("America/Los_Angeles"), arena, &out));
    assert_int_equal(out.integer - noon.integer, INT64_C(23) * 3600 * 1000000);
    /* Beyond the last date; NULL; another kind of function. */
    e = constant_call("date_plus_months", date, value_int(TYPE_DATE, INT32_MAX), month, arena);
    assert_false(func_fold(e, S("UTC"), arena, &out));
    e = constant_call("date_plus_months", date, value_null(date), month, arena);
    assert_false(func_fold(e, S("UTC"), arena, &out));
    e = constant_call("concat", type_simple(TYPE_STRING), value_string(S("a")), value_string(S("b")), arena);
    assert_false(func_fold(e, S("UTC"), arena, &out));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lookup),    cmocka_unit_test(test_rules_parse),
        cmocka_unit_test(test_coercion),  cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_cast_text), cmocka_unit_test(test_fold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
