/* Statements that only change where work happens: CACHE, UNCACHE, REFRESH, ANALYZE. What they name must exist. */
#include "command/command_impl.h"

/* CACHE TABLE x AS query makes a temporary view; reading it later gives the same rows. */
static bool cache_query(CommandContext *ctx, const Command *c, const Name *name, Error *err)
{
    BoundRel *query;
    TRY(analyze_query(ctx->analyzer, c->query, &query, err));
    TempView view = {.name = vec_last(name), .plan = c->query, .sql = ctx->sql_text};
    TRY(session_put_temp_view(ctx->session, &view, false, err));
    session_cache_name(ctx->session, view.name);
    return true;
}

bool run_accepted(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    ResolvedTable r;
    *result = result_none(ctx);
    TRY(command_name(ctx, c, &name, err));
    if (c->kind == CMD_CACHE && c->query)
        return cache_query(ctx, c, &name, err);
    if (!name.len && c->kind == CMD_UNCACHE) /* CLEAR CACHE */
        session_uncache_name(ctx->session, (Str){0});
    if (!name.len) /* also REFRESH 'path' */
        return true;
    Str what = key_value_get(&c->properties, "what");
    if (str_is(what, "function"))
        return error_unsupported(err, "REFRESH FUNCTION");
    if (str_is(what, "tables")) {
        SchemaEntry ignored;
        return analyze_schema_name(ctx->analyzer, &name, &ignored, err);
    }
    if (!analyze_table_name(ctx->analyzer, &name, c->origin, &r, err)) {
        if (c->existence != IF_EXISTS || err->cls != ERR_TABLE_OR_VIEW_NOT_FOUND)
            return false;
        error_clear(err);
        return true;
    }
    if (c->kind == CMD_ANALYZE && (r.kind == RESOLVED_VIEW || r.kind == RESOLVED_TEMP_VIEW))
        return error_set(err, ERR_UNSUPPORTED_FEATURE__ANALYZE_VIEW);
    if (c->kind == CMD_ANALYZE && r.kind == RESOLVED_TABLE && !is_delta(&r))
        return analyze_file_table(ctx, c, &r.entry, err);
    if (c->kind == CMD_CACHE)
        session_cache_name(ctx->session, r.full_name);
    if (c->kind == CMD_UNCACHE)
        session_uncache_name(ctx->session, r.full_name);
    return true;
}
