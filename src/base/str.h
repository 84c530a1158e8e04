/* A borrowed run of bytes with its length; not NUL-terminated unless a function says so. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

typedef struct Str {
    const char *ptr;
    size_t len;
} Str;

/* A literal as Str; usable in initialisers. */
#define S(literal) ((Str){"" literal, sizeof(literal) - 1})
#define S_INIT(literal) {"" literal, sizeof(literal) - 1}
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).len, (s).ptr

Str str_from(const char *z);                  /* NULL becomes the empty string */
Str str_copy(Str s, Arena *arena);            /* the copy is NUL-terminated */
char *str_z(Str s, Arena *arena);             /* NUL-terminated copy */
Str str_printf(Arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);
Str str_vprintf(Arena *arena, const char *fmt, va_list args) PRINTF_LIKE(2, 0);
Str str_lower(Str s, Arena *arena);           /* ASCII only */
Str str_upper(Str s, Arena *arena);           /* ASCII only */
Str str_concat(Arena *arena, Str a, Str b);
Str str_replace(Str s, Str from, Str to, Arena *arena);

bool str_eq(Str a, Str b);
bool str_ieq(Str a, Str b);                   /* ASCII case-insensitive */
bool str_is(Str a, const char *z);
bool str_is_ci(Str a, const char *z);
int str_cmp(Str a, Str b);                    /* bytewise, as memcmp then length */
uint64_t str_hash(Str s);
uint64_t str_ihash(Str s);                    /* equal for strings that are str_ieq */
bool str_starts_with(Str s, Str prefix);
bool str_istarts_with(Str s, Str prefix);
bool str_ends_with(Str s, Str suffix);
Str str_slice(Str s, size_t from, size_t to); /* clamped to the string */
Str str_trim(Str s);                          /* ASCII white space at both ends */
ptrdiff_t str_find(Str s, Str needle);        /* -1 when absent */
ptrdiff_t str_find_char(Str s, char c);
ptrdiff_t str_rfind_char(Str s, char c);

/* Whole-string decimal integer; false on anything else or overflow. */
bool str_to_i64(Str s, int64_t *out);
/* "128", "128m", "128MB": bytes, by powers of 1,024. */
bool str_to_bytes(Str s, int64_t *out);
bool str_to_f64(Str s, double *out);

/* True for well-formed UTF-8 without surrogates. */
bool str_is_utf8(Str s);
/* Number of code points in well-formed UTF-8. */
size_t str_utf8_len(Str s);
/* Decodes the code point at *pos and moves *pos past it; U+FFFD and one byte for malformed input. */
uint32_t str_utf8_next(Str s, size_t *pos);
/* Writes 1-4 bytes; returns their number. */
size_t str_utf8_put(uint32_t code_point, char out[4]);
