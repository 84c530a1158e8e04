"""Starts the built program (path in LAKESHED) on free ports and hands out real clients."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from server_process import PROGRAM, Server, end_now  # noqa: E402,F401


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("server") / "data")
    yield s
    assert s.stop() == 0


@pytest.fixture
def spark(server):
    session = server.session()
    yield session
    session.stop()


@pytest.fixture
def new_server(tmp_path):
    """Servers of one test's own: new_server("name", "--option", "value")."""
    started = []

    def start(name="data", *options):
        s = Server(tmp_path / name, *options)
        started.append(s)
        return s

    yield start
    for s in started:
        s.stop()


def pytest_sessionfinish(session, exitstatus):
    session.config.stash_status = int(exitstatus)


def pytest_unconfigure(config):
    if hasattr(config, "stash_status"):
        end_now(config.stash_status)
