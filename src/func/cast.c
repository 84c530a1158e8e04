/* CAST as DuckDB text with Spark's behaviour in the three modes. */
#include "func/func.h"
#include "func/rows.h"

enum { CAST_MAX_DEPTH = TYPE_MAX_DEPTH };

typedef struct Caster {
    CastMode mode;
    const FuncContext *ctx;
    Arena *arena;
    Error *err;
    unsigned depth;
} Caster;

static bool put_cast(Caster *c, Str child, const Type *from, const Type *to, Buf *out);

/* ---- texts ---- */

static bool duck_cast(Caster *c, Str child, const Type *to, Buf *out) {
    buf_addf(out, "CAST(" STR_FMT " AS " STR_FMT ")", STR_ARG(child),
             STR_ARG(type_duckdb(to, c->arena)));
    return true;
}

static bool call1(Buf *out, const char *name, Str child) {
    buf_addf(out, "%s(" STR_FMT ")", name, STR_ARG(child));
    return true;
}

static bool call_mode(Caster *c, Buf *out, const char *name, Str child) {
    buf_addf(out, "%s(" STR_FMT ", %d)", name, STR_ARG(child), (int)c->mode);
    return true;
}

static bool call_zone(Caster *c, Buf *out, const char *name, Str child) {
    buf_addf(out, "%s(" STR_FMT ", ", name, STR_ARG(child));
    func_put_string(out, c->ctx->zone);
    buf_addc(out, ')');
    return true;
}

static bool refuse_pair(Caster *c, const Type *from, const Type *to) {
    return error_unsupported(c->err, "CAST(" STR_FMT " AS " STR_FMT ")",
                             STR_ARG(type_sql(from, c->arena)), STR_ARG(type_sql(to, c->arena)));
}

/* Names of lambda variables differ by depth; a cast's lambdas never look past their own. */
static Str variable(const Caster *c) { return str_printf(c->arena, "k%u", c->depth); }

/* ---- to text ---- */

static bool put_array_text(Caster *c, Str child, const Type *from, Buf *out) {
    Str v = variable(c);
    buf_addf(out,
             "('[' || array_to_string(list_transform(" STR_FMT ", lambda " STR_FMT ": coalesce(",
             STR_ARG(child), STR_ARG(v));
    TRY(put_cast(c, v, from->array.element, type_simple(TYPE_STRING), out));
    buf_addz(out, ", 'null')), ', ') || ']')");
    return true;
}

static bool put_map_text(Caster *c, Str child, const Type *from, Buf *out) {
    Str v = variable(c);
    buf_addf(out,
             "('{' || array_to_string(list_transform(map_entries(" STR_FMT "), lambda " STR_FMT
             ": ",
             STR_ARG(child), STR_ARG(v));
    TRY(put_cast(c, str_printf(c->arena, STR_FMT ".key", STR_ARG(v)), from->map.key,
                 type_simple(TYPE_STRING), out));
    buf_addz(out, " || ' -> ' || coalesce(");
    TRY(put_cast(c, str_printf(c->arena, STR_FMT ".value", STR_ARG(v)), from->map.value,
                 type_simple(TYPE_STRING), out));
    buf_addz(out, ", 'null')), ', ') || '}')");
    return true;
}

static void put_field_of(Caster *c, Buf *out, Str v, const Type *s, size_t i) {
    buf_addf(out, STR_FMT ".", STR_ARG(v));
    Str name = type_duckdb_field(s, i, c->arena);
    buf_addc(out, '"');
    for (size_t k = 0; k < name.len; k++) {
        if (name.ptr[k] == '"')
            buf_addc(out, '"');
        buf_addc(out, name.ptr[k]);
    }
    buf_addc(out, '"');
}

static Str field_text(Caster *c, Str v, const Type *s, size_t i) {
    Buf b = buf_in(c->arena);
    put_field_of(c, &b, v, s, i);
    return buf_str(&b);
}

static bool put_struct_text(Caster *c, Str child, const Type *from, Buf *out) {
    Str v = variable(c);
    buf_addf(out,
             "list_transform([" STR_FMT "], lambda " STR_FMT ": CASE WHEN " STR_FMT
             " IS NOT NULL THEN '{'",
             STR_ARG(child), STR_ARG(v), STR_ARG(v));
    for (size_t i = 0; i < from->structure.count; i++) {
        buf_addz(out, i ? " || ', ' || coalesce(" : " || coalesce(");
        TRY(put_cast(c, field_text(c, v, from, i), from->structure.fields[i].type,
                     type_simple(TYPE_STRING), out));
        buf_addz(out, ", 'null')");
    }
    buf_addz(out, " || '}' END)[1]");
    return true;
}

static bool put_text(Caster *c, Str child, const Type *from, Buf *out) {
    switch (from->kind) {
    case TYPE_BOOLEAN:
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
        buf_addf(out, "CAST(" STR_FMT " AS VARCHAR)", STR_ARG(child));
        return true;
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
    case TYPE_DECIMAL:
    case TYPE_BINARY:
    case TYPE_DATE:
    case TYPE_TIMESTAMP_NTZ:
    case TYPE_TIME:
        return call1(out, "ls_text", child);
    case TYPE_TIMESTAMP:
        return call_zone(c, out, "ls_text_zoned", child);
    case TYPE_INTERVAL_CALENDAR:
        return call1(out, "ls_text_interval", child);
    case TYPE_INTERVAL_YM:
    case TYPE_INTERVAL_DT:
        buf_addf(out, "%s(" STR_FMT ", %d, %d)",
                 from->kind == TYPE_INTERVAL_YM ? "ls_text_ym" : "ls_text_dt", STR_ARG(child),
                 (int)from->interval.from, (int)from->interval.to);
        return true;
    case TYPE_ARRAY:
        return put_array_text(c, child, from, out);
    case TYPE_MAP:
        return put_map_text(c, child, from, out);
    case TYPE_STRUCT:
        return put_struct_text(c, child, from, out);
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        buf_add(out, child);
        return true;
    default:
        return refuse_pair(c, from, type_simple(TYPE_STRING));
    }
}

/* ---- to numbers ---- */

static int integer_rank(TypeKind k) {
    return k == TYPE_BYTE ? 0 : k == TYPE_SHORT ? 1 : k == TYPE_INT ? 2 : k == TYPE_LONG ? 3 : -1;
}

/* ls_fit: a number that has to fit `bits`, and what to name when it does not. */
static void put_fit(Caster *c, Str number, Str text, int bits, CastMode mode, const Type *from,
                    const Type *to, Buf *out) {
    buf_addf(out, "CAST(ls_fit(" STR_FMT ", " STR_FMT ", %d, %d, ", STR_ARG(number), STR_ARG(text),
             bits, (int)mode);
    func_put_string(out, type_sql(from, c->arena));
    buf_addz(out, ", ");
    func_put_string(out, type_sql(to, c->arena));
    buf_addf(out, ") AS " STR_FMT ")", STR_ARG(type_duckdb(to, c->arena)));
}

static bool child_text(Caster *c, Str child, const Type *from, Str *text) {
    Buf b = buf_in(c->arena);
    TRY(put_text(c, child, from, &b));
    *text = buf_str(&b);
    return true;
}

static int bits_of(const Type *t) {
    return t->kind == TYPE_BYTE ? 8 : t->kind == TYPE_SHORT ? 16 : t->kind == TYPE_LONG ? 64 : 32;
}

/* An interval as the number of its last unit. Outside ANSI a number too large is still an error. */
static bool put_interval_number(Caster *c, Str child, const Type *from, const Type *to, Buf *out) {
    static const int64_t UNIT[] = {12, 1, 86400000000, 3600000000, 60000000, 1000000};
    IntervalUnit unit = from->interval.to;
    Str number, text;
    CastMode mode = c->mode == CAST_TRY ? CAST_TRY : CAST_ANSI;
    bool fraction = unit == UNIT_SECOND && !type_is_integral(to);
    if (fraction)
        number =
            str_printf(c->arena, "(CAST(" STR_FMT " AS DECIMAL(19,0)) * 0.000001)", STR_ARG(child));
    else
        number =
            str_printf(c->arena, "(" STR_FMT " // %lld)", STR_ARG(child), (long long)UNIT[unit]);
    if (type_is_integral(to)) {
        TRY(child_text(c, child, from, &text));
        put_fit(c, number, text, bits_of(to), mode, from, to, out);
        return true;
    }
    const Type *middle = fraction                         ? type_decimal(25, 6, c->arena)
                         : from->kind == TYPE_INTERVAL_YM ? type_simple(TYPE_INT)
                                                          : type_simple(TYPE_LONG);
    Caster strict = *c;
    strict.mode = mode;
    return type_same_shape(middle, to) ? (buf_add(out, number), true)
                                       : put_cast(&strict, number, middle, to, out);
}

/* A time of day as the seconds since midnight, whole ones or with nine digits behind the point. */
static bool put_time_number(Caster *c, Str child, const Type *from, const Type *to, Buf *out) {
    Str micros = str_printf(c->arena, "epoch_us(" STR_FMT ")", STR_ARG(child));
    if (type_is_integral(to)) {
        Str text =
            str_printf(c->arena, "('TIME ''' || ls_text(" STR_FMT ") || '''')", STR_ARG(child));
        put_fit(c, str_printf(c->arena, "(" STR_FMT " // 1000000)", STR_ARG(micros)), text,
                bits_of(to), c->mode, from, to, out);
        return true;
    }
    Str seconds = str_printf(
        c->arena, "CAST(CAST(" STR_FMT " AS DECIMAL(11,0)) * 0.000001 AS DECIMAL(14,9))",
        STR_ARG(micros));
    return put_cast(c, seconds, type_decimal(14, 9, c->arena), to, out);
}

/* Outside ANSI dates become numbers that are always NULL. */
static bool never_number(const Type *from) {
    return from->kind == TYPE_DATE || from->kind == TYPE_TIMESTAMP_NTZ;
}

static bool put_null(Caster *c, const Type *to, Buf *out) {
    buf_addf(out, "CAST(NULL AS " STR_FMT ")", STR_ARG(type_duckdb(to, c->arena)));
    return true;
}

static bool put_integer(Caster *c, Str child, const Type *from, const Type *to, Buf *out) {
    static const char *const NAMES[] = {"ls_to_tinyint", "ls_to_smallint", "ls_to_int",
                                        "ls_to_bigint"};
    int rank = integer_rank(to->kind), have = integer_rank(from->kind);
    if (from->kind == TYPE_BOOLEAN || (have >= 0 && have <= rank))
        return duck_cast(c, child, to, out);
    if (from->kind == TYPE_INTERVAL_YM || from->kind == TYPE_INTERVAL_DT)
        return put_interval_number(c, child, from, to, out);
    if (from->kind == TYPE_TIME)
        return put_time_number(c, child, from, to, out);
    if (never_number(from))
        return put_null(c, to, out);
    buf_addf(out, "%s(" STR_FMT ", %d, ", NAMES[rank], STR_ARG(child), (int)c->mode);
    func_put_string(out, type_sql(from, c->arena));
    buf_addc(out, ')');
    return true;
}

static bool put_real(Caster *c, Str child, const Type *from, const Type *to, Buf *out) {
    if (from->kind == TYPE_BOOLEAN || type_is_integral(from) ||
        (from->kind == TYPE_FLOAT && to->kind == TYPE_DOUBLE))
        return duck_cast(c, child, to, out);
    if (from->kind == TYPE_INTERVAL_YM || from->kind == TYPE_INTERVAL_DT)
        return put_interval_number(c, child, from, to, out);
    if (never_number(from))
        return put_null(c, to, out);
    return call_mode(c, out, to->kind == TYPE_FLOAT ? "ls_to_float" : "ls_to_double", child);
}

static bool put_decimal(Caster *c, Str child, const Type *from, const Type *to, Buf *out) {
    int p = to->decimal.precision, s = to->decimal.scale;
    bool boolean = from->kind == TYPE_BOOLEAN;
    if (boolean || type_is_integral(from) || from->kind == TYPE_DECIMAL) {
        const Type *have =
            boolean ? type_decimal(1, 0, c->arena) : type_decimal_for(from, c->arena);
        bool wide =
            p - s >= have->decimal.precision - have->decimal.scale && s >= have->decimal.scale;
        if (wide && boolean) {
            buf_addf(out, "CAST(CAST(" STR_FMT " AS INTEGER) AS DECIMAL(%d,%d))", STR_ARG(child), p,
                     s);
            return true;
        }
        if (wide)
            return duck_cast(c, child, to, out);
    }
    if (from->kind == TYPE_INTERVAL_YM || from->kind == TYPE_INTERVAL_DT)
        return put_interval_number(c, child, from, to, out);
    if (from->kind == TYPE_TIME)
        return put_time_number(c, child, from, to, out);
    if (never_number(from))
        return put_null(c, to, out);
    if (p < 38)
        buf_addz(out, "CAST(");
    buf_addf(out, "ls_decimal_%d(" STR_FMT ", %d, %d)", s, STR_ARG(child), p, (int)c->mode);
    if (p < 38)
        buf_addf(out, " AS DECIMAL(%d,%d))", p, s);
    return true;
}

static bool put_boolean(Caster *c, Str child, const Type *from, Buf *out) {
    if (type_is_stringy(from))
        return call_mode(c, out, "ls_to_boolean", child);
    if (type_is_numeric(from)) {
        buf_addf(out, "(" STR_FMT " <> 0)", STR_ARG(child));
        return true;
    }
    if (from->kind == TYPE_TIMESTAMP) {
        buf_addf(out, "(epoch_us(" STR_FMT ") <> 0)", STR_ARG(child));
        return true;
    }
    buf_addz(out, "CAST(NULL AS BOOLEAN)"); /* date: legacy gives NULL */
    return true;
}

/* ---- to dates, times, intervals, binary ---- */

static bool put_timestamp(Caster *c, Str child, const Type *from, Buf *out) {
    if (from->kind == TYPE_DATE)
        return call_zone(c, out, "ls_date_to_timestamp", child);
    if (from->kind == TYPE_TIMESTAMP_NTZ)
        return call_zone(c, out, "ls_ntz_to_timestamp", child);
    if (from->kind == TYPE_BOOLEAN) {
        buf_addf(out, "make_timestamptz(CAST(" STR_FMT " AS BIGINT))", STR_ARG(child));
        return true;
    }
    if (type_is_numeric(from))
        return call_mode(c, out, "ls_seconds_to_timestamp", child);
    buf_addf(out, "ls_to_timestamp(" STR_FMT ", %d, ", STR_ARG(child), (int)c->mode);
    func_put_string(out, c->ctx->zone);
    buf_addc(out, ')');
    return true;
}

static bool put_date(Caster *c, Str child, const Type *from, Buf *out) {
    if (from->kind == TYPE_TIMESTAMP)
        return call_zone(c, out, "ls_timestamp_to_date", child);
    if (from->kind == TYPE_TIMESTAMP_NTZ)
        return duck_cast(c, child, type_simple(TYPE_DATE), out);
    return call_mode(c, out, "ls_to_date", child);
}

static bool put_ntz(Caster *c, Str child, const Type *from, Buf *out) {
    if (from->kind == TYPE_TIMESTAMP)
        return call_zone(c, out, "ls_timestamp_to_ntz", child);
    if (from->kind == TYPE_DATE)
        return duck_cast(c, child, type_simple(TYPE_TIMESTAMP_NTZ), out);
    return call_mode(c, out, "ls_to_ntz", child);
}

/* Fewer decimals of a second are a cut, never a rounding. */
static bool put_time(Caster *c, Str child, const Type *from, const Type *to, Buf *out) {
    int have = from->kind == TYPE_TIME ? from->time.precision : type_is_stringy(from) ? 0 : 6; /* texts keep their digits */
    if (to->time.precision < have) {
        buf_addz(out, "ls_time_precision(");
        TRY(put_time(c, child, from, type_simple(TYPE_TIME), out));
        buf_addf(out, ", %d)", to->time.precision);
        return true;
    }
    if (from->kind == TYPE_TIMESTAMP_NTZ)
        return duck_cast(c, child, type_simple(TYPE_TIME), out);
    if (from->kind == TYPE_TIMESTAMP) {
        buf_addz(out, "CAST(");
        TRY(call_zone(c, out, "ls_timestamp_to_ntz", child));
        buf_addz(out, " AS TIME)");
        return true;
    }
    if (from->kind == TYPE_TIME) {
        buf_add(out, child);
        return true;
    }
    return call_mode(c, out, "ls_to_time", child);
}

/* Numbers count the interval's last unit, to the nearest month or microsecond. */
static bool put_counted_interval(Caster *c, Str child, const Type *from, const Type *to,
                                 const char *unit, Buf *out) {
    const char *suffix = from->kind == TYPE_LONG      ? "L"
                         : from->kind == TYPE_SHORT   ? "S"
                         : from->kind == TYPE_BYTE    ? "Y"
                         : from->kind == TYPE_DECIMAL ? "BD"
                                                      : "";
    CastMode mode = c->mode == CAST_TRY ? CAST_TRY : CAST_ANSI;
    bool ym = to->kind == TYPE_INTERVAL_YM, decimal = from->kind == TYPE_DECIMAL;
    Str text, number;
    TRY(child_text(c, child, from, &text));
    if (decimal)
        number = str_printf(c->arena,
                            "TRY_CAST(ls_decimal_multiply_0(" STR_FMT
                            ", CAST(%s AS DECIMAL(11,0)), 38, %d) AS BIGINT)",
                            STR_ARG(child), unit, (int)CAST_TRY);
    else
        number = str_printf(c->arena, "TRY_CAST(CAST(" STR_FMT " AS HUGEINT) * %s AS BIGINT)",
                            STR_ARG(child), unit);
    Buf fitted = buf_in(c->arena);
    put_fit(c, number, str_printf(c->arena, "(" STR_FMT " || '%s')", STR_ARG(text), suffix),
            ym ? 32 : 64, mode, from, to, &fitted);
    buf_add(out, buf_str(&fitted));
    return true;
}

static bool put_interval(Caster *c, Str child, const Type *from, const Type *to, Buf *out) {
    static const char *const UNIT[] = {"12",         "1",        "86400000000",
                                       "3600000000", "60000000", "1000000"};
    bool ym = to->kind == TYPE_INTERVAL_YM;
    if (from->kind == to->kind) {
        if (ym ? to->interval.to == UNIT_MONTH : to->interval.to == UNIT_SECOND) {
            buf_add(out, child);
        } else {
            buf_addf(out, "(" STR_FMT " // %s * %s)", STR_ARG(child), UNIT[to->interval.to],
                     UNIT[to->interval.to]);
        }
        return true;
    }
    if (type_is_integral(from) || from->kind == TYPE_DECIMAL)
        return put_counted_interval(c, child, from, to, UNIT[to->interval.to], out);
    if (!type_is_stringy(from))
        return refuse_pair(c, from, to);
    buf_addf(out, "%s(" STR_FMT ", %d, %d, %d)", ym ? "ls_to_interval_ym" : "ls_to_interval_dt",
             STR_ARG(child), (int)to->interval.from, (int)to->interval.to, (int)c->mode);
    return true;
}

static bool put_binary(Caster *c, Str child, const Type *from, Buf *out) {
    if (type_is_stringy(from))
        return call1(out, "encode", child);
    if (type_is_integral(from))
        return call1(out, "ls_integer_bytes", child);
    return refuse_pair(c, from, type_simple(TYPE_BINARY));
}

/* Forgetting the reference system changes nothing; on the Earth coordinates have bounds. */
static bool put_shape(Caster *c, Str child, const Type *from, const Type *to, Buf *out) {
    if (!type_is_geo(from))
        return refuse_pair(c, from, to);
    if (from->kind == to->kind || to->kind == TYPE_GEOMETRY)
        buf_add(out, child);
    else
        buf_addf(out,
                 "CASE WHEN " STR_FMT " IS NOT NULL THEN {'srid': (" STR_FMT
                 ").srid, 'wkb': ls_wkb((" STR_FMT ").wkb, true)} END",
                 STR_ARG(child), STR_ARG(child), STR_ARG(child));
    return true;
}

/* ---- nested ---- */

static bool put_array(Caster *c, Str child, const Type *from, const Type *to, Buf *out) {
    Str v = variable(c);
    buf_addf(out, "list_transform(" STR_FMT ", lambda " STR_FMT ": ", STR_ARG(child), STR_ARG(v));
    TRY(put_cast(c, v, from->array.element, to->array.element, out));
    buf_addc(out, ')');
    return true;
}

static bool put_map(Caster *c, Str child, const Type *from, const Type *to, Buf *out) {
    Str v = variable(c);
    buf_addf(out,
             "map_from_entries(list_transform(map_entries(" STR_FMT "), lambda " STR_FMT
             ": {'key': ",
             STR_ARG(child), STR_ARG(v));
    TRY(put_cast(c, str_printf(c->arena, STR_FMT ".key", STR_ARG(v)), from->map.key, to->map.key,
                 out));
    buf_addz(out, ", 'value': ");
    TRY(put_cast(c, str_printf(c->arena, STR_FMT ".value", STR_ARG(v)), from->map.value,
                 to->map.value, out));
    buf_addz(out, "}))");
    return true;
}

static bool put_struct(Caster *c, Str child, const Type *from, const Type *to, Buf *out) {
    if (from->structure.count != to->structure.count)
        return refuse_pair(c, from, to);
    Str v = variable(c);
    buf_addf(out,
             "list_transform([" STR_FMT "], lambda " STR_FMT ": CASE WHEN " STR_FMT
             " IS NOT NULL THEN {",
             STR_ARG(child), STR_ARG(v), STR_ARG(v));
    for (size_t i = 0; i < from->structure.count; i++) {
        if (i)
            buf_addz(out, ", ");
        func_put_string(out, type_duckdb_field(to, i, c->arena));
        buf_addz(out, ": ");
        TRY(put_cast(c, field_text(c, v, from, i), from->structure.fields[i].type,
                     to->structure.fields[i].type, out));
    }
    buf_addz(out, "} END)[1]");
    return true;
}

/* ---- all pairs ---- */

/* DuckDB carries both the same way, field names included. */
static bool same_carrier(Caster *c, const Type *from, const Type *to) {
    if (from->kind == TYPE_TIME && to->kind == TYPE_TIME)
        return from->time.precision <= to->time.precision;
    return type_same_shape(from, to) &&
           str_eq(type_duckdb(from, c->arena), type_duckdb(to, c->arena));
}

static bool put_kind(Caster *c, Str child, const Type *from, const Type *to, Buf *out) {
    if (from->kind == TYPE_VARIANT) {
        func_put_variant_cast(child, S("'$'"), "cast", to, c->mode != CAST_TRY, c->ctx, out);
        return true;
    }
    if (to->kind == TYPE_VARIANT) {
        func_put_to_variant(child, from, c->ctx, out);
        return true;
    }
    switch (to->kind) {
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        return put_text(c, child, from, out);
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
        return put_integer(c, child, from, to, out);
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        return put_real(c, child, from, to, out);
    case TYPE_DECIMAL:
        return put_decimal(c, child, from, to, out);
    case TYPE_BOOLEAN:
        return put_boolean(c, child, from, out);
    case TYPE_DATE:
        return put_date(c, child, from, out);
    case TYPE_TIMESTAMP:
        return put_timestamp(c, child, from, out);
    case TYPE_TIMESTAMP_NTZ:
        return put_ntz(c, child, from, out);
    case TYPE_TIME:
        return put_time(c, child, from, to, out);
    case TYPE_INTERVAL_YM:
    case TYPE_INTERVAL_DT:
        return put_interval(c, child, from, to, out);
    case TYPE_INTERVAL_CALENDAR:
        return type_is_stringy(from) ? call_mode(c, out, "ls_to_interval_calendar", child)
                                     : refuse_pair(c, from, to);
    case TYPE_BINARY:
        return put_binary(c, child, from, out);
    case TYPE_GEOMETRY:
    case TYPE_GEOGRAPHY:
        return put_shape(c, child, from, to, out);
    case TYPE_ARRAY:
        return from->kind == TYPE_ARRAY ? put_array(c, child, from, to, out)
                                        : refuse_pair(c, from, to);
    case TYPE_MAP:
        return from->kind == TYPE_MAP ? put_map(c, child, from, to, out) : refuse_pair(c, from, to);
    case TYPE_STRUCT:
        return from->kind == TYPE_STRUCT ? put_struct(c, child, from, to, out)
                                         : refuse_pair(c, from, to);
    default:
        return refuse_pair(c, from, to);
    }
}

static bool put_cast(Caster *c, Str child, const Type *from, const Type *to, Buf *out) {
    if (from->kind == TYPE_NULL) {
        buf_addf(out, "CAST(" STR_FMT " AS " STR_FMT ")", STR_ARG(S("NULL")),
                 STR_ARG(type_duckdb(to, c->arena)));
        return true;
    }
    if (same_carrier(c, from, to)) {
        buf_add(out, child);
        return true;
    }
    if (++c->depth > CAST_MAX_DEPTH)
        return error_unsupported(c->err, "a cast nested more than %d levels deep", CAST_MAX_DEPTH);
    bool ok = put_kind(c, child, from, to, out);
    c->depth--;
    return ok;
}

bool func_render_cast(Str child, const Type *from, const Type *to, CastMode mode,
                      const FuncContext *ctx, Buf *out, Error *err) {
    Caster c = {mode, ctx, ctx->arena, err, 0};
    return put_cast(&c, child, from, to, out);
}
