"""Many clients on one table, then the same with the server killed at random moments.

LAKESHED_APPENDS, LAKESHED_MERGES, LAKESHED_BUMPS and LAKESHED_KILLS set the size; the defaults are a sample, the full run is 50,
20, 20 and 1000 (kills.py says what LAKESHED_SPARK does).
"""
import collections
import json
import os
import pathlib
import subprocess
import sys

APPENDS = int(os.environ.get("LAKESHED_APPENDS", 8))
MERGES = int(os.environ.get("LAKESHED_MERGES", 4))
BUMPS = int(os.environ.get("LAKESHED_BUMPS", 3))
KILLS = int(os.environ.get("LAKESHED_KILLS", 12))
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


def test_killed_at_random_moments(tmp_path):
    program = pathlib.Path(__file__).with_name("kills.py")
    done = subprocess.run([sys.executable, "-W", "ignore", program, tmp_path, str(KILLS)], capture_output=True, text=True, timeout=3600)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{KILLS} kills")
