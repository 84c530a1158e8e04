/* Session variables: DECLARE, SET VAR, DROP TEMPORARY VARIABLE. */
#include "command/command_impl.h"
#include "session/locals.h"
#include "session/plan_copy.h"

static bool is_session_name(const Name *name)
{
    return name->len == 1 || (name->len == 2 && str_is_ci(name->at[0], "session")) ||
           (name->len == 3 && str_is_ci(name->at[0], "system") && str_is_ci(name->at[1], "session"));
}

/* `system`.`session`.`v` */
static Str full_name(CommandContext *ctx, const Name *name)
{
    return str_printf(ctx->arena, "`system`.`session`.`" STR_FMT "`", STR_ARG(vec_last(name)));
}

static bool unresolved(CommandContext *ctx, const Name *name, Error *err)
{
    return error_set(err, ERR_UNRESOLVED_VARIABLE, P("variableName", name_quoted(name, ctx->arena)),
                     P("searchPath", search_path_text(ctx->analyzer, true)));
}

static bool check_name(CommandContext *ctx, const Name *name, Error *err)
{
    return is_session_name(name) || unresolved(ctx, name, err);
}

bool variable_is_known(CommandContext *ctx, Str key)
{
    Error ignored = error_in(ctx->arena);
    SqlOptions options = session_sql_options(ctx->session, ctx->arena);
    Name name;
    Variable v;
    return sql_parse_name(key, &options, ctx->arena, &name, &ignored) && is_session_name(&name) &&
           session_get_variable(ctx->session, vec_last(&name), ctx->arena, &v);
}

/* ---- DECLARE ---- */

/* A script's variable is in its block, without a qualifier and once. */
static bool check_local(CommandContext *ctx, const Command *c, const Name *name, Error *err)
{
    if (name->len > 1)
        return error_set(err, ERR_INVALID_VARIABLE_DECLARATION__QUALIFIED_LOCAL_VARIABLE, P("varName", name_quoted(name, ctx->arena)));
    return !c->variable.replace ||
           error_set(err, ERR_INVALID_VARIABLE_DECLARATION__REPLACE_LOCAL_VARIABLE, P("varName", name_quoted(name, ctx->arena)));
}

static bool put_new(CommandContext *ctx, const Command *c, const Variable *v, Error *err)
{
    LocalScope *locals = analyzer_locals(ctx->analyzer);
    return locals ? locals_declare(locals, v, err) : session_put_variable(ctx->session, v, c->variable.replace, err);
}

static bool check_distinct(const Name *names, size_t count, ErrorClass cls, const char *param, Error *err)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (str_ieq(vec_last(&names[i]), vec_last(&names[k])))
                return error_set_params(err, cls, (const ErrorParam[]){P(param, name_quoted(&names[i], err->arena)), {NULL, {NULL, 0}}});
    return true;
}

static bool first_value(CommandContext *ctx, const Command *c, Variable *v, Error *err)
{
    const Expr *e = c->variable.value;
    v->type = c->variable.type;
    v->value = value_null(v->type);
    if (!e || e->kind == EXPR_DEFAULT)
        return true;
    if (e->kind == EXPR_SUBQUERY)
        return error_set(err, ERR_INVALID_DEFAULT_VALUE__SUBQUERY_EXPRESSION, PZ("statement", "DECLARE VARIABLE"),
                         P("colName", full_name(ctx, &c->name)), P("defaultValue", sql_fragment(ctx->sql_text, e->origin)));
    TRY(analyze_value(ctx->analyzer, e, v->type, &v->value, err));
    if (!v->type)
        v->type = v->value.type;
    v->value.type = v->type;
    return true;
}

static bool declare(CommandContext *ctx, const Command *c, const Name *first, Error *err)
{
    Name *names = arena_alloc(ctx->arena, (c->variable.names.len + 1) * sizeof(Name));
    size_t count = c->variable.names.len ? c->variable.names.len : 1;
    for (size_t i = 0; i < count; i++) {
        names[i] = i ? c->variable.names.at[i] : *first;
        TRY(analyzer_locals(ctx->analyzer) ? check_local(ctx, c, &names[i], err) : check_name(ctx, &names[i], err));
    }
    TRY(check_distinct(names, count, ERR_DUPLICATE_VARIABLE_NAME_INSIDE_DECLARE, "variableName", err));
    Variable v;
    TRY(first_value(ctx, c, &v, err));
    v.initial = v.value;
    for (size_t i = 0; i < count; i++) {
        v.name = vec_last(&names[i]);
        TRY(put_new(ctx, c, &v, err));
    }
    return true;
}

/* ---- SET VAR ---- */

/* What is assigned: a script's variable or the session's. */
typedef struct Assigned {
    LocalVariable *local;    /* NULL: the session's */
    Variable variable;
} Assigned;

static bool find_variable(CommandContext *ctx, const Name *name, Assigned *out, Error *err)
{
    out->local = locals_find(analyzer_locals(ctx->analyzer), name, name->len);
    if (out->local) {
        out->variable = out->local->variable;
        return true;
    }
    TRY(check_name(ctx, name, err));
    return session_get_variable(ctx->session, vec_last(name), ctx->arena, &out->variable) || unresolved(ctx, name, err);
}

/* An old value may be part of a new one: all are copied before the first variable changes. */
static bool put_all(CommandContext *ctx, Assigned *targets, size_t count, Error *err)
{
    for (size_t i = 0; i < count; i++)
        targets[i].variable.value = plan_copy_value(&targets[i].variable.value, ctx->arena);
    for (size_t i = 0; i < count; i++) {
        if (targets[i].local)
            locals_assign(targets[i].local, &targets[i].variable.value);
        else
            TRY(session_put_variable(ctx->session, &targets[i].variable, true, err));
    }
    return true;
}

/* Every right side is evaluated before the first variable changes. */
static bool assign(CommandContext *ctx, const Command *c, Error *err)
{
    size_t count = c->variable.assignments.len;
    Name *names = arena_alloc(ctx->arena, (count + 1) * sizeof(Name));
    Assigned *targets = arena_alloc(ctx->arena, (count + 1) * sizeof(Assigned));
    for (size_t i = 0; i < count; i++)
        names[i] = c->variable.assignments.at[i].target;
    TRY(check_distinct(names, count, ERR_DUPLICATE_ASSIGNMENTS, "nameList", err));
    for (size_t i = 0; i < count; i++) {
        const Expr *e = c->variable.assignments.at[i].value;
        Variable *v = &targets[i].variable;
        TRY(find_variable(ctx, &names[i], &targets[i], err));
        if (!e || e->kind == EXPR_DEFAULT)
            v->value = v->initial;
        else
            TRY(analyze_value(ctx->analyzer, e, v->type, &v->value, err));
        v->value.type = v->type;
    }
    return put_all(ctx, targets, count, err);
}

/* The query's columns brought to the variables' types, as an assignment does. */
static bool cast_columns(CommandContext *ctx, const BoundRel *query, const Assigned *targets, BoundRel **out, Error *err)
{
    BoundRel *p = brel_new(BREL_PROJECT, (BoundRel *)query, ctx->arena);
    for (size_t i = 0; i < query->columns.len; i++) {
        const BoundColumn *c = &query->columns.at[i];
        BoundExpr *e;
        TRY(analyze_store_cast(ctx->analyzer, bound_column(c, ctx->arena), targets[i].variable.type, S("system.session"), targets[i].variable.name, &e, err));
        BoundColumn column = *c;
        column.id = analyzer_next_id(ctx->analyzer);
        column.type = e->type;
        BoundItem item = {e, column.id};
        vec_push(ctx->arena, &p->project.items, item);
        vec_push(ctx->arena, &p->columns, column);
    }
    *out = p;
    return true;
}

bool command_assign_row(CommandContext *ctx, const Name *names, size_t count, const BoundRel *query, Error *err)
{
    TRY(check_distinct(names, count, ERR_DUPLICATE_ASSIGNMENTS, "nameList", err));
    if (query->columns.len != count)
        return error_set(err, ERR_ASSIGNMENT_ARITY_MISMATCH, P("numTarget", str_printf(ctx->arena, "%zu", count)),
                         P("numExpr", str_printf(ctx->arena, "%zu", query->columns.len)));
    Assigned *targets = arena_alloc(ctx->arena, (count + 1) * sizeof(Assigned));
    for (size_t i = 0; i < count; i++)
        TRY(find_variable(ctx, &names[i], &targets[i], err));
    BoundRel *cast;
    TRY(cast_columns(ctx, query, targets, &cast, err));
    BoundRel *two = brel_new(BREL_LIMIT, cast, ctx->arena);
    two->columns = cast->columns;
    two->limit.count = build_int(ctx, 2);
    RowVec rows = {0};
    TRY(engine_rows(ctx->engine, two, &ctx->run, 2, ctx->arena, &rows, err));
    if (rows.len > 1)
        return error_set(err, ERR_ROW_SUBQUERY_TOO_MANY_ROWS);
    for (size_t i = 0; i < count; i++) {
        Variable *v = &targets[i].variable;
        v->value = rows.len ? rows.at[0].cells[i] : value_null(v->type);
        v->value.type = v->type;
    }
    return put_all(ctx, targets, count, err);
}

static bool assign_query(CommandContext *ctx, const Command *c, Error *err)
{
    BoundRel *query;
    TRY(check_distinct(c->variable.names.at, c->variable.names.len, ERR_DUPLICATE_ASSIGNMENTS, "nameList", err));
    TRY(analyze_query(ctx->analyzer, c->query, &query, err));
    return command_assign_row(ctx, c->variable.names.at, c->variable.names.len, query, err);
}

bool run_variable(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    *result = result_none(ctx);
    if (c->kind == CMD_SET_VARIABLE)
        return c->query ? assign_query(ctx, c, err) : assign(ctx, c, err);
    TRY(command_name(ctx, c, &name, err));
    if (c->kind == CMD_DECLARE_VARIABLE)
        return declare(ctx, c, &name, err);
    if (analyzer_locals(ctx->analyzer))
        return error_set(err, ERR_UNSUPPORTED_FEATURE__SQL_SCRIPTING_DROP_TEMPORARY_VARIABLE);
    TRY(check_name(ctx, &name, err));
    if (session_drop_variable(ctx->session, vec_last(&name)) || c->existence == IF_EXISTS)
        return true;
    return error_set(err, ERR_VARIABLE_NOT_FOUND, P("variableName", full_name(ctx, &name)));
}
