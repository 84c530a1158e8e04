/* A store that fails at the k-th operation: before doing it, after doing it, or half-way. */
#pragma once

#include "store/store_impl.h"

typedef enum FaultMode { FAULT_BEFORE, FAULT_AFTER, FAULT_HALF, FAULT_MODES } FaultMode;

typedef struct FaultStore {
    Store base;
    Store *real;
    int fail_at; /* counts down with each operation; the one that reaches 0 fails, and every later
                    one */
    FaultMode mode;
    int operations; /* seen so far */
} FaultStore;

/* Over an open store; fail_at 0: never. */
void fault_store_init(FaultStore *f, Store *real, int fail_at, FaultMode mode);
