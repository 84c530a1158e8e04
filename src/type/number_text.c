/* Doubles and floats as Java prints and reads them. The shortest digits come from yyjson's writer. */
#include "type/number_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

/* 0.d1d2d3... * 10^exponent */
typedef struct Digits {
    char at[24];
    int count;
    int exponent;
} Digits;

/* Takes digits and exponent out of any usual notation of a positive number. */
static Digits read_digits(const char *text)
{
    Digits d = {.count = 0};
    bool point = false;
    for (; *text && *text != 'e' && *text != 'E'; text++) {
        if (*text == '.') {
            point = true;
        } else if (*text >= '0' && *text <= '9') {
            if (d.count || *text != '0') {
                if (d.count < (int)sizeof d.at)
                    d.at[d.count++] = *text;
                d.exponent += !point;
            } else if (point) {
                d.exponent--;
            }
        }
    }
    if (*text)
        d.exponent += atoi(text + 1);
    while (d.count > 1 && d.at[d.count - 1] == '0')
        d.count--;
    return d;
}

/* A positive finite number's shortest text by yyjson, in a buffer of its own. */
static Digits shortest(double v, bool as_float)
{
    char pool[512];
    yyjson_alc allocator;
    yyjson_val number = {0};
    size_t len;
    yyjson_alc_pool_init(&allocator, pool, sizeof pool);
    unsafe_yyjson_set_double(&number, v);
    yyjson_write_flag flags = as_float ? YYJSON_WRITE_FP_TO_FLOAT : 0;
    char *text = yyjson_val_write_opts(&number, flags, &allocator, &len, NULL);
    char plain[40];
    if (!text) {
        snprintf(plain, sizeof plain, as_float ? "%.9g" : "%.17g", v);
        text = plain;
    }
    Digits d = read_digits(text);
    if (d.count == 1) {
        /* Java takes the closest of the two-digit ones where one digit would do: 4.9E-324. */
        snprintf(plain, sizeof plain, "%.1e", v);
        Digits two = read_digits(plain);
        bool same = as_float ? strtof(plain, NULL) == (float)v : strtod(plain, NULL) == v;
        if (same)
            d = two;
    }
    return d;
}

/* Plain between 10^-3 and 10^7, else computerised scientific notation; at least one digit on each side. */
static char *put_java(char *at, const Digits *d)
{
    int exponent = d->exponent, used = 0;
    bool plain = exponent > -3 && exponent <= 7;
    int whole = plain ? exponent : 1;
    if (whole <= 0)
        *at++ = '0';
    for (int i = 0; i < whole; i++)
        *at++ = used < d->count ? d->at[used++] : '0';
    *at++ = '.';
    for (int i = whole; i < 0; i++)
        *at++ = '0';
    if (used == d->count)
        *at++ = '0';
    while (used < d->count)
        *at++ = d->at[used++];
    if (!plain)
        at += sprintf(at, "E%d", exponent - 1);
    return at;
}

static size_t put_number(double v, bool as_float, char out[NUMBER_TEXT_MAX])
{
    char *at = out;
    if (isnan(v))
        return (size_t)(stpcpy(out, "NaN") - out);
    if (signbit(v))
        *at++ = '-';
    v = fabs(v);
    if (isinf(v)) {
        at = stpcpy(at, "Infinity");
    } else if (v == 0) {
        at = stpcpy(at, "0.0");
    } else {
        Digits d = shortest(v, as_float);
        at = put_java(at, &d);
    }
    *at = '\0';
    return (size_t)(at - out);
}

size_t double_text(double v, char out[NUMBER_TEXT_MAX])
{
    return put_number(v, false, out);
}

size_t float_text(float v, char out[NUMBER_TEXT_MAX])
{
    return put_number((double)v, true, out);
}

/* ---- reading ---- */

static Str trim(Str s)
{
    size_t from = 0, to = s.len;
    while (from < to && (unsigned char)s.ptr[from] <= ' ')
        from++;
    while (to > from && (unsigned char)s.ptr[to - 1] <= ' ')
        to--;
    return str_slice(s, from, to);
}

static bool special(Str s, double *out)
{
    static const struct { const char *name; double value; } names[] = {
        {"nan", NAN},          {"inf", INFINITY},       {"+inf", INFINITY}, {"infinity", INFINITY},
        {"+infinity", INFINITY}, {"-inf", -INFINITY}, {"-infinity", -INFINITY},
    };
    for (size_t i = 0; i < LENGTH_OF(names); i++)
        if (str_is_ci(s, names[i].name)) {
            *out = names[i].value;
            return true;
        }
    return false;
}

/* Java's hexadecimal form needs its binary exponent: 0x1p3. */
static bool is_hex(Str s)
{
    size_t i = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+');
    if (!str_istarts_with(str_slice(s, i, s.len), S("0x")))
        return false;
    return str_find_char(s, 'p') >= 0 || str_find_char(s, 'P') >= 0;
}

static bool parse_hex(Str s, double *out)
{
    char z[128], *end;
    if (s.len >= sizeof z)
        return false;
    memcpy(z, s.ptr, s.len);
    z[s.len] = '\0';
    *out = strtod(z, &end);
    return end == z + s.len;
}

bool double_parse(Str text, double *out)
{
    Str s = trim(text);
    if (special(s, out))
        return true;
    if (s.len && strchr("dDfF", s.ptr[s.len - 1]) && s.ptr[s.len - 1])
        s.len--;
    if (is_hex(s))
        return parse_hex(s, out);
    return str_to_f64(s, out);
}

bool float_parse(Str text, float *out)
{
    double wide;
    char z[128];
    if (!double_parse(text, &wide))
        return false;
    *out = (float)wide;
    /* Rounding twice can go wrong: the text is read again as a float where that is possible. */
    Str s = trim(text);
    if (isfinite(wide) && s.len < sizeof z) {
        memcpy(z, s.ptr, s.len);
        z[s.len] = '\0';
        *out = strtof(z, NULL);
    }
    return true;
}
