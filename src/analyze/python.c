/* Python functions: what they take, what they give, where they may stand. */
#include "analyze/analyze_impl.h"

/* ---- calls in expressions ---- */

static bool stands_in_expressions(const PythonFunction *f)
{
    switch (f->eval_type) {
    case PYTHON_EVAL_BATCHED:
    case PYTHON_EVAL_ARROW_BATCHED:
    case PYTHON_EVAL_SCALAR_PANDAS:
    case PYTHON_EVAL_SCALAR_PANDAS_ITER:
    case PYTHON_EVAL_SCALAR_ARROW:
    case PYTHON_EVAL_SCALAR_ARROW_ITER:
        return true;
    default:
        return python_is_aggregate(f);
    }
}

static bool bind_arguments(Analyzer *a, const ExprVec *args, Scope *scope, BoundExpr *call, Error *err)
{
    for (size_t i = 0; i < args->len; i++) {
        const Expr *arg = args->at[i];
        BoundExpr *bound;
        TRY(bind_expr(a, arg, scope, &bound, err));
        vec_push(a->arena, &call->python.args, bound);
        vec_push(a->arena, &call->python.names, arg->kind == EXPR_NAMED_ARGUMENT ? arg->named_argument.name : S(""));
    }
    return true;
}

bool bind_python(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    PythonFunction *f = e->python.function;
    if (!stands_in_expressions(f))
        return error_unsupported(err, "The Python function " STR_FMT " (kind %d) in an expression", STR_ARG(f->name), f->eval_type);
    if (!f->return_type)
        return error_unsupported(err, "A Python function without a return type");
    BoundExpr *call = bound_new(BEXPR_PYTHON, f->return_type, true, a->arena);
    call->python.function = f;
    TRY(bind_arguments(a, &e->python.args, scope, call, err));
    *out = call;
    return true;
}

bool bind_python_call(Analyzer *a, PythonFunction *function, const Expr *call, Scope *scope, BoundExpr **out, Error *err)
{
    Expr *e = expr_new(EXPR_PYTHON_UDF, a->arena);
    e->origin = call->origin;
    e->python.function = function;
    e->python.args = call->call.args;
    e->python.distinct = call->call.distinct;
    return bind_python(a, e, scope, out, err);
}

/* ---- relations: rows to rows ---- */

static bool takes_rows(const PythonFunction *f, PythonShape shape)
{
    switch (f->eval_type) {
    case PYTHON_EVAL_MAP_PANDAS:
    case PYTHON_EVAL_MAP_ARROW:
        return shape == PYTHON_MAP;
    case PYTHON_EVAL_GROUP_PANDAS:
    case PYTHON_EVAL_GROUP_PANDAS_ITER:
    case PYTHON_EVAL_GROUP_ARROW:
    case PYTHON_EVAL_GROUP_ARROW_ITER:
        return shape == PYTHON_GROUP;
    case PYTHON_EVAL_COGROUP_PANDAS:
    case PYTHON_EVAL_COGROUP_ARROW:
        return shape == PYTHON_COGROUP;
    case PYTHON_EVAL_TABLE:
    case PYTHON_EVAL_TABLE_IN_ARROW:
    case PYTHON_EVAL_TABLE_ARROW:
        return shape == PYTHON_TABLE;
    default:
        return false;
    }
}

/* A relation whose columns are the fields that the function declares. */
static bool python_rel(Analyzer *a, PythonShape shape, BoundRel *input, PythonFunction *f, BoundRel **out, Error *err)
{
    if (!takes_rows(f, shape))
        return error_unsupported(err, "The Python function " STR_FMT " of kind %d over rows", STR_ARG(f->name), f->eval_type);
    if (!f->return_type || f->return_type->kind != TYPE_STRUCT)
        return error_unsupported(err, "A Python function over rows whose result is no list of columns");
    BoundRel *rel = brel_new(BREL_PYTHON, input, a->arena);
    rel->python.shape = shape;
    BoundExpr *call = bound_new(BEXPR_PYTHON, f->return_type, true, a->arena);
    call->python.function = f;
    BoundItem item = {call, 0};
    vec_push(a->arena, &rel->python.calls, item);
    for (size_t i = 0; i < f->return_type->structure.count; i++) {
        const Field *field = &f->return_type->structure.fields[i];
        BoundColumn c = new_column(a, field->name, field->type, field->nullable);
        c.metadata = field->metadata;
        vec_push(a->arena, &rel->columns, c);
    }
    *out = rel;
    return true;
}

bool analyze_map_partitions(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    return python_rel(a, PYTHON_MAP, strip_hidden(a, input), rel->map_partitions.function, out, err);
}

static bool bind_keys(Analyzer *a, const ExprVec *keys, const BoundRel *input, BoundItemVec *out, Error *err)
{
    Scope scope = scope_of(a, input);
    for (size_t i = 0; i < keys->len; i++) {
        BoundItem item = {NULL, 0};
        TRY(bind_expr(a, keys->at[i], &scope, &item.expr, err));
        vec_push(a->arena, out, item);
    }
    return true;
}

static bool bind_group_order(Analyzer *a, const ExprVec *order, const BoundRel *input, BoundSortVec *out, Error *err)
{
    Scope scope = scope_of(a, input);
    for (size_t i = 0; i < order->len; i++) {
        BoundSort sort;
        TRY(bind_sort(a, order->at[i], &scope, &sort, err));
        vec_push(a->arena, out, sort);
    }
    return true;
}

bool analyze_group_map(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    input = strip_hidden(a, input);
    TRY(python_rel(a, PYTHON_GROUP, input, rel->group_map.function, out, err));
    return bind_keys(a, &rel->group_map.keys, input, &(*out)->python.keys, err) &&
           bind_group_order(a, &rel->group_map.sorting, input, &(*out)->python.order, err);
}

/* Keys of both sides meet as one type. */
static bool align_keys(Analyzer *a, BoundRel *rel, Error *err)
{
    for (size_t i = 0; i < rel->python.keys.len; i++) {
        BoundExprVec pair = {0};
        vec_push(a->arena, &pair, rel->python.keys.at[i].expr);
        vec_push(a->arena, &pair, rel->python.right_keys.at[i].expr);
        TRY(coerce_all(a, &pair, "cogroup", err));
        rel->python.keys.at[i].expr = pair.at[0];
        rel->python.right_keys.at[i].expr = pair.at[1];
    }
    return true;
}

bool analyze_cogroup_map(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *left, *right;
    if (rel->group_map.sorting.len || rel->group_map.other_sorting.len)
        return error_unsupported(err, "A cogroup with an order inside its groups");
    if (rel->group_map.keys.len != rel->group_map.other_keys.len)
        return error_set(err, ERR_LAKESHED_UNSUPPORTED, PZ("what", "A cogroup whose sides have different numbers of keys"));
    TRY(analyze_rel(a, rel->input, &left, err));
    TRY(analyze_rel(a, rel->group_map.other, &right, err));
    left = strip_hidden(a, left);
    right = strip_hidden(a, right);
    TRY(python_rel(a, PYTHON_COGROUP, left, rel->group_map.function, out, err));
    (*out)->python.right = right;
    TRY(bind_keys(a, &rel->group_map.keys, left, &(*out)->python.keys, err));
    TRY(bind_keys(a, &rel->group_map.other_keys, right, &(*out)->python.right_keys, err));
    return align_keys(a, *out, err);
}

/* ---- table functions ---- */

static const Expr *as_table(const Expr *arg)
{
    if (arg->kind == EXPR_NAMED_ARGUMENT)
        arg = arg->named_argument.value;
    return arg->kind == EXPR_SUBQUERY && arg->subquery.kind == SUBQUERY_TABLE ? arg : NULL;
}

static bool find_table_argument(Analyzer *a, const ExprVec *args, const Expr **out, Error *err)
{
    *out = NULL;
    for (size_t i = 0; i < args->len; i++) {
        const Expr *table = as_table(args->at[i]);
        if (table && *out) {
            error_set(err, ERR_TABLE_VALUED_FUNCTION_TOO_MANY_TABLE_ARGUMENTS, PZ("num", "2"));
            return set_context(a, err, table->origin);
        }
        *out = table ? table : *out;
    }
    return true;
}

/* The rows of a table argument: those of a partition follow each other, in the order that is asked for. */
static bool table_rows(Analyzer *a, const Expr *table, BoundRel **rows, BoundExprVec *keys, Error *err)
{
    BoundSortVec order = {0};
    TRY(analyze_rel(a, table->subquery.plan, rows, err));
    *rows = strip_hidden(a, *rows);
    Scope scope = scope_of(a, *rows);
    for (size_t i = 0; i < table->subquery.partition.len; i++) {
        BoundSort by = {NULL, false, true};
        TRY(bind_expr(a, table->subquery.partition.at[i], &scope, &by.expr, err));
        vec_push(a->arena, keys, by.expr);
        vec_push(a->arena, &order, by);
    }
    TRY(bind_group_order(a, &table->subquery.order, *rows, &order, err));
    if (!order.len)
        return true;
    BoundRel *sort = brel_new(BREL_SORT, *rows, a->arena);
    sort->columns = (*rows)->columns;
    sort->sort.order = order;
    *rows = sort;
    return true;
}

/* The table argument is one struct a row: its columns, then what it is partitioned by, which the worker takes away. */
static bool table_call_over(Analyzer *a, PythonFunction *f, const ExprVec *args, const Expr *table, BoundRel **out, Error *err)
{
    BoundRel *rows;
    BoundExprVec keys = {0};
    TRY(table_rows(a, table, &rows, &keys, err));
    TRY(python_rel(a, PYTHON_TABLE, rows, f, out, err));
    size_t width = rows->columns.len;
    Field *fields = ARENA_ARRAY(a->arena, Field, width + keys.len + 1);
    BoundExpr *row = bound_new(BEXPR_STRUCT, NULL, false, a->arena), *call = (*out)->python.calls.at[0].expr;
    for (size_t i = 0; i < width + keys.len; i++) {
        BoundExpr *e = i < width ? bound_column(&rows->columns.at[i], a->arena) : keys.at[i - width];
        Str name = i < width ? rows->columns.at[i].name : str_printf(a->arena, "partition_by_%zu", i - width);
        fields[i] = (Field){name, e->type, e->nullable, {0}};
        vec_push(a->arena, &row->structure.children, e);
    }
    row->type = type_struct(fields, width + keys.len, a->arena);
    for (size_t i = 0; i < keys.len; i++)
        vec_push(a->arena, &(*out)->python.keys, ((BoundItem){keys.at[i], 0}));
    Scope scope = {.outer = a->outer};
    for (size_t i = 0; i < args->len; i++) {
        const Expr *arg = args->at[i];
        BoundExpr *bound = row;
        if (as_table(arg) != table)
            TRY(bind_expr(a, arg, &scope, &bound, err));
        vec_push(a->arena, &call->python.args, bound);
        vec_push(a->arena, &call->python.names, arg->kind == EXPR_NAMED_ARGUMENT ? arg->named_argument.name : S(""));
    }
    return true;
}

static bool table_call(Analyzer *a, PythonFunction *f, const ExprVec *args, BoundRel **out, Error *err)
{
    if (!f->return_type)
        return error_unsupported(err, "The table function " STR_FMT " whose columns its analyze() decides", STR_ARG(f->name));
    const Expr *table;
    TRY(find_table_argument(a, args, &table, err));
    if (table)
        return table_call_over(a, f, args, table, out, err);
    TRY(python_rel(a, PYTHON_TABLE, brel_new(BREL_ONE_ROW, NULL, a->arena), f, out, err));
    Scope scope = {.outer = a->outer};
    return bind_arguments(a, args, &scope, (*out)->python.calls.at[0].expr, err);
}

bool analyze_python_table(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    return table_call(a, rel->python_table.function, &rel->python_table.args, out, err);
}

bool analyze_python_table_call(Analyzer *a, PythonFunction *f, const Rel *rel, BoundRel **out, Error *err)
{
    return table_call(a, f, &rel->table_function.args, out, err);
}
