/* ALTER TABLE: which object it is about, then the change; COMMENT ON TABLE and COLUMN. */
#include "command/alter_impl.h"

void metadata_set_schema(CommandContext *ctx, Metadata *m, const Type *schema)
{
    m->schema = schema;
    m->schema_string = type_json(schema, ctx->arena);
    metadata_map_columns(m, false, ctx->arena);
}

Str field_metadata_of_its_own(Str metadata, Arena *arena)
{
    return field_metadata_without_identity(field_metadata_unmapped(metadata, arena), arena);
}

bool alter_commit(CommandContext *ctx, const Target *t, Metadata *m, const Protocol *wanted, CommitNote *note, bool reads_rows, Error *err)
{
    bool changed;
    Protocol p = protocol_copy(wanted ? wanted : snapshot_protocol(t->snapshot), ctx->arena);
    TRY(protocol_upgrade_existing(&p, m, ctx->arena, &changed, err));
    Transaction *x = transaction_begin(t->table, t->snapshot, ctx->arena);
    transaction_set_metadata(x, m);
    if (!protocol_equal(&p, snapshot_protocol(t->snapshot)))
        transaction_set_protocol(x, &p);
    if (reads_rows)
        transaction_read_whole_table(x);
    note->blind_append = !reads_rows;
    bool ok = note_commit(ctx, x, note, NULL, err);
    transaction_end(x);
    return ok;
}

/* ---- what an object is called in messages ---- */

static const char *operation_of(const Command *c)
{
    static const char *const NAMES[] = {
        [ALTER_ADD_COLUMNS] = "ADD COLUMNS",
        [ALTER_DROP_COLUMNS] = "DROP COLUMNS",
        [ALTER_RENAME_COLUMN] = "RENAME COLUMN",
        [ALTER_COLUMN] = "ALTER COLUMN",
        [ALTER_REPLACE_COLUMNS] = "REPLACE COLUMNS",
        [ALTER_SET_PROPERTIES] = "SET TBLPROPERTIES",
        [ALTER_UNSET_PROPERTIES] = "UNSET TBLPROPERTIES",
        [ALTER_RENAME] = "RENAME TO",
        [ALTER_ADD_CONSTRAINT] = "ADD CONSTRAINT",
        [ALTER_DROP_CONSTRAINT] = "DROP CONSTRAINT",
        [ALTER_SET_LOCATION] = "SET LOCATION",
        [ALTER_CLUSTER_BY] = "CLUSTER BY",
        [ALTER_DROP_FEATURE] = "DROP FEATURE",
        [ALTER_ADD_PARTITION] = "ADD PARTITION ...",
        [ALTER_DROP_PARTITION] = "DROP PARTITION ...",
        [ALTER_SET_OWNER] = "OWNER TO",
        [ALTER_SET_SERDE] = "SET SERDE",
        [ALTER_SYNC_IDENTITY] = "SYNC IDENTITY",
        [ALTER_RECOVER_PARTITIONS] = "RECOVER PARTITIONS",
        [ALTER_VIEW_AS] = "AS",
        [ALTER_RENAME_PARTITION] = "RENAME PARTITION",
        [ALTER_VIEW_SCHEMA] = "WITH SCHEMA",
        [ALTER_DEFAULT_COLLATION] = "DEFAULT COLLATION",
    };
    return (size_t)c->alter.kind < LENGTH_OF(NAMES) && NAMES[c->alter.kind] ? NAMES[c->alter.kind] : "this change";
}

static Name full_name(CommandContext *ctx, const Name *name, const ResolvedTable *r)
{
    Str parts[3] = {r->entry.catalog, r->entry.schema, r->entry.name};
    return r->kind == RESOLVED_TABLE || r->kind == RESOLVED_VIEW ? name_of(ctx->arena, 3, parts) : *name;
}

static bool refuse_view(CommandContext *ctx, const Command *c, const Name *name, const ResolvedTable *r, Error *err)
{
    Name full = full_name(ctx, name, r);
    bool alternative = c->alter.kind == ALTER_SET_PROPERTIES || c->alter.kind == ALTER_UNSET_PROPERTIES;
    return error_set(err, alternative ? ERR_EXPECT_TABLE_NOT_VIEW__USE_ALTER_VIEW : ERR_EXPECT_TABLE_NOT_VIEW__NO_ALTERNATIVE,
                     P("viewName", name_quoted(&full, ctx->arena)),
                     P("operation", str_printf(ctx->arena, "ALTER TABLE ... %s", operation_of(c))));
}

/* ---- changes that are not of the log ---- */

static bool set_location(CommandContext *ctx, const Command *c, const Target *t, Error *err)
{
    Target to;
    bool exists;
    TableEntry e = t->resolved.entry;
    if (c->alter.partitions.len)
        return error_set(err, ERR__LEGACY_ERROR_TEMP_1045);
    if (t->resolved.kind == RESOLVED_PATH)
        return error_set(err, ERR_DELTA_CANNOT_SET_LOCATION_ON_PATH_IDENTIFIER);
    e.location = c->alter.location;
    if (str_starts_with(e.location, S("file:")))
        e.location = str_slice(e.location, str_starts_with(e.location, S("file://")) ? 7 : 5, e.location.len);
    DeltaTable *table;
    TRY(catalog_delta_table(session_catalog(ctx->session), e.location, &table, err));
    bool ok = delta_table_exists(table, &exists, err);
    delta_table_unref(table);
    TRY(ok);
    if (!exists)
        return error_set(err, ERR_DELTA_MISSING_DELTA_TABLE, P("tableName", name_quoted(&(Name){.at = &e.location, .len = 1}, ctx->arena)));
    TRY(target_at_location(ctx, e.location, &to, err));
    bool any = session_bool(ctx->session, "spark.databricks.delta.alterLocation.bypassSchemaCheck", false);
    if (!any && !type_same_shape(snapshot_schema(t->snapshot), snapshot_schema(to.snapshot)))
        return error_set(err, ERR_DELTA_SET_LOCATION_SCHEMA_MISMATCH, P("original", str_concat(ctx->arena, S("root\n"), type_tree_string(snapshot_schema(t->snapshot), 0, ctx->arena))),
                         P("destination", str_concat(ctx->arena, S("root\n"), type_tree_string(snapshot_schema(to.snapshot), 0, ctx->arena))),
                         PZ("config", "spark.databricks.delta.alterLocation.bypassSchemaCheck"));
    e.managed = false;
    return catalog_update_table(session_catalog(ctx->session), &e, err);
}

static bool refuse_partitions(CommandContext *ctx, const Command *c, const Target *t, Error *err)
{
    (void)c;
    return error_set(err, ERR_INVALID_PARTITION_OPERATION__PARTITION_MANAGEMENT_IS_UNSUPPORTED, P("name", name_quoted(&t->qualifier, ctx->arena)));
}

static bool refuse_recover(CommandContext *ctx, const Command *c, const Target *t, Error *err)
{
    (void)ctx;
    (void)c;
    (void)t;
    return error_set(err, ERR_NOT_SUPPORTED_COMMAND_FOR_V2_TABLE, PZ("cmd", "ALTER TABLE ... RECOVER PARTITIONS"));
}

static bool refuse_serde(CommandContext *ctx, const Command *c, const Target *t, Error *err)
{
    (void)ctx;
    (void)c;
    (void)t;
    return error_set(err, ERR_NOT_SUPPORTED_COMMAND_FOR_V2_TABLE, PZ("cmd", "ALTER TABLE ... SET [SERDE|SERDEPROPERTIES]"));
}

static bool refuse_by_name(CommandContext *ctx, const Command *c, const Target *t, Error *err)
{
    (void)ctx;
    (void)t;
    return error_unsupported(err, "ALTER TABLE .. %s", operation_of(c));
}

/* ---- the dispatch ---- */

typedef bool (*AlterRule)(CommandContext *ctx, const Command *c, const Target *t, Error *err);

static const AlterRule RULES[] = {
    [ALTER_ADD_COLUMNS] = alter_add_columns,
    [ALTER_DROP_COLUMNS] = alter_drop_columns,
    [ALTER_RENAME_COLUMN] = alter_rename_column,
    [ALTER_COLUMN] = alter_columns,
    [ALTER_SET_PROPERTIES] = alter_set_properties,
    [ALTER_UNSET_PROPERTIES] = alter_unset_properties,
    [ALTER_ADD_CONSTRAINT] = alter_add_constraint,
    [ALTER_DROP_CONSTRAINT] = alter_drop_constraint,
    [ALTER_SET_LOCATION] = set_location,
    [ALTER_DROP_FEATURE] = alter_drop_feature,
    [ALTER_ADD_PARTITION] = refuse_partitions,
    [ALTER_DROP_PARTITION] = refuse_partitions,
    [ALTER_RENAME_PARTITION] = refuse_partitions,
    [ALTER_RECOVER_PARTITIONS] = refuse_recover,
    [ALTER_REPLACE_COLUMNS] = alter_replace_columns,
    [ALTER_CLUSTER_BY] = alter_cluster_by,
    [ALTER_SET_OWNER] = refuse_by_name,
    [ALTER_SET_SERDE] = refuse_serde,
    [ALTER_SYNC_IDENTITY] = alter_sync_identity,
    [ALTER_DEFAULT_COLLATION] = refuse_by_name,
};

static bool missing_table(CommandContext *ctx, const Name *name, Error *err)
{
    return error_set(err, ERR_TABLE_OR_VIEW_NOT_FOUND, P("relationName", name_quoted(name, ctx->arena)),
                     P("searchPath", search_path_text(ctx->analyzer, false)));
}

static bool alter_delta(CommandContext *ctx, const Command *c, const Name *name, Error *err)
{
    Target t;
    AlterRule rule = (size_t)c->alter.kind < LENGTH_OF(RULES) ? RULES[c->alter.kind] : NULL;
    TRY(target_open(ctx, name, c->origin, &t, err));
    return rule ? rule(ctx, c, &t, err) : refuse_by_name(ctx, c, &t, err);
}

bool run_alter_table(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    ResolvedTable r;
    *result = result_none(ctx);
    TRY(command_name(ctx, c, &name, err));
    TRY(analyze_table_name(ctx->analyzer, &name, c->origin, &r, err));
    if (c->kind == CMD_ALTER_VIEW || c->alter.is_view)
        return alter_view(ctx, c, &name, &r, err);
    if (r.kind == RESOLVED_TEMP_VIEW && c->alter.kind == ALTER_RENAME)
        return missing_table(ctx, &name, err);
    if (r.kind == RESOLVED_TEMP_VIEW || r.kind == RESOLVED_VIEW)
        return refuse_view(ctx, c, &name, &r, err);
    if (c->alter.kind == ALTER_RENAME)
        return r.kind == RESOLVED_TABLE ? rename_object(ctx, c, &r, err) : missing_table(ctx, &name, err);
    if (is_delta(&r))
        return alter_delta(ctx, c, &name, err);
    if (r.kind == RESOLVED_TABLE)
        return alter_file_table(ctx, c, &r, err);
    return error_unsupported(err, "ALTER TABLE .. %s of a table in %.*s files", operation_of(c), STR_ARG(r.entry.provider));
}

/* ---- COMMENT ON ---- */

static bool comment_on_column(CommandContext *ctx, const Command *c, const Name *name, Error *err)
{
    Command alter = {.kind = CMD_ALTER_TABLE, .origin = c->origin, .alter = {.kind = ALTER_COLUMN}};
    ColumnDef column = {.has_comment = true, .comment = c->comment_on.is_null ? (Str){0} : c->comment_on.text, .origin = c->origin};
    if (name->len < 2)
        return error_unsupported(err, "COMMENT ON COLUMN without a table's name");
    Name table = name_of(ctx->arena, name->len - 1, name->at);
    Str last = vec_last(name);
    ResolvedTable r;
    column.name = name_of(ctx->arena, 1, &last);
    vec_push(ctx->arena, &alter.alter.columns, column);
    TRY(analyze_table_name(ctx->analyzer, &table, c->origin, &r, err));
    if (r.kind == RESOLVED_TABLE && !is_delta(&r))
        return alter_file_table(ctx, &alter, &r, err);
    return alter_delta(ctx, &alter, &table, err);
}

bool comment_on_table(CommandContext *ctx, const Command *c, const Name *name, Error *err)
{
    ResolvedTable r;
    Command alter = {.kind = CMD_ALTER_TABLE, .origin = c->origin, .alter = {.kind = ALTER_SET_PROPERTIES}};
    if (str_is_ci(c->comment_on.what, "column"))
        return comment_on_column(ctx, c, name, err);
    KeyValue comment = {S("comment"), c->comment_on.is_null ? S("") : c->comment_on.text, NULL};
    vec_push(ctx->arena, &alter.properties, comment);
    TRY(analyze_table_name(ctx->analyzer, name, c->origin, &r, err));
    if (r.kind == RESOLVED_TEMP_VIEW || r.kind == RESOLVED_VIEW)
        return error_set(err, ERR_EXPECT_TABLE_NOT_VIEW__NO_ALTERNATIVE, P("viewName", name_quoted(name, ctx->arena)), PZ("operation", "COMMENT ON TABLE"));
    if (is_delta(&r))
        return alter_delta(ctx, &alter, name, err);
    r.entry.comment = comment.value;
    return r.kind == RESOLVED_TABLE ? catalog_update_table(session_catalog(ctx->session), &r.entry, err) : missing_table(ctx, name, err);
}
