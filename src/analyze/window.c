/* Window expressions: the function, its partition, order and frame. */
#include "analyze/analyze_impl.h"
#include "func/signature.h"

static const WindowSpec *named_window(const Analyzer *a, Str name)
{
    const WindowNames *w = a->windows;
    for (size_t i = 0; w && i < w->count; i++)
        if (name_matches(a, w->defs[i].name, name))
            return &w->defs[i].spec;
    return NULL;
}

static bool resolve_spec(Analyzer *a, const WindowSpec *in, WindowSpec *out, Error *err)
{
    *out = *in;
    if (!in->base_name.len)
        return true;
    const WindowSpec *base = named_window(a, in->base_name);
    if (!base)
        return error_set(err, ERR_MISSING_WINDOW_SPECIFICATION, P("windowName", in->base_name),
                         PZ("docroot", "https://spark.apache.org/docs/latest"));
    WindowSpec resolved;
    TRY(resolve_spec(a, base, &resolved, err));
    if (!out->partition.len)
        out->partition = resolved.partition;
    if (!out->order.len)
        out->order = resolved.order;
    if (out->frame == FRAME_NONE) {
        out->frame = resolved.frame;
        out->from = resolved.from;
        out->to = resolved.to;
    }
    return true;
}

static bool bind_bound(Analyzer *a, const FrameBound *in, Scope *scope, const BoundExpr *w, BoundFrameBound *out, Error *err)
{
    out->kind = in->kind;
    if (!in->value)
        return true;
    TRY(bind_expr(a, in->value, scope, &out->value, err));
    if (w->window.frame == FRAME_ROWS)
        return coerce_to(a, out->value, type_simple(TYPE_LONG), &out->value, err);
    if (w->window.order.len == 1) {
        const Type *t = w->window.order.at[0].expr->type;
        if (type_is_numeric(t))
            return coerce_to(a, out->value, t, &out->value, err);
    }
    return true;
}

/* DataFrame frames give signed offsets: -3 is 3 PRECEDING. */
static void normalise_bound(Analyzer *a, BoundFrameBound *b)
{
    if (!b->value || b->value->kind != BEXPR_LITERAL || b->value->literal.is_null || !type_is_integral(b->value->type))
        return;
    if (b->value->literal.integer < 0 && b->value->literal.integer != INT64_MIN) {
        Value v = b->value->literal;
        v.integer = -v.integer;
        b->value = bound_literal(v, a->arena);
        b->kind = b->kind == BOUND_PRECEDING ? BOUND_FOLLOWING : BOUND_PRECEDING;
    } else if (b->value->literal.integer == 0) {
        b->value = NULL;
        b->kind = BOUND_CURRENT_ROW;
    }
}

static bool check_function(Analyzer *a, const Expr *e, const BoundExpr *f, const BoundExpr *w, Error *err)
{
    bool windowed = f->kind == BEXPR_AGGREGATE || (f->kind == BEXPR_CALL && f->call.row->kind == FUNC_WINDOW);
    Str text = str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(f, a->func.zone, a->arena)));
    if (!windowed) {
        error_set(err, ERR_UNSUPPORTED_EXPR_FOR_WINDOW, P("sqlExpr", text));
        return set_context(a, err, e->origin);
    }
    if (f->kind == BEXPR_CALL && !w->window.order.len) {
        error_set(err, ERR_WINDOW_FUNCTION_FRAME_NOT_ORDERED, P("wf_expr", func_sql_text(f, a->func.zone, a->arena)),
                  PZ("wf_name", f->call.row->name));
        return set_context(a, err, e->origin);
    }
    return true;
}

static Str quoted_window(Analyzer *a, const BoundExpr *w)
{
    return str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(w, a->func.zone, a->arena)));
}

/* Aggregates that Spark computes over a whole partition only. */
static bool needs_whole_partition(const BoundExpr *f)
{
    static const char *const NAMES[] = {"median", "percentile_cont", "percentile_disc"};
    for (size_t i = 0; i < LENGTH_OF(NAMES); i++)
        if (strcmp(f->call.row->name, NAMES[i]) == 0)
            return true;
    return false;
}

static bool check_aggregate(Analyzer *a, const BoundExpr *w, Error *err)
{
    const BoundExpr *f = w->window.function;
    if (f->kind != BEXPR_AGGREGATE)
        return true;
    if (f->call.distinct)
        return error_set(err, ERR_DISTINCT_WINDOW_FUNCTION_UNSUPPORTED, P("windowExpr", quoted_window(a, w)));
    bool whole = w->window.frame == FRAME_NONE ? w->window.order.len == 0
                                               : w->window.from.kind == BOUND_UNBOUNDED_PRECEDING && w->window.to.kind == BOUND_UNBOUNDED_FOLLOWING;
    if (!whole && needs_whole_partition(f))
        return error_set(err, ERR_INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC, P("aggFunc", quoted_window(a, f)));
    return true;
}

static Str bound_text(Analyzer *a, const BoundFrameBound *b)
{
    switch (b->kind) {
    case BOUND_UNBOUNDED_PRECEDING: return S("unboundedpreceding$()");
    case BOUND_UNBOUNDED_FOLLOWING: return S("unboundedfollowing$()");
    case BOUND_CURRENT_ROW: return S("currentrow$()");
    default:
        return str_concat(a->arena, b->kind == BOUND_PRECEDING ? S("-") : S(""), func_sql_text(b->value, a->func.zone, a->arena));
    }
}

static bool bound_is_offset(const BoundFrameBound *b, int64_t offset)
{
    int64_t n = 0;
    if (b->kind == BOUND_PRECEDING || b->kind == BOUND_FOLLOWING) {
        if (!func_constant_int(b->value, &n))
            return false;
        return (b->kind == BOUND_PRECEDING ? -n : n) == offset;
    }
    return b->kind == BOUND_CURRENT_ROW && offset == 0;
}

/* lag(x, 2) stands for the frame of the one row two before. */
static bool is_frame_of_offset(const BoundExpr *w, bool lag)
{
    const BoundExprVec *args = &w->window.function->call.args;
    int64_t offset = 1;
    if (args->len > 1 && !func_constant_int(args->at[1], &offset))
        return false;
    offset = lag ? -offset : offset;
    return w->window.frame == FRAME_ROWS && bound_is_offset(&w->window.from, offset) && bound_is_offset(&w->window.to, offset);
}

/* Functions of the row's place have a frame of their own; a written one may only repeat it. */
static bool check_own_frame(Analyzer *a, const BoundExpr *w, Error *err)
{
    const BoundExpr *f = w->window.function;
    if (f->kind != BEXPR_CALL)
        return true;
    Str name = str_from(f->call.row->name);
    if (str_is(name, "lag") || str_is(name, "lead")) {
        bool moving = f->call.args.len > 1 && !func_is_foldable(f->call.args.at[1]);
        return (!moving && (w->window.frame == FRAME_NONE || is_frame_of_offset(w, str_is(name, "lag")))) || error_set(err, ERR__LEGACY_ERROR_TEMP_1035, P("prettyName", name));
    }
    if (str_is(name, "nth_value") || w->window.frame == FRAME_NONE)
        return true;
    FrameKind own = str_is(name, "cume_dist") ? FRAME_RANGE : FRAME_ROWS;
    if (w->window.frame == own && w->window.from.kind == BOUND_UNBOUNDED_PRECEDING && w->window.to.kind == BOUND_CURRENT_ROW)
        return true;
    return error_set(err, ERR__LEGACY_ERROR_TEMP_1036,
                     P("wf", str_printf(a->arena, "specifiedwindowframe(%s, " STR_FMT ", " STR_FMT ")",
                                        w->window.frame == FRAME_ROWS ? "RowFrame" : "RangeFrame", STR_ARG(bound_text(a, &w->window.from)),
                                        STR_ARG(bound_text(a, &w->window.to)))),
                     PZ("required", own == FRAME_ROWS ? "specifiedwindowframe(RowFrame, unboundedpreceding$(), currentrow$())"
                                                      : "specifiedwindowframe(RangeFrame, unboundedpreceding$(), currentrow$())"));
}

/* "ROWS BETWEEN .. AND ..", as the window's text ends. */
static Str frame_text(Analyzer *a, const BoundExpr *w)
{
    Str text = func_sql_text(w, a->func.zone, a->arena);
    ptrdiff_t at = -1, next;
    Str mark = w->window.frame == FRAME_ROWS ? S("ROWS BETWEEN ") : S("RANGE BETWEEN ");
    while ((next = str_find(str_slice(text, (size_t)(at + 1), text.len), mark)) >= 0)
        at += next + 1;
    return str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(str_slice(text, at < 0 ? 0 : (size_t)at, text.len - 1)));
}

static Str bound_sql(Analyzer *a, const BoundFrameBound *b)
{
    switch (b->kind) {
    case BOUND_UNBOUNDED_PRECEDING: return S("\"UNBOUNDED PRECEDING\"");
    case BOUND_UNBOUNDED_FOLLOWING: return S("\"UNBOUNDED FOLLOWING\"");
    case BOUND_CURRENT_ROW: return S("\"CURRENT ROW\"");
    default:
        return str_printf(a->arena, "\"%s" STR_FMT "\"", b->kind == BOUND_PRECEDING ? "-" : "", STR_ARG(func_sql_text(b->value, a->func.zone, a->arena)));
    }
}

static bool signed_distance(const BoundFrameBound *b, int64_t *out)
{
    if ((b->kind != BOUND_PRECEDING && b->kind != BOUND_FOLLOWING) || !b->value)
        return false;
    const BoundExpr *e = b->value;
    while (e->kind == BEXPR_CAST)
        e = e->cast.child;
    if (e->kind != BEXPR_LITERAL || e->literal.is_null || !type_is_integral(e->type) || e->literal.integer == INT64_MIN)
        return false;
    *out = b->kind == BOUND_PRECEDING ? -e->literal.integer : e->literal.integer;
    return true;
}

/* A frame begins before it ends. */
static bool check_bounds(Analyzer *a, const BoundExpr *w, Error *err)
{
    if (w->window.frame == FRAME_NONE)
        return true;
    const BoundFrameBound *from = &w->window.from, *to = &w->window.to;
    if (from->kind == BOUND_UNBOUNDED_FOLLOWING || to->kind == BOUND_UNBOUNDED_PRECEDING)
        return error_set(err, ERR_DATATYPE_MISMATCH__SPECIFIED_WINDOW_FRAME_INVALID_BOUND, P("sqlExpr", frame_text(a, w)), P("lower", bound_sql(a, from)),
                         P("upper", bound_sql(a, to)));
    int64_t low, high;
    if (signed_distance(from, &low) && signed_distance(to, &high) && low > high)
        return error_set(err, ERR_DATATYPE_MISMATCH__SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON, P("sqlExpr", frame_text(a, w)),
                         PZ("comparison", "less than or equal"));
    return true;
}

/* RANGE with an offset measures a distance along one ordering. */
static bool check_frame(Analyzer *a, const Expr *e, const BoundExpr *w, Error *err)
{
    bool offset = w->window.from.value || w->window.to.value;
    if (w->window.frame != FRAME_RANGE || !offset || w->window.order.len == 1)
        return true;
    Str text = str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(w, a->func.zone, a->arena)));
    ptrdiff_t spec = str_find(text, S(" OVER "));
    if (spec >= 0)
        text = str_concat(a->arena, S("\""), str_slice(text, (size_t)spec + 6, text.len));
    if (!w->window.order.len)
        error_set(err, ERR_DATATYPE_MISMATCH__RANGE_FRAME_WITHOUT_ORDER, P("sqlExpr", text));
    else
        error_set(err, ERR_DATATYPE_MISMATCH__RANGE_FRAME_MULTI_ORDER, P("sqlExpr", text), P("orderSpec", text));
    return set_context(a, err, e->origin);
}

bool bind_window(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    WindowSpec spec;
    if (!resolve_spec(a, &e->window.spec, &spec, err))
        return set_context(a, err, e->origin);
    Scope inner = *scope;
    inner.in_aggregate = false;
    inner.clause = NULL; /* its function is no aggregate of the clause */
    BoundExpr *w = bound_new(BEXPR_WINDOW, NULL, true, a->arena);
    inner.allow_windows = true;
    TRY(bind_expr(a, e->window.call, &inner, &w->window.function, err));
    inner.allow_windows = false;
    TRY(bind_exprs(a, &spec.partition, &inner, &w->window.partition, err));
    for (size_t i = 0; i < spec.order.len; i++) {
        BoundSort s;
        TRY(bind_sort(a, spec.order.at[i], &inner, &s, err));
        vec_push(a->arena, &w->window.order, s);
    }
    TRY(check_function(a, e, w->window.function, w, err));
    w->window.frame = spec.frame;
    if (spec.frame != FRAME_NONE) {
        TRY(bind_bound(a, &spec.from, &inner, w, &w->window.from, err));
        TRY(bind_bound(a, &spec.to, &inner, w, &w->window.to, err));
        normalise_bound(a, &w->window.from);
        normalise_bound(a, &w->window.to);
    }
    scope->used_fallback |= inner.used_fallback;
    w->type = w->window.function->type;
    w->nullable = w->window.function->nullable;
    TRY(check_frame(a, e, w, err));
    if (!check_own_frame(a, w, err) || !check_bounds(a, w, err) || !check_aggregate(a, w, err))
        return set_context(a, err, e->origin);
    *out = w;
    return true;
}

typedef struct Lift {
    Analyzer *a;
    BoundRel *project;
} Lift;

static bool lift(BoundExpr **slot, void *arg)
{
    Lift *l = arg;
    if ((*slot)->kind != BEXPR_WINDOW)
        return bound_each_child(*slot, lift, l);
    BoundColumn c = new_column(l->a, S("_w"), (*slot)->type, (*slot)->nullable);
    c.hidden = true;
    project_push(l->a, l->project, *slot, c);
    *slot = bound_column(&c, l->a->arena);
    return true;
}

bool lift_windows(Analyzer *a, BoundRel **input, BoundExpr **e, Error *err)
{
    (void)err;
    if (!bound_contains(*e, BEXPR_WINDOW))
        return true;
    Lift l = {a, project_columns(a, *input, &(*input)->columns)};
    lift(e, &l);
    *input = l.project;
    return true;
}

/* Lifts what stands inside a window, not the window itself. */
static bool lift_inner(BoundExpr **slot, void *arg)
{
    Lift *l = arg;
    BoundExpr *e = *slot;
    if (e->kind != BEXPR_WINDOW)
        return bound_each_child(e, lift_inner, l);
    for (size_t i = 0; i < e->window.partition.len; i++)
        lift(&e->window.partition.at[i], l);
    for (size_t i = 0; i < e->window.order.len; i++)
        lift(&e->window.order.at[i].expr, l);
    return bound_each_child(e->window.function, lift, l);
}

void separate_windows(Analyzer *a, BoundRel *project)
{
    Lift l = {a, project_columns(a, project->input, &project->input->columns)};
    size_t before = l.project->columns.len;
    for (size_t i = 0; i < project->project.items.len; i++)
        lift_inner(&project->project.items.at[i].expr, &l);
    if (l.project->columns.len == before)
        return;
    project->input = l.project;
    separate_windows(a, l.project);
}
