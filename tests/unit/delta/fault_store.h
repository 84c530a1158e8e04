/* A store that fails at the k-th operation: before doing it, after doing it, or half-way, once or from
 * then on; or lets somebody else go first. */
#pragma once

#include "store/store_impl.h"

typedef enum FaultMode {
    FAULT_BEFORE,
    FAULT_AFTER,
    FAULT_HALF,
    FAULT_MODES,                /* those above stay down, as a process that is killed there does */
    FAULT_ONCE = FAULT_MODES,   /* a passing failure */
    FAULT_LOST_ONCE,            /* done, but the answer is lost */
    FAULT_DELAY,                /* `meanwhile` runs first */
    FAULT_ALL_MODES,
    FAULT_STEP                  /* nothing fails; `meanwhile` runs before every operation */
} FaultMode;

typedef struct FaultStore {
    Store base;
    Store *real;
    int fail_at; /* counts down with each operation; the one that reaches 0 fails, and every later
                    one */
    FaultMode mode;
    int operations; /* seen so far */
    void (*meanwhile)(void *arg);
    void *arg;
} FaultStore;

/* Over an open store; fail_at 0: never. */
void fault_store_init(FaultStore *f, Store *real, int fail_at, FaultMode mode);
