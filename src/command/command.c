/* The dispatch: which rule runs which command. */
#include "command/command_impl.h"

static const CommandRule RULES[] = {
    [CMD_CREATE_CATALOG] = run_create_catalog,
    [CMD_DROP_CATALOG] = run_drop_catalog,
    [CMD_CREATE_SCHEMA] = run_create_schema,
    [CMD_DROP_SCHEMA] = run_drop_schema,
    [CMD_ALTER_SCHEMA] = run_alter_schema,
    [CMD_CREATE_TABLE] = run_create_table,
    [CMD_DROP_TABLE] = run_drop_table,
    [CMD_ALTER_TABLE] = run_alter_table,
    [CMD_TRUNCATE] = run_truncate,
    [CMD_CREATE_VIEW] = run_create_view,
    [CMD_DROP_VIEW] = run_drop_view,
    [CMD_ALTER_VIEW] = run_alter_table,
    [CMD_CREATE_TEMP_VIEW] = run_create_temp_view,
    [CMD_INSERT] = run_insert,
    [CMD_UPDATE] = run_update,
    [CMD_DELETE] = run_delete,
    [CMD_MERGE] = run_merge,
    [CMD_WRITE] = run_write,
    [CMD_WRITE_V2] = run_write_v2,
    [CMD_DESCRIBE] = run_describe,
    [CMD_SHOW] = run_show,
    [CMD_SET] = run_set,
    [CMD_RESET] = run_reset,
    [CMD_USE] = run_use,
    [CMD_OPTIMIZE] = run_optimize,
    [CMD_VACUUM] = run_vacuum,
    [CMD_RESTORE] = run_restore,
    [CMD_CONVERT] = run_convert,
    [CMD_GENERATE] = run_generate,
    [CMD_EXPLAIN] = run_explain,
    [CMD_COMMENT] = run_comment,
    [CMD_REFRESH] = run_accepted,
    [CMD_CACHE] = run_accepted,
    [CMD_UNCACHE] = run_accepted,
    [CMD_ANALYZE] = run_accepted,
    [CMD_DECLARE_VARIABLE] = run_variable,
    [CMD_SET_VARIABLE] = run_variable,
    [CMD_DROP_VARIABLE] = run_variable,
    [CMD_CREATE_FUNCTION] = run_create_function,
    [CMD_DROP_FUNCTION] = run_drop_function,
    [CMD_REGISTER_FUNCTION] = run_register_function,
    [CMD_DELTA] = run_delta,
    [CMD_CHECKPOINT] = run_checkpoint,
    [CMD_REMOVE_CACHED] = run_remove_cached,
};

static const char *const REFUSED[] = {
    [CMD_EXECUTE_IMMEDIATE] = "EXECUTE IMMEDIATE",
    [CMD_SCRIPT] = "SQL scripting",
};

/* They read rows and replace what they read: meeting on one table, all but one would fail. OPTIMIZE takes its turn when it commits. */
static bool rewrites_rows(const Command *c)
{
    switch (c->kind) {
    case CMD_MERGE:
    case CMD_UPDATE:
    case CMD_DELETE:
    case CMD_TRUNCATE: return true;
    case CMD_INSERT: return c->insert.mode != INSERT_APPEND;
    case CMD_WRITE: return str_is_ci(c->write.mode, "overwrite");
    default: return false;
    }
}

bool command_run(CommandContext *ctx, const Command *command, BoundRel **result, Error *err)
{
    CommandRule rule = (size_t)command->kind < LENGTH_OF(RULES) ? RULES[command->kind] : NULL;
    if (rule) {
        ctx->turn.wanted = rewrites_rows(command);
        bool ok = rule(ctx, command, result, err);
        turn_give(&ctx->turn);
        return ok;
    }
    const char *what = (size_t)command->kind < LENGTH_OF(REFUSED) ? REFUSED[command->kind] : NULL;
    return error_unsupported(err, "%s", what ? what : "this command");
}
