/* Broken statements answer as Spark's parser does: class, parameters, place and fragment, recorded
 * from Spark 4.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "sql/sql.h"

/* "class\tk=v, k=v\tline:position\tfragment" */
static Str describe(const Error *err, Arena *arena)
{
    Buf b = buf_in(arena);
    buf_addf(&b, "%s\t", error_class_name(err->cls));
    for (unsigned i = 0; i < err->param_count; i++)
        buf_addf(&b, "%s%s=" STR_FMT, i ? ", " : "", err->params[i].key,
                 STR_ARG(err->params[i].value));
    buf_addf(&b, "\t%d:%d\t", err->context.line, err->context.position);
    if (err->has_context)
        buf_add(&b, err->context.fragment);
    return buf_str(&b);
}

static void answers_as_recorded(void **state)
{
    FILE *f = fopen(SOURCE_DIR "/errors_recorded.tsv", "r");
    char line[8192];
    int rows = 0;
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = 0;
        char *tab = strchr(line, '\t');
        if (line[0] == '#' || !tab)
            continue;
        *tab = 0;
        AUTO_ARENA arena = arena_new();
        Error err = error_in(arena);
        Statement s;
        if (sql_parse(str_from(line), NULL, arena, &s, &err))
            fail_msg("%s: parsed", line);
        Str got = describe(&err, arena);
        if (!str_is(got, tab + 1))
            fail_msg("%s\n  got      " STR_FMT "\n  expected %s", line, STR_ARG(got), tab + 1);
        rows++;
    }
    fclose(f);
    assert_true(rows > 100);
}

static void words_the_message(void **state)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Statement s;
    assert_false(sql_parse(S("SELECT a\nFROM t WHERE (a = 1 b"), NULL, arena, &s, &err));
    assert_string_equal(str_z(error_message(&err, arena), arena),
                        "\n[PARSE_SYNTAX_ERROR] Syntax error at or near end of input. SQLSTATE: "
                        "42601 (line 2, pos 21)\n\n"
                        "== SQL ==\nSELECT a\nFROM t WHERE (a = 1 b\n---------------------^^^\n");
    error_clear(&err);
    assert_false(sql_parse(S("  "), NULL, arena, &s, &err));
    assert_int_equal(err.cls, ERR_PARSE_EMPTY_STATEMENT);
    error_clear(&err);
    assert_false(sql_parse(S("SELECT 1 /* x"), NULL, arena, &s, &err));
    assert_int_equal(err.cls, ERR_UNCLOSED_BRACKETED_COMMENT);
}

static void refuses_by_name(void **state)
{
    static const char *const statements[] = {
        "CREATE MATERIALIZED VIEW v AS SELECT 1",
        "LOAD DATA INPATH 'x' INTO TABLE t",
        "ADD JAR x",
        "CALL p()",
        "CREATE TABLE t (a INT) STORED AS ORC",
        "INSERT OVERWRITE DIRECTORY 'x' SELECT 1",
        "SELECT * FROM STREAM t",
    };
    for (size_t i = 0; i < LENGTH_OF(statements); i++) {
        AUTO_ARENA arena = arena_new();
        Error err = error_in(arena);
        Statement s;
        assert_false(sql_parse(str_from(statements[i]), NULL, arena, &s, &err));
        if (err.cls != ERR_LAKESHED_UNSUPPORTED)
            fail_msg("%s: %s", statements[i], error_class_name(err.cls));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_recorded),
        cmocka_unit_test(words_the_message),
        cmocka_unit_test(refuses_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
