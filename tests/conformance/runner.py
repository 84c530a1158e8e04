"""What the conformance suites share: options, worker processes, result lines, recorded scores.

A suite is a module with
  NAME                         its key in scores.json
  add_options(parser)          its own options, if any
  prepare(options)             once, in the parent: may fill options; returns a closing function or None
  cases(options) -> [Case]     everything that can run
  open_worker(options)         once in every worker process; returns what run_case gets as its first argument
  run_case(worker, case) -> {"status": "pass" | "fail" | "skip", ...}    anything else it returns goes into the result line
and ends with `sys.exit(runner.main(sys.modules[__name__]))`.
"""
import argparse
import contextlib
import fnmatch
import importlib
import json
import logging
import multiprocessing
import multiprocessing.connection
import os
import random
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCORES = HERE / "scores.json"
SAMPLE_SEED = 20240229
GRACE_SECONDS = 20  # past its deadline a case may clean up this long before its worker is killed


@dataclass(frozen=True)
class Case:
    name: str
    alone: bool = False     # changes what other cases can see: all such cases run one after the other, in one worker
    detail: object = None
    available: bool = True  # false: what it needs is not on this machine


class CaseTimeout(KeyboardInterrupt):
    """Passes through `except Exception`, and through doctest, which lets only KeyboardInterrupt out."""


@contextlib.contextmanager
def deadline(seconds):
    def expire(signum, frame):
        raise CaseTimeout()

    signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds, 2)  # again every 2 s: a handler may have swallowed the first
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def address(remote):
    host, _, port = remote.removeprefix("sc://").split("/")[0].split(";")[0].rpartition(":")
    return host, int(port)


def server_answers(remote):
    try:
        socket.create_connection(address(remote), 3).close()
        return True
    except OSError:
        return False


def new_session(remote, **settings):
    """A Connect session of its own, with the stock client's ten minutes of retries cut to a second."""
    from pyspark.sql import SparkSession
    from pyspark.sql.connect.client import retries
    retries.DefaultPolicy.__init__ = lambda self, **_: retries.RetryPolicy.__init__(
        self, max_retries=2, initial_backoff=100, max_backoff=500, backoff_multiplier=4, jitter=100)
    session = SparkSession.builder.remote(remote).appName("conformance").create()
    for key, value in settings.items():
        session.conf.set(f"spark.sql.{key.replace('__', '.')}", value)
    return session


# ---- one worker process: takes case numbers from its pipe, answers result lines ----

def serve(module, options, pipe):
    logging.disable(logging.CRITICAL)  # the client logs every server error with its stack
    suite = importlib.import_module(module)
    cases, worker = suite.cases(options), None
    for number in iter(pipe.recv, None):
        start, case = time.monotonic(), cases[number]
        try:
            if not server_answers(options.remote):
                result = {"status": "dead", "error": "the server does not answer"}
            else:
                with deadline(options.timeout):
                    worker = worker or suite.open_worker(options)
                    result = suite.run_case(worker, case)
        except CaseTimeout:
            result, worker = {"status": "timeout", "error": f"no answer in {options.timeout:g} s"}, None
        except Exception as error:
            result = {"status": "error", "error": f"{type(error).__name__}: {error}"[:600]}
        pipe.send({"case": case.name, "seconds": round(time.monotonic() - start, 2), **result})
    os._exit(0)  # gRPC threads would wait for streams that nobody reads


class Worker:
    """A process and the cases that only it may run; replaced when it hangs or dies."""

    def __init__(self, module, options, own):
        self.module, self.options, self.own = module, options, own
        self.launch()

    def launch(self):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(self.module, self.options, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self.running = None

    def give(self, shared):
        queue = self.own or shared
        self.running = queue.pop(0) if queue else None
        self.kill_at = time.monotonic() + self.options.timeout + GRACE_SECONDS
        self.pipe.send(self.running)

    def take(self):
        """The result that has arrived; None when the process died instead."""
        try:
            return self.pipe.recv()
        except (EOFError, ConnectionResetError):
            return None

    def replace(self):
        self.process.kill()
        self.process.join()
        self.launch()


def run_all(module, options, cases, chosen, each):
    """Runs the chosen case numbers on --jobs workers and hands every result to `each`."""
    alone = [number for number in chosen if cases[number].alone]
    shared = [number for number in chosen if not cases[number].alone]
    jobs = max(1, min(options.jobs, len(shared) + bool(alone)))
    workers = [Worker(module, options, alone if index == 0 else []) for index in range(jobs)]
    for worker in workers:
        worker.give(shared)
    while busy := {worker.pipe: worker for worker in workers if worker.running is not None}:
        ready = multiprocessing.connection.wait(list(busy), 1)
        late = [pipe for pipe, worker in busy.items() if pipe not in ready and time.monotonic() > worker.kill_at]
        for pipe in [*ready, *late]:
            worker = busy[pipe]
            result = worker.take() if pipe in ready else None
            if result is None:
                error = "the client hung" if pipe in late else "the client process died"
                result = {"case": cases[worker.running].name, "status": "timeout" if pipe in late else "error", "error": error}
                worker.replace()
            each(result)
            worker.give(shared)
    for worker in workers:
        worker.process.join(5)


# ---- recorded scores ----

def read_scores():
    return json.loads(SCORES.read_text()) if SCORES.exists() else {}


def write_scores(scores):
    SCORES.write_text(json.dumps(scores, indent=1, sort_keys=True) + "\n")


def compare(name, options, results, everything):
    """Prints what changed against scores.json; (False when a recorded case no longer passes, still passing, lost)."""
    recorded = read_scores().get(name, {"minimum": 0, "passing": []})
    names = {case.name for case in everything}
    before = names - set(recorded["open"]) if "open" in recorded else set(recorded["passing"])
    now = {result["case"] for result in results if result["status"] == "pass"}
    ran = {result["case"] for result in results}
    lost, gained = sorted((before & ran) - now), sorted(now - before)
    for case in lost:
        print(f"  LOST  {case}")
    if before or options.record:
        for case in gained[:40]:
            print(f"  new   {case}")
        if len(gained) > 40:
            print(f"  new   ... and {len(gained) - 40} more")
    gone = sorted(before - names)
    for case in gone:
        print(f"  GONE  {case}: recorded as passing, and the suite no longer has it")
    if len(ran) == len(everything) and len(now) < recorded["minimum"]:
        print(f"{name}: {len(now)} pass, the recorded minimum is {recorded['minimum']}")
    if lost or gone:
        print(f"{name}: {len(lost) + len(gone)} recorded cases no longer pass")
        return False, len(before & now), len(lost) + len(gone)
    if options.record and gained:
        scores = read_scores()
        passing = sorted(before | now)
        kept = {"open": sorted(names - set(passing))} if "open" in recorded else {"passing": passing}
        scores[name] = {"minimum": max(recorded["minimum"], len(passing)), **kept}
        write_scores(scores)
        print(f"{name}: recorded {len(passing)} passing cases, {len(gained)} of them new")
    elif gained and before:
        print(f"{name}: {len(gained)} newly passing cases; --record keeps them")
    return len(ran) < len(everything) or len(now) >= recorded["minimum"], len(before & now), 0


# ---- the program ----

def parse(suite, arguments):
    parser = argparse.ArgumentParser(description=suite.__doc__.strip().splitlines()[0])
    parser.add_argument("--remote", required=True, help="the server: sc://host:port")
    parser.add_argument("--out", type=Path, help="write one JSON line a case here")
    parser.add_argument("--cases", help="only these: comma-separated parts of case names, * and ? allowed")
    parser.add_argument("--jobs", type=int, default=2, help="client processes (default 2)")
    parser.add_argument("--timeout", type=float, default=60, help="seconds a case may take")
    parser.add_argument("--record", action="store_true", help="add newly passing cases to scores.json")
    parser.add_argument("--verbose", action="store_true", help="print every case that does not pass")
    if hasattr(suite, "add_options"):
        suite.add_options(parser)
    return parser.parse_args(arguments)


def choose(options, cases):
    """Case numbers to run: --cases filters; CI_SAMPLE=N takes N of them by a fixed seed."""
    def wanted(name):
        return any(fnmatch.fnmatchcase(name, f"*{part}*") for part in options.cases.split(","))

    chosen = [number for number, case in enumerate(cases) if case.available and (not options.cases or wanted(case.name))]
    size = int(os.environ.get("CI_SAMPLE") or 0)
    if 0 < size < len(chosen):
        chosen = random.Random(SAMPLE_SEED).sample(sorted(chosen, key=lambda number: cases[number].name), size)
    return sorted(chosen, key=lambda number: cases[number].name)


def main(suite, arguments=None):
    module = Path(suite.__file__).stem  # workers import it by this name
    options = parse(suite, arguments)
    if not server_answers(options.remote):
        print(f"{suite.NAME}: no server answers at {options.remote}")
        return 2
    close = suite.prepare(options) if hasattr(suite, "prepare") else None
    results = []
    with contextlib.ExitStack() as stack:
        if close:
            stack.callback(close)
        out = stack.enter_context(open(options.out, "w")) if options.out else None
        cases = suite.cases(options)

        def each(result):
            results.append(result)
            if out:
                out.write(json.dumps(result, default=str) + "\n")
                out.flush()
            if options.verbose and result["status"] not in ("pass", "skip"):
                print(f"  {result['status']:7} {result['case']}: {str(result.get('error', ''))[:160]!r}", flush=True)

        chosen = choose(options, cases)
        if not chosen:
            print(f"{suite.NAME}: no case has {options.cases} in its name")
            return 2
        run_all(module, options, cases, chosen, each)
    counted = [result for result in results if result["status"] != "skip"]
    passed = sum(result["status"] == "pass" for result in counted)
    notes = [suite.summary(options, results)] if hasattr(suite, "summary") else []
    if len(counted) < len(results):
        notes.append(f"{len(results) - len(counted)} skipped")
    absent = sum(not case.available for case in cases)
    if absent:
        notes.append(f"{absent} not on this machine")
    if len(results) + absent < len(cases):
        notes.append(f"{len(cases) - absent - len(results)} not chosen")
    fine, kept, lost = compare(suite.NAME, options, results, cases)
    print(f"{suite.NAME} {passed}/{len(counted)}" + (f" ({'; '.join(notes)})" if notes else ""))
    print(f"of the recorded cases: {kept} passed, {lost} failed, {absent} skipped")
    return 0 if fine else 1
