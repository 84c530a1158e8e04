/* The types themselves: constructors, comparison, predicates and the decimal rules. */
#include "type/type.h"

#include <string.h>

#include "base/log.h"

/* ---- constructors ---- */

static const Type simple_types[TYPE_KIND_COUNT] = {
    [TYPE_NULL] = {.kind = TYPE_NULL},
    [TYPE_BOOLEAN] = {.kind = TYPE_BOOLEAN},
    [TYPE_BYTE] = {.kind = TYPE_BYTE},
    [TYPE_SHORT] = {.kind = TYPE_SHORT},
    [TYPE_INT] = {.kind = TYPE_INT},
    [TYPE_LONG] = {.kind = TYPE_LONG},
    [TYPE_FLOAT] = {.kind = TYPE_FLOAT},
    [TYPE_DOUBLE] = {.kind = TYPE_DOUBLE},
    [TYPE_DECIMAL] = {.kind = TYPE_DECIMAL, .decimal = {10, 0}},
    [TYPE_STRING] = {.kind = TYPE_STRING},
    [TYPE_BINARY] = {.kind = TYPE_BINARY},
    [TYPE_DATE] = {.kind = TYPE_DATE},
    [TYPE_TIMESTAMP] = {.kind = TYPE_TIMESTAMP},
    [TYPE_TIMESTAMP_NTZ] = {.kind = TYPE_TIMESTAMP_NTZ},
    [TYPE_TIME] = {.kind = TYPE_TIME, .time = {6}},
    [TYPE_INTERVAL_YM] = {.kind = TYPE_INTERVAL_YM, .interval = {UNIT_YEAR, UNIT_MONTH}},
    [TYPE_INTERVAL_DT] = {.kind = TYPE_INTERVAL_DT, .interval = {UNIT_DAY, UNIT_SECOND}},
    [TYPE_INTERVAL_CALENDAR] = {.kind = TYPE_INTERVAL_CALENDAR},
    [TYPE_VARIANT] = {.kind = TYPE_VARIANT},
    [TYPE_GEOMETRY] = {.kind = TYPE_GEOMETRY, .geo = {-1}},
    [TYPE_GEOGRAPHY] = {.kind = TYPE_GEOGRAPHY, .geo = {-1}},
};

const Type *type_simple(TypeKind kind)
{
    if ((unsigned)kind >= TYPE_KIND_COUNT || simple_types[kind].kind != kind)
        panic("type_simple: kind %d has parameters", (int)kind);
    return &simple_types[kind];
}

static const Type *make(Type t, Arena *arena)
{
    Type *made = ARENA_NEW(arena, Type);
    *made = t;
    return made;
}

const Type *type_decimal(int precision, int scale, Arena *arena)
{
    if (precision < 0 || precision > DECIMAL_MAX_PRECISION || scale < 0 || scale > precision)
        panic("type_decimal(%d, %d)", precision, scale);
    return make((Type){.kind = TYPE_DECIMAL, .decimal = {precision, scale}}, arena);
}

const Type *type_text(TypeKind char_or_varchar, int length, Arena *arena)
{
    return make((Type){.kind = char_or_varchar, .text = {length}}, arena);
}

const Type *type_string(Str collation, Arena *arena)
{
    if (!collation.len || str_is_ci(collation, "UTF8_BINARY"))
        return type_simple(TYPE_STRING);
    return make((Type){.kind = TYPE_STRING, .string = {str_copy(collation, arena)}}, arena);
}

const Type *type_string_binary(void)
{
    static const Type declared = {.kind = TYPE_STRING, .string = {S_INIT("UTF8_BINARY")}};
    return &declared;
}

static Str collation_compared(const Type *t)
{
    return str_is(t->string.collation, "UTF8_BINARY") ? (Str){0} : t->string.collation;
}

const Type *type_time(int precision, Arena *arena)
{
    return make((Type){.kind = TYPE_TIME, .time = {precision}}, arena);
}

const Type *type_geo(TypeKind geometry_or_geography, int srid, Arena *arena)
{
    return make((Type){.kind = geometry_or_geography, .geo = {srid}}, arena);
}

bool type_is_geo(const Type *t)
{
    return t->kind == TYPE_GEOMETRY || t->kind == TYPE_GEOGRAPHY;
}

bool type_has_geo(const Type *t)
{
    return type_contains(t, TYPE_GEOMETRY) || type_contains(t, TYPE_GEOGRAPHY);
}

const Type *type_carrier(const Type *t)
{
    static const Type srid = {.kind = TYPE_INT}, wkb = {.kind = TYPE_BINARY};
    static const Field fields[] = {{.name = S_INIT("srid"), .type = &srid}, {.name = S_INIT("wkb"), .type = &wkb}};
    static const Type shape = {.kind = TYPE_STRUCT, .structure = {fields, 2}};
    return type_is_geo(t) ? &shape : t;
}

const Type *type_interval(TypeKind ym_or_dt, IntervalUnit from, IntervalUnit to, Arena *arena)
{
    return make((Type){.kind = ym_or_dt, .interval = {from, to}}, arena);
}

const Type *type_array(const Type *element, bool nulls, Arena *arena)
{
    return make((Type){.kind = TYPE_ARRAY, .array = {element, nulls}}, arena);
}

const Type *type_map(const Type *key, const Type *value, bool nulls, Arena *arena)
{
    return make((Type){.kind = TYPE_MAP, .map = {key, value, nulls}}, arena);
}

const Type *type_struct(const Field *fields, size_t count, Arena *arena)
{
    Field *copy = ARENA_ARRAY(arena, Field, count);
    if (count)
        memcpy(copy, fields, count * sizeof *copy);
    return make((Type){.kind = TYPE_STRUCT, .structure = {copy, count}}, arena);
}

/* ---- walking: rebuilding a type from changed parts ---- */

typedef const Type *(*LeafChange)(const Type *leaf, Arena *arena);

typedef struct Rebuild {
    LeafChange leaf;   /* for types without parts; NULL keeps them */
    bool all_nullable; /* every part may be null */
    bool copy_text;    /* names and metadata into the arena */
} Rebuild;

static const Type *rebuild(const Type *t, const Rebuild *how, Arena *arena);

static const Type *rebuild_struct(const Type *t, const Rebuild *how, Arena *arena)
{
    size_t count = t->structure.count;
    Field *fields = ARENA_ARRAY(arena, Field, count);
    for (size_t i = 0; i < count; i++) {
        fields[i] = t->structure.fields[i];
        fields[i].type = rebuild(fields[i].type, how, arena);
        fields[i].nullable |= how->all_nullable;
        if (how->copy_text) {
            fields[i].name = str_copy(fields[i].name, arena);
            if (fields[i].metadata.len)
                fields[i].metadata = str_copy(fields[i].metadata, arena);
        }
    }
    return make((Type){.kind = TYPE_STRUCT, .structure = {fields, count}}, arena);
}

static const Type *rebuild(const Type *t, const Rebuild *how, Arena *arena)
{
    switch (t->kind) {
    case TYPE_ARRAY:
        return type_array(rebuild(t->array.element, how, arena), t->array.nulls || how->all_nullable,
                          arena);
    case TYPE_MAP:
        return type_map(rebuild(t->map.key, how, arena), rebuild(t->map.value, how, arena),
                        t->map.nulls || how->all_nullable, arena);
    case TYPE_STRUCT:
        return rebuild_struct(t, how, arena);
    default:
        return how->leaf ? how->leaf(t, arena) : t;
    }
}

static const Type *copy_leaf(const Type *t, Arena *arena)
{
    if (t == &simple_types[t->kind])
        return t;
    Type copy = *t;
    if (t->kind == TYPE_STRING)
        copy.string.collation = str_copy(t->string.collation, arena);
    return make(copy, arena);
}

const Type *type_copy(const Type *type, Arena *arena)
{
    return rebuild(type, &(Rebuild){.leaf = copy_leaf, .copy_text = true}, arena);
}

static const Type *string_for_text(const Type *t, Arena *arena)
{
    (void)arena;
    return t->kind == TYPE_CHAR || t->kind == TYPE_VARCHAR ? type_simple(TYPE_STRING) : t;
}

const Type *type_char_as_string(const Type *t, Arena *arena)
{
    if (!type_contains(t, TYPE_CHAR) && !type_contains(t, TYPE_VARCHAR))
        return t;
    return rebuild(t, &(Rebuild){.leaf = string_for_text}, arena);
}

const Type *type_as_nullable(const Type *t, Arena *arena)
{
    return rebuild(t, &(Rebuild){.all_nullable = true}, arena);
}

/* ---- comparison ---- */

static Str metadata_or_empty(Str metadata)
{
    return str_is(metadata, "{}") ? S("") : metadata;
}

static bool fields_equal(const Type *a, const Type *b, bool exact)
{
    if (a->structure.count != b->structure.count)
        return false;
    for (size_t i = 0; i < a->structure.count; i++) {
        const Field *x = &a->structure.fields[i], *y = &b->structure.fields[i];
        if (exact) {
            if (!str_eq(x->name, y->name) || x->nullable != y->nullable ||
                !str_eq(metadata_or_empty(x->metadata), metadata_or_empty(y->metadata)) ||
                !type_equal(x->type, y->type))
                return false;
        } else if (!str_ieq(x->name, y->name) || !type_same_shape(x->type, y->type)) {
            return false;
        }
    }
    return true;
}

static bool compare(const Type *a, const Type *b, bool exact)
{
    bool (*same)(const Type *, const Type *) = exact ? type_equal : type_same_shape;
    if (a == b)
        return true;
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case TYPE_DECIMAL:
        return a->decimal.precision == b->decimal.precision && a->decimal.scale == b->decimal.scale;
    case TYPE_STRING:
        return str_ieq(collation_compared(a), collation_compared(b));
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        return a->text.length == b->text.length;
    case TYPE_TIME:
        return a->time.precision == b->time.precision;
    case TYPE_GEOMETRY:
    case TYPE_GEOGRAPHY:
        return a->geo.srid == b->geo.srid;
    case TYPE_INTERVAL_YM:
    case TYPE_INTERVAL_DT:
        return a->interval.from == b->interval.from && a->interval.to == b->interval.to;
    case TYPE_ARRAY:
        return (!exact || a->array.nulls == b->array.nulls) &&
               same(a->array.element, b->array.element);
    case TYPE_MAP:
        return (!exact || a->map.nulls == b->map.nulls) && same(a->map.key, b->map.key) &&
               same(a->map.value, b->map.value);
    case TYPE_STRUCT:
        return fields_equal(a, b, exact);
    default:
        return true;
    }
}

bool type_equal(const Type *a, const Type *b)
{
    return compare(a, b, true);
}

/* DataType.equalsIgnoreCaseAndNullability: field names meet without case, as in a default session. */
bool type_same_shape(const Type *a, const Type *b)
{
    return compare(a, b, false);
}

/* ---- predicates ---- */

bool type_is_integral(const Type *t)
{
    return t->kind >= TYPE_BYTE && t->kind <= TYPE_LONG;
}

bool type_is_fractional(const Type *t)
{
    return t->kind == TYPE_FLOAT || t->kind == TYPE_DOUBLE || t->kind == TYPE_DECIMAL;
}

bool type_is_numeric(const Type *t)
{
    return type_is_integral(t) || type_is_fractional(t);
}

bool type_is_stringy(const Type *t)
{
    return t->kind == TYPE_STRING || t->kind == TYPE_CHAR || t->kind == TYPE_VARCHAR;
}

bool type_is_datetime(const Type *t)
{
    return t->kind == TYPE_DATE || t->kind == TYPE_TIMESTAMP || t->kind == TYPE_TIMESTAMP_NTZ ||
           t->kind == TYPE_TIME;
}

bool type_is_interval(const Type *t)
{
    return t->kind == TYPE_INTERVAL_YM || t->kind == TYPE_INTERVAL_DT ||
           t->kind == TYPE_INTERVAL_CALENDAR;
}

bool type_is_nested(const Type *t)
{
    return t->kind == TYPE_ARRAY || t->kind == TYPE_MAP || t->kind == TYPE_STRUCT;
}

bool type_is_orderable(const Type *t)
{
    switch (t->kind) {
    case TYPE_MAP:
    case TYPE_VARIANT:
    case TYPE_GEOMETRY:
    case TYPE_GEOGRAPHY:
    case TYPE_INTERVAL_CALENDAR:
        return false;
    case TYPE_ARRAY:
        return type_is_orderable(t->array.element);
    case TYPE_STRUCT:
        for (size_t i = 0; i < t->structure.count; i++)
            if (!type_is_orderable(t->structure.fields[i].type))
                return false;
        return true;
    default:
        return true;
    }
}

bool type_contains(const Type *t, TypeKind kind)
{
    if (t->kind == kind)
        return true;
    switch (t->kind) {
    case TYPE_ARRAY:
        return type_contains(t->array.element, kind);
    case TYPE_MAP:
        return type_contains(t->map.key, kind) || type_contains(t->map.value, kind);
    case TYPE_STRUCT:
        for (size_t i = 0; i < t->structure.count; i++)
            if (type_contains(t->structure.fields[i].type, kind))
                return true;
        return false;
    default:
        return false;
    }
}

int type_field_index(const Type *structure, Str name, bool case_sensitive)
{
    int found = -1;
    for (size_t i = 0; i < structure->structure.count; i++) {
        Str other = structure->structure.fields[i].name;
        if (!(case_sensitive ? str_eq(other, name) : str_ieq(other, name)))
            continue;
        if (found >= 0)
            return -2;
        found = (int)i;
    }
    return found;
}

/* ---- decimals ---- */

const Type *type_decimal_for(const Type *numeric, Arena *arena)
{
    switch (numeric->kind) {
    case TYPE_BOOLEAN: return type_decimal(1, 0, arena);
    case TYPE_BYTE: return type_decimal(3, 0, arena);
    case TYPE_SHORT: return type_decimal(5, 0, arena);
    case TYPE_INT: return type_decimal(10, 0, arena);
    case TYPE_LONG: return type_decimal(20, 0, arena);
    case TYPE_FLOAT: return type_decimal(14, 7, arena);
    case TYPE_DOUBLE: return type_decimal(30, 15, arena);
    case TYPE_DECIMAL: return numeric;
    default: panic("type_decimal_for: kind %d is not numeric", (int)numeric->kind);
    }
}

const Type *type_decimal_bounded(int precision, int scale, Arena *arena)
{
    enum { MINIMUM_ADJUSTED_SCALE = 6 };
    if (precision <= DECIMAL_MAX_PRECISION)
        return type_decimal(precision, scale, arena);
    int digits = precision - scale;
    int least = scale < MINIMUM_ADJUSTED_SCALE ? scale : MINIMUM_ADJUSTED_SCALE;
    int kept = DECIMAL_MAX_PRECISION - digits;
    return type_decimal(DECIMAL_MAX_PRECISION, kept > least ? kept : least, arena);
}
