/* window(time, duration, slide): a row takes part in every window that its time falls into, and in none when it has no time.
 * session_window(time, gap): rows of one key whose spans [time, time + gap] touch make one session. */
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

static bool is_session(const BoundExpr *e)
{
    return e->kind == BEXPR_CALL && !strcmp(e->call.row->name, "session_window");
}

static bool is_window(const BoundExpr *e)
{
    return e->kind == BEXPR_CALL && (!strcmp(e->call.row->name, "window") || is_session(e));
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
    if (is_session(*slot)) /* not a key: refused when it is rendered */
        return bound_each_child(*slot, lift, arg);
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

/* ---- sessions ---- */

static const Origin NOWHERE = {0, -1};

/* A hidden column of the input, computed by a projection of its own. */
static BoundExpr *hidden_value(Analyzer *a, BoundRel **input, Str name, BoundExpr *e)
{
    BoundRel *p = project_columns(a, *input, &(*input)->columns);
    BoundColumn c = new_column(a, name, e->type, e->nullable);
    c.hidden = true;
    project_push(a, p, e, c);
    *input = p;
    return bound_column(&c, a->arena);
}

static bool call2(Analyzer *a, const char *name, BoundExpr *x, BoundExpr *y, BoundExpr **out, Error *err)
{
    BoundExpr *args[2] = {x, y};
    return bind_builtin(a, name, y ? 2 : 1, args, NOWHERE, out, err);
}

/* name(x) over the rows that agree in `keys`; with an order over those up to here, or before here. */
static bool over_keys(Analyzer *a, const char *name, BoundExpr *x, const BoundExprVec *keys, BoundExpr *by, bool before,
                      BoundRel **input, BoundExpr **out, Error *err)
{
    BoundExpr *w = bound_new(BEXPR_WINDOW, NULL, true, a->arena);
    TRY(bind_builtin(a, name, 1, &x, NOWHERE, &w->window.function, err));
    w->type = w->window.function->type;
    w->window.partition = *keys;
    if (by) {
        BoundSort sort = {by, false, true};
        vec_push(a->arena, &w->window.order, sort);
        w->window.frame = FRAME_ROWS;
        w->window.from = (BoundFrameBound){BOUND_UNBOUNDED_PRECEDING, NULL};
        w->window.to = (BoundFrameBound){BOUND_CURRENT_ROW, NULL};
        if (before)
            w->window.to = (BoundFrameBound){BOUND_PRECEDING, bound_literal(value_int(TYPE_INT, 1), a->arena)};
    }
    *out = hidden_value(a, input, S("_session"), w);
    return true;
}

/* Rows without a time or with a gap that is not positive are in no session. */
static bool keep_spans(Analyzer *a, BoundRel **input, BoundExpr *start, BoundExpr *end, Error *err)
{
    BoundRel *filter = brel_new(BREL_FILTER, *input, a->arena);
    filter->columns = (*input)->columns;
    TRY(call2(a, ">", end, start, &filter->filter.condition, err));
    *input = filter;
    return true;
}

static bool session_of(Analyzer *a, BoundRel **input, const BoundExpr *call, BoundExprVec keys, BoundExpr **out, Error *err)
{
    BoundExpr *time = call->call.args.at[0], *end, *reach, *apart, *number, *first, *last;
    TRY(call2(a, "+", time, call->call.args.at[1], &end, err));
    BoundExpr *start = hidden_value(a, input, S("_session"), time);
    end = hidden_value(a, input, S("_session"), end);
    TRY(keep_spans(a, input, start, end, err));
    TRY(over_keys(a, "max", end, &keys, start, true, input, &reach, err));
    TRY(call2(a, ">", start, reach, &apart, err));
    TRY(call2(a, "coalesce", apart, bound_literal(value_bool(false), a->arena), &apart, err));
    apart = bound_cast(apart, type_simple(TYPE_INT), CAST_LEGACY, true, a->arena);
    TRY(over_keys(a, "sum", apart, &keys, start, false, input, &number, err));
    BoundExprVec session = {0};
    for (size_t i = 0; i < keys.len; i++)
        vec_push(a->arena, &session, keys.at[i]);
    vec_push(a->arena, &session, number);
    TRY(over_keys(a, "min", start, &session, NULL, false, input, &first, err));
    TRY(over_keys(a, "max", end, &session, NULL, false, input, &last, err));
    BoundExpr *s = bound_new(BEXPR_STRUCT, call->type, false, a->arena);
    vec_push(a->arena, &s->structure.children, first);
    vec_push(a->arena, &s->structure.children, last);
    *out = hidden_value(a, input, S("session_window"), s);
    return true;
}

bool lift_session_window(Analyzer *a, BoundRel *aggregate, size_t key, LiftedWindow **known, Error *err)
{
    BoundItem *item = &aggregate->aggregate.keys.at[key];
    const BoundExpr *call = item->expr;
    BoundExprVec others = {0};
    if (!is_session(call))
        return true;
    /* The windows below look at rows of one batch only; a session may go on in the next. */
    if (brel_is_streaming(aggregate->input))
        return error_unsupported(err, "session_window of a stream");
    for (size_t i = 0; i < aggregate->aggregate.keys.len; i++)
        if (i != key)
            vec_push(a->arena, &others, aggregate->aggregate.keys.at[i].expr);
    TRY(session_of(a, &aggregate->input, call, others, &item->expr, err));
    LiftedWindow *w = ARENA_NEW(a->arena, LiftedWindow);
    *w = (LiftedWindow){call, vec_last(&aggregate->input->columns), *known};
    *known = w;
    return true;
}
