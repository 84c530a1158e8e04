/* The change data feed: which files hold the changes of a range of versions. */
#pragma once

#include "delta/snapshot.h"

typedef enum ChangeKind {
    CHANGE_CDC,    /* the file has its own _change_type column */
    CHANGE_INSERT, /* every row given is an insert */
    CHANGE_DELETE
} ChangeKind;

typedef enum ChangeRows { CHANGE_ALL_ROWS, CHANGE_ONLY_ROWS, CHANGE_EXCEPT_ROWS } ChangeRows;

typedef struct ChangeFile {
    ChangeKind kind;
    Str path;                     /* as in the log */
    PropertyVec partition_values; /* by physical name */
    int64_t size;                 /* -1 when unknown */
    int64_t version;              /* _commit_version */
    int64_t timestamp_ms;         /* _commit_timestamp */
    ChangeRows which;
    uint64_t *rows; /* sorted positions for ONLY and EXCEPT */
    size_t row_count;
} ChangeFile;

/* What BREL_SCAN_DELTA's `changes` points to. */
typedef struct ChangeFeed {
    Snapshot *snapshot;    /* gives the schema; held by the caller */
    int64_t start, end;    /* versions, both included */
    VEC(ChangeFile) files; /* in order of version */
} ChangeFeed;

/* end -1: the newest. Errors: DELTA_INVALID_CDC_RANGE, DELTA_CDC_START_VERSION_AFTER_LATEST (unless
 * lenient, which gives no files), DELTA_MISSING_CHANGE_DATA for a version where the feed was off,
 * DELTA_LOG_FILE_NOT_FOUND-like for lost commits. */
MUST_CHECK bool changes_between(Snapshot *newest, int64_t start, int64_t end, bool lenient,
                                Arena *arena, ChangeFeed *out, Error *err);

/* A feed that begins with a whole version: its rows as if that version had inserted them. */
MUST_CHECK bool changes_of_snapshot(Snapshot *newest, Snapshot *whole, Arena *arena,
                                    ChangeFeed *out, Error *err);

/* The version a timestamp of a change feed's range stands for: at or after it (start), at or before
 * it (end). Past the last commit: start gives last + 1, end gives the last. */
MUST_CHECK bool version_at_or_after(DeltaTable *t, int64_t us, int64_t *version, Error *err);
MUST_CHECK bool version_at_or_before(DeltaTable *t, int64_t us, int64_t *version, Error *err);
