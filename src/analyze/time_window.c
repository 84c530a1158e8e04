/* window(time, duration, slide): a row takes part in every window that its time falls into, and in none when it has no time. */
#include "analyze/analyze_impl.h"

#include <string.h>

typedef struct LiftedWindow {
    const BoundExpr *call;
    BoundColumn column;
    struct LiftedWindow *next;
} LiftedWindow;

typedef struct WindowLift {
    Analyzer *a;
    BoundRel **input;
    LiftedWindow **known;
    Error *err;
    bool failed;
} WindowLift;

static bool is_window(const BoundExpr *e)
{
    return e->kind == BEXPR_CALL && !strcmp(e->call.row->name, "window");
}

static bool find_window(BoundExpr **e, void *arg)
{
    bool *found = arg;
    *found |= is_window(*e);
    return *found ? true : bound_each_child(*e, find_window, arg);
}

/* Windows of a watermarked time are late when it is. */
static Str window_metadata(const WindowLift *l, const BoundExpr *time)
{
    const BoundColumnVec *columns = &(*l->input)->columns;
    for (size_t i = 0; time->kind == BEXPR_COLUMN && i < columns->len; i++) {
        int64_t delay = columns->at[i].id == time->column.id ? stream_watermark_delay(&columns->at[i]) : -1;
        if (delay >= 0)
            return str_printf(l->a->arena, "{\"spark.timeWindow\":true,\"spark.watermarkDelayMs\":%lld}", (long long)(delay / 1000));
    }
    return S("{\"spark.timeWindow\":true}");
}

/* One row a window: the list of its windows, exploded. */
static bool explode_windows(WindowLift *l, const BoundExpr *call, Error *err)
{
    Analyzer *a = l->a;
    BoundExpr *list, *generator;
    StrVec names = {0};
    vec_push(a->arena, &names, S("window"));
    TRY(bind_builtin(a, "time_windows", call->call.args.len, call->call.args.at, call->origin, &list, err));
    TRY(bind_builtin(a, "explode", 1, &list, call->origin, &generator, err));
    return generate_over(a, *l->input, generator, false, &names, l->input, err);
}

static bool lift(BoundExpr **slot, void *arg)
{
    WindowLift *l = arg;
    if (!is_window(*slot))
        return bound_each_child(*slot, lift, arg);
    for (LiftedWindow *w = *l->known; w; w = w->next)
        if (bound_equal(w->call, *slot)) {
            *slot = bound_column(&w->column, l->a->arena);
            return true;
        }
    Str metadata = window_metadata(l, (*slot)->call.args.at[0]);
    if (!explode_windows(l, *slot, l->err)) {
        l->failed = true;
        return true;
    }
    BoundColumn *made = &vec_last(&(*l->input)->columns);
    made->hidden = true;
    made->nullable = false;
    made->metadata = metadata;
    LiftedWindow *w = ARENA_NEW(l->a->arena, LiftedWindow);
    *w = (LiftedWindow){*slot, *made, *l->known};
    *l->known = w;
    *slot = bound_column(made, l->a->arena);
    return true;
}

bool lift_time_windows(Analyzer *a, BoundRel **input, LiftedWindow **known, BoundExpr **e, Error *err)
{
    bool found = false;
    (void)!find_window(e, &found);
    if (!found)
        return true;
    WindowLift l = {a, input, known, err, false};
    (void)!lift(e, &l);
    return !l.failed;
}
