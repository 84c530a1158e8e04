/* A Python relation as a source of rows: the query below it, the worker's job, and what comes out as columns. */
#include "engine/python_source.h"

#include <dirent.h>

#include "engine/engine_impl.h"
#include "engine/render_impl.h"
#include "func/func.h"
#include "type/type.h"

static const PythonKind kinds[] = {
    {101, PYTHON_SCALAR, .shares = true},
    {200, PYTHON_SCALAR, .shares = true},
    {204, PYTHON_SCALAR},
    {250, PYTHON_SCALAR, .shares = true},
    {251, PYTHON_SCALAR},
    {205, PYTHON_MAP, .struct_in = true, .struct_out = true},
    {207, PYTHON_MAP, .struct_in = true, .struct_out = true},
    {201, PYTHON_GROUP, .struct_out = true},
    {216, PYTHON_GROUP, .struct_out = true},
    {209, PYTHON_GROUP, .struct_in = true, .struct_out = true},
    {215, PYTHON_GROUP, .struct_in = true, .struct_out = true},
    {206, PYTHON_COGROUP, .struct_out = true},
    {210, PYTHON_COGROUP, .struct_out = true},
    {202, PYTHON_AGGREGATE, .shares = true},
    {217, PYTHON_AGGREGATE},
    {252, PYTHON_AGGREGATE, .shares = true},
    {254, PYTHON_AGGREGATE},
};

const PythonKind *python_kind(int eval_type)
{
    for (size_t i = 0; i < LENGTH_OF(kinds); i++)
        if (kinds[i].eval_type == eval_type)
            return &kinds[i];
    return NULL;
}

bool python_kind_shares(int eval_type)
{
    const PythonKind *kind = python_kind(eval_type);
    return kind && kind->shares;
}

/* Above the ids of lifted calls: columns that only the inner query has. */
enum { FIRST_INNER_ID = (1 << 30) + (1 << 29), OPEN_ROWS = 10000 };

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

/* ---- the inner query ---- */

typedef struct Inner {
    PythonState *state;
    Arena *arena;
    BoundRel *project;
    ColumnId last_id;
    PythonLayout layout;
    const Type *sent[2];
} Inner;

static ColumnId add_column(Inner *in, BoundExpr *e, Str name)
{
    BoundColumn c = {.id = ++in->last_id, .name = name, .type = e->type, .nullable = e->nullable};
    BoundItem item = {e, c.id};
    vec_push(in->arena, &in->project->project.items, item);
    vec_push(in->arena, &in->project->columns, c);
    return c.id;
}

static BoundExpr *struct_of(const BoundColumnVec *columns, Arena *arena)
{
    BoundExpr *s = bound_new(BEXPR_STRUCT, NULL, false, arena);
    Field *fields = ARENA_ARRAY(arena, Field, columns->len + 1);
    size_t n = 0;
    for (size_t i = 0; i < columns->len; i++) {
        const BoundColumn *c = &columns->at[i];
        if (c->hidden)
            continue;
        fields[n++] = (Field){c->name, c->type, c->nullable, S("")};
        vec_push(arena, &s->structure.children, bound_column(c, arena));
    }
    s->type = type_struct(fields, n, arena);
    return s;
}

/* The place of an argument among those already sent; a column is sent once. */
static ptrdiff_t sent_before(const Inner *in, const BoundExpr *e)
{
    size_t from = in->layout.held;
    for (size_t i = from; i < in->project->project.items.len; i++) {
        const BoundExpr *x = in->project->project.items.at[i].expr;
        if (x == e || (x->kind == BEXPR_COLUMN && e->kind == BEXPR_COLUMN && x->column.id == e->column.id))
            return (ptrdiff_t)(i - from);
    }
    return -1;
}

static void close_sent(Inner *in)
{
    size_t from = in->layout.held, n = in->project->columns.len - from;
    Field *fields = ARENA_ARRAY(in->arena, Field, n + 1);
    for (size_t i = 0; i < n; i++) {
        const BoundColumn *c = &in->project->columns.at[from + i];
        fields[i] = (Field){c->name, c->type, c->nullable, S("")};
    }
    in->sent[0] = type_struct(fields, n, in->arena);
    in->layout.sent[0] = n;
}

/* ---- functions, as the worker reads them ---- */

static void put_function(Buf *b, const PythonFunction *f)
{
    python_put_int(b, 1);
    python_put_text(b, f->command);
    python_put_long(b, 0); /* the profiler's id of the result */
}

/* Arguments of scalar and aggregating functions, each sent as a column "_0", "_1", .. */
static void send_arguments(Inner *in, const BoundItemVec *calls, Buf *b)
{
    python_put_int(b, (int32_t)calls->len);
    for (size_t i = 0; i < calls->len; i++) {
        const BoundExpr *call = calls->at[i].expr;
        python_put_int(b, (int32_t)call->python.args.len);
        for (size_t k = 0; k < call->python.args.len; k++) {
            BoundExpr *arg = call->python.args.at[k];
            ptrdiff_t at = sent_before(in, arg);
            if (at < 0) {
                at = (ptrdiff_t)(in->project->columns.len - in->layout.held);
                add_column(in, arg, str_printf(in->arena, "_%zd", at));
            }
            Str name = k < call->python.names.len ? call->python.names.at[k] : S("");
            python_put_int(b, (int32_t)at);
            python_put_bool(b, name.len > 0);
            if (name.len)
                python_put_text(b, name);
        }
        put_function(b, call->python.function);
    }
    close_sent(in);
}

/* The whole row under the columns' own names. */
static void send_row(Inner *in, const PythonSource *s, Buf *b)
{
    add_column(in, struct_of(&s->rel->input->columns, in->arena), S("_0"));
    python_put_int(b, 1);
    python_put_int(b, 1);
    python_put_int(b, 0);
    python_put_bool(b, false);
    put_function(b, s->rel->python.calls.at[0].expr->python.function);
    close_sent(in);
}

/* ---- opening ---- */

static void plan_inner(Inner *in, const PythonSource *s, Buf *functions)
{
    PythonState *state = in->state;
    in->project = brel_new(BREL_PROJECT, s->rel->input, in->arena);
    in->layout = (PythonLayout){.group = -1, .side = -1};
    for (size_t i = 0; i < state->count; i++) {
        if (state->wanted[i].kind != FROM_HELD)
            continue;
        const BoundColumn *c = &s->rel->columns.at[state->wanted[i].index];
        add_column(in, bound_column(c, in->arena), c->name);
        state->wanted[i].index = in->layout.held++;
    }
    if (s->kind->shape == PYTHON_SCALAR)
        send_arguments(in, &s->rel->python.calls, functions);
    else
        send_row(in, s, functions);
    if (!in->project->columns.len)
        add_column(in, bound_literal(value_bool(true), in->arena), S("_"));
}

static BoundRel *with_ctes(BoundRel *rel, const CteScope *scope, Arena *arena)
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
    Inner in = {.state = state, .arena = state->arena, .last_id = FIRST_INNER_ID};
    Buf functions = buf_in(state->arena);
    plan_inner(&in, s, &functions);
    state->held = in.layout.held;
    state->job = s->job;
    state->job.functions = buf_str(&functions);
    add_pair(&state->job.eval_conf, "input_type", type_json(in.sent[0], state->arena), state->arena);
    PythonTalkSpec spec = {
        .engine = s->engine,
        .input = with_ctes(in.project, s->ctes, state->arena),
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
    size_t outputs = s->rel->columns.len;
    if (column >= outputs)
        return (Wanted){.kind = FROM_NOWHERE};
    const Type *type = s->rel->columns.at[column].type;
    size_t before = s->kind->shape == PYTHON_SCALAR      ? outputs - s->rel->python.calls.len
                    : s->kind->shape == PYTHON_AGGREGATE ? s->rel->python.keys.len
                                                         : 0;
    if (column < before)
        return (Wanted){FROM_HELD, column, type};
    return (Wanted){FROM_RESULT, column - before, type};
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
    state->width = s->kind->shape == PYTHON_SCALAR || s->kind->shape == PYTHON_AGGREGATE ? s->rel->python.calls.len
                                                                                         : s->rel->columns.len;
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
    if (python_talk_width(state->talk) != state->width)
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
    job->eval_type = f->eval_type;
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
    if (!n)
        return error_unsupported(err, "A Python function that gives no columns");
    s->source = (RowSource){
        .schema = type_struct(fields, n, r->arena),
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
