/* Subqueries in expressions: scalar, EXISTS, IN; outer columns resolve through the scope chain. */
#include "analyze/analyze_impl.h"
#include "type/collation.h"

#include <string.h>

static bool analyze_inner(Analyzer *a, const Expr *e, Scope *scope, BoundRel **out, Error *err)
{
    Scope *saved = a->outer;
    a->outer = scope;
    bool ok = analyze_rel(a, e->subquery.plan, out, err);
    a->outer = saved;
    if (ok)
        *out = strip_hidden(a, *out);
    return ok;
}

static bool bind_in(Analyzer *a, const Expr *e, Scope *scope, BoundExpr *s, Error *err)
{
    TRY(bind_exprs(a, &e->subquery.values, scope, &s->subquery.values, err));
    BoundRel *plan = s->subquery.plan;
    if (s->subquery.values.len == 1 && s->subquery.values.at[0]->type->kind == TYPE_STRUCT && plan->columns.len > 1 &&
        s->subquery.values.at[0]->kind == BEXPR_STRUCT)
        s->subquery.values = s->subquery.values.at[0]->structure.children;
    if (s->subquery.values.len != plan->columns.len) {
        Buf left = buf_in(a->arena), right = buf_in(a->arena);
        for (size_t i = 0; i < s->subquery.values.len; i++)
            buf_addf(&left, "%s\"" STR_FMT "\"", i ? ", " : "", STR_ARG(func_sql_text(s->subquery.values.at[i], a->func.zone, a->arena)));
        for (size_t i = 0; i < plan->columns.len; i++)
            buf_addf(&right, "%s\"" STR_FMT "\"", i ? ", " : "", STR_ARG(plan->columns.at[i].name));
        error_set(err, ERR_DATATYPE_MISMATCH__IN_SUBQUERY_LENGTH_MISMATCH, PZ("sqlExpr", "\"(in subquery)\""),
                  P("leftLength", str_printf(a->arena, "%zu", s->subquery.values.len)), P("rightLength", str_printf(a->arena, "%zu", plan->columns.len)),
                  P("leftColumns", buf_str(&left)), P("rightColumns", buf_str(&right)));
        return set_context(a, err, e->origin);
    }
    BoundRel *p = brel_new(BREL_PROJECT, plan, a->arena);
    bool changed = false;
    for (size_t i = 0; i < plan->columns.len; i++) {
        BoundExprVec pair = {0};
        vec_push(a->arena, &pair, s->subquery.values.at[i]);
        vec_push(a->arena, &pair, bound_column(&plan->columns.at[i], a->arena));
        if (!coerce_all(a, &pair, "in", err))
            return set_context(a, err, e->origin);
        s->subquery.values.at[i] = pair.at[0];
        if (type_is_indeterminate(pair.at[0]->type)) {
            error_set(err, ERR_INDETERMINATE_COLLATION_IN_EXPRESSION,
                      P("expr", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(s, a->func.zone, a->arena)))));
            return set_context(a, err, e->origin);
        }
        changed |= pair.at[1]->kind != BEXPR_COLUMN;
        BoundColumn c = plan->columns.at[i];
        if (pair.at[1]->kind != BEXPR_COLUMN)
            c = column_of_expr(a, pair.at[1], c.name, c.metadata);
        project_push(a, p, pair.at[1], c);
        s->nullable |= pair.at[0]->nullable || pair.at[1]->nullable;
    }
    if (changed)
        s->subquery.plan = p;
    return true;
}

/* The count bug that Spark can be told to have: where a subquery correlated by equalities aggregates everything, it joins with
 * the groups of what it is correlated by, and for an outer row without rows there is no group. */
static void group_by_correlation(Analyzer *a, BoundRel *plan)
{
    BoundRel *at = plan;
    if (!session_bool(a->session, "spark.sql.optimizer.decorrelateExistsSubqueryLegacyIncorrectCountHandling.enabled", false))
        return;
    while (at && (at->kind == BREL_PROJECT || at->kind == BREL_FILTER || at->kind == BREL_SORT))
        at = at->input;
    if (!at || at->kind != BREL_AGGREGATE || at->aggregate.keys.len || at->aggregate.sets.len || !is_correlated_by_lookup(at->input))
        return;
    BoundColumn c = new_column(a, S("_group"), type_simple(TYPE_BOOLEAN), false);
    BoundItem key = {bound_literal(value_bool(true), a->arena), c.id};
    c.hidden = true;
    vec_push(a->arena, &at->aggregate.keys, key);
    vec_push(a->arena, &at->columns, c);
}

bool bind_subquery(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    BoundRel *plan;
    TRY(analyze_inner(a, e, scope, &plan, err));
    BoundExpr *s = bound_new(BEXPR_SUBQUERY, type_simple(TYPE_BOOLEAN), false, a->arena);
    s->subquery.kind = e->subquery.kind;
    s->subquery.plan = plan;
    s->subquery.negated = e->subquery.negated;
    if (e->subquery.kind == SUBQUERY_TABLE)
        return error_unsupported(err, "a TABLE argument");
    if (e->subquery.kind == SUBQUERY_SCALAR) {
        if (plan->columns.len != 1) {
            error_set(err, ERR_INVALID_SUBQUERY_EXPRESSION__SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN,
                      P("number", str_printf(a->arena, "%zu", plan->columns.len)));
            return set_context(a, err, e->origin);
        }
        s->type = plan->columns.at[0].type;
        s->nullable = true;
    }
    TRY(check_correlation(a, plan, err));
    if (e->subquery.kind == SUBQUERY_EXISTS)
        group_by_correlation(a, plan);
    if (e->subquery.kind == SUBQUERY_IN)
        TRY(bind_in(a, e, scope, s, err));
    s->subquery.text = sql_fragment(a->sql_text, e->origin);
    *out = s;
    return true;
}

/* ---- what a subquery looks at ---- */

bool plan_each_expr(BoundRel *plan, BoundVisit visit, void *arg)
{
    if (!plan)
        return true;
    TRY(brel_each_expr(plan, visit, arg));
    TRY(plan_each_expr(plan->input, visit, arg));
    if (plan->kind == BREL_JOIN)
        TRY(plan_each_expr(plan->join.right, visit, arg));
    if (plan->kind == BREL_ASOF_JOIN)
        TRY(plan_each_expr(plan->asof.right, visit, arg));
    for (size_t i = 0; plan->kind == BREL_SETOP && i < plan->setop.inputs.len; i++)
        TRY(plan_each_expr(plan->setop.inputs.at[i], visit, arg));
    return true;
}

typedef struct Lifting {
    Analyzer *a;
    BoundRel *join;
    Error *err;
} Lifting;

typedef struct ColumnUse {
    const BoundColumnVec *columns;
    bool used;
} ColumnUse;

static bool note_use(BoundExpr **slot, void *arg)
{
    ColumnUse *use = arg;
    BoundExpr *e = *slot;
    if (e->kind == BEXPR_COLUMN)
        for (size_t i = 0; i < use->columns->len; i++)
            use->used |= use->columns->at[i].id == e->column.id;
    if (e->kind == BEXPR_SUBQUERY)
        TRY(plan_each_expr(e->subquery.plan, note_use, use));
    return bound_each_child(e, note_use, use);
}

static bool uses_side(BoundExpr *e, const BoundRel *side)
{
    ColumnUse use = {&side->columns, false};
    (void)note_use(&e, &use);
    return use.used;
}

static bool lift_subquery(BoundExpr **slot, void *arg)
{
    Lifting *l = arg;
    if ((*slot)->kind != BEXPR_SUBQUERY)
        return bound_each_child(*slot, lift_subquery, l);
    bool left = uses_side(*slot, l->join->input), right = uses_side(*slot, l->join->join.right);
    if (left && right)
        return error_unsupported(l->err, "a subquery over columns of both sides in the condition of an outer join");
    BoundRel **side = right ? &l->join->join.right : &l->join->input;
    BoundRel *project = project_columns(l->a, *side, &(*side)->columns);
    BoundColumn c = new_column(l->a, S("_subquery"), (*slot)->type, (*slot)->nullable);
    c.hidden = true;
    project_push(l->a, project, *slot, c);
    *side = project;
    *slot = bound_column(&c, l->a->arena);
    return true;
}

static bool check_sides(BoundExpr **slot, void *arg)
{
    Lifting *l = arg;
    BoundExpr *e = *slot;
    if (e->kind != BEXPR_SUBQUERY)
        return bound_each_child(e, check_sides, l);
    if (e->subquery.kind == SUBQUERY_SCALAR)
        return check_subquery_place(l->a, l->join, e, l->err);
    BoundExpr alone = *e; /* what it is compared with may be of either side */
    alone.subquery.values = (BoundExprVec){0};
    if (!uses_side(&alone, l->join->input) || !uses_side(&alone, l->join->join.right))
        return true;
    error_set(l->err, ERR_UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY__UNSUPPORTED_CORRELATED_EXPRESSION_IN_JOIN_CONDITION,
              P("subqueryExpression", func_sql_text(e, l->a->func.zone, l->a->arena)));
    return set_context(l->a, l->err, e->origin);
}

bool check_join_subqueries(Analyzer *a, BoundRel *join, Error *err)
{
    Lifting l = {a, join, err};
    return check_sides(&join->join.condition, &l);
}

/* ---- IN where nothing is known ---- */

static bool is_call_of(const BoundExpr *e, const char *name)
{
    return e->kind == BEXPR_CALL && !strcmp(e->call.row->name, name);
}

static bool is_in_subquery(const BoundExpr *e)
{
    return e->kind == BEXPR_SUBQUERY && e->subquery.kind == SUBQUERY_IN;
}

static bool holds_in(BoundExpr **slot, void *arg)
{
    return !is_in_subquery(*slot) && bound_each_child(*slot, holds_in, arg);
}

typedef struct Settling {
    Analyzer *a;
    Error *err;
} Settling;

/* NOT goes down to the subqueries first, as Spark's simplification of conditions has it. */
static bool push_not(Settling *s, BoundExpr **slot)
{
    BoundExpr *e = *slot, *child = e->call.args.at[0];
    if (is_in_subquery(child)) {
        child->subquery.negated = !child->subquery.negated;
        *slot = child;
        return true;
    }
    if (is_call_of(child, "not"))
        return *slot = child->call.args.at[0], true;
    bool both = is_call_of(child, "and");
    if ((!both && !is_call_of(child, "or")) || child->call.args.len != 2)
        return true;
    BoundExpr *parts[2];
    for (size_t i = 0; i < 2; i++) {
        TRY(bind_builtin(s->a, "not", 1, &child->call.args.at[i], e->origin, &parts[i], s->err));
    }
    return bind_builtin(s->a, both ? "or" : "and", 2, parts, e->origin, slot, s->err);
}

static bool settle_in(BoundExpr **slot, void *arg)
{
    Settling *s = arg;
    if (holds_in(slot, NULL))
        return true;
    while (is_call_of(*slot, "not") && !is_in_subquery(*slot)) {
        BoundExpr *before = *slot;
        TRY(push_not(s, slot));
        if (*slot == before)
            break;
    }
    if (is_in_subquery(*slot))
        (*slot)->subquery.two_valued = true;
    return bound_each_child(*slot, settle_in, arg);
}

/* Under AND and OR alone a condition drops the row either way: the plain IN makes the faster join. */
static bool settle_condition(Settling *s, BoundExpr **slot)
{
    if (holds_in(slot, NULL))
        return true;
    while (is_call_of(*slot, "not")) {
        BoundExpr *before = *slot;
        TRY(push_not(s, slot));
        if (*slot == before)
            break;
    }
    if (is_in_subquery(*slot))
        return true;
    if (!is_call_of(*slot, "and") && !is_call_of(*slot, "or"))
        return settle_in(slot, s);
    for (size_t i = 0; i < (*slot)->call.args.len; i++)
        TRY(settle_condition(s, &(*slot)->call.args.at[i]));
    return true;
}

bool settle_in_subqueries(Analyzer *a, BoundExpr **e, bool is_condition, Error *err)
{
    Settling s = {a, err};
    return is_condition ? settle_condition(&s, e) : settle_in(e, &s);
}

/* ---- lifting out of join conditions ---- */

bool lift_subqueries(Analyzer *a, BoundRel *join, Error *err)
{
    if (!bound_contains(join->join.condition, BEXPR_SUBQUERY))
        return true;
    Lifting l = {a, join, err};
    return lift_subquery(&join->join.condition, &l);
}
