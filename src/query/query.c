/* From what a client said to rows on their way: parsing, analysis, commands, and the arena that holds all of it. */
#include "query/query_impl.h"

#include "base/clock.h"
#include "base/log.h"

Query *query_new(Session *session, Engine *engine, Arena *arena, Cancel *cancel)
{
    Query *q = ARENA_NEW(arena, Query);
    session_ref(session);
    session_enter(session);
    if (cancel != NULL)
        cancel_ref(cancel);
    *q = (Query){.session = session, .engine = engine, .arena = arena, .cancel = cancel};
    q->func = session_func_context(session, arena);
    q->run = (RunContext){.func = &q->func, .cancel = cancel};
    return q;
}

void query_free(Query *q)
{
    if (q == NULL)
        return;
    Session *session = q->session;
    Cancel *cancel = q->cancel;
    arena_free(q->arena);
    session_leave(session);
    session_unref(session);
    cancel_unref(cancel);
}

BoundRel *query_bound(Query *q)
{
    return q->bound;
}

const FuncContext *query_func(Query *q)
{
    return &q->func;
}

static bool analyze(Query *q, const Rel *rel, Str sql_text, Error *err)
{
    int64_t began = clock_monotonic_us();
    Analyzer *a = analyzer_new(q->session, q->engine, &q->func, sql_text, q->arena);
    analyzer_set_locals(a, q->locals);
    bool ok = analyze_query(a, rel, &q->bound, err);
    log_debug("query: analyzed in %lld us", (long long)(clock_monotonic_us() - began));
    return ok;
}

/* The SQL text of a relation, below what spark.sql wraps around it. */
static const Rel *sql_of(const Rel *rel)
{
    if (rel->kind == REL_WITH_RELATIONS && rel->input != NULL)
        rel = rel->input;
    return rel->kind == REL_SQL ? rel : NULL;
}

/* The relation with ${setting} replaced in its text. */
static const Rel *with_settings(Query *q, const Rel *rel)
{
    const Rel *sql = sql_of(rel);
    Str text = sql == NULL ? (Str){0} : session_substitute(q->session, sql->sql.text, q->arena);
    if (sql == NULL || text.ptr == sql->sql.text.ptr)
        return rel;
    Rel *copy = ARENA_NEW(q->arena, Rel);
    *copy = *sql;
    copy->sql.text = text;
    if (rel == sql)
        return copy;
    Rel *around = ARENA_NEW(q->arena, Rel);
    *around = *rel;
    around->input = copy;
    return around;
}

/* An analyzer for a statement of this text: its parameters, and what the client shipped beside it. */
static Analyzer *analyzer_of(Query *q, const Rel *rel, Str *text)
{
    const Rel *sql = rel == NULL ? NULL : sql_of(rel);
    *text = sql == NULL ? (Str){0} : sql->sql.text;
    Analyzer *a = analyzer_new(q->session, q->engine, &q->func, *text, q->arena);
    analyzer_set_locals(a, q->locals);
    if (sql != NULL)
        analyzer_set_params(a, &sql->sql.named_args, &sql->sql.positional_args);
    if (rel != NULL && rel->kind == REL_WITH_RELATIONS)
        analyzer_set_references(a, &rel->with_relations.references);
    return a;
}

bool query_value(Query *q, const Rel *rel, const Expr *e, Value *out, Error *err)
{
    Str text;
    Analyzer *a = analyzer_of(q, rel, &text);
    return analyze_value(a, e, NULL, out, err);
}

static bool run_command(Query *q, const Rel *rel, const Command *command, Error *err)
{
    Str text;
    Analyzer *a = analyzer_of(q, rel, &text);
    if (command->kind == CMD_EXECUTE_IMMEDIATE)
        return query_run_immediate(q, rel, command, err);
    if (command->kind == CMD_SCRIPT)
        return query_run_script(q, rel, command, err);
    CommandContext ctx = {q->session, q->engine, a, q->run, text, q->arena};
    TRY(command_run(&ctx, command, &q->bound, err));
    /* SET TIME ZONE, USE and their like change what the rows are printed with. */
    q->func = session_func_context(q->session, q->arena);
    return true;
}

bool query_run_statement(Query *q, const Rel *rel, const Statement *statement, Error *err)
{
    Str text;
    if (statement->command != NULL)
        return run_command(q, rel, statement->command, err);
    return analyze_query(analyzer_of(q, rel, &text), statement->query, &q->bound, err);
}

bool query_run_command(Query *q, const Command *command, Error *err)
{
    return run_command(q, NULL, command, err);
}

/* A statement that changes something; *command is NULL for queries. */
static bool parse_command(Query *q, const Rel *sql, Command **command, Error *err)
{
    SqlOptions options = session_sql_options(q->session, q->arena);
    Statement statement = {0};
    TRY(sql_parse(sql->sql.text, &options, q->arena, &statement, err));
    *command = statement.command;
    return true;
}

/* The only catalog calls that change something and answer whether they did. */
static bool drop_view_call(Query *q, const Rel *rel, Error *err)
{
    bool global = str_is(rel->catalog.call, "dropGlobalTempView");
    bool dropped = session_drop_temp_view(q->session, key_value_get(&rel->catalog.args, "view_name"), global);
    ExprVec row = {0};
    Expr *value = expr_literal(value_bool(dropped), q->arena);
    vec_push(q->arena, &row, expr_alias(value, S("value"), q->arena));
    Rel *values = rel_new(REL_PROJECT, rel_new(REL_ONE_ROW, NULL, q->arena), q->arena);
    values->project.items = row;
    return analyze(q, values, (Str){0}, err);
}

static bool is_drop_view_call(const Rel *rel)
{
    return rel->kind == REL_CATALOG &&
           (str_is(rel->catalog.call, "dropTempView") || str_is(rel->catalog.call, "dropGlobalTempView"));
}

bool query_prepare_rel(Query *q, const Rel *rel, Error *err)
{
    rel = with_settings(q, rel);
    const Rel *sql = sql_of(rel);
    Command *command = NULL;
    if (is_drop_view_call(rel))
        return drop_view_call(q, rel, err);
    if (sql == NULL)
        return analyze(q, rel, (Str){0}, err);
    TRY(parse_command(q, sql, &command, err));
    return command != NULL ? run_command(q, rel, command, err) : analyze(q, rel, sql->sql.text, err);
}

bool query_analyze_rel(Query *q, const Rel *rel, Error *err)
{
    rel = with_settings(q, rel);
    const Rel *sql = sql_of(rel);
    Command *command = NULL;
    if (is_drop_view_call(rel))
        return error_unsupported(err, "Analyzing " STR_FMT " without running it", STR_ARG(rel->catalog.call));
    if (sql != NULL)
        TRY(parse_command(q, sql, &command, err));
    if (command != NULL)
        return error_unsupported(err, "Analyzing a command without running it");
    return analyze(q, rel, sql == NULL ? (Str){0} : sql->sql.text, err);
}

bool query_statement(Query *q, const Rel *rel, bool *is_command, Error *err)
{
    const Rel *sql = sql_of(rel);
    Command *command = NULL;
    if (sql == NULL)
        return error_internal(err, "a SQL command without SQL text");
    TRY(parse_command(q, sql, &command, err));
    *is_command = command != NULL;
    return command != NULL ? run_command(q, rel, command, err) : analyze(q, rel, sql->sql.text, err);
}

bool query_sql_command(Query *q, const Rel *rel, bool *is_command, Error *err)
{
    return query_statement(q, with_settings(q, rel), is_command, err);
}

bool query_start(Query *q, Execution **out, Error *err)
{
    return engine_start(q->engine, q->bound, &q->run, out, err);
}
