/* Between DuckDB's vectors and Spark's values, one carrier type at a time. */
#include <string.h>

#include "base/str.h"
#include "engine/engine_impl.h"

/* ---- types ---- */

static duckdb_logical_type struct_logical(const Type *type)
{
    AUTO_ARENA arena = arena_new();
    size_t n = type->structure.count ? type->structure.count : 1;
    duckdb_logical_type *types = ARENA_ARRAY(arena, duckdb_logical_type, n);
    const char **names = ARENA_ARRAY(arena, const char *, n);
    if (!type->structure.count) {
        types[0] = duckdb_create_logical_type(DUCKDB_TYPE_INTEGER);
        names[0] = "_0";
    }
    for (size_t i = 0; i < type->structure.count; i++) {
        types[i] = logical_type_of(type->structure.fields[i].type);
        names[i] = str_z(type_duckdb_field(type, i, arena), arena);
    }
    duckdb_logical_type out = duckdb_create_struct_type(types, names, n);
    for (size_t i = 0; i < n; i++)
        duckdb_destroy_logical_type(&types[i]);
    return out;
}

static duckdb_logical_type variant_logical(void)
{
    duckdb_logical_type blob = duckdb_create_logical_type(DUCKDB_TYPE_BLOB);
    duckdb_logical_type types[] = {blob, blob};
    const char *names[] = {"value", "metadata"};
    duckdb_logical_type out = duckdb_create_struct_type(types, names, 2);
    duckdb_destroy_logical_type(&blob);
    return out;
}

static duckdb_logical_type nested_logical(const Type *type)
{
    if (type->kind == TYPE_STRUCT)
        return struct_logical(type);
    if (type->kind == TYPE_ARRAY) {
        duckdb_logical_type element = logical_type_of(type->array.element);
        duckdb_logical_type out = duckdb_create_list_type(element);
        duckdb_destroy_logical_type(&element);
        return out;
    }
    duckdb_logical_type key = logical_type_of(type->map.key),
                        value = logical_type_of(type->map.value);
    duckdb_logical_type out = duckdb_create_map_type(key, value);
    duckdb_destroy_logical_type(&key);
    duckdb_destroy_logical_type(&value);
    return out;
}

/* The table of type/README.md. */
static duckdb_type carrier_id(const Type *type)
{
    switch (type->kind) {
    case TYPE_NULL:
    case TYPE_INT:
    case TYPE_INTERVAL_YM:
        return DUCKDB_TYPE_INTEGER;
    case TYPE_BOOLEAN:
        return DUCKDB_TYPE_BOOLEAN;
    case TYPE_BYTE:
        return DUCKDB_TYPE_TINYINT;
    case TYPE_SHORT:
        return DUCKDB_TYPE_SMALLINT;
    case TYPE_LONG:
    case TYPE_INTERVAL_DT:
        return DUCKDB_TYPE_BIGINT;
    case TYPE_FLOAT:
        return DUCKDB_TYPE_FLOAT;
    case TYPE_DOUBLE:
        return DUCKDB_TYPE_DOUBLE;
    case TYPE_DECIMAL:
        return DUCKDB_TYPE_DECIMAL;
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        return DUCKDB_TYPE_VARCHAR;
    case TYPE_BINARY:
        return DUCKDB_TYPE_BLOB;
    case TYPE_DATE:
        return DUCKDB_TYPE_DATE;
    case TYPE_TIMESTAMP:
        return DUCKDB_TYPE_TIMESTAMP_TZ;
    case TYPE_TIMESTAMP_NTZ:
        return DUCKDB_TYPE_TIMESTAMP;
    case TYPE_TIME:
        return DUCKDB_TYPE_TIME;
    case TYPE_INTERVAL_CALENDAR:
        return DUCKDB_TYPE_INTERVAL;
    case TYPE_ARRAY:
        return DUCKDB_TYPE_LIST;
    case TYPE_MAP:
        return DUCKDB_TYPE_MAP;
    case TYPE_STRUCT:
    case TYPE_VARIANT:
    case TYPE_GEOMETRY:
    case TYPE_GEOGRAPHY:
        return DUCKDB_TYPE_STRUCT;
    case TYPE_KIND_COUNT:
        break;
    }
    return DUCKDB_TYPE_INVALID;
}

duckdb_logical_type logical_type_of(const Type *type)
{
    type = type_carrier(type);
    if (type->kind == TYPE_DECIMAL)
        return duckdb_create_decimal_type((uint8_t)type->decimal.precision,
                                          (uint8_t)type->decimal.scale);
    if (type->kind == TYPE_VARIANT)
        return variant_logical();
    if (type_is_nested(type))
        return nested_logical(type);
    return duckdb_create_logical_type(carrier_id(type));
}

static bool struct_type_is(duckdb_logical_type have, const Type *want)
{
    AUTO_ARENA arena = arena_new();
    size_t n = want->kind == TYPE_VARIANT ? 2 : want->structure.count;
    if (duckdb_struct_type_child_count(have) != (n ? n : 1))
        return false;
    bool same = true;
    for (size_t i = 0; same && i < n; i++) {
        duckdb_logical_type child = duckdb_struct_type_child_type(have, i);
        if (want->kind == TYPE_VARIANT) {
            same = duckdb_get_type_id(child) == DUCKDB_TYPE_BLOB;
        } else {
            char *name = duckdb_struct_type_child_name(have, i);
            same = str_eq(str_from(name), type_duckdb_field(want, i, arena)) &&
                   logical_type_is(child, want->structure.fields[i].type);
            duckdb_free(name);
        }
        duckdb_destroy_logical_type(&child);
    }
    return same;
}

bool logical_type_is(duckdb_logical_type have, const Type *want)
{
    want = type_carrier(want);
    if (duckdb_get_type_id(have) != carrier_id(want))
        return false;
    bool same = true;
    duckdb_logical_type child;
    switch (want->kind) {
    case TYPE_DECIMAL:
        return duckdb_decimal_width(have) == want->decimal.precision &&
               duckdb_decimal_scale(have) == want->decimal.scale;
    case TYPE_STRUCT:
    case TYPE_VARIANT:
        return struct_type_is(have, want);
    case TYPE_ARRAY:
        child = duckdb_list_type_child_type(have);
        same = logical_type_is(child, want->array.element);
        duckdb_destroy_logical_type(&child);
        return same;
    case TYPE_MAP:
        child = duckdb_map_type_key_type(have);
        same = logical_type_is(child, want->map.key);
        duckdb_destroy_logical_type(&child);
        child = duckdb_map_type_value_type(have);
        same = same && logical_type_is(child, want->map.value);
        duckdb_destroy_logical_type(&child);
        return same;
    default:
        return true;
    }
}

/* ---- reading ---- */

static I128 decimal_cell(const void *data, idx_t row, int precision)
{
    if (precision > 18) {
        duckdb_hugeint h = ((const duckdb_hugeint *)data)[row];
        return (I128){h.lower, h.upper};
    }
    int64_t v = precision > 9   ? ((const int64_t *)data)[row]
                : precision > 4 ? ((const int32_t *)data)[row]
                                : ((const int16_t *)data)[row];
    return (I128){(uint64_t)v, v < 0 ? -1 : 0};
}

static Str bytes_cell(const void *data, idx_t row, Arena *arena)
{
    duckdb_string_t *s = (duckdb_string_t *)data + row;
    return str_copy((Str){duckdb_string_t_data(s), duckdb_string_t_length(*s)}, arena);
}

static bool list_cell(duckdb_vector vector, idx_t row, const Type *type, Arena *arena, Value *out,
                      Error *err)
{
    duckdb_list_entry entry = ((duckdb_list_entry *)duckdb_vector_get_data(vector))[row];
    duckdb_vector child = duckdb_list_vector_get_child(vector);
    out->list.count = entry.length;
    out->list.items = ARENA_ARRAY(arena, Value, entry.length ? entry.length : 1);
    for (idx_t i = 0; i < entry.length; i++)
        TRY(vector_cell(child, entry.offset + i, type->array.element, arena, &out->list.items[i],
                        err));
    return true;
}

static bool map_cell(duckdb_vector vector, idx_t row, const Type *type, Arena *arena, Value *out,
                     Error *err)
{
    duckdb_list_entry entry = ((duckdb_list_entry *)duckdb_vector_get_data(vector))[row];
    duckdb_vector pairs = duckdb_list_vector_get_child(vector);
    duckdb_vector keys = duckdb_struct_vector_get_child(pairs, 0),
                  values = duckdb_struct_vector_get_child(pairs, 1);
    out->map.count = entry.length;
    out->map.keys = ARENA_ARRAY(arena, Value, entry.length ? entry.length : 1);
    out->map.values = ARENA_ARRAY(arena, Value, entry.length ? entry.length : 1);
    for (idx_t i = 0; i < entry.length; i++) {
        TRY(vector_cell(keys, entry.offset + i, type->map.key, arena, &out->map.keys[i], err));
        TRY(vector_cell(values, entry.offset + i, type->map.value, arena, &out->map.values[i],
                        err));
    }
    return true;
}

static bool struct_cell(duckdb_vector vector, idx_t row, const Type *type, Arena *arena, Value *out,
                        Error *err)
{
    size_t n = type->structure.count;
    out->list.count = n;
    out->list.items = ARENA_ARRAY(arena, Value, n ? n : 1);
    for (size_t i = 0; i < n; i++)
        TRY(vector_cell(duckdb_struct_vector_get_child(vector, i), row,
                        type->structure.fields[i].type, arena, &out->list.items[i], err));
    return true;
}

bool vector_cell(duckdb_vector vector, idx_t row, const Type *type, Arena *arena, Value *out,
                 Error *err)
{
    *out = value_null(type);
    if (type->kind == TYPE_NULL || !valid_at(duckdb_vector_get_validity(vector), row))
        return true;
    out->is_null = false;
    const void *data = duckdb_vector_get_data(vector);
    switch (type->kind) {
    case TYPE_BOOLEAN:
        out->boolean = ((const uint8_t *)data)[row] != 0;
        return true;
    case TYPE_BYTE:
        out->integer = ((const int8_t *)data)[row];
        return true;
    case TYPE_SHORT:
        out->integer = ((const int16_t *)data)[row];
        return true;
    case TYPE_INT:
    case TYPE_DATE:
    case TYPE_INTERVAL_YM:
        out->integer = ((const int32_t *)data)[row];
        return true;
    case TYPE_LONG:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
    case TYPE_TIME:
    case TYPE_INTERVAL_DT:
        out->integer = ((const int64_t *)data)[row];
        return true;
    case TYPE_FLOAT:
        out->real = ((const float *)data)[row];
        return true;
    case TYPE_DOUBLE:
        out->real = ((const double *)data)[row];
        return true;
    case TYPE_DECIMAL:
        out->decimal = decimal_cell(data, row, type->decimal.precision);
        return true;
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
    case TYPE_BINARY:
        out->bytes = bytes_cell(data, row, arena);
        return true;
    case TYPE_INTERVAL_CALENDAR: {
        duckdb_interval i = ((const duckdb_interval *)data)[row];
        out->calendar.months = i.months;
        out->calendar.days = i.days;
        out->calendar.micros = i.micros;
        return true;
    }
    case TYPE_ARRAY:
        return list_cell(vector, row, type, arena, out, err);
    case TYPE_MAP:
        return map_cell(vector, row, type, arena, out, err);
    case TYPE_STRUCT:
        return struct_cell(vector, row, type, arena, out, err);
    case TYPE_VARIANT:
        return error_unsupported(err, "Reading a VARIANT value inside the server");
    case TYPE_GEOMETRY:
    case TYPE_GEOGRAPHY:
        return error_unsupported(err, "Reading a shape inside the server");
    case TYPE_NULL:
    case TYPE_KIND_COUNT:
        break;
    }
    return error_internal(err, "no reader for a vector of type kind %d", (int)type->kind);
}

/* ---- writing ---- */

void vector_set_null(duckdb_vector vector, idx_t row, const Type *type)
{
    type = type_carrier(type);
    duckdb_vector_ensure_validity_writable(vector);
    duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), row);
    if (type->kind == TYPE_STRUCT) {
        for (size_t i = 0; i < type->structure.count; i++)
            vector_set_null(duckdb_struct_vector_get_child(vector, i), row,
                            type->structure.fields[i].type);
        if (!type->structure.count)
            vector_set_null(duckdb_struct_vector_get_child(vector, 0), row, type_simple(TYPE_INT));
    } else if (type->kind == TYPE_VARIANT) {
        vector_set_null(duckdb_struct_vector_get_child(vector, 0), row, type_simple(TYPE_BINARY));
        vector_set_null(duckdb_struct_vector_get_child(vector, 1), row, type_simple(TYPE_BINARY));
    } else if (type->kind == TYPE_ARRAY || type->kind == TYPE_MAP) {
        ((duckdb_list_entry *)duckdb_vector_get_data(vector))[row] =
            (duckdb_list_entry){duckdb_list_vector_get_size(vector), 0};
    }
}

void vector_set_valid(duckdb_vector vector, idx_t row, const Type *type)
{
    type = type_carrier(type);
    uint64_t *validity = duckdb_vector_get_validity(vector);
    if (validity)
        duckdb_validity_set_row_valid(validity, row);
    if (type->kind != TYPE_STRUCT)
        return;
    for (size_t i = 0; i < type->structure.count; i++)
        vector_set_valid(duckdb_struct_vector_get_child(vector, i), row,
                         type->structure.fields[i].type);
}
