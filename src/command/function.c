/* CREATE and DROP FUNCTION for functions written in SQL. */
#include "command/command_impl.h"

static bool refuse_builtin(CommandContext *ctx, const Name *name, Error *err)
{
    if (name->len != 1 || !func_find(name->at[0]))
        return true;
    return error_set(err, ERR_ROUTINE_ALREADY_EXISTS, P("routineName", name_quoted(name, ctx->arena)), PZ("newRoutineType", "routine"),
                     PZ("existingRoutineType", "routine"));
}

/* In a script the statement is a piece of the text. */
static Str statement_text(CommandContext *ctx, const Command *c)
{
    return analyzer_locals(ctx->analyzer) ? sql_fragment(ctx->sql_text, c->origin) : ctx->sql_text;
}

static bool create_temporary(CommandContext *ctx, const Command *c, const Name *name, Error *err)
{
    TRY(refuse_builtin(ctx, name, err));
    SessionFunction f = {.name = vec_last(name), .sql = statement_text(ctx, c), .is_table = c->function.is_table};
    if (session_put_function(ctx->session, &f, c->existence == OR_REPLACE))
        return true;
    return error_set(err, ERR_ROUTINE_ALREADY_EXISTS, P("routineName", name_quoted(name, ctx->arena)), PZ("newRoutineType", "routine"),
                     PZ("existingRoutineType", "routine"));
}

static bool create_stored(CommandContext *ctx, const Command *c, const Name *name, Error *err)
{
    const char *kind;
    bool found;
    Name temp;
    FunctionEntry old, e = {.sql = statement_text(ctx, c), .is_table = c->function.is_table, .owner = session_user(ctx->session)};
    TRY(command_object_name(ctx, name, &e.catalog, &e.schema, &e.name, err));
    session_current(ctx->session, ctx->arena, &e.body_catalog, &e.body_schema);
    Str parts[3] = {e.catalog, e.schema, e.name};
    Name full = name_of(ctx->arena, 3, parts);
    if (analyzer_temp_object(ctx->analyzer, &kind, &temp))
        return error_set(err, ERR_INVALID_TEMP_OBJ_REFERENCE, PZ("obj", "FUNCTION"), P("objName", name_quoted(&full, ctx->arena)),
                         PZ("tempObj", kind), P("tempObjName", name_quoted(&temp, ctx->arena)));
    if (c->existence == IF_NOT_EXISTS) {
        TRY(catalog_get_function(session_catalog(ctx->session), e.catalog, e.schema, e.name, ctx->arena, &found, &old, err));
        if (found)
            return true;
    }
    return catalog_create_function(session_catalog(ctx->session), &e, c->existence == OR_REPLACE, err);
}

/* A temporary function has no schema; a name out of IDENTIFIER(..) is known only here. */
static bool check_temporary(const Command *c, const Name *name, Error *err)
{
    Name last = {.at = name->at + name->len - 1, .len = 1}, qualifier = {.at = name->at, .len = name->len - 1};
    return !c->function.temporary || name->len == 1 ||
           error_set(err, ERR_INVALID_TEMP_OBJ_QUALIFIER, PZ("objectType", "FUNCTION"),
                     P("objectName", name_quoted(&last, err->arena)), P("qualifier", name_quoted(&qualifier, err->arena)));
}

bool run_create_function(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    *result = result_none(ctx);
    TRY(command_name(ctx, c, &name, err));
    TRY(check_temporary(c, &name, err));
    if (c->function.function_class.len)
        return error_unsupported(err, "CREATE FUNCTION .. AS '" STR_FMT "' (a JVM class)", STR_ARG(c->function.function_class));
    TRY(analyze_routine_definition(ctx->analyzer, c, &name, ctx->sql_text, err));
    return c->function.temporary ? create_temporary(ctx, c, &name, err) : create_stored(ctx, c, &name, err);
}

bool run_drop_function(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    Str catalog, schema, object;
    bool found;
    *result = result_none(ctx);
    TRY(command_name(ctx, c, &name, err));
    TRY(check_temporary(c, &name, err));
    if (name.len == 1 && func_find(name.at[0]))
        return error_set(err, ERR_FORBIDDEN_OPERATION, PZ("statement", "DROP"), PZ("objectType", "FUNCTION"), P("objectName", name_quoted(&name, ctx->arena)));
    if (c->function.temporary)
        found = session_drop_function(ctx->session, vec_last(&name));
    else {
        TRY(command_object_name(ctx, &name, &catalog, &schema, &object, err));
        TRY(catalog_drop_function(session_catalog(ctx->session), catalog, schema, object, &found, err));
    }
    return found || c->existence == IF_EXISTS || error_set(err, ERR_ROUTINE_NOT_FOUND, P("routineName", name_quoted(&name, ctx->arena)));
}

/* spark.udf.register and spark.udtf.register: the name becomes the function's, for SQL too. */
bool run_register_function(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    *result = result_none(ctx);
    SessionFunction f = {.name = vec_last(&c->name), .python = c->function.python, .is_table = c->function.is_table};
    return session_put_function(ctx->session, &f, true) || error_internal(err, "a function could not be registered");
}
