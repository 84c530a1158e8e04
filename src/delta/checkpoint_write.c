/* Writing classic checkpoints, the hint to the newest one, and dropping log files that it makes
 * needless. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "delta/checkpoint.h"
#include "delta/checkpoint_impl.h"
#include "delta/partition.h"
#include "delta/schema.h"

enum { BLOCK_BYTES = 1 << 20, INTERVAL = 10 };
static const int64_t DAY_MS = 86400000, MINUTE_MS = 60000;

int64_t checkpoint_interval_of(const Metadata *m)
{
    int64_t n;
    return str_to_i64(metadata_property(m, "delta.checkpointInterval"), &n) && n > 0 ? n : INTERVAL;
}

/* ---- columns ---- */

#define MAP_TYPE "MAP(VARCHAR, VARCHAR)"
#define VECTOR_TYPE                                                                                \
    "STRUCT(\"storageType\" VARCHAR, \"pathOrInlineDv\" VARCHAR, \"offset\" INTEGER, "             \
    "\"sizeInBytes\" INTEGER, "                                                                    \
    "\"cardinality\" BIGINT)"

static bool has_bounds(const Type *t)
{
    switch (t->kind) {
    case TYPE_ARRAY:
    case TYPE_MAP:
    case TYPE_STRUCT:
    case TYPE_BOOLEAN:
    case TYPE_BINARY:
    case TYPE_VARIANT:
    case TYPE_NULL: return false;
    default: return true;
    }
}

static void put_name(Buf *b, Str name)
{
    buf_addc(b, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"')
            buf_addc(b, '"');
        buf_addc(b, name.ptr[i]);
    }
    buf_addz(b, "\" ");
}

/* STRUCT(...) of the data columns: their own types, or counts; *any false when nothing is in it. */
static void put_stats_struct(Buf *b, const Type *schema, const Metadata *m, bool counts, bool top,
                             bool *any, Arena *arena)
{
    bool first = true;
    Buf inner = buf_in(arena);
    *any = false;
    for (size_t i = 0; i < schema->structure.count; i++) {
        const Field *f = &schema->structure.fields[i];
        Buf part = buf_in(arena);
        bool some = true;
        if (top && metadata_partition_index(m, m->schema->structure.fields[i].name) >= 0)
            continue;
        put_name(&part, f->name);
        if (f->type->kind == TYPE_STRUCT)
            put_stats_struct(&part, f->type, m, counts, false, &some, arena);
        else if (counts)
            buf_addz(&part, "BIGINT");
        else if (has_bounds(f->type))
            buf_add(&part, type_duckdb(f->type, arena));
        else
            some = false;
        if (!some)
            continue;
        buf_addz(&inner, first ? "" : ", ");
        first = false;
        buf_add(&inner, buf_str(&part));
    }
    *any = !first;
    buf_addz(b, "STRUCT(");
    buf_add(b, buf_str(&inner));
    buf_addc(b, ')');
}

static void put_stats_type(Buf *b, const Snapshot *s, Arena *arena)
{
    static const struct {
        const char *key;
        bool counts;
    } parts[] = {
        {"minValues", false},
        {"maxValues", false},
        {"nullCount", true},
    };
    buf_addz(b, ", \"stats_parsed\" STRUCT(\"numRecords\" BIGINT");
    for (size_t i = 0; i < LENGTH_OF(parts); i++) {
        Buf part = buf_in(arena);
        bool any;
        put_stats_struct(&part, s->state->physical, &s->state->metadata, parts[i].counts, true,
                         &any, arena);
        if (any)
            buf_addf(b, ", \"%s\" " STR_FMT, parts[i].key, STR_ARG(buf_str(&part)));
    }
    buf_addz(b, ", \"tightBounds\" BOOLEAN)");
}

static void put_values_type(Buf *b, const Snapshot *s, Arena *arena)
{
    const Metadata *m = &s->state->metadata;
    bool first = true;
    if (!m->partition_columns.len)
        return;
    buf_addz(b, ", \"partitionValues_parsed\" STRUCT(");
    for (size_t i = 0; i < m->schema->structure.count; i++) {
        if (metadata_partition_index(m, m->schema->structure.fields[i].name) < 0)
            continue;
        buf_addz(b, first ? "" : ", ");
        first = false;
        put_name(b, s->state->physical->structure.fields[i].name);
        buf_add(b, type_duckdb(m->schema->structure.fields[i].type, arena));
    }
    buf_addc(b, ')');
}

typedef struct CheckpointWriter {
    Snapshot *snapshot;
    Arena *arena;
    bool stats_as_json, stats_as_struct;
    Buf block;
    FileCursor files;
    MapEntry *txn, *domain;
    RemoveFile *tombstones;
    size_t tombstone_count, tombstone_next;
    bool started;
    int64_t actions, adds;
} CheckpointWriter;

static void columns_of(CheckpointWriter *w, ParquetSchemaColumn *columns)
{
    Buf add = buf_in(w->arena);
    buf_addz(&add, "STRUCT(\"path\" VARCHAR, \"partitionValues\" " MAP_TYPE
                   ", \"size\" BIGINT, \"modificationTime\" BIGINT, "
                   "\"dataChange\" BOOLEAN");
    if (w->stats_as_json)
        buf_addz(&add, ", \"stats\" VARCHAR");
    buf_addz(&add, ", \"tags\" " MAP_TYPE ", \"deletionVector\" " VECTOR_TYPE
                   ", \"baseRowId\" BIGINT, \"defaultRowCommitVersion\" BIGINT, "
                   "\"clusteringProvider\" VARCHAR");
    if (w->stats_as_struct) {
        put_values_type(&add, w->snapshot, w->arena);
        put_stats_type(&add, w->snapshot, w->arena);
    }
    buf_addc(&add, ')');
    columns[0] = (ParquetSchemaColumn){
        S("txn"), S("STRUCT(\"appId\" VARCHAR, \"version\" BIGINT, \"lastUpdated\" BIGINT)")};
    columns[1] = (ParquetSchemaColumn){S("add"), buf_str(&add)};
    columns[2] = (ParquetSchemaColumn){
        S("remove"),
        S("STRUCT(\"path\" VARCHAR, \"deletionTimestamp\" BIGINT, \"dataChange\" BOOLEAN, "
          "\"extendedFileMetadata\" BOOLEAN, \"partitionValues\" " MAP_TYPE ", \"size\" BIGINT, "
          "\"deletionVector\" " VECTOR_TYPE
          ", \"baseRowId\" BIGINT, \"defaultRowCommitVersion\" BIGINT)")};
    columns[3] = (ParquetSchemaColumn){
        S("metaData"), S("STRUCT(\"id\" VARCHAR, \"name\" VARCHAR, \"description\" VARCHAR, "
                         "\"format\" STRUCT(\"provider\" "
                         "VARCHAR, \"options\" " MAP_TYPE
                         "), \"schemaString\" VARCHAR, \"partitionColumns\" VARCHAR[], "
                         "\"configuration\" " MAP_TYPE ", \"createdTime\" BIGINT)")};
    columns[4] = (ParquetSchemaColumn){
        S("protocol"), S("STRUCT(\"minReaderVersion\" INTEGER, \"minWriterVersion\" INTEGER, "
                         "\"readerFeatures\" VARCHAR[], "
                         "\"writerFeatures\" VARCHAR[])")};
    columns[5] = (ParquetSchemaColumn){
        S("domainMetadata"),
        S("STRUCT(\"domain\" VARCHAR, \"configuration\" VARCHAR, \"removed\" BOOLEAN)")};
}
enum { COLUMNS = 6 };

/* ---- rows ---- */

/* The add line with parsed columns put before its closing brackets. */
static void put_add(CheckpointWriter *w, const AddFile *f)
{
    AddFile copy = *f;
    copy.data_change = false;
    if (!w->stats_as_json)
        copy.stats = S("");
    action_put_add(&w->block, &copy);
    if (!w->stats_as_struct)
        return;
    w->block.len -= sizeof "}}\n" - 1;
    if (f->stats.len) {
        buf_addz(&w->block, ",\"stats_parsed\":");
        buf_add(&w->block, f->stats);
    }
    if (f->partition_values.len) {
        buf_addz(&w->block, ",\"partitionValues_parsed\":{");
        for (size_t i = 0; i < f->partition_values.len; i++) {
            const Property *p = &f->partition_values.at[i];
            buf_addz(&w->block, i ? "," : "");
            json_put_str(&w->block, p->key);
            buf_addc(&w->block, ':');
            if (p->is_null || !p->value.len)
                buf_addz(&w->block, "null");
            else
                json_put_str(&w->block, p->value);
        }
        buf_addc(&w->block, '}');
    }
    buf_addz(&w->block, "}}\n");
}

static void put_state(CheckpointWriter *w)
{
    const TableState *state = w->snapshot->state;
    action_put_protocol(&w->block, &state->protocol);
    action_put_metadata(&w->block, &state->metadata);
    w->actions += 2;
    for (MapEntry *e = map_first(&state->txns); e; e = map_next(&state->txns, e), w->actions++)
        action_put_txn(&w->block, e->value);
    for (MapEntry *e = map_first(&state->domains); e;
         e = map_next(&state->domains, e), w->actions++)
        action_put_domain(&w->block, e->value);
}

static bool next_lines(void *arg, Str *block, Error *err)
{
    CheckpointWriter *w = arg;
    (void)err;
    buf_reset(&w->block);
    if (!w->started)
        put_state(w);
    w->started = true;
    for (const AddFile *f; w->block.len < BLOCK_BYTES && (f = file_set_next_file(&w->files));
         w->actions++, w->adds++)
        put_add(w, f);
    for (; w->block.len < BLOCK_BYTES && w->tombstone_next < w->tombstone_count; w->actions++) {
        RemoveFile f = w->tombstones[w->tombstone_next++];
        f.data_change = false;
        action_put_remove(&w->block, &f, true);
    }
    *block = buf_str(&w->block);
    return true;
}

typedef struct Tombstones {
    Arena *arena;
    VEC(RemoveFile) files;
    const FileSet *live;
} Tombstones;

static PropertyVec values_copy(const PropertyVec *v, Arena *arena)
{
    PropertyVec out = {0};
    for (size_t i = 0; i < v->len; i++)
        vec_push(arena, &out,
                 ((Property){str_copy(v->at[i].key, arena), str_copy(v->at[i].value, arena),
                             v->at[i].is_null}));
    return out;
}

static bool keep_tombstone(void *arg, const RemoveFile *f, Error *err)
{
    Tombstones *t = arg;
    (void)err;
    if (file_set_find(t->live, f->path, f->dv))
        return true;
    RemoveFile copy = *f;
    copy.path = str_copy(f->path, t->arena);
    copy.partition_values = values_copy(&f->partition_values, t->arena);
    copy.tags = (PropertyVec){0};
    copy.stats = S("");
    copy.dv = deletion_vector_copy(f->dv, t->arena);
    vec_push(t->arena, &t->files, copy);
    return true;
}

/* ---- the file and the hint ---- */

static bool write_hint(CheckpointWriter *w, int64_t size, Error *err)
{
    DeltaTable *t = w->snapshot->table;
    int64_t known;
    TRY(log_read_hint(t->store, &known, err));
    if (known > w->snapshot->version)
        return true;
    Str body = str_printf(
        w->arena, "\"version\":%lld,\"size\":%lld,\"sizeInBytes\":%lld,\"numOfAddFiles\":%lld",
        (long long)w->snapshot->version, (long long)w->actions, (long long)size,
        (long long)w->adds);
    Str checksum =
        log_json_checksum(str_printf(w->arena, "{" STR_FMT "}", STR_ARG(body)), w->arena);
    Str text = str_printf(w->arena, "{" STR_FMT ",\"checksum\":\"" STR_FMT "\"}", STR_ARG(body),
                          STR_ARG(checksum));
    return store_put(t->store, S(LOG_FOLDER "/_last_checkpoint"), text, err);
}

static bool write_file(CheckpointWriter *w, Str target, int64_t *size, Error *err)
{
    const ParquetIo *io;
    ParquetSchemaColumn columns[COLUMNS];
    DeltaTable *t = w->snapshot->table;
    char id[UUID_TEXT_LEN + 1];
    StoreEntry written;
    bool found;
    TRY(parquet_io(&io, err));
    clock_uuid(id);
    /* Dotted and with the store's suffix: ignored by readers, removed later when we die before the
     * rename. */
    Str temporary = str_printf(w->arena, LOG_FOLDER "/.%s.parquet.lakeshed.tmp", id);
    columns_of(w, columns);
    bool ok = io->write(io->self, store_duckdb_path(t->store, temporary, w->arena), columns,
                        COLUMNS, next_lines, w, err) &&
              store_stat(t->store, temporary, &found, &written, err) &&
              store_publish(t->store, temporary, target, err);
    if (ok) {
        *size = written.size;
        return true;
    }
    Error ignored = error_in(w->arena);
    if (!store_delete(t->store, temporary, &ignored))
        log_warn("a temporary checkpoint file is left in %.*s", STR_ARG(t->location));
    return false;
}

bool checkpoint_write(Snapshot *s, Error *err)
{
    AUTO_ARENA(arena) = arena_new();
    const Metadata *m = &s->state->metadata;
    CheckpointWriter w = {
        .snapshot = s,
        .arena = arena,
        .stats_as_json = metadata_property_bool(m, "delta.checkpoint.writeStatsAsJson", true),
        .stats_as_struct = metadata_property_bool(m, "delta.checkpoint.writeStatsAsStruct", false),
        .block = buf_in(arena),
        .files = file_set_cursor(s->files),
    };
    Tombstones tombstones = {.arena = arena, .live = s->files};
    int64_t retention = metadata_interval_ms(m, "delta.deletedFileRetentionDuration", 7 * DAY_MS),
            size = 0;
    Str target = str_printf(arena, LOG_FOLDER "/%020lld.checkpoint.parquet", (long long)s->version);
    TRY(tombstones_read(s, clock_now_ms() - retention, keep_tombstone, &tombstones, err));
    w.tombstones = tombstones.files.at;
    w.tombstone_count = tombstones.files.len;
    TRY(write_file(&w, target, &size, err));
    TRY(write_hint(&w, size, err));
    return log_clean(s, err);
}

/* ---- what the checkpoint makes needless ---- */

static int64_t version_of(Str path)
{
    int64_t version;
    Str name = str_slice(path, sizeof LOG_FOLDER, path.len);
    return str_to_i64(str_slice(name, 0, 20), &version) ? version : INT64_MAX;
}

static bool delete_below(DeltaTable *t, const LogListing *l, int64_t version, Error *err)
{
    /* Ascending: a stop half-way leaves a log that is whole from some commit on. */
    for (size_t i = 0; i < l->commits.len && l->commits.at[i].version < version; i++)
        TRY(store_delete(t->store, l->commits.at[i].path, err));
    for (size_t i = 0; i < l->checkpoints.len; i++)
        for (size_t j = 0;
             l->checkpoints.at[i].version < version && j < l->checkpoints.at[i].paths.len; j++)
            TRY(store_delete(t->store, l->checkpoints.at[i].paths.at[j], err));
    /* PROTOCOL.md "Metadata Cleanup": compactions that start at the checkpoint go, too. */
    for (size_t i = 0; i < l->compactions.len; i++)
        if (l->compactions.at[i].first == version)
            TRY(store_delete(t->store, l->compactions.at[i].path, err));
    for (size_t i = 0; i < l->others.len; i++)
        if (version_of(l->others.at[i]) < version && !str_ends_with(l->others.at[i], S(".parquet")))
            TRY(store_delete(t->store, l->others.at[i], err));
    return true;
}

/* PROTOCOL.md "Checkpoint Protection" allows this on every table: no checkpoint is made for the
 * clean-up, and none after its end is erased. */
static bool clean_before(Snapshot *s, int64_t cutoff_ms, Error *err)
{
    AUTO_ARENA(arena) = arena_new();
    LogListing l;
    int64_t kept = -1, cutoff_version = -1;
    TRY(log_list(s->table->store, 0, arena, &l, err));
    for (size_t i = 0; i < l.commits.len && l.commits.at[i].modified_ms <= cutoff_ms; i++)
        cutoff_version = l.commits.at[i].version;
    for (size_t i = 0; i < l.checkpoints.len; i++)
        if (l.checkpoints.at[i].version <= cutoff_version && l.checkpoints.at[i].version > kept)
            kept = l.checkpoints.at[i].version;
    return kept < 0 || delete_below(s->table, &l, kept, err);
}

bool log_clean(Snapshot *s, Error *err)
{
    int64_t now = clock_now_ms();
    int64_t retention =
        metadata_interval_ms(&s->state->metadata, "delta.logRetentionDuration", 30 * DAY_MS);
    TRY(store_clean_temporary(s->table->store, S(LOG_FOLDER), now - DAY_MS, err));
    if (!snapshot_property_bool(s, "delta.enableExpiredLogCleanup", true))
        return true;
    return clean_before(s, (now - retention) / DAY_MS * DAY_MS /* midnight UTC */, err);
}

/* ---- what commands ask for ---- */

bool delta_checkpoint(DeltaTable *t, Error *err)
{
    Snapshot *newest;
    TRY(snapshot_newest(t, &newest, err));
    bool ok = checkpoint_write(newest, err);
    snapshot_unref(newest);
    return ok;
}

bool delta_truncate_history(Snapshot *s, int64_t retention_ms, Error *err)
{
    return clean_before(s, (clock_now_ms() - retention_ms) / MINUTE_MS * MINUTE_MS, err);
}

bool delta_history_is_gone(Snapshot *s, int64_t version, bool *gone, Error *err)
{
    AUTO_ARENA(arena) = arena_new();
    LogListing l;
    TRY(log_list(s->table->store, 0, arena, &l, err));
    *gone = version <= 0 || (l.checkpoints.len && l.checkpoints.at[0].version >= version &&
                             l.commits.len && l.commits.at[0].version >= version);
    return true;
}
