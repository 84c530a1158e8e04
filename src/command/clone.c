/* SHALLOW CLONE: a new table of another's files, where they are; DEEP CLONE: of copies of them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "command/alter_impl.h"
#include "command/create_impl.h"

typedef struct Clone {
    Name source_name;
    Str source_text;          /* as the commit names it */
    int64_t source_version;   /* -1: plain files */
    Snapshot *snapshot;       /* NULL: plain files */
    DeltaTable *table;
    Metadata *metadata;
    Protocol protocol;
    AddFileVec files;         /* as the new log has them */
    VEC(Str) locations;       /* where each file is now */
    int64_t source_bytes, copied_files, copied_bytes, removed_files, removed_bytes;
} Clone;

/* ---- the source ---- */

static void release_snapshot(void *s)
{
    snapshot_unref(s);
}

static bool travel_to(CommandContext *ctx, const TimeTravel *travel, const Target *t, Clone *v, Error *err)
{
    Value at;
    v->snapshot = t->snapshot;
    if (travel->kind == TRAVEL_NONE)
        return true;
    if (travel->kind == TRAVEL_VERSION) {
        TRY(analyze_constant(ctx->analyzer, travel->value, type_simple(TYPE_LONG), &at, err));
        TRY(snapshot_at_version(t->table, at.integer, &v->snapshot, err));
    } else {
        TRY(analyze_constant(ctx->analyzer, travel->value, type_simple(TYPE_TIMESTAMP), &at, err));
        TRY(snapshot_at_timestamp(t->table, at.integer, &v->snapshot, err));
    }
    arena_on_free(ctx->arena, release_snapshot, v->snapshot);
    return analyze_check_retention(ctx->analyzer, t->snapshot, v->snapshot, err);
}

static bool plain_source(CommandContext *ctx, Str folder, Clone *v, Error *err)
{
    ForeignFiles files = {.folder = folder, .partitions = type_struct(NULL, 0, ctx->arena), .with_statistics = true, .absolute = true};
    TRY(find_foreign_files(ctx, &files, err));
    v->source_version = -1;
    v->metadata = foreign_metadata(ctx, &files);
    v->source_text = str_printf(ctx->arena, "parquet.`file:" STR_FMT "`", STR_ARG(folder));
    TRY(protocol_for_metadata(v->metadata, ctx->arena, &v->protocol, err));
    for (size_t i = 0; i < files.files.len; i++) {
        Str path;
        TRY(path_uri_decode(files.files.at[i].path, ctx->arena, &path, err));
        vec_push(ctx->arena, &v->files, files.files.at[i]);
        vec_push(ctx->arena, &v->locations, str_slice(path, 5, path.len));
    }
    return true;
}

static bool delta_source(CommandContext *ctx, const Command *c, Clone *v, Error *err)
{
    Target t;
    FileList files = {0};
    TRY(target_open(ctx, &c->table.clone_source, c->origin, &t, err));
    TRY(travel_to(ctx, &c->table.clone_travel, &t, v, err));
    v->table = t.table;
    v->source_version = snapshot_version(v->snapshot);
    v->source_text = t.resolved.kind == RESOLVED_TABLE ? t.name : str_printf(ctx->arena, "delta.`%s" STR_FMT "`", store_is_remote(delta_table_location(t.table)) ? "" : "file:", STR_ARG(delta_table_location(t.table)));
    v->metadata = metadata_copy(snapshot_metadata(v->snapshot), ctx->arena);
    v->metadata->id = clock_uuid_in(ctx->arena);
    metadata_forget_row_columns(v->metadata);
    v->protocol = *snapshot_protocol(v->snapshot);
    snapshot_files(v->snapshot, ctx->arena, &files);
    for (size_t i = 0; i < files.len; i++) {
        Str location;
        TRY(delta_file_location(t.table, files.at[i]->path, ctx->arena, &location, err));
        AddFile f = *files.at[i];
        f.has_base_row_id = false; /* the clone gives ids of its own, as Delta's does */
        vec_push(ctx->arena, &v->files, f);
        vec_push(ctx->arena, &v->locations, location);
    }
    return true;
}

static bool open_source(CommandContext *ctx, const Command *c, Clone *v, Error *err)
{
    const Name *name = &c->table.clone_source;
    if (name->len == 2 && str_is_ci(name->at[0], "parquet"))
        TRY(plain_source(ctx, name->at[1], v, err));
    else
        TRY(delta_source(ctx, c, v, err));
    for (size_t i = 0; i < v->files.len; i++)
        v->source_bytes += v->files.at[i].size;
    return true;
}

/* ---- the files ---- */

static Str file_uri(CommandContext *ctx, Str location)
{
    Str remote;
    if (store_remote_uri(location, ctx->arena, &remote))
        return path_uri_encode(remote, ctx->arena);
    return location.ptr[0] == '/' ? str_concat(ctx->arena, S("file:"), path_uri_encode(location, ctx->arena)) : location;
}

static bool vector_location(CommandContext *ctx, const Clone *v, const DeletionVector *dv, Str *out, Error *err)
{
    Str path = dv->path_or_inline;
    if (dv->storage == 'u')
        TRY(deletion_vector_path(dv, ctx->arena, &path, err));
    return delta_file_location(v->table, path, ctx->arena, out, err);
}

static bool point_to_vector(CommandContext *ctx, const Clone *v, AddFile *f, Error *err)
{
    if (!f->dv || f->dv->storage == 'i')
        return true;
    DeletionVector *dv = ARENA_NEW(ctx->arena, DeletionVector);
    Str location;
    *dv = *f->dv;
    TRY(vector_location(ctx, v, f->dv, &location, err));
    dv->storage = 'p';
    dv->path_or_inline = file_uri(ctx, location);
    f->dv = dv;
    return true;
}

static bool point_to_files(CommandContext *ctx, Clone *v, Error *err)
{
    for (size_t i = 0; i < v->files.len; i++) {
        v->files.at[i].path = file_uri(ctx, v->locations.at[i]);
        v->files.at[i].data_change = true;
        TRY(point_to_vector(ctx, v, &v->files.at[i], err));
    }
    return true;
}

static bool copy_failure(Error *err, Str path)
{
    return error_set(err, ERR_LAKESHED_FILE, P("path", path), PZ("reason", strerror(errno)));
}

static bool copy_bytes(int from, int to, Str path, Error *err)
{
    enum { PIECE = 1 << 30 };
    ssize_t n;
    while ((n = copy_file_range(from, NULL, to, NULL, PIECE, 0)) > 0)
        continue;
    return (n == 0 && fsync(to) == 0) || copy_failure(err, path);
}

static bool copy_file(CommandContext *ctx, Store *store, Str from, Str to, Error *err)
{
    Str folder = str_slice(to, 0, 0), target = store_duckdb_path(store, to, ctx->arena);
    for (size_t i = 0; i < to.len; i++)
        if (to.ptr[i] == '/')
            folder = str_slice(to, 0, i);
    if (from.ptr[0] != '/' || target.ptr[0] != '/')
        return error_unsupported(err, "DEEP CLONE from " STR_FMT, STR_ARG(from));
    TRY(store_bring(&from, 1, STORE_IMMUTABLE, ctx->arena, err));
    TRY(store_make_folder(store, folder, err));
    int in = open(str_z(from, ctx->arena), O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return copy_failure(err, from);
    int out = open(str_z(target, ctx->arena), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    bool ok = out >= 0 ? copy_bytes(in, out, target, err) : copy_failure(err, target);
    close(in);
    if (out >= 0)
        close(out);
    return ok && store_sync_files(store, &to, 1, err);
}

/* A copy has a name of its own: two files of a source may be called alike. */
static Str copied_name(CommandContext *ctx, const AddFile *f, const char *suffix)
{
    Str folder = partition_folder(&f->partition_values, ctx->arena);
    return str_printf(ctx->arena, STR_FMT "%spart-" STR_FMT "%s", STR_ARG(folder), folder.len ? "/" : "", STR_ARG(clock_uuid_in(ctx->arena)), suffix);
}

static bool copy_vector(CommandContext *ctx, Clone *v, Store *store, AddFile *f, Error *err)
{
    if (!f->dv || f->dv->storage == 'i')
        return true;
    Str location, name = str_printf(ctx->arena, "deletion_vector_" STR_FMT ".bin", STR_ARG(clock_uuid_in(ctx->arena)));
    DeletionVector *dv = ARENA_NEW(ctx->arena, DeletionVector);
    *dv = *f->dv;
    TRY(vector_location(ctx, v, f->dv, &location, err));
    TRY(copy_file(ctx, store, location, name, err));
    dv->storage = 'p';
    dv->path_or_inline = file_uri(ctx, store_duckdb_path(store, name, ctx->arena));
    f->dv = dv;
    return true;
}

static bool copy_files(CommandContext *ctx, Clone *v, Store *store, Error *err)
{
    for (size_t i = 0; i < v->files.len; i++) {
        AddFile *f = &v->files.at[i];
        if (ctx->run.cancel && cancel_is_raised(ctx->run.cancel))
            return error_set(err, ERR_OPERATION_CANCELED);
        Str name = copied_name(ctx, f, ".c000.snappy.parquet");
        TRY(copy_file(ctx, store, v->locations.at[i], name, err));
        f->path = path_uri_encode(name, ctx->arena);
        f->data_change = true;
        TRY(copy_vector(ctx, v, store, f, err));
        v->copied_files++;
        v->copied_bytes += f->size;
    }
    return true;
}

/* ---- the new table ---- */

static bool set_properties(CommandContext *ctx, const Command *c, Clone *v, Error *err)
{
    ProtocolWish wish = {0};
    for (size_t i = 0; i < c->table.spec.properties.len; i++) {
        const KeyValue *kv = &c->table.spec.properties.at[i];
        Str key = kv->key;
        TRY(check_reserved_property(key, err));
        bool taken;
        if (!str_istarts_with(key, S("delta.feature.")))
            TRY(check_delta_property(ctx, &key, kv->value, err));
        TRY(protocol_property(ctx, key, kv->value, &wish, &taken, err));
        if (!taken)
            metadata_set_property(v->metadata, key, kv->value, ctx->arena);
    }
    bool changed;
    ColumnMapping was = v->snapshot ? snapshot_column_mapping(v->snapshot) : MAPPING_NONE, is = metadata_column_mapping(v->metadata);
    if (was != is)
        return error_set(err, ERR_DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE, P("oldMode", mapping_name(was)), P("newMode", mapping_name(is)));
    TRY(protocol_fulfil(ctx, &wish, &v->protocol, err));
    return protocol_upgrade_for(&v->protocol, v->metadata, ctx->arena, &changed, err);
}

/* Without a count of its rows a file gets no ids. */
static bool check_counts(const Clone *v, Error *err)
{
    for (size_t i = 0; i < v->files.len && protocol_has_feature(&v->protocol, "rowTracking"); i++)
        if (stats_num_records(v->files.at[i].stats) < 0)
            return error_set(err, ERR_DELTA_CLONE_WITH_ROW_TRACKING_WITHOUT_STATS);
    return true;
}

static bool commit_clone(CommandContext *ctx, const Target *target, Clone *v, Error *err)
{
    CommitNote note = {.operation = S("CLONE"), .started_us = clock_monotonic_us()};
    Transaction *x = transaction_begin(target->table, target->snapshot, ctx->arena);
    transaction_set_metadata(x, v->metadata);
    transaction_set_protocol(x, &v->protocol);
    if (target->snapshot) {
        FileList old = {0};
        snapshot_files(target->snapshot, ctx->arena, &old);
        transaction_read_whole_table(x);
        for (size_t i = 0; i < old.len; i++) {
            transaction_remove(x, old.at[i], true);
            v->removed_files++;
            v->removed_bytes += old.at[i]->size;
        }
    }
    for (size_t i = 0; i < v->files.len; i++)
        transaction_add(x, &v->files.at[i]);
    note_parameter_text(ctx, &note, "source", v->source_text);
    note_parameter(ctx, &note, "sourceVersion", str_printf(ctx->arena, "%lld", (long long)v->source_version));
    note_metric(ctx, &note, "sourceTableSize", v->source_bytes);
    note_metric(ctx, &note, "sourceNumOfFiles", (int64_t)v->files.len);
    note_metric(ctx, &note, "numRemovedFiles", v->removed_files);
    note_metric(ctx, &note, "removedFilesSize", v->removed_bytes);
    note_metric(ctx, &note, "numCopiedFiles", v->copied_files);
    note_metric(ctx, &note, "copiedFilesSize", v->copied_bytes);
    bool ok = note_commit(ctx, x, &note, NULL, err);
    transaction_end(x);
    return ok;
}

/* What a table that is there already means for the clone; *done: nothing is left to do. */
static bool check_target(CommandContext *ctx, const Command *c, const NewTable *t, const Target *target, bool *done, Error *err)
{
    bool replace = c->table.replace || c->existence == OR_REPLACE;
    *done = false;
    if (!t->exists_in_log && !t->exists_in_catalog)
        return true;
    if (!replace && t->exists_in_catalog && c->existence == IF_NOT_EXISTS)
        return *done = true;
    if (!replace && t->exists_in_catalog) {
        Str parts[3] = {t->catalog, t->schema, t->name};
        Name n = name_of(ctx->arena, 3, parts);
        return error_set(err, ERR_TABLE_OR_VIEW_ALREADY_EXISTS, P("relationName", name_quoted(&n, ctx->arena)));
    }
    if (!replace)
        return error_set(err, ERR_DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION, P("tableId", target->name), P("tableLocation", t->location));
    FileList files = {0};
    if (target->snapshot)
        snapshot_files(target->snapshot, ctx->arena, &files);
    if (files.len && session_bool(ctx->session, "lakeshed.strict", false))
        return error_set(err, ERR_DELTA_UNSUPPORTED_NON_EMPTY_CLONE);
    return true;
}

static void keep_identity(CommandContext *ctx, const Target *target, Clone *v)
{
    if (!target->snapshot)
        return;
    v->metadata->id = snapshot_metadata(target->snapshot)->id;
    const Protocol *old = snapshot_protocol(target->snapshot);
    Error ignored = error_in(ctx->arena);
    DeltaStrVec features = {0};
    protocol_features(old, ctx->arena, &features);
    for (size_t i = 0; i < features.len; i++)
        if (!protocol_add_feature(&v->protocol, str_z(features.at[i], ctx->arena), ctx->arena, &ignored))
            error_clear(&ignored);
}

static BoundRel *answer(CommandContext *ctx, const Clone *v)
{
    static const char *const NAMES[] = {"source_table_size", "source_num_of_files", "num_removed_files", "num_copied_files", "removed_files_size",
                                        "copied_files_size"};
    int64_t values[] = {v->source_bytes, (int64_t)v->files.len, v->removed_files, v->copied_files, v->removed_bytes, v->copied_bytes};
    return result_counts(ctx, LENGTH_OF(NAMES), NAMES, values);
}

bool run_clone(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    NewTable t = {0};
    Clone v = {0};
    Target target;
    bool done;
    TRY(command_name(ctx, c, &name, err));
    TRY(new_table_place(ctx, c, &name, &t, err));
    if (t.exists_in_catalog) {
        t.location = t.old.location;
        t.managed = t.old.managed;
        t.id = t.old.id;
    }
    TRY(new_table_open(ctx, &t, &target, err));
    TRY(check_target(ctx, c, &t, &target, &done, err));
    *result = answer(ctx, &v);
    if (done)
        return true;
    TRY(open_source(ctx, c, &v, err));
    TRY(set_properties(ctx, c, &v, err));
    keep_identity(ctx, &target, &v);
    TRY(check_counts(&v, err));
    TRY(c->table.shallow ? point_to_files(ctx, &v, err) : copy_files(ctx, &v, delta_table_store(target.table), err));
    bool ok = commit_clone(ctx, &target, &v, err);
    if (!ok && !c->table.shallow && !commit_may_stand(err))
        discard_files(target.table, &v.files);
    *result = answer(ctx, &v);
    return ok && new_table_register(ctx, &t, &c->table.spec, err);
}
