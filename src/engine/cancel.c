/* A flag any thread may raise; raising it interrupts the connections that run on its behalf. */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "engine/engine_impl.h"

enum { CANCEL_MAX_CONNECTIONS = 8 };

struct Cancel {
    atomic_int refs;
    atomic_bool raised;
    pthread_mutex_t lock; /* guards running and count */
    duckdb_connection running[CANCEL_MAX_CONNECTIONS];
    size_t count;
};

Cancel *cancel_new(void)
{
    Cancel *c = calloc(1, sizeof(*c));
    if (!c)
        panic("out of memory");
    atomic_init(&c->refs, 1);
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void cancel_ref(Cancel *c) { atomic_fetch_add(&c->refs, 1); }

void cancel_unref(Cancel *c)
{
    if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void cancel_raise(Cancel *c)
{
    pthread_mutex_lock(&c->lock);
    atomic_store(&c->raised, true);
    for (size_t i = 0; i < c->count; i++)
        duckdb_interrupt(c->running[i]);
    pthread_mutex_unlock(&c->lock);
}

bool cancel_is_raised(const Cancel *c) { return atomic_load(&c->raised); }

void cancel_attach(Cancel *c, duckdb_connection connection)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    /* A query that finds no room still sees the flag between its batches. */
    if (c->count < CANCEL_MAX_CONNECTIONS)
        c->running[c->count++] = connection;
    pthread_mutex_unlock(&c->lock);
}

void cancel_detach(Cancel *c, duckdb_connection connection)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->count; i++) {
        if (c->running[i] == connection) {
            c->running[i] = c->running[--c->count];
            break;
        }
    }
    pthread_mutex_unlock(&c->lock);
}

bool cancel_check(const Cancel *c, Error *err)
{
    if (c && cancel_is_raised(c))
        return error_set(err, ERR_OPERATION_CANCELED);
    return true;
}
