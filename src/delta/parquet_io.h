/* Parquet reading and writing as delta/ needs it for checkpoints, handed in by a higher floor
 * (engine/). */
#pragma once

#include "base/error.h"

typedef enum ParquetKind {
    PARQUET_TEXT, /* VARCHAR */
    PARQUET_LONG, /* cast to BIGINT */
    PARQUET_BOOL, /* BOOLEAN */
    PARQUET_JSON  /* to_json(value): structs and maps become objects, lists arrays */
} ParquetKind;

/* A column or a nested field by its dotted path: "add.path", "metaData". NULLs where a file lacks
 * it. */
typedef struct ParquetColumn {
    const char *path;
    ParquetKind kind;
} ParquetColumn;

/* One column of a batch; the arrays hold `rows` cells and are borrowed until the callback returns.
 */
typedef struct ParquetCells {
    const bool *present;  /* false where the cell is NULL; NULL pointer: all are present */
    const Str *texts;     /* PARQUET_TEXT, PARQUET_JSON */
    const int64_t *longs; /* PARQUET_LONG */
    const bool *bools;    /* PARQUET_BOOL */
} ParquetCells;

typedef struct ParquetBatch {
    size_t rows;
    const ParquetCells *columns; /* in the order asked for */
} ParquetBatch;

typedef bool (*ParquetOnBatch)(void *arg, const ParquetBatch *batch, Error *err);

/* A column of a file to be written: its type as DuckDB spells it. */
typedef struct ParquetSchemaColumn {
    Str name;
    Str duckdb_type; /* "STRUCT(path VARCHAR, ...)" */
} ParquetSchemaColumn;

/* Gives the next block of whole JSON lines, one object a row; an empty block ends the file. */
typedef bool (*ParquetNextLines)(void *arg, Str *block, Error *err);

typedef struct ParquetIo {
    void *self;
    /* Reads files of one folder in the order given, batch by batch, on the caller's thread. Paths
     * are what store_duckdb_path gives. A file that is no Parquet: the error names it. */
    bool (*scan)(void *self, const Str *paths, size_t path_count, const ParquetColumn *columns,
                 size_t column_count, ParquetOnBatch on_batch, void *arg, Error *err);
    /* Writes one file at exactly this path (the caller syncs and renames it), snappy, every column
     * optional; a key that a line lacks is NULL. On failure nothing is left at the path. */
    bool (*write)(void *self, Str path, const ParquetSchemaColumn *columns, size_t column_count,
                  ParquetNextLines next, void *arg, Error *err);
} ParquetIo;

/* Called once at start-up, before any table is opened; borrowed for the life of the process. */
void delta_install_parquet_io(const ParquetIo *io);
