/* docs/reference/functions.md lists what the registry holds. LAKESHED_RECORD=1 writes it anew. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "func/func.h"

static const struct {
    FuncKind kind;
    const char *title;
} SECTIONS[] = {
    {FUNC_SCALAR, "Functions of a row"},
    {FUNC_AGGREGATE, "Aggregate functions"},
    {FUNC_WINDOW, "Window functions"},
    {FUNC_GENERATOR, "Generators"},
};

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const FuncRow *const *)a)->name, (*(const FuncRow *const *)b)->name);
}

/* A bar would end the cell of a table, a line break its row. */
static void put_escaped(Buf *b, const char *text)
{
    for (const char *c = text; *c; c++) {
        if (*c == '|')
            buf_addz(b, "\\|");
        else if (*c == '\n')
            buf_addz(b, "\\n");
        else
            buf_addc(b, *c);
    }
}

static void put_code(Buf *b, const char *text)
{
    buf_addz(b, strchr(text, '`') ? "`` " : "`");
    put_escaped(b, text);
    buf_addz(b, strchr(text, '`') ? " ``" : "`");
}

static void put_row(Buf *b, const FuncRow *row)
{
    buf_addz(b, "| ");
    put_escaped(b, row->name);
    if (row->aliases) {
        buf_addz(b, " ");
        put_escaped(b, row->aliases);
    }
    buf_addz(b, " | ");
    put_code(b, row->example);
    buf_addz(b, " | ");
    if (row->expected[0] == '!')
        buf_addf(b, "error `%s`", row->expected + 1);
    else if (*row->expected)
        put_code(b, row->expected);
    else
        buf_addz(b, "(an empty text)");
    buf_addz(b, " |\n");
}

static void put_section(Buf *b, FuncKind kind, const char *title, Arena *arena)
{
    const FuncRow **rows = ARENA_ARRAY(arena, const FuncRow *, func_count());
    size_t n = 0;
    for (size_t i = 0; i < func_count(); i++) {
        const FuncRow *row = func_at(i);
        if (row->kind == kind && row->example && row->expected && !(row->flags & FUNC_HIDDEN))
            rows[n++] = row;
    }
    qsort(rows, n, sizeof *rows, by_name);
    buf_addf(b, "\n## %s\n\n| Function | Example | Answer |\n|---|---|---|\n", title);
    for (size_t i = 0; i < n; i++)
        put_row(b, rows[i]);
}

static Str reference(Arena *arena)
{
    Buf b = buf_in(arena);
    buf_addz(&b, "# Functions\n\nSpark SQL's built-in functions as lakeshed knows them, each with an example that the tests "
                 "run and Spark's answer to it,\ncast to a text. Other names of a function stand behind its first. "
                 "What Spark has and lakeshed refuses, and what answers\notherwise: [compatibility](../compatibility.md).\n");
    for (size_t i = 0; i < sizeof SECTIONS / sizeof *SECTIONS; i++)
        put_section(&b, SECTIONS[i].kind, SECTIONS[i].title, arena);
    return buf_str(&b);
}

static void test_page_is_true(void **state)
{
    (void)state;
    AUTO_ARENA arena = arena_new();
    Str want = reference(arena);
    const char *page = SOURCE_DIR "/../../../docs/reference/functions.md";
    if (getenv("LAKESHED_RECORD")) {
        FILE *f = fopen(page, "w");
        assert_non_null(f);
        assert_int_equal(fwrite(want.ptr, 1, want.len, f), want.len);
        assert_int_equal(fclose(f), 0);
        return;
    }
    FILE *f = fopen(page, "r");
    assert_non_null(f);
    char *have = arena_alloc(arena, want.len + 2);
    size_t n = fread(have, 1, want.len + 1, f);
    fclose(f);
    if (n != want.len || memcmp(have, want.ptr, n))
        fail_msg("docs/reference/functions.md differs from the registry: LAKESHED_RECORD=1 writes it anew");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_page_is_true)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
