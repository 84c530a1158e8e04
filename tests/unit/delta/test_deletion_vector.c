/* Deletion vectors: the protocol's own vector, round trips, and bytes that lie. */
#include "kit.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "delta/z85_impl.h"

#define SPEC_INLINE "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L"

static const uint64_t spec_rows[] = {3, 4, 7, 11, 18, 29};

static void protocol_vector_reads(void **state)
{
    Kit k;
    uint64_t *rows;
    size_t count;
    (void)state;
    kit_open(&k);
    DeletionVector dv = {
        .storage = 'i', .path_or_inline = S(SPEC_INLINE), .size_in_bytes = 40, .cardinality = 6};
    OK(&k, deletion_vector_read(k.table, &dv, k.arena, &rows, &count, &k.err));
    assert_int_equal(count, 6);
    assert_memory_equal(rows, spec_rows, sizeof spec_rows);
    kit_close(&k);
}

static void protocol_paths_are_derived(void **state)
{
    Kit k;
    Str path;
    (void)state;
    kit_open(&k);
    DeletionVector dv = {.storage = 'u', .path_or_inline = S("ab^-aqEH.-t@S}K{vb[*k^")};
    OK(&k, deletion_vector_path(&dv, k.arena, &path, &k.err));
    assert_true(str_is(path, "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin"));
    DeletionVector outside = {.storage = 'u', .path_or_inline = S("..^-aqEH.-t@S}K{vb[*k^")};
    REFUSED(&k, "DELTA_CANNOT_RECONSTRUCT_PATH_FROM_URI",
            deletion_vector_path(&outside, k.arena, &path, &k.err));
    kit_close(&k);
}

static void check_round_trip(Kit *k, const uint64_t *rows, size_t count)
{
    DeletionVector dv, again;
    uint64_t *back;
    size_t back_count;
    RowSet set = {rows, count};
    OK(k, deletion_vectors_write(k->table, &set, 1, k->arena, &dv, &k->err));
    OK(k, deletion_vector_read(k->table, &dv, k->arena, &back, &back_count, &k->err));
    assert_int_equal(back_count, count);
    assert_memory_equal(back, rows, count * sizeof *rows);
    OK(k, deletion_vector_inline(set, k->arena, &again, &k->err));
    OK(k, deletion_vector_read(k->table, &again, k->arena, &back, &back_count, &k->err));
    assert_memory_equal(back, rows, count * sizeof *rows);
}

static void every_container_round_trips(void **state)
{
    Kit k;
    (void)state;
    kit_open(&k);
    check_round_trip(&k, spec_rows, LENGTH_OF(spec_rows));
    uint64_t *dense = ARENA_ARRAY(k.arena, uint64_t, 200000),
             *sparse = ARENA_ARRAY(k.arena, uint64_t, 60000);
    for (size_t i = 0; i < 200000; i++)
        dense[i] = i; /* runs */
    for (size_t i = 0; i < 60000; i++)
        sparse[i] = i * 3 + (i % 7 == 0); /* bitsets and arrays */
    check_round_trip(&k, dense, 200000);
    check_round_trip(&k, sparse, 60000);
    uint64_t far[] = {0, UINT64_C(1) << 32, (UINT64_C(5) << 32) + 17, (UINT64_C(7) << 32) + 65536};
    check_round_trip(&k, far, LENGTH_OF(far));
    kit_close(&k);
}

static void many_sets_share_a_file(void **state)
{
    Kit k;
    uint64_t a[] = {5, 1, 5, 3}, b[] = {9}, *rows;
    size_t count;
    DeletionVector dvs[2];
    (void)state;
    kit_open(&k);
    RowSet sets[] = {{a, 4}, {b, 1}};
    OK(&k, deletion_vectors_write(k.table, sets, 2, k.arena, dvs, &k.err));
    assert_true(str_eq(dvs[0].path_or_inline, dvs[1].path_or_inline));
    assert_int_equal(dvs[0].cardinality, 3); /* repeats count once */
    OK(&k, deletion_vector_read(k.table, &dvs[1], k.arena, &rows, &count, &k.err));
    assert_int_equal(count, 1);
    assert_int_equal(rows[0], 9);
    assert_false(deletion_vector_equal(&dvs[0], &dvs[1]));
    kit_close(&k);
}

static void lies_are_refused(void **state)
{
    Kit k;
    uint64_t *rows;
    size_t count;
    (void)state;
    kit_open(&k);
    DeletionVector dv = {
        .storage = 'i', .path_or_inline = S(SPEC_INLINE), .size_in_bytes = 40, .cardinality = 5};
    REFUSED(&k, "DELTA_DELETION_VECTOR_CARDINALITY_MISMATCH",
            deletion_vector_read(k.table, &dv, k.arena, &rows, &count, &k.err));
    dv.size_in_bytes = 400;
    REFUSED(&k, "DELTA_DELETION_VECTOR_SIZE_MISMATCH",
            deletion_vector_read(k.table, &dv, k.arena, &rows, &count, &k.err));
    uint64_t one[] = {1};
    RowSet set = {one, 1};
    Str path, bytes;
    bool found;
    OK(&k, deletion_vectors_write(k.table, &set, 1, k.arena, &dv, &k.err));
    OK(&k, deletion_vector_path(&dv, k.arena, &path, &k.err));
    OK(&k, store_read(delta_table_store(k.table), path, 1000, k.arena, &found, &bytes, &k.err));
    ((char *)(uintptr_t)bytes.ptr)[20] ^= 1;
    OK(&k, store_put(delta_table_store(k.table), path, bytes, &k.err));
    REFUSED(&k, "DELTA_DELETION_VECTOR_CHECKSUM_MISMATCH",
            deletion_vector_read(k.table, &dv, k.arena, &rows, &count, &k.err));
    OK(&k, store_delete(delta_table_store(k.table), path, &k.err));
    REFUSED(&k, "DELTA_FILE_NOT_FOUND",
            deletion_vector_read(k.table, &dv, k.arena, &rows, &count, &k.err));
    kit_close(&k);
}

/* Every single changed byte of a vector's text: refused or read, never past its bounds (ASan
 * watches). */
static void changed_bytes_are_survived(void **state)
{
    Kit k;
    uint64_t rows[5000], *back;
    size_t count;
    DeletionVector dv;
    (void)state;
    kit_open(&k);
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        rows[i] = i < 4500 ? i * 2 : 100000 + i;
    OK(&k, deletion_vector_inline((RowSet){rows, LENGTH_OF(rows)}, k.arena, &dv, &k.err));
    uint8_t *bytes = arena_alloc(k.arena, (size_t)dv.size_in_bytes + 4);
    assert_true(z85_decode(dv.path_or_inline, bytes));
    for (int i = 0; i < dv.size_in_bytes; i += i < 200 ? 1 : 97) {
        AUTO_ARENA(scratch) = arena_new();
        Error err = error_in(scratch);
        uint8_t kept = bytes[i];
        bytes[i] ^= (uint8_t)(1 << (i % 8));
        DeletionVector changed = dv;
        changed.path_or_inline = z85_encode(bytes, (size_t)dv.size_in_bytes, scratch);
        if (!deletion_vector_read(k.table, &changed, scratch, &back, &count, &err))
            assert_true(error_is_set(&err));
        bytes[i] = kept;
    }
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protocol_vector_reads),
        cmocka_unit_test(protocol_paths_are_derived),
        cmocka_unit_test(every_container_round_trips),
        cmocka_unit_test(many_sets_share_a_file),
        cmocka_unit_test(lies_are_refused),
        cmocka_unit_test(changed_bytes_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
