/* ALTER TABLE of tables of plain files: their columns, options and properties live in the catalog. */
#include "command/alter_impl.h"
#include "type/collation.h"

static Str table_name(CommandContext *ctx, const TableEntry *e)
{
    Name n = entry_name(ctx, e);
    return name_quoted(&n, ctx->arena);
}

static bool not_offered(CommandContext *ctx, const TableEntry *e, const char *operation, Error *err)
{
    return error_set(err, ERR_UNSUPPORTED_FEATURE__TABLE_OPERATION, P("tableName", table_name(ctx, e)), PZ("operation", operation));
}

static bool fields_of(CommandContext *ctx, const TableEntry *e, FieldVec *out, Error *err)
{
    const Type *schema;
    if (!e->schema_json.len)
        return error_unsupported(err, "ALTER TABLE of a table whose columns are those of its files");
    TRY(type_from_json(e->schema_json, ctx->arena, &schema, err));
    for (size_t i = 0; i < schema->structure.count; i++)
        vec_push(ctx->arena, out, schema->structure.fields[i]);
    return true;
}

static bool keep_fields(CommandContext *ctx, TableEntry *e, const FieldVec *fields, Error *err)
{
    e->schema_json = type_json_declared(type_struct(fields->at, fields->len, ctx->arena), ctx->arena);
    return catalog_update_table(session_catalog(ctx->session), e, err);
}

static int field_at(CommandContext *ctx, const FieldVec *fields, Str name)
{
    bool exact = analyzer_func(ctx->analyzer)->case_sensitive;
    for (size_t i = 0; i < fields->len; i++)
        if (exact ? str_eq(fields->at[i].name, name) : str_ieq(fields->at[i].name, name))
            return (int)i;
    return -1;
}

static bool already_there(Str name, Error *err)
{
    return error_set(err, ERR_COLUMN_ALREADY_EXISTS, P("columnName", str_printf(err->arena, "`" STR_FMT "`", STR_ARG(str_lower(name, err->arena)))));
}

/* New columns come behind the last data column, before those of the partitions. */
static bool add_columns(CommandContext *ctx, const Command *c, TableEntry *e, Error *err)
{
    FieldVec old = {0}, fields = {0};
    TRY(fields_of(ctx, e, &old, err));
    size_t data = old.len > e->partition_columns.len ? old.len - e->partition_columns.len : 0;
    for (size_t i = 0; i < data; i++)
        vec_push(ctx->arena, &fields, old.at[i]);
    for (size_t i = 0; i < c->alter.columns.len; i++) {
        const ColumnDef *d = &c->alter.columns.at[i];
        if (d->name.len > 1)
            return not_offered(ctx, e, "ADD COLUMN with qualified column", err);
        if (d->not_null)
            return error_set(err, ERR__LEGACY_ERROR_TEMP_1052);
        if (field_at(ctx, &fields, d->name.at[0]) >= 0 || field_at(ctx, &old, d->name.at[0]) >= 0)
            return already_there(d->name.at[0], err);
        Field f = {d->name.at[0], type_char_as_string(d->type, ctx->arena), true, column_def_metadata(ctx, d)};
        Str collation = detail_get(&e->details, OBJECT_COLLATION);
        if (collation.len)
            f.type = type_with_collation(f.type, collation, true, ctx->arena);
        BoundExpr *ignored;
        TRY(column_default(ctx, &f, &ignored, err));
        vec_push(ctx->arena, &fields, f);
    }
    for (size_t i = data; i < old.len; i++)
        vec_push(ctx->arena, &fields, old.at[i]);
    return keep_fields(ctx, e, &fields, err);
}

static Str quoted_type(CommandContext *ctx, const Type *t)
{
    return str_printf(ctx->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(t, ctx->arena)));
}

static bool unknown_column(CommandContext *ctx, const FieldVec *fields, const Name *name, Error *err)
{
    Buf b = buf_in(ctx->arena);
    for (size_t i = 0; i < fields->len && i < 5; i++)
        buf_addf(&b, "%s`" STR_FMT "`", i ? ", " : "", STR_ARG(fields->at[i].name));
    return error_set(err, ERR_UNRESOLVED_COLUMN__WITH_SUGGESTION, P("objectName", name_quoted(name, ctx->arena)), P("proposal", buf_str(&b)));
}

/* Only what does not touch the files: a comment, a default, the type that the column has. */
static bool change_column(CommandContext *ctx, const Command *c, TableEntry *e, Error *err)
{
    FieldVec fields = {0};
    TRY(fields_of(ctx, e, &fields, err));
    if (c->alter.columns.len != 1)
        return not_offered(ctx, e, "ALTER COLUMN in bulk", err);
    const ColumnDef *d = &c->alter.columns.at[0];
    int at = field_at(ctx, &fields, d->name.at[0]);
    if (at < 0)
        return unknown_column(ctx, &fields, &d->name, err);
    if (d->name.len > 1)
        return not_offered(ctx, e, "ALTER COLUMN with qualified column", err);
    if (c->alter.set_not_null || c->alter.drop_not_null)
        return not_offered(ctx, e, "ALTER COLUMN ... SET NOT NULL", err);
    if (d->first || d->after.len)
        return not_offered(ctx, e, "ALTER COLUMN ... FIRST | AFTER", err);
    Field *f = &fields.at[at];
    for (size_t i = 0; i < e->partition_columns.len; i++)
        if (str_ieq(e->partition_columns.at[i], f->name))
            return error_set(err, ERR_CANNOT_ALTER_PARTITION_COLUMN, P("tableName", table_name(ctx, e)), P("columnName", name_quoted(&d->name, ctx->arena)));
    const Type *own;
    TRY(field_declared_type(f, ctx->arena, &own, err));
    bool plain = d->type && d->type->kind == TYPE_STRING && own->kind == TYPE_STRING;
    if (plain && d->type->string.collation.len)
        f->type = d->type; /* STRING alone keeps the collation that the column has */
    if (d->type && !plain && !type_equal(d->type, own))
        return error_set(err, ERR_NOT_SUPPORTED_CHANGE_COLUMN, P("table", table_name(ctx, e)), P("originName", name_quoted(&d->name, ctx->arena)),
                         P("originType", quoted_type(ctx, own)), P("newName", name_quoted(&d->name, ctx->arena)), P("newType", quoted_type(ctx, d->type)));
    if (d->has_comment)
        f->metadata = d->comment.len ? field_metadata_with_text(f->metadata, "comment", d->comment, ctx->arena)
                                     : field_metadata_with(f->metadata, "comment", (Str){0}, ctx->arena);
    if (c->alter.drop_default)
        f->metadata = field_metadata_with(f->metadata, "CURRENT_DEFAULT", (Str){0}, ctx->arena);
    if (d->default_sql.len) {
        BoundExpr *ignored;
        f->metadata = field_metadata_with_text(f->metadata, "CURRENT_DEFAULT", d->default_sql, ctx->arena);
        TRY(column_default(ctx, f, &ignored, err));
    }
    return keep_fields(ctx, e, &fields, err);
}

/* SERDEPROPERTIES are the options that the files are read with. */
static bool set_options(CommandContext *ctx, const Command *c, TableEntry *e, Error *err)
{
    if (c->alter.new_name.len)
        return error_set(err, ERR_UNSUPPORTED_FEATURE__ALTER_TABLE_SERDE_FOR_DATASOURCE_TABLE, P("tableName", table_name(ctx, e)));
    if (c->alter.partitions.len)
        return error_unsupported(err, "SERDEPROPERTIES of a partition");
    for (size_t i = 0; i < c->properties.len; i++)
        detail_set(&e->properties, str_concat(ctx->arena, S("option."), c->properties.at[i].key), c->properties.at[i].value, ctx->arena);
    return catalog_update_table(session_catalog(ctx->session), e, err);
}

bool alter_file_table(CommandContext *ctx, const Command *c, const ResolvedTable *r, Error *err)
{
    TableEntry e = r->entry;
    switch (c->alter.kind) {
    case ALTER_SET_PROPERTIES:
    case ALTER_UNSET_PROPERTIES: return set_entry_properties(ctx, c, &e, err);
    case ALTER_ADD_COLUMNS: return add_columns(ctx, c, &e, err);
    case ALTER_DEFAULT_COLLATION: return set_default_collation(ctx, c, &e, err);
    case ALTER_COLUMN: return change_column(ctx, c, &e, err);
    case ALTER_DROP_COLUMNS: return not_offered(ctx, &e, "DROP COLUMN", err);
    case ALTER_RENAME_COLUMN: return not_offered(ctx, &e, "RENAME COLUMN", err);
    case ALTER_REPLACE_COLUMNS: return not_offered(ctx, &e, "REPLACE COLUMNS", err);
    case ALTER_CLUSTER_BY: return error_set(err, ERR_DELTA_ONLY_OPERATION, PZ("operation", "ALTER TABLE CLUSTER BY"));
    case ALTER_SET_SERDE: return set_options(ctx, c, &e, err);
    case ALTER_SYNC_IDENTITY: return error_set(err, ERR_DELTA_IDENTITY_COLUMNS_ALTER_NON_DELTA_FORMAT);
    case ALTER_DROP_FEATURE: return error_set(err, ERR_DELTA_ONLY_OPERATION, PZ("operation", "ALTER TABLE DROP FEATURE"));
    case ALTER_ADD_PARTITION:
    case ALTER_DROP_PARTITION:
    case ALTER_RENAME_PARTITION:
    case ALTER_RECOVER_PARTITIONS:
    case ALTER_SET_LOCATION: return alter_partitions(ctx, c, &e, err);
    default: return error_unsupported(err, "this form of ALTER TABLE of a table in " STR_FMT " files", STR_ARG(e.provider));
    }
}
