/* LIKE and ILIKE. */
#include "func/native_impl.h"

#include <ctype.h>
#include <wctype.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* ---- any pattern, character by character ---- */

static uint32_t fold(uint32_t c, bool ignore_case) {
    return ignore_case ? (c < 128         ? (uint32_t)tolower((int)c)
                          : native_utf8_locale() ? (uint32_t)towlower_l(c, native_utf8_locale())
                                          : c)
                       : c;
}

/* Two-pointer matching with one remembered '%'. */
static bool like(Str s, Str p, uint32_t escape, bool ignore_case) {
    size_t si = 0, pi = 0, star = SIZE_MAX, mark = 0;
    while (si < s.len) {
        size_t pn = pi, sn = si;
        uint32_t pc = pi < p.len ? str_utf8_next(p, &pn) : 0, sc = str_utf8_next(s, &sn);
        bool literal = false;
        if (pi < p.len && pc == escape) {
            pc = pn < p.len ? str_utf8_next(p, &pn) : pc;
            literal = true;
        }
        if (pi < p.len && !literal && pc == '%') {
            star = pn;
            mark = si;
            pi = pn;
        } else if (pi < p.len &&
                   ((!literal && pc == '_') || fold(pc, ignore_case) == fold(sc, ignore_case))) {
            pi = pn;
            si = sn;
        } else if (star != SIZE_MAX) {
            str_utf8_next(s, &mark);
            si = mark;
            pi = star;
        } else {
            return false;
        }
    }
    while (pi < p.len && p.ptr[pi] == '%' && escape != '%')
        pi++;
    return pi == p.len;
}

static bool row_like(Native *n, idx_t row) {
    Str s = native_str(n, 0, row), p = native_str(n, 1, row), e = native_str(n, 2, row);
    size_t at = 0;
    uint32_t escape = e.len ? str_utf8_next(e, &at) : '\\';
    for (size_t i = 0; i < p.len;) {
        if (str_utf8_next(p, &i) != escape)
            continue;
        size_t next = i;
        uint32_t c = i < p.len ? str_utf8_next(p, &next) : 0;
        if (i >= p.len)
            return NATIVE_FAIL(n, ERR_INVALID_FORMAT__ESC_AT_THE_END,
                               P("format", str_printf(n->arena, "'" STR_FMT "'", STR_ARG(p))));
        if (c != '_' && c != '%' && c != escape)
            return NATIVE_FAIL(
                n, ERR_INVALID_FORMAT__ESC_IN_THE_MIDDLE,
                P("format", str_printf(n->arena, "'" STR_FMT "'", STR_ARG(p))),
                P("char", str_printf(n->arena, "'" STR_FMT "'", STR_ARG(str_slice(p, i, next)))));
        i = next;
    }
    return native_set_bool(n, row, like(s, p, escape, native_bool(n, 3, row)));
}

/* ---- %piece%piece%: nothing but pieces that follow each other ---- */

typedef struct Pieces {
    Str *at;
    size_t count;
} Pieces;

static bool found_at(const char *s, Str piece, size_t at) {
    return memcmp(s + at, piece.ptr, piece.len) == 0;
}

/* Offset of the first occurrence at or after `from`; s.len when there is none. Sixteen places at a time
 * are held against the piece's first and last bytes. */
static size_t find_piece(Str s, Str piece, size_t from) {
    if (piece.len > s.len)
        return s.len;
    size_t last = s.len - piece.len, at = from;
#ifdef __SSE2__
    const __m128i head = _mm_set1_epi8(piece.ptr[0]), tail = _mm_set1_epi8(piece.ptr[piece.len - 1]);
    for (; at + piece.len - 1 + sizeof head <= s.len; at += sizeof head) {
        __m128i heads = _mm_loadu_si128((const __m128i *)(s.ptr + at));
        __m128i tails = _mm_loadu_si128((const __m128i *)(s.ptr + at + piece.len - 1));
        unsigned hits = (unsigned)_mm_movemask_epi8(
            _mm_and_si128(_mm_cmpeq_epi8(heads, head), _mm_cmpeq_epi8(tails, tail)));
        for (; hits; hits &= hits - 1) {
            size_t place = at + (size_t)__builtin_ctz(hits);
            if (found_at(s.ptr, piece, place))
                return place;
        }
    }
#endif
    for (; at <= last; at++)
        if (s.ptr[at] == piece.ptr[0] && found_at(s.ptr, piece, at))
            return at;
    return s.len;
}

static Pieces *split_pattern(Native *n, Str pattern) {
    Pieces *pieces = ARENA_NEW(n->arena, Pieces);
    pieces->at = ARENA_ARRAY(n->arena, Str, pattern.len + 1);
    for (size_t i = 0; i < pattern.len;) {
        size_t end = i;
        while (end < pattern.len && pattern.ptr[end] != '%')
            end++;
        if (end > i)
            pieces->at[pieces->count++] = str_slice(pattern, i, end);
        i = end + 1;
    }
    return pieces;
}

/* The pattern is the same in every row: the renderer only asks for constant ones. */
static bool row_like_pieces(Native *n, idx_t row) {
    if (!n->chunk)
        n->chunk = split_pattern(n, native_str(n, 1, row));
    const Pieces *pieces = n->chunk;
    Str s = native_str(n, 0, row);
    size_t at = 0;
    for (size_t i = 0; i < pieces->count; i++) {
        at = find_piece(s, pieces->at[i], at);
        if (at == s.len)
            return native_set_bool(n, row, false);
        at += pieces->at[i].len;
    }
    return native_set_bool(n, row, true);
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_like", "b:sssb", row_like, 0, 0},
    {"ls_like_pieces", "b:ss", row_like_pieces, 0, 0},
};

bool native_register_like(duckdb_connection c, Error *err) {
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
