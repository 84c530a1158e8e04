/* Reads what a worker writes: marks, Arrow messages, pickled frames, tracebacks. */
#include <nanoarrow/nanoarrow.h>
#include <nanoarrow/nanoarrow_ipc.h>
#include <string.h>

#include "python/python_impl.h"

/* pyspark.serializers.SpecialLengths. */
enum {
    MARK_END_OF_DATA = -1,
    MARK_EXCEPTION = -2,
    MARK_TIMING = -3,
    MARK_END_OF_STREAM = -4,
    MARK_ARROW_STREAM = -6
};
/* After the mark: four times, two amounts of spilled bytes. */
enum { TIMING_BYTES = 6 * 8 };
#define OUTPUT_MAX ((size_t)1 << 31)

void output_init(Output *o)
{
    *o = (Output){.in = buf_heap(OUTPUT_MAX), .stream = buf_heap(OUTPUT_MAX)};
}

void output_free(Output *o)
{
    buf_free(&o->in);
    buf_free(&o->stream);
}

/* Moves what is left to the front, so that the buffer does not grow with all that ever came. */
static void compact(Output *o)
{
    if (o->at == 0)
        return;
    memmove(o->in.ptr, o->in.ptr + o->at, o->in.len - o->at);
    o->in.len -= o->at;
    o->at = 0;
}

char *output_room(Output *o, size_t room)
{
    if (o->at > o->in.len / 2)
        compact(o);
    size_t len = o->in.len;
    buf_add_repeat(&o->in, 0, room);
    if (o->in.overflow)
        return NULL;
    o->in.len = len;
    return o->in.ptr + len;
}

void output_took(Output *o, size_t count)
{
    o->in.len += count;
}

static bool broken(Error *err, const char *why)
{
    return error_set(err, ERR_PYTHON_EXCEPTION, PZ("msg", "The Python worker's answer cannot be read"), PZ("traceback", why));
}

static size_t left(const Output *o)
{
    return o->in.len - o->at;
}

static bool peek_int(const Output *o, size_t from, int32_t *v)
{
    if (left(o) < from + 4)
        return false;
    const uint8_t *p = (const uint8_t *)o->in.ptr + o->at + from;
    *v = (int32_t)((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]);
    return true;
}

/* ---- Arrow ---- */

static const uint8_t end_of_stream[8] = {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0};

/* The length of the message at the front; 0: not yet known. */
static bool message_length(Output *o, size_t *length, enum ArrowIpcMessageType *type, Error *err)
{
    *length = 0;
    const uint8_t *p = (const uint8_t *)o->in.ptr + o->at;
    if (left(o) < 8)
        return true;
    if (memcmp(p, end_of_stream, 4))
        return broken(err, "an Arrow message without its mark");
    uint32_t header = (uint32_t)p[4] | (uint32_t)p[5] << 8 | (uint32_t)p[6] << 16 | (uint32_t)p[7] << 24;
    if (header > INT32_MAX / 2)
        return broken(err, "an Arrow message of an impossible size");
    if (left(o) < 8 + (size_t)header)
        return true;
    struct ArrowIpcDecoder decoder;
    struct ArrowError why = {{0}};
    /* The decoder wants it aligned, which bytes behind a mark are not. */
    o->stream.len = o->schema_len;
    buf_add_bytes(&o->stream, p, 8 + (size_t)header);
    struct ArrowBufferView view = {{o->stream.ptr + o->schema_len}, (int64_t)header + 8};
    if (ArrowIpcDecoderInit(&decoder) != NANOARROW_OK)
        return broken(err, "out of memory");
    bool ok = ArrowIpcDecoderVerifyHeader(&decoder, view, &why) == NANOARROW_OK && decoder.body_size_bytes >= 0 &&
              (uint64_t)decoder.body_size_bytes < OUTPUT_MAX;
    *length = ok ? 8 + (size_t)header + (size_t)decoder.body_size_bytes : 0;
    *type = decoder.message_type;
    ArrowIpcDecoderReset(&decoder);
    return ok || broken(err, why.message[0] ? why.message : "a damaged Arrow message");
}

static void start_stream(Output *o)
{
    o->in_arrow = true;
    o->schema_len = 0;
    buf_reset(&o->stream);
}

static bool next_message(Output *o, OutputKind *kind, Str *bytes, Error *err)
{
    if (left(o) >= 8 && !memcmp(o->in.ptr + o->at, end_of_stream, 8)) {
        o->at += 8;
        o->in_arrow = false;
        return true;
    }
    size_t length;
    enum ArrowIpcMessageType type = NANOARROW_IPC_MESSAGE_TYPE_UNINITIALIZED;
    TRY(message_length(o, &length, &type, err));
    if (!length || left(o) < length)
        return true;
    bool is_schema = o->schema_len == 0;
    enum ArrowIpcMessageType want =
        is_schema ? NANOARROW_IPC_MESSAGE_TYPE_SCHEMA : NANOARROW_IPC_MESSAGE_TYPE_RECORD_BATCH;
    if (type != want)
        return broken(err, "an Arrow message of an unexpected kind");
    o->stream.len = o->schema_len;
    buf_add_bytes(&o->stream, o->in.ptr + o->at, length);
    o->at += length;
    if (is_schema) {
        o->schema_len = length;
        return next_message(o, kind, bytes, err);
    }
    buf_add_bytes(&o->stream, end_of_stream, sizeof end_of_stream);
    if (o->stream.overflow)
        return broken(err, "a batch is too large");
    *kind = OUTPUT_BATCH;
    *bytes = buf_str(&o->stream);
    return true;
}

/* ---- marks ---- */

static bool take_counted(Output *o, size_t from, Str *bytes, Error *err)
{
    int32_t length;
    *bytes = (Str){0};
    if (!peek_int(o, from, &length))
        return true;
    if (length < 0)
        return broken(err, "a text of a negative length");
    if (left(o) < from + 4 + (size_t)length)
        return true;
    *bytes = (Str){o->in.ptr + o->at + from + 4, (size_t)length};
    o->at += from + 4 + (size_t)length;
    return true;
}

/* Updates of accumulators, of which Connect has none, and the last word. */
static bool take_end(Output *o, OutputKind *kind, Error *err)
{
    int32_t count, last;
    if (!peek_int(o, 4, &count) || (count == 0 && !peek_int(o, 8, &last)))
        return true;
    if (count != 0)
        return broken(err, "accumulators nobody asked for");
    o->at += 12;
    o->ended = true;
    *kind = last == MARK_END_OF_STREAM ? OUTPUT_DONE : OUTPUT_LAST;
    return true;
}

static bool next_mark(Output *o, OutputKind *kind, Str *bytes, bool *again, Error *err)
{
    int32_t mark;
    *again = false;
    if (!peek_int(o, 0, &mark))
        return true;
    if (mark >= 0) {
        TRY(take_counted(o, 0, bytes, err));
        *kind = bytes->ptr ? OUTPUT_FRAME : OUTPUT_MORE;
        return true;
    }
    switch (mark) {
    case MARK_ARROW_STREAM:
        o->at += 4;
        start_stream(o);
        *again = true;
        return true;
    case MARK_TIMING:
        if (left(o) >= 4 + TIMING_BYTES) {
            o->at += 4 + TIMING_BYTES;
            *again = true;
        }
        return true;
    case MARK_EXCEPTION:
        TRY(take_counted(o, 4, bytes, err));
        *kind = bytes->ptr ? OUTPUT_EXCEPTION : OUTPUT_MORE;
        return true;
    case MARK_END_OF_DATA:
        return take_end(o, kind, err);
    default:
        return broken(err, "an unknown mark");
    }
}

bool output_next(Output *o, OutputKind *kind, Str *bytes, Error *err)
{
    *kind = OUTPUT_MORE;
    *bytes = (Str){0};
    if (o->ended)
        return broken(err, "bytes after the end");
    bool again = true;
    while (again) {
        bool was_arrow = o->in_arrow;
        again = false;
        if (was_arrow)
            TRY(next_message(o, kind, bytes, err));
        else
            TRY(next_mark(o, kind, bytes, &again, err));
        again |= was_arrow && !o->in_arrow;
    }
    return true;
}
