"""Leaves as soon as the tests are through: see server_process.end_now."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from server_process import end_now  # noqa: E402


def pytest_sessionfinish(session, exitstatus):
    session.config.stash_status = int(exitstatus)


def pytest_unconfigure(config):
    if hasattr(config, "stash_status"):
        end_now(config.stash_status)
