/* Which columns of a table have statistics in its log: the first ones, or those that a property names. */
#include "command/command_impl.h"

enum { DEFAULT_INDEXED_COLUMNS = 32 };
#define STATS_COLUMNS "delta.dataSkippingStatsColumns"
#define INDEXED_COLUMNS "delta.dataSkippingNumIndexedCols"

typedef VEC(Name) NameVec;

/* "a, s.x, `odd,name`": the comma outside of back-ticks parts names. */
static bool read_names(CommandContext *ctx, Str text, NameVec *out, Error *err)
{
    bool quoted = false;
    size_t from = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] == '`')
            quoted = !quoted;
        if (i < text.len && (text.ptr[i] != ',' || quoted))
            continue;
        Str one = str_trim(str_slice(text, from, i));
        from = i + 1;
        if (!one.len)
            continue;
        Name name;
        TRY(name_parse(one, ctx->arena, &name, err));
        vec_push(ctx->arena, out, name);
    }
    return true;
}

static bool starts_with(const Name *name, const StrVec *above, Str last)
{
    if (name->len > above->len + 1)
        return false;
    for (size_t i = 0; i < name->len; i++)
        if (!str_ieq(name->at[i], i < above->len ? above->at[i] : last))
            return false;
    return name->len > 0;
}

/* ---- what files have ---- */

typedef struct Leaves {
    CommandContext *ctx;
    const Metadata *m;
    const NameVec *named; /* NULL: the first `limit` */
    size_t limit;
    StrVec above;
    VEC(bool) chosen;
} Leaves;

static bool is_named(const Leaves *l, Str name)
{
    for (size_t i = 0; i < l->named->len; i++)
        if (starts_with(&l->named->at[i], &l->above, name))
            return true;
    return false;
}

static void gather_leaves(Leaves *l, const Type *t)
{
    for (size_t i = 0; i < t->structure.count; i++) {
        const Field *f = &t->structure.fields[i];
        if (!l->above.len && metadata_partition_index(l->m, f->name) >= 0)
            continue;
        if (f->type->kind == TYPE_STRUCT) {
            vec_push(l->ctx->arena, &l->above, f->name);
            gather_leaves(l, f->type);
            l->above.len--;
            continue;
        }
        bool chosen = l->named ? is_named(l, f->name) : l->chosen.len < l->limit;
        vec_push(l->ctx->arena, &l->chosen, chosen);
    }
}

/* An empty list is one, too. */
static bool is_set(const Metadata *m, Str key)
{
    for (size_t i = 0; i < m->configuration.len; i++)
        if (str_eq(m->configuration.at[i].key, key))
            return true;
    return false;
}

const bool *stats_leaves(CommandContext *ctx, const Metadata *m, size_t *count)
{
    Error ignored = error_in(ctx->arena);
    NameVec named = {0};
    int64_t limit = property_number(m, INDEXED_COLUMNS, DEFAULT_INDEXED_COLUMNS);
    Leaves l = {.ctx = ctx, .m = m, .limit = limit < 0 ? SIZE_MAX : (size_t)limit};
    /* What another writer left there and cannot be read names no column. */
    if (is_set(m, S(STATS_COLUMNS)) && (read_names(ctx, metadata_property(m, STATS_COLUMNS), &named, &ignored) || named.len))
        l.named = &named;
    gather_leaves(&l, m->schema);
    while (l.chosen.len && !vec_last(&l.chosen))
        l.chosen.len--;
    *count = l.chosen.len;
    return l.chosen.at;
}

/* ---- what may be asked for ---- */

/* As Spark's classes print themselves. */
static Str class_name(const Type *t, Arena *arena)
{
    if (t->kind == TYPE_ARRAY)
        return str_printf(arena, "ArrayType(" STR_FMT ",%s)", STR_ARG(class_name(t->array.element, arena)), t->array.nulls ? "true" : "false");
    if (t->kind == TYPE_MAP)
        return str_printf(arena, "MapType(" STR_FMT "," STR_FMT ",%s)", STR_ARG(class_name(t->map.key, arena)), STR_ARG(class_name(t->map.value, arena)),
                          t->map.nulls ? "true" : "false");
    Str json = type_json(t, arena); /* "integer", in quotes */
    Str first = str_upper(str_slice(json, 1, 2), arena);
    return str_printf(arena, STR_FMT STR_FMT "Type", STR_ARG(first), STR_ARG(str_slice(json, 2, json.len - 1)));
}

static const Field *find_field(const Type *t, const Name *name)
{
    const Field *f = NULL;
    for (size_t i = 0; i < name->len; i++) {
        int at = t->kind == TYPE_STRUCT ? type_field_index(t, name->at[i], false) : -1;
        if (at < 0)
            return NULL;
        f = &t->structure.fields[at];
        t = f->type;
    }
    return f;
}

static bool overlap(const Name *a, const Name *b)
{
    for (size_t i = 0; i < a->len && i < b->len; i++)
        if (!str_ieq(a->at[i], b->at[i]))
            return false;
    return true;
}

bool stats_columns_check(CommandContext *ctx, const Metadata *m, Error *err)
{
    NameVec named = {0};
    TRY(read_names(ctx, metadata_property(m, STATS_COLUMNS), &named, err));
    for (size_t i = 0; i < named.len; i++) {
        const Name *name = &named.at[i];
        const Field *f = find_field(m->schema, name);
        if (!f)
            return error_set(err, ERR_DELTA_COLUMN_NOT_FOUND_IN_SCHEMA, P("columnName", name_text(name, ctx->arena)),
                             P("tableSchema", str_concat(ctx->arena, S("root\n"), type_tree_string(m->schema, 0, ctx->arena))));
        if (name->len == 1 && metadata_partition_index(m, f->name) >= 0)
            return error_set(err, ERR_DELTA_COLUMN_DATA_SKIPPING_NOT_SUPPORTED_PARTITIONED_COLUMN, P("column", f->name));
        /* Delta looks at the types of whole columns only. */
        if (name->len == 1 && f->type->kind != TYPE_STRUCT && !type_has_bounds(f->type))
            return error_set(err, ERR_DELTA_COLUMN_DATA_SKIPPING_NOT_SUPPORTED_TYPE, P("column", f->name), P("type", class_name(f->type, ctx->arena)));
    }
    for (size_t i = 0; i < named.len; i++)
        for (size_t k = 0; k < i; k++)
            if (overlap(&named.at[i], &named.at[k]))
                return error_set(err, ERR_DELTA_DUPLICATE_DATA_SKIPPING_COLUMNS,
                                 P("columns", name_text(named.at[i].len > named.at[k].len ? &named.at[i] : &named.at[k], ctx->arena)));
    return true;
}

bool stats_columns_follow(CommandContext *ctx, Metadata *m, const Name *from, const Name *to, Error *err)
{
    NameVec named = {0};
    Buf kept = buf_in(ctx->arena);
    bool touched = false;
    TRY(read_names(ctx, metadata_property(m, STATS_COLUMNS), &named, err));
    for (size_t i = 0; i < named.len; i++) {
        Name *name = &named.at[i];
        bool below = name->len >= from->len && overlap(name, from);
        touched |= below;
        if (below && !to)
            continue;
        if (below)
            name->at[from->len - 1] = vec_last(to);
        buf_addz(&kept, kept.len ? "," : "");
        buf_add(&kept, name_text(name, ctx->arena));
    }
    if (touched)
        metadata_set_property(m, S(STATS_COLUMNS), buf_str(&kept), ctx->arena);
    return true;
}
