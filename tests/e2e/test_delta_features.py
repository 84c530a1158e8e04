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
    spark.sql("CREATE OR REPLACE TABLE upgraded_copy USING DELTA AS SELECT id, s FROM upgraded")
    assert set(fields(spark, "upgraded_copy")[0].values()) == {(None, None)}
