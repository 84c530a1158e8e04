/* Delta's statistics of a written file (PROTOCOL.md "Per-file Statistics"), from the counts of
 * DuckDB's Parquet writer. */
#include "engine/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "type/datetime.h"

enum { TEXT_PREFIX = 32, TEXT_EXPANSION = 64, ASCII_LAST = 0x7f, UNICODE_LAST = 0x10ffff };

typedef enum Part { PART_MIN, PART_MAX, PART_NULLS } Part;

typedef struct Writer {
    const Value *columns;
    Arena *arena;
    size_t limit;
    const bool *leaves;
    size_t seen; /* leaf columns passed */
    Part part;
} Writer;

/* ---- looking up ---- */

static const Value *column_facts(const Writer *w, Str path)
{
    for (size_t i = 0; i < w->columns->map.count; i++)
        if (str_eq(w->columns->map.keys[i].bytes, path))
            return &w->columns->map.values[i];
    return NULL;
}

static Str fact(const Value *facts, const char *name)
{
    for (size_t i = 0; facts && i < facts->map.count; i++)
        if (str_is(facts->map.keys[i].bytes, name) && !facts->map.values[i].is_null)
            return facts->map.values[i].bytes;
    return (Str){NULL, 0};
}

/* ---- bounds ---- */

bool statistics_text_bound(Str text, bool is_max, Arena *arena, Str *out)
{
    size_t at = 0, points = 0;
    while (at < text.len && points < TEXT_PREFIX) {
        str_utf8_next(text, &at);
        points++;
    }
    if (at >= text.len || !is_max) {
        *out = str_slice(text, 0, at);
        return true;
    }
    /* What is appended must sort after every character it stands for; U+10FFFF itself has nothing
     * after it. */
    for (; at < text.len && points < TEXT_EXPANSION; points++) {
        size_t next = at;
        uint32_t c = str_utf8_next(text, &next);
        if (c < UNICODE_LAST) {
            char last[4];
            size_t n = str_utf8_put(c < ASCII_LAST ? ASCII_LAST : UNICODE_LAST, last);
            *out = str_concat(arena, str_slice(text, 0, at), (Str){last, n});
            return true;
        }
        at = next;
    }
    return false;
}

/* Milliseconds, the minimum rounded down and the maximum up, so that both stay bounds. */
static bool put_timestamp(Buf *b, Str text, bool is_max, bool has_zone)
{
    int64_t us;
    Str plain = str_ends_with(text, S("+00")) ? str_slice(text, 0, text.len - 3) : text;
    if (!timestamp_ntz_parse(plain, false, &us))
        return false;
    int64_t ms = us / 1000 - (us % 1000 < 0);
    if (is_max && ms * 1000 != us)
        ms++;
    int64_t days = ms / 86400000 - (ms % 86400000 < 0), rest = ms - days * 86400000;
    int64_t year;
    unsigned month, day;
    date_to_civil(days, &year, &month, &day);
    if (year < 1 || year > 9999)
        return false;
    buf_addf(b, "\"%04lld-%02u-%02uT%02lld:%02lld:%02lld.%03lld%s\"", (long long)year, month, day,
             (long long)(rest / 3600000), (long long)(rest / 60000 % 60),
             (long long)(rest / 1000 % 60), (long long)(rest % 1000), has_zone ? "Z" : "");
    return true;
}

/* DuckDB leaves out the zero before the point where the type has no digits there; JSON does not. */
static bool put_decimal(Buf *b, Str text)
{
    bool negative = text.len && text.ptr[0] == '-';
    Str digits = str_slice(text, negative, text.len);
    buf_addf(b, "%s%s" STR_FMT, negative ? "-" : "", str_starts_with(digits, S(".")) ? "0" : "", STR_ARG(digits));
    return digits.len > 0;
}

static bool put_real(Buf *b, Str text, Arena *arena)
{
    double v = strtod(str_z(text, arena), NULL);
    if (!isfinite(v))
        return false;
    buf_add(b, text);
    return true;
}

/* One bound as JSON; false when it is left out, which readers take for unknown. */
static bool put_bound(Buf *b, const Type *type, Str text, bool is_max, Arena *arena)
{
    Str bound;
    switch (type->kind) {
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
        buf_add(b, text);
        return text.len > 0;
    case TYPE_DECIMAL:
        return put_decimal(b, text);
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        return put_real(b, text, arena);
    case TYPE_DATE:
        if (text.len != 10)
            return false;
        json_put_str(b, text);
        return true;
    case TYPE_TIMESTAMP:
        return put_timestamp(b, text, is_max, true);
    case TYPE_TIMESTAMP_NTZ:
        return put_timestamp(b, text, is_max, false);
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        if (!statistics_text_bound(text, is_max, arena, &bound))
            return false;
        json_put_str(b, bound);
        return true;
    default:
        return false;
    }
}

/* ---- the object ---- */

Str statistics_path(Str above, Str name, Arena *arena)
{
    Buf b = buf_in(arena);
    if (above.len)
        buf_addf(&b, STR_FMT ".", STR_ARG(above));
    buf_addf(&b, "\"" STR_FMT "\"", STR_ARG(str_replace(name, S("\""), S("\"\""), arena)));
    return buf_str(&b);
}

static bool put_leaf(const Writer *w, const Type *type, Str path, Buf *b)
{
    /* A variant is a group of two parts, which are NULL where there is none. */
    bool variant = type->kind == TYPE_VARIANT;
    const Value *facts = column_facts(w, variant ? statistics_path(path, S("value"), w->arena) : path);
    if (w->part == PART_NULLS) {
        Str nulls = fact(facts, "null_count");
        buf_add(b, nulls);
        return nulls.len > 0;
    }
    Str text = fact(facts, w->part == PART_MIN ? "min" : "max");
    /* NaN is Spark's greatest double; DuckDB leaves it out of the maximum. */
    if (!text.ptr || (w->part == PART_MAX && str_is(fact(facts, "has_nan"), "true")))
        return false;
    return put_bound(b, type, text, w->part == PART_MAX, w->arena);
}

static bool put_fields(Writer *w, const Type *structure, const bool *skip, Str above, Buf *b);

/* "name": value, where value is a bound, a count or an object of them; nothing when there is none.
 */
static bool put_field(Writer *w, const Field *f, Str above, bool first, Buf *b)
{
    Buf value = buf_in(w->arena);
    Str path = statistics_path(above, f->name, w->arena);
    bool any;
    if (f->type->kind == TYPE_STRUCT) {
        any = put_fields(w, f->type, NULL, path, &value);
    } else {
        bool counted = w->seen < w->limit && (!w->leaves || w->leaves[w->seen]);
        w->seen++;
        any = counted && put_leaf(w, f->type, path, &value);
    }
    if (!any)
        return false;
    buf_addz(b, first ? "" : ",");
    json_put_str(b, f->name);
    buf_addc(b, ':');
    buf_add(b, buf_str(&value));
    return true;
}

static bool put_fields(Writer *w, const Type *structure, const bool *skip, Str above, Buf *b)
{
    bool any = false;
    buf_addc(b, '{');
    for (size_t i = 0; i < structure->structure.count; i++)
        if (!skip || !skip[i])
            any = put_field(w, &structure->structure.fields[i], above, !any, b) || any;
    buf_addc(b, '}');
    return any;
}

Str statistics_json(const Type *schema, const bool *skip, size_t limit, const bool *leaves, int64_t rows,
                    const Value *columns, Arena *arena)
{
    static const struct {
        Part part;
        const char *name;
    } parts[] = {{PART_MIN, "minValues"}, {PART_MAX, "maxValues"}, {PART_NULLS, "nullCount"}};
    Buf b = buf_in(arena);
    buf_addf(&b, "{\"numRecords\":%lld", (long long)rows);
    for (size_t i = 0; limit && rows && i < LENGTH_OF(parts); i++) {
        Writer w = {.columns = columns, .arena = arena, .limit = limit, .leaves = leaves, .part = parts[i].part};
        Buf object = buf_in(arena);
        put_fields(&w, schema, skip, S(""), &object);
        buf_addf(&b, ",\"%s\":" STR_FMT, parts[i].name, STR_ARG(buf_str(&object)));
    }
    buf_addc(&b, '}');
    return buf_str(&b);
}
