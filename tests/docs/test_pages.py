"""Runs what README.md and the examples' pages tell a reader to type; follows their links.

Addresses, ports and folders of the page are replaced by free ones. A new command needs no test of its own: it must end
with status 0, and print what the page shows below it.
"""
import os
import pathlib
import re
import shlex
import stat
import subprocess
import sys
import urllib.request

import duckdb
import duckdb_extension_delta
import pytest
from blocks import ROOT, blocks, commands
from server_process import PROGRAM, Server

PAGES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("examples/*/README.md"))]
COMMANDS = [command for page in PAGES for command in commands(page)]
PYTHON = [block for page in PAGES for block in blocks(page) if block.language == "python"]
# What the pages use of curl, which a plain Debian lacks; there a name for the local host may be missing as well.
CURL = """import sys, urllib.request
address = sys.argv[-1].split("//")[-1].replace("localhost", "127.0.0.1")
sys.stdout.write(urllib.request.urlopen("http://" + address).read().decode())"""


def is_serve(command):
    return command.text.startswith("build/lakeshed serve")


def is_make(command):
    return command.text.startswith("make ")


def write_program(path, text):
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A folder that looks like the built repository, and the environment to type in."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "build").mkdir()
    (folder / "build" / "lakeshed").symlink_to(PROGRAM)
    (folder / "examples").symlink_to(ROOT / "examples")
    (folder / "job.py").write_text("from pyspark.sql import SparkSession\n"
                                   "assert SparkSession.builder.getOrCreate().range(3).count() == 3\n")
    tools = folder / ".tools"
    tools.mkdir()
    write_program(tools / "python", f'exec {shlex.quote(sys.executable)} -W ignore "$@"\n')
    write_program(tools / "curl", f'exec {shlex.quote(sys.executable)} -c {shlex.quote(CURL)} "$@"\n')
    return folder


@pytest.fixture(scope="module")
def environment(checkout):
    return {**os.environ, "PATH": f"{checkout / '.tools'}:{os.environ['PATH']}", "LAKESHED_PORT": "0", "LAKESHED_REST_PORT": "0"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("server") / "data")
    yield running
    assert running.stop() == 0


@pytest.mark.parametrize("command", [c for c in COMMANDS if is_make(c)], ids=str)
def test_make_knows_the_target(command):
    asked = subprocess.run([*shlex.split(command.text, comments=True), "--dry-run"], cwd=ROOT, capture_output=True, text=True)
    assert asked.returncode == 0, asked.stderr


@pytest.mark.parametrize("command", [c for c in COMMANDS if is_serve(c)], ids=str)
def test_server_starts(command, checkout, environment, tmp_path):
    arguments = shlex.split(re.sub(r"\b(15002|8080)\b", "0", command.text), comments=True)
    arguments = [str(tmp_path / "lake") if word.startswith("/srv/") else word for word in arguments if word != "&"]
    errors = open(tmp_path / "log", "w")
    process = subprocess.Popen(arguments, cwd=checkout, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=errors, text=True)
    listening = {}
    for line in process.stdout:
        words = line.split()
        if words[0] == "data":
            break
        listening[words[1]] = words[2]
    try:
        assert {"spark-connect", "rest"} <= listening.keys(), (tmp_path / "log").read_text()
        assert urllib.request.urlopen(listening["rest"] + "/health").status == 200
    finally:
        process.terminate()
        process.stdout.read()
        assert process.wait(60) == 0


@pytest.mark.parametrize("command", [c for c in COMMANDS if not is_make(c) and not is_serve(c)], ids=str)
def test_command(command, checkout, environment, server):
    port, rest_port = server.remote.rsplit(":", 1)[1], server.rest.rsplit(":", 1)[1]
    text = re.sub(r"\b8080\b", rest_port, re.sub(r"\b15002\b", port, command.text))
    done = subprocess.run(["bash", "-c", text], cwd=checkout, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    if command.output is not None:
        assert done.stdout.rstrip() == command.output.rstrip()


@pytest.fixture(scope="module")
def names(server, checkout, environment):
    """What the Python examples take for granted: a session, the orders, new ones, and a DuckDB that has its Delta reader."""
    subprocess.run(["python", "examples/order-platform/orders.py"], cwd=checkout, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, env={**environment, "SPARK_REMOTE": server.remote}, timeout=110)
    import deltalake
    spark = server.session()
    reader = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    package = pathlib.Path(duckdb_extension_delta.__file__).parent
    reader.execute(f"LOAD '{next(package.rglob('delta.duckdb_extension'))}'")
    new = spark.table("prod.orders.orders").limit(1)
    yield {"spark": spark, "new": new, "deltalake": deltalake, "duckdb": reader}
    spark.stop()


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: f"{block.file}:{block.line}")
def test_python(block, names):
    location = names["spark"].sql("DESCRIBE DETAIL prod.orders.orders").first()["location"].removeprefix("file:")
    text = re.sub(r"lakeshed-data/warehouse/prod/orders/orders-\w+", location, block.text)
    assert "lakeshed-data" not in text
    exec(compile(text, f"{block.file}:{block.line}", "exec"), names)


def test_options_exist():
    """Every --option that a page gives to lakeshed is one of --help."""
    text = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout
    for command in COMMANDS:
        if "lakeshed" in command.text:
            for option in re.findall(r"(?<!\S)--[a-z-]+", command.text):
                assert option in text, f"{command}: {option}"


@pytest.mark.parametrize("page", sorted(str(path.relative_to(ROOT)) for path in
                                        [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md"),
                                         *ROOT.glob("src/**/*.md"), *ROOT.glob("tests/**/*.md"), *ROOT.glob("tools/*.md")]))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)", (ROOT / page).read_text()):
        if "://" not in target:
            assert ((ROOT / page).parent / target).exists(), target
