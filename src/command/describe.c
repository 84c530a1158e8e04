/* DESCRIBE: tables, columns, queries, functions, schemas, catalogs; history and detail of Delta tables. */
#include <time.h>

#include "command/command_impl.h"

static void text_fields(CommandContext *ctx, ResultTable *t, size_t count, const char *const *names, bool last_nullable)
{
    for (size_t i = 0; i < count; i++)
        result_field(ctx, t, names[i], type_simple(TYPE_STRING), last_nullable && i + 1 == count);
}

static void push_row(CommandContext *ctx, ResultTable *t, Str a, Str b, Str c)
{
    Value *row = result_row(ctx, t);
    result_set_text(&row[0], a);
    if (t->fields.len > 1)
        result_set_text(&row[1], b);
    if (t->fields.len > 2)
        result_set_text(&row[2], c);
}

/* A column: its comment is NULL when it has none. */
static void push_column(CommandContext *ctx, ResultTable *t, const Field *f)
{
    Value *row = result_row(ctx, t);
    Str comment = field_metadata_get(f, "comment", ctx->arena);
    result_set_text(&row[0], f->name);
    result_set_text(&row[1], object_type_text(f, ctx->arena));
    if (comment.len)
        result_set_text(&row[2], comment);
}

static void column_table(CommandContext *ctx, ResultTable *t)
{
    static const char *const NAMES[] = {"col_name", "data_type", "comment"};
    text_fields(ctx, t, LENGTH_OF(NAMES), NAMES, true);
}

/* ---- tables ---- */

static void push_partitioning(CommandContext *ctx, ResultTable *t, const ObjectInfo *o)
{
    if (!o->partition_columns.len)
        return;
    push_row(ctx, t, S("# Partition Information"), S(""), S(""));
    push_row(ctx, t, S("# col_name"), S("data_type"), S("comment"));
    for (size_t i = 0; i < o->partition_columns.len; i++) {
        int at = type_field_index(o->schema, o->partition_columns.at[i], false);
        if (at >= 0)
            push_column(ctx, t, &o->schema->structure.fields[at]);
    }
}

static Str java_date(CommandContext *ctx, int64_t ms)
{
    char text[64];
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    if (!gmtime_r(&seconds, &tm) || !strftime(text, sizeof text, "%a %b %d %H:%M:%S UTC %Y", &tm))
        return S("UNKNOWN");
    return str_copy(str_from(text), ctx->arena);
}

static void push_info(CommandContext *ctx, ResultTable *t, const char *key, Str value)
{
    push_row(ctx, t, str_from(key), value, S(""));
}

static Str property_list(CommandContext *ctx, const PropertyVec *v)
{
    Buf b = buf_in(ctx->arena);
    buf_addc(&b, '[');
    for (size_t i = 0; i < v->len; i++)
        buf_addf(&b, "%s" STR_FMT "=" STR_FMT, i ? "," : "", STR_ARG(v->at[i].key), STR_ARG(v->at[i].value));
    buf_addc(&b, ']');
    return buf_str(&b);
}

static void push_view(CommandContext *ctx, ResultTable *t, const ObjectInfo *o)
{
    const TableEntry *e = &o->resolved.entry;
    Str parts[2] = {e->view_catalog, e->view_schema};
    Name space = name_of(ctx->arena, 2, parts);
    Buf names = buf_in(ctx->arena);
    push_info(ctx, t, "Type", S("VIEW"));
    if (o->comment.len)
        push_info(ctx, t, "Comment", o->comment);
    if (o->properties.len)
        push_info(ctx, t, "Table Properties", property_list(ctx, &o->properties));
    push_info(ctx, t, "View Text", e->view_sql);
    push_info(ctx, t, "View Original Text", e->view_sql);
    push_info(ctx, t, "View Schema Mode", S("COMPENSATION"));
    push_info(ctx, t, "View Catalog and Namespace", name_text(&space, ctx->arena));
    for (size_t i = 0; i < o->schema->structure.count; i++)
        buf_addf(&names, "%s`" STR_FMT "`", i ? ", " : "[", STR_ARG(o->schema->structure.fields[i].name));
    buf_addc(&names, ']');
    push_info(ctx, t, "View Query Output Columns", buf_str(&names));
}

static void push_table(CommandContext *ctx, ResultTable *t, const ObjectInfo *o)
{
    const TableEntry *e = &o->resolved.entry;
    push_info(ctx, t, "Type", e->managed ? S("MANAGED") : S("EXTERNAL"));
    if (o->comment.len)
        push_info(ctx, t, "Comment", o->comment);
    push_info(ctx, t, "Location", location_uri(e->location, ctx->arena));
    push_info(ctx, t, "Provider", e->provider);
    if (e->owner.len)
        push_info(ctx, t, "Owner", e->owner);
    if (e->managed)
        push_info(ctx, t, "Is_managed_location", S("true"));
    if (o->properties.len)
        push_info(ctx, t, "Table Properties", property_list(ctx, &o->properties));
}

static void push_details(CommandContext *ctx, ResultTable *t, const ObjectInfo *o)
{
    const TableEntry *e = &o->resolved.entry;
    push_row(ctx, t, S(""), S(""), S(""));
    push_row(ctx, t, S("# Detailed Table Information"), S(""), S(""));
    if (o->resolved.kind == RESOLVED_PATH)
        push_info(ctx, t, "Name", o->resolved.full_name);
    else {
        push_info(ctx, t, "Catalog", e->catalog);
        if (o->snapshot)
            push_info(ctx, t, "Namespace", e->schema);
        push_info(ctx, t, "Database", e->schema);
        push_info(ctx, t, "Table", e->name);
    }
    if (!o->snapshot && o->resolved.kind != RESOLVED_PATH) {
        push_info(ctx, t, "Created Time", java_date(ctx, e->created_ms));
        push_info(ctx, t, "Last Access", S("UNKNOWN"));
        push_info(ctx, t, "Created By", S("lakeshed"));
    }
    if (object_is_view(o))
        push_view(ctx, t, o);
    else
        push_table(ctx, t, o);
}

static void push_defaults(CommandContext *ctx, ResultTable *t, const ObjectInfo *o)
{
    bool any = false;
    for (size_t i = 0; i < o->schema->structure.count; i++) {
        const Field *f = &o->schema->structure.fields[i];
        Str sql = delta_default_expression(f, ctx->arena);
        if (!sql.len)
            continue;
        if (!any) {
            push_row(ctx, t, S(""), S(""), S(""));
            push_row(ctx, t, S("# Column Default Values"), S(""), S(""));
        }
        any = true;
        push_row(ctx, t, f->name, object_type_text(f, ctx->arena), sql);
    }
}

static bool unknown_column(CommandContext *ctx, const ObjectInfo *o, const Name *column, Error *err)
{
    Buf b = buf_in(ctx->arena);
    for (size_t i = 0; i < o->schema->structure.count && i < 5; i++)
        buf_addf(&b, "%s`" STR_FMT "`", i ? ", " : "", STR_ARG(o->schema->structure.fields[i].name));
    return error_set(err, ERR_UNRESOLVED_COLUMN__WITH_SUGGESTION, P("objectName", name_quoted(column, ctx->arena)), P("proposal", buf_str(&b)));
}

static bool describe_column(CommandContext *ctx, const Command *c, const ObjectInfo *o, BoundRel **result, Error *err)
{
    static const char *const NAMES[] = {"info_name", "info_value"};
    ResultTable t = {0};
    Name column;
    TRY(name_parse(c->describe.column, ctx->arena, &column, err));
    int at = type_field_index(o->schema, column.at[0], false);
    if (at < 0)
        return unknown_column(ctx, o, &column, err);
    if (column.len > 1)
        return error_set(err, ERR__LEGACY_ERROR_TEMP_1060, PZ("command", "DESC TABLE COLUMN"), P("column", name_text(&column, ctx->arena)));
    const Field *f = &o->schema->structure.fields[at];
    Str comment = field_metadata_get(f, "comment", ctx->arena);
    text_fields(ctx, &t, LENGTH_OF(NAMES), NAMES, false);
    push_row(ctx, &t, S("col_name"), f->name, S(""));
    push_row(ctx, &t, S("data_type"), object_type_text(f, ctx->arena), S(""));
    push_row(ctx, &t, S("comment"), comment.len ? comment : S("NULL"), S(""));
    *result = result_rel(ctx, &t);
    return true;
}

static bool describe_table(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    ObjectInfo o;
    ResultTable t = {0};
    if (c->describe.as_json)
        return error_unsupported(err, "DESCRIBE .. AS JSON");
    TRY(command_name(ctx, c, &name, err));
    TRY(analyze_object(ctx->analyzer, &name, c->origin, &o, err));
    if (c->describe.partition.len)
        return error_set(err, ERR_INVALID_PARTITION_OPERATION__PARTITION_MANAGEMENT_IS_UNSUPPORTED, P("name", name_quoted(&name, ctx->arena)));
    if (c->describe.column.len)
        return describe_column(ctx, c, &o, result, err);
    column_table(ctx, &t);
    for (size_t i = 0; i < o.schema->structure.count; i++)
        push_column(ctx, &t, &o.schema->structure.fields[i]);
    push_partitioning(ctx, &t, &o);
    if (c->describe.extended && o.resolved.kind != RESOLVED_TEMP_VIEW) {
        push_details(ctx, &t, &o);
        push_defaults(ctx, &t, &o);
    }
    *result = result_rel(ctx, &t);
    return true;
}

static bool describe_query(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    BoundRel *query;
    ResultTable t = {0};
    TRY(analyze_query(ctx->analyzer, c->query, &query, err));
    const Type *schema = brel_schema(query, ctx->arena);
    column_table(ctx, &t);
    for (size_t i = 0; i < schema->structure.count; i++)
        push_column(ctx, &t, &schema->structure.fields[i]);
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
    text_fields(ctx, &t, LENGTH_OF(NAMES), NAMES, false);
    push_row(ctx, &t, str_printf(ctx->arena, "Function: " STR_FMT, STR_ARG(str_lower(name.at[0], ctx->arena))), S(""), S(""));
    push_row(ctx, &t, S("Class: lakeshed"), S(""), S(""));
    push_row(ctx, &t, str_concat(ctx->arena, S("Usage: "), function_usage(row, ctx->arena)), S(""), S(""));
    if (c->describe.extended)
        push_row(ctx, &t, row->example ? str_printf(ctx->arena, "Extended Usage:\n    Examples:\n      > SELECT %s;\n       %s\n", row->example,
                                                    row->expected ? row->expected : "")
                                       : S("Extended Usage:\n    N/A.\n"), S(""), S(""));
    *result = result_rel(ctx, &t);
    return true;
}

static void push_list(CommandContext *ctx, ResultTable *t, const PropertyVec *v)
{
    Buf b = buf_in(ctx->arena);
    for (size_t i = 0; i < v->len; i++)
        buf_addf(&b, "%s(" STR_FMT "," STR_FMT ")", i ? ", " : "(", STR_ARG(v->at[i].key), STR_ARG(v->at[i].value));
    if (v->len)
        buf_addc(&b, ')');
    push_row(ctx, t, S("Properties"), buf_str(&b), S(""));
}

static bool describe_schema(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    static const char *const NAMES[] = {"info_name", "info_value"};
    Name name;
    SchemaEntry e;
    ResultTable t = {0};
    TRY(command_name(ctx, c, &name, err));
    TRY(analyze_schema_name(ctx->analyzer, &name, &e, err));
    text_fields(ctx, &t, LENGTH_OF(NAMES), NAMES, true);
    push_row(ctx, &t, S("Catalog Name"), e.catalog, S(""));
    push_row(ctx, &t, S("Namespace Name"), e.name, S(""));
    if (e.comment.len)
        push_row(ctx, &t, S("Comment"), e.comment, S(""));
    push_row(ctx, &t, S("Location"), location_uri(e.location, ctx->arena), S(""));
    if (e.owner.len)
        push_row(ctx, &t, S("Owner"), e.owner, S(""));
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
        text_fields(ctx, &t, LENGTH_OF(NAMES), NAMES, true);
        push_row(ctx, &t, S("Catalog Name"), e->name, S(""));
        push_row(ctx, &t, S("Comment"), e->comment, S(""));
        push_row(ctx, &t, S("Owner"), e->owner, S(""));
        if (c->describe.extended) {
            push_row(ctx, &t, S("Created At"), java_date(ctx, e->created_ms), S(""));
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
