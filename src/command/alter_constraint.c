/* CHECK constraints of Delta tables: every row there is must pass before the constraint is recorded. */
#include "command/alter_impl.h"

bool count_violations(CommandContext *ctx, const Target *t, const Expr *condition, int64_t *count, Error *err)
{
    BoundRel *scan;
    BoundExpr *holds, *pair[2], *sure, *broken;
    TRY(target_scan(ctx, t, NULL, false, &scan, err));
    TRY(analyze_condition(ctx->analyzer, condition, &scan->columns, &holds, err));
    pair[0] = holds;
    pair[1] = bound_literal(value_bool(false), ctx->arena);
    TRY(build_call(ctx, "coalesce", 2, pair, &sure, err));
    TRY(build_call(ctx, "not", 1, &sure, &broken, err));
    BoundRel *rows = build_filter(ctx, scan, broken), *counted = brel_new(BREL_AGGREGATE, rows, ctx->arena);
    BoundExpr *one = bound_literal(value_int(TYPE_INT, 1), ctx->arena), *call;
    TRY(build_call(ctx, "count", 1, &one, &call, err));
    BoundColumn c = {.id = analyzer_next_id(ctx->analyzer), .name = S("n"), .type = call->type};
    BoundItem item = {call, c.id};
    vec_push(ctx->arena, &counted->aggregate.aggregates, item);
    vec_push(ctx->arena, &counted->columns, c);
    RowVec out = {0};
    TRY(engine_rows(ctx->engine, counted, &ctx->run, 1, ctx->arena, &out, err));
    *count = out.len ? out.at[0].cells[0].integer : 0;
    return true;
}

static Str constraint_key(CommandContext *ctx, Str name)
{
    return str_concat(ctx->arena, S("delta.constraints."), str_lower(name, ctx->arena));
}

static bool check_boolean(CommandContext *ctx, const Target *t, const TableConstraint *k, Error *err)
{
    BoundRel *scan;
    BoundExpr *e;
    TRY(target_scan(ctx, t, NULL, false, &scan, err));
    TRY(analyze_expr(ctx->analyzer, k->check, &scan->columns, &e, err));
    if (e->type->kind != TYPE_BOOLEAN)
        return error_set(err, ERR_DELTA_NON_BOOLEAN_CHECK_CONSTRAINT, P("name", k->name), P("expr", k->check_sql));
    if (bound_contains(e, BEXPR_AGGREGATE))
        return error_set(err, ERR_DELTA_AGGREGATE_IN_CHECK_CONSTRAINT, P("expr", k->check_sql));
    if (bound_contains(e, BEXPR_SUBQUERY) || bound_contains(e, BEXPR_PYTHON) || bound_contains(e, BEXPR_WINDOW))
        return error_set(err, ERR_DELTA_UNSUPPORTED_EXPRESSION_CHECK_CONSTRAINT, P("expression", k->check_sql));
    return true;
}

bool alter_add_constraint(CommandContext *ctx, const Command *c, const Target *t, Error *err)
{
    const TableConstraint *k = &c->alter.constraint;
    if (!str_is_ci(k->kind, "CHECK") || !k->check)
        return error_set(err, ERR_UNSUPPORTED_FEATURE__TABLE_OPERATION, P("tableName", name_quoted(&t->qualifier, ctx->arena)), PZ("operation", "table constraint"));
    if (!k->name.len)
        return error_unsupported(err, "a CHECK constraint without a name");
    Str key = constraint_key(ctx, k->name);
    Metadata *m = metadata_copy(snapshot_metadata(t->snapshot), ctx->arena);
    const Property *old = property_find(&m->configuration, key);
    int64_t broken;
    if (old)
        return error_set(err, ERR_DELTA_CONSTRAINT_ALREADY_EXISTS, P("constraintName", k->name), P("oldConstraint", old->value));
    TRY(check_boolean(ctx, t, k, err));
    TRY(count_violations(ctx, t, k->check, &broken, err));
    if (broken)
        return error_set(err, ERR_DELTA_NEW_CHECK_CONSTRAINT_VIOLATION, P("numRows", str_printf(ctx->arena, "%lld", (long long)broken)),
                         P("tableName", t->name), P("checkConstraint", k->check_sql));
    metadata_set_property(m, key, k->check_sql, ctx->arena);
    CommitNote note = {.operation = S("ADD CONSTRAINT"), .started_us = clock_monotonic_us()};
    note_parameter_text(ctx, &note, "name", k->name);
    note_parameter_text(ctx, &note, "expr", k->check_sql);
    return alter_commit(ctx, t, m, NULL, &note, true, err);
}

bool alter_drop_constraint(CommandContext *ctx, const Command *c, const Target *t, Error *err)
{
    static const char LENIENT[] = "spark.databricks.delta.constraints.assumesDropIfExists.enabled";
    Str name = c->alter.constraint.name, key = constraint_key(ctx, name);
    Metadata *m = metadata_copy(snapshot_metadata(t->snapshot), ctx->arena);
    const Property *old = property_find(&m->configuration, key);
    if (!old && !c->alter.if_exists && !session_bool(ctx->session, LENIENT, false))
        return error_set(err, ERR_DELTA_CONSTRAINT_DOES_NOT_EXIST, P("constraintName", name), P("tableName", name_quoted(&t->qualifier, ctx->arena)),
                         PZ("config", LENIENT), PZ("confValue", "true"));
    CommitNote note = {.operation = S("DROP CONSTRAINT"), .started_us = clock_monotonic_us()};
    note_parameter_text(ctx, &note, "name", name);
    if (old)
        note_parameter_text(ctx, &note, "expr", old->value);
    note_parameter(ctx, &note, "existed", old ? S("true") : S("false"));
    metadata_unset_property(m, key);
    return alter_commit(ctx, t, m, NULL, &note, false, err);
}
