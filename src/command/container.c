/* Catalogs and schemas: CREATE, DROP, ALTER, USE, COMMENT ON. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command_impl.h"

static void copy_properties(CommandContext *ctx, const KeyValueVec *in, PropertyVec *out)
{
    for (size_t i = 0; i < in->len; i++) {
        Property p = {in->at[i].key, in->at[i].value, false};
        bool replaced = false;
        for (size_t k = 0; k < out->len && !replaced; k++)
            if (str_eq(out->at[k].key, p.key)) {
                out->at[k] = p;
                replaced = true;
            }
        if (!replaced)
            vec_push(ctx->arena, out, p);
    }
}

/* A schema's name has one or two parts; the catalog is the current one unless named. */
static bool schema_name(CommandContext *ctx, const Name *name, Str *catalog, Str *schema, Error *err)
{
    Str current;
    session_current(ctx->session, ctx->arena, catalog, &current);
    if (name->len < 1 || name->len > 2)
        return error_set(err, ERR_REQUIRES_SINGLE_PART_NAMESPACE, P("sessionCatalog", *catalog), P("namespace", name_quoted(name, ctx->arena)));
    if (name->len == 2)
        *catalog = name->at[0];
    *schema = vec_last(name);
    return true;
}

bool run_create_catalog(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    TRY(command_name(ctx, c, &name, err));
    CatalogEntry e = {.name = vec_last(&name), .comment = c->comment, .owner = session_user(ctx->session)};
    copy_properties(ctx, &c->properties, &e.properties);
    *result = result_none(ctx);
    return catalog_create_catalog(session_catalog(ctx->session), &e, c->existence == IF_NOT_EXISTS, err);
}

/* Managed tables of what is dropped lose their files: SchemaEntry locations hold nothing else of ours. */
static bool delete_managed(CommandContext *ctx, Str catalog, Str schema, Error *err)
{
    TableEntryVec tables = {0};
    TRY(catalog_list_tables(session_catalog(ctx->session), catalog, schema, ctx->arena, &tables, err));
    for (size_t i = 0; i < tables.len; i++)
        if (tables.at[i].kind == OBJECT_TABLE && tables.at[i].managed)
            TRY(delete_table_files(ctx, tables.at[i].location, err));
    return true;
}

bool run_drop_catalog(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    TRY(command_name(ctx, c, &name, err));
    Str catalog = vec_last(&name);
    SchemaEntryVec schemas = {0};
    if (c->container.cascade)
        TRY(catalog_list_schemas(session_catalog(ctx->session), catalog, ctx->arena, &schemas, err));
    for (size_t i = 0; i < schemas.len; i++)
        TRY(delete_managed(ctx, catalog, schemas.at[i].name, err));
    *result = result_none(ctx);
    return catalog_drop_catalog(session_catalog(ctx->session), catalog, c->existence == IF_EXISTS, c->container.cascade, err);
}

static bool keep_collation(CommandContext *ctx, const Command *c, SchemaEntry *e, Error *err)
{
    Str collation;
    TRY(command_collation(ctx, c->container.collation, true, &collation, err));
    if (collation.len)
        detail_set(&e->properties, S(SCHEMA_COLLATION), collation, ctx->arena);
    return true;
}

bool run_create_schema(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    SchemaEntry e = {.comment = c->comment, .owner = session_user(ctx->session), .location = c->container.location};
    TRY(command_name(ctx, c, &name, err));
    TRY(schema_name(ctx, &name, &e.catalog, &e.name, err));
    copy_properties(ctx, &c->properties, &e.properties);
    TRY(keep_collation(ctx, c, &e, err));
    *result = result_none(ctx);
    return catalog_create_schema(session_catalog(ctx->session), &e, c->existence == IF_NOT_EXISTS, err);
}

bool run_drop_schema(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    Str catalog, schema;
    TRY(command_name(ctx, c, &name, err));
    TRY(schema_name(ctx, &name, &catalog, &schema, err));
    if (c->container.cascade)
        TRY(delete_managed(ctx, catalog, schema, err));
    *result = result_none(ctx);
    return catalog_drop_schema(session_catalog(ctx->session), catalog, schema, c->existence == IF_EXISTS, c->container.cascade, err);
}

static bool existing_schema(CommandContext *ctx, const Name *name, SchemaEntry *out, Error *err)
{
    Str catalog, schema;
    bool found;
    TRY(schema_name(ctx, name, &catalog, &schema, err));
    TRY(catalog_get_schema(session_catalog(ctx->session), catalog, schema, ctx->arena, &found, out, err));
    if (found)
        return true;
    Str parts[2] = {catalog, schema};
    Name n = name_of(ctx->arena, 2, parts);
    return error_set(err, ERR_SCHEMA_NOT_FOUND, P("schemaName", name_quoted(&n, ctx->arena)));
}

bool run_alter_schema(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    SchemaEntry e;
    Str collation;
    TRY(command_name(ctx, c, &name, err));
    TRY(command_collation(ctx, c->container.collation, true, &collation, err));
    TRY(existing_schema(ctx, &name, &e, err));
    copy_properties(ctx, &c->properties, &e.properties);
    if (c->container.location.len)
        e.location = c->container.location;
    TRY(keep_collation(ctx, c, &e, err));
    *result = result_none(ctx);
    return catalog_alter_schema(session_catalog(ctx->session), &e, err);
}

/* USE x: a schema of the current catalog, else a catalog. USE a.b names both. */
bool run_use(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    TRY(command_name(ctx, c, &name, err));
    Catalog *catalog = session_catalog(ctx->session);
    *result = result_none(ctx);
    bool is_catalog;
    TRY(catalog_has_catalog(catalog, name.at[0], &is_catalog, err));
    if (c->use.is_catalog) {
        if (!is_catalog)
            return error_set(err, ERR_CATALOG_NOT_FOUND, P("catalogName", name_quoted(&name, ctx->arena)),
                             P("config", str_printf(ctx->arena, "\"spark.sql.catalog." STR_FMT "\"", STR_ARG(name.at[0]))));
        session_use(ctx->session, str_lower(name.at[0], ctx->arena), S("default"));
        return true;
    }
    SchemaEntry e;
    if (existing_schema(ctx, &name, &e, err)) {
        session_use(ctx->session, e.catalog, e.name);
        return true;
    }
    if (name.len != 1 || !is_catalog)
        return false;
    error_clear(err);
    session_use(ctx->session, str_lower(name.at[0], ctx->arena), S("default"));
    return true;
}

bool run_comment(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    TRY(command_name(ctx, c, &name, err));
    *result = result_none(ctx);
    if (str_is_ci(c->comment_on.what, "table") || str_is_ci(c->comment_on.what, "column"))
        return comment_on_table(ctx, c, &name, err);
    SchemaEntry e;
    TRY(existing_schema(ctx, &name, &e, err));
    e.comment = c->comment_on.is_null ? (Str){0} : c->comment_on.text;
    return catalog_alter_schema(session_catalog(ctx->session), &e, err);
}
