/* The injected clock and ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static int64_t fixed_now(void *self)
{
    return *(int64_t *)self;
}

static void fixed_bytes(void *self, void *out, size_t len)
{
    memset(out, 0xab, len);
}

static void real_clock_runs(void **state)
{
    char one[UUID_TEXT_LEN + 1], two[UUID_TEXT_LEN + 1];
    assert_true(clock_now_us() > INT64_C(1700000000000000));
    assert_true(clock_monotonic_us() <= clock_monotonic_us());
    clock_uuid(one);
    clock_uuid(two);
    assert_string_not_equal(one, two);
    assert_int_equal(strlen(one), 36);
    assert_int_equal(one[14], '4');
}

static void installed_clock_rules(void **state)
{
    AUTO_ARENA a = arena_new();
    int64_t now = -1;
    Clock clock = {fixed_now, fixed_bytes, &now};
    clock_install(&clock);
    assert_int_equal(clock_now_us(), -1);
    assert_int_equal(clock_now_ms(), -1);
    assert_string_equal(clock_uuid_in(a).ptr, "abababab-abab-4bab-abab-abababababab");
    clock_install(NULL);
    assert_true(clock_now_us() > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_clock_runs),
        cmocka_unit_test(installed_clock_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
