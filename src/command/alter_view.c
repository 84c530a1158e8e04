/* ALTER VIEW, renaming, and properties of what has no log: changes of catalog entries alone. */
#include "command/alter_impl.h"

bool rename_object(CommandContext *ctx, const Command *c, const ResolvedTable *r, Error *err)
{
    Str catalog = r->entry.catalog, schema = r->entry.schema;
    const Name *to = &c->alter.new_table;
    if (to->len > 3)
        return error_set(err, ERR_REQUIRES_SINGLE_PART_NAMESPACE, P("sessionCatalog", catalog), P("namespace", name_quoted(to, ctx->arena)));
    if (to->len == 3)
        catalog = to->at[0];
    if (to->len >= 2)
        schema = to->at[to->len - 2];
    if (!str_ieq(catalog, r->entry.catalog) || !str_ieq(schema, r->entry.schema))
        return error_set(err, ERR__LEGACY_ERROR_TEMP_1073, P("db", r->entry.schema), P("newDb", schema));
    return catalog_rename_table(session_catalog(ctx->session), &r->entry, schema, vec_last(to), err);
}

static void put_property(CommandContext *ctx, PropertyVec *list, Str key, Str value)
{
    for (size_t i = 0; i < list->len; i++)
        if (str_eq(list->at[i].key, key)) {
            list->at[i].value = value;
            return;
        }
    Property p = {key, value, false};
    vec_push(ctx->arena, list, p);
}

static void drop_property(PropertyVec *list, Str key)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->len; i++)
        if (!str_eq(list->at[i].key, key))
            list->at[kept++] = list->at[i];
    list->len = kept;
}

bool set_entry_properties(CommandContext *ctx, const Command *c, TableEntry *e, Error *err)
{
    for (size_t i = 0; i < c->properties.len; i++) {
        const KeyValue *kv = &c->properties.at[i];
        TRY(check_reserved_property(kv->key, err));
        if (str_is(kv->key, "comment"))
            e->comment = kv->value;
        else
            put_property(ctx, &e->properties, kv->key, kv->value);
    }
    for (size_t i = 0; i < c->alter.names.len; i++) {
        if (str_is(c->alter.names.at[i], "comment"))
            e->comment = (Str){0};
        drop_property(&e->properties, c->alter.names.at[i]);
    }
    return catalog_update_table(session_catalog(ctx->session), e, err);
}

/* ---- ALTER VIEW .. AS ---- */

static const Type *schema_of(CommandContext *ctx, const BoundRel *query)
{
    FieldVec fields = {0};
    for (size_t i = 0; i < query->columns.len; i++) {
        const BoundColumn *col = &query->columns.at[i];
        Field f = {col->name, col->type, col->nullable, col->metadata};
        for (size_t k = 0; k < fields.len; k++)
            if (str_ieq(fields.at[k].name, f.name))
                return NULL;
        vec_push(ctx->arena, &fields, f);
    }
    return type_struct(fields.at, fields.len, ctx->arena);
}

static bool replace_query(CommandContext *ctx, const Command *c, const Name *name, const ResolvedTable *r, Error *err)
{
    BoundRel *query;
    bool temporary = r->kind == RESOLVED_TEMP_VIEW;
    Str collation = temporary ? r->temp->collation : detail_get(&r->entry.details, OBJECT_COLLATION);
    TRY(analyze_query_of(ctx->analyzer, c->query, collation, &query, err));
    if (temporary) {
        TempView view = {.name = vec_last(name), .plan = c->query, .sql = ctx->sql_text, .global = r->temp->global, .text = c->alter.location,
                         .space = r->temp->space, .collation = collation};
        return session_put_temp_view(ctx->session, &view, true, err);
    }
    TableEntry e = r->entry;
    const Type *schema = schema_of(ctx, query);
    if (!schema)
        return error_unsupported(err, "a view with two columns of one name");
    e.view_sql = c->alter.location; /* the parser keeps the query's text there */
    e.schema_json = type_json_declared(schema, ctx->arena);
    view_query_columns(ctx, &e, query);
    detail_drop(&e.details, "namesColumns");
    session_current(ctx->session, ctx->arena, &e.view_catalog, &e.view_schema);
    return catalog_update_table(session_catalog(ctx->session), &e, err);
}

static bool refuse_table(CommandContext *ctx, const Command *c, const Name *name, const ResolvedTable *r, Error *err)
{
    Str parts[3] = {r->entry.catalog, r->entry.schema, r->entry.name};
    Name full = r->kind == RESOLVED_TABLE ? name_of(ctx->arena, 3, parts) : *name;
    const char *what = c->alter.kind == ALTER_VIEW_AS ? "AS" : c->alter.kind == ALTER_RENAME ? "RENAME TO"
                     : c->alter.kind == ALTER_SET_PROPERTIES ? "SET TBLPROPERTIES" : "UNSET TBLPROPERTIES";
    bool alternative = c->alter.kind != ALTER_VIEW_AS;
    return error_set(err, alternative ? ERR_EXPECT_VIEW_NOT_TABLE__USE_ALTER_TABLE : ERR_EXPECT_VIEW_NOT_TABLE__NO_ALTERNATIVE,
                     P("tableName", name_quoted(&full, ctx->arena)), P("operation", str_printf(ctx->arena, "ALTER VIEW ... %s", what)));
}

/* A temporary view under its new name; the old one goes last, so that a refusal changes nothing. */
static bool rename_temporary(CommandContext *ctx, const Command *c, const ResolvedTable *r, Error *err)
{
    TempView view = *r->temp;
    Str old = str_copy(view.name, ctx->arena);
    view.name = vec_last(&c->alter.new_table);
    if (c->alter.new_table.len > 1 && !view.global)
        return error_unsupported(err, "a schema in the new name of a temporary view");
    TRY(session_put_temp_view(ctx->session, &view, false, err));
    session_drop_temp_view(ctx->session, old, view.global);
    return true;
}

bool alter_view(CommandContext *ctx, const Command *c, const Name *name, const ResolvedTable *r, Error *err)
{
    bool temporary = r->kind == RESOLVED_TEMP_VIEW;
    if (r->kind != RESOLVED_VIEW && !temporary)
        return refuse_table(ctx, c, name, r, err);
    TableEntry e = r->entry;
    switch (c->alter.kind) {
    case ALTER_VIEW_AS: return replace_query(ctx, c, name, r, err);
    case ALTER_RENAME: return temporary ? rename_temporary(ctx, c, r, err) : rename_object(ctx, c, r, err);
    case ALTER_DEFAULT_COLLATION:
        return temporary ? error_unsupported(err, "DEFAULT COLLATION of a temporary view") : set_default_collation(ctx, c, &e, err);
    case ALTER_VIEW_SCHEMA:
        if (temporary)
            return error_set(err, ERR_EXPECT_PERMANENT_VIEW_NOT_TEMP, P("viewName", name_quoted(name, ctx->arena)),
                             PZ("operation", "ALTER VIEW ... WITH SCHEMA"));
        TRY(set_view_mode(ctx, &e, c->alter.new_name, err));
        return catalog_update_table(session_catalog(ctx->session), &e, err);
    case ALTER_SET_PROPERTIES:
    case ALTER_UNSET_PROPERTIES:
        if (temporary)
            return error_set(err, ERR_EXPECT_PERMANENT_VIEW_NOT_TEMP, P("viewName", name_quoted(name, ctx->arena)),
                             PZ("operation", c->alter.kind == ALTER_SET_PROPERTIES ? "ALTER VIEW ... SET TBLPROPERTIES" : "ALTER VIEW ... UNSET TBLPROPERTIES"));
        return set_entry_properties(ctx, c, &e, err);
    default: return error_unsupported(err, "this form of ALTER VIEW");
    }
}
