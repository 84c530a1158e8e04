/* Vectors as arrays of floats: distances, norms, sums; and time_bucket. */
#include <math.h>

#include "func/native_impl.h"
#include "type/datetime.h"

typedef struct Floats {
    const float *at;
    idx_t count;
    bool null_inside;
} Floats;

static Floats floats_at(const NativeVec *v, idx_t row) {
    duckdb_list_entry e = ((const duckdb_list_entry *)v->data)[row];
    const NativeVec *items = &v->children[0];
    Floats f = {(const float *)items->data + e.offset, e.length, false};
    for (idx_t i = e.offset; i < e.offset + e.length; i++)
        f.null_inside |= native_is_null(items, i);
    return f;
}

static bool other_dimension(Native *n, const char *function, idx_t left, idx_t right) {
    return NATIVE_FAIL(n, ERR_VECTOR_DIMENSION_MISMATCH, PZ("functionName", function),
                       P("leftDim", str_printf(n->arena, "%llu", (unsigned long long)left)),
                       P("rightDim", str_printf(n->arena, "%llu", (unsigned long long)right)));
}

static bool set_float(Native *n, idx_t row, float v) {
    ((float *)n->result)[row] = v;
    return true;
}

static float dot(Floats a, Floats b) {
    float sum = 0;
    for (idx_t i = 0; i < a.count; i++)
        sum += a.at[i] * b.at[i];
    return sum;
}

static bool row_pair(Native *n, idx_t row) {
    static const char *const NAMES[] = {['i'] = "`vector_inner_product`",
                                        ['l'] = "`vector_l2_distance`",
                                        ['c'] = "`vector_cosine_similarity`"};
    Floats a = floats_at(&n->args[0], row), b = floats_at(&n->args[1], row);
    int what = n->function->variant;
    if (a.count != b.count)
        return other_dimension(n, NAMES[what], a.count, b.count);
    if (a.null_inside || b.null_inside)
        return native_set_null(n, row);
    if (what == 'i')
        return set_float(n, row, dot(a, b));
    if (what == 'c') {
        float size = dot(a, a) * dot(b, b);
        return size == 0 ? native_set_null(n, row) : set_float(n, row, dot(a, b) / sqrtf(size));
    }
    float sum = 0;
    for (idx_t i = 0; i < a.count; i++)
        sum += (a.at[i] - b.at[i]) * (a.at[i] - b.at[i]);
    return set_float(n, row, sqrtf(sum));
}

static bool norm_of(Native *n, Floats v, float degree, const char *function, float *out) {
    *out = 0;
    if (degree != 1 && degree != 2 && !(isinf(degree) && degree > 0)) {
        Buf text = buf_in(n->arena);
        buf_addf(&text, degree == floorf(degree) ? "%.1f" : "%g", (double)degree);
        return NATIVE_FAIL(n, ERR_INVALID_VECTOR_NORM_DEGREE, PZ("functionName", function),
                           P("degree", buf_str(&text)));
    }
    if (degree == 2)
        *out = sqrtf(dot(v, v));
    for (idx_t i = 0; degree != 2 && i < v.count; i++)
        *out = degree == 1 ? *out + fabsf(v.at[i]) : fmaxf(*out, fabsf(v.at[i]));
    return true;
}

static float degree_at(const Native *n, idx_t row) { return ((const float *)n->args[1].data)[row]; }

static bool row_norm(Native *n, idx_t row) {
    Floats v = floats_at(&n->args[0], row);
    float norm;
    TRY(norm_of(n, v, degree_at(n, row), "`vector_norm`", &norm));
    return v.null_inside ? native_set_null(n, row) : set_float(n, row, norm);
}

static bool set_floats(Native *n, idx_t row, const float *at, idx_t count, float divisor) {
    idx_t to = native_list_begin(n, row, count);
    for (idx_t i = 0; i < count; i++)
        ((float *)n->out_vec.children[0].data)[to + i] = at[i] / divisor;
    return true;
}

static bool row_normalize(Native *n, idx_t row) {
    Floats v = floats_at(&n->args[0], row);
    float norm;
    TRY(norm_of(n, v, degree_at(n, row), "`vector_normalize`", &norm));
    if (v.null_inside || (norm == 0 && v.count))
        return native_set_null(n, row);
    return set_floats(n, row, v.at, v.count, norm);
}

/* The sum or mean of a list of vectors; those with a NULL inside do not count. */
static bool row_total(Native *n, idx_t row) {
    bool mean = n->function->variant;
    duckdb_list_entry e = native_list(n, 0, row);
    const NativeVec *items = &n->args[0].children[0];
    float *sum = NULL, seen = 0;
    idx_t count = 0;
    for (idx_t i = e.offset; i < e.offset + e.length; i++) {
        if (native_is_null(items, i))
            continue;
        Floats v = floats_at(items, i);
        if (v.null_inside)
            continue;
        if (sum && v.count != count)
            return other_dimension(n, mean ? "`vector_avg`" : "`vector_sum`", count, v.count);
        if (!sum)
            sum = ARENA_ARRAY(n->arena, float, v.count + 1);
        count = v.count;
        seen++;
        for (idx_t k = 0; k < count; k++) /* a running mean, as Spark keeps it */
            sum[k] += mean ? (v.at[k] - sum[k]) / seen : v.at[k];
    }
    return sum ? set_floats(n, row, sum, count, 1) : native_set_null(n, row);
}

/* ---- time_bucket ---- */

static int64_t plus_months(int64_t local, int64_t months) {
    int64_t days = floor_div(local, US_PER_DAY), year;
    unsigned month, day;
    date_to_civil(days, &year, &month, &day);
    int64_t total = year * 12 + (int64_t)month - 1 + months;
    year = floor_div(total, 12);
    month = (unsigned)(total - year * 12) + 1;
    unsigned last = date_days_in_month(year, month);
    return date_from_civil(year, month, day > last ? last : day) * US_PER_DAY +
           (local - days * US_PER_DAY);
}

/* The start of the bucket by months around origin, both as wall-clock readings. */
static int64_t month_bucket(int64_t size, int64_t local, int64_t origin) {
    int64_t y1, y2;
    unsigned m1, m2, d;
    date_to_civil(floor_div(local, US_PER_DAY), &y1, &m1, &d);
    date_to_civil(floor_div(origin, US_PER_DAY), &y2, &m2, &d);
    int64_t n = floor_div((y1 - y2) * 12 + (int64_t)m1 - (int64_t)m2, size);
    while (plus_months(origin, n * size) > local)
        n--;
    while (plus_months(origin, (n + 1) * size) <= local)
        n++;
    return plus_months(origin, n * size);
}

/* (months, microseconds, instant, origin, zone): buckets of a day and more follow the wall clock */
static bool row_bucket(Native *n, idx_t row) {
    int64_t months = native_i64(n, 0, row), size = native_i64(n, 1, row),
            us = native_i64(n, 2, row), origin = native_i64(n, 3, row);
    if (months <= 0 && size < US_PER_DAY)
        return native_set_i64(n, row, origin + floor_div(us - origin, size) * size);
    const Zone *zone = zone_find(native_str(n, 4, row));
    int64_t local = us + zone_offset_of(zone, us) * US_PER_SECOND,
            start = origin + zone_offset_of(zone, origin) * US_PER_SECOND;
    local = months > 0 ? month_bucket(months, local, start)
                       : start + floor_div(local - start, size) * size;
    return native_set_i64(n, row, zone_utc_of(zone, local));
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_vector_inner_product", "f:[f[f", row_pair, 0, 'i'},
    {"ls_vector_l2_distance", "f:[f[f", row_pair, 0, 'l'},
    {"ls_vector_cosine", "f:[f[f", row_pair, 0, 'c'},
    {"ls_vector_norm", "f:[ff", row_norm, 0, 0},
    {"ls_vector_normalize", "[f:[ff", row_normalize, 0, 0},
    {"ls_vector_sum", "[f:[[f", row_total, 0, 0},
    {"ls_vector_avg", "[f:[[f", row_total, 0, 1},
    {"ls_time_bucket", "8:8888s", row_bucket, 0, 0},
};

bool native_register_vector(duckdb_connection c, Error *err) {
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
