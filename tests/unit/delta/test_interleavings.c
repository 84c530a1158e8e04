/* Two transactions, each from looking at the log to its commit, stepped through every order of what they do to the
 * store: whatever the order, the conflict table decides who commits, and the log holds just that. */
#include "operations.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "delta/snapshot_impl.h"
#include "duckdb_io.h"
#include "fault_store.h"

enum { SIDES = 2, MAX_STEPS = 64 };

/* ---- one at a time ---- */

/* Which side goes at each step; beyond len, the first that can. */
typedef struct Schedule {
    uint8_t side[MAX_STEPS];
    bool open[MAX_STEPS]; /* the other side could have gone as well */
    size_t len, taken;
} Schedule;

typedef enum SideState { SIDE_RUNS, SIDE_WAITS, SIDE_DONE } SideState;

typedef struct Race {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    SideState states[SIDES];
    int turn; /* -1: nobody's */
} Race;

typedef struct Side {
    Race *race;
    int number;
    const Operation *operation;
    char *folder;
    Kit kit; /* its own table, arena and error */
    FaultStore store;
    Snapshot *snapshot;
    Transaction *transaction;
    int64_t before, seen; /* the table's version at the start, and when this side looked */
    bool committed;
    int64_t version;
    char letter;
} Side;

static void set_state(Side *s, SideState state)
{
    s->race->states[s->number] = state;
    pthread_cond_broadcast(&s->race->changed);
}

/* Before each operation of a side: it stands still until it is called. */
static void step(void *arg)
{
    Side *s = arg;
    Race *r = s->race;
    pthread_mutex_lock(&r->lock);
    set_state(s, SIDE_WAITS);
    while (r->turn != s->number)
        pthread_cond_wait(&r->changed, &r->lock);
    r->turn = -1;
    set_state(s, SIDE_RUNS);
    pthread_mutex_unlock(&r->lock);
}

static void *commit_side(void *arg)
{
    Side *s = arg;
    CommitRequest request = kit_request("WRITE");
    if (!snapshot_newest(s->kit.table, &s->snapshot, &s->kit.err))
        abort();
    s->seen = snapshot_version(s->snapshot);
    s->transaction = transaction_begin(s->kit.table, s->snapshot, s->kit.arena);
    /* One that sees the other's version has nothing to fear of it. */
    (s->seen == s->before ? s->operation : &operations[0])->perform(&s->kit, s->transaction, s->snapshot);
    request.isolation = ISOLATION_WRITE_SERIALIZABLE;
    s->committed = transaction_commit(s->transaction, &request, &s->version, &s->kit.err);
    s->letter = s->committed ? '.' : operation_letter(&s->kit.err);
    pthread_mutex_lock(&s->race->lock);
    set_state(s, SIDE_DONE);
    pthread_mutex_unlock(&s->race->lock);
    return NULL;
}

static void run_schedule(Race *r, Schedule *schedule)
{
    pthread_mutex_lock(&r->lock);
    for (schedule->taken = 0;;) {
        while (r->turn >= 0 || r->states[0] == SIDE_RUNS || r->states[1] == SIDE_RUNS)
            pthread_cond_wait(&r->changed, &r->lock);
        bool waits[SIDES] = {r->states[0] == SIDE_WAITS, r->states[1] == SIDE_WAITS};
        if (!waits[0] && !waits[1])
            break;
        size_t at = schedule->taken++;
        assert_true(at < MAX_STEPS);
        if (at >= schedule->len)
            schedule->side[at] = !waits[0];
        assert_true(waits[schedule->side[at]]);
        schedule->open[at] = waits[0] && waits[1];
        r->turn = schedule->side[at];
        pthread_cond_broadcast(&r->changed);
    }
    pthread_mutex_unlock(&r->lock);
}

/* The next in depth-first order; false after the last. */
static bool next_schedule(Schedule *s)
{
    for (size_t i = s->taken; i-- > 0;)
        if (s->open[i] && s->side[i] == 0) {
            s->side[i] = 1;
            s->len = i + 1;
            return true;
        }
    return false;
}

/* ---- a race ---- */

static void begin_side(Side *s, Race *r, Kit *main_kit, int number, const Operation *operation)
{
    *s = (Side){.race = r, .number = number, .operation = operation};
    s->kit.arena = arena_new();
    s->kit.err = error_in(s->kit.arena);
    s->kit.folder = main_kit->folder;
    fault_store_init(&s->store, delta_table_store(main_kit->table), 0, FAULT_DELAY);
    OK(&s->kit, delta_table_open_on(&s->store.base, &s->kit.table, &s->kit.err));
    Snapshot *known = kit_snapshot(&s->kit);
    s->before = snapshot_version(known);
    snapshot_unref(known);
    s->store.mode = FAULT_STEP;
    s->store.meanwhile = step;
    s->store.arg = s;
}

static void end_side(Side *s)
{
    s->store.mode = FAULT_DELAY;
    transaction_end(s->transaction);
    snapshot_unref(s->snapshot);
    delta_table_unref(s->kit.table);
    arena_free(s->kit.arena);
}

static void report(const Side *sides, const Schedule *schedule, const char *what)
{
    char order[MAX_STEPS + 1] = {0};
    for (size_t i = 0; i < schedule->taken; i++)
        order[i] = (char)('0' + schedule->side[i]);
    fail_msg("%s and %s in the order %s: %s (%c at %lld, %c at %lld)", sides[0].operation->name, sides[1].operation->name, order, what,
             sides[0].letter, (long long)sides[0].version, sides[1].letter, (long long)sides[1].version);
}

/* The files that a version added are those its transaction wanted to add. */
static void check_version(Kit *k, const Side *sides, const Side *s, const Schedule *schedule)
{
    CommitActions actions;
    OK(k, delta_read_commit(k->table, s->version, k->arena, &actions, &k->err));
    size_t wanted;
    transaction_adds(s->transaction, &wanted);
    if (actions.adds.len != wanted)
        report(sides, schedule, "a version does not hold what its transaction added");
}

static void check_outcome(Kit *k, const Side *sides, int64_t before, const Schedule *schedule)
{
    const Side *winner = &sides[0], *other = &sides[1];
    if (!winner->committed || (other->committed && other->version < winner->version)) {
        winner = &sides[1];
        other = &sides[0];
    }
    if (!winner->committed || winner->version != before + 1)
        report(sides, schedule, "nobody took the next version");
    if (other->committed && other->version != before + 2)
        report(sides, schedule, "the second did not take the version behind the first");
    bool saw = other->seen > before;
    if (other->letter != (saw ? '.' : other->operation->against[0][winner->operation - operations]))
        report(sides, schedule, "the second was not treated as the conflict table says");
    DeltaTable *t = kit_other(k);
    Snapshot *s;
    OK(k, snapshot_newest(t, &s, &k->err));
    if (snapshot_version(s) != before + 1 + other->committed)
        report(sides, schedule, "the log has another length");
    check_version(k, sides, winner, schedule);
    if (other->committed)
        check_version(k, sides, other, schedule);
    snapshot_unref(s);
    delta_table_unref(t);
}

static void run_race(const Operation *first, const Operation *second, Schedule *schedule)
{
    Kit k;
    Side sides[SIDES];
    pthread_t threads[SIDES];
    Race race = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .turn = -1};
    operations_prepare(&k);
    Snapshot *s = kit_snapshot(&k);
    int64_t before = snapshot_version(s);
    snapshot_unref(s);
    begin_side(&sides[0], &race, &k, 0, first);
    begin_side(&sides[1], &race, &k, 1, second);
    for (int i = 0; i < SIDES; i++)
        pthread_create(&threads[i], NULL, commit_side, &sides[i]);
    run_schedule(&race, schedule);
    for (int i = 0; i < SIDES; i++)
        pthread_join(threads[i], NULL);
    check_outcome(&k, sides, before, schedule);
    end_side(&sides[0]);
    end_side(&sides[1]);
    kit_close(&k);
}

static size_t run_all_orders(const Operation *first, const Operation *second)
{
    Schedule schedule = {0};
    size_t count = 0;
    do {
        run_race(first, second, &schedule);
        count++;
    } while (next_schedule(&schedule));
    return count;
}

static void every_order_of_two_transactions(void **state)
{
    size_t orders = 0;
    (void)state;
    for (size_t i = 0; i < OPERATIONS; i++)
        for (size_t j = i; j < OPERATIONS; j++)
            orders += run_all_orders(&operations[i], &operations[j]);
    print_message("%zu orders of %d pairs\n", orders, OPERATIONS * (OPERATIONS + 1) / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_of_two_transactions),
    };
    duckdb_io_install();
    /* Thousands of tables, of which none has to outlive a crash. */
    if (!access("/dev/shm", W_OK))
        setenv("TMPDIR", "/dev/shm", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
