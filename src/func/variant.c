/* VARIANT's binary form. Source: Apache Parquet "Variant Binary Encoding", version 1. */
#include "func/variant.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "func/json_node.h"
#include "func/number.h"

enum { BASIC_PRIMITIVE, BASIC_SHORT_STRING, BASIC_OBJECT, BASIC_ARRAY };
enum {
    CODE_NULL = 0,
    CODE_TRUE = 1,
    CODE_FALSE = 2,
    CODE_INT1 = 3,
    CODE_INT2 = 4,
    CODE_INT4 = 5,
    CODE_INT8 = 6,
    CODE_DOUBLE = 7,
    CODE_DECIMAL4 = 8,
    CODE_DECIMAL8 = 9,
    CODE_DECIMAL16 = 10,
    CODE_DATE = 11,
    CODE_TIMESTAMP = 12,
    CODE_TIMESTAMP_NTZ = 13,
    CODE_FLOAT = 14,
    CODE_BINARY = 15,
    CODE_STRING = 16,
    CODE_UUID = 20
};
enum { SHORT_STRING_MAX = 63 };

/* ---- reading ---- */

static uint32_t unsigned_at(const char *p, unsigned size) {
    uint32_t v = 0;
    for (unsigned i = 0; i < size; i++)
        v |= (uint32_t)(unsigned char)p[i] << (8 * i);
    return v;
}

static __int128 signed_at(const char *p, unsigned size) {
    unsigned __int128 v = 0;
    for (unsigned i = 0; i < size; i++)
        v |= (unsigned __int128)(unsigned char)p[i] << (8 * i);
    unsigned shift = 128 - 8 * size;
    return (__int128)(v << shift) >> shift;
}

static Str after(Str s, size_t n) { return str_slice(s, n, s.len); }

static bool read_integer(Variant *v, VariantKind kind, unsigned size) {
    v->kind = kind;
    if (v->raw.len < 1 + size)
        return false;
    v->integer = (int64_t)signed_at(v->raw.ptr + 1, size);
    return true;
}

static bool read_decimal(Variant *v, unsigned size) {
    v->kind = VARIANT_DECIMAL;
    if (v->raw.len < 2 + size)
        return false;
    v->scale = (unsigned char)v->raw.ptr[1];
    v->unscaled = signed_at(v->raw.ptr + 2, size);
    return v->scale <= 38;
}

static bool read_bytes(Variant *v, VariantKind kind) {
    v->kind = kind;
    if (v->raw.len < 5)
        return false;
    uint32_t n = unsigned_at(v->raw.ptr + 1, 4);
    v->bytes = str_slice(v->raw, 5, 5 + (size_t)n);
    return v->bytes.len == n;
}

static bool read_primitive(Variant *v, unsigned code) {
    float f;
    switch (code) {
    case CODE_NULL:
        v->kind = VARIANT_NULL;
        return true;
    case CODE_TRUE:
    case CODE_FALSE:
        v->kind = VARIANT_BOOLEAN;
        v->integer = code == CODE_TRUE;
        return true;
    case CODE_INT1:
        return read_integer(v, VARIANT_LONG, 1);
    case CODE_INT2:
        return read_integer(v, VARIANT_LONG, 2);
    case CODE_INT4:
        return read_integer(v, VARIANT_LONG, 4);
    case CODE_INT8:
        return read_integer(v, VARIANT_LONG, 8);
    case CODE_DATE:
        return read_integer(v, VARIANT_DATE, 4);
    case CODE_TIMESTAMP:
        return read_integer(v, VARIANT_TIMESTAMP, 8);
    case CODE_TIMESTAMP_NTZ:
        return read_integer(v, VARIANT_TIMESTAMP_NTZ, 8);
    case CODE_DECIMAL4:
        return read_decimal(v, 4);
    case CODE_DECIMAL8:
        return read_decimal(v, 8);
    case CODE_DECIMAL16:
        return read_decimal(v, 16);
    case CODE_DOUBLE:
        v->kind = VARIANT_DOUBLE;
        if (v->raw.len < 9)
            return false;
        memcpy(&v->real, v->raw.ptr + 1, 8);
        return true;
    case CODE_FLOAT:
        v->kind = VARIANT_FLOAT;
        if (v->raw.len < 5)
            return false;
        memcpy(&f, v->raw.ptr + 1, 4);
        v->real = f;
        return true;
    case CODE_BINARY:
        return read_bytes(v, VARIANT_BINARY);
    case CODE_STRING:
        return read_bytes(v, VARIANT_STRING);
    case CODE_UUID:
        v->kind = VARIANT_UUID;
        v->bytes = str_slice(v->raw, 1, 17);
        return v->bytes.len == 16;
    default:
        return false;
    }
}

static bool read_container(Variant *v, unsigned info, bool object) {
    v->kind = object ? VARIANT_OBJECT : VARIANT_ARRAY;
    bool large = info >> (object ? 4 : 2) & 1;
    size_t count_size = large ? 4 : 1;
    v->offset_size = (info & 3) + 1;
    v->id_size = object ? (info >> 2 & 3) + 1 : 0;
    if (v->raw.len < 1 + count_size)
        return false;
    v->count = unsigned_at(v->raw.ptr + 1, (unsigned)count_size);
    size_t n = v->count, ids = 1 + count_size, offsets = ids + n * v->id_size,
           data = offsets + (n + 1) * v->offset_size;
    if (data > v->raw.len)
        return false;
    v->ids = str_slice(v->raw, ids, offsets);
    v->offsets = str_slice(v->raw, offsets, data);
    v->data = after(v->raw, data);
    return true;
}

bool variant_read(Str value, Str metadata, Variant *v) {
    *v = (Variant){.metadata = metadata, .raw = value};
    if (!value.len)
        return false;
    unsigned basic = (unsigned char)value.ptr[0] & 3, info = (unsigned char)value.ptr[0] >> 2;
    switch (basic) {
    case BASIC_SHORT_STRING:
        v->kind = VARIANT_STRING;
        v->bytes = str_slice(value, 1, 1 + (size_t)info);
        return v->bytes.len == info;
    case BASIC_OBJECT:
        return read_container(v, info, true);
    case BASIC_ARRAY:
        return read_container(v, info, false);
    default:
        return read_primitive(v, info);
    }
}

static bool metadata_key(Str m, uint32_t id, Str *out) {
    if (!m.len)
        return false;
    unsigned size = ((unsigned char)m.ptr[0] >> 6) + 1;
    if (m.len < 1 + size)
        return false;
    size_t count = unsigned_at(m.ptr + 1, size), strings = 1 + (count + 2) * size;
    if (id >= count || strings > m.len)
        return false;
    const char *at = m.ptr + 1 + (size_t)size * (1 + id);
    size_t from = unsigned_at(at, size), to = unsigned_at(at + size, size);
    *out = str_slice(m, strings + from, strings + to);
    return from <= to && out->len == to - from;
}

bool variant_member(const Variant *v, uint32_t i, Str *key, Variant *out) {
    uint32_t at = unsigned_at(v->offsets.ptr + (size_t)i * v->offset_size, v->offset_size);
    if (v->kind == VARIANT_OBJECT &&
        !metadata_key(v->metadata, unsigned_at(v->ids.ptr + (size_t)i * v->id_size, v->id_size),
                      key))
        return false;
    return at < v->data.len && variant_read(after(v->data, at), v->metadata, out);
}

bool variant_field(const Variant *v, Str key, Variant *out, bool *found) {
    uint32_t low = 0, high = v->count;
    *found = false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        Str have;
        if (!metadata_key(
                v->metadata,
                unsigned_at(v->ids.ptr + (size_t)middle * v->id_size, v->id_size), &have))
            return false;
        int order = str_cmp(have, key);
        if (!order) {
            *found = true;
            return variant_member(v, middle, &have, out);
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return true;
}

Str variant_bytes(const Variant *v) {
    size_t head;
    switch (v->kind) {
    case VARIANT_OBJECT:
    case VARIANT_ARRAY:
        head = (size_t)(v->data.ptr - v->raw.ptr) +
               unsigned_at(v->offsets.ptr + (size_t)v->count * v->offset_size, v->offset_size);
        break;
    case VARIANT_STRING:
    case VARIANT_BINARY:
    case VARIANT_UUID:
        head = (size_t)(v->bytes.ptr - v->raw.ptr) + v->bytes.len;
        break;
    default: {
        static const unsigned char SIZES[] = {1, 1, 1, 2, 3, 5, 9, 9, 6, 10, 18, 5, 9, 9, 5};
        head = SIZES[(unsigned char)v->raw.ptr[0] >> 2];
    }
    }
    return head <= v->raw.len ? str_slice(v->raw, 0, head) : S("");
}

/* ---- JSON text ---- */

void variant_strip_zeros(__int128 *unscaled, int *scale) {
    if (!*unscaled)
        *scale = 0;
    while (*unscaled && *scale > 0 && *unscaled % 10 == 0) {
        *unscaled /= 10;
        --*scale;
    }
}

static void put_json_string(Str s, Buf *out) {
    buf_addc(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        const char *escape = c == '"'    ? "\\\""
                             : c == '\\' ? "\\\\"
                             : c == '\b' ? "\\b"
                             : c == '\f' ? "\\f"
                             : c == '\n' ? "\\n"
                             : c == '\r' ? "\\r"
                             : c == '\t' ? "\\t"
                                         : NULL;
        if (escape)
            buf_addz(out, escape);
        else if (c < 0x20)
            buf_addf(out, "\\u%04x", c);
        else
            buf_addc(out, (char)c);
    }
    buf_addc(out, '"');
}

static void put_base64(Str s, Buf *out) {
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < s.len; i += 3) {
        uint32_t v = (uint32_t)(unsigned char)s.ptr[i] << 16;
        v |= i + 1 < s.len ? (uint32_t)(unsigned char)s.ptr[i + 1] << 8 : 0;
        v |= i + 2 < s.len ? (unsigned char)s.ptr[i + 2] : 0;
        buf_addc(out, DIGITS[v >> 18]);
        buf_addc(out, DIGITS[v >> 12 & 63]);
        buf_addc(out, i + 1 < s.len ? DIGITS[v >> 6 & 63] : '=');
        buf_addc(out, i + 2 < s.len ? DIGITS[v & 63] : '=');
    }
}

static void put_uuid(Str s, Buf *out) {
    for (size_t i = 0; i < s.len; i++)
        buf_addf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                 (unsigned char)s.ptr[i]);
}

static void put_instant(int64_t us, const Zone *zone, bool with_offset, Buf *out) {
    char text[DATETIME_TEXT_MAX];
    buf_add(out, (Str){text, timestamp_put(us, zone, text)});
    if (!with_offset)
        return;
    int64_t seconds = zone ? zone_offset_of(zone, us) : 0, s = seconds < 0 ? -seconds : seconds;
    buf_addf(out, "%c%02d:%02d", seconds < 0 ? '-' : '+', (int)(s / 3600), (int)(s / 60 % 60));
}

static void put_scalar(const Variant *v, const Zone *zone, Buf *out) {
    char text[DATETIME_TEXT_MAX];
    __int128 unscaled = v->unscaled;
    int scale = v->scale;
    bool quoted = v->kind >= VARIANT_DATE || (v->kind == VARIANT_FLOAT && !isfinite(v->real)) ||
                  (v->kind == VARIANT_DOUBLE && !isfinite(v->real));
    if (v->kind == VARIANT_STRING) {
        put_json_string(v->bytes, out);
        return;
    }
    if (quoted)
        buf_addc(out, '"');
    switch (v->kind) {
    case VARIANT_NULL:
        buf_addz(out, "null");
        break;
    case VARIANT_BOOLEAN:
        buf_addz(out, v->integer ? "true" : "false");
        break;
    case VARIANT_LONG:
        buf_addf(out, "%lld", (long long)v->integer);
        break;
    case VARIANT_FLOAT:
        java_put_float(out, (float)v->real);
        break;
    case VARIANT_DOUBLE:
        java_put_double(out, v->real);
        break;
    case VARIANT_DECIMAL:
        variant_strip_zeros(&unscaled, &scale);
        put_decimal(out, unscaled, scale);
        break;
    case VARIANT_DATE:
        buf_add(out, (Str){text, date_put(v->integer, text)});
        break;
    case VARIANT_TIMESTAMP:
        put_instant(v->integer, zone, true, out);
        break;
    case VARIANT_TIMESTAMP_NTZ:
        put_instant(v->integer, NULL, false, out);
        break;
    case VARIANT_BINARY:
        put_base64(v->bytes, out);
        break;
    default:
        put_uuid(v->bytes, out);
    }
    if (quoted)
        buf_addc(out, '"');
}

static bool put_json(const Variant *v, const Zone *zone, unsigned depth, Buf *out) {
    bool object = v->kind == VARIANT_OBJECT;
    if (!object && v->kind != VARIANT_ARRAY) {
        put_scalar(v, zone, out);
        return true;
    }
    if (depth > VARIANT_MAX_DEPTH)
        return false;
    buf_addc(out, object ? '{' : '[');
    for (uint32_t i = 0; i < v->count; i++) {
        Str key = {0};
        Variant member;
        if (!variant_member(v, i, &key, &member))
            return false;
        if (i)
            buf_addc(out, ',');
        if (object) {
            put_json_string(key, out);
            buf_addc(out, ':');
        }
        if (!put_json(&member, zone, depth + 1, out))
            return false;
    }
    buf_addc(out, object ? '}' : ']');
    return true;
}

bool variant_put_json(const Variant *v, const Zone *zone, Buf *out) {
    return put_json(v, zone, 0, out);
}

/* ---- building ---- */

VariantNode *variant_node(VariantKind kind, Arena *arena) {
    VariantNode *n = ARENA_NEW(arena, VariantNode);
    n->kind = kind;
    return n;
}

void variant_add(VariantNode *parent, VariantNode *child) {
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->count++;
}

static VariantNode *node_of(const Variant *v, unsigned depth, Arena *arena) {
    VariantNode *n = variant_node(v->kind, arena);
    n->integer = v->integer;
    n->real = v->real;
    n->unscaled = v->unscaled;
    n->scale = v->scale;
    n->bytes = v->bytes;
    if (depth > VARIANT_MAX_DEPTH)
        return NULL;
    for (uint32_t i = 0; i < v->count; i++) {
        Variant member;
        Str key = {0};
        VariantNode *child =
            variant_member(v, i, &key, &member) ? node_of(&member, depth + 1, arena) : NULL;
        if (!child)
            return NULL;
        child->key = key;
        variant_add(n, child);
    }
    return n;
}

VariantNode *variant_node_of(const Variant *v, Arena *arena) { return node_of(v, 0, arena); }

/* A number without exponent is a decimal when it fits 38 digits, and an integer first. */
static void set_number(VariantNode *n, Str text) {
    double real;
    int64_t i;
    if (str_to_i64(text, &i) && text.ptr[0] != '+') {
        n->kind = VARIANT_LONG;
        n->integer = i;
        return;
    }
    ptrdiff_t point = str_find_char(text, '.');
    int scale = point < 0 ? 0 : (int)(text.len - (size_t)point - 1);
    bool plain = str_find_char(text, 'e') < 0 && str_find_char(text, 'E') < 0 && scale <= 38;
    if (plain && decimal_parse(text, 38, scale, &n->unscaled) == NUMBER_OK) {
        n->kind = VARIANT_DECIMAL;
        n->scale = scale;
        return;
    }
    n->kind = VARIANT_DOUBLE;
    n->real = str_to_f64(text, &real) ? real : 0;
}

static VariantNode *from_json(const JsonNode *j, unsigned depth, Arena *arena) {
    static const VariantKind KINDS[] = {
        [JSON_NULL] = VARIANT_NULL,      [JSON_TRUE] = VARIANT_BOOLEAN,
        [JSON_FALSE] = VARIANT_BOOLEAN,  [JSON_INTEGER] = VARIANT_LONG,
        [JSON_REAL] = VARIANT_DOUBLE,    [JSON_STRING] = VARIANT_STRING,
        [JSON_ARRAY] = VARIANT_ARRAY,    [JSON_OBJECT] = VARIANT_OBJECT};
    VariantNode *n = variant_node(KINDS[j->kind], arena);
    n->integer = j->kind == JSON_TRUE;
    n->bytes = j->text;
    if (j->kind == JSON_INTEGER || j->kind == JSON_REAL)
        set_number(n, j->text);
    if (depth > VARIANT_MAX_DEPTH)
        return NULL;
    Map seen = map_in(arena);
    for (const JsonNode *c = j->first; c; c = c->next) {
        VariantNode *child = from_json(c, depth + 1, arena);
        if (!child || (n->kind == VARIANT_OBJECT && map_get(&seen, c->key)))
            return NULL;
        if (n->kind == VARIANT_OBJECT)
            map_put(&seen, c->key, child);
        child->key = c->key;
        variant_add(n, child);
    }
    return n;
}

VariantNode *variant_parse_json(Str text, Arena *arena) {
    static const JsonDialect STRICT = {.no_single_quotes = true, .no_special_numbers = true};
    const JsonNode *root = json_node_parse(text, &STRICT, arena);
    return root ? from_json(root, 0, arena) : NULL;
}

typedef struct Writer {
    Map ids; /* key -> its number + 1 */
    VEC(Str) keys;
    Arena *arena;
} Writer;

static unsigned size_for(size_t max) {
    return max <= 0xFF ? 1 : max <= 0xFFFF ? 2 : max <= 0xFFFFFF ? 3 : 4;
}

static void put_le(Buf *out, unsigned __int128 v, unsigned size) {
    for (unsigned i = 0; i < size; i++, v >>= 8)
        buf_addc(out, (char)(unsigned char)v);
}

static uint32_t key_id(Writer *w, Str key) {
    uintptr_t have = (uintptr_t)map_get(&w->ids, key);
    if (!have) {
        vec_push(w->arena, &w->keys, key);
        have = w->keys.len;
        map_put(&w->ids, key, (void *)have);
    }
    return (uint32_t)have - 1;
}

static void put_header(Buf *out, unsigned code) { buf_addc(out, (char)(code << 2)); }

static void put_long(Buf *out, int64_t v) {
    bool one = v == (int8_t)v, two = v == (int16_t)v, four = v == (int32_t)v;
    put_header(out, one ? CODE_INT1 : two ? CODE_INT2 : four ? CODE_INT4 : CODE_INT8);
    put_le(out, (unsigned __int128)v, one ? 1 : two ? 2 : four ? 4 : 8);
}

static void put_decimal_value(Buf *out, __int128 v, int scale) {
    __int128 size = v < 0 ? -v : v;
    bool four = scale <= 9 && size < pow10_int128(9), eight = scale <= 18 && size < pow10_int128(18);
    put_header(out, four ? CODE_DECIMAL4 : eight ? CODE_DECIMAL8 : CODE_DECIMAL16);
    buf_addc(out, (char)scale);
    put_le(out, (unsigned __int128)v, four ? 4 : eight ? 8 : 16);
}

static void put_text(Buf *out, Str s, unsigned code) {
    if (code == CODE_STRING && s.len <= SHORT_STRING_MAX) {
        buf_addc(out, (char)(s.len << 2 | BASIC_SHORT_STRING));
    } else {
        put_header(out, code);
        put_le(out, s.len, 4);
    }
    buf_add(out, s);
}

static void put_node(Writer *w, const VariantNode *n, Buf *out);

typedef struct Entry {
    Str key;
    uint32_t id;
    size_t offset;
} Entry;

static int by_key(const void *a, const void *b) {
    return str_cmp(((const Entry *)a)->key, ((const Entry *)b)->key);
}

static void put_container(Writer *w, const VariantNode *n, Buf *out) {
    bool object = n->kind == VARIANT_OBJECT, large = n->count > 255;
    Entry *entries = ARENA_ARRAY(w->arena, Entry, n->count + 1);
    Buf data = buf_in(w->arena);
    size_t i = 0;
    uint32_t max_id = 0;
    for (const VariantNode *c = n->first; c; c = c->next, i++) {
        entries[i] = (Entry){c->key, object ? key_id(w, c->key) : 0, data.len};
        if (entries[i].id > max_id)
            max_id = entries[i].id;
        put_node(w, c, &data);
    }
    if (object)
        qsort(entries, n->count, sizeof(Entry), by_key);
    unsigned offset_size = size_for(data.len), id_size = size_for(max_id);
    unsigned info = object ? (unsigned)large << 4 | (id_size - 1) << 2 | (offset_size - 1)
                           : (unsigned)large << 2 | (offset_size - 1);
    buf_addc(out, (char)(info << 2 | (object ? BASIC_OBJECT : BASIC_ARRAY)));
    put_le(out, n->count, large ? 4 : 1);
    for (i = 0; object && i < n->count; i++)
        put_le(out, entries[i].id, id_size);
    for (i = 0; i < n->count; i++)
        put_le(out, entries[i].offset, offset_size);
    put_le(out, data.len, offset_size);
    buf_add_bytes(out, data.ptr, data.len);
}

static void put_node(Writer *w, const VariantNode *n, Buf *out) {
    float f;
    switch (n->kind) {
    case VARIANT_NULL:
        put_header(out, CODE_NULL);
        return;
    case VARIANT_BOOLEAN:
        put_header(out, n->integer ? CODE_TRUE : CODE_FALSE);
        return;
    case VARIANT_LONG:
        put_long(out, n->integer);
        return;
    case VARIANT_FLOAT:
        f = (float)n->real;
        put_header(out, CODE_FLOAT);
        buf_add_bytes(out, &f, 4);
        return;
    case VARIANT_DOUBLE:
        put_header(out, CODE_DOUBLE);
        buf_add_bytes(out, &n->real, 8);
        return;
    case VARIANT_DECIMAL:
        put_decimal_value(out, n->unscaled, n->scale);
        return;
    case VARIANT_DATE:
        put_header(out, CODE_DATE);
        put_le(out, (unsigned __int128)n->integer, 4);
        return;
    case VARIANT_TIMESTAMP:
    case VARIANT_TIMESTAMP_NTZ:
        put_header(out, n->kind == VARIANT_TIMESTAMP ? CODE_TIMESTAMP : CODE_TIMESTAMP_NTZ);
        put_le(out, (unsigned __int128)n->integer, 8);
        return;
    case VARIANT_STRING:
        put_text(out, n->bytes, CODE_STRING);
        return;
    case VARIANT_BINARY:
        put_text(out, n->bytes, CODE_BINARY);
        return;
    case VARIANT_UUID:
        put_header(out, CODE_UUID);
        buf_add(out, n->bytes);
        return;
    case VARIANT_OBJECT:
    case VARIANT_ARRAY:
        put_container(w, n, out);
    }
}

bool variant_write(const VariantNode *root, Arena *arena, Str *value, Str *metadata) {
    Writer w = {.ids = map_in(arena), .arena = arena};
    Buf v = buf_in(arena), m = buf_in(arena);
    put_node(&w, root, &v);
    size_t total = 0;
    for (size_t i = 0; i < w.keys.len; i++)
        total += w.keys.at[i].len;
    unsigned size = size_for(total > w.keys.len ? total : w.keys.len);
    buf_addc(&m, (char)(1 | (size - 1) << 6));
    put_le(&m, w.keys.len, size);
    size_t at = 0;
    for (size_t i = 0; i < w.keys.len; at += w.keys.at[i++].len)
        put_le(&m, at, size);
    put_le(&m, at, size);
    for (size_t i = 0; i < w.keys.len; i++)
        buf_add(&m, w.keys.at[i]);
    *value = buf_str(&v);
    *metadata = buf_str(&m);
    return v.len <= VARIANT_MAX_BYTES && m.len <= VARIANT_MAX_BYTES && !v.overflow;
}

/* ---- paths ---- */

static bool step_in_brackets(Str text, size_t *at, VariantStep *step) {
    size_t i = *at + 1;
    char quote = i < text.len ? text.ptr[i] : 0;
    if (quote == '\'' || quote == '"') {
        ptrdiff_t end = str_find_char(after(text, i + 1), quote);
        if (end < 0)
            return false;
        step->key = str_slice(text, i + 1, i + 1 + (size_t)end);
        i += (size_t)end + 2;
    } else {
        size_t from = i;
        int64_t index;
        while (i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9')
            i++;
        if (!str_to_i64(str_slice(text, from, i), &index) || index > INT32_MAX)
            return false;
        step->key = (Str){0};
        step->index = (uint32_t)index;
    }
    *at = i + 1;
    return i < text.len && text.ptr[i] == ']';
}

bool variant_parse_path(Str text, Arena *arena, VariantPath *out) {
    *out = (VariantPath){0};
    if (!text.len || text.ptr[0] != '$')
        return false;
    for (size_t at = 1; at < text.len;) {
        VariantStep step = {0};
        if (text.ptr[at] == '[') {
            if (!step_in_brackets(text, &at, &step))
                return false;
        } else if (text.ptr[at] == '.') {
            size_t from = ++at;
            while (at < text.len && text.ptr[at] != '.' && text.ptr[at] != '[')
                at++;
            if (at == from)
                return false;
            step.key = str_slice(text, from, at);
        } else {
            return false;
        }
        vec_push(arena, out, step);
    }
    return true;
}

bool variant_follow(const Variant *v, const VariantPath *path, Variant *out, bool *found) {
    *out = *v;
    *found = true;
    for (size_t i = 0; i < path->len && *found; i++) {
        const VariantStep *step = &path->at[i];
        Variant here = *out;
        Str ignored;
        if (step->key.ptr) {
            *found = here.kind == VARIANT_OBJECT;
            if (*found && !variant_field(&here, step->key, out, found))
                return false;
        } else {
            *found = here.kind == VARIANT_ARRAY && step->index < here.count;
            if (*found && !variant_member(&here, step->index, &ignored, out))
                return false;
        }
    }
    return true;
}
