/* Worker threads: started one by one as needed, since most servers are asked little. */
#include "net/workers.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"

enum { QUEUE_LIMIT = 10000, WAITING_LIMIT = 256 };

typedef struct Work {
    void (*run)(void *arg);
    void *arg;
    struct Work *next;
} Work;

struct Workers {
    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t wake;
    Work *first, **last;
    unsigned queued, idle, count, limit, waiting;
    bool stopping;
    pthread_t *threads;
};

static __thread Workers *own_pool; /* of the thread, when it belongs to one */

Workers *workers_new(unsigned limit)
{
    Workers *w = calloc(1, sizeof *w);
    if (w == NULL || (w->threads = calloc(limit + WAITING_LIMIT, sizeof *w->threads)) == NULL)
        panic("out of memory");
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    w->last = &w->first;
    w->limit = limit;
    return w;
}

static Work *take_work(Workers *w)
{
    Work *work = w->first;
    if (work == NULL)
        return NULL;
    w->first = work->next;
    if (w->first == NULL)
        w->last = &w->first;
    w->queued--;
    return work;
}

static void *work_loop(void *arg)
{
    Workers *w = arg;
    own_pool = w;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        /* Those that stood in for waiting ones have nothing to do once these go on; whoever is done with its work looks again. */
        bool in_place = w->stopping || w->count - w->idle - w->waiting <= w->limit;
        Work *work = in_place ? take_work(w) : NULL;
        if (work == NULL) {
            if (w->stopping)
                break;
            w->idle++;
            pthread_cond_wait(&w->wake, &w->lock);
            w->idle--;
            continue;
        }
        pthread_mutex_unlock(&w->lock);
        work->run(work->arg);
        free(work);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static bool start_thread(Workers *w)
{
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, WORKER_STACK_BYTES);
    bool ok = pthread_create(&w->threads[w->count], &attr, work_loop, w) == 0;
    pthread_attr_destroy(&attr);
    if (ok)
        w->count++;
    return ok;
}

bool workers_submit(Workers *w, void (*run)(void *arg), void *arg)
{
    Work *work = malloc(sizeof *work);
    if (work == NULL)
        panic("out of memory");
    *work = (Work){run, arg, NULL};
    pthread_mutex_lock(&w->lock);
    bool taken = !w->stopping && w->queued < QUEUE_LIMIT;
    if (taken && w->idle <= w->queued && w->count < w->limit + w->waiting)
        taken = start_thread(w) || w->count > 0;
    if (taken) {
        *w->last = work;
        w->last = &work->next;
        w->queued++;
        pthread_cond_signal(&w->wake);
    }
    pthread_mutex_unlock(&w->lock);
    if (!taken)
        free(work);
    return taken;
}

bool workers_wait_begins(void)
{
    Workers *w = own_pool;
    if (w == NULL)
        return true;
    pthread_mutex_lock(&w->lock);
    bool may = w->waiting < WAITING_LIMIT && !w->stopping;
    if (may)
        w->waiting++;
    if (may && w->queued > w->idle && w->count < w->limit + w->waiting)
        (void)start_thread(w);
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    return may;
}

void workers_wait_ended(void)
{
    Workers *w = own_pool;
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->lock);
    w->waiting--;
    pthread_mutex_unlock(&w->lock);
}

void workers_stop(Workers *w)
{
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_broadcast(&w->wake);
    unsigned count = w->count;
    pthread_mutex_unlock(&w->lock);
    for (unsigned i = 0; i < count; i++)
        pthread_join(w->threads[i], NULL);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w->threads);
    free(w);
}
