/* Aggregates in C: moments as Spark computes them. */
#include "func/native_impl.h"

#include <math.h>

/* Count, mean and central moments; merged by the pairwise formulas of Pébay (2008). */
typedef struct Moments {
    double n, mean, m2, m3, m4;
} Moments;

static idx_t state_size(duckdb_function_info info)
{
    (void)info;
    return sizeof(Moments);
}

static void state_init(duckdb_function_info info, duckdb_aggregate_state state)
{
    (void)info;
    memset(state, 0, sizeof(Moments));
}

static void merge(Moments *a, const Moments *b)
{
    if (b->n == 0)
        return;
    if (a->n == 0) {
        *a = *b;
        return;
    }
    double n = a->n + b->n, d = b->mean - a->mean, dn = d / n;
    double m4 = a->m4 + b->m4 + dn * dn * dn * d * a->n * b->n * (a->n * a->n - a->n * b->n + b->n * b->n) +
                6 * dn * dn * (a->n * a->n * b->m2 + b->n * b->n * a->m2) + 4 * dn * (a->n * b->m3 - b->n * a->m3);
    double m3 = a->m3 + b->m3 + dn * dn * d * a->n * b->n * (a->n - b->n) + 3 * dn * (a->n * b->m2 - b->n * a->m2);
    a->m2 += b->m2 + d * dn * a->n * b->n;
    a->m3 = m3;
    a->m4 = m4;
    a->mean += dn * b->n;
    a->n = n;
}

/* Spark's CentralMomentAgg, in its own order of operations. */
static void add_value(Moments *m, double x)
{
    double n = m->n + 1, delta = x - m->mean, delta_n = delta / n, delta2 = delta * delta, delta_n2 = delta_n * delta_n;
    m->n = n;
    m->mean += delta_n;
    m->m2 += delta * (delta - delta_n);
    m->m3 = m->m3 - 3.0 * delta_n * m->m2 + delta * (delta2 - delta_n2);
    m->m4 = m->m4 - 4.0 * delta_n * m->m3 - 6.0 * delta_n2 * m->m2 + delta * (delta * delta2 - delta_n * delta_n2);
}

static void update(duckdb_function_info info, duckdb_data_chunk input, duckdb_aggregate_state *states)
{
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

static void combine(duckdb_function_info info, duckdb_aggregate_state *source, duckdb_aggregate_state *target, idx_t count)
{
    (void)info;
    for (idx_t i = 0; i < count; i++)
        merge((Moments *)target[i], (const Moments *)source[i]);
}

static void put_result(duckdb_vector result, idx_t at, const Moments *m, bool kurtosis)
{
    double *out = duckdb_vector_get_data(result);
    if (m->n == 0) {
        duckdb_vector_ensure_validity_writable(result);
        duckdb_validity_set_row_invalid(duckdb_vector_get_validity(result), at);
    } else if (m->m2 == 0) { /* Spark: NULL unless spark.sql.legacy.statisticalAggregate */
        duckdb_vector_ensure_validity_writable(result);
        duckdb_validity_set_row_invalid(duckdb_vector_get_validity(result), at);
    } else {
        out[at] = kurtosis ? m->n * m->m4 / (m->m2 * m->m2) - 3.0 : sqrt(m->n) * m->m3 / sqrt(m->m2 * m->m2 * m->m2);
    }
}

static void finish_skewness(duckdb_function_info info, duckdb_aggregate_state *source, duckdb_vector result, idx_t count, idx_t offset)
{
    (void)info;
    for (idx_t i = 0; i < count; i++)
        put_result(result, offset + i, (const Moments *)source[i], false);
}

static void finish_kurtosis(duckdb_function_info info, duckdb_aggregate_state *source, duckdb_vector result, idx_t count, idx_t offset)
{
    (void)info;
    for (idx_t i = 0; i < count; i++)
        put_result(result, offset + i, (const Moments *)source[i], true);
}

static bool register_moments(duckdb_connection c, const char *name, duckdb_aggregate_finalize_t finish, Error *err)
{
    duckdb_aggregate_function f = duckdb_create_aggregate_function();
    duckdb_logical_type real = duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE);
    duckdb_aggregate_function_set_name(f, name);
    duckdb_aggregate_function_add_parameter(f, real);
    duckdb_aggregate_function_set_return_type(f, real);
    duckdb_aggregate_function_set_functions(f, state_size, state_init, update, combine, finish);
    duckdb_state state = duckdb_register_aggregate_function(c, f);
    duckdb_destroy_logical_type(&real);
    duckdb_destroy_aggregate_function(&f);
    return state == DuckDBSuccess || error_internal(err, "DuckDB refused the function %s", name);
}

bool native_register_aggregate(duckdb_connection c, Error *err)
{
    return register_moments(c, "ls_skewness", finish_skewness, err) && register_moments(c, "ls_kurtosis", finish_kurtosis, err);
}
