/* From the paths a user names to the files that are read, in order of their names. */
#include "engine/file_list.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "engine/file_source.h"
#include "type/datetime.h"

enum { FOLDER_MAX_DEPTH = 64 };

typedef struct Listing {
    Arena *arena;
    Str name_filter; /* pathGlobFilter; empty: none */
    int64_t before_us, after_us; /* modifiedBefore, modifiedAfter */
    ListedFileVec *out;
    bool of_stream; /* a log of a streaming sink named the files of a path */
    Error *err;
} Listing;

/* Spark's rule: names that start with . or _ are hidden, unless they are name=value folders. */
static bool is_hidden(Str name)
{
    if (str_starts_with(name, S(".")) || str_ends_with(name, S("._COPYING_")))
        return true;
    return str_starts_with(name, S("_")) && str_find_char(name, '=') < 0;
}

static bool name_passes(const Listing *l, Str name)
{
    return !l->name_filter.len ||
           !fnmatch(str_z(l->name_filter, l->arena), str_z(name, l->arena), 0);
}

static int64_t modified_ms(const struct stat *facts)
{
    return (int64_t)facts->st_mtim.tv_sec * 1000 + facts->st_mtim.tv_nsec / 1000000;
}

static bool time_passes(const Listing *l, const struct stat *facts)
{
    int64_t us = modified_ms(facts) * 1000;
    return us < l->before_us && us > l->after_us;
}

static int visible(const struct dirent *entry) { return !is_hidden(str_from(entry->d_name)); }

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool list_folder(Listing *l, Str path, Str folder, int depth)
{
    if (depth > FOLDER_MAX_DEPTH)
        return error_unsupported(l->err, "Reading folders nested more than %d levels deep",
                                 FOLDER_MAX_DEPTH);
    struct dirent **entries;
    int n = scandir(str_z(path, l->arena), &entries, visible, by_bytes);
    if (n < 0)
        return error_set(l->err, ERR_LAKESHED_FILE, P("path", path), PZ("reason", strerror(errno)));
    bool ok = true;
    for (int i = 0; i < n; i++) {
        Str name = str_copy(str_from(entries[i]->d_name), l->arena);
        free(entries[i]);
        if (!ok)
            continue;
        Str child = str_printf(l->arena, STR_FMT "/" STR_FMT, STR_ARG(path), STR_ARG(name));
        struct stat facts;
        if (stat(child.ptr, &facts))
            continue; /* gone since */
        if (S_ISDIR(facts.st_mode)) {
            Str below = folder.len ? str_printf(l->arena, STR_FMT "/" STR_FMT, STR_ARG(folder),
                                                STR_ARG(name))
                                   : name;
            ok = list_folder(l, child, below, depth + 1);
        } else if (name_passes(l, name) && time_passes(l, &facts)) {
            ListedFile file = {child, folder, facts.st_size, modified_ms(&facts)};
            vec_push(l->arena, l->out, file);
        }
    }
    free(entries);
    return ok;
}

static Str local_path(Str path, Arena *arena)
{
    if (str_starts_with(path, S("file:")))
        path = str_slice(path, 5, path.len);
    while (str_starts_with(path, S("//")))
        path = str_slice(path, 1, path.len);
    while (path.len > 1 && path.ptr[path.len - 1] == '/')
        path = str_slice(path, 0, path.len - 1);
    char here[PATH_MAX];
    if (!str_starts_with(path, S("/")) && getcwd(here, sizeof(here)))
        return str_printf(arena, "%s/" STR_FMT, here, STR_ARG(path));
    return str_copy(path, arena);
}

/* The folder of `path` below `base`; empty when it is not below it. */
static Str below(Str base, Str path)
{
    if (!base.len || !str_starts_with(path, base) || path.len <= base.len ||
        path.ptr[base.len] != '/')
        return S("");
    return str_slice(path, base.len + 1, path.len);
}

static bool list_one(Listing *l, Str path, Str base)
{
    struct stat facts;
    if (stat(path.ptr, &facts))
        return error_set(l->err, ERR_PATH_NOT_FOUND,
                         P("path", str_concat(l->err->arena, S("file:"), path)));
    l->of_stream = S_ISDIR(facts.st_mode) && sink_log_exists(path, l->arena);
    if (l->of_stream)
        return sink_log_files(path, l->arena, l->out, l->err);
    if (S_ISDIR(facts.st_mode))
        return list_folder(l, path, below(base, path), 0);
    ptrdiff_t slash = str_rfind_char(path, '/');
    ListedFile file = {path, below(base, str_slice(path, 0, (size_t)slash)), facts.st_size, modified_ms(&facts)};
    if (time_passes(l, &facts))
        vec_push(l->arena, l->out, file);
    return true;
}

static bool is_glob(Str path)
{
    return str_find_char(path, '*') >= 0 || str_find_char(path, '?') >= 0 ||
           str_find_char(path, '[') >= 0 || str_find_char(path, '{') >= 0;
}

static bool list_glob(Listing *l, Str path, Str base)
{
    glob_t found;
    int code = glob(path.ptr, GLOB_BRACE, NULL, &found);
    bool ok = !code || error_set(l->err, ERR_PATH_NOT_FOUND,
                                 P("path", str_concat(l->err->arena, S("file:"), path)));
    for (size_t i = 0; ok && i < found.gl_pathc; i++) {
        Str one = str_copy(str_from(found.gl_pathv[i]), l->arena);
        ptrdiff_t slash = str_rfind_char(one, '/');
        if (!is_hidden(str_slice(one, (size_t)(slash + 1), one.len)))
            ok = list_one(l, one, base);
    }
    if (!code)
        globfree(&found);
    return ok;
}

/* A partition that a catalog knows: its files count as being in that folder, wherever they are; the folder may not be there yet. */
static bool list_partition(Listing *l, Str path, Str folder)
{
    struct stat facts;
    size_t first = l->out->len;
    if (stat(path.ptr, &facts))
        return true;
    TRY(list_folder(l, path, (Str){0}, 0));
    for (size_t i = first; i < l->out->len; i++)
        l->out->at[i].folder = folder;
    return true;
}

/* On S3 a folder that is not there yet is one without objects. */
static bool list_remote(Listing *l, const FileScan *scan, size_t index, ListPurpose purpose)
{
    ListFilter filter = {l->name_filter, l->before_us, l->after_us};
    Str base = scan->given_partitions ? S("") : file_option(&scan->options, "basePath", "");
    size_t first = l->out->len;
    if (!list_objects(scan->paths.at[index], base, &filter, purpose, l->arena, l->out, &l->of_stream, l->err)) {
        if (!scan->given_partitions || l->err->cls != ERR_PATH_NOT_FOUND)
            return false;
        error_clear(l->err);
    }
    for (size_t i = first; scan->given_partitions && i < l->out->len; i++)
        l->out->at[i].folder = scan->partition_folders.at[index];
    return true;
}

static bool read_time(const FileScan *scan, const char *key, const char *strategy, Str zone, int64_t *us, Error *err)
{
    Str text = file_option(&scan->options, key, ""), own = file_option(&scan->options, "timeZone", "");
    if (!text.len || timestamp_parse(text, own.len ? own : zone, us))
        return true;
    return error_set(err, ERR__LEGACY_ERROR_TEMP_1294, PZ("strategy", strategy), P("timeString", text));
}

bool list_files(FileScan *scan, ListPurpose purpose, Str zone, Arena *arena, ListedFileVec *out, Error *err)
{
    Listing l = {.arena = arena, .name_filter = file_option(&scan->options, "pathGlobFilter", ""), .before_us = INT64_MAX,
                 .after_us = INT64_MIN, .out = out, .err = err};
    TRY(read_time(scan, "modifiedBefore", "modifiedbefore", zone, &l.before_us, err));
    TRY(read_time(scan, "modifiedAfter", "modifiedafter", zone, &l.after_us, err));
    Str base = file_option(&scan->options, "basePath", "");
    if (base.len && !store_is_remote(base))
        base = local_path(base, arena);
    for (size_t i = 0; i < scan->paths.len; i++) {
        Str path = scan->paths.at[i];
        ptrdiff_t scheme = str_find(path, S("://"));
        if (store_is_remote(path)) {
            TRY(list_remote(&l, scan, i, purpose));
            continue;
        }
        if (scheme > 0 && !str_starts_with(path, S("file:")))
            return error_unsupported(err, "Reading files from " STR_FMT,
                                     STR_ARG(str_slice(path, 0, (size_t)scheme)));
        path = local_path(path, arena);
        if (scan->given_partitions) {
            TRY(list_partition(&l, path, scan->partition_folders.at[i]));
            continue;
        }
        TRY(is_glob(path) ? list_glob(&l, path, base) : list_one(&l, path, base));
    }
    scan->sink_log = scan->paths.len == 1 && l.of_stream;
    return true;
}

typedef struct Ranked {
    ListedFile file;
    size_t rank;
} Ranked;

static int larger_first(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    if (x->file.size != y->file.size)
        return x->file.size > y->file.size ? -1 : 1;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

void sort_by_size(ListedFileVec *files, Arena *arena)
{
    Ranked *ranked = ARENA_ARRAY(arena, Ranked, files->len + 1);
    for (size_t i = 0; i < files->len; i++)
        ranked[i] = (Ranked){files->at[i], i};
    qsort(ranked, files->len, sizeof(*ranked), larger_first);
    for (size_t i = 0; i < files->len; i++)
        files->at[i] = ranked[i].file;
}
