/* SHOW: catalogs, schemas, tables, views, columns, functions, properties, partitions, the text that makes a table. */
#include "command/describe_impl.h"
#include "type/collation.h"

static const Type *text_type(void)
{
    return type_simple(TYPE_STRING);
}

static bool is_shown(const Command *c, Str name)
{
    return !c->show.has_like || pattern_matches(c->show.like, name);
}

/* FROM or IN: a schema's name, IDENTIFIER(..) evaluated. */
static bool show_source(CommandContext *ctx, const Command *c, Name *out, Error *err)
{
    if (c->name_expr)
        return command_name(ctx, c, out, err);
    *out = c->show.from;
    return true;
}

static bool one_column(CommandContext *ctx, const char *column, bool nullable, const StrVec *values, BoundRel **result)
{
    ResultTable t = {0};
    result_field(ctx, &t, column, text_type(), nullable);
    for (size_t i = 0; i < values->len; i++)
        result_set_text(result_row(ctx, &t), values->at[i]);
    *result = result_rel(ctx, &t);
    return true;
}

static bool show_catalogs(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    CatalogEntryVec list = {0};
    StrVec names = {0};
    TRY(catalog_list_catalogs(session_catalog(ctx->session), ctx->arena, &list, err));
    for (size_t i = 0; i < list.len; i++)
        if (is_shown(c, list.at[i].name))
            vec_push(ctx->arena, &names, list.at[i].name);
    return one_column(ctx, "catalog", false, &names, result);
}

static bool show_schemas(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name from;
    Str catalog, schema;
    SchemaEntryVec list = {0};
    StrVec names = {0};
    bool found;
    session_current(ctx->session, ctx->arena, &catalog, &schema);
    TRY(show_source(ctx, c, &from, err));
    if (from.len) {
        TRY(catalog_has_catalog(session_catalog(ctx->session), from.at[0], &found, err));
        if (!found || from.len > 1) {
            SchemaEntry ignored;
            TRY(analyze_schema_name(ctx->analyzer, &from, &ignored, err));
            return one_column(ctx, "namespace", false, &names, result); /* schemas hold no schemas */
        }
        catalog = from.at[0];
    }
    TRY(catalog_list_schemas(session_catalog(ctx->session), catalog, ctx->arena, &list, err));
    for (size_t i = 0; i < list.len; i++)
        if (is_shown(c, list.at[i].name))
            vec_push(ctx->arena, &names, list.at[i].name);
    return one_column(ctx, "namespace", false, &names, result);
}

static bool show_relations(CommandContext *ctx, const Command *c, bool views, BoundRel **result, Error *err)
{
    Name from;
    ListedTableVec list = {0};
    ResultTable t = {0};
    TRY(show_source(ctx, c, &from, err));
    TRY(analyze_list_tables(ctx->analyzer, &from, views, c->show.has_like, c->show.like, &list, err));
    result_field(ctx, &t, "namespace", text_type(), false);
    result_field(ctx, &t, views ? "viewName" : "tableName", text_type(), false);
    result_field(ctx, &t, "isTemporary", type_simple(TYPE_BOOLEAN), false);
    for (size_t i = 0; i < list.len; i++) {
        const ListedTable *e = &list.at[i];
        Value *row = result_row(ctx, &t);
        result_set_text(&row[0], e->global ? S("global_temp") : e->entry.schema);
        result_set_text(&row[1], e->name);
        row[2] = value_bool(e->temporary);
    }
    *result = result_rel(ctx, &t);
    return true;
}

static bool show_tables(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    return show_relations(ctx, c, false, result, err);
}

static bool show_views(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    return show_relations(ctx, c, true, result, err);
}

/* ---- TABLE EXTENDED ---- */

static bool table_information(CommandContext *ctx, const ListedTable *e, Str *out, Error *err)
{
    Name name = {0};
    ObjectInfo o;
    Buf b = buf_in(ctx->arena);
    if (e->global)
        vec_push(ctx->arena, &name, S("global_temp"));
    if (!e->temporary) {
        vec_push(ctx->arena, &name, e->entry.catalog);
        vec_push(ctx->arena, &name, e->entry.schema);
    }
    vec_push(ctx->arena, &name, e->name);
    TRY(analyze_object(ctx->analyzer, &name, (Origin){0, -1}, &o, err));
    if (o.snapshot) {
        buf_addf(&b, "Catalog: " STR_FMT "\nDatabase: " STR_FMT "\n", STR_ARG(e->entry.catalog), STR_ARG(e->entry.schema));
        buf_addf(&b, "Table: " STR_FMT "\nCreated By: lakeshed\nType: %s\nProvider: " STR_FMT "\n", STR_ARG(e->name),
                 e->entry.managed ? "MANAGED" : "EXTERNAL", STR_ARG(e->entry.provider));
        if (o.comment.len)
            buf_addf(&b, "Comment: " STR_FMT "\n", STR_ARG(o.comment));
        buf_addf(&b, "Statistics: %lld bytes\n", (long long)snapshot_size_in_bytes(o.snapshot));
        buf_addf(&b, "Location: " STR_FMT "\n", STR_ARG(location_uri(e->entry.location, ctx->arena)));
    } else {
        PropertyVec facts = {0};
        table_facts(ctx, &o, &name, true, &facts);
        for (size_t i = 0; i < facts.len; i++)
            buf_addf(&b, STR_FMT ": " STR_FMT "\n", STR_ARG(facts.at[i].key), STR_ARG(facts.at[i].value));
    }
    Str lines = type_tree_string(o.schema, 0, ctx->arena);
    buf_addf(&b, "Schema: %s" STR_FMT "\n", str_starts_with(lines, S("root")) ? "" : "root\n", STR_ARG(lines));
    *out = buf_str(&b);
    return true;
}

/* LIKE 't' PARTITION (..): one partition of the one table of that name. */
static bool show_partition_extended(CommandContext *ctx, const Command *c, const Name *from, BoundRel **result, Error *err)
{
    Name name = {0};
    ObjectInfo o;
    PartitionEntry p;
    PropertyVec facts = {0};
    ResultTable t = {0};
    Buf b = buf_in(ctx->arena);
    for (size_t i = 0; i < from->len; i++)
        vec_push(ctx->arena, &name, from->at[i]);
    vec_push(ctx->arena, &name, c->show.like);
    TRY(analyze_object(ctx->analyzer, &name, c->origin, &o, err));
    if (o.snapshot || object_is_view(&o))
        return error_set(err, ERR_INVALID_PARTITION_OPERATION__PARTITION_MANAGEMENT_IS_UNSUPPORTED, P("name", name_quoted(&name, ctx->arena)));
    TRY(require_partitions(ctx, &o.resolved.entry, "SHOW TABLE EXTENDED", err));
    TRY(partition_open(ctx, &o.resolved.entry, &c->show.partition, &p, err));
    partition_facts(ctx, &o, &p, &facts);
    for (size_t i = 0; i < facts.len; i++)
        buf_addf(&b, STR_FMT ": " STR_FMT "\n", STR_ARG(facts.at[i].key), STR_ARG(facts.at[i].value));
    buf_addc(&b, '\n');
    result_field(ctx, &t, "namespace", text_type(), false);
    result_field(ctx, &t, "tableName", text_type(), false);
    result_field(ctx, &t, "isTemporary", type_simple(TYPE_BOOLEAN), false);
    result_field(ctx, &t, "information", text_type(), false);
    Value *row = result_row(ctx, &t);
    result_set_text(&row[0], o.resolved.entry.schema);
    result_set_text(&row[1], o.resolved.entry.name);
    row[2] = value_bool(false);
    result_set_text(&row[3], buf_str(&b));
    *result = result_rel(ctx, &t);
    return true;
}

static bool show_table_extended(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name from;
    ListedTableVec list = {0};
    ResultTable t = {0};
    TRY(show_source(ctx, c, &from, err));
    if (c->show.partition.len)
        return show_partition_extended(ctx, c, &from, result, err);
    TRY(analyze_list_tables(ctx->analyzer, &from, false, c->show.has_like, c->show.like, &list, err));
    result_field(ctx, &t, "namespace", text_type(), false);
    result_field(ctx, &t, "tableName", text_type(), false);
    result_field(ctx, &t, "isTemporary", type_simple(TYPE_BOOLEAN), false);
    result_field(ctx, &t, "information", text_type(), false);
    for (size_t i = 0; i < list.len; i++) {
        const ListedTable *e = &list.at[i];
        Str information;
        TRY(table_information(ctx, e, &information, err));
        Value *row = result_row(ctx, &t);
        result_set_text(&row[0], e->global ? S("global_temp") : e->entry.schema);
        result_set_text(&row[1], e->name);
        row[2] = value_bool(e->temporary);
        result_set_text(&row[3], information);
    }
    *result = result_rel(ctx, &t);
    return true;
}

/* ---- about one table ---- */

static bool open_object(CommandContext *ctx, const Command *c, Name *name, ObjectInfo *o, Error *err)
{
    TRY(command_name(ctx, c, name, err));
    return analyze_object(ctx->analyzer, name, c->origin, o, err);
}

static bool show_columns(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    ObjectInfo o;
    StrVec names = {0};
    TRY(open_object(ctx, c, &name, &o, err));
    for (size_t i = 0; i < o.schema->structure.count; i++)
        vec_push(ctx->arena, &names, o.schema->structure.fields[i].name);
    return one_column(ctx, "col_name", o.snapshot != NULL, &names, result);
}

static bool show_tblproperties(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    ObjectInfo o;
    ResultTable t = {0};
    bool found = false;
    TRY(open_object(ctx, c, &name, &o, err));
    result_field(ctx, &t, "key", text_type(), false);
    result_field(ctx, &t, "value", text_type(), false);
    for (size_t i = 0; i < o.properties.len; i++) {
        const Property *p = &o.properties.at[i];
        if (c->show.key.len && !str_eq(p->key, c->show.key))
            continue;
        Value *row = result_row(ctx, &t);
        result_set_text(&row[0], p->key);
        result_set_text(&row[1], redacted_value(ctx->arena, p->key, p->value));
        found = true;
    }
    if (c->show.key.len && !found) {
        Value *row = result_row(ctx, &t);
        Name full = entry_name(ctx, &o.resolved.entry);
        Str shown = o.snapshot || o.resolved.kind == RESOLVED_TEMP_VIEW ? o.resolved.full_name : name_text(&full, ctx->arena);
        result_set_text(&row[0], c->show.key);
        result_set_text(&row[1], str_printf(ctx->arena, "Table " STR_FMT " does not have property: " STR_FMT, STR_ARG(shown),
                                            STR_ARG(c->show.key)));
    }
    *result = result_rel(ctx, &t);
    return true;
}

static bool show_create(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    ObjectInfo o;
    StrVec texts = {0};
    Str text;
    TRY(open_object(ctx, c, &name, &o, err));
    if (c->show.as_serde && !object_is_view(&o))
        return error_set(err, ERR_UNSUPPORTED_SHOW_CREATE_TABLE__ON_DATA_SOURCE_TABLE_WITH_AS_SERDE, P("tableName", o.resolved.full_name));
    TRY(object_create_text(ctx->analyzer, &name, &o, &text, err));
    vec_push(ctx->arena, &texts, text);
    return one_column(ctx, "createtab_stmt", false, &texts, result);
}

static bool show_partitions(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    ObjectInfo o;
    const Type *schema;
    ResultTable t = {0};
    TRY(open_object(ctx, c, &name, &o, err));
    Str parts[3] = {o.resolved.entry.catalog, o.resolved.entry.schema, o.resolved.entry.name};
    Name full = o.resolved.kind == RESOLVED_TABLE || o.resolved.kind == RESOLVED_VIEW ? name_of(ctx->arena, 3, parts) : name;
    if (object_is_view(&o))
        return error_set(err, ERR_EXPECT_TABLE_NOT_VIEW__NO_ALTERNATIVE, P("viewName", name_quoted(&full, ctx->arena)), PZ("operation", "SHOW PARTITIONS"));
    if (!o.partition_columns.len && o.snapshot)
        return error_set(err, ERR_DELTA_SHOW_PARTITION_IN_NON_PARTITIONED_TABLE, P("tableName", o.resolved.full_name));
    if (!o.partition_columns.len)
        return error_set(err, ERR_INVALID_PARTITION_OPERATION__PARTITION_SCHEMA_IS_EMPTY, P("name", name_quoted(&full, ctx->arena)));
    if (!o.snapshot) {
        StrVec names = {0};
        TRY(show_file_partitions(ctx, &o.resolved.entry, &c->show.partition, &names, err));
        return one_column(ctx, "partition", false, &names, result);
    }
    if (c->show.partition.len)
        return error_unsupported(err, "SHOW PARTITIONS .. PARTITION of a Delta table");
    TRY(analyze_partitions(ctx->analyzer, &o, &schema, &t.rows, err));
    for (size_t i = 0; i < schema->structure.count; i++)
        vec_push(ctx->arena, &t.fields, schema->structure.fields[i]);
    *result = result_rel(ctx, &t);
    return true;
}

/* ---- the rest ---- */

/* Only builtins exist so far: SHOW USER FUNCTIONS is empty. */
static bool show_functions(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name from;
    SchemaEntry ignored;
    StrVec names = {0};
    TRY(show_source(ctx, c, &from, err));
    if (from.len)
        TRY(analyze_schema_name(ctx->analyzer, &from, &ignored, err));
    if (!str_is(c->show.key, "USER"))
        function_names(c->show.has_like, c->show.like, ctx->arena, &names);
    return one_column(ctx, "function", false, &names, result);
}

static bool show_current(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    (void)c;
    (void)err;
    ResultTable t = {0};
    Str catalog, schema;
    session_current(ctx->session, ctx->arena, &catalog, &schema);
    result_field(ctx, &t, "catalog", text_type(), false);
    result_field(ctx, &t, "namespace", text_type(), false);
    Value *row = result_row(ctx, &t);
    result_set_text(&row[0], catalog);
    result_set_text(&row[1], schema);
    *result = result_rel(ctx, &t);
    return true;
}

static bool show_collations(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    (void)err;
    static const char *const NAMES[] = {"NAME", "LANGUAGE", "COUNTRY", "ACCENT_SENSITIVITY", "CASE_SENSITIVITY", "PAD_ATTRIBUTE", "ICU_VERSION"};
    ResultTable t = {0};
    for (size_t i = 0; i < LENGTH_OF(NAMES); i++)
        result_field(ctx, &t, NAMES[i], text_type(), i == 1 || i == 2 || i == 6);
    CollationInfoVec all = collation_list(ctx->arena);
    for (size_t i = 0; i < all.len; i++) {
        if (!is_shown(c, all.at[i].name))
            continue;
        Value *row = result_row(ctx, &t);
        result_set_text(&row[0], all.at[i].name);
        for (size_t k = 1; k < LENGTH_OF(NAMES); k++) {
            Str cell = collation_cell(&all.at[i], NAMES[k]);
            if (cell.len)
                result_set_text(&row[k], cell);
        }
    }
    *result = result_rel(ctx, &t);
    return true;
}

bool run_show(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    static const struct {
        const char *what;
        CommandRule rule;
    } KINDS[] = {
        {"catalogs", show_catalogs},
        {"schemas", show_schemas},
        {"tables", show_tables},
        {"views", show_views},
        {"table extended", show_table_extended},
        {"columns", show_columns},
        {"tblproperties", show_tblproperties},
        {"create table", show_create},
        {"partitions", show_partitions},
        {"functions", show_functions},
        {"current namespace", show_current},
        {"collations", show_collations},
    };
    for (size_t i = 0; i < LENGTH_OF(KINDS); i++)
        if (str_is(c->show.what, KINDS[i].what))
            return KINDS[i].rule(ctx, c, result, err);
    return error_unsupported(err, "SHOW " STR_FMT, STR_ARG(str_upper(c->show.what, ctx->arena)));
}
