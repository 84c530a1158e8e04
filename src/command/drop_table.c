/* DROP TABLE and TRUNCATE: what a managed table leaves behind is deleted, what the user placed is not. */
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/command_impl.h"

typedef struct Deleting {
    Store *store;
    Arena *arena; /* of the paths, which go together */
    StrVec paths;
    Error *err;
    bool ok;
} Deleting;

static bool delete_together(Deleting *d)
{
    bool ok = store_delete_many(d->store, d->paths.at, d->paths.len, d->err);
    d->paths = (StrVec){0};
    arena_free(d->arena);
    d->arena = arena_new();
    return ok;
}

static bool delete_object(const StoreEntry *e, void *arg)
{
    Deleting *d = arg;
    vec_push(d->arena, &d->paths, str_copy(e->path, d->arena));
    d->ok = d->paths.len < STORE_DELETE_MAX || delete_together(d);
    return d->ok;
}

static bool delete_objects(CommandContext *ctx, Str location, Error *err)
{
    Deleting d = {.err = err, .ok = true, .arena = arena_new()};
    bool ok = store_open(location, ctx->arena, &d.store, err) && store_walk(d.store, S(""), delete_object, &d, err) && d.ok &&
              delete_together(&d);
    arena_free(d.arena);
    return ok;
}

/* Only below the folder, never through a symbolic link. */
bool delete_table_files(CommandContext *ctx, Str location, Error *err)
{
    if (store_is_remote(location))
        return delete_objects(ctx, location, err);
    char *root = str_z(location, ctx->arena);
    char *paths[] = {root, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (!walk)
        return error_set(err, ERR_LAKESHED_FILE, PZ("path", root), PZ("reason", strerror(errno)));
    bool ok = true;
    for (FTSENT *e; ok && (e = fts_read(walk));) {
        if (e->fts_info == FTS_D || e->fts_info == FTS_NS)
            continue;
        if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR) {
            ok = error_set(err, ERR_LAKESHED_FILE, PZ("path", e->fts_path), PZ("reason", strerror(e->fts_errno)));
            break;
        }
        int rc = e->fts_info == FTS_DP ? rmdir(e->fts_accpath) : unlink(e->fts_accpath);
        if (rc && errno != ENOENT)
            ok = error_set(err, ERR_LAKESHED_FILE, PZ("path", e->fts_path), PZ("reason", strerror(errno)));
    }
    fts_close(walk);
    return ok;
}

static bool make_parent(CommandContext *ctx, Str path, Error *err)
{
    Store *store;
    ptrdiff_t slash = str_rfind_char(path, '/');
    TRY(store_open(str_slice(path, 0, slash > 0 ? (size_t)slash : 1), ctx->arena, &store, err));
    return store_make_folder(store, S(""), err);
}

bool move_folder(CommandContext *ctx, Str from, Str to, Error *err)
{
    if (store_is_remote(from) || store_is_remote(to))
        return error_unsupported(err, "Moving the table at " STR_FMT ", which is on S3,", STR_ARG(from));
    TRY(make_parent(ctx, to, err));
    return !rename(str_z(from, ctx->arena), str_z(to, ctx->arena)) ||
           error_set(err, ERR_LAKESHED_FILE, P("path", to), PZ("reason", strerror(errno)));
}

typedef struct ObjectWalk {
    CommandContext *ctx;
    Str root;
    size_t depth;
    Map folders;
    StrVec *out;
    int64_t bytes;
} ObjectWalk;

/* The first `depth` folders of a path, or all of it for 0; empty where one of its parts is hidden, or there are not as many. */
static Str visible_part(Str path, size_t depth)
{
    size_t end = 0, parts = 0;
    for (size_t from = 0; from < path.len; from = end + 1, parts++) {
        if (depth && parts == depth)
            return str_slice(path, 0, from - 1);
        if (path.ptr[from] == '.' || path.ptr[from] == '_')
            return S("");
        for (end = from; end < path.len && path.ptr[end] != '/';)
            end++;
    }
    return depth ? S("") : path;
}

static bool note_object(const StoreEntry *e, void *arg)
{
    ObjectWalk *w = arg;
    Str part = visible_part(e->path, w->depth);
    if (!part.len || (w->depth && map_has(&w->folders, part)))
        return true;
    w->bytes += e->size;
    part = str_copy(part, w->ctx->arena);
    if (w->depth)
        map_put(&w->folders, part, w);
    else
        part = str_printf(w->ctx->arena, STR_FMT "/" STR_FMT, STR_ARG(w->root), STR_ARG(part));
    vec_push(w->ctx->arena, w->out, part);
    return true;
}

static bool walk_objects(CommandContext *ctx, Str root, size_t depth, StrVec *out, int64_t *bytes, Error *err)
{
    ObjectWalk w = {.ctx = ctx, .root = root, .depth = depth, .folders = map_in(ctx->arena), .out = out};
    Store *store;
    TRY(store_open(root, ctx->arena, &store, err));
    TRY(store_walk(store, S(""), note_object, &w, err));
    *bytes = w.bytes;
    return true;
}

/* Walks below root; folders at one depth when depth is not 0, else files. */
static bool walk_below(CommandContext *ctx, Str root, size_t depth, StrVec *out, int64_t *bytes, Error *err)
{
    *bytes = 0;
    if (store_is_remote(root))
        return walk_objects(ctx, root, depth, out, bytes, err);
    char *top = str_z(root, ctx->arena), *paths[] = {top, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (!walk)
        return error_set(err, ERR_LAKESHED_FILE, PZ("path", top), PZ("reason", strerror(errno)));
    for (FTSENT *e; (e = fts_read(walk));) {
        if (e->fts_level > 0 && (e->fts_name[0] == '.' || e->fts_name[0] == '_')) {
            fts_set(walk, e, FTS_SKIP);
            continue;
        }
        bool wanted = depth ? e->fts_info == FTS_D && e->fts_level == (int)depth : e->fts_info == FTS_F;
        *bytes += wanted ? e->fts_statp->st_size : 0;
        if (wanted)
            vec_push(ctx->arena, out, str_copy(str_from(depth ? e->fts_path + root.len + 1 : e->fts_path), ctx->arena));
        if (depth && e->fts_info == FTS_D && e->fts_level == (int)depth)
            fts_set(walk, e, FTS_SKIP);
    }
    fts_close(walk);
    return true;
}

bool list_folders(CommandContext *ctx, Str root, size_t depth, StrVec *out, Error *err)
{
    int64_t bytes;
    return walk_below(ctx, root, depth, out, &bytes, err);
}

bool list_folder_files(CommandContext *ctx, Str root, StrVec *out, Error *err)
{
    int64_t bytes;
    return walk_below(ctx, root, 0, out, &bytes, err);
}

bool folder_size(CommandContext *ctx, Str root, int64_t *bytes, Error *err)
{
    StrVec files = {0};
    int64_t own;
    TRY(walk_below(ctx, root, 0, &files, &own, err));
    *bytes += own;
    return true;
}

static bool not_found(CommandContext *ctx, const Command *c, const Name *name, Error *err)
{
    return c->existence == IF_EXISTS || error_set(err, ERR_TABLE_OR_VIEW_NOT_FOUND, P("relationName", name_quoted(name, ctx->arena)));
}

bool run_drop_table(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    Str catalog, schema, object;
    bool found;
    TableEntry e;
    *result = result_none(ctx);
    TRY(command_name(ctx, c, &name, err));
    if (name.len == 1 && session_temp_view(ctx->session, name.at[0], false)) {
        session_drop_temp_view(ctx->session, name.at[0], false);
        return true;
    }
    TRY(command_object_name(ctx, &name, &catalog, &schema, &object, err));
    TRY(catalog_has_catalog(session_catalog(ctx->session), catalog, &found, err));
    if (found)
        TRY(catalog_get_table(session_catalog(ctx->session), catalog, schema, object, ctx->arena, &found, &e, err));
    if (!found)
        return not_found(ctx, c, &name, err);
    if (e.kind == OBJECT_VIEW)
        return error_set(err, ERR_WRONG_COMMAND_FOR_OBJECT_TYPE, PZ("operation", "DROP TABLE"), PZ("requiredType", "EXTERNAL or MANAGED"),
                         P("objectName", name_text(&name, ctx->arena)), PZ("foundType", "VIEW"), PZ("alternative", "DROP VIEW"));
    TRY(catalog_drop_table(session_catalog(ctx->session), catalog, schema, object, err));
    return !e.managed || delete_table_files(ctx, e.location, err);
}

bool run_truncate(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    ResolvedTable r;
    TRY(command_name(ctx, c, &name, err));
    TRY(analyze_table_name(ctx->analyzer, &name, c->origin, &r, err));
    if (r.kind == RESOLVED_TABLE && !is_delta(&r)) {
        *result = result_none(ctx);
        return truncate_files(ctx, c, &r.entry, err);
    }
    if (c->cache.partition.len)
        return error_set(err, ERR_DELTA_TRUNCATE_TABLE_PARTITION_NOT_SUPPORTED);
    Command all = {.kind = CMD_TRUNCATE, .origin = c->origin, .name = c->name, .name_expr = c->name_expr};
    TRY(run_delete(ctx, &all, result, err));
    *result = result_none(ctx);
    return true;
}
