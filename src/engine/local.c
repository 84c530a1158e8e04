/* Rows that a client sent along with its plan: Arrow streams as a source of DuckDB chunks. */
#include "engine/arrow_in.h"
#include "engine/arrow_stream.h"
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
    ArrowBatches in;
} LocalState;

bool engine_arrow_schema(Str ipc, const RunContext *ctx, Arena *arena, const Type **out, Error *err)
{
    ArrowBatches in = {0};
    bool ok = arrow_batches_open(&in, ipc, err) && arrow_in_type(&in.schema, arena, out, err);
    arrow_batches_close(&in);
    return ok && ((*out)->kind == TYPE_STRUCT ||
                  error_set(err, ERR_LAKESHED_MESSAGE_INVALID, PZ("message", "Arrow IPC"),
                            PZ("reason", "the schema is not a list of columns")));
}

/* ---- reading ---- */

static void local_close(void *state)
{
    LocalState *s = state;
    arrow_batches_close(&s->in);
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

/* *more is false after the last stream. */
static bool next_stream(LocalState *s, bool *more, Error *err)
{
    const ArrowData *data = s->local->data;
    size_t streams = data->chunks.len + (data->ipc.len ? 1 : 0);
    *more = s->next_stream < streams;
    if (!*more)
        return true;
    size_t i = s->next_stream++;
    Str ipc = data->ipc.len ? (i ? data->chunks.at[i - 1] : data->ipc) : data->chunks.at[i];
    if ((uintptr_t)ipc.ptr % 8)
        ipc = str_copy(ipc, s->arena);
    TRY(arrow_batches_open(&s->in, ipc, err));
    size_t want = s->local->source.schema->structure.count;
    if (s->in.schema.n_children != (int64_t)want)
        return error_unsupported(err, "Local data of %lld columns for a schema of %zu",
                                 (long long)s->in.schema.n_children, want);
    return true;
}

static bool next_batch(LocalState *s, bool *more, Error *err)
{
    for (;;) {
        TRY(arrow_batches_next(&s->in, more, err));
        if (*more)
            return true;
        TRY(next_stream(s, more, err));
        if (!*more)
            return true;
    }
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
    int64_t left = s->in.view.length - s->in.taken;
    idx_t n = left < (int64_t)capacity ? (idx_t)left : capacity;
    for (size_t i = 0; i < s->column_count; i++) {
        size_t column = s->columns[i];
        if (column >= s->local->source.schema->structure.count)
            continue; /* the row id, which nobody reads */
        TRY(arrow_in_copy(s->in.view.children[column], s->in.schema.children[column],
                          s->in.view.offset + s->in.taken, n, duckdb_data_chunk_get_vector(chunk, i), 0,
                          s->local->source.schema->structure.fields[column].type, s->local->zone,
                          err));
    }
    s->in.taken += (int64_t)n;
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
