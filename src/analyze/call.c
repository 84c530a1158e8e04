/* Function calls: the few forms with a shape of their own, then the registry. */
#include "analyze/analyze_impl.h"
#include "type/collation.h"

#include <string.h>

/* ---- special forms ---- */

/* when(c1, v1, c2, v2, ..., [otherwise]) as Connect sends F.when. */
static bool bind_when(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    Expr *c = expr_new(EXPR_CASE, a->arena);
    c->origin = e->origin;
    const ExprVec *args = &e->call.args;
    if (args->len < 2)
        return error_unsupported(err, "when() without a value");
    for (size_t i = 0; i + 1 < args->len; i += 2) {
        vec_push(a->arena, &c->cases.conditions, args->at[i]);
        vec_push(a->arena, &c->cases.values, args->at[i + 1]);
    }
    if (args->len % 2)
        c->cases.otherwise = args->at[args->len - 1];
    return bind_expr(a, c, scope, out, err);
}

static Str struct_field_name(Analyzer *a, const Expr *arg, const BoundExpr *bound, size_t i)
{
    if (arg->kind == EXPR_ALIAS && arg->alias.names.len)
        return arg->alias.names.at[0];
    if (arg->kind == EXPR_COLUMN)
        return vec_last(&arg->column.name);
    if (arg->kind == EXPR_LAMBDA_VAR)
        return vec_last(&arg->lambda_var.name);
    if (bound->kind == BEXPR_FIELD)
        return bound->field.child->type->structure.fields[bound->field.index].name;
    return str_printf(a->arena, "col%zu", i + 1);
}

static BoundExpr *make_struct(Analyzer *a, const Field *fields, size_t count, const BoundExprVec *children)
{
    BoundExpr *s = bound_new(BEXPR_STRUCT, type_struct(fields, count, a->arena), false, a->arena);
    s->structure.children = *children;
    return s;
}

static bool bind_struct(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    VEC(Field) fields = {0};
    BoundExprVec children = {0};
    for (size_t i = 0; i < e->call.args.len; i++) {
        const Expr *arg = e->call.args.at[i];
        NamedItemVec items = {0};
        if (arg->kind == EXPR_STAR)
            TRY(expand_star(a, arg, scope, &items, err));
        else {
            NamedItem item;
            TRY(bind_expr(a, arg, scope, &item.expr, err));
            item.name = struct_field_name(a, arg, item.expr, children.len);
            vec_push(a->arena, &items, item);
        }
        for (size_t k = 0; k < items.len; k++) {
            Field f = {items.at[k].name, items.at[k].expr->type, items.at[k].expr->nullable, {0}};
            vec_push(a->arena, &fields, f);
            vec_push(a->arena, &children, items.at[k].expr);
        }
    }
    *out = make_struct(a, fields.at, fields.len, &children);
    (*out)->structure.as_call = !e->call.is_operator; /* a row (a, b) is shown as the struct it makes */
    return true;
}

static bool bind_named_struct(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    const ExprVec *args = &e->call.args;
    if (args->len % 2)
        return error_set(err, ERR_WRONG_NUM_ARGS__WITHOUT_SUGGESTION, PZ("functionName", "`named_struct`"), PZ("expectedNum", "2n (n > 0)"),
                         P("actualNum", str_printf(a->arena, "%zu", args->len)), PZ("docroot", "https://spark.apache.org/docs/latest"));
    VEC(Field) fields = {0};
    BoundExprVec children = {0};
    for (size_t i = 0; i < args->len; i += 2) {
        Value name;
        TRY(analyze_constant(a, args->at[i], type_simple(TYPE_STRING), &name, err));
        BoundExpr *child;
        TRY(bind_expr(a, args->at[i + 1], scope, &child, err));
        Field f = {name.bytes, child->type, child->nullable, {0}};
        vec_push(a->arena, &fields, f);
        vec_push(a->arena, &children, child);
    }
    *out = make_struct(a, fields.at, fields.len, &children);
    return true;
}

/* A long chain of AND, OR or + from a generated condition is walked in a loop, not by recursion. */
static bool bind_chain(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    ExprVec spine = {0};
    const Expr *at = e;
    Str op = e->call.name.at[0];
    while (at->kind == EXPR_CALL && at->call.args.len == 2 && at->call.name.len == 1 && str_ieq(at->call.name.at[0], op)) {
        vec_push(a->arena, &spine, (Expr *)at);
        at = at->call.args.at[0];
    }
    BoundExpr *left;
    TRY(bind_expr(a, at, scope, &left, err));
    for (size_t i = spine.len; i-- > 0;) {
        BoundExpr *args[2] = {left};
        TRY(bind_expr(a, spine.at[i]->call.args.at[1], scope, &args[1], err));
        TRY(bind_builtin(a, str_z(op, a->arena), 2, args, spine.at[i]->origin, &left, err));
    }
    *out = left;
    return true;
}

/* bigint(x) and kin are casts, named after what they cast. */
static bool bind_type_call(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    if (e->call.args.len != 1)
        return error_set(err, ERR_WRONG_NUM_ARGS__WITHOUT_SUGGESTION,
                         P("functionName", str_printf(a->arena, "`" STR_FMT "`", STR_ARG(vec_last(&e->call.name)))), PZ("expectedNum", "1"),
                         P("actualNum", str_printf(a->arena, "%zu", e->call.args.len)), PZ("docroot", "https://spark.apache.org/docs/latest"));
    Expr *cast = expr_new(EXPR_CAST, a->arena);
    cast->origin = e->origin;
    cast->cast.child = e->call.args.at[0];
    cast->cast.type_text = vec_last(&e->call.name);
    BoundExpr *bound;
    TRY(bind_expr(a, cast, scope, &bound, err));
    if (bound->kind == BEXPR_CAST)
        bound->implicit = true; /* left out of names, as if nobody had written it */
    *out = bound;
    return true;
}

static bool bind_count(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err);
static bool unresolved_routine(Analyzer *a, const Expr *e, Error *err);

/* What pandas-on-Spark numbers rows with, from 0 in the order they come. */
static bool bind_sequence_id(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    (void)scope;
    return e->call.from_client ? bind_row_position(a, e->origin, out, err) : unresolved_routine(a, e, err);
}

typedef struct SpecialForm {
    const char *name;
    bool (*bind)(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err);
} SpecialForm;

static const SpecialForm SPECIAL[] = {
    {"when", bind_when},          {"struct", bind_struct}, {"named_struct", bind_named_struct},
    {"count", bind_count},
    {"boolean", bind_type_call},  {"tinyint", bind_type_call}, {"smallint", bind_type_call},
    {"int", bind_type_call},      {"bigint", bind_type_call},  {"float", bind_type_call},
    {"double", bind_type_call},   {"decimal", bind_type_call}, {"string", bind_type_call},
    {"binary", bind_type_call},   {"date", bind_type_call},    {"timestamp", bind_type_call},
    {"time", bind_type_call},
    {"distributed_sequence_id", bind_sequence_id},
};

static const char *const CHAINS[] = {"and", "or", "+", "||", "*"};

/* ---- the registry ---- */

static bool unresolved_routine(Analyzer *a, const Expr *e, Error *err)
{
    TRY(analyze_check_catalog(a->session, &e->call.name, err));
    Buf path = buf_in(a->arena);
    buf_addf(&path, "[`system`.`builtin`, `system`.`session`, `" STR_FMT "`.`" STR_FMT "`]", STR_ARG(a->space.catalog),
             STR_ARG(a->space.schema));
    error_set(err, ERR_UNRESOLVED_ROUTINE, P("routineName", name_quoted(&e->call.name, a->arena)), P("searchPath", buf_str(&path)));
    return set_context(a, err, e->origin);
}

static bool bind_lambda(Analyzer *a, const Expr *e, const FuncRow *row, const BoundExprVec *args, size_t index, Scope *scope,
                        BoundExpr **out, Error *err)
{
    const Type *types[3];
    bool nullable[3];
    size_t count = e->lambda.params.len;
    if (count > 3)
        count = 3;
    size_t wanted = e->lambda.params.len;
    TRY(func_lambda_params(row, args, index, &a->func, types, nullable, &wanted, err));
    if (wanted != e->lambda.params.len)
        return error_set(err, ERR_INVALID_LAMBDA_FUNCTION_CALL__NUM_ARGS_MISMATCH,
                         P("expectedNumArgs", str_printf(a->arena, "%zu", wanted)),
                         P("actualNumArgs", str_printf(a->arena, "%zu", e->lambda.params.len)));
    BoundExpr *l = bound_new(BEXPR_LAMBDA, NULL, false, a->arena);
    LambdaVar vars[3];
    Scope inner = *scope;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++)
            if (name_matches(a, e->lambda.params.at[i], e->lambda.params.at[k]))
                return error_set(err, ERR_INVALID_LAMBDA_FUNCTION_CALL__DUPLICATE_ARG_NAMES,
                                 P("args", str_printf(a->arena, "`" STR_FMT "`", STR_ARG(e->lambda.params.at[i]))),
                                 PZ("caseSensitiveConfig", "\"spark.sql.caseSensitive\""));
        vars[i] = (LambdaVar){e->lambda.params.at[i], ++a->last_lambda, types[i], nullable[i], inner.lambdas};
        inner.lambdas = &vars[i];
        l->lambda.ids[i] = vars[i].id;
        l->lambda.names[i] = vars[i].name;
    }
    l->lambda.count = count;
    TRY(bind_expr(a, e->lambda.body, &inner, &l->lambda.body, err));
    scope->used_fallback |= inner.used_fallback;
    l->type = l->lambda.body->type;
    l->nullable = l->lambda.body->nullable;
    *out = l;
    return true;
}

static bool bind_args(Analyzer *a, const Expr *e, const FuncRow *row, Scope *scope, BoundExprVec *out, Error *err)
{
    bool lambdas = false;
    for (size_t i = 0; i < e->call.args.len; i++) {
        const Expr *arg;
        BoundExpr *bound = NULL;
        TRY(parsed_text(a, e->call.args.at[i], &arg, err));
        if (arg->kind == EXPR_LAMBDA)
            lambdas = true;
        else if (arg->kind == EXPR_STAR || arg->kind == EXPR_REGEX_COLUMN) {
            NamedItemVec items = {0};
            TRY(arg->kind == EXPR_STAR ? expand_star(a, arg, scope, &items, err) : expand_regex(a, arg, scope, &items, err));
            for (size_t k = 0; k < items.len; k++)
                vec_push(a->arena, out, items.at[k].expr);
            continue;
        } else
            TRY(bind_expr(a, arg, scope, &bound, err));
        vec_push(a->arena, out, bound);
    }
    for (size_t i = 0; lambdas && i < e->call.args.len && i < out->len; i++)
        if (e->call.args.at[i]->kind == EXPR_LAMBDA)
            TRY(bind_lambda(a, e->call.args.at[i], row, out, i, scope, &out->at[i], err));
    return true;
}

static BoundExprKind kind_of_row(const FuncRow *row)
{
    switch (row->kind) {
    case FUNC_AGGREGATE:
        return BEXPR_AGGREGATE;
    case FUNC_GENERATOR:
        return BEXPR_GENERATOR;
    case FUNC_SCALAR:
    case FUNC_WINDOW:
        break;
    }
    return BEXPR_CALL;
}

/* Classes that say an argument is no constant. */
static bool wants_constant(const Error *err)
{
    static const ErrorClass CLASSES[] = {
        ERR_DATATYPE_MISMATCH__NON_FOLDABLE_INPUT, ERR_NON_FOLDABLE_ARGUMENT,          ERR_SEED_EXPRESSION_IS_UNFOLDABLE,
        ERR_INVALID_PARAMETER_VALUE__INTEGER,      ERR_INVALID_PARAMETER_VALUE__LONG, ERR_INVALID_SCHEMA__NON_STRING_LITERAL,
    };
    for (size_t i = 0; i < LENGTH_OF(CLASSES); i++)
        if (err->cls == CLASSES[i])
            return true;
    return false;
}

/* Literals decide at once; other constants are computed when the row does not do without their values. */
static bool resolve_folding(Analyzer *a, FuncCall *call, Error *err)
{
    FuncCall first = *call;
    first.args = (BoundExprVec){0};
    for (size_t i = 0; i < call->args.len; i++)
        vec_push(a->arena, &first.args, call->args.at[i]);
    Error refused = error_in(a->arena);
    if (func_resolve(&first, &a->func, &refused)) {
        *call = first;
        return true;
    }
    if (wants_constant(&refused) && fold_arguments(a, &call->args))
        return func_resolve(call, &a->func, err);
    error_copy(err, &refused);
    return false;
}

static bool resolve_row(Analyzer *a, const FuncRow *row, Str written, BoundExprVec args, const StrVec *arg_names, bool distinct,
                        Origin origin, BoundExpr **out, Error *err)
{
    FuncCall call = {.row = row, .written_name = written, .args = args, .distinct = distinct, .origin = origin};
    if (arg_names)
        call.arg_names = *arg_names;
    if (!resolve_folding(a, &call, err))
        return set_context(a, err, origin);
    BoundExpr *e = bound_new(kind_of_row(row), call.result, call.nullable, a->arena);
    e->origin = origin;
    e->call.row = call.row;
    e->call.written_name = call.written_name;
    e->call.args = call.args;
    e->call.bind_data = call.bind_data;
    e->call.distinct = distinct;
    *out = e;
    return true;
}

bool bind_builtin(Analyzer *a, const char *name, size_t argc, BoundExpr *const *args, Origin origin, BoundExpr **out, Error *err)
{
    const FuncRow *row = func_find(str_from(name));
    if (!row)
        return error_unsupported(err, "the function %s", name);
    BoundExprVec list = {0};
    for (size_t i = 0; i < argc; i++)
        vec_push(a->arena, &list, args[i]);
    return resolve_row(a, row, str_from(row->name), list, NULL, false, origin, out, err);
}

bool analyze_builtin(Analyzer *a, const char *name, size_t argc, BoundExpr *const *args, BoundExpr **out, Error *err)
{
    return bind_builtin(a, name, argc, args, (Origin){0, -1}, out, err);
}

static bool check_place(Analyzer *a, const Expr *e, const FuncRow *row, const Scope *scope, Error *err)
{
    if (row->kind == FUNC_AGGREGATE && scope->in_aggregate) {
        error_set(err, ERR_NESTED_AGGREGATE_FUNCTION);
        return set_context(a, err, e->origin);
    }
    if (row->kind == FUNC_WINDOW && !scope->allow_windows) {
        error_set(err, ERR_WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE, P("funcName", str_printf(a->arena, "\"%s()\"", row->name)));
        return set_context(a, err, e->origin);
    }
    return true;
}

/* Equal values under a collation may differ as what the rows are ordered by, and the other way round. */
static bool check_distinct_order(Analyzer *a, const BoundExpr *call, Error *err)
{
    if (!call->call.distinct || call->call.order.len != 1 || !str_is(str_from(call->call.row->name), "listagg"))
        return true;
    const BoundExpr *value = call->call.args.at[0], *key = call->call.order.at[0].expr;
    Str value_text = func_sql_text(value, a->func.zone, a->arena), key_text = func_sql_text(key, a->func.zone, a->arena);
    bool collated = type_is_collated(value->type) || type_is_collated(key->type);
    if (!collated || (str_eq(value_text, key_text) && type_equal(value->type, key->type)))
        return true;
    Str name = str_printf(a->arena, "`" STR_FMT "`", STR_ARG(str_lower(call->call.written_name, a->arena)));
    if (value->kind == BEXPR_CAST && str_eq(func_sql_text(value->cast.child, a->func.zone, a->arena), key_text))
        return error_set(err, ERR_INVALID_WITHIN_GROUP_EXPRESSION__MISMATCH_WITH_DISTINCT_INPUT_UNSAFE_CAST, P("funcName", name),
                         P("inputType", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(value->cast.child->type, a->arena)))),
                         P("castType", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(value->type, a->arena)))));
    return error_set(err, ERR_INVALID_WITHIN_GROUP_EXPRESSION__MISMATCH_WITH_DISTINCT_INPUT, P("funcName", name),
                     P("funcArg", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(value_text))),
                     P("orderingExpr", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(key_text))));
}

static bool bind_aggregate_parts(Analyzer *a, const Expr *e, Scope *scope, BoundExpr *out, Error *err)
{
    if (e->call.filter)
        TRY(bind_condition(a, e->call.filter, scope, "FILTER", &out->call.filter, err));
    for (size_t i = 0; i < e->call.within_group.len; i++) {
        BoundSort s;
        TRY(bind_sort(a, e->call.within_group.at[i], scope, &s, err));
        vec_push(a->arena, &out->call.order, s);
    }
    out->call.ignore_nulls = e->call.ignore_nulls;
    /* What skips NULLs goes by its own name, whatever alias was written. */
    bool first = !strcmp(out->call.row->name, "first_value"), last = !strcmp(out->call.row->name, "last_value");
    if (out->call.ignore_nulls && (first || last)) {
        out->call.row = func_find(first ? S("first") : S("last"));
        out->call.written_name = str_from(out->call.row->name);
    }
    if (!check_distinct_order(a, out, err))
        return set_context(a, err, e->origin);
    return true;
}

/* percentile_cont(0.5) WITHIN GROUP (ORDER BY v): the ordered expression is an argument of the function itself. */
static bool takes_order_as_argument(Str name)
{
    static const char *const NAMES[] = {"percentile_cont", "percentile_disc", "mode"};
    for (size_t i = 0; i < LENGTH_OF(NAMES); i++)
        if (str_is_ci(name, NAMES[i]))
            return true;
    return false;
}

typedef struct OwnColumns {
    bool outer, own;
} OwnColumns;

static bool note_owner(BoundExpr **slot, void *arg)
{
    OwnColumns *o = arg;
    if ((*slot)->kind == BEXPR_COLUMN) {
        o->outer |= (*slot)->column.outer;
        o->own |= !(*slot)->column.outer;
    }
    return bound_each_child(*slot, note_owner, o);
}

static bool is_grouping_row(const FuncRow *row)
{
    return !strcmp(row->name, "grouping") || !strcmp(row->name, "grouping_id");
}

/* WHERE has no groups; only an aggregate of an outer query's columns may stand there: HAVING EXISTS (.. WHERE x < max(outer.y)). */
static bool check_where(Analyzer *a, const Expr *e, const FuncRow *row, BoundExpr *call, const Scope *scope, Error *err)
{
    if (row->kind != FUNC_AGGREGATE || !scope->clause || !str_is(str_from(scope->clause), "WHERE"))
        return true;
    OwnColumns o = {false, false};
    (void)note_owner(&call, &o);
    if (o.outer && !o.own)
        return true;
    if (is_grouping_row(row)) {
        error_set(err, ERR_UNSUPPORTED_GROUPING_EXPRESSION);
        return set_context(a, err, e->origin);
    }
    error_set(err, ERR_INVALID_WHERE_CONDITION, P("condition", str_printf(a->arena, "\"%s\"", row->name)), PZ("expressionList", row->name));
    return set_context(a, err, e->origin);
}

static bool bind_row(Analyzer *a, const Expr *e, const FuncRow *row, Scope *scope, BoundExpr **out, Error *err)
{
    Expr arranged;
    TRY(check_place(a, e, row, scope, err));
    if (!arrange_arguments(a, row->name, e, &arranged, err))
        return set_context(a, err, e->origin);
    e = &arranged;
    Scope inner = *scope;
    inner.allow_windows = false;
    if (row->kind == FUNC_AGGREGATE) {
        inner.in_aggregate = !scope->allow_windows; /* sum(sum(x)) OVER (..): the inner one groups */
        inner.prefer_fallback = scope->fallback != NULL;
        if (!scope->alias_owner.len) /* parameters of a function stay */
            inner.aliases = NULL;
    }
    BoundExprVec args = {0};
    TRY(bind_args(a, e, row, &inner, &args, err));
    TRY(pad_char_operands(a, row, &inner, &args, err));
    Expr call = *e;
    bool ordered_set = str_starts_with(str_from(row->name), S("percentile_cont")) || str_starts_with(str_from(row->name), S("percentile_disc"));
    if (ordered_set && !e->call.within_group.len) {
        error_set(err, ERR_INVALID_WITHIN_GROUP_EXPRESSION__WITHIN_GROUP_MISSING, P("funcName", str_printf(a->arena, "`%s`", row->name)));
        return set_context(a, err, e->origin);
    }
    if (e->call.within_group.len && takes_order_as_argument(vec_last(&e->call.name))) {
        BoundSort s;
        TRY(bind_sort(a, e->call.within_group.at[0], &inner, &s, err));
        vec_push(a->arena, &args, s.expr);
        BoundExpr *descending = bound_literal(value_bool(s.descending), a->arena);
        descending->implicit = true; /* mode(v, true) says something else */
        vec_push(a->arena, &args, descending);
        call.call.within_group = (ExprVec){0};
    }
    StrVec names = {0};
    for (size_t i = 0; i < e->call.args.len && args.len == e->call.args.len; i++)
        vec_push(a->arena, &names, args.at[i] ? struct_field_name(a, e->call.args.at[i], args.at[i], i) : S(""));
    TRY(resolve_row(a, row, vec_last(&e->call.name), args, &names, e->call.distinct, e->origin, out, err));
    TRY(check_where(a, e, row, *out, scope, err));
    if ((*out)->kind == BEXPR_AGGREGATE || row->kind == FUNC_WINDOW)
        TRY(bind_aggregate_parts(a, &call, &inner, *out, err));
    scope->used_fallback |= inner.used_fallback;
    a->asked_input_file |= str_starts_with(str_from(row->name), S("input_file_"));
    return true;
}

/* count() without an argument counts none. */
static bool count_nothing(Analyzer *a, BoundExpr **out, Error *err)
{
    if (!session_bool(a->session, "spark.sql.legacy.allowParameterlessCount", false))
        return error_set(err, ERR_WRONG_NUM_ARGS__WITH_SUGGESTION, PZ("functionName", "`count`"), PZ("expectedNum", " >= 1"), PZ("actualNum", "0"),
                         PZ("legacyNum", "0"), PZ("legacyConfKey", "\"spark.sql.legacy.allowParameterlessCount\""), PZ("legacyConfValue", "\"true\""));
    BoundExpr *nothing = bound_literal(value_null(type_simple(TYPE_NULL)), a->arena);
    TRY(bind_builtin(a, "count", 1, &nothing, (Origin){0, -1}, out, err));
    nothing->implicit = true;
    return true;
}

/* count(*) counts rows; count(t.*) and count(a, b) count rows in which none is NULL. */
static bool bind_count(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    const FuncRow *row = func_find(S("count"));
    Expr *plain = expr_new(EXPR_CALL, a->arena);
    *plain = *e;
    const Expr *first = NULL;
    if (e->call.args.len == 1)
        TRY(parsed_text(a, e->call.args.at[0], &first, err));
    if (!e->call.args.len)
        return count_nothing(a, out, err);
    bool alone = first && first->kind == EXPR_STAR && first->star.target.len;
    if (alone && !session_bool(a->session, "spark.sql.legacy.allowStarWithSingleTableIdentifierInCount", false))
        return error_set(err, ERR_INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT, P("tableName", name_quoted(&first->star.target, a->arena)));
    bool all = first && first->kind == EXPR_STAR && !first->star.target.len && !first->star.except.len && !e->call.distinct;
    if (all) {
        plain->call.args = (ExprVec){0};
        vec_push(a->arena, &plain->call.args, expr_literal(value_int(TYPE_INT, 1), a->arena));
    }
    return bind_row(a, plain, row, scope, out, err);
}

static const FuncRow *callable(const FuncRow *row, bool from_client)
{
    bool hidden = row && (row->flags & FUNC_HIDDEN) && !(from_client && (row->flags & FUNC_OF_CLIENTS));
    return hidden ? NULL : row;
}

/* SELECT f(..) where f is a builtin, possibly written builtin.f or system.builtin.f. */
static const FuncRow *find_row(const Expr *e)
{
    const Name *name = &e->call.name;
    if (name->len == 1)
        return callable(func_find(name->at[0]), e->call.from_client || e->call.is_operator);
    bool builtin = str_is_ci(name->at[name->len - 2], "builtin");
    bool system = name->len == 2 || (name->len == 3 && str_is_ci(name->at[0], "system"));
    return builtin && system ? callable(func_find(vec_last(name)), false) : NULL;
}

bool bind_call(Analyzer *a, const Expr *e, Scope *scope, BoundExpr **out, Error *err)
{
    Str name = vec_last(&e->call.name);
    if (e->call.name.len == 1 && e->call.args.len == 2)
        for (size_t i = 0; i < LENGTH_OF(CHAINS); i++)
            if (str_is_ci(name, CHAINS[i]) && e->call.args.at[0]->kind == EXPR_CALL)
                return bind_chain(a, e, scope, out, err);
    for (size_t i = 0; e->call.name.len == 1 && i < LENGTH_OF(SPECIAL); i++)
        if (str_is_ci(name, SPECIAL[i].name))
            return SPECIAL[i].bind(a, e, scope, out, err);
    const FuncRow *row = find_row(e);
    if (row)
        return bind_row(a, e, row, scope, out, err);
    bool found;
    TRY(bind_routine(a, e, scope, &found, out, err));
    return found || unresolved_routine(a, e, err);
}
