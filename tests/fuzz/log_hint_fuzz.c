/* A hostile _delta_log: names of files, one a line up to an empty one, then the bytes of _last_checkpoint. */
#include "delta/log_impl.h"
#include "delta_fuzz.h"
#include "store/store_impl.h"

typedef struct FakeLog {
    Store store;
    Str names, hint;
} FakeLog;

static bool read_hint(Store *s, Str path, size_t max_bytes, Arena *arena, bool *found, Str *out, Error *err)
{
    (void)arena;
    (void)err;
    const FakeLog *log = (const FakeLog *)s;
    *found = str_is(path, LOG_FOLDER "/_last_checkpoint") && log->hint.len <= max_bytes;
    *out = *found ? log->hint : S("");
    return true;
}

static int by_path(const void *a, const void *b)
{
    return str_cmp(((const StoreEntry *)a)->path, ((const StoreEntry *)b)->path);
}

/* As every store does: the names from `from` on, in order. */
static bool list_names(Store *s, Str folder, Str from, Arena *arena, StoreEntryVec *out, Error *err)
{
    (void)err;
    Str rest = ((const FakeLog *)s)->names;
    *out = (StoreEntryVec){0};
    while (rest.len && out->len < 256) {
        ptrdiff_t end = str_find_char(rest, '\n');
        Str name = end < 0 ? rest : str_slice(rest, 0, (size_t)end);
        rest = end < 0 ? S("") : str_slice(rest, (size_t)end + 1, rest.len);
        if (!name.len || str_cmp(name, from) < 0)
            continue;
        StoreEntry e = {.path = str_printf(arena, STR_FMT "/" STR_FMT, STR_ARG(folder), STR_ARG(name)), .size = 1};
        vec_push(arena, out, e);
    }
    if (out->len)
        qsort(out->at, out->len, sizeof *out->at, by_path);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const StoreOps ops = {.read = read_hint, .list = list_names};
    AUTO_ARENA(arena) = arena_new();
    Error err = error_in(arena);
    Str bytes = {(const char *)data, size};
    ptrdiff_t parted = str_find(bytes, S("\n\n"));
    FakeLog log = {.store = {.ops = &ops, .root = S("/fuzz")}, .names = bytes};
    if (parted >= 0) {
        log.names = str_slice(bytes, 0, (size_t)parted);
        log.hint = str_slice(bytes, (size_t)parted + 2, bytes.len);
    }
    int64_t hinted, earliest, latest;
    require(log_read_hint(&log.store, &hinted, &err));
    (void)log_json_checksum(log.hint, arena);
    for (int64_t version = -1; version < 3; version++) {
        LogSegment segment = {0};
        bool exists;
        if (log_segment(&log.store, version, INT64_MAX, arena, &segment, &exists, &err) && exists && version >= 0)
            require(segment.version == version);
        error_clear(&err);
    }
    if (log_range(&log.store, arena, &earliest, &latest, &err))
        require(earliest <= latest || latest < 0);
    return 0;
}
