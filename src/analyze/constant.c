/* Constants: literals at once, anything else by asking the engine for one row. */
#include "analyze/analyze_impl.h"

static bool not_foldable(Analyzer *a, const BoundExpr *bound, const Expr *e, Error *err)
{
    error_set(err, ERR_NON_FOLDABLE_ARGUMENT, PZ("funcName", "`expression`"), PZ("paramName", "`value`"),
              P("paramType", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(bound->type, a->arena)))));
    return set_context(a, err, e->origin);
}

static bool evaluate(Analyzer *a, BoundExpr *bound, Value *out, Error *err)
{
    if (bound->kind == BEXPR_LITERAL) {
        *out = bound->literal;
        return true;
    }
    BoundRel *row = brel_new(BREL_PROJECT, brel_new(BREL_ONE_ROW, NULL, a->arena), a->arena);
    project_push(a, row, bound, column_of_expr(a, bound, S("value"), (Str){0}));
    RowVec rows = {0};
    TRY(run_rows(a, row, 1, &rows, err));
    if (rows.len != 1)
        return error_internal(err, "a constant gave %zu rows", rows.len);
    *out = rows.at[0].cells[0];
    return true;
}

static bool evaluate_as(Analyzer *a, BoundExpr *bound, const Expr *e, const Type *wanted, Value *out, Error *err)
{
    if (wanted && !type_same_shape(bound->type, wanted)) {
        CastMode mode = a->ansi ? CAST_ANSI : CAST_LEGACY;
        if (!cast_is_allowed(bound->type, wanted, mode))
            return error_set(err, ERR_DATATYPE_MISMATCH__CAST_WITHOUT_SUGGESTION, P("sqlExpr", func_sql_text(bound, a->func.zone, a->arena)),
                             P("srcType", type_sql(bound->type, a->arena)), P("targetType", type_sql(wanted, a->arena)));
        BoundExpr *cast = bound_cast(bound, wanted, mode, true, a->arena);
        cast->cast.zone = a->func.zone;
        bound = cast;
    }
    return evaluate(a, bound, out, err) || set_context(a, err, e->origin);
}

bool analyze_constant(Analyzer *a, const Expr *e, const Type *wanted, Value *out, Error *err)
{
    Scope none = {0};
    BoundExpr *bound;
    TRY(bind_expr(a, e, &none, &bound, err));
    bool scalar = bound->kind == BEXPR_SUBQUERY && bound->subquery.kind == SUBQUERY_SCALAR;
    if (!scalar && !bound_is_constant(bound))
        return not_foldable(a, bound, e, err);
    return evaluate_as(a, bound, e, wanted, out, err);
}

bool fold_arguments(Analyzer *a, BoundExprVec *args)
{
    bool any = false;
    for (size_t i = 0; i < args->len; i++) {
        BoundExpr *e = args->at[i];
        Error ignored = error_in(a->arena);
        if (!e || e->kind == BEXPR_LITERAL || e->kind == BEXPR_LAMBDA || e->folded || !bound_is_constant(e))
            continue;
        Value *v = ARENA_NEW(a->arena, Value);
        if (evaluate(a, e, v, &ignored)) {
            e->folded = v;
            any = true;
        }
    }
    return any;
}

bool analyze_value(Analyzer *a, const Expr *e, const Type *wanted, Value *out, Error *err)
{
    Scope none = {0};
    BoundExpr *bound;
    TRY(bind_expr(a, e, &none, &bound, err));
    return evaluate_as(a, bound, e, wanted, out, err);
}

bool require_constant_int(Analyzer *a, const Expr *e, const BoundRel *input, const char *what, int64_t *out, Error *err)
{
    Scope scope = scope_of(a, input);
    BoundExpr *bound;
    TRY(bind_expr(a, e, &scope, &bound, err));
    Str name = str_from(what);
    Str text = str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(bound, a->func.zone, a->arena)));
    if (!bound_is_constant(bound)) {
        error_set(err, ERR_INVALID_LIMIT_LIKE_EXPRESSION__IS_UNFOLDABLE, P("name", name), P("expr", text));
        return set_context(a, err, e->origin);
    }
    if (!type_is_integral(bound->type)) {
        error_set(err, ERR_INVALID_LIMIT_LIKE_EXPRESSION__DATA_TYPE, P("name", name), P("expr", text),
                  P("dataType", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(bound->type, a->arena)))));
        return set_context(a, err, e->origin);
    }
    Value v;
    TRY(evaluate(a, bound, &v, err));
    if (v.is_null)
        error_set(err, ERR_INVALID_LIMIT_LIKE_EXPRESSION__IS_NULL, P("name", name), P("expr", text));
    else if (v.integer < 0)
        error_set(err, ERR_INVALID_LIMIT_LIKE_EXPRESSION__IS_NEGATIVE, P("name", name), P("expr", text),
                  P("v", str_printf(a->arena, "%lld", (long long)v.integer)));
    else {
        *out = v.integer;
        return true;
    }
    return set_context(a, err, e->origin);
}

bool analyze_identifier(Analyzer *a, const Expr *identifier, Name *out, Error *err)
{
    const Expr *text = identifier->kind == EXPR_IDENTIFIER ? identifier->identifier.text : identifier;
    Scope none = {0};
    BoundExpr *bound;
    Error ignored = error_in(a->arena);
    Str shown = S("expression");
    bool constant = false;
    if (text->kind != EXPR_SUBQUERY) {
        /* A column that only the query has makes it no constant: that it cannot be found here says nothing. */
        constant = bind_expr(a, text, &none, &bound, &ignored) && bound_is_constant(bound);
        if (!constant && error_is_set(&ignored) && ignored.cls != ERR_UNRESOLVED_COLUMN__WITHOUT_SUGGESTION) {
            error_copy(err, &ignored);
            return false;
        }
        if (!error_is_set(&ignored))
            shown = str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(bound, a->func.zone, a->arena)));
    }
    if (!constant) {
        error_set(err, ERR_NOT_A_CONSTANT_STRING__NOT_CONSTANT, PZ("name", "IDENTIFIER"), P("expr", shown));
        return set_context(a, err, text->origin);
    }
    if (bound->type->kind != TYPE_STRING) {
        error_set(err, ERR_NOT_A_CONSTANT_STRING__WRONG_TYPE, PZ("name", "IDENTIFIER"), P("expr", shown),
                  P("dataType", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(bound->type, a->arena)))));
        return set_context(a, err, text->origin);
    }
    Value value;
    TRY(evaluate(a, bound, &value, err));
    if (value.is_null) {
        error_set(err, ERR_NOT_A_CONSTANT_STRING__NULL, PZ("name", "IDENTIFIER"), P("expr", shown));
        return set_context(a, err, text->origin);
    }
    SqlOptions options = session_sql_options(a->session, a->arena);
    return sql_parse_name(value.bytes, &options, a->arena, out, err);
}
