/* Column mapping as writers keep it: every field of a mapped table gets an id and a physical name
 * once, and neither is ever used again (PROTOCOL.md "Column Mapping"). */
#include "delta/mapping.h"

#include "base/clock.h"
#include "delta/schema.h"

#define ID_KEY "delta.columnMapping.id"
#define NAME_KEY "delta.columnMapping.physicalName"
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
    int64_t id = delta_field_id(f);
    x->highest = id > x->highest ? id : x->highest;
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
    static const char *const KEYS[] = {ID_KEY, NAME_KEY, "delta.columnMapping.nested.ids"};
    if (str_find(f->metadata, S("\"delta.columnMapping.")) < 0)
        return;
    for (size_t i = 0; i < LENGTH_OF(KEYS); i++)
        f->metadata = field_metadata_with(f->metadata, KEYS[i], (Str){0}, x->arena);
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
    m->schema_string = type_json(m->schema, arena);
    metadata_set_property(m, S(MAX_KEY),
                          str_printf(arena, "%lld", (long long)assign.highest), arena);
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
