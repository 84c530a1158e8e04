/* Arrow columns, as clients send them, into DuckDB's vectors: sizes and units are brought to the
 * declared type. */
#include "engine/arrow_in.h"

#include <string.h>

#include "engine/engine_impl.h"
#include "type/datetime.h"

typedef struct Column {
    const struct ArrowArrayView *view;
    const struct ArrowSchema *schema;
    struct ArrowSchemaView info;
    int64_t from;
    idx_t count;
    duckdb_vector vector;
    idx_t at;
    const Type *to;
    Str zone;
} Column;

/* ---- failures ---- */

static bool malformed(Error *err, const char *why)
{
    return error_set(err, ERR_LAKESHED_MESSAGE_INVALID, PZ("message", "Arrow IPC"), PZ("reason", why));
}

static bool mismatch(const Column *c, Error *err)
{
    AUTO_ARENA arena = arena_new();
    char have[128];
    ArrowSchemaToString(c->schema, have, sizeof(have), 0);
    return error_unsupported(err, "Taking the Arrow column \"%s\" of type %s as " STR_FMT,
                             c->schema->name ? c->schema->name : "", have,
                             STR_ARG(type_sql(c->to, arena)));
}

static bool out_of_range(const Column *c, int64_t value, Error *err)
{
    return error_set(err, ERR_CAST_OVERFLOW,
                     P("value", str_printf(err->arena, "%lld", (long long)value)),
                     PZ("sourceType", "\"BIGINT\""),
                     P("targetType", str_printf(err->arena, "\"" STR_FMT "\"",
                                                STR_ARG(type_sql(c->to, err->arena)))));
}

/* ---- NULLs ---- */

static bool is_null(const Column *c, idx_t i)
{
    return ArrowArrayViewIsNull(c->view, c->from + (int64_t)i);
}

static void copy_nulls(const Column *c)
{
    if (!c->view->null_count && c->view->null_count != -1)
        return;
    for (idx_t i = 0; i < c->count; i++)
        if (is_null(c, i))
            vector_set_null(c->vector, c->at + i, c->to);
}

/* ---- numbers ---- */

static bool is_int(enum ArrowType t)
{
    return t == NANOARROW_TYPE_INT8 || t == NANOARROW_TYPE_INT16 || t == NANOARROW_TYPE_INT32 ||
           t == NANOARROW_TYPE_INT64 || t == NANOARROW_TYPE_UINT8 || t == NANOARROW_TYPE_UINT16 ||
           t == NANOARROW_TYPE_UINT32 || t == NANOARROW_TYPE_UINT64;
}

static bool is_real(enum ArrowType t)
{
    return t == NANOARROW_TYPE_FLOAT || t == NANOARROW_TYPE_DOUBLE ||
           t == NANOARROW_TYPE_HALF_FLOAT;
}

/* The column's values lie in memory just as the vector wants them. */
static bool copy_as_is(const Column *c, size_t width)
{
    if (c->view->layout.element_size_bits[1] != (int64_t)width * 8)
        return false;
    const char *source = c->view->buffer_views[1].data.as_char;
    if (source && c->count)
        memcpy((char *)duckdb_vector_get_data(c->vector) + c->at * width,
               source + (size_t)(c->view->offset + c->from) * width, c->count * width);
    return true;
}

static bool put_int(const Column *c, idx_t i, int64_t v, Error *err)
{
    void *data = duckdb_vector_get_data(c->vector);
    idx_t row = c->at + i;
    switch (c->to->kind) {
    case TYPE_BYTE:
        ((int8_t *)data)[row] = (int8_t)v;
        return v == (int8_t)v || out_of_range(c, v, err);
    case TYPE_SHORT:
        ((int16_t *)data)[row] = (int16_t)v;
        return v == (int16_t)v || out_of_range(c, v, err);
    case TYPE_INT:
    case TYPE_DATE:
    case TYPE_INTERVAL_YM:
        ((int32_t *)data)[row] = (int32_t)v;
        return v == (int32_t)v || out_of_range(c, v, err);
    case TYPE_FLOAT:
        ((float *)data)[row] = (float)v;
        return true;
    case TYPE_DOUBLE:
        ((double *)data)[row] = (double)v;
        return true;
    default:
        ((int64_t *)data)[row] = v;
        return true;
    }
}

static bool copy_ints(const Column *c, Error *err)
{
    for (idx_t i = 0; i < c->count; i++)
        if (!is_null(c, i))
            TRY(put_int(c, i, ArrowArrayViewGetIntUnsafe(c->view, c->from + (int64_t)i), err));
    return true;
}

static bool copy_integral(const Column *c, size_t width, enum ArrowType same, Error *err)
{
    if (c->info.type == same && copy_as_is(c, width))
        return true;
    return is_int(c->info.type) ? copy_ints(c, err) : mismatch(c, err);
}

static bool copy_real(const Column *c, Error *err)
{
    size_t width = c->to->kind == TYPE_FLOAT ? 4 : 8;
    if (c->info.type == (width == 4 ? NANOARROW_TYPE_FLOAT : NANOARROW_TYPE_DOUBLE) &&
        copy_as_is(c, width))
        return true;
    if (!is_int(c->info.type) && !is_real(c->info.type))
        return mismatch(c, err);
    void *data = duckdb_vector_get_data(c->vector);
    for (idx_t i = 0; i < c->count; i++) {
        double v = is_null(c, i) ? 0 : ArrowArrayViewGetDoubleUnsafe(c->view, c->from + (int64_t)i);
        if (width == 4)
            ((float *)data)[c->at + i] = (float)v;
        else
            ((double *)data)[c->at + i] = v;
    }
    return true;
}

static bool copy_bools(const Column *c, Error *err)
{
    if (c->info.type != NANOARROW_TYPE_BOOL)
        return mismatch(c, err);
    uint8_t *data = duckdb_vector_get_data(c->vector);
    for (idx_t i = 0; i < c->count; i++)
        data[c->at + i] =
            !is_null(c, i) && ArrowArrayViewGetIntUnsafe(c->view, c->from + (int64_t)i) != 0;
    return true;
}

/* Brings an unscaled number from one scale to another; false when digits would be lost or it does
 * not fit. */
static bool rescale(__int128 v, int from, int to, int precision, __int128 *out)
{
    for (; from < to; from++)
        if (__builtin_mul_overflow(v, 10, &v))
            return false;
    for (; from > to; from--) {
        if (v % 10)
            return false;
        v /= 10;
    }
    __int128 limit = 1;
    for (int i = 0; i < precision; i++)
        limit *= 10;
    *out = v;
    return v < limit && v > -limit;
}

static void put_decimal(const Column *c, idx_t row, __int128 v)
{
    void *data = duckdb_vector_get_data(c->vector);
    if (c->to->decimal.precision > 18)
        ((__int128 *)data)[row] = v;
    else if (c->to->decimal.precision > 9)
        ((int64_t *)data)[row] = (int64_t)v;
    else if (c->to->decimal.precision > 4)
        ((int32_t *)data)[row] = (int32_t)v;
    else
        ((int16_t *)data)[row] = (int16_t)v;
}

static bool copy_decimals(const Column *c, Error *err)
{
    bool decimal = c->info.type == NANOARROW_TYPE_DECIMAL128;
    if (!decimal && !is_int(c->info.type))
        return mismatch(c, err);
    for (idx_t i = 0; i < c->count; i++) {
        if (is_null(c, i))
            continue;
        __int128 v;
        if (decimal)
            memcpy(&v,
                   c->view->buffer_views[1].data.as_char +
                       (size_t)(c->view->offset + c->from + (int64_t)i) * 16,
                   16);
        else
            v = ArrowArrayViewGetIntUnsafe(c->view, c->from + (int64_t)i);
        if (!rescale(v, decimal ? c->info.decimal_scale : 0, c->to->decimal.scale,
                     c->to->decimal.precision, &v))
            return error_set(err, ERR_NUMERIC_VALUE_OUT_OF_RANGE__WITHOUT_SUGGESTION,
                             PZ("roundedValue", c->schema->name ? c->schema->name : ""),
                             PZ("originalValue", ""),
                             P("precision", str_printf(err->arena, "%d", c->to->decimal.precision)),
                             P("scale", str_printf(err->arena, "%d", c->to->decimal.scale)));
        put_decimal(c, c->at + i, v);
    }
    return true;
}

/* ---- dates and times ---- */

/* Any unit to microseconds, rounding towards the past; false on overflow. */
static bool to_micros(int64_t v, enum ArrowTimeUnit unit, int64_t *us)
{
    switch (unit) {
    case NANOARROW_TIME_UNIT_SECOND:
        return !__builtin_mul_overflow(v, INT64_C(1000000), us);
    case NANOARROW_TIME_UNIT_MILLI:
        return !__builtin_mul_overflow(v, INT64_C(1000), us);
    case NANOARROW_TIME_UNIT_MICRO:
        *us = v;
        return true;
    case NANOARROW_TIME_UNIT_NANO:
        *us = v / 1000 - (v % 1000 < 0);
        return true;
    }
    return false;
}

static bool copy_micros(const Column *c, bool from_local, Error *err)
{
    int64_t *data = duckdb_vector_get_data(c->vector);
    for (idx_t i = 0; i < c->count; i++) {
        if (is_null(c, i))
            continue;
        int64_t us, v = ArrowArrayViewGetIntUnsafe(c->view, c->from + (int64_t)i);
        if (!to_micros(v, c->info.time_unit, &us))
            return out_of_range(c, v, err);
        data[c->at + i] = from_local ? zone_to_utc(c->zone, us) : us;
    }
    return true;
}

static bool copy_timestamps(const Column *c, Error *err)
{
    if (c->info.type != NANOARROW_TYPE_TIMESTAMP)
        return mismatch(c, err);
    bool has_zone = c->info.timezone && c->info.timezone[0];
    return copy_micros(c, c->to->kind == TYPE_TIMESTAMP && !has_zone, err);
}

static bool copy_dates(const Column *c, Error *err)
{
    if (c->info.type == NANOARROW_TYPE_DATE32 && copy_as_is(c, 4))
        return true;
    if (c->info.type != NANOARROW_TYPE_DATE64)
        return mismatch(c, err);
    for (idx_t i = 0; i < c->count; i++) {
        if (is_null(c, i))
            continue;
        int64_t ms = ArrowArrayViewGetIntUnsafe(c->view, c->from + (int64_t)i);
        TRY(put_int(c, i, ms / 86400000 - (ms % 86400000 < 0), err));
    }
    return true;
}

static bool copy_calendar(const Column *c, Error *err)
{
    if (c->info.type != NANOARROW_TYPE_INTERVAL_MONTH_DAY_NANO)
        return mismatch(c, err);
    duckdb_interval *data = duckdb_vector_get_data(c->vector);
    for (idx_t i = 0; i < c->count; i++) {
        struct ArrowInterval v;
        ArrowIntervalInit(&v, NANOARROW_TYPE_INTERVAL_MONTH_DAY_NANO);
        if (!is_null(c, i))
            ArrowArrayViewGetIntervalUnsafe(c->view, c->from + (int64_t)i, &v);
        data[c->at + i] = (duckdb_interval){v.months, v.days, v.ns / 1000};
    }
    return true;
}

/* ---- bytes ---- */

static bool copy_bytes(const Column *c, bool text, Error *err)
{
    switch (c->info.type) {
    case NANOARROW_TYPE_STRING:
    case NANOARROW_TYPE_LARGE_STRING:
    case NANOARROW_TYPE_STRING_VIEW:
        break;
    case NANOARROW_TYPE_BINARY:
    case NANOARROW_TYPE_LARGE_BINARY:
    case NANOARROW_TYPE_BINARY_VIEW:
    case NANOARROW_TYPE_FIXED_SIZE_BINARY:
        if (!text)
            break;
        return mismatch(c, err);
    default:
        return mismatch(c, err);
    }
    for (idx_t i = 0; i < c->count; i++) {
        if (is_null(c, i))
            continue;
        struct ArrowBufferView v = ArrowArrayViewGetBytesUnsafe(c->view, c->from + (int64_t)i);
        Str s = {v.data.as_char, (size_t)v.size_bytes};
        if (text && !str_is_utf8(s))
            return error_set(err, ERR_INVALID_UTF8_STRING,
                             PZ("str", c->schema->name ? c->schema->name : ""));
        duckdb_unsafe_vector_assign_string_element_len(c->vector, c->at + i, s.ptr ? s.ptr : "",
                                                       s.len);
    }
    return true;
}

/* ---- nested ---- */

static bool copy_child(const Column *c, size_t child, int64_t from, idx_t count,
                       duckdb_vector vector, idx_t at, const Type *to, Error *err)
{
    return arrow_in_copy(c->view->children[child], c->schema->children[child], from, count, vector,
                         at, to, c->zone, err);
}

static bool copy_structs(const Column *c, Error *err)
{
    size_t n = c->to->kind == TYPE_VARIANT ? 2 : c->to->structure.count;
    if (c->info.type != NANOARROW_TYPE_STRUCT || c->schema->n_children != (int64_t)n)
        return mismatch(c, err);
    for (size_t i = 0; i < n; i++) {
        const Type *to = c->to->kind == TYPE_VARIANT ? type_simple(TYPE_BINARY)
                                                     : c->to->structure.fields[i].type;
        TRY(copy_child(c, i, c->view->offset + c->from, c->count,
                       duckdb_struct_vector_get_child(c->vector, i), c->at, to, err));
    }
    if (!n)
        for (idx_t i = 0; i < c->count; i++)
            vector_set_null(duckdb_struct_vector_get_child(c->vector, 0), c->at + i,
                            type_simple(TYPE_INT));
    return true;
}

static bool is_list(enum ArrowType t)
{
    return t == NANOARROW_TYPE_LIST || t == NANOARROW_TYPE_LARGE_LIST ||
           t == NANOARROW_TYPE_FIXED_SIZE_LIST || t == NANOARROW_TYPE_MAP;
}

static int64_t list_start(const Column *c, int64_t row)
{
    int64_t i = c->view->offset + c->from + row;
    if (c->info.type == NANOARROW_TYPE_FIXED_SIZE_LIST)
        return i * c->view->layout.child_size_elements;
    return ArrowArrayViewListChildOffset(c->view, i);
}

static bool copy_pairs(const Column *c, int64_t from, idx_t count, duckdb_vector pairs, idx_t at,
                       Error *err)
{
    const struct ArrowArrayView *entries = c->view->children[0];
    const struct ArrowSchema *schema = c->schema->children[0];
    if (schema->n_children != 2)
        return mismatch(c, err);
    const Type *types[] = {c->to->map.key, c->to->map.value};
    for (int64_t i = 0; i < 2; i++)
        TRY(arrow_in_copy(entries->children[i], schema->children[i], entries->offset + from, count,
                          duckdb_struct_vector_get_child(pairs, (idx_t)i), at, types[i], c->zone,
                          err));
    return true;
}

static bool copy_lists(const Column *c, Error *err)
{
    if (!is_list(c->info.type) || (c->to->kind == TYPE_MAP) != (c->info.type == NANOARROW_TYPE_MAP))
        return mismatch(c, err);
    idx_t size = duckdb_list_vector_get_size(c->vector);
    int64_t first = c->count ? list_start(c, 0) : 0,
            last = c->count ? list_start(c, (int64_t)c->count) : 0;
    idx_t total = (idx_t)(last - first);
    if (duckdb_list_vector_reserve(c->vector, size + total) != DuckDBSuccess ||
        duckdb_list_vector_set_size(c->vector, size + total) != DuckDBSuccess)
        return error_internal(err, "a list vector cannot grow to %llu elements",
                              (unsigned long long)(size + total));
    duckdb_list_entry *entries = duckdb_vector_get_data(c->vector);
    for (idx_t i = 0; i < c->count; i++) {
        int64_t start = list_start(c, (int64_t)i), end = list_start(c, (int64_t)i + 1);
        entries[c->at + i] =
            (duckdb_list_entry){size + (idx_t)(start - first), (idx_t)(end - start)};
    }
    duckdb_vector child = duckdb_list_vector_get_child(c->vector);
    if (c->to->kind == TYPE_MAP)
        return copy_pairs(c, first, total, child, size, err);
    return copy_child(c, 0, first, total, child, size, c->to->array.element, err);
}

/* ---- dispatch ---- */

static bool copy_values(const Column *c, Error *err)
{
    switch (c->to->kind) {
    case TYPE_BOOLEAN:
        return copy_bools(c, err);
    case TYPE_BYTE:
        return copy_integral(c, 1, NANOARROW_TYPE_INT8, err);
    case TYPE_SHORT:
        return copy_integral(c, 2, NANOARROW_TYPE_INT16, err);
    case TYPE_INT:
        return copy_integral(c, 4, NANOARROW_TYPE_INT32, err);
    case TYPE_LONG:
        return copy_integral(c, 8, NANOARROW_TYPE_INT64, err);
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        return copy_real(c, err);
    case TYPE_DECIMAL:
        return copy_decimals(c, err);
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        return copy_bytes(c, true, err);
    case TYPE_BINARY:
        return copy_bytes(c, false, err);
    case TYPE_DATE:
        return copy_dates(c, err);
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        return copy_timestamps(c, err);
    case TYPE_TIME:
        if (c->info.type != NANOARROW_TYPE_TIME64 && c->info.type != NANOARROW_TYPE_TIME32)
            return mismatch(c, err);
        return copy_micros(c, false, err);
    case TYPE_INTERVAL_YM:
        if (c->info.type != NANOARROW_TYPE_INTERVAL_MONTHS || !copy_as_is(c, 4))
            return mismatch(c, err);
        return true;
    case TYPE_INTERVAL_DT:
        return c->info.type == NANOARROW_TYPE_DURATION ? copy_micros(c, false, err)
                                                       : mismatch(c, err);
    case TYPE_INTERVAL_CALENDAR:
        return copy_calendar(c, err);
    case TYPE_ARRAY:
    case TYPE_MAP:
        return copy_lists(c, err);
    case TYPE_STRUCT:
    case TYPE_VARIANT:
    case TYPE_GEOMETRY:
    case TYPE_GEOGRAPHY:
        return copy_structs(c, err);
    case TYPE_NULL:
    case TYPE_KIND_COUNT:
        break;
    }
    return mismatch(c, err);
}

bool arrow_in_copy(const struct ArrowArrayView *view, const struct ArrowSchema *schema,
                   int64_t from, idx_t count, duckdb_vector vector, idx_t at, const Type *to,
                   Str zone, Error *err)
{
    Column c = {view, schema, {0}, from, count, vector, at, type_carrier(to), zone};
    if (schema->dictionary)
        return error_unsupported(err, "A dictionary-encoded Arrow column (\"%s\")",
                                 schema->name ? schema->name : "");
    if (ArrowSchemaViewInit(&c.info, schema, NULL) != NANOARROW_OK)
        return malformed(err, "a column has no valid type");
    if (c.info.type == NANOARROW_TYPE_NA || to->kind == TYPE_NULL) {
        for (idx_t i = 0; i < count; i++)
            vector_set_null(vector, at + i, to);
        return c.info.type == NANOARROW_TYPE_NA || mismatch(&c, err);
    }
    TRY(copy_values(&c, err));
    copy_nulls(&c);
    return true;
}

/* ---- types ---- */

static bool type_of_nested(const struct ArrowSchema *s, const struct ArrowSchemaView *v,
                           Arena *arena, const Type **out, Error *err)
{
    if (v->type == NANOARROW_TYPE_STRUCT) {
        Field *fields = ARENA_ARRAY(arena, Field, (size_t)s->n_children + 1);
        for (int64_t i = 0; i < s->n_children; i++) {
            fields[i].name = str_copy(str_from(s->children[i]->name), arena);
            fields[i].nullable = s->children[i]->flags & ARROW_FLAG_NULLABLE;
            TRY(arrow_in_type(s->children[i], arena, &fields[i].type, err));
        }
        *out = type_struct(fields, (size_t)s->n_children, arena);
        return true;
    }
    const Type *a, *b;
    if (v->type == NANOARROW_TYPE_MAP) {
        const struct ArrowSchema *entries = s->children[0];
        if (entries->n_children != 2)
            return malformed(err, "a map has no keys and values");
        TRY(arrow_in_type(entries->children[0], arena, &a, err));
        TRY(arrow_in_type(entries->children[1], arena, &b, err));
        *out = type_map(a, b, entries->children[1]->flags & ARROW_FLAG_NULLABLE, arena);
        return true;
    }
    TRY(arrow_in_type(s->children[0], arena, &a, err));
    *out = type_array(a, s->children[0]->flags & ARROW_FLAG_NULLABLE, arena);
    return true;
}

static TypeKind plain_kind(const struct ArrowSchemaView *v)
{
    switch (v->type) {
    case NANOARROW_TYPE_NA:
        return TYPE_NULL;
    case NANOARROW_TYPE_BOOL:
        return TYPE_BOOLEAN;
    case NANOARROW_TYPE_INT8:
        return TYPE_BYTE;
    case NANOARROW_TYPE_UINT8:
    case NANOARROW_TYPE_INT16:
        return TYPE_SHORT;
    case NANOARROW_TYPE_UINT16:
    case NANOARROW_TYPE_INT32:
        return TYPE_INT;
    case NANOARROW_TYPE_UINT32:
    case NANOARROW_TYPE_INT64:
        return TYPE_LONG;
    case NANOARROW_TYPE_HALF_FLOAT:
    case NANOARROW_TYPE_FLOAT:
        return TYPE_FLOAT;
    case NANOARROW_TYPE_DOUBLE:
        return TYPE_DOUBLE;
    case NANOARROW_TYPE_STRING:
    case NANOARROW_TYPE_LARGE_STRING:
    case NANOARROW_TYPE_STRING_VIEW:
        return TYPE_STRING;
    case NANOARROW_TYPE_BINARY:
    case NANOARROW_TYPE_LARGE_BINARY:
    case NANOARROW_TYPE_BINARY_VIEW:
    case NANOARROW_TYPE_FIXED_SIZE_BINARY:
        return TYPE_BINARY;
    case NANOARROW_TYPE_DATE32:
    case NANOARROW_TYPE_DATE64:
        return TYPE_DATE;
    case NANOARROW_TYPE_TIMESTAMP:
        return v->timezone && v->timezone[0] ? TYPE_TIMESTAMP : TYPE_TIMESTAMP_NTZ;
    case NANOARROW_TYPE_TIME32:
    case NANOARROW_TYPE_TIME64:
        return TYPE_TIME;
    case NANOARROW_TYPE_DURATION:
        return TYPE_INTERVAL_DT;
    case NANOARROW_TYPE_INTERVAL_MONTHS:
        return TYPE_INTERVAL_YM;
    case NANOARROW_TYPE_INTERVAL_MONTH_DAY_NANO:
        return TYPE_INTERVAL_CALENDAR;
    default:
        return TYPE_KIND_COUNT;
    }
}

bool arrow_in_type(const struct ArrowSchema *s, Arena *arena, const Type **out, Error *err)
{
    struct ArrowSchemaView v;
    if (ArrowSchemaViewInit(&v, s, NULL) != NANOARROW_OK)
        return malformed(err, "a column has no valid type");
    if (v.type == NANOARROW_TYPE_STRUCT || is_list(v.type))
        return type_of_nested(s, &v, arena, out, err);
    if (v.type == NANOARROW_TYPE_DECIMAL128) {
        int precision = v.decimal_precision, scale = v.decimal_scale;
        if (precision < 1 || precision > DECIMAL_MAX_PRECISION || scale < 0 || scale > precision)
            return error_unsupported(err, "An Arrow decimal of %d digits with scale %d", precision,
                                     scale);
        *out = type_decimal(precision, scale, arena);
        return true;
    }
    TypeKind kind = plain_kind(&v);
    if (kind == TYPE_KIND_COUNT) {
        char have[128];
        ArrowSchemaToString(s, have, sizeof(have), 0);
        return error_unsupported(err, "An Arrow column of type %s", have);
    }
    *out = type_simple(kind);
    return true;
}
