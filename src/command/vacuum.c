/* VACUUM: files that no version within the retention needs are deleted, or listed by DRY RUN. */
#include "command/command_impl.h"

#define MS_PER_HOUR INT64_C(3600000)
enum { DRY_RUN_ROWS = 1000 };

typedef struct Sweep {
    CommandContext *ctx;
    Target *target;
    bool dry_run;
    int64_t files, bytes;
    StrVec found;          /* dry run: the first paths */
} Sweep;

static bool sweep_file(const StoreEntry *file, void *arg, Error *err)
{
    Sweep *s = arg;
    s->files++;
    s->bytes += file->size;
    if (!s->dry_run)
        return store_delete(delta_table_store(s->target->table), file->path, err);
    if (s->found.len < DRY_RUN_ROWS)
        vec_push(s->ctx->arena, &s->found, str_copy(file->path, s->ctx->arena));
    return true;
}

static bool retention(CommandContext *ctx, const Target *t, const Command *c, int64_t *out_ms, Error *err)
{
    int64_t configured = vacuum_retention_ms(t->snapshot);
    *out_ms = configured;
    double hours = c->vacuum.hours;
    if (c->vacuum.retain_hours) {
        Value v;
        TRY(analyze_constant(ctx->analyzer, c->vacuum.retain_hours, type_simple(TYPE_DOUBLE), &v, err));
        hours = v.real;
    } else if (!c->vacuum.has_hours)
        return true;
    if (hours < 0)
        return error_set(err, ERR_DELTA_VACUUM_RETENTION_PERIOD_NEGATIVE);
    *out_ms = (int64_t)(hours * (double)MS_PER_HOUR);
    bool checked = session_bool(ctx->session, "spark.databricks.delta.retentionDurationCheck.enabled", true);
    if (checked && *out_ms < configured)
        return error_set(err, ERR_DELTA_VACUUM_RETENTION_PERIOD_TOO_SHORT,
                         P("configuredRetentionHours", str_printf(ctx->arena, "%lld", (long long)(configured / MS_PER_HOUR))));
    return true;
}

static bool commit_mark(CommandContext *ctx, Target *t, Str operation, const Command *c, int64_t retention_ms, const Sweep *s, int64_t folders, Error *err)
{
    CommitNote note = {.operation = operation, .started_us = clock_monotonic_us(), .isolation = ISOLATION_SNAPSHOT};
    bool end = str_is(operation, "VACUUM END");
    if (end) {
        note_parameter_text(ctx, &note, "status", S("COMPLETED"));
        note_metric(ctx, &note, "numDeletedFiles", s->files);
        note_metric(ctx, &note, "numVacuumedDirectories", folders);
    } else {
        note_parameter(ctx, &note, "retentionCheckEnabled",
                       session_bool(ctx->session, "spark.databricks.delta.retentionDurationCheck.enabled", true) ? S("true") : S("false"));
        note_parameter(ctx, &note, "defaultRetentionMillis", str_printf(ctx->arena, "%lld", (long long)vacuum_retention_ms(t->snapshot)));
        if (c->vacuum.has_hours || c->vacuum.retain_hours)
            note_parameter(ctx, &note, "specifiedRetentionMillis", str_printf(ctx->arena, "%lld", (long long)retention_ms));
        note_metric(ctx, &note, "numFilesToDelete", s->files);
        note_metric(ctx, &note, "sizeOfDataToDelete", s->bytes);
    }
    Transaction *x = transaction_begin(t->table, t->snapshot, ctx->arena);
    bool ok = note_commit(ctx, x, &note, NULL, err);
    transaction_end(x);
    return ok && target_refresh(ctx, t, err);
}

static BoundRel *paths(CommandContext *ctx, const Target *t, const Sweep *s, bool dry_run)
{
    ResultTable r = {0};
    result_field(ctx, &r, "path", type_simple(TYPE_STRING), true);
    Str root = delta_table_location(t->table);
    if (!dry_run)
        result_set_text(result_row(ctx, &r), root);
    for (size_t i = 0; dry_run && i < s->found.len; i++)
        result_set_text(result_row(ctx, &r), str_printf(ctx->arena, STR_FMT "/" STR_FMT, STR_ARG(root), STR_ARG(s->found.at[i])));
    return result_rel(ctx, &r);
}

bool run_vacuum(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    Name name;
    Target t;
    int64_t keep_ms;
    if (c->vacuum.lite)
        return error_unsupported(err, "VACUUM LITE");
    if (c->vacuum.inventory)
        return error_unsupported(err, "VACUUM USING INVENTORY");
    TRY(command_name(ctx, c, &name, err));
    TRY(target_open(ctx, &name, c->origin, &t, err));
    TRY(check_change(&t, false, err));
    TRY(retention(ctx, &t, c, &keep_ms, err));
    int64_t older_than_ms = clock_now_ms() - keep_ms;
    Sweep counted = {.ctx = ctx, .target = &t, .dry_run = true};
    TRY(vacuum_plan(t.snapshot, older_than_ms, sweep_file, &counted, err));
    *result = paths(ctx, &t, &counted, c->vacuum.dry_run);
    if (c->vacuum.dry_run)
        return true;
    bool logged = session_bool(ctx->session, "spark.databricks.delta.vacuum.logging.enabled", true);
    if (logged)
        TRY(commit_mark(ctx, &t, S("VACUUM START"), c, keep_ms, &counted, 0, err));
    Sweep swept = {.ctx = ctx, .target = &t};
    int64_t removed = 0, folders = 0;
    TRY(vacuum_plan(t.snapshot, older_than_ms, sweep_file, &swept, err));
    TRY(vacuum_empty_folders(t.snapshot, true, &removed, &folders, err));
    return !logged || commit_mark(ctx, &t, S("VACUUM END"), c, keep_ms, &swept, folders, err);
}
