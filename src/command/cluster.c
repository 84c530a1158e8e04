/* CLUSTER BY: which columns a table is laid out by, kept in a domain of its log under physical names. */
#include "base/json.h"
#include "command/alter_impl.h"

enum { MAX_CLUSTERING_COLUMNS = 4 };
#define CLUSTERING_DOMAIN "delta.clustering"

bool type_has_bounds(const Type *t)
{
    switch (t->kind) {
    case TYPE_BYTE: case TYPE_SHORT: case TYPE_INT: case TYPE_LONG: case TYPE_FLOAT: case TYPE_DOUBLE: case TYPE_DECIMAL:
    case TYPE_DATE: case TYPE_TIMESTAMP: case TYPE_TIMESTAMP_NTZ: case TYPE_STRING:
        return true;
    default:
        return false;
    }
}

static Str dotted(CommandContext *ctx, const Name *name)
{
    Buf b = buf_in(ctx->arena);
    for (size_t i = 0; i < name->len; i++)
        buf_addf(&b, "%s" STR_FMT, i ? "." : "", STR_ARG(name->at[i]));
    return buf_str(&b);
}

/* The physical path of one column, as JSON. */
static bool put_path(CommandContext *ctx, const Metadata *m, const Name *name, Buf *out, Error *err)
{
    const Type *t = m->schema;
    ColumnMapping mapping = metadata_column_mapping(m);
    buf_addc(out, '[');
    for (size_t i = 0; i < name->len; i++) {
        int at = t->kind == TYPE_STRUCT ? type_field_index(t, name->at[i], false) : -1;
        if (at < 0)
            return error_set(err, ERR_DELTA_COLUMN_NOT_FOUND_IN_SCHEMA, P("columnName", dotted(ctx, name)),
                             P("tableSchema", str_concat(ctx->arena, S("root\n"), type_tree_string(m->schema, 0, ctx->arena))));
        if (i)
            buf_addc(out, ',');
        json_put_str(out, delta_physical_name(&t->structure.fields[at], mapping, ctx->arena));
        t = t->structure.fields[at].type;
    }
    buf_addc(out, ']');
    return type_has_bounds(t) || error_set(err, ERR_DELTA_CLUSTERING_COLUMNS_DATATYPE_NOT_SUPPORTED,
                                    P("columnsWithDataTypes", str_printf(ctx->arena, STR_FMT " : " STR_FMT, STR_ARG(dotted(ctx, name)), STR_ARG(type_sql(t, ctx->arena)))));
}

static bool put_paths(CommandContext *ctx, const Metadata *m, const StrVec *columns, Buf *out, Error *err)
{
    for (size_t i = 0; i < columns->len; i++) {
        Name name;
        for (size_t k = 0; k < i; k++)
            if (str_ieq(columns->at[k], columns->at[i]))
                return error_set(err, ERR_DELTA_DUPLICATE_COLUMNS_FOUND__CLUSTER_BY, P("duplicateCols", str_printf(ctx->arena, "`" STR_FMT "`", STR_ARG(columns->at[i]))));
        TRY(name_parse(columns->at[i], ctx->arena, &name, err));
        if (i)
            buf_addc(out, ',');
        TRY(put_path(ctx, m, &name, out, err));
    }
    return columns->len <= MAX_CLUSTERING_COLUMNS ||
           error_set(err, ERR_DELTA_CLUSTER_BY_INVALID_NUM_COLUMNS, PZ("numColumnsLimit", "4"), P("actualNumColumns", str_printf(ctx->arena, "%zu", columns->len)));
}

bool clustering_domain(CommandContext *ctx, const Metadata *m, const StrVec *columns, DomainMetadata *out, Error *err)
{
    Buf b = buf_in(ctx->arena);
    buf_addz(&b, "{\"clusteringColumns\":[");
    TRY(put_paths(ctx, m, columns, &b, err));
    buf_addz(&b, "],\"domainName\":\"" CLUSTERING_DOMAIN "\"}");
    *out = (DomainMetadata){S(CLUSTERING_DOMAIN), buf_str(&b), false};
    return true;
}

static Str names_in_place(CommandContext *ctx, const StrVec *names, const char *between)
{
    Buf b = buf_in(ctx->arena);
    for (size_t i = 0; i < names->len; i++)
        buf_addf(&b, "%s" STR_FMT, i ? between : "", STR_ARG(names->at[i]));
    return b.len ? buf_str(&b) : S("");
}

Str clustering_json(CommandContext *ctx, const StrVec *columns)
{
    Buf b = buf_in(ctx->arena);
    buf_addc(&b, '[');
    for (size_t i = 0; i < columns->len; i++) {
        if (i)
            buf_addc(&b, ',');
        json_put_str(&b, columns->at[i]);
    }
    buf_addc(&b, ']');
    return buf_str(&b);
}

bool alter_cluster_by(CommandContext *ctx, const Command *c, const Target *t, Error *err)
{
    const Metadata *m = snapshot_metadata(t->snapshot);
    DomainMetadata domain;
    StrVec before = {0};
    if (str_is(c->alter.new_name, "AUTO"))
        return error_unsupported(err, "CLUSTER BY AUTO");
    if (m->partition_columns.len)
        return error_set(err, ERR_DELTA_ALTER_TABLE_CLUSTER_BY_ON_PARTITIONED_TABLE_NOT_ALLOWED);
    TRY(snapshot_check_writable(t->snapshot, err));
    TRY(analyze_clustering(ctx->analyzer, t->snapshot, &before, err));
    TRY(clustering_domain(ctx, m, &c->alter.names, &domain, err));
    CommitNote note = {.operation = S("CLUSTER BY"), .started_us = clock_monotonic_us(), .blind_append = true};
    note_parameter_text(ctx, &note, "oldClusteringColumns", names_in_place(ctx, &before, ","));
    note_parameter_text(ctx, &note, "newClusteringColumns", names_in_place(ctx, &c->alter.names, ","));
    Transaction *x = transaction_begin(t->table, t->snapshot, ctx->arena);
    transaction_domain(x, &domain);
    bool ok = transaction_enable_feature(x, "clustering", err) && note_commit(ctx, x, &note, NULL, err);
    transaction_end(x);
    return ok;
}

bool check_unclustered(CommandContext *ctx, const Target *t, const Name *column, Error *err)
{
    StrVec columns = {0};
    TRY(analyze_clustering(ctx->analyzer, t->snapshot, &columns, err));
    for (size_t i = 0; i < columns.len; i++) {
        Name own;
        TRY(name_parse(columns.at[i], ctx->arena, &own, err));
        bool same = own.len >= column->len;
        for (size_t k = 0; same && k < column->len; k++)
            same = str_ieq(own.at[k], column->at[k]);
        if (same)
            return error_set(err, ERR_DELTA_UNSUPPORTED_DROP_CLUSTERING_COLUMN, P("columnList", dotted(ctx, column)));
    }
    return true;
}
