/* Calls as their watchers see them, with a client of the C core in the same process. */
#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "net/rpc.h"

enum { GRACE_MS = 200, LONG_MS = 20000 };

/* What happened, in the order it may be waited for. */
typedef struct Seen {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool in_sent, client_left, sent_is_over, closed, closed_within_sent;
} Seen;

static void set(Seen *s, bool *flag)
{
    pthread_mutex_lock(&s->lock);
    *flag = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static bool wait_for(Seen *s, const bool *flag, int ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += ms % 1000 * 1000000L;
    until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&s->lock);
    while (!*flag && pthread_cond_timedwait(&s->changed, &s->lock, &until) == 0)
        ;
    bool got = *flag;
    pthread_mutex_unlock(&s->lock);
    return got;
}

static void on_sent(void *self, RpcCall *call, bool ok)
{
    Seen *s = self;
    set(s, &s->in_sent);
    wait_for(s, &s->client_left, LONG_MS);
    /* The other I/O thread knows by now that the call is closed. */
    wait_for(s, &s->closed, GRACE_MS);
    set(s, &s->sent_is_over);
}

static void on_closed(void *self, RpcCall *call, bool cancelled)
{
    Seen *s = self;
    pthread_mutex_lock(&s->lock);
    s->closed_within_sent = !s->sent_is_over;
    pthread_mutex_unlock(&s->lock);
    rpc_unref(call);
    set(s, &s->closed);
}

static void handle(void *service, RpcCall *call, RpcEvent event)
{
    RpcMessage *m = rpc_message_copy(S("answer"));
    rpc_watch(call, &(RpcWatcher){service, on_sent, on_closed});
    rpc_send(call, m, false);
    rpc_message_free(m);
}

static void wait_for_tag(grpc_completion_queue *queue, void *tag)
{
    grpc_event e;
    do
        e = grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
    while (e.type != GRPC_OP_COMPLETE || e.tag != tag);
}

/* Calls, reads one answer, and leaves while the server is still busy with having sent it. */
static void call_and_leave(int port, Seen *seen)
{
    char target[32];
    snprintf(target, sizeof target, "127.0.0.1:%d", port);
    grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
    grpc_channel *channel = grpc_channel_create(target, credentials, NULL);
    grpc_completion_queue *queue = grpc_completion_queue_create_for_next(NULL);
    grpc_call *call = grpc_channel_create_call(channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue,
                                               grpc_slice_from_static_string("/test/stream"), NULL,
                                               gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
    grpc_slice request = grpc_slice_from_static_string("request"), details = grpc_empty_slice();
    grpc_byte_buffer *out = grpc_raw_byte_buffer_create(&request, 1), *in = NULL;
    grpc_metadata_array initial, trailing;
    grpc_status_code status;
    grpc_metadata_array_init(&initial);
    grpc_metadata_array_init(&trailing);
    grpc_op ops[5] = {{.op = GRPC_OP_SEND_INITIAL_METADATA}, {.op = GRPC_OP_SEND_MESSAGE},
                      {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT}, {.op = GRPC_OP_RECV_INITIAL_METADATA},
                      {.op = GRPC_OP_RECV_MESSAGE}};
    ops[1].data.send_message.send_message = out;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &initial;
    ops[4].data.recv_message.recv_message = &in;
    assert_int_equal(grpc_call_start_batch(call, ops, 5, ops, NULL), GRPC_CALL_OK);
    grpc_op end = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};
    end.data.recv_status_on_client.trailing_metadata = &trailing;
    end.data.recv_status_on_client.status = &status;
    end.data.recv_status_on_client.status_details = &details;
    wait_for_tag(queue, ops);
    assert_non_null(in);
    assert_true(wait_for(seen, &seen->in_sent, LONG_MS));
    grpc_call_cancel(call, NULL);
    assert_int_equal(grpc_call_start_batch(call, &end, 1, &end, NULL), GRPC_CALL_OK);
    wait_for_tag(queue, &end);
    set(seen, &seen->client_left);

    grpc_slice_unref(details);
    grpc_metadata_array_destroy(&initial);
    grpc_metadata_array_destroy(&trailing);
    grpc_byte_buffer_destroy(out);
    grpc_byte_buffer_destroy(in);
    grpc_call_unref(call);
    grpc_completion_queue_shutdown(queue);
    while (grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL).type != GRPC_QUEUE_SHUTDOWN)
        ;
    grpc_completion_queue_destroy(queue);
    grpc_channel_destroy(channel);
    grpc_channel_credentials_release(credentials);
}

/* A watcher may free what it watches for once it has been told that the call is closed. */
static void closed_comes_after_the_last_sent(void **state)
{
    static const RpcMethod methods[] = {{"/test/stream", false, handle}};
    Seen seen = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    RpcOptions options = {.host = S("127.0.0.1"), .max_message_bytes = 65536, .threads = 2, .methods = methods,
                          .method_count = 1, .service = &seen};
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    RpcServer *server;
    int port;
    grpc_init();
    assert_true(rpc_listen(&options, &server, &port, &err));
    call_and_leave(port, &seen);
    assert_true(wait_for(&seen, &seen.closed, LONG_MS));
    assert_false(seen.closed_within_sent);
    rpc_close(server, LONG_MS);
    grpc_shutdown();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(closed_comes_after_the_last_sent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
