/* The engine: a bound plan becomes DuckDB SQL, runs, and comes back as Arrow batches, rows or Parquet files. */
#pragma once

#include "delta/delta.h"
#include "func/func.h"

typedef struct Engine Engine;
typedef struct Execution Execution;

typedef struct EngineOptions {
    Str memory_limit;   /* "4GB"; empty: 60% of the machine */
    Str spill_folder;   /* empty: <data>/spill */
    int threads;        /* 0: all cores */
    Str extension_folder;
    struct PythonPool *python; /* workers for Python functions; borrowed, NULL: there are none */
} EngineOptions;

MUST_CHECK bool engine_open(const EngineOptions *options, Engine **out, Error *err);
void engine_close(Engine *e);

/* A flag that any thread may raise; checked between batches and handed to DuckDB's interrupt. */
typedef struct Cancel Cancel;
Cancel *cancel_new(void);
void cancel_ref(Cancel *c);
void cancel_unref(Cancel *c);
void cancel_raise(Cancel *c);
bool cancel_is_raised(const Cancel *c);

typedef struct RunContext {
    const FuncContext *func;
    Cancel *cancel;      /* may be NULL */
} RunContext;

/* The DuckDB text of a plan; for EXPLAIN and tests. */
MUST_CHECK bool engine_render(const BoundRel *rel, const FuncContext *ctx, Arena *arena, Str *sql, Error *err);

/* Starts a query; rows are produced as they are taken. The result is the plan's visible columns in order (brel_schema); the plan
 * and its arena outlive the execution. */
MUST_CHECK bool engine_start(Engine *e, const BoundRel *rel, const RunContext *ctx, Execution **out, Error *err);
void execution_free(Execution *x);
const Type *execution_schema(const Execution *x);
/* The next batch of at most about 64k rows (or 4 MiB) as one whole Arrow IPC stream: schema, batch, end. *rows 0: no more. */
MUST_CHECK bool execution_next_ipc(Execution *x, Buf *ipc, int64_t *rows, Error *err);
/* An IPC stream with the schema and no batch: what an empty result is sent as. */
MUST_CHECK bool execution_empty_ipc(Execution *x, Buf *ipc, Error *err);
/* The next rows as values; *count 0: no more. For the server's own use: small results. */
typedef struct Row { Value *cells; } Row;
typedef VEC(Row) RowVec;
MUST_CHECK bool execution_next_rows(Execution *x, Arena *arena, RowVec *rows, Error *err);
/* Of a plan of two columns, a file's path and a row of it: neighbours with the same path come together.
 * visit's false stops with its error. Neither may be NULL. */
typedef bool (*PositionVisit)(void *arg, Str file, const int64_t *rows, size_t count, Error *err);
MUST_CHECK bool engine_positions(Engine *e, const BoundRel *rel, const RunContext *ctx, PositionVisit visit, void *arg, Error *err);

/* Runs a plan to its end and gives all rows; refuses past max_rows. */
MUST_CHECK bool engine_rows(Engine *e, const BoundRel *rel, const RunContext *ctx, size_t max_rows, Arena *arena, RowVec *rows, Error *err);

/* Schema of files, by reading their footers or sampling: for spark.read and for `parquet.path`. */
MUST_CHECK bool engine_infer_schema(Engine *e, FileScan *scan, const RunContext *ctx, Arena *arena, Error *err);

/* Of Parquet files: rows, and Delta's statistics of the first leaf columns of a schema. */
typedef struct FooterFacts {
    int64_t rows;
    Str stats; /* JSON */
} FooterFacts;
MUST_CHECK bool engine_footers(Engine *e, const Type *schema, const Str *paths, size_t count, size_t stats_columns, const RunContext *ctx,
                               Arena *arena, FooterFacts *out, Error *err);

/* ---- writing data files ---- */

typedef struct WriteSpec {
    Str folder;                /* where the files go; absolute */
    Str format;                /* parquet, json, csv, text */
    const Type *schema;        /* physical names and types of the columns to store, input columns by position */
    size_t *partition_columns; /* indexes into schema; those columns are kept out of the files unless stores_partitions */
    size_t partition_count;
    bool stores_partitions;    /* in the files, too */
    size_t stats_columns;      /* statistics for the first n leaf columns; 0: none */
    const bool *stats_leaves;  /* which of these; NULL: all */
    Str codec;                 /* snappy, zstd, ...; empty: snappy */
    int64_t target_file_bytes; /* 0: one file a partition value and thread */
    size_t file_count;         /* of Parquet: the rows are dealt out to so many, whatever their size; 0: by size */
    int64_t max_records;       /* of Parquet: rows of a file at most; 0: any number */
    bool drops_empty;          /* files without rows are not kept: elsewhere they carry the schema */
    bool gathered;             /* of partitions: the rows of each come together first, however many there are */
    Str file_prefix;           /* "part-" */
    Str sub_folder;            /* "_change_data" or empty */
    KeyValueVec options;       /* csv and json writers */
} WriteSpec;

typedef struct WrittenFile {
    Str path;                  /* relative to folder, not encoded */
    int64_t size, rows;
    int64_t modified_ms;
    Value *partition_values;   /* in order of partition_columns */
    Str stats;                 /* Delta statistics JSON */
} WrittenFile;
typedef VEC(WrittenFile) WrittenFileVec;

/* Files are complete and on disk (fsync) when this returns true; on failure nothing it wrote is left. */
MUST_CHECK bool engine_write(Engine *e, const BoundRel *rel, const WriteSpec *spec, const RunContext *ctx, Arena *arena,
                             WrittenFileVec *out, Error *err);

/* Keeps a plan's rows under an id for this process: cached remote relations, MERGE sources read more than once. */
MUST_CHECK bool engine_store(Engine *e, Str id, const BoundRel *rel, const RunContext *ctx, Error *err);
/* More rows for what is kept under the id; the columns are the same by position. */
MUST_CHECK bool engine_append_stored(Engine *e, Str id, const BoundRel *rel, const RunContext *ctx, Error *err);
void engine_drop_stored(Engine *e, Str id);
/* The same when the arena is freed. */
void engine_drop_stored_with(Engine *e, Str id, Arena *arena);

/* The Parquet reader and writer that delta/ is handed for checkpoints. */
void engine_install_parquet_io(Engine *e);

/* The Spark schema of an Arrow IPC stream: for local data that came without one. */
MUST_CHECK bool engine_arrow_schema(Str ipc, const RunContext *ctx, Arena *arena, const Type **out, Error *err);
