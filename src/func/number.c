/* Numbers as Java prints them, and decimals read and rounded in 128 bits. */
#include "func/number.h"

#include <ctype.h>

#include "type/number_text.h"

void java_put_double(Buf *b, double v) {
    char text[NUMBER_TEXT_MAX];
    buf_add_bytes(b, text, double_text(v, text));
}

void java_put_float(Buf *b, float v) {
    char text[NUMBER_TEXT_MAX];
    buf_add_bytes(b, text, float_text(v, text));
}

void put_int128(Buf *b, __int128 v) {
    char text[48];
    size_t at = sizeof(text);
    unsigned __int128 u = v < 0 ? -(unsigned __int128)v : (unsigned __int128)v;
    do {
        text[--at] = (char)('0' + (int)(u % 10));
        u /= 10;
    } while (u);
    if (v < 0)
        text[--at] = '-';
    buf_add_bytes(b, text + at, sizeof(text) - at);
}

void put_decimal(Buf *b, __int128 unscaled, int scale) {
    if (scale == 0) {
        put_int128(b, unscaled);
        return;
    }
    if (unscaled < 0)
        buf_addc(b, '-');
    unsigned __int128 u = unscaled < 0 ? -(unsigned __int128)unscaled : (unsigned __int128)unscaled;
    __int128 p = pow10_int128(scale);
    put_int128(b, (__int128)(u / (unsigned __int128)p));
    buf_addc(b, '.');
    char digits[40];
    unsigned __int128 fraction = u % (unsigned __int128)p;
    for (int i = scale; i-- > 0;) {
        digits[i] = (char)('0' + (int)(fraction % 10));
        fraction /= 10;
    }
    buf_add_bytes(b, digits, (size_t)scale);
}

__int128 pow10_int128(int n) {
    static const uint64_t LOW[] = {1u,
                                   10u,
                                   100u,
                                   1000u,
                                   10000u,
                                   100000u,
                                   1000000u,
                                   10000000u,
                                   100000000u,
                                   1000000000u,
                                   10000000000u,
                                   100000000000u,
                                   1000000000000u,
                                   10000000000000u,
                                   100000000000000u,
                                   1000000000000000u,
                                   10000000000000000u,
                                   100000000000000000u,
                                   1000000000000000000u,
                                   10000000000000000000u};
    return n < 20 ? (__int128)LOW[n] : (__int128)LOW[19] * (__int128)LOW[n - 19];
}

bool decimal_rescale(__int128 v, int from, int to, int precision, __int128 *out) {
    if (to >= from) {
        int up = to - from;
        if (up > 38) {
            *out = 0;
            return v == 0;
        }
        if (__builtin_mul_overflow(v, pow10_int128(up), &v))
            return false;
    } else {
        int down = from - to;
        if (down > 38) {
            v = 0;
        } else {
            __int128 p = pow10_int128(down), half = p / 2;
            __int128 q = v / p, r = v % p;
            if (r < 0)
                r = -r;
            if (r >= half)
                q += v < 0 ? -1 : 1;
            v = q;
        }
    }
    __int128 limit = pow10_int128(precision);
    if (v >= limit || v <= -limit)
        return false;
    *out = v;
    return true;
}

Str java_trim_all(Str s) {
    while (s.len && (unsigned char)s.ptr[0] <= ' ')
        s = str_slice(s, 1, s.len);
    while (s.len && (unsigned char)s.ptr[s.len - 1] <= ' ')
        s.len--;
    return s;
}

typedef struct DecimalText {
    char digits[128]; /* significant ones; further digits only count */
    size_t count;
    int64_t point; /* digits before the decimal point */
    bool negative;
} DecimalText;

static bool scan_decimal(Str t, DecimalText *d) {
    size_t i = 0;
    bool any = false, seen_point = false;
    int64_t skipped = 0, before = 0;
    *d = (DecimalText){.negative = t.len && t.ptr[0] == '-'};
    if (t.len && (t.ptr[0] == '-' || t.ptr[0] == '+'))
        i++;
    for (; i < t.len; i++) {
        char c = t.ptr[i];
        if (c == '.' && !seen_point) {
            seen_point = true;
        } else if (isdigit((unsigned char)c)) {
            any = true;
            if (!seen_point)
                before++;
            if (!d->count && c == '0')
                skipped++;
            else if (d->count < sizeof(d->digits))
                d->digits[d->count++] = c;
        } else {
            break;
        }
    }
    if (!any)
        return false;
    int64_t exponent = 0;
    if (i < t.len) {
        if ((t.ptr[i] | 32) != 'e' || i + 1 >= t.len)
            return false;
        Str e = str_slice(t, i + 1, t.len);
        if (e.len > 1 && e.ptr[0] == '+' && isdigit((unsigned char)e.ptr[1]))
            e = str_slice(e, 1, e.len);
        if (!str_to_i64(e, &exponent) || exponent > INT32_MAX || exponent < INT32_MIN)
            return false;
    }
    d->point = before - skipped + exponent;
    return true;
}

NumberParse decimal_parse(Str text, int precision, int scale, __int128 *out) {
    DecimalText d;
    if (!scan_decimal(java_trim_all(text), &d))
        return NUMBER_MALFORMED;
    int64_t wanted = d.point + scale; /* digits that make the unscaled number */
    if (!d.count || wanted < 0) {
        *out = 0;
        return NUMBER_OK;
    }
    if (wanted > 38)
        return NUMBER_OVERFLOW;
    __int128 v = 0;
    for (int64_t i = 0; i < wanted; i++)
        v = v * 10 + ((size_t)i < d.count ? d.digits[i] - '0' : 0);
    if ((size_t)wanted < d.count && d.digits[wanted] >= '5')
        v++;
    if (v >= pow10_int128(precision))
        return NUMBER_OVERFLOW;
    *out = d.negative ? -v : v;
    return NUMBER_OK;
}
