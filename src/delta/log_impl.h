/* The files of _delta_log: names, listings, and which of them make up one version. */
#pragma once

#include "delta/actions.h"
#include "store/store.h"

#define LOG_FOLDER "_delta_log"
enum { LOG_FILE_MAX_BYTES = 1 << 30, LOG_HINT_MAX_BYTES = 16 << 20, LOG_PIECE_BYTES = 1 << 20 };

typedef struct LogCommit {
    int64_t version;
    Str path; /* below the table */
    int64_t size, modified_ms;
} LogCommit;
typedef VEC(LogCommit) LogCommitVec;

/* In order of preference at one version, as Spark has it: the last wins. */
typedef enum CheckpointForm {
    CHECKPOINT_CLASSIC,
    CHECKPOINT_MULTIPART,
    CHECKPOINT_UUID_PARQUET,
    CHECKPOINT_UUID_JSON
} CheckpointForm;

typedef struct LogCheckpoint {
    int64_t version;
    CheckpointForm form;
    DeltaStrVec paths; /* below the table; all parts */
    int64_t modified_ms;
} LogCheckpoint;
typedef VEC(LogCheckpoint) LogCheckpointVec;

/* The actions of the commits first to last, reconciled (PROTOCOL.md "Log Compaction Files"). */
typedef struct LogCompaction {
    int64_t first, last;
    Str path; /* below the table */
} LogCompaction;
typedef VEC(LogCompaction) LogCompactionVec;

/* What a folder listing found. */
typedef struct LogListing {
    LogCommitVec commits;         /* ascending, perhaps with gaps */
    LogCheckpointVec checkpoints; /* complete ones, ascending */
    LogCompactionVec compactions; /* ascending by their first commit */
    DeltaStrVec others;           /* checksum and compaction files, with their paths */
    bool any;                     /* a commit or a checkpoint file, complete or not */
} LogListing;

/* The files that make up one version: a checkpoint, or none, and every commit after it. */
typedef struct LogSegment {
    int64_t version;
    bool has_checkpoint;
    LogCheckpoint checkpoint;
    LogCommitVec commits;
    LogCompactionVec compactions; /* may stand for runs of these commits */
    int64_t modified_ms; /* of the last commit file; the checkpoint's when there is none */
    int64_t size;        /* of the last commit file; -1 when there is none */
} LogSegment;

/* "42": for error parameters. */
Str number_text(int64_t n, Arena *arena);

Str log_commit_path(int64_t version, Arena *arena);
/* -1 when the name is no commit's. */
int64_t log_commit_version(Str name);

MUST_CHECK bool log_list(Store *s, int64_t from_version, Arena *arena, LogListing *out, Error *err);
/* version -1: the newest. Checkpoints newer than max_checkpoint are left aside. *exists false:
 * there is no log. */
MUST_CHECK bool log_segment(Store *s, int64_t version, int64_t max_checkpoint, Arena *arena,
                            LogSegment *out, bool *exists, Error *err);
/* The whole lines of a file of that size that begin at the offset: as many as fit LOG_PIECE_BYTES, or one. */
MUST_CHECK bool log_read_piece(Store *s, Str path, int64_t size, int64_t offset, Arena *arena,
                               bool *found, Str *out, Error *err);
/* The first version that can be rebuilt, and the newest commit. */
MUST_CHECK bool log_range(Store *s, Arena *arena, int64_t *earliest, int64_t *latest, Error *err);

/* DELTA_VERSION_NOT_FOUND with the versions there are; always false. */
bool log_fail_version(Store *s, int64_t version, Arena *arena, Error *err);

/* _last_checkpoint: -1 when absent or unreadable; it is only a hint. */
MUST_CHECK bool log_read_hint(Store *s, int64_t *version, Error *err);
/* The checksum of _last_checkpoint: MD5 over canonical JSON; "" when the text is not JSON. */
Str log_json_checksum(Str json, Arena *arena);
