/* A gRPC server over the C core: a table of methods, messages as bytes, calls that are answered from any thread. */
#pragma once

#include "base/error.h"

typedef struct RpcServer RpcServer;
typedef struct RpcCall RpcCall;
typedef struct RpcMessage RpcMessage;

/* Status codes of gRPC that services here answer with. */
typedef enum RpcCode {
    RPC_OK = 0,
    RPC_CANCELLED = 1,
    RPC_INVALID_ARGUMENT = 3,
    RPC_NOT_FOUND = 5,
    RPC_RESOURCE_EXHAUSTED = 8,
    RPC_UNIMPLEMENTED = 12,
    RPC_INTERNAL = 13,
    RPC_UNAVAILABLE = 14
} RpcCode;

typedef struct RpcStatus {
    RpcCode code;
    Str message;
    Str details; /* a google.rpc.Status for grpc-status-details-bin; may be empty */
} RpcStatus;

typedef enum RpcEvent {
    RPC_REQUEST, /* the one message of a unary or server-streaming call, or one of a client stream */
    RPC_END      /* the client stream is over */
} RpcEvent;

typedef struct RpcMethod {
    const char *path;        /* "/package.Service/Method" */
    bool client_stream;
    /* Runs on an I/O thread: must not block. The handler owns a reference of the call and gives it up by rpc_reply,
     * rpc_fail, or rpc_unref after the stream was finished. */
    void (*handle)(void *service, RpcCall *call, RpcEvent event);
} RpcMethod;

typedef struct RpcOptions {
    Str host;
    int port;                /* 0: any free one */
    int64_t max_message_bytes;
    unsigned threads;        /* I/O threads */
    const RpcMethod *methods;
    size_t method_count;
    void *service;
} RpcOptions;

/* *port is the one really listened on. */
MUST_CHECK bool rpc_listen(const RpcOptions *options, RpcServer **out, int *port, Error *err);
/* No new calls; running ones go on. */
void rpc_stop_accepting(RpcServer *s);
/* Waits up to deadline_ms for running calls, cancels the rest, joins the threads, frees the server. */
void rpc_close(RpcServer *s, int deadline_ms);

/* ---- messages: reference-counted parts, so that one can be sent more than once ---- */
RpcMessage *rpc_message_copy(Str bytes);
/* head is copied; body was malloc'ed and belongs to the message from now on. */
RpcMessage *rpc_message_join(Str head, char *body, size_t body_len);
size_t rpc_message_size(const RpcMessage *m);
void rpc_message_free(RpcMessage *m);

/* ---- calls ---- */

/* The message received last; valid until rpc_drop_request or the call's end. */
Str rpc_request(const RpcCall *call);
/* Frees the request's bytes before the call ends. */
void rpc_drop_request(RpcCall *call);
void rpc_ref(RpcCall *call);
void rpc_unref(RpcCall *call);
/* Client streams: asks for the next message, which comes as another call of the handler. */
void rpc_receive_next(RpcCall *call);
/* Whatever the handlers of a client stream keep between its messages. */
void rpc_set_state(RpcCall *call, void *state);
void *rpc_state(const RpcCall *call);
/* The client is gone or has cancelled. */
bool rpc_is_cancelled(const RpcCall *call);

/* Who is told about a stream's progress, on an I/O thread. closed comes exactly once, after the last sent. */
typedef struct RpcWatcher {
    void *self;
    void (*sent)(void *self, RpcCall *call, bool ok);
    void (*closed)(void *self, RpcCall *call, bool cancelled);
} RpcWatcher;
void rpc_watch(RpcCall *call, const RpcWatcher *watcher);

/* One send at a time: the next after `sent`. more: another follows at once, so the bytes may wait for it. */
void rpc_send(RpcCall *call, const RpcMessage *m, bool more);
/* Ends the stream, after a last message unless m is NULL; no `sent` follows. */
void rpc_finish(RpcCall *call, const RpcMessage *m, const RpcStatus *status);

/* Unary: both end the call and give up the handler's reference. */
void rpc_reply(RpcCall *call, Str bytes);
void rpc_fail(RpcCall *call, const RpcStatus *status);
