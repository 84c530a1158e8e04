/* Which subqueries may look at the query around them, and from where (Spark's rules for correlated subqueries). */
#include "analyze/analyze_impl.h"

#include <string.h>

typedef struct Correlation {
    Analyzer *a;
    Error *err;
    const BoundRel *rel;  /* whose expressions are looked at */
    bool can_host;        /* false: below this point no relation may look outside */
    bool aggregated;      /* an aggregation stands between here and the query around */
} Correlation;

/* ---- what an expression looks at ---- */

typedef struct Reach {
    bool outer, own, bare_in_window;
} Reach;

static bool is_outer_column(const BoundExpr *e)
{
    return e->kind == BEXPR_COLUMN && e->column.outer;
}

static bool note_reach(BoundExpr **slot, void *arg)
{
    Reach *r = arg;
    BoundExpr *e = *slot;
    if (e->kind == BEXPR_WINDOW) {
        for (size_t i = 0; i < e->window.partition.len; i++)
            r->bare_in_window |= is_outer_column(e->window.partition.at[i]);
        for (size_t i = 0; i < e->window.order.len; i++)
            r->bare_in_window |= is_outer_column(e->window.order.at[i].expr);
    }
    if (e->kind != BEXPR_COLUMN)
        return bound_each_child(e, note_reach, arg);
    r->outer |= e->column.outer;
    r->own |= !e->column.outer;
    return true;
}

static Reach reach_of(BoundExpr *e)
{
    Reach r = {0};
    (void)note_reach(&e, &r);
    return r;
}

static bool is_quiet(BoundExpr **slot, void *arg)
{
    (void)arg;
    return !reach_of(*slot).outer;
}

static bool visit_quiet(BoundRel **slot, void *arg)
{
    (void)arg;
    return !is_correlated_plan(*slot);
}

/* Does anything in the plan look at the query around it? The right side of a lateral join looks at the left one. */
bool is_correlated_plan(BoundRel *plan)
{
    if (!brel_each_expr(plan, is_quiet, NULL))
        return true;
    if (plan->kind == BREL_JOIN && plan->join.lateral)
        return is_correlated_plan(plan->input);
    return !brel_each_input(plan, visit_quiet, NULL);
}

/* ---- refusals ---- */

static Str quoted_sql(Analyzer *a, const BoundExpr *e)
{
    return str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(e, a->func.zone, a->arena)));
}

static bool refuse_reference(Correlation *c, const BoundExpr *e)
{
    if (!c->can_host)
        error_set(c->err, ERR_UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY__ACCESSING_OUTER_QUERY_COLUMN_IS_NOT_ALLOWED,
                  P("treeNode", func_sql_text(e, c->a->func.zone, c->a->arena)));
    else
        error_set(c->err, ERR_UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY__CORRELATED_REFERENCE, P("sqlExprs", quoted_sql(c->a, e)));
    return set_context(c->a, c->err, e->origin);
}

static bool check_mixed(BoundExpr **slot, void *arg)
{
    Correlation *c = arg;
    if ((*slot)->kind == BEXPR_AGGREGATE) {
        Reach r = reach_of(*slot);
        if (r.outer && r.own) {
            error_set(c->err, ERR_UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY__AGGREGATE_FUNCTION_MIXED_OUTER_LOCAL_REFERENCES,
                      P("function", func_sql_text(*slot, c->a->func.zone, c->a->arena)));
            return set_context(c->a, c->err, (*slot)->origin);
        }
    }
    return bound_each_child(*slot, check_mixed, arg);
}

/* ---- the plan ---- */

/* The list of a SELECT that aggregates is part of its aggregation. */
static bool is_list_of_aggregate(const BoundRel *rel)
{
    return rel->kind == BREL_PROJECT && !rel->project.hides && rel->input && rel->input->kind == BREL_AGGREGATE && !rel->input->sealed;
}

static bool may_host(const BoundRel *rel, BoundExpr *e, const Reach *r)
{
    switch (rel->kind) {
    case BREL_FILTER:
    case BREL_JOIN: return true;
    case BREL_PROJECT:
        return !is_list_of_aggregate(rel) && !r->bare_in_window && !bound_has_aggregate(e) && !bound_contains(e, BEXPR_GENERATOR);
    case BREL_GENERATE: return rel->input->kind == BREL_ONE_ROW;
    case BREL_PYTHON:
    case BREL_LIMIT: return true;
    default: return false;
    }
}

static bool check_host(BoundExpr **slot, void *arg)
{
    Correlation *c = arg;
    Reach r = reach_of(*slot);
    if (!r.outer)
        return true;
    TRY(check_mixed(slot, c));
    return (c->can_host && may_host(c->rel, *slot, &r)) || refuse_reference(c, *slot);
}

/* outer = own: what can be looked up by group, whatever the outer side is made of. */
static bool is_lookup(const BoundExpr *e)
{
    if (e->kind != BEXPR_CALL || e->call.args.len != 2 || (strcmp(e->call.row->name, "=") && strcmp(e->call.row->name, "<=>")))
        return false;
    for (size_t i = 0; i < 2; i++) {
        const BoundExpr *own = e->call.args.at[i];
        while (own->kind == BEXPR_CAST)
            own = own->cast.child;
        Reach outer = reach_of(e->call.args.at[1 - i]);
        if (own->kind == BEXPR_COLUMN && !own->column.outer && outer.outer && !outer.own)
            return true;
    }
    return false;
}

static bool is_lookup_condition(BoundExpr *e)
{
    if (e->kind == BEXPR_CALL && !strcmp(e->call.row->name, "and"))
        return is_lookup_condition(e->call.args.at[0]) && is_lookup_condition(e->call.args.at[1]);
    Reach r = reach_of(e);
    return !r.outer || !r.own || is_lookup(e);
}

static bool visit_lookup(BoundRel **slot, void *arg)
{
    BoundRel *rel = *slot;
    if (rel->kind == BREL_FILTER ? !is_lookup_condition(rel->filter.condition) : !brel_each_expr(rel, is_quiet, NULL))
        return false;
    return brel_each_input(rel, visit_lookup, arg);
}

bool is_correlated_by_lookup(BoundRel *plan)
{
    return is_correlated_plan(plan) && visit_lookup(&plan, NULL);
}

/* Below an aggregation the outer side becomes groups. Maps make none, but what is looked up in one does. */
static bool check_maps(BoundExpr **slot, void *arg)
{
    Correlation *c = arg;
    BoundExpr *e = *slot;
    Reach r = reach_of(e);
    if (!r.outer)
        return true;
    bool whole = r.own || !session_bool(c->a->session, "spark.sql.optimizer.pullOutNestedDataOuterRefExpressions.enabled", true);
    for (size_t i = 0; e->kind == BEXPR_CALL && whole && i < e->call.args.len; i++) {
        const BoundExpr *m = e->call.args.at[i];
        if (is_outer_column(m) && m->type->kind == TYPE_MAP)
            return error_set(c->err, ERR_UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY__UNSUPPORTED_CORRELATED_REFERENCE_DATA_TYPE,
                             P("expr", m->column.path.len ? m->column.path : m->column.name), PZ("dataType", "map"));
    }
    return bound_each_child(e, check_maps, arg);
}

static bool check_rel(Correlation *c, BoundRel *rel);

typedef struct Below {
    Correlation *c;
    const BoundRel *left;
    JoinKind kind;
    bool join;
} Below;

static bool check_below(BoundRel **slot, void *arg)
{
    const Below *b = arg;
    Correlation c = *b->c;
    bool left = *slot == b->left;
    if (b->join)
        switch (b->kind) {
        case JOIN_INNER:
        case JOIN_CROSS: break;
        case JOIN_RIGHT: c.can_host &= !left; break;
        case JOIN_FULL: c.can_host = false; break;
        default: c.can_host &= left; break;
        }
    return check_rel(&c, *slot);
}

static bool check_rel(Correlation *c, BoundRel *rel)
{
    c->rel = rel;
    TRY(brel_each_expr(rel, check_host, c));
    if (rel->kind == BREL_FILTER && c->aggregated)
        TRY(check_maps(&rel->filter.condition, c));
    c->aggregated |= rel->kind == BREL_AGGREGATE;
    if (rel->kind == BREL_JOIN && rel->join.lateral)
        return check_rel(c, rel->input);
    Below b = {c, rel->input, JOIN_INNER, rel->kind == BREL_JOIN};
    if (b.join)
        b.kind = rel->join.kind;
    return brel_each_input(rel, check_below, &b);
}

bool check_correlation(Analyzer *a, BoundRel *plan, Error *err)
{
    Correlation c = {.a = a, .err = err, .can_host = true};
    return check_rel(&c, plan);
}

/* ---- lateral joins ---- */

static bool is_steady(BoundExpr **slot, void *arg)
{
    const BoundExpr *e = *slot;
    bool random = (e->kind == BEXPR_CALL || e->kind == BEXPR_AGGREGATE) && (e->call.row->flags & FUNC_NONDETERMINISTIC);
    return !random && bound_each_child(*slot, is_steady, arg);
}

static bool is_steady_plan(BoundRel **slot, void *arg)
{
    return (*slot)->kind == BREL_PYTHON || (brel_each_expr(*slot, is_steady, arg) && brel_each_input(*slot, is_steady_plan, arg));
}

static bool has_one_row(const BoundRel *rel)
{
    for (; rel; rel = rel->input)
        switch (rel->kind) {
        case BREL_ONE_ROW: return true;
        case BREL_VALUES: return rel->values.rows.len <= 1;
        case BREL_AGGREGATE:
            if (!rel->aggregate.keys.len && !rel->aggregate.sets.len)
                return true;
            break;
        case BREL_LIMIT:
            if (rel->limit.count && rel->limit.count->kind == BEXPR_LITERAL && rel->limit.count->literal.integer <= 1)
                return true;
            break;
        case BREL_PROJECT:
        case BREL_FILTER:
        case BREL_SORT: break;
        default: return false;
        }
    return false;
}

bool check_lateral(Analyzer *a, BoundRel *join, Error *err)
{
    if (!is_steady_plan(&join->join.right, NULL) && !has_one_row(join->input))
        return error_set(err, ERR_UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY__NON_DETERMINISTIC_LATERAL_SUBQUERIES, PZ("treeNode", "LateralJoin"));
    if (join->join.condition && !is_steady(&join->join.condition, NULL))
        return error_set(err, ERR_UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY__LATERAL_JOIN_CONDITION_NON_DETERMINISTIC,
                         P("condition", func_sql_text(join->join.condition, a->func.zone, a->arena)));
    return check_correlation(a, join->join.right, err);
}

/* ---- where subqueries may stand ---- */

static bool refuse_place(Analyzer *a, const BoundExpr *e, Error *err)
{
    Str text = func_sql_text(e, a->func.zone, a->arena);
    if (e->subquery.kind == SUBQUERY_SCALAR)
        error_set(err, ERR_UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY__UNSUPPORTED_CORRELATED_SCALAR_SUBQUERY, P("treeNode", text));
    else
        error_set(err, ERR_UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY__UNSUPPORTED_IN_EXISTS_SUBQUERY, P("treeNode", text));
    return set_context(a, err, e->origin);
}

bool check_subquery_place(Analyzer *a, const BoundRel *rel, const BoundExpr *e, Error *err)
{
    bool scalar = e->subquery.kind == SUBQUERY_SCALAR;
    switch (rel->kind) {
    case BREL_SORT:
    case BREL_GENERATE: return (scalar && !is_correlated_plan(e->subquery.plan)) || refuse_place(a, e, err);
    case BREL_JOIN: return !scalar || !is_correlated_plan(e->subquery.plan) || refuse_place(a, e, err);
    default: return true;
    }
}
