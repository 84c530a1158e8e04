/* What every row of a table must satisfy: NOT NULL, CHECK, invariants, generated columns. */
#include "command/command_impl.h"

/* Rows: a condition that must be TRUE, and the error of a row where it is not. */
typedef struct Check {
    BoundExpr *holds;
    BoundExpr *message;
} Check;
typedef VEC(Check) CheckVec;

static BoundExpr *text(CommandContext *ctx, Str s)
{
    return bound_literal(value_string(s), ctx->arena);
}

static bool check_not_null(CommandContext *ctx, const BoundColumn *c, const Field *f, CheckVec *out, Error *err)
{
    if (f->nullable || !c->nullable)
        return true;
    Check check;
    BoundExpr *e = bound_column(c, ctx->arena);
    TRY(build_call(ctx, "isnotnull", 1, &e, &check.holds, err));
    Error raised = error_in(ctx->arena);
    error_set(&raised, ERR_DELTA_NOT_NULL_CONSTRAINT_VIOLATED, P("columnName", f->name));
    check.message = text(ctx, error_message(&raised, ctx->arena));
    vec_push(ctx->arena, out, check);
    return true;
}

typedef struct Columns {
    CommandContext *ctx;
    BoundColumnVec found;
    const BoundColumnVec *all;
} Columns;

static bool note_column(BoundExpr **e, void *arg)
{
    Columns *c = arg;
    if ((*e)->kind == BEXPR_COLUMN) {
        for (size_t i = 0; i < c->found.len; i++)
            if (c->found.at[i].id == (*e)->column.id)
                return true;
        for (size_t i = 0; i < c->all->len; i++)
            if (c->all->at[i].id == (*e)->column.id)
                vec_push(c->ctx->arena, &c->found, c->all->at[i]);
    }
    return bound_each_child(*e, note_column, c);
}

/* "... violated by row with values:\n - a : 5": the values are put in at run time. */
static bool violation_message(CommandContext *ctx, Str name, Str expression, BoundExpr *holds, const BoundColumnVec *columns, BoundExpr **out, Error *err)
{
    Error raised = error_in(ctx->arena);
    error_set(&raised, ERR_DELTA_VIOLATE_CONSTRAINT_WITH_VALUES, P("constraintName", name), P("expression", expression), PZ("values", "\x01"));
    Str whole = error_message(&raised, ctx->arena);
    ptrdiff_t at = str_find_char(whole, '\x01');
    BoundExprVec parts = {0};
    vec_push(ctx->arena, &parts, text(ctx, str_slice(whole, 0, (size_t)at)));
    Columns used = {.ctx = ctx, .all = columns};
    note_column(&holds, &used);
    for (size_t i = 0; i < used.found.len; i++) {
        vec_push(ctx->arena, &parts, text(ctx, str_printf(ctx->arena, "%s - " STR_FMT " : ", i ? "\n" : "", STR_ARG(used.found.at[i].name))));
        BoundExpr *value[2] = {bound_cast(bound_column(&used.found.at[i], ctx->arena), type_simple(TYPE_STRING), CAST_LEGACY, true, ctx->arena),
                               text(ctx, S("null"))};
        value[0]->cast.zone = analyzer_func(ctx->analyzer)->zone;
        BoundExpr *shown;
        TRY(build_call(ctx, "coalesce", 2, value, &shown, err));
        vec_push(ctx->arena, &parts, shown);
    }
    vec_push(ctx->arena, &parts, text(ctx, str_slice(whole, (size_t)at + 1, whole.len)));
    return build_call(ctx, "concat", parts.len, parts.at, out, err);
}

static bool check_expression(CommandContext *ctx, Str name, Str shown, Str sql, const BoundColumnVec *columns, CheckVec *out, Error *err)
{
    SqlOptions options = session_sql_options(ctx->session, ctx->arena);
    Expr *e;
    Check check;
    TRY(sql_parse_expr(sql, &options, ctx->arena, &e, err));
    TRY(analyze_condition(ctx->analyzer, e, columns, &check.holds, err));
    TRY(violation_message(ctx, name, shown, check.holds, columns, &check.message, err));
    vec_push(ctx->arena, out, check);
    return true;
}

static bool all_checks(CommandContext *ctx, const Metadata *m, const BoundColumnVec *columns, CheckVec *out, Error *err)
{
    for (size_t i = 0; i < columns->len; i++) {
        const Field *f = &m->schema->structure.fields[i];
        TRY(check_not_null(ctx, &columns->at[i], f, out, err));
        Str sql = delta_generation_expression(f, ctx->arena);
        if (!sql.len)
            continue;
        Str whole = str_printf(ctx->arena, "`" STR_FMT "` <=> (" STR_FMT ")", STR_ARG(f->name), STR_ARG(sql));
        Str shown = str_printf(ctx->arena, "(" STR_FMT " <=> " STR_FMT ")", STR_ARG(f->name), STR_ARG(sql));
        TRY(check_expression(ctx, S("Generated Column"), shown, whole, columns, out, err));
    }
    DeltaConstraintVec constraints = {0};
    TRY(metadata_constraints(m, ctx->arena, &constraints, err));
    for (size_t i = 0; i < constraints.len; i++) {
        Str shown = str_printf(ctx->arena, "(" STR_FMT ")", STR_ARG(constraints.at[i].expression));
        TRY(check_expression(ctx, constraints.at[i].name, shown, constraints.at[i].expression, columns, out, err));
    }
    return true;
}

/* The checks ride on the first column's value: a projection runs on exactly the rows that will be written, while the
 * optimizer may move a filter to rows that will not. */
bool enforce_constraints(CommandContext *ctx, const Metadata *m, BoundRel *rows, size_t first, BoundRel **out, Error *err)
{
    BoundColumnVec columns = {0};
    for (size_t i = 0; i < m->schema->structure.count; i++)
        vec_push(ctx->arena, &columns, rows->columns.at[first + i]);
    CheckVec checks = {0};
    TRY(all_checks(ctx, m, &columns, &checks, err));
    *out = rows;
    if (!checks.len)
        return true;
    BoundExpr *value = bound_column(&rows->columns.at[first], ctx->arena);
    BoundExpr *guarded = bound_new(BEXPR_CASE, value->type, value->nullable, ctx->arena);
    for (size_t i = 0; i < checks.len; i++) {
        BoundExpr *holds[2] = {checks.at[i].holds, bound_literal(value_bool(false), ctx->arena)}, *sure, *broken, *raised;
        TRY(build_call(ctx, "coalesce", 2, holds, &sure, err));
        TRY(build_call(ctx, "not", 1, &sure, &broken, err));
        TRY(build_call(ctx, "raise_class", 1, &checks.at[i].message, &raised, err));
        BoundExpr *typed = bound_cast(raised, value->type, CAST_LEGACY, true, ctx->arena);
        typed->cast.zone = analyzer_func(ctx->analyzer)->zone;
        vec_push(ctx->arena, &guarded->cases.conditions, broken);
        vec_push(ctx->arena, &guarded->cases.values, typed);
    }
    guarded->cases.otherwise = value;
    BoundRel *p = build_project(ctx, rows);
    for (size_t i = 0; i < rows->columns.len; i++) {
        BoundColumn c = rows->columns.at[i];
        BoundExpr *e = i == first ? guarded : bound_column(&c, ctx->arena);
        if (i == first)
            c.id = analyzer_next_id(ctx->analyzer);
        BoundItem item = {e, c.id};
        vec_push(ctx->arena, &p->project.items, item);
        vec_push(ctx->arena, &p->columns, c);
    }
    *out = p;
    return true;
}
