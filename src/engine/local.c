/* Rows that a client sent along with its plan: Arrow streams as a source of DuckDB chunks. */
#include <errno.h>

#include <nanoarrow/nanoarrow.h>
#include <nanoarrow/nanoarrow_ipc.h>

#include "engine/arrow_in.h"
#include "engine/engine_impl.h"
#include "engine/render.h"

typedef struct Local {
    RowSource source;
    const ArrowData *data;
    Str zone;
} Local;

typedef struct LocalState {
    const Local *local;
    Arena *arena;
    size_t *columns, column_count;
    size_t next_stream;
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    struct ArrowArrayView view;
    bool has_view;
    int64_t taken;
} LocalState;

/* ---- one stream ---- */

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

bool engine_arrow_schema(Str ipc, const RunContext *ctx, Arena *arena, const Type **out, Error *err)
{
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    TRY(open_stream(ipc, &stream, err));
    bool ok = read_schema(&stream, &schema, err) && arrow_in_type(&schema, arena, out, err);
    if (schema.release)
        ArrowSchemaRelease(&schema);
    ArrowArrayStreamRelease(&stream);
    return ok &&
           ((*out)->kind == TYPE_STRUCT || broken(err, "the schema is not a list of columns"));
}

/* ---- reading ---- */

static void drop_batch(LocalState *s)
{
    if (s->has_view)
        ArrowArrayViewReset(&s->view);
    s->has_view = false;
    if (s->batch.release)
        ArrowArrayRelease(&s->batch);
}

static void drop_stream(LocalState *s)
{
    drop_batch(s);
    if (s->schema.release)
        ArrowSchemaRelease(&s->schema);
    if (s->stream.release)
        ArrowArrayStreamRelease(&s->stream);
}

static void local_close(void *state)
{
    LocalState *s = state;
    drop_stream(s);
    arena_free(s->arena);
}

static bool local_open(RowSource *source, const size_t *columns, size_t count, void **state,
                       Error *err)
{
    Arena *arena = arena_new();
    LocalState *s = ARENA_NEW(arena, LocalState);
    s->arena = arena;
    s->local = (const Local *)source;
    s->columns = ARENA_ARRAY(arena, size_t, count + 1);
    s->column_count = count;
    for (size_t i = 0; i < count; i++)
        s->columns[i] = columns[i];
    *state = s;
    return true;
}

static bool next_stream(LocalState *s, bool *more, Error *err)
{
    const ArrowData *data = s->local->data;
    drop_stream(s);
    size_t streams = data->chunks.len + (data->ipc.len ? 1 : 0);
    *more = s->next_stream < streams;
    if (!*more)
        return true;
    size_t i = s->next_stream++;
    Str ipc = data->ipc.len ? (i ? data->chunks.at[i - 1] : data->ipc) : data->chunks.at[i];
    if ((uintptr_t)ipc.ptr % 8)
        ipc = str_copy(ipc, s->arena);
    TRY(open_stream(ipc, &s->stream, err));
    TRY(read_schema(&s->stream, &s->schema, err));
    size_t want = s->local->source.schema->structure.count;
    if (s->schema.n_children != (int64_t)want)
        return error_unsupported(err, "Local data of %lld columns for a schema of %zu",
                                 (long long)s->schema.n_children, want);
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

static bool view_batch(LocalState *s, Error *err)
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

/* Makes a batch with rows left current; *more is false after the last. */
static bool next_batch(LocalState *s, bool *more, Error *err)
{
    *more = true;
    while (!s->has_view || s->taken >= s->view.length) {
        drop_batch(s);
        if (s->stream.release) {
            if (ArrowArrayStreamGetNext(&s->stream, &s->batch, NULL) != NANOARROW_OK)
                return broken(err, s->stream.get_last_error(&s->stream));
            if (s->batch.release) {
                TRY(view_batch(s, err));
                continue;
            }
        }
        TRY(next_stream(s, more, err));
        if (!*more)
            return true;
    }
    return true;
}

static bool local_fill(void *state, duckdb_data_chunk chunk, idx_t capacity, idx_t *rows,
                       Error *err)
{
    LocalState *s = state;
    bool more;
    *rows = 0;
    TRY(next_batch(s, &more, err));
    if (!more)
        return true;
    int64_t left = s->view.length - s->taken;
    idx_t n = left < (int64_t)capacity ? (idx_t)left : capacity;
    for (size_t i = 0; i < s->column_count; i++) {
        size_t column = s->columns[i];
        if (column >= s->local->source.schema->structure.count)
            continue; /* the row id, which nobody reads */
        TRY(arrow_in_copy(s->view.children[column], s->schema.children[column],
                          s->view.offset + s->taken, n, duckdb_data_chunk_get_vector(chunk, i), 0,
                          s->local->source.schema->structure.fields[column].type, s->local->zone,
                          err));
    }
    s->taken += (int64_t)n;
    *rows = n;
    return true;
}

/* ---- rendering ---- */

size_t arrow_bytes(const ArrowData *data)
{
    size_t bytes = data->ipc.len;
    for (size_t i = 0; i < data->chunks.len; i++)
        bytes += data->chunks.at[i].len;
    return bytes;
}

bool render_local(Render *r, const BoundRel *rel, Block *out, Error *err)
{
    size_t n = rel->columns.len;
    Local *local = ARENA_NEW(r->arena, Local);
    Field *fields = ARENA_ARRAY(r->arena, Field, n + 1);
    const char **names = ARENA_ARRAY(r->arena, const char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        const BoundColumn *c = &rel->columns.at[i];
        fields[i] = (Field){c->name, c->type, c->nullable, S("")};
        names[i] = str_printf(r->arena, "c%u", c->id).ptr;
    }
    local->source = (RowSource){
        .schema = type_struct(fields, n, r->arena),
        .names = names,
        .row_estimate = (int64_t)(arrow_bytes(rel->local.data) / LOCAL_BYTES_PER_ROW) + 1,
        .open = local_open,
        .fill = local_fill,
        .close = local_close,
    };
    local->data = rel->local.data;
    local->zone = r->func.zone;
    if (!n)
        return error_unsupported(err, "Local data without columns");
    uint64_t number = resources_add_source(r->resources, &local->source);
    out->from = rope_text(r->arena, str_printf(r->arena, "ls_rows(CAST(%llu AS UBIGINT))",
                                               (unsigned long long)number));
    return true;
}
