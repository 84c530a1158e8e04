/* Fetching objects: the first bytes of every file, then what is left of the large ones, several ranges at once. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/copies_impl.h"
#include "store/parallel.h"

#define PIECE_BYTES (INT64_C(8) << 20)

typedef struct Fetched {
    CopyName name;
    Str path, temporary;
    Str etag;
    int64_t size, modified_ms;
    int fd;
} Fetched;

typedef struct Piece {
    size_t file;
    int64_t from, count;
} Piece;

typedef struct Fetch {
    Arena *arena;
    StoreFreshness freshness;
    VEC(Fetched) files;
    VEC(Piece) pieces;
} Fetch;

static bool disk_failure(Error *err, Str path)
{
    char text[128];
    return error_set(err, ERR_LAKESHED_FILE, P("path", path), P("reason", str_printf(err->arena, "the local copy cannot be made: %s",
                                                                                     strerror_r(errno, text, sizeof text))));
}

static bool not_there(const Fetched *f, Error *err)
{
    Str uri = str_printf(err->arena, "s3a://" STR_FMT "/" STR_FMT, STR_ARG(f->name.bucket), STR_ARG(f->name.key));
    return error_set(err, ERR_FAILED_READ_FILE__FILE_NOT_EXIST, P("path", uri));
}

/* A key that a file system takes for another one's path is refused. */
static bool check_key(const Fetched *f, Error *err)
{
    Str key = f->name.key;
    bool bad = !key.len;
    for (size_t i = 0; !bad && i <= key.len;) {
        size_t end = i;
        while (end < key.len && key.ptr[end] != '/')
            end++;
        Str part = str_slice(key, i, end);
        bad = !part.len || str_is(part, ".") || str_is(part, "..") || memchr(part.ptr, 0, part.len);
        i = end + 1;
    }
    return !bad || error_unsupported(err, "Reading the object \"" STR_FMT "\" of the bucket " STR_FMT, STR_ARG(key), STR_ARG(f->name.bucket));
}

static bool is_current(Fetch *w, Fetched *f, bool *current, Error *err)
{
    CopyState state = copies_look(f->path, S(""));
    *current = state == COPY_WRITTEN_HERE || (state == COPY_WHOLE && w->freshness == STORE_IMMUTABLE);
    if (*current || state == COPY_ABSENT)
        return true;
    AUTO_ARENA arena = arena_new();
    S3Answer a;
    S3Request r = {.method = "HEAD", .bucket = f->name.bucket, .key = f->name.key};
    TRY(s3_send(f->name.client, &r, arena, &a, err));
    if (a.status == 404)
        return not_there(f, err);
    if (!s3_is_good(&a))
        return s3_failure(f->name.client, &r, &a, err);
    *current = a.etag.len && copies_look(f->path, a.etag) == COPY_WHOLE;
    return true;
}

static bool fetch_range(const Fetched *f, int64_t from, int64_t count, Arena *arena, S3Answer *a, Error *err)
{
    S3Request r = {.method = "GET", .bucket = f->name.bucket, .key = f->name.key, .from = from, .count = count, .if_match = f->etag,
                   .to_fd = f->fd, .to_offset = from};
    TRY(s3_send(f->name.client, &r, arena, a, err));
    if (a->status == 416 && !from) { /* an empty object has no first byte */
        r.count = 0;
        TRY(s3_send(f->name.client, &r, arena, a, err));
    }
    if (a->status == 404)
        return not_there(f, err);
    if (a->status == 412)
        return error_set(err, ERR_LAKESHED_FILE, P("path", store_shown(f->path, err->arena)), PZ("reason", "the object was replaced while it was read"));
    return s3_is_good(a) || s3_failure(f->name.client, &r, a, err);
}

static bool begin_file(size_t index, void *arg, Error *err)
{
    Fetch *w = arg;
    Fetched *f = &w->files.at[index];
    bool current;
    AUTO_ARENA arena = arena_new();
    TRY(check_key(f, err));
    TRY(is_current(w, f, &current, err));
    if (current)
        return true;
    copies_make_parent(f->path);
    f->fd = open(f->temporary.ptr, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (f->fd < 0)
        return disk_failure(err, f->path);
    S3Answer a;
    TRY(fetch_range(f, 0, PIECE_BYTES, arena, &a, err));
    f->size = a.status == 206 && a.total >= 0 ? a.total : a.length;
    f->modified_ms = a.modified_ms;
    if (a.etag.len < 256) {
        char *kept = (char *)f->etag.ptr;
        memcpy(kept, a.etag.ptr, a.etag.len);
        f->etag.len = a.etag.len;
    }
    return true;
}

static bool fetch_piece(size_t index, void *arg, Error *err)
{
    Fetch *w = arg;
    const Piece *p = &w->pieces.at[index];
    AUTO_ARENA arena = arena_new();
    S3Answer a;
    TRY(fetch_range(&w->files.at[p->file], p->from, p->count, arena, &a, err));
    return a.status == 206 || error_set(err, ERR_LAKESHED_FILE, P("path", store_shown(w->files.at[p->file].path, err->arena)), PZ("reason", "the S3 service does not answer ranges"));
}

static bool finish_file(Fetched *f, Error *err)
{
    struct stat st;
    if (fstat(f->fd, &st))
        return disk_failure(err, f->path);
    if (f->size < 0 || st.st_size != f->size)
        return error_set(err, ERR_LAKESHED_FILE, P("path", store_shown(f->path, err->arena)),
                         P("reason", str_printf(err->arena, "%lld bytes came instead of %lld", (long long)st.st_size, (long long)f->size)));
    copies_seal(f->fd, f->etag, f->modified_ms);
    if (rename(f->temporary.ptr, f->path.ptr))
        return disk_failure(err, f->path);
    copies_added(f->size);
    return true;
}

static bool fetch_all(Fetch *w, Error *err)
{
    TRY(parallel_run(w->files.len, begin_file, w, err));
    for (size_t i = 0; i < w->files.len; i++)
        for (int64_t from = PIECE_BYTES; w->files.at[i].fd >= 0 && from < w->files.at[i].size; from += PIECE_BYTES) {
            int64_t left = w->files.at[i].size - from;
            Piece p = {i, from, left < PIECE_BYTES ? left : PIECE_BYTES};
            vec_push(w->arena, &w->pieces, p);
        }
    TRY(parallel_run(w->pieces.len, fetch_piece, w, err));
    for (size_t i = 0; i < w->files.len; i++)
        if (w->files.at[i].fd >= 0)
            TRY(finish_file(&w->files.at[i], err));
    return true;
}

bool store_bring(const Str *paths, size_t count, StoreFreshness freshness, Arena *arena, Error *err)
{
    AUTO_ARENA scratch = arena_new();
    Fetch w = {.arena = scratch, .freshness = freshness};
    for (size_t i = 0; i < count; i++) {
        CopyName name;
        if (!copy_name(paths[i], &name))
            continue;
        Fetched f = {.path = str_copy(paths[i], scratch), .fd = -1, .size = -1, .etag = {arena_alloc(scratch, 256), 0}};
        copy_name(f.path, &f.name);
        char id[UUID_TEXT_LEN + 1];
        clock_uuid(id);
        ptrdiff_t slash = str_rfind_char(f.path, '/');
        f.temporary = str_printf(scratch, STR_FMT "/.%s.fetched", STR_ARG(str_slice(f.path, 0, (size_t)slash)), id);
        copies_pin(f.path, arena);
        if (freshness == STORE_IMMUTABLE && copies_look(f.path, S("")) >= COPY_WHOLE)
            continue;
        vec_push(scratch, &w.files, f);
    }
    bool ok = !w.files.len || fetch_all(&w, err);
    for (size_t i = 0; i < w.files.len; i++)
        if (w.files.at[i].fd >= 0) {
            close(w.files.at[i].fd);
            unlink(w.files.at[i].temporary.ptr); /* gone where it was finished */
        }
    return ok;
}
