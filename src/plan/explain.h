/* A bound plan as Spark's tree text: what EXPLAIN and df.explain() answer. */
#pragma once

#include "plan/bound.h"

/* The tree alone, one node a line, children below their parent; ends in a newline. */
Str explain_tree(const BoundRel *rel, Str zone, Arena *arena);
/* With Spark's headings. mode: simple, extended, formatted, cost, codegen; anything else is simple. There is one logical plan here:
 * the analyzed one stands for the parsed and the optimized one too. */
Str explain_text(const BoundRel *rel, Str mode, Str zone, Arena *arena);
