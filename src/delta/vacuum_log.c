/* VACUUM LITE: files are found in the log's removals, not in the folder. */
#include "base/map.h"
#include "delta/deletion_vector.h"
#include "delta/log_impl.h"
#include "delta/partition.h"
#include "delta/snapshot_impl.h"
#include "delta/time_impl.h"
#include "delta/vacuum.h"

typedef struct Removed {
    Snapshot *snapshot;
    StoreVisit visit;
    void *visit_arg;
    Arena *arena;
    Map seen;
    Str root;
    bool stopped;
} Removed;

/* Files outside the table, as clones have them, are not ours to delete. */
static bool path_below(const Removed *r, Str log_path, Str *out, Error *err)
{
    TRY(path_uri_decode(log_path, r->arena, out, err));
    if (str_starts_with(*out, S("file:")))
        *out = str_slice(*out, 5, out->len);
    while (str_starts_with(*out, S("//")))
        *out = str_slice(*out, 1, out->len);
    if (str_starts_with(*out, r->root))
        *out = str_slice(*out, r->root.len, out->len);
    return true;
}

static bool offer(Removed *r, Str path, Error *err)
{
    StoreEntry entry;
    bool found;
    if (r->stopped || path.ptr[0] == '/' || str_find(path, S(":/")) >= 0 || map_has(&r->seen, path))
        return true;
    map_put(&r->seen, path, r);
    TRY(store_stat(r->snapshot->table->store, path, &found, &entry, err));
    r->stopped = found && !r->visit(&entry, r->visit_arg);
    return true;
}

static bool offer_removal(Removed *r, const RemoveFile *f, Error *err)
{
    Str path, vector;
    TRY(path_below(r, f->path, &path, err));
    TRY(offer(r, path, err));
    if (!f->dv || f->dv->storage == 'i')
        return true;
    if (f->dv->storage == 'u')
        TRY(deletion_vector_path(f->dv, r->arena, &vector, err));
    else
        TRY(path_below(r, f->dv->path_or_inline, &vector, err));
    return offer(r, vector, err);
}

bool vacuum_log(Snapshot *s, StoreVisit visit, void *visit_arg, void *source_arg, Error *err)
{
    AUTO_ARENA(arena) = arena_new();
    Removed r = {.snapshot = s, .visit = visit, .visit_arg = visit_arg, .arena = arena, .seen = map_in(arena),
                 .root = str_printf(arena, STR_FMT "/", STR_ARG(store_root(s->table->store)))};
    (void)source_arg;
    for (int64_t version = 0; version <= snapshot_version(s) && !r.stopped; version++) {
        AUTO_ARENA(scratch) = arena_new();
        CommitActions actions;
        bool found;
        TRY(commit_read(s->table, version, ACTIONS_OF(ACTION_REMOVE) | ACTIONS_OF(ACTION_CDC), scratch, &actions, &found, err));
        if (!found)
            return error_set(err, ERR_DELTA_CANNOT_VACUUM_LITE);
        for (size_t i = 0; i < actions.removes.len && !r.stopped; i++)
            TRY(offer_removal(&r, &actions.removes.at[i], err));
        for (size_t i = 0; i < actions.cdcs.len && !r.stopped; i++) {
            Str path;
            TRY(path_below(&r, actions.cdcs.at[i].path, &path, err));
            TRY(offer(&r, path, err));
        }
    }
    return true;
}
