"""Tables of plain files and views: partitions, ALTER, DESCRIBE, _metadata. What is spelled out here are Spark 4.2's own answers."""
import json

import duckdb
import pytest
from pyspark.errors import AnalysisException


def rows(spark, sql):
    return [tuple(r) for r in spark.sql(sql).collect()]


def facts(spark, sql):
    return {r[0]: r[1] for r in spark.sql(sql).collect()}


def refused(spark, sql):
    with pytest.raises(Exception) as e:
        spark.sql(sql).collect()
    return e.value.getCondition()


@pytest.fixture
def parted(spark):
    spark.sql("CREATE TABLE parted (a STRING, c STRING, b INT, d INT) USING parquet PARTITIONED BY (c, d)")
    yield spark
    spark.sql("DROP TABLE parted")


def test_partitions_are_named_exactly(parted):
    spark = parted
    assert [f.name for f in spark.table("parted").schema] == ["a", "b", "c", "d"]
    assert refused(spark, "ALTER TABLE parted ADD PARTITION (c='x')") == "_LEGACY_ERROR_TEMP_1232"
    assert refused(spark, "ALTER TABLE parted ADD PARTITION (c='x', e=1)") == "PARTITIONS_NOT_FOUND"
    spark.sql("ALTER TABLE parted ADD PARTITION (c='x', d='01')")
    assert refused(spark, "ALTER TABLE parted ADD PARTITION (c='x', d=1)") == "PARTITIONS_ALREADY_EXIST"
    spark.sql("ALTER TABLE parted ADD IF NOT EXISTS PARTITION (c='x', d=1)")
    spark.sql("ALTER TABLE parted PARTITION (c='x', d=1) RENAME TO PARTITION (c='y', d=2)")
    spark.sql("ALTER TABLE parted ADD PARTITION (c='x', d=null)")
    assert rows(spark, "SHOW PARTITIONS parted") == [("c=x/d=__HIVE_DEFAULT_PARTITION__",), ("c=y/d=2",)]
    assert rows(spark, "SHOW PARTITIONS parted PARTITION (c='y')") == [("c=y/d=2",)]
    assert refused(spark, "ALTER TABLE parted DROP PARTITION (c='y', d=1)") == "PARTITIONS_NOT_FOUND"


def test_inserts_make_and_replace_partitions(parted):
    spark = parted
    spark.sql("INSERT INTO parted PARTITION (c='q', d) SELECT 'a', 1, 5")
    spark.sql("INSERT INTO parted PARTITION (c='q', d=6) SELECT 'a', 1")
    spark.sql("INSERT OVERWRITE parted PARTITION (c='q', d=6) SELECT 'b', 2")
    assert rows(spark, "SELECT * FROM parted ORDER BY d") == [("a", 1, "q", 5), ("b", 2, "q", 6)]
    assert refused(spark, "INSERT INTO parted PARTITION (zz=1) SELECT 'a', 1, 'q', 5") == "NON_PARTITION_COLUMN"
    spark.conf.set("spark.sql.sources.partitionOverwriteMode", "dynamic")
    spark.sql("INSERT OVERWRITE parted VALUES ('new', 3, 'q', 6)")
    assert rows(spark, "SELECT * FROM parted ORDER BY d") == [("a", 1, "q", 5), ("new", 3, "q", 6)]
    spark.conf.set("spark.sql.sources.partitionOverwriteMode", "static")
    spark.sql("TRUNCATE TABLE parted PARTITION (c='q', d=5)")
    assert rows(spark, "SELECT d FROM parted") == [(6,)]
    spark.sql("INSERT OVERWRITE parted VALUES ('all', 4, 'r', 7)")
    assert rows(spark, "SELECT * FROM parted") == [("all", 4, "r", 7)]
    assert rows(spark, "SHOW PARTITIONS parted") == [("c=r/d=7",)]


def test_folders_count_once_they_are_partitions(spark, tmp_path):
    spark.sql("SELECT 1 a, 'x' p").write.partitionBy("p").parquet(str(tmp_path / "t"))
    spark.sql(f"CREATE TABLE found (a INT, p STRING) USING parquet PARTITIONED BY (p) LOCATION '{tmp_path / 't'}'")
    assert rows(spark, "SELECT * FROM found") == []
    spark.sql("MSCK REPAIR TABLE found")
    assert rows(spark, "SELECT * FROM found") == [(1, "x")]
    spark.sql("SELECT 2 a").write.parquet(str(tmp_path / "elsewhere"))
    spark.sql(f"ALTER TABLE found ADD PARTITION (p='y') LOCATION '{tmp_path / 'elsewhere'}'")
    assert rows(spark, "SELECT * FROM found ORDER BY a") == [(1, "x"), (2, "y")]
    assert refused(spark, "TRUNCATE TABLE found") == "CANNOT_TRUNCATE_EXTERNAL_TABLE"
    spark.sql("DROP TABLE found")
    assert (tmp_path / "elsewhere").exists()


def test_what_may_be_altered(spark):
    spark.sql("CREATE TABLE plain (a INT, s STRUCT<x: INT>, c STRING) USING json PARTITIONED BY (c)")
    spark.sql("ALTER TABLE plain ADD COLUMN d INT")
    assert [f.name for f in spark.table("plain").schema] == ["a", "s", "d", "c"]
    assert refused(spark, "ALTER TABLE plain ADD COLUMN A INT") == "COLUMN_ALREADY_EXISTS"
    assert refused(spark, "ALTER TABLE plain ADD COLUMN e INT NOT NULL") == "_LEGACY_ERROR_TEMP_1052"
    assert refused(spark, "ALTER TABLE plain ALTER COLUMN a TYPE BIGINT") == "NOT_SUPPORTED_CHANGE_COLUMN"
    assert refused(spark, "ALTER TABLE plain ALTER COLUMN c COMMENT 'x'") == "CANNOT_ALTER_PARTITION_COLUMN"
    assert refused(spark, "ALTER TABLE plain ALTER COLUMN zz COMMENT 'x'") == "UNRESOLVED_COLUMN.WITH_SUGGESTION"
    for change in ("DROP COLUMN a", "RENAME COLUMN a TO z", "REPLACE COLUMNS (a INT)", "ALTER COLUMN a FIRST", "ADD COLUMN s.y INT"):
        assert refused(spark, f"ALTER TABLE plain {change}") == "UNSUPPORTED_FEATURE.TABLE_OPERATION"
    spark.sql("ALTER TABLE plain ALTER COLUMN a COMMENT 'first'")
    spark.sql("ALTER TABLE plain SET SERDEPROPERTIES ('x' = 'y')")
    (text,) = rows(spark, "SHOW CREATE TABLE plain")[0]
    assert text == ("CREATE TABLE spark_catalog.default.plain (\n  a INT COMMENT 'first',\n  s STRUCT<x: INT>,\n  d INT,\n"
                    "  c STRING COLLATE UTF8_BINARY)\nUSING json\nOPTIONS (\n  'x' = 'y')\nPARTITIONED BY (c)\n")
    spark.sql("DROP TABLE plain")


def test_describing_a_table_and_its_statistics(spark):
    spark.sql("CREATE TABLE told (a INT DEFAULT 3 COMMENT 'ca', b STRING) USING parquet OPTIONS (password 'p') "
              "CLUSTERED BY (a) SORTED BY (b) INTO 2 BUCKETS COMMENT 'tc' TBLPROPERTIES (x = 'y')")
    spark.sql("INSERT INTO told VALUES (1, 'a'), (2, 'bcd')")
    spark.sql("ANALYZE TABLE told COMPUTE STATISTICS FOR COLUMNS a, b")
    got = facts(spark, "DESC EXTENDED told")
    assert (got["Catalog"], got["Database"], got["Table"], got["Type"], got["Provider"]) == (
        "spark_catalog", "default", "told", "MANAGED", "parquet")
    assert (got["Num Buckets"], got["Bucket Columns"], got["Sort Columns"]) == ("2", "[`a`]", "[`b`]")
    assert got["Storage Properties"] == "[password=*********(redacted)]" and got["Table Properties"] == "[x=y]"
    assert got["Statistics"].endswith(" bytes, 2 rows")
    assert facts(spark, "DESC EXTENDED told b") == {
        "col_name": "b", "data_type": "string", "comment": "NULL", "min": "NULL", "max": "NULL", "num_nulls": "0",
        "distinct_count": "2", "avg_col_len": "2", "max_col_len": "3", "histogram": "NULL"}
    assert facts(spark, "DESC EXTENDED told a")["max"] == "2"
    spark.sql("INSERT INTO told VALUES (3, 'c')")
    assert "Statistics" not in facts(spark, "DESC EXTENDED told")
    found = json.loads(rows(spark, "DESC EXTENDED told AS JSON")[0][0])
    assert found["columns"] == [{"name": "a", "type": {"name": "int"}, "nullable": True, "comment": "ca", "default": "3"},
                                {"name": "b", "type": {"name": "string", "collation": "UTF8_BINARY"}, "nullable": True}]
    assert (found["num_buckets"], found["bucket_columns"], found["collation"]) == (2, ["a"], "UTF8_BINARY")
    spark.sql("CREATE TABLE alike LIKE told")
    assert rows(spark, "SHOW CREATE TABLE alike")[0][0].endswith("CLUSTERED BY (a)\nSORTED BY (b)\nINTO 2 BUCKETS\nCOMMENT 'tc'\n")
    spark.sql("DROP TABLE alike")
    spark.sql("DROP TABLE told")


def test_char_and_varchar_keep_their_lengths(spark):
    spark.sql("CREATE TABLE texts (c CHAR(3), v VARCHAR(2)) USING parquet")
    assert refused(spark, "INSERT INTO texts VALUES ('abcd', 'x')") == "EXCEED_LIMIT_LENGTH"
    assert refused(spark, "INSERT INTO texts VALUES ('a', 'xyz')") == "EXCEED_LIMIT_LENGTH"
    spark.sql("INSERT INTO texts VALUES ('a', 'x')")
    assert rows(spark, "SELECT c, v FROM texts") == [("a  ", "x")]
    assert rows(spark, "DESC texts")[:2] == [("c", "char(3)", None), ("v", "varchar(2)", None)]
    assert rows(spark, "DESC QUERY SELECT c FROM texts") == [("c", "string", None)]
    spark.sql("DROP TABLE texts")


def test_views_follow_their_tables_by_mode(spark):
    def table(columns):
        spark.sql("DROP TABLE IF EXISTS base")
        spark.sql(f"CREATE TABLE base ({columns}) USING parquet")

    def shape(view):
        return spark.table(view).schema.simpleString()

    table("c1 INT, c2 INT")
    for mode in ("BINDING", "COMPENSATION", "TYPE EVOLUTION", "EVOLUTION"):
        spark.sql(f"CREATE VIEW v_{mode.replace(' ', '_')} WITH SCHEMA {mode} AS SELECT * FROM base")
    spark.sql("CREATE VIEW v_named (a1, a2) WITH SCHEMA EVOLUTION AS SELECT * FROM base")
    assert facts(spark, "DESC EXTENDED v_named")["View Schema Mode"] == "TYPE EVOLUTION"
    table("c2 STRING, c1 BIGINT, c3 DATE")
    assert refused(spark, "SELECT * FROM v_BINDING") == "CANNOT_UP_CAST_DATATYPE"
    assert shape("v_COMPENSATION") == "struct<c1:int,c2:int>"
    assert shape("v_TYPE_EVOLUTION") == "struct<c1:bigint,c2:string>"
    assert shape("v_EVOLUTION") == "struct<c2:string,c1:bigint,c3:date>"
    assert shape("v_named") == "struct<a1:bigint,a2:string>"
    table("c1 INT")
    assert refused(spark, "SELECT * FROM v_COMPENSATION") == "INCOMPATIBLE_VIEW_SCHEMA_CHANGE"
    assert shape("v_EVOLUTION") == "struct<c1:int>"
    assert "WITH SCHEMA EVOLUTION\nAS SELECT" in rows(spark, "SHOW CREATE TABLE v_EVOLUTION")[0][0]
    spark.sql("ALTER VIEW v_EVOLUTION WITH SCHEMA BINDING")
    assert facts(spark, "DESC EXTENDED v_EVOLUTION")["View Schema Mode"] == "BINDING"
    for view in ("v_BINDING", "v_COMPENSATION", "v_TYPE_EVOLUTION", "v_EVOLUTION", "v_named"):
        spark.sql(f"DROP VIEW {view}")
    spark.sql("DROP TABLE base")


def test_rows_tell_which_file_they_are_from(spark, tmp_path):
    path = str(tmp_path / "files")
    spark.range(3).coalesce(1).write.parquet(path)
    df = spark.read.parquet(path)
    got = df.select("id", "_metadata.row_index", "_metadata.file_name", "_metadata.file_size", "_metadata.file_block_start").collect()
    (file,) = [p for p in (tmp_path / "files").iterdir() if p.name.startswith("part-")]
    assert [tuple(r) for r in got] == [(i, i, file.name, file.stat().st_size, 0) for i in range(3)]
    assert df.select("*").columns == ["id"] and df.where("_metadata.row_index = 1").columns == ["id"]
    assert rows(spark, f"SELECT t._metadata.file_path FROM parquet.`{path}` t LIMIT 1") == [(f"file:{file}",)]
    with pytest.raises(AnalysisException, match="No such struct field `nope`"):
        df.select("_metadata.nope").collect()
    own = spark.sql("SELECT 7 AS _metadata")
    own.write.parquet(str(tmp_path / "own"))
    assert spark.read.parquet(str(tmp_path / "own")).select("_metadata").collect()[0][0] == 7


def test_bucketed_writes_and_inserts_into_tables_of_files(spark):
    spark.range(4).selectExpr("id", "cast(id % 2 AS STRING) p").write.format("parquet").bucketBy(2, "id").sortBy("id").saveAsTable("buckets")
    assert facts(spark, "DESC EXTENDED buckets")["Num Buckets"] == "2"
    spark.range(1).selectExpr("id + 9 AS id", "'z' AS p").write.insertInto("buckets")
    spark.range(1).selectExpr("'y' AS p", "id + 8 AS id").write.mode("append").format("parquet").saveAsTable("buckets")
    assert rows(spark, "SELECT * FROM buckets WHERE id > 3 ORDER BY id") == [(8, "y"), (9, "z")]
    spark.sql("DROP TABLE buckets")
    with pytest.raises(Exception) as e:
        spark.range(1).write.format("parquet").sortBy("id").saveAsTable("never")
    assert e.value.getCondition() == "SORT_BY_WITHOUT_BUCKETING"


def test_partitions_are_listed(spark):
    spark.sql("CREATE TABLE listed (a INT, b STRING, c INT) USING parquet PARTITIONED BY (b, c)")
    spark.sql("INSERT INTO listed VALUES (1, 'x', 2), (3, 'y/z', 4), (5, NULL, 6)")
    names = ["b=__HIVE_DEFAULT_PARTITION__/c=6", "b=x/c=2", "b=y%2Fz/c=4"]
    assert [p.partition for p in spark.catalog.listPartitions("listed")] == names
    assert [r[0] for r in spark.sql("SHOW PARTITIONS listed").collect()] == names
    spark.sql("DROP TABLE listed")
    spark.sql("CREATE TABLE listed (a INT) USING parquet")
    with pytest.raises(AnalysisException) as e:
        spark.catalog.listPartitions("listed")
    assert e.value.getCondition() == "INVALID_PARTITION_OPERATION.PARTITION_SCHEMA_IS_EMPTY"
    spark.sql("DROP TABLE listed")


def test_binary_values_are_found_in_files_with_bloom_filters(server, tmp_path):
    """DuckDB 1.5.5 looks for a BLOB's displayed text in them, and its own files have them."""
    spark = server.session()
    path = tmp_path / "keys"
    path.mkdir()
    duckdb.sql(f"COPY (SELECT i, unhex(right('0000000' || to_hex(i % 5 + 200), 8)) AS k FROM range(1000) t(i)) TO '{path}/a.parquet'")
    spark.sql(f"CREATE TABLE bloom_keys USING delta AS SELECT * FROM parquet.`{path}`")
    spark.sql(f"CONVERT TO DELTA parquet.`{path}`")
    for table in f"parquet.`{path}`", f"delta.`{path}`", "bloom_keys":
        assert spark.sql(f"SELECT count(*) FROM {table} WHERE k = X'000000C9'").collect()[0][0] == 200, table
        assert spark.sql(f"SELECT count(*) FROM {table} t JOIN (SELECT X'000000C9' AS k) s ON t.k = s.k").collect()[0][0] == 200, table
        assert spark.sql(f"SELECT count(*) FROM {table} WHERE k IN (X'000000C9', X'01')").collect()[0][0] == 200, table
    written = spark.table("bloom_keys").select("_metadata.file_path").first()[0].removeprefix("file:")
    assert duckdb.sql(f"SELECT count(*) FROM read_parquet('/{written.lstrip('/')}') "
                      "WHERE k = '\\x00\\x00\\x00\\xC9'::BLOB").fetchone()[0] == 200
    spark.stop()
