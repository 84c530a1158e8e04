/* File skipping: a table of conditions, each with the files that must stay; nothing that could
 * match is ever left out. */
#include "kit.h"

#include <string.h>

#include "func/func.h"
#include "type/datetime.h"

enum { COL_X, COL_S, COL_TS, COL_R, COL_D, COL_COUNT };

static const FuncRow rows_of_functions[] = {
    {.name = "="},         {.name = "!="},         {.name = "<"},       {.name = "<="},
    {.name = ">"},         {.name = ">="},         {.name = "<=>"},     {.name = "and"},
    {.name = "or"},        {.name = "not"},        {.name = "in"},      {.name = "isnull"},
    {.name = "isnotnull"}, {.name = "startswith"}, {.name = "between"}, {.name = "mystery"},
    {.name = "like"},
};

static Arena *arena; /* of the expressions */

static BoundExpr *make(BoundExprKind kind, const Type *type)
{
    BoundExpr *e = ARENA_NEW(arena, BoundExpr);
    e->kind = kind;
    e->type = type;
    return e;
}

static BoundExpr *column(int i)
{
    static const TypeKind kinds[] = {TYPE_INT, TYPE_STRING, TYPE_TIMESTAMP, TYPE_DOUBLE, TYPE_DATE};
    BoundExpr *e = make(BEXPR_COLUMN, type_simple(kinds[i]));
    e->column.id = (ColumnId)(10 + i);
    return e;
}

static BoundExpr *literal(Value v)
{
    BoundExpr *e = make(BEXPR_LITERAL, v.type);
    e->literal = v;
    return e;
}

static BoundExpr *integer(int64_t v)
{
    return literal(value_int(TYPE_INT, v));
}
static BoundExpr *text(const char *s)
{
    return literal(value_string(str_from(s)));
}
static BoundExpr *null_int(void)
{
    return literal(value_null(type_simple(TYPE_INT)));
}

static BoundExpr *instant(const char *s)
{
    int64_t us = 0;
    assert_true(timestamp_parse(str_from(s), S("UTC"), &us));
    return literal(value_int(TYPE_TIMESTAMP, us));
}

static BoundExpr *day(const char *s)
{
    int64_t days = 0;
    assert_true(date_parse(str_from(s), &days));
    return literal(value_int(TYPE_DATE, days));
}

static BoundExpr *call(const char *name, BoundExpr *a, BoundExpr *b, BoundExpr *c)
{
    BoundExpr *e = make(BEXPR_CALL, type_simple(TYPE_BOOLEAN)), *args[] = {a, b, c};
    for (size_t i = 0; i < LENGTH_OF(rows_of_functions); i++)
        if (!strcmp(rows_of_functions[i].name, name))
            e->call.row = &rows_of_functions[i];
    assert_non_null(e->call.row);
    for (size_t i = 0; i < 3 && args[i]; i++)
        vec_push(arena, &e->call.args, args[i]);
    return e;
}

static BoundExpr *cast(BoundExpr *child, TypeKind to)
{
    return bound_cast(child, type_simple(to), CAST_ANSI, true, arena);
}

#define C(name, ...) call(name, __VA_ARGS__)

/* Files: a: x 1..5, no nulls; b: x 6..9, some nulls; n: x all null; u: no statistics; w: x 3..4,
 * bounds wide. */
static void make_table(Kit *k)
{
    kit_open(k);
    kit_create(k, "x int, s string, ts timestamp, r double, d date", "d", "");
    Snapshot *s = kit_snapshot(k);
    Metadata *m = metadata_copy(snapshot_metadata(s), k->arena);
    Field fields[COL_COUNT];
    memcpy(fields, m->schema->structure.fields, sizeof fields);
    fields[COL_D].metadata = S("{\"delta.generationExpression\":\"CAST(ts AS DATE)\"}");
    m->schema = type_struct(fields, COL_COUNT, k->arena);
    m->schema_string = S("");
    Transaction *x = transaction_begin(k->table, s, k->arena);
    CommitRequest request = kit_request("CHANGE");
    int64_t version;
    transaction_set_metadata(x, m);
    OK(k, transaction_commit(x, &request, &version, &k->err));
    transaction_end(x);
    snapshot_unref(s);
    kit_append(
        k, "a", "d=2024-01-01",
        "{\"numRecords\":5,\"minValues\":{\"x\":1,\"s\":\"apple\",\"ts\":\"2024-01-01T08:00:00."
        "000Z\",\"r\":0.5},"
        "\"maxValues\":{\"x\":5,\"s\":\"cherry\",\"ts\":\"2024-01-01T09:00:00.000Z\",\"r\":1.5},"
        "\"nullCount\":{\"x\":0,\"s\":0,\"ts\":0,\"r\":0}}");
    kit_append(k, "b", "d=2024-01-10",
               "{\"numRecords\":5,\"minValues\":{\"x\":6,\"s\":\"kiwi\",\"r\":\"-Infinity\"},"
               "\"maxValues\":{\"x\":9,\"s\":"
               "\"pear\",\"r\":\"NaN\"},\"nullCount\":{\"x\":2,\"s\":0,\"r\":1}}");
    kit_append(
        k, "n", "d=",
        "{\"numRecords\":5,\"minValues\":{},\"maxValues\":{},\"nullCount\":{\"x\":5,\"s\":5}}");
    kit_append(k, "u", "d=2024-02-01", "");
    kit_append(k, "w", "d=2024-01-01",
               "{\"numRecords\":5,\"minValues\":{\"x\":3},\"maxValues\":{\"x\":4},\"nullCount\":{"
               "\"x\":2},\"tightBounds\":false}");
}

static void check(Kit *k, Snapshot *s, BoundExpr *condition, const char *expected, int row)
{
    static const ScanColumn columns[] = {{10, 0}, {11, 1}, {12, 2}, {13, 3}, {14, 4}};
    BoundExprVec conjuncts = {0};
    FileList files;
    char got[16] = {0};
    vec_push(arena, &conjuncts, condition);
    OK(k, snapshot_scan(s, &conjuncts, columns, COL_COUNT, S("America/Los_Angeles"), k->arena,
                        &files, &k->err));
    for (const char *name = "abnuw"; *name; name++)
        for (size_t i = 0; i < files.len; i++)
            if (files.at[i]->path.ptr[0] == *name)
                got[strlen(got)] = *name; /* the rest is zero */
    if (strcmp(got, expected) != 0)
        fail_msg("condition %d keeps \"%s\", expected \"%s\"", row, got, expected);
}

static void conditions(void **state)
{
    Kit k;
    (void)state;
    make_table(&k);
    arena = k.arena;
    Snapshot *s = kit_snapshot(&k);
    BoundExpr *x = column(COL_X), *str = column(COL_S), *ts = column(COL_TS), *r = column(COL_R),
              *d = column(COL_D);
    double nan_value = __builtin_nan("");
    const struct {
        BoundExpr *condition;
        const char *expected;
    } rows[] = {
        {C("=", x, integer(3), NULL), "auw"},
        {C("=", integer(7), x, NULL), "bu"},
        {C("=", x, null_int(), NULL), ""},
        {C("<", x, integer(1), NULL), "u"},
        {C("<=", x, integer(1), NULL), "au"},
        {C(">", x, integer(5), NULL), "bu"},
        {C(">=", integer(5), x, NULL), "auw"},
        {C("!=", x, integer(3), NULL), "abuw"},
        {C("not", C("=", x, integer(3), NULL), NULL, NULL), "abuw"},
        {C("not", C("<", x, integer(6), NULL), NULL, NULL), "bu"},
        {C("isnull", x, NULL, NULL), "bnuw"},
        {C("isnotnull", x, NULL, NULL), "abuw"},
        {C("not", C("isnull", x, NULL, NULL), NULL, NULL), "abuw"},
        {C("<=>", x, null_int(), NULL), "bnuw"},
        {C("<=>", x, integer(7), NULL), "bu"},
        {C("not", C("<=>", x, integer(7), NULL), NULL, NULL), "abnuw"},
        {C("in", x, integer(0), integer(9)), "bu"},
        {C("between", x, integer(5), integer(6)), "abu"},
        {C("and", C(">", x, integer(1), NULL), C("<", x, integer(4), NULL), NULL), "auw"},
        {C("or", C(">", x, integer(8), NULL), C("<", x, integer(2), NULL), NULL), "abu"},
        {C("or", C(">", x, integer(8), NULL), C("mystery", x, NULL, NULL), NULL), "abnuw"},
        {C("and", C(">", x, integer(8), NULL), C("mystery", x, NULL, NULL), NULL), "bu"},
        {C("=", cast(x, TYPE_LONG), literal(value_int(TYPE_LONG, 3)), NULL), "auw"},
        {C("=", cast(x, TYPE_STRING), text("3"), NULL),
         "abnuw"}, /* text order is not number order */
        {C("=", str, text("banana"), NULL), "auw"},
        {C("startswith", str, text("ki"), NULL), "buw"},
        {C("startswith", str, text("zz"), NULL), "uw"},
        {C(">", r, literal(value_double(2)), NULL), "bnuw"},
        {C("=", r, literal(value_double(nan_value)), NULL), "bnuw"},
        {C("<", r, literal(value_double(-9)), NULL), "bnuw"},
        {C("=", d, day("2024-01-01"), NULL), "aw"},
        {C("=", d, cast(text("2024-01-10"), TYPE_DATE), NULL), "b"},
        {C("isnull", d, NULL, NULL), "n"},
        {C("not", C("=", d, day("2024-01-01"), NULL), NULL, NULL), "bu"},
        {C("<=>", d, literal(value_null(type_simple(TYPE_DATE))), NULL), "n"},
        {C(">=", ts, instant("2024-01-20 00:00:00"), NULL),
         "nu"}, /* by the date of the partition */
        {C("<", ts, instant("2024-01-05 00:00:00"), NULL), "anw"},
        {C("=", ts, instant("2024-01-01 08:30:00"), NULL), "anw"},
        {C("=", ts, instant("2024-01-01 09:00:00.0005"), NULL),
         "anw"}, /* maxima are cut to milliseconds */
        {C("=", ts, instant("2024-01-01 10:00:00"), NULL), "nw"},
        {C("=", cast(ts, TYPE_DATE), day("2024-01-10"), NULL), "bn"},
    };
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        check(&k, s, rows[i].condition, rows[i].expected, (int)i);
    snapshot_unref(s);
    kit_close(&k);
}

/* Of the file a: x 1..5, ts over an hour. */
static void shares_are_guessed(void **state)
{
    static const ScanColumn columns[] = {{10, 0}, {11, 1}, {12, 2}, {13, 3}, {14, 4}};
    Kit k;
    (void)state;
    make_table(&k);
    arena = k.arena;
    Snapshot *s = kit_snapshot(&k);
    BoundExpr *x = column(COL_X), *str = column(COL_S), *r = column(COL_R);
    BoundExprVec from_a = {0};
    FileList files;
    vec_push(arena, &from_a, C("=", x, integer(1), NULL));
    OK(&k, snapshot_scan(s, &from_a, columns, COL_COUNT, S("UTC"), k.arena, &files, &k.err));
    FileList only_a = {0};
    for (size_t i = 0; i < files.len; i++)
        if (files.at[i]->path.ptr[0] == 'a')
            vec_push(arena, &only_a, files.at[i]);
    assert_int_equal(only_a.len, 1);
    const struct {
        BoundExpr *first, *second;
        double rows, share;
    } rows[] = {
        {C("=", x, integer(3), NULL), NULL, 1e6, 1.0 / 5},
        {C("=", integer(3), x, NULL), NULL, 3, 1.0 / 3}, /* no more values than rows */
        {C("in", x, integer(3), integer(4)), NULL, 1e6, 2.0 / 5},
        {C("<", x, integer(2), NULL), NULL, 1e6, 0.25},
        {C(">", integer(2), x, NULL), NULL, 1e6, 0.25},
        {C(">=", x, integer(2), NULL), C("<=", x, integer(3), NULL), 1e6, 0.25},
        {C("between", x, integer(2), integer(3)), NULL, 1e6, 0.25},
        {C(">=", r, literal(value_double(1)), NULL), NULL, 1e6, 0.5},
        {C(">", x, integer(9), NULL), NULL, 1e6, 1e-6},
        {C("=", str, text("kiwi"), NULL), NULL, 1e6, 0.2},
        {C("=", str, text("kiwi"), NULL), NULL, 100, 0.01},
        {C("like", str, text("%green%"), NULL), C("=", x, integer(3), NULL), 1e6, 0.01},
        {C("like", str, text("%"), NULL), C("mystery", x, NULL, NULL), 1e6, 1},
    };
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        BoundExprVec conjuncts = {0};
        vec_push(arena, &conjuncts, rows[i].first);
        if (rows[i].second)
            vec_push(arena, &conjuncts, rows[i].second);
        double got = snapshot_selectivity(s, &conjuncts, columns, COL_COUNT, &only_a, rows[i].rows, S("UTC"));
        if (got < rows[i].share * 0.999 || got > rows[i].share * 1.001)
            fail_msg("row %zu: %g, expected %g", i, got, rows[i].share);
    }
    snapshot_unref(s);
    kit_close(&k);
}

static void records_are_counted_without_parsing(void **state)
{
    static const struct {
        const char *stats;
        int64_t expected;
    } rows[] = {
        {"", -1},
        {"{\"numRecords\":12}", 12},
        {"{\"numRecords\":12,\"x\":1}", 12},
        {"{\"a\":1,\"numRecords\":7}", 7},
        {"{\"numRecords\": 5}", 5},
        {"{\"numRecords\":99999999999999999999}", -1},
        {"{\"numRecords\":\"5\"}", -1},
        {"{}", -1},
        {"{\"numRecords\":", -1},
        {"x", -1},
    };
    AUTO_ARENA(a) = arena_new();
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        assert_int_equal(stats_num_records(str_from(rows[i].stats)), rows[i].expected);
    assert_true(str_is(stats_with_wide_bounds(S("{\"numRecords\":3,\"tightBounds\":true}"), a),
                       "{\"numRecords\":3,\"tightBounds\":false}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions),
        cmocka_unit_test(shares_are_guessed),
        cmocka_unit_test(records_are_counted_without_parsing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
