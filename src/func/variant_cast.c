/* Between VARIANT and Spark's types, by the rules of variant_get, CAST and schema_of_variant. */
#include "func/variant_cast.h"

#include <math.h>

#include "func/number.h"
#include "func/record_text.h"
#include "type/coerce.h"
#include "type/number_text.h"
#include "type/value.h"

/* ---- to typed texts ---- */

static bool misfit(VariantCast *c, const Variant *v, const Type *t, bool *null) {
    *null = true;
    if (!c->strict)
        return true;
    Buf json = buf_in(c->arena);
    if (!variant_put_json(v, c->zone, &json))
        return error_set(c->err, ERR_MALFORMED_VARIANT);
    return error_set(c->err, ERR_INVALID_VARIANT_CAST, P("value", buf_str(&json)),
                     P("dataType", str_printf(c->arena, "\"" STR_FMT "\"",
                                              STR_ARG(type_sql(t, c->arena)))));
}

static Str integer_text(int64_t v, Arena *arena) { return str_printf(arena, "%lld", (long long)v); }

static Str hex_text(Str s, Arena *arena) {
    Buf b = buf_in(arena);
    for (size_t i = 0; i < s.len; i++)
        buf_addf(&b, "%02X", (unsigned char)s.ptr[i]);
    return b.len ? buf_str(&b) : S("");
}

/* The carrier's text of a constant that CAST made of a string. */
static Str carrier_text(const Value *v, Arena *arena) {
    char number[NUMBER_TEXT_MAX];
    switch (v->type->kind) {
    case TYPE_BOOLEAN:
        return v->boolean ? S("true") : S("false");
    case TYPE_FLOAT:
        return str_copy((Str){number, float_text((float)v->real, number)}, arena);
    case TYPE_DOUBLE:
        return str_copy((Str){number, double_text(v->real, number)}, arena);
    case TYPE_DECIMAL:
        return value_decimal_text(v->decimal, v->type->decimal.scale, arena);
    case TYPE_BINARY:
        return hex_text(v->bytes, arena);
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
        return v->bytes;
    default:
        return integer_text(v->integer, arena);
    }
}

static bool string_as(VariantCast *c, const Variant *v, const Type *t, Str *out) {
    Value value;
    Error err = error_in(c->arena);
    if (!value_from_text(v->bytes, t, c->zone_name, c->arena, &value, &err))
        return false;
    *out = carrier_text(&value, c->arena);
    return true;
}

static bool is_number(const Variant *v) {
    return v->kind == VARIANT_LONG || v->kind == VARIANT_FLOAT || v->kind == VARIANT_DOUBLE ||
           v->kind == VARIANT_DECIMAL;
}

static double as_double(const Variant *v, Arena *arena) {
    double d = v->real;
    if (v->kind == VARIANT_LONG || v->kind == VARIANT_BOOLEAN)
        return (double)v->integer;
    if (v->kind == VARIANT_DECIMAL) {
        Buf b = buf_in(arena);
        put_decimal(&b, v->unscaled, v->scale);
        if (!str_to_f64(buf_str(&b), &d))
            d = 0;
    }
    return d;
}

static bool integer_as(VariantCast *c, const Variant *v, const Type *t, Str *out) {
    static const int64_t MAX[] = {INT8_MAX, INT16_MAX, INT32_MAX, INT64_MAX};
    int64_t max = MAX[t->kind - TYPE_BYTE], i = v->integer;
    if (v->kind == VARIANT_FLOAT || v->kind == VARIANT_DOUBLE) {
        if (!(v->real > -9.3e18 && v->real < 9.3e18))
            return false;
        double whole = trunc(v->real);
        if (whole < -(double)max - 1 || whole > (double)max)
            return false;
        i = whole >= 9223372036854775807.0 ? INT64_MAX : (int64_t)whole;
    } else if (v->kind == VARIANT_DECIMAL) {
        __int128 whole = v->unscaled / pow10_int128(v->scale);
        if (whole < INT64_MIN || whole > INT64_MAX)
            return false;
        i = (int64_t)whole;
    } else if (v->kind == VARIANT_TIMESTAMP) {
        i = floor_div(i, US_PER_SECOND);
    } else if (v->kind != VARIANT_LONG && v->kind != VARIANT_BOOLEAN) {
        return false;
    }
    if (i > max || i < -max - 1)
        return false;
    *out = integer_text(i, c->arena);
    return true;
}

static bool decimal_as(VariantCast *c, const Variant *v, const Type *t, Str *out) {
    __int128 u = v->unscaled;
    int p = t->decimal.precision, s = t->decimal.scale;
    if (v->kind == VARIANT_LONG || v->kind == VARIANT_BOOLEAN) {
        if (!decimal_rescale(v->integer, 0, s, p, &u))
            return false;
    } else if (v->kind == VARIANT_DECIMAL) {
        if (!decimal_rescale(v->unscaled, v->scale, s, p, &u))
            return false;
    } else if (v->kind == VARIANT_FLOAT || v->kind == VARIANT_DOUBLE) {
        char text[NUMBER_TEXT_MAX];
        size_t n =
            v->kind == VARIANT_FLOAT ? float_text((float)v->real, text) : double_text(v->real, text);
        if (decimal_parse((Str){text, n}, p, s, &u) != NUMBER_OK)
            return false;
    } else {
        return false;
    }
    *out = value_decimal_text((I128){(uint64_t)u, (int64_t)(u >> 64)}, s, c->arena);
    return true;
}

static bool instant_as(VariantCast *c, const Variant *v, const Type *t, Str *out) {
    int64_t us = v->integer;
    bool wall = v->kind == VARIANT_TIMESTAMP_NTZ || v->kind == VARIANT_DATE;
    if (v->kind == VARIANT_DATE && __builtin_mul_overflow(us, US_PER_DAY, &us))
        return false;
    if (t->kind == TYPE_TIMESTAMP) {
        if (v->kind == VARIANT_LONG) {
            if (__builtin_mul_overflow(v->integer, US_PER_SECOND, &us))
                return false;
        } else if (v->kind == VARIANT_DECIMAL) {
            __int128 scaled;
            if (__builtin_mul_overflow(v->unscaled, (__int128)US_PER_SECOND, &scaled))
                return false;
            scaled /= pow10_int128(v->scale);
            us = (int64_t)scaled;
            if (us != scaled)
                return false;
        } else if (is_number(v)) {
            double scaled = v->real * US_PER_SECOND;
            if (!isfinite(v->real) || fabs(scaled) >= 9.2e18)
                return false;
            us = (int64_t)scaled;
        } else if (wall) {
            us = zone_utc_of(c->zone, us);
        } else if (v->kind != VARIANT_TIMESTAMP) {
            return false;
        }
    } else {
        if (v->kind == VARIANT_TIMESTAMP)
            us += zone_offset_of(c->zone, us) * US_PER_SECOND;
        else if (!wall)
            return false;
        if (t->kind == TYPE_DATE)
            us = floor_div(us, US_PER_DAY);
    }
    *out = integer_text(us, c->arena);
    return true;
}

static bool scalar_text(VariantCast *c, const Variant *v, Str *out) {
    Buf b = buf_in(c->arena);
    if (v->kind == VARIANT_BINARY) {
        *out = v->bytes;
        return true;
    }
    if (v->kind == VARIANT_TIMESTAMP) {
        *out = timestamp_text(v->integer, c->zone_name, c->arena);
        return true;
    }
    if (!variant_put_json(v, c->zone, &b))
        return false;
    *out = buf_str(&b);
    bool quoted = out->len > 1 && out->ptr[0] == '"';
    if (quoted)
        *out = str_slice(*out, 1, out->len - 1);
    return true;
}

/* False: no such cast, or the value does not fit. */
static bool scalar_as(VariantCast *c, const Variant *v, const Type *t, Str *out) {
    char number[NUMBER_TEXT_MAX];
    if (type_is_stringy(t) && v->kind != VARIANT_STRING)
        return scalar_text(c, v, out);
    if (v->kind == VARIANT_UUID)
        return false;
    if (v->kind == VARIANT_STRING)
        return string_as(c, v, t, out);
    switch (t->kind) {
    case TYPE_BOOLEAN:
        *out = as_double(v, c->arena) != 0 ? S("true") : S("false");
        return v->kind == VARIANT_BOOLEAN || is_number(v);
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
        return integer_as(c, v, t, out);
    case TYPE_FLOAT:
        *out = str_copy(
            (Str){number, float_text((float)as_double(v, c->arena), number)}, c->arena);
        return v->kind == VARIANT_BOOLEAN || is_number(v);
    case TYPE_DOUBLE:
        *out = str_copy((Str){number, double_text(as_double(v, c->arena), number)}, c->arena);
        return v->kind == VARIANT_BOOLEAN || is_number(v);
    case TYPE_DECIMAL:
        return decimal_as(c, v, t, out);
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        return instant_as(c, v, t, out);
    case TYPE_BINARY:
        *out = hex_text(v->bytes, c->arena);
        return v->kind == VARIANT_BINARY;
    default:
        return false;
    }
}

static bool pack(VariantCast *c, const Variant *v, Str *out) {
    Str value, metadata;
    VariantNode *node = variant_node_of(v, c->arena);
    if (!node || !variant_write(node, c->arena, &value, &metadata))
        return error_set(c->err, ERR_MALFORMED_VARIANT);
    *out = str_printf(c->arena, STR_FMT ":" STR_FMT, STR_ARG(hex_text(value, c->arena)),
                      STR_ARG(hex_text(metadata, c->arena)));
    return true;
}

static bool cast_members(VariantCast *c, const Variant *v, const Type *element, bool keys,
                         Buf *b) {
    buf_addc(b, '[');
    for (uint32_t i = 0; i < v->count; i++) {
        Variant member;
        Str key = {0}, text = {0};
        bool null = false;
        if (!variant_member(v, i, &key, &member))
            return error_set(c->err, ERR_MALFORMED_VARIANT);
        if (keys)
            text = key;
        else
            TRY(variant_cast(c, &member, element, &text, &null));
        record_put_entry(b, !i, text, null, element);
    }
    buf_addc(b, ']');
    return true;
}

static bool cast_struct(VariantCast *c, const Variant *v, const Type *t, Buf *b) {
    buf_addc(b, '[');
    for (size_t i = 0; i < t->structure.count; i++) {
        const Field *f = &t->structure.fields[i];
        Variant member;
        Str text = {0};
        bool found, null = true;
        if (!variant_field(v, f->name, &member, &found))
            return error_set(c->err, ERR_MALFORMED_VARIANT);
        if (found)
            TRY(variant_cast(c, &member, f->type, &text, &null));
        record_put_entry(b, !i, text, null, f->type);
    }
    buf_addc(b, ']');
    return true;
}

bool variant_cast(VariantCast *c, const Variant *v, const Type *t, Str *out, bool *null) {
    *null = false;
    if (t->kind == TYPE_VARIANT)
        return pack(c, v, out);
    if (v->kind == VARIANT_NULL) {
        *null = true;
        return true;
    }
    bool object = v->kind == VARIANT_OBJECT, array = v->kind == VARIANT_ARRAY;
    Buf b = buf_in(c->arena);
    if (!type_is_nested(t)) {
        if ((object || array) && type_is_stringy(t)) {
            if (!variant_put_json(v, c->zone, &b))
                return error_set(c->err, ERR_MALFORMED_VARIANT);
            *out = buf_str(&b);
            return true;
        }
        return (!object && !array && scalar_as(c, v, t, out)) || misfit(c, v, t, null);
    }
    if (t->kind == TYPE_ARRAY ? !array : !object)
        return misfit(c, v, t, null);
    if (t->kind == TYPE_STRUCT) {
        TRY(cast_struct(c, v, t, &b));
    } else if (t->kind == TYPE_ARRAY) {
        TRY(cast_members(c, v, t->array.element, false, &b));
    } else {
        buf_addc(&b, '[');
        TRY(cast_members(c, v, t->map.key, true, &b));
        buf_addc(&b, ',');
        TRY(cast_members(c, v, t->map.value, false, &b));
        buf_addc(&b, ']');
    }
    *out = buf_str(&b);
    return true;
}

/* ---- from columns ---- */

static VariantNode *nested_node(const NativeVec *v, idx_t row, const Type *t, Arena *arena) {
    VariantNode *n = variant_node(t->kind == TYPE_ARRAY ? VARIANT_ARRAY : VARIANT_OBJECT, arena);
    if (t->kind == TYPE_STRUCT) {
        for (size_t i = 0; i < t->structure.count && i < v->child_count; i++) {
            VariantNode *child =
                variant_from_vector(&v->children[i], row, t->structure.fields[i].type, arena);
            if (!child)
                return NULL;
            child->key = t->structure.fields[i].name;
            variant_add(n, child);
        }
        return n;
    }
    duckdb_list_entry e = ((const duckdb_list_entry *)v->data)[row];
    const NativeVec *item = &v->children[0];
    bool map = t->kind == TYPE_MAP;
    for (idx_t i = e.offset; i < e.offset + e.length; i++) {
        VariantNode *child = variant_from_vector(map ? &item->children[1] : item, i,
                                                 map ? t->map.value : t->array.element, arena);
        if (!child)
            return NULL;
        if (map)
            child->key = native_str_at(&item->children[0], i);
        variant_add(n, child);
    }
    return n;
}

VariantNode *variant_from_vector(const NativeVec *v, idx_t row, const Type *t, Arena *arena) {
    if (native_is_null(v, row) || t->kind == TYPE_NULL)
        return variant_node(VARIANT_NULL, arena);
    if (type_is_nested(t))
        return nested_node(v, row, t, arena);
    if (t->kind == TYPE_VARIANT) {
        Variant whole;
        return variant_read(native_str_at(&v->children[0], row),
                            native_str_at(&v->children[1], row), &whole)
                   ? variant_node_of(&whole, arena)
                   : NULL;
    }
    VariantNode *n = variant_node(VARIANT_LONG, arena);
    switch (t->kind) {
    case TYPE_FLOAT:
        n->kind = VARIANT_FLOAT;
        n->real = ((const float *)v->data)[row];
        return n;
    case TYPE_DOUBLE:
        n->kind = VARIANT_DOUBLE;
        n->real = ((const double *)v->data)[row];
        return n;
    case TYPE_DECIMAL:
        n->kind = VARIANT_DECIMAL;
        n->unscaled = native_integer_at(v, row);
        n->scale = t->decimal.scale;
        return n;
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR:
    case TYPE_BINARY:
        n->kind = t->kind == TYPE_BINARY ? VARIANT_BINARY : VARIANT_STRING;
        n->bytes = native_str_at(v, row);
        return n;
    default:
        n->kind = t->kind == TYPE_BOOLEAN         ? VARIANT_BOOLEAN
                  : t->kind == TYPE_DATE          ? VARIANT_DATE
                  : t->kind == TYPE_TIMESTAMP     ? VARIANT_TIMESTAMP
                  : t->kind == TYPE_TIMESTAMP_NTZ ? VARIANT_TIMESTAMP_NTZ
                                                  : VARIANT_LONG;
        n->integer = (int64_t)native_integer_at(v, row);
        return n;
    }
}

/* ---- schemas ---- */

static const Type *decimal_schema(const Variant *v, Arena *arena) {
    __int128 u = v->unscaled < 0 ? -v->unscaled : v->unscaled;
    int scale = v->scale, digits = 0;
    variant_strip_zeros(&u, &scale);
    while (u) {
        u /= 10;
        digits++;
    }
    if (digits < scale || !digits)
        digits = scale > 0 ? scale : 1;
    if (digits > DECIMAL_MAX_PRECISION) /* sixteen bytes hold 39 digits */
        return type_simple(TYPE_DOUBLE);
    return type_decimal(digits, scale, arena);
}

static const Type *container_schema(const Variant *v, unsigned depth, Arena *arena);

static const Type *schema_at(const Variant *v, unsigned depth, Arena *arena) {
    static const TypeKind KINDS[] = {
        [VARIANT_NULL] = TYPE_NULL,           [VARIANT_BOOLEAN] = TYPE_BOOLEAN,
        [VARIANT_LONG] = TYPE_LONG,           [VARIANT_FLOAT] = TYPE_FLOAT,
        [VARIANT_DOUBLE] = TYPE_DOUBLE,       [VARIANT_DATE] = TYPE_DATE,
        [VARIANT_TIMESTAMP] = TYPE_TIMESTAMP, [VARIANT_TIMESTAMP_NTZ] = TYPE_TIMESTAMP_NTZ,
        [VARIANT_STRING] = TYPE_STRING,       [VARIANT_BINARY] = TYPE_BINARY,
        [VARIANT_UUID] = TYPE_STRING};
    if (v->kind == VARIANT_DECIMAL)
        return decimal_schema(v, arena);
    if (v->kind != VARIANT_OBJECT && v->kind != VARIANT_ARRAY)
        return type_simple(KINDS[v->kind]);
    return depth > TYPE_MAX_DEPTH ? type_simple(TYPE_VARIANT) : container_schema(v, depth, arena);
}

static const Type *container_schema(const Variant *v, unsigned depth, Arena *arena) {
    bool object = v->kind == VARIANT_OBJECT;
    Field *fields = ARENA_ARRAY(arena, Field, (object ? v->count : 0) + 1);
    const Type *element = type_simple(TYPE_NULL);
    for (uint32_t i = 0; i < v->count; i++) {
        Variant member;
        Str key = {0};
        const Type *t = variant_member(v, i, &key, &member) ? schema_at(&member, depth + 1, arena)
                                                            : NULL;
        if (!t)
            return NULL;
        if (object)
            fields[i] = (Field){str_copy(key, arena), t, true, {0}};
        else
            element = variant_merge_schema(element, t, arena);
    }
    return object ? type_struct(fields, v->count, arena) : type_array(element, true, arena);
}

const Type *variant_schema(const Variant *v, Arena *arena) { return schema_at(v, 0, arena); }

/* Both lists are in the order of their names, as objects keep them. */
static const Type *merge_structs(const Type *a, const Type *b, Arena *arena) {
    size_t n = a->structure.count, m = b->structure.count, i = 0, j = 0, count = 0;
    Field *out = ARENA_ARRAY(arena, Field, n + m + 1);
    while (i < n || j < m) {
        const Field *x = i < n ? &a->structure.fields[i] : NULL,
                    *y = j < m ? &b->structure.fields[j] : NULL;
        int order = !x ? 1 : !y ? -1 : str_cmp(x->name, y->name);
        out[count] = order <= 0 ? *x : *y;
        if (!order)
            out[count].type = variant_merge_schema(x->type, y->type, arena);
        count++;
        i += order <= 0;
        j += order >= 0;
    }
    return type_struct(out, count, arena);
}

const Type *variant_merge_schema(const Type *a, const Type *b, Arena *arena) {
    if (a->kind == TYPE_NULL || b->kind == TYPE_NULL)
        return a->kind == TYPE_NULL ? b : a;
    if (a->kind == TYPE_STRUCT && b->kind == TYPE_STRUCT)
        return merge_structs(a, b, arena);
    if (a->kind == TYPE_ARRAY && b->kind == TYPE_ARRAY)
        return type_array(variant_merge_schema(a->array.element, b->array.element, arena), true,
                          arena);
    if (type_is_nested(a) || type_is_nested(b) || a->kind == TYPE_VARIANT ||
        b->kind == TYPE_VARIANT)
        return type_simple(TYPE_VARIANT);
    const Type *x = a->kind == TYPE_LONG ? type_decimal(20, 0, arena) : a,
               *y = b->kind == TYPE_LONG ? type_decimal(20, 0, arena) : b;
    bool decimals = a->kind == TYPE_DECIMAL || b->kind == TYPE_DECIMAL;
    if (decimals && x->kind == TYPE_DECIMAL && y->kind == TYPE_DECIMAL) {
        int s = x->decimal.scale > y->decimal.scale ? x->decimal.scale : y->decimal.scale;
        int xi = x->decimal.precision - x->decimal.scale,
            yi = y->decimal.precision - y->decimal.scale, whole = xi > yi ? xi : yi;
        return whole + s > 38 ? type_simple(TYPE_DOUBLE) : type_decimal(whole + s, s, arena);
    }
    if (decimals && (a->kind == TYPE_DOUBLE || b->kind == TYPE_DOUBLE))
        return type_simple(TYPE_DOUBLE);
    const Type *common = coerce_tightest(a, b, arena);
    return common ? common : type_simple(TYPE_VARIANT);
}

void variant_put_schema(const Type *t, Arena *arena, Buf *out) {
    if (t->kind == TYPE_ARRAY) {
        buf_addz(out, "ARRAY<");
        variant_put_schema(t->array.element, arena, out);
        buf_addc(out, '>');
    } else if (t->kind == TYPE_STRUCT) {
        buf_addz(out, "OBJECT<");
        for (size_t i = 0; i < t->structure.count; i++) {
            const Field *f = &t->structure.fields[i];
            buf_addf(out, "%s" STR_FMT ": ", i ? ", " : "",
                     STR_ARG(type_quote_if_needed(f->name, arena)));
            variant_put_schema(f->type, arena, out);
        }
        buf_addc(out, '>');
    } else {
        buf_add(out, type_sql(t, arena));
    }
}
