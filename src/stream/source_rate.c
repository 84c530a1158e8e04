/* Rows made by the clock (rate) and so many a batch (rate-micro-batch). */
#include <inttypes.h>
#include <stdlib.h>

#include "stream/stream_impl.h"

typedef struct Rate {
    int64_t created_ms;      /* the stream's first second starts here; kept in the checkpoint */
    int64_t rows_per_second, ramp_up_seconds;
    int64_t bound;           /* Trigger.AvailableNow: the last second; -1: not looked yet */
    int64_t rows_per_batch, start_ms, advance_ms;
} Rate;

static bool option_number(StreamSource *s, const char *key, int64_t otherwise, int64_t *out, Error *err)
{
    Str text = key_value_get(&s->read.options, key);
    *out = otherwise;
    return !text.len || str_to_i64(text, out) ||
           error_set(err, ERR_LAKESHED_STREAM_OPTION, P("value", text), PZ("option", key), PZ("rule", "must be an integer"));
}

/* ---- rate ---- */

static bool rate_open(StreamSource *s, Error *err)
{
    AUTO_ARENA arena = arena_new();
    Rate *r = s->state = ARENA_NEW(s->arena, Rate);
    Str ramp = key_value_get(&s->read.options, "rampUpTime");
    int64_t ramp_us = 0;
    r->bound = -1;
    TRY(option_number(s, "rowsPerSecond", 1, &r->rows_per_second, err));
    if (ramp.len)
        TRY(stream_interval(ramp, &ramp_us, err));
    r->ramp_up_seconds = ramp_us / 1000000;
    LineLog log;
    StrVec line = {0};
    TRY(line_log_open(s->query->checkpoint.store, str_printf(arena, "sources/%zu", s->number), s->arena, &log, err));
    if (log.lines.len && str_to_i64(log.lines.at[0], &r->created_ms)) {
        /* Restarted: the seconds go on from where they began. */
    } else {
        r->created_ms = clock_now_ms();
        vec_push(arena, &line, str_printf(arena, "%" PRId64, r->created_ms));
        TRY(line_log_add(&log, 0, &line, err));
    }
    Str partitions = key_value_get(&s->read.options, "numPartitions");
    s->description = str_printf(s->arena, "RateStreamV2[rowsPerSecond=%" PRId64 ", rampUpTimeSeconds=%" PRId64 ", numPartitions=" STR_FMT,
                                r->rows_per_second, r->ramp_up_seconds, STR_ARG(partitions.len ? partitions : S("default")));
    return true;
}

/* The first row of a second. */
static int64_t rate_value(const Rate *r, int64_t second)
{
    if (!r->ramp_up_seconds)
        return r->rows_per_second * second;
    int64_t step = r->rows_per_second / (r->ramp_up_seconds + 1);
    if (second <= r->ramp_up_seconds)
        return step * second * (second + 1) / 2;
    return step * r->ramp_up_seconds * (r->ramp_up_seconds + 1) / 2 + (second - r->ramp_up_seconds) * r->rows_per_second;
}

static int64_t second_of(Str offset)
{
    int64_t n;
    return str_to_i64(offset, &n) ? n : 0;
}

static bool rate_latest(StreamSource *s, Str start, Arena *arena, Str *end, Error *err)
{
    Rate *r = s->state;
    (void)err;
    int64_t second = (clock_now_ms() - r->created_ms) / 1000, from = second_of(start);
    if (s->bounded && r->bound < 0)
        r->bound = second;
    if (s->bounded)
        second = r->bound;
    *end = start.len && second <= from ? start : str_printf(arena, "%" PRId64, second < from ? from : second);
    return true;
}

static bool rate_rows(StreamSource *s, Analyzer *a, Str start, Str end, Arena *arena, BoundRel **out, Error *err)
{
    Rate *r = s->state;
    int64_t from = second_of(start), to = second_of(end);
    int64_t first = rate_value(r, from), last = rate_value(r, to);
    double ms_per_row = last > first ? (double)(to - from) * 1000 / (double)(last - first) : 0;
    return source_sql(a,
                      str_printf(arena,
                                 "SELECT timestamp_millis(CAST(round((id - %" PRId64 "L) * %.17gD) AS BIGINT) + %" PRId64
                                 "L) AS timestamp, id AS value FROM range(%" PRId64 ", %" PRId64 ")",
                                 first, ms_per_row, r->created_ms + from * 1000, first, last),
                      arena, out, err);
}

const SourceKind source_rate = {"rate", rate_open, rate_latest, rate_rows, true};

/* ---- rate-micro-batch ---- */

typedef struct BatchOffset {
    int64_t row, ms;
} BatchOffset;

static bool rate_batch_open(StreamSource *s, Error *err)
{
    Rate *r = s->state = ARENA_NEW(s->arena, Rate);
    r->bound = -1;
    int64_t partitions;
    TRY(option_number(s, "rowsPerBatch", 0, &r->rows_per_batch, err));
    TRY(option_number(s, "startTimestamp", 0, &r->start_ms, err));
    TRY(option_number(s, "advanceMillisPerBatch", 1000, &r->advance_ms, err));
    TRY(option_number(s, "numPartitions", 1, &partitions, err));
    s->description = str_printf(s->arena,
                                "RatePerMicroBatchStream[rowsPerBatch=%" PRId64 ", numPartitions=%" PRId64 ", startTimestamp=%" PRId64
                                ", advanceMsPerBatch=%" PRId64 "]",
                                r->rows_per_batch, partitions, r->start_ms, r->advance_ms);
    return true;
}

static BatchOffset batch_offset(const Rate *r, Str text, Arena *arena)
{
    Error ignored = error_in(arena);
    yyjson_val *root;
    if (!text.len || !json_parse(text, S("offset"), arena, &root, &ignored))
        return (BatchOffset){0, r->start_ms};
    return (BatchOffset){json_get_i64(root, "offset", 0), json_get_i64(root, "timestamp", r->start_ms)};
}

static bool rate_batch_latest(StreamSource *s, Str start, Arena *arena, Str *end, Error *err)
{
    Rate *r = s->state;
    (void)err;
    BatchOffset at = batch_offset(r, start, arena);
    if (s->bounded && r->bound < 0)
        r->bound = at.row + r->rows_per_batch;
    *end = start;
    if (!s->bounded || at.row < r->bound)
        *end = str_printf(arena, "{\"offset\":%" PRId64 ",\"timestamp\":%" PRId64 "}", at.row + r->rows_per_batch, at.ms + r->advance_ms);
    return true;
}

static bool rate_batch_rows(StreamSource *s, Analyzer *a, Str start, Str end, Arena *arena, BoundRel **out, Error *err)
{
    BatchOffset from = batch_offset(s->state, start, arena), to = batch_offset(s->state, end, arena);
    return source_sql(a,
                      str_printf(arena, "SELECT timestamp_millis(%" PRId64 "L) AS timestamp, id AS value FROM range(%" PRId64 ", %" PRId64 ")",
                                 from.ms, from.row, to.row),
                      arena, out, err);
}

const SourceKind source_rate_batch = {"rate-micro-batch", rate_batch_open, rate_batch_latest, rate_batch_rows, false};
