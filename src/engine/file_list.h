/* From the paths a user names to the files that are read. */
#pragma once

#include "engine/engine.h"

typedef struct ListedFile {
    Str path;   /* absolute */
    Str folder; /* of the file, below the path that was named or basePath; empty: right in it */
    int64_t size, modified_ms;
} ListedFile;
typedef VEC(ListedFile) ListedFileVec;

/* scan->paths may be files, folders, globs, file: URIs. Hidden files are left out. PATH_NOT_FOUND
 * naming the path. scan->sink_log becomes whether the one path is what a streaming sink wrote. */
typedef enum ListPurpose {
    LIST_TO_READ,  /* files on S3 are copied to the disk */
    LIST_TO_CHOOSE /* files on S3 are only known by their copies' paths, which store_bring fills */
} ListPurpose;
MUST_CHECK bool list_files(FileScan *scan, ListPurpose purpose, Str zone, Arena *arena,
                           ListedFileVec *out, Error *err);
/* Which files of a folder count. */
typedef struct ListFilter {
    Str name;                    /* a pattern; empty: none */
    int64_t before_us, after_us; /* of the time of change, both ends left out */
} ListFilter;
/* The same for one path on S3; the files are known by their copies' paths. *of_stream: a log of a streaming sink named them. */
MUST_CHECK bool list_objects(Str path, Str base, const ListFilter *filter, ListPurpose purpose, Arena *arena, ListedFileVec *out,
                             bool *of_stream, Error *err);
/* A folder on the disk with _spark_metadata; the files that it names, also on S3. */
bool sink_log_exists(Str folder, Arena *arena);
MUST_CHECK bool sink_log_files(Str folder, Arena *arena, ListedFileVec *out, Error *err);
/* Largest first, files of one size in the order they have: as Spark packs files into partitions. */
void sort_by_size(ListedFileVec *files, Arena *arena);
