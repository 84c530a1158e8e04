/* A catalog, an engine and a session for targets that need the whole way from text to rows; made once. */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include "analyze/analyze.h"

typedef struct Stack {
    Engine *engine;
    Catalog *catalog;
    Session *session;
    char folder[256];
} Stack;

static Stack stack;

static void stack_remove(void)
{
    session_leave(stack.session);
    session_unref(stack.session);
    engine_close(stack.engine);
    catalog_close(stack.catalog);
    char command[300];
    snprintf(command, sizeof(command), "rm -rf '%s'", stack.folder);
    if (system(command) != 0)
        _exit(1);
}

static void stack_open(void)
{
    if (stack.engine)
        return;
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    const char *parent = getenv("TMPDIR");
    snprintf(stack.folder, sizeof(stack.folder), "%s/fuzz-XXXXXX", parent ? parent : P_tmpdir);
    EngineOptions options = {.memory_limit = S_INIT("500MB"), .threads = 1};
    if (!mkdtemp(stack.folder) || !catalog_open(str_from(stack.folder), &stack.catalog, &err) ||
        !engine_open(&options, &stack.engine, &err))
        abort();
    stack.session =
        session_new(S("fuzz"), S("00000000-0000-4000-8000-000000000001"), stack.catalog);
    session_enter(stack.session);
    atexit(stack_remove);
}

/* Errors that say "this cannot happen" are findings; every other refusal is an answer. */
static void stack_accept(const Error *err, Arena *arena)
{
    if (err->cls != ERR_INTERNAL_ERROR)
        return;
    Str message = error_message(err, arena);
    fprintf(stderr, "%.*s\n", (int)message.len, message.ptr);
    abort();
}

static inline bool stack_rows(const BoundRel *rel, const FuncContext *func, Arena *arena, Error *err)
{
    RowVec rows = {0};
    RunContext context = {.func = func};
    return engine_rows(stack.engine, rel, &context, 10000, arena, &rows, err);
}

static inline bool stack_run(Str sql, Arena *arena, Error *err)
{
    SqlOptions options = {.ansi = true, .zone = S_INIT("UTC")};
    Statement statement = {0};
    BoundRel *rel;
    FuncContext func = session_func_context(stack.session, arena);
    TRY(sql_parse(sql, &options, arena, &statement, err));
    Analyzer *analyzer = analyzer_new(stack.session, stack.engine, &func, sql, arena);
    TRY(analyze_query(analyzer, statement.query, &rel, err));
    return stack_rows(rel, analyzer_func(analyzer), arena, err);
}
