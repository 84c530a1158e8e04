/* UPDATE and DELETE: the rows a condition picks become a set of changes. */
#include "base/json.h"
#include "command/command_impl.h"

typedef struct Picked {
    BoundRel *scan;       /* target with positions */
    BoundRel *rows;       /* filtered */
    BoundExpr *condition; /* NULL: every row */
    BoundExprVec values;  /* what SET assigns */
    size_t width;
} Picked;

static bool pick(CommandContext *ctx, const Target *t, const Command *c, Picked *out, Error *err)
{
    Name qualifier = t->qualifier;
    if (c->dml.alias.len) {
        qualifier = (Name){0};
        vec_push(ctx->arena, &qualifier, c->dml.alias);
    }
    *out = (Picked){.width = snapshot_schema(t->snapshot)->structure.count};
    TRY(target_scan(ctx, t, &qualifier, true, &out->scan, err));
    out->rows = out->scan;
    if (!c->dml.condition)
        return true;
    if (c->kind == CMD_DELETE) /* as with Delta, UPDATE and MERGE do not know it */
        analyze_file_facts(ctx->analyzer, c->dml.condition, out->scan);
    TRY(analyze_condition(ctx->analyzer, c->dml.condition, &out->scan->columns, &out->condition, err));
    out->rows = build_filter(ctx, out->scan, out->condition);
    return true;
}

static void push_position(CommandContext *ctx, BoundRel *p, const BoundRel *rows, size_t at, ChangeType type)
{
    build_push(ctx, p, bound_column(&rows->columns.at[at], ctx->arena), S("_file"));
    build_push(ctx, p, bound_column(&rows->columns.at[at + 1], ctx->arena), S("_row"));
    build_push(ctx, p, build_int(ctx, type), S("_change"));
}

static void push_columns(CommandContext *ctx, BoundRel *p, const BoundRel *rows, size_t from, size_t width)
{
    for (size_t i = 0; i < width; i++)
        build_push(ctx, p, bound_column(&rows->columns.at[from + i], ctx->arena), rows->columns.at[from + i].name);
}

static void push_nulls(CommandContext *ctx, BoundRel *p, const BoundRel *rows, size_t width)
{
    for (size_t i = 0; i < width; i++)
        build_push(ctx, p, bound_literal(value_null(rows->columns.at[i].type), ctx->arena), rows->columns.at[i].name);
}

/* Of UPDATE, a file whose rows are marked counts as removed; of DELETE it does not. */
static void note_counts(CommandContext *ctx, CommitNote *note, const ChangeCounts *c)
{
    note_metric(ctx, note, "numRemovedFiles", c->files_removed + (str_is(note->operation, "UPDATE") ? c->files_marked : 0));
    note_metric(ctx, note, "numRemovedBytes", c->bytes_removed);
    note_metric(ctx, note, "numAddedFiles", c->files_added);
    note_metric(ctx, note, "numAddedBytes", c->bytes_added);
    note_metric(ctx, note, "numCopiedRows", c->copied);
    note_metric(ctx, note, "numAddedChangeFiles", c->change_files);
    note_metric(ctx, note, "numDeletionVectorsAdded", c->vectors_added);
    note_metric(ctx, note, "numDeletionVectorsRemoved", c->vectors_removed);
    note_metric(ctx, note, "numDeletionVectorsUpdated", c->vectors_updated);
    note_metric(ctx, note, "executionTimeMs", (clock_monotonic_us() - note->started_us) / 1000);
    note_metric(ctx, note, "scanTimeMs", c->scan_ms);
    note_metric(ctx, note, "rewriteTimeMs", c->rewrite_ms);
}

static void note_predicate(CommandContext *ctx, CommitNote *note, const BoundExpr *condition)
{
    Buf b = buf_in(ctx->arena);
    buf_addc(&b, '[');
    if (condition)
        json_put_str(&b, func_sql_text(condition, analyzer_func(ctx->analyzer)->zone, ctx->arena));
    else if (str_is(note->operation, "DELETE"))
        json_put_str(&b, S("true"));
    buf_addc(&b, ']');
    note_parameter_text(ctx, note, "predicate", buf_str(&b));
}

static const char *const AFFECTED[] = {"num_affected_rows"};

/* *done: the session says that this statement was committed before. */
static bool check_repeated(CommandContext *ctx, const Target *t, CommitNote *note, bool *done, BoundRel **result, Error *err)
{
    TRY(txn_mark_of_session(ctx, &note->txn, err));
    *done = txn_mark_is_done(ctx, &note->txn, t->snapshot);
    if (*done)
        *result = result_counts(ctx, 1, AFFECTED, NULL);
    return true;
}

static bool finish(CommandContext *ctx, const Target *t, const Picked *p, BoundRel *changes, bool has_old, CommitNote *note,
                   const char *metric, BoundRel **result, Error *err)
{
    Transaction *x = transaction_begin(t->table, t->snapshot, ctx->arena);
    note_read(ctx, p->scan, p->condition, x);
    if (p->condition)
        note_expr(ctx, t, p->condition, x);
    for (size_t i = 0; i < p->values.len; i++)
        note_expr(ctx, t, p->values.at[i], x);
    ChangeSet set;
    ChangeCounts counts = {0};
    bool ok = change_set_store(ctx, t, changes, has_old, &set, err);
    counts.scan_ms = (clock_monotonic_us() - note->started_us) / 1000;
    ok = ok && change_set_apply(ctx, t, &set, x, &counts, err);
    int64_t affected = counts.updated + counts.deleted;
    /* As Delta's: a DELETE of no row is no commit, an UPDATE that counts as a transaction is. */
    if (ok && (affected || (note->txn.is_set && str_is(note->operation, "UPDATE")))) {
        note_predicate(ctx, note, p->condition);
        note_metric(ctx, note, metric, affected);
        note_counts(ctx, note, &counts);
        ok = note_commit(ctx, x, note, NULL, err);
        if (!ok)
            change_discard(t, &counts, err);
    }
    transaction_end(x);
    *result = result_counts(ctx, 1, AFFECTED, &affected);
    return ok;
}

/* ---- UPDATE ---- */

static bool assigned_field(CommandContext *ctx, const Target *t, const Assignment *a, const BoundRel *scan, size_t *field, BoundExpr **target,
                           Error *err)
{
    Expr column = {.kind = EXPR_COLUMN, .origin = {0, -1}, .column = {.name = a->target, .plan_id = -1}};
    TRY(analyze_expr(ctx->analyzer, &column, &scan->columns, target, err));
    const BoundExpr *e = assigned_column(*target);
    if (!e)
        return error_unsupported(err, "assigning to " STR_FMT, STR_ARG(name_text(&a->target, ctx->arena)));
    for (size_t i = 0; i < snapshot_schema(t->snapshot)->structure.count; i++)
        if (scan->columns.at[i].id == e->column.id)
            *field = i;
    return true;
}

static bool is_part_of(Str part, Str whole)
{
    return str_starts_with(part, whole) && (part.len == whole.len || part.ptr[whole.len] == '.');
}

bool check_assigned_once(CommandContext *ctx, const BoundExpr *target, StrVec *seen, Error *err)
{
    Str path = func_sql_text(target, analyzer_func(ctx->analyzer)->zone, ctx->arena);
    for (size_t i = 0; i < seen->len; i++) {
        Str other = seen->at[i];
        if (is_part_of(path, other) || is_part_of(other, path))
            return error_set(err, ERR_DELTA_CONFLICT_SET_COLUMN,
                             P("columnList", str_printf(err->arena, "[`" STR_FMT "`, `" STR_FMT "`]", STR_ARG(other), STR_ARG(path))));
    }
    vec_push(ctx->arena, seen, path);
    return true;
}

bool assigned_value(CommandContext *ctx, const Field *f, const Expr *value, const BoundColumnVec *columns, Str table, BoundExpr **out, Error *err)
{
    if (value->kind == EXPR_DEFAULT)
        return column_default(ctx, f, out, err);
    TRY(analyze_expr(ctx->analyzer, value, columns, out, err));
    return store_value(ctx, f, table, *out, out, err);
}

static bool updated_rows(CommandContext *ctx, const Target *t, const Command *c, Picked *picked, BoundRel **out, Error *err)
{
    const Metadata *m = snapshot_metadata(t->snapshot);
    BoundExpr **values = ARENA_ARRAY(ctx->arena, BoundExpr *, picked->width);
    BoundExpr **given = ARENA_ARRAY(ctx->arena, BoundExpr *, picked->width);
    StrVec seen = {0};
    for (size_t i = 0; i < c->dml.assignments.len; i++) {
        const Assignment *a = &c->dml.assignments.at[i];
        size_t f = 0;
        BoundExpr *target, *value;
        TRY(assigned_field(ctx, t, a, picked->scan, &f, &target, err));
        bool nested = target->kind == BEXPR_FIELD;
        TRY(check_identity_kept(&m->schema->structure.fields[f], err));
        TRY(check_assigned_once(ctx, target, &seen, err));
        Field field = m->schema->structure.fields[f];
        if (nested)
            field = (Field){field.name, target->type, true, {0}};
        TRY(assigned_value(ctx, &field, a->value, &picked->scan->columns, t->name, &value, err));
        if (nested)
            value = replace_field(ctx, target, values[f] ? values[f] : bound_column(&picked->scan->columns.at[f], ctx->arena), value);
        values[f] = value;
        given[f] = bound_literal(value_bool(true), ctx->arena);
        vec_push(ctx->arena, &picked->values, values[f]);
    }
    bool has_old = keeps_change_feed(t);
    BoundRel *p = build_project(ctx, picked->rows);
    push_position(ctx, p, picked->rows, picked->width, CHANGE_ROW_UPDATE);
    if (has_old)
        push_columns(ctx, p, picked->rows, 0, picked->width);
    size_t first = p->columns.len;
    for (size_t i = 0; i < picked->width; i++)
        build_push(ctx, p, values[i] ? values[i] : bound_column(&picked->rows->columns.at[i], ctx->arena), picked->rows->columns.at[i].name);
    change_push_row_id(ctx, t, p, picked->rows);
    BoundRel *rows;
    TRY(generate_columns(ctx, m, p, first, given, &rows, err));
    return enforce_constraints(ctx, m, rows, first, out, err);
}

bool check_change(const Target *t, bool removes, Error *err)
{
    TRY(snapshot_check_writable(t->snapshot, err));
    if (removes && snapshot_property_bool(t->snapshot, "delta.appendOnly", false))
        return error_set(err, ERR_DELTA_CANNOT_MODIFY_APPEND_ONLY, P("table_name", t->name), PZ("config", "delta.appendOnly"));
    return true;
}

bool run_update(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    CommitNote note = {.operation = S("UPDATE"), .keeps_rows = true, .started_us = clock_monotonic_us()};
    Name name;
    Target t;
    Picked picked;
    BoundRel *changes;
    bool done;
    TRY(command_name(ctx, c, &name, err));
    TRY(refuse_file_table(ctx, &name, c->origin, "UPDATE TABLE", err));
    TRY(target_open(ctx, &name, c->origin, &t, err));
    TRY(check_change(&t, true, err));
    TRY(pick(ctx, &t, c, &picked, err));
    TRY(check_repeated(ctx, &t, &note, &done, result, err));
    if (done)
        return true;
    TRY(updated_rows(ctx, &t, c, &picked, &changes, err));
    return finish(ctx, &t, &picked, changes, keeps_change_feed(&t), &note, "numUpdatedRows", result, err);
}

/* ---- DELETE ---- */

/* DELETE without a condition removes files without reading them. */
static bool delete_all(CommandContext *ctx, const Target *t, CommitNote *note, BoundRel **result, Error *err)
{
    Transaction *x = transaction_begin(t->table, t->snapshot, ctx->arena);
    transaction_read_whole_table(x);
    FileList files = {0};
    snapshot_files(t->snapshot, ctx->arena, &files);
    ChangeCounts counts = {0};
    for (size_t i = 0; i < files.len; i++) {
        transaction_remove(x, files.at[i], true);
        counts.files_removed++;
        counts.bytes_removed += files.at[i]->size;
        counts.vectors_removed += files.at[i]->dv != NULL;
    }
    int64_t rows = snapshot_row_count(t->snapshot);
    bool ok = true;
    if (files.len && str_is(note->operation, "TRUNCATE")) {
        note_metric(ctx, note, "numRemovedFiles", counts.files_removed);
        note_metric(ctx, note, "executionTimeMs", (clock_monotonic_us() - note->started_us) / 1000);
        ok = note_commit(ctx, x, note, NULL, err);
    } else if (files.len) {
        note_predicate(ctx, note, NULL);
        if (rows >= 0)
            note_metric(ctx, note, "numDeletedRows", rows);
        note_counts(ctx, note, &counts);
        ok = note_commit(ctx, x, note, NULL, err);
    }
    transaction_end(x);
    *result = result_counts(ctx, 1, AFFECTED, &rows);
    return ok;
}

bool run_delete(CommandContext *ctx, const Command *c, BoundRel **result, Error *err)
{
    CommitNote note = {.operation = c->kind == CMD_TRUNCATE ? S("TRUNCATE") : S("DELETE"), .keeps_rows = true, .started_us = clock_monotonic_us()};
    Name name;
    Target t;
    Picked picked;
    bool done;
    TRY(command_name(ctx, c, &name, err));
    TRY(refuse_file_table(ctx, &name, c->origin, "DELETE", err));
    TRY(target_open(ctx, &name, c->origin, &t, err));
    TRY(check_change(&t, true, err));
    TRY(pick(ctx, &t, c, &picked, err));
    TRY(check_repeated(ctx, &t, &note, &done, result, err));
    if (done)
        return true;
    if (!picked.condition)
        return delete_all(ctx, &t, &note, result, err);
    bool has_old = keeps_change_feed(&t);
    BoundRel *p = build_project(ctx, picked.rows);
    push_position(ctx, p, picked.rows, picked.width, CHANGE_ROW_DELETE);
    if (has_old)
        push_columns(ctx, p, picked.rows, 0, picked.width);
    push_nulls(ctx, p, picked.rows, picked.width);
    change_push_row_id(ctx, &t, p, picked.rows);
    return finish(ctx, &t, &picked, p, has_old, &note, "numDeletedRows", result, err);
}
