/* Calls of Python functions: what they take, what they give, where they may stand. */
#include "analyze/analyze_impl.h"

/* pyspark.util.PythonEvalType: the kinds that stand inside expressions. */
enum {
    EVAL_BATCHED = 100,
    EVAL_ARROW_BATCHED = 101,
    EVAL_SCALAR_PANDAS = 200,
    EVAL_SCALAR_PANDAS_ITER = 204,
    EVAL_SCALAR_ARROW = 250,
    EVAL_SCALAR_ARROW_ITER = 251
};

static bool is_scalar(int eval_type)
{
    switch (eval_type) {
    case EVAL_BATCHED:
    case EVAL_ARROW_BATCHED:
    case EVAL_SCALAR_PANDAS:
    case EVAL_SCALAR_PANDAS_ITER:
    case EVAL_SCALAR_ARROW:
    case EVAL_SCALAR_ARROW_ITER:
        return true;
    default:
        return false;
    }
}

bool bind_python(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    PythonFunction *f = e->python.function;
    if (!is_scalar(f->eval_type))
        return error_unsupported(err, "The Python function " STR_FMT " (kind %d) in an expression", STR_ARG(f->name), f->eval_type);
    if (!f->return_type)
        return error_unsupported(err, "A Python function without a return type");
    BoundExpr *call = bound_new(BEXPR_PYTHON, f->return_type, true, a->arena);
    call->python.function = f;
    for (size_t i = 0; i < e->python.args.len; i++) {
        const Expr *arg = e->python.args.at[i];
        BoundExpr *bound;
        TRY(bind_expr(a, arg, scope, &bound, err));
        vec_push(a->arena, &call->python.args, bound);
        vec_push(a->arena, &call->python.names, arg->kind == EXPR_NAMED_ARGUMENT ? arg->named_argument.name : S(""));
    }
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
