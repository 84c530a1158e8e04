/* One micro-batch: the plan over the planned offsets, its rows into the sink, the state and the commit. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "plan/explain.h"
#include "stream/stream_impl.h"

void batch_step(Batch *b, const char *name, int64_t since_us)
{
    if (b->step_count < LENGTH_OF(b->steps)) {
        b->steps[b->step_count].name = name;
        b->steps[b->step_count++].us = clock_monotonic_us() - since_us;
    }
}

/* ---- planning ---- */

static bool source_rows(void *arg, Analyzer *a, size_t number, const StreamRead *read, BoundRel **rows, Error *err)
{
    Batch *b = arg;
    (void)read;
    if (number >= b->query->sources.len)
        return error_internal(err, "a streaming read that was not there when the query started");
    StreamSource *s = b->query->sources.at[number];
    Str start = str_from(s->start), end = str_from(s->end);
    if (str_eq(start, end)) {
        StrVec none = {0};
        TRY(analyze_files_as(a, S("parquet"), &none, s->read.schema, NULL, rows, err));
    } else {
        TRY(s->kind->rows(s, a, start, end, b->arena, rows, err));
    }
    /* Metrics bind a read a second time; either serves for counting. */
    b->reads[number] = *rows;
    return true;
}

Batch *batch_new(StreamQuery *q, int64_t timestamp_ms, Arena *arena)
{
    Batch *b = ARENA_NEW(arena, Batch);
    *b = (Batch){.query = q, .arena = arena, .id = q->batch, .output_rows = -1, .started_us = clock_monotonic_us()};
    b->func = session_func_context(q->session, arena);
    b->func.now_us = timestamp_ms * 1000;
    b->run = (RunContext){.func = &b->func, .cancel = q->cancel};
    b->reads = ARENA_ARRAY(arena, BoundRel *, q->sources.len + 1);
    b->hook = (StreamHook){source_rows, b};
    b->analyzer = analyzer_new(q->session, q->engine, &b->func, (Str){0}, arena);
    analyzer_set_streams(b->analyzer, &b->hook);
    return b;
}

typedef struct MarkList {
    Arena *arena;
    VEC(BoundRel *) marks;
} MarkList;

static bool find_marks(BoundRel **rel, void *arg)
{
    MarkList *l = arg;
    if ((*rel)->kind == BREL_MARK)
        vec_push(l->arena, &l->marks, *rel);
    return brel_each_input(*rel, find_marks, l);
}

bool batch_plan(Batch *b, BoundRel **out, Error *err)
{
    MarkList list = {.arena = b->arena};
    TRY(analyze_query(b->analyzer, b->query->spec.input, out, err));
    (void)!find_marks(out, &list);
    b->marks = list.marks.at;
    b->mark_count = list.marks.len;
    return true;
}

/* ---- measuring ---- */

static BoundItem item_of(Batch *b, BoundRel *rel, BoundExpr *e)
{
    BoundColumn c = {.id = analyzer_next_id(b->analyzer), .name = S("x"), .type = e->type, .nullable = true};
    vec_push(b->arena, &rel->columns, c);
    return (BoundItem){e, c.id};
}

/* max, min, avg of an event time, each in milliseconds. */
static bool event_time_plan(Batch *b, const BoundRel *mark, BoundRel **out, Error *err)
{
    static const char *const NAMES[] = {"max", "min", "avg"};
    const BoundColumn *column = NULL;
    for (size_t i = 0; i < mark->columns.len; i++)
        if (mark->columns.at[i].id == mark->mark.event_time)
            column = &mark->columns.at[i];
    if (!column)
        return error_internal(err, "an event time that is no column");
    BoundExpr *time = bound_column(column, b->arena);
    if (time->type->kind == TYPE_STRUCT) {
        int end = type_field_index(time->type, S("end"), false);
        BoundExpr *field = bound_new(BEXPR_FIELD, time->type->structure.fields[end].type, true, b->arena);
        field->field.child = time;
        field->field.index = (size_t)end;
        time = field;
    }
    BoundExpr *zoned = time->type->kind == TYPE_TIMESTAMP_NTZ ? bound_cast(time, type_simple(TYPE_TIMESTAMP), CAST_ANSI, true, b->arena) : time;
    BoundExpr *ms;
    TRY(analyze_builtin(b->analyzer, "unix_millis", 1, &zoned, &ms, err));
    BoundRel *r = brel_new(BREL_AGGREGATE, mark->input, b->arena);
    for (size_t i = 0; i < LENGTH_OF(NAMES); i++) {
        BoundExpr *e;
        TRY(analyze_builtin(b->analyzer, NAMES[i], 1, &ms, &e, err));
        BoundItem item = item_of(b, r, e);
        vec_push(b->arena, &r->aggregate.aggregates, item);
    }
    *out = r;
    return true;
}

static bool one_row(Batch *b, const BoundRel *plan, Row *out, Error *err)
{
    RowVec rows = {0};
    TRY(engine_rows(b->query->engine, plan, &b->run, 1, b->arena, &rows, err));
    if (rows.len != 1)
        return error_internal(err, "metrics gave %zu rows", rows.len);
    *out = rows.at[0];
    return true;
}

static bool measure_mark(Batch *b, BoundRel *mark, Row *out, Error *err)
{
    BoundRel *plan = mark->mark.metrics;
    if (!plan)
        TRY(event_time_plan(b, mark, &plan, err));
    TRY(one_row(b, plan, out, err));
    for (size_t i = 0; !mark->mark.metrics && i < 3; i++)
        if (out->cells[i].type && out->cells[i].type->kind == TYPE_DOUBLE)
            out->cells[i].integer = (int64_t)out->cells[i].real;
    return true;
}

static bool count_rows(Batch *b, BoundRel *rel, int64_t *rows, Error *err)
{
    BoundRel *r = brel_new(BREL_AGGREGATE, rel, b->arena);
    BoundExpr *one = bound_literal(value_int(TYPE_LONG, 1), b->arena), *e;
    Row row;
    TRY(analyze_builtin(b->analyzer, "count", 1, &one, &e, err));
    BoundItem item = item_of(b, r, e);
    vec_push(b->arena, &r->aggregate.aggregates, item);
    TRY(one_row(b, r, &row, err));
    *rows = row.cells[0].integer;
    return true;
}

/* The watermark after this batch: the least of the query's watermarked columns, and never back. */
static int64_t next_watermark(Batch *b, const RowVec *marks)
{
    StreamQuery *q = b->query;
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < b->mark_count; i++) {
        const BoundRel *m = b->marks[i];
        if (!m->mark.event_time)
            continue;
        const Value *most = &marks->at[i].cells[0];
        int64_t own = most->is_null ? q->watermark_ms : most->integer - m->mark.delay_us / 1000;
        own = own > q->watermark_ms ? own : q->watermark_ms;
        least = own < least ? own : least;
    }
    return least == INT64_MAX || least < q->watermark_ms ? q->watermark_ms : least;
}

static bool measure(Batch *b, RowVec *marks, int64_t *input_rows, Error *err)
{
    for (size_t i = 0; i < b->mark_count; i++) {
        Row row;
        TRY(measure_mark(b, b->marks[i], &row, err));
        vec_push(b->arena, marks, row);
    }
    for (size_t i = 0; i < b->query->sources.len; i++)
        if (b->reads[i])
            TRY(count_rows(b, b->reads[i], &input_rows[i], err));
    return true;
}

/* ---- running ---- */

Rel *batch_rel(Batch *b, Session *session)
{
    Rel *r = rel_new(REL_CACHED_REMOTE, NULL, b->arena);
    r->cached_remote.id = b->stored;
    session_keep_result(session, b->stored, b->schema, NULL, NULL);
    return r;
}

static void keep_plan(Batch *b, const BoundRel *plan)
{
    StreamQuery *q = b->query;
    Str physical = explain_text(plan, S("simple"), b->func.zone, b->arena), all = explain_text(plan, S("extended"), b->func.zone, b->arena);
    char *p = strndup(physical.ptr, physical.len), *x = strndup(all.ptr, all.len);
    pthread_mutex_lock(&q->lock);
    free(q->plan);
    free(q->plan_extended);
    q->plan = p;
    q->plan_extended = x;
    pthread_mutex_unlock(&q->lock);
}

static bool add_batch(Batch *b, Error *err)
{
    StreamQuery *q = b->query;
    b->stored = clock_uuid_in(b->arena);
    TRY(engine_store(q->engine, b->stored, b->result, &b->run, err));
    bool ok = q->sink->add(b, err);
    session_drop_result(q->session, b->stored);
    session_drop_result(q->owner, b->stored);
    engine_drop_stored(q->engine, b->stored);
    return ok;
}

static bool run(Batch *b, int64_t timestamp_ms, Error *err)
{
    StreamQuery *q = b->query;
    RowVec marks = {0};
    int64_t since = clock_monotonic_us();
    int64_t *input_rows = ARENA_ARRAY(b->arena, int64_t, q->sources.len + 1);
    TRY(batch_plan(b, &b->result, err));
    keep_plan(b, b->result);
    TRY(state_apply(b, &b->result, err));
    b->schema = brel_schema(b->result, b->arena);
    batch_step(b, "queryPlanning", since);
    since = clock_monotonic_us();
    TRY(add_batch(b, err));
    TRY(measure(b, &marks, input_rows, err));
    TRY(state_commit(b, err));
    batch_step(b, "addBatch", since);
    since = clock_monotonic_us();
    int64_t watermark = next_watermark(b, &marks);
    TRY(checkpoint_write_commit(&q->checkpoint, b->id, watermark, err));
    batch_step(b, "commitOffsets", since);
    Str json = progress_json(b, timestamp_ms, &marks, input_rows, b->arena);
    q->watermark_ms = watermark;
    stream_add_progress(q, json);
    q->last_trigger_us = b->started_us;
    return true;
}

bool batch_run(StreamQuery *q, int64_t timestamp_ms, Error *err)
{
    Arena *arena = arena_new();
    Batch *b = batch_new(q, timestamp_ms, arena);
    session_enter(q->session);
    bool ok = run(b, timestamp_ms, err);
    if (b->scratch.len)
        engine_drop_stored(q->engine, b->scratch);
    arena_free(arena);
    session_leave(q->session);
    return ok;
}
