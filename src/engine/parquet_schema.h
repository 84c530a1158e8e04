/* The Spark schema of Parquet files. */
#pragma once

#include "engine/engine.h"

/* From Spark's own text in the footer where there is one, else from the Parquet types; of the first
 * file or, merged, of all. */
MUST_CHECK bool parquet_schema_infer(Engine *e, const FileScan *scan, bool merge,
                                     const RunContext *ctx, Arena *arena, const Type **out,
                                     Error *err);
