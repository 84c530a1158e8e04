/* What the files of OPTIMIZE share. */
#pragma once

#include "command/command_impl.h"

typedef struct FileSizes {
    int64_t files, bytes, smallest, largest;
} FileSizes;

/* What of a clustered table stood in cubes, what did not, and what was merged. */
typedef struct CubeCounts {
    FileSizes in_cubes, others;
    int64_t cubes;
} CubeCounts;

/* One run of OPTIMIZE or REORG. */
typedef struct Packed {
    FileSizes added, removed;
    VEC(int64_t) added_sizes;
    int64_t partitions, bins, considered;
    int64_t changed;     /* bins given up, because others changed their files meanwhile */
    int64_t vectors_removed, vector_rows_removed;
    int64_t started_ms;
    int64_t least_bytes, most_bytes; /* smaller files are packed; into files of about the other size */
    StrVec sorted_by;    /* ZORDER BY: dotted paths */
    StrVec clustered_by; /* CLUSTER BY: quoted names */
    CubeCounts cubes;
    Str predicate;       /* JSON: what WHERE says, as Delta notes it */
    bool full;
    bool purge;          /* only files with deleted rows */
    bool rewrites_all;   /* every file, or none: a conflict where others changed one, and also one that looks as it should */
    bool automatic;      /* after a commit, not asked for */
} Packed;

/* ---- curve.c ---- */

typedef enum CurveKind { CURVE_Z_ORDER, CURVE_HILBERT } CurveKind;
enum { CURVE_MAX_COLUMNS = 62 };

/* Rows by the place of their keys on a curve; one key: by itself. rows: how many there may be, -1 unknown. */
bool curve_sort(CommandContext *ctx, BoundRel *scan, const BoundExprVec *keys, CurveKind kind, int64_t rows, BoundRel **out, Error *err);

/* ---- optimize.c ---- */

/* Packs the files, partition by partition, and commits when there was anything to pack. */
bool optimize_pack(CommandContext *ctx, const Target *t, FileList *files, Packed *p, CommitNote *note, Error *err);
/* Writes the rows of these files again; the target is refreshed. */
bool reorg_files(CommandContext *ctx, Target *t, FileList *files, Error *err);
/* A session setting that is a positive number, such as of bytes. */
int64_t optimize_setting(CommandContext *ctx, const char *key, int64_t otherwise);

/* ---- zcube.c ---- */

/* Of the files of a clustered table those that clustering rewrites. */
void zcube_choose(CommandContext *ctx, const FileList *files, Packed *p, FileList *out);
/* Marks new files as one cube. */
void zcube_mark(CommandContext *ctx, const Packed *p, AddFile *files, size_t count);

/* ---- optimize_result.c ---- */

void sizes_note(FileSizes *s, int64_t bytes);
/* Delta's OptimizeMetrics as the statement's one row. */
BoundRel *optimize_result(CommandContext *ctx, const Target *t, const Packed *p);
