/* VARIANT's bytes: what is written is read back, and damaged bytes are refused or read, never overrun. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "func/variant.h"

static const char SAMPLE[] = "{\"b\":[1,300,70000,5000000000,1.50,1e300,null,true],\"a\":{\"x\":\"text\","
                             "\"long\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"},"
                             "\"empty\":{},\"list\":[]}";

static void write_sample(Arena *arena, Str *value, Str *metadata) {
    VariantNode *root = variant_parse_json(str_from(SAMPLE), arena);
    assert_non_null(root);
    assert_true(variant_write(root, arena, value, metadata));
}

static void test_round_trip(void **state) {
    (void)state;
    AUTO_ARENA arena = arena_new();
    Str value, metadata;
    Variant v;
    Buf json = buf_in(arena);
    write_sample(arena, &value, &metadata);
    assert_true(variant_read(value, metadata, &v));
    assert_true(variant_put_json(&v, NULL, &json));
    assert_string_equal(json.ptr,
                        "{\"a\":{\"long\":\"0123456789012345678901234567890123456789012345678901234567890123456789\","
                        "\"x\":\"text\"},\"b\":[1,300,70000,5000000000,1.5,1.0E300,null,true],\"empty\":{},\"list\":[]}");
    assert_int_equal(variant_bytes(&v).len, value.len);
}

static void test_paths(void **state) {
    (void)state;
    AUTO_ARENA arena = arena_new();
    Str value, metadata;
    Variant v, part;
    VariantPath path;
    bool found;
    write_sample(arena, &value, &metadata);
    assert_true(variant_read(value, metadata, &v));
    assert_true(variant_parse_path(S("$.b[1]"), arena, &path));
    assert_true(variant_follow(&v, &path, &part, &found));
    assert_true(found);
    assert_int_equal(part.integer, 300);
    assert_true(variant_parse_path(S("$['a'][\"x\"]"), arena, &path));
    assert_true(variant_follow(&v, &path, &part, &found) && found);
    assert_true(str_is(part.bytes, "text"));
    assert_true(variant_parse_path(S("$.b[99]"), arena, &path));
    assert_true(variant_follow(&v, &path, &part, &found));
    assert_false(found);
    assert_false(variant_parse_path(S("b"), arena, &path));
    assert_false(variant_parse_path(S("$.b["), arena, &path));
}

/* Every prefix and every flipped byte, each in memory of exactly its size. */
static void test_damage(void **state) {
    (void)state;
    AUTO_ARENA arena = arena_new();
    Str value, metadata;
    write_sample(arena, &value, &metadata);
    for (size_t cut = 0; cut < value.len; cut++) {
        AUTO_ARENA inner = arena_new();
        Variant v;
        Buf json = buf_in(inner);
        char *bytes = arena_alloc(inner, cut + 1);
        memcpy(bytes, value.ptr, cut);
        if (variant_read((Str){bytes, cut}, metadata, &v))
            assert_false(variant_put_json(&v, NULL, &json) && !variant_bytes(&v).len);
    }
    for (size_t at = 0; at < value.len + metadata.len; at++) {
        AUTO_ARENA inner = arena_new();
        Str bytes = str_copy(value, inner), keys = str_copy(metadata, inner);
        char *flipped = (char *)(at < value.len ? bytes.ptr + at : keys.ptr + at - value.len);
        *flipped = (char)(*flipped ^ 0x5A);
        Variant v;
        if (variant_read(bytes, keys, &v))
            (void)variant_node_of(&v, inner);
    }
}

static void test_refused_json(void **state) {
    (void)state;
    AUTO_ARENA arena = arena_new();
    assert_null(variant_parse_json(S("{\"a\":1,"), arena));
    assert_null(variant_parse_json(S("{\"a\":1,\"a\":2}"), arena));
    assert_null(variant_parse_json(S("{a:1}"), arena));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_refused_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
