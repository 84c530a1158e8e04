/* VARIANT functions: parse_json, variant_get, casts both ways, schemas, variant_explode. */
#include "func/variant_cast.h"

#include "type/type.h"

typedef struct Chunk {
    const Type *type;
    const Zone *zone;
    VariantPath path;
    Str path_text;
} Chunk;

static Chunk *chunk_of(Native *n) {
    if (!n->chunk)
        n->chunk = ARENA_NEW(n->arena, Chunk);
    return n->chunk;
}

static bool malformed(Native *n) { return NATIVE_FAIL(n, ERR_MALFORMED_VARIANT); }

static bool read_arg(Native *n, const NativeVec *v, idx_t row, Variant *out) {
    return (v->child_count == 2 && variant_read(native_str_at(&v->children[0], row),
                                                native_str_at(&v->children[1], row), out)) ||
           malformed(n);
}

static void put_bytes(duckdb_vector v, idx_t at, Str s) {
    duckdb_vector_assign_string_element_len(v, at, s.len ? s.ptr : "", s.len);
}

static void put_pair(duckdb_vector variant, idx_t at, Str value, Str metadata) {
    put_bytes(duckdb_struct_vector_get_child(variant, 0), at, value);
    put_bytes(duckdb_struct_vector_get_child(variant, 1), at, metadata);
}

static bool set_node(Native *n, idx_t row, const VariantNode *node, const char *function) {
    Str value, metadata;
    if (!node)
        return malformed(n);
    if (!variant_write(node, n->arena, &value, &metadata))
        return NATIVE_FAIL(n, ERR_VARIANT_SIZE_LIMIT, PZ("sizeLimit", "128.0 MiB"),
                           P("functionName", str_printf(n->arena, "`%s`", function)));
    put_pair(n->out, row, value, metadata);
    return true;
}

/* (text, try) */
static bool row_parse_json(Native *n, idx_t row) {
    Str text = native_str(n, 0, row);
    VariantNode *node = variant_parse_json(text, n->arena);
    if (node)
        return set_node(n, row, node, "parse_json");
    if (native_bool(n, 1, row))
        return native_set_null(n, row);
    return NATIVE_FAIL(n, ERR_MALFORMED_RECORD_IN_PARSING__WITHOUT_SUGGESTION,
                       P("badRecord", text), PZ("failFastMode", "FAILFAST"));
}

/* (value, type as JSON) */
static bool row_to_variant(Native *n, idx_t row) {
    Chunk *c = chunk_of(n);
    Error err = error_in(n->arena);
    if (!c->type && !type_from_json(native_str(n, 1, row), n->arena, &c->type, &err))
        return native_fail_with(n, &err);
    return set_node(n, row, variant_from_vector(&n->args[0], row, c->type, n->arena),
                    "to_variant_object");
}

static bool follow(Native *n, idx_t row, Str text, Str function, Variant *out, bool *found) {
    Chunk *c = chunk_of(n);
    Variant whole;
    TRY(read_arg(n, &n->args[0], row, &whole));
    if (!c->path_text.ptr || !str_eq(c->path_text, text)) {
        if (!variant_parse_path(text, n->arena, &c->path))
            return NATIVE_FAIL(n, ERR_INVALID_VARIANT_GET_PATH, P("path", text),
                               P("functionName", str_printf(n->arena, "`" STR_FMT "`",
                                                            STR_ARG(function))));
        c->path_text = text;
    }
    return variant_follow(&whole, &c->path, out, found) || malformed(n);
}

/* (variant, path, function) */
static bool row_part(Native *n, idx_t row) {
    Variant part;
    bool found;
    TRY(follow(n, row, native_str(n, 1, row), native_str(n, 2, row), &part, &found));
    if (!found)
        return native_set_null(n, row);
    return set_node(n, row, variant_node_of(&part, n->arena), "variant_get");
}

/* (variant, path, function, type as JSON, zone, strict) */
static bool row_cast(Native *n, idx_t row) {
    Chunk *c = chunk_of(n);
    Error err = error_in(n->arena);
    if (!c->type && !type_from_json(native_str(n, 3, row), n->arena, &c->type, &err))
        return native_fail_with(n, &err);
    Variant part;
    bool found, null;
    TRY(follow(n, row, native_str(n, 1, row), native_str(n, 2, row), &part, &found));
    if (!found)
        return native_set_null(n, row);
    Str zone = native_str(n, 4, row), out;
    if (!c->zone)
        c->zone = zone_find(zone);
    VariantCast cast = {c->zone, zone, native_bool(n, 5, row), n->arena, &err};
    if (!variant_cast(&cast, &part, c->type, &out, &null))
        return native_fail_with(n, &err);
    return null ? native_set_null(n, row) : native_set_str(n, row, out);
}

static bool row_is_null(Native *n, idx_t row) {
    Variant v;
    if (native_arg_null(n, 0, row))
        return native_set_bool(n, row, false);
    TRY(read_arg(n, &n->args[0], row, &v));
    return native_set_bool(n, row, v.kind == VARIANT_NULL);
}

static bool row_is_valid(Native *n, idx_t row) {
    Variant v;
    const NativeVec *arg = &n->args[0];
    bool valid = variant_read(native_str_at(&arg->children[0], row),
                              native_str_at(&arg->children[1], row), &v);
    return native_set_bool(n, row, valid && variant_node_of(&v, n->arena));
}

static bool row_schema(Native *n, idx_t row) {
    Variant v;
    TRY(read_arg(n, &n->args[0], row, &v));
    const Type *t = variant_schema(&v, n->arena);
    if (!t)
        return malformed(n);
    variant_put_schema(t, n->arena, &n->scratch);
    return native_set_scratch(n, row);
}

/* The common schema of a list of variants. */
static bool row_schemas(Native *n, idx_t row) {
    duckdb_list_entry e = native_list(n, 0, row);
    const NativeVec *items = &n->args[0].children[0];
    const Type *t = type_simple(TYPE_NULL);
    for (idx_t i = e.offset; i < e.offset + e.length; i++) {
        Variant v;
        if (native_is_null(items, i))
            continue;
        TRY(read_arg(n, items, i, &v));
        const Type *next = variant_schema(&v, n->arena);
        if (!next)
            return malformed(n);
        t = variant_merge_schema(t, next, n->arena);
    }
    variant_put_schema(t, n->arena, &n->scratch);
    return native_set_scratch(n, row);
}

/* Members as (pos, key, value), which keep the whole's dictionary. */
static bool row_members(Native *n, idx_t row) {
    Variant v;
    TRY(read_arg(n, &n->args[0], row, &v));
    idx_t at = native_list_begin(n, row, v.count);
    NativeVec *item = &n->out_vec.children[0];
    for (uint32_t i = 0; i < v.count; i++, at++) {
        Variant member;
        Str key = {0};
        if (!variant_member(&v, i, &key, &member))
            return malformed(n);
        ((int32_t *)item->children[0].data)[at] = (int32_t)i;
        if (v.kind == VARIANT_OBJECT)
            put_bytes(item->children[1].vector, at, key);
        else
            native_vec_set_null(&item->children[1], at);
        put_pair(item->children[2].vector, at, variant_bytes(&member), v.metadata);
    }
    return true;
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "hex:hex", as variant_cast writes a variant inside a larger value. */
static bool row_unpack(Native *n, idx_t row) {
    Str text = native_str(n, 0, row);
    size_t split = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == ':') {
            split = n->scratch.len;
            continue;
        }
        int high = hex_digit(text.ptr[i]), low = i + 1 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
        if (high < 0 || low < 0)
            return malformed(n);
        buf_addc(&n->scratch, (char)(high << 4 | low));
        i++;
    }
    Str all = buf_str(&n->scratch);
    put_pair(n->out, row, str_slice(all, 0, split), str_slice(all, split, all.len));
    return true;
}

/* ---- registration ---- */

static const NativeFunction TO_VARIANT[] = {
    {"ls_parse_json", "sb", row_parse_json, 0, 0},
    {"ls_to_variant", "?s", row_to_variant, NATIVE_SEES_NULL, 0},
    {"ls_variant_part", "?ss", row_part, 0, 0},
    {"ls_variant_unpack", "s", row_unpack, 0, 0},
};

static const NativeFunction FROM_VARIANT[] = {
    {"ls_variant_cast", "s:?ssssb", row_cast, 0, 0},
    {"ls_variant_is_null", "b:?", row_is_null, NATIVE_SEES_NULL, 0},
    {"ls_variant_is_valid", "b:?", row_is_valid, 0, 0},
    {"ls_variant_schema", "s:?", row_schema, 0, 0},
    {"ls_variant_schemas", "s:?", row_schemas, 0, 0},
};

static duckdb_logical_type variant_type(void) {
    const char *names[] = {"value", "metadata"};
    duckdb_logical_type blob = duckdb_create_logical_type(DUCKDB_TYPE_BLOB);
    duckdb_logical_type parts[] = {blob, blob};
    duckdb_logical_type out = duckdb_create_struct_type(parts, names, 2);
    duckdb_destroy_logical_type(&blob);
    return out;
}

static bool register_members(duckdb_connection c, duckdb_logical_type variant, Error *err) {
    static const NativeFunction MEMBERS = {"ls_variant_members", "?", row_members, 0, 0};
    const char *names[] = {"pos", "key", "value"};
    duckdb_logical_type parts[] = {duckdb_create_logical_type(DUCKDB_TYPE_INTEGER),
                                   duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR), variant};
    duckdb_logical_type item = duckdb_create_struct_type(parts, names, 3);
    duckdb_logical_type list = duckdb_create_list_type(item);
    bool ok = native_register_typed(c, &MEMBERS, list, MEMBERS.signature, err);
    duckdb_destroy_logical_type(&list);
    duckdb_destroy_logical_type(&item);
    duckdb_destroy_logical_type(&parts[0]);
    duckdb_destroy_logical_type(&parts[1]);
    return ok;
}

bool native_register_variant(duckdb_connection c, Error *err) {
    duckdb_logical_type variant = variant_type();
    bool ok = native_register_table(c, FROM_VARIANT, LENGTH_OF(FROM_VARIANT), err) &&
              register_members(c, variant, err);
    for (size_t i = 0; ok && i < LENGTH_OF(TO_VARIANT); i++)
        ok = native_register_typed(c, &TO_VARIANT[i], variant, TO_VARIANT[i].signature, err);
    duckdb_destroy_logical_type(&variant);
    return ok;
}
