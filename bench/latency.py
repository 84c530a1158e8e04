"""How long a small question takes on a warm server: SELECT 1, ten rows shown, a tiny Delta table, its count."""
import time

from measure import Results, TURNS, made_once
from servers import lakeshed, sail

CALLS = 100  # of each server in a turn
QUESTIONS = {
    "SELECT 1": lambda s, path: s.sql("SELECT 1").collect(),
    "range(10).collect()": lambda s, path: s.range(10).collect(),
    "SELECT 1's schema": lambda s, path: s.sql("SELECT 1 AS a").schema,
    "read a 10-row Delta table": lambda s, path: s.read.format("delta").load(path).collect(),
    "its df.count()": lambda s, path: s.read.format("delta").load(path).count(),
    "one row of it by key": lambda s, path: s.read.format("delta").load(path).filter("id = 7").collect(),
}


def make_tiny(folder):
    import pyarrow
    from deltalake import write_deltalake
    write_deltalake(folder, pyarrow.table({"id": list(range(10)), "name": [f"n{i}" for i in range(10)]}))


def measure(ask, session, path, calls):
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        ask(session, path)
        times.append((time.perf_counter() - start) * 1000)
    return times


def main():
    path = str(made_once("tiny", make_tiny))
    results, servers = Results("latency"), [lakeshed(), sail()]
    try:
        sessions = [s.session() for s in servers]
        for what, ask in QUESTIONS.items():
            times, used = {s.name: [] for s in servers}, {s.name: 0.0 for s in servers}
            for session in sessions:
                measure(ask, session, path, 20)
            for _ in range(TURNS):
                for server, session in zip(servers, sessions):
                    before = server.cpu()
                    times[server.name] += measure(ask, session, path, CALLS)
                    used[server.name] += server.cpu() - before
            for name, part in (("p50", 0.5), ("p99", 0.99)):
                results.add(f"{what}, {name}", "ms", {n: sorted(t)[int(len(t) * part)] for n, t in times.items()})
            results.add(f"{what}, server CPU a call", "ms", {n: 1000 * u / (CALLS * TURNS) for n, u in used.items()})
    finally:
        for server in servers:
            server.stop()
    results.finish()


if __name__ == "__main__":
    main()
