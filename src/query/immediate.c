/* EXECUTE IMMEDIATE: a statement whose text is known only when it runs. */
#include "query/query_impl.h"

enum { IMMEDIATE_MAX_DEPTH = 16 };

static CommandContext context_of(Query *q, const Rel *rel)
{
    const Rel *sql = rel != NULL && rel->kind == REL_WITH_RELATIONS ? rel->input : rel;
    Str text = sql == NULL ? (Str){0} : sql->sql.text;
    Analyzer *a = analyzer_new(q->session, q->engine, &q->func, text, q->arena);
    analyzer_set_locals(a, q->locals);
    if (sql != NULL)
        analyzer_set_params(a, &sql->sql.named_args, &sql->sql.positional_args);
    return (CommandContext){q->session, q->engine, a, q->run, text, q->arena};
}

static bool statement_text(CommandContext *ctx, const Command *c, Str *out, Error *err)
{
    Value v;
    TRY(analyze_value(ctx->analyzer, c->immediate.text, NULL, &v, err));
    if (v.type->kind != TYPE_STRING)
        return error_set(err, ERR_INVALID_EXPR_TYPE_FOR_QUERY_EXECUTE_IMMEDIATE, P("exprType", str_printf(ctx->arena, "\"" STR_FMT "\"", STR_ARG(type_sql(v.type, ctx->arena)))));
    if (v.is_null)
        return error_set(err, ERR_NULL_QUERY_STRING_EXECUTE_IMMEDIATE, P("varName", sql_fragment(ctx->sql_text, c->immediate.text->origin)));
    *out = v.bytes;
    return true;
}

static void push_named(Query *q, Rel *sql, Str name, Expr *value)
{
    KeyValue kv = {name, (Str){0}, value};
    vec_push(q->arena, &sql->sql.named_args, kv);
}

/* USING: values by name (AS, or a variable's own name) and by position. With one AS all must have a name. */
static bool bind_arguments(Query *q, CommandContext *ctx, const Command *c, Rel *sql, Error *err)
{
    bool named = false;
    for (size_t i = 0; i < c->immediate.args.len; i++)
        named |= c->immediate.args.at[i]->kind == EXPR_ALIAS;
    for (size_t i = 0; i < c->immediate.args.len; i++) {
        const Expr *e = c->immediate.args.at[i];
        const Expr *child = e->kind == EXPR_ALIAS ? e->alias.child : e;
        Value v;
        TRY(analyze_value(ctx->analyzer, child, NULL, &v, err));
        Expr *value = expr_literal(v, q->arena);
        if (e->kind == EXPR_ALIAS)
            push_named(q, sql, e->alias.names.at[0], value);
        else if (child->kind == EXPR_COLUMN)
            push_named(q, sql, vec_last(&child->column.name), value);
        else if (named)
            return error_set(err, ERR_ALL_PARAMETERS_MUST_BE_NAMED, P("exprs", sql_fragment(ctx->sql_text, e->origin)));
        if (!named)
            vec_push(q->arena, &sql->sql.positional_args, value);
    }
    return true;
}

static bool into_variables(Query *q, CommandContext *ctx, const Command *c, Error *err)
{
    TRY(command_assign_row(ctx, c->immediate.into.at, c->immediate.into.len, q->bound, err));
    Rel *nothing = rel_new(REL_LOCAL, NULL, q->arena);
    nothing->local.schema = type_struct(NULL, 0, q->arena);
    return analyze_query(ctx->analyzer, nothing, &q->bound, err);
}

bool query_run_immediate(Query *q, const Rel *rel, const Command *c, Error *err)
{
    if (q->immediate_depth >= IMMEDIATE_MAX_DEPTH)
        return error_unsupported(err, "EXECUTE IMMEDIATE nested more than %d levels deep", IMMEDIATE_MAX_DEPTH);
    CommandContext ctx = context_of(q, rel);
    Rel *sql = rel_new(REL_SQL, NULL, q->arena);
    TRY(statement_text(&ctx, c, &sql->sql.text, err));
    sql->sql.text = session_substitute(q->session, sql->sql.text, q->arena);
    TRY(bind_arguments(q, &ctx, c, sql, err));
    SqlOptions options = session_sql_options(q->session, q->arena);
    Statement statement = {0};
    TRY(sql_parse(sql->sql.text, &options, q->arena, &statement, err));
    if (statement.command && statement.command->kind == CMD_SCRIPT)
        return error_set(err, ERR_SQL_SCRIPT_IN_EXECUTE_IMMEDIATE, P("sqlString", sql->sql.text));
    bool into = c->immediate.into.len > 0, is_command;
    if (into && statement.command)
        return error_set(err, ERR_INVALID_STATEMENT_FOR_EXECUTE_INTO, P("sqlString", str_upper(sql->sql.text, q->arena)));
    struct LocalScope *locals = q->locals;
    q->locals = NULL; /* the text sees the session's variables only */
    q->immediate_depth++;
    bool ok = query_statement(q, sql, &is_command, err);
    q->immediate_depth--;
    q->locals = locals;
    TRY(ok);
    return !into || into_variables(q, &ctx, c, err);
}
