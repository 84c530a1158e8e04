/* Constants as DuckDB expressions, always of exactly the type that type_duckdb names. */
#include <math.h>

#include "type/datetime.h"
#include "type/number_text.h"
#include "type/type_text_impl.h"
#include "type/value_impl.h"

static void put(Buf *b, const Value *v);

/* Text between quotes; DuckDB's only escape there is the doubled quote. */
static void put_quoted(Buf *b, Str s)
{
    buf_addc(b, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\'')
            buf_addc(b, '\'');
        buf_addc(b, s.ptr[i]);
    }
    buf_addc(b, '\'');
}

/* DuckDB takes no malformed UTF-8: such bytes become U+FFFD. */
static Str as_utf8(Str s, Arena *arena)
{
    if (str_is_utf8(s))
        return s;
    Buf b = buf_in(arena);
    for (size_t at = 0; at < s.len;) {
        char bytes[4];
        buf_add_bytes(&b, bytes, str_utf8_put(str_utf8_next(s, &at), bytes));
    }
    return buf_str(&b);
}

/* A statement's text ends at a NUL byte: those come in through chr(0). */
static void put_string(Buf *b, Str s)
{
    s = as_utf8(s, b->arena);
    ptrdiff_t nul = str_find_char(s, '\0');
    if (nul < 0) {
        buf_addz(b, "CAST(");
        put_quoted(b, s);
        buf_addz(b, " AS VARCHAR)");
        return;
    }
    buf_addc(b, '(');
    for (; nul >= 0; nul = str_find_char(s, '\0')) {
        put_quoted(b, str_slice(s, 0, (size_t)nul));
        buf_addz(b, " || chr(0) || ");
        s = str_slice(s, (size_t)nul + 1, s.len);
    }
    put_quoted(b, s);
    buf_addc(b, ')');
}

static void put_blob(Buf *b, Str bytes)
{
    buf_addz(b, "CAST('");
    for (size_t i = 0; i < bytes.len; i++)
        buf_addf(b, "\\x%02X", (unsigned char)bytes.ptr[i]);
    buf_addz(b, "' AS BLOB)");
}

static void put_real(Buf *b, const Value *v)
{
    char text[NUMBER_TEXT_MAX];
    bool is_float = v->type->kind == TYPE_FLOAT;
    if (isnan(v->real) || isinf(v->real))
        buf_addf(b, "CAST('%s'", isnan(v->real) ? "nan" : v->real > 0 ? "inf" : "-inf");
    else {
        if (is_float)
            float_text((float)v->real, text);
        else
            double_text(v->real, text);
        buf_addf(b, "CAST('%s'", text);
    }
    buf_addz(b, is_float ? " AS FLOAT)" : " AS DOUBLE)");
}

/* Four-digit years read better; the others are counted from the epoch. */
static void put_date(Buf *b, int64_t days)
{
    char text[DATETIME_TEXT_MAX];
    size_t len = date_put(days, text);
    if (len == 10 && text[0] != '-' && text[0] != '+')
        buf_addf(b, "DATE '%s'", text);
    else
        buf_addf(b, "(DATE '1970-01-01' + CAST(%lld AS INTEGER))", (long long)days);
}

static void put_list(Buf *b, const Value *v)
{
    buf_addz(b, "CAST([");
    for (size_t i = 0; i < v->list.count; i++) {
        buf_addz(b, i ? ", " : "");
        put(b, &v->list.items[i]);
    }
    buf_addf(b, "] AS " STR_FMT ")", STR_ARG(type_duckdb(v->type, b->arena)));
}

static void put_struct(Buf *b, const Value *v)
{
    buf_addz(b, "struct_pack(");
    for (size_t i = 0; i < v->list.count; i++) {
        buf_addz(b, i ? ", " : "");
        duckdb_put_identifier(b, type_duckdb_field(v->type, i, b->arena));
        buf_addz(b, " := ");
        put(b, &v->list.items[i]);
    }
    buf_addz(b, v->list.count ? ")" : "\"_0\" := CAST(NULL AS INTEGER))");
}

static void put_map(Buf *b, const Value *v)
{
    buf_addz(b, "CAST(MAP {");
    for (size_t i = 0; i < v->map.count; i++) {
        buf_addz(b, i ? ", " : "");
        put(b, &v->map.keys[i]);
        buf_addz(b, ": ");
        put(b, &v->map.values[i]);
    }
    buf_addf(b, "} AS " STR_FMT ")", STR_ARG(type_duckdb(v->type, b->arena)));
}

/* Version 1 with no field names: variant specification, "Metadata encoding". */
static void put_variant(Buf *b, const Value *v)
{
    buf_addz(b, "struct_pack(\"value\" := ");
    put_blob(b, v->bytes);
    buf_addz(b, ", \"metadata\" := ");
    put_blob(b, S("\x01\x00\x00"));
    buf_addc(b, ')');
}

static void put_time(Buf *b, int64_t us)
{
    char text[DATETIME_TEXT_MAX];
    time_put(us, text);
    buf_addf(b, "TIME '%s'", text);
}

static void put_leaf(Buf *b, const Value *v)
{
    long long n = (long long)v->integer;
    switch (v->type->kind) {
    case TYPE_BOOLEAN: buf_addz(b, v->boolean ? "true" : "false"); break;
    case TYPE_FLOAT:
    case TYPE_DOUBLE: put_real(b, v); break;
    case TYPE_DECIMAL:
        buf_addz(b, "CAST('");
        decimal_put_plain(b, v->decimal, v->type->decimal.scale);
        buf_addf(b, "' AS " STR_FMT ")", STR_ARG(type_duckdb(v->type, b->arena)));
        break;
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR: put_string(b, v->bytes); break;
    case TYPE_BINARY: put_blob(b, v->bytes); break;
    case TYPE_VARIANT: put_variant(b, v); break;
    case TYPE_DATE: put_date(b, v->integer); break;
    case TYPE_TIMESTAMP: buf_addf(b, "make_timestamptz(CAST(%lld AS BIGINT))", n); break;
    case TYPE_TIMESTAMP_NTZ: buf_addf(b, "make_timestamp(CAST(%lld AS BIGINT))", n); break;
    case TYPE_TIME: put_time(b, v->integer); break;
    case TYPE_INTERVAL_CALENDAR:
        buf_addf(b, "(to_months(%d) + to_days(%d) + to_microseconds(%lld))", v->calendar.months,
                 v->calendar.days, (long long)v->calendar.micros);
        break;
    default:
        buf_addf(b, "CAST(%lld AS " STR_FMT ")", n, STR_ARG(type_duckdb(v->type, b->arena)));
        break;
    }
}

static void put(Buf *b, const Value *v)
{
    if (v->is_null || v->type->kind == TYPE_NULL)
        buf_addf(b, "CAST(NULL AS " STR_FMT ")", STR_ARG(type_duckdb(v->type, b->arena)));
    else if (v->type->kind == TYPE_ARRAY)
        put_list(b, v);
    else if (v->type->kind == TYPE_STRUCT)
        put_struct(b, v);
    else if (v->type->kind == TYPE_MAP)
        put_map(b, v);
    else
        put_leaf(b, v);
}

Str value_duckdb(const Value *v, Arena *arena)
{
    Buf b = buf_in(arena);
    put(&b, v);
    return buf_str(&b);
}
