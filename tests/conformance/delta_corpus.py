#!/usr/bin/env python3
"""DELTA: reads Delta tables that other programs wrote, through a Spark Connect server; one case a table and version.

Two sets of tables: data/delta-tables.tar.zst, which make_tables.py let a real Spark and delta-rs write (own/...), and
those of other projects' tests, which are not in this repository: --others, or $DELTA_TABLES, a folder or a .tar.zst; or
the shared material if it lies next to the checkout. Without them their cases are not run.
data/delta_expected.json holds what real readers made of each: rows and a checksum (canonical.py), or the class with
which Spark refuses it ("spark_refuses": Delta Kernel reads that version and Spark does not). A refusal of any class
passes where one is due; the summary counts the equal ones. The server must see this machine's files.
"""
import json
import os
import re
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

import canonical
import runner

NAME = "DELTA"
EXPECTED = runner.HERE / "data" / "delta_expected.json"
OWN_TABLES = runner.HERE / "data" / "delta-tables.tar.zst"
BESIDE_THE_CHECKOUT = runner.HERE.parents[2] / "shared" / "delta-corpus" / "tables.tar.zst"


def add_options(parser):
    parser.add_argument("--others", type=Path, help="tables of other projects: a folder, or a .tar.zst")


def prepare(options):
    """Sets options.own and options.others (None when absent) to folders; what is unpacked here is removed at the end."""
    unpacked = Path(tempfile.mkdtemp(prefix="delta-tables-"))
    unpacked.chmod(0o755)  # the server may run as another user
    named = options.others or os.environ.get("DELTA_TABLES")
    others = Path(named) if named else BESIDE_THE_CHECKOUT
    if named and not others.exists():
        sys.exit(f"{NAME}: {others} does not exist")
    unpack(OWN_TABLES, unpacked)
    if others.is_file():
        unpack(others, unpacked)
        others = unpacked
    options.own, options.others = unpacked, others.resolve() if others.is_dir() else None
    return lambda: shutil.rmtree(unpacked, ignore_errors=True)


def unpack(archive, folder):
    import zstandard
    with open(archive, "rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as stream:
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            # Links stay inside; unusual file names are what some tables are for. Python below 3.11.4 knows no filters.
            tar.extraction_filter = getattr(tarfile, "tar_filter", None)
            tar.extractall(folder)


def write_expected(expected):
    lines = (f" {json.dumps(name)}: {json.dumps(want)}" for name, want in sorted(expected.items()))
    EXPECTED.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def cases(options):
    found = []
    for name, want in json.loads(EXPECTED.read_text()).items():
        table, _, version = name.rpartition("@")
        folder = options.own if table.startswith("own/") else options.others
        path = folder / table if folder else Path(table)
        path = path / "delta" if (path / "delta" / "_delta_log").is_dir() else path
        detail = (str(path), None if version == "latest" else int(version), want)
        found.append(runner.Case(name, detail=detail, available=folder is not None))
    return found


def open_worker(options):
    spark = runner.new_session(options.remote, session__timeZone="UTC")
    # Delta refuses to travel past the retention period, and these tables are years old.
    spark.conf.set("spark.databricks.delta.vacuum.enforceTimeTravelWithinDeletedFileRetentionDuration", "false")
    return spark


def read(spark, path, version):
    """{"rows", "sum"} as the server reads the table; no sum where a column is a VARIANT: it has many encodings."""
    reader = spark.read.format("delta")
    if version is not None:
        reader = reader.option("versionAsOf", version)
    frame = reader.load(path)
    if "variant" in frame.schema.simpleString():
        return {"rows": frame.count()}
    table = frame.toArrow()
    return {"rows": table.num_rows, "sum": canonical.table_checksum(table)}


def run_case(spark, case):
    path, version, want = case.detail
    try:
        got = read(spark, path, version)
    except Exception as error:
        condition = getattr(error, "getCondition", lambda: None)()
        text = f"{type(error).__name__}: {error}".split("\n\nJVM stacktrace")[0][:1500]
        verdict = "pass" if "refused" in want and not is_breakdown(error) else "fail"
        same = {"same_class": condition == want["refused"]} if "refused" in want else {}
        return {"status": verdict, "outcome": "refused", "condition": condition, "error": text, "want": want, **same}
    if "refused" in want:
        return {"status": "fail", "outcome": "accepted-bad", "error": f"read {got['rows']} rows", "want": want, "got": got}
    if got["rows"] != want["rows"]:
        return {"status": "fail", "outcome": "wrong-rows", "error": f"{got['rows']} rows, not {want['rows']}", "want": want, "got": got}
    if "sum" in want and "sum" in got and got["sum"] != want["sum"]:
        return {"status": "fail", "outcome": "wrong-values", "error": "the checksum differs", "want": want, "got": got}
    return {"status": "pass", "outcome": "read"}


def is_breakdown(error):
    """A lost connection or a fault of the server refuses nothing."""
    return re.search(r"UNAVAILABLE|Socket closed|Connection refused|INTERNAL_ERROR", str(error)[:400]) is not None


def summary(options, results):
    want = {case.name: case.detail[2] for case in cases(options)}
    counts = {}
    for result in results:
        kind = "refused" if "refused" in want[result["case"]] else "must read"
        passed, total = counts.get(kind, (0, 0))
        counts[kind] = passed + (result["status"] == "pass"), total + 1
    parts = [f"{kind} {passed}/{total}" for kind, (passed, total) in sorted(counts.items())]
    return "; ".join(parts + [f"with Spark's class {sum(result.get('same_class', False) for result in results)}"])


if __name__ == "__main__":
    sys.exit(runner.main(sys.modules[__name__]))
