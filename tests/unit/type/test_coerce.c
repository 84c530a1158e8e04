/* Every pair of types against what Spark answers, and the decimal arithmetic rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "recorded.h"
#include "type/coerce.h"

enum { MAX_TYPES = 64 };

typedef struct Recorded {
    const char *names[MAX_TYPES];
    const Type *types[MAX_TYPES];
    int count, failures;
} Recorded;

static const Type *from_json(const char *json, Arena *a)
{
    Error err = error_in(a);
    const Type *t = NULL;
    assert_true(type_from_json(str_from(json), a, &t, &err));
    return t;
}

static void expect_type(Recorded *r, int x, int y, const char *what, const Type *got,
                        const char *expected, Arena *a)
{
    const Type *want = expected[0] == '-' && !expected[1] ? NULL
                     : expected[0] == '<' && !expected[1] ? r->types[x]
                     : expected[0] == '>' && !expected[1] ? r->types[y]
                                                          : from_json(expected, a);
    if (got == want || (got && want && type_equal(got, want)))
        return;
    print_error("%s, %s: %s is %s, Spark says %s\n", r->names[x], r->names[y], what,
                got ? type_json(got, a).ptr : "-", want ? type_json(want, a).ptr : "-");
    r->failures++;
}

static void expect_flag(Recorded *r, int x, int y, const char *what, bool got, char expected)
{
    if (got == (expected == '1'))
        return;
    print_error("%s, %s: %s is %d, Spark says %c\n", r->names[x], r->names[y], what, got, expected);
    r->failures++;
}

static void check_pair(Recorded *r, int x, int y, const Str columns[5], Arena *a)
{
    const Type *from = r->types[x], *to = r->types[y];
    const char *flags = columns[4].ptr;
    expect_type(r, x, y, "tightest", coerce_tightest(from, to, a), columns[0].ptr, a);
    expect_type(r, x, y, "common", coerce_common(from, to, true, a), columns[1].ptr, a);
    expect_type(r, x, y, "legacy common", coerce_common(from, to, false, a), columns[3].ptr, a);
    expect_flag(r, x, y, "ANSI cast", cast_is_allowed(from, to, CAST_ANSI), flags[0]);
    expect_flag(r, x, y, "legacy cast", cast_is_allowed(from, to, CAST_LEGACY), flags[1]);
    expect_flag(r, x, y, "try_cast", cast_is_allowed(from, to, CAST_TRY), flags[2]);
    expect_flag(r, x, y, "can make null", cast_can_make_null(from, to, CAST_TRY), flags[3]);
    expect_flag(r, x, y, "store", coerce_can_store(from, to), flags[4]);
    expect_flag(r, x, y, "implicit", coerce_implicit(from, to, true), flags[5]);
    expect_flag(r, x, y, "legacy implicit", coerce_implicit(from, to, false), flags[6]);
}

static void agrees_with_spark(void **state)
{
    AUTO_ARENA a = arena_new();
    Recorded r = {0};
    Str c[RECORDED_COLUMNS];
    int pairs = 0;
    FILE *in = recorded_open("coercion_recorded.tsv");
    assert_non_null(in);
    while (recorded_next(in, c, a)) {
        if (str_is(c[0], "type")) {
            r.names[r.count] = c[1].ptr;
            r.types[r.count++] = from_json(c[2].ptr, a);
            continue;
        }
        check_pair(&r, atoi(c[0].ptr), atoi(c[1].ptr), &c[2], a);
        pairs++;
    }
    fclose(in);
    assert_int_equal(pairs, r.count * r.count);
    assert_int_equal(r.failures, 0);
}

static void decimal_arithmetic(void **state)
{
    static const struct { char op; int p1, s1, p2, s2, p, s; } rows[] = {
        {'+', 10, 2, 5, 3, 12, 3},      {'-', 38, 18, 38, 18, 38, 17}, {'*', 10, 2, 10, 2, 21, 4},
        {'*', 38, 18, 38, 18, 38, 6},   {'/', 10, 2, 10, 2, 23, 13},   {'/', 38, 18, 38, 18, 38, 6},
        {'%', 10, 2, 5, 3, 5, 3},       {'d', 10, 2, 5, 3, 11, 0},     {'+', 38, 0, 1, 0, 38, 0},
        {'/', 1, 0, 1, 0, 7, 6},        {'*', 38, 38, 38, 38, 38, 37}, {'d', 2, 2, 1, 0, 1, 0},
    };
    AUTO_ARENA a = arena_new();
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        const Type *t = coerce_decimal_arithmetic(rows[i].op, type_decimal(rows[i].p1, rows[i].s1, a),
                                                  type_decimal(rows[i].p2, rows[i].s2, a), a);
        assert_int_equal(t->decimal.precision, rows[i].p);
        assert_int_equal(t->decimal.scale, rows[i].s);
    }
}

static void greatest_and_least_keep_strings_out(void **state)
{
    AUTO_ARENA a = arena_new();
    const Type *text = type_simple(TYPE_STRING), *number = type_simple(TYPE_INT);
    assert_null(coerce_common_no_strings(text, number, true, a));
    assert_int_equal(coerce_common_no_strings(number, type_decimal(5, 2, a), true, a)->decimal.precision, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_spark),
        cmocka_unit_test(decimal_arithmetic),
        cmocka_unit_test(greatest_and_least_keep_strings_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
