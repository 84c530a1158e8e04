"""What the questions share: turns taken side by side, CPU and memory of process trees, tables and JSON."""
import json
import os
import pathlib
import shutil
import statistics
import time

ROOT = pathlib.Path(__file__).parents[1]
RESULTS = pathlib.Path(os.environ.get("BENCH_RESULTS", ROOT / "build" / "bench"))
WORK = pathlib.Path(os.environ.get("BENCH_WORK", RESULTS / "work"))
DATA = pathlib.Path(os.environ.get("BENCH_DATA", RESULTS / "data"))
TURNS = int(os.environ.get("BENCH_TURNS", "5"))
ROWS = int(os.environ.get("BENCH_ROWS", "5000000"))
TICKS = os.sysconf("SC_CLK_TCK")


# ---- processes ----

def tree(pid):
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in task.read_text().split():
                found += tree(int(child))
        except OSError:
            pass
    return found


def cpu_seconds(pid):
    """User and system seconds of a process, its children and the children it has reaped."""
    total = 0
    for process in tree(pid):
        try:
            fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
            total += sum(map(int, fields[11:15]))
        except OSError:
            pass
    return total / TICKS


def memory_mib(pid, what="VmRSS"):
    total = 0
    for process in tree(pid):
        try:
            for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines():
                if line.startswith(what + ":"):
                    total += int(line.split()[1])
        except OSError:
            pass
    return total / 1024


def own_cpu():
    times = os.times()
    return times.user + times.system


# ---- turns ----

class Contender:
    """One side of a question: work() is what is measured. prepare() runs before each turn and check(result) after it, unmeasured;
    cpu() reads the CPU seconds so far of the process that does the work."""

    def __init__(self, name, work, cpu=own_cpu, prepare=None, check=None):
        self.name, self.work, self.cpu, self.prepare, self.check = name, work, cpu, prepare, check
        self.wall, self.seconds = [], []

    def turn(self, counts):
        if self.prepare:
            self.prepare()
        used, start = self.cpu(), time.perf_counter()
        result = self.work()
        wall, used = time.perf_counter() - start, self.cpu() - used
        if self.check:
            self.check(result)
        if counts:
            self.wall.append(wall)
            self.seconds.append(used)


def side_by_side(contenders, turns=None, warm_up=1):
    """A B C, A B C, ...: whatever else the machine does, it does to all of them."""
    turns = turns or TURNS
    for turn in range(-warm_up, turns):
        for contender in contenders[turn % len(contenders):] + contenders[:turn % len(contenders)]:
            contender.turn(turn >= 0)


def expect(what, got, wanted):
    if got != wanted:
        raise SystemExit(f"{what}: {got!r} instead of {wanted!r}")


# ---- places ----

def fresh_folder(name):
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder


def linked_copy(source, name):
    """A table to change: its own log, hard links to the data files."""
    folder = fresh_folder(name)
    shutil.copytree(source, folder, copy_function=os.link, ignore=shutil.ignore_patterns("_delta_log"))
    shutil.copytree(source / "_delta_log", folder / "_delta_log")
    return folder


def made_once(name, make):
    folder = DATA / name
    if not folder.exists():
        half = DATA / (name + ".half")
        shutil.rmtree(half, ignore_errors=True)
        half.parent.mkdir(parents=True, exist_ok=True)
        make(half)
        half.rename(folder)
    return folder


# ---- results ----

class Results:
    """Lines of one question: the first contender of each line is ours, ratios are ours to theirs."""

    def __init__(self, question):
        self.question, self.lines = question, []

    def add(self, what, unit, values, spread=None):
        """values: {contender: median}, ours first."""
        self.lines.append({"what": what, "unit": unit, "values": values, "spread": spread})

    def add_turns(self, what, contenders):
        for part, series in (("wall", "wall"), ("CPU", "seconds")):
            self.add(f"{what}, {part}", "s", {c.name: statistics.median(getattr(c, series)) for c in contenders},
                     {c.name: [min(getattr(c, series)), max(getattr(c, series))] for c in contenders})

    def table(self):
        out = []
        for line in self.lines:
            ours, *others = line["values"].items()
            cells = [f"{ours[1]:.3g} {line['unit']}"]
            cells += [f"{name} {value:.3g} ({ours[1] / value:.2f} x)" if value else f"{name} {value:.3g}" for name, value in others]
            out.append(f"| {line['what']} | " + " | ".join(cells) + " |")
        return "\n".join(out)

    def finish(self):
        """Writes and prints what was found, and ends the program."""
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{self.question}.json").write_text(json.dumps({"question": self.question, "turns": TURNS, "rows": ROWS,
                                                                     "lines": self.lines}, indent=1) + "\n")
        print(self.table(), flush=True)
        shutil.rmtree(WORK, ignore_errors=True)
        os._exit(0)  # clients of servers that are gone would go on trying to take leave of them
