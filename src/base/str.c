/* Borrowed text: comparing, searching, hashing, numbers and UTF-8. */
#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"

static char lower_char(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static char upper_char(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

/* ---- making ---- */

Str str_from(const char *z)
{
    return z ? (Str){z, strlen(z)} : S("");
}

char *str_z(Str s, Arena *arena)
{
    char *copy = arena_alloc(arena, s.len + 1);
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

Str str_copy(Str s, Arena *arena)
{
    return (Str){str_z(s, arena), s.len};
}

Str str_vprintf(Arena *arena, const char *fmt, va_list args)
{
    va_list again;
    if (!fmt)
        panic("str_vprintf: no format");
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    if (len < 0)
        panic("str_vprintf: bad format");
    char *text = arena_alloc(arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    return (Str){text, (size_t)len};
}

Str str_printf(Arena *arena, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    Str text = str_vprintf(arena, fmt, args);
    va_end(args);
    return text;
}

static Str map_chars(Str s, Arena *arena, char (*change)(char))
{
    char *copy = str_z(s, arena);
    for (size_t i = 0; i < s.len; i++)
        copy[i] = change(copy[i]);
    return (Str){copy, s.len};
}

Str str_lower(Str s, Arena *arena)
{
    return map_chars(s, arena, lower_char);
}

Str str_upper(Str s, Arena *arena)
{
    return map_chars(s, arena, upper_char);
}

Str str_concat(Arena *arena, Str a, Str b)
{
    char *text = arena_alloc(arena, a.len + b.len + 1);
    if (a.len)
        memcpy(text, a.ptr, a.len);
    if (b.len)
        memcpy(text + a.len, b.ptr, b.len);
    text[a.len + b.len] = '\0';
    return (Str){text, a.len + b.len};
}

static size_t count_of(Str s, Str needle)
{
    size_t n = 0;
    for (ptrdiff_t at; (at = str_find(s, needle)) >= 0; n++)
        s = str_slice(s, (size_t)at + needle.len, s.len);
    return n;
}

Str str_replace(Str s, Str from, Str to, Arena *arena)
{
    size_t n = from.len ? count_of(s, from) : 0;
    if (!n)
        return str_copy(s, arena);
    size_t len = s.len - n * from.len + n * to.len;
    char *text = arena_alloc(arena, len + 1), *out = text;
    for (ptrdiff_t at; (at = str_find(s, from)) >= 0;) {
        memcpy(out, s.ptr, (size_t)at);
        out += at;
        if (to.len)
            memcpy(out, to.ptr, to.len);
        out += to.len;
        s = str_slice(s, (size_t)at + from.len, s.len);
    }
    if (s.len)
        memcpy(out, s.ptr, s.len);
    text[len] = '\0';
    return (Str){text, len};
}

/* ---- comparing ---- */

bool str_eq(Str a, Str b)
{
    return a.len == b.len && (!a.len || !memcmp(a.ptr, b.ptr, a.len));
}

bool str_ieq(Str a, Str b)
{
    if (a.len != b.len)
        return false;
    /* Names of one family (c1, c2, ..) differ at their ends. */
    for (size_t i = a.len; i-- > 0;)
        if (lower_char(a.ptr[i]) != lower_char(b.ptr[i]))
            return false;
    return true;
}

bool str_is(Str a, const char *z)
{
    return str_eq(a, str_from(z));
}

bool str_is_ci(Str a, const char *z)
{
    return str_ieq(a, str_from(z));
}

int str_cmp(Str a, Str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* ---- hashing: multiply-fold over 8-byte words, seeded once a process against chosen collisions ---- */

static uint64_t hash_seed;

__attribute__((constructor)) static void seed_hash(void)
{
    if (getrandom(&hash_seed, sizeof hash_seed, GRND_NONBLOCK) != sizeof hash_seed)
        hash_seed = (uint64_t)(uintptr_t)&hash_seed;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static const uint64_t hash_k1 = 0xa0761d6478bd642fULL, hash_k2 = 0xe7037ed1a0b428dbULL;

static uint64_t lower_word(uint64_t w)
{
    char bytes[8];
    memcpy(bytes, &w, 8);
    for (int i = 0; i < 8; i++)
        bytes[i] = lower_char(bytes[i]);
    memcpy(&w, bytes, 8);
    return w;
}

static uint64_t hash_bytes(Str s, bool ignore_case)
{
    uint64_t h = hash_seed ^ fold(s.len ^ hash_k1, hash_k2);
    for (size_t i = 0; i < s.len; i += 8) {
        uint64_t w = 0;
        memcpy(&w, s.ptr + i, s.len - i < 8 ? s.len - i : 8);
        if (ignore_case)
            w = lower_word(w);
        h = fold(w ^ hash_k1, h ^ hash_k2);
    }
    return fold(h ^ hash_k1, hash_seed ^ hash_k2);
}

uint64_t str_hash(Str s)
{
    return hash_bytes(s, false);
}

uint64_t str_ihash(Str s)
{
    return hash_bytes(s, true);
}

/* ---- looking inside ---- */

bool str_starts_with(Str s, Str prefix)
{
    return s.len >= prefix.len && str_eq(str_slice(s, 0, prefix.len), prefix);
}

bool str_istarts_with(Str s, Str prefix)
{
    return s.len >= prefix.len && str_ieq(str_slice(s, 0, prefix.len), prefix);
}

bool str_ends_with(Str s, Str suffix)
{
    return s.len >= suffix.len && str_eq(str_slice(s, s.len - suffix.len, s.len), suffix);
}

Str str_slice(Str s, size_t from, size_t to)
{
    if (to > s.len)
        to = s.len;
    if (from > to)
        from = to;
    return s.ptr ? (Str){s.ptr + from, to - from} : S("");
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

Str str_trim(Str s)
{
    size_t from = 0, to = s.len;
    while (from < to && is_space(s.ptr[from]))
        from++;
    while (to > from && is_space(s.ptr[to - 1]))
        to--;
    return str_slice(s, from, to);
}

ptrdiff_t str_find(Str s, Str needle)
{
    if (!needle.len)
        return 0;
    if (needle.len > s.len)
        return -1;
    const char *at = memmem(s.ptr, s.len, needle.ptr, needle.len);
    return at ? at - s.ptr : -1;
}

ptrdiff_t str_find_char(Str s, char c)
{
    const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;
    return at ? at - s.ptr : -1;
}

ptrdiff_t str_rfind_char(Str s, char c)
{
    const char *at = s.len ? memrchr(s.ptr, c, s.len) : NULL;
    return at ? at - s.ptr : -1;
}

/* ---- numbers ---- */

bool str_to_i64(Str s, int64_t *out)
{
    size_t i = 0;
    bool negative = s.len && s.ptr[0] == '-';
    if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+'))
        i = 1;
    if (i == s.len)
        return false;
    int64_t value = 0; /* kept negative: the range is one longer on that side */
    for (; i < s.len; i++) {
        char c = s.ptr[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, c - '0', &value))
            return false;
    }
    if (!negative && __builtin_sub_overflow((int64_t)0, value, &value))
        return false;
    *out = value;
    return true;
}

bool str_to_bytes(Str s, int64_t *out)
{
    static const char UNITS[] = "bkmgtp";
    size_t digits = 0;
    int64_t n;
    while (digits < s.len && s.ptr[digits] >= '0' && s.ptr[digits] <= '9')
        digits++;
    Str unit = str_slice(s, digits, s.len);
    if (!digits || !str_to_i64(str_slice(s, 0, digits), &n))
        return false;
    const char *at = unit.len ? strchr(UNITS, unit.ptr[0] | 0x20) : UNITS;
    if (!at || !*at || unit.len > 2 || (unit.len == 2 && ((unit.ptr[1] | 0x20) != 'b' || at == UNITS)))
        return false;
    unsigned shift = 10 * (unsigned)(at - UNITS);
    if (n > INT64_MAX >> shift)
        return false;
    *out = n << shift;
    return true;
}

/* [+-] digits [. digits] [e [+-] digits], at least one digit before the exponent. */
static bool looks_decimal(Str s)
{
    size_t i = 0, digits = 0;
    if (i < s.len && (s.ptr[i] == '+' || s.ptr[i] == '-'))
        i++;
    for (; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++)
        digits++;
    if (i < s.len && s.ptr[i] == '.')
        for (i++; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++)
            digits++;
    if (!digits || i == s.len)
        return digits && i == s.len;
    if (s.ptr[i] != 'e' && s.ptr[i] != 'E')
        return false;
    i++;
    if (i < s.len && (s.ptr[i] == '+' || s.ptr[i] == '-'))
        i++;
    size_t first = i;
    while (i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9')
        i++;
    return i == s.len && i > first;
}

bool str_to_f64(Str s, double *out)
{
    char local[128];
    if (!looks_decimal(s))
        return false;
    char *z = s.len < sizeof local ? local : malloc(s.len + 1);
    if (!z)
        panic("out of memory");
    memcpy(z, s.ptr, s.len);
    z[s.len] = '\0';
    *out = strtod(z, NULL);
    if (z != local)
        free(z);
    return true;
}

/* ---- UTF-8 ---- */

/* Length of the well-formed sequence at i, 0 when malformed (RFC 3629: shortest form, no surrogates). */
static size_t utf8_sequence(Str s, size_t i)
{
    const unsigned char *p = (const unsigned char *)s.ptr + i;
    size_t left = s.len - i;
    if (p[0] < 0x80)
        return 1;
    size_t len = p[0] >= 0xc2 && p[0] <= 0xdf ? 2
               : p[0] >= 0xe0 && p[0] <= 0xef ? 3
               : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
                                              : 0;
    if (!len || len > left)
        return 0;
    for (size_t k = 1; k < len; k++)
        if ((p[k] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return len;
}

bool str_is_utf8(Str s)
{
    for (size_t i = 0; i < s.len;) {
        size_t len = utf8_sequence(s, i);
        if (!len)
            return false;
        i += len;
    }
    return true;
}

size_t str_utf8_len(Str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    return n;
}

uint32_t str_utf8_next(Str s, size_t *pos)
{
    static const unsigned char first_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t len = utf8_sequence(s, *pos);
    if (!len) {
        (*pos)++;
        return 0xfffd;
    }
    const unsigned char *p = (const unsigned char *)s.ptr + *pos;
    uint32_t code = p[0] & first_mask[len];
    for (size_t k = 1; k < len; k++)
        code = code << 6 | (p[k] & 0x3f);
    *pos += len;
    return code;
}

size_t str_utf8_put(uint32_t code_point, char out[4])
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xc0 | code_point >> 6);
        out[1] = (char)(0x80 | (code_point & 0x3f));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (char)(0xe0 | code_point >> 12);
        out[1] = (char)(0x80 | (code_point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code_point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | (code_point >> 18 & 0x07));
    out[1] = (char)(0x80 | (code_point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code_point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code_point & 0x3f));
    return 4;
}
