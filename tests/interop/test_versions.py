"""Tables are read alike, at every version, by the engine that made and changed them and by the others."""
import pytest
from engines import rows
from scenarios import SCENARIOS, create


def names(scenarios):
    return pytest.mark.parametrize("scenario", scenarios, ids=lambda s: s.name)


@pytest.fixture(scope="module")
def made(request):
    """A scenario's table, made once: its path and the last version."""
    tables = {}

    def make(scenario):
        if scenario.name not in tables:
            maker = request.getfixturevalue(scenario.maker)
            name = f"versions_{scenario.name}"
            maker.sql(create(scenario, name), *(s.format(t=name) for s in scenario.statements))
            tables[scenario.name] = maker.path(name), maker.last_version(name)
        return tables[scenario.name]

    return make


@names(SCENARIOS)
def test_every_version(scenario, made, lakeshed, spark, request):
    path, last = made(scenario)
    versions = range(last + 1)
    ours = [rows(table) for table in lakeshed.version(path, *versions)]
    assert len(ours[0]) == 0 and any(len(content) > 5 for content in ours)
    readers = scenario.readers if scenario.maker == "lakeshed" else ()
    for engine in ("spark", *readers):
        for version, table in zip(versions, request.getfixturevalue(engine).version(path, *versions)):
            assert rows(table) == ours[version], f"{engine} reads version {version} differently"


@names([s for s in SCENARIOS if s.mirrored])
def test_statements_do_what_they_do_in_spark(scenario, made, lakeshed, spark):
    path, last = made(scenario)
    mirror = f"mirror_{scenario.name}"
    spark.sql(create(scenario, mirror), *(s.format(t=mirror) for s in scenario.statements))
    assert spark.history(mirror) == lakeshed.history(f"delta.`{path}`")
    versions = range(last + 1)
    for version, mine, theirs in zip(versions, lakeshed.version(path, *versions), spark.version(spark.path(mirror), *versions)):
        assert rows(mine) == rows(theirs), f"version {version}"


@names([s for s in SCENARIOS if s.feeds])
def test_change_feed(scenario, made, lakeshed, spark):
    path, _ = made(scenario)
    for start, end in scenario.feeds:
        ours = lakeshed.changes(path, start, end)
        assert ours.num_rows > 5
        assert rows(ours) == rows(spark.changes(path, start, end)), f"versions {start} to {end}"
