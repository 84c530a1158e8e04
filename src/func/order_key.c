/* What nested values are ordered by: Spark puts NULL first inside of arrays and structs too, DuckDB last. */
#include "func/rows.h"

/* Also where the type says that nothing inside is NULL: both sides of a comparison must look alike. */
bool func_needs_order_key(const Type *t)
{
    return t->kind == TYPE_ARRAY || t->kind == TYPE_STRUCT;
}

static Str key_of(Str value, const Type *t, int depth, Arena *arena);

/* A value that may be NULL as a pair: false comes before true. */
static Str pair_of(Str value, const Type *t, int depth, Arena *arena)
{
    return str_printf(arena, "struct_pack(n := " STR_FMT " IS NOT NULL, v := " STR_FMT ")", STR_ARG(value),
                      STR_ARG(key_of(value, t, depth, arena)));
}

static Str key_of_struct(Str value, const Type *t, int depth, Arena *arena)
{
    Str item = str_printf(arena, "ls_key%d", depth);
    Buf b = buf_in(arena);
    buf_addf(&b, "list_extract(list_transform([" STR_FMT "], lambda " STR_FMT ": CASE WHEN " STR_FMT " IS NOT NULL THEN struct_pack(",
             STR_ARG(value), STR_ARG(item), STR_ARG(item));
    for (size_t i = 0; i < t->structure.count; i++) {
        const Field *f = &t->structure.fields[i];
        Str field = str_printf(arena, "struct_extract_at(" STR_FMT ", %zu)", STR_ARG(item), i + 1);
        buf_addf(&b, "%sf%zu := " STR_FMT, i ? ", " : "", i,
                 STR_ARG(pair_of(field, f->type, depth + 1, arena)));
    }
    buf_addz(&b, ") END), 1)");
    return buf_str(&b);
}

static Str key_of(Str value, const Type *t, int depth, Arena *arena)
{
    if (!func_needs_order_key(t))
        return value;
    if (t->kind == TYPE_STRUCT)
        return key_of_struct(value, t, depth, arena);
    Str item = str_printf(arena, "ls_key%d", depth);
    return str_printf(arena, "list_transform(" STR_FMT ", lambda " STR_FMT ": " STR_FMT ")", STR_ARG(value), STR_ARG(item),
                      STR_ARG(pair_of(item, t->array.element, depth + 1, arena)));
}

Str func_order_key(Str value, const Type *t, Arena *arena)
{
    return key_of(value, t, 0, arena);
}

void func_put_sorted(Buf *out, Str array, const Type *t, bool descending, bool nulls_last, Arena *arena)
{
    const char *order = descending ? "'DESC'" : "'ASC'";
    const Type *element = t->array.element;
    if (!func_needs_order_key(element)) {
        buf_addf(out, "list_sort(" STR_FMT ", %s, '%s')", STR_ARG(array), order, nulls_last ? "NULLS LAST" : "NULLS FIRST");
        return;
    }
    buf_addf(out,
             "list_transform(list_sort(list_transform(" STR_FMT ", lambda ls_e: struct_pack(n := ls_e IS %sNULL, k := " STR_FMT
             ", v := ls_e)), %s), lambda ls_p: ls_p.v)",
             STR_ARG(array), nulls_last != descending ? "" : "NOT ", STR_ARG(func_order_key(S("ls_e"), element, arena)), order);
}
