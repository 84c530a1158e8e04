"""The same statements here and in Spark leave the same log: compared commit by commit, with DESCRIBE HISTORY and DETAIL."""
import re

import log_form
import pytest
import steps
from log_sequences import SEQUENCES

# Where we differ from Delta's writer on purpose: a pattern within a line, what it is read as on both sides, and why.
ACCEPTED = [
    (r'isolationLevel: "WriteSerializable"', 'isolationLevel: "Serializable"', "Databricks' default; Delta's own is the stricter one"),
    (r'"main\.default\.', '"spark_catalog.default.', "the catalog's name"),
    (r"(predicate|Predicates?)(.*)#", r"\1\2", "numbers of expressions say nothing outside the query"),
    (r"([pP]redicate.*)'", r"\1", "Delta shows strings in conditions without quotes"),
    (r".* (add|remove)(\[\d\])?\.tightBounds: (null|true)", "", "absent means true (PROTOCOL.md, Per-file Statistics)"),
    (r".* remove(\[\d\])?\.stats.*", "", "optional; Delta has them where it happened to load them"),
    (r"num(Target)?(Files|AddedFiles|RemovedFiles|FilesAdded|FilesRemoved): \"[1-9]\d*\"", r"num\1\2: some", "files are cut as each engine likes"),
]


def form(line):
    for pattern, read_as, _ in ACCEPTED:
        before = None
        while before != line:
            before, line = line, re.sub(pattern, read_as, line)
    return line


def told(engine, name):
    path = engine.path(name).rstrip("/")
    history = log_form.described(engine.query(f"DESCRIBE HISTORY {name}"), log_form.HISTORY, path, "history")
    detail = log_form.described(engine.query(f"DESCRIBE DETAIL {name}"), log_form.DETAIL, path, "detail")
    return log_form.log(path) + history + detail


def wanted(lines):
    return sorted(filter(None, map(form, lines)))


@pytest.mark.parametrize("name", SEQUENCES)
def test_log(name, lakeshed, spark, tmp_path):
    outcomes, logs = [], []
    for engine in (lakeshed, spark):
        folder = tmp_path / type(engine).__name__
        folder.mkdir()
        outcomes.append(engine.steps(steps.named(SEQUENCES[name], t=f"log_{name}", p=str(folder / "own")), str(folder)))
    assert outcomes[0] == outcomes[1]
    for engine in (lakeshed, spark):
        logs.append(wanted(told(engine, f"log_{name}")))
    ours, theirs = (set(log) for log in logs)
    assert logs[0] == logs[1], "\n" + "\n".join(
        sorted(f"{line} <- ours" for line in ours - theirs) + sorted(f"{line} <- Spark's" for line in theirs - ours))
