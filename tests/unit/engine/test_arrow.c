/* Every type out as Arrow, back in as local data, and out again unchanged. */
#include <stdio.h>
#include <stdlib.h>

#include "plans.h"

static FuncRow raw[64];
static size_t raw_count;

/* A column written as DuckDB text; $1 is a number that is 0, 1, 2, .. */
static void add_raw(Bench *b, BoundRel *p, const BoundRel *r, const char *sql, const Type *type)
{
    FuncRow *row = &raw[raw_count++];
    *row = (FuncRow){.name = "raw", .kind = FUNC_SCALAR, .sql = sql};
    project_add(b, p, "column",
                call2(b, row, type, bound_column(&r->columns.at[0], b->arena), NULL));
}

static const Type *struct_of(Bench *b, const Type *x, const Type *y)
{
    Field fields[] = {{S_INIT("x"), x, true, S_INIT("")}, {S_INIT("y"), y, true, S_INIT("")}};
    return type_struct(fields, 2, b->arena);
}

static BoundRel *every_type(Bench *b, int64_t n)
{
    Arena *a = b->arena;
    raw_count = 0;
    BoundRel *r = range_rel(b, n);
    BoundRel *p = project_of(b, r);
#define OFTEN_NULL(e) "CASE WHEN $1 % 3 = 1 THEN NULL ELSE " e " END"
    add_raw(b, p, r, OFTEN_NULL("CAST($1 % 100 AS TINYINT)"), type_simple(TYPE_BYTE));
    add_raw(b, p, r, OFTEN_NULL("CAST($1 % 1000 AS SMALLINT)"), type_simple(TYPE_SHORT));
    add_raw(b, p, r, OFTEN_NULL("CAST($1 AS INTEGER)"), type_simple(TYPE_INT));
    add_raw(b, p, r, "$1", type_simple(TYPE_LONG));
    add_raw(b, p, r, OFTEN_NULL("CAST($1 / 2 AS FLOAT)"), type_simple(TYPE_FLOAT));
    add_raw(b, p, r, OFTEN_NULL("CAST($1 / 3 AS DOUBLE)"), type_simple(TYPE_DOUBLE));
    add_raw(b, p, r, OFTEN_NULL("($1 % 2 = 0)"), type_simple(TYPE_BOOLEAN));
    add_raw(b, p, r, OFTEN_NULL("CAST(-$1 % 99 AS DECIMAL(4,1))"), type_decimal(4, 1, a));
    add_raw(b, p, r, OFTEN_NULL("CAST(-$1 AS DECIMAL(9,2))"), type_decimal(9, 2, a));
    add_raw(b, p, r, OFTEN_NULL("CAST($1 AS DECIMAL(18,2))"), type_decimal(18, 2, a));
    add_raw(b, p, r, OFTEN_NULL("CAST(-$1 AS DECIMAL(38,10))"), type_decimal(38, 10, a));
    add_raw(b, p, r, OFTEN_NULL("repeat('é', CAST($1 % 40 AS INTEGER))"), type_simple(TYPE_STRING));
    add_raw(b, p, r, OFTEN_NULL("CAST('\\x00\\xff' || $1 AS BLOB)"), type_simple(TYPE_BINARY));
    add_raw(b, p, r, OFTEN_NULL("(DATE '1950-01-01' + CAST($1 AS INTEGER))"),
            type_simple(TYPE_DATE));
    add_raw(b, p, r, OFTEN_NULL("make_timestamptz($1 * 1000001)"), type_simple(TYPE_TIMESTAMP));
    add_raw(b, p, r, OFTEN_NULL("make_timestamp(-$1 * 1000001)"), type_simple(TYPE_TIMESTAMP_NTZ));
    add_raw(b, p, r, OFTEN_NULL("CAST(make_timestamp($1 * 1000001) AS TIME)"),
            type_simple(TYPE_TIME));
    add_raw(b, p, r, OFTEN_NULL("CAST($1 AS INTEGER)"), type_simple(TYPE_INTERVAL_YM));
    add_raw(b, p, r, OFTEN_NULL("(-$1)"), type_simple(TYPE_INTERVAL_DT));
    add_raw(b, p, r, OFTEN_NULL("to_microseconds($1)"), type_simple(TYPE_INTERVAL_CALENDAR));
    add_raw(b, p, r, "CAST(NULL AS INTEGER)", type_simple(TYPE_NULL));
    const Type *ints = type_array(type_simple(TYPE_INT), true, a);
    add_raw(b, p, r,
            OFTEN_NULL("list_transform(range($1 % 5), lambda x: CASE WHEN x = 2 THEN NULL ELSE "
                       "CAST(x AS INTEGER) END)"),
            ints);
    add_raw(b, p, r, OFTEN_NULL("MAP {'a': CAST($1 AS INTEGER), 'b' || $1: NULL}"),
            type_map(type_simple(TYPE_STRING), type_simple(TYPE_INT), true, a));
    add_raw(b, p, r, OFTEN_NULL("{'x': CAST($1 AS INTEGER), 'y': 'y' || $1}"),
            struct_of(b, type_simple(TYPE_INT), type_simple(TYPE_STRING)));
    add_raw(
        b, p, r,
        OFTEN_NULL("[{'x': [CAST($1 AS INTEGER)], 'y': CASE WHEN $1 % 2 = 0 THEN MAP {'k': 'v' || "
                   "$1} END}, NULL]"),
        type_array(struct_of(b, ints,
                             type_map(type_simple(TYPE_STRING), type_simple(TYPE_STRING), true, a)),
                   true, a));
    return p;
}

static Str all_ipc(Bench *b, const BoundRel *rel, int64_t *rows, StrVec *streams)
{
    Execution *x;
    if (!engine_start(b->engine, rel, &b->run, &x, &b->err))
        fail_with(b);
    Buf ipc = buf_heap((size_t)1 << 30);
    Buf all = buf_in(b->arena);
    *rows = 0;
    for (;;) {
        int64_t n;
        buf_reset(&ipc);
        if (!execution_next_ipc(x, &ipc, &n, &b->err))
            fail_with(b);
        if (!n)
            break;
        *rows += n;
        assert_true(n <= 65536);
        buf_add(&all, buf_str(&ipc));
        if (streams)
            vec_push(b->arena, streams, str_copy(buf_str(&ipc), b->arena));
    }
    execution_free(x);
    buf_free(&ipc);
    return buf_str(&all);
}

static void arrow_round_trip(void **state)
{
    Bench *b = *state;
    b->func.zone = S("Europe/Berlin");
    BoundRel *plan = every_type(b, 70000);
    StrVec streams = {0};
    int64_t rows;
    Str first = all_ipc(b, plan, &rows, &streams);
    assert_int_equal(rows, 70000);
    const char *keep = getenv("LAKESHED_TEST_KEEP_ARROW");
    if (keep) {
        FILE *f = fopen(keep, "wb");
        assert_non_null(f);
        fwrite(streams.at[0].ptr, 1, streams.at[0].len, f);
        fclose(f);
    }
    ArrowData *data = ARENA_NEW(b->arena, ArrowData);
    data->chunks = streams;
    BoundRel *local = brel_new(BREL_LOCAL, NULL, b->arena);
    local->columns = plan->columns;
    local->local.data = data;
    Str second = all_ipc(b, local, &rows, NULL);
    assert_int_equal(rows, 70000);
    assert_int_equal(first.len, second.len);

    RowVec left = rows_of(b, plan), right = rows_of(b, local);
    for (size_t i = 0; i < left.len; i++)
        for (size_t k = 0; k < plan->columns.len; k++)
            if (!value_equal(&left.at[i].cells[k], &right.at[i].cells[k]))
                fail_msg("row %zu column %zu differs", i, k);
    b->func.zone = S("UTC");
}

static void schema_of_a_stream(void **state)
{
    Bench *b = *state;
    BoundRel *plan = every_type(b, 3);
    StrVec streams = {0};
    int64_t rows;
    all_ipc(b, plan, &rows, &streams);
    const Type *type;
    if (!engine_arrow_schema(streams.at[0], &b->run, b->arena, &type, &b->err))
        fail_with(b);
    assert_true(type_same_shape(type, brel_schema(plan, b->arena)));
}

static void damaged_streams_are_refused(void **state)
{
    Bench *b = *state;
    BoundRel *plan = every_type(b, 3);
    StrVec streams = {0};
    int64_t rows;
    all_ipc(b, plan, &rows, &streams);
    Str good = streams.at[0];
    /* The first message is the schema; nanoarrow's reader loses a name or two when that is damaged.
     */
    uint32_t schema_size;
    memcpy(&schema_size, good.ptr + 4, sizeof(schema_size));
    for (size_t i = schema_size + 8; i < good.len; i += 7) {
        char *bad = str_z(good, b->arena);
        bad[i] = (char)(bad[i] ^ 0x5a);
        ArrowData data = {.ipc = {bad, good.len - (i % 5 == 0 ? i / 2 : 0)}};
        BoundRel *local = brel_new(BREL_LOCAL, NULL, b->arena);
        local->columns = plan->columns;
        local->local.data = &data;
        RowVec out = {0};
        error_clear(&b->err);
        (void)!engine_rows(b->engine, local, &b->run, 1000000, b->arena, &out, &b->err);
    }
    error_clear(&b->err);
}

static void an_empty_result_has_a_schema(void **state)
{
    Bench *b = *state;
    Execution *x;
    assert_true(engine_start(b->engine, range_rel(b, 0), &b->run, &x, &b->err));
    Buf ipc = buf_in(b->arena);
    int64_t rows = 1;
    assert_true(execution_next_ipc(x, &ipc, &rows, &b->err));
    assert_int_equal(rows, 0);
    assert_true(execution_empty_ipc(x, &ipc, &b->err));
    assert_true(ipc.len > 64);
    execution_free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrow_round_trip),
        cmocka_unit_test(schema_of_a_stream),
        cmocka_unit_test(damaged_streams_are_refused),
        cmocka_unit_test(an_empty_result_has_a_schema),
    };
    return cmocka_run_group_tests(tests, bench_open, bench_close);
}
