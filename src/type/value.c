/* Constants: making and comparing them. */
#include "type/value.h"

#include <string.h>

#include "base/log.h"

Value value_null(const Type *type)
{
    return (Value){.type = type, .is_null = true};
}

Value value_bool(bool v)
{
    return (Value){.type = type_simple(TYPE_BOOLEAN), .boolean = v};
}

Value value_int(TypeKind kind, int64_t v)
{
    return (Value){.type = type_simple(kind), .integer = v};
}

Value value_double(double v)
{
    return (Value){.type = type_simple(TYPE_DOUBLE), .real = v};
}

Value value_string(Str v)
{
    return (Value){.type = type_simple(TYPE_STRING), .bytes = v};
}

static bool items_equal(const Value *a, const Value *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!value_equal(&a[i], &b[i]))
            return false;
    return true;
}

bool value_equal(const Value *a, const Value *b)
{
    if (!type_same_shape(a->type, b->type) || a->is_null != b->is_null)
        return false;
    if (a->is_null)
        return true;
    switch (a->type->kind) {
    case TYPE_NULL:
        return true;
    case TYPE_BOOLEAN:
        return a->boolean == b->boolean;
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        /* As SQL groups them: NaN is itself, zeros are one. */
        return a->real == b->real || (a->real != a->real && b->real != b->real);
    case TYPE_DECIMAL:
        return a->decimal.low == b->decimal.low && a->decimal.high == b->decimal.high;
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
    case TYPE_BINARY:
    case TYPE_VARIANT:
        return str_eq(a->bytes, b->bytes);
    case TYPE_INTERVAL_CALENDAR:
        return a->calendar.months == b->calendar.months && a->calendar.days == b->calendar.days &&
               a->calendar.micros == b->calendar.micros;
    case TYPE_ARRAY:
    case TYPE_STRUCT:
        return a->list.count == b->list.count && items_equal(a->list.items, b->list.items, a->list.count);
    case TYPE_MAP:
        return a->map.count == b->map.count && items_equal(a->map.keys, b->map.keys, a->map.count) &&
               items_equal(a->map.values, b->map.values, a->map.count);
    default:
        return a->integer == b->integer;
    }
}
