/* One process per data folder, by a lock the system drops when the process is gone, however it went. */
#include "server/data_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"

static bool io_error(Str path, Error *err)
{
    return error_set(err, ERR_LAKESHED_FILE, P("path", path), PZ("reason", strerror(errno)));
}

static bool make_folders(Str path, Error *err)
{
    char *z = str_z(path, err->arena);
    for (char *slash = strchr(z + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL)
            *slash = '\0';
        if (mkdir(z, 0755) != 0 && errno != EEXIST)
            return io_error(str_from(z), err);
        if (slash == NULL)
            return true;
        *slash = '/';
    }
}

static bool lock_folder(DataFolder *f, Error *err)
{
    char holder[32] = "";
    Str path = str_printf(err->arena, STR_FMT "/lock", STR_ARG(f->path));
    f->lock_fd = open(path.ptr, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (f->lock_fd < 0)
        return io_error(path, err);
    if (flock(f->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t n = pread(f->lock_fd, holder, sizeof holder - 1, 0);
        close(f->lock_fd);
        holder[n > 0 ? n : 0] = '\0';
        return error_set(err, ERR_LAKESHED_DATA_FOLDER_IN_USE, P("path", f->path), P("pid", str_trim(str_from(holder))));
    }
    int len = snprintf(holder, sizeof holder, "%ld\n", (long)getpid());
    if (ftruncate(f->lock_fd, 0) != 0 || pwrite(f->lock_fd, holder, (size_t)len, 0) != len)
        return io_error(path, err);
    return true;
}

bool data_folder_open(Str path, Arena *arena, DataFolder *out, Error *err)
{
    TRY(make_folders(path, err));
    char *real = realpath(str_z(path, arena), NULL);
    if (real == NULL)
        return io_error(path, err);
    *out = (DataFolder){.path = str_copy(str_from(real), arena), .lock_fd = -1};
    free(real);
    return lock_folder(out, err);
}

static Str announcement(const DataFolder *f, Arena *arena)
{
    return str_printf(arena, STR_FMT "/server.json", STR_ARG(f->path));
}

void data_folder_close(DataFolder *f)
{
    AUTO_ARENA arena = arena_new();
    if (f->lock_fd < 0)
        return;
    unlink(announcement(f, arena).ptr);
    close(f->lock_fd);
    f->lock_fd = -1;
}

bool data_folder_announce(DataFolder *f, Str host, int port, int rest_port, Error *err)
{
    Str path = announcement(f, err->arena), fresh = str_concat(err->arena, path, S(".new"));
    Buf b = buf_in(err->arena);
    buf_addf(&b, "{\"pid\": %ld, \"host\": ", (long)getpid());
    json_put_str(&b, host);
    buf_addf(&b, ", \"port\": %d", port);
    if (rest_port >= 0)
        buf_addf(&b, ", \"rest_port\": %d", rest_port);
    buf_addz(&b, "}\n");
    FILE *out = fopen(str_z(fresh, err->arena), "w");
    if (out == NULL)
        return io_error(fresh, err);
    bool ok = fwrite(b.ptr, 1, b.len, out) == b.len;
    ok &= fclose(out) == 0;
    return (ok && rename(fresh.ptr, path.ptr) == 0) || io_error(path, err);
}
