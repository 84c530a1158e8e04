/* One execution: its responses, kept until the client has them, and the stream that carries them. */
#pragma once

#include <pthread.h>

#include "base/clock.h"
#include "net/rpc.h"
#include "query/query.h"

typedef struct ConnectSession ConnectSession;

typedef enum OperationState {
    OPERATION_RUNNING = 2, /* numbered as GetStatus answers */
    OPERATION_TERMINATING = 3,
    OPERATION_SUCCEEDED = 4,
    OPERATION_FAILED = 5,
    OPERATION_CANCELLED = 6
} OperationState;

typedef struct Response {
    char id[UUID_TEXT_LEN + 1];
    RpcMessage *message;
    size_t size;
} Response;

typedef struct Operation {
    unsigned refs;              /* atomic */
    char id[UUID_TEXT_LEN + 1];
    ConnectSession *session;    /* referenced */
    StrVec tags;
    bool reattachable;
    bool is_command;            /* set before it runs */
    Cancel *cancel;
    Arena *arena;               /* tags, status */
    size_t buffer_limit;
    void (*resume)(struct Operation *op); /* puts a parked operation back to work */
    void *work;                 /* the worker's own state */

    pthread_mutex_t lock;       /* guards everything below */
    OperationState state;
    Response *responses;        /* those not released yet */
    size_t count, cap;
    size_t next;                /* which of them the stream sends next */
    size_t release_to;          /* how many of them may go once they are sent */
    size_t bytes;
    bool finished;              /* no response comes any more; status is set */
    RpcStatus status;
    RpcCall *stream;            /* attached call, referenced; NULL: none */
    bool sending;               /* a send of the stream is under way */
    bool parked;                /* the worker has left because the buffer is full */
    bool released;              /* the client wants nothing more */
    int64_t detached_us;        /* since when no stream is attached */
    struct Operation *next_operation; /* guarded by the session's lock */
} Operation;

Operation *operation_new(ConnectSession *session, Str id, size_t buffer_limit);
void operation_ref(Operation *op);
void operation_unref(Operation *op);

/* Responses in order; they are sent as soon as there is a stream. The message is taken over. */
void operation_push(Operation *op, Str response_id, RpcMessage *m);
/* The end, with what the stream is closed with. Strings are copied. */
void operation_finish(Operation *op, OperationState state, const RpcStatus *status);
/* True when the worker shall stop for now: resume is called once there is room. */
bool operation_park_if_full(Operation *op);

/* Hands the stream over; takes the call's reference. last: id of the last response the client has, empty for none.
 * INVALID_HANDLE-like errors when that response is gone. */
MUST_CHECK bool operation_attach(Operation *op, RpcCall *call, Str last, Error *err);
void operation_release_until(Operation *op, Str response_id);
/* Everything goes; a running execution is cancelled. */
void operation_release_all(Operation *op);
/* Raises the cancel flag, wakes the worker. */
void operation_interrupt(Operation *op);
