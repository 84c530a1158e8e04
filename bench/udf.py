"""Python functions over a million rows, beside a real Spark with two threads: pickled, Arrow and pandas UDFs, groups, first call."""
import sys
import time

import pandas
from pyspark.sql import functions as F
from pyspark.sql.types import LongType, StringType

from measure import Contender, Results, expect, side_by_side
from servers import lakeshed, spark

ROWS, GROUPS, GROUPED = 1_000_000, 500, 100_000
PLUS = ROWS * (ROWS - 1) // 2 + ROWS


@F.udf(LongType(), useArrow=False)
def pickled(x):
    return x + 1


@F.udf(LongType(), useArrow=True)
def arrow(x):
    return x + 1


@F.udf(StringType())
def text(x):
    return "row-" + str(x)


@F.pandas_udf(LongType())
def series(x: pandas.Series) -> pandas.Series:
    return x + 1


def a_group(rows):
    return pandas.DataFrame({"g": [rows.g.iloc[0]], "s": [rows.id.sum()]})


def one(frame):
    return frame.collect()[0][0]


QUESTIONS = {
    "udf of long, pickled": (lambda s: one(s.range(ROWS).select(F.sum(pickled("id")))), PLUS),
    "udf of long, Arrow": (lambda s: one(s.range(ROWS).select(F.sum(arrow("id")))), PLUS),
    "udf of string": (lambda s: one(s.range(ROWS).select(F.max(text("id")))), f"row-{ROWS - 1}"),
    "pandas_udf": (lambda s: one(s.range(ROWS).select(F.sum(series("id")))), PLUS),
    "mapInPandas": (lambda s: one(s.range(ROWS).mapInPandas(lambda parts: parts, "id long").select(F.sum("id"))), PLUS - ROWS),
    f"applyInPandas, {GROUPS} groups": (lambda s: one(s.range(GROUPED).withColumn("g", F.col("id") % GROUPS).groupBy("g").applyInPandas(
        a_group, "g long, s long").select(F.sum("s"))), GROUPED * (GROUPED - 1) // 2),
}


def main():
    results, servers = Results("udf"), [lakeshed("--python", sys.executable), spark()]
    try:
        sessions, first = [s.session() for s in servers], {}
        for server, session in zip(servers, sessions):
            start = time.perf_counter()
            expect("the first call", one(session.range(1).select(arrow("id"))), 1)
            first[server.name] = time.perf_counter() - start
        results.add("first call, the process that runs it included", "s", first)
        for what, (ask, answer) in QUESTIONS.items():
            contenders = [Contender(server.name, lambda s=session: ask(s), server.cpu,
                                    check=lambda got, what=what, answer=answer: expect(what, got, answer))
                          for server, session in zip(servers, sessions)]
            side_by_side(contenders)
            results.add_turns(what, contenders)
    finally:
        for server in servers:
            server.stop()
    results.finish()


if __name__ == "__main__":
    main()
