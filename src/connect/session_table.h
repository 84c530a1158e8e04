/* The sessions of all clients: found by user and id, closed when released or idle. */
#pragma once

#include <pthread.h>

#include "connect/connect.h"
#include "connect/operation.h"
#include "connect/wire.h"

enum { KEPT_ERRORS = 16, KEPT_OPERATIONS = 128 };

/* An operation that is over: what GetStatus and late calls may still ask about. */
typedef struct FormerOperation {
    char id[UUID_TEXT_LEN + 1];
    OperationState state;
    bool abandoned;
} FormerOperation;

typedef struct KeptError {
    char id[UUID_TEXT_LEN + 1];
    Arena *arena;
    Error *error;
} KeptError;

typedef struct StoredLevel {
    Str plan;                 /* the relation's bytes without plan ids */
    PB(StorageLevel) level;
    struct StoredLevel *next;
} StoredLevel;

typedef struct ConnectSession {
    Session *session;
    unsigned refs;            /* atomic */
    pthread_mutex_t lock;     /* guards everything below */
    Operation *operations;    /* linked by next */
    FormerOperation former[KEPT_OPERATIONS];
    size_t former_count;      /* ever kept; the newest at (former_count - 1) % KEPT_OPERATIONS */
    KeptError errors[KEPT_ERRORS];
    size_t error_count;
    Arena *level_arena;
    StoredLevel *levels;
    int64_t last_used_us;
    bool closed;
    struct ConnectSession *next; /* in the table's bucket */
} ConnectSession;

typedef struct SessionTable SessionTable;

typedef struct SessionTableOptions {
    Catalog *catalog;
    Str artifact_folder;
    int64_t artifact_limit;
    bool strict;                /* what lakeshed.strict is in a new session */
    void (*on_close)(void *arg, Session *session);  /* what runs for the session ends with it; does not wait */
    bool (*in_use)(void *arg, Session *session);    /* it is not idle though no client calls */
    void *arg;
} SessionTableOptions;

SessionTable *session_table_new(const SessionTableOptions *options);
/* Closes every session. */
void session_table_free(SessionTable *t);

typedef struct SessionKey {
    Str user, id;
    Str observed;             /* the server-side id the client remembers; empty: none */
} SessionKey;
SessionKey session_key(const PB(UserContext) *user, const char *id, const char *observed);

/* The session, made when needed. The caller unrefs. INVALID_HANDLE.FORMAT, .SESSION_CLOSED, .SESSION_CHANGED. */
MUST_CHECK bool session_table_open(SessionTable *t, const SessionKey *key, ConnectSession **out, Error *err);
/* An existing one: INVALID_HANDLE.SESSION_NOT_FOUND otherwise. */
MUST_CHECK bool session_table_find(SessionTable *t, const SessionKey *key, ConnectSession **out, Error *err);
MUST_CHECK bool session_table_clone(SessionTable *t, ConnectSession *from, const SessionKey *to, ConnectSession **out,
                                    Error *err);
/* Ends it: operations are cancelled, state is freed with the last reference. False when there was none. */
bool session_table_close(SessionTable *t, const SessionKey *key, bool may_come_back, Str *server_id, Arena *arena);
/* Sessions unused for longer, and operations whose client has not come back. */
void session_table_sweep(SessionTable *t, int64_t idle_us, int64_t detached_us);
/* Every operation of every session is told to end. */
void session_table_cancel_all(SessionTable *t, bool commands_too);
/* Operations that have not finished; commands only, or all. */
size_t session_table_running(SessionTable *t, bool commands_only);

/* INVALID_HANDLE.FORMAT unless it is a UUID. */
MUST_CHECK bool connect_check_uuid(Str id, Error *err);
void connect_session_ref(ConnectSession *s);
void connect_session_unref(ConnectSession *s);
/* Keeps an error for FetchErrorDetails and gives its id. */
Str connect_session_keep_error(ConnectSession *s, const Error *error, Arena *arena);
/* Takes it out again; *out lives in *holder, which the caller frees. */
bool connect_session_take_error(ConnectSession *s, Str id, Arena **holder, Error **out);

/* INVALID_HANDLE.OPERATION_ALREADY_EXISTS. The session holds a reference until session_forget_operation. */
MUST_CHECK bool connect_session_add(ConnectSession *s, Operation *op, Error *err);
void connect_session_forget(ConnectSession *s, Operation *op, bool abandoned);
/* The caller unrefs; NULL when there is none, and *former tells what became of it: an empty id when nothing is known. */
Operation *connect_session_operation(ConnectSession *s, Str id, FormerOperation *former);
/* Interrupts all, those with a tag, or one by id; the ids go to *out. */
void connect_session_interrupt(ConnectSession *s, const Str *tag, const Str *id, Arena *arena, StrVec *out);
/* Every operation known, former ones included. */
typedef VEC(FormerOperation) FormerVec;
void connect_session_states(ConnectSession *s, Arena *arena, FormerVec *out);
