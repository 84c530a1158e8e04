/* The listening side: completion queue, I/O threads, and one standing request a method for the next call. */
#include <errno.h>
#include <grpc/grpc_security.h>
#include <grpc/support/log.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "net/rpc_impl.h"

enum { ACCEPTORS_PER_METHOD = 2 };

static void request_call(RpcAcceptor *a)
{
    RpcServer *s = a->server;
    a->payload = NULL;
    grpc_metadata_array_init(&a->metadata);
    grpc_call_error e;
    if (a->method == NULL) {
        grpc_call_details_init(&a->details);
        e = grpc_server_request_call(s->server, &a->call, &a->details, &a->metadata, s->queue, s->queue, &a->tag);
    } else {
        e = grpc_server_request_registered_call(s->server, a->registered, &a->call, &a->deadline, &a->metadata,
                                                a->method->client_stream ? NULL : &a->payload, s->queue, s->queue,
                                                &a->tag);
    }
    if (e != GRPC_CALL_OK)
        panic("gRPC refused to wait for calls: %d", (int)e);
}

static void on_call(RpcTag *tag, bool ok)
{
    RpcAcceptor *a = (RpcAcceptor *)tag;
    if (ok)
        rpc_call_begin(a);
    grpc_metadata_array_destroy(&a->metadata);
    if (a->method == NULL)
        grpc_call_details_destroy(&a->details);
    if (ok)
        request_call(a);
}

static void on_shutdown(RpcTag *tag, bool ok)
{
    RpcServer *s = (RpcServer *)((char *)tag - offsetof(RpcServer, shutdown));
    pthread_mutex_lock(&s->lock);
    s->drained = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void *io_loop(void *arg)
{
    RpcServer *s = arg;
    for (;;) {
        grpc_event e = grpc_completion_queue_next(s->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
        if (e.type == GRPC_QUEUE_SHUTDOWN)
            return NULL;
        RpcTag *tag = e.tag;
        tag->fire(tag, e.success != 0);
    }
}

static void log_core(gpr_log_func_args *args)
{
    if (args->severity == GPR_LOG_SEVERITY_ERROR)
        log_warn("gRPC: %s", args->message);
}

static grpc_server *new_server(const RpcOptions *options)
{
    grpc_arg args[] = {
        {.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
         .value.integer = (int)options->max_message_bytes},
        {.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, .value.integer = -1},
        {.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_ALLOW_REUSEPORT, .value.integer = 0},
        /* Clients may ping as often as they like: behind proxies they have to. */
        {.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, .value.integer = 1000},
        {.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, .value.integer = 1},
    };
    grpc_channel_args channel = {LENGTH_OF(args), args};
    return grpc_server_create(&channel, NULL);
}

static void make_acceptors(RpcServer *s, const RpcOptions *options)
{
    s->acceptor_count = (options->method_count + 1) * ACCEPTORS_PER_METHOD;
    s->acceptors = calloc(s->acceptor_count, sizeof *s->acceptors);
    if (s->acceptors == NULL)
        panic("out of memory");
    for (size_t i = 0; i <= options->method_count; i++) {
        const RpcMethod *m = i < options->method_count ? &options->methods[i] : NULL;
        void *registered = m == NULL ? NULL
                                     : grpc_server_register_method(s->server, m->path, NULL,
                                                                   m->client_stream
                                                                       ? GRPC_SRM_PAYLOAD_NONE
                                                                       : GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER,
                                                                   0);
        for (size_t j = 0; j < ACCEPTORS_PER_METHOD; j++)
            s->acceptors[i * ACCEPTORS_PER_METHOD + j] =
                (RpcAcceptor){.tag = {on_call}, .server = s, .method = m, .registered = registered};
    }
}

bool rpc_listen(const RpcOptions *options, RpcServer **out, int *port, Error *err)
{
    gpr_set_log_function(log_core);
    grpc_init();
    RpcServer *s = calloc(1, sizeof *s);
    if (s == NULL)
        panic("out of memory");
    s->server = new_server(options);
    s->queue = grpc_completion_queue_create_for_next(NULL);
    s->service = options->service;
    s->shutdown.fire = on_shutdown;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    grpc_server_register_completion_queue(s->server, s->queue, NULL);
    make_acceptors(s, options);
    bool v6 = str_find_char(options->host, ':') >= 0;
    Str address = str_printf(err->arena, v6 ? "[" STR_FMT "]:%d" : STR_FMT ":%d", STR_ARG(options->host), options->port);
    grpc_server_credentials *plain = grpc_insecure_server_credentials_create();
    *port = grpc_server_add_http2_port(s->server, address.ptr, plain);
    grpc_server_credentials_release(plain);
    grpc_server_start(s->server);
    s->thread_count = options->threads;
    s->threads = calloc(s->thread_count, sizeof *s->threads);
    for (unsigned i = 0; i < s->thread_count; i++)
        if (pthread_create(&s->threads[i], NULL, io_loop, s) != 0)
            panic("an I/O thread could not be started");
    *out = s;
    if (*port == 0) {
        rpc_stop_accepting(s);
        rpc_close(s, 0);
        return error_set(err, ERR_LAKESHED_LISTEN, P("address", address),
                         PZ("reason", "the port is taken or the address is not this machine's"));
    }
    for (size_t i = 0; i < s->acceptor_count; i++)
        request_call(&s->acceptors[i]);
    return true;
}

void rpc_stop_accepting(RpcServer *s)
{
    pthread_mutex_lock(&s->lock);
    bool first = !s->stopping;
    s->stopping = true;
    pthread_mutex_unlock(&s->lock);
    if (first)
        grpc_server_shutdown_and_notify(s->server, s->queue, &s->shutdown);
}

static bool wait_idle(RpcServer *s, int deadline_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += deadline_ms / 1000;
    until.tv_nsec += (long)(deadline_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&s->lock);
    while ((s->calls > 0 || !s->drained) && pthread_cond_timedwait(&s->changed, &s->lock, &until) != ETIMEDOUT)
        ;
    bool idle = s->calls == 0 && s->drained;
    pthread_mutex_unlock(&s->lock);
    return idle;
}

void rpc_close(RpcServer *s, int deadline_ms)
{
    rpc_stop_accepting(s);
    if (!wait_idle(s, deadline_ms)) {
        grpc_server_cancel_all_calls(s->server);
        wait_idle(s, 2000);
    }
    grpc_completion_queue_shutdown(s->queue);
    for (unsigned i = 0; i < s->thread_count; i++)
        pthread_join(s->threads[i], NULL);
    grpc_server_destroy(s->server);
    grpc_completion_queue_destroy(s->queue);
    grpc_shutdown();
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s->threads);
    free(s->acceptors);
    free(s);
}
