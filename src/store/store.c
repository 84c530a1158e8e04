/* Opening a store by its location, and the checks on paths that every kind of store shares. */
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/store_impl.h"

enum { LOCATION_MAX = 4096 };

/* "a//b/./c/.." -> "/a/b": lexically, as Hadoop's Path does. */
Str store_normalise(Str path, Arena *arena)
{
    char *out = arena_alloc(arena, path.len + 2);
    size_t len = 0;
    for (size_t i = 0; i < path.len;) {
        size_t end = i;
        while (end < path.len && path.ptr[end] != '/')
            end++;
        Str part = str_slice(path, i, end);
        if (str_is(part, "..")) {
            while (len && out[--len] != '/')
                ;
        } else if (part.len && !str_is(part, ".")) {
            out[len++] = '/';
            memcpy(out + len, part.ptr, part.len);
            len += part.len;
        }
        i = end + 1;
    }
    if (!len)
        out[len++] = '/';
    return (Str){out, len};
}

static bool has_scheme(Str location, Str *scheme, Str *rest)
{
    ptrdiff_t colon = str_find_char(location, ':'), slash = str_find_char(location, '/');
    if (colon <= 0 || (slash >= 0 && slash < colon))
        return false;
    *scheme = str_slice(location, 0, (size_t)colon);
    *rest = str_slice(location, (size_t)colon + 1, location.len);
    return true;
}

bool store_open(Str location, Arena *arena, Store **out, Error *err)
{
    Str scheme, rest;
    if (!location.len || location.len > LOCATION_MAX || memchr(location.ptr, 0, location.len))
        return error_set(err, ERR_LAKESHED_FILE, P("path", str_slice(location, 0, 200)),
                         PZ("reason", "not a location"));
    if (has_scheme(location, &scheme, &rest)) {
        if (store_is_remote(location))
            return store_s3_open(location, arena, out, err);
        if (!str_is(scheme, "file"))
            return error_unsupported(err, "The storage scheme \"" STR_FMT "\"", STR_ARG(scheme));
        /* file:///a, file:/a; an authority names another machine. */
        if (str_starts_with(rest, S("//")) && !str_starts_with(rest, S("///")))
            return error_unsupported(err, "The location \"" STR_FMT "\"", STR_ARG(location));
        location = rest;
    }
    if (location.len && location.ptr[0] != '/') {
        char folder[LOCATION_MAX];
        if (!getcwd(folder, sizeof folder))
            return error_internal(err, "no working folder");
        location = str_printf(arena, "%s/" STR_FMT, folder, STR_ARG(location));
    }
    if (store_of_copy(location, arena, out))
        return true;
    return store_local_open(store_normalise(location, arena), arena, out, err);
}

/* Relative, no empty or '..' parts, no NUL: nothing outside the root is ever touched. */
static bool check_path(const Store *s, Str path, Error *err)
{
    bool bad = path.len > LOCATION_MAX || (path.len && memchr(path.ptr, 0, path.len)) ||
               (path.len && path.ptr[0] == '/');
    for (size_t i = 0; !bad && i < path.len;) {
        size_t end = i;
        while (end < path.len && path.ptr[end] != '/')
            end++;
        bad = str_is(str_slice(path, i, end), "..");
        i = end + 1;
    }
    if (!bad)
        return true;
    return error_set(err, ERR_LAKESHED_FILE,
                     P("path", str_printf(err->arena, STR_FMT "/" STR_FMT, STR_ARG(s->root),
                                          STR_ARG(str_slice(path, 0, 200)))),
                     PZ("reason", "the path leaves its folder"));
}

bool store_read(Store *s, Str path, size_t max_bytes, Arena *arena, bool *found, Str *out,
                Error *err)
{
    TRY(check_path(s, path, err));
    return s->ops->read(s, path, max_bytes, arena, found, out, err);
}

bool store_read_range(Store *s, Str path, int64_t offset, size_t len, Arena *arena, bool *found,
                      Str *out, Error *err)
{
    TRY(check_path(s, path, err));
    return s->ops->read_range(s, path, offset, len, arena, found, out, err);
}

bool store_stat(Store *s, Str path, bool *found, StoreEntry *out, Error *err)
{
    TRY(check_path(s, path, err));
    return s->ops->stat(s, path, found, out, err);
}

bool store_put_if_absent(Store *s, Str path, Str content, bool *exists, Error *err)
{
    TRY(check_path(s, path, err));
    return s->ops->put_if_absent(s, path, content, exists, err);
}

bool store_put(Store *s, Str path, Str content, Error *err)
{
    TRY(check_path(s, path, err));
    return s->ops->put(s, path, content, err);
}

bool store_publish(Store *s, Str from, Str to, Error *err)
{
    TRY(check_path(s, from, err));
    TRY(check_path(s, to, err));
    return s->ops->publish(s, from, to, err);
}

bool store_list(Store *s, Str folder, Str from, Arena *arena, StoreEntryVec *out, Error *err)
{
    TRY(check_path(s, folder, err));
    return s->ops->list(s, folder, from, arena, out, err);
}

bool store_walk(Store *s, Str folder, StoreVisit visit, void *arg, Error *err)
{
    TRY(check_path(s, folder, err));
    return s->ops->walk(s, folder, false, visit, arg, err);
}

bool store_walk_folders(Store *s, Str folder, StoreVisit visit, void *arg, Error *err)
{
    TRY(check_path(s, folder, err));
    return s->ops->walk(s, folder, true, visit, arg, err);
}

bool store_delete(Store *s, Str path, Error *err)
{
    TRY(check_path(s, path, err));
    return s->ops->remove(s, path, err);
}

bool store_delete_many(Store *s, const Str *paths, size_t count, Error *err)
{
    for (size_t i = 0; i < count; i++)
        TRY(check_path(s, paths[i], err));
    for (size_t i = 0; i < count && !s->ops->remove_many; i++)
        TRY(s->ops->remove(s, paths[i], err));
    for (size_t i = 0; i < count && s->ops->remove_many; i += STORE_DELETE_MAX)
        TRY(s->ops->remove_many(s, paths + i, count - i < STORE_DELETE_MAX ? count - i : STORE_DELETE_MAX, err));
    return true;
}

bool store_delete_folder(Store *s, Str path, bool *removed, Error *err)
{
    TRY(check_path(s, path, err));
    return s->ops->remove_folder(s, path, removed, err);
}

bool store_make_folder(Store *s, Str path, Error *err)
{
    TRY(check_path(s, path, err));
    return s->ops->make_folder(s, path, err);
}

bool store_sync_files(Store *s, const Str *paths, size_t count, Error *err)
{
    for (size_t i = 0; i < count; i++)
        TRY(check_path(s, paths[i], err));
    return s->ops->sync_files(s, paths, count, err);
}

bool store_send(Store *s, const Str *paths, size_t count, Error *err)
{
    for (size_t i = 0; i < count; i++)
        TRY(check_path(s, paths[i], err));
    return !s->ops->send || !count || s->ops->send(s, paths, count, err);
}

bool store_clean_temporary(Store *s, Str folder, int64_t older_than_ms, Error *err)
{
    TRY(check_path(s, folder, err));
    return s->ops->clean_temporary(s, folder, older_than_ms, err);
}

Str store_duckdb_path(const Store *s, Str path, Arena *arena)
{
    Str root = s->local_root.len ? s->local_root : s->root;
    const char *slash = str_is(root, "/") ? "" : "/";
    return path.len ? str_printf(arena, STR_FMT "%s" STR_FMT, STR_ARG(root), slash, STR_ARG(path)) : root;
}

/* The local root names the credentials where a session has its own, the pointer those of the process as they were read. */
Str store_identity(const Store *s, Arena *arena)
{
    return s->local_root.len ? str_printf(arena, STR_FMT "\n" STR_FMT "\n%p", STR_ARG(s->root), STR_ARG(s->local_root), s->service) : s->root;
}

Str store_root(const Store *s)
{
    return s->root;
}
