/* Statements of this process that rewrite rows of one table take turns: each then reads what the one before it committed, and only
 * other engines' commits stand against it. Appends, readers and other tables do not wait. docs/decisions/003-turns.md says why. */
#include "command/turn.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "net/workers.h"

enum { POLL_MS = 20 };

typedef struct Waiter {
    struct Waiter *next;
    pthread_cond_t wake;
    bool called;
} Waiter;

struct TurnQueue {
    char *table;
    pthread_t owner;
    Waiter *first, **last;
    TurnQueue *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards queues and all they hold */
static TurnQueue *queues;

static TurnQueue *find_queue(Str table)
{
    for (TurnQueue *q = queues; q; q = q->next)
        if (str_is(table, q->table))
            return q;
    return NULL;
}

static TurnQueue *new_queue(Str table)
{
    TurnQueue *q = calloc(1, sizeof *q);
    if (!q || !(q->table = strndup(table.ptr, table.len)))
        panic("out of memory");
    q->last = &q->first;
    q->owner = pthread_self();
    q->next = queues;
    queues = q;
    return q;
}

static void free_queue(TurnQueue *q)
{
    TurnQueue **at = &queues;
    while (*at != q)
        at = &(*at)->next;
    *at = q->next;
    free(q->table);
    free(q);
}

static void leave(TurnQueue *q, Waiter *w)
{
    Waiter **at = &q->first;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    if (q->last == &w->next)
        q->last = at;
}

static struct timespec after_ms(int64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

/* Called with the lock held. True: it is our turn; else the statement was cancelled, or has waited long enough. */
static bool wait_for_call(TurnQueue *q, const Cancel *cancel, int64_t wait_ms)
{
    Waiter w = {0};
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w.wake, &attr);
    pthread_condattr_destroy(&attr);
    *q->last = &w;
    q->last = &w.next;
    for (int64_t waited = 0; !w.called && waited < wait_ms && !(cancel && cancel_is_raised(cancel)); waited += POLL_MS) {
        struct timespec until = after_ms(POLL_MS);
        pthread_cond_timedwait(&w.wake, &lock, &until);
    }
    if (!w.called)
        leave(q, &w);
    pthread_cond_destroy(&w.wake);
    return w.called;
}

bool turn_take(Turn *t, Str table, const Cancel *cancel, Error *err)
{
    if (t->queue)
        return true;
    pthread_mutex_lock(&lock);
    TurnQueue *q = find_queue(table);
    bool ours = !q;
    if (!q)
        q = new_queue(table);
    else if (!pthread_equal(q->owner, pthread_self()) && workers_wait_begins()) {
        ours = wait_for_call(q, cancel, t->wait_ms ? t->wait_ms : TURN_WAIT_MS);
        workers_wait_ended();
    }
    if (ours) {
        q->owner = pthread_self();
        t->queue = q;
    }
    pthread_mutex_unlock(&lock);
    if (cancel && cancel_is_raised(cancel)) {
        turn_give(t);
        return error_set(err, ERR_OPERATION_CANCELED);
    }
    if (!ours)
        log_debug("table " STR_FMT ": a statement did not wait for its turn", STR_ARG(table));
    return true;
}

void turn_give(Turn *t)
{
    TurnQueue *q = t->queue;
    t->queue = NULL;
    if (!q)
        return;
    pthread_mutex_lock(&lock);
    Waiter *w = q->first;
    if (w) {
        leave(q, w);
        w->called = true;
        pthread_cond_signal(&w->wake);
    } else
        free_queue(q);
    pthread_mutex_unlock(&lock);
}
