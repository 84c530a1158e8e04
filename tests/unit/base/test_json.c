/* Reading JSON under limits and writing it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/json.h"

static void reads(void **state)
{
    AUTO_ARENA a = arena_new();
    Error err = error_in(a);
    yyjson_val *v;
    Str text = S("{\"s\":\"a\\u0000b\",\"i\":-5,\"b\":true,\"big\":123456789012345678901234567890}");
    assert_true(json_parse(text, S("test"), a, &v, &err));
    assert_int_equal(json_get_str(v, "s").len, 3);
    assert_int_equal(json_get_i64(v, "i", 0), -5);
    assert_int_equal(json_get_i64(v, "big", 9), 9);
    assert_int_equal(json_get_i64(v, "none", 9), 9);
    assert_true(json_get_bool(v, "b", false));
    assert_int_equal(json_get_str(v, "i").len, 0);
    assert_true(str_eq(json_text(v, a), text));
    assert_true(str_is(json_text(yyjson_obj_get(v, "big"), a), "123456789012345678901234567890"));
}

static void refuses(void **state)
{
    AUTO_ARENA a = arena_new();
    Error err = error_in(a);
    yyjson_val *v;
    Buf deep = buf_in(a);
    assert_false(json_parse(S("{\"a\":tru}"), S("entry"), a, &v, &err));
    assert_int_equal(err.cls, ERR_LAKESHED_JSON_INVALID);
    assert_true(str_is(error_param(&err, "name"), "entry"));
    assert_true(str_is(error_param(&err, "position"), "5"));
    assert_false(json_parse(S(""), S("entry"), a, &v, &err));
    assert_false(json_parse(S("{} x"), S("entry"), a, &v, &err));
    buf_add_repeat(&deep, '[', JSON_MAX_DEPTH);
    buf_add_repeat(&deep, ']', JSON_MAX_DEPTH);
    assert_true(json_parse(buf_str(&deep), S("deep"), a, &v, &err));
    buf_reset(&deep);
    buf_add_repeat(&deep, '[', 1000000);
    assert_false(json_parse(buf_str(&deep), S("deep"), a, &v, &err));
    assert_true(str_is(error_param(&err, "reason"), "nested too deeply"));
}

static void writes(void **state)
{
    AUTO_ARENA a = arena_new();
    Buf b = buf_in(a);
    bool first = true;
    buf_addc(&b, '{');
    json_put_key(&b, &first, "a\"b");
    json_put_str(&b, S("x\n\t\\\x01\xc3\xa9"));
    json_put_key(&b, &first, "n");
    json_put_f64(&b, 0.1);
    buf_addc(&b, '}');
    assert_string_equal(b.ptr, "{\"a\\\"b\":\"x\\n\\t\\\\\\u0001\xc3\xa9\",\"n\":0.1}");
    buf_reset(&b);
    json_put_str(&b, S("a\xff\"b"));
    assert_string_equal(b.ptr, "\"a\xef\xbf\xbd\\\"b\"");
    static const double numbers[] = {0, 1, -1.5, 1e300, 5e-324, 0.30000000000000004, 1e16};
    for (size_t i = 0; i < LENGTH_OF(numbers); i++) {
        buf_reset(&b);
        json_put_f64(&b, numbers[i]);
        assert_true(strtod(b.ptr, NULL) == numbers[i]);
    }
    buf_reset(&b);
    json_put_f64(&b, NAN);
    json_put_f64(&b, -INFINITY);
    assert_string_equal(b.ptr, "\"NaN\"\"-Infinity\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(refuses),
        cmocka_unit_test(writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
