/* Reading checkpoints: classic, multipart, and v2 with or without sidecar files. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "delta/checkpoint_impl.h"
#include "delta/partition.h"

static const ParquetIo *installed;

void delta_install_parquet_io(const ParquetIo *io)
{
    installed = io;
}

bool parquet_io(const ParquetIo **out, Error *err)
{
    *out = installed;
    return installed || error_internal(err, "no Parquet reader is installed");
}

/* ---- rows of a checkpoint ---- */

enum {
    COL_PATH,
    COL_PARTITION_VALUES,
    COL_SIZE,
    COL_MODIFIED,
    COL_DATA_CHANGE,
    COL_STATS,
    COL_TAGS,
    COL_VECTOR,
    COL_BASE_ROW_ID,
    COL_ROW_COMMIT_VERSION,
    COL_CLUSTERING,
    COL_METADATA,
    COL_PROTOCOL,
    COL_TXN,
    COL_DOMAIN,
    COL_SIDECAR,
    COL_COUNT
};

static const ParquetColumn columns[COL_COUNT] = {
    [COL_PATH] = {"add.path", PARQUET_TEXT},
    [COL_PARTITION_VALUES] = {"add.partitionValues", PARQUET_JSON},
    [COL_SIZE] = {"add.size", PARQUET_LONG},
    [COL_MODIFIED] = {"add.modificationTime", PARQUET_LONG},
    [COL_DATA_CHANGE] = {"add.dataChange", PARQUET_BOOL},
    [COL_STATS] = {"add.stats", PARQUET_TEXT},
    [COL_TAGS] = {"add.tags", PARQUET_JSON},
    [COL_VECTOR] = {"add.deletionVector", PARQUET_JSON},
    [COL_BASE_ROW_ID] = {"add.baseRowId", PARQUET_LONG},
    [COL_ROW_COMMIT_VERSION] = {"add.defaultRowCommitVersion", PARQUET_LONG},
    [COL_CLUSTERING] = {"add.clusteringProvider", PARQUET_TEXT},
    [COL_METADATA] = {"metaData", PARQUET_JSON},
    [COL_PROTOCOL] = {"protocol", PARQUET_JSON},
    [COL_TXN] = {"txn", PARQUET_JSON},
    [COL_DOMAIN] = {"domainMetadata", PARQUET_JSON},
    [COL_SIDECAR] = {"sidecar", PARQUET_JSON},
};

typedef struct CheckpointReader {
    Replay *replay;
    ActionReader *json;
    Arena *scratch;
    VEC(Str) sidecars;    /* file names */
    Str last_values_text; /* neighbours often share their partition values */
    PropertyVec last_values;
    size_t adds, without_stats;
    Str file_name;
} CheckpointReader;

static bool is_present(const ParquetCells *c, size_t row)
{
    return !c->present || c->present[row];
}

static Str text_cell(const ParquetBatch *b, int column, size_t row)
{
    const ParquetCells *c = &b->columns[column];
    return is_present(c, row) ? c->texts[row] : S("");
}

static int64_t long_cell(const ParquetBatch *b, int column, size_t row, int64_t otherwise)
{
    const ParquetCells *c = &b->columns[column];
    return is_present(c, row) ? c->longs[row] : otherwise;
}

static bool fail_row(CheckpointReader *r, const char *reason, Error *err)
{
    return error_set(err, ERR_LAKESHED_LOG_INVALID, P("file", r->file_name), PZ("line", "-"),
                     PZ("reason", reason));
}

/* A changeable copy with the bytes that parsing in place needs after it. */
static char *padded_copy(Str s, Arena *arena)
{
    char *copy = arena_alloc(arena, s.len + 8);
    memcpy(copy, s.ptr, s.len);
    return copy;
}

static bool read_values(CheckpointReader *r, Str text, PropertyVec *out, Error *err)
{
    Arena *arena = log_text_arena(r->replay->text);
    if (!text.len || str_is(text, "{}")) {
        *out = (PropertyVec){0};
        return true;
    }
    if (!str_eq(text, r->last_values_text)) {
        if (!properties_parse(r->json, padded_copy(text, arena), text.len, arena, &r->last_values))
            return fail_row(r, "partition values are not a map", err);
        r->last_values_text = str_copy(text, arena);
    }
    *out = r->last_values;
    return true;
}

static bool read_add_row(CheckpointReader *r, const ParquetBatch *b, size_t row, Error *err)
{
    Arena *arena = log_text_arena(r->replay->text);
    Str path = text_cell(b, COL_PATH, row), stats = text_cell(b, COL_STATS, row);
    Str vector = text_cell(b, COL_VECTOR, row), tags = text_cell(b, COL_TAGS, row);
    Str clustering = text_cell(b, COL_CLUSTERING, row);
    if (!path.len)
        return true;
    const ParquetCells *data_change = &b->columns[COL_DATA_CHANGE];
    AddFile f = {
        .path = str_copy(path, arena),
        .size = long_cell(b, COL_SIZE, row, 0),
        .modification_time_ms = long_cell(b, COL_MODIFIED, row, 0),
        .data_change = is_present(data_change, row) && data_change->bools[row],
        .stats = stats.len ? str_copy(stats, arena) : S(""),
        .has_base_row_id = is_present(&b->columns[COL_BASE_ROW_ID], row),
        .base_row_id = long_cell(b, COL_BASE_ROW_ID, row, 0),
        .default_row_commit_version = long_cell(b, COL_ROW_COMMIT_VERSION, row, -1),
        .clustering_provider = clustering.len ? str_copy(clustering, arena) : S(""),
    };
    TRY(read_values(r, text_cell(b, COL_PARTITION_VALUES, row), &f.partition_values, err));
    if (tags.len && !str_is(tags, "{}") &&
        !properties_parse(r->json, padded_copy(tags, arena), tags.len, arena, &f.tags))
        return fail_row(r, "tags are not a map", err);
    if (vector.len) {
        f.dv = deletion_vector_parse(r->json, padded_copy(vector, arena), vector.len, arena);
        /* A struct of nothing but nulls is how some writers store "none". */
        if (!f.dv && str_find(vector, S("\"storageType\":null")) < 0)
            return fail_row(r, "a deletion vector is not a descriptor", err);
    }
    if (f.size < 0)
        return fail_row(r, "an add action has a negative size", err);
    r->adds++;
    r->without_stats += !stats.len;
    file_set_add(r->replay->files, &f);
    return true;
}

static bool read_body(CheckpointReader *r, ActionKind kind, Str json, Error *err)
{
    Action action;
    const char *reason = NULL;
    if (!json.len || str_is(json, "null"))
        return true;
    Arena *arena = r->scratch;
    if (!action_parse_body(r->json, kind, padded_copy(json, arena), json.len, arena, &action,
                           &reason))
        /* A column whose fields are all null stands for no action. */
        return kind == ACTION_PROTOCOL || kind == ACTION_SIDECAR ? true : fail_row(r, reason, err);
    if (kind == ACTION_METADATA && !action.metadata.id.len && !action.metadata.schema_string.len)
        return true;
    if ((kind == ACTION_TXN && !action.txn.app_id.len) ||
        (kind == ACTION_DOMAIN && !action.domain.domain.len))
        return true;
    if (kind == ACTION_SIDECAR) {
        vec_push(r->scratch, &r->sidecars, action.sidecar.path);
        return true;
    }
    return replay_visit(r->replay, &action, err);
}

static bool on_batch(void *arg, const ParquetBatch *b, Error *err)
{
    CheckpointReader *r = arg;
    for (size_t row = 0; row < b->rows; row++) {
        TRY(read_add_row(r, b, row, err));
        TRY(read_body(r, ACTION_METADATA, text_cell(b, COL_METADATA, row), err));
        TRY(read_body(r, ACTION_PROTOCOL, text_cell(b, COL_PROTOCOL, row), err));
        TRY(read_body(r, ACTION_TXN, text_cell(b, COL_TXN, row), err));
        TRY(read_body(r, ACTION_DOMAIN, text_cell(b, COL_DOMAIN, row), err));
        TRY(read_body(r, ACTION_SIDECAR, text_cell(b, COL_SIDECAR, row), err));
    }
    return true;
}

/* ---- statistics kept as columns ---- */

static const ParquetColumn stats_columns[] = {
    {"add.path", PARQUET_TEXT},
    {"add.deletionVector", PARQUET_JSON},
    {"add.stats_parsed", PARQUET_JSON},
};

static bool on_stats_batch(void *arg, const ParquetBatch *b, Error *err)
{
    CheckpointReader *r = arg;
    Arena *arena = log_text_arena(r->replay->text);
    (void)err;
    for (size_t row = 0; row < b->rows; row++) {
        Str path = text_cell(b, 0, row), vector = text_cell(b, 1, row),
            stats = text_cell(b, 2, row);
        if (!path.len || !stats.len)
            continue;
        DeletionVector *dv = vector.len ? deletion_vector_parse(r->json, padded_copy(vector, arena),
                                                                vector.len, arena)
                                        : NULL;
        const AddFile *f = file_set_find(r->replay->files, path, dv);
        if (f && !f->stats.len) /* still ours alone: the set is not published */
            ((AddFile *)(uintptr_t)f)->stats = str_copy(stats, arena);
    }
    return true;
}

/* ---- files ---- */

static bool scan(CheckpointReader *r, DeltaTable *t, const Str *paths, size_t count, Error *err)
{
    const ParquetIo *io;
    TRY(parquet_io(&io, err));
    Str *full = ARENA_ARRAY(r->scratch, Str, count);
    for (size_t i = 0; i < count; i++)
        full[i] = store_duckdb_path(t->store, paths[i], r->scratch);
    r->file_name = paths[0];
    r->adds = r->without_stats = 0;
    TRY(io->scan(io->self, full, count, columns, COL_COUNT, on_batch, r, err));
    if (r->without_stats)
        TRY(io->scan(io->self, full, count, stats_columns, LENGTH_OF(stats_columns), on_stats_batch,
                     r, err));
    return true;
}

static bool on_json_action(void *arg, const Action *a, Error *err)
{
    CheckpointReader *r = arg;
    if (a->kind == ACTION_SIDECAR) {
        vec_push(r->scratch, &r->sidecars, str_copy(a->sidecar.path, r->scratch));
        return true;
    }
    return a->kind == ACTION_REMOVE || replay_visit(r->replay, a, err);
}

static bool read_json(CheckpointReader *r, DeltaTable *t, Str path, Error *err)
{
    Str text;
    bool found;
    r->file_name = path;
    TRY(store_read(t->store, path, LOG_FILE_MAX_BYTES, log_text_arena(r->replay->text), &found,
                   &text, err));
    if (!found)
        return fail_row(r, "the file is gone", err);
    return actions_read(text, path, REPLAY_ACTIONS | ACTIONS_OF(ACTION_SIDECAR),
                        log_text_arena(r->replay->text), on_json_action, r, err);
}

/* PROTOCOL.md "Sidecar File Information": always in _delta_log/_sidecars, whatever folder the path
 * names. */
static bool sidecar_path(Str uri, Arena *arena, Str *out, Error *err)
{
    Str path;
    TRY(path_uri_decode(uri, arena, &path, err));
    ptrdiff_t slash = str_rfind_char(path, '/');
    *out = str_printf(arena, LOG_FOLDER "/_sidecars/" STR_FMT,
                      STR_ARG(str_slice(path, (size_t)(slash + 1), path.len)));
    return true;
}

static bool read_sidecars(CheckpointReader *r, DeltaTable *t, Error *err)
{
    if (!r->sidecars.len)
        return true;
    Str *paths = ARENA_ARRAY(r->scratch, Str, r->sidecars.len);
    for (size_t i = 0; i < r->sidecars.len; i++)
        TRY(sidecar_path(r->sidecars.at[i], r->scratch, &paths[i], err));
    return scan(r, t, paths, r->sidecars.len, err);
}

bool checkpoint_read(DeltaTable *t, const LogCheckpoint *c, Replay *replay, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    CheckpointReader r = {.replay = replay, .json = action_reader_new(), .scratch = scratch};
    bool ok = c->form == CHECKPOINT_UUID_JSON ? read_json(&r, t, c->paths.at[0], err)
                                              : scan(&r, t, c->paths.at, c->paths.len, err);
    ok = ok && read_sidecars(&r, t, err);
    action_reader_free(r.json);
    return ok;
}

/* ---- tombstones ---- */

enum {
    REM_PATH,
    REM_TIMESTAMP,
    REM_DATA_CHANGE,
    REM_EXTENDED,
    REM_VALUES,
    REM_SIZE,
    REM_VECTOR,
    REM_BASE_ROW_ID,
    REM_ROW_COMMIT_VERSION,
    REM_SIDECAR,
    REM_COUNT
};

static const ParquetColumn remove_columns[REM_COUNT] = {
    [REM_PATH] = {"remove.path", PARQUET_TEXT},
    [REM_TIMESTAMP] = {"remove.deletionTimestamp", PARQUET_LONG},
    [REM_DATA_CHANGE] = {"remove.dataChange", PARQUET_BOOL},
    [REM_EXTENDED] = {"remove.extendedFileMetadata", PARQUET_BOOL},
    [REM_VALUES] = {"remove.partitionValues", PARQUET_JSON},
    [REM_SIZE] = {"remove.size", PARQUET_LONG},
    [REM_VECTOR] = {"remove.deletionVector", PARQUET_JSON},
    [REM_BASE_ROW_ID] = {"remove.baseRowId", PARQUET_LONG},
    [REM_ROW_COMMIT_VERSION] = {"remove.defaultRowCommitVersion", PARQUET_LONG},
    [REM_SIDECAR] = {"sidecar", PARQUET_JSON},
};

typedef struct TombstoneReader {
    Snapshot *snapshot;
    int64_t since_ms;
    Arena *arena;   /* of the whole read */
    Arena *scratch; /* of the file in hand */
    ActionReader *json;
    Map latest; /* file key -> RemoveFile, NULL for one that was added again */
    VEC(Str) sidecars;
} TombstoneReader;

static Str file_key(Str path, const DeletionVector *dv, Arena *arena)
{
    return str_printf(arena, "%016llx" STR_FMT "%c" STR_FMT "%d",
                      (unsigned long long)log_file_hash(path, dv),
                      STR_ARG(str_slice(path, path.len > 16 ? path.len - 16 : 0, path.len)),
                      dv ? dv->storage : '-', STR_ARG(dv ? dv->path_or_inline : S("")),
                      dv && dv->has_offset ? dv->offset : -1);
}

static void keep_tombstone(TombstoneReader *r, const RemoveFile *f)
{
    if ((f->has_deletion_timestamp ? f->deletion_timestamp_ms : 0) < r->since_ms)
        return;
    RemoveFile *copy = ARENA_NEW(r->arena, RemoveFile);
    *copy = remove_copy(f, r->arena);
    map_put(&r->latest, file_key(f->path, f->dv, r->arena), copy);
}

static bool on_tombstone_batch(void *arg, const ParquetBatch *b, Error *err)
{
    TombstoneReader *r = arg;
    AUTO_ARENA(scratch) = arena_new();
    (void)err;
    for (size_t row = 0; row < b->rows; row++) {
        Str path = text_cell(b, REM_PATH, row), values = text_cell(b, REM_VALUES, row);
        Str vector = text_cell(b, REM_VECTOR, row), sidecar = text_cell(b, REM_SIDECAR, row);
        const ParquetCells *extended = &b->columns[REM_EXTENDED],
                           *change = &b->columns[REM_DATA_CHANGE];
        Action a;
        const char *reason;
        if (sidecar.len &&
            action_parse_body(r->json, ACTION_SIDECAR, padded_copy(sidecar, r->arena), sidecar.len,
                              r->arena, &a, &reason))
            vec_push(r->arena, &r->sidecars, a.sidecar.path);
        int64_t at = long_cell(b, REM_TIMESTAMP, row, 0);
        if (!path.len || at < r->since_ms)
            continue;
        RemoveFile f = {
            .path = path,
            .has_deletion_timestamp = is_present(&b->columns[REM_TIMESTAMP], row),
            .deletion_timestamp_ms = at,
            .data_change = is_present(change, row) && change->bools[row],
            .extended_file_metadata = is_present(extended, row) && extended->bools[row],
            .size = long_cell(b, REM_SIZE, row, -1),
            .has_base_row_id = is_present(&b->columns[REM_BASE_ROW_ID], row),
            .base_row_id = long_cell(b, REM_BASE_ROW_ID, row, 0),
            .default_row_commit_version = long_cell(b, REM_ROW_COMMIT_VERSION, row, -1),
        };
        if (values.len && !str_is(values, "{}"))
            properties_parse(r->json, padded_copy(values, scratch), values.len, scratch,
                             &f.partition_values);
        if (vector.len)
            f.dv =
                deletion_vector_parse(r->json, padded_copy(vector, scratch), vector.len, scratch);
        keep_tombstone(r, &f);
    }
    return true;
}

static bool on_tombstone_action(void *arg, const Action *a, Error *err)
{
    TombstoneReader *r = arg;
    (void)err;
    if (a->kind == ACTION_REMOVE)
        keep_tombstone(r, &a->remove);
    else if (a->kind == ACTION_ADD)
        map_remove(&r->latest, file_key(a->add.path, a->add.dv, r->scratch));
    else if (a->kind == ACTION_SIDECAR)
        vec_push(r->arena, &r->sidecars, str_copy(a->sidecar.path, r->arena));
    return true;
}

static bool fail_gone(Str path, Error *err)
{
    return error_set(err, ERR_LAKESHED_LOG_INVALID, P("file", path), PZ("line", "-"),
                     PZ("reason", "the file is gone"));
}

static bool read_tombstone_file(TombstoneReader *r, Str path, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    Str text;
    bool found;
    r->scratch = scratch;
    TRY(store_read(r->snapshot->table->store, path, LOG_FILE_MAX_BYTES, scratch, &found, &text,
                   err));
    if (!found)
        return fail_gone(path, err);
    return actions_read(
        text, path, ACTIONS_OF(ACTION_REMOVE) | ACTIONS_OF(ACTION_ADD) | ACTIONS_OF(ACTION_SIDECAR),
        scratch, on_tombstone_action, r, err);
}

/* Piece by piece: of a large commit's text only the removals are of use. */
static bool read_commit_tombstones(TombstoneReader *r, const LogCommit *c, Error *err)
{
    Store *store = r->snapshot->table->store;
    size_t lines = 0;
    if (c->size > LOG_FILE_MAX_BYTES)
        return read_tombstone_file(r, c->path, err); /* says that it is too large */
    for (int64_t offset = 0; offset < c->size;) {
        AUTO_ARENA(scratch) = arena_new();
        Str text;
        bool found;
        r->scratch = scratch;
        TRY(log_read_piece(store, c->path, c->size, offset, scratch, &found, &text, err));
        if (!found)
            return fail_gone(c->path, err);
        offset += (int64_t)text.len;
        TRY(actions_read_on(text, c->path, &lines, ACTIONS_OF(ACTION_ADD) | ACTIONS_OF(ACTION_REMOVE),
                            scratch, on_tombstone_action, r, err));
    }
    return true;
}

static bool scan_tombstones(TombstoneReader *r, const Str *paths, size_t count, Error *err)
{
    const ParquetIo *io;
    TRY(parquet_io(&io, err));
    Str *full = ARENA_ARRAY(r->arena, Str, count);
    for (size_t i = 0; i < count; i++)
        full[i] = store_duckdb_path(r->snapshot->table->store, paths[i], r->arena);
    return io->scan(io->self, full, count, remove_columns, REM_COUNT, on_tombstone_batch, r, err);
}

static bool read_all_tombstones(TombstoneReader *r, Error *err)
{
    LogSegment segment;
    bool exists;
    DeltaTable *t = r->snapshot->table;
    TRY(log_segment(t->store, r->snapshot->version, INT64_MAX, r->arena, &segment, &exists, err));
    if (exists && segment.has_checkpoint) {
        const LogCheckpoint *c = &segment.checkpoint;
        if (c->form == CHECKPOINT_UUID_JSON)
            TRY(read_tombstone_file(r, c->paths.at[0], err));
        else
            TRY(scan_tombstones(r, c->paths.at, c->paths.len, err));
        Str *paths = ARENA_ARRAY(r->arena, Str, r->sidecars.len + 1);
        for (size_t i = 0; i < r->sidecars.len; i++)
            TRY(sidecar_path(r->sidecars.at[i], r->arena, &paths[i], err));
        if (r->sidecars.len)
            TRY(scan_tombstones(r, paths, r->sidecars.len, err));
    }
    for (size_t i = 0; exists && i < segment.commits.len; i++)
        TRY(read_commit_tombstones(r, &segment.commits.at[i], err));
    return true;
}

bool tombstones_read(Snapshot *s, int64_t since_ms, TombstoneVisit visit, void *arg, Error *err)
{
    AUTO_ARENA(arena) = arena_new();
    TombstoneReader r = {
        .snapshot = s, .since_ms = since_ms, .arena = arena, .json = action_reader_new()};
    r.latest = map_in(arena);
    bool ok = read_all_tombstones(&r, err);
    action_reader_free(r.json);
    for (MapEntry *e = map_first(&r.latest); ok && e; e = map_next(&r.latest, e))
        ok = visit(arg, e->value, err);
    return ok;
}
