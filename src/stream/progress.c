/* What a batch did, as Spark's StreamingQueryProgress in JSON. */
#include <inttypes.h>
#include <time.h>

#include "stream/stream_impl.h"

Str stream_time_text(int64_t ms, Arena *arena)
{
    struct tm t;
    time_t seconds = (time_t)(ms / 1000);
    int64_t rest = ms % 1000;
    if (rest < 0) {
        rest += 1000;
        seconds--;
    }
    gmtime_r(&seconds, &t);
    return str_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d.%03" PRId64 "Z", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min,
                      t.tm_sec, rest);
}

static void put_text(Buf *b, bool *first, const char *key, Str value)
{
    json_put_key(b, first, key);
    json_put_str(b, value);
}

static void put_number(Buf *b, bool *first, const char *key, int64_t value)
{
    json_put_key(b, first, key);
    buf_addf(b, "%" PRId64, value);
}

/* As text, whatever its form; the beginning is null. */
static void put_offset(Buf *b, bool *first, const char *key, const char *offset)
{
    json_put_key(b, first, key);
    if (offset[0])
        json_put_str(b, str_from(offset));
    else
        buf_addz(b, "null");
}

static void put_rates(Buf *b, bool *first, int64_t rows, double since_trigger, double processing)
{
    json_put_key(b, first, "numInputRows");
    buf_addf(b, "%" PRId64, rows);
    json_put_key(b, first, "inputRowsPerSecond");
    json_put_f64(b, since_trigger > 0 ? (double)rows / since_trigger : 0);
    json_put_key(b, first, "processedRowsPerSecond");
    json_put_f64(b, processing > 0 ? (double)rows / processing : 0);
}

static void put_durations(Buf *b, const Batch *batch, int64_t total_ms)
{
    bool first = true;
    buf_addz(b, "{");
    put_number(b, &first, "triggerExecution", total_ms);
    for (size_t i = 0; i < batch->step_count; i++)
        put_number(b, &first, batch->steps[i].name, batch->steps[i].us / 1000);
    buf_addc(b, '}');
}

/* max, min and avg over all watermarked columns; each mark's row is (max, min, avg) in milliseconds, or NULLs. */
static void put_event_time(Buf *b, const Batch *batch, const RowVec *marks)
{
    StreamQuery *q = batch->query;
    bool first = true, any = false, watermarked = false;
    int64_t most = INT64_MIN, least = INT64_MAX, average = 0;
    for (size_t i = 0; i < batch->mark_count; i++) {
        watermarked |= batch->marks[i]->mark.event_time != 0;
        if (!batch->marks[i]->mark.event_time || !marks->at[i].cells || marks->at[i].cells[0].is_null)
            continue;
        const Value *v = marks->at[i].cells;
        most = v[0].integer > most ? v[0].integer : most;
        least = v[1].integer < least ? v[1].integer : least;
        average = v[2].integer;
        any = true;
    }
    buf_addc(b, '{');
    if (any) {
        put_text(b, &first, "max", stream_time_text(most, batch->arena));
        put_text(b, &first, "min", stream_time_text(least, batch->arena));
        put_text(b, &first, "avg", stream_time_text(average, batch->arena));
    }
    if (watermarked)
        put_text(b, &first, "watermark", stream_time_text(q->planned_watermark_ms, batch->arena));
    buf_addc(b, '}');
}

static void put_value(Buf *b, const Value *v, Str zone, Arena *arena)
{
    if (v->is_null) {
        buf_addz(b, "null");
        return;
    }
    bool bare = type_is_numeric(v->type) || v->type->kind == TYPE_BOOLEAN;
    Str text = value_to_text(v, zone, arena);
    if (bare)
        buf_add(b, text);
    else
        json_put_str(b, text);
}

static void put_observed(Buf *b, const Batch *batch, const RowVec *marks)
{
    bool first = true;
    buf_addc(b, '{');
    for (size_t i = 0; i < batch->mark_count; i++) {
        const BoundRel *m = batch->marks[i];
        bool inner = true;
        if (!m->mark.metrics || !marks->at[i].cells)
            continue;
        buf_addz(b, first ? "" : ",");
        first = false;
        json_put_str(b, m->mark.name);
        buf_addz(b, ":{");
        for (size_t c = 0; c < m->mark.metrics->columns.len; c++) {
            buf_addz(b, inner ? "" : ",");
            inner = false;
            json_put_str(b, m->mark.metrics->columns.at[c].name);
            buf_addc(b, ':');
            put_value(b, &marks->at[i].cells[c], batch->func.zone, batch->arena);
        }
        buf_addc(b, '}');
    }
    buf_addc(b, '}');
}

Str progress_json(Batch *batch, int64_t timestamp_ms, const RowVec *marks, const int64_t *input_rows, Arena *arena)
{
    StreamQuery *q = batch->query;
    Buf b = buf_in(arena);
    bool first = true;
    int64_t now = clock_monotonic_us(), total_ms = (now - batch->started_us) / 1000;
    double processing = (double)(now - batch->started_us) / 1e6;
    double since = q->last_trigger_us ? (double)(batch->started_us - q->last_trigger_us) / 1e6 : 0;
    buf_addc(&b, '{');
    put_text(&b, &first, "id", str_from(q->id));
    put_text(&b, &first, "runId", str_from(q->run_id));
    json_put_key(&b, &first, "name");
    if (q->spec.name.len)
        json_put_str(&b, q->spec.name);
    else
        buf_addz(&b, "null");
    put_text(&b, &first, "timestamp", stream_time_text(timestamp_ms, arena));
    put_number(&b, &first, "batchId", batch->id);
    put_number(&b, &first, "batchDuration", total_ms);
    json_put_key(&b, &first, "durationMs");
    put_durations(&b, batch, total_ms);
    json_put_key(&b, &first, "eventTime");
    put_event_time(&b, batch, marks);
    json_put_key(&b, &first, "stateOperators");
    state_progress(batch, &b);
    json_put_key(&b, &first, "sources");
    buf_addc(&b, '[');
    for (size_t i = 0; i < q->sources.len; i++) {
        const StreamSource *s = q->sources.at[i];
        bool inner = true;
        buf_addz(&b, i ? ",{" : "{");
        put_text(&b, &inner, "description", s->description);
        put_offset(&b, &inner, "startOffset", s->start);
        put_offset(&b, &inner, "endOffset", s->end);
        put_offset(&b, &inner, "latestOffset", s->kind->says_latest ? s->end : "");
        put_rates(&b, &inner, input_rows[i], since, processing);
        buf_addc(&b, '}');
    }
    buf_addc(&b, ']');
    json_put_key(&b, &first, "sink");
    bool inner = true;
    buf_addc(&b, '{');
    put_text(&b, &inner, "description", q->sink_description);
    put_number(&b, &inner, "numOutputRows", batch->output_rows);
    buf_addc(&b, '}');
    json_put_key(&b, &first, "observedMetrics");
    put_observed(&b, batch, marks);
    buf_addc(&b, '}');
    return buf_str(&b);
}
