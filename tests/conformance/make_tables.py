#!/usr/bin/env python3
"""Makes data/delta-tables.tar.zst: Delta tables written by a real Spark and by delta-rs, and what Spark reads in them.

  make_tables.py --remote sc://host:port      a real Spark with Delta, on this machine

Every version of every table becomes a case `own/TABLE@VERSION` of data/delta_expected.json; the other cases stay.
The tables are small and ours; a new table is one function with @table below.
"""
import argparse
import io
import json
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

import delta_corpus
import runner

TABLES = {}


def table(build):
    TABLES[build.__name__] = build
    return build


class Writer:
    """One table under construction: SQL in which {t} is the table."""

    def __init__(self, spark, path):
        self.spark, self.path, self.log = spark, path, path / "_delta_log"

    def sql(self, *statements):
        for statement in statements:
            self.spark.sql(statement.replace("{t}", f"delta.`{self.path}`")).collect()

    def commit(self, version):
        return self.log / f"{version:020}.json"

    def append(self, start, count):
        self.sql(f"INSERT INTO {{t}} SELECT id, concat('v', id) FROM range({start}, {start + count})")


def two_columns(w, *properties, clauses=""):
    listed = ", ".join(f"'{key}' = '{value}'" for key, value in (item.split("=", 1) for item in properties))
    w.sql("CREATE TABLE {t} (id BIGINT, v STRING) USING delta " + clauses + (f" TBLPROPERTIES ({listed})" if listed else ""))


@table
def every_type(w):
    w.sql("""CREATE TABLE {t} (b BOOLEAN, i8 TINYINT, i16 SMALLINT, i32 INT, i64 BIGINT, f FLOAT, d DOUBLE, n5 DECIMAL(5,2),
             n18 DECIMAL(18,6), n38 DECIMAL(38,10), s STRING, x BINARY, dt DATE, ts TIMESTAMP, a ARRAY<INT>,
             aa ARRAY<ARRAY<STRING>>, m MAP<STRING, DECIMAL(10,3)>, st STRUCT<p: INT, q: STRUCT<r: STRING, t: TIMESTAMP>>) USING delta""",
          """INSERT INTO {t} VALUES
             (true, 127Y, 32767S, 2147483647, 9223372036854775807L, 1.5F, -2.5D, 999.99, 123456789012.345678,
              1234567890123456789012345678.0123456789, 'grüße 東京 \U0001F600', X'00FF10', DATE'9999-12-31', TIMESTAMP'2024-03-10 02:30:00 UTC',
              array(1, NULL, 3), array(array('a', NULL), array(), NULL), map('k', 1.5, 'l', NULL), named_struct('p', 1, 'q', named_struct('r', 'x', 't', TIMESTAMP'1969-12-31 23:59:59.999999 UTC'))),
             (false, -128Y, -32768S, -2147483648, -9223372036854775808L, CAST('NaN' AS FLOAT), CAST('-Infinity' AS DOUBLE), -999.99, 0, -0.0000000001,
              '', X'', DATE'0001-01-01', TIMESTAMP'1582-10-15 00:00:00 UTC', array(), array(), map(), named_struct('p', NULL, 'q', NULL)),
             (NULL, NULL, NULL, NULL, NULL, NULL, -0.0D, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)""")


@table
def timestamp_without_zone(w):
    w.sql("CREATE TABLE {t} (id INT, ts TIMESTAMP_NTZ, p TIMESTAMP_NTZ) USING delta PARTITIONED BY (p)",
          "INSERT INTO {t} VALUES (1, TIMESTAMP_NTZ'2024-02-29 23:59:59.123456', TIMESTAMP_NTZ'2021-11-18 02:30:00.5'), (2, NULL, NULL)")


@table
def partition_values(w):
    w.sql("CREATE TABLE {t} (id INT, s STRING, d DATE, b BOOLEAN, n DECIMAL(6,2), ts TIMESTAMP) USING delta PARTITIONED BY (s, d, b, n, ts)",
          """INSERT INTO {t} VALUES (1, 'a b', DATE'2024-01-01', true, 1.50, TIMESTAMP'2024-01-01 10:00:00 UTC'),
             (2, 'x/y=z%', NULL, false, -0.01, NULL), (3, 'ünï', DATE'1969-12-31', NULL, NULL, TIMESTAMP'1970-01-01 00:00:00.000001 UTC'),
             (4, NULL, NULL, NULL, NULL, NULL), (5, ':{}#"', DATE'2024-01-01', true, 1.5, TIMESTAMP'2024-07-01 10:00:00 UTC')""")


@table
def never_written(w):
    two_columns(w)


@table
def deletion_vectors(w):
    two_columns(w, "delta.enableDeletionVectors=true")
    w.append(0, 500)
    w.append(500, 500)
    w.sql("DELETE FROM {t} WHERE id % 7 = 0", "UPDATE {t} SET v = 'changed' WHERE id % 11 = 3", "DELETE FROM {t} WHERE id >= 500")


@table
def column_mapping_name(w):
    two_columns(w, "delta.columnMapping.mode=name")
    w.append(0, 3)
    w.sql("ALTER TABLE {t} RENAME COLUMN v TO `a b,c`", "ALTER TABLE {t} ADD COLUMN (w INT)",
          "INSERT INTO {t} VALUES (10, 'ten', 10)", "ALTER TABLE {t} DROP COLUMN `a b,c`", "ALTER TABLE {t} ADD COLUMN (v STRING)",
          "INSERT INTO {t} VALUES (11, 11, 'eleven')")


@table
def column_mapping_id(w):
    w.sql("CREATE TABLE {t} (id INT, s STRUCT<a: INT, b: STRING>, p STRING) USING delta PARTITIONED BY (p) TBLPROPERTIES ('delta.columnMapping.mode' = 'id')",
          "INSERT INTO {t} VALUES (1, named_struct('a', 1, 'b', 'x'), 'one')", "ALTER TABLE {t} RENAME COLUMN s.a TO aa",
          "ALTER TABLE {t} RENAME COLUMN p TO part", "INSERT INTO {t} VALUES (2, named_struct('aa', 2, 'b', NULL), NULL)")


@table
def change_feed_and_merge(w):
    two_columns(w, "delta.enableChangeDataFeed=true")
    w.append(0, 10)
    w.sql("""MERGE INTO {t} t USING (SELECT id, 'new' AS v FROM range(5, 15)) s ON t.id = s.id
             WHEN MATCHED AND s.id = 5 THEN DELETE WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *
             WHEN NOT MATCHED BY SOURCE AND t.id = 0 THEN UPDATE SET v = 'left'""")


@table
def checkpoints_classic(w):
    two_columns(w, "delta.checkpointInterval=3")
    for start in range(0, 80, 10):
        w.append(start, 10)


@table
def checkpoints_only(w):
    checkpoints_classic(w)
    for version in range(6):
        w.commit(version).unlink()


@table
def checkpoint_pointer_lost(w):
    checkpoints_classic(w)
    (w.log / "_last_checkpoint").write_text("{ torn")


@table
def checkpoints_in_parts(w):
    w.spark.conf.set("spark.databricks.delta.checkpoint.partSize", "4")
    try:
        checkpoints_classic(w)
    finally:
        w.spark.conf.unset("spark.databricks.delta.checkpoint.partSize")


@table
def checkpoints_v2(w):
    two_columns(w, "delta.checkpointInterval=3", "delta.checkpointPolicy=v2", "delta.enableDeletionVectors=true")
    for start in range(0, 50, 10):
        w.append(start, 10)
    w.sql("DELETE FROM {t} WHERE id IN (1, 42)", "ALTER TABLE {t} SET TBLPROPERTIES ('x' = 'y')")


@table
def type_widening(w):
    w.sql("CREATE TABLE {t} (a TINYINT, b INT, c FLOAT, d DECIMAL(5,2)) USING delta TBLPROPERTIES ('delta.enableTypeWidening' = 'true')",
          "INSERT INTO {t} VALUES (1, 2, 3.5, 4.25)", "ALTER TABLE {t} ALTER COLUMN a TYPE INT", "ALTER TABLE {t} ALTER COLUMN b TYPE BIGINT",
          "ALTER TABLE {t} ALTER COLUMN c TYPE DOUBLE", "ALTER TABLE {t} ALTER COLUMN d TYPE DECIMAL(10,4)",
          "INSERT INTO {t} VALUES (1000, 5000000000, 0.1, 99999.1234)")


@table
def rules_on_columns(w):
    from delta.tables import DeltaTable, IdentityGenerator
    (DeltaTable.create(w.spark).location(str(w.path))
     .addColumn("k", "BIGINT", generatedAlwaysAs=IdentityGenerator(start=100, step=10)).addColumn("ts", "TIMESTAMP")
     .addColumn("day", "DATE", generatedAlwaysAs="CAST(ts AS DATE)").addColumn("n", "INT", nullable=False)
     .partitionedBy("day").execute())
    w.sql("ALTER TABLE {t} ADD CONSTRAINT positive CHECK (n > 0)", "INSERT INTO {t} (ts, n) VALUES (TIMESTAMP'2024-05-05 12:00:00', 1), (NULL, 2)",
          "ALTER TABLE {t} SET TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')", "ALTER TABLE {t} ALTER COLUMN n SET DEFAULT 7",
          "INSERT INTO {t} (ts) VALUES (TIMESTAMP'2024-05-06 12:00:00')")


@table
def row_tracking_and_clustering(w):
    two_columns(w, "delta.enableRowTracking=true", "delta.enableInCommitTimestamps=true", clauses="CLUSTER BY (id)")
    w.append(0, 100)
    w.append(100, 100)
    w.sql("OPTIMIZE {t}", "UPDATE {t} SET v = NULL WHERE id = 5", "RESTORE TABLE {t} TO VERSION AS OF 1")


@table
def schema_evolution(w):
    w.spark.range(3).write.format("delta").save(str(w.path))
    w.spark.sql("SELECT 7L AS id, 'x' AS extra").write.format("delta").mode("append").option("mergeSchema", "true").save(str(w.path))
    w.spark.sql("SELECT 'only' AS id").write.format("delta").mode("overwrite").option("overwriteSchema", "true").save(str(w.path))


@table
def variant_column(w):
    w.sql("CREATE TABLE {t} (id INT, v VARIANT) USING delta", "INSERT INTO {t} SELECT 1, parse_json('{\"a\": [1, 2.5, null, \"x\"]}')")


@table
def by_delta_rs(w):
    import pyarrow as pa
    from deltalake import DeltaTable, write_deltalake
    schema = pa.schema([("id", pa.int64()), ("p", pa.string()), ("ts", pa.timestamp("us", "UTC")), ("l", pa.list_(pa.int32()))])
    rows = [{"id": n, "p": None if n % 5 == 0 else f"p {n % 3}", "ts": n * 1_000_001, "l": [n, None]} for n in range(20)]
    write_deltalake(w.path, pa.Table.from_pylist(rows, schema), partition_by=["p"])
    write_deltalake(w.path, pa.Table.from_pylist(rows[:4], schema), mode="append")
    lake = DeltaTable(w.path)
    lake.delete("id > 15")
    lake.create_checkpoint()
    lake.update(updates={"p": "'moved'"}, predicate="id = 3")


@table
def broken_gap_in_log(w):
    two_columns(w)
    for start in (0, 10, 20):
        w.append(start, 10)
    w.commit(2).unlink()


@table
def broken_reader_feature(w):
    two_columns(w)
    protocol = {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["fromTheFuture"], "writerFeatures": ["fromTheFuture"]}}
    w.commit(1).write_text(json.dumps(protocol) + "\n")


@table
def broken_protocol_version(w):
    two_columns(w)
    w.commit(1).write_text(json.dumps({"protocol": {"minReaderVersion": 99, "minWriterVersion": 99, "readerFeatures": [], "writerFeatures": []}}) + "\n")


@table
def broken_torn_commit(w):
    two_columns(w)
    w.append(0, 10)
    text = w.commit(1).read_text()
    w.commit(1).write_text(text[:len(text) * 2 // 3])


@table
def broken_without_metadata(w):
    two_columns(w)
    lines = [line for line in w.commit(0).read_text().splitlines() if '"metaData"' not in line]
    w.commit(0).write_text("\n".join(lines) + "\n")


@table
def broken_lost_file(w):
    two_columns(w)
    w.append(0, 10)
    next(w.path.glob("*.parquet")).unlink()


def expected_of(remote, path):
    """What Spark answers for the latest and for every version whose commit is there, in a session that has cached nothing."""
    spark = delta_corpus.open_worker(argparse.Namespace(remote=remote))
    versions = sorted(int(file.stem) for file in (path / "_delta_log").glob("*.json") if len(file.stem) == 20)
    found = {}
    for version in [None, *versions[:-1]]:
        try:
            answer = delta_corpus.read(spark, str(path), version)
        except Exception as error:
            answer = {"refused": error.getCondition() or type(error).__name__}
        found["latest" if version is None else version] = answer
    spark.stop()
    return found


def pack(folder, archive):
    """The same bytes for the same files: sorted, without times and owners."""
    import zstandard

    def plain(info):
        info.uid = info.gid = info.mtime = 0
        info.uname = info.gname = ""
        info.mode = 0o755 if info.isdir() else 0o644
        return info

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in sorted(folder.rglob("*")):
            tar.add(path, path.relative_to(folder), recursive=False, filter=plain)
    archive.write_bytes(zstandard.ZstdCompressor(level=19).compress(buffer.getvalue()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--remote", required=True)
    options = parser.parse_args()
    made, read = Path(tempfile.mkdtemp(prefix="make-")), Path(tempfile.mkdtemp(prefix="read-"))
    for folder in (made, read):
        folder.chmod(0o755)
    expected = {name: want for name, want in json.loads(delta_corpus.EXPECTED.read_text()).items() if not name.startswith("own/")}
    for name, build in TABLES.items():
        path = made / "own" / name
        spark = runner.new_session(options.remote, session__timeZone="UTC")
        build(Writer(spark, path))
        spark.stop()
        for checksum in list(path.rglob(".*.crc")):  # Hadoop's own, and wrong where a file was broken on purpose
            checksum.unlink()
        shutil.copytree(path, read / name)  # under another name: Spark remembers the snapshot that it wrote
        answers = expected_of(options.remote, read / name)
        print(f"{name}: " + ", ".join(f"{version} {answer.get('rows', answer.get('refused'))}" for version, answer in answers.items()), flush=True)
        expected.update({f"own/{name}@{version}": answer for version, answer in answers.items()})
    delta_corpus.write_expected(expected)
    pack(made, delta_corpus.OWN_TABLES)
    shutil.rmtree(made)
    shutil.rmtree(read)
    print(f"{delta_corpus.OWN_TABLES.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
