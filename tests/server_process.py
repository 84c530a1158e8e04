"""The built program (path in LAKESHED) as a child of a test, on free ports."""
import os
import pathlib
import signal
import subprocess
import sys

PROGRAM = os.environ.get("LAKESHED", str(pathlib.Path(__file__).parents[1] / "build" / "lakeshed"))


class Server:
    """One running `lakeshed serve`."""

    def __init__(self, data, *options):
        self.data = pathlib.Path(data)
        self.log = open(f"{data}.log", "w")
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--data", str(data), "--port", "0", "--rest-port", "0",
             "--python", sys.executable, *options],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.remote = self.rest = None
        for line in self.process.stdout:
            words = line.split()
            if words[:2] == ["listening", "spark-connect"]:
                self.remote = words[2]
            elif words[:2] == ["listening", "rest"]:
                self.rest = words[2]
            elif words[:1] == ["data"]:
                break
        assert self.remote, pathlib.Path(f"{data}.log").read_text()

    @property
    def address(self):
        return self.remote.removeprefix("sc://")

    def rss_kb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def stop(self, signal_number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        code = self.process.wait(timeout=60)
        self.process.stdout.close()
        self.log.close()
        return code

    def session(self):
        from pyspark.sql import SparkSession
        return SparkSession.builder.remote(self.remote).create()


def end_now(status):
    """A client whose server was stopped or killed retries its clean-up for ten minutes at exit: nothing is left to wait for."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
