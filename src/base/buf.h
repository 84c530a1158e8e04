/* A growing byte buffer in an arena or on the heap, with a stated maximum. */
#pragma once

#include "base/str.h"

typedef struct Buf {
    char *ptr;     /* NUL-terminated once anything was written */
    size_t len;
    size_t cap;
    size_t max;    /* growing past this aborts the write and sets overflow */
    Arena *arena;  /* NULL: heap, freed with buf_free */
    bool overflow; /* a write was refused: the content is not whole */
} Buf;

#define BUF_MAX_DEFAULT ((size_t)1 << 30)

Buf buf_in(Arena *arena);        /* max = BUF_MAX_DEFAULT */
Buf buf_heap(size_t max);
void buf_free(Buf *b);           /* heap buffers only; arena buffers need nothing */
void buf_reset(Buf *b);          /* empties, keeps the memory */

void buf_add(Buf *b, Str s);
void buf_addz(Buf *b, const char *z);
void buf_addc(Buf *b, char c);
void buf_addf(Buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_add_bytes(Buf *b, const void *bytes, size_t len);
void buf_add_repeat(Buf *b, char c, size_t n);
Str buf_str(const Buf *b);       /* borrowed; invalid after the next write */
