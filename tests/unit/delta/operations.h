/* The operations that conflicts.def has a row for, on a table of two partitions d = 1 (file p1) and d = 2 (p2). */
#pragma once

#include "kit.h"

enum { LEVELS = 3, OPERATIONS = 21 };

typedef struct Operation {
    const char *name;
    void (*perform)(Kit *k, Transaction *x, Snapshot *s); /* fills x, which began at s */
    /* By level (WriteSerializable, Serializable, SnapshotIsolation) a letter a winner, in the order of the rows:
     * . both commit, a ConcurrentAppend, r ConcurrentDeleteRead, d ConcurrentDeleteDelete, m MetadataChanged,
     * p ProtocolChanged, t ConcurrentTransaction. */
    const char *against[LEVELS];
} Operation;

extern const Operation operations[OPERATIONS];

/* Opens the kit with the table. */
void operations_prepare(Kit *k);
/* The letter of a refusal; '?' for any other error. */
char operation_letter(const Error *err);
