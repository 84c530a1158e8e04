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
    unsigned immediate_depth;   /* EXECUTE IMMEDIATE inside EXECUTE IMMEDIATE */
};

/* query.c */
MUST_CHECK bool query_statement(Query *q, const Rel *rel, bool *is_command, Error *err);

/* immediate.c: `rel` is the statement that says EXECUTE IMMEDIATE, for its parameters. */
MUST_CHECK bool query_run_immediate(Query *q, const Rel *rel, const Command *command, Error *err);
