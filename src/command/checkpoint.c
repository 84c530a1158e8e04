/* DataFrame.checkpoint and localCheckpoint: the rows are computed now and kept for the session under an id. */
#include "command/command_impl.h"

static void drop_stored(void *engine, Str id)
{
    engine_drop_stored(engine, id);
}

/* A lazy checkpoint is made at once too: what it reads may change before it is looked at. */
bool run_checkpoint(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    BoundRel *query;
    TRY(analyze_query(ctx->analyzer, c->query, &query, err));
    TRY(engine_store(ctx->engine, c->cached.id, query, &ctx->run, err));
    session_keep_result(ctx->session, c->cached.id, brel_schema(query, ctx->arena), drop_stored, ctx->engine);
    *result = result_none(ctx);
    return true;
}

bool run_remove_cached(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    (void)err;
    session_drop_result(ctx->session, c->cached.id);
    *result = result_none(ctx);
    return true;
}
