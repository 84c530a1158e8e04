"""lakeshed (path in LAKESHED), one classic Spark with Delta, delta-rs and DuckDB, all on the same tables."""
import json
import pathlib
import sys

import pytest

sys.path[:0] = [str(pathlib.Path(__file__).parents[1]), str(pathlib.Path(__file__).parent)]
import engines  # noqa: E402
import server_process  # noqa: E402
import steps  # noqa: E402


class Lakeshed:
    """A session on the program, in the shape of the other engines."""

    def __init__(self, remote, session):
        self.remote = remote
        self.session = session
        session.conf.set("spark.sql.session.timeZone", "UTC")

    def sql(self, *statements, **settings):
        for name, value in settings.items():
            self.session.conf.set(name, value)
        for statement in statements:
            self.session.sql(statement).collect()

    def steps(self, asked, folder):
        return steps.run(self.session, asked, folder)

    def query(self, text):
        return self.session.sql(text).toArrow()

    def path(self, name):
        return self.query(f"DESCRIBE DETAIL {name}").column("location")[0].as_py().removeprefix("file:")

    def history(self, name):
        return engines.history(self.query(f"DESCRIBE HISTORY {name}"))

    def last_version(self, name):
        return len(self.history(name)) - 1

    def read(self, path, **options):
        return self.session.read.format("delta").options(**options).load(path).toArrow()

    def version(self, path, *versions):
        return [self.read(path, versionAsOf=v) for v in versions]

    def changes(self, path, start, end):
        return self.read(path, readChangeFeed=True, startingVersion=start, endingVersion=end)

    def schema(self, path):
        return json.loads(self.session.read.format("delta").load(path).schema.json())


@pytest.fixture(scope="session")
def lakeshed(tmp_path_factory):
    server = server_process.Server(tmp_path_factory.mktemp("lakeshed") / "data")
    session = server.session()
    yield Lakeshed(server.remote, session)
    session.stop()
    assert server.stop() == 0


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    peer = engines.Spark(tmp_path_factory.mktemp("spark"))
    yield peer
    assert peer.stop() == 0


@pytest.fixture(scope="session")
def delta_rs():
    return engines.DeltaRs()


@pytest.fixture(scope="session")
def duck():
    return engines.Duck()


def pytest_sessionfinish(session, exitstatus):
    session.config.stash_status = int(exitstatus)


def pytest_unconfigure(config):
    if hasattr(config, "stash_status"):
        server_process.end_now(config.stash_status)
