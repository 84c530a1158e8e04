"""ALTER TABLE of a Delta table's columns: what is replaced, moved, widened and refused, in Delta's words."""
import pytest


def refused(spark, statement):
    with pytest.raises(Exception) as error:
        spark.sql(statement).collect()
    return error.value.getCondition()


@pytest.fixture
def t(spark):
    spark.sql("DROP TABLE IF EXISTS altered")

    def create(columns, rest=""):
        spark.sql(f"CREATE TABLE altered ({columns}) USING delta {rest}")
        return spark
    return create


def shape(spark):
    return spark.table("altered").schema.simpleString()


def test_columns_are_replaced(t):
    spark = t("a INT COMMENT 'kept', b STRING, s STRUCT<x: INT>")
    spark.sql("INSERT INTO altered VALUES (1, 'x', struct(1))")
    spark.sql("ALTER TABLE altered REPLACE COLUMNS (b STRING COMMENT 'new', A INT, s STRUCT<x: INT, y: INT>, n INT)")
    assert shape(spark) == "struct<b:string,a:int,s:struct<x:int,y:int>,n:int>"
    assert [f.metadata for f in spark.table("altered").schema][:2] == [{"comment": "new"}, {"comment": "kept"}]
    assert tuple(spark.table("altered").first()) == ("x", 1, (1, None), None)
    assert spark.sql("DESCRIBE HISTORY altered").first().operation == "REPLACE COLUMNS"
    for columns, condition in (("a INT", "DELTA_UNSUPPORTED_ALTER_TABLE_REPLACE_COL_OP"),
                               ("b STRING, a BIGINT, s STRUCT<x: INT, y: INT>, n INT", "DELTA_UNSUPPORTED_ALTER_TABLE_REPLACE_COL_OP"),
                               ("b STRING, b STRING", "COLUMN_ALREADY_EXISTS"), ("b STRING NOT NULL", "_LEGACY_ERROR_TEMP_0034")):
        assert refused(spark, f"ALTER TABLE altered REPLACE COLUMNS ({columns})") == condition


def test_columns_of_a_mapped_table_are_replaced(t):
    spark = t("a INT, b STRING", "TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.enableTypeWidening' = 'true')")
    spark.sql("INSERT INTO altered VALUES (1, 'x')")
    spark.sql("ALTER TABLE altered REPLACE COLUMNS (a BIGINT)")
    assert shape(spark) == "struct<a:bigint>" and spark.table("altered").first() == (1,)
    assert refused(spark, "ALTER TABLE altered REPLACE COLUMNS (b STRING)") == "DELTA_UNSUPPORTED_ALTER_TABLE_REPLACE_COL_OP"
    spark.sql("ALTER TABLE altered REPLACE COLUMNS (b STRING, a BIGINT)")
    assert tuple(spark.table("altered").first()) == (None, 1), "a column of an old name is a new column"


def test_texts_get_longer(t):
    spark = t("v VARCHAR(5), c CHAR(4)")
    spark.sql("ALTER TABLE altered ALTER COLUMN v TYPE VARCHAR(7)")
    spark.sql("INSERT INTO altered VALUES ('1234567', 'x')")
    assert refused(spark, "ALTER TABLE altered ALTER COLUMN v TYPE VARCHAR(6)") == "NOT_SUPPORTED_CHANGE_COLUMN"
    assert refused(spark, "ALTER TABLE altered ALTER COLUMN c TYPE CHAR(6)") == "NOT_SUPPORTED_CHANGE_COLUMN"
    spark.sql("ALTER TABLE altered ALTER COLUMN c TYPE VARCHAR(4)")
    spark.sql("ALTER TABLE altered ALTER COLUMN v TYPE STRING")
    spark.sql("INSERT INTO altered VALUES ('123456789', 'y')")
    for statement in ("INSERT INTO altered VALUES ('1', '12345')", "UPDATE altered SET c = '12345'",
                      "MERGE INTO altered USING (SELECT '12345' c) s ON false WHEN NOT MATCHED THEN INSERT (c) VALUES (s.c)"):
        assert refused(spark, statement) == "DELTA_EXCEED_CHAR_VARCHAR_LIMIT"
    assert spark.table("altered").count() == 2


@pytest.mark.parametrize("change, condition", [
    ("ALTER COLUMN l.element COMMENT 'c'", "DELTA_UNSUPPORTED_COMMENT_MAP_ARRAY"), ("ALTER COLUMN a AFTER nope", "UNRESOLVED_COLUMN.WITH_SUGGESTION"),
    ("ALTER COLUMN a COMMENT 'x', a COMMENT 'y'", "NOT_SUPPORTED_CHANGE_SAME_COLUMN"),
    ("ALTER COLUMN s COMMENT 'x', s.x COMMENT 'y'", "NOT_SUPPORTED_CHANGE_SAME_COLUMN"),
    ("ALTER COLUMN s TYPE STRUCT<x: INT, y: INT>", "CANNOT_UPDATE_FIELD.STRUCT_TYPE"), ("ALTER COLUMN l TYPE ARRAY<BIGINT>", "CANNOT_UPDATE_FIELD.ARRAY_TYPE"),
    ("ALTER COLUMN m TYPE MAP<INT, BIGINT>", "CANNOT_UPDATE_FIELD.MAP_TYPE"), ("SET SERDEPROPERTIES ('a' = 'b')", "NOT_SUPPORTED_COMMAND_FOR_V2_TABLE"),
    ("ALTER COLUMN nope SYNC IDENTITY", "UNRESOLVED_COLUMN.WITH_SUGGESTION"), ("ADD COLUMN t TIMESTAMP_NTZ", "DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT"),
    ("SET TBLPROPERTIES ('delta.minReaderVersion' = '3')", "DELTA_READ_FEATURE_PROTOCOL_REQUIRES_WRITE"),
    ("SET TBLPROPERTIES ('delta.feature.clustering' = 'supported')", "DELTA_ALTER_TABLE_SET_CLUSTERING_TABLE_FEATURE_NOT_ALLOWED"),
    ("SET TBLPROPERTIES ('delta.isolationLevel' = 'none')", "DELTA_INVALID_ISOLATION_LEVEL"),
    ("SET TBLPROPERTIES ('delta.universalFormat.enabledFormats' = 'iceberg')", "LAKESHED_UNSUPPORTED"),
    ("SET TBLPROPERTIES ('delta.enableIcebergCompatV2' = 'true')", "DELTA_ICEBERG_COMPAT_VIOLATION.WRONG_REQUIRED_TABLE_PROPERTY"),
    ("ALTER COLUMN a SET DEFAULT 'abc'", "INVALID_DEFAULT_VALUE.DATA_TYPE"), ("ALTER COLUMN a SET DEFAULT a + 1", "INVALID_DEFAULT_VALUE.NOT_CONSTANT")])
def test_what_is_refused(t, change, condition):
    spark = t("a INT, l ARRAY<INT>, m MAP<INT, INT>, s STRUCT<x: INT>")
    assert refused(spark, f"ALTER TABLE altered {change}") == condition


def test_iceberg_takes_the_files(t, tmp_path):
    """Ids stand in the files for elements, keys and values, too, and so do partition columns; what the rules forbid is refused."""
    import glob
    import pyarrow.parquet
    spark = t("a INT, l ARRAY<MAP<STRING, INT>>, p INT",
              f"PARTITIONED BY (p) LOCATION '{tmp_path}/t' TBLPROPERTIES ('delta.enableIcebergCompatV2' = 'true')")
    spark.sql("INSERT INTO altered VALUES (1, array(map('k', 2)), 3)")
    schema = pyarrow.parquet.read_schema(glob.glob(f"{tmp_path}/t/*/*.parquet")[0])

    def ids(fields):
        for f in fields:
            yield (f.metadata or {}).get(b"PARQUET:field_id")
            yield from ids([f.type.field(i) for i in range(f.type.num_fields)])
    assert {int(i) for i in ids(schema) if i} == {1, 2, 3, 4, 5, 6}
    assert tuple(spark.table("altered").first()) == (1, [{"k": 2}], 3)
    for change in ("SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')", "SET TBLPROPERTIES ('delta.enableIcebergCompatV1' = 'true')",
                   "ADD COLUMN v VARIANT", "SET TBLPROPERTIES ('delta.columnMapping.mode' = 'none')"):
        assert refused(spark, f"ALTER TABLE altered {change}").startswith("DELTA_ICEBERG_COMPAT_VIOLATION")
    assert refused(spark, "ALTER TABLE altered DROP FEATURE columnMapping") == "DELTA_FEATURE_DROP_DEPENDENT_FEATURE"
