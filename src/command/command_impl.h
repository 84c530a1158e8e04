/* What the files of this folder share: targets of change, rows on their way into a table, results. */
#pragma once

#include "base/clock.h"
#include "command/command.h"
#include "delta/delta.h"

/* ---- result.c ---- */

typedef struct ResultTable {
    VEC(Field) fields;
    RowVec rows;
} ResultTable;

void result_field(CommandContext *ctx, ResultTable *t, const char *name, const Type *type, bool nullable);
Value *result_row(CommandContext *ctx, ResultTable *t); /* cells to fill, all NULL of their types */
void result_set_text(Value *cell, Str text);            /* empty text stays text */
void result_set_int(Value *cell, int64_t v);
BoundRel *result_rel(CommandContext *ctx, const ResultTable *t);
BoundRel *result_none(CommandContext *ctx);             /* no columns, no rows */
/* {"num_affected_rows": n, ...} as one row of longs. */
BoundRel *result_counts(CommandContext *ctx, size_t count, const char *const *names, const int64_t *values); /* NULL: no row */

/* ---- target.c ---- */

/* A Delta table about to be changed. */
typedef struct Target {
    ResolvedTable resolved;
    DeltaTable *table;
    Snapshot *snapshot;         /* the version the change is based on */
    Name qualifier;             /* how its columns may be qualified */
    Str name;                   /* for messages */
} Target;

/* The table's name, IDENTIFIER(..) evaluated. */
/* variable.c: x, session.x or system.session.x, as SET's key is written. */
bool variable_is_known(CommandContext *ctx, Str key);
bool command_name(CommandContext *ctx, const Command *c, Name *out, Error *err);
/* catalog, schema and last part of a name that need not exist. */
bool command_object_name(CommandContext *ctx, const Name *name, Str *catalog, Str *schema, Str *object, Error *err);
/* Views and other formats are refused; the newest snapshot is opened and held until the arena is freed. */
bool target_open(CommandContext *ctx, const Name *name, Origin origin, Target *out, Error *err);
/* UNSUPPORTED_FEATURE.TABLE_OPERATION for a table of plain files, whose rows cannot be changed. */
bool refuse_file_table(CommandContext *ctx, const Name *name, Origin origin, const char *operation, Error *err);
bool target_at_location(CommandContext *ctx, Str location, Target *out, Error *err);
/* The table of a location, held until the command is over; no snapshot yet: there may be no log. */
bool target_table(CommandContext *ctx, Str location, Target *out, Error *err);
bool target_refresh(CommandContext *ctx, Target *t, Error *err);
/* Until the command is over no other statement of this process rewrites rows of the table. */
bool target_take_turn(CommandContext *ctx, const Target *t, Error *err);
/* The target as a relation, with hidden _file and _row columns when asked. */
bool target_scan(CommandContext *ctx, const Target *t, const Name *qualifier, bool with_positions, BoundRel **out, Error *err);
bool is_delta(const ResolvedTable *t);
/* Rows keep their ids when they are written again (PROTOCOL.md "Row Tracking"). */
bool target_tracks_rows(const Target *t);

/* alter_table.c: new columns; in a mapped table those without an id and a physical name get them. */
void metadata_set_schema(CommandContext *ctx, Metadata *m, const Type *schema);

/* alter_table.c: what a column keeps of its metadata when it becomes one of another table. */
Str field_metadata_of_its_own(Str metadata, Arena *arena);

/* ---- align.c: rows of a query become rows of the table ---- */

typedef struct AlignOptions {
    bool by_name;               /* otherwise by position */
    const StrVec *columns;      /* INSERT INTO t (a, b): what the positions mean; NULL: all */
    bool fill_missing;          /* absent columns get default, generated value or NULL */
    bool *given;                /* out, may be NULL: by field, whether the rows bring a value */
    bool plain_files;           /* not a Delta table: ANSI store assignment, where Delta takes whatever CAST accepts */
} AlignOptions;

/* The column's value when a row does not give one: its default, else NULL. */
bool column_default(CommandContext *ctx, const Field *f, BoundExpr **out, Error *err);
/* One column per field of the schema, cast for storing; missing ones filled; generated ones computed or checked. */
bool align_rows(CommandContext *ctx, const Metadata *m, Str table, BoundRel *input, const AlignOptions *options, BoundRel **out,
                Error *err);
/* The column of which an assignment's target is a field at some depth, or the column itself; NULL: neither. */
const BoundExpr *assigned_column(const BoundExpr *target);
/* `base`, a value of that column, with the target's field replaced; a NULL struct becomes one of NULLs. */
BoundExpr *replace_field(CommandContext *ctx, const BoundExpr *target, BoundExpr *base, BoundExpr *value);
/* As store_value; of a struct, fields that the value's type lacks at any depth stay what they are in `old`. */
bool store_over(CommandContext *ctx, const Field *f, Str table, BoundExpr *old, BoundExpr *value, BoundExpr **out, Error *err);
/* One value stored into one field: cast, length-checked. */
bool store_value(CommandContext *ctx, const Field *f, Str table, BoundExpr *value, BoundExpr **out, Error *err);
/* rows' columns from `first` on are the table's; generated ones are replaced by their value unless given[i] holds (a
 * boolean over rows' columns; NULL: never given). */
bool generate_columns(CommandContext *ctx, const Metadata *m, BoundRel *rows, size_t first, BoundExpr *const *given, BoundRel **out,
                      Error *err);

/* ---- identity.c: columns whose numbers the table gives ---- */

bool has_identity(const Type *schema);
/* DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED and _UPDATE_NOT_SUPPORTED. */
bool check_identity_given(const Field *f, Error *err);
bool check_identity_kept(const Field *f, Error *err);
/* The number of a row: counted over all rows, or over those for which `needs` holds. */
bool identity_value(CommandContext *ctx, const Field *f, BoundExpr *needs, BoundExpr **out, Error *err);
/* The metadata once `rows` more have their numbers, in columns that were not given; NULL when nothing changes. */
bool identity_advance(CommandContext *ctx, const Metadata *m, const bool *given, int64_t rows, Metadata **out, Error *err);
/* Numbers that were given once stay given when an older version comes back. */
void identity_keep_highest(CommandContext *ctx, const Type *now, Metadata *m);

/* ---- cluster.c ---- */

/* What the log says of a table that is clustered by these columns (none: no longer). */
bool clustering_domain(CommandContext *ctx, const Metadata *m, const StrVec *columns, DomainMetadata *out, Error *err);
Str clustering_json(CommandContext *ctx, const StrVec *columns);

/* ---- constraint.c ---- */

/* NOT NULL, CHECK, invariants and generated columns that were given: a row that breaks one raises Delta's error. */
bool enforce_constraints(CommandContext *ctx, const Metadata *m, BoundRel *rows, size_t first_column, BoundRel **out, Error *err);

/* ---- files.c: rows become data files of a table ---- */

typedef VEC(AddFile) AddFileVec;
typedef VEC(CdcFile) CdcFileVec;

/* rows: the table's columns in order. Paths in the result are as the log spells them. */
bool write_data_files(CommandContext *ctx, DeltaTable *table, const Metadata *m, BoundRel *rows, bool data_change, AddFileVec *out, int64_t *row_count,
                      Error *err);
/* What one write says of its files; what it leaves open is the table's or the session's. */
typedef struct FileChoices {
    size_t file_count;          /* as the query asked; 0: by size */
    Str codec;                  /* empty: not said */
    int64_t max_records;        /* rows of a file; 0: any number; -1: not said */
    Str optimize;               /* "true", "false"; empty: not said */
} FileChoices;
/* The same as the write asks for it. */
bool write_files_asked(CommandContext *ctx, DeltaTable *table, const Metadata *m, BoundRel *rows, bool data_change, const FileChoices *asked,
                       AddFileVec *out, int64_t *row_count, Error *err);
/* Rows that were in the table before and may not lose their ids: behind the columns, where the table tracks its rows, come the id and the
 * version of each; NULL: as of a new row. */
bool write_rewritten_files(CommandContext *ctx, const Target *t, BoundRel *rows, bool data_change, AddFileVec *out, int64_t *row_count, Error *err);
/* The same for rows that do not change, in files of about so many bytes. */
bool write_packed_files(CommandContext *ctx, const Target *t, BoundRel *rows, int64_t file_bytes, AddFileVec *out, Error *err);
/* The same for a table whose columns are called otherwise in its files from now on. */
bool write_remapped_files(CommandContext *ctx, const Target *t, const Metadata *m, BoundRel *rows, AddFileVec *out, int64_t *row_count, Error *err);
/* A table property that is a whole number. */
int64_t property_number(const Metadata *m, const char *key, int64_t otherwise);
/* repartition(n) or coalesce(1) right before a write; 0: nothing was asked. */
size_t asked_files(const Rel *query);
/* The same for plain Parquet files: what the options of spec and the session say. */
bool choose_plain_files(CommandContext *ctx, WriteSpec *spec, Error *err);
/* CODEC_NOT_AVAILABLE: no codec of Parquet files. */
bool check_codec(Str name, Error *err);
/* What the options of a writer say of its files: compression, maxRecordsPerFile, optimizeWrite. */
bool file_choices(const KeyValueVec *options, FileChoices *out, Error *err);
/* rows: the table's columns, then _change_type. */
bool write_change_files(CommandContext *ctx, DeltaTable *table, const Metadata *m, BoundRel *rows, CdcFileVec *out, Error *err);
/* A commit that failed on the disk or on the way to it may exist all the same: its files must stay. */
bool commit_may_stand(const Error *err);
/* Written but not committed: deleted again. */
void discard_files(DeltaTable *table, const AddFileVec *files);

/* ---- foreign_files.c: Parquet files that no log names yet ---- */

typedef struct ForeignFiles {
    Str folder;             /* absolute */
    const Type *partitions; /* a struct of the partition columns */
    bool with_statistics, absolute;
    const Type *schema;     /* out: data columns, then partition columns */
    AddFileVec files;       /* out */
} ForeignFiles;

/* Errors: DELTA_EMPTY_DIRECTORY, DELTA_UNEXPECTED_(NUM_)PARTITION_COLUMN(S)_FROM_FILE_NAME, DELTA_FAILED_CAST_PARTITION_VALUE. */
bool find_foreign_files(CommandContext *ctx, ForeignFiles *request, Error *err);
Metadata *foreign_metadata(CommandContext *ctx, const ForeignFiles *request);

/* ---- manifest.c ---- */

/* Lists of the snapshot's files below _symlink_format_manifest, those of partitions that are gone removed. */
bool write_manifests(CommandContext *ctx, DeltaTable *table, Snapshot *snapshot, Error *err);
/* After a commit: only where delta.compatibility.symlinkFormatManifest.enabled asks for them. */
bool update_manifests(CommandContext *ctx, const Transaction *x, Error *err);

/* cluster.c: whether columns of a type have bounds that skip files. */
bool type_has_bounds(const Type *t);

/* ---- commit.c ---- */

/* ---- idempotence.c ---- */

/* Which transaction of which application a statement is: txnAppId and txnVersion. */
typedef struct TxnMark {
    bool is_set;
    bool from_session;
    Str app_id;
    int64_t version;
} TxnMark;

/* From a writer's options; unset where there are none. */
bool txn_mark_of_options(const KeyValueVec *options, TxnMark *out, Error *err);
/* A mark that is not set yet is what the session's settings say. */
bool txn_mark_of_session(CommandContext *ctx, TxnMark *mark, Error *err);
/* Whether the table has it already: the statement then changes nothing. */
bool txn_mark_is_done(CommandContext *ctx, const TxnMark *mark, const Snapshot *s);
void txn_mark_put(CommandContext *ctx, const TxnMark *mark, Transaction *x);

typedef struct CommitNote {
    Str operation;
    Str user_metadata;         /* empty: the session's */
    PropertyVec parameters, metrics, tags;
    int64_t started_us;
    bool blind_append;
    bool keeps_rows;           /* UPDATE, MERGE, OPTIMIZE and kin: rows that stay keep their ids */
    int isolation;
    TxnMark txn;
} CommitNote;

void note_parameter(CommandContext *ctx, CommitNote *n, const char *key, Str json); /* JSON text */
void note_parameter_text(CommandContext *ctx, CommitNote *n, const char *key, Str text); /* quoted for you */
void note_protocol(CommandContext *ctx, CommitNote *n, const Protocol *p); /* of UPGRADE PROTOCOL */
void note_metric(CommandContext *ctx, CommitNote *n, const char *key, int64_t value);
bool note_commit(CommandContext *ctx, Transaction *x, const CommitNote *n, int64_t *version, Error *err);

/* auto_compact.c: what delta.autoOptimize.autoCompact asks for after a commit; a failure is only logged. */
void auto_compact(CommandContext *ctx, const Transaction *x, const CommitNote *n);

/* ---- dml.c: changed rows become deletion vectors or rewritten files ---- */

/* What a stored set of changes holds: _file, _row, _change, then (with change feed) the old row, then the new row, then (where rows are
 * tracked) the row's id. */
/* The last two: by a MERGE, of rows that no source row matches. */
typedef enum ChangeType {
    CHANGE_ROW_UPDATE = 1, CHANGE_ROW_DELETE = 2, CHANGE_ROW_INSERT = 3, CHANGE_UNMATCHED_UPDATE = 4, CHANGE_UNMATCHED_DELETE = 5
} ChangeType;

typedef struct ChangeCounts {
    int64_t updated, deleted, inserted, copied;
    int64_t unmatched_updated, unmatched_deleted; /* of these */
    int64_t files_added, files_removed, files_marked, bytes_added, bytes_removed, change_files;
    int64_t vectors_added, vectors_removed, vectors_updated;
    int64_t scan_ms, rewrite_ms;
    AddFileVec added;          /* written, to be committed */
} ChangeCounts;

typedef struct ChangeSet {
    Str stored_id;             /* engine_store id; dropped with the arena */
    BoundColumnVec source;     /* the stored columns */
    size_t old_at, new_at;     /* where the old and the new row start; old_at 0: not kept */
    size_t width;              /* columns of the table */
    bool has_row_ids;          /* the row's id stands behind the new row; NULL: it is a new row */
} ChangeSet;

bool keeps_change_feed(const Target *t);
/* Materialises rows: _file, _row, _change[, old row], new row. */
bool change_set_store(CommandContext *ctx, const Target *t, BoundRel *changes, bool has_old, ChangeSet *out, Error *err);
/* Where rows are tracked: the id of a row of a scan with positions, or of a join whose left side is one. */
void change_push_row_id(CommandContext *ctx, const Target *t, BoundRel *p, const BoundRel *rows);
/* A fresh reference to the stored changes. */
BoundRel *change_set_rel(CommandContext *ctx, const ChangeSet *set);
/* Adds to the transaction what the changes amount to. */
bool change_set_apply(CommandContext *ctx, const Target *t, const ChangeSet *set, Transaction *x, ChangeCounts *counts, Error *err);
/* After a failed commit: its data files go, unless the failure was the disk's: the commit may exist all the same. */
void change_discard(const Target *t, ChangeCounts *counts, const Error *err);

/* ---- stats_columns.c: delta.dataSkippingStatsColumns, delta.dataSkippingNumIndexedCols ---- */

/* For each leaf of the table's data columns, whether files have statistics of it; *count: how many leaves there are to look at. */
const bool *stats_leaves(CommandContext *ctx, const Metadata *m, size_t *count);
/* The columns that the property names must be there, once each, and of types with an order. */
bool stats_columns_check(CommandContext *ctx, const Metadata *m, Error *err);
/* The property follows a column that gets another name; NULL: that goes. */
bool stats_columns_follow(CommandContext *ctx, Metadata *m, const Name *from, const Name *to, Error *err);

/* ---- row_tracking.c ---- */

/* Every file of the table has ids for its rows; what delta.enableRowTracking asks for before it may be set. */
bool row_tracking_backfill(CommandContext *ctx, Target *t, Error *err);
/* The other way: no file has any. The table must have suspended row tracking. */
bool row_tracking_unbackfill(CommandContext *ctx, Target *t, Error *err);

/* ---- read_set.c: what a statement read, for the conflict rules; the scans are narrowed by it ---- */

/* The rows of a scan that satisfy condition; NULL: all. */
void note_read(CommandContext *ctx, BoundRel *scan, BoundExpr *condition, Transaction *x);
/* The rows of a scan that a MERGE may pair with rows of its stored source. only_matched: the conditions of its clauses (NULL in
 * it: none) when all of them are WHEN MATCHED, else NULL. whole_files: that a row matched matters even if nothing changes it. */
bool note_pairs(CommandContext *ctx, BoundRel *scan, BoundRel *source, BoundExpr *on, const BoundExprVec *only_matched, bool whole_files,
                Transaction *x, Error *err);
/* Scans of the target inside a query or an expression's subqueries. */
void note_query(CommandContext *ctx, const Target *t, BoundRel *query, Transaction *x);
void note_expr(CommandContext *ctx, const Target *t, BoundExpr *e, Transaction *x);

/* DELTA_CONFLICT_SET_COLUMN where an assignment of the same statement or clause meets this one; else it joins them. */
bool check_assigned_once(CommandContext *ctx, const BoundExpr *target, StrVec *seen, Error *err);
/* The value of SET column = value over these columns; DEFAULT allowed. */
bool assigned_value(CommandContext *ctx, const Field *f, const Expr *value, const BoundColumnVec *columns, Str table,
                    BoundExpr **out, Error *err);
/* Append-only tables and features we cannot keep are refused. */
bool check_change(const Target *t, bool removes, Error *err);

/* ---- expressions the command folder builds itself ---- */

bool build_call(CommandContext *ctx, const char *name, size_t argc, BoundExpr *const *args, BoundExpr **out, Error *err);
BoundExpr *build_int(CommandContext *ctx, int64_t v);
BoundRel *build_filter(CommandContext *ctx, BoundRel *input, BoundExpr *condition);
BoundRel *build_project(CommandContext *ctx, BoundRel *input);
void build_push(CommandContext *ctx, BoundRel *project, BoundExpr *e, Str name);

/* writer.c: rows of the table's own schema into a catalog table of plain files. */
typedef struct FileWrite {
    bool overwrite;
    bool dynamic;               /* only the partitions that get rows are replaced */
    PropertyVec fixed;          /* only the partitions with these values are replaced */
} FileWrite;
/* Whether there is anything at a path; on S3 a folder is there when an object is below it. */
bool folder_exists(CommandContext *ctx, Str path, bool *out, Error *err);
bool write_file_table(CommandContext *ctx, const TableEntry *entry, const Type *schema, BoundRel *rows, const FileWrite *w, Error *err);
/* ---- partition.c: partitions of tables of plain files ---- */

bool partitions_tracked(const TableEntry *e);
/* The name that Spark gives the object: its session catalog is called spark_catalog. */
Name entry_name(CommandContext *ctx, const TableEntry *e);
/* _LEGACY_ERROR_TEMP_1251 for a table without partitions of its own. */
bool require_partitions(CommandContext *ctx, const TableEntry *e, const char *action, Error *err);
/* PARTITION (a = 1, b): the values that are given, in the order of the partition columns, as texts. */
bool partition_spec(CommandContext *ctx, const TableEntry *e, const AssignmentVec *given, PropertyVec *out, Error *err);
/* The same; every partition column must have a value. */
bool partition_whole_spec(CommandContext *ctx, const TableEntry *e, const AssignmentVec *given, PropertyVec *out, Error *err);
bool partition_matches(const PropertyVec *spec, const PartitionEntry *p);
bool partition_find(CommandContext *ctx, const TableEntry *e, const PropertyVec *spec, bool *found, PartitionEntry *out, Error *err);
/* The partition of a whole specification; PARTITIONS_NOT_FOUND. */
bool partition_open(CommandContext *ctx, const TableEntry *e, const AssignmentVec *given, PartitionEntry *out, Error *err);
Str partition_default_location(CommandContext *ctx, const TableEntry *e, Str name);
/* The partition of a folder "a=1/b=x" below the table, unless it is known. */
bool partition_register(CommandContext *ctx, const TableEntry *e, Str folder, Error *err);
/* What the table's folder holds becomes its partitions; those whose folder is gone are forgotten. */
bool partition_recover(CommandContext *ctx, TableEntry *e, bool drop_missing, bool add_found, Error *err);
bool show_file_partitions(CommandContext *ctx, const TableEntry *e, const AssignmentVec *given, StrVec *out, Error *err);
bool truncate_files(CommandContext *ctx, const Command *c, const TableEntry *e, Error *err);

/* statistics.c: ANALYZE TABLE of a table of files: sizes, rows, columns, kept in the catalog. */
bool analyze_file_table(CommandContext *ctx, const Command *c, const TableEntry *entry, Error *err);

/* drop_table.c: folders `depth` levels below root, as paths relative to it; hidden ones left out. */
bool list_folders(CommandContext *ctx, Str root, size_t depth, StrVec *out, Error *err);
/* Adds the bytes of all files below a folder. */
bool folder_size(CommandContext *ctx, Str root, int64_t *bytes, Error *err);
/* The files below a folder, absolute; none when the folder is not there. */
bool list_folder_files(CommandContext *ctx, Str root, StrVec *out, Error *err);
bool move_folder(CommandContext *ctx, Str from, Str to, Error *err);
/* drop_table.c: everything below a table's folder, links not followed. */
bool delete_table_files(CommandContext *ctx, Str location, Error *err);
/* alter_table.c: COMMENT ON TABLE and COLUMN. */
bool comment_on_table(CommandContext *ctx, const Command *c, const Name *name, Error *err);

/* ---- the commands, one file a family ---- */

typedef bool (*CommandRule)(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);

bool run_create_catalog(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);   /* container.c */
bool run_drop_catalog(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);
bool run_create_schema(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);
bool run_drop_schema(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);
bool run_alter_schema(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);
bool run_use(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);
bool run_comment(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);
bool run_create_table(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);     /* create_table.c */
bool run_drop_table(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);       /* drop_table.c */
bool run_truncate(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);
bool run_alter_table(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);      /* alter_table.c */
bool run_create_view(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);      /* view.c */
bool run_drop_view(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);
bool run_create_temp_view(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);
bool run_describe(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);         /* describe.c */
bool run_show(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);             /* show_objects.c */
bool run_set(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);              /* setting.c */
bool run_reset(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);
bool run_create_function(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);
bool run_register_function(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);
bool run_drop_function(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);
bool run_variable(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);         /* variable.c */
bool run_checkpoint(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);       /* checkpoint.c */
bool run_remove_cached(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);
bool run_explain(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);          /* explain.c */
bool run_insert(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);           /* insert.c */
bool run_write(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);            /* writer.c */
bool run_write_v2(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);
bool run_update(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);           /* update.c */
bool run_delete(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);
bool run_merge(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);            /* merge.c */
bool run_optimize(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);         /* optimize.c */
bool run_vacuum(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);           /* vacuum.c */
bool run_restore(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);          /* restore.c */
bool run_generate(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);         /* manifest.c */
bool run_convert(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);
bool run_delta(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);            /* delta_command.c */
bool run_accepted(CommandContext *ctx, const Command *c, BoundRel **result, Error *err);         /* cache, refresh, analyze */

/* The common write: a query's rows appended to or replacing (part of) a Delta table. insert.c; used by writers and CTAS. */
typedef struct TableWrite {
    enum { WRITE_APPEND, WRITE_OVERWRITE, WRITE_REPLACE_WHERE, WRITE_DYNAMIC_PARTITIONS } mode;
    BoundRel *rows;             /* aligned by write_to_table itself */
    AlignOptions align;
    const Expr *replace_where;
    Str operation;              /* WRITE, CREATE TABLE AS SELECT, ... */
    Str mode_name;              /* of a WRITE that makes the table: ErrorIfExists, ...; empty: by mode */
    PropertyVec parameters;     /* extra operation parameters */
    FileChoices files;          /* as write_files_asked has it */
    bool merge_schema, overwrite_schema;
    bool rearranges;            /* dataChange = false: the table's rows stay what they are */
    bool replaces_table;        /* as saveAsTable overwrites: the commit says what the table is */
    StrVec partition_by;        /* what the writer asks for; none: as the table is */
    Str predicate;              /* replace_where as it was written; empty: to be shown from what it means */
    Str user_metadata;          /* empty: the session's */
    Metadata *new_metadata;     /* creating or replacing a table */
    const Protocol *new_protocol;
    const DomainMetadata *domain; /* NULL: none */
    TxnMark txn;                /* unset: the session's */
} TableWrite;
/* Delta's mergeSchema: columns the table lacks are added at its end; types stay the table's. False: there is none. */
bool merged_schema(CommandContext *ctx, const Metadata *m, const BoundColumnVec *columns, Metadata **out);
/* create_table.c: what a commit that makes or replaces a table says of it. */
void note_table(CommandContext *ctx, const Metadata *m, const StrVec *clustered_by, bool managed, CommitNote *note);
Str names_json(CommandContext *ctx, const DeltaStrVec *names);
/* A micro-batch says which query and batch it is, so that it is committed once. */
void write_as_stream(CommandContext *ctx, const Command *c, TableWrite *w);
bool write_to_table(CommandContext *ctx, Target *t, const TableWrite *w, int64_t *row_count, Error *err);

/* ---- collation.c ---- */

/* Where default collations are kept: among the properties of a schema, among the details of a table or view. */
#define SCHEMA_COLLATION "collation"
#define OBJECT_COLLATION "collation"
MUST_CHECK bool command_collation(CommandContext *ctx, Str written, bool of_schema, Str *out, Error *err);
MUST_CHECK bool object_collation(CommandContext *ctx, Str written, Str catalog, Str schema, Str *out, Error *err);
/* INDETERMINATE_COLLATION_IN_SCHEMA names the columns. */
MUST_CHECK bool check_determinate(CommandContext *ctx, const Type *schema, Error *err);
MUST_CHECK bool check_delta_collations(CommandContext *ctx, const Type *schema, Error *err);
MUST_CHECK bool check_layout_column(CommandContext *ctx, const Type *schema, Str name, bool bucket, Error *err);
