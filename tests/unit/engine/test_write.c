/* Data files: written, described by Delta's statistics, read back. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/folder.h"
#include "engine/statistics.h"
#include "plans.h"

static char folder[64];

static int open_with_folder(void **state)
{
    snprintf(folder, sizeof(folder), "engine-write-XXXXXX");
    return mkdtemp(folder) ? bench_open(state) : -1;
}

static int close_with_folder(void **state)
{
    folder_sweep(str_from(folder));
    return bench_close(state);
}

static Str absolute(Bench *b, const char *name)
{
    char here[4096];
    assert_non_null(getcwd(here, sizeof(here)));
    return str_printf(b->arena, "%s/%s/%s", here, folder, name);
}

static FuncRow raw[64];
static size_t raw_count;

static void add_raw(Bench *b, BoundRel *p, const BoundRel *r, const char *name, const char *sql,
                    const Type *type)
{
    FuncRow *row = &raw[raw_count++ % LENGTH_OF(raw)];
    *row = (FuncRow){.name = "raw", .kind = FUNC_SCALAR, .sql = sql};
    project_add(b, p, name, call2(b, row, type, bound_column(&r->columns.at[0], b->arena), NULL));
}

static BoundRel *scan_of(Bench *b, const char *format, Str path, const Type *schema)
{
    FileScan *scan = ARENA_NEW(b->arena, FileScan);
    scan->format = str_from(format);
    scan->schema = schema;
    vec_push(b->arena, &scan->paths, path);
    if (!engine_infer_schema(b->engine, scan, &b->run, b->arena, &b->err))
        fail_with(b);
    BoundRel *rel = brel_new(BREL_SCAN_FILES, NULL, b->arena);
    rel->files = scan;
    for (size_t i = 0; i < scan->schema->structure.count; i++) {
        BoundColumn c = column_new(b, "", scan->schema->structure.fields[i].type);
        c.name = scan->schema->structure.fields[i].name;
        vec_push(b->arena, &rel->columns, c);
    }
    return rel;
}

static BoundRel *stats_rel(Bench *b)
{
    BoundRel *r = range_rel(b, 3);
    BoundRel *p = project_of(b, r);
    Field inner[] = {{S_INIT("x"), type_simple(TYPE_INT), true, S_INIT("")},
                     {S_INIT("y.z"), type_simple(TYPE_STRING), true, S_INIT("")}};
    add_raw(b, p, r, "i", "CAST($1 AS INTEGER)", type_simple(TYPE_INT));
    add_raw(b, p, r, "s", "CASE WHEN $1 = 2 THEN NULL ELSE repeat('é', 40) || $1 END",
            type_simple(TYPE_STRING));
    add_raw(b, p, r, "d", "CASE WHEN $1 = 1 THEN CAST('nan' AS DOUBLE) ELSE CAST($1 AS DOUBLE) END",
            type_simple(TYPE_DOUBLE));
    add_raw(b, p, r, "t", "make_timestamptz($1 * 1000 + 1577836800123456)",
            type_simple(TYPE_TIMESTAMP));
    add_raw(b, p, r, "n", "make_timestamp(-$1 - 1)", type_simple(TYPE_TIMESTAMP_NTZ));
    add_raw(b, p, r, "dt", "(DATE '2020-01-01' + CAST($1 AS INTEGER))", type_simple(TYPE_DATE));
    add_raw(b, p, r, "dec", "CAST($1 - 1 AS DECIMAL(10,2))", type_decimal(10, 2, b->arena));
    add_raw(b, p, r, "st",
            "CASE WHEN $1 = 0 THEN NULL ELSE {'x': CAST($1 AS INTEGER), 'y.z': 'v'} END",
            type_struct(inner, 2, b->arena));
    return p;
}

static void statistics_are_deltas(void **state)
{
    Bench *b = *state;
    BoundRel *p = stats_rel(b);
    WriteSpec spec = {.folder = absolute(b, "stats"),
                      .format = S_INIT("parquet"),
                      .schema = brel_schema(p, b->arena),
                      .stats_columns = 32, .drops_empty = true,
                      .file_prefix = S_INIT("part-")};
    WrittenFileVec files;
    if (!engine_write(b->engine, p, &spec, &b->run, b->arena, &files, &b->err))
        fail_with(b);
    assert_int_equal(files.len, 1);
    assert_int_equal(files.at[0].rows, 3);
    Str e = str_printf(b->arena, "%s", "\xc3\xa9");
    Buf prefix = buf_in(b->arena);
    for (int i = 0; i < 32; i++)
        buf_add(&prefix, e);
    Str expected = str_printf(b->arena,
                              "{\"numRecords\":3,\"minValues\":{\"i\":0,\"s\":\"" STR_FMT
                              "\",\"d\":0.0,\"t\":\"2020-01-01T00:00:00.123Z\","
                              "\"n\":\"1969-12-31T23:59:59.999\",\"dt\":\"2020-01-01\",\"dec\":-1."
                              "00,\"st\":{\"x\":1,\"y.z\":\"v\"}},"
                              "\"maxValues\":{\"i\":2,\"s\":\"" STR_FMT
                              "\xf4\x8f\xbf\xbf\",\"t\":\"2020-01-01T00:00:00.126Z\","
                              "\"n\":\"1970-01-01T00:00:00.000\",\"dt\":\"2020-01-03\",\"dec\":1."
                              "00,\"st\":{\"x\":2,\"y.z\":\"v\"}},"
                              "\"nullCount\":{\"i\":0,\"s\":1,\"d\":0,\"t\":0,\"n\":0,\"dt\":0,"
                              "\"dec\":0,\"st\":{\"x\":1,\"y.z\":1}}}",
                              STR_ARG(buf_str(&prefix)), STR_ARG(buf_str(&prefix)));
    assert_string_equal(str_z(files.at[0].stats, b->arena), expected.ptr);
    RowVec back = rows_of(b, scan_of(b, "parquet", absolute(b, "stats"), NULL)),
           first = rows_of(b, p);
    assert_int_equal(back.len, 3);
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < p->columns.len; k++)
            assert_true(value_equal(&back.at[i].cells[k], &first.at[i].cells[k]) ||
                        (i == 1 && k == 2));
}

static void long_text_bounds(void **state)
{
    Bench *b = *state;
    Str out;
    assert_true(
        statistics_text_bound(S("aaaaaaaaaabbbbbbbbbbccccccccccddX"), true, b->arena, &out));
    assert_string_equal(str_z(out, b->arena), "aaaaaaaaaabbbbbbbbbbccccccccccdd\x7f");
    assert_true(statistics_text_bound(S("short"), true, b->arena, &out));
    assert_string_equal(str_z(out, b->arena), "short");
    Buf last = buf_in(b->arena);
    for (int i = 0; i < 80; i++)
        buf_addz(&last, "\xf4\x8f\xbf\xbf");
    assert_false(statistics_text_bound(buf_str(&last), true, b->arena, &out));
    assert_true(statistics_text_bound(buf_str(&last), false, b->arena, &out));
}

static void partitions_by_every_type(void **state)
{
    Bench *b = *state;
    BoundRel *r = range_rel(b, 4);
    BoundRel *p = project_of(b, r);
    add_raw(b, p, r, "v", "$1", type_simple(TYPE_LONG));
    add_raw(b, p, r, "s", "CASE $1 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'a b/c=%é' END",
            type_simple(TYPE_STRING));
    add_raw(b, p, r, "d", "(DATE '1960-02-29' + CAST($1 AS INTEGER))", type_simple(TYPE_DATE));
    add_raw(b, p, r, "t", "make_timestamptz($1 * 1000001)", type_simple(TYPE_TIMESTAMP));
    add_raw(b, p, r, "x", "CAST('\\xAB\\x00' AS BLOB)", type_simple(TYPE_BINARY));
    add_raw(b, p, r, "q", "CAST($1 / 3 AS DOUBLE)", type_simple(TYPE_DOUBLE));
    add_raw(b, p, r, "m", "CAST($1 AS DECIMAL(20,3))", type_decimal(20, 3, b->arena));
    add_raw(b, p, r, "o", "$1 % 2 = 0", type_simple(TYPE_BOOLEAN));
    size_t columns[] = {1, 2, 3, 4, 5, 6, 7};
    WriteSpec spec = {.folder = absolute(b, "parts"),
                      .format = S_INIT("parquet"),
                      .schema = brel_schema(p, b->arena),
                      .stats_columns = 32, .drops_empty = true,
                      .partition_columns = columns,
                      .partition_count = 7};
    WrittenFileVec files;
    if (!engine_write(b->engine, p, &spec, &b->run, b->arena, &files, &b->err))
        fail_with(b);
    assert_int_equal(files.len, 4);
    RowVec rows = rows_of(b, p);
    for (size_t i = 0; i < files.len; i++) {
        Str whole =
            absolute(b, str_printf(b->arena, "parts/" STR_FMT, STR_ARG(files.at[i].path)).ptr);
        assert_int_equal(access(whole.ptr, R_OK), 0);
        Value *v = files.at[i].partition_values;
        size_t row = (size_t)(v[1].integer + 3594);
        assert_true(row < 4);
        for (size_t k = 1; k < 7; k++)
            assert_true(value_equal(&v[k], &rows.at[row].cells[k + 1]));
        assert_int_equal(v[0].is_null, row < 2);
        if (row >= 2)
            assert_true(
                str_starts_with(files.at[i].path, S("s=a b%2Fc%3D%25\xc3\xa9/d=1960-03-0")));
    }
}

static void a_failed_write_leaves_nothing(void **state)
{
    Bench *b = *state;
    BoundRel *r = range_rel(b, 300000);
    BoundRel *p = project_of(b, r);
    add_raw(b, p, r, "v", "CASE WHEN $1 = 299999 THEN error('[DIVIDE_BY_ZERO] late') ELSE $1 END",
            type_simple(TYPE_LONG));
    WriteSpec spec = {.folder = absolute(b, "failed"),
                      .format = S_INIT("parquet"),
                      .schema = brel_schema(p, b->arena),
                      .stats_columns = 1, .drops_empty = true,
                      .target_file_bytes = 100000};
    WrittenFileVec files;
    assert_false(engine_write(b->engine, p, &spec, &b->run, b->arena, &files, &b->err));
    assert_int_equal(b->err.cls, ERR_DIVIDE_BY_ZERO);
    error_clear(&b->err);
    assert_int_equal(access(absolute(b, "failed").ptr, F_OK), -1);
}

static void target_size_splits(void **state)
{
    Bench *b = *state;
    BoundRel *r = range_rel(b, 1000000);
    BoundRel *p = project_of(b, r);
    add_raw(b, p, r, "v", "hash($1)::VARCHAR", type_simple(TYPE_STRING));
    WriteSpec spec = {.folder = absolute(b, "split"),
                      .format = S_INIT("parquet"),
                      .schema = brel_schema(p, b->arena),
                      .stats_columns = 1, .drops_empty = true,
                      .target_file_bytes = 4000000};
    WrittenFileVec files;
    if (!engine_write(b->engine, p, &spec, &b->run, b->arena, &files, &b->err))
        fail_with(b);
    assert_true(files.len > 1);
    int64_t rows = 0;
    for (size_t i = 0; i < files.len; i++)
        rows += files.at[i].rows;
    assert_int_equal(rows, 1000000);
}

static void text_formats_round_trip(void **state)
{
    Bench *b = *state;
    BoundRel *r = range_rel(b, 5);
    BoundRel *p = project_of(b, r);
    add_raw(b, p, r, "i", "$1", type_simple(TYPE_LONG));
    add_raw(b, p, r, "s", "CASE WHEN $1 = 1 THEN NULL ELSE 'a,\"b' || $1 END",
            type_simple(TYPE_STRING));
    add_raw(b, p, r, "d", "$1 / 4", type_simple(TYPE_DOUBLE));
    add_raw(b, p, r, "t", "make_timestamptz($1 * 1000000000)", type_simple(TYPE_TIMESTAMP));
    const char *formats[] = {"json", "csv"};
    RowVec want = rows_of(b, p);
    for (size_t f = 0; f < 2; f++) {
        WriteSpec spec = {.folder = absolute(b, formats[f]),
                          .format = str_from(formats[f]),
                          .schema = brel_schema(p, b->arena)};
        WrittenFileVec files = {0};
        if (!engine_write(b->engine, p, &spec, &b->run, b->arena, &files, &b->err))
            fail_with(b);
        RowVec got = rows_of(b, scan_of(b, formats[f], absolute(b, formats[f]), spec.schema));
        assert_int_equal(got.len, want.len);
        for (size_t i = 0; i < got.len; i++)
            for (size_t k = 0; k < 4; k++)
                assert_true(value_equal(&got.at[i].cells[k], &want.at[i].cells[k]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistics_are_deltas),    cmocka_unit_test(long_text_bounds),
        cmocka_unit_test(partitions_by_every_type), cmocka_unit_test(a_failed_write_leaves_nothing),
        cmocka_unit_test(target_size_splits),       cmocka_unit_test(text_formats_round_trip),
    };
    return cmocka_run_group_tests(tests, open_with_folder, close_with_folder);
}
