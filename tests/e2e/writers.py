"""A client process that appends and merges into one table, for the concurrency and kill tests.

    writers.py REMOTE TABLE NUMBER APPENDS MERGES      prints one JSON object: what it committed, what it lost
"""
import json
import logging
import random
import sys


def main(remote, table, number, appends, merges):
    logging.disable(logging.CRITICAL)
    import delta.connect.exceptions  # noqa: F401  registers Delta's own classes
    from pyspark.sql import SparkSession
    spark = SparkSession.builder.remote(remote).create()
    number, done, lost = int(number), [], []
    steps = ["append"] * int(appends) + ["merge"] * int(merges)
    random.Random(number).shuffle(steps)
    for i, step in enumerate(steps):
        row = number * 1000 + i
        try:
            if step == "append":
                spark.sql(f"INSERT INTO {table} VALUES ({row}, {number}, 'append')").collect()
            else:
                spark.sql(f"MERGE INTO {table} t USING (SELECT {row} id, {number} writer, 'merge' kind) s ON t.id = s.id "
                          "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *").collect()
            done.append(row)
        except Exception as error:
            lost.append([row, type(error).__name__, getattr(error, "getCondition", lambda: None)()])
            if "Unavailable" in str(error) or "UNAVAILABLE" in str(error):
                break
    print(json.dumps({"done": done, "lost": lost}))


if __name__ == "__main__":
    main(*sys.argv[1:])
