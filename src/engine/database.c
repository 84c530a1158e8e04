/* The one in-memory DuckDB of the process: its settings, and connections kept for reuse. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "engine/engine_impl.h"
#include "engine/resource.h"
#include "engine/variant_file.h"
#include "func/native.h"

enum { MEMORY_PERCENT = 60, MAX_EXPRESSION_DEPTH = 20000 };

static Str default_memory_limit(Arena *arena)
{
    long pages = sysconf(_SC_PHYS_PAGES), page_size = sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page_size <= 0)
        return S("2GB");
    long long bytes = (long long)pages * page_size / 100 * MEMORY_PERCENT;
    return str_printf(arena, "%lldMB", bytes / 1000000);
}

static bool set_config(duckdb_config config, const char *name, const char *value, Error *err)
{
    if (duckdb_set_config(config, name, value) != DuckDBSuccess)
        return error_internal(err, "DuckDB has no setting %s = %s", name, value);
    return true;
}

static bool configure(duckdb_config config, const EngineOptions *options, Arena *arena, Error *err)
{
    Str memory = options->memory_limit.len ? options->memory_limit : default_memory_limit(arena);
    TRY(set_config(config, "memory_limit", str_z(memory, arena), err));
    if (options->spill_folder.len)
        TRY(set_config(config, "temp_directory", str_z(options->spill_folder, arena), err));
    if (options->threads > 0)
        TRY(set_config(config, "threads", str_printf(arena, "%d", options->threads).ptr, err));
    if (options->extension_folder.len)
        TRY(set_config(config, "extension_directory", str_z(options->extension_folder, arena),
                       err));
    /* Nothing is fetched behind the user's back. */
    TRY(set_config(config, "autoinstall_known_extensions", "false", err));
    TRY(set_config(config, "autoload_known_extensions", "false", err));
    TRY(set_config(config, "allow_community_extensions", "false", err));
    TRY(set_config(config, "preserve_insertion_order", "true", err));
    TRY(set_config(config, "duckdb_api", "lakeshed", err));
    return true;
}

static bool open_database(Engine *e, const EngineOptions *options, Error *err)
{
    duckdb_config config;
    if (duckdb_create_config(&config) != DuckDBSuccess)
        return error_internal(err, "DuckDB gave no configuration");
    bool ok = configure(config, options, e->arena, err);
    char *message = NULL;
    if (ok && duckdb_open_ext(NULL, &e->database, config, &message) != DuckDBSuccess)
        ok = error_internal(err, "DuckDB did not open: %s", message ? message : "no reason given");
    duckdb_free(message);
    duckdb_destroy_config(&config);
    return ok;
}

/* common_subplan of DuckDB 1.5.5 takes arms of a UNION ALL over outer joins for one another (duckdb/duckdb#24624, #25819). */
#define WRONG_OPTIMIZERS "common_subplan"

/* Settings that only SQL reaches, then everything that is registered once for all connections. */
static bool prepare_database(Engine *e, Error *err)
{
    duckdb_connection connection;
    TRY(engine_acquire(e, &connection, err));
    Buf sql = buf_in(e->arena);
    buf_addf(&sql,
             "SET GLOBAL disabled_optimizers = '" WRONG_OPTIMIZERS "';"
             "SET GLOBAL TimeZone = 'UTC';"
             "SET GLOBAL Calendar = 'gregorian';"
             "SET GLOBAL max_expression_depth = %d;"
             "SET GLOBAL parquet_metadata_cache = true;"
             "SET GLOBAL ieee_floating_point_ops = true;"
             "SET GLOBAL order_by_non_integer_literal = true;"
             "CREATE SCHEMA ls_stored;",
             MAX_EXPRESSION_DEPTH);
    bool ok = engine_run(connection, sql.ptr, err) && func_register_all(connection, err) &&
              resource_register_functions(connection, err);
    engine_release(e, connection, ok);
    return ok;
}

bool engine_open(const EngineOptions *options, Engine **out, Error *err)
{
    Arena *arena = arena_new();
    Engine *e = ARENA_NEW(arena, Engine);
    e->arena = arena;
    e->extension_folder = str_copy(options->extension_folder, arena);
    e->spill_folder = str_copy(options->spill_folder, arena);
    e->python = options->python;
    pthread_mutex_init(&e->lock, NULL);
    pthread_mutex_init(&e->writing_memory, NULL);
    if (!open_database(e, options, err) || !prepare_database(e, err)) {
        engine_close(e);
        return false;
    }
    *out = e;
    return true;
}

/* A file in memory, so that there is nothing to clear away. */
static int write_memory_file(Engine *e, MemoryFile which)
{
    static const char *const QUERIES[] = {
        [MEMORY_EMPTY] = "SELECT NULL AS nothing WHERE false",
        [MEMORY_SEEDS] = "SELECT CAST(range AS INTEGER) AS a FROM range(%d)",
    };
    AUTO_ARENA arena = arena_new();
    Error ignored = error_in(arena);
    int file = memfd_create("memory.parquet", MFD_CLOEXEC);
    duckdb_connection connection;
    if (file < 0 || !engine_acquire(e, &connection, &ignored))
        return -1;
    Buf sql = buf_in(arena);
    buf_addz(&sql, "COPY (");
    buf_addf(&sql, QUERIES[which], SEED_ROWS);
    buf_addf(&sql,
             ") TO '/proc/self/fd/%d' "
             "(FORMAT parquet, USE_TMP_FILE false, ROW_GROUP_SIZE 2048)",
             file);
    bool ok = engine_run(connection, sql.ptr, &ignored);
    engine_release(e, connection, ok);
    if (!ok) {
        log_warn("engine: no file in memory, some work is done by one thread: " STR_FMT,
                 STR_ARG(error_message(&ignored, arena)));
        close(file);
    }
    return ok ? file : -1;
}

Str engine_memory_file(Engine *e, MemoryFile which)
{
    pthread_mutex_lock(&e->writing_memory);
    if (!e->memory_files[which])
        e->memory_files[which] = write_memory_file(e, which);
    if (e->memory_files[which] > 0)
        snprintf(e->memory_paths[which], sizeof e->memory_paths[which], "/proc/self/fd/%d",
                 e->memory_files[which]);
    pthread_mutex_unlock(&e->writing_memory);
    return str_from(e->memory_paths[which]);
}

void engine_close(Engine *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < MEMORY_FILES; i++)
        if (e->memory_files[i] > 0)
            close(e->memory_files[i]);
    variant_copies_sweep(e);
    for (size_t i = 0; i < e->idle_count; i++)
        duckdb_disconnect(&e->idle[i]);
    if (e->database)
        duckdb_close(&e->database);
    pthread_mutex_destroy(&e->lock);
    pthread_mutex_destroy(&e->writing_memory);
    arena_free(e->arena);
}

bool engine_acquire(Engine *e, duckdb_connection *out, Error *err)
{
    pthread_mutex_lock(&e->lock);
    duckdb_connection connection = e->idle_count ? e->idle[--e->idle_count] : NULL;
    pthread_mutex_unlock(&e->lock);
    if (!connection && duckdb_connect(e->database, &connection) != DuckDBSuccess)
        return error_internal(err, "DuckDB gave no connection");
    *out = connection;
    return true;
}

void engine_release(Engine *e, duckdb_connection connection, bool clean)
{
    pthread_mutex_lock(&e->lock);
    bool keep = clean && e->idle_count < LENGTH_OF(e->idle);
    if (keep)
        e->idle[e->idle_count++] = connection;
    pthread_mutex_unlock(&e->lock);
    if (!keep)
        duckdb_disconnect(&connection);
}

bool engine_run(duckdb_connection connection, const char *sql, Error *err)
{
    duckdb_result result;
    bool ok = duckdb_query(connection, sql, &result) == DuckDBSuccess ||
              engine_result_failure(&result, err);
    duckdb_destroy_result(&result);
    return ok;
}
