/* KLL sketches: quantiles of a stream in levels of ever heavier items. Source: Karnin, Lang, Liberty,
 * "Optimal Quantile Approximation in Streams" (2016); format of Apache DataSketches, "KLL Sketch". */
#include "func/sketch.h"

#include <math.h>
#include <stdlib.h>

#include "func/number.h"

enum { FAMILY_KLL = 15, KLL_M = 8, KLL_MAX_LEVELS = 60, KLL_K_MIN = 8, KLL_K_MAX = 65535 };
enum { FLAG_EMPTY = 1, FLAG_LEVEL_ZERO_SORTED = 2, FLAG_SINGLE = 4, HEAD = 20 };

typedef union Item {
    int64_t integer;
    double real;
} Item;

typedef struct Level {
    Item *at;
    size_t count, cap;
} Level;

/* type: 'l' BIGINT, 'd' DOUBLE, 'f' FLOAT (held as double). */
typedef struct Kll {
    void (*release)(void *);
    char type;
    int k;
    uint64_t n, coin;
    Item min, max;
    int level_count;
    Level levels[KLL_MAX_LEVELS + 1];
} Kll;

static void kll_release(void *state) {
    Kll *s = state;
    for (int i = 0; i <= KLL_MAX_LEVELS; i++)
        free(s->levels[i].at);
    free(s);
}

static Kll *kll_new(char type, int k) {
    Kll *s = calloc(1, sizeof(*s));
    s->release = kll_release;
    s->type = type;
    s->k = k;
    s->coin = 0x9E3779B97F4A7C15;
    s->level_count = 1;
    return s;
}

/* k * (2/3)^depth, rounded as the reference does. */
static int capacity_at(int k, int depth) {
    if (depth > 30) {
        int half = depth / 2;
        return capacity_at(capacity_at(k, half), depth - half);
    }
    uint64_t power = 1;
    for (int i = 0; i < depth; i++)
        power *= 3;
    return (int)((((uint64_t)k << 1 << depth) / power + 1) >> 1);
}

static size_t level_capacity(const Kll *s, int level) {
    int c = capacity_at(s->k, s->level_count - level - 1);
    return (size_t)(c > KLL_M ? c : KLL_M);
}

static size_t total_capacity(const Kll *s) {
    size_t total = 0;
    for (int i = 0; i < s->level_count; i++)
        total += level_capacity(s, i);
    return total;
}

static size_t retained(const Kll *s) {
    size_t total = 0;
    for (int i = 0; i < s->level_count; i++)
        total += s->levels[i].count;
    return total;
}

static void push(Level *l, Item item) {
    if (l->count == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 16;
        l->at = realloc(l->at, l->cap * sizeof(Item));
        if (!l->at)
            abort();
    }
    l->at[l->count++] = item;
}

static int by_integer(const void *a, const void *b) {
    int64_t x = ((const Item *)a)->integer, y = ((const Item *)b)->integer;
    return x < y ? -1 : x > y;
}

static int by_real(const void *a, const void *b) {
    double x = ((const Item *)a)->real, y = ((const Item *)b)->real;
    return x < y ? -1 : x > y;
}

static int compare(char type, Item a, Item b) {
    return type == 'l' ? by_integer(&a, &b) : by_real(&a, &b);
}

static void sort_items(char type, Item *at, size_t count) {
    if (count)
        qsort(at, count, sizeof(Item), type == 'l' ? by_integer : by_real);
}

static bool toss(Kll *s) {
    s->coin ^= s->coin << 13;
    s->coin ^= s->coin >> 7;
    s->coin ^= s->coin << 17;
    return s->coin & 1;
}

/* Every second item of the level moves up with twice the weight. */
static void compact(Kll *s, int level) {
    Level *from = &s->levels[level], *to = &s->levels[level + 1];
    if (level + 1 == s->level_count && s->level_count < KLL_MAX_LEVELS)
        s->level_count++;
    sort_items(s->type, from->at, from->count);
    size_t keep = from->count % 2;
    for (size_t i = keep + toss(s); i < from->count; i += 2)
        push(to, from->at[i]);
    from->count = keep;
    sort_items(s->type, to->at, to->count);
}

static void shrink(Kll *s) {
    while (retained(s) >= total_capacity(s)) {
        int level = 0;
        while (level < s->level_count - 1 && s->levels[level].count < level_capacity(s, level))
            level++;
        compact(s, level);
    }
}

static void see(Kll *s, Item min, Item max) {
    if (!s->n || compare(s->type, min, s->min) < 0)
        s->min = min;
    if (!s->n || compare(s->type, max, s->max) > 0)
        s->max = max;
}

static void add(Kll *s, Item item) {
    see(s, item, item);
    s->n++;
    push(&s->levels[0], item);
    if (s->levels[0].count >= level_capacity(s, 0))
        shrink(s);
}

static void join(Kll *s, const Kll *o) {
    if (!o->n)
        return;
    see(s, o->min, o->max);
    s->n += o->n;
    if (o->level_count > s->level_count)
        s->level_count = o->level_count;
    for (int i = 0; i < o->level_count; i++)
        for (size_t j = 0; j < o->levels[i].count; j++)
            push(&s->levels[i], o->levels[i].at[j]);
    for (int i = 1; i < s->level_count; i++)
        sort_items(s->type, s->levels[i].at, s->levels[i].count);
    shrink(s);
}

/* ---- bytes ---- */

static size_t width_of(char type) { return type == 'f' ? 4 : 8; }

static void put_item(char type, Item item, Buf *out) {
    float f = (float)item.real;
    if (type == 'f')
        buf_add_bytes(out, &f, 4);
    else
        buf_add_bytes(out, &item, 8);
}

static Item get_item(char type, Str s, size_t at) {
    Item item;
    float f;
    if (type == 'f') {
        memcpy(&f, s.ptr + at, 4);
        item.real = f;
    } else {
        memcpy(&item, s.ptr + at, 8);
    }
    return item;
}

static void put_head(const Kll *s, unsigned ints, unsigned version, unsigned flags, Buf *out) {
    const unsigned head[] = {ints, version, FAMILY_KLL, flags};
    for (size_t i = 0; i < LENGTH_OF(head); i++)
        buf_addc(out, (char)head[i]);
    sketch_put(out, (uint64_t)s->k, 2);
    sketch_put(out, KLL_M, 2);
}

static void kll_finish(void *state, Buf *out) {
    const Kll *s = state;
    if (s->n < 2) {
        put_head(s, 2, s->n ? 2 : 1, s->n ? FLAG_SINGLE : FLAG_EMPTY, out);
        if (s->n)
            put_item(s->type, s->min, out);
        return;
    }
    put_head(s, 5, 1, 0, out);
    sketch_put(out, s->n, 8);
    sketch_put(out, (uint64_t)s->k, 2);
    sketch_put(out, (uint64_t)s->level_count, 2);
    size_t at = total_capacity(s) - retained(s);
    for (int i = 0; i < s->level_count; at += s->levels[i++].count)
        sketch_put(out, at, 4);
    put_item(s->type, s->min, out);
    put_item(s->type, s->max, out);
    for (int i = 0; i < s->level_count; i++)
        for (size_t j = 0; j < s->levels[i].count; j++) /* level 0 is filled from its end */
            put_item(s->type, s->levels[i].at[i ? j : s->levels[i].count - 1 - j], out);
}

static bool read_levels(Kll *s, Str b) {
    size_t width = width_of(s->type), levels = (unsigned char)b.ptr[18],
           items = HEAD + levels * 4 + 2 * width;
    if (!levels || levels > KLL_MAX_LEVELS || b.len < items)
        return false;
    s->level_count = (int)levels;
    s->n = sketch_get(b, 8, 8);
    s->min = get_item(s->type, b, HEAD + levels * 4);
    s->max = get_item(s->type, b, HEAD + levels * 4 + width);
    size_t at = items, first = sketch_get(b, HEAD, 4);
    for (size_t i = 0; i < levels; i++) {
        size_t from = sketch_get(b, HEAD + 4 * i, 4),
               to = i + 1 < levels ? sketch_get(b, HEAD + 4 * (i + 1), 4)
                                   : first + (b.len - items) / width;
        if (to < from || (to - from) > (b.len - at) / width)
            return false;
        for (size_t j = 0; j < to - from; j++, at += width) {
            size_t pick = i ? at : items + (to - from - 1 - j) * width;
            push(&s->levels[i], get_item(s->type, b, pick));
        }
    }
    return true;
}

/* NULL: no such sketch. */
static Kll *kll_read(Str b, char type) {
    if (b.len < 8 || (unsigned char)b.ptr[2] != FAMILY_KLL)
        return NULL;
    int k = (int)sketch_get(b, 4, 2);
    unsigned flags = (unsigned char)b.ptr[3];
    if (k < KLL_K_MIN)
        return NULL;
    Kll *s = kll_new(type, k);
    bool ok = true;
    if (flags & FLAG_SINGLE) {
        ok = b.len >= 8 + width_of(type);
        if (ok)
            add(s, get_item(type, b, 8));
    } else if (!(flags & FLAG_EMPTY)) {
        ok = b.len >= HEAD && read_levels(s, b);
    }
    if (!ok)
        kll_release(s);
    return ok ? s : NULL;
}

/* ---- aggregates: "type k function"; k 0: that of the first sketch ---- */

static bool bad_sketch(Str function, Error *err) {
    return error_set(err, ERR_KLL_INVALID_INPUT_SKETCH_BUFFER,
                     P("function", sketch_function(function, err->arena)));
}

static void *kll_make(Str config, Error *err) {
    (void)err;
    return kll_new(config.ptr[0], (int)sketch_number(config, 1));
}

static bool build_update(void *state, const NativeVec *args, idx_t row, Error *err) {
    (void)err;
    Kll *s = state;
    Item item;
    if (s->type == 'l')
        item.integer = ((const int64_t *)args[0].data)[row];
    else
        item.real = ((const double *)args[1].data)[row];
    if (s->type == 'l' || !isnan(item.real))
        add(s, item);
    return true;
}

static bool merge_update(void *state, const NativeVec *args, idx_t row, Error *err) {
    Kll *s = state;
    Kll *o = kll_read(native_str_at(&args[0], row), s->type);
    if (!o)
        return bad_sketch(sketch_word(native_str_at(&args[1], row), 2), err);
    if (!s->k)
        s->k = o->k;
    join(s, o);
    kll_release(o);
    return true;
}

static bool kll_merge(void *state, const void *other, Error *err) {
    (void)err;
    Kll *s = state;
    const Kll *o = other;
    if (!s->k)
        s->k = o->k;
    join(s, o);
    return true;
}

static void merged_finish(void *state, Buf *out) {
    Kll *s = state;
    if (!s->k)
        s->k = 200;
    kll_finish(s, out);
}

static const SketchAggregate AGGREGATES[] = {
    {"ls_kll_build", "8ds", kll_make, build_update, kll_merge, kll_finish},
    {"ls_kll_unite", "xs", kll_make, merge_update, kll_merge, merged_finish},
};

/* ---- functions ---- */

static bool fail_sketch(Native *n, Str function) {
    Error err = error_in(n->arena);
    (void)!bad_sketch(function, &err);
    return native_fail_with(n, &err);
}

/* (a, b, type, function) */
static bool row_merge(Native *n, idx_t row) {
    char type = native_str(n, 2, row).ptr[0];
    Kll *a = kll_read(native_str(n, 0, row), type), *b = kll_read(native_str(n, 1, row), type);
    if (a && b) {
        join(a, b);
        kll_finish(a, &n->scratch);
    }
    bool ok = a && b;
    if (a)
        kll_release(a);
    if (b)
        kll_release(b);
    return ok ? native_set_scratch(n, row) : fail_sketch(n, native_str(n, 3, row));
}

/* (sketch, type, function) */
static bool row_count(Native *n, idx_t row) {
    Kll *s = kll_read(native_str(n, 0, row), native_str(n, 1, row).ptr[0]);
    if (!s)
        return fail_sketch(n, native_str(n, 2, row));
    uint64_t count = s->n;
    kll_release(s);
    return native_set_i64(n, row, (int64_t)count);
}

typedef struct Weighted {
    Item item;
    uint64_t weight; /* of it and all before it */
} Weighted;

static int weighted_integer(const void *a, const void *b) {
    return by_integer(&((const Weighted *)a)->item, &((const Weighted *)b)->item);
}

static int weighted_real(const void *a, const void *b) {
    return by_real(&((const Weighted *)a)->item, &((const Weighted *)b)->item);
}

static Weighted *sorted_view(const Kll *s, Arena *arena, size_t *count) {
    Weighted *v = ARENA_ARRAY(arena, Weighted, retained(s) + 1);
    size_t n = 0;
    for (int i = 0; i < s->level_count; i++)
        for (size_t j = 0; j < s->levels[i].count; j++)
            v[n++] = (Weighted){s->levels[i].at[j], UINT64_C(1) << i};
    qsort(v, n, sizeof(*v), s->type == 'l' ? weighted_integer : weighted_real);
    for (size_t i = 1; i < n; i++)
        v[i].weight += v[i - 1].weight;
    *count = n;
    return v;
}

/* The smallest item whose rank, itself included, reaches the wanted one. */
static Item quantile(const Kll *s, const Weighted *v, size_t count, double rank) {
    uint64_t want = (uint64_t)ceil(rank * (double)s->n);
    for (size_t i = 0; i < count; i++)
        if (v[i].weight >= want)
            return v[i].item;
    return v[count - 1].item;
}

/* (sketch, rank, type, function): BIGINT, or DOUBLE for both kinds of reals */
static bool row_quantile(Native *n, idx_t row) {
    Str function = native_str(n, 3, row);
    double rank = native_f64(n, 1, row);
    if (!(rank >= 0 && rank <= 1))
        return NATIVE_FAIL(n, ERR_KLL_SKETCH_INVALID_QUANTILE_RANGE,
                           P("functionName", sketch_function(function, n->arena)));
    Kll *s = kll_read(native_str(n, 0, row), native_str(n, 2, row).ptr[0]);
    if (!s || !s->n) {
        if (s)
            kll_release(s);
        return fail_sketch(n, function);
    }
    size_t count;
    const Weighted *v = sorted_view(s, n->arena, &count);
    Item item = quantile(s, v, count, rank);
    kll_release(s);
    return n->function->variant == 'l' ? native_set_i64(n, row, item.integer)
                                       : native_set_f64(n, row, item.real);
}

/* (sketch, integer, real, type, function) */
static bool row_rank(Native *n, idx_t row) {
    char type = native_str(n, 3, row).ptr[0];
    Kll *s = kll_read(native_str(n, 0, row), type);
    if (!s || !s->n) {
        if (s)
            kll_release(s);
        return fail_sketch(n, native_str(n, 4, row));
    }
    Item item;
    if (type == 'l')
        item.integer = native_i64(n, 1, row);
    else
        item.real = native_f64(n, 2, row);
    size_t count;
    const Weighted *v = sorted_view(s, n->arena, &count);
    uint64_t below = 0;
    for (size_t i = 0; i < count && compare(type, v[i].item, item) <= 0; i++)
        below = v[i].weight;
    double rank = (double)below / (double)s->n;
    kll_release(s);
    return native_set_f64(n, row, rank);
}

static void put_number(char type, Item item, Buf *out) {
    if (type == 'l')
        buf_addf(out, "%lld", (long long)item.integer);
    else if (type == 'f')
        java_put_float(out, (float)item.real);
    else
        java_put_double(out, item.real);
}

static void put_summary(const Kll *s, Buf *out) {
    size_t width = width_of(s->type), held = retained(s), cap = total_capacity(s),
           head = HEAD + (size_t)s->level_count * 4 + 2 * width;
    const char *name = s->type == 'l' ? "Longs" : s->type == 'f' ? "Floats" : "Doubles";
    size_t bytes = s->n > 1 ? head + held * width : s->n ? 8 + width : 8;
    buf_addf(out, "\n### KllKll%sSketch Summary:\n", name);
    buf_addf(out, "   K                      : %d\n   Dynamic min K          : %d\n", s->k, s->k);
    buf_addf(out, "   M                      : %d\n   N                      : %llu\n", KLL_M,
             (unsigned long long)s->n);
    buf_addf(out, "   Epsilon                : %.3f%%\n", 229.6 / pow(s->k, 0.9723));
    buf_addf(out, "   Epsilon PMF            : %.3f%%\n", 244.6 / pow(s->k, 0.9433));
    buf_addf(out, "   Empty                  : %s\n", s->n ? "false" : "true");
    buf_addf(out, "   Estimation Mode        : %s\n", s->level_count > 1 ? "true" : "false");
    buf_addf(out, "   Levels                 : %d\n   Level 0 Sorted         : false\n",
             s->level_count);
    buf_addf(out, "   Capacity Items         : %zu\n   Retained Items         : %zu\n", cap, held);
    buf_addf(out, "   Free Space             : %zu\n   ReadOnly               : false\n",
             cap - held);
    buf_addf(out, "   Updatable Storage Bytes: %zu\n   Compact Storage Bytes  : %zu\n",
             head + 4 + cap * width, bytes);
    buf_addz(out, "   Min Item               : ");
    if (s->n)
        put_number(s->type, s->min, out);
    buf_addz(out, "\n   Max Item               : ");
    if (s->n)
        put_number(s->type, s->max, out);
    buf_addz(out, "\n### End sketch summary\n");
}

/* (sketch, type, function) */
static bool row_summary(Native *n, idx_t row) {
    Kll *s = kll_read(native_str(n, 0, row), native_str(n, 1, row).ptr[0]);
    if (!s)
        return fail_sketch(n, native_str(n, 2, row));
    put_summary(s, &n->scratch);
    kll_release(s);
    return native_set_scratch(n, row);
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_kll_merge", "x:xxss", row_merge, 0, 0},
    {"ls_kll_count", "8:xss", row_count, 0, 0},
    {"ls_kll_quantile_long", "8:xdss", row_quantile, 0, 'l'},
    {"ls_kll_quantile_real", "d:xdss", row_quantile, 0, 'd'},
    {"ls_kll_rank", "d:x8dss", row_rank, 0, 0},
    {"ls_kll_summary", "s:xss", row_summary, 0, 0},
};

bool native_register_kll(duckdb_connection c, Error *err) {
    for (size_t i = 0; i < LENGTH_OF(AGGREGATES); i++)
        TRY(sketch_register(c, &AGGREGATES[i], err));
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
