/* Bound plans as tree text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "plan/explain.h"

static BoundColumn column(uint32_t id, Str name, TypeKind type)
{
    return (BoundColumn){.id = id, .name = name, .type = type_simple(type), .nullable = true};
}

static BoundExpr *call(Arena *arena, Str name, BoundExpr *a, BoundExpr *b)
{
    BoundExpr *e = bound_new(BEXPR_CALL, type_simple(TYPE_BOOLEAN), true, arena);
    e->call.written_name = name;
    vec_push(arena, &e->call.args, a);
    if (b)
        vec_push(arena, &e->call.args, b);
    return e;
}

static BoundRel *range(Arena *arena, uint32_t id)
{
    BoundRel *rel = brel_new(BREL_RANGE, NULL, arena);
    rel->range.end = 10;
    rel->range.step = 1;
    vec_push(arena, &rel->columns, column(id, S("id"), TYPE_LONG));
    return rel;
}

static void prints_a_tree(void **state)
{
    AUTO_ARENA arena = arena_new();
    BoundRel *left = range(arena, 1), *right = range(arena, 2);
    BoundExpr *a = bound_column(&left->columns.at[0], arena),
              *b = bound_column(&right->columns.at[0], arena);
    BoundRel *join = brel_new(BREL_JOIN, left, arena);
    join->join.right = right;
    join->join.condition = call(arena, S("="), a, b);
    BoundRel *filter = brel_new(BREL_FILTER, join, arena);
    filter->filter.condition =
        call(arena, S("and"), call(arena, S("isnotnull"), a, NULL),
             call(arena, S(">"), a, bound_literal(value_int(TYPE_LONG, 2), arena)));
    BoundRel *project = brel_new(BREL_PROJECT, filter, arena);
    vec_push(arena, &project->columns, column(3, S("x"), TYPE_LONG));
    vec_push(arena, &project->project.items, ((BoundItem){a, 3}));
    assert_string_equal(str_z(explain_text(project, S("simple"), S("UTC"), arena), arena),
                        "== Physical Plan ==\n"
                        "Project [id#1L AS x#3L]\n"
                        "+- Filter (isnotnull(id#1L) AND (id#1L > 2))\n"
                        "   +- BroadcastHashJoin [id#1L], [id#2L], Inner, BuildRight, false\n"
                        "      :- Range (0, 10, step=1)\n"
                        "      +- Range (0, 10, step=1)\n\n");
    Str extended = explain_text(project, S("extended"), S("UTC"), arena);
    assert_true(str_starts_with(extended, S("== Parsed Logical Plan ==\nProject [id#1L AS x#3L]\n")));
    assert_non_null(strstr(str_z(extended, arena), "\n== Analyzed Logical Plan ==\nx: bigint\nProject ["));
    assert_non_null(strstr(str_z(extended, arena), "   +- Join Inner, (id#1L = id#2L)\n"));
    Str formatted = explain_text(project, S("formatted"), S("UTC"), arena);
    assert_true(str_starts_with(formatted, S("== Physical Plan ==\nProject (5)\n+- Filter (4)\n")));
    assert_non_null(strstr(str_z(formatted, arena), "\n(1) Range\nOutput [1]: [id#1L]\nArguments: (0, 10, step=1)\n"));
    Str cost = explain_text(left, S("cost"), S("UTC"), arena);
    assert_string_equal(str_z(cost, arena), "== Optimized Logical Plan ==\n"
                                            "Range (0, 10, step=1), Statistics(sizeInBytes=80.0 B)\n\n"
                                            "== Physical Plan ==\nRange (0, 10, step=1)\n\n");
}

static void cuts_long_chains(void **state)
{
    AUTO_ARENA arena = arena_new();
    BoundRel *rel = range(arena, 1);
    for (int i = 0; i < 20000; i++) {
        rel = brel_new(BREL_LIMIT, rel, arena);
        rel->limit.count = bound_literal(value_int(TYPE_INT, i), arena);
    }
    assert_true(explain_tree(rel, S("UTC"), arena).len < 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(prints_a_tree),
                                       cmocka_unit_test(cuts_long_chains)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
