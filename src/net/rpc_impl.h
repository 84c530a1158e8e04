/* Between rpc_server.c and rpc_call.c. */
#pragma once

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <pthread.h>

#include "net/rpc.h"

/* What a completion queue gives back: the function knows the struct around it. */
typedef struct RpcTag {
    void (*fire)(struct RpcTag *tag, bool ok);
} RpcTag;

typedef struct RpcAcceptor {
    RpcTag tag;
    RpcServer *server;
    const RpcMethod *method;  /* NULL: methods that nobody registered */
    void *registered;
    grpc_call *call;
    grpc_call_details details;
    grpc_metadata_array metadata;
    gpr_timespec deadline;
    grpc_byte_buffer *payload;
} RpcAcceptor;

struct RpcMessage {
    grpc_byte_buffer *buffer;
};

struct RpcCall {
    RpcServer *server;
    const RpcMethod *method;
    grpc_call *call;
    unsigned refs;            /* atomic */
    RpcTag received, sent, closed, finished;
    grpc_byte_buffer *incoming;
    grpc_slice request;       /* the whole request in one piece */
    bool has_request;
    bool metadata_sent;       /* sends are serialised by who owns the call */
    grpc_byte_buffer *outgoing;
    int cancelled_op;
    bool cancelled;           /* atomic */
    void *state;
    pthread_mutex_t lock;     /* guards what follows */
    RpcWatcher watcher;
    unsigned sends;           /* whose `sent` is not over */
    bool closing, is_closed;  /* closed; and the watcher has been told */
};

struct RpcServer {
    grpc_server *server;
    grpc_completion_queue *queue;
    pthread_t *threads;
    unsigned thread_count;
    RpcAcceptor *acceptors;
    size_t acceptor_count;
    void *service;
    RpcTag shutdown;
    pthread_mutex_t lock;     /* guards calls, stopping, drained */
    pthread_cond_t changed;
    unsigned calls;           /* alive */
    bool stopping, drained;
};

void rpc_call_begin(RpcAcceptor *acceptor);
