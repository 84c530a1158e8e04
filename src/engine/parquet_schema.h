/* The Spark schema of Parquet files. */
#pragma once

#include "engine/engine.h"

/* From Spark's own text in the footer where there is one, else from the Parquet types; of the first
 * file or, merged, of all. */
MUST_CHECK bool parquet_schema_infer(Engine *e, const FileScan *scan, bool merge,
                                     const RunContext *ctx, Arena *arena, const Type **out,
                                     Error *err);
/* *fit: whether the fields that files have by an id of this schema, at any depth, are called as in it. */
MUST_CHECK bool parquet_names_fit(Engine *e, const Str *paths, size_t count, const Type *physical,
                                  const Cancel *cancel, Arena *arena, bool *fit, Error *err);
/* One struct with the fields of both, those of a first, as mergeSchema wants it. */
MUST_CHECK bool schema_merge(const Type *a, const Type *b, Arena *arena, const Type **out, Error *err);
