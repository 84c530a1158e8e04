/* The JSON reader and writer behind from_json, get_json_object and their kin. */
#include "func/json_node.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "type/number_text.h"

enum { NODE_MAX_DEPTH = 256 };

typedef struct Reader {
    const char *p, *end;
    const JsonDialect *d;
    Arena *arena;
    unsigned depth;
} Reader;

static bool read_value(Reader *r, JsonNode *out);

static bool skip_comment(Reader *r) {
    if (!r->d->comments || r->p + 1 >= r->end || r->p[0] != '/')
        return false;
    if (r->p[1] == '/') {
        while (r->p < r->end && *r->p != '\n')
            r->p++;
        return true;
    }
    if (r->p[1] != '*')
        return false;
    for (r->p += 2; r->p + 1 < r->end; r->p++)
        if (r->p[0] == '*' && r->p[1] == '/') {
            r->p += 2;
            return true;
        }
    r->p = r->end;
    return true;
}

static void skip_space(Reader *r) {
    do {
        while (r->p < r->end && strchr(" \t\r\n", *r->p) && *r->p)
            r->p++;
    } while (skip_comment(r));
}

static bool read_word(Reader *r, const char *word) {
    size_t n = strlen(word);
    if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0)
        return false;
    if (r->p + n < r->end && (isalnum((unsigned char)r->p[n]) || r->p[n] == '_'))
        return false;
    r->p += n;
    return true;
}

static int hex4(const Reader *r, const char *p) {
    int v = 0;
    for (int i = 0; i < 4; i++) {
        if (p + i >= r->end || !isxdigit((unsigned char)p[i]))
            return -1;
        v = v * 16 + (isdigit((unsigned char)p[i]) ? p[i] - '0' : (p[i] | 32) - 'a' + 10);
    }
    return v;
}

static void put_code(Buf *b, uint32_t c) {
    char out[4];
    buf_add_bytes(b, out, str_utf8_put(c, out));
}

static bool read_unicode(Reader *r, Buf *b) {
    int c = hex4(r, r->p);
    if (c < 0)
        return false;
    r->p += 4;
    if (c >= 0xD800 && c < 0xDC00 && r->p + 6 <= r->end && r->p[0] == '\\' && r->p[1] == 'u') {
        int low = hex4(r, r->p + 2);
        if (low >= 0xDC00 && low < 0xE000) {
            r->p += 6;
            put_code(b, 0x10000 + ((uint32_t)(c - 0xD800) << 10) + (uint32_t)(low - 0xDC00));
            return true;
        }
    }
    put_code(b, c >= 0xD800 && c < 0xE000 ? '?' : (uint32_t)c);
    return true;
}

static bool read_escape(Reader *r, Buf *b) {
    static const char FROM[] = "\"\\/bfnrt", TO[] = "\"\\/\b\f\n\r\t";
    if (r->p >= r->end)
        return false;
    char c = *r->p++;
    if (c == 'u')
        return read_unicode(r, b);
    const char *at = c ? strchr(FROM, c) : NULL;
    if (at)
        buf_addc(b, TO[at - FROM]);
    else if (r->d->any_escape || (c == '\'' && !r->d->no_single_quotes))
        buf_addc(b, c);
    else
        return false;
    return true;
}

static bool read_string(Reader *r, Str *out) {
    char quote = *r->p++;
    const char *start = r->p;
    while (r->p < r->end && *r->p != quote && *r->p != '\\' &&
           ((unsigned char)*r->p >= 0x20 || r->d->control_chars))
        r->p++;
    if (r->p < r->end && *r->p == quote) { /* the usual: nothing to decode */
        *out = (Str){start, (size_t)(r->p++ - start)};
        return true;
    }
    Buf b = buf_in(r->arena);
    buf_add_bytes(&b, start, (size_t)(r->p - start));
    while (r->p < r->end && *r->p != quote) {
        if (*r->p == '\\') {
            r->p++;
            if (!read_escape(r, &b))
                return false;
        } else if ((unsigned char)*r->p < 0x20 && !r->d->control_chars) {
            return false;
        } else {
            buf_addc(&b, *r->p++);
        }
    }
    if (r->p >= r->end)
        return false;
    r->p++;
    *out = buf_str(&b);
    return true;
}

static bool read_digits(Reader *r) {
    const char *start = r->p;
    while (r->p < r->end && isdigit((unsigned char)*r->p))
        r->p++;
    return r->p > start;
}

static bool read_number(Reader *r, JsonNode *out) {
    const char *start = r->p;
    bool negative = *r->p == '-';
    r->p += negative;
    if (negative && !r->d->no_special_numbers &&
        (read_word(r, "Infinity") || read_word(r, "INF"))) {
        *out = (JsonNode){.kind = JSON_REAL, .text = S("-Infinity")};
        return true;
    }
    const char *digits = r->p;
    if (!read_digits(r))
        return false;
    if (r->p - digits > 1 && *digits == '0') {
        if (!r->d->leading_zeros)
            return false;
        while (digits + 1 < r->p && *digits == '0')
            digits++;
    }
    bool real = false;
    if (r->p < r->end && *r->p == '.') {
        r->p++;
        real = true;
        if (!read_digits(r))
            return false;
    }
    if (r->p < r->end && (*r->p | 32) == 'e') {
        r->p++;
        real = true;
        if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
            r->p++;
        if (!read_digits(r))
            return false;
    }
    if (r->p < r->end && !strchr(",]} \t\r\n:/", *r->p))
        return false;
    Str text = {digits, (size_t)(r->p - digits)};
    if (negative)
        text = digits == start + 1 ? (Str){start, (size_t)(r->p - start)}
                                   : str_printf(r->arena, "-" STR_FMT, STR_ARG(text));
    *out = (JsonNode){.kind = real ? JSON_REAL : JSON_INTEGER, .text = text};
    return true;
}

static bool read_name(Reader *r, Str *out) {
    if (*r->p == '"' || (*r->p == '\'' && !r->d->no_single_quotes))
        return read_string(r, out);
    if (!r->d->unquoted_names)
        return false;
    const char *start = r->p;
    while (r->p < r->end && (isalnum((unsigned char)*r->p) || strchr("_$@#*-+", *r->p) ||
                             (unsigned char)*r->p >= 0x80))
        r->p++;
    *out = (Str){start, (size_t)(r->p - start)};
    return out->len > 0;
}

static bool read_children(Reader *r, JsonNode *out, char close) {
    if (++r->depth > NODE_MAX_DEPTH)
        return false;
    r->p++;
    JsonNode **tail = &out->first;
    skip_space(r);
    if (r->p < r->end && *r->p == close) {
        r->p++;
        r->depth--;
        return true;
    }
    for (;;) {
        JsonNode *child = ARENA_NEW(r->arena, JsonNode);
        Str key = {0};
        skip_space(r);
        if (r->p >= r->end)
            return false;
        if (close == '}') {
            if (!read_name(r, &key))
                return false;
            skip_space(r);
            if (r->p >= r->end || *r->p++ != ':')
                return false;
        }
        if (!read_value(r, child))
            return false;
        child->key = key;
        *tail = child;
        tail = &child->next;
        out->count++;
        skip_space(r);
        if (r->p >= r->end || (*r->p != ',' && *r->p != close))
            return false;
        if (*r->p++ == close) {
            r->depth--;
            return true;
        }
    }
}

static bool read_special(Reader *r, JsonNode *out) {
    static const struct {
        const char *word, *text;
    } SPECIALS[] = {{"NaN", "NaN"},
                    {"Infinity", "Infinity"},
                    {"+Infinity", "Infinity"},
                    {"INF", "Infinity"},
                    {"+INF", "Infinity"}};
    for (size_t i = 0; i < LENGTH_OF(SPECIALS) && !r->d->no_special_numbers; i++)
        if (read_word(r, SPECIALS[i].word)) {
            *out = (JsonNode){.kind = JSON_REAL, .text = str_from(SPECIALS[i].text)};
            return true;
        }
    return false;
}

static bool read_value(Reader *r, JsonNode *out) {
    skip_space(r);
    if (r->p >= r->end)
        return false;
    const char *start = r->p;
    bool ok = true;
    *out = (JsonNode){0};
    if (*r->p == '{' || *r->p == '[') {
        out->kind = *r->p == '{' ? JSON_OBJECT : JSON_ARRAY;
        ok = read_children(r, out, *r->p == '{' ? '}' : ']');
    } else if (*r->p == '"' || (*r->p == '\'' && !r->d->no_single_quotes)) {
        out->kind = JSON_STRING;
        ok = read_string(r, &out->text);
    } else if (*r->p == '-' || isdigit((unsigned char)*r->p)) {
        ok = read_number(r, out);
    } else if (read_word(r, "true")) {
        out->kind = JSON_TRUE;
    } else if (read_word(r, "false")) {
        out->kind = JSON_FALSE;
    } else if (read_word(r, "null")) {
        out->kind = JSON_NULL;
    } else {
        ok = read_special(r, out);
    }
    out->raw = (Str){start, (size_t)(r->p - start)};
    return ok;
}

JsonNode *json_node_parse(Str text, const JsonDialect *dialect, Arena *arena) {
    static const JsonDialect PLAIN = {0};
    Reader r = {text.ptr, text.ptr + text.len, dialect ? dialect : &PLAIN, arena, 0};
    JsonNode *root = ARENA_NEW(arena, JsonNode);
    return read_value(&r, root) ? root : NULL;
}

/* ---- writing ---- */

void json_node_put_string(Str s, Buf *out) {
    buf_addc(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        static const char SHORT[] = "\b\t\n\f\r", LETTER[] = "btnfr";
        const char *at = c ? strchr(SHORT, c) : NULL;
        if (c == '"' || c == '\\')
            buf_addf(out, "\\%c", c);
        else if (at)
            buf_addf(out, "\\%c", LETTER[at - SHORT]);
        else if (c < 0x20)
            buf_addf(out, "\\u%04X", c);
        else
            buf_addc(out, (char)c);
    }
    buf_addc(out, '"');
}

Str json_node_real_text(Str number, Arena *arena) {
    double v;
    if (!double_parse(number, &v))
        return number;
    char out[NUMBER_TEXT_MAX];
    return str_copy((Str){out, double_text(v, out)}, arena);
}

void json_node_put(const JsonNode *v, Buf *out) {
    char text[NUMBER_TEXT_MAX];
    double real;
    switch (v->kind) {
    case JSON_NULL:
        buf_addz(out, "null");
        return;
    case JSON_TRUE:
        buf_addz(out, "true");
        return;
    case JSON_FALSE:
        buf_addz(out, "false");
        return;
    case JSON_INTEGER:
        buf_add(out, v->text);
        return;
    case JSON_REAL:
        if (double_parse(v->text, &real))
            buf_add(out, (Str){text, double_text(real, text)});
        return;
    case JSON_STRING:
        json_node_put_string(v->text, out);
        return;
    default:
        buf_addc(out, v->kind == JSON_ARRAY ? '[' : '{');
        for (const JsonNode *c = v->first; c; c = c->next) {
            if (c != v->first)
                buf_addc(out, ',');
            if (v->kind == JSON_OBJECT) {
                json_node_put_string(c->key, out);
                buf_addc(out, ':');
            }
            json_node_put(c, out);
        }
        buf_addc(out, v->kind == JSON_ARRAY ? ']' : '}');
    }
}

const JsonNode *json_node_field(const JsonNode *object, Str key) {
    const JsonNode *found = NULL;
    for (const JsonNode *c = object->kind == JSON_OBJECT ? object->first : NULL; c; c = c->next)
        if (str_eq(c->key, key))
            found = c;
    return found;
}
