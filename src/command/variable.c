/* Session variables: DECLARE, SET VAR, DROP TEMPORARY VARIABLE. */
#include "command/command_impl.h"

static bool check_name(CommandContext *ctx, const Name *name, Error *err)
{
    bool ok = name->len == 1 || (name->len == 2 && str_is_ci(name->at[0], "session")) ||
              (name->len == 3 && str_is_ci(name->at[0], "system") && str_is_ci(name->at[1], "session"));
    return ok || error_set(err, ERR_UNRESOLVED_VARIABLE, P("variableName", name_quoted(name, ctx->arena)), PZ("searchPath", "`system`.`session`"));
}

static bool unknown(CommandContext *ctx, const Name *name, Error *err)
{
    return error_set(err, ERR_UNRESOLVED_VARIABLE, P("variableName", name_quoted(name, ctx->arena)), PZ("searchPath", "`system`.`session`"));
}

static bool value_of(CommandContext *ctx, const Expr *e, const Type *type, Value *out, Error *err)
{
    if (!e || e->kind == EXPR_DEFAULT) {
        *out = value_null(type);
        return true;
    }
    TRY(analyze_constant(ctx->analyzer, e, type, out, err));
    out->type = type;
    return true;
}

static bool declare(CommandContext *ctx, const Command *c, const Name *name, Error *err)
{
    Variable v = {.name = vec_last(name), .type = c->variable.type};
    TRY(check_name(ctx, name, err));
    if (!v.type && c->variable.value) {
        TRY(analyze_constant(ctx->analyzer, c->variable.value, NULL, &v.value, err));
        v.type = v.value.type;
    } else
        TRY(value_of(ctx, c->variable.value, v.type, &v.value, err));
    return session_put_variable(ctx->session, &v, c->variable.replace, err);
}

static bool assign(CommandContext *ctx, const Name *name, const Expr *value, Error *err)
{
    Variable v;
    TRY(check_name(ctx, name, err));
    if (!session_get_variable(ctx->session, vec_last(name), ctx->arena, &v))
        return unknown(ctx, name, err);
    TRY(value_of(ctx, value, v.type, &v.value, err));
    return session_put_variable(ctx->session, &v, true, err);
}

bool run_variable(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    *result = result_none(ctx);
    if (c->kind == CMD_SET_VARIABLE) {
        if (c->query)
            return error_unsupported(err, "SET VAR from a query of several columns");
        for (size_t i = 0; i < c->variable.assignments.len; i++)
            TRY(assign(ctx, &c->variable.assignments.at[i].target, c->variable.assignments.at[i].value, err));
        return true;
    }
    TRY(command_name(ctx, c, &name, err));
    if (c->kind == CMD_DECLARE_VARIABLE)
        return declare(ctx, c, &name, err);
    TRY(check_name(ctx, &name, err));
    return session_drop_variable(ctx->session, vec_last(&name)) || c->existence == IF_EXISTS || unknown(ctx, &name, err);
}
