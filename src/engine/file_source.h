/* Readers of json, csv, text and binary files that follow Spark's rules, as sources of rows. */
#pragma once

#include "engine/engine.h"
#include "engine/resource.h"

/* parquet, json, csv, text, binaryfile; the name in lower case. */
bool file_format_is_read(Str format);

typedef struct FileFacts {
    int64_t size, modified_ms;
} FileFacts;
MUST_CHECK bool file_facts(Str path, FileFacts *out, Error *err);

/* The rows of all files of a scan that is not Parquet; columns are named k0, k1, .. in the order of
 * the schema, and file_number behind them. */
MUST_CHECK bool file_source_new(const FileScan *scan, const FuncContext *func, Arena *arena,
                                RowSource **out, Error *err);

/* The value of an option by key, without case; `otherwise` when absent. */
Str file_option(const KeyValueVec *options, const char *key, const char *otherwise);
bool file_option_bool(const KeyValueVec *options, const char *key, bool otherwise);
/* What the column of malformed records is called. */
Str file_corrupt_name(const KeyValueVec *options, const FuncContext *func);
