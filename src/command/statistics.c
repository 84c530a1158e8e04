/* ANALYZE TABLE of tables of plain files: what it finds is kept in the catalog, for describing. */
#include "command/command_impl.h"

static bool run_query(CommandContext *ctx, Str sql, RowVec *rows, Error *err)
{
    SqlOptions options = session_sql_options(ctx->session, ctx->arena);
    Statement s;
    BoundRel *query;
    TRY(sql_parse(sql, &options, ctx->arena, &s, err));
    TRY(analyze_query(ctx->analyzer, s.query, &query, err));
    return engine_rows(ctx->engine, query, &ctx->run, 1, ctx->arena, rows, err);
}

static Str quoted(CommandContext *ctx, Str name)
{
    Name n = name_of(ctx->arena, 1, &name);
    return name_quoted(&n, ctx->arena);
}

static Str table_text(CommandContext *ctx, const TableEntry *e)
{
    Str parts[3] = {e->catalog, e->schema, e->name};
    Name n = name_of(ctx->arena, 3, parts);
    return name_quoted(&n, ctx->arena);
}

static void put_number(CommandContext *ctx, PropertyVec *details, const char *key, int64_t n)
{
    detail_set(details, str_from(key), str_printf(ctx->arena, "%lld", (long long)n), ctx->arena);
}

/* count(*) of the rows with these partition values. */
static bool count_rows(CommandContext *ctx, const TableEntry *e, const PropertyVec *values, int64_t *rows, Error *err)
{
    Buf sql = buf_in(ctx->arena);
    RowVec found = {0};
    buf_addf(&sql, "SELECT count(*) FROM " STR_FMT, STR_ARG(table_text(ctx, e)));
    for (size_t i = 0; i < values->len; i++) {
        Value text = values->at[i].is_null ? value_null(type_simple(TYPE_STRING)) : value_string(values->at[i].value);
        buf_addf(&sql, "%s CAST(" STR_FMT " AS STRING) <=> " STR_FMT, i ? " AND" : " WHERE", STR_ARG(quoted(ctx, values->at[i].key)),
                 STR_ARG(value_sql(&text, analyzer_func(ctx->analyzer)->zone, ctx->arena)));
    }
    TRY(run_query(ctx, buf_str(&sql), &found, err));
    *rows = found.len ? found.at[0].cells[0].integer : 0;
    return true;
}

static bool analyze_partitions_of(CommandContext *ctx, const Command *c, const TableEntry *e, Error *err)
{
    PropertyVec spec = {0};
    PartitionEntryVec all = {0};
    bool noscan = key_value_has(&c->properties, "noscan");
    TRY(require_partitions(ctx, e, "ANALYZE TABLE", err));
    TRY(partition_spec(ctx, e, &c->cache.partition, &spec, err));
    TRY(catalog_list_partitions(session_catalog(ctx->session), e->id, ctx->arena, &all, err));
    size_t matched = 0;
    for (size_t i = 0; i < all.len; i++) {
        int64_t bytes = 0, rows = 0;
        if (!partition_matches(&spec, &all.at[i]))
            continue;
        matched++;
        TRY(folder_size(ctx, all.at[i].location, &bytes, err));
        put_number(ctx, &all.at[i].details, "sizeInBytes", bytes);
        if (!noscan) {
            TRY(count_rows(ctx, e, &all.at[i].values, &rows, err));
            put_number(ctx, &all.at[i].details, "rowCount", rows);
        }
        TRY(catalog_put_partition(session_catalog(ctx->session), e->id, &all.at[i], err));
    }
    if (matched || spec.len < e->partition_columns.len)
        return true;
    PartitionEntry ignored;
    return partition_open(ctx, e, &c->cache.partition, &ignored, err);
}

/* ---- columns ---- */

/* DataType.defaultSize of the types whose values all take the same room. */
static int fixed_size(const Type *t)
{
    switch (t->kind) {
    case TYPE_BOOLEAN:
    case TYPE_BYTE: return 1;
    case TYPE_SHORT: return 2;
    case TYPE_INT:
    case TYPE_FLOAT:
    case TYPE_DATE: return 4;
    case TYPE_LONG:
    case TYPE_DOUBLE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ: return 8;
    case TYPE_DECIMAL: return t->decimal.precision <= 18 ? 8 : 16;
    default: return 0;
    }
}

static bool column_statistics(CommandContext *ctx, TableEntry *e, const Field *f, Error *err)
{
    static const char *const KEYS[] = {"num_nulls", "distinct_count", "min", "max", "avg_col_len", "max_col_len"};
    int size = fixed_size(f->type);
    bool text = f->type->kind == TYPE_STRING || f->type->kind == TYPE_BINARY;
    Str column = quoted(ctx, f->name);
    Buf sql = buf_in(ctx->arena);
    RowVec rows = {0};
    if (!size && !text)
        return error_set(err, ERR_UNSUPPORTED_FEATURE__ANALYZE_UNSUPPORTED_COLUMN_TYPE, P("columnType", str_printf(ctx->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(f->type, ctx->arena)))),
                         P("columnName", column), P("tableName", table_text(ctx, e)));
    buf_addf(&sql, "SELECT CAST(count(*) - count(" STR_FMT ") AS STRING), CAST(count(DISTINCT " STR_FMT ") AS STRING), ", STR_ARG(column), STR_ARG(column));
    if (text)
        buf_addf(&sql, "CAST(NULL AS STRING), CAST(NULL AS STRING), CAST(ceil(avg(octet_length(" STR_FMT "))) AS STRING), CAST(max(octet_length(" STR_FMT ")) AS STRING)",
                 STR_ARG(column), STR_ARG(column));
    else
        buf_addf(&sql, "CAST(min(" STR_FMT ") AS STRING), CAST(max(" STR_FMT ") AS STRING), '%d', '%d'", STR_ARG(column), STR_ARG(column), size, size);
    buf_addf(&sql, " FROM " STR_FMT, STR_ARG(table_text(ctx, e)));
    TRY(run_query(ctx, buf_str(&sql), &rows, err));
    detail_drop(&e->details, str_z(str_printf(ctx->arena, "columnStats." STR_FMT ".", STR_ARG(f->name)), ctx->arena));
    for (size_t i = 0; rows.len && i < LENGTH_OF(KEYS); i++)
        if (!rows.at[0].cells[i].is_null)
            detail_set(&e->details, str_printf(ctx->arena, "columnStats." STR_FMT ".%s", STR_ARG(f->name), KEYS[i]), rows.at[0].cells[i].bytes, ctx->arena);
    return true;
}

static bool wanted_columns(CommandContext *ctx, const Command *c, TableEntry *e, Error *err)
{
    const Type *schema;
    bool all = str_is(key_value_get(&c->properties, "columns"), "all");
    TRY(type_from_json(e->schema_json, ctx->arena, &schema, err));
    for (size_t i = 0; all && i < schema->structure.count; i++)
        if (fixed_size(schema->structure.fields[i].type) || schema->structure.fields[i].type->kind == TYPE_STRING)
            TRY(column_statistics(ctx, e, &schema->structure.fields[i], err));
    for (size_t i = 0; i < c->properties.len; i++) {
        if (!str_is(c->properties.at[i].key, "column"))
            continue;
        int at = type_field_index(schema, c->properties.at[i].value, false);
        if (at < 0)
            return error_set(err, ERR_COLUMN_NOT_FOUND, P("colName", quoted(ctx, c->properties.at[i].value)), PZ("caseSensitiveConfig", "\"spark.sql.caseSensitive\""));
        TRY(column_statistics(ctx, e, &schema->structure.fields[at], err));
    }
    return true;
}

bool analyze_file_table(CommandContext *ctx, const Command *c, const TableEntry *entry, Error *err)
{
    TableEntry e = *entry;
    PropertyVec none = {0};
    PartitionEntryVec partitions = {0};
    int64_t bytes = 0, rows = 0;
    bool columns = key_value_has(&c->properties, "column") || key_value_has(&c->properties, "columns");
    if (!e.schema_json.len)
        return error_unsupported(err, "ANALYZE of a table whose columns are those of its files");
    if (c->cache.partition.len && !columns)
        return analyze_partitions_of(ctx, c, entry, err);
    TRY(catalog_list_partitions(session_catalog(ctx->session), e.id, ctx->arena, &partitions, err));
    if (!partitions_tracked(&e))
        TRY(folder_size(ctx, e.location, &bytes, err));
    for (size_t i = 0; i < partitions.len; i++)
        TRY(folder_size(ctx, partitions.at[i].location, &bytes, err));
    put_number(ctx, &e.details, "sizeInBytes", bytes);
    if (!key_value_has(&c->properties, "noscan")) {
        TRY(count_rows(ctx, &e, &none, &rows, err));
        put_number(ctx, &e.details, "rowCount", rows);
    }
    if (columns)
        TRY(wanted_columns(ctx, c, &e, err));
    return catalog_update_table(session_catalog(ctx->session), &e, err);
}
