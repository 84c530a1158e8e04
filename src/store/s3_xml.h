/* What S3 says in XML: errors, listings, multipart uploads. The bytes are hostile: sizes and depth are bounded. */
#pragma once

#include "store/s3_request.h"
#include "store/store.h"

/* Fills code, message and region of an answer; left empty when the body is no such text. */
void s3_read_error(Str body, Arena *arena, S3Answer *out);

typedef struct S3Page {
    StoreEntryVec entries; /* path: the whole key */
    VEC(Str) etags;
    Str next;              /* continuation token; empty on the last page */
} S3Page;

/* ListObjectsV2 with encoding-type=url. */
MUST_CHECK bool s3_read_page(Str body, Arena *arena, S3Page *out, Error *err);
/* The body of a DeleteObjects; false: a key cannot be written in XML 1.0. */
bool s3_write_keys(const Str *keys, size_t count, Arena *arena, Str *out);
/* Whether its answer names an object that was not deleted, the first one and why. */
bool s3_read_kept(Str body, Arena *arena, Str *key, Str *code);
/* The text of the first element of this name; empty when there is none. */
Str s3_read_element(Str body, const char *name, Arena *arena);
