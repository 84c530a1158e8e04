/* ExecutePlan: from a plan to a stream of responses, in steps that can be left and taken up again. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "connect/decode.h"
#include "connect/service.h"
#include "connect/status.h"
#include "connect/streaming.h"

enum { IPC_MAX = 1 << 30 };

/* What a worker knows about an execution between its steps. */
typedef struct Work {
    Request request;
    Operation *op;
    RpcCall *received;       /* holds the request's bytes until the plan is unpacked */
    Str plan_bytes;
    Query *query;
    Decoded decoded;
    Execution *execution;
    int64_t offset;          /* rows sent */
    bool started;
    bool streams;            /* the execution's rows are the answer */
    const PB(Command) *waiting; /* a streaming command that is answered on a thread of its own */
} Work;

static void run_step(void *arg);

static void resume(Operation *op)
{
    Work *w = op->work;
    if (!workers_submit(w->request.server->workers, run_step, w))
        log_warn("an execution could not be resumed");
}

/* ---- responses ---- */

static void init_response(Work *w, PB(ExecutePlanResponse) *r, char *response_id)
{
    spark__connect__execute_plan_response__init(r);
    clock_uuid(response_id);
    r->session_id = request_session_id(&w->request);
    r->server_side_session_id = request_server_id(&w->request);
    r->operation_id = w->op->id;
    r->response_id = response_id;
}

static void push(Work *w, const PB(ExecutePlanResponse) *r)
{
    AUTO_ARENA arena = arena_new();
    operation_push(w->op, str_from(r->response_id), rpc_message_copy(wire_pack(&r->base, arena)));
}

static void put_varint(Buf *b, uint64_t v)
{
    while (v >= 0x80) {
        buf_addc(b, (char)(v | 0x80));
        v >>= 7;
    }
    buf_addc(b, (char)v);
}

static size_t varint_size(uint64_t v)
{
    size_t n = 1;
    while (v >= 0x80) {
        v >>= 7;
        n++;
    }
    return n;
}

/* The batch goes out as it came from the engine: only what stands before it is written here, by hand. */
static void push_batch(Work *w, PB(ExecutePlanResponse) *r, Buf *ipc, int64_t rows)
{
    AUTO_ARENA arena = arena_new();
    Buf head = buf_in(arena);
    size_t data_len = ipc->len;
    size_t inner = 1 + varint_size((uint64_t)rows) + 1 + varint_size((uint64_t)w->offset) + 1 + varint_size(data_len) +
                   data_len;
    buf_add(&head, wire_pack(&r->base, arena));
    buf_addc(&head, 2 << 3 | 2); /* arrow_batch */
    put_varint(&head, inner);
    buf_addc(&head, 1 << 3);     /* row_count */
    put_varint(&head, (uint64_t)rows);
    buf_addc(&head, 3 << 3);     /* start_offset */
    put_varint(&head, (uint64_t)w->offset);
    buf_addc(&head, 2 << 3 | 2); /* data */
    put_varint(&head, data_len);
    char *body = ipc->ptr;
    *ipc = (Buf){0};
    operation_push(w->op, str_from(r->response_id), rpc_message_join(buf_str(&head), body, data_len));
    w->offset += rows;
}

/* ---- ends ---- */

static void finish(Work *w, OperationState state, const RpcStatus *status)
{
    Operation *op = w->op;
    execution_free(w->execution);
    query_free(w->query);
    operation_finish(op, state, status);
    if (!op->reattachable)
        connect_session_forget(op->session, op, false);
    request_end(&w->request);
    operation_unref(op);
    free(w);
}

static void finish_ok(Work *w)
{
    PB(ExecutePlanResponse) r;
    PB(ExecutePlanResponse__ResultComplete) complete = SPARK__CONNECT__EXECUTE_PLAN_RESPONSE__RESULT_COMPLETE__INIT;
    char id[UUID_TEXT_LEN + 1];
    init_response(w, &r, id);
    r.response_type_case = SPARK__CONNECT__EXECUTE_PLAN_RESPONSE__RESPONSE_TYPE_RESULT_COMPLETE;
    r.result_complete = &complete;
    push(w, &r);
    finish(w, OPERATION_SUCCEEDED, &(RpcStatus){.code = RPC_OK});
}

static void finish_error(Work *w)
{
    bool cancelled = cancel_is_raised(w->op->cancel);
    if (cancelled && w->request.err.cls != ERR_OPERATION_CANCELED) {
        error_clear(&w->request.err);
        error_set(&w->request.err, ERR_OPERATION_CANCELED);
    }
    RpcStatus status = request_status(&w->request);
    finish(w, cancelled ? OPERATION_CANCELLED : OPERATION_FAILED, &status);
}

/* ---- results ---- */

/* A batch, when there is one, together with the schema if it is the first. */
static bool send_next(Work *w, bool *more)
{
    Error *err = &w->request.err;
    Buf ipc = buf_heap(IPC_MAX);
    int64_t rows;
    char id[UUID_TEXT_LEN + 1];
    bool first = w->offset == 0;
    PB(ExecutePlanResponse) r;
    *more = false;
    if (!execution_next_ipc(w->execution, &ipc, &rows, err)) {
        buf_free(&ipc);
        return false;
    }
    *more = rows > 0;
    /* An empty result is one batch without rows, so that clients see the columns. */
    if (rows == 0 && (!first || !execution_empty_ipc(w->execution, &ipc, err))) {
        buf_free(&ipc);
        return !first;
    }
    init_response(w, &r, id);
    if (first && !encode_type(execution_schema(w->execution), w->request.arena, &r.schema, err)) {
        buf_free(&ipc);
        return false;
    }
    push_batch(w, &r, &ipc, rows);
    buf_free(&ipc);
    return true;
}

static bool send_observations(Work *w)
{
    ObservationVec all = {0};
    Arena *arena = w->request.arena;
    const Rel *rel = w->decoded.query != NULL      ? w->decoded.query
                     : w->decoded.command != NULL ? w->decoded.command->query
                                                  : NULL;
    if (rel == NULL)
        return true;
    TRY(query_observe(w->query, rel, &all, &w->request.err));
    if (all.len == 0)
        return true;
    typedef PB(ExecutePlanResponse__ObservedMetrics) Metrics;
    PB(ExecutePlanResponse) r;
    char id[UUID_TEXT_LEN + 1];
    init_response(w, &r, id);
    r.n_observed_metrics = all.len;
    r.observed_metrics = ARENA_ARRAY(arena, Metrics *, all.len);
    for (size_t i = 0; i < all.len; i++) {
        const Observation *o = &all.at[i];
        size_t n = o->schema->structure.count;
        Metrics *m = r.observed_metrics[i] = ARENA_NEW(arena, Metrics);
        spark__connect__execute_plan_response__observed_metrics__init(m);
        m->name = wire_text(o->name, arena);
        m->has_plan_id = o->plan_id >= 0;
        m->plan_id = o->plan_id;
        m->n_keys = m->n_values = n;
        m->keys = ARENA_ARRAY(arena, char *, n);
        m->values = ARENA_ARRAY(arena, PB(Expression__Literal) *, n);
        for (size_t j = 0; j < n; j++) {
            m->keys[j] = wire_text(o->schema->structure.fields[j].name, arena);
            TRY(encode_literal(&o->values[j], arena, &m->values[j], &w->request.err));
        }
    }
    push(w, &r);
    return true;
}

/* Commands: their effect is done, their rows do not matter. */
static bool run_command(Work *w, const Command *command)
{
    w->op->is_command = true;
    return query_run_command(w->query, command, &w->request.err);
}

/* IPC streams with the same schema become one: schema, batches, end. */
static void append_ipc(Buf *all, Str ipc)
{
    enum { END_LEN = 8, PREFIX_LEN = 8 };
    if (all->len == 0) {
        buf_add(all, ipc);
        return;
    }
    uint32_t schema_len;
    memcpy(&schema_len, ipc.ptr + 4, sizeof schema_len);
    all->len -= END_LEN;
    buf_add(all, str_slice(ipc, PREFIX_LEN + schema_len, ipc.len));
}

/* A command's rows go back inside the plan, as Spark does it: the client asks for them with a LocalRelation. */
static bool collect_local(Work *w, PB(LocalRelation) *local)
{
    Error *err = &w->request.err;
    Buf all = buf_in(w->request.arena);
    int64_t rows, total = 0;
    TRY(query_start(w->query, &w->execution, err));
    do {
        Buf ipc = buf_heap(IPC_MAX);
        bool ok = execution_next_ipc(w->execution, &ipc, &rows, err);
        if (ok && rows == 0 && total == 0)
            ok = execution_empty_ipc(w->execution, &ipc, err);
        if (ok && (rows > 0 || total == 0))
            append_ipc(&all, buf_str(&ipc));
        total += rows;
        buf_free(&ipc);
        TRY(ok);
    } while (rows > 0);
    local->has_data = true;
    local->data = (ProtobufCBinaryData){all.len, (uint8_t *)all.ptr};
    local->schema = wire_text(type_json(execution_schema(w->execution), w->request.arena), w->request.arena);
    return true;
}

static void push_sql_result(Work *w, const PB(Relation) *relation)
{
    PB(ExecutePlanResponse) r;
    PB(ExecutePlanResponse__SqlCommandResult) result = SPARK__CONNECT__EXECUTE_PLAN_RESPONSE__SQL_COMMAND_RESULT__INIT;
    char id[UUID_TEXT_LEN + 1];
    init_response(w, &r, id);
    result.relation = (PB(Relation) *)relation;
    r.response_type_case = SPARK__CONNECT__EXECUTE_PLAN_RESPONSE__RESPONSE_TYPE_SQL_COMMAND_RESULT;
    r.sql_command_result = &result;
    push(w, &r);
}

/* A query is handed back as it came, byte for byte. */
static void push_sql_echo(Work *w, Str input)
{
    AUTO_ARENA arena = arena_new();
    PB(ExecutePlanResponse) r;
    char id[UUID_TEXT_LEN + 1];
    Buf b = buf_in(arena);
    init_response(w, &r, id);
    buf_add(&b, wire_pack(&r.base, arena));
    buf_addc(&b, 5 << 3 | 2); /* sql_command_result */
    put_varint(&b, 1 + varint_size(input.len) + input.len);
    buf_addc(&b, 1 << 3 | 2); /* relation */
    put_varint(&b, input.len);
    buf_add(&b, input);
    operation_push(w->op, str_from(id), rpc_message_copy(buf_str(&b)));
}

static bool run_sql(Work *w, const PB(SqlCommand) *sql, Str raw)
{
    Rel *rel;
    bool is_command;
    Error *err = &w->request.err;
    TRY(decode_sql_command(sql, w->request.arena, &rel, err));
    w->op->is_command = true; /* unless it turns out to be a query: stopping waits for it */
    TRY(query_sql_command(w->query, rel, &is_command, err));
    w->op->is_command = is_command;
    if (is_command) {
        PB(LocalRelation) local = SPARK__CONNECT__LOCAL_RELATION__INIT;
        PB(Relation) answer = SPARK__CONNECT__RELATION__INIT;
        TRY(collect_local(w, &local));
        answer.rel_type_case = SPARK__CONNECT__RELATION__REL_TYPE_LOCAL_RELATION;
        answer.local_relation = &local;
        push_sql_result(w, &answer);
        return true;
    }
    if (sql->input != NULL) {
        push_sql_echo(w, wire_field(raw, 6));
        return true;
    }
    PB(SQL) text = SPARK__CONNECT__SQL__INIT;
    PB(Relation) answer = SPARK__CONNECT__RELATION__INIT;
    text.query = sql->sql;
    text.n_args = sql->n_args;
    text.args = (PB(SQL__ArgsEntry) **)sql->args;
    text.n_pos_args = sql->n_pos_args;
    text.pos_args = sql->pos_args;
    text.n_named_arguments = sql->n_named_arguments;
    text.named_arguments = (PB(SQL__NamedArgumentsEntry) **)sql->named_arguments;
    text.n_pos_arguments = sql->n_pos_arguments;
    text.pos_arguments = sql->pos_arguments;
    answer.rel_type_case = SPARK__CONNECT__RELATION__REL_TYPE_SQL;
    answer.sql = &text;
    push_sql_result(w, &answer);
    return true;
}

static void push_checkpoint(Work *w, Str cached_id)
{
    PB(ExecutePlanResponse) r;
    PB(CheckpointCommandResult) result = SPARK__CONNECT__CHECKPOINT_COMMAND_RESULT__INIT;
    PB(CachedRemoteRelation) cached = SPARK__CONNECT__CACHED_REMOTE_RELATION__INIT;
    char id[UUID_TEXT_LEN + 1];
    init_response(w, &r, id);
    cached.relation_id = (char *)cached_id.ptr;
    result.relation = &cached;
    r.response_type_case = SPARK__CONNECT__EXECUTE_PLAN_RESPONSE__RESPONSE_TYPE_CHECKPOINT_COMMAND_RESULT;
    r.checkpoint_command_result = &result;
    push(w, &r);
}

static void push_no_resources(Work *w)
{
    PB(ExecutePlanResponse) r;
    PB(GetResourcesCommandResult) result = SPARK__CONNECT__GET_RESOURCES_COMMAND_RESULT__INIT;
    char id[UUID_TEXT_LEN + 1];
    init_response(w, &r, id);
    r.response_type_case = SPARK__CONNECT__EXECUTE_PLAN_RESPONSE__RESPONSE_TYPE_GET_RESOURCES_COMMAND_RESULT;
    r.get_resources_command_result = &result;
    push(w, &r);
}

/* Clients ask to clean the cache of fitted models when they leave; there is none to clean. */
static bool run_ml(Work *w, const PB(MlCommand) *ml)
{
    if (ml->command_case != SPARK__CONNECT__ML_COMMAND__COMMAND_CLEAN_CACHE)
        return error_unsupported(&w->request.err, "pyspark.ml over Spark Connect");
    PB(ExecutePlanResponse) r;
    PB(MlCommandResult) result = SPARK__CONNECT__ML_COMMAND_RESULT__INIT;
    PB(Expression__Literal) zero = SPARK__CONNECT__EXPRESSION__LITERAL__INIT;
    char id[UUID_TEXT_LEN + 1];
    zero.literal_type_case = SPARK__CONNECT__EXPRESSION__LITERAL__LITERAL_TYPE_INTEGER;
    result.result_type_case = SPARK__CONNECT__ML_COMMAND_RESULT__RESULT_TYPE_PARAM;
    result.param = &zero;
    init_response(w, &r, id);
    r.response_type_case = SPARK__CONNECT__EXECUTE_PLAN_RESPONSE__RESPONSE_TYPE_ML_COMMAND_RESULT;
    r.ml_command_result = &result;
    push(w, &r);
    return true;
}

/* ---- streaming ---- */

static void push_part(void *arg, const PB(ExecutePlanResponse) *part)
{
    Work *w = arg;
    PB(ExecutePlanResponse) r;
    char id[UUID_TEXT_LEN + 1];
    init_response(w, &r, id);
    r.response_type_case = part->response_type_case;
    /* Every member of the union is a pointer. */
    r.streaming_query_command_result = part->streaming_query_command_result;
    push(w, &r);
}

static bool run_streaming(Work *w, const PB(Command) *command)
{
    StreamRequest r = {&w->request, w->op->cancel, push_part, w};
    return streaming_answer(&r, command);
}

static void *wait_thread(void *arg)
{
    Work *w = arg;
    ConnectServer *server = w->request.server;
    if (run_streaming(w, w->waiting))
        finish_ok(w);
    else
        finish_error(w);
    connect_wait_ended(server);
    return NULL;
}

/* Takes the work away from the worker. */
static bool wait_apart(Work *w)
{
    pthread_t thread;
    pthread_attr_t attributes;
    ConnectServer *server = w->request.server;
    if (!connect_wait_begins(server))
        return error_set(&w->request.err, ERR_OPERATION_CANCELED);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int code = pthread_create(&thread, &attributes, wait_thread, w);
    pthread_attr_destroy(&attributes);
    if (code == 0)
        return true;
    w->waiting = NULL;
    connect_wait_ended(server);
    return error_internal(&w->request.err, "no thread to wait on: %s", strerror(code));
}

static bool start_streaming(Work *w, const PB(Command) *command)
{
    if (!streaming_waits(command))
        return run_streaming(w, command);
    w->waiting = command;
    return true;
}

static bool start_command(Work *w, const PB(Command) *command, Str raw)
{
    if (streaming_is(command))
        return start_streaming(w, command);
    switch (command->command_type_case) {
    case SPARK__CONNECT__COMMAND__COMMAND_TYPE_SQL_COMMAND: return run_sql(w, command->sql_command, wire_field(raw, 5));
    case SPARK__CONNECT__COMMAND__COMMAND_TYPE_ML_COMMAND: return run_ml(w, command->ml_command);
    case SPARK__CONNECT__COMMAND__COMMAND_TYPE_GET_RESOURCES_COMMAND: push_no_resources(w); return true;
    default: break;
    }
    TRY(decode_command(command, w->request.arena, &w->decoded, &w->request.err));
    TRY(run_command(w, w->decoded.command));
    if (w->decoded.command->kind == CMD_CHECKPOINT)
        push_checkpoint(w, w->decoded.command->cached.id);
    return true;
}

static bool start_relation(Work *w, const PB(Relation) *relation)
{
    TRY(decode_relation(relation, w->request.arena, &w->decoded, &w->request.err));
    if (w->decoded.command != NULL)
        TRY(run_command(w, w->decoded.command));
    if (w->decoded.query != NULL)
        TRY(query_prepare_rel(w->query, w->decoded.query, &w->request.err));
    w->streams = true;
    return query_start(w->query, &w->execution, &w->request.err);
}

static bool unpack_plan(Work *w, PlanRoot *root)
{
    Request *r = &w->request;
    ProtobufCMessage *message;
    TRY(wire_unpack(&spark__connect__plan__descriptor, w->plan_bytes, WIRE_MAX_DEPTH, r->arena, &message, &r->err));
    const PB(Plan) *plan = (const PB(Plan) *)message;
    TRY(plan_root(r, plan, w->plan_bytes, root));
    /* Only SQL is echoed from the bytes it came in; a compressed plan's are in the arena already. */
    bool sql = root->command != NULL && root->command->command_type_case == SPARK__CONNECT__COMMAND__COMMAND_TYPE_SQL_COMMAND;
    if (plan->op_type_case != SPARK__CONNECT__PLAN__OP_TYPE_COMPRESSED_OPERATION)
        root->raw = sql ? str_copy(root->raw, r->arena) : (Str){"", 0};
    return true;
}

static bool start(Work *w)
{
    PlanRoot root;
    bool cancelled = cancel_is_raised(w->op->cancel);
    bool unpacked = !cancelled && unpack_plan(w, &root);
    rpc_drop_request(w->received);
    rpc_unref(w->received);
    w->started = true;
    if (!unpacked)
        return cancelled ? error_set(&w->request.err, ERR_OPERATION_CANCELED) : false;
    w->query = query_new(w->request.session->session, w->request.server->engine, arena_new(), w->op->cancel);
    return root.command != NULL ? start_command(w, root.command, root.raw) : start_relation(w, root.relation);
}

/* Until the end, an error, or a full buffer. */
static void run_step(void *arg)
{
    Work *w = arg;
    bool more = true;
    if (!w->started && !start(w)) {
        finish_error(w);
        return;
    }
    if (w->waiting != NULL) {
        if (!wait_apart(w))
            finish_error(w);
        return;
    }
    while (w->streams && more) {
        if (cancel_is_raised(w->op->cancel) || !send_next(w, &more)) {
            finish_error(w);
            return;
        }
        if (more && operation_park_if_full(w->op))
            return;
    }
    if (!send_observations(w))
        finish_error(w);
    else
        finish_ok(w);
}

/* ---- the methods ---- */

static bool is_reattachable(const PB(ExecutePlanRequest) *m)
{
    for (size_t i = 0; i < m->n_request_options; i++) {
        const PB(ExecutePlanRequest__RequestOption) *o = m->request_options[i];
        if (o->request_option_case == SPARK__CONNECT__EXECUTE_PLAN_REQUEST__REQUEST_OPTION__REQUEST_OPTION_REATTACH_OPTIONS)
            return o->reattach_options->reattachable;
    }
    return false;
}

/* The request without its plan, which may be large: enough to register the operation before a worker is free. */
static bool unpack_envelope(Work *w, const PB(ExecutePlanRequest) **out)
{
    Request *r = &w->request;
    ProtobufCMessage *message;
    Str envelope;
    TRY(wire_split(&spark__connect__execute_plan_request__descriptor, rpc_request(r->call), 3, r->arena, &envelope,
                   &w->plan_bytes, &r->err));
    TRY(wire_unpack(&spark__connect__execute_plan_request__descriptor, envelope, WIRE_MAX_DEPTH, r->arena, &message,
                    &r->err));
    *out = (const PB(ExecutePlanRequest) *)message;
    return true;
}

static bool open_operation(Work *w)
{
    Request *r = &w->request;
    const PB(ExecutePlanRequest) *m;
    TRY(unpack_envelope(w, &m));
    SessionKey key = session_key(m->user_context, m->session_id, m->client_observed_server_side_session_id);
    TRY(session_table_open(r->server->sessions, &key, &r->session, &r->err));
    Str id = wire_str(m->operation_id);
    if (id.len == 0)
        id = clock_uuid_in(r->arena);
    TRY(connect_check_uuid(id, &r->err));
    Operation *op = w->op = operation_new(r->session, id, (size_t)r->server->settings->result_buffer_bytes);
    op->reattachable = is_reattachable(m);
    op->resume = resume;
    op->work = w;
    for (size_t i = 0; i < m->n_tags; i++)
        vec_push(op->arena, &op->tags, str_copy(wire_str(m->tags[i]), op->arena));
    if (connect_session_add(r->session, op, &r->err))
        return true;
    operation_unref(op);
    w->op = NULL;
    return false;
}

void execute_plan(void *server, RpcCall *call, RpcEvent event)
{
    Work *w = calloc(1, sizeof *w);
    if (w == NULL)
        panic("out of memory");
    request_begin(&w->request, server, call);
    if (!open_operation(w)) {
        request_fail(&w->request);
        free(w);
        return;
    }
    rpc_ref(call);
    w->received = call;
    /* From here on the operation ends the call. */
    if (!operation_attach(w->op, call, (Str){"", 0}, &w->request.err)) {
        /* The session was closed in between. */
        RpcStatus status = request_status(&w->request);
        rpc_unref(call);
        rpc_fail(call, &status);
        finish(w, OPERATION_FAILED, &status);
        return;
    }
    w->request.call = NULL;
    if (workers_submit(w->request.server->workers, run_step, w))
        return;
    rpc_unref(call);
    finish(w, OPERATION_FAILED, &(RpcStatus){.code = RPC_UNAVAILABLE,
                                             .message = S("The server is stopping or has too much to do.")});
}

static bool find_operation(Request *r, Str id, Operation **out)
{
    FormerOperation former;
    *out = connect_session_operation(r->session, id, &former);
    if (*out != NULL)
        return true;
    return error_set(&r->err, former.abandoned ? ERR_INVALID_HANDLE__OPERATION_ABANDONED
                                               : ERR_INVALID_HANDLE__OPERATION_NOT_FOUND,
                     P("handle", id));
}

static bool reattach(Request *r)
{
    const PB(ReattachExecuteRequest) *m;
    Operation *op;
    TRY(request_unpack(r, &spark__connect__reattach_execute_request__descriptor, &m));
    SessionKey key = session_key(m->user_context, m->session_id, m->client_observed_server_side_session_id);
    TRY(session_table_find(r->server->sessions, &key, &r->session, &r->err));
    TRY(find_operation(r, wire_str(m->operation_id), &op));
    bool ok = op->reattachable ? operation_attach(op, r->call, wire_str(m->last_response_id), &r->err)
                               : error_set(&r->err, ERR_INVALID_HANDLE__OPERATION_NOT_FOUND, PZ("handle", op->id));
    operation_unref(op);
    return ok;
}

void reattach_execute(void *server, RpcCall *call, RpcEvent event)
{
    Request r;
    request_begin(&r, server, call);
    if (reattach(&r))
        request_end(&r);
    else
        request_fail(&r);
}

static bool release(Request *r, PB(ReleaseExecuteResponse) *out)
{
    const PB(ReleaseExecuteRequest) *m;
    FormerOperation former;
    TRY(request_unpack(r, &spark__connect__release_execute_request__descriptor, &m));
    SessionKey key = session_key(m->user_context, m->session_id, m->client_observed_server_side_session_id);
    TRY(session_table_find(r->server->sessions, &key, &r->session, &r->err));
    out->session_id = request_session_id(r);
    out->server_side_session_id = request_server_id(r);
    /* Releasing what is gone already is what clients do after an error: no operation id in the answer says so. */
    Operation *op = connect_session_operation(r->session, wire_str(m->operation_id), &former);
    if (op == NULL)
        return true;
    out->operation_id = m->operation_id;
    if (m->release_case == SPARK__CONNECT__RELEASE_EXECUTE_REQUEST__RELEASE_RELEASE_UNTIL) {
        operation_release_until(op, wire_str(m->release_until->response_id));
    } else {
        operation_release_all(op);
        connect_session_forget(r->session, op, false);
    }
    operation_unref(op);
    return true;
}

void release_execute(void *server, RpcCall *call, RpcEvent event)
{
    Request r;
    PB(ReleaseExecuteResponse) out = SPARK__CONNECT__RELEASE_EXECUTE_RESPONSE__INIT;
    request_begin(&r, server, call);
    if (release(&r, &out))
        request_reply(&r, &out.base);
    else
        request_fail(&r);
}
