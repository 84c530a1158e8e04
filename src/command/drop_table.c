/* DROP TABLE and TRUNCATE: what a managed table leaves behind is deleted, what the user placed is not. */
#include <errno.h>
#include <fts.h>
#include <string.h>
#include <unistd.h>

#include "command/command_impl.h"

/* Only below the folder, never through a symbolic link. */
bool delete_table_files(CommandContext *ctx, Str location, Error *err)
{
    char *root = str_z(location, ctx->arena);
    char *paths[] = {root, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (!walk)
        return error_set(err, ERR_LAKESHED_FILE, PZ("path", root), PZ("reason", strerror(errno)));
    bool ok = true;
    for (FTSENT *e; ok && (e = fts_read(walk));) {
        if (e->fts_info == FTS_D || e->fts_info == FTS_NS)
            continue;
        if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR) {
            ok = error_set(err, ERR_LAKESHED_FILE, PZ("path", e->fts_path), PZ("reason", strerror(e->fts_errno)));
            break;
        }
        int rc = e->fts_info == FTS_DP ? rmdir(e->fts_accpath) : unlink(e->fts_accpath);
        if (rc && errno != ENOENT)
            ok = error_set(err, ERR_LAKESHED_FILE, PZ("path", e->fts_path), PZ("reason", strerror(errno)));
    }
    fts_close(walk);
    return ok;
}

static bool not_found(CommandContext *ctx, const Command *c, const Name *name, Error *err)
{
    return c->existence == IF_EXISTS || error_set(err, ERR_TABLE_OR_VIEW_NOT_FOUND, P("relationName", name_quoted(name, ctx->arena)));
}

bool run_drop_table(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    Str catalog, schema, object;
    bool found;
    TableEntry e;
    *result = result_none(ctx);
    TRY(command_name(ctx, c, &name, err));
    if (name.len == 1 && session_temp_view(ctx->session, name.at[0], false)) {
        session_drop_temp_view(ctx->session, name.at[0], false);
        return true;
    }
    TRY(command_object_name(ctx, &name, &catalog, &schema, &object, err));
    TRY(catalog_has_catalog(session_catalog(ctx->session), catalog, &found, err));
    if (found)
        TRY(catalog_get_table(session_catalog(ctx->session), catalog, schema, object, ctx->arena, &found, &e, err));
    if (!found)
        return not_found(ctx, c, &name, err);
    if (e.kind == OBJECT_VIEW)
        return error_set(err, ERR_WRONG_COMMAND_FOR_OBJECT_TYPE, PZ("operation", "DROP TABLE"), PZ("requiredType", "EXTERNAL or MANAGED"),
                         P("objectName", name_text(&name, ctx->arena)), PZ("foundType", "VIEW"), PZ("alternative", "DROP VIEW"));
    TRY(catalog_drop_table(session_catalog(ctx->session), catalog, schema, object, err));
    return !e.managed || delete_table_files(ctx, e.location, err);
}

bool run_truncate(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Command all = {.kind = CMD_DELETE, .origin = c->origin, .name = c->name, .name_expr = c->name_expr};
    TRY(run_delete(ctx, &all, result, err));
    *result = result_none(ctx);
    return true;
}
