/* DataFrame.stat, describe and summary as aggregates. */
#include "analyze/analyze_impl.h"

#include <math.h>

#include "base/clock.h"

static const Origin NOWHERE = {0, -1};

static bool find_named(Analyzer *a, const BoundRel *rel, Str name, BoundExpr **out, Error *err)
{
    Expr e = {.kind = EXPR_COLUMN, .origin = {0, -1}, .column = {.plan_id = -1}};
    TRY(name_parse(name, a->arena, &e.column.name, err));
    Scope scope = {.columns = &rel->columns};
    return bind_column(a, &e, &scope, out, err);
}

static bool cast_as(Analyzer *a, BoundExpr *e, TypeKind kind, BoundExpr **out)
{
    *out = e;
    if (e->type->kind != kind) {
        *out = bound_cast(e, type_simple(kind), CAST_LEGACY, true, a->arena);
        (*out)->cast.zone = a->func.zone;
    }
    return true;
}

static void push_aggregate(Analyzer *a, BoundRel *aggregate, BoundExpr *e, Str name)
{
    BoundColumn c = column_of_expr(a, e, name, (Str){0});
    BoundItem item = {e, c.id};
    vec_push(a->arena, &aggregate->aggregate.aggregates, item);
    vec_push(a->arena, &aggregate->columns, c);
}

/* ---- describe and summary ---- */

typedef struct Statistic {
    Str name;
    const char *function;
    double percentile;
} Statistic;

static bool parse_statistic(Str name, Statistic *out, Error *err)
{
    *out = (Statistic){.name = name};
    static const char *const PLAIN[] = {"count", "mean", "stddev", "min", "max", "count_distinct", "approx_count_distinct"};
    for (size_t i = 0; i < LENGTH_OF(PLAIN); i++)
        if (str_is_ci(name, PLAIN[i])) {
            out->function = PLAIN[i];
            return true;
        }
    double p;
    if (str_ends_with(name, S("%")) && str_to_f64(str_slice(name, 0, name.len - 1), &p) && p >= 0 && p <= 100) {
        out->function = "percentile_approx";
        out->percentile = p / 100.0;
        return true;
    }
    return error_set(err, ERR_UNRECOGNIZED_STATISTIC, P("stats", name));
}

static bool statistic_of(Analyzer *a, const Statistic *s, const BoundColumn *c, BoundExpr **out, Error *err)
{
    BoundExpr *e = bound_column(c, a->arena);
    Str f = str_from(s->function);
    bool text = type_is_stringy(c->type);
    bool numeric_only = str_is(f, "mean") || str_is(f, "stddev") || str_is(f, "percentile_approx");
    if (text && numeric_only)
        cast_as(a, e, TYPE_DOUBLE, &e);
    BoundExpr *args[2] = {e};
    size_t n = 1;
    if (str_is(f, "percentile_approx"))
        args[n++] = bound_literal(value_double(s->percentile), a->arena);
    const char *function = str_is(f, "count_distinct") ? "count" : s->function;
    TRY(bind_builtin(a, function, n, args, NOWHERE, out, err));
    (*out)->call.distinct = str_is(f, "count_distinct");
    return cast_as(a, *out, TYPE_STRING, out);
}

static bool describable(const Type *t)
{
    return type_is_numeric(t) || type_is_stringy(t);
}

/* One aggregate gives every figure; each statistic is then a row that picks its figures from it. */
static bool describe(Analyzer *a, BoundRel *input, const BoundColumnVec *columns, const StrVec *names, BoundRel **out, Error *err)
{
    CteEntry cte = {.id = ++a->last_cte, .name = S("statistics")};
    BoundRel *aggregate = brel_new(BREL_AGGREGATE, input, a->arena);
    BoundRel *calculated = brel_new(BREL_PROJECT, aggregate, a->arena);
    for (size_t s = 0; s < names->len; s++) {
        Statistic stat;
        TRY(parse_statistic(names->at[s], &stat, err));
        for (size_t c = 0; c < columns->len; c++) {
            BoundExpr *e;
            TRY(statistic_of(a, &stat, &columns->at[c], &e, err));
            TRY(split_aggregates(a, aggregate, &e, err));
            project_push(a, calculated, e, column_of_expr(a, e, columns->at[c].name, (Str){0}));
        }
    }
    if (!columns->len) {
        BoundExpr *one = bound_literal(value_int(TYPE_INT, 1), a->arena), *count;
        TRY(bind_builtin(a, "count", 1, &one, NOWHERE, &count, err));
        push_aggregate(a, aggregate, count, S("n"));
        project_push(a, calculated, bound_column(&aggregate->columns.at[0], a->arena), aggregate->columns.at[0]);
    }
    TRY(part_moments(a, aggregate, err));
    cte.definition = calculated;
    cte.columns = calculated->columns;
    BoundRel *all = brel_new(BREL_SETOP, NULL, a->arena);
    all->setop.kind = SETOP_UNION;
    all->setop.all = true;
    for (size_t s = 0; s < names->len; s++) {
        BoundRel *ref = cte_reference(a, &cte);
        BoundRel *row = brel_new(BREL_PROJECT, ref, a->arena);
        BoundExpr *label = bound_literal(value_string(names->at[s]), a->arena);
        BoundColumn summary = column_of_expr(a, label, S("summary"), (Str){0});
        summary.nullable = true;
        project_push(a, row, label, summary);
        for (size_t c = 0; c < columns->len; c++) {
            BoundColumn *source = &ref->columns.at[s * columns->len + c];
            BoundColumn column = *source;
            column.qualifier = (Name){0};
            column.nullable = true;
            project_push(a, row, bound_column(source, a->arena), column);
        }
        vec_push(a->arena, &all->setop.inputs, row);
    }
    all->columns = all->setop.inputs.at[0]->columns;
    BoundRel *with = brel_new(BREL_CTE, all, a->arena);
    with->columns = all->columns;
    with->cte.id = cte.id;
    with->cte.definition = calculated;
    *out = with;
    return true;
}

static bool stat_describe(Analyzer *a, const Rel *rel, BoundRel *input, BoundRel **out, Error *err)
{
    StrVec names = rel->stat.statistics;
    static const char *const DESCRIBE[] = {"count", "mean", "stddev", "min", "max"};
    static const char *const SUMMARY[] = {"count", "mean", "stddev", "min", "25%", "50%", "75%", "max"};
    bool summary = rel->stat.kind == STAT_SUMMARY;
    if (!names.len)
        for (size_t i = 0; i < (summary ? LENGTH_OF(SUMMARY) : LENGTH_OF(DESCRIBE)); i++)
            vec_push(a->arena, &names, str_from(summary ? SUMMARY[i] : DESCRIBE[i]));
    BoundColumnVec columns = {0};
    for (size_t i = 0; i < rel->stat.columns.len; i++) {
        BoundExpr *e;
        TRY(find_named(a, input, rel->stat.columns.at[i], &e, err));
        for (size_t k = 0; e->kind == BEXPR_COLUMN && k < input->columns.len; k++)
            if (input->columns.at[k].id == e->column.id && describable(e->type))
                vec_push(a->arena, &columns, input->columns.at[k]);
    }
    for (size_t i = 0; !rel->stat.columns.len && i < input->columns.len; i++)
        if (describable(input->columns.at[i].type))
            vec_push(a->arena, &columns, input->columns.at[i]);
    return describe(a, input, &columns, &names, out, err);
}

/* ---- two columns ---- */

static bool stat_pair(Analyzer *a, const Rel *rel, BoundRel *input, BoundRel **out, Error *err)
{
    BoundExpr *args[2], *e;
    for (size_t i = 0; i < 2; i++) {
        TRY(find_named(a, input, rel->stat.columns.at[i], &args[i], err));
        cast_as(a, args[i], TYPE_DOUBLE, &args[i]);
    }
    bool corr = rel->stat.kind == STAT_CORR;
    if (corr && rel->stat.method.len && !str_is_ci(rel->stat.method, "pearson"))
        return error_unsupported(err, "the correlation method " STR_FMT, STR_ARG(rel->stat.method));
    TRY(bind_builtin(a, corr ? "corr" : "covar_samp", 2, args, NOWHERE, &e, err));
    BoundRel *aggregate = brel_new(BREL_AGGREGATE, input, a->arena);
    push_aggregate(a, aggregate, e, corr ? S("corr") : S("cov"));
    /* Unlike the functions, these always give a number. */
    BoundExpr *value[2] = {bound_column(&aggregate->columns.at[0], a->arena), bound_literal(value_double(corr ? NAN : 0.0), a->arena)};
    TRY(bind_builtin(a, "coalesce", 2, value, NOWHERE, &e, err));
    BoundRel *p = brel_new(BREL_PROJECT, aggregate, a->arena);
    project_push(a, p, e, column_of_expr(a, e, aggregate->columns.at[0].name, (Str){0}));
    *out = p;
    return true;
}

/* ---- quantiles and frequent items ---- */

static bool stat_quantile(Analyzer *a, const Rel *rel, BoundRel *input, BoundRel **out, Error *err)
{
    BoundRel *aggregate = brel_new(BREL_AGGREGATE, input, a->arena);
    BoundExprVec lists = {0};
    BoundExprVec points = {0};
    for (size_t i = 0; i < rel->stat.numbers.len; i++)
        vec_push(a->arena, &points, bound_literal(value_double(rel->stat.numbers.at[i]), a->arena));
    for (size_t c = 0; c < rel->stat.columns.len; c++) {
        BoundExpr *args[2], *e;
        TRY(find_named(a, input, rel->stat.columns.at[c], &args[0], err));
        if (!type_is_numeric(args[0]->type))
            return error_unsupported(err, "approxQuantile of the non-numeric column " STR_FMT, STR_ARG(rel->stat.columns.at[c]));
        cast_as(a, args[0], TYPE_DOUBLE, &args[0]);
        TRY(bind_builtin(a, "array", points.len, points.at, NOWHERE, &args[1], err));
        TRY(bind_builtin(a, "percentile_approx", 2, args, NOWHERE, &e, err));
        push_aggregate(a, aggregate, e, rel->stat.columns.at[c]);
        vec_push(a->arena, &lists, bound_column(&vec_last(&aggregate->columns), a->arena));
    }
    BoundRel *p = brel_new(BREL_PROJECT, aggregate, a->arena);
    BoundExpr *all;
    TRY(bind_builtin(a, "array", lists.len, lists.at, NOWHERE, &all, err));
    project_push(a, p, all, column_of_expr(a, all, S("approx_quantile"), (Str){0}));
    *out = p;
    return true;
}

/* Exact frequent items satisfy the bound that Spark's approximate ones promise. */
static bool stat_frequent(Analyzer *a, const Rel *rel, BoundRel *input, BoundRel **out, Error *err)
{
    BoundRel *aggregate = brel_new(BREL_AGGREGATE, input, a->arena);
    for (size_t c = 0; c < rel->stat.columns.len; c++) {
        BoundExpr *e;
        TRY(find_named(a, input, rel->stat.columns.at[c], &e, err));
        BoundExpr *args[2] = {e, bound_literal(value_double(rel->stat.error_or_support), a->arena)};
        TRY(bind_builtin(a, "frequent_items", 2, args, NOWHERE, &e, err));
        push_aggregate(a, aggregate, e, str_printf(a->arena, STR_FMT "_freqItems", STR_ARG(rel->stat.columns.at[c])));
    }
    *out = aggregate;
    return true;
}

/* ---- contingency tables ---- */

static bool stat_crosstab(Analyzer *a, const Rel *rel, BoundRel *input, BoundRel **out, Error *err)
{
    BoundExpr *keys[2];
    for (size_t i = 0; i < 2; i++) {
        TRY(find_named(a, input, rel->stat.columns.at[i], &keys[i], err));
        cast_as(a, keys[i], TYPE_STRING, &keys[i]);
        BoundExpr *args[2] = {keys[i], bound_literal(value_string(S("null")), a->arena)};
        TRY(bind_builtin(a, "coalesce", 2, args, NOWHERE, &keys[i], err));
    }
    BoundRel *distinct = brel_new(BREL_AGGREGATE, input, a->arena);
    BoundColumn c = column_of_expr(a, keys[1], S("value"), (Str){0});
    BoundItem key = {keys[1], c.id};
    vec_push(a->arena, &distinct->aggregate.keys, key);
    vec_push(a->arena, &distinct->columns, c);
    BoundRel *sorted = brel_new(BREL_SORT, distinct, a->arena);
    sorted->columns = distinct->columns;
    BoundSort by = {bound_column(&c, a->arena), false, true};
    vec_push(a->arena, &sorted->sort.order, by);
    RowVec values = {0};
    TRY(run_rows(a, sorted, 10000, &values, err));
    BoundRel *aggregate = brel_new(BREL_AGGREGATE, input, a->arena);
    Str name = str_printf(a->arena, STR_FMT "_" STR_FMT, STR_ARG(rel->stat.columns.at[0]), STR_ARG(rel->stat.columns.at[1]));
    BoundColumn row = column_of_expr(a, keys[0], name, (Str){0});
    BoundItem row_key = {keys[0], row.id};
    vec_push(a->arena, &aggregate->aggregate.keys, row_key);
    vec_push(a->arena, &aggregate->columns, row);
    for (size_t i = 0; i < values.len; i++) {
        BoundExpr *one = bound_literal(value_int(TYPE_INT, 1), a->arena), *count;
        BoundExpr *args[2] = {keys[1], bound_literal(value_string(values.at[i].cells[0].bytes), a->arena)};
        TRY(bind_builtin(a, "count", 1, &one, NOWHERE, &count, err));
        TRY(bind_builtin(a, "=", 2, args, NOWHERE, &count->call.filter, err));
        push_aggregate(a, aggregate, count, values.at[i].cells[0].bytes);
    }
    *out = aggregate;
    return true;
}

static bool stat_sample_by(Analyzer *a, const Rel *rel, BoundRel *input, BoundRel **out, Error *err)
{
    Scope scope = scope_of(a, input);
    BoundExpr *stratum, *random;
    TRY(bind_expr(a, rel->stat.stratum, &scope, &stratum, err));
    BoundExpr *seed = bound_literal(value_int(TYPE_LONG, rel->stat.has_seed ? rel->stat.seed : clock_now_us()), a->arena);
    TRY(bind_builtin(a, "rand", 1, &seed, NOWHERE, &random, err));
    BoundExpr *fraction = bound_new(BEXPR_CASE, type_simple(TYPE_DOUBLE), false, a->arena);
    for (size_t i = 0; i < rel->stat.strata.len; i++) {
        Value v;
        TRY(analyze_constant(a, rel->stat.strata.at[i], NULL, &v, err));
        BoundExpr *args[2] = {stratum, bound_literal(v, a->arena)}, *same;
        TRY(bind_builtin(a, "<=>", 2, args, NOWHERE, &same, err));
        vec_push(a->arena, &fraction->cases.conditions, same);
        vec_push(a->arena, &fraction->cases.values, bound_literal(value_double(rel->stat.numbers.at[i]), a->arena));
    }
    fraction->cases.otherwise = bound_literal(value_double(0), a->arena);
    BoundExpr *compare[2] = {random, fraction};
    size_t visible = input->columns.len;
    BoundExpr *condition;
    TRY(bind_builtin(a, "<", 2, compare, NOWHERE, &condition, err));
    TRY(lift_partitions(a, &input, &condition, err));
    BoundRel *f = brel_new(BREL_FILTER, input, a->arena);
    f->columns = input->columns;
    f->filter.condition = condition;
    *out = hide_carried(a, f, visible);
    return true;
}

bool analyze_stat(Analyzer *a, const Rel *rel, BoundRel **out, Error *err)
{
    BoundRel *input;
    TRY(analyze_rel(a, rel->input, &input, err));
    input = strip_hidden(a, input);
    switch (rel->stat.kind) {
    case STAT_SUMMARY:
    case STAT_DESCRIBE:
        return stat_describe(a, rel, input, out, err);
    case STAT_COV:
    case STAT_CORR:
        return stat_pair(a, rel, input, out, err);
    case STAT_CROSSTAB:
        return stat_crosstab(a, rel, input, out, err);
    case STAT_FREQ_ITEMS:
        return stat_frequent(a, rel, input, out, err);
    case STAT_APPROX_QUANTILE:
        return stat_quantile(a, rel, input, out, err);
    case STAT_SAMPLE_BY:
        return stat_sample_by(a, rel, input, out, err);
    }
    return error_unsupported(err, "this statistic");
}
