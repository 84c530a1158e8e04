/* What every row of a table must satisfy: NOT NULL, CHECK, invariants, lengths of texts, generated columns. */
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

/* How long texts may be, at any depth: ((a IS NULL) OR (length(a) <= 4)), as Delta says it. */
static bool put_length_check(CommandContext *ctx, const Type *t, Str e, size_t depth, Buf *out)
{
    Arena *a = ctx->arena;
    Str each = str_printf(a, "x%zu", depth);
    Buf inner = buf_in(a);
    switch (t->kind) {
    case TYPE_CHAR: case TYPE_VARCHAR:
        buf_addf(out, "%s((" STR_FMT " IS NULL) OR (length(" STR_FMT ") <= %d))", out->len ? " AND " : "", STR_ARG(e), STR_ARG(e), t->text.length);
        return true;
    case TYPE_STRUCT:
        for (size_t i = 0; i < t->structure.count; i++)
            put_length_check(ctx, t->structure.fields[i].type, str_printf(a, STR_FMT ".`" STR_FMT "`", STR_ARG(e), STR_ARG(t->structure.fields[i].name)), depth, out);
        return out->len > 0;
    case TYPE_ARRAY:
        if (put_length_check(ctx, t->array.element, each, depth + 1, &inner))
            buf_addf(out, "%s((" STR_FMT " IS NULL) OR forall(" STR_FMT ", " STR_FMT " -> " STR_FMT "))", out->len ? " AND " : "", STR_ARG(e), STR_ARG(e),
                     STR_ARG(each), STR_ARG(buf_str(&inner)));
        return out->len > 0;
    case TYPE_MAP:
        put_length_check(ctx, type_array(t->map.key, false, a), str_printf(a, "map_keys(" STR_FMT ")", STR_ARG(e)), depth, out);
        put_length_check(ctx, type_array(t->map.value, true, a), str_printf(a, "map_values(" STR_FMT ")", STR_ARG(e)), depth, out);
        return out->len > 0;
    default: return false;
    }
}

static bool check_length(CommandContext *ctx, const BoundColumn *c, const Field *f, const BoundColumnVec *columns, CheckVec *out, Error *err)
{
    SqlOptions options = session_sql_options(ctx->session, ctx->arena);
    const Type *declared;
    Buf sql = buf_in(ctx->arena), shown = buf_in(ctx->arena);
    Check check;
    Expr *e;
    TRY(field_declared_type(f, ctx->arena, &declared, err));
    if (!put_length_check(ctx, declared, str_printf(ctx->arena, "`" STR_FMT "`", STR_ARG(f->name)), 0, &sql))
        return true;
    put_length_check(ctx, declared, f->name, 0, &shown);
    TRY(sql_parse_expr(buf_str(&sql), &options, ctx->arena, &e, err));
    TRY(analyze_condition(ctx->analyzer, e, columns, &check.holds, err));
    Error raised = error_in(ctx->arena);
    error_set(&raised, ERR_DELTA_EXCEED_CHAR_VARCHAR_LIMIT, PZ("value", "\x01"), P("expr", buf_str(&shown)));
    Str whole = error_message(&raised, ctx->arena);
    ptrdiff_t at = str_find_char(whole, '\x01');
    BoundExpr *value = bound_cast(bound_column(c, ctx->arena), type_simple(TYPE_STRING), CAST_LEGACY, true, ctx->arena);
    value->cast.zone = analyzer_func(ctx->analyzer)->zone;
    BoundExpr *parts[3] = {text(ctx, str_slice(whole, 0, (size_t)at)), value, text(ctx, str_slice(whole, (size_t)at + 1, whole.len))};
    TRY(build_call(ctx, "concat", 3, parts, &check.message, err));
    vec_push(ctx->arena, out, check);
    return true;
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
        TRY(check_length(ctx, &columns->at[i], f, columns, out, err));
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
