/* Objects of an S3 service: commits are conditional puts, data files go through copies on the local disk. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/copies.h"
#include "store/parallel.h"
#include "store/s3_xml.h"
#include "store/store_impl.h"

enum { MAX_CHECKED = 512, LIST_MAX_BYTES = 16 << 20 };

typedef struct S3Store {
    Store base;
    CopyName at; /* client, bucket, prefix without a slash at the end */
} S3Store;

static S3Store *self(Store *s)
{
    return (S3Store *)s;
}

static Str key_of(Store *s, Str path, Arena *arena)
{
    Str prefix = self(s)->at.key;
    return !prefix.len ? path : !path.len ? prefix : str_printf(arena, STR_FMT "/" STR_FMT, STR_ARG(prefix), STR_ARG(path));
}

static S3Request request(Store *s, const char *method, Str path, Arena *arena)
{
    return (S3Request){.method = method, .bucket = self(s)->at.bucket, .key = key_of(s, path, arena)};
}

/* *found: it was there; other answers than good and 404 are errors. A bucket that is missing is one as well. */
static bool ask(Store *s, const S3Request *r, Arena *arena, S3Answer *a, bool *found, Error *err)
{
    TRY(s3_send(self(s)->at.client, r, arena, a, err));
    *found = s3_is_good(a);
    if (*found || (a->status == 404 && !str_is(a->code, "NoSuchBucket")))
        return true;
    return s3_failure(self(s)->at.client, r, a, err);
}

static Str shown(Store *s, Str path, Arena *arena)
{
    return str_printf(arena, STR_FMT "/" STR_FMT, STR_ARG(s->root), STR_ARG(path));
}

/* ---- reading ---- */

static bool s3_read(Store *s, Str path, size_t max_bytes, Arena *arena, bool *found, Str *out, Error *err)
{
    AUTO_ARENA scratch = arena_new();
    S3Request r = request(s, "GET", path, scratch);
    S3Answer a;
    r.max_bytes = max_bytes;
    TRY(ask(s, &r, arena, &a, found, err));
    if (*found && a.body.len > max_bytes)
        return error_set(err, ERR_LAKESHED_FILE, P("path", shown(s, path, err->arena)),
                         P("reason", str_printf(err->arena, "%zu bytes are more than the limit of %zu", a.body.len, max_bytes)));
    if (*found)
        *out = a.body;
    return true;
}

static bool s3_read_range(Store *s, Str path, int64_t offset, size_t len, Arena *arena, bool *found, Str *out, Error *err)
{
    AUTO_ARENA scratch = arena_new();
    S3Request r = request(s, "GET", path, scratch);
    S3Answer a;
    if (!len) {
        StoreEntry e;
        *out = S("");
        return store_stat(s, path, found, &e, err);
    }
    r.max_bytes = len;
    r.from = offset;
    r.count = (int64_t)len;
    TRY(s3_send(self(s)->at.client, &r, arena, &a, err));
    *found = a.status != 404;
    if (a.status == 404 && !str_is(a.code, "NoSuchBucket"))
        return true;
    if (a.status == 416 || (s3_is_good(&a) && (a.status != 206 || a.body.len != len)))
        return error_set(err, ERR_LAKESHED_FILE, P("path", shown(s, path, err->arena)), PZ("reason", "the file is shorter than expected"));
    *out = a.body;
    return s3_is_good(&a) || s3_failure(self(s)->at.client, &r, &a, err);
}

static bool s3_stat(Store *s, Str path, bool *found, StoreEntry *out, Error *err)
{
    AUTO_ARENA scratch = arena_new();
    S3Request r = request(s, "HEAD", path, scratch);
    S3Answer a;
    TRY(ask(s, &r, scratch, &a, found, err));
    *out = (StoreEntry){path, a.length, a.modified_ms};
    return true;
}

/* ---- writing ---- */

static bool s3_put(Store *s, Str path, Str content, Error *err)
{
    AUTO_ARENA scratch = arena_new();
    S3Request r = request(s, "PUT", path, scratch);
    S3Answer a;
    r.body = content;
    TRY(s3_send(self(s)->at.client, &r, scratch, &a, err));
    return s3_is_good(&a) || s3_failure(self(s)->at.client, &r, &a, err);
}

static void drop_copy(Store *s, Str path, Arena *arena)
{
    unlink(str_z(store_duckdb_path(s, path, arena), arena));
}

static bool s3_remove(Store *s, Str path, Error *err)
{
    AUTO_ARENA scratch = arena_new();
    S3Request r = request(s, "DELETE", path, scratch);
    S3Answer a;
    bool found;
    drop_copy(s, path, scratch);
    return ask(s, &r, scratch, &a, &found, err);
}

typedef struct Removing {
    Store *store;
    const Str *paths;
} Removing;

static bool remove_one(size_t index, void *arg, Error *err)
{
    Removing *r = arg;
    return s3_remove(r->store, r->paths[index], err);
}

/* S3 answers 200 and names in the body what it kept. */
static bool check_removed(Store *s, const S3Request *r, S3Answer *a, Arena *arena, Error *err)
{
    Str key;
    if (!s3_read_kept(a->body, arena, &key, &a->code))
        return true;
    S3Request of_key = *r;
    of_key.key = key;
    return s3_failure(self(s)->at.client, &of_key, a, err);
}

/* Some services have no DeleteObjects: there one after the other goes, a few at a time. */
static bool s3_remove_many(Store *s, const Str *paths, size_t count, Error *err)
{
    AUTO_ARENA scratch = arena_new();
    S3Request r = {.method = "POST", .bucket = self(s)->at.bucket, .params = {{"delete", S_INIT("")}}, .param_count = 1,
                   .has_md5 = true, .max_bytes = LIST_MAX_BYTES};
    S3Answer a;
    Str *keys = ARENA_ARRAY(scratch, Str, count + 1);
    for (size_t i = 0; i < count; i++) {
        drop_copy(s, paths[i], scratch);
        keys[i] = key_of(s, paths[i], scratch);
    }
    if (!s3_write_keys(keys, count, scratch, &r.body))
        return parallel_run(count, remove_one, &(Removing){s, paths}, err);
    TRY(s3_send(self(s)->at.client, &r, scratch, &a, err));
    if (s3_is_good(&a))
        return check_removed(s, &r, &a, scratch, err);
    if (a.status == 501 || a.status == 405 || a.status == 400)
        return parallel_run(count, remove_one, &(Removing){s, paths}, err);
    return s3_failure(self(s)->at.client, &r, &a, err);
}

typedef enum There { THERE_OURS, THERE_OTHER, THERE_NOTHING, THERE_UNREAD } There;

/* What has the name now. Ours is known by its bytes, for commits carry an id of their own. */
static There look_at(Store *s, Str path, Str content, Error *err)
{
    AUTO_ARENA scratch = arena_new();
    StoreEntry entry;
    bool found;
    Str there;
    if (!s3_stat(s, path, &found, &entry, err))
        return THERE_UNREAD;
    if (!found || entry.size != (int64_t)content.len)
        return found ? THERE_OTHER : THERE_NOTHING;
    if (!s3_read(s, path, content.len, scratch, &found, &there, err))
        return THERE_UNREAD;
    return !found ? THERE_NOTHING : str_eq(there, content) ? THERE_OURS : THERE_OTHER;
}

/* *unknown, with an error: it may be there, or yet arrive. */
static bool put_if_absent(Store *s, Str path, Str content, bool *exists, bool *unknown, Error *err)
{
    AUTO_ARENA scratch = arena_new();
    S3Request r = request(s, "PUT", path, scratch);
    S3Answer a;
    r.body = content;
    r.if_absent = true;
    *exists = *unknown = false;
    bool answered = s3_send(self(s)->at.client, &r, scratch, &a, err);
    if (answered && s3_is_good(&a))
        return true;
    /* Also curl repeats a request by itself when a kept connection dies under it: "it exists" may always mean our own. */
    bool refused = answered && a.status == 412;
    There there = THERE_NOTHING;
    Error unread = error_in(scratch);
    if (a.ambiguous || refused)
        there = look_at(s, path, content, &unread);
    *unknown = there == THERE_UNREAD || (there == THERE_NOTHING && a.unanswered);
    *exists = !*unknown && (there == THERE_OTHER || refused) && there != THERE_OURS;
    if (*exists || there == THERE_OURS) {
        error_clear(err);
        return true;
    }
    return answered ? s3_failure(self(s)->at.client, &r, &a, err) : false;
}

/* ---- does the service exclude other writers? ---- */

static pthread_mutex_t checked_lock = PTHREAD_MUTEX_INITIALIZER; /* guards checked, checked_count */
static struct {
    const S3Client *client;
    uint64_t bucket;
} checked[MAX_CHECKED];
static size_t checked_count;

static bool was_checked(const CopyName *at)
{
    bool found = false;
    pthread_mutex_lock(&checked_lock);
    for (size_t i = 0; i < checked_count && !found; i++)
        found = checked[i].client == at->client && checked[i].bucket == str_hash(at->bucket);
    pthread_mutex_unlock(&checked_lock);
    return found;
}

static void remember_checked(const CopyName *at)
{
    pthread_mutex_lock(&checked_lock);
    if (checked_count < MAX_CHECKED) {
        checked[checked_count].client = at->client;
        checked[checked_count++].bucket = str_hash(at->bucket);
    }
    pthread_mutex_unlock(&checked_lock);
}

/* A service that ignores If-None-Match would let two writers overwrite each other's commits, so it is asked once, with an object of
 * our own, whether it refuses the second put. */
static bool check_exclusion(Store *s, Str path, Error *err)
{
    const CopyName *at = &self(s)->at;
    if (was_checked(at))
        return true;
    AUTO_ARENA scratch = arena_new();
    char id[UUID_TEXT_LEN + 1];
    clock_uuid(id);
    ptrdiff_t slash = str_rfind_char(path, '/');
    Str probe = str_printf(scratch, STR_FMT "%s.%s.lakeshed.tmp", STR_ARG(str_slice(path, 0, slash < 0 ? 0 : (size_t)slash)), slash < 0 ? "" : "/", id);
    bool exists = false, again = false, unknown;
    TRY(put_if_absent(s, probe, S("1"), &exists, &unknown, err));
    bool ok = put_if_absent(s, probe, S("2"), &again, &unknown, err);
    Error ignored = error_in(scratch);
    if (!s3_remove(s, probe, &ignored))
        error_clear(&ignored); /* store_clean_temporary finds it */
    TRY(ok);
    if (!again)
        return error_unsupported(err, "Writing tables to the S3 service at " STR_FMT ", which ignores If-None-Match on PUT and so cannot keep two writers apart,",
                                 STR_ARG(s3_client_config(at->client)->endpoint));
    remember_checked(at);
    return true;
}

static bool s3_put_if_absent(Store *s, Str path, Str content, bool *exists, Error *err)
{
    bool unknown;
    TRY(check_exclusion(s, path, err));
    if (put_if_absent(s, path, content, exists, &unknown, err))
        return true;
    if (!unknown)
        return false;
    Str name = str_copy(error_param(err, "path"), err->arena), reason = str_copy(error_param(err, "reason"), err->arena);
    error_clear(err);
    return error_set(err, ERR_LAKESHED_FILE_UNKNOWN, P("path", name), P("reason", reason));
}

static bool s3_send_files(Store *s, const Str *paths, size_t count, Error *err)
{
    AUTO_ARENA scratch = arena_new();
    Str *keys = ARENA_ARRAY(scratch, Str, count + 1), *local = ARENA_ARRAY(scratch, Str, count + 1);
    for (size_t i = 0; i < count; i++) {
        keys[i] = key_of(s, paths[i], scratch);
        local[i] = store_duckdb_path(s, paths[i], scratch);
    }
    return copies_send(self(s)->at.client, self(s)->at.bucket, keys, local, count, err);
}

static bool s3_publish(Store *s, Str from, Str to, Error *err)
{
    AUTO_ARENA scratch = arena_new();
    Str key = key_of(s, to, scratch), local = store_duckdb_path(s, from, scratch);
    bool ok = copies_send(self(s)->at.client, self(s)->at.bucket, &key, &local, 1, err);
    /* The name may have had another content: it is fetched when it is read. */
    unlink(str_z(store_duckdb_path(s, to, scratch), scratch));
    unlink(str_z(local, scratch));
    return ok;
}

/* ---- listing ---- */

typedef bool (*OnEntry)(const StoreEntry *e, Str etag, void *arg);

static bool list_keys(Store *s, Str prefix, Str after, bool shallow, OnEntry on_entry, void *arg, Error *err)
{
    Str token = S("");
    AUTO_ARENA kept = arena_new();
    for (bool more = true; more;) {
        AUTO_ARENA scratch = arena_new();
        S3Request r = {.method = "GET", .bucket = self(s)->at.bucket, .max_bytes = LIST_MAX_BYTES};
        S3Answer a;
        S3Page page;
        if (token.len)
            r.params[r.param_count++] = (S3Param){"continuation-token", token};
        if (shallow)
            r.params[r.param_count++] = (S3Param){"delimiter", S("/")};
        r.params[r.param_count++] = (S3Param){"encoding-type", S("url")};
        r.params[r.param_count++] = (S3Param){"list-type", S("2")};
        r.params[r.param_count++] = (S3Param){"prefix", prefix};
        if (after.len && !token.len)
            r.params[r.param_count++] = (S3Param){"start-after", after};
        TRY(s3_send(self(s)->at.client, &r, scratch, &a, err));
        if (!s3_is_good(&a))
            return s3_failure(self(s)->at.client, &r, &a, err);
        TRY(s3_read_page(a.body, scratch, &page, err));
        more = page.next.len;
        for (size_t i = 0; i < page.entries.len; i++) {
            StoreEntry *e = &page.entries.at[i];
            if (!str_starts_with(e->path, prefix) || str_ends_with(e->path, S("/")))
                continue; /* a folder's marker */
            if (!on_entry(e, page.etags.at[i], arg))
                return true;
        }
        if (more && str_eq(token, page.next))
            return error_set(err, ERR_LAKESHED_FILE, P("path", s->root), PZ("reason", "the S3 service's listing does not end"));
        token = str_copy(page.next, kept);
    }
    return true;
}

static Str as_prefix(Str key, Arena *arena)
{
    return key.len ? str_concat(arena, key, S("/")) : key;
}

/* A key of the store's root as a path relative to it. */
static Str relative(Store *s, Str key)
{
    size_t n = self(s)->at.key.len;
    return str_slice(key, n ? n + 1 : 0, key.len);
}

typedef struct Listing {
    Store *store;
    Str prefix, from;
    Arena *arena;
    StoreEntryVec *out;
} Listing;

static bool on_listed(const StoreEntry *e, Str etag, void *arg)
{
    Listing *l = arg;
    (void)etag;
    if (str_cmp(str_slice(e->path, l->prefix.len, e->path.len), l->from) >= 0)
        vec_push(l->arena, l->out, ((StoreEntry){str_copy(relative(l->store, e->path), l->arena), e->size, e->modified_ms}));
    return true;
}

static int by_path(const void *a, const void *b)
{
    return str_cmp(((const StoreEntry *)a)->path, ((const StoreEntry *)b)->path);
}

static bool s3_list(Store *s, Str folder, Str from, Arena *arena, StoreEntryVec *out, Error *err)
{
    AUTO_ARENA scratch = arena_new();
    Listing l = {s, as_prefix(key_of(s, folder, scratch), scratch), from, arena, out};
    *out = (StoreEntryVec){0};
    /* start-after leaves its own key out, so it is given one that sorts before. */
    Str after = from.len > 1 ? str_concat(scratch, l.prefix, str_slice(from, 0, from.len - 1)) : S("");
    TRY(list_keys(s, l.prefix, after, true, on_listed, &l, err));
    if (out->len)
        qsort(out->at, out->len, sizeof *out->at, by_path);
    return true;
}

typedef struct Walk {
    Store *store;
    StoreVisit visit;
    void *arg;
} Walk;

static bool on_walked(const StoreEntry *e, Str etag, void *arg)
{
    Walk *w = arg;
    (void)etag;
    return w->visit(&(StoreEntry){relative(w->store, e->path), e->size, e->modified_ms}, w->arg);
}

/* There are no folders: nothing is to be visited or removed. */
static bool s3_walk(Store *s, Str folder, bool folders, StoreVisit visit, void *arg, Error *err)
{
    AUTO_ARENA scratch = arena_new();
    Walk w = {s, visit, arg};
    return folders || list_keys(s, as_prefix(key_of(s, folder, scratch), scratch), S(""), false, on_walked, &w, err);
}

static bool s3_remove_folder(Store *s, Str path, bool *removed, Error *err)
{
    (void)s, (void)path, (void)err;
    *removed = false;
    return true;
}

/* Only on the local disk, for those who write there. */
static bool s3_make_folder(Store *s, Str path, Error *err)
{
    AUTO_ARENA scratch = arena_new();
    Store *local;
    TRY(store_local_open(store_duckdb_path(s, path, scratch), scratch, &local, err));
    return store_make_folder(local, S(""), err);
}

static bool s3_clean_temporary(Store *s, Str folder, int64_t older_than_ms, Error *err)
{
    AUTO_ARENA scratch = arena_new();
    StoreEntryVec files;
    TRY(s3_list(s, folder, S("."), scratch, &files, err));
    for (size_t i = 0; i < files.len; i++)
        if (str_ends_with(files.at[i].path, S(".lakeshed.tmp")) && files.at[i].modified_ms < older_than_ms)
            TRY(s3_remove(s, files.at[i].path, err));
    return true;
}

static const StoreOps s3_ops = {
    .read = s3_read,
    .read_range = s3_read_range,
    .stat = s3_stat,
    .put_if_absent = s3_put_if_absent,
    .put = s3_put,
    .publish = s3_publish,
    .list = s3_list,
    .walk = s3_walk,
    .remove = s3_remove,
    .remove_many = s3_remove_many,
    .remove_folder = s3_remove_folder,
    .make_folder = s3_make_folder,
    .sync_files = s3_send_files,
    .send = s3_send_files,
    .clean_temporary = s3_clean_temporary,
};

/* ---- opening ---- */

static bool check_bucket(Str bucket, Str location, Error *err)
{
    bool good = bucket.len >= 3 && bucket.len <= 63;
    for (size_t i = 0; i < bucket.len; i++) {
        char c = bucket.ptr[i];
        good = good && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-');
    }
    return good || error_set(err, ERR_LAKESHED_FILE, P("path", str_slice(location, 0, 200)),
                             PZ("reason", "a bucket's name has 3 to 63 lower-case letters, digits, dots and dashes"));
}

static bool open_at(CopyName at, Arena *arena, Store **out)
{
    S3Store *s = ARENA_NEW(arena, S3Store);
    s->at = (CopyName){at.client, str_copy(at.bucket, arena), str_copy(at.key, arena)};
    s->base.ops = &s3_ops;
    s->base.root = str_printf(arena, "s3://" STR_FMT "%s" STR_FMT, STR_ARG(at.bucket), at.key.len ? "/" : "", STR_ARG(at.key));
    s->base.service = at.client;
    s->base.local_root = copy_path(&s->at, arena);
    *out = &s->base;
    return true;
}

bool store_s3_open(Str location, Arena *arena, Store **out, Error *err)
{
    AUTO_ARENA scratch = arena_new();
    Str rest = str_slice(location, (size_t)str_find(location, S("://")) + 3, location.len);
    ptrdiff_t slash = str_find_char(rest, '/');
    CopyName at = {.bucket = slash < 0 ? rest : str_slice(rest, 0, (size_t)slash)};
    Str key = store_normalise(slash < 0 ? S("") : str_slice(rest, (size_t)slash, rest.len), scratch);
    at.key = str_slice(key, 1, key.len);
    S3Config config;
    TRY(check_bucket(at.bucket, location, err));
    TRY(s3_config_find(at.bucket, scratch, &config, err));
    TRY(s3_client_get(&config, &at.client, err));
    return open_at(at, arena, out);
}

bool store_of_copy(Str local_path, Arena *arena, Store **out)
{
    CopyName at;
    return copy_name(local_path, &at) && open_at(at, arena, out);
}

bool store_is_remote(Str location)
{
    return str_istarts_with(location, S("s3://")) || str_istarts_with(location, S("s3a://")) || str_istarts_with(location, S("s3n://"));
}
