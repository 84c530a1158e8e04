/* The growing buffer: doubles up to its maximum, then refuses and says so. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum { FIRST_CAP = 64 };

Buf buf_in(Arena *arena)
{
    return (Buf){.max = BUF_MAX_DEFAULT, .arena = arena};
}

Buf buf_heap(size_t max)
{
    return (Buf){.max = max};
}

void buf_free(Buf *b)
{
    if (!b->arena)
        free(b->ptr);
    b->ptr = NULL;
    b->len = b->cap = 0;
}

void buf_reset(Buf *b)
{
    b->len = 0;
    b->overflow = false;
    if (b->ptr)
        b->ptr[0] = '\0';
}

/* Room for `more` bytes and a NUL; false when that would pass the maximum. */
static bool reserve(Buf *b, size_t more)
{
    if (b->overflow || more > b->max || b->len > b->max - more) {
        b->overflow = true;
        return false;
    }
    size_t need = b->len + more + 1;
    if (need <= b->cap)
        return true;
    size_t cap = b->cap ? b->cap : FIRST_CAP;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (b->arena) {
        b->ptr = arena_grow(b->arena, b->ptr, b->cap, cap);
    } else {
        char *grown = realloc(b->ptr, cap);
        if (!grown)
            panic("out of memory: buffer of %zu bytes", cap);
        b->ptr = grown;
    }
    b->cap = cap;
    return true;
}

void buf_add_bytes(Buf *b, const void *bytes, size_t len)
{
    if (!reserve(b, len))
        return;
    if (len)
        memcpy(b->ptr + b->len, bytes, len);
    b->len += len;
    b->ptr[b->len] = '\0';
}

void buf_add(Buf *b, Str s)
{
    buf_add_bytes(b, s.ptr, s.len);
}

void buf_addz(Buf *b, const char *z)
{
    buf_add_bytes(b, z, strlen(z));
}

void buf_addc(Buf *b, char c)
{
    if (!reserve(b, 1))
        return;
    b->ptr[b->len++] = c;
    b->ptr[b->len] = '\0';
}

void buf_add_repeat(Buf *b, char c, size_t n)
{
    if (!reserve(b, n))
        return;
    memset(b->ptr + b->len, c, n);
    b->len += n;
    b->ptr[b->len] = '\0';
}

void buf_addf(Buf *b, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0)
        panic("buf_addf: bad format");
    if (reserve(b, (size_t)len)) {
        vsnprintf(b->ptr + b->len, (size_t)len + 1, fmt, again);
        b->len += (size_t)len;
    }
    va_end(again);
}

Str buf_str(const Buf *b)
{
    return b->ptr ? (Str){b->ptr, b->len} : S("");
}
