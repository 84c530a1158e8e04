/* What the files of engine/ share: the open database, its connections, and what a running query has
 * registered. */
#pragma once

#include <duckdb.h>
#include <pthread.h>

#include "engine/engine.h"

/* ---- database.c ---- */

/* Parquet files that only exist in memory. */
typedef enum MemoryFile {
    MEMORY_EMPTY, /* no rows */
    MEMORY_SEEDS, /* column a: 0 .. SEED_ROWS-1 in groups of 2048, so that many threads share them */
    MEMORY_FILES,
} MemoryFile;

enum { SEED_ROWS = 64 * 2048 };

struct Engine {
    duckdb_database database;
    pthread_mutex_t lock; /* guards idle and idle_count */
    duckdb_connection idle[16];
    size_t idle_count;
    pthread_mutex_t writing_memory; /* guards memory_files and memory_paths */
    int memory_files[MEMORY_FILES]; /* 0: not yet, -1: not to be had */
    char memory_paths[MEMORY_FILES][32];
    Str extension_folder;
    Str spill_folder; /* empty: none was given */
    struct PythonPool *python;
    Arena *arena;
};

/* A connection for one query, taken from the idle ones where there are any. */
MUST_CHECK bool engine_acquire(Engine *e, duckdb_connection *out, Error *err);
/* Gives it back; clean: its last statement ran to the end, so that the connection may serve again.
 */
void engine_release(Engine *e, duckdb_connection connection, bool clean);
/* Runs statements that give no rows. */
MUST_CHECK bool engine_run(duckdb_connection connection, const char *sql, Error *err);

/* Its path; "" where the system has no files in memory. */
Str engine_memory_file(Engine *e, MemoryFile which);

/* ---- failure.c ---- */

/* Turns DuckDB's error into Spark's class. Always false. */
bool engine_failure(duckdb_error_type type, const char *message, Error *err);
bool engine_result_failure(duckdb_result *result, Error *err);

/* ---- cancel.c ---- */

/* While attached, raising the flag interrupts the connection. NULL cancel: nothing happens. */
void cancel_attach(Cancel *c, duckdb_connection connection);
void cancel_detach(Cancel *c, duckdb_connection connection);
/* OPERATION_CANCELED when the flag is up. */
MUST_CHECK bool cancel_check(const Cancel *c, Error *err);

/* ---- vector.c ---- */

/* The DuckDB type that carries a Spark type; destroy it after use. */
duckdb_logical_type logical_type_of(const Type *type);
/* Whether a result column has exactly the carrier type. */
bool logical_type_is(duckdb_logical_type have, const Type *want);

static inline bool valid_at(const uint64_t *validity, idx_t row)
{
    return !validity || (validity[row / 64] >> (row % 64)) & 1;
}

/* The cell of a vector as a value; strings are copied into the arena. */
MUST_CHECK bool vector_cell(duckdb_vector vector, idx_t row, const Type *type, Arena *arena,
                            Value *out, Error *err);
/* Marks a row of a vector being filled, fields of structs included. */
void vector_set_null(duckdb_vector vector, idx_t row, const Type *type);
/* Takes such a mark back, for a row that is filled anew. */
void vector_set_valid(duckdb_vector vector, idx_t row, const Type *type);
