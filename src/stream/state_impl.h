/* Between state.c and the operators that keep state. */
#pragma once

#include "stream/stream_impl.h"

typedef struct StateOperator {
    const char *name;        /* as Spark's progress calls it */
    const Type *schema;      /* of the rows kept; NULL before the first batch */
    char *current, *pending; /* ids of kept rows: of the last committed batch, of the one under way */
    int64_t total, updated, removed, dropped;
} StateOperator;

BoundColumn state_column(Batch *b, Str name, const Type *type);
/* One more column of a projection. */
BoundColumn state_push(Batch *b, BoundRel *project, BoundExpr *e, Str name);
MUST_CHECK bool state_call(Batch *b, const char *name, size_t argc, BoundExpr *const *args, BoundExpr **out, Error *err);
MUST_CHECK bool state_filter(Batch *b, BoundRel *input, const BoundColumn *time, int64_t watermark_ms, bool gone, BoundRel **out, Error *err);
BoundRel *state_union(Batch *b, BoundRel *first, BoundRel *second);
BoundRel *state_stored(Batch *b, Str id, const Type *schema);
MUST_CHECK bool state_count(Batch *b, BoundRel *rel, int64_t *out, Error *err);
/* What earlier batches left: kept in memory, or read from the checkpoint. */
MUST_CHECK bool state_rows(Batch *b, StateOperator *o, const Type *schema, BoundRel **out, Error *err);
/* What the next batch will find. */
MUST_CHECK bool state_keep(Batch *b, StateOperator *o, BoundRel *rows, Error *err);

/* state_aggregate.c, state_distinct.c */
bool state_aggregate(Batch *b, BoundRel **slot, StateOperator *o, Error *err);
bool state_distinct(Batch *b, BoundRel **slot, StateOperator *o, Error *err);
