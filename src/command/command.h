/* What changes state: DDL, DML, maintenance, settings. Each answers with rows, often none. */
#pragma once

#include "analyze/analyze.h"
#include "command/turn.h"

typedef struct CommandContext {
    Session *session;
    Engine *engine;
    Analyzer *analyzer;
    RunContext run;
    Str sql_text;
    Arena *arena;
    Turn turn;        /* of the table that the command rewrites rows of; command_run gives it back */
} CommandContext;

/* Runs a command; *result becomes a relation of literal rows with the schema Spark answers. */
MUST_CHECK bool command_run(CommandContext *ctx, const Command *command, BoundRel **result, Error *err);
/* The row of a query becomes the values of as many session variables: no row gives NULLs, two are ROW_SUBQUERY_TOO_MANY_ROWS. */
MUST_CHECK bool command_assign_row(CommandContext *ctx, const Name *names, size_t count, const BoundRel *query, Error *err);
