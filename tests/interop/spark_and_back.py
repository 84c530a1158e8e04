"""lakeshed writes, Spark reads every version and appends, lakeshed reads on. Run with full PySpark: spark_and_back.py FOLDER"""
import glob
import json
import os
import subprocess
import sys

READER = r"""
import glob, json, os, sys
from pyspark.sql import SparkSession
jars = ",".join(glob.glob(os.environ["DELTA_JARS"] + "/*.jar"))
spark = (SparkSession.builder.master("local[2]").config("spark.jars", jars).config("spark.ui.enabled", "false")
         .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
         .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
         .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "2").getOrCreate())
answers = {}
for path, versions in json.loads(sys.argv[1]).items():
    read = spark.read.format("delta")
    answers[path] = [sorted(map(str, (tuple(r) for r in read.option("versionAsOf", v).load(path).select("id", "v", "day").collect())))
                     for v in range(versions)]
    spark.createDataFrame([(1000, "spark", None)], "id int, v string, day date").write.format("delta").mode("append").save(path)
print("ANSWER " + json.dumps(answers))
"""
STATEMENTS = [
    "INSERT INTO {t} SELECT CAST(id AS INT), concat('r', id), date_add(DATE '2024-01-01', CAST(id % 3 AS INT)) FROM range(50)",
    "UPDATE {t} SET v = 'new' WHERE id % 10 = 0",
    "DELETE FROM {t} WHERE id > 40",
    "MERGE INTO {t} t USING (SELECT 5 id, 'm' v, DATE '2024-01-03' day UNION ALL SELECT 99, 'i', NULL) s ON t.id = s.id "
    "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
    "OPTIMIZE {t}",
]
TABLES = {"plain": "", "days": "PARTITIONED BY (day)", "vectors": "TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')",
          "feed": "TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')"}


def start(folder):
    server = subprocess.Popen([os.environ["LAKESHED"], "serve", "--data", f"{folder}/data", "--port", "0", "--rest-port", "-1"],
                              stdout=subprocess.PIPE, text=True)
    return server, server.stdout.readline().split()[2]


def rows(frame):
    return sorted(str(tuple(r)) for r in frame.select("id", "v", "day").collect())


def main(folder):
    server, remote = start(folder)
    from pyspark.sql import SparkSession
    spark = SparkSession.builder.remote(remote).create()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    ours, versions = {}, {}
    for name, clause in TABLES.items():
        spark.sql(f"CREATE TABLE {name} (id INT, v STRING, day DATE) USING DELTA {clause}")
        for statement in STATEMENTS:
            spark.sql(statement.format(t=name)).collect()
        path = spark.sql(f"DESCRIBE DETAIL {name}").collect()[0].location.removeprefix("file:")
        versions[path] = 1 + spark.sql(f"DESCRIBE HISTORY {name}").collect()[0].version
        ours[path] = [rows(spark.sql(f"SELECT * FROM {name} VERSION AS OF {v}")) for v in range(versions[path])]
    environment = {k: v for k, v in os.environ.items() if k != "SPARK_REMOTE"}
    output = subprocess.run([sys.executable, "-W", "ignore", "-c", READER, json.dumps(versions)], env=environment, check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    theirs = json.loads(next(line for line in output.splitlines() if line.startswith("ANSWER "))[7:])
    passed = failed = 0
    for (name, _), path in zip(TABLES.items(), versions):
        for version in range(versions[path]):
            same = theirs[path][version] == ours[path][version]
            passed, failed = passed + same, failed + (not same)
            if not same:
                print(f"{name} version {version}: lakeshed {ours[path][version][:3]} Spark {theirs[path][version][:3]}")
        after = rows(spark.table(name))
        same = after == sorted(ours[path][-1] + [str((1000, "spark", None))])
        passed, failed = passed + same, failed + (not same)
    spark.stop()
    server.terminate()
    server.wait()
    print(f"{passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    assert glob.glob(os.environ["DELTA_JARS"] + "/*.jar"), "no Delta jars"
    sys.exit(main(sys.argv[1]))
