/* Every way to change a log, with a fault at every operation of the store: killed there, a passing failure, a
 * lost answer, and another writer who goes first. */
#include "kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#include "delta/checkpoint_impl.h"
#include "delta/deletion_vector.h"
#include "delta/transaction_impl.h"
#include "delta/vacuum.h"
#include "duckdb_io.h"
#include "fault_store.h"

#define STATS                                                                                      \
    "{\"numRecords\":3,\"minValues\":{\"x\":1},\"maxValues\":{\"x\":9},\"nullCount\":{\"x\":0}}"

enum { FILES = 3, TEXT_SIZE = 512 };

/* ---- what is done ---- */

static bool commit(Transaction *x, const char *operation, Error *err)
{
    CommitRequest request = kit_request(operation);
    int64_t version;
    bool ok = transaction_commit(x, &request, &version, err);
    transaction_end(x);
    return ok;
}

static bool create(Kit *k, DeltaTable *t, Snapshot *s, Error *err)
{
    Metadata m = {.configuration = kit_properties(k, "delta.checkpointInterval=100")};
    (void)s;
    TRY(type_from_ddl(S("x int"), k->arena, &m.schema, err));
    Transaction *x = transaction_begin(t, NULL, k->arena);
    transaction_set_metadata(x, &m);
    return commit(x, "CREATE TABLE", err);
}

static bool append(Kit *k, DeltaTable *t, Snapshot *s, Error *err)
{
    Transaction *x = transaction_begin(t, s, k->arena);
    AddFile f = kit_file(k, "appended", "", STATS);
    transaction_add(x, &f);
    return commit(x, "WRITE", err);
}

static bool delete_by_vector(Kit *k, DeltaTable *t, Snapshot *s, Error *err)
{
    FileList files = {0};
    uint64_t row = 1;
    DeletionVector dv;
    snapshot_files(s, k->arena, &files);
    TRY(deletion_vector_inline((RowSet){&row, 1}, k->arena, &dv, err));
    Transaction *x = transaction_begin(t, s, k->arena);
    AddFile f = *files.at[0];
    f.dv = &dv;
    f.data_change = true;
    FileList read = {files.at, 1, 1};
    transaction_read_files(x, &read);
    transaction_remove(x, files.at[0], true);
    transaction_add(x, &f);
    return commit(x, "DELETE", err);
}

static bool optimize(Kit *k, DeltaTable *t, Snapshot *s, Error *err)
{
    FileList files = {0};
    snapshot_files(s, k->arena, &files);
    Transaction *x = transaction_begin(t, s, k->arena);
    transaction_read_files(x, &files);
    for (size_t i = 0; i < files.len; i++)
        if (!str_is(files.at[i]->path, "meanwhile"))
            transaction_remove(x, files.at[i], false);
    AddFile f = kit_file(k, "packed", "", STATS);
    f.data_change = false;
    transaction_add(x, &f);
    return commit(x, "OPTIMIZE", err);
}

static bool set_property(Kit *k, DeltaTable *t, Snapshot *s, Error *err)
{
    Metadata *m = metadata_copy(snapshot_metadata(s), k->arena);
    metadata_set_property(m, S("k"), S("v"), k->arena);
    Transaction *x = transaction_begin(t, s, k->arena);
    transaction_set_metadata(x, m);
    return commit(x, "SET TBLPROPERTIES", err);
}

static bool checkpoint(Kit *k, DeltaTable *t, Snapshot *s, Error *err)
{
    (void)k;
    (void)t;
    return checkpoint_write(s, err);
}

static bool delete_file(const StoreEntry *file, void *arg, Error *err)
{
    return store_delete(arg, file->path, err);
}

static bool vacuum(Kit *k, DeltaTable *t, Snapshot *s, Error *err)
{
    int64_t removed, seen;
    (void)k;
    return vacuum_plan(s, INT64_MAX, vacuum_walk, NULL, delete_file, delta_table_store(t), err) &&
           vacuum_empty_folders(s, true, &removed, &seen, err);
}

/* ---- the tables they are done to ---- */

static void nothing(Kit *k)
{
    kit_open(k);
}

static void some_files(Kit *k)
{
    kit_open(k);
    kit_create(k, "x int", "", "delta.checkpointInterval=100");
    Snapshot *s = kit_snapshot(k);
    Transaction *x = transaction_begin(k->table, s, k->arena);
    OK(k, transaction_enable_feature(x, "deletionVectors", &k->err));
    Metadata *m = metadata_copy(snapshot_metadata(s), k->arena);
    metadata_set_property(m, S("delta.enableDeletionVectors"), S("true"), k->arena);
    transaction_set_metadata(x, m);
    OK(k, commit(x, "UPGRADE", &k->err));
    snapshot_unref(s);
    for (int i = 0; i < FILES; i++)
        kit_append(k, str_printf(k->arena, "f%d", i).ptr, "", STATS);
}

/* The next commit writes a checkpoint, too. */
static void checkpoint_is_due(Kit *k)
{
    some_files(k);
    Snapshot *s = kit_snapshot(k);
    Metadata *m = metadata_copy(snapshot_metadata(s), k->arena);
    metadata_set_property(m, S("delta.checkpointInterval"), S("3"), k->arena);
    Transaction *x = transaction_begin(k->table, s, k->arena);
    transaction_set_metadata(x, m);
    OK(k, commit(x, "SET TBLPROPERTIES", &k->err));
    snapshot_unref(s);
}

/* Old commits and a checkpoint above them: the log is cleaned with the next checkpoint. */
static void expired(Kit *k)
{
    const time_t old = time(NULL) - 40 * 86400;
    some_files(k);
    Snapshot *s = kit_snapshot(k);
    OK(k, checkpoint_write(s, &k->err));
    int64_t version = snapshot_version(s);
    snapshot_unref(s);
    kit_append(k, "last", "", STATS);
    for (int64_t v = 0; v <= version; v++) {
        struct utimbuf times = {.actime = old + v, .modtime = old + v};
        assert_int_equal(utime(str_z(str_printf(k->arena, "%s/_delta_log/%020lld.json", k->folder, (long long)v), k->arena), &times), 0);
    }
}

static void with_orphans(Kit *k)
{
    some_files(k);
    for (int i = 0; i < FILES; i++)
        kit_write(k, str_printf(k->arena, "f%d", i).ptr, "live");
    kit_write(k, "orphan", "");
    kit_write(k, ".writing-1/files/orphan", "");
    kit_write(k, "empty/orphan", "");
}

static const struct {
    const char *name;
    void (*prepare)(Kit *k);
    bool (*perform)(Kit *k, DeltaTable *t, Snapshot *s, Error *err);
    bool again_differs; /* done twice, it does something else or is refused */
} changes[] = {
    {"create", nothing, create, true},
    {"append", some_files, append, true},
    {"append that makes a checkpoint", checkpoint_is_due, append, true},
    {"delete by a vector", some_files, delete_by_vector, true},
    {"optimize", some_files, optimize, true},
    {"metadata", some_files, set_property, false},
    {"metadata that makes a checkpoint", checkpoint_is_due, set_property, false},
    {"checkpoint", some_files, checkpoint, false},
    {"log clean-up", expired, checkpoint, false},
    {"vacuum", with_orphans, vacuum, false},
};

/* ---- what a table is ---- */

/* Its files with their vectors, its properties; without what another writer added. Empty: there is no table. */
static Str state_of(Kit *k, bool *other)
{
    Snapshot *s;
    FileList files = {0};
    Buf b = buf_in(k->arena);
    DeltaTable *t = kit_other(k);
    bool exists;
    *other = false;
    OK(k, delta_table_exists(t, &exists, &k->err));
    if (exists) {
        OK(k, snapshot_newest(t, &s, &k->err));
        snapshot_files(s, k->arena, &files);
        for (int i = 0; i < FILES; i++) /* in one order, whatever the set's */
            for (size_t n = 0; n < files.len; n++)
                if (str_eq(files.at[n]->path, str_printf(k->arena, "f%d", i)))
                    buf_addf(&b, "f%d%s ", i, files.at[n]->dv ? "*" : "");
        static const char *const others[] = {"appended", "packed", "last", "meanwhile"};
        for (size_t i = 0; i < LENGTH_OF(others); i++)
            for (size_t n = 0; n < files.len; n++)
                if (str_is(files.at[n]->path, others[i])) {
                    *other |= str_is(files.at[n]->path, "meanwhile");
                    buf_addf(&b, "%s ", str_is(files.at[n]->path, "meanwhile") ? "" : others[i]);
                }
        buf_addf(&b, "k=" STR_FMT, STR_ARG(snapshot_property(s, "k")));
        snapshot_unref(s);
    }
    delta_table_unref(t);
    return str_replace(buf_str(&b), S("  "), S(" "), k->arena);
}

/* No commit is missing between the first and the last, and every one can be read. */
static void check_versions(Kit *k)
{
    StoreEntryVec entries;
    int64_t last = -1, version;
    CommitActions c;
    OK(k, store_list(delta_table_store(k->table), S("_delta_log"), S(""), k->arena, &entries, &k->err));
    for (size_t i = 0; i < entries.len; i++) {
        Str name = str_slice(entries.at[i].path, strlen("_delta_log/"), entries.at[i].path.len);
        if (!str_ends_with(name, S(".json")) || !str_to_i64(str_slice(name, 0, 20), &version))
            continue;
        if (last >= 0)
            assert_int_equal(version, last + 1);
        last = version;
        OK(k, delta_read_commit(k->table, version, k->arena, &c, &k->err));
    }
}

static void check_live_files(Kit *k)
{
    bool found;
    StoreEntry entry;
    for (int i = 0; i < FILES; i++) {
        OK(k, store_stat(delta_table_store(k->table), str_printf(k->arena, "f%d", i), &found, &entry, &k->err));
        assert_true(found);
    }
}

/* ---- the faults ---- */

typedef struct Other {
    Kit *kit;
    bool wrote;
} Other;

/* Another writer's blind append; before a table is there it can do nothing. */
static void write_meanwhile(void *arg)
{
    Other *o = arg;
    DeltaTable *t = kit_other(o->kit);
    bool exists;
    Error err = error_in(o->kit->arena);
    assert_true(delta_table_exists(t, &exists, &err));
    if (exists) {
        kit_append(o->kit, "meanwhile", "", STATS);
        o->wrote = true;
    }
    delta_table_unref(t);
}

static bool perform(Kit *k, size_t change, DeltaTable *t, Error *err)
{
    Snapshot *s = NULL;
    if (changes[change].perform == create)
        return create(k, t, NULL, err);
    TRY(snapshot_newest(t, &s, err));
    bool ok = changes[change].perform(k, t, s, err);
    snapshot_unref(s);
    return ok;
}

/* fail_at 0: without a fault, which tells what the table is afterwards. Returns whether the change needed fewer
 * operations than that. */
static bool check_fault(size_t change, FaultMode mode, int fail_at, char after[TEXT_SIZE])
{
    Kit k;
    FaultStore faulty;
    DeltaTable *t;
    Other other = {&k, false};
    bool with_other, had_other;
    changes[change].prepare(&k);
    Str before = state_of(&k, &had_other);
    fault_store_init(&faulty, delta_table_store(k.table), fail_at, mode);
    faulty.meanwhile = write_meanwhile;
    faulty.arg = &other;
    OK(&k, delta_table_open_on(&faulty.base, &t, &k.err));
    bool ok = perform(&k, change, t, &k.err);
    error_clear(&k.err);
    delta_table_unref(t);
    bool done = faulty.operations < fail_at || !fail_at;
    Str now = state_of(&k, &with_other);
    if (!fail_at)
        snprintf(after, TEXT_SIZE, STR_FMT, STR_ARG(now));
    check_versions(&k);
    if (changes[change].prepare == with_orphans)
        check_live_files(&k);
    bool changed = str_is(now, after), same = str_eq(now, before);
    if (!changed && !same)
        fail_msg("%s, mode %d at %d: neither before nor after: " STR_FMT, changes[change].name, mode, fail_at, STR_ARG(now));
    if ((ok && !changed) || (other.wrote != with_other) || (mode == FAULT_DELAY && !ok && changes[change].perform != create))
        fail_msg("%s, mode %d at %d: ok %d, changed %d, other writer %d %d", changes[change].name, mode, fail_at, ok, changed, other.wrote, with_other);
    if (!changed || !changes[change].again_differs) {
        OK(&k, perform(&k, change, k.table, &k.err));
        if (!str_is(state_of(&k, &with_other), after) || other.wrote != with_other)
            fail_msg("%s, mode %d at %d: tried again, it is not what it should be", changes[change].name, mode, fail_at);
        check_versions(&k);
    }
    kit_close(&k);
    return done;
}

static void a_fault_at_every_operation(void **state)
{
    (void)state;
    for (size_t change = 0; change < LENGTH_OF(changes); change++) {
        char after[TEXT_SIZE];
        check_fault(change, FAULT_BEFORE, 0, after);
        for (FaultMode mode = 0; mode < FAULT_ALL_MODES; mode++) {
            int at = 1;
            while (!check_fault(change, mode, at, after))
                at++;
            assert_true(at > 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_at_every_operation),
    };
    if (!access("/dev/shm", W_OK)) /* a thousand tables: nothing here is about the disk */
        setenv("TMPDIR", "/dev/shm", 0);
    duckdb_io_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
