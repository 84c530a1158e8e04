"""Every way to enable a table feature leaves the protocol, the properties and the notes of columns that Spark leaves; and what is
dropped by the one is gone for the other."""
import glob
import json
import os
import re

import pytest
from engines import rows

PLACE = "LOCATION '{p}'"
DEFAULTS = "spark.databricks.delta.properties.defaults."
PROPERTIES = {
    "appendOnly": ("delta.appendOnly", "true"), "changeDataFeed": ("delta.enableChangeDataFeed", "true"),
    "columnMapping": ("delta.columnMapping.mode", "name"), "columnMapping by id": ("delta.columnMapping.mode", "id"),
    "deletionVectors": ("delta.enableDeletionVectors", "true"), "v2Checkpoint": ("delta.checkpointPolicy", "v2"),
    "rowTracking": ("delta.enableRowTracking", "true"), "typeWidening": ("delta.enableTypeWidening", "true"),
    "inCommitTimestamp": ("delta.enableInCommitTimestamps", "true"), "variantShredding": ("delta.enableVariantShredding", "true"),
    "icebergCompatV1": ("delta.enableIcebergCompatV1", "true"), "icebergCompatV2": ("delta.enableIcebergCompatV2", "true"),
    "materializePartitionColumns": ("delta.enableMaterializePartitionColumnsFeature", "true"),
}
NAMES = ["appendOnly", "invariants", "checkConstraints", "changeDataFeed", "generatedColumns", "columnMapping", "identityColumns", "deletionVectors",
         "timestampNtz", "domainMetadata", "v2Checkpoint", "rowTracking", "typeWidening", "typeWidening-preview", "inCommitTimestamp",
         "vacuumProtocolCheck", "variantType", "variantType-preview", "variantShredding", "variantShredding-preview", "allowColumnDefaults",
         "icebergCompatV1", "icebergCompatV2", "icebergCompatV3", "materializePartitionColumns", "checkpointProtection"]
COLUMNS = "(a INT, l ARRAY<STRUCT<q: INT>>, b STRING) USING delta"
OTHER = {
    "a constraint": ["CREATE TABLE {n} (a INT) USING delta {place}", "ALTER TABLE {n} ADD CONSTRAINT c CHECK (a > 0)"],
    "generated": ["CREATE TABLE {n} (a INT, g INT GENERATED ALWAYS AS (a + 1)) USING delta {place}"],
    "identity": ["CREATE TABLE {n} (a BIGINT GENERATED ALWAYS AS IDENTITY, b INT) USING delta {place}"],
    "timestamps": ["CREATE TABLE {n} (a TIMESTAMP_NTZ) USING delta {place}"],
    "variants": ["CREATE TABLE {n} (a INT) USING delta {place}", "ALTER TABLE {n} ADD COLUMN v VARIANT"],
    "clustered": ["CREATE TABLE {n} (a INT, b INT) USING delta CLUSTER BY (b) {place}"],
    "defaults": ["CREATE TABLE {n} (a INT DEFAULT 3) USING delta {place} TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')"],
    "widened": ["CREATE TABLE {n} (a INT) USING delta {place} TBLPROPERTIES ('delta.feature.typeWidening-preview' = 'supported')",
                "ALTER TABLE {n} SET TBLPROPERTIES ('delta.enableTypeWidening' = 'true')"],
    "all by version": ["CREATE TABLE {n} (a INT) USING delta {place} TBLPROPERTIES ('delta.minReaderVersion' = '2', 'delta.minWriterVersion' = '6')"],
    "some by version": ["CREATE TABLE {n} (a INT) USING delta {place}",
                        "ALTER TABLE {n} SET TBLPROPERTIES ('delta.minReaderVersion' = '1', 'delta.minWriterVersion' = '4')"],
    "versions beside names": ["CREATE TABLE {n} (a INT) USING delta {place} TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')",
                              "ALTER TABLE {n} SET TBLPROPERTIES ('delta.minReaderVersion' = '1', 'delta.minWriterVersion' = '4')"],
    "replaced": ["CREATE TABLE {n} (a INT) USING delta {place} TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')",
                 "CREATE OR REPLACE TABLE {n} (b INT) USING delta {place}"],
    "replaced, switched off": ["CREATE TABLE {n} (a INT) USING delta {place} TBLPROPERTIES ('delta.enableDeletionVectors' = 'true', 'delta.appendOnly' = 'false')",
                               "CREATE OR REPLACE TABLE {n} (b INT) USING delta {place} TBLPROPERTIES ('delta.enableDeletionVectors' = 'false')"],
    "replaced by a query": ["CREATE TABLE {n} (a INT) USING delta {place} TBLPROPERTIES ('delta.enableRowTracking' = 'true', 'delta.checkpointPolicy' = 'v2', "
                            "'delta.enableTypeWidening' = 'true', 'delta.enableInCommitTimestamps' = 'true')",
                            "CREATE OR REPLACE TABLE {n} USING delta {place} AS SELECT 1 b"],
    "replaced while mapped": ["CREATE TABLE {n} (a INT) USING delta {place} TBLPROPERTIES ('delta.columnMapping.mode' = 'name')",
                               "CREATE OR REPLACE TABLE {n} (a INT, t TIMESTAMP) USING delta {place} TBLPROPERTIES ('delta.columnMapping.mode' = 'name')"],
    "made anew": ["CREATE TABLE {n} (a INT) USING delta {place}",
                  "CREATE OR REPLACE TABLE {n} (b INT) USING delta {place} TBLPROPERTIES ('delta.columnMapping.mode' = 'name')"],
}


def cases():
    for name, (key, value) in PROPERTIES.items():
        pair = f"'{key}' = '{value}'"
        yield f"{name}: create", [f"CREATE TABLE {{n}} {COLUMNS} PARTITIONED BY (b) {{place}} TBLPROPERTIES ({pair})"]
        yield f"{name}: select", [f"CREATE TABLE {{n}} USING delta {{place}} TBLPROPERTIES ({pair}) AS SELECT 1 a, 'x' b"]
        if not name.startswith("iceberg") and name != "columnMapping by id":
            yield f"{name}: alter", [f"CREATE TABLE {{n}} {COLUMNS} {{place}}", f"ALTER TABLE {{n}} SET TBLPROPERTIES ({pair})"]
        yield f"{name}: session", [f"SET {DEFAULTS}{key[6:]} = {value}", f"CREATE TABLE {{n}} {COLUMNS} {{place}}", f"RESET {DEFAULTS}{key[6:]}"]
        if name != "icebergCompatV1":
            yield f"{name}: clone", [f"CREATE TABLE {{n}} {COLUMNS} {{place}} TBLPROPERTIES ({pair})",
                                     "CREATE TABLE delta.`{p}_copy` SHALLOW CLONE {n}"]
    for name in NAMES:
        ask = f"TBLPROPERTIES ('delta.feature.{name}' = 'supported')"
        yield f"{name}: named", [f"CREATE TABLE {{n}} (a INT) USING delta {{place}} {ask}"]
        yield f"{name}: named later", ["CREATE TABLE {n} (a INT) USING delta {place}", f"ALTER TABLE {{n}} SET {ask}"]
    yield from OTHER.items()


CASES = {name: statements for name, statements in cases() if not (name.startswith("icebergCompatV1") and any(COLUMNS in s for s in statements))}


def state(path):
    """What the last version's protocol and metadata say, names that are made up aside."""
    protocol, metadata = None, None
    for f in sorted(glob.glob(f"{path}/_delta_log/*.json")):
        for action in map(json.loads, open(f)) if os.path.basename(f)[:20].isdigit() and len(os.path.basename(f)) == 25 else ():
            protocol, metadata = action.get("protocol", protocol), action.get("metaData", metadata)
    features = {k: sorted(protocol[k]) for k in ("readerFeatures", "writerFeatures") if k in protocol}
    plain = json.dumps([metadata["configuration"], json.loads(metadata["schemaString"])], sort_keys=True)
    plain = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "<id>", re.sub(r'EnablementTimestamp": "\d+"', 'EnablementTimestamp": "<ms>"', plain))
    return protocol["minReaderVersion"], protocol["minWriterVersion"], features, plain


@pytest.fixture(scope="module")
def spark_states(spark, tmp_path_factory):
    """One question for all: each case's folder."""
    folder = tmp_path_factory.mktemp("enabled_by_spark")
    paths = {}
    for number, (name, statements) in enumerate(CASES.items()):
        paths[name] = f"{folder}/t{number}"
        spark.sql(*(s.format(n=f"enabled_{number}", p=paths[name], place=PLACE.format(p=paths[name])) for s in statements))
    return {name: [state(p) for p in (path, f"{path}_copy") if os.path.isdir(p)] for name, path in paths.items()}


@pytest.mark.parametrize("name", CASES)
def test_a_way_to_enable(name, lakeshed, spark_states, tmp_path):
    path, table = f"{tmp_path}/t", f"enabled_{list(CASES).index(name)}"
    lakeshed.sql(*(s.format(n=table, p=path, place=PLACE.format(p=path)) for s in CASES[name]))
    assert [state(p) for p in (path, f"{path}_copy") if os.path.isdir(p)] == spark_states[name]


DROPPED = {
    "deletionVectors": ("'delta.enableDeletionVectors' = 'true'", ["DELETE FROM {t} WHERE a = 2"]),
    "columnMapping": ("'delta.columnMapping.mode' = 'name'", ["ALTER TABLE {t} RENAME COLUMN b TO c"]),
    "typeWidening": ("'delta.enableTypeWidening' = 'true'", ["ALTER TABLE {t} ALTER COLUMN a TYPE BIGINT"]),
    "rowTracking": ("'delta.enableRowTracking' = 'true'", ["UPDATE {t} SET b = 'u' WHERE a = 1"]),
    "v2Checkpoint": ("'delta.checkpointPolicy' = 'v2'", []),
    "inCommitTimestamp": ("'delta.enableInCommitTimestamps' = 'true'", ["INSERT INTO {t} VALUES (7, 'z')"]),
}


@pytest.mark.parametrize("dropper", ["lakeshed", "spark"])
@pytest.mark.parametrize("feature", DROPPED)
def test_a_dropped_feature(feature, dropper, lakeshed, spark, tmp_path):
    properties, changes = DROPPED[feature]
    writers = {"lakeshed": lakeshed, "spark": spark}
    path = f"{tmp_path}/t"
    table = f"delta.`{path}`"
    other = "spark" if dropper == "lakeshed" else "lakeshed"
    writers[dropper].sql(f"CREATE TABLE {table} (a INT, b STRING) USING delta PARTITIONED BY (b) TBLPROPERTIES ({properties})",
                         f"INSERT INTO {table} VALUES (1, 'x'), (2, 'x'), (3, 'y')")
    writers[other].sql(*(c.format(t=table) for c in changes))
    before = rows(lakeshed.read(path))
    writers[dropper].sql(f"ALTER TABLE {table} DROP FEATURE {feature}")
    reader, writer, features, _ = state(path)
    assert feature not in features.get("writerFeatures", []) and reader == 1
    for engine in (lakeshed, spark):
        assert rows(engine.query(f"SELECT * FROM {table}")) == before
        assert rows(engine.query(f"SELECT * FROM {table} VERSION AS OF 1"))[0][0] == 1
    writers[other].sql(f"INSERT INTO {table} VALUES (9, 'n')", f"DELETE FROM {table} WHERE a = 1")
    after = sorted([r for r in before if r[0] != 1] + [(9, "n")], key=repr)
    assert rows(lakeshed.read(path)) == rows(spark.query(f"SELECT * FROM {table}")) == after


def test_compatible_files(lakeshed, spark, tmp_path):
    """Both write ids of elements, keys and values, and partition columns, so that rows of both are read by names and by ids."""
    path = f"{tmp_path}/t"
    table = f"delta.`{path}`"
    lakeshed.sql(f"CREATE TABLE {table} (a INT, l ARRAY<MAP<STRING, INT>>, p STRING) USING delta PARTITIONED BY (p) "
                 "TBLPROPERTIES ('delta.enableIcebergCompatV2' = 'true')",
                 f"INSERT INTO {table} VALUES (1, array(map('k', 1)), 'x')")
    spark.sql(f"INSERT INTO {table} VALUES (2, array(map('k', 2)), 'y')")
    spark.sql(f"ALTER TABLE {table} ADD COLUMN m MAP<INT, INT>")
    lakeshed.sql(f"INSERT INTO {table} VALUES (3, NULL, 'z', map(1, 2))")
    assert rows(lakeshed.read(path)) == rows(spark.query(f"SELECT * FROM {table}"))
    import pyarrow.parquet

    def ids(kind):
        for field in kind:
            yield (field.metadata or {}).get(b"PARQUET:field_id")
            if field.type.num_fields:
                yield from ids([field.type.field(i) for i in range(field.type.num_fields)])
    for f in glob.glob(f"{path}/**/*.parquet", recursive=True):
        if "_delta_log" not in f:
            schema = pyarrow.parquet.ParquetFile(f).schema_arrow
            assert len(schema) >= 3 and sum(i is not None for i in ids(schema)) >= 6
