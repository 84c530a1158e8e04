/* One commit in full, and the instants of commits: history, time travel, change feeds. */
#include <stdlib.h>

#include "delta/feature.h"
#include "delta/schema.h"
#include "delta/snapshot_impl.h"
#include "delta/time_impl.h"
#include "type/datetime.h"

/* ---- one commit ---- */

typedef struct Gather {
    CommitActions *out;
    Arena *arena;
} Gather;

static bool gather(void *arg, const Action *a, Error *err)
{
    Gather *g = arg;
    CommitActions *out = g->out;
    Arena *arena = g->arena;
    switch (a->kind) {
    case ACTION_ADD: vec_push(arena, &out->adds, a->add); break;
    case ACTION_REMOVE: vec_push(arena, &out->removes, a->remove); break;
    case ACTION_CDC: vec_push(arena, &out->cdcs, a->cdc); break;
    case ACTION_TXN: vec_push(arena, &out->txns, a->txn); break;
    case ACTION_DOMAIN: vec_push(arena, &out->domains, a->domain); break;
    case ACTION_METADATA:
        out->metadata = ARENA_NEW(arena, Metadata);
        *out->metadata = a->metadata;
        return !a->metadata.schema_string.len ||
               type_from_json(a->metadata.schema_string, arena, &out->metadata->schema, err);
    case ACTION_PROTOCOL:
        out->protocol = ARENA_NEW(arena, Protocol);
        *out->protocol = a->protocol;
        break;
    case ACTION_COMMIT_INFO:
        out->info = ARENA_NEW(arena, CommitInfo);
        *out->info = a->info;
        break;
    default: break;
    }
    return true;
}

bool commit_read(DeltaTable *t, int64_t version, ActionSet wanted, Arena *arena, CommitActions *out,
                 bool *found, Error *err)
{
    Str path = log_commit_path(version, arena), text;
    *out = (CommitActions){.version = version};
    TRY(store_read(t->store, path, LOG_FILE_MAX_BYTES, arena, found, &text, err));
    return !*found || actions_read(text, path, wanted, arena, gather, &(Gather){out, arena}, err);
}

bool commit_fail_missing(DeltaTable *t, int64_t version, Error *err)
{
    return error_set(
        err, ERR_DELTA_LOG_FILE_NOT_FOUND, P("version", number_text(version, err->arena)),
        PZ("checkpointVersion", "-"),
        P("logPath", str_printf(err->arena, STR_FMT "/" STR_FMT, STR_ARG(store_root(t->store)),
                                STR_ARG(log_commit_path(version, err->arena)))));
}

bool commit_in_commit_timestamp(DeltaTable *t, int64_t version, int64_t *ms, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    CommitActions actions;
    bool found;
    TRY(commit_read(t, version, ACTIONS_OF(ACTION_COMMIT_INFO), scratch, &actions, &found, err));
    *ms = found && actions.info ? actions.info->in_commit_timestamp_ms : -1;
    return true;
}

/* ---- instants ---- */

bool commit_times_list(DeltaTable *t, Arena *arena, CommitTimes *out, Error *err)
{
    LogListing listing;
    Snapshot *newest;
    TRY(snapshot_newest(t, &newest, err));
    *out = (CommitTimes){.table = t, .in_commit_from = INT64_MAX};
    if (snapshot_has_commit_timestamps(newest)) {
        int64_t from;
        bool named = str_to_i64(
            snapshot_property(newest, "delta.inCommitTimestampEnablementVersion"), &from);
        out->in_commit_from = named ? from : 0;
    }
    snapshot_unref(newest);
    TRY(log_list(t->store, 0, arena, &listing, err));
    for (size_t i = 0; i < listing.commits.len; i++) {
        const LogCommit *c = &listing.commits.at[i];
        int64_t ms = c->modified_ms;
        /* File times may go back; commit times may not: Spark moves each past the one before. */
        if (out->times.len && c->version < out->in_commit_from && ms <= vec_last(&out->times).ms)
            ms = vec_last(&out->times).ms + 1;
        vec_push(arena, &out->times, ((CommitTime){c->version, ms}));
    }
    if (!out->times.len)
        return error_set(err, ERR_DELTA_NO_COMMITS_FOUND, P("logPath", t->location));
    return true;
}

bool commit_time_at(CommitTimes *times, size_t i, int64_t *ms, Error *err)
{
    CommitTime *at = &times->times.at[i];
    if (at->version >= times->in_commit_from && !at->known) {
        int64_t stamped;
        TRY(commit_in_commit_timestamp(times->table, at->version, &stamped, err));
        if (stamped >= 0)
            at->ms = stamped;
        at->known = true;
    }
    *ms = at->ms;
    return true;
}

bool commit_times_find(CommitTimes *times, int64_t us, size_t *count, Error *err)
{
    size_t low = 0, high = times->times.len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int64_t ms;
        TRY(commit_time_at(times, middle, &ms, err));
        if (ms * 1000 <= us)
            low = middle + 1;
        else
            high = middle;
    }
    *count = low;
    return true;
}

static Str instant_text(int64_t us, Arena *arena)
{
    return timestamp_text(us, S("UTC"), arena);
}

static bool fail_early(int64_t us, int64_t first_ms, Error *err)
{
    Str first = instant_text(first_ms * 1000, err->arena);
    return error_set(err, ERR_DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION,
                     P("userTimestamp", instant_text(us, err->arena)), P("commitTs", first),
                     P("timestampString", first));
}

static bool fail_late(int64_t us, int64_t last_ms, Error *err)
{
    Str last = instant_text(last_ms * 1000, err->arena);
    return error_set(err, ERR_DELTA_TIMESTAMP_GREATER_THAN_COMMIT,
                     P("providedTimestamp", instant_text(us, err->arena)),
                     P("lastCommitTimestamp", last), P("maximumTimestamp", last));
}

bool snapshot_at_timestamp(DeltaTable *t, int64_t us, Snapshot **out, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    CommitTimes times;
    int64_t earliest, latest, ms;
    size_t count, first = 0;
    TRY(commit_times_list(t, scratch, &times, err));
    TRY(log_range(t->store, scratch, &earliest, &latest, err));
    while (first + 1 < times.times.len && times.times.at[first].version < earliest)
        first++;
    TRY(commit_times_find(&times, us, &count, err));
    if (count <= first) {
        TRY(commit_time_at(&times, first, &ms, err));
        return fail_early(us, ms, err);
    }
    TRY(commit_time_at(&times, times.times.len - 1, &ms, err));
    if (count == times.times.len && us > ms * 1000)
        return fail_late(us, ms, err);
    return snapshot_at_version(t, times.times.at[count - 1].version, out, err);
}

bool version_at_or_before(DeltaTable *t, int64_t us, int64_t *version, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    CommitTimes times;
    int64_t ms;
    size_t count;
    TRY(commit_times_list(t, scratch, &times, err));
    TRY(commit_times_find(&times, us, &count, err));
    if (!count) {
        TRY(commit_time_at(&times, 0, &ms, err));
        return fail_early(us, ms, err);
    }
    *version = times.times.at[count - 1].version;
    return true;
}

bool version_at_or_after(DeltaTable *t, int64_t us, int64_t *version, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    CommitTimes times;
    size_t count;
    TRY(commit_times_list(t, scratch, &times, err));
    /* Commits before the instant: those at or before the microsecond below it. */
    TRY(commit_times_find(&times, us == INT64_MIN ? us : us - 1, &count, err));
    *version = count < times.times.len ? times.times.at[count].version
                                       : vec_last(&times.times).version + 1;
    return true;
}

/* ---- the face ---- */

static bool time_of_version(DeltaTable *t, int64_t version, Arena *arena, int64_t *ms, Error *err)
{
    CommitTimes times;
    TRY(commit_times_list(t, arena, &times, err));
    for (size_t i = 0; i < times.times.len; i++)
        if (times.times.at[i].version == version)
            return commit_time_at(&times, i, ms, err);
    return commit_fail_missing(t, version, err);
}

bool delta_read_commit(DeltaTable *t, int64_t version, Arena *arena, CommitActions *out, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    bool found;
    TRY(commit_read(t, version, ACTIONS_ALL, arena, out, &found, err));
    if (!found)
        return commit_fail_missing(t, version, err);
    return time_of_version(t, version, scratch, &out->timestamp_ms, err);
}

bool delta_history(DeltaTable *t, int64_t limit, Arena *arena, CommitActionsVec *out, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    CommitTimes times;
    *out = (CommitActionsVec){0};
    TRY(commit_times_list(t, scratch, &times, err));
    for (size_t i = times.times.len; i-- > 0 && (limit <= 0 || (int64_t)out->len < limit);) {
        AUTO_ARENA(line) = arena_new();
        CommitActions actions;
        bool found;
        /* Only what a history shows is kept: a commit of many files would fill memory. */
        ActionSet wanted = ACTIONS_OF(ACTION_COMMIT_INFO) | ACTIONS_OF(ACTION_METADATA) |
                           ACTIONS_OF(ACTION_PROTOCOL);
        TRY(commit_read(t, times.times.at[i].version, wanted, line, &actions, &found, err));
        if (!found)
            break; /* cleaned up meanwhile */
        TRY(commit_time_at(&times, i, &actions.timestamp_ms, err));
        actions.info = actions.info ? commit_info_copy(actions.info, arena) : NULL;
        actions.metadata = actions.metadata ? metadata_copy(actions.metadata, arena) : NULL;
        if (actions.protocol) {
            Protocol *p = ARENA_NEW(arena, Protocol);
            *p = protocol_copy(actions.protocol, arena);
            actions.protocol = p;
        }
        vec_push(arena, out, actions);
    }
    return true;
}

bool delta_earliest_version(DeltaTable *t, int64_t *version, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    int64_t latest;
    return log_range(t->store, scratch, version, &latest, err);
}
