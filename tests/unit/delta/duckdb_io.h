/* Parquet for tests of delta/: a ParquetIo straight over libduckdb. */
#pragma once

#include "delta/parquet_io.h"

/* Opens a database in memory and installs the reader and writer; for the life of the process. */
void duckdb_io_install(void);
