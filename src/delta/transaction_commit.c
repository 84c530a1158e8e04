/* Committing: check the actions, put the next version if nobody has it, rebase on winners that do
 * not conflict. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "delta/checkpoint_impl.h"
#include "delta/deletion_vector.h"
#include "delta/feature.h"
#include "delta/iceberg_compat.h"
#include "delta/partition.h"
#include "delta/row_tracking.h"
#include "delta/schema.h"
#include "delta/time_impl.h"
#include "delta/transaction_impl.h"
#include "type/srid.h"

enum { MAX_ATTEMPTS = 10000 };

#ifndef LAKESHED_VERSION
#define LAKESHED_VERSION "0.1.0"
#endif
/* What the server calls itself in commits. */
#define ENGINE_INFO "lakeshed/" LAKESHED_VERSION

/* ---- checks before the first attempt ---- */

static bool prepare_metadata(Transaction *x, Error *err)
{
    Metadata *m = x->metadata;
    bool changed;
    if (!m)
        return x->read || error_set(err, ERR_DELTA_METADATA_ABSENT);
    if (!m->schema_string.len && m->schema)
        m->schema_string = type_json(m->schema, x->arena);
    if (!m->schema)
        TRY(type_from_json(m->schema_string, x->arena, &m->schema, err));
    if (!m->id.len)
        m->id = x->read ? x->read->state->metadata.id : clock_uuid_in(x->arena);
    if (!m->format_provider.len)
        m->format_provider = S("parquet");
    if (!m->has_created_time) {
        m->has_created_time = true;
        m->created_time_ms = clock_now_ms();
    }
    TRY(x->read ? protocol_upgrade_existing(&x->protocol, m, x->arena, &changed, err)
                : protocol_upgrade_for(&x->protocol, m, x->arena, &changed, err));
    x->protocol_changed = x->protocol_changed || changed || !x->read;
    metadata_name_row_columns(m, &x->protocol, x->read ? &x->read->state->metadata : NULL,
                              x->arena);
    return metadata_check_row_tracking(m, err);
}

static bool check_append_only(const Transaction *x, Error *err)
{
    if (!metadata_property_bool(transaction_metadata(x), "delta.appendOnly", false))
        return true;
    for (size_t i = 0; i < x->removes.len; i++)
        if (x->removes.at[i].data_change)
            return error_set(err, ERR_DELTA_CANNOT_MODIFY_APPEND_ONLY,
                             P("table_name", x->table->location), PZ("config", "delta.appendOnly"));
    return true;
}

static bool fail_twice(const char *action, Str path, Str other, Error *err)
{
    return error_set(err, ERR_DELTA_DUPLICATE_ACTIONS_FOUND, PZ("actionType", action),
                     P("path", path), P("conflictingPath", other));
}

static bool check_unique(const Transaction *x, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    Map adds = map_in(scratch), removes = map_in(scratch);
    for (size_t i = 0; i < x->adds.len; i++) {
        Str path;
        TRY(path_uri_decode(x->adds.at[i].path, scratch, &path, err));
        if (map_has(&adds, path))
            return fail_twice("add", x->adds.at[i].path, path, err);
        map_put(&adds, path, scratch);
    }
    for (size_t i = 0; i < x->removes.len; i++) {
        if (map_has(&removes, x->removes.at[i].path))
            return fail_twice("remove", x->removes.at[i].path, x->removes.at[i].path, err);
        map_put(&removes, x->removes.at[i].path, scratch);
    }
    return true;
}

static bool check_vector(const Transaction *x, const AddFile *f, Error *err)
{
    if (!f->dv)
        return true;
    if (stats_num_records(f->stats) < 0)
        return error_set(err, ERR_DELTA_DELETION_VECTOR_MISSING_NUM_RECORDS);
    bool known = x->read && file_set_find(x->read->files, f->path, f->dv);
    bool allowed =
        protocol_has_feature(&x->protocol, "deletionVectors") &&
        metadata_property_bool(transaction_metadata(x), "delta.enableDeletionVectors", false);
    return known || allowed || error_set(err, ERR_DELTA_ADDING_DELETION_VECTORS_DISALLOWED);
}

static bool check_partition_values(const Transaction *x, const AddFile *f, Error *err)
{
    const Metadata *m = transaction_metadata(x);
    if (f->partition_values.len != m->partition_columns.len)
        return error_internal(
            err, "the file " STR_FMT " has %zu partition values, the table %zu partition columns",
            STR_ARG(f->path), f->partition_values.len, m->partition_columns.len);
    return true;
}

static bool check_domains(const Transaction *x, Error *err)
{
    if (x->domains.len && !protocol_has_feature(&x->protocol, "domainMetadata"))
        return error_set(err, ERR_DELTA_DOMAIN_METADATA_NOT_SUPPORTED,
                         P("domainNames", x->domains.at[0].domain));
    return true;
}

/* Rows of a table that tracks them cannot be written again where it does not say how the columns
 * are called that keep their ids. */
static bool check_row_columns(const Transaction *x, const CommitRequest *request, Error *err)
{
    RowColumns names;
    if (!request->keeps_rows || !x->adds.len || !x->read || snapshot_row_columns(x->read, &names) ||
        !rows_are_tracked(&x->read->state->protocol, &x->read->state->metadata))
        return true;
    return error_set(err, ERR_DELTA_MATERIALIZED_ROW_TRACKING_COLUMN_NAME_MISSING,
                     PZ("rowTrackingColumn", names.id.len ? "Row Commit Version" : "Row ID"),
                     P("tableName", x->read->state->metadata.id));
}

static bool check_actions(Transaction *x, const CommitRequest *request, Error *err)
{
    TRY(prepare_metadata(x, err));
    TRY(check_row_columns(x, request, err));
    TRY(protocol_check_write(&x->protocol, transaction_metadata(x), x->table->location, err));
    TRY(iceberg_compat_check(transaction_metadata(x), x->read ? &x->read->state->metadata : NULL, &x->protocol, err));
    TRY(check_append_only(x, err));
    TRY(check_unique(x, err));
    TRY(check_domains(x, err));
    for (size_t i = 0; i < x->adds.len; i++) {
        TRY(check_vector(x, &x->adds.at[i], err));
        if (iceberg_compat_version(transaction_metadata(x)) && stats_num_records(x->adds.at[i].stats) < 0)
            return error_unsupported(err, "a file without a count of its rows in a table that is icebergCompat");
        TRY(check_partition_values(x, &x->adds.at[i], err));
    }
    return true;
}

/* ---- isolation ---- */

const char *isolation_level_name(IsolationLevel level)
{
    static const char *const names[] = {"Serializable", "WriteSerializable", "SnapshotIsolation"};
    return names[level];
}

/* A commit that only rearranges data needs no more than snapshot isolation. */
static bool only_rearranges(const Transaction *x)
{
    if (x->metadata || x->protocol_changed || x->txns.len || x->domains.len ||
        !(x->adds.len + x->removes.len))
        return false;
    for (size_t i = 0; i < x->adds.len; i++)
        if (x->adds.at[i].data_change)
            return false;
    for (size_t i = 0; i < x->removes.len; i++)
        if (x->removes.at[i].data_change)
            return false;
    return true;
}

static IsolationLevel level_of(const Transaction *x, const CommitRequest *request)
{
    switch (request->isolation) {
    case ISOLATION_SERIALIZABLE: return LEVEL_SERIALIZABLE;
    case ISOLATION_WRITE_SERIALIZABLE: return LEVEL_WRITE_SERIALIZABLE;
    case ISOLATION_SNAPSHOT: return LEVEL_SNAPSHOT;
    case ISOLATION_DEFAULT: break;
    }
    if (only_rearranges(x))
        return LEVEL_SNAPSHOT;
    return str_is_ci(metadata_property(transaction_metadata(x), "delta.isolationLevel"),
                     "serializable")
               ? LEVEL_SERIALIZABLE
               : LEVEL_WRITE_SERIALIZABLE;
}

static bool is_blind_append(const Transaction *x, const CommitRequest *request)
{
    return !x->removes.len && !transaction_reads_anything(x) &&
           (request->blind_append || !x->adds.len);
}

/* ---- one attempt ---- */

static bool has_commit_timestamps(const Transaction *x)
{
    return metadata_property_bool(transaction_metadata(x), "delta.enableInCommitTimestamps",
                                  false) &&
           protocol_has_feature(&x->protocol, "inCommitTimestamp");
}

/* PROTOCOL.md "In-Commit Timestamps": a table that had commits before says where they begin. */
static void note_enablement(Transaction *x, int64_t version, int64_t timestamp_ms, Arena *arena)
{
    if (!x->metadata || !x->read || !has_commit_timestamps(x) ||
        snapshot_has_commit_timestamps(x->read))
        return;
    metadata_set_property(x->metadata, S("delta.inCommitTimestampEnablementVersion"),
                          number_text(version, arena), arena);
    metadata_set_property(x->metadata, S("delta.inCommitTimestampEnablementTimestamp"),
                          number_text(timestamp_ms, arena), arena);
}

/* PROTOCOL.md "Checkpoint Protection": up to the commit that drops a feature. */
static void note_protection(Transaction *x, int64_t version)
{
    if (x->protects_checkpoints)
        metadata_set_property(x->metadata, S("delta.requireCheckpointProtectionBeforeVersion"),
                              number_text(version, x->arena), x->arena);
}

/* As Delta tags its commits: whether rows that were written again kept their ids. */
static void put_tags(const Transaction *x, const CommitRequest *request, PropertyVec *tags)
{
    static const Str kept = S_INIT(ROW_TRACKING_DOMAIN ".preserved");
    const TableState *read = x->read ? x->read->state : NULL;
    *tags = request->tags;
    if (x->row_ids_lost)
        vec_push(x->arena, tags, ((Property){kept, S("false"), false}));
    else if (request->keeps_rows && read && rows_are_tracked(&read->protocol, &read->metadata))
        vec_push(x->arena, tags, ((Property){kept, S("true"), false}));
}

static CommitInfo describe(Transaction *x, const CommitRequest *request, IsolationLevel level,
                           int64_t version, Str txn_id)
{
    int64_t now = clock_now_ms();
    CommitInfo info = {
        .timestamp_ms = now,
        .in_commit_timestamp_ms = -1,
        .operation = request->operation,
        .operation_parameters = request->parameters,
        .read_version = x->read ? version - 1 : -1,
        .isolation_level = str_from(isolation_level_name(level)),
        .has_blind_append = true,
        .is_blind_append = is_blind_append(x, request),
        .operation_metrics = request->metrics,
        .user_metadata = request->user_metadata,
        .engine_info = S(ENGINE_INFO),
        .txn_id = txn_id,
    };
    if (x->read)
        info.read_version = x->read->version;
    note_protection(x, version);
    put_tags(x, request, &info.tags);
    if (has_commit_timestamps(x)) {
        int64_t after = x->read ? x->previous_timestamp_ms + 1 : 0;
        info.in_commit_timestamp_ms = now > after ? now : after;
        note_enablement(x, version, info.in_commit_timestamp_ms, x->arena);
    }
    return info;
}

/* PROTOCOL.md "Row Tracking": ids above all that were ever given, also those that files bring from
 * another version or table. */
static int64_t highest_row_id(const Transaction *x)
{
    int64_t high = x->row_id_high;
    for (size_t i = 0; i < x->adds.len; i++) {
        const AddFile *f = &x->adds.at[i];
        int64_t rows = f->has_base_row_id ? stats_num_records(f->stats) : 0;
        if (rows > 0 && f->base_row_id <= INT64_MAX - rows && f->base_row_id + rows - 1 > high)
            high = f->base_row_id + rows - 1;
    }
    return high;
}

static bool assign_row_ids(int64_t version, AddFile *f, int64_t *high, Error *err)
{
    if (f->has_base_row_id) {
        if (f->default_row_commit_version < 0)
            f->default_row_commit_version = version;
        return true;
    }
    int64_t rows = stats_num_records(f->stats);
    if (rows < 0)
        return error_set(err, ERR_DELTA_ROW_ID_ASSIGNMENT_WITHOUT_STATS);
    if (*high >= INT64_MAX - rows)
        return error_internal(err, "the table has no row ids left above %lld", (long long)*high);
    f->has_base_row_id = true;
    f->base_row_id = *high + 1;
    f->default_row_commit_version = version;
    *high += rows;
    return true;
}

static void put_high_water_mark(Buf *b, int64_t high, Arena *arena)
{
    DomainMetadata d = {.domain = S(ROW_TRACKING_DOMAIN)};
    d.configuration = str_printf(
        arena, "{\"rowIdHighWaterMark\":%lld,\"domainName\":\"" ROW_TRACKING_DOMAIN "\"}",
        (long long)high);
    action_put_domain(b, &d);
}

static bool put_adds(Transaction *x, int64_t version, Buf *b, Error *err)
{
    bool tracked = protocol_has_feature(&x->protocol, "rowTracking") &&
                   !metadata_property_bool(transaction_metadata(x), ROW_TRACKING_SUSPENDED, false);
    int64_t high = tracked ? highest_row_id(x) : -1;
    for (size_t i = 0; i < x->adds.len; i++) {
        AddFile f = x->adds.at[i];
        if (tracked)
            TRY(assign_row_ids(version, &f, &high, err));
        action_put_add(b, &f);
    }
    if (tracked && (high > x->row_id_high || x->row_id_raised))
        put_high_water_mark(b, high, x->arena);
    return true;
}

static bool print_commit(Transaction *x, const CommitInfo *info, int64_t version, Buf *b,
                         Error *err)
{
    action_put_commit_info(b, info);
    if (x->metadata)
        action_put_metadata(b, x->metadata);
    if (x->protocol_changed)
        action_put_protocol(b, &x->protocol);
    for (size_t i = 0; i < x->domains.len; i++)
        action_put_domain(b, &x->domains.at[i]);
    for (size_t i = 0; i < x->txns.len; i++)
        action_put_txn(b, &x->txns.at[i]);
    for (size_t i = 0; i < x->removes.len; i++)
        action_put_remove(b, &x->removes.at[i], false);
    TRY(put_adds(x, version, b, err));
    for (size_t i = 0; i < x->cdcs.len; i++)
        action_put_cdc(b, &x->cdcs.at[i]);
    return !b->overflow || error_internal(err, "a commit of more than %zu bytes", b->max);
}

/* After a failed put: whether the file is there all the same and ours. */
static bool is_ours(DeltaTable *t, Str path, Str content)
{
    AUTO_ARENA(scratch) = arena_new();
    Error ignored = error_in(scratch);
    bool found;
    Str text;
    return store_read(t->store, path, LOG_FILE_MAX_BYTES, scratch, &found, &text, &ignored) &&
           found && str_eq(text, content);
}

static bool commit_unknown(const DeltaTable *t, int64_t version, Error *err)
{
    Str reason = str_copy(error_param(err, "reason"), err->arena);
    error_clear(err);
    return error_set(err, ERR_LAKESHED_COMMIT_UNKNOWN, P("version", number_text(version, err->arena)),
                     P("path", t->location), P("reason", reason));
}

static bool attempt(Transaction *x, const CommitRequest *request, IsolationLevel level,
                    int64_t version, Str txn_id, bool *taken, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    Buf text = buf_in(scratch);
    CommitInfo info = describe(x, request, level, version, txn_id);
    Str path = log_commit_path(version, scratch);
    TRY(print_commit(x, &info, version, &text, err));
    if (!store_put_if_absent(x->table->store, path, buf_str(&text), taken, err)) {
        if (!is_ours(x->table, path, buf_str(&text)))
            return err->cls == ERR_LAKESHED_FILE_UNKNOWN ? commit_unknown(x->table, version, err) : false;
        error_clear(err);
        *taken = false;
    }
    return true;
}

/* Moves *version past every commit that won, or fails with the conflict. */
static bool rebase(Transaction *x, IsolationLevel level, int64_t *version, Error *err)
{
    for (;;) {
        AUTO_ARENA(scratch) = arena_new();
        CommitActions winner;
        bool found;
        TRY(commit_read(x->table, *version, ACTIONS_ALL, scratch, &winner, &found, err));
        if (!found)
            return true;
        TRY(conflict_check(x, &winner, level, err));
        ++*version;
    }
}

static bool put_commit(Transaction *x, const CommitRequest *request, int64_t *version, Error *err)
{
    IsolationLevel level = level_of(x, request);
    Str txn_id = clock_uuid_in(x->arena);
    int64_t first = x->read ? x->read->version + 1 : 0, started_us = clock_monotonic_us();
    *version = first;
    if (!x->read)
        TRY(store_make_folder(x->table->store, S(LOG_FOLDER), err));
    for (int tries = 0; tries < MAX_ATTEMPTS; tries++) {
        bool taken;
        TRY(attempt(x, request, level, *version, txn_id, &taken, err));
        if (!taken)
            return true;
        int64_t before = *version;
        TRY(rebase(x, level, version, err));
        if (*version == before) /* taken a moment ago, gone now: the log is being deleted */
            return error_set(
                err, ERR_DELTA_CONCURRENT_WRITE, PZ("conflictingCommit", ""),
                PZ("docLink", "https://docs.delta.io/latest/concurrency-control.html"));
    }
    return error_set(
        err, ERR_DELTA_MAX_COMMIT_RETRIES_EXCEEDED,
        P("numAttempts", number_text(MAX_ATTEMPTS, err->arena)),
        P("startVersion", number_text(first, err->arena)),
        P("failVersion", number_text(*version, err->arena)),
        P("numActions", number_text((int64_t)(x->adds.len + x->removes.len), err->arena)),
        P("timeSpent", number_text((clock_monotonic_us() - started_us) / 1000, err->arena)));
}

/* ---- after the commit ---- */

static void write_checkpoint(DeltaTable *t)
{
    AUTO_ARENA(scratch) = arena_new();
    Error err = error_in(scratch);
    Snapshot *newest;
    if (!snapshot_newest(t, &newest, &err)) {
        log_warn("no checkpoint of " STR_FMT ": " STR_FMT, STR_ARG(t->location),
                 STR_ARG(error_message(&err, scratch)));
        return;
    }
    if (!checkpoint_write(newest, &err))
        log_warn("no checkpoint of " STR_FMT " at version %lld: " STR_FMT, STR_ARG(t->location),
                 (long long)newest->version, STR_ARG(error_message(&err, scratch)));
    snapshot_unref(newest);
}

/* The commit stands whatever happens here: failures are for the operator. */
static void write_checkpoint_if_due(Transaction *x, int64_t version)
{
    int64_t interval = checkpoint_interval_of(transaction_metadata(x));
    if (version == 0 || version % interval != 0 ||
        atomic_flag_test_and_set(&x->table->checkpointing))
        return;
    write_checkpoint(x->table);
    atomic_flag_clear(&x->table->checkpointing);
}

/* A table's shapes are of one reference system. */
static bool check_shapes(const Type *t, Error *err)
{
    if (type_is_geo(t) && t->geo.srid == SRID_ANY)
        return error_set(err, ERR_DELTA_GEOSPATIAL_SRID_NOT_SUPPORTED, PZ("srid", "-1"));
    if (t->kind == TYPE_ARRAY)
        return check_shapes(t->array.element, err);
    if (t->kind == TYPE_MAP)
        return check_shapes(t->map.key, err) && check_shapes(t->map.value, err);
    for (size_t i = 0; t->kind == TYPE_STRUCT && i < t->structure.count; i++)
        TRY(check_shapes(t->structure.fields[i].type, err));
    return true;
}

bool transaction_commit(Transaction *x, const CommitRequest *request, int64_t *version, Error *err)
{
    TRY(check_actions(x, request, err));
    if (x->metadata && x->metadata->schema)
        TRY(check_shapes(x->metadata->schema, err));
    TRY(put_commit(x, request, version, err));
    write_checkpoint_if_due(x, *version);
    return true;
}
