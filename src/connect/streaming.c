/* writeStream.start(), StreamingQuery, spark.streams and its listeners: messages to stream/ and back. */
#include "connect/decode_impl.h"
#include "connect/streaming.h"
#include "stream/stream.h"

#define COMMAND(name) SPARK__CONNECT__COMMAND__COMMAND_TYPE_##name
#define QUERY_COMMAND(name) SPARK__CONNECT__STREAMING_QUERY_COMMAND__COMMAND_##name
#define MANAGER_COMMAND(name) SPARK__CONNECT__STREAMING_QUERY_MANAGER_COMMAND__COMMAND_##name
#define RESPONSE(name) SPARK__CONNECT__EXECUTE_PLAN_RESPONSE__RESPONSE_TYPE_##name

static StreamManager *manager_of(const StreamRequest *r)
{
    return r->request->server->streams;
}

static Session *session_of(const StreamRequest *r)
{
    return r->request->session->session;
}

static PB(StreamingQueryInstanceId) *instance_id(const StreamRequest *r, const StreamQuery *q)
{
    PB(StreamingQueryInstanceId) *id = ARENA_NEW(r->request->arena, PB(StreamingQueryInstanceId));
    spark__connect__streaming_query_instance_id__init(id);
    id->id = wire_text(stream_query_id(q), r->request->arena);
    id->run_id = wire_text(stream_query_run_id(q), r->request->arena);
    return id;
}

/* ---- start ---- */

static bool decode_function(Decoder *d, const PB(StreamingForeachFunction) *f, const char *what, PythonFunction **out)
{
    if (f == NULL || f->function_case == SPARK__CONNECT__STREAMING_FOREACH_FUNCTION__FUNCTION__NOT_SET)
        return true;
    if (f->function_case != SPARK__CONNECT__STREAMING_FOREACH_FUNCTION__FUNCTION_PYTHON_FUNCTION)
        return error_unsupported(d->err, "A Scala function in %s", what);
    *out = ARENA_NEW(d->arena, PythonFunction);
    (*out)->command = wire_bytes(f->python_function->command);
    (*out)->python_version = wire_str(f->python_function->python_ver);
    return true;
}

static void decode_trigger(const PB(WriteStreamOperationStart) *w, StreamSpec *out)
{
    switch (w->trigger_case) {
    case SPARK__CONNECT__WRITE_STREAM_OPERATION_START__TRIGGER_PROCESSING_TIME_INTERVAL:
        out->interval = wire_str(w->processing_time_interval);
        break;
    case SPARK__CONNECT__WRITE_STREAM_OPERATION_START__TRIGGER_AVAILABLE_NOW: out->trigger = TRIGGER_AVAILABLE_NOW; break;
    case SPARK__CONNECT__WRITE_STREAM_OPERATION_START__TRIGGER_ONCE: out->trigger = TRIGGER_ONCE; break;
    case SPARK__CONNECT__WRITE_STREAM_OPERATION_START__TRIGGER_CONTINUOUS_CHECKPOINT_INTERVAL:
        out->trigger = TRIGGER_CONTINUOUS;
        break;
    case SPARK__CONNECT__WRITE_STREAM_OPERATION_START__TRIGGER_REAL_TIME_BATCH_DURATION: out->trigger = TRIGGER_REAL_TIME; break;
    default: break;
    }
}

static bool decode_start(Decoder *d, const PB(WriteStreamOperationStart) *w, StreamSpec *out)
{
    *out = (StreamSpec){.format = wire_str(w->format), .output_mode = wire_str(w->output_mode), .name = wire_str(w->query_name)};
    if (w->input == NULL)
        return decode_missing(d, "WriteStreamOperationStart", "input");
    TRY(decode_rel(d, w->input, &out->input));
    out->options = DECODE_OPTIONS(d, w, options);
    out->partition_by = decode_strs(d, w->n_partitioning_column_names, w->partitioning_column_names);
    out->cluster_by = decode_strs(d, w->n_clustering_column_names, w->clustering_column_names);
    decode_trigger(w, out);
    TRY(decode_function(d, w->foreach_writer, "foreach", &out->foreach));
    TRY(decode_function(d, w->foreach_batch, "foreachBatch", &out->foreach_batch));
    if (w->sink_destination_case == SPARK__CONNECT__WRITE_STREAM_OPERATION_START__SINK_DESTINATION_TABLE_NAME)
        return decode_name(d, w->table_name, &out->table);
    if (w->sink_destination_case == SPARK__CONNECT__WRITE_STREAM_OPERATION_START__SINK_DESTINATION_PATH)
        out->path = wire_str(w->path);
    return true;
}

static bool answer_start(StreamRequest *r, const PB(WriteStreamOperationStart) *w)
{
    Request *request = r->request;
    Decoder d = {.arena = request->arena, .err = &request->err, .depth = 1};
    StreamSpec spec;
    StreamQuery *q;
    TRY(decode_start(&d, w, &spec));
    TRY(stream_start(manager_of(r), session_of(r), &spec, &q, &request->err));
    PB(ExecutePlanResponse) part = SPARK__CONNECT__EXECUTE_PLAN_RESPONSE__INIT;
    PB(WriteStreamOperationStartResult) result = SPARK__CONNECT__WRITE_STREAM_OPERATION_START_RESULT__INIT;
    result.query_id = instance_id(r, q);
    result.name = wire_text(stream_query_name(q), request->arena);
    result.query_started_event_json = wire_text(stream_started_json(q, request->arena), request->arena);
    part.response_type_case = RESPONSE(WRITE_STREAM_OPERATION_START_RESULT);
    part.write_stream_operation_start_result = &result;
    r->push(r->arg, &part);
    stream_query_unref(q);
    return true;
}

/* ---- one query ---- */

typedef struct QueryAnswer {
    PB(StreamingQueryCommandResult) result;
    PB(StreamingQueryCommandResult__StatusResult) status;
    PB(StreamingQueryCommandResult__RecentProgressResult) progress;
    PB(StreamingQueryCommandResult__ExplainResult) explain;
    PB(StreamingQueryCommandResult__ExceptionResult) exception;
    PB(StreamingQueryCommandResult__AwaitTerminationResult) await;
} QueryAnswer;

static void fill_status(StreamRequest *r, StreamQuery *q, QueryAnswer *a)
{
    StreamStatus status;
    stream_status(q, r->request->arena, &status);
    spark__connect__streaming_query_command_result__status_result__init(&a->status);
    a->status.status_message = wire_text(status.message, r->request->arena);
    a->status.has_is_data_available = a->status.has_is_trigger_active = a->status.has_is_active = true;
    a->status.is_data_available = status.data_available;
    a->status.is_trigger_active = status.trigger_active;
    a->status.is_active = status.active;
    a->result.result_type_case = SPARK__CONNECT__STREAMING_QUERY_COMMAND_RESULT__RESULT_TYPE_STATUS;
    a->result.status = &a->status;
}

static void fill_progress(StreamRequest *r, StreamQuery *q, bool last, QueryAnswer *a)
{
    StrVec all = {0};
    Arena *arena = r->request->arena;
    stream_progress(q, last, arena, &all);
    spark__connect__streaming_query_command_result__recent_progress_result__init(&a->progress);
    a->progress.n_recent_progress_json = all.len;
    a->progress.recent_progress_json = ARENA_ARRAY(arena, char *, all.len + 1);
    for (size_t i = 0; i < all.len; i++)
        a->progress.recent_progress_json[i] = wire_text(all.at[i], arena);
    a->result.result_type_case = SPARK__CONNECT__STREAMING_QUERY_COMMAND_RESULT__RESULT_TYPE_RECENT_PROGRESS;
    a->result.recent_progress = &a->progress;
}

static void fill_exception(StreamRequest *r, StreamQuery *q, QueryAnswer *a)
{
    Str message, error_class;
    spark__connect__streaming_query_command_result__exception_result__init(&a->exception);
    if (stream_failure(q, r->request->arena, &message, &error_class)) {
        a->exception.exception_message = wire_text(message, r->request->arena);
        a->exception.error_class = wire_text(error_class, r->request->arena);
    }
    a->result.result_type_case = SPARK__CONNECT__STREAMING_QUERY_COMMAND_RESULT__RESULT_TYPE_EXCEPTION;
    a->result.exception = &a->exception;
}

static void fill_explain(StreamRequest *r, StreamQuery *q, bool extended, QueryAnswer *a)
{
    spark__connect__streaming_query_command_result__explain_result__init(&a->explain);
    a->explain.result = wire_text(stream_explain(q, extended, r->request->arena), r->request->arena);
    a->result.result_type_case = SPARK__CONNECT__STREAMING_QUERY_COMMAND_RESULT__RESULT_TYPE_EXPLAIN;
    a->result.explain = &a->explain;
}

static bool fill_await(StreamRequest *r, StreamQuery *q, const PB(StreamingQueryCommand__AwaitTerminationCommand) *m, QueryAnswer *a)
{
    StreamWait wait = {m->has_timeout_ms ? m->timeout_ms : -1, r->cancel};
    bool terminated;
    TRY(stream_await(q, &wait, &terminated, &r->request->err));
    spark__connect__streaming_query_command_result__await_termination_result__init(&a->await);
    a->await.has_terminated = true;
    a->await.terminated = terminated;
    a->result.result_type_case = SPARK__CONNECT__STREAMING_QUERY_COMMAND_RESULT__RESULT_TYPE_AWAIT_TERMINATION;
    a->result.await_termination = &a->await;
    return true;
}

static bool fill_query(StreamRequest *r, StreamQuery *q, const PB(StreamingQueryCommand) *m, QueryAnswer *a)
{
    switch (m->command_case) {
    case QUERY_COMMAND(STATUS): fill_status(r, q, a); return true;
    case QUERY_COMMAND(LAST_PROGRESS): fill_progress(r, q, true, a); return true;
    case QUERY_COMMAND(RECENT_PROGRESS): fill_progress(r, q, false, a); return true;
    case QUERY_COMMAND(STOP):
        stream_query_stop(q);
        stream_let_hear(manager_of(r), session_of(r));
        return true;
    case QUERY_COMMAND(PROCESS_ALL_AVAILABLE): return stream_process_all(q, r->cancel, &r->request->err);
    case QUERY_COMMAND(EXPLAIN): fill_explain(r, q, m->explain->extended, a); return true;
    case QUERY_COMMAND(EXCEPTION): fill_exception(r, q, a); return true;
    case QUERY_COMMAND(AWAIT_TERMINATION): return fill_await(r, q, m->await_termination, a);
    default:
        return error_set(&r->request->err, ERR_CONNECT_INVALID_PLAN__INVALID_ONE_OF_FIELD_NOT_SET,
                         PZ("fullName", "spark.connect.StreamingQueryCommand.command"), PZ("name", "command"));
    }
}

static bool find_query(StreamRequest *r, const PB(StreamingQueryInstanceId) *id, StreamQuery **out)
{
    Str name = id == NULL ? S("") : wire_str(id->id);
    *out = id == NULL ? NULL : stream_find(manager_of(r), session_of(r), name, wire_str(id->run_id));
    return *out != NULL || error_set(&r->request->err, ERR_CONNECT_INVALID_PLAN__STREAMING_QUERY_NOT_FOUND, P("id", name));
}

static bool answer_query(StreamRequest *r, const PB(StreamingQueryCommand) *m)
{
    StreamQuery *q;
    QueryAnswer a;
    PB(ExecutePlanResponse) part = SPARK__CONNECT__EXECUTE_PLAN_RESPONSE__INIT;
    TRY(find_query(r, m->query_id, &q));
    spark__connect__streaming_query_command_result__init(&a.result);
    a.result.query_id = instance_id(r, q);
    bool ok = fill_query(r, q, m, &a);
    part.response_type_case = RESPONSE(STREAMING_QUERY_COMMAND_RESULT);
    part.streaming_query_command_result = &a.result;
    if (ok)
        r->push(r->arg, &part);
    stream_query_unref(q);
    return ok;
}

/* ---- all queries of a session ---- */

typedef PB(StreamingQueryManagerCommandResult__StreamingQueryInstance) Instance;

static Instance *instance(StreamRequest *r, const StreamQuery *q)
{
    Instance *i = ARENA_NEW(r->request->arena, Instance);
    spark__connect__streaming_query_manager_command_result__streaming_query_instance__init(i);
    i->id = instance_id(r, q);
    Str name = stream_query_name(q);
    i->name = name.len ? wire_text(name, r->request->arena) : NULL;
    return i;
}

static void fill_active(StreamRequest *r, PB(StreamingQueryManagerCommandResult__ActiveResult) *out)
{
    StreamQueryVec all = {0};
    Arena *arena = r->request->arena;
    stream_active(manager_of(r), session_of(r), arena, &all);
    spark__connect__streaming_query_manager_command_result__active_result__init(out);
    out->n_active_queries = all.len;
    out->active_queries = ARENA_ARRAY(arena, Instance *, all.len + 1);
    for (size_t i = 0; i < all.len; i++) {
        out->active_queries[i] = instance(r, all.at[i]);
        stream_query_unref(all.at[i]);
    }
}

static bool answer_manager(StreamRequest *r, const PB(StreamingQueryManagerCommand) *m)
{
    PB(ExecutePlanResponse) part = SPARK__CONNECT__EXECUTE_PLAN_RESPONSE__INIT;
    PB(StreamingQueryManagerCommandResult) result = SPARK__CONNECT__STREAMING_QUERY_MANAGER_COMMAND_RESULT__INIT;
    PB(StreamingQueryManagerCommandResult__ActiveResult) active;
    PB(StreamingQueryManagerCommandResult__AwaitAnyTerminationResult) any;
    PB(StreamingQueryManagerCommandResult__ListStreamingQueryListenerResult) listeners;
    switch (m->command_case) {
    case MANAGER_COMMAND(ACTIVE):
        fill_active(r, &active);
        result.result_type_case = SPARK__CONNECT__STREAMING_QUERY_MANAGER_COMMAND_RESULT__RESULT_TYPE_ACTIVE;
        result.active = &active;
        break;
    case MANAGER_COMMAND(GET_QUERY): {
        StreamQuery *q = stream_find(manager_of(r), session_of(r), wire_str(m->get_query), (Str){0});
        if (q != NULL) {
            result.result_type_case = SPARK__CONNECT__STREAMING_QUERY_MANAGER_COMMAND_RESULT__RESULT_TYPE_QUERY;
            result.query = instance(r, q);
            stream_query_unref(q);
        }
        break;
    }
    case MANAGER_COMMAND(AWAIT_ANY_TERMINATION): {
        StreamWait wait = {m->await_any_termination->has_timeout_ms ? m->await_any_termination->timeout_ms : -1, r->cancel};
        bool terminated;
        TRY(stream_await_any(manager_of(r), session_of(r), &wait, &terminated, &r->request->err));
        spark__connect__streaming_query_manager_command_result__await_any_termination_result__init(&any);
        any.has_terminated = true;
        any.terminated = terminated;
        result.result_type_case = SPARK__CONNECT__STREAMING_QUERY_MANAGER_COMMAND_RESULT__RESULT_TYPE_AWAIT_ANY_TERMINATION;
        result.await_any_termination = &any;
        break;
    }
    case MANAGER_COMMAND(RESET_TERMINATED):
        stream_reset_terminated(manager_of(r), session_of(r));
        result.result_type_case = SPARK__CONNECT__STREAMING_QUERY_MANAGER_COMMAND_RESULT__RESULT_TYPE_RESET_TERMINATED;
        result.reset_terminated = true;
        break;
    case MANAGER_COMMAND(LIST_LISTENERS):
        spark__connect__streaming_query_manager_command_result__list_streaming_query_listener_result__init(&listeners);
        result.result_type_case = SPARK__CONNECT__STREAMING_QUERY_MANAGER_COMMAND_RESULT__RESULT_TYPE_LIST_LISTENERS;
        result.list_listeners = &listeners;
        break;
    default: return error_unsupported(&r->request->err, "A streaming query listener that runs inside the server");
    }
    part.response_type_case = RESPONSE(STREAMING_QUERY_MANAGER_COMMAND_RESULT);
    part.streaming_query_manager_command_result = &result;
    r->push(r->arg, &part);
    return true;
}

/* ---- listeners ---- */

static void push_events(StreamRequest *r, PB(StreamingQueryListenerEventsResult) *result)
{
    PB(ExecutePlanResponse) part = SPARK__CONNECT__EXECUTE_PLAN_RESPONSE__INIT;
    part.response_type_case = RESPONSE(STREAMING_QUERY_LISTENER_EVENTS_RESULT);
    part.streaming_query_listener_events_result = result;
    r->push(r->arg, &part);
}

static void push_event(StreamRequest *r, const StreamEvent *e, Arena *arena)
{
    static const int types[] = {[STREAM_STARTED] = SPARK__CONNECT__STREAMING_QUERY_EVENT_TYPE__QUERY_PROGRESS_UNSPECIFIED,
                                [STREAM_PROGRESS] = SPARK__CONNECT__STREAMING_QUERY_EVENT_TYPE__QUERY_PROGRESS_EVENT,
                                [STREAM_IDLE] = SPARK__CONNECT__STREAMING_QUERY_EVENT_TYPE__QUERY_IDLE_EVENT,
                                [STREAM_TERMINATED] = SPARK__CONNECT__STREAMING_QUERY_EVENT_TYPE__QUERY_TERMINATED_EVENT};
    PB(StreamingQueryListenerEventsResult) result = SPARK__CONNECT__STREAMING_QUERY_LISTENER_EVENTS_RESULT__INIT;
    PB(StreamingQueryListenerEvent) event = SPARK__CONNECT__STREAMING_QUERY_LISTENER_EVENT__INIT, *events = &event;
    event.event_json = wire_text(e->json, arena);
    event.has_event_type = true;
    event.event_type = types[e->kind];
    result.n_events = 1;
    result.events = &events;
    push_events(r, &result);
}

static bool serve_listener(StreamRequest *r)
{
    PB(StreamingQueryListenerEventsResult) added = SPARK__CONNECT__STREAMING_QUERY_LISTENER_EVENTS_RESULT__INIT;
    StreamListener *l = stream_listen(manager_of(r), session_of(r));
    bool ended = false;
    if (l == NULL)
        return error_unsupported(&r->request->err, "A second streaming query listener bus of one session");
    added.has_listener_bus_listener_added = true;
    added.listener_bus_listener_added = true;
    push_events(r, &added);
    while (!ended && !cancel_is_raised(r->cancel)) {
        AUTO_ARENA arena = arena_new();
        StreamEvent event;
        if (stream_next_event(l, arena, &event, &ended))
            push_event(r, &event, arena);
    }
    stream_listener_free(l);
    return true;
}

static bool answer_listener(StreamRequest *r, const PB(StreamingQueryListenerBusCommand) *m)
{
    if (m->command_case == SPARK__CONNECT__STREAMING_QUERY_LISTENER_BUS_COMMAND__COMMAND_ADD_LISTENER_BUS_LISTENER)
        return serve_listener(r);
    (void)stream_unlisten(manager_of(r), session_of(r));
    return true;
}

/* ---- all of them ---- */

bool streaming_is(const PB(Command) *c)
{
    return c->command_type_case == COMMAND(WRITE_STREAM_OPERATION_START) || c->command_type_case == COMMAND(STREAMING_QUERY_COMMAND) ||
           c->command_type_case == COMMAND(STREAMING_QUERY_MANAGER_COMMAND) ||
           c->command_type_case == COMMAND(STREAMING_QUERY_LISTENER_BUS_COMMAND);
}

bool streaming_waits(const PB(Command) *c)
{
    if (c->command_type_case == COMMAND(STREAMING_QUERY_COMMAND)) {
        int asked = c->streaming_query_command->command_case;
        return asked == QUERY_COMMAND(AWAIT_TERMINATION) || asked == QUERY_COMMAND(PROCESS_ALL_AVAILABLE) || asked == QUERY_COMMAND(STOP);
    }
    if (c->command_type_case == COMMAND(STREAMING_QUERY_MANAGER_COMMAND))
        return c->streaming_query_manager_command->command_case == MANAGER_COMMAND(AWAIT_ANY_TERMINATION);
    return c->command_type_case == COMMAND(STREAMING_QUERY_LISTENER_BUS_COMMAND);
}

bool streaming_answer(StreamRequest *r, const PB(Command) *c)
{
    switch (c->command_type_case) {
    case COMMAND(WRITE_STREAM_OPERATION_START): return answer_start(r, c->write_stream_operation_start);
    case COMMAND(STREAMING_QUERY_COMMAND): return answer_query(r, c->streaming_query_command);
    case COMMAND(STREAMING_QUERY_MANAGER_COMMAND): return answer_manager(r, c->streaming_query_manager_command);
    default: return answer_listener(r, c->streaming_query_listener_bus_command);
    }
}
