/* Files that appear below a path: each is read once. Which batch took which file is in sources/<n>, as Spark keeps it. */
#include <glob.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/file_list.h"
#include "stream/stream_impl.h"

typedef struct SeenFile {
    Str path;                /* absolute, or s3a:// */
    int64_t modified_ms, size;
} SeenFile;
typedef VEC(SeenFile) SeenFileVec;

typedef struct FileSource {
    LineLog log;
    Map seen;                /* by path, or by name with fileNameOnly */
    int64_t max_files, max_bytes;
    bool newest_first, by_name, looked;
    Map allowed;             /* Trigger.AvailableNow: what the first look found */
} FileSource;

static Str file_uri(Str path, Arena *arena)
{
    static const char HEX[] = "0123456789ABCDEF";
    Buf b = buf_in(arena);
    buf_addz(&b, store_is_remote(path) ? "" : "file://");
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.ptr[i];
        if (c > ' ' && c < 127 && !strchr("\"%<>?[\\]^`{|}#", c)) {
            buf_addc(&b, (char)c);
        } else {
            buf_addc(&b, '%');
            buf_addc(&b, HEX[c >> 4]);
            buf_addc(&b, HEX[c & 15]);
        }
    }
    return buf_str(&b);
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 32) : NULL;
    return at ? (int)(at - digits) : -1;
}

static Str uri_path(Str uri, Arena *arena)
{
    if (str_starts_with(uri, S("file:")))
        uri = str_slice(uri, 5, uri.len);
    while (str_starts_with(uri, S("//")))
        uri = str_slice(uri, 1, uri.len);
    Buf b = buf_in(arena);
    for (size_t i = 0; i < uri.len; i++) {
        int high = i + 2 < uri.len && uri.ptr[i] == '%' ? hex_digit(uri.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(uri.ptr[i + 2]) : -1;
        if (low >= 0) {
            buf_addc(&b, (char)(high << 4 | low));
            i += 2;
        } else {
            buf_addc(&b, uri.ptr[i]);
        }
    }
    return buf_str(&b);
}

static Str seen_key(const FileSource *f, Str path)
{
    return f->by_name ? str_slice(path, (size_t)(str_rfind_char(path, '/') + 1), path.len) : path;
}

static Str line_path(Str line, Arena *arena, Error *err)
{
    yyjson_val *root;
    return json_parse(line, S("sources"), arena, &root, err) ? uri_path(json_get_str(root, "path"), arena) : (Str){0};
}

static bool option_flag(const StreamSource *s, const char *key)
{
    return str_is_ci(key_value_get(&s->read.options, key), "true");
}

static bool files_open(StreamSource *s, Error *err)
{
    AUTO_ARENA arena = arena_new();
    FileSource *f = s->state = ARENA_NEW(s->arena, FileSource);
    Str cleaning = key_value_get(&s->read.options, "cleanSource");
    if (cleaning.len && !str_is_ci(cleaning, "off"))
        return error_unsupported(err, "The option cleanSource of a streaming read of files");
    if (key_value_has(&s->read.options, "maxFilesPerTrigger") && key_value_has(&s->read.options, "maxBytesPerTrigger"))
        return error_set(err, ERR_LAKESHED_STREAM_OPTION, P("value", key_value_get(&s->read.options, "maxBytesPerTrigger")),
                         PZ("option", "maxBytesPerTrigger"), PZ("rule", "cannot be given together with 'maxFilesPerTrigger'"));
    TRY(source_limit(s, "maxFilesPerTrigger", INT64_MAX, &f->max_files, err));
    TRY(source_limit(s, "maxBytesPerTrigger", INT64_MAX, &f->max_bytes, err));
    f->newest_first = option_flag(s, "latestFirst");
    f->by_name = option_flag(s, "fileNameOnly");
    f->seen = map_in(s->arena);
    f->allowed = map_in(s->arena);
    TRY(line_log_open(s->query->checkpoint.store, str_printf(arena, "sources/%zu", s->number), s->arena, &f->log, err));
    for (size_t i = 0; i < f->log.lines.len; i++) {
        Str path = line_path(f->log.lines.at[i], s->arena, err);
        if (error_is_set(err))
            return false;
        map_put(&f->seen, seen_key(f, path), f);
    }
    s->description = str_printf(s->arena, "FileStreamSource[%s" STR_FMT "]", store_is_remote(s->read.paths.at[0]) ? "" : "file:",
                                STR_ARG(s->read.paths.at[0]));
    return true;
}

static int oldest_first(const void *a, const void *b)
{
    const SeenFile *x = a, *y = b;
    if (x->modified_ms != y->modified_ms)
        return x->modified_ms < y->modified_ms ? -1 : 1;
    return str_cmp(x->path, y->path);
}

static int newest_first(const void *a, const void *b)
{
    return oldest_first(b, a);
}

/* Folders on the way to a file count when they are named key=value; others only with recursiveFileLookup. */
static bool folder_counts(Str folder)
{
    while (folder.len) {
        ptrdiff_t slash = str_find_char(folder, '/');
        Str part = slash < 0 ? folder : str_slice(folder, 0, (size_t)slash);
        if (str_find_char(part, '=') <= 0)
            return false;
        folder = slash < 0 ? (Str){0} : str_slice(folder, (size_t)slash + 1, folder.len);
    }
    return true;
}

/* What is there and was not read. A folder that is gone holds nothing. */
static bool new_files(StreamSource *s, Arena *arena, SeenFileVec *out, Error *err)
{
    FileSource *f = s->state;
    FileScan scan = {.format = s->read.format, .paths = s->read.paths, .options = s->read.options};
    ListedFileVec listed = {0};
    if (!list_files(&scan, LIST_TO_CHOOSE, S("UTC"), arena, &listed, err)) {
        if (err->cls != ERR_PATH_NOT_FOUND)
            return false;
        error_clear(err);
    }
    for (size_t i = 0; i < listed.len; i++) {
        SeenFile file = {store_shown(listed.at[i].path, arena), listed.at[i].modified_ms, listed.at[i].size};
        Str key = seen_key(f, file.path);
        if (!folder_counts(listed.at[i].folder) && !option_flag(s, "recursiveFileLookup"))
            continue;
        if (map_has(&f->seen, key) || (s->bounded && f->looked && !map_has(&f->allowed, key)))
            continue;
        vec_push(arena, out, file);
        if (s->bounded && !f->looked)
            map_put(&f->allowed, str_copy(key, s->arena), f);
    }
    f->looked = true;
    qsort(out->at, out->len, sizeof *out->at, f->newest_first ? newest_first : oldest_first);
    return true;
}

static int64_t entry_of(Str offset, Arena *arena)
{
    Error ignored = error_in(arena);
    yyjson_val *root;
    return offset.len && json_parse(offset, S("offset"), arena, &root, &ignored) ? json_get_i64(root, "logOffset", -1) : -1;
}

static bool files_latest(StreamSource *s, Str start, Arena *arena, Str *end, Error *err)
{
    FileSource *f = s->state;
    SeenFileVec files = {0};
    TRY(new_files(s, arena, &files, err));
    int64_t bytes = 0, entry = f->log.newest + 1;
    StrVec lines = {0};
    for (size_t i = 0; i < files.len; i++) {
        bytes += files.at[i].size;
        if ((int64_t)lines.len >= f->max_files || (lines.len && bytes > f->max_bytes))
            break;
        Buf b = buf_in(arena);
        buf_addz(&b, "{\"path\":");
        json_put_str(&b, file_uri(files.at[i].path, arena));
        buf_addf(&b, ",\"timestamp\":%" PRId64 ",\"batchId\":%" PRId64 "}", files.at[i].modified_ms, entry);
        vec_push(arena, &lines, buf_str(&b));
    }
    if (lines.len) {
        TRY(line_log_add(&f->log, entry, &lines, err));
        for (size_t i = 0; i < lines.len; i++)
            map_put(&f->seen, str_copy(seen_key(f, files.at[i].path), s->arena), f);
    }
    /* Entries that an earlier run logged but never planned are part of the next batch. */
    *end = f->log.newest > entry_of(start, arena) ? str_printf(arena, "{\"logOffset\":%" PRId64 "}", f->log.newest) : start;
    return true;
}

static bool files_rows(StreamSource *s, Analyzer *a, Str start, Str end, Arena *arena, BoundRel **out, Error *err)
{
    FileSource *f = s->state;
    int64_t from = entry_of(start, arena), to = entry_of(end, arena);
    StrVec paths = {0};
    for (size_t i = 0; i < f->log.lines.len; i++) {
        if (f->log.entry_of.at[i] <= from || f->log.entry_of.at[i] > to)
            continue;
        Str path = line_path(f->log.lines.at[i], arena, err);
        if (error_is_set(err))
            return false;
        vec_push(arena, &paths, path);
    }
    KeyValueVec options = {0};
    for (size_t i = 0; i < s->read.options.len; i++)
        if (!str_is_ci(s->read.options.at[i].key, "path") && !str_is_ci(s->read.options.at[i].key, "pathGlobFilter"))
            vec_push(arena, &options, s->read.options.at[i]);
    /* Folders named key=value below the path are columns. */
    if (!key_value_has(&options, "basePath") && !strpbrk(s->read.paths.at[0].ptr, "*?[{")) {
        KeyValue base = {S("basePath"), s->read.paths.at[0], NULL};
        vec_push(arena, &options, base);
    }
    return analyze_files_as(a, s->read.format, &paths, s->read.schema, &options, out, err);
}

const SourceKind source_files = {"files", files_open, files_latest, files_rows, false};
