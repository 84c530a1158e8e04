/* What a transaction gathered; shared by the commit loop and the conflict rules. */
#pragma once

#include "delta/snapshot_impl.h"
#include "delta/transaction.h"

typedef struct ReadPredicate {
    const BoundExprVec *conjuncts;
    const ScanColumn *columns;
    size_t column_count;
} ReadPredicate;

struct Transaction {
    DeltaTable *table;  /* one handle */
    Snapshot *read;     /* one reference; NULL when the table is being created */
    Arena *arena;       /* the caller's */
    Metadata *metadata; /* NULL: unchanged */
    Protocol protocol;  /* what the commit will leave: read, raised, or a winner's */
    bool protocol_changed;
    VEC(AddFile) adds;
    VEC(RemoveFile) removes;
    VEC(CdcFile) cdcs;
    VEC(TxnAction) txns;
    VEC(DomainMetadata) domains;
    bool read_whole;
    VEC(ReadPredicate) predicates;
    VEC(PropertyVec) read_partitions;
    VEC(const AddFile *) read_files;

    /* moved forward by the winners the commit was rebased on */
    int64_t previous_timestamp_ms; /* of the version before: in-commit timestamps grow */
    int64_t row_id_high;           /* delta.rowTracking high water mark; -1: none yet */
    const char *dropped_feature;   /* NULL: none */
    bool protects_checkpoints;     /* the metadata says before which version */
    bool is_backfill;              /* gives row ids to files that have none */
    bool row_ids_lost;             /* tracking was enabled after the rows were read */
    bool row_id_raised;            /* by what the caller knows of ids: the commit says so */
    const Metadata
        *winner_metadata; /* a winner's harmless change of properties; NULL: the read one holds */
};

typedef enum IsolationLevel {
    LEVEL_SERIALIZABLE,
    LEVEL_WRITE_SERIALIZABLE,
    LEVEL_SNAPSHOT
} IsolationLevel;
const char *isolation_level_name(IsolationLevel level);

/* Checks one winning commit against the transaction and, when there is no conflict, moves the
 * transaction past it. */
MUST_CHECK bool conflict_check(Transaction *x, const CommitActions *winner, IsolationLevel level,
                               Error *err);

/* A path of the log under which adds and removes meet: decoded, without a scheme. */
bool transaction_reads_anything(const Transaction *x);
