/* From a name in a command to the Delta table it changes. */
#include "command/command_impl.h"

static void release_snapshot(void *s)
{
    snapshot_unref(s);
}

static void release_table(void *t)
{
    delta_table_unref(t);
}

bool command_name(CommandContext *ctx, const Command *c, Name *out, Error *err)
{
    *out = c->name;
    return !c->name_expr || analyze_identifier(ctx->analyzer, c->name_expr, out, err);
}

bool command_object_name(CommandContext *ctx, const Name *name, Str *catalog, Str *schema, Str *object, Error *err)
{
    session_current(ctx->session, ctx->arena, catalog, schema);
    TRY(analyze_check_catalog(ctx->session, name, err));
    if (name->len == 3)
        *catalog = name->at[0];
    if (name->len >= 2)
        *schema = name->at[name->len - 2];
    *object = vec_last(name);
    return true;
}

bool is_delta(const ResolvedTable *t)
{
    return (t->kind == RESOLVED_TABLE || t->kind == RESOLVED_PATH) && str_is_ci(t->entry.provider, "delta");
}

bool target_take_turn(CommandContext *ctx, const Target *t, Error *err)
{
    return turn_take(&ctx->turn, store_root(delta_table_store(t->table)), ctx->run.cancel, err);
}

bool target_refresh(CommandContext *ctx, Target *t, Error *err)
{
    if (ctx->turn.wanted)
        TRY(target_take_turn(ctx, t, err));
    TRY(snapshot_newest(t->table, &t->snapshot, err));
    arena_on_free(ctx->arena, release_snapshot, t->snapshot);
    return true;
}

bool target_table(CommandContext *ctx, Str location, Target *out, Error *err)
{
    TRY(catalog_delta_table(session_catalog(ctx->session), location, &out->table, err));
    arena_on_free(ctx->arena, release_table, out->table);
    return true;
}

static bool open_location(CommandContext *ctx, Str location, Target *out, Error *err)
{
    return target_table(ctx, location, out, err) && target_refresh(ctx, out, err);
}

bool target_at_location(CommandContext *ctx, Str location, Target *out, Error *err)
{
    *out = (Target){.name = str_printf(ctx->arena, "delta.`" STR_FMT "`", STR_ARG(location))};
    out->resolved.kind = RESOLVED_PATH;
    out->resolved.entry.provider = S("delta");
    out->resolved.entry.location = location;
    return open_location(ctx, location, out, err);
}

bool refuse_file_table(CommandContext *ctx, const Name *name, Origin origin, const char *operation, Error *err)
{
    ResolvedTable r;
    TRY(analyze_table_name(ctx->analyzer, name, origin, &r, err));
    if (r.kind != RESOLVED_TABLE || is_delta(&r))
        return true;
    Name full = entry_name(ctx, &r.entry);
    return error_set(err, ERR_UNSUPPORTED_FEATURE__TABLE_OPERATION, P("tableName", name_quoted(&full, ctx->arena)), PZ("operation", operation));
}

bool target_open(CommandContext *ctx, const Name *name, Origin origin, Target *out, Error *err)
{
    *out = (Target){0};
    TRY(analyze_table_name(ctx->analyzer, name, origin, &out->resolved, err));
    out->name = out->resolved.full_name;
    if (out->resolved.kind == RESOLVED_VIEW || out->resolved.kind == RESOLVED_TEMP_VIEW)
        return error_set(err, ERR_EXPECT_TABLE_NOT_VIEW__NO_ALTERNATIVE, P("viewName", name_quoted(name, ctx->arena)),
                         PZ("operation", "this command"));
    if (!is_delta(&out->resolved))
        return error_set(err, ERR_DELTA_TABLE_ONLY_OPERATION, P("tableName", out->name), PZ("operation", "This operation"));
    if (out->resolved.kind == RESOLVED_TABLE) {
        Str parts[3] = {out->resolved.entry.catalog, out->resolved.entry.schema, out->resolved.entry.name};
        out->qualifier = name_of(ctx->arena, 3, parts);
    } else
        out->qualifier = *name;
    return open_location(ctx, out->resolved.entry.location, out, err);
}

bool target_tracks_rows(const Target *t)
{
    RowColumns kept;
    return snapshot_row_columns(t->snapshot, &kept);
}

bool target_scan(CommandContext *ctx, const Target *t, const Name *qualifier, bool with_positions, BoundRel **out, Error *err)
{
    TRY(analyze_delta_scan(ctx->analyzer, t->snapshot, qualifier ? qualifier : &t->qualifier, with_positions, out, err));
    /* As in Delta 4.4, where a statement's own table is compared as it is stored: CHAR(n) without blanks. */
    for (size_t i = 0; i < (*out)->columns.len; i++)
        (*out)->columns.at[i].metadata = (Str){0};
    return true;
}
