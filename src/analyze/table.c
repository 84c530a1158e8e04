/* What a multi-part name stands for: temp view, catalog object, or format.`path`. */
#include "analyze/analyze_impl.h"

static const char *const FORMATS[] = {"delta", "parquet", "csv", "json", "text", "orc", "avro", "binaryfile", "xml"};

static bool is_format(Str name)
{
    for (size_t i = 0; i < LENGTH_OF(FORMATS); i++)
        if (str_is_ci(name, FORMATS[i]))
            return true;
    return false;
}

static bool not_found(Analyzer *a, const Name *name, Origin origin, Error *err)
{
    error_set(err, ERR_TABLE_OR_VIEW_NOT_FOUND, P("relationName", name_quoted(name, a->arena)), P("searchPath", search_path_text(a, false)));
    return set_context(a, err, origin);
}

static bool find_temp(Analyzer *a, const Name *name, ResolvedTable *out)
{
    bool global = name->len == 2 && str_is_ci(name->at[0], "global_temp");
    if (name->len != 1 && !global)
        return false;
    const TempView *view = session_temp_view(a->session, vec_last(name), global);
    if (!view)
        return false;
    note_temp_object(a, "VIEW", name);
    out->kind = RESOLVED_TEMP_VIEW;
    out->temp = view;
    out->full_name = name_text(name, a->arena);
    return true;
}

bool analyze_check_catalog(Session *session, const Name *name, Error *err)
{
    bool known = name->len < 3;
    if (name->len == 3)
        TRY(catalog_has_catalog(session_catalog(session), name->at[0], &known, err));
    return known || error_set(err, ERR_REQUIRES_SINGLE_PART_NAMESPACE, PZ("sessionCatalog", "spark_catalog"),
                              P("identifier", name_quoted(name, err->arena)));
}

/* One part: current schema. Two: schema.table in the current catalog. Three: catalog.schema.table. */
static bool find_entry(Analyzer *a, const Name *name, bool *found, TableEntry *entry, Error *err)
{
    *found = false;
    Str catalog = a->space.catalog, schema = a->space.schema;
    TRY(analyze_check_catalog(a->session, name, err));
    if (name->len == 3)
        catalog = name->at[0];
    if (name->len >= 2)
        schema = name->at[name->len - 2];
    bool known;
    TRY(catalog_has_catalog(session_catalog(a->session), catalog, &known, err));
    if (!known)
        return true;
    return catalog_get_table(session_catalog(a->session), catalog, schema, vec_last(name), a->arena, found, entry, err);
}

static Str full_name(Analyzer *a, const TableEntry *entry)
{
    Str parts[3] = {entry->catalog, entry->schema, entry->name};
    Name n = name_of(a->arena, 3, parts);
    return name_text(&n, a->arena);
}

bool analyze_table_name(Analyzer *a, const Name *name, Origin origin, ResolvedTable *out, Error *err)
{
    *out = (ResolvedTable){0};
    if (!a->space.no_temp_views && find_temp(a, name, out))
        return true;
    bool found;
    TRY(find_entry(a, name, &found, &out->entry, err));
    if (found) {
        out->kind = out->entry.kind == OBJECT_VIEW ? RESOLVED_VIEW : RESOLVED_TABLE;
        out->full_name = full_name(a, &out->entry);
        return true;
    }
    bool pathlike = name->len == 2 && is_format(name->at[0]);
    if (!pathlike)
        return not_found(a, name, origin, err);
    if (!name->at[1].len)
        return error_set(err, ERR_INVALID_EMPTY_LOCATION, P("location", name->at[1]));
    out->kind = RESOLVED_PATH;
    out->entry.provider = str_lower(name->at[0], a->arena);
    out->entry.location = name->at[1];
    out->full_name = name_text(name, a->arena);
    return true;
}
