/* Where in the client's text or program a run-time error was raised. */
#pragma once

#include "engine/engine.h"
#include "engine/render.h"
#include "engine/resource.h"

/* The sites of one traced run by their numbers, and the mark that it passed last. */
typedef struct Marks Marks;
void marks_attach(Marks *m, Resources *resources);

/* As engine_start, with marks when they are not NULL and nothing located afterwards. */
MUST_CHECK bool execution_start(Engine *e, const BoundRel *rel, const RunContext *ctx, Marks *marks, Execution **out,
                                Error *err);

/* Adds the query context to an error of this plan, when it is of a class that has one. Always false, as err is set. */
bool engine_locate(Engine *e, const BoundRel *rel, const RunContext *ctx, Error *err);
