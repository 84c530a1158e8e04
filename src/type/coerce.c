/* Common types and implicit casts. Source: Spark's AnsiTypeCoercion, TypeCoercion and DecimalPrecision,
 * checked pair by pair against a recording of Spark 4.2 (tests/unit/type/coercion_recorded.tsv). */
#include "type/coerce.h"
#include "type/collation.h"

static int max_int(int a, int b)
{
    return a > b ? a : b;
}

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

/* ---- decimals ---- */

/* Digits of the decimal that holds every value of an integral type. */
static int integral_digits(const Type *t)
{
    switch (t->kind) {
    case TYPE_BYTE: return 3;
    case TYPE_SHORT: return 5;
    case TYPE_INT: return 10;
    default: return 20;
    }
}

bool decimal_is_wider(const Type *decimal, const Type *other)
{
    int precision, scale = 0;
    if (other->kind == TYPE_DECIMAL) {
        precision = other->decimal.precision;
        scale = other->decimal.scale;
    } else if (type_is_integral(other)) {
        precision = integral_digits(other);
    } else {
        return false;
    }
    return decimal->decimal.precision - decimal->decimal.scale >= precision - scale &&
           decimal->decimal.scale >= scale;
}

/* Past 38 digits the fraction gives way: DecimalType.boundedPreferIntegralDigits. */
static const Type *wider_decimal(const Type *a, const Type *b, Arena *arena)
{
    const Type *x = type_decimal_for(a, arena), *y = type_decimal_for(b, arena);
    int scale = max_int(x->decimal.scale, y->decimal.scale);
    int whole = max_int(x->decimal.precision - x->decimal.scale,
                        y->decimal.precision - y->decimal.scale);
    int excess = whole + scale - DECIMAL_MAX_PRECISION;
    if (excess <= 0)
        return type_decimal(whole + scale, scale, arena);
    return type_decimal(DECIMAL_MAX_PRECISION, max_int(0, scale - excess), arena);
}

const Type *coerce_decimal_arithmetic(char op, const Type *a, const Type *b, Arena *arena)
{
    int p1 = a->decimal.precision, s1 = a->decimal.scale;
    int p2 = b->decimal.precision, s2 = b->decimal.scale;
    int scale = max_int(s1, s2);
    switch (op) {
    case '*':
        return type_decimal_bounded(p1 + p2 + 1, s1 + s2, arena);
    case '/':
        scale = max_int(6, s1 + p2 + 1);
        return type_decimal_bounded(p1 - s1 + s2 + scale, scale, arena);
    case '%':
        return type_decimal_bounded(min_int(p1 - s1, p2 - s2) + scale, scale, arena);
    case 'd':
        return type_decimal(min_int(DECIMAL_MAX_PRECISION, max_int(1, p1 - s1 + s2)), 0, arena);
    default:
        return type_decimal_bounded(max_int(p1 - s1, p2 - s2) + scale + 1, scale, arena);
    }
}

const Type *coerce_decimal_lossless(char op, const Type *a, const Type *b, Arena *arena)
{
    int p1 = a->decimal.precision, s1 = a->decimal.scale;
    int p2 = b->decimal.precision, s2 = b->decimal.scale;
    int scale = max_int(s1, s2), precision = max_int(p1 - s1, p2 - s2) + scale + 1;
    if (op == '*') {
        scale = s1 + s2;
        precision = p1 + p2 + 1;
    } else if (op == '/') {
        int whole = min_int(DECIMAL_MAX_PRECISION, p1 - s1 + s2);
        scale = min_int(DECIMAL_MAX_PRECISION, max_int(6, s1 + p2 + 1));
        int over = whole + scale - DECIMAL_MAX_PRECISION;
        if (over > 0) {
            scale -= over / 2 + 1;
            whole = DECIMAL_MAX_PRECISION - scale;
        }
        precision = whole + scale;
    } else if (op == '%') {
        precision = min_int(p1 - s1, p2 - s2) + scale;
    } else if (op == 'd') {
        return coerce_decimal_arithmetic(op, a, b, arena);
    }
    return type_decimal(min_int(DECIMAL_MAX_PRECISION, precision), min_int(DECIMAL_MAX_PRECISION, scale), arena);
}

/* ---- common types ---- */

typedef const Type *(*Finder)(const Type *a, const Type *b, bool ansi, Arena *arena);

static const Type *common_array(const Type *a, const Type *b, bool ansi, Finder find, Arena *arena)
{
    const Type *x = a->array.element, *y = b->array.element, *item = find(x, y, ansi, arena);
    if (!item)
        return NULL;
    bool nulls = a->array.nulls || b->array.nulls || cast_can_make_null(x, item, CAST_ANSI) ||
                 cast_can_make_null(y, item, CAST_ANSI);
    return type_array(item, nulls, arena);
}

static const Type *common_map(const Type *a, const Type *b, bool ansi, Finder find, Arena *arena)
{
    const Type *key = find(a->map.key, b->map.key, ansi, arena);
    /* map() has keys of no type: nothing is lost. */
    bool empty = a->map.key->kind == TYPE_NULL || b->map.key->kind == TYPE_NULL;
    if (key && empty) {
        const Type *value = find(a->map.value, b->map.value, ansi, arena);
        return value ? type_map(key, value, a->map.nulls || b->map.nulls, arena) : NULL;
    }
    /* A key must not become NULL. */
    if (!key || cast_can_make_null(a->map.key, key, CAST_ANSI) ||
        cast_can_make_null(b->map.key, key, CAST_ANSI))
        return NULL;
    const Type *value = find(a->map.value, b->map.value, ansi, arena);
    if (!value)
        return NULL;
    bool nulls = a->map.nulls || b->map.nulls || cast_can_make_null(a->map.value, value, CAST_ANSI) ||
                 cast_can_make_null(b->map.value, value, CAST_ANSI);
    return type_map(key, value, nulls, arena);
}

static const Type *common_struct(const Type *a, const Type *b, bool ansi, Finder find, Arena *arena)
{
    size_t count = a->structure.count;
    if (count != b->structure.count)
        return NULL;
    Field *fields = ARENA_ARRAY(arena, Field, count);
    for (size_t i = 0; i < count; i++) {
        const Field *x = &a->structure.fields[i], *y = &b->structure.fields[i];
        const Type *t = str_ieq(x->name, y->name) ? find(x->type, y->type, ansi, arena) : NULL;
        if (!t)
            return NULL;
        fields[i] = (Field){.name = x->name, .type = t};
        fields[i].nullable = x->nullable || y->nullable || cast_can_make_null(x->type, t, CAST_ANSI) ||
                             cast_can_make_null(y->type, t, CAST_ANSI);
    }
    return type_struct(fields, count, arena);
}

static const Type *common_nested(const Type *a, const Type *b, bool ansi, Finder find, Arena *arena)
{
    if (a->kind != b->kind)
        return NULL;
    switch (a->kind) {
    case TYPE_ARRAY: return common_array(a, b, ansi, find, arena);
    case TYPE_MAP: return common_map(a, b, ansi, find, arena);
    case TYPE_STRUCT: return common_struct(a, b, ansi, find, arena);
    default: return NULL;
    }
}

/* byte < short < int < long < float < double. ANSI: an integer and a float meet in double. */
static const Type *common_number(const Type *a, const Type *b, bool ansi)
{
    TypeKind wider = a->kind > b->kind ? a->kind : b->kind;
    if (ansi && wider == TYPE_FLOAT)
        wider = TYPE_DOUBLE;
    return type_simple(wider);
}

static const Type *common_datetime(const Type *a, const Type *b)
{
    if (a->kind == TYPE_TIME || b->kind == TYPE_TIME)
        return NULL;
    if (a->kind == TYPE_TIMESTAMP || b->kind == TYPE_TIMESTAMP)
        return type_simple(TYPE_TIMESTAMP);
    return type_simple(TYPE_TIMESTAMP_NTZ);
}

static const Type *common_interval(const Type *a, const Type *b, Arena *arena)
{
    IntervalUnit from = a->interval.from < b->interval.from ? a->interval.from : b->interval.from;
    IntervalUnit to = a->interval.to > b->interval.to ? a->interval.to : b->interval.to;
    return type_interval(a->kind, from, to, arena);
}

static const Type *tightest(const Type *a, const Type *b, bool ansi, Arena *arena)
{
    if (type_equal(a, b) || b->kind == TYPE_NULL)
        return a;
    if (a->kind == TYPE_NULL)
        return b;
    if (a->kind == TYPE_DECIMAL || b->kind == TYPE_DECIMAL) {
        if (type_is_integral(a) && decimal_is_wider(b, a))
            return b;
        return type_is_integral(b) && decimal_is_wider(a, b) ? a : NULL;
    }
    if (type_is_numeric(a) && type_is_numeric(b))
        return common_number(a, b, ansi);
    if (type_is_datetime(a) && type_is_datetime(b))
        return common_datetime(a, b);
    if (a->kind == b->kind && type_is_geo(a))
        return type_simple(a->kind); /* of any reference system */
    if (a->kind == b->kind && (a->kind == TYPE_INTERVAL_YM || a->kind == TYPE_INTERVAL_DT))
        return common_interval(a, b, arena);
    /* Two texts of different declared lengths are both strings; two collations have no common one. */
    if (type_is_stringy(a) && type_is_stringy(b) && (a->kind != TYPE_STRING || b->kind != TYPE_STRING)) {
        const Type *collated = a->kind == TYPE_STRING ? a : b;
        return type_is_collated(collated)
                   ? NULL
                   : type_simple(TYPE_STRING);
    }
    return common_nested(a, b, ansi, tightest, arena);
}

static bool is_atomic(const Type *t)
{
    return t->kind != TYPE_NULL && t->kind != TYPE_INTERVAL_CALENDAR && !type_is_nested(t);
}

static const Type *common_with_decimal(const Type *a, const Type *b, Arena *arena)
{
    if (a->kind != TYPE_DECIMAL && b->kind != TYPE_DECIMAL)
        return NULL;
    if (!type_is_numeric(a) || !type_is_numeric(b))
        return NULL;
    bool approximate = a->kind == TYPE_FLOAT || a->kind == TYPE_DOUBLE || b->kind == TYPE_FLOAT ||
                       b->kind == TYPE_DOUBLE;
    return approximate ? type_simple(TYPE_DOUBLE) : wider_decimal(a, b, arena);
}

/* ANSI: a string is read as the other side's type. */
static const Type *string_yields(const Type *other)
{
    if (type_is_integral(other))
        return type_simple(TYPE_LONG);
    if (type_is_fractional(other))
        return type_simple(TYPE_DOUBLE);
    if (other->kind == TYPE_INTERVAL_YM || other->kind == TYPE_INTERVAL_DT)
        return NULL;
    return is_atomic(other) ? other : NULL;
}

static const Type *common_with_string(const Type *a, const Type *b, bool ansi)
{
    const Type *text = type_is_stringy(a) ? a : b, *other = text == a ? b : a;
    if (!type_is_stringy(text) || type_is_stringy(other))
        return NULL;
    if (ansi)
        return string_yields(other);
    return is_atomic(other) && other->kind != TYPE_BINARY && other->kind != TYPE_BOOLEAN ? text : NULL;
}

static const Type *wider(const Type *a, const Type *b, bool ansi, Arena *arena)
{
    const Type *found = tightest(a, b, ansi, arena);
    if (!found)
        found = common_with_decimal(a, b, arena);
    if (!found)
        found = common_with_string(a, b, ansi);
    return found ? found : common_nested(a, b, ansi, wider, arena);
}

const Type *coerce_common(const Type *a, const Type *b, bool ansi, Arena *arena)
{
    return wider(a, b, ansi, arena);
}

const Type *coerce_tightest(const Type *a, const Type *b, Arena *arena)
{
    return tightest(a, b, true, arena);
}

const Type *coerce_operands(const Type *a, const Type *b, bool ansi, Arena *arena)
{
    return tightest(a, b, ansi, arena);
}

static const Type *without_strings(const Type *a, const Type *b, bool ansi, Arena *arena)
{
    const Type *found = tightest(a, b, ansi, arena);
    if (!found)
        found = common_with_decimal(a, b, arena);
    return found ? found : common_nested(a, b, ansi, without_strings, arena);
}

const Type *coerce_common_no_strings(const Type *a, const Type *b, bool ansi, Arena *arena)
{
    return without_strings(a, b, ansi, arena);
}

/* ---- implicit casts ---- */

static bool nulls_fit(bool from, bool to)
{
    return !from || to;
}

bool coerce_can_store(const Type *from, const Type *to)
{
    if (type_equal(from, to) || from->kind == TYPE_NULL)
        return true;
    if (type_is_stringy(to))
        return is_atomic(from) || from->kind == TYPE_INTERVAL_CALENDAR;
    if (type_is_numeric(from) && type_is_numeric(to))
        return true;
    if (type_is_datetime(from) && type_is_datetime(to))
        return true;
    if (from->kind != to->kind)
        return false;
    switch (from->kind) {
    case TYPE_ARRAY:
        return nulls_fit(from->array.nulls, to->array.nulls) &&
               coerce_can_store(from->array.element, to->array.element);
    case TYPE_MAP:
        return nulls_fit(from->map.nulls, to->map.nulls) &&
               coerce_can_store(from->map.key, to->map.key) &&
               coerce_can_store(from->map.value, to->map.value);
    case TYPE_STRUCT:
        if (from->structure.count != to->structure.count)
            return false;
        for (size_t i = 0; i < from->structure.count; i++) {
            const Field *f = &from->structure.fields[i], *t = &to->structure.fields[i];
            if (!nulls_fit(f->nullable, t->nullable) || !coerce_can_store(f->type, t->type))
                return false;
        }
        return true;
    default:
        return false;
    }
}

static bool string_to_string(const Type *from, const Type *to)
{
    if (to->kind == TYPE_VARCHAR)
        return from->kind == TYPE_CHAR || type_equal(from, to);
    if (to->kind == TYPE_CHAR || from->kind == TYPE_STRING)
        return type_equal(from, to);
    return !type_is_collated(to);
}

static bool implicit_ansi(const Type *from, const Type *to)
{
    if (type_is_stringy(from) && type_is_stringy(to))
        return string_to_string(from, to);
    if (type_is_stringy(from) && is_atomic(to))
        return true;
    if (from->kind == TYPE_INTERVAL_CALENDAR && type_is_stringy(to))
        return true;
    return coerce_can_store(from, to);
}

static bool implicit_legacy(const Type *from, const Type *to)
{
    if (type_is_stringy(from) && type_is_stringy(to))
        return string_to_string(from, to);
    if (type_is_stringy(from))
        return type_is_numeric(to) || type_is_datetime(to) || to->kind == TYPE_BINARY;
    if (type_is_stringy(to))
        return is_atomic(from);
    if (from->kind == TYPE_ARRAY && to->kind == TYPE_ARRAY) {
        const Type *x = from->array.element, *y = to->array.element;
        return nulls_fit(from->array.nulls, to->array.nulls) && coerce_implicit(x, y, false) &&
               (to->array.nulls || !cast_can_make_null(x, y, CAST_LEGACY));
    }
    if (from->kind == TYPE_MAP && to->kind == TYPE_MAP)
        return nulls_fit(from->map.nulls, to->map.nulls) &&
               coerce_implicit(from->map.key, to->map.key, false) &&
               !cast_can_make_null(from->map.key, to->map.key, CAST_LEGACY) &&
               coerce_implicit(from->map.value, to->map.value, false) &&
               (to->map.nulls || !cast_can_make_null(from->map.value, to->map.value, CAST_LEGACY));
    return (type_is_numeric(from) && type_is_numeric(to)) ||
           (type_is_datetime(from) && type_is_datetime(to));
}

bool coerce_implicit(const Type *from, const Type *to, bool ansi)
{
    if (type_same_shape(from, to) || from->kind == TYPE_NULL)
        return true;
    return ansi ? implicit_ansi(from, to) : implicit_legacy(from, to);
}
