/* Errors: class rows and the message layouts, recorded from Spark 4.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

static void assert_message(const Error *err, const char *expected)
{
    AUTO_ARENA a = arena_new();
    assert_string_equal(error_message(err, a).ptr, expected);
}

static void every_class_is_found_by_name(void **state)
{
    for (int cls = ERR_NONE + 1; cls < ERR_COUNT; cls++)
        assert_int_equal(error_class_by_name(str_from(error_class_name((ErrorClass)cls))), cls);
    assert_int_equal(error_class_by_name(S("NO_SUCH_CLASS")), ERR_NONE);
    assert_int_equal(error_class_by_name(S("")), ERR_NONE);
}

static void sets_and_copies(void **state)
{
    AUTO_ARENA a = arena_new();
    Arena *b = arena_new();
    Error err = error_in(a), other = error_in(b);
    assert_false(error_is_set(&err));
    assert_false(error_set(&other, ERR_UNSUPPORTED_DATATYPE, PZ("typeName", "\"FOO\"")));
    error_copy(&err, &other);
    arena_free(b);
    assert_true(error_is_set(&err));
    assert_true(str_is(error_param(&err, "typeName"), "\"FOO\""));
    assert_int_equal(error_param(&err, "none").len, 0);
    assert_string_equal(error_class_sqlstate(err.cls), "0A000");
    assert_message(&err, "[UNSUPPORTED_DATATYPE] Unsupported data type \"FOO\". SQLSTATE: 0A000");
    error_clear(&err);
    assert_false(error_is_set(&err));
    assert_message(&err, "");
}

static void words_our_own(void **state)
{
    AUTO_ARENA a = arena_new();
    Error err = error_in(a);
    assert_false(error_unsupported(&err, "Option %s", "x"));
    assert_message(&err, "[LAKESHED_UNSUPPORTED] Option x is not supported. SQLSTATE: 0A000");
    assert_false(error_internal(&err, "bad %d", 7));
    assert_message(&err, "[INTERNAL_ERROR] bad 7 SQLSTATE: XX000");
    error_set(&err, ERR__LEGACY_ERROR_TEMP_1228, PZ("scale", "5"), PZ("precision", "2"));
    assert_message(&err, "Decimal scale (5) cannot be greater than precision (2).");
}

static void runtime_error_shows_the_fragment(void **state)
{
    AUTO_ARENA a = arena_new();
    Error err = error_in(a);
    Str sql = S("SELECT 1,\n abs(2 /\n \n   0\n ), 5");
    error_set_from_text(&err, S("Invalid Input Error: [DIVIDE_BY_ZERO] Division by zero."));
    error_locate(&err, PLACE_RUNTIME, sql, 15, 24);
    assert_int_equal(err.context.start_index, 15);
    assert_int_equal(err.context.stop_index, 24);
    assert_true(str_is(err.context.fragment, "2 /\n \n   0"));
    assert_message(&err, "[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012\n"
                         "== SQL (line 2, position 6) ==\n"
                         " abs(2 /\n     ^^^\n \n^\n   0\n^^^^\n");
    error_locate(&err, PLACE_ANALYSIS, sql, 0, 0); /* the first place stays */
    assert_int_equal(err.context.start_index, 15);
}

static void positions_count_code_points(void **state)
{
    AUTO_ARENA a = arena_new();
    Error err = error_in(a);
    error_set(&err, ERR_UNRESOLVED_ROUTINE, PZ("routineName", "`f`"), PZ("searchPath", "[]"));
    error_locate(&err, PLACE_ANALYSIS, S("SELECT '\xc3\xa9\xf0\x9f\x98\x80', f(1)"), 17, 20);
    assert_int_equal(err.context.start_index, 13);
    assert_message(&err, "[UNRESOLVED_ROUTINE] Cannot resolve routine `f` on search path []. "
                         "SQLSTATE: 42883; line 1 pos 13");
    assert_true(str_is(err.context.summary,
                       "== SQL (line 1, position 14) ==\nSELECT '\xc3\xa9\xf0\x9f\x98\x80', f(1)\n"
                       "             ^^^^\n"));
}

static void long_lines_are_cut(void **state)
{
    AUTO_ARENA a = arena_new();
    Error err = error_in(a);
    const char *sql = "SELECT 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1/0, "
                      "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'";
    size_t at = (size_t)(strstr(sql, "1/0") - sql);
    error_set(&err, ERR_DIVIDE_BY_ZERO);
    error_locate(&err, PLACE_RUNTIME, str_from(sql), at, at + 2);
    assert_int_equal(at, 66);
    assert_true(str_is(err.context.summary,
                       "== SQL (line 1, position 67) ==\n"
                       "...aaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1/0, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\n"
                       "                                   ^^^\n"));
}

static void syntax_errors_show_the_statement(void **state)
{
    AUTO_ARENA a = arena_new();
    Error err = error_in(a);
    error_set(&err, ERR_PARSE_SYNTAX_ERROR, PZ("error", "'y'"), PZ("hint", ""));
    error_locate(&err, PLACE_SYNTAX, S("SELECT 1 +\n FROM x y z"), 19, 19);
    assert_false(err.has_context);
    assert_message(&err, "\n[PARSE_SYNTAX_ERROR] Syntax error at or near 'y'. SQLSTATE: 42601 "
                         "(line 2, pos 8)\n\n== SQL ==\nSELECT 1 +\n FROM x y z\n--------^^^\n");
    error_set(&err, ERR_UNSUPPORTED_DATATYPE, PZ("typeName", "\"FOO\""));
    error_locate(&err, PLACE_PARSE, S("SELECT cast(1 as foo)"), 17, 19);
    assert_message(&err, "\n[UNSUPPORTED_DATATYPE] Unsupported data type \"FOO\". SQLSTATE: 0A000\n"
                         "== SQL (line 1, position 18) ==\nSELECT cast(1 as foo)\n"
                         "                 ^^^\n");
    error_set(&err, ERR_PARSE_SYNTAX_ERROR, PZ("error", "end of input"), PZ("hint", ""));
    error_locate(&err, PLACE_SYNTAX, S("SELECT ("), 8, 8);
    assert_message(&err, "\n[PARSE_SYNTAX_ERROR] Syntax error at or near end of input. SQLSTATE: 42601 "
                         "(line 1, pos 8)\n\n== SQL ==\nSELECT (\n--------^^^\n");
}

static void views_are_named(void **state)
{
    AUTO_ARENA a = arena_new();
    Error err = error_in(a);
    error_set(&err, ERR_DIVIDE_BY_ZERO);
    err.context.object_type = S("VIEW");
    err.context.object_name = S("v1");
    error_locate(&err, PLACE_RUNTIME, S("SELECT 1/0"), 7, 9);
    assert_true(str_is(err.context.summary, "== SQL of VIEW v1 (line 1, position 8) ==\nSELECT 1/0\n"
                                            "       ^^^\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_is_found_by_name),
        cmocka_unit_test(sets_and_copies),
        cmocka_unit_test(words_our_own),
        cmocka_unit_test(runtime_error_shows_the_fragment),
        cmocka_unit_test(positions_count_code_points),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(syntax_errors_show_the_statement),
        cmocka_unit_test(views_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
