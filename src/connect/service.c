/* The method table, starting and stopping, and what all methods share. */
#include "connect/service.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "base/log.h"
#include "connect/status.h"

enum {
    SWEEP_SECONDS = 5,
    DETACHED_SECONDS = 300, /* spark.connect.execute.manager.detachedTimeout */
    IO_THREADS = 2,
    WAITS_MAX = 1000
};

#define METHOD(name, stream, handler) {"/spark.connect.SparkConnectService/" name, stream, handler}

static const RpcMethod methods[] = {
    METHOD("ExecutePlan", false, execute_plan),
    METHOD("AnalyzePlan", false, analyze_plan),
    METHOD("Config", false, config),
    METHOD("AddArtifacts", true, add_artifacts),
    METHOD("ArtifactStatus", false, artifact_status),
    METHOD("Interrupt", false, interrupt),
    METHOD("ReattachExecute", false, reattach_execute),
    METHOD("ReleaseExecute", false, release_execute),
    METHOD("ReleaseSession", false, release_session),
    METHOD("FetchErrorDetails", false, fetch_error_details),
    METHOD("CloneSession", false, clone_session),
    METHOD("GetStatus", false, get_status),
};

/* ---- requests ---- */

void request_begin(Request *r, ConnectServer *server, RpcCall *call)
{
    *r = (Request){.server = server, .call = call, .arena = arena_new()};
    r->err = error_in(r->arena);
}

bool request_unpack(Request *r, const ProtobufCMessageDescriptor *d, void *out)
{
    return wire_unpack(d, rpc_request(r->call), WIRE_MAX_DEPTH, r->arena, (ProtobufCMessage **)out, &r->err);
}

void request_end(Request *r)
{
    connect_session_unref(r->session);
    arena_free(r->arena);
}

void request_reply(Request *r, const ProtobufCMessage *message)
{
    rpc_reply(r->call, wire_pack(message, r->arena));
    request_end(r);
}

RpcStatus request_status(Request *r)
{
    Str id = r->session == NULL ? (Str){"", 0} : connect_session_keep_error(r->session, &r->err, r->arena);
    return status_of_error(&r->err, id, r->arena);
}

void request_fail(Request *r)
{
    RpcStatus status = request_status(r);
    rpc_fail(r->call, &status);
    request_end(r);
}

char *request_session_id(Request *r)
{
    return (char *)session_id(r->session->session).ptr;
}

char *request_server_id(Request *r)
{
    return (char *)session_server_id(r->session->session).ptr;
}

/* ---- plans ---- */

static bool cannot_parse(Request *r, const char *reason)
{
    return error_set(&r->err, ERR_CONNECT_INVALID_PLAN__CANNOT_PARSE, PZ("errorMsg", reason));
}

static bool decompress(Request *r, Str data, Str *out)
{
    unsigned long long size = ZSTD_getFrameContentSize(data.ptr, data.len);
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN)
        return cannot_parse(r, "not a zstd frame that says its size");
    if (size > (unsigned long long)r->server->settings->max_message_bytes)
        return cannot_parse(r, "the plan is larger than max-message-bytes");
    char *text = arena_alloc(r->arena, size + 1);
    size_t got = ZSTD_decompress(text, size, data.ptr, data.len);
    if (ZSTD_isError(got) || got != size)
        return cannot_parse(r, ZSTD_isError(got) ? ZSTD_getErrorName(got) : "it ends early");
    *out = (Str){text, size};
    return true;
}

static bool plan_compressed(Request *r, const PB(Plan__CompressedOperation) *c, PlanRoot *out)
{
    if (c->compression_codec != SPARK__CONNECT__COMPRESSION_CODEC__COMPRESSION_CODEC_ZSTD)
        return cannot_parse(r, "the compression codec is not zstd");
    bool command = c->op_type == SPARK__CONNECT__PLAN__COMPRESSED_OPERATION__OP_TYPE__OP_TYPE_COMMAND;
    if (!command && c->op_type != SPARK__CONNECT__PLAN__COMPRESSED_OPERATION__OP_TYPE__OP_TYPE_RELATION)
        return cannot_parse(r, "neither a relation nor a command");
    ProtobufCMessage *message;
    TRY(decompress(r, wire_bytes(c->data), &out->raw));
    TRY(wire_unpack(command ? &spark__connect__command__descriptor : &spark__connect__relation__descriptor, out->raw,
                    WIRE_MAX_DEPTH, r->arena, &message, &r->err));
    out->command = command ? (PB(Command) *)message : NULL;
    out->relation = command ? NULL : (PB(Relation) *)message;
    return true;
}

bool plan_root(Request *r, const PB(Plan) *plan, Str plan_bytes, PlanRoot *out)
{
    *out = (PlanRoot){0};
    switch (plan == NULL ? 0 : plan->op_type_case) {
    case SPARK__CONNECT__PLAN__OP_TYPE_ROOT:
        out->relation = plan->root;
        out->raw = wire_field(plan_bytes, 1);
        return true;
    case SPARK__CONNECT__PLAN__OP_TYPE_COMMAND:
        out->command = plan->command;
        out->raw = wire_field(plan_bytes, 2);
        return true;
    case SPARK__CONNECT__PLAN__OP_TYPE_COMPRESSED_OPERATION: return plan_compressed(r, plan->compressed_operation, out);
    default: return error_set(&r->err, ERR_CONNECT_INVALID_PLAN__INVALID_ONE_OF_FIELD_NOT_SET,
                              PZ("fullName", "spark.connect.Plan.op_type"), PZ("name", "op_type"));
    }
}

/* ---- workers ---- */

typedef struct Handoff {
    ConnectServer *server;
    RpcCall *call;
    void (*handler)(ConnectServer *server, RpcCall *call);
} Handoff;

static void run_handoff(void *arg)
{
    Handoff h = *(Handoff *)arg;
    free(arg);
    h.handler(h.server, h.call);
}

void on_worker(ConnectServer *server, RpcCall *call, void (*handler)(ConnectServer *server, RpcCall *call))
{
    Handoff *h = malloc(sizeof *h);
    if (h == NULL)
        panic("out of memory");
    *h = (Handoff){server, call, handler};
    if (workers_submit(server->workers, run_handoff, h))
        return;
    free(h);
    rpc_fail(call, &(RpcStatus){.code = RPC_UNAVAILABLE, .message = S("The server is stopping or has too much to do.")});
}

/* ---- requests that wait ---- */

bool connect_wait_begins(ConnectServer *s)
{
    pthread_mutex_lock(&s->lock);
    bool ok = !s->stopping && s->waits < WAITS_MAX;
    if (ok)
        s->waits++;
    pthread_mutex_unlock(&s->lock);
    return ok;
}

void connect_wait_ended(ConnectServer *s)
{
    pthread_mutex_lock(&s->lock);
    s->waits--;
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

static void wait_for_waits(ConnectServer *s)
{
    pthread_mutex_lock(&s->lock);
    while (s->waits > 0)
        pthread_cond_wait(&s->wake, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

static void end_streams(void *server, Session *session)
{
    stream_manager_end_session(((ConnectServer *)server)->streams, session);
}

static bool has_streams(void *server, Session *session)
{
    AUTO_ARENA arena = arena_new();
    StreamQueryVec all = {0};
    stream_active(((ConnectServer *)server)->streams, session, arena, &all);
    for (size_t i = 0; i < all.len; i++)
        stream_query_unref(all.at[i]);
    return all.len > 0;
}

/* ---- starting and stopping ---- */

static void *sweep_loop(void *arg)
{
    ConnectServer *s = arg;
    pthread_mutex_lock(&s->lock);
    while (!s->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += SWEEP_SECONDS;
        pthread_cond_timedwait(&s->wake, &s->lock, &until);
        if (s->stopping)
            break;
        pthread_mutex_unlock(&s->lock);
        session_table_sweep(s->sessions, (int64_t)s->settings->session_idle_minutes * 60000000,
                            (int64_t)DETACHED_SECONDS * 1000000);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static unsigned worker_count(const ServerSettings *settings)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (settings->workers > 0)
        return (unsigned)settings->workers;
    return cores < 2 ? 8 : (unsigned)cores * 4;
}

bool connect_start(const ConnectOptions *options, ConnectServer **out, int *port, Error *err)
{
    ConnectServer *s = calloc(1, sizeof *s);
    if (s == NULL)
        panic("out of memory");
    s->settings = options->settings;
    s->engine = options->engine;
    s->streams = stream_manager_new(&(StreamOptions){.engine = s->engine, .python = options->python, .host = s->settings->host});
    s->sessions = session_table_new(&(SessionTableOptions){options->catalog, options->artifact_folder,
                                                           options->settings->max_artifact_bytes, options->settings->strict,
                                                           end_streams, has_streams, s});
    s->workers = workers_new(worker_count(s->settings));
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, NULL);
    RpcOptions rpc = {
        .host = s->settings->host,
        .port = s->settings->port,
        .max_message_bytes = s->settings->max_message_bytes,
        .threads = IO_THREADS,
        .methods = methods,
        .method_count = LENGTH_OF(methods),
        .service = s,
    };
    if (!rpc_listen(&rpc, &s->rpc, port, err)) {
        workers_stop(s->workers);
        session_table_free(s->sessions);
        stream_manager_free(s->streams);
        free(s);
        return false;
    }
    stream_manager_set_port(s->streams, *port);
    if (pthread_create(&s->sweeper, NULL, sweep_loop, s) != 0)
        panic("a thread could not be started");
    *out = s;
    return true;
}

static void wait_for_commands(ConnectServer *s, int64_t until_us)
{
    while (session_table_running(s->sessions, true) > 0 && clock_monotonic_us() < until_us)
        usleep(10000);
}

void connect_stop(ConnectServer *s, int deadline_ms)
{
    int64_t until = clock_monotonic_us() + (int64_t)deadline_ms * 1000;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->sweeper, NULL);
    rpc_stop_accepting(s->rpc);
    session_table_cancel_all(s->sessions, false);
    wait_for_commands(s, until);
    stream_manager_stop(s->streams, until);
    session_table_cancel_all(s->sessions, true);
    wait_for_waits(s);
    workers_stop(s->workers);
    /* Answers that are on their way get a moment; streams nobody reads do not hold the server up. */
    rpc_close(s->rpc, 500);
    session_table_free(s->sessions);
    stream_manager_free(s->streams);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
