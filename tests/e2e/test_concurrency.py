"""Many clients on one table, then the same with the server killed at random moments.

LAKESHED_APPENDS, LAKESHED_MERGES, LAKESHED_BUMPS and LAKESHED_KILLS set the size; the defaults are a sample, the full run is 50,
20, 20 and 1000 (kills.py says what LAKESHED_SPARK does).
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time

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


def bumped(server, bumps):
    session = server.session()
    session.sql("CREATE TABLE busy (id INT, writer INT, kind STRING) USING DELTA")
    session.sql("CREATE TABLE busy_bumped (id INT, total INT) USING DELTA")
    session.sql("INSERT INTO busy_bumped VALUES (0, 0)")
    return session, start_writers(server, "busy", CLIENTS, 0, 0, bumps)


def test_statements_of_one_server_on_one_row_all_commit(new_server):
    """They take turns: none fails, none is lost."""
    session, writers = bumped(new_server(), BUMPS)
    results = results_of(writers)
    assert [entry for r in results for entry in r["lost"]] == []
    assert [tuple(r) for r in session.table("busy_bumped").collect()] == [(0, CLIENTS * BUMPS)]
    assert check_versions(location_of(session, "busy_bumped")) == CLIENTS * BUMPS + 1
    session.stop()


def test_two_servers_on_one_row_lose_nothing_silently(new_server):
    """Another server's commits are conflicts as ever, of Delta's classes."""
    session, writers = bumped(new_server(), BUMPS)
    other = new_server("other")
    location = location_of(session, "busy_bumped")
    theirs = other.session()
    theirs.sql("CREATE TABLE busy (id INT, writer INT, kind STRING) USING DELTA")
    theirs.sql(f"CREATE TABLE busy_bumped USING DELTA LOCATION '{location}'")
    results = results_of(writers + start_writers(other, "busy", CLIENTS, 0, 0, BUMPS))
    bumps = sum(r["bumps"] for r in results)
    lost = collections.Counter((kind, condition.partition(".")[0]) for r in results for _, kind, condition in r["lost"])
    print(f"{bumps} bumps, lost {dict(lost)}")
    assert set(lost) <= LOSSES
    assert bumps + lost.total() == 2 * CLIENTS * BUMPS and bumps >= BUMPS
    assert [tuple(r) for r in session.table("busy_bumped").collect()] == [(0, bumps)]
    assert check_versions(location) == bumps + 1
    theirs.stop()
    session.stop()


def test_another_engine_in_between(new_server):
    """delta-rs deletes the row that a MERGE has read and not yet committed: DELTA_CONCURRENT_DELETE_READ, not a second run."""
    import deltalake
    session = new_server().session()
    session.sql("CREATE TABLE shared (id INT, total INT) USING DELTA")
    session.sql("INSERT INTO shared VALUES (0, 0)")
    location = location_of(session, "shared")
    slow = ("MERGE INTO shared t USING (SELECT 0 id, count(*) n FROM range(40000) a, range(40000) b WHERE hash(a.id, b.id) % 7 = 0) s ON t.id = s.id "
            "WHEN MATCHED THEN UPDATE SET total = 1")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        merge = pool.submit(lambda: session.sql(slow).collect())
        time.sleep(0.5)
        assert not merge.done()
        deltalake.DeltaTable(location).update(updates={"total": "100"})
        error = merge.exception()
    assert error.getCondition().partition(".")[0] in {condition for _, condition in LOSSES}
    assert [tuple(r) for r in session.table("shared").collect()] == [(0, 100)]
    session.stop()


SLOW = "(SELECT count(*) FROM range(60000) a, range(60000) b WHERE hash(a.id, b.id) % 7 = 0)"


def test_who_waits_is_cancelled_and_holds_up_nobody(new_server):
    """More statements than the server has workers wait for one; reads, appends and other tables are answered meanwhile."""
    server = new_server("data", "--workers", "2")
    session, rest = server.session(), server.session()
    for name in ("held", "beside"):
        session.sql(f"CREATE TABLE {name} (id INT, total BIGINT) USING DELTA")
        session.sql(f"INSERT INTO {name} VALUES (0, 0)")
    sessions = [server.session() for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        first = pool.submit(lambda: session.sql(f"UPDATE held SET total = {SLOW}").collect())
        time.sleep(0.5)
        waiting = [pool.submit(lambda s=s: s.sql("UPDATE held SET total = total + 1").collect()) for s in sessions]
        time.sleep(0.5)
        assert rest.table("held").collect() == [(0, 0)]
        rest.sql("INSERT INTO held VALUES (1, 1)")
        rest.sql("UPDATE beside SET total = 5")
        assert rest.table("beside").collect() == [(0, 5)] and rest.table("held").count() == 2
        sessions[0].interruptAll()
        assert "OPERATION_CANCELED" in str(waiting[0].exception())
        assert not first.done() and not any(w.done() for w in waiting[1:])
        session.interruptAll()
        assert "OPERATION_CANCELED" in str(first.exception())
        for w in waiting[1:]:
            w.result()
    assert sorted(map(tuple, rest.table("held").collect())) == [(0, 3), (1, 4)]


def test_optimize_gives_way(new_server):
    """OPTIMIZE and MERGEs of the same files at once: none fails, no row is lost."""
    server = new_server()
    session = server.session()
    session.sql("CREATE TABLE packed (id INT, total INT) USING DELTA")
    for n in range(8):
        session.sql(f"INSERT INTO packed SELECT id + {n * 1000}, 0 FROM range(1000)")
    sessions = [server.session() for _ in range(3)]

    def change(n):
        for k in range(6):
            sessions[n].sql(f"UPDATE packed SET total = total + 1 WHERE id % 3 = {n}")
            if k % 3 == 1:
                sessions[n].sql("OPTIMIZE packed ZORDER BY (total)" if n else "OPTIMIZE packed")

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(change, range(3)))
    assert session.sql("SELECT count(*), sum(total), count(DISTINCT id) FROM packed").collect() == [(8000, 48000, 8000)]
    check_versions(location_of(session, "packed"))


def test_killed_at_random_moments(tmp_path):
    program = pathlib.Path(__file__).with_name("kills.py")
    done = subprocess.run([sys.executable, "-W", "ignore", program, tmp_path, str(KILLS)], capture_output=True, text=True, timeout=3600)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{KILLS} kills")
