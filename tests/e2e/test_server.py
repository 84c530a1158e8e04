"""The program: starting, stopping, its data folder, its command line."""
import json
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pyarrow.ipc
import pytest
from conftest import PROGRAM
from pyspark.errors import PySparkException


def run(*arguments, **options):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, timeout=60, **options)


def test_help_and_version():
    text = run("--help").stdout.decode()
    assert "lakeshed serve" in text and "--rest-port" in text and "LAKESHED_" in text
    assert run("--version").stdout.decode().startswith("lakeshed ")


@pytest.mark.parametrize("arguments", [["nonsense"], ["serve", "--colour", "red"], ["serve", "--port", "x"], ["sql"],
                                       ["sql", "select 1", "--format", "xml"]])
def test_bad_command_line(arguments):
    done = run(*arguments)
    assert done.returncode == 2 and b"lakeshed: [LAKESHED_" in done.stderr and done.stdout == b""


def test_sql_formats(tmp_path):
    statement = "select * from values (1, 'a,b', array(1.5)), (2, null, null) as t(i, s, l) order by i"

    def sql(kind):
        return run("sql", statement, "--data", str(tmp_path / "data"), "--format", kind).stdout

    assert sql("csv").decode() == 'i,s,l\n1,"a,b",[1.5]\n2,,\n'
    assert [json.loads(line) for line in sql("json").splitlines()] == [{"i": 1, "s": "a,b", "l": [1.5]},
                                                                       {"i": 2, "s": None, "l": None}]
    assert "|1|" in sql("table").decode()
    assert pyarrow.ipc.open_stream(sql("arrow")).read_all().column("i").to_pylist() == [1, 2]


def test_sql_error(tmp_path):
    done = run("sql", "select nope", "--data", str(tmp_path / "data"))
    assert done.returncode == 1 and b"UNRESOLVED_COLUMN" in done.stderr


def test_rest(server):
    with urllib.request.urlopen(server.rest + "/health") as answer:
        assert json.load(answer) == {"status": "ok"}
    with urllib.request.urlopen(server.rest + "/version") as answer:
        assert json.load(answer)["spark_version"] == "4.2.0"
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(server.rest + "/nope")
    assert raised.value.code == 404


def test_ports_are_announced(new_server):
    server = new_server()
    announced = json.loads((server.data / "server.json").read_text())
    assert announced["pid"] == server.process.pid
    assert server.remote.endswith(f":{announced['port']}") and server.rest.endswith(f":{announced['rest_port']}")
    assert server.stop() == 0
    assert not (server.data / "server.json").exists()


def test_one_server_per_folder(new_server):
    server = new_server()
    done = run("serve", "--data", str(server.data), "--port", "0", "--rest-port", "-1")
    assert done.returncode == 1
    assert b"LAKESHED_DATA_FOLDER_IN_USE" in done.stderr and str(server.process.pid).encode() in done.stderr


def test_port_taken(new_server, tmp_path):
    port = new_server().remote.rsplit(":", 1)[1]
    done = run("serve", "--data", str(tmp_path / "other"), "--port", port, "--rest-port", "-1")
    assert done.returncode == 1 and b"LAKESHED_LISTEN" in done.stderr


def test_settings_file_and_environment(tmp_path):
    settings = tmp_path / "lakeshed.conf"
    settings.write_text(f"data = {tmp_path / 'a'}\nport = 70000\n")
    done = run("serve", "--config", str(settings))
    assert done.returncode == 2 and f"{settings}:2".encode() in done.stderr
    settings.write_text(f"data = {tmp_path / 'a'}\n")
    assert run("sql", "select 1", "--config", str(settings)).returncode == 0
    assert (tmp_path / "a").is_dir()
    assert run("sql", "select 1", "--config", str(settings), env={"LAKESHED_DATA": str(tmp_path / "b")}).returncode == 0
    assert (tmp_path / "b").is_dir()


def test_small_and_quick(new_server):
    started = time.time()
    server = new_server()
    spark = server.session()
    assert spark.sql("select 1").collect()[0][0] == 1
    assert server.rss_kb() < 100 * 1024
    assert time.time() - started < 10
    spark.stop()


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_stops_while_a_query_runs(new_server, signal_number):
    server = new_server()
    spark = server.session()
    failures = []

    def query():
        try:
            spark.range(10**11).selectExpr("sum(sqrt(id * 1.5 + cast(id as string)))").collect()
        except PySparkException as e:
            failures.append(e)

    thread = threading.Thread(target=query, daemon=True)
    thread.start()
    time.sleep(1)
    started = time.time()
    assert server.stop(signal_number) == 0
    assert time.time() - started < 10


def test_restart_keeps_tables(new_server):
    first = new_server()
    spark = first.session()
    spark.range(5).write.saveAsTable("kept")
    spark.stop()
    assert first.stop() == 0
    second = new_server()
    assert second.session().table("kept").count() == 5
