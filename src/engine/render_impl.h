/* What the relation renderers share among themselves. */
#pragma once

#include "engine/render.h"

MUST_CHECK bool render_block(Render *r, const BoundRel *rel, Block *out, Error *err);
/* "c1, c2": every column once; "1 AS c0" where there are none. */
Str column_list(const Render *r, const BoundColumnVec *columns);
bool block_is_bare(const Block *b);
/* The block as a query; columns stands in for an empty select list. */
const Rope *block_rope(Render *r, const Block *b, Str columns);
/* The block as the input of something else, which DuckDB 1.5.5 may be joining: it takes what it has learnt of the keys of a join into the
 * other side's scans, through the LIMIT that was to pick rows first (duckdb/duckdb#22963). */
const Rope *input_rope(Render *r, const Block *b, const BoundColumnVec *columns);
const Rope *rope_wrapped(Arena *a, const char *before, const Rope *inside, const char *after);
bool select_is_exact(const BoundRel *rel);
/* A BoundVisit: false where a function gives another value each time. */
bool is_determined(BoundExpr **slot, void *arg);

/* ---- render_group.c, render_rows.c ---- */

MUST_CHECK bool render_aggregate(Render *r, const BoundRel *rel, Block *out, Error *err);
/* Where columns of collated strings are among those grouped by: "key(c1), c2" with something before each name, and
 * "first(c1) AS c1, c2"; what column_list says where there are none. */
bool columns_are_collated(const BoundColumnVec *columns);
MUST_CHECK bool column_keys(Render *r, const BoundColumnVec *columns, Str *out, Error *err);
MUST_CHECK bool column_key(Render *r, const BoundColumn *c, const char *side, Str *out, Error *err);
Str column_firsts(Render *r, const BoundColumnVec *columns);
MUST_CHECK bool render_sample(Render *r, const BoundRel *rel, Block *out, Error *err);
MUST_CHECK bool render_generate(Render *r, const BoundRel *rel, Block *out, Error *err);

/* ---- early_group.c ---- */

/* The join that an aggregate can be taken over once its right side is grouped; NULL: it is better taken as it is.
 * The columns of partial results have the ids of the aggregates. */
const BoundRel *group_early(Render *r, const BoundRel *aggregate);
/* Puts them together, after the keys. */
void put_early_aggregates(const BoundRel *aggregate, Buf *select);

/* ---- render_order.c ---- */

/* Which sides of a join an expression has columns of; other: an outer query's, or it has a query of its own. */
typedef struct Sides {
    const BoundColumnVec *left, *right;
    bool uses_left, uses_right, uses_other;
} Sides;
Sides join_sides(const BoundRel *join, BoundExpr *e);

/* Upper bound of rows and Spark's own estimate of bytes. */
typedef struct RowEstimate {
    double rows, bytes;
} RowEstimate;
RowEstimate row_estimate(const BoundRel *rel);
bool rel_is_small(const BoundRel *rel);
/* A FROM item with a column `name` that numbers the rows. */
const Rope *rows_numbered(Render *r, const Rope *from, Str name);
/* Whether a join's rows are brought into the order Spark gives them in, and the ORDER BY text for
 * sides numbered l and rt. */
bool join_is_ordered(const BoundRel *rel);
MUST_CHECK bool join_order(Render *r, const BoundRel *rel, Str l, Str rt, Str *out, Error *err);
/* ORDER BY text for a select list with windows: Spark sorts by the keys of the last one and leaves
 * the rows so. */
MUST_CHECK bool window_order(Render *r, const BoundItemVec *items, Str *out, Error *err);
