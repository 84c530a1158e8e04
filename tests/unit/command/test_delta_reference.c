/* docs/reference/delta.md lists the rows of table features and properties. LAKESHED_RECORD=1 writes its tables anew. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "command/alter_impl.h"

static void put_features(Buf *b)
{
    static const char *const DROPS[] = {[FEATURE_STAYS] = "-", [FEATURE_GOES] = "yes", [FEATURE_GOES_PROTECTED] = "yes, protected"};
    buf_addz(b, "| Feature | Kind | Read | Written | Enabled by | Needs | `DROP FEATURE` |\n|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < delta_feature_count(); i++) {
        const DeltaFeature *f = delta_feature_at(i);
        buf_addf(b, "| %s | %s | %s | %s | %s%s | %s | %s |\n", f->name, f->kind == FEATURE_WRITER ? "writer" : "reader and writer",
                 f->can_read ? "yes" : "refused", f->can_write ? "yes" : "refused", f->enabled_by ? f->enabled_by : "its name",
                 f->only_by_name ? " of a new table; its name" : "", f->requires_too ? f->requires_too : "", DROPS[f->drop]);
    }
}

static void put_properties(Buf *b)
{
    buf_addz(b, "| Property | Value |\n|---|---|\n");
    for (size_t i = 0; i < delta_property_count(); i++)
        buf_addf(b, "| `%s` | %s |\n", delta_property_name(i), delta_property_values(i));
}

/* The text of a page with the table below a heading replaced by what the rows say. */
static Str with_table(Str page, const char *heading, Str table, Arena *arena)
{
    ptrdiff_t at = str_find(page, str_from(heading));
    assert_true(at >= 0);
    Str rest = str_slice(page, (size_t)at, page.len);
    ptrdiff_t from = str_find(rest, S("\n|"));
    assert_true(from >= 0);
    size_t start = (size_t)at + (size_t)from + 1, end = start;
    while (end < page.len && page.ptr[end] == '|') {
        while (end < page.len && page.ptr[end] != '\n')
            end++;
        end++;
    }
    Buf b = buf_in(arena);
    buf_add(&b, str_slice(page, 0, start));
    buf_add(&b, table);
    buf_add(&b, str_slice(page, end, page.len));
    return buf_str(&b);
}

static void page_is_true(void **state)
{
    (void)state;
    AUTO_ARENA arena = arena_new();
    const char *path = SOURCE_DIR "/../../../docs/reference/delta.md";
    Buf features = buf_in(arena), properties = buf_in(arena), text = buf_in(arena);
    char piece[4096];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    for (size_t n; (n = fread(piece, 1, sizeof piece, f));)
        buf_add(&text, (Str){piece, n});
    fclose(f);
    put_features(&features);
    put_properties(&properties);
    Str have = buf_str(&text), want = with_table(have, "## Table features", buf_str(&features), arena);
    want = with_table(want, "## Table properties", buf_str(&properties), arena);
    if (getenv("LAKESHED_RECORD")) {
        f = fopen(path, "w");
        assert_non_null(f);
        assert_int_equal(fwrite(want.ptr, 1, want.len, f), want.len);
        assert_int_equal(fclose(f), 0);
    } else if (!str_eq(have, want))
        fail_msg("docs/reference/delta.md differs from the rows: LAKESHED_RECORD=1 writes its tables anew");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(page_is_true)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
