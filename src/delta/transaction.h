/* Making the next version: actions are gathered, checked against winners, and put if absent. */
#pragma once

#include "delta/parquet_io.h"
#include "delta/snapshot.h"

typedef struct Transaction Transaction;

/* Starts on a snapshot; NULL snapshot: the table does not exist yet and this creates version 0. */
Transaction *transaction_begin(DeltaTable *t, Snapshot *read, Arena *arena);
/* Releases what it holds; a transaction that was not committed leaves no log file. */
void transaction_end(Transaction *x);

DeltaTable *transaction_table(const Transaction *x);
/* What the table's metadata is after it, unless another writer changes it. */
const Metadata *transaction_metadata(const Transaction *x);
void transaction_set_metadata(Transaction *x, const Metadata *m);
void transaction_set_protocol(Transaction *x, const Protocol *p);
/* Makes sure a table feature is in the protocol (upgrading reader/writer versions by the rules of
 * PROTOCOL.md). */
MUST_CHECK bool transaction_enable_feature(Transaction *x, const char *feature, Error *err);
/* Takes a feature out of the protocol; nobody may use it again before the commit. protect: readers
 * that do not know it must not need older versions, and checkpoints up to this one stay. */
MUST_CHECK bool transaction_drop_feature(Transaction *x, const char *feature, bool protect,
                                         Error *err);
void transaction_add(Transaction *x, const AddFile *f);
/* The files it adds, as they were given. */
const AddFile *transaction_adds(const Transaction *x, size_t *count);
void transaction_remove(Transaction *x, const AddFile *f,
                        bool data_change); /* of the read snapshot */
/* Tombstones of the files of deletion vectors that removed files of the read snapshot had: VACUUM of
 * who knows no vectors leaves them. */
MUST_CHECK bool transaction_vector_tombstones(Transaction *x, Error *err);
void transaction_cdc(Transaction *x, const CdcFile *f);
void transaction_txn(Transaction *x, Str app_id, int64_t version);
/* The files it adds are those of the read snapshot, which get ids for their rows: what a winner has
 * changed of them is left to the winner. */
void transaction_backfill(Transaction *x);
void transaction_domain(Transaction *x, const DomainMetadata *d);

/* What this transaction read, for the conflict rules. */
void transaction_read_whole_table(Transaction *x);
void transaction_read_predicate(Transaction *x, const BoundExprVec *conjuncts,
                                const ScanColumn *columns, size_t column_count);
/* The whole partition of these values. */
void transaction_read_partition(Transaction *x, const PropertyVec *values);
void transaction_read_files(Transaction *x, const FileList *files);

typedef struct CommitRequest {
    Str operation;          /* "WRITE", "MERGE", "CREATE TABLE", ... */
    PropertyVec parameters; /* values are JSON text */
    PropertyVec metrics;
    Str user_metadata;
    PropertyVec tags;
    bool blind_append;
    bool keeps_rows; /* what it writes again are the rows it removes: they keep their ids */
    enum {
        ISOLATION_DEFAULT,
        ISOLATION_SERIALIZABLE,
        ISOLATION_WRITE_SERIALIZABLE,
        ISOLATION_SNAPSHOT
    } isolation;
} CommitRequest;

/* Checks invariants of the actions, writes the next free version, retries past winners that do not
 * conflict (bounded), then writes a checkpoint when one is due. Errors: DELTA_CONCURRENT_APPEND,
 * DELTA_CONCURRENT_DELETE_READ, DELTA_CONCURRENT_DELETE_DELETE, DELTA_CONCURRENT_TRANSACTION,
 * DELTA_METADATA_CHANGED, DELTA_PROTOCOL_CHANGED, DELTA_CONCURRENT_WRITE. */
MUST_CHECK bool transaction_commit(Transaction *x, const CommitRequest *request, int64_t *version,
                                   Error *err);
