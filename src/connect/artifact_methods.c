/* AddArtifacts and ArtifactStatus: files that a client uploads, in batches or in chunks of one file. */
#include <stdlib.h>
#include <zlib.h>

#include "base/log.h"
#include "connect/service.h"

#define PAYLOAD(name) SPARK__CONNECT__ADD_ARTIFACTS_REQUEST__PAYLOAD_##name

enum { SUMMARIES_MAX = 100000 };

/* What one AddArtifacts call keeps between its messages. */
typedef struct Upload {
    Arena *arena;               /* summaries */
    ConnectSession *session;
    ArtifactUpload *current;
    Str current_name;
    bool current_ok;            /* every chunk so far had the checksum it said */
    int64_t chunks_left;
    VEC(PB(AddArtifactsResponse__ArtifactSummary) *) summaries;
} Upload;

static bool crc_fits(const PB(AddArtifactsRequest__ArtifactChunk) *c)
{
    uLong crc = crc32(0L, NULL, 0);
    crc = crc32_z(crc, c->data.data, c->data.len);
    return (int64_t)crc == c->crc;
}

static bool add_summary(Upload *u, Str name, bool ok, Error *err)
{
    if (u->summaries.len >= SUMMARIES_MAX)
        return error_unsupported(err, "More than %d artifacts in one upload", SUMMARIES_MAX);
    PB(AddArtifactsResponse__ArtifactSummary) *s = ARENA_NEW(u->arena, PB(AddArtifactsResponse__ArtifactSummary));
    spark__connect__add_artifacts_response__artifact_summary__init(s);
    s->name = wire_text(name, u->arena);
    s->has_is_crc_successful = true;
    s->is_crc_successful = ok;
    vec_push(u->arena, &u->summaries, s);
    return true;
}

/* A file whose bytes arrived damaged is not kept; the summary says so. */
static bool add_batch(Upload *u, const PB(AddArtifactsRequest__Batch) *b, Error *err)
{
    for (size_t i = 0; i < b->n_artifacts; i++) {
        const PB(AddArtifactsRequest__SingleChunkArtifact) *a = b->artifacts[i];
        if (a->data == NULL)
            return error_unsupported(err, "An artifact without data");
        bool ok = crc_fits(a->data);
        if (ok)
            TRY(session_put_artifact(u->session->session, wire_str(a->name), wire_bytes(a->data->data), err));
        TRY(add_summary(u, wire_str(a->name), ok, err));
    }
    return true;
}

static bool add_chunk(Upload *u, const PB(AddArtifactsRequest__ArtifactChunk) *c, Error *err)
{
    if (u->current == NULL || c == NULL)
        return error_unsupported(err, "A chunk that belongs to no artifact");
    u->current_ok = u->current_ok && crc_fits(c);
    TRY(artifact_append(u->current, wire_bytes(c->data), err));
    if (--u->chunks_left > 0)
        return true;
    ArtifactUpload *done = u->current;
    u->current = NULL;
    if (u->current_ok)
        TRY(artifact_finish(done, err));
    else
        artifact_abandon(done);
    return add_summary(u, u->current_name, u->current_ok, err);
}

static bool begin_chunked(Upload *u, const PB(AddArtifactsRequest__BeginChunkedArtifact) *b, Error *err)
{
    if (u->current != NULL || b->num_chunks < 1)
        return error_unsupported(err, "Chunks of two artifacts at once");
    u->current_name = str_copy(wire_str(b->name), u->arena);
    u->chunks_left = b->num_chunks;
    u->current_ok = true;
    TRY(artifact_begin(u->session->session, u->current_name, &u->current, err));
    return add_chunk(u, b->initial_chunk, err);
}

static void end_upload(Upload *u)
{
    artifact_abandon(u->current);
    connect_session_unref(u->session);
    arena_free(u->arena);
    free(u);
}

static bool take_message(Request *r, Upload *u)
{
    const PB(AddArtifactsRequest) *m;
    TRY(request_unpack(r, &spark__connect__add_artifacts_request__descriptor, &m));
    if (u->session == NULL) {
        SessionKey key = session_key(m->user_context, m->session_id, m->client_observed_server_side_session_id);
        TRY(session_table_open(r->server->sessions, &key, &u->session, &r->err));
    }
    switch (m->payload_case) {
    case PAYLOAD(BATCH): return add_batch(u, m->batch, &r->err);
    case PAYLOAD(BEGIN_CHUNK): return begin_chunked(u, m->begin_chunk, &r->err);
    case PAYLOAD(CHUNK): return add_chunk(u, m->chunk, &r->err);
    default: return error_unsupported(&r->err, "An AddArtifacts request without a payload");
    }
}

static void message_on_worker(ConnectServer *server, RpcCall *call)
{
    Upload *u = rpc_state(call);
    Request r;
    request_begin(&r, server, call);
    if (take_message(&r, u)) {
        rpc_receive_next(call);
        request_end(&r);
        return;
    }
    if (u->session != NULL) {
        connect_session_ref(u->session);
        r.session = u->session;
    }
    end_upload(u);
    request_fail(&r);
}

static void end_on_worker(ConnectServer *server, RpcCall *call)
{
    Upload *u = rpc_state(call);
    Request r;
    PB(AddArtifactsResponse) out = SPARK__CONNECT__ADD_ARTIFACTS_RESPONSE__INIT;
    request_begin(&r, server, call);
    if (u->session == NULL || u->current != NULL) {
        error_unsupported(&r.err, "An upload that ends early");
        end_upload(u);
        request_fail(&r);
        return;
    }
    connect_session_ref(u->session);
    r.session = u->session;
    out.session_id = request_session_id(&r);
    out.server_side_session_id = request_server_id(&r);
    out.n_artifacts = u->summaries.len;
    out.artifacts = u->summaries.at;
    request_reply(&r, &out.base);
    end_upload(u);
}

void add_artifacts(void *server, RpcCall *call, RpcEvent event)
{
    if (rpc_state(call) == NULL) {
        Upload *u = calloc(1, sizeof *u);
        if (u == NULL)
            panic("out of memory");
        u->arena = arena_new();
        rpc_set_state(call, u);
    }
    on_worker(server, call, event == RPC_END ? end_on_worker : message_on_worker);
}

static bool fill_statuses(Request *r, PB(ArtifactStatusesResponse) *out)
{
    typedef PB(ArtifactStatusesResponse__StatusesEntry) Entry;
    const PB(ArtifactStatusesRequest) *m;
    TRY(request_unpack(r, &spark__connect__artifact_statuses_request__descriptor, &m));
    SessionKey key = session_key(m->user_context, m->session_id, m->client_observed_server_side_session_id);
    TRY(session_table_open(r->server->sessions, &key, &r->session, &r->err));
    out->session_id = request_session_id(r);
    out->server_side_session_id = request_server_id(r);
    out->n_statuses = m->n_names;
    out->statuses = ARENA_ARRAY(r->arena, Entry *, m->n_names);
    for (size_t i = 0; i < m->n_names; i++) {
        Entry *e = out->statuses[i] = ARENA_NEW(r->arena, Entry);
        spark__connect__artifact_statuses_response__statuses_entry__init(e);
        e->key = m->names[i];
        e->value = ARENA_NEW(r->arena, PB(ArtifactStatusesResponse__ArtifactStatus));
        spark__connect__artifact_statuses_response__artifact_status__init(e->value);
        e->value->has_exists = true;
        e->value->exists = session_has_artifact(r->session->session, wire_str(m->names[i]));
    }
    return true;
}

void artifact_status(void *server, RpcCall *call, RpcEvent event)
{
    Request r;
    PB(ArtifactStatusesResponse) out = SPARK__CONNECT__ARTIFACT_STATUSES_RESPONSE__INIT;
    request_begin(&r, server, call);
    if (fill_statuses(&r, &out))
        request_reply(&r, &out.base);
    else
        request_fail(&r);
}
