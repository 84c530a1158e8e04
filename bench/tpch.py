"""The 22 queries of TPC-H, in the words of Spark's tests, over the same Delta tables; DuckDB reads their files as bare Parquet."""
import os
import statistics
import sys

from deltalake import DeltaTable, write_deltalake

from measure import ROOT, Contender, Results, expect, made_once, side_by_side
from servers import lakeshed, sail
from tables import connection

sys.path.insert(0, str(ROOT / "tests" / "conformance"))
import tpc_queries  # noqa: E402: where the queries and the generator are found

SCALE = os.environ.get("BENCH_SCALE", "1")
ONLY = os.environ.get("BENCH_QUERIES", "").split()


def tables():
    def make(folder):
        parquet = tpc_queries.generate("tpch", SCALE, tpc_queries.CACHE / "tpc")
        for table in sorted(parquet.iterdir()):
            rows = connection().execute(f"SELECT * FROM '{table}/*.parquet'").to_arrow_table()
            write_deltalake(folder / table.name, rows)
    return made_once(f"tpch-{SCALE}", make)


def floor(folder):
    c = connection()
    for table in sorted(folder.iterdir()):
        files = ", ".join(f"'{f}'" for f in DeltaTable(table).file_uris())
        c.execute(f"CREATE VIEW {table.name} AS SELECT * FROM read_parquet([{files}])")
    return c


def session_with(server, folder):
    session = server.session()
    for table in sorted(folder.iterdir()):
        session.sql(f"CREATE TABLE {table.name} USING delta LOCATION '{table}'").collect()
    return session


def total(results, what, contenders):
    """The sum of the medians of every query, by contender."""
    sums = {}
    for query in contenders:
        for c in query:
            sums[c.name] = sums.get(c.name, 0) + statistics.median(getattr(c, what))
    results.add(f"TPC-H at scale {SCALE}, sum of {len(contenders)} medians, {'CPU' if what == 'seconds' else 'wall'}", "s", sums)


def main():
    folder, results, asked = tables(), Results("tpch"), []
    servers, bare = [lakeshed(), sail()], floor(folder)
    try:
        sessions = [session_with(s, folder) for s in servers]
        for query, text in sorted(tpc_queries.queries("tpch").items(), key=lambda item: int(item[0][1:])):
            if ONLY and query not in ONLY:
                continue
            rows = bare.execute(text).to_arrow_table().num_rows
            def same(found, query=query, rows=rows):
                expect(f"rows of {query}", found.num_rows, rows)
            contenders = [Contender(server.name, lambda s=session: s.sql(text).toArrow(), server.cpu, check=same)
                          for server, session in zip(servers, sessions)]
            contenders.append(Contender("DuckDB floor", lambda: bare.execute(text).to_arrow_table(), check=same))
            side_by_side(contenders)
            results.add_turns(query, contenders)
            asked.append(contenders)
        total(results, "wall", asked)
        total(results, "seconds", asked)
    finally:
        for server in servers:
            server.stop()
    results.finish()


if __name__ == "__main__":
    main()
