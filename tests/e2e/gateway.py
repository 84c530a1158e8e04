"""versitygw, servers that use it, and what stands between them: for the tests on S3."""
import http.client
import http.server
import os
import pathlib
import socket
import struct
import subprocess
import threading
import time

import pytest

from conftest import Server

GATEWAY = pathlib.Path(os.environ.get("LAKESHED_CACHE", pathlib.Path.home() / ".cache/lakeshed")) / "bin/versitygw"
KEY, SECRET = "lakeshed-test", "the-secret-nobody-may-see"

needs_gateway = pytest.mark.skipif(not GATEWAY.exists(), reason="versitygw is not there: tools/setup.sh s3 (needs Go)")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Gateway:
    def __init__(self, folder):
        self.folder = folder
        (folder / "lake").mkdir(parents=True)
        self.port = free_port()
        self.log = open(f"{folder}.log", "w")
        self.process = subprocess.Popen([str(GATEWAY), "--port", f"127.0.0.1:{self.port}", "posix", str(folder)],
                                        env=dict(os.environ, ROOT_ACCESS_KEY=KEY, ROOT_SECRET_KEY=SECRET),
                                        stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        self.url = f"http://127.0.0.1:{self.port}"
        for _ in range(200):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("versitygw does not listen")

    @property
    def environment(self):
        return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": self.url}

    @property
    def options(self):
        """What delta-rs is given."""
        return {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET, "aws_region": "us-east-1", "aws_endpoint_url": self.url,
                "aws_allow_http": "true", "aws_conditional_put": "etag"}

    def files(self, prefix):
        root = self.folder / "lake" / prefix
        return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.log.close()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    g = Gateway(tmp_path_factory.mktemp("s3") / "buckets")
    yield g
    g.stop()


def start(gateway, folder, *options, **changed):
    kept = dict(os.environ)
    for name in list(os.environ):
        if name.startswith("AWS_"):
            del os.environ[name]
    os.environ.update(gateway.environment)
    os.environ["HOME"] = str(folder)
    for name, value in changed.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    try:
        return Server(folder / "data", *options)
    finally:
        os.environ.clear()
        os.environ.update(kept)


@pytest.fixture(scope="module")
def s3_server(gateway, tmp_path_factory):
    s = start(gateway, tmp_path_factory.mktemp("server"))
    yield s
    assert s.stop() == 0


@pytest.fixture
def spark(s3_server):
    session = s3_server.session()
    yield session
    session.stop()


def one(spark, sql):
    return spark.sql(sql).collect()[0][0]


# A put by somebody else: DuckDB's client is not asked, pyarrow's is.
PUT = f"""
import sys
from pyarrow import fs
s = fs.S3FileSystem(access_key={KEY!r}, secret_key={SECRET!r}, endpoint_override=sys.argv[1], region='us-east-1')
with s.open_output_stream('lake/' + sys.argv[2]) as f:
    f.write(sys.argv[3].encode())
"""


class Faults(http.server.BaseHTTPRequestHandler):
    """Stands before the gateway; server.fault(method, path) says "refuse", a status, "lose" (done, but nobody is told) or nothing."""
    protocol_version = "HTTP/1.1"

    def forward(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.fault(self.command, self.path)
        if fault == "refuse" or isinstance(fault, int):
            status = 503 if fault == "refuse" else fault
            code = b"SlowDown" if status == 503 else b"NotImplemented"
            self.answer(status, [], b"<Error><Code>" + code + b"</Code></Error>")
            return
        connection = http.client.HTTPConnection("127.0.0.1", self.server.gateway_port)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if self.server.blind and name.lower() == "if-none-match":
                continue
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        if fault == "lose":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.answer(answer.status, answer.getheaders(), content)

    def answer(self, status, headers, content):
        self.send_response_only(status)
        length = str(len(content))
        for name, value in headers:
            if name.lower() == "content-length":
                length = value
            elif name.lower() not in ("transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = forward

    def log_message(self, *_):
        pass


@pytest.fixture
def faulty(gateway, tmp_path):
    """A session of a server whose requests pass through Faults, and that proxy, which knows the server's copies."""
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Faults)
    proxy.gateway_port, proxy.fault, proxy.blind = gateway.port, lambda method, path: None, False
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    server = start(gateway, tmp_path, AWS_ENDPOINT_URL=f"http://127.0.0.1:{proxy.server_port}")
    session = server.session()
    proxy.copies = server.data / "s3-cache"
    yield session, proxy
    proxy.fault = lambda method, path: None
    server.stop()
    proxy.shutdown()


class Wire:
    """A TCP proxy before the gateway that harms every third answer on a connection of its own."""

    def __init__(self, port, harm):
        self.port, self.harm, self.harmed, self.answers = port, harm, 0, 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.port))
            threading.Thread(target=self.forward, args=(client, server), daemon=True).start()
            threading.Thread(target=self.give_back, args=(server, client), daemon=True).start()

    @staticmethod
    def forward(client, server):
        try:
            while data := client.recv(65536):
                server.sendall(data)
        except OSError:
            pass
        server.close()

    def give_back(self, server, client):
        """Harm begins with the first bytes of an answer."""
        try:
            while data := server.recv(65536):
                with self.lock:
                    starts = data.startswith(b"HTTP/1.1")
                    self.answers += starts
                    hurts = starts and self.answers % 3 == 0
                    self.harmed += hurts
                if not hurts:
                    client.sendall(data)
                elif self.harm == "slow":
                    for i in range(0, len(data), 1 + len(data) // 10):
                        client.sendall(data[i:i + 1 + len(data) // 10])
                        time.sleep(0.02)
                elif self.harm == "cut":
                    client.sendall(data[:len(data) * 2 // 3])
                    client.shutdown(socket.SHUT_RDWR)
                    return
                elif self.harm == "reset":
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    client.shutdown(socket.SHUT_RD)  # the other thread lets go of it, and says nothing
                    client.close()
                    return
                else:
                    client.sendall(f"HTTP/1.1 {self.harm} Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                    client.shutdown(socket.SHUT_RDWR)
                    return
        except OSError:
            pass

    def close(self):
        self.listener.close()
