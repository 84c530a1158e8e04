/* Arrow IPC streams from outside, checked before anything is read from them. */
#include "engine/arrow_stream.h"

#include <errno.h>
#include <nanoarrow/nanoarrow_ipc.h>

static bool broken(Error *err, const char *why)
{
    return error_set(err, ERR_LAKESHED_MESSAGE_INVALID, PZ("message", "Arrow IPC"),
                     PZ("reason", why && why[0] ? why : "the stream is damaged"));
}

static void keep_bytes(struct ArrowBufferAllocator *allocator, uint8_t *ptr, int64_t size) {}

/* Every message lies inside the bytes: the reader would make room for whatever size a message
 * claims. */
static bool check_frames(Str ipc, Error *err)
{
    struct ArrowIpcDecoder decoder;
    if (ArrowIpcDecoderInit(&decoder) != NANOARROW_OK)
        return broken(err, NULL);
    struct ArrowBufferView left = {{ipc.ptr}, (int64_t)ipc.len};
    struct ArrowError why = {{0}};
    bool ok = true;
    while (ok && left.size_bytes > 0) {
        int32_t prefix = 0;
        ArrowErrorCode code = ArrowIpcDecoderPeekHeader(&decoder, left, &prefix, &why);
        if (code == ENODATA)
            break; /* end of stream */
        ok = code == NANOARROW_OK && decoder.header_size_bytes > 0 &&
             decoder.header_size_bytes <= left.size_bytes &&
             ArrowIpcDecoderVerifyHeader(&decoder, left, &why) == NANOARROW_OK &&
             decoder.body_size_bytes >= 0 &&
             decoder.body_size_bytes <= left.size_bytes - decoder.header_size_bytes;
        if (ok) {
            left.data.as_uint8 += decoder.header_size_bytes + decoder.body_size_bytes;
            left.size_bytes -= decoder.header_size_bytes + decoder.body_size_bytes;
        }
    }
    ArrowIpcDecoderReset(&decoder);
    return ok || broken(err, why.message);
}

/* The reader borrows the bytes, which belong to the plan. */
static bool open_stream(Str ipc, struct ArrowArrayStream *out, Error *err)
{
    TRY(check_frames(ipc, err));
    struct ArrowBuffer bytes;
    ArrowBufferInit(&bytes);
    bytes.data = (uint8_t *)ipc.ptr;
    bytes.size_bytes = bytes.capacity_bytes = (int64_t)ipc.len;
    bytes.allocator = ArrowBufferDeallocator(keep_bytes, NULL);
    struct ArrowIpcInputStream input;
    if (ArrowIpcInputStreamInitBuffer(&input, &bytes) != NANOARROW_OK)
        return broken(err, NULL);
    if (ArrowIpcArrayStreamReaderInit(out, &input, NULL) != NANOARROW_OK) {
        input.release(&input);
        return broken(err, NULL);
    }
    return true;
}

static bool read_schema(struct ArrowArrayStream *stream, struct ArrowSchema *schema, Error *err)
{
    schema->release = NULL;
    if (ArrowArrayStreamGetSchema(stream, schema, NULL) != NANOARROW_OK)
        return broken(err, stream->get_last_error(stream));
    return true;
}

/* Arrow aligns buffers; ours are read as what they hold. */
static bool is_aligned(const struct ArrowArrayView *view)
{
    for (int i = 0; i < NANOARROW_MAX_FIXED_BUFFERS; i++) {
        uintptr_t at = (uintptr_t)view->buffer_views[i].data.data;
        int64_t bytes = view->layout.element_size_bits[i] / 8;
        if (bytes > 1 && at % (uintptr_t)(bytes < 8 ? bytes : 8))
            return false;
    }
    for (int64_t i = 0; i < view->n_children; i++)
        if (!is_aligned(view->children[i]))
            return false;
    return true;
}

static bool view_batch(ArrowBatches *s, Error *err)
{
    struct ArrowError why = {{0}};
    if (ArrowArrayViewInitFromSchema(&s->view, &s->schema, &why) != NANOARROW_OK)
        return broken(err, why.message);
    s->has_view = true;
    if (ArrowArrayViewSetArray(&s->view, &s->batch, &why) != NANOARROW_OK ||
        ArrowArrayViewValidate(&s->view, NANOARROW_VALIDATION_LEVEL_FULL, &why) != NANOARROW_OK)
        return broken(err, why.message);
    if (!is_aligned(&s->view))
        return broken(err, "a buffer is not aligned");
    s->taken = 0;
    return true;
}

static void drop_batch(ArrowBatches *s)
{
    if (s->has_view)
        ArrowArrayViewReset(&s->view);
    s->has_view = false;
    if (s->batch.release)
        ArrowArrayRelease(&s->batch);
}

void arrow_batches_close(ArrowBatches *s)
{
    drop_batch(s);
    if (s->schema.release)
        ArrowSchemaRelease(&s->schema);
    if (s->stream.release)
        ArrowArrayStreamRelease(&s->stream);
}

bool arrow_batches_open(ArrowBatches *s, Str ipc, Error *err)
{
    arrow_batches_close(s);
    TRY(open_stream(ipc, &s->stream, err));
    return read_schema(&s->stream, &s->schema, err);
}

bool arrow_batches_next(ArrowBatches *s, bool *more, Error *err)
{
    while (!s->has_view || s->taken >= s->view.length) {
        drop_batch(s);
        *more = s->stream.release != NULL;
        if (!*more)
            return true;
        if (ArrowArrayStreamGetNext(&s->stream, &s->batch, NULL) != NANOARROW_OK)
            return broken(err, s->stream.get_last_error(&s->stream));
        *more = s->batch.release != NULL;
        if (!*more)
            return true;
        TRY(view_batch(s, err));
    }
    *more = true;
    return true;
}
