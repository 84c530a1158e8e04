/* Duplicate removal of a stream: the keys seen are kept, until the watermark passes them. */
#include "stream/state_impl.h"

typedef struct Distinct {
    Batch *b;
    BoundRel *rel, *input;
    StateOperator *state;
    const BoundColumn *time; /* of the input; NULL: keys are kept for ever */
    bool time_is_key;
    size_t time_key;
    Error *err;
} Distinct;

static const BoundColumn *watermarked(const BoundColumnVec *columns, ColumnId id)
{
    for (size_t i = 0; i < columns->len; i++)
        if ((!id || columns->at[i].id == id) && stream_watermark_delay(&columns->at[i]) >= 0)
            return &columns->at[i];
    return NULL;
}

static void find_time(Distinct *d)
{
    const BoundColumnVec *columns = &d->input->columns;
    if (d->rel->distinct_on.within_watermark) {
        d->time = watermarked(columns, 0);
        return;
    }
    for (size_t i = 0; i < d->rel->distinct_on.keys.len && !d->time; i++) {
        const BoundExpr *key = d->rel->distinct_on.keys.at[i];
        d->time = key->kind == BEXPR_COLUMN ? watermarked(columns, key->column.id) : NULL;
        d->time_key = i;
        d->time_is_key = d->time != NULL;
    }
}

/* When a key may be forgotten: its event time and the watermark's delay. */
static bool expiry(Distinct *d, const BoundColumnVec *columns, BoundExpr **out)
{
    const BoundColumn *time = NULL;
    for (size_t i = 0; i < columns->len; i++)
        if (columns->at[i].id == d->time->id)
            time = &columns->at[i];
    Value delay = value_int(TYPE_LONG, stream_watermark_delay(d->time));
    BoundExpr *instant = bound_column(time, d->b->arena), *us;
    instant = bound_cast(instant, type_simple(TYPE_TIMESTAMP), CAST_ANSI, true, d->b->arena);
    TRY(state_call(d->b, "unix_micros", 1, &instant, &us, d->err));
    BoundExpr *both[] = {us, bound_literal(delay, d->b->arena)}, *sum;
    TRY(state_call(d->b, "+", 2, both, &sum, d->err));
    return state_call(d->b, "timestamp_micros", 1, &sum, out, d->err);
}

/* The keys of rows, as they are kept. */
static bool keys_of(Distinct *d, BoundRel *rows, BoundRel **out)
{
    BoundRel *p = brel_new(BREL_PROJECT, rows, d->b->arena);
    for (size_t i = 0; i < d->rel->distinct_on.keys.len; i++)
        (void)state_push(d->b, p, d->rel->distinct_on.keys.at[i], str_printf(d->b->arena, "k%zu", i));
    if (d->rel->distinct_on.within_watermark) {
        BoundExpr *e;
        TRY(expiry(d, &rows->columns, &e));
        (void)state_push(d->b, p, e, S("expires"));
    }
    *out = p;
    return true;
}

static bool not_kept(Distinct *d, BoundRel *rows, BoundRel *kept, BoundRel **out)
{
    BoundExpr *condition = NULL;
    for (size_t i = 0; i < d->rel->distinct_on.keys.len; i++) {
        BoundExpr *both[] = {d->rel->distinct_on.keys.at[i], bound_column(&kept->columns.at[i], d->b->arena)}, *same;
        TRY(state_call(d->b, "<=>", 2, both, &same, d->err));
        BoundExpr *sides[] = {condition, same};
        if (condition)
            TRY(state_call(d->b, "and", 2, sides, &same, d->err));
        condition = same;
    }
    BoundRel *j = brel_new(BREL_JOIN, rows, d->b->arena);
    j->columns = rows->columns;
    j->join.right = kept;
    j->join.kind = JOIN_LEFT_ANTI;
    j->join.condition = condition;
    *out = j;
    return true;
}

static const Type *schema_of(Distinct *d, const BoundColumnVec *columns)
{
    Field *fields = ARENA_ARRAY(d->b->arena, Field, columns->len + 1);
    for (size_t i = 0; i < columns->len; i++)
        fields[i] = (Field){.name = columns->at[i].name, .type = columns->at[i].type, .nullable = true};
    return type_struct(fields, columns->len, d->b->arena);
}

/* The stored first rows, under the ids that the relations above know. */
static BoundRel *stored_as(Distinct *d, Str id)
{
    BoundRel *r = brel_new(BREL_STORED, NULL, d->b->arena);
    r->stored.id = id;
    r->columns = d->rel->columns;
    r->stored.source = r->columns;
    return r;
}

static bool keep(Distinct *d, BoundRel *kept, BoundRel *fresh)
{
    StreamQuery *q = d->b->query;
    BoundRel *all = state_union(d->b, kept, fresh), *rows = all;
    int64_t before, after;
    TRY(state_count(d->b, all, &before, d->err));
    size_t at = d->time_is_key ? d->time_key : all->columns.len - 1;
    if (d->time)
        TRY(state_filter(d->b, all, &all->columns.at[at], q->planned_watermark_ms, false, &rows, d->err));
    TRY(state_count(d->b, rows, &after, d->err));
    d->state->removed = before - after;
    d->state->total = after;
    return state_keep(d->b, d->state, rows, d->err);
}

bool state_distinct(Batch *b, BoundRel **slot, StateOperator *o, Error *err)
{
    Distinct d = {.b = b, .rel = *slot, .input = (*slot)->input, .state = o, .err = err};
    BoundRel *fresh, *kept, *first, *late;
    o->name = d.rel->distinct_on.within_watermark ? "dedupeWithinWatermark" : "dedupe";
    find_time(&d);
    if (d.time) {
        TRY(state_filter(b, d.input, d.time, b->query->late_watermark_ms, true, &late, err));
        TRY(state_count(b, late, &o->dropped, err));
        TRY(state_filter(b, d.input, d.time, b->query->late_watermark_ms, false, &d.input, err));
    }
    BoundRel *once = brel_new(BREL_DISTINCT_ON, d.input, b->arena);
    once->columns = d.rel->columns;
    once->distinct_on.keys = d.rel->distinct_on.keys;
    TRY(keys_of(&d, once, &fresh));
    TRY(state_rows(b, o, schema_of(&d, &fresh->columns), &kept, err));
    TRY(not_kept(&d, once, kept, &first));
    b->scratch = clock_uuid_in(b->arena);
    TRY(engine_store(b->query->engine, b->scratch, first, &b->run, err));
    *slot = stored_as(&d, b->scratch);
    TRY(state_count(b, *slot, &o->updated, err));
    TRY(keys_of(&d, *slot, &fresh));
    return keep(&d, kept, fresh);
}
