/* Rows through a Python worker: what is sent, what comes back, and the kinds of functions as rows. */
#pragma once

#include <duckdb.h>

#include "engine/engine.h"
#include "python/python.h"

typedef struct PythonKind {
    int eval_type;      /* pyspark.util.PythonEvalType */
    PythonShape shape;
    bool shares;        /* several functions may run over the same batches */
    bool struct_in;     /* the columns travel inside one struct */
    bool struct_out;
} PythonKind;

/* NULL: an eval type that is not run. */
const PythonKind *python_kind(int eval_type);
bool python_kind_shares(int eval_type);

/* Which columns of the inner query are what. The held ones come first, those of the other side of a
 * cogroup after the sent ones. */
typedef struct PythonLayout {
    size_t held;        /* kept here, to stand beside the results */
    size_t sent[2];
    ptrdiff_t group;    /* the number of the row's group, -1: no groups */
    ptrdiff_t side;     /* 0 or 1 in a cogroup, -1: one side */
} PythonLayout;

/* ---- python_input.c ---- */

typedef struct PythonInput {
    BoundRel *plan;
    PythonLayout layout;
    const Type *sent[2];      /* structs of what is sent, under the names the function sees */
    Str functions;            /* PythonJob.functions */
} PythonInput;

/* held: columns of rel that the results stand beside. */
void python_plan_input(const BoundRel *rel, const PythonKind *kind, const size_t *held, size_t count, Arena *arena, PythonInput *out);
/* The place of the item that becomes this column; -1: none. */
ptrdiff_t python_item(const BoundItemVec *items, ColumnId id);

/* ---- python_run.c ---- */

typedef struct PythonTalkSpec {
    Engine *engine;
    const BoundRel *input;    /* the inner query; brel_schema says its columns */
    PythonLayout layout;
    const Type *sent[2];
    const PythonKind *kind;
    const PythonJob *job;
    const RunContext *run;
    int64_t batch_rows, batch_bytes;
} PythonTalkSpec;

/* A query on one side, a worker on the other. */
typedef struct PythonTalk PythonTalk;
MUST_CHECK bool python_talk_open(const PythonTalkSpec *spec, PythonTalk **out, Error *err);
void python_talk_close(PythonTalk *t);
/* Makes results current; *rows 0: no more. */
MUST_CHECK bool python_talk_next(PythonTalk *t, int64_t *rows, Error *err);
/* Copies rows of the current results; column counts the results' columns. */
MUST_CHECK bool python_talk_result(PythonTalk *t, size_t column, idx_t count, const Type *type, duckdb_vector to, Error *err);
/* The number of columns that the results have. */
size_t python_talk_width(const PythonTalk *t);
/* How many rows of the held columns lie in one piece. */
idx_t python_talk_held_rows(const PythonTalk *t);
void python_talk_held(PythonTalk *t, size_t column, idx_t count, duckdb_vector to);
/* Goes past `count` rows of both. */
void python_talk_advance(PythonTalk *t, idx_t count);
