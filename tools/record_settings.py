#!/usr/bin/env python3
"""Writes src/conf/spark_settings.def and spark_core_settings.def: Spark's and Delta's settings with their defaults.

  record_settings.py FOLDER DELTA_JAR...

Runs in an environment with the whole of pyspark (it needs Spark's jars and a JVM) and asks Spark itself.
"""
import os
import sys
import tempfile
import time
from pathlib import Path

# An entry is known to Spark once the class that declares it is loaded.
DECLARING = [
    "org.apache.spark.sql.internal.StaticSQLConf$", "org.apache.spark.sql.connect.config.Connect$",
    "org.apache.spark.sql.delta.sources.DeltaSQLConf$", "org.apache.spark.sql.hive.HiveUtils$",
] + [f"org.apache.spark.internal.config.{name}$" for name in (
    "package", "UI", "History", "Kryo", "Network", "Python", "R", "Status", "Streaming", "Worker", "Deploy")]
# What depends on the machine or on the recording is replaced by what a fresh server answers.
FIXED = {
    "spark.connect.session.connectML.mlCache.memoryControl.maxInMemorySize": "1073741824b",  # a part of the heap
    "spark.sql.artifact.isolation.alwaysApplyClassloader": "true",  # the Connect server sets these two
    "spark.sql.artifact.isolation.enabled": "true",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.warehouse.dir": "spark-warehouse",
}
SETTINGS_HEADER = """\
/* Every setting that Spark %s with Delta %s registers for a session, internal ones too, with its default.
 *
 * SETTING(key, default, flags). default is the text that Config.Get answers when nobody set the key; NULL means that the
 * key exists and has no value (Spark answers without one), while a key without a row is SQL_CONF_NOT_FOUND.
 * SETTING_STATIC: not modifiable while the server runs (CANNOT_MODIFY_STATIC_CONFIG).
 * Written by tools/record_settings.py, sorted by key (strcmp). */
"""
CORE_HEADER = """\
/* Settings that belong to a Spark cluster's start, not to a session, as Spark %s registers them.
 *
 * CORE_SETTING(key). A session that sets one gets CANNOT_MODIFY_CONFIG; an unset one reads as unknown.
 * Written by tools/record_settings.py, sorted by key (strcmp). */
"""


def literal(text):
    if text is None:
        return "NULL"
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t")):
        text = text.replace(plain, escaped)
    return f'"{text}"'


def start_spark(jars):
    os.environ["TZ"] = "UTC"
    time.tzset()
    os.environ.pop("SPARK_TESTING", None)  # it changes dozens of defaults
    os.chdir(tempfile.mkdtemp())
    os.environ["SPARK_CONF_DIR"] = os.getcwd()
    from pyspark.sql import SparkSession
    return (SparkSession.builder.master("local[1]").config("spark.jars", ",".join(jars))
            .config("spark.ui.enabled", "false")
            .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
            .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
            .getOrCreate())


def registered(spark):
    """(session settings, all settings): two sets of keys."""
    java = spark._jvm.java.lang
    loader = java.Thread.currentThread().getContextClassLoader()
    for name in DECLARING:
        java.Class.forName(name, True, loader)

    def module(name):
        return java.Class.forName(name, True, loader).getField("MODULE$").get(None)

    session = {entry.key() for entry in module("org.apache.spark.sql.internal.SQLConf$").getConfigEntries().toArray()}
    entries = module("org.apache.spark.internal.config.ConfigEntry$")
    field = entries.getClass().getDeclaredField("knownConfigs")
    field.setAccessible(True)
    return session, set(field.get(entries).keySet())


def main(folder, jars):
    folder, jars = Path(folder).resolve(), [str(Path(jar).resolve()) for jar in jars]
    spark = start_spark(jars)
    delta = next(Path(jar).stem.rsplit("-", 1)[1] for jar in jars if Path(jar).name.startswith("delta-spark"))
    session, everything = registered(spark)
    conf = spark._jsparkSession.conf()
    rows = []
    for key in sorted(session):
        value = FIXED.get(key, conf.get(key))
        flags = "0" if conf.isModifiable(key) else "SETTING_STATIC"
        rows.append(f"SETTING({literal(key)}, {literal(value)}, {flags})")
    text = SETTINGS_HEADER % (spark.version, delta) + "\n" + "\n".join(rows) + "\n"
    (folder / "spark_settings.def").write_text(text)
    core = [f"CORE_SETTING({literal(key)})" for key in sorted(everything - session)]
    (folder / "spark_core_settings.def").write_text(CORE_HEADER % spark.version + "\n" + "\n".join(core) + "\n")
    print(f"{len(rows)} session settings, {len(core)} core settings", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
