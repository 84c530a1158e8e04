/* Text in pieces: a plan of a thousand levels renders in time and memory linear in its text. */
#include <string.h>

#include "base/buf.h"
#include "engine/render.h"

const Rope *rope_text(Arena *arena, Str text)
{
    Rope *r = ARENA_NEW(arena, Rope);
    r->text = text;
    r->length = text.len;
    return r;
}

const Rope *rope_of(Arena *arena, size_t count, const Rope *const *parts)
{
    Rope *r = ARENA_NEW(arena, Rope);
    r->parts = ARENA_ARRAY(arena, const Rope *, count ? count : 1);
    for (size_t i = 0; i < count; i++) {
        if (!parts[i])
            continue;
        r->parts[r->count++] = parts[i];
        r->length += parts[i]->length;
    }
    return r;
}

static char *rope_copy(const Rope *rope, char *at)
{
    if (!rope->parts) {
        memcpy(at, rope->text.ptr, rope->text.len);
        return at + rope->text.len;
    }
    for (size_t i = 0; i < rope->count; i++)
        at = rope_copy(rope->parts[i], at);
    return at;
}

Str rope_flatten(const Rope *rope, Arena *arena)
{
    char *text = arena_alloc(arena, rope->length + 1);
    char *end = rope_copy(rope, text);
    return (Str){text, (size_t)(end - text)};
}
