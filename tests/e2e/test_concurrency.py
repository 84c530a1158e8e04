"""Many clients on one table, then the same with the server killed at random moments.

LAKESHED_APPENDS, LAKESHED_MERGES, LAKESHED_BUMPS and LAKESHED_KILLS set the size; the defaults are a sample, the full run is 50,
20, 20 and 200. LAKESHED_SPARK names a Spark Connect server with Delta (sc://..) that reads along after every tenth kill.
"""
import collections
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

APPENDS = int(os.environ.get("LAKESHED_APPENDS", 8))
MERGES = int(os.environ.get("LAKESHED_MERGES", 4))
BUMPS = int(os.environ.get("LAKESHED_BUMPS", 3))
KILLS = int(os.environ.get("LAKESHED_KILLS", 4))
SPARK = os.environ.get("LAKESHED_SPARK")
CLIENTS = 8
SCRIPT = str(pathlib.Path(__file__).parent / "writers.py")
LOSSES = {("ConcurrentAppendException", "DELTA_CONCURRENT_APPEND"), ("ConcurrentDeleteReadException", "DELTA_CONCURRENT_DELETE_READ")}


def start_writers(server, table, count, appends, merges, bumps=0, first=0):
    return [subprocess.Popen([sys.executable, "-W", "ignore", SCRIPT, server.remote, table, str(first + n), str(appends), str(merges),
                              str(bumps)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for n in range(count)]


def results_of(writers):
    return [json.loads(p.communicate(timeout=600)[0]) for p in writers]


def location_of(session, table):
    return session.sql(f"DESCRIBE DETAIL {table}").collect()[0].location.removeprefix("file:")


def check_versions(location):
    """Versions are contiguous, every line of every commit is whole JSON. Returns the newest version."""
    log = pathlib.Path(location) / "_delta_log"
    versions = sorted(int(p.stem) for p in log.glob("*.json") if p.stem.isdigit())
    assert versions == list(range(versions[-1] + 1))
    for version in versions:
        for line in (log / f"{version:020}.json").read_text().splitlines():
            json.loads(line)
    return versions[-1]


def test_statements_that_do_not_meet_all_commit(new_server):
    server = new_server()
    session = server.session()
    session.sql("CREATE TABLE side (id INT, writer INT, kind STRING) USING DELTA")
    results = results_of(start_writers(server, "side", CLIENTS, APPENDS, MERGES))
    assert [entry for r in results for entry in r["lost"]] == []
    done = sorted(row for r in results for row in r["done"])
    assert len(done) == CLIENTS * (APPENDS + MERGES)
    assert sorted(r.id for r in session.table("side").collect()) == done
    assert check_versions(location_of(session, "side")) == len(done)
    session.stop()


def test_no_change_of_one_row_is_lost_silently(new_server):
    server = new_server()
    session = server.session()
    session.sql("CREATE TABLE busy (id INT, writer INT, kind STRING) USING DELTA")
    session.sql("CREATE TABLE busy_bumped (id INT, total INT) USING DELTA")
    session.sql("INSERT INTO busy_bumped VALUES (0, 0)")
    results = results_of(start_writers(server, "busy", CLIENTS, 0, 0, BUMPS))
    bumps = sum(r["bumps"] for r in results)
    lost = collections.Counter((kind, condition.partition(".")[0]) for r in results for _, kind, condition in r["lost"])
    print(f"{bumps} bumps, lost {dict(lost)}")
    assert set(lost) <= LOSSES
    assert bumps + lost.total() == CLIENTS * BUMPS and bumps >= BUMPS
    assert [tuple(r) for r in session.table("busy_bumped").collect()] == [(0, bumps)]
    assert check_versions(location_of(session, "busy_bumped")) == bumps + 1
    session.stop()


def duckdb_rows(location):
    import duckdb
    import duckdb_extension_delta
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    package = pathlib.Path(duckdb_extension_delta.__file__).parent
    connection.execute(f"LOAD '{next(package.rglob('delta.duckdb_extension'))}'")
    return sorted(connection.execute(f"SELECT id, writer, kind FROM delta_scan('{location}')").fetchall())


def spark_rows(location):
    from pyspark.sql import SparkSession
    spark = SparkSession.builder.remote(SPARK).create()
    rows = sorted(tuple(r) for r in spark.read.format("delta").load(location).select("id", "writer", "kind").collect())
    spark.stop()
    return rows


def readers_agree(session, table, location, with_spark):
    """The ids in the table, after all readers gave the same rows."""
    import deltalake
    ours = sorted(tuple(r) for r in session.table(table).select("id", "writer", "kind").collect())
    arrow = deltalake.DeltaTable(location).to_pyarrow_table(columns=["id", "writer", "kind"])
    assert ours == sorted(zip(*(arrow[name].to_pylist() for name in ("id", "writer", "kind"))))
    assert ours == duckdb_rows(location)
    if with_spark:
        assert ours == spark_rows(location)
    ids = [row[0] for row in ours]
    assert len(ids) == len(set(ids))
    return set(ids)


def wait_for_commit(location, after):
    deadline = time.monotonic() + 60
    while not (pathlib.Path(location) / "_delta_log" / f"{after + 1:020}.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_killed_at_random_moments(new_server):
    chance = random.Random(20240229)
    server = new_server("killed")
    session = server.session()
    session.sql("CREATE TABLE killed (id INT, writer INT, kind STRING) USING DELTA")
    location = location_of(session, "killed")
    session.stop()
    kept, sampled, version = set(), 0, 0
    for kill in range(KILLS):
        writers = start_writers(server, "killed", 3, 40, 10, first=kill * 3)
        wait_for_commit(location, version)
        time.sleep(chance.random() * 0.8)
        server.stop(signal.SIGKILL)
        for writer in writers:
            writer.kill()
            writer.wait()
            writer.stdout.close()
        server = new_server("killed")
        session = server.session()
        version = check_versions(location)
        with_spark = SPARK is not None and (kill % 10 == 9 or kill == KILLS - 1)
        now = readers_agree(session, "killed", location, with_spark)
        assert kept <= now
        kept = now
        sampled += with_spark
        session.stop()
    print(f"{KILLS} kills, version {version}, {len(kept)} rows, Spark read along {sampled} times")
    assert kept
