/* Partition values as text and the paths made of them. */
#pragma once

#include "delta/snapshot.h"

#define HIVE_DEFAULT_PARTITION "__HIVE_DEFAULT_PARTITION__"

/* A value of the log ('' and null are NULL) as a typed constant; DELTA_FAILED_CAST_PARTITION_VALUE.
 */
MUST_CHECK bool partition_value_parse(const Property *p, const Type *type, Str zone, Arena *arena,
                                      Value *out, Error *err);
/* The log's text of a value; is_null for NULL and for the empty string. Timestamps as ISO-8601 in
 * UTC. */
Property partition_value_print(Str column, const Value *v, Arena *arena);
/* The value of one column (physical name) in a file; NULL when the file does not have it. */
const Property *partition_value_of(const PropertyVec *values, Str column);
/* By their texts, whatever the order of the columns. */
bool partition_values_equal(const PropertyVec *a, const PropertyVec *b);
/* Index of a field of the schema in metadata.partitionColumns, -1 when it is a data column. */
int metadata_partition_index(const Metadata *m, Str column);

/* "a=1/b=x%2Fy": hive folders, values escaped as Spark's escapePathName does. Empty without
 * columns. */
Str partition_folder(const PropertyVec *values, Arena *arena);
Str path_hive_escape(Str text, Arena *arena);
Str path_hive_unescape(Str text, Arena *arena);

/* A file path as the log spells it (percent-encoded where a URI needs it) and back. Decoding
 * refuses malformed escapes, NUL and, in relative paths, '..' parts:
 * DELTA_CANNOT_RECONSTRUCT_PATH_FROM_URI. */
Str path_uri_encode(Str path, Arena *arena);
MUST_CHECK bool path_uri_decode(Str uri, Arena *arena, Str *path, Error *err);

/* What the engine is given for a file of the log: below the table, or absolute where the log says
 * so (clones). */
MUST_CHECK bool delta_file_location(DeltaTable *t, Str log_path, Arena *arena, Str *location,
                                    Error *err);
