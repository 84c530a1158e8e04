"""Two engines that commit to one local table at once.

    commits.py FOLDER [COMMITS]      prints the figures; Spark is spark_peer.py with ORACLE_PYTHON and DELTA_JARS

Each engine appends a row a commit and now and then deletes one of its own; a conflict that the engine refuses is tried again. Then
no version is missing, every commit is whole JSON and says whose it is, and the rows are those that were answered.
"""
import collections
import json
import pathlib
import re
import sys
import threading
import time

import deltalake
import pyarrow

DELETE_EVERY = 8
TRIES = 200
AHEAD = 2  # commits that the faster engine may be ahead of the slowest
CONFLICT = re.compile(r"DELTA_CONCURRENT|Concurrent\w+Exception|ConcurrentAppend|concurrent|DELTA_MAX_COMMIT_RETRIES", re.IGNORECASE)


class SqlEngine:
    """lakeshed or Spark: run(text) runs a statement."""

    def __init__(self, name, run):
        self.name, self.run = name, run

    def append(self, path, row):
        self.run(f"INSERT INTO delta.`{path}` VALUES ({row}L, '{self.name}')")

    def delete(self, path, row):
        self.run(f"DELETE FROM delta.`{path}` WHERE id = {row}")


class DeltaRs:
    name = "delta-rs"

    def append(self, path, row):
        data = pyarrow.table({"id": pyarrow.array([row], pyarrow.int64()), "engine": ["delta-rs"]})
        deltalake.write_deltalake(path, data, mode="append")

    def delete(self, path, row):
        deltalake.DeltaTable(path).delete(f"id = {row}")


class Committer(threading.Thread):
    def __init__(self, engine, path, first, count):
        super().__init__(daemon=True)
        self.engine, self.path, self.first, self.count = engine, path, first, count
        self.rows, self.commits, self.refused, self.failure = set(), 0, 0, None

    def commit(self, change, row):
        for _ in range(TRIES):
            try:
                change(self.path, row)
                self.commits += 1
                return
            except Exception as error:
                if not CONFLICT.search(str(error)):
                    raise
                self.refused += 1
        raise AssertionError(f"{self.engine.name}: refused {TRIES} times")

    def wait(self):
        while self.is_ahead():
            time.sleep(0.001)

    def run(self):
        try:
            while self.commits < self.count:
                self.wait()
                row = self.first + self.commits
                if self.commits % DELETE_EVERY == DELETE_EVERY - 1:
                    self.commit(self.engine.delete, row - 3)
                    self.rows.discard(row - 3)
                else:
                    self.commit(self.engine.append, row)
                    self.rows.add(row)
        except Exception as error:
            self.failure = error


def commits_of(path):
    """By version, the commitInfo; every version is there and every line is whole JSON."""
    log = pathlib.Path(path) / "_delta_log"
    versions = sorted(int(p.stem) for p in log.glob("*.json") if p.stem.isdigit())
    assert versions == list(range(len(versions))), "a version is missing"
    out = []
    for version in versions:
        lines = [json.loads(line) for line in (log / f"{version:020}.json").read_text().splitlines()]
        out.append(next(line["commitInfo"] for line in lines if "commitInfo" in line))
    return out


def turns(infos):
    """How often the next commit is another engine's."""
    engines = [str(info.get("engineInfo", "")).partition("/")[0].partition(":")[0] for info in infos]
    return sum(a != b for a, b in zip(engines, engines[1:])), collections.Counter(engines)


def interleave(path, engines, count):
    """Lets every engine make that many commits to the table at once. Returns the figures; the table's rows are checked."""
    before = len(commits_of(path))
    rows = {r["id"] for r in deltalake.QueryBuilder().register("t", deltalake.DeltaTable(path)).execute("SELECT id FROM t")
            .read_all().to_pylist()} if before > 1 else set()
    threads = [Committer(engine, path, (before + i) * 1_000_000, count) for i, engine in enumerate(engines)]
    started = time.monotonic()
    for thread in threads:
        thread.is_ahead = lambda own=thread: any(own.commits > t.commits + AHEAD and t.failure is None for t in threads)
        thread.start()
    for thread in threads:
        thread.join()
    for thread in threads:
        assert thread.failure is None, f"{thread.engine.name}: {thread.failure}"
        rows |= thread.rows
    infos = commits_of(path)
    assert len(infos) == before + sum(t.commits for t in threads), "a commit is lost, or made twice"
    changed, by_engine = turns(infos[before:])
    assert sorted(by_engine.values()) == [count] * len(threads), by_engine
    return rows, (f"{count} commits each in {time.monotonic() - started:.0f} s: {dict(by_engine)}, {changed} changes of turn, "
                  f"refused and tried again { {t.engine.name: t.refused for t in threads} }")


def ids_of(path):
    table = pyarrow.table(deltalake.QueryBuilder().register("t", deltalake.DeltaTable(path)).execute("SELECT id FROM t").read_all())
    return sorted(table.column("id").to_pylist())


def main(folder, count=1000):
    sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
    import engines
    from server_process import Server
    server = Server(pathlib.Path(folder) / "data")
    session = server.session()
    ours = SqlEngine("lakeshed", lambda text: session.sql(text).collect())
    (pathlib.Path(folder) / "peer").mkdir()
    spark = engines.Spark(pathlib.Path(folder) / "peer")
    for name, peer in (("with-delta-rs", DeltaRs()), ("with-spark", SqlEngine("spark", spark.sql))):
        path = f"{folder}/{name}"
        session.sql(f"CREATE TABLE delta.`{path}` (id BIGINT, engine STRING) USING DELTA").collect()
        rows, figures = interleave(path, [ours, peer], int(count))
        query = f"SELECT id FROM delta.`{path}`"
        assert sorted(r.id for r in session.sql(query).collect()) == sorted(rows)
        assert sorted(spark.query(query).column("id").to_pylist()) == sorted(rows)
        assert ids_of(path) == sorted(rows)
        print(name, figures, flush=True)
    spark.stop()
    server.stop()


if __name__ == "__main__":
    import logging
    import os
    import traceback
    logging.disable(logging.CRITICAL)
    status = 1
    try:
        main(*sys.argv[1:])
        status = 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
