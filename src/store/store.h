/* Where files live: a table of functions over a root URI, so that local disks and object stores
 * look alike. */
#pragma once

#include "base/error.h"
#include "base/vec.h"

typedef struct Store Store;

typedef struct StoreEntry {
    Str path;     /* relative to the store's root, '/'-separated */
    int64_t size; /* bytes */
    int64_t modified_ms;
} StoreEntry;
typedef VEC(StoreEntry) StoreEntryVec;

/* Opens the store that serves a table location: "/abs/path", "file:/abs", "s3://bucket/prefix" (s3a://
 * is the same). Nothing is touched yet; afterwards every function may be called from
 * many threads. */
MUST_CHECK bool store_open(Str location, Arena *arena, Store **out, Error *err);

/* Every path below is relative to the root; absolute ones and those with '..' parts are refused. */

/* Whole file; max_bytes bounds it. *found is false (and the call succeeds) when it does not exist.
 * The text is followed by STORE_READ_PADDING zero bytes, and its bytes may be changed: nobody else
 * holds them. */
enum { STORE_READ_PADDING = 16 };
MUST_CHECK bool store_read(Store *s, Str path, size_t max_bytes, Arena *arena, bool *found,
                           Str *out, Error *err);
/* Exactly len bytes from an offset; *found false when the file is absent; shorter files are an
 * error. */
MUST_CHECK bool store_read_range(Store *s, Str path, int64_t offset, size_t len, Arena *arena,
                                 bool *found, Str *out, Error *err);
/* Size and time of one file; *found false when absent. out->path is the path given. */
MUST_CHECK bool store_stat(Store *s, Str path, bool *found, StoreEntry *out, Error *err);
/* Creates the file with this content, durable before it returns; *exists is true when somebody else
 * has it already. */
MUST_CHECK bool store_put_if_absent(Store *s, Str path, Str content, bool *exists, Error *err);
/* Replaces the file atomically, durable before it returns. */
MUST_CHECK bool store_put(Store *s, Str path, Str content, Error *err);
/* Renames a finished file over another in the same folder; content and folder are durable before it
 * returns. */
MUST_CHECK bool store_publish(Store *s, Str from, Str to, Error *err);
/* Entries of one folder whose name is >= from, in byte order of the name; folders are left out.
 * Missing folder: none. */
MUST_CHECK bool store_list(Store *s, Str folder, Str from, Arena *arena, StoreEntryVec *out,
                           Error *err);
/* Every file below a folder ("" = the root), in no order; symbolic links are not followed. A
 * visitor's false stops. */
typedef bool (*StoreVisit)(const StoreEntry *e, void *arg);
MUST_CHECK bool store_walk(Store *s, Str folder, StoreVisit visit, void *arg, Error *err);
/* Every folder below a folder, the deepest first. */
MUST_CHECK bool store_walk_folders(Store *s, Str folder, StoreVisit visit, void *arg, Error *err);
MUST_CHECK bool store_delete(Store *s, Str path, Error *err); /* absent is fine */
/* The same for many, in as few requests as the kind of store allows. */
enum { STORE_DELETE_MAX = 1000 };
MUST_CHECK bool store_delete_many(Store *s, const Str *paths, size_t count, Error *err);
/* Removes a folder if it is empty; *removed tells. */
MUST_CHECK bool store_delete_folder(Store *s, Str path, bool *removed, Error *err);
MUST_CHECK bool store_make_folder(Store *s, Str path, Error *err);
/* fsync of data files that DuckDB wrote and of their folders, before a commit names them. */
MUST_CHECK bool store_sync_files(Store *s, const Str *paths, size_t count, Error *err);
/* Removes what interrupted puts left in a folder and is older than the instant. */
MUST_CHECK bool store_clean_temporary(Store *s, Str folder, int64_t older_than_ms, Error *err);
/* What DuckDB's readers are given for a path inside this store; glob characters are not escaped. Of an
 * object store it is a place on the local disk where store_bring puts the file. */
Str store_duckdb_path(const Store *s, Str path, Arena *arena);
Str store_root(const Store *s);
/* Files that were written under their store_duckdb_path become the store's: durable before it returns. */
MUST_CHECK bool store_send(Store *s, const Str *paths, size_t count, Error *err);

/* ---- local copies of an object store's files ---- */

typedef enum StoreFreshness {
    STORE_IMMUTABLE, /* a copy is as good as the file: its name is never used again */
    STORE_CHECKED    /* the file may have been replaced since it was copied */
} StoreFreshness;

/* Copies the files behind these local paths to the disk, where they stay at least until the arena is
 * freed; paths that belong to no object store are passed over. */
MUST_CHECK bool store_bring(const Str *local_paths, size_t count, StoreFreshness freshness, Arena *arena,
                            Error *err);
bool store_is_remote(Str location); /* "s3://..", "s3a://..", "s3n://.." */
/* A local path as the user knows it: "s3a://bucket/key" for copies; false for local files. */
bool store_remote_uri(Str local_path, Arena *arena, Str *out);
/* The same for messages and listings: other paths stay as they are. */
Str store_shown(Str local_path, Arena *arena);
/* Where copies are kept and how many bytes of them; once, before the first store is opened. */
void store_keep_copies(Str folder, int64_t max_bytes);

/* A key that no two stores share whose files or credentials differ. */
Str store_identity(const Store *s, Arena *arena);

/* What a session says of its stores, by the names of Spark's settings. Stores that this thread opens from now on follow a copy
 * of them; none: the process's environment alone. */
typedef struct StoreSetting {
    Str key, value;
} StoreSetting;
void store_use_settings(const StoreSetting *settings, size_t count);
bool store_is_setting(Str key); /* fs.s3a.*, spark.hadoop.fs.s3a.* */
