/* CONVERT TO DELTA: Parquet files get a log of their own, where they are. */
#include "command/alter_impl.h"

typedef struct Conversion {
    ForeignFiles source;
    TableEntry entry; /* of a table in the catalog */
    bool is_table;
} Conversion;

static Str plain_path(Str path)
{
    if (str_starts_with(path, S("file:")))
        path = str_slice(path, 5, path.len);
    while (str_starts_with(path, S("//")))
        path = str_slice(path, 1, path.len);
    while (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    return path;
}

static const Type *given_partitions(CommandContext *ctx, const Command *c)
{
    Field *fields = ARENA_ARRAY(ctx->arena, Field, c->delta.columns.len + 1);
    for (size_t i = 0; i < c->delta.columns.len; i++)
        fields[i] = (Field){vec_last(&c->delta.columns.at[i].name), c->delta.columns.at[i].type, true, {0}};
    return type_struct(fields, c->delta.columns.len, ctx->arena);
}

static const Type *catalog_partitions(CommandContext *ctx, const TableEntry *e)
{
    const Type *schema;
    Error ignored = error_in(ctx->arena);
    Field *fields = ARENA_ARRAY(ctx->arena, Field, e->partition_columns.len + 1);
    size_t n = 0;
    if (!e->schema_json.len || !type_from_json(e->schema_json, ctx->arena, &schema, &ignored))
        return type_struct(fields, 0, ctx->arena);
    for (size_t i = 0; i < e->partition_columns.len; i++) {
        int at = type_field_index(schema, e->partition_columns.at[i], false);
        if (at >= 0)
            fields[n++] = schema->structure.fields[at];
    }
    return type_struct(fields, n, ctx->arena);
}

static bool not_parquet(CommandContext *ctx, const Name *name, Str provider, Error *err)
{
    return error_set(err, ERR_DELTA_CONVERT_NON_PARQUET_TABLE, P("sourceName", provider), P("tableId", name_quoted(name, ctx->arena)));
}

/* *done: it is a Delta table already. */
static bool find_source(CommandContext *ctx, const Command *c, const Name *name, Conversion *v, bool *done, Error *err)
{
    v->source.partitions = given_partitions(ctx, c);
    static const char *const FORMATS[] = {"parquet", "delta", "json", "csv", "orc", "avro", "text"};
    for (size_t i = 0; name->len == 2 && i < LENGTH_OF(FORMATS); i++) {
        if (!str_is_ci(name->at[0], FORMATS[i]))
            continue;
        *done = str_is(str_from(FORMATS[i]), "delta");
        v->source.folder = plain_path(name->at[1]);
        return *done || i == 0 || not_parquet(ctx, name, str_from(FORMATS[i]), err);
    }
    ResolvedTable r;
    TRY(analyze_table_name(ctx->analyzer, name, c->origin, &r, err));
    *done = is_delta(&r);
    if (*done)
        return true;
    if (r.kind != RESOLVED_TABLE || !str_is_ci(r.entry.provider, "parquet"))
        return not_parquet(ctx, name, r.entry.provider, err);
    v->entry = r.entry;
    v->is_table = true;
    v->source.folder = plain_path(r.entry.location);
    if (!v->source.partitions->structure.count)
        v->source.partitions = catalog_partitions(ctx, &r.entry);
    return true;
}

static Str partition_names(CommandContext *ctx, const Type *partitions)
{
    Buf b = buf_in(ctx->arena);
    buf_addc(&b, '[');
    for (size_t i = 0; i < partitions->structure.count; i++)
        buf_addf(&b, "%s\"" STR_FMT "\"", i ? "," : "", STR_ARG(partitions->structure.fields[i].name));
    buf_addc(&b, ']');
    return buf_str(&b);
}

static bool commit_files(CommandContext *ctx, const Target *target, const Conversion *v, Error *err)
{
    CommitNote note = {.operation = S("CONVERT"), .started_us = clock_monotonic_us()};
    Protocol protocol = {.min_reader = 1, .min_writer = 2};
    Metadata *m = foreign_metadata(ctx, &v->source);
    if (v->is_table)
        for (size_t i = 0; i < v->entry.properties.len; i++)
            if (!str_starts_with(v->entry.properties.at[i].key, S("option.")))
                metadata_set_property(m, v->entry.properties.at[i].key, v->entry.properties.at[i].value, ctx->arena);
    bool changed;
    ProtocolWish wish = {0};
    TRY(default_properties(ctx, m, &wish, err));
    TRY(protocol_fulfil(ctx, &wish, &protocol, err));
    TRY(protocol_upgrade_for(&protocol, m, ctx->arena, &changed, err));
    if (protocol_has_feature(&protocol, "rowTracking") && !v->source.with_statistics)
        return error_set(err, ERR_DELTA_CONVERT_TO_DELTA_ROW_TRACKING_WITHOUT_STATS,
                         PZ("statisticsCollectionPropertyKey", "spark.databricks.delta.stats.collect"),
                         PZ("rowTrackingTableFeatureDefaultKey", "spark.databricks.delta.properties.defaults.feature.rowTracking"),
                         PZ("rowTrackingDefaultPropertyKey", "spark.databricks.delta.properties.defaults.enableRowTracking"));
    Transaction *x = transaction_begin(target->table, NULL, ctx->arena);
    transaction_set_metadata(x, m);
    transaction_set_protocol(x, &protocol);
    for (size_t i = 0; i < v->source.files.len; i++)
        transaction_add(x, &v->source.files.at[i]);
    note_parameter(ctx, &note, "numFiles", str_printf(ctx->arena, "%zu", v->source.files.len));
    note_parameter_text(ctx, &note, "partitionedBy", partition_names(ctx, v->source.partitions));
    note_parameter(ctx, &note, "collectStats", v->source.with_statistics ? S("true") : S("false"));
    note_parameter_text(ctx, &note, "sourceFormat", S("parquet"));
    note_metric(ctx, &note, "numConvertedFiles", (int64_t)v->source.files.len);
    bool ok = note_commit(ctx, x, &note, NULL, err);
    transaction_end(x);
    return ok;
}

/* The catalog's table is of Delta from now on; its columns are the log's. */
static bool adopt(CommandContext *ctx, Conversion *v, Error *err)
{
    Catalog *catalog = session_catalog(ctx->session);
    v->entry.provider = S("delta");
    v->entry.schema_json = (Str){0};
    v->entry.partition_columns = (StrVec){0};
    v->entry.details = (PropertyVec){0};
    return catalog_drop_partitions(catalog, v->entry.id, err) && catalog_update_table(catalog, &v->entry, err);
}

bool run_convert(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    Target target = {0};
    Conversion v = {.source.with_statistics = !key_value_get(&c->properties, "no_statistics").len};
    bool done;
    *result = result_none(ctx);
    TRY(command_name(ctx, c, &name, err));
    TRY(find_source(ctx, c, &name, &v, &done, err));
    if (done)
        return true;
    TRY(target_table(ctx, v.source.folder, &target, err));
    TRY(delta_table_exists(target.table, &done, err));
    if (!done) {
        TRY(find_foreign_files(ctx, &v.source, err));
        TRY(commit_files(ctx, &target, &v, err));
    }
    return !v.is_table || adopt(ctx, &v, err);
}
