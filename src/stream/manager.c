/* Every query of the process: found by session, started once, told to end; and who listens to them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "stream/stream_impl.h"

enum { EVENTS_MAX = 10000, TERMINATED_KEPT = 100 };

typedef struct QueuedEvent {
    StreamEventKind kind;
    char *json;
    struct QueuedEvent *next;
} QueuedEvent;

struct StreamListener {
    StreamManager *manager;
    Session *session;
    QueuedEvent *first, **last;
    size_t count;
    bool ended;
    StreamListener *next;
};

/* A query that ended since the session's last resetTerminated. */
typedef struct Ended {
    StreamQuery *query;      /* referenced */
    struct Ended *next;
} Ended;

struct StreamManager {
    StreamOptions options;
    char *host;
    pthread_mutex_t lock;    /* guards everything below; taken before a query's lock */
    pthread_cond_t changed;
    StreamQuery *queries;    /* active ones, referenced */
    Ended *ended;            /* newest first */
    StreamListener *listeners;
    size_t threads;          /* of queries, until they touch nothing of this any more */
    bool stopping;
};

StreamManager *stream_manager_new(const StreamOptions *options)
{
    StreamManager *m = calloc(1, sizeof *m);
    pthread_condattr_t attributes;
    if (!m)
        panic("out of memory");
    m->options = *options;
    m->host = strndup(options->host.ptr ? options->host.ptr : "", options->host.len);
    m->options.host = str_from(m->host);
    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&m->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return m;
}

void stream_manager_set_port(StreamManager *m, int port)
{
    m->options.port = port;
}

Engine *stream_engine(StreamManager *m)
{
    return m->options.engine;
}

const StreamOptions *stream_options(const StreamManager *m)
{
    return &m->options;
}

static struct timespec in_ms(int64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t ns = t.tv_nsec + ms % 1000 * 1000000;
    t.tv_sec += ms / 1000 + ns / 1000000000;
    t.tv_nsec = ns % 1000000000;
    return t;
}

static void ref_query(StreamQuery *q)
{
    __atomic_add_fetch(&q->refs, 1, __ATOMIC_RELAXED);
}

/* ---- queries ---- */

static bool same_session(const StreamQuery *q, const Session *session)
{
    return !session || q->owner == session;
}

void stream_active(StreamManager *m, Session *session, Arena *arena, StreamQueryVec *out)
{
    pthread_mutex_lock(&m->lock);
    for (StreamQuery *q = m->queries; q; q = q->next)
        if (same_session(q, session)) {
            ref_query(q);
            vec_push(arena, out, q);
        }
    pthread_mutex_unlock(&m->lock);
}

static bool is_asked(const StreamQuery *q, const Session *session, Str id, Str run_id)
{
    return same_session(q, session) && str_is(id, q->id) && (!run_id.len || str_is(run_id, q->run_id));
}

StreamQuery *stream_find(StreamManager *m, Session *session, Str id, Str run_id)
{
    StreamQuery *found = NULL;
    pthread_mutex_lock(&m->lock);
    for (StreamQuery *q = m->queries; q && !found; q = q->next)
        if (is_asked(q, session, id, run_id))
            found = q;
    /* Without a run, only what is active counts (StreamingQueryManager.get). */
    for (Ended *e = m->ended; e && !found && run_id.len; e = e->next)
        if (is_asked(e->query, session, id, run_id))
            found = e->query;
    if (found)
        ref_query(found);
    pthread_mutex_unlock(&m->lock);
    return found;
}

/* Under the lock. */
static bool check_unique(StreamManager *m, const StreamQuery *q, Error *err)
{
    if (m->stopping)
        return error_set(err, ERR_OPERATION_CANCELED);
    for (StreamQuery *other = m->queries; other; other = other->next) {
        if (q->spec.name.len && other->owner == q->owner && str_eq(other->spec.name, q->spec.name))
            return error_set(err, ERR_LAKESHED_STREAM_NAME_TAKEN, P("name", q->spec.name));
        if (!strcmp(other->id, q->id))
            return error_set(err, ERR_CONCURRENT_QUERY);
    }
    return true;
}

bool stream_start(StreamManager *m, Session *session, const StreamSpec *spec, StreamQuery **out, Error *err)
{
    StreamQuery *q = stream_query_new(m, session, spec, err);
    if (!q)
        return false;
    pthread_mutex_lock(&m->lock);
    bool ok = check_unique(m, q, err) && stream_query_run(q, err);
    if (ok) {
        m->threads++;
        ref_query(q);
        q->next = m->queries;
        m->queries = q;
    }
    pthread_mutex_unlock(&m->lock);
    if (!ok) {
        stream_query_unref(q);
        return false;
    }
    *out = q;
    return true;
}

/* The oldest ended queries are forgotten. */
static void trim_ended(StreamManager *m)
{
    Ended **link = &m->ended;
    for (size_t n = 0; *link && n < TERMINATED_KEPT; n++)
        link = &(*link)->next;
    while (*link) {
        Ended *e = *link;
        *link = e->next;
        stream_query_unref(e->query);
        free(e);
    }
}

void stream_ended(StreamQuery *q)
{
    StreamManager *m = q->manager;
    Ended *e = calloc(1, sizeof *e);
    if (!e)
        panic("out of memory");
    pthread_mutex_lock(&m->lock);
    for (StreamQuery **link = &m->queries; *link; link = &(*link)->next)
        if (*link == q) {
            *link = q->next;
            break;
        }
    /* The list's reference goes to the list of ended ones. */
    *e = (Ended){q, m->ended};
    m->ended = e;
    trim_ended(m);
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

void stream_thread_gone(StreamManager *m)
{
    pthread_mutex_lock(&m->lock);
    m->threads--;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

void stream_reset_terminated(StreamManager *m, Session *session)
{
    pthread_mutex_lock(&m->lock);
    for (Ended *e = m->ended; e; e = e->next)
        if (same_session(e->query, session))
            e->query->joined = true;
    pthread_mutex_unlock(&m->lock);
}

bool stream_await_any(StreamManager *m, Session *session, const StreamWait *wait, bool *terminated, Error *err)
{
    int64_t deadline = wait->timeout_ms < 0 ? INT64_MAX : clock_monotonic_us() + wait->timeout_ms * 1000;
    StreamQuery *found = NULL, *failed = NULL;
    bool ok = true;
    *terminated = false;
    pthread_mutex_lock(&m->lock);
    for (;;) {
        for (Ended *e = m->ended; e; e = e->next)
            if (same_session(e->query, session) && !e->query->joined) {
                found = e->query;
                if (e->query->failure)
                    failed = e->query;
            }
        ok = !wait->cancel || !cancel_is_raised(wait->cancel) || error_set(err, ERR_OPERATION_CANCELED);
        if (found || !ok || clock_monotonic_us() >= deadline)
            break;
        struct timespec until = in_ms(100);
        pthread_cond_timedwait(&m->changed, &m->lock, &until);
    }
    if (failed)
        ref_query(failed);
    pthread_mutex_unlock(&m->lock);
    *terminated = found != NULL;
    if (failed) {
        StreamWait now = {0, NULL};
        ok = stream_await(failed, &now, terminated, err);
        stream_query_unref(failed);
    }
    return ok;
}

/* ---- listeners ---- */

static StreamListener **find_listener(StreamManager *m, const Session *session)
{
    StreamListener **link = &m->listeners;
    while (*link && (*link)->session != session)
        link = &(*link)->next;
    return link;
}

StreamListener *stream_listen(StreamManager *m, Session *session)
{
    StreamListener *l = NULL;
    pthread_mutex_lock(&m->lock);
    if (!*find_listener(m, session) && !m->stopping) {
        l = calloc(1, sizeof *l);
        if (!l)
            panic("out of memory");
        *l = (StreamListener){.manager = m, .session = session, .next = m->listeners};
        l->last = &l->first;
        m->listeners = l;
    }
    pthread_mutex_unlock(&m->lock);
    return l;
}

/* Under the lock: out of the list; whoever serves it frees it. */
static bool end_listener(StreamManager *m, const Session *session)
{
    StreamListener **link = find_listener(m, session), *l = *link;
    if (!l)
        return false;
    *link = l->next;
    l->ended = true;
    pthread_cond_broadcast(&m->changed);
    return true;
}

bool stream_unlisten(StreamManager *m, Session *session)
{
    pthread_mutex_lock(&m->lock);
    bool found = end_listener(m, session);
    pthread_mutex_unlock(&m->lock);
    return found;
}

void stream_post(StreamQuery *q, StreamEventKind kind, Str json)
{
    StreamManager *m = q->manager;
    pthread_mutex_lock(&m->lock);
    StreamListener *l = *find_listener(m, q->owner);
    if (l && l->count < EVENTS_MAX) {
        QueuedEvent *e = calloc(1, sizeof *e);
        if (!e)
            panic("out of memory");
        *e = (QueuedEvent){.kind = kind, .json = strndup(json.ptr, json.len)};
        *l->last = e;
        l->last = &e->next;
        l->count++;
        pthread_cond_broadcast(&m->changed);
    } else if (l) {
        log_warn("a listener of streaming queries is too slow: an event is left out");
    }
    pthread_mutex_unlock(&m->lock);
}

bool stream_next_event(StreamListener *l, Arena *arena, StreamEvent *out, bool *ended)
{
    StreamManager *m = l->manager;
    struct timespec until = in_ms(100);
    pthread_mutex_lock(&m->lock);
    if (!l->first && !l->ended)
        pthread_cond_timedwait(&m->changed, &m->lock, &until);
    QueuedEvent *e = l->first;
    if (e) {
        l->first = e->next;
        if (!l->first)
            l->last = &l->first;
        l->count--;
    }
    *ended = !e && l->ended;
    pthread_mutex_unlock(&m->lock);
    if (!e)
        return false;
    *out = (StreamEvent){e->kind, str_copy(str_from(e->json), arena)};
    free(e->json);
    free(e);
    return true;
}

static bool has_events(StreamManager *m, const Session *session, bool *listens)
{
    pthread_mutex_lock(&m->lock);
    const StreamListener *l = *find_listener(m, session);
    *listens = l != NULL;
    bool waiting = l && l->first;
    pthread_mutex_unlock(&m->lock);
    return waiting;
}

void stream_let_hear(StreamManager *m, const Session *session)
{
    enum { STEP_MS = 5, STEPS = 200, CLIENT_MS = 50 };
    struct timespec step = {.tv_nsec = STEP_MS * 1000000}, client = {.tv_nsec = CLIENT_MS * 1000000};
    bool listens;
    for (int i = 0; has_events(m, session, &listens) && i < STEPS; i++)
        nanosleep(&step, NULL);
    if (listens)
        nanosleep(&client, NULL);
}

void stream_listener_free(StreamListener *l)
{
    StreamManager *m = l->manager;
    pthread_mutex_lock(&m->lock);
    StreamListener **link = &m->listeners;
    while (*link && *link != l)
        link = &(*link)->next;
    if (*link)
        *link = l->next;
    pthread_mutex_unlock(&m->lock);
    while (l->first) {
        QueuedEvent *e = l->first;
        l->first = e->next;
        free(e->json);
        free(e);
    }
    free(l);
}

/* ---- the end ---- */

static void stop_all(StreamManager *m, Session *session)
{
    AUTO_ARENA arena = arena_new();
    StreamQueryVec all = {0};
    stream_active(m, session, arena, &all);
    for (size_t i = 0; i < all.len; i++) {
        stream_query_stop(all.at[i]);
        stream_query_unref(all.at[i]);
    }
}

static void forget_ended(StreamManager *m, const Session *session)
{
    for (Ended **link = &m->ended; *link;) {
        Ended *e = *link;
        if (!same_session(e->query, session)) {
            link = &e->next;
            continue;
        }
        *link = e->next;
        stream_query_unref(e->query);
        free(e);
    }
}

void stream_manager_end_session(StreamManager *m, Session *session)
{
    pthread_mutex_lock(&m->lock);
    for (StreamQuery *q = m->queries; q; q = q->next)
        if (same_session(q, session)) {
            pthread_mutex_lock(&q->lock);
            q->stopping = true;
            pthread_cond_broadcast(&q->changed);
            pthread_mutex_unlock(&q->lock);
            cancel_raise(q->cancel);
        }
    (void)end_listener(m, session);
    forget_ended(m, session);
    pthread_mutex_unlock(&m->lock);
}

/* Ends by themselves: no new batch is begun. */
static void ask_to_stop(StreamManager *m)
{
    pthread_mutex_lock(&m->lock);
    m->stopping = true;
    for (StreamQuery *q = m->queries; q; q = q->next) {
        pthread_mutex_lock(&q->lock);
        q->stopping = true;
        pthread_cond_broadcast(&q->changed);
        pthread_mutex_unlock(&q->lock);
    }
    while (m->listeners)
        (void)end_listener(m, m->listeners->session);
    pthread_mutex_unlock(&m->lock);
}

void stream_manager_stop(StreamManager *m, int64_t deadline_us)
{
    ask_to_stop(m);
    pthread_mutex_lock(&m->lock);
    while (m->queries && clock_monotonic_us() < deadline_us) {
        struct timespec until = in_ms(20);
        pthread_cond_timedwait(&m->changed, &m->lock, &until);
    }
    pthread_mutex_unlock(&m->lock);
    stop_all(m, NULL);
    pthread_mutex_lock(&m->lock);
    while (m->threads)
        pthread_cond_wait(&m->changed, &m->lock);
    pthread_mutex_unlock(&m->lock);
}

void stream_manager_free(StreamManager *m)
{
    if (!m)
        return;
    pthread_mutex_lock(&m->lock);
    forget_ended(m, NULL);
    pthread_mutex_unlock(&m->lock);
    pthread_cond_destroy(&m->changed);
    pthread_mutex_destroy(&m->lock);
    free(m->host);
    free(m);
}
