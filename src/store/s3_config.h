/* Which S3 service is asked, as whom: from a session's settings, the environment and the AWS profile files. */
#pragma once

#include "base/error.h"

typedef struct S3Config {
    Str endpoint;      /* "https://host[:port]"; empty: Amazon's, by region */
    Str region;
    Str key_id, secret, token;
    bool path_style;   /* the bucket is the first part of the path, not of the host's name */
    bool anonymous;    /* requests are not signed */
    bool of_session;   /* a session gave its own credentials: nobody else may profit from them */
} S3Config;

/* The settings of the thread's session come first, then AWS_*, then the profile's files. */
MUST_CHECK bool s3_config_find(Str bucket, Arena *arena, S3Config *out, Error *err);
