"""Tables of very many files: opening one, finding the single file a condition leaves, adding a file; and the memory it takes."""
import json
import statistics
import subprocess
import sys
import time

from deltalake import write_deltalake

import tables
from measure import Results, TURNS, expect, linked_copy, made_once
from servers import lakeshed

PEER = """
import deltalake, resource, sys, time
before = time.perf_counter()
files = len(deltalake.DeltaTable(sys.argv[1]).file_uris())
usage = resource.getrusage(resource.RUSAGE_SELF)
print(files, time.perf_counter() - before, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
"""


def maker(count, commits):
    """Only the first file is there: no question is about the others' rows."""
    def make(folder):
        write_deltalake(folder, tables.connection().execute("SELECT range AS id, range % 3 AS k FROM range(10)").to_arrow_table())
        size = next(folder.glob("*.parquet")).stat().st_size
        for version in range(1, commits + 1):
            with open(folder / "_delta_log" / f"{version:020d}.json", "w") as log:
                for i in range((version - 1) * count // commits + 1, version * count // commits):
                    stats = {"numRecords": 10, "minValues": {"id": i * 10, "k": 0}, "maxValues": {"id": i * 10 + 9, "k": 2},
                             "nullCount": {"id": 0, "k": 0}}
                    add = {"path": f"part-{i:07d}-0a0b0c0d-0000-0000-0000-000000000000-c000.snappy.parquet", "partitionValues": {},
                           "size": size, "modificationTime": 1700000000000, "dataChange": True, "stats": json.dumps(stats)}
                    log.write(json.dumps({"add": add}, separators=(",", ":")) + "\n")
    return make


def ask(server, session, query):
    cpu, before = server.cpu(), time.perf_counter()
    answer = session.sql(query).collect()
    return answer, time.perf_counter() - before, server.cpu() - cpu


def measure(results, count, commits):
    source = made_once(f"files-{count}", maker(count, commits))
    figures = {"open": [], "find": [], "append": [], "memory": []}
    peers = []
    for turn in range(TURNS):
        table, server = f"delta.`{linked_copy(source, f'files-{turn}')}`", lakeshed()
        session = server.session()
        session.sql("SELECT 1").collect()
        answer, *figure = ask(server, session, f"SELECT count(*) FROM {table}")
        expect("rows", answer[0][0], (count - commits) * 10 + 10)
        figures["open"].append(figure)
        figures["memory"].append(server.memory("VmHWM"))
        answer, *figure = ask(server, session, f"SELECT count(*), max(k) FROM {table} WHERE id BETWEEN 3 AND 5")
        expect("rows of one file", tuple(answer[0]), (3, 2))
        figures["find"].append(figure)
        _, *figure = ask(server, session, f"INSERT INTO {table} VALUES (-5L, 1L)")
        figures["append"].append(figure)
        session.stop()
        server.stop()
        out = subprocess.run([sys.executable, "-W", "ignore", "-c", PEER, str(source)], check=True, capture_output=True, text=True).stdout.split()
        peers.append(list(map(float, out[1:])))
    for name, what in (("open", "opened and counted"), ("find", "the one file of a condition found and read"), ("append", "one row appended")):
        for i, part in enumerate(("wall", "CPU")):
            values = {"lakeshed": statistics.median(f[i] for f in figures[name])}
            if name == "open":
                values["delta-rs"] = statistics.median(p[i] for p in peers)
            results.add(f"{count:,} files, {what}, {part}", "s", values)
    results.add(f"{count:,} files, peak memory of the process after opening", "MiB",
                {"lakeshed": statistics.median(figures["memory"]), "delta-rs": statistics.median(p[2] for p in peers)})


def main():
    results = Results("files")
    measure(results, 300_000, 1)
    measure(results, 1_000_000, 10)
    results.finish()


if __name__ == "__main__":
    main()
