/* Whose turn it is to rewrite rows of a table. */
#pragma once

#include "engine/engine.h"

/* Who has waited so long goes on without: Delta's conflict rules still hold. */
#define TURN_WAIT_MS INT64_C(600000)

typedef struct TurnQueue TurnQueue;

typedef struct Turn {
    bool wanted;      /* by the command that runs: taken before it looks at the table */
    int64_t wait_ms;  /* 0: TURN_WAIT_MS */
    TurnQueue *queue; /* NULL: not taken */
} Turn;

/* Waits, first come first served; a second call keeps what was taken. OPERATION_CANCELED when the flag goes up meanwhile. */
MUST_CHECK bool turn_take(Turn *t, Str table, const Cancel *cancel, Error *err);
void turn_give(Turn *t);
