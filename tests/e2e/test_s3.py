"""Delta tables on a real S3 server (versitygw), written by this program, by several at once, and by delta-rs."""
import concurrent.futures
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import pytest

from gateway import KEY, SECRET, gateway, needs_gateway, one, s3_server, spark, start  # noqa: F401

pytestmark = needs_gateway


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


HTTPFS = pathlib.Path(__file__).parents[2] / ".deps/duckdb/extensions/httpfs.duckdb_extension"


@pytest.fixture(scope="module")
def duck(gateway):
    import duckdb
    import duckdb_extension_delta
    folder = pathlib.Path(duckdb_extension_delta.__file__).parent
    con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    con.execute(f"LOAD '{HTTPFS}'")
    con.execute(f"LOAD '{next(folder.rglob('*.duckdb_extension'))}'")
    con.execute(f"CREATE SECRET (TYPE s3, KEY_ID '{KEY}', SECRET '{SECRET}', REGION 'us-east-1', ENDPOINT '{gateway.url[7:]}', "
                "URL_STYLE 'path', USE_SSL false)")
    return con


# What is done to a table of (id BIGINT, v STRING, p INT) at {at}, called {t}; what its properties are.
STEPS = [
    "INSERT INTO {t} SELECT id, concat('v', id), id % 3 FROM range(60)",
    "UPDATE {t} SET v = 'u' WHERE id < 6",
    "DELETE FROM {t} WHERE id % 7 = 0",
    "MERGE INTO {t} t USING (SELECT id FROM range(50, 70)) s ON t.id = s.id WHEN MATCHED AND s.id > 55 THEN DELETE WHEN MATCHED THEN UPDATE "
    "SET v = 'm' WHEN NOT MATCHED THEN INSERT (id, v, p) VALUES (s.id, 'new', 9) WHEN NOT MATCHED BY SOURCE AND t.id = 1 THEN DELETE",
    "INSERT INTO {t} REPLACE WHERE p = 2 SELECT id, 'r', 2 FROM range(100, 110)",
    "OPTIMIZE {t}",
    "ALTER TABLE {t} ADD COLUMN more INT",
    "INSERT INTO {t} VALUES (200, 'w', 1, 5)",
    "ALTER TABLE {t} ADD CONSTRAINT positive CHECK (id >= 0)",
    "RESTORE TABLE {t} TO VERSION AS OF 4",
    "DELETE FROM {t} WHERE id = 4",
    "REORG TABLE {t} APPLY (PURGE)",
    "VACUUM {t} RETAIN 0 HOURS",
    "TRUNCATE TABLE {t}",
    "INSERT INTO {t} (id, v, p) VALUES (7, 'last', 0)",
]
KINDS = {
    "plain": "'delta.checkpointInterval' = '3'",
    "vectors": "'delta.enableDeletionVectors' = 'true', 'delta.enableChangeDataFeed' = 'true', 'delta.checkpointInterval' = '4'",
    "v2": "'delta.checkpointPolicy' = 'v2', 'delta.checkpointInterval' = '2'",
    "tracked": "'delta.enableRowTracking' = 'true', 'delta.enableInCommitTimestamps' = 'true'",
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_statement_read_by_others(spark, gateway, duck, kind):
    import deltalake
    import pyarrow
    at, t = f"s3://lake/every/{kind}", f"every_{kind}"
    spark.sql("SET spark.databricks.delta.retentionDurationCheck.enabled = false")
    spark.sql(f"CREATE TABLE {t} (id BIGINT, v STRING, p INT) USING delta PARTITIONED BY (p) LOCATION '{at}' TBLPROPERTIES ({KINDS[kind]})")
    for step in STEPS:
        spark.sql(step.format(t=t)).collect()
        mine = sorted(tuple(r) for r in spark.sql(f"SELECT id, v, p FROM {t}").collect())
        theirs = duck.execute(f"SELECT id, v, p FROM delta_scan('{at}')").fetchall()
        assert sorted(theirs) == mine, step
        log = deltalake.DeltaTable(at, storage_options=gateway.options)
        rows = pyarrow.table(deltalake.QueryBuilder().register("t", log).execute("SELECT id, v, p FROM t").read_all()).to_pylist()
        assert sorted(tuple(r.values()) for r in rows) == mine, step
        if kind == "vectors" and step.startswith("MERGE"):
            feed = spark.sql(f"SELECT _change_type, count(*) FROM table_changes('{t}', 1, 3) GROUP BY 1").collect()
            assert dict(map(tuple, feed)) == {"insert": 60, "update_preimage": 6, "update_postimage": 6, "delete": 9}
    assert mine == [(7, "last", 0)]
    assert spark.sql(f"DESCRIBE DETAIL {t}").collect()[0].location == at
    spark.sql(f"ALTER TABLE {t} DROP CONSTRAINT IF EXISTS positive")
    if kind != "vectors":
        spark.sql(f"GENERATE symlink_format_manifest FOR TABLE {t}")
        text = (gateway.folder / "lake/every" / kind / "_symlink_format_manifest/p=0/manifest").read_text()
        assert text.startswith(f"s3a://lake/every/{kind}/p=0/") or text.startswith(f"{at}/p=0/")
    checkpoints = [f for f in gateway.files(f"every/{kind}/_delta_log") if ".checkpoint." in f]
    assert checkpoints


def test_the_log_is_cleaned_up(spark, gateway):
    t = "delta.`s3://lake/cleaned`"
    spark.sql(f"CREATE TABLE {t} (id BIGINT) USING delta TBLPROPERTIES ('delta.checkpointInterval' = '4', "
              "'delta.logRetentionDuration' = 'interval 0 days', 'delta.deletedFileRetentionDuration' = 'interval 0 days')")
    for n in range(6):
        spark.sql(f"INSERT INTO {t} VALUES ({n})")
    old = time.time() - 3 * 86400
    for f in gateway.files("cleaned/_delta_log"):
        os.utime(gateway.folder / "lake/cleaned/_delta_log" / f, (old, old))
    for n in range(6, 10):
        spark.sql(f"INSERT INTO {t} VALUES ({n})")
    versions = [int(f[:20]) for f in gateway.files("cleaned/_delta_log") if f.endswith(".json") and f[:20].isdigit()]
    assert 0 not in versions and max(versions) == 10
    assert one(spark, f"SELECT sum(id) FROM {t}") == 45


def test_schemes_and_ways_between_places(spark, gateway, tmp_path):
    from delta.tables import DeltaTable
    spark.range(5).write.format("delta").save("s3n://lake/schemes")
    spark.range(5, 8).write.format("delta").mode("append").save("s3a://lake/schemes")
    for scheme in ("s3", "s3a", "s3n", "S3A"):
        assert one(spark, f"SELECT count(*) FROM delta.`{scheme}://lake/schemes`") == 8
        assert DeltaTable.isDeltaTable(spark, f"{scheme}://lake/schemes")
    for scheme in ("file", "abfss", "gs", "hdfs"):
        with pytest.raises(Exception):
            spark.read.format("delta").load(f"{scheme}://lake/schemes").collect()
    here = tmp_path / "here"
    for kind in ("SHALLOW", "DEEP"):
        spark.sql(f"CREATE TABLE delta.`{here}_{kind}` {kind} CLONE delta.`s3://lake/schemes`")
        spark.sql(f"DELETE FROM delta.`{here}_{kind}` WHERE id = 0")
        assert one(spark, f"SELECT count(*) FROM delta.`{here}_{kind}`") == 7
    spark.sql(f"CREATE TABLE delta.`s3://lake/back` DEEP CLONE delta.`{here}_DEEP`")
    assert one(spark, "SELECT sum(id) FROM delta.`s3://lake/back`") == 28
    spark.range(9).write.partitionBy().parquet("s3a://lake/to_convert")
    spark.sql("CONVERT TO DELTA parquet.`s3a://lake/to_convert`")
    spark.sql("INSERT INTO delta.`s3://lake/to_convert` VALUES (9)")
    assert one(spark, "SELECT sum(id) FROM delta.`s3://lake/to_convert`") == 45
    spark.sql("VACUUM delta.`s3n://lake/to_convert`")
    assert one(spark, "SELECT sum(id) FROM delta.`s3://lake/to_convert`") == 45


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


@pytest.mark.parametrize("setting", ["credential_process = /bin/echo x", "role_arn = arn:aws:iam::1:role/x", "sso_session = x"])
def test_other_sources_of_credentials_are_named(gateway, tmp_path, setting):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text(f"[profile other]\n{setting}\nregion = us-east-1\n")
    s = start(gateway, tmp_path, AWS_PROFILE="other", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    try:
        with pytest.raises(Exception, match=f"{setting.split()[0]} of the AWS profile .other"):
            s.session().sql("SELECT * FROM delta.`s3://lake/c`").collect()
    finally:
        s.stop()


def test_spark_settings_of_a_session(gateway, tmp_path):
    """Per bucket before for all; an endpoint without a scheme is https unless SSL is off; without keys, nobody's requests are signed."""
    from pyspark.sql import SparkSession
    s = start(gateway, tmp_path, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None, AWS_ENDPOINT_URL=None, AWS_REGION=None)
    base = {"access.key": "nobody", "secret.key": "nothing", "bucket.lake.access.key": KEY, "bucket.lake.secret.key": SECRET,
            "endpoint": gateway.url[7:], "path.style.access": "true", "connection.ssl.enabled": "false", "endpoint.region": "us-east-1"}

    def session(**changed):
        builder = SparkSession.builder.remote(s.remote)
        for name, value in {**base, **{k.replace("__", "."): v for k, v in changed.items()}}.items():
            builder = builder.config(f"spark.hadoop.fs.s3a.{name}", value)
        return builder.create()

    try:
        mine = session()
        mine.sql("CREATE OR REPLACE TABLE delta.`s3a://lake/set` USING delta AS SELECT 1 AS a")
        assert one(mine, "SELECT a FROM delta.`s3a://lake/set`") == 1
        for changed, words in [({"bucket__lake__secret__key": "wrong"}, "secret key"), ({"connection__ssl__enabled": "true"}, "did not answer"),
                               ({"endpoint__region": "eu-west-1"}, "region"),
                               ({"bucket__lake__session__token": "made-up"}, "token|denied|refused"),
                               ({"aws__credentials__provider": "org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider"}, "denied")]:
            with pytest.raises(Exception, match=words):
                one(session(**changed), "SELECT a FROM delta.`s3a://lake/set`")
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
