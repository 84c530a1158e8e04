/* Mathematics where Java's answers differ from DuckDB's: domains, overflow, rounding, random
 * sequences. */
#include "func/native_impl.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "func/java_math.h"
#include "func/number.h"
#include "func/random.h"
#include "type/coerce.h"

/* ---- double to double ---- */

static double java_atanh(double x) { return 0.5 * (java_log1p(x) - java_log1p(-x)); }

static double cot(double x) { return 1 / tan(x); }

static double sec(double x) { return 1 / cos(x); }

static double csc(double x) { return 1 / sin(x); }

static double degrees(double x) { return x * (180.0 / M_PI); }

static double radians(double x) { return x * (M_PI / 180.0); }

static double signum(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }

static double (*const REALS[])(double) = {
    sqrt,       java_cbrt,  java_exp,   java_expm1, sin,       cos,       tan,       cot,
    sec,        csc,        java_asin,  java_acos,  java_atan, java_sinh, java_cosh, java_tanh,
    java_asinh, java_acosh, java_atanh, degrees,    radians,   rint,      signum};

static bool row_real(Native *n, idx_t row) {
    return native_set_f64(n, row, REALS[n->function->variant](native_f64(n, 0, row)));
}

/* ln, log2, log10, log1p: NULL up to their asymptote. */
static bool row_logarithm(Native *n, idx_t row) {
    double x = native_f64(n, 0, row);
    int which = n->function->variant;
    if (x <= (which == 3 ? -1.0 : 0.0))
        return native_set_null(n, row);
    return native_set_f64(n, row,
                          which == 0   ? java_log(x)
                          : which == 1 ? java_log(x) / java_log(2.0)
                          : which == 2 ? java_log10(x)
                                       : java_log1p(x));
}

static bool row_log(Native *n, idx_t row) {
    double base = native_f64(n, 0, row), x = native_f64(n, 1, row);
    return base <= 0 || x <= 0 ? native_set_null(n, row)
                               : native_set_f64(n, row, java_log(x) / java_log(base));
}

static bool row_real2(Native *n, idx_t row) {
    double a = native_f64(n, 0, row), b = native_f64(n, 1, row);
    switch (n->function->variant) {
    case 0:
        return native_set_f64(n, row, java_pow(a, b));
    case 1:
        return native_set_f64(n, row, java_atan2(a + 0.0, b + 0.0));
    default:
        return native_set_f64(n, row, java_hypot(a, b));
    }
}

static bool row_nanvl(Native *n, idx_t row) {
    if (native_arg_null(n, 0, row))
        return native_set_null(n, row);
    double a = native_f64(n, 0, row);
    if (!isnan(a))
        return native_set_f64(n, row, a);
    return native_arg_null(n, 1, row) ? native_set_null(n, row)
                                      : native_set_f64(n, row, native_f64(n, 1, row));
}

/* ---- division and overflow ---- */

static bool by_zero(Native *n, idx_t row, int mode, bool remainder) {
    if (mode != CAST_ANSI)
        return native_set_null(n, row);
    return NATIVE_FAIL(n, remainder ? ERR_REMAINDER_BY_ZERO : ERR_DIVIDE_BY_ZERO,
                       PZ("config", "\"spark.sql.ansi.enabled\""));
}

static bool row_real_division(Native *n, idx_t row) {
    double a = native_f64(n, 0, row), b = native_f64(n, 1, row);
    int mode = native_i32(n, 2, row), which = n->function->variant;
    if (b == 0)
        return by_zero(n, row, mode, which != 0);
    if (which == 0)
        return native_set_f64(n, row, a / b);
    double r = fmod(a, b);
    if (which == 2 && r < 0)
        r = fmod(r + b, b);
    return native_set_f64(n, row, r);
}

static bool row_integer_division(Native *n, idx_t row) {
    int64_t a = native_i64(n, 0, row), b = native_i64(n, 1, row);
    int mode = native_i32(n, 2, row), which = n->function->variant;
    if (b == 0)
        return by_zero(n, row, mode, which != 0);
    if (which == 0) {
        if (a == INT64_MIN && b == -1)
            return mode == CAST_ANSI
                       ? NATIVE_FAIL(
                             n, ERR_ARITHMETIC_OVERFLOW,
                             PZ("message", "Overflow in integral divide"),
                             PZ("alternative",
                                " Use 'try_divide' to tolerate overflow and return NULL instead."),
                             PZ("config", "\"spark.sql.ansi.enabled\""))
                       : native_set_i64(n, row, a);
        return native_set_i64(n, row, a / b);
    }
    int64_t r = b == -1 ? 0 : a % b;
    if (which == 2 && r < 0)
        r = (int64_t)(((__int128)r + b) % b);
    return native_set_i64(n, row, r);
}

/* (a, b, bits, mode): + - * that wrap or give NULL. */
static bool row_integer_arithmetic(Native *n, idx_t row) {
    int64_t a = native_i64(n, 0, row), b = native_i64(n, 1, row);
    int bits = native_i32(n, 2, row), mode = native_i32(n, 3, row);
    __int128 r = n->function->variant == 0   ? (__int128)a + b
                 : n->function->variant == 1 ? (__int128)a - b
                                             : (__int128)a * b;
    __int128 limit = (__int128)1 << (bits - 1);
    if (r >= limit || r < -limit) {
        if (mode == CAST_TRY)
            return native_set_null(n, row);
        r = bits == 8 ? (int8_t)r : bits == 16 ? (int16_t)r : bits == 32 ? (int32_t)r : (int64_t)r;
    }
    return native_set_i64(n, row, (int64_t)r);
}

/* The sum of longs, microseconds (1) or months (2), which DuckDB keeps in 128 bits: (sum, try). */
static bool row_sum_long(Native *n, idx_t row) {
    __int128 v = native_integer_at(&n->args[0], row);
    int64_t limit = n->function->variant == 2 ? INT32_MAX : INT64_MAX;
    if (v >= -limit - 1 && v <= limit)
        return native_set_i64(n, row, (int64_t)v);
    if (native_bool(n, 1, row))
        return native_set_null(n, row);
    if (n->function->variant)
        return NATIVE_FAIL(n, ERR_INTERVAL_ARITHMETIC_OVERFLOW__WITH_SUGGESTION, PZ("functionName", "`try_add`"));
    return NATIVE_FAIL(
        n, ERR_ARITHMETIC_OVERFLOW, PZ("message", "overflow"),
        PZ("alternative", " Use 'try_add' to tolerate overflow and return NULL instead."),
        PZ("config", "\"spark.sql.ansi.enabled\""));
}

static bool interval_overflow(Native *n, idx_t row, int mode, const char *instead) {
    if (mode == CAST_TRY)
        return native_set_null(n, row);
    return NATIVE_FAIL(n, ERR_INTERVAL_ARITHMETIC_OVERFLOW__WITH_SUGGESTION, PZ("functionName", instead));
}

static bool fits_bits(__int128 v, int bits) {
    __int128 limit = (__int128)1 << (bits - 1);
    return v < limit && v >= -limit;
}

/* Months (32 bits) or microseconds (64): (a, b, bits, mode). */
static bool row_interval_sum(Native *n, idx_t row) {
    bool minus = n->function->variant == 1;
    __int128 a = native_i64(n, 0, row), b = native_i64(n, 1, row), r = minus ? a - b : a + b;
    if (fits_bits(r, native_i32(n, 2, row)))
        return native_set_i64(n, row, (int64_t)r);
    return interval_overflow(n, row, native_i32(n, 3, row), minus ? "`try_subtract`" : "`try_add`");
}

/* (interval, whole number, bits, mode), rounded half up. */
static bool row_interval_divide(Native *n, idx_t row) {
    __int128 a = native_i64(n, 0, row), b = native_i64(n, 1, row);
    int mode = native_i32(n, 3, row);
    if (b == 0)
        return mode == CAST_TRY ? native_set_null(n, row)
                                : NATIVE_FAIL(n, ERR_INTERVAL_DIVIDED_BY_ZERO, PZ("config", "\"spark.sql.ansi.enabled\""));
    __int128 q = a / b, rest = a % b, twice = rest < 0 ? -2 * rest : 2 * rest;
    if (twice >= (b < 0 ? -b : b))
        q += (a < 0) == (b < 0) ? 1 : -1;
    return fits_bits(q, native_i32(n, 2, row)) ? native_set_i64(n, row, (int64_t)q) : interval_overflow(n, row, mode, "`try_divide`");
}

/* (interval, bits) */
static bool row_interval_negate(Native *n, idx_t row) {
    __int128 r = -(__int128)native_i64(n, 0, row);
    return fits_bits(r, native_i32(n, 1, row)) ? native_set_i64(n, row, (int64_t)r)
                                               : NATIVE_FAIL(n, ERR_INTERVAL_ARITHMETIC_OVERFLOW__WITHOUT_SUGGESTION);
}

/* Calendar intervals: (a, b, mode). */
static bool row_calendar_sum(Native *n, idx_t row) {
    duckdb_interval a = native_interval(n, 0, row), b = native_interval(n, 1, row), *out = &((duckdb_interval *)n->result)[row];
    bool over = n->function->variant == 1
                    ? __builtin_sub_overflow(a.months, b.months, &out->months) | __builtin_sub_overflow(a.days, b.days, &out->days) |
                          __builtin_sub_overflow(a.micros, b.micros, &out->micros)
                    : __builtin_add_overflow(a.months, b.months, &out->months) | __builtin_add_overflow(a.days, b.days, &out->days) |
                          __builtin_add_overflow(a.micros, b.micros, &out->micros);
    int mode = native_i32(n, 2, row);
    if (!over || mode == CAST_LEGACY)
        return true;
    return mode == CAST_TRY
               ? native_set_null(n, row)
               : NATIVE_FAIL(n, ERR_ARITHMETIC_OVERFLOW, PZ("message", "integer overflow"), PZ("alternative", ""),
                             PZ("config", "\"spark.sql.ansi.enabled\""));
}

static bool scale_interval(Native *n, idx_t row, long double b);

/* (interval, decimal as text, divide, mode): 64 bits of precision, which doubles do not have. */
static bool row_interval_scale_exactly(Native *n, idx_t row) {
    Str text = native_str(n, 1, row);
    char digits[64];
    snprintf(digits, sizeof digits, "%.*s", (int)text.len, text.ptr);
    return scale_interval(n, row, strtold(digits, NULL));
}

/* (interval, number, divide, mode), rounded half up. */
static bool row_interval_scale(Native *n, idx_t row) { return scale_interval(n, row, native_f64(n, 1, row)); }

static bool scale_interval(Native *n, idx_t row, long double b) {
    bool exact = n->function->variant == 1;
    long double a = exact ? (long double)native_i64(n, 0, row) : (double)native_i64(n, 0, row);
    bool division = native_bool(n, 2, row);
    if (division && b == 0)
        return native_i32(n, 3, row) == CAST_TRY
                   ? native_set_null(n, row)
                   : NATIVE_FAIL(n, ERR_INTERVAL_DIVIDED_BY_ZERO,
                                 PZ("config", "\"spark.sql.ansi.enabled\""));
    long double r = exact      ? roundl(division ? a / b : a * b)
                    : division ? round((double)a / (double)b)
                               : round((double)a * (double)b);
    bool fits = fabsl(r) < 0x1p63L;
    if (!fits && native_i32(n, 3, row) == CAST_TRY)
        return native_set_null(n, row);
    if (!fits)
        return NATIVE_FAIL(n, ERR_ARITHMETIC_OVERFLOW, PZ("message", "Overflow"),
                           PZ("alternative", ""), PZ("config", "\"spark.sql.ansi.enabled\""));
    return native_set_i64(n, row, (int64_t)r);
}

/* ---- rounding ---- */

/* BigDecimal(Double.toString(x)).setScale(digits, HALF_UP or HALF_EVEN). */
static double round_text(Native *n, double x, int digits, bool even) {
    if (!isfinite(x) || x == 0)
        return x;
    Buf *b = &n->scratch;
    buf_reset(b);
    java_put_double(b, fabs(x));
    char digit[32];
    int count = 0, point = 0, exponent = 0;
    bool after = false;
    for (size_t i = 0; i < b->len; i++) {
        if (b->ptr[i] == 'E') {
            exponent = atoi(b->ptr + i + 1);
            break;
        }
        if (b->ptr[i] == '.') {
            after = true;
        } else {
            digit[count++] = b->ptr[i];
            point += !after;
        }
    }
    point += exponent;
    int keep = point + digits;
    if (keep >= count)
        return x;
    if (keep < 0)
        return copysign(0.0, x);
    bool exact_half = digit[keep] == '5';
    for (int i = keep + 1; i < count && exact_half; i++)
        exact_half = digit[i] == '0';
    bool odd = keep > 0 && (digit[keep - 1] - '0') % 2;
    bool up = digit[keep] >= '5' && !(even && exact_half && !odd);
    char text[64];
    int at = 0;
    text[at++] = '0';
    for (int i = 0; i < keep; i++)
        text[at++] = digit[i];
    for (int i = at - 1; up && i >= 0; i--) {
        up = text[i] == '9';
        text[i] = up ? '0' : (char)(text[i] + 1);
    }
    snprintf(text + at, sizeof(text) - (size_t)at, "e%d", point - keep);
    return copysign(strtod(text, NULL), x);
}

static bool row_real_round(Native *n, idx_t row) {
    double x;
    if (n->args[0].type == DUCKDB_TYPE_FLOAT) { /* the float's own shortest digits count */
        float f = ((float *)n->args[0].data)[row];
        if (!isfinite(f))
            return native_set_f64(n, row, f);
        java_put_float(&n->scratch, f);
        x = strtod(n->scratch.ptr, NULL);
    } else {
        x = native_f64(n, 0, row);
    }
    return native_set_f64(n, row, round_text(n, x, native_i32(n, 1, row), n->function->variant));
}

static bool row_real_to_long(Native *n, idx_t row) {
    double x = native_f64(n, 0, row);
    x = n->function->variant ? ceil(x) : floor(x);
    return native_set_i64(n, row,
                          isnan(x)                      ? 0
                          : x >= 9223372036854775807.0  ? INT64_MAX
                          : x <= -9223372036854775808.0 ? INT64_MIN
                                                        : (int64_t)x);
}

/* (value, digits, bits, ansi): outside ANSI the result wraps around. */
static bool row_integer_round(Native *n, idx_t row) {
    int64_t v = native_i64(n, 0, row);
    int digits = native_i32(n, 1, row), bits = native_i32(n, 2, row);
    if (digits >= 0)
        return native_set_i64(n, row, v);
    if (digits < -19)
        return native_set_i64(n, row, 0);
    __int128 p = pow10_int128(-digits), q = v / p, r = v % p;
    __int128 twice = (r < 0 ? -r : r) * 2, limit = (__int128)1 << (bits - 1);
    bool up = n->function->variant ? twice > p || (twice == p && q % 2 != 0) : twice >= p;
    if (up)
        q += v < 0 ? -1 : 1;
    q *= p;
    if (q < limit && q >= -limit)
        return native_set_i64(n, row, (int64_t)q);
    if (native_bool(n, 3, row))
        return NATIVE_FAIL(n, ERR_ARITHMETIC_OVERFLOW, PZ("message", "Overflow"),
                           PZ("alternative", ""), PZ("config", "\"spark.sql.ansi.enabled\""));
    return native_set_i64(n, row,
                          bits == 8    ? (int8_t)q
                          : bits == 16 ? (int16_t)q
                          : bits == 32 ? (int32_t)q
                                       : (int64_t)q);
}

/* ---- bits and bases ---- */

static bool row_shift(Native *n, idx_t row) {
    bool is_long = n->args[0].type == DUCKDB_TYPE_BIGINT;
    int by = native_i32(n, 1, row) & (is_long ? 63 : 31);
    if (is_long) {
        int64_t v = native_i64(n, 0, row);
        return native_set_i64(n, row,
                              n->function->variant == 0   ? (int64_t)((uint64_t)v << by)
                              : n->function->variant == 1 ? v >> by
                                                          : (int64_t)((uint64_t)v >> by));
    }
    int32_t v = native_i32(n, 0, row);
    return native_set_i64(n, row,
                          n->function->variant == 0   ? (int32_t)((uint32_t)v << by)
                          : n->function->variant == 1 ? v >> by
                                                      : (int32_t)((uint32_t)v >> by));
}

static bool row_bit_get(Native *n, idx_t row) {
    const NativeVec *v = &n->args[0];
    int bits = v->type == DUCKDB_TYPE_TINYINT    ? 8
               : v->type == DUCKDB_TYPE_SMALLINT ? 16
               : v->type == DUCKDB_TYPE_INTEGER  ? 32
                                                 : 64;
    int pos = native_i32(n, 1, row);
    if (pos < 0 || pos >= bits)
        return NATIVE_FAIL(n, ERR_INVALID_PARAMETER_VALUE__BIT_POSITION_RANGE,
                           PZ("functionName", "`getbit`"), PZ("parameter", "`pos`"),
                           P("upper", str_printf(n->arena, "%d", bits)),
                           P("invalidValue", str_printf(n->arena, "%d", pos)));
    ((int8_t *)n->result)[row] = (int8_t)((int64_t)native_integer_at(v, row) >> pos & 1);
    return true;
}

static bool row_hex(Native *n, idx_t row) {
    static const char DIGITS[] = "0123456789ABCDEF";
    const NativeVec *v = &n->args[0];
    if (native_type_is(v, DUCKDB_TYPE_VARCHAR, DUCKDB_TYPE_BLOB)) {
        Str s = native_str(n, 0, row);
        for (size_t i = 0; i < s.len; i++) {
            buf_addc(&n->scratch, DIGITS[(uint8_t)s.ptr[i] >> 4]);
            buf_addc(&n->scratch, DIGITS[(uint8_t)s.ptr[i] & 15]);
        }
    } else {
        buf_addf(&n->scratch, "%llX", (unsigned long long)native_integer_at(v, row));
    }
    return native_set_scratch(n, row);
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9'                 ? c - '0'
           : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                : -1;
}

/* An odd digit in front stands alone; anything else gives NULL. */
static bool row_unhex(Native *n, idx_t row) {
    Str s = native_str(n, 0, row);
    for (size_t i = 0; i < s.len;) {
        bool alone = i == 0 && s.len % 2;
        int high = alone ? 0 : hex_digit(s.ptr[i]), low = hex_digit(s.ptr[i + !alone]);
        if (high < 0 || low < 0)
            return native_set_null(n, row);
        buf_addc(&n->scratch, (char)(high << 4 | low));
        i += alone ? 1 : 2;
    }
    return native_set_scratch(n, row);
}

static bool row_bin(Native *n, idx_t row) {
    uint64_t v = (uint64_t)native_i64(n, 0, row);
    char text[64];
    size_t at = sizeof(text);
    do {
        text[--at] = (char)('0' + (v & 1));
        v >>= 1;
    } while (v);
    return native_set_str(n, row, (Str){text + at, sizeof(text) - at});
}

/* NumberConverter.convert: unsigned 64-bit arithmetic, digits up to the first that does not fit. */
static bool row_conv(Native *n, idx_t row) {
    Str s = java_trim_all(native_str(n, 0, row));
    int from = native_i32(n, 1, row), to = native_i32(n, 2, row);
    if (from < 2 || from > 36 || abs(to) < 2 || abs(to) > 36 || !s.len)
        return native_set_null(n, row);
    bool negative = s.ptr[0] == '-', over = false;
    uint64_t v = 0;
    for (size_t i = negative; i < s.len; i++) {
        int d = isdigit((unsigned char)s.ptr[i])   ? s.ptr[i] - '0'
                : isalpha((unsigned char)s.ptr[i]) ? (s.ptr[i] | 32) - 'a' + 10
                                                   : 99;
        if (d >= from)
            break;
        over |= __builtin_mul_overflow(v, (uint64_t)from, &v) ||
                __builtin_add_overflow(v, (uint64_t)d, &v);
    }
    if (over) {
        if (native_bool(n, 3, row))
            return NATIVE_FAIL(n, ERR_ARITHMETIC_OVERFLOW,
                               PZ("message", "Overflow in function conv()"), PZ("alternative", ""),
                               PZ("config", "\"spark.sql.ansi.enabled\""));
        v = UINT64_MAX;
    }
    if (negative && to > 0)
        v = (int64_t)v < 0 && over ? UINT64_MAX : -v;
    bool sign = negative && to < 0;
    if (to < 0 && !negative && (int64_t)v < 0) {
        v = -v;
        sign = true;
    }
    char text[72];
    size_t at = sizeof(text);
    unsigned base = (unsigned)abs(to);
    do {
        unsigned d = (unsigned)(v % base);
        text[--at] = (char)(d < 10 ? '0' + d : 'A' + d - 10);
        v /= base;
    } while (v);
    if (sign)
        text[--at] = '-';
    return native_set_str(n, row, (Str){text + at, sizeof(text) - at});
}

static bool row_factorial(Native *n, idx_t row) {
    int32_t v = native_i32(n, 0, row);
    if (v < 0 || v > 20)
        return native_set_null(n, row);
    int64_t r = 1;
    for (int i = 2; i <= v; i++)
        r *= i;
    return native_set_i64(n, row, r);
}

static bool row_width_bucket(Native *n, idx_t row) {
    double v = native_f64(n, 0, row), low = native_f64(n, 1, row), high = native_f64(n, 2, row);
    int64_t buckets = native_i64(n, 3, row);
    if (buckets <= 0 || buckets == INT64_MAX || isnan(v) || low == high || isnan(low) ||
        isinf(low) || isnan(high) || isinf(high))
        return native_set_null(n, row);
    double lower = low < high ? low : high, upper = low < high ? high : low;
    int64_t r;
    if (low < high)
        r = v < lower    ? 0
            : v >= upper ? buckets + 1
                         : (int64_t)((double)buckets * (v - lower) / (upper - lower)) + 1;
    else
        r = v > upper    ? 0
            : v <= lower ? buckets + 1
                         : (int64_t)((double)buckets * (upper - v) / (upper - lower)) + 1;
    return native_set_i64(n, row, r);
}

/* ---- random ---- */

static bool row_random(Native *n, idx_t row) {
    RandomState *s = native_state(n);
    if (!s->ready)
        random_start(s, native_i64(n, 0, row));
    return native_set_f64(n, row, n->function->variant ? random_gaussian(s) : random_double(s));
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_sqrt", "d:d", row_real, 0, 0},
    {"ls_cbrt", "d:d", row_real, 0, 1},
    {"ls_exp", "d:d", row_real, 0, 2},
    {"ls_expm1", "d:d", row_real, 0, 3},
    {"ls_sin", "d:d", row_real, 0, 4},
    {"ls_cos", "d:d", row_real, 0, 5},
    {"ls_tan", "d:d", row_real, 0, 6},
    {"ls_cot", "d:d", row_real, 0, 7},
    {"ls_sec", "d:d", row_real, 0, 8},
    {"ls_csc", "d:d", row_real, 0, 9},
    {"ls_asin", "d:d", row_real, 0, 10},
    {"ls_acos", "d:d", row_real, 0, 11},
    {"ls_atan", "d:d", row_real, 0, 12},
    {"ls_sinh", "d:d", row_real, 0, 13},
    {"ls_cosh", "d:d", row_real, 0, 14},
    {"ls_tanh", "d:d", row_real, 0, 15},
    {"ls_asinh", "d:d", row_real, 0, 16},
    {"ls_acosh", "d:d", row_real, 0, 17},
    {"ls_atanh", "d:d", row_real, 0, 18},
    {"ls_degrees", "d:d", row_real, 0, 19},
    {"ls_radians", "d:d", row_real, 0, 20},
    {"ls_rint", "d:d", row_real, 0, 21},
    {"ls_signum", "d:d", row_real, 0, 22},
    {"ls_ln", "d:d", row_logarithm, 0, 0},
    {"ls_log2", "d:d", row_logarithm, 0, 1},
    {"ls_log10", "d:d", row_logarithm, 0, 2},
    {"ls_log1p", "d:d", row_logarithm, 0, 3},
    {"ls_log", "d:dd", row_log, 0, 0},
    {"ls_pow", "d:dd", row_real2, 0, 0},
    {"ls_atan2", "d:dd", row_real2, 0, 1},
    {"ls_hypot", "d:dd", row_real2, 0, 2},
    {"ls_nanvl", "d:dd", row_nanvl, NATIVE_SEES_NULL, 0},
    {"ls_real_divide", "d:dd4", row_real_division, 0, 0},
    {"ls_real_mod", "d:dd4", row_real_division, 0, 1},
    {"ls_real_pmod", "d:dd4", row_real_division, 0, 2},
    {"ls_integer_div", "8:884", row_integer_division, 0, 0},
    {"ls_integer_mod", "8:884", row_integer_division, 0, 1},
    {"ls_integer_pmod", "8:884", row_integer_division, 0, 2},
    {"ls_integer_add", "8:8844", row_integer_arithmetic, 0, 0},
    {"ls_integer_subtract", "8:8844", row_integer_arithmetic, 0, 1},
    {"ls_integer_multiply", "8:8844", row_integer_arithmetic, 0, 2},
    {"ls_sum_long", "8:hb", row_sum_long, 0, 0},
    {"ls_sum_micros", "8:hb", row_sum_long, 0, 1},
    {"ls_sum_months", "8:hb", row_sum_long, 0, 2},
    {"ls_interval_scale", "8:8db4", row_interval_scale, 0, 0},
    {"ls_interval_scale_exactly", "8:8sb4", row_interval_scale_exactly, 0, 1},
    {"ls_interval_add", "8:8844", row_interval_sum, 0, 0},
    {"ls_interval_subtract", "8:8844", row_interval_sum, 0, 1},
    {"ls_interval_divide", "8:8844", row_interval_divide, 0, 0},
    {"ls_interval_negate", "8:84", row_interval_negate, 0, 0},
    {"ls_calendar_add", "v:vv4", row_calendar_sum, 0, 0},
    {"ls_calendar_subtract", "v:vv4", row_calendar_sum, 0, 1},
    {"ls_real_round", "d:?4", row_real_round, 0, 0},
    {"ls_real_bround", "d:?4", row_real_round, 0, 1},
    {"ls_real_floor", "8:d", row_real_to_long, 0, 0},
    {"ls_real_ceil", "8:d", row_real_to_long, 0, 1},
    {"ls_integer_round", "8:844b", row_integer_round, 0, 0},
    {"ls_integer_bround", "8:844b", row_integer_round, 0, 1},
    {"ls_shift_left", "8:?4", row_shift, 0, 0},
    {"ls_shift_right", "8:?4", row_shift, 0, 1},
    {"ls_shift_right_unsigned", "8:?4", row_shift, 0, 2},
    {"ls_bit_get", "1:?4", row_bit_get, 0, 0},
    {"ls_hex", "s:?", row_hex, 0, 0},
    {"ls_unhex", "x:s", row_unhex, 0, 0},
    {"ls_bin", "s:8", row_bin, 0, 0},
    {"ls_conv", "s:s44b", row_conv, 0, 0},
    {"ls_factorial", "8:4", row_factorial, 0, 0},
    {"ls_width_bucket", "8:ddd8", row_width_bucket, 0, 0},
    {"ls_rand", "d:8", row_random, NATIVE_VOLATILE | NATIVE_STATE, 0},
    {"ls_randn", "d:8", row_random, NATIVE_VOLATILE | NATIVE_STATE, 1},
};

bool native_register_math(duckdb_connection c, Error *err) {
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
