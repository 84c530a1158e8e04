/* Changes of tables: which clause of a MERGE takes a row, what a change set leaves, what a refused change leaves alone. */
#include "../bench.h"

static void merge_clauses_in_order(void **state)
{
    static const BenchRow rows[] = {
        {"CREATE TABLE t (k INT, v STRING)", ""},
        {"INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')", ""},
        {"CREATE TEMP VIEW s AS SELECT * FROM VALUES (1, 'x'), (2, 'y'), (3, 'z'), (9, 'n'), (10, NULL) AS s(k, v)", ""},
        /* The first clause whose condition holds takes the row; a row that none takes stays. */
        {"MERGE INTO t USING s ON t.k = s.k WHEN MATCHED AND s.k = 1 THEN DELETE "
         "WHEN MATCHED AND s.k <= 2 THEN UPDATE SET v = concat(t.v, s.v) "
         "WHEN NOT MATCHED AND s.v IS NULL THEN INSERT (k) VALUES (s.k + 100) WHEN NOT MATCHED THEN INSERT * "
         "WHEN NOT MATCHED BY SOURCE AND t.k = 4 THEN UPDATE SET v = 'gone'",
         "5 2 1 2"},
        {"SELECT * FROM t ORDER BY k", "2 by; 3 c; 4 gone; 9 n; 110 NULL"},
        /* Two source rows for one target row. */
        {"MERGE INTO t USING (SELECT 2 AS k UNION ALL SELECT 2) AS s ON t.k = s.k WHEN MATCHED THEN UPDATE SET v = 'twice'",
         "!DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE"},
        {"SELECT v FROM t WHERE k = 2", "by"},
        /* Unless all of them delete. */
        {"MERGE INTO t USING (SELECT 2 AS k UNION ALL SELECT 2) AS s ON t.k = s.k WHEN MATCHED THEN DELETE", "1 0 1 0"},
        {"SELECT count(*) FROM t", "4"},
        {"MERGE INTO t USING s ON t.k = s.k WHEN MATCHED THEN UPDATE SET nope = 1", "!DELTA_MERGE_UNRESOLVED_EXPRESSION"},
        {"MERGE INTO t USING s ON count(*) > 1 WHEN MATCHED THEN DELETE", "!DELTA_AGGREGATION_NOT_SUPPORTED"},
        {"DROP TABLE t", ""},
        {"DROP VIEW s", ""},
    };
    bench_check(*state, rows, LENGTH_OF(rows), false);
}

/* Deletion vectors and rewritten files leave the same rows; the change feed holds each change once. */
static void change_sets(void **state)
{
    static const BenchRow rows[] = {
        {"CREATE TABLE d (k BIGINT, v BIGINT) TBLPROPERTIES (delta.enableDeletionVectors = true, delta.enableChangeDataFeed = true)", ""},
        {"INSERT INTO d SELECT id, id * 10 FROM range(6)", ""},
        {"UPDATE d SET v = v + k WHERE k % 2 = 1", "3"},
        {"DELETE FROM d WHERE k = 0", "1"},
        {"DELETE FROM d WHERE k = 0", "0"},
        {"SELECT * FROM d ORDER BY k", "1 11; 2 20; 3 33; 4 40; 5 55"},
        {"SELECT k, v, _change_type FROM table_changes('d', 2, 2) WHERE k = 3 ORDER BY v", "3 30 update_preimage; 3 33 update_postimage"},
        {"SELECT _change_type, count(*) FROM table_changes('d', 1) GROUP BY 1 ORDER BY 1",
         "delete 1; insert 6; update_postimage 3; update_preimage 3"},
        {"CREATE TABLE w (k BIGINT, v BIGINT) TBLPROPERTIES (delta.enableDeletionVectors = false)", ""},
        {"INSERT INTO w SELECT id, id * 10 FROM range(6)", ""},
        {"UPDATE w SET v = v + k WHERE k % 2 = 1", "3"},
        {"DELETE FROM w WHERE k = 0", "1"},
        {"SELECT count(*) FROM (SELECT * FROM d EXCEPT ALL SELECT * FROM w)", "0"},
        {"SELECT count(*) FROM (SELECT * FROM w EXCEPT ALL SELECT * FROM d)", "0"},
    };
    bench_check(*state, rows, LENGTH_OF(rows), false);
}

static void refused_changes_leave_the_table(void **state)
{
    static const BenchRow rows[] = {
        {"CREATE TABLE g (k INT NOT NULL, v INT)", ""},
        {"INSERT INTO g VALUES (1, 1), (2, 2)", ""},
        {"ALTER TABLE g ADD CONSTRAINT small CHECK (v < 10)", ""},
        {"INSERT INTO g VALUES (3, 30)", "!DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"},
        {"INSERT INTO g VALUES (NULL, 3)", "!DELTA_NOT_NULL_CONSTRAINT_VIOLATED"},
        {"UPDATE g SET v = 20", "!DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"},
        {"ALTER TABLE g ADD CONSTRAINT none CHECK (v < 2)", "!DELTA_NEW_CHECK_CONSTRAINT_VIOLATION"},
        {"UPDATE g SET v = max(v)", "!UNSUPPORTED_EXPR_FOR_OPERATOR"},
        {"DELETE FROM g WHERE count(*) > 0", "!UNSUPPORTED_EXPR_FOR_OPERATOR"},
        {"UPDATE g SET v = 1 WHERE rank() OVER (ORDER BY k) > 1", "!UNSUPPORTED_EXPR_FOR_OPERATOR"},
        {"UPDATE g SET v = 1 / (v - 1)", "!DIVIDE_BY_ZERO"},
        {"SELECT * FROM g ORDER BY k", "1 1; 2 2"},
        {"SELECT max(version) FROM (DESCRIBE HISTORY g)", "!PARSE_SYNTAX_ERROR"},
    };
    bench_check(*state, rows, LENGTH_OF(rows), false);
}

/* What docs/compatibility.md lists: taken by default, refused with lakeshed.strict. */
static void strictness(void **state)
{
    static const BenchRow rows[] = {
        {"CREATE TABLE l1 (ts TIMESTAMP) PARTITIONED BY (DATE(ts))", ""},
        {"CREATE TABLE l2 (ts TIMESTAMP) PARTITIONED BY (CAST(ts AS DATE))", ""},
        {"CREATE TABLE l3 (c BOOLEAN DEFAULT FALSE)", ""},
        {"INSERT INTO l3 VALUES (DEFAULT)", ""},
        {"SELECT * FROM l3", "false"},
        {"SET lakeshed.strict = true", "lakeshed.strict true"},
        {"CREATE TABLE s1 (ts TIMESTAMP) PARTITIONED BY (DATE(ts))", "!DELTA_OPERATION_NOT_ALLOWED"},
        {"CREATE TABLE s2 (ts TIMESTAMP) PARTITIONED BY (CAST(ts AS DATE))", "!DELTA_OPERATION_NOT_ALLOWED"},
        {"CREATE TABLE s3 (c BOOLEAN DEFAULT FALSE)", "!WRONG_COLUMN_DEFAULTS_FOR_DELTA_FEATURE_NOT_ENABLED"},
        {"SELECT * FROM s3", "!TABLE_OR_VIEW_NOT_FOUND"},
        {"RESET lakeshed.strict", ""},
        {"CREATE TABLE s3 (c BOOLEAN DEFAULT FALSE)", ""},
    };
    bench_check(*state, rows, LENGTH_OF(rows), false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merge_clauses_in_order), cmocka_unit_test(change_sets),
        cmocka_unit_test(refused_changes_leave_the_table), cmocka_unit_test(strictness)};
    return cmocka_run_group_tests(tests, bench_open, bench_close);
}
