"""A client process that changes one table, for the concurrency and kill tests.

    writers.py REMOTE TABLE NUMBER APPENDS MERGES BUMPS    prints one JSON object: what it committed, what it lost

An append adds a row of its own; a merge adds one and changes one that this writer merged before; a bump adds 1 to `total` of
TABLE_bumped, the same row for every writer.
"""
import json
import logging
import random
import sys


def statement(table, number, row, step, earlier):
    if step == "append":
        return f"INSERT INTO {table} VALUES ({row}, {number}, 'append')"
    if step == "bump":
        return (f"UPDATE {table}_bumped SET total = total + 1 WHERE id = 0" if row % 2 else
                f"MERGE INTO {table}_bumped t USING (SELECT 0 id) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET total = t.total + 1")
    source = f"SELECT {row} id, {number} writer, 'merge' kind"
    if earlier is not None:
        source += f" UNION ALL SELECT {earlier}, {number}, 'again'"
    return (f"MERGE INTO {table} t USING ({source}) s ON t.id = s.id "
            "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")


def main(remote, table, number, *counts):
    logging.disable(logging.CRITICAL)
    import delta.connect.exceptions  # noqa: F401  registers Delta's own classes
    from pyspark.sql import SparkSession
    spark = SparkSession.builder.remote(remote).create()
    number, done, lost, bumps, earlier = int(number), [], [], 0, None
    steps = [step for step, count in zip(("append", "merge", "bump"), counts) for _ in range(int(count))]
    random.Random(number).shuffle(steps)
    for i, step in enumerate(steps):
        row = number * 1000 + i
        try:
            spark.sql(statement(table, number, row, step, earlier)).collect()
            if step == "bump":
                bumps += 1
                continue
            done.append(row)
            if step == "merge":
                earlier = row
        except Exception as error:
            lost.append([step, type(error).__name__, getattr(error, "getCondition", lambda: None)()])
            if "Unavailable" in str(error) or "UNAVAILABLE" in str(error):
                break
    print(json.dumps({"done": done, "lost": lost, "bumps": bumps}))


if __name__ == "__main__":
    main(*sys.argv[1:])
