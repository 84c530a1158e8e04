/* The pool: everything taken is run, no more at once than its limit, nothing taken once it stops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/workers.h"

typedef struct Count {
    atomic_int running, most, done;
} Count;

static void work(void *arg)
{
    Count *c = arg;
    int now = atomic_fetch_add(&c->running, 1) + 1;
    for (int most = atomic_load(&c->most); now > most && !atomic_compare_exchange_weak(&c->most, &most, now);)
        ;
    usleep(200);
    atomic_fetch_sub(&c->running, 1);
    atomic_fetch_add(&c->done, 1);
}

static void runs_all_within_its_limit(void **state)
{
    Count c = {0};
    Workers *w = workers_new(3);
    for (int i = 0; i < 500; i++)
        assert_true(workers_submit(w, work, &c));
    workers_stop(w);
    assert_int_equal(atomic_load(&c.done), 500);
    assert_in_range(atomic_load(&c.most), 1, 3);
}

typedef struct Gate {
    atomic_bool open;
    atomic_int waiting;
} Gate;

static void wait_for_gate(void *arg)
{
    Gate *g = arg;
    atomic_fetch_add(&g->waiting, 1);
    while (!atomic_load(&g->open))
        sched_yield();
}

/* A queue without an end would hold a flood's memory: there comes a refusal. */
static void refuses_a_flood(void **state)
{
    Gate g = {0};
    Workers *w = workers_new(1);
    int taken = 0;
    while (taken < 10000000 && workers_submit(w, wait_for_gate, &g))
        taken++;
    assert_in_range(taken, 1, 9999999);
    atomic_store(&g.open, true);
    workers_stop(w);
    assert_int_equal(atomic_load(&g.waiting), taken);
}

static void uses_a_large_stack_fully(void *arg)
{
    volatile char room[WORKER_STACK_BYTES / 2];
    for (size_t i = 0; i < sizeof(room); i += 4096)
        room[i] = 1;
    *(int *)arg = room[4096];
}

static void has_large_stacks(void **state)
{
    int answer = 0;
    Workers *w = workers_new(1);
    assert_true(workers_submit(w, uses_a_large_stack_fully, &answer));
    workers_stop(w);
    assert_int_equal(answer, 1);
}

typedef struct Pair {
    atomic_bool open, was_run;
} Pair;

static void opens(void *arg)
{
    Pair *p = arg;
    atomic_store(&p->open, true);
}

static void waits_for_the_other(void *arg)
{
    Pair *p = arg;
    assert_true(workers_wait_begins());
    while (!atomic_load(&p->open))
        usleep(100);
    workers_wait_ended();
    atomic_store(&p->was_run, true);
}

static void a_waiting_one_has_a_stand_in(void **state)
{
    for (int before = 0; before < 2; before++) {
        Pair p = {0};
        Workers *w = workers_new(1);
        assert_true(workers_submit(w, waits_for_the_other, &p));
        if (before)
            usleep(20000);
        assert_true(workers_submit(w, opens, &p));
        while (!atomic_load(&p.was_run))
            usleep(100);
        workers_stop(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(runs_all_within_its_limit), cmocka_unit_test(refuses_a_flood),
                                       cmocka_unit_test(has_large_stacks), cmocka_unit_test(a_waiting_one_has_a_stand_in)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
