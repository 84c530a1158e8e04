/* The small methods: interrupting, releasing and cloning sessions, error details, status of operations. */
#include "connect/service.h"
#include "connect/status.h"

#define ANSWER(method, Response, init, fill)                             \
    void method(void *server, RpcCall *call, RpcEvent event)             \
    {                                                                    \
        Request r;                                                       \
        PB(Response) out = init;                                         \
        request_begin(&r, server, call);                                 \
        if (fill(&r, &out))                                              \
            request_reply(&r, &out.base);                                \
        else                                                             \
            request_fail(&r);                                            \
    }

static bool fill_interrupt(Request *r, PB(InterruptResponse) *out)
{
    const PB(InterruptRequest) *m;
    StrVec ids = {0};
    TRY(request_unpack(r, &spark__connect__interrupt_request__descriptor, &m));
    SessionKey key = session_key(m->user_context, m->session_id, m->client_observed_server_side_session_id);
    TRY(session_table_open(r->server->sessions, &key, &r->session, &r->err));
    Str given = m->interrupt_case == SPARK__CONNECT__INTERRUPT_REQUEST__INTERRUPT_OPERATION_TAG ? wire_str(m->operation_tag)
                : m->interrupt_case == SPARK__CONNECT__INTERRUPT_REQUEST__INTERRUPT_OPERATION_ID
                    ? wire_str(m->operation_id)
                    : (Str){"", 0};
    switch (m->interrupt_type) {
    case SPARK__CONNECT__INTERRUPT_REQUEST__INTERRUPT_TYPE__INTERRUPT_TYPE_ALL:
        connect_session_interrupt(r->session, NULL, NULL, r->arena, &ids);
        break;
    case SPARK__CONNECT__INTERRUPT_REQUEST__INTERRUPT_TYPE__INTERRUPT_TYPE_TAG:
        connect_session_interrupt(r->session, &given, NULL, r->arena, &ids);
        break;
    case SPARK__CONNECT__INTERRUPT_REQUEST__INTERRUPT_TYPE__INTERRUPT_TYPE_OPERATION_ID:
        connect_session_interrupt(r->session, NULL, &given, r->arena, &ids);
        break;
    default: return error_unsupported(&r->err, "An Interrupt request without a type");
    }
    out->session_id = request_session_id(r);
    out->server_side_session_id = request_server_id(r);
    out->n_interrupted_ids = ids.len;
    out->interrupted_ids = ARENA_ARRAY(r->arena, char *, ids.len);
    for (size_t i = 0; i < ids.len; i++)
        out->interrupted_ids[i] = wire_text(ids.at[i], r->arena);
    return true;
}
ANSWER(interrupt, InterruptResponse, SPARK__CONNECT__INTERRUPT_RESPONSE__INIT, fill_interrupt)

static bool fill_release(Request *r, PB(ReleaseSessionResponse) *out)
{
    const PB(ReleaseSessionRequest) *m;
    Str server_id = {"", 0};
    TRY(request_unpack(r, &spark__connect__release_session_request__descriptor, &m));
    SessionKey key = session_key(m->user_context, m->session_id, NULL);
    TRY(connect_check_uuid(key.id, &r->err));
    session_table_close(r->server->sessions, &key, m->allow_reconnect, &server_id, r->arena);
    out->session_id = m->session_id;
    out->server_side_session_id = wire_text(server_id, r->arena);
    return true;
}
ANSWER(release_session, ReleaseSessionResponse, SPARK__CONNECT__RELEASE_SESSION_RESPONSE__INIT, fill_release)

static bool fill_details(Request *r, PB(FetchErrorDetailsResponse) *out)
{
    const PB(FetchErrorDetailsRequest) *m;
    Arena *holder;
    Error *kept;
    TRY(request_unpack(r, &spark__connect__fetch_error_details_request__descriptor, &m));
    SessionKey key = session_key(m->user_context, m->session_id, m->client_observed_server_side_session_id);
    TRY(session_table_find(r->server->sessions, &key, &r->session, &r->err));
    /* An error that is not kept any more is answered empty, as Spark does. */
    if (connect_session_take_error(r->session, wire_str(m->error_id), &holder, &kept)) {
        arena_on_free(r->arena, (void (*)(void *))arena_free, holder);
        *out = *error_details(kept, r->arena);
    }
    out->session_id = request_session_id(r);
    out->server_side_session_id = request_server_id(r);
    return true;
}
ANSWER(fetch_error_details, FetchErrorDetailsResponse, SPARK__CONNECT__FETCH_ERROR_DETAILS_RESPONSE__INIT, fill_details)

static bool fill_clone(Request *r, PB(CloneSessionResponse) *out)
{
    const PB(CloneSessionRequest) *m;
    ConnectSession *clone;
    TRY(request_unpack(r, &spark__connect__clone_session_request__descriptor, &m));
    SessionKey key = session_key(m->user_context, m->session_id, m->client_observed_server_side_session_id);
    TRY(session_table_find(r->server->sessions, &key, &r->session, &r->err));
    SessionKey target = {key.user, wire_str(m->new_session_id), {0}};
    if (target.id.len == 0)
        target.id = clock_uuid_in(r->arena);
    TRY(session_table_clone(r->server->sessions, r->session, &target, &clone, &r->err));
    out->session_id = request_session_id(r);
    out->server_side_session_id = request_server_id(r);
    out->new_session_id = wire_text(target.id, r->arena);
    out->new_server_side_session_id = wire_text(session_server_id(clone->session), r->arena);
    connect_session_unref(clone);
    return true;
}

/* Views and artifacts are copied: too much for an I/O thread. */
static void clone_on_worker(ConnectServer *server, RpcCall *call)
{
    Request r;
    PB(CloneSessionResponse) out = SPARK__CONNECT__CLONE_SESSION_RESPONSE__INIT;
    request_begin(&r, server, call);
    if (fill_clone(&r, &out))
        request_reply(&r, &out.base);
    else
        request_fail(&r);
}

void clone_session(void *server, RpcCall *call, RpcEvent event)
{
    on_worker(server, call, clone_on_worker);
}

static bool is_wanted(const PB(GetStatusRequest__OperationStatusRequest) *m, const char *id)
{
    for (size_t i = 0; i < m->n_operation_ids; i++)
        if (str_is(wire_str(m->operation_ids[i]), id))
            return true;
    return m->n_operation_ids == 0;
}

static void add_status(Request *r, PB(GetStatusResponse) *out, const char *id, OperationState state)
{
    PB(GetStatusResponse__OperationStatus) *s = ARENA_NEW(r->arena, PB(GetStatusResponse__OperationStatus));
    spark__connect__get_status_response__operation_status__init(s);
    s->operation_id = wire_text(str_from(id), r->arena);
    s->has_state = true;
    s->state = (PB(GetStatusResponse__OperationStatus__OperationState))state;
    out->operation_statuses[out->n_operation_statuses++] = s;
}

static bool fill_status(Request *r, PB(GetStatusResponse) *out)
{
    const PB(GetStatusRequest) *m;
    FormerVec known = {0};
    TRY(request_unpack(r, &spark__connect__get_status_request__descriptor, &m));
    SessionKey key = session_key(m->user_context, m->session_id, m->client_observed_server_side_session_id);
    TRY(session_table_open(r->server->sessions, &key, &r->session, &r->err));
    out->session_id = request_session_id(r);
    out->server_side_session_id = request_server_id(r);
    const PB(GetStatusRequest__OperationStatusRequest) *asked = m->operation_status;
    if (asked == NULL)
        return true;
    connect_session_states(r->session, r->arena, &known);
    out->operation_statuses = ARENA_ARRAY(r->arena, PB(GetStatusResponse__OperationStatus) *,
                                          known.len + asked->n_operation_ids);
    for (size_t i = 0; i < known.len; i++)
        if (is_wanted(asked, known.at[i].id))
            add_status(r, out, known.at[i].id, known.at[i].state);
    for (size_t i = 0; i < asked->n_operation_ids; i++) {
        bool found = false;
        for (size_t j = 0; j < known.len; j++)
            found |= str_is(wire_str(asked->operation_ids[i]), known.at[j].id);
        if (!found)
            add_status(r, out, asked->operation_ids[i],
                       (OperationState)SPARK__CONNECT__GET_STATUS_RESPONSE__OPERATION_STATUS__OPERATION_STATE__OPERATION_STATE_UNKNOWN);
    }
    return true;
}
ANSWER(get_status, GetStatusResponse, SPARK__CONNECT__GET_STATUS_RESPONSE__INIT, fill_status)
