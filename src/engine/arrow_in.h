/* Arrow columns, as clients send them, into DuckDB's vectors. */
#pragma once

#include <duckdb.h>
#include <nanoarrow/nanoarrow.h>

#include "base/error.h"
#include "type/type.h"

/* Rows [from, from + count) of an Arrow column to rows [at, ..) of a vector of `to`'s carrier type.
 * Values that do not fit the type are an error; timestamps without a zone are wall clock in `zone`.
 */
MUST_CHECK bool arrow_in_copy(const struct ArrowArrayView *view, const struct ArrowSchema *schema,
                              int64_t from, idx_t count, duckdb_vector vector, idx_t at,
                              const Type *to, Str zone, Error *err);
/* The Spark type of an Arrow column; timestamps without a zone are TIMESTAMP_NTZ. */
MUST_CHECK bool arrow_in_type(const struct ArrowSchema *schema, Arena *arena, const Type **out,
                              Error *err);
