/* One query: how it starts, its thread, what can be asked of it, how it ends. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "net/workers.h"
#include "session/plan_copy.h"
#include "stream/stream_impl.h"

enum { POLL_MS = 50, POLL_MAX_US = 10 * 1000000, RETAINED_BATCHES = 100, IDLE_EVENT_US = 10 * 1000000 };

const char *const output_mode_names[] = {"Append", "Complete", "Update"};

Str stream_query_id(const StreamQuery *q)
{
    return str_from(q->id);
}

Str stream_query_run_id(const StreamQuery *q)
{
    return str_from(q->run_id);
}

Str stream_query_name(const StreamQuery *q)
{
    return q->spec.name;
}

/* ---- the specification ---- */

static StrVec copy_strs(const StrVec *in, Arena *arena)
{
    StrVec out = {0};
    for (size_t i = 0; i < in->len; i++)
        vec_push(arena, &out, str_copy(in->at[i], arena));
    return out;
}

static KeyValueVec copy_options(const KeyValueVec *in, Arena *arena)
{
    KeyValueVec out = {0};
    for (size_t i = 0; i < in->len; i++) {
        KeyValue kv = {str_copy(in->at[i].key, arena), str_copy(in->at[i].value, arena), NULL};
        vec_push(arena, &out, kv);
    }
    return out;
}

static void copy_spec(StreamQuery *q, const StreamSpec *in)
{
    Arena *a = q->arena;
    StreamSpec *s = &q->spec;
    *s = *in;
    s->input = plan_copy_rel(in->input, a);
    s->format = str_lower(in->format, a);
    s->options = copy_options(&in->options, a);
    s->partition_by = copy_strs(&in->partition_by, a);
    s->cluster_by = copy_strs(&in->cluster_by, a);
    s->output_mode = str_copy(in->output_mode, a);
    s->name = str_copy(in->name, a);
    s->path = str_copy(in->path, a);
    s->table = copy_strs(&in->table, a);
    s->interval = str_copy(in->interval, a);
    s->foreach = plan_copy_python(in->foreach, a);
    s->foreach_batch = plan_copy_python(in->foreach_batch, a);
}

/* ---- sources, as the first analysis meets them ---- */

static bool add_source(void *arg, Analyzer *a, size_t number, const StreamRead *read, BoundRel **rows, Error *err)
{
    StreamQuery *q = arg;
    (void)a;
    *rows = NULL;
    if (number < q->sources.len)
        return true;
    StreamSource *s = ARENA_NEW(q->arena, StreamSource);
    *s = (StreamSource){.kind = source_kind(read->format), .query = q, .number = number, .arena = q->arena};
    if (!s->kind)
        return error_unsupported(err, "Streaming from " STR_FMT, STR_ARG(read->format));
    s->read = (StreamRead){.format = str_copy(read->format, q->arena),
                           .description = str_copy(read->description, q->arena),
                           .schema = type_copy(read->schema, q->arena),
                           .table_schema = read->table_schema ? type_copy(read->table_schema, q->arena) : NULL,
                           .changes = read->changes,
                           .paths = copy_strs(&read->paths, q->arena),
                           .options = copy_options(&read->options, q->arena),
                           .table = read->table};
    if (s->read.table)
        delta_table_ref(s->read.table);
    s->unlimited = q->spec.trigger == TRIGGER_ONCE;
    s->bounded = q->spec.trigger == TRIGGER_AVAILABLE_NOW;
    s->description = s->read.description;
    s->start = strdup("");
    s->end = strdup("");
    vec_push(q->arena, &q->sources, s);
    return true;
}

static void set_offset(char **slot, Str offset)
{
    char *copy = strndup(offset.ptr ? offset.ptr : "", offset.len);
    if (!copy)
        panic("out of memory");
    free(*slot);
    *slot = copy;
}

static bool analyze_plan_once(StreamQuery *q, Arena *arena, const Type **schema, Error *err)
{
    FuncContext func = session_func_context(q->session, arena);
    StreamHook hook = {add_source, q};
    Analyzer *a = analyzer_new(q->session, q->engine, &func, (Str){0}, arena);
    BoundRel *plan;
    analyzer_set_streams(a, &hook);
    TRY(analyze_query(a, q->spec.input, &plan, err));
    if (!brel_is_streaming(plan))
        return error_set(err, ERR_WRITE_STREAM_NOT_ALLOWED);
    TRY(check_streaming(q, plan, err));
    *schema = type_copy(brel_schema(plan, arena), q->arena);
    q->is_stateful = plan_is_stateful(plan) && plan_has_watermark(plan);
    return true;
}

/* ---- where the checkpoint is ---- */

static Str plain_path(Str path)
{
    if (str_starts_with(path, S("file:")))
        path = str_slice(path, 5, path.len);
    while (str_starts_with(path, S("//")))
        path = str_slice(path, 1, path.len);
    return path;
}

static bool checkpoint_folder(StreamQuery *q, Str *out, bool *temporary, Error *err)
{
    bool found;
    Str root, given = key_value_get(&q->spec.options, "checkpointLocation");
    *temporary = false;
    *out = plain_path(given);
    if (given.len)
        return true;
    session_get(q->session, S("spark.sql.streaming.checkpointLocation"), q->arena, &found, &root);
    if (found && root.len) {
        *out = str_printf(q->arena, STR_FMT "/" STR_FMT, STR_ARG(plain_path(root)),
                          STR_ARG(q->spec.name.len ? q->spec.name : clock_uuid_in(q->arena)));
        return true;
    }
    if (q->sink->needs_checkpoint)
        return error_set(err, ERR__LEGACY_ERROR_TEMP_1298, PZ("config", "spark.sql.streaming.checkpointLocation"));
    const char *place = getenv("TMPDIR");
    *temporary = true;
    *out = str_printf(q->arena, "%s/temporary-%s", place ? place : "/tmp", q->run_id);
    return true;
}

static bool open_checkpoint(StreamQuery *q, Error *err)
{
    bool temporary;
    Str folder;
    TRY(checkpoint_folder(q, &folder, &temporary, err));
    TRY(checkpoint_open(folder, temporary, q->arena, &q->checkpoint, err));
    static const char *const FOLDERS[] = {"", "offsets", "commits"};
    for (size_t i = 0; i < LENGTH_OF(FOLDERS); i++)
        TRY(store_make_folder(q->checkpoint.store, str_from(FOLDERS[i]), err));
    int64_t planned;
    TRY(checkpoint_newest(&q->checkpoint, S("offsets"), &planned, err));
    if (planned >= 0 && !(q->sink->recovers & (1u << q->mode)))
        return error_set(err, ERR__LEGACY_ERROR_TEMP_1299, P("checkpointPath", str_concat(err->arena, q->checkpoint.folder, S("/offsets"))));
    return checkpoint_identity(&q->checkpoint, q->id, err);
}

/* ---- recovery ---- */

static bool take_offsets(StreamQuery *q, const OffsetEntry *e, bool planned, Error *err)
{
    if (e->offsets.len != q->sources.len)
        return error_set(err, ERR_LAKESHED_STREAM_CHECKPOINT, P("path", q->checkpoint.folder),
                         P("reason", str_printf(err->arena, "it knows %zu sources and the query has %zu", e->offsets.len, q->sources.len)));
    for (size_t i = 0; i < q->sources.len; i++) {
        StreamSource *s = q->sources.at[i];
        set_offset(&s->end, e->offsets.at[i]);
        if (!planned)
            set_offset(&s->start, e->offsets.at[i]);
    }
    return true;
}

/* The newest planned batch was committed, or is run again over the same offsets. */
static bool recover(StreamQuery *q, int64_t *timestamp_ms, Error *err)
{
    AUTO_ARENA arena = arena_new();
    OffsetEntry entry, before;
    int64_t planned, watermark;
    bool found, committed;
    TRY(checkpoint_newest(&q->checkpoint, S("offsets"), &planned, err));
    q->batch = planned < 0 ? 0 : planned;
    if (planned < 0)
        return true;
    TRY(checkpoint_read_offsets(&q->checkpoint, planned, arena, &found, &entry, err));
    TRY(checkpoint_read_commit(&q->checkpoint, planned, &committed, &watermark, err));
    if (committed) {
        q->batch = planned + 1;
        q->watermark_ms = watermark;
        q->planned_watermark_ms = entry.watermark_ms;
        return take_offsets(q, &entry, false, err);
    }
    if (planned > 0) {
        TRY(checkpoint_read_offsets(&q->checkpoint, planned - 1, arena, &found, &before, err));
        q->late_watermark_ms = before.watermark_ms;
        if (found)
            TRY(take_offsets(q, &before, false, err));
    }
    TRY(take_offsets(q, &entry, true, err));
    q->watermark_ms = q->planned_watermark_ms = entry.watermark_ms;
    *timestamp_ms = entry.timestamp_ms;
    q->resuming = true;
    return true;
}

/* ---- the loop ---- */

bool stream_is_stopping(StreamQuery *q)
{
    pthread_mutex_lock(&q->lock);
    bool stopping = q->stopping;
    pthread_mutex_unlock(&q->lock);
    return stopping;
}

void stream_set_message(StreamQuery *q, const char *message, bool available, bool active)
{
    pthread_mutex_lock(&q->lock);
    q->message = message;
    q->data_available = available;
    q->trigger_active = active;
    pthread_mutex_unlock(&q->lock);
}

void stream_add_progress(StreamQuery *q, Str json)
{
    char *copy = strndup(json.ptr, json.len);
    if (!copy)
        panic("out of memory");
    pthread_mutex_lock(&q->lock);
    char **slot = &q->progress[q->progress_count++ % PROGRESS_KEPT];
    free(*slot);
    *slot = copy;
    pthread_mutex_unlock(&q->lock);
    AUTO_ARENA arena = arena_new();
    stream_post(q, STREAM_PROGRESS, str_printf(arena, "{\"progress\":" STR_FMT "}", STR_ARG(json)));
}

/* Asks every source for the end of the next batch. */
static bool look(StreamQuery *q, bool *any, Error *err)
{
    AUTO_ARENA arena = arena_new();
    int64_t since = clock_monotonic_us();
    *any = false;
    for (size_t i = 0; i < q->sources.len; i++) {
        StreamSource *s = q->sources.at[i];
        Str end;
        TRY(s->kind->latest(s, str_from(s->start), arena, &end, err));
        *any |= !str_is(end, s->start);
        set_offset(&s->end, end);
    }
    q->look_us = clock_monotonic_us() - since;
    return true;
}

static bool plan_batch(StreamQuery *q, int64_t timestamp_ms, Error *err)
{
    AUTO_ARENA arena = arena_new();
    OffsetEntry entry = {.watermark_ms = q->watermark_ms, .timestamp_ms = timestamp_ms};
    for (size_t i = 0; i < q->sources.len; i++)
        vec_push(arena, &entry.offsets, str_from(q->sources.at[i]->end));
    q->late_watermark_ms = q->batch > 0 ? q->planned_watermark_ms : 0;
    q->planned_watermark_ms = q->watermark_ms;
    return checkpoint_write_offsets(&q->checkpoint, q->batch, &entry, err);
}

static bool run_batch(StreamQuery *q, int64_t timestamp_ms, Error *err)
{
    TRY(batch_run(q, timestamp_ms, err));
    for (size_t i = 0; i < q->sources.len; i++)
        set_offset(&q->sources.at[i]->start, str_from(q->sources.at[i]->end));
    q->batch++;
    q->resuming = false;
    return checkpoint_purge(&q->checkpoint, q->batch - RETAINED_BATCHES, err);
}

/* Whether a batch was run. */
static bool trigger(StreamQuery *q, int64_t resumed_ms, bool *ran, Error *err)
{
    int64_t now_ms = q->resuming ? resumed_ms : clock_now_ms();
    *ran = q->resuming;
    if (!q->resuming) {
        pthread_mutex_lock(&q->lock);
        uint64_t number = ++q->looks;
        q->asked = false;
        pthread_mutex_unlock(&q->lock);
        stream_set_message(q, "Getting offsets from sources", q->data_available, true);
        TRY(look(q, ran, err));
        /* A watermark that moved lets state go, also without new rows. */
        bool moved = q->is_stateful && q->batch > 0 && q->watermark_ms > q->planned_watermark_ms &&
                     session_bool(q->session, "spark.sql.streaming.noDataMicroBatches.enabled", true);
        *ran |= moved;
        if (!*ran) {
            pthread_mutex_lock(&q->lock);
            q->idle_look = number;
            q->message = "Waiting for data to arrive";
            q->data_available = q->trigger_active = false;
            pthread_cond_broadcast(&q->changed);
            pthread_mutex_unlock(&q->lock);
            return true;
        }
        TRY(plan_batch(q, now_ms, err));
    }
    stream_set_message(q, "Processing new data", true, true);
    TRY(run_batch(q, now_ms, err));
    stream_set_message(q, "Waiting for next trigger", true, false);
    return true;
}

static struct timespec in_us(int64_t us)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t ns = t.tv_nsec + (us % 1000000) * 1000;
    t.tv_sec += us / 1000000 + ns / 1000000000;
    t.tv_nsec = ns % 1000000000;
    return t;
}

/* Until the time is over, or somebody waits for what is there. */
static void pause_for(StreamQuery *q, int64_t us, bool hears)
{
    struct timespec until = in_us(us);
    pthread_mutex_lock(&q->lock);
    while (!q->stopping && !(hears && q->asked) && pthread_cond_timedwait(&q->changed, &q->lock, &until) != ETIMEDOUT)
        continue;
    pthread_mutex_unlock(&q->lock);
}

static void post_idle(StreamQuery *q)
{
    AUTO_ARENA arena = arena_new();
    stream_post(q, STREAM_IDLE,
                str_printf(arena, "{\"id\":\"%s\",\"runId\":\"%s\",\"timestamp\":\"" STR_FMT "\"}", q->id, q->run_id,
                           STR_ARG(stream_time_text(clock_now_ms(), arena))));
}

/* Triggers of an interval come at whole multiples of it. */
static void wait_for_trigger(StreamQuery *q, bool ran, int64_t *last_event_us)
{
    if (ran)
        *last_event_us = clock_monotonic_us();
    else if (clock_monotonic_us() - *last_event_us > IDLE_EVENT_US) {
        *last_event_us = clock_monotonic_us();
        post_idle(q);
    }
    if (q->interval_us > 0) {
        int64_t now = clock_now_us();
        pause_for(q, q->interval_us - now % q->interval_us, false);
    } else if (!ran) {
        /* Looking takes a tenth of the time at most. */
        int64_t us = q->look_us * 10 > POLL_MS * 1000 ? q->look_us * 10 : POLL_MS * 1000;
        pause_for(q, us < POLL_MAX_US ? us : POLL_MAX_US, true);
    }
}

static bool run_loop(StreamQuery *q, Error *err)
{
    int64_t resumed_ms = 0, last_event = clock_monotonic_us();
    for (size_t i = 0; i < q->sources.len; i++)
        TRY(q->sources.at[i]->kind->open(q->sources.at[i], err));
    TRY(recover(q, &resumed_ms, err));
    while (!stream_is_stopping(q)) {
        bool ran;
        TRY(trigger(q, resumed_ms, &ran, err));
        if (q->spec.trigger == TRIGGER_ONCE || (q->spec.trigger == TRIGGER_AVAILABLE_NOW && !ran))
            return true;
        if (q->spec.trigger == TRIGGER_PROCESSING_TIME)
            wait_for_trigger(q, ran, &last_event);
    }
    return true;
}

/* ---- the end ---- */

static void put_cause(StreamQuery *q, const Error *err)
{
    pthread_mutex_lock(&q->lock);
    q->failure_arena = arena_new();
    q->failure = ARENA_NEW(q->failure_arena, Error);
    *q->failure = error_in(q->failure_arena);
    error_copy(q->failure, err);
    pthread_mutex_unlock(&q->lock);
}

static void post_end(StreamQuery *q)
{
    AUTO_ARENA arena = arena_new();
    Str message, error_class;
    Buf b = buf_in(arena);
    bool failed = stream_failure(q, arena, &message, &error_class);
    buf_addf(&b, "{\"id\":\"%s\",\"runId\":\"%s\",\"exception\":", q->id, q->run_id);
    if (failed)
        json_put_str(&b, message);
    else
        buf_addz(&b, "null");
    buf_addz(&b, ",\"errorClassOnException\":");
    if (failed)
        json_put_str(&b, error_class);
    else
        buf_addz(&b, "null");
    buf_addc(&b, '}');
    stream_post(q, STREAM_TERMINATED, buf_str(&b));
}

static void *query_thread(void *arg)
{
    StreamQuery *q = arg;
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    session_use_stores(q->session);
    bool ok = run_loop(q, &err);
    /* What a stop interrupted did not fail. */
    if (!ok && stream_is_stopping(q) && cancel_is_raised(q->cancel))
        ok = true;
    if (!ok) {
        Str text = error_message(&err, arena);
        log_warn("the streaming query %s ended: " STR_FMT, q->id, STR_ARG(text));
        put_cause(q, &err);
    }
    if (q->sink->close)
        q->sink->close(q);
    state_free(q);
    if (ok && q->checkpoint.temporary)
        checkpoint_remove(&q->checkpoint);
    pthread_mutex_lock(&q->lock);
    q->active = false;
    q->message = ok ? "Stopped" : NULL;
    q->data_available = q->trigger_active = false;
    pthread_mutex_unlock(&q->lock);
    post_end(q);
    stream_ended(q);
    pthread_mutex_lock(&q->lock);
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
    StreamManager *m = q->manager;
    stream_query_unref(q);
    stream_thread_gone(m);
    return NULL;
}

void stream_query_unref(StreamQuery *q)
{
    if (!q || __atomic_sub_fetch(&q->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (size_t i = 0; i < q->sources.len; i++) {
        free(q->sources.at[i]->start);
        free(q->sources.at[i]->end);
        if (!q->sources.at[i]->state && q->sources.at[i]->read.table)
            delta_table_unref(q->sources.at[i]->read.table);
    }
    for (size_t i = 0; i < PROGRESS_KEPT; i++)
        free(q->progress[i]);
    free(q->plan);
    free(q->plan_extended);
    cancel_unref(q->cancel);
    session_unref(q->session);
    session_unref(q->owner);
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->lock);
    arena_free(q->failure_arena);
    Arena *arena = q->arena;
    arena_free(arena);
}

void stream_query_stop(StreamQuery *q)
{
    pthread_mutex_lock(&q->lock);
    q->stopping = true;
    pthread_cond_broadcast(&q->changed);
    bool waits = q->active && !pthread_equal(q->thread, pthread_self());
    pthread_mutex_unlock(&q->lock);
    cancel_raise(q->cancel);
    pthread_mutex_lock(&q->lock);
    while (waits && q->active) {
        struct timespec until = in_us(100000);
        pthread_cond_timedwait(&q->changed, &q->lock, &until);
    }
    pthread_mutex_unlock(&q->lock);
}

/* ---- starting ---- */

static bool output_mode(Str text, OutputMode *out, Error *err)
{
    *out = OUTPUT_APPEND;
    for (int i = 0; i < 3; i++)
        if (str_is_ci(text, output_mode_names[i])) {
            *out = (OutputMode)i;
            return true;
        }
    return !text.len || error_set(err, ERR_STREAMING_OUTPUT_MODE__INVALID, P("outputMode", text));
}

static bool read_trigger(StreamQuery *q, Error *err)
{
    if (q->spec.trigger == TRIGGER_CONTINUOUS)
        return error_unsupported(err, "Continuous processing (trigger(continuous=..))");
    if (q->spec.trigger == TRIGGER_REAL_TIME)
        return error_unsupported(err, "Real-time mode (trigger(realTime=..))");
    if (q->spec.trigger != TRIGGER_PROCESSING_TIME || !q->spec.interval.len)
        return true;
    return stream_interval(q->spec.interval, &q->interval_us, err);
}

static bool choose_sink(StreamQuery *q, Error *err)
{
    bool found;
    Str format = q->spec.format;
    if (q->spec.foreach || q->spec.foreach_batch) {
        q->sink = q->spec.foreach ? &sink_foreach : &sink_foreach_batch;
        return true;
    }
    if (!format.len) {
        session_get(q->session, S("spark.sql.sources.default"), q->arena, &found, &format);
        q->spec.format = format = str_lower(found && format.len ? format : S("delta"), q->arena);
    }
    q->sink = sink_kind(format);
    return q->sink || error_set(err, ERR_DATA_SOURCE_NOT_FOUND, P("provider", format));
}

static bool prepare(StreamQuery *q, Arena *arena, Error *err)
{
    const Type *schema = NULL;
    TRY(output_mode(q->spec.output_mode, &q->mode, err));
    TRY(read_trigger(q, err));
    TRY(choose_sink(q, err));
    if (!(q->sink->modes & (1u << q->mode)))
        return error_set(err, ERR_STREAMING_OUTPUT_MODE__UNSUPPORTED_DATASOURCE, PZ("outputMode", output_mode_names[q->mode]),
                         P("className", q->spec.format));
    TRY(analyze_plan_once(q, arena, &schema, err));
    q->sink_description = S("");
    TRY(q->sink->open(q, schema, err));
    return open_checkpoint(q, err);
}

static void init_lock(StreamQuery *q)
{
    pthread_condattr_t attributes;
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&q->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* manager.c starts it in two steps: everything that may fail, then the thread. */
StreamQuery *stream_query_new(StreamManager *m, Session *session, const StreamSpec *spec, Error *err)
{
    Arena *arena = arena_new();
    AUTO_ARENA scratch = arena_new();
    StreamQuery *q = ARENA_NEW(arena, StreamQuery);
    *q = (StreamQuery){.refs = 1, .manager = m, .engine = stream_engine(m), .owner = session, .arena = arena, .message = "Initializing StreamExecution"};
    clock_uuid(q->id);
    clock_uuid(q->run_id);
    init_lock(q);
    session_ref(session);
    q->session = session_clone(session, clock_uuid_in(arena));
    q->cancel = cancel_new();
    copy_spec(q, spec);
    session_enter(q->session);
    bool ok = prepare(q, scratch, err);
    session_leave(q->session);
    if (ok)
        return q;
    stream_query_unref(q);
    return NULL;
}

bool stream_query_run(StreamQuery *q, Error *err)
{
    pthread_attr_t attributes;
    q->active = true;
    __atomic_add_fetch(&q->refs, 1, __ATOMIC_RELAXED); /* the thread's */
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, WORKER_STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int code = pthread_create(&q->thread, &attributes, query_thread, q);
    pthread_attr_destroy(&attributes);
    if (!code)
        return true;
    q->active = false;
    __atomic_sub_fetch(&q->refs, 1, __ATOMIC_ACQ_REL);
    return error_internal(err, "no thread for a streaming query: %s", strerror(code));
}

/* ---- what clients ask ---- */

Str stream_started_json(const StreamQuery *q, Arena *arena)
{
    Buf b = buf_in(arena);
    buf_addf(&b, "{\"id\":\"%s\",\"runId\":\"%s\",\"name\":", q->id, q->run_id);
    if (q->spec.name.len)
        json_put_str(&b, q->spec.name);
    else
        buf_addz(&b, "null");
    buf_addf(&b, ",\"timestamp\":\"" STR_FMT "\",\"jobTags\":[]}", STR_ARG(stream_time_text(clock_now_ms(), arena)));
    return buf_str(&b);
}

void stream_status(StreamQuery *q, Arena *arena, StreamStatus *out)
{
    pthread_mutex_lock(&q->lock);
    *out = (StreamStatus){str_from(q->message), q->data_available, q->trigger_active, q->active};
    if (!q->message && q->failure)
        out->message = str_concat(arena, S("Terminated with exception: "), error_message(q->failure, arena));
    pthread_mutex_unlock(&q->lock);
}

void stream_progress(StreamQuery *q, bool last, Arena *arena, StrVec *out)
{
    pthread_mutex_lock(&q->lock);
    size_t n = q->progress_count, kept = n < PROGRESS_KEPT ? n : PROGRESS_KEPT;
    for (size_t i = last && n ? n - 1 : n - kept; i < n; i++)
        vec_push(arena, out, str_copy(str_from(q->progress[i % PROGRESS_KEPT]), arena));
    pthread_mutex_unlock(&q->lock);
}

Str stream_explain(StreamQuery *q, bool extended, Arena *arena)
{
    pthread_mutex_lock(&q->lock);
    const char *text = extended ? q->plan_extended : q->plan;
    Str out = text ? str_copy(str_from(text), arena) : S("No physical plan. Waiting for data.");
    pthread_mutex_unlock(&q->lock);
    return out;
}

bool stream_failure(StreamQuery *q, Arena *arena, Str *message, Str *error_class)
{
    pthread_mutex_lock(&q->lock);
    bool failed = q->failure != NULL;
    if (failed) {
        Str cause = error_message(q->failure, arena);
        *message = str_printf(arena, "org.apache.spark.sql.streaming.StreamingQueryException: " STR_FMT
                              "\n=== Streaming Query ===\nIdentifier: [id = %s, runId = %s]\n", STR_ARG(cause), q->id, q->run_id);
        *error_class = S("STREAM_FAILED");
    }
    pthread_mutex_unlock(&q->lock);
    return failed;
}

static bool fail_as(StreamQuery *q, Error *err)
{
    return error_set(err, ERR_STREAM_FAILED, P("id", str_from(q->id)), P("runId", str_from(q->run_id)),
                     P("message", error_message(q->failure, err->arena)));
}

/* ---- waiting ---- */

static int64_t deadline_of(const StreamWait *w)
{
    return w->timeout_ms < 0 ? INT64_MAX : clock_monotonic_us() + w->timeout_ms * 1000;
}

static bool check_cancel(const Cancel *c, Error *err)
{
    return !c || !cancel_is_raised(c) || error_set(err, ERR_OPERATION_CANCELED);
}

bool stream_await(StreamQuery *q, const StreamWait *wait, bool *terminated, Error *err)
{
    int64_t deadline = deadline_of(wait);
    bool ok = true;
    pthread_mutex_lock(&q->lock);
    while (q->active && clock_monotonic_us() < deadline && ok) {
        int64_t left = deadline == INT64_MAX ? 100000 : deadline - clock_monotonic_us();
        struct timespec until = in_us(left < 100000 ? left : 100000);
        pthread_cond_timedwait(&q->changed, &q->lock, &until);
        ok = check_cancel(wait->cancel, err);
    }
    *terminated = !q->active;
    if (ok && !q->active && q->failure)
        ok = fail_as(q, err);
    pthread_mutex_unlock(&q->lock);
    return ok;
}

bool stream_process_all(StreamQuery *q, const Cancel *cancel, Error *err)
{
    bool ok = true;
    pthread_mutex_lock(&q->lock);
    uint64_t wanted = q->looks + 1;
    while (q->active && q->idle_look < wanted && ok) {
        q->asked = true;
        pthread_cond_broadcast(&q->changed);
        struct timespec until = in_us(100000);
        pthread_cond_timedwait(&q->changed, &q->lock, &until);
        ok = check_cancel(cancel, err);
    }
    if (ok && q->failure)
        ok = fail_as(q, err);
    pthread_mutex_unlock(&q->lock);
    return ok;
}
