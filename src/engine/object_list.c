/* Files a user names in an object store: listed by their prefix, copied to the disk, known by the copies' paths. */
#include <fnmatch.h>
#include <string.h>

#include "base/buf.h"
#include "engine/file_list.h"
#include "store/store.h"

typedef struct ObjectListing {
    Store *store;
    Str pattern;        /* of folders and names below the store's root; empty: everything */
    size_t pattern_parts;
    Str base;           /* local path that folders are told from; empty: where the pattern ends */
    const ListFilter *filter;
    Arena *arena;
    ListedFileVec *out;
    bool any, has_sink_log;
} ObjectListing;

static bool is_hidden(Str name)
{
    return str_starts_with(name, S(".")) || str_ends_with(name, S("._COPYING_")) ||
           (str_starts_with(name, S("_")) && str_find_char(name, '=') < 0);
}

static Str next_part(Str *path)
{
    ptrdiff_t slash = str_find_char(*path, '/');
    Str part = slash < 0 ? *path : str_slice(*path, 0, (size_t)slash);
    *path = slash < 0 ? S("") : str_slice(*path, (size_t)slash + 1, path->len);
    return part;
}

/* Whether the path is named by the pattern or lies below what is; *below is the rest. */
static bool is_named(const ObjectListing *l, Str path, Str *below)
{
    Str pattern = l->pattern;
    while (pattern.len) {
        Str want = next_part(&pattern);
        if (!path.len)
            return false;
        Str part = next_part(&path);
        if (fnmatch(str_z(want, l->arena), str_z(part, l->arena), FNM_PERIOD))
            return false;
    }
    *below = path;
    return true;
}

static bool has_hidden_part(Str path)
{
    while (path.len)
        if (is_hidden(next_part(&path)))
            return true;
    return false;
}

static Str folder_of(Str path)
{
    ptrdiff_t slash = str_rfind_char(path, '/');
    return slash < 0 ? S("") : str_slice(path, 0, (size_t)slash);
}

static Str name_of_path(Str path)
{
    ptrdiff_t slash = str_rfind_char(path, '/');
    return slash < 0 ? path : str_slice(path, (size_t)slash + 1, path.len);
}

static void add_file(ObjectListing *l, Str path, Str below, const StoreEntry *e)
{
    Str local = store_duckdb_path(l->store, path, l->arena), folder = folder_of(below);
    Str own = folder_of(local);
    if (l->base.len && str_starts_with(own, l->base) && own.len > l->base.len && own.ptr[l->base.len] == '/')
        folder = str_slice(own, l->base.len + 1, own.len);
    else if (l->base.len)
        folder = S("");
    ListedFile file = {local, str_copy(folder, l->arena), e->size, e->modified_ms};
    vec_push(l->arena, l->out, file);
}

static bool on_object(const StoreEntry *e, void *arg)
{
    ObjectListing *l = arg;
    Str below;
    if (!is_named(l, e->path, &below))
        return true;
    l->any = true;
    l->has_sink_log = l->has_sink_log || str_starts_with(below, S("_spark_metadata/"));
    Str name = name_of_path(e->path);
    if (has_hidden_part(below.len ? below : name) ||
        (l->filter->name.len && fnmatch(str_z(l->filter->name, l->arena), str_z(name, l->arena), 0)))
        return true;
    int64_t changed_us = e->modified_ms * 1000;
    if (changed_us >= l->filter->before_us || changed_us <= l->filter->after_us)
        return true;
    add_file(l, e->path, below, e);
    return true;
}

/* "s3://b/a/x?/y" is the pattern "x?/y" below "s3://b/a". */
static void split_pattern(Str path, Str *root, Str *pattern)
{
    size_t cut = path.len;
    for (size_t i = 0; i < path.len; i++)
        if (path.ptr[i] == '*' || path.ptr[i] == '?' || path.ptr[i] == '[') {
            cut = i;
            break;
        }
    *root = path;
    *pattern = S("");
    if (cut == path.len)
        return;
    ptrdiff_t slash = str_rfind_char(str_slice(path, 0, cut), '/');
    *root = str_slice(path, 0, (size_t)slash);
    *pattern = str_slice(path, (size_t)slash + 1, path.len);
    while (str_ends_with(*pattern, S("/")))
        pattern->len--;
}

static bool bring(const ListedFileVec *files, size_t first, Arena *arena, Error *err)
{
    Str *local = ARENA_ARRAY(arena, Str, files->len - first + 1);
    for (size_t i = first; i < files->len; i++)
        local[i - first] = files->at[i].path;
    return store_bring(local, files->len - first, STORE_CHECKED, arena, err);
}

/* A path without alternatives. */
static bool list_path(Str path, Str base, const ListFilter *filter, Arena *arena, ListedFileVec *out, bool *of_stream, Error *err)
{
    ObjectListing l = {.filter = filter, .arena = arena, .out = out};
    Str root;
    size_t first = out->len;
    if (store_is_remote(base)) {
        Store *of_base;
        TRY(store_open(base, arena, &of_base, err));
        l.base = store_duckdb_path(of_base, S(""), arena);
    }
    split_pattern(path, &root, &l.pattern);
    TRY(store_open(root, arena, &l.store, err));
    StoreEntry e;
    bool is_file = false;
    if (!l.pattern.len && store_root(l.store).len > 5 && str_find_char(str_slice(store_root(l.store), 5, SIZE_MAX), '/') > 0)
        TRY(store_stat(l.store, S(""), &is_file, &e, err));
    if (is_file)
        add_file(&l, S(""), S(""), &e);
    else
        TRY(store_walk(l.store, S(""), on_object, &l, err));
    if (!is_file && !l.any)
        return error_set(err, ERR_PATH_NOT_FOUND, P("path", path));
    if (!l.has_sink_log)
        return true;
    if (l.pattern.len)
        return error_unsupported(err, "Folders that a streaming query wrote, named by a pattern on S3 (" STR_FMT "),", STR_ARG(path));
    *of_stream = true;
    out->len = first;
    return sink_log_files(path, arena, out, err);
}

enum { MAX_BRACES = 16 };

/* "a{b,c}d" is "abd" and "acd"; one of them must be there. */
static bool list_alternatives(Str path, int depth, Str base, const ListFilter *filter, Arena *arena, ListedFileVec *out, bool *of_stream,
                              Error *err)
{
    ptrdiff_t open = str_find_char(path, '{'), close = open < 0 ? -1 : str_find_char(str_slice(path, (size_t)open, path.len), '}');
    if (close < 0)
        return list_path(path, base, filter, arena, out, of_stream, err);
    if (depth == MAX_BRACES)
        return error_unsupported(err, "More than %d alternatives in braces in a path on S3 (" STR_FMT ")", MAX_BRACES, STR_ARG(path));
    Str before = str_slice(path, 0, (size_t)open), after = str_slice(path, (size_t)(open + close) + 1, path.len);
    Str inside = str_slice(path, (size_t)open + 1, (size_t)(open + close));
    bool any = false;
    for (bool more = true; more;) {
        ptrdiff_t comma = str_find_char(inside, ',');
        Str one = comma < 0 ? inside : str_slice(inside, 0, (size_t)comma);
        more = comma >= 0;
        inside = more ? str_slice(inside, (size_t)comma + 1, inside.len) : S("");
        Str whole = str_printf(arena, STR_FMT STR_FMT STR_FMT, STR_ARG(before), STR_ARG(one), STR_ARG(after));
        if (list_alternatives(whole, depth + 1, base, filter, arena, out, of_stream, err)) {
            any = true;
            continue;
        }
        if (err->cls != ERR_PATH_NOT_FOUND)
            return false;
        error_clear(err);
    }
    return any || error_set(err, ERR_PATH_NOT_FOUND, P("path", path));
}

bool list_objects(Str path, Str base, const ListFilter *filter, ListPurpose purpose, Arena *arena, ListedFileVec *out, bool *of_stream,
                  Error *err)
{
    size_t first = out->len;
    *of_stream = false;
    TRY(list_alternatives(path, 0, base, filter, arena, out, of_stream, err));
    return purpose == LIST_TO_CHOOSE || bring(out, first, arena, err);
}
