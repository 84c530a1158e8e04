/* Walking bound expressions and relations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan/bound.h"

static BoundExpr *integer(Arena *arena, int64_t v)
{
    return bound_literal(value_int(TYPE_INT, v), arena);
}

static bool count(BoundExpr **child, void *arg)
{
    ++*(int *)arg;
    return true;
}

static bool stop(BoundExpr **child, void *arg)
{
    ++*(int *)arg;
    return false;
}

static bool replace_with_null(BoundExpr **child, void *arg)
{
    *child = bound_literal(value_null(type_simple(TYPE_INT)), arg);
    return true;
}

static BoundExpr *call_of(Arena *arena, BoundExpr *a, BoundExpr *b)
{
    BoundExpr *e = bound_new(BEXPR_CALL, type_simple(TYPE_INT), false, arena);
    vec_push(arena, &e->call.args, a);
    vec_push(arena, &e->call.args, b);
    return e;
}

static void visits_children(void **state)
{
    AUTO_ARENA arena = arena_new();
    BoundExpr *e = call_of(arena, integer(arena, 1), integer(arena, 2));
    e->call.filter = integer(arena, 3);
    int seen = 0;
    assert_true(bound_each_child(e, count, &seen));
    assert_int_equal(seen, 3);
    seen = 0;
    assert_false(bound_each_child(e, stop, &seen));
    assert_int_equal(seen, 1);
    assert_true(bound_each_child(e, replace_with_null, arena));
    assert_true(e->call.args.at[1]->literal.is_null);
}

static void finds_kinds(void **state)
{
    AUTO_ARENA arena = arena_new();
    BoundColumn column = {.id = 7, .name = S("a"), .type = type_simple(TYPE_INT), .nullable = true};
    BoundExpr *e = call_of(arena, integer(arena, 1),
                           call_of(arena, bound_column(&column, arena), integer(arena, 2)));
    assert_true(bound_contains(e, BEXPR_COLUMN));
    assert_true(bound_contains(e, BEXPR_CALL));
    assert_false(bound_contains(e, BEXPR_WINDOW));
}

static void visits_relations(void **state)
{
    AUTO_ARENA arena = arena_new();
    BoundRel *values = brel_new(BREL_VALUES, NULL, arena);
    BoundExprVec row = {0};
    vec_push(arena, &row, integer(arena, 1));
    vec_push(arena, &row, integer(arena, 2));
    vec_push(arena, &values->values.rows, row);
    int seen = 0;
    assert_true(brel_each_expr(values, count, &seen));
    assert_int_equal(seen, 2);
    BoundRel *limit = brel_new(BREL_LIMIT, values, arena);
    limit->limit.count = integer(arena, 1);
    seen = 0;
    assert_true(brel_each_expr(limit, count, &seen));
    assert_int_equal(seen, 1);
}

static void hides_hidden_columns(void **state)
{
    AUTO_ARENA arena = arena_new();
    BoundRel *rel = brel_new(BREL_ONE_ROW, NULL, arena);
    vec_push(arena, &rel->columns,
             ((BoundColumn){.id = 1, .name = S("a"), .type = type_simple(TYPE_INT)}));
    vec_push(
        arena, &rel->columns,
        ((BoundColumn){.id = 2, .name = S("m"), .type = type_simple(TYPE_INT), .hidden = true}));
    const Type *schema = brel_schema(rel, arena);
    assert_int_equal(schema->structure.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(visits_children),
        cmocka_unit_test(finds_kinds),
        cmocka_unit_test(visits_relations),
        cmocka_unit_test(hides_hidden_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
