/* Avro schemas: read from JSON, as Spark types, and written for rows of Spark types. Avro 1.12 specification "Schema Declaration";
 * Spark SQL guide "Apache Avro Data Source Guide". */
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "engine/avro.h"

typedef struct Parse {
    Arena *arena;
    Error *err;
    Map named;
} Parse;

static bool bad(Parse *p, const char *what)
{
    return error_set(p->err, ERR_FAILED_READ_FILE__NO_HINT, PZ("path", "") , PZ("message", what));
}

static AvroSchema *schema_new(Parse *p, AvroKind kind)
{
    AvroSchema *s = ARENA_NEW(p->arena, AvroSchema);
    s->kind = kind;
    return s;
}

/* ---- names ---- */

static const struct {
    const char *name;
    AvroKind kind;
} PLAIN[] = {{"null", AVRO_NULL},   {"boolean", AVRO_BOOLEAN}, {"int", AVRO_INT},     {"long", AVRO_LONG},
             {"float", AVRO_FLOAT}, {"double", AVRO_DOUBLE},   {"bytes", AVRO_BYTES}, {"string", AVRO_STRING}};

static Str full_name(Parse *p, Str name, Str space)
{
    if (str_find_char(name, '.') >= 0 || !space.len)
        return name;
    return str_printf(p->arena, STR_FMT "." STR_FMT, STR_ARG(space), STR_ARG(name));
}

static bool schema_by_name(Parse *p, Str name, Str space, AvroSchema **out)
{
    for (size_t i = 0; i < LENGTH_OF(PLAIN); i++)
        if (str_is(name, PLAIN[i].name)) {
            *out = schema_new(p, PLAIN[i].kind);
            return true;
        }
    *out = map_get(&p->named, full_name(p, name, space));
    if (!*out)
        *out = map_get(&p->named, name);
    return *out || bad(p, "the Avro schema names a type that it does not define");
}

/* ---- parts ---- */

static bool parse(Parse *p, yyjson_val *v, Str space, int depth, AvroSchema **out);

static bool add_part(Parse *p, AvroSchema *s, yyjson_val *v, Str space, int depth)
{
    AvroSchema *part;
    TRY(parse(p, v, space, depth + 1, &part));
    vec_push(p->arena, &s->parts, part);
    return true;
}

static bool parse_fields(Parse *p, yyjson_val *v, Str space, int depth, AvroSchema *s)
{
    yyjson_val *fields = yyjson_obj_get(v, "fields"), *f;
    size_t i, n;
    if (!yyjson_is_arr(fields))
        return bad(p, "an Avro record without fields");
    yyjson_arr_foreach(fields, i, n, f)
    {
        yyjson_val *otherwise = yyjson_obj_get(f, "default");
        vec_push(p->arena, &s->names, str_copy(json_get_str(f, "name"), p->arena));
        if (otherwise)
            vec_push(p->arena, &s->defaults, vec_last(&s->names));
        s->has_defaults |= otherwise && !yyjson_is_null(otherwise);
        TRY(add_part(p, s, yyjson_obj_get(f, "type"), space, depth));
    }
    return true;
}

static bool parse_named(Parse *p, yyjson_val *v, AvroKind kind, Str space, int depth, AvroSchema **out)
{
    AvroSchema *s = *out = schema_new(p, kind);
    Str name = json_get_str(v, "name"), own = json_get_str(v, "namespace");
    s->name = str_copy(full_name(p, name, own.len ? own : space), p->arena);
    if (!name.len)
        return bad(p, "an Avro type without its name");
    map_put(&p->named, s->name, s);
    ptrdiff_t dot = str_rfind_char(s->name, '.');
    if (kind == AVRO_RECORD)
        return parse_fields(p, v, dot < 0 ? S("") : str_slice(s->name, 0, (size_t)dot), depth, s);
    if (kind == AVRO_FIXED) {
        int64_t size = json_get_i64(v, "size", -1);
        s->size = (size_t)size;
        return (size >= 0 && size <= INT32_MAX) || bad(p, "an Avro fixed without its size");
    }
    yyjson_val *symbol;
    size_t i, n;
    yyjson_arr_foreach(yyjson_obj_get(v, "symbols"), i, n, symbol)
        vec_push(p->arena, &s->names, str_copy(json_str(symbol), p->arena));
    return true;
}

/* A decimal that its bytes cannot hold is none, as in Avro's own library. */
static void note_decimal(Parse *p, yyjson_val *v, AvroSchema *s)
{
    int64_t precision = json_get_i64(v, "precision", 0), scale = json_get_i64(v, "scale", 0);
    if (precision < 1 || precision > DECIMAL_MAX_PRECISION || scale < 0 || scale > precision)
        return;
    if (s->kind == AVRO_FIXED && precision > (int64_t)((8.0 * (double)s->size - 1) * 0.30103))
        return;
    s->scale = (int)scale;
    s->logical = type_decimal((int)precision, (int)scale, p->arena);
}

static bool note_logical(Parse *p, yyjson_val *v, AvroSchema *s)
{
    Str logical = json_get_str(v, "logicalType"), own = json_get_str(v, "spark.sql.catalyst.type");
    if (s->kind == AVRO_INT && str_is(logical, "date"))
        s->logical = type_simple(TYPE_DATE);
    else if (s->kind == AVRO_LONG && str_starts_with(logical, S("timestamp-m")))
        s->logical = type_simple(TYPE_TIMESTAMP);
    else if (s->kind == AVRO_LONG && str_starts_with(logical, S("local-timestamp-m")))
        s->logical = type_simple(TYPE_TIMESTAMP_NTZ);
    else if (s->kind == AVRO_LONG && str_is(logical, "time-micros"))
        s->logical = type_simple(TYPE_TIME);
    else if ((s->kind == AVRO_BYTES || s->kind == AVRO_FIXED) && str_is(logical, "decimal"))
        note_decimal(p, v, s);
    else if ((s->kind == AVRO_INT || s->kind == AVRO_LONG) && own.len)
        TRY(type_from_ddl(str_copy(own, p->arena), p->arena, &s->logical, p->err));
    s->millis = str_ends_with(logical, S("-millis"));
    return true;
}

static bool parse_object(Parse *p, yyjson_val *v, Str space, int depth, AvroSchema **out)
{
    yyjson_val *type = yyjson_obj_get(v, "type");
    Str name = json_str(type);
    if (!yyjson_is_str(type))
        return parse(p, type, space, depth + 1, out);
    if (str_is(name, "record") || str_is(name, "error"))
        return parse_named(p, v, AVRO_RECORD, space, depth, out);
    if (str_is(name, "enum"))
        return parse_named(p, v, AVRO_ENUM, space, depth, out);
    if (str_is(name, "fixed"))
        return parse_named(p, v, AVRO_FIXED, space, depth, out) && note_logical(p, v, *out);
    if (str_is(name, "array") || str_is(name, "map")) {
        *out = schema_new(p, str_is(name, "array") ? AVRO_ARRAY : AVRO_MAP);
        return add_part(p, *out, yyjson_obj_get(v, (*out)->kind == AVRO_ARRAY ? "items" : "values"), space, depth);
    }
    return schema_by_name(p, name, space, out) && ((*out)->name.len || note_logical(p, v, *out));
}

static bool parse(Parse *p, yyjson_val *v, Str space, int depth, AvroSchema **out)
{
    if (depth > AVRO_MAX_DEPTH)
        return error_unsupported(p->err, "An Avro schema nested more than %d levels deep", AVRO_MAX_DEPTH);
    if (yyjson_is_str(v))
        return schema_by_name(p, json_str(v), space, out);
    if (yyjson_is_obj(v))
        return parse_object(p, v, space, depth, out);
    if (!yyjson_is_arr(v))
        return bad(p, "the Avro schema is damaged");
    yyjson_val *branch;
    size_t i, n;
    *out = schema_new(p, AVRO_UNION);
    yyjson_arr_foreach(v, i, n, branch)
        TRY(add_part(p, *out, branch, space, depth));
    return true;
}

bool avro_schema_parse(Str json, Arena *arena, AvroSchema **out, Error *err)
{
    yyjson_val *root;
    Parse p = {arena, err, map_in(arena)};
    return json_parse(json, S("an Avro schema"), arena, &root, err) && parse(&p, root, S(""), 0, out);
}

/* ---- as Spark types ---- */

const AvroSchema *avro_schema_plain(const AvroSchema *s)
{
    const AvroSchema *only = NULL;
    if (s->kind != AVRO_UNION)
        return s;
    for (size_t i = 0; i < s->parts.len; i++) {
        if (s->parts.at[i]->kind == AVRO_NULL)
            continue;
        if (only)
            return NULL;
        only = s->parts.at[i];
    }
    return only ? only : s->parts.len ? s->parts.at[0] : NULL;
}

/* int with long, and float with double, are the wider one. */
static const Type *numeric_union(const AvroSchema *s)
{
    unsigned kinds = 0, ints = 1u << AVRO_INT | 1u << AVRO_LONG, reals = 1u << AVRO_FLOAT | 1u << AVRO_DOUBLE;
    for (size_t i = 0; i < s->parts.len; i++)
        kinds |= 1u << s->parts.at[i]->kind;
    kinds &= ~(1u << AVRO_NULL);
    return kinds == ints ? type_simple(TYPE_LONG) : kinds == reals ? type_simple(TYPE_DOUBLE) : NULL;
}

static bool union_type(AvroSchema *s, int depth, Arena *arena, const Type **out, Error *err)
{
    const AvroSchema *plain = avro_schema_plain(s);
    if (plain)
        return avro_schema_type((AvroSchema *)plain, depth + 1, arena, out, err);
    *out = numeric_union(s);
    if (*out || !s->parts.len)
        return *out || error_unsupported(err, "An Avro union without branches");
    Field *fields = ARENA_ARRAY(arena, Field, s->parts.len);
    size_t n = 0;
    for (size_t i = 0; i < s->parts.len; i++) {
        if (s->parts.at[i]->kind == AVRO_NULL)
            continue;
        fields[n] = (Field){str_printf(arena, "member%zu", n), NULL, true, S("")};
        TRY(avro_schema_type(s->parts.at[i], depth + 1, arena, &fields[n++].type, err));
    }
    *out = type_struct(fields, n, arena);
    return true;
}

static bool record_type(AvroSchema *s, int depth, Arena *arena, const Type **out, Error *err)
{
    if (s->entered)
        return error_unsupported(err, "The recursive Avro type " STR_FMT, STR_ARG(s->name));
    s->entered = true;
    Field *fields = ARENA_ARRAY(arena, Field, s->parts.len + 1);
    for (size_t i = 0; i < s->parts.len; i++) {
        fields[i] = (Field){s->names.at[i], NULL, true, S("")};
        TRY(avro_schema_type(s->parts.at[i], depth + 1, arena, &fields[i].type, err));
    }
    s->entered = false;
    *out = type_struct(fields, s->parts.len, arena);
    return true;
}

bool avro_schema_type(AvroSchema *s, int depth, Arena *arena, const Type **out, Error *err)
{
    static const TypeKind SIMPLE[] = {[AVRO_NULL] = TYPE_NULL,     [AVRO_BOOLEAN] = TYPE_BOOLEAN, [AVRO_INT] = TYPE_INT,
                                      [AVRO_LONG] = TYPE_LONG,     [AVRO_FLOAT] = TYPE_FLOAT,     [AVRO_DOUBLE] = TYPE_DOUBLE,
                                      [AVRO_BYTES] = TYPE_BINARY,  [AVRO_STRING] = TYPE_STRING,   [AVRO_ENUM] = TYPE_STRING,
                                      [AVRO_FIXED] = TYPE_BINARY};
    if (depth > AVRO_MAX_DEPTH)
        return error_unsupported(err, "An Avro schema nested more than %d levels deep", AVRO_MAX_DEPTH);
    const Type *part;
    switch (s->kind) {
    case AVRO_RECORD: return record_type(s, depth, arena, out, err);
    case AVRO_UNION: return union_type(s, depth, arena, out, err);
    case AVRO_ARRAY:
    case AVRO_MAP:
        TRY(avro_schema_type(s->parts.at[0], depth + 1, arena, &part, err));
        *out = s->kind == AVRO_ARRAY ? type_array(part, true, arena) : type_map(type_simple(TYPE_STRING), part, true, arena);
        return true;
    default:
        *out = s->logical ? s->logical : type_simple(SIMPLE[s->kind]);
        return true;
    }
}

/* ---- from Spark types ---- */

typedef struct Writing {
    Buf *b;
    Arena *arena;
    Error *err;
} Writing;

static bool put_type(Writing *w, const Type *t, bool nullable, Str name, Str space, int depth, const bool *skip);

static bool put_record(Writing *w, const Type *t, Str name, Str space, int depth, const bool *skip)
{
    Str below = space.len ? str_printf(w->arena, STR_FMT "." STR_FMT, STR_ARG(space), STR_ARG(name)) : name;
    bool first = true;
    buf_addz(w->b, "{\"type\":\"record\",\"name\":");
    json_put_str(w->b, name);
    if (space.len) {
        buf_addz(w->b, ",\"namespace\":");
        json_put_str(w->b, space);
    }
    buf_addz(w->b, ",\"fields\":[");
    for (size_t i = 0; i < t->structure.count; i++) {
        const Field *f = &t->structure.fields[i];
        if (skip && skip[i])
            continue;
        buf_addz(w->b, first ? "{\"name\":" : ",{\"name\":");
        first = false;
        json_put_str(w->b, f->name);
        buf_addz(w->b, ",\"type\":");
        TRY(put_type(w, f->type, true, f->name, below, depth + 1, NULL));
        buf_addc(w->b, '}');
    }
    buf_addz(w->b, "]}");
    return true;
}

static void put_decimal(Writing *w, const Type *t, Str name, Str space)
{
    Str below = space.len ? str_printf(w->arena, STR_FMT "." STR_FMT, STR_ARG(space), STR_ARG(name)) : name;
    buf_addz(w->b, "{\"type\":\"fixed\",\"name\":\"fixed\",\"namespace\":");
    json_put_str(w->b, below);
    buf_addf(w->b, ",\"size\":%d,\"logicalType\":\"decimal\",\"precision\":%d,\"scale\":%d}", avro_decimal_bytes(t->decimal.precision),
             t->decimal.precision, t->decimal.scale);
}

static bool put_plain(Writing *w, const Type *t, Str name, Str space, int depth, const bool *skip)
{
    switch (t->kind) {
    case TYPE_BOOLEAN: buf_addz(w->b, "\"boolean\""); return true;
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT: buf_addz(w->b, "\"int\""); return true;
    case TYPE_LONG: buf_addz(w->b, "\"long\""); return true;
    case TYPE_FLOAT: buf_addz(w->b, "\"float\""); return true;
    case TYPE_DOUBLE: buf_addz(w->b, "\"double\""); return true;
    case TYPE_STRING:
    case TYPE_CHAR:
    case TYPE_VARCHAR: buf_addz(w->b, "\"string\""); return true;
    case TYPE_BINARY: buf_addz(w->b, "\"bytes\""); return true;
    case TYPE_NULL: buf_addz(w->b, "\"null\""); return true;
    case TYPE_DATE: buf_addz(w->b, "{\"type\":\"int\",\"logicalType\":\"date\"}"); return true;
    case TYPE_TIMESTAMP: buf_addz(w->b, "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}"); return true;
    case TYPE_TIMESTAMP_NTZ: buf_addz(w->b, "{\"type\":\"long\",\"logicalType\":\"local-timestamp-micros\"}"); return true;
    case TYPE_TIME: buf_addz(w->b, "{\"type\":\"long\",\"logicalType\":\"time-micros\"}"); return true;
    case TYPE_INTERVAL_YM:
    case TYPE_INTERVAL_DT:
        buf_addf(w->b, "{\"type\":\"%s\",\"spark.sql.catalyst.type\":", t->kind == TYPE_INTERVAL_YM ? "int" : "long");
        json_put_str(w->b, type_simple_string(t, w->arena));
        buf_addc(w->b, '}');
        return true;
    case TYPE_DECIMAL: put_decimal(w, t, name, space); return true;
    case TYPE_STRUCT: return put_record(w, t, name, space, depth, skip);
    case TYPE_ARRAY:
        buf_addz(w->b, "{\"type\":\"array\",\"items\":");
        TRY(put_type(w, t->array.element, true, name, space, depth + 1, NULL));
        buf_addc(w->b, '}');
        return true;
    case TYPE_MAP:
        if (!type_is_stringy(t->map.key))
            break;
        buf_addz(w->b, "{\"type\":\"map\",\"values\":");
        TRY(put_type(w, t->map.value, true, name, space, depth + 1, NULL));
        buf_addc(w->b, '}');
        return true;
    default: break;
    }
    return error_set(w->err, ERR_UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE, PZ("format", "Avro"),
                     P("columnName", str_printf(w->err->arena, "`" STR_FMT "`", STR_ARG(name))),
                     P("columnType", str_printf(w->err->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(t, w->err->arena)))));
}

/* Everything may be null: which columns are not is no longer known where files are written. */
static bool put_type(Writing *w, const Type *t, bool nullable, Str name, Str space, int depth, const bool *skip)
{
    nullable = nullable && t->kind != TYPE_NULL;
    if (depth > AVRO_MAX_DEPTH)
        return error_unsupported(w->err, "An Avro schema nested more than %d levels deep", AVRO_MAX_DEPTH);
    buf_addz(w->b, nullable ? "[" : "");
    TRY(put_plain(w, t, name, space, depth, skip));
    buf_addz(w->b, nullable ? ",\"null\"]" : "");
    return true;
}

bool avro_schema_text(const Type *row, const bool *skip, Str record_name, Str name_space, Arena *arena, Str *out, Error *err)
{
    Buf b = buf_in(arena);
    Writing w = {&b, arena, err};
    TRY(put_type(&w, row, false, record_name, name_space, 0, skip));
    *out = buf_str(&b);
    return true;
}
