/* Variants in Parquet files as their two parts, whatever the footer calls them. */
#pragma once

#include "engine/render.h"

typedef struct VariantFiles {
    Str *paths;       /* what is read in place of each file */
    StrVec *shredded; /* by file: the columns with values that are taken apart; DuckDB puts those together. NULL: there are none */
} VariantFiles;

/* Copies that are made live as long as the arena of the rendering. */
MUST_CHECK bool variant_files(Render *r, const Str *paths, size_t count, VariantFiles *out, Error *err);
/* Removes the copies of this process, and of those that are gone. */
void variant_copies_sweep(const Engine *e);
bool variant_is_shredded(const VariantFiles *v, size_t file, Str column);
/* The type of a column for read_parquet where it is shredded in some file of the scan. */
Str variant_read_type(const Type *t, Arena *arena);
/* The column read so, as the carrier type of t; shredded: a condition that holds for rows of shredded files. */
Str variant_parts(Arena *arena, size_t *counter, Str text, const Type *t, Str shredded);
