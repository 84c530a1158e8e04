/* Whether a commit that won the race stands against ours: one row a rule, in the order Delta checks
 * them. */
#include <stdlib.h>
#include <string.h>

#include "delta/feature.h"
#include "delta/feature_trace.h"
#include "delta/identity.h"
#include "delta/partition.h"
#include "delta/row_tracking.h"
#include "delta/scan_impl.h"
#include "delta/schema.h"
#include "delta/transaction_impl.h"

#define DOC_LINK "https://docs.delta.io/latest/concurrency-control.html"

typedef struct Conflict {
    Transaction *x;
    const CommitActions *winner;
    IsolationLevel level;
} Conflict;

/* ---- wording ---- */

static Str operation_of(const CommitActions *w)
{
    return w->info && w->info->operation.len ? w->info->operation : S("TRANSACTION");
}

/* "\nConflicting commit: {...}" or nothing. */
static Str conflicting_commit(const CommitActions *w, Arena *arena)
{
    static const Str opening = S_INIT("{\"commitInfo\":");
    Buf b = buf_in(arena);
    if (!w->info)
        return S("");
    action_put_commit_info(&b, w->info);
    Str line = str_trim(buf_str(&b));
    return str_printf(arena, "\nConflicting commit: " STR_FMT,
                      STR_ARG(str_slice(line, opening.len, line.len - 1)));
}

/* "[day=2024-01-01, id=3]"; empty for a table without partitions. */
static Str partition_hint(const PropertyVec *values, Arena *arena)
{
    Buf b = buf_in(arena);
    if (!values->len)
        return S("");
    buf_addc(&b, '[');
    for (size_t i = 0; i < values->len; i++)
        buf_addf(&b, "%s" STR_FMT "=" STR_FMT, i ? ", " : "", STR_ARG(values->at[i].key),
                 STR_ARG(values->at[i].is_null ? S("null") : values->at[i].value));
    buf_addc(&b, ']');
    return buf_str(&b);
}

/* Sets those parameters that the class's text names. */
static bool fail_with(ErrorClass cls, const ErrorParam *params, size_t count, Error *err)
{
    ErrorParam named[ERROR_MAX_PARAMS + 1] = {0};
    size_t kept = 0;
    for (size_t i = 0; i < count && kept < ERROR_MAX_PARAMS; i++) {
        Str place = str_printf(err->arena, "<%s>", params[i].key);
        if (str_find(str_from(error_class_template(cls)), place) >= 0)
            named[kept++] = params[i];
    }
    return error_set_params(err, cls, named);
}

static bool fail_files(const Conflict *c, ErrorClass with_hint, ErrorClass without,
                       const PropertyVec *values, Error *err)
{
    Str hint = values ? partition_hint(values, err->arena) : S("");
    const ErrorParam params[] = {
        P("operation", operation_of(c->winner)),
        P("tableName", c->x->table->location),
        P("version", number_text(c->winner->version, err->arena)),
        P("partitionValues", hint),
        PZ("docLink", DOC_LINK),
    };
    return fail_with(hint.len ? with_hint : without, params, LENGTH_OF(params), err);
}

static bool fail_commit(const Conflict *c, ErrorClass cls, Error *err)
{
    bool first = c->winner->version == 0;
    const ErrorParam params[] = {
        P("tableName", c->x->table->location),
        PZ("additionalInfo",
           first ? "This happens when multiple writers are writing to an empty directory. "
                   "Creating the table ahead of time will avoid this conflict. "
                 : ""),
        P("conflictingCommit", conflicting_commit(c->winner, err->arena)),
        PZ("docLink", DOC_LINK),
    };
    return fail_with(cls, params, LENGTH_OF(params), err);
}

/* ---- protocol and metadata ---- */

/* Features whose rules a transaction that began before them still keeps, so that it may go on. */
static bool is_safe_to_gain(Str feature)
{
    static const char *const names[] = {
        "appendOnly",        "changeDataFeed", "columnMapping", "deletionVectors",     "domainMetadata",
        "inCommitTimestamp", "rowTracking",    "timestampNtz",  "vacuumProtocolCheck", "v2Checkpoint"};
    for (size_t i = 0; i < LENGTH_OF(names); i++)
        if (str_is(feature, names[i]))
            return true;
    return false;
}

static bool has_feature(const DeltaStrVec *v, Str name)
{
    for (size_t i = 0; i < v->len; i++)
        if (str_eq(v->at[i], name))
            return true;
    return false;
}

static bool check_protocol(const Conflict *c, Error *err)
{
    const Protocol *won = c->winner->protocol;
    Transaction *x = c->x;
    if (!won)
        return true;
    TRY(protocol_check_write(won, transaction_metadata(x), x->table->location, err));
    if (x->protocol_changed || !x->read)
        return fail_commit(c, ERR_DELTA_PROTOCOL_CHANGED, err);
    DeltaStrVec before = {0}, after = {0};
    protocol_features(&x->protocol, err->arena, &before);
    protocol_features(won, err->arena, &after);
    for (size_t i = 0; i < before.len; i++)
        if (!has_feature(&after, before.at[i]))
            return fail_commit(c, ERR_DELTA_PROTOCOL_CHANGED, err);
    for (size_t i = 0; i < after.len; i++)
        if (!has_feature(&before, after.at[i]) && !is_safe_to_gain(after.at[i]))
            return fail_commit(c, ERR_DELTA_PROTOCOL_CHANGED, err);
    x->protocol = protocol_copy(won, x->arena);
    return true;
}

/* A table whose columns get physical names: the files that we wrote have just those. */
static bool starts_mapping(const Metadata *before, const Metadata *after)
{
    return metadata_column_mapping(before) == MAPPING_NONE &&
           metadata_column_mapping(after) == MAPPING_NAME;
}

/* Properties that may appear under our feet: we then simply do not use what they allow, or keep to
 * them with the next attempt. */
static bool is_harmless_property(Str key, Str value, bool is_new, bool maps)
{
    if (str_is(key, "delta.columnMapping.mode") || str_is(key, "delta.columnMapping.maxColumnId"))
        return maps;
    if (str_starts_with(key, S("delta.inCommitTimestampEnablement")))
        return is_new;
    return (str_is(key, "delta.enableInCommitTimestamps") && str_is_ci(value, "true")) ||
           (str_is(key, ROW_TRACKING_ENABLED) && str_is_ci(value, "true")) ||
           str_starts_with(key, S(ROW_TRACKING_DOMAIN ".")) ||
           (str_is(key, "delta.enableDeletionVectors") && str_is_ci(value, "true")) ||
           (str_is(key, "delta.checkpointPolicy") && str_is_ci(value, "v2"));
}

static bool same_strings(const DeltaStrVec *a, const DeltaStrVec *b)
{
    bool same = a->len == b->len;
    for (size_t i = 0; same && i < a->len; i++)
        same = str_eq(a->at[i], b->at[i]);
    return same;
}

static Str plain_metadata(Str metadata, bool maps, Arena *arena)
{
    metadata = field_metadata_without_identity(metadata, arena);
    if (!maps)
        return metadata;
    metadata = field_metadata_with(metadata, "delta.columnMapping.id", (Str){0}, arena);
    metadata = field_metadata_with(metadata, "delta.columnMapping.physicalName", (Str){0}, arena);
    return str_is(metadata, "{}") ? S("") : metadata;
}

/* The same columns but for physical names, and for numbers that an identity column gave meanwhile:
 * they bind only writers that give numbers themselves, and those change the metadata too. */
static bool same_columns(const Metadata *before, const Metadata *after)
{
    AUTO_ARENA(scratch) = arena_new();
    Error ignored = error_in(scratch);
    const Type *x, *y;
    bool maps = starts_mapping(before, after);
    if (str_eq(before->schema_string, after->schema_string))
        return true;
    if (!type_from_json(before->schema_string, scratch, &x, &ignored) ||
        !type_from_json(after->schema_string, scratch, &y, &ignored) ||
        x->structure.count != y->structure.count)
        return false;
    for (size_t i = 0; i < x->structure.count; i++) {
        const Field *f = &x->structure.fields[i], *g = &y->structure.fields[i];
        DeltaIdentity was, is;
        if (delta_identity(f, &was) != delta_identity(g, &is) || was.step != is.step ||
            was.start != is.start || was.explicit_too != is.explicit_too ||
            !str_eq(f->name, g->name) || f->nullable != g->nullable ||
            !str_eq(type_json(f->type, scratch), type_json(g->type, scratch)) ||
            !str_eq(plain_metadata(f->metadata, maps, scratch),
                    plain_metadata(g->metadata, maps, scratch)))
            return false;
    }
    return true;
}

static bool is_harmless_change(const Metadata *before, const Metadata *after)
{
    if (!str_eq(before->id, after->id) || !str_eq(before->name, after->name) ||
        !str_eq(before->description, after->description) ||
        !same_columns(before, after) ||
        !same_strings(&before->partition_columns, &after->partition_columns))
        return false;
    for (size_t i = 0; i < before->configuration.len; i++)
        if (!property_find(&after->configuration, before->configuration.at[i].key))
            return false;
    for (size_t i = 0; i < after->configuration.len; i++) {
        const Property *p = &after->configuration.at[i],
                       *old = property_find(&before->configuration, p->key);
        if ((!old || !str_eq(old->value, p->value)) &&
            !is_harmless_property(p->key, p->value, !old, starts_mapping(before, after)))
            return false;
    }
    return true;
}

static bool check_metadata(const Conflict *c, Error *err)
{
    const Metadata *won = c->winner->metadata;
    Transaction *x = c->x;
    if (!won)
        return true;
    if (x->metadata || !x->read || !is_harmless_change(transaction_metadata(x), won))
        return fail_commit(c, ERR_DELTA_METADATA_CHANGED, err);
    x->row_ids_lost |= rows_are_tracked(&x->protocol, won) &&
                       !rows_are_tracked(&x->protocol, transaction_metadata(x));
    x->winner_metadata = metadata_copy(won, x->arena);
    return true;
}

/* ---- a feature that goes ---- */

static bool check_dropped(const Conflict *c, Error *err)
{
    if (!c->x->dropped_feature || !feature_is_used_by(c->x->dropped_feature, c->winner))
        return true;
    return error_set(err, ERR_DELTA_FEATURE_DROP_CONFLICT_REVALIDATION_FAIL,
                     P("concurrentCommit", conflicting_commit(c->winner, err->arena)));
}

/* ---- what is named ---- */

static bool check_domains(const Conflict *c, Error *err)
{
    for (size_t i = 0; i < c->winner->domains.len; i++) {
        const DomainMetadata *won = &c->winner->domains.at[i];
        if (str_is(won->domain, ROW_TRACKING_DOMAIN)) { /* ids are given anew after each winner */
            int64_t high = row_id_high_of(won->configuration);
            c->x->row_id_high = high > c->x->row_id_high ? high : c->x->row_id_high;
            continue;
        }
        for (size_t j = 0; j < c->x->domains.len; j++)
            if (str_eq(won->domain, c->x->domains.at[j].domain))
                return fail_commit(c, ERR_DELTA_CONCURRENT_TRANSACTION, err);
    }
    return true;
}

static bool check_txns(const Conflict *c, Error *err)
{
    for (size_t i = 0; i < c->winner->txns.len; i++)
        for (size_t j = 0; j < c->x->txns.len; j++)
            if (str_eq(c->winner->txns.at[i].app_id, c->x->txns.at[j].app_id))
                return fail_commit(c, ERR_DELTA_CONCURRENT_TRANSACTION, err);
    return true;
}

/* ---- files ---- */

/* Whether values are equal where their texts are: writers spell a time or a number in more than one
 * way. */
static bool has_one_spelling(const Metadata *m)
{
    for (size_t i = 0; i < m->schema->structure.count; i++) {
        const Type *t = m->schema->structure.fields[i].type;
        bool plain = type_is_integral(t) || t->kind == TYPE_STRING || t->kind == TYPE_DATE ||
                     t->kind == TYPE_BOOLEAN;
        if (!plain && metadata_partition_index(m, m->schema->structure.fields[i].name) >= 0)
            return false;
    }
    return true;
}

static bool was_read(const Transaction *x, const AddFile *f)
{
    if (x->read_whole)
        return true;
    for (size_t i = 0; i < x->read_partitions.len; i++)
        if (!has_one_spelling(&x->read->state->metadata) ||
            partition_values_equal(&x->read_partitions.at[i], &f->partition_values))
            return true;
    for (size_t i = 0; i < x->predicates.len; i++) {
        const ReadPredicate *p = &x->predicates.at[i];
        if (!p->conjuncts ||
            scan_may_match(x->read, p->conjuncts, p->columns, p->column_count, S("UTC"), f))
            return true;
    }
    return false;
}

static bool checks_adds(const Conflict *c)
{
    bool blind =
        c->winner->info && c->winner->info->has_blind_append && c->winner->info->is_blind_append;
    switch (c->level) {
    case LEVEL_SNAPSHOT: return false;
    case LEVEL_SERIALIZABLE: return true;
    case LEVEL_WRITE_SERIALIZABLE: return !blind || c->x->metadata;
    }
    return true;
}

static bool is_backfill(const CommitActions *w)
{
    return str_is(operation_of(w), ROW_TRACKING_BACKFILL) ||
           str_is(operation_of(w), ROW_TRACKING_UNBACKFILL);
}

static bool check_adds(const Conflict *c, Error *err)
{
    if (!checks_adds(c) || !c->x->read || is_backfill(c->winner)) /* which brings no rows */
        return true;
    for (size_t i = 0; i < c->winner->adds.len; i++) {
        const AddFile *f = &c->winner->adds.at[i];
        if (was_read(c->x, f))
            return fail_files(c, ERR_DELTA_CONCURRENT_APPEND__WITH_PARTITION_HINT,
                              ERR_DELTA_CONCURRENT_APPEND__WITHOUT_HINT, &f->partition_values, err);
    }
    return true;
}

static int by_hash(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t *removed_hashes(const Conflict *c, Arena *arena)
{
    size_t count = c->winner->removes.len;
    uint64_t *hashes = ARENA_ARRAY(arena, uint64_t, count);
    for (size_t i = 0; i < count; i++)
        hashes[i] = log_path_hash(c->winner->removes.at[i].path);
    qsort(hashes, count, sizeof *hashes, by_hash);
    return hashes;
}

/* By path alone, whatever the deletion vector: two writers must not both change one file. */
static bool winner_removed(const Conflict *c, const uint64_t *hashes, Str path)
{
    uint64_t hash = log_path_hash(path);
    if (!bsearch(&hash, hashes, c->winner->removes.len, sizeof hash, by_hash))
        return false;
    for (size_t i = 0; i < c->winner->removes.len; i++)
        if (log_path_equal(c->winner->removes.at[i].path, path))
            return true;
    return false;
}

static bool check_reads_removed(const Conflict *c, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    if (!c->winner->removes.len)
        return true;
    const uint64_t *hashes = removed_hashes(c, scratch);
    for (size_t i = 0; i < c->x->read_files.len; i++)
        if (winner_removed(c, hashes, c->x->read_files.at[i]->path))
            return fail_files(c, ERR_DELTA_CONCURRENT_DELETE_READ__WITH_PARTITION_HINT,
                              ERR_DELTA_CONCURRENT_DELETE_READ__WITHOUT_HINT,
                              &c->x->read_files.at[i]->partition_values, err);
    if (c->x->read_whole)
        return fail_files(c, ERR_DELTA_CONCURRENT_DELETE_READ__WITH_PARTITION_HINT,
                          ERR_DELTA_CONCURRENT_DELETE_READ__WITHOUT_HINT, NULL, err);
    return true;
}

static bool check_removes_removed(const Conflict *c, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    if (!c->winner->removes.len)
        return true;
    const uint64_t *hashes = removed_hashes(c, scratch);
    for (size_t i = 0; i < c->x->removes.len; i++)
        if (winner_removed(c, hashes, c->x->removes.at[i].path))
            return fail_files(c, ERR_DELTA_CONCURRENT_DELETE_DELETE__WITH_PARTITION_HINT,
                              ERR_DELTA_CONCURRENT_DELETE_DELETE__WITHOUT_HINT,
                              &c->x->removes.at[i].partition_values, err);
    return true;
}

/* ---- row ids ---- */

static bool put_path(Map *m, Str path, const AddFile *f, Arena *arena, Error *err)
{
    Str decoded;
    TRY(path_uri_decode(path, arena, &decoded, err));
    map_put(m, decoded, (void *)f);
    return true;
}

/* Files that a winner took or wrote again need no ids of ours. */
static bool leave_to_winner(Transaction *x, const Map *winners, Arena *arena, Error *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < x->adds.len; i++) {
        Str path;
        TRY(path_uri_decode(x->adds.at[i].path, arena, &path, err));
        if (!map_has(winners, path))
            x->adds.at[kept++] = x->adds.at[i];
    }
    x->adds.len = kept;
    return true;
}

/* The ids that a backfill gave to files which we add again, or remove. */
static bool take_from_winner(Transaction *x, const Map *winners, Arena *arena, Error *err)
{
    for (size_t i = 0; i < x->adds.len + x->removes.len; i++) {
        AddFile *add = i < x->adds.len ? &x->adds.at[i] : NULL;
        RemoveFile *removed = add ? NULL : &x->removes.at[i - x->adds.len];
        Str path;
        TRY(path_uri_decode(add ? add->path : removed->path, arena, &path, err));
        const AddFile *given = map_get(winners, path);
        if (!given)
            continue;
        *(add ? &add->has_base_row_id : &removed->has_base_row_id) = given->has_base_row_id;
        *(add ? &add->base_row_id : &removed->base_row_id) = given->base_row_id;
        *(add ? &add->default_row_commit_version : &removed->default_row_commit_version) =
            given->default_row_commit_version;
    }
    return true;
}

static bool settle_row_ids(const Conflict *c, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    Map files = map_in(scratch);
    if (!is_backfill(c->winner) && !c->x->is_backfill)
        return true;
    for (size_t i = 0; i < c->winner->adds.len; i++)
        TRY(put_path(&files, c->winner->adds.at[i].path, &c->winner->adds.at[i], scratch, err));
    if (!c->x->is_backfill)
        return take_from_winner(c->x, &files, scratch, err);
    for (size_t i = 0; i < c->winner->removes.len; i++)
        TRY(put_path(&files, c->winner->removes.at[i].path, NULL, scratch, err));
    return leave_to_winner(c->x, &files, scratch, err);
}

/* ---- the table of rules ---- */

static const struct {
    const char *name;
    bool (*check)(const Conflict *c, Error *err);
} rules[] = {
    {"the protocol changed", check_protocol},
    {"the metadata changed", check_metadata},
    {"the feature that goes is used again", check_dropped},
    {"both change one domain", check_domains},
    {"one gives row ids to files that the other changes", settle_row_ids},
    {"both are the same application's transaction", check_txns},
    {"files were added that we should have read", check_adds},
    {"files that we read were removed", check_reads_removed},
    {"both remove a file", check_removes_removed},
};

bool conflict_check(Transaction *x, const CommitActions *winner, IsolationLevel level, Error *err)
{
    Conflict c = {x, winner, level};
    for (size_t i = 0; i < LENGTH_OF(rules); i++)
        TRY(rules[i].check(&c, err));
    const CommitInfo *info = winner->info;
    int64_t won_ms = !info                             ? -1
                     : info->in_commit_timestamp_ms > 0 ? info->in_commit_timestamp_ms
                                                        : info->timestamp_ms;
    if (won_ms > x->previous_timestamp_ms)
        x->previous_timestamp_ms = won_ms;
    return true;
}
