/* A few threads that take the next index each; transfers wait for the network, not for a processor. */
#include "store/parallel.h"

#include <pthread.h>

enum { MAX_THREADS = 12, STACK_BYTES = 512 * 1024 };

typedef struct Parallel {
    size_t count;
    ParallelCall call;
    void *arg;
    pthread_mutex_t lock; /* guards next, failed, err */
    size_t next;
    bool failed;
    Error *err;
} Parallel;

static bool take(Parallel *p, size_t *index)
{
    pthread_mutex_lock(&p->lock);
    bool any = !p->failed && p->next < p->count;
    *index = any ? p->next++ : 0;
    pthread_mutex_unlock(&p->lock);
    return any;
}

static void *run(void *arg)
{
    Parallel *p = arg;
    for (size_t i; take(p, &i);) {
        AUTO_ARENA arena = arena_new();
        Error err = error_in(arena);
        if (p->call(i, p->arg, &err))
            continue;
        pthread_mutex_lock(&p->lock);
        if (!p->failed)
            error_copy(p->err, &err);
        p->failed = true;
        pthread_mutex_unlock(&p->lock);
    }
    return NULL;
}

bool parallel_run(size_t count, ParallelCall call, void *arg, Error *err)
{
    Parallel p = {.count = count, .call = call, .arg = arg, .err = err};
    pthread_t threads[MAX_THREADS];
    size_t started = 0;
    pthread_attr_t attributes;
    pthread_mutex_init(&p.lock, NULL);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    while (started + 1 < count && started < MAX_THREADS && !pthread_create(&threads[started], &attributes, run, &p))
        started++;
    run(&p);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_attr_destroy(&attributes);
    pthread_mutex_destroy(&p.lock);
    return !p.failed;
}
