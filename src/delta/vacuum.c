/* Which files below a table nothing needs any more: not the snapshot, not a young tombstone, not
 * their vectors. */
#include "delta/vacuum.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "delta/deletion_vector.h"
#include "delta/partition.h"
#include "delta/schema.h"
#include "delta/snapshot_impl.h"

static const int64_t DAY_MS = 86400000;

int64_t vacuum_retention_ms(const Snapshot *s)
{
    return metadata_interval_ms(&s->state->metadata, "delta.deletedFileRetentionDuration",
                                7 * DAY_MS);
}

/* Hashes of paths: two paths of one hash only ever keep a file too much. */
typedef struct HashSet {
    uint64_t *slots;
    size_t count, cap;
} HashSet;

static void place(uint64_t *slots, size_t cap, uint64_t hash)
{
    size_t i = hash & (cap - 1);
    while (slots[i] && slots[i] != hash)
        i = (i + 1) & (cap - 1);
    slots[i] = hash;
}

static void hash_set_add(HashSet *s, uint64_t hash)
{
    hash |= 1; /* 0 marks a free slot */
    if (s->count * 2 >= s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 1024;
        uint64_t *slots = calloc(cap, sizeof *slots);
        if (!slots)
            panic("out of memory");
        for (size_t i = 0; i < s->cap; i++)
            if (s->slots[i])
                place(slots, cap, s->slots[i]);
        free(s->slots);
        s->slots = slots;
        s->cap = cap;
    }
    place(s->slots, s->cap, hash);
    s->count++;
}

static bool hash_set_has(const HashSet *s, uint64_t hash)
{
    if (!s->cap)
        return false;
    hash |= 1;
    for (size_t i = hash & (s->cap - 1); s->slots[i]; i = (i + 1) & (s->cap - 1))
        if (s->slots[i] == hash)
            return true;
    return false;
}

/* ---- what is needed ---- */

typedef struct Keep {
    HashSet set;
    Str root; /* with a slash at the end: absolute paths below it count as relative ones */
    Arena *arena;
} Keep;

static bool keep_path(Keep *k, Str log_path, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    Str path;
    TRY(path_uri_decode(log_path, scratch, &path, err));
    if (str_starts_with(path, S("file:")))
        path = str_slice(path, 5, path.len);
    while (str_starts_with(path, S("//")))
        path = str_slice(path, 1, path.len);
    if (store_is_remote(path)) /* s3a:// and s3n:// where the root says s3:// */
        path = str_concat(scratch, S("s3"), str_slice(path, (size_t)str_find_char(path, ':'), path.len));
    if (str_starts_with(path, k->root))
        path = str_slice(path, k->root.len, path.len);
    /* The walk's paths are plain: hashed as they are, not as URIs. */
    hash_set_add(&k->set, str_hash(path));
    return true;
}

static bool keep_file(Keep *k, Str path, const DeletionVector *dv, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    Str vector;
    TRY(keep_path(k, path, err));
    if (!dv || dv->storage == 'i')
        return true;
    if (dv->storage == 'p')
        return keep_path(k, dv->path_or_inline, err);
    TRY(deletion_vector_path(dv, scratch, &vector, err));
    hash_set_add(&k->set, str_hash(vector));
    return true;
}

static bool keep_tombstone(void *arg, const RemoveFile *f, Error *err)
{
    return keep_file(arg, f->path, f->dv, err);
}

static bool gather(Keep *k, Snapshot *s, int64_t older_than_ms, Error *err)
{
    FileCursor cursor = file_set_cursor(s->files);
    for (const AddFile *f; (f = file_set_next_file(&cursor));)
        TRY(keep_file(k, f->path, f->dv, err));
    return tombstones_read(s, older_than_ms, keep_tombstone, k, err);
}

/* ---- the walk ---- */

/* What a writer of ours leaves when it is killed: its folder of unfinished files (engine/write.c), the
 * temporary file of a put. They go as any file does that nothing names. */
static bool is_left_over(Str part, bool last)
{
    return last ? str_ends_with(part, S(".lakeshed.tmp")) : str_starts_with(part, S(".writing-"));
}

/* Delta's rule: names that begin with '_' or '.' are hidden, except _change_data and folders of a
 * partition column. */
static bool is_hidden(const Metadata *m, Str part, bool last)
{
    if (!part.len || (part.ptr[0] != '_' && part.ptr[0] != '.'))
        return false;
    if (is_left_over(part, last))
        return false;
    if (str_is(part, "_change_data"))
        return last;
    ptrdiff_t equals = str_find_char(part, '=');
    return last || equals < 0 ||
           metadata_partition_index(m, str_slice(part, 0, (size_t)equals)) < 0;
}

static bool path_is_hidden(const Metadata *m, Str path)
{
    for (size_t i = 0; i < path.len;) {
        size_t end = i;
        while (end < path.len && path.ptr[end] != '/')
            end++;
        if (is_hidden(m, str_slice(path, i, end), end == path.len))
            return true;
        i = end + 1;
    }
    return false;
}

typedef struct Walk {
    const Metadata *metadata;
    const Keep *keep;
    int64_t older_than_ms;
    VacuumVisit visit;
    void *arg;
    Error *err;
    bool ok;
} Walk;

static bool on_file(const StoreEntry *e, void *arg)
{
    Walk *w = arg;
    if (e->modified_ms >= w->older_than_ms || path_is_hidden(w->metadata, e->path) ||
        hash_set_has(&w->keep->set, str_hash(e->path)))
        return true;
    w->ok = w->visit(e, w->arg, w->err);
    return w->ok;
}

bool vacuum_walk(Snapshot *s, StoreVisit visit, void *visit_arg, void *source_arg, Error *err)
{
    (void)source_arg;
    return store_walk(s->table->store, S(""), visit, visit_arg, err);
}

bool vacuum_plan(Snapshot *s, int64_t older_than_ms, VacuumSource source, void *source_arg,
                 VacuumVisit visit, void *arg, Error *err)
{
    AUTO_ARENA(arena) = arena_new();
    Keep keep = {.arena = arena,
                 .root = str_printf(arena, STR_FMT "/", STR_ARG(store_root(s->table->store)))};
    Walk walk = {&s->state->metadata, &keep, older_than_ms, visit, arg, err, true};
    bool ok = gather(&keep, s, older_than_ms, err) && source(s, on_file, &walk, source_arg, err) &&
              walk.ok;
    free(keep.set.slots);
    return ok;
}

/* ---- folders ---- */

typedef struct FolderWalk {
    Snapshot *snapshot;
    bool remove;
    int64_t *removed, *seen;
    Error *err;
    bool ok;
} FolderWalk;

/* An empty folder of unfinished files may be that of a writer at work. */
static bool is_in_use(const StoreEntry *e)
{
    return (str_starts_with(e->path, S(".writing-")) || str_find(e->path, S("/.writing-")) >= 0) &&
           e->modified_ms > clock_now_ms() - DAY_MS;
}

static bool on_folder(const StoreEntry *e, void *arg)
{
    FolderWalk *w = arg;
    bool removed = false;
    Str path = e->path;
    if (is_in_use(e) || str_is(path, LOG_FOLDER) || str_starts_with(path, S(LOG_FOLDER "/")) ||
        (path_is_hidden(&w->snapshot->state->metadata,
                        str_printf(w->err->arena, STR_FMT "/x", STR_ARG(path)))))
        return true;
    ++*w->seen;
    if (w->remove)
        w->ok = store_delete_folder(w->snapshot->table->store, path, &removed, w->err);
    *w->removed += removed;
    return w->ok;
}

bool vacuum_empty_folders(Snapshot *s, bool remove, int64_t *removed, int64_t *seen, Error *err)
{
    FolderWalk walk = {s, remove, removed, seen, err, true};
    *removed = *seen = 0;
    return store_walk_folders(s->table->store, S(""), on_folder, &walk, err) && walk.ok;
}
