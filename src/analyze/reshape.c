/* Pivot, unpivot and transpose: rows become columns and back. */
#include "analyze/analyze_impl.h"

static const Origin NOWHERE = {0, -1};
enum { PIVOT_MAX_VALUES = 10000, TRANSPOSE_MAX_ROWS = 500 };

/* ---- unpivot ---- */

static bool bind_columns(Analyzer *a, const ExprVec *in, Scope *scope, NamedItemVec *out, Error *err)
{
    BoundRel *none = NULL;
    return bind_items(a, in, scope, &none, out, err);
}

static bool is_id(const NamedItemVec *ids, ColumnId id)
{
    for (size_t i = 0; i < ids->len; i++)
        if (ids->at[i].expr->kind == BEXPR_COLUMN && ids->at[i].expr->column.id == id)
            return true;
    return false;
}

static int compare_name(const void *left, const void *right)
{
    return str_cmp(*(const Str *)left, *(const Str *)right);
}

/* "INT" (`a`, `b`), "STRING" (`c`): each type, in the order of their texts, with up to three of its columns. */
static void put_column_types(Analyzer *a, const NamedItemVec *values, Buf *out)
{
    enum { SHOWN_MAX = 3 };
    StrVec types = {0};
    for (size_t i = 0; i < values->len; i++) {
        Str text = type_sql(values->at[i].expr->type, a->arena);
        bool known = false;
        for (size_t t = 0; t < types.len && !known; t++)
            known = str_eq(types.at[t], text);
        if (!known)
            vec_push(a->arena, &types, text);
    }
    qsort(types.at, types.len, sizeof *types.at, compare_name);
    for (size_t t = 0; t < types.len; t++) {
        StrVec names = {0};
        for (size_t i = 0; i < values->len; i++)
            if (str_eq(types.at[t], type_sql(values->at[i].expr->type, a->arena)))
                vec_push(a->arena, &names, values->at[i].name);
        qsort(names.at, names.len, sizeof *names.at, compare_name);
        buf_addf(out, "%s\"" STR_FMT "\" (", t ? ", " : "", STR_ARG(types.at[t]));
        for (size_t i = 0; i < names.len && i < SHOWN_MAX; i++)
            buf_addf(out, "%s`" STR_FMT "`", i ? ", " : "", STR_ARG(names.at[i]));
        buf_addz(out, names.len > SHOWN_MAX ? ", ...)" : ")");
    }
}

/* Values meet in a wider type, but never as texts. */
static bool mixes_texts(const BoundExprVec *column)
{
    bool text = false, other = false;
    for (size_t i = 0; i < column->len; i++) {
        TypeKind kind = column->at[i]->type->kind;
        text |= kind == TYPE_STRING;
        other |= kind != TYPE_STRING && kind != TYPE_NULL;
    }
    return text && other;
}

static bool value_mismatch(Analyzer *a, const NamedItemVec *values, Error *err)
{
    Buf types = buf_in(a->arena);
    put_column_types(a, values, &types);
    error_clear(err);
    return error_set(err, ERR_UNPIVOT_VALUE_DATA_TYPE_MISMATCH, P("types", buf_str(&types)));
}

/* Each value column (or group of them) gives one row per input row: a union of projections over one shared input. */
static void unpivot_rows(Analyzer *a, const Rel *rel, BoundRel *input, const NamedItemVec *ids, const NamedItemVec *values,
                         size_t group, BoundRel **out)
{
    BoundRel *all = brel_new(BREL_SETOP, NULL, a->arena);
    all->setop.kind = SETOP_UNION;
    all->setop.all = true;
    for (size_t v = 0; v + group <= values->len; v += group) {
        BoundRel *row = brel_new(BREL_PROJECT, NULL, a->arena);
        for (size_t i = 0; i < ids->len; i++)
            project_push(a, row, ids->at[i].expr, column_of_expr(a, ids->at[i].expr, ids->at[i].name, (Str){0}));
        Buf label = buf_in(a->arena);
        for (size_t g = 0; g < group; g++)
            buf_addf(&label, "%s" STR_FMT, g ? "_" : "", STR_ARG(values->at[v + g].name));
        Str text = v / group < rel->unpivot.aliases.len && rel->unpivot.aliases.at[v / group].len ? rel->unpivot.aliases.at[v / group] : buf_str(&label);
        BoundExpr *name = bound_literal(value_string(text), a->arena);
        project_push(a, row, name, column_of_expr(a, name, rel->unpivot.variable_name, (Str){0}));
        for (size_t g = 0; g < group; g++) {
            Str value_name = g < rel->unpivot.value_names.len ? rel->unpivot.value_names.at[g] : rel->unpivot.value_name;
            BoundColumn c = column_of_expr(a, values->at[v + g].expr, value_name, (Str){0});
            for (size_t k = g; k < values->len; k += group)
                c.nullable |= values->at[k].expr->nullable;
            project_push(a, row, values->at[v + g].expr, c);
        }
        vec_push(a->arena, &all->setop.inputs, row);
        row->input = input;
    }
    all->columns = all->setop.inputs.at[0]->columns;
    *out = all;
}

static bool drop_null_values(Analyzer *a, BoundRel *rel, size_t group, BoundRel **out, Error *err)
{
    BoundExpr *any = NULL;
    for (size_t g = 0; g < group; g++) {
        BoundExpr *e = bound_column(&rel->columns.at[rel->columns.len - group + g], a->arena), *present;
        TRY(bind_builtin(a, "isnotnull", 1, &e, NOWHERE, &present, err));
        BoundExpr *both[2] = {any, present};
        if (any)
            TRY(bind_builtin(a, "or", 2, both, NOWHERE, &any, err));
        else
            any = present;
    }
    BoundRel *f = brel_new(BREL_FILTER, rel, a->arena);
    f->columns = rel->columns;
    f->filter.condition = any;
    *out = f;
    return true;
}

bool analyze_unpivot(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    input = strip_hidden(a, input);
    Scope scope = scope_of(a, input);
    NamedItemVec ids = {0}, values = {0};
    size_t group = 1;
    TRY(bind_columns(a, &rel->unpivot.ids, &scope, &ids, err));
    bool sql = rel->unpivot.value_groups.len > 0;
    for (size_t g = 0; g < rel->unpivot.value_groups.len; g++) {
        TRY(bind_columns(a, &rel->unpivot.value_groups.at[g], &scope, &values, err));
        group = rel->unpivot.value_groups.at[g].len;
    }
    if (!sql)
        TRY(bind_columns(a, &rel->unpivot.values, &scope, &values, err));
    for (size_t i = 0; !sql && !rel->unpivot.has_values && i < input->columns.len; i++)
        if (!is_id(&ids, input->columns.at[i].id)) {
            NamedItem item = {input->columns.at[i].name, bound_column(&input->columns.at[i], a->arena)};
            vec_push(a->arena, &values, item);
        }
    for (size_t i = 0; sql && i < input->columns.len; i++)
        if (!is_id(&values, input->columns.at[i].id)) {
            NamedItem item = {input->columns.at[i].name, bound_column(&input->columns.at[i], a->arena)};
            vec_push(a->arena, &ids, item);
        }
    if (!values.len)
        return error_set(err, ERR_UNPIVOT_REQUIRES_VALUE_COLUMNS);
    for (size_t g = 0; g < group; g++) {
        BoundExprVec column = {0};
        for (size_t v = g; v < values.len; v += group)
            vec_push(a->arena, &column, values.at[v].expr);
        if (mixes_texts(&column) || !coerce_all(a, &column, "unpivot", err))
            return value_mismatch(a, &values, err);
        for (size_t v = g, k = 0; v < values.len; v += group, k++)
            values.at[v].expr = column.at[k];
    }
    unpivot_rows(a, rel, input, &ids, &values, group, out);
    return rel->unpivot.include_nulls ? true : drop_null_values(a, *out, group, out, err);
}

/* ---- pivot ---- */

static bool distinct_values(Analyzer *a, BoundRel *input, BoundExpr *key, RowVec *out, Error *err)
{
    BoundRel *d = brel_new(BREL_AGGREGATE, input, a->arena);
    BoundColumn c = column_of_expr(a, key, S("value"), (Str){0});
    BoundItem item = {key, c.id};
    vec_push(a->arena, &d->aggregate.keys, item);
    vec_push(a->arena, &d->columns, c);
    BoundRel *s = brel_new(BREL_SORT, d, a->arena);
    s->columns = d->columns;
    BoundSort by = {bound_column(&c, a->arena), false, true};
    vec_push(a->arena, &s->sort.order, by);
    return run_rows(a, s, PIVOT_MAX_VALUES, out, err);
}

/* Restricts every aggregate below e to the rows of one pivot value. */
typedef struct PivotFilter {
    Analyzer *a;
    BoundExpr *condition;
    Error *err;
} PivotFilter;

static bool add_filter(BoundExpr **slot, void *arg)
{
    PivotFilter *p = arg;
    BoundExpr *e = *slot;
    if (e->kind != BEXPR_AGGREGATE)
        return bound_each_child(e, add_filter, p);
    BoundExpr *both[2] = {e->call.filter, p->condition};
    if (!e->call.filter)
        e->call.filter = p->condition;
    else
        TRY(bind_builtin(p->a, "and", 2, both, NOWHERE, &e->call.filter, p->err));
    return true;
}

/* Spark aggregates numbers and booleans by group and pivot value first: a group without rows of a value has NULL there, also
 * for count. Other types it aggregates as here, where such a count is 0. */
static bool pivots_first(const BoundExpr *e)
{
    return type_is_numeric(e->type) || e->type->kind == TYPE_BOOLEAN;
}

static bool null_without_rows(Analyzer *a, BoundExpr *condition, BoundExpr **e, Error *err)
{
    if ((*e)->kind == BEXPR_AGGREGATE && (*e)->nullable)
        return true;
    BoundExpr *some[2], *choice[3] = {NULL, *e, bound_literal(value_null((*e)->type), a->arena)};
    TRY(bind_builtin(a, "count_if", 1, &condition, NOWHERE, &some[0], err));
    some[1] = bound_literal((Value){.type = type_simple(TYPE_LONG), .integer = 0}, a->arena);
    TRY(bind_builtin(a, ">", 2, some, NOWHERE, &choice[0], err));
    return bind_builtin(a, "if", 3, choice, NOWHERE, e, err);
}

static Str pivot_label(Analyzer *a, const Value *v)
{
    return v->is_null ? S("null") : value_to_text(v, a->func.zone, a->arena);
}

typedef struct PivotValue {
    BoundExpr *expr;
    Str label;
} PivotValue;
typedef VEC(PivotValue) PivotValueVec;

static bool pivot_columns(Analyzer *a, BoundRel *aggregate, BoundExpr *key, const PivotValueVec *values, const ExprVec *aggregates,
                          NamedItemVec *items, Error *err)
{
    bool first = true;
    Scope scope = scope_of(a, aggregate->input);
    scope.allow_aggregates = true;
    for (size_t g = 0; g < aggregates->len; g++) {
        BoundExpr *e;
        TRY(bind_expr(a, aggregates->at[g], &scope, &e, err));
        first = first && pivots_first(e);
    }
    for (size_t v = 0; v < values->len; v++) {
        BoundExpr *args[2] = {key, values->at[v].expr}, *condition;
        TRY(bind_builtin(a, "<=>", 2, args, NOWHERE, &condition, err));
        for (size_t g = 0; g < aggregates->len; g++) {
            const Expr *e = aggregates->at[g];
            NamedItem item;
            TRY(bind_expr(a, e, &scope, &item.expr, err));
            TRY(parsed_text(a, e, &e, err));
            Str own = e->kind == EXPR_ALIAS ? e->alias.names.at[0] : func_pretty_name(item.expr, a->func.zone, a->arena);
            item.name = aggregates->len == 1 ? values->at[v].label
                                             : str_printf(a->arena, STR_FMT "_" STR_FMT, STR_ARG(values->at[v].label), STR_ARG(own));
            PivotFilter p = {a, condition, err};
            TRY(add_filter(&item.expr, &p));
            if (first)
                TRY(null_without_rows(a, condition, &item.expr, err));
            TRY(split_aggregates(a, aggregate, &item.expr, err));
            vec_push(a->arena, items, item);
        }
    }
    return true;
}

static void push_key(Analyzer *a, BoundRel *aggregate, BoundExpr *key, Str name, NamedItemVec *items)
{
    BoundColumn c = column_of_expr(a, key, name, (Str){0});
    if (key->kind == BEXPR_COLUMN)
        for (size_t i = 0; i < aggregate->input->columns.len; i++)
            if (aggregate->input->columns.at[i].id == key->column.id)
                c = aggregate->input->columns.at[i];
    BoundItem item = {key, c.id};
    vec_push(a->arena, &aggregate->aggregate.keys, item);
    vec_push(a->arena, &aggregate->columns, c);
    NamedItem out = {name, bound_column(&c, a->arena)};
    vec_push(a->arena, items, out);
}

static bool given_values(Analyzer *a, const ExprVec *in, const StrVec *names, const BoundRel *input, const Type *type,
                         PivotValueVec *out, Error *err)
{
    for (size_t i = 0; i < in->len; i++) {
        Scope scope = scope_of(a, input);
        PivotValue v;
        Value constant;
        TRY(bind_expr(a, in->at[i], &scope, &v.expr, err));
        if (!bound_is_constant(v.expr))
            return error_set(err, ERR_NON_LITERAL_PIVOT_VALUES,
                             P("expression", str_printf(a->arena, "\"" STR_FMT "\"", STR_ARG(func_sql_text(v.expr, a->func.zone, a->arena)))));
        TRY(analyze_constant(a, in->at[i], NULL, &constant, err));
        v.label = names && i < names->len && names->at[i].len ? names->at[i] : pivot_label(a, &constant);
        if (in->at[i]->kind == EXPR_ALIAS)
            v.label = in->at[i]->alias.names.at[0];
        if (type->kind == TYPE_STRUCT && v.expr->type->kind == TYPE_STRUCT && type->structure.count == v.expr->type->structure.count)
            v.expr = bound_cast(v.expr, type, CAST_ANSI, true, a->arena); /* (1, 'a'): fields go by position */
        if (type_is_stringy(v.expr->type) && type_is_stringy(type))
            v.expr = bound_cast(v.expr, type, CAST_ANSI, true, a->arena); /* of the column's collation */
        if (!coerce_common(v.expr->type, type, a->ansi, a->arena))
            return error_set(err, ERR_PIVOT_VALUE_DATA_TYPE_MISMATCH, P("value", v.label), P("valueType", type_simple_string(v.expr->type, a->arena)),
                             P("pivotType", type_simple_string(type, a->arena)));
        vec_push(a->arena, out, v);
    }
    return true;
}

bool analyze_pivot_group(Analyzer *a, const Rel *rel, BoundRel *input, BoundRel **out, Error *err)
{
    input = strip_hidden(a, input);
    BoundRel *aggregate = brel_new(BREL_AGGREGATE, input, a->arena);
    NamedItemVec items = {0};
    Scope scope = scope_of(a, input);
    NamedItemVec keys = {0};
    TRY(bind_columns(a, &rel->aggregate.keys, &scope, &keys, err));
    for (size_t i = 0; i < keys.len; i++)
        push_key(a, aggregate, keys.at[i].expr, keys.at[i].name, &items);
    BoundExpr *pivot;
    TRY(bind_expr(a, rel->aggregate.pivot_column, &scope, &pivot, err));
    PivotValueVec values = {0};
    if (rel->aggregate.pivot_values.len)
        TRY(given_values(a, &rel->aggregate.pivot_values, NULL, input, pivot->type, &values, err));
    else {
        RowVec rows = {0};
        TRY(distinct_values(a, input, pivot, &rows, err));
        for (size_t i = 0; i < rows.len; i++) {
            Value v = rows.at[i].cells[0];
            v.type = pivot->type;
            PivotValue p = {bound_literal(v, a->arena), pivot_label(a, &v)};
            vec_push(a->arena, &values, p);
        }
    }
    TRY(pivot_columns(a, aggregate, pivot, &values, &rel->aggregate.items, &items, err));
    *out = project_items(a, aggregate, &items, NULL);
    return true;
}

typedef struct Used {
    Analyzer *a;
    VEC(ColumnId) ids;
} Used;

static bool note_column(BoundExpr **e, void *arg)
{
    Used *u = arg;
    if ((*e)->kind == BEXPR_COLUMN)
        vec_push(u->a->arena, &u->ids, (*e)->column.id);
    return bound_each_child(*e, note_column, u);
}

static bool is_used(const Used *u, ColumnId id)
{
    for (size_t i = 0; i < u->ids.len; i++)
        if (u->ids.at[i] == id)
            return true;
    return false;
}

/* SQL PIVOT groups by every column that neither the aggregates nor the pivot column mention. */
bool analyze_pivot_clause(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    input = strip_hidden(a, input);
    Scope scope = scope_of(a, input);
    scope.allow_aggregates = true;
    Used used = {.a = a};
    BoundExprVec columns = {0};
    TRY(bind_exprs(a, &rel->pivot.columns, &scope, &columns, err));
    for (size_t i = 0; i < columns.len; i++)
        note_column(&columns.at[i], &used);
    for (size_t i = 0; i < rel->pivot.aggregates.len; i++) {
        BoundExpr *e;
        TRY(bind_expr(a, rel->pivot.aggregates.at[i], &scope, &e, err));
        note_column(&e, &used);
    }
    BoundExpr *key = columns.at[0];
    if (columns.len > 1) {
        Expr *call = expr_call(a->arena, "struct", rel->pivot.columns.len, rel->pivot.columns.at);
        TRY(bind_expr(a, call, &scope, &key, err));
    }
    BoundRel *aggregate = brel_new(BREL_AGGREGATE, input, a->arena);
    NamedItemVec items = {0};
    for (size_t i = 0; i < input->columns.len; i++)
        if (!is_used(&used, input->columns.at[i].id))
            push_key(a, aggregate, bound_column(&input->columns.at[i], a->arena), input->columns.at[i].name, &items);
    PivotValueVec values = {0};
    TRY(given_values(a, &rel->pivot.values, &rel->pivot.value_names, input, key->type, &values, err));
    TRY(pivot_columns(a, aggregate, key, &values, &rel->pivot.aggregates, &items, err));
    *out = project_items(a, aggregate, &items, NULL);
    return true;
}

/* ---- transpose ---- */

static bool transpose_type(Analyzer *a, const BoundRel *input, ColumnId index, const Type **out, Error *err)
{
    *out = NULL;
    for (size_t i = 0; i < input->columns.len; i++) {
        const BoundColumn *c = &input->columns.at[i];
        if (c->id == index)
            continue;
        const Type *wider = *out ? coerce_common(*out, c->type, a->ansi, a->arena) : c->type;
        if (!wider)
            return error_set(err, ERR_TRANSPOSE_NO_LEAST_COMMON_TYPE, P("dt1", type_sql(*out, a->arena)), P("dt2", type_sql(c->type, a->arena)));
        *out = wider;
    }
    if (!*out)
        *out = type_simple(TYPE_STRING);
    return true;
}

/* The result's columns are the values of the index column, so the rows are read while the plan is made. */
bool analyze_transpose(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    input = strip_hidden(a, input);
    Scope scope = scope_of(a, input);
    BoundExpr *index = input->columns.len ? bound_column(&input->columns.at[0], a->arena) : NULL;
    if (rel->transpose.index_columns.len)
        TRY(bind_expr(a, rel->transpose.index_columns.at[0], &scope, &index, err));
    if (!index || index->kind != BEXPR_COLUMN || type_is_nested(index->type))
        return error_set(err, ERR_TRANSPOSE_INVALID_INDEX_COLUMN, PZ("reason", "Index column must be of atomic type"));
    const Type *type;
    TRY(transpose_type(a, input, index->column.id, &type, err));
    BoundRel *p = brel_new(BREL_PROJECT, input, a->arena);
    BoundExpr *label = bound_cast(index, type_simple(TYPE_STRING), CAST_LEGACY, true, a->arena);
    label->cast.zone = a->func.zone;
    project_push(a, p, label, column_of_expr(a, label, S("key"), (Str){0}));
    for (size_t i = 0; i < input->columns.len; i++) {
        BoundExpr *e = bound_column(&input->columns.at[i], a->arena);
        if (e->column.id == index->column.id)
            continue;
        TRY(coerce_to(a, e, type, &e, err));
        project_push(a, p, e, column_of_expr(a, e, input->columns.at[i].name, (Str){0}));
    }
    BoundRel *s = brel_new(BREL_SORT, p, a->arena);
    s->columns = p->columns;
    BoundSort by = {bound_column(&p->columns.at[0], a->arena), false, true};
    vec_push(a->arena, &s->sort.order, by);
    RowVec rows = {0};
    TRY(run_rows(a, s, TRANSPOSE_MAX_ROWS, &rows, err));
    VEC(Field) fields = {0};
    Field key = {S("key"), type_simple(TYPE_STRING), false, {0}};
    vec_push(a->arena, &fields, key);
    IndexVec used_rows = {0};
    for (size_t r = 0; r < rows.len; r++) {
        if (rows.at[r].cells[0].is_null)
            continue;
        Field f = {rows.at[r].cells[0].bytes, type, true, {0}};
        vec_push(a->arena, &fields, f);
        vec_push(a->arena, &used_rows, r);
    }
    RowVec turned = {0};
    for (size_t c = 1; c < p->columns.len; c++) {
        Row row = {ARENA_ARRAY(a->arena, Value, fields.len)};
        row.cells[0] = value_string(p->columns.at[c].name);
        for (size_t k = 0; k < used_rows.len; k++)
            row.cells[k + 1] = rows.at[used_rows.at[k]].cells[c];
        vec_push(a->arena, &turned, row);
    }
    *out = rel_of_values(a, type_struct(fields.at, fields.len, a->arena), &turned);
    return true;
}
