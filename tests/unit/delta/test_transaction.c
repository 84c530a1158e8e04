/* Transactions: what a commit writes, which winners conflict, every order of two writers, a fault
 * at every step. */
#include "kit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utime.h>

#include "delta/snapshot_impl.h"
#include "duckdb_io.h"
#include "fault_store.h"
#include "func/func.h"

#define STATS                                                                                      \
    "{\"numRecords\":3,\"minValues\":{\"x\":1},\"maxValues\":{\"x\":9},\"nullCount\":{\"x\":0}}"

/* ---- what is written ---- */

static void a_new_table_says_what_it_is(void **state)
{
    Kit k;
    CommitActions c;
    (void)state;
    kit_open(&k);
    kit_create(&k, "x int, d date", "d", "delta.enableChangeDataFeed=true");
    OK(&k, delta_read_commit(k.table, 0, k.arena, &c, &k.err));
    assert_true(str_is(c.info->operation, "CREATE TABLE"));
    assert_true(str_starts_with(c.info->engine_info, S("lakeshed/")));
    assert_true(c.info->is_blind_append && c.info->read_version == -1 && c.info->txn_id.len == 36);
    assert_int_equal(c.protocol->min_reader, 1);
    assert_int_equal(c.protocol->min_writer, 7);
    assert_true(protocol_has_feature(c.protocol, "changeDataFeed") &&
                protocol_has_feature(c.protocol, "invariants"));
    assert_int_equal(c.metadata->id.len, 36);
    assert_int_equal(c.metadata->partition_columns.len, 1);
    assert_true(c.timestamp_ms > 0 && c.metadata->created_time_ms > 0);
    kit_close(&k);
}

static void refusals(void **state)
{
    Kit k;
    int64_t version;
    (void)state;
    kit_open(&k);
    kit_create(&k, "x int", "", "delta.appendOnly=true");
    kit_append(&k, "a", "", STATS);
    Snapshot *s = kit_snapshot(&k);
    FileList files;
    CommitRequest request = kit_request("DELETE");
    snapshot_files(s, k.arena, &files);

    Transaction *x = transaction_begin(k.table, s, k.arena);
    transaction_remove(x, files.at[0], true);
    REFUSED(&k, "DELTA_CANNOT_MODIFY_APPEND_ONLY",
            transaction_commit(x, &request, &version, &k.err));
    transaction_end(x);

    x = transaction_begin(k.table, s, k.arena);
    AddFile twice = kit_file(&k, "b%20c", "", STATS), again = kit_file(&k, "b c", "", STATS);
    transaction_add(x, &twice);
    transaction_add(x, &again);
    REFUSED(&k, "DELTA_DUPLICATE_ACTIONS_FOUND", transaction_commit(x, &request, &version, &k.err));
    transaction_end(x);

    x = transaction_begin(k.table, s, k.arena);
    DeletionVector dv;
    uint64_t row = 1;
    OK(&k, deletion_vector_inline((RowSet){&row, 1}, k.arena, &dv, &k.err));
    AddFile marked = kit_file(&k, "c", "", "");
    marked.dv = &dv;
    transaction_add(x, &marked);
    REFUSED(&k, "DELTA_DELETION_VECTOR_MISSING_NUM_RECORDS",
            transaction_commit(x, &request, &version, &k.err));
    transaction_end(x);

    x = transaction_begin(k.table, NULL, k.arena);
    REFUSED(&k, "DELTA_METADATA_ABSENT", transaction_commit(x, &request, &version, &k.err));
    transaction_end(x);

    x = transaction_begin(k.table, s, k.arena);
    OK(&k, transaction_enable_feature(x, "identityColumns", &k.err));
    REFUSED(&k, "DELTA_UNSUPPORTED_FEATURES_IN_CONFIG",
            transaction_enable_feature(x, "timeMachine", &k.err));
    transaction_end(x);
    snapshot_unref(s);
    assert_int_equal(snapshot_version(s = kit_snapshot(&k)), 1);
    snapshot_unref(s);
    kit_close(&k);
}

static void unknown_writer_features_are_readable(void **state)
{
    Kit k;
    int64_t version;
    (void)state;
    kit_open(&k);
    kit_write(&k, "_delta_log/00000000000000000000.json",
              "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":["
              "\"quantum\"]}}\n"
              "{\"metaData\":{\"id\":\"a\",\"format\":{\"provider\":\"parquet\",\"options\":{}},"
              "\"schemaString\":"
              "\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[]}\",\"partitionColumns\":[],"
              "\"configuration\":{}}}\n");
    Snapshot *s = kit_snapshot(&k);
    REFUSED(&k, "DELTA_UNSUPPORTED_FEATURES_FOR_WRITE", snapshot_check_writable(s, &k.err));
    Transaction *x = transaction_begin(k.table, s, k.arena);
    AddFile f = kit_file(&k, "a", "", STATS);
    CommitRequest request = kit_request("WRITE");
    transaction_add(x, &f);
    REFUSED(&k, "DELTA_UNSUPPORTED_FEATURES_FOR_WRITE",
            transaction_commit(x, &request, &version, &k.err));
    transaction_end(x);
    snapshot_unref(s);
    kit_close(&k);
}

static void commit_timestamps_grow(void **state)
{
    Kit k;
    CommitActions c;
    int64_t last = 0;
    (void)state;
    kit_open(&k);
    kit_create(&k, "x int", "", "delta.enableInCommitTimestamps=true");
    for (int i = 0; i < 4; i++)
        kit_append(&k, str_printf(k.arena, "f%d", i).ptr, "", STATS);
    for (int64_t v = 0; v <= 4; v++) {
        OK(&k, delta_read_commit(k.table, v, k.arena, &c, &k.err));
        assert_true(c.info->in_commit_timestamp_ms > last);
        assert_int_equal(c.timestamp_ms, c.info->in_commit_timestamp_ms);
        last = c.info->in_commit_timestamp_ms;
    }
    Snapshot *s;
    OK(&k, snapshot_at_timestamp(k.table, last * 1000, &s, &k.err));
    assert_int_equal(snapshot_version(s), 4);
    snapshot_unref(s);
    OK(&k, snapshot_at_timestamp(k.table, last * 1000 - 1, &s, &k.err));
    assert_int_equal(snapshot_version(s), 3);
    snapshot_unref(s);
    REFUSED(&k, "DELTA_TIMESTAMP_GREATER_THAN_COMMIT",
            snapshot_at_timestamp(k.table, last * 1000 + 1, &s, &k.err));
    REFUSED(&k, "DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION",
            snapshot_at_timestamp(k.table, 5, &s, &k.err));
    kit_close(&k);
}

/* ---- conflicts ---- */

typedef enum Step {
    BLIND_APPEND,   /* adds a file, reads nothing */
    READING_APPEND, /* adds a file, read the whole table */
    MERGE_KEY_1,    /* read x = 1, which every file's statistics allow; adds a file */
    MERGE_KEY_50,    /* read x = 50, which no file's statistics allow; adds a file */
    MERGE_NO_KEY,   /* read what no row satisfies; adds a file */
    READ_KEY_1,     /* MERGE_KEY_1 that also read the files in question */
    PART_1_UPDATE,  /* read d = 1, rewrites its file */
    PART_2_UPDATE,
    DELETE_PART_1,  /* read and removes the file of d = 1 */
    COMPACT_PART_1, /* the same rows in another file */
    SET_PROPERTY,
    SET_VECTORS, /* a property that is allowed to appear */
    ADD_FEATURE, /* one that writers must know */
    TXN_A,
    DOMAIN_A,
} Step;

static BoundExpr *equals(Kit *k, const Snapshot *s, ColumnId id, int64_t value)
{
    static const FuncRow row = {.name = "="};
    BoundExpr *e = ARENA_NEW(k->arena, BoundExpr), *column = ARENA_NEW(k->arena, BoundExpr);
    BoundExpr *literal = ARENA_NEW(k->arena, BoundExpr);
    (void)s;
    *column =
        (BoundExpr){.kind = BEXPR_COLUMN, .type = type_simple(TYPE_INT), .column = {.id = id}};
    *literal = (BoundExpr){.kind = BEXPR_LITERAL,
                           .type = type_simple(TYPE_INT),
                           .literal = value_int(TYPE_INT, value)};
    *e = (BoundExpr){.kind = BEXPR_CALL, .type = type_simple(TYPE_BOOLEAN), .call = {.row = &row}};
    vec_push(k->arena, &e->call.args, column);
    vec_push(k->arena, &e->call.args, literal);
    return e;
}

static void read_partition(Kit *k, Transaction *x, Snapshot *s, int64_t part, FileList *files)
{
    BoundExprVec *conjuncts = ARENA_NEW(k->arena, BoundExprVec);
    ScanColumn *columns = ARENA_ARRAY(k->arena, ScanColumn, 1);
    columns[0] = (ScanColumn){7, 1};
    vec_push(k->arena, conjuncts, equals(k, s, 7, part));
    transaction_read_predicate(x, conjuncts, columns, 1);
    OK(k, snapshot_scan(s, conjuncts, columns, 1, S("UTC"), k->arena, files, &k->err));
    transaction_read_files(x, files);
}

static void read_key(Kit *k, Transaction *x, Snapshot *s, int64_t key, bool with_files)
{
    BoundExprVec *conjuncts = ARENA_NEW(k->arena, BoundExprVec);
    ScanColumn *columns = ARENA_ARRAY(k->arena, ScanColumn, 1);
    FileList files = {0};
    columns[0] = (ScanColumn){8, 0};
    vec_push(k->arena, conjuncts, equals(k, s, 8, key));
    transaction_read_predicate(x, conjuncts, columns, 1);
    OK(k, snapshot_scan(s, conjuncts, columns, 1, S("UTC"), k->arena, &files, &k->err));
    if (with_files)
        transaction_read_files(x, &files);
}

static void read_nothing(Kit *k, Transaction *x)
{
    BoundExprVec *conjuncts = ARENA_NEW(k->arena, BoundExprVec);
    BoundExpr *never = ARENA_NEW(k->arena, BoundExpr);
    *never = (BoundExpr){
        .kind = BEXPR_LITERAL, .type = type_simple(TYPE_BOOLEAN), .literal = value_bool(false)};
    vec_push(k->arena, conjuncts, never);
    transaction_read_predicate(x, conjuncts, NULL, 0);
}

static void add_new(Kit *k, Transaction *x, const char *values, bool data_change)
{
    static int next;
    AddFile f = kit_file(k, str_printf(k->arena, "new%d", next++).ptr, values, STATS);
    f.data_change = data_change;
    transaction_add(x, &f);
}

static void rewrite(Kit *k, Transaction *x, Snapshot *s, int64_t part, const char *values,
                    bool data_change)
{
    FileList files = {0};
    read_partition(k, x, s, part, &files);
    for (size_t i = 0; i < files.len; i++)
        if (files.at[i]->path.ptr[0] == 'p') /* not what a blind append brought meanwhile */
            transaction_remove(x, files.at[i], data_change);
    if (values)
        add_new(k, x, values, data_change);
}

static void set_property(Kit *k, Transaction *x, Snapshot *s, Str key, Str value)
{
    Metadata *m = metadata_copy(snapshot_metadata(s), k->arena);
    metadata_set_property(m, key, value, k->arena);
    transaction_set_metadata(x, m);
}

static void perform(Kit *k, Transaction *x, Snapshot *s, Step step)
{
    switch (step) {
    case BLIND_APPEND: add_new(k, x, "d=1", true); break;
    case READING_APPEND:
        transaction_read_whole_table(x);
        add_new(k, x, "d=1", true);
        break;
    case MERGE_KEY_1:
    case MERGE_KEY_50:
    case READ_KEY_1:
        read_key(k, x, s, step == MERGE_KEY_50 ? 50 : 1, step == READ_KEY_1);
        add_new(k, x, "d=1", true);
        break;
    case MERGE_NO_KEY:
        read_nothing(k, x);
        add_new(k, x, "d=1", true);
        break;
    case PART_1_UPDATE: rewrite(k, x, s, 1, "d=1", true); break;
    case PART_2_UPDATE: rewrite(k, x, s, 2, "d=2", true); break;
    case DELETE_PART_1: rewrite(k, x, s, 1, NULL, true); break;
    case COMPACT_PART_1: rewrite(k, x, s, 1, "d=1", false); break;
    case SET_PROPERTY: set_property(k, x, s, S("k"), S("v")); break;
    case SET_VECTORS: set_property(k, x, s, S("delta.enableDeletionVectors"), S("true")); break;
    case ADD_FEATURE: OK(k, transaction_enable_feature(x, "checkConstraints", &k->err)); break;
    case TXN_A: transaction_txn(x, S("a"), 1); break;
    case DOMAIN_A: transaction_domain(x, &(DomainMetadata){S("a"), S("{}"), false}); break;
    }
}

static void a_table_of_two_partitions(Kit *k, const char *properties)
{
    kit_open(k);
    kit_create(k, "x int, d int", "d", properties);
    kit_append(k, "p1", "d=1", STATS);
    kit_append(k, "p2", "d=2", STATS);
    Snapshot *s = kit_snapshot(k);
    Transaction *x = transaction_begin(k->table, s, k->arena);
    CommitRequest request = kit_request("UPGRADE");
    int64_t version;
    OK(k, transaction_enable_feature(x, "domainMetadata", &k->err));
    OK(k, transaction_enable_feature(x, "deletionVectors", &k->err));
    OK(k, transaction_commit(x, &request, &version, &k->err));
    transaction_end(x);
    snapshot_unref(s);
}

#define APPEND_CONFLICT "DELTA_CONCURRENT_APPEND.WITH_PARTITION_HINT"
#define READ_CONFLICT "DELTA_CONCURRENT_DELETE_READ.WITH_PARTITION_HINT"
#define READ_ALL_CONFLICT "DELTA_CONCURRENT_DELETE_READ.WITHOUT_HINT"

/* Ours started before the winner committed; NULL: both stand. */
static const struct {
    Step ours, winner;
    const char *weak, *strict;
} conflicts[] = {
    {BLIND_APPEND, BLIND_APPEND, NULL, NULL},
    {BLIND_APPEND, DELETE_PART_1, NULL, NULL},
    {BLIND_APPEND, COMPACT_PART_1, NULL, NULL},
    {BLIND_APPEND, READING_APPEND, NULL, NULL},
    {BLIND_APPEND, SET_PROPERTY, "DELTA_METADATA_CHANGED", "DELTA_METADATA_CHANGED"},
    {BLIND_APPEND, SET_VECTORS, NULL, NULL},
    {BLIND_APPEND, ADD_FEATURE, "DELTA_PROTOCOL_CHANGED", "DELTA_PROTOCOL_CHANGED"},
    {BLIND_APPEND, TXN_A, NULL, NULL},
    {READING_APPEND, BLIND_APPEND, NULL, APPEND_CONFLICT},
    {READING_APPEND, PART_2_UPDATE, APPEND_CONFLICT, APPEND_CONFLICT},
    {READING_APPEND, DELETE_PART_1, READ_ALL_CONFLICT, READ_ALL_CONFLICT},
    {PART_1_UPDATE, BLIND_APPEND, NULL, APPEND_CONFLICT},
    {PART_1_UPDATE, READING_APPEND, APPEND_CONFLICT, APPEND_CONFLICT},
    {PART_1_UPDATE, PART_2_UPDATE, NULL, NULL},
    {PART_1_UPDATE, PART_1_UPDATE, APPEND_CONFLICT, APPEND_CONFLICT},
    {PART_1_UPDATE, DELETE_PART_1, READ_CONFLICT, READ_CONFLICT},
    {PART_1_UPDATE, COMPACT_PART_1, APPEND_CONFLICT, APPEND_CONFLICT},
    {PART_2_UPDATE, BLIND_APPEND, NULL, NULL},
    {PART_2_UPDATE, COMPACT_PART_1, NULL, NULL},
    {MERGE_KEY_1, BLIND_APPEND, NULL, APPEND_CONFLICT},
    {MERGE_KEY_1, MERGE_KEY_1, APPEND_CONFLICT, APPEND_CONFLICT},
    {MERGE_KEY_1, MERGE_KEY_50, APPEND_CONFLICT, APPEND_CONFLICT},
    {MERGE_KEY_1, DELETE_PART_1, NULL, NULL},
    {READ_KEY_1, DELETE_PART_1, READ_CONFLICT, READ_CONFLICT},
    {READ_KEY_1, COMPACT_PART_1, APPEND_CONFLICT, APPEND_CONFLICT},
    {MERGE_KEY_50, BLIND_APPEND, NULL, NULL},
    {MERGE_KEY_50, READING_APPEND, NULL, NULL},
    {MERGE_KEY_50, MERGE_KEY_1, NULL, NULL},
    {MERGE_KEY_50, MERGE_KEY_50, NULL, NULL},
    {MERGE_KEY_50, PART_1_UPDATE, NULL, NULL},
    {MERGE_KEY_50, DELETE_PART_1, NULL, NULL},
    {MERGE_KEY_50, SET_PROPERTY, "DELTA_METADATA_CHANGED", "DELTA_METADATA_CHANGED"},
    {MERGE_NO_KEY, MERGE_KEY_1, NULL, NULL},
    {MERGE_NO_KEY, PART_1_UPDATE, NULL, NULL},
    {BLIND_APPEND, MERGE_KEY_1, NULL, NULL},
    {COMPACT_PART_1, MERGE_KEY_1, NULL, NULL},
    {COMPACT_PART_1, BLIND_APPEND, NULL, NULL},
    {COMPACT_PART_1, PART_1_UPDATE, READ_CONFLICT, READ_CONFLICT},
    {COMPACT_PART_1, PART_2_UPDATE, NULL, NULL},
    {SET_PROPERTY, SET_PROPERTY, "DELTA_METADATA_CHANGED", "DELTA_METADATA_CHANGED"},
    {SET_PROPERTY, SET_VECTORS, "DELTA_METADATA_CHANGED", "DELTA_METADATA_CHANGED"},
    {SET_PROPERTY, BLIND_APPEND, NULL, NULL},
    {ADD_FEATURE, BLIND_APPEND, NULL, NULL},
    {ADD_FEATURE, ADD_FEATURE, "DELTA_PROTOCOL_CHANGED", "DELTA_PROTOCOL_CHANGED"},
    {TXN_A, TXN_A, "DELTA_CONCURRENT_TRANSACTION", "DELTA_CONCURRENT_TRANSACTION"},
    {TXN_A, DOMAIN_A, NULL, NULL},
    {DOMAIN_A, DOMAIN_A, "DELTA_CONCURRENT_TRANSACTION", "DELTA_CONCURRENT_TRANSACTION"},
};

static void check_conflict(size_t row, bool strict)
{
    Kit k;
    int64_t won, version;
    a_table_of_two_partitions(&k, strict ? "delta.isolationLevel=Serializable" : "");
    Snapshot *s = kit_snapshot(&k);
    Transaction *ours = transaction_begin(k.table, s, k.arena),
                *winner = transaction_begin(k.table, s, k.arena);
    CommitRequest request = kit_request("WRITE");
    perform(&k, ours, s, conflicts[row].ours);
    perform(&k, winner, s, conflicts[row].winner);
    OK(&k, transaction_commit(winner, &request, &won, &k.err));
    bool ok = transaction_commit(ours, &request, &version, &k.err);
    const char *expected = strict ? conflicts[row].strict : conflicts[row].weak;
    const char *got = ok ? "(commits)" : error_class_name(k.err.cls);
    if (strcmp(got, expected ? expected : "(commits)") != 0)
        fail_msg("row %zu %s: %s instead of %s", row, strict ? "Serializable" : "WriteSerializable",
                 got, expected);
    if (ok)
        assert_int_equal(version, won + 1);
    transaction_end(ours);
    transaction_end(winner);
    snapshot_unref(s);
    kit_close(&k);
}

static void the_conflict_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(conflicts); i++) {
        check_conflict(i, false);
        check_conflict(i, true);
    }
}

/* ---- two writers in every order ---- */

enum { MOVES = 3 }; /* read, gather, commit */

typedef struct Writer {
    DeltaTable *table;
    Snapshot *read;
    Transaction *x;
    Step step;
    int at;
    bool committed;
    const char *refused;
} Writer;

static void move(Kit *k, Writer *w)
{
    CommitRequest request = kit_request("WRITE");
    int64_t version;
    switch (w->at++) {
    case 0: OK(k, snapshot_newest(w->table, &w->read, &k->err)); break;
    case 1: {
        FileList files;
        w->x = transaction_begin(w->table, w->read, k->arena);
        snapshot_files(w->read, k->arena, &files);
        bool there = false;
        for (size_t i = 0; i < files.len; i++)
            there = there || str_is(files.at[i]->path, "p1");
        if (w->step == BLIND_APPEND || there)
            perform(k, w->x, w->read, w->step);
        else
            w->refused = "nothing to delete";
        break;
    }
    case 2:
        if (w->refused)
            break;
        error_clear(&k->err);
        w->committed = transaction_commit(w->x, &request, &version, &k->err);
        if (!w->committed)
            w->refused = error_class_name(k->err.cls);
        error_clear(&k->err);
        break;
    }
}

static void run_order(unsigned order, Step a, Step b, int expected_commits)
{
    Kit k;
    a_table_of_two_partitions(&k, "");
    Writer writers[2] = {{.table = k.table, .step = a}, {.table = kit_other(&k), .step = b}};
    for (int i = 0; i < 2 * MOVES; i++)
        move(&k, &writers[order >> i & 1]);
    Snapshot *s = kit_snapshot(&k);
    int commits = writers[0].committed + writers[1].committed;
    assert_int_equal(commits, expected_commits);
    assert_int_equal(snapshot_version(s), 3 + commits);
    snapshot_unref(s);
    for (int i = 0; i < 2; i++) {
        transaction_end(writers[i].x);
        snapshot_unref(writers[i].read);
    }
    delta_table_unref(writers[1].table);
    kit_close(&k);
}

static void every_order_of_two_writers(void **state)
{
    (void)state;
    for (unsigned order = 0; order < 1u << (2 * MOVES); order++) {
        if (__builtin_popcount(order) != MOVES)
            continue;
        run_order(order, BLIND_APPEND, BLIND_APPEND, 2);
        run_order(order, DELETE_PART_1, DELETE_PART_1, 1); /* exactly one deletes */
        run_order(order, BLIND_APPEND, DELETE_PART_1, 2);
    }
}

/* ---- checkpoints ---- */

static void checkpoints_hold_everything(void **state)
{
    Kit k;
    int64_t version;
    (void)state;
    a_table_of_two_partitions(&k, "delta.checkpoint.writeStatsAsStruct=true");
    Snapshot *s = kit_snapshot(&k);
    Transaction *x = transaction_begin(k.table, s, k.arena);
    CommitRequest request = kit_request("WRITE");
    perform(&k, x, s, TXN_A);
    perform(&k, x, s, DOMAIN_A);
    perform(&k, x, s, DELETE_PART_1);
    OK(&k, transaction_commit(x, &request, &version, &k.err));
    transaction_end(x);
    snapshot_unref(s);
    for (int i = 0; i < 20; i++)
        kit_append(&k, str_printf(k.arena, "f%%20%d", i).ptr, i % 2 ? "d=" : "d=5", STATS);
    s = kit_snapshot(&k);
    assert_int_equal(snapshot_version(s), 24);

    /* The log before the checkpoint goes: what is left must say the same. */
    bool found;
    StoreEntry entry;
    OK(&k,
       store_stat(delta_table_store(k.table),
                  S("_delta_log/00000000000000000020.checkpoint.parquet"), &found, &entry, &k.err));
    assert_true(found);
    for (int i = 0; i < 20; i++)
        OK(&k, store_delete(delta_table_store(k.table),
                            str_printf(k.arena, "_delta_log/%020d.json", i), &k.err));
    DeltaTable *other = kit_other(&k);
    Snapshot *again;
    FileList files;
    OK(&k, snapshot_newest(other, &again, &k.err));
    assert_int_equal(snapshot_file_count(again), snapshot_file_count(s));
    assert_int_equal(snapshot_size_in_bytes(again), snapshot_size_in_bytes(s));
    assert_int_equal(snapshot_row_count(again), snapshot_row_count(s));
    assert_int_equal(snapshot_txn_version(again, S("a")), 1);
    assert_true(str_is(snapshot_domain(again, S("a")), "{}"));
    assert_true(protocol_equal(snapshot_protocol(again), snapshot_protocol(s)));
    assert_true(
        str_eq(snapshot_metadata(again)->schema_string, snapshot_metadata(s)->schema_string));
    snapshot_files(again, k.arena, &files);
    for (size_t i = 0; i < files.len; i++) {
        const AddFile *f = files.at[i], *same = file_set_find(s->files, f->path, NULL);
        assert_non_null(same);
        assert_true(str_eq(f->stats, same->stats));
        assert_true(f->partition_values.at[0].is_null == same->partition_values.at[0].is_null);
        assert_true(str_eq(f->partition_values.at[0].value, same->partition_values.at[0].value));
    }
    int64_t earliest;
    OK(&k, delta_earliest_version(other, &earliest, &k.err));
    assert_int_equal(earliest, 20);
    snapshot_unref(again);
    snapshot_unref(s);
    delta_table_unref(other);
    kit_close(&k);
}

static bool has_commit(Kit *k, int64_t version)
{
    bool found;
    StoreEntry entry;
    Str path = str_printf(k->arena, "_delta_log/%020lld.json", (long long)version);
    OK(k, store_stat(delta_table_store(k->table), path, &found, &entry, &k->err));
    return found;
}

static void expired_log_files_go(void **state)
{
    Kit k;
    const time_t now = time(NULL), old = now - 40 * 86400;
    (void)state;
    kit_open(&k);
    kit_create(&k, "x int", "", "");
    for (int i = 1; i < 15; i++)
        kit_append(&k, str_printf(k.arena, "f%d", i).ptr, "", STATS);
    for (int i = 0; i < 13; i++) {
        struct utimbuf times = {.actime = old + i, .modtime = old + i};
        assert_int_equal(
            utime(str_z(str_printf(k.arena, "%s/_delta_log/%020d.json", k.folder, i), k.arena),
                  &times),
            0);
    }
    kit_write(&k, "_delta_log/00000000000000000003.crc", "{}");
    for (int i = 15; i <= 20; i++) /* version 20 writes a checkpoint and cleans */
        kit_append(&k, str_printf(k.arena, "f%d", i).ptr, "", STATS);
    /* 12 is the last expired commit, 10 the checkpoint below it: all before 10 goes. */
    for (int64_t v = 0; v <= 20; v++)
        assert_int_equal(has_commit(&k, v), v >= 10);
    int64_t earliest;
    Snapshot *s;
    OK(&k, delta_earliest_version(k.table, &earliest, &k.err));
    assert_int_equal(earliest, 10);
    OK(&k, snapshot_at_version(k.table, 12, &s, &k.err));
    assert_int_equal(snapshot_file_count(s), 12);
    snapshot_unref(s);
    REFUSED(&k, "DELTA_VERSION_NOT_FOUND", snapshot_at_version(k.table, 9, &s, &k.err));
    kit_close(&k);
}

static void row_ids_are_fresh(void **state)
{
    Kit k;
    int64_t version;
    CommitActions c;
    (void)state;
    kit_open(&k);
    kit_create(&k, "x int", "", "");
    Snapshot *s = kit_snapshot(&k);
    Transaction *x = transaction_begin(k.table, s, k.arena),
                *late = transaction_begin(k.table, s, k.arena);
    CommitRequest request = kit_request("UPGRADE");
    OK(&k, transaction_enable_feature(x, "rowTracking", &k.err));
    OK(&k, transaction_commit(x, &request, &version, &k.err));
    transaction_end(x);
    transaction_end(late);
    snapshot_unref(s);
    s = kit_snapshot(&k);
    Transaction *two[] = {transaction_begin(k.table, s, k.arena),
                          transaction_begin(k.table, s, k.arena)};
    for (int i = 0; i < 2; i++) { /* the second is rebased: its ids move on */
        AddFile f = kit_file(&k, i ? "b" : "a", "", STATS);
        transaction_add(two[i], &f);
        OK(&k, transaction_commit(two[i], &request, &version, &k.err));
        transaction_end(two[i]);
        OK(&k, delta_read_commit(k.table, version, k.arena, &c, &k.err));
        assert_true(c.adds.at[0].has_base_row_id);
        assert_int_equal(c.adds.at[0].base_row_id, i * 3);
        assert_int_equal(c.adds.at[0].default_row_commit_version, version);
    }
    snapshot_unref(s);
    s = kit_snapshot(&k);
    assert_true(str_is(snapshot_domain(s, S("delta.rowTracking")), "{\"rowIdHighWaterMark\":5,\"domainName\":\"delta.rowTracking\"}"));
    snapshot_unref(s);
    kit_close(&k);
}

/* ---- a table that had rows gets ids for them ---- */

static Transaction *backfill(Kit *k, Snapshot *s)
{
    FileList files = {0};
    Transaction *x = transaction_begin(k->table, s, k->arena);
    snapshot_files(s, k->arena, &files);
    for (size_t i = 0; i < files.len; i++) {
        AddFile f = *files.at[i];
        f.data_change = false;
        transaction_add(x, &f);
    }
    transaction_backfill(x);
    return x;
}

static int64_t enabled_on(Kit *k)
{
    int64_t version;
    a_table_of_two_partitions(k, "");
    Snapshot *s = kit_snapshot(k);
    Transaction *x = transaction_begin(k->table, s, k->arena);
    CommitRequest request = kit_request("UPGRADE PROTOCOL");
    OK(k, transaction_enable_feature(x, "rowTracking", &k->err));
    OK(k, transaction_commit(x, &request, &version, &k->err));
    transaction_end(x);
    snapshot_unref(s);
    return version;
}

/* Whoever comes first: no file comes back, no id is given twice, add and remove agree. */
static void backfill_and_another(Step step, bool backfill_first)
{
    Kit k;
    int64_t version;
    CommitActions first, second;
    enabled_on(&k);
    Snapshot *s = kit_snapshot(&k);
    Transaction *ids = backfill(&k, s), *other = transaction_begin(k.table, s, k.arena);
    Transaction *order[] = {backfill_first ? ids : other, backfill_first ? other : ids};
    perform(&k, other, s, step);
    for (int i = 0; i < 2; i++) {
        CommitRequest request = kit_request(order[i] == ids ? ROW_TRACKING_BACKFILL : "WRITE");
        OK(&k, transaction_commit(order[i], &request, &version, &k.err));
    }
    OK(&k, delta_read_commit(k.table, version - 1, k.arena, &first, &k.err));
    OK(&k, delta_read_commit(k.table, version, k.arena, &second, &k.err));
    for (size_t i = 0; i < second.removes.len; i++) /* the file's ids by then, were they given */
        assert_int_equal(second.removes.at[i].has_base_row_id, backfill_first);
    transaction_end(ids);
    transaction_end(other);
    snapshot_unref(s);
    s = kit_snapshot(&k);
    FileList files = {0};
    snapshot_files(s, k.arena, &files);
    assert_int_equal(files.len, step == DELETE_PART_1 ? 1 : step == BLIND_APPEND ? 3 : 2);
    int64_t high = row_id_high_of(snapshot_domain(s, S(ROW_TRACKING_DOMAIN)));
    for (size_t i = 0; i < files.len; i++) {
        assert_true(files.at[i]->has_base_row_id);
        assert_in_range(files.at[i]->base_row_id + 2, 2, high);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(files.at[i]->base_row_id, files.at[j]->base_row_id);
    }
    snapshot_unref(s);
    kit_close(&k);
}

static void backfill_beside_writers(void **state)
{
    static const Step steps[] = {BLIND_APPEND, PART_1_UPDATE, DELETE_PART_1, COMPACT_PART_1};
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(steps); i++)
        for (int first = 0; first < 2; first++)
            backfill_and_another(steps[i], first);
}

/* A writer that began before goes on; what it wrote again has new ids, and it says so. */
static void tracking_enabled_meanwhile(void **state)
{
    Kit k;
    int64_t version;
    CommitActions c;
    (void)state;
    enabled_on(&k);
    Snapshot *s = kit_snapshot(&k);
    Transaction *late = transaction_begin(k.table, s, k.arena),
                *other = transaction_begin(k.table, s, k.arena),
                *enable = transaction_begin(k.table, s, k.arena);
    CommitRequest request = kit_request("WRITE");
    request.keeps_rows = true;
    set_property(&k, enable, s, S(ROW_TRACKING_ENABLED), S("true"));
    set_property(&k, other, s, S("k"), S("v"));
    OK(&k, transaction_commit(enable, &request, &version, &k.err));
    perform(&k, late, s, PART_1_UPDATE);
    OK(&k, transaction_commit(late, &request, &version, &k.err));
    OK(&k, delta_read_commit(k.table, version, k.arena, &c, &k.err));
    assert_true(str_is(property_get(&c.info->tags, "delta.rowTracking.preserved"), "false"));
    REFUSED(&k, "DELTA_METADATA_CHANGED", transaction_commit(other, &request, &version, &k.err));
    transaction_end(late);
    transaction_end(other);
    transaction_end(enable);
    snapshot_unref(s);
    RowColumns names;
    s = kit_snapshot(&k);
    assert_true(snapshot_row_columns(s, &names));
    Transaction *x = transaction_begin(k.table, s, k.arena);
    set_property(&k, x, s, S(ROW_TRACKING_SUSPENDED), S("true"));
    REFUSED(&k, "DELTA_ROW_TRACKING_ILLEGAL_PROPERTY_COMBINATION",
            transaction_commit(x, &request, &version, &k.err));
    transaction_end(x);
    snapshot_unref(s);
    kit_close(&k);
}

/* Another writer enabled it and did not say how the columns are called. */
static void columns_without_a_name(void **state)
{
    Kit k;
    int64_t version;
    (void)state;
    kit_open(&k);
    kit_write(&k, "_delta_log/00000000000000000000.json",
              "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":[\"rowTracking\",\"domainMetadata\"]}}\n"
              "{\"metaData\":{\"id\":\"m\",\"format\":{\"provider\":\"parquet\",\"options\":{}},\"schemaString\":"
              "\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[]}\",\"partitionColumns\":[],"
              "\"configuration\":{\"delta.enableRowTracking\":\"true\"}}}\n");
    Snapshot *s = kit_snapshot(&k);
    Transaction *x = transaction_begin(k.table, s, k.arena);
    CommitRequest request = kit_request("UPDATE");
    AddFile f = kit_file(&k, "a", "", STATS);
    request.keeps_rows = true;
    transaction_add(x, &f);
    REFUSED(&k, "DELTA_MATERIALIZED_ROW_TRACKING_COLUMN_NAME_MISSING",
            transaction_commit(x, &request, &version, &k.err));
    request.keeps_rows = false; /* new rows have their ids all the same */
    OK(&k, transaction_commit(x, &request, &version, &k.err));
    transaction_end(x);
    snapshot_unref(s);
    kit_close(&k);
}

/* Files that bring ids, as RESTORE's do, move the mark where it is lower; no id is given below it. */
static void ids_that_files_bring(void **state)
{
    Kit k;
    int64_t version;
    CommitActions c;
    (void)state;
    enabled_on(&k);
    Snapshot *s = kit_snapshot(&k);
    Transaction *x = transaction_begin(k.table, s, k.arena);
    CommitRequest request = kit_request("RESTORE");
    AddFile brought = kit_file(&k, "brought", "d=1", STATS), fresh = kit_file(&k, "fresh", "d=1", STATS);
    brought.has_base_row_id = true;
    brought.base_row_id = 50;
    brought.default_row_commit_version = 1;
    transaction_add(x, &fresh);
    transaction_add(x, &brought);
    OK(&k, transaction_commit(x, &request, &version, &k.err));
    transaction_end(x);
    snapshot_unref(s);
    OK(&k, delta_read_commit(k.table, version, k.arena, &c, &k.err));
    assert_int_equal(c.adds.at[0].base_row_id, 53);
    assert_int_equal(c.adds.at[1].base_row_id, 50);
    assert_int_equal(c.adds.at[1].default_row_commit_version, 1);
    assert_int_equal(row_id_high_of(c.domains.at[0].configuration), 55);
    assert_int_equal(row_id_high_of(S("{\"rowIdHighWaterMark\":-7}")), -1);
    assert_int_equal(row_id_high_of(S("[")), -1);
    kit_close(&k);
}

/* ---- faults ---- */

/* One append through a store that dies at its k-th operation. *done: it needed fewer operations
 * than that. */
static void append_with_fault(Kit *k, int fail_at, FaultMode mode, bool *done)
{
    FaultStore faulty;
    DeltaTable *t;
    Snapshot *s;
    int64_t version;
    fault_store_init(&faulty, delta_table_store(k->table), fail_at, mode);
    OK(k, delta_table_open_on(&faulty.base, &t, &k->err));
    bool ok = snapshot_newest(t, &s, &k->err);
    int64_t before = ok ? snapshot_version(s) : -1;
    if (ok) {
        Transaction *x = transaction_begin(t, s, k->arena);
        CommitRequest request = kit_request("WRITE");
        add_new(k, x, "d=1", true);
        ok = transaction_commit(x, &request, &version, &k->err);
        transaction_end(x);
        snapshot_unref(s);
    }
    delta_table_unref(t);
    error_clear(&k->err);
    *done = faulty.operations < fail_at;

    DeltaTable *fresh = kit_other(k);
    OK(k, snapshot_newest(fresh, &s, &k->err)); /* whatever happened, the log is whole */
    if (ok)
        assert_int_equal(snapshot_version(s), version);
    else if (before >= 0)
        assert_in_range(snapshot_version(s), before, before + 1);
    assert_int_equal(snapshot_file_count(s) + 1,
                     snapshot_version(s)); /* every version adds one file, version 3 none */
    snapshot_unref(s);
    delta_table_unref(fresh);
}

/* The append is version 4 and writes a checkpoint, too. */
static void a_fault_at_every_step(void **state)
{
    (void)state;
    for (FaultMode mode = 0; mode < FAULT_MODES; mode++) {
        bool done = false;
        for (int fail_at = 1; !done; fail_at++) {
            Kit k;
            a_table_of_two_partitions(&k, "delta.checkpointInterval=4");
            append_with_fault(&k, fail_at, mode, &done);
            kit_append(&k, "afterwards", "d=1", STATS);
            kit_close(&k);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_table_says_what_it_is),
        cmocka_unit_test(refusals),
        cmocka_unit_test(unknown_writer_features_are_readable),
        cmocka_unit_test(commit_timestamps_grow),
        cmocka_unit_test(the_conflict_table),
        cmocka_unit_test(every_order_of_two_writers),
        cmocka_unit_test(checkpoints_hold_everything),
        cmocka_unit_test(expired_log_files_go),
        cmocka_unit_test(row_ids_are_fresh),
        cmocka_unit_test(backfill_beside_writers),
        cmocka_unit_test(tracking_enabled_meanwhile),
        cmocka_unit_test(columns_without_a_name),
        cmocka_unit_test(ids_that_files_bring),
        cmocka_unit_test(a_fault_at_every_step),
    };
    duckdb_io_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
