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
};
