/* The checkpoint of a query, in Spark's layout: metadata, offsets/N, commits/N, and logs of JSON lines below sources/. */
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "stream/stream_impl.h"

enum { LOG_FILE_MAX = 256 << 20, COMPACT_INTERVAL = 10 };

static bool unusable(const Checkpoint *c, const char *reason, Error *err)
{
    return error_set(err, ERR_LAKESHED_STREAM_CHECKPOINT, P("path", c->folder), PZ("reason", reason));
}

bool checkpoint_open(Str folder, bool temporary, Arena *arena, Checkpoint *out, Error *err)
{
    *out = (Checkpoint){.folder = str_copy(folder, arena), .temporary = temporary};
    return store_open(out->folder, arena, &out->store, err);
}

bool checkpoint_identity(Checkpoint *c, char id[UUID_TEXT_LEN + 1], Error *err)
{
    AUTO_ARENA arena = arena_new();
    bool found, exists;
    Str text;
    yyjson_val *root;
    TRY(store_read(c->store, S("metadata"), LOG_FILE_MAX, arena, &found, &text, err));
    if (!found) {
        Str fresh = str_printf(arena, "{\"id\":\"%s\"}", id);
        TRY(store_put_if_absent(c->store, S("metadata"), fresh, &exists, err));
        return !exists || unusable(c, "another query has just begun to use it", err);
    }
    TRY(json_parse(text, S("metadata"), arena, &root, err));
    Str known = json_get_str(root, "id");
    if (known.len != UUID_TEXT_LEN)
        return unusable(c, "its metadata names no query", err);
    memcpy(id, known.ptr, UUID_TEXT_LEN);
    id[UUID_TEXT_LEN] = '\0';
    return true;
}

bool checkpoint_newest(Checkpoint *c, Str log, int64_t *batch, Error *err)
{
    AUTO_ARENA arena = arena_new();
    StoreEntryVec entries = {0};
    *batch = -1;
    TRY(store_list(c->store, log, S(""), arena, &entries, err));
    for (size_t i = 0; i < entries.len; i++) {
        int64_t n;
        ptrdiff_t slash = str_rfind_char(entries.at[i].path, '/');
        if (str_to_i64(str_slice(entries.at[i].path, (size_t)(slash + 1), entries.at[i].path.len), &n) && n > *batch)
            *batch = n;
    }
    return true;
}

/* The lines below "v1". */
static bool read_lines(Store *store, Str path, Arena *arena, bool *found, StrVec *out, Error *err)
{
    Str text;
    TRY(store_read(store, path, LOG_FILE_MAX, arena, found, &text, err));
    if (!*found)
        return true;
    bool first = true;
    while (text.len) {
        ptrdiff_t end = str_find_char(text, '\n');
        Str line = end < 0 ? text : str_slice(text, 0, (size_t)end);
        text = end < 0 ? (Str){0} : str_slice(text, (size_t)end + 1, text.len);
        if (first && !str_is(str_trim(line), "v1"))
            return error_set(err, ERR_LAKESHED_STREAM_CHECKPOINT, P("path", path), PZ("reason", "only version v1 of its logs is known"));
        if (!first)
            vec_push(arena, out, line);
        first = false;
    }
    return true;
}

static Str batch_path(const char *log, int64_t batch, Arena *arena)
{
    return str_printf(arena, "%s/%" PRId64, log, batch);
}

bool checkpoint_read_offsets(Checkpoint *c, int64_t batch, Arena *arena, bool *found, OffsetEntry *out, Error *err)
{
    StrVec lines = {0};
    yyjson_val *root;
    *out = (OffsetEntry){0};
    TRY(read_lines(c->store, batch_path("offsets", batch, arena), arena, found, &lines, err));
    if (!*found)
        return true;
    if (!lines.len)
        return unusable(c, "an entry of its offsets is empty", err);
    TRY(json_parse(lines.at[0], S("offsets"), arena, &root, err));
    out->watermark_ms = json_get_i64(root, "batchWatermarkMs", 0);
    out->timestamp_ms = json_get_i64(root, "batchTimestampMs", 0);
    for (size_t i = 1; i < lines.len; i++)
        vec_push(arena, &out->offsets, str_is(lines.at[i], "-") ? S("") : lines.at[i]);
    return true;
}

static bool write_new(Checkpoint *c, Str path, Str text, int64_t batch, Error *err)
{
    bool exists;
    TRY(store_put_if_absent(c->store, path, text, &exists, err));
    return !exists || error_set(err, ERR_CONCURRENT_STREAM_LOG_UPDATE, P("batchId", str_printf(err->arena, "%" PRId64, batch)));
}

bool checkpoint_write_offsets(Checkpoint *c, int64_t batch, const OffsetEntry *e, Error *err)
{
    AUTO_ARENA arena = arena_new();
    Buf b = buf_in(arena);
    buf_addf(&b, "v1\n{\"batchWatermarkMs\":%" PRId64 ",\"batchTimestampMs\":%" PRId64 ",\"conf\":{}}", e->watermark_ms, e->timestamp_ms);
    for (size_t i = 0; i < e->offsets.len; i++) {
        buf_addc(&b, '\n');
        buf_add(&b, e->offsets.at[i].len ? e->offsets.at[i] : S("-"));
    }
    return write_new(c, batch_path("offsets", batch, arena), buf_str(&b), batch, err);
}

bool checkpoint_read_commit(Checkpoint *c, int64_t batch, bool *found, int64_t *watermark_ms, Error *err)
{
    AUTO_ARENA arena = arena_new();
    StrVec lines = {0};
    yyjson_val *root;
    *watermark_ms = 0;
    TRY(read_lines(c->store, batch_path("commits", batch, arena), arena, found, &lines, err));
    if (!*found || !lines.len)
        return true;
    TRY(json_parse(lines.at[0], S("commits"), arena, &root, err));
    *watermark_ms = json_get_i64(root, "nextBatchWatermarkMs", 0);
    return true;
}

bool checkpoint_write_commit(Checkpoint *c, int64_t batch, int64_t watermark_ms, Error *err)
{
    AUTO_ARENA arena = arena_new();
    Str text = str_printf(arena, "v1\n{\"nextBatchWatermarkMs\":%" PRId64 "}", watermark_ms);
    return write_new(c, batch_path("commits", batch, arena), text, batch, err);
}

bool checkpoint_purge(Checkpoint *c, int64_t before, Error *err)
{
    AUTO_ARENA arena = arena_new();
    static const char *const LOGS[] = {"offsets", "commits"};
    for (size_t i = 0; before > 0 && i < LENGTH_OF(LOGS); i++)
        TRY(store_delete(c->store, batch_path(LOGS[i], before - 1, arena), err));
    return true;
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
    (void)facts;
    (void)kind;
    (void)where;
    return remove(path);
}

void checkpoint_remove(Checkpoint *c)
{
    AUTO_ARENA arena = arena_new();
    if (nftw(str_z(c->folder, arena), remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        log_warn("the temporary checkpoint " STR_FMT " could not be removed", STR_ARG(c->folder));
}

/* ---- logs of lines ---- */

static Str entry_path(const LineLog *l, int64_t entry, bool compact, Arena *arena)
{
    return str_printf(arena, STR_FMT "/%" PRId64 "%s", STR_ARG(l->folder), entry, compact ? ".compact" : "");
}

static bool push_entry(LineLog *l, int64_t entry, const StrVec *lines)
{
    for (size_t i = 0; i < lines->len; i++) {
        vec_push(l->arena, &l->lines, str_copy(lines->at[i], l->arena));
        vec_push(l->arena, &l->entry_of, entry);
    }
    return true;
}

/* Which entry a line of a compacted file came with: its batchId where it has one. */
static void push_compacted(LineLog *l, int64_t entry, const StrVec *lines, Arena *arena)
{
    for (size_t i = 0; i < lines->len; i++) {
        Error ignored = error_in(arena);
        yyjson_val *root;
        int64_t of = entry;
        if (json_parse(lines->at[i], S("line"), arena, &root, &ignored) && yyjson_is_obj(root))
            of = json_get_i64(root, "batchId", entry);
        vec_push(l->arena, &l->lines, str_copy(lines->at[i], l->arena));
        vec_push(l->arena, &l->entry_of, of);
    }
}

bool line_log_open(Store *store, Str folder, Arena *arena, LineLog *out, Error *err)
{
    AUTO_ARENA scratch = arena_new();
    StoreEntryVec entries = {0};
    int64_t compact = -1;
    *out = (LineLog){.store = store, .folder = str_copy(folder, arena), .arena = arena, .newest = -1};
    TRY(store_make_folder(store, folder, err));
    TRY(store_list(store, folder, S(""), scratch, &entries, err));
    for (size_t i = 0; i < entries.len; i++) {
        ptrdiff_t slash = str_rfind_char(entries.at[i].path, '/');
        Str name = str_slice(entries.at[i].path, (size_t)(slash + 1), entries.at[i].path.len);
        int64_t n;
        bool whole = str_ends_with(name, S(".compact"));
        if (!str_to_i64(whole ? str_slice(name, 0, name.len - 8) : name, &n))
            continue;
        out->newest = n > out->newest ? n : out->newest;
        if (whole && n > compact)
            compact = n;
    }
    for (int64_t n = compact < 0 ? 0 : compact; n <= out->newest; n++) {
        StrVec lines = {0};
        bool found;
        TRY(read_lines(store, entry_path(out, n, n == compact, scratch), scratch, &found, &lines, err));
        if (n == compact)
            push_compacted(out, n, &lines, scratch);
        else
            push_entry(out, n, &lines);
    }
    return true;
}

bool line_log_add(LineLog *l, int64_t entry, const StrVec *lines, Error *err)
{
    AUTO_ARENA arena = arena_new();
    bool compact = (entry + 1) % COMPACT_INTERVAL == 0, exists;
    Buf b = buf_in(arena);
    buf_addz(&b, "v1");
    for (size_t i = 0; compact && i < l->lines.len; i++)
        buf_addf(&b, "\n" STR_FMT, STR_ARG(l->lines.at[i]));
    for (size_t i = 0; i < lines->len; i++)
        buf_addf(&b, "\n" STR_FMT, STR_ARG(lines->at[i]));
    TRY(store_put_if_absent(l->store, entry_path(l, entry, compact, arena), buf_str(&b), &exists, err));
    if (exists)
        return error_set(err, ERR_CONCURRENT_STREAM_LOG_UPDATE, P("batchId", str_printf(err->arena, "%" PRId64, entry)));
    push_entry(l, entry, lines);
    l->newest = entry;
    return true;
}
