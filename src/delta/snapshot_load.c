/* Building a snapshot from the log, and the next snapshot from the last one. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "delta/checkpoint_impl.h"
#include "delta/feature.h"
#include "delta/schema_impl.h"
#include "delta/snapshot_impl.h"

/* ---- state ---- */

TableState *table_state_new(void)
{
    TableState *s = calloc(1, sizeof *s);
    if (!s)
        panic("out of memory");
    atomic_init(&s->refs, 1);
    s->arena = arena_new();
    s->txns = map_in(s->arena);
    s->domains = map_in(s->arena);
    return s;
}

void table_state_ref(TableState *s)
{
    atomic_fetch_add(&s->refs, 1);
}

void table_state_unref(TableState *s)
{
    if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    arena_free(s->arena);
    free(s);
}

static void put_txn(TableState *s, const TxnAction *t)
{
    TxnAction *copy = ARENA_NEW(s->arena, TxnAction);
    *copy = (TxnAction){str_copy(t->app_id, s->arena), t->version, t->last_updated_ms};
    map_put(&s->txns, copy->app_id, copy);
}

static void put_domain(TableState *s, const DomainMetadata *d)
{
    DomainMetadata *copy = ARENA_NEW(s->arena, DomainMetadata);
    *copy = (DomainMetadata){str_copy(d->domain, s->arena), str_copy(d->configuration, s->arena),
                             false};
    if (d->removed)
        map_remove(&s->domains, d->domain);
    else
        map_put(&s->domains, copy->domain, copy);
}

TableState *table_state_copy(const TableState *from)
{
    TableState *s = table_state_new();
    s->has_metadata = from->has_metadata;
    s->has_protocol = from->has_protocol;
    s->metadata = metadata_copy_into(&from->metadata, s->arena);
    s->protocol = protocol_copy(&from->protocol, s->arena);
    for (MapEntry *e = map_first(&from->txns); e; e = map_next(&from->txns, e))
        put_txn(s, e->value);
    for (MapEntry *e = map_first(&from->domains); e; e = map_next(&from->domains, e))
        put_domain(s, e->value);
    return s;
}

/* ---- replay ---- */

static TableState *changed_state(Replay *r)
{
    if (!r->state)
        r->state = r->before ? table_state_copy(r->before) : table_state_new();
    return r->state;
}

bool replay_visit(void *arg, const Action *a, Error *err)
{
    Replay *r = arg;
    (void)err;
    switch (a->kind) {
    case ACTION_ADD: {
        AddFile copy;
        if (r->copies)
            copy = add_copy(&a->add, log_text_arena(r->text));
        file_set_add(r->files, r->copies ? &copy : &a->add);
        break;
    }
    case ACTION_REMOVE: file_set_remove(r->files, a->remove.path, a->remove.dv); break;
    case ACTION_METADATA: {
        TableState *s = changed_state(r);
        s->metadata = metadata_copy_into(&a->metadata, s->arena);
        s->has_metadata = true;
        break;
    }
    case ACTION_PROTOCOL: {
        TableState *s = changed_state(r);
        s->protocol = protocol_copy(&a->protocol, s->arena);
        s->has_protocol = true;
        break;
    }
    case ACTION_TXN: put_txn(changed_state(r), &a->txn); break;
    case ACTION_DOMAIN: put_domain(changed_state(r), &a->domain); break;
    case ACTION_COMMIT_INFO:
        r->info = a->info;
        r->has_info = true;
        break;
    default: break;
    }
    return true;
}

/* A large commit is read piece by piece: of its text only what the files need is kept. */
static bool replay_pieces(DeltaTable *t, const LogCommit *c, ActionSet wanted, Replay *r, bool *found,
                          Error *err)
{
    size_t lines = 0;
    bool ok = true;
    r->copies = true;
    *found = true;
    for (int64_t offset = 0; ok && *found && offset < c->size;) {
        LogText *piece = log_text_new();
        Str text;
        bool had_info = r->has_info;
        r->has_info = false;
        ok = log_read_piece(t->store, c->path, c->size, offset, log_text_arena(piece), found, &text, err);
        if (ok && *found) {
            offset += (int64_t)text.len;
            ok = actions_read_on(text, c->path, &lines, wanted, log_text_arena(piece), replay_visit, r, err);
        }
        if (r->has_info) /* it points into the piece */
            file_set_hold(r->files, piece);
        r->has_info |= had_info;
        log_text_unref(piece);
    }
    r->copies = false;
    return ok;
}

static bool replay_file(DeltaTable *t, const LogCommit *c, bool with_info, Replay *r, bool *found, Error *err)
{
    Arena *arena = log_text_arena(r->text);
    ActionSet wanted = REPLAY_ACTIONS | (with_info ? ACTIONS_OF(ACTION_COMMIT_INFO) : 0);
    Str text;
    if (c->size > 2 * LOG_PIECE_BYTES && c->size <= LOG_FILE_MAX_BYTES)
        return replay_pieces(t, c, wanted, r, found, err);
    TRY(store_read(t->store, c->path, LOG_FILE_MAX_BYTES, arena, found, &text, err));
    return !*found || actions_read(text, c->path, wanted, arena, replay_visit, r, err);
}

/* ---- finishing ---- */

static bool check_state(DeltaTable *t, const TableState *s, int64_t version, Error *err)
{
    if (!s->has_protocol || !s->has_metadata)
        return error_set(err, ERR_DELTA_STATE_RECOVER_ERROR,
                         PZ("operation", s->has_protocol ? "metadata" : "protocol"),
                         P("version", number_text(version, err->arena)));
    TRY(protocol_check_read(&s->protocol, t->location, err));
    Str provider = s->metadata.format_provider;
    if (provider.len && !str_is_ci(provider, "parquet"))
        return error_unsupported(err, "A Delta table of \"" STR_FMT "\" files", STR_ARG(provider));
    return true;
}

/* Parses the schema once a new state is complete. */
static bool finish_state(DeltaTable *t, TableState *s, int64_t version, Error *err)
{
    TRY(check_state(t, s, version, err));
    if (s->metadata.schema_string.len)
        TRY(type_from_json(s->metadata.schema_string, s->arena, &s->metadata.schema, err));
    else
        s->metadata.schema = type_struct(NULL, 0, s->arena);
    if (s->metadata.schema->kind != TYPE_STRUCT)
        return error_set(err, ERR_LAKESHED_LOG_INVALID,
                         P("file", log_commit_path(version, err->arena)), PZ("line", "-"),
                         PZ("reason", "the table's schema is not a struct"));
    TRY(schema_check_type_changes(s->metadata.schema, err));
    s->physical =
        schema_physical(s->metadata.schema, metadata_column_mapping(&s->metadata), s->arena);
    return true;
}

static Snapshot *new_snapshot(DeltaTable *t, int64_t version, TableState *state, FileSet *files)
{
    Snapshot *s = calloc(1, sizeof *s);
    if (!s)
        panic("out of memory");
    atomic_init(&s->refs, 1);
    atomic_init(&s->row_count, INT64_MIN);
    s->table = t;
    s->version = version;
    s->state = state;
    s->files = files;
    table_count_snapshot(t);
    return s;
}

bool snapshot_has_commit_timestamps(const Snapshot *s)
{
    return snapshot_property_bool(s, "delta.enableInCommitTimestamps", false) &&
           protocol_has_feature(&s->state->protocol, "inCommitTimestamp");
}

static bool set_timestamp(Snapshot *s, const Replay *r, Error *err)
{
    s->timestamp_ms = s->modified_ms;
    if (!snapshot_has_commit_timestamps(s))
        return true;
    int64_t ms = r->has_info ? r->info.in_commit_timestamp_ms : -1;
    if (ms < 0)
        TRY(commit_in_commit_timestamp(s->table, s->version, &ms, err));
    if (ms >= 0)
        s->timestamp_ms = ms;
    return true;
}

static bool finish(DeltaTable *t, Replay *r, int64_t version, int64_t modified_ms, int64_t size,
                   Snapshot **out, Error *err)
{
    TableState *state = r->state;
    if (!state) { /* only files changed */
        state = (TableState *)r->before;
        table_state_ref(state);
    } else if (!finish_state(t, state, version, err)) {
        return false;
    }
    file_set_hold(r->files, r->text);
    *out = new_snapshot(t, version, state, file_set_freeze(r->files));
    (*out)->modified_ms = modified_ms;
    (*out)->commit_size = size;
    r->state = NULL;
    r->files = NULL;
    if (set_timestamp(*out, r, err))
        return true;
    snapshot_unref(*out);
    return false;
}

bool snapshot_with_metadata(const Snapshot *s, const Metadata *m, Snapshot **out, Error *err)
{
    TableState *state = table_state_copy(s->state);
    state->metadata = *metadata_copy(m, state->arena);
    if (!finish_state(s->table, state, s->version, err)) {
        table_state_unref(state);
        return false;
    }
    file_set_ref(s->files);
    *out = new_snapshot(s->table, s->version, state, s->files);
    (*out)->modified_ms = s->modified_ms;
    (*out)->commit_size = s->commit_size;
    (*out)->timestamp_ms = s->timestamp_ms;
    return true;
}

static void replay_release(Replay *r)
{
    table_state_unref(r->state);
    file_set_unref(r->files);
    log_text_unref(r->text);
}

/* ---- loading ---- */

/* The compaction that stands for most of the commits from here on; NULL: there is none. */
static const LogCompaction *longest_compaction(const LogSegment *s, int64_t first)
{
    const LogCompaction *best = NULL;
    for (size_t i = 0; i < s->compactions.len && s->compactions.at[i].first <= first; i++) {
        const LogCompaction *c = &s->compactions.at[i];
        if (c->first == first && c->last <= s->version && (!best || c->last > best->last))
            best = c;
    }
    return best;
}

/* A compaction says one thing of a file. Of one that was put together from its commits, newest first, and says more,
 * the first is what holds: so Delta Kernel reads it, and Spark comes to the same. */
static bool replay_backwards(DeltaTable *t, Str path, Replay *r, bool *found, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    Arena *arena = log_text_arena(r->text);
    Str text;
    TRY(store_read(t->store, path, LOG_FILE_MAX_BYTES, scratch, found, &text, err));
    for (size_t end = *found ? text.len : 0, start; end; end = start) {
        start = (size_t)(str_rfind_char(str_slice(text, 0, end - 1), '\n') + 1);
        char *line = arena_alloc(arena, end - start + STORE_READ_PADDING);
        memcpy(line, text.ptr + start, end - start);
        TRY(actions_read((Str){line, end - start}, path, REPLAY_ACTIONS, arena, replay_visit, r, err));
    }
    return true;
}

/* How many of the commits a compaction told of. One that cannot be read does no harm: whatever it told is told again by the commits
 * that follow. */
static size_t replay_compaction(DeltaTable *t, const LogSegment *s, int64_t first, Replay *r)
{
    AUTO_ARENA(scratch) = arena_new();
    Error failure = error_in(scratch);
    bool found;
    const LogCompaction *c = longest_compaction(s, first);
    if (!c)
        return 0;
    if (replay_backwards(t, c->path, r, &found, &failure) && found)
        return (size_t)(c->last - c->first + 1);
    log_warn("table %.*s: the compaction %.*s was passed over", STR_ARG(t->location), STR_ARG(c->path));
    error_clear(&failure);
    return 0;
}

static bool load_segment(DeltaTable *t, const LogSegment *segment, Replay *r,
                         bool *checkpoint_failed, Error *err)
{
    *checkpoint_failed = false;
    changed_state(r);
    if (segment->has_checkpoint && !checkpoint_read(t, &segment->checkpoint, r, err)) {
        *checkpoint_failed = true;
        return false;
    }
    for (size_t i = 0; i < segment->commits.len; i++) {
        bool found;
        size_t told = replay_compaction(t, segment, segment->commits.at[i].version, r);
        if (told) {
            i += told - 1;
            continue;
        }
        const LogCommit *c = &segment->commits.at[i];
        TRY(replay_file(t, c, i + 1 == segment->commits.len, r, &found, err));
        if (!found)
            return error_set(
                err, ERR_DELTA_LOG_FILE_NOT_FOUND,
                P("version", number_text(c->version, err->arena)),
                P("checkpointVersion", segment->has_checkpoint
                                           ? number_text(segment->checkpoint.version, err->arena)
                                           : S("-")),
                P("logPath", str_printf(err->arena, STR_FMT "/" STR_FMT,
                                        STR_ARG(store_root(t->store)), STR_ARG(c->path))));
    }
    return true;
}

static bool load_once(DeltaTable *t, int64_t version, int64_t max_checkpoint, Snapshot **out,
                      bool *exists, int64_t *bad_checkpoint, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    LogSegment segment;
    bool checkpoint_failed;
    *bad_checkpoint = -1;
    TRY(log_segment(t->store, version, max_checkpoint, scratch, &segment, exists, err));
    if (!*exists)
        return true;
    Replay r = {.files = file_set_new(), .text = log_text_new()};
    bool ok = load_segment(t, &segment, &r, &checkpoint_failed, err) &&
              finish(t, &r, segment.version, segment.modified_ms, segment.size, out, err);
    if (!ok && checkpoint_failed)
        *bad_checkpoint = segment.checkpoint.version;
    replay_release(&r);
    return ok;
}

/* A checkpoint that cannot be read is passed over while older files still make up the version. */
bool snapshot_load(DeltaTable *t, int64_t version, Snapshot **out, bool *exists, Error *err)
{
    int64_t bad_checkpoint;
    if (load_once(t, version, INT64_MAX, out, exists, &bad_checkpoint, err))
        return true;
    while (bad_checkpoint >= 0) {
        AUTO_ARENA(scratch) = arena_new();
        Error again = error_in(scratch);
        if (load_once(t, version, bad_checkpoint - 1, out, exists, &bad_checkpoint, &again)) {
            log_warn("table %.*s: an unreadable checkpoint was passed over", STR_ARG(t->location));
            error_clear(err);
            return true;
        }
    }
    return false;
}

bool snapshot_refresh(Snapshot *s, Snapshot **out, bool *lost, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    DeltaTable *t = s->table;
    StoreEntry entry;
    bool found;
    TRY(store_stat(t->store, log_commit_path(s->version, scratch), &found, &entry, err));
    *lost = !found || entry.modified_ms != s->modified_ms || entry.size != s->commit_size;
    *out = NULL;
    if (*lost)
        return true;
    Replay r = {.before = s->state, .text = log_text_new()};
    int64_t version = s->version;
    bool ok = true;
    StoreEntry last = entry;
    for (;; version++) {
        Str path = log_commit_path(version + 1, scratch);
        ok = store_stat(t->store, path, &found, &entry, err);
        if (!ok || !found)
            break;
        if (!r.files)
            r.files = file_set_next(s->files);
        r.has_info = false;
        ok = replay_file(t, &(LogCommit){.path = path, .size = entry.size}, true, &r, &found, err);
        if (!ok || !found)
            break;
        last = entry;
    }
    if (ok && version == s->version) {
        snapshot_ref(s);
        *out = s;
    } else if (ok) {
        ok = finish(t, &r, version, last.modified_ms, last.size, out, err);
    }
    replay_release(&r);
    return ok;
}
