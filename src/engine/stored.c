/* Results kept for this process under an id: tables of the shared in-memory database. */
#include "engine/engine_impl.h"
#include "engine/execution.h"
#include "engine/render.h"

typedef struct Storing {
    Str id;
    Engine *engine;
    const BoundRel *rel;
    const RunContext *ctx;
    Arena *arena;
    Resources *resources;
    duckdb_connection connection;
    bool append;
} Storing;

static void put_table(Buf *b, Str id)
{
    buf_addz(b, "ls_stored.");
    put_quoted(b, id);
}

/* Columns by position: what refers to the table later has ids of its own. */
static bool create_text(Storing *s, Str *sql, Error *err)
{
    Render r = {.func = *s->ctx->func, .arena = s->arena, .resources = s->resources,
                .engine = s->engine, .cancel = s->ctx->cancel};
    r.func.arena = s->arena;
    Str query;
    TRY(render_query(&r, s->rel, &query, err));
    Buf b = buf_in(s->arena), names = buf_in(s->arena);
    buf_addz(&b, s->append ? "INSERT INTO " : "CREATE OR REPLACE TABLE ");
    put_table(&b, s->id);
    buf_addz(&b, s->append ? " SELECT " : " AS SELECT ");
    size_t n = 0;
    for (size_t i = 0; i < s->rel->columns.len; i++) {
        const BoundColumn *c = &s->rel->columns.at[i];
        if (c->hidden)
            continue;
        buf_addf(&b, "%sCAST(x%zu AS " STR_FMT ") AS k%zu", n ? ", " : "", n,
                 STR_ARG(type_duckdb(c->type, s->arena)), n);
        buf_addf(&names, "%sx%zu", n ? ", " : "", n);
        n++;
    }
    if (!n) {
        buf_addz(&b, "x0 AS k0");
        buf_addz(&names, "x0");
    }
    buf_addf(&b, " FROM (" STR_FMT ") AS q(" STR_FMT ")", STR_ARG(query), STR_ARG(buf_str(&names)));
    *sql = buf_str(&b);
    return true;
}

static bool create_table(void *arg, Error *err)
{
    Storing *s = arg;
    Str sql;
    TRY(create_text(s, &sql, err));
    duckdb_result result;
    bool has_result = false;
    bool ok = run_sql(s->connection, sql, s->ctx->cancel, &result, &has_result, err);
    if (has_result)
        duckdb_destroy_result(&result);
    return ok;
}

static bool store(Engine *e, Str id, const BoundRel *rel, bool append, const RunContext *ctx, Error *err)
{
    TRY(cancel_check(ctx->cancel, err));
    AUTO_ARENA arena = arena_new();
    Storing s = {
        .id = id, .engine = e, .rel = rel, .ctx = ctx, .arena = arena, .resources = resources_new(arena), .append = append};
    TRY(engine_acquire(e, &s.connection, err));
    cancel_attach(ctx->cancel, s.connection);
    bool ok = call_with_depth(plan_depth(rel), create_table, &s, err);
    cancel_detach(ctx->cancel, s.connection);
    engine_release(e, s.connection, ok);
    resources_free(s.resources);
    return ok;
}

bool engine_store(Engine *e, Str id, const BoundRel *rel, const RunContext *ctx, Error *err)
{
    return store(e, id, rel, false, ctx, err);
}

bool engine_append_stored(Engine *e, Str id, const BoundRel *rel, const RunContext *ctx, Error *err)
{
    return store(e, id, rel, true, ctx, err);
}

void engine_drop_stored(Engine *e, Str id)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Buf b = buf_in(arena);
    buf_addz(&b, "DROP TABLE IF EXISTS ");
    put_table(&b, id);
    duckdb_connection connection;
    if (!engine_acquire(e, &connection, &err))
        return;
    engine_release(e, connection, engine_run(connection, b.ptr, &err));
}

typedef struct StoredName {
    Engine *engine;
    Str id;
} StoredName;

static void drop_named(void *arg)
{
    const StoredName *s = arg;
    engine_drop_stored(s->engine, s->id);
}

void engine_drop_stored_with(Engine *e, Str id, Arena *arena)
{
    StoredName *s = ARENA_NEW(arena, StoredName);
    *s = (StoredName){e, id};
    arena_on_free(arena, drop_named, s);
}
