/* Column mapping as writers keep it: every field of a mapped table gets an id and a physical name
 * once, and neither is ever used again (PROTOCOL.md "Column Mapping"). */
#include "delta/mapping.h"

#include "base/clock.h"
#include "delta/iceberg_compat.h"
#include "delta/schema.h"

#define ID_KEY "delta.columnMapping.id"
#define NAME_KEY "delta.columnMapping.physicalName"
#define NESTED_KEY "delta.columnMapping.nested.ids"
#define MAX_KEY "delta.columnMapping.maxColumnId"

/* ---- any change of every field, at every depth ---- */

typedef struct FieldChange {
    void (*change)(struct FieldChange *x, Field *f);
    Arena *arena;
    int64_t highest;
    bool keep_names;
} FieldChange;

static const Type *change_fields(FieldChange *x, const Type *t)
{
    switch (t->kind) {
    case TYPE_STRUCT: {
        Field *fields = ARENA_ARRAY(x->arena, Field, t->structure.count + 1);
        for (size_t i = 0; i < t->structure.count; i++) {
            fields[i] = t->structure.fields[i];
            x->change(x, &fields[i]);
            fields[i].type = change_fields(x, fields[i].type);
        }
        return type_struct(fields, t->structure.count, x->arena);
    }
    case TYPE_ARRAY:
        return type_array(change_fields(x, t->array.element), t->array.nulls, x->arena);
    case TYPE_MAP: {
        const Type *key = change_fields(x, t->map.key);
        return type_map(key, change_fields(x, t->map.value), t->map.nulls, x->arena);
    }
    default: return t;
    }
}

static void note_id(FieldChange *x, Field *f)
{
    Error ignored = error_in(x->arena);
    yyjson_val *nested, *key, *value;
    size_t i, n;
    int64_t id = delta_field_id(f);
    x->highest = id > x->highest ? id : x->highest;
    Str text = field_metadata_get(f, NESTED_KEY, x->arena);
    if (!text.len || !json_parse(text, S(NESTED_KEY), x->arena, &nested, &ignored))
        return;
    yyjson_obj_foreach (nested, i, n, key, value)
        if (yyjson_get_sint(value) > x->highest)
            x->highest = yyjson_get_sint(value);
}

/* An id stands before those of the fields inside, as Delta counts them. */
static void assign_field(FieldChange *x, Field *f)
{
    if (delta_field_id(f) < 0)
        f->metadata = field_metadata_with(
            f->metadata, ID_KEY, str_printf(x->arena, "%lld", (long long)++x->highest), x->arena);
    if (field_metadata_get(f, NAME_KEY, x->arena).len)
        return;
    Str name = x->keep_names ? f->name
                             : str_concat(x->arena, S("col-"), clock_uuid_in(x->arena));
    f->metadata = field_metadata_with_text(f->metadata, NAME_KEY, name, x->arena);
}

static void forget_field(FieldChange *x, Field *f)
{
    static const char *const KEYS[] = {ID_KEY, NAME_KEY, NESTED_KEY};
    if (str_find(f->metadata, S("\"delta.columnMapping.")) < 0)
        return;
    for (size_t i = 0; i < LENGTH_OF(KEYS); i++)
        f->metadata = field_metadata_with(f->metadata, KEYS[i], (Str){0}, x->arena);
}

static void forget_changes(FieldChange *x, Field *f)
{
    if (str_find(f->metadata, S("\"delta.typeChanges\"")) >= 0)
        f->metadata = field_metadata_with(f->metadata, "delta.typeChanges", (Str){0}, x->arena);
}

/* ---- ids of elements, keys and values: icebergCompatV2 and later ---- */

typedef struct NestedIds {
    FieldChange *change;
    yyjson_val *known;
    Buf text;
    bool first;
} NestedIds;

/* Down to the next struct, whose fields have ids of their own. */
static void put_nested_ids(NestedIds *n, const Type *t, Str path)
{
    static const char *const PARTS[] = {"element", "key", "value"};
    const Type *inner[] = {t->kind == TYPE_ARRAY ? t->array.element : NULL,
                           t->kind == TYPE_MAP ? t->map.key : NULL,
                           t->kind == TYPE_MAP ? t->map.value : NULL};
    for (size_t i = 0; i < LENGTH_OF(inner); i++) {
        if (!inner[i])
            continue;
        Str name = str_printf(n->change->arena, STR_FMT ".%s", STR_ARG(path), PARTS[i]);
        int64_t id = json_get_i64(n->known, str_z(name, n->change->arena), -1);
        json_put_key(&n->text, &n->first, str_z(name, n->change->arena));
        buf_addf(&n->text, "%lld", (long long)(id >= 0 ? id : ++n->change->highest));
        put_nested_ids(n, inner[i], name);
    }
}

static void assign_nested(FieldChange *x, Field *f)
{
    Error ignored = error_in(x->arena);
    NestedIds n = {.change = x, .text = buf_in(x->arena), .first = true};
    Str known = field_metadata_get(f, NESTED_KEY, x->arena);
    if (known.len && !json_parse(known, S(NESTED_KEY), x->arena, &n.known, &ignored))
        n.known = NULL;
    buf_addc(&n.text, '{');
    put_nested_ids(&n, f->type, field_metadata_get(f, NAME_KEY, x->arena));
    buf_addc(&n.text, '}');
    f->metadata = field_metadata_with(f->metadata, NESTED_KEY, buf_str(&n.text), x->arena);
}

/* ---- the face ---- */

void metadata_map_columns(Metadata *m, bool keep_names, Arena *arena)
{
    FieldChange seen = {.change = note_id, .arena = arena};
    if (metadata_column_mapping(m) == MAPPING_NONE)
        return;
    if (!str_to_i64(metadata_property(m, MAX_KEY), &seen.highest))
        seen.highest = 0;
    change_fields(&seen, m->schema);
    FieldChange assign = {
        .change = assign_field, .arena = arena, .highest = seen.highest, .keep_names = keep_names};
    m->schema = change_fields(&assign, m->schema);
    assign.change = assign_nested;
    if (iceberg_compat_version(m) > 1)
        m->schema = change_fields(&assign, m->schema);
    m->schema_string = type_json(m->schema, arena);
    metadata_set_property(m, S(MAX_KEY),
                          str_printf(arena, "%lld", (long long)assign.highest), arena);
}

static const Type *reuse(const Type *t, const Type *old, Arena *arena)
{
    static const char *const KEYS[] = {ID_KEY, NAME_KEY, NESTED_KEY};
    if (t->kind != old->kind)
        return t;
    if (t->kind == TYPE_ARRAY)
        return type_array(reuse(t->array.element, old->array.element, arena), t->array.nulls, arena);
    if (t->kind == TYPE_MAP)
        return type_map(reuse(t->map.key, old->map.key, arena), reuse(t->map.value, old->map.value, arena),
                        t->map.nulls, arena);
    if (t->kind != TYPE_STRUCT)
        return t;
    Field *fields = ARENA_ARRAY(arena, Field, t->structure.count + 1);
    for (size_t i = 0; i < t->structure.count; i++) {
        Field *f = &fields[i];
        *f = t->structure.fields[i];
        int at = type_field_index(old, f->name, false);
        if (at < 0)
            continue;
        const Field *was = &old->structure.fields[at];
        for (size_t k = 0; type_same_shape(f->type, was->type) && k < LENGTH_OF(KEYS); k++) {
            Str text = field_metadata_get(was, KEYS[k], arena);
            if (text.len)
                f->metadata = k == 1 ? field_metadata_with_text(f->metadata, KEYS[k], text, arena)
                                     : field_metadata_with(f->metadata, KEYS[k], text, arena);
        }
        f->type = reuse(f->type, was->type, arena);
    }
    return type_struct(fields, t->structure.count, arena);
}

void metadata_reuse_columns(Metadata *m, const Type *old, Arena *arena)
{
    m->schema = reuse(m->schema, old, arena);
    m->schema_string = type_json(m->schema, arena);
}

Str field_metadata_unmapped(Str metadata, Arena *arena)
{
    FieldChange x = {.arena = arena};
    Field f = {.metadata = metadata};
    forget_field(&x, &f);
    return f.metadata;
}

const Type *type_unmapped(const Type *t, Arena *arena)
{
    FieldChange x = {.change = forget_field, .arena = arena};
    return type_is_nested(t) ? change_fields(&x, t) : t;
}

const Type *schema_forget_widening(const Type *t, Arena *arena)
{
    FieldChange x = {.change = forget_changes, .arena = arena};
    return change_fields(&x, t);
}

static void put_unmappable(const Type *t, Str above, Buf *out, Arena *arena)
{
    if (t->kind == TYPE_ARRAY)
        return put_unmappable(t->array.element, str_concat(arena, above, S("element.")), out, arena);
    if (t->kind == TYPE_MAP) {
        put_unmappable(t->map.key, str_concat(arena, above, S("key.")), out, arena);
        return put_unmappable(t->map.value, str_concat(arena, above, S("value.")), out, arena);
    }
    for (size_t i = 0; t->kind == TYPE_STRUCT && i < t->structure.count; i++) {
        const Field *f = &t->structure.fields[i];
        Str path = str_concat(arena, above, f->name);
        bool bad = false;
        for (size_t k = 0; k < f->name.len; k++)
            bad |= str_find_char(S(" ,;{}()\n\t="), f->name.ptr[k]) >= 0;
        if (bad)
            buf_addf(out, "%s" STR_FMT, out->len ? ", " : "", STR_ARG(path));
        put_unmappable(f->type, str_concat(arena, path, S(".")), out, arena);
    }
}

Str schema_unmappable_names(const Type *schema, Arena *arena)
{
    Buf b = buf_in(arena);
    put_unmappable(schema, S(""), &b, arena);
    return b.len ? buf_str(&b) : S("");
}
