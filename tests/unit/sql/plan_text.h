/* An unresolved plan as one line of text, for comparing in tests. */
#pragma once

#include "sql/sql.h"

Str expr_text(const Expr *e, Arena *arena);
Str rel_text(const Rel *rel, Arena *arena);
