/* The conflict rules as a table: every operation against every winner, at every level of isolation, as
 * Delta's ConflictChecker decides them. */
#include "operations.h"

#include <string.h>

#include "delta/transaction_impl.h"
#include "duckdb_io.h"

static char letter_of(Kit *k, Transaction *x, const CommitActions *winner, IsolationLevel level)
{
    error_clear(&k->err);
    if (conflict_check(x, winner, level, &k->err))
        return '.';
    char letter = operation_letter(&k->err);
    if (letter == '?')
        fail_msg("%s", error_class_name(k->err.cls));
    return letter;
}

static const IsolationLevel LEVEL[LEVELS] = {LEVEL_WRITE_SERIALIZABLE, LEVEL_SERIALIZABLE, LEVEL_SNAPSHOT};

/* One column of the table. Returns how many cells are not as expected. */
static int check_winner(size_t w)
{
    Kit k;
    CommitActions winner;
    int64_t version;
    int wrong = 0;
    operations_prepare(&k);
    Snapshot *s = kit_snapshot(&k);
    Transaction *x = transaction_begin(k.table, s, k.arena);
    CommitRequest request = kit_request("WRITE");
    operations[w].perform(&k, x, s);
    OK(&k, transaction_commit(x, &request, &version, &k.err));
    transaction_end(x);
    OK(&k, delta_read_commit(k.table, version, k.arena, &winner, &k.err));
    for (size_t i = 0; i < OPERATIONS; i++)
        for (int l = 0; l < LEVELS; l++) {
            x = transaction_begin(k.table, s, k.arena);
            operations[i].perform(&k, x, s);
            char got = letter_of(&k, x, &winner, LEVEL[l]), expected = operations[i].against[l][w];
            if (got != expected)
                print_error("%s against %s, %s: %c instead of %c\n", operations[i].name, operations[w].name,
                            isolation_level_name(LEVEL[l]), got, expected);
            wrong += got != expected;
            transaction_end(x);
        }
    snapshot_unref(s);
    kit_close(&k);
    return wrong;
}

static void every_operation_against_every_winner(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < OPERATIONS; i++)
        for (int l = 0; l < LEVELS; l++)
            assert_int_equal(strlen(operations[i].against[l]), OPERATIONS);
    for (size_t w = 0; w < OPERATIONS; w++)
        wrong += check_winner(w);
    assert_int_equal(wrong, 0);
}

/* ---- a feature that goes ---- */

static void drop(Kit *k, Transaction *x, Snapshot *s, const char *feature)
{
    Metadata *m = metadata_copy(snapshot_metadata(s), k->arena);
    transaction_set_metadata(x, m);
    OK(k, transaction_drop_feature(x, feature, true, &k->err));
}

static void perform(const char *name, Kit *k, Transaction *x, Snapshot *s)
{
    size_t i = 0;
    while (i < OPERATIONS && strcmp(operations[i].name, name) != 0)
        i++;
    assert_true(i < OPERATIONS);
    operations[i].perform(k, x, s);
}

/* The first to commit: an operation of conflicts.def, or the drop of a feature. The one that began before it and
 * commits later: a drop, or an append. */
typedef struct Race {
    const char *operation, *drop, *late_drop;
} Race;

/* Returns the class that the later one failed with, or 0. */
static ErrorClass race(Kit *k, Race r)
{
    CommitRequest request = kit_request("WRITE");
    int64_t version;
    operations_prepare(k);
    Snapshot *s = kit_snapshot(k);
    Transaction *late = transaction_begin(k->table, s, k->arena), *x = transaction_begin(k->table, s, k->arena);
    if (r.late_drop)
        drop(k, late, s, r.late_drop);
    else
        perform("a blind append", k, late, s);
    if (r.drop)
        drop(k, x, s, r.drop);
    else
        perform(r.operation, k, x, s);
    OK(k, transaction_commit(x, &request, &version, &k->err));
    transaction_end(x);
    ErrorClass cls = transaction_commit(late, &request, &version, &k->err) ? 0 : k->err.cls;
    transaction_end(late);
    snapshot_unref(s);
    return cls;
}

static ErrorClass race_once(Race r)
{
    Kit k;
    ErrorClass cls = race(&k, r);
    kit_close(&k);
    return cls;
}

static void a_feature_that_goes(void **state)
{
    Kit k;
    (void)state;
    assert_int_equal(race(&k, (Race){.operation = "a blind append", .late_drop = "v2Checkpoint"}), 0);
    Snapshot *s = kit_snapshot(&k);
    Str before = snapshot_property(s, "delta.requireCheckpointProtectionBeforeVersion");
    assert_true(str_eq(before, str_printf(k.arena, "%lld", (long long)snapshot_version(s))));
    assert_false(snapshot_has_feature(s, "v2Checkpoint"));
    assert_true(snapshot_has_feature(s, "checkpointProtection"));
    snapshot_unref(s);
    kit_close(&k);
    const ErrorClass traces = ERR_DELTA_FEATURE_DROP_CONFLICT_REVALIDATION_FAIL;
    assert_int_equal(race_once((Race){.operation = "a domain", .late_drop = "domainMetadata"}), traces);
    assert_int_equal(
        race_once((Race){.operation = "a DELETE by a deletion vector in d = 1", .late_drop = "deletionVectors"}), traces);
    assert_int_equal(race_once((Race){.drop = "v2Checkpoint"}), ERR_DELTA_PROTOCOL_CHANGED);
    assert_int_equal(
        race_once((Race){.drop = "v2Checkpoint", .late_drop = "domainMetadata"}), ERR_DELTA_PROTOCOL_CHANGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_against_every_winner),
        cmocka_unit_test(a_feature_that_goes),
    };
    duckdb_io_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
