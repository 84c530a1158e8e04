/* DESCRIBE: tables, columns, queries, functions, schemas, catalogs; history and detail of Delta tables. */
#include "command/describe_impl.h"

void describe_fields(CommandContext *ctx, ResultTable *t, size_t count, const char *const *names, bool last_nullable)
{
    for (size_t i = 0; i < count; i++)
        result_field(ctx, t, names[i], type_simple(TYPE_STRING), last_nullable && i + 1 == count);
}

void describe_row(CommandContext *ctx, ResultTable *t, Str a, Str b, Str c)
{
    Value *row = result_row(ctx, t);
    result_set_text(&row[0], a);
    if (t->fields.len > 1)
        result_set_text(&row[1], b);
    if (t->fields.len > 2)
        result_set_text(&row[2], c);
}

/* A column: its comment is NULL when it has none. */
void describe_push_column(CommandContext *ctx, ResultTable *t, const Field *f)
{
    Value *row = result_row(ctx, t);
    Str comment = field_metadata_get(f, "comment", ctx->arena);
    result_set_text(&row[0], f->name);
    result_set_text(&row[1], object_type_text(f, ctx->arena));
    if (comment.len)
        result_set_text(&row[2], comment);
}

void describe_columns(CommandContext *ctx, ResultTable *t)
{
    static const char *const NAMES[] = {"col_name", "data_type", "comment"};
    describe_fields(ctx, t, LENGTH_OF(NAMES), NAMES, true);
}

static bool describe_query(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    BoundRel *query;
    ResultTable t = {0};
    TRY(analyze_query(ctx->analyzer, c->query, &query, err));
    const Type *schema = brel_schema(query, ctx->arena);
    describe_columns(ctx, &t);
    for (size_t i = 0; i < schema->structure.count; i++) {
        Field plain = schema->structure.fields[i];
        if (str_find(plain.metadata, S("__CHAR_VARCHAR_TYPE_STRING")) >= 0)
            plain.metadata = field_metadata_with(plain.metadata, "__CHAR_VARCHAR_TYPE_STRING", (Str){0}, ctx->arena);
        describe_push_column(ctx, &t, &plain);
    }
    *result = result_rel(ctx, &t);
    return true;
}

/* ---- functions, schemas, catalogs ---- */

static bool describe_function(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    static const char *const NAMES[] = {"function_desc"};
    Name name;
    ResultTable t = {0};
    TRY(command_name(ctx, c, &name, err));
    const FuncRow *row = name.len == 1 ? func_find(name.at[0]) : NULL;
    if (!row || (row->flags & FUNC_HIDDEN))
        return error_set(err, ERR_UNRESOLVED_ROUTINE, P("routineName", name_quoted(&name, ctx->arena)),
                         P("searchPath", search_path_text(ctx->analyzer, true)));
    describe_fields(ctx, &t, LENGTH_OF(NAMES), NAMES, false);
    describe_row(ctx, &t, str_printf(ctx->arena, "Function: " STR_FMT, STR_ARG(str_lower(name.at[0], ctx->arena))), S(""), S(""));
    describe_row(ctx, &t, S("Class: lakeshed"), S(""), S(""));
    describe_row(ctx, &t, str_concat(ctx->arena, S("Usage: "), function_usage(row, ctx->arena)), S(""), S(""));
    if (c->describe.extended)
        describe_row(ctx, &t, row->example ? str_printf(ctx->arena, "Extended Usage:\n    Examples:\n      > SELECT %s;\n       %s\n", row->example,
                                                    row->expected ? row->expected : "")
                                       : S("Extended Usage:\n    N/A.\n"), S(""), S(""));
    *result = result_rel(ctx, &t);
    return true;
}

static void push_list(CommandContext *ctx, ResultTable *t, const PropertyVec *v)
{
    Buf b = buf_in(ctx->arena);
    for (size_t i = 0; i < v->len; i++)
        if (!str_is(v->at[i].key, SCHEMA_COLLATION))
            buf_addf(&b, "%s(" STR_FMT "," STR_FMT ")", b.len ? ", " : "(", STR_ARG(v->at[i].key), STR_ARG(v->at[i].value));
    if (b.len)
        buf_addc(&b, ')');
    describe_row(ctx, t, S("Properties"), buf_str(&b), S(""));
}

static bool describe_schema(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    static const char *const NAMES[] = {"info_name", "info_value"};
    Name name;
    SchemaEntry e;
    ResultTable t = {0};
    TRY(command_name(ctx, c, &name, err));
    TRY(analyze_schema_name(ctx->analyzer, &name, &e, err));
    describe_fields(ctx, &t, LENGTH_OF(NAMES), NAMES, true);
    describe_row(ctx, &t, S("Catalog Name"), e.catalog, S(""));
    describe_row(ctx, &t, S("Namespace Name"), e.name, S(""));
    if (e.comment.len)
        describe_row(ctx, &t, S("Comment"), e.comment, S(""));
    describe_row(ctx, &t, S("Location"), location_uri(e.location, ctx->arena), S(""));
    if (e.owner.len)
        describe_row(ctx, &t, S("Owner"), e.owner, S(""));
    Str collation = detail_get(&e.properties, SCHEMA_COLLATION);
    if (collation.len)
        describe_row(ctx, &t, S("Collation"), collation, S(""));
    if (c->describe.extended)
        push_list(ctx, &t, &e.properties);
    *result = result_rel(ctx, &t);
    return true;
}

static bool describe_catalog(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    static const char *const NAMES[] = {"info_name", "info_value"};
    Name name;
    CatalogEntryVec list = {0};
    ResultTable t = {0};
    TRY(command_name(ctx, c, &name, err));
    TRY(catalog_list_catalogs(session_catalog(ctx->session), ctx->arena, &list, err));
    for (size_t i = 0; i < list.len; i++) {
        const CatalogEntry *e = &list.at[i];
        if (name.len != 1 || !str_ieq(e->name, name.at[0]))
            continue;
        describe_fields(ctx, &t, LENGTH_OF(NAMES), NAMES, true);
        describe_row(ctx, &t, S("Catalog Name"), e->name, S(""));
        describe_row(ctx, &t, S("Comment"), e->comment, S(""));
        describe_row(ctx, &t, S("Owner"), e->owner, S(""));
        if (c->describe.extended) {
            describe_row(ctx, &t, S("Created At"), describe_date(ctx, e->created_ms), S(""));
            push_list(ctx, &t, &e->properties);
        }
        *result = result_rel(ctx, &t);
        return true;
    }
    return error_set(err, ERR_CATALOG_NOT_FOUND, P("catalogName", name_quoted(&name, ctx->arena)),
                     P("config", str_printf(ctx->arena, "\"spark.sql.catalog." STR_FMT "\"", STR_ARG(name_text(&name, ctx->arena)))));
}

/* ---- Delta ---- */

static bool is_log_missing(CommandContext *ctx, const ResolvedTable *r, bool *missing, Error *err)
{
    DeltaTable *table;
    bool exists;
    TRY(catalog_delta_table(session_catalog(ctx->session), r->entry.location, &table, err));
    bool ok = delta_table_exists(table, &exists, err);
    delta_table_unref(table);
    *missing = !exists;
    return ok;
}

static bool refuse_view(CommandContext *ctx, const ResolvedTable *r, const Name *name, const char *operation, Error *err)
{
    Str parts[3] = {r->entry.catalog, r->entry.schema, r->entry.name};
    Name full = r->kind == RESOLVED_VIEW ? name_of(ctx->arena, 3, parts) : *name;
    return error_set(err, ERR_EXPECT_TABLE_NOT_VIEW__NO_ALTERNATIVE, P("viewName", name_quoted(&full, ctx->arena)), PZ("operation", operation));
}

static bool describe_history(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    ResolvedTable r;
    bool missing;
    TRY(command_name(ctx, c, &name, err));
    TRY(analyze_table_name(ctx->analyzer, &name, c->origin, &r, err));
    if (r.kind == RESOLVED_VIEW || r.kind == RESOLVED_TEMP_VIEW)
        return refuse_view(ctx, &r, &name, "DESCRIBE HISTORY", err);
    if (!is_delta(&r))
        return error_set(err, ERR_DELTA_ONLY_OPERATION, PZ("operation", "DESCRIBE HISTORY"));
    TRY(is_log_missing(ctx, &r, &missing, err));
    if (missing)
        return error_set(err, ERR_DELTA_TABLE_ONLY_OPERATION, P("tableName", name_quoted(&(Name){.at = &r.entry.location, .len = 1}, ctx->arena)),
                         PZ("operation", "DESCRIBE HISTORY"));
    return analyze_delta_history(ctx->analyzer, r.entry.location, c->describe.limit, result, err);
}

static bool describe_detail(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    ResolvedTable r;
    ObjectInfo o;
    bool missing = false;
    TRY(command_name(ctx, c, &name, err));
    TRY(analyze_table_name(ctx->analyzer, &name, c->origin, &r, err));
    if (r.kind == RESOLVED_VIEW || r.kind == RESOLVED_TEMP_VIEW)
        return refuse_view(ctx, &r, &name, "DESCRIBE DETAIL", err);
    if (is_delta(&r))
        TRY(is_log_missing(ctx, &r, &missing, err));
    if (missing)
        return error_set(err, ERR_DELTA_FILE_NOT_FOUND, P("path", r.entry.location));
    TRY(analyze_object(ctx->analyzer, &name, c->origin, &o, err));
    return analyze_delta_detail(ctx->analyzer, &o, result, err);
}

bool run_describe(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    static const struct {
        const char *what;
        CommandRule rule;
    } KINDS[] = {
        {"table", describe_table},       {"query", describe_query},   {"function", describe_function}, {"schema", describe_schema},
        {"catalog", describe_catalog},   {"history", describe_history}, {"detail", describe_detail},
    };
    for (size_t i = 0; i < LENGTH_OF(KINDS); i++)
        if (str_is(c->describe.what, KINDS[i].what))
            return KINDS[i].rule(ctx, c, result, err);
    return error_unsupported(err, "DESCRIBE " STR_FMT, STR_ARG(c->describe.what));
}
