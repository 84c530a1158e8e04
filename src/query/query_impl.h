/* What a query is made of; for the files of this folder only. */
#pragma once

#include "query/query.h"

struct Query {
    Session *session;
    Engine *engine;
    Arena *arena;       /* holds this struct too */
    Cancel *cancel;     /* may be NULL */
    FuncContext func;
    RunContext run;
    BoundRel *bound;
    struct LocalScope *locals;  /* of the script that this is a statement of */
    unsigned immediate_depth;   /* EXECUTE IMMEDIATE inside EXECUTE IMMEDIATE */
};

/* query.c */
MUST_CHECK bool query_statement(Query *q, const Rel *rel, bool *is_command, Error *err);

/* A statement that was parsed: `rel` is the text it came in, for its parameters. */
MUST_CHECK bool query_run_statement(Query *q, const Rel *rel, const Statement *statement, Error *err);

/* The value of an expression in that text. */
MUST_CHECK bool query_value(Query *q, const Rel *rel, const Expr *e, Value *out, Error *err);

/* script.c: runs BEGIN .. END; its answer is that of the last query that ran. */
MUST_CHECK bool query_run_script(Query *q, const Rel *rel, const Command *command, Error *err);

/* immediate.c: `rel` is the statement that says EXECUTE IMMEDIATE, for its parameters. */
MUST_CHECK bool query_run_immediate(Query *q, const Rel *rel, const Command *command, Error *err);
