/* Columns and constants of a condition over a Delta scan, and what statistics say of them. */
#pragma once

#include "delta/schema.h"
#include "delta/snapshot.h"
#include "delta/stats.h"

enum { SCAN_EXPR_MAX_DEPTH = 200, SCAN_LEAF_MAX_DEPTH = 16 };

/* Of one table column: where its values are found. */
typedef struct ColumnPlace {
    const Field *field;
    Str physical;
    bool was_coarser;    /* the type of some files, or of a field inside, is narrower than the field's */
    int partition;       /* index into metadata.partitionColumns, -1 for a data column */
    const Type *date_of; /* not NULL: a partition column `source` holds CAST(this AS DATE) */
    Str date_column;     /* its physical name */
} ColumnPlace;

/* Casts of constants, which are the same for every file. */
typedef struct KnownConstants {
    struct {
        const BoundExpr *of;
        Value value; /* without bytes */
    } at[16];
    size_t len;
} KnownConstants;

typedef struct ScanContext {
    Snapshot *snapshot;
    const ScanColumn *columns;
    size_t column_count;
    ColumnPlace *places; /* one a field of the schema */
    Str zone;
    Arena *arena; /* of the file in hand and a few before it */
    const AddFile *file;
    FileStats *stats; /* parsed on first need */
    bool stats_known;
    bool partitions_only; /* statistics are not looked at */
    KnownConstants *constants; /* NULL: nothing is kept */
} ScanContext;

/* A column, a field of it, or a cast of one that keeps the order of values. */
typedef struct Operand {
    const ColumnPlace *place;
    Str path[SCAN_LEAF_MAX_DEPTH];
    size_t depth;
    const Type *leaf;
    bool as_date; /* CAST(timestamp AS DATE) in zone */
    Str zone;
} Operand;

/* Fills places: one a field of the table's schema. */
void scan_places(ScanContext *s, Arena *arena);
bool scan_operand(const ScanContext *s, const BoundExpr *e, Operand *out);
/* A literal, or a cast of one through its text: what coercion makes of date_column = '2024-01-01'. */
bool scan_constant(const ScanContext *s, const BoundExpr *e, Value *out);
/* What the file in hand says of an operand; false: nothing. */
bool scan_bounds(ScanContext *s, const Operand *o, ColumnStats *out);
/* False when the two cannot be compared here. */
bool scan_order(const Value *a, const Value *b, int *out);
bool scan_all_null(const ColumnStats *c);
bool scan_none_null(const ColumnStats *c);
