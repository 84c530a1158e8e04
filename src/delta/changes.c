/* The change data feed: per version its cdc files when there are any, otherwise what its adds and
 * removes changed. */
#include "delta/changes.h"

#include <stdlib.h>

#include "delta/deletion_vector.h"
#include "delta/schema.h"
#include "delta/time_impl.h"

typedef struct Feed {
    DeltaTable *table;
    ChangeFeed *out;
    Arena *arena;
    const CommitActions *commit;
    int64_t timestamp_ms;
} Feed;

/* ---- files of one version ---- */

static ChangeFile *push(Feed *f, ChangeKind kind, Str path, const PropertyVec *values, int64_t size)
{
    ChangeFile file = {
        .kind = kind,
        .path = path,
        .partition_values = *values,
        .size = size,
        .version = f->commit->version,
        .timestamp_ms = f->timestamp_ms,
    };
    vec_push(f->arena, &f->out->files, file);
    return &vec_last(&f->out->files);
}

static bool push_whole(Feed *f, ChangeKind kind, Str path, const PropertyVec *values, int64_t size,
                       const DeletionVector *dv, Error *err)
{
    ChangeFile *file = push(f, kind, path, values, size);
    if (!dv)
        return true;
    file->which = CHANGE_EXCEPT_ROWS;
    return deletion_vector_read(f->table, dv, f->arena, &file->rows, &file->row_count, err);
}

/* Rows of a that are not in b; both sorted. */
static size_t difference(const uint64_t *a, size_t a_count, const uint64_t *b, size_t b_count,
                         uint64_t *out)
{
    size_t count = 0;
    for (size_t i = 0, j = 0; i < a_count; i++) {
        while (j < b_count && b[j] < a[i])
            j++;
        if (j == b_count || b[j] != a[i])
            out[count++] = a[i];
    }
    return count;
}

static void push_rows(Feed *f, ChangeKind kind, const AddFile *add, uint64_t *rows, size_t count)
{
    if (!count)
        return;
    ChangeFile *file = push(f, kind, add->path, &add->partition_values, add->size);
    file->which = CHANGE_ONLY_ROWS;
    file->rows = rows;
    file->row_count = count;
}

/* One file removed and added again: only its deletion vector changed, and only by that do rows
 * differ. */
static bool push_vector_change(Feed *f, const RemoveFile *before, const AddFile *after, Error *err)
{
    uint64_t *old, *now;
    size_t old_count, now_count;
    TRY(deletion_vector_read(f->table, before->dv, f->arena, &old, &old_count, err));
    TRY(deletion_vector_read(f->table, after->dv, f->arena, &now, &now_count, err));
    uint64_t *gone = ARENA_ARRAY(f->arena, uint64_t, now_count),
             *back = ARENA_ARRAY(f->arena, uint64_t, old_count);
    push_rows(f, CHANGE_DELETE, after, gone, difference(now, now_count, old, old_count, gone));
    push_rows(f, CHANGE_INSERT, after, back, difference(old, old_count, now, now_count, back));
    return true;
}

static bool push_removed(Feed *f, const RemoveFile *r, Error *err)
{
    if (!r->extended_file_metadata && !r->partition_values.len &&
        snapshot_metadata(f->out->snapshot)->partition_columns.len)
        return error_set(err, ERR_DELTA_REMOVE_FILE_CDC_MISSING_EXTENDED_METADATA,
                         P("file", r->path));
    return push_whole(f, CHANGE_DELETE, r->path, &r->partition_values, r->size, r->dv, err);
}

static bool push_data_changes(Feed *f, Error *err)
{
    const CommitActions *c = f->commit;
    Map removed = map_in(f->arena);
    for (size_t i = 0; i < c->removes.len; i++)
        if (c->removes.at[i].data_change)
            map_put(&removed, c->removes.at[i].path, &c->removes.at[i]);
    for (size_t i = 0; i < c->adds.len; i++) {
        const AddFile *add = &c->adds.at[i];
        const RemoveFile *before = add->data_change ? map_get(&removed, add->path) : NULL;
        if (before) {
            TRY(push_vector_change(f, before, add, err));
            map_remove(&removed, add->path);
        } else if (add->data_change) {
            TRY(push_whole(f, CHANGE_INSERT, add->path, &add->partition_values, add->size, add->dv,
                           err));
        }
    }
    for (MapEntry *e = map_first(&removed); e; e = map_next(&removed, e))
        TRY(push_removed(f, e->value, err));
    return true;
}

/* A MERGE that says it changed no row rewrote files as they were. */
static bool merged_nothing(const CommitInfo *info)
{
    static const char *const counts[] = {"numTargetRowsInserted", "numTargetRowsUpdated",
                                         "numTargetRowsDeleted"};
    if (!info || !str_is(info->operation, "MERGE"))
        return false;
    for (size_t i = 0; i < LENGTH_OF(counts); i++)
        if (!str_is(property_get(&info->operation_metrics, counts[i]), "0"))
            return false;
    return true;
}

static bool push_version(Feed *f, Error *err)
{
    const CommitActions *c = f->commit;
    for (size_t i = 0; i < c->cdcs.len; i++)
        push(f, CHANGE_CDC, c->cdcs.at[i].path, &c->cdcs.at[i].partition_values,
             c->cdcs.at[i].size);
    if (c->cdcs.len || merged_nothing(c->info))
        return true;
    return push_data_changes(f, err);
}

/* ---- what the range may hold ---- */

static bool is_enabled(const Metadata *m)
{
    return metadata_property_bool(m, "delta.enableChangeDataFeed", false);
}

static bool check_enabled(const ChangeFeed *feed, const Metadata *m, int64_t version, Error *err)
{
    return is_enabled(m) || error_set(err, ERR_DELTA_MISSING_CHANGE_DATA,
                                      P("startVersion", number_text(feed->start, err->arena)),
                                      P("endVersion", number_text(feed->end, err->arena)),
                                      P("version", number_text(version, err->arena)),
                                      PZ("key", "delta.enableChangeDataFeed"));
}

/* Every column a version has must be readable as the feed's schema has it. */
static bool is_readable_as(const Type *then, const Type *now)
{
    for (size_t i = 0; i < then->structure.count; i++) {
        const Field *f = &then->structure.fields[i];
        int at = type_field_index(now, f->name, false);
        if (at < 0 || !type_same_shape(f->type, now->structure.fields[at].type))
            return false;
    }
    return true;
}

static bool check_schema(const ChangeFeed *feed, const Metadata *m, int64_t version, Error *err)
{
    const Type *now = snapshot_schema(feed->snapshot);
    if (!m->schema || is_readable_as(m->schema, now))
        return true;
    return error_set(err, ERR_DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE,
                     P("start", number_text(feed->start, err->arena)),
                     P("end", number_text(feed->end, err->arena)),
                     P("readSchema", type_json(now, err->arena)),
                     P("readVersion", number_text(snapshot_version(feed->snapshot), err->arena)),
                     P("incompatibleVersion", number_text(version, err->arena)));
}

/* The metadata that held when the first version of the range was committed. */
static bool check_start(const ChangeFeed *feed, Error *err)
{
    DeltaTable *t = snapshot_table(feed->snapshot);
    Snapshot *s = feed->snapshot;
    bool other = snapshot_version(s) != feed->start;
    if (other)
        TRY(snapshot_at_version(t, feed->start, &s, err));
    bool ok = check_enabled(feed, snapshot_metadata(s), feed->start, err) &&
              check_schema(feed, snapshot_metadata(s), feed->start, err);
    if (other)
        snapshot_unref(s);
    return ok;
}

/* ---- the range ---- */

static bool read_version(ChangeFeed *feed, CommitTimes *times, size_t at, Arena *arena, Error *err)
{
    CommitActions commit;
    Feed f = {.table = times->table, .out = feed, .arena = arena, .commit = &commit};
    int64_t version = times->times.at[at].version;
    bool found;
    TRY(commit_read(times->table, version, ACTIONS_ALL, arena, &commit, &found, err));
    if (!found)
        return commit_fail_missing(times->table, version, err);
    if (commit.metadata) {
        TRY(check_enabled(feed, commit.metadata, version, err));
        TRY(check_schema(feed, commit.metadata, version, err));
    }
    TRY(commit_time_at(times, at, &f.timestamp_ms, err));
    return push_version(&f, err);
}

bool changes_of_snapshot(Snapshot *newest, Snapshot *whole, Arena *arena, ChangeFeed *out,
                         Error *err)
{
    int64_t version = snapshot_version(whole);
    CommitActions commit = {.version = version};
    Feed f = {.table = snapshot_table(newest),
              .out = out,
              .arena = arena,
              .commit = &commit,
              .timestamp_ms = snapshot_timestamp_ms(whole)};
    FileList files = {0};
    *out = (ChangeFeed){.snapshot = newest, .start = version, .end = version};
    TRY(check_enabled(out, snapshot_metadata(whole), version, err));
    TRY(check_schema(out, snapshot_metadata(whole), version, err));
    snapshot_files(whole, arena, &files);
    for (size_t i = 0; i < files.len; i++) {
        const AddFile *add = files.at[i];
        TRY(push_whole(&f, CHANGE_INSERT, add->path, &add->partition_values, add->size, add->dv,
                       err));
    }
    return true;
}

bool changes_between(Snapshot *newest, int64_t start, int64_t end, bool lenient, Arena *arena,
                     ChangeFeed *out, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    DeltaTable *t = snapshot_table(newest);
    int64_t latest = snapshot_version(newest);
    CommitTimes times;
    *out = (ChangeFeed){
        .snapshot = newest, .start = start, .end = end < 0 || end > latest ? latest : end};
    if (end >= 0 && end < start)
        return error_set(err, ERR_DELTA_INVALID_CDC_RANGE,
                         P("start", number_text(start, err->arena)),
                         P("end", number_text(end, err->arena)));
    if (start > latest)
        return lenient || error_set(err, ERR_DELTA_CDC_START_VERSION_AFTER_LATEST,
                                    P("start", number_text(start, err->arena)),
                                    P("latest", number_text(latest, err->arena)));
    TRY(check_start(out, err));
    TRY(commit_times_list(t, scratch, &times, err));
    int64_t next = start;
    for (size_t i = 0; i < times.times.len && next <= out->end; i++) {
        if (times.times.at[i].version < next)
            continue;
        if (times.times.at[i].version > next)
            break;
        TRY(read_version(out, &times, i, arena, err));
        next++;
    }
    return next > out->end || commit_fail_missing(t, next, err);
}
