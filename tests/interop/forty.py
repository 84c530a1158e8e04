"""The forty situations a writer of Delta tables gets into: what is written, who reads it, and where else it is shown.

Each has statements that lakeshed and Spark run alike, or names the tests that show it because it needs more than statements.
"""
import dataclasses

VECTORS = "'delta.enableDeletionVectors' = 'true'"
DAYS = "SELECT CAST(id AS INT) id, concat('r', id) v, date_add(DATE'2024-01-01', CAST(id % 3 AS INT)) day FROM range(30)"
PLAIN = "CREATE TABLE {t} (id INT, v STRING, day DATE) USING DELTA"


@dataclasses.dataclass
class Case:
    """statements: {t} is the table; the first makes it. refused: statements that fail with a class, whoever wrote the table, and leave it as
    it is. queries: {t} is a path; both engines answer alike. blind: by engine, what it says where it cannot read the table. zone: of the
    session that writes. feed: the first version whose changes are compared. only_last: older versions have lost their files."""
    number: int
    title: str
    statements: tuple = ()
    refused: tuple = ()
    queries: tuple = ()
    blind: dict = dataclasses.field(default_factory=dict)
    zone: str = "UTC"
    feed: int | None = None
    only_last: bool = False
    same_rows: bool = True
    forgets_log: bool = False
    shown_by: tuple = ()


CASES = [
    Case(1, "append, all primitive types", (
        """CREATE TABLE {t} (id INT, b BOOLEAN, y BYTE, h SHORT, l BIGINT, f FLOAT, d DOUBLE, m DECIMAL(20,5), s STRING, x BINARY, day DATE,
           ts TIMESTAMP, n TIMESTAMP_NTZ, w VARCHAR(9)) USING DELTA""",
        """INSERT INTO {t} VALUES (1, true, -128, 32767, -9223372036854775808, 1.5, -0.1, 123456789012345.67891, 'żółć', X'00FF', DATE'0001-01-01',
           TIMESTAMP'1883-11-18 12:00:00', TIMESTAMP_NTZ'9999-12-31 23:59:59.999999', 'cd')""",
        "INSERT INTO {t} (id) VALUES (2)",
        "INSERT INTO {t} SELECT id + 10, NOT b, y, h, l, f, d, m, s, x, day, ts, n, w FROM {t}"),
        queries=("SELECT id FROM {t} WHERE x = X'00FF' AND w = 'cd'", "SELECT id FROM {t} WHERE ts < TIMESTAMP'1900-01-01'"),
        shown_by=("tests/interop/test_types.py::test_values", "tests/interop/test_types.py::test_predicates_find_the_same")),
    Case(2, "overwrite", (
        PLAIN, f"INSERT INTO {{t}} {DAYS}", "INSERT OVERWRITE {t} SELECT 1, 'one', DATE'2020-02-29'",
        "INSERT OVERWRITE {t} SELECT id, v, day FROM {t} WHERE false", "INSERT OVERWRITE {t} VALUES (2, NULL, NULL), (3, '', NULL)")),
    Case(3, "replaceWhere", (
        PLAIN + " PARTITIONED BY (day)", f"INSERT INTO {{t}} {DAYS}",
        "INSERT INTO {t} REPLACE WHERE day = DATE'2024-01-02' SELECT 100, 'again', DATE'2024-01-02'",
        "INSERT INTO {t} REPLACE WHERE id < 5 AND day <> DATE'2024-01-02' SELECT 4, 'four', DATE'2024-01-03'"),
        refused=(("INSERT INTO {t} REPLACE WHERE day = DATE'2024-01-01' SELECT 1, 'x', DATE'2024-01-03'", "DELTA_REPLACE_WHERE_MISMATCH"),),
        shown_by=("tests/e2e/test_delta_statements.py::test_overwrite_of_partitions",)),
    Case(4, "partitions of each type", (
        """CREATE TABLE {t} (id INT, b BOOLEAN, y BYTE, h SHORT, l BIGINT, f FLOAT, d DOUBLE, m DECIMAL(9,2), day DATE, ts TIMESTAMP,
           n TIMESTAMP_NTZ, s STRING) USING DELTA PARTITIONED BY (b, y, h, l, f, d, m, day, ts, n, s)""",
        """INSERT INTO {t} VALUES (1, true, 1, 2, 3, 1.5, 2.5, 7.25, DATE'2024-02-29', TIMESTAMP'2024-02-29 01:02:03.456789',
           TIMESTAMP_NTZ'2024-02-29 01:02:03', 'x')""",
        "INSERT INTO {t} (id) VALUES (2)", "UPDATE {t} SET m = m + 1, s = 'y' WHERE b", "DELETE FROM {t} WHERE day IS NULL"),
        queries=("SELECT id FROM {t} WHERE m = 8.25 AND ts > TIMESTAMP'2024-02-29 01:02:03'",),
        shown_by=("tests/interop/test_types.py::test_partition_types",)),
    Case(5, "NULL and '' as partitions", (
        "CREATE TABLE {t} (id INT, p STRING, q INT) USING DELTA PARTITIONED BY (p, q)",
        "INSERT INTO {t} VALUES (1, NULL, NULL), (2, '', 0), (3, ' ', 1), (4, 'null', NULL)", "UPDATE {t} SET q = 9 WHERE p IS NULL",
        "DELETE FROM {t} WHERE q IS NULL"),
        queries=("SELECT id FROM {t} WHERE p IS NULL", "SELECT id FROM {t} WHERE p = ''", "SELECT id FROM {t} WHERE p <> 'z'")),
    Case(6, "values with space % # ? = / : and unicode", (
        "CREATE TABLE {t} (id INT, p STRING) USING DELTA PARTITIONED BY (p)",
        "INSERT INTO {t} VALUES (1, 'a b'), (2, '50%'), (3, '#1'), (4, 'a?b=c'), (5, 'x/y:z'), (6, 'żó😀'), (7, 'a%20b')",
        "UPDATE {t} SET id = id + 10 WHERE p IN ('a b', 'x/y:z')", "DELETE FROM {t} WHERE p = '50%'", "OPTIMIZE {t}"),
        queries=("SELECT id FROM {t} WHERE p = 'a%20b'",), shown_by=("tests/interop/test_types.py::test_partition_texts",)),
    Case(7, "timestamp partitions of another zone, around a gap and an overlap", (
        "CREATE TABLE {t} (id INT, ts TIMESTAMP) USING DELTA PARTITIONED BY (ts)",
        """INSERT INTO {t} VALUES (1, TIMESTAMP'2024-03-10 02:30:00'), (2, TIMESTAMP'2024-03-10 03:30:00'), (3, TIMESTAMP'2024-11-03 01:30:00'),
           (4, TIMESTAMP'1969-12-31 19:00:00.000001'), (5, NULL)""",
        "DELETE FROM {t} WHERE ts = TIMESTAMP'2024-11-03 01:30:00'"), zone="America/New_York"),
    Case(8, "decimals of every width", (
        "CREATE TABLE {t} (id INT, a DECIMAL(1,0), b DECIMAL(9,2), c DECIMAL(10,0), d DECIMAL(18,18), e DECIMAL(19,3), f DECIMAL(38,0), "
        "g DECIMAL(38,38)) USING DELTA",
        "INSERT INTO {t} VALUES (1, 9, 9999999.99, -9999999999, 0.999999999999999999, -9999999999999999.999, "
        "99999999999999999999999999999999999999, NULL), (2, NULL, 0, 0, 0, 0, 0, NULL)",
        "INSERT INTO {t} (id, g) VALUES (3, CAST('0.25' AS DECIMAL(38,38)))",
        "INSERT INTO {t} SELECT id + 10, a, b, c, d, e, f, g FROM {t}"),
        queries=("SELECT id FROM {t} WHERE f > 99999999999999999999999999999999999998", "SELECT id FROM {t} WHERE d > 0.9 AND e < 0")),
    Case(9, "structs, arrays and maps, NULL at every level", (
        "CREATE TABLE {t} (id INT, s STRUCT<a: INT, b: STRUCT<c: STRING, d: ARRAY<INT>>>, m MAP<STRING, STRUCT<x: DATE>>) USING DELTA",
        """INSERT INTO {t} SELECT CAST(id AS INT), IF(id % 4 = 0, NULL, named_struct('a', CAST(id AS INT), 'b', IF(id % 4 = 1, NULL,
           named_struct('c', string(id), 'd', array(1, NULL, CAST(id AS INT)))))),
           IF(id % 3 = 0, NULL, map('k', named_struct('x', DATE'2024-01-01'), string(id), NULL)) FROM range(12)""",
        "UPDATE {t} SET s.a = -1 WHERE id IN (1, 2, 4)", "DELETE FROM {t} WHERE s.b.d[2] = 3"),
        queries=("SELECT id FROM {t} WHERE s.a = -1", "SELECT id FROM {t} WHERE s.b.c IS NULL", "SELECT id FROM {t} WHERE s.a > 9")),
    Case(10, "more than 32 columns, and columns named for statistics", (
        "CREATE TABLE {t} (" + ", ".join(f"c{n} INT" for n in range(36)) + ") USING DELTA",
        "INSERT INTO {t} SELECT " + ", ".join(f"CAST(id + {n} AS INT)" for n in range(36)) + " FROM range(3)",
        "ALTER TABLE {t} SET TBLPROPERTIES ('delta.dataSkippingStatsColumns' = 'c35, c0')",
        "INSERT INTO {t} SELECT " + ", ".join(f"CAST(id - {n} AS INT)" for n in range(36)) + " FROM range(3)"),
        queries=("SELECT count(*) FROM {t} WHERE c35 = -33", "SELECT count(*) FROM {t} WHERE c34 = 36", "SELECT count(*) FROM {t} WHERE c1 = 1"),
        shown_by=("tests/e2e/test_data_files.py::test_named_columns_have_statistics", "tests/e2e/test_data_files.py::test_thirty_two_columns_by_default")),
    Case(11, "texts longer than the statistics' prefix", (
        "CREATE TABLE {t} (id INT, s STRING) USING DELTA",
        "INSERT INTO {t} VALUES (1, concat(repeat('a', 31), '😀', 'z')), (2, concat(repeat('a', 32), 'b'))",
        "INSERT INTO {t} VALUES (3, repeat('\U0010FFFF', 40))", "INSERT INTO {t} VALUES (4, concat(repeat('b', 31), 'é', 'x'))"),
        queries=("SELECT id FROM {t} WHERE s > concat(repeat('a', 31), '😀')", "SELECT id FROM {t} WHERE s = repeat('\U0010FFFF', 40)",
                 "SELECT id FROM {t} WHERE s >= concat(repeat('b', 31), 'é', 'x')")),
    Case(12, "NaN, -0.0 and infinities", (
        "CREATE TABLE {t} (id INT, f FLOAT, d DOUBLE) USING DELTA",
        "INSERT INTO {t} VALUES (1, FLOAT('NaN'), DOUBLE('NaN')), (2, 1, 1)", "INSERT INTO {t} VALUES (3, -0.0F, -0.0D)",
        "INSERT INTO {t} VALUES (4, FLOAT('Infinity'), DOUBLE('-Infinity'))", "INSERT INTO {t} VALUES (5, NULL, NULL)"),
        queries=("SELECT id FROM {t} WHERE d = DOUBLE('NaN')", "SELECT id FROM {t} WHERE d > 0", "SELECT id FROM {t} WHERE d < -1e308", "SELECT id FROM {t} WHERE f > 3e38")),
    Case(13, "timestamps whose statistics are cut to milliseconds", (
        "CREATE TABLE {t} (id INT, ts TIMESTAMP, n TIMESTAMP_NTZ) USING DELTA",
        "INSERT INTO {t} VALUES (1, TIMESTAMP'2024-01-01 00:00:00.123999', TIMESTAMP_NTZ'2024-01-01 00:00:00.123999')",
        "INSERT INTO {t} VALUES (2, TIMESTAMP'1950-01-01 00:00:00.123999', TIMESTAMP_NTZ'1950-01-01 00:00:00.123999')"),
        queries=("SELECT id FROM {t} WHERE ts > TIMESTAMP'2024-01-01 00:00:00.1235'", "SELECT id FROM {t} WHERE n = TIMESTAMP_NTZ'1950-01-01 00:00:00.123999'",
                 "SELECT id FROM {t} WHERE n >= TIMESTAMP_NTZ'2024-01-01 00:00:00.123999'")),
    Case(14, "column mapping by name: rename, drop, a name again", (
        PLAIN + " TBLPROPERTIES ('delta.columnMapping.mode' = 'name')", f"INSERT INTO {{t}} {DAYS}", "ALTER TABLE {t} RENAME COLUMN v TO `a b`",
        "ALTER TABLE {t} DROP COLUMN day", "ALTER TABLE {t} ADD COLUMN v INT", "INSERT INTO {t} VALUES (100, 'text', 7)",
        "UPDATE {t} SET v = id WHERE id < 3", "ALTER TABLE {t} RENAME COLUMN id TO v2", "OPTIMIZE {t}")),
    Case(15, "column mapping by id", (
        "CREATE TABLE {t} (id INT, s STRUCT<a: INT, b: ARRAY<STRUCT<q: INT>>>) USING DELTA TBLPROPERTIES ('delta.columnMapping.mode' = 'id')",
        "INSERT INTO {t} VALUES (1, struct(2, array(struct(3)))), (2, NULL)", "ALTER TABLE {t} RENAME COLUMN s.a TO z",
        "INSERT INTO {t} VALUES (3, struct(4, array()))", "MERGE INTO {t} t USING (SELECT 2 id) u ON t.id = u.id WHEN MATCHED THEN UPDATE SET s.z = 5"),
        shown_by=("tests/interop/test_features.py::test_mapped_columns",)),
    Case(16, "deletion vectors: one file again and again, until no row is left", (
        PLAIN + f" TBLPROPERTIES ({VECTORS})", f"INSERT INTO {{t}} {DAYS}", "DELETE FROM {t} WHERE id % 7 = 0", "DELETE FROM {t} WHERE id % 7 = 1",
        "UPDATE {t} SET v = 'u' WHERE id = 2", "DELETE FROM {t} WHERE id BETWEEN 3 AND 20", "DELETE FROM {t}", "INSERT INTO {t} VALUES (1, 'x', NULL)"),
        shown_by=("tests/e2e/test_delta_tables.py::test_clone_keeps_deletion_vectors",)),
    Case(17, "deletion vectors, OPTIMIZE, REORG PURGE and VACUUM", (
        PLAIN + f" TBLPROPERTIES ({VECTORS})", f"INSERT INTO {{t}} {DAYS}", "DELETE FROM {t} WHERE id % 3 = 0", "OPTIMIZE {t}",
        "DELETE FROM {t} WHERE id = 1", "REORG TABLE {t} APPLY (PURGE)", "DELETE FROM {t} WHERE id = 2",
        "SET spark.databricks.delta.retentionDurationCheck.enabled = false", "VACUUM {t} RETAIN 0 HOURS"), only_last=True),
    Case(18, "change feed over every kind of statement", (
        PLAIN + " TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')", f"INSERT INTO {{t}} {DAYS}", "UPDATE {t} SET v = 'u' WHERE id < 5",
        "DELETE FROM {t} WHERE id > 25", "MERGE INTO {t} t USING (SELECT 3 id UNION ALL SELECT 4 UNION ALL SELECT 99) s ON t.id = s.id "
        "WHEN MATCHED AND s.id = 3 THEN DELETE WHEN MATCHED THEN UPDATE SET v = 'm' WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)",
        "INSERT OVERWRITE {t} SELECT id, v, day FROM {t} WHERE id < 10", "RESTORE TABLE {t} TO VERSION AS OF 3", "DELETE FROM {t} WHERE day IS NOT NULL"),
        feed=0, shown_by=("tests/interop/test_versions.py::test_change_feed", "tests/interop/test_order_platform.py::test_change_feed")),
    Case(19, "identity columns, no number twice under concurrency", (
        "CREATE TABLE {t} (n BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 5 INCREMENT BY -3), v STRING) USING DELTA",
        "INSERT INTO {t} (v) VALUES ('a')", "INSERT INTO {t} (v) VALUES ('b')", "DELETE FROM {t} WHERE v = 'a'", "INSERT INTO {t} (v) VALUES ('c')"),
        refused=(("INSERT INTO {t} VALUES (1, 'own')", "DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED"),),
        queries=("SELECT count(DISTINCT n), count(*) FROM {t}",), same_rows=False,
        shown_by=("tests/e2e/test_delta_features.py::test_identity_numbers_are_given_once_under_concurrency",
                  "tests/interop/test_features.py::test_identity_columns")),
    Case(20, "a wrong value of a generated column is refused", (
        "CREATE TABLE {t} (id INT, day DATE, y INT GENERATED ALWAYS AS (year(day))) USING DELTA PARTITIONED BY (y)",
        "INSERT INTO {t} (id, day) VALUES (1, DATE'2024-05-06'), (2, NULL)", "INSERT INTO {t} VALUES (3, DATE'2023-01-01', 2023)",
        "UPDATE {t} SET day = DATE'2020-01-01' WHERE id = 1"),
        refused=(("INSERT INTO {t} VALUES (4, DATE'2023-01-01', 2024)", "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"),)),
    Case(21, "CHECK and NOT NULL refuse, the table stays as it is", (
        "CREATE TABLE {t} (id INT NOT NULL, v STRING) USING DELTA", "ALTER TABLE {t} ADD CONSTRAINT small CHECK (id < 100 AND v <> 'no')",
        "INSERT INTO {t} VALUES (1, 'a'), (2, 'b')"),
        refused=(("INSERT INTO {t} VALUES (3, 'no')", "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"), ("UPDATE {t} SET id = 100", "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"),
                 ("INSERT INTO {t} VALUES (NULL, 'x')", "DELTA_NOT_NULL_CONSTRAINT_VIOLATED|DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"),
                 ("MERGE INTO {t} t USING (SELECT 200 id) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)",
                  "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES")),
        shown_by=("tests/interop/test_write_back.py::test_each_keeps_the_others_rules",)),
    Case(22, "defaults, the word DEFAULT too", (
        "CREATE TABLE {t} (id INT, v STRING DEFAULT concat('a', 'b'), n INT DEFAULT 7) USING DELTA TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')",
        "INSERT INTO {t} (id) VALUES (1)", "INSERT INTO {t} VALUES (2, DEFAULT, NULL)", "ALTER TABLE {t} ALTER COLUMN n SET DEFAULT 8",
        "INSERT INTO {t} (id, v) VALUES (3, 'x')", "UPDATE {t} SET v = DEFAULT, n = DEFAULT WHERE id = 3",
        "MERGE INTO {t} t USING (SELECT 4 id) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)",
        "ALTER TABLE {t} ALTER COLUMN n DROP DEFAULT", "INSERT INTO {t} (id) VALUES (5)")),
    Case(23, "type widening, files of the old type", (
        "CREATE TABLE {t} (id INT, a BYTE, b SHORT, f FLOAT, m DECIMAL(5,2), day DATE, i INT) USING DELTA TBLPROPERTIES ('delta.enableTypeWidening' = 'true', "
        "'delta.feature.timestampNtz' = 'supported')",
        "INSERT INTO {t} VALUES (1, 127, 32767, 1.1, 123.45, DATE'2024-01-01', 5)",
        "ALTER TABLE {t} ALTER COLUMN a TYPE SHORT", "ALTER TABLE {t} ALTER COLUMN a TYPE BIGINT", "ALTER TABLE {t} ALTER COLUMN b TYPE INT",
        "ALTER TABLE {t} ALTER COLUMN f TYPE DOUBLE", "ALTER TABLE {t} ALTER COLUMN m TYPE DECIMAL(12,4)",
        "ALTER TABLE {t} ALTER COLUMN day TYPE TIMESTAMP_NTZ", "ALTER TABLE {t} ALTER COLUMN i TYPE DOUBLE",
        "INSERT INTO {t} VALUES (2, 9000000000, 2147483647, 1e300, 12345678.1234, TIMESTAMP_NTZ'2024-01-01 01:02:03', 0.5)"),
        queries=("SELECT id FROM {t} WHERE a > 100", "SELECT id FROM {t} WHERE m > 123.4 AND day <= TIMESTAMP_NTZ'2024-01-01'", "SELECT id FROM {t} WHERE i < 5.5"),
        blind={"delta_rs": "TypeWidening"}, shown_by=("tests/interop/test_features.py::test_widened_columns",)),
    Case(24, "evolution of the schema by MERGE and by a new table", (
        PLAIN, f"INSERT INTO {{t}} {DAYS}",
        "MERGE WITH SCHEMA EVOLUTION INTO {t} t USING (SELECT 1 id, 'new' extra UNION ALL SELECT 100, 'more') s ON t.id = s.id "
        "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
        "ALTER TABLE {t} ADD COLUMNS (s STRUCT<a: INT> AFTER id)",
        "MERGE WITH SCHEMA EVOLUTION INTO {t} t USING (SELECT 2 id, named_struct('a', 1, 'b', 'in') s) u ON t.id = u.id WHEN MATCHED THEN UPDATE SET *",
        "CREATE OR REPLACE TABLE {t} USING DELTA AS SELECT 'only' other"),
        shown_by=("tests/e2e/test_delta_statements.py::test_merge_evolves_the_schema", "tests/e2e/test_options.py")),
    Case(25, "row ids stay through MERGE and OPTIMIZE", (
        PLAIN + " TBLPROPERTIES ('delta.enableRowTracking' = 'true')", f"INSERT INTO {{t}} {DAYS}", "UPDATE {t} SET v = 'u' WHERE id = 3",
        "MERGE INTO {t} t USING (SELECT 5 id UNION ALL SELECT 50) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = 'm' "
        "WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)", "OPTIMIZE {t}"),
        queries=("SELECT id, _metadata.row_id, _metadata.row_commit_version FROM {t}",),
        shown_by=("tests/interop/test_row_tracking.py::test_turns", "tests/e2e/test_row_tracking.py::test_ids_outlive_every_rewrite")),
    Case(26, "in-commit timestamps, a clock moved backwards", (
        PLAIN + " TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')", f"INSERT INTO {{t}} {DAYS}", "DELETE FROM {t} WHERE id = 1"),
        shown_by=("tests/unit/delta/test_transaction.c::commit_timestamps_grow", "tests/interop/test_time_travel.py::test_spellings")),
    Case(27, "v2 checkpoints with sidecars", (
        PLAIN + " PARTITIONED BY (day) TBLPROPERTIES ('delta.checkpointPolicy' = 'v2', 'delta.checkpointInterval' = '3')",
        *(f"INSERT INTO {{t}} VALUES ({n}, 'v{n}', DATE'2024-01-0{n}')" for n in range(1, 8)), "DELETE FROM {t} WHERE id = 2"), forgets_log=True),
    Case(28, "a checkpoint of ours, and the log before it is gone", (
        PLAIN + f" TBLPROPERTIES ('delta.checkpointInterval' = '4', {VECTORS})", f"INSERT INTO {{t}} {DAYS}", "DELETE FROM {t} WHERE id = 7",
        "UPDATE {t} SET v = 'u' WHERE id = 8", "INSERT INTO {t} VALUES (90, 'late', NULL)", "DELETE FROM {t} WHERE id = 9"), forgets_log=True),
    Case(29, "a log of thousands of commits", shown_by=("bench/log.py", "bench/files.py", "tests/unit/delta/test_log.c")),
    Case(30, "two engines append at once", shown_by=("tests/interop/test_commits.py::test_two_writers", "tests/interop/commits.py")),
    Case(31, "MERGEs that meet: one wins", shown_by=("tests/e2e/test_concurrency.py::test_another_engine_in_between",
                                                     "tests/e2e/test_concurrency.py::test_two_servers_on_one_row_lose_nothing_silently")),
    Case(32, "an append and OPTIMIZE both succeed", shown_by=("tests/e2e/test_concurrency.py::test_optimize_gives_way", "tests/unit/delta/conflicts.def")),
    Case(33, "Serializable and WriteSerializable differ", shown_by=("tests/unit/delta/conflicts.def", "tests/unit/delta/test_interleavings.c")),
    Case(34, "a replay of txnAppId and txnVersion", shown_by=("tests/e2e/test_idempotence.py::test_options_of_a_writer",)),
    Case(35, "SIGKILL at any moment", shown_by=("tests/e2e/test_concurrency.py::test_killed_at_random_moments", "tests/e2e/kills.py")),
    Case(36, "VACUUM refuses what is kept too shortly", (PLAIN, f"INSERT INTO {{t}} {DAYS}", "DELETE FROM {t} WHERE id = 1"),
         refused=(("VACUUM {t} RETAIN 0 HOURS", "DELTA_VACUUM_RETENTION_PERIOD_TOO_SHORT"),),
         shown_by=("tests/e2e/test_delta_tables.py::test_vacuum_lite_needs_the_whole_log",)),
    Case(37, "time travel by version, by time, before the first", (PLAIN, f"INSERT INTO {{t}} {DAYS}", "DELETE FROM {t} WHERE id > 3"),
         refused=(("SELECT * FROM {t} VERSION AS OF 9", "DELTA_VERSION_NOT_FOUND"), ("SELECT * FROM {t} TIMESTAMP AS OF '1999-01-01'", "DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION")),
         shown_by=("tests/interop/test_time_travel.py::test_spellings", "tests/interop/test_time_travel.py::test_paths")),
    Case(38, "RESTORE after VACUUM", (
        PLAIN, f"INSERT INTO {{t}} {DAYS}", "INSERT OVERWRITE {t} VALUES (1, 'x', NULL)",
        "SET spark.databricks.delta.retentionDurationCheck.enabled = false", "VACUUM {t} RETAIN 0 HOURS"),
        refused=(("RESTORE TABLE {t} TO VERSION AS OF 1", "DELTA_CANNOT_RESTORE_TABLE_VERSION|Not all files from version 1 are available"),), only_last=True),
    Case(39, "damaged logs", shown_by=("tests/e2e/test_hostile.py::test_damaged_commit", "tests/e2e/test_hostile.py::test_missing_commit",
                                       "tests/e2e/test_hostile.py::test_damaged_checkpoint", "tests/unit/delta/test_deletion_vector.c")),
    Case(40, "features nobody knows", shown_by=("tests/unit/delta/test_log.c", "tests/unit/delta/test_transaction.c::unknown_writer_features_are_readable",
                                                "tests/e2e/test_hostile.py::test_damaged_commit")),
]
