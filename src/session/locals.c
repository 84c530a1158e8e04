/* Scopes of local variables: innermost first, each variable in an arena of its own. */
#include "session/locals.h"

#include "base/clock.h"
#include "session/plan_copy.h"

LocalScope *locals_enter(LocalScope *outer, Str label)
{
    Arena *arena = arena_new();
    LocalScope *s = ARENA_NEW(arena, LocalScope);
    s->label = label.len ? str_copy(label, arena) : clock_uuid_in(arena);
    s->outer = outer;
    s->arena = arena;
    return s;
}

LocalScope *locals_leave(LocalScope *scope)
{
    LocalScope *outer = scope->outer;
    for (size_t i = 0; i < scope->variables.len; i++)
        arena_free(scope->variables.at[i].arena);
    arena_free(scope->arena);
    return outer;
}

static LocalVariable *find_here(LocalScope *scope, Str name)
{
    for (size_t i = 0; i < scope->variables.len; i++)
        if (str_ieq(scope->variables.at[i].variable.name, name))
            return &scope->variables.at[i];
    return NULL;
}

static LocalVariable hold(const Variable *v)
{
    LocalVariable held = {.arena = arena_new()};
    held.variable.name = str_copy(v->name, held.arena);
    held.variable.type = type_copy(v->type, held.arena);
    held.variable.value = plan_copy_value(&v->value, held.arena);
    held.variable.initial = plan_copy_value(&v->initial, held.arena);
    return held;
}

Str locals_full_name(const LocalScope *scope, Str name, Arena *arena)
{
    Str parts[2] = {scope->label, name};
    return name_quoted(&(Name){.at = parts, .len = 2}, arena);
}

bool locals_declare(LocalScope *scope, const Variable *v, Error *err)
{
    if (find_here(scope, v->name) != NULL)
        return error_set(err, ERR_VARIABLE_ALREADY_EXISTS, P("variableName", locals_full_name(scope, v->name, err->arena)));
    vec_push(scope->arena, &scope->variables, hold(v));
    return true;
}

LocalVariable *locals_find(LocalScope *scope, const Name *name, size_t parts)
{
    if (parts == 0 || parts > 2)
        return NULL;
    for (; scope != NULL; scope = scope->outer) {
        if (parts == 2 && !str_ieq(scope->label, name->at[0]))
            continue;
        LocalVariable *found = find_here(scope, name->at[parts - 1]);
        if (found != NULL)
            return found;
    }
    return NULL;
}

void locals_assign(LocalVariable *v, const Value *value)
{
    Variable next = v->variable;
    next.value = *value;
    LocalVariable held = hold(&next);
    arena_free(v->arena);
    *v = held;
}
