/* Catalogs, schemas, tables: names without case, existence rules, nothing dropped that still holds something. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "catalog/catalog.h"

typedef struct Fixture {
    Arena *arena;
    char folder[64];
    Catalog *catalog;
} Fixture;

static int set_up(void **state)
{
    Fixture *f = calloc(1, sizeof *f);
    f->arena = arena_new();
    snprintf(f->folder, sizeof f->folder, "test_catalog_XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    Error err = error_in(f->arena);
    assert_true(catalog_open(str_from(f->folder), &f->catalog, &err));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *f = *state;
    static const char *const ENDINGS[] = {"", "-wal", "-shm"};
    catalog_close(f->catalog);
    for (size_t i = 0; i < LENGTH_OF(ENDINGS); i++)
        unlink(str_z(str_printf(f->arena, "%s/metadata.sqlite%s", f->folder, ENDINGS[i]), f->arena));
    rmdir(f->folder);
    arena_free(f->arena);
    free(f);
    return 0;
}

static void names_have_no_case(void **state)
{
    Fixture *f = *state;
    Error err = error_in(f->arena);
    SchemaEntry s = {.catalog = S("MAIN"), .name = S("Orders")};
    bool found;
    assert_true(catalog_create_schema(f->catalog, &s, false, &err));
    assert_true(catalog_get_schema(f->catalog, S("main"), S("ORDERS"), f->arena, &found, &s, &err));
    assert_true(found);
    assert_true(str_eq(s.name, S("orders")));
    assert_true(str_ends_with(s.location, S("/warehouse/main/orders")));
    assert_false(catalog_create_schema(f->catalog, &s, false, &err));
    assert_string_equal(error_class_name(err.cls), "SCHEMA_ALREADY_EXISTS");
}

static void spark_catalog_is_the_default_one(void **state)
{
    Fixture *f = *state;
    Error err = error_in(f->arena);
    TableEntry t = {.catalog = S("spark_catalog"), .schema = S("default"), .name = S("T"), .provider = S("delta"), .location = S("/x")};
    bool found;
    assert_true(catalog_create_table(f->catalog, &t, &err));
    assert_true(catalog_get_table(f->catalog, S("main"), S("default"), S("t"), f->arena, &found, &t, &err));
    assert_true(found);
    assert_true(str_eq(t.catalog, S("main")));
}

static void a_schema_with_tables_is_not_dropped(void **state)
{
    Fixture *f = *state;
    Error err = error_in(f->arena);
    TableEntry t = {.catalog = S("main"), .schema = S("default"), .name = S("t"), .provider = S("delta"), .location = S("/x")};
    Property p = {S("a'b"), S("c\"d"), false};
    vec_push(f->arena, &t.properties, p);
    assert_true(catalog_create_table(f->catalog, &t, &err));
    assert_false(catalog_drop_schema(f->catalog, S("main"), S("default"), false, false, &err));
    assert_string_equal(error_class_name(err.cls), "SCHEMA_NOT_EMPTY");
    error_clear(&err);
    TableEntryVec tables = {0};
    assert_true(catalog_list_tables(f->catalog, S("main"), S("default"), f->arena, &tables, &err));
    assert_int_equal(tables.len, 1);
    assert_true(str_eq(tables.at[0].properties.at[0].value, S("c\"d")));
    assert_true(catalog_drop_table(f->catalog, S("main"), S("default"), S("T"), &err));
    assert_true(catalog_drop_schema(f->catalog, S("main"), S("default"), false, false, &err));
}

static void unknown_parents_are_named(void **state)
{
    Fixture *f = *state;
    Error err = error_in(f->arena);
    SchemaEntry s = {.catalog = S("nope"), .name = S("x")};
    assert_false(catalog_create_schema(f->catalog, &s, false, &err));
    assert_string_equal(error_class_name(err.cls), "CATALOG_NOT_FOUND");
    error_clear(&err);
    TableEntry t = {.catalog = S("main"), .schema = S("nope"), .name = S("t")};
    assert_false(catalog_create_table(f->catalog, &t, &err));
    assert_string_equal(error_class_name(err.cls), "SCHEMA_NOT_FOUND");
    error_clear(&err);
    s = (SchemaEntry){.catalog = S("main"), .name = S("a/b")};
    assert_false(catalog_create_schema(f->catalog, &s, false, &err));
    assert_string_equal(error_class_name(err.cls), "INVALID_SCHEMA_OR_RELATION_NAME");
}

static void partitions_belong_to_their_table(void **state)
{
    Fixture *f = *state;
    Error err = error_in(f->arena);
    TableEntry t = {.id = S("id-1"), .catalog = S("main"), .schema = S("default"), .name = S("parted"), .provider = S("parquet"), .location = S("/x")};
    detail_set(&t.details, S("bucketCol.0"), S("a"), f->arena);
    detail_set(&t.details, S("bucketCol.1"), S("b"), f->arena);
    detail_set(&t.details, S("numBuckets"), S("2"), f->arena);
    assert_true(catalog_create_table(f->catalog, &t, &err));
    PartitionEntry one = {.name = S("a=1/b=__HIVE_DEFAULT_PARTITION__"), .location = S("/x/1")};
    vec_push(f->arena, &one.values, ((Property){S("a"), S("1"), false}));
    vec_push(f->arena, &one.values, ((Property){S("b"), {0}, true}));
    assert_true(catalog_put_partition(f->catalog, S("id-1"), &one, &err));
    one.location = S("/y");
    assert_true(catalog_put_partition(f->catalog, S("id-1"), &one, &err));
    PartitionEntryVec found = {0};
    assert_true(catalog_list_partitions(f->catalog, S("id-1"), f->arena, &found, &err));
    assert_int_equal(found.len, 1);
    assert_true(str_is(found.at[0].location, "/y") && str_is(found.at[0].values.at[0].value, "1") && found.at[0].values.at[1].is_null);
    TableEntry read;
    StrVec columns = {0};
    bool there;
    assert_true(catalog_get_table(f->catalog, S("main"), S("default"), S("PARTED"), f->arena, &there, &read, &err) && there);
    detail_list(&read.details, "bucketCol", f->arena, &columns);
    assert_true(columns.len == 2 && str_is(columns.at[1], "b") && str_is(detail_get(&read.details, "numBuckets"), "2"));
    assert_true(catalog_drop_table(f->catalog, S("main"), S("default"), S("parted"), &err));
    found.len = 0;
    assert_true(catalog_list_partitions(f->catalog, S("id-1"), f->arena, &found, &err));
    assert_int_equal(found.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_have_no_case, set_up, tear_down),
        cmocka_unit_test_setup_teardown(spark_catalog_is_the_default_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_schema_with_tables_is_not_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_parents_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(partitions_belong_to_their_table, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
