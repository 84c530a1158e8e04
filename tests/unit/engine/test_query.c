/* Bound plans through DuckDB and back as values. */
#include "plans.h"

static const FuncRow row_add = {.name = "+", .kind = FUNC_SCALAR, .sql = "($1 + $2)"};
static const FuncRow row_less = {.name = "<", .kind = FUNC_SCALAR, .sql = "($1 < $2)"};
static const FuncRow row_sum = {
    .name = "sum", .kind = FUNC_AGGREGATE, .sql = "CAST(sum($1)$over AS BIGINT)"};
static const FuncRow row_mod = {.name = "%", .kind = FUNC_SCALAR, .sql = "($1 % $2)"};
static const FuncRow row_explode = {.name = "explode", .kind = FUNC_GENERATOR};
static const FuncRow row_array = {.name = "array", .kind = FUNC_SCALAR, .sql = "[$1, $2]"};
static const FuncRow row_huge = {.name = "huge", .kind = FUNC_SCALAR, .sql = "CAST($1 AS HUGEINT)"};

static BoundExpr *col(Bench *b, const BoundRel *r, size_t i)
{
    return bound_column(&r->columns.at[i], b->arena);
}

static void project_over_filter_is_one_select(void **state)
{
    Bench *b = *state;
    BoundRel *r = range_rel(b, 10);
    BoundRel *f = filter_of(
        b, r, call2(b, &row_less, type_simple(TYPE_BOOLEAN), col(b, r, 0), lit_int(b, 3)));
    BoundRel *p = project_of(b, f);
    project_add(b, p, "x", call2(b, &row_add, type_simple(TYPE_LONG), col(b, f, 0), lit_int(b, 1)));
    Str sql;
    assert_true(engine_render(p, &b->func, b->arena, &sql, &b->err));
    assert_int_equal(str_find(sql, S("(SELECT")), -1);
    RowVec rows = rows_of(b, p);
    assert_int_equal(rows.len, 3);
    assert_int_equal(rows.at[2].cells[0].integer, 3);
}

static void aggregate_and_window(void **state)
{
    Bench *b = *state;
    BoundRel *r = range_rel(b, 10);
    BoundRel *a = brel_new(BREL_AGGREGATE, r, b->arena);
    BoundColumn k = column_new(b, "k", type_simple(TYPE_LONG)),
                s = column_new(b, "s", type_simple(TYPE_LONG));
    vec_push(b->arena, &a->columns, k);
    vec_push(b->arena, &a->columns, s);
    BoundItem key = {call2(b, &row_mod, type_simple(TYPE_LONG), col(b, r, 0), lit_int(b, 2)), k.id};
    BoundItem sum = {call2(b, &row_sum, type_simple(TYPE_LONG), col(b, r, 0), NULL), s.id};
    vec_push(b->arena, &a->aggregate.keys, key);
    vec_push(b->arena, &a->aggregate.aggregates, sum);
    BoundRel *sort = brel_new(BREL_SORT, a, b->arena);
    sort->columns = a->columns;
    BoundSort by = {col(b, a, 0), true, false};
    vec_push(b->arena, &sort->sort.order, by);
    RowVec rows = rows_of(b, sort);
    assert_int_equal(rows.len, 2);
    assert_int_equal(rows.at[0].cells[1].integer, 25);
    assert_int_equal(rows.at[1].cells[1].integer, 20);

    BoundExpr *w = bound_new(BEXPR_WINDOW, type_simple(TYPE_LONG), true, b->arena);
    w->window.function = call2(b, &row_sum, type_simple(TYPE_LONG), col(b, r, 0), NULL);
    BoundSort up = {col(b, r, 0), false, true};
    vec_push(b->arena, &w->window.order, up);
    w->window.frame = FRAME_ROWS;
    w->window.from.kind = BOUND_PRECEDING;
    w->window.from.value = lit_int(b, 1);
    w->window.to.kind = BOUND_CURRENT_ROW;
    BoundRel *p = project_of(b, r);
    project_add(b, p, "w", w);
    rows = rows_of(b, p);
    assert_int_equal(rows.len, 10);
    assert_int_equal(rows.at[9].cells[0].integer, 17);
}

static void a_wrong_carrier_is_cast(void **state)
{
    Bench *b = *state;
    BoundRel *r = range_rel(b, 2);
    BoundRel *p = project_of(b, r);
    project_add(b, p, "h", call2(b, &row_huge, type_simple(TYPE_INT), col(b, r, 0), NULL));
    RowVec rows = rows_of(b, p);
    assert_int_equal(rows.at[1].cells[0].integer, 1);
}

static void explode_with_position(void **state)
{
    Bench *b = *state;
    BoundRel *r = range_rel(b, 2);
    const Type *list = type_array(type_simple(TYPE_LONG), true, b->arena);
    BoundExpr *pair = call2(b, &row_array, list, col(b, r, 0), lit_int(b, 7));
    BoundExpr *e = bound_new(BEXPR_GENERATOR, type_simple(TYPE_LONG), true, b->arena);
    e->call.row = &row_explode;
    vec_push(b->arena, &e->call.args, pair);
    BoundRel *g = brel_new(BREL_GENERATE, r, b->arena);
    g->generate.generator = e;
    g->generate.with_position = true;
    vec_push(b->arena, &g->columns, r->columns.at[0]);
    BoundColumn pos = column_new(b, "pos", type_simple(TYPE_INT)),
                item = column_new(b, "col", type_simple(TYPE_LONG));
    vec_push(b->arena, &g->columns, pos);
    vec_push(b->arena, &g->columns, item);
    vec_push(b->arena, &g->generate.output, pos);
    vec_push(b->arena, &g->generate.output, item);
    RowVec rows = rows_of(b, g);
    assert_int_equal(rows.len, 4);
    assert_int_equal(rows.at[3].cells[0].integer, 1);
    assert_int_equal(rows.at[3].cells[1].integer, 1);
    assert_int_equal(rows.at[3].cells[2].integer, 7);
}

static void deep_plan(void **state)
{
    Bench *b = *state;
    BoundRel *r = range_rel(b, 1);
    for (int i = 0; i < 1000; i++) {
        BoundRel *p = project_of(b, r);
        project_add(b, p, "x",
                    call2(b, &row_add, type_simple(TYPE_LONG), col(b, r, 0), lit_int(b, 1)));
        r = p;
    }
    int64_t before = clock_monotonic_us();
    RowVec rows = rows_of(b, r);
    print_message("1000 levels: %lld ms\n", (long long)(clock_monotonic_us() - before) / 1000);
    assert_int_equal(rows.at[0].cells[0].integer, 1000);
}

static BoundRel *pairs_rel(Bench *b, size_t n, const int64_t (*pairs)[2])
{
    BoundRel *r = brel_new(BREL_VALUES, NULL, b->arena);
    for (size_t i = 0; i < n; i++) {
        BoundExprVec row = {0};
        vec_push(b->arena, &row, lit_int(b, pairs[i][0]));
        vec_push(b->arena, &row, lit_int(b, pairs[i][1]));
        vec_push(b->arena, &r->values.rows, row);
    }
    BoundColumn k = column_new(b, "k", type_simple(TYPE_INT)),
                v = column_new(b, "v", type_simple(TYPE_INT));
    vec_push(b->arena, &r->columns, k);
    vec_push(b->arena, &r->columns, v);
    return r;
}

/* Recorded from Spark 4.2: it streams the larger side and gives the other side's rows of one key
 * newest first. */
static void small_joins_keep_sparks_order(void **state)
{
    Bench *b = *state;
    static const FuncRow equal = {.name = "=", .kind = FUNC_SCALAR, .sql = "($1 = $2)"};
    static const int64_t left[][2] = {{3, 0}, {1, 1}, {2, 2}, {1, 3}, {9, 4}},
                         right[][2] = {{2, 10}, {1, 11}, {1, 12}, {5, 13}};
    static const struct {
        JoinKind kind;
        int64_t pairs[9][2];
        size_t count;
    } cases[] = {
        {JOIN_INNER, {{1, 12}, {1, 11}, {2, 10}, {3, 12}, {3, 11}}, 5},
        {JOIN_LEFT, {{0, -1}, {1, 12}, {1, 11}, {2, 10}, {3, 12}, {3, 11}, {4, -1}}, 7},
        {JOIN_RIGHT, {{2, 10}, {3, 11}, {1, 11}, {3, 12}, {1, 12}, {-1, 13}}, 6},
        {JOIN_FULL, {{1, 11}, {1, 12}, {3, 11}, {3, 12}, {2, 10}, {0, -1}, {-1, 13}, {4, -1}}, 8},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        BoundRel *l = pairs_rel(b, 5, left), *r = pairs_rel(b, 4, right),
                 *j = brel_new(BREL_JOIN, l, b->arena);
        j->join.right = r;
        j->join.kind = cases[i].kind;
        j->join.condition = call2(b, &equal, type_simple(TYPE_BOOLEAN), col(b, l, 0), col(b, r, 0));
        for (size_t k = 0; k < 4; k++)
            vec_push(b->arena, &j->columns, k < 2 ? l->columns.at[k] : r->columns.at[k - 2]);
        RowVec rows = rows_of(b, j);
        assert_int_equal(rows.len, cases[i].count);
        for (size_t k = 0; k < rows.len; k++) {
            const Value *cells = rows.at[k].cells;
            assert_int_equal(cells[1].is_null ? -1 : cells[1].integer, cases[i].pairs[k][0]);
            assert_int_equal(cells[3].is_null ? -1 : cells[3].integer, cases[i].pairs[k][1]);
        }
    }
}

/* Recorded from Spark 4.2: spark.range(0, 100, 1, 1).sample(False, 0.1, 3). */
static void samples_are_sparks(void **state)
{
    Bench *b = *state;
    static const int64_t want[] = {29, 50, 52, 53, 56, 58, 78, 83, 98};
    BoundRel *r = range_rel(b, 100), *s = brel_new(BREL_SAMPLE, r, b->arena);
    s->columns = r->columns;
    s->sample.upper = 0.1;
    s->sample.seed = 3;
    RowVec rows = rows_of(b, s);
    assert_int_equal(rows.len, LENGTH_OF(want));
    for (size_t i = 0; i < rows.len; i++)
        assert_int_equal(rows.at[i].cells[0].integer, want[i]);
}

static void errors_have_spark_classes(void **state)
{
    Bench *b = *state;
    static const FuncRow raise = {
        .name = "raise", .kind = FUNC_SCALAR, .sql = "error('[DIVIDE_BY_ZERO] no' || $1)"};
    static const FuncRow over = {
        .name = "over", .kind = FUNC_SCALAR, .sql = "(9223372036854775807 + $1)"};
    static const FuncRow cast = {
        .name = "cast", .kind = FUNC_SCALAR, .sql = "CAST('x' || $1 AS INTEGER)"};
    const struct {
        const FuncRow *row;
        TypeKind type;
        ErrorClass cls;
    } cases[] = {
        {&raise, TYPE_INT, ERR_DIVIDE_BY_ZERO},
        {&over, TYPE_LONG, ERR_ARITHMETIC_OVERFLOW},
        {&cast, TYPE_INT, ERR_CAST_INVALID_INPUT},
    };
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        BoundRel *r = range_rel(b, 3);
        BoundRel *p = project_of(b, r);
        project_add(b, p, "x",
                    call2(b, cases[i].row, type_simple(cases[i].type), col(b, r, 0), NULL));
        RowVec rows = {0};
        error_clear(&b->err);
        assert_false(engine_rows(b->engine, p, &b->run, 10, b->arena, &rows, &b->err));
        assert_int_equal(b->err.cls, cases[i].cls);
    }
    error_clear(&b->err);
}

static void cancel_stops_a_query(void **state)
{
    Bench *b = *state;
    Cancel *cancel = cancel_new();
    RunContext run = {&b->func, cancel};
    BoundRel *r = range_rel(b, INT64_C(1000000000000));
    Execution *x;
    assert_true(engine_start(b->engine, r, &run, &x, &b->err));
    Buf ipc = buf_heap(64 << 20);
    int64_t rows;
    assert_true(execution_next_ipc(x, &ipc, &rows, &b->err));
    assert_true(rows > 0);
    cancel_raise(cancel);
    bool ok = true;
    while (ok && rows) {
        buf_reset(&ipc);
        ok = execution_next_ipc(x, &ipc, &rows, &b->err);
    }
    assert_false(ok);
    assert_int_equal(b->err.cls, ERR_OPERATION_CANCELED);
    execution_free(x);
    buf_free(&ipc);
    cancel_unref(cancel);
    error_clear(&b->err);
    assert_int_equal(rows_of(b, range_rel(b, 5)).len, 5);
}

static const FuncRow row_div = {
    .name = "/", .kind = FUNC_SCALAR, .sql = "CASE WHEN $2 = 0 THEN error('zero') ELSE $1 // $2 END"};
static const FuncRow row_if = {.name = "if", .kind = FUNC_SCALAR, .sql = "CASE WHEN $1 THEN $2 END", .flags = FUNC_LAZY};

static BoundExpr *sum_of(Bench *b, BoundExpr *e, int times)
{
    for (int i = 0; i < times; i++)
        e = call2(b, &row_add, type_simple(TYPE_LONG), e, lit_int(b, 1));
    return e;
}

static void deep_expressions_are_computed_in_steps(void **state)
{
    Bench *b = *state;
    BoundRel *r = range_rel(b, 4);
    BoundRel *shallow = project_of(b, r), *p = project_of(b, r);
    project_add(b, shallow, "x", sum_of(b, col(b, r, 0), 20));
    project_add(b, p, "x", sum_of(b, col(b, r, 0), 200));
    project_add(b, p, "id", col(b, r, 0));
    Str sql;
    assert_true(engine_render(shallow, &b->func, b->arena, &sql, &b->err));
    assert_int_equal(str_find(sql, S("(SELECT")), -1);
    assert_true(engine_render(p, &b->func, b->arena, &sql, &b->err));
    assert_int_not_equal(str_find(sql, S("(SELECT")), -1);
    RowVec rows = rows_of(b, p);
    assert_int_equal(rows.len, 4);
    assert_int_equal(rows.at[3].cells[0].integer, 203);
    assert_int_equal(rows.at[3].cells[1].integer, 3);

    BoundRel *f = filter_of(b, r, call2(b, &row_less, type_simple(TYPE_BOOLEAN), sum_of(b, col(b, r, 0), 90), lit_int(b, 92)));
    BoundRel *sort = brel_new(BREL_SORT, f, b->arena);
    sort->columns = f->columns;
    BoundSort by = {sum_of(b, col(b, f, 0), 70), true, false};
    vec_push(b->arena, &sort->sort.order, by);
    rows = rows_of(b, sort);
    assert_int_equal(rows.len, 2);
    assert_int_equal(rows.at[0].cells[0].integer, 1);

    BoundRel *a = brel_new(BREL_AGGREGATE, r, b->arena);
    BoundColumn s = column_new(b, "s", type_simple(TYPE_LONG));
    vec_push(b->arena, &a->columns, s);
    BoundItem sum = {call2(b, &row_sum, type_simple(TYPE_LONG), sum_of(b, col(b, r, 0), 50), NULL), s.id};
    vec_push(b->arena, &a->aggregate.aggregates, sum);
    rows = rows_of(b, a);
    assert_int_equal(rows.at[0].cells[0].integer, 206);
}

/* What a condition guards is not computed before it. */
static void lazy_arguments_stay_in_place(void **state)
{
    Bench *b = *state;
    BoundRel *r = range_rel(b, 3);
    BoundRel *p = project_of(b, r);
    BoundExpr *safe = call2(b, &row_less, type_simple(TYPE_BOOLEAN), lit_int(b, 0), col(b, r, 0));
    BoundExpr *quotient = call2(b, &row_div, type_simple(TYPE_LONG), lit_int(b, 8), col(b, r, 0));
    project_add(b, p, "x", call2(b, &row_if, type_simple(TYPE_LONG), safe, sum_of(b, quotient, 60)));
    RowVec rows = rows_of(b, p);
    assert_true(rows.at[0].cells[0].is_null);
    assert_int_equal(rows.at[2].cells[0].integer, 64);
}

static void many_joins_go_in_groups(void **state)
{
    Bench *b = *state;
    BoundRel *r = range_rel(b, 3);
    BoundExpr *key = col(b, r, 0);
    for (int i = 0; i < 70; i++) {
        BoundRel *right = range_rel(b, 2);
        BoundRel *join = brel_new(BREL_JOIN, r, b->arena);
        join->join.right = right;
        join->join.kind = JOIN_INNER;
        static const FuncRow row_equal = {.name = "=", .kind = FUNC_SCALAR, .sql = "($1 = $2)"};
        join->join.condition = call2(b, &row_equal, type_simple(TYPE_BOOLEAN), key, col(b, right, 0));
        for (size_t k = 0; k < r->columns.len; k++)
            vec_push(b->arena, &join->columns, r->columns.at[k]);
        vec_push(b->arena, &join->columns, right->columns.at[0]);
        r = join;
    }
    BoundRel *p = project_of(b, r);
    project_add(b, p, "x", col(b, r, 70));
    RowVec rows = rows_of(b, p);
    assert_int_equal(rows.len, 2);
    Str sql;
    assert_true(engine_render(p, &b->func, b->arena, &sql, &b->err));
    assert_int_not_equal(str_find(sql, S("LIMIT 9223372036854775807)) JOIN")), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(project_over_filter_is_one_select),
        cmocka_unit_test(aggregate_and_window),
        cmocka_unit_test(a_wrong_carrier_is_cast),
        cmocka_unit_test(explode_with_position),
        cmocka_unit_test(deep_plan),
        cmocka_unit_test(deep_expressions_are_computed_in_steps),
        cmocka_unit_test(lazy_arguments_stay_in_place),
        cmocka_unit_test(many_joins_go_in_groups),
        cmocka_unit_test(errors_have_spark_classes),
        cmocka_unit_test(cancel_stops_a_query),
        cmocka_unit_test(small_joins_keep_sparks_order),
        cmocka_unit_test(samples_are_sparks),
    };
    return cmocka_run_group_tests(tests, bench_open, bench_close);
}
