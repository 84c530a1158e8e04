/* GENERATE symlink_format_manifest: lists of a table's files, a list a partition, for engines that read no log. */
#include "base/map.h"
#include "command/command_impl.h"

#define MANIFEST_FOLDER "_symlink_format_manifest"

typedef struct Manifests {
    CommandContext *ctx;
    DeltaTable *table;
    Map lists; /* manifest path to Buf */
    StrVec paths;
    Error *err;
} Manifests;

static bool add_file(Manifests *m, const AddFile *f)
{
    Arena *a = m->ctx->arena;
    Str location, folder = partition_folder(&f->partition_values, a);
    TRY(delta_file_location(m->table, f->path, a, &location, m->err));
    Str path = folder.len ? str_printf(a, MANIFEST_FOLDER "/" STR_FMT "/manifest", STR_ARG(folder)) : S(MANIFEST_FOLDER "/manifest");
    Buf *list = map_get(&m->lists, path);
    if (!list) {
        list = ARENA_NEW(a, Buf);
        *list = buf_in(a);
        map_put(&m->lists, path, list);
        vec_push(a, &m->paths, path);
    }
    location = store_shown(location, a);
    buf_addf(list, "%s" STR_FMT "\n", location.ptr[0] == '/' ? "file:" : "", STR_ARG(location));
    return true;
}

/* The list of a partition that the table no longer has. */
static bool drop_stale(const StoreEntry *e, void *arg)
{
    Manifests *m = arg;
    return map_has(&m->lists, e->path) || store_delete(delta_table_store(m->table), e->path, m->err);
}

bool write_manifests(CommandContext *ctx, DeltaTable *table, Snapshot *snapshot, Error *err)
{
    Manifests m = {.ctx = ctx, .table = table, .lists = map_in(ctx->arena), .err = err};
    FileList files = {0};
    if (snapshot_column_mapping(snapshot) != MAPPING_NONE)
        return error_set(err, ERR_DELTA_UNSUPPORTED_MANIFEST_GENERATION_WITH_COLUMN_MAPPING);
    snapshot_files(snapshot, ctx->arena, &files);
    for (size_t i = 0; i < files.len; i++) {
        if (files.at[i]->dv)
            return error_set(err, ERR_DELTA_UNSUPPORTED_GENERATE_WITH_DELETION_VECTORS);
        TRY(add_file(&m, files.at[i]));
    }
    for (size_t i = 0; i < m.paths.len; i++) {
        Buf *list = map_get(&m.lists, m.paths.at[i]);
        Str path = m.paths.at[i];
        TRY(store_make_folder(delta_table_store(table), str_slice(path, 0, path.len - sizeof "/manifest" + 1), err));
        TRY(store_put(delta_table_store(table), path, buf_str(list), err));
    }
    return store_walk(delta_table_store(table), S(MANIFEST_FOLDER), drop_stale, &m, err);
}

bool update_manifests(CommandContext *ctx, const Transaction *x, Error *err)
{
    Snapshot *newest;
    if (!str_is_ci(metadata_property(transaction_metadata(x), "delta.compatibility.symlinkFormatManifest.enabled"), "true"))
        return true;
    TRY(snapshot_newest(transaction_table(x), &newest, err));
    bool ok = write_manifests(ctx, transaction_table(x), newest, err);
    snapshot_unref(newest);
    return ok;
}

bool run_generate(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    Target t;
    *result = result_none(ctx);
    if (!str_is_ci(c->delta.op, "symlink_format_manifest"))
        return error_set(err, ERR_DELTA_MODE_NOT_SUPPORTED, P("mode", c->delta.op), PZ("supportedModes", "symlink_format_manifest"));
    TRY(command_name(ctx, c, &name, err));
    TRY(target_open(ctx, &name, c->origin, &t, err));
    return write_manifests(ctx, t.table, t.snapshot, err);
}
