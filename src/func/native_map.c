/* What maps are made of: which keys stay (spark.sql.mapKeyDedupPolicy), which fail; and the order shuffle() gives. */
#include "func/native_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "func/native_value.h"
#include "func/number.h"
#include "func/random.h"

enum { FEW_KEYS = 8, KEY_TEXT_DEPTH = 16 };

/* ---- the text of a key in an error: the value as Spark keeps it, so a date is a number of days ---- */

static void put_key(const NativeVec *v, idx_t i, int depth, Buf *out)
{
    if (native_is_null(v, i)) {
        buf_addz(out, "null");
    } else if (v->type == DUCKDB_TYPE_VARCHAR || v->type == DUCKDB_TYPE_BLOB) {
        buf_add(out, native_str_at(v, i));
    } else if (v->type == DUCKDB_TYPE_DOUBLE) {
        java_put_double(out, ((const double *)v->data)[i]);
    } else if (v->type == DUCKDB_TYPE_FLOAT) {
        java_put_float(out, ((const float *)v->data)[i]);
    } else if (v->type == DUCKDB_TYPE_BOOLEAN) {
        buf_addz(out, ((const bool *)v->data)[i] ? "true" : "false");
    } else if (v->type == DUCKDB_TYPE_LIST && depth < KEY_TEXT_DEPTH) {
        duckdb_list_entry e = ((const duckdb_list_entry *)v->data)[i];
        buf_addc(out, '[');
        for (idx_t k = 0; k < e.length; k++) {
            buf_addz(out, k ? "," : "");
            put_key(&v->children[0], e.offset + k, depth + 1, out);
        }
        buf_addc(out, ']');
    } else if (v->type == DUCKDB_TYPE_STRUCT && depth < KEY_TEXT_DEPTH) {
        buf_addc(out, '[');
        for (size_t k = 0; k < v->child_count; k++) {
            buf_addz(out, k ? "," : "");
            put_key(&v->children[k], i, depth + 1, out);
        }
        buf_addc(out, ']');
    } else if (v->type == DUCKDB_TYPE_DECIMAL) {
        put_decimal(out, native_integer_at(v, i), v->scale);
    } else if (v->type != DUCKDB_TYPE_INTERVAL) {
        buf_addf(out, "%lld", (long long)native_integer_at(v, i));
    }
}

/* ---- keys ---- */

typedef struct KeySet {
    const NativeVec *keys;
    idx_t base;
    uint32_t *slots; /* 1 + the place of a key; NULL: few keys, all are compared */
    size_t mask;
} KeySet;

static KeySet key_set(const NativeVec *keys, duckdb_list_entry e, Arena *arena)
{
    size_t size = 16;
    if (e.length <= FEW_KEYS)
        return (KeySet){keys, e.offset, NULL, 0};
    while (size < 2 * e.length)
        size *= 2;
    return (KeySet){keys, e.offset, ARENA_ARRAY(arena, uint32_t, size), size - 1};
}

/* The place of an equal key before the i-th, or i itself. */
static idx_t first_equal(KeySet *s, idx_t i)
{
    if (!s->slots) {
        for (idx_t k = 0; k < i; k++)
            if (native_equal(s->keys, s->base + k, s->keys, s->base + i))
                return k;
        return i;
    }
    size_t at = native_hash_value(s->keys, s->base + i) & s->mask;
    for (; s->slots[at]; at = (at + 1) & s->mask)
        if (native_equal(s->keys, s->base + s->slots[at] - 1, s->keys, s->base + i))
            return s->slots[at] - 1;
    s->slots[at] = (uint32_t)i + 1;
    return i;
}

/* (keys, number of values): keys and values pair up and no key is NULL */
static bool check_keys(Native *n, idx_t row, duckdb_list_entry *e)
{
    *e = native_list(n, 0, row);
    const NativeVec *keys = &n->args[0].children[0];
    if ((idx_t)native_i64(n, 1, row) != e->length)
        return NATIVE_FAIL(n, ERR__LEGACY_ERROR_TEMP_2128);
    for (idx_t i = 0; i < e->length; i++)
        if (native_is_null(keys, e->offset + i))
            return NATIVE_FAIL(n, ERR_NULL_MAP_KEY);
    return true;
}

/* true, or the error that names the key which is there twice */
static bool row_unique(Native *n, idx_t row)
{
    duckdb_list_entry e;
    TRY(check_keys(n, row, &e));
    const NativeVec *keys = &n->args[0].children[0];
    KeySet set = key_set(keys, e, n->arena);
    for (idx_t i = 0; i < e.length; i++) {
        if (first_equal(&set, i) == i)
            continue;
        put_key(keys, e.offset + i, 0, &n->scratch);
        return NATIVE_FAIL(n, ERR_DUPLICATED_MAP_KEY, P("key", buf_str(&n->scratch)),
                           PZ("mapKeyDedupPolicy", "\"spark.sql.mapKeyDedupPolicy\""));
    }
    return native_set_bool(n, row, true);
}

/* The places, from 1, of the keys that stay (the first of equal ones), or of the values that do (the last). */
static bool row_places(Native *n, idx_t row)
{
    duckdb_list_entry e;
    TRY(check_keys(n, row, &e));
    KeySet set = key_set(&n->args[0].children[0], e, n->arena);
    idx_t *slot = ARENA_ARRAY(n->arena, idx_t, e.length + 1), count = 0;
    int64_t *place = ARENA_ARRAY(n->arena, int64_t, e.length + 1);
    for (idx_t i = 0; i < e.length; i++) {
        idx_t first = first_equal(&set, i);
        if (first == i)
            slot[i] = count++;
        if (first == i || n->function->variant)
            place[slot[first]] = (int64_t)i + 1;
    }
    idx_t start = native_list_begin(n, row, count);
    memcpy((int64_t *)n->out_vec.children[0].data + start, place, count * sizeof(*place));
    return true;
}

/* ---- collect_set: the order in which Scala's HashSet gives its elements ---- */

static uint32_t long_hash(int64_t v) { return v == (int32_t)v ? (uint32_t)v : (uint32_t)(v ^ (int64_t)((uint64_t)v >> 32)); }

/* Scala's ## of a double: numbers that are equal have equal hashes, whatever their types. */
static uint32_t real_hash(double v, bool is_float)
{
    uint64_t bits;
    if (v >= -0x1p63 && v < 0x1p63 && v == (double)(int64_t)v)
        return long_hash((int64_t)v);
    if (isnan(v))
        return is_float ? 0x7fc00000u : 0x7ff80000u;
    float f = (float)v;
    if (is_float || f == v) {
        uint32_t narrow;
        memcpy(&narrow, &f, sizeof(narrow));
        return narrow;
    }
    memcpy(&bits, &v, sizeof(bits));
    return (uint32_t)(bits ^ bits >> 32);
}

static bool scala_hash(const NativeVec *v, idx_t i, uint32_t *out)
{
    switch (v->type) {
    case DUCKDB_TYPE_VARCHAR: *out = native_murmur3(native_str_at(v, i), 42); return true;
    case DUCKDB_TYPE_BOOLEAN: *out = ((const bool *)v->data)[i] ? 1231 : 1237; return true;
    case DUCKDB_TYPE_DOUBLE: *out = real_hash(((const double *)v->data)[i], false); return true;
    case DUCKDB_TYPE_FLOAT: *out = real_hash(((const float *)v->data)[i], true); return true;
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_DATE:
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ: *out = long_hash((int64_t)native_integer_at(v, i)); return true;
    default: return false;
    }
}

typedef struct SetItem {
    uint32_t bucket, hash;
    int64_t place;
} SetItem;

static int by_bucket(const void *a, const void *b)
{
    const SetItem *x = a, *y = b;
    if (x->bucket != y->bucket)
        return x->bucket < y->bucket ? -1 : 1;
    if (x->hash != y->hash)
        return (int32_t)x->hash < (int32_t)y->hash ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* The places, from 1, of the first of equal elements, NULLs left out; variant 1: in the order of buckets. */
static bool row_distinct_places(Native *n, idx_t row)
{
    duckdb_list_entry e = native_list(n, 0, row);
    const NativeVec *v = &n->args[0].children[0];
    KeySet set = key_set(v, e, n->arena);
    SetItem *items = ARENA_ARRAY(n->arena, SetItem, e.length + 1);
    idx_t count = 0;
    bool hashed = n->function->variant;
    for (idx_t i = 0; i < e.length; i++) {
        uint32_t hash = 0;
        if (native_is_null(v, e.offset + i) || first_equal(&set, i) != i)
            continue;
        hashed = hashed && scala_hash(v, e.offset + i, &hash);
        items[count++] = (SetItem){0, hash ^ hash >> 16, (int64_t)i + 1};
    }
    uint32_t buckets = 16;
    while (count >= buckets * 3 / 4)
        buckets *= 2;
    for (idx_t i = 0; i < count; i++)
        items[i].bucket = items[i].hash & (buckets - 1);
    if (hashed)
        qsort(items, count, sizeof(*items), by_bucket);
    idx_t start = native_list_begin(n, row, count);
    for (idx_t i = 0; i < count; i++)
        ((int64_t *)n->out_vec.children[0].data)[start + i] = items[i].place;
    return true;
}

/* ---- shuffle ---- */

/* (length, seed): the places, from 1, in the order that Spark's RandomIndicesGenerator gives. */
static bool row_shuffle(Native *n, idx_t row)
{
    MersenneTwister *r = native_state(n);
    if (!r->ready)
        mersenne_start(r, native_i64(n, 1, row));
    int32_t length = native_i32(n, 0, row);
    idx_t start = native_list_begin(n, row, (idx_t)length);
    int64_t *at = (int64_t *)n->out_vec.children[0].data + start;
    for (int32_t i = 0; i < length; i++) {
        int32_t k = mersenne_below(r, i + 1);
        at[i] = at[k];
        at[k] = i + 1;
    }
    return true;
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_map_unique", "b:?8", row_unique, 0, 0},
    {"ls_map_key_places", "[8:?8", row_places, 0, 0},
    {"ls_map_value_places", "[8:?8", row_places, 0, 1},
    {"ls_distinct_places", "[8:?", row_distinct_places, 0, 0},
    {"ls_hash_set_places", "[8:?", row_distinct_places, 0, 1},
    {"ls_shuffle_index", "[8:48", row_shuffle, NATIVE_VOLATILE | NATIVE_STATE, 0},
};

bool native_register_map(duckdb_connection c, Error *err)
{
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
