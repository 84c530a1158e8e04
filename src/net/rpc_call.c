/* One call: receiving its messages, sending its answers, learning that the client is gone. */
#include <grpc/support/alloc.h>
#include <grpc/support/string_util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "net/rpc_impl.h"

#define CALL_OF(tag, member) ((RpcCall *)((char *)(tag) - offsetof(RpcCall, member)))

/* ---- messages ---- */

static RpcMessage *message_of(grpc_slice *slices, size_t count)
{
    RpcMessage *m = malloc(sizeof *m);
    if (m == NULL)
        panic("out of memory");
    m->buffer = grpc_raw_byte_buffer_create(slices, count);
    for (size_t i = 0; i < count; i++)
        grpc_slice_unref(slices[i]);
    return m;
}

RpcMessage *rpc_message_copy(Str bytes)
{
    grpc_slice slice = grpc_slice_from_copied_buffer(bytes.ptr, bytes.len);
    return message_of(&slice, 1);
}

RpcMessage *rpc_message_join(Str head, char *body, size_t body_len)
{
    grpc_slice slices[] = {grpc_slice_from_copied_buffer(head.ptr, head.len), grpc_slice_new(body, body_len, free)};
    return message_of(slices, 2);
}

size_t rpc_message_size(const RpcMessage *m)
{
    return grpc_byte_buffer_length(m->buffer);
}

void rpc_message_free(RpcMessage *m)
{
    if (m == NULL)
        return;
    grpc_byte_buffer_destroy(m->buffer);
    free(m);
}

/* ---- life ---- */

void rpc_ref(RpcCall *call)
{
    __atomic_add_fetch(&call->refs, 1, __ATOMIC_RELAXED);
}

void rpc_unref(RpcCall *call)
{
    if (__atomic_sub_fetch(&call->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    RpcServer *s = call->server;
    rpc_drop_request(call);
    if (call->incoming != NULL)
        grpc_byte_buffer_destroy(call->incoming);
    if (call->outgoing != NULL)
        grpc_byte_buffer_destroy(call->outgoing);
    grpc_call_unref(call->call);
    pthread_mutex_destroy(&call->lock);
    free(call);
    pthread_mutex_lock(&s->lock);
    s->calls--;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

Str rpc_request(const RpcCall *call)
{
    return (Str){(const char *)GRPC_SLICE_START_PTR(call->request), GRPC_SLICE_LENGTH(call->request)};
}

void rpc_drop_request(RpcCall *call)
{
    if (call->has_request)
        grpc_slice_unref(call->request);
    call->has_request = false;
    call->request = grpc_empty_slice();
}

void rpc_set_state(RpcCall *call, void *state)
{
    call->state = state;
}

void *rpc_state(const RpcCall *call)
{
    return call->state;
}

bool rpc_is_cancelled(const RpcCall *call)
{
    return __atomic_load_n(&call->cancelled, __ATOMIC_ACQUIRE);
}

static void start_batch(RpcCall *call, const grpc_op *ops, size_t count, RpcTag *tag)
{
    grpc_call_error e = grpc_call_start_batch(call->call, ops, count, tag, NULL);
    if (e != GRPC_CALL_OK)
        panic("gRPC refused a batch: %d", (int)e);
}

/* ---- receiving ---- */

static void take_request(RpcCall *call, grpc_byte_buffer *payload)
{
    grpc_byte_buffer_reader reader;
    rpc_drop_request(call);
    if (grpc_byte_buffer_reader_init(&reader, payload)) {
        call->request = grpc_byte_buffer_reader_readall(&reader);
        call->has_request = true;
        grpc_byte_buffer_reader_destroy(&reader);
    }
    grpc_byte_buffer_destroy(payload);
}

static void on_received(RpcTag *tag, bool ok)
{
    RpcCall *call = CALL_OF(tag, received);
    grpc_byte_buffer *payload = call->incoming;
    call->incoming = NULL;
    if (payload != NULL && ok) {
        take_request(call, payload);
        call->method->handle(call->server->service, call, RPC_REQUEST);
    } else {
        rpc_drop_request(call);
        call->method->handle(call->server->service, call, RPC_END);
    }
    rpc_unref(call);
}

void rpc_receive_next(RpcCall *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
    op.data.recv_message.recv_message = &call->incoming;
    rpc_ref(call);
    start_batch(call, &op, 1, &call->received);
}

/* ---- closing ---- */

/* With the lock held: true once, when the call is closed and no send is under way on another thread. */
static bool take_closed(RpcCall *call, RpcWatcher *watcher)
{
    if (!call->closing || call->is_closed || call->sends > 0)
        return false;
    call->is_closed = true;
    *watcher = call->watcher;
    return true;
}

static void tell_closed(RpcCall *call, const RpcWatcher *w)
{
    if (w->closed != NULL)
        w->closed(w->self, call, rpc_is_cancelled(call));
    rpc_unref(call); /* the close batch's */
}

static void on_closed(RpcTag *tag, bool ok)
{
    RpcCall *call = CALL_OF(tag, closed);
    RpcWatcher w;
    __atomic_store_n(&call->cancelled, call->cancelled_op != 0 || !ok, __ATOMIC_RELEASE);
    pthread_mutex_lock(&call->lock);
    call->closing = true;
    bool closed = take_closed(call, &w);
    pthread_mutex_unlock(&call->lock);
    if (closed)
        tell_closed(call, &w);
}

void rpc_watch(RpcCall *call, const RpcWatcher *watcher)
{
    pthread_mutex_lock(&call->lock);
    call->watcher = *watcher;
    bool late = call->is_closed;
    pthread_mutex_unlock(&call->lock);
    if (late && watcher->closed != NULL)
        watcher->closed(watcher->self, call, rpc_is_cancelled(call));
}

/* ---- sending ---- */

static void on_sent(RpcTag *tag, bool ok)
{
    RpcCall *call = CALL_OF(tag, sent);
    grpc_byte_buffer_destroy(call->outgoing);
    call->outgoing = NULL;
    pthread_mutex_lock(&call->lock);
    RpcWatcher w = call->watcher;
    bool told = call->is_closed;
    pthread_mutex_unlock(&call->lock);
    /* Told that the call is closed, a watcher may be gone. */
    if (w.sent != NULL && !told)
        w.sent(w.self, call, ok);
    pthread_mutex_lock(&call->lock);
    call->sends--;
    bool closed = take_closed(call, &w);
    pthread_mutex_unlock(&call->lock);
    if (closed)
        tell_closed(call, &w);
    rpc_unref(call);
}

static void on_finished(RpcTag *tag, bool ok)
{
    rpc_unref(CALL_OF(tag, finished));
}

static size_t add_metadata(RpcCall *call, grpc_op *ops, size_t n)
{
    if (call->metadata_sent)
        return n;
    call->metadata_sent = true;
    ops[n] = (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA};
    return n + 1;
}

static size_t add_message(RpcCall *call, const RpcMessage *m, bool more, grpc_op *ops, size_t n)
{
    if (m == NULL)
        return n;
    /* The core takes the slices out of the buffer it is given. */
    call->outgoing = grpc_byte_buffer_copy(m->buffer);
    ops[n] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE, .flags = more ? GRPC_WRITE_BUFFER_HINT : 0};
    ops[n].data.send_message.send_message = call->outgoing;
    return n + 1;
}

void rpc_send(RpcCall *call, const RpcMessage *m, bool more)
{
    grpc_op ops[2];
    size_t n = add_metadata(call, ops, 0);
    n = add_message(call, m, more, ops, n);
    rpc_ref(call);
    pthread_mutex_lock(&call->lock);
    call->sends++;
    pthread_mutex_unlock(&call->lock);
    start_batch(call, ops, n, &call->sent);
}

void rpc_finish(RpcCall *call, const RpcMessage *m, const RpcStatus *status)
{
    grpc_op ops[3];
    grpc_metadata trailer = {.key = grpc_slice_from_static_string("grpc-status-details-bin"),
                             .value = grpc_slice_from_copied_buffer(status->details.ptr, status->details.len)};
    grpc_slice text = grpc_slice_from_copied_buffer(status->message.ptr, status->message.len);
    size_t n = add_metadata(call, ops, 0);
    n = add_message(call, m, false, ops, n);
    ops[n] = (grpc_op){.op = GRPC_OP_SEND_STATUS_FROM_SERVER};
    ops[n].data.send_status_from_server.status = (grpc_status_code)status->code;
    ops[n].data.send_status_from_server.status_details = &text;
    ops[n].data.send_status_from_server.trailing_metadata = &trailer;
    ops[n].data.send_status_from_server.trailing_metadata_count = status->details.len > 0 ? 1 : 0;
    rpc_ref(call);
    start_batch(call, ops, n + 1, &call->finished);
    grpc_slice_unref(text);
    grpc_slice_unref(trailer.value);
}

void rpc_reply(RpcCall *call, Str bytes)
{
    RpcMessage *m = rpc_message_copy(bytes);
    rpc_finish(call, m, &(RpcStatus){.code = RPC_OK});
    rpc_message_free(m);
    rpc_unref(call);
}

void rpc_fail(RpcCall *call, const RpcStatus *status)
{
    rpc_finish(call, NULL, status);
    rpc_unref(call);
}

/* ---- beginning ---- */

static void refuse_unknown(RpcCall *call, const grpc_call_details *details)
{
    char *path = grpc_slice_to_c_string(details->method);
    char text[512];
    snprintf(text, sizeof text, "Method not found: %s", path);
    gpr_free(path);
    rpc_fail(call, &(RpcStatus){.code = RPC_UNIMPLEMENTED, .message = str_from(text)});
}

/* The size limit is enforced by the core, which drops the message; the reason has to be said here. */
static void refuse_lost(RpcCall *call)
{
    rpc_fail(call, &(RpcStatus){.code = RPC_RESOURCE_EXHAUSTED,
                                .message = S("The request is larger than the server accepts (setting "
                                             "max-message-bytes), or it ended early")});
}

void rpc_call_begin(RpcAcceptor *acceptor)
{
    RpcCall *call = calloc(1, sizeof *call);
    if (call == NULL)
        panic("out of memory");
    call->server = acceptor->server;
    call->method = acceptor->method;
    call->call = acceptor->call;
    call->refs = 2; /* the handler's and that of the close batch */
    call->received.fire = on_received;
    call->sent.fire = on_sent;
    call->closed.fire = on_closed;
    call->finished.fire = on_finished;
    call->request = grpc_empty_slice();
    pthread_mutex_init(&call->lock, NULL);
    pthread_mutex_lock(&acceptor->server->lock);
    acceptor->server->calls++;
    pthread_mutex_unlock(&acceptor->server->lock);
    grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};
    op.data.recv_close_on_server.cancelled = &call->cancelled_op;
    start_batch(call, &op, 1, &call->closed);
    if (call->method == NULL) {
        refuse_unknown(call, &acceptor->details);
    } else if (call->method->client_stream) {
        rpc_receive_next(call);
    } else if (acceptor->payload == NULL) {
        refuse_lost(call);
    } else {
        take_request(call, acceptor->payload);
        acceptor->payload = NULL;
        call->method->handle(call->server->service, call, RPC_REQUEST);
    }
}
