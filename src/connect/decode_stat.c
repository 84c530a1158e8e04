/* DataFrame.na and DataFrame.stat messages. */
#include "connect/decode_impl.h"

#define REL_CASE(name) SPARK__CONNECT__RELATION__REL_TYPE_##name

static bool stat_over(Decoder *d, RelKind kind, const PB(Relation) *input, Rel **out)
{
    Rel *child;
    if (input == NULL)
        return decode_missing(d, "Relation", "input");
    DECODE(decode_rel(d, input, &child));
    *out = rel_new(kind, child, d->arena);
    return true;
}

static bool push_literal(Decoder *d, const PB(Expression__Literal) *literal, ExprVec *out)
{
    Expr *e;
    DECODE(decode_literal_expr(d, literal, &e));
    vec_push(d->arena, out, e);
    return true;
}

static bool decode_na_fill(Decoder *d, const PB(NAFill) *f, Rel **out)
{
    DECODE(stat_over(d, REL_NA_FILL, f->input, out));
    if (f->n_values == 0)
        return error_set(d->err, ERR_CONNECT_INVALID_PLAN__NA_FILL_VALUES_EMPTY);
    if (f->n_values > 1 && f->n_values != f->n_cols)
        return error_set(d->err, ERR_CONNECT_INVALID_PLAN__NA_FILL_VALUES_LENGTH_MISMATCH);
    (*out)->na_fill.columns = decode_strs(d, f->n_cols, f->cols);
    for (size_t i = 0; i < f->n_values; i++)
        DECODE(push_literal(d, f->values[i], &(*out)->na_fill.values));
    return true;
}

static bool decode_na_replace(Decoder *d, const PB(NAReplace) *r, Rel **out)
{
    DECODE(stat_over(d, REL_NA_REPLACE, r->input, out));
    (*out)->na_replace.columns = decode_strs(d, r->n_cols, r->cols);
    for (size_t i = 0; i < r->n_replacements; i++) {
        DECODE(push_literal(d, r->replacements[i]->old_value, &(*out)->na_replace.from));
        DECODE(push_literal(d, r->replacements[i]->new_value, &(*out)->na_replace.to));
    }
    return true;
}

static bool stat_of(Decoder *d, StatKind kind, const PB(Relation) *input, Rel **out)
{
    DECODE(stat_over(d, REL_STAT, input, out));
    (*out)->stat.kind = kind;
    return true;
}

static void two_columns(Decoder *d, Rel *rel, const char *a, const char *b)
{
    vec_push(d->arena, &rel->stat.columns, wire_str(a));
    vec_push(d->arena, &rel->stat.columns, wire_str(b));
}

static bool decode_quantile(Decoder *d, const PB(StatApproxQuantile) *q, Rel **out)
{
    DECODE(stat_of(d, STAT_APPROX_QUANTILE, q->input, out));
    (*out)->stat.columns = decode_strs(d, q->n_cols, q->cols);
    for (size_t i = 0; i < q->n_probabilities; i++)
        vec_push(d->arena, &(*out)->stat.numbers, q->probabilities[i]);
    (*out)->stat.error_or_support = q->relative_error;
    return true;
}

static bool decode_sample_by(Decoder *d, const PB(StatSampleBy) *s, Rel **out)
{
    DECODE(stat_of(d, STAT_SAMPLE_BY, s->input, out));
    DECODE(decode_expr(d, s->col, &(*out)->stat.stratum));
    for (size_t i = 0; i < s->n_fractions; i++) {
        DECODE(push_literal(d, s->fractions[i]->stratum, &(*out)->stat.strata));
        vec_push(d->arena, &(*out)->stat.numbers, s->fractions[i]->fraction);
    }
    (*out)->stat.has_seed = s->has_seed;
    (*out)->stat.seed = s->seed;
    return true;
}

bool decode_stat(Decoder *d, const PB(Relation) *r, Rel **out)
{
    switch (r->rel_type_case) {
    case REL_CASE(FILL_NA): return decode_na_fill(d, r->fill_na, out);
    case REL_CASE(DROP_NA):
        DECODE(stat_over(d, REL_NA_DROP, r->drop_na->input, out));
        (*out)->na_drop.columns = decode_strs(d, r->drop_na->n_cols, r->drop_na->cols);
        (*out)->na_drop.has_min = r->drop_na->has_min_non_nulls;
        (*out)->na_drop.min_non_nulls = r->drop_na->min_non_nulls;
        return true;
    case REL_CASE(REPLACE): return decode_na_replace(d, r->replace, out);
    case REL_CASE(SUMMARY):
        DECODE(stat_of(d, STAT_SUMMARY, r->summary->input, out));
        (*out)->stat.statistics = decode_strs(d, r->summary->n_statistics, r->summary->statistics);
        return true;
    case REL_CASE(DESCRIBE):
        DECODE(stat_of(d, STAT_DESCRIBE, r->describe->input, out));
        (*out)->stat.columns = decode_strs(d, r->describe->n_cols, r->describe->cols);
        return true;
    case REL_CASE(CROSSTAB):
        DECODE(stat_of(d, STAT_CROSSTAB, r->crosstab->input, out));
        two_columns(d, *out, r->crosstab->col1, r->crosstab->col2);
        return true;
    case REL_CASE(COV):
        DECODE(stat_of(d, STAT_COV, r->cov->input, out));
        two_columns(d, *out, r->cov->col1, r->cov->col2);
        return true;
    case REL_CASE(CORR):
        DECODE(stat_of(d, STAT_CORR, r->corr->input, out));
        two_columns(d, *out, r->corr->col1, r->corr->col2);
        (*out)->stat.method = r->corr->method == NULL ? S("pearson") : wire_str(r->corr->method);
        return true;
    case REL_CASE(APPROX_QUANTILE): return decode_quantile(d, r->approx_quantile, out);
    case REL_CASE(FREQ_ITEMS):
        DECODE(stat_of(d, STAT_FREQ_ITEMS, r->freq_items->input, out));
        (*out)->stat.columns = decode_strs(d, r->freq_items->n_cols, r->freq_items->cols);
        (*out)->stat.error_or_support = r->freq_items->has_support ? r->freq_items->support : 0.01;
        return true;
    default: return decode_sample_by(d, r->sample_by, out);
    }
}
