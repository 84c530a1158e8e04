"""A sort of 5 GB with a memory limit of 500 MB: seconds, the most memory the server held, the most it had on disk."""
import os
import pathlib
import threading
import time

from measure import WORK, Results, expect
from servers import lakeshed

ROWS = int(os.environ.get("BENCH_SPILL_ROWS", "50000000"))  # of about 105 bytes
LIMIT = "500MB"


class Disk(threading.Thread):
    """Looks four times a second how large a folder is."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.folder, self.most, self.ended = folder, 0, threading.Event()

    def run(self):
        while not self.ended.wait(0.25):
            sizes = [self.size(file) for file in pathlib.Path(self.folder).rglob("*")]
            self.most = max(self.most, sum(sizes))

    @staticmethod
    def size(file):
        try:
            return file.stat().st_size
        except OSError:
            return 0


def main():
    results, server = Results("spill"), lakeshed("--memory-limit", LIMIT)
    try:
        session, disk = server.session(), Disk(WORK / "lakeshed" / "spill")
        disk.start()
        used, start = server.cpu(), time.perf_counter()
        last = session.sql(f"""SELECT k, length(pad) AS n FROM (SELECT xxhash64(id) AS k, concat(id, '-', repeat('abcdefgh', 11)) AS pad
            FROM range({ROWS})) ORDER BY k, pad LIMIT 3 OFFSET {ROWS - 3}""").collect()
        results.add(f"{ROWS:,} rows sorted, limit {LIMIT}, wall", "s", {"lakeshed": time.perf_counter() - start})
        results.add("the same, CPU", "s", {"lakeshed": server.cpu() - used})
        disk.ended.set()
        results.add("the most resident memory", "MiB", {"lakeshed": server.memory("VmHWM")})
        results.add("the most on disk", "MiB", {"lakeshed": disk.most / 2**20})
        expect("rows at the end", [len(last), sorted(r.k for r in last) == [r.k for r in last]], [3, True])
    finally:
        server.stop()
    results.finish()


if __name__ == "__main__":
    main()
