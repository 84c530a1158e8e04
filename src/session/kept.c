/* What a session asked to keep: results under ids (checkpoints), and the names of tables it called cached. */
#include <stdlib.h>

#include "session/session_impl.h"

static HeldResult **find_result(Session *s, Str id)
{
    HeldResult **link = &s->results;
    while (*link != NULL && !str_eq((*link)->id, id))
        link = &(*link)->next;
    return link;
}

static void free_result(HeldResult *r)
{
    if (r->drop)
        r->drop(r->owner, r->id);
    arena_free(r->arena);
}

void session_keep_result(Session *s, Str id, const Type *schema, void (*drop)(void *owner, Str id), void *owner)
{
    Arena *arena = arena_new();
    HeldResult *r = ARENA_NEW(arena, HeldResult);
    *r = (HeldResult){.arena = arena, .id = str_copy(id, arena), .schema = type_json(schema, arena), .drop = drop, .owner = owner};
    pthread_mutex_lock(&s->lock);
    r->next = s->results;
    s->results = r;
    pthread_mutex_unlock(&s->lock);
}

bool session_kept_result(Session *s, Str id, Arena *arena, const Type **schema, Error *err)
{
    Str text = {0};
    pthread_mutex_lock(&s->lock);
    HeldResult *r = *find_result(s, id);
    if (r != NULL)
        text = str_copy(r->schema, arena);
    pthread_mutex_unlock(&s->lock);
    *schema = NULL;
    return r == NULL || type_from_json(text, arena, schema, err);
}

void session_drop_result(Session *s, Str id)
{
    pthread_mutex_lock(&s->lock);
    HeldResult **link = find_result(s, id), *r = *link;
    if (r != NULL)
        *link = r->next;
    pthread_mutex_unlock(&s->lock);
    if (r != NULL)
        free_result(r);
}

/* ---- names ---- */

static HeldName **find_name(Session *s, Str name)
{
    HeldName **link = &s->cached;
    while (*link != NULL && !str_ieq((*link)->name, name))
        link = &(*link)->next;
    return link;
}

void session_cache_name(Session *s, Str name)
{
    pthread_mutex_lock(&s->lock);
    if (*find_name(s, name) == NULL) {
        Arena *arena = arena_new();
        HeldName *n = ARENA_NEW(arena, HeldName);
        *n = (HeldName){.arena = arena, .name = str_copy(name, arena), .next = s->cached};
        s->cached = n;
    }
    pthread_mutex_unlock(&s->lock);
}

bool session_name_is_cached(Session *s, Str name)
{
    pthread_mutex_lock(&s->lock);
    bool found = *find_name(s, name) != NULL;
    pthread_mutex_unlock(&s->lock);
    return found;
}

void session_uncache_name(Session *s, Str name)
{
    pthread_mutex_lock(&s->lock);
    HeldName **link = name.len ? find_name(s, name) : &s->cached, *n = *link;
    if (n != NULL)
        *link = name.len ? n->next : NULL;
    pthread_mutex_unlock(&s->lock);
    while (n != NULL) {
        HeldName *next = name.len ? NULL : n->next;
        arena_free(n->arena);
        n = next;
    }
}

void kept_free(Session *s)
{
    while (s->results != NULL) {
        HeldResult *next = s->results->next;
        free_result(s->results);
        s->results = next;
    }
    session_uncache_name(s, (Str){0});
}
