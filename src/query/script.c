/* A SQL script runs: blocks, control flow, handlers. Every statement is a query of its own that sees the script's variables. */
#include "plan/script.h"

#include <string.h>

#include "base/clock.h"
#include "query/query_impl.h"
#include "session/locals.h"

/* No script needs as many; one that never ends is cancelled by its client or ends here. */
enum { SCRIPT_MAX_STEPS = 50 * 1000 * 1000 };

/* A block that is running: its handlers, for errors of what it holds. */
typedef struct Frame {
    const ScriptStatement *block;
    LocalScope *locals;
    struct Frame *outer;
} Frame;

typedef enum FlowKind { FLOW_NEXT, FLOW_SKIP, FLOW_LEAVE, FLOW_ITERATE, FLOW_EXIT } FlowKind;

/* How a statement ended. SKIP: a handler took the error, and the statement counts as done. */
typedef struct Flow {
    FlowKind kind;
    Str label;               /* LEAVE, ITERATE */
    const Frame *frame;      /* EXIT: the block that ends */
} Flow;

typedef struct Script {
    Query *query;
    const Rel *rel;          /* the text and its parameters */
    Frame *frame;            /* innermost */
    LocalScope *locals;      /* innermost */
    Arena *result_arena;     /* holds what describes the rows that are kept; NULL: no query has run */
    BoundRel *result;
    int64_t steps;
} Script;

static bool run(Script *s, const ScriptStatement *st, Flow *flow, Error *err);

/* ---- results ---- */

static BoundRel *rows_rel(Str id, const BoundRel *from, Arena *arena)
{
    BoundRel *r = brel_new(BREL_STORED, NULL, arena);
    r->stored.id = id;
    for (size_t i = 0; i < from->columns.len; i++) {
        const BoundColumn *c = &from->columns.at[i];
        if (c->hidden)
            continue;
        BoundColumn copy = {.id = (ColumnId)r->columns.len + 1, .name = str_copy(c->name, arena), .type = type_copy(c->type, arena),
                            .nullable = c->nullable, .metadata = str_copy(c->metadata, arena)};
        vec_push(arena, &r->columns, copy);
    }
    r->stored.source = r->columns;
    return r;
}

/* The rows of the query are the script's answer, until the next query has some. */
static bool keep_rows(Script *s, Query *q, Error *err)
{
    Arena *arena = arena_new();
    Str id = clock_uuid_in(arena);
    if (!engine_store(q->engine, id, q->bound, &q->run, err)) {
        arena_free(arena);
        return false;
    }
    engine_drop_stored_with(q->engine, id, arena);
    s->result = rows_rel(id, q->bound, arena);
    arena_free(s->result_arena);
    s->result_arena = arena;
    return true;
}

/* ---- statements and expressions ---- */

static Query *child_query(Script *s)
{
    Query *q = query_new(s->query->session, s->query->engine, arena_new(), s->query->cancel);
    q->locals = s->locals;
    return q;
}

static bool run_sql(Script *s, const Statement *statement, Error *err)
{
    Query *q = child_query(s);
    bool ok = query_run_statement(q, s->rel, statement, err);
    bool is_query = statement->command == NULL || statement->command->kind == CMD_EXECUTE_IMMEDIATE;
    if (ok && is_query && q->bound != NULL && q->bound->columns.len > 0)
        ok = keep_rows(s, q, err);
    query_free(q);
    return ok;
}

static bool refuse_condition(Script *s, const Expr *e, Error *err)
{
    const Rel *sql = s->rel->kind == REL_WITH_RELATIONS ? s->rel->input : s->rel;
    Str text = sql_fragment(sql->sql.text, e->origin);
    error_set(err, ERR_INVALID_BOOLEAN_STATEMENT, P("invalidStatement", str_upper(text, err->arena)));
    err->script_line = 1;
    for (int i = 0; i < e->origin.start; i++)
        err->script_line += sql->sql.text.ptr[i] == '\n';
    return false;
}

/* NULL counts as false; anything but a boolean is refused. */
static bool test(Script *s, const Expr *e, bool *out, Error *err)
{
    Query *q = child_query(s);
    Value v;
    bool ok = query_value(q, s->rel, e, &v, err);
    *out = ok && v.type->kind == TYPE_BOOLEAN && !v.is_null && v.boolean;
    if (ok && v.type->kind != TYPE_BOOLEAN)
        ok = refuse_condition(s, e, err);
    query_free(q);
    return ok;
}

/* ---- errors ---- */

static bool has(const StrVec *list, Str text)
{
    for (size_t i = 0; i < list->len; i++)
        if (str_eq(list->at[i], text))
            return true;
    return false;
}

/* The most specific of a block's handlers: condition, SQLSTATE, NOT FOUND for class 02, SQLEXCEPTION for all but XX and 02. */
static const ScriptHandler *handler_in(const ScriptStatement *block, const Error *err)
{
    Str name = str_from(error_class_name(err->cls)), state = str_from(error_class_sqlstate(err->cls));
    ptrdiff_t dot = str_find_char(name, '.');
    Str group = dot > 0 ? str_slice(name, 0, (size_t)dot) : name;
    const ScriptHandler *best = NULL;
    int rank = 0;
    for (size_t i = 0; i < block->handlers.len; i++) {
        const ScriptHandler *h = &block->handlers.at[i];
        bool missing = str_starts_with(state, S("02"));
        int r = has(&h->conditions, name)                                   ? 5
                : has(&h->conditions, group)                                ? 4
                : has(&h->states, state)                                    ? 3
                : h->not_found && missing                                   ? 2
                : h->any && !missing && !str_starts_with(state, S("XX")) ? 1
                                                                            : 0;
        if (r > rank) {
            rank = r;
            best = h;
        }
    }
    return best;
}

/* Runs the body of a handler of `frame`; its own errors go to the blocks around that one. */
static bool run_handler(Script *s, Frame *frame, const ScriptHandler *h, Flow *flow, Error *err)
{
    Frame *inner_frame = s->frame;
    LocalScope *inner_locals = s->locals;
    s->frame = frame->outer;
    s->locals = frame->locals;
    bool ok = run(s, h->body, flow, err);
    s->frame = inner_frame;
    s->locals = inner_locals;
    return ok;
}

static bool is_cancelled(const Script *s)
{
    return s->query->cancel != NULL && cancel_is_raised(s->query->cancel);
}

/* An error in a block: the innermost handler takes it, or it stays. A handler that fails in its turn and is handled further out
 * still ends its own block only, as in Spark. */
static bool handle(Script *s, Flow *flow, Error *err)
{
    if (is_cancelled(s) || err->cls == ERR_OPERATION_CANCELED)
        return false;
    for (Frame *f = s->frame; f != NULL; f = f->outer) {
        const ScriptHandler *h = handler_in(f->block, err);
        if (h == NULL)
            continue;
        error_clear(err);
        Flow body = {0};
        TRY(run_handler(s, f, h, &body, err));
        *flow = h->resumes ? (Flow){.kind = FLOW_SKIP} : (Flow){.kind = FLOW_EXIT, .frame = f};
        if (body.kind == FLOW_LEAVE || body.kind == FLOW_ITERATE)
            *flow = body;
        return true;
    }
    /* Nothing found is no error unless somebody asked. */
    if (!str_starts_with(str_from(error_class_sqlstate(err->cls)), S("02")))
        return false;
    error_clear(err);
    *flow = (Flow){.kind = FLOW_SKIP};
    return true;
}

/* ---- control flow ---- */

static bool run_body(Script *s, const ScriptBody *body, Flow *flow, Error *err)
{
    for (size_t i = 0; i < body->len; i++) {
        TRY(run(s, body->at[i], flow, err));
        if (flow->kind != FLOW_NEXT)
            return true;
    }
    return true;
}

static bool run_block(Script *s, const ScriptStatement *st, Flow *flow, Error *err)
{
    Frame frame = {st, locals_enter(s->locals, st->label), s->frame};
    s->frame = &frame;
    s->locals = frame.locals;
    bool ok = run_body(s, &st->body, flow, err);
    s->frame = frame.outer;
    s->locals = locals_leave(frame.locals);
    bool ends = (flow->kind == FLOW_EXIT && flow->frame == &frame) ||
                (flow->kind == FLOW_LEAVE && st->label.len > 0 && str_ieq(flow->label, st->label));
    if (ends)
        *flow = (Flow){0};
    return ok;
}

/* A handler may have taken the error of the condition: the whole statement is then skipped. */
static bool test_or_handle(Script *s, const Expr *e, bool *out, Flow *flow, Error *err)
{
    return test(s, e, out, err) || handle(s, flow, err);
}

static bool run_branches(Script *s, const ScriptStatement *st, Flow *flow, Error *err)
{
    for (size_t i = 0; i < st->branches.len; i++) {
        bool yes = false;
        TRY(test_or_handle(s, st->branches.at[i].condition, &yes, flow, err));
        if (flow->kind != FLOW_NEXT)
            return true;
        if (yes)
            return run_body(s, &st->branches.at[i].body, flow, err);
    }
    return run_body(s, &st->body, flow, err);
}

/* Whether a loop goes on behind its body. */
static bool goes_on(const ScriptStatement *st, Flow *flow)
{
    bool mine = st->label.len > 0 && str_ieq(flow->label, st->label);
    if (flow->kind == FLOW_NEXT)
        return true;
    if (!mine || (flow->kind != FLOW_LEAVE && flow->kind != FLOW_ITERATE))
        return false;
    bool again = flow->kind == FLOW_ITERATE;
    *flow = (Flow){0};
    return again;
}

/* One step of anything that repeats. */
static bool count_step(Script *s, Error *err)
{
    if (is_cancelled(s))
        return error_set(err, ERR_OPERATION_CANCELED);
    return ++s->steps <= SCRIPT_MAX_STEPS || error_unsupported(err, "A SQL script of more than %d steps", SCRIPT_MAX_STEPS);
}

static bool run_loop(Script *s, const ScriptStatement *st, Flow *flow, Error *err)
{
    for (;;) {
        bool yes = true;
        TRY(count_step(s, err));
        if (st->kind == SCRIPT_WHILE)
            TRY(test_or_handle(s, st->condition, &yes, flow, err));
        if (flow->kind != FLOW_NEXT || !yes)
            return true;
        TRY(run_body(s, &st->body, flow, err));
        if (!goes_on(st, flow))
            return true;
        if (st->kind != SCRIPT_REPEAT)
            continue;
        TRY(test_or_handle(s, st->condition, &yes, flow, err));
        if (flow->kind != FLOW_NEXT || yes)
            return true;
    }
}

/* The row's columns as variables of a scope that the row's name labels. */
static bool declare_row(LocalScope *scope, const Type *schema, const Row *row, Error *err)
{
    for (size_t i = 0; i < schema->structure.count; i++) {
        const Field *f = &schema->structure.fields[i];
        Variable v = {.name = f->name, .type = f->type, .value = row->cells[i]};
        v.value.type = f->type;
        v.initial = v.value;
        TRY(locals_declare(scope, &v, err));
    }
    return true;
}

static bool run_row(Script *s, const ScriptStatement *st, const Type *schema, const Row *row, Flow *flow, Error *err)
{
    s->locals = locals_enter(s->locals, st->variable);
    bool ok = count_step(s, err) && declare_row(s->locals, schema, row, err) && run_body(s, &st->body, flow, err);
    s->locals = locals_leave(s->locals);
    return ok;
}

static bool run_rows(Script *s, const ScriptStatement *st, Execution *x, Flow *flow, Error *err)
{
    bool more = true;
    while (more) {
        AUTO_ARENA batch = arena_new();
        RowVec rows = {0};
        if (!execution_next_rows(x, batch, &rows, err))
            return handle(s, flow, err);
        more = rows.len > 0;
        for (size_t i = 0; more && i < rows.len; i++) {
            TRY(run_row(s, st, execution_schema(x), &rows.at[i], flow, err));
            more = goes_on(st, flow);
        }
    }
    return true;
}

static bool run_for(Script *s, const ScriptStatement *st, Flow *flow, Error *err)
{
    Query *q = child_query(s);
    Execution *x = NULL;
    Statement query = {.query = st->query};
    bool ok = query_run_statement(q, s->rel, &query, err) && engine_start(q->engine, q->bound, &q->run, &x, err);
    ok = ok ? run_rows(s, st, x, flow, err) : handle(s, flow, err);
    if (x != NULL)
        execution_free(x);
    query_free(q);
    return ok;
}

static bool run_plain(Script *s, const ScriptStatement *st, Flow *flow, Error *err)
{
    switch (st->kind) {
    case SCRIPT_BLOCK: return run_block(s, st, flow, err);
    case SCRIPT_SQL: return run_sql(s, &st->statement, err);
    case SCRIPT_IF:
    case SCRIPT_CASE: return run_branches(s, st, flow, err);
    case SCRIPT_WHILE:
    case SCRIPT_REPEAT:
    case SCRIPT_LOOP: return run_loop(s, st, flow, err);
    case SCRIPT_FOR: return run_for(s, st, flow, err);
    case SCRIPT_LEAVE: *flow = (Flow){.kind = FLOW_LEAVE, .label = st->label}; return true;
    case SCRIPT_ITERATE: *flow = (Flow){.kind = FLOW_ITERATE, .label = st->label}; return true;
    }
    return true;
}

/* Only what fails by itself is offered to the handlers, once: the rest has been by what it holds. */
static bool run(Script *s, const ScriptStatement *st, Flow *flow, Error *err)
{
    TRY(count_step(s, err));
    if (!run_plain(s, st, flow, err) && (st->kind != SCRIPT_SQL || !handle(s, flow, err)))
        return false;
    if (flow->kind == FLOW_SKIP)
        *flow = (Flow){0};
    return true;
}

/* ---- the whole ---- */

static void free_arena(void *arena)
{
    arena_free(arena);
}

bool query_run_script(Query *q, const Rel *rel, const Command *command, Error *err)
{
    const Rel *sql = rel != NULL && rel->kind == REL_WITH_RELATIONS ? rel->input : rel;
    if (sql == NULL)
        return error_internal(err, "a script without its text");
    if (sql->sql.positional_args.len > 0)
        return error_set(err, ERR_UNSUPPORTED_FEATURE__SQL_SCRIPTING_WITH_POSITIONAL_PARAMETERS);
    Script s = {.query = q, .rel = rel};
    Flow flow = {0};
    bool ok = run(&s, command->script.body, &flow, err);
    if (s.result_arena != NULL)
        arena_on_free(q->arena, free_arena, s.result_arena);
    TRY(ok);
    q->func = session_func_context(q->session, q->arena);
    if (s.result != NULL) {
        q->bound = s.result;
        return true;
    }
    Rel *nothing = rel_new(REL_LOCAL, NULL, q->arena);
    nothing->local.schema = type_struct(NULL, 0, q->arena);
    Analyzer *a = analyzer_new(q->session, q->engine, &q->func, (Str){0}, q->arena);
    return analyze_query(a, nothing, &q->bound, err);
}
