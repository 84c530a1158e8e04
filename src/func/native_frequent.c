/* Frequent items: counters in a hash table that is thinned when it is full (Misra-Gries, Anderson et al.
 * 2017). Layout and order are those of Apache DataSketches, "Frequent Items". */
#include "func/sketch.h"

#include <stdlib.h>

#include "func/number.h"

enum { LG_FIRST = 3, LG_MAX = 26, HEAD = 32, FAMILY_FREQUENT = 10, FLAG_EMPTY = 4 };

/* kind of an item: b boolean, B S I L the integers (I for dates too, L for instants), F D reals,
 * s string, c decimal. */
typedef struct Slot {
    char *bytes; /* the item as it is written; NULL: free */
    uint32_t len;
    int64_t count;
} Slot;

typedef struct Frequent {
    void (*release)(void *);
    char kind;
    int lg, lg_max;
    Slot *slots;
    size_t active;
    int64_t weight, offset, nulls;
} Frequent;

static size_t length(const Frequent *f) { return (size_t)1 << f->lg; }

static size_t capacity(const Frequent *f) { return length(f) * 3 / 4; }

static void frequent_release(void *state) {
    Frequent *f = state;
    for (size_t i = 0; i < length(f); i++)
        free(f->slots[i].bytes);
    free(f->slots);
    free(f);
}

static Frequent *frequent_new(char kind, int lg_max) {
    Frequent *f = calloc(1, sizeof(*f));
    *f = (Frequent){.release = frequent_release, .kind = kind, .lg = LG_FIRST,
                    .lg_max = lg_max < LG_FIRST ? LG_FIRST : lg_max > LG_MAX ? LG_MAX : lg_max};
    f->slots = calloc(length(f), sizeof(Slot));
    return f;
}

/* ---- Java's hashCode of an item ---- */

static int32_t string_hash(Str s) {
    uint32_t h = 0;
    for (size_t at = 0; at < s.len;) {
        uint32_t c = str_utf8_next(s, &at);
        if (c >= 0x10000) {
            h = h * 31 + (0xD800 + ((c - 0x10000) >> 10));
            c = 0xDC00 + ((c - 0x10000) & 0x3FF);
        }
        h = h * 31 + c;
    }
    return (int32_t)h;
}

/* How many bytes an item takes, its tag included; 0: not there. */
static size_t item_size(char kind, Str s) {
    size_t size = kind == 'b'                  ? 1
                  : kind == 'B'                ? 2
                  : kind == 'S'                ? 3
                  : kind == 'I' || kind == 'F' ? 5
                  : kind == 'L' || kind == 'D' ? 9
                  : kind == 'c'                ? 16
                  : s.len >= 4                 ? 4 + (size_t)sketch_get(s, 0, 4)
                                               : 0;
    return size <= s.len ? size : 0;
}

static int32_t item_hash(char kind, Str s) {
    uint64_t v = 0;
    switch (kind) {
    case 'b':
        return s.ptr[0] ? 1231 : 1237;
    case 'B':
        return (int8_t)s.ptr[1];
    case 'S':
        return (int16_t)sketch_get(s, 1, 2);
    case 'I':
    case 'F':
        return (int32_t)sketch_get(s, 1, 4);
    case 'L':
    case 'D':
        v = sketch_get(s, 1, 8);
        return (int32_t)(v ^ v >> 32);
    case 'c':
        v = sketch_get(s, 0, 8);
        return (int32_t)(v ^ v >> 32);
    default:
        return string_hash(str_slice(s, 4, s.len));
    }
}

static size_t first_slot(const Frequent *f, Str item) {
    uint64_t h = (uint64_t)(int64_t)item_hash(f->kind, item);
    h ^= h >> 33;
    h *= UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 33;
    h *= UINT64_C(0xc4ceb9fe1a85ec53);
    h ^= h >> 33;
    return h & (length(f) - 1);
}

static Slot *slot_of(Frequent *f, Str item) {
    size_t at = first_slot(f, item);
    while (f->slots[at].bytes && (f->slots[at].len != item.len ||
                                  memcmp(f->slots[at].bytes, item.ptr, item.len) != 0))
        at = (at + 1) & (length(f) - 1);
    return &f->slots[at];
}

static void rebuild(Frequent *f, int lg) {
    Slot *old = f->slots;
    size_t n = length(f);
    f->lg = lg;
    f->slots = calloc(length(f), sizeof(Slot));
    f->active = 0;
    for (size_t i = 0; i < n; i++) {
        if (!old[i].bytes)
            continue;
        if (old[i].count <= 0) {
            free(old[i].bytes);
            continue;
        }
        *slot_of(f, (Str){old[i].bytes, old[i].len}) = old[i];
        f->active++;
    }
    free(old);
}

static int by_count(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Takes the median count from all; what is left with nothing goes. */
static void thin(Frequent *f) {
    int64_t *counts = malloc(f->active * sizeof(int64_t));
    size_t n = 0;
    for (size_t i = 0; i < length(f); i++)
        if (f->slots[i].bytes)
            counts[n++] = f->slots[i].count;
    qsort(counts, n, sizeof(int64_t), by_count);
    int64_t median = counts[n / 2];
    free(counts);
    for (size_t i = 0; i < length(f); i++)
        f->slots[i].count -= f->slots[i].bytes ? median : 0;
    f->offset += median;
    rebuild(f, f->lg);
}

static void add(Frequent *f, Str item, int64_t count) {
    Slot *s = slot_of(f, item);
    s->count += count;
    if (s->bytes)
        return;
    s->bytes = malloc(item.len);
    memcpy(s->bytes, item.ptr, item.len);
    s->len = (uint32_t)item.len;
    if (++f->active <= capacity(f))
        return;
    if (f->lg < f->lg_max)
        rebuild(f, f->lg + 1);
    else
        thin(f);
}

/* ---- bytes ---- */

/* In the order of the reference's iterator, which steps through the table by the golden ratio. */
static size_t step_of(const Frequent *f) {
    return (size_t)((double)length(f) * 0.6180339887498949) | 1;
}

static void frequent_finish(void *state, Buf *out) {
    Frequent *f = state;
    const unsigned head[] = {f->active ? 4 : 1, 1,           FAMILY_FREQUENT,
                             (unsigned)f->lg_max, (unsigned)f->lg, f->active ? 0 : FLAG_EMPTY};
    for (size_t i = 0; i < LENGTH_OF(head); i++)
        buf_addc(out, (char)head[i]);
    sketch_put(out, 0, 2);
    if (f->active) {
        sketch_put(out, f->active, 8);
        sketch_put(out, (uint64_t)f->weight, 8);
        sketch_put(out, (uint64_t)f->offset, 8);
        for (size_t i = 0; i < length(f); i++)
            if (f->slots[i].bytes)
                sketch_put(out, (uint64_t)f->slots[i].count, 8);
        for (size_t i = 0; i < length(f); i++)
            if (f->slots[i].bytes)
                buf_add_bytes(out, f->slots[i].bytes, f->slots[i].len);
    }
    for (int i = 7; i >= 0; i--) /* NULLs behind it, big-endian */
        buf_addc(out, (char)(unsigned char)(f->nulls >> (8 * i)));
}

static bool read_into(Frequent *f, Str s) {
    if (s.len < 16 || (unsigned char)s.ptr[2] != FAMILY_FREQUENT)
        return false;
    for (size_t i = s.len - 8; i < s.len; i++)
        f->nulls += (int64_t)((uint64_t)(unsigned char)s.ptr[i] << (8 * (s.len - 1 - i)));
    if ((unsigned char)s.ptr[5] & FLAG_EMPTY)
        return true;
    if (s.len < HEAD + 8)
        return false;
    uint64_t active = sketch_get(s, 8, 4);
    f->weight += (int64_t)sketch_get(s, 16, 8);
    f->offset += (int64_t)sketch_get(s, 24, 8);
    if (active > (s.len - HEAD - 8) / 8)
        return false;
    Str items = str_slice(s, HEAD + active * 8, s.len - 8);
    for (uint64_t i = 0; i < active; i++) {
        size_t size = item_size(f->kind, items);
        if (!size)
            return false;
        add(f, str_slice(items, 0, size), (int64_t)sketch_get(s, HEAD + i * 8, 8));
        items = str_slice(items, size, items.len);
    }
    return true;
}

/* ---- aggregates: "kind lgMax" ---- */

static void *frequent_make(Str config, Error *err) {
    (void)err;
    return frequent_new(config.ptr[0], (int)sketch_number(config, 1));
}

static bool build_update(void *state, const NativeVec *args, idx_t row, Error *err) {
    (void)err;
    Frequent *f = state;
    Str item = native_str_at(&args[0], row);
    if (!item.len) {
        f->nulls++;
        return true;
    }
    f->weight++;
    add(f, item, 1);
    return true;
}

static bool merge_update(void *state, const NativeVec *args, idx_t row, Error *err) {
    return read_into(state, native_str_at(&args[0], row)) ||
           error_set(err, ERR_LAKESHED_ARGUMENT_INVALID, PZ("function", "approx_top_k"),
                     PZ("reason", "this is no sketch of frequent items"));
}

static bool frequent_merge(void *state, const void *other, Error *err) {
    Buf b = buf_in(err->arena);
    frequent_finish((void *)other, &b);
    return read_into(state, buf_str(&b)) ||
           error_internal(err, "a sketch that was just written");
}

static const SketchAggregate AGGREGATES[] = {
    {"ls_frequent_build", "xs", frequent_make, build_update, frequent_merge, frequent_finish},
    {"ls_frequent_unite", "xs", frequent_make, merge_update, frequent_merge, frequent_finish},
};

/* ---- functions ---- */

/* (value, kind): the item as it is written; NULL is an item without bytes */
static bool row_item(Native *n, idx_t row) {
    char kind = native_str(n, 1, row).ptr[0];
    const NativeVec *v = &n->args[0];
    if (native_is_null(v, row))
        return native_set_str(n, row, S(""));
    if (kind == 's') {
        Str s = native_str(n, 0, row);
        sketch_put(&n->scratch, s.len, 4);
        buf_add(&n->scratch, s);
        return native_set_scratch(n, row);
    }
    static const struct {
        char kind, tag;
        unsigned bytes;
    } TAGS[] = {{'B', 2, 1}, {'S', 3, 2}, {'I', 9, 4}, {'L', 12, 8}, {'F', 6, 4}, {'D', 4, 8}};
    __int128 value = 0;
    if (kind == 'F')
        memcpy(&value, (const float *)v->data + row, 4);
    else if (kind == 'D')
        memcpy(&value, (const double *)v->data + row, 8);
    else
        value = native_integer_at(v, row);
    if (kind == 'b')
        buf_addc(&n->scratch, value != 0);
    for (size_t i = 0; i < LENGTH_OF(TAGS); i++)
        if (TAGS[i].kind == kind) {
            buf_addc(&n->scratch, TAGS[i].tag);
            sketch_put(&n->scratch, (uint64_t)value, TAGS[i].bytes);
        }
    if (kind == 'c')
        buf_add_bytes(&n->scratch, &value, 16);
    return native_set_scratch(n, row);
}

/* The item as the text that func_put_decoded reads. */
static void put_item(char kind, int scale, Str s, Buf *out) {
    float f;
    double d;
    __int128 v;
    switch (kind) {
    case 'b':
        buf_addz(out, s.ptr[0] ? "true" : "false");
        return;
    case 'B':
        buf_addf(out, "%d", (int8_t)s.ptr[1]);
        return;
    case 'S':
        buf_addf(out, "%d", (int16_t)sketch_get(s, 1, 2));
        return;
    case 'I':
        buf_addf(out, "%d", (int32_t)sketch_get(s, 1, 4));
        return;
    case 'L':
        buf_addf(out, "%lld", (long long)sketch_get(s, 1, 8));
        return;
    case 'F':
        memcpy(&f, s.ptr + 1, 4);
        java_put_float(out, f);
        return;
    case 'D':
        memcpy(&d, s.ptr + 1, 8);
        java_put_double(out, d);
        return;
    case 'c':
        memcpy(&v, s.ptr, 16);
        put_decimal(out, v, scale);
        return;
    default:
        buf_add(out, str_slice(s, 4, s.len));
    }
}

typedef struct Ranked {
    const Slot *slot; /* NULL: the NULLs */
    int64_t count;
    size_t place;
} Ranked;

static int by_rank(const void *a, const void *b) {
    const Ranked *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* (sketch, k, "kind scale"): the items that are certain, most frequent first */
static bool row_items(Native *n, idx_t row) {
    Str config = native_str(n, 2, row);
    Frequent *f = frequent_new(config.ptr[0], LG_MAX);
    if (!read_into(f, native_str(n, 0, row))) {
        frequent_release(f);
        return NATIVE_FAIL(n, ERR_LAKESHED_ARGUMENT_INVALID, PZ("function", "approx_top_k"),
                           PZ("reason", "this is no sketch of frequent items"));
    }
    Ranked *ranked = ARENA_ARRAY(n->arena, Ranked, f->active + 1);
    size_t count = 0, mask = length(f) - 1, step = step_of(f);
    if (f->nulls)
        ranked[count++] = (Ranked){NULL, f->nulls, 0};
    for (size_t i = 0, at = 0; i <= mask; i++, at = (at + step) & mask)
        if (f->slots[at].bytes && f->slots[at].count > f->offset)
            ranked[count++] = (Ranked){&f->slots[at], f->slots[at].count + f->offset, i + 1};
    qsort(ranked, count, sizeof(*ranked), by_rank);
    idx_t wanted = (idx_t)native_i32(n, 1, row), take = count < wanted ? count : wanted,
          to = native_list_begin(n, row, take);
    NativeVec *entry = &n->out_vec.children[0];
    for (idx_t i = 0; i < take; i++, to++) {
        const Slot *slot = ranked[i].slot;
        buf_reset(&n->scratch);
        if (slot)
            put_item(f->kind, (int)sketch_number(config, 1), (Str){slot->bytes, slot->len},
                     &n->scratch);
        Str text = n->scratch.len ? buf_str(&n->scratch) : S("");
        duckdb_vector_assign_string_element_len(entry->children[0].vector, to, text.ptr, text.len);
        if (!slot)
            native_vec_set_null(&entry->children[0], to);
        ((int64_t *)entry->children[1].data)[to] = ranked[i].count;
    }
    frequent_release(f);
    return true;
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_frequent_item", "x:?s", row_item, NATIVE_SEES_NULL, 0},
};

static bool register_items(duckdb_connection c, Error *err) {
    static const NativeFunction ITEMS = {"ls_frequent_items", "x4s", row_items, 0, 0};
    const char *names[] = {"item", "count"};
    duckdb_logical_type parts[] = {duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR),
                                   duckdb_create_logical_type(DUCKDB_TYPE_BIGINT)};
    duckdb_logical_type item = duckdb_create_struct_type(parts, names, 2);
    duckdb_logical_type list = duckdb_create_list_type(item);
    bool ok = native_register_typed(c, &ITEMS, list, ITEMS.signature, err);
    duckdb_destroy_logical_type(&list);
    duckdb_destroy_logical_type(&item);
    duckdb_destroy_logical_type(&parts[0]);
    duckdb_destroy_logical_type(&parts[1]);
    return ok;
}

bool native_register_frequent(duckdb_connection c, Error *err) {
    for (size_t i = 0; i < LENGTH_OF(AGGREGATES); i++)
        TRY(sketch_register(c, &AGGREGATES[i], err));
    return register_items(c, err) &&
           native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
