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
    Arena *batch;          /* otherwise: of the paths in `found`, which go together */
} Sweep;

static bool delete_batch(Sweep *s, Error *err)
{
    bool ok = store_delete_many(delta_table_store(s->target->table), s->found.at, s->found.len, err);
    s->found = (StrVec){0};
    arena_free(s->batch);
    s->batch = NULL;
    return ok;
}

static bool sweep_file(const StoreEntry *file, void *arg, Error *err)
{
    Sweep *s = arg;
    s->files++;
    s->bytes += file->size;
    if (s->dry_run) {
        if (s->found.len < DRY_RUN_ROWS)
            vec_push(s->ctx->arena, &s->found, str_copy(file->path, s->ctx->arena));
        return true;
    }
    if (!s->batch)
        s->batch = arena_new();
    vec_push(s->batch, &s->found, str_copy(file->path, s->batch));
    return s->found.len < STORE_DELETE_MAX || delete_batch(s, err);
}

static bool sweep_files(Sweep *s, int64_t older_than_ms, VacuumSource source, void *source_arg, Error *err)
{
    bool ok = vacuum_plan(s->target->snapshot, older_than_ms, source, source_arg, sweep_file, s, err);
    ok = ok && delete_batch(s, err);
    arena_free(s->batch);
    return ok;
}

/* ---- USING INVENTORY ---- */

enum { INVENTORY_ROWS = 10 << 20 };

/* Files as a table or query of the user lists them: path, length, isDir, modificationTime. */
typedef struct Inventory {
    CommandContext *ctx;
    RowVec rows;
    size_t path, length, is_folder, modified; /* columns */
    Str root;
} Inventory;

static bool inventory_column(const BoundRel *rel, const char *name, TypeKind kind, size_t *out, Error *err)
{
    for (*out = 0; *out < rel->columns.len; ++*out)
        if (str_is_ci(rel->columns.at[*out].name, name) && rel->columns.at[*out].type->kind == kind)
            return true;
    return error_set(err, ERR_DELTA_INVALID_INVENTORY_SCHEMA,
                     PZ("expectedSchema", "STRUCT<path: STRING, length: BIGINT, isDir: BOOLEAN, modificationTime: BIGINT>"));
}

static bool read_inventory(Inventory *v, const Target *t, const Command *c, Error *err)
{
    BoundRel *rel;
    TRY(analyze_query(v->ctx->analyzer, c->vacuum.inventory, &rel, err));
    TRY(inventory_column(rel, "path", TYPE_STRING, &v->path, err));
    TRY(inventory_column(rel, "length", TYPE_LONG, &v->length, err));
    TRY(inventory_column(rel, "isDir", TYPE_BOOLEAN, &v->is_folder, err));
    TRY(inventory_column(rel, "modificationTime", TYPE_LONG, &v->modified, err));
    v->root = str_printf(v->ctx->arena, STR_FMT "/", STR_ARG(delta_table_location(t->table)));
    return engine_rows(v->ctx->engine, rel, &v->ctx->run, INVENTORY_ROWS, v->ctx->arena, &v->rows, err);
}

/* What lies outside the table, or is gone, is passed over. */
static bool inventory_files(Snapshot *s, StoreVisit visit, void *visit_arg, void *source_arg, Error *err)
{
    const Inventory *v = source_arg;
    for (size_t i = 0; i < v->rows.len; i++) {
        const Value *cells = v->rows.at[i].cells;
        Str path = cells[v->path].bytes;
        StoreEntry entry;
        bool found;
        if (cells[v->path].is_null || (!cells[v->is_folder].is_null && cells[v->is_folder].boolean))
            continue;
        TRY(path_uri_decode(path, v->ctx->arena, &path, err));
        if (str_starts_with(path, S("file:")))
            path = str_slice(path, 5, path.len);
        while (str_starts_with(path, S("//")))
            path = str_slice(path, 1, path.len);
        if (str_starts_with(path, v->root))
            path = str_slice(path, v->root.len, path.len);
        else if (path.ptr[0] == '/')
            continue;
        TRY(store_stat(delta_table_store(snapshot_table(s)), path, &found, &entry, err));
        if (found && !visit(&entry, visit_arg))
            return true;
    }
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
    Inventory inventory = {.ctx = ctx};
    VacuumSource source = c->vacuum.inventory ? inventory_files : c->vacuum.lite ? vacuum_log : vacuum_walk;
    TRY(command_name(ctx, c, &name, err));
    TRY(target_open(ctx, &name, c->origin, &t, err));
    TRY(check_change(&t, false, err));
    TRY(retention(ctx, &t, c, &keep_ms, err));
    if (c->vacuum.inventory)
        TRY(read_inventory(&inventory, &t, c, err));
    int64_t older_than_ms = clock_now_ms() - keep_ms;
    Sweep counted = {.ctx = ctx, .target = &t, .dry_run = true};
    TRY(vacuum_plan(t.snapshot, older_than_ms, source, &inventory, sweep_file, &counted, err));
    *result = paths(ctx, &t, &counted, c->vacuum.dry_run);
    if (c->vacuum.dry_run)
        return true;
    bool logged = session_bool(ctx->session, "spark.databricks.delta.vacuum.logging.enabled", true);
    if (logged)
        TRY(commit_mark(ctx, &t, S("VACUUM START"), c, keep_ms, &counted, 0, err));
    Sweep swept = {.ctx = ctx, .target = &t};
    int64_t removed = 0, folders = 0;
    TRY(sweep_files(&swept, older_than_ms, source, &inventory, err));
    TRY(vacuum_empty_folders(t.snapshot, true, &removed, &folders, err));
    return !logged || commit_mark(ctx, &t, S("VACUUM END"), c, keep_ms, &swept, folders, err);
}
