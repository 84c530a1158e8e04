"""A classic Spark with Delta that does what it is told: one JSON command a line on stdin, each answered by a file.

    spark_peer.py FOLDER      answers are FOLDER/N.json: null, or the error; rows are written as Arrow where a command says

Its output carries nothing, so that no pipe is left open by the JVM it starts.
"""
import glob
import json
import os
import pathlib
import sys

import pyarrow
import steps
from pyspark.sql import SparkSession

SETTINGS = {
    "spark.jars": ",".join(sorted(glob.glob(os.environ["DELTA_JARS"] + "/*.jar"))),
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.databricks.delta.deletedFileRetentionDuration.checkEnabled": "false",
    "spark.sql.shuffle.partitions": "1",
    # Compiling each query's code costs more than the few rows it would run over.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


def start(folder):
    builder = SparkSession.builder.master("local[1]").config("spark.sql.warehouse.dir", str(folder / "warehouse"))
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def save(frame, path):
    table = frame.toArrow()
    with pyarrow.OSFile(path, "wb") as sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def run(spark, command):
    """What a command asks for: settings, statements, then frames to save. Answers the frames' schemas."""
    for name, value in command.get("settings", {}).items():
        spark.conf.set(name, value)
    for statement in command.get("statements", []):
        spark.sql(statement).collect()
    schemas = []
    for read in command.get("reads", []):
        if "query" in read:
            frame = spark.sql(read["query"])
        else:
            frame = spark.read.format("delta").options(**read["options"]).load(read["path"])
        save(frame, read["to"])
        schemas.append(frame.schema.json())
    return schemas


def main(folder):
    spark = start(folder)
    for number, line in enumerate(sys.stdin):
        command = json.loads(line)
        try:
            if "steps" in command:
                answer = {"outcomes": steps.run(spark, command["steps"], command["folder"])}
            else:
                answer = {"schemas": run(spark, command)}
        except Exception as error:
            answer = {"error": str(error)[:4000]}
        new = folder / f"{number}.new"
        new.write_text(json.dumps(answer))
        new.rename(folder / f"{number}.json")
    spark.stop()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
