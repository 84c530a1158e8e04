/* Operators that remember between batches: aggregation and duplicate removal. What they remember are rows: of each group its keys and
 * what its aggregates are made of. A batch puts its own rows to the remembered ones; what the watermark has passed goes. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "func/func.h"
#include "stream/state_impl.h"

/* ---- small plans ---- */

BoundColumn state_column(Batch *b, Str name, const Type *type)
{
    return (BoundColumn){.id = analyzer_next_id(b->analyzer), .name = name, .type = type, .nullable = true};
}

BoundColumn state_push(Batch *b, BoundRel *project, BoundExpr *e, Str name)
{
    BoundColumn c = state_column(b, name, e->type);
    BoundItem item = {e, c.id};
    vec_push(b->arena, &project->project.items, item);
    vec_push(b->arena, &project->columns, c);
    return c;
}

bool state_call(Batch *b, const char *name, size_t argc, BoundExpr *const *args, BoundExpr **out, Error *err)
{
    return analyze_builtin(b->analyzer, name, argc, args, out, err);
}

static BoundExpr *micros(Batch *b, int64_t ms, const Type *like)
{
    Value v = value_int(TYPE_TIMESTAMP, ms * 1000);
    v.type = like->kind == TYPE_TIMESTAMP_NTZ ? like : type_simple(TYPE_TIMESTAMP);
    return bound_literal(v, b->arena);
}

/* The instant in a column that the watermark speaks of: the end of a window. */
static BoundExpr *instant_of(Batch *b, const BoundColumn *c)
{
    BoundExpr *e = bound_column(c, b->arena);
    int end = e->type->kind == TYPE_STRUCT ? type_field_index(e->type, S("end"), false) : -1;
    if (end < 0)
        return e;
    BoundExpr *field = bound_new(BEXPR_FIELD, e->type->structure.fields[end].type, true, b->arena);
    field->field.child = e;
    field->field.index = (size_t)end;
    return field;
}

/* Rows whose instant the watermark has not passed (kept) or has (gone); rows without one are kept. */
bool state_filter(Batch *b, BoundRel *input, const BoundColumn *time, int64_t watermark_ms, bool gone, BoundRel **out, Error *err)
{
    BoundExpr *instant = instant_of(b, time), *passed;
    BoundExpr *both[] = {instant, micros(b, watermark_ms, instant->type)};
    TRY(state_call(b, "<=", 2, both, &passed, err));
    BoundExpr *known[] = {passed, bound_literal(value_bool(false), b->arena)}, *condition;
    TRY(state_call(b, "coalesce", 2, known, &condition, err));
    if (!gone)
        TRY(state_call(b, "not", 1, &condition, &condition, err));
    BoundRel *f = brel_new(BREL_FILTER, input, b->arena);
    f->columns = input->columns;
    f->filter.condition = condition;
    *out = f;
    return true;
}

BoundRel *state_union(Batch *b, BoundRel *first, BoundRel *second)
{
    BoundRel *u = brel_new(BREL_SETOP, NULL, b->arena);
    u->setop.kind = SETOP_UNION;
    u->setop.all = true;
    vec_push(b->arena, &u->setop.inputs, first);
    vec_push(b->arena, &u->setop.inputs, second);
    for (size_t i = 0; i < first->columns.len; i++) {
        BoundColumn c = state_column(b, first->columns.at[i].name, first->columns.at[i].type);
        c.metadata = first->columns.at[i].metadata;
        vec_push(b->arena, &u->columns, c);
    }
    return u;
}

BoundRel *state_stored(Batch *b, Str id, const Type *schema)
{
    BoundRel *r = brel_new(BREL_STORED, NULL, b->arena);
    r->stored.id = id;
    for (size_t i = 0; i < schema->structure.count; i++)
        vec_push(b->arena, &r->columns, state_column(b, schema->structure.fields[i].name, schema->structure.fields[i].type));
    r->stored.source = r->columns;
    return r;
}

bool state_count(Batch *b, BoundRel *rel, int64_t *out, Error *err)
{
    BoundExpr *one = bound_literal(value_int(TYPE_LONG, 1), b->arena), *e;
    BoundRel *r = brel_new(BREL_AGGREGATE, rel, b->arena);
    RowVec rows = {0};
    TRY(state_call(b, "count", 1, &one, &e, err));
    BoundColumn c = state_column(b, S("n"), e->type);
    BoundItem item = {e, c.id};
    vec_push(b->arena, &r->columns, c);
    vec_push(b->arena, &r->aggregate.aggregates, item);
    TRY(engine_rows(b->query->engine, r, &b->run, 1, b->arena, &rows, err));
    *out = rows.at[0].cells[0].integer;
    return true;
}

/* ---- what is kept where ---- */

static Str folder_of(int64_t version, Arena *arena)
{
    return str_printf(arena, "state/0/%" PRId64, version);
}

static bool load(Batch *b, StateOperator *o, BoundRel **out, Error *err)
{
    Checkpoint *c = &b->query->checkpoint;
    Str folder = folder_of(b->id, b->arena), schema;
    StoreEntryVec entries = {0};
    StrVec paths = {0};
    bool found;
    TRY(store_read(c->store, str_concat(b->arena, folder, S("/_schema")), 1 << 24, b->arena, &found, &schema, err));
    if (!found)
        return error_set(err, ERR_LAKESHED_STREAM_CHECKPOINT, P("path", c->folder),
                         P("reason", str_printf(err->arena, "it has no state of this server's for batch %" PRId64, b->id)));
    if (!str_eq(schema, type_json(o->schema, b->arena)))
        return error_set(err, ERR_LAKESHED_STREAM_CHECKPOINT, P("path", c->folder), PZ("reason", "its state is that of another query"));
    TRY(store_list(c->store, folder, S(""), b->arena, &entries, err));
    for (size_t i = 0; i < entries.len; i++)
        if (str_ends_with(entries.at[i].path, S(".parquet")))
            vec_push(b->arena, &paths, str_printf(b->arena, STR_FMT "/" STR_FMT, STR_ARG(c->folder), STR_ARG(entries.at[i].path)));
    return analyze_files_as(b->analyzer, S("parquet"), &paths, o->schema, NULL, out, err);
}

static bool same_schema(const Type *a, const Type *b)
{
    return type_same_shape(a, b);
}

bool state_rows(Batch *b, StateOperator *o, const Type *schema, BoundRel **out, Error *err)
{
    StrVec none = {0};
    if (o->current && same_schema(o->schema, schema)) {
        *out = state_stored(b, str_from(o->current), o->schema);
        return true;
    }
    o->schema = type_copy(schema, b->query->arena);
    if (b->id == 0)
        return analyze_files_as(b->analyzer, S("parquet"), &none, o->schema, NULL, out, err);
    return load(b, o, out, err);
}

static void drop(StreamQuery *q, char **id)
{
    if (*id)
        engine_drop_stored(q->engine, str_from(*id));
    free(*id);
    *id = NULL;
}

bool state_keep(Batch *b, StateOperator *o, BoundRel *rows, Error *err)
{
    char id[UUID_TEXT_LEN + 1];
    clock_uuid(id);
    drop(b->query, &o->pending);
    TRY(engine_store(b->query->engine, str_from(id), rows, &b->run, err));
    o->pending = strdup(id);
    return o->pending || error_internal(err, "out of memory");
}

/* ---- finding the operator ---- */

typedef struct Finder {
    Batch *batch;
    Error *err;
} Finder;

static bool apply_below(BoundRel **slot, void *arg)
{
    Finder *f = arg;
    BoundRel *rel = *slot;
    if (!brel_is_streaming(rel))
        return true;
    if (rel->kind == BREL_AGGREGATE)
        return state_aggregate(f->batch, slot, f->batch->query->operators, f->err);
    if (rel->kind == BREL_DISTINCT_ON)
        return state_distinct(f->batch, slot, f->batch->query->operators, f->err);
    return brel_each_input(rel, apply_below, f);
}

bool state_apply(Batch *b, BoundRel **plan, Error *err)
{
    StreamQuery *q = b->query;
    Finder f = {b, err};
    if (!plan_is_stateful(*plan))
        return true;
    if (!q->operators)
        q->operators = ARENA_NEW(q->arena, StateOperator);
    q->operators->dropped = q->operators->updated = q->operators->removed = 0;
    return apply_below(plan, &f);
}

/* ---- the end of a batch ---- */

/* An attempt that was cut off may have left files of this version. */
static bool clear_folder(Checkpoint *c, Str folder, Arena *arena, Error *err)
{
    StoreEntryVec entries = {0};
    TRY(store_list(c->store, folder, S(""), arena, &entries, err));
    for (size_t i = 0; i < entries.len; i++)
        TRY(store_delete(c->store, entries.at[i].path, err));
    return true;
}

static bool forget(Checkpoint *c, int64_t version, Arena *arena, Error *err)
{
    bool removed;
    if (version < 1)
        return true;
    TRY(clear_folder(c, folder_of(version, arena), arena, err));
    return store_delete_folder(c->store, folder_of(version, arena), &removed, err);
}

static bool send_state(Checkpoint *c, Str folder, const WrittenFileVec *files, Arena *arena, Error *err)
{
    Str *paths = ARENA_ARRAY(arena, Str, files->len + 1);
    for (size_t i = 0; i < files->len; i++)
        paths[i] = str_printf(arena, STR_FMT "/" STR_FMT, STR_ARG(folder), STR_ARG(files->at[i].path));
    return store_send(c->store, paths, files->len, err);
}

bool state_commit(Batch *b, Error *err)
{
    StreamQuery *q = b->query;
    StateOperator *o = q->operators;
    Checkpoint *c = &q->checkpoint;
    WrittenFileVec files = {0};
    if (!o || !o->pending)
        return true;
    BoundRel *rows = state_stored(b, str_from(o->pending), o->schema);
    Str folder = folder_of(b->id + 1, b->arena);
    int64_t count;
    TRY(state_count(b, rows, &count, err));
    TRY(store_make_folder(c->store, folder, err));
    TRY(clear_folder(c, folder, b->arena, err));
    WriteSpec spec = {.folder = store_duckdb_path(c->store, folder, b->arena), .format = S("parquet"),
                      .schema = o->schema, .file_prefix = S("part-"), .codec = S("zstd")};
    if (count)
        TRY(engine_write(q->engine, rows, &spec, &b->run, b->arena, &files, err));
    TRY(send_state(c, folder, &files, b->arena, err));
    TRY(store_put(c->store, str_concat(b->arena, folder, S("/_schema")), type_json(o->schema, b->arena), err));
    drop(q, &o->current);
    o->current = o->pending;
    o->pending = NULL;
    return forget(c, b->id - 1, b->arena, err);
}

void state_progress(Batch *b, Buf *json)
{
    const StateOperator *o = b->query->operators;
    buf_addc(json, '[');
    if (o)
        buf_addf(json,
                 "{\"operatorName\":\"%s\",\"numRowsTotal\":%" PRId64 ",\"numRowsUpdated\":%" PRId64 ",\"allUpdatesTimeMs\":0,\"numRowsRemoved\":%" PRId64
                 ",\"allRemovalsTimeMs\":0,\"commitTimeMs\":0,\"memoryUsedBytes\":0,\"numRowsDroppedByWatermark\":%" PRId64
                 ",\"numShufflePartitions\":1,\"numStateStoreInstances\":1,\"customMetrics\":{}}",
                 o->name, o->total, o->updated, o->removed, o->dropped);
    buf_addc(json, ']');
}

void state_free(StreamQuery *q)
{
    if (!q->operators)
        return;
    drop(q, &q->operators->current);
    drop(q, &q->operators->pending);
}
