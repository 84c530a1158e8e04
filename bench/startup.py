"""From starting the process to the first SELECT 1 answered, and what the server then holds in memory."""
import statistics
import time

from measure import Results, TURNS, WORK
from servers import lakeshed, sail


def first_answer(start):
    server = start()
    session = server.session()
    answer = session.sql("SELECT 1").collect()
    seconds = time.perf_counter() - server.started
    assert answer[0][0] == 1
    figures = seconds, server.cpu(), server.memory()
    session.stop()
    server.stop()
    return server.name, figures


def main():
    import pyspark.sql.connect.session  # noqa: F401  (loading the client is not the server's time)
    WORK.mkdir(parents=True, exist_ok=True)
    seen = {}
    for turn in range(-1, TURNS):
        for start in (lakeshed, sail):
            name, figures = first_answer(start)
            if turn >= 0:
                seen.setdefault(name, []).append(figures)
    results = Results("startup")
    for i, (what, unit) in enumerate((("start to first answer", "s"), ("CPU of it", "s"), ("resident memory after it", "MiB"))):
        results.add(what, unit, {name: statistics.median(f[i] for f in figures) for name, figures in seen.items()})
    results.finish()


if __name__ == "__main__":
    main()
