/* Constants as Spark prints them: cast to string, as SQL, and inside a column's name. */
#include <string.h>

#include "type/datetime.h"
#include "type/number_text.h"
#include "type/value_impl.h"
#include "type/collation.h"

/* ---- decimals ---- */

/* Decimal digits of the magnitude, most significant first; at least one. */
static int unscaled_digits(I128 unscaled, char out[40], bool *negative)
{
    __int128 v = i128_wide(unscaled);
    unsigned __int128 size = v < 0 ? -(unsigned __int128)v : (unsigned __int128)v;
    char reversed[40];
    int count = 0;
    *negative = v < 0;
    do {
        reversed[count++] = (char)('0' + (int)(size % 10));
        size /= 10;
    } while (size);
    for (int i = 0; i < count; i++)
        out[i] = reversed[count - 1 - i];
    return count;
}

static void put_plain(Buf *b, const char *digits, int count, int scale)
{
    int whole = count - scale;
    if (whole <= 0)
        buf_addc(b, '0');
    else
        buf_add_bytes(b, digits, (size_t)whole);
    if (!scale)
        return;
    buf_addc(b, '.');
    if (whole < 0)
        buf_add_repeat(b, '0', (size_t)-whole);
    int start = whole > 0 ? whole : 0;
    buf_add_bytes(b, digits + start, (size_t)(count - start));
}

void decimal_put_plain(Buf *b, I128 unscaled, int scale)
{
    char digits[40];
    bool negative;
    int count = unscaled_digits(unscaled, digits, &negative);
    buf_addz(b, negative ? "-" : "");
    put_plain(b, digits, count, scale);
}

void decimal_put_java(Buf *b, I128 unscaled, int scale)
{
    char digits[40];
    bool negative;
    int count = unscaled_digits(unscaled, digits, &negative);
    int exponent = count - 1 - scale;
    buf_addz(b, negative ? "-" : "");
    if (exponent >= -6) {
        put_plain(b, digits, count, scale);
        return;
    }
    buf_addc(b, digits[0]);
    if (count > 1) {
        buf_addc(b, '.');
        buf_add_bytes(b, digits + 1, (size_t)count - 1);
    }
    buf_addf(b, "E%d", exponent);
}

Str value_decimal_text(I128 unscaled, int scale, Arena *arena)
{
    Buf b = buf_in(arena);
    decimal_put_plain(&b, unscaled, scale);
    return buf_str(&b);
}

/* ---- CAST(v AS STRING) ---- */

typedef struct Printer {
    Buf *b;
    const Zone *zone;
} Printer;

static void put_real(Buf *b, const Value *v)
{
    char text[NUMBER_TEXT_MAX];
    size_t len = v->type->kind == TYPE_FLOAT ? float_text((float)v->real, text)
                                             : double_text(v->real, text);
    buf_add_bytes(b, text, len);
}

static void put_text(const Printer *p, const Value *v);

static void put_list(const Printer *p, const Value *v, char open, char close)
{
    buf_addc(p->b, open);
    for (size_t i = 0; i < v->list.count; i++) {
        buf_addz(p->b, i ? ", " : "");
        put_text(p, &v->list.items[i]);
    }
    buf_addc(p->b, close);
}

static void put_map(const Printer *p, const Value *v)
{
    buf_addc(p->b, '{');
    for (size_t i = 0; i < v->map.count; i++) {
        buf_addz(p->b, i ? ", " : "");
        put_text(p, &v->map.keys[i]);
        buf_addz(p->b, " -> ");
        put_text(p, &v->map.values[i]);
    }
    buf_addc(p->b, '}');
}

static void put_moment(const Printer *p, const Value *v)
{
    char text[DATETIME_TEXT_MAX];
    size_t len = v->type->kind == TYPE_DATE ? date_put(v->integer, text)
               : v->type->kind == TYPE_TIME ? time_put(v->integer, text)
               : timestamp_put(v->integer, v->type->kind == TYPE_TIMESTAMP ? p->zone : NULL, text);
    buf_add_bytes(p->b, text, len);
}

static Str interval_text(const Value *v, Arena *arena)
{
    const Type *t = v->type;
    if (t->kind == TYPE_INTERVAL_YM)
        return interval_ym_text(v->integer, t->interval.from, t->interval.to, arena);
    if (t->kind == TYPE_INTERVAL_DT)
        return interval_dt_text(v->integer, t->interval.from, t->interval.to, arena);
    return interval_calendar_text(v->calendar.months, v->calendar.days, v->calendar.micros, arena);
}

static void put_text(const Printer *p, const Value *v)
{
    if (v->is_null) {
        buf_addz(p->b, "null");
        return;
    }
    switch (v->type->kind) {
    case TYPE_NULL: buf_addz(p->b, "null"); break;
    case TYPE_BOOLEAN: buf_addz(p->b, v->boolean ? "true" : "false"); break;
    case TYPE_FLOAT:
    case TYPE_DOUBLE: put_real(p->b, v); break;
    case TYPE_DECIMAL: decimal_put_plain(p->b, v->decimal, v->type->decimal.scale); break;
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
    case TYPE_BINARY:
    case TYPE_VARIANT: buf_add(p->b, v->bytes); break;
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
    case TYPE_TIME: put_moment(p, v); break;
    case TYPE_INTERVAL_YM:
    case TYPE_INTERVAL_DT:
    case TYPE_INTERVAL_CALENDAR: buf_add(p->b, interval_text(v, p->b->arena)); break;
    case TYPE_ARRAY: put_list(p, v, '[', ']'); break;
    case TYPE_STRUCT: put_list(p, v, '{', '}'); break;
    case TYPE_MAP: put_map(p, v); break;
    default: buf_addf(p->b, "%lld", (long long)v->integer); break;
    }
}

Str value_to_text(const Value *v, Str zone, Arena *arena)
{
    Buf b = buf_in(arena);
    put_text(&(Printer){&b, zone_find(zone)}, v);
    return buf_str(&b);
}

/* ---- SQL ---- */

void put_sql_string(Buf *b, Str s)
{
    buf_addc(b, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\\' || s.ptr[i] == '\'')
            buf_addc(b, '\\');
        buf_addc(b, s.ptr[i]);
    }
    buf_addc(b, '\'');
}

static void put_hex(Buf *b, Str bytes)
{
    buf_addz(b, "X'");
    for (size_t i = 0; i < bytes.len; i++)
        buf_addf(b, "%02X", (unsigned char)bytes.ptr[i]);
    buf_addc(b, '\'');
}

static void put_sql(const Printer *p, const Value *v);

static void put_sql_items(const Printer *p, const Value *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_addz(p->b, i ? ", " : "");
        put_sql(p, &items[i]);
    }
}

static void put_sql_struct(const Printer *p, const Value *v)
{
    buf_addz(p->b, "NAMED_STRUCT(");
    for (size_t i = 0; i < v->list.count; i++) {
        buf_addz(p->b, i ? ", " : "");
        put_sql_string(p->b, v->type->structure.fields[i].name);
        buf_addz(p->b, ", ");
        put_sql(p, &v->list.items[i]);
    }
    buf_addc(p->b, ')');
}

static void put_sql_map(const Printer *p, const Value *v)
{
    buf_addz(p->b, "MAP(");
    for (size_t i = 0; i < v->map.count; i++) {
        buf_addz(p->b, i ? ", " : "");
        put_sql(p, &v->map.keys[i]);
        buf_addz(p->b, ", ");
        put_sql(p, &v->map.values[i]);
    }
    buf_addc(p->b, ')');
}

static void put_sql_null(Buf *b, const Type *t)
{
    if (t->kind == TYPE_NULL || type_is_nested(t))
        buf_addz(b, "NULL");
    else
        buf_addf(b, "CAST(NULL AS " STR_FMT ")", STR_ARG(type_sql(t, b->arena)));
}

static void put_sql_real(Buf *b, const Value *v)
{
    bool is_float = v->type->kind == TYPE_FLOAT, finite = v->real - v->real == 0;
    buf_addz(b, is_float || !finite ? "CAST('" : "");
    put_real(b, v);
    buf_addz(b, is_float ? "' AS FLOAT)" : !finite ? "' AS DOUBLE)" : "D");
}

static void put_sql_moment(const Printer *p, const Value *v, const char *name)
{
    buf_addf(p->b, "%s '", name);
    put_moment(p, v);
    buf_addc(p->b, '\'');
}

static void put_sql(const Printer *p, const Value *v)
{
    Buf *b = p->b;
    if (v->is_null) {
        put_sql_null(b, v->type);
        return;
    }
    switch (v->type->kind) {
    case TYPE_BYTE: buf_addf(b, "%lldY", (long long)v->integer); break;
    case TYPE_SHORT: buf_addf(b, "%lldS", (long long)v->integer); break;
    case TYPE_LONG: buf_addf(b, "%lldL", (long long)v->integer); break;
    case TYPE_FLOAT:
    case TYPE_DOUBLE: put_sql_real(b, v); break;
    case TYPE_DECIMAL:
        decimal_put_java(b, v->decimal, v->type->decimal.scale);
        buf_addz(b, "BD");
        break;
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        put_sql_string(b, v->bytes);
        if (type_is_collated(v->type))
            buf_addf(b, " collate " STR_FMT, STR_ARG(v->type->string.collation));
        break;
    case TYPE_BINARY: put_hex(b, v->bytes); break;
    case TYPE_DATE: put_sql_moment(p, v, "DATE"); break;
    case TYPE_TIMESTAMP: put_sql_moment(p, v, "TIMESTAMP"); break;
    case TYPE_TIMESTAMP_NTZ: put_sql_moment(p, v, "TIMESTAMP_NTZ"); break;
    case TYPE_TIME: put_sql_moment(p, v, "TIME"); break;
    case TYPE_INTERVAL_CALENDAR:
        buf_addf(b, "INTERVAL '" STR_FMT "'", STR_ARG(interval_text(v, b->arena)));
        break;
    case TYPE_ARRAY:
        buf_addz(b, "ARRAY(");
        put_sql_items(p, v->list.items, v->list.count);
        buf_addc(b, ')');
        break;
    case TYPE_STRUCT: put_sql_struct(p, v); break;
    case TYPE_MAP: put_sql_map(p, v); break;
    default: put_text(p, v); break;
    }
}

Str value_sql(const Value *v, Str zone, Arena *arena)
{
    Buf b = buf_in(arena);
    put_sql(&(Printer){&b, zone_find(zone)}, v);
    return buf_str(&b);
}

Str value_pretty(const Value *v, Str zone, Arena *arena)
{
    Buf b = buf_in(arena);
    Printer p = {&b, zone_find(zone)};
    if (v->is_null)
        buf_addz(&b, "NULL");
    else if (v->type->kind == TYPE_DECIMAL)
        decimal_put_java(&b, v->decimal, v->type->decimal.scale);
    else if (type_is_numeric(v->type) || (type_is_stringy(v->type) && !type_is_collated(v->type)))
        put_text(&p, v);
    else
        put_sql(&p, v);
    return buf_str(&b);
}
