/* Two tables of settings as rows: Spark's, which a session may change, and lakeshed's own. */
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"

enum { SETTING_STATIC = 1 };

typedef struct SparkSetting {
    const char *key;
    const char *value;   /* default as text; NULL: none */
    unsigned flags;
} SparkSetting;

/* NULL when Spark has no such setting. Defaults are lakeshed's where own_defaults.def says so. */
const SparkSetting *spark_setting(Str key);
size_t spark_setting_count(void);
const SparkSetting *spark_setting_at(size_t i);
/* Settings of a cluster's start ("spark.executor.memory"): a session cannot change them. */
bool spark_setting_is_core(Str key);
/* Whether the value has the form the setting asks for: INVALID_CONF_VALUE.* otherwise. Unknown keys take any text. */
MUST_CHECK bool spark_setting_check(Str key, Str value, Error *err);

/* lakeshed's own: from the command line, then LAKESHED_* variables, then the settings file, then the default. */
typedef struct ServerSettings {
    Str data_folder;     /* ./lakeshed-data */
    Str host;            /* 127.0.0.1 */
    int port;            /* Spark Connect, 15002; 0: any free one */
    int rest_port;       /* 8080; 0: any free one; -1: none */
    Str memory_limit;
    Str spill_folder;
    Str s3_cache_folder;  /* copies of files on S3; empty: <data>/s3-cache */
    int64_t s3_cache_bytes;
    int threads;
    int workers;         /* requests that run at once; 0: from the number of cores */
    int64_t max_message_bytes;
    int64_t result_buffer_bytes; /* unreleased responses kept per operation */
    int64_t max_artifact_bytes;  /* what one session may upload */
    int session_idle_minutes;
    int shutdown_seconds; /* how long a stopping server waits for running commands */
    Str python;          /* runs Python functions */
    int64_t python_memory_mb;
    bool no_scripts;
    int python_silence_seconds;
    bool strict;         /* lakeshed.strict */
    Str log_level;
} ServerSettings;

void settings_defaults(ServerSettings *out);
/* Reads `key = value` lines; unknown keys and bad values are errors that name file, line and key. */
MUST_CHECK bool settings_load_file(Str path, ServerSettings *out, Arena *arena, Error *err);
/* LAKESHED_<KEY> for every key: LAKESHED_REST_PORT=0. */
MUST_CHECK bool settings_load_environment(ServerSettings *out, Arena *arena, Error *err);
/* where: what an error says about the place, such as "--port" or "lakeshed.conf:3". */
MUST_CHECK bool settings_set(ServerSettings *out, Str key, Str value, Str where, Arena *arena, Error *err);
/* Whether there is a setting of that name; *is_flag: it may stand on the command line without a value. */
bool settings_has(Str key, bool *is_flag);
/* The table for --help and docs/reference: key, default, meaning. */
Str settings_help(Arena *arena);
