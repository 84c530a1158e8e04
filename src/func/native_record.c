/* from_json, from_csv, to_json, to_csv. The readers give a list of texts, one for each field of the
 * schema's top level, nested values being JSON arrays of texts again; rows_json.c turns that into
 * typed values. */
#include "func/record_text.h"
#include "func/variant.h"

#include <stdlib.h>

#include "type/number_text.h"

enum { RECORD_MAX_DEPTH = TYPE_MAX_DEPTH };

typedef struct Chunk {
    const Type *type;
    RecordOptions o;
} Chunk;

/* (value, type as JSON, options): both constants of the call */
static bool chunk_of(Native *n, idx_t row, Chunk **out) {
    if (!n->chunk) {
        Chunk *c = ARENA_NEW(n->arena, Chunk);
        Error err = error_in(n->arena);
        if (!type_from_json(native_str(n, 1, row), n->arena, &c->type, &err) ||
            !record_options_read(native_str(n, 2, row), n->arena, &c->o, &err))
            return native_fail_with(n, &err);
        n->chunk = c;
    }
    *out = n->chunk;
    return true;
}

bool record_constants(Native *n, idx_t row, const Type **type, const RecordOptions **o) {
    Chunk *c;
    TRY(chunk_of(n, row, &c));
    *type = c->type;
    *o = &c->o;
    return true;
}

/* ---- reading ---- */

typedef struct Reading {
    const RecordOptions *o;
    Arena *arena;
    Error *err;
    bool bad; /* something did not fit its type */
} Reading;

/* One value as text for the list: *null when it is NULL. False: it does not fit, or err is set. */
static bool read_node(Reading *r, const JsonNode *v, const Type *t, Str *out, bool *null);

void record_put_entry(Buf *b, bool first, Str text, bool null, const Type *t) {
    if (!first)
        buf_addc(b, ',');
    if (null)
        buf_addz(b, "null");
    else if (type_is_nested(t))
        buf_add(b, text);
    else
        json_node_put_string(text, b);
}

static bool read_string_value(Reading *r, const JsonNode *v, Str *out) {
    if (v->kind == JSON_STRING) {
        *out = v->text;
        return true;
    }
    Buf b = buf_in(r->arena);
    json_node_put(v, &b);
    *out = buf_str(&b);
    return true;
}

static bool read_base64(Str s, Arena *arena, Str *out) {
    uint32_t bits = 0;
    int have = 0;
    Buf b = buf_in(arena);
    for (size_t i = 0; i < s.len && s.ptr[i] != '='; i++) {
        char c = s.ptr[i];
        int d = c >= 'A' && c <= 'Z'   ? c - 'A'
                : c >= 'a' && c <= 'z' ? c - 'a' + 26
                : c >= '0' && c <= '9' ? c - '0' + 52
                : c == '+'             ? 62
                : c == '/'             ? 63
                                       : -1;
        if (d < 0)
            return false;
        bits = bits << 6 | (uint32_t)d;
        have += 6;
        if (have >= 8) {
            have -= 8;
            buf_addc(&b, (char)(bits >> have));
        }
    }
    *out = b.len ? buf_str(&b) : S("");
    return true;
}

static bool read_scalar(Reading *r, const JsonNode *v, const Type *t, Str *out) {
    bool number = v->kind == JSON_INTEGER || v->kind == JSON_REAL, text = v->kind == JSON_STRING;
    switch (t->kind) {
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        return read_string_value(r, v, out);
    case TYPE_BOOLEAN:
        *out = v->kind == JSON_TRUE ? S("true") : S("false");
        return v->kind == JSON_TRUE || v->kind == JSON_FALSE;
    case TYPE_BYTE: {
        int64_t i;
        if (v->kind != JSON_INTEGER || !str_to_i64(v->text, &i) || i < -128 || i > 255)
            return false;
        *out = str_printf(r->arena, "%d", (int)(int8_t)i); /* Jackson takes 128..255 too */
        return true;
    }
    case TYPE_BINARY: {
        Str bytes;
        return text && read_base64(v->text, r->arena, &bytes) &&
               record_leaf(bytes, t, r->o, r->arena, out, r->err);
    }
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
        return v->kind == JSON_INTEGER && record_leaf(v->text, t, r->o, r->arena, out, r->err);
    case TYPE_FLOAT:
    case TYPE_DOUBLE: {
        static const char *const WORDS[] = {"NaN",  "Infinity",  "+Infinity", "INF",
                                            "+INF", "-Infinity", "-INF"};
        bool special = false;
        for (size_t i = 0; text && i < LENGTH_OF(WORDS); i++)
            special |= str_is(v->text, WORDS[i]);
        return (number || special) && record_leaf(v->text, t, r->o, r->arena, out, r->err);
    }
    case TYPE_DECIMAL:
        return (number || (text && v->text.len)) &&
               record_leaf(v->text, t, r->o, r->arena, out, r->err);
    case TYPE_TIMESTAMP:
        if (v->kind == JSON_INTEGER) {
            int64_t seconds;
            if (!str_to_i64(v->text, &seconds) ||
                __builtin_mul_overflow(seconds, US_PER_SECOND, &seconds))
                return false;
            *out = str_printf(r->arena, "%lld", (long long)seconds);
            return true;
        }
        return text && v->text.len && record_leaf(v->text, t, r->o, r->arena, out, r->err);
    default:
        return text && v->text.len && record_leaf(v->text, t, r->o, r->arena, out, r->err);
    }
}

/* The fields of a struct in schema order; those that do not fit are NULL and make the record a bad
 * one. */
static bool read_fields(Reading *r, const JsonNode *v, const Type *t, Str *texts, bool *nulls) {
    for (size_t i = 0; i < t->structure.count; i++) {
        const JsonNode *field = json_node_field(v, t->structure.fields[i].name);
        nulls[i] = true;
        if (!field)
            continue;
        if (!read_node(r, field, t->structure.fields[i].type, &texts[i], &nulls[i])) {
            if (error_is_set(r->err))
                return false;
            r->bad = nulls[i] = true;
        }
    }
    return true;
}

static bool read_struct(Reading *r, const JsonNode *v, const Type *t, Str *out) {
    size_t n = t->structure.count;
    Str *texts = ARENA_ARRAY(r->arena, Str, n + 1);
    bool *nulls = ARENA_ARRAY(r->arena, bool, n + 1);
    if (v->kind != JSON_OBJECT || !read_fields(r, v, t, texts, nulls))
        return false;
    Buf b = buf_in(r->arena);
    buf_addc(&b, '[');
    for (size_t i = 0; i < n; i++)
        record_put_entry(&b, !i, texts[i], nulls[i], t->structure.fields[i].type);
    buf_addc(&b, ']');
    *out = buf_str(&b);
    return true;
}

/* All elements or none: one that does not fit takes the whole list. */
static bool read_list(Reading *r, const JsonNode *v, const Type *element, bool keys, Buf *b) {
    Reading inner = *r;
    buf_addc(b, '[');
    for (const JsonNode *c = v->first; c; c = c->next) {
        Str text;
        bool null = false;
        if (keys)
            text = c->key;
        else if (!read_node(&inner, c, element, &text, &null) || inner.bad)
            return false;
        record_put_entry(b, c == v->first, text, null, element);
    }
    buf_addc(b, ']');
    return true;
}

static bool read_node(Reading *r, const JsonNode *v, const Type *t, Str *out, bool *null) {
    *null = v->kind == JSON_NULL;
    if (*null)
        return true;
    Buf b = buf_in(r->arena);
    if (t->kind == TYPE_STRUCT)
        return read_struct(r, v, t, out);
    if (t->kind == TYPE_ARRAY) {
        if (v->kind != JSON_ARRAY || !read_list(r, v, t->array.element, false, &b))
            return false;
    } else if (t->kind == TYPE_MAP) {
        if (v->kind != JSON_OBJECT)
            return false;
        buf_addc(&b, '[');
        read_list(r, v, t->map.key, true, &b);
        buf_addc(&b, ',');
        if (!read_list(r, v, t->map.value, false, &b))
            return false;
        buf_addc(&b, ']');
    } else {
        return read_scalar(r, v, t, out);
    }
    *out = buf_str(&b);
    return true;
}

static void set_entry(Native *n, idx_t at, Str s, bool null) {
    if (null)
        native_vec_set_null(&n->out_vec.children[0], at);
    else
        duckdb_vector_assign_string_element_len(n->out_vec.children[0].vector, at,
                                                s.len ? s.ptr : "", s.len);
}

static bool malformed(Native *n, const Type *t, const Str *texts, const bool *nulls) {
    Buf b = buf_in(n->arena);
    buf_addc(&b, '[');
    for (size_t i = 0; t->kind == TYPE_STRUCT && i < t->structure.count; i++)
        buf_addf(&b, "%s" STR_FMT, i ? "," : "", STR_ARG(nulls[i] ? S("null") : texts[i]));
    if (t->kind != TYPE_STRUCT)
        buf_addz(&b, "null");
    buf_addc(&b, ']');
    return NATIVE_FAIL(n, ERR_MALFORMED_RECORD_IN_PARSING__WITHOUT_SUGGESTION,
                       P("badRecord", buf_str(&b)), PZ("failFastMode", "FAILFAST"));
}

/* A struct at the top: its fields, the record itself in the column for corrupt ones. */
bool record_set(Native *n, idx_t row, const Type *t, const RecordOptions *o, const Str *texts,
                const bool *nulls, bool bad, Str record) {
    if (bad && o->fail_fast)
        return malformed(n, t, texts, nulls);
    idx_t at = native_list_begin(n, row, t->structure.count);
    for (size_t i = 0; i < t->structure.count; i++) {
        bool corrupt = str_eq(t->structure.fields[i].name, o->corrupt_column) &&
                       type_is_stringy(t->structure.fields[i].type);
        set_entry(n, at + i, corrupt ? record : texts[i], corrupt ? !bad : nulls[i]);
    }
    return true;
}

/* An array or map at the top: the entries of the text that read_node wrote. */
static bool set_items(Native *n, idx_t row, Str text) {
    JsonNode *root = json_node_parse(text, NULL, n->arena);
    idx_t at = native_list_begin(n, row, root ? root->count : 0);
    for (const JsonNode *e = root ? root->first : NULL; e; e = e->next, at++)
        set_entry(n, at, e->kind == JSON_STRING ? e->text : e->raw, e->kind == JSON_NULL);
    return true;
}

static bool from_json_struct(Native *n, idx_t row, const Chunk *c, const JsonNode *root, Str text) {
    size_t count = c->type->structure.count;
    Str *texts = ARENA_ARRAY(n->arena, Str, count + 1);
    bool *nulls = ARENA_ARRAY(n->arena, bool, count + 1);
    memset(nulls, true, count);
    Error err = error_in(n->arena);
    Reading r = {&c->o, n->arena, &err, !root || root->kind != JSON_OBJECT};
    if (!r.bad && !read_fields(&r, root, c->type, texts, nulls))
        return native_fail_with(n, &err);
    return record_set(n, row, c->type, &c->o, texts, nulls, r.bad, text);
}

static bool row_from_json(Native *n, idx_t row) {
    Chunk *c;
    TRY(chunk_of(n, row, &c));
    Str text = native_str(n, 0, row);
    if (!str_trim(text).len)
        return native_set_null(n, row);
    JsonNode *root = json_node_parse(text, &c->o.dialect, n->arena);
    if (c->type->kind == TYPE_STRUCT)
        return from_json_struct(n, row, c, root, text);
    if (root && c->type->kind == TYPE_ARRAY && c->type->array.element->kind == TYPE_STRUCT &&
        root->kind == JSON_OBJECT) {
        JsonNode *one =
            ARENA_NEW(n->arena, JsonNode); /* a single object counts as an array of one */
        *one = (JsonNode){.kind = JSON_ARRAY, .first = root, .count = 1};
        root = one;
    }
    Error err = error_in(n->arena);
    Reading r = {&c->o, n->arena, &err, false};
    Str out = {0};
    bool null = true, ok = root && read_node(&r, root, c->type, &out, &null);
    if (error_is_set(&err))
        return native_fail_with(n, &err);
    if ((!ok || r.bad) && c->o.fail_fast)
        return malformed(n, c->type, NULL, NULL);
    return ok && !null ? set_items(n, row, out) : native_set_null(n, row);
}

static bool row_from_csv(Native *n, idx_t row) {
    Chunk *c;
    TRY(chunk_of(n, row, &c));
    Str text = native_str(n, 0, row);
    const Type *t = c->type;
    size_t count = t->structure.count, token = 0;
    Str *texts = ARENA_ARRAY(n->arena, Str, count + 1);
    bool *nulls = ARENA_ARRAY(n->arena, bool, count + 1), bad = false;
    Error err = error_in(n->arena);
    CsvFields fields = {0};
    record_split_csv(text, &c->o, n->arena, &fields);
    for (size_t i = 0; i < count; i++) {
        const Field *f = &t->structure.fields[i];
        nulls[i] = true;
        if (type_is_nested(f->type))
            return NATIVE_FAIL(n, ERR_UNSUPPORTED_DATATYPE,
                               P("typeName", str_printf(n->arena, "\"" STR_FMT "\"",
                                                        STR_ARG(type_sql(f->type, n->arena)))));
        if (str_eq(f->name, c->o.corrupt_column) && type_is_stringy(f->type))
            continue;
        if (token >= fields.len) {
            bad = true;
            continue;
        }
        Str value = fields.at[token++];
        bool real = f->type->kind == TYPE_DOUBLE || f->type->kind == TYPE_FLOAT ||
                    f->type->kind == TYPE_DECIMAL;
        nulls[i] = !value.ptr || !record_leaf(real ? str_trim(value) : value, f->type, &c->o,
                                              n->arena, &texts[i], &err);
        if (error_is_set(&err))
            return native_fail_with(n, &err);
        bad |= nulls[i] && value.ptr;
    }
    bad |= token < fields.len;
    return record_set(n, row, t, &c->o, texts, nulls, bad, text);
}

/* ---- writing ---- */

typedef struct Writing {
    const RecordOptions *o;
    Error *err;
    bool keep_nulls;
} Writing;

static bool put_value(const Writing *w, const NativeVec *v, idx_t i, const Type *t, Buf *out);

static bool put_struct(const Writing *w, const NativeVec *v, idx_t i, const Type *t, Buf *out) {
    bool first = true;
    buf_addc(out, '{');
    for (size_t k = 0; k < t->structure.count && k < v->child_count; k++) {
        if (native_is_null(&v->children[k], i) && !w->keep_nulls)
            continue;
        if (!first)
            buf_addc(out, ',');
        first = false;
        json_node_put_string(t->structure.fields[k].name, out);
        buf_addc(out, ':');
        TRY(put_value(w, &v->children[k], i, t->structure.fields[k].type, out));
    }
    buf_addc(out, '}');
    return true;
}

/* A map's key as text; a struct as its row prints. */
static bool put_key(const Writing *w, const NativeVec *v, idx_t i, const Type *t, Buf *out) {
    if (t->kind != TYPE_STRUCT)
        return record_value_text(v, i, t, w->o, out, w->err);
    buf_addc(out, '[');
    for (size_t k = 0; k < t->structure.count; k++) {
        if (k)
            buf_addc(out, ',');
        if (native_is_null(&v->children[k], i))
            buf_addz(out, "null");
        else
            TRY(put_key(w, &v->children[k], i, t->structure.fields[k].type, out));
    }
    buf_addc(out, ']');
    return true;
}

static bool put_map(const Writing *w, const NativeVec *v, idx_t i, const Type *t, Buf *out) {
    duckdb_list_entry e = ((const duckdb_list_entry *)v->data)[i];
    const NativeVec *entry = &v->children[0];
    buf_addc(out, '{');
    for (idx_t k = e.offset; k < e.offset + e.length; k++) {
        Buf key = buf_in(w->o->arena);
        if (k > e.offset)
            buf_addc(out, ',');
        TRY(put_key(w, &entry->children[0], k, t->map.key, &key));
        json_node_put_string(buf_str(&key), out);
        buf_addc(out, ':');
        TRY(put_value(w, &entry->children[1], k, t->map.value, out));
    }
    buf_addc(out, '}');
    return true;
}

static bool put_array(const Writing *w, const NativeVec *v, idx_t i, const Type *t, Buf *out) {
    duckdb_list_entry e = ((const duckdb_list_entry *)v->data)[i];
    buf_addc(out, '[');
    for (idx_t k = e.offset; k < e.offset + e.length; k++) {
        if (k > e.offset)
            buf_addc(out, ',');
        TRY(put_value(w, &v->children[0], k, t->array.element, out));
    }
    buf_addc(out, ']');
    return true;
}

static bool is_bare(const Type *t) { return type_is_numeric(t) || t->kind == TYPE_BOOLEAN; }

static bool put_value(const Writing *w, const NativeVec *v, idx_t i, const Type *t, Buf *out) {
    if (native_is_null(v, i) || t->kind == TYPE_NULL) {
        buf_addz(out, "null");
        return true;
    }
    if (t->kind == TYPE_STRUCT)
        return put_struct(w, v, i, t, out);
    if (t->kind == TYPE_MAP)
        return put_map(w, v, i, t, out);
    if (t->kind == TYPE_ARRAY)
        return put_array(w, v, i, t, out);
    if (t->kind == TYPE_VARIANT) {
        Variant variant;
        return (variant_read(native_str_at(&v->children[0], i), native_str_at(&v->children[1], i),
                             &variant) &&
                variant_put_json(&variant, w->o->zone, out)) ||
               error_set(w->err, ERR_MALFORMED_VARIANT);
    }
    Buf text = buf_in(w->o->arena);
    TRY(record_value_text(v, i, t, w->o, &text, w->err));
    Str s = text.len ? buf_str(&text) : S("");
    bool special = (t->kind == TYPE_DOUBLE || t->kind == TYPE_FLOAT) &&
                   (str_find_char(s, 'N') >= 0 || str_find_char(s, 'I') >= 0);
    if (is_bare(t) && !special)
        buf_add(out, s);
    else
        json_node_put_string(s, out);
    return true;
}

static int key_order(const void *a, const void *b) {
    return str_cmp((*(const JsonNode *const *)a)->key, (*(const JsonNode *const *)b)->key);
}

static void sort_keys(JsonNode *v, Arena *arena) {
    for (JsonNode *c = v->first; c; c = c->next)
        sort_keys(c, arena);
    if (v->kind != JSON_OBJECT || v->count < 2)
        return;
    JsonNode **all = ARENA_ARRAY(arena, JsonNode *, v->count);
    size_t n = 0;
    for (JsonNode *c = v->first; c; c = c->next)
        all[n++] = c;
    qsort(all, n, sizeof(*all), key_order);
    v->first = all[0];
    for (size_t i = 0; i < n; i++)
        all[i]->next = i + 1 < n ? all[i + 1] : NULL;
}

/* As Jackson's default pretty printer: objects over lines, arrays inside one. */
static void put_arranged(const JsonNode *v, bool pretty, size_t level, Buf *out) {
    bool object = v->kind == JSON_OBJECT;
    if (!object && v->kind != JSON_ARRAY) {
        buf_add(out, v->raw);
        return;
    }
    buf_addc(out, object ? '{' : '[');
    for (const JsonNode *c = v->first; c; c = c->next) {
        if (c != v->first)
            buf_addc(out, ',');
        if (pretty && object) {
            buf_addc(out, '\n');
            buf_add_repeat(out, ' ', 2 * (level + 1));
        } else if (pretty) {
            buf_addc(out, ' ');
        }
        if (object) {
            json_node_put_string(c->key, out);
            buf_addz(out, pretty ? " : " : ":");
        }
        put_arranged(c, pretty, level + object, out);
    }
    if (pretty && object && v->first) {
        buf_addc(out, '\n');
        buf_add_repeat(out, ' ', 2 * level);
    } else if (pretty) {
        buf_addc(out, ' ');
    }
    buf_addc(out, object ? '}' : ']');
}

static bool row_to_json(Native *n, idx_t row) {
    Chunk *c;
    TRY(chunk_of(n, row, &c));
    Error err = error_in(n->arena);
    Writing w = {&c->o, &err, !record_flag(&c->o, "ignorenullfields", true)};
    if (!put_value(&w, &n->args[0], row, c->type, &n->scratch))
        return native_fail_with(n, &err);
    bool pretty = record_flag(&c->o, "pretty", false), sort = record_flag(&c->o, "sortkeys", false);
    JsonNode *root = pretty || sort ? json_node_parse(buf_str(&n->scratch), NULL, n->arena) : NULL;
    if (!root)
        return native_set_scratch(n, row);
    if (sort)
        sort_keys(root, n->arena);
    Buf out = buf_in(n->arena);
    put_arranged(root, pretty, 0, &out);
    return native_set_str(n, row, buf_str(&out));
}

static void put_csv_field(const RecordOptions *o, Str s, Str sep, Buf *out) {
    Str quote = record_option(o, "quote", "\""), escape = record_option(o, "escape", "\\");
    bool all = record_flag(o, "quoteall", false);
    if (record_flag(o, "ignoreleadingwhitespace", true))
        while (s.len && (unsigned char)s.ptr[0] <= ' ')
            s = str_slice(s, 1, s.len);
    if (record_flag(o, "ignoretrailingwhitespace", true))
        while (s.len && (unsigned char)s.ptr[s.len - 1] <= ' ')
            s.len--;
    if (!s.len) {
        buf_add(out, record_option(o, "emptyvalue", "\"\""));
        return;
    }
    bool quoting = all || str_find(s, sep) >= 0 || (quote.len && str_find(s, quote) >= 0) ||
                   str_find_char(s, '\n') >= 0 || str_find_char(s, '\r') >= 0;
    if (!quoting) {
        buf_add(out, s);
        return;
    }
    buf_add(out, quote);
    for (size_t i = 0; i < s.len; i++) {
        if (quote.len && str_starts_with(str_slice(s, i, s.len), quote))
            buf_add(out, escape);
        buf_addc(out, s.ptr[i]);
    }
    buf_add(out, quote);
}

/* A nested value inside a CSV field: "[1, 2,]", "{a, b}", "{k -> v}"; NULL prints as nothing. */
static bool put_plain(const RecordOptions *o, const NativeVec *v, idx_t i, const Type *t, Buf *out,
                      Error *err);

static bool put_plain_item(const RecordOptions *o, const NativeVec *v, idx_t i, const Type *t,
                           bool first, Buf *out, Error *err) {
    bool null = native_is_null(v, i);
    if (!first)
        buf_addz(out, null ? "," : ", ");
    return null || put_plain(o, v, i, t, out, err);
}

static bool put_plain(const RecordOptions *o, const NativeVec *v, idx_t i, const Type *t, Buf *out,
                      Error *err) {
    if (!type_is_nested(t))
        return record_value_text(v, i, t, o, out, err);
    buf_addc(out, t->kind == TYPE_ARRAY ? '[' : '{');
    if (t->kind == TYPE_STRUCT) {
        for (size_t k = 0; k < t->structure.count && k < v->child_count; k++)
            TRY(put_plain_item(o, &v->children[k], i, t->structure.fields[k].type, !k, out, err));
    } else {
        duckdb_list_entry e = ((const duckdb_list_entry *)v->data)[i];
        const NativeVec *item = &v->children[0];
        for (idx_t k = e.offset; k < e.offset + e.length; k++) {
            bool first = k == e.offset;
            if (t->kind == TYPE_ARRAY) {
                TRY(put_plain_item(o, item, k, t->array.element, first, out, err));
                continue;
            }
            TRY(put_plain_item(o, &item->children[0], k, t->map.key, first, out, err));
            buf_addz(out, native_is_null(&item->children[1], k) ? " ->" : " -> ");
            TRY(put_plain_item(o, &item->children[1], k, t->map.value, true, out, err));
        }
    }
    buf_addc(out, t->kind == TYPE_ARRAY ? ']' : '}');
    return true;
}

static bool row_to_csv(Native *n, idx_t row) {
    Chunk *c;
    TRY(chunk_of(n, row, &c));
    Error err = error_in(n->arena);
    Str sep = record_option(&c->o, "sep", str_z(record_option(&c->o, "delimiter", ","), n->arena));
    const NativeVec *v = &n->args[0];
    for (size_t k = 0; k < c->type->structure.count && k < v->child_count; k++) {
        if (k)
            buf_add(&n->scratch, sep);
        if (native_is_null(&v->children[k], row)) {
            buf_add(&n->scratch, record_option(&c->o, "nullvalue", ""));
            continue;
        }
        Buf text = buf_in(n->arena);
        if (!put_plain(&c->o, &v->children[k], row, c->type->structure.fields[k].type, &text, &err))
            return native_fail_with(n, &err);
        put_csv_field(&c->o, text.len ? buf_str(&text) : S(""), sep, &n->scratch);
    }
    return native_set_scratch(n, row);
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_from_json", "[s:sss", row_from_json, 0, 0},
    {"ls_from_csv", "[s:sss", row_from_csv, 0, 0},
    {"ls_to_json", "s:?ss", row_to_json, 0, 0},
    {"ls_to_csv", "s:?ss", row_to_csv, 0, 0},
};

bool native_register_record_text(duckdb_connection c, Error *err) {
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
