/* ${key} in the text of a statement: the value of a setting, put in before the text is parsed. */
#include "session/session.h"

#include "base/buf.h"

enum { SUBSTITUTE_MAX_BYTES = 64 << 20 };

typedef struct Reference {
    size_t start, end;   /* of ${..} in the text */
    Str prefix, key;
} Reference;

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* ${key} or ${prefix:key} at or behind `from`; a reference is never empty and has no white space in it. */
static bool next_reference(Str text, size_t from, Reference *out)
{
    for (size_t i = from; i + 3 < text.len; i++) {
        if (text.ptr[i] != '$' || text.ptr[i + 1] != '{')
            continue;
        size_t end = i + 2, colon = 0;
        bool word = true;
        for (; end < text.len && !is_space(text.ptr[end]) && (text.ptr[end] != '}' || end == i + 2); end++) {
            if (text.ptr[end] == ':' && word && !colon && end > i + 2)
                colon = end;
            word = word && is_word(text.ptr[end]);
        }
        if (end >= text.len || text.ptr[end] != '}')
            continue;
        colon = colon && colon + 1 < end ? colon : 0;
        *out = (Reference){i, end + 1, colon ? str_slice(text, i + 2, colon) : (Str){0},
                           str_slice(text, colon ? colon + 1 : i + 2, end)};
        return true;
    }
    return false;
}

static bool is_of_settings(Str prefix)
{
    return !prefix.len || str_is(prefix, "spark") || str_is(prefix, "sparkconf") || str_is(prefix, "hivevar") ||
           str_is(prefix, "hiveconf");
}

Str session_substitute(Session *s, Str text, Arena *arena)
{
    Reference r;
    if (!next_reference(text, 0, &r) || !session_bool(s, "spark.sql.variable.substitute", true))
        return text;
    Buf b = buf_in(arena);
    size_t at = 0;
    do {
        bool found = false;
        Str value = {0};
        buf_add(&b, str_slice(text, at, r.start));
        if (!is_of_settings(r.prefix) || b.len > SUBSTITUTE_MAX_BYTES)
            value = str_slice(text, r.start, r.end);
        else
            session_get(s, r.key, arena, &found, &value);
        buf_add(&b, value);
        at = r.end;
    } while (next_reference(text, at, &r));
    buf_add(&b, str_slice(text, at, text.len));
    return buf_str(&b);
}
