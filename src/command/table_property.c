/* Properties of Delta tables as rows: canonical names, values, and what a change of them does to a table. */
#include "command/alter_impl.h"

#include "base/json.h"

typedef enum PropertyKind {
    PROPERTY_TEXT, PROPERTY_BOOL, PROPERTY_SWITCH, PROPERTY_BYTES, PROPERTY_CODEC, PROPERTY_INTERVAL, PROPERTY_POSITIVE, PROPERTY_COLUMN_COUNT, PROPERTY_NUMBER, PROPERTY_ISOLATION,
    PROPERTY_CHECKPOINT, PROPERTY_MAPPING, PROPERTY_READER, PROPERTY_WRITER, PROPERTY_FIXED, PROPERTY_FORMATS
} PropertyKind;

typedef struct PropertyRow {
    const char *key;
    PropertyKind kind;
} PropertyRow;

/* What Delta 4.4 accepts in SET TBLPROPERTIES; sizes and codecs of files as Databricks does. */
static const PropertyRow PROPERTIES[] = {
    {"delta.appendOnly", PROPERTY_BOOL},
    {"delta.autoOptimize", PROPERTY_BOOL},
    {"delta.autoOptimize.autoCompact", PROPERTY_SWITCH},
    {"delta.autoOptimize.optimizeWrite", PROPERTY_BOOL},
    {"delta.castIcebergTimeType", PROPERTY_BOOL},
    {"delta.checkpoint.writeStatsAsJson", PROPERTY_BOOL},
    {"delta.checkpoint.writeStatsAsStruct", PROPERTY_BOOL},
    {"delta.checkpointInterval", PROPERTY_POSITIVE},
    {"delta.checkpointPolicy", PROPERTY_CHECKPOINT},
    {"delta.checkpointRetentionDuration", PROPERTY_INTERVAL},
    {"delta.columnMapping.maxColumnId", PROPERTY_FIXED},
    {"delta.columnMapping.mode", PROPERTY_MAPPING},
    {"delta.compatibility.symlinkFormatManifest.enabled", PROPERTY_BOOL},
    {"delta.dataSkippingNumIndexedCols", PROPERTY_COLUMN_COUNT},
    {"delta.dataSkippingStatsColumns", PROPERTY_TEXT},
    {"delta.deletedFileRetentionDuration", PROPERTY_INTERVAL},
    {"delta.dropFeatureTruncateHistory.retentionDuration", PROPERTY_INTERVAL},
    {"delta.enableChangeDataFeed", PROPERTY_BOOL},
    {"delta.enableDeletionVectors", PROPERTY_BOOL},
    {"delta.enableExpiredLogCleanup", PROPERTY_BOOL},
    {"delta.enableFullRetentionRollback", PROPERTY_BOOL},
    {"delta.enableIcebergCompatV1", PROPERTY_BOOL},
    {"delta.enableIcebergCompatV2", PROPERTY_BOOL},
    {"delta.enableIcebergCompatV3", PROPERTY_BOOL},
    {"delta.enableInCommitTimestamps", PROPERTY_BOOL},
    {"delta.enableMaterializePartitionColumnsFeature", PROPERTY_BOOL},
    {"delta.enableRowTracking", PROPERTY_BOOL},
    {"delta.enableTypeWidening", PROPERTY_BOOL},
    {"delta.enableVariantShredding", PROPERTY_BOOL},
    {"delta.ignoreProtocolDefaults", PROPERTY_BOOL},
    {"delta.inCommitTimestampEnablementTimestamp", PROPERTY_NUMBER},
    {"delta.inCommitTimestampEnablementVersion", PROPERTY_NUMBER},
    {"delta.isolationLevel", PROPERTY_ISOLATION},
    {"delta.logRetentionDuration", PROPERTY_INTERVAL},
    {"delta.minReaderVersion", PROPERTY_READER},
    {"delta.minWriterVersion", PROPERTY_WRITER},
    {"delta.parquet.compression.codec", PROPERTY_CODEC},
    {"delta.parquet.format.version", PROPERTY_TEXT},
    {"delta.randomPrefixLength", PROPERTY_POSITIVE},
    {"delta.randomizeFilePrefixes", PROPERTY_BOOL},
    {"delta.requireCheckpointProtectionBeforeVersion", PROPERTY_NUMBER},
    {"delta.rowTrackingSuspended", PROPERTY_BOOL},
    {"delta.sampleRetentionDuration", PROPERTY_INTERVAL},
    {"delta.setTransactionRetentionDuration", PROPERTY_INTERVAL},
    {"delta.targetFileSize", PROPERTY_BYTES},
    {"delta.universalFormat.enabledFormats", PROPERTY_FORMATS},
    {"delta.universalFormat.iceberg.atomicConversion.supported", PROPERTY_BOOL},
    {"delta.writePartitionColumnsToParquet", PROPERTY_BOOL},
};

static bool bad_change(Error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool bad_change(Error *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    Str text = str_vprintf(err->arena, fmt, args);
    va_end(args);
    return error_set(err, ERR_UNSUPPORTED_TABLE_CHANGE, P("message", text));
}

bool check_reserved_property(Str key, Error *err)
{
    static const struct {
        const char *key, *advice;
    } RESERVED[] = {
        {"location", "please use the LOCATION clause to specify it"},
        {"provider", "please use the USING clause to specify it"},
        {"owner", "it will be set to the current user"},
        {"external", "please use CREATE EXTERNAL TABLE"},
        {"is_managed_location", "please remove it from the TBLPROPERTIES list."},
    };
    for (size_t i = 0; i < LENGTH_OF(RESERVED); i++)
        if (str_is(key, RESERVED[i].key))
            return error_set(err, ERR_UNSUPPORTED_FEATURE__SET_TABLE_PROPERTY, P("property", key), PZ("msg", RESERVED[i].advice));
    return true;
}

static bool check_number(const PropertyRow *row, Str value, int64_t low, const char *complaint, Error *err)
{
    int64_t n;
    if (!str_to_i64(value, &n))
        return bad_change(err, "%s %s", row->key, complaint);
    return n >= low || bad_change(err, "requirement failed: %s %s", row->key, complaint);
}

static bool check_version(const PropertyRow *row, Str value, int64_t high, const char *list, Error *err)
{
    int64_t n;
    if (!str_to_i64(value, &n))
        return bad_change(err, "%s needs to be one of %s.", row->key, list);
    return (n >= 1 && n <= high) || bad_change(err, "requirement failed: %s needs to be one of %s.", row->key, list);
}

static bool check_interval(const PropertyRow *row, Str value, Arena *arena, Error *err)
{
    Metadata m = {0};
    metadata_set_property(&m, str_from(row->key), value, arena);
    if (str_find(value, S(" month")) >= 0 || str_find(value, S(" year")) >= 0 || str_find(value, S(" -")) >= 0)
        return bad_change(err, "requirement failed: %s needs to be provided as a calendar interval such as '2 weeks'. Months and years are not accepted. "
                               "You may specify '365 days' for a year instead.", row->key);
    return metadata_interval_ms(&m, row->key, INT64_MIN) != INT64_MIN || error_set(err, ERR_DELTA_INVALID_INTERVAL, P("interval", value));
}

static bool check_value(CommandContext *ctx, const PropertyRow *row, Str value, Error *err)
{
    switch (row->kind) {
    case PROPERTY_BOOL:
        return str_is_ci(value, "true") || str_is_ci(value, "false") || bad_change(err, "For input string: \"" STR_FMT "\"", STR_ARG(value));
    case PROPERTY_SWITCH:
        return str_is(value, "true") || str_is(value, "false") || bad_change(err, "requirement failed: %s \"needs to be one of: true,false", row->key);
    case PROPERTY_BYTES: {
        int64_t bytes;
        return (str_to_bytes(value, &bytes) && bytes > 0) || bad_change(err, "%s needs to be a size, such as 134217728 or 128mb.", row->key);
    }
    case PROPERTY_CODEC: return check_codec(value, err);
    case PROPERTY_INTERVAL: return check_interval(row, value, ctx->arena, err);
    case PROPERTY_POSITIVE:
        return check_number(row, value, 1, str_is(str_from(row->key), "delta.randomPrefixLength") ? "needs to be greater than 0." : "needs to be a positive integer.", err);
    case PROPERTY_COLUMN_COUNT: return check_number(row, value, -1, "needs to be larger than or equal to -1.", err);
    case PROPERTY_NUMBER: return check_number(row, value, 0, str_starts_with(str_from(row->key), S("delta.require")) ? "needs to be greater or equal to zero." : "needs to be a long.", err);
    case PROPERTY_ISOLATION:
        if (!str_is_ci(value, "Serializable") && !str_is_ci(value, "WriteSerializable") && !str_is_ci(value, "SnapshotIsolation"))
            return error_set(err, ERR_DELTA_INVALID_ISOLATION_LEVEL, P("isolationLevel", value));
        return !str_is_ci(value, "SnapshotIsolation") ||
               bad_change(err, "requirement failed: delta.isolationLevel must be Serializable");
    case PROPERTY_CHECKPOINT:
        return str_is(value, "classic") || str_is(value, "v2") || bad_change(err, "Invalid policy " STR_FMT, STR_ARG(value));
    case PROPERTY_MAPPING:
        return str_is_ci(value, "none") || str_is_ci(value, "name") || str_is_ci(value, "id") ||
               bad_change(err, "The column mapping mode `" STR_FMT "` is not supported for this Delta version. Please upgrade if you want to use this mode.", STR_ARG(value));
    case PROPERTY_READER: return check_version(row, value, 3, "1, 2, 3", err);
    case PROPERTY_WRITER: return check_version(row, value, 7, "1, 2, 3, 4, 5, 6, 7", err);
    case PROPERTY_FIXED: return error_set(err, ERR_DELTA_CANNOT_MODIFY_TABLE_PROPERTY, PZ("prop", row->key));
    case PROPERTY_FORMATS: return !value.len || error_unsupported(err, "metadata in other formats (delta.universalFormat.enabledFormats = " STR_FMT ")", STR_ARG(value));
    case PROPERTY_TEXT: break;
    }
    return true;
}

size_t delta_property_count(void)
{
    return LENGTH_OF(PROPERTIES);
}

const char *delta_property_name(size_t i)
{
    return PROPERTIES[i].key;
}

const char *delta_property_values(size_t i)
{
    static const char *const VALUES[] = {
        [PROPERTY_TEXT] = "text",
        [PROPERTY_BOOL] = "`true`, `false`",
        [PROPERTY_SWITCH] = "`true`, `false`",
        [PROPERTY_BYTES] = "a size, such as `128mb`; not open-source Delta's",
        [PROPERTY_CODEC] = "a codec of Parquet files; not open-source Delta's",
        [PROPERTY_INTERVAL] = "an interval without months and years, such as `interval 7 days`",
        [PROPERTY_POSITIVE] = "a number above 0",
        [PROPERTY_COLUMN_COUNT] = "a number from -1 (all)",
        [PROPERTY_NUMBER] = "a number from 0",
        [PROPERTY_ISOLATION] = "`Serializable`, `WriteSerializable`",
        [PROPERTY_CHECKPOINT] = "`classic`, `v2`",
        [PROPERTY_MAPPING] = "`none`, `name`, `id`",
        [PROPERTY_READER] = "1 to 3; not kept",
        [PROPERTY_WRITER] = "1 to 7; not kept",
        [PROPERTY_FIXED] = "set by the table itself",
        [PROPERTY_FORMATS] = "refused unless empty",
    };
    return VALUES[PROPERTIES[i].kind];
}

bool is_delta_property(Str key)
{
    for (size_t i = 0; i < LENGTH_OF(PROPERTIES); i++)
        if (str_is_ci(key, PROPERTIES[i].key))
            return true;
    return false;
}

bool check_delta_property(CommandContext *ctx, Str *key, Str value, Error *err)
{
    if (!str_istarts_with(*key, S("delta.")))
        return true;
    if (str_istarts_with(*key, S("delta.constraints.")))
        return error_set(err, ERR_DELTA_ADD_CONSTRAINTS);
    bool strict = session_bool(ctx->session, "lakeshed.strict", false);
    for (size_t i = 0; i < LENGTH_OF(PROPERTIES); i++) {
        const PropertyKind kind = PROPERTIES[i].kind;
        if (!str_is_ci(*key, PROPERTIES[i].key) || (strict && (kind == PROPERTY_BYTES || kind == PROPERTY_CODEC)))
            continue;
        *key = str_from(PROPERTIES[i].key);
        return check_value(ctx, &PROPERTIES[i], value, err);
    }
    static const char ARBITRARY[] = "spark.databricks.delta.allowArbitraryProperties.enabled";
    return session_bool(ctx->session, ARBITRARY, false) ||
           error_set(err, ERR_DELTA_UNKNOWN_CONFIGURATION, P("config", *key), PZ("disableCheckConfig", ARBITRARY));
}

/* ---- SET ---- */

static bool request_feature(CommandContext *ctx, Protocol *p, Str key, Str value, Error *err)
{
    Str name = str_slice(key, 14, key.len);
    const DeltaFeature *row = NULL;
    for (size_t i = 0; i < delta_feature_count() && !row; i++)
        if (str_is_ci(name, delta_feature_at(i)->name))
            row = delta_feature_at(i);
    if (!row)
        return error_set(err, ERR_DELTA_UNSUPPORTED_FEATURES_IN_CONFIG, P("configs", key));
    if (!str_is_ci(value, "supported") && !str_is_ci(value, "enabled"))
        return error_set(err, ERR_DELTA_UNSUPPORTED_FEATURE_STATUS, P("feature", str_lower(name, ctx->arena)), P("status", value));
    return protocol_add_feature(p, row->name, ctx->arena, err);
}

static bool ask_version(Str key, Str value, int *out, Error *err)
{
    int64_t n;
    if (!str_to_i64(value, &n) || n < 0 || n > INT32_MAX)
        return error_set(err, ERR_DELTA_PROTOCOL_PROPERTY_NOT_INT, P("key", key), P("value", value));
    *out = (int)n;
    return true;
}

bool protocol_property(CommandContext *ctx, Str key, Str value, ProtocolWish *wish, bool *taken, Error *err)
{
    const bool reader = str_is_ci(key, "delta.minReaderVersion"), writer = str_is_ci(key, "delta.minWriterVersion");
    *taken = true;
    if (str_istarts_with(key, S("delta.feature.")))
        return request_feature(ctx, &wish->features, key, value, err);
    if (reader || writer)
        return ask_version(key, value, reader ? &wish->reader : &wish->writer, err);
    *taken = str_is_ci(key, "delta.ignoreProtocolDefaults");
    return true;
}

bool protocol_fulfil(CommandContext *ctx, const ProtocolWish *wish, Protocol *p, Error *err)
{
    DeltaStrVec features = {0};
    int reader = wish->reader ? wish->reader : p->min_reader, writer = wish->writer ? wish->writer : p->min_writer;
    if (wish->reader || wish->writer)
        protocol_add_versions(p, writer < 7 && reader > 2 ? 2 : reader, writer, ctx->arena);
    protocol_features(&wish->features, ctx->arena, &features);
    for (size_t i = 0; i < features.len; i++)
        TRY(protocol_add_feature(p, str_z(features.at[i], ctx->arena), ctx->arena, err));
    return true;
}

/* Taking it away is a commit of its own, before this one. */
static bool check_mapping_change(const Target *t, Str value, Error *err)
{
    ColumnMapping old = snapshot_column_mapping(t->snapshot);
    if (old == MAPPING_NONE && str_is_ci(value, "name") && str_find(snapshot_metadata(t->snapshot)->schema_string, S("\"delta.columnMapping.")) >= 0)
        return error_set(err, ERR_DELTA_ENABLING_COLUMN_MAPPING_DISALLOWED_WHEN_COLUMN_MAPPING_METADATA_ALREADY_EXISTS);
    if (str_ieq(value, mapping_name(old)) || (old == MAPPING_NONE && str_is_ci(value, "name")))
        return true;
    return error_set(err, ERR_DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE, P("oldMode", mapping_name(old)), P("newMode", value));
}

static bool may_unmap(CommandContext *ctx)
{
    return session_bool(ctx->session, "spark.databricks.delta.columnMapping.allowRemoval", true);
}

/* ---- what new tables start with ---- */

#define DEFAULTS "spark.databricks.delta.properties.defaults."

static bool is_given(const Metadata *m, Str key)
{
    for (size_t i = 0; i < m->configuration.len; i++)
        if (str_ieq(m->configuration.at[i].key, key))
            return true;
    return false;
}

bool default_properties(CommandContext *ctx, Metadata *m, ProtocolWish *wish, Error *err)
{
    KeyValueVec settings = {0};
    ProtocolWish said = *wish;
    session_all(ctx->session, ctx->arena, &settings);
    for (size_t i = 0; i < settings.len; i++) {
        if (!str_starts_with(settings.at[i].key, S(DEFAULTS)))
            continue;
        Str value = settings.at[i].value;
        Str key = str_concat(ctx->arena, S("delta."), str_slice(settings.at[i].key, sizeof DEFAULTS - 1, settings.at[i].key.len));
        bool taken;
        TRY(protocol_property(ctx, key, value, wish, &taken, err));
        for (size_t k = 0; k < LENGTH_OF(PROPERTIES) && !taken; k++) {
            const PropertyRow *row = &PROPERTIES[k];
            if (!str_is(key, row->key) || is_given(m, key))
                continue;
            TRY(check_value(ctx, row, value, err));
            metadata_set_property(m, key, value, ctx->arena);
        }
    }
    wish->reader = said.reader ? said.reader : wish->reader;
    wish->writer = said.writer ? said.writer : wish->writer;
    return true;
}

/* ---- the statement ---- */

typedef struct Change {
    const Target *table;
    Metadata *metadata;
    ProtocolWish wish;
    Buf shown;          /* {"key":"value",..} for the history */
    bool first;
} Change;

static bool set_one(CommandContext *ctx, Change *x, const KeyValue *kv, Error *err)
{
    Str key = kv->key;
    TRY(check_reserved_property(key, err));
    if (!str_istarts_with(key, S("delta.feature.")))
        TRY(check_delta_property(ctx, &key, kv->value, err));
    if (str_is(key, "clusteringColumns"))
        return error_set(err, ERR_DELTA_CANNOT_MODIFY_TABLE_PROPERTY, P("prop", key));
    if (str_is_ci(key, CLUSTERING_FEATURE))
        return error_set(err, ERR_DELTA_ALTER_TABLE_SET_CLUSTERING_TABLE_FEATURE_NOT_ALLOWED, PZ("tableFeature", "clustering"));
    bool taken;
    TRY(protocol_property(ctx, key, kv->value, &x->wish, &taken, err));
    if (str_is(key, "delta.columnMapping.mode"))
        TRY(check_mapping_change(x->table, kv->value, err));
    if (str_is(key, "comment"))
        x->metadata->description = kv->value;
    else if (!taken)
        metadata_set_property(x->metadata, key, kv->value, ctx->arena);
    bool feature = str_istarts_with(key, S("delta.feature.")); /* as Delta notes it */
    json_put_key(&x->shown, &x->first, str_z(feature ? str_lower(key, ctx->arena) : key, ctx->arena));
    json_put_str(&x->shown, kv->value);
    return true;
}

bool check_log_retention(const Metadata *m, Error *err)
{
    const int64_t day = 86400000;
    int64_t log = metadata_interval_ms(m, "delta.logRetentionDuration", 30 * day);
    int64_t files = metadata_interval_ms(m, "delta.deletedFileRetentionDuration", 7 * day);
    return log >= files || bad_change(err, "requirement failed: The table property delta.logRetentionDuration(%lld days) needs to be greater than or "
                                           "equal to delta.deletedFileRetentionDuration(%lld days).", (long long)(log / day), (long long)(files / day));
}

static bool enables_row_tracking(const Command *c)
{
    for (size_t i = 0; i < c->properties.len; i++)
        if (str_is_ci(c->properties.at[i].key, ROW_TRACKING_ENABLED))
            return str_is_ci(c->properties.at[i].value, "true");
    return false;
}

static bool check_versions(const ProtocolWish *wish, const Protocol *p, Error *err)
{
    return wish->reader < 3 || (wish->writer ? wish->writer : p->min_writer) >= 7 ||
           error_set(err, ERR_DELTA_READ_FEATURE_PROTOCOL_REQUIRES_WRITE, PZ("writerVersion", "7"), PZ("docLink", "https://docs.delta.io/latest/index.html"));
}

/* What the statement asks of the table before its properties change; *done: it asks for nothing else. */
static bool unmap_if_asked(CommandContext *ctx, const Command *c, Target *t, bool *done, Error *err)
{
    *done = false;
    for (size_t i = 0; i < c->properties.len; i++)
        if (str_is_ci(c->properties.at[i].key, "delta.columnMapping.mode") && str_is(c->properties.at[i].value, "none") && may_unmap(ctx)) {
            *done = c->properties.len == 1;
            TRY(remove_column_mapping(ctx, t, false, err));
        }
    return true;
}

bool alter_set_properties(CommandContext *ctx, const Command *c, const Target *target, Error *err)
{
    Target current = *target, *t = &current;
    bool done;
    TRY(unmap_if_asked(ctx, c, t, &done, err));
    if (done)
        return true;
    if (enables_row_tracking(c))
        TRY(row_tracking_backfill(ctx, t, err));
    Change x = {.table = t, .metadata = metadata_copy(snapshot_metadata(t->snapshot), ctx->arena),
                .shown = buf_in(ctx->arena), .first = true};
    Protocol protocol = protocol_copy(snapshot_protocol(t->snapshot), ctx->arena);
    buf_addc(&x.shown, '{');
    for (size_t i = 0; i < c->properties.len; i++)
        TRY(set_one(ctx, &x, &c->properties.at[i], err));
    buf_addc(&x.shown, '}');
    TRY(check_versions(&x.wish, &protocol, err));
    TRY(protocol_fulfil(ctx, &x.wish, &protocol, err));
    metadata_map_columns(x.metadata, true, ctx->arena);
    TRY(check_log_retention(x.metadata, err));
    TRY(stats_columns_check(ctx, x.metadata, err));
    CommitNote note = {.operation = S("SET TBLPROPERTIES"), .started_us = clock_monotonic_us()};
    note_parameter_text(ctx, &note, "properties", buf_str(&x.shown));
    if (enables_row_tracking(c) && c->properties.len == 1)
        vec_push(ctx->arena, &note.tags, ((Property){S(ROW_TRACKING_ENABLEMENT_ONLY), S("true"), false}));
    TRY(alter_commit(ctx, t, x.metadata, &protocol, &note, false, err));
    if (!key_value_has(&c->properties, "comment") || t->resolved.kind != RESOLVED_TABLE)
        return true;
    TableEntry e = t->resolved.entry; /* listings show the comment without opening the log */
    e.comment = x.metadata->description;
    return catalog_update_table(session_catalog(ctx->session), &e, err);
}

/* ---- UNSET ---- */

bool alter_unset_properties(CommandContext *ctx, const Command *c, const Target *target, Error *err)
{
    Target current = *target, *t = &current;
    for (size_t i = 0; i < c->alter.names.len; i++)
        if (str_is_ci(c->alter.names.at[i], "delta.columnMapping.mode") && may_unmap(ctx)) {
            TRY(remove_column_mapping(ctx, t, true, err));
            if (c->alter.names.len == 1)
                return true;
        }
    Metadata *m = metadata_copy(snapshot_metadata(t->snapshot), ctx->arena);
    Buf keys = buf_in(ctx->arena);
    buf_addc(&keys, '[');
    for (size_t i = 0; i < c->alter.names.len; i++) {
        Str key = c->alter.names.at[i];
        TRY(check_reserved_property(key, err));
        for (size_t k = 0; k < LENGTH_OF(PROPERTIES); k++)
            if (str_is_ci(key, PROPERTIES[k].key))
                key = str_from(PROPERTIES[k].key);
        if (str_is(key, "delta.columnMapping.mode") && snapshot_column_mapping(t->snapshot) != MAPPING_NONE)
            TRY(check_mapping_change(t, S("none"), err));
        if (str_is(key, "comment"))
            m->description = (Str){0};
        metadata_unset_property(m, key);
        if (i)
            buf_addc(&keys, ',');
        json_put_str(&keys, key);
    }
    buf_addc(&keys, ']');
    CommitNote note = {.operation = S("UNSET TBLPROPERTIES"), .started_us = clock_monotonic_us()};
    note_parameter_text(ctx, &note, "properties", buf_str(&keys));
    note_parameter(ctx, &note, "ifExists", S("true"));
    return alter_commit(ctx, t, m, NULL, &note, false, err);
}
