/* Space-filling curves: the range of a value among sorted bounds, and the place of ranges on a curve. */
#include "func/native_impl.h"

/* ---- ranges ---- */

static bool above_integer(const NativeVec *bounds, idx_t at, const Native *n, idx_t row) {
    return native_i64(n, 0, row) > ((const int64_t *)bounds->data)[at];
}

/* NaN is above everything, as in Spark's order. */
static bool above_real(const NativeVec *bounds, idx_t at, const Native *n, idx_t row) {
    double v = native_f64(n, 0, row), bound = ((const double *)bounds->data)[at];
    return v > bound || (v != v && bound == bound);
}

static bool above_text(const NativeVec *bounds, idx_t at, const Native *n, idx_t row) {
    return str_cmp(native_str(n, 0, row), native_str_at(bounds, at)) > 0;
}

typedef bool (*Above)(const NativeVec *bounds, idx_t at, const Native *n, idx_t row);

/* How many bounds the value is above; NULL stands before all. */
static bool range_of(Native *n, idx_t row, Above above) {
    if (native_arg_null(n, 0, row) || native_arg_null(n, 1, row))
        return native_set_i32(n, row, 0);
    const NativeVec *bounds = &n->args[1].children[0];
    duckdb_list_entry list = native_list(n, 1, row);
    idx_t low = 0, high = list.length;
    while (low < high) {
        idx_t middle = low + (high - low) / 2;
        if (above(bounds, list.offset + middle, n, row))
            low = middle + 1;
        else
            high = middle;
    }
    return native_set_i32(n, row, (int32_t)low);
}

static bool row_range_integer(Native *n, idx_t row) { return range_of(n, row, above_integer); }
static bool row_range_real(Native *n, idx_t row) { return range_of(n, row, above_real); }
static bool row_range_text(Native *n, idx_t row) { return range_of(n, row, above_text); }

/* ---- curves ---- */

/* Arguments: how many bits a coordinate has, and the coordinates. Together at most 62 bits. */
static size_t coordinates(const Native *n, idx_t row, uint32_t *out, unsigned *bits) {
    size_t count = n->argc - 1;
    *bits = (unsigned)native_i32(n, 0, row);
    for (size_t i = 0; i < count; i++)
        out[i] = (uint32_t)native_i32(n, i + 1, row);
    return count;
}

/* The highest bit of each coordinate first, the first coordinate's before the others'. */
static int64_t interleaved(const uint32_t *at, size_t count, unsigned bits) {
    uint64_t out = 0;
    for (unsigned bit = bits; bit-- > 0;)
        for (size_t i = 0; i < count; i++)
            out = out << 1 | (at[i] >> bit & 1);
    return (int64_t)out;
}

static bool row_z_order(Native *n, idx_t row) {
    uint32_t at[NATIVE_MAX_VARARGS];
    unsigned bits;
    size_t count = coordinates(n, row, at, &bits);
    return native_set_i64(n, row, interleaved(at, count, bits));
}

/* J. Skilling, "Programming the Hilbert curve" (AIP Conference Proceedings 707, 2004): coordinates to the
 * transposed index. */
static void to_hilbert(uint32_t *at, size_t count, unsigned bits) {
    for (uint32_t q = UINT32_C(1) << (bits - 1); q > 1; q >>= 1)
        for (size_t i = 0; i < count; i++) {
            uint32_t low = q - 1, swapped = (at[0] ^ at[i]) & low;
            if (at[i] & q)
                at[0] ^= low;
            else {
                at[0] ^= swapped;
                at[i] ^= swapped;
            }
        }
    for (size_t i = 1; i < count; i++)
        at[i] ^= at[i - 1];
    uint32_t turned = 0;
    for (uint32_t q = UINT32_C(1) << (bits - 1); q > 1; q >>= 1)
        if (at[count - 1] & q)
            turned ^= q - 1;
    for (size_t i = 0; i < count; i++)
        at[i] ^= turned;
}

static bool row_hilbert(Native *n, idx_t row) {
    uint32_t at[NATIVE_MAX_VARARGS];
    unsigned bits;
    size_t count = coordinates(n, row, at, &bits);
    to_hilbert(at, count, bits);
    return native_set_i64(n, row, interleaved(at, count, bits));
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_range_integer", "4:8[8", row_range_integer, NATIVE_SEES_NULL, 0},
    {"ls_range_real", "4:d[d", row_range_real, NATIVE_SEES_NULL, 0},
    {"ls_range_text", "4:s[s", row_range_text, NATIVE_SEES_NULL, 0},
    {"ls_z_order", "8:4*4", row_z_order, 0, 0},
    {"ls_hilbert", "8:4*4", row_hilbert, 0, 0},
};

bool native_register_curve(duckdb_connection c, Error *err) {
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
