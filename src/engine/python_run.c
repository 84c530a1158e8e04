/* The conversation with a worker: chunks of a query go out as Arrow batches, results come back in the same order. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/arrow_in.h"
#include "engine/arrow_out.h"
#include "engine/arrow_stream.h"
#include "engine/engine_impl.h"
#include "engine/execution.h"
#include "engine/python_source.h"

/* What is gathered for one answer to PYTHON_WANTS_INPUT, so that small groups do not travel alone. */
enum { FEED_BYTES = 64 << 10 };

typedef struct Held {
    struct Held *next;
    duckdb_data_chunk chunk;
    idx_t rows, taken;
} Held;

struct PythonTalk {
    PythonTalkSpec spec;
    Arena *arena;
    Execution *query;
    PythonRun *run;
    ArrowOut *out[2];
    duckdb_data_chunk chunk;   /* what is being sent */
    idx_t rows, at;
    bool query_ended, started;
    bool in_group;
    int64_t group;
    int side;                  /* whose stream is open inside the group */
    int64_t side_batches;
    Held *first, *last;
    ArrowBatches in;
};

/* ---- the rows that stay here ---- */

static void hold(PythonTalk *t, duckdb_data_chunk chunk, idx_t rows)
{
    Held *h = calloc(1, sizeof *h);
    if (!h)
        panic("out of memory");
    h->chunk = chunk;
    h->rows = rows;
    if (t->last)
        t->last->next = h;
    else
        t->first = h;
    t->last = h;
}

static void drop_first(PythonTalk *t)
{
    Held *h = t->first;
    t->first = h->next;
    if (!t->first)
        t->last = NULL;
    duckdb_destroy_data_chunk(&h->chunk);
    free(h);
}

/* The held columns of one row, in a chunk with those of other groups. */
static void hold_row(PythonTalk *t, duckdb_data_chunk from, idx_t row)
{
    size_t n = t->spec.layout.held;
    Held *h = t->last;
    if (!h || h->rows == duckdb_vector_size()) {
        duckdb_logical_type *types = ARENA_ARRAY(t->arena, duckdb_logical_type, n);
        for (size_t i = 0; i < n; i++)
            types[i] = duckdb_vector_get_column_type(duckdb_data_chunk_get_vector(from, i));
        hold(t, duckdb_create_data_chunk(types, n), 0);
        for (size_t i = 0; i < n; i++)
            duckdb_destroy_logical_type(&types[i]);
        h = t->last;
    }
    duckdb_selection_vector sel = duckdb_create_selection_vector(1);
    duckdb_selection_vector_get_data_ptr(sel)[0] = (sel_t)row;
    for (size_t i = 0; i < n; i++)
        duckdb_vector_copy_sel(duckdb_data_chunk_get_vector(from, i), duckdb_data_chunk_get_vector(h->chunk, i), sel, 1, 0,
                               h->rows);
    duckdb_destroy_selection_vector(sel);
    h->rows++;
}

/* Without groups a chunk is held as it is; the one being sent is then the last. */
static bool holds_chunks(const PythonTalk *t)
{
    return t->spec.layout.held && t->spec.layout.group < 0;
}

/* ---- sending ---- */

static bool next_chunk(PythonTalk *t, Error *err)
{
    if (t->chunk && !holds_chunks(t))
        duckdb_destroy_data_chunk(&t->chunk);
    t->chunk = NULL;
    t->rows = t->at = 0;
    TRY(execution_next_chunk(t->query, &t->chunk, err));
    t->query_ended = !t->chunk;
    t->rows = t->chunk ? duckdb_data_chunk_get_size(t->chunk) : 0;
    if (t->chunk && holds_chunks(t))
        hold(t, t->chunk, t->rows);
    return true;
}

static idx_t first_column(const PythonTalk *t, int side)
{
    return t->spec.layout.held + (side ? t->spec.layout.sent[0] : 0);
}

/* Rows that still fit the batch. */
static idx_t room(const PythonTalk *t, int side)
{
    int64_t left = t->spec.batch_rows - arrow_out_rows(t->out[side]);
    return left < 1 ? 1 : (idx_t)left;
}

static bool is_full(const PythonTalk *t, int side)
{
    return arrow_out_rows(t->out[side]) >= t->spec.batch_rows ||
           (int64_t)arrow_out_bytes(t->out[side]) >= t->spec.batch_bytes;
}

static bool feed_rows(PythonTalk *t, Error *err)
{
    Buf *b = python_input(t->run);
    if (!t->started)
        arrow_out_put_schema(t->out[0], b);
    t->started = true;
    while (!is_full(t, 0)) {
        if (t->at == t->rows)
            TRY(next_chunk(t, err));
        if (t->query_ended)
            break;
        idx_t n = t->rows - t->at, fits = room(t, 0);
        n = n < fits ? n : fits;
        TRY(arrow_out_append_from(t->out[0], t->chunk, first_column(t, 0), t->at, n, err));
        t->at += n;
    }
    if (arrow_out_rows(t->out[0]))
        TRY(arrow_out_put_batch(t->out[0], b, err));
    if (t->query_ended) {
        arrow_out_put_end(b);
        python_end_input(t->run);
    }
    return true;
}

/* ---- sending groups: a stream a side, each group behind the number of its streams ---- */

static bool has_sides(const PythonTalk *t)
{
    return t->spec.layout.side >= 0;
}

static void open_side(PythonTalk *t, int side)
{
    t->side = side;
    t->side_batches = 0;
    arrow_out_put_schema(t->out[side], python_input(t->run));
}

/* Readers of the other side take the schema from a batch, so that there is always one. */
static bool close_side(PythonTalk *t, Error *err)
{
    if (arrow_out_rows(t->out[t->side]) || !t->side_batches)
        TRY(arrow_out_put_batch(t->out[t->side], python_input(t->run), err));
    arrow_out_put_end(python_input(t->run));
    return true;
}

static void open_group(PythonTalk *t, int64_t group)
{
    t->in_group = true;
    t->group = group;
    python_put_int(python_input(t->run), has_sides(t) ? 2 : 1);
    open_side(t, 0);
}

static bool to_side(PythonTalk *t, int side, Error *err)
{
    if (t->side == side)
        return true;
    TRY(close_side(t, err));
    open_side(t, side);
    return true;
}

static bool close_group(PythonTalk *t, Error *err)
{
    if (!t->in_group)
        return true;
    if (has_sides(t))
        TRY(to_side(t, 1, err));
    t->in_group = false;
    return close_side(t, err);
}

static int64_t cell_number(PythonTalk *t, ptrdiff_t column, idx_t row)
{
    const int32_t *data = duckdb_vector_get_data(duckdb_data_chunk_get_vector(t->chunk, (idx_t)column));
    return data[row];
}

/* The rows from `at` on that belong to the same group and side. */
static idx_t run_length(PythonTalk *t, int64_t group, int side)
{
    idx_t n = 1;
    while (t->at + n < t->rows && cell_number(t, t->spec.layout.group, t->at + n) == group &&
           (!has_sides(t) || cell_number(t, t->spec.layout.side, t->at + n) == side))
        n++;
    return n;
}

static bool feed_run(PythonTalk *t, Error *err)
{
    int64_t group = cell_number(t, t->spec.layout.group, t->at);
    int side = has_sides(t) ? (int)cell_number(t, t->spec.layout.side, t->at) : 0;
    if (!t->in_group || group != t->group) {
        TRY(close_group(t, err));
        open_group(t, group);
        if (t->spec.layout.held)
            hold_row(t, t->chunk, t->at);
    }
    TRY(to_side(t, side, err));
    idx_t n = run_length(t, group, side), fits = room(t, side);
    n = n < fits ? n : fits;
    TRY(arrow_out_append_from(t->out[side], t->chunk, first_column(t, side), t->at, n, err));
    t->at += n;
    if (!is_full(t, side))
        return true;
    t->side_batches++;
    return arrow_out_put_batch(t->out[side], python_input(t->run), err);
}

static bool feed_groups(PythonTalk *t, Error *err)
{
    Buf *b = python_input(t->run);
    while (!t->query_ended && b->len < FEED_BYTES) {
        if (t->at == t->rows)
            TRY(next_chunk(t, err));
        else
            TRY(feed_run(t, err));
    }
    if (!t->query_ended)
        return true;
    TRY(close_group(t, err));
    python_put_int(b, 0);
    python_end_input(t->run);
    return true;
}

static bool feed(PythonTalk *t, Error *err)
{
    return t->spec.layout.group < 0 ? feed_rows(t, err) : feed_groups(t, err);
}

/* ---- opening and closing ---- */

bool python_talk_open(const PythonTalkSpec *spec, PythonTalk **out, Error *err)
{
    Arena *arena = arena_new();
    PythonTalk *t = ARENA_NEW(arena, PythonTalk);
    t->spec = *spec;
    t->arena = arena;
    bool ok = python_start(spec->engine->python, spec->job, &t->run, err) &&
              engine_start(spec->engine, spec->input, spec->run, &t->query, err);
    for (int i = 0; ok && i < 2; i++)
        if (spec->sent[i])
            ok = arrow_out_new(spec->sent[i], spec->run->func->zone, arena, &t->out[i], err);
    if (!ok) {
        python_talk_close(t);
        return false;
    }
    *out = t;
    return true;
}

void python_talk_close(PythonTalk *t)
{
    arrow_batches_close(&t->in);
    python_end(t->run);
    while (t->first)
        drop_first(t);
    if (t->chunk && !holds_chunks(t))
        duckdb_destroy_data_chunk(&t->chunk);
    for (int i = 0; i < 2; i++)
        arrow_out_free(t->out[i]);
    execution_free(t->query);
    arena_free(t->arena);
}

/* ---- receiving ---- */

static bool goes_on(void *arg, Error *err)
{
    return cancel_check(arg, err);
}

bool python_talk_next(PythonTalk *t, int64_t *rows, Error *err)
{
    PythonWatch watch = {goes_on, t->spec.run->cancel};
    for (;;) {
        bool more;
        TRY(arrow_batches_next(&t->in, &more, err));
        *rows = more ? t->in.view.length - t->in.taken : 0;
        if (more)
            return true;
        PythonEvent event;
        Str bytes;
        TRY(python_next(t->run, &watch, &event, &bytes, err));
        switch (event) {
        case PYTHON_WANTS_INPUT:
            TRY(feed(t, err));
            break;
        case PYTHON_BATCH:
            TRY(arrow_batches_open(&t->in, bytes, err));
            break;
        case PYTHON_FRAME:
            return error_set(err, ERR_PYTHON_EXCEPTION, PZ("msg", "The Python worker's answer cannot be read"),
                             PZ("traceback", "pickled rows where Arrow batches were expected"));
        case PYTHON_DONE:
            return true;
        }
    }
}

static const struct ArrowArrayView *result_columns(const PythonTalk *t, const struct ArrowSchema **schema)
{
    const struct ArrowArrayView *view = &t->in.view;
    *schema = &t->in.schema;
    if (t->spec.kind->struct_out && view->n_children == 1) {
        view = view->children[0];
        *schema = (*schema)->children[0];
    }
    return view;
}

size_t python_talk_width(const PythonTalk *t)
{
    const struct ArrowSchema *schema;
    return (size_t)result_columns(t, &schema)->n_children;
}

bool python_talk_result(PythonTalk *t, size_t column, idx_t count, const Type *type, duckdb_vector to, Error *err)
{
    const struct ArrowSchema *schema;
    const struct ArrowArrayView *view = result_columns(t, &schema);
    return arrow_in_copy(view->children[column], schema->children[column], view->offset + t->in.taken, count, to, 0, type,
                         t->spec.run->func->zone, err);
}

idx_t python_talk_held_rows(const PythonTalk *t)
{
    if (!t->first)
        return 0;
    /* Of a chunk on its way only what was sent can have results. */
    idx_t known = t->first->chunk == t->chunk ? t->at : t->first->rows;
    return known - t->first->taken;
}

void python_talk_held(PythonTalk *t, size_t column, idx_t count, duckdb_vector to)
{
    duckdb_vector from = duckdb_data_chunk_get_vector(t->first->chunk, column);
    if (!t->first->taken && count == t->first->rows) {
        duckdb_vector_reference_vector(to, from);
        return;
    }
    duckdb_selection_vector sel = duckdb_create_selection_vector(count);
    for (idx_t i = 0; i < count; i++)
        duckdb_selection_vector_get_data_ptr(sel)[i] = (sel_t)(t->first->taken + i);
    duckdb_vector_copy_sel(from, to, sel, count, 0, 0);
    duckdb_destroy_selection_vector(sel);
}

void python_talk_advance(PythonTalk *t, idx_t count)
{
    t->in.taken += (int64_t)count;
    if (!t->first)
        return;
    t->first->taken += count;
    /* A chunk of groups' keys still takes rows until it is full. */
    bool whole = holds_chunks(t) || t->query_ended || t->first->rows == duckdb_vector_size();
    if (t->first->taken < t->first->rows || !whole)
        return;
    if (t->first->chunk == t->chunk) {
        t->chunk = NULL;
        t->rows = t->at = 0;
    }
    drop_first(t);
}
