/* What the sketches share: aggregates in C whose state is an object, little-endian bytes, hashes.
 * Formats and hashes are those of Apache DataSketches, so that other engines read what is stored. */
#pragma once

#include "func/native_impl.h"

/* Murmur3 x64 128 of DataSketches (seed 9001) as ls_sketch_hash returns it: lower = first half. */
enum { SKETCH_SEED = 9001, SKETCH_SEED_HASH = 0x93CC };

typedef struct SketchAggregate {
    const char *name;
    const char *args; /* letters as in NativeFunction; the last argument configures the sketch */
    /* The state for a group whose first row has this configuration; NULL with err set. The object
     * starts with a pointer to the function that releases it. */
    void *(*make)(Str config, Error *err);
    bool (*update)(void *state, const NativeVec *args, idx_t row, Error *err);
    bool (*merge)(void *state, const void *other, Error *err);
    /* Appends the bytes of the result. */
    void (*finish)(void *state, Buf *out);
} SketchAggregate;

/* Groups without rows give NULL. */
MUST_CHECK bool sketch_register(duckdb_connection c, const SketchAggregate *a, Error *err);

static inline void sketch_put(Buf *out, uint64_t v, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++, v >>= 8)
        buf_addc(out, (char)(unsigned char)v);
}

/* The caller has checked that the bytes are there. */
static inline uint64_t sketch_get(Str s, size_t at, unsigned bytes) {
    uint64_t v = 0;
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)(unsigned char)s.ptr[at + i] << (8 * i);
    return v;
}

/* The n-th word of a configuration "a 12 0 name". */
Str sketch_word(Str config, unsigned n);
int64_t sketch_number(Str config, unsigned n);
/* "`name`" for messages. */
Str sketch_function(Str name, Arena *arena);

bool native_register_theta(duckdb_connection c, Error *err);
bool native_register_hll(duckdb_connection c, Error *err);
bool native_register_kll(duckdb_connection c, Error *err);
bool native_register_count_min(duckdb_connection c, Error *err);
bool native_register_frequent(duckdb_connection c, Error *err);
bool native_register_distinct(duckdb_connection c, Error *err);
