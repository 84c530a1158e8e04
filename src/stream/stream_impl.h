/* What the files of this folder share: a query, its sources, its sink, its checkpoint. */
#pragma once

#include <pthread.h>

#include "base/clock.h"
#include "base/json.h"
#include "stream/stream.h"

/* ---- sources ---- */

typedef struct StreamSource StreamSource;

/* One row a kind of source. Offsets are JSON texts, written into the checkpoint as they are; the empty text is the beginning. */
typedef struct SourceKind {
    const char *format;
    bool (*open)(StreamSource *s, Error *err);
    /* The end of the next batch that starts at `start`, within the source's limits; equal to start: there is no data. */
    bool (*latest)(StreamSource *s, Str start, Arena *arena, Str *end, Error *err);
    /* The rows after start up to end. */
    bool (*rows)(StreamSource *s, Analyzer *a, Str start, Str end, Arena *arena, BoundRel **out, Error *err);
    bool says_latest;        /* progress tells the newest offset too */
} SourceKind;

struct StreamSource {
    const SourceKind *kind;
    StreamQuery *query;
    size_t number;
    Arena *arena;            /* the query's */
    StreamRead read;         /* deep copy; table is referenced */
    void *state;             /* of the kind */
    bool unlimited;          /* Trigger.Once: limits do not hold */
    bool bounded;            /* Trigger.AvailableNow: nothing that came after the first look */
    Str description;
    char *start, *end;       /* malloc'ed offsets: of the last committed batch, of the one under way; "" is the beginning */
};

const SourceKind *source_kind(Str format);   /* NULL: unknown */
extern const SourceKind source_rate, source_rate_batch, source_files, source_delta;
bool source_limit(const StreamSource *s, const char *option, int64_t otherwise, int64_t *out, Error *err);
/* SQL text as a relation: for sources whose rows are computed. */
bool source_sql(Analyzer *a, Str text, Arena *arena, BoundRel **out, Error *err);

/* ---- checkpoints ---- */

typedef struct Checkpoint {
    Str folder;              /* absolute */
    Store *store;
    bool temporary;          /* removed when the query ends without an error */
} Checkpoint;

typedef struct OffsetEntry {
    int64_t watermark_ms, timestamp_ms;
    StrVec offsets;          /* one a source; "" where there was no data yet */
} OffsetEntry;

bool checkpoint_open(Str folder, bool temporary, Arena *arena, Checkpoint *out, Error *err);
/* The query's id: read, or the given one written. */
bool checkpoint_identity(Checkpoint *c, char id[UUID_TEXT_LEN + 1], Error *err);
/* The newest number in a log folder; -1: none. */
bool checkpoint_newest(Checkpoint *c, Str log, int64_t *batch, Error *err);
bool checkpoint_read_offsets(Checkpoint *c, int64_t batch, Arena *arena, bool *found, OffsetEntry *out, Error *err);
bool checkpoint_write_offsets(Checkpoint *c, int64_t batch, const OffsetEntry *entry, Error *err);
bool checkpoint_read_commit(Checkpoint *c, int64_t batch, bool *found, int64_t *watermark_ms, Error *err);
bool checkpoint_write_commit(Checkpoint *c, int64_t batch, int64_t watermark_ms, Error *err);
/* Forgets batches before this one. */
bool checkpoint_purge(Checkpoint *c, int64_t before, Error *err);
void checkpoint_remove(Checkpoint *c);

/* A log of JSON lines, one file a batch, every tenth one holding all before it (Spark's CompactibleFileStreamLog). */
typedef struct LineLog {
    Store *store;
    Str folder;
    Arena *arena;
    StrVec lines;            /* every line up to the newest entry */
    VEC(int64_t) entry_of;   /* which entry each line came with */
    int64_t newest;          /* -1: none */
} LineLog;
bool line_log_open(Store *store, Str folder, Arena *arena, LineLog *out, Error *err);
/* Entry newest + 1. CONCURRENT_STREAM_LOG_UPDATE when somebody else wrote it. */
bool line_log_add(LineLog *l, int64_t entry, const StrVec *lines, Error *err);

/* ---- the query ---- */

typedef enum OutputMode { OUTPUT_APPEND, OUTPUT_COMPLETE, OUTPUT_UPDATE } OutputMode;
extern const char *const output_mode_names[];   /* Append, Complete, Update */

enum { PROGRESS_KEPT = 100 };

typedef struct SinkKind SinkKind;
struct StateOperator;

struct StreamQuery {
    unsigned refs;           /* atomic */
    StreamManager *manager;
    Engine *engine;
    Session *owner;          /* the client's session */
    Session *session;        /* as it was at the start; the query works in it */
    Arena *arena;
    StreamSpec spec;
    OutputMode mode;
    int64_t interval_us;
    char id[UUID_TEXT_LEN + 1], run_id[UUID_TEXT_LEN + 1];
    Checkpoint checkpoint;
    VEC(StreamSource *) sources;
    const SinkKind *sink;
    void *sink_state;
    Str sink_description;
    Cancel *cancel;
    pthread_t thread;
    StreamQuery *next;       /* guarded by the manager's lock */

    /* Of the query's thread only. */
    int64_t batch;
    int64_t watermark_ms;    /* after the last batch */
    int64_t planned_watermark_ms; /* of the batch under way: lets state go */
    int64_t late_watermark_ms;    /* of the batch before: rows it had passed are late */
    bool resuming;           /* the batch was planned by an earlier run */
    bool is_stateful;
    struct StateOperator *operators;
    int64_t look_us;         /* how long the last look for data took */
    int64_t last_trigger_us; /* when the batch before was started, for rates */

    pthread_mutex_t lock;    /* guards everything below */
    pthread_cond_t changed;
    bool active, stopping, joined;
    bool data_available, trigger_active;
    const char *message;     /* static text; NULL: failed */
    bool asked;              /* somebody waits for the next look */
    uint64_t looks, idle_look; /* looks for data begun; the last one that found none */
    Error *failure;          /* NULL: none; in failure_arena */
    Arena *failure_arena;
    char *progress[PROGRESS_KEPT];
    size_t progress_count;
    char *plan, *plan_extended; /* of the last batch */
};

/* query.c */
StreamQuery *stream_query_new(StreamManager *m, Session *session, const StreamSpec *spec, Error *err);
bool stream_query_run(StreamQuery *q, Error *err);
bool stream_is_stopping(StreamQuery *q);
void stream_set_message(StreamQuery *q, const char *message, bool available, bool active);
void stream_add_progress(StreamQuery *q, Str json);
/* manager.c */
void stream_post(StreamQuery *q, StreamEventKind kind, Str json);
void stream_ended(StreamQuery *q);
void stream_thread_gone(StreamManager *m);
Engine *stream_engine(StreamManager *m);
const StreamOptions *stream_options(const StreamManager *m);

/* ---- batches ---- */

typedef struct Batch {
    StreamQuery *query;
    Arena *arena;
    int64_t id;
    FuncContext func;
    RunContext run;
    Analyzer *analyzer;
    StreamHook hook;
    BoundRel **marks;        /* what to measure, in order */
    size_t mark_count;
    BoundRel **reads;        /* by source: the BREL of its rows, NULL */
    Str scratch;             /* rows an operator with state keeps while the batch runs; empty: none */
    Str stored;              /* where the result's rows are kept */
    const Type *schema;      /* of the result */
    BoundRel *result;        /* the plan the rows come from */
    int64_t output_rows;     /* -1: the sink does not say */
    int64_t started_us;
    struct { const char *name; int64_t us; } steps[8];
    size_t step_count;
} Batch;

/* batch.c: one micro-batch, from planned offsets to the commit */
bool batch_run(StreamQuery *q, int64_t timestamp_ms, Error *err);
/* Analyzes the query's plan over the offsets under way. */
bool batch_plan(Batch *b, BoundRel **out, Error *err);
Batch *batch_new(StreamQuery *q, int64_t timestamp_ms, Arena *arena);
void batch_step(Batch *b, const char *name, int64_t since_us);
/* The result's rows as an unresolved relation, in the session given. */
Rel *batch_rel(Batch *b, Session *session);

/* progress.c */
Str progress_json(Batch *b, int64_t timestamp_ms, const RowVec *marks, const int64_t *input_rows, Arena *arena);
Str stream_time_text(int64_t ms, Arena *arena);   /* 2024-01-01T00:00:00.000Z */

/* check.c: what Spark refuses before a query starts */
bool check_streaming(StreamQuery *q, const BoundRel *plan, Error *err);
Str output_mode_text(OutputMode mode, Arena *arena); /* append */

/* ---- sinks ---- */

struct SinkKind {
    const char *format;
    unsigned modes;          /* 1 << OutputMode */
    bool needs_checkpoint;
    unsigned recovers;       /* 1 << OutputMode in which a checkpoint may be taken up again */
    bool (*open)(StreamQuery *q, const Type *schema, Error *err);
    bool (*add)(Batch *b, Error *err);
    void (*close)(StreamQuery *q);
};
const SinkKind *sink_kind(Str format);       /* NULL: unknown */
extern const SinkKind sink_foreach, sink_foreach_batch;

/* ---- state.c: operators that remember rows between batches ---- */

/* Replaces stateful operators of a batch's plan by what they give for this batch; the new state is kept, not yet durable. */
bool state_apply(Batch *b, BoundRel **plan, Error *err);
/* Writes the batch's state below the checkpoint, durable. */
bool state_commit(Batch *b, Error *err);
void state_progress(Batch *b, Buf *json);
void state_free(StreamQuery *q);
bool plan_is_stateful(const BoundRel *plan);
/* Whether a batch without new rows could change something: a watermark that moved. */
bool plan_has_watermark(const BoundRel *plan);
