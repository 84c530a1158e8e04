/* Aggregates in C: moments as Spark computes them. */
#include "func/native_impl.h"

#include <math.h>
#include <stdio.h>

/* Count, mean and central moments; merged by the pairwise formulas of Pébay (2008). */
typedef struct Moments {
    double n, mean, m2, m3, m4;
} Moments;

static idx_t state_size(duckdb_function_info info) {
    (void)info;
    return sizeof(Moments);
}

static void state_init(duckdb_function_info info, duckdb_aggregate_state state) {
    (void)info;
    memset(state, 0, sizeof(Moments));
}

static void merge(Moments *a, const Moments *b) {
    if (b->n == 0)
        return;
    if (a->n == 0) {
        *a = *b;
        return;
    }
    double n = a->n + b->n, d = b->mean - a->mean, dn = d / n;
    double m4 = a->m4 + b->m4 +
                dn * dn * dn * d * a->n * b->n * (a->n * a->n - a->n * b->n + b->n * b->n) +
                dn * dn * 6 * (a->n * a->n * b->m2 + b->n * b->n * a->m2) +
                4 * dn * (a->n * b->m3 - b->n * a->m3);
    double m3 = a->m3 + b->m3 + dn * dn * d * a->n * b->n * (a->n - b->n) +
                3 * dn * (a->n * b->m2 - b->n * a->m2);
    a->m2 = a->m2 + b->m2 + d * dn * a->n * b->n;
    a->m3 = m3;
    a->m4 = m4;
    a->mean += dn * b->n;
    a->n = n;
}

/* Spark's CentralMomentAgg, in its own order of operations. */
static void add_value(Moments *m, double x) {
    double n = m->n + 1, delta = x - m->mean, delta_n = delta / n, delta2 = delta * delta,
           delta_n2 = delta_n * delta_n;
    m->n = n;
    m->mean += delta_n;
    m->m2 += delta * (delta - delta_n);
    m->m3 = m->m3 - 3.0 * delta_n * m->m2 + delta * (delta2 - delta_n2);
    m->m4 = m->m4 - 4.0 * delta_n * m->m3 - 6.0 * delta_n2 * m->m2 +
            delta * (delta * delta2 - delta_n * delta_n2);
}

static void update(duckdb_function_info info, duckdb_data_chunk input,
                   duckdb_aggregate_state *states) {
    (void)info;
    duckdb_vector v = duckdb_data_chunk_get_vector(input, 0);
    const double *data = duckdb_vector_get_data(v);
    uint64_t *valid = duckdb_vector_get_validity(v);
    idx_t rows = duckdb_data_chunk_get_size(input);
    for (idx_t i = 0; i < rows; i++)
        if (!valid || duckdb_validity_row_is_valid(valid, i)) {
            add_value((Moments *)states[i], data[i]);
        }
}

static void combine(duckdb_function_info info, duckdb_aggregate_state *source,
                    duckdb_aggregate_state *target, idx_t count) {
    (void)info;
    for (idx_t i = 0; i < count; i++)
        merge((Moments *)target[i], (const Moments *)source[i]);
}

static void put_null(duckdb_vector result, idx_t at) {
    duckdb_vector_ensure_validity_writable(result);
    duckdb_validity_set_row_invalid(duckdb_vector_get_validity(result), at);
}

static void put(duckdb_vector result, idx_t at, bool known, double v) {
    if (known)
        ((double *)duckdb_vector_get_data(result))[at] = v;
    else
        put_null(result, at);
}

/* The same where the rows of several partitions follow each other: each has moments of its own, as Spark merges them. */
typedef struct PartedMoments {
    Moments before, part;
    int32_t partition;
} PartedMoments;

static idx_t parted_size(duckdb_function_info info) {
    (void)info;
    return sizeof(PartedMoments);
}

static void parted_init(duckdb_function_info info, duckdb_aggregate_state state) {
    (void)info;
    memset(state, 0, sizeof(PartedMoments));
}

static void close_part(PartedMoments *m) {
    merge(&m->before, &m->part);
    memset(&m->part, 0, sizeof m->part);
}

static void parted_update(duckdb_function_info info, duckdb_data_chunk input,
                          duckdb_aggregate_state *states) {
    (void)info;
    duckdb_vector v = duckdb_data_chunk_get_vector(input, 0);
    const double *data = duckdb_vector_get_data(v);
    const int32_t *partitions = duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 1));
    uint64_t *valid = duckdb_vector_get_validity(v);
    idx_t rows = duckdb_data_chunk_get_size(input);
    for (idx_t i = 0; i < rows; i++) {
        PartedMoments *m = (PartedMoments *)states[i];
        if (valid && !duckdb_validity_row_is_valid(valid, i))
            continue;
        if (m->partition != partitions[i])
            close_part(m);
        m->partition = partitions[i];
        add_value(&m->part, data[i]);
    }
}

static void parted_combine(duckdb_function_info info, duckdb_aggregate_state *source,
                           duckdb_aggregate_state *target, idx_t count) {
    (void)info;
    for (idx_t i = 0; i < count; i++) {
        PartedMoments *to = (PartedMoments *)target[i], from = *(const PartedMoments *)source[i];
        close_part(to);
        close_part(&from);
        merge(&to->before, &from.before);
    }
}

typedef enum MomentResult {
    SKEWNESS,
    KURTOSIS,
    VAR_POP,
    VAR_SAMP,
    STDDEV_POP,
    STDDEV_SAMP,
    SECOND_MOMENT,
    PANDAS_SKEWNESS,
    PANDAS_KURTOSIS
} MomentResult;

/* pandas' nanops take what is smaller for rounding's noise. */
static double without_noise(double x) {
    return fabs(x) < 1e-14 ? 0 : x;
}

/* Unbiased, as pandas' nanskew and nankurt. */
static void put_pandas_skewness(duckdb_vector result, idx_t at, const Moments *m) {
    double n = m->n, m2 = without_noise(m->m2), m3 = without_noise(m->m3);
    put(result, at, n >= 3,
        m2 == 0 ? 0 : sqrt(n - 1) * (n / (n - 2)) * m3 / sqrt(m2 * m2 * m2));
}

static void put_pandas_kurtosis(duckdb_vector result, idx_t at, const Moments *m) {
    double n = m->n, adjustment = 3 * ((n - 1) * (n - 1)) / ((n - 2) * (n - 3));
    double above = without_noise(n * (n + 1) * (n - 1) * m->m4);
    double below = without_noise((n - 2) * (n - 3) * (m->m2 * m->m2));
    put(result, at, n >= 4, below == 0 ? 0 : above / below - adjustment);
}

/* Undefined ones are NULL, as with spark.sql.legacy.statisticalAggregate off. */
static void put_moment(duckdb_vector result, idx_t at, const Moments *m, MomentResult what) {
    double n = m->n;
    switch (what) {
    case SKEWNESS:
        put(result, at, n > 0 && m->m2 != 0, sqrt(n) * m->m3 / sqrt(m->m2 * m->m2 * m->m2));
        return;
    case KURTOSIS:
        put(result, at, n > 0 && m->m2 != 0, n * m->m4 / (m->m2 * m->m2) - 3.0);
        return;
    case VAR_POP:
        put(result, at, n > 0, m->m2 / n);
        return;
    case VAR_SAMP:
        put(result, at, n > 1, m->m2 / (n - 1));
        return;
    case STDDEV_POP:
        put(result, at, n > 0, sqrt(m->m2 / n));
        return;
    case STDDEV_SAMP:
        put(result, at, n > 1, sqrt(m->m2 / (n - 1)));
        return;
    case SECOND_MOMENT:
        put(result, at, n > 0, m->m2);
        return;
    case PANDAS_SKEWNESS:
        put_pandas_skewness(result, at, m);
        return;
    case PANDAS_KURTOSIS:
        put_pandas_kurtosis(result, at, m);
        return;
    }
}

static void finish(duckdb_function_info info, duckdb_aggregate_state *source, duckdb_vector result,
                   idx_t count, idx_t offset) {
    MomentResult what = (MomentResult)(intptr_t)duckdb_aggregate_function_get_extra_info(info);
    for (idx_t i = 0; i < count; i++)
        put_moment(result, offset + i, (const Moments *)source[i], what);
}

static void parted_finish(duckdb_function_info info, duckdb_aggregate_state *source,
                          duckdb_vector result, idx_t count, idx_t offset) {
    MomentResult what = (MomentResult)(intptr_t)duckdb_aggregate_function_get_extra_info(info);
    for (idx_t i = 0; i < count; i++) {
        PartedMoments m = *(const PartedMoments *)source[i];
        close_part(&m);
        put_moment(result, offset + i, &m.before, what);
    }
}

/* ---- pairs: correlation, covariance, regression of y on x ---- */

typedef struct Pairs {
    double n, x_mean, y_mean, ck, x_mk, y_mk;
    double x_m2, y_m2; /* as CentralMomentAgg rounds them, for regr_sxx, regr_syy and the slope */
} Pairs;

static idx_t pairs_size(duckdb_function_info info) {
    (void)info;
    return sizeof(Pairs);
}

static void pairs_init(duckdb_function_info info, duckdb_aggregate_state state) {
    (void)info;
    memset(state, 0, sizeof(Pairs));
}

/* Spark's PearsonCorrelation and Covariance, in their own order of operations. */
static void add_pair(Pairs *p, double y, double x) {
    double n = p->n + 1, dx = x - p->x_mean, dx_n = dx / n, dy = y - p->y_mean, dy_n = dy / n;
    p->n = n;
    p->x_mean += dx_n;
    p->y_mean += dy_n;
    p->ck += dy * (x - p->x_mean);
    p->x_mk += dx * (x - p->x_mean);
    p->y_mk += dy * (y - p->y_mean);
    p->x_m2 += dx * (dx - dx_n);
    p->y_m2 += dy * (dy - dy_n);
}

static void pairs_update(duckdb_function_info info, duckdb_data_chunk input,
                         duckdb_aggregate_state *states) {
    (void)info;
    duckdb_vector a = duckdb_data_chunk_get_vector(input, 0),
                  b = duckdb_data_chunk_get_vector(input, 1);
    const double *y = duckdb_vector_get_data(a), *x = duckdb_vector_get_data(b);
    uint64_t *y_valid = duckdb_vector_get_validity(a), *x_valid = duckdb_vector_get_validity(b);
    idx_t rows = duckdb_data_chunk_get_size(input);
    for (idx_t i = 0; i < rows; i++)
        if ((!y_valid || duckdb_validity_row_is_valid(y_valid, i)) &&
            (!x_valid || duckdb_validity_row_is_valid(x_valid, i)))
            add_pair((Pairs *)states[i], y[i], x[i]);
}

static void pairs_combine(duckdb_function_info info, duckdb_aggregate_state *source,
                          duckdb_aggregate_state *target, idx_t count) {
    (void)info;
    for (idx_t i = 0; i < count; i++) {
        const Pairs *b = (const Pairs *)source[i];
        Pairs *a = (Pairs *)target[i];
        if (b->n == 0)
            continue;
        if (a->n == 0) {
            *a = *b;
            continue;
        }
        double n = a->n + b->n, dx = b->x_mean - a->x_mean, dx_n = dx / n,
               dy = b->y_mean - a->y_mean, dy_n = dy / n;
        a->ck += b->ck + dx * dy_n * a->n * b->n;
        a->x_mk += b->x_mk + dx * dx_n * a->n * b->n;
        a->y_mk += b->y_mk + dy * dy_n * a->n * b->n;
        a->x_m2 += b->x_m2 + dx * dx_n * a->n * b->n;
        a->y_m2 += b->y_m2 + dy * dy_n * a->n * b->n;
        a->x_mean += dx_n * b->n;
        a->y_mean += dy_n * b->n;
        a->n = n;
    }
}

typedef enum PairResult {
    CORR,
    COVAR_POP,
    COVAR_SAMP,
    AVGX,
    AVGY,
    SXX,
    SYY,
    SXY,
    SLOPE,
    INTERCEPT,
    R2
} PairResult;

/* corr(a, b) and covar(a, b) are symmetric; the regressions take (y, x). */
static void put_pair(duckdb_vector result, idx_t at, const Pairs *p, PairResult what) {
    double slope = p->ck / p->x_m2;
    bool any = p->n > 0, spread = any && p->x_m2 != 0;
    switch (what) {
    case CORR:
        put(result, at, p->n > 1 && p->x_mk != 0 && p->y_mk != 0, p->ck / sqrt(p->x_mk * p->y_mk));
        return;
    case COVAR_POP:
        put(result, at, any, p->ck / p->n);
        return;
    case COVAR_SAMP:
        put(result, at, p->n > 1, p->ck / (p->n - 1));
        return;
    case AVGX:
        put(result, at, any, p->x_mean);
        return;
    case AVGY:
        put(result, at, any, p->y_mean);
        return;
    case SXX:
        put(result, at, any, p->x_m2);
        return;
    case SYY:
        put(result, at, any, p->y_m2);
        return;
    case SXY:
        put(result, at, any, p->ck);
        return;
    case SLOPE:
        put(result, at, spread && p->n > 1, slope);
        return;
    case INTERCEPT:
        put(result, at, spread && p->n > 1, p->y_mean - slope * p->x_mean);
        return;
    case R2:
        put(result, at, p->n > 1 && p->x_mk != 0,
            p->y_mk == 0 ? 1.0 : p->ck * p->ck / (p->x_mk * p->y_mk));
        return;
    }
}

static void pairs_finish(duckdb_function_info info, duckdb_aggregate_state *source,
                         duckdb_vector result, idx_t count, idx_t offset) {
    PairResult what = (PairResult)(intptr_t)duckdb_aggregate_function_get_extra_info(info);
    for (idx_t i = 0; i < count; i++)
        put_pair(result, offset + i, (const Pairs *)source[i], what);
}

/* ---- registration ---- */

typedef struct AggregateRow {
    const char *name;
    int result;
    bool pair;
} AggregateRow;

static const AggregateRow AGGREGATES[] = {
    {"ls_skewness", SKEWNESS, false},
    {"ls_kurtosis", KURTOSIS, false},
    {"ls_var_pop", VAR_POP, false},
    {"ls_var_samp", VAR_SAMP, false},
    {"ls_stddev_pop", STDDEV_POP, false},
    {"ls_stddev_samp", STDDEV_SAMP, false},
    {"ls_second_moment", SECOND_MOMENT, false},
    {"ls_pandas_skewness", PANDAS_SKEWNESS, false},
    {"ls_pandas_kurtosis", PANDAS_KURTOSIS, false},
    {"ls_corr", CORR, true},
    {"ls_covar_pop", COVAR_POP, true},
    {"ls_covar_samp", COVAR_SAMP, true},
    {"ls_regr_avgx", AVGX, true},
    {"ls_regr_avgy", AVGY, true},
    {"ls_regr_sxx", SXX, true},
    {"ls_regr_syy", SYY, true},
    {"ls_regr_sxy", SXY, true},
    {"ls_regr_slope", SLOPE, true},
    {"ls_regr_intercept", INTERCEPT, true},
    {"ls_regr_r2", R2, true},
};

static bool register_aggregate(duckdb_connection c, const AggregateRow *row, Error *err) {
    duckdb_aggregate_function f = duckdb_create_aggregate_function();
    duckdb_logical_type real = duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE);
    duckdb_aggregate_function_set_name(f, row->name);
    duckdb_aggregate_function_add_parameter(f, real);
    if (row->pair)
        duckdb_aggregate_function_add_parameter(f, real);
    duckdb_aggregate_function_set_return_type(f, real);
    duckdb_aggregate_function_set_extra_info(f, (void *)(intptr_t)row->result, NULL);
    if (row->pair)
        duckdb_aggregate_function_set_functions(f, pairs_size, pairs_init, pairs_update,
                                                pairs_combine, pairs_finish);
    else
        duckdb_aggregate_function_set_functions(f, state_size, state_init, update, combine, finish);
    duckdb_state state = duckdb_register_aggregate_function(c, f);
    duckdb_destroy_logical_type(&real);
    duckdb_destroy_aggregate_function(&f);
    return state == DuckDBSuccess ||
           error_internal(err, "DuckDB refused the function %s", row->name);
}

/* ls_parted_x(value, partition) */
static bool register_parted(duckdb_connection c, const AggregateRow *row, Error *err) {
    char name[64];
    snprintf(name, sizeof name, "ls_parted_%s", row->name + strlen("ls_"));
    duckdb_aggregate_function f = duckdb_create_aggregate_function();
    duckdb_logical_type real = duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE),
                        integer = duckdb_create_logical_type(DUCKDB_TYPE_INTEGER);
    duckdb_aggregate_function_set_name(f, name);
    duckdb_aggregate_function_add_parameter(f, real);
    duckdb_aggregate_function_add_parameter(f, integer);
    duckdb_aggregate_function_set_return_type(f, real);
    duckdb_aggregate_function_set_extra_info(f, (void *)(intptr_t)row->result, NULL);
    duckdb_aggregate_function_set_functions(f, parted_size, parted_init, parted_update,
                                            parted_combine, parted_finish);
    duckdb_state state = duckdb_register_aggregate_function(c, f);
    duckdb_destroy_logical_type(&real);
    duckdb_destroy_logical_type(&integer);
    duckdb_destroy_aggregate_function(&f);
    return state == DuckDBSuccess || error_internal(err, "DuckDB refused the function %s", name);
}

bool native_register_aggregate(duckdb_connection c, Error *err) {
    for (size_t i = 0; i < LENGTH_OF(AGGREGATES); i++) {
        TRY(register_aggregate(c, &AGGREGATES[i], err));
        if (!AGGREGATES[i].pair)
            TRY(register_parted(c, &AGGREGATES[i], err));
    }
    return true;
}
