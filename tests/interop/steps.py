"""What a sequence may ask of an engine: SQL, settings, writes of DataFrames and streams. Runs in Spark's own process too."""
import re
import shutil


def write(session, step, folder):
    """DataFrameWriter: {"write": QUERY, "mode", "options", "by": partition columns, "path"}, into table or folder."""
    writer = session.sql(step["write"]).write.format(step.get("format", "delta")).options(**step.get("options", {}))
    if "mode" in step:
        writer = writer.mode(step["mode"])
    if "by" in step:
        writer = writer.partitionBy(*step["by"])
    if "cluster" in step:
        writer = writer.clusterBy(*step["cluster"])
    if "into" in step:
        writer.insertInto(step["into"], step.get("overwrite"))
    elif "path" in step:
        writer.save(step["path"])
    else:
        writer.saveAsTable(step["table"])


def write_to(session, step, folder):
    """DataFrameWriterV2: {"write_to": QUERY, "verb": "create" and its kin, "options", "properties", "by", "condition"}."""
    from pyspark.sql.functions import col, expr
    writer = session.sql(step["write_to"]).writeTo(step["table"]).options(**step.get("options", {}))
    if "using" in step:
        writer = writer.using(step["using"])
    for name, value in step.get("properties", {}).items():
        writer = writer.tableProperty(name, value)
    if "by" in step:
        writer = writer.partitionedBy(*map(col, step["by"]))
    if "cluster" in step:
        writer = writer.clusterBy(*step["cluster"])
    arguments = [expr(step["condition"])] if "condition" in step else []
    getattr(writer, step["verb"])(*arguments)


def stream(session, step, folder):
    """{"stream": SOURCE TABLE, "table": SINK, "checkpoint": NAME, "mode", "options"}: what the source has, then the end."""
    writer = session.readStream.table(step["stream"]).writeStream.format("delta").outputMode(step.get("mode", "append"))
    checkpoint = f"{folder}/checkpoint-{step['table'].split('.')[-1]}"
    writer = writer.options(**step.get("options", {})).option("checkpointLocation", checkpoint).trigger(availableNow=True)
    query = writer.toTable(step["table"])
    query.awaitTermination()
    if query.exception():
        raise query.exception()


def plain_files(session, step, folder):
    """{"files": QUERY, "to": folder of Parquet files, "by"}: made anew."""
    shutil.rmtree(step["to"], ignore_errors=True)
    writer = session.sql(step["files"]).write
    if "by" in step:
        writer = writer.partitionBy(*step["by"])
    writer.parquet(step["to"])


def settle(session, step, folder):
    for name, value in step["set"].items():
        session.conf.set(name, value)


KINDS = {"write": write, "write_to": write_to, "stream": stream, "files": plain_files, "set": settle}


def outcome(session, step, folder):
    """None where the step was done, else the class of its error."""
    try:
        if isinstance(step, str):
            session.sql(step).collect()
        else:
            KINDS[next(iter(step))](session, step, folder)
    except Exception as error:
        text = str(error)
        found = re.search(r"\[([A-Z][A-Z0-9_.]+)\]", text)
        return found.group(1) if found else text[:200]


def named(step, **names):
    """The step with {t} and its kin replaced in every text."""
    if isinstance(step, str):
        for name, value in names.items():
            step = step.replace("{" + name + "}", value)
        return step
    if isinstance(step, dict):
        return {key: named(value, **names) for key, value in step.items()}
    return [named(item, **names) for item in step] if isinstance(step, list) else step


def run(session, steps, folder):
    """The outcome of every step; what they set is unset at the end."""
    try:
        return [outcome(session, step, folder) for step in steps]
    finally:
        for step in steps:
            for name in step.get("set", {}) if isinstance(step, dict) else ():
                session.conf.unset(name)
