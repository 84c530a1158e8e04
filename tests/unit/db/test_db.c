/* The metadata database: migrations once, durable changes, transactions that roll back whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "db/db.h"

static const Migration MIGRATIONS[] = {
    {1, "CREATE TABLE t (k TEXT PRIMARY KEY, n INTEGER)"},
    {2, "ALTER TABLE t ADD COLUMN note TEXT"},
};

typedef struct Fixture {
    Arena *arena;
    char folder[64];
    Str path;
} Fixture;

static int set_up(void **state)
{
    Fixture *f = calloc(1, sizeof *f);
    f->arena = arena_new();
    snprintf(f->folder, sizeof f->folder, "test_db_XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    f->path = str_printf(f->arena, "%s/m.sqlite", f->folder);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *f = *state;
    static const char *const ENDINGS[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < LENGTH_OF(ENDINGS); i++)
        unlink(str_z(str_printf(f->arena, STR_FMT "%s", STR_ARG(f->path), ENDINGS[i]), f->arena));
    rmdir(f->folder);
    arena_free(f->arena);
    free(f);
    return 0;
}

static Db *open_db(Fixture *f, size_t migrations)
{
    Db *db = NULL;
    Error err = error_in(f->arena);
    assert_true(db_open(f->path, MIGRATIONS, migrations, &db, &err));
    return db;
}

static int64_t count(Fixture *f, Db *db)
{
    DbRowVec rows = {0};
    Error err = error_in(f->arena);
    assert_true(db_query(db, "SELECT count(*) FROM t", NULL, 0, f->arena, &rows, &err));
    return rows.at[0].cells[0].integer;
}

static void insert(Fixture *f, Db *db, Str key, bool *duplicate)
{
    Error err = error_in(f->arena);
    DbValue params[] = {DB_T(key), DB_I(7)};
    assert_true(db_change(db, "INSERT INTO t (k, n) VALUES (?, ?)", params, 2, NULL, duplicate, &err));
}

static void a_change_survives_reopening(void **state)
{
    Fixture *f = *state;
    Db *db = open_db(f, 1);
    insert(f, db, S("it's; DROP TABLE t"), NULL);
    db_close(db);
    db = open_db(f, 2);
    assert_int_equal(count(f, db), 1);
    DbRowVec rows = {0};
    Error err = error_in(f->arena);
    assert_true(db_query(db, "SELECT k, n, note FROM t", NULL, 0, f->arena, &rows, &err));
    assert_true(str_eq(rows.at[0].cells[0].text, S("it's; DROP TABLE t")));
    assert_int_equal(rows.at[0].cells[1].integer, 7);
    assert_int_equal(rows.at[0].cells[2].kind, DB_NULL);
    db_close(db);
}

static void a_newer_schema_is_refused(void **state)
{
    Fixture *f = *state;
    db_close(open_db(f, 2));
    Db *db = NULL;
    Error err = error_in(f->arena);
    assert_false(db_open(f->path, MIGRATIONS, 1, &db, &err));
    assert_true(error_is_set(&err));
}

static void a_repeated_key_is_told_apart(void **state)
{
    Fixture *f = *state;
    Db *db = open_db(f, 1);
    bool duplicate;
    insert(f, db, S("a"), &duplicate);
    assert_false(duplicate);
    insert(f, db, S("a"), &duplicate);
    assert_true(duplicate);
    assert_int_equal(count(f, db), 1);
    db_close(db);
}

static void a_rolled_back_transaction_leaves_nothing(void **state)
{
    Fixture *f = *state;
    Db *db = open_db(f, 1);
    Error err = error_in(f->arena);
    assert_true(db_begin(db, &err));
    insert(f, db, S("a"), NULL);
    db_rollback(db);
    assert_int_equal(count(f, db), 0);
    assert_true(db_begin(db, &err));
    insert(f, db, S("b"), NULL);
    assert_true(db_commit(db, &err));
    assert_int_equal(count(f, db), 1);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_change_survives_reopening, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_newer_schema_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_repeated_key_is_told_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rolled_back_transaction_leaves_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
