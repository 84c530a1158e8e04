/* Row tracking of a table that has rows already: the feature first, then ids for the files there are in commits of their own; only
 * then may the property say that rows keep their ids. */
#include "base/json.h"
#include "command/command_impl.h"

static bool add_feature(CommandContext *ctx, Target *t, Error *err)
{
    Protocol p = protocol_copy(snapshot_protocol(t->snapshot), ctx->arena);
    if (protocol_has_feature(&p, "rowTracking"))
        return true;
    CommitNote note = {.operation = S("UPGRADE PROTOCOL"), .started_us = clock_monotonic_us()};
    TRY(protocol_add_feature(&p, "rowTracking", ctx->arena, err));
    Transaction *x = transaction_begin(t->table, t->snapshot, ctx->arena);
    transaction_set_protocol(x, &p);
    note_protocol(ctx, &note, &p);
    bool ok = note_commit(ctx, x, &note, NULL, err);
    transaction_end(x);
    return ok && target_refresh(ctx, t, err);
}

static size_t files_at_once(CommandContext *ctx)
{
    bool found;
    Str text;
    int64_t n;
    session_get(ctx->session, S("spark.databricks.delta.rowTracking.backfill.maxNumFiles"), ctx->arena, &found, &text);
    return found && str_to_i64(text, &n) && n > 0 ? (size_t)n : SIZE_MAX;
}

/* One commit; *done: every file has its ids, or none has. */
static bool change_ids(CommandContext *ctx, Target *t, bool give, int64_t batch, bool *done, Error *err)
{
    CommitNote note = {.operation = give ? S(ROW_TRACKING_BACKFILL) : S(ROW_TRACKING_UNBACKFILL), .started_us = clock_monotonic_us()};
    FileList files = {0};
    size_t count = 0, most = files_at_once(ctx);
    snapshot_files(t->snapshot, ctx->arena, &files);
    Transaction *x = transaction_begin(t->table, t->snapshot, ctx->arena);
    for (size_t i = 0; i < files.len && count < most; i++) {
        AddFile f = *files.at[i];
        if (f.has_base_row_id == give)
            continue;
        f.data_change = false;
        f.has_base_row_id = false;
        transaction_add(x, &f);
        count++;
    }
    *done = !count;
    bool ok = true;
    if (count) {
        transaction_backfill(x);
        note_parameter_text(ctx, &note, "batchId", str_printf(ctx->arena, "%lld", (long long)batch));
        ok = note_commit(ctx, x, &note, NULL, err);
    }
    transaction_end(x);
    return ok && (*done || target_refresh(ctx, t, err));
}

static bool change_all_ids(CommandContext *ctx, Target *t, bool give, Error *err)
{
    bool done = false;
    for (int64_t batch = 0; !done; batch++)
        TRY(change_ids(ctx, t, give, batch, &done, err));
    return true;
}

bool row_tracking_backfill(CommandContext *ctx, Target *t, Error *err)
{
    TRY(snapshot_check_writable(t->snapshot, err));
    if (!session_bool(ctx->session, "spark.databricks.delta.rowTracking.backfill.enabled", true))
        return error_unsupported(err, "Enabling row ids of an existing table while spark.databricks.delta.rowTracking.backfill.enabled is false");
    TRY(add_feature(ctx, t, err));
    return change_all_ids(ctx, t, true, err);
}

bool row_tracking_unbackfill(CommandContext *ctx, Target *t, Error *err)
{
    return change_all_ids(ctx, t, false, err);
}
