/* One version of a Delta table: immutable once opened, shared by reference, refreshed by reading
 * only the new log files. */
#pragma once

#include "delta/actions.h"
#include "plan/bound.h"
#include "store/store.h"

typedef struct Snapshot Snapshot;
typedef struct DeltaTable DeltaTable;

/* A table by location: keeps the newest snapshot seen and serialises refreshes. Safe for many
 * threads. */
MUST_CHECK bool delta_table_open(Str location, DeltaTable **out, Error *err);
void delta_table_ref(DeltaTable *t);
void delta_table_unref(DeltaTable *t);
Str delta_table_location(const DeltaTable *t);
Store *delta_table_store(DeltaTable *t);
/* Whether a Delta log exists at the location. */
MUST_CHECK bool delta_table_exists(DeltaTable *t, bool *exists, Error *err);

/* The newest version: lists and reads only what is new. DELTA_TABLE_NOT_FOUND-like error when there
 * is no log. An unknown reader feature is refused with DELTA_UNSUPPORTED_FEATURES_FOR_READ naming
 * it. */
MUST_CHECK bool snapshot_newest(DeltaTable *t, Snapshot **out, Error *err);
MUST_CHECK bool snapshot_at_version(DeltaTable *t, int64_t version, Snapshot **out, Error *err);
/* The last version whose commit timestamp is <= the instant; Spark's errors before the first and
 * after the last. */
MUST_CHECK bool snapshot_at_timestamp(DeltaTable *t, int64_t us, Snapshot **out, Error *err);
/* The same files read under another schema, which a statement is about to commit: columns that the
 * files lack are NULL. */
MUST_CHECK bool snapshot_with_metadata(const Snapshot *s, const Metadata *m, Snapshot **out,
                                       Error *err);
void snapshot_ref(Snapshot *s);
void snapshot_unref(Snapshot *s);

int64_t snapshot_version(const Snapshot *s);
int64_t snapshot_timestamp_ms(const Snapshot *s);
const Metadata *snapshot_metadata(const Snapshot *s);
const Protocol *snapshot_protocol(const Snapshot *s);
/* Logical schema: what queries see (metadata per field as in the log). */
const Type *snapshot_schema(const Snapshot *s);
DeltaTable *snapshot_table(const Snapshot *s);
Str snapshot_property(const Snapshot *s, const char *key); /* empty when unset */
bool snapshot_property_bool(const Snapshot *s, const char *key, bool otherwise);
bool snapshot_has_feature(const Snapshot *s,
                          const char *feature); /* by name, also when implied by versions */
size_t snapshot_file_count(const Snapshot *s);
int64_t snapshot_size_in_bytes(const Snapshot *s);
/* Whole-text metadata of a domain; empty when there is none. */
Str snapshot_domain(const Snapshot *s, Str domain);
typedef VEC(DomainMetadata) DomainMetadataVec;
void snapshot_domains(const Snapshot *s, Arena *arena, DomainMetadataVec *out);
/* DELTA_UNSUPPORTED_FEATURES_FOR_WRITE when we could not keep a rule that writers of this table
 * must keep. */
MUST_CHECK bool snapshot_check_writable(const Snapshot *s, Error *err);
/* -1 when the app id was never seen. */
int64_t snapshot_txn_version(const Snapshot *s, Str app_id);
/* Rows according to numRecords minus deletion vectors; -1 when any file lacks statistics. */
int64_t snapshot_row_count(const Snapshot *s);

/* All files, in no order; borrowed from the snapshot. */
typedef VEC(const AddFile *) FileList;
void snapshot_files(Snapshot *s, Arena *arena, FileList *out);
/* Files of this snapshot that may hold rows satisfying every conjunct: by partition values and
 * statistics. columns[i] says which field of the table schema a column id stands for. */
typedef struct ScanColumn {
    ColumnId id;
    size_t field;
} ScanColumn;
MUST_CHECK bool snapshot_scan(Snapshot *s, const BoundExprVec *conjuncts, const ScanColumn *columns,
                              size_t column_count, Str session_zone, Arena *arena, FileList *out,
                              Error *err);
/* The share of rows, 0 to 1, that the conjuncts may keep of these files; a guess for planners. */
double snapshot_selectivity(Snapshot *s, const BoundExprVec *conjuncts, const ScanColumn *columns,
                            size_t column_count, const FileList *files, double rows,
                            Str session_zone);

/* Row positions deleted in a file: sorted; count 0 when the file has no vector. Checksum and
 * cardinality are verified. */
MUST_CHECK bool deletion_vector_rows(Snapshot *s, const AddFile *file, Arena *arena,
                                     uint64_t **rows, size_t *count, Error *err);

/* One commit's actions in full, for change feeds, history, conflict checks. */
typedef struct CommitActions {
    int64_t version;
    int64_t
        timestamp_ms; /* in-commit timestamp where enabled, else the file's time made monotonic */
    CommitInfo *info; /* NULL when absent */
    Metadata *metadata;
    Protocol *protocol;
    VEC(AddFile) adds;
    VEC(RemoveFile) removes;
    VEC(CdcFile) cdcs;
    VEC(TxnAction) txns;
    VEC(DomainMetadata) domains;
} CommitActions;
MUST_CHECK bool delta_read_commit(DeltaTable *t, int64_t version, Arena *arena, CommitActions *out,
                                  Error *err);
/* Newest first; limit 0 = all that the log still has. */
typedef VEC(CommitActions) CommitActionsVec;
MUST_CHECK bool delta_history(DeltaTable *t, int64_t limit, Arena *arena, CommitActionsVec *out,
                              Error *err);
MUST_CHECK bool delta_earliest_version(DeltaTable *t, int64_t *version, Error *err);
