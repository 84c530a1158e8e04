/* Deletion vectors: the set of row positions of a data file that are no longer in the table. */
#pragma once

#include "delta/snapshot.h"

typedef struct RowSet {
    const uint64_t *rows; /* any order, repeats allowed */
    size_t count;
} RowSet;

/* Reads and verifies one vector: sorted rows. */
MUST_CHECK bool deletion_vector_read(DeltaTable *t, const DeletionVector *dv, Arena *arena,
                                     uint64_t **rows, size_t *count, Error *err);
/* Writes one durable .bin file that holds all sets; out[i] describes set i. An empty set is an
 * error. */
MUST_CHECK bool deletion_vectors_write(DeltaTable *t, const RowSet *sets, size_t count,
                                       Arena *arena, DeletionVector *out, Error *err);
/* The same set kept inside the log; for tests and tiny sets. */
MUST_CHECK bool deletion_vector_inline(RowSet set, Arena *arena, DeletionVector *out, Error *err);
/* "u<path>@<offset>": tells versions of one file apart; empty for NULL. */
Str deletion_vector_id(const DeletionVector *dv, Arena *arena);
bool deletion_vector_equal(const DeletionVector *a,
                           const DeletionVector *b); /* either may be NULL */
/* Path inside the table of a 'u' vector's file. */
MUST_CHECK bool deletion_vector_path(const DeletionVector *dv, Arena *arena, Str *path, Error *err);

/* Statistics for a file that gets a vector: "tightBounds":false, everything else kept. */
Str stats_with_wide_bounds(Str stats, Arena *arena);
/* numRecords of a statistics text, -1 when absent. */
int64_t stats_num_records(Str stats);
