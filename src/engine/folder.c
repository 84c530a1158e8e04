/* Folders and files on the local disk: made, made durable, moved, swept away. */
#include "engine/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SWEEP_OPEN_FOLDERS = 32, FOLDER_MODE = 0777 };

bool folder_failure(Error *err, Str path)
{
    char reason[128];
    const char *text = strerror_r(errno, reason, sizeof(reason));
    return error_set(err, ERR_LAKESHED_FILE, P("path", path), PZ("reason", text));
}

bool folder_make(Str path, Arena *arena, FolderPaths *made, Error *err)
{
    for (size_t i = 1; i <= path.len; i++) {
        if (i < path.len && path.ptr[i] != '/')
            continue;
        Str part = str_slice(path, 0, i);
        if (!mkdir(str_z(part, arena), FOLDER_MODE)) {
            if (made)
                vec_push(arena, made, part);
        } else if (errno != EEXIST) {
            return folder_failure(err, part);
        }
    }
    return true;
}

static int sweep_one(const char *path, const struct stat *facts, int kind, struct FTW *at)
{
    remove(path);
    return 0;
}

void folder_sweep(Str path)
{
    AUTO_ARENA arena = arena_new();
    nftw(str_z(path, arena), sweep_one, SWEEP_OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}

bool folder_sync(Str path, Error *err)
{
    AUTO_ARENA arena = arena_new();
    int fd = open(str_z(path, arena), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return folder_failure(err, path);
    bool ok = !fsync(fd) || folder_failure(err, path);
    close(fd);
    return ok;
}

bool folder_rename(Str from, Str to, Error *err)
{
    AUTO_ARENA arena = arena_new();
    return !rename(str_z(from, arena), str_z(to, arena)) || folder_failure(err, to);
}
