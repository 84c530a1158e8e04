/* Temp views: immutable copies of plans, kept while any query may still read them. */
#include <stdlib.h>
#include <string.h>

#include "session/plan_copy.h"
#include "session/session_impl.h"

static ViewStore global_views = {.lock = PTHREAD_MUTEX_INITIALIZER};

ViewStore *view_store_global(void)
{
    return &global_views;
}

void view_store_init(ViewStore *v)
{
    memset(v, 0, sizeof *v);
    pthread_mutex_init(&v->lock, NULL);
}

static void free_views(HeldView *view)
{
    while (view != NULL) {
        HeldView *next = view->next;
        arena_free(view->arena);
        view = next;
    }
}

void view_store_free(ViewStore *v)
{
    free_views(v->live);
    free_views(v->dropped);
    pthread_mutex_destroy(&v->lock);
}

void view_store_enter(ViewStore *v)
{
    pthread_mutex_lock(&v->lock);
    v->readers++;
    pthread_mutex_unlock(&v->lock);
}

void view_store_leave(ViewStore *v)
{
    HeldView *done = NULL;
    pthread_mutex_lock(&v->lock);
    if (--v->readers == 0) {
        done = v->dropped;
        v->dropped = NULL;
    }
    pthread_mutex_unlock(&v->lock);
    free_views(done);
}

static HeldView *hold_view(const TempView *view)
{
    Arena *arena = arena_new();
    HeldView *held = ARENA_NEW(arena, HeldView);
    held->arena = arena;
    held->view = *view;
    held->view.name = str_copy(view->name, arena);
    held->view.sql = str_copy(view->sql, arena);
    held->view.text = str_copy(view->text, arena);
    held->view.space = str_copy(view->space, arena);
    held->view.collation = str_copy(view->collation, arena);
    held->view.plan = plan_copy_rel(view->plan, arena);
    held->view.columns = (StrVec){0};
    for (size_t i = 0; i < view->columns.len; i++)
        vec_push(arena, &held->view.columns, str_copy(view->columns.at[i], arena));
    return held;
}

void view_store_copy(ViewStore *from, ViewStore *to)
{
    pthread_mutex_lock(&from->lock);
    for (HeldView *v = from->live; v != NULL; v = v->next) {
        HeldView *held = hold_view(&v->view);
        held->next = to->live;
        to->live = held;
    }
    pthread_mutex_unlock(&from->lock);
}

/* The link that points at the view of that name; *link is NULL when there is none. */
static HeldView **find_view(ViewStore *v, Str name)
{
    HeldView **link = &v->live;
    while (*link != NULL && !str_ieq((*link)->view.name, name))
        link = &(*link)->next;
    return link;
}

static void drop_view(ViewStore *v, HeldView **link)
{
    HeldView *view = *link;
    *link = view->next;
    view->next = v->dropped;
    v->dropped = view;
}

static ViewStore *store_of(Session *s, bool global)
{
    return global ? view_store_global() : &s->views;
}

bool session_put_temp_view(Session *s, const TempView *view, bool replace, Error *err)
{
    ViewStore *store = store_of(s, view->global);
    HeldView *held = hold_view(view);
    pthread_mutex_lock(&store->lock);
    HeldView **link = find_view(store, view->name);
    bool taken = *link != NULL;
    if (!taken || replace) {
        if (taken)
            drop_view(store, link);
        held->next = store->live;
        store->live = held;
    }
    pthread_mutex_unlock(&store->lock);
    if (!taken || replace)
        return true;
    arena_free(held->arena);
    return error_set(err, ERR_TEMP_TABLE_OR_VIEW_ALREADY_EXISTS,
                     P("relationName", str_printf(err->arena, view->global ? "`global_temp`.`" STR_FMT "`" : "`" STR_FMT "`",
                                                  STR_ARG(view->name))));
}

bool session_drop_temp_view(Session *s, Str name, bool global)
{
    ViewStore *store = store_of(s, global);
    HeldView *unused = NULL;
    pthread_mutex_lock(&store->lock);
    HeldView **link = find_view(store, name);
    bool found = *link != NULL;
    if (found)
        drop_view(store, link);
    if (store->readers == 0) {
        unused = store->dropped;
        store->dropped = NULL;
    }
    pthread_mutex_unlock(&store->lock);
    free_views(unused);
    return found;
}

const TempView *session_temp_view(Session *s, Str name, bool global)
{
    ViewStore *store = store_of(s, global);
    pthread_mutex_lock(&store->lock);
    HeldView *view = *find_view(store, name);
    pthread_mutex_unlock(&store->lock);
    return view == NULL ? NULL : &view->view;
}

void session_list_temp_views(Session *s, bool global, Arena *arena, TempViewVec *out)
{
    ViewStore *store = store_of(s, global);
    pthread_mutex_lock(&store->lock);
    for (HeldView *v = store->live; v != NULL; v = v->next)
        vec_push(arena, out, v->view);
    pthread_mutex_unlock(&store->lock);
}
