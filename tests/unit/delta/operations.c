/* What transactions do, each as one function over a snapshot. */
#include "operations.h"

#include <string.h>

#include "delta/deletion_vector.h"
#include "delta/transaction_impl.h"
#include "func/func.h"

#define STATS                                                                                      \
    "{\"numRecords\":3,\"minValues\":{\"x\":1},\"maxValues\":{\"x\":9},\"nullCount\":{\"x\":0}}"

static void add(Kit *k, Transaction *x, const char *values, bool data_change)
{
    static int next;
    AddFile f = kit_file(k, str_printf(k->arena, "new%d", next++).ptr, values, STATS);
    f.data_change = data_change;
    transaction_add(x, &f);
}

/* The files of d = part, noted as read. */
static FileList read_part(Kit *k, Transaction *x, Snapshot *s, int64_t part)
{
    static const FuncRow row = {.name = "="};
    BoundExprVec *conjuncts = ARENA_NEW(k->arena, BoundExprVec);
    ScanColumn *columns = ARENA_ARRAY(k->arena, ScanColumn, 1);
    BoundExpr *parts = ARENA_ARRAY(k->arena, BoundExpr, 3);
    FileList files = {0};
    columns[0] = (ScanColumn){7, 1};
    parts[0] = (BoundExpr){.kind = BEXPR_CALL, .type = type_simple(TYPE_BOOLEAN), .call = {.row = &row}};
    parts[1] = (BoundExpr){.kind = BEXPR_COLUMN, .type = type_simple(TYPE_INT), .column = {.id = 7}};
    parts[2] = (BoundExpr){
        .kind = BEXPR_LITERAL, .type = type_simple(TYPE_INT), .literal = value_int(TYPE_INT, part)};
    vec_push(k->arena, &parts[0].call.args, &parts[1]);
    vec_push(k->arena, &parts[0].call.args, &parts[2]);
    vec_push(k->arena, conjuncts, &parts[0]);
    transaction_read_predicate(x, conjuncts, columns, 1);
    OK(k, snapshot_scan(s, conjuncts, columns, 1, S("UTC"), k->arena, &files, &k->err));
    transaction_read_files(x, &files);
    return files;
}

static void rewrite(Kit *k, Transaction *x, Snapshot *s, int64_t part, bool data_change)
{
    FileList files = read_part(k, x, s, part);
    for (size_t i = 0; i < files.len; i++)
        transaction_remove(x, files.at[i], data_change);
    add(k, x, part == 1 ? "d=1" : "d=2", data_change);
}

static void set_property(Kit *k, Transaction *x, Snapshot *s, const char *key, const char *value)
{
    Metadata *m = metadata_copy(snapshot_metadata(s), k->arena);
    metadata_set_property(m, str_from(key), str_from(value), k->arena);
    transaction_set_metadata(x, m);
}

static void replace_in_schema(Kit *k, Transaction *x, Snapshot *s, const char *old, const char *new)
{
    Metadata *m = metadata_copy(x->metadata ? x->metadata : snapshot_metadata(s), k->arena);
    ptrdiff_t at = str_find(m->schema_string, str_from(old));
    assert_true(at >= 0);
    m->schema_string = str_printf(k->arena, STR_FMT "%s" STR_FMT, STR_ARG(str_slice(m->schema_string, 0, (size_t)at)), new,
                                  STR_ARG(str_slice(m->schema_string, (size_t)at + strlen(old), m->schema_string.len)));
    m->schema = NULL;
    transaction_set_metadata(x, m);
}

/* ---- operations ---- */

static void append(Kit *k, Transaction *x, Snapshot *s) { (void)s; add(k, x, "d=1", true); }

static void reading_append(Kit *k, Transaction *x, Snapshot *s)
{
    transaction_read_whole_table(x);
    append(k, x, s);
}

/* INSERT INTO t SELECT .. FROM t WHERE d = 2 */
static void append_of_part_2(Kit *k, Transaction *x, Snapshot *s)
{
    read_part(k, x, s, 2);
    append(k, x, s);
}

static void overwrite(Kit *k, Transaction *x, Snapshot *s)
{
    FileList files = {0};
    snapshot_files(s, k->arena, &files);
    for (size_t i = 0; i < files.len; i++)
        transaction_remove(x, files.at[i], true);
    transaction_read_whole_table(x);
    append(k, x, s);
}

static void dynamic_part_1(Kit *k, Transaction *x, Snapshot *s)
{
    FileList files = {0}, replaced = {0};
    PropertyVec values = kit_properties(k, "d=1");
    snapshot_files(s, k->arena, &files);
    for (size_t i = 0; i < files.len; i++)
        if (str_is(files.at[i]->path, "p1")) {
            transaction_remove(x, files.at[i], true);
            vec_push(k->arena, &replaced, files.at[i]);
        }
    transaction_read_files(x, &replaced);
    transaction_read_partition(x, &values);
    append(k, x, s);
}

static void delete_part_1(Kit *k, Transaction *x, Snapshot *s)
{
    FileList files = read_part(k, x, s, 1);
    for (size_t i = 0; i < files.len; i++)
        transaction_remove(x, files.at[i], true);
}

/* One row of p1 goes by a deletion vector: the path is removed and added. */
static void mark_part_1(Kit *k, Transaction *x, Snapshot *s)
{
    FileList files = read_part(k, x, s, 1);
    DeletionVector *dv = ARENA_NEW(k->arena, DeletionVector);
    uint64_t row = 1;
    OK(k, deletion_vector_inline((RowSet){&row, 1}, k->arena, dv, &k->err));
    AddFile f = *files.at[0];
    f.dv = dv;
    f.data_change = true;
    transaction_remove(x, files.at[0], true);
    transaction_add(x, &f);
}

static void update_part_1(Kit *k, Transaction *x, Snapshot *s) { rewrite(k, x, s, 1, true); }
static void update_part_2(Kit *k, Transaction *x, Snapshot *s) { rewrite(k, x, s, 2, true); }
static void compact_part_1(Kit *k, Transaction *x, Snapshot *s) { rewrite(k, x, s, 1, false); }
static void set_any(Kit *k, Transaction *x, Snapshot *s) { set_property(k, x, s, "k", "v"); }
static void set_vectors(Kit *k, Transaction *x, Snapshot *s) { set_property(k, x, s, "delta.checkpointPolicy", "v2"); }
static void set_times(Kit *k, Transaction *x, Snapshot *s) { set_property(k, x, s, "delta.enableInCommitTimestamps", "true"); }

static void map_columns(Kit *k, Transaction *x, Snapshot *s)
{
    set_property(k, x, s, "delta.columnMapping.mode", "name");
    metadata_set_property(x->metadata, S("delta.columnMapping.maxColumnId"), S("3"), k->arena);
    replace_in_schema(k, x, s, "\"name\":\"x\",\"type\":\"integer\",\"nullable\":true,\"metadata\":{}",
                      "\"name\":\"x\",\"type\":\"integer\",\"nullable\":true,\"metadata\":{\"delta.columnMapping.id\":1,"
                      "\"delta.columnMapping.physicalName\":\"x\"}");
}

static void add_column(Kit *k, Transaction *x, Snapshot *s)
{
    replace_in_schema(k, x, s, "\"fields\":[", "\"fields\":[{\"name\":\"new\",\"type\":\"integer\",\"nullable\":true,\"metadata\":{}},");
}

static void add_feature(Kit *k, Transaction *x, Snapshot *s)
{
    (void)s;
    OK(k, transaction_enable_feature(x, "checkConstraints", &k->err));
}

/* An append that takes numbers of the identity column. */
static void identity_append(Kit *k, Transaction *x, Snapshot *s)
{
    append(k, x, s);
    replace_in_schema(k, x, s, "\"delta.identity.highWaterMark\":1", "\"delta.identity.highWaterMark\":2");
}

static void txn_a(Kit *k, Transaction *x, Snapshot *s)
{
    append(k, x, s);
    transaction_txn(x, S("a"), 1);
}

static void domain_a(Kit *k, Transaction *x, Snapshot *s)
{
    (void)s;
    (void)k;
    transaction_domain(x, &(DomainMetadata){S("a"), S("{}"), false});
}

/* RESTORE to the version before p2. */
static void restore(Kit *k, Transaction *x, Snapshot *s)
{
    FileList files = {0};
    snapshot_files(s, k->arena, &files);
    transaction_read_whole_table(x);
    for (size_t i = 0; i < files.len; i++)
        if (str_is(files.at[i]->path, "p2"))
            transaction_remove(x, files.at[i], true);
}

static void vacuum(Kit *k, Transaction *x, Snapshot *s)
{
    (void)k;
    (void)x;
    (void)s;
}

const Operation operations[] = {
#include "conflicts.def"
};

_Static_assert(LENGTH_OF(operations) == OPERATIONS, "a row and a letter in every row");

void operations_prepare(Kit *k)
{
    kit_open(k);
    kit_create(k, "x int, d int, n bigint", "d", "");
    kit_append(k, "p1", "d=1", STATS);
    kit_append(k, "p2", "d=2", STATS);
    Snapshot *s = kit_snapshot(k);
    Transaction *x = transaction_begin(k->table, s, k->arena);
    CommitRequest request = kit_request("UPGRADE");
    int64_t version;
    static const char *const features[] = {"domainMetadata", "deletionVectors", "inCommitTimestamp", "columnMapping",
                                           "v2Checkpoint", "identityColumns"};
    for (size_t i = 0; i < LENGTH_OF(features); i++)
        OK(k, transaction_enable_feature(x, features[i], &k->err));
    set_property(k, x, s, "delta.enableDeletionVectors", "true");
    replace_in_schema(k, x, s, "\"name\":\"n\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}",
                      "\"name\":\"n\",\"type\":\"long\",\"nullable\":true,\"metadata\":{\"delta.identity.start\":1,"
                      "\"delta.identity.step\":1,\"delta.identity.highWaterMark\":1,\"delta.identity.allowExplicitInsert\":true}");
    OK(k, transaction_commit(x, &request, &version, &k->err));
    transaction_end(x);
    snapshot_unref(s);
}

char operation_letter(const Error *err)
{
    static const struct {
        const char *prefix;
        char letter;
    } classes[] = {
        {"DELTA_CONCURRENT_APPEND", 'a'},      {"DELTA_CONCURRENT_DELETE_READ", 'r'},
        {"DELTA_CONCURRENT_DELETE_DELETE", 'd'}, {"DELTA_METADATA_CHANGED", 'm'},
        {"DELTA_PROTOCOL_CHANGED", 'p'},       {"DELTA_CONCURRENT_TRANSACTION", 't'},
    };
    Str name = str_from(error_class_name(err->cls));
    for (size_t i = 0; i < LENGTH_OF(classes); i++)
        if (str_starts_with(name, str_from(classes[i].prefix)))
            return classes[i].letter;
    return '?';
}
