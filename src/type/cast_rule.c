/* What CAST accepts and when its result may be NULL. Source: Spark's Cast.canCast, canAnsiCast, canTryCast and
 * forceNullable, checked against the same recording as coerce.c. */
#include "type/coerce.h"

static bool is_exact(const Type *t)
{
    return type_is_integral(t) || t->kind == TYPE_DECIMAL;
}

static bool is_ansi_interval(const Type *t)
{
    return t->kind == TYPE_INTERVAL_YM || t->kind == TYPE_INTERVAL_DT;
}

/* What a variant can hold or give: VariantGet.checkDataType. */
static bool fits_variant(const Type *t, bool structs_and_maps)
{
    switch (t->kind) {
    case TYPE_BOOLEAN:
    case TYPE_STRING:
    case TYPE_BINARY:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
    case TYPE_TIME:
    case TYPE_VARIANT:
        return true;
    case TYPE_ARRAY:
        return fits_variant(t->array.element, structs_and_maps);
    case TYPE_MAP:
        return structs_and_maps && t->map.key->kind == TYPE_STRING &&
               fits_variant(t->map.value, structs_and_maps);
    case TYPE_STRUCT:
        for (size_t i = 0; structs_and_maps && i < t->structure.count; i++)
            if (!fits_variant(t->structure.fields[i].type, structs_and_maps))
                return false;
        return structs_and_maps;
    default:
        return type_is_numeric(t);
    }
}

static bool string_casts_to(const Type *to)
{
    switch (to->kind) {
    case TYPE_BINARY:
    case TYPE_BOOLEAN:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
    case TYPE_TIME:
        return true;
    default:
        return type_is_numeric(to) || type_is_interval(to);
    }
}

static bool number_casts_to(const Type *from, const Type *to, bool ansi)
{
    if (to->kind == TYPE_BINARY)
        return !ansi && type_is_integral(from);
    return type_is_numeric(to) || to->kind == TYPE_BOOLEAN || to->kind == TYPE_TIMESTAMP ||
           (is_exact(from) && is_ansi_interval(to));
}

static bool datetime_casts_to(const Type *from, const Type *to, bool ansi)
{
    bool stamp = from->kind == TYPE_TIMESTAMP;
    switch (to->kind) {
    case TYPE_BOOLEAN:
        return !ansi && (stamp || from->kind == TYPE_DATE);
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        return from->kind != TYPE_TIME;
    case TYPE_TIME:
        return from->kind == TYPE_TIME;
    default:
        if (from->kind == TYPE_TIME)
            return is_exact(to);
        return type_is_numeric(to) && (stamp || (!ansi && from->kind == TYPE_DATE));
    }
}

/* Casts between types without parts, past the cases that hold for every source. */
static bool leaf_casts(const Type *from, const Type *to, bool ansi)
{
    if (type_is_stringy(from))
        return string_casts_to(to);
    if (type_is_numeric(from))
        return number_casts_to(from, to, ansi);
    if (type_is_datetime(from))
        return datetime_casts_to(from, to, ansi);
    if (from->kind == TYPE_BOOLEAN)
        return type_is_numeric(to) || (!ansi && to->kind == TYPE_TIMESTAMP);
    return is_ansi_interval(from) && (from->kind == to->kind || is_exact(to));
}

/* A shape keeps its reference system or forgets it; on the Earth and on a plane it has the same one. */
static bool shape_casts(const Type *from, const Type *to)
{
    if (!type_is_geo(from) || !type_is_geo(to))
        return false;
    if (from->kind == to->kind)
        return to->geo.srid < 0 || from->geo.srid == to->geo.srid;
    return from->geo.srid >= 0 && from->geo.srid == to->geo.srid;
}

static bool nulls_fit(bool from, bool to)
{
    return !from || to;
}

/* ANSI fails instead of giving NULL, so only the declared nullability counts there. */
static bool part_casts(const Type *from, bool from_null, const Type *to, bool to_null, CastMode mode)
{
    bool nulls = from_null || (mode != CAST_ANSI && cast_can_make_null(from, to, mode));
    return nulls_fit(nulls, to_null) &&
           cast_is_allowed(from, to, mode == CAST_ANSI ? CAST_ANSI : CAST_LEGACY);
}

static bool nested_casts(const Type *from, const Type *to, CastMode mode)
{
    switch (from->kind) {
    case TYPE_ARRAY:
        return part_casts(from->array.element, from->array.nulls, to->array.element, to->array.nulls,
                          mode);
    case TYPE_MAP:
        return part_casts(from->map.key, false, to->map.key, false, mode) &&
               part_casts(from->map.value, from->map.nulls, to->map.value, to->map.nulls, mode);
    case TYPE_STRUCT:
        if (from->structure.count != to->structure.count)
            return false;
        for (size_t i = 0; i < from->structure.count; i++) {
            const Field *f = &from->structure.fields[i], *t = &to->structure.fields[i];
            if (!part_casts(f->type, f->nullable, t->type, t->nullable, mode))
                return false;
        }
        return true;
    default:
        return false;
    }
}

bool cast_is_allowed(const Type *from, const Type *to, CastMode mode)
{
    if (type_equal(from, to) || from->kind == TYPE_NULL)
        return true;
    if (type_is_geo(from) || type_is_geo(to))
        return shape_casts(from, to);
    if (type_is_stringy(to))
        return true;
    if (from->kind == TYPE_VARIANT)
        return fits_variant(to, true);
    if (to->kind == TYPE_VARIANT)
        return fits_variant(from, false);
    if (type_is_nested(from) || type_is_nested(to))
        return from->kind == to->kind && nested_casts(from, to, mode);
    return leaf_casts(from, to, mode != CAST_LEGACY);
}

/* No value of `from` overflows the decimal: Cast.canNullSafeCastToDecimal. */
static bool fits_decimal(const Type *from, const Type *to)
{
    int whole = to->decimal.precision - to->decimal.scale;
    if (from->kind == TYPE_BOOLEAN)
        return whole >= 1;
    if (decimal_is_wider(to, from))
        return true;
    return from->kind == TYPE_DECIMAL && whole > from->decimal.precision - from->decimal.scale;
}

bool cast_can_make_null(const Type *from, const Type *to, CastMode mode)
{
    (void)mode; /* Spark's forceNullable does not ask for the mode; ANSI callers skip it */
    if (from->kind == TYPE_NULL || type_equal(from, to))
        return false;
    if (from->kind == TYPE_VARIANT)
        return true;
    if (type_is_stringy(from))
        return to->kind != TYPE_BINARY && !type_is_stringy(to);
    if (type_is_stringy(to))
        return false;
    if (from->kind == TYPE_TIMESTAMP && to->kind >= TYPE_BYTE && to->kind <= TYPE_INT)
        return true;
    if (from->kind == TYPE_TIME && (to->kind == TYPE_BYTE || to->kind == TYPE_SHORT))
        return true;
    if ((from->kind == TYPE_FLOAT || from->kind == TYPE_DOUBLE) && to->kind == TYPE_TIMESTAMP)
        return true;
    if (to->kind == TYPE_DATE)
        return from->kind != TYPE_TIMESTAMP;
    if (from->kind == TYPE_DATE)
        return to->kind != TYPE_TIMESTAMP;
    if (to->kind == TYPE_INTERVAL_CALENDAR)
        return true;
    if (to->kind == TYPE_DECIMAL)
        return !fits_decimal(from, to);
    return type_is_fractional(from) && type_is_integral(to);
}

static bool keeps_number(const Type *from, const Type *to)
{
    if (from->kind == TYPE_DECIMAL || to->kind == TYPE_DECIMAL) {
        static const int digits[] = {3, 5, 10, 20, 14, 30};
        static const int scales[] = {0, 0, 0, 0, 7, 15};
        const Type *d = from->kind == TYPE_DECIMAL ? from : to, *other = d == from ? to : from;
        bool both = other->kind == TYPE_DECIMAL, known = other->kind >= TYPE_BYTE && other->kind <= TYPE_DOUBLE;
        if (!both && !known)
            return false;
        int p = both ? other->decimal.precision : digits[other->kind - TYPE_BYTE],
            s = both ? other->decimal.scale : scales[other->kind - TYPE_BYTE];
        if (d == from) /* a decimal that fits the other type */
            return p - s >= d->decimal.precision - d->decimal.scale && s >= d->decimal.scale;
        return d->decimal.precision - d->decimal.scale >= p - s && d->decimal.scale >= s;
    }
    return type_is_numeric(from) && type_is_numeric(to) && from->kind < to->kind;
}

static bool keeps_null(bool from, const Type *a, const Type *b, bool to)
{
    return to || !(from || cast_can_make_null(a, b, CAST_ANSI));
}

static bool keeps_nested(const Type *from, const Type *to)
{
    if (from->kind == TYPE_ARRAY)
        return keeps_null(from->array.nulls, from->array.element, to->array.element, to->array.nulls) &&
               cast_is_upcast(from->array.element, to->array.element);
    if (from->kind == TYPE_MAP)
        return keeps_null(false, from->map.key, to->map.key, false) && cast_is_upcast(from->map.key, to->map.key) &&
               keeps_null(from->map.nulls, from->map.value, to->map.value, to->map.nulls) &&
               cast_is_upcast(from->map.value, to->map.value);
    if (from->structure.count != to->structure.count)
        return false;
    for (size_t i = 0; i < from->structure.count; i++) {
        const Field *a = &from->structure.fields[i], *b = &to->structure.fields[i];
        if (!keeps_null(a->nullable, a->type, b->type, b->nullable) || !cast_is_upcast(a->type, b->type))
            return false;
    }
    return true;
}

bool cast_is_upcast(const Type *from, const Type *to)
{
    TypeKind f = from->kind, t = to->kind;
    if (type_equal(from, to) || f == TYPE_NULL || (f == t && (f == TYPE_INTERVAL_YM || f == TYPE_INTERVAL_DT)))
        return true;
    if (f == t && type_is_nested(from))
        return keeps_nested(from, to);
    if (type_is_stringy(to))
        return !type_is_nested(from) && f != TYPE_VARIANT;
    if (t == TYPE_TIMESTAMP || t == TYPE_TIMESTAMP_NTZ)
        return f == TYPE_DATE || f == TYPE_TIMESTAMP || f == TYPE_TIMESTAMP_NTZ || (t == TYPE_TIMESTAMP && f == TYPE_LONG);
    return (f == TYPE_TIMESTAMP && t == TYPE_LONG) || keeps_number(from, to);
}
