"""VACUUM of a table of 100,000 files, half of which were removed long ago: time, and the memory a fresh process needs at most."""
import json
import os
import statistics
import subprocess
import sys
import time

from deltalake import write_deltalake

import tables
from measure import Results, TURNS, expect, fresh_folder
from servers import lakeshed

FILES = 100000
LONG_AGO = 1600000000
PEER = """
import deltalake, resource, sys, time
before = time.perf_counter()
gone = deltalake.DeltaTable(sys.argv[1]).vacuum(dry_run=False)
usage = resource.getrusage(resource.RUSAGE_SELF)
print(len(gone), time.perf_counter() - before, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
"""


def make(name):
    folder = fresh_folder(name)
    write_deltalake(folder, tables.connection().execute("SELECT range AS id FROM range(10)").to_arrow_table())
    content = next(folder.glob("*.parquet")).read_bytes()
    stats = json.dumps({"numRecords": 10, "minValues": {"id": 0}, "maxValues": {"id": 9}, "nullCount": {"id": 0}})
    added, removed = [], []
    for i in range(FILES):
        path = folder / f"data-{i:06d}.parquet"
        path.write_bytes(content)
        os.utime(path, (LONG_AGO, LONG_AGO))
        added.append({"add": {"path": path.name, "partitionValues": {}, "size": len(content), "modificationTime": LONG_AGO * 1000,
                              "dataChange": True, "stats": stats}})
        if i % 2:
            removed.append({"remove": {"path": path.name, "deletionTimestamp": LONG_AGO * 1000, "dataChange": True}})
    for version, actions in ((1, added), (2, removed)):
        (folder / "_delta_log" / f"{version:020d}.json").write_text("".join(json.dumps(a) + "\n" for a in actions))
    return folder


def check(folder):
    expect("files that are left", sum(1 for f in os.scandir(folder) if f.name.startswith("data-")), FILES // 2)


def with_lakeshed():
    folder = make("vacuum-lakeshed")
    server = lakeshed()
    try:
        session, idle = server.session(), server.memory()
        cpu, before = server.cpu(), time.perf_counter()
        session.sql(f"VACUUM delta.`{folder}`").collect()
        figures = time.perf_counter() - before, server.cpu() - cpu, server.memory("VmHWM"), server.memory("VmHWM") - idle
        session.stop()
    finally:
        server.stop()
    check(folder)
    return figures


def with_delta_rs():
    folder = make("vacuum-delta-rs")
    out = subprocess.run([sys.executable, "-W", "ignore", "-c", PEER, str(folder)], check=True, capture_output=True, text=True).stdout.split()
    check(folder)
    return (*map(float, out[1:]), None)


def main():
    seen = {"lakeshed": [], "delta-rs": []}
    for _ in range(min(TURNS, 3)):
        seen["lakeshed"].append(with_lakeshed())
        seen["delta-rs"].append(with_delta_rs())
    results = Results("vacuum")
    for i, (what, unit) in enumerate((("wall", "s"), ("CPU", "s"), ("peak resident memory of the process", "MiB"), ("of it, above the idle server", "MiB"))):
        results.add(what, unit, {name: statistics.median(f[i] for f in figures) for name, figures in seen.items() if figures[0][i] is not None})
    results.finish()


if __name__ == "__main__":
    main()
