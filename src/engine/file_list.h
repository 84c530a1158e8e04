/* From the paths a user names to the files that are read. */
#pragma once

#include "engine/engine.h"

typedef struct ListedFile {
    Str path;   /* absolute */
    Str folder; /* of the file, below the path that was named or basePath; empty: right in it */
    int64_t size;
} ListedFile;
typedef VEC(ListedFile) ListedFileVec;

/* scan->paths may be files, folders, globs, file: URIs. Hidden files are left out. PATH_NOT_FOUND
 * naming the path. */
MUST_CHECK bool list_files(const FileScan *scan, bool recursive, Str zone, Arena *arena,
                           ListedFileVec *out, Error *err);
/* Which files of a folder count. */
typedef struct ListFilter {
    Str name;                    /* a pattern; empty: none */
    int64_t before_us, after_us; /* of the time of change, both ends left out */
} ListFilter;
/* The same for one path on S3; the files are copied to the disk and known by their copies' paths. */
MUST_CHECK bool list_objects(Str path, Str base, const ListFilter *filter, Arena *arena, ListedFileVec *out, Error *err);
/* A folder with _spark_metadata, and the files that it names. */
bool sink_log_exists(Str folder, Arena *arena);
MUST_CHECK bool sink_log_files(Str folder, Arena *arena, ListedFileVec *out, Error *err);
/* Largest first, files of one size in the order they have: as Spark packs files into partitions. */
void sort_by_size(ListedFileVec *files, Arena *arena);
