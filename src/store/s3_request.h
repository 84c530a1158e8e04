/* One request to an S3 service: signed, retried, its answer bounded. */
#pragma once

#include "store/s3_config.h"

typedef struct S3Client S3Client; /* lives as long as the process; many threads */

/* The client of a configuration, made when it is first asked for. */
MUST_CHECK bool s3_client_get(const S3Config *config, S3Client **out, Error *err);
/* 16 hex digits that tell clients apart whose caches must not be shared. */
const char *s3_client_id(const S3Client *c);
S3Client *s3_client_by_id(Str id); /* NULL: none of this process */
const S3Config *s3_client_config(const S3Client *c);

typedef struct S3Param {
    const char *name;
    Str value;
} S3Param;

enum { S3_MAX_PARAMS = 6 };

typedef struct S3Request {
    const char *method;
    Str bucket, key;
    S3Param params[S3_MAX_PARAMS]; /* in order of their names */
    size_t param_count;
    Str body;
    bool has_md5;           /* Content-MD5 of the body: what S3 asks of DeleteObjects */
    bool if_absent;         /* If-None-Match: * */
    Str if_match;           /* only this version of the object */
    int64_t from, count;    /* bytes asked for; count 0: all */
    size_t max_bytes;       /* of an answer kept in memory */
    int to_fd;              /* > 0: a good answer's bytes go here, from to_offset on */
    int64_t to_offset;
} S3Request;

typedef struct S3Answer {
    int status;
    Str body;               /* in the arena, followed by 16 zero bytes */
    Str etag;               /* with its quotes */
    int64_t length;         /* of the body as the service announced it, -1: unknown */
    int64_t total;          /* size of the whole object where a range was asked for, -1: unknown */
    int64_t modified_ms;
    bool ambiguous;         /* an attempt may have taken effect */
    bool unanswered;        /* one of these may even be under way still */
    Str code, message, region; /* of an error */
} S3Answer;

/* True with any answer that is worth no further attempt; false when none could be had. */
MUST_CHECK bool s3_send(S3Client *c, const S3Request *r, Arena *arena, S3Answer *out, Error *err);
/* The error that an answer stands for, in words that say what to do. Always false. */
bool s3_failure(const S3Client *c, const S3Request *r, const S3Answer *a, Error *err);
bool s3_is_good(const S3Answer *a);
