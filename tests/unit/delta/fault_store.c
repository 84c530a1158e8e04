/* A store that fails at the k-th operation; the first modes stay down, as a process that is killed
 * there would. */
#include "fault_store.h"

typedef enum Fate { WORK, FAIL_FIRST, FAIL_LAST, FAIL_HALF } Fate;

static Fate next(FaultStore *f)
{
    f->operations++;
    if (f->mode == FAULT_STEP)
        f->meanwhile(f->arg);
    if (!f->fail_at || f->operations < f->fail_at)
        return WORK;
    if (f->operations > f->fail_at)
        return f->mode < FAULT_MODES ? FAIL_FIRST : WORK;
    if (f->mode == FAULT_DELAY) {
        if (f->meanwhile)
            f->meanwhile(f->arg);
        return WORK;
    }
    if (f->mode == FAULT_AFTER || f->mode == FAULT_LOST_ONCE)
        return FAIL_LAST;
    return f->mode == FAULT_HALF ? FAIL_HALF : FAIL_FIRST;
}

static bool down(Error *err)
{
    error_clear(err);
    return error_set(err, ERR_LAKESHED_FILE, PZ("path", "fault"), PZ("reason", "injected"));
}

#define FORWARD(call)                                                                              \
    FaultStore *f = (FaultStore *)s;                                                               \
    Fate fate = next(f);                                                                           \
    if (fate == FAIL_FIRST || fate == FAIL_HALF)                                                   \
        return down(err);                                                                          \
    bool ok = (call);                                                                              \
    return fate == FAIL_LAST ? down(err) : ok

static bool fault_read(Store *s, Str path, size_t max, Arena *arena, bool *found, Str *out,
                       Error *err)
{
    FORWARD(store_read(f->real, path, max, arena, found, out, err));
}

static bool fault_read_range(Store *s, Str path, int64_t at, size_t len, Arena *arena, bool *found,
                             Str *out, Error *err)
{
    FORWARD(store_read_range(f->real, path, at, len, arena, found, out, err));
}

static bool fault_stat(Store *s, Str path, bool *found, StoreEntry *out, Error *err)
{
    FORWARD(store_stat(f->real, path, found, out, err));
}

/* What a kill between write and rename leaves: a dotted temporary file, half full. */
static void leave_half(FaultStore *f, Str path, Str content, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    ptrdiff_t slash = str_rfind_char(path, '/');
    Str torn = str_printf(scratch, STR_FMT "/." STR_FMT ".x.lakeshed.tmp",
                          STR_ARG(str_slice(path, 0, slash < 0 ? 0 : (size_t)slash)),
                          STR_ARG(str_slice(path, (size_t)(slash + 1), path.len)));
    if (slash > 0 && !store_put(f->real, torn, str_slice(content, 0, content.len / 2), err))
        error_clear(err);
}

static bool fault_put_if_absent(Store *s, Str path, Str content, bool *exists, Error *err)
{
    FaultStore *f = (FaultStore *)s;
    Fate fate = next(f);
    if (fate == FAIL_HALF)
        leave_half(f, path, content, err);
    if (fate == FAIL_FIRST || fate == FAIL_HALF)
        return down(err);
    bool ok = store_put_if_absent(f->real, path, content, exists, err);
    return fate == FAIL_LAST ? down(err) : ok;
}

static bool fault_put(Store *s, Str path, Str content, Error *err)
{
    FaultStore *f = (FaultStore *)s;
    Fate fate = next(f);
    if (fate == FAIL_HALF)
        leave_half(f, path, content, err);
    if (fate == FAIL_FIRST || fate == FAIL_HALF)
        return down(err);
    bool ok = store_put(f->real, path, content, err);
    return fate == FAIL_LAST ? down(err) : ok;
}

static bool fault_publish(Store *s, Str from, Str to, Error *err)
{
    FORWARD(store_publish(f->real, from, to, err));
}

static bool fault_list(Store *s, Str folder, Str from, Arena *arena, StoreEntryVec *out, Error *err)
{
    FORWARD(store_list(f->real, folder, from, arena, out, err));
}

static bool fault_walk(Store *s, Str folder, bool folders, StoreVisit visit, void *arg, Error *err)
{
    FORWARD(folders ? store_walk_folders(f->real, folder, visit, arg, err)
                    : store_walk(f->real, folder, visit, arg, err));
}

static bool fault_remove(Store *s, Str path, Error *err)
{
    FORWARD(store_delete(f->real, path, err));
}

static bool fault_remove_folder(Store *s, Str path, bool *removed, Error *err)
{
    FORWARD(store_delete_folder(f->real, path, removed, err));
}

static bool fault_make_folder(Store *s, Str path, Error *err)
{
    FORWARD(store_make_folder(f->real, path, err));
}

static bool fault_sync_files(Store *s, const Str *paths, size_t count, Error *err)
{
    FORWARD(store_sync_files(f->real, paths, count, err));
}

static bool fault_clean_temporary(Store *s, Str folder, int64_t older_than_ms, Error *err)
{
    FORWARD(store_clean_temporary(f->real, folder, older_than_ms, err));
}

static const StoreOps fault_ops = {
    .read = fault_read,
    .read_range = fault_read_range,
    .stat = fault_stat,
    .put_if_absent = fault_put_if_absent,
    .put = fault_put,
    .publish = fault_publish,
    .list = fault_list,
    .walk = fault_walk,
    .remove = fault_remove,
    .remove_folder = fault_remove_folder,
    .make_folder = fault_make_folder,
    .sync_files = fault_sync_files,
    .clean_temporary = fault_clean_temporary,
};

void fault_store_init(FaultStore *f, Store *real, int fail_at, FaultMode mode)
{
    *f = (FaultStore){{&fault_ops, store_root(real)}, real, fail_at, mode, 0, NULL, NULL};
}
