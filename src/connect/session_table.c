/* Sessions by user and id; their operations, kept errors and storage levels. */
#include "connect/session_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum { BUCKETS = 1024, CLOSED_KEPT = 4096 };

struct SessionTable {
    SessionTableOptions options;
    pthread_mutex_t lock;         /* guards the rest; taken before a session's lock */
    ConnectSession *buckets[BUCKETS];
    uint64_t closed[CLOSED_KEPT]; /* hashes of keys whose session was released */
    size_t closed_count;
};

SessionTable *session_table_new(const SessionTableOptions *options)
{
    SessionTable *t = calloc(1, sizeof *t);
    if (t == NULL)
        panic("out of memory");
    t->options = *options;
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

SessionKey session_key(const PB(UserContext) *user, const char *id, const char *observed)
{
    return (SessionKey){user == NULL ? (Str){"", 0} : wire_str(user->user_id), wire_str(id), wire_str(observed)};
}

static uint64_t key_hash(const SessionKey *k)
{
    return str_hash(k->user) * UINT64_C(0x9e3779b97f4a7c15) ^ str_hash(k->id);
}

/* ---- one session ---- */

void connect_session_ref(ConnectSession *s)
{
    __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
}

void connect_session_unref(ConnectSession *s)
{
    if (s == NULL || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (size_t i = 0; i < KEPT_ERRORS; i++)
        arena_free(s->errors[i].arena);
    arena_free(s->level_arena);
    session_unref(s->session);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static ConnectSession *wrap_session(Session *session)
{
    ConnectSession *s = calloc(1, sizeof *s);
    if (s == NULL)
        panic("out of memory");
    s->session = session;
    s->refs = 1;
    s->level_arena = arena_new();
    s->last_used_us = clock_monotonic_us();
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

Str connect_session_keep_error(ConnectSession *s, const Error *error, Arena *arena)
{
    KeptError kept = {.arena = arena_new()};
    kept.error = ARENA_NEW(kept.arena, Error);
    *kept.error = error_in(kept.arena);
    error_copy(kept.error, error);
    clock_uuid(kept.id);
    pthread_mutex_lock(&s->lock);
    KeptError *slot = &s->errors[s->error_count++ % KEPT_ERRORS];
    Arena *old = slot->arena;
    *slot = kept;
    pthread_mutex_unlock(&s->lock);
    arena_free(old);
    return str_copy(str_from(kept.id), arena);
}

bool connect_session_take_error(ConnectSession *s, Str id, Arena **holder, Error **out)
{
    bool found = false;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < KEPT_ERRORS && !found; i++) {
        KeptError *k = &s->errors[i];
        if (k->arena == NULL || !str_is(id, k->id))
            continue;
        *holder = k->arena;
        *out = k->error;
        *k = (KeptError){0};
        found = true;
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

static Operation *find_operation(ConnectSession *s, Str id)
{
    Operation *op = s->operations;
    while (op != NULL && !str_is(id, op->id))
        op = op->next_operation;
    return op;
}

static const FormerOperation *find_former(const ConnectSession *s, Str id)
{
    for (size_t i = 0; i < KEPT_OPERATIONS; i++)
        if (s->former[i].id[0] != '\0' && str_is(id, s->former[i].id))
            return &s->former[i];
    return NULL;
}

bool connect_session_add(ConnectSession *s, Operation *op, Error *err)
{
    Str id = str_from(op->id);
    pthread_mutex_lock(&s->lock);
    bool taken = find_operation(s, id) != NULL, abandoned = find_former(s, id) != NULL;
    bool closed = s->closed;
    if (!taken && !abandoned && !closed) {
        operation_ref(op);
        op->next_operation = s->operations;
        s->operations = op;
    }
    pthread_mutex_unlock(&s->lock);
    if (closed)
        return error_set(err, ERR_INVALID_HANDLE__SESSION_CLOSED, P("handle", session_id(s->session)));
    if (taken)
        return error_set(err, ERR_INVALID_HANDLE__OPERATION_ALREADY_EXISTS, P("handle", id));
    if (abandoned)
        return error_set(err, ERR_INVALID_HANDLE__OPERATION_ABANDONED, P("handle", id));
    return true;
}

static OperationState state_of(Operation *op)
{
    pthread_mutex_lock(&op->lock);
    OperationState state = op->state;
    pthread_mutex_unlock(&op->lock);
    return state;
}

void connect_session_forget(ConnectSession *s, Operation *op, bool abandoned)
{
    OperationState state = state_of(op);
    bool found = false;
    pthread_mutex_lock(&s->lock);
    for (Operation **link = &s->operations; *link != NULL; link = &(*link)->next_operation)
        if (*link == op) {
            *link = op->next_operation;
            found = true;
            break;
        }
    if (found) {
        FormerOperation *slot = &s->former[s->former_count++ % KEPT_OPERATIONS];
        memcpy(slot->id, op->id, sizeof slot->id);
        slot->state = state;
        slot->abandoned = abandoned;
    }
    pthread_mutex_unlock(&s->lock);
    if (found)
        operation_unref(op);
}

Operation *connect_session_operation(ConnectSession *s, Str id, FormerOperation *former)
{
    memset(former, 0, sizeof *former);
    pthread_mutex_lock(&s->lock);
    Operation *op = find_operation(s, id);
    if (op != NULL)
        operation_ref(op);
    const FormerOperation *f = find_former(s, id);
    if (f != NULL)
        *former = *f;
    pthread_mutex_unlock(&s->lock);
    return op;
}

typedef VEC(Operation *) OperationVec;

/* Referenced copies, so that nothing is done to an operation under the session's lock. */
static OperationVec list_operations(ConnectSession *s, Arena *arena)
{
    OperationVec out = {0};
    pthread_mutex_lock(&s->lock);
    for (Operation *op = s->operations; op != NULL; op = op->next_operation) {
        operation_ref(op);
        vec_push(arena, &out, op);
    }
    pthread_mutex_unlock(&s->lock);
    return out;
}

static bool has_tag(const Operation *op, Str tag)
{
    for (size_t i = 0; i < op->tags.len; i++)
        if (str_eq(op->tags.at[i], tag))
            return true;
    return false;
}

void connect_session_interrupt(ConnectSession *s, const Str *tag, const Str *id, Arena *arena, StrVec *out)
{
    OperationVec all = list_operations(s, arena);
    for (size_t i = 0; i < all.len; i++) {
        Operation *op = all.at[i];
        bool wanted = (tag == NULL || has_tag(op, *tag)) && (id == NULL || str_is(*id, op->id));
        if (wanted && state_of(op) == OPERATION_RUNNING) {
            vec_push(arena, out, str_copy(str_from(op->id), arena));
            operation_interrupt(op);
        }
        operation_unref(op);
    }
}

void connect_session_states(ConnectSession *s, Arena *arena, FormerVec *out)
{
    OperationVec all = list_operations(s, arena);
    for (size_t i = 0; i < all.len; i++) {
        FormerOperation one = {.state = state_of(all.at[i])};
        memcpy(one.id, all.at[i]->id, sizeof one.id);
        vec_push(arena, out, one);
        operation_unref(all.at[i]);
    }
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < KEPT_OPERATIONS; i++)
        if (s->former[i].id[0] != '\0')
            vec_push(arena, out, s->former[i]);
    pthread_mutex_unlock(&s->lock);
}

/* ---- the table ---- */

static bool is_uuid(Str s)
{
    if (s.len != UUID_TEXT_LEN)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex = (s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'f') ||
                   (s.ptr[i] >= 'A' && s.ptr[i] <= 'F');
        if (dash ? s.ptr[i] != '-' : !hex)
            return false;
    }
    return true;
}

bool connect_check_uuid(Str id, Error *err)
{
    return is_uuid(id) || error_set(err, ERR_INVALID_HANDLE__FORMAT, P("handle", id));
}

static ConnectSession **find_link(SessionTable *t, const SessionKey *key)
{
    ConnectSession **link = &t->buckets[key_hash(key) % BUCKETS];
    while (*link != NULL && !(str_eq(session_id((*link)->session), key->id) &&
                              str_eq(session_user((*link)->session), key->user)))
        link = &(*link)->next;
    return link;
}

static bool is_closed(const SessionTable *t, const SessionKey *key)
{
    uint64_t hash = key_hash(key);
    for (size_t i = 0; i < CLOSED_KEPT && i < t->closed_count; i++)
        if (t->closed[i] == hash)
            return true;
    return false;
}

static void touch(ConnectSession *s)
{
    pthread_mutex_lock(&s->lock);
    s->last_used_us = clock_monotonic_us();
    pthread_mutex_unlock(&s->lock);
}

static bool check_observed(ConnectSession *s, const SessionKey *key, Error *err)
{
    if (key->observed.len == 0 || str_eq(key->observed, session_server_id(s->session)))
        return true;
    return error_set(err, ERR_INVALID_HANDLE__SESSION_CHANGED, P("handle", key->id));
}

static ConnectSession *new_session(SessionTable *t, const SessionKey *key)
{
    Session *session = session_new(key->user, key->id, t->options.catalog);
    if (t->options.artifact_folder.len > 0)
        session_keep_artifacts_in(session, t->options.artifact_folder, t->options.artifact_limit);
    if (t->options.strict) {
        AUTO_ARENA arena = arena_new();
        Error ignored = error_in(arena); /* a key of ours takes any text */
        (void)!session_set(session, S("lakeshed.strict"), S("true"), &ignored);
    }
    return wrap_session(session);
}

bool session_table_open(SessionTable *t, const SessionKey *key, ConnectSession **out, Error *err)
{
    TRY(connect_check_uuid(key->id, err));
    pthread_mutex_lock(&t->lock);
    ConnectSession **link = find_link(t, key);
    bool closed = *link == NULL && is_closed(t, key);
    if (*link == NULL && !closed)
        *link = new_session(t, key);
    ConnectSession *s = *link;
    if (s != NULL)
        connect_session_ref(s);
    pthread_mutex_unlock(&t->lock);
    if (closed)
        return error_set(err, ERR_INVALID_HANDLE__SESSION_CLOSED, P("handle", key->id));
    touch(s);
    if (!check_observed(s, key, err)) {
        connect_session_unref(s);
        return false;
    }
    *out = s;
    return true;
}

bool session_table_find(SessionTable *t, const SessionKey *key, ConnectSession **out, Error *err)
{
    TRY(connect_check_uuid(key->id, err));
    pthread_mutex_lock(&t->lock);
    ConnectSession *s = *find_link(t, key);
    bool closed = s == NULL && is_closed(t, key);
    if (s != NULL)
        connect_session_ref(s);
    pthread_mutex_unlock(&t->lock);
    if (s == NULL)
        return error_set(err, closed ? ERR_INVALID_HANDLE__SESSION_CLOSED : ERR_INVALID_HANDLE__SESSION_NOT_FOUND,
                         P("handle", key->id));
    touch(s);
    if (!check_observed(s, key, err)) {
        connect_session_unref(s);
        return false;
    }
    *out = s;
    return true;
}

bool session_table_clone(SessionTable *t, ConnectSession *from, const SessionKey *to, ConnectSession **out, Error *err)
{
    TRY(connect_check_uuid(to->id, err));
    ConnectSession *s = wrap_session(session_clone(from->session, to->id));
    pthread_mutex_lock(&t->lock);
    ConnectSession **link = find_link(t, to);
    bool taken = *link != NULL || is_closed(t, to);
    if (!taken) {
        *link = s;
        connect_session_ref(s);
    }
    pthread_mutex_unlock(&t->lock);
    if (taken) {
        connect_session_unref(s);
        return error_set(err, ERR_INVALID_CLONE_SESSION_REQUEST__TARGET_SESSION_ID_ALREADY_EXISTS,
                         P("targetSessionId", to->id));
    }
    *out = s;
    return true;
}

/* Out of the table already: ends its operations and gives up the table's reference. */
static void close_session(SessionTable *t, ConnectSession *s)
{
    if (t->options.on_close != NULL)
        t->options.on_close(t->options.arg, s->session);
    AUTO_ARENA arena = arena_new();
    pthread_mutex_lock(&s->lock);
    s->closed = true;
    pthread_mutex_unlock(&s->lock);
    OperationVec all = list_operations(s, arena);
    for (size_t i = 0; i < all.len; i++) {
        operation_release_all(all.at[i]);
        connect_session_forget(s, all.at[i], true);
        operation_unref(all.at[i]);
    }
    connect_session_unref(s);
}

bool session_table_close(SessionTable *t, const SessionKey *key, bool may_come_back, Str *server_id, Arena *arena)
{
    pthread_mutex_lock(&t->lock);
    ConnectSession **link = find_link(t, key), *s = *link;
    if (s != NULL)
        *link = s->next;
    if (!may_come_back)
        t->closed[t->closed_count++ % CLOSED_KEPT] = key_hash(key);
    pthread_mutex_unlock(&t->lock);
    if (s == NULL)
        return false;
    *server_id = str_copy(session_server_id(s->session), arena);
    close_session(t, s);
    return true;
}

typedef VEC(ConnectSession *) SessionVec;

static SessionVec list_sessions(SessionTable *t, Arena *arena)
{
    SessionVec out = {0};
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < BUCKETS; i++)
        for (ConnectSession *s = t->buckets[i]; s != NULL; s = s->next) {
            connect_session_ref(s);
            vec_push(arena, &out, s);
        }
    pthread_mutex_unlock(&t->lock);
    return out;
}

static bool is_abandoned(Operation *op, int64_t before_us)
{
    pthread_mutex_lock(&op->lock);
    bool abandoned = op->stream == NULL && op->detached_us < before_us;
    pthread_mutex_unlock(&op->lock);
    return abandoned;
}

static void remove_session(SessionTable *t, ConnectSession *s)
{
    SessionKey key = {session_user(s->session), session_id(s->session), {0}};
    pthread_mutex_lock(&t->lock);
    ConnectSession **link = find_link(t, &key);
    bool found = *link == s;
    if (found)
        *link = s->next;
    pthread_mutex_unlock(&t->lock);
    if (found)
        close_session(t, s);
}

void session_table_sweep(SessionTable *t, int64_t idle_us, int64_t detached_us)
{
    AUTO_ARENA arena = arena_new();
    int64_t now = clock_monotonic_us();
    SessionVec sessions = list_sessions(t, arena);
    for (size_t i = 0; i < sessions.len; i++) {
        ConnectSession *s = sessions.at[i];
        OperationVec all = list_operations(s, arena);
        for (size_t j = 0; j < all.len; j++) {
            if (is_abandoned(all.at[j], now - detached_us)) {
                operation_release_all(all.at[j]);
                connect_session_forget(s, all.at[j], true);
            }
            operation_unref(all.at[j]);
        }
        pthread_mutex_lock(&s->lock);
        bool idle = s->operations == NULL && s->last_used_us < now - idle_us;
        pthread_mutex_unlock(&s->lock);
        if (idle && (t->options.in_use == NULL || !t->options.in_use(t->options.arg, s->session)))
            remove_session(t, s);
        connect_session_unref(s);
    }
}

void session_table_cancel_all(SessionTable *t, bool commands_too)
{
    AUTO_ARENA arena = arena_new();
    SessionVec sessions = list_sessions(t, arena);
    for (size_t i = 0; i < sessions.len; i++) {
        OperationVec all = list_operations(sessions.at[i], arena);
        for (size_t j = 0; j < all.len; j++) {
            if (commands_too || !all.at[j]->is_command)
                operation_interrupt(all.at[j]);
            operation_unref(all.at[j]);
        }
        connect_session_unref(sessions.at[i]);
    }
}

size_t session_table_running(SessionTable *t, bool commands_only)
{
    AUTO_ARENA arena = arena_new();
    size_t count = 0;
    SessionVec sessions = list_sessions(t, arena);
    for (size_t i = 0; i < sessions.len; i++) {
        OperationVec all = list_operations(sessions.at[i], arena);
        for (size_t j = 0; j < all.len; j++) {
            OperationState state = state_of(all.at[j]);
            if ((state == OPERATION_RUNNING || state == OPERATION_TERMINATING) &&
                (!commands_only || all.at[j]->is_command))
                count++;
            operation_unref(all.at[j]);
        }
        connect_session_unref(sessions.at[i]);
    }
    return count;
}

void session_table_free(SessionTable *t)
{
    AUTO_ARENA arena = arena_new();
    SessionVec sessions = list_sessions(t, arena);
    for (size_t i = 0; i < sessions.len; i++) {
        remove_session(t, sessions.at[i]);
        connect_session_unref(sessions.at[i]);
    }
    pthread_mutex_destroy(&t->lock);
    free(t);
}
