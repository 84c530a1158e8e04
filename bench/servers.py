"""lakeshed, Sail and Spark as child processes on free ports, and sessions with them."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

from measure import ROOT, WORK, cpu_seconds, memory_mib

PROGRAM = os.environ.get("LAKESHED", str(ROOT / "build" / "lakeshed"))
ORACLE = pathlib.Path(os.environ.get("LAKESHED_CACHE", pathlib.Path.home() / ".cache" / "lakeshed")) / "venv-oracle" / "bin"
SAIL = os.environ.get("SAIL", str(pathlib.Path(sys.executable).parent / "sail"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    def __init__(self, name, command, folder, **environment):
        self.name, self.port = name, free_port()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.log = open(f"{folder}.log", "w")
        self.started = time.perf_counter()
        self.process = subprocess.Popen([part.replace("PORT", str(self.port)).replace("FOLDER", str(folder)) for part in command],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env={**os.environ, "TZ": "UTC", **environment})
        self.pid = self.process.pid
        self.wait_for_port()

    def wait_for_port(self):
        while self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.002)
        raise SystemExit(f"{self.name} ended while starting: {pathlib.Path(self.log.name).read_text()}")

    def session(self):
        from pyspark.sql import SparkSession
        return SparkSession.builder.remote(f"sc://127.0.0.1:{self.port}").create()

    def cpu(self):
        return cpu_seconds(self.pid)

    def memory(self, what="VmRSS"):
        return memory_mib(self.pid, what)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def lakeshed(*options):
    return Server("lakeshed", [PROGRAM, "serve", "--data", "FOLDER", "--port", "PORT", "--rest-port", "-1", *options],
                  WORK / "lakeshed")


def sail():
    return Server("Sail", [SAIL, "spark", "server", "--port", "PORT", "--directory", "FOLDER"], WORK / "sail")


def spark():
    """The real one, with two threads and the Python of its workers that the clients have too."""
    settings = ["spark.connect.grpc.binding.port=PORT", "spark.ui.enabled=false", "spark.sql.shuffle.partitions=2",
                "spark.sql.warehouse.dir=FOLDER/warehouse", "spark.driver.bindAddress=127.0.0.1", "spark.driver.host=127.0.0.1"]
    home = next(ORACLE.parent.glob("lib/python3*/site-packages/pyspark"))
    return Server("Spark", [str(home / "bin" / "spark-submit"), "--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
                            "--master", "local[2]", "--driver-memory", "3g", *[part for s in settings for part in ("--conf", s)],
                            "spark-internal"], WORK / "spark", PYSPARK_PYTHON=sys.executable, SPARK_HOME=str(home))
