/* Filters tell the Delta scans below them which files cannot matter; the filters themselves stay where they are. */
#include "analyze/analyze_impl.h"

typedef struct Pushdown {
    Analyzer *a;
    unsigned depth;
} Pushdown;

static void push(Pushdown *p, BoundRel *rel, const BoundExprVec *above);

static void split_and(Pushdown *p, BoundExpr *e, BoundExprVec *out)
{
    if (e->kind == BEXPR_CALL && str_is(str_from(e->call.row->name), "and")) {
        for (size_t i = 0; i < e->call.args.len; i++)
            split_and(p, e->call.args.at[i], out);
        return;
    }
    vec_push(p->a->arena, out, e);
}

static BoundExprVec with_conjuncts(Pushdown *p, const BoundExprVec *above, BoundExpr *condition)
{
    BoundExprVec all = {0};
    for (size_t i = 0; i < above->len; i++)
        vec_push(p->a->arena, &all, above->at[i]);
    if (condition)
        split_and(p, condition, &all);
    return all;
}

/* ---- what may pass ---- */

static bool is_row_wise(BoundExpr **slot, void *arg)
{
    BoundExpr *e = *slot;
    if (e->kind == BEXPR_WINDOW || e->kind == BEXPR_GENERATOR || e->kind == BEXPR_SUBQUERY || e->kind == BEXPR_PYTHON ||
        e->kind == BEXPR_AGGREGATE || (e->kind == BEXPR_CALL && e->call.row->flags & FUNC_NONDETERMINISTIC))
        return false;
    return bound_each_child(e, is_row_wise, arg);
}

/* A projection keeps the ids of columns that it only passes on; below a window or a random number no row may be missing. */
static bool lets_through(BoundRel *rel)
{
    return rel->kind == BREL_FILTER || rel->kind == BREL_SORT || (rel->kind == BREL_PROJECT && brel_each_expr(rel, is_row_wise, NULL));
}

typedef struct OnlyOf {
    const BoundColumnVec *columns;
    bool any;
} OnlyOf;

static bool only_of(BoundExpr **slot, void *arg)
{
    OnlyOf *o = arg;
    if ((*slot)->kind != BEXPR_COLUMN)
        return bound_each_child(*slot, only_of, o);
    o->any = true;
    for (size_t i = 0; i < o->columns->len; i++)
        if (o->columns->at[i].id == (*slot)->column.id)
            return !(*slot)->column.outer;
    return false;
}

/* So that the kernel, which knows no functions, sees what constant dates and times come to. */
static bool fold_times(BoundExpr **slot, void *arg)
{
    Analyzer *a = arg;
    BoundExpr *e = *slot;
    Value v;
    if (e->kind != BEXPR_CALL || e->folded)
        return true;
    if (!func_fold(e, a->func.zone, a->arena, &v))
        return bound_each_child(e, fold_times, arg);
    Value *folded = ARENA_NEW(a->arena, Value);
    *folded = v;
    e->folded = folded;
    return true;
}

static void push_into_scan(Pushdown *p, BoundRel *scan, const BoundExprVec *conjuncts)
{
    for (size_t i = 0; i < conjuncts->len && !scan->delta.changes; i++) {
        OnlyOf o = {&scan->columns, false};
        BoundExpr *e = conjuncts->at[i];
        if (is_row_wise(&e, NULL) && only_of(&e, &o) && o.any) {
            fold_times(&e, p->a);
            vec_push(p->a->arena, &scan->delta.predicates, e);
        }
    }
}

/* ---- the walk ---- */

static bool push_into_subquery(BoundExpr **slot, void *arg)
{
    const BoundExprVec none = {0};
    if ((*slot)->kind == BEXPR_SUBQUERY)
        push(arg, (*slot)->subquery.plan, &none);
    return bound_each_child(*slot, push_into_subquery, arg);
}

/* An outer join keeps rows of one side without a partner: conjuncts above it, or of its condition, may only thin the other way. */
static void push_into_join(Pushdown *p, BoundRel *rel, const BoundExprVec *above)
{
    JoinKind kind = rel->join.kind;
    BoundExpr *condition = rel->join.condition;
    BoundExprVec outside = with_conjuncts(p, above, NULL), both = with_conjuncts(p, above, condition);
    BoundExprVec none = {0}, own = with_conjuncts(p, &none, condition);
    bool inner = kind == JOIN_INNER || kind == JOIN_CROSS;
    const BoundExprVec *left = &none, *right = &none;
    if (inner || kind == JOIN_LEFT_SEMI)
        left = &both;
    else if (kind == JOIN_LEFT || kind == JOIN_LEFT_ANTI)
        left = &outside;
    else if (kind == JOIN_RIGHT)
        left = &own;
    if (inner)
        right = &both;
    else if (kind == JOIN_RIGHT)
        right = &outside;
    else if (kind == JOIN_LEFT || kind == JOIN_LEFT_SEMI || kind == JOIN_LEFT_ANTI)
        right = &own;
    push(p, rel->input, left);
    push(p, rel->join.right, right);
}

static void push(Pushdown *p, BoundRel *rel, const BoundExprVec *above)
{
    const BoundExprVec none = {0};
    if (!rel || ++p->depth > ANALYZE_MAX_DEPTH)
        return;
    (void)brel_each_expr(rel, push_into_subquery, p);
    if (rel->kind == BREL_SCAN_DELTA)
        push_into_scan(p, rel, above);
    else if (rel->kind == BREL_JOIN)
        push_into_join(p, rel, above);
    else {
        BoundExprVec below = with_conjuncts(p, lets_through(rel) ? above : &none, rel->kind == BREL_FILTER ? rel->filter.condition : NULL);
        push(p, rel->input, &below);
    }
    if (rel->kind == BREL_ASOF_JOIN)
        push(p, rel->asof.right, &none);
    if (rel->kind == BREL_CTE)
        push(p, rel->cte.definition, &none);
    for (size_t i = 0; rel->kind == BREL_SETOP && i < rel->setop.inputs.len; i++)
        push(p, rel->setop.inputs.at[i], &none);
    p->depth--;
}

void push_down_filters(Analyzer *a, BoundRel *plan)
{
    Pushdown p = {a, 0};
    const BoundExprVec none = {0};
    push(&p, plan, &none);
}
