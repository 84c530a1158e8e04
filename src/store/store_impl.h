/* What a kind of store provides; also how tests put a faulty store in front of a real one. */
#pragma once

#include "store/store.h"

typedef struct StoreOps {
    bool (*read)(Store *s, Str path, size_t max_bytes, Arena *arena, bool *found, Str *out,
                 Error *err);
    bool (*read_range)(Store *s, Str path, int64_t offset, size_t len, Arena *arena, bool *found,
                       Str *out, Error *err);
    bool (*stat)(Store *s, Str path, bool *found, StoreEntry *out, Error *err);
    bool (*put_if_absent)(Store *s, Str path, Str content, bool *exists, Error *err);
    bool (*put)(Store *s, Str path, Str content, Error *err);
    bool (*publish)(Store *s, Str from, Str to, Error *err);
    bool (*list)(Store *s, Str folder, Str from, Arena *arena, StoreEntryVec *out, Error *err);
    bool (*walk)(Store *s, Str folder, bool folders, StoreVisit visit, void *arg, Error *err);
    bool (*remove)(Store *s, Str path, Error *err);
    bool (*remove_many)(Store *s, const Str *paths, size_t count, Error *err); /* at most STORE_DELETE_MAX; NULL: one by one */
    bool (*remove_folder)(Store *s, Str path, bool *removed, Error *err);
    bool (*make_folder)(Store *s, Str path, Error *err);
    bool (*sync_files)(Store *s, const Str *paths, size_t count, Error *err);
    bool (*send)(Store *s, const Str *paths, size_t count, Error *err); /* NULL: they are where they belong */
    bool (*clean_temporary)(Store *s, Str folder, int64_t older_than_ms, Error *err);
} StoreOps;

struct Store {
    const StoreOps *ops;
    Str root; /* absolute, normalised, without a slash at the end unless it is "/" */
    Str local_root; /* where copies are; empty: the root itself */
    const void *service; /* which client, of those that live as long as the process */
};

bool store_local_open(Str root, Arena *arena, Store **out, Error *err);
bool store_s3_open(Str location, Arena *arena, Store **out, Error *err);
/* The object store of a path among its local copies; false for other paths. */
bool store_of_copy(Str local_path, Arena *arena, Store **out);
/* "a//b/./c/.." -> "/a/b" */
Str store_normalise(Str path, Arena *arena);
