/* Structural equality of bound expressions: grouping keys and repeated aggregates are found by it. */
#include "analyze/analyze_impl.h"

static bool equal_lists(const BoundExprVec *x, const BoundExprVec *y)
{
    if (x->len != y->len)
        return false;
    for (size_t i = 0; i < x->len; i++)
        if (!bound_equal(x->at[i], y->at[i]))
            return false;
    return true;
}

static bool equal_sorts(const BoundSortVec *x, const BoundSortVec *y)
{
    if (x->len != y->len)
        return false;
    for (size_t i = 0; i < x->len; i++)
        if (x->at[i].descending != y->at[i].descending || x->at[i].nulls_first != y->at[i].nulls_first ||
            !bound_equal(x->at[i].expr, y->at[i].expr))
            return false;
    return true;
}

static bool equal_bounds(const BoundFrameBound *x, const BoundFrameBound *y)
{
    return x->kind == y->kind && bound_equal(x->value, y->value);
}

/* Spark's canonical form orders the operands of these. */
static bool is_commutative(const FuncRow *row)
{
    static const char *const names[] = {"+", "*", "&", "|", "^", "=", "<=>", "and", "or", "greatest", "least"};
    if (row->kind != FUNC_SCALAR)
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_is(str_from(row->name), names[i]))
            return true;
    return false;
}

/* a + (b + c) and (c + a) + b are one expression: the operands under the same operator, in any order. */
static void gather_operands(const BoundExpr *e, const FuncRow *row, const BoundExpr **out, size_t *count, size_t room)
{
    for (size_t i = 0; i < e->call.args.len; i++) {
        const BoundExpr *arg = e->call.args.at[i];
        if (arg->kind == BEXPR_CALL && arg->call.row == row && (row->flags & FUNC_OPERATOR))
            gather_operands(arg, row, out, count, room);
        else if ((*count)++ < room)
            out[*count - 1] = arg;
    }
}

static bool equal_operands(const BoundExpr *x, const BoundExpr *y)
{
    enum { OPERANDS_MAX = 16 };
    const BoundExpr *left[OPERANDS_MAX], *right[OPERANDS_MAX];
    size_t lefts = 0, rights = 0;
    gather_operands(x, x->call.row, left, &lefts, OPERANDS_MAX);
    gather_operands(y, y->call.row, right, &rights, OPERANDS_MAX);
    if (lefts != rights)
        return false;
    if (lefts > OPERANDS_MAX)
        return equal_lists(&x->call.args, &y->call.args);
    for (size_t i = 0; i < lefts; i++) {
        size_t k = i;
        while (k < rights && !bound_equal(left[i], right[k]))
            k++;
        if (k == rights)
            return false;
        right[k] = right[i];
    }
    return true;
}

static bool equal_calls(const BoundExpr *x, const BoundExpr *y)
{
    return x->call.row == y->call.row && !(x->call.row->flags & FUNC_NONDETERMINISTIC) &&
           x->call.distinct == y->call.distinct && x->call.ignore_nulls == y->call.ignore_nulls &&
           /* One or the other: looking at both would double the work at every level. */
           (is_commutative(x->call.row) ? equal_operands(x, y) : equal_lists(&x->call.args, &y->call.args)) &&
           bound_equal(x->call.filter, y->call.filter) && equal_sorts(&x->call.order, &y->call.order);
}

/* Bound lambda variables have fresh ids each time: two lambdas are equal when only those ids differ. */
static bool equal_lambdas(const BoundExpr *x, const BoundExpr *y)
{
    if (x->lambda.count != y->lambda.count)
        return false;
    for (size_t i = 0; i < x->lambda.count; i++)
        if (!str_ieq(x->lambda.names[i], y->lambda.names[i]))
            return false;
    return bound_equal(x->lambda.body, y->lambda.body);
}

/* Two pieces of SQL but for white space. */
static bool same_words(Str x, Str y)
{
    size_t i = 0, k = 0;
    for (;;) {
        bool gap_x = false, gap_y = false;
        for (; i < x.len && (unsigned char)x.ptr[i] <= ' '; i++)
            gap_x = true;
        for (; k < y.len && (unsigned char)y.ptr[k] <= ' '; k++)
            gap_y = true;
        if (i == x.len || k == y.len)
            return i == x.len && k == y.len;
        if (gap_x != gap_y || x.ptr[i++] != y.ptr[k++])
            return false;
    }
}

bool bound_equal(const BoundExpr *x, const BoundExpr *y)
{
    if (x == y)
        return true;
    if (!x || !y || x->kind != y->kind || !type_same_shape(x->type, y->type))
        return false;
    switch (x->kind) {
    case BEXPR_LITERAL:
        return value_equal(&x->literal, &y->literal);
    case BEXPR_COLUMN:
        return x->column.id == y->column.id;
    case BEXPR_CALL:
    case BEXPR_AGGREGATE:
    case BEXPR_GENERATOR:
        return equal_calls(x, y);
    case BEXPR_WINDOW:
        return bound_equal(x->window.function, y->window.function) &&
               equal_lists(&x->window.partition, &y->window.partition) && equal_sorts(&x->window.order, &y->window.order) &&
               x->window.frame == y->window.frame && equal_bounds(&x->window.from, &y->window.from) &&
               equal_bounds(&x->window.to, &y->window.to);
    case BEXPR_CAST:
        return x->cast.mode == y->cast.mode && bound_equal(x->cast.child, y->cast.child);
    case BEXPR_CASE:
        return equal_lists(&x->cases.conditions, &y->cases.conditions) && equal_lists(&x->cases.values, &y->cases.values) &&
               bound_equal(x->cases.otherwise, y->cases.otherwise);
    case BEXPR_LAMBDA:
        return equal_lambdas(x, y);
    case BEXPR_LAMBDA_VAR:
        return str_ieq(x->lambda_var.name, y->lambda_var.name);
    case BEXPR_FIELD:
        return x->field.index == y->field.index && bound_equal(x->field.child, y->field.child);
    case BEXPR_STRUCT:
        return type_equal(x->type, y->type) && equal_lists(&x->structure.children, &y->structure.children);
    case BEXPR_PYTHON:
        return x->python.function->deterministic && y->python.function->deterministic &&
               str_eq(x->python.function->command, y->python.function->command) && equal_lists(&x->python.args, &y->python.args);
    case BEXPR_SUBQUERY: /* over the same columns the same words mean the same */
        return x->subquery.text.len && same_words(x->subquery.text, y->subquery.text) && x->subquery.negated == y->subquery.negated &&
               equal_lists(&x->subquery.values, &y->subquery.values);
    }
    return false;
}

bool bound_is_constant(const BoundExpr *e)
{
    return func_is_foldable(e);
}
