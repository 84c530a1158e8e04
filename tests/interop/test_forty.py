"""The forty situations of forty.py: each written by lakeshed and by Spark, then read at every version by lakeshed, Spark, delta-rs and DuckDB."""
import pathlib
import re

import pytest
from engines import rows
from forty import CASES

ROOT = pathlib.Path(__file__).parents[2]
WRITTEN = [case for case in CASES if case.statements]
NO_COMMIT = ("SET ", "VACUUM ")
CHECK = "spark.databricks.delta.retentionDurationCheck.enabled"


def table_name(case, writer):
    return f"forty_{case.number}_{writer}"


@pytest.fixture(scope="module")
def written(request):
    """By writer and number: the folder of the table and its last version."""
    tables = {}

    def write(case, writer):
        key = (writer, case.number)
        if key not in tables:
            engine = request.getfixturevalue(writer)
            name = table_name(case, writer)
            engine.sql(*(s.replace("{t}", name) for s in case.statements), **{"spark.sql.session.timeZone": case.zone})
            engine.sql(**{"spark.sql.session.timeZone": "UTC", CHECK: "true"})
            path, last = engine.path(name), engine.last_version(name)
            if case.forgets_log:
                forget_log(path)
            tables[key] = path, last
        return tables[key]

    return write


@pytest.fixture(scope="module")
def truth(written, spark):
    """What Spark reads at every version that can be read, once for each table."""
    known = {}

    def read(case, writer):
        key = (writer, case.number)
        if key not in known:
            path, last = written(case, writer)
            wanted = versions(case, path, last)
            known[key] = {v: rows(table) for v, table in zip(wanted, spark.version(path, *wanted))}
        return known[key]

    return read


def checkpoints(path):
    names = (re.match(r"(\d{20})\.checkpoint\..*(parquet|json)$", file.name) for file in pathlib.Path(path, "_delta_log").iterdir())
    return sorted(int(found[1]) for found in names if found)


def forget_log(path):
    """What log clean-up does: commits before the last checkpoint go."""
    newest = checkpoints(path)[-1]
    for file in pathlib.Path(path, "_delta_log").glob("*.json"):
        if re.fullmatch(r"\d{20}\.json", file.name) and int(file.name[:20]) < newest:
            file.unlink()


def versions(case, path, last):
    if case.only_last:
        return [last]
    return range(checkpoints(path)[-1] if case.forgets_log else 0, last + 1)


def ids(cases):
    return [f"{case.number}-{re.sub('[^a-z0-9]+', '-', case.title.lower()).strip('-')}" for case in cases]


def test_all_forty_are_here():
    assert [case.number for case in CASES] == list(range(1, 41))


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_what_shows_it_exists(case):
    assert case.statements or case.shown_by
    for place in case.shown_by:
        file, _, name = place.partition("::")
        text = (ROOT / file).read_text()
        assert not name or re.search(rf"\b{name}\(", text), place


@pytest.mark.parametrize("writer", ["lakeshed", "spark"])
@pytest.mark.parametrize("case", WRITTEN, ids=ids(WRITTEN))
def test_every_version_for_every_reader(case, writer, written, truth, request):
    path, _ = written(case, writer)
    assert any(truth(case, writer).values())
    for reader in ("lakeshed", "delta_rs", "duck"):
        engine = request.getfixturevalue(reader)
        for version, want in truth(case, writer).items():
            if reader in case.blind:
                with pytest.raises(Exception, match=case.blind[reader]):
                    engine.version(path, version)
            else:
                assert rows(engine.version(path, version)[0]) == want, f"{reader} at version {version}"


@pytest.mark.parametrize("case", [c for c in WRITTEN if c.same_rows], ids=ids([c for c in WRITTEN if c.same_rows]))
def test_both_writers_come_to_the_same(case, written, truth):
    ours, theirs = truth(case, "lakeshed"), truth(case, "spark")
    if case.only_last:
        assert list(ours.values()) == list(theirs.values())
        return
    assert max(ours) == max(theirs)
    for version in ours.keys() & theirs.keys():
        assert ours[version] == theirs[version], f"version {version}"


QUERIED = [case for case in WRITTEN if case.queries]


@pytest.mark.parametrize("writer", ["lakeshed", "spark"])
@pytest.mark.parametrize("case", QUERIED, ids=ids(QUERIED))
def test_conditions_find_the_same(case, writer, written, lakeshed, spark):
    path, _ = written(case, writer)
    for query in case.queries:
        text = query.replace("{t}", f"delta.`{path}`")
        assert rows(lakeshed.query(text)) == rows(spark.query(text)), query


FEEDS = [case for case in WRITTEN if case.feed is not None]


@pytest.mark.parametrize("writer", ["lakeshed", "spark"])
@pytest.mark.parametrize("case", FEEDS, ids=ids(FEEDS))
def test_change_feeds_are_alike(case, writer, written, lakeshed, spark):
    path, last = written(case, writer)
    ours = lakeshed.changes(path, case.feed, last)
    assert ours.num_rows and rows(ours) == rows(spark.changes(path, case.feed, last))
    columns = [name for name in ours.column_names if name != "_commit_timestamp"]
    other, other_last = written(case, "spark" if writer == "lakeshed" else "lakeshed")
    assert rows(ours, *columns) == rows(lakeshed.changes(other, case.feed, other_last), *columns)


REFUSED = [case for case in WRITTEN if case.refused]


@pytest.mark.parametrize("writer", ["lakeshed", "spark"])
@pytest.mark.parametrize("case", REFUSED, ids=ids(REFUSED))
def test_what_is_refused_changes_nothing(case, writer, written, lakeshed, spark):
    """By lakeshed on a table of either, and by Spark alike."""
    path, last = written(case, writer)
    before = rows(lakeshed.version(path, last)[0])
    for statement, error in case.refused:
        text = statement.replace("{t}", f"delta.`{path}`")
        with pytest.raises(Exception, match=error):
            lakeshed.query(text)
        spark.sql(**{CHECK: "true"})
        assert re.search(error, spark.refusal(text)), statement
    assert lakeshed.last_version(f"delta.`{path}`") == last
    assert rows(lakeshed.version(path, last)[0]) == before
