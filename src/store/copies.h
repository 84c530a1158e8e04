/* Copies of objects on the local disk, at FOLDER/client/bucket/key: what DuckDB reads and writes. A copy that is whole is
 * read-only; one that may be written still belongs to a write that has not been sent yet. */
#pragma once

#include "store/s3_request.h"
#include "store/store.h"

typedef struct CopyName {
    S3Client *client;
    Str bucket, key;
} CopyName;

/* Where the copy of an object (or of all that have this prefix) lies. */
Str copy_path(const CopyName *name, Arena *arena);
/* False for paths outside the copies' folder, or of a client that this process does not know. */
bool copy_name(Str local_path, CopyName *out);
/* Puts objects that were written as local files under their names; durable when it returns. */
MUST_CHECK bool copies_send(S3Client *c, Str bucket, const Str *keys, const Str *local_paths, size_t count, Error *err);
