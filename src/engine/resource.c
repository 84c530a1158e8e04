/* The numbers that SQL texts carry instead of pointers, and the three functions that look them up.
 */
#include "engine/resource.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/vec.h"
#include "engine/engine_impl.h"

/* ---- the registry ---- */

typedef enum ResourceKind { RESOURCE_FILES, RESOURCE_SOURCE, RESOURCE_MARKS } ResourceKind;

typedef struct Entry {
    struct Entry *next;
    uint64_t number;
    ResourceKind kind;
    const void *object;
} Entry;

enum { BUCKETS = 1024, READINGS_MOMENTS = 100000 /* of 0.1 ms */ };
static Entry *buckets[BUCKETS];
static uint64_t last_number;
static pthread_rwlock_t registry_lock =
    PTHREAD_RWLOCK_INITIALIZER; /* guards buckets and last_number */

struct Resources {
    VEC(uint64_t) numbers;
    Arena *arena;
};

Resources *resources_new(Arena *arena)
{
    Resources *r = ARENA_NEW(arena, Resources);
    r->arena = arena;
    return r;
}

static uint64_t registry_add(Resources *r, ResourceKind kind, const void *object)
{
    if (!r)
        return 0;
    Entry *e = malloc(sizeof(*e));
    if (!e)
        panic("out of memory");
    pthread_rwlock_wrlock(&registry_lock);
    *e = (Entry){buckets[(last_number + 1) % BUCKETS], last_number + 1, kind, object};
    last_number++;
    buckets[e->number % BUCKETS] = e;
    pthread_rwlock_unlock(&registry_lock);
    vec_push(r->arena, &r->numbers, e->number);
    return e->number;
}

uint64_t resources_add_files(Resources *r, const FileSet *files)
{
    return registry_add(r, RESOURCE_FILES, files);
}

uint64_t resources_add_source(Resources *r, RowSource *source)
{
    return registry_add(r, RESOURCE_SOURCE, source);
}

uint64_t resources_add_marks(Resources *r, _Atomic int32_t *last)
{
    return registry_add(r, RESOURCE_MARKS, last);
}

/* A thread of DuckDB may be about to drop its part of a query that failed when the result is gone already. */
static void wait_for_readings(RowSource *s)
{
    const struct timespec moment = {0, 100000};
    for (int i = 0; i < READINGS_MOMENTS && atomic_load(&s->readings) > 0; i++)
        nanosleep(&moment, NULL);
}

static void remove_entry(uint64_t number)
{
    pthread_rwlock_wrlock(&registry_lock);
    Entry **at = &buckets[number % BUCKETS];
    while (*at && (*at)->number != number)
        at = &(*at)->next;
    Entry *found = *at;
    if (found)
        *at = found->next;
    pthread_rwlock_unlock(&registry_lock);
    if (found && found->kind == RESOURCE_SOURCE)
        wait_for_readings((RowSource *)found->object);
    free(found);
}

void resources_free(Resources *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->numbers.len; i++)
        remove_entry(r->numbers.at[i]);
    r->numbers.len = 0;
}

static const void *registry_find(uint64_t number, ResourceKind kind)
{
    const void *object = NULL;
    pthread_rwlock_rdlock(&registry_lock);
    for (Entry *e = buckets[number % BUCKETS]; e; e = e->next)
        if (e->number == number && e->kind == kind)
            object = e->object;
    pthread_rwlock_unlock(&registry_lock);
    return object;
}

/* ---- ls_file_value ---- */

static bool all_equal(const uint64_t *at, idx_t n)
{
    for (idx_t i = 1; i < n; i++)
        if (at[i] != at[0])
            return false;
    return true;
}

static void file_value(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    idx_t n = duckdb_data_chunk_get_size(input);
    if (!n)
        return;
    const uint64_t *numbers = duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 0));
    const int32_t *columns = duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 1));
    const uint64_t *files = duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 2));
    const FileSet *set = registry_find(numbers[0], RESOURCE_FILES);
    if (!set) {
        duckdb_scalar_function_set_error(info, "the files of this query are gone");
        return;
    }
    const Str *values = set->values + (size_t)columns[0] * set->count;
    for (idx_t i = 0; i < n; i++) {
        if (files[i] >= set->count) {
            duckdb_scalar_function_set_error(info, "a file index is past the files of this scan");
            return;
        }
    }
    if (all_equal(files, n)) {
        /* One constant instead of n copies: the casts above it then run once a chunk. */
        Str v = values[files[0]];
        duckdb_value value =
            v.ptr ? duckdb_create_varchar_length(v.ptr, v.len) : duckdb_create_null_value();
        if (v.ptr) {
            duckdb_vector_reference_value(output, value);
        } else {
            duckdb_vector_ensure_validity_writable(output);
            uint64_t *validity = duckdb_vector_get_validity(output);
            for (idx_t i = 0; i < n; i++)
                duckdb_validity_set_row_invalid(validity, i);
        }
        duckdb_destroy_value(&value);
        return;
    }
    duckdb_vector_ensure_validity_writable(output);
    uint64_t *validity = duckdb_vector_get_validity(output);
    for (idx_t i = 0; i < n; i++) {
        Str v = values[files[i]];
        if (v.ptr)
            duckdb_vector_assign_string_element_len(output, i, v.ptr, v.len);
        else
            duckdb_validity_set_row_invalid(validity, i);
    }
}

/* ---- ls_row_kept ---- */

static size_t first_not_below(const FileRows *f, uint64_t row)
{
    size_t low = 0, high = f->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (f->rows[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void row_kept(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    idx_t n = duckdb_data_chunk_get_size(input);
    if (!n)
        return;
    const uint64_t *numbers = duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 0));
    const uint64_t *files = duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 1));
    const int64_t *rows = duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 2));
    uint8_t *kept = duckdb_vector_get_data(output);
    const FileSet *set = registry_find(numbers[0], RESOURCE_FILES);
    if (!set || !set->rows) {
        duckdb_scalar_function_set_error(info, "the deleted rows of this query are gone");
        return;
    }
    const FileRows *f = NULL;
    size_t at = 0;
    uint64_t previous = 0;
    for (idx_t i = 0; i < n; i++) {
        if (files[i] >= set->count) {
            duckdb_scalar_function_set_error(info, "a file index is past the files of this scan");
            return;
        }
        uint64_t row = (uint64_t)rows[i];
        if (f != &set->rows[files[i]] || row < previous) {
            f = &set->rows[files[i]];
            at = first_not_below(f, row);
        }
        while (at < f->count && f->rows[at] < row)
            at++;
        bool listed = at < f->count && f->rows[at] == row;
        kept[i] = listed == f->only;
        previous = row;
    }
}

bool register_scalar(duckdb_connection connection, const char *name, const duckdb_type *types,
                     size_t count, duckdb_type result, duckdb_scalar_function_t function,
                     Error *err)
{
    duckdb_scalar_function f = duckdb_create_scalar_function();
    duckdb_scalar_function_set_name(f, name);
    for (size_t i = 0; i < count; i++) {
        duckdb_logical_type t = duckdb_create_logical_type(types[i]);
        duckdb_scalar_function_add_parameter(f, t);
        duckdb_destroy_logical_type(&t);
    }
    duckdb_logical_type t = duckdb_create_logical_type(result);
    duckdb_scalar_function_set_return_type(f, t);
    duckdb_destroy_logical_type(&t);
    duckdb_scalar_function_set_function(f, function);
    bool ok = duckdb_register_scalar_function(connection, f) == DuckDBSuccess ||
              error_internal(err, "DuckDB did not take the function %s", name);
    duckdb_destroy_scalar_function(&f);
    return ok;
}

/* ---- ls_mark ---- */

static void mark(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    idx_t n = duckdb_data_chunk_get_size(input);
    if (!n)
        return;
    const uint64_t *numbers = duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 0));
    const int32_t *marks = duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 1));
    _Atomic int32_t *last = (_Atomic int32_t *)registry_find(numbers[0], RESOURCE_MARKS);
    if (!last) {
        duckdb_scalar_function_set_error(info, "the marks of this query are gone");
        return;
    }
    *last = marks[0];
    memset(duckdb_vector_get_data(output), 0, n * sizeof(int32_t));
}

/* Volatile: it must run where it stands, each time. */
static bool register_mark(duckdb_connection connection, Error *err)
{
    duckdb_scalar_function f = duckdb_create_scalar_function();
    duckdb_logical_type number = duckdb_create_logical_type(DUCKDB_TYPE_UBIGINT);
    duckdb_logical_type integer = duckdb_create_logical_type(DUCKDB_TYPE_INTEGER);
    duckdb_scalar_function_set_name(f, "ls_mark");
    duckdb_scalar_function_add_parameter(f, number);
    duckdb_scalar_function_add_parameter(f, integer);
    duckdb_scalar_function_set_return_type(f, integer);
    duckdb_scalar_function_set_volatile(f);
    duckdb_scalar_function_set_function(f, mark);
    duckdb_destroy_logical_type(&number);
    duckdb_destroy_logical_type(&integer);
    bool ok = duckdb_register_scalar_function(connection, f) == DuckDBSuccess ||
              error_internal(err, "DuckDB did not take the function ls_mark");
    duckdb_destroy_scalar_function(&f);
    return ok;
}

/* ---- ls_rows ---- */

typedef struct Reading {
    RowSource *source;
    void *state;
    Arena *arena;
} Reading;

static void reading_free(void *p)
{
    Reading *r = p;
    RowSource *source = r->source;
    if (r->state)
        source->close(r->state);
    arena_free(r->arena);
    atomic_fetch_sub(&source->readings, 1);
}

static void rows_bind(duckdb_bind_info info)
{
    duckdb_value parameter = duckdb_bind_get_parameter(info, 0);
    RowSource *s = (RowSource *)registry_find(duckdb_get_uint64(parameter), RESOURCE_SOURCE);
    duckdb_destroy_value(&parameter);
    if (!s) {
        duckdb_bind_set_error(info, "the rows of this query are gone");
        return;
    }
    for (size_t i = 0; i < s->schema->structure.count; i++) {
        duckdb_logical_type t = logical_type_of(s->schema->structure.fields[i].type);
        duckdb_bind_add_result_column(info, s->names[i], t);
        duckdb_destroy_logical_type(&t);
    }
    if (s->row_estimate >= 0)
        duckdb_bind_set_cardinality(info, (idx_t)s->row_estimate, s->exact);
    duckdb_bind_set_bind_data(info, s, NULL);
}

static void rows_init(duckdb_init_info info)
{
    Arena *arena = arena_new();
    Reading *r = ARENA_NEW(arena, Reading);
    r->arena = arena;
    r->source = duckdb_init_get_bind_data(info);
    atomic_fetch_add(&r->source->readings, 1);
    idx_t n = duckdb_init_get_column_count(info);
    size_t *columns = ARENA_ARRAY(arena, size_t, n + 1);
    for (idx_t i = 0; i < n; i++)
        columns[i] = duckdb_init_get_column_index(info, i);
    Error err = error_in(arena);
    duckdb_init_set_max_threads(info, 1);
    if (!r->source->open(r->source, columns, n, &r->state, &err))
        duckdb_init_set_error(info, str_z(error_wire_text(&err, arena), arena));
    duckdb_init_set_init_data(info, r, reading_free);
}

static void rows_next(duckdb_function_info info, duckdb_data_chunk output)
{
    Reading *r = duckdb_function_get_init_data(info);
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    idx_t rows = 0;
    if (!r->source->fill(r->state, output, duckdb_vector_size(), &rows, &err))
        duckdb_function_set_error(info, str_z(error_wire_text(&err, arena), arena));
    duckdb_data_chunk_set_size(output, rows);
}

static bool register_rows(duckdb_connection connection, Error *err)
{
    duckdb_table_function f = duckdb_create_table_function();
    duckdb_table_function_set_name(f, "ls_rows");
    duckdb_logical_type number = duckdb_create_logical_type(DUCKDB_TYPE_UBIGINT);
    duckdb_table_function_add_parameter(f, number);
    duckdb_destroy_logical_type(&number);
    duckdb_table_function_set_bind(f, rows_bind);
    duckdb_table_function_set_init(f, rows_init);
    duckdb_table_function_set_function(f, rows_next);
    duckdb_table_function_supports_projection_pushdown(f, true);
    bool ok = duckdb_register_table_function(connection, f) == DuckDBSuccess ||
              error_internal(err, "DuckDB did not take the function ls_rows");
    duckdb_destroy_table_function(&f);
    return ok;
}

bool resource_register_functions(duckdb_connection connection, Error *err)
{
    static const duckdb_type value_types[] = {DUCKDB_TYPE_UBIGINT, DUCKDB_TYPE_INTEGER,
                                              DUCKDB_TYPE_UBIGINT};
    static const duckdb_type kept_types[] = {DUCKDB_TYPE_UBIGINT, DUCKDB_TYPE_UBIGINT,
                                             DUCKDB_TYPE_BIGINT};
    return register_scalar(connection, "ls_file_value", value_types, 3, DUCKDB_TYPE_VARCHAR,
                           file_value, err) &&
           register_scalar(connection, "ls_row_kept", kept_types, 3, DUCKDB_TYPE_BOOLEAN, row_kept,
                           err) &&
           register_rows(connection, err) && register_mark(connection, err) && sample_register_functions(connection, err);
}
