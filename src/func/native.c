/* Registering C functions with DuckDB, and the row loop around them. */
#include "func/native_impl.h"

#include <stdlib.h>

#include "type/type.h"
#include "type/value.h"

/* ---- vectors ---- */

static void read_type(NativeVec *v, duckdb_logical_type type, Arena *arena) {
    v->type = duckdb_get_type_id(type);
    if (v->type == DUCKDB_TYPE_DECIMAL) {
        v->width = duckdb_decimal_width(type);
        v->scale = duckdb_decimal_scale(type);
        v->internal = duckdb_decimal_internal_type(type);
    } else if (v->type == DUCKDB_TYPE_STRUCT) {
        v->child_count = duckdb_struct_type_child_count(type);
        v->names = ARENA_ARRAY(arena, Str, v->child_count + 1);
        for (size_t i = 0; i < v->child_count; i++) {
            char *name = duckdb_struct_type_child_name(type, i);
            v->names[i] = str_copy(str_from(name), arena);
            duckdb_free(name);
        }
    } else if (v->type == DUCKDB_TYPE_LIST || v->type == DUCKDB_TYPE_MAP) {
        v->child_count = 1;
    }
}

NativeVec native_vec(duckdb_vector vector, Arena *arena) {
    NativeVec v = {.vector = vector};
    duckdb_logical_type type = duckdb_vector_get_column_type(vector);
    read_type(&v, type, arena);
    duckdb_destroy_logical_type(&type);
    v.data = duckdb_vector_get_data(vector);
    v.valid = duckdb_vector_get_validity(vector);
    if (v.child_count)
        v.children = ARENA_ARRAY(arena, NativeVec, v.child_count);
    for (size_t i = 0; i < v.child_count; i++)
        v.children[i] =
            native_vec(v.type == DUCKDB_TYPE_STRUCT ? duckdb_struct_vector_get_child(vector, i)
                                                    : duckdb_list_vector_get_child(vector),
                       arena);
    return v;
}

bool native_type_is(const NativeVec *v, duckdb_type a, duckdb_type b) {
    return v->type == a || v->type == b;
}

__int128 native_integer_at(const NativeVec *v, idx_t row) {
    duckdb_type t = v->type == DUCKDB_TYPE_DECIMAL ? v->internal : v->type;
    switch (t) {
    case DUCKDB_TYPE_BOOLEAN:
        return ((const bool *)v->data)[row];
    case DUCKDB_TYPE_TINYINT:
        return ((const int8_t *)v->data)[row];
    case DUCKDB_TYPE_SMALLINT:
        return ((const int16_t *)v->data)[row];
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_DATE:
        return ((const int32_t *)v->data)[row];
    case DUCKDB_TYPE_HUGEINT: {
        const duckdb_hugeint *h = &((const duckdb_hugeint *)v->data)[row];
        return (__int128)(((unsigned __int128)(uint64_t)h->upper << 64) | h->lower);
    }
    default:
        return ((const int64_t *)v->data)[row];
    }
}

double native_double_at(const NativeVec *v, idx_t row, Arena *arena) {
    if (v->type == DUCKDB_TYPE_DOUBLE)
        return ((const double *)v->data)[row];
    if (v->type == DUCKDB_TYPE_FLOAT)
        return ((const float *)v->data)[row];
    __int128 i = native_integer_at(v, row);
    if (v->type != DUCKDB_TYPE_DECIMAL || v->scale == 0)
        return (double)i;
    static const double POW[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (i > -(INT64_C(1) << 53) && i < (INT64_C(1) << 53) && v->scale <= 22)
        return (double)i / POW[v->scale];
    I128 u = {(uint64_t)i, (int64_t)(i >> 64)};
    return strtod(str_z(value_decimal_text(u, v->scale, arena), arena), NULL);
}

/* ---- writing ---- */

bool native_set_null(Native *n, idx_t row) {
    if (!n->out_valid) {
        duckdb_vector_ensure_validity_writable(n->out);
        n->out_valid = duckdb_vector_get_validity(n->out);
    }
    n->out_valid[row >> 6] &= ~(UINT64_C(1) << (row & 63));
    if (n->out_vec.type == DUCKDB_TYPE_LIST || n->out_vec.type == DUCKDB_TYPE_MAP)
        ((duckdb_list_entry *)n->result)[row] = (duckdb_list_entry){n->out_used, 0};
    for (size_t i = 0; n->out_vec.type == DUCKDB_TYPE_STRUCT && i < n->out_vec.child_count; i++)
        native_vec_set_null(&n->out_vec.children[i], row);
    return true;
}

bool native_set_str(Native *n, idx_t row, Str s) {
    duckdb_vector_assign_string_element_len(n->out, row, s.len ? s.ptr : "", s.len);
    return true;
}

bool native_set_scratch(Native *n, idx_t row) {
    return native_set_str(n, row, buf_str(&n->scratch));
}

idx_t native_list_begin(Native *n, idx_t row, idx_t count) {
    idx_t start = n->out_used;
    duckdb_list_vector_reserve(n->out, start + count);
    duckdb_list_vector_set_size(n->out, start + count);
    n->out_used = start + count;
    ((duckdb_list_entry *)n->result)[row] = (duckdb_list_entry){start, count};
    n->out_vec = native_vec(n->out, n->arena);
    return start;
}

void native_vec_set_null(NativeVec *v, idx_t at) {
    duckdb_vector_ensure_validity_writable(v->vector);
    v->valid = duckdb_vector_get_validity(v->vector);
    v->valid[at >> 6] &= ~(UINT64_C(1) << (at & 63));
}

bool native_fail_with(Native *n, const Error *err) {
    duckdb_scalar_function_set_error(n->info, str_z(error_message(err, n->arena), n->arena));
    return false;
}

bool native_fail(Native *n, ErrorClass cls, const ErrorParam *params) {
    Error err = error_in(n->arena);
    error_set_params(&err, cls, params);
    return native_fail_with(n, &err);
}

/* ---- the loop ---- */

static bool any_null(const Native *n, idx_t row) {
    for (size_t i = 0; i < n->argc; i++)
        if (native_is_null(&n->args[i], row))
            return true;
    return false;
}

static void run(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
    AUTO_ARENA arena = arena_new();
    Native n = {.info = info,
                .function = duckdb_scalar_function_get_extra_info(info),
                .out = output,
                .arena = arena};
    n.argc = duckdb_data_chunk_get_column_count(input);
    n.rows = duckdb_data_chunk_get_size(input);
    n.args = ARENA_ARRAY(arena, NativeVec, n.argc + 1);
    for (size_t i = 0; i < n.argc; i++)
        n.args[i] = native_vec(duckdb_data_chunk_get_vector(input, i), arena);
    n.result = duckdb_vector_get_data(output);
    n.out_vec = native_vec(output, arena);
    if (n.out_vec.type == DUCKDB_TYPE_LIST || n.out_vec.type == DUCKDB_TYPE_MAP)
        n.out_used = duckdb_list_vector_get_size(output);
    n.scratch = buf_in(arena);
    if (n.function->chunk && n.rows && n.function->chunk(&n))
        return;
    bool sees_null = n.function->flags & NATIVE_SEES_NULL;
    for (idx_t row = 0; row < n.rows; row++) {
        if (!sees_null && any_null(&n, row)) {
            native_set_null(&n, row);
            continue;
        }
        buf_reset(&n.scratch);
        if (!n.function->row(&n, row))
            return;
    }
}

/* ---- registration ---- */

static void init_state(duckdb_init_info info) {
    void *state = duckdb_malloc(NATIVE_STATE_BYTES);
    memset(state, 0, NATIVE_STATE_BYTES);
    duckdb_scalar_function_init_set_state(info, state, duckdb_free);
}

static duckdb_type letter_type(char c) {
    switch (c) {
    case 'b':
        return DUCKDB_TYPE_BOOLEAN;
    case '1':
        return DUCKDB_TYPE_TINYINT;
    case '2':
        return DUCKDB_TYPE_SMALLINT;
    case '4':
        return DUCKDB_TYPE_INTEGER;
    case '8':
        return DUCKDB_TYPE_BIGINT;
    case 'h':
        return DUCKDB_TYPE_HUGEINT;
    case 'f':
        return DUCKDB_TYPE_FLOAT;
    case 'd':
        return DUCKDB_TYPE_DOUBLE;
    case 's':
        return DUCKDB_TYPE_VARCHAR;
    case 'x':
        return DUCKDB_TYPE_BLOB;
    case 'D':
        return DUCKDB_TYPE_DATE;
    case 'n':
        return DUCKDB_TYPE_TIMESTAMP;
    case 'z':
        return DUCKDB_TYPE_TIMESTAMP_TZ;
    case 'T':
        return DUCKDB_TYPE_TIME;
    case 'v':
        return DUCKDB_TYPE_INTERVAL;
    case '?':
        return DUCKDB_TYPE_ANY;
    default:
        abort();
    }
}

duckdb_logical_type native_type(const char **text) {
    char c = *(*text)++;
    if (c == '[') {
        duckdb_logical_type element = native_type(text);
        duckdb_logical_type list = duckdb_create_list_type(element);
        duckdb_destroy_logical_type(&element);
        return list;
    }
    if (c == '{') {
        duckdb_logical_type key = native_type(text);
        (*text)++;
        duckdb_logical_type value = native_type(text);
        (*text)++;
        duckdb_logical_type map = duckdb_create_map_type(key, value);
        duckdb_destroy_logical_type(&key);
        duckdb_destroy_logical_type(&value);
        return map;
    }
    return duckdb_create_logical_type(letter_type(c));
}

bool native_register_typed(duckdb_connection connection, const NativeFunction *f,
                           duckdb_logical_type result, const char *args, Error *err) {
    duckdb_scalar_function s = duckdb_create_scalar_function();
    duckdb_scalar_function_set_name(s, f->name);
    duckdb_scalar_function_set_return_type(s, result);
    for (const char *p = args; *p;) {
        bool repeated = *p == '*';
        if (repeated)
            p++;
        duckdb_logical_type type = native_type(&p);
        if (repeated)
            duckdb_scalar_function_set_varargs(s, type);
        else
            duckdb_scalar_function_add_parameter(s, type);
        duckdb_destroy_logical_type(&type);
    }
    if (f->flags & NATIVE_SEES_NULL)
        duckdb_scalar_function_set_special_handling(s);
    if (f->flags & NATIVE_VOLATILE)
        duckdb_scalar_function_set_volatile(s);
    if (f->flags & NATIVE_STATE)
        duckdb_scalar_function_set_init(s, init_state);
    duckdb_scalar_function_set_extra_info(s, (void *)f, NULL);
    duckdb_scalar_function_set_function(s, run);
    duckdb_state state = duckdb_register_scalar_function(connection, s);
    duckdb_destroy_scalar_function(&s);
    return state == DuckDBSuccess || error_internal(err, "DuckDB refused the function %s", f->name);
}

static bool register_one(duckdb_connection connection, const NativeFunction *f, Error *err) {
    const char *p = f->signature;
    duckdb_logical_type result = native_type(&p);
    bool ok = native_register_typed(connection, f, result, p + 1, err);
    duckdb_destroy_logical_type(&result);
    return ok;
}

bool native_register_table(duckdb_connection connection, const NativeFunction *at, size_t count,
                           Error *err) {
    for (size_t i = 0; i < count; i++)
        TRY(register_one(connection, &at[i], err));
    return true;
}

bool func_register_all(duckdb_connection c, Error *err) {
    return native_register_cast(c, err) && native_register_decimal(c, err) &&
           native_register_math(c, err) && native_register_string(c, err) &&
           native_register_regex(c, err) && native_register_datetime(c, err) &&
           native_register_hash(c, err) && native_register_json(c, err) &&
           native_register_collection(c, err) && native_register_map(c, err) && native_register_session(c, err) &&
           native_register_special(c, err) && native_register_aggregate(c, err) &&
           native_register_variant(c, err) && native_register_sketch(c, err) &&
           native_register_xml(c, err) && native_register_vector(c, err) &&
           native_register_pandas(c, err) && native_register_geo(c, err) &&
           native_register_collation(c, err) && native_register_curve(c, err);
}
