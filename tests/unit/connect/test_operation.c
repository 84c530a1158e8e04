/* The responses of an execution: sent in order, one at a time, kept until released, sent again to whoever reattaches; a full
 * buffer parks the worker. gRPC is played by this file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "connect/operation.h"
#include "connect/session_table.h"

/* ---- what gRPC would do ---- */

struct RpcMessage {
    char text[8];
};

struct RpcCall {
    RpcWatcher watcher;
    int refs;
    char sent[256];
    bool sending, finished;
    RpcCode code;
};

static int messages_alive;

static RpcMessage *message_of(const char *text)
{
    RpcMessage *m = calloc(1, sizeof(*m));
    snprintf(m->text, sizeof(m->text), "%s", text);
    messages_alive++;
    return m;
}

size_t rpc_message_size(const RpcMessage *m)
{
    return 100;
}

void rpc_message_free(RpcMessage *m)
{
    messages_alive--;
    free(m);
}

void rpc_unref(RpcCall *call)
{
    call->refs--;
}

void rpc_watch(RpcCall *call, const RpcWatcher *watcher)
{
    call->watcher = *watcher;
}

static void put(RpcCall *call, const RpcMessage *m)
{
    strcat(call->sent, m->text);
}

void rpc_send(RpcCall *call, const RpcMessage *m, bool more)
{
    assert_false(call->sending);
    assert_false(call->finished);
    call->sending = true;
    put(call, m);
}

void rpc_finish(RpcCall *call, const RpcMessage *m, const RpcStatus *status)
{
    assert_false(call->sending);
    assert_false(call->finished);
    if (m != NULL)
        put(call, m);
    call->finished = true;
    call->code = status->code;
}

void connect_session_ref(ConnectSession *s)
{
}

void connect_session_unref(ConnectSession *s)
{
}

static void sent(RpcCall *call, bool ok)
{
    assert_true(call->sending);
    call->sending = false;
    call->watcher.sent(call->watcher.self, call, ok);
}

static void send_all(RpcCall *call)
{
    while (call->sending)
        sent(call, true);
}

static void closed(RpcCall *call)
{
    call->sending = false;
    call->watcher.closed(call->watcher.self, call, true);
}

/* ---- an execution ---- */

static int resumed;

static void count_resume(Operation *op)
{
    resumed++;
}

static Operation *begin(bool reattachable, size_t limit)
{
    Operation *op = operation_new(NULL, S("00000000-0000-4000-8000-000000000001"), limit);
    op->reattachable = reattachable;
    op->resume = count_resume;
    resumed = 0;
    return op;
}

static void push(Operation *op, const char *text)
{
    operation_push(op, str_from(text), message_of(text));
}

static void attach(Operation *op, RpcCall *call, const char *last)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    *call = (RpcCall){.refs = 1};
    assert_true(operation_attach(op, call, str_from(last), &err));
}

static void finish(Operation *op)
{
    operation_finish(op, OPERATION_SUCCEEDED, &(RpcStatus){.code = RPC_OK});
}

static void end(Operation *op)
{
    operation_unref(op);
    assert_int_equal(messages_alive, 0);
}

static void sends_in_order_one_at_a_time(void **state)
{
    RpcCall call;
    Operation *op = begin(true, 1000);
    push(op, "a");
    attach(op, &call, "");
    push(op, "b");
    assert_string_equal(call.sent, "a");
    sent(&call, true);
    assert_string_equal(call.sent, "ab");
    push(op, "c");
    finish(op);
    send_all(&call);
    assert_string_equal(call.sent, "abc");
    assert_true(call.finished);
    assert_int_equal(call.code, RPC_OK);
    assert_int_equal(call.refs, 0);
    closed(&call);
    assert_int_equal(op->count, 3); /* kept: nobody has released them */
    end(op);
}

static void reattaching_goes_on_behind_the_last_one_received(void **state)
{
    RpcCall first, second, third;
    Operation *op = begin(true, 1000);
    attach(op, &first, "");
    push(op, "a");
    push(op, "b");
    sent(&first, true);
    sent(&first, false); /* lost on its way */
    closed(&first);
    push(op, "c");
    attach(op, &second, "a");
    finish(op);
    send_all(&second);
    assert_string_equal(second.sent, "bc");
    closed(&second);
    attach(op, &third, "c");
    assert_string_equal(third.sent, "");
    assert_true(third.finished);
    closed(&third);
    end(op);
}

static void a_second_stream_takes_over(void **state)
{
    RpcCall first, second;
    Operation *op = begin(true, 1000);
    attach(op, &first, "");
    push(op, "a");
    sent(&first, true);
    attach(op, &second, "a");
    assert_true(first.finished);
    assert_int_equal(first.code, RPC_CANCELLED);
    closed(&first); /* its end is not the execution's */
    push(op, "b");
    assert_string_equal(second.sent, "b");
    assert_false(cancel_is_raised(op->cancel));
    send_all(&second);
    finish(op);
    closed(&second);
    end(op);
}

static void releases_come_early_late_and_twice(void **state)
{
    RpcCall call;
    Operation *op = begin(true, 1000);
    attach(op, &call, "");
    push(op, "a");
    push(op, "b");
    operation_release_until(op, S("a")); /* before the send is known to be over */
    assert_int_equal(op->count, 2);
    sent(&call, true);
    assert_int_equal(op->count, 1);
    send_all(&call);
    operation_release_until(op, S("b"));
    operation_release_until(op, S("a"));
    operation_release_until(op, S("never"));
    assert_int_equal(op->count, 0);
    assert_int_equal(op->bytes, 0);
    push(op, "c");
    assert_string_equal(call.sent, "abc");
    send_all(&call);
    finish(op);
    closed(&call);
    end(op);
}

static void a_full_buffer_parks_the_worker(void **state)
{
    RpcCall call;
    Operation *op = begin(true, 200);
    attach(op, &call, "");
    push(op, "a");
    assert_false(operation_park_if_full(op));
    push(op, "b");
    assert_true(operation_park_if_full(op));
    send_all(&call);
    assert_int_equal(resumed, 0); /* sent, but kept for a client that may come back */
    operation_release_until(op, S("a"));
    assert_int_equal(resumed, 1);
    operation_release_until(op, S("b"));
    assert_int_equal(resumed, 1);
    finish(op);
    closed(&call);
    end(op);
}

static void a_stream_that_cannot_come_back_keeps_nothing(void **state)
{
    RpcCall call;
    Operation *op = begin(false, 200);
    attach(op, &call, "");
    push(op, "a");
    push(op, "b");
    assert_true(operation_park_if_full(op));
    sent(&call, true);
    assert_int_equal(op->count, 1);
    assert_int_equal(resumed, 1);
    closed(&call);
    assert_true(cancel_is_raised(op->cancel));
    end(op);
}

static void interrupting_wakes_a_parked_worker(void **state)
{
    Operation *op = begin(true, 100);
    push(op, "a");
    assert_true(operation_park_if_full(op));
    operation_interrupt(op);
    assert_int_equal(resumed, 1);
    assert_true(cancel_is_raised(op->cancel));
    assert_int_equal(op->state, OPERATION_TERMINATING);
    assert_false(operation_park_if_full(op)); /* it must get to its end */
    end(op);
}

static void after_release_all_nothing_is_kept(void **state)
{
    RpcCall call = {.refs = 1};
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Operation *op = begin(true, 1000);
    push(op, "a");
    operation_release_all(op);
    assert_int_equal(op->count, 0);
    assert_true(cancel_is_raised(op->cancel));
    push(op, "b");
    assert_int_equal(op->count, 0);
    assert_false(operation_attach(op, &call, S(""), &err));
    assert_string_equal(error_class_name(err.cls), "INVALID_HANDLE.OPERATION_ABANDONED");
    finish(op);
    end(op);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_in_order_one_at_a_time),
        cmocka_unit_test(reattaching_goes_on_behind_the_last_one_received),
        cmocka_unit_test(a_second_stream_takes_over),
        cmocka_unit_test(releases_come_early_late_and_twice),
        cmocka_unit_test(a_full_buffer_parks_the_worker),
        cmocka_unit_test(a_stream_that_cannot_come_back_keeps_nothing),
        cmocka_unit_test(interrupting_wakes_a_parked_worker),
        cmocka_unit_test(after_release_all_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
