/* What the native_*.c files share: reading DuckDB vectors, writing results, failing with Spark's
 * classes. */
#pragma once

#include <duckdb.h>
#include <locale.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "func/native.h"

enum { NATIVE_MAX_ARGS = 16, NATIVE_MAX_VARARGS = 512 };

/* One vector and, for nested types, the vectors below it. Children of LIST and MAP: the element (of
 * MAP a struct). */
typedef struct NativeVec {
    duckdb_vector vector;
    duckdb_type type;
    duckdb_type internal; /* storage of a decimal */
    int width, scale;     /* of a decimal */
    void *data;
    uint64_t *valid; /* NULL: all valid */
    struct NativeVec *children;
    Str *names; /* field names of a struct */
    size_t child_count;
} NativeVec;

typedef struct NativeFunction NativeFunction;

/* One call over a chunk. */
typedef struct Native {
    duckdb_function_info info;
    const NativeFunction *function;
    NativeVec *args;
    size_t argc;
    idx_t rows;
    duckdb_vector out;
    void *result;        /* data of the output vector */
    uint64_t *out_valid; /* its validity, made writable at the first NULL */
    NativeVec out_vec;   /* children of a LIST result */
    idx_t out_used;      /* elements of a LIST result so far */
    Arena *arena;        /* freed after the chunk */
    Buf scratch;         /* for row functions; reset before each row */
    void *chunk; /* what a row function keeps until the chunk ends: looked-up zones, compiled
                    patterns */
} Native;

typedef bool (*NativeRow)(Native *n, idx_t row);
/* A whole chunk at once; false: not of the simple kind, each row is computed by itself. */
typedef bool (*NativeChunk)(Native *n);

enum {
    NATIVE_SEES_NULL = 1, /* called for rows with NULL arguments too */
    NATIVE_VOLATILE = 2,
    NATIVE_STATE =
        4 /* native_state() gives zeroed memory that lasts as long as a thread runs the call */
};
enum { NATIVE_STATE_BYTES = 2560 }; /* a Mersenne twister */

/* signature: result and arguments as letters, "s:s4*?" = VARCHAR from (VARCHAR, INTEGER, ANY...). b
 * BOOLEAN, 1 2 4 8 h the integers, f FLOAT, d DOUBLE, s VARCHAR, x BLOB, D DATE, n TIMESTAMP, z
 * TIMESTAMPTZ, T TIME, v INTERVAL, ? ANY, [t LIST of t, {k,t} MAP, * before the last: any number.
 */
struct NativeFunction {
    const char *name;
    const char *signature;
    NativeRow row;
    unsigned flags;
    int variant; /* lets several names share a row function */
    NativeChunk chunk; /* NULL: always row by row */
};

typedef struct NativeTable {
    const NativeFunction *at;
    size_t count;
} NativeTable;

static inline void *native_state(const Native *n) {
    return duckdb_scalar_function_get_state(n->info);
}

bool native_register_table(duckdb_connection connection, const NativeFunction *at, size_t count,
                           Error *err);
/* The same for a result type that letters cannot say. */
bool native_register_typed(duckdb_connection connection, const NativeFunction *f,
                           duckdb_logical_type result, const char *args, Error *err);
duckdb_logical_type native_type(const char **text);

/* Each native_*.c registers its own. */
bool native_register_cast(duckdb_connection c, Error *err);
bool native_register_decimal(duckdb_connection c, Error *err);
bool native_register_math(duckdb_connection c, Error *err);
bool native_register_format(duckdb_connection c, Error *err);
bool native_register_string(duckdb_connection c, Error *err);
bool native_register_like(duckdb_connection c, Error *err);
bool native_register_regex(duckdb_connection c, Error *err);
bool native_register_datetime(duckdb_connection c, Error *err);
bool native_register_hash(duckdb_connection c, Error *err);
bool native_register_json(duckdb_connection c, Error *err);
bool native_register_collection(duckdb_connection c, Error *err);
bool native_register_map(duckdb_connection c, Error *err);
bool native_register_special(duckdb_connection c, Error *err);
bool native_register_session(duckdb_connection c, Error *err);
bool native_register_aggregate(duckdb_connection c, Error *err);
bool native_register_variant(duckdb_connection c, Error *err);
bool native_register_sketch(duckdb_connection c, Error *err);
bool native_register_xml(duckdb_connection c, Error *err);
bool native_register_vector(duckdb_connection c, Error *err);
bool native_register_pandas(duckdb_connection c, Error *err);
bool native_register_collation(duckdb_connection c, Error *err);
bool native_register_geo(duckdb_connection c, Error *err);
bool native_register_curve(duckdb_connection c, Error *err);

/* By name; NULL when it is not one of native_datetime.c. */
const NativeFunction *native_datetime_find(Str name);

/* ---- reading ---- */

NativeVec native_vec(duckdb_vector vector, Arena *arena);
bool native_type_is(const NativeVec *v, duckdb_type a, duckdb_type b);

static inline bool native_is_null(const NativeVec *v, idx_t row) {
    return v->valid && !(v->valid[row >> 6] & (UINT64_C(1) << (row & 63)));
}

static inline Str native_str_at(const NativeVec *v, idx_t row) {
    duckdb_string_t *s = &((duckdb_string_t *)v->data)[row];
    return (Str){duckdb_string_t_data(s), duckdb_string_t_length(*s)};
}

static inline Str native_str(const Native *n, size_t arg, idx_t row) {
    return native_str_at(&n->args[arg], row);
}

#define NATIVE_GET(name, T)                                                                        \
    static inline T name(const Native *n, size_t arg, idx_t row) {                                 \
        return ((const T *)n->args[arg].data)[row];                                                \
    }
NATIVE_GET(native_bool, bool)
NATIVE_GET(native_i32, int32_t)
NATIVE_GET(native_i64, int64_t)
NATIVE_GET(native_f64, double)
NATIVE_GET(native_list, duckdb_list_entry)
NATIVE_GET(native_interval, duckdb_interval)
#undef NATIVE_GET

static inline bool native_arg_null(const Native *n, size_t arg, idx_t row) {
    return native_is_null(&n->args[arg], row);
}

/* Any integer vector, decimals included (unscaled). */
__int128 native_integer_at(const NativeVec *v, idx_t row);
/* Any numeric vector as a double; exact rounding for decimals. */
double native_double_at(const NativeVec *v, idx_t row, Arena *arena);

/* Of cases and classes of characters beyond ASCII; NULL when the system has none. */
locale_t native_utf8_locale(void);

/* Spark's Murmur3_x86_32.hashUnsafeBytes. */
uint32_t native_murmur3(Str s, uint32_t seed);

/* ---- writing ---- */

bool native_set_null(Native *n,
                     idx_t row); /* always true, so that `return native_set_null(..)` reads well */
bool native_set_str(Native *n, idx_t row, Str s);
bool native_set_scratch(Native *n, idx_t row);
static inline bool native_set_bool(Native *n, idx_t row, bool v) {
    ((bool *)n->result)[row] = v;
    return true;
}
static inline bool native_set_i32(Native *n, idx_t row, int32_t v) {
    ((int32_t *)n->result)[row] = v;
    return true;
}
static inline bool native_set_i64(Native *n, idx_t row, int64_t v) {
    ((int64_t *)n->result)[row] = v;
    return true;
}
static inline bool native_set_f64(Native *n, idx_t row, double v) {
    ((double *)n->result)[row] = v;
    return true;
}
/* Starts row's list of `count` elements; returns the index of the first. */
idx_t native_list_begin(Native *n, idx_t row, idx_t count);
void native_vec_set_null(NativeVec *v, idx_t at);

/* Fails the query with "[CLASS] message". Always false. */
#define NATIVE_FAIL(n, cls, ...)                                                                   \
    native_fail((n), (cls), (const ErrorParam[]){__VA_ARGS__ __VA_OPT__(, ){NULL, {NULL, 0}}})
bool native_fail(Native *n, ErrorClass cls, const ErrorParam *params);
/* Passes on an error that a lower floor set. */
bool native_fail_with(Native *n, const Error *err);
