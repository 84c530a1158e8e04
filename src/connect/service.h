/* Between the files that answer Spark Connect's methods. */
#pragma once

#include "connect/connect.h"
#include "connect/session_table.h"
#include "net/rpc.h"
#include "net/workers.h"
#include "stream/stream.h"

struct ConnectServer {
    const ServerSettings *settings;
    Engine *engine;
    SessionTable *sessions;
    RpcServer *rpc;
    Workers *workers;
    StreamManager *streams;
    pthread_t sweeper;
    pthread_mutex_t lock;   /* guards stopping and waits */
    pthread_cond_t wake;
    bool stopping;
    unsigned waits;         /* requests on threads of their own */
};

/* One request being answered on one thread. */
typedef struct Request {
    ConnectServer *server;
    RpcCall *call;
    Arena *arena;
    Error err;
    ConnectSession *session; /* once it is known; request_end unrefs it */
} Request;

void request_begin(Request *r, ConnectServer *server, RpcCall *call);
/* Unpacks the call's message; the request's bytes may be dropped afterwards. */
MUST_CHECK bool request_unpack(Request *r, const ProtobufCMessageDescriptor *d, void *out);
/* Ends the call: with the message, or with the request's error. Frees the request. */
void request_reply(Request *r, const ProtobufCMessage *message);
void request_fail(Request *r);
/* The status of the request's error, kept for FetchErrorDetails when there is a session. */
RpcStatus request_status(Request *r);
void request_end(Request *r);
char *request_session_id(Request *r);
char *request_server_id(Request *r);

/* Handlers, one a method; quick ones answer on the I/O thread, the others hand themselves to a worker. */
void execute_plan(void *server, RpcCall *call, RpcEvent event);
void reattach_execute(void *server, RpcCall *call, RpcEvent event);
void release_execute(void *server, RpcCall *call, RpcEvent event);
void analyze_plan(void *server, RpcCall *call, RpcEvent event);
void config(void *server, RpcCall *call, RpcEvent event);
void add_artifacts(void *server, RpcCall *call, RpcEvent event);
void artifact_status(void *server, RpcCall *call, RpcEvent event);
void interrupt(void *server, RpcCall *call, RpcEvent event);
void release_session(void *server, RpcCall *call, RpcEvent event);
void fetch_error_details(void *server, RpcCall *call, RpcEvent event);
void clone_session(void *server, RpcCall *call, RpcEvent event);
void get_status(void *server, RpcCall *call, RpcEvent event);

/* Runs handler(server, call) on a worker; answers UNAVAILABLE when there is no room for more. */
void on_worker(ConnectServer *server, RpcCall *call, void (*handler)(ConnectServer *server, RpcCall *call));

/* A request leaves the workers for a thread of its own; false when the server stops or has too many of them. */
bool connect_wait_begins(ConnectServer *server);
void connect_wait_ended(ConnectServer *server);

/* The relation or command of a plan, decompressed where needed. *raw: its own bytes. */
typedef struct PlanRoot {
    const PB(Relation) *relation;
    const PB(Command) *command;
    Str raw;
} PlanRoot;
MUST_CHECK bool plan_root(Request *r, const PB(Plan) *plan, Str plan_bytes, PlanRoot *out);
