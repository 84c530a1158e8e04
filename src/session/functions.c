/* Temporary functions: SQL bodies as text, Python ones as the client pickled them. */
#include <stdlib.h>

#include "session/plan_copy.h"
#include "session/session_impl.h"

static HeldFunction *find_function(Session *s, Str name)
{
    for (size_t i = 0; i < s->function_count; i++)
        if (str_ieq(s->functions[i].function.name, name))
            return &s->functions[i];
    return NULL;
}

static SessionFunction copy_function(const SessionFunction *f, Arena *arena)
{
    SessionFunction to = *f;
    to.name = str_copy(f->name, arena);
    to.sql = str_copy(f->sql, arena);
    to.python = plan_copy_python(f->python, arena);
    return to;
}

static void add_function(Session *s, HeldFunction held)
{
    if (s->function_count == s->function_cap)
        s->functions = heap_grow(s->functions, &s->function_cap, sizeof *s->functions);
    s->functions[s->function_count++] = held;
}

bool session_put_function(Session *s, const SessionFunction *f, bool replace)
{
    HeldFunction held = {.arena = arena_new()};
    held.function = copy_function(f, held.arena);
    pthread_mutex_lock(&s->lock);
    HeldFunction *old = find_function(s, f->name);
    bool taken = old != NULL && !replace;
    if (old != NULL && replace) {
        arena_free(old->arena);
        *old = held;
    } else if (old == NULL) {
        add_function(s, held);
    }
    pthread_mutex_unlock(&s->lock);
    if (taken)
        arena_free(held.arena);
    return !taken;
}

bool session_get_function(Session *s, Str name, Arena *arena, SessionFunction *out)
{
    pthread_mutex_lock(&s->lock);
    HeldFunction *held = find_function(s, name);
    if (held != NULL)
        *out = copy_function(&held->function, arena);
    pthread_mutex_unlock(&s->lock);
    return held != NULL;
}

bool session_drop_function(Session *s, Str name)
{
    pthread_mutex_lock(&s->lock);
    HeldFunction *held = find_function(s, name);
    if (held != NULL) {
        arena_free(held->arena);
        *held = s->functions[--s->function_count];
    }
    pthread_mutex_unlock(&s->lock);
    return held != NULL;
}

void session_list_functions(Session *s, Arena *arena, StrVec *names)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->function_count; i++)
        vec_push(arena, names, str_copy(s->functions[i].function.name, arena));
    pthread_mutex_unlock(&s->lock);
}

void functions_copy(Session *from, Session *to)
{
    pthread_mutex_lock(&from->lock);
    for (size_t i = 0; i < from->function_count; i++) {
        HeldFunction held = {.arena = arena_new()};
        held.function = copy_function(&from->functions[i].function, held.arena);
        add_function(to, held);
    }
    pthread_mutex_unlock(&from->lock);
}

void functions_free(Session *s)
{
    for (size_t i = 0; i < s->function_count; i++)
        arena_free(s->functions[i].arena);
    free(s->functions);
}
