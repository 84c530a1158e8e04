/* Statements that say which transaction of which application they are, so that a repeated one changes nothing. */
#include "command/command_impl.h"

#define SESSION_APP_ID "spark.databricks.delta.write.txnAppId"
#define SESSION_VERSION "spark.databricks.delta.write.txnVersion"

bool txn_mark_of_options(const KeyValueVec *options, TxnMark *out, Error *err)
{
    bool app = key_value_has(options, "txnAppId"), version = key_value_has(options, "txnVersion");
    *out = (TxnMark){0};
    if (!app && !version)
        return true;
    Str text = key_value_get(options, "txnVersion");
    if (version && (!str_to_i64(text, &out->version) || out->version < 0))
        return error_set(err, ERR_DELTA_ILLEGAL_OPTION, P("input", text), PZ("name", "txnVersion"),
                         PZ("explain", "must be a non-negative integer"));
    if (!app || !version)
        return error_set(err, ERR_DELTA_INVALID_IDEMPOTENT_WRITES_OPTIONS,
                         PZ("reason", "Both txnVersion and txnAppId must be specified for idempotent data frame writes"));
    out->is_set = true;
    out->app_id = key_value_get(options, "txnAppId");
    return true;
}

bool txn_mark_of_session(CommandContext *ctx, TxnMark *mark, Error *err)
{
    bool app, version;
    Str text;
    if (mark->is_set)
        return true;
    session_get(ctx->session, S(SESSION_APP_ID), ctx->arena, &app, &mark->app_id);
    session_get(ctx->session, S(SESSION_VERSION), ctx->arena, &version, &text);
    if (!app && !version)
        return true;
    if (!app || !version || !str_to_i64(text, &mark->version))
        return error_set(err, ERR_DELTA_INVALID_IDEMPOTENT_WRITES_OPTIONS,
                         PZ("reason", "Both " SESSION_APP_ID " and " SESSION_VERSION
                                      " must be specified for idempotent Delta writes"));
    mark->is_set = mark->from_session = true;
    return true;
}

/* So that a session that forgets to count on does not lose its next write. */
static void reset(CommandContext *ctx, const TxnMark *mark)
{
    if (mark->from_session && session_bool(ctx->session, SESSION_VERSION ".autoReset.enabled", false))
        session_unset(ctx->session, S(SESSION_VERSION));
}

bool txn_mark_is_done(CommandContext *ctx, const TxnMark *mark, const Snapshot *s)
{
    if (!mark->is_set || !s || snapshot_txn_version(s, mark->app_id) < mark->version)
        return false;
    reset(ctx, mark);
    return true;
}

void txn_mark_put(CommandContext *ctx, const TxnMark *mark, Transaction *x)
{
    if (!mark->is_set)
        return;
    transaction_txn(x, mark->app_id, mark->version);
    reset(ctx, mark);
}
