/* Decimal arithmetic and casts to decimals: one function a result scale, as DuckDB wants its type
 * fixed. */
#include "func/native_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "func/number.h"
#include "type/coerce.h"

/* Registered as ls_<name>_<scale>, giving DECIMAL(38, scale). */
typedef struct DecimalFunction {
    NativeFunction base;
    int scale;
} DecimalFunction;

static int scale_of(const Native *n) { return ((const DecimalFunction *)n->function)->scale; }

static bool set_decimal(Native *n, idx_t row, __int128 v) {
    ((duckdb_hugeint *)n->result)[row] = (duckdb_hugeint){(uint64_t)v, (int64_t)(v >> 64)};
    return true;
}

static bool out_of_range(Native *n, idx_t row, Str text, int precision, int mode) {
    if (mode != CAST_ANSI)
        return native_set_null(n, row);
    return NATIVE_FAIL(n, ERR_NUMERIC_VALUE_OUT_OF_RANGE__WITH_SUGGESTION, P("value", text),
                       P("precision", str_printf(n->arena, "%d", precision)),
                       P("scale", str_printf(n->arena, "%d", scale_of(n))),
                       PZ("config", "\"spark.sql.ansi.enabled\""));
}

/* ---- casts ---- */

static bool real_to_decimal(Native *n, idx_t row, int precision, int mode) {
    Buf *b = &n->scratch;
    double d = native_double_at(&n->args[0], row, n->arena);
    java_put_double(b, d);
    __int128 v;
    NumberParse r =
        isfinite(d) ? decimal_parse(buf_str(b), precision, scale_of(n), &v) : NUMBER_MALFORMED;
    if (r == NUMBER_OK)
        return set_decimal(n, row, v);
    return r == NUMBER_MALFORMED ? native_set_null(n, row)
                                 : out_of_range(n, row, buf_str(b), precision, mode);
}

static bool row_cast(Native *n, idx_t row) {
    const NativeVec *v = &n->args[0];
    int precision = native_i32(n, 1, row), mode = native_i32(n, 2, row);
    __int128 out;
    if (v->type == DUCKDB_TYPE_VARCHAR) {
        Str text = native_str(n, 0, row);
        NumberParse r = decimal_parse(text, precision, scale_of(n), &out);
        if (r == NUMBER_OK)
            return set_decimal(n, row, out);
        if (r == NUMBER_OVERFLOW || mode != CAST_ANSI)
            return out_of_range(n, row, java_trim_all(text), precision, mode);
        return NATIVE_FAIL(
            n, ERR_CAST_INVALID_INPUT,
            P("expression", str_printf(n->arena, "'" STR_FMT "'", STR_ARG(text))),
            PZ("sourceType", "\"STRING\""),
            P("targetType", str_printf(n->arena, "\"DECIMAL(%d,%d)\"", precision, scale_of(n))),
            PZ("ansiConfig", "\"spark.sql.ansi.enabled\""));
    }
    if (native_type_is(v, DUCKDB_TYPE_DOUBLE, DUCKDB_TYPE_FLOAT))
        return real_to_decimal(n, row, precision, mode);
    int from = v->type == DUCKDB_TYPE_DECIMAL        ? v->scale
               : v->type == DUCKDB_TYPE_TIMESTAMP_TZ ? 6
                                                     : 0;
    __int128 i = native_integer_at(v, row);
    if (decimal_rescale(i, from, scale_of(n), precision, &out))
        return set_decimal(n, row, out);
    put_decimal(&n->scratch, i, from);
    return out_of_range(n, row, buf_str(&n->scratch), precision, mode);
}

/* ---- 256-bit products and quotients ---- */

typedef struct U256 {
    unsigned __int128 low, high;
} U256;

static U256 multiply_wide(unsigned __int128 a, unsigned __int128 b) {
    uint64_t al = (uint64_t)a, ah = (uint64_t)(a >> 64), bl = (uint64_t)b, bh = (uint64_t)(b >> 64);
    unsigned __int128 ll = (unsigned __int128)al * bl, lh = (unsigned __int128)al * bh;
    unsigned __int128 hl = (unsigned __int128)ah * bl, hh = (unsigned __int128)ah * bh;
    unsigned __int128 mid = (ll >> 64) + (uint64_t)lh + (uint64_t)hl;
    return (U256){(mid << 64) | (uint64_t)ll, hh + (lh >> 64) + (hl >> 64) + (mid >> 64)};
}

/* Long division bit by bit; the quotient must fit 128 bits or *fits is false. */
static unsigned __int128 divide_wide(U256 a, unsigned __int128 d, unsigned __int128 *remainder,
                                     bool *fits) {
    *fits = a.high < d;
    if (!*fits)
        return 0;
    if (a.high == 0) {
        *remainder = a.low % d;
        return a.low / d;
    }
    unsigned __int128 r = a.high, q = 0;
    for (int i = 127; i >= 0; i--) {
        bool carry = r >> 127;
        r = (r << 1) | ((a.low >> i) & 1);
        q <<= 1;
        if (carry || r >= d) {
            r -= d;
            q |= 1;
        }
    }
    *remainder = r;
    return q;
}

static unsigned __int128 magnitude(__int128 v) {
    return v < 0 ? -(unsigned __int128)v : (unsigned __int128)v;
}

/* round half up of a / d, with the sign. */
static bool rounded_quotient(U256 a, unsigned __int128 d, bool negative, int precision,
                             __int128 *out) {
    bool fits;
    unsigned __int128 r, q = divide_wide(a, d, &r, &fits);
    if (!fits)
        return false;
    if (r >= d - r)
        q++;
    if (q >= (unsigned __int128)pow10_int128(precision))
        return false;
    *out = negative ? -(__int128)q : (__int128)q;
    return true;
}

static int scale_at(const Native *n, size_t arg) {
    return n->args[arg].type == DUCKDB_TYPE_DECIMAL ? n->args[arg].scale : 0;
}

static bool arithmetic_overflow(Native *n, idx_t row, int precision, int mode) {
    if (mode != CAST_ANSI)
        return native_set_null(n, row);
    Buf *b = &n->scratch;
    static const char OPS[] = "+-*/%%";
    put_decimal(b, native_integer_at(&n->args[0], row), scale_at(n, 0));
    buf_addf(b, " %c ", OPS[n->function->variant]);
    put_decimal(b, native_integer_at(&n->args[1], row), scale_at(n, 1));
    return out_of_range(n, row, buf_str(b), precision, mode);
}

static bool add(Native *n, idx_t row, int precision, bool subtract, __int128 *out) {
    int sa = scale_at(n, 0), sb = scale_at(n, 1), s = sa > sb ? sa : sb;
    __int128 a = native_integer_at(&n->args[0], row), b = native_integer_at(&n->args[1], row), sum;
    if (__builtin_mul_overflow(a, pow10_int128(s - sa), &a) ||
        __builtin_mul_overflow(b, pow10_int128(s - sb), &b))
        return false;
    if (subtract ? __builtin_sub_overflow(a, b, &sum) : __builtin_add_overflow(a, b, &sum))
        return false;
    return decimal_rescale(sum, s, scale_of(n), precision, out);
}

static bool multiply(Native *n, idx_t row, int precision, __int128 *out) {
    __int128 a = native_integer_at(&n->args[0], row), b = native_integer_at(&n->args[1], row);
    int down = scale_at(n, 0) + scale_at(n, 1) - scale_of(n);
    if (down < 0)
        return false;
    bool negative = (a < 0) != (b < 0);
    U256 product = multiply_wide(magnitude(a), magnitude(b));
    while (down > 38) { /* only when both scales are near 38 */
        bool fits;
        unsigned __int128 r, high = product.high / 10, carry = product.high % 10;
        product.low = divide_wide((U256){product.low, carry}, 10, &r, &fits);
        product.high = high;
        down--;
    }
    return rounded_quotient(product, (unsigned __int128)pow10_int128(down), negative, precision,
                            out);
}

static bool divide(Native *n, idx_t row, int precision, __int128 *out) {
    __int128 a = native_integer_at(&n->args[0], row), b = native_integer_at(&n->args[1], row);
    int up = scale_of(n) - scale_at(n, 0) + scale_at(n, 1);
    bool negative = (a < 0) != (b < 0);
    if (up < 0) {
        unsigned __int128 d;
        if (__builtin_mul_overflow(magnitude(b), (unsigned __int128)pow10_int128(-up), &d)) {
            *out = 0;
            return true;
        }
        return rounded_quotient((U256){magnitude(a), 0}, d, negative, precision, out);
    }
    U256 scaled = {0, 0};
    if (up <= 38) {
        scaled = multiply_wide(magnitude(a), (unsigned __int128)pow10_int128(up));
    } else {
        U256 first = multiply_wide(magnitude(a), (unsigned __int128)pow10_int128(38));
        unsigned __int128 rest = (unsigned __int128)pow10_int128(up - 38);
        U256 low = multiply_wide(first.low, rest), high = multiply_wide(first.high, rest);
        if (high.high)
            return false;
        scaled.low = low.low;
        if (__builtin_add_overflow(low.high, high.low, &scaled.high))
            return false;
    }
    return rounded_quotient(scaled, magnitude(b), negative, precision, out);
}

static bool remainder_of(Native *n, idx_t row, int precision, __int128 *out) {
    int sa = scale_at(n, 0), sb = scale_at(n, 1), s = sa > sb ? sa : sb;
    __int128 a = native_integer_at(&n->args[0], row), b = native_integer_at(&n->args[1], row);
    if (s - sb > 0 && __builtin_mul_overflow(b, pow10_int128(s - sb), &b)) {
        return decimal_rescale(a, sa, scale_of(n), precision, out); /* |a| < |b| */
    }
    if (s - sa > 0) { /* (a * 10^k) mod b, digit by digit */
        __int128 r = a % b;
        for (int i = 0; i < s - sa; i++) {
            __int128 next;
            if (__builtin_mul_overflow(r, 10, &next)) {
                U256 wide = multiply_wide(magnitude(r), 10);
                unsigned __int128 m;
                bool fits;
                divide_wide(wide, magnitude(b), &m, &fits);
                next = r < 0 ? -(__int128)m : (__int128)m;
            }
            r = next % b;
        }
        return decimal_rescale(r, s, scale_of(n), precision, out);
    }
    return decimal_rescale(a % b, s, scale_of(n), precision, out);
}

/* (a, b, precision, mode) */
static bool row_arithmetic(Native *n, idx_t row) {
    int precision = native_i32(n, 2, row), mode = native_i32(n, 3, row), op = n->function->variant;
    if (op >= 3 && native_integer_at(&n->args[1], row) == 0) {
        if (mode != CAST_ANSI)
            return native_set_null(n, row);
        return NATIVE_FAIL(n, op == 4 ? ERR_REMAINDER_BY_ZERO : ERR_DIVIDE_BY_ZERO,
                           PZ("config", "\"spark.sql.ansi.enabled\""));
    }
    __int128 out;
    bool ok = op <= 1   ? add(n, row, precision, op == 1, &out)
              : op == 2 ? multiply(n, row, precision, &out)
              : op == 3 ? divide(n, row, precision, &out)
                        : remainder_of(n, row, precision, &out);
    if (ok && op == 5 && out < 0) { /* pmod: (r + b) mod b, both at the result's scale */
        __int128 b;
        if (decimal_rescale(native_integer_at(&n->args[1], row), scale_at(n, 1), scale_of(n), 38,
                            &b) &&
            b)
            out = (out + b) % b;
    }
    return ok ? set_decimal(n, row, out) : arithmetic_overflow(n, row, precision, mode);
}

/* ---- whole chunks of sums and products that keep every digit ---- */

typedef struct DecimalSide {
    const void *data; /* int64_t or, wide, duckdb_hugeint */
    bool wide;
    int digits, scale;
    __int128 factor; /* brings it to the scale of a sum */
} DecimalSide;

typedef struct DecimalChunk {
    DecimalSide a, b;
    __int128 limit; /* 0: no result can reach it */
    duckdb_hugeint *out;
    idx_t rows;
} DecimalChunk;

static bool read_side(Native *n, size_t arg, DecimalSide *out) {
    const NativeVec *v = &n->args[arg];
    bool decimal = v->type == DUCKDB_TYPE_DECIMAL;
    duckdb_type stored = decimal ? v->internal : v->type;
    *out = (DecimalSide){v->data, stored == DUCKDB_TYPE_HUGEINT, decimal ? v->width : 19,
                         scale_at(n, arg), 1};
    if (out->wide || stored == DUCKDB_TYPE_BIGINT)
        return true;
    if (stored != DUCKDB_TYPE_INTEGER && stored != DUCKDB_TYPE_SMALLINT)
        return false;
    int64_t *longs = ARENA_ARRAY(n->arena, int64_t, n->rows);
    for (idx_t i = 0; i < n->rows; i++)
        longs[i] = stored == DUCKDB_TYPE_INTEGER ? ((const int32_t *)v->data)[i]
                                                 : ((const int16_t *)v->data)[i];
    out->data = longs;
    return true;
}

static inline __int128 side_at(const void *data, bool wide, idx_t row) {
    if (!wide)
        return ((const int64_t *)data)[row];
    const duckdb_hugeint *h = &((const duckdb_hugeint *)data)[row];
    return (__int128)(((unsigned __int128)(uint64_t)h->upper << 64) | h->lower);
}

static inline bool times(__int128 a, __int128 b, __int128 *out) {
    if ((int64_t)a == a && (int64_t)b == b) {
        *out = (__int128)(int64_t)a * (int64_t)b;
        return true;
    }
    return !__builtin_mul_overflow(a, b, out);
}

/* op: the variant of row_arithmetic, known where this is put in. */
static inline __attribute__((always_inline)) bool each_row(const DecimalChunk *c, int op, bool wide_a,
                                                           bool wide_b) {
    bool fits = true;
    for (idx_t i = 0; i < c->rows; i++) {
        __int128 a = side_at(c->a.data, wide_a, i), b = side_at(c->b.data, wide_b, i), v = 0;
        if (op == 2) {
            fits &= times(a, b, &v);
        } else {
            fits &= times(a, c->a.factor, &a) & times(b, c->b.factor, &b);
            fits &= op == 1 ? !__builtin_sub_overflow(a, b, &v) : !__builtin_add_overflow(a, b, &v);
        }
        fits &= !c->limit || (v < c->limit && v > -c->limit);
        c->out[i] = (duckdb_hugeint){(uint64_t)v, (int64_t)(v >> 64)};
    }
    return fits;
}

static inline __attribute__((always_inline)) bool each_width(const DecimalChunk *c, int op) {
    if (c->a.wide)
        return c->b.wide ? each_row(c, op, true, true) : each_row(c, op, true, false);
    return c->b.wide ? each_row(c, op, false, true) : each_row(c, op, false, false);
}

static bool chunk_arithmetic(Native *n) {
    DecimalChunk c = {.out = n->result, .rows = n->rows};
    int precision = native_i32(n, 2, 0), op = n->function->variant;
    if (!read_side(n, 0, &c.a) || !read_side(n, 1, &c.b))
        return false;
    int s = c.a.scale > c.b.scale ? c.a.scale : c.b.scale, up_a = s - c.a.scale, up_b = s - c.b.scale;
    int whole_a = c.a.digits + up_a, whole_b = c.b.digits + up_b;
    if (scale_of(n) != (op == 2 ? c.a.scale + c.b.scale : s))
        return false;
    c.a.factor = pow10_int128(up_a);
    c.b.factor = pow10_int128(up_b);
    int digits = op == 2 ? c.a.digits + c.b.digits : (whole_a > whole_b ? whole_a : whole_b) + 1;
    c.limit = digits <= precision ? 0 : pow10_int128(precision);
    /* What stands in the place of a NULL may overflow: then the rows decide. */
    bool fits = op == 2 ? each_width(&c, 2) : op == 1 ? each_width(&c, 1) : each_width(&c, 0);
    for (idx_t i = 0; fits && (n->args[0].valid || n->args[1].valid) && i < n->rows; i++)
        if (native_arg_null(n, 0, i) || native_arg_null(n, 1, i))
            native_set_null(n, i);
    return fits;
}

/* ---- rounding: (value, digits, precision, mode, how) ---- */

enum { ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_FLOOR, ROUND_CEIL };

static bool row_round(Native *n, idx_t row) {
    int digits = native_i32(n, 1, row), precision = native_i32(n, 2, row),
        mode = native_i32(n, 3, row);
    int from = scale_at(n, 0), how = n->function->variant;
    __int128 v = native_integer_at(&n->args[0], row), out;
    if (digits < from) {
        int down = from - digits;
        __int128 p = down > 38 ? 0 : pow10_int128(down), q = p ? v / p : 0, r = p ? v % p : v;
        bool half_or_more = p && (r < 0 ? -r : r) >= p / 2,
             exact_half = p && (r < 0 ? -r : r) == p / 2;
        if (how == ROUND_HALF_UP && half_or_more)
            q += v < 0 ? -1 : 1;
        else if (how == ROUND_HALF_EVEN && half_or_more && !(exact_half && q % 2 == 0))
            q += v < 0 ? -1 : 1;
        else if (how == ROUND_FLOOR && r < 0)
            q--;
        else if (how == ROUND_CEIL && r > 0)
            q++;
        v = q;
        from = digits;
    }
    if (from < 0) { /* negative digits: back to units */
        if (from < -38 || __builtin_mul_overflow(v, pow10_int128(-from), &v)) {
            if (v)
                return arithmetic_overflow(n, row, precision, mode);
        }
        from = 0;
    }
    if (decimal_rescale(v, from, scale_of(n), precision, &out))
        return set_decimal(n, row, out);
    put_decimal(&n->scratch, v, from);
    return out_of_range(n, row, buf_str(&n->scratch), precision, mode);
}

/* ---- registration ---- */

typedef struct DecimalFamily {
    const char *name;
    NativeRow row;
    int variant;
    const char *args;
    NativeChunk chunk;
} DecimalFamily;

static const DecimalFamily FAMILIES[] = {
    {"decimal", row_cast, 0, "?44"},
    {"decimal_add", row_arithmetic, 0, "??44", chunk_arithmetic},
    {"decimal_subtract", row_arithmetic, 1, "??44", chunk_arithmetic},
    {"decimal_multiply", row_arithmetic, 2, "??44", chunk_arithmetic},
    {"decimal_divide", row_arithmetic, 3, "??44"},
    {"decimal_mod", row_arithmetic, 4, "??44"},
    {"decimal_pmod", row_arithmetic, 5, "??44"},
    {"decimal_round", row_round, ROUND_HALF_UP, "?444"},
    {"decimal_bround", row_round, ROUND_HALF_EVEN, "?444"},
    {"decimal_floor", row_round, ROUND_FLOOR, "?444"},
    {"decimal_ceil", row_round, ROUND_CEIL, "?444"},
};

static DecimalFunction decimal_functions[LENGTH_OF(FAMILIES)][39];
static char decimal_names[LENGTH_OF(FAMILIES)][39][32];

/* The whole part of a quotient: div. */
static bool row_div(Native *n, idx_t row) {
    int sa = scale_at(n, 0), sb = scale_at(n, 1), mode = native_i32(n, 2, row);
    __int128 a = native_integer_at(&n->args[0], row), b = native_integer_at(&n->args[1], row);
    if (b == 0)
        return mode == CAST_ANSI
                   ? NATIVE_FAIL(n, ERR_DIVIDE_BY_ZERO, PZ("config", "\"spark.sql.ansi.enabled\""))
                   : native_set_null(n, row);
    bool negative = (a < 0) != (b < 0), fits = true;
    U256 x = sb > sa ? multiply_wide(magnitude(a), (unsigned __int128)pow10_int128(sb - sa))
                     : (U256){magnitude(a), 0};
    unsigned __int128 d = magnitude(b), q = 0, r;
    if (sa > sb && __builtin_mul_overflow(d, (unsigned __int128)pow10_int128(sa - sb), &d))
        return native_set_i64(n, row, 0);
    q = divide_wide(x, d, &r, &fits);
    int digits = n->args[0].width - sa + sb;
    digits = digits < 1 ? 1 : digits > 38 ? 38 : digits;
    if (!fits || q >= (unsigned __int128)pow10_int128(digits)) {
        if (mode != CAST_ANSI)
            return native_set_null(n, row);
        Str shown = S("quotient"); /* it has more digits than any decimal */
        return NATIVE_FAIL(n, ERR_NUMERIC_VALUE_OUT_OF_RANGE__WITH_SUGGESTION, P("value", shown),
                           P("precision", str_printf(n->arena, "%d", digits)), PZ("scale", "0"),
                           PZ("config", "\"spark.sql.ansi.enabled\""));
    }
    /* The quotient is a decimal, and what does not fit a BIGINT of it is cut off: Decimal.toLong. */
    return native_set_i64(n, row, (int64_t)(uint64_t)(negative ? -q : q));
}

static const NativeFunction DIV[] = {{"ls_decimal_div", "8:??4", row_div, 0, 0}};

bool native_register_decimal(duckdb_connection c, Error *err) {
    TRY(native_register_table(c, DIV, LENGTH_OF(DIV), err));
    for (size_t f = 0; f < LENGTH_OF(FAMILIES); f++)
        for (int scale = 0; scale <= 38; scale++) {
            DecimalFunction *d = &decimal_functions[f][scale];
            char *name = decimal_names[f][scale];
            snprintf(name, sizeof(decimal_names[f][scale]), "ls_%s_%d", FAMILIES[f].name, scale);
            d->base = (NativeFunction){name, NULL, FAMILIES[f].row, 0, FAMILIES[f].variant,
                                      FAMILIES[f].chunk};
            d->scale = scale;
            duckdb_logical_type result = duckdb_create_decimal_type(38, (uint8_t)scale);
            bool ok = native_register_typed(c, &d->base, result, FAMILIES[f].args, err);
            duckdb_destroy_logical_type(&result);
            TRY(ok);
        }
    return true;
}
