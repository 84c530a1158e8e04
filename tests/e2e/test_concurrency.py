"""Many clients on one table, then the same with the server killed at random moments.

LAKESHED_APPENDS, LAKESHED_MERGES and LAKESHED_KILLS set the size; the defaults are a sample, the full run is 50, 20 and 200.
"""
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
KILLS = int(os.environ.get("LAKESHED_KILLS", 6))
CLIENTS = 8
SCRIPT = str(pathlib.Path(__file__).parent / "writers.py")


def start_writers(server, table, count, appends, merges, first=0):
    return [subprocess.Popen([sys.executable, "-W", "ignore", SCRIPT, server.remote, table, str(first + n), str(appends), str(merges)],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for n in range(count)]


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


def test_clients_side_by_side(new_server):
    server = new_server()
    session = server.session()
    session.sql("CREATE TABLE side (id INT, writer INT, kind STRING) USING DELTA")
    results = [json.loads(p.communicate(timeout=600)[0]) for p in start_writers(server, "side", CLIENTS, APPENDS, MERGES)]
    done = sorted(row for r in results for row in r["done"])
    lost = [entry for r in results for entry in r["lost"]]
    assert {entry[1] for entry in lost} <= {"ConcurrentAppendException", "ConcurrentDeleteReadException",
                                            "ConcurrentDeleteDeleteException"}, lost
    assert sorted(r.id for r in session.table("side").collect()) == done
    assert check_versions(location_of(session, "side")) == len(done)
    assert len(done) + len(lost) == CLIENTS * (APPENDS + MERGES)
    session.stop()


def readers_agree(session, table, location):
    import deltalake
    ours = sorted(r.id for r in session.table(table).collect())
    theirs = sorted(deltalake.DeltaTable(location).to_pyarrow_table(columns=["id"])["id"].to_pylist())
    assert ours == theirs and len(ours) == len(set(ours))
    return set(ours)


def test_killed_at_random_moments(new_server):
    chance = random.Random(20240229)
    server = new_server("killed")
    session = server.session()
    session.sql("CREATE TABLE killed (id INT, writer INT, kind STRING) USING DELTA")
    session.stop()
    kept = set()
    for kill in range(KILLS):
        writers = start_writers(server, "killed", 3, 40, 10, first=kill * 3)
        time.sleep(1.0 + chance.random() * 1.5)
        server.stop(signal.SIGKILL)
        for writer in writers:
            writer.kill()
            writer.wait()
            writer.stdout.close()
        server = new_server("killed")
        session = server.session()
        location = location_of(session, "killed")
        check_versions(location)
        now = readers_agree(session, "killed", location)
        assert kept <= now
        kept = now
        session.stop()
    assert kept
