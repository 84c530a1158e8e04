/* Borrowed text: searching, numbers, UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"

static void compares(void **state)
{
    assert_true(str_eq(S("a"), S("a")));
    assert_true(str_eq(str_from(NULL), S("")));
    assert_false(str_eq(S("a"), S("A")));
    assert_true(str_ieq(S("SeleCt"), S("sELECT")));
    assert_true(str_is_ci(S("x"), "X"));
    assert_true(str_cmp(S("a"), S("b")) < 0);
    assert_true(str_cmp(S("ab"), S("a")) > 0);
    assert_true(str_cmp(S("\xff"), S("a")) > 0);
    assert_true(str_hash(S("abc")) == str_hash(S("abc")));
    assert_true(str_hash(S("abc")) != str_hash(S("abd")));
    assert_true(str_ihash(S("ABCDEFGHijkl")) == str_ihash(S("abcdefghIJKL")));
}

static void searches(void **state)
{
    AUTO_ARENA a = arena_new();
    assert_int_equal(str_find(S("abcabc"), S("ca")), 2);
    assert_int_equal(str_find(S("abc"), S("x")), -1);
    assert_int_equal(str_find(S(""), S("")), 0);
    assert_int_equal(str_rfind_char(S("a/b/c"), '/'), 3);
    assert_int_equal(str_find_char(S(""), 'x'), -1);
    assert_true(str_starts_with(S("abc"), S("ab")));
    assert_false(str_starts_with(S("a"), S("ab")));
    assert_true(str_istarts_with(S("ABc"), S("ab")));
    assert_true(str_ends_with(S("x.parquet"), S(".parquet")));
    assert_true(str_is(str_trim(S("  \t a b\n")), "a b"));
    assert_int_equal(str_trim(S("   ")).len, 0);
    assert_true(str_is(str_slice(S("abc"), 1, 99), "bc"));
    assert_int_equal(str_slice(S("abc"), 5, 2).len, 0);
    assert_true(str_is(str_replace(S("a''b'"), S("'"), S("\"\""), a), "a\"\"\"\"b\"\""));
    assert_true(str_is(str_replace(S("aaa"), S("aa"), S(""), a), "a"));
    assert_true(str_is(str_concat(a, S("a"), S("b")), "ab"));
    assert_true(str_is(str_upper(S("aZ9\xc3\xa9"), a), "AZ9\xc3\xa9"));
    assert_string_equal(str_printf(a, "%d-%s", 5, "x").ptr, "5-x");
}

static void reads_numbers(void **state)
{
    int64_t i;
    double d;
    assert_true(str_to_i64(S("-9223372036854775808"), &i) && i == INT64_MIN);
    assert_true(str_to_i64(S("9223372036854775807"), &i) && i == INT64_MAX);
    assert_true(str_to_i64(S("+7"), &i) && i == 7);
    assert_false(str_to_i64(S("9223372036854775808"), &i));
    assert_false(str_to_i64(S(""), &i));
    assert_false(str_to_i64(S("-"), &i));
    assert_false(str_to_i64(S("1 "), &i));
    assert_true(str_to_f64(S("1e3"), &d) && d == 1000);
    assert_true(str_to_f64(S("-.5"), &d) && d == -0.5);
    assert_false(str_to_f64(S("0x10"), &d));
    assert_false(str_to_f64(S("nan"), &d));
    assert_false(str_to_f64(S("1e"), &d));
    assert_false(str_to_f64(S("."), &d));
}

static void reads_sizes(void **state)
{
    (void)state;
    static const char *const BAD[] = {"", "kb", "1x", "1bb", "1kk", "1kbx", "-1k", "9223372036854775807k", "1 k"};
    int64_t n;
    assert_true(str_to_bytes(S("12"), &n) && n == 12);
    assert_true(str_to_bytes(S("12b"), &n) && n == 12);
    assert_true(str_to_bytes(S("2K"), &n) && n == 2048);
    assert_true(str_to_bytes(S("3mb"), &n) && n == 3 << 20);
    assert_true(str_to_bytes(S("8191PB"), &n) && n == INT64_C(8191) << 50);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_false(str_to_bytes(str_from(BAD[i]), &n));
}

static void knows_utf8(void **state)
{
    size_t pos = 0;
    char out[4];
    assert_true(str_is_utf8(S("h\xc3\xa9\xf0\x9f\x98\x80")));
    assert_false(str_is_utf8(S("\xc0\x80")));         /* overlong */
    assert_false(str_is_utf8(S("\xed\xa0\x80")));     /* surrogate */
    assert_false(str_is_utf8(S("\xf4\x90\x80\x80"))); /* past U+10FFFF */
    assert_false(str_is_utf8(S("\xe2\x82")));         /* cut off */
    assert_int_equal(str_utf8_len(S("h\xc3\xa9\xf0\x9f\x98\x80")), 3);
    assert_int_equal(str_utf8_next(S("\xf0\x9f\x98\x80"), &pos), 0x1f600);
    assert_int_equal(pos, 4);
    pos = 0;
    assert_int_equal(str_utf8_next(S("\xff" "a"), &pos), 0xfffd);
    assert_int_equal(pos, 1);
    for (uint32_t c = 1; c < 0x110000; c += 97) {
        if (c >= 0xd800 && c < 0xe000)
            continue;
        size_t len = str_utf8_put(c, out);
        pos = 0;
        assert_int_equal(str_utf8_next((Str){out, len}, &pos), c);
        assert_int_equal(pos, len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),
        cmocka_unit_test(searches),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(reads_sizes),
        cmocka_unit_test(knows_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
