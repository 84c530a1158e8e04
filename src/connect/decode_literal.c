/* Literal messages and values, both ways: scalars, and the three generations of array, map and struct forms. */
#include <string.h>

#include "connect/decode.h"

#define LIT(name) SPARK__CONNECT__EXPRESSION__LITERAL__LITERAL_TYPE_##name
typedef PB(Expression__Literal) Literal;

static bool literal_at(const Literal *l, unsigned depth, Arena *arena, Value *out, Error *err);

static bool unsupported_literal(const char *what, Error *err)
{
    return error_set(err, ERR_CONNECT_INVALID_PLAN__UNSUPPORTED_LITERAL_TYPE, PZ("typeInfo", what));
}

/* ---- decimals ---- */

static bool scale_up(I128 *v, int digits)
{
    __int128 x = (__int128)(((unsigned __int128)(uint64_t)v->high << 64) | v->low);
    for (; digits > 0; digits--)
        if (__builtin_mul_overflow(x, (__int128)10, &x))
            return false;
    v->low = (uint64_t)x;
    v->high = (int64_t)(x >> 64);
    return true;
}

/* As Spark's planner: precision and scale are at least what the digits need. */
static bool decode_decimal(const PB(Expression__Literal__Decimal) *d, Arena *arena, Value *out, Error *err)
{
    TRY(value_decimal_parse(wire_str(d->value), arena, out));
    int precision = out->type->decimal.precision, scale = out->type->decimal.scale;
    if (d->has_scale && d->scale > scale) {
        if (d->scale > DECIMAL_MAX_PRECISION || !scale_up(&out->decimal, d->scale - scale))
            return false;
        precision += d->scale - scale;
        scale = d->scale;
    }
    if (d->has_precision && d->precision > precision)
        precision = d->precision;
    if (precision < scale)
        precision = scale;
    if (precision > DECIMAL_MAX_PRECISION)
        return false;
    out->type = type_decimal(precision, scale, arena);
    return true;
}

/* ---- nested forms ---- */

/* Declared types win where they say the same thing; nulls without a type take the declared one. */
static bool adopt_type(Value *v, const Type *declared, Error *err)
{
    if (declared == NULL)
        return true;
    if (v->is_null || type_same_shape(v->type, declared) || (type_is_stringy(v->type) && type_is_stringy(declared))) {
        v->type = declared;
        return true;
    }
    return error_set(err, ERR_CONNECT_INVALID_PLAN__INCOMPATIBLE_LITERAL_DATA_TYPE,
                     P("literalTypeCase", type_sql(v->type, err->arena)),
                     P("dataTypeKindCase", type_sql(declared, err->arena)));
}

static bool decode_items(size_t count, Literal *const *items, const Type *declared, unsigned depth, Arena *arena,
                         Value **out, bool *nulls, Error *err)
{
    *out = ARENA_ARRAY(arena, Value, count);
    for (size_t i = 0; i < count; i++) {
        TRY(literal_at(items[i], depth + 1, arena, &(*out)[i], err));
        TRY(adopt_type(&(*out)[i], declared, err));
        *nulls |= (*out)[i].is_null;
    }
    return true;
}

/* Without a declared element type it is the first element's that is not null. */
static const Type *first_type(const Value *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!items[i].is_null)
            return items[i].type;
    return count > 0 ? items[0].type : NULL;
}

static bool decode_array(const Literal *l, const Type *declared, unsigned depth, Arena *arena, Value *out, Error *err)
{
    const PB(Expression__Literal__Array) *a = l->array;
    const Type *element = NULL;
    bool nulls = false;
    if (declared != NULL && declared->kind != TYPE_ARRAY)
        return unsupported_literal("an array literal of another type", err);
    if (declared != NULL)
        element = declared->array.element;
    else if (a->element_type != NULL)
        TRY(decode_type(a->element_type, arena, &element, err));
    TRY(decode_items(a->n_elements, a->elements, element, depth, arena, &out->list.items, &nulls, err));
    out->list.count = a->n_elements;
    if (element == NULL && (element = first_type(out->list.items, out->list.count)) == NULL)
        return error_set(err, ERR_CONNECT_INVALID_PLAN__ARRAY_LITERAL_MISSING_DATA_TYPE);
    for (size_t i = 0; i < out->list.count; i++)
        TRY(adopt_type(&out->list.items[i], element, err));
    out->type = declared != NULL ? declared : type_array(element, nulls || a->element_type != NULL, arena);
    return true;
}

static bool decode_map(const Literal *l, const Type *declared, unsigned depth, Arena *arena, Value *out, Error *err)
{
    const PB(Expression__Literal__Map) *m = l->map;
    const Type *key = NULL, *value = NULL;
    bool ignored = false, nulls = false;
    if (m->n_keys != m->n_values || (declared != NULL && declared->kind != TYPE_MAP))
        return unsupported_literal("a map literal whose keys and values do not pair", err);
    if (declared != NULL) {
        key = declared->map.key;
        value = declared->map.value;
    } else {
        if (m->key_type != NULL)
            TRY(decode_type(m->key_type, arena, &key, err));
        if (m->value_type != NULL)
            TRY(decode_type(m->value_type, arena, &value, err));
    }
    TRY(decode_items(m->n_keys, m->keys, key, depth, arena, &out->map.keys, &ignored, err));
    TRY(decode_items(m->n_values, m->values, value, depth, arena, &out->map.values, &nulls, err));
    out->map.count = m->n_keys;
    if (key == NULL)
        key = first_type(out->map.keys, out->map.count);
    if (value == NULL)
        value = first_type(out->map.values, out->map.count);
    if (key == NULL || value == NULL)
        return error_set(err, ERR_CONNECT_INVALID_PLAN__MAP_LITERAL_MISSING_DATA_TYPE);
    for (size_t i = 0; i < out->map.count; i++) {
        TRY(adopt_type(&out->map.keys[i], key, err));
        TRY(adopt_type(&out->map.values[i], value, err));
    }
    out->type = declared != NULL ? declared : type_map(key, value, nulls || m->value_type != NULL, arena);
    return true;
}

static bool decode_struct(const Literal *l, const Type *declared, unsigned depth, Arena *arena, Value *out, Error *err)
{
    const PB(Expression__Literal__Struct) *s = l->struct_;
    if (declared == NULL && s->struct_type != NULL)
        TRY(decode_type(s->struct_type, arena, &declared, err));
    if (declared == NULL)
        return error_set(err, ERR_CONNECT_INVALID_PLAN__STRUCT_LITERAL_MISSING_DATA_TYPE);
    if (declared->kind != TYPE_STRUCT || declared->structure.count != s->n_elements)
        return unsupported_literal("a struct literal whose values do not fit its fields", err);
    out->list.items = ARENA_ARRAY(arena, Value, s->n_elements);
    out->list.count = s->n_elements;
    for (size_t i = 0; i < s->n_elements; i++) {
        TRY(literal_at(s->elements[i], depth + 1, arena, &out->list.items[i], err));
        TRY(adopt_type(&out->list.items[i], declared->structure.fields[i].type, err));
    }
    out->type = declared;
    return true;
}

#define SPECIAL(name) SPARK__CONNECT__EXPRESSION__LITERAL__SPECIALIZED_ARRAY__VALUE_TYPE_##name

static bool decode_specialized(const PB(Expression__Literal__SpecializedArray) *a, const Type *declared, Arena *arena,
                               Value *out, Error *err)
{
    static const struct {
        PB(Expression__Literal__SpecializedArray__ValueTypeCase) kind_case;
        TypeKind kind;
    } rows[] = {{SPECIAL(BOOLS), TYPE_BOOLEAN}, {SPECIAL(INTS), TYPE_INT},      {SPECIAL(LONGS), TYPE_LONG},
                {SPECIAL(FLOATS), TYPE_FLOAT},  {SPECIAL(DOUBLES), TYPE_DOUBLE}, {SPECIAL(STRINGS), TYPE_STRING}};
    const Type *element = NULL;
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        if (rows[i].kind_case == a->value_type_case)
            element = type_simple(rows[i].kind);
    if (element == NULL)
        return error_set(err, ERR_CONNECT_INVALID_PLAN__ARRAY_LITERAL_NOT_SET);
    if (declared != NULL && declared->kind == TYPE_ARRAY && declared->array.element->kind >= TYPE_BYTE &&
        declared->array.element->kind <= TYPE_SHORT && element->kind == TYPE_INT)
        element = declared->array.element;
    /* n_values stands at the same place in all six messages. */
    size_t count = a->bools->n_values;
    out->list.items = ARENA_ARRAY(arena, Value, count);
    out->list.count = count;
    for (size_t i = 0; i < count; i++) {
        Value *v = &out->list.items[i];
        v->type = element;
        switch (a->value_type_case) {
        case SPECIAL(BOOLS): v->boolean = a->bools->values[i]; break;
        case SPECIAL(INTS): v->integer = a->ints->values[i]; break;
        case SPECIAL(LONGS): v->integer = a->longs->values[i]; break;
        case SPECIAL(FLOATS): v->real = a->floats->values[i]; break;
        case SPECIAL(DOUBLES): v->real = a->doubles->values[i]; break;
        default: v->bytes = wire_str(a->strings->values[i]); break;
        }
    }
    out->type = declared != NULL && declared->kind == TYPE_ARRAY ? declared : type_array(element, false, arena);
    return true;
}

/* ---- scalars ---- */

static bool decode_integer(TypeKind kind, int64_t v, Value *out)
{
    *out = value_int(kind, v);
    return true;
}

static bool decode_time(const PB(Expression__Literal__Time) *t, Arena *arena, Value *out, Error *err)
{
    if (t->nano < 0 || t->nano >= INT64_C(86400000000000) || (t->has_precision && (t->precision < 0 || t->precision > 6)))
        return unsupported_literal("a time outside one day", err);
    *out = value_int(TYPE_TIME, t->nano / 1000);
    out->type = type_time(t->has_precision ? t->precision : 6, arena);
    return true;
}

static bool literal_at(const Literal *l, unsigned depth, Arena *arena, Value *out, Error *err)
{
    const Type *declared = NULL;
    memset(out, 0, sizeof *out);
    if (depth > TYPE_MAX_DEPTH)
        return unsupported_literal("a literal nested too deep", err);
    if (l->data_type != NULL)
        TRY(decode_type(l->data_type, arena, &declared, err));
    switch (l->literal_type_case) {
    case LIT(NULL):
        if (declared == NULL)
            TRY(decode_type(l->null, arena, &declared, err));
        *out = value_null(declared);
        return true;
    case LIT(BINARY):
        out->type = type_simple(TYPE_BINARY);
        out->bytes = wire_bytes(l->binary);
        return true;
    case LIT(BOOLEAN): *out = value_bool(l->boolean); return true;
    case LIT(BYTE): return decode_integer(TYPE_BYTE, (int8_t)l->byte, out);
    case LIT(SHORT): return decode_integer(TYPE_SHORT, (int16_t)l->short_, out);
    case LIT(INTEGER): return decode_integer(TYPE_INT, l->integer, out);
    case LIT(LONG): return decode_integer(TYPE_LONG, l->long_, out);
    case LIT(FLOAT):
        *out = value_double(l->float_);
        out->type = type_simple(TYPE_FLOAT);
        return true;
    case LIT(DOUBLE): *out = value_double(l->double_); return true;
    case LIT(DECIMAL):
        return decode_decimal(l->decimal, arena, out, err) || unsupported_literal("a decimal out of range", err);
    case LIT(STRING):
        *out = value_string(wire_str(l->string));
        return true;
    case LIT(DATE): return decode_integer(TYPE_DATE, l->date, out);
    case LIT(TIMESTAMP): return decode_integer(TYPE_TIMESTAMP, l->timestamp, out);
    case LIT(TIMESTAMP_NTZ): return decode_integer(TYPE_TIMESTAMP_NTZ, l->timestamp_ntz, out);
    case LIT(YEAR_MONTH_INTERVAL):
        decode_integer(TYPE_INTERVAL_YM, l->year_month_interval, out);
        break;
    case LIT(DAY_TIME_INTERVAL):
        decode_integer(TYPE_INTERVAL_DT, l->day_time_interval, out);
        break;
    case LIT(CALENDAR_INTERVAL):
        out->type = type_simple(TYPE_INTERVAL_CALENDAR);
        out->calendar.months = l->calendar_interval->months;
        out->calendar.days = l->calendar_interval->days;
        out->calendar.micros = l->calendar_interval->microseconds;
        return true;
    case LIT(TIME): return decode_time(l->time, arena, out, err);
    case LIT(ARRAY): return decode_array(l, declared, depth, arena, out, err);
    case LIT(MAP): return decode_map(l, declared, depth, arena, out, err);
    case LIT(STRUCT): return decode_struct(l, declared, depth, arena, out, err);
    case LIT(SPECIALIZED_ARRAY): return decode_specialized(l->specialized_array, declared, arena, out, err);
    default: return unsupported_literal("LITERALTYPE_NOT_SET", err);
    }
    if (declared != NULL && declared->kind == out->type->kind)
        out->type = declared;
    return true;
}

bool decode_literal(const Literal *literal, Arena *arena, Value *out, Error *err)
{
    return literal == NULL ? unsupported_literal("LITERALTYPE_NOT_SET", err) : literal_at(literal, 0, arena, out, err);
}

/* ---- encoding: observed metrics ---- */

static Literal *new_literal(Arena *arena, PB(Expression__Literal__LiteralTypeCase) kind_case)
{
    Literal *l = ARENA_NEW(arena, Literal);
    spark__connect__expression__literal__init(l);
    l->literal_type_case = kind_case;
    return l;
}

static bool encode_items(const Value *items, size_t count, Arena *arena, Literal ***out, Error *err)
{
    *out = ARENA_ARRAY(arena, Literal *, count);
    for (size_t i = 0; i < count; i++)
        TRY(encode_literal(&items[i], arena, &(*out)[i], err));
    return true;
}

static bool encode_nested(const Value *v, Arena *arena, Literal **out, Error *err)
{
    Literal *l;
    if (v->type->kind == TYPE_ARRAY) {
        *out = l = new_literal(arena, LIT(ARRAY));
        l->array = ARENA_NEW(arena, PB(Expression__Literal__Array));
        spark__connect__expression__literal__array__init(l->array);
        l->array->n_elements = v->list.count;
        TRY(encode_type(v->type->array.element, arena, &l->array->element_type, err));
        return encode_items(v->list.items, v->list.count, arena, &l->array->elements, err);
    }
    if (v->type->kind == TYPE_STRUCT) {
        *out = l = new_literal(arena, LIT(STRUCT));
        l->struct_ = ARENA_NEW(arena, PB(Expression__Literal__Struct));
        spark__connect__expression__literal__struct__init(l->struct_);
        l->struct_->n_elements = v->list.count;
        TRY(encode_type(v->type, arena, &l->struct_->struct_type, err));
        return encode_items(v->list.items, v->list.count, arena, &l->struct_->elements, err);
    }
    *out = l = new_literal(arena, LIT(MAP));
    l->map = ARENA_NEW(arena, PB(Expression__Literal__Map));
    spark__connect__expression__literal__map__init(l->map);
    l->map->n_keys = l->map->n_values = v->map.count;
    TRY(encode_type(v->type->map.key, arena, &l->map->key_type, err));
    TRY(encode_type(v->type->map.value, arena, &l->map->value_type, err));
    TRY(encode_items(v->map.keys, v->map.count, arena, &l->map->keys, err));
    return encode_items(v->map.values, v->map.count, arena, &l->map->values, err);
}

bool encode_literal(const Value *v, Arena *arena, Literal **out, Error *err)
{
    Literal *l;
    if (v->is_null) {
        *out = l = new_literal(arena, LIT(NULL));
        return encode_type(v->type, arena, &l->null, err);
    }
    switch (v->type->kind) {
    case TYPE_BOOLEAN:
        *out = l = new_literal(arena, LIT(BOOLEAN));
        l->boolean = v->boolean;
        return true;
    case TYPE_BYTE:
        *out = l = new_literal(arena, LIT(BYTE));
        l->byte = (int32_t)v->integer;
        return true;
    case TYPE_SHORT:
        *out = l = new_literal(arena, LIT(SHORT));
        l->short_ = (int32_t)v->integer;
        return true;
    case TYPE_INT:
        *out = l = new_literal(arena, LIT(INTEGER));
        l->integer = (int32_t)v->integer;
        return true;
    case TYPE_LONG:
        *out = l = new_literal(arena, LIT(LONG));
        l->long_ = v->integer;
        return true;
    case TYPE_FLOAT:
        *out = l = new_literal(arena, LIT(FLOAT));
        l->float_ = (float)v->real;
        return true;
    case TYPE_DOUBLE:
        *out = l = new_literal(arena, LIT(DOUBLE));
        l->double_ = v->real;
        return true;
    case TYPE_DECIMAL:
        *out = l = new_literal(arena, LIT(DECIMAL));
        l->decimal = ARENA_NEW(arena, PB(Expression__Literal__Decimal));
        spark__connect__expression__literal__decimal__init(l->decimal);
        l->decimal->value = wire_text(value_decimal_text(v->decimal, v->type->decimal.scale, arena), arena);
        l->decimal->has_precision = l->decimal->has_scale = true;
        l->decimal->precision = v->type->decimal.precision;
        l->decimal->scale = v->type->decimal.scale;
        return true;
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        *out = l = new_literal(arena, LIT(STRING));
        l->string = wire_text(v->bytes, arena);
        return true;
    case TYPE_BINARY:
        *out = l = new_literal(arena, LIT(BINARY));
        l->binary = (ProtobufCBinaryData){v->bytes.len, (uint8_t *)v->bytes.ptr};
        return true;
    case TYPE_DATE:
        *out = l = new_literal(arena, LIT(DATE));
        l->date = (int32_t)v->integer;
        return true;
    case TYPE_TIMESTAMP:
        *out = l = new_literal(arena, LIT(TIMESTAMP));
        l->timestamp = v->integer;
        return true;
    case TYPE_TIMESTAMP_NTZ:
        *out = l = new_literal(arena, LIT(TIMESTAMP_NTZ));
        l->timestamp_ntz = v->integer;
        return true;
    case TYPE_INTERVAL_YM:
        *out = l = new_literal(arena, LIT(YEAR_MONTH_INTERVAL));
        l->year_month_interval = (int32_t)v->integer;
        return true;
    case TYPE_INTERVAL_DT:
        *out = l = new_literal(arena, LIT(DAY_TIME_INTERVAL));
        l->day_time_interval = v->integer;
        return true;
    case TYPE_ARRAY:
    case TYPE_STRUCT:
    case TYPE_MAP: return encode_nested(v, arena, out, err);
    default:
        return error_unsupported(err, "A metric of type " STR_FMT, STR_ARG(type_sql(v->type, err->arena)));
    }
}
