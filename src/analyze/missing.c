/* DataFrame.na: filling, dropping and replacing. */
#include "analyze/analyze_impl.h"

static bool chosen(Analyzer *a, const StrVec *names, const BoundColumn *c)
{
    if (!names->len)
        return true;
    for (size_t i = 0; i < names->len; i++)
        if (name_matches(a, names->at[i], c->name))
            return true;
    return false;
}

static bool check_names(Analyzer *a, const StrVec *names, const BoundRel *rel, Error *err)
{
    for (size_t i = 0; i < names->len; i++) {
        bool found = false;
        for (size_t k = 0; k < rel->columns.len && !found; k++)
            found = name_matches(a, rel->columns.at[k].name, names->at[i]);
        if (found)
            continue;
        Expr e = {.kind = EXPR_COLUMN, .origin = {0, -1}, .column = {.plan_id = -1}};
        TRY(name_parse(names->at[i], a->arena, &e.column.name, err));
        Scope scope = {.columns = &rel->columns};
        return column_missing(a, &e, &scope, err);
    }
    return true;
}

/* A numeric value fills numeric columns, a string fills string columns, a boolean boolean ones. */
static bool fills(const Value *v, const Type *t)
{
    if (type_is_numeric(v->type))
        return type_is_numeric(t);
    if (v->type->kind == TYPE_BOOLEAN)
        return t->kind == TYPE_BOOLEAN;
    return type_is_stringy(t);
}

static bool filled(Analyzer *a, const BoundColumn *c, const Value *v, BoundExpr **out, Error *err)
{
    BoundExpr *args[2] = {bound_column(c, a->arena), bound_literal(*v, a->arena)};
    if (c->type->kind == TYPE_FLOAT || c->type->kind == TYPE_DOUBLE) {
        BoundExpr *nan[2] = {args[0], bound_literal(value_null(c->type), a->arena)};
        TRY(bind_builtin(a, "nanvl", 2, nan, (Origin){0, -1}, &args[0], err));
        args[0]->nullable = true;
    }
    if (!type_same_shape(args[1]->type, c->type)) {
        args[1] = bound_cast(args[1], c->type, CAST_LEGACY, true, a->arena);
        args[1]->cast.zone = a->func.zone;
    }
    return bind_builtin(a, "coalesce", 2, args, (Origin){0, -1}, out, err);
}

bool analyze_na_fill(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    input = strip_hidden(a, input);
    TRY(check_names(a, &rel->na_fill.columns, input, err));
    bool one_value = rel->na_fill.values.len == 1;
    BoundRel *p = brel_new(BREL_PROJECT, input, a->arena);
    for (size_t i = 0; i < input->columns.len; i++) {
        const BoundColumn *c = &input->columns.at[i];
        BoundExpr *e = bound_column(c, a->arena);
        BoundColumn made = *c;
        for (size_t k = 0; k < rel->na_fill.values.len; k++) {
            Value v;
            bool mine = one_value ? chosen(a, &rel->na_fill.columns, c)
                                  : k < rel->na_fill.columns.len && name_matches(a, rel->na_fill.columns.at[k], c->name);
            TRY(analyze_constant(a, rel->na_fill.values.at[k], NULL, &v, err));
            if (!mine || !fills(&v, c->type))
                continue;
            TRY(filled(a, c, &v, &e, err));
            made = column_of_expr(a, e, c->name, c->metadata);
        }
        project_push(a, p, e, made);
    }
    *out = p;
    return true;
}

static bool present(Analyzer *a, const BoundColumn *c, BoundExpr **out, Error *err)
{
    BoundExpr *e = bound_column(c, a->arena);
    if (c->type->kind == TYPE_FLOAT || c->type->kind == TYPE_DOUBLE) {
        BoundExpr *nan[2] = {e, bound_literal(value_null(c->type), a->arena)};
        TRY(bind_builtin(a, "nanvl", 2, nan, (Origin){0, -1}, &e, err));
    }
    return bind_builtin(a, "isnotnull", 1, &e, (Origin){0, -1}, out, err);
}

bool analyze_na_drop(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    input = strip_hidden(a, input);
    TRY(check_names(a, &rel->na_drop.columns, input, err));
    BoundExpr *count = bound_literal(value_int(TYPE_INT, 0), a->arena);
    int64_t wanted = 0;
    for (size_t i = 0; i < input->columns.len; i++) {
        if (!chosen(a, &rel->na_drop.columns, &input->columns.at[i]))
            continue;
        BoundExpr *is_present, *sum[2] = {count};
        TRY(present(a, &input->columns.at[i], &is_present, err));
        sum[1] = bound_cast(is_present, type_simple(TYPE_INT), CAST_LEGACY, true, a->arena);
        TRY(bind_builtin(a, "+", 2, sum, (Origin){0, -1}, &count, err));
        wanted++;
    }
    if (rel->na_drop.has_min)
        wanted = rel->na_drop.min_non_nulls;
    BoundExpr *compare[2] = {count, bound_literal(value_int(TYPE_INT, wanted), a->arena)};
    BoundRel *f = brel_new(BREL_FILTER, input, a->arena);
    f->columns = input->columns;
    TRY(bind_builtin(a, ">=", 2, compare, (Origin){0, -1}, &f->filter.condition, err));
    *out = f;
    return true;
}

static bool replaceable(const Type *column, const Value *from)
{
    if (from->is_null || from->type->kind == TYPE_NULL)
        return true;
    if (type_is_numeric(from->type))
        return type_is_numeric(column);
    return type_same_shape(from->type, column) || (type_is_stringy(from->type) && type_is_stringy(column));
}

static bool replaced(Analyzer *a, const Rel *rel, const BoundColumn *c, BoundExpr **out, Error *err)
{
    BoundExpr *cases = bound_new(BEXPR_CASE, c->type, c->nullable, a->arena);
    for (size_t k = 0; k < rel->na_replace.from.len; k++) {
        Value from, to;
        TRY(analyze_constant(a, rel->na_replace.from.at[k], NULL, &from, err));
        TRY(analyze_constant(a, rel->na_replace.to.at[k], NULL, &to, err));
        if (!replaceable(c->type, &from))
            continue;
        BoundExpr *args[2] = {bound_column(c, a->arena), bound_literal(from, a->arena)};
        BoundExpr *same, *value = bound_literal(to, a->arena);
        TRY(bind_builtin(a, from.is_null ? "<=>" : "=", 2, args, (Origin){0, -1}, &same, err));
        if (to.is_null)
            value = bound_literal(value_null(c->type), a->arena);
        else if (!type_same_shape(value->type, c->type)) {
            value = bound_cast(value, c->type, CAST_LEGACY, true, a->arena);
            value->cast.zone = a->func.zone;
        }
        cases->nullable |= to.is_null;
        vec_push(a->arena, &cases->cases.conditions, same);
        vec_push(a->arena, &cases->cases.values, value);
    }
    *out = NULL;
    if (!cases->cases.conditions.len)
        return true;
    cases->cases.otherwise = bound_column(c, a->arena);
    *out = cases;
    return true;
}

bool analyze_na_replace(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    input = strip_hidden(a, input);
    TRY(check_names(a, &rel->na_replace.columns, input, err));
    BoundRel *p = brel_new(BREL_PROJECT, input, a->arena);
    for (size_t i = 0; i < input->columns.len; i++) {
        const BoundColumn *c = &input->columns.at[i];
        BoundExpr *e = NULL;
        if (chosen(a, &rel->na_replace.columns, c))
            TRY(replaced(a, rel, c, &e, err));
        if (e)
            project_push(a, p, e, column_of_expr(a, e, c->name, c->metadata));
        else
            project_push(a, p, bound_column(c, a->arena), *c);
    }
    *out = p;
    return true;
}
