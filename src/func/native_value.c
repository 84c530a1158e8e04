/* Deep equality and hashing of values in DuckDB vectors. */
#include "func/native_value.h"

#include <math.h>

static bool is_list(const NativeVec *v) {
    return v->type == DUCKDB_TYPE_LIST || v->type == DUCKDB_TYPE_MAP;
}

static bool is_bytes(const NativeVec *v) {
    return v->type == DUCKDB_TYPE_VARCHAR || v->type == DUCKDB_TYPE_BLOB;
}

static bool is_real(const NativeVec *v) {
    return v->type == DUCKDB_TYPE_DOUBLE || v->type == DUCKDB_TYPE_FLOAT;
}

static double real_at(const NativeVec *v, idx_t i) {
    return v->type == DUCKDB_TYPE_DOUBLE ? ((const double *)v->data)[i]
                                         : ((const float *)v->data)[i];
}

static bool same_interval(const NativeVec *a, idx_t i, const NativeVec *b, idx_t j) {
    const duckdb_interval *x = &((const duckdb_interval *)a->data)[i],
                          *y = &((const duckdb_interval *)b->data)[j];
    return x->months == y->months && x->days == y->days && x->micros == y->micros;
}

bool native_equal(const NativeVec *a, idx_t i, const NativeVec *b, idx_t j) {
    bool null = native_is_null(a, i);
    if (null || native_is_null(b, j))
        return null && native_is_null(b, j);
    if (is_bytes(a))
        return str_eq(native_str_at(a, i), native_str_at(b, j));
    if (is_real(a)) {
        double x = real_at(a, i), y = real_at(b, j);
        return x == y || (isnan(x) && isnan(y));
    }
    if (a->type == DUCKDB_TYPE_INTERVAL)
        return same_interval(a, i, b, j);
    if (a->type == DUCKDB_TYPE_STRUCT) {
        for (size_t k = 0; k < a->child_count; k++)
            if (!native_equal(&a->children[k], i, &b->children[k], j))
                return false;
        return true;
    }
    if (is_list(a)) {
        duckdb_list_entry x = ((duckdb_list_entry *)a->data)[i],
                          y = ((duckdb_list_entry *)b->data)[j];
        if (x.length != y.length)
            return false;
        for (idx_t k = 0; k < x.length; k++)
            if (!native_equal(&a->children[0], x.offset + k, &b->children[0], y.offset + k))
                return false;
        return true;
    }
    return native_integer_at(a, i) == native_integer_at(b, j);
}

static uint64_t mix(uint64_t h, uint64_t v) {
    h ^= v + UINT64_C(0x9E3779B97F4A7C15) + (h << 6) + (h >> 2);
    return h * UINT64_C(0xff51afd7ed558ccd);
}

uint64_t native_hash_value(const NativeVec *v, idx_t i) {
    if (native_is_null(v, i))
        return 42;
    if (is_bytes(v))
        return str_hash(native_str_at(v, i));
    if (is_real(v)) {
        double d = real_at(v, i);
        uint64_t bits = 0;
        if (isnan(d))
            d = NAN;
        else if (d == 0)
            d = 0;
        memcpy(&bits, &d, sizeof(bits));
        return mix(1, bits);
    }
    if (v->type == DUCKDB_TYPE_INTERVAL) {
        const duckdb_interval *x = &((const duckdb_interval *)v->data)[i];
        return mix(mix((uint64_t)x->months, (uint64_t)x->days), (uint64_t)x->micros);
    }
    uint64_t h = 7;
    if (v->type == DUCKDB_TYPE_STRUCT) {
        for (size_t k = 0; k < v->child_count; k++)
            h = mix(h, native_hash_value(&v->children[k], i));
        return h;
    }
    if (is_list(v)) {
        duckdb_list_entry e = ((duckdb_list_entry *)v->data)[i];
        for (idx_t k = 0; k < e.length; k++)
            h = mix(h, native_hash_value(&v->children[0], e.offset + k));
        return h;
    }
    __int128 x = native_integer_at(v, i);
    return mix((uint64_t)x, (uint64_t)(x >> 64));
}
