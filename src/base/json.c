/* yyjson under our limits: memory from an arena, depth checked before the parser sees the text. */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *arena_json_malloc(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void *arena_json_realloc(void *arena, void *ptr, size_t old_size, size_t size)
{
    return arena_grow(arena, ptr, old_size, size);
}

static void arena_json_free(void *arena, void *ptr)
{
    (void)arena;
    (void)ptr;
}

static yyjson_alc arena_allocator(Arena *arena)
{
    return (yyjson_alc){arena_json_malloc, arena_json_realloc, arena_json_free, arena};
}

/* Offset of the bracket that is one too deep, -1 when none. Skips strings. */
static ptrdiff_t find_too_deep(Str text)
{
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_MAX_DEPTH)
                return (ptrdiff_t)i;
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return -1;
}

static bool fail(Error *err, Str name, const char *reason, size_t position)
{
    return error_set(err, ERR_LAKESHED_JSON_INVALID, P("name", name), PZ("reason", reason),
                     P("position", str_printf(err->arena, "%zu", position)));
}

bool json_parse(Str text, Str text_name, Arena *arena, yyjson_val **out, Error *err)
{
    ptrdiff_t too_deep = find_too_deep(text);
    if (too_deep >= 0)
        return fail(err, text_name, "nested too deeply", (size_t)too_deep);
    if (!text.len)
        return fail(err, text_name, "empty text", 0);
    yyjson_alc allocator = arena_allocator(arena);
    yyjson_read_err why;
    /* The cast is safe: only an in-situ read writes into the text. */
    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)text.ptr, text.len,
                                       YYJSON_READ_BIGNUM_AS_RAW, &allocator, &why);
    if (!doc)
        return fail(err, text_name, why.msg, why.pos);
    *out = yyjson_doc_get_root(doc);
    return true;
}

Str json_str(yyjson_val *v)
{
    return yyjson_is_str(v) ? (Str){yyjson_get_str(v), yyjson_get_len(v)} : S("");
}

Str json_get_str(yyjson_val *obj, const char *key)
{
    return json_str(yyjson_obj_get(obj, key));
}

bool json_get_bool(yyjson_val *obj, const char *key, bool otherwise)
{
    yyjson_val *v = yyjson_obj_get(obj, key);
    return yyjson_is_bool(v) ? yyjson_get_bool(v) : otherwise;
}

int64_t json_get_i64(yyjson_val *obj, const char *key, int64_t otherwise)
{
    yyjson_val *v = yyjson_obj_get(obj, key);
    if (yyjson_is_sint(v))
        return yyjson_get_sint(v);
    if (yyjson_is_uint(v) && yyjson_get_uint(v) <= INT64_MAX)
        return (int64_t)yyjson_get_uint(v);
    return otherwise;
}

Str json_text(yyjson_val *v, Arena *arena)
{
    yyjson_alc allocator = arena_allocator(arena);
    size_t len = 0;
    char *text = yyjson_val_write_opts(v, YYJSON_WRITE_ALLOW_INVALID_UNICODE, &allocator, &len, NULL);
    return text ? (Str){text, len} : S("null");
}

/* ---- writers ---- */

static void put_escaped(Buf *b, unsigned char c)
{
    switch (c) {
    case '"': buf_addz(b, "\\\""); break;
    case '\\': buf_addz(b, "\\\\"); break;
    case '\b': buf_addz(b, "\\b"); break;
    case '\f': buf_addz(b, "\\f"); break;
    case '\n': buf_addz(b, "\\n"); break;
    case '\r': buf_addz(b, "\\r"); break;
    case '\t': buf_addz(b, "\\t"); break;
    default: buf_addf(b, "\\u%04x", c); break;
    }
}

static void put_chars(Buf *b, Str s)
{
    size_t plain = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_add(b, str_slice(s, plain, i));
        put_escaped(b, c);
        plain = i + 1;
    }
    buf_add(b, str_slice(s, plain, s.len));
}

/* JSON text is UTF-8: a malformed byte becomes U+FFFD. */
void json_put_str(Buf *b, Str s)
{
    buf_addc(b, '"');
    if (str_is_utf8(s)) {
        put_chars(b, s);
    } else {
        for (size_t at = 0; at < s.len;) {
            char bytes[4];
            put_chars(b, (Str){bytes, str_utf8_put(str_utf8_next(s, &at), bytes)});
        }
    }
    buf_addc(b, '"');
}

void json_put_key(Buf *b, bool *first, const char *key)
{
    if (!*first)
        buf_addc(b, ',');
    *first = false;
    json_put_str(b, str_from(key));
    buf_addc(b, ':');
}

/* JSON has no NaN or infinity: written as strings, the way Spark writes them. */
void json_put_f64(Buf *b, double v)
{
    char text[32];
    if (isnan(v) || isinf(v)) {
        buf_addz(b, isnan(v) ? "\"NaN\"" : v > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    buf_addz(b, text);
    if (!strpbrk(text, ".e"))
        buf_addz(b, ".0");
}
