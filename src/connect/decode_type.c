/* DataType messages and Spark types, both ways. */
#include "connect/decode.h"

#include <string.h>

#include "type/srid.h"

#define KIND(name) SPARK__CONNECT__DATA_TYPE__KIND_##name

typedef struct SimpleType {
    PB(DataType__KindCase) kind_case;
    TypeKind kind;
} SimpleType;

static const SimpleType simple_types[] = {
    {KIND(NULL), TYPE_NULL},           {KIND(BINARY), TYPE_BINARY},
    {KIND(BOOLEAN), TYPE_BOOLEAN},     {KIND(BYTE), TYPE_BYTE},
    {KIND(SHORT), TYPE_SHORT},         {KIND(INTEGER), TYPE_INT},
    {KIND(LONG), TYPE_LONG},           {KIND(FLOAT), TYPE_FLOAT},
    {KIND(DOUBLE), TYPE_DOUBLE},       {KIND(DATE), TYPE_DATE},
    {KIND(TIMESTAMP), TYPE_TIMESTAMP}, {KIND(TIMESTAMP_NTZ), TYPE_TIMESTAMP_NTZ},
    {KIND(VARIANT), TYPE_VARIANT},     {KIND(CALENDAR_INTERVAL), TYPE_INTERVAL_CALENDAR},
};

static bool invalid_type(const char *what, Error *err)
{
    return error_set(err, ERR_CONNECT_INVALID_PLAN__DATA_TYPE_UNSUPPORTED_PROTO_TO_CATALYST, PZ("kindCase", what));
}

static bool decode_type_at(const PB(DataType) *t, unsigned depth, Arena *arena, const Type **out, Error *err);

static bool decode_element(const PB(DataType) *t, unsigned depth, Arena *arena, const Type **out, Error *err)
{
    return t == NULL ? invalid_type("an element type is missing", err)
                     : decode_type_at(t, depth + 1, arena, out, err);
}

static bool decode_struct(const PB(DataType__Struct) *s, unsigned depth, Arena *arena, const Type **out, Error *err)
{
    Field *fields = ARENA_ARRAY(arena, Field, s->n_fields);
    for (size_t i = 0; i < s->n_fields; i++) {
        const PB(DataType__StructField) *f = s->fields[i];
        fields[i].name = wire_str(f->name);
        fields[i].nullable = f->nullable;
        fields[i].metadata = wire_str(f->metadata);
        TRY(decode_element(f->data_type, depth, arena, &fields[i].type, err));
    }
    *out = type_struct(fields, s->n_fields, arena);
    return true;
}

static bool decode_interval(TypeKind kind, bool has_from, int from, bool has_to, int to, Arena *arena,
                            const Type **out, Error *err)
{
    /* Year-month fields are numbered 0..1, day-time fields 0..3; absent means the widest. */
    int base = kind == TYPE_INTERVAL_YM ? UNIT_YEAR : UNIT_DAY, last = kind == TYPE_INTERVAL_YM ? 1 : 3;
    if (!has_from)
        from = 0;
    if (!has_to)
        to = has_from ? from : last;
    if (from < 0 || to > last || from > to)
        return invalid_type("interval fields out of range", err);
    *out = type_interval(kind, (IntervalUnit)(base + from), (IntervalUnit)(base + to), arena);
    return true;
}

static bool decode_decimal(const PB(DataType__Decimal) *t, Arena *arena, const Type **out, Error *err)
{
    int precision = t->has_precision ? t->precision : 10, scale = t->has_scale ? t->scale : 0;
    if (precision < 1 || precision > DECIMAL_MAX_PRECISION || scale < 0 || scale > precision)
        return invalid_type("decimal precision or scale out of range", err);
    *out = type_decimal(precision, scale, arena);
    return true;
}

static bool decode_shape(TypeKind kind, int srid, Arena *arena, const Type **out, Error *err)
{
    if (srid != SRID_ANY && !srid_is_known(kind, srid))
        return error_set(err, ERR_ST_INVALID_SRID_VALUE, P("srid", str_printf(arena, "%d", srid)));
    *out = type_geo(kind, srid, arena);
    return true;
}

static bool decode_length(TypeKind kind, int length, Arena *arena, const Type **out, Error *err)
{
    if (length < 1)
        return invalid_type("a character length below 1", err);
    *out = type_text(kind, length, arena);
    return true;
}

static bool decode_type_at(const PB(DataType) *t, unsigned depth, Arena *arena, const Type **out, Error *err)
{
    const Type *a, *b;
    if (depth > TYPE_MAX_DEPTH)
        return invalid_type("a type nested too deep", err);
    for (size_t i = 0; i < LENGTH_OF(simple_types); i++)
        if (simple_types[i].kind_case == t->kind_case) {
            *out = type_simple(simple_types[i].kind);
            return true;
        }
    switch (t->kind_case) {
    case KIND(STRING): {
        Str collation = wire_str(t->string->collation);
        if (collation.len)
            TRY(type_collation(collation, arena, &collation, err));
        *out = type_string(collation, arena);
        return true;
    }
    case KIND(CHAR): return decode_length(TYPE_CHAR, t->char_->length, arena, out, err);
    case KIND(VAR_CHAR): return decode_length(TYPE_VARCHAR, t->var_char->length, arena, out, err);
    case KIND(DECIMAL): return decode_decimal(t->decimal, arena, out, err);
    case KIND(TIME):
        if (t->time->has_precision && (t->time->precision < 0 || t->time->precision > 6))
            return invalid_type("a time precision outside 0 to 6", err);
        *out = type_time(t->time->has_precision ? t->time->precision : 6, arena);
        return true;
    case KIND(YEAR_MONTH_INTERVAL): {
        const PB(DataType__YearMonthInterval) *i = t->year_month_interval;
        return decode_interval(TYPE_INTERVAL_YM, i->has_start_field, i->start_field, i->has_end_field, i->end_field,
                               arena, out, err);
    }
    case KIND(DAY_TIME_INTERVAL): {
        const PB(DataType__DayTimeInterval) *i = t->day_time_interval;
        return decode_interval(TYPE_INTERVAL_DT, i->has_start_field, i->start_field, i->has_end_field, i->end_field,
                               arena, out, err);
    }
    case KIND(ARRAY):
        TRY(decode_element(t->array->element_type, depth, arena, &a, err));
        *out = type_array(a, t->array->contains_null, arena);
        return true;
    case KIND(MAP):
        TRY(decode_element(t->map->key_type, depth, arena, &a, err));
        TRY(decode_element(t->map->value_type, depth, arena, &b, err));
        *out = type_map(a, b, t->map->value_contains_null, arena);
        return true;
    case KIND(STRUCT): return decode_struct(t->struct_, depth, arena, out, err);
    case KIND(UNPARSED): return type_from_ddl(wire_str(t->unparsed->data_type_string), arena, out, err);
    case KIND(UDT): return error_unsupported(err, "The user-defined type " STR_FMT,
                                             STR_ARG(wire_str(t->udt->python_class)));
    case KIND(GEOMETRY):
        return decode_shape(TYPE_GEOMETRY, t->geometry->has_srid ? t->geometry->srid : SRID_ANY, arena, out, err);
    case KIND(GEOGRAPHY):
        return decode_shape(TYPE_GEOGRAPHY, t->geography->has_srid ? t->geography->srid : SRID_ANY, arena, out, err);
    default: return invalid_type("KIND_NOT_SET", err);
    }
}

bool decode_type(const PB(DataType) *type, Arena *arena, const Type **out, Error *err)
{
    return type == NULL ? invalid_type("KIND_NOT_SET", err) : decode_type_at(type, 0, arena, out, err);
}

bool decode_schema_text(Str text, Arena *arena, const Type **out, Error *err)
{
    Str t = str_trim(text);
    bool json = t.len > 0 && (t.ptr[0] == '{' || t.ptr[0] == '"');
    return json ? type_from_json(t, arena, out, err) : type_from_ddl(t, arena, out, err);
}

/* ---- encoding ---- */

#define NEW(arena, name, init) new_message((arena), sizeof(PB(name)), &(const PB(name))init)

static void *new_message(Arena *arena, size_t size, const void *initial)
{
    return memcpy(arena_alloc(arena, size), initial, size);
}

static bool encode_struct(const Type *type, Arena *arena, PB(DataType) *out, Error *err)
{
    PB(DataType__Struct) *s = NEW(arena, DataType__Struct, SPARK__CONNECT__DATA_TYPE__STRUCT__INIT);
    s->n_fields = type->structure.count;
    s->fields = ARENA_ARRAY(arena, PB(DataType__StructField) *, s->n_fields);
    for (size_t i = 0; i < s->n_fields; i++) {
        const Field *f = &type->structure.fields[i];
        PB(DataType__StructField) *to =
            NEW(arena, DataType__StructField, SPARK__CONNECT__DATA_TYPE__STRUCT_FIELD__INIT);
        to->name = wire_text(f->name, arena);
        to->has_nullable = true;
        to->nullable = f->nullable;
        if (f->metadata.len > 0 && !str_is(f->metadata, "{}"))
            to->metadata = wire_text(f->metadata, arena);
        TRY(encode_type(f->type, arena, &to->data_type, err));
        s->fields[i] = to;
    }
    out->kind_case = KIND(STRUCT);
    out->struct_ = s;
    return true;
}

static void encode_interval(const Type *type, Arena *arena, PB(DataType) *out)
{
    if (type->kind == TYPE_INTERVAL_YM) {
        out->kind_case = KIND(YEAR_MONTH_INTERVAL);
        out->year_month_interval =
            NEW(arena, DataType__YearMonthInterval, SPARK__CONNECT__DATA_TYPE__YEAR_MONTH_INTERVAL__INIT);
        out->year_month_interval->has_start_field = out->year_month_interval->has_end_field = true;
        out->year_month_interval->start_field = (int)type->interval.from - UNIT_YEAR;
        out->year_month_interval->end_field = (int)type->interval.to - UNIT_YEAR;
        return;
    }
    out->kind_case = KIND(DAY_TIME_INTERVAL);
    out->day_time_interval =
        NEW(arena, DataType__DayTimeInterval, SPARK__CONNECT__DATA_TYPE__DAY_TIME_INTERVAL__INIT);
    out->day_time_interval->has_start_field = out->day_time_interval->has_end_field = true;
    out->day_time_interval->start_field = (int)type->interval.from - UNIT_DAY;
    out->day_time_interval->end_field = (int)type->interval.to - UNIT_DAY;
}

/* Types without fields worth setting share one empty message: all of them have the same layout and no content. */
static bool encode_simple(const Type *type, Arena *arena, PB(DataType) *out)
{
    static const struct {
        TypeKind kind;
        const ProtobufCMessageDescriptor *descriptor;
        size_t size;
    } rows[] = {
#define ROW(kind, lower, name) {kind, &spark__connect__data_type__##lower##__descriptor, sizeof(PB(DataType__##name))}
        ROW(TYPE_NULL, null, NULL),
        ROW(TYPE_BINARY, binary, Binary),
        ROW(TYPE_BOOLEAN, boolean, Boolean),
        ROW(TYPE_BYTE, byte, Byte),
        ROW(TYPE_SHORT, short, Short),
        ROW(TYPE_INT, integer, Integer),
        ROW(TYPE_LONG, long, Long),
        ROW(TYPE_FLOAT, float, Float),
        ROW(TYPE_DOUBLE, double, Double),
        ROW(TYPE_DATE, date, Date),
        ROW(TYPE_TIMESTAMP, timestamp, Timestamp),
        ROW(TYPE_TIMESTAMP_NTZ, timestamp_ntz, TimestampNTZ),
        ROW(TYPE_VARIANT, variant, Variant),
        ROW(TYPE_INTERVAL_CALENDAR, calendar_interval, CalendarInterval),
#undef ROW
    };
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        if (rows[i].kind != type->kind)
            continue;
        void *empty = arena_alloc(arena, rows[i].size);
        rows[i].descriptor->message_init(empty);
        out->null = empty;
        for (size_t j = 0; j < LENGTH_OF(simple_types); j++)
            if (simple_types[j].kind == type->kind)
                out->kind_case = simple_types[j].kind_case;
        return true;
    }
    return false;
}

bool encode_type(const Type *type, Arena *arena, PB(DataType) **out, Error *err)
{
    PB(DataType) *t = NEW(arena, DataType, SPARK__CONNECT__DATA_TYPE__INIT);
    *out = t;
    if (encode_simple(type, arena, t))
        return true;
    switch (type->kind) {
    case TYPE_STRING:
        t->kind_case = KIND(STRING);
        t->string = NEW(arena, DataType__String, SPARK__CONNECT__DATA_TYPE__STRING__INIT);
        t->string->collation =
            type->string.collation.len > 0 ? wire_text(type->string.collation, arena) : (char *)"UTF8_BINARY";
        return true;
    case TYPE_CHAR:
        t->kind_case = KIND(CHAR);
        t->char_ = NEW(arena, DataType__Char, SPARK__CONNECT__DATA_TYPE__CHAR__INIT);
        t->char_->has_length = true;
        t->char_->length = type->text.length;
        return true;
    case TYPE_VARCHAR:
        t->kind_case = KIND(VAR_CHAR);
        t->var_char = NEW(arena, DataType__VarChar, SPARK__CONNECT__DATA_TYPE__VAR_CHAR__INIT);
        t->var_char->has_length = true;
        t->var_char->length = type->text.length;
        return true;
    case TYPE_DECIMAL:
        t->kind_case = KIND(DECIMAL);
        t->decimal = NEW(arena, DataType__Decimal, SPARK__CONNECT__DATA_TYPE__DECIMAL__INIT);
        t->decimal->has_precision = t->decimal->has_scale = true;
        t->decimal->precision = type->decimal.precision;
        t->decimal->scale = type->decimal.scale;
        return true;
    case TYPE_TIME:
        t->kind_case = KIND(TIME);
        t->time = NEW(arena, DataType__Time, SPARK__CONNECT__DATA_TYPE__TIME__INIT);
        t->time->has_precision = true;
        t->time->precision = type->time.precision;
        return true;
    case TYPE_GEOMETRY:
        t->kind_case = KIND(GEOMETRY);
        t->geometry = NEW(arena, DataType__Geometry, SPARK__CONNECT__DATA_TYPE__GEOMETRY__INIT);
        t->geometry->has_srid = true;
        t->geometry->srid = type->geo.srid;
        return true;
    case TYPE_GEOGRAPHY:
        t->kind_case = KIND(GEOGRAPHY);
        t->geography = NEW(arena, DataType__Geography, SPARK__CONNECT__DATA_TYPE__GEOGRAPHY__INIT);
        t->geography->has_srid = true;
        t->geography->srid = type->geo.srid;
        return true;
    case TYPE_INTERVAL_YM:
    case TYPE_INTERVAL_DT: encode_interval(type, arena, t); return true;
    case TYPE_ARRAY:
        t->kind_case = KIND(ARRAY);
        t->array = NEW(arena, DataType__Array, SPARK__CONNECT__DATA_TYPE__ARRAY__INIT);
        t->array->has_contains_null = true;
        t->array->contains_null = type->array.nulls;
        return encode_type(type->array.element, arena, &t->array->element_type, err);
    case TYPE_MAP:
        t->kind_case = KIND(MAP);
        t->map = NEW(arena, DataType__Map, SPARK__CONNECT__DATA_TYPE__MAP__INIT);
        t->map->has_value_contains_null = true;
        t->map->value_contains_null = type->map.nulls;
        TRY(encode_type(type->map.key, arena, &t->map->key_type, err));
        return encode_type(type->map.value, arena, &t->map->value_type, err);
    case TYPE_STRUCT: return encode_struct(type, arena, t, err);
    default: return error_internal(err, "a type without a Spark Connect message");
    }
}
