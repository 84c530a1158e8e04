/* format_string (java.util.Formatter), format_number, to_char and to_number patterns. */
#include "func/native_impl.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "func/number.h"
#include "type/datetime.h"

/* ---- java.util.Formatter ---- */

typedef struct Directive {
    bool left, plus, space, zero, group, paren, alternate;
    int width, precision; /* -1: not given */
    int index;            /* n$; 0: next, -1: previous (<) */
    char conversion;
} Directive;

static size_t read_directive(Str f, size_t at, Directive *d) {
    *d = (Directive){.width = -1, .precision = -1};
    size_t digits = at;
    while (digits < f.len && isdigit((unsigned char)f.ptr[digits]))
        digits++;
    if (digits > at && digits < f.len && f.ptr[digits] == '$') {
        d->index = atoi(f.ptr + at);
        at = digits + 1;
    } else if (at < f.len && f.ptr[at] == '<') {
        d->index = -1;
        at++;
    }
    for (; at < f.len; at++) {
        char c = f.ptr[at];
        if (c == '-')
            d->left = true;
        else if (c == '+')
            d->plus = true;
        else if (c == ' ')
            d->space = true;
        else if (c == '0')
            d->zero = true;
        else if (c == ',')
            d->group = true;
        else if (c == '(')
            d->paren = true;
        else if (c == '#')
            d->alternate = true;
        else
            break;
    }
    if (at < f.len && isdigit((unsigned char)f.ptr[at])) {
        d->width = 0;
        for (; at < f.len && isdigit((unsigned char)f.ptr[at]) && d->width < 100000; at++)
            d->width = d->width * 10 + f.ptr[at] - '0';
    }
    if (at < f.len && f.ptr[at] == '.') {
        d->precision = 0;
        for (at++; at < f.len && isdigit((unsigned char)f.ptr[at]) && d->precision < 1000; at++)
            d->precision = d->precision * 10 + f.ptr[at] - '0';
    }
    d->conversion = at < f.len ? f.ptr[at++] : '\0';
    return at;
}

static void pad(Buf *out, Str text, const Directive *d) {
    size_t have = str_utf8_len(text), want = d->width > 0 ? (size_t)d->width : 0;
    if (!d->left && want > have)
        buf_add_repeat(out, ' ', want - have);
    buf_add(out, text);
    if (d->left && want > have)
        buf_add_repeat(out, ' ', want - have);
}

/* Whole digits with thousands separators where asked. */
static void put_grouped(Buf *b, Str whole, bool group) {
    for (size_t i = 0; i < whole.len; i++) {
        if (group && i && (whole.len - i) % 3 == 0)
            buf_addc(b, ',');
        buf_addc(b, whole.ptr[i]);
    }
}

/* Sign, zero padding and parentheses around the digits of a number. */
static void put_number(Native *n, Buf *out, Str digits, bool negative, const Directive *d) {
    Buf b = buf_in(n->arena);
    if (negative)
        buf_addc(&b, d->paren ? '(' : '-');
    else if (d->plus || d->space)
        buf_addc(&b, d->plus ? '+' : ' ');
    size_t have = b.len + digits.len + (negative && d->paren);
    if (d->zero && d->width > 0 && (size_t)d->width > have)
        buf_add_repeat(&b, '0', (size_t)d->width - have);
    buf_add(&b, digits);
    if (negative && d->paren)
        buf_addc(&b, ')');
    pad(out, buf_str(&b), d);
}

static bool bad_conversion(Native *n, const Directive *d) {
    return NATIVE_FAIL(
        n, ERR_LAKESHED_ARGUMENT_INVALID, PZ("function", "format_string"),
        P("reason", str_printf(n->arena, "%%%c is no conversion for its argument", d->conversion)));
}

static bool put_integer(Native *n, Buf *out, const NativeVec *v, idx_t row, const Directive *d) {
    if (native_type_is(v, DUCKDB_TYPE_DOUBLE, DUCKDB_TYPE_FLOAT) ||
        native_type_is(v, DUCKDB_TYPE_VARCHAR, DUCKDB_TYPE_DECIMAL))
        return bad_conversion(n, d);
    __int128 i = native_integer_at(v, row);
    Buf whole = buf_in(n->arena), b = buf_in(n->arena);
    if (d->conversion == 'd') {
        put_int128(&whole, i < 0 ? -i : i);
        put_grouped(&b, buf_str(&whole), d->group);
        put_number(n, out, buf_str(&b), i < 0, d);
        return true;
    }
    int bits = v->type == DUCKDB_TYPE_TINYINT    ? 8
               : v->type == DUCKDB_TYPE_SMALLINT ? 16
               : v->type == DUCKDB_TYPE_INTEGER  ? 32
                                                 : 64;
    uint64_t u = bits == 64 ? (uint64_t)i : (uint64_t)i & ((UINT64_C(1) << bits) - 1);
    if (d->alternate)
        buf_addz(&b, d->conversion == 'o' ? "0" : d->conversion == 'x' ? "0x" : "0X");
    buf_addf(&b,
             d->conversion == 'o'   ? "%llo"
             : d->conversion == 'x' ? "%llx"
                                    : "%llX",
             (unsigned long long)u);
    put_number(n, out, buf_str(&b), false, d);
    return true;
}

/* value rounded half up to `digits` behind the point, from its shortest decimal text. */
static Str fixed_text(Native *n, const NativeVec *v, idx_t row, int digits, bool *negative) {
    Buf t = buf_in(n->arena);
    if (v->type == DUCKDB_TYPE_DECIMAL) {
        __int128 i = native_integer_at(v, row), r;
        *negative = i < 0;
        if (decimal_rescale(*negative ? -i : i, v->scale, digits, 38, &r)) {
            put_decimal(&t, r, digits);
            return buf_str(&t);
        }
    }
    double d = native_double_at(v, row, n->arena);
    *negative = signbit(d);
    d = fabs(d);
    if (v->type == DUCKDB_TYPE_FLOAT)
        java_put_float(&t, (float)d);
    else
        java_put_double(&t, d);
    __int128 u;
    if (digits <= 37 && decimal_parse(buf_str(&t), 38, digits, &u) == NUMBER_OK) {
        buf_reset(&t);
        put_decimal(&t, u, digits);
        return buf_str(&t);
    }
    return str_printf(n->arena, "%.*f", digits, d);
}

static bool put_real(Native *n, Buf *out, const NativeVec *v, idx_t row, const Directive *d) {
    bool real = native_type_is(v, DUCKDB_TYPE_DOUBLE, DUCKDB_TYPE_FLOAT);
    if (!real && v->type != DUCKDB_TYPE_DECIMAL)
        return bad_conversion(n, d);
    double x = native_double_at(v, row, n->arena);
    int precision = d->precision < 0 ? 6 : d->precision;
    if (real && !isfinite(x)) {
        pad(out,
            isnan(x) ? S("NaN")
            : x > 0  ? (d->plus ? S("+Infinity") : S("Infinity"))
                     : S("-Infinity"),
            d);
        return true;
    }
    Buf b = buf_in(n->arena);
    bool negative = signbit(x);
    if (d->conversion == 'f') {
        Str text = fixed_text(n, v, row, precision, &negative);
        ptrdiff_t point = str_find_char(text, '.');
        put_grouped(&b, point < 0 ? text : str_slice(text, 0, (size_t)point), d->group);
        if (point >= 0)
            buf_add(&b, str_slice(text, (size_t)point, text.len));
    } else if (d->conversion == 'g' || d->conversion == 'G') {
        double a = fabs(x);
        int p = precision ? precision : 1, magnitude = a == 0 ? 0 : (int)floor(log10(a));
        if (a != 0 && (a < 1e-4 || magnitude >= p))
            buf_addf(&b, d->conversion == 'g' ? "%.*e" : "%.*E", p - 1, a);
        else
            buf_addf(&b, "%.*f", p - 1 - magnitude > 0 ? p - 1 - magnitude : 0, a);
    } else {
        buf_addf(&b, d->conversion == 'E' ? "%.*E" : "%.*e", precision, fabs(x));
    }
    put_number(n, out, buf_str(&b), negative, d);
    return true;
}

static Str plain_text(Native *n, const NativeVec *v, idx_t row) {
    Buf b = buf_in(n->arena);
    switch (v->type) {
    case DUCKDB_TYPE_VARCHAR:
        return native_str_at(v, row);
    case DUCKDB_TYPE_BOOLEAN:
        return ((bool *)v->data)[row] ? S("true") : S("false");
    case DUCKDB_TYPE_DOUBLE:
        java_put_double(&b, ((double *)v->data)[row]);
        return buf_str(&b);
    case DUCKDB_TYPE_FLOAT:
        java_put_float(&b, ((float *)v->data)[row]);
        return buf_str(&b);
    case DUCKDB_TYPE_DECIMAL:
        put_decimal(&b, native_integer_at(v, row), v->scale);
        return buf_str(&b);
    default: /* Catalyst hands dates and timestamps over as their numbers */
        put_int128(&b, native_integer_at(v, row));
        return buf_str(&b);
    }
}

static bool put_directive(Native *n, Buf *out, const NativeVec *v, idx_t row, const Directive *d) {
    bool null = native_is_null(v, row);
    Str text;
    switch (d->conversion) {
    case 'd':
    case 'o':
    case 'x':
    case 'X':
        if (!null)
            return put_integer(n, out, v, row, d);
        text = S("null");
        break;
    case 'f':
    case 'e':
    case 'E':
    case 'g':
    case 'G':
        if (!null)
            return put_real(n, out, v, row, d);
        text = S("null");
        break;
    case 'c':
    case 'C':
        if (null) {
            text = S("null");
        } else if (v->type == DUCKDB_TYPE_VARCHAR) {
            text = native_str_at(v, row);
        } else {
            char c[4];
            text =
                str_copy((Str){c, str_utf8_put((uint32_t)native_integer_at(v, row), c)}, n->arena);
        }
        break;
    case 'b':
    case 'B':
        text = null                                                        ? S("false")
               : v->type == DUCKDB_TYPE_BOOLEAN && !((bool *)v->data)[row] ? S("false")
                                                                           : S("true");
        break;
    case 's':
    case 'S':
        text = null ? S("null") : plain_text(n, v, row);
        break;
    default:
        return bad_conversion(n, d);
    }
    if (d->precision >= 0 && strchr("sSbB", d->conversion)) {
        size_t at = 0;
        for (int i = 0; i < d->precision && at < text.len; i++)
            str_utf8_next(text, &at);
        text = str_slice(text, 0, at);
    }
    pad(out, isupper((unsigned char)d->conversion) ? str_upper(text, n->arena) : text, d);
    return true;
}

/* (format, zone, values...) */
static bool row_format(Native *n, idx_t row) {
    if (native_arg_null(n, 0, row))
        return native_set_null(n, row);
    Str f = native_str(n, 0, row);
    Buf *out = &n->scratch;
    size_t next = 2, last = 2;
    for (size_t at = 0; at < f.len;) {
        if (f.ptr[at] != '%') {
            buf_addc(out, f.ptr[at++]);
            continue;
        }
        Directive d;
        at = read_directive(f, at + 1, &d);
        if (d.conversion == 'n') {
            buf_addc(out, '\n');
        } else if (d.conversion == '%') {
            pad(out, S("%"), &d);
        } else {
            size_t which = d.index > 0 ? (size_t)d.index + 1 : d.index < 0 ? last : next++;
            last = which;
            if (which >= n->argc)
                return NATIVE_FAIL(
                    n, ERR_LAKESHED_ARGUMENT_INVALID, PZ("function", "format_string"),
                    P("reason",
                      str_printf(n->arena, "format specifier %%%c has no argument", d.conversion)));
            TRY(put_directive(n, out, &n->args[which], row, &d));
        }
    }
    return native_set_scratch(n, row);
}

/* ---- format_number ---- */

/* DecimalFormat patterns of '#', '0', ',' and '.'. */
typedef struct NumberPattern {
    int min_whole, min_fraction, max_fraction, group;
    Str prefix, suffix;
} NumberPattern;

static NumberPattern read_pattern(Str p) {
    NumberPattern r = {0};
    size_t at = 0;
    while (at < p.len && !strchr("#0,.", p.ptr[at]))
        at++;
    r.prefix = str_slice(p, 0, at);
    bool point = false;
    int since = -1;
    for (; at < p.len && strchr("#0,.", p.ptr[at]); at++) {
        char c = p.ptr[at];
        if (c == ',') {
            since = 0;
        } else if (c == '.') {
            point = true;
        } else {
            if (!point && since >= 0)
                since++;
            if (!point)
                r.min_whole += c == '0';
            else
                r.max_fraction++;
            if (point && c == '0')
                r.min_fraction = r.max_fraction;
        }
    }
    r.group = since > 0 ? since : 0;
    r.suffix = str_slice(p, at, p.len);
    return r;
}

static bool row_format_number(Native *n, idx_t row) {
    const NativeVec *v = &n->args[0];
    Str spec = native_str(n, 1, row);
    int64_t digits;
    NumberPattern p;
    if (str_to_i64(spec, &digits)) {
        if (digits < 0)
            return native_set_null(n, row);
        p = (NumberPattern){.min_whole = 1,
                            .min_fraction = digits > 300 ? 300 : (int)digits,
                            .max_fraction = digits > 300 ? 300 : (int)digits,
                            .group = 3};
    } else if (!spec.len) {
        p = (NumberPattern){.min_whole = 1, .group = 3};
    } else {
        p = read_pattern(spec);
    }
    Buf *b = &n->scratch;
    if (native_type_is(v, DUCKDB_TYPE_DOUBLE, DUCKDB_TYPE_FLOAT)) {
        double d = native_double_at(v, row, n->arena);
        if (!isfinite(d))
            return native_set_str(n, row, isnan(d) ? S("NaN") : d > 0 ? S("∞") : S("-∞"));
    }
    /* DecimalFormat rounds half even on the exact value; printf does the same. */
    bool negative;
    Str text;
    if (native_type_is(v, DUCKDB_TYPE_DOUBLE, DUCKDB_TYPE_FLOAT)) {
        double d = native_double_at(v, row, n->arena);
        negative = signbit(d);
        text = str_printf(n->arena, "%.*f", p.max_fraction, fabs(d));
    } else {
        __int128 i = native_integer_at(v, row);
        int scale = v->type == DUCKDB_TYPE_DECIMAL ? v->scale : 0;
        negative = i < 0;
        i = negative ? -i : i;
        if (scale > p.max_fraction) {
            __int128 unit = pow10_int128(scale - p.max_fraction), q = i / unit, r = i % unit;
            i = q + (r * 2 > unit || (r * 2 == unit && q % 2));
            scale = p.max_fraction;
        }
        Buf t = buf_in(n->arena);
        put_decimal(&t, i, scale);
        if (scale < p.max_fraction) {
            if (!scale)
                buf_addc(&t, '.');
            buf_add_repeat(&t, '0', (size_t)(p.max_fraction - scale));
        }
        text = buf_str(&t);
    }
    ptrdiff_t point = str_find_char(text, '.');
    Str whole = point < 0 ? text : str_slice(text, 0, (size_t)point),
        fraction = point < 0 ? S("") : str_slice(text, (size_t)point + 1, text.len);
    while ((int)fraction.len > p.min_fraction && fraction.ptr[fraction.len - 1] == '0')
        fraction.len--;
    if (str_is(whole, "0") && p.min_whole == 0)
        whole = S("");
    bool zero = true;
    for (size_t i = 0; i < text.len; i++)
        zero &= text.ptr[i] == '0' || text.ptr[i] == '.';
    if (negative && !(zero && !native_type_is(v, DUCKDB_TYPE_DOUBLE, DUCKDB_TYPE_FLOAT)))
        buf_addc(b, '-');
    buf_add(b, p.prefix);
    size_t zeros = (int)whole.len < p.min_whole ? (size_t)p.min_whole - whole.len : 0;
    size_t total = zeros + whole.len;
    for (size_t i = 0; i < total; i++) {
        if (p.group && i && (total - i) % (size_t)p.group == 0)
            buf_addc(b, ',');
        buf_addc(b, i < zeros ? '0' : whole.ptr[i - zeros]);
    }
    if (fraction.len) {
        buf_addc(b, '.');
        buf_add(b, fraction);
    }
    buf_add(b, p.suffix);
    return native_set_scratch(n, row);
}

/* ---- to_char, to_number ---- */

static bool is_digit_place(char c) { return c == '0' || c == '9'; }

static char place(char c) {
    return c == 'd' || c == 'D'   ? '.'
           : c == 'g' || c == 'G' ? ','
                                  : (char)toupper((unsigned char)c);
}

static bool row_to_char(Native *n, idx_t row) {
    Str f = native_str(n, 1, row);
    int whole = 0, fraction = 0;
    bool point = false;
    for (size_t i = 0; i < f.len; i++) {
        char c = place(f.ptr[i]);
        if (c == '.')
            point = true;
        else if (is_digit_place(c))
            *(point ? &fraction : &whole) += 1;
    }
    bool negative;
    Str text = fixed_text(n, &n->args[0], row, fraction, &negative);
    ptrdiff_t dot = str_find_char(text, '.');
    Str w = dot < 0 ? text : str_slice(text, 0, (size_t)dot),
        fr = dot < 0 ? S("") : str_slice(text, (size_t)dot + 1, text.len);
    if (str_is(w, "0"))
        w = S("");
    bool overflow = (int)w.len > whole;
    Buf *b = &n->scratch;
    int at = 0, fat = 0;
    bool started = false, after = false, signed_already = false;
    for (size_t i = 0; i < f.len; i++) {
        char c = place(f.ptr[i]);
        if (is_digit_place(c)) {
            if (after) {
                buf_addc(b, overflow ? '#' : fr.ptr[fat++]);
                continue;
            }
            int lead = whole - (int)w.len;
            bool digit = overflow || at >= lead;
            started |= digit || c == '0';
            buf_addc(b, overflow ? '#' : digit ? w.ptr[at - lead] : started ? '0' : ' ');
            at++;
        } else if (c == ',') {
            buf_addc(b, started ? ',' : ' ');
        } else if (c == '.') {
            buf_addc(b, '.');
            after = true;
        } else if (c == '$') {
            buf_addc(b, '$');
        } else if (c == 'S') {
            buf_addc(b, negative ? '-' : '+');
            signed_already = true;
        } else if (c == 'M' && i + 1 < f.len && place(f.ptr[i + 1]) == 'I') {
            buf_addc(b, negative ? '-' : ' ');
            signed_already = true;
            i++;
        } else if (c == 'P' && i + 1 < f.len && place(f.ptr[i + 1]) == 'R') {
            Str inner = str_copy(buf_str(b), n->arena);
            buf_reset(b);
            buf_addf(b, negative ? "<" STR_FMT ">" : STR_FMT " ", STR_ARG(inner));
            signed_already = true;
            i++;
        } else {
            return NATIVE_FAIL(n, ERR_INVALID_FORMAT__UNEXPECTED_TOKEN,
                               P("format", str_printf(n->arena, "'" STR_FMT "'", STR_ARG(f))),
                               P("token", str_printf(n->arena, "'%c'", f.ptr[i])),
                               PZ("structure", ""));
        }
    }
    (void)signed_already;
    return native_set_scratch(n, row);
}

/* (text, format, try): the number as plain text. */
static bool row_to_number(Native *n, idx_t row) {
    Str s = java_trim_all(native_str(n, 0, row)), f = native_str(n, 1, row);
    Buf digits = buf_in(n->arena);
    bool negative = false, ok = true;
    int places = 0, given = 0;
    for (size_t i = 0; i < f.len; i++)
        if (place(f.ptr[i]) == '.')
            break;
        else
            places += is_digit_place(f.ptr[i]);
    for (size_t i = 0; i < s.len && ok; i++) {
        char c = s.ptr[i];
        if (isdigit((unsigned char)c) || c == '.')
            buf_addc(&digits, c);
        else if (c == '-' || c == '<')
            negative = true;
        else if (c == ',' || c == '$' || c == '+' || c == '>')
            continue;
        else
            ok = false;
    }
    Str d = buf_str(&digits);
    ptrdiff_t dot = str_find_char(d, '.');
    given = (int)(dot < 0 ? d.len : (size_t)dot);
    bool currency = str_find_char(f, '$') >= 0, sign = false;
    for (size_t i = 0; i < f.len; i++)
        sign |= place(f.ptr[i]) == 'S' || place(f.ptr[i]) == 'M' || place(f.ptr[i]) == 'P';
    ok = ok && d.len && given <= places && (currency == (str_find_char(s, '$') >= 0)) &&
         (sign || !negative);
    if (!ok)
        return native_bool(n, 2, row)
                   ? native_set_null(n, row)
                   : NATIVE_FAIL(n, ERR_INVALID_FORMAT__MISMATCH_INPUT,
                                 P("format", str_printf(n->arena, "'" STR_FMT "'", STR_ARG(f))),
                                 PZ("inputType", "\"STRING\""), P("input", s));
    if (negative)
        buf_addc(&n->scratch, '-');
    buf_add(&n->scratch, d);
    return native_set_scratch(n, row);
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_format", "s:ss*?", row_format, NATIVE_SEES_NULL, 0},
    {"ls_format_number", "s:?s", row_format_number, 0, 0},
    {"ls_to_char", "s:?s", row_to_char, 0, 0},
    {"ls_to_number", "s:ssb", row_to_number, 0, 0},
};

bool native_register_format(duckdb_connection c, Error *err) {
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
