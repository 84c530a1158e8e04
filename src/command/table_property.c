/* Properties of Delta tables as rows: canonical names, values, and what a change of them does to a table. */
#include "command/alter_impl.h"

#include "base/json.h"

typedef enum PropertyKind {
    PROPERTY_TEXT, PROPERTY_BOOL, PROPERTY_SWITCH, PROPERTY_BYTES, PROPERTY_CODEC, PROPERTY_INTERVAL, PROPERTY_POSITIVE, PROPERTY_COLUMN_COUNT, PROPERTY_NUMBER, PROPERTY_ISOLATION,
    PROPERTY_CHECKPOINT, PROPERTY_MAPPING, PROPERTY_READER, PROPERTY_WRITER, PROPERTY_FIXED
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
    {"delta.universalFormat.enabledFormats", PROPERTY_TEXT},
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
    case PROPERTY_NUMBER: return check_number(row, value, 0, "needs to be a number not below 0.", err);
    case PROPERTY_ISOLATION:
        return str_is_ci(value, "Serializable") || str_is_ci(value, "WriteSerializable") ||
               bad_change(err, "requirement failed: delta.isolationLevel must be Serializable");
    case PROPERTY_CHECKPOINT:
        return str_is(value, "classic") || str_is(value, "v2") || bad_change(err, "Invalid policy " STR_FMT, STR_ARG(value));
    case PROPERTY_MAPPING:
        return str_is(value, "none") || str_is(value, "name") || str_is(value, "id") ||
               error_set(err, ERR_DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE, PZ("oldMode", "none"), P("newMode", value));
    case PROPERTY_READER: return check_version(row, value, 3, "1, 2, 3", err);
    case PROPERTY_WRITER: return check_version(row, value, 7, "1, 2, 3, 4, 5, 6, 7", err);
    case PROPERTY_FIXED: return error_set(err, ERR_DELTA_CANNOT_MODIFY_TABLE_PROPERTY, PZ("prop", row->key));
    case PROPERTY_TEXT: break;
    }
    return true;
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

/* A lower number than the table has changes nothing; beside features by name (7) it stands for those it implies. */
static bool raise_version(CommandContext *ctx, Protocol *p, bool writer, Str value, Error *err)
{
    int64_t n;
    int *current = writer ? &p->min_writer : &p->min_reader;
    if (!str_to_i64(value, &n))
        return true;
    if (writer && n < 7 && p->has_writer_features) {
        Protocol implied = {.min_reader = 1, .min_writer = (int)n};
        DeltaStrVec names = {0};
        protocol_features(&implied, ctx->arena, &names);
        for (size_t i = 0; i < names.len; i++)
            TRY(protocol_add_feature(p, str_z(names.at[i], ctx->arena), ctx->arena, err));
        return true;
    }
    if (n <= *current)
        return true;
    if (n >= (writer ? 7 : 3))
        return error_unsupported(err, "raising a table to protocol version 3 or 7 without naming a feature (delta.feature.<name> = supported)");
    *current = (int)n;
    return true;
}

static bool change_mapping(const Target *t, Str value, Error *err)
{
    ColumnMapping old = snapshot_column_mapping(t->snapshot);
    if (str_eq(value, mapping_name(old)) || (old == MAPPING_NONE && str_is(value, "name")))
        return true;
    if (!str_is(value, "none"))
        return error_set(err, ERR_DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE, P("oldMode", mapping_name(old)), P("newMode", value));
    Str bad = schema_unmappable_names(snapshot_schema(t->snapshot), err->arena);
    if (bad.len)
        return error_set(err, ERR_DELTA_INVALID_COLUMN_NAMES_WHEN_REMOVING_COLUMN_MAPPING, P("invalidColumnNames", bad));
    return error_unsupported(err, "turning off column mapping");
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

bool default_properties(CommandContext *ctx, Metadata *m, Protocol *features, Error *err)
{
    KeyValueVec settings = {0};
    session_all(ctx->session, ctx->arena, &settings);
    for (size_t i = 0; i < settings.len; i++) {
        if (!str_starts_with(settings.at[i].key, S(DEFAULTS)))
            continue;
        Str value = settings.at[i].value;
        Str key = str_concat(ctx->arena, S("delta."), str_slice(settings.at[i].key, sizeof DEFAULTS - 1, settings.at[i].key.len));
        if (str_starts_with(key, S("delta.feature."))) {
            TRY(request_feature(ctx, features, key, value, err));
            continue;
        }
        for (size_t k = 0; k < LENGTH_OF(PROPERTIES); k++) {
            const PropertyRow *row = &PROPERTIES[k];
            bool version = row->kind == PROPERTY_READER || row->kind == PROPERTY_WRITER;
            if (!str_is(key, row->key) || version || is_given(m, key))
                continue;
            TRY(check_value(ctx, row, value, err));
            metadata_set_property(m, key, value, ctx->arena);
        }
    }
    return true;
}

/* ---- the statement ---- */

typedef struct Change {
    const Target *table;
    Metadata *metadata;
    Protocol protocol;
    Buf shown;          /* {"key":"value",..} for the history */
    bool first;
} Change;

static bool set_one(CommandContext *ctx, Change *x, const KeyValue *kv, Error *err)
{
    Str key = kv->key;
    TRY(check_reserved_property(key, err));
    if (str_istarts_with(key, S("delta.feature.")))
        TRY(request_feature(ctx, &x->protocol, key, kv->value, err));
    else {
        TRY(check_delta_property(ctx, &key, kv->value, err));
        if (str_is(key, "delta.columnMapping.mode"))
            TRY(change_mapping(x->table, kv->value, err));
        if (str_is(key, "delta.minReaderVersion") || str_is(key, "delta.minWriterVersion"))
            TRY(raise_version(ctx, &x->protocol, str_is(key, "delta.minWriterVersion"), kv->value, err));
        else if (str_is(key, "comment"))
            x->metadata->description = kv->value;
        else
            metadata_set_property(x->metadata, key, kv->value, ctx->arena);
    }
    json_put_key(&x->shown, &x->first, str_z(key, ctx->arena));
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

bool alter_set_properties(CommandContext *ctx, const Command *c, const Target *target, Error *err)
{
    Target current = *target, *t = &current;
    if (enables_row_tracking(c))
        TRY(row_tracking_backfill(ctx, t, err));
    Change x = {.table = t, .metadata = metadata_copy(snapshot_metadata(t->snapshot), ctx->arena),
                .protocol = protocol_copy(snapshot_protocol(t->snapshot), ctx->arena), .shown = buf_in(ctx->arena), .first = true};
    buf_addc(&x.shown, '{');
    for (size_t i = 0; i < c->properties.len; i++)
        TRY(set_one(ctx, &x, &c->properties.at[i], err));
    buf_addc(&x.shown, '}');
    metadata_map_columns(x.metadata, true, ctx->arena);
    TRY(check_log_retention(x.metadata, err));
    TRY(stats_columns_check(ctx, x.metadata, err));
    CommitNote note = {.operation = S("SET TBLPROPERTIES"), .started_us = clock_monotonic_us()};
    note_parameter_text(ctx, &note, "properties", buf_str(&x.shown));
    if (enables_row_tracking(c) && c->properties.len == 1)
        vec_push(ctx->arena, &note.tags, ((Property){S(ROW_TRACKING_ENABLEMENT_ONLY), S("true"), false}));
    TRY(alter_commit(ctx, t, x.metadata, &x.protocol, &note, false, err));
    if (!key_value_has(&c->properties, "comment") || t->resolved.kind != RESOLVED_TABLE)
        return true;
    TableEntry e = t->resolved.entry; /* listings show the comment without opening the log */
    e.comment = x.metadata->description;
    return catalog_update_table(session_catalog(ctx->session), &e, err);
}

/* ---- UNSET ---- */

bool alter_unset_properties(CommandContext *ctx, const Command *c, const Target *t, Error *err)
{
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
            TRY(change_mapping(t, S("none"), err));
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
