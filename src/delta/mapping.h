/* Column mapping as writers keep it: ids and physical names of fields. */
#pragma once

#include "delta/actions.h"

/* Gives every field that lacks them an id and a physical name, and notes the highest id; nothing
 * where columns are not mapped. keep_names: a table that has files under its display names. */
void metadata_map_columns(Metadata *m, bool keep_names, Arena *arena);
/* A table that is replaced: columns of the same name and type, at any depth, stay what they were in files. */
void metadata_reuse_columns(Metadata *m, const Type *old, Arena *arena);
/* Without the ids and names of the table that a column was read from. */
Str field_metadata_unmapped(Str metadata, Arena *arena);
const Type *type_unmapped(const Type *t, Arena *arena);
/* "a b, s.c;d": names that only a mapped table may have, as Parquet cannot; empty: none. */
Str schema_unmappable_names(const Type *schema, Arena *arena);
/* The schema without delta.typeChanges: no file has a narrower type any more. */
const Type *schema_forget_widening(const Type *t, Arena *arena);
