/* What the printers and readers of types share. */
#pragma once

#include "base/buf.h"
#include "type/type.h"

/* "decimal(10,2)", "integer", "interval day to second", "array": Spark's typeName, as JSON uses it. */
void type_put_name(Buf *b, const Type *t);

/* "name" as a DuckDB identifier with quotes. */
void duckdb_put_identifier(Buf *b, Str name);
