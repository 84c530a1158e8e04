/* Functions written in SQL: the body stands where the call was, its parameters bound to the arguments. */
#include "analyze/analyze_impl.h"

typedef struct Routine {
    Name shown;             /* as results name the call */
    Str sql;                /* the statement that made it */
    NameSpace space;        /* where the body looks for names */
    PythonFunction *python;
    const Command *definition;
} Routine;

/* ---- finding ---- */

static bool is_session_name(const Name *name)
{
    return name->len == 1 || (name->len == 2 && str_is_ci(name->at[0], "session")) ||
           (name->len == 3 && str_is_ci(name->at[0], "system") && str_is_ci(name->at[1], "session"));
}

static bool find_temporary(Analyzer *a, const Name *name, Routine *out)
{
    SessionFunction f;
    if (a->space.no_temp_views || !is_session_name(name) || !session_get_function(a->session, vec_last(name), a->arena, &f))
        return false;
    note_temp_object(a, "FUNCTION", name);
    *out = (Routine){.sql = f.sql, .space = a->space, .python = f.python};
    vec_push(a->arena, &out->shown, f.name);
    return true;
}

static bool find_stored(Analyzer *a, const Name *name, bool *found, Routine *out, Error *err)
{
    *found = false;
    if (name->len > 3)
        return true;
    FunctionEntry entry;
    Str catalog = name->len == 3 ? name->at[0] : a->space.catalog;
    Str schema = name->len >= 2 ? name->at[name->len - 2] : a->space.schema;
    TRY(catalog_get_function(session_catalog(a->session), catalog, schema, vec_last(name), a->arena, found, &entry, err));
    if (!*found)
        return true;
    Str parts[3] = {entry.catalog, entry.schema, entry.name};
    *out = (Routine){.shown = name_of(a->arena, 3, parts), .sql = entry.sql, .space = {entry.body_catalog, entry.body_schema, true}};
    return true;
}

static bool find_routine(Analyzer *a, const Name *name, bool *found, Routine *out, Error *err)
{
    *found = find_temporary(a, name, out);
    if (!*found)
        TRY(find_stored(a, name, found, out, err));
    if (!*found || out->python)
        return true;
    SqlOptions options = session_sql_options(a->session, a->arena);
    Statement s = {0};
    TRY(sql_parse(out->sql, &options, a->arena, &s, err));
    if (!s.command || s.command->kind != CMD_CREATE_FUNCTION)
        return error_internal(err, "the definition of a function is no CREATE FUNCTION");
    out->definition = s.command;
    return true;
}

/* ---- arguments ---- */

static bool wrong_count(Analyzer *a, const Routine *r, size_t given, Error *err)
{
    return error_set(err, ERR_WRONG_NUM_ARGS__WITHOUT_SUGGESTION, P("functionName", name_quoted(&r->shown, a->arena)),
                     P("expectedNum", str_printf(a->arena, "%zu", r->definition->function.params.len)),
                     P("actualNum", str_printf(a->arena, "%zu", given)), PZ("docroot", "https://spark.apache.org/docs/latest"));
}

static const Expr *argument_of(Analyzer *a, const ExprVec *args, const ColumnDef *param, size_t index)
{
    if (index < args->len && args->at[index]->kind != EXPR_NAMED_ARGUMENT)
        return args->at[index];
    for (size_t i = 0; i < args->len; i++)
        if (args->at[i]->kind == EXPR_NAMED_ARGUMENT && name_matches(a, args->at[i]->named_argument.name, vec_last(&param->name)))
            return args->at[i]->named_argument.value;
    return param->default_value;
}

static bool cast_quietly(Analyzer *a, BoundExpr *e, const Type *type, BoundExpr **out, Error *err)
{
    *out = e;
    if (!type || type_same_shape(e->type, type))
        return true;
    if (!cast_is_allowed(e->type, type, a->ansi ? CAST_ANSI : CAST_LEGACY))
        return error_set(err, ERR_DATATYPE_MISMATCH__CAST_WITHOUT_SUGGESTION, P("sqlExpr", func_sql_text(e, a->func.zone, a->arena)),
                         P("srcType", type_sql(e->type, a->arena)), P("targetType", type_sql(type, a->arena)));
    *out = bound_cast(e, type, a->ansi ? CAST_ANSI : CAST_LEGACY, true, a->arena);
    (*out)->cast.zone = a->func.zone;
    return true;
}

static bool is_given(Analyzer *a, const ExprVec *args, size_t before, Str name)
{
    for (size_t i = 0; i < before; i++)
        if (args->at[i]->kind == EXPR_NAMED_ARGUMENT && name_matches(a, args->at[i]->named_argument.name, name))
            return true;
    return false;
}

/* Names are those of parameters, each is given once, and positions come before names. */
static bool check_arguments(Analyzer *a, const Routine *r, const ExprVec *args, Error *err)
{
    const ColumnDefVec *params = &r->definition->function.params;
    Str routine = name_quoted(&r->shown, a->arena);
    size_t positional = 0;
    while (positional < args->len && args->at[positional]->kind != EXPR_NAMED_ARGUMENT)
        positional++;
    for (size_t i = positional; i < args->len; i++) {
        if (args->at[i]->kind != EXPR_NAMED_ARGUMENT)
            return error_set(err, ERR_UNEXPECTED_POSITIONAL_ARGUMENT, P("routineName", routine),
                             P("parameterName", str_printf(a->arena, "`" STR_FMT "`", STR_ARG(args->at[i - 1]->named_argument.name))));
        Str name = args->at[i]->named_argument.name, shown = str_printf(a->arena, "`" STR_FMT "`", STR_ARG(name));
        size_t at = 0;
        while (at < params->len && !name_matches(a, vec_last(&params->at[at].name), name))
            at++;
        if (at == params->len) {
            Buf known = buf_in(a->arena);
            for (size_t p = 0; p < params->len; p++)
                buf_addf(&known, "%s`" STR_FMT "`", p ? " " : "", STR_ARG(vec_last(&params->at[p].name)));
            return error_set(err, ERR_UNRECOGNIZED_PARAMETER_NAME, P("routineName", routine), P("argumentName", shown), P("proposal", buf_str(&known)));
        }
        if (at < positional)
            return error_set(err, ERR_DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT__BOTH_POSITIONAL_AND_NAMED, P("routineName", routine),
                             P("parameterName", shown));
        if (is_given(a, args, i, name))
            return error_set(err, ERR_DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT__DOUBLE_NAMED_ARGUMENT_REFERENCE, P("routineName", routine),
                             P("parameterName", shown));
    }
    return true;
}

static bool bind_parameters(Analyzer *a, const Routine *r, const ExprVec *args, Scope *scope, NamedItemVec *out, Error *err)
{
    const ColumnDefVec *params = &r->definition->function.params;
    if (args->len > params->len)
        return wrong_count(a, r, args->len, err);
    TRY(check_arguments(a, r, args, err));
    for (size_t i = 0; i < params->len; i++) {
        const ColumnDef *param = &params->at[i];
        const Expr *e = argument_of(a, args, param, i);
        if (!e && (!args->len || vec_last(args)->kind != EXPR_NAMED_ARGUMENT))
            return wrong_count(a, r, args->len, err);
        if (!e)
            return error_set(err, ERR_REQUIRED_PARAMETER_NOT_FOUND, P("routineName", name_quoted(&r->shown, a->arena)),
                             P("parameterName", name_quoted(&param->name, a->arena)), P("index", str_printf(a->arena, "%zu", i)));
        NamedItem item = {vec_last(&param->name), NULL};
        TRY(bind_expr(a, e, scope, &item.expr, err));
        TRY(cast_quietly(a, item.expr, param->type, &item.expr, err));
        vec_push(a->arena, out, item);
    }
    return true;
}

/* ---- bodies ---- */

static Scope body_scope(const Routine *r, const NamedItemVec *params)
{
    return (Scope){.aliases = params, .alias_owner = vec_last(&r->shown)};
}

static bool enter_body(Analyzer *a, const Routine *r, SavedState *saved, Error *err)
{
    if (++a->view_depth > VIEW_MAX_DEPTH)
        return error_set(err, ERR_VIEW_EXCEED_MAX_NESTED_DEPTH, P("viewName", name_quoted(&r->shown, a->arena)), PZ("maxNestedDepth", "100"));
    *saved = analyzer_enter(a);
    a->space = r->space;
    return true;
}

static void leave_body(Analyzer *a, const SavedState *saved)
{
    analyzer_leave(a, saved);
    a->view_depth--;
}

static bool bind_body(Analyzer *a, const Routine *r, const NamedItemVec *params, BoundExpr **out, Error *err)
{
    SavedState saved;
    Scope scope = body_scope(r, params);
    TRY(enter_body(a, r, &saved, err));
    Expr *body = expr_new(EXPR_SUBQUERY, a->arena);
    bool ok = true;
    if (r->definition->query) {
        a->sql_text = r->sql;
        body->subquery.kind = SUBQUERY_SCALAR;
        body->subquery.plan = r->definition->query;
    } else {
        SqlOptions options = session_sql_options(a->session, a->arena);
        a->sql_text = r->definition->function.body_sql;
        ok = sql_parse_expr(a->sql_text, &options, a->arena, &body, err);
    }
    ok = ok && bind_expr(a, body, &scope, out, err) && cast_quietly(a, *out, r->definition->function.returns, out, err);
    leave_body(a, &saved);
    return ok;
}

/* The call keeps its name and arguments for the result's column; only the body is computed. */
static BoundExpr *named_call(Analyzer *a, const Routine *r, BoundExpr *body, const NamedItemVec *params)
{
    BoundExpr *call = bound_new(BEXPR_CALL, body->type, body->nullable, a->arena);
    call->call.row = func_find(S("sql_function"));
    call->call.written_name = name_text(&r->shown, a->arena);
    vec_push(a->arena, &call->call.args, body);
    for (size_t i = 0; i < params->len; i++)
        vec_push(a->arena, &call->call.args, params->at[i].expr);
    return call;
}

bool bind_routine(Analyzer *a, const Expr *e, Scope *scope, bool *found, BoundExpr **out, Error *err)
{
    Routine r;
    TRY(find_routine(a, &e->call.name, found, &r, err));
    if (!*found)
        return true;
    if (r.python)
        return bind_python_call(a, r.python, e, scope, out, err);
    if (r.definition->function.is_table) {
        error_set(err, ERR_NOT_A_SCALAR_FUNCTION, P("functionName", name_quoted(&r.shown, a->arena)));
        return set_context(a, err, e->origin);
    }
    Scope inner = *scope;
    inner.allow_windows = false;
    NamedItemVec params = {0};
    BoundExpr *body;
    if (!bind_parameters(a, &r, &e->call.args, &inner, &params, err))
        return set_context(a, err, e->origin);
    scope->used_fallback |= inner.used_fallback;
    TRY(bind_body(a, &r, &params, &body, err));
    *out = named_call(a, &r, body, &params);
    return true;
}

static bool table_columns(Analyzer *a, const Routine *r, BoundRel *body, BoundRel **out, Error *err)
{
    const Type *returns = r->definition->function.returns;
    BoundRel *p = brel_new(BREL_PROJECT, body, a->arena);
    for (size_t i = 0; i < body->columns.len; i++) {
        const Field *f = returns ? &returns->structure.fields[i] : NULL;
        BoundExpr *e;
        TRY(cast_quietly(a, bound_column(&body->columns.at[i], a->arena), f ? f->type : NULL, &e, err));
        project_push(a, p, e, new_column(a, f ? f->name : body->columns.at[i].name, e->type, e->nullable));
    }
    *out = p;
    return true;
}

bool analyze_table_routine(Analyzer *a, const Rel *rel, bool *found, BoundRel **out, Error *err)
{
    Routine r;
    TRY(find_routine(a, &rel->table_function.name, found, &r, err));
    if (!*found)
        return true;
    if (r.python)
        return analyze_python_table_call(a, r.python, rel, out, err);
    if (!r.definition->function.is_table || !r.definition->query)
        return error_set(err, ERR_NOT_A_TABLE_FUNCTION, P("functionName", name_quoted(&r.shown, a->arena)));
    Scope outside = {.outer = a->outer};
    NamedItemVec params = {0};
    TRY(bind_parameters(a, &r, &rel->table_function.args, &outside, &params, err));
    SavedState saved;
    Scope scope = body_scope(&r, &params);
    BoundRel *body;
    TRY(enter_body(a, &r, &saved, err));
    a->outer = &scope;
    a->sql_text = r.sql;
    bool ok = analyze_rel(a, r.definition->query, &body, err);
    leave_body(a, &saved);
    return ok && table_columns(a, &r, strip_hidden(a, body), out, err);
}

/* ---- CREATE FUNCTION ---- */

static bool check_params(Analyzer *a, const Command *c, const Name *name, Error *err)
{
    const ColumnDefVec *params = &c->function.params;
    for (size_t i = 0; i < params->len; i++) {
        const ColumnDef *p = &params->at[i];
        if (p->not_null)
            return error_set(err, ERR_USER_DEFINED_FUNCTIONS__NOT_NULL_ON_FUNCTION_PARAMETERS, P("input", name_text(&p->name, a->arena)));
        if (i && params->at[i - 1].default_value && !p->default_value)
            return error_set(err, ERR_USER_DEFINED_FUNCTIONS__NOT_A_VALID_DEFAULT_PARAMETER_POSITION, P("functionName", name_text(name, a->arena)),
                             P("parameterName", name_text(&params->at[i - 1].name, a->arena)), P("nextParameterName", name_text(&p->name, a->arena)));
        if (p->default_value && p->default_value->kind == EXPR_SUBQUERY)
            return error_set(err, ERR_USER_DEFINED_FUNCTIONS__NOT_A_VALID_DEFAULT_EXPRESSION, P("functionName", name_text(name, a->arena)),
                             P("parameterName", name_text(&p->name, a->arena)));
        for (size_t k = 0; k < i; k++)
            if (name_matches(a, vec_last(&params->at[k].name), vec_last(&p->name)))
                return error_set(err, ERR_DUPLICATE_ROUTINE_PARAMETER_NAMES, P("routineName", name_text(name, a->arena)),
                                 P("names", name_quoted(&p->name, a->arena)));
    }
    return true;
}

static bool check_scalar(Analyzer *a, const Routine *r, const NamedItemVec *params, Error *err)
{
    BoundExpr *body;
    TRY(bind_body(a, r, params, &body, err));
    if (bound_has_aggregate(body) || bound_contains(body, BEXPR_WINDOW) || bound_contains(body, BEXPR_GENERATOR))
        return error_set(err, ERR_USER_DEFINED_FUNCTIONS__CANNOT_CONTAIN_COMPLEX_FUNCTIONS, P("queryText", r->definition->function.body_sql));
    return true;
}

static bool check_table(Analyzer *a, const Routine *r, const NamedItemVec *params, Error *err)
{
    const Type *returns = r->definition->function.returns;
    if (!r->definition->query)
        return error_set(err, ERR_USER_DEFINED_FUNCTIONS__SQL_TABLE_UDF_BODY_MUST_BE_A_QUERY, P("name", name_quoted(&r->shown, a->arena)));
    Scope scope = body_scope(r, params);
    SavedState saved;
    BoundRel *body;
    TRY(enter_body(a, r, &saved, err));
    a->outer = &scope;
    a->sql_text = r->sql;
    bool ok = analyze_rel(a, r->definition->query, &body, err);
    leave_body(a, &saved);
    TRY(ok);
    size_t columns = strip_hidden(a, body)->columns.len;
    if (returns && returns->structure.count != columns)
        return error_set(err, ERR_USER_DEFINED_FUNCTIONS__RETURN_COLUMN_COUNT_MISMATCH, P("outputSize", str_printf(a->arena, "%zu", columns)),
                         P("returnParamSize", str_printf(a->arena, "%zu", returns->structure.count)), P("name", name_quoted(&r->shown, a->arena)));
    return true;
}

bool analyze_routine_definition(Analyzer *a, const Command *c, const Name *name, Str sql, Error *err)
{
    TRY(check_params(a, c, name, err));
    Routine r = {.shown = *name, .sql = sql, .space = a->space, .definition = c};
    NamedItemVec params = {0};
    for (size_t i = 0; i < c->function.params.len; i++) {
        const ColumnDef *p = &c->function.params.at[i];
        BoundColumn unknown = new_column(a, vec_last(&p->name), p->type, true);
        NamedItem item = {unknown.name, bound_column(&unknown, a->arena)};
        vec_push(a->arena, &params, item);
    }
    return c->function.is_table ? check_table(a, &r, &params, err) : check_scalar(a, &r, &params, err);
}
