/* Sending written files: small ones in one request, large ones in parts that become an object together. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/copies_impl.h"
#include "store/parallel.h"
#include "store/s3_xml.h"

#define PART_BYTES (INT64_C(8) << 20)
enum { MAX_PARTS = 10000, ETAG_MAX = 256 };

typedef struct Part {
    size_t file;
    int64_t from, count;
    int number;      /* from 1; 0: the whole object */
    char *etag;
} Part;

typedef struct Sent {
    Str key, path;
    int fd;
    int64_t size;
    Str upload;      /* id of the multipart upload */
} Sent;

typedef struct Sending {
    S3Client *client;
    Str bucket;
    Arena *arena;
    Sent *files;
    size_t count;
    VEC(Part) parts;
} Sending;

static bool disk_failure(Error *err, Str path)
{
    char text[128];
    return error_set(err, ERR_LAKESHED_FILE, P("path", path), PZ("reason", strerror_r(errno, text, sizeof text)));
}

static bool expect_good(const Sending *w, const S3Request *r, const S3Answer *a, Error *err)
{
    return s3_is_good(a) || s3_failure(w->client, r, a, err);
}

static bool read_part(const Sent *f, const Part *p, Arena *arena, Str *out, Error *err)
{
    char *bytes = arena_alloc(arena, (size_t)p->count + 1);
    for (int64_t done = 0; done < p->count;) {
        ssize_t n = pread(f->fd, bytes + done, (size_t)(p->count - done), (off_t)(p->from + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n ? disk_failure(err, f->path) : error_set(err, ERR_LAKESHED_FILE, P("path", f->path), PZ("reason", "the file became shorter"));
        done += n;
    }
    *out = (Str){bytes, (size_t)p->count};
    return true;
}

static bool send_part(size_t index, void *arg, Error *err)
{
    Sending *w = arg;
    Part *p = &w->parts.at[index];
    const Sent *f = &w->files[p->file];
    AUTO_ARENA arena = arena_new();
    S3Request r = {.method = "PUT", .bucket = w->bucket, .key = f->key};
    S3Answer a;
    if (p->number) {
        r.params[0] = (S3Param){"partNumber", str_printf(arena, "%d", p->number)};
        r.params[1] = (S3Param){"uploadId", f->upload};
        r.param_count = 2;
    }
    TRY(read_part(f, p, arena, &r.body, err));
    TRY(s3_send(w->client, &r, arena, &a, err));
    TRY(expect_good(w, &r, &a, err));
    if (a.etag.len >= ETAG_MAX)
        return error_set(err, ERR_LAKESHED_FILE, P("path", f->path), PZ("reason", "the S3 service answered with an etag that is too long"));
    memcpy(p->etag, a.etag.ptr, a.etag.len);
    return true;
}

static bool open_file(Sending *w, size_t index, Error *err)
{
    Sent *f = &w->files[index];
    struct stat st;
    f->fd = open(str_z(f->path, w->arena), O_RDONLY | O_CLOEXEC);
    if (f->fd < 0 || fstat(f->fd, &st))
        return disk_failure(err, f->path);
    f->size = st.st_size;
    bool whole = f->size <= PART_BYTES;
    int64_t part = (f->size + MAX_PARTS - 1) / MAX_PARTS;
    part = part < PART_BYTES ? PART_BYTES : part;
    if (!whole) {
        AUTO_ARENA arena = arena_new();
        S3Request r = {.method = "POST", .bucket = w->bucket, .key = f->key, .params = {{"uploads", S_INIT("")}}, .param_count = 1};
        S3Answer a;
        TRY(s3_send(w->client, &r, arena, &a, err));
        TRY(expect_good(w, &r, &a, err));
        f->upload = s3_read_element(a.body, "UploadId", w->arena);
        if (!f->upload.len)
            return error_set(err, ERR_LAKESHED_FILE, P("path", f->path), PZ("reason", "the S3 service gave no id for the upload"));
    }
    int number = whole ? 0 : 1;
    for (int64_t from = 0; from < f->size || !from; from += part) {
        int64_t left = f->size - from;
        Part p = {index, from, left < part ? left : part, number++, arena_alloc(w->arena, ETAG_MAX)};
        vec_push(w->arena, &w->parts, p);
    }
    return true;
}

/* S3 may answer 200 and name the failure in the body. */
static bool complete(Sending *w, size_t index, Error *err)
{
    Sent *f = &w->files[index];
    AUTO_ARENA arena = arena_new();
    Buf b = buf_in(arena);
    buf_addz(&b, "<CompleteMultipartUpload>");
    for (size_t i = 0; i < w->parts.len; i++)
        if (w->parts.at[i].file == index)
            buf_addf(&b, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", w->parts.at[i].number, w->parts.at[i].etag);
    buf_addz(&b, "</CompleteMultipartUpload>");
    S3Request r = {.method = "POST", .bucket = w->bucket, .key = f->key, .params = {{"uploadId", f->upload}}, .param_count = 1,
                   .body = buf_str(&b), .max_bytes = 1 << 16};
    S3Answer a;
    TRY(s3_send(w->client, &r, arena, &a, err));
    if (s3_is_good(&a))
        s3_read_error(a.body, arena, &a);
    bool done = s3_is_good(&a) && !a.code.len;
    if (!done && a.ambiguous) { /* the attempt whose answer was lost may have completed it */
        S3Request head = {.method = "HEAD", .bucket = w->bucket, .key = f->key};
        S3Answer found;
        TRY(s3_send(w->client, &head, arena, &found, err));
        done = s3_is_good(&found) && found.length == f->size;
    }
    if (!done)
        return s3_failure(w->client, &r, &a, err);
    f->upload = S("");
    return true;
}

static void abort_upload(const Sending *w, const Sent *f)
{
    AUTO_ARENA arena = arena_new();
    Error ignored = error_in(arena);
    S3Request r = {.method = "DELETE", .bucket = w->bucket, .key = f->key, .params = {{"uploadId", f->upload}}, .param_count = 1};
    S3Answer a;
    if (!s3_send(w->client, &r, arena, &a, &ignored))
        error_clear(&ignored); /* the bucket's rule for incomplete uploads removes it */
}

static bool send_all(Sending *w, Error *err)
{
    for (size_t i = 0; i < w->count; i++)
        TRY(open_file(w, i, err));
    TRY(parallel_run(w->parts.len, send_part, w, err));
    for (size_t i = 0; i < w->count; i++)
        if (w->files[i].upload.len)
            TRY(complete(w, i, err));
    for (size_t i = 0; i < w->count; i++) {
        copies_seal(w->files[i].fd, S(""), 0);
        copies_added(w->files[i].size);
    }
    return true;
}

bool copies_send(S3Client *c, Str bucket, const Str *keys, const Str *local_paths, size_t count, Error *err)
{
    AUTO_ARENA arena = arena_new();
    Sending w = {.client = c, .bucket = bucket, .arena = arena, .count = count, .files = ARENA_ARRAY(arena, Sent, count + 1)};
    for (size_t i = 0; i < count; i++)
        w.files[i] = (Sent){.key = keys[i], .path = local_paths[i], .fd = -1};
    bool ok = send_all(&w, err);
    for (size_t i = 0; i < count; i++) {
        if (w.files[i].upload.len)
            abort_upload(&w, &w.files[i]);
        if (w.files[i].fd >= 0)
            close(w.files[i].fd);
    }
    return ok;
}
