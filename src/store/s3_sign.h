/* AWS Signature Version 4 (AWS General Reference, "Signing AWS API requests"). */
#pragma once

#include "store/s3_config.h"

typedef struct SignedRequest {
    const char *method;
    Str path, query;  /* encoded; the query's names in order */
    Str host;
    Str body_hash;    /* sha256_hex */
    Str stamp;        /* 20130524T000000Z */
    Str token;
} SignedRequest;

/* The value of the Authorization header; host, x-amz-content-sha256, x-amz-date and the token are signed. */
Str s3_authorization(const S3Config *config, const SignedRequest *r, Arena *arena);
Str sha256_hex(Str bytes, Arena *arena);
Str md5_base64(Str bytes, Arena *arena);
/* RFC 3986 with S3's rule: everything but letters, digits and "-._~" (and "/" in paths). */
Str s3_uri_encode(Str text, bool keep_slash, Arena *arena);
