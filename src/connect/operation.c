/* Buffering, sending and releasing responses. Locks are taken in the order session, operation. */
#include "connect/operation.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "connect/session_table.h"

Operation *operation_new(ConnectSession *session, Str id, size_t buffer_limit)
{
    Operation *op = calloc(1, sizeof *op);
    if (op == NULL)
        panic("out of memory");
    op->refs = 1;
    memcpy(op->id, id.ptr, id.len < UUID_TEXT_LEN ? id.len : UUID_TEXT_LEN);
    connect_session_ref(session);
    op->session = session;
    op->cancel = cancel_new();
    op->arena = arena_new();
    op->buffer_limit = buffer_limit;
    op->state = OPERATION_RUNNING;
    op->detached_us = clock_monotonic_us();
    pthread_mutex_init(&op->lock, NULL);
    return op;
}

void operation_ref(Operation *op)
{
    __atomic_add_fetch(&op->refs, 1, __ATOMIC_RELAXED);
}

void operation_unref(Operation *op)
{
    if (__atomic_sub_fetch(&op->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (size_t i = 0; i < op->count; i++)
        rpc_message_free(op->responses[i].message);
    free(op->responses);
    cancel_unref(op->cancel);
    arena_free(op->arena);
    pthread_mutex_destroy(&op->lock);
    connect_session_unref(op->session);
    free(op);
}

/* Drops the first n responses. */
static void drop_responses(Operation *op, size_t n)
{
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        op->bytes -= op->responses[i].size;
        rpc_message_free(op->responses[i].message);
    }
    memmove(op->responses, op->responses + n, (op->count - n) * sizeof *op->responses);
    op->count -= n;
    op->next = op->next > n ? op->next - n : 0;
    op->release_to = op->release_to > n ? op->release_to - n : 0;
}

/* Clients release what they have received, which may be before the send is known to be over here. */
static void apply_releases(Operation *op)
{
    size_t n = op->release_to < op->next ? op->release_to : op->next;
    if (n > 0)
        drop_responses(op, n);
}

static void detach(Operation *op)
{
    op->stream = NULL;
    op->sending = false;
    op->detached_us = clock_monotonic_us();
}

/* Sends what can be sent. With the lock held; returns a call to unref once it is given up. */
static RpcCall *pump(Operation *op)
{
    if (op->stream == NULL || op->sending)
        return NULL;
    bool last = op->finished && op->next + 1 == op->count;
    if (op->next < op->count && !last) {
        op->sending = true;
        rpc_send(op->stream, op->responses[op->next].message, op->next + 1 < op->count);
        return NULL;
    }
    if (!op->finished)
        return NULL;
    RpcCall *call = op->stream;
    rpc_finish(call, last ? op->responses[op->next].message : NULL, &op->status);
    if (last)
        op->next++;
    detach(op);
    return call;
}

static void unlock_and_give_up(Operation *op, RpcCall *call)
{
    pthread_mutex_unlock(&op->lock);
    if (call != NULL)
        rpc_unref(call);
}

/* Back to work when there is room again. With the lock held. */
static bool wants_work(Operation *op)
{
    bool room = op->bytes < op->buffer_limit || cancel_is_raised(op->cancel);
    if (!op->parked || !room)
        return false;
    op->parked = false;
    return true;
}

void operation_push(Operation *op, Str response_id, RpcMessage *m)
{
    pthread_mutex_lock(&op->lock);
    if (op->released) {
        pthread_mutex_unlock(&op->lock);
        rpc_message_free(m);
        return;
    }
    if (op->count == op->cap) {
        op->cap = op->cap == 0 ? 4 : op->cap * 2;
        op->responses = realloc(op->responses, op->cap * sizeof *op->responses);
        if (op->responses == NULL)
            panic("out of memory");
    }
    Response *r = &op->responses[op->count++];
    *r = (Response){.message = m, .size = rpc_message_size(m)};
    memcpy(r->id, response_id.ptr, response_id.len < UUID_TEXT_LEN ? response_id.len : UUID_TEXT_LEN);
    op->bytes += r->size;
    unlock_and_give_up(op, pump(op));
}

void operation_finish(Operation *op, OperationState state, const RpcStatus *status)
{
    pthread_mutex_lock(&op->lock);
    op->state = state;
    op->finished = true;
    op->status = (RpcStatus){status->code, str_copy(status->message, op->arena), str_copy(status->details, op->arena)};
    unlock_and_give_up(op, pump(op));
}

bool operation_park_if_full(Operation *op)
{
    pthread_mutex_lock(&op->lock);
    op->parked = op->bytes >= op->buffer_limit && !op->released && !cancel_is_raised(op->cancel);
    bool parked = op->parked;
    pthread_mutex_unlock(&op->lock);
    return parked;
}

/* ---- the stream's events ---- */

static void on_sent(void *self, RpcCall *call, bool ok)
{
    Operation *op = self;
    RpcCall *done = NULL;
    pthread_mutex_lock(&op->lock);
    if (op->stream == call) {
        op->sending = false;
        if (ok) {
            op->next++;
            if (!op->reattachable)
                op->release_to = op->next;
            apply_releases(op);
        }
        done = ok ? pump(op) : NULL;
    }
    bool work = wants_work(op);
    unlock_and_give_up(op, done);
    if (work)
        op->resume(op);
}

static void on_closed(void *self, RpcCall *call, bool cancelled)
{
    Operation *op = self;
    pthread_mutex_lock(&op->lock);
    bool mine = op->stream == call;
    if (mine)
        detach(op);
    bool gone = mine && !op->reattachable && !op->finished;
    pthread_mutex_unlock(&op->lock);
    if (mine)
        rpc_unref(call);
    if (gone)
        operation_interrupt(op);
    operation_unref(op); /* the watcher's */
}

/* Where to go on behind the response of that id; false when it is not kept any more. */
static bool find_next(Operation *op, Str last, size_t *next)
{
    *next = 0;
    if (last.len == 0)
        return true;
    for (size_t i = 0; i < op->count; i++)
        if (str_is(last, op->responses[i].id)) {
            *next = i + 1;
            return true;
        }
    return false;
}

bool operation_attach(Operation *op, RpcCall *call, Str last, Error *err)
{
    size_t next;
    pthread_mutex_lock(&op->lock);
    /* Released up to and including `last`: what is kept begins right behind it. */
    if (!find_next(op, last, &next))
        next = 0;
    if (op->released) {
        pthread_mutex_unlock(&op->lock);
        return error_set(err, ERR_INVALID_HANDLE__OPERATION_ABANDONED, PZ("handle", op->id));
    }
    RpcCall *old = op->stream;
    if (old != NULL && !op->sending)
        rpc_finish(old, NULL, &(RpcStatus){.code = RPC_CANCELLED, .message = S("Another stream took over.")});
    op->stream = call;
    op->sending = true; /* nobody sends before there is a watcher to hear of it */
    op->next = next;
    operation_ref(op);
    pthread_mutex_unlock(&op->lock);
    if (old != NULL)
        rpc_unref(old);
    rpc_watch(call, &(RpcWatcher){op, on_sent, on_closed});
    pthread_mutex_lock(&op->lock);
    RpcCall *done = NULL;
    if (op->stream == call) {
        op->sending = false;
        done = pump(op);
    }
    unlock_and_give_up(op, done);
    return true;
}

/* ---- releasing ---- */

void operation_release_until(Operation *op, Str response_id)
{
    size_t next;
    pthread_mutex_lock(&op->lock);
    /* Releases come out of order: what is gone already is no error. */
    if (response_id.len > 0 && find_next(op, response_id, &next) && next > op->release_to)
        op->release_to = next;
    apply_releases(op);
    bool work = wants_work(op);
    pthread_mutex_unlock(&op->lock);
    if (work)
        op->resume(op);
}

void operation_release_all(Operation *op)
{
    pthread_mutex_lock(&op->lock);
    op->released = true;
    bool running = !op->finished;
    /* The stream may still have to carry the end. */
    if (op->stream == NULL)
        drop_responses(op, op->count);
    pthread_mutex_unlock(&op->lock);
    if (running)
        operation_interrupt(op);
}

void operation_interrupt(Operation *op)
{
    pthread_mutex_lock(&op->lock);
    if (!op->finished)
        op->state = OPERATION_TERMINATING;
    pthread_mutex_unlock(&op->lock);
    cancel_raise(op->cancel);
    pthread_mutex_lock(&op->lock);
    bool work = wants_work(op);
    pthread_mutex_unlock(&op->lock);
    if (work)
        op->resume(op);
}
