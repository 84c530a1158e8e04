/* foreachBatch and foreach: a Python process of the query's own gets each batch through Spark Connect, in the client's session. */
#include <ctype.h>
#include <string.h>

#include "stream/stream_impl.h"

#define ALL_MODES (1u << OUTPUT_APPEND | 1u << OUTPUT_COMPLETE | 1u << OUTPUT_UPDATE)

static bool goes_on(void *arg, Error *err)
{
    const StreamQuery *q = arg;
    return !cancel_is_raised(q->cancel) || error_set(err, ERR_OPERATION_CANCELED);
}

static bool python_open(StreamQuery *q, const Type *schema, Error *err)
{
    (void)schema;
    if (!stream_options(q->manager)->python)
        return error_unsupported(err, "foreachBatch and foreach without a Python");
    q->sink_description = q->spec.foreach ? S("ForeachWriterTable") : S("ForeachBatchSink");
    return true;
}

static Str url_of(const StreamQuery *q, Arena *arena)
{
    const StreamOptions *o = stream_options(q->manager);
    bool any = !o->host.len || str_is(o->host, "0.0.0.0") || str_is(o->host, "::");
    Buf b = buf_in(arena);
    buf_addf(&b, "sc://" STR_FMT ":%d/;user_id=", STR_ARG(any ? S("127.0.0.1") : o->host), o->port);
    Str user = session_user(q->owner);
    for (size_t i = 0; i < user.len; i++) {
        unsigned char c = (unsigned char)user.ptr[i];
        buf_addf(&b, isalnum(c) ? "%c" : "%%%02X", c);
    }
    return buf_str(&b);
}

static bool start_side(StreamQuery *q, const PythonFunction *f, Error *err)
{
    AUTO_ARENA arena = arena_new();
    PythonWatch watch = {goes_on, q};
    PythonSide *side;
    SideJob job = {.connect_url = url_of(q, arena), .session_id = session_id(q->owner), .python_version = f->python_version,
                   .command = f->command, .by_row = q->spec.foreach != NULL};
    TRY(python_side_start(stream_options(q->manager)->python, &job, &watch, &side, err));
    q->sink_state = side;
    return true;
}

static bool python_add(Batch *b, Error *err)
{
    StreamQuery *q = b->query;
    PythonWatch watch = {goes_on, q};
    if (!q->sink_state)
        TRY(start_side(q, q->spec.foreach ? q->spec.foreach : q->spec.foreach_batch, err));
    (void)batch_rel(b, q->owner);
    return python_side_batch(q->sink_state, b->stored, b->id, &watch, err);
}

static void python_close(StreamQuery *q)
{
    python_side_end(q->sink_state);
    q->sink_state = NULL;
}

const SinkKind sink_foreach = {"foreach", ALL_MODES, false, ALL_MODES, python_open, python_add, python_close};
const SinkKind sink_foreach_batch = {"foreachBatch", ALL_MODES, false, ALL_MODES, python_open, python_add, python_close};
