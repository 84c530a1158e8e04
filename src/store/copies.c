/* The folder of copies: names, what is kept and what goes when there is no room. */
#include "store/copies.h"

#include <fcntl.h>
#include <fts.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/copies_impl.h"

enum { PIN_COUNT = 1 << 16, ABANDONED_SECONDS = 24 * 3600, BOOT_ID_MAX = 64 };

#define DEFAULT_MAX_BYTES (INT64_C(10) << 30)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards folder, max_bytes, held_bytes */
static char folder[2048];
static int64_t max_bytes = DEFAULT_MAX_BYTES;
static int64_t held_bytes = -1; /* of whole copies, about; -1: not counted yet */
/* How many queries read a copy, by the hash of its path: a collision keeps a copy longer than needed. */
static _Atomic uint32_t pins[PIN_COUNT];

/* ---- the folder ---- */

static void make_folders(char *path)
{
    for (char *at = path + 1; *at; at++)
        if (*at == '/') {
            *at = 0;
            mkdir(path, 0700);
            *at = '/';
        }
}

void copies_make_parent(Str path)
{
    AUTO_ARENA arena = arena_new();
    make_folders(str_z(path, arena));
}

typedef struct Sweep {
    bool all;        /* also whole copies */
    int64_t before;  /* unfinished ones that are older, seconds since 1970 */
} Sweep;

static void sweep(const char *root, const Sweep *s)
{
    char *paths[] = {(char *)root, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (!walk)
        return;
    for (FTSENT *e; (e = fts_read(walk));) {
        if (e->fts_info == FTS_DP && e->fts_level > 0)
            rmdir(e->fts_accpath); /* if it is empty */
        else if (e->fts_info == FTS_F && (s->all || ((e->fts_statp->st_mode & S_IWUSR) && e->fts_statp->st_mtime < s->before)))
            unlink(e->fts_accpath);
    }
    fts_close(walk);
}

/* Copies are not fsynced: after a crash of the machine they may be torn, after one of the process they are not. */
static bool same_boot(const char *root)
{
    char now[BOOT_ID_MAX + 1] = "", then[BOOT_ID_MAX + 1] = "", path[2100];
    snprintf(path, sizeof path, "%s/.boot", root);
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (f) {
        if (!fgets(now, sizeof now, f))
            now[0] = 0;
        fclose(f);
    }
    f = fopen(path, "re");
    if (f) {
        if (!fgets(then, sizeof then, f))
            then[0] = 0;
        fclose(f);
    }
    if (now[0] && !strcmp(now, then))
        return true;
    f = fopen(path, "we");
    if (f) {
        fputs(now, f);
        fclose(f);
    }
    return false;
}

static void open_folder(const char *path, int64_t limit)
{
    snprintf(folder, sizeof folder, "%s", path);
    max_bytes = limit;
    held_bytes = -1;
    char with_slash[2100];
    snprintf(with_slash, sizeof with_slash, "%s/", path);
    make_folders(with_slash);
    Sweep s = {.all = !same_boot(path), .before = clock_now_ms() / 1000 - ABANDONED_SECONDS};
    sweep(path, &s);
}

void store_keep_copies(Str path, int64_t limit)
{
    AUTO_ARENA arena = arena_new();
    pthread_mutex_lock(&lock);
    if (path.len < sizeof folder)
        open_folder(str_z(path, arena), limit);
    pthread_mutex_unlock(&lock);
}

/* Without a setting: what a cache of this user's programs is put in. */
static void default_folder(void)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char path[1024];
    if (cache && cache[0] == '/')
        snprintf(path, sizeof path, "%s/lakeshed/s3", cache);
    else if (home && home[0] == '/')
        snprintf(path, sizeof path, "%s/.cache/lakeshed/s3", home);
    else
        snprintf(path, sizeof path, "/tmp/lakeshed-%u/s3", (unsigned)getuid());
    open_folder(path, DEFAULT_MAX_BYTES);
}

static Str root(void)
{
    pthread_mutex_lock(&lock);
    if (!folder[0])
        default_folder();
    pthread_mutex_unlock(&lock);
    return str_from(folder);
}

/* ---- names ---- */

Str copy_path(const CopyName *name, Arena *arena)
{
    return str_printf(arena, STR_FMT "/%s/" STR_FMT "%s" STR_FMT, STR_ARG(root()), s3_client_id(name->client), STR_ARG(name->bucket),
                      name->key.len ? "/" : "", STR_ARG(name->key));
}

static Str next_part(Str *path)
{
    ptrdiff_t slash = str_find_char(*path, '/');
    Str part = slash < 0 ? *path : str_slice(*path, 0, (size_t)slash);
    *path = slash < 0 ? S("") : str_slice(*path, (size_t)slash + 1, path->len);
    return part;
}

bool copy_name(Str path, CopyName *out)
{
    if (!folder[0]) /* no object store was opened yet */
        return false;
    Str above = str_from(folder);
    if (!str_starts_with(path, above) || path.len <= above.len || path.ptr[above.len] != '/')
        return false;
    path = str_slice(path, above.len + 1, path.len);
    out->client = s3_client_by_id(next_part(&path));
    out->bucket = next_part(&path);
    out->key = path;
    return out->client && out->bucket.len;
}

bool store_remote_uri(Str local_path, Arena *arena, Str *out)
{
    CopyName name;
    if (!copy_name(local_path, &name))
        return false;
    *out = str_printf(arena, "s3a://" STR_FMT "%s" STR_FMT, STR_ARG(name.bucket), name.key.len ? "/" : "", STR_ARG(name.key));
    return true;
}

Str store_shown(Str local_path, Arena *arena)
{
    Str uri;
    return store_remote_uri(local_path, arena, &uri) ? uri : local_path;
}

/* ---- which copies stay ---- */

static _Atomic uint32_t *pin_of(Str path)
{
    return &pins[str_hash(path) % PIN_COUNT];
}

static void unpin(void *pin)
{
    atomic_fetch_sub((_Atomic uint32_t *)pin, 1);
}

void copies_pin(Str path, Arena *arena)
{
    _Atomic uint32_t *pin = pin_of(path);
    atomic_fetch_add(pin, 1);
    arena_on_free(arena, unpin, (void *)pin);
}

typedef struct Copy {
    int64_t used_s, size;
    char *path;
} Copy;
typedef VEC(Copy) CopyVec;

static int oldest_first(const void *a, const void *b)
{
    const Copy *x = a, *y = b;
    return x->used_s < y->used_s ? -1 : x->used_s > y->used_s;
}

/* Whole copies only: what is being written or fetched is nobody's to remove. */
static int64_t list_copies(Arena *arena, CopyVec *out)
{
    char *paths[] = {folder, NULL};
    int64_t bytes = 0;
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *e; walk && (e = fts_read(walk));) {
        if (e->fts_info != FTS_F || (e->fts_statp->st_mode & S_IWUSR))
            continue;
        Copy c = {e->fts_statp->st_atime, e->fts_statp->st_size, str_z(str_from(e->fts_path), arena)};
        bytes += c.size;
        vec_push(arena, out, c);
    }
    if (walk)
        fts_close(walk);
    return bytes;
}

/* The least recently used go until a fifth of the room is free again. Called with the lock held. */
static void make_room(void)
{
    AUTO_ARENA arena = arena_new();
    CopyVec copies = {0};
    held_bytes = list_copies(arena, &copies);
    if (held_bytes <= max_bytes || !copies.len)
        return;
    qsort(copies.at, copies.len, sizeof *copies.at, oldest_first);
    for (size_t i = 0; i < copies.len && held_bytes > max_bytes / 5 * 4; i++) {
        Copy *c = &copies.at[i];
        if (!atomic_load(pin_of(str_from(c->path))) && !unlink(c->path))
            held_bytes -= c->size;
    }
}

void copies_added(int64_t bytes)
{
    pthread_mutex_lock(&lock);
    if (held_bytes >= 0)
        held_bytes += bytes;
    if (held_bytes < 0 || held_bytes > max_bytes)
        make_room();
    pthread_mutex_unlock(&lock);
}

#define ETAG_NAME "user.lakeshed.etag"

void copies_seal(int fd, Str etag, int64_t modified_ms)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = modified_ms / 1000, .tv_nsec = modified_ms % 1000 * 1000000}};
    /* Without extended attributes a checked copy is fetched anew each time. */
    if (etag.len && fsetxattr(fd, ETAG_NAME, etag.ptr, etag.len, 0))
        log_debug("S3: the disk of the local copies keeps no extended attributes");
    if (modified_ms > 0 && futimens(fd, times))
        log_debug("S3: the time of a local copy cannot be set");
    if (fchmod(fd, 0400))
        log_debug("S3: the mode of a local copy cannot be set");
}

CopyState copies_look(Str path, Str etag)
{
    AUTO_ARENA arena = arena_new();
    const char *z = str_z(path, arena);
    struct stat st;
    char have[256];
    if (stat(z, &st) || !S_ISREG(st.st_mode))
        return COPY_ABSENT;
    if (st.st_mode & S_IWUSR)
        return COPY_WRITTEN_HERE;
    ssize_t len = etag.len ? getxattr(z, ETAG_NAME, have, sizeof have) : 0;
    if (etag.len && (len < 0 || !str_eq(etag, (Str){have, (size_t)len})))
        return COPY_STALE;
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
    utimensat(AT_FDCWD, z, times, 0);
    return COPY_WHOLE;
}
