/* Count-min sketches as Spark's CountMinSketch serialises them: version, total, depth, width, hash
 * factors, table; big-endian. */
#include "func/sketch.h"

#include <math.h>
#include <stdlib.h>

#include "func/random.h"

enum { MAX_CELLS = 1 << 26 };

typedef struct CountMin {
    void (*release)(void *);
    int depth, width;
    int64_t total, *factors, *table;
} CountMin;

static void count_min_release(void *state) {
    CountMin *s = state;
    free(s->factors);
    free(s->table);
    free(s);
}

/* java.util.Random: nextInt(Integer.MAX_VALUE) */
static int32_t next_factor(JavaRandom *random) {
    const int32_t bound = INT32_MAX;
    for (;;) {
        int32_t bits = java_random_bits(random, 31), value = bits % bound;
        if ((int64_t)bits - value + (bound - 1) <= INT32_MAX)
            return value;
    }
}

/* "eps confidence seed" */
static void *count_min_make(Str config, Error *err) {
    double eps = 0, confidence = 0;
    if (!str_to_f64(sketch_word(config, 0), &eps) || !str_to_f64(sketch_word(config, 1), &confidence) ||
        !(eps > 0) || !(confidence > 0 && confidence < 1)) {
        (void)!error_set(err, ERR_LAKESHED_ARGUMENT_INVALID, PZ("function", "count_min_sketch"),
                         PZ("reason", "eps is above 0 and confidence between 0 and 1"));
        return NULL;
    }
    double width = ceil(2 / eps), depth = ceil(-log(1 - confidence) / log(2));
    if (width * depth > MAX_CELLS) {
        (void)!error_unsupported(err, "a count-min sketch of more than %d counters", MAX_CELLS);
        return NULL;
    }
    CountMin *s = calloc(1, sizeof(*s));
    *s = (CountMin){.release = count_min_release, .depth = (int)depth, .width = (int)width};
    s->factors = calloc((size_t)s->depth, sizeof(int64_t));
    s->table = calloc((size_t)s->depth * (size_t)s->width, sizeof(int64_t));
    JavaRandom random = java_random((int32_t)sketch_number(config, 2)); /* Spark keeps 32 bits of a seed */
    for (int i = 0; i < s->depth; i++)
        s->factors[i] = next_factor(&random);
    return s;
}

static void count(CountMin *s, int row, int32_t bucket) {
    s->table[(size_t)row * (size_t)s->width + (size_t)bucket]++;
}

static bool count_min_update(void *state, const NativeVec *args, idx_t row, Error *err) {
    (void)err;
    CountMin *s = state;
    s->total++;
    if (native_is_null(&args[1], row)) {
        int64_t item = ((const int64_t *)args[0].data)[row];
        for (int i = 0; i < s->depth; i++) {
            int64_t hash = (int64_t)((uint64_t)s->factors[i] * (uint64_t)item);
            hash = (int64_t)((uint64_t)hash + (uint64_t)(hash >> 32)) & INT32_MAX;
            count(s, i, (int32_t)hash % s->width);
        }
        return true;
    }
    Str bytes = native_str_at(&args[1], row);
    uint32_t first = native_murmur3(bytes, 0), second = native_murmur3(bytes, first);
    for (int i = 0; i < s->depth; i++) {
        int32_t hash = (int32_t)(first + (uint32_t)i * second) % s->width;
        count(s, i, hash < 0 ? -hash : hash);
    }
    return true;
}

static bool count_min_merge(void *state, const void *other, Error *err) {
    (void)err;
    CountMin *s = state;
    const CountMin *o = other;
    s->total += o->total;
    for (size_t i = 0; i < (size_t)s->depth * (size_t)s->width; i++)
        s->table[i] += o->table[i];
    return true;
}

static void put_big(Buf *out, uint64_t v, int bytes) {
    while (bytes--)
        buf_addc(out, (char)(unsigned char)(v >> (8 * bytes)));
}

static void count_min_finish(void *state, Buf *out) {
    const CountMin *s = state;
    put_big(out, 1, 4);
    put_big(out, (uint64_t)s->total, 8);
    put_big(out, (uint64_t)s->depth, 4);
    put_big(out, (uint64_t)s->width, 4);
    for (int i = 0; i < s->depth; i++)
        put_big(out, (uint64_t)s->factors[i], 8);
    for (size_t i = 0; i < (size_t)s->depth * (size_t)s->width; i++)
        put_big(out, (uint64_t)s->table[i], 8);
}

static const SketchAggregate AGGREGATE = {"ls_count_min",  "8xs",           count_min_make,
                                          count_min_update, count_min_merge, count_min_finish};

/* (configuration): a sketch of nothing */
static bool row_empty(Native *n, idx_t row) {
    Error err = error_in(n->arena);
    CountMin *s = count_min_make(native_str(n, 0, row), &err);
    if (!s)
        return native_fail_with(n, &err);
    count_min_finish(s, &n->scratch);
    count_min_release(s);
    return native_set_scratch(n, row);
}

static const NativeFunction FUNCTIONS[] = {{"ls_count_min_empty", "x:s", row_empty, 0, 0}};

bool native_register_count_min(duckdb_connection c, Error *err) {
    return sketch_register(c, &AGGREGATE, err) &&
           native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
