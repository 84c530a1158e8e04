/* Casts as Spark makes them: truncation, overflow and text rules that DuckDB's own casts do not
 * share. */
#include "func/native_impl.h"

#include <math.h>

#include "func/number.h"
#include "type/coerce.h"
#include "type/datetime.h"
#include "type/number_text.h"
#include "type/value.h"

/* ---- messages ---- */

static Str quoted(Native *n, Str s) { return str_printf(n->arena, "\"" STR_FMT "\"", STR_ARG(s)); }

static Str text_literal(Native *n, Str s) {
    Buf b = buf_in(n->arena);
    buf_addc(&b, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\'' || s.ptr[i] == '\\')
            buf_addc(&b, '\\');
        buf_addc(&b, s.ptr[i]);
    }
    buf_addc(&b, '\'');
    return buf_str(&b);
}

/* A malformed text: an error, or NULL where the mode says so. */
static bool bad_text(Native *n, idx_t row, Str text, int mode, const char *target) {
    if (mode != CAST_ANSI)
        return native_set_null(n, row);
    return NATIVE_FAIL(n, ERR_CAST_INVALID_INPUT, P("expression", text_literal(n, text)),
                       PZ("sourceType", "\"STRING\""), P("targetType", quoted(n, str_from(target))),
                       PZ("ansiConfig", "\"spark.sql.ansi.enabled\""));
}

/* The value as an SQL literal: 300, 128L, 1.0E20D, 12.5BD. */
static Str number_literal(Native *n, const NativeVec *v, idx_t row) {
    Buf b = buf_in(n->arena);
    switch (v->type) {
    case DUCKDB_TYPE_DOUBLE: {
        double d = ((double *)v->data)[row];
        java_put_double(&b, d);
        if (isfinite(d))
            buf_addc(&b, 'D');
        break;
    }
    case DUCKDB_TYPE_FLOAT: {
        float f = ((float *)v->data)[row];
        java_put_float(&b, f);
        if (isfinite(f)) {
            Str t = buf_str(&b);
            return str_printf(n->arena, "CAST(" STR_FMT " AS FLOAT)", STR_ARG(t));
        }
        break;
    }
    case DUCKDB_TYPE_DECIMAL:
        put_decimal(&b, native_integer_at(v, row), v->scale);
        buf_addz(&b, "BD");
        break;
    default:
        put_int128(&b, native_integer_at(v, row));
        buf_addz(&b, v->type == DUCKDB_TYPE_BIGINT     ? "L"
                     : v->type == DUCKDB_TYPE_SMALLINT ? "S"
                     : v->type == DUCKDB_TYPE_TINYINT  ? "Y"
                                                       : "");
    }
    return buf_str(&b);
}

static bool overflow(Native *n, idx_t row, int mode, Str source, const char *target) {
    if (mode != CAST_ANSI)
        return native_set_null(n, row);
    return NATIVE_FAIL(n, ERR_CAST_OVERFLOW, P("value", number_literal(n, &n->args[0], row)),
                       P("sourceType", quoted(n, source)),
                       P("targetType", quoted(n, str_from(target))),
                       PZ("ansiConfig", "\"spark.sql.ansi.enabled\""));
}

/* ---- to the integers ---- */

typedef struct IntegerTarget {
    const char *name;
    int64_t min, max;
} IntegerTarget;

static const IntegerTarget INTEGERS[] = {
    {"TINYINT", INT8_MIN, INT8_MAX},
    {"SMALLINT", INT16_MIN, INT16_MAX},
    {"INT", INT32_MIN, INT32_MAX},
    {"BIGINT", INT64_MIN, INT64_MAX},
};

static bool set_integer(Native *n, idx_t row, int64_t v) {
    switch (n->function->variant) {
    case 0:
        ((int8_t *)n->result)[row] = (int8_t)v;
        return true;
    case 1:
        ((int16_t *)n->result)[row] = (int16_t)v;
        return true;
    case 2:
        ((int32_t *)n->result)[row] = (int32_t)v;
        return true;
    default:
        ((int64_t *)n->result)[row] = v;
        return true;
    }
}

/* UTF8String.toLong: sign and digits; outside ANSI a fraction may follow and is dropped. */
static bool parse_integer(Str text, bool allow_fraction, int64_t *out) {
    Str t = java_trim_all(text);
    size_t i = 0;
    bool negative = t.len && t.ptr[0] == '-';
    if (t.len && (t.ptr[0] == '-' || t.ptr[0] == '+'))
        i++;
    if (i == t.len)
        return false;
    int64_t v = 0;
    for (; i < t.len && t.ptr[i] != '.'; i++) {
        if (t.ptr[i] < '0' || t.ptr[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, t.ptr[i] - '0', &v))
            return false;
    }
    if (i < t.len && !allow_fraction)
        return false;
    for (i++; i < t.len; i++)
        if (t.ptr[i] < '0' || t.ptr[i] > '9')
            return false;
    if (!negative && v == INT64_MIN)
        return false;
    *out = negative ? v : -v;
    return true;
}

static bool text_to_integer(Native *n, idx_t row, int mode, const IntegerTarget *target) {
    Str text = native_str(n, 0, row);
    int64_t v;
    if (!parse_integer(text, mode == CAST_LEGACY, &v) || v < target->min || v > target->max)
        return bad_text(n, row, text, mode, target->name);
    return set_integer(n, row, v);
}

/* Java's narrowing of a floating value: saturates at int or long, then wraps to the smaller types.
 */
static int64_t java_narrow(double d, int variant) {
    if (isnan(d))
        return 0;
    if (variant < 3) {
        int32_t i = d >= 2147483647.0 ? INT32_MAX : d <= -2147483648.0 ? INT32_MIN : (int32_t)d;
        return variant == 0 ? (int8_t)i : variant == 1 ? (int16_t)i : i;
    }
    return d >= 9223372036854775807.0    ? INT64_MAX
           : d <= -9223372036854775808.0 ? INT64_MIN
                                         : (int64_t)d;
}

static bool real_to_integer(Native *n, idx_t row, int mode, Str source,
                            const IntegerTarget *target) {
    double d = native_double_at(&n->args[0], row, n->arena);
    if (mode == CAST_LEGACY)
        return set_integer(n, row, java_narrow(d, n->function->variant));
    double t = trunc(d);
    bool fits = n->function->variant == 3 ? t >= -9223372036854775808.0 && t < 9223372036854775808.0
                                          : t >= (double)target->min && t <= (double)target->max;
    return fits ? set_integer(n, row, (int64_t)t) : overflow(n, row, mode, source, target->name);
}

static bool row_to_integer(Native *n, idx_t row) {
    const NativeVec *v = &n->args[0];
    const IntegerTarget *target = &INTEGERS[n->function->variant];
    int mode = native_i32(n, 1, row);
    Str source = native_str(n, 2, row);
    if (v->type == DUCKDB_TYPE_VARCHAR)
        return text_to_integer(n, row, mode, target);
    if (native_type_is(v, DUCKDB_TYPE_DOUBLE, DUCKDB_TYPE_FLOAT))
        return real_to_integer(n, row, mode, source, target);
    __int128 i = native_integer_at(v, row);
    if (v->type == DUCKDB_TYPE_DECIMAL)
        i /= pow10_int128(v->scale);
    else if (v->type == DUCKDB_TYPE_TIMESTAMP_TZ)
        i = i >= 0 ? i / US_PER_SECOND : -((-i + US_PER_SECOND - 1) / US_PER_SECOND);
    if (i >= target->min && i <= target->max)
        return set_integer(n, row, (int64_t)i);
    if (mode == CAST_LEGACY)
        return set_integer(n, row, (int64_t)i);
    return overflow(n, row, mode, source, target->name);
}

/* A number (NULL: even BIGINT was too small) that has to fit so many bits; the text is what it came
 * from, as a literal. */
static bool row_fit(Native *n, idx_t row) {
    if (native_arg_null(n, 1, row))
        return native_set_null(n, row);
    int bits = native_i32(n, 2, row), mode = native_i32(n, 3, row);
    if (!native_arg_null(n, 0, row)) {
        int64_t v = native_i64(n, 0, row);
        int64_t limit = bits == 64 ? INT64_MAX : ((int64_t)1 << (bits - 1)) - 1;
        if (v >= -limit - 1 && v <= limit)
            return native_set_i64(n, row, v);
    }
    if (mode != CAST_ANSI)
        return native_set_null(n, row);
    return NATIVE_FAIL(n, ERR_CAST_OVERFLOW, P("value", native_str(n, 1, row)),
                       P("sourceType", quoted(n, native_str(n, 4, row))),
                       P("targetType", quoted(n, native_str(n, 5, row))),
                       PZ("ansiConfig", "\"spark.sql.ansi.enabled\""));
}

/* ---- to the other numbers ---- */

static bool row_to_real(Native *n, idx_t row) {
    const NativeVec *v = &n->args[0];
    bool is_float = n->function->variant == 1;
    double d;
    if (v->type == DUCKDB_TYPE_VARCHAR) {
        Str text = native_str(n, 0, row);
        float f = 0;
        if (is_float ? !float_parse(text, &f) : !double_parse(text, &d))
            return bad_text(n, row, text, native_i32(n, 1, row), is_float ? "FLOAT" : "DOUBLE");
        if (is_float)
            d = f;
    } else if (v->type == DUCKDB_TYPE_TIMESTAMP_TZ) {
        d = (double)native_i64(n, 0, row) / 1e6;
    } else {
        d = native_double_at(v, row, n->arena);
    }
    if (is_float)
        ((float *)n->result)[row] = (float)d;
    else
        ((double *)n->result)[row] = d;
    return true;
}

static bool row_to_boolean(Native *n, idx_t row) {
    static const char *const TRUE_WORDS[] = {"t", "true", "y", "yes", "1"};
    static const char *const FALSE_WORDS[] = {"f", "false", "n", "no", "0"};
    Str text = native_str(n, 0, row), t = java_trim_all(text);
    for (size_t i = 0; i < LENGTH_OF(TRUE_WORDS); i++) {
        if (str_is_ci(t, TRUE_WORDS[i]))
            return native_set_bool(n, row, true);
        if (str_is_ci(t, FALSE_WORDS[i]))
            return native_set_bool(n, row, false);
    }
    return bad_text(n, row, text, native_i32(n, 1, row), "BOOLEAN");
}

/* ---- to text ---- */

static bool put_valid_utf8(Buf *b, Str s) {
    if (str_is_utf8(s)) {
        buf_add(b, s);
        return true;
    }
    for (size_t pos = 0; pos < s.len;) {
        char out[4];
        buf_add_bytes(b, out, str_utf8_put(str_utf8_next(s, &pos), out));
    }
    return false;
}

static bool row_text(Native *n, idx_t row) {
    const NativeVec *v = &n->args[0];
    Buf *b = &n->scratch;
    switch (v->type) {
    case DUCKDB_TYPE_DOUBLE:
        java_put_double(b, native_f64(n, 0, row));
        break;
    case DUCKDB_TYPE_FLOAT:
        java_put_float(b, ((float *)v->data)[row]);
        break;
    case DUCKDB_TYPE_DATE:
        return native_set_str(n, row, date_text(native_i32(n, 0, row), n->arena));
    case DUCKDB_TYPE_TIMESTAMP:
        return native_set_str(n, row, timestamp_ntz_text(native_i64(n, 0, row), n->arena));
    case DUCKDB_TYPE_TIMESTAMP_TZ:
        return native_set_str(n, row,
                              timestamp_text(native_i64(n, 0, row),
                                             n->argc > 1 ? native_str(n, 1, row) : S("UTC"),
                                             n->arena));
    case DUCKDB_TYPE_TIME:
        return native_set_str(n, row, time_text(native_i64(n, 0, row), n->arena));
    case DUCKDB_TYPE_BLOB:
        put_valid_utf8(b, native_str(n, 0, row));
        break;
    case DUCKDB_TYPE_DECIMAL:
        put_decimal(b, native_integer_at(v, row), v->scale);
        break;
    case DUCKDB_TYPE_VARCHAR:
        return native_set_str(n, row, native_str(n, 0, row));
    case DUCKDB_TYPE_BOOLEAN:
        buf_addz(b, native_bool(n, 0, row) ? "true" : "false");
        break;
    default:
        put_int128(b, native_integer_at(v, row));
    }
    return native_set_scratch(n, row);
}

static bool row_text_interval(Native *n, idx_t row) {
    duckdb_interval i = native_interval(n, 0, row);
    return native_set_str(n, row, interval_calendar_text(i.months, i.days, i.micros, n->arena));
}

static bool row_text_ym(Native *n, idx_t row) {
    return native_set_str(n, row,
                          interval_ym_text(native_i32(n, 0, row),
                                           (IntervalUnit)native_i32(n, 1, row),
                                           (IntervalUnit)native_i32(n, 2, row), n->arena));
}

static bool row_text_dt(Native *n, idx_t row) {
    return native_set_str(n, row,
                          interval_dt_text(native_i64(n, 0, row),
                                           (IntervalUnit)native_i32(n, 1, row),
                                           (IntervalUnit)native_i32(n, 2, row), n->arena));
}

/* ---- dates and times ---- */

static bool row_to_date(Native *n, idx_t row) {
    Str text = native_str(n, 0, row);
    int64_t days;
    if (!date_parse(text, &days))
        return bad_text(n, row, text, native_i32(n, 1, row), "DATE");
    return native_set_i32(n, row, (int32_t)days);
}

static bool row_to_timestamp(Native *n, idx_t row) {
    Str text = native_str(n, 0, row);
    int64_t us;
    if (!timestamp_parse(text, native_str(n, 2, row), &us))
        return bad_text(n, row, text, native_i32(n, 1, row), "TIMESTAMP");
    return native_set_i64(n, row, us);
}

static bool row_to_ntz(Native *n, idx_t row) {
    Str text = native_str(n, 0, row);
    int64_t us;
    if (!timestamp_ntz_parse(text, true, &us))
        return bad_text(n, row, text, native_i32(n, 1, row), "TIMESTAMP_NTZ");
    return native_set_i64(n, row, us);
}

static bool row_to_time(Native *n, idx_t row) {
    Str text = native_str(n, 0, row);
    int64_t us;
    if (!time_parse(text, &us))
        return bad_text(n, row, text, native_i32(n, 1, row), "TIME(6)");
    return native_set_i64(n, row, us);
}

/* y-m, d h:m:s.n and the parts of them. */
static Str interval_shape(IntervalUnit from, IntervalUnit to, Arena *arena) {
    static const char *const parts[] = {"y", "m", "d", "h", "m", "s.n"};
    static const char before[] = {0, '-', 0, ' ', ':', ':'};
    Buf b = buf_in(arena);
    for (int unit = (int)from; unit <= (int)to; unit++) {
        if (unit > (int)from)
            buf_addc(&b, before[unit]);
        buf_addz(&b, parts[unit]);
    }
    return buf_str(&b);
}

/* A text that is no such interval is an error in every mode but TRY. */
static bool bad_interval(Native *n, idx_t row, Str text, const Type *type) {
    if (native_i32(n, 3, row) == CAST_TRY)
        return native_set_null(n, row);
    Str shape = interval_shape(type->interval.from, type->interval.to, n->arena);
    Str name = type_simple_string(type, n->arena);
    Str units = str_upper(str_slice(name, 9, name.len), n->arena);
    Str supported = str_printf(n->arena, "`[+|-]" STR_FMT "`, `INTERVAL [+|-]'[+|-]" STR_FMT "' " STR_FMT "`",
                               STR_ARG(shape), STR_ARG(shape), STR_ARG(units));
    if (type->kind == TYPE_INTERVAL_YM)
        return NATIVE_FAIL(n, ERR_INVALID_INTERVAL_FORMAT__UNMATCHED_FORMAT_STRING, PZ("intervalStr", "year-month"),
                           P("supportedFormat", supported), P("typeName", name), P("input", text));
    return NATIVE_FAIL(n, ERR_INVALID_INTERVAL_FORMAT__UNMATCHED_FORMAT_STRING_WITH_NOTICE, PZ("intervalStr", "day-time"),
                       P("supportedFormat", supported), P("typeName", name), P("input", text));
}

/* (text, from, to, mode) */
static bool row_to_interval(Native *n, idx_t row) {
    Str text = native_str(n, 0, row);
    IntervalUnit from = (IntervalUnit)native_i32(n, 1, row),
                 to = (IntervalUnit)native_i32(n, 2, row);
    bool ym = n->function->variant == 0;
    int64_t v;
    if (!(ym ? interval_ym_parse(text, from, to, &v) : interval_dt_parse(text, from, to, &v))) {
        const Type *type = type_interval(ym ? TYPE_INTERVAL_YM : TYPE_INTERVAL_DT, from, to, n->arena);
        return bad_interval(n, row, text, type);
    }
    if (ym)
        return native_set_i32(n, row, (int32_t)v);
    return native_set_i64(n, row, v);
}

static bool row_to_calendar(Native *n, idx_t row) {
    Str text = native_str(n, 0, row);
    duckdb_interval v = {0};
    if (!interval_calendar_parse(text, &v.months, &v.days, &v.micros))
        return bad_text(n, row, text, native_i32(n, 1, row), "INTERVAL");
    ((duckdb_interval *)n->result)[row] = v;
    return true;
}

/* Integers as big-endian bytes: CAST(int AS BINARY) outside ANSI. */
static bool row_integer_bytes(Native *n, idx_t row) {
    const NativeVec *v = &n->args[0];
    int bytes = v->type == DUCKDB_TYPE_TINYINT    ? 1
                : v->type == DUCKDB_TYPE_SMALLINT ? 2
                : v->type == DUCKDB_TYPE_INTEGER  ? 4
                                                  : 8;
    uint64_t u = (uint64_t)native_integer_at(v, row);
    for (int i = bytes; i-- > 0;)
        buf_addc(&n->scratch, (char)(u >> (8 * i)));
    return native_set_scratch(n, row);
}

static bool row_date_to_timestamp(Native *n, idx_t row) {
    return native_set_i64(
        n, row, zone_to_utc(native_str(n, 1, row), (int64_t)native_i32(n, 0, row) * US_PER_DAY));
}

static bool row_ntz_to_timestamp(Native *n, idx_t row) {
    return native_set_i64(n, row, zone_to_utc(native_str(n, 1, row), native_i64(n, 0, row)));
}

static int64_t local_of(Native *n, idx_t row) {
    int64_t us = native_i64(n, 0, row);
    return us + zone_offset_at(native_str(n, 1, row), us) * US_PER_SECOND;
}

static bool row_timestamp_to_ntz(Native *n, idx_t row) {
    return native_set_i64(n, row, local_of(n, row));
}

static bool row_timestamp_to_date(Native *n, idx_t row) {
    return native_set_i32(n, row, (int32_t)floor_div(local_of(n, row), US_PER_DAY));
}

/* Seconds since the epoch, of any numeric type. */
static bool row_seconds_to_timestamp(Native *n, idx_t row) {
    const NativeVec *v = &n->args[0];
    int mode = native_i32(n, 1, row);
    if (native_type_is(v, DUCKDB_TYPE_DOUBLE, DUCKDB_TYPE_FLOAT)) {
        double us = native_double_at(v, row, n->arena) * 1e6;
        if (isnan(us) || isinf(us))
            return mode == CAST_ANSI
                       ? NATIVE_FAIL(n, ERR_CAST_INVALID_INPUT,
                                     P("expression", number_literal(n, v, row)),
                                     PZ("sourceType",
                                        v->type == DUCKDB_TYPE_FLOAT ? "\"FLOAT\"" : "\"DOUBLE\""),
                                     PZ("targetType", "\"TIMESTAMP\""),
                                     PZ("ansiConfig", "\"spark.sql.ansi.enabled\""))
                       : native_set_null(n, row);
        if (fabs(us) >= 9.2e18)
            return overflow(n, row, mode, S("DOUBLE"), "BIGINT");
        return native_set_i64(n, row, (int64_t)us);
    }
    __int128 i = native_integer_at(v, row), us;
    if (v->type == DUCKDB_TYPE_DECIMAL && v->scale > 6)
        us = i / pow10_int128(v->scale - 6);
    else if (__builtin_mul_overflow(
                 i, pow10_int128(v->type == DUCKDB_TYPE_DECIMAL ? 6 - v->scale : 6), &us))
        us = (__int128)INT64_MAX + 1;
    if (us > INT64_MAX || us < INT64_MIN) /* DateTimeUtils saturates seconds that do not fit */
        us = us > 0 ? INT64_MAX : INT64_MIN;
    return native_set_i64(n, row, (int64_t)us);
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_to_tinyint", "1:?4s", row_to_integer, 0, 0},
    {"ls_to_smallint", "2:?4s", row_to_integer, 0, 1},
    {"ls_to_int", "4:?4s", row_to_integer, 0, 2},
    {"ls_to_bigint", "8:?4s", row_to_integer, 0, 3},
    {"ls_to_double", "d:?4", row_to_real, 0, 0},
    {"ls_to_float", "f:?4", row_to_real, 0, 1},
    {"ls_to_boolean", "b:s4", row_to_boolean, 0, 0},
    {"ls_fit", "8:8s44ss", row_fit, NATIVE_SEES_NULL, 0},
    {"ls_text", "s:?", row_text, 0, 0},
    {"ls_text_zoned", "s:zs", row_text, 0, 0},
    {"ls_text_interval", "s:v", row_text_interval, 0, 0},
    {"ls_text_ym", "s:444", row_text_ym, 0, 0},
    {"ls_text_dt", "s:844", row_text_dt, 0, 0},
    {"ls_to_date", "D:s4", row_to_date, 0, 0},
    {"ls_to_timestamp", "z:s4s", row_to_timestamp, 0, 0},
    {"ls_to_ntz", "n:s4", row_to_ntz, 0, 0},
    {"ls_to_time", "T:s4", row_to_time, 0, 0},
    {"ls_to_interval_ym", "4:s444", row_to_interval, 0, 0},
    {"ls_to_interval_calendar", "v:s4", row_to_calendar, 0, 0},
    {"ls_to_interval_dt", "8:s444", row_to_interval, 0, 1},
    {"ls_integer_bytes", "x:?", row_integer_bytes, 0, 0},
    {"ls_date_to_timestamp", "z:Ds", row_date_to_timestamp, 0, 0},
    {"ls_ntz_to_timestamp", "z:ns", row_ntz_to_timestamp, 0, 0},
    {"ls_timestamp_to_ntz", "n:zs", row_timestamp_to_ntz, 0, 0},
    {"ls_timestamp_to_date", "D:zs", row_timestamp_to_date, 0, 0},
    {"ls_seconds_to_timestamp", "z:?4", row_seconds_to_timestamp, 0, 0},
};

bool native_register_cast(duckdb_connection c, Error *err) {
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
