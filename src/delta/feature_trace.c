/* Traces of table features, for those who drop them. */
#include "delta/feature_trace.h"

#include "delta/row_tracking.h"
#include "delta/schema.h"
#include "delta/time_impl.h"

/* ---- what metadata says ---- */

static bool has_property(const Metadata *m, const char *key)
{
    return property_find(&m->configuration, str_from(key)) != NULL;
}

static bool has_checks(const Metadata *m)
{
    for (size_t i = 0; i < m->configuration.len; i++)
        if (str_istarts_with(m->configuration.at[i].key, S("delta.constraints.")))
            return true;
    return false;
}

static bool is_mapped(const Metadata *m)
{
    return metadata_column_mapping(m) != MAPPING_NONE;
}

static bool knows_mapping(const Metadata *m)
{
    return is_mapped(m) || str_find(m->schema_string, S("\"delta.columnMapping.")) >= 0;
}

static bool makes_vectors(const Metadata *m)
{
    return metadata_property_bool(m, "delta.enableDeletionVectors", false);
}

static bool wants_v2(const Metadata *m)
{
    return str_is_ci(metadata_property(m, "delta.checkpointPolicy"), "v2");
}

static bool gives_row_ids(const Metadata *m)
{
    return metadata_property_bool(m, ROW_TRACKING_ENABLED, false) ||
           !metadata_property_bool(m, ROW_TRACKING_SUSPENDED, false);
}

static bool was_widened(const Metadata *m)
{
    return str_find(m->schema_string, S("\"delta.typeChanges\"")) >= 0;
}

static bool widens(const Metadata *m)
{
    return was_widened(m) || metadata_property_bool(m, "delta.enableTypeWidening", false);
}

static bool keeps_time(const Metadata *m)
{
    return has_property(m, "delta.inCommitTimestampEnablementVersion") ||
           has_property(m, "delta.inCommitTimestampEnablementTimestamp") ||
           metadata_property_bool(m, "delta.enableInCommitTimestamps", false);
}

static bool protects(const Metadata *m)
{
    return has_property(m, "delta.requireCheckpointProtectionBeforeVersion");
}

/* ---- rows ---- */

typedef struct Trace {
    const char *name;
    bool (*used)(const Metadata *m); /* NULL: metadata does not say */
    bool (*left)(const Metadata *m); /* of an older version */
    bool vectors, row_ids;           /* files have them */
    bool domains;
} Trace;

static const Trace rows[] = {
    {.name = "checkConstraints", .used = has_checks},
    {.name = "columnMapping", .used = knows_mapping, .left = is_mapped},
    {.name = "deletionVectors", .used = makes_vectors, .left = makes_vectors, .vectors = true},
    {.name = "domainMetadata", .domains = true},
    {.name = "v2Checkpoint", .used = wants_v2, .left = wants_v2},
    {.name = "rowTracking", .used = gives_row_ids, .row_ids = true},
    {.name = "typeWidening", .used = widens, .left = was_widened},
    {.name = "typeWidening-preview", .used = widens, .left = was_widened},
    {.name = "inCommitTimestamp", .used = keeps_time},
    {.name = "checkpointProtection", .used = protects},
};

static const Trace *find(const char *name)
{
    static const Trace none;
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        if (str_is(str_from(name), rows[i].name))
            return &rows[i];
    return &none;
}

static bool file_uses(const Trace *t, const DeletionVector *dv, bool has_row_id)
{
    return (t->vectors && dv) || (t->row_ids && has_row_id);
}

bool feature_is_used(const char *name, Snapshot *s)
{
    const Trace *t = find(name);
    FileCursor files = file_set_cursor(s->files);
    if (t->used && t->used(&s->state->metadata))
        return true;
    if (t->domains && map_first(&s->state->domains))
        return true;
    if (t->vectors || t->row_ids)
        for (const AddFile *f; (f = file_set_next_file(&files));)
            if (file_uses(t, f->dv, f->has_base_row_id))
                return true;
    return false;
}

bool feature_is_used_by(const char *name, const CommitActions *c)
{
    const Trace *t = find(name);
    if (t->used && c->metadata && t->used(c->metadata))
        return true;
    for (size_t i = 0; i < c->adds.len; i++)
        if (file_uses(t, c->adds.at[i].dv, c->adds.at[i].has_base_row_id))
            return true;
    for (size_t i = 0; t->domains && i < c->domains.len; i++)
        if (!c->domains.at[i].removed)
            return true;
    return false;
}

/* ---- older versions ---- */

static bool commit_has_trace(const Trace *t, const CommitActions *c)
{
    if (t->left && c->metadata && t->left(c->metadata))
        return true;
    for (size_t i = 0; t->vectors && i < c->adds.len; i++)
        if (c->adds.at[i].dv)
            return true;
    for (size_t i = 0; t->vectors && i < c->removes.len; i++)
        if (c->removes.at[i].dv)
            return true;
    return false;
}

static bool is_v2(const LogCheckpoint *c)
{
    return c->form == CHECKPOINT_UUID_PARQUET || c->form == CHECKPOINT_UUID_JSON;
}

/* Tombstones of a checkpoint do not matter to who reads its version. */
static bool snapshot_has_trace(const Trace *t, DeltaTable *table, int64_t version, bool *found, Error *err)
{
    Snapshot *s;
    TRY(snapshot_at_version(table, version, &s, err));
    *found = t->left && t->left(&s->state->metadata);
    FileCursor files = file_set_cursor(s->files);
    for (const AddFile *f; !*found && t->vectors && (f = file_set_next_file(&files));)
        *found = f->dv != NULL;
    snapshot_unref(s);
    return true;
}

bool feature_in_history(const char *name, Snapshot *s, bool *found, Error *err)
{
    AUTO_ARENA(arena) = arena_new();
    const Trace *t = find(name);
    LogListing l;
    *found = false;
    TRY(log_list(s->table->store, 0, arena, &l, err));
    for (size_t i = 0; i < l.checkpoints.len && t->used == wants_v2; i++)
        if (is_v2(&l.checkpoints.at[i])) {
            *found = true;
            return true;
        }
    if (l.checkpoints.len && l.checkpoints.at[0].version <= s->version)
        TRY(snapshot_has_trace(t, s->table, l.checkpoints.at[0].version, found, err));
    for (size_t i = 0; !*found && i < l.commits.len && l.commits.at[i].version <= s->version; i++) {
        AUTO_ARENA(scratch) = arena_new();
        CommitActions c;
        bool there;
        TRY(commit_read(s->table, l.commits.at[i].version, ACTIONS_ALL, scratch, &c, &there, err));
        *found = there && commit_has_trace(t, &c);
    }
    return true;
}
