/* Metadata of a table and its fields: properties, physical names, constraints, expressions kept as
 * SQL text. */
#include "delta/schema.h"

#include <stdio.h>
#include <string.h>

#include "delta/schema_impl.h"

/* ---- field metadata ---- */

static yyjson_val *parse_object(Str metadata, Arena *arena)
{
    yyjson_val *root;
    Error ignored = error_in(arena);
    if (!metadata.len || !json_parse(metadata, S("metadata"), arena, &root, &ignored) ||
        !yyjson_is_obj(root))
        return NULL;
    return root;
}

Str field_metadata_get(const Field *f, const char *key, Arena *arena)
{
    /* Most fields have none: look for the key before parsing. */
    if (str_find(f->metadata, str_from(key)) < 0)
        return S("");
    yyjson_val *v = yyjson_obj_get(parse_object(f->metadata, arena), key);
    return !v || yyjson_is_null(v) ? S("") : yyjson_is_str(v) ? json_str(v) : json_text(v, arena);
}

bool field_declared_type(const Field *f, Arena *arena, const Type **out, Error *err)
{
    Str declared = field_metadata_get(f, "__CHAR_VARCHAR_TYPE_STRING", arena);
    *out = f->type;
    return !declared.len || type_from_ddl(declared, arena, out, err);
}

Str field_metadata_with(Str metadata, const char *key, Str json_value, Arena *arena)
{
    yyjson_val *root = parse_object(metadata, arena), *k, *v;
    Buf b = buf_in(arena);
    bool first = true;
    size_t i, n;
    buf_addc(&b, '{');
    yyjson_obj_foreach (root, i, n, k, v) {
        if (str_is(json_str(k), key))
            continue;
        if (!first)
            buf_addc(&b, ',');
        first = false;
        json_put_str(&b, json_str(k));
        buf_addc(&b, ':');
        buf_add(&b, json_text(v, arena));
    }
    if (json_value.len) {
        json_put_key(&b, &first, key);
        buf_add(&b, json_value);
    }
    buf_addc(&b, '}');
    return buf_str(&b);
}

Str field_metadata_with_text(Str metadata, const char *key, Str text, Arena *arena)
{
    Buf b = buf_in(arena);
    json_put_str(&b, text);
    return field_metadata_with(metadata, key, buf_str(&b), arena);
}

Str delta_generation_expression(const Field *f, Arena *arena)
{
    return field_metadata_get(f, "delta.generationExpression", arena);
}

Str delta_default_expression(const Field *f, Arena *arena)
{
    return field_metadata_get(f, "CURRENT_DEFAULT", arena);
}

bool delta_is_identity(const Field *f)
{
    return str_find(f->metadata, S("\"delta.identity.start\"")) >= 0;
}

/* {"expression":{"expression":"x > 3"}}, itself a JSON string inside the metadata. */
bool delta_invariant(const Field *f, Arena *arena, Str *sql, Error *err)
{
    Str text = field_metadata_get(f, "delta.invariants", arena);
    *sql = S("");
    if (!text.len)
        return true;
    *sql = json_get_str(yyjson_obj_get(parse_object(text, arena), "expression"), "expression");
    return sql->len || error_set(err, ERR_DELTA_UNRECOGNIZED_INVARIANT);
}

/* ---- column mapping ---- */

Str mapping_name(ColumnMapping mapping)
{
    static const char *const NAMES[] = {"none", "name", "id"};
    return str_from(NAMES[mapping]);
}

ColumnMapping metadata_column_mapping(const Metadata *m)
{
    Str mode = metadata_property(m, "delta.columnMapping.mode");
    return str_is_ci(mode, "name") ? MAPPING_NAME
           : str_is_ci(mode, "id") ? MAPPING_ID
                                   : MAPPING_NONE;
}

Str delta_physical_name(const Field *f, ColumnMapping mapping, Arena *arena)
{
    Str name = mapping == MAPPING_NONE
                   ? S("")
                   : field_metadata_get(f, "delta.columnMapping.physicalName", arena);
    return name.len ? name : f->name;
}

int64_t delta_field_id(const Field *f)
{
    AUTO_ARENA(scratch) = arena_new();
    int64_t id;
    return str_to_i64(field_metadata_get(f, "delta.columnMapping.id", scratch), &id) ? id : -1;
}

const Type *schema_physical(const Type *t, ColumnMapping mapping, Arena *arena)
{
    if (mapping == MAPPING_NONE)
        return t;
    switch (t->kind) {
    case TYPE_STRUCT: {
        Field *fields = ARENA_ARRAY(arena, Field, t->structure.count);
        for (size_t i = 0; i < t->structure.count; i++) {
            fields[i] = t->structure.fields[i];
            fields[i].name = delta_physical_name(&fields[i], mapping, arena);
            fields[i].type = schema_physical(fields[i].type, mapping, arena);
        }
        return type_struct(fields, t->structure.count, arena);
    }
    case TYPE_ARRAY:
        return type_array(schema_physical(t->array.element, mapping, arena), t->array.nulls, arena);
    case TYPE_MAP:
        return type_map(schema_physical(t->map.key, mapping, arena),
                        schema_physical(t->map.value, mapping, arena), t->map.nulls, arena);
    default: return t;
    }
}

/* ---- type changes ---- */

static int integral_rank(Str type)
{
    static const char *const names[] = {"byte", "short", "integer", "long"};
    for (int i = 0; i < (int)LENGTH_OF(names); i++)
        if (str_is(type, names[i]))
            return i;
    return -1;
}

static bool read_decimal(Str type, int *precision, int *scale)
{
    char text[32];
    if (type.len >= sizeof text)
        return false;
    memcpy(text, type.ptr, type.len);
    text[type.len] = 0;
    return sscanf(text, "decimal(%d,%d)", precision, scale) == 2;
}

/* PROTOCOL.md "Type Widening": the supported type changes. */
static bool is_widening(Str from, Str to)
{
    int a = integral_rank(from), b = integral_rank(to), p, s, q, t;
    if (a >= 0 && b >= 0)
        return a < b;
    if (str_is(to, "double"))
        return str_is(from, "float") || (a >= 0 && a <= 2);
    if (str_is(from, "date"))
        return str_is(to, "timestamp_ntz");
    if (!read_decimal(to, &q, &t))
        return false;
    if (a >= 0)
        return q - t >= (a == 3 ? 20 : 10);
    return read_decimal(from, &p, &s) && t >= s && q - p >= t - s;
}

static Str type_name(yyjson_val *v, Arena *arena)
{
    return yyjson_is_str(v) ? json_str(v) : json_text(v, arena);
}

/* "long": as schemas name a plain type. */
static Str plain_name(const Type *t, Arena *arena)
{
    Str json = type_json(t, arena);
    return json.len > 2 && json.ptr[0] == '"' ? str_slice(json, 1, json.len - 1) : json;
}

bool type_is_widening(const Type *from, const Type *to)
{
    AUTO_ARENA(scratch) = arena_new();
    return !type_is_nested(from) && !type_is_nested(to) &&
           is_widening(plain_name(from, scratch), plain_name(to, scratch));
}

static bool type_was_coarser(const Type *t)
{
    switch (t->kind) {
    case TYPE_ARRAY: return type_was_coarser(t->array.element);
    case TYPE_MAP: return type_was_coarser(t->map.key) || type_was_coarser(t->map.value);
    case TYPE_STRUCT:
        for (size_t i = 0; i < t->structure.count; i++)
            if (field_was_coarser(&t->structure.fields[i]))
                return true;
        return false;
    default: return false;
    }
}

bool field_was_coarser(const Field *f)
{
    AUTO_ARENA(scratch) = arena_new();
    yyjson_val *change;
    size_t i, n;
    if (str_find(f->metadata, S("\"delta.typeChanges\"")) < 0)
        return type_was_coarser(f->type);
    yyjson_arr_foreach (yyjson_obj_get(parse_object(f->metadata, scratch), "delta.typeChanges"), i, n, change)
        if (integral_rank(type_name(yyjson_obj_get(change, "toType"), scratch)) < 0)
            return true;
    return type_was_coarser(f->type);
}

typedef struct ChangeNote {
    Arena *arena;
    Buf entries; /* JSON objects of the field that is looked at */
} ChangeNote;

static const Type *note_fields(const Type *before, const Type *after, Arena *arena);

/* Inside arrays and maps the way from the field is written as element, key and value. */
static const Type *note_changes(ChangeNote *n, const Type *before, const Type *after, Str path)
{
    if (before->kind == TYPE_STRUCT && after->kind == TYPE_STRUCT)
        return note_fields(before, after, n->arena);
    const char *dot = path.len ? "." : "";
    if (before->kind == TYPE_ARRAY && after->kind == TYPE_ARRAY)
        return type_array(note_changes(n, before->array.element, after->array.element,
                                       str_printf(n->arena, STR_FMT "%selement", STR_ARG(path), dot)),
                          after->array.nulls, n->arena);
    if (before->kind == TYPE_MAP && after->kind == TYPE_MAP) {
        const Type *key = note_changes(n, before->map.key, after->map.key,
                                       str_printf(n->arena, STR_FMT "%skey", STR_ARG(path), dot));
        const Type *value = note_changes(n, before->map.value, after->map.value,
                                         str_printf(n->arena, STR_FMT "%svalue", STR_ARG(path), dot));
        return type_map(key, value, after->map.nulls, n->arena);
    }
    if (type_is_widening(before, after)) {
        buf_addf(&n->entries, "%s{\"toType\":\"" STR_FMT "\",\"fromType\":\"" STR_FMT "\"",
                 n->entries.len ? "," : "", STR_ARG(plain_name(after, n->arena)),
                 STR_ARG(plain_name(before, n->arena)));
        if (path.len)
            buf_addf(&n->entries, ",\"fieldPath\":\"" STR_FMT "\"", STR_ARG(path));
        buf_addc(&n->entries, '}');
    }
    return after;
}

static const Type *note_fields(const Type *before, const Type *after, Arena *arena)
{
    Field *fields = ARENA_ARRAY(arena, Field, after->structure.count + 1);
    for (size_t i = 0; i < after->structure.count; i++) {
        fields[i] = after->structure.fields[i];
        int was = type_field_index(before, fields[i].name, true);
        if (was < 0)
            continue;
        ChangeNote n = {arena, buf_in(arena)};
        fields[i].type = note_changes(&n, before->structure.fields[was].type, fields[i].type, S(""));
        if (!n.entries.len)
            continue;
        Str known = field_metadata_get(&fields[i], "delta.typeChanges", arena);
        Str inner = known.len > 2 ? str_concat(arena, str_slice(known, 1, known.len - 1), S(",")) : S("");
        fields[i].metadata = field_metadata_with(
            fields[i].metadata, "delta.typeChanges",
            str_printf(arena, "[" STR_FMT STR_FMT "]", STR_ARG(inner), STR_ARG(buf_str(&n.entries))), arena);
    }
    return type_struct(fields, after->structure.count, arena);
}

const Type *schema_note_widening(const Type *before, const Type *after, Arena *arena)
{
    return note_fields(before, after, arena);
}

static bool check_field_changes(const Field *f, Arena *arena, Error *err)
{
    if (str_find(f->metadata, S("\"delta.typeChanges\"")) < 0)
        return true;
    yyjson_val *changes = yyjson_obj_get(parse_object(f->metadata, arena), "delta.typeChanges"),
               *change;
    size_t i, n;
    yyjson_arr_foreach (changes, i, n, change) {
        Str from = type_name(yyjson_obj_get(change, "fromType"), arena);
        Str to = type_name(yyjson_obj_get(change, "toType"), arena);
        if (!is_widening(from, to))
            return error_set(err, ERR_DELTA_UNSUPPORTED_TYPE_CHANGE_IN_SCHEMA,
                             P("fieldName", f->name), P("fromType", from), P("toType", to));
    }
    return true;
}

bool schema_check_type_changes(const Type *t, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    switch (t->kind) {
    case TYPE_STRUCT:
        for (size_t i = 0; i < t->structure.count; i++) {
            TRY(check_field_changes(&t->structure.fields[i], scratch, err));
            TRY(schema_check_type_changes(t->structure.fields[i].type, err));
        }
        return true;
    case TYPE_ARRAY: return schema_check_type_changes(t->array.element, err);
    case TYPE_MAP:
        return schema_check_type_changes(t->map.key, err) &&
               schema_check_type_changes(t->map.value, err);
    default: return true;
    }
}

/* ---- constraints ---- */

static bool add_invariants(const Type *t, Str prefix, Arena *arena, DeltaConstraintVec *out,
                           Error *err)
{
    for (size_t i = 0; t->kind == TYPE_STRUCT && i < t->structure.count; i++) {
        const Field *f = &t->structure.fields[i];
        Str sql, name = prefix.len ? str_printf(arena, STR_FMT "." STR_FMT, STR_ARG(prefix),
                                                STR_ARG(f->name))
                                   : f->name;
        TRY(delta_invariant(f, arena, &sql, err));
        if (sql.len)
            vec_push(arena, out, ((DeltaConstraint){name, sql, true}));
        TRY(add_invariants(f->type, name, arena, out, err));
    }
    return true;
}

bool metadata_constraints(const Metadata *m, Arena *arena, DeltaConstraintVec *out, Error *err)
{
    Str prefix = S("delta.constraints.");
    *out = (DeltaConstraintVec){0};
    for (size_t i = 0; i < m->configuration.len; i++) {
        const Property *p = &m->configuration.at[i];
        if (str_istarts_with(p->key, prefix) && !p->is_null)
            vec_push(
                arena, out,
                ((DeltaConstraint){str_slice(p->key, prefix.len, p->key.len), p->value, false}));
    }
    return !m->schema || add_invariants(m->schema, S(""), arena, out, err);
}

/* ---- properties ---- */

Str metadata_property(const Metadata *m, const char *key)
{
    return property_get(&m->configuration, key);
}

bool metadata_property_bool(const Metadata *m, const char *key, bool otherwise)
{
    Str value = metadata_property(m, key);
    return value.len ? str_is_ci(value, "true") : otherwise;
}

void metadata_set_property(Metadata *m, Str key, Str value, Arena *arena)
{
    for (size_t i = 0; i < m->configuration.len; i++) {
        if (str_eq(m->configuration.at[i].key, key)) {
            m->configuration.at[i] = (Property){key, value, false};
            return;
        }
    }
    vec_push(arena, &m->configuration, ((Property){key, value, false}));
}

void metadata_unset_property(Metadata *m, Str key)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->configuration.len; i++)
        if (!str_eq(m->configuration.at[i].key, key))
            m->configuration.at[kept++] = m->configuration.at[i];
    m->configuration.len = kept;
}

Metadata *metadata_copy(const Metadata *m, Arena *arena)
{
    Metadata *out = ARENA_NEW(arena, Metadata);
    *out = metadata_copy_into(m, arena);
    out->schema = m->schema ? type_copy(m->schema, arena) : NULL;
    return out;
}

static int64_t unit_ms(Str unit)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {
        {"week", 604800000}, {"day", 86400000}, {"hour", 3600000},
        {"minute", 60000},   {"second", 1000},  {"millisecond", 1},
    };
    if (unit.len > 1 && (unit.ptr[unit.len - 1] == 's' || unit.ptr[unit.len - 1] == 'S'))
        unit.len--;
    for (size_t i = 0; i < LENGTH_OF(units); i++)
        if (str_is_ci(unit, units[i].name))
            return units[i].ms;
    return -1;
}

static Str next_word(Str *rest)
{
    *rest = str_trim(*rest);
    size_t end = 0;
    while (end < rest->len && rest->ptr[end] != ' ')
        end++;
    Str word = str_slice(*rest, 0, end);
    *rest = str_slice(*rest, end, rest->len);
    return word;
}

int64_t metadata_interval_ms(const Metadata *m, const char *key, int64_t otherwise_ms)
{
    Str rest = metadata_property(m, key);
    int64_t total = 0;
    bool any = false;
    for (Str word = next_word(&rest); word.len; word = next_word(&rest)) {
        int64_t count, product, unit;
        if (str_is_ci(word, "interval") && !any)
            continue;
        if (!str_to_i64(word, &count) || (unit = unit_ms(next_word(&rest))) < 0 ||
            __builtin_mul_overflow(count, unit, &product) ||
            __builtin_add_overflow(total, product, &total))
            return otherwise_ms;
        any = true;
    }
    return any && total >= 0 ? total : otherwise_ms;
}
