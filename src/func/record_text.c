/* Scalars, options and schema inference of JSON and CSV records. */
#include "func/record_text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "func/date_pattern.h"
#include "type/coerce.h"
#include "type/number_text.h"
#include "type/value.h"

/* ---- options ---- */

Str record_option(const RecordOptions *o, const char *key, const char *otherwise) {
    const JsonNode *v = o->map ? json_node_field(o->map, str_from(key)) : NULL;
    return v ? v->text : str_from(otherwise);
}

bool record_flag(const RecordOptions *o, const char *key, bool otherwise) {
    return str_is_ci(record_option(o, key, otherwise ? "true" : "false"), "true");
}

bool record_options_read(Str json, Arena *arena, RecordOptions *o, Error *err) {
    *o = (RecordOptions){.arena = arena};
    o->map = json_node_parse(str_copy(json, arena), NULL, arena);
    if (!o->map)
        return error_internal(err, "malformed record options");
    Str zone = record_option(o, "timezone", str_z(record_option(o, "zone", "UTC"), arena));
    o->zone = zone_find(zone);
    if (!o->zone)
        return error_set(err, ERR_INVALID_TIMEZONE, P("timeZone", zone));
    o->fail_fast = str_is_ci(record_option(o, "mode", "PERMISSIVE"), "FAILFAST");
    o->corrupt_column = record_option(o, "columnnameofcorruptrecord", "_corrupt_record");
    o->dialect = (JsonDialect){
        .no_single_quotes = !record_flag(o, "allowsinglequotes", true),
        .unquoted_names = record_flag(o, "allowunquotedfieldnames", false),
        .leading_zeros = record_flag(o, "allownumericleadingzeros", false),
        .comments = record_flag(o, "allowcomments", false),
        .any_escape = record_flag(o, "allowbackslashescapinganycharacter", false),
        .control_chars = record_flag(o, "allowunquotedcontrolchars", false),
        .no_special_numbers = !record_flag(o, "allownonnumericnumbers", true),
    };
    return true;
}

/* ---- reading scalars ---- */

static Str integer_text(int64_t v, Arena *arena) { return str_printf(arena, "%lld", (long long)v); }

/* By the format the options give, otherwise as CAST reads it. */
static bool read_stamp(Str text, const Type *t, const RecordOptions *o, Arena *arena, Str *out,
                       Error *err) {
    bool ntz = t->kind == TYPE_TIMESTAMP_NTZ, date = t->kind == TYPE_DATE;
    Str format = record_option(o,
                               date  ? "dateformat"
                               : ntz ? "timestampntzformat"
                                     : "timestampformat",
                               "");
    int64_t v;
    if (!format.len) {
        bool ok = date  ? date_parse(text, &v)
                  : ntz ? timestamp_ntz_parse(text, false, &v)
                        : timestamp_parse_in(text, o->zone, &v);
        *out = integer_text(v, arena);
        return ok;
    }
    const DatePattern *p;
    DateParsed d;
    Str problem;
    if (!date_pattern_compile(format, true, arena, &p, err) ||
        !date_pattern_parse(p, text, arena, &d, &problem))
        return false;
    v = date         ? floor_div(d.local_us, US_PER_DAY)
        : ntz        ? d.local_us
        : d.zone     ? zone_utc_of(d.zone, d.local_us)
        : d.has_zone ? d.local_us - d.offset * US_PER_SECOND
                     : zone_utc_of(o->zone, d.local_us);
    *out = integer_text(v, arena);
    return true;
}

static bool read_decimal(Str text, const Type *t, Arena *arena, Str *out) {
    Error err = error_in(arena);
    Value v;
    if (!value_from_text(text, t, S("UTC"), arena, &v, &err) || v.is_null)
        return false;
    *out = value_decimal_text(v.decimal, t->decimal.scale, arena);
    return true;
}

static bool read_hex(Str s, Arena *arena, Str *out) {
    Buf b = buf_in(arena);
    for (size_t i = 0; i < s.len; i++)
        buf_addf(&b, "%02X", (unsigned char)s.ptr[i]);
    *out = b.len ? buf_str(&b) : S("");
    return true;
}

static bool read_integer(Str text, int64_t low, int64_t high, Arena *arena, Str *out) {
    int64_t v;
    if (text.len && text.ptr[0] == '+')
        text = str_slice(text, 1, text.len);
    if (!str_to_i64(text, &v) || v < low || v > high)
        return false;
    *out = integer_text(v, arena);
    return true;
}

static bool read_real(Str text, bool single, Arena *arena, Str *out) {
    double v;
    if (str_is(text, "INF") || str_is(text, "+INF") || str_is(text, "+Infinity") ||
        str_is(text, "Inf"))
        text = S("Infinity");
    else if (str_is(text, "-INF") || str_is(text, "-Inf"))
        text = S("-Infinity");
    if (!double_parse(text, &v))
        return false;
    *out = isnan(v)   ? S("nan")
           : isinf(v) ? (v < 0 ? S("-inf") : S("inf"))
                      : str_printf(arena, single ? "%.9g" : "%.17g", single ? (float)v : v);
    return true;
}

bool record_leaf(Str text, const Type *t, const RecordOptions *o, Arena *arena, Str *out,
                 Error *err) {
    int64_t v;
    switch (t->kind) {
    case TYPE_BYTE:
        return read_integer(text, INT8_MIN, INT8_MAX, arena, out);
    case TYPE_SHORT:
        return read_integer(text, INT16_MIN, INT16_MAX, arena, out);
    case TYPE_INT:
        return read_integer(text, INT32_MIN, INT32_MAX, arena, out);
    case TYPE_LONG:
        return read_integer(text, INT64_MIN, INT64_MAX, arena, out);
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        return read_real(text, t->kind == TYPE_FLOAT, arena, out);
    case TYPE_DECIMAL:
        return read_decimal(text, t, arena, out);
    case TYPE_BOOLEAN:
        *out = str_is_ci(text, "true") ? S("true") : S("false");
        return str_is_ci(text, "true") || str_is_ci(text, "false");
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        *out = text;
        return true;
    case TYPE_BINARY:
        return read_hex(text, arena, out);
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        return read_stamp(text, t, o, arena, out, err);
    case TYPE_TIME:
        if (!time_parse(text, &v))
            return false;
        break;
    case TYPE_INTERVAL_YM:
        if (!interval_ym_parse(text, t->interval.from, t->interval.to, &v))
            return false;
        break;
    case TYPE_INTERVAL_DT:
        if (!interval_dt_parse(text, t->interval.from, t->interval.to, &v))
            return false;
        break;
    default:
        return error_set(
            err, ERR_UNSUPPORTED_DATATYPE,
            P("typeName", str_printf(arena, "\"" STR_FMT "\"", STR_ARG(type_sql(t, arena)))));
    }
    *out = integer_text(v, arena);
    return true;
}

/* ---- printing scalars ---- */

static bool put_stamp(int64_t us, const Type *t, const RecordOptions *o, Buf *out, Error *err) {
    bool ntz = t->kind == TYPE_TIMESTAMP_NTZ, date = t->kind == TYPE_DATE;
    Str format = record_option(o,
                               date  ? "dateformat"
                               : ntz ? "timestampntzformat"
                                     : "timestampformat",
                               date  ? "yyyy-MM-dd"
                               : ntz ? "yyyy-MM-dd'T'HH:mm:ss[.SSS]"
                                     : "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]");
    const DatePattern *p;
    TRY(date_pattern_compile(format, false, o->arena, &p, err));
    return date_pattern_format(p, us, ntz || date ? zone_find(S("UTC")) : o->zone, out, err);
}

static void put_base64(Str s, Buf *out) {
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < s.len; i += 3) {
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (i + k < s.len ? (unsigned char)s.ptr[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            buf_addc(out, k && i + k > s.len ? '=' : DIGITS[bits >> (18 - 6 * k) & 63]);
    }
}

bool record_value_text(const NativeVec *v, idx_t row, const Type *t, const RecordOptions *o,
                       Buf *out, Error *err) {
    char number[NUMBER_TEXT_MAX];
    switch (t->kind) {
    case TYPE_BOOLEAN:
        buf_addz(out, ((const bool *)v->data)[row] ? "true" : "false");
        return true;
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
        buf_addf(out, "%lld", (long long)native_integer_at(v, row));
        return true;
    case TYPE_FLOAT:
        buf_add(out, (Str){number, float_text(((const float *)v->data)[row], number)});
        return true;
    case TYPE_DOUBLE:
        buf_add(out, (Str){number, double_text(((const double *)v->data)[row], number)});
        return true;
    case TYPE_DECIMAL: {
        __int128 u = native_integer_at(v, row);
        buf_add(out, value_decimal_text((I128){(uint64_t)u, (int64_t)(u >> 64)}, t->decimal.scale,
                                        o->arena));
        return true;
    }
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        buf_add(out, native_str_at(v, row));
        return true;
    case TYPE_BINARY:
        put_base64(native_str_at(v, row), out);
        return true;
    case TYPE_DATE:
        return put_stamp((int64_t)native_integer_at(v, row) * US_PER_DAY, t, o, out, err);
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        return put_stamp((int64_t)native_integer_at(v, row), t, o, out, err);
    case TYPE_TIME:
        buf_add(out, time_text((int64_t)native_integer_at(v, row), o->arena));
        return true;
    case TYPE_INTERVAL_YM:
        buf_add(out, interval_ym_text((int64_t)native_integer_at(v, row), t->interval.from,
                                      t->interval.to, o->arena));
        return true;
    case TYPE_INTERVAL_DT:
        buf_add(out, interval_dt_text((int64_t)native_integer_at(v, row), t->interval.from,
                                      t->interval.to, o->arena));
        return true;
    case TYPE_INTERVAL_CALENDAR: {
        const duckdb_interval *i = &((const duckdb_interval *)v->data)[row];
        buf_add(out, interval_calendar_text(i->months, i->days, i->micros, o->arena));
        return true;
    }
    default:
        return error_unsupported(err, "writing a value of type " STR_FMT " into this text",
                                 STR_ARG(type_sql(t, o->arena)));
    }
}

/* ---- one CSV record ---- */

static bool at_text(Str line, size_t at, Str what) {
    return what.len && str_starts_with(str_slice(line, at, line.len), what);
}

void record_split_csv(Str line, const RecordOptions *o, Arena *arena, CsvFields *out) {
    Str sep = record_option(o, "sep", str_z(record_option(o, "delimiter", ","), arena));
    Str quote = record_option(o, "quote", "\""), escape = record_option(o, "escape", "\\"),
        null = record_option(o, "nullvalue", "");
    bool left = record_flag(o, "ignoreleadingwhitespace", false),
         right = record_flag(o, "ignoretrailingwhitespace", false);
    for (size_t at = 0; at <= line.len;) {
        Buf b = buf_in(arena);
        bool quoted = false;
        while (left && at < line.len && line.ptr[at] == ' ')
            at++;
        if (at_text(line, at, quote)) {
            quoted = true;
            for (at += quote.len; at < line.len; at++) {
                bool doubled = at_text(line, at, quote) && at_text(line, at + quote.len, quote);
                if (doubled ||
                    (at_text(line, at, escape) && (at_text(line, at + escape.len, quote) ||
                                                   at_text(line, at + escape.len, escape)))) {
                    at += doubled ? quote.len : escape.len;
                } else if (at_text(line, at, quote)) {
                    at += quote.len;
                    break;
                }
                if (at < line.len)
                    buf_addc(&b, line.ptr[at]);
            }
        }
        while (at < line.len && !at_text(line, at, sep))
            buf_addc(&b, line.ptr[at++]);
        Str field = b.len ? buf_str(&b) : S("");
        while (right && !quoted && field.len && field.ptr[field.len - 1] == ' ')
            field.len--;
        bool is_null = quoted ? false : str_eq(field, null);
        vec_push(arena, out,
                 is_null                ? (Str){0}
                 : quoted && !field.len ? record_option(o, "emptyvalue", "")
                                        : field);
        if (at >= line.len)
            return;
        at += sep.len;
    }
}

/* ---- inference ---- */

static int name_order(const void *a, const void *b) {
    return str_cmp(((const Field *)a)->name, ((const Field *)b)->name);
}

static const Type *merge(const Type *a, const Type *b, Arena *arena);

static const Type *merge_structs(const Type *a, const Type *b, Arena *arena) {
    VEC(Field) fields = {0};
    for (size_t i = 0; i < a->structure.count; i++) {
        Field f = a->structure.fields[i];
        int other = type_field_index(b, f.name, true);
        if (other >= 0)
            f.type = merge(f.type, b->structure.fields[other].type, arena);
        vec_push(arena, &fields, f);
    }
    for (size_t i = 0; i < b->structure.count; i++)
        if (type_field_index(a, b->structure.fields[i].name, true) < 0)
            vec_push(arena, &fields, b->structure.fields[i]);
    if (fields.len)
        qsort(fields.at, fields.len, sizeof(Field), name_order);
    return type_struct(fields.at, fields.len, arena);
}

static const Type *merge(const Type *a, const Type *b, Arena *arena) {
    if (a->kind == TYPE_NULL || b->kind == TYPE_NULL)
        return a->kind == TYPE_NULL ? b : a;
    if (a->kind == TYPE_STRUCT && b->kind == TYPE_STRUCT)
        return merge_structs(a, b, arena);
    if (a->kind == TYPE_ARRAY && b->kind == TYPE_ARRAY)
        return type_array(merge(a->array.element, b->array.element, arena), true, arena);
    if (type_same_shape(a, b))
        return a;
    if (type_is_numeric(a) && type_is_numeric(b)) {
        if (a->kind == TYPE_DOUBLE || b->kind == TYPE_DOUBLE)
            return type_simple(TYPE_DOUBLE);
        const Type *t = coerce_common(a, b, true, arena);
        return t ? t : type_simple(TYPE_DOUBLE);
    }
    bool stamps = (a->kind == TYPE_DATE && b->kind == TYPE_TIMESTAMP) ||
                  (a->kind == TYPE_TIMESTAMP && b->kind == TYPE_DATE);
    return type_simple(stamps ? TYPE_TIMESTAMP : TYPE_STRING);
}

static const Type *infer_integer(Str digits, Arena *arena) {
    int64_t v;
    if (str_to_i64(digits, &v))
        return type_simple(TYPE_LONG);
    int n = (int)(digits.len - (digits.ptr[0] == '-'));
    return n <= DECIMAL_MAX_PRECISION ? type_decimal(n, 0, arena) : type_simple(TYPE_DOUBLE);
}

static const Type *infer_node(const JsonNode *v, const RecordOptions *o, Arena *arena) {
    bool as_text = record_flag(o, "primitivesasstring", false);
    const Type *t = type_simple(TYPE_NULL);
    VEC(Field) fields = {0};
    switch (v->kind) {
    case JSON_NULL:
        return t;
    case JSON_TRUE:
    case JSON_FALSE:
        return type_simple(as_text ? TYPE_STRING : TYPE_BOOLEAN);
    case JSON_INTEGER:
        return as_text ? type_simple(TYPE_STRING) : infer_integer(v->text, arena);
    case JSON_REAL:
        return type_simple(as_text ? TYPE_STRING : TYPE_DOUBLE);
    case JSON_STRING:
        return type_simple(v->text.len ? TYPE_STRING : TYPE_NULL);
    case JSON_ARRAY:
        for (const JsonNode *c = v->first; c; c = c->next)
            t = merge(t, infer_node(c, o, arena), arena);
        return type_array(t, true, arena);
    case JSON_OBJECT:
        for (const JsonNode *c = v->first; c; c = c->next)
            vec_push(arena, &fields,
                     ((Field){.name = c->key, .type = infer_node(c, o, arena), .nullable = true}));
        if (fields.len)
            qsort(fields.at, fields.len, sizeof(Field), name_order);
        return type_struct(fields.at, fields.len, arena);
    }
    return t;
}

/* NULL becomes STRING; structs without fields go. */
static const Type *canonical(const Type *t, Arena *arena) {
    VEC(Field) fields = {0};
    switch (t->kind) {
    case TYPE_NULL:
        return type_simple(TYPE_STRING);
    case TYPE_ARRAY: {
        const Type *element = canonical(t->array.element, arena);
        return element ? type_array(element, true, arena) : NULL;
    }
    case TYPE_STRUCT:
        for (size_t i = 0; i < t->structure.count; i++) {
            Field f = t->structure.fields[i];
            f.type = canonical(f.type, arena);
            if (f.type)
                vec_push(arena, &fields, f);
        }
        return fields.len ? type_struct(fields.at, fields.len, arena) : NULL;
    default:
        return t;
    }
}

const Type *record_infer_json(Str sample, const RecordOptions *o, Arena *arena) {
    const JsonNode *v = json_node_parse(sample, &o->dialect, arena);
    if (!v)
        return NULL;
    const Type *t = canonical(infer_node(v, o, arena), arena);
    return t ? t : type_struct(NULL, 0, arena);
}

static const Type *infer_csv_field(Str s, const RecordOptions *o, Arena *arena) {
    static const TypeKind TRIES[] = {TYPE_INT,  TYPE_LONG,      TYPE_DOUBLE,
                                     TYPE_DATE, TYPE_TIMESTAMP, TYPE_BOOLEAN};
    Error err = error_in(arena);
    Str ignored;
    if (!s.ptr)
        return type_simple(TYPE_STRING);
    bool given = record_option(o, "dateformat", "").len > 0;
    for (size_t i = 0; i < LENGTH_OF(TRIES); i++) {
        const Type *t = type_simple(TRIES[i]);
        if (TRIES[i] == TYPE_DATE && !given &&
            s.len != 10) /* yyyy-MM-dd: CAST takes more than that */
            continue;
        if (TRIES[i] == TYPE_TIMESTAMP && s.len <= 10)
            continue;
        if (record_leaf(s, t, o, arena, &ignored, &err))
            return t;
    }
    return type_simple(TYPE_STRING);
}

const Type *record_infer_csv(Str sample, const RecordOptions *o, Arena *arena) {
    CsvFields values = {0};
    record_split_csv(sample, o, arena, &values);
    Field *fields = ARENA_ARRAY(arena, Field, values.len + 1);
    for (size_t i = 0; i < values.len; i++)
        fields[i] = (Field){.name = str_printf(arena, "_c%zu", i),
                            .type = infer_csv_field(values.at[i], o, arena),
                            .nullable = true};
    return type_struct(fields, values.len, arena);
}
