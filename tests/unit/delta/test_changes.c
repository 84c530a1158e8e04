/* The change data feed, VACUUM's plan, partition texts, protocol rules. */
#include "kit.h"

#include <string.h>
#include <utime.h>

#include "base/clock.h"
#include "duckdb_io.h"

#define STATS "{\"numRecords\":10}"

/* ---- changes ---- */

static int64_t commit(Kit *k, Snapshot *s, Transaction *x, const char *operation)
{
    CommitRequest request = kit_request(operation);
    int64_t version;
    OK(k, transaction_commit(x, &request, &version, &k->err));
    transaction_end(x);
    snapshot_unref(s);
    return version;
}

static const AddFile *file_of(Kit *k, Snapshot *s, const char *path)
{
    FileList files;
    snapshot_files(s, k->arena, &files);
    for (size_t i = 0; i < files.len; i++)
        if (str_is(files.at[i]->path, path))
            return files.at[i];
    return NULL;
}

/* Marks rows of a file as deleted: remove and add of one path. */
static int64_t mark(Kit *k, const char *path, const uint64_t *rows, size_t count)
{
    Snapshot *s = kit_snapshot(k);
    Transaction *x = transaction_begin(k->table, s, k->arena);
    const AddFile *before = file_of(k, s, path);
    AddFile after = *before;
    DeletionVector *dv = ARENA_NEW(k->arena, DeletionVector);
    OK(k, deletion_vectors_write(k->table, &(RowSet){rows, count}, 1, k->arena, dv, &k->err));
    after.dv = dv;
    after.stats = stats_with_wide_bounds(before->stats, k->arena);
    transaction_remove(x, before, true);
    transaction_add(x, &after);
    return commit(k, s, x, "DELETE");
}

static void feed_of_every_kind(void **state)
{
    Kit k;
    ChangeFeed feed;
    uint64_t first[] = {2, 3}, second[] = {3, 7};
    (void)state;
    kit_open(&k);
    kit_create(&k, "x int", "", "delta.enableChangeDataFeed=true;delta.enableDeletionVectors=true");
    kit_append(&k, "f", "", STATS); /* 1 */
    mark(&k, "f", first, 2);        /* 2: rows 2, 3 go */
    mark(&k, "f", second, 2);       /* 3: row 7 goes, row 2 comes back */
    Snapshot *s = kit_snapshot(&k);
    Transaction *x = transaction_begin(k.table, s, k.arena);
    AddFile g = kit_file(&k, "g", "", STATS);
    transaction_add(x, &g);
    transaction_remove(x, file_of(&k, s, "f"), true);
    transaction_cdc(x, &(CdcFile){.path = S("_change_data/c"), .size = 5});
    commit(&k, s, x, "MERGE"); /* 4: only the cdc file counts */
    s = kit_snapshot(&k);
    x = transaction_begin(k.table, s, k.arena);
    transaction_remove(x, file_of(&k, s, "g"), true);
    commit(&k, s, x, "DELETE"); /* 5 */
    s = kit_snapshot(&k);
    OK(&k, changes_between(s, 0, -1, false, k.arena, &feed, &k.err));
    assert_int_equal(feed.end, 5);
    static const struct {
        ChangeKind kind;
        const char *path;
        int64_t version;
        ChangeRows which;
        size_t count;
        uint64_t row;
    } expected[] = {
        {CHANGE_INSERT, "f", 1, CHANGE_ALL_ROWS, 0, 0},
        {CHANGE_DELETE, "f", 2, CHANGE_ONLY_ROWS, 2, 2},
        {CHANGE_DELETE, "f", 3, CHANGE_ONLY_ROWS, 1, 7},
        {CHANGE_INSERT, "f", 3, CHANGE_ONLY_ROWS, 1, 2},
        {CHANGE_CDC, "_change_data/c", 4, CHANGE_ALL_ROWS, 0, 0},
        {CHANGE_DELETE, "g", 5, CHANGE_ALL_ROWS, 0, 0},
    };
    assert_int_equal(feed.files.len, LENGTH_OF(expected));
    for (size_t i = 0; i < LENGTH_OF(expected); i++) {
        const ChangeFile *f = &feed.files.at[i];
        assert_int_equal(f->kind, expected[i].kind);
        assert_true(str_is(f->path, expected[i].path));
        assert_int_equal(f->version, expected[i].version);
        assert_int_equal(f->which, expected[i].which);
        assert_int_equal(f->row_count, expected[i].count);
        assert_true(f->timestamp_ms > 0);
        if (f->row_count)
            assert_int_equal(f->rows[0], expected[i].row);
    }
    assert_int_equal(snapshot_row_count(s), 0);
    REFUSED(&k, "DELTA_INVALID_CDC_RANGE", changes_between(s, 3, 2, false, k.arena, &feed, &k.err));
    REFUSED(&k, "DELTA_CDC_START_VERSION_AFTER_LATEST",
            changes_between(s, 9, -1, false, k.arena, &feed, &k.err));
    OK(&k, changes_between(s, 9, -1, true, k.arena, &feed, &k.err));
    assert_int_equal(feed.files.len, 0);
    snapshot_unref(s);
    kit_close(&k);
}

static void a_feed_that_was_off(void **state)
{
    Kit k;
    ChangeFeed feed;
    (void)state;
    kit_open(&k);
    kit_create(&k, "x int", "", "");
    kit_append(&k, "f", "", STATS);
    Snapshot *s = kit_snapshot(&k);
    Metadata *m = metadata_copy(snapshot_metadata(s), k.arena);
    metadata_set_property(m, S("delta.enableChangeDataFeed"), S("true"), k.arena);
    Transaction *x = transaction_begin(k.table, s, k.arena);
    transaction_set_metadata(x, m);
    commit(&k, s, x, "SET TBLPROPERTIES");
    kit_append(&k, "g", "", STATS);
    s = kit_snapshot(&k);
    REFUSED(&k, "DELTA_MISSING_CHANGE_DATA",
            changes_between(s, 0, -1, false, k.arena, &feed, &k.err));
    OK(&k, changes_between(s, 2, -1, false, k.arena, &feed, &k.err));
    assert_int_equal(feed.files.len, 1);
    assert_true(snapshot_has_feature(s, "changeDataFeed"));
    snapshot_unref(s);
    kit_close(&k);
}

/* ---- vacuum ---- */

typedef VEC(Str) Names;
typedef struct Found {
    Names names;
    Arena *arena;
} Found;

static bool note(const StoreEntry *e, void *arg, Error *err)
{
    Found *f = arg;
    (void)err;
    vec_push(f->arena, &f->names, str_copy(e->path, f->arena));
    return true;
}

static void vacuum_finds_what_nobody_needs(void **state)
{
    static const char *const files[] = {"live",           "removed long ago", "removed lately",
                                        "d=1/orphan",     "_hidden/x",        ".dot",
                                        "_change_data/c", "_d=1/y",           "young"};
    Kit k;
    uint64_t row = 1;
    Str vector;
    (void)state;
    kit_open(&k);
    kit_create(&k, "x int", "", "delta.enableDeletionVectors=true");
    for (size_t i = 0; i < LENGTH_OF(files); i++)
        kit_write(&k, files[i], "x");
    kit_append(&k, "live", "", STATS);
    kit_append(&k, "removed%20lately", "", STATS);
    mark(&k, "live", &row, 1);
    Snapshot *s = kit_snapshot(&k);
    OK(&k, deletion_vector_path(file_of(&k, s, "live")->dv, k.arena, &vector, &k.err));
    Transaction *x = transaction_begin(k.table, s, k.arena);
    transaction_remove(x, file_of(&k, s, "removed%20lately"), true);
    commit(&k, s, x, "DELETE");

    int64_t now = clock_now_ms(), hour = 3600000;
    struct utimbuf old = {.actime = now / 1000 - 7200, .modtime = now / 1000 - 7200};
    for (size_t i = 0; i + 1 < LENGTH_OF(files); i++)
        assert_int_equal(
            utime(str_z(str_printf(k.arena, "%s/%s", k.folder, files[i]), k.arena), &old), 0);
    assert_int_equal(
        utime(str_z(str_printf(k.arena, "%s/" STR_FMT, k.folder, STR_ARG(vector)), k.arena), &old),
        0);
    s = kit_snapshot(&k);
    Found found = {.arena = k.arena};
    OK(&k, vacuum_plan(s, now - hour, vacuum_walk, NULL, note, &found, &k.err));
    assert_int_equal(found.names.len, 3);
    for (size_t i = 0; i < found.names.len; i++)
        assert_true(str_is(found.names.at[i], "removed long ago") ||
                    str_is(found.names.at[i], "d=1/orphan") ||
                    str_is(found.names.at[i], "_change_data/c"));
    assert_int_equal(vacuum_retention_ms(s), INT64_C(7) * 86400000);
    int64_t removed, seen;
    OK(&k, store_delete(delta_table_store(k.table), S("d=1/orphan"), &k.err));
    OK(&k, vacuum_empty_folders(s, true, &removed, &seen, &k.err));
    assert_int_equal(removed, 1);
    snapshot_unref(s);
    kit_close(&k);
}

/* ---- texts ---- */

static void partition_texts(void **state)
{
    Kit k;
    Value v;
    Property p;
    (void)state;
    kit_open(&k);
    PropertyVec values = kit_properties(&k, "a b=x/y;n=;u=\xc3\xa9%=");
    assert_true(str_is(partition_folder(&values, k.arena),
                       "a b=x%2Fy/n=__HIVE_DEFAULT_PARTITION__/u=\xc3\xa9%25%3D"));
    assert_true(
        str_is(path_uri_encode(S("a b=x%2Fy/\xc3\xa9"), k.arena), "a%20b=x%252Fy/\xc3\xa9"));
    OK(&k,
       partition_value_parse(&(Property){S("t"), S("2024-01-02T03:04:05.000001Z"), false},
                             type_simple(TYPE_TIMESTAMP), S("Asia/Tokyo"), k.arena, &v, &k.err));
    p = partition_value_print(S("t"), &v, k.arena);
    assert_true(str_is(p.value, "2024-01-02T03:04:05.000001Z"));
    v = value_int(TYPE_TIMESTAMP, 0);
    assert_true(
        str_is(partition_value_print(S("t"), &v, k.arena).value, "1970-01-01T00:00:00.000000Z"));
    OK(&k, partition_value_parse(&(Property){S("t"), S(""), false}, type_simple(TYPE_INT), S("UTC"),
                                 k.arena, &v, &k.err));
    assert_true(v.is_null);
    REFUSED(&k, "DELTA_FAILED_CAST_PARTITION_VALUE",
            partition_value_parse(&(Property){S("t"), S("seven"), false}, type_simple(TYPE_INT),
                                  S("UTC"), k.arena, &v, &k.err));
    v = value_string(S(""));
    assert_true(partition_value_print(S("s"), &v, k.arena).is_null);
    kit_close(&k);
}

static void protocols_shrink_as_deltas_do(void **state)
{
    static const struct {
        const char *has[6], *drop;
        int reader, writer;
        size_t features;
    } rows[] = {
        {{"deletionVectors"}, "deletionVectors", 1, 2, 0},
        {{"deletionVectors", "checkpointProtection"}, "deletionVectors", 1, 7, 3},
        {{"columnMapping", "checkConstraints"}, "columnMapping", 1, 3, 0},
        {{"columnMapping", "deletionVectors"}, "deletionVectors", 2, 7, 3},
        {{"deletionVectors", "v2Checkpoint"}, "deletionVectors", 3, 7, 3},
        {{"checkConstraints", "changeDataFeed", "generatedColumns"}, "checkConstraints", 1, 7, 4},
        {{"rowTracking"}, "rowTracking", 1, 7, 3},
    };
    AUTO_ARENA(a) = arena_new();
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        Error err = error_in(a);
        Protocol p = {.min_reader = 1, .min_writer = 2};
        for (size_t k = 0; rows[i].has[k]; k++)
            assert_true(protocol_add_feature(&p, rows[i].has[k], a, &err));
        protocol_remove_feature(&p, rows[i].drop, a);
        assert_int_equal(p.min_reader, rows[i].reader);
        assert_int_equal(p.min_writer, rows[i].writer);
        assert_int_equal(p.writer_features.len, rows[i].features);
        assert_false(protocol_has_feature(&p, rows[i].drop));
        assert_true(protocol_has_feature(&p, "invariants"));
    }
    Protocol p = {.min_reader = 1, .min_writer = 7};
    Error err = error_in(a);
    assert_true(protocol_add_feature(&p, "rowTracking", a, &err));
    assert_true(protocol_add_feature(&p, "clustering", a, &err));
    assert_true(str_is(protocol_dependents(&p, "domainMetadata", a), "rowTracking, clustering"));
    assert_int_equal(protocol_dependents(&p, "rowTracking", a).len, 0);
    protocol_add_versions(&p, 1, 4, a);
    assert_true(protocol_has_feature(&p, "generatedColumns") && p.min_writer == 7);
}

static void protocols_grow_as_sparks_do(void **state)
{
    static const struct {
        const char *add;
        int reader, writer;
        size_t features;
    } rows[] = {
        {"checkConstraints", 1, 3, 0},    {"changeDataFeed", 1, 7, 3},
        {"generatedColumns", 1, 7, 3},    {"appendOnly", 1, 2, 0},
        {"allowColumnDefaults", 1, 7, 3}, {"deletionVectors", 3, 7, 3},
        {"clustering", 1, 7, 4},
    };
    AUTO_ARENA(a) = arena_new();
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        Error err = error_in(a);
        Protocol p = {.min_reader = 1, .min_writer = 2};
        assert_true(protocol_add_feature(&p, rows[i].add, a, &err));
        assert_int_equal(p.min_reader, rows[i].reader);
        assert_int_equal(p.min_writer, rows[i].writer);
        assert_int_equal(p.writer_features.len, rows[i].features);
        assert_int_equal(p.reader_features.len, rows[i].reader == 3);
        assert_true(protocol_has_feature(&p, rows[i].add) &&
                    protocol_has_feature(&p, "invariants"));
    }
    for (size_t i = 0; i < delta_feature_count(); i++)
        assert_ptr_equal(delta_feature_find(str_from(delta_feature_at(i)->name)),
                         delta_feature_at(i));
}

static void intervals_and_constraints(void **state)
{
    Kit k;
    DeltaConstraintVec constraints;
    (void)state;
    kit_open(&k);
    Metadata m = {.configuration = kit_properties(
                      &k, "a=interval 2 days;b=1 week 3 hours;c=soon;delta.constraints.pos=x > 0")};
    Field field = {
        S("x"), type_simple(TYPE_INT), true,
        S("{\"delta.invariants\":\"{\\\"expression\\\":{\\\"expression\\\":\\\"x < 9\\\"}}\"}")};
    m.schema = type_struct(&field, 1, k.arena);
    assert_int_equal(metadata_interval_ms(&m, "a", 5), INT64_C(2) * 86400000);
    assert_int_equal(metadata_interval_ms(&m, "b", 5), INT64_C(7) * 86400000 + 3 * 3600000);
    assert_int_equal(metadata_interval_ms(&m, "c", 5), 5);
    assert_int_equal(metadata_interval_ms(&m, "none", 5), 5);
    OK(&k, metadata_constraints(&m, k.arena, &constraints, &k.err));
    assert_int_equal(constraints.len, 2);
    assert_true(str_is(constraints.at[0].name, "pos") &&
                str_is(constraints.at[1].expression, "x < 9"));
    Str changed = field_metadata_with_text(S("{\"a\":1}"), "k", S("v\"w"), k.arena);
    assert_true(str_is(changed, "{\"a\":1,\"k\":\"v\\\"w\"}"));
    assert_true(str_is(field_metadata_with(changed, "a", S(""), k.arena), "{\"k\":\"v\\\"w\"}"));
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(feed_of_every_kind),
        cmocka_unit_test(a_feed_that_was_off),
        cmocka_unit_test(vacuum_finds_what_nobody_needs),
        cmocka_unit_test(partition_texts),
        cmocka_unit_test(protocols_grow_as_sparks_do),
        cmocka_unit_test(protocols_shrink_as_deltas_do),
        cmocka_unit_test(intervals_and_constraints),
    };
    duckdb_io_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
