/* Per-file statistics: the JSON text of an add action, read as far as a question needs. */
#pragma once

#include "delta/snapshot.h"
#include "type/value.h"

/* One column's statistics in one file. A bound that is not known is absent, never guessed. */
typedef struct ColumnStats {
    bool has_min, has_max, has_null_count;
    Value min,
        max; /* safe bounds: strings and timestamps widened where the writer may have cut them */
    int64_t null_count;
    int64_t num_records; /* -1 when unknown */
    bool tight;          /* null_count is exact */
} ColumnStats;

/* A file's statistics, parsed once for all questions about it. */
typedef struct FileStats FileStats;
/* NULL when the text is absent or not an object. */
FileStats *stats_parse(Str stats, Arena *arena);
int64_t file_stats_num_records(const FileStats *s);
/* path: physical names from the top column down to a leaf. */
void file_stats_column(const FileStats *s, const Str *path, size_t depth, const Type *leaf,
                       Arena *arena, ColumnStats *out);
