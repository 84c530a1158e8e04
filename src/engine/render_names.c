/* Values whose form in files is another than in queries, at any depth: structs whose fields are called
 * otherwise (column mapping), and shapes, which files keep as DuckDB's GEOMETRY. */
#include "base/buf.h"
#include "engine/render.h"

static bool same_form(const Type *a, const Type *b, Arena *arena)
{
    if (a->kind != b->kind)
        return true;
    if (type_is_geo(a))
        return false;
    if (a->kind == TYPE_ARRAY)
        return same_form(a->array.element, b->array.element, arena);
    if (a->kind == TYPE_MAP)
        return same_form(a->map.key, b->map.key, arena) &&
               same_form(a->map.value, b->map.value, arena);
    if (a->kind != TYPE_STRUCT)
        return true;
    for (size_t i = 0; i < a->structure.count && i < b->structure.count; i++)
        if (!str_eq(type_duckdb_field(a, i, arena), type_duckdb_field(b, i, arena)) ||
            !same_form(a->structure.fields[i].type, b->structure.fields[i].type, arena))
            return false;
    return true;
}

/* Files name no reference system: the table's schema does. */
static Str shape_form(Arena *a, FormChange change, Str text, const Type *type)
{
    if (change == FORM_TO_FILES)
        return str_printf(a, "ST_GeomFromWKB(struct_extract(" STR_FMT ", 'wkb'))", STR_ARG(text));
    return str_printf(a, "(CASE WHEN " STR_FMT " IS NULL THEN NULL ELSE struct_pack(srid := %d, wkb := ST_AsWKB(" STR_FMT ")) END)",
                      STR_ARG(text), type->geo.srid, STR_ARG(text));
}

Str change_form(Arena *a, size_t *counter, FormChange change, Str text, const Type *from, const Type *to)
{
    if (same_form(from, to, a))
        return text;
    Buf b = buf_in(a);
    size_t n = (*counter)++;
    if (type_is_geo(from))
        return shape_form(a, change, text, to);
    if (from->kind == TYPE_STRUCT) {
        buf_addf(&b, "(CASE WHEN " STR_FMT " IS NULL THEN NULL ELSE struct_pack(", STR_ARG(text));
        for (size_t i = 0; i < from->structure.count; i++) {
            Buf inner = buf_in(a);
            buf_addf(&inner, "struct_extract(" STR_FMT ", ", STR_ARG(text));
            put_text(&inner, type_duckdb_field(from, i, a));
            buf_addz(&inner, ")");
            buf_addz(&b, i ? ", " : "");
            put_quoted(&b, type_duckdb_field(to, i, a));
            Str field = change_form(a, counter, change, buf_str(&inner), from->structure.fields[i].type,
                                      to->structure.fields[i].type);
            buf_addf(&b, " := " STR_FMT, STR_ARG(field));
        }
        buf_addz(&b, ") END)");
        return buf_str(&b);
    }
    Str x = str_printf(a, "m%zu", n);
    if (from->kind == TYPE_ARRAY) {
        Str element = change_form(a, counter, change, x, from->array.element, to->array.element);
        buf_addf(&b, "list_transform(" STR_FMT ", lambda m%zu: " STR_FMT ")", STR_ARG(text), n,
                 STR_ARG(element));
        return buf_str(&b);
    }
    Str key = change_form(a, counter, change, str_printf(a, "m%zu.key", n), from->map.key, to->map.key);
    Str value =
        change_form(a, counter, change, str_printf(a, "m%zu.value", n), from->map.value, to->map.value);
    buf_addf(&b,
             "map_from_entries(list_transform(map_entries(" STR_FMT "), lambda m%zu: "
             "struct_pack(key := " STR_FMT ", value := " STR_FMT ")))",
             STR_ARG(text), n, STR_ARG(key), STR_ARG(value));
    return buf_str(&b);
}
