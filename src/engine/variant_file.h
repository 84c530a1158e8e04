/* Variants in Parquet files as their two parts, whatever the footer calls them. */
#pragma once

#include "engine/render.h"

typedef struct VariantFiles {
    Str *paths;     /* what is read in place of each file */
    bool *shredded; /* by file: its values are taken apart, DuckDB puts them together; NULL: none are */
} VariantFiles;

/* Copies that are made live as long as the arena of the rendering. */
MUST_CHECK bool variant_files(Render *r, const Str *paths, size_t count, VariantFiles *out, Error *err);
/* The type of a column for read_parquet where some file of the scan is shredded. */
Str variant_read_type(const Type *t, Arena *arena);
/* The column read so, as the carrier type of t; shredded: a condition that holds for rows of shredded files. */
Str variant_parts(Arena *arena, size_t *counter, Str text, const Type *t, Str shredded);
