/* Constants from text: CAST(text AS type) as Spark does it in ANSI mode, and decimal literals. */
#include <string.h>

#include "type/datetime.h"
#include "type/number_text.h"
#include "type/value_impl.h"

enum { MAX_TEXT_DIGITS = 4096 };

/* Spark trims white space and control characters before it reads numbers and booleans. */
static Str trim(Str s)
{
    size_t from = 0, to = s.len;
    while (from < to && ((unsigned char)s.ptr[from] <= ' ' || s.ptr[from] == 0x7f))
        from++;
    while (to > from && ((unsigned char)s.ptr[to - 1] <= ' ' || s.ptr[to - 1] == 0x7f))
        to--;
    return str_slice(s, from, to);
}

/* ---- decimals ---- */

/* digits * 10^-fraction, digits without leading zeros. */
typedef struct DecimalText {
    bool negative;
    const char *digits;
    size_t count;
    int64_t fraction;
} DecimalText;

static size_t copy_digits(Str s, size_t *at, char *out, size_t *count)
{
    size_t start = *at;
    for (; *at < s.len && s.ptr[*at] >= '0' && s.ptr[*at] <= '9'; (*at)++)
        if (*count || s.ptr[*at] != '0')
            out[(*count)++] = s.ptr[*at];
    return *at - start;
}

/* Java's BigDecimal(String): [+-] digits [. digits] [e [+-] digits]. */
static bool read_decimal(Str s, Arena *arena, DecimalText *d)
{
    size_t at = 0, seen;
    *d = (DecimalText){0};
    if (s.len > MAX_TEXT_DIGITS)
        return false;
    char *digits = arena_alloc(arena, s.len + 1);
    if (at < s.len && (s.ptr[at] == '-' || s.ptr[at] == '+'))
        d->negative = s.ptr[at++] == '-';
    seen = copy_digits(s, &at, digits, &d->count);
    if (at < s.len && s.ptr[at] == '.') {
        at++;
        size_t after = copy_digits(s, &at, digits, &d->count);
        d->fraction = (int64_t)after;
        seen += after;
    }
    d->digits = digits;
    if (!seen)
        return false;
    if (at < s.len && (s.ptr[at] | 32) == 'e') {
        int64_t exponent;
        Str rest = str_slice(s, at + 1, s.len);
        if (!str_to_i64(rest, &exponent) || exponent > INT32_MAX || exponent < -INT32_MAX)
            return false;
        d->fraction -= exponent;
        at = s.len;
    }
    return at == s.len;
}

/* The number times 10^scale rounded half up; false past 38 digits. */
static bool scaled(const DecimalText *d, int64_t scale, __int128 *out)
{
    int64_t shift = scale - d->fraction, kept = (int64_t)d->count + shift;
    __int128 v = 0;
    if (!d->count || kept < 0) {
        *out = 0;
        return true;
    }
    if (kept > DECIMAL_MAX_PRECISION)
        return false;
    for (int64_t i = 0; i < kept; i++)
        v = v * 10 + (i < (int64_t)d->count ? d->digits[i] - '0' : 0);
    if (kept < (int64_t)d->count && d->digits[kept] >= '5')
        v++;
    *out = d->negative ? -v : v;
    return true;
}

static __int128 power_of_ten(int n)
{
    __int128 v = 1;
    while (n-- > 0)
        v *= 10;
    return v;
}

static bool invalid_input(Str text, const Type *type, Error *err)
{
    Buf quoted = buf_in(err->arena);
    put_sql_string(&quoted, text);
    return error_set(err, ERR_CAST_INVALID_INPUT, P("expression", buf_str(&quoted)),
                     P("sourceType", S("\"STRING\"")), PZ("ansiConfig", "\"spark.sql.ansi.enabled\""),
                     P("targetType", str_printf(err->arena, "\"" STR_FMT "\"",
                                                STR_ARG(type_sql(type, err->arena)))));
}

/* Java's precision is the count of unscaled digits; Spark's is at least the scale, and no scale is negative. */
bool value_decimal_parse(Str text, Arena *arena, Value *out)
{
    DecimalText d;
    __int128 v;
    TRY(read_decimal(trim(text), arena, &d));
    int64_t scale = d.fraction > 0 ? d.fraction : 0;
    int64_t digits = d.count ? (int64_t)d.count : 1;
    int64_t precision = digits + scale - d.fraction;
    if (precision < scale)
        precision = scale;
    if (precision > DECIMAL_MAX_PRECISION || !scaled(&d, scale, &v))
        return false;
    *out = (Value){.type = type_decimal((int)precision, (int)scale, arena), .decimal = i128_from(v)};
    return true;
}

static bool cast_decimal(Str text, const Type *type, Arena *arena, Value *out, Error *err)
{
    DecimalText d;
    __int128 v;
    int precision = type->decimal.precision, scale = type->decimal.scale;
    Str trimmed = trim(text);
    if (!read_decimal(trimmed, arena, &d))
        return invalid_input(text, type, err);
    __int128 limit = power_of_ten(precision);
    if (scaled(&d, scale, &v) && v < limit && v > -limit) {
        out->decimal = i128_from(v);
        return true;
    }
    return error_set(err, ERR_NUMERIC_VALUE_OUT_OF_RANGE__WITH_SUGGESTION, P("value", trimmed),
                     P("precision", str_printf(arena, "%d", precision)),
                     P("scale", str_printf(arena, "%d", scale)),
                     P("config", S("\"spark.sql.ansi.enabled\"")));
}

/* ---- the other casts ---- */

static bool cast_integer(Str text, TypeKind kind, int64_t *out)
{
    static const int64_t highest[] = {INT8_MAX, INT16_MAX, INT32_MAX, INT64_MAX};
    int64_t high = highest[kind - TYPE_BYTE];
    return str_to_i64(trim(text), out) && *out <= high && *out >= -high - 1;
}

static bool cast_boolean(Str text, bool *out)
{
    static const char *const yes[] = {"t", "true", "y", "yes", "1"};
    static const char *const no[] = {"f", "false", "n", "no", "0"};
    Str s = trim(text);
    for (size_t i = 0; i < LENGTH_OF(yes); i++)
        if (str_is_ci(s, yes[i]) || str_is_ci(s, no[i])) {
            *out = str_is_ci(s, yes[i]);
            return true;
        }
    return false;
}

static bool cast_time(Str text, int precision, int64_t *us)
{
    if (!time_parse(text, us))
        return false;
    int64_t unit = 1;
    for (int i = precision; i < 6; i++)
        unit *= 10;
    *us -= *us % unit;
    return true;
}

static bool cast_float(Str text, double *out)
{
    float narrow;
    if (!float_parse(text, &narrow))
        return false;
    *out = (double)narrow;
    return true;
}

static bool cast_leaf(Str text, const Type *t, Str zone, Value *out)
{
    switch (t->kind) {
    case TYPE_BOOLEAN: return cast_boolean(text, &out->boolean);
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG: return cast_integer(text, t->kind, &out->integer);
    case TYPE_FLOAT: return cast_float(text, &out->real);
    case TYPE_DOUBLE: return double_parse(text, &out->real);
    case TYPE_DATE: return date_parse(text, &out->integer);
    case TYPE_TIMESTAMP: return timestamp_parse(text, zone, &out->integer);
    case TYPE_TIMESTAMP_NTZ: return timestamp_ntz_parse(text, true, &out->integer);
    case TYPE_TIME: return cast_time(text, t->time.precision, &out->integer);
    case TYPE_INTERVAL_YM:
        return interval_ym_parse(text, t->interval.from, t->interval.to, &out->integer);
    case TYPE_INTERVAL_DT:
        return interval_dt_parse(text, t->interval.from, t->interval.to, &out->integer);
    case TYPE_INTERVAL_CALENDAR:
        return interval_calendar_parse(text, &out->calendar.months, &out->calendar.days,
                                       &out->calendar.micros);
    default: return false;
    }
}

bool value_from_text(Str text, const Type *type, Str zone, Arena *arena, Value *out, Error *err)
{
    *out = (Value){.type = type};
    switch (type->kind) {
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
    case TYPE_BINARY:
        out->bytes = str_copy(text, arena);
        return true;
    case TYPE_DECIMAL:
        return cast_decimal(text, type, arena, out, err);
    case TYPE_NULL:
    case TYPE_ARRAY:
    case TYPE_MAP:
    case TYPE_STRUCT:
    case TYPE_VARIANT:
        return error_unsupported(err, "A constant of type " STR_FMT " from text",
                                 STR_ARG(type_sql(type, arena)));
    default:
        return cast_leaf(text, type, zone, out) || invalid_input(text, type, err);
    }
}

bool value_cast_plain(const Value *v, const Type *type, Str zone, Arena *arena, Value *out)
{
    if (v->is_null) {
        *out = value_null(type);
        return true;
    }
    const Type *from = v->type;
    if (!type_is_integral(from) && from->kind != TYPE_DECIMAL && !type_is_stringy(from) && from->kind != TYPE_DATE)
        return false;
    if (type_is_nested(type) || type_is_interval(type) || type->kind == TYPE_BINARY)
        return false;
    Error ignored = error_in(arena);
    return value_from_text(value_to_text(v, zone, arena), type, zone, arena, out, &ignored);
}
