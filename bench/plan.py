"""How long planning takes: analyzer and rendering for each TPC-DS query, and plans of thousands of expressions, from the server's log."""
import re
import statistics
import sys

from pyspark.sql import functions as F

from measure import ROOT, TURNS, Results
from servers import lakeshed

sys.path.insert(0, str(ROOT / "tests" / "conformance"))
import tpc_queries  # noqa: E402: where the queries and the generator are found

ANALYZED = re.compile(r"query: analyzed in (\d+) us")
PLANNED = re.compile(r"engine: \d+ bytes of SQL rendered in (\d+) us, planned in (\d+) us")


class Log:
    """What the server wrote since the last look."""

    def __init__(self, server):
        self.file = open(server.log.name, errors="replace")

    def phases(self):
        """(analyzer, rendering, DuckDB's planner) of the last query, in milliseconds."""
        text = self.file.read()
        analyzed, planned = ANALYZED.findall(text), PLANNED.findall(text)
        return int(analyzed[-1]) / 1000, int(planned[-1][0]) / 1000, int(planned[-1][1]) / 1000


def quickest(ask, log):
    """The least of several turns: what other programs take away is not planning."""
    turns = []
    for turn in range(TURNS + 1):
        ask()
        found = log.phases()
        if turn:
            turns.append(found)
    return [min(part) for part in zip(*turns)]


def wide_plans(session):
    columns = session.range(10).select(*[(F.col("id") + i).alias(f"c{i}") for i in range(1000)])
    yield "1,000 columns, 5,000 expressions", columns.select(*[(F.col(f"c{i % 1000}") + F.lit(i)).alias(f"x{i}") for i in range(5000)])
    yield "1,000 sums", columns.agg(*[F.sum(f"c{i}") for i in range(1000)])
    yield "a sum of 1,000 terms", session.sql("SELECT " + " + ".join(["id"] * 1000) + " AS x FROM range(10)")


def tpcds(session):
    folder = tpc_queries.generate("tpcds", "0.1", tpc_queries.CACHE / "tpc")
    for table in sorted(folder.iterdir()):
        session.sql(f"CREATE TABLE {table.name} USING delta AS SELECT * FROM parquet.`{table}`").collect()
    for name, text in sorted(tpc_queries.queries("tpcds").items()):
        if name != "q90":  # divides by zero at this scale
            yield name, text


def main():
    results, server = Results("plan"), lakeshed("--log-level", "debug")
    try:
        session, log, ours = server.session(), Log(server), {}
        planner = {}
        for name, text in tpcds(session):
            analyzer, rendering, planned = quickest(lambda: session.sql(text).toArrow(), log)
            ours[name], planner[name] = analyzer + rendering, planned
        for what, found in (("analyzer and rendering", ours), ("DuckDB's planner", planner)):
            worst = max(found, key=found.get)
            results.add(f"TPC-DS, {what}, median of {len(found)} queries", "ms", {"lakeshed": statistics.median(found.values())})
            results.add(f"TPC-DS, {what}, slowest ({worst})", "ms", {"lakeshed": found[worst]})
        results.add("TPC-DS, queries of 2 ms and more", "", {"lakeshed": sum(value >= 2 for value in ours.values())})
        for what, frame in wide_plans(session):
            results.add(f"{what}: analyzer, rendering and planner", "ms", {"lakeshed": sum(quickest(frame.toArrow, log))})
    finally:
        server.stop()
    results.finish()


if __name__ == "__main__":
    main()
