/* What the SQL text of one query refers to by number: values per scanned file, deleted rows, and
 * sources of rows. */
#pragma once

#include <duckdb.h>

#include "base/error.h"
#include "type/type.h"

/* The rows of one file that take part: all but the listed ones, or only those. Sorted. */
typedef struct FileRows {
    const uint64_t *rows;
    size_t count;
    bool only;
} FileRows;

/* Facts about the files of one scan, by DuckDB's file_index. Lives in the arena of the query. */
typedef struct FileSet {
    size_t count;
    const Str *values;    /* [column * count + file]; ptr NULL: NULL */
    const FileRows *rows; /* one a file; NULL: every row of every file */
} FileSet;

/* Something that fills chunks of rows: decoded Arrow, JSON and CSV files. One reader at a time uses
 * a state. */
typedef struct RowSource RowSource;
struct RowSource {
    const Type *schema;   /* struct of the columns it can give */
    const char **names;   /* their DuckDB names */
    int64_t row_estimate; /* -1: unknown */
    bool exact;
    /* columns: indexes into schema of the wanted columns. */
    bool (*open)(RowSource *s, const size_t *columns, size_t count, void **state, Error *err);
    /* Fills up to `capacity` rows of the vectors; *rows 0: the end. */
    bool (*fill)(void *state, duckdb_data_chunk chunk, idx_t capacity, idx_t *rows, Error *err);
    void (*close)(void *state);
    _Atomic int readings; /* open ones */
};

typedef struct Resources Resources;
Resources *resources_new(Arena *arena);
/* Withdraws the numbers and waits for the last readings of its sources; the query must have ended. */
void resources_free(Resources *r);
/* The number of a file set or source; 0 when r is NULL, which is what a text that never runs uses.
 */
uint64_t resources_add_files(Resources *r, const FileSet *files);
uint64_t resources_add_source(Resources *r, RowSource *source);

/* Where the query is: the mark it passed last. */
uint64_t resources_add_marks(Resources *r, _Atomic int32_t *last);

/* ls_mark(number, mark), ls_file_value(number, column, file_index), ls_row_kept(number, file_index, row), ls_rows(number),
 * ls_uniform(place, seed). */
MUST_CHECK bool resource_register_functions(duckdb_connection connection, Error *err);
/* The last of them. */
MUST_CHECK bool sample_register_functions(duckdb_connection connection, Error *err);
MUST_CHECK bool register_scalar(duckdb_connection connection, const char *name,
                                const duckdb_type *types, size_t count, duckdb_type result,
                                duckdb_scalar_function_t function, Error *err);
