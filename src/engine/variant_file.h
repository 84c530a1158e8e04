/* Variants in Parquet files as their two parts, whatever the footer calls them. */
#pragma once

#include "base/buf.h"
#include "engine/render.h"
#include "engine/variant_footer.h"

typedef struct VariantFiles {
    Str *paths;       /* what is read in place of each file */
    StrVec *shredded; /* by file: columns whose values are taken apart; NULL: there are none */
    VEC(Presence) presences; /* what the files have besides: each of these once */
} VariantFiles;

/* Copies that are made live as long as the arena of the rendering. */
MUST_CHECK bool variant_files(Render *r, const Str *paths, size_t count, VariantFiles *out,
                              Error *err);
/* Removes the copies of this process, and of those that are gone. */
void variant_copies_sweep(const Engine *e);
bool variant_is_shredded(const VariantFiles *v, size_t file, Str column);
/* The type of a column for read_parquet where it is shredded in some file of the scan. */
Str variant_read_type(const Type *t, Arena *arena);
/* The column read so, as the carrier type of t, whose variants are at `path`; shredded: a
 * condition that holds for rows of shredded files. The columns that variant_entries names are read
 * as well. */
typedef struct VariantColumn {
    const VariantFiles *files;
    Arena *arena;
    size_t *counter; /* of lambda variables */
    Str shredded;
} VariantColumn;
Str variant_parts(const VariantColumn *c, Str name, Str text, const Type *t);
/* Entries of read_parquet's schema for the presences of a column. */
void variant_entries(const VariantFiles *v, Str column, Buf *entries);
