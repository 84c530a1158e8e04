/* Arena, buffer, vector and map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"

static void arena_is_zeroed_and_aligned(void **state)
{
    AUTO_ARENA a = arena_new();
    for (size_t size = 0; size < 9000; size = size * 2 + 1) {
        unsigned char *p = arena_alloc(a, size);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, size);
    }
    assert_true(arena_used(a) > 9000);
}

static void arena_survives_big_allocations(void **state)
{
    AUTO_ARENA a = arena_new();
    char *small = arena_alloc(a, 10);
    char *big = arena_alloc(a, 5 << 20);
    char *after = arena_alloc(a, 10);
    memset(big, 1, 5 << 20);
    assert_int_equal(after - small, 16); /* the chunk in use goes on being used */
}

static void arena_grows_in_place_when_newest(void **state)
{
    AUTO_ARENA a = arena_new();
    char *p = arena_alloc(a, 16);
    strcpy(p, "abc");
    assert_ptr_equal(arena_grow(a, p, 16, 64), p);
    assert_int_equal(p[40], 0);
    arena_alloc(a, 1);
    char *moved = arena_grow(a, p, 64, 128);
    assert_ptr_not_equal(moved, p);
    assert_string_equal(moved, "abc");
    char *last = moved;
    for (size_t size = 128; size < (4 << 20); size *= 2)
        last = arena_grow(a, last, size, size * 2);
    assert_string_equal(last, "abc");
}

static char released[8];

static void note_release(void *letter)
{
    strcat(released, letter);
}

static void arena_runs_hooks_backwards(void **state)
{
    char one[] = "1", two[] = "2";
    Arena *a = arena_new();
    released[0] = '\0';
    arena_on_free(a, note_release, one);
    arena_on_free(a, note_release, two);
    arena_free(a);
    arena_free(NULL);
    assert_string_equal(released, "21");
}

static void buf_writes(void **state)
{
    AUTO_ARENA a = arena_new();
    Buf b = buf_in(a);
    assert_int_equal(buf_str(&b).len, 0);
    buf_addz(&b, "x=");
    buf_addf(&b, "%d%s", 42, "!");
    buf_addc(&b, '.');
    buf_add_repeat(&b, '-', 300);
    assert_int_equal(b.len, 306);
    assert_memory_equal(b.ptr, "x=42!.-", 7);
    buf_reset(&b);
    buf_add(&b, S("again"));
    assert_string_equal(buf_str(&b).ptr, "again");
}

static void buf_refuses_past_its_maximum(void **state)
{
    Buf b = buf_heap(10);
    buf_addz(&b, "0123456789");
    assert_false(b.overflow);
    buf_addc(&b, 'x');
    assert_true(b.overflow);
    buf_addf(&b, "%d", 1);
    assert_string_equal(b.ptr, "0123456789");
    buf_reset(&b);
    buf_add_repeat(&b, 'x', SIZE_MAX);
    assert_true(b.overflow);
    buf_free(&b);
}

static void vec_grows(void **state)
{
    AUTO_ARENA a = arena_new();
    VEC(int) v = {0};
    for (int i = 0; i < 1000; i++)
        vec_push(a, &v, i);
    assert_int_equal(v.len, 1000);
    assert_int_equal(v.at[777], 777);
    assert_int_equal(vec_last(&v), 999);
}

static void map_keeps_insertion_order(void **state)
{
    AUTO_ARENA a = arena_new();
    Map m = map_in(a);
    assert_null(map_get(&m, S("none")));
    assert_null(map_first(&m));
    assert_false(map_remove(&m, S("none")));
    for (long i = 0; i < 5000; i++)
        map_put(&m, str_printf(a, "key%ld", i), (void *)(i + 1));
    for (long i = 0; i < 5000; i += 2)
        assert_true(map_remove(&m, str_printf(a, "key%ld", i)));
    assert_int_equal(m.live, 2500);
    long expected = 2;
    for (MapEntry *e = map_first(&m); e; e = map_next(&m, e), expected += 2)
        assert_int_equal((long)e->value, expected);
    assert_int_equal(expected, 5002);
    assert_false(map_has(&m, S("key0")));
    map_put(&m, S("key0"), (void *)7L);
    map_put(&m, S("key1"), (void *)8L);
    assert_int_equal((long)map_get(&m, S("key0")), 7);
    assert_int_equal((long)map_get(&m, S("key1")), 8);
    assert_int_equal(m.live, 2501);
}

static void map_put_and_remove_does_not_grow_without_end(void **state)
{
    AUTO_ARENA a = arena_new();
    Map m = map_in(a);
    for (int i = 0; i < 100000; i++) {
        map_put(&m, S("same"), &m);
        assert_true(map_remove(&m, S("same")));
    }
    assert_true(m.slot_count <= 64);
    assert_true(arena_used(a) < 65536);
}

static void map_without_case(void **state)
{
    AUTO_ARENA a = arena_new();
    Map m = map_in_ignoring_case(a);
    map_put(&m, S("LongerThanEight_Name"), &m);
    assert_true(map_has(&m, S("longerthaneight_NAME")));
    assert_false(map_has(&m, S("longerthaneight_NAM")));
    map_put(&m, S("LONGERTHANEIGHT_NAME"), a);
    assert_int_equal(m.live, 1);
    assert_ptr_equal(map_get(&m, S("longerthaneight_name")), a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_is_zeroed_and_aligned),
        cmocka_unit_test(arena_survives_big_allocations),
        cmocka_unit_test(arena_grows_in_place_when_newest),
        cmocka_unit_test(arena_runs_hooks_backwards),
        cmocka_unit_test(buf_writes),
        cmocka_unit_test(buf_refuses_past_its_maximum),
        cmocka_unit_test(vec_grows),
        cmocka_unit_test(map_keeps_insertion_order),
        cmocka_unit_test(map_put_and_remove_does_not_grow_without_end),
        cmocka_unit_test(map_without_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
