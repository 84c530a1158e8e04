/* Relations of delta.connect: DeltaTable.toDF, history, detail, isDeltaTable. */
#include "analyze/analyze_impl.h"

static bool is_table_at(Analyzer *a, Str location, bool *exists, Error *err)
{
    DeltaTable *table;
    TRY(catalog_delta_table(session_catalog(a->session), location, &table, err));
    bool ok = delta_table_exists(table, exists, err);
    delta_table_unref(table);
    return ok;
}

/* A folder inside a table counts too: Delta looks upward for the log. */
static bool analyze_is_delta(Analyzer *a, Str path, BoundRel **out, Error *err)
{
    bool exists;
    TRY(is_table_at(a, path, &exists, err));
    while (!exists) {
        ptrdiff_t slash = str_rfind_char(path, '/');
        if (slash <= 0)
            break;
        path = str_slice(path, 0, (size_t)slash);
        if (str_ends_with(path, S("/")) || str_ends_with(path, S(":")))
            break;
        TRY(is_table_at(a, path, &exists, err));
    }
    Field f = {S("value"), type_simple(TYPE_BOOLEAN), false, {0}};
    Row row = {ARENA_NEW(a->arena, Value)};
    RowVec rows = {0};
    *row.cells = value_bool(exists);
    vec_push(a->arena, &rows, row);
    *out = rel_of_values(a, type_struct(&f, 1, a->arena), &rows);
    return true;
}

bool analyze_delta_relation(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    Str op = rel->delta.op;
    ObjectInfo o;
    if (rel->delta.args.len)
        return error_unsupported(err, "DeltaTable.forPath with file system options (" STR_FMT ")", STR_ARG(rel->delta.args.at[0].key));
    if (str_is(op, "isDeltaTable"))
        return analyze_is_delta(a, rel->delta.path, out, err);
    TRY(analyze_object(a, &rel->delta.table, rel->origin, &o, err));
    if (!o.snapshot)
        return error_set(err, ERR_DELTA_MISSING_DELTA_TABLE, P("tableName", name_quoted(&rel->delta.table, a->arena)));
    if (str_is(op, "history"))
        return analyze_delta_history(a, o.resolved.entry.location, 0, out, err);
    if (str_is(op, "detail"))
        return analyze_delta_detail(a, &o, out, err);
    if (!str_is(op, "scan"))
        return error_unsupported(err, "the Delta relation " STR_FMT, STR_ARG(op));
    Rel *scan = rel_new(REL_NAMED_TABLE, NULL, a->arena);
    scan->table.name = rel->delta.table;
    scan->origin = rel->origin;
    return analyze_rel(a, scan, out, err);
}
