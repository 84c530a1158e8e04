/* A deep copy of an unresolved plan into another arena: temp views outlive the query that made them. */
#pragma once

#include "plan/plan.h"

Rel *plan_copy_rel(const Rel *rel, Arena *arena);
Expr *plan_copy_expr(const Expr *expr, Arena *arena);
PythonFunction *plan_copy_python(const PythonFunction *function, Arena *arena); /* NULL stays NULL */
/* The value with its type and every text in the arena. */
Value plan_copy_value(const Value *value, Arena *arena);
