"""Table features that change what writers must do, through the client."""
import json

import pytest


def refused(spark, statement):
    with pytest.raises(Exception) as error:
        spark.sql(statement).collect()
    return error.value.getCondition()


def content(spark, name):
    return sorted((tuple(r) for r in spark.sql(f"SELECT * FROM {name}").collect()), key=repr)


def fields(spark, name):
    """{dotted name: (id, physical name)} as the log has them."""
    import glob
    path = spark.sql(f"DESCRIBE DETAIL {name}").first()["location"].removeprefix("file:")
    metadata = [json.loads(line)["metaData"] for file in sorted(glob.glob(f"{path}/_delta_log/*.json"))
                for line in open(file) if '"metaData"' in line][-1]

    def walk(schema, above=""):
        for f in schema["fields"]:
            m = f["metadata"]
            yield above + f["name"], (m.get("delta.columnMapping.id"), m.get("delta.columnMapping.physicalName"))
            if isinstance(f["type"], dict) and f["type"]["type"] == "struct":
                yield from walk(f["type"], above + f["name"] + ".")
    return dict(walk(json.loads(metadata["schemaString"]))), metadata["configuration"]


# ---- column mapping ----

@pytest.fixture(params=["name", "id"])
def mapped(spark, request):
    spark.sql("DROP TABLE IF EXISTS mapped")
    spark.sql(f"""CREATE TABLE mapped (id INT, `a b` STRING, s STRUCT<x: INT, `y;z`: STRING>, p INT) USING DELTA PARTITIONED BY (p)
              TBLPROPERTIES ('delta.columnMapping.mode' = '{request.param}')""")
    spark.sql("INSERT INTO mapped VALUES (1, 'x', struct(1, 'u'), 7), (2, 'y', struct(2, 'v'), 8)")
    return spark


def test_mapped_columns_are_renamed_dropped_and_added_again(mapped):
    before, properties = fields(mapped, "mapped")
    assert [i for i, _ in before.values()] == [1, 2, 3, 4, 5, 6] and properties["delta.columnMapping.maxColumnId"] == "6"
    assert len({n for _, n in before.values()}) == 6 and "id" not in {n for _, n in before.values()}
    mapped.sql("ALTER TABLE mapped RENAME COLUMN `a b` TO `c,d`")
    mapped.sql("ALTER TABLE mapped RENAME COLUMN s.x TO `x y`")
    mapped.sql("ALTER TABLE mapped RENAME COLUMN p TO q")
    mapped.sql("UPDATE mapped SET `c,d` = 'xx', s.`x y` = 11 WHERE id = 1 AND q = 7")
    mapped.sql("ALTER TABLE mapped DROP COLUMN s.`y;z`")
    mapped.sql("ALTER TABLE mapped DROP COLUMN `c,d`")
    mapped.sql("ALTER TABLE mapped ADD COLUMN `c,d` INT")
    mapped.sql("INSERT INTO mapped VALUES (3, struct(3), 7, 33)")
    mapped.sql("OPTIMIZE mapped")
    assert content(mapped, "mapped") == [(1, (11,), 7, None), (2, (2,), 8, None), (3, (3,), 7, 33)]
    after, properties = fields(mapped, "mapped")
    assert after["c,d"][0] == 7 and properties["delta.columnMapping.maxColumnId"] == "7"
    assert after["q"] == before["p"] and after["s.x y"] == before["s.x"]
    assert content(mapped, "mapped VERSION AS OF 1")[0] == (1, "x", (1, "u"), 7)
    mapped.sql("RESTORE TABLE mapped TO VERSION AS OF 1")
    assert content(mapped, "mapped") == [(1, "x", (1, "u"), 7), (2, "y", (2, "v"), 8)]
    assert fields(mapped, "mapped")[1]["delta.columnMapping.maxColumnId"] == "7"


def test_mapped_schema_evolves(mapped):
    mapped.sql("SELECT 5 AS id, 'n' AS `new one`, 9 AS p").write.format("delta").mode("append").option("mergeSchema", "true").saveAsTable("mapped")
    assert fields(mapped, "mapped")[0]["new one"][0] == 7
    assert (5, None, None, 9, "n") in content(mapped, "mapped")
    mapped.table("mapped").select("id", "p", "s").write.format("delta").mode("overwrite").option("overwriteSchema", "true").saveAsTable("mapped")
    assert content(mapped, "mapped")[0] == (1, 7, (1, "u"))
    now, properties = fields(mapped, "mapped")
    assert min(i for i, _ in now.values()) == 8 and properties["delta.columnMapping.maxColumnId"] == "12"


def test_mapping_refusals(mapped):
    mode = mapped.sql("SHOW TBLPROPERTIES mapped ('delta.columnMapping.mode')").first()["value"]
    other = "name" if mode == "id" else "id"
    assert refused(mapped, f"ALTER TABLE mapped SET TBLPROPERTIES ('delta.columnMapping.mode' = '{other}')") == "DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE"
    assert refused(mapped, "ALTER TABLE mapped SET TBLPROPERTIES ('delta.columnMapping.mode' = 'none')") == "DELTA_INVALID_COLUMN_NAMES_WHEN_REMOVING_COLUMN_MAPPING"
    assert refused(mapped, "ALTER TABLE mapped DROP COLUMN p") == "DELTA_UNSUPPORTED_DROP_PARTITION_COLUMN"
    mapped.sql("ALTER TABLE mapped ADD CONSTRAINT positive CHECK (s.x > 0)")
    for change in ("RENAME COLUMN s TO t", "RENAME COLUMN s.x TO z", "DROP COLUMN s"):
        assert refused(mapped, f"ALTER TABLE mapped {change}") == "DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE"
    mapped.sql("ALTER TABLE mapped RENAME COLUMN s.`y;z` TO k")
    mapped.sql("ALTER TABLE mapped DROP COLUMN s.k")
    assert refused(mapped, "ALTER TABLE mapped RENAME COLUMN id TO p") == "FIELD_ALREADY_EXISTS"


def test_a_table_becomes_mapped(spark):
    spark.sql("DROP TABLE IF EXISTS upgraded")
    spark.sql("CREATE TABLE upgraded (id INT, s STRUCT<x: INT>, k STRING GENERATED ALWAYS AS (concat('k', id))) USING DELTA")
    spark.sql("INSERT INTO upgraded (id, s) VALUES (1, struct(10))")
    assert refused(spark, "ALTER TABLE upgraded RENAME COLUMN s TO t") == "DELTA_UNSUPPORTED_RENAME_COLUMN"
    assert refused(spark, "ALTER TABLE upgraded ADD COLUMN `a b` INT") == "DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES"
    assert refused(spark, "ALTER TABLE upgraded SET TBLPROPERTIES ('delta.columnMapping.mode' = 'id')") == "DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE"
    spark.sql("ALTER TABLE upgraded SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
    assert fields(spark, "upgraded")[0] == {"id": (1, "id"), "s": (2, "s"), "s.x": (3, "x"), "k": (4, "k")}
    spark.sql("ALTER TABLE upgraded RENAME COLUMN s TO `t u`")
    spark.sql("ALTER TABLE upgraded ADD COLUMN s INT")
    spark.sql("INSERT INTO upgraded (id, `t u`, s) VALUES (2, struct(20), 5)")
    assert content(spark, "upgraded") == [(1, (10,), "k1", None), (2, (20,), "k2", 5)]
    assert refused(spark, "ALTER TABLE upgraded DROP COLUMN id") == "DELTA_GENERATED_COLUMNS_DEPENDENT_COLUMN_CHANGE"
    spark.sql("RESTORE TABLE upgraded TO VERSION AS OF 1")
    assert content(spark, "upgraded") == [(1, (10,), "k1")] and "delta.columnMapping.mode" not in fields(spark, "upgraded")[1]
    spark.sql("RESTORE TABLE upgraded TO VERSION AS OF 5")
    spark.sql("CREATE OR REPLACE TABLE upgraded_copy USING DELTA AS SELECT id, s FROM upgraded")
    assert set(fields(spark, "upgraded_copy")[0].values()) == {(None, None)}


# ---- identity columns ----

def numbers(spark, name="numbered"):
    return [r[0] for r in spark.sql(f"SELECT id FROM {name} ORDER BY id").collect()]


@pytest.fixture
def numbered(spark):
    spark.sql("DROP TABLE IF EXISTS numbered")
    spark.sql("CREATE TABLE numbered (id BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 10 INCREMENT BY 5), v STRING) USING DELTA")
    spark.sql("INSERT INTO numbered (v) VALUES ('a'), ('b')")
    return spark


def test_identity_numbers_go_on(numbered):
    assert content(numbered, "numbered") == [(10, "a"), (15, "b")]
    numbered.sql("SELECT 'c' AS v").write.format("delta").mode("append").saveAsTable("numbered")
    numbered.sql("""MERGE INTO numbered t USING (SELECT 'a' v UNION ALL SELECT 'x' UNION ALL SELECT 'y') s ON t.v = s.v
                 WHEN MATCHED THEN UPDATE SET v = 'aa' WHEN NOT MATCHED THEN INSERT (v) VALUES (s.v)""")
    assert numbers(numbered) == [10, 15, 20, 25, 30]
    numbered.sql("UPDATE numbered SET v = 'z' WHERE id > 20")
    numbered.sql("RESTORE TABLE numbered TO VERSION AS OF 1")
    numbered.sql("INSERT OVERWRITE numbered (v) SELECT 'only'")
    assert content(numbered, "numbered") == [(35, "only")]


def test_identity_refusals(numbered):
    explicit = "DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED"
    assert refused(numbered, "INSERT INTO numbered VALUES (1, 'x')") == explicit
    assert refused(numbered, "MERGE INTO numbered t USING (SELECT 1 id, 'x' v) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT *") == explicit
    for statement in ("UPDATE numbered SET id = 1",
                      "MERGE INTO numbered t USING (SELECT 10 id) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET id = 3"):
        assert refused(numbered, statement) == "DELTA_IDENTITY_COLUMNS_UPDATE_NOT_SUPPORTED"
    assert refused(numbered, "ALTER TABLE numbered ALTER COLUMN v SYNC IDENTITY") == "DELTA_IDENTITY_COLUMNS_ALTER_NON_IDENTITY_COLUMN"
    columns = "(id {} GENERATED ALWAYS AS IDENTITY, v STRING)"
    assert refused(numbered, f"CREATE TABLE bad {columns.format('INT')} USING DELTA") == "DELTA_IDENTITY_COLUMNS_UNSUPPORTED_DATA_TYPE"
    assert refused(numbered, f"CREATE TABLE bad {columns.format('BIGINT')} USING DELTA PARTITIONED BY (id)") == "DELTA_IDENTITY_COLUMNS_PARTITION_NOT_SUPPORTED"
    assert refused(numbered, f"CREATE TABLE bad {columns.format('BIGINT')} USING PARQUET") == "UNSUPPORTED_FEATURE.TABLE_OPERATION"


@pytest.mark.parametrize("start, step, given, next_one", [(1, 1, 7, 8), (10, 5, 12, 20), (10, 5, 3, 10), (0, -3, -4, -9), (0, -3, 4, 0)])
def test_identity_by_default_and_sync(spark, start, step, given, next_one):
    spark.sql("DROP TABLE IF EXISTS numbered")
    spark.sql(f"CREATE TABLE numbered (id BIGINT GENERATED BY DEFAULT AS IDENTITY (START WITH {start} INCREMENT BY {step}), v STRING) USING DELTA")
    spark.sql(f"INSERT INTO numbered VALUES ({given}, 'own')")
    spark.sql("ALTER TABLE numbered ALTER COLUMN id SYNC IDENTITY")
    spark.sql("INSERT INTO numbered (v) VALUES ('next')")
    assert content(spark, "numbered WHERE v = 'next'") == [(next_one, "next")]


def test_identity_numbers_are_given_once_under_concurrency(numbered):
    import threading
    errors = []

    def insert(n):
        session = numbered.newSession() if hasattr(numbered, "newSession") else numbered
        for i in range(5):
            try:
                session.sql(f"INSERT INTO numbered (v) VALUES ('{n}.{i}'), ('{n}:{i}')").collect()
            except Exception as error:
                errors.append(error)
    threads = [threading.Thread(target=insert, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(numbers(numbered)) == len(set(numbers(numbered))) == 42


def test_identity_by_the_builder(spark):
    from delta.tables import DeltaTable, IdentityGenerator
    spark.sql("DROP TABLE IF EXISTS built")
    (DeltaTable.create(spark).tableName("built").addColumn("id", "BIGINT", generatedAlwaysAs=IdentityGenerator(start=3, step=2))
     .addColumn("own", "BIGINT", generatedByDefaultAs=IdentityGenerator()).addColumn("v", "STRING").execute())
    spark.sql("INSERT INTO built (v) VALUES ('a'), ('b')")
    spark.sql("INSERT INTO built (own, v) VALUES (9, 'c')")
    assert content(spark, "built") == [(3, 1, "a"), (5, 2, "b"), (7, 9, "c")]


# ---- clustering ----

def clustered_by(spark, name):
    return spark.sql(f"DESCRIBE DETAIL {name}").first()["clusteringColumns"]


def last_parameters(spark, name):
    return spark.sql(f"DESCRIBE HISTORY {name} LIMIT 1").first()["operationParameters"]


def test_clustered_tables(spark):
    spark.sql("DROP TABLE IF EXISTS heap")
    spark.sql("CREATE TABLE heap (a INT, b STRING, c STRUCT<x: INT>) USING DELTA CLUSTER BY (a, c.x)")
    assert clustered_by(spark, "heap") == ["a", "c.x"]
    assert json.loads(last_parameters(spark, "heap")["clusterBy"]) == ["a", "c.x"]
    for i in (3, 1, 2):
        spark.sql(f"INSERT INTO heap VALUES ({i}, 'b{i}', struct({i}))")
    spark.sql("OPTIMIZE heap")
    assert last_parameters(spark, "heap")["clusterBy"] == '["a","c.x"]'
    assert [r[0] for r in spark.table("heap").collect()] == [1, 2, 3]
    spark.sql("ALTER TABLE heap CLUSTER BY (b)")
    assert clustered_by(spark, "heap") == ["b"]
    assert last_parameters(spark, "heap") == {"oldClusteringColumns": "a,c.x", "newClusteringColumns": "b"}
    assert refused(spark, "OPTIMIZE heap ZORDER BY (a)") == "DELTA_CLUSTERING_WITH_ZORDER_BY"
    assert refused(spark, "OPTIMIZE heap WHERE a = 1") == "DELTA_CLUSTERING_WITH_PARTITION_PREDICATE"
    assert refused(spark, "ALTER TABLE heap CLUSTER BY (c)") == "DELTA_CLUSTERING_COLUMNS_DATATYPE_NOT_SUPPORTED"
    assert refused(spark, "ALTER TABLE heap CLUSTER BY (nope)") == "DELTA_COLUMN_NOT_FOUND_IN_SCHEMA"
    assert refused(spark, "ALTER TABLE heap CLUSTER BY (a, a)") == "DELTA_DUPLICATE_COLUMNS_FOUND.CLUSTER_BY"
    spark.sql("ALTER TABLE heap SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
    assert refused(spark, "ALTER TABLE heap DROP COLUMN b") == "DELTA_UNSUPPORTED_DROP_CLUSTERING_COLUMN"
    spark.sql("ALTER TABLE heap RENAME COLUMN b TO bb")
    assert clustered_by(spark, "heap") == ["bb"]
    spark.sql("ALTER TABLE heap CLUSTER BY NONE")
    assert clustered_by(spark, "heap") == []
    assert refused(spark, "OPTIMIZE heap FULL") == "DELTA_OPTIMIZE_FULL_NOT_SUPPORTED"


def test_clustering_by_the_clients(spark):
    from delta.tables import DeltaTable
    for name in ("built", "saved", "heap"):
        spark.sql(f"DROP TABLE IF EXISTS {name}")
    DeltaTable.create(spark).tableName("built").addColumn("a", "INT").addColumn("b", "INT").clusterBy("b", "a").execute()
    assert clustered_by(spark, "built") == ["b", "a"]
    spark.range(3).write.format("delta").clusterBy("id").saveAsTable("saved")
    assert clustered_by(spark, "saved") == ["id"] and spark.table("saved").count() == 3
    spark.sql("CREATE OR REPLACE TABLE saved (id INT) USING DELTA")
    assert clustered_by(spark, "saved") == []
    spark.sql("CREATE TABLE heap (a INT, p STRING) USING DELTA PARTITIONED BY (p)")
    assert refused(spark, "ALTER TABLE heap CLUSTER BY (a)") == "DELTA_ALTER_TABLE_CLUSTER_BY_ON_PARTITIONED_TABLE_NOT_ALLOWED"
    for _ in range(2):
        spark.sql("INSERT INTO heap VALUES (1, 'x'), (2, 'y')")
    spark.sql("OPTIMIZE heap WHERE p = 'x'")
    assert last_parameters(spark, "heap")["predicate"] == """["('p = x)"]"""


def test_zorder_by_several_columns(spark):
    spark.sql("DROP TABLE IF EXISTS heap")
    spark.sql("CREATE TABLE heap USING DELTA AS SELECT CAST(id % 16 AS INT) a, CAST(id div 16 AS INT) b FROM range(256)")
    spark.sql("OPTIMIZE heap ZORDER BY (a, b)")
    assert last_parameters(spark, "heap")["zOrderBy"] == '["a","b"]'
    rows = [tuple(r) for r in spark.table("heap").collect()]
    assert sorted(rows) == sorted((i % 16, i // 16) for i in range(256))
    for quarter in range(4):  # a run of neighbours is narrow in both columns
        for column in range(2):
            values = [r[column] for r in rows[quarter * 64:quarter * 64 + 64]]
            assert max(values) - min(values) <= 8
