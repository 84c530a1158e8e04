/* Row numbers, raised errors and what show() prints: the small natives of rows_session.c. */
#include "func/native_impl.h"
#include "func/random.h"

/* monotonically_increasing_id: the partition in the upper bits, here one a thread that runs the
 * call. */
static bool row_next_id(Native *n, idx_t row) {
    int64_t *next = native_state(n);
    return native_set_i64(n, row, (*next)++);
}

/* The rows of a partition follow each other. The last argument is their place among all rows: numbering them keeps DuckDB from
 * giving them to several threads. */
static bool row_partition_next_id(Native *n, idx_t row) {
    struct { int64_t partition, next; bool started; } *s = native_state(n);
    int64_t partition = native_i32(n, 0, row);
    if (!s->started || s->partition != partition)
        s->next = partition * (INT64_C(1) << 33);
    s->started = true;
    s->partition = partition;
    return native_set_i64(n, row, s->next++);
}

/* rand and randn: one generator a partition, seeded with its number too. */
static bool row_partition_random(Native *n, idx_t row) {
    struct { RandomState random; int64_t seed; } *s = native_state(n);
    int64_t seed = (int64_t)((uint64_t)native_i64(n, 0, row) + (uint64_t)native_i32(n, 1, row));
    if (!s->random.ready || s->seed != seed)
        random_start(&s->random, seed);
    s->seed = seed;
    return native_set_f64(n, row, n->function->variant ? random_gaussian(&s->random) : random_double(&s->random));
}

static bool row_raise(Native *n, idx_t row) {
    return NATIVE_FAIL(
        n, ERR_USER_RAISED_EXCEPTION,
        P("errorMessage", native_arg_null(n, 0, row) ? S("null") : native_str(n, 0, row)));
}

static bool row_assert(Native *n, idx_t row) {
    if (!native_arg_null(n, 0, row) && native_bool(n, 0, row))
        return native_set_null(n, row);
    return NATIVE_FAIL(
        n, ERR_USER_RAISED_EXCEPTION,
        P("errorMessage", native_arg_null(n, 1, row) ? S("null") : native_str(n, 1, row)));
}

/* The level after this one, below the limit of levels. */
static bool row_recursion_level(Native *n, idx_t row) {
    int32_t level = native_i32(n, 0, row) + 1;
    int64_t limit = native_i64(n, 1, row);
    if (level < limit)
        return native_set_i32(n, row, level);
    return NATIVE_FAIL(n, ERR_RECURSION_LEVEL_LIMIT_EXCEEDED,
                       P("levelLimit", str_printf(n->arena, "%lld", (long long)limit)));
}

/* [61 62] */
static bool row_show_binary(Native *n, idx_t row) {
    Str s = native_str(n, 0, row);
    buf_addc(&n->scratch, '[');
    for (size_t i = 0; i < s.len; i++)
        buf_addf(&n->scratch, "%s%02X", i ? " " : "", (unsigned char)s.ptr[i]);
    buf_addc(&n->scratch, ']');
    return native_set_scratch(n, row);
}

static const NativeFunction FUNCTIONS[] = {
    {"ls_next_id", "8:", row_next_id, NATIVE_VOLATILE | NATIVE_STATE, 0},
    {"ls_partition_next_id", "8:48", row_partition_next_id, NATIVE_VOLATILE | NATIVE_STATE, 0},
    {"ls_partition_rand", "d:848", row_partition_random, NATIVE_VOLATILE | NATIVE_STATE, 0},
    {"ls_partition_randn", "d:848", row_partition_random, NATIVE_VOLATILE | NATIVE_STATE, 1},
    {"ls_raise", "4:s", row_raise, NATIVE_SEES_NULL | NATIVE_VOLATILE, 0},
    {"ls_assert", "4:bs", row_assert, NATIVE_SEES_NULL | NATIVE_VOLATILE, 0},
    {"ls_recursion_level", "4:48", row_recursion_level, NATIVE_VOLATILE, 0},
    {"ls_show_binary", "s:x", row_show_binary, 0, 0},
};

bool native_register_session(duckdb_connection c, Error *err) {
    return native_register_table(c, FUNCTIONS, LENGTH_OF(FUNCTIONS), err);
}
