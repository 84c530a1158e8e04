/* Curves and ranges, in DuckDB itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <duckdb.h>

#include "base/arena.h"
#include "base/error.h"
#include "func/native.h"

typedef struct Fixture {
    duckdb_database database;
    duckdb_connection connection;
} Fixture;

static Fixture fixture;

static int open_database(void **state) {
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    *state = &fixture;
    return duckdb_open(NULL, &fixture.database) != DuckDBSuccess ||
           duckdb_connect(fixture.database, &fixture.connection) != DuckDBSuccess ||
           !func_register_all(fixture.connection, &err);
}

static int close_database(void **state) {
    (void)state;
    duckdb_disconnect(&fixture.connection);
    duckdb_close(&fixture.database);
    return 0;
}

static int64_t number(const char *sql) {
    duckdb_result result;
    if (duckdb_query(fixture.connection, sql, &result) != DuckDBSuccess)
        fail_msg("%s", duckdb_result_error(&result));
    int64_t n = duckdb_value_int64(&result, 0, 0);
    duckdb_destroy_result(&result);
    return n;
}

/* Along a Hilbert curve every step goes to a neighbour, and every place is met once. */
static void test_hilbert(void **state) {
    (void)state;
    assert_int_equal(number("SELECT count(DISTINCT ls_hilbert(4, x, y)) FROM (SELECT unnest(range(16))::INT x), (SELECT unnest(range(16))::INT y)"), 256);
    assert_int_equal(number("SELECT count(*) FROM (SELECT abs(x - lag(x) OVER w) + abs(y - lag(y) OVER w) AS step FROM "
                            "(SELECT unnest(range(16))::INT x), (SELECT unnest(range(16))::INT y) WINDOW w AS (ORDER BY ls_hilbert(4, x, y))) WHERE step = 1"),
                     255);
    assert_int_equal(number("SELECT count(*) FROM (SELECT abs(x - lag(x) OVER w) + abs(y - lag(y) OVER w) + abs(z - lag(z) OVER w) AS step FROM "
                            "(SELECT unnest(range(8))::INT x), (SELECT unnest(range(8))::INT y), (SELECT unnest(range(8))::INT z) "
                            "WINDOW w AS (ORDER BY ls_hilbert(3, x, y, z))) WHERE step = 1"),
                     511);
}

static void test_z_order(void **state) {
    (void)state;
    assert_int_equal(number("SELECT ls_z_order(3, 5, 3)"), 0x27); /* 101 and 011: 10 01 11 */
    assert_int_equal(number("SELECT ls_z_order(2, 1, 2, 3)"), 0x1D); /* 01, 10, 11: 011 101 */
}

static void test_ranges(void **state) {
    (void)state;
    assert_int_equal(number("SELECT ls_range_integer(10, [5, 10, 20])"), 1);
    assert_int_equal(number("SELECT ls_range_integer(21, [5, 10, 20])"), 3);
    assert_int_equal(number("SELECT ls_range_integer(NULL, [5])"), 0);
    assert_int_equal(number("SELECT ls_range_integer(7, NULL)"), 0);
    assert_int_equal(number("SELECT ls_range_real('nan'::DOUBLE, [1, 'inf'::DOUBLE])"), 2);
    assert_int_equal(number("SELECT ls_range_real(1, ['nan'::DOUBLE])"), 0);
    assert_int_equal(number("SELECT ls_range_text('b', ['a', 'b', 'ba'])"), 1);
    assert_int_equal(number("SELECT sum(ls_range_text(s, ['k', 'p'])) FROM (VALUES ('a'), ('l'), ('z'), (NULL)) t(s)"), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hilbert), cmocka_unit_test(test_z_order), cmocka_unit_test(test_ranges)};
    return cmocka_run_group_tests(tests, open_database, close_database);
}
