/* Structured Streaming: queries that run on threads of the server, batch after batch, from a checkpoint. */
#pragma once

#include "command/command.h"
#include "python/python.h"

typedef struct StreamManager StreamManager;
typedef struct StreamQuery StreamQuery;

typedef enum StreamTrigger { TRIGGER_PROCESSING_TIME, TRIGGER_ONCE, TRIGGER_AVAILABLE_NOW, TRIGGER_CONTINUOUS, TRIGGER_REAL_TIME } StreamTrigger;

/* What writeStream...start() says. */
typedef struct StreamSpec {
    Rel *input;
    Str format;              /* empty: the session's default */
    KeyValueVec options;
    StrVec partition_by, cluster_by;
    Str output_mode;         /* empty: append */
    Str name;                /* empty: none */
    Str path;
    Name table;              /* toTable; empty: none */
    StreamTrigger trigger;
    Str interval;            /* of PROCESSING_TIME; empty: as soon as there is data */
    PythonFunction *foreach, *foreach_batch;
} StreamSpec;

typedef struct StreamOptions {
    Engine *engine;
    PythonPool *python;      /* runs foreachBatch and foreach; NULL: they are refused */
    Str host;                /* where workers of foreachBatch reach the server */
    int port;
} StreamOptions;

StreamManager *stream_manager_new(const StreamOptions *options);
void stream_manager_set_port(StreamManager *m, int port);
/* Stops every query after its running batch, at the deadline in the middle of it; no listener is served any more. */
void stream_manager_stop(StreamManager *m, int64_t deadline_us);
void stream_manager_free(StreamManager *m);
/* A session ends, and its queries with it, soon: this does not wait for them. */
void stream_manager_end_session(StreamManager *m, Session *session);

/* Checks the query as Spark does and starts it. Errors are those of its analysis; later ones end the query. The caller unrefs. */
MUST_CHECK bool stream_start(StreamManager *m, Session *session, const StreamSpec *spec, StreamQuery **out, Error *err);
void stream_query_unref(StreamQuery *q);

/* NULL when the session has no such query; run_id empty: whichever run is the newest. The caller unrefs. */
StreamQuery *stream_find(StreamManager *m, Session *session, Str id, Str run_id);
typedef VEC(StreamQuery *) StreamQueryVec;
/* The active queries of a session, each to be unreferenced. */
void stream_active(StreamManager *m, Session *session, Arena *arena, StreamQueryVec *out);

Str stream_query_id(const StreamQuery *q);
Str stream_query_run_id(const StreamQuery *q);
Str stream_query_name(const StreamQuery *q);   /* empty: none */
/* {"id":..}: what listeners are told first. */
Str stream_started_json(const StreamQuery *q, Arena *arena);

typedef struct StreamStatus {
    Str message;             /* in the arena given */
    bool data_available, trigger_active, active;
} StreamStatus;
void stream_status(StreamQuery *q, Arena *arena, StreamStatus *out);
/* The progress of the last batches, oldest first, as Spark's JSON; last: only the newest. */
void stream_progress(StreamQuery *q, bool last, Arena *arena, StrVec *out);
/* Physical plan of the last batch, or all of EXPLAIN EXTENDED. */
Str stream_explain(StreamQuery *q, bool extended, Arena *arena);
/* Raises the flag and waits for the end of the query's thread. */
void stream_query_stop(StreamQuery *q);

/* Waiting ends early with OPERATION_CANCELED when the flag is raised. timeout_ms < 0: for ever. A query that failed is an error,
 * STREAM_FAILED. */
typedef struct StreamWait {
    int64_t timeout_ms;
    const Cancel *cancel;    /* may be NULL */
} StreamWait;
MUST_CHECK bool stream_await(StreamQuery *q, const StreamWait *wait, bool *terminated, Error *err);
MUST_CHECK bool stream_await_any(StreamManager *m, Session *session, const StreamWait *wait, bool *terminated, Error *err);
MUST_CHECK bool stream_process_all(StreamQuery *q, const Cancel *cancel, Error *err);
void stream_reset_terminated(StreamManager *m, Session *session);
/* Why the query ended: false when it did not fail. The message is Spark's, with the query's identity below it. */
bool stream_failure(StreamQuery *q, Arena *arena, Str *message, Str *error_class);

/* ---- listeners ---- */

typedef enum StreamEventKind { STREAM_STARTED, STREAM_PROGRESS, STREAM_IDLE, STREAM_TERMINATED } StreamEventKind;
typedef struct StreamEvent {
    StreamEventKind kind;
    Str json;
} StreamEvent;
typedef struct StreamListener StreamListener;
/* One a session: events of its queries from now on. NULL when the session listens already. */
StreamListener *stream_listen(StreamManager *m, Session *session);
/* Ends the session's listener once it has taken what is queued; false when there is none. */
bool stream_unlisten(StreamManager *m, Session *session);
/* Waits, about a second at most, until the session's listener has been sent what happened, and a moment for the client to take it.
 * PySpark 4.2 waits for ever when an event reaches it while it removes its last listener, as programs do right after stop(). */
void stream_let_hear(StreamManager *m, const Session *session);
/* Waits up to a tenth of a second for an event. *ended: no event comes any more. */
bool stream_next_event(StreamListener *l, Arena *arena, StreamEvent *out, bool *ended);
void stream_listener_free(StreamListener *l);
