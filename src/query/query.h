/* One query's life: parse, analyze, run or command, cancel. What doors call. */
#pragma once

#include "command/command.h"

typedef struct Query Query;

/* A relation or command from a client. The arena becomes the query's and is freed with it. Nothing here is shared between
 * threads, but each step may run on another thread than the one before. */
Query *query_new(Session *session, Engine *engine, Arena *arena, Cancel *cancel);
void query_free(Query *q);

/* Parses SQL relations, analyzes, and runs commands at once; for queries nothing has run yet. */
MUST_CHECK bool query_prepare_rel(Query *q, const Rel *rel, Error *err);
/* The same for a look at the schema or the plan: what would change something is refused. */
MUST_CHECK bool query_analyze_rel(Query *q, const Rel *rel, Error *err);
MUST_CHECK bool query_run_command(Query *q, const Command *command, Error *err);
/* spark.sql(text): commands run now and leave their rows; queries are only checked. *is_command tells which. */
MUST_CHECK bool query_sql_command(Query *q, const Rel *sql, bool *is_command, Error *err);
/* The bound relation whose rows are the answer. */
BoundRel *query_bound(Query *q);
const FuncContext *query_func(Query *q);
/* DataFrame.observe: one row of values for every named set of metrics in the plan that was prepared, computed now. */
typedef struct Observation {
    Str name;
    int64_t plan_id;
    const Type *schema;
    Value *values;
} Observation;
typedef VEC(Observation) ObservationVec;
MUST_CHECK bool query_observe(Query *q, const Rel *rel, ObservationVec *out, Error *err);
/* Starts the answer. */
MUST_CHECK bool query_start(Query *q, Execution **out, Error *err);
