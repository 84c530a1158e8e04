/* Aggregation of a stream. Of a group is kept what its aggregates are made of (a sum, a count); where one of them cannot be put together
 * from parts, the group's rows themselves are kept. */
#include <stdio.h>
#include <string.h>

#include "func/func.h"
#include "stream/state_impl.h"

/* How an aggregate is put together from parts. */
typedef struct PartsRow {
    const char *function;
    const char *parts[2];    /* over the aggregate's arguments */
    const char *merge[2];    /* over parts of the same group */
} PartsRow;

static const PartsRow PARTS[] = {
    {"count", {"count"}, {"sum"}},
    {"sum", {"sum"}, {"sum"}},
    {"min", {"min"}, {"min"}},
    {"max", {"max"}, {"max"}},
    {"avg", {"sum", "count"}, {"sum", "sum"}},
    {"bool_and", {"bool_and"}, {"bool_and"}},
    {"bool_or", {"bool_or"}, {"bool_or"}},
    {"bit_and", {"bit_and"}, {"bit_and"}},
    {"bit_or", {"bit_or"}, {"bit_or"}},
    {"bit_xor", {"bit_xor"}, {"bit_xor"}},
};

typedef struct Aggregation {
    Batch *b;
    BoundRel *rel;           /* as it was */
    BoundRel *input;         /* of this batch, late rows left out */
    StateOperator *state;
    BoundColumnVec keys;     /* of the kept rows; then come parts or columns, then whether this batch touched them */
    const BoundColumn *time; /* the key with a watermark; NULL: none */
    size_t time_key;
    bool by_parts;
    const PartsRow **rows;   /* one an aggregate */
    VEC(BoundColumn) carried;/* columns of the input that aggregates read, when rows are kept */
    Error *err;
} Aggregation;

static const PartsRow *parts_of(const BoundExpr *e)
{
    const Type *arg = e->call.args.len == 1 ? e->call.args.at[0]->type : NULL;
    for (size_t i = 0; i < LENGTH_OF(PARTS); i++) {
        if (strcmp(e->call.row->name, PARTS[i].function))
            continue;
        bool sums = !strcmp(PARTS[i].function, "sum") || !strcmp(PARTS[i].function, "avg");
        bool counts = !strcmp(PARTS[i].function, "count");
        if (e->call.order.len || (!counts && !arg) || (sums && !type_is_numeric(arg)))
            return NULL;
        return &PARTS[i];
    }
    return NULL;
}

static const BoundColumn *key_time(const Aggregation *g, size_t i)
{
    const BoundExpr *key = g->rel->aggregate.keys.at[i].expr;
    const BoundColumnVec *columns = &g->rel->input->columns;
    for (size_t c = 0; key->kind == BEXPR_COLUMN && c < columns->len; c++)
        if (columns->at[c].id == key->column.id && stream_watermark_delay(&columns->at[c]) >= 0)
            return &columns->at[c];
    return NULL;
}

/* ---- this batch's rows, as they are kept ---- */

static BoundColumn group_item(Aggregation *g, BoundRel *group, BoundItemVec *items, BoundExpr *e, Str name)
{
    BoundColumn c = state_column(g->b, name, e->type);
    BoundItem item = {e, c.id};
    vec_push(g->b->arena, items, item);
    vec_push(g->b->arena, &group->columns, c);
    return c;
}

static Str numbered(Aggregation *g, char letter, size_t n)
{
    return str_printf(g->b->arena, "%c%zu", letter, n);
}

static bool part_call(Aggregation *g, const BoundExpr *e, const PartsRow *row, size_t part, BoundExpr **out)
{
    BoundExprVec args = {0};
    for (size_t i = 0; i < e->call.args.len; i++)
        vec_push(g->b->arena, &args, e->call.args.at[i]);
    /* Spark's average of integers sums doubles. */
    if (!strcmp(row->function, "avg") && part == 0 && args.at[0]->type->kind != TYPE_DECIMAL)
        args.at[0] = bound_cast(args.at[0], type_simple(TYPE_DOUBLE), CAST_ANSI, true, g->b->arena);
    TRY(state_call(g->b, row->parts[part], args.len, args.at, out, g->err));
    (*out)->call.filter = e->call.filter;
    return true;
}

static bool new_parts(Aggregation *g, BoundRel **out)
{
    BoundRel *group = brel_new(BREL_AGGREGATE, g->input, g->b->arena);
    for (size_t i = 0; i < g->rel->aggregate.keys.len; i++)
        (void)group_item(g, group, &group->aggregate.keys, g->rel->aggregate.keys.at[i].expr, numbered(g, 'k', i));
    size_t n = 0;
    for (size_t i = 0; i < g->rel->aggregate.aggregates.len; i++)
        for (size_t p = 0; p < 2 && g->rows[i]->parts[p]; p++) {
            BoundExpr *e;
            TRY(part_call(g, g->rel->aggregate.aggregates.at[i].expr, g->rows[i], p, &e));
            (void)group_item(g, group, &group->aggregate.aggregates, e, numbered(g, 'p', n++));
        }
    *out = group;
    return true;
}

typedef struct Reading {
    Aggregation *g;
} Reading;

static bool note_column(BoundExpr **e, void *arg)
{
    Aggregation *g = ((Reading *)arg)->g;
    if ((*e)->kind != BEXPR_COLUMN || (*e)->column.outer)
        return bound_each_child(*e, note_column, arg);
    for (size_t i = 0; i < g->carried.len; i++)
        if (g->carried.at[i].id == (*e)->column.id)
            return true;
    for (size_t i = 0; i < g->rel->input->columns.len; i++)
        if (g->rel->input->columns.at[i].id == (*e)->column.id)
            vec_push(g->b->arena, &g->carried, g->rel->input->columns.at[i]);
    return true;
}

static bool new_rows(Aggregation *g, BoundRel **out)
{
    Reading r = {g};
    BoundRel *p = brel_new(BREL_PROJECT, g->input, g->b->arena);
    for (size_t i = 0; i < g->rel->aggregate.keys.len; i++)
        (void)state_push(g->b, p, g->rel->aggregate.keys.at[i].expr, numbered(g, 'k', i));
    for (size_t i = 0; i < g->rel->aggregate.aggregates.len; i++)
        (void)note_column(&g->rel->aggregate.aggregates.at[i].expr, &r);
    for (size_t i = 0; i < g->carried.len; i++)
        (void)state_push(g->b, p, bound_column(&g->carried.at[i], g->b->arena), numbered(g, 'p', i));
    *out = p;
    return true;
}

/* ---- together with what was kept ---- */

static BoundRel *with_touch(Aggregation *g, BoundRel *input, size_t columns, bool touched)
{
    BoundRel *p = brel_new(BREL_PROJECT, input, g->b->arena);
    for (size_t i = 0; i < columns; i++)
        (void)state_push(g->b, p, bound_column(&input->columns.at[i], g->b->arena), input->columns.at[i].name);
    (void)state_push(g->b, p, bound_literal(value_bool(touched), g->b->arena), S("touched"));
    return p;
}

static const Type *kept_schema(Aggregation *g, const BoundRel *fresh)
{
    Field *fields = ARENA_ARRAY(g->b->arena, Field, fresh->columns.len + 1);
    for (size_t i = 0; i < fresh->columns.len; i++)
        fields[i] = (Field){.name = fresh->columns.at[i].name, .type = fresh->columns.at[i].type, .nullable = true};
    return type_struct(fields, fresh->columns.len, g->b->arena);
}

static bool merge_parts(Aggregation *g, BoundRel *all, BoundRel **out)
{
    BoundRel *m = brel_new(BREL_AGGREGATE, all, g->b->arena);
    size_t keys = g->rel->aggregate.keys.len, n = keys;
    for (size_t i = 0; i < keys; i++)
        (void)group_item(g, m, &m->aggregate.keys, bound_column(&all->columns.at[i], g->b->arena), all->columns.at[i].name);
    BoundRel *typed = brel_new(BREL_PROJECT, m, g->b->arena);
    for (size_t i = 0; i < keys; i++)
        (void)state_push(g->b, typed, bound_column(&m->columns.at[i], g->b->arena), m->columns.at[i].name);
    for (size_t i = 0; i < g->rel->aggregate.aggregates.len; i++)
        for (size_t p = 0; p < 2 && g->rows[i]->parts[p]; p++, n++) {
            const BoundColumn *part = &all->columns.at[n];
            BoundExpr *arg = bound_column(part, g->b->arena), *e;
            TRY(state_call(g->b, g->rows[i]->merge[p], 1, &arg, &e, g->err));
            BoundColumn c = group_item(g, m, &m->aggregate.aggregates, e, part->name);
            /* A sum of sums is wider than what is kept. */
            BoundExpr *back = bound_column(&c, g->b->arena);
            if (!type_same_shape(c.type, part->type))
                back = bound_cast(back, part->type, CAST_ANSI, true, g->b->arena);
            (void)state_push(g->b, typed, back, part->name);
        }
    BoundExpr *touched = bound_column(&vec_last(&all->columns), g->b->arena), *any;
    TRY(state_call(g->b, "bool_or", 1, &touched, &any, g->err));
    BoundColumn c = group_item(g, m, &m->aggregate.aggregates, any, S("touched"));
    (void)state_push(g->b, typed, bound_column(&c, g->b->arena), S("touched"));
    *out = typed;
    return true;
}

/* ---- what the batch gives ---- */

static BoundExpr *column_at(Aggregation *g, const BoundRel *rel, size_t i)
{
    return bound_column(&rel->columns.at[i], g->b->arena);
}

/* The columns of the original aggregate over merged parts. */
static bool finish_parts(Aggregation *g, BoundRel *merged, BoundRel **out)
{
    BoundRel *p = brel_new(BREL_PROJECT, merged, g->b->arena);
    size_t keys = g->rel->aggregate.keys.len, n = keys;
    for (size_t i = 0; i < keys; i++) {
        BoundItem item = {column_at(g, merged, i), g->rel->aggregate.keys.at[i].id};
        vec_push(g->b->arena, &p->project.items, item);
    }
    for (size_t i = 0; i < g->rel->aggregate.aggregates.len; i++) {
        const BoundItem *original = &g->rel->aggregate.aggregates.at[i];
        BoundExpr *e = column_at(g, merged, n++);
        if (g->rows[i]->parts[1]) {
            BoundExpr *both[] = {e, column_at(g, merged, n++)};
            TRY(state_call(g->b, "try_divide", 2, both, &e, g->err));
        }
        if (!strcmp(g->rows[i]->function, "count")) {
            BoundExpr *known[] = {e, bound_literal(value_int(TYPE_LONG, 0), g->b->arena)};
            TRY(state_call(g->b, "coalesce", 2, known, &e, g->err));
        }
        if (!type_same_shape(e->type, original->expr->type))
            e = bound_cast(e, original->expr->type, CAST_ANSI, true, g->b->arena);
        BoundItem item = {e, original->id};
        vec_push(g->b->arena, &p->project.items, item);
    }
    p->columns = g->rel->columns;
    *out = p;
    return true;
}

typedef struct Renaming {
    const Aggregation *g;
    const BoundRel *rows;
} Renaming;

static bool rename_column(BoundExpr **e, void *arg)
{
    Renaming *r = arg;
    if ((*e)->kind != BEXPR_COLUMN || (*e)->column.outer) {
        *e = bound_copy(*e, r->g->b->arena);
        return bound_each_child(*e, rename_column, arg);
    }
    size_t keys = r->g->rel->aggregate.keys.len;
    for (size_t i = 0; i < r->g->carried.len; i++)
        if (r->g->carried.at[i].id == (*e)->column.id)
            *e = bound_column(&r->rows->columns.at[keys + i], r->g->b->arena);
    return true;
}

/* The original aggregates over the kept rows. */
static bool finish_rows(Aggregation *g, BoundRel *rows, bool only_touched, BoundRel **out)
{
    Renaming r = {g, rows};
    BoundRel *a = brel_new(BREL_AGGREGATE, rows, g->b->arena);
    for (size_t i = 0; i < g->rel->aggregate.keys.len; i++) {
        BoundItem item = {column_at(g, rows, i), g->rel->aggregate.keys.at[i].id};
        vec_push(g->b->arena, &a->aggregate.keys, item);
    }
    for (size_t i = 0; i < g->rel->aggregate.aggregates.len; i++) {
        BoundItem item = g->rel->aggregate.aggregates.at[i];
        (void)rename_column(&item.expr, &r);
        vec_push(g->b->arena, &a->aggregate.aggregates, item);
    }
    a->columns = g->rel->columns;
    *out = a;
    if (!only_touched)
        return true;
    BoundExpr *touched = bound_column(&vec_last(&rows->columns), g->b->arena), *any;
    TRY(state_call(g->b, "bool_or", 1, &touched, &any, g->err));
    a->columns = (BoundColumnVec){0};
    for (size_t i = 0; i < g->rel->columns.len; i++)
        vec_push(g->b->arena, &a->columns, g->rel->columns.at[i]);
    BoundColumn c = group_item(g, a, &a->aggregate.aggregates, any, S("touched"));
    BoundRel *f = brel_new(BREL_FILTER, a, g->b->arena);
    f->columns = a->columns;
    f->filter.condition = bound_column(&c, g->b->arena);
    BoundRel *p = brel_new(BREL_PROJECT, f, g->b->arena);
    for (size_t i = 0; i < g->rel->columns.len; i++) {
        BoundItem item = {bound_column(&g->rel->columns.at[i], g->b->arena), g->rel->columns.at[i].id};
        vec_push(g->b->arena, &p->project.items, item);
    }
    p->columns = g->rel->columns;
    *out = p;
    return true;
}

static BoundRel *only_touched(Aggregation *g, BoundRel *rel)
{
    BoundRel *f = brel_new(BREL_FILTER, rel, g->b->arena);
    f->columns = rel->columns;
    f->filter.condition = bound_column(&vec_last(&rel->columns), g->b->arena);
    return f;
}

/* A stream that has had no row yet has no total: an aggregate without keys gives its one row all the same. */
static bool output(Aggregation *g, Str merged_id, const Type *schema, BoundRel **out)
{
    StreamQuery *q = g->b->query;
    BoundRel *merged = state_stored(g->b, merged_id, schema);
    bool update = q->mode == OUTPUT_UPDATE && g->rel->aggregate.keys.len;
    if (q->mode == OUTPUT_APPEND && g->time)
        TRY(state_filter(g->b, merged, &merged->columns.at[g->time_key], q->planned_watermark_ms, true, &merged, g->err));
    if (!g->by_parts)
        return finish_rows(g, merged, update, out);
    if (update)
        merged = only_touched(g, merged);
    return finish_parts(g, merged, out);
}

static bool count_groups(Aggregation *g, BoundRel *rows, int64_t *out)
{
    if (g->by_parts)
        return state_count(g->b, rows, out, g->err);
    BoundRel *group = brel_new(BREL_AGGREGATE, rows, g->b->arena);
    for (size_t i = 0; i < g->rel->aggregate.keys.len; i++)
        (void)group_item(g, group, &group->aggregate.keys, column_at(g, rows, i), rows->columns.at[i].name);
    if (!group->columns.len) {
        *out = 1;
        return true;
    }
    return state_count(g->b, group, out, g->err);
}

/* What stays for the next batch. */
static bool keep(Aggregation *g, Str merged_id, const Type *schema)
{
    StreamQuery *q = g->b->query;
    BoundRel *rows = state_stored(g->b, merged_id, schema);
    int64_t before, after;
    TRY(count_groups(g, rows, &before));
    TRY(count_groups(g, only_touched(g, rows), &g->state->updated));
    if (q->mode != OUTPUT_COMPLETE && g->time)
        TRY(state_filter(g->b, rows, &rows->columns.at[g->time_key], q->planned_watermark_ms, false, &rows, g->err));
    BoundRel *p = brel_new(BREL_PROJECT, rows, g->b->arena);
    for (size_t i = 0; i + 1 < rows->columns.len; i++)
        (void)state_push(g->b, p, bound_column(&rows->columns.at[i], g->b->arena), rows->columns.at[i].name);
    TRY(count_groups(g, p, &after));
    g->state->removed = before - after;
    g->state->total = after;
    return state_keep(g->b, g->state, p, g->err);
}

static bool leave_out_late(Aggregation *g)
{
    Batch *b = g->b;
    for (size_t i = 0; i < g->rel->aggregate.keys.len; i++) {
        const BoundColumn *time = key_time(g, i);
        if (!time)
            continue;
        g->time = time;
        g->time_key = i;
        BoundRel *late;
        TRY(state_filter(b, g->input, time, b->query->late_watermark_ms, true, &late, g->err));
        if (b->query->mode != OUTPUT_COMPLETE) {
            TRY(state_count(b, late, &g->state->dropped, g->err));
            TRY(state_filter(b, g->input, time, b->query->late_watermark_ms, false, &g->input, g->err));
        }
        return true;
    }
    return true;
}

bool state_aggregate(Batch *b, BoundRel **slot, StateOperator *o, Error *err)
{
    Aggregation g = {.b = b, .rel = *slot, .input = (*slot)->input, .state = o, .by_parts = true, .err = err};
    BoundRel *fresh, *kept, *merged;
    o->name = "stateStoreSave";
    g.rows = ARENA_ARRAY(b->arena, const PartsRow *, g.rel->aggregate.aggregates.len + 1);
    for (size_t i = 0; i < g.rel->aggregate.aggregates.len; i++)
        g.by_parts &= (g.rows[i] = parts_of(g.rel->aggregate.aggregates.at[i].expr)) != NULL;
    TRY(leave_out_late(&g));
    TRY(g.by_parts ? new_parts(&g, &fresh) : new_rows(&g, &fresh));
    size_t width = fresh->columns.len;
    TRY(state_rows(b, o, kept_schema(&g, fresh), &kept, err));
    BoundRel *all = state_union(b, with_touch(&g, kept, width, false), with_touch(&g, fresh, width, true));
    merged = all;
    if (g.by_parts)
        TRY(merge_parts(&g, all, &merged));
    /* Computed once: what the batch gives and what stays are both taken from it. */
    b->scratch = clock_uuid_in(b->arena);
    TRY(engine_store(b->query->engine, b->scratch, merged, &b->run, err));
    const Type *schema = kept_schema(&g, merged);
    return keep(&g, b->scratch, schema) && output(&g, b->scratch, schema, slot);
}
