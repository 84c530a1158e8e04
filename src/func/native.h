/* The C functions that DuckDB lacks or answers differently, registered under names that start with ls_. */
#pragma once

#include <duckdb.h>

#include "base/error.h"

MUST_CHECK bool func_register_all(duckdb_connection connection, Error *err);
