/* One running query: its SQL on a connection of its own, rows taken as they come, stopped when
 * asked. */
#include "engine/execution.h"

#include <sched.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/arrow_out.h"
#include "engine/engine_impl.h"
#include "engine/render.h"
#include "engine/site.h"

enum {
    BATCH_ROWS = 65536,
    BATCH_BYTES = 4 << 20,
    CAREFUL_ROWS = 64, /* taken at once while rows may be large */
    DEEP_PLAN = 60,    /* levels from which planning gets a stack of its own */
    STACK_PER_LEVEL = 96 << 10,
    STACK_BASE = 16 << 20
};

struct Execution {
    Engine *engine;
    Arena *arena;
    Resources *resources;
    Cancel *cancel;
    duckdb_connection connection;
    duckdb_prepared_statement statement;
    duckdb_result result;
    bool has_result, ended, failed;
    duckdb_data_chunk chunk;
    idx_t chunk_rows, taken;
    const Type *schema;
    Str zone;
    ArrowOut *arrow;
    const BoundRel *rel;
    RunContext run;      /* for another run that finds out where an error was raised */
    FuncContext func;
    struct Marks *marks; /* of such a run */
};

/* ---- deep plans ---- */

typedef struct DeepCall {
    bool (*call)(void *arg, Error *err);
    void *arg;
    Error *err;
    bool ok;
} DeepCall;

static void *deep_main(void *p)
{
    DeepCall *c = p;
    c->ok = c->call(c->arg, c->err);
    return NULL;
}

bool call_with_depth(size_t depth, bool (*call)(void *arg, Error *err), void *arg, Error *err)
{
    if (depth < DEEP_PLAN)
        return call(arg, err);
    if (depth > RENDER_MAX_DEPTH)
        return error_set(err, ERR_LAKESHED_PLAN_TOO_DEEP,
                         P("limit", str_printf(err->arena, "%d", RENDER_MAX_DEPTH)));
    DeepCall c = {call, arg, err, false};
    pthread_attr_t attr;
    pthread_t thread;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BASE + depth * STACK_PER_LEVEL);
    int code = pthread_create(&thread, &attr, deep_main, &c);
    pthread_attr_destroy(&attr);
    if (code)
        return error_internal(err, "no thread for a plan of %zu levels", depth);
    pthread_join(thread, NULL);
    return c.ok;
}

/* ---- starting ---- */

/* Rests longer and longer, up to half a millisecond: other threads have the work. */
static void rest(unsigned turn)
{
    enum { YIELDS = 64, STEPS = 5 };
    if (turn < YIELDS) {
        sched_yield();
        return;
    }
    unsigned step = turn - YIELDS < STEPS ? turn - YIELDS : STEPS;
    struct timespec pause = {.tv_nsec = 16000L << step};
    nanosleep(&pause, NULL);
}

/* Takes part in a query until it has a result. duckdb_execute_pending alone would burn a core while every task is with
 * other threads. */
static void help_until_ready(duckdb_pending_result pending)
{
    unsigned idle = 0;
    for (;;) {
        duckdb_pending_state state = duckdb_pending_execute_task(pending);
        if (state == DUCKDB_PENDING_NO_TASKS_AVAILABLE)
            rest(idle++);
        else if (state == DUCKDB_PENDING_RESULT_NOT_READY)
            idle = 0;
        else
            return;
    }
}

bool run_prepared(duckdb_prepared_statement statement, const Cancel *cancel, bool streaming,
                  duckdb_result *out, bool *has_result, Error *err)
{
    duckdb_pending_result pending;
    duckdb_state state = streaming ? duckdb_pending_prepared_streaming(statement, &pending)
                                   : duckdb_pending_prepared(statement, &pending);
    if (state != DuckDBSuccess) {
        engine_failure(DUCKDB_ERROR_INVALID, duckdb_pending_error(pending), err);
        duckdb_destroy_pending(&pending);
        return false;
    }
    /* From here on an interrupt reaches this query; a flag raised before is seen now. */
    bool ok = cancel_check(cancel, err);
    if (ok) {
        *has_result = true;
        help_until_ready(pending);
        ok = duckdb_execute_pending(pending, out) == DuckDBSuccess ||
             engine_result_failure(out, err);
    }
    duckdb_destroy_pending(&pending);
    return ok;
}

bool run_sql(duckdb_connection connection, Str sql, const Cancel *cancel, duckdb_result *out,
             bool *has_result, Error *err)
{
    duckdb_prepared_statement statement = NULL;
    bool ok = duckdb_prepare(connection, sql.ptr, &statement) == DuckDBSuccess ||
              engine_failure(DUCKDB_ERROR_INVALID, duckdb_prepare_error(statement), err);
    ok = ok && run_prepared(statement, cancel, false, out, has_result, err);
    duckdb_destroy_prepare(&statement);
    return ok;
}

static bool prepare(Execution *x, Str sql, Error *err)
{
    if (x->statement)
        duckdb_destroy_prepare(&x->statement);
    if (duckdb_prepare(x->connection, sql.ptr, &x->statement) == DuckDBSuccess)
        return true;
    return engine_failure(DUCKDB_ERROR_INVALID, duckdb_prepare_error(x->statement), err);
}

static bool columns_fit(Execution *x)
{
    size_t n = x->schema->structure.count;
    if (duckdb_prepared_statement_column_count(x->statement) != (n ? n : 1))
        return false;
    for (size_t i = 0; i < n; i++) {
        duckdb_logical_type t = duckdb_prepared_statement_column_logical_type(x->statement, i);
        bool same = logical_type_is(t, x->schema->structure.fields[i].type);
        duckdb_destroy_logical_type(&t);
        if (!same)
            return false;
    }
    return true;
}

/* A template whose result is not of the row's type is brought to it, so that a reader never sees
 * foreign vectors. */
static Str cast_columns(Execution *x, Str sql)
{
    Buf b = buf_in(x->arena), names = buf_in(x->arena);
    buf_addz(&b, "SELECT ");
    for (size_t i = 0; i < x->schema->structure.count; i++) {
        buf_addf(&b, "%sCAST(x%zu AS " STR_FMT ")", i ? ", " : "", i,
                 STR_ARG(type_duckdb(x->schema->structure.fields[i].type, x->arena)));
        buf_addf(&names, "%sx%zu", i ? ", " : "", i);
    }
    buf_addf(&b, " FROM (" STR_FMT ") AS q(" STR_FMT ")", STR_ARG(sql), STR_ARG(buf_str(&names)));
    return buf_str(&b);
}

typedef struct Start {
    Execution *x;
    const BoundRel *rel;
    const FuncContext *func;
} Start;

static bool start(void *arg, Error *err)
{
    Start *s = arg;
    Execution *x = s->x;
    Render r = {.func = *s->func, .arena = x->arena, .resources = x->resources,
                .engine = x->engine, .cancel = x->cancel, .marks = x->marks};
    r.func.arena = x->arena;
    Str sql;
    int64_t began = clock_monotonic_us();
    r.unused = unused_columns(s->rel, x->arena);
    TRY(render_query(&r, s->rel, &sql, err));
    TRY(cancel_check(x->cancel, err));
    int64_t rendered = clock_monotonic_us();
    TRY(prepare(x, sql, err));
    log_debug("engine: %zu bytes of SQL rendered in %lld us, planned in %lld us", sql.len, (long long)(rendered - began),
              (long long)(clock_monotonic_us() - rendered));
    if (x->schema->structure.count && !columns_fit(x)) {
        TRY(prepare(x, cast_columns(x, sql), err));
        if (!columns_fit(x))
            return error_internal(err, "the columns of a query are not of the planned types");
    }
    return run_prepared(x->statement, x->cancel, true, &x->result, &x->has_result, err);
}

bool execution_start(Engine *e, const BoundRel *rel, const RunContext *ctx, struct Marks *marks, Execution **out,
                     Error *err)
{
    TRY(cancel_check(ctx->cancel, err));
    duckdb_connection connection;
    TRY(engine_acquire(e, &connection, err));
    Arena *arena = arena_new();
    Execution *x = ARENA_NEW(arena, Execution);
    x->engine = e;
    x->arena = arena;
    x->resources = resources_new(arena);
    x->connection = connection;
    x->schema = brel_schema(rel, arena);
    x->zone = str_copy(ctx->func->zone, arena);
    x->cancel = ctx->cancel;
    x->rel = rel;
    x->func = *ctx->func;
    x->run = (RunContext){.func = &x->func, .cancel = ctx->cancel};
    x->marks = marks;
    if (marks)
        marks_attach(marks, x->resources);
    if (x->cancel) {
        cancel_ref(x->cancel);
        cancel_attach(x->cancel, connection);
    }
    Start s = {x, rel, ctx->func};
    if (!call_with_depth(plan_depth(rel), start, &s, err)) {
        x->failed = true;
        execution_free(x);
        return false;
    }
    *out = x;
    return true;
}

bool engine_start(Engine *e, const BoundRel *rel, const RunContext *ctx, Execution **out,
                  Error *err)
{
    return execution_start(e, rel, ctx, NULL, out, err) || engine_locate(e, rel, ctx, err);
}

void execution_free(Execution *x)
{
    if (!x)
        return;
    arrow_out_free(x->arrow);
    if (x->chunk)
        duckdb_destroy_data_chunk(&x->chunk);
    if (x->cancel)
        cancel_detach(x->cancel, x->connection);
    bool clean = !x->failed && (x->ended || !x->has_result);
    if (!clean && x->has_result)
        duckdb_interrupt(x->connection);
    if (x->has_result)
        duckdb_destroy_result(&x->result);
    if (x->statement)
        duckdb_destroy_prepare(&x->statement);
    engine_release(x->engine, x->connection, clean);
    cancel_unref(x->cancel);
    resources_free(x->resources);
    arena_free(x->arena);
}

const Type *execution_schema(const Execution *x) { return x->schema; }

/* ---- taking rows ---- */

/* Makes the next chunk with rows current; *more is false at the end. */
static bool next_chunk(Execution *x, bool *more, Error *err)
{
    *more = true;
    while (x->taken >= x->chunk_rows) {
        if (x->chunk)
            duckdb_destroy_data_chunk(&x->chunk);
        x->chunk = NULL;
        x->chunk_rows = x->taken = 0;
        if (x->ended || !cancel_check(x->cancel, err)) {
            *more = false;
            return x->ended;
        }
        x->chunk = duckdb_fetch_chunk(x->result);
        if (!x->chunk) {
            *more = false;
            const char *message = duckdb_result_error(&x->result);
            x->failed = message && message[0];
            x->ended = !x->failed;
            if (x->ended)
                return true;
            engine_result_failure(&x->result, err);
            return x->marks ? false : engine_locate(x->engine, x->rel, &x->run, err);
        }
        x->chunk_rows = duckdb_data_chunk_get_size(x->chunk);
    }
    return true;
}

bool execution_next_chunk(Execution *x, duckdb_data_chunk *out, Error *err)
{
    bool more;
    x->taken = x->chunk_rows;
    *out = NULL;
    TRY(next_chunk(x, &more, err));
    if (more) {
        *out = x->chunk;
        x->chunk = NULL;
        x->chunk_rows = 0;
    }
    return true;
}

/* Small steps until the rows are known to be small. */
static idx_t rows_to_take(const Execution *x)
{
    idx_t left = x->chunk_rows - x->taken;
    int64_t have = arrow_out_rows(x->arrow);
    idx_t room = (idx_t)(BATCH_ROWS - have);
    size_t per_row = have ? arrow_out_bytes(x->arrow) / (size_t)have : BATCH_BYTES / CAREFUL_ROWS;
    if (per_row * left > BATCH_BYTES / 8 && left > CAREFUL_ROWS)
        left = CAREFUL_ROWS;
    return left < room ? left : room;
}

bool execution_next_ipc(Execution *x, Buf *ipc, int64_t *rows, Error *err)
{
    *rows = 0;
    if (!x->arrow)
        TRY(arrow_out_new(x->schema, x->zone, x->arena, &x->arrow, err));
    while (arrow_out_rows(x->arrow) < BATCH_ROWS && arrow_out_bytes(x->arrow) < BATCH_BYTES) {
        bool more;
        TRY(next_chunk(x, &more, err));
        if (!more)
            break;
        idx_t n = rows_to_take(x);
        TRY(arrow_out_append(x->arrow, x->chunk, x->taken, n, err));
        x->taken += n;
    }
    *rows = arrow_out_rows(x->arrow);
    return *rows ? arrow_out_finish(x->arrow, true, ipc, err) : true;
}

bool execution_empty_ipc(Execution *x, Buf *ipc, Error *err)
{
    if (!x->arrow)
        TRY(arrow_out_new(x->schema, x->zone, x->arena, &x->arrow, err));
    return arrow_out_finish(x->arrow, true, ipc, err);
}

bool execution_next_rows(Execution *x, Arena *arena, RowVec *rows, Error *err)
{
    rows->len = 0;
    bool more;
    TRY(next_chunk(x, &more, err));
    if (!more)
        return true;
    size_t n = x->schema->structure.count;
    for (; x->taken < x->chunk_rows; x->taken++) {
        Row row = {ARENA_ARRAY(arena, Value, n ? n : 1)};
        for (size_t i = 0; i < n; i++)
            TRY(vector_cell(duckdb_data_chunk_get_vector(x->chunk, i), x->taken,
                            x->schema->structure.fields[i].type, arena, &row.cells[i], err));
        vec_push(arena, rows, row);
    }
    return true;
}

bool engine_rows(Engine *e, const BoundRel *rel, const RunContext *ctx, size_t max_rows,
                 Arena *arena, RowVec *rows, Error *err)
{
    Execution *x;
    TRY(engine_start(e, rel, ctx, &x, err));
    *rows = (RowVec){0};
    bool ok = true;
    for (;;) {
        RowVec some = {0};
        ok = execution_next_rows(x, arena, &some, err);
        if (!ok || !some.len)
            break;
        if (rows->len + some.len > max_rows) {
            ok = error_unsupported(err, "An inner query with more than %zu rows", max_rows);
            break;
        }
        for (size_t i = 0; i < some.len; i++)
            vec_push(arena, rows, some.at[i]);
    }
    execution_free(x);
    return ok;
}

static Str string_in(const duckdb_string_t *s)
{
    duckdb_string_t text = *s;
    return (Str){duckdb_string_is_inlined(text) ? s->value.inlined.inlined : s->value.pointer.ptr,
                 duckdb_string_t_length(text)};
}

static bool visit_positions(duckdb_data_chunk chunk, PositionVisit visit, void *arg, Error *err)
{
    size_t n = duckdb_data_chunk_get_size(chunk);
    const duckdb_string_t *files = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
    const int64_t *rows = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 1));
    for (size_t i = 0, next; i < n; i = next) {
        Str file = string_in(&files[i]);
        for (next = i + 1; next < n && str_eq(string_in(&files[next]), file);)
            next++;
        TRY(visit(arg, file, rows + i, next - i, err));
    }
    return true;
}

bool engine_positions(Engine *e, const BoundRel *rel, const RunContext *ctx, PositionVisit visit,
                      void *arg, Error *err)
{
    Execution *x;
    TRY(engine_start(e, rel, ctx, &x, err));
    bool ok;
    for (;;) {
        duckdb_data_chunk chunk;
        ok = execution_next_chunk(x, &chunk, err);
        if (!ok || !chunk)
            break;
        ok = visit_positions(chunk, visit, arg, err);
        duckdb_destroy_data_chunk(&chunk);
        if (!ok)
            break;
    }
    execution_free(x);
    return ok;
}

/* ---- text only ---- */

typedef struct Explain {
    const BoundRel *rel;
    const FuncContext *func;
    Arena *arena;
    Str *sql;
} Explain;

static bool explain(void *arg, Error *err)
{
    Explain *x = arg;
    Render r = {.func = *x->func, .arena = x->arena};
    r.func.arena = x->arena;
    return render_query(&r, x->rel, x->sql, err);
}

bool engine_render(const BoundRel *rel, const FuncContext *ctx, Arena *arena, Str *sql, Error *err)
{
    Explain x = {rel, ctx, arena, sql};
    return call_with_depth(plan_depth(rel), explain, &x, err);
}
