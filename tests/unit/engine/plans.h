/* Small bound plans made by hand, and running them. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "engine/engine.h"

typedef struct Bench {
    Engine *engine;
    Arena *arena;
    FuncContext func;
    RunContext run;
    Error err;
    ColumnId last_id;
} Bench;

static inline int bench_open(void **state)
{
    Arena *arena = arena_new();
    Bench *b = ARENA_NEW(arena, Bench);
    b->arena = arena;
    b->err = error_in(arena);
    b->func = (FuncContext){.ansi = true, .zone = S_INIT("UTC"), .arena = arena};
    b->run.func = &b->func;
    EngineOptions options = {.memory_limit = S_INIT("1GB"), .threads = 2};
    if (!engine_open(&options, &b->engine, &b->err)) {
        print_error("%s\n", str_z(error_message(&b->err, arena), arena));
        return -1;
    }
    *state = b;
    return 0;
}

static inline int bench_close(void **state)
{
    Bench *b = *state;
    engine_close(b->engine);
    arena_free(b->arena);
    return 0;
}

static inline BoundColumn column_new(Bench *b, const char *name, const Type *type)
{
    return (BoundColumn){
        .id = ++b->last_id, .name = str_from(name), .type = type, .nullable = true};
}

static inline BoundExpr *lit_int(Bench *b, int64_t v)
{
    return bound_literal(value_int(TYPE_INT, v), b->arena);
}

static inline BoundExpr *lit_text(Bench *b, const char *z)
{
    return bound_literal(value_string(str_from(z)), b->arena);
}

static inline BoundExpr *call2(Bench *b, const FuncRow *row, const Type *type, BoundExpr *x,
                               BoundExpr *y)
{
    BoundExpr *e =
        bound_new(row->kind == FUNC_AGGREGATE ? BEXPR_AGGREGATE : BEXPR_CALL, type, true, b->arena);
    e->call.row = row;
    if (x)
        vec_push(b->arena, &e->call.args, x);
    if (y)
        vec_push(b->arena, &e->call.args, y);
    return e;
}

/* Numbers 0..n-1 as one BIGINT column. */
static inline BoundRel *range_rel(Bench *b, int64_t n)
{
    BoundRel *r = brel_new(BREL_RANGE, NULL, b->arena);
    r->range.end = n;
    r->range.step = 1;
    BoundColumn c = column_new(b, "id", type_simple(TYPE_LONG));
    c.nullable = false;
    vec_push(b->arena, &r->columns, c);
    return r;
}

/* Adds an output column to a project that carries nothing else yet. */
static inline ColumnId project_add(Bench *b, BoundRel *project, const char *name, BoundExpr *e)
{
    BoundColumn c = column_new(b, name, e->type);
    c.nullable = e->nullable;
    BoundItem item = {e, c.id};
    vec_push(b->arena, &project->columns, c);
    vec_push(b->arena, &project->project.items, item);
    return c.id;
}

static inline BoundRel *project_of(Bench *b, BoundRel *input)
{
    return brel_new(BREL_PROJECT, input, b->arena);
}

static inline BoundRel *filter_of(Bench *b, BoundRel *input, BoundExpr *condition)
{
    BoundRel *r = brel_new(BREL_FILTER, input, b->arena);
    r->columns = input->columns;
    r->filter.condition = condition;
    return r;
}

static inline void fail_with(Bench *b)
{
    print_error("%s\n", str_z(error_message(&b->err, b->arena), b->arena));
    fail();
}

static inline RowVec rows_of(Bench *b, const BoundRel *rel)
{
    RowVec rows = {0};
    if (!engine_rows(b->engine, rel, &b->run, 1000000, b->arena, &rows, &b->err))
        fail_with(b);
    return rows;
}
