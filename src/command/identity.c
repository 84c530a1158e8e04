/* Identity columns as commands fill them: numbers in the order of the rows, the last one noted in the metadata. */
#include "command/alter_impl.h"

bool has_identity(const Type *schema)
{
    for (size_t i = 0; i < schema->structure.count; i++)
        if (delta_is_identity(&schema->structure.fields[i]))
            return true;
    return false;
}

bool check_identity_def(const ColumnDef *d, Error *err)
{
    if (!d->is_identity)
        return true;
    if (d->generated_sql.len)
        return error_set(err, ERR_DELTA_IDENTITY_COLUMNS_WITH_GENERATED_EXPRESSION);
    if (d->type->kind != TYPE_LONG) {
        Str json = type_json(d->type, err->arena); /* "integer" */
        return error_set(err, ERR_DELTA_IDENTITY_COLUMNS_UNSUPPORTED_DATA_TYPE, P("dataType", json.ptr[0] == '"' ? str_slice(json, 1, json.len - 1) : json));
    }
    return d->identity_step || error_set(err, ERR_DELTA_IDENTITY_COLUMNS_ILLEGAL_STEP);
}

bool check_identity_given(const Field *f, Error *err)
{
    DeltaIdentity d;
    return !delta_identity(f, &d) || d.explicit_too || error_set(err, ERR_DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED, P("colName", f->name));
}

bool check_identity_kept(const Field *f, Error *err)
{
    return !delta_is_identity(f) || error_set(err, ERR_DELTA_IDENTITY_COLUMNS_UPDATE_NOT_SUPPORTED, P("colName", f->name));
}

static BoundExpr *long_literal(CommandContext *ctx, int64_t v)
{
    return bound_literal(value_int(TYPE_LONG, v), ctx->arena);
}

/* How many rows up to this one get a number: every row, or those for which `needs` holds. */
static bool running_count(CommandContext *ctx, BoundExpr *needs, BoundExpr **out, Error *err)
{
    BoundExpr *w = bound_new(BEXPR_WINDOW, NULL, false, ctx->arena);
    BoundExpr *one = build_int(ctx, 1);
    if (needs) {
        BoundExpr *c = bound_new(BEXPR_CASE, one->type, true, ctx->arena);
        vec_push(ctx->arena, &c->cases.conditions, needs);
        vec_push(ctx->arena, &c->cases.values, one);
        c->cases.otherwise = bound_literal(value_null(one->type), ctx->arena);
        one = c;
    }
    TRY(build_call(ctx, "count", 1, &one, &w->window.function, err));
    w->window.frame = FRAME_ROWS;
    w->window.from.kind = BOUND_UNBOUNDED_PRECEDING;
    w->window.to.kind = BOUND_CURRENT_ROW;
    w->type = w->window.function->type;
    *out = w;
    return true;
}

bool identity_value(CommandContext *ctx, const Field *f, BoundExpr *needs, BoundExpr **out, Error *err)
{
    DeltaIdentity d;
    int64_t before;
    if (!delta_identity(f, &d))
        return error_set(err, ERR_DELTA_IDENTITY_COLUMN_INCONSISTENT_METADATA, P("colName", f->name), PZ("hasStart", "true"), PZ("hasStep", "false"), PZ("hasInsert", "false"));
    if (!identity_after(&d, 0, &before))
        return error_unsupported(err, "numbers of the identity column " STR_FMT " past the range of BIGINT", STR_ARG(f->name));
    BoundExpr *product[2] = {NULL, long_literal(ctx, d.step)}, *sum[2] = {long_literal(ctx, before), NULL};
    TRY(running_count(ctx, needs, &product[0], err));
    TRY(build_call(ctx, "*", 2, product, &sum[1], err));
    return build_call(ctx, "+", 2, sum, out, err);
}

bool identity_advance(CommandContext *ctx, const Metadata *m, const bool *given, int64_t rows, Metadata **out, Error *err)
{
    FieldVec fields = {0};
    bool any = false;
    *out = NULL;
    for (size_t i = 0; i < m->schema->structure.count; i++) {
        Field f = m->schema->structure.fields[i];
        DeltaIdentity d;
        if (rows && !(given && given[i]) && delta_identity(&f, &d)) {
            if (!identity_after(&d, rows, &d.high))
                return error_unsupported(err, "numbers of the identity column " STR_FMT " past the range of BIGINT", STR_ARG(f.name));
            d.has_high = any = true;
            f.metadata = identity_metadata(f.metadata, &d, ctx->arena);
        }
        vec_push(ctx->arena, &fields, f);
    }
    if (!any)
        return true;
    *out = metadata_copy(m, ctx->arena);
    metadata_set_schema(ctx, *out, type_struct(fields.at, fields.len, ctx->arena));
    return true;
}

void identity_keep_highest(CommandContext *ctx, const Type *now, Metadata *m)
{
    FieldVec fields = {0};
    if (!has_identity(m->schema))
        return;
    for (size_t i = 0; i < m->schema->structure.count; i++) {
        Field f = m->schema->structure.fields[i];
        int at = type_field_index(now, f.name, false);
        DeltaIdentity mine, theirs;
        if (at >= 0 && delta_identity(&f, &mine) && delta_identity(&now->structure.fields[at], &theirs) && theirs.has_high &&
            (!mine.has_high || (mine.step > 0 ? theirs.high > mine.high : theirs.high < mine.high))) {
            mine.has_high = true;
            mine.high = theirs.high;
            f.metadata = identity_metadata(f.metadata, &mine, ctx->arena);
        }
        vec_push(ctx->arena, &fields, f);
    }
    metadata_set_schema(ctx, m, type_struct(fields.at, fields.len, ctx->arena));
}

/* ---- ALTER COLUMN .. SYNC IDENTITY ---- */

static bool highest_row(CommandContext *ctx, const Target *t, size_t field, bool upwards, Value *out, Error *err)
{
    BoundRel *scan;
    RowVec rows = {0};
    TRY(target_scan(ctx, t, NULL, false, &scan, err));
    BoundRel *g = brel_new(BREL_AGGREGATE, scan, ctx->arena);
    BoundExpr *column = bound_column(&scan->columns.at[field], ctx->arena), *extreme;
    TRY(build_call(ctx, upwards ? "max" : "min", 1, &column, &extreme, err));
    BoundColumn c = {.id = analyzer_next_id(ctx->analyzer), .name = S("n"), .type = extreme->type, .nullable = true};
    BoundItem item = {extreme, c.id};
    vec_push(ctx->arena, &g->aggregate.aggregates, item);
    vec_push(ctx->arena, &g->columns, c);
    TRY(engine_rows(ctx->engine, g, &ctx->run, 1, ctx->arena, &rows, err));
    *out = rows.at[0].cells[0];
    return true;
}

bool alter_sync_identity(CommandContext *ctx, const Command *c, const Target *t, Error *err)
{
    const Name *name = c->alter.columns.len ? &c->alter.columns.at[0].name : &c->alter.old_name;
    Metadata *m = metadata_copy(snapshot_metadata(t->snapshot), ctx->arena);
    FieldVec fields = {0};
    int at = name->len == 1 ? type_field_index(m->schema, name->at[0], false) : -1;
    DeltaIdentity d;
    Value highest;
    if (at < 0)
        return column_unknown(ctx, m->schema, name, err);
    for (size_t i = 0; i < m->schema->structure.count; i++)
        vec_push(ctx->arena, &fields, m->schema->structure.fields[i]);
    if (!delta_identity(&fields.at[at], &d))
        return error_set(err, ERR_DELTA_IDENTITY_COLUMNS_ALTER_NON_IDENTITY_COLUMN);
    TRY(highest_row(ctx, t, (size_t)at, d.step > 0, &highest, err));
    if (!highest.is_null) {
        int64_t high;
        if (!identity_not_before(&d, highest.integer, &high))
            return error_unsupported(err, "numbers of the identity column " STR_FMT " past the range of BIGINT", STR_ARG(fields.at[at].name));
        /* Numbers given before may belong to rows that are gone; rows before the start bind nobody. */
        bool first = d.step > 0 ? high >= d.start : high <= d.start;
        if (first && (!d.has_high || (d.step > 0 ? high > d.high : high < d.high))) {
            d.has_high = true;
            d.high = high;
        }
    }
    fields.at[at].metadata = identity_metadata(fields.at[at].metadata, &d, ctx->arena);
    metadata_set_schema(ctx, m, type_struct(fields.at, fields.len, ctx->arena));
    CommitNote note = {.operation = S("CHANGE COLUMN"), .started_us = clock_monotonic_us()};
    note_parameter_text(ctx, &note, "column", column_json(ctx, name, &fields.at[at]));
    return alter_commit(ctx, t, m, NULL, &note, true, err);
}
