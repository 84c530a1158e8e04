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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lookup),    cmocka_unit_test(test_rules_parse),
        cmocka_unit_test(test_coercion),  cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_cast_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
