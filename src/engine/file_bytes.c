/* A data file's bytes in memory, and its lines. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/log.h"
#include "engine/file_source_impl.h"

/* An inflated file may not take more memory than this. */
#define INFLATED_MAX ((size_t)4 << 30)

static bool read_failure(Str path, Error *err)
{
    if (errno == ENOENT)
        return error_set(err, ERR_FAILED_READ_FILE__FILE_NOT_EXIST, P("path", path));
    return error_set(err, ERR_LAKESHED_FILE, P("path", path), PZ("reason", strerror(errno)));
}

bool file_facts(Str path, FileFacts *out, Error *err)
{
    AUTO_ARENA arena = arena_new();
    struct stat facts;
    if (stat(str_z(path, arena), &facts))
        return read_failure(path, err);
    out->size = facts.st_size;
    out->modified_ms = (int64_t)facts.st_mtim.tv_sec * 1000 + facts.st_mtim.tv_nsec / 1000000;
    return true;
}

static bool inflate_file(Str path, FileBytes *out, Error *err)
{
    AUTO_ARENA arena = arena_new();
    gzFile file = gzopen(str_z(path, arena), "rb");
    if (!file)
        return read_failure(path, err);
    size_t cap = 1 << 20, len = 0;
    char *bytes = malloc(cap);
    int n = 0;
    while (bytes && len < INFLATED_MAX &&
           (n = gzread(file, bytes + len, (unsigned)(cap - len > 1 << 30 ? 1 << 30 : cap - len))) >
               0) {
        len += (size_t)n;
        if (len == cap)
            bytes = realloc(bytes, cap *= 2);
    }
    /* zlib hands on what is not compressed as it is. */
    if (len && gzdirect(file))
        n = -1;
    /* A file that ends in the middle is told of at the end only. */
    if (gzclose(file) != Z_OK)
        n = -1;
    if (!bytes)
        panic("out of memory");
    if (n < 0 || len >= INFLATED_MAX) {
        free(bytes);
        return n < 0 ? error_set(err, ERR_FAILED_READ_FILE__NO_HINT, P("path", str_concat(err->arena, S("file://"), path)))
                     : error_set(err, ERR_LAKESHED_FILE, P("path", path), PZ("reason", "it is too large when inflated"));
    }
    *out = (FileBytes){.ptr = bytes, .len = len, .owned = bytes};
    return true;
}

bool file_bytes_open(Str path, FileBytes *out, Error *err)
{
    *out = (FileBytes){.ptr = ""};
    if (str_ends_with(path, S(".gz")))
        return inflate_file(path, out, err);
    static const char *const compressed[] = {".bz2", ".zst", ".lz4", ".snappy", ".deflate", ".xz"};
    for (size_t i = 0; i < LENGTH_OF(compressed); i++)
        if (str_ends_with(path, str_from(compressed[i])))
            return error_unsupported(err, "Reading text files compressed as %s", compressed[i] + 1);
    AUTO_ARENA arena = arena_new();
    int fd = open(str_z(path, arena), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return read_failure(path, err);
    struct stat facts;
    bool ok = !fstat(fd, &facts) || read_failure(path, err);
    if (ok && facts.st_size) {
        out->mapped = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        ok = out->mapped != MAP_FAILED || read_failure(path, err);
        if (!ok)
            out->mapped = NULL;
        else
            *out = (FileBytes){
                .ptr = out->mapped, .len = (size_t)facts.st_size, .mapped = out->mapped};
    }
    close(fd);
    return ok;
}

void file_bytes_close(FileBytes *b)
{
    if (b->mapped)
        munmap(b->mapped, b->len);
    free(b->owned);
    *b = (FileBytes){.ptr = ""};
}

bool file_next_line(const FileBytes *b, Str separator, size_t *at, Str *line)
{
    if (*at >= b->len)
        return false;
    Str rest = {b->ptr + *at, b->len - *at};
    if (separator.len) {
        ptrdiff_t end = str_find(rest, separator);
        *line = end < 0 ? rest : str_slice(rest, 0, (size_t)end);
        *at += line->len + (end < 0 ? 0 : separator.len);
        return true;
    }
    const char *newline = memchr(rest.ptr, '\n', rest.len);
    const char *stop = newline ? newline : rest.ptr + rest.len;
    const char *returned = memchr(rest.ptr, '\r', (size_t)(stop - rest.ptr));
    if (returned)
        stop = returned;
    *line = (Str){rest.ptr, (size_t)(stop - rest.ptr)};
    *at += line->len;
    if (*at < b->len && b->ptr[*at] == '\r') {
        ++*at;
        if (*at < b->len && b->ptr[*at] == '\n')
            ++*at;
    } else if (*at < b->len) {
        ++*at;
    }
    return true;
}
