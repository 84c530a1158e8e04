/* The last look at a bound plan: aggregates, windows and generators stand only where something computes them. */
#include "analyze/analyze_impl.h"

typedef struct Check {
    Analyzer *a;
    const BoundRel *rel; /* the relation whose expressions are walked */
    Error *err;
    bool in_window, nested_windows;
} Check;

static bool misplaced(Check *c, const BoundExpr *e)
{
    Str text = str_printf(c->a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(e, c->a->func.zone, c->a->arena)));
    if (c->rel->kind == BREL_VALUES)
        error_set(c->err, ERR_INVALID_INLINE_TABLE__CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE, P("expr", text));
    else if (e->kind == BEXPR_AGGREGATE && str_starts_with(str_from(e->call.row->name), S("grouping")))
        error_set(c->err, ERR_UNSUPPORTED_GROUPING_EXPRESSION);
    else if (e->kind == BEXPR_GENERATOR)
        error_set(c->err, ERR_UNSUPPORTED_GENERATOR__NESTED_IN_EXPRESSIONS, P("expression", text));
    else
        error_set(c->err, ERR_UNSUPPORTED_EXPR_FOR_OPERATOR, P("invalidExprSqls", text));
    return set_context(c->a, c->err, e->origin);
}

static bool check_expr(BoundExpr **slot, void *arg)
{
    Check *c = arg;
    BoundExpr *e = *slot;
    if (e->kind == BEXPR_AGGREGATE || e->kind == BEXPR_GENERATOR)
        return misplaced(c, e);
    if (e->kind == BEXPR_WINDOW) {
        if (c->rel->kind != BREL_PROJECT)
            return misplaced(c, e);
        c->nested_windows |= c->in_window;
        bool outermost = !c->in_window;
        c->in_window = true;
        for (size_t i = 0; i < e->window.partition.len; i++)
            TRY(check_expr(&e->window.partition.at[i], c));
        for (size_t i = 0; i < e->window.order.len; i++)
            TRY(check_expr(&e->window.order.at[i].expr, c));
        TRY(bound_each_child(e->window.function, check_expr, c));
        c->in_window = !outermost;
        return true;
    }
    if (e->kind == BEXPR_SUBQUERY)
        TRY(check_subquery_place(c->a, c->rel, e, c->err));
    if (e->kind == BEXPR_SUBQUERY)
        TRY(check_plan(c->a, e->subquery.plan, c->err));
    return bound_each_child(e, check_expr, c);
}

/* What an aggregation or a generation computes may be one at its top. */
static bool check_top(BoundExpr **slot, void *arg)
{
    Check *c = arg;
    bool computed = (c->rel->kind == BREL_AGGREGATE && (*slot)->kind == BEXPR_AGGREGATE) ||
                    (c->rel->kind == BREL_GENERATE && (*slot)->kind == BEXPR_GENERATOR);
    return computed ? bound_each_child(*slot, check_expr, c) : check_expr(slot, c);
}

static bool check_rel(BoundRel **slot, void *arg)
{
    Check *outer = arg;
    Check c = {.a = outer->a, .rel = *slot, .err = outer->err};
    TRY(brel_each_expr(*slot, check_top, &c));
    if (c.nested_windows)
        separate_windows(c.a, *slot);
    return brel_each_input(*slot, check_rel, &c);
}

bool check_condition(Analyzer *a, BoundExpr *condition, Error *err)
{
    BoundRel filter = {.kind = BREL_FILTER};
    Check c = {.a = a, .rel = &filter, .err = err};
    return check_expr(&condition, &c);
}

bool check_plan(Analyzer *a, BoundRel *plan, Error *err)
{
    Check c = {.a = a, .rel = plan, .err = err};
    return check_rel(&plan, &c);
}
