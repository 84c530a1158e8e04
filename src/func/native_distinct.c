/* approx_count_distinct: HyperLogLog++ over XXH64, with Spark's constants, so that estimates are the same numbers. */
#include "func/sketch.h"

#include <math.h>
#include <stdlib.h>

#include "func/java_math.h"

enum { P_MIN = 4, P_MAX = 25, BIAS_P_MAX = 18, NEAREST = 6 };

typedef struct Distinct {
    void (*release)(void *);
    int p;
    uint8_t registers[];
} Distinct;

static void *distinct_make(Str config, Error *err)
{
    int64_t p = sketch_number(config, 0);
    if (p < P_MIN || p > P_MAX) {
        (void)!error_unsupported(err, "counting distinct values with 2 to the power of %lld registers", (long long)p);
        return NULL;
    }
    Distinct *d = calloc(1, sizeof(*d) + ((size_t)1 << p));
    if (!d)
        abort();
    d->release = free;
    d->p = (int)p;
    return d;
}

static bool distinct_update(void *state, const NativeVec *args, idx_t row, Error *err)
{
    (void)err;
    Distinct *d = state;
    if (native_is_null(&args[0], row))
        return true;
    uint64_t hash = ((const uint64_t *)args[0].data)[row];
    uint64_t rest = hash << d->p | UINT64_C(1) << (d->p - 1);
    uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1), *at = &d->registers[hash >> (64 - d->p)];
    if (rank > *at)
        *at = rank;
    return true;
}

static bool distinct_merge(void *state, const void *other, Error *err)
{
    (void)err;
    Distinct *d = state;
    const Distinct *o = other;
    for (size_t i = 0; i < (size_t)1 << d->p; i++)
        if (o->registers[i] > d->registers[i])
            d->registers[i] = o->registers[i];
    return true;
}

static void distinct_finish(void *state, Buf *out)
{
    const Distinct *d = state;
    buf_add(out, (Str){(const char *)d->registers, (size_t)1 << d->p});
}

/* ---- the estimate ---- */

typedef struct Bias {
    int precision;
    double estimate, bias;
} Bias;

static const Bias BIASES[] = {
#define HLL_BIAS(p, estimate, bias) {p, estimate, bias},
#include "func/hll_bias.def"
#undef HLL_BIAS
};

/* Up to which linear counting is better, by precision from 4 on: from the same paper, one of them as Spark has it. */
static const double THRESHOLDS[] = {10, 20, 40, 80, 220, 400, 900, 1800, 3100, 6500, 15500, 20000, 50000, 120000, 350000};

static double distance(const Bias *b, double e) { return (e - b->estimate) * (e - b->estimate); }

/* The mean bias of the measured estimates that are nearest. */
static double estimate_bias(int p, double e)
{
    size_t first = 0, count = 0, at = 0;
    while (BIASES[first].precision != p)
        first++;
    while (first + count < LENGTH_OF(BIASES) && BIASES[first + count].precision == p)
        count++;
    const Bias *b = &BIASES[first];
    while (at < count && b[at].estimate < e)
        at++;
    size_t low = at >= NEAREST - 1 ? at - (NEAREST - 1) : 0, high = low + NEAREST < count ? low + NEAREST : count;
    for (; high < count && distance(&b[high], e) < distance(&b[low], e); high++)
        low++;
    double sum = 0;
    for (size_t i = low; i < high; i++)
        sum += b[i].bias;
    return sum / (double)(high - low);
}

static double alpha(int p)
{
    double m = ldexp(1, p);
    return p == 4 ? 0.673 : p == 5 ? 0.697 : p == 6 ? 0.709 : 0.7213 / (1 + 1.079 / m);
}

/* (registers) */
static bool row_estimate(Native *n, idx_t row)
{
    Str registers = native_str(n, 0, row);
    int p = 0;
    while (p < P_MAX && (size_t)1 << p < registers.len)
        p++;
    double m = ldexp(1, p), inverse = 0, zeros = 0;
    for (size_t i = 0; i < registers.len; i++) {
        inverse += 1.0 / (double)(int32_t)(1u << (registers.ptr[i] & 31));
        zeros += registers.ptr[i] == 0;
    }
    double e = alpha(p) * m * m / inverse;
    if (p <= BIAS_P_MAX && e < 5 * m)
        e -= estimate_bias(p, e);
    if (zeros > 0) {
        double linear = m * java_log(m / zeros);
        if ((p <= BIAS_P_MAX && linear <= THRESHOLDS[p - P_MIN]) || e <= 2.5 * m)
            e = linear;
    }
    return native_set_i64(n, row, (int64_t)floor(e + 0.5));
}

static const SketchAggregate AGGREGATE = {"ls_distinct_registers", "8s", distinct_make, distinct_update, distinct_merge, distinct_finish};

static const NativeFunction FUNCTIONS[] = {{"ls_distinct_estimate", "8:x", row_estimate, 0, 0}};

bool native_register_distinct(duckdb_connection c, Error *err)
{
    return sketch_register(c, &AGGREGATE, err) && native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
