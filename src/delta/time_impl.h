/* The instants of a table's commits: in-commit timestamps where they are enabled, file times made
 * monotonic elsewhere. */
#pragma once

#include "delta/changes.h"
#include "delta/snapshot_impl.h"

typedef struct CommitTime {
    int64_t version, ms;
    bool known; /* the in-commit timestamp was read */
} CommitTime;

typedef struct CommitTimes {
    DeltaTable *table;
    int64_t in_commit_from; /* commits from here on carry their own timestamp */
    VEC(CommitTime) times;  /* ascending */
} CommitTimes;

MUST_CHECK bool commit_times_list(DeltaTable *t, Arena *arena, CommitTimes *out, Error *err);
MUST_CHECK bool commit_time_at(CommitTimes *times, size_t i, int64_t *ms, Error *err);
/* How many commits are at or before the instant. */
MUST_CHECK bool commit_times_find(CommitTimes *times, int64_t us, size_t *count, Error *err);

/* DELTA_LOG_FILE_NOT_FOUND naming the commit file; always false. */
bool commit_fail_missing(DeltaTable *t, int64_t version, Error *err);
/* The wanted actions of one commit, without its timestamp; *found false when there is no such file.
 */
MUST_CHECK bool commit_read(DeltaTable *t, int64_t version, ActionSet wanted, Arena *arena,
                            CommitActions *out, bool *found, Error *err);
