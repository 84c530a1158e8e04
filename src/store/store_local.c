/* Files on a local disk: a put is a fsynced temporary file that is linked into place, so that a
 * kill at any instant leaves the target whole or absent. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/map.h"
#include "store/store_impl.h"

enum { WALK_MAX_DEPTH = 128 };

#define TEMPORARY_SUFFIX ".lakeshed.tmp"

static bool fail(Error *err, Str path, int code)
{
    char text[128];
    return error_set(err, ERR_LAKESHED_FILE, P("path", path),
                     PZ("reason", strerror_r(code, text, sizeof text)));
}

static const char *full_path(const Store *s, Str path, Arena *arena)
{
    return str_z(store_duckdb_path(s, path, arena), arena);
}

static int64_t modified_ms(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define AUTO_FD __attribute__((cleanup(close_fd))) int

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}
#define AUTO_DIR __attribute__((cleanup(close_dir))) DIR *

/* ---- reading ---- */

/* -1 and *found false when absent. */
static bool open_regular(const char *path, bool *found, int *fd, struct stat *st, Error *err)
{
    *found = false;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? true : fail(err, str_from(path), errno);
    if (fstat(*fd, st))
        return fail(err, str_from(path), errno);
    if (!S_ISREG(st->st_mode))
        return fail(err, str_from(path), S_ISDIR(st->st_mode) ? EISDIR : EINVAL);
    *found = true;
    return true;
}

static bool read_fully(int fd, char *bytes, size_t len, off_t offset, const char *path, Error *err)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pread(fd, bytes + done, len - done, offset + (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(err, str_from(path), errno);
        if (n == 0)
            return error_set(err, ERR_LAKESHED_FILE, PZ("path", path),
                             PZ("reason", "the file is shorter than expected"));
        done += (size_t)n;
    }
    return true;
}

static bool local_read(Store *s, Str path, size_t max_bytes, Arena *arena, bool *found, Str *out,
                       Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    const char *full = full_path(s, path, scratch);
    AUTO_FD fd = -1;
    struct stat st;
    TRY(open_regular(full, found, &fd, &st, err));
    if (!*found)
        return true;
    if ((uint64_t)st.st_size > max_bytes)
        return error_set(
            err, ERR_LAKESHED_FILE, PZ("path", full),
            P("reason", str_printf(err->arena, "%lld bytes are more than the limit of %zu",
                                   (long long)st.st_size, max_bytes)));
    char *bytes = arena_alloc(arena, (size_t)st.st_size + STORE_READ_PADDING);
    TRY(read_fully(fd, bytes, (size_t)st.st_size, 0, full, err));
    *out = (Str){bytes, (size_t)st.st_size};
    return true;
}

static bool local_read_range(Store *s, Str path, int64_t offset, size_t len, Arena *arena,
                             bool *found, Str *out, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    const char *full = full_path(s, path, scratch);
    AUTO_FD fd = -1;
    struct stat st;
    TRY(open_regular(full, found, &fd, &st, err));
    if (!*found)
        return true;
    if (offset < 0 || offset > st.st_size || len > (uint64_t)(st.st_size - offset))
        return error_set(err, ERR_LAKESHED_FILE, PZ("path", full),
                         PZ("reason", "the file is shorter than expected"));
    char *bytes = arena_alloc(arena, len + STORE_READ_PADDING);
    TRY(read_fully(fd, bytes, len, offset, full, err));
    *out = (Str){bytes, len};
    return true;
}

static bool local_stat(Store *s, Str path, bool *found, StoreEntry *out, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    const char *full = full_path(s, path, scratch);
    struct stat st;
    *found = false;
    if (stat(full, &st))
        return errno == ENOENT || errno == ENOTDIR ? true : fail(err, str_from(full), errno);
    *found = true;
    *out = (StoreEntry){path, st.st_size, modified_ms(&st)};
    return true;
}

/* ---- writing ---- */

static bool sync_folder(const char *path, Error *err)
{
    AUTO_FD fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd))
        return fail(err, str_from(path), errno);
    return true;
}

static Str parent_of(Str path)
{
    ptrdiff_t slash = str_rfind_char(path, '/');
    return slash < 0 ? S("") : str_slice(path, 0, (size_t)slash);
}

static bool sync_parent(const char *full, Arena *scratch, Error *err)
{
    Str parent = parent_of(str_from(full));
    return sync_folder(parent.len ? str_z(parent, scratch) : "/", err);
}

static bool write_fully(int fd, Str content)
{
    for (size_t done = 0; done < content.len;) {
        ssize_t n = write(fd, content.ptr + done, content.len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

/* A finished and fsynced file beside the target. Its dotted name is ignored by every reader of
 * tables. */
static bool write_temporary(const char *target, Str content, Arena *scratch, char **out, Error *err)
{
    Str whole = str_from(target), folder = parent_of(whole);
    Str name = str_slice(whole, folder.len + 1, whole.len);
    char id[UUID_TEXT_LEN + 1];
    clock_uuid(id);
    char *path = str_z(str_printf(scratch, STR_FMT "/." STR_FMT ".%s" TEMPORARY_SUFFIX,
                                  STR_ARG(folder), STR_ARG(name), id),
                       scratch);
    AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return fail(err, whole, errno);
    if (!write_fully(fd, content) || fsync(fd)) {
        int code = errno;
        unlink(path);
        return fail(err, whole, code);
    }
    *out = path;
    return true;
}

/* 0, EEXIST, or another errno. A lost answer (network file systems) is told by the link count. */
static int link_into_place(const char *temporary, const char *target)
{
    struct stat st;
    if (!link(temporary, target))
        return 0;
    int code = errno;
    if (!stat(temporary, &st) && st.st_nlink == 2)
        return 0;
    if (code == EPERM || code == EOPNOTSUPP || code == ENOSYS)
        return renameat2(AT_FDCWD, temporary, AT_FDCWD, target, RENAME_NOREPLACE) ? errno : 0;
    return code;
}

/* Spark's local LogStore looks whether a file is there and then renames over it: what it does between
 * our link and our fsync takes the name from us, and its content is what stays. */
static bool was_replaced(const char *temporary, const char *target)
{
    struct stat ours, now;
    return !stat(temporary, &ours) && !stat(target, &now) && ours.st_ino != now.st_ino;
}

static bool local_put_if_absent(Store *s, Str path, Str content, bool *exists, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    const char *full = full_path(s, path, scratch);
    char *temporary;
    *exists = false;
    if (!access(full, F_OK)) {
        *exists = true;
        return true;
    }
    TRY(write_temporary(full, content, scratch, &temporary, err));
    int code = link_into_place(temporary, full);
    bool ok = code == 0 && sync_parent(full, scratch, err);
    *exists = code == EEXIST || (ok && was_replaced(temporary, full));
    unlink(temporary);
    if (code && code != EEXIST)
        return fail(err, str_from(full), code);
    return ok || *exists;
}

static bool local_put(Store *s, Str path, Str content, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    const char *full = full_path(s, path, scratch);
    char *temporary;
    TRY(write_temporary(full, content, scratch, &temporary, err));
    if (rename(temporary, full)) {
        int code = errno;
        unlink(temporary);
        return fail(err, str_from(full), code);
    }
    return sync_parent(full, scratch, err);
}

static bool sync_file(const char *full, Error *err)
{
    AUTO_FD fd = open(full, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fsync(fd))
        return fail(err, str_from(full), errno);
    return true;
}

static bool local_publish(Store *s, Str from, Str to, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    const char *source = full_path(s, from, scratch), *target = full_path(s, to, scratch);
    TRY(sync_file(source, err));
    if (rename(source, target))
        return fail(err, str_from(target), errno);
    return sync_parent(target, scratch, err);
}

static bool local_sync_files(Store *s, const Str *paths, size_t count, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    Map folders = map_in(scratch);
    for (size_t i = 0; i < count; i++) {
        TRY(sync_file(full_path(s, paths[i], scratch), err));
        /* Partition folders may be new themselves: every level up to the root. */
        for (Str folder = parent_of(paths[i]); !map_has(&folders, folder);
             folder = parent_of(folder)) {
            map_put(&folders, folder, scratch);
            TRY(sync_folder(full_path(s, folder, scratch), err));
        }
    }
    return true;
}

/* ---- folders ---- */

static bool local_make_folder(Store *s, Str path, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    char *full = str_z(store_duckdb_path(s, path, scratch), scratch);
    for (char *at = full + 1;; at++) {
        if (*at && *at != '/')
            continue;
        char kept = *at;
        *at = 0;
        if (!mkdir(full, 0755))
            TRY(sync_parent(full, scratch, err));
        else if (errno != EEXIST)
            return fail(err, str_from(full), errno);
        *at = kept;
        if (!kept)
            return true;
    }
}

static int by_path(const void *a, const void *b)
{
    return str_cmp(((const StoreEntry *)a)->path, ((const StoreEntry *)b)->path);
}

static Str join(Str folder, Str name, Arena *arena)
{
    return folder.len ? str_printf(arena, STR_FMT "/" STR_FMT, STR_ARG(folder), STR_ARG(name))
                      : str_copy(name, arena);
}

static bool local_list(Store *s, Str folder, Str from, Arena *arena, StoreEntryVec *out, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    const char *full = full_path(s, folder, scratch);
    *out = (StoreEntryVec){0};
    AUTO_DIR dir = opendir(full);
    if (!dir)
        return errno == ENOENT || errno == ENOTDIR ? true : fail(err, str_from(full), errno);
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (!entry && errno)
            return fail(err, str_from(full), errno);
        if (!entry)
            break;
        Str name = str_from(entry->d_name);
        struct stat st;
        if (str_cmp(name, from) < 0 || entry->d_type == DT_DIR)
            continue;
        if (fstatat(dirfd(dir), entry->d_name, &st, 0) || !S_ISREG(st.st_mode))
            continue; /* gone meanwhile, or no file */
        vec_push(arena, out,
                 ((StoreEntry){join(folder, name, arena), st.st_size, modified_ms(&st)}));
    }
    if (out->len)
        qsort(out->at, out->len, sizeof *out->at, by_path);
    return true;
}

typedef struct Walk {
    Store *store;
    bool folders;
    StoreVisit visit;
    void *arg;
    bool stopped;
} Walk;

/* path holds the folder's own path while its entries are visited; memory does not grow with their
 * number. */
static bool walk_folder(Walk *w, int parent, const char *name, Buf *path_buf, int depth, Error *err)
{
    Str path = buf_str(path_buf);
    size_t own_len = path.len;
    AUTO_FD fd =
        openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (depth ? O_NOFOLLOW : 0));
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? true
                                                                     : fail(err, path, errno);
    if (depth > WALK_MAX_DEPTH)
        return error_set(err, ERR_LAKESHED_FILE, P("path", path),
                         PZ("reason", "nested too deeply"));
    int again = dup(fd);
    AUTO_DIR dir = again < 0 ? NULL : fdopendir(again);
    if (!dir)
        return fail(err, path, errno);
    struct dirent *entry;
    while (!w->stopped && (entry = readdir(dir))) {
        struct stat st;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
            fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
            continue;
        path_buf->len = own_len;
        buf_addf(path_buf, "%s%s", own_len ? "/" : "", entry->d_name);
        if (S_ISDIR(st.st_mode)) {
            size_t below_len = path_buf->len;
            TRY(walk_folder(w, fd, entry->d_name, path_buf, depth + 1, err));
            path_buf->len = below_len;
        }
        if (!w->stopped && (w->folders ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode)))
            w->stopped =
                !w->visit(&(StoreEntry){buf_str(path_buf), st.st_size, modified_ms(&st)}, w->arg);
    }
    path_buf->len = own_len;
    return true;
}

static bool local_walk(Store *s, Str folder, bool folders, StoreVisit visit, void *arg, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    Walk walk = {s, folders, visit, arg, false};
    Buf path = buf_in(scratch);
    buf_add(&path, folder);
    return walk_folder(&walk, AT_FDCWD, full_path(s, folder, scratch), &path, 0, err);
}

static bool local_remove(Store *s, Str path, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    const char *full = full_path(s, path, scratch);
    if (unlink(full) && errno != ENOENT && errno != ENOTDIR)
        return fail(err, str_from(full), errno);
    return true;
}

static bool local_remove_folder(Store *s, Str path, bool *removed, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    const char *full = full_path(s, path, scratch);
    *removed = !rmdir(full);
    if (!*removed && errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
        return fail(err, str_from(full), errno);
    return true;
}

static bool local_clean_temporary(Store *s, Str folder, int64_t older_than_ms, Error *err)
{
    AUTO_ARENA(scratch) = arena_new();
    StoreEntryVec files;
    TRY(local_list(s, folder, S(""), scratch, &files, err));
    for (size_t i = 0; i < files.len; i++) {
        Str path = files.at[i].path;
        if (str_ends_with(path, S(TEMPORARY_SUFFIX)) && files.at[i].modified_ms < older_than_ms)
            TRY(local_remove(s, path, err));
    }
    return true;
}

static const StoreOps local_ops = {
    .read = local_read,
    .read_range = local_read_range,
    .stat = local_stat,
    .put_if_absent = local_put_if_absent,
    .put = local_put,
    .publish = local_publish,
    .list = local_list,
    .walk = local_walk,
    .remove = local_remove,
    .remove_folder = local_remove_folder,
    .make_folder = local_make_folder,
    .sync_files = local_sync_files,
    .clean_temporary = local_clean_temporary,
};

bool store_local_open(Str root, Arena *arena, Store **out, Error *err)
{
    (void)err;
    *out = ARENA_NEW(arena, Store);
    **out = (Store){.ops = &local_ops, .root = root};
    return true;
}
