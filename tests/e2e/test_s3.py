"""Delta tables on a real S3 server (versitygw), written by this program, by several at once, and by delta-rs."""
import concurrent.futures
import http.client
import http.server
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib

import pytest

from conftest import Server

GATEWAY = pathlib.Path(os.environ.get("LAKESHED_CACHE", pathlib.Path.home() / ".cache/lakeshed")) / "bin/versitygw"
KEY, SECRET = "lakeshed-test", "the-secret-nobody-may-see"

pytestmark = pytest.mark.skipif(not GATEWAY.exists(), reason="versitygw is not there: tools/setup.sh s3 (needs Go)")


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


def test_statements(spark, gateway):
    spark.sql("CREATE TABLE s (id BIGINT, name STRING, d DATE) USING delta PARTITIONED BY (d) LOCATION 's3://lake/a b/s' TBLPROPERTIES"
              "('delta.enableDeletionVectors'='true', 'delta.enableChangeDataFeed'='true', 'delta.checkpointInterval'='4')")
    spark.sql("INSERT INTO s SELECT id, concat('n', id), date_add(DATE'2024-01-01', cast(id % 3 AS INT)) FROM range(30)")
    spark.sql("INSERT INTO s VALUES (30, 'k=/ %', NULL)")
    spark.sql("DELETE FROM s WHERE id = 5")
    spark.sql("UPDATE s SET name = 'u' WHERE id IN (7, 8)")
    spark.sql("MERGE INTO s USING (SELECT id, 'm' AS name, DATE'2024-01-01' AS d FROM range(25, 40)) x ON s.id = x.id "
              "WHEN MATCHED THEN UPDATE SET name = x.name WHEN NOT MATCHED THEN INSERT *")
    state = "SELECT count(*), sum(id), count(DISTINCT name) FROM s"
    expected = spark.sql(state).collect()
    assert expected[0][:2] == (39, 775)
    assert any(f.startswith("deletion_vector_") for f in gateway.files("a b/s"))
    assert one(spark, "SELECT count(*) FROM s VERSION AS OF 1") == 30
    assert one(spark, "SELECT count(*) FROM table_changes('s', 3) WHERE _change_type = 'delete'") == 1
    spark.sql("OPTIMIZE s ZORDER BY (id)")
    assert spark.sql(state).collect() == expected
    spark.sql("SET spark.databricks.delta.retentionDurationCheck.enabled = false")
    before = gateway.files("a b/s")
    assert spark.sql("VACUUM s RETAIN 0 HOURS DRY RUN").count() > 0
    assert gateway.files("a b/s") == before
    spark.sql("VACUUM s RETAIN 0 HOURS")
    assert len(gateway.files("a b/s")) < len(before)
    assert spark.sql(state).collect() == expected
    with pytest.raises(Exception, match="DELTA_CANNOT_RESTORE_TABLE_VERSION.*s3a://lake/a b/s/"):
        spark.sql("RESTORE TABLE s TO VERSION AS OF 1")
    assert spark.sql("DESCRIBE HISTORY s").count() == len([f for f in gateway.files("a b/s/_delta_log") if f.endswith(".json")])
    assert one(spark, "SELECT DISTINCT _metadata.file_path LIKE 's3a://lake/a%20b/s/%.parquet' FROM s") is True
    assert spark.sql("DESCRIBE DETAIL s").collect()[0].location == "s3://lake/a b/s"
    assert any(f.endswith(".checkpoint.parquet") for f in gateway.files("a b/s/_delta_log"))


def test_clones_and_paths(spark, gateway):
    spark.sql("CREATE TABLE c USING delta LOCATION 's3a://lake/c' AS SELECT id FROM range(100)")
    spark.sql("CREATE TABLE c_shallow SHALLOW CLONE c LOCATION 's3://lake/c_shallow'")
    spark.sql("DELETE FROM c_shallow WHERE id < 10")
    spark.sql("CREATE TABLE c_deep DEEP CLONE c LOCATION 's3://lake/c_deep'")
    spark.sql("CREATE TABLE c_here SHALLOW CLONE c")
    spark.sql("INSERT OVERWRITE c SELECT id FROM range(5)")
    assert one(spark, "SELECT sum(id) FROM c_shallow") == sum(range(10, 100))
    assert one(spark, "SELECT sum(id) FROM delta.`s3://lake/c_deep`") == 4950
    assert one(spark, "SELECT sum(id) FROM c_here") == 4950
    assert one(spark, "SELECT sum(id) FROM c") == 10
    from delta.tables import DeltaTable
    t = DeltaTable.forPath(spark, "s3://lake/c")
    t.update("id = 4", {"id": "40"})
    assert spark.read.format("delta").load("s3a://lake/c").agg({"id": "sum"}).collect()[0][0] == 46
    assert t.history().count() == 3


def test_plain_files(spark, gateway):
    rows = spark.range(1000).selectExpr("id", "id % 3 AS k")
    for form in ("parquet", "csv", "json"):
        place = f"s3a://lake/plain/{form}"
        rows.write.format(form).partitionBy("k").option("header", "true").save(place)
        read = spark.read.format(form).option("header", "true").option("inferSchema", "true").load(place)
        assert read.selectExpr("count(*)", "sum(id)", "sum(k)").collect() == [(1000, 499500, 999)]
        with pytest.raises(Exception, match="PATH_ALREADY_EXISTS"):
            rows.write.format(form).save(place)
        rows.limit(7).write.format(form).mode("overwrite").option("header", "true").save(place)
        assert spark.read.format(form).option("header", "true").load(place).count() == 7
    assert spark.read.parquet("s3a://lake/plain/par*").count() == 7
    files = spark.read.parquet("s3a://lake/plain/parquet").inputFiles()
    assert files and all(f.startswith("s3a://lake/plain/parquet/part-") for f in files)
    with pytest.raises(Exception, match="PATH_NOT_FOUND.*s3a://lake/nothing"):
        spark.read.parquet("s3a://lake/nothing").count()


def test_replaced_file_is_read_anew(spark, gateway):
    file = gateway.folder / "lake/replaced.csv"
    put = lambda text: subprocess.run([sys.executable, "-c", PUT, gateway.url, "replaced.csv", text], check=True)  # noqa: E731
    put("a\n1\n")
    assert spark.read.option("header", "true").csv("s3://lake/replaced.csv").collect() == [("1",)]
    put("a\n2\n")
    assert spark.read.option("header", "true").csv("s3://lake/replaced.csv").collect() == [("2",)]
    assert file.exists()


# A put by somebody else: DuckDB's client is not asked, pyarrow's is.
PUT = f"""
import sys
from pyarrow import fs
s = fs.S3FileSystem(access_key={KEY!r}, secret_key={SECRET!r}, endpoint_override=sys.argv[1], region='us-east-1')
with s.open_output_stream('lake/' + sys.argv[2]) as f:
    f.write(sys.argv[3].encode())
"""


def test_large_file_goes_up_in_parts(spark, gateway):
    """Random numbers do not compress: the one file is larger than a part, and comes back in pieces."""
    spark.sql("CREATE TABLE big USING delta LOCATION 's3://lake/big' AS "
              "SELECT id, hash(id) AS h, xxhash64(id) AS x FROM range(3000000)")
    sizes = [p.stat().st_size for p in (gateway.folder / "lake/big").glob("*.parquet")]
    assert max(sizes) > 20 << 20
    expected = spark.sql("SELECT count(*), sum(h), bit_xor(x) FROM big").collect()
    import deltalake
    import pyarrow.compute as pc
    table = deltalake.DeltaTable("s3://lake/big", storage_options=gateway.options).to_pyarrow_table()
    assert (table.num_rows, pc.sum(table["h"]).as_py()) == expected[0][:2]


def test_cold_copies(gateway, spark, tmp_path):
    """A server that has no copies fetches them, in pieces; one with little room for them still answers."""
    spark.sql("CREATE TABLE IF NOT EXISTS cold USING delta LOCATION 's3://lake/cold' AS SELECT id, xxhash64(id) AS x FROM range(2000000)")
    expected = spark.sql("SELECT count(*), bit_xor(x) FROM cold").collect()
    other = start(gateway, tmp_path, "--s3-cache-bytes", "1000000")
    try:
        session = other.session()
        for _ in range(2):
            assert session.sql("SELECT count(*), bit_xor(x) FROM delta.`s3://lake/cold`").collect() == expected
        session.sql("SELECT count(*) FROM delta.`s3://lake/c`").collect()
    finally:
        other.stop()


def test_eight_writers_lose_nothing(gateway, spark, tmp_path):
    """Eight sessions of two servers append at once; every commit is there, versions have no gap."""
    spark.sql("CREATE TABLE raced (id BIGINT) USING delta LOCATION 's3://lake/raced'")
    other = start(gateway, tmp_path)
    try:
        sessions = [(spark if i % 2 else None) or other.session() for i in range(8)]

        def write(i):
            for k in range(6):
                sessions[i].sql(f"INSERT INTO delta.`s3://lake/raced` VALUES ({i * 100 + k})")

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(write, range(8)))
    finally:
        other.stop()
    got = sorted(r[0] for r in spark.sql("SELECT id FROM raced").collect())
    assert got == sorted(i * 100 + k for i in range(8) for k in range(6))
    versions = [f for f in gateway.files("raced/_delta_log") if f.endswith(".json")]
    assert versions == [f"{v:020}.json" for v in range(49)]


def test_delta_rs_and_lakeshed_take_turns(gateway, spark):
    import deltalake
    import pyarrow as pa
    spark.sql("CREATE TABLE turns (id BIGINT) USING delta LOCATION 's3://lake/turns'")

    def rs():
        for k in range(15):
            for attempt in range(20):
                try:
                    deltalake.write_deltalake("s3://lake/turns", pa.table({"id": pa.array([1000 + k], pa.int64())}), mode="append",
                                              storage_options=gateway.options)
                    break
                except Exception:
                    if attempt == 19:
                        raise

    def ours():
        for k in range(15):
            spark.sql(f"INSERT INTO turns VALUES ({k})")

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(rs), pool.submit(ours)]:
            done.result()
    expected = sorted([*range(15), *range(1000, 1015)])
    assert sorted(r[0] for r in spark.sql("SELECT id FROM turns").collect()) == expected
    table = deltalake.DeltaTable("s3://lake/turns", storage_options=gateway.options)
    assert sorted(table.to_pyarrow_table()["id"].to_pylist()) == expected
    assert table.version() == 30


def test_kill_leaves_no_half_version(gateway, spark, tmp_path):
    spark.sql("CREATE TABLE killed (id BIGINT, x BIGINT) USING delta LOCATION 's3://lake/killed'")
    chance = random.Random(7)
    for round_number in range(6):
        folder = tmp_path / str(round_number)
        folder.mkdir()
        victim = start(gateway, folder)
        program = ("import sys\nfrom pyspark.sql import SparkSession\ns = SparkSession.builder.remote(sys.argv[1]).create()\n"
                   "while True:\n    s.sql('INSERT INTO delta.`s3://lake/killed` SELECT id, xxhash64(id) FROM range(1500000)')\n"
                   "    print('committed', flush=True)\n")
        (folder / "writer.py").write_text(program)
        client = subprocess.Popen([sys.executable, str(folder / "writer.py"), victim.remote], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  stdin=subprocess.DEVNULL, text=True,
                                  env={k: v for k, v in os.environ.items() if "SPARK" not in k})
        assert client.stdout.readline() == "committed\n"
        time.sleep(chance.random() * 0.6)
        victim.stop(signal.SIGKILL)
        client.kill()
        client.wait()
        client.stdout.close()
    versions = [f for f in gateway.files("killed/_delta_log") if f.endswith(".json")]
    assert versions == [f"{v:020}.json" for v in range(len(versions))]
    for v in versions[1:]:
        lines = [json.loads(t) for t in (gateway.folder / "lake/killed/_delta_log" / v).read_text().splitlines()]
        for add in (t["add"] for t in lines if "add" in t):
            assert (gateway.folder / "lake/killed" / add["path"]).stat().st_size == add["size"]
    count = one(spark, "SELECT count(x) FROM killed")
    assert count == 1500000 * (len(versions) - 1) and len(versions) > 6


@pytest.mark.parametrize("changed, table, words", [
    ({"AWS_ACCESS_KEY_ID": "nobody"}, "s3://lake/c", "AWS_ACCESS_KEY_ID"),
    ({"AWS_SECRET_ACCESS_KEY": "wrong-secret-text"}, "s3://lake/c", "AWS_SECRET_ACCESS_KEY"),
    ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "s3://lake/c", "no credentials for S3"),
    ({"AWS_REGION": "eu-north-1"}, "s3://lake/c", "AWS_REGION"),
    ({}, "s3://no-such-bucket/c", "there is no such bucket"),
    ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "s3://lake/c", "did not answer.*AWS_ENDPOINT_URL"),
    ({"AWS_ENDPOINT_URL": "ftp://x"}, "s3://lake/c", "the S3 endpoint must look like"),
    ({}, "s3://UPPER/c", "a bucket's name"),
])
def test_what_is_wrong_is_said(gateway, tmp_path, spark, changed, table, words):
    spark.sql("CREATE TABLE IF NOT EXISTS delta.`s3://lake/c` (id BIGINT) USING delta")
    s = start(gateway, tmp_path, "--log-level", "debug", **changed)
    try:
        session = s.session()
        with pytest.raises(Exception, match=words) as failure:
            session.sql(f"SELECT * FROM delta.`{table}`").collect()
    finally:
        s.stop()
    log = pathlib.Path(f"{s.data}.log").read_text()
    for secret in (SECRET, "wrong-secret-text"):
        assert secret not in str(failure.value) and secret not in log


def test_profile(gateway, tmp_path):
    aws = tmp_path / ".aws"
    aws.mkdir()
    (aws / "credentials").write_text(f"[default]\naws_access_key_id = nobody\naws_secret_access_key = x\n\n[lake]\n"
                                     f"aws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n")
    (aws / "config").write_text(f"[profile lake]\nregion = us-east-1\nendpoint_url = {gateway.url}\n")
    s = start(gateway, tmp_path, AWS_PROFILE="lake", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None, AWS_REGION=None,
              AWS_ENDPOINT_URL=None)
    try:
        session = s.session()
        session.sql("CREATE TABLE p USING delta LOCATION 's3://lake/by-profile' AS SELECT 1 AS a")
        assert one(session, "SELECT a FROM p") == 1
    finally:
        s.stop()


def test_session_credentials_are_its_own(gateway, tmp_path):
    """A session brings its credentials as Spark's settings; another session does not profit from them."""
    s = start(gateway, tmp_path, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None, AWS_ENDPOINT_URL=None)
    try:
        mine, other = s.session(), s.session()
        mine.conf.set("spark.hadoop.fs.s3a.access.key", KEY)
        mine.conf.set("spark.hadoop.fs.s3a.secret.key", SECRET)
        mine.conf.set("fs.s3a.endpoint", gateway.url)
        mine.sql("CREATE TABLE own USING delta LOCATION 's3a://lake/own' AS SELECT 1 AS a")
        assert one(mine, "SELECT a FROM own") == 1
        with pytest.raises(Exception, match="no credentials for S3"):
            other.sql("SELECT a FROM own").collect()
        other.conf.set("fs.s3a.access.key", KEY)
        other.conf.set("fs.s3a.secret.key", "wrong")
        other.conf.set("fs.s3a.endpoint", gateway.url)
        with pytest.raises(Exception, match="secret key"):
            other.sql("SELECT a FROM own").collect()
        assert SECRET not in str(mine.sql("SET").collect())
    finally:
        s.stop()


def test_streaming_sink(spark, tmp_path):
    spark.sql("CREATE TABLE events (id BIGINT) USING delta LOCATION 's3://lake/events'")
    spark.sql("INSERT INTO events SELECT id FROM range(50)")
    q = (spark.readStream.table("events").writeStream.format("delta").option("checkpointLocation", str(tmp_path / "check"))
         .trigger(availableNow=True).start("s3://lake/events_out"))
    assert q.awaitTermination(60)
    assert q.exception() is None
    assert one(spark, "SELECT sum(id) FROM delta.`s3://lake/events_out`") == sum(range(50))


@pytest.mark.parametrize("sql", [
    "INSERT INTO plain_csv VALUES (1, 2)",
    "MSCK REPAIR TABLE plain_csv",
])
def test_refused_by_name(spark, sql):
    spark.sql("CREATE TABLE IF NOT EXISTS plain_csv (a INT, k INT) USING csv PARTITIONED BY (k) LOCATION 's3://lake/plain_csv'")
    with pytest.raises(Exception, match="S3"):
        spark.sql(sql).collect()


class Faults(http.server.BaseHTTPRequestHandler):
    """Stands before the gateway; server.fault(method, path) says "refuse", "lose" (done, but nobody is told) or nothing."""
    protocol_version = "HTTP/1.1"

    def forward(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.fault(self.command, self.path)
        if fault == "refuse":
            self.answer(503, [], b"<Error><Code>SlowDown</Code></Error>")
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


@pytest.mark.parametrize("fault", ["refuse", "lose"])
@pytest.mark.parametrize("method, part", [("PUT", "_delta_log/0"), ("PUT", ".parquet"), ("GET", ".parquet"), ("GET", "_delta_log"),
                                          ("GET", "list-type"), ("DELETE", ".parquet")])
def test_passing_faults_are_outlived(faulty, gateway, fault, method, part):
    """Every first attempt of a kind of request fails: nothing is lost, nothing is done twice."""
    session, proxy = faulty
    name = f"faults-{fault}-{method}-{zlib.crc32(part.encode())}"
    seen = set()

    def once(asked, path):
        if asked != method or part not in path or path in seen:
            return None
        seen.add(path)
        return fault

    proxy.fault = once
    table = f"delta.`s3://lake/{name}`"
    session.sql(f"CREATE TABLE {table} (id BIGINT) USING delta")
    for k in range(4):
        session.sql(f"INSERT INTO {table} VALUES ({k})")
    session.sql(f"OPTIMIZE {table}")
    session.sql("SET spark.databricks.delta.retentionDurationCheck.enabled = false")
    session.sql(f"VACUUM {table} RETAIN 0 HOURS")
    shutil.rmtree(proxy.copies)
    assert sorted(r[0] for r in session.sql(f"SELECT id FROM {table}").collect()) == [0, 1, 2, 3]
    assert seen
    versions = [f for f in gateway.files(f"{name}/_delta_log") if f.endswith(".json")]
    assert versions == [f"{v:020}.json" for v in range(len(versions))] and len(versions) >= 6


def test_commit_that_is_never_answered(faulty, gateway):
    """The service takes the commit and its answers never come: what is there is read back."""
    session, proxy = faulty
    session.sql("CREATE TABLE delta.`s3://lake/unanswered` (id BIGINT) USING delta")
    proxy.fault = lambda method, path: "lose" if method == "PUT" and path.endswith("00001.json") else None
    session.sql("INSERT INTO delta.`s3://lake/unanswered` VALUES (1)")
    proxy.fault = lambda method, path: None
    assert session.sql("SELECT count(*), sum(id) FROM delta.`s3://lake/unanswered`").collect() == [(1, 1)]


def test_service_without_exclusion_is_refused(faulty):
    """A service that takes every put is no place for commits."""
    session, proxy = faulty
    proxy.blind = True
    with pytest.raises(Exception, match="If-None-Match"):
        session.sql("CREATE TABLE delta.`s3://lake/unsafe` (id BIGINT) USING delta")
