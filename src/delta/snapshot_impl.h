/* What a table and a snapshot are made of; for the files of delta/ only (and tests that bring their
 * own store). */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "delta/file_set_impl.h"
#include "delta/log_impl.h"
#include "delta/snapshot.h"

/* Everything but files: changed by few commits, so shared by the snapshots between. Immutable once
 * published. */
typedef struct TableState {
    atomic_int refs;
    Arena *arena;
    bool has_metadata, has_protocol;
    Metadata metadata;
    const Type *physical;
    Protocol protocol;
    Map txns;    /* app id -> TxnAction */
    Map domains; /* domain -> DomainMetadata, removed ones left out */
} TableState;

TableState *table_state_new(void);
TableState *table_state_copy(const TableState *s);
void table_state_ref(TableState *s);
void table_state_unref(TableState *s);

struct DeltaTable {
    Arena *arena;
    Str location;
    Store *store;
    pthread_mutex_t lock;       /* guards newest and serialises refreshes */
    Snapshot *newest;           /* the newest version seen, NULL before the first read */
    atomic_flag checkpointing;  /* one writer of checkpoints at a time is enough */
    pthread_mutex_t count_lock; /* guards the two counts; taken last */
    int handles;   /* references outside; the cached snapshot lives while there is one */
    int snapshots; /* snapshots in memory: each keeps the table */
};

struct Snapshot {
    atomic_int refs;
    DeltaTable *table;
    int64_t version;
    int64_t modified_ms; /* of the version's commit file, with its size: tells a table made anew */
    int64_t commit_size;
    int64_t timestamp_ms;
    TableState *state;
    FileSet *files;
    _Atomic int64_t row_count; /* INT64_MIN until asked for */
};

void table_count_snapshot(DeltaTable *t);
/* A table on a store that the caller opened in table memory of its own: tests. */
MUST_CHECK bool delta_table_open_on(Store *store, DeltaTable **out, Error *err);

/* ---- replay ---- */

/* Applies actions in order of the log to a state and a set of files. */
typedef struct Replay {
    TableState *state; /* NULL while nothing changed it: then `before` holds */
    const TableState *before;
    FileSet *files;
    LogText *text;
    bool copies; /* what is visited goes away: files are copied into text */
    CommitInfo info; /* of the last commit that had one, when asked for */
    bool has_info;
} Replay;

bool replay_visit(void *replay, const Action *action, Error *err);
/* The actions a snapshot is made of. */
#define REPLAY_ACTIONS                                                                             \
    (ACTIONS_OF(ACTION_ADD) | ACTIONS_OF(ACTION_REMOVE) | ACTIONS_OF(ACTION_METADATA) |            \
     ACTIONS_OF(ACTION_PROTOCOL) | ACTIONS_OF(ACTION_TXN) | ACTIONS_OF(ACTION_DOMAIN))

/* Reads one version from the log; *exists false when there is no log. version -1: the newest. */
MUST_CHECK bool snapshot_load(DeltaTable *t, int64_t version, Snapshot **out, bool *exists,
                              Error *err);
/* The snapshot with every newer commit applied; the same one (a new reference) when there is none.
 * *lost: the log is not the one the snapshot came from, load anew. */
MUST_CHECK bool snapshot_refresh(Snapshot *s, Snapshot **out, bool *lost, Error *err);

/* Calls visit for every action of a checkpoint: adds, and what is not a file. */
MUST_CHECK bool checkpoint_read(DeltaTable *t, const LogCheckpoint *c, Replay *replay, Error *err);
/* Tombstones of the log up to the snapshot's version that were made at or after the instant. */
typedef bool (*TombstoneVisit)(void *arg, const RemoveFile *f, Error *err);
MUST_CHECK bool tombstones_read(Snapshot *s, int64_t since_ms, TombstoneVisit visit, void *arg,
                                Error *err);

bool snapshot_has_commit_timestamps(const Snapshot *s);
/* In-commit timestamp of a version from its commit file; -1 when it has none. */
MUST_CHECK bool commit_in_commit_timestamp(DeltaTable *t, int64_t version, int64_t *ms, Error *err);
