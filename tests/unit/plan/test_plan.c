/* Names, options and constructors of unresolved plans. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan/plan.h"

typedef struct NameRow {
    const char *text;
    const char *plain; /* name_text of what it parses to; NULL: refused */
    const char *quoted;
} NameRow;

static const NameRow names[] = {
    {"a", "a", "`a`"},
    {"a.b", "a.b", "`a`.`b`"},
    {"`a.b`.c", "`a.b`.c", "`a.b`.`c`"},
    {"`a``b`", "`a``b`", "`a``b`"},
    {"a b", "`a b`", "`a b`"},
    {"1a", "`1a`", "`1a`"},
    {"_a1", "_a1", "`_a1`"},
    {"a.``", "a.``", "`a`.``"},
    {"", "``", "``"},
    {"a..b", NULL, NULL},
    {".a", NULL, NULL},
    {"a.", NULL, NULL},
    {"`a", NULL, NULL},
    {"`a`b", NULL, NULL},
    {"a`b`", NULL, NULL},
};

static void parses_names(void **state)
{
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        AUTO_ARENA arena = arena_new();
        Error err = error_in(arena);
        Name name;
        bool good = name_parse(str_from(names[i].text), arena, &name, &err);
        assert_int_equal(good, names[i].plain != NULL);
        if (!good) {
            assert_int_equal(err.cls, ERR_INVALID_ATTRIBUTE_NAME_SYNTAX);
            continue;
        }
        assert_string_equal(str_z(name_text(&name, arena), arena), names[i].plain);
        assert_string_equal(str_z(name_quoted(&name, arena), arena), names[i].quoted);
    }
}

static void finds_options(void **state)
{
    AUTO_ARENA arena = arena_new();
    KeyValueVec options = {0};
    vec_push(arena, &options, ((KeyValue){S("Header"), S("true"), NULL}));
    assert_true(str_is(key_value_get(&options, "header"), "true"));
    assert_true(key_value_has(&options, "HEADER"));
    assert_false(key_value_has(&options, "sep"));
    assert_int_equal(key_value_get(&options, "sep").len, 0);
}

static void makes_nodes(void **state)
{
    AUTO_ARENA arena = arena_new();
    Expr *column = expr_column(arena, S("a"));
    assert_int_equal(column->column.plan_id, -1);
    assert_true(column->origin.stop < column->origin.start);
    Expr *call = expr_call(arena, "f", 1, &column);
    assert_ptr_equal(call->call.args.at[0], column);
    Expr *alias = expr_alias(call, S("b"), arena);
    assert_true(str_is(alias->alias.names.at[0], "b"));
    Rel *rel = rel_new(REL_FILTER, rel_new(REL_ONE_ROW, NULL, arena), arena);
    assert_int_equal(rel->plan_id, -1);
    assert_int_equal(rel->input->kind, REL_ONE_ROW);
    assert_int_equal(command_new(CMD_USE, arena)->kind, CMD_USE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_names),
        cmocka_unit_test(finds_options),
        cmocka_unit_test(makes_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
