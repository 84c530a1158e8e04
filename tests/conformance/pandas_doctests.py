#!/usr/bin/env python3
"""PANDAS: the examples in the docstrings of pandas-on-Spark (pyspark.pandas), through a Spark Connect server; one case a docstring.

Needs a Python with pandas 2 (what PySpark 4.2 can import) and NumPy 1 (how the docstrings print numbers). Modules, names and comparison flags are those
of each module's own test entry point.
"""
import contextlib
import doctest
import importlib
import os
import re
import sys
import tempfile
import time
import warnings

import runner
import s1_doctests

NAME = "PANDAS"
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
MODULES = """
    pyspark.pandas.base pyspark.pandas.categorical pyspark.pandas.datetimes pyspark.pandas.frame pyspark.pandas.generic
    pyspark.pandas.groupby pyspark.pandas.indexing pyspark.pandas.indexes.base pyspark.pandas.indexes.category
    pyspark.pandas.indexes.datetimes pyspark.pandas.indexes.multi pyspark.pandas.indexes.timedelta pyspark.pandas.namespace
    pyspark.pandas.series pyspark.pandas.spark.accessors pyspark.pandas.sql_formatter pyspark.pandas.strings pyspark.pandas.window
""".split()
SERVER_WIDE = re.compile(r"table|spark\.sql\(|path|to_delta|to_spark_io", re.I)


def docstrings(module_name):
    module = importlib.import_module(module_name)
    for test in doctest.DocTestFinder().find(module, module_name, globs=vars(module)):
        if test.examples:
            yield test


def cases(options):
    os.environ["SPARK_REMOTE"] = options.remote  # pyspark.pandas asks on import which kind of session there will be
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
    warnings.simplefilter("ignore")
    found = []
    for module in MODULES:
        for test in docstrings(module):
            source = "".join(example.source for example in test.examples)
            found.append(runner.Case(test.name, SERVER_WIDE.search(source) is not None, (module, test)))
    return found


def open_worker(options):
    os.environ["TZ"] = "America/Los_Angeles"
    time.tzset()
    os.chdir(tempfile.mkdtemp(prefix="pandas-"))
    warnings.simplefilter("ignore")
    import pandas
    pandas.set_option("display.width", 80)
    return options.remote


def run_case(remote, case):
    import numpy
    import pandas
    import pyspark.pandas as ps
    from pyspark.sql import SparkSession, functions
    module, test = case.detail
    spark = SparkSession.builder.remote(remote).getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", os.environ["TZ"])
    ps.set_option("plotting.backend", "matplotlib")
    database = f"pandas_{os.getpid()}"
    spark.sql(f"CREATE DATABASE IF NOT EXISTS {database}")
    test.globs = dict(vars(importlib.import_module(module)), spark=spark, ps=ps, np=numpy, pd=pandas, sf=functions, db=database)
    recorder, stdout = s1_doctests.Recorder(FLAGS), sys.stdout
    try:
        with tempfile.TemporaryDirectory() as folder:
            test.globs["path"] = folder
            with open(os.devnull, "w") as nothing:
                counts = recorder.run(test, out=nothing.write, clear_globs=False)
    finally:
        sys.stdout = stdout
        with contextlib.suppress(Exception):
            spark.sql(f"DROP DATABASE {database} CASCADE")
            for name in ("compute.default_index_type", "compute.ops_on_diff_frames", "display.max_rows"):
                ps.reset_option(name)
    return {"status": "fail" if counts.failed else "pass", "examples": counts.attempted, "failed": counts.failed,
            **(recorder.first or {})}


def summary(options, results):
    del options
    examples = sum(result.get("examples", 0) for result in results)
    wrong = sum(result.get("failed", 0) for result in results)
    return f"{examples - wrong}/{examples} examples"


if __name__ == "__main__":
    sys.exit(runner.main(sys.modules[__name__]))
