/* Running statements on a stack that fits the plan, within reach of Interrupt. */
#pragma once

#include <duckdb.h>

#include "engine/engine.h"

/* Calls on the caller's thread, or for a deep plan on one with a stack in proportion. */
MUST_CHECK bool call_with_depth(size_t depth, bool (*call)(void *arg, Error *err), void *arg,
                                Error *err);

/* The next chunk with rows, of the carrier types, which becomes the caller's; NULL at the end. */
MUST_CHECK bool execution_next_chunk(Execution *x, duckdb_data_chunk *out, Error *err);

/* *has_result tells that *out must be destroyed, also after a failure. */
MUST_CHECK bool run_prepared(duckdb_prepared_statement statement, const Cancel *cancel,
                             bool streaming, duckdb_result *out, bool *has_result, Error *err);
/* Prepares and runs to the end; sql is NUL-terminated. */
MUST_CHECK bool run_sql(duckdb_connection connection, Str sql, const Cancel *cancel,
                        duckdb_result *out, bool *has_result, Error *err);
