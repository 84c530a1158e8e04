/* Aggregates of pandas-on-Spark over rows in order: exponentially weighted means, runs of missing values, products. */
#include <math.h>

#include "func/native_impl.h"

/* ---- what every aggregate here does with its states ---- */

typedef struct Aggregate {
    const char *name;
    duckdb_type parameters[3];
    size_t parameter_count;
    duckdb_type result;
    size_t size;
    bool (*add)(void *state, void *const *columns, uint64_t *const *valid, idx_t row);
    bool (*append)(void *state, const void *next); /* next's rows follow those of state; false: overflow */
    bool (*finish)(const void *state, void *result, idx_t row); /* false: NULL */
} Aggregate;

static bool is_valid(uint64_t *valid, idx_t row)
{
    return !valid || duckdb_validity_row_is_valid(valid, row);
}

static idx_t state_size(duckdb_function_info info)
{
    return ((const Aggregate *)duckdb_aggregate_function_get_extra_info(info))->size;
}

static void state_init(duckdb_function_info info, duckdb_aggregate_state state)
{
    memset(state, 0, state_size(info));
}

static void overflow(duckdb_function_info info)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    if (!error_set(&err, ERR_ARITHMETIC_OVERFLOW, PZ("message", "overflow"),
                   PZ("alternative", " Use 'try_multiply' to tolerate overflow and return NULL instead."),
                   PZ("config", "\"spark.sql.ansi.enabled\"")))
        duckdb_aggregate_function_set_error(info, str_z(error_message(&err, arena), arena));
}

static void update(duckdb_function_info info, duckdb_data_chunk input, duckdb_aggregate_state *states)
{
    const Aggregate *f = duckdb_aggregate_function_get_extra_info(info);
    void *columns[3] = {NULL};
    uint64_t *valid[3] = {NULL};
    for (size_t i = 0; i < f->parameter_count; i++) {
        duckdb_vector v = duckdb_data_chunk_get_vector(input, i);
        columns[i] = duckdb_vector_get_data(v);
        valid[i] = duckdb_vector_get_validity(v);
    }
    idx_t rows = duckdb_data_chunk_get_size(input);
    for (idx_t i = 0; i < rows; i++)
        if (!f->add(states[i], columns, valid, i))
            return overflow(info);
}

static void combine(duckdb_function_info info, duckdb_aggregate_state *source, duckdb_aggregate_state *target, idx_t count)
{
    const Aggregate *f = duckdb_aggregate_function_get_extra_info(info);
    for (idx_t i = 0; i < count; i++)
        if (!f->append(target[i], source[i]))
            return overflow(info);
}

static void finish(duckdb_function_info info, duckdb_aggregate_state *source, duckdb_vector result, idx_t count, idx_t offset)
{
    const Aggregate *f = duckdb_aggregate_function_get_extra_info(info);
    void *data = duckdb_vector_get_data(result);
    for (idx_t i = 0; i < count; i++)
        if (!f->finish(source[i], data, offset + i)) {
            duckdb_vector_ensure_validity_writable(result);
            duckdb_validity_set_row_invalid(duckdb_vector_get_validity(result), offset + i);
        }
}

/* ---- ls_ewm(x, alpha, ignore missing): pandas' ewm(adjust=True).mean() ---- */

typedef struct Weighted {
    double numerator, denominator, kept; /* kept: what a weight before these rows shrinks to */
    bool any;
} Weighted;

static double kept(const Weighted *w)
{
    return w->any ? w->kept : 1;
}

static bool weighted_add(void *state, void *const *columns, uint64_t *const *valid, idx_t row)
{
    Weighted *w = state;
    double beta = 1 - ((const double *)columns[1])[row];
    bool known = is_valid(valid[0], row), ignore = ((const bool *)columns[2])[row];
    double shrink = known || !ignore ? beta : 1;
    w->kept = kept(w) * shrink;
    w->any = true;
    w->numerator = w->numerator * shrink + (known ? ((const double *)columns[0])[row] : 0);
    w->denominator = w->denominator * shrink + known;
    return true;
}

static bool weighted_append(void *state, const void *next)
{
    Weighted *a = state;
    const Weighted *b = next;
    a->numerator = a->numerator * kept(b) + b->numerator;
    a->denominator = a->denominator * kept(b) + b->denominator;
    a->kept = kept(a) * kept(b);
    a->any |= b->any;
    return true;
}

static bool weighted_finish(const void *state, void *result, idx_t row)
{
    const Weighted *w = state;
    ((double *)result)[row] = w->numerator / w->denominator;
    return w->denominator != 0;
}

/* ---- ls_null_index(is missing): how many missing values end here ---- */

typedef struct Run {
    int32_t length;
    bool broken; /* a known value came before the run */
} Run;

static bool run_add(void *state, void *const *columns, uint64_t *const *valid, idx_t row)
{
    (void)valid;
    Run *r = state;
    bool missing = ((const bool *)columns[0])[row];
    r->length = missing ? r->length + 1 : 0;
    r->broken |= !missing;
    return true;
}

static bool run_append(void *state, const void *next)
{
    Run *a = state;
    const Run *b = next;
    a->length = b->broken ? b->length : a->length + b->length;
    a->broken |= b->broken;
    return true;
}

static bool run_finish(const void *state, void *result, idx_t row)
{
    ((int32_t *)result)[row] = ((const Run *)state)->length;
    return true;
}

/* ---- ls_product_long(x) ---- */

typedef struct Product {
    int64_t value;
    bool any;
} Product;

static bool product_append(void *state, const void *next)
{
    Product *a = state;
    const Product *b = next;
    if (!b->any)
        return true;
    int64_t before = a->any ? a->value : 1;
    a->any = true;
    return !__builtin_mul_overflow(before, b->value, &a->value);
}

static bool product_add(void *state, void *const *columns, uint64_t *const *valid, idx_t row)
{
    if (!is_valid(valid[0], row))
        return true;
    Product one = {((const int64_t *)columns[0])[row], true};
    return product_append(state, &one);
}

static bool product_finish(const void *state, void *result, idx_t row)
{
    const Product *p = state;
    ((int64_t *)result)[row] = p->value;
    return p->any;
}

/* ---- registration ---- */

static const Aggregate AGGREGATES[] = {
    {"ls_ewm", {DUCKDB_TYPE_DOUBLE, DUCKDB_TYPE_DOUBLE, DUCKDB_TYPE_BOOLEAN}, 3, DUCKDB_TYPE_DOUBLE, sizeof(Weighted),
     weighted_add, weighted_append, weighted_finish},
    {"ls_null_index", {DUCKDB_TYPE_BOOLEAN}, 1, DUCKDB_TYPE_INTEGER, sizeof(Run), run_add, run_append, run_finish},
    {"ls_product_long", {DUCKDB_TYPE_BIGINT}, 1, DUCKDB_TYPE_BIGINT, sizeof(Product), product_add, product_append, product_finish},
};

static bool register_one(duckdb_connection c, const Aggregate *row, Error *err)
{
    duckdb_aggregate_function f = duckdb_create_aggregate_function();
    duckdb_aggregate_function_set_name(f, row->name);
    for (size_t i = 0; i < row->parameter_count; i++) {
        duckdb_logical_type type = duckdb_create_logical_type(row->parameters[i]);
        duckdb_aggregate_function_add_parameter(f, type);
        duckdb_destroy_logical_type(&type);
    }
    duckdb_logical_type result = duckdb_create_logical_type(row->result);
    duckdb_aggregate_function_set_return_type(f, result);
    duckdb_destroy_logical_type(&result);
    duckdb_aggregate_function_set_special_handling(f);
    duckdb_aggregate_function_set_extra_info(f, (void *)row, NULL);
    duckdb_aggregate_function_set_functions(f, state_size, state_init, update, combine, finish);
    bool ok = duckdb_register_aggregate_function(c, f) == DuckDBSuccess ||
              error_internal(err, "DuckDB refused the function %s", row->name);
    duckdb_destroy_aggregate_function(&f);
    return ok;
}

bool native_register_pandas(duckdb_connection c, Error *err)
{
    for (size_t i = 0; i < LENGTH_OF(AGGREGATES); i++)
        TRY(register_one(c, &AGGREGATES[i], err));
    return true;
}
