/* Making bound nodes and walking them. */
#include "plan/bound.h"

#include <string.h>

/* ---- constructors ---- */

BoundExpr *bound_new(BoundExprKind kind, const Type *type, bool nullable, Arena *arena)
{
    BoundExpr *e = ARENA_NEW(arena, BoundExpr);
    e->kind = kind;
    e->type = type;
    e->nullable = nullable;
    e->origin = (Origin){.start = 0, .stop = -1};
    return e;
}

BoundExpr *bound_literal(Value v, Arena *arena)
{
    BoundExpr *e = bound_new(BEXPR_LITERAL, v.type, v.is_null, arena);
    e->literal = v;
    return e;
}

BoundExpr *bound_column(const BoundColumn *column, Arena *arena)
{
    BoundExpr *e = bound_new(BEXPR_COLUMN, column->type, column->nullable, arena);
    e->column.id = column->id;
    e->column.name = column->name;
    return e;
}

BoundExpr *bound_cast(BoundExpr *child, const Type *to, CastMode mode, bool implicit, Arena *arena)
{
    bool nullable = child->nullable || cast_can_make_null(child->type, to, mode);
    BoundExpr *e = bound_new(BEXPR_CAST, to, nullable, arena);
    e->implicit = implicit;
    e->origin = child->origin;
    e->cast.child = child;
    e->cast.mode = mode;
    return e;
}

BoundRel *brel_new(BoundRelKind kind, BoundRel *input, Arena *arena)
{
    BoundRel *rel = ARENA_NEW(arena, BoundRel);
    rel->kind = kind;
    rel->input = input;
    return rel;
}

const Type *brel_schema(const BoundRel *rel, Arena *arena)
{
    Field *fields = ARENA_ARRAY(arena, Field, rel->columns.len ? rel->columns.len : 1);
    size_t count = 0;
    for (size_t i = 0; i < rel->columns.len; i++) {
        const BoundColumn *column = &rel->columns.at[i];
        if (!column->hidden)
            fields[count++] =
                (Field){column->name, column->type, column->nullable, column->metadata};
    }
    return type_struct(fields, count, arena);
}

bool python_is_aggregate(const PythonFunction *f)
{
    int kind = f->eval_type;
    return kind == PYTHON_EVAL_AGG_PANDAS || kind == PYTHON_EVAL_AGG_PANDAS_ITER || kind == PYTHON_EVAL_AGG_ARROW ||
           kind == PYTHON_EVAL_AGG_ARROW_ITER;
}

bool bound_is_python_aggregate(const BoundExpr *e)
{
    return e->kind == BEXPR_PYTHON && python_is_aggregate(e->python.function);
}

/* ---- copying ---- */

#define COPY_VEC(v, arena)                                        \
    do {                                                          \
        void *from_ = (v)->at;                                    \
        size_t bytes_ = (v)->len * sizeof(*(v)->at);              \
        (v)->at = arena_alloc((arena), bytes_ ? bytes_ : 1);      \
        if (bytes_)                                               \
            memcpy((v)->at, from_, bytes_);                       \
        (v)->cap = (v)->len;                                      \
    } while (0)

BoundExpr *bound_copy(const BoundExpr *from, Arena *arena)
{
    BoundExpr *e = ARENA_NEW(arena, BoundExpr);
    *e = *from;
    switch (e->kind) {
    case BEXPR_CALL:
    case BEXPR_AGGREGATE:
    case BEXPR_GENERATOR:
        COPY_VEC(&e->call.args, arena);
        COPY_VEC(&e->call.order, arena);
        break;
    case BEXPR_WINDOW:
        COPY_VEC(&e->window.partition, arena);
        COPY_VEC(&e->window.order, arena);
        break;
    case BEXPR_CASE:
        COPY_VEC(&e->cases.conditions, arena);
        COPY_VEC(&e->cases.values, arena);
        break;
    case BEXPR_SUBQUERY: COPY_VEC(&e->subquery.values, arena); break;
    case BEXPR_STRUCT: COPY_VEC(&e->structure.children, arena); break;
    case BEXPR_PYTHON: COPY_VEC(&e->python.args, arena); break;
    case BEXPR_LITERAL:
    case BEXPR_COLUMN:
    case BEXPR_CAST:
    case BEXPR_LAMBDA:
    case BEXPR_LAMBDA_VAR:
    case BEXPR_FIELD: break;
    }
    return e;
}

/* ---- walking ---- */

static bool each_of(BoundExprVec *list, BoundVisit visit, void *arg)
{
    for (size_t i = 0; i < list->len; i++)
        TRY(visit(&list->at[i], arg));
    return true;
}

static bool each_sort(BoundSortVec *order, BoundVisit visit, void *arg)
{
    for (size_t i = 0; i < order->len; i++)
        TRY(visit(&order->at[i].expr, arg));
    return true;
}

static bool each_item(BoundItemVec *items, BoundVisit visit, void *arg)
{
    for (size_t i = 0; i < items->len; i++)
        TRY(visit(&items->at[i].expr, arg));
    return true;
}

static bool optional(BoundExpr **child, BoundVisit visit, void *arg)
{
    return !*child || visit(child, arg);
}

static bool each_in_window(BoundExpr *e, BoundVisit visit, void *arg)
{
    TRY(visit(&e->window.function, arg));
    TRY(each_of(&e->window.partition, visit, arg));
    TRY(each_sort(&e->window.order, visit, arg));
    TRY(optional(&e->window.from.value, visit, arg));
    return optional(&e->window.to.value, visit, arg);
}

static bool each_in_case(BoundExpr *e, BoundVisit visit, void *arg)
{
    for (size_t i = 0; i < e->cases.conditions.len; i++) {
        TRY(visit(&e->cases.conditions.at[i], arg));
        TRY(visit(&e->cases.values.at[i], arg));
    }
    return optional(&e->cases.otherwise, visit, arg);
}

bool bound_each_child(BoundExpr *e, BoundVisit visit, void *arg)
{
    switch (e->kind) {
    case BEXPR_LITERAL:
    case BEXPR_COLUMN:
    case BEXPR_LAMBDA_VAR: return true;
    case BEXPR_CALL:
    case BEXPR_AGGREGATE:
    case BEXPR_GENERATOR:
        TRY(each_of(&e->call.args, visit, arg));
        TRY(optional(&e->call.filter, visit, arg));
        return each_sort(&e->call.order, visit, arg);
    case BEXPR_WINDOW: return each_in_window(e, visit, arg);
    case BEXPR_CAST: return visit(&e->cast.child, arg);
    case BEXPR_CASE: return each_in_case(e, visit, arg);
    case BEXPR_SUBQUERY: /* its plan is another scope; only the values on the left of IN are ours */
        return each_of(&e->subquery.values, visit, arg);
    case BEXPR_LAMBDA: return visit(&e->lambda.body, arg);
    case BEXPR_FIELD: return visit(&e->field.child, arg);
    case BEXPR_STRUCT: return each_of(&e->structure.children, visit, arg);
    case BEXPR_PYTHON: return each_of(&e->python.args, visit, arg);
    }
    return true;
}

typedef struct Search {
    BoundExprKind kind;
} Search;

static bool is_absent(BoundExpr **child, void *arg)
{
    const Search *search = arg;
    return (*child)->kind != search->kind && bound_each_child(*child, is_absent, arg);
}

bool bound_contains(const BoundExpr *e, BoundExprKind kind)
{
    Search search = {kind};
    BoundExpr *root = (BoundExpr *)e; /* the visitor replaces nothing */
    return !is_absent(&root, &search);
}

static bool each_in_aggregate(BoundRel *rel, BoundVisit visit, void *arg)
{
    return each_item(&rel->aggregate.keys, visit, arg) &&
           each_item(&rel->aggregate.aggregates, visit, arg);
}

static bool each_in_values(BoundRel *rel, BoundVisit visit, void *arg)
{
    for (size_t i = 0; i < rel->values.rows.len; i++)
        TRY(each_of(&rel->values.rows.at[i], visit, arg));
    return true;
}

static bool each_in_python(BoundRel *rel, BoundVisit visit, void *arg)
{
    TRY(each_item(&rel->python.calls, visit, arg));
    TRY(each_item(&rel->python.keys, visit, arg));
    TRY(each_sort(&rel->python.order, visit, arg));
    TRY(each_item(&rel->python.right_keys, visit, arg));
    return each_sort(&rel->python.right_order, visit, arg);
}

bool brel_each_expr(BoundRel *rel, BoundVisit visit, void *arg)
{
    switch (rel->kind) {
    case BREL_VALUES: return each_in_values(rel, visit, arg);
    case BREL_SCAN_DELTA: return each_of(&rel->delta.predicates, visit, arg);
    case BREL_PROJECT: return each_item(&rel->project.items, visit, arg);
    case BREL_FILTER: return optional(&rel->filter.condition, visit, arg);
    case BREL_JOIN: return optional(&rel->join.condition, visit, arg);
    case BREL_AGGREGATE: return each_in_aggregate(rel, visit, arg);
    case BREL_SORT: return each_sort(&rel->sort.order, visit, arg);
    case BREL_LIMIT:
        TRY(optional(&rel->limit.count, visit, arg));
        return optional(&rel->limit.offset, visit, arg);
    case BREL_GENERATE: return optional(&rel->generate.generator, visit, arg);
    case BREL_DISTINCT_ON: return each_of(&rel->distinct_on.keys, visit, arg);
    case BREL_ASOF_JOIN: return optional(&rel->asof.condition, visit, arg);
    case BREL_PYTHON: return each_in_python(rel, visit, arg);
    case BREL_ONE_ROW:
    case BREL_LOCAL:
    case BREL_RANGE:
    case BREL_SCAN_FILES:
    case BREL_SETOP:
    case BREL_SAMPLE:
    case BREL_CTE:
    case BREL_CTE_REF:
    case BREL_SCRIPT:
    case BREL_STORED:
    case BREL_STREAM:
    case BREL_MARK: return true;
    }
    return true;
}

bool brel_each_input(BoundRel *rel, BoundRelVisit visit, void *arg)
{
    if (rel->input)
        TRY(visit(&rel->input, arg));
    switch (rel->kind) {
    case BREL_JOIN: return visit(&rel->join.right, arg);
    case BREL_ASOF_JOIN: return visit(&rel->asof.right, arg);
    case BREL_PYTHON: return !rel->python.right || visit(&rel->python.right, arg);
    case BREL_CTE: return visit(&rel->cte.definition, arg);
    case BREL_SETOP:
        for (size_t i = 0; i < rel->setop.inputs.len; i++)
            TRY(visit(&rel->setop.inputs.at[i], arg));
        return true;
    default: return true;
    }
}

static bool visit_streaming(BoundRel **child, void *arg)
{
    bool *found = arg;
    *found |= brel_is_streaming(*child);
    return !*found;
}

bool brel_is_streaming(const BoundRel *rel)
{
    bool found = rel->kind == BREL_STREAM;
    if (!found)
        (void)!brel_each_input((BoundRel *)rel, visit_streaming, &found);
    return found;
}
