"""SIGKILLs of the server at random moments while clients append, merge, update, delete and optimise.

    kills.py FOLDER [KILLS [SEED]]      the tables are in FOLDER/data; prints the figures

After each kill: every commit is whole JSON and no version is missing, everything that was answered is there, what was under way is
there as a whole or not at all, delta-rs and DuckDB read what we read, and VACUUM leaves no file that the log does not name. LAKESHED_SPARK
names a Spark Connect server with Delta (sc://..) that reads along after every fiftieth kill.
"""
import collections
import json
import os
import pathlib
import random
import signal
import sys
import threading
import time
import traceback
import urllib.parse

import deltalake
import duckdb
import duckdb_extension_delta

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from server_process import Server, end_now  # noqa: E402

WRITERS = 3
LONGEST_SECONDS = 0.6
ROUNDS_A_TABLE = 40
PROPERTIES = ("'delta.checkpointInterval' = '5'",
              "'delta.checkpointInterval' = '4', 'delta.enableDeletionVectors' = 'true', 'delta.checkpointPolicy' = 'v2'",
              "'delta.checkpointInterval' = '6', 'delta.enableDeletionVectors' = 'true', 'delta.enableChangeDataFeed' = 'true'",
              "'delta.checkpointInterval' = '3', 'delta.enableInCommitTimestamps' = 'true'")
CONFLICTS = ("DELTA_CONCURRENT", "DELTA_METADATA_CHANGED", "DELTA_PROTOCOL_CHANGED")


class Writer(threading.Thread):
    """Changes rows of its own until the server is gone. `rows` is what was answered, `pending` what the last statement would change."""

    def __init__(self, session, table, number, first, rows, seed):
        super().__init__(daemon=True)
        self.session, self.table, self.number, self.next, self.rows = session, table, number, first, dict(rows)
        self.chance = random.Random(seed)
        self.pending, self.done, self.lost, self.failure = {}, collections.Counter(), 0, None

    def fresh(self, count):
        self.next += count
        return range(self.next - count, self.next)

    def append(self):
        rows = {i: "append" for i in self.fresh(self.chance.randint(1, 3))}
        values = ", ".join(f"({i}, {self.number}, 'append')" for i in rows)
        return f"INSERT INTO {self.table} VALUES {values}", rows

    def merge(self):
        rows = {i: f"merge {self.next}" for i in (*self.fresh(2), *self.some())}
        source = " UNION ALL ".join(f"SELECT {i}L id, {self.number} writer, '{kind}' kind" for i, kind in rows.items())
        return (f"MERGE INTO {self.table} t USING ({source}) s ON t.id = s.id "
                "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"), rows

    def some(self):
        return self.chance.sample(sorted(self.rows), min(2, len(self.rows)))

    def update(self):
        ids = self.some() or [-1]
        kind = f"update {self.next}"
        self.next += 1
        return (f"UPDATE {self.table} SET kind = '{kind}' WHERE id IN ({', '.join(map(str, ids))})",
                {i: kind for i in ids if i in self.rows})

    def delete(self):
        ids = self.some() or [-1]
        return f"DELETE FROM {self.table} WHERE id IN ({', '.join(map(str, ids))})", {i: None for i in ids}

    def optimize(self):
        return f"OPTIMIZE {self.table}", {}

    def run(self):
        steps = [self.append] * 4 + [self.merge] * 3 + [self.delete] * 2 + [self.update] * 2 + [self.optimize]
        while True:
            step = self.chance.choice(steps)
            text, self.pending = step()
            try:
                self.session.sql(text).collect()
            except Exception as error:
                condition = getattr(error, "getCondition", lambda: None)() or ""
                if condition.startswith(CONFLICTS):
                    self.lost += 1
                    continue
                if condition or "DELTA_" in str(error):
                    self.failure = f"{text}: {str(error)[:500]}"
                return
            self.done[step.__name__] += 1
            for row, kind in self.pending.items():
                if kind is None:
                    self.rows.pop(row, None)
                else:
                    self.rows[row] = kind
            self.pending = {}


def check_log(location):
    """Versions are contiguous and every line of every commit is whole JSON. Returns the number of versions."""
    log = pathlib.Path(location) / "_delta_log"
    versions = sorted(int(p.stem) for p in log.glob("*.json") if p.stem.isdigit())
    assert versions == list(range(len(versions))), versions
    for version in versions:
        for line in (log / f"{version:020}.json").read_text().splitlines():
            json.loads(line)
    for small in (*log.glob("*.crc"), *log.glob("_last_checkpoint")):
        json.loads(small.read_text())
    return len(versions)


def duck():
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    package = pathlib.Path(duckdb_extension_delta.__file__).parent
    connection.execute(f"LOAD '{next(package.rglob('delta.duckdb_extension'))}'")
    connection.execute("SET threads = 1")
    return connection


def rows_by_id(rows):
    out = {}
    for row, _, kind in rows:
        assert row not in out, f"{row} is there twice"
        out[row] = kind
    return out


def rows_of(session, table, location, connection):
    """The rows by id, after three readers gave the same."""
    ours = sorted(tuple(r) for r in session.sql(f"SELECT id, writer, kind FROM {table}").collect())
    table_rs = deltalake.DeltaTable(location)
    found = deltalake.QueryBuilder().register("t", table_rs).execute("SELECT id, writer, kind FROM t").read_all()
    import pyarrow
    arrow = pyarrow.table(found)
    assert ours == sorted(zip(*(arrow.column(n).to_pylist() for n in ("id", "writer", "kind")))), "delta-rs reads something else"
    assert ours == sorted(connection.execute(f"SELECT id, writer, kind FROM delta_scan('{location}')").fetchall()), "DuckDB reads something else"
    return rows_by_id(ours)


def check_writer(writer, rows):
    """What was answered is there; what was under way is there as a whole or not at all. Returns whether it was."""
    mine = {i: kind for i, kind in rows.items() if i // 1_000_000 == writer.number}
    after = {i: kind for i, kind in (writer.rows | writer.pending).items() if kind is not None}
    assert mine in (writer.rows, after), (writer.number, sorted(set(mine.items()) ^ set(writer.rows.items())), writer.pending)
    committed = mine != writer.rows
    writer.rows = mine
    return committed


def check_vacuum(session, table, location):
    """VACUUM leaves the files of the table and nothing else."""
    session.conf.set("spark.databricks.delta.retentionDurationCheck.enabled", "false")
    session.sql(f"VACUUM {table} RETAIN 0 HOURS").collect()
    folder = pathlib.Path(location)
    left = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and "_delta_log" not in p.parts}
    table_rs = deltalake.DeltaTable(location)
    named = {urllib.parse.unquote(p) for p in table_rs.get_add_actions(flatten=True).column("path").to_pylist()}
    vectors = {p for p in left if "deletion_vector" in p}
    assert left - vectors == named, (left - vectors) ^ named


def spark_rows(location):
    from pyspark.sql import SparkSession
    spark = SparkSession.builder.remote(os.environ["LAKESHED_SPARK"]).create()
    rows = rows_by_id(spark.sql(f"SELECT id, writer, kind FROM delta.`{location}`").collect())
    spark.stop()
    return rows


class Kills:
    def __init__(self, folder, seed):
        self.folder, self.seed = pathlib.Path(folder), seed
        self.chance = random.Random(seed)
        self.duck = duck()
        self.done, self.figures = collections.Counter(), collections.Counter()
        self.server = Server(self.folder / "data")
        self.session = self.server.session()

    def new_table(self, number):
        self.table = f"killed_{number}"
        properties = PROPERTIES[number % len(PROPERTIES)]
        self.session.sql(f"CREATE TABLE {self.table} (id BIGINT, writer INT, kind STRING) USING DELTA TBLPROPERTIES ({properties})").collect()
        self.location = self.session.sql(f"DESCRIBE DETAIL {self.table}").collect()[0].location.removeprefix("file:")
        self.rows = [{} for _ in range(WRITERS)]
        self.next = [number * 1_000_000 for number in range(WRITERS)]

    def write_and_kill(self, kill):
        sessions = [self.server.session() for _ in range(WRITERS)]
        for session in sessions:
            session.client.set_retry_policies([])
        writers = [Writer(s, self.table, n, self.next[n], self.rows[n], f"{self.seed}/{kill}/{n}") for n, s in enumerate(sessions)]
        for writer in writers:
            writer.start()
        time.sleep(self.chance.random() * LONGEST_SECONDS)
        self.server.stop(signal.SIGKILL)
        for writer in writers:
            writer.join(60)
            assert not writer.is_alive() and not writer.failure, writer.failure
        return writers

    def round(self, kill):
        if kill % ROUNDS_A_TABLE == 0:
            if kill:
                check_vacuum(self.session, self.table, self.location)
            self.new_table(kill // ROUNDS_A_TABLE)
        versions = check_log(self.location)
        writers = self.write_and_kill(kill)
        torn = len(list((pathlib.Path(self.location) / "_delta_log").glob(".*.tmp")))
        self.figures["kills that left a temporary file in the log"] += torn > self.figures["_torn"]
        self.figures["_torn"] = torn
        self.server = Server(self.folder / "data")
        self.session = self.server.session()
        self.figures["versions"] += check_log(self.location) - versions
        rows = rows_of(self.session, self.table, self.location, self.duck)
        for n, writer in enumerate(writers):
            committed = check_writer(writer, rows)
            self.figures["changes under way that had committed"] += committed
            self.figures["changes under way that had not"] += bool(writer.pending) and not committed
            self.figures["conflicts"] += writer.lost
            self.done.update(writer.done)
            self.rows[n], self.next[n] = writer.rows, writer.next
        if os.environ.get("LAKESHED_SPARK") and kill % 50 == 49:
            assert spark_rows(self.location) == rows, "Spark reads something else"
            self.figures["tables Spark read too"] += 1

    def finish(self):
        check_vacuum(self.session, self.table, self.location)
        self.server.stop(signal.SIGKILL)


def run(folder, kills, seed=20240229):
    """Kills that often; the figures as one line of text."""
    trial = Kills(folder, seed)
    for kill in range(kills):
        try:
            trial.round(kill)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, kill {kill}, table {trial.location}: {error}") from error
        if kill % 100 == 99:
            print(kill + 1, "kills", flush=True)
    trial.finish()
    figures = {k: v for k, v in trial.figures.items() if not k.startswith("_")}
    return f"{kills} kills (seed {seed}): answered {dict(trial.done)}, {figures}"


if __name__ == "__main__":
    import logging
    logging.disable(logging.CRITICAL)
    status = 1
    try:
        print(run(sys.argv[1], *map(int, sys.argv[2:])), flush=True)
        status = 0
    except Exception:
        traceback.print_exc()
    end_now(status)
