/* Folders that a streaming file sink wrote: _spark_metadata names the files that count. A file it does not name is of a batch that
 * was cut off. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "engine/file_list.h"
#include "store/store.h"

enum { LOG_MAX_BYTES = 256 << 20 };

#define LOG_FOLDER_NAME "_spark_metadata"

bool sink_log_exists(Str folder, Arena *arena)
{
    struct stat facts;
    Str path = str_printf(arena, STR_FMT "/" LOG_FOLDER_NAME, STR_ARG(folder));
    return !stat(path.ptr, &facts) && S_ISDIR(facts.st_mode);
}

/* "file:///data/out/k=1/part-0.parquet" below "/data/out", and s3a://, s3n:// as the s3:// of a store's root. */
static Str path_of(Str uri, Arena *arena)
{
    if (store_is_remote(uri))
        return str_concat(arena, S("s3"), str_slice(uri, (size_t)str_find_char(uri, ':'), uri.len));
    if (str_starts_with(uri, S("file:")))
        uri = str_slice(uri, 5, uri.len);
    while (str_starts_with(uri, S("//")))
        uri = str_slice(uri, 1, uri.len);
    return str_copy(uri, arena);
}

static bool take_line(Str line, Store *store, Arena *arena, Map *files, Error *err)
{
    yyjson_val *root;
    Str folder = store_root(store);
    TRY(json_parse(line, S(LOG_FOLDER_NAME), arena, &root, err));
    Str path = path_of(json_get_str(root, "path"), arena);
    if (!str_starts_with(path, folder) || path.len <= folder.len || path.ptr[folder.len] != '/' || str_find(path, S("/../")) >= 0)
        return error_unsupported(err, "A streaming sink's log that names files outside its folder");
    if (str_is(json_get_str(root, "action"), "delete")) {
        (void)map_remove(files, path);
        return true;
    }
    ListedFile *f = ARENA_NEW(arena, ListedFile);
    ptrdiff_t slash = str_rfind_char(path, '/');
    *f = (ListedFile){store_duckdb_path(store, str_slice(path, folder.len + 1, path.len), arena),
                      (size_t)slash > folder.len ? str_slice(path, folder.len + 1, (size_t)slash) : S(""), json_get_i64(root, "size", 0),
                      json_get_i64(root, "modificationTime", 0)};
    map_put(files, path, f);
    return true;
}

static bool take_entry(Store *store, Str path, Arena *arena, Map *files, Error *err)
{
    bool found, first = true;
    Str text;
    TRY(store_read(store, path, LOG_MAX_BYTES, arena, &found, &text, err));
    while (found && text.len) {
        ptrdiff_t end = str_find_char(text, '\n');
        Str line = end < 0 ? text : str_slice(text, 0, (size_t)end);
        text = end < 0 ? (Str){0} : str_slice(text, (size_t)end + 1, text.len);
        if (first && !str_is(str_trim(line), "v1"))
            return error_unsupported(err, "A streaming sink's log of another version than v1");
        if (!first && line.len)
            TRY(take_line(line, store, arena, files, err));
        first = false;
    }
    return true;
}

bool sink_log_files(Str folder, Arena *arena, ListedFileVec *out, Error *err)
{
    Store *store;
    StoreEntryVec entries = {0};
    Map files = map_in(arena);
    int64_t compact = -1, newest = -1;
    TRY(store_open(folder, arena, &store, err));
    TRY(store_list(store, S(LOG_FOLDER_NAME), S(""), arena, &entries, err));
    for (size_t i = 0; i < entries.len; i++) {
        int64_t n;
        Str name = str_slice(entries.at[i].path, sizeof LOG_FOLDER_NAME, entries.at[i].path.len);
        bool whole = str_ends_with(name, S(".compact"));
        if (!str_to_i64(whole ? str_slice(name, 0, name.len - 8) : name, &n))
            continue;
        newest = n > newest ? n : newest;
        compact = whole && n > compact ? n : compact;
    }
    for (int64_t n = compact < 0 ? 0 : compact; n <= newest; n++)
        TRY(take_entry(store, str_printf(arena, LOG_FOLDER_NAME "/%lld%s", (long long)n, n == compact ? ".compact" : ""), arena, &files, err));
    for (MapEntry *e = map_first(&files); e; e = map_next(&files, e))
        vec_push(arena, out, *(ListedFile *)e->value);
    return true;
}
