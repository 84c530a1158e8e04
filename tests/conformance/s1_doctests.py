#!/usr/bin/env python3
"""S1: the examples in PySpark's own docstrings, through a Spark Connect server; one case a docstring.

The docstrings come from the installed client (pyspark-client or pyspark), with the same modules, names and
comparison flags as each module's own test entry point. data/s1_valid.txt names those that a real Spark passes here.
"""
import contextlib
import doctest
import importlib
import io
import os
import re
import sys
import tempfile
import time

import runner

NAME = "S1"
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL
MODULES = """
    pyspark.sql.connect.functions.builtin pyspark.sql.column pyspark.sql.dataframe pyspark.sql.connect.group
    pyspark.sql.window pyspark.sql.connect.readwriter pyspark.sql.connect.catalog pyspark.sql.connect.session
    pyspark.sql.connect.conf pyspark.sql.connect.tvf pyspark.sql.connect.observation pyspark.sql.types
    pyspark.sql.connect.streaming.readwriter pyspark.sql.connect.streaming.query
""".split()
# PySpark itself leaves these out over Connect; pandas_api needs the pandas-on-Spark package.
LEFT_OUT = {
    "pyspark.sql.connect.session.SparkSession",
    "pyspark.sql.connect.session.SparkSession.Builder.master",
    "pyspark.sql.dataframe.DataFrame.pandas_api",
    "pyspark.sql.dataframe.DataFrame.rdd",
    "pyspark.sql.dataframe.DataFrame.toJSON",
}
# Tables, databases, global views and streams are seen by every session of the server.
SERVER_WIDE = re.compile(r"table|database|global|stream|\.catalog|writeTo|stop\(", re.I)
# Its example expects that a query of the same session has ended before.
NEEDS_BEFORE = {
    "pyspark.sql.connect.streaming.query.StreamingQueryManager.awaitAnyTermination":
        "pyspark.sql.connect.streaming.query.StreamingQuery.stop",
}
VALID = runner.HERE / "data" / "s1_valid.txt"


def docstrings(module_name):
    module = importlib.import_module(module_name)
    for test in doctest.DocTestFinder().find(module, module_name, globs=vars(module)):
        if test.examples and test.name not in LEFT_OUT:
            yield test


def cases(options):
    del options
    found = []
    for module in MODULES:
        for test in docstrings(module):
            source = "".join(example.source for example in test.examples)
            alone = "streaming" in module or SERVER_WIDE.search(source) is not None
            found.append(runner.Case(test.name, alone, (module, test)))
    return found


class Recorder(doctest.DocTestRunner):
    """Remembers the first example that went wrong: the ones after it usually only follow from it."""

    def __init__(self, flags=FLAGS):
        super().__init__(verbose=False, optionflags=flags)
        self.first = None

    def note(self, example, **what):
        if self.first is None:
            self.first = {"source": example.source.strip()[:400], "line": example.lineno, **what}

    def report_start(self, out, test, example):
        pass

    def report_success(self, out, test, example, got):
        pass

    def report_failure(self, out, test, example, got):
        self.note(example, want=example.want[:1500], got=got[:1500])

    def report_unexpected_exception(self, out, test, example, exc_info):
        error = exc_info[1]
        condition = getattr(error, "getCondition", lambda: None)()
        self.note(example, error=f"{type(error).__name__}: {error}".split("\n\nJVM stacktrace")[0][:1500], condition=condition)


def prepare(options):
    """Drops what an earlier run may have left behind: some docstrings keep their functions."""
    created = set(re.findall(r"CREATE FUNCTION (\w+)", "".join(
        example.source for module in MODULES for test in docstrings(module) for example in test.examples)))
    with contextlib.suppress(Exception):  # a server without functions has none left over
        spark = runner.new_session(options.remote)
        for name in sorted(created):
            spark.sql(f"DROP FUNCTION IF EXISTS {name}")
        spark.stop()


def open_worker(options):
    os.environ["SPARK_REMOTE"] = options.remote          # docstrings build sessions of their own
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
    os.environ["TZ"] = "America/Los_Angeles"             # the zone in which the docstrings were written
    time.tzset()
    os.chdir(tempfile.mkdtemp(prefix="s1-"))
    return options.remote


def run_case(remote, case):
    """Every docstring gets a session of its own, so that it passes or fails in any order and in any sample."""
    module, test = case.detail
    spark = runner.new_session(remote, session__timeZone=os.environ["TZ"])
    try:
        if test.name in NEEDS_BEFORE:
            run_docstring(spark, module, next(other for other in docstrings(module) if other.name == NEEDS_BEFORE[test.name]))
        counts, first = run_docstring(spark, module, test)
    finally:
        with contextlib.suppress(Exception):
            if not spark._client._closed:  # a docstring may stop it
                spark.stop()
    return {"status": "fail" if counts.failed else "pass", "examples": counts.attempted, "failed": counts.failed, **(first or {})}


def run_docstring(spark, module, test):
    """(counts, what went wrong first or None)."""
    from pyspark.sql import SparkSession
    test.globs = dict(vars(importlib.import_module(module)), spark=spark)
    if module.endswith("connect.session"):
        test.globs["SparkSession"] = SparkSession
    recorder, stdout = Recorder(), sys.stdout
    try:
        counts = recorder.run(test, out=io.StringIO().write, clear_globs=False)
    finally:
        sys.stdout = stdout
    return counts, recorder.first


def summary(options, results):
    valid = set(VALID.read_text().split())
    ran = [result for result in results if result["case"] in valid]
    passed = sum(result["status"] == "pass" for result in ran)
    examples = sum(result.get("examples", 0) for result in results)
    wrong = sum(result.get("failed", 0) for result in results)
    return f"{passed}/{len(ran)} of those a real Spark passes; {examples - wrong}/{examples} examples"


if __name__ == "__main__":
    sys.exit(runner.main(sys.modules[__name__]))
