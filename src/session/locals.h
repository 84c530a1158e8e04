/* Variables of a running SQL script: one scope for each BEGIN .. END and each row of FOR. One thread's; not shared. */
#pragma once

#include "session/session.h"

typedef struct LocalVariable {
    Variable variable;
    Arena *arena;            /* holds it; replaced with the value, so that loops do not grow */
} LocalVariable;

typedef struct LocalScope {
    Str label;               /* the block's label, or an id nobody can write */
    VEC(LocalVariable) variables;
    struct LocalScope *outer;
    Arena *arena;
} LocalScope;

LocalScope *locals_enter(LocalScope *outer, Str label);
/* Frees the scope; gives the one around it. */
LocalScope *locals_leave(LocalScope *scope);
/* VARIABLE_ALREADY_EXISTS when this very scope has it. */
MUST_CHECK bool locals_declare(LocalScope *scope, const Variable *v, Error *err);
/* "x" or "label.x": the first `parts` parts of a name, the innermost first; NULL when there is none. */
LocalVariable *locals_find(LocalScope *scope, const Name *name, size_t parts);
/* Keeps copies of the value; its type stays. */
void locals_assign(LocalVariable *v, const Value *value);
/* "`label`.`x`", as messages name a variable of this scope. */
Str locals_full_name(const LocalScope *scope, Str name, Arena *arena);
