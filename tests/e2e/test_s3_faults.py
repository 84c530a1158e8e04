"""What a Delta table on S3 lives through: refused, lost, cut and slow answers, a service that does not keep writers apart."""
import shutil
import zlib

import pytest

from gateway import Wire, faulty, gateway, needs_gateway, start  # noqa: F401

pytestmark = needs_gateway


@pytest.mark.parametrize("fault", ["refuse", "lose"])
@pytest.mark.parametrize("method, part", [("PUT", "_delta_log/0"), ("PUT", ".parquet"), ("GET", ".parquet"), ("GET", "_delta_log"),
                                          ("GET", "list-type"), ("POST", "delete=")])
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


@pytest.mark.parametrize("statement", ["INSERT INTO {t} VALUES (1)", "DELETE FROM {t} WHERE id = 7",
                                       "CREATE OR REPLACE TABLE {t} DEEP CLONE {s}"])
def test_commit_whose_fate_is_unknown(faulty, gateway, statement):
    """The commit is stored, its answers are lost, and nobody can look: that is what the error says, and no file of it is deleted."""
    session, proxy = faulty
    name = f"fate-{zlib.crc32(statement.encode())}"
    table, source = f"delta.`s3://lake/{name}`", f"delta.`s3://lake/{name}-source`"
    session.sql(f"CREATE TABLE {table} AS SELECT id FROM range(7, 9)")
    session.sql(f"CREATE TABLE {source} AS SELECT id FROM range(3)")
    reached = []

    def silence(method, path):
        if method == "PUT" and path.endswith("00001.json"):
            reached.append(path)
            return "lose"
        return "refuse" if reached and "00001.json" in path else None

    proxy.fault = silence
    with pytest.raises(Exception, match="LAKESHED_COMMIT_UNKNOWN.*version 1 of .*DESCRIBE HISTORY.*08007"):
        session.sql(statement.format(t=table, s=source))
    proxy.fault = lambda method, path: None
    rows = sorted(r[0] for r in session.sql(f"SELECT id FROM {table}").collect())
    assert rows == {"I": [1, 7, 8], "D": [8], "C": [0, 1, 2]}[statement[0]]
    assert session.sql(f"DESCRIBE HISTORY {table}").count() == 2


def test_commit_that_is_refused_is_known_to_be_out(faulty):
    session, proxy = faulty
    session.sql("CREATE TABLE delta.`s3://lake/refused` (id BIGINT) USING delta")
    proxy.fault = lambda method, path: "refuse" if method == "PUT" and path.endswith("00001.json") else None
    with pytest.raises(Exception, match="LAKESHED_FILE\\].*503.*SlowDown"):
        session.sql("INSERT INTO delta.`s3://lake/refused` VALUES (1)")
    proxy.fault = lambda method, path: None
    assert session.sql("SELECT count(*) FROM delta.`s3://lake/refused`").collect() == [(0,)]


def test_service_without_exclusion_is_refused(faulty):
    """A service that takes every put is no place for commits."""
    session, proxy = faulty
    proxy.blind = True
    with pytest.raises(Exception, match="If-None-Match"):
        session.sql("CREATE TABLE delta.`s3://lake/unsafe` (id BIGINT) USING delta")


def test_vacuum_deletes_in_batches(faulty, gateway):
    session, proxy = faulty
    asked = []

    def watch(method, path):
        asked.append((method, path))

    session.sql("CREATE TABLE delta.`s3://lake/swept` (id BIGINT) USING delta")
    session.sql("SET spark.databricks.delta.retentionDurationCheck.enabled = false")
    for name in ("a&b<c>", "d e", "plus+", "ü"):
        (gateway.folder / "lake/swept" / f"{name}.parquet").write_text("x")
    for n in range(1100):
        (gateway.folder / "lake/swept" / f"left-{n}.parquet").write_text("x")
    proxy.fault = watch
    session.sql("VACUUM delta.`s3://lake/swept` RETAIN 0 HOURS")
    deletes = [(method, path) for method, path in asked if method == "DELETE" or "delete" in path.split("?")[-1]]
    assert len([d for d in deletes if d[0] == "POST"]) == 2 and len(deletes) == 2
    assert [f for f in gateway.files("swept") if f.endswith(".parquet")] == []


@pytest.mark.parametrize("answer", [501, 400, 405])
def test_a_service_without_batches(faulty, gateway, answer):
    session, proxy = faulty
    table = f"delta.`s3://lake/single-{answer}`"
    session.sql(f"CREATE TABLE {table} (id BIGINT) USING delta")
    session.sql("SET spark.databricks.delta.retentionDurationCheck.enabled = false")
    for n in range(30):
        (gateway.folder / f"lake/single-{answer}" / f"left-{n}.parquet").write_text("x")
    proxy.fault = lambda method, path: answer if method == "POST" else None
    session.sql(f"VACUUM {table} RETAIN 0 HOURS")
    assert [f for f in gateway.files(f"single-{answer}") if f.endswith(".parquet")] == []


@pytest.mark.parametrize("harm", ["reset", "cut", "slow", 500, 503, 429])
def test_harmed_connections(gateway, tmp_path, harm):
    """Every third answer on the wire is reset, cut in its middle, drips, or says to come again: statements succeed, rows are right."""
    wire = Wire(gateway.port, harm)
    server = start(gateway, tmp_path, AWS_ENDPOINT_URL=wire.url)
    try:
        session = server.session()
        table = f"delta.`s3://lake/harmed-{harm}`"
        session.sql(f"CREATE TABLE {table} (id BIGINT, x BIGINT) USING delta TBLPROPERTIES ('delta.checkpointInterval' = '3')")
        for n in range(5):
            session.sql(f"INSERT INTO {table} SELECT id, hash(id) FROM range({n * 20000}, {n * 20000 + 20000})")
        session.sql(f"DELETE FROM {table} WHERE id % 10 = 0")
        shutil.rmtree(server.data / "s3-cache")
        assert session.sql(f"SELECT count(*), sum(id), count(DISTINCT x) > 80000 FROM {table}").collect() == [(90000, 4500000000, True)]
        assert wire.harmed > 3
        versions = [f for f in gateway.files(f"harmed-{harm}/_delta_log") if f.endswith(".json")]
        assert versions == [f"{v:020}.json" for v in range(7)]
    finally:
        server.stop()
        wire.close()


def test_one_that_never_recovers_is_given_up(faulty):
    session, proxy = faulty
    session.sql("CREATE TABLE delta.`s3://lake/given-up` (id BIGINT) USING delta")
    attempts = []

    def refuse(method, path):
        if method == "PUT" and "parquet" in path:
            attempts.append(path)
            return 503

    proxy.fault = refuse
    with pytest.raises(Exception, match="503.*SlowDown"):
        session.sql("INSERT INTO delta.`s3://lake/given-up` VALUES (1)")
    assert len(attempts) == 8
    proxy.fault = lambda method, path: None
    assert session.sql("SELECT count(*) FROM delta.`s3://lake/given-up`").collect() == [(0,)]
