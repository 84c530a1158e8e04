/* Types as Spark's schema JSON, which is also what the Delta log and Parquet footers hold. */
#include <string.h>

#include "base/json.h"
#include "type/srid.h"
#include "type/type_text_impl.h"
#include "type/collation.h"

/* Spark keeps the collations of a column's strings beside the column, by path ("a.element"). */
static const char collations_key[] = "__COLLATIONS";

/* ---- writing ---- */

typedef struct Collations {
    Buf *b;
    bool any;
} Collations;

static void put_collations(Collations *c, const Type *t, Str path)
{
    Arena *arena = c->b->arena;
    switch (t->kind) {
    case TYPE_STRING:
        if (!type_is_collated(t))
            return;
        buf_addz(c->b, c->any ? "," : "");
        c->any = true;
        json_put_str(c->b, path);
        buf_addf(c->b, ":\"%s." STR_FMT "\"",
                 str_istarts_with(t->string.collation, S("UTF8_")) ? "spark" : "icu",
                 STR_ARG(t->string.collation));
        return;
    case TYPE_ARRAY:
        put_collations(c, t->array.element, str_concat(arena, path, S(".element")));
        return;
    case TYPE_MAP:
        put_collations(c, t->map.key, str_concat(arena, path, S(".key")));
        put_collations(c, t->map.value, str_concat(arena, path, S(".value")));
        return;
    default:
        return; /* the fields of a struct carry their own */
    }
}

static void put_metadata(Buf *b, const Field *f)
{
    Buf text = buf_in(b->arena);
    Collations c = {&text, false};
    Str own = f->metadata.len ? f->metadata : S("{}");
    put_collations(&c, f->type, f->name);
    if (!c.any) {
        buf_add(b, own);
        return;
    }
    buf_add(b, str_slice(own, 0, own.len - 1));
    buf_addf(b, "%s\"%s\":{" STR_FMT "}}", own.len > 2 ? "," : "", collations_key,
             STR_ARG(buf_str(&text)));
}

enum { IN_FIELD = 1, AS_DECLARED = 2 };

static void put_json(Buf *b, const Type *t, unsigned how);

static void put_json_struct(Buf *b, const Type *t, unsigned how)
{
    buf_addz(b, "{\"type\":\"struct\",\"fields\":[");
    for (size_t i = 0; i < t->structure.count; i++) {
        const Field *f = &t->structure.fields[i];
        buf_addz(b, i ? ",{\"name\":" : "{\"name\":");
        json_put_str(b, f->name);
        buf_addz(b, ",\"type\":");
        put_json(b, f->type, how | IN_FIELD);
        buf_addf(b, ",\"nullable\":%s,\"metadata\":", f->nullable ? "true" : "false");
        put_metadata(b, f);
        buf_addc(b, '}');
    }
    buf_addz(b, "]}");
}

static void put_json(Buf *b, const Type *t, unsigned how)
{
    switch (t->kind) {
    case TYPE_ARRAY:
        buf_addz(b, "{\"type\":\"array\",\"elementType\":");
        put_json(b, t->array.element, how);
        buf_addf(b, ",\"containsNull\":%s}", t->array.nulls ? "true" : "false");
        return;
    case TYPE_MAP:
        buf_addz(b, "{\"type\":\"map\",\"keyType\":");
        put_json(b, t->map.key, how);
        buf_addz(b, ",\"valueType\":");
        put_json(b, t->map.value, how);
        buf_addf(b, ",\"valueContainsNull\":%s}", t->map.nulls ? "true" : "false");
        return;
    case TYPE_STRUCT:
        put_json_struct(b, t, how);
        return;
    case TYPE_STRING:
        if ((how & IN_FIELD) && ((how & AS_DECLARED) == 0 || type_is_collated(t) || !t->string.collation.len)) {
            buf_addz(b, "\"string\"");
            return;
        }
        break;
    case TYPE_GEOMETRY:
        buf_addf(b, "\"geometry(" STR_FMT ")\"", STR_ARG(srid_name(t->geo.srid, b->arena)));
        return;
    case TYPE_GEOGRAPHY:
        buf_addf(b, "\"geography(" STR_FMT ", SPHERICAL)\"", STR_ARG(srid_name(t->geo.srid, b->arena)));
        return;
    default:
        break;
    }
    buf_addc(b, '"');
    type_put_name(b, t);
    buf_addc(b, '"');
}

Str type_json(const Type *t, Arena *arena)
{
    Buf b = buf_in(arena);
    put_json(&b, t, 0);
    return buf_str(&b);
}

Str type_json_declared(const Type *t, Arena *arena)
{
    Buf b = buf_in(arena);
    put_json(&b, t, AS_DECLARED);
    return buf_str(&b);
}

/* ---- reading ---- */

typedef struct Reader {
    Arena *arena;
    Error *err;
    int depth;
    yyjson_val *collations; /* of the field being read; NULL when it has none */
} Reader;

static bool read_type(Reader *r, yyjson_val *v, Str path, const Type **out);

static bool refuse(Reader *r, yyjson_val *v)
{
    Str text = yyjson_is_str(v) ? json_str(v) : json_text(v, r->arena);
    return error_set(r->err, ERR_INVALID_JSON_DATA_TYPE, P("invalidType", text));
}

static const struct {
    const char *name;
    TypeKind kind;
} json_names[] = {
    {"void", TYPE_NULL},
    {"null", TYPE_NULL},
    {"boolean", TYPE_BOOLEAN},
    {"byte", TYPE_BYTE},
    {"short", TYPE_SHORT},
    {"integer", TYPE_INT},
    {"long", TYPE_LONG},
    {"float", TYPE_FLOAT},
    {"double", TYPE_DOUBLE},
    {"string", TYPE_STRING},
    {"binary", TYPE_BINARY},
    {"date", TYPE_DATE},
    {"timestamp", TYPE_TIMESTAMP},
    {"timestamp_ltz", TYPE_TIMESTAMP},
    {"timestamp_ntz", TYPE_TIMESTAMP_NTZ},
    {"variant", TYPE_VARIANT},
    {"decimal", TYPE_DECIMAL},
};

/* "geometry(OGC:CRS84)", "geography(OGC:CRS84, SPHERICAL)"; the bare names have the default system. */
static bool read_shape(Reader *r, Str name, const Type **out)
{
    TypeKind kind = str_starts_with(name, S("geography")) ? TYPE_GEOGRAPHY : TYPE_GEOMETRY;
    Str rest = str_slice(name, kind == TYPE_GEOGRAPHY ? 9 : 8, name.len);
    int srid = SRID_WGS84;
    if (rest.len) {
        if (rest.ptr[0] != '(' || rest.ptr[rest.len - 1] != ')')
            return false;
        rest = str_slice(rest, 1, rest.len - 1);
        ptrdiff_t comma = str_find_char(rest, ',');
        if (comma >= 0 && kind == TYPE_GEOGRAPHY) {
            Str edges = str_trim(str_slice(rest, (size_t)comma + 1, rest.len));
            if (!str_is_ci(edges, "SPHERICAL"))
                return error_set(r->err, ERR_ST_INVALID_ALGORITHM_VALUE, P("alg", edges));
            rest = str_slice(rest, 0, (size_t)comma);
        }
        if (!srid_from_name(rest, &srid) || (srid != SRID_ANY && !srid_is_known(kind, srid)))
            return error_set(r->err, ERR_ST_INVALID_CRS_VALUE, P("crs", rest));
    }
    *out = type_geo(kind, srid, r->arena);
    return true;
}

/* Names with parameters are spelled as in DDL. */
static bool read_parametric(Reader *r, yyjson_val *v, const Type **out)
{
    static const char *const prefixes[] = {"decimal(", "char(",  "varchar(",
                                           "time(",    "interval", "string collate "};
    Str name = json_str(v);
    if (str_starts_with(name, S("geometry")) || str_starts_with(name, S("geography"))) {
        if (read_shape(r, name, out))
            return true;
        if (r->err->cls == ERR_ST_INVALID_CRS_VALUE || r->err->cls == ERR_ST_INVALID_ALGORITHM_VALUE)
            return false;
    }
    for (size_t i = 0; i < LENGTH_OF(prefixes); i++) {
        if (!str_starts_with(name, str_from(prefixes[i])))
            continue;
        if (type_from_ddl(name, r->arena, out, r->err) && (*out)->kind != TYPE_STRUCT)
            return true;
        ErrorClass cls = r->err->cls;
        if (cls == ERR_DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION || cls == ERR_COLLATION_INVALID_NAME ||
            cls == ERR_UNSUPPORTED_TIME_PRECISION)
            return false;
        break;
    }
    return refuse(r, v);
}

/* "icu.UNICODE_CI" or "spark.UTF8_LCASE" for the string at this path. */
static bool read_collation(Reader *r, Str path, const Type **out)
{
    yyjson_val *entry = r->collations ? yyjson_obj_getn(r->collations, path.ptr, path.len) : NULL;
    Str text = json_str(entry), canonical;
    if (!text.len)
        return true;
    ptrdiff_t dot = str_find_char(text, '.');
    TRY(type_collation(str_slice(text, (size_t)(dot + 1), text.len), r->arena, &canonical, r->err));
    *out = type_string(canonical, r->arena);
    return true;
}

static bool read_name(Reader *r, yyjson_val *v, Str path, const Type **out)
{
    Str name = json_str(v);
    for (size_t i = 0; i < LENGTH_OF(json_names); i++) {
        if (!str_is(name, json_names[i].name))
            continue;
        *out = type_simple(json_names[i].kind);
        return json_names[i].kind == TYPE_STRING ? read_collation(r, path, out) : true;
    }
    return read_parametric(r, v, out);
}

/* The metadata object's text without the collations, which the type itself holds. */
static Str read_metadata(Reader *r, yyjson_val *metadata)
{
    size_t size = yyjson_obj_size(metadata);
    if (!size || (size == 1 && r->collations))
        return S("");
    if (!r->collations)
        return json_text(metadata, r->arena);
    Buf b = buf_in(r->arena);
    bool first = true;
    yyjson_obj_iter it = yyjson_obj_iter_with(metadata);
    buf_addc(&b, '{');
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&it));) {
        if (yyjson_equals_str(key, collations_key))
            continue;
        buf_addz(&b, first ? "" : ",");
        first = false;
        json_put_str(&b, json_str(key));
        buf_addc(&b, ':');
        buf_add(&b, json_text(yyjson_obj_iter_get_val(key), r->arena));
    }
    buf_addc(&b, '}');
    return buf_str(&b);
}

static bool read_field(Reader *r, yyjson_val *v, Field *f)
{
    yyjson_val *name = yyjson_obj_get(v, "name"), *type = yyjson_obj_get(v, "type");
    yyjson_val *metadata = yyjson_obj_get(v, "metadata");
    if (!yyjson_is_str(name) || !type)
        return refuse(r, v);
    yyjson_val *outer = r->collations;
    r->collations = yyjson_obj_get(metadata, collations_key);
    f->name = json_str(name);
    f->nullable = json_get_bool(v, "nullable", true);
    f->metadata = read_metadata(r, metadata);
    bool ok = read_type(r, type, f->name, &f->type);
    r->collations = outer;
    return ok;
}

static bool read_struct(Reader *r, yyjson_val *v, const Type **out)
{
    yyjson_val *list = yyjson_obj_get(v, "fields");
    if (!yyjson_is_arr(list))
        return refuse(r, v);
    size_t count = yyjson_arr_size(list), i = 0;
    Field *fields = ARENA_ARRAY(r->arena, Field, count);
    yyjson_arr_iter it = yyjson_arr_iter_with(list);
    for (yyjson_val *field; (field = yyjson_arr_iter_next(&it)); i++)
        TRY(read_field(r, field, &fields[i]));
    *out = type_struct(fields, count, r->arena);
    return true;
}

static bool read_array(Reader *r, yyjson_val *v, Str path, const Type **out)
{
    yyjson_val *item = yyjson_obj_get(v, "elementType");
    const Type *element;
    if (!item)
        return refuse(r, v);
    TRY(read_type(r, item, str_concat(r->arena, path, S(".element")), &element));
    *out = type_array(element, json_get_bool(v, "containsNull", true), r->arena);
    return true;
}

static bool read_map(Reader *r, yyjson_val *v, Str path, const Type **out)
{
    yyjson_val *k = yyjson_obj_get(v, "keyType"), *val = yyjson_obj_get(v, "valueType");
    const Type *key, *value;
    if (!k || !val)
        return refuse(r, v);
    TRY(read_type(r, k, str_concat(r->arena, path, S(".key")), &key));
    TRY(read_type(r, val, str_concat(r->arena, path, S(".value")), &value));
    *out = type_map(key, value, json_get_bool(v, "valueContainsNull", true), r->arena);
    return true;
}

static bool read_object(Reader *r, yyjson_val *v, Str path, const Type **out)
{
    Str kind = json_get_str(v, "type");
    if (str_is(kind, "struct"))
        return read_struct(r, v, out);
    if (str_is(kind, "array"))
        return read_array(r, v, path, out);
    if (str_is(kind, "map"))
        return read_map(r, v, path, out);
    /* A user-defined type is what it is stored as. */
    if (str_is(kind, "udt") && yyjson_obj_get(v, "sqlType"))
        return read_type(r, yyjson_obj_get(v, "sqlType"), path, out);
    return refuse(r, v);
}

static bool read_type(Reader *r, yyjson_val *v, Str path, const Type **out)
{
    if (r->depth == TYPE_MAX_DEPTH)
        return error_unsupported(r->err, "A data type nested more than %d levels deep", TYPE_MAX_DEPTH);
    r->depth++;
    bool ok = yyjson_is_str(v)   ? read_name(r, v, path, out)
            : yyjson_is_obj(v) ? read_object(r, v, path, out)
                               : refuse(r, v);
    r->depth--;
    return ok;
}

bool type_from_json(Str json, Arena *arena, const Type **out, Error *err)
{
    Reader r = {.arena = arena, .err = err};
    yyjson_val *root;
    TRY(json_parse(json, S("The schema"), arena, &root, err));
    return read_type(&r, root, S(""), out);
}
