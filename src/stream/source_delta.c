/* A Delta table as a source: the files of its first snapshot, then those that later versions add. Offsets are Delta's own.
 * Of a change feed a batch takes whole versions. */
#include <inttypes.h>
#include <stdlib.h>

#include "stream/stream_impl.h"
#include "type/datetime.h"

enum { DEFAULT_MAX_FILES = 1000 };

/* Files up to `index` of `version` are read; -1: none of them. */
typedef struct Position {
    int64_t version, index;
    bool initial;            /* the version's whole snapshot, not what it added */
} Position;

typedef struct DeltaSource {
    DeltaTable *table;
    Str id;                  /* the table's */
    int64_t max_files, max_bytes;
    int64_t bound;           /* Trigger.AvailableNow: the newest version at the first look; -1: none yet */
    bool ignore_deletes, ignore_changes, skip_changes;
    Position empty_until;    /* nothing to read before this, seen from the last offset asked about */
} DeltaSource;

static void release_table(void *table)
{
    delta_table_unref(table);
}

static void release_snapshot(void *s)
{
    snapshot_unref(s);
}

static bool flag(const StreamSource *s, const char *key)
{
    return str_is_ci(key_value_get(&s->read.options, key), "true");
}

static bool delta_open(StreamSource *s, Error *err)
{
    DeltaSource *d = s->state = ARENA_NEW(s->arena, DeltaSource);
    d->table = s->read.table;
    arena_on_free(s->arena, release_table, d->table);
    d->bound = -1;
    d->ignore_deletes = flag(s, "ignoreDeletes");
    d->ignore_changes = flag(s, "ignoreChanges");
    d->skip_changes = flag(s, "skipChangeCommits");
    TRY(source_limit(s, "maxFilesPerTrigger", DEFAULT_MAX_FILES, &d->max_files, err));
    TRY(source_limit(s, "maxBytesPerTrigger", INT64_MAX, &d->max_bytes, err));
    Snapshot *newest;
    TRY(snapshot_newest(d->table, &newest, err));
    d->id = str_copy(snapshot_metadata(newest)->id, s->arena);
    snapshot_unref(newest);
    s->description = s->read.description;
    return true;
}

/* ---- offsets ---- */

static Str position_text(const DeltaSource *d, const Position *p, Arena *arena)
{
    return str_printf(arena,
                      "{\"sourceVersion\":1,\"reservoirId\":\"" STR_FMT "\",\"reservoirVersion\":%" PRId64 ",\"index\":%" PRId64
                      ",\"isStartingVersion\":%s}",
                      STR_ARG(d->id), p->version, p->index, p->initial ? "true" : "false");
}

static bool position_read(StreamSource *s, Str text, Arena *arena, Position *out, Error *err)
{
    DeltaSource *d = s->state;
    yyjson_val *root;
    TRY(json_parse(text, S("offset"), arena, &root, err));
    if (!str_eq(json_get_str(root, "reservoirId"), d->id))
        return error_set(err, ERR_LAKESHED_STREAM_CHECKPOINT, P("path", s->query->checkpoint.folder),
                         PZ("reason", "its offsets are those of another table, or of one that was made anew"));
    *out = (Position){json_get_i64(root, "reservoirVersion", 0), json_get_i64(root, "index", -1),
                      json_get_bool(root, "isStartingVersion", false)};
    return true;
}

/* Where a stream without a checkpoint begins. */
static bool first_position(StreamSource *s, Position *out, Error *err)
{
    DeltaSource *d = s->state;
    Str version = key_value_get(&s->read.options, "startingVersion"), time = key_value_get(&s->read.options, "startingTimestamp");
    Snapshot *newest;
    TRY(snapshot_newest(d->table, &newest, err));
    int64_t last = snapshot_version(newest);
    snapshot_unref(newest);
    *out = (Position){last, -1, true};
    if (version.len && time.len)
        return error_set(err, ERR_DELTA_STARTING_VERSION_AND_TIMESTAMP_BOTH_SET, PZ("version", "startingVersion"), PZ("timestamp", "startingTimestamp"));
    if (str_is_ci(version, "latest")) {
        *out = (Position){last + 1, -1, false};
        return true;
    }
    if (version.len) {
        if (!str_to_i64(version, &out->version) || out->version < 0)
            return error_set(err, ERR_DELTA_ILLEGAL_OPTION, P("input", version), PZ("name", "startingVersion"),
                             PZ("explain", "must be greater than or equal to zero"));
        out->initial = false;
    }
    if (time.len) {
        AUTO_ARENA arena = arena_new();
        int64_t us;
        if (!timestamp_parse(time, session_zone(s->query->session, arena), &us))
            return error_set(err, ERR_DELTA_TIMESTAMP_INVALID, P("expr", time));
        TRY(version_at_or_after(d->table, us, &out->version, err));
        out->initial = false;
    }
    return true;
}

static bool position_of(StreamSource *s, Str offset, Arena *arena, Position *out, Error *err)
{
    return offset.len ? position_read(s, offset, arena, out, err) : first_position(s, out, err);
}

/* ---- files ---- */

typedef struct StreamFile {
    const AddFile *file;
    Position at;
    bool last;               /* of its version */
} StreamFile;
typedef VEC(StreamFile) StreamFileVec;

static int by_time(const void *a, const void *b)
{
    const AddFile *x = *(const AddFile *const *)a, *y = *(const AddFile *const *)b;
    if (x->modification_time_ms != y->modification_time_ms)
        return x->modification_time_ms < y->modification_time_ms ? -1 : 1;
    return str_cmp(x->path, y->path);
}

/* Files of the first snapshot in an order that every restart gives again. */
static bool initial_files(DeltaSource *d, int64_t version, Arena *arena, StreamFileVec *out, Error *err)
{
    Snapshot *snapshot;
    FileList files = {0};
    TRY(snapshot_at_version(d->table, version, &snapshot, err));
    arena_on_free(arena, release_snapshot, snapshot);
    snapshot_files(snapshot, arena, &files);
    qsort(files.at, files.len, sizeof *files.at, by_time);
    for (size_t i = 0; i < files.len; i++) {
        StreamFile f = {files.at[i], {version, (int64_t)i, true}, i + 1 == files.len};
        vec_push(arena, out, f);
    }
    return true;
}

static bool refuse_changes(StreamSource *s, const CommitActions *c, bool adds, bool removes, Error *err)
{
    DeltaSource *d = s->state;
    Str version = str_printf(err->arena, "%" PRId64, c->version), path = delta_table_location(d->table);
    if (!removes)
        return true;
    if (adds && !d->ignore_changes)
        return error_set(err, ERR_DELTA_SOURCE_TABLE_IGNORE_CHANGES, P("changeInfo", c->removes.at[0].path), P("version", version), P("dataPath", path));
    if (!adds && !d->ignore_deletes && !d->ignore_changes)
        return error_set(err, ERR_DELTA_SOURCE_IGNORE_DELETE, P("removedFile", c->removes.at[0].path), P("version", version), P("dataPath", path));
    return true;
}

static bool check_schema(StreamSource *s, const CommitActions *c, Error *err)
{
    if (!c->metadata || type_same_shape(type_char_as_string(c->metadata->schema, err->arena), type_char_as_string(s->read.table_schema, err->arena)))
        return true;
    return error_set(err, ERR_DELTA_SCHEMA_CHANGED_WITH_VERSION, P("version", str_printf(err->arena, "%" PRId64, c->version)),
                     P("readSchema", type_tree_string(s->read.table_schema, INT32_MAX, err->arena)),
                     P("dataSchema", type_tree_string(c->metadata->schema, INT32_MAX, err->arena)));
}

static bool added_files(StreamSource *s, int64_t version, Arena *arena, StreamFileVec *out, Error *err)
{
    DeltaSource *d = s->state;
    CommitActions *c = ARENA_NEW(arena, CommitActions);
    TRY(delta_read_commit(d->table, version, arena, c, err));
    TRY(check_schema(s, c, err));
    bool adds = false, removes = false;
    for (size_t i = 0; i < c->removes.len; i++)
        removes |= c->removes.at[i].data_change;
    for (size_t i = 0; i < c->adds.len; i++)
        adds |= c->adds.at[i].data_change;
    if (removes && d->skip_changes)
        return true;
    TRY(refuse_changes(s, c, adds, removes, err));
    int64_t index = 0;
    for (size_t i = 0; i < c->adds.len; i++)
        if (c->adds.at[i].data_change) {
            StreamFile f = {&c->adds.at[i], {version, index++, false}, false};
            vec_push(arena, out, f);
        }
    if (index)
        vec_last(out).last = true;
    return true;
}

static bool is_after(const Position *p, const Position *than)
{
    if (p->version != than->version)
        return p->version > than->version;
    if (p->initial != than->initial)
        return than->initial;
    return p->index > than->index;
}

/* Files after a position up to another, or up to `last` version and within limits. */
static bool files_after(StreamSource *s, const Position *from, int64_t last, const Position *until, Arena *arena, StreamFileVec *out, Error *err)
{
    DeltaSource *d = s->state;
    StreamFileVec found = {0};
    int64_t bytes = 0;
    for (int64_t v = from->version; v <= last; v++) {
        size_t first = found.len;
        if (v == from->version && from->initial)
            TRY(initial_files(d, v, arena, &found, err));
        else
            TRY(added_files(s, v, arena, &found, err));
        for (size_t i = first; i < found.len; i++) {
            const StreamFile *f = &found.at[i];
            if (!is_after(&f->at, from))
                continue;
            if (until) {
                if (is_after(&f->at, until))
                    return true;
            } else {
                bytes += f->file->size;
                if ((int64_t)out->len >= d->max_files || (out->len && bytes > d->max_bytes))
                    return true;
            }
            vec_push(arena, out, *f);
        }
    }
    return true;
}

/* ---- the change feed ---- */

/* How many files a version's changes are in, and how large. */
static bool changed_files(StreamSource *s, int64_t version, int64_t *files, int64_t *bytes, Error *err)
{
    AUTO_ARENA arena = arena_new();
    DeltaSource *d = s->state;
    CommitActions *c = ARENA_NEW(arena, CommitActions);
    TRY(delta_read_commit(d->table, version, arena, c, err));
    TRY(check_schema(s, c, err));
    *files += (int64_t)c->cdcs.len;
    for (size_t i = 0; i < c->cdcs.len; i++)
        *bytes += c->cdcs.at[i].size;
    for (size_t i = 0; i < c->adds.len && !c->cdcs.len; i++)
        if (c->adds.at[i].data_change) {
            ++*files;
            *bytes += c->adds.at[i].size;
        }
    for (size_t i = 0; i < c->removes.len && !c->cdcs.len; i++)
        *files += c->removes.at[i].data_change;
    return true;
}

/* The version behind the last one that a batch takes. The first snapshot is a batch of its own. */
static bool changes_until(StreamSource *s, const Position *from, int64_t last, int64_t *end, bool *found, Error *err)
{
    DeltaSource *d = s->state;
    int64_t files = 0, bytes = 0;
    *found = from->initial;
    *end = from->version + from->initial;
    while (!from->initial && *end <= last) {
        int64_t before = files;
        TRY(changed_files(s, *end, &files, &bytes, err));
        if (before && (files > d->max_files || bytes > d->max_bytes))
            return true;
        *found |= files > 0;
        ++*end;
    }
    return true;
}

static bool change_rows(StreamSource *s, Analyzer *a, const Position *from, const Position *to, Arena *arena, BoundRel **out, Error *err)
{
    DeltaSource *d = s->state;
    Snapshot *newest, *whole;
    Name no_name = {0};
    ChangeFeed *feed = ARENA_NEW(arena, ChangeFeed);
    TRY(snapshot_newest(d->table, &newest, err));
    arena_on_free(arena, release_snapshot, newest);
    if (from->initial) {
        TRY(snapshot_at_version(d->table, from->version, &whole, err));
        arena_on_free(arena, release_snapshot, whole);
        TRY(changes_of_snapshot(newest, whole, arena, feed, err));
    } else {
        TRY(changes_between(newest, from->version, to->version - 1, true, arena, feed, err));
    }
    return analyze_change_feed(a, feed, &no_name, out, err);
}

/* ---- batches ---- */

static bool delta_latest(StreamSource *s, Str start, Arena *arena, Str *end, Error *err)
{
    DeltaSource *d = s->state;
    Position from;
    Snapshot *newest;
    StreamFileVec files = {0};
    TRY(position_of(s, start, arena, &from, err));
    TRY(snapshot_newest(d->table, &newest, err));
    int64_t last = snapshot_version(newest);
    snapshot_unref(newest);
    if (s->bounded && d->bound < 0)
        d->bound = last;
    if (s->bounded && d->bound < last)
        last = d->bound;
    *end = start;
    /* Versions that added nothing are not read again at every look. */
    if (!from.initial && is_after(&d->empty_until, &from))
        from = d->empty_until;
    if (!from.initial && from.version > last)
        return true;
    bool found = false;
    Position to = {0, -1, false};
    if (s->read.changes) {
        TRY(changes_until(s, &from, last, &to.version, &found, err));
    } else {
        TRY(files_after(s, &from, last, NULL, arena, &files, err));
        found = files.len > 0;
        if (found)
            to = vec_last(&files).at;
        if (found && vec_last(&files).last)
            to = (Position){to.version + 1, -1, false};
    }
    if (!found) {
        d->empty_until = (Position){last + 1, -1, false};
        /* An empty first snapshot is read once, as an empty batch. */
        if (from.initial)
            *end = position_text(d, &d->empty_until, arena);
        return true;
    }
    *end = position_text(d, &to, arena);
    return true;
}

static bool delta_rows(StreamSource *s, Analyzer *a, Str start, Str end, Arena *arena, BoundRel **out, Error *err)
{
    DeltaSource *d = s->state;
    Position from, to;
    StreamFileVec files = {0};
    Snapshot *newest;
    Name no_name = {0};
    TRY(position_of(s, start, arena, &from, err));
    TRY(position_read(s, end, arena, &to, err));
    /* Without a checkpointed start, the first snapshot is the one the end speaks of. */
    if (!start.len && from.initial && to.version > 0 && !to.initial && to.version - 1 < from.version)
        from.version = to.version - 1;
    if (!start.len && to.initial)
        from.version = to.version;
    if (s->read.changes)
        return change_rows(s, a, &from, &to, arena, out, err);
    int64_t last = to.index < 0 ? to.version - 1 : to.version;
    TRY(files_after(s, &from, last, &to, arena, &files, err));
    FileList *list = ARENA_NEW(arena, FileList);
    for (size_t i = 0; i < files.len; i++)
        vec_push(arena, list, files.at[i].file);
    TRY(snapshot_newest(d->table, &newest, err));
    bool ok = analyze_delta_scan(a, newest, &no_name, false, out, err);
    snapshot_unref(newest);
    TRY(ok);
    (*out)->delta.only_files = list;
    return true;
}

const SourceKind source_delta = {"delta", delta_open, delta_latest, delta_rows, false};
