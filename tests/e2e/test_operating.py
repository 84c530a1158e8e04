"""The program under its operator: stopping in the middle of a commit, full and read-only disks, folders that are none, settings
that are wrong. What it says is clear, what was committed stays."""
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

import pytest
from conftest import PROGRAM
from pyspark.errors import PySparkException


def run(*arguments, **options):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, timeout=60, **options)


def until(condition, seconds=60):
    deadline = time.time() + seconds
    while not condition():
        assert time.time() < deadline
        time.sleep(0.02)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 24 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


# ---- stopping ----

def test_a_running_command_is_finished(new_server):
    """SIGTERM while a table is being written: the commit is there afterwards, whole."""
    server = new_server()
    spark = server.session()
    spark.sql("CREATE TABLE t (id BIGINT)").collect()

    def insert():
        with contextlib.suppress(PySparkException):
            spark.sql("INSERT INTO t SELECT id FROM range(20000000)").collect()

    thread = threading.Thread(target=insert, daemon=True)
    thread.start()
    until(lambda: any(server.data.rglob("*.parquet")))
    assert server.stop(signal.SIGTERM) == 0
    again = new_server()
    spark = again.session()
    assert spark.table("t").count() == 20_000_000
    spark.stop()


def test_killed_while_writing(new_server):
    """SIGKILL at any moment: all of the insert or nothing of it, and the table goes on."""
    for wait in (0.0, 0.1, 0.3):
        server = new_server()
        spark = server.session()
        spark.sql("CREATE TABLE IF NOT EXISTS t (id BIGINT)").collect()
        before = spark.table("t").count()
        threading.Thread(target=lambda s=spark: pytest.raises(Exception, s.sql(
            "INSERT INTO t SELECT id FROM range(3000000)").collect), daemon=True).start()
        time.sleep(wait)
        server.process.kill()
        server.process.wait()
        again = new_server()
        spark = again.session()
        assert spark.table("t").count() in (before, before + 3_000_000)
        spark.sql("INSERT INTO t VALUES (1)").collect()
        spark.stop()
        assert again.stop() == 0


# ---- disks ----

def test_full_disk(new_server, small_disk):
    server = new_server("disk/data")
    spark = server.session()
    spark.range(1000).write.saveAsTable("kept")
    folder = pathlib.Path(spark.sql("DESCRIBE DETAIL kept").first().location.removeprefix("file:"))
    with pytest.raises(PySparkException) as raised:
        spark.sql("INSERT INTO kept SELECT xxhash64(id) FROM range(20000000)").collect()
    assert raised.value.getCondition() == "LAKESHED_FILE", raised.value
    assert "No space left on device" in str(raised.value)
    assert spark.table("kept").count() == 1000
    # What the failed insert had written is gone: there is room again.
    assert len(list(folder.glob("*.parquet"))) == spark.sql("DESCRIBE DETAIL kept").first().numFiles
    # Full to the last byte: nothing can be committed, everything can be read.
    with contextlib.suppress(OSError), open(small_disk / "filler", "wb") as filler:
        while True:
            filler.write(bytes(4096))
            filler.flush()
    with pytest.raises(PySparkException) as raised:
        spark.sql("INSERT INTO kept VALUES (1)").collect()
    assert raised.value.getCondition() == "LAKESHED_FILE", raised.value
    assert spark.table("kept").count() == 1000
    (small_disk / "filler").unlink()
    spark.sql("INSERT INTO kept VALUES (1)").collect()
    assert spark.table("kept").count() == 1001
    spark.stop()
    assert server.stop() == 0


def test_disk_that_became_read_only(new_server, small_disk):
    server = new_server("disk/data")
    spark = server.session()
    spark.range(10).write.saveAsTable("kept")
    # The metadata database keeps its files open for writing; a table elsewhere can lose its disk.
    outside = small_disk / "outside"
    spark.range(10).write.format("delta").save(str(outside))
    subprocess.run(["chattr", "+i", str(outside / "_delta_log"), str(outside)], capture_output=True)
    blocked = not os.access(outside, os.W_OK) or subprocess.run(
        ["touch", str(outside / "probe")], capture_output=True).returncode != 0
    if not blocked:
        spark.stop()
        pytest.skip("the file system has no immutable folders")
    with pytest.raises(PySparkException) as raised:
        spark.range(10).write.format("delta").mode("append").save(str(outside))
    assert raised.value.getCondition() == "LAKESHED_FILE", raised.value
    assert spark.read.format("delta").load(str(outside)).count() == 10
    subprocess.run(["chattr", "-i", str(outside / "_delta_log"), str(outside)], capture_output=True)
    spark.stop()


@pytest.mark.parametrize("folder", ["/dev/null", "/dev/null/data", "/proc/data"])
def test_folder_that_cannot_be(folder):
    done = run("serve", "--data", folder, "--port", "0", "--rest-port", "-1")
    assert done.returncode == 1 and done.stdout == b""
    assert b"[LAKESHED_FILE] " + folder.encode() in done.stderr


def test_damaged_metadata(tmp_path):
    folder = tmp_path / "data"
    assert run("sql", "create table t (a int)", "--data", str(folder)).returncode == 0
    (folder / "metadata.sqlite").write_bytes(b"this is no database at all" * 200)
    for extra in folder.glob("metadata.sqlite-*"):
        extra.unlink()
    done = run("sql", "select 1", "--data", str(folder))
    assert done.returncode == 1 and b"[LAKESHED_" in done.stderr and b"metadata.sqlite" in done.stderr


# ---- the network ----

def test_listens_at_home_only(new_server):
    server = new_server()
    host, port = server.address.rsplit(":", 1)
    assert host == "127.0.0.1"
    other = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    other.bind(("127.0.0.2", int(port)))  # free: the server has not taken every address
    other.close()


def test_clients_that_say_nothing(new_server):
    """Two hundred connections that never speak, and some that speak nonsense: others are served."""
    server = new_server()
    host, port = server.address.rsplit(":", 1)
    rest = int(server.rest.rsplit(":", 1)[1])
    silent = [socket.create_connection((host, int(port) if i % 2 else rest)) for i in range(200)]
    for i, s in enumerate(silent[:40]):
        s.sendall(b"GET /health HTTP/1.1\r\n" if i % 2 else b"\x00" * 100)
    spark = server.session()
    assert spark.range(5).count() == 5
    for s in silent:
        s.close()
    spark.stop()


# ---- settings and the command line ----

@pytest.mark.parametrize("line, said", [
    ("nonsense", "expected `key = value`"), ("colour = red", "colour"), ("port = -5", "port"), ("port = 1e3", "port"),
    ("workers = 99999999999999999999", "workers"), ("max-message-bytes = x", "max-message-bytes"), ("= 5", ""),
    ("strict = maybe", "strict"), ("\udcff\udcfe = 1", "")])
def test_wrong_settings(tmp_path, line, said):
    settings = tmp_path / "lakeshed.conf"
    settings.write_bytes(b"# a comment\n\n" + line.encode("utf-8", "surrogateescape") + b"\n")
    done = run("serve", "--config", str(settings))
    assert done.returncode == 2 and done.stdout == b""
    assert b"[LAKESHED_SETTING_" in done.stderr and f"{settings}:3".encode() in done.stderr and said.encode() in done.stderr


def test_settings_file_that_is_not_there(tmp_path):
    done = run("serve", "--config", str(tmp_path / "nope.conf"))
    assert done.returncode in (1, 2) and b"nope.conf" in done.stderr
    done = run("serve", "--config", str(tmp_path))
    assert done.returncode in (1, 2) and str(tmp_path).encode() in done.stderr


def test_strict_from_the_command_line(new_server):
    spark = new_server("data", "--strict").session()
    with pytest.raises(PySparkException) as raised:
        spark.sql("CREATE TABLE t (c BOOLEAN DEFAULT FALSE)").collect()
    assert raised.value.getCondition() == "WRONG_COLUMN_DEFAULTS_FOR_DELTA_FEATURE_NOT_ENABLED"
    spark.conf.set("lakeshed.strict", "false")
    spark.sql("CREATE TABLE t (c BOOLEAN DEFAULT FALSE)").collect()
    spark.stop()


def test_sql_that_ends_early(tmp_path):
    """A reader that has seen enough closes the pipe: the program ends, and does not fill anything meanwhile."""
    process = subprocess.Popen([PROGRAM, "sql", "select * from range(100000000)", "--data", str(tmp_path / "data"), "--format", "csv"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline() == b"id\n"
    process.stdout.close()
    process.wait(timeout=60)
    process.stderr.close()


def test_sql_output_that_cannot_be_written(tmp_path):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([PROGRAM, "sql", "select * from range(100000)", "--data", str(tmp_path / "data"), "--format", "csv"],
                              stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1 and b"[LAKESHED_FILE] standard output" in done.stderr
