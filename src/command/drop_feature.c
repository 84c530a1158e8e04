/* ALTER TABLE .. DROP FEATURE: the table stops using the feature, then its protocol loses it. Older versions of the table still use it:
 * either they are kept behind checkpoints that stay (checkpointProtection), or they are forgotten first (TRUNCATE HISTORY). */
#include "base/json.h"
#include "command/alter_impl.h"
#include "command/optimize_impl.h"

enum { BARRIER_CHECKPOINTS = 3 };
#define PROTECTED_VERSION "delta.requireCheckpointProtectionBeforeVersion"
static const int64_t DAY_MS = 86400000;

static bool drops_fast(CommandContext *ctx)
{
    return session_bool(ctx->session, "spark.databricks.delta.tableFeatures.fastDropFeature.enabled", true);
}

/* ---- commits on the way ---- */

static bool commit_metadata(CommandContext *ctx, Target *t, Metadata *m, CommitNote *note, Error *err)
{
    note->started_us = clock_monotonic_us();
    TRY(alter_commit(ctx, t, m, NULL, note, false, err));
    return target_refresh(ctx, t, err);
}

static bool unset_properties(CommandContext *ctx, Target *t, Metadata *m, const char *const *keys, size_t count, Error *err)
{
    CommitNote note = {.operation = S("UNSET TBLPROPERTIES")};
    Buf shown = buf_in(ctx->arena);
    for (size_t i = 0; i < count; i++) {
        buf_addz(&shown, i ? "," : "[");
        json_put_str(&shown, str_from(keys[i]));
    }
    buf_addc(&shown, ']');
    note_parameter_text(ctx, &note, "properties", buf_str(&shown));
    note_parameter(ctx, &note, "ifExists", S("true"));
    return commit_metadata(ctx, t, m, &note, err);
}

static bool unset_property(CommandContext *ctx, Target *t, const char *key, Error *err)
{
    Metadata *m = metadata_copy(snapshot_metadata(t->snapshot), ctx->arena);
    metadata_unset_property(m, str_from(key));
    return unset_properties(ctx, t, m, &key, 1, err);
}

static bool set_properties(CommandContext *ctx, Target *t, const KeyValue *pairs, size_t count, Error *err)
{
    CommitNote note = {.operation = S("SET TBLPROPERTIES")};
    Metadata *m = metadata_copy(snapshot_metadata(t->snapshot), ctx->arena);
    Buf shown = buf_in(ctx->arena);
    bool first = true;
    buf_addc(&shown, '{');
    for (size_t i = 0; i < count; i++) {
        metadata_set_property(m, pairs[i].key, pairs[i].value, ctx->arena);
        json_put_key(&shown, &first, str_z(pairs[i].key, ctx->arena));
        json_put_str(&shown, pairs[i].value);
    }
    buf_addc(&shown, '}');
    note_parameter_text(ctx, &note, "properties", buf_str(&shown));
    return commit_metadata(ctx, t, m, &note, err);
}

static bool commit_actions(CommandContext *ctx, Target *t, Transaction *x, CommitNote *note, Error *err)
{
    note->started_us = clock_monotonic_us();
    bool ok = note_commit(ctx, x, note, NULL, err);
    transaction_end(x);
    return ok && target_refresh(ctx, t, err);
}

/* A commit that changes nothing, so that a checkpoint stands for a version without the feature. */
static bool barrier(CommandContext *ctx, Target *t, Error *err)
{
    CommitNote note = {.operation = S("Empty Commit"), .blind_append = true, .isolation = ISOLATION_SNAPSHOT};
    TRY(commit_actions(ctx, t, transaction_begin(t->table, t->snapshot, ctx->arena), &note, err));
    TRY(delta_checkpoint(t->table, err));
    return target_refresh(ctx, t, err);
}

/* ---- what each feature needs before it can go; *changed: older versions certainly use it ---- */

typedef bool (*ClearRule)(CommandContext *ctx, Target *t, bool *changed, Error *err);

static bool refuse_constraints(CommandContext *ctx, Target *t, bool *changed, Error *err)
{
    const Metadata *m = snapshot_metadata(t->snapshot);
    Buf names = buf_in(ctx->arena);
    (void)changed;
    for (size_t i = 0; i < m->configuration.len; i++) {
        Str key = m->configuration.at[i].key, prefix = S("delta.constraints.");
        if (str_istarts_with(key, prefix))
            buf_addf(&names, "%s`" STR_FMT "`", names.len ? ", " : "", STR_ARG(str_slice(key, prefix.len, key.len)));
    }
    return !names.len || error_set(err, ERR_DELTA_CANNOT_DROP_CHECK_CONSTRAINT_FEATURE, P("constraints", buf_str(&names)));
}

static bool refuse_shapes(CommandContext *ctx, Target *t, bool *changed, Error *err)
{
    const Type *schema = snapshot_schema(t->snapshot);
    Buf names = buf_in(ctx->arena);
    (void)changed;
    for (size_t i = 0; i < schema->structure.count; i++)
        if (type_has_geo(schema->structure.fields[i].type))
            buf_addf(&names, "%s" STR_FMT, names.len ? ", " : "", STR_ARG(schema->structure.fields[i].name));
    return !names.len || error_set(err, ERR_DELTA_CANNOT_DROP_GEOSPATIAL_FEATURE, P("colNames", buf_str(&names)));
}

static bool clear_mapping(CommandContext *ctx, Target *t, bool *changed, Error *err)
{
    *changed = true;
    return remove_column_mapping(ctx, t, true, err);
}

static bool purge_vectors(CommandContext *ctx, Target *t, Error *err)
{
    FileList all = {0}, files = {0};
    snapshot_files(t->snapshot, ctx->arena, &all);
    for (size_t i = 0; i < all.len; i++)
        if (all.at[i]->dv)
            vec_push(ctx->arena, &files, all.at[i]);
    return reorg_files(ctx, t, &files, err);
}

static bool clear_vectors(CommandContext *ctx, Target *t, bool *changed, Error *err)
{
    CommitNote note = {.operation = S("Deletion Vector Tombstones"), .isolation = ISOLATION_SNAPSHOT};
    *changed = feature_is_used("deletionVectors", t->snapshot);
    if (*changed) {
        TRY(unset_property(ctx, t, "delta.enableDeletionVectors", err));
        TRY(purge_vectors(ctx, t, err));
    }
    if (!drops_fast(ctx) || !session_bool(ctx->session, "spark.databricks.delta.tableFeatures.fastDropFeature.generateDVTombstones.enabled", true))
        return true;
    Transaction *x = transaction_begin(t->table, t->snapshot, ctx->arena);
    if (transaction_vector_tombstones(x, err))
        return commit_actions(ctx, t, x, &note, err);
    transaction_end(x);
    return false;
}

static bool clear_checkpoints(CommandContext *ctx, Target *t, bool *changed, Error *err)
{
    KeyValue classic = {S("delta.checkpointPolicy"), S("classic"), NULL};
    *changed = true;
    return set_properties(ctx, t, &classic, 1, err);
}

static bool clear_timestamps(CommandContext *ctx, Target *t, bool *changed, Error *err)
{
    static const char *const KEYS[] = {"delta.inCommitTimestampEnablementTimestamp", "delta.inCommitTimestampEnablementVersion"};
    const char *gone[LENGTH_OF(KEYS) + 1];
    size_t count = 0;
    Metadata *m = metadata_copy(snapshot_metadata(t->snapshot), ctx->arena);
    *changed = true;
    for (size_t i = 0; i < LENGTH_OF(KEYS); i++)
        if (metadata_property(m, KEYS[i]).len) {
            metadata_unset_property(m, str_from(KEYS[i]));
            gone[count++] = KEYS[i];
        }
    if (metadata_property_bool(m, "delta.enableInCommitTimestamps", false)) {
        metadata_set_property(m, S("delta.enableInCommitTimestamps"), S("false"), ctx->arena);
        gone[count++] = "delta.enableInCommitTimestamps";
    }
    return unset_properties(ctx, t, m, gone, count, err);
}

static bool has_other_types(const Type *file, const Type *table)
{
    if (file->kind == TYPE_STRUCT && table->kind == TYPE_STRUCT) {
        for (size_t i = 0; i < file->structure.count; i++) {
            int at = type_field_index(table, file->structure.fields[i].name, false);
            if (at >= 0 && has_other_types(file->structure.fields[i].type, table->structure.fields[at].type))
                return true;
        }
        return false;
    }
    if (file->kind == TYPE_ARRAY && table->kind == TYPE_ARRAY)
        return has_other_types(file->array.element, table->array.element);
    if (file->kind == TYPE_MAP && table->kind == TYPE_MAP)
        return has_other_types(file->map.key, table->map.key) || has_other_types(file->map.value, table->map.value);
    return type_is_widening(file, table);
}

/* Files whose footers tell of narrower types than the table's. */
static bool narrow_files(CommandContext *ctx, const Target *t, FileList *out, Error *err)
{
    FileList all = {0};
    const Type *physical = snapshot_physical_schema(t->snapshot);
    snapshot_files(t->snapshot, ctx->arena, &all);
    for (size_t i = 0; i < all.len; i++) {
        FileScan scan = {.format = S("parquet")};
        Str location;
        TRY(delta_file_location(t->table, all.at[i]->path, ctx->arena, &location, err));
        vec_push(ctx->arena, &scan.paths, location);
        TRY(engine_infer_schema(ctx->engine, &scan, &ctx->run, ctx->arena, err));
        if (has_other_types(scan.schema, physical))
            vec_push(ctx->arena, out, all.at[i]);
    }
    return true;
}

/* Every field that has notes of changes, as it was. */
static void put_widened(CommandContext *ctx, Buf *out, const Type *t, const Name *above)
{
    static const char *const PARTS[] = {"element", "key", "value"};
    const Type *inner[] = {t->kind == TYPE_ARRAY ? t->array.element : NULL, t->kind == TYPE_MAP ? t->map.key : NULL, t->kind == TYPE_MAP ? t->map.value : NULL};
    for (size_t i = 0; i < LENGTH_OF(inner); i++) {
        Name path = name_of(ctx->arena, above->len, above->at);
        vec_push(ctx->arena, &path, str_from(PARTS[i]));
        if (inner[i])
            put_widened(ctx, out, inner[i], &path);
    }
    for (size_t i = 0; t->kind == TYPE_STRUCT && i < t->structure.count; i++) {
        const Field *f = &t->structure.fields[i];
        Name path = name_of(ctx->arena, above->len, above->at);
        vec_push(ctx->arena, &path, f->name);
        if (str_find(f->metadata, S("\"delta.typeChanges\"")) >= 0)
            buf_addf(out, "%s" STR_FMT, out->len > 1 ? "," : "", STR_ARG(column_json(ctx, &path, f)));
        put_widened(ctx, out, f->type, &path);
    }
}

static bool forget_changes(CommandContext *ctx, Target *t, Error *err)
{
    CommitNote note = {.operation = S("DROP FEATURE")};
    Metadata *m = metadata_copy(snapshot_metadata(t->snapshot), ctx->arena);
    Buf shown = buf_in(ctx->arena);
    buf_addc(&shown, '[');
    put_widened(ctx, &shown, m->schema, &(Name){0});
    metadata_set_schema(ctx, m, schema_forget_widening(m->schema, ctx->arena));
    buf_addc(&shown, ']');
    note_parameter_text(ctx, &note, "columns", buf_str(&shown));
    return commit_metadata(ctx, t, m, &note, err);
}

static bool clear_widening(CommandContext *ctx, Target *t, bool *changed, Error *err)
{
    FileList files = {0};
    bool widened = str_find(snapshot_metadata(t->snapshot)->schema_string, S("\"delta.typeChanges\"")) >= 0;
    TRY(unset_property(ctx, t, "delta.enableTypeWidening", err));
    *changed = widened;
    if (!widened)
        return true;
    TRY(narrow_files(ctx, t, &files, err));
    TRY(reorg_files(ctx, t, &files, err));
    return forget_changes(ctx, t, err);
}

static bool clear_row_ids(CommandContext *ctx, Target *t, bool *changed, Error *err)
{
    const KeyValue pairs[] = {{S(ROW_TRACKING_ENABLED), S("false"), NULL}, {S(ROW_TRACKING_SUSPENDED), S("true"), NULL}};
    *changed = true;
    return set_properties(ctx, t, pairs, LENGTH_OF(pairs), err) && row_tracking_unbackfill(ctx, t, err);
}

/* Nothing in the protocol needs domains any more: these were left behind. */
static bool clear_domains(CommandContext *ctx, Target *t, bool *changed, Error *err)
{
    CommitNote note = {.operation = S("DOMAIN METADATA CLEANUP")};
    DomainMetadataVec domains = {0};
    *changed = true;
    snapshot_domains(t->snapshot, ctx->arena, &domains);
    Transaction *x = transaction_begin(t->table, t->snapshot, ctx->arena);
    for (size_t i = 0; i < domains.len; i++) {
        domains.at[i].removed = true;
        transaction_domain(x, &domains.at[i]);
    }
    note_parameter(ctx, &note, "domainMetadataRemovedCount", str_printf(ctx->arena, "%zu", domains.len));
    return commit_actions(ctx, t, x, &note, err);
}

static Str shown_interval(const Metadata *m, const char *key, const char *otherwise)
{
    Str text = metadata_property(m, key);
    if (str_istarts_with(text, S("interval ")))
        text = str_slice(text, 9, text.len);
    return text.len ? text : str_from(otherwise);
}

static Str truncation_shown(const Metadata *m)
{
    return shown_interval(m, "delta.dropFeatureTruncateHistory.retentionDuration", "24 hours");
}

static bool truncate_history(Target *t, Error *err)
{
    const Metadata *m = snapshot_metadata(t->snapshot);
    return delta_truncate_history(t->snapshot, metadata_interval_ms(m, "delta.dropFeatureTruncateHistory.retentionDuration", DAY_MS), err);
}

static bool clear_protection(CommandContext *ctx, Target *t, bool *changed, Error *err)
{
    int64_t version = 0;
    bool gone;
    (void)changed;
    if (!str_to_i64(snapshot_property(t->snapshot, PROTECTED_VERSION), &version))
        version = 0;
    TRY(delta_history_is_gone(t->snapshot, version, &gone, err));
    if (!gone) {
        TRY(barrier(ctx, t, err));
        TRY(truncate_history(t, err));
        TRY(delta_history_is_gone(t->snapshot, version, &gone, err));
    }
    if (!gone)
        return error_set(err, ERR_DELTA_FEATURE_DROP_CHECKPOINT_PROTECTION_WAIT_FOR_RETENTION_PERIOD,
                         P("truncateHistoryLogRetentionPeriod", truncation_shown(snapshot_metadata(t->snapshot))));
    return unset_property(ctx, t, PROTECTED_VERSION, err);
}

static const struct {
    const char *feature;
    ClearRule clear;
    bool always; /* also where nothing uses the feature */
    const char *properties[4]; /* that go with it */
} RULES[] = {
    {"checkConstraints", refuse_constraints, false, {NULL}},
    {"geospatial", refuse_shapes, true, {NULL}},
    {"columnMapping", clear_mapping, false, {NULL}},
    {"deletionVectors", clear_vectors, true, {NULL}},
    {"v2Checkpoint", clear_checkpoints, false, {NULL}},
    {"inCommitTimestamp", clear_timestamps, false, {NULL}},
    {"typeWidening", clear_widening, false, {NULL}},
    {"typeWidening-preview", clear_widening, false, {NULL}},
    {"rowTracking", clear_row_ids, false, {ROW_TRACKING_ENABLED, ROW_TRACKING_SUSPENDED}},
    {"domainMetadata", clear_domains, false, {NULL}},
    {"checkpointProtection", clear_protection, true, {NULL}},
    {"materializePartitionColumns", NULL, false, {"delta.enableMaterializePartitionColumnsFeature"}},
};

/* ---- the statement ---- */

typedef struct Drop {
    Target t;
    const DeltaFeature *feature;
    bool truncates;
} Drop;

static const DeltaFeature *find_feature(Str name)
{
    for (size_t i = 0; i < delta_feature_count(); i++)
        if (str_is_ci(name, delta_feature_at(i)->name))
            return delta_feature_at(i);
    return NULL;
}

static bool check_feature(const Drop *d, Str name, Error *err)
{
    const Protocol *p = snapshot_protocol(d->t.snapshot);
    const DeltaFeature *f = d->feature;
    bool present = f && str_is(name, f->name) && protocol_has_feature(p, f->name);
    if (!present && is_delta_property(name))
        return error_set(err, ERR_DELTA_FEATURE_DROP_FEATURE_IS_DELTA_PROPERTY, P("property", name));
    if (!f)
        return error_set(err, ERR_DELTA_FEATURE_DROP_UNSUPPORTED_CLIENT_FEATURE, P("feature", name));
    if (!present)
        return error_set(err, ERR_DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT, P("feature", name));
    if (f->drop == FEATURE_STAYS)
        return error_set(err, ERR_DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE, P("feature", name));
    bool protects = str_is(name, "checkpointProtection");
    if (d->truncates && f->drop == FEATURE_GOES && !protects)
        return error_set(err, ERR_DELTA_FEATURE_DROP_HISTORY_TRUNCATION_NOT_ALLOWED);
    if (!d->truncates && protects)
        return error_set(err, ERR_DELTA_FEATURE_CAN_ONLY_DROP_CHECKPOINT_PROTECTION_WITH_HISTORY_TRUNCATION);
    Str dependents = protocol_dependents(p, f->name, err->arena);
    return !dependents.len || error_set(err, ERR_DELTA_FEATURE_DROP_DEPENDENT_FEATURE, P("feature", name), P("dependentFeatures", dependents));
}

static bool clear(CommandContext *ctx, Drop *d, bool *changed, Error *err)
{
    *changed = false;
    for (size_t i = 0; i < LENGTH_OF(RULES); i++)
        if (str_is(str_from(RULES[i].feature), d->feature->name) && RULES[i].clear &&
            (RULES[i].always || feature_is_used(d->feature->name, d->t.snapshot)))
            return RULES[i].clear(ctx, &d->t, changed, err);
    return true;
}

static bool wait_error(ErrorClass cls, const Drop *d, Error *err)
{
    const Metadata *m = snapshot_metadata(d->t.snapshot);
    return error_set(err, cls, PZ("feature", d->feature->name), PZ("logRetentionPeriodKey", "delta.logRetentionDuration"),
                     P("logRetentionPeriod", shown_interval(m, "delta.logRetentionDuration", "30 days")),
                     P("truncateHistoryLogRetentionPeriod", truncation_shown(m)));
}

static bool check_history(Drop *d, Error *err)
{
    bool found;
    TRY(d->truncates ? truncate_history(&d->t, err) : true);
    TRY(feature_in_history(d->feature->name, d->t.snapshot, &found, err));
    return !found || wait_error(ERR_DELTA_FEATURE_DROP_HISTORICAL_VERSIONS_EXIST, d, err);
}

static Metadata *metadata_without(CommandContext *ctx, const Drop *d)
{
    Metadata *m = metadata_copy(snapshot_metadata(d->t.snapshot), ctx->arena);
    for (size_t i = 0; i < LENGTH_OF(RULES); i++)
        for (size_t k = 0; str_is(str_from(RULES[i].feature), d->feature->name) && RULES[i].properties[k]; k++)
            metadata_unset_property(m, str_from(RULES[i].properties[k]));
    return m;
}

static bool downgrade(CommandContext *ctx, Drop *d, bool protect, Error *err)
{
    CommitNote note = {.operation = S("DROP FEATURE")};
    if (feature_is_used(d->feature->name, d->t.snapshot))
        return error_set(err, ERR_DELTA_FEATURE_DROP_CONFLICT_REVALIDATION_FAIL, PZ("concurrentCommit", ""));
    Transaction *x = transaction_begin(d->t.table, d->t.snapshot, ctx->arena);
    transaction_set_metadata(x, metadata_without(ctx, d));
    Str ids = snapshot_domain(d->t.snapshot, S(ROW_TRACKING_DOMAIN));
    if (str_is(str_from(d->feature->name), "rowTracking") && ids.len)
        transaction_domain(x, &(DomainMetadata){S(ROW_TRACKING_DOMAIN), ids, true});
    if (!transaction_drop_feature(x, d->feature->name, protect, err)) {
        transaction_end(x);
        return false;
    }
    note_parameter_text(ctx, &note, "featureName", str_from(d->feature->name));
    note_parameter(ctx, &note, "truncateHistory", d->truncates ? S("true") : S("false"));
    return commit_actions(ctx, &d->t, x, &note, err);
}

bool alter_drop_feature(CommandContext *ctx, const Command *c, const Target *t, Error *err)
{
    Str name = c->alter.names.at[0];
    Drop d = {.t = *t, .feature = find_feature(name), .truncates = c->alter.truncate_history};
    bool changed;
    TRY(snapshot_check_writable(t->snapshot, err));
    TRY(check_feature(&d, name, err));
    bool keeps_history = !d.truncates && drops_fast(ctx);
    bool in_history = d.feature->drop == FEATURE_GOES_PROTECTED;
    TRY(clear(ctx, &d, &changed, err));
    for (int i = 0; in_history && i < (keeps_history ? BARRIER_CHECKPOINTS : 1); i++)
        TRY(barrier(ctx, &d.t, err));
    if (in_history && !keeps_history) {
        if (changed)
            return wait_error(ERR_DELTA_FEATURE_DROP_WAIT_FOR_RETENTION_PERIOD, &d, err);
        TRY(check_history(&d, err));
    }
    TRY(downgrade(ctx, &d, in_history && keeps_history, err));
    return !in_history || !keeps_history || delta_checkpoint(d.t.table, err);
}
