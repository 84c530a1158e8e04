/* Arrays in C: deep equality, set operations as index lists (which list_select applies), sequences.
 */
#include "func/native_impl.h"

#include <stdlib.h>

#include "func/native_value.h"
#include "func/number.h"
#include "type/datetime.h"

/* ---- index lists ---- */

typedef struct IndexSet {
    uint32_t *slots; /* index + 1, 0 = free */
    size_t mask;
} IndexSet;

static IndexSet index_set(idx_t count, Arena *arena) {
    size_t size = 16;
    while (size < count * 2)
        size *= 2;
    return (IndexSet){ARENA_ARRAY(arena, uint32_t, size), size - 1};
}

/* Adds element `at` of v (offset base) unless an equal one is there. */
static bool set_add(IndexSet *s, const NativeVec *v, idx_t base, idx_t at) {
    size_t slot = native_hash_value(v, base + at) & s->mask;
    for (; s->slots[slot]; slot = (slot + 1) & s->mask)
        if (native_equal(v, base + s->slots[slot] - 1, v, base + at))
            return false;
    s->slots[slot] = (uint32_t)at + 1;
    return true;
}

static bool set_has(const IndexSet *s, const NativeVec *v, idx_t base, const NativeVec *x,
                    idx_t at) {
    for (size_t slot = native_hash_value(x, at) & s->mask; s->slots[slot];
         slot = (slot + 1) & s->mask)
        if (native_equal(v, base + s->slots[slot] - 1, x, at))
            return true;
    return false;
}

static bool put_indexes(Native *n, idx_t row, const int64_t *at, idx_t count) {
    idx_t start = native_list_begin(n, row, count);
    memcpy((int64_t *)n->out_vec.children[0].data + start, at, count * sizeof(*at));
    return true;
}

static bool row_distinct(Native *n, idx_t row) {
    duckdb_list_entry e = native_list(n, 0, row);
    const NativeVec *v = &n->args[0].children[0];
    IndexSet set = index_set(e.length, n->arena);
    int64_t *keep = ARENA_ARRAY(n->arena, int64_t, e.length + 1);
    idx_t count = 0;
    for (idx_t i = 0; i < e.length; i++)
        if (set_add(&set, v, e.offset, i))
            keep[count++] = (int64_t)i + 1;
    return put_indexes(n, row, keep, count);
}

/* variant 0: in both; 1: only in the first */
static bool row_intersect(Native *n, idx_t row) {
    duckdb_list_entry a = native_list(n, 0, row), b = native_list(n, 1, row);
    const NativeVec *va = &n->args[0].children[0], *vb = &n->args[1].children[0];
    IndexSet seen = index_set(a.length, n->arena), other = index_set(b.length, n->arena);
    for (idx_t i = 0; i < b.length; i++)
        set_add(&other, vb, b.offset, i);
    int64_t *keep = ARENA_ARRAY(n->arena, int64_t, a.length + 1);
    idx_t count = 0;
    for (idx_t i = 0; i < a.length; i++)
        if (set_has(&other, vb, b.offset, va, a.offset + i) == (n->function->variant == 0) &&
            set_add(&seen, va, a.offset, i))
            keep[count++] = (int64_t)i + 1;
    return put_indexes(n, row, keep, count);
}

static bool row_overlap(Native *n, idx_t row) {
    duckdb_list_entry a = native_list(n, 0, row), b = native_list(n, 1, row);
    const NativeVec *va = &n->args[0].children[0], *vb = &n->args[1].children[0];
    IndexSet other = index_set(b.length, n->arena);
    bool nulls = false;
    for (idx_t i = 0; i < b.length; i++) {
        if (native_is_null(vb, b.offset + i))
            nulls = true;
        else
            set_add(&other, vb, b.offset, i);
    }
    for (idx_t i = 0; i < a.length; i++) {
        if (native_is_null(va, a.offset + i))
            nulls = true;
        else if (set_has(&other, vb, b.offset, va, a.offset + i))
            return native_set_bool(n, row, true);
    }
    return nulls && a.length && b.length ? native_set_null(n, row) : native_set_bool(n, row, false);
}

static bool row_contains(Native *n, idx_t row) {
    duckdb_list_entry e = native_list(n, 0, row);
    const NativeVec *v = &n->args[0].children[0];
    bool nulls = false;
    for (idx_t i = 0; i < e.length; i++) {
        if (native_is_null(v, e.offset + i))
            nulls = true;
        else if (native_equal(v, e.offset + i, &n->args[1], row))
            return native_set_bool(n, row, true);
    }
    return nulls ? native_set_null(n, row) : native_set_bool(n, row, false);
}

static bool row_position(Native *n, idx_t row) {
    duckdb_list_entry e = native_list(n, 0, row);
    const NativeVec *v = &n->args[0].children[0];
    for (idx_t i = 0; i < e.length; i++)
        if (!native_is_null(v, e.offset + i) && native_equal(v, e.offset + i, &n->args[1], row))
            return native_set_i64(n, row, (int64_t)i + 1);
    return native_set_i64(n, row, 0);
}

static bool row_size(Native *n, idx_t row) {
    return native_set_i32(n, row, (int32_t)native_list(n, 0, row).length);
}

/* The place of the most frequent value in a sorted list; of equals the first, or the last. */
static bool row_mode_index(Native *n, idx_t row) {
    duckdb_list_entry e = native_list(n, 0, row);
    const NativeVec *v = &n->args[0].children[0];
    bool last = native_bool(n, 1, row);
    idx_t best = 0, best_length = 0;
    for (idx_t i = 0; i < e.length;) {
        idx_t end = i + 1;
        while (end < e.length && native_equal(v, e.offset + i, v, e.offset + end))
            end++;
        if (!native_is_null(v, e.offset + i) &&
            (last ? end - i >= best_length : end - i > best_length)) {
            best = i + 1;
            best_length = end - i;
        }
        i = end;
    }
    return best ? native_set_i64(n, row, (int64_t)best) : native_set_null(n, row);
}

/* percentile(value, percentage, frequency) over gathered values: linear between the two nearest
 * ranks. */
typedef struct Weighted {
    double value;
    int64_t weight;
} Weighted;

static int by_value(const void *a, const void *b) {
    double x = ((const Weighted *)a)->value, y = ((const Weighted *)b)->value;
    return x < y ? -1 : x > y;
}

static double value_at_rank(const Weighted *w, size_t count, int64_t rank) {
    int64_t seen = 0;
    for (size_t i = 0; i < count; i++) {
        seen += w[i].weight;
        if (rank < seen)
            return w[i].value;
    }
    return w[count - 1].value;
}

static double percentile(const Weighted *w, size_t count, int64_t total, double p) {
    double position = (double)(total - 1) * p;
    int64_t low = (int64_t)position, high = (double)low < position ? low + 1 : low;
    double a = value_at_rank(w, count, low), b = value_at_rank(w, count, high);
    return low == high || a == b ? a : ((double)high - position) * a + (position - (double)low) * b;
}

/* (values, frequencies, percentage or percentages) */
static bool row_percentile(Native *n, idx_t row) {
    duckdb_list_entry v = native_list(n, 0, row), f = native_list(n, 1, row);
    const NativeVec *values = &n->args[0].children[0], *weights = &n->args[1].children[0];
    Weighted *w = ARENA_ARRAY(n->arena, Weighted, v.length + 1);
    size_t count = 0;
    int64_t total = 0;
    for (idx_t i = 0; i < v.length && i < f.length; i++) {
        if (native_is_null(values, v.offset + i) || native_is_null(weights, f.offset + i))
            continue;
        int64_t weight = ((const int64_t *)weights->data)[f.offset + i];
        if (weight < 0)
            return NATIVE_FAIL(n, ERR_LAKESHED_ARGUMENT_INVALID, PZ("function", "percentile"),
                               PZ("reason", "a frequency is negative"));
        if (weight) {
            w[count++] = (Weighted){((const double *)values->data)[v.offset + i], weight};
            total += weight;
        }
    }
    if (!count)
        return native_set_null(n, row);
    qsort(w, count, sizeof(*w), by_value);
    if (n->function->variant == 0)
        return native_set_f64(n, row, percentile(w, count, total, native_f64(n, 2, row)));
    duckdb_list_entry p = native_list(n, 2, row);
    idx_t at = native_list_begin(n, row, p.length);
    for (idx_t i = 0; i < p.length; i++)
        ((double *)n->out_vec.children[0].data)[at + i] = percentile(
            w, count, total, ((const double *)n->args[2].children[0].data)[p.offset + i]);
    return true;
}

/* ---- indexes ---- */

static bool bad_index(Native *n, ErrorClass cls, int64_t index, int64_t size) {
    return NATIVE_FAIL(n, cls, P("indexValue", str_printf(n->arena, "%lld", (long long)index)),
                       P("arraySize", str_printf(n->arena, "%lld", (long long)size)),
                       PZ("ansiConfig", "\"spark.sql.ansi.enabled\""));
}

/* element_at: (size, index, fail) from 1, negative from the end */
static bool row_element_index(Native *n, idx_t row) {
    int64_t size = native_i64(n, 0, row), i = native_i32(n, 1, row);
    if (i == 0)
        return NATIVE_FAIL(n, ERR_INVALID_INDEX_OF_ZERO);
    if (i > size || -i > size)
        return native_bool(n, 2, row) ? bad_index(n, ERR_INVALID_ARRAY_INDEX_IN_ELEMENT_AT, i, size)
                                      : native_set_null(n, row);
    return native_set_i64(n, row, i > 0 ? i : size + i + 1);
}

/* array[index]: (size, index, fail) from 0 */
static bool row_array_index(Native *n, idx_t row) {
    int64_t size = native_i64(n, 0, row), i = native_i64(n, 1, row);
    if (i < 0 || i >= size)
        return native_bool(n, 2, row) ? bad_index(n, ERR_INVALID_ARRAY_INDEX, i, size)
                                      : native_set_null(n, row);
    return native_set_i64(n, row, i + 1);
}

static bool row_slice(Native *n, idx_t row) {
    int64_t size = (int64_t)native_list(n, 0, row).length, start = native_i32(n, 1, row),
            length = native_i32(n, 2, row);
    if (start == 0)
        return NATIVE_FAIL(n, ERR_INVALID_PARAMETER_VALUE__START, PZ("functionName", "`slice`"),
                           PZ("parameter", "`start`"));
    if (length < 0)
        return NATIVE_FAIL(n, ERR_INVALID_PARAMETER_VALUE__LENGTH, PZ("functionName", "`slice`"),
                           PZ("parameter", "`length`"),
                           P("length", str_printf(n->arena, "%lld", (long long)length)));
    int64_t from = start > 0 ? start : size + start + 1, count = 0;
    int64_t *keep = ARENA_ARRAY(n->arena, int64_t, (size_t)size + 1);
    for (int64_t i = from; from >= 1 && i <= size && i < from + length; i++)
        keep[count++] = i;
    return put_indexes(n, row, keep, (idx_t)count);
}

/* array_insert over the array with the new element appended: places beyond the end read NULL. */
static bool row_insert(Native *n, idx_t row) {
    int64_t size = (int64_t)native_list(n, 0, row).length, pos = native_i32(n, 1, row);
    if (pos == 0)
        return NATIVE_FAIL(n, ERR_INVALID_INDEX_OF_ZERO);
    int64_t magnitude = pos < 0 ? -pos : pos, total = magnitude > size ? magnitude : size + 1;
    if (total > (1 << 24))
        return NATIVE_FAIL(n, ERR_COLLECTION_SIZE_LIMIT_EXCEEDED__FUNCTION,
                           P("numberOfElements", str_printf(n->arena, "%lld", (long long)total)),
                           PZ("maxRoundedArrayLength", "16777216"),
                           PZ("functionName", "`array_insert`"));
    int64_t at = pos > 0 ? pos : total + pos + 1;
    if (pos < 0 && magnitude <= size)
        at = size + pos + 2;
    int64_t *keep = ARENA_ARRAY(n->arena, int64_t, (size_t)total + 2);
    int64_t missing = size + 2, count = 0;
    if (pos < 0 && magnitude > size) { /* new element first, NULLs, then the old ones */
        keep[count++] = size + 1;
        for (int64_t i = 0; i < magnitude - size - 1; i++)
            keep[count++] = missing;
        for (int64_t i = 1; i <= size; i++)
            keep[count++] = i;
        return put_indexes(n, row, keep, (idx_t)count);
    }
    for (int64_t i = 1; i < at; i++)
        keep[count++] = i <= size ? i : missing;
    keep[count++] = size + 1;
    for (int64_t i = at; i <= size; i++)
        keep[count++] = i;
    return put_indexes(n, row, keep, (idx_t)count);
}

/* ---- texts and truth ---- */

static bool row_join(Native *n, idx_t row) {
    duckdb_list_entry e = native_list(n, 0, row);
    const NativeVec *v = &n->args[0].children[0];
    Str sep = native_str(n, 1, row), null = native_str(n, 2, row);
    bool first = true, show = native_bool(n, 3, row);
    for (idx_t i = 0; i < e.length; i++) {
        bool is_null = native_is_null(v, e.offset + i);
        if (is_null && !show)
            continue;
        if (!first)
            buf_add(&n->scratch, sep);
        buf_add(&n->scratch, is_null ? null : native_str_at(v, e.offset + i));
        first = false;
    }
    return native_set_scratch(n, row);
}

/* exists and forall over the predicate's answers: three-valued. */
static bool row_quantifier(Native *n, idx_t row) {
    duckdb_list_entry e = native_list(n, 0, row);
    const NativeVec *v = &n->args[0].children[0];
    bool wanted = n->function->variant == 0, unknown = false;
    for (idx_t i = 0; i < e.length; i++) {
        if (native_is_null(v, e.offset + i))
            unknown = true;
        else if (((bool *)v->data)[e.offset + i] == wanted)
            return native_set_bool(n, row, wanted);
    }
    return unknown ? native_set_null(n, row) : native_set_bool(n, row, !wanted);
}

/* ---- sequences ---- */

enum { SEQUENCE_MAX = 1 << 26 };

static bool bad_sequence(Native *n, Str start, Str stop, Str step) {
    return NATIVE_FAIL(n, ERR_LAKESHED_ARGUMENT_INVALID, PZ("function", "sequence"),
                       P("reason", str_printf(n->arena,
                                               "Illegal sequence boundaries: " STR_FMT
                                               " to " STR_FMT " by " STR_FMT,
                                               STR_ARG(start), STR_ARG(stop), STR_ARG(step))));
}

static Str number_text_of(Native *n, int64_t v) {
    return str_printf(n->arena, "%lld", (long long)v);
}

static bool row_sequence(Native *n, idx_t row) {
    int64_t start = native_i64(n, 0, row), stop = native_i64(n, 1, row);
    int64_t step = n->argc > 2 ? native_i64(n, 2, row) : start <= stop ? 1 : -1;
    if ((step == 0 && start != stop) || (step > 0 && start > stop) || (step < 0 && start < stop))
        return bad_sequence(n, number_text_of(n, start), number_text_of(n, stop),
                            number_text_of(n, step));
    __int128 count = step == 0 ? 1 : ((__int128)stop - start) / step + 1;
    if (count > SEQUENCE_MAX)
        return NATIVE_FAIL(n, ERR_COLLECTION_SIZE_LIMIT_EXCEEDED__PARAMETER,
                           P("numberOfElements", number_text_of(n, (int64_t)count)),
                           P("maxRoundedArrayLength", number_text_of(n, SEQUENCE_MAX)),
                           PZ("functionName", "`sequence`"), PZ("parameter", "`stop`"));
    idx_t at = native_list_begin(n, row, (idx_t)count);
    int64_t *out = (int64_t *)n->out_vec.children[0].data + at;
    for (int64_t i = 0; i < (int64_t)count; i++)
        out[i] = start + i * step;
    return true;
}

/* Local microseconds moved by whole months, the day kept inside the month. */
static int64_t add_months(int64_t local_us, int64_t months) {
    int64_t days = floor_div(local_us, US_PER_DAY), rest = local_us - days * US_PER_DAY, year;
    unsigned month, day;
    date_to_civil(days, &year, &month, &day);
    int64_t total = year * 12 + month - 1 + months;
    year = floor_div(total, 12);
    month = (unsigned)(total - year * 12) + 1;
    unsigned last = date_days_in_month(year, month);
    return date_from_civil(year, month, day < last ? day : last) * US_PER_DAY + rest;
}

/* (start, stop, months, days, microseconds, zone, step given): steps are taken from the start, in
 * the zone's calendar. */
static bool row_sequence_time(Native *n, idx_t row) {
    int kind = n->function->variant; /* 0 date, 1 timestamp, 2 ntz */
    Str zone = kind == 1 ? native_str(n, 5, row) : S("UTC");
    int64_t start = kind ? native_i64(n, 0, row) : native_i32(n, 0, row) * US_PER_DAY;
    int64_t stop = kind ? native_i64(n, 1, row) : native_i32(n, 1, row) * US_PER_DAY;
    int64_t months = native_i32(n, 2, row), days = native_i32(n, 3, row),
            us = native_i64(n, 4, row);
    if (!native_bool(n, 6, row) && start > stop)
        days = -days;
    __int128 estimate = (__int128)months * 28 * US_PER_DAY + (__int128)days * US_PER_DAY + us;
    if (!kind && us % US_PER_DAY && !months && !days)
        return NATIVE_FAIL(n, ERR_LAKESHED_ARGUMENT_INVALID, PZ("function", "sequence"),
                           PZ("reason", "between dates a step has whole days, months or years"));
    if ((estimate == 0 && start != stop) || (estimate > 0 && start > stop) ||
        (estimate < 0 && start < stop))
        return bad_sequence(n, number_text_of(n, start), number_text_of(n, stop),
                            number_text_of(n, (int64_t)estimate));
    int64_t local = start + zone_offset_at(zone, start) * US_PER_SECOND;
    VEC(int64_t) values = {0};
    for (int64_t i = 0; values.len < SEQUENCE_MAX; i++) {
        int64_t at =
            months || days
                ? zone_to_utc(zone, add_months(local, months * i) + days * i * US_PER_DAY) + us * i
                : start + us * i;
        if (estimate > 0 ? at > stop : at < stop)
            break;
        vec_push(n->arena, &values, at);
        if (estimate == 0)
            break;
    }
    idx_t at = native_list_begin(n, row, values.len);
    for (size_t i = 0; i < values.len; i++) {
        if (kind)
            ((int64_t *)n->out_vec.children[0].data)[at + i] = values.at[i];
        else
            ((int32_t *)n->out_vec.children[0].data)[at + i] =
                (int32_t)floor_div(values.at[i], US_PER_DAY);
    }
    return true;
}

static bool row_interval_part(Native *n, idx_t row) {
    duckdb_interval i = native_interval(n, 0, row);
    return native_set_i32(n, row, native_i32(n, 1, row) ? i.days : i.months);
}

static bool row_interval_micros(Native *n, idx_t row) {
    return native_set_i64(n, row, native_interval(n, 0, row).micros);
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_distinct_index", "[8:?", row_distinct, 0, 0},
    {"ls_intersect_index", "[8:??", row_intersect, 0, 0},
    {"ls_except_index", "[8:??", row_intersect, 0, 1},
    {"ls_arrays_overlap", "b:??", row_overlap, 0, 0},
    {"ls_array_contains", "b:??", row_contains, 0, 0},
    {"ls_array_position", "8:??", row_position, 0, 0},
    {"ls_mode_index", "8:?b", row_mode_index, 0, 0},
    {"ls_percentile", "d:[d[8d", row_percentile, 0, 0},
    {"ls_percentiles", "[d:[d[8[d", row_percentile, 0, 1},
    {"ls_size", "4:?", row_size, 0, 0},
    {"ls_element_index", "8:84b", row_element_index, 0, 0},
    {"ls_array_index", "8:88b", row_array_index, 0, 0},
    {"ls_slice_index", "[8:?44", row_slice, 0, 0},
    {"ls_insert_index", "[8:?4", row_insert, 0, 0},
    {"ls_array_join", "s:[sssb", row_join, 0, 0},
    {"ls_any_true", "b:[b", row_quantifier, 0, 0},
    {"ls_all_true", "b:[b", row_quantifier, 0, 1},
    {"ls_sequence", "[8:8*8", row_sequence, 0, 0},
    {"ls_sequence_date", "[D:DD448sb", row_sequence_time, 0, 0},
    {"ls_sequence_timestamp", "[z:zz448sb", row_sequence_time, 0, 1},
    {"ls_sequence_ntz", "[n:nn448sb", row_sequence_time, 0, 2},
    {"ls_interval_part", "4:v4", row_interval_part, 0, 0},
    {"ls_interval_micros", "8:v", row_interval_micros, 0, 0},
};

bool native_register_collection(duckdb_connection c, Error *err) {
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
