/* A bounded pool of threads with large stacks; work waits in a queue when all are busy. */
#pragma once

#include <stdbool.h>

typedef struct Workers Workers;

enum { WORKER_STACK_BYTES = 16 << 20 };

/* Threads are started when work first needs them, up to `limit`. */
Workers *workers_new(unsigned limit);
/* False when the pool is stopping or too much work waits already: the work was not taken. */
bool workers_submit(Workers *w, void (*run)(void *arg), void *arg);
/* Around a wait for other work: meanwhile another thread may take the place of the one that calls. False: too many wait already; a
 * thread of no pool may always wait. */
bool workers_wait_begins(void);
void workers_wait_ended(void);
/* Takes no more work, runs what is queued, joins every thread, frees the pool. */
void workers_stop(Workers *w);
