/* Theta and tuple sketches: the smallest hashes of a set, each with a number in tuple sketches.
 * Source of the formats: Apache DataSketches, "Theta Sketch Framework" and "Tuple Sketches". */
#include "func/sketch.h"

#include <math.h>
#include <stdlib.h>

#define THETA_ALL ((uint64_t)INT64_MAX)
enum { FAMILY_THETA = 3, FAMILY_TUPLE = 9, LG_MIN = 4, LG_MAX = 26 };
enum { FLAG_READ_ONLY = 2, FLAG_EMPTY = 4, FLAG_COMPACT = 8, FLAG_ORDERED = 16, FLAG_SINGLE = 32 };

typedef enum SummaryMode { MODE_SUM, MODE_MIN, MODE_MAX, MODE_ONE } SummaryMode;

typedef struct Entry {
    uint64_t hash; /* 0: free */
    double value;
} Entry;

/* kind: '-' hashes alone, 'd' with doubles, 'i' with ints. */
typedef struct Theta {
    void (*release)(void *);
    char kind;
    int lg;
    SummaryMode mode;
    bool empty, first; /* first: an intersection that has seen nothing yet */
    uint64_t theta;
    Entry *slots;
    size_t slot_count, count;
} Theta;

static void theta_release(void *state) {
    free(((Theta *)state)->slots);
    free(state);
}

static Theta *theta_new(char kind, int lg, SummaryMode mode) {
    Theta *t = calloc(1, sizeof(*t));
    *t = (Theta){.release = theta_release, .kind = kind, .lg = lg, .mode = mode, .empty = true,
                 .theta = THETA_ALL, .slot_count = 32};
    t->slots = calloc(t->slot_count, sizeof(Entry));
    return t;
}

static Entry *slot_of(const Theta *t, uint64_t hash) {
    size_t mask = t->slot_count - 1, at = (hash * UINT64_C(0x9E3779B97F4A7C15) >> 32) & mask;
    while (t->slots[at].hash && t->slots[at].hash != hash)
        at = (at + 1) & mask;
    return &t->slots[at];
}

static void rehash(Theta *t, size_t slot_count) {
    Entry *old = t->slots;
    size_t old_count = t->slot_count;
    t->slots = calloc(slot_count, sizeof(Entry));
    t->slot_count = slot_count;
    t->count = 0;
    for (size_t i = 0; i < old_count; i++)
        if (old[i].hash && old[i].hash < t->theta) {
            *slot_of(t, old[i].hash) = old[i];
            t->count++;
        }
    free(old);
}

static int by_hash(const void *a, const void *b) {
    uint64_t x = ((const Entry *)a)->hash, y = ((const Entry *)b)->hash;
    return x < y ? -1 : x > y;
}

static Entry *sorted(const Theta *t) {
    Entry *out = malloc((t->count + 1) * sizeof(Entry));
    if (!out)
        abort();
    size_t n = 0;
    for (size_t i = 0; i < t->slot_count; i++)
        if (t->slots[i].hash)
            out[n++] = t->slots[i];
    qsort(out, n, sizeof(Entry), by_hash);
    return out;
}

/* Keeps the 2^lg smallest; the next one becomes the bound. */
static void trim(Theta *t) {
    size_t k = (size_t)1 << t->lg;
    if (t->count <= k)
        return;
    Entry *all = sorted(t);
    t->theta = all[k].hash;
    free(all);
    rehash(t, t->slot_count);
}

static double combined(SummaryMode mode, double a, double b) {
    switch (mode) {
    case MODE_SUM:
        return a + b;
    case MODE_MIN:
        return a < b ? a : b;
    case MODE_MAX:
        return a > b ? a : b;
    case MODE_ONE:
        return 1;
    }
    return a;
}

static void add(Theta *t, uint64_t hash, double value) {
    t->empty = false;
    if (!hash || hash >= t->theta)
        return;
    Entry *e = slot_of(t, hash);
    if (e->hash) {
        e->value = combined(t->mode, e->value, value);
        return;
    }
    *e = (Entry){hash, t->mode == MODE_ONE ? 1 : value};
    if (++t->count > ((size_t)30 << t->lg) / 16) /* 15/16 of a table of 2 * 2^lg */
        trim(t);
    else if (t->count * 4 > t->slot_count * 3)
        rehash(t, t->slot_count * 2);
}

/* ---- bytes ---- */

static void put_packed(Buf *out, const Entry *e, size_t count, unsigned bits) {
    unsigned free_bits = 0;
    unsigned char byte = 0;
    uint64_t before = 0;
    for (size_t i = 0; i < count; before = e[i++].hash) {
        uint64_t delta = e[i].hash - before;
        for (unsigned left = bits; left;) {
            if (!free_bits) {
                byte = 0;
                free_bits = 8;
            }
            unsigned take = left < free_bits ? left : free_bits;
            byte |= (unsigned char)((delta >> (left - take) & ((1u << take) - 1))
                                    << (free_bits - take));
            left -= take;
            free_bits -= take;
            if (!free_bits)
                buf_addc(out, (char)byte);
        }
    }
    if (free_bits)
        buf_addc(out, (char)byte);
}

static void put_head(Buf *out, unsigned longs, unsigned version, unsigned family, unsigned d,
                     unsigned e, unsigned flags, bool empty) {
    const unsigned head[] = {longs, version, family, d, e, flags};
    for (size_t i = 0; i < LENGTH_OF(head); i++)
        buf_addc(out, (char)head[i]);
    sketch_put(out, empty ? 0 : SKETCH_SEED_HASH, 2);
}

static void put_theta(const Theta *t, const Entry *e, Buf *out) {
    bool bounded = t->theta < THETA_ALL;
    unsigned flags = FLAG_READ_ONLY | FLAG_COMPACT | FLAG_ORDERED;
    if (t->empty && !bounded) {
        put_head(out, 1, 3, FAMILY_THETA, 0, 0, flags | FLAG_EMPTY, true);
    } else if (t->count == 1 && !bounded) {
        put_head(out, 1, 3, FAMILY_THETA, 0, 0, flags | FLAG_SINGLE, false);
        sketch_put(out, e[0].hash, 8);
    } else if (!t->count) {
        put_head(out, bounded ? 3 : 2, 3, FAMILY_THETA, 0, 0, flags, false);
        sketch_put(out, 0, 4);
        sketch_put(out, 0x3F800000, 4); /* the sampling probability, 1.0 */
        if (bounded)
            sketch_put(out, t->theta, 8);
    } else {
        uint64_t all = 0, before = 0;
        for (size_t i = 0; i < t->count; before = e[i++].hash)
            all |= e[i].hash - before;
        unsigned bits = 64 - (unsigned)__builtin_clzll(all);
        unsigned bytes = t->count <= 0xFF ? 1 : t->count <= 0xFFFF ? 2 : t->count <= 0xFFFFFF ? 3 : 4;
        put_head(out, bounded ? 2 : 1, 4, FAMILY_THETA, bits, bytes, flags, false);
        if (bounded)
            sketch_put(out, t->theta, 8);
        sketch_put(out, t->count, bytes);
        put_packed(out, e, t->count, bits);
    }
}

static void put_tuple(const Theta *t, const Entry *e, Buf *out) {
    bool bounded = t->theta < THETA_ALL;
    unsigned flags = FLAG_READ_ONLY | FLAG_COMPACT | (t->empty ? FLAG_EMPTY : 0);
    unsigned longs = t->empty || (t->count == 1 && !bounded) ? 1 : bounded ? 3 : 2;
    put_head(out, longs, 3, FAMILY_TUPLE, 1, 0, flags, false);
    if (longs > 1) {
        sketch_put(out, t->count, 4);
        sketch_put(out, 0, 4);
    }
    if (longs > 2)
        sketch_put(out, t->theta, 8);
    for (size_t i = 0; i < t->count; i++) {
        sketch_put(out, e[i].hash, 8);
        if (t->kind == 'd')
            buf_add_bytes(out, &e[i].value, 8);
        else
            sketch_put(out, (uint64_t)(int64_t)e[i].value, 4);
        buf_addc(out, (char)t->mode);
    }
}

static void theta_finish(void *state, Buf *out) {
    Theta *t = state;
    trim(t);
    Entry *e = sorted(t);
    if (t->kind == '-')
        put_theta(t, e, out);
    else
        put_tuple(t, e, out);
    free(e);
}

/* What the bytes of a sketch say, entry by entry. */
typedef struct Reader {
    Str bytes;
    char kind;
    bool empty;
    uint64_t theta, count;
    size_t at;       /* of the entries */
    unsigned packed; /* bits an entry; 0: plain */
    size_t width;    /* of a plain entry */
    uint64_t bit, before;
} Reader;

static bool open_packed(Reader *r, unsigned longs) {
    Str s = r->bytes;
    unsigned bytes = (unsigned char)s.ptr[4];
    r->packed = (unsigned char)s.ptr[3];
    r->at = (size_t)longs * 8;
    if (longs < 1 || longs > 2 || !r->packed || r->packed > 64 || !bytes || bytes > 4 ||
        s.len < r->at + bytes)
        return false;
    if (longs == 2)
        r->theta = sketch_get(s, 8, 8);
    r->count = sketch_get(s, r->at, bytes);
    r->at += bytes;
    return (s.len - r->at) * 8 >= r->count * r->packed;
}

static bool reader_open(Str s, char kind, Reader *r) {
    *r = (Reader){.bytes = s, .kind = kind, .theta = THETA_ALL};
    r->width = kind == '-' ? 8 : kind == 'd' ? 17 : 13;
    if (s.len < 8 || (unsigned char)s.ptr[2] != (kind == '-' ? FAMILY_THETA : FAMILY_TUPLE))
        return false;
    unsigned longs = (unsigned char)s.ptr[0] & 63, version = (unsigned char)s.ptr[1],
             flags = (unsigned char)s.ptr[5];
    if (kind == '-' && version == 4)
        return open_packed(r, longs);
    if (version != 3 || !(flags & FLAG_COMPACT) || longs < 1 || longs > 3)
        return false;
    r->empty = flags & FLAG_EMPTY;
    r->at = (size_t)longs * 8;
    r->count = r->empty ? 0 : 1;
    if (s.len < r->at)
        return false;
    if (longs > 1)
        r->count = sketch_get(s, 8, 4);
    if (longs > 2)
        r->theta = sketch_get(s, 16, 8);
    return (s.len - r->at) / r->width >= r->count;
}

static void reader_next(Reader *r, Entry *e) {
    *e = (Entry){0};
    if (r->packed) {
        uint64_t delta = 0;
        for (unsigned i = 0; i < r->packed; i++, r->bit++)
            delta = delta << 1 |
                    ((unsigned char)r->bytes.ptr[r->at + r->bit / 8] >> (7 - r->bit % 8) & 1);
        e->hash = r->before += delta;
        return;
    }
    e->hash = sketch_get(r->bytes, r->at, 8);
    if (r->kind == 'd')
        memcpy(&e->value, r->bytes.ptr + r->at + 8, 8);
    else if (r->kind == 'i')
        e->value = (int32_t)sketch_get(r->bytes, r->at + 8, 4);
    r->at += r->width;
}

/* ---- set operations ---- */

static void lower_theta(Theta *t, uint64_t theta) {
    if (theta >= t->theta)
        return;
    t->theta = theta;
    rehash(t, t->slot_count);
}

/* What a theta sketch's entries count as in a tuple sketch. */
static double neutral(const Theta *t) {
    switch (t->mode) {
    case MODE_MIN:
        return t->kind == 'd' ? INFINITY : INT32_MAX;
    case MODE_MAX:
        return t->kind == 'd' ? -INFINITY : INT32_MIN;
    case MODE_ONE:
        return 1;
    default:
        return 0;
    }
}

static void unite(Theta *t, Reader *r) {
    t->empty &= r->empty;
    lower_theta(t, r->theta);
    for (uint64_t i = 0; i < r->count; i++) {
        Entry e;
        reader_next(r, &e);
        add(t, e.hash, r->kind == '-' ? neutral(t) : e.value);
    }
}

/* Leaves what both have. */
static void keep_common(Theta *t, Reader *r) {
    Theta *out = theta_new(t->kind, LG_MAX, t->mode);
    out->theta = t->theta < r->theta ? t->theta : r->theta;
    for (uint64_t i = 0; i < r->count; i++) {
        Entry e;
        reader_next(r, &e);
        const Entry *have = slot_of(t, e.hash);
        if (e.hash && have->hash)
            add(out, e.hash, combined(t->mode, have->value, r->kind == '-' ? neutral(t) : e.value));
    }
    free(t->slots);
    t->slots = out->slots;
    t->slot_count = out->slot_count;
    t->count = out->count;
    t->theta = out->theta;
    t->empty |= r->empty;
    free(out);
}

/* Takes away what the reader has. */
static void subtract(Theta *t, Reader *r) {
    lower_theta(t, r->theta);
    bool *gone = calloc(t->slot_count, sizeof(bool));
    for (uint64_t i = 0; i < r->count; i++) {
        Entry e;
        reader_next(r, &e);
        if (e.hash && slot_of(t, e.hash)->hash)
            gone[slot_of(t, e.hash) - t->slots] = true;
    }
    for (size_t i = 0; i < t->slot_count; i++)
        if (gone[i])
            t->slots[i].hash = THETA_ALL + 1; /* above every bound: rehash leaves it out */
    free(gone);
    rehash(t, t->slot_count);
}

static void intersect(Theta *t, Reader *r) {
    if (!t->first) {
        keep_common(t, r);
        return;
    }
    t->first = false;
    t->empty = true;
    unite(t, r);
}

/* ---- aggregates: "kind lg mode operation function" ---- */

static bool bad_sketch(char kind, Str function, Error *err) {
    Str name = sketch_function(function, err->arena);
    return kind == '-'
               ? error_set(err, ERR_THETA_INVALID_INPUT_SKETCH_BUFFER, P("function", name))
               : error_set(err, ERR_TUPLE_INVALID_INPUT_SKETCH_BUFFER, P("function", name));
}

static bool check_lg(int64_t lg, Str function, Error *err) {
    if (lg >= LG_MIN && lg <= LG_MAX)
        return true;
    return error_set(err, ERR_SKETCH_INVALID_LG_NOM_ENTRIES,
                     P("function", sketch_function(function, err->arena)), PZ("min", "4"),
                     PZ("max", "26"), P("value", str_printf(err->arena, "%lld", (long long)lg)));
}

static void *theta_make(Str config, Error *err) {
    int64_t lg = sketch_number(config, 1);
    Str operation = sketch_word(config, 3);
    if (!check_lg(lg, sketch_word(config, 4), err))
        return NULL;
    Theta *t = theta_new(config.ptr[0], (int)lg, (SummaryMode)sketch_number(config, 2));
    t->first = str_is(operation, "intersect");
    return t;
}

static bool build_update(void *state, const NativeVec *args, idx_t row, Error *err) {
    (void)err;
    Theta *t = state;
    uint64_t hash = ((const duckdb_hugeint *)args[0].data)[row].lower >> 1;
    if (!native_is_null(&args[1], row))
        add(t, hash, ((const double *)args[1].data)[row]);
    return true;
}

static bool merge_update(void *state, const NativeVec *args, idx_t row, Error *err) {
    Theta *t = state;
    Reader r;
    Str config = native_str_at(&args[1], row);
    if (!reader_open(native_str_at(&args[0], row), t->kind, &r))
        return bad_sketch(t->kind, sketch_word(config, 4), err);
    if (str_is(sketch_word(config, 3), "intersect"))
        intersect(t, &r);
    else
        unite(t, &r);
    return true;
}

static Str bytes_of(const Theta *t, Buf *b) {
    Entry *e = sorted(t);
    if (t->kind == '-')
        put_theta(t, e, b);
    else
        put_tuple(t, e, b);
    free(e);
    return buf_str(b);
}

static bool theta_merge(void *state, const void *other, Error *err) {
    Theta *t = state;
    const Theta *o = other;
    Buf b = buf_in(err->arena);
    Reader r;
    if (!reader_open(bytes_of(o, &b), t->kind, &r))
        return error_internal(err, "a sketch that was just written");
    unite(t, &r);
    return true;
}

static bool intersect_merge(void *state, const void *other, Error *err) {
    Theta *t = state;
    const Theta *o = other;
    Buf b = buf_in(err->arena);
    Reader r;
    if (o->first)
        return true;
    if (!reader_open(bytes_of(o, &b), t->kind, &r))
        return error_internal(err, "a sketch that was just written");
    intersect(t, &r);
    return true;
}

static const SketchAggregate AGGREGATES[] = {
    {"ls_theta_build", "hds", theta_make, build_update, theta_merge, theta_finish},
    {"ls_theta_unite", "xs", theta_make, merge_update, theta_merge, theta_finish},
    {"ls_theta_intersect", "xs", theta_make, merge_update, intersect_merge, theta_finish},
};

/* ---- functions ---- */

static bool fail_sketch(Native *n, char kind, Str function) {
    Error err = error_in(n->arena);
    (void)!bad_sketch(kind, function, &err);
    return native_fail_with(n, &err);
}

/* (a, b, config, kind of b): "kind lg mode unite|intersect|subtract function" */
static bool row_operate(Native *n, idx_t row) {
    Str config = native_str(n, 2, row), operation = sketch_word(config, 3),
        function = sketch_word(config, 4);
    char kind = config.ptr[0], other = native_str(n, 3, row).ptr[0];
    Error err = error_in(n->arena);
    Reader a, b;
    if (!check_lg(sketch_number(config, 1), function, &err))
        return native_fail_with(n, &err);
    if (!reader_open(native_str(n, 0, row), kind, &a))
        return fail_sketch(n, kind, function);
    if (!reader_open(native_str(n, 1, row), other, &b))
        return fail_sketch(n, other, function);
    bool unites = str_is(operation, "unite");
    Theta *t = theta_new(kind, unites ? (int)sketch_number(config, 1) : LG_MAX,
                         (SummaryMode)sketch_number(config, 2));
    unite(t, &a);
    if (unites)
        unite(t, &b);
    else if (str_is(operation, "intersect"))
        keep_common(t, &b);
    else
        subtract(t, &b);
    theta_finish(t, &n->scratch);
    theta_release(t);
    return native_set_scratch(n, row);
}

static double fraction_of(const Reader *r) {
    return r->theta >= THETA_ALL ? 1.0 : (double)r->theta / 9223372036854775807.0;
}

/* (sketch, kind, function) */
static bool row_estimate(Native *n, idx_t row) {
    Reader r;
    char kind = native_str(n, 1, row).ptr[0];
    if (!reader_open(native_str(n, 0, row), kind, &r))
        return fail_sketch(n, kind, native_str(n, 2, row));
    return native_set_f64(n, row,
                          n->function->variant ? fraction_of(&r)
                                               : (double)r.count / fraction_of(&r));
}

/* (sketch, kind, function, mode) */
static bool row_summary(Native *n, idx_t row) {
    Reader r;
    char kind = native_str(n, 1, row).ptr[0];
    if (!reader_open(native_str(n, 0, row), kind, &r))
        return fail_sketch(n, kind, native_str(n, 2, row));
    SummaryMode mode = (SummaryMode)native_i32(n, 3, row);
    double total = 0;
    for (uint64_t i = 0; i < r.count; i++) {
        Entry e;
        reader_next(&r, &e);
        total = mode == MODE_ONE ? total + 1 : !i ? e.value : combined(mode, total, e.value);
    }
    return native_set_f64(n, row, total);
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_theta_operate", "x:xxss", row_operate, 0, 0},
    {"ls_theta_estimate", "d:xss", row_estimate, 0, 0},
    {"ls_theta_fraction", "d:xss", row_estimate, 0, 1},
    {"ls_theta_summary", "d:xss4", row_summary, 0, 0},
};

bool native_register_theta(duckdb_connection c, Error *err) {
    for (size_t i = 0; i < LENGTH_OF(AGGREGATES); i++)
        TRY(sketch_register(c, &AGGREGATES[i], err));
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
