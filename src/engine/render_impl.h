/* What the relation renderers share among themselves. */
#pragma once

#include "engine/render.h"

MUST_CHECK bool render_block(Render *r, const BoundRel *rel, Block *out, Error *err);
/* "c1, c2": every column once; "1 AS c0" where there are none. */
Str column_list(const BoundColumnVec *columns, Arena *arena);
bool block_is_bare(const Block *b);
/* The block as a query; columns stands in for an empty select list. */
const Rope *block_rope(Render *r, const Block *b, Str columns);
const Rope *rope_wrapped(Arena *a, const char *before, const Rope *inside, const char *after);
bool select_is_exact(const BoundRel *rel);

/* ---- render_group.c, render_rows.c ---- */

MUST_CHECK bool render_aggregate(Render *r, const BoundRel *rel, Block *out, Error *err);
MUST_CHECK bool render_sample(Render *r, const BoundRel *rel, Block *out, Error *err);
MUST_CHECK bool render_generate(Render *r, const BoundRel *rel, Block *out, Error *err);
