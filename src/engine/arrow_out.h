/* DuckDB's chunks gathered into one Arrow record batch and written as an IPC stream. */
#pragma once

#include <duckdb.h>

#include "base/buf.h"
#include "base/error.h"
#include "type/type.h"

typedef struct ArrowOut ArrowOut;

/* schema: the struct of the result's columns; zone: what timestamps say they are shown in. */
MUST_CHECK bool arrow_out_new(const Type *schema, Str zone, Arena *arena, ArrowOut **out,
                              Error *err);
void arrow_out_free(ArrowOut *a);
/* Appends rows [from, from + count) of a chunk whose vectors are flat and of the carrier types. */
MUST_CHECK bool arrow_out_append(ArrowOut *a, duckdb_data_chunk chunk, idx_t from, idx_t count,
                                 Error *err);
/* The same for the chunk's columns from `column` on. */
MUST_CHECK bool arrow_out_append_from(ArrowOut *a, duckdb_data_chunk chunk, idx_t column, idx_t from,
                                      idx_t count, Error *err);
/* The parts of a stream of several batches: its head, the gathered rows, its end. */
void arrow_out_put_schema(ArrowOut *a, Buf *ipc);
MUST_CHECK bool arrow_out_put_batch(ArrowOut *a, Buf *ipc, Error *err);
void arrow_out_put_end(Buf *ipc);
int64_t arrow_out_rows(const ArrowOut *a);
size_t arrow_out_bytes(const ArrowOut *a);
/* Schema, the gathered rows as one batch when with_batch, end of stream; then starts afresh. */
MUST_CHECK bool arrow_out_finish(ArrowOut *a, bool with_batch, Buf *ipc, Error *err);
