"""Records what a real client sends: every ExecutePlanRequest of the statements below, as bytes, one file each.

    record_plans.py OUT_FOLDER REMOTE    with pyspark-client and delta-spark installed; any server answers for schemas
"""
import pathlib
import sys
import uuid

from delta.tables import DeltaTable, IdentityGenerator
from pyspark.sql import Observation, SparkSession, Window
from pyspark.sql import functions as F
import pyspark.errors.utils
import pyspark.sql.connect.proto as pb
from pyspark.sql.connect.client import SparkConnectClient

SESSION = "00112233-4455-6677-8899-aabbccddeeff"


class Recorded(Exception):
    pass


last = None


def stop(self, request, *args, **kwargs):
    global last
    last = request
    raise Recorded


# Where a column was made, in files of this machine.
pyspark.errors.utils._enable_debugging_cache = False
SparkConnectClient._execute_and_fetch_as_iterator = stop
SparkConnectClient._execute = stop
SparkConnectClient._cleanup_ml_cache = lambda self: None

spark = SparkSession.builder.remote(f"{sys.argv[2]}/;session_id={SESSION};user_id=me").create()
df = spark.range(10)
people = spark.createDataFrame([(1, "a", 2.5)], "id int, name string, score double")
w = Window.partitionBy("name").orderBy(F.desc("id"))
table = DeltaTable.forName(spark, "c.s.t").alias("t")

STATEMENTS = {
    "range": lambda: df.collect(),
    "local": lambda: people.collect(),
    "project": lambda: people.select("id", F.col("name").alias("n"), people.score + 1).collect(),
    "filter": lambda: people.filter((F.col("id") > 1) & ~F.col("name").isin("a", "b")).collect(),
    "filter_sql": lambda: people.filter("id > 1").collect(),
    "join": lambda: people.join(df, people.id == df.id, "left").collect(),
    "join_using": lambda: people.join(df, ["id"], "full").collect(),
    "cross_join": lambda: people.crossJoin(df).collect(),
    "lateral_join": lambda: df.lateralJoin(people.where(people.id == F.col("id").outer())).collect(),
    "asof_join": lambda: people._joinAsOf(df, "id", "id", direction="backward").collect(),
    "union": lambda: df.union(df).unionByName(df, allowMissingColumns=True).collect(),
    "intersect": lambda: df.intersect(df).exceptAll(df).subtract(df).collect(),
    "sort": lambda: people.orderBy(F.desc("id"), F.asc_nulls_last("name")).sortWithinPartitions("id").collect(),
    "limit": lambda: df.offset(1).limit(2).collect(),
    "tail": lambda: df.tail(2),
    "aggregate": lambda: people.groupBy("name").agg(F.sum("score").alias("s"), F.countDistinct("id")).collect(),
    "rollup": lambda: people.rollup("name", "id").count().collect(),
    "cube": lambda: people.cube("name").count().collect(),
    "grouping_sets": lambda: people.groupingSets([["name"], ["id"], []], "name", "id").agg(F.sum("score")).collect(),
    "pivot": lambda: people.groupBy("id").pivot("name", ["a", "b"]).sum("score").collect(),
    "sql_args": lambda: spark.sql("select :x + 1", args={"x": 1}),
    "sql_positions": lambda: spark.sql("select ?, ?", args=[1, "a"]),
    "sql_frames": lambda: spark.sql("select * from {d}", d=df),
    "sample": lambda: df.sample(False, 0.5, 7).collect(),
    "distinct": lambda: people.distinct().dropDuplicates(["name"]).collect(),
    "alias": lambda: df.alias("x").select("x.id", "x.*").collect(),
    "repartition": lambda: df.repartition(3).repartition(2, "id").coalesce(1).collect(),
    "to_df": lambda: people.toDF("a", "b", "c").collect(),
    "with_columns": lambda: people.withColumn("z", F.lit(1)).withColumnsRenamed({"id": "i"}).drop("name").collect(),
    "show": lambda: people.show(5, 3, True),
    "html": lambda: people._show_string(5, 3, False),
    "to_schema": lambda: people.to(people_schema()).collect(),
    "hint": lambda: people.hint("broadcast", 1, "x").collect(),
    "unpivot": lambda: people.unpivot(["id"], ["score"], "k", "v").collect(),
    "transpose": lambda: people.transpose("id").collect(),
    "observe": lambda: df.observe(Observation("o"), F.count(F.lit(1)).alias("n")).collect(),
    "watermark": lambda: people.withWatermark("name", "1 hour").collect(),
    "fillna": lambda: people.fillna({"name": "x", "id": 0}).collect(),
    "dropna": lambda: people.dropna(thresh=2, subset=["id", "name"]).collect(),
    "replace": lambda: people.replace({"a": "b"}, subset=["name"]).collect(),
    "summary": lambda: people.summary("min", "50%").collect(),
    "describe": lambda: people.describe("id").collect(),
    "crosstab": lambda: people.crosstab("id", "name").collect(),
    "cov": lambda: people.cov("id", "score"),
    "corr": lambda: people.corr("id", "score"),
    "quantile": lambda: people.approxQuantile(["id"], [0.5, 0.9], 0.1),
    "freq_items": lambda: people.freqItems(["id"], 0.3).collect(),
    "sample_by": lambda: people.sampleBy("name", {"a": 0.5}, 3).collect(),
    "read_table": lambda: spark.read.option("versionAsOf", 3).table("c.s.`t.x`").collect(),
    "read_files": lambda: spark.read.schema("a int").option("k", "v").csv(["/a", "/b"]).collect(),
    "read_stream": lambda: spark.readStream.format("rate").load().collect(),
    "table_function": lambda: spark.tvf.explode(F.array(F.lit(1))).collect(),
    "catalog_list": lambda: spark.catalog.listTables("c.s", "t*"),
    "catalog_current": lambda: spark.catalog.currentDatabase(),
    "catalog_use": lambda: spark.catalog.setCurrentDatabase("c.s"),
    "catalog_create": lambda: spark.catalog.createTable("t", "/p", "delta", people_schema(), "why", k="v"),
    "catalog_drop_view": lambda: spark.catalog.dropTempView("v"),
    "catalog_clear": lambda: spark.catalog.clearCache(),
    "window": lambda: people.select(F.sum("id").over(w.rowsBetween(-1, 0)), F.rank().over(w),
                                    F.sum("id").over(w.rangeBetween(Window.unboundedPreceding, 5))).collect(),
    "lambda": lambda: people.select(F.transform(F.array("id"), lambda x: x + 1),
                                    F.aggregate(F.array("id"), F.lit(0), lambda a, x: a + x)).collect(),
    "when": lambda: people.select(F.when(F.col("id") > 1, "x").when(F.col("id") > 0, "y").otherwise("z")).collect(),
    "struct": lambda: people.select(F.struct("id").withField("b", F.lit(1)).dropFields("id").getField("b")).collect(),
    "extract": lambda: people.select(F.array("id")[0], F.create_map("name", "id")["a"]).collect(),
    "casts": lambda: people.select(F.col("id").cast("decimal(10,2)"), F.col("id").try_cast("string")).collect(),
    "regex": lambda: people.select(people.colRegex("`i.*`")).collect(),
    "expr": lambda: people.select(F.expr("id + 1 as x"), F.call_function("c.s.f", "id")).collect(),
    "named": lambda: people.select(F.call_udf("f", F.col("id"))).collect(),
    "subqueries": lambda: df.where(df.id.isin(people.select("id")) & people.exists()).select(
        df.agg(F.max("id")).scalar()).collect(),
    "udf": lambda: people.select(F.udf(lambda x: x, "int")("id")).collect(),
    "map_in_pandas": lambda: people.mapInPandas(lambda i: i, "a int").collect(),
    "group_map": lambda: people.groupBy("id").applyInPandas(lambda p: p, "a int").collect(),
    "cogroup": lambda: people.groupBy("id").cogroup(df.groupBy("id")).applyInPandas(lambda a, b: a, "a int").collect(),
    "literals": lambda: df.select(*map(F.lit, literals())).collect(),
    "nested_literals": lambda: df.select(F.lit([1, 2]), F.lit([[1.5]]), F.lit(["a", "b"])).collect(),
    "temp_view": lambda: people.createOrReplaceTempView("v"),
    "global_view": lambda: people.createGlobalTempView("v"),
    "write_path": lambda: people.write.format("delta").mode("append").option("k", "v").partitionBy("id").save("/p"),
    "write_table": lambda: people.write.mode("overwrite").bucketBy(2, "id").sortBy("name").saveAsTable("c.s.t"),
    "insert_into": lambda: people.write.insertInto("c.s.t"),
    "write_v2": lambda: people.writeTo("c.s.t").using("delta").tableProperty("a", "b").partitionedBy(
        F.partitioning.days("name")).createOrReplace(),
    "overwrite_v2": lambda: people.writeTo("c.s.t").overwrite(F.col("id") == 1),
    "merge_into": lambda: people.mergeInto("c.s.t", F.col("a") == F.col("b")).whenMatched(F.col("a") > 1).updateAll()
        .whenNotMatched().insert({"a": F.col("b")}).whenNotMatchedBySource().delete().merge(),
    "checkpoint": lambda: people.localCheckpoint(),
    "register": lambda: spark.udf.register("f", lambda x: x, "int"),
    "stream_write": lambda: people.writeStream.format("noop").start(),
    "delta_scan": lambda: table.toDF().collect(),
    "delta_path": lambda: DeltaTable.forPath(spark, "/p").toDF().collect(),
    "delta_history": lambda: table.history(2).collect(),
    "delta_detail": lambda: table.detail().collect(),
    "delta_delete": lambda: table.delete("id = 1"),
    "delta_update": lambda: table.update(F.col("id") == 1, {"name": "'x'"}),
    "delta_merge": lambda: table.merge(people.alias("s"), "t.id = s.id").whenMatchedUpdate(
        "s.id > 1", {"name": "s.name"}).whenMatchedDelete().whenNotMatchedInsertAll().whenNotMatchedBySourceUpdate(
        set={"name": F.lit("gone")}).withSchemaEvolution().execute(),
    "delta_optimize": lambda: table.optimize().where("a = 1").where("b = 2").executeZOrderBy("c", "d"),
    "delta_restore": lambda: table.restoreToTimestamp("2024-01-01"),
    "delta_convert": lambda: DeltaTable.convertToDelta(spark, "parquet.`/p`", "a int"),
    "delta_is": lambda: DeltaTable.isDeltaTable(spark, "/p"),
    "delta_vacuum": lambda: table.vacuum(12.5),
    "delta_generate": lambda: table.generate("symlink_format_manifest"),
    "delta_upgrade": lambda: table.upgradeTableProtocol(3, 7),
    "delta_feature": lambda: table.addFeatureSupport("deletionVectors"),
    "delta_drop_feature": lambda: table.dropFeatureSupport("deletionVectors", True),
    "delta_clone": lambda: table.cloneAtVersion(3, "/q", True, True, {"a": "b"}),
    "delta_create": lambda: DeltaTable.createIfNotExists(spark).tableName("c.s.n").addColumn(
        "a", "int", nullable=False, comment="x").addColumn("g", "bigint", generatedAlwaysAs="a * 2").addColumn(
        "i", "bigint", generatedByDefaultAs=IdentityGenerator(5, 2)).partitionedBy("a").property("k", "v").execute(),
}


def people_schema():
    from pyspark.sql.types import IntegerType, StringType, StructField, StructType
    return StructType([StructField("id", IntegerType(), False), StructField("name", StringType())])


def literals():
    import datetime
    import decimal
    return [None, True, 1, 1 << 40, 2.5, "x", b"\x00\xff", decimal.Decimal("12.340"), datetime.date(2024, 1, 2),
            datetime.datetime(2024, 1, 2, 3, 4, 5), datetime.timedelta(days=1, seconds=2), datetime.time(1, 2, 3)]


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    for name, run in STATEMENTS.items():
        global last
        last = None
        try:
            run()
        except Recorded:
            pass
        except Exception as e:  # the call wanted an answer after its request, or could not be made at all
            if last is None:
                print(name, type(e).__name__, str(e)[:150])
        if last is None:
            failed += 1
            continue
        last.operation_id = ""
        del last.request_options[:]
        last.client_type = ""
        # Pickled functions differ between machines and hold file names of the one they were made on.
        blank(last)
        (folder / f"{name}.bin").write_bytes(last.SerializeToString(deterministic=True))
    print(len(STATEMENTS) - failed, "recorded,", failed, "not")


def blank(message):
    for field, value in message.ListFields():
        if field.name == "command" and isinstance(value, bytes):
            message.command = b"pickled"
        elif field.message_type is None:
            continue
        elif hasattr(value, "ListFields"):
            blank(value)
        elif not (field.message_type.GetOptions().map_entry):
            for one in value:
                blank(one)
        elif "value" in field.message_type.fields_by_name and field.message_type.fields_by_name["value"].message_type:
            for one in value.values():
                blank(one)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
