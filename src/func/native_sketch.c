/* Aggregates whose state is an object, and the hash that the sketches share. */
#include "func/sketch.h"

#include <math.h>
#include <stdlib.h>

/* ---- words of a configuration ---- */

Str sketch_word(Str config, unsigned n) {
    for (;; n--) {
        ptrdiff_t space = str_find_char(config, ' ');
        size_t end = space < 0 ? config.len : (size_t)space;
        if (!n)
            return str_slice(config, 0, end);
        config = str_slice(config, end + 1, config.len);
    }
}

int64_t sketch_number(Str config, unsigned n) {
    int64_t v = 0;
    return str_to_i64(sketch_word(config, n), &v) ? v : 0;
}

Str sketch_function(Str name, Arena *arena) {
    return str_printf(arena, "`" STR_FMT "`", STR_ARG(name));
}

/* ---- aggregates ---- */

enum { CONFIG_MAX = 96 };

/* The configuration stays, so that a state can be made anew where DuckDB combines into an empty one
 * and goes on using the source, as windows do. */
typedef struct State {
    void *object;
    uint32_t config_len;
    char config[CONFIG_MAX];
} State;

static bool state_start(const SketchAggregate *a, State *s, Str config, Error *err) {
    if (config.len > CONFIG_MAX)
        return error_internal(err, "a sketch configuration of %zu bytes", config.len);
    memmove(s->config, config.ptr, config.len);
    s->config_len = (uint32_t)config.len;
    s->object = a->make((Str){s->config, s->config_len}, err);
    return s->object != NULL;
}

static const SketchAggregate *row_of(duckdb_function_info info) {
    return duckdb_aggregate_function_get_extra_info(info);
}

static void fail(duckdb_function_info info, const Error *err, Arena *arena) {
    duckdb_aggregate_function_set_error(info, str_z(error_message(err, arena), arena));
}

static idx_t state_size(duckdb_function_info info) {
    (void)info;
    return sizeof(State);
}

static void state_init(duckdb_function_info info, duckdb_aggregate_state state) {
    (void)info;
    memset(state, 0, sizeof(State));
}

static void state_update(duckdb_function_info info, duckdb_data_chunk input,
                         duckdb_aggregate_state *states) {
    const SketchAggregate *a = row_of(info);
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    idx_t count = duckdb_data_chunk_get_column_count(input),
          rows = duckdb_data_chunk_get_size(input);
    NativeVec *args = ARENA_ARRAY(arena, NativeVec, count);
    for (idx_t i = 0; i < count; i++)
        args[i] = native_vec(duckdb_data_chunk_get_vector(input, i), arena);
    for (idx_t row = 0; row < rows; row++) {
        State *s = (State *)states[row];
        if (!s || native_is_null(&args[count - 1], row)) {
            (void)!error_set(&err, ERR_INTERNAL_ERROR,
                             PZ("message", "a sketch without a state or configured by NULL"));
            fail(info, &err, arena);
            return;
        }
        if ((!s->object && !state_start(a, s, native_str_at(&args[count - 1], row), &err)) ||
            (!native_is_null(&args[0], row) && !a->update(s->object, args, row, &err))) {
            fail(info, &err, arena);
            return;
        }
    }
}

static void state_combine(duckdb_function_info info, duckdb_aggregate_state *source,
                          duckdb_aggregate_state *target, idx_t count) {
    const SketchAggregate *a = row_of(info);
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    for (idx_t i = 0; i < count; i++) {
        State *from = (State *)source[i], *to = (State *)target[i];
        if (!from->object)
            continue;
        if ((!to->object && !state_start(a, to, (Str){from->config, from->config_len}, &err)) ||
            !a->merge(to->object, from->object, &err)) {
            fail(info, &err, arena);
            return;
        }
    }
}

static void state_finish(duckdb_function_info info, duckdb_aggregate_state *source,
                         duckdb_vector result, idx_t count, idx_t offset) {
    const SketchAggregate *a = row_of(info);
    AUTO_ARENA arena = arena_new();
    Buf out = buf_in(arena);
    for (idx_t i = 0; i < count; i++) {
        State *s = (State *)source[i];
        if (!s->object) {
            duckdb_vector_ensure_validity_writable(result);
            duckdb_validity_set_row_invalid(duckdb_vector_get_validity(result), offset + i);
            continue;
        }
        buf_reset(&out);
        a->finish(s->object, &out);
        duckdb_vector_assign_string_element_len(result, offset + i, out.ptr, out.len);
    }
}

/* The destructor is not told whose states they are: each object starts with its release function. */
static void state_destroy(duckdb_aggregate_state *states, idx_t count) {
    for (idx_t i = 0; i < count; i++) {
        State *s = (State *)states[i];
        if (s->object)
            (*(void (**)(void *))s->object)(s->object);
        s->object = NULL;
    }
}

bool sketch_register(duckdb_connection c, const SketchAggregate *a, Error *err) {
    duckdb_aggregate_function f = duckdb_create_aggregate_function();
    duckdb_aggregate_function_set_name(f, a->name);
    for (const char *p = a->args; *p;) {
        duckdb_logical_type type = native_type(&p);
        duckdb_aggregate_function_add_parameter(f, type);
        duckdb_destroy_logical_type(&type);
    }
    duckdb_logical_type blob = duckdb_create_logical_type(DUCKDB_TYPE_BLOB);
    duckdb_aggregate_function_set_return_type(f, blob);
    duckdb_destroy_logical_type(&blob);
    duckdb_aggregate_function_set_special_handling(f);
    duckdb_aggregate_function_set_extra_info(f, (void *)a, NULL);
    duckdb_aggregate_function_set_functions(f, state_size, state_init, state_update, state_combine,
                                            state_finish);
    duckdb_aggregate_function_set_destructor(f, state_destroy);
    duckdb_state state = duckdb_register_aggregate_function(c, f);
    duckdb_destroy_aggregate_function(&f);
    return state == DuckDBSuccess || error_internal(err, "DuckDB refused the function %s", a->name);
}

/* ---- the hash ---- */

static uint64_t rotated(uint64_t v, int by) { return v << by | v >> (64 - by); }

static uint64_t mixed(uint64_t h) {
    h ^= h >> 33;
    h *= UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 33;
    h *= UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}

/* MurmurHash3_x64_128 (public domain), Austin Appleby. */
static duckdb_hugeint murmur128(Str key) {
    const uint64_t c1 = UINT64_C(0x87c37b91114253d5), c2 = UINT64_C(0x4cf5ad432745937f);
    uint64_t h1 = SKETCH_SEED, h2 = SKETCH_SEED, k1 = 0, k2 = 0;
    size_t blocks = key.len / 16, rest = key.len % 16, at = 0;
    for (size_t i = 0; i < blocks; i++, at += 16) {
        k1 = sketch_get(key, at, 8);
        k2 = sketch_get(key, at + 8, 8);
        h1 ^= rotated(k1 * c1, 31) * c2;
        h1 = (rotated(h1, 27) + h2) * 5 + 0x52dce729;
        h2 ^= rotated(k2 * c2, 33) * c1;
        h2 = (rotated(h2, 31) + h1) * 5 + 0x38495ab5;
    }
    k1 = sketch_get(key, at, rest > 8 ? 8 : (unsigned)rest);
    k2 = rest > 8 ? sketch_get(key, at + 8, (unsigned)rest - 8) : 0;
    h2 ^= rotated(k2 * c2, 33) * c1;
    h1 ^= rotated(k1 * c1, 31) * c2;
    h1 ^= key.len;
    h2 ^= key.len;
    h1 += h2;
    h2 += h1;
    h1 = mixed(h1);
    h2 = mixed(h2);
    h1 += h2;
    h2 += h1;
    return (duckdb_hugeint){.lower = h1, .upper = (int64_t)h2};
}

static void put_number(const NativeVec *v, idx_t row, Buf *out) {
    if (v->type == DUCKDB_TYPE_DOUBLE || v->type == DUCKDB_TYPE_FLOAT) {
        double d = v->type == DUCKDB_TYPE_DOUBLE ? ((const double *)v->data)[row]
                                                 : (double)((const float *)v->data)[row];
        uint64_t bits;
        if (d == 0)
            d = 0; /* -0.0 too */
        memcpy(&bits, &d, sizeof(bits));
        sketch_put(out, isnan(d) ? UINT64_C(0x7ff8000000000000) : d == 0 ? 0 : bits, 8);
    } else {
        sketch_put(out, (uint64_t)(int64_t)native_integer_at(v, row), 8);
    }
}

/* Empty texts and arrays are no items: NULL. */
static bool row_hash(Native *n, idx_t row) {
    const NativeVec *v = &n->args[0];
    Str key;
    if (native_type_is(v, DUCKDB_TYPE_VARCHAR, DUCKDB_TYPE_BLOB)) {
        key = native_str(n, 0, row);
    } else if (v->type == DUCKDB_TYPE_LIST) {
        duckdb_list_entry e = native_list(n, 0, row);
        bool ints = v->children[0].type == DUCKDB_TYPE_INTEGER;
        for (idx_t i = e.offset; i < e.offset + e.length; i++)
            sketch_put(&n->scratch, (uint64_t)(int64_t)native_integer_at(&v->children[0], i),
                       ints ? 4 : 8);
        key = e.length ? buf_str(&n->scratch) : S("");
    } else {
        put_number(v, row, &n->scratch);
        key = buf_str(&n->scratch);
    }
    if (!key.len)
        return native_set_null(n, row);
    ((duckdb_hugeint *)n->result)[row] = murmur128(key);
    return true;
}

static const NativeFunction FUNCTIONS[] = {{"ls_sketch_hash", "h:?", row_hash, 0, 0}};

bool native_register_sketch(duckdb_connection c, Error *err) {
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err) &&
           native_register_theta(c, err) && native_register_hll(c, err) &&
           native_register_kll(c, err) && native_register_count_min(c, err) &&
           native_register_frequent(c, err) && native_register_distinct(c, err);
}
