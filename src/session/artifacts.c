/* Files that a client uploads: below the session's own folder, under checked names, within a size. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "session/session_impl.h"

struct ArtifactUpload {
    Session *session;
    Arena *arena;
    Str name, path, temporary;
    int fd;
    int64_t size;
};

enum { ARTIFACT_NAME_MAX = 1024, ARTIFACT_READ_MAX = 1 << 30 };

static bool bad_path(Str name, Error *err)
{
    return error_set(err, ERR_INVALID_ARTIFACT_PATH, P("name", name));
}

/* A relative path of plain parts below one of the folders that Spark's clients use. */
static bool check_name(Str name, Error *err)
{
    static const char *const folders[] = {"cache/", "jars/", "classes/", "pyfiles/", "files/", "archives/"};
    if (str_starts_with(name, S("forward_to_fs")))
        return error_unsupported(err, "copyFromLocalToFs");
    if (name.len == 0 || name.len > ARTIFACT_NAME_MAX || !str_is_utf8(name) || memchr(name.ptr, '\0', name.len))
        return bad_path(name, err);
    bool known = false;
    for (size_t i = 0; i < LENGTH_OF(folders); i++)
        known |= str_starts_with(name, str_from(folders[i]));
    if (!known)
        return bad_path(name, err);
    for (Str rest = name;;) {
        ptrdiff_t slash = str_find_char(rest, '/');
        Str part = slash < 0 ? rest : str_slice(rest, 0, (size_t)slash);
        if (part.len == 0 || part.len > 255 || str_is(part, ".") || str_is(part, ".."))
            return bad_path(name, err);
        if (slash < 0)
            return true;
        rest = str_slice(rest, (size_t)slash + 1, rest.len);
    }
}

static bool io_error(Str path, Error *err)
{
    return error_set(err, ERR_LAKESHED_FILE, P("path", path), PZ("reason", strerror(errno)));
}

/* Every folder on the way to the file. */
static bool make_parents(Str path, Error *err)
{
    char *z = str_z(path, err->arena);
    for (char *slash = strchr(z + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(z, 0700) != 0 && errno != EEXIST)
            return io_error(str_from(z), err);
        *slash = '/';
    }
    return true;
}

void session_keep_artifacts_in(Session *s, Str folder, int64_t max_bytes)
{
    s->artifact_root = str_copy(folder, s->arena);
    s->artifact_folder = str_printf(s->arena, STR_FMT "/" STR_FMT, STR_ARG(folder), STR_ARG(s->server_id));
    s->artifact_limit = max_bytes;
}

static Str artifact_path(Session *s, Str name, Arena *arena)
{
    return str_printf(arena, STR_FMT "/" STR_FMT, STR_ARG(s->artifact_folder), STR_ARG(name));
}

bool session_has_artifact(Session *s, Str name)
{
    AUTO_ARENA arena = arena_new();
    Error ignored = error_in(arena);
    struct stat st;
    return s->artifact_root.len > 0 && check_name(name, &ignored) &&
           stat(artifact_path(s, name, arena).ptr, &st) == 0 && S_ISREG(st.st_mode);
}

bool artifact_begin(Session *s, Str name, ArtifactUpload **out, Error *err)
{
    if (s->artifact_root.len == 0)
        return error_unsupported(err, "uploading artifacts to this session");
    TRY(check_name(name, err));
    Arena *arena = arena_new();
    ArtifactUpload *a = ARENA_NEW(arena, ArtifactUpload);
    *a = (ArtifactUpload){.session = s, .arena = arena, .name = str_copy(name, arena)};
    a->path = artifact_path(s, name, arena);
    a->temporary = str_printf(arena, STR_FMT "/.upload-" STR_FMT, STR_ARG(s->artifact_folder),
                              STR_ARG(clock_uuid_in(arena)));
    if (!make_parents(a->path, err) || !make_parents(a->temporary, err)) {
        arena_free(arena);
        return false;
    }
    a->fd = open(a->temporary.ptr, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (a->fd < 0) {
        io_error(a->temporary, err);
        arena_free(arena);
        return false;
    }
    session_ref(s);
    *out = a;
    return true;
}

static void count_bytes(Session *s, int64_t more)
{
    pthread_mutex_lock(&s->lock);
    s->artifact_bytes += more;
    pthread_mutex_unlock(&s->lock);
}

bool artifact_append(ArtifactUpload *a, Str bytes, Error *err)
{
    Session *s = a->session;
    pthread_mutex_lock(&s->lock);
    bool room = s->artifact_bytes + (int64_t)bytes.len <= s->artifact_limit;
    if (room)
        s->artifact_bytes += (int64_t)bytes.len;
    pthread_mutex_unlock(&s->lock);
    if (!room)
        return error_set(err, ERR_LAKESHED_ARTIFACTS_TOO_LARGE,
                         P("limit", str_printf(err->arena, "%lld", (long long)s->artifact_limit)));
    a->size += (int64_t)bytes.len;
    while (bytes.len > 0) {
        ssize_t n = write(a->fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_error(a->temporary, err);
        bytes = str_slice(bytes, (size_t)n, bytes.len);
    }
    return true;
}

static void close_upload(ArtifactUpload *a)
{
    close(a->fd);
    session_unref(a->session);
    arena_free(a->arena);
}

void artifact_abandon(ArtifactUpload *a)
{
    if (a == NULL)
        return;
    unlink(a->temporary.ptr);
    count_bytes(a->session, -a->size);
    close_upload(a);
}

static bool same_content(const char *a, const char *b)
{
    char left[8192], right[8192];
    FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
    bool same = f != NULL && g != NULL;
    while (same) {
        size_t n = fread(left, 1, sizeof left, f), m = fread(right, 1, sizeof right, g);
        same = n == m && memcmp(left, right, n) == 0;
        if (n == 0)
            break;
    }
    if (f != NULL)
        fclose(f);
    if (g != NULL)
        fclose(g);
    return same;
}

bool artifact_finish(ArtifactUpload *a, Error *err)
{
    /* link() refuses to replace: an artifact, once there, does not change under a running query. */
    if (link(a->temporary.ptr, a->path.ptr) == 0) {
        unlink(a->temporary.ptr);
        close_upload(a);
        return true;
    }
    bool ok = errno == EEXIST && same_content(a->temporary.ptr, a->path.ptr);
    if (!ok && errno == EEXIST)
        error_set(err, ERR_ARTIFACT_ALREADY_EXISTS, P("normalizedRemoteRelativePath", a->name));
    else if (!ok)
        io_error(a->path, err);
    artifact_abandon(a);
    return ok;
}

bool session_put_artifact(Session *s, Str name, Str bytes, Error *err)
{
    ArtifactUpload *a;
    TRY(artifact_begin(s, name, &a, err));
    if (artifact_append(a, bytes, err))
        return artifact_finish(a, err);
    artifact_abandon(a);
    return false;
}

bool session_get_artifact(Session *s, Str name, Arena *arena, bool *found, Str *bytes, Error *err)
{
    *found = false;
    if (s->artifact_root.len == 0)
        return true;
    TRY(check_name(name, err));
    Str path = artifact_path(s, name, arena);
    int fd = open(path.ptr, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || io_error(path, err);
    struct stat st;
    bool ok = fstat(fd, &st) == 0 && st.st_size <= ARTIFACT_READ_MAX;
    char *text = ok ? arena_alloc(arena, (size_t)st.st_size + 1) : NULL;
    size_t done = 0;
    while (ok && done < (size_t)st.st_size) {
        ssize_t n = read(fd, text + done, (size_t)st.st_size - done);
        if (n < 0 && errno == EINTR)
            continue;
        ok = n > 0;
        done += ok ? (size_t)n : 0;
    }
    if (!ok)
        io_error(path, err);
    close(fd);
    *found = ok;
    *bytes = (Str){text, done};
    return ok;
}

Str session_python_files(Session *s, Arena *arena)
{
    if (s->artifact_root.len == 0)
        return S("");
    Str folder = artifact_path(s, S("pyfiles"), arena);
    return access(folder.ptr, F_OK) == 0 ? folder : S("");
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    return remove(path);
}

void artifacts_remove(Session *s)
{
    if (s->artifact_folder.len > 0 && access(s->artifact_folder.ptr, F_OK) == 0 &&
        nftw(s->artifact_folder.ptr, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        log_warn("the artifacts of a session could not be removed: %s", strerror(errno));
}

typedef struct CopyJob {
    size_t prefix;
    Session *to;
} CopyJob;
static __thread CopyJob copy_job; /* nftw hands no argument on */

static int copy_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Str name = str_from(path + copy_job.prefix);
    if (kind != FTW_F || str_starts_with(name, S(".upload-")))
        return 0;
    Str target = artifact_path(copy_job.to, name, arena);
    if (!make_parents(target, &err) || link(path, target.ptr) != 0)
        log_warn("an artifact could not be copied to a cloned session: %s", strerror(errno));
    else
        count_bytes(copy_job.to, st->st_size);
    return 0;
}

void artifacts_copy(Session *from, Session *to)
{
    if (access(from->artifact_folder.ptr, F_OK) != 0)
        return;
    copy_job = (CopyJob){from->artifact_folder.len + 1, to};
    nftw(from->artifact_folder.ptr, copy_one, 16, FTW_PHYS);
}
