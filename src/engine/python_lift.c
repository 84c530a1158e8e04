/* Python calls leave the expressions they stand in: each becomes a column of a relation put below. */
#include "engine/python_source.h"
#include "engine/render.h"

/* Far above what the analyzer hands out; a lifted column is seen only by the relation right above. */
enum { FIRST_LIFTED_ID = 1 << 30, LEVELS_MAX = 64 };

typedef struct Lift {
    Arena *arena;
    ColumnId last_id;
    BoundItemVec levels[LEVELS_MAX]; /* calls of level n have arguments of lower levels only */
    Error *err;
} Lift;

static bool has_python(const BoundExpr *e)
{
    return e && bound_contains(e, BEXPR_PYTHON);
}

static bool level_of(BoundExpr **child, void *arg);

/* 0: no Python inside. */
static size_t python_level(const BoundExpr *e)
{
    size_t level = 0;
    bound_each_child((BoundExpr *)e, level_of, &level);
    return level + (e->kind == BEXPR_PYTHON);
}

static bool level_of(BoundExpr **child, void *arg)
{
    size_t *most = arg, level = python_level(*child);
    *most = level > *most ? level : *most;
    return true;
}

static bool replace(BoundExpr **e, void *arg)
{
    Lift *l = arg;
    if (!has_python(*e))
        return true;
    if ((*e)->kind == BEXPR_LAMBDA)
        return error_set(l->err, ERR_UNSUPPORTED_FEATURE__LAMBDA_FUNCTION_WITH_PYTHON_UDF, PZ("funcName", "function"));
    size_t level = python_level(*e);
    if (level > LEVELS_MAX)
        return error_unsupported(l->err, "Python functions nested more than %d deep", LEVELS_MAX);
    *e = bound_copy(*e, l->arena);
    TRY(bound_each_child(*e, replace, l));
    if ((*e)->kind != BEXPR_PYTHON)
        return true;
    BoundItem item = {*e, ++l->last_id};
    vec_push(l->arena, &l->levels[level - 1], item);
    BoundColumn column = {.id = item.id, .name = (*e)->python.function->name, .type = (*e)->type, .nullable = true};
    *e = bound_column(&column, l->arena);
    return true;
}

/* ---- putting the calls below ---- */

static bool has_id(const BoundColumnVec *columns, ColumnId id)
{
    for (size_t i = 0; i < columns->len; i++)
        if (columns->at[i].id == id)
            return true;
    return false;
}

static BoundRel *eval_over(Lift *l, BoundRel *input)
{
    BoundRel *rel = brel_new(BREL_PYTHON, input, l->arena);
    rel->python.shape = PYTHON_SCALAR;
    for (size_t i = 0; i < input->columns.len; i++)
        if (!has_id(&rel->columns, input->columns.at[i].id))
            vec_push(l->arena, &rel->columns, input->columns.at[i]);
    return rel;
}

static void add_call(Lift *l, BoundRel *rel, const BoundItem *call)
{
    BoundColumn column = {.id = call->id, .name = S("pythonUDF"), .type = call->expr->type, .nullable = true};
    vec_push(l->arena, &rel->python.calls, *call);
    vec_push(l->arena, &rel->columns, column);
}

/* One run for the calls of a level that the same worker can take together. */
static BoundRel *put_level(Lift *l, BoundRel *input, BoundItemVec *calls)
{
    for (size_t i = 0; i < calls->len; i++) {
        if (!calls->at[i].expr)
            continue;
        BoundRel *rel = eval_over(l, input);
        int kind = calls->at[i].expr->python.function->eval_type;
        bool alone = !python_kind_shares(kind);
        for (size_t k = i; k < calls->len; k++) {
            if (!calls->at[k].expr || calls->at[k].expr->python.function->eval_type != kind || (alone && k > i))
                continue;
            add_call(l, rel, &calls->at[k]);
            calls->at[k].expr = NULL;
        }
        input = rel;
    }
    return input;
}

/* ---- relations ---- */

static bool note_python(BoundExpr **e, void *arg)
{
    bool *found = arg;
    *found = *found || has_python(*e);
    return !*found;
}

static bool lift_items(Lift *l, BoundItemVec *items)
{
    BoundItemVec copy = {0};
    for (size_t i = 0; i < items->len; i++) {
        BoundItem item = items->at[i];
        TRY(replace(&item.expr, l));
        vec_push(l->arena, &copy, item);
    }
    *items = copy;
    return true;
}

static bool lift_exprs(Lift *l, BoundExprVec *list)
{
    BoundExprVec copy = {0};
    for (size_t i = 0; i < list->len; i++) {
        BoundExpr *e = list->at[i];
        TRY(replace(&e, l));
        vec_push(l->arena, &copy, e);
    }
    *list = copy;
    return true;
}

static bool lift_sorts(Lift *l, BoundSortVec *order)
{
    BoundSortVec copy = {0};
    for (size_t i = 0; i < order->len; i++) {
        BoundSort s = order->at[i];
        TRY(replace(&s.expr, l));
        vec_push(l->arena, &copy, s);
    }
    *order = copy;
    return true;
}

/* The calls of a Python relation stay; what they are given may need other calls first. */
static bool lift_arguments(Lift *l, BoundRel *rel)
{
    BoundItemVec copy = {0};
    for (size_t i = 0; i < rel->python.calls.len; i++) {
        BoundItem item = rel->python.calls.at[i];
        item.expr = bound_copy(item.expr, l->arena);
        TRY(lift_exprs(l, &item.expr->python.args));
        vec_push(l->arena, &copy, item);
    }
    rel->python.calls = copy;
    return lift_items(l, &rel->python.keys) && lift_sorts(l, &rel->python.order);
}

static bool lift_in(Lift *l, BoundRel *rel, Error *err)
{
    switch (rel->kind) {
    case BREL_PROJECT:
        return lift_items(l, &rel->project.items);
    case BREL_FILTER:
        return replace(&rel->filter.condition, l);
    case BREL_AGGREGATE:
        return lift_items(l, &rel->aggregate.keys) && lift_items(l, &rel->aggregate.aggregates);
    case BREL_SORT:
        return lift_sorts(l, &rel->sort.order);
    case BREL_GENERATE:
        return replace(&rel->generate.generator, l);
    case BREL_DISTINCT_ON:
        return lift_exprs(l, &rel->distinct_on.keys);
    case BREL_PYTHON:
        return lift_arguments(l, rel);
    default:
        return error_unsupported(err, "A Python function in this place");
    }
}

/* An inner join with a Python condition is a filter over every pair. */
static BoundRel *filtered_join(Lift *l, const BoundRel *rel)
{
    BoundRel *join = ARENA_NEW(l->arena, BoundRel);
    *join = *rel;
    join->join.kind = JOIN_CROSS;
    join->join.condition = NULL;
    BoundRel *filter = brel_new(BREL_FILTER, join, l->arena);
    filter->columns = rel->columns;
    filter->filter.condition = rel->join.condition;
    return filter;
}

/* Grouping whose aggregates are Python functions. */
static bool aggregates_in_python(const BoundRel *rel)
{
    bool found = false;
    for (size_t i = 0; rel->kind == BREL_AGGREGATE && i < rel->aggregate.aggregates.len; i++)
        found = found || bound_is_python_aggregate(rel->aggregate.aggregates.at[i].expr);
    return found;
}

static bool python_aggregate(Lift *l, const BoundRel *rel, BoundRel **out, Error *err)
{
    const BoundItemVec *calls = &rel->aggregate.aggregates;
    const PythonFunction *first = NULL;
    for (size_t i = 0; i < calls->len && !first; i++)
        if (bound_is_python_aggregate(calls->at[i].expr))
            first = calls->at[i].expr->python.function;
    for (size_t i = 0; i < calls->len; i++) {
        const BoundExpr *e = calls->at[i].expr;
        if (!bound_is_python_aggregate(e))
            return error_set(err, ERR_INVALID_PANDAS_UDF_PLACEMENT,
                             P("functionList", str_printf(err->arena, "`" STR_FMT "`", STR_ARG(first->name))));
        bool other = e->python.function->eval_type != first->eval_type || (i && !python_kind_shares(first->eval_type));
        if (other)
            return error_unsupported(err, "Python aggregates of several kinds in one query");
    }
    if (rel->aggregate.sets.len || rel->aggregate.grouping_id)
        return error_unsupported(err, "A Python aggregate with grouping sets");
    BoundRel *python = brel_new(BREL_PYTHON, rel->input, l->arena);
    python->columns = rel->columns;
    python->python.shape = PYTHON_AGGREGATE;
    python->python.calls = *calls;
    python->python.keys = rel->aggregate.keys;
    *out = python;
    return true;
}

static bool calls_for_lift(const BoundRel *rel)
{
    bool found = false;
    if (rel->kind != BREL_PYTHON) {
        brel_each_expr((BoundRel *)rel, note_python, &found);
        return found;
    }
    for (size_t i = 0; i < rel->python.calls.len; i++)
        bound_each_child(rel->python.calls.at[i].expr, note_python, &found);
    for (size_t i = 0; i < rel->python.keys.len; i++)
        found = found || has_python(rel->python.keys.at[i].expr);
    return found;
}

bool python_lift(Render *r, const BoundRel *rel, const BoundRel **out, Error *err)
{
    *out = rel;
    if (!calls_for_lift(rel))
        return true;
    Lift *l = ARENA_NEW(r->arena, Lift);
    l->arena = r->arena;
    l->last_id = FIRST_LIFTED_ID;
    l->err = err;
    if (rel->kind == BREL_JOIN) {
        if (rel->join.kind != JOIN_INNER && rel->join.kind != JOIN_CROSS)
            return error_set(err, ERR_UNSUPPORTED_FEATURE__PYTHON_UDF_IN_ON_CLAUSE, PZ("joinType", "OUTER"));
        rel = filtered_join(l, rel);
    }
    BoundRel *copy = ARENA_NEW(r->arena, BoundRel);
    *copy = *rel;
    if (aggregates_in_python(rel))
        TRY(python_aggregate(l, rel, &copy, err));
    TRY(lift_in(l, copy, err));
    for (size_t i = 0; i < LEVELS_MAX && l->levels[i].len; i++)
        copy->input = put_level(l, copy->input, &l->levels[i]);
    *out = copy;
    return true;
}
