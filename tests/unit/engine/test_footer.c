/* Marks of variants in Parquet footers: bytes as parquet-java 1.16 writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/variant_footer.h"

#define ROOT(columns) "\x48\x01r\x15" columns "\x00"
#define MARKED(name, children) "\x35\x02\x18\x01" name "\x15" children "\x5c\x0c\x20\x13\x01\x00\x00\x00"
#define VALUE "\x15\x0c\x25\x00\x18\x05value\x00"
#define METADATA "\x15\x0c\x25\x00\x18\x08metadata\x00"
#define TYPED "\x15\x04\x25\x02\x18\x0btyped_value\x00"
#define LIST "\x35\x02\x18\x01" "a\x15\x02\x15\x06\x4c\x3c\x00\x00\x00"
#define ITEMS "\x35\x04\x18\x04list\x15\x02\x00"
#define TEXT(literal) ((Str){literal, sizeof(literal) - 1})

static void check(Str footer, size_t marks, const char *shredded)
{
    AUTO_ARENA(arena) = arena_new();
    VariantFooter f;
    assert_true(variant_footer_read(footer, arena, &f));
    assert_int_equal(f.marks.len, marks);
    for (size_t i = 0; i < marks; i++)
        assert_int_equal((uint8_t)footer.ptr[f.marks.at[i]], VARIANT_MARK);
    assert_int_equal(f.shredded.len, shredded ? 1 : 0);
    if (shredded)
        assert_true(str_is(f.shredded.at[0], shredded));
    for (size_t n = 0; n < footer.len; n++) { /* torn anywhere: nothing, or what was complete */
        VariantFooter torn;
        if (!variant_footer_read((Str){footer.ptr, n}, arena, &torn))
            assert_int_equal(torn.marks.len + torn.shredded.len, 0);
    }
}

/* Once changed as it asks for there is nothing left to change but the marks of shredded columns. */
static void check_change(Str footer, Str expected)
{
    AUTO_ARENA(arena) = arena_new();
    VariantFooter f, again;
    assert_true(variant_footer_read(footer, arena, &f));
    Str changed = variant_footer_change(footer, &f, arena);
    assert_true(str_eq(changed, expected));
    assert_true(variant_footer_read(changed, arena, &again));
    assert_int_equal(again.marks.len + again.missing.len, 0);
    assert_int_equal(again.shredded.len, f.shredded.len);
}

static void marks_are_found(void **state)
{
    (void)state;
    check(TEXT("\x15\x02\x19\x4c" ROOT("\x02") MARKED("v", "\x04") VALUE METADATA "\x16\x00\x00"), 1, NULL);
    check(TEXT("\x15\x02\x19\x7c" ROOT("\x04") MARKED("v", "\x04") VALUE METADATA
               LIST ITEMS VALUE "\x00"), 1, NULL);
    check(TEXT("\x15\x02\x19\x2c" ROOT("\x02") VALUE "\x00"), 0, NULL);
}

/* The marks of a shredded column stay, those of the column beside it do not. */
static void shreds_are_told_apart(void **state)
{
    (void)state;
    check(TEXT("\x15\x02\x19\x8c" ROOT("\x04") MARKED("s", "\x06") METADATA VALUE TYPED
               MARKED("v", "\x04") VALUE METADATA "\x00"), 1, "s");
    check(TEXT("\x15\x02\x19\x5c" ROOT("\x02") MARKED("s", "\x06") METADATA VALUE TYPED "\x00"), 0, "s");
}

#define PLAIN(name, children) "\x35\x02\x18\x01" name "\x15" children "\x00"
#define TAKEN(name, children) "\x35\x02\x18\x01" name "\x15" children "\x5c\x0c\x7e\x13\x01\x00\x00\x00"

#define PRESENCE_OF_S "\x15\x0c\x25\x02\x18\x15lakeshed.presence.1/s\x00"

static void footers_are_changed(void **state)
{
    (void)state;
    check_change(TEXT("\x15\x02\x19\x4c" ROOT("\x02") MARKED("v", "\x04") VALUE METADATA "\x16\x00\x00"),
                 TEXT("\x15\x02\x19\x4c" ROOT("\x02") TAKEN("v", "\x04") VALUE METADATA "\x16\x00\x00"));
    /* shredded before there was a mark, beside a column that has one it does not need */
    check_change(TEXT("\x15\x02\x19\x8c" ROOT("\x04") PLAIN("s", "\x06") METADATA VALUE TYPED MARKED("v", "\x04") VALUE METADATA "\x00"),
                 TEXT("\x15\x02\x19\x9c" ROOT("\x06") MARKED("s", "\x06") METADATA VALUE TYPED TAKEN("v", "\x04") VALUE METADATA
                      PRESENCE_OF_S "\x00"));
    /* a column that has a shredded variant and a whole one */
    check_change(TEXT("\x15\x02\x19\x9c" ROOT("\x02") PLAIN("g", "\x04") PLAIN("s", "\x06") METADATA VALUE TYPED
                      PLAIN("w", "\x04") VALUE METADATA "\x00"),
                 TEXT("\x15\x02\x19\xbc" ROOT("\x04") PLAIN("g", "\x04") MARKED("s", "\x06") METADATA VALUE TYPED
                      MARKED("w", "\x04") VALUE METADATA
                      "\x35\x02\x18\x17lakeshed.presence.2/g/s\x15\x02\x00" "\x15\x0c\x25\x02\x18\x01p\x00" "\x00"));
    /* the column of metadata once more in every row group */
    check_change(TEXT("\x15\x02\x19\x5c" ROOT("\x02") MARKED("s", "\x06") METADATA VALUE TYPED
                      "\x29\x2c" "\x19\x3c" "\x26\x10\x00\x26\x12\x00\x26\x14\x00\x00" "\x19\x3c" "\x26\x20\x00\x26\x22\x00\x26\x24\x00\x00" "\x00"),
                 TEXT("\x15\x02\x19\x6c" ROOT("\x04") MARKED("s", "\x06") METADATA VALUE TYPED PRESENCE_OF_S
                      "\x29\x2c" "\x19\x4c" "\x26\x10\x00\x26\x12\x00\x26\x14\x00\x26\x10\x00\x00"
                      "\x19\x4c" "\x26\x20\x00\x26\x22\x00\x26\x24\x00\x26\x20\x00\x00" "\x00"));
    check_change(TEXT("\x15\x02\x19\x4c" ROOT("\x02") PLAIN("v", "\x04") VALUE METADATA "\x00"),
                 TEXT("\x15\x02\x19\x4c" ROOT("\x02") PLAIN("v", "\x04") VALUE METADATA "\x00"));
}

static void what_is_no_footer(void **state)
{
    static const char deep[] = "\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c"
                               "\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c";
    AUTO_ARENA(arena) = arena_new();
    VariantFooter f;
    (void)state;
    assert_false(variant_footer_read(TEXT(deep), arena, &f));
    assert_false(variant_footer_read(S(""), arena, &f));
    assert_false(variant_footer_read(TEXT("\x15\x02\x19\xfc\xff\xff\xff\xff\xff\xff\xff\xff\x01"), arena, &f));
    /* a row group that lacks the column */
    assert_false(variant_footer_read(TEXT("\x15\x02\x19\x5c" ROOT("\x02") MARKED("s", "\x06") METADATA VALUE TYPED "\x29\x1c\x19\x0c\x00\x00"), arena, &f));
    /* more children than the list has elements */
    assert_false(variant_footer_read(TEXT("\x15\x02\x19\x4c" ROOT("\x02") MARKED("v", "\x20") VALUE METADATA "\x00"), arena, &f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_are_found),
        cmocka_unit_test(shreds_are_told_apart),
        cmocka_unit_test(footers_are_changed),
        cmocka_unit_test(what_is_no_footer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
