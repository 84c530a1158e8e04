/* A Python relation as a source of rows: the query below it, the worker's job, and what comes out as columns. */
#include "engine/python_source.h"

#include <dirent.h>

#include "engine/engine_impl.h"
#include "engine/render_impl.h"
#include "func/func.h"
#include "type/type.h"

/* One column a call, beside others; otherwise one call gives whole rows. */
static bool python_gives_columns(PythonShape shape)
{
    return shape == PYTHON_SCALAR || shape == PYTHON_AGGREGATE;
}

typedef struct PythonSource {
    RowSource source;
    const BoundRel *rel;
    const PythonKind *kind;
    Engine *engine;
    FuncContext func;      /* of the query; its settings were read */
    Cancel *cancel;
    const CteScope *ctes;
    PythonJob job;         /* without the functions, which depend on the wanted columns */
    int64_t batch_rows, batch_bytes;
} PythonSource;

/* What an outer column is filled from. */
typedef struct Wanted {
    enum { FROM_HELD, FROM_RESULT, FROM_NOWHERE } kind;
    size_t index;
    const Type *type;
} Wanted;

typedef struct PythonState {
    PythonSource *source;
    Arena *arena;
    Wanted *wanted;
    size_t count;
    PythonTalk *talk;
    FuncContext func;
    RunContext run;
    PythonJob job;
    size_t held;
    size_t width;          /* columns of a result */
} PythonState;

BoundRel *plan_with_ctes(BoundRel *rel, const CteScope *scope, Arena *arena)
{
    for (; scope; scope = scope->outer) {
        BoundRel *cte = brel_new(BREL_CTE, rel, arena);
        cte->cte = scope->cte->cte;
        cte->columns = rel->columns;
        rel = cte;
    }
    return rel;
}

static void add_pair(KeyValueVec *pairs, const char *key, Str value, Arena *arena)
{
    KeyValue pair = {.key = str_from(key), .value = value};
    vec_push(arena, pairs, pair);
}

static bool start_talk(PythonState *state, Error *err)
{
    PythonSource *s = state->source;
    size_t *held = ARENA_ARRAY(state->arena, size_t, state->count + 1);
    for (size_t i = 0; i < state->count; i++) {
        if (state->wanted[i].kind != FROM_HELD)
            continue;
        held[state->held] = state->wanted[i].index;
        state->wanted[i].index = state->held++;
    }
    PythonInput in;
    python_plan_input(s->rel, s->kind, held, state->held, state->arena, &in);
    state->job = s->job;
    state->job.functions = in.functions;
    add_pair(&state->job.eval_conf, "input_type", type_json(in.sent[0], state->arena), state->arena);
    PythonTalkSpec spec = {
        .engine = s->engine,
        .input = plan_with_ctes(in.plan, s->ctes, state->arena),
        .layout = in.layout,
        .sent = {in.sent[0], in.sent[1]},
        .kind = s->kind,
        .job = &state->job,
        .run = &state->run,
        .batch_rows = s->batch_rows,
        .batch_bytes = s->batch_bytes,
    };
    return python_talk_open(&spec, &state->talk, err);
}

static Wanted wanted_column(const PythonSource *s, size_t column)
{
    if (column >= s->rel->columns.len)
        return (Wanted){.kind = FROM_NOWHERE};
    const BoundColumn *c = &s->rel->columns.at[column];
    if (!python_gives_columns(s->kind->shape))
        return (Wanted){FROM_RESULT, column, c->type};
    ptrdiff_t call = python_item(&s->rel->python.calls, c->id);
    return call >= 0 ? (Wanted){FROM_RESULT, (size_t)call, c->type} : (Wanted){FROM_HELD, column, c->type};
}

static void python_close(void *p)
{
    PythonState *state = p;
    if (state->talk)
        python_talk_close(state->talk);
    arena_free(state->arena);
}

static bool python_open(RowSource *source, const size_t *columns, size_t count, void **out, Error *err)
{
    PythonSource *s = (PythonSource *)source;
    Arena *arena = arena_new();
    PythonState *state = ARENA_NEW(arena, PythonState);
    *out = state;
    state->source = s;
    state->arena = arena;
    state->wanted = ARENA_ARRAY(arena, Wanted, count + 1);
    state->count = count;
    for (size_t i = 0; i < count; i++)
        state->wanted[i] = wanted_column(s, columns[i]);
    state->width = python_gives_columns(s->kind->shape) ? s->rel->python.calls.len : s->rel->columns.len;
    state->func = s->func;
    state->func.arena = arena;
    state->run = (RunContext){.func = &state->func, .cancel = s->cancel};
    return start_talk(state, err);
}

/* ---- rows out ---- */

static bool bad_width(const PythonState *state, Error *err)
{
    return error_set(err, ERR_PYTHON_EXCEPTION, PZ("msg", "The Python worker's answer cannot be read"),
                     P("traceback", str_printf(err->arena, "%zu columns where %zu were expected",
                                               python_talk_width(state->talk), state->width)));
}

static bool bad_count(Error *err)
{
    return error_set(err, ERR_PYTHON_EXCEPTION, PZ("msg", "The Python worker's answer cannot be read"),
                     PZ("traceback", "the number of results is not the number of rows"));
}

static bool python_fill(void *p, duckdb_data_chunk chunk, idx_t capacity, idx_t *rows, Error *err)
{
    PythonState *state = p;
    int64_t have;
    *rows = 0;
    TRY(python_talk_next(state->talk, &have, err));
    idx_t held = python_talk_held_rows(state->talk);
    if (!have)
        return !held || bad_count(err);
    /* Columns go by their place; more than declared are left out, as Spark does with those of mapInArrow. */
    if (python_talk_width(state->talk) < state->width)
        return bad_width(state, err);
    idx_t n = have < (int64_t)capacity ? (idx_t)have : capacity;
    if (state->held) {
        if (!held)
            return bad_count(err);
        n = n < held ? n : held;
    }
    for (size_t i = 0; i < state->count; i++) {
        const Wanted *w = &state->wanted[i];
        duckdb_vector to = duckdb_data_chunk_get_vector(chunk, i);
        if (w->kind == FROM_HELD)
            python_talk_held(state->talk, w->index, n, to);
        else if (w->kind == FROM_RESULT)
            TRY(python_talk_result(state->talk, w->index, n, w->type, to, err));
    }
    python_talk_advance(state->talk, n);
    *rows = n;
    return true;
}

/* ---- what the worker is told of the session ---- */

static const char *const told[] = {
    "spark.sql.legacy.execution.pandas.groupedMap.assignColumnsByName",
    "spark.sql.execution.arrow.useLargeVarTypes",
    "spark.sql.legacy.execution.pythonUDF.pandas.conversion.enabled",
    "spark.sql.legacy.execution.pythonUDTF.pandas.conversion.enabled",
    "spark.sql.execution.pyspark.binaryAsBytes",
    "spark.sql.execution.pandas.convertToArrowArraySafely",
    "spark.sql.execution.pythonUDF.pandas.intToDecimalCoercionEnabled",
    "spark.sql.execution.pythonUDF.pandas.preferIntExtensionDtype",
    "spark.sql.execution.arrow.maxRecordsPerBatch",
    "spark.sql.execution.pythonUDF.arrow.concurrency.level",
};

static bool setting(const Render *r, const char *key, Str *value)
{
    return r->func.setting && r->func.setting(r->func.self, key, value);
}

static int64_t setting_number(const Render *r, const char *key, int64_t otherwise)
{
    Str text;
    int64_t n;
    if (!setting(r, key, &text))
        return otherwise;
    if (str_ends_with(text, S("b")))
        text = str_slice(text, 0, text.len - 1);
    return str_to_i64(text, &n) && n > 0 ? n : otherwise;
}

/* Archives are put on the path one by one; plain modules are found in the folder. */
static void list_archives(PythonJob *job, Arena *arena)
{
    DIR *folder = job->files_folder.len ? opendir(job->files_folder.ptr) : NULL;
    for (struct dirent *e; folder && (e = readdir(folder));) {
        Str name = str_from(e->d_name);
        if (str_ends_with(name, S(".zip")) || str_ends_with(name, S(".egg")) || str_ends_with(name, S(".jar")))
            vec_push(arena, &job->includes, str_copy(name, arena));
    }
    if (folder)
        closedir(folder);
}

static void describe_job(Render *r, PythonSource *s, const PythonFunction *f)
{
    PythonJob *job = &s->job;
    Arena *a = r->arena;
    /* Functions made before their session was known ask for pickled rows; the same bytes serve for rows in Arrow. */
    job->eval_type = f->eval_type == PYTHON_EVAL_BATCHED ? PYTHON_EVAL_ARROW_BATCHED
                     : f->eval_type == PYTHON_EVAL_TABLE ? PYTHON_EVAL_TABLE_IN_ARROW
                                                         : f->eval_type;
    job->python_version = f->python_version;
    job->files_folder = str_copy(r->func.python_files, a);
    list_archives(job, a);
    /* What one session's modules left behind is no other's. */
    job->scope = job->files_folder.len
                     ? str_printf(a, "session " STR_FMT " %zu", STR_ARG(r->func.session), job->includes.len)
                     : str_printf(a, "user " STR_FMT, STR_ARG(r->func.current_user));
    add_pair(&job->conf, "spark.sql.session.timeZone", r->func.zone, a);
    for (size_t i = 0; i < LENGTH_OF(told); i++) {
        Str value;
        if (setting(r, told[i], &value))
            add_pair(&job->conf, told[i], str_copy(value, a), a);
    }
    s->batch_rows = setting_number(r, "spark.sql.execution.arrow.maxRecordsPerBatch", INT64_MAX);
    s->batch_bytes = setting_number(r, "spark.sql.execution.arrow.maxBytesPerBatch", 64 << 20);
}

/* ---- rendering ---- */

static bool refers_outside(BoundExpr **e, void *arg)
{
    return !((*e)->kind == BEXPR_COLUMN && (*e)->column.outer) && bound_each_child(*e, refers_outside, arg);
}

/* The inner query runs by itself: it has no row of an outer query. */
static bool stands_alone(BoundRel **rel, void *arg)
{
    return brel_each_expr(*rel, refers_outside, arg) && brel_each_input(*rel, stands_alone, arg);
}

static bool refuse(const BoundRel *rel, const PythonKind *kind, Error *err)
{
    const PythonFunction *f = rel->python.calls.at[0].expr->python.function;
    BoundRel *copy = (BoundRel *)rel;
    if (!kind || kind->shape != rel->python.shape)
        return error_unsupported(err, "A Python function of kind %d here (" STR_FMT ")", f->eval_type, STR_ARG(f->name));
    if (!stands_alone(&copy, NULL))
        return error_unsupported(err, "The Python function " STR_FMT " inside a correlated subquery", STR_ARG(f->name));
    return true;
}

bool render_python(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    size_t n = rel->columns.len;
    const PythonFunction *f = rel->python.calls.at[0].expr->python.function;
    const PythonKind *kind = python_kind(f->eval_type);
    TRY(refuse(rel, kind, err));
    if (r->engine && !r->engine->python)
        return error_unsupported(err, "Running Python functions in this program");
    PythonSource *s = ARENA_NEW(r->arena, PythonSource);
    Field *fields = ARENA_ARRAY(r->arena, Field, n + 1);
    const char **names = ARENA_ARRAY(r->arena, const char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        fields[i] = (Field){rel->columns.at[i].name, rel->columns.at[i].type, true, S("")};
        names[i] = str_printf(r->arena, "c%u", rel->columns.at[i].id).ptr;
    }
    if (!n) { /* foreachPartition: rows of no column, which DuckDB does not have */
        fields[0] = (Field){S("c0"), type_simple(TYPE_BOOLEAN), true, S("")};
        names[0] = "c0";
    }
    s->source = (RowSource){
        .schema = type_struct(fields, n ? n : 1, r->arena),
        .names = names,
        .row_estimate = -1,
        .open = python_open,
        .fill = python_fill,
        .close = python_close,
    };
    s->rel = rel;
    s->kind = kind;
    s->engine = r->engine;
    s->func = r->func;
    s->cancel = r->cancel;
    s->ctes = r->ctes;
    describe_job(r, s, f);
    uint64_t number = resources_add_source(r->resources, &s->source);
    out->from = rope_text(r->arena, str_printf(r->arena, "ls_rows(CAST(%llu AS UBIGINT))", (unsigned long long)number));
    return true;
}
