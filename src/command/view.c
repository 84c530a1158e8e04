/* Views: persistent ones as SQL text with their columns, temporary ones as plans of the session. */
#include "command/alter_impl.h"

static bool check_columns(const Command *c, const BoundRel *query, Error *err)
{
    if (!c->view.columns.len || c->view.columns.len == query->columns.len)
        return true;
    return error_set(err, c->view.columns.len > query->columns.len ? ERR_CREATE_VIEW_COLUMN_ARITY_MISMATCH__NOT_ENOUGH_DATA_COLUMNS
                                                                    : ERR_CREATE_VIEW_COLUMN_ARITY_MISMATCH__TOO_MANY_DATA_COLUMNS,
                     PZ("viewName", ""), PZ("viewColumns", ""), PZ("dataColumns", ""));
}

static const Type *view_schema(CommandContext *ctx, const Command *c, const BoundRel *query)
{
    VEC(Field) fields = {0};
    for (size_t i = 0; i < query->columns.len; i++) {
        Field f = {query->columns.at[i].name, query->columns.at[i].type, query->columns.at[i].nullable, query->columns.at[i].metadata};
        if (i < c->view.columns.len) {
            f.name = vec_last(&c->view.columns.at[i].name);
            if (c->view.columns.at[i].has_comment)
                f.metadata = field_metadata_with_text(f.metadata, "comment", c->view.columns.at[i].comment, ctx->arena);
        }
        vec_push(ctx->arena, &fields, f);
    }
    return type_struct(fields.at, fields.len, ctx->arena);
}

static bool duplicate_names(const Type *schema, Error *err)
{
    for (size_t i = 0; i < schema->structure.count; i++)
        for (size_t k = 0; k < i; k++)
            if (str_ieq(schema->structure.fields[i].name, schema->structure.fields[k].name))
                return error_set(err, ERR_COLUMN_ALREADY_EXISTS, P("columnName", str_printf(err->arena, "`" STR_FMT "`", STR_ARG(str_lower(schema->structure.fields[i].name, err->arena)))));
    return true;
}

bool run_create_temp_view(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    BoundRel *query;
    *result = result_none(ctx);
    Str collation;
    TRY(command_name(ctx, c, &name, err));
    TRY(command_collation(ctx, c->view.collation, false, &collation, err));
    TRY(analyze_query_of(ctx->analyzer, c->query, collation, &query, err));
    TRY(check_columns(c, query, err));
    TRY(check_determinate(ctx, view_schema(ctx, c, query), err));
    TempView view = {.name = vec_last(&name), .plan = c->query, .sql = ctx->sql_text, .global = c->view.global, .text = c->view.sql, .collation = collation};
    Str space[2];
    session_current(ctx->session, ctx->arena, &space[0], &space[1]);
    space[0] = shown_catalog(space[0]);
    Name here = name_of(ctx->arena, 2, space);
    view.space = name_text(&here, ctx->arena);
    for (size_t i = 0; i < c->view.columns.len; i++)
        vec_push(ctx->arena, &view.columns, vec_last(&c->view.columns.at[i].name));
    return session_put_temp_view(ctx->session, &view, c->view.replace || c->existence == OR_REPLACE, err);
}

bool set_view_mode(CommandContext *ctx, TableEntry *e, Str wanted, Error *err)
{
    bool known = session_bool(ctx->session, "spark.sql.legacy.viewSchemaBindingMode", true);
    detail_drop(&e->details, "viewSchemaMode");
    if (!known)
        return !wanted.len || error_set(err, ERR_FEATURE_NOT_ENABLED, PZ("featureName", "VIEW ... WITH SCHEMA ..."),
                                        PZ("configKey", "spark.sql.legacy.viewSchemaBindingMode"), PZ("configValue", "true"));
    /* The names a user gave cannot follow: only their types do. */
    if (str_is(wanted, "EVOLUTION") && str_is(detail_get(&e->details, "namesColumns"), "true"))
        wanted = S("TYPE EVOLUTION");
    if (!wanted.len)
        wanted = session_bool(ctx->session, "spark.sql.legacy.viewSchemaCompensation", true) ? S("COMPENSATION") : S("BINDING");
    detail_set(&e->details, S("viewSchemaMode"), wanted, ctx->arena);
    return true;
}

void view_query_columns(CommandContext *ctx, TableEntry *e, const BoundRel *query)
{
    detail_drop(&e->details, "queryCol.");
    for (size_t i = 0; i < query->columns.len; i++)
        detail_set(&e->details, str_printf(ctx->arena, "queryCol.%zu", i), query->columns.at[i].name, ctx->arena);
}

/* A view that outlives the session cannot stand on what the session takes with it. */
static bool check_persistent(CommandContext *ctx, const TableEntry *view, Error *err)
{
    const char *kind;
    Name temp;
    if (!analyzer_temp_object(ctx->analyzer, &kind, &temp))
        return true;
    Str parts[3] = {view->catalog, view->schema, view->name};
    Name full = name_of(ctx->arena, 3, parts);
    return error_set(err, ERR_INVALID_TEMP_OBJ_REFERENCE, PZ("obj", "VIEW"), P("objName", name_quoted(&full, ctx->arena)),
                     PZ("tempObj", kind), P("tempObjName", name_quoted(&temp, ctx->arena)));
}

bool run_create_view(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    BoundRel *query;
    bool found;
    TableEntry old;
    if (c->view.temporary)
        return run_create_temp_view(ctx, c, result, err);
    *result = result_none(ctx);
    TRY(command_name(ctx, c, &name, err));
    TableEntry e = {.kind = OBJECT_VIEW, .comment = c->comment, .owner = session_user(ctx->session), .view_sql = c->view.sql};
    TRY(command_object_name(ctx, &name, &e.catalog, &e.schema, &e.name, err));
    Str collation;
    TRY(object_collation(ctx, c->view.collation, e.catalog, e.schema, &collation, err));
    TRY(analyze_query_of(ctx->analyzer, c->query, collation, &query, err));
    TRY(check_columns(c, query, err));
    session_current(ctx->session, ctx->arena, &e.view_catalog, &e.view_schema);
    TRY(check_persistent(ctx, &e, err));
    const Type *schema = view_schema(ctx, c, query);
    TRY(duplicate_names(schema, err));
    TRY(check_determinate(ctx, schema, err));
    e.schema_json = type_json_declared(schema, ctx->arena);
    if (collation.len)
        detail_set(&e.details, S(OBJECT_COLLATION), collation, ctx->arena);
    if (c->view.columns.len)
        detail_set(&e.details, S("namesColumns"), S("true"), ctx->arena);
    TRY(set_view_mode(ctx, &e, c->view.schema_mode, err));
    view_query_columns(ctx, &e, query);
    for (size_t i = 0; i < c->properties.len; i++) {
        Property p = {c->properties.at[i].key, c->properties.at[i].value, false};
        vec_push(ctx->arena, &e.properties, p);
    }
    TRY(catalog_get_table(session_catalog(ctx->session), e.catalog, e.schema, e.name, ctx->arena, &found, &old, err));
    if (!found)
        return catalog_create_table(session_catalog(ctx->session), &e, err);
    if (c->existence == IF_NOT_EXISTS)
        return true;
    if (old.kind != OBJECT_VIEW)
        return error_set(err, ERR_EXPECT_VIEW_NOT_TABLE__NO_ALTERNATIVE, P("tableName", name_quoted(&name, ctx->arena)), PZ("operation", "CREATE OR REPLACE VIEW"));
    if (!c->view.replace && c->existence != OR_REPLACE)
        return error_set(err, ERR_TABLE_OR_VIEW_ALREADY_EXISTS, P("relationName", name_quoted(&name, ctx->arena)));
    return catalog_update_table(session_catalog(ctx->session), &e, err);
}

bool run_drop_view(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    Str catalog, schema, object;
    bool found;
    TableEntry e;
    *result = result_none(ctx);
    TRY(command_name(ctx, c, &name, err));
    bool global = name.len == 2 && str_is_ci(name.at[0], "global_temp");
    if ((name.len == 1 || global) && session_drop_temp_view(ctx->session, vec_last(&name), global))
        return true;
    TRY(command_object_name(ctx, &name, &catalog, &schema, &object, err));
    TRY(catalog_get_table(session_catalog(ctx->session), catalog, schema, object, ctx->arena, &found, &e, err));
    if (!found)
        return c->existence == IF_EXISTS || error_set(err, ERR_TABLE_OR_VIEW_NOT_FOUND, P("relationName", name_quoted(&name, ctx->arena)));
    if (e.kind != OBJECT_VIEW)
        return error_set(err, ERR_WRONG_COMMAND_FOR_OBJECT_TYPE, PZ("operation", "DROP VIEW"), PZ("requiredType", "VIEW or METRIC_VIEW"),
                         P("objectName", str_printf(ctx->arena, STR_FMT "." STR_FMT "." STR_FMT, STR_ARG(catalog), STR_ARG(schema), STR_ARG(object))), PZ("foundType", e.managed ? "MANAGED" : "EXTERNAL"), PZ("alternative", "DROP TABLE"));
    return catalog_drop_table(session_catalog(ctx->session), catalog, schema, object, err);
}
