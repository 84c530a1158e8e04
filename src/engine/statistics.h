/* Delta's statistics of a written file, made of what DuckDB's Parquet writer counted. */
#pragma once

#include "base/buf.h"
#include "type/value.h"

/* columns: map<string, map<string, string>> as COPY's RETURN_STATS gives it, by quoted and dotted
 * column path. skip: fields of the schema that are not in the file. limit: leaf columns that get
 * bounds and NULL counts; leaves (NULL: all) tells which of them. */
Str statistics_json(const Type *schema, const bool *skip, size_t limit, const bool *leaves, int64_t rows,
                    const Value *columns, Arena *arena);

/* The bound to store for a long string: at most 32 code points and a tie-breaker for maxima; false:
 * none can be given. */
bool statistics_text_bound(Str text, bool is_max, Arena *arena, Str *out);

/* "a"."b": how columns above are named, one level at a time. */
Str statistics_path(Str above, Str name, Arena *arena);
