/* HLL sketches of Apache DataSketches: coupons in a list, then in a table, then 2^lgK registers of one
 * byte (HLL_8). Source of the format: Apache DataSketches, "HLL Sketches". */
#include "func/sketch.h"

#include <math.h>
#include <stdlib.h>

enum { LG_MIN = 4, LG_MAX = 21, FAMILY_HLL = 7, FLAG_EMPTY = 4, FLAG_COMPACT = 8, FLAG_OOO = 16 };
enum { LIST_ITEMS = 8, SET_LG = 5, HEAD_LIST = 8, HEAD_SET = 12, HEAD_HLL = 40 };
enum { COUPON_BITS = 26, COUPON_MASK = (1 << COUPON_BITS) - 1 };

typedef enum HllState { HLL_LIST, HLL_SET, HLL_REGISTERS } HllState;

typedef struct Hll {
    void (*release)(void *);
    HllState state;
    int lg, set_lg;
    bool allow_other; /* a union may lower lg */
    uint32_t *coupons;
    size_t count;
    uint8_t *registers;
} Hll;

static void hll_release(void *state) {
    free(((Hll *)state)->coupons);
    free(((Hll *)state)->registers);
    free(state);
}

static Hll *hll_new(int lg) {
    Hll *h = calloc(1, sizeof(*h));
    h->release = hll_release;
    h->lg = lg;
    h->coupons = calloc(LIST_ITEMS, sizeof(uint32_t));
    return h;
}

static void set_register(Hll *h, uint32_t coupon) {
    uint32_t at = coupon & ((1u << h->lg) - 1);
    uint8_t value = (uint8_t)(coupon >> COUPON_BITS);
    if (h->registers[at] < value)
        h->registers[at] = value;
}

/* The coupon's place in the table: where it is or would be. */
static uint32_t *set_slot(uint32_t *table, int lg, uint32_t coupon) {
    uint32_t mask = (1u << lg) - 1, at = coupon & mask,
             stride = ((coupon & COUPON_MASK) >> lg) | 1;
    while (table[at] && table[at] != coupon)
        at = (at + stride) & mask;
    return &table[at];
}

static void to_registers(Hll *h, size_t length) {
    h->registers = calloc((size_t)1 << h->lg, 1);
    for (size_t i = 0; i < length; i++)
        if (h->coupons[i])
            set_register(h, h->coupons[i]);
    free(h->coupons);
    h->coupons = NULL;
    h->state = HLL_REGISTERS;
}

static void to_set(Hll *h, size_t length, int lg) {
    uint32_t *table = calloc((size_t)1 << lg, sizeof(uint32_t));
    for (size_t i = 0; i < length; i++)
        if (h->coupons[i])
            *set_slot(table, lg, h->coupons[i]) = h->coupons[i];
    free(h->coupons);
    h->coupons = table;
    h->set_lg = lg;
    h->state = HLL_SET;
}

static void add_to_list(Hll *h, uint32_t coupon) {
    for (size_t i = 0; i < h->count; i++)
        if (h->coupons[i] == coupon)
            return;
    h->coupons[h->count++] = coupon;
    if (h->count < LIST_ITEMS)
        return;
    if (h->lg < 8)
        to_registers(h, LIST_ITEMS);
    else
        to_set(h, LIST_ITEMS, SET_LG);
}

static void add_to_set(Hll *h, uint32_t coupon) {
    uint32_t *slot = set_slot(h->coupons, h->set_lg, coupon);
    size_t length = (size_t)1 << h->set_lg;
    if (*slot)
        return;
    *slot = coupon;
    if (++h->count * 4 <= length * 3)
        return;
    if (h->set_lg == h->lg - 3)
        to_registers(h, length);
    else
        to_set(h, length, h->set_lg + 1);
}

static void add(Hll *h, uint32_t coupon) {
    if (h->state == HLL_LIST)
        add_to_list(h, coupon);
    else if (h->state == HLL_SET)
        add_to_set(h, coupon);
    else
        set_register(h, coupon);
}

/* Registers of fewer slots: the address keeps its low bits. */
static void lower(Hll *h, int lg) {
    if (lg >= h->lg)
        return;
    size_t old = (size_t)1 << h->lg;
    h->lg = lg;
    if (h->state == HLL_REGISTERS) {
        uint8_t *registers = h->registers;
        h->registers = calloc((size_t)1 << lg, 1);
        for (size_t i = 0; i < old; i++)
            if (registers[i])
                set_register(h, (uint32_t)registers[i] << COUPON_BITS | (uint32_t)i);
        free(registers);
    } else if (h->state == HLL_SET && (lg < 8 || h->set_lg > lg - 3)) {
        to_registers(h, (size_t)1 << h->set_lg);
    }
}

/* ---- bytes ---- */

static void sums(const uint8_t *registers, size_t k, double *low, double *high, size_t *zeros) {
    *low = *high = 0;
    *zeros = 0;
    for (size_t i = 0; i < k; i++) {
        if (registers[i] < 32)
            *low += 1.0 / (double)(UINT64_C(1) << registers[i]);
        else
            *high += ldexp(1.0, -registers[i]);
        *zeros += !registers[i];
    }
}

static void hll_finish(void *state, Buf *out) {
    const Hll *h = state;
    bool list = h->state == HLL_LIST, set = h->state == HLL_SET;
    buf_addc(out, list ? 2 : set ? 3 : 10);
    buf_addc(out, 1);
    buf_addc(out, FAMILY_HLL);
    buf_addc(out, (char)(h->lg ? h->lg : 12)); /* a union of nothing but NULLs */
    buf_addc(out, (char)(list ? 3 : set ? h->set_lg : 0));
    buf_addc(out, list && !h->count ? FLAG_EMPTY : list || set ? 0 : FLAG_OOO);
    buf_addc(out, (char)(list ? h->count : 0));
    buf_addc(out, (char)(h->state | 2 << 2));
    if (list || set) {
        size_t length = list ? LIST_ITEMS : (size_t)1 << h->set_lg;
        if (set)
            sketch_put(out, h->count, 4);
        for (size_t i = 0; i < length; i++)
            sketch_put(out, h->coupons[i], 4);
        return;
    }
    double low, high;
    size_t zeros;
    sums(h->registers, (size_t)1 << h->lg, &low, &high, &zeros);
    sketch_put(out, 0, 8);
    buf_add_bytes(out, &low, 8);
    buf_add_bytes(out, &high, 8);
    sketch_put(out, zeros, 4);
    sketch_put(out, 0, 4);
    buf_add_bytes(out, h->registers, (size_t)1 << h->lg);
}

/* Adds a stored sketch; false: no HLL_8 sketch. */
static bool read_into(Hll *h, Str s) {
    if (s.len < HEAD_LIST || s.ptr[1] != 1 || s.ptr[2] != FAMILY_HLL)
        return false;
    unsigned lg = (unsigned char)s.ptr[3], mode = s.ptr[7] & 3, type = s.ptr[7] >> 2 & 3,
             flags = (unsigned char)s.ptr[5];
    if (lg < LG_MIN || lg > LG_MAX || mode > 2)
        return false;
    if (mode == HLL_REGISTERS) {
        if (type != 2 || s.len < HEAD_HLL + ((size_t)1 << lg))
            return false;
        for (size_t i = 0; i < (size_t)1 << lg; i++) {
            uint32_t value = (unsigned char)s.ptr[HEAD_HLL + i];
            if (value > 63)
                return false;
            if (value)
                add(h, value << COUPON_BITS | (uint32_t)i);
        }
        return true;
    }
    size_t head = mode == HLL_LIST ? HEAD_LIST : HEAD_SET, lg_table = (unsigned char)s.ptr[4];
    if (s.len < head || lg_table > LG_MAX)
        return false;
    size_t length = flags & FLAG_COMPACT ? (mode == HLL_LIST ? (size_t)(unsigned char)s.ptr[6]
                                                             : (size_t)sketch_get(s, 8, 4))
                                         : (size_t)1 << lg_table;
    if ((s.len - head) / 4 < length)
        return false;
    for (size_t i = 0; i < length; i++) {
        uint32_t coupon = (uint32_t)sketch_get(s, head + i * 4, 4);
        if (coupon)
            add(h, coupon);
    }
    return true;
}

/* Registers must be there before registers of another sketch are added: their addresses are short. */
static void want_registers(Hll *h, Str s) {
    bool registers = s.len >= HEAD_LIST && (s.ptr[7] & 3) == HLL_REGISTERS;
    if (registers && h->state != HLL_REGISTERS)
        to_registers(h, h->state == HLL_LIST ? LIST_ITEMS : (size_t)1 << h->set_lg);
}

/* ---- estimating ---- */

/* Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), section 4. */
static double sigma(double x) {
    if (x == 1)
        return INFINITY;
    double y = 1, z = x, before;
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (z != before);
    return z;
}

static double estimate_registers(const uint8_t *registers, int lg) {
    size_t k = (size_t)1 << lg, zeros;
    double m = (double)k, low, high, harmonic = 0;
    sums(registers, k, &low, &high, &zeros);
    for (size_t i = zeros + 1; i <= k; i++)
        harmonic += 1.0 / (double)i;
    double linear = m * harmonic; /* balls into bins */
    if (zeros && linear < 0.64 * m)
        return linear;
    double sum = low + high - (double)zeros + m * sigma((double)zeros / m);
    return m * m / (2 * M_LN2) / sum;
}

/* ---- functions ---- */

static bool bad_sketch(Str function, Error *err) {
    return error_set(err, ERR_HLL_INVALID_INPUT_SKETCH_BUFFER,
                     P("function", sketch_function(function, err->arena)));
}

static bool check_lg(int64_t lg, Str function, Error *err) {
    if (lg >= LG_MIN && lg <= LG_MAX)
        return true;
    return error_set(err, ERR_HLL_INVALID_LG_K,
                     P("function", sketch_function(function, err->arena)), PZ("min", "4"),
                     PZ("max", "21"), P("value", str_printf(err->arena, "%lld", (long long)lg)));
}

/* Brings a second sketch in, by the rules of hll_union. */
static bool join(Hll *h, Str s, bool allow, Str function, Error *err) {
    int lg = s.len >= HEAD_LIST ? (unsigned char)s.ptr[3] : 0;
    if (lg != h->lg && !allow && lg)
        return error_set(err, ERR_HLL_UNION_DIFFERENT_LG_K,
                         P("left", str_printf(err->arena, "%d", h->lg)),
                         P("right", str_printf(err->arena, "%d", lg)),
                         P("function", sketch_function(function, err->arena)));
    if (lg >= LG_MIN)
        lower(h, lg);
    want_registers(h, s);
    return read_into(h, s) || bad_sketch(function, err);
}

/* build: "lgK function"; merge: "allow function", made without a size. */
static void *build_make(Str config, Error *err) {
    int64_t lg = sketch_number(config, 0);
    return check_lg(lg, sketch_word(config, 1), err) ? hll_new((int)lg) : NULL;
}

static bool build_update(void *state, const NativeVec *args, idx_t row, Error *err) {
    (void)err;
    duckdb_hugeint hash = ((const duckdb_hugeint *)args[0].data)[row];
    uint64_t second = (uint64_t)hash.upper;
    uint32_t zeros = second ? (uint32_t)__builtin_clzll(second) : 64;
    uint32_t value = (zeros > 62 ? 62 : zeros) + 1;
    add(state, value << COUPON_BITS | (uint32_t)(hash.lower & COUPON_MASK));
    return true;
}

static void *merge_make(Str config, Error *err) {
    (void)err;
    Hll *h = hll_new(0); /* the first sketch says the size */
    h->allow_other = sketch_number(config, 0) != 0;
    return h;
}

static bool merge_update(void *state, const NativeVec *args, idx_t row, Error *err) {
    Hll *h = state;
    Str s = native_str_at(&args[0], row), function = sketch_word(native_str_at(&args[1], row), 1);
    if (!h->lg && s.len >= HEAD_LIST)
        h->lg = (unsigned char)s.ptr[3];
    if (h->lg < LG_MIN || h->lg > LG_MAX)
        return bad_sketch(function, err);
    return join(h, s, h->allow_other, function, err);
}

static bool hll_merge(void *state, const void *other, Error *err) {
    Hll *h = state;
    const Hll *o = other;
    Buf b = buf_in(err->arena);
    if (!o->lg)
        return true;
    if (!h->lg)
        h->lg = o->lg;
    hll_finish((void *)o, &b);
    return join(h, buf_str(&b), o->allow_other || h->allow_other, S("hll_union_agg"), err);
}

static const SketchAggregate AGGREGATES[] = {
    {"ls_hll_build", "hs", build_make, build_update, hll_merge, hll_finish},
    {"ls_hll_unite", "xs", merge_make, merge_update, hll_merge, hll_finish},
};

/* (a, b, allow, function) */
static bool row_union(Native *n, idx_t row) {
    Str a = native_str(n, 0, row), function = native_str(n, 3, row);
    Error err = error_in(n->arena);
    int lg = a.len >= HEAD_LIST ? (unsigned char)a.ptr[3] : 0;
    if (lg < LG_MIN || lg > LG_MAX) {
        (void)!bad_sketch(function, &err);
        return native_fail_with(n, &err);
    }
    Hll *h = hll_new(lg);
    bool ok = join(h, a, true, function, &err) &&
              join(h, native_str(n, 1, row), native_bool(n, 2, row), function, &err);
    if (ok)
        hll_finish(h, &n->scratch);
    hll_release(h);
    return ok ? native_set_scratch(n, row) : native_fail_with(n, &err);
}

/* (sketch, function) */
static bool row_estimate(Native *n, idx_t row) {
    Str s = native_str(n, 0, row);
    Error err = error_in(n->arena);
    int lg = s.len >= HEAD_LIST ? (unsigned char)s.ptr[3] : 0;
    Hll *h = hll_new(lg >= LG_MIN && lg <= LG_MAX ? lg : LG_MIN);
    bool ok = join(h, s, true, native_str(n, 1, row), &err);
    double estimate = !ok                           ? 0
                      : h->state == HLL_REGISTERS   ? estimate_registers(h->registers, h->lg)
                                                    : (double)h->count;
    hll_release(h);
    return ok ? native_set_i64(n, row, (int64_t)floor(estimate + 0.5)) : native_fail_with(n, &err);
}

/* (lgK, function) */
static bool row_empty(Native *n, idx_t row) {
    Error err = error_in(n->arena);
    int32_t lg = native_i32(n, 0, row);
    if (!check_lg(lg, native_str(n, 1, row), &err))
        return native_fail_with(n, &err);
    Hll *h = hll_new(lg);
    hll_finish(h, &n->scratch);
    hll_release(h);
    return native_set_scratch(n, row);
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_hll_union", "x:xxbs", row_union, 0, 0},
    {"ls_hll_estimate", "8:xs", row_estimate, 0, 0},
    {"ls_hll_empty", "x:4s", row_empty, 0, 0},
};

bool native_register_hll(duckdb_connection c, Error *err) {
    for (size_t i = 0; i < LENGTH_OF(AGGREGATES); i++)
        TRY(sketch_register(c, &AGGREGATES[i], err));
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
