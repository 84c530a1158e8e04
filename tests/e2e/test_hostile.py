"""Requests, statements, logs and files made to hurt: each is refused by name, the server lives on, nothing is lost."""
import concurrent.futures
import json
import os
import random
import shutil
import struct
import uuid

import grpc
import mutate
import pyarrow
import pyarrow.ipc
import pyspark.sql.connect.proto as pb
import pyspark.sql.connect.proto.base_pb2_grpc as service
import pytest
from pyspark.errors import PySparkException

UNLIMITED = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
STREAMING = {"ExecutePlan", "ReattachExecute"}
METHODS = ["ExecutePlan", "AnalyzePlan", "Config", "AddArtifacts", "ArtifactStatus", "Interrupt", "ReattachExecute",
           "ReleaseExecute", "ReleaseSession", "FetchErrorDetails", "CloneSession", "GetStatus"]
SEED = 20240229


@pytest.fixture(scope="module")
def channel(server):
    with grpc.insecure_channel(server.address, options=UNLIMITED) as channel:
        yield channel


@pytest.fixture(scope="module")
def stub(channel):
    return service.SparkConnectServiceStub(channel)


@pytest.fixture
def client(server):
    client = mutate.Client(server.address)
    yield client
    assert client.alive()
    client.close()


def raw(channel, method, data):
    path = "/spark.connect.SparkConnectService/" + method
    if method == "AddArtifacts":
        call = channel.stream_unary(path, request_serializer=bytes, response_deserializer=bytes)
        return call(iter([data]), timeout=60)
    make = channel.unary_stream if method in STREAMING else channel.unary_unary
    call = make(path, request_serializer=bytes, response_deserializer=bytes)
    answer = call(data, timeout=60)
    return list(answer) if method in STREAMING else answer


def refusal(call):
    """The text with which the call is refused."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    assert raised.value.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED), raised.value
    return raised.value.details() or ""


def condition(call):
    with pytest.raises(PySparkException) as raised:
        call()
    return raised.value.getCondition()


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def nested(core, levels, *numbers):
    """core inside `levels` messages, from the inside out, without copying it each time."""
    heads, size = [], len(core)
    for _ in range(levels):
        for number in numbers:
            head = varint(number << 3 | 2) + varint(size)
            heads.append(head)
            size += len(head)
    return b"".join(reversed(heads)) + core


# ---- bytes ----

@pytest.mark.parametrize("method", METHODS)
def test_malformed_message(channel, client, method):
    r = random.Random(SEED)
    for data in [b"\xff\xff\xff\xff", b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x05abc"]:
        assert "LAKESHED_MESSAGE_INVALID" in refusal(lambda: raw(channel, method, data)), data
    for _ in range(100):
        try:
            raw(channel, method, r.randbytes(r.randrange(60)))
        except grpc.RpcError as error:
            assert error.code() != grpc.StatusCode.UNAVAILABLE
            assert "INTERNAL_ERROR" not in error.details()


@pytest.mark.parametrize("method", METHODS)
def test_damaged_message(channel, client, method, server):
    """Bytes of a message that would be taken, some of them changed."""
    relation = pb.Relation(project=pb.Project(input=pb.Relation(range=pb.Range(end=3, step=1)), expressions=[
        pb.Expression(unresolved_function=pb.Expression.UnresolvedFunction(function_name="abs", arguments=[
            pb.Expression(literal=pb.Expression.Literal(integer=-4))]))]))
    session_id = str(uuid.uuid4())
    requests = {
        "ExecutePlan": pb.ExecutePlanRequest(session_id=session_id, plan=pb.Plan(root=relation)),
        "AnalyzePlan": pb.AnalyzePlanRequest(session_id=session_id, schema=pb.AnalyzePlanRequest.Schema(
            plan=pb.Plan(root=relation))),
        "Config": pb.ConfigRequest(session_id=session_id, operation=pb.ConfigRequest.Operation(
            set=pb.ConfigRequest.Set(pairs=[pb.KeyValue(key="a.b", value="c")]))),
        "AddArtifacts": pb.AddArtifactsRequest(session_id=session_id, batch=pb.AddArtifactsRequest.Batch(artifacts=[
            pb.AddArtifactsRequest.SingleChunkArtifact(name="files/x", data=pb.AddArtifactsRequest.ArtifactChunk(
                data=b"abc", crc=891568578))])),
    }
    whole = requests.get(method, pb.ReleaseSessionRequest(session_id=session_id)).SerializeToString()
    r = random.Random(SEED)
    for _ in range(200):
        data = bytearray(whole)
        for _ in range(r.choice((1, 1, 2, 4))):
            data[r.randrange(len(data))] = r.randrange(256)
        try:
            raw(channel, method, bytes(data[:r.randrange(1, len(data) + 1)] if r.random() < 0.3 else data))
        except grpc.RpcError as error:
            assert error.code() != grpc.StatusCode.UNAVAILABLE
            assert "[INTERNAL_ERROR]" not in error.details()


def test_nested_relations(channel, client):
    # Relation.limit is field 8, Limit.input field 1; Relation.range is field 15.
    relation = nested(field(15, b"\x10\x05"), 100_000, 1, 8)
    request = field(1, str(uuid.uuid4()).encode()) + field(3, field(1, relation))
    assert "LAKESHED_PLAN_TOO_DEEP" in refusal(lambda: raw(channel, "ExecutePlan", request))


def test_nested_expressions(channel, client):
    # Expression.alias is field 6, Alias.expr field 1; Project is field 3 of Relation, its expressions field 3.
    literal = pb.Expression(literal=pb.Expression.Literal(integer=1)).SerializeToString()
    relation = field(3, field(3, nested(literal, 100_000, 1, 6)))
    request = field(1, str(uuid.uuid4()).encode()) + field(3, field(1, relation))
    assert "LAKESHED_PLAN_TOO_DEEP" in refusal(lambda: raw(channel, "ExecutePlan", request))


@pytest.mark.parametrize("text", [
    "SELECT " + "(" * 100_000 + "1" + ")" * 100_000,
    "SELECT " + "NOT " * 100_000 + "true",
    "SELECT " + "- " * 100_000 + "1",
    "SELECT " + "array(" * 100_000 + ")" * 100_000,
    "SELECT CASE WHEN " * 50_000,
    "SELECT * FROM " + "(SELECT * FROM " * 50_000,
    "WITH a AS (" * 50_000,
    "SELECT CAST(NULL AS " + "array<" * 100_000 + "int" + ">" * 100_000 + ")",
    "CREATE TABLE deep (a " + "struct<a:" * 50_000 + "int" + ">" * 50_000 + ")",
    "/*" * 200_000,
    "SELECT transform(array(1), x -> " * 20_000,
    "EXPLAIN " * 50_000 + "SELECT 1",
])
def test_nested_statement(client, text):
    assert "[" in refusal(lambda: (_ for _ in ()).throw(client.run(text)))
    assert not mutate.our_fault(client.run(text))


def test_long_statements(client):
    assert client.run("SELECT " + " + ".join(["1"] * 2_000)) == 1
    assert client.run("SELECT " + " OR ".join(["true"] * 10_000)) == 1
    assert client.run("SELECT 1 WHERE 1 IN (" + ",".join(map(str, range(20_000))) + ")") == 1
    assert client.run(" UNION ALL ".join(["SELECT 1"] * 300)) == 300
    assert client.run("SELECT '" + "x" * 20_000_000 + "'") == 1


def test_nested_texts(spark, client):
    """Depth inside strings: JSON, types as JSON and as DDL, options."""
    deep_json, deep_type = "[" * 100_000, "array<" * 100_000 + "int" + ">" * 100_000
    as_json = '{"type":"array","containsNull":true,"elementType":' * 5000 + '"int"' + "}" * 5000
    for statement in [f"SELECT from_json('{deep_json}', 'a int')", f"SELECT get_json_object('{deep_json}', '$.a')",
                      f"SELECT schema_of_json('{deep_json}')", f"SELECT from_json('1', '{deep_type}')",
                      f"SELECT from_json('1', '{as_json}')", f"SELECT from_csv('1', 'a {deep_type}')",
                      f"SELECT parse_json('{deep_json}')", f"SELECT json_array_length('{deep_json}')",
                      f"SELECT json_tuple('{deep_json}', 'a')", f"SELECT regexp_like('a', '{'(' * 5000}{')' * 5000}')",
                      f"SELECT xpath('{'<a>' * 10000}', 'a')", f"SELECT to_date('1', '{'[' * 10000}')"]:
        answer = client.run(statement)
        assert not mutate.our_fault(answer), (statement[:60], answer)
    with pytest.raises(PySparkException):
        spark.createDataFrame([(1,)], "a " + deep_type).collect()


def test_message_of_200_megabytes(channel, client):
    message = field(1, str(uuid.uuid4()).encode()) + field(3, bytes(200 << 20))
    with pytest.raises(grpc.RpcError) as raised:
        raw(channel, "ExecutePlan", message)
    assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


# ---- statements ----

def test_random_bytes_as_sql(client):
    r = random.Random(SEED)
    alphabet = [chr(c) for c in range(32, 127)] + ["\0", "\t", "\n", "é", "\u2028", "\U0001f600", "''", "/*", "*/", "--", "`"]
    for _ in range(3000):
        answer = client.run("".join(r.choice(alphabet) for _ in range(r.randrange(1, 80))))
        assert not mutate.our_fault(answer), answer


def test_damaged_statements(server):
    """Recorded statements with tokens deleted, doubled, swapped and exchanged: rows, or an error that names a class."""
    mutator, faults = mutate.Mutator(mutate.recorded(), SEED), []
    client = mutate.Client(server.address)
    for _ in range(int(os.environ.get("HOSTILE_STATEMENTS", "3000"))):
        statement = mutator.next()
        answer = client.run(statement)
        if mutate.our_fault(answer):
            faults.append((statement, answer.details()))
            assert client.alive(), statement
    client.close()
    assert faults == []


# ---- sessions and clients ----

@pytest.mark.parametrize("session_id", ["", "x", "../../etc/passwd", "0" * 100_000, "00000000-0000-0000-0000-00000000000g", "é" * 36])
def test_bad_session_ids(stub, client, session_id):
    assert "INVALID_HANDLE.FORMAT" in refusal(lambda: stub.Config(pb.ConfigRequest(session_id=session_id)))
    request = pb.ExecutePlanRequest(session_id=session_id, plan=pb.Plan(root=pb.Relation(range=pb.Range(end=1, step=1))))
    assert "INVALID_HANDLE.FORMAT" in refusal(lambda: list(stub.ExecutePlan(request)))


def test_a_thousand_sessions(server, client):
    def one(_):
        c = mutate.Client(server.address)
        answer = c.run("SELECT 1")
        c.close()
        return answer

    before = server.rss_kb()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert list(pool.map(one, range(1000))) == [1] * 1000
    assert server.rss_kb() - before < 400_000


def test_aborting_clients(server, client):
    """Streams dropped after one answer, cancelled at once, and channels closed under a running query."""
    for i in range(60):
        c = mutate.Client(server.address)
        plan = pb.Plan(root=pb.Relation(sql=pb.SQL(query="SELECT id, repeat('x', 100) FROM range(10000000)")))
        stream = c.stub.ExecutePlan(pb.ExecutePlanRequest(session_id=c.session_id, plan=plan), timeout=60)
        if i % 3 == 0:
            next(stream)
        if i % 3 != 2:
            stream.cancel()
        c.channel.close()
    assert client.run("SELECT * FROM range(1000)") == 1000


# ---- artifacts ----

def upload(stub, session_id, name, chunks, total):
    def requests():
        first = pb.AddArtifactsRequest(session_id=session_id, begin_chunk=pb.AddArtifactsRequest.BeginChunkedArtifact(
            name=name, total_bytes=total, num_chunks=len(chunks), initial_chunk=chunk(chunks[0])))
        yield first
        for data in chunks[1:]:
            yield pb.AddArtifactsRequest(session_id=session_id, chunk=chunk(data))

    return stub.AddArtifacts(requests(), timeout=60)


def chunk(data):
    import zlib
    return pb.AddArtifactsRequest.ArtifactChunk(data=data, crc=zlib.crc32(data))


def test_huge_artifact(new_server):
    server = new_server("data", "--max-artifact-bytes", "1000000")
    with grpc.insecure_channel(server.address, options=UNLIMITED) as channel:
        stub = service.SparkConnectServiceStub(channel)
        session_id, chunks = str(uuid.uuid4()), [bytes(100_000)] * 20
        assert "LAKESHED_ARTIFACTS_TOO_LARGE" in refusal(lambda: upload(stub, session_id, "files/big", chunks, 2_000_000))
        # What was refused gives its room back, and leaves nothing.
        answer = upload(stub, session_id, "files/small", chunks[:8], 800_000)
        assert answer.artifacts[0].is_crc_successful
        stored = [f for f in (server.data / "artifacts").rglob("*") if f.is_file()]
        assert [f.stat().st_size for f in stored] == [800_000]


@pytest.mark.parametrize("name", ["../x", "/etc/x", "files/../../x", "files/./x", "files//x", "other/x", "files/a\0b", "", "files/" + "x" * 5000])
def test_artifact_names(stub, client, server, name):
    before = sorted(server.data.rglob("*"))
    single = pb.AddArtifactsRequest.SingleChunkArtifact(name=name, data=chunk(b"abc"))
    request = pb.AddArtifactsRequest(session_id=client.session_id, batch=pb.AddArtifactsRequest.Batch(artifacts=[single]))
    assert "[INVALID_ARTIFACT_PATH]" in refusal(lambda: stub.AddArtifacts(iter([request]), timeout=60))
    assert sorted(server.data.rglob("*")) == before


# ---- Arrow ----

def local(stub, session_id, data, schema=None):
    relation = pb.Relation(local_relation=pb.LocalRelation(data=data, schema=schema))
    return list(stub.ExecutePlan(pb.ExecutePlanRequest(session_id=session_id, plan=pb.Plan(root=relation)), timeout=60))


def arrow_bytes():
    table = pyarrow.table({
        "i": pyarrow.array([1, None, 3], pyarrow.int32()), "s": ["a", None, "c" * 40], "l": [[1, 2], None, []],
        "m": pyarrow.array([[("k", 1)], None, []], pyarrow.map_(pyarrow.string(), pyarrow.int64())),
        "r": [{"x": 1.5, "y": [b"z"]}, None, {"x": None, "y": None}], "d": pyarrow.array([1, 2, None], pyarrow.date32()),
        "n": pyarrow.array([None, None, 1], pyarrow.decimal128(20, 3))})
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def test_damaged_arrow(stub, client):
    whole, r, refused = arrow_bytes(), random.Random(SEED), 0
    assert local(stub, client.session_id, whole)
    for _ in range(1500):
        data = bytearray(whole)
        for _ in range(r.choice((1, 1, 2, 8))):
            at = r.randrange(len(data))
            if r.random() < 0.3 and at + 8 <= len(data):
                struct.pack_into("<q", data, at, r.choice((-1, 1 << 62, 1 << 31, -(1 << 31), 7)))
            else:
                data[at] = r.randrange(256)
        try:
            local(stub, client.session_id, bytes(data[:r.randrange(len(data))] if r.random() < 0.1 else data))
        except grpc.RpcError as error:
            refused += 1
            assert not mutate.our_fault(error), error
    assert refused > 300


# ---- logs and files ----

@pytest.fixture
def table(spark, tmp_path):
    """The folder of a Delta table with twelve versions and a checkpoint, and its rows."""
    folder = tmp_path / "t"
    for i in range(12):
        spark.range(i * 10, i * 10 + 10).write.format("delta").mode("append").save(str(folder))
    return folder


def rows(spark, folder):
    return spark.read.format("delta").load(str(folder)).count()


def commit(folder, version):
    return folder / "_delta_log" / f"{version:020}.json"


def add_action(**changes):
    action = {"path": "x.parquet", "partitionValues": {}, "size": 10, "modificationTime": 0, "dataChange": True}
    return json.dumps({"add": {**action, **changes}})


DAMAGE = {
    "truncated JSON": '{"add":{"path":"x.par',
    "garbage": b"\x00\xff\xfe garbage \x80",
    "not an object": "[1, 2]",
    "wrong type of path": add_action(path=5),
    "wrong type of size": add_action(size="many"),
    "partition values as a list": add_action(partitionValues=[1]),
    "nesting": '{"add":' + "[" * 100_000,
    "path out of the table": add_action(path="../../../../etc/passwd"),
    "encoded path out of the table": add_action(path="%2e%2e/%2e%2e/secret.parquet"),
    "deletion vector out of the table": add_action(deletionVector={
        "storageType": "u", "pathOrInlineDv": "../../..ab^-aqEH.-t@S}K{vb[*k^", "sizeInBytes": 4, "cardinality": 1, "offset": 1}),
    "deletion vector of no storage": add_action(deletionVector={
        "storageType": "z", "pathOrInlineDv": "", "sizeInBytes": -4, "cardinality": -1}),
    "deletion vector of huge numbers": add_action(deletionVector={
        "storageType": "u", "pathOrInlineDv": "ab^-aqEH.-t@S}K{vb[*k^", "sizeInBytes": 2**40, "cardinality": 1, "offset": 2**32}),
    "features as a text": '{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":"timeMachine",'
                          '"writerFeatures":[5]}}',
    "protocol past 32 bits": '{"protocol":{"minReaderVersion":4294967297,"minWriterVersion":4294967298}}',
    "configuration as a list": '{"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"schemaString":'
                               '"{\\"type\\":\\"struct\\",\\"fields\\":[]}","partitionColumns":[],"configuration":[]}}',
    "protocol of the future": '{"protocol":{"minReaderVersion":99,"minWriterVersion":99}}',
    "unknown reader feature": '{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["timeMachine"],'
                              '"writerFeatures":["timeMachine"]}}',
    "schema that is none": '{"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"schemaString":"{nope",'
                           '"partitionColumns":[],"configuration":{}}}',
    "unknown partition column": '{"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"schemaString":'
                                '"{\\"type\\":\\"struct\\",\\"fields\\":[]}","partitionColumns":["nope"],"configuration":{}}}',
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_commit(spark, client, table, name):
    content = DAMAGE[name]
    commit(table, 12).write_bytes(content if isinstance(content, bytes) else content.encode() + b"\n")
    found = condition(lambda: rows(spark, table))
    assert found and found != "INTERNAL_ERROR", found
    # What cannot be read is not written upon; files that are not there trouble only who reads them.
    if "out of the table" in name or "no storage" in name:
        assert found != "LAKESHED_LOG_INVALID"
    else:
        with pytest.raises(PySparkException):
            spark.range(3).write.format("delta").mode("append").save(str(table))
        assert not commit(table, 13).exists()
    commit(table, 12).unlink()
    assert rows(spark, table) == 120


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), 2**64, 1e300, -1, 0])
def test_huge_numbers_in_the_log(spark, client, table, value):
    first = json.loads(commit(table, 11).read_text().splitlines()[-1])
    first["add"].update(size=value, modificationTime=value, stats=json.dumps({"numRecords": value}))
    commit(table, 12).write_text(json.dumps(first) + "\n")
    try:
        assert spark.read.format("delta").load(str(table)).agg({"id": "max"}).collect()[0][0] == 119
        spark.sql(f"DESCRIBE DETAIL delta.`{table}`").collect()
    except PySparkException as error:
        assert error.getCondition() not in (None, "INTERNAL_ERROR"), error


def test_missing_commit(new_server, tmp_path):
    server = new_server()
    spark = server.session()
    folder = tmp_path / "t"
    for i in range(6):
        spark.range(10).write.format("delta").mode("append").save(str(folder))
    shutil.copytree(folder, tmp_path / "copy")
    commit(tmp_path / "copy", 3).unlink()
    assert condition(lambda: rows(spark, tmp_path / "copy")) in ("DELTA_VERSIONS_NOT_CONTIGUOUS", "DELTA_LOG_FILE_NOT_FOUND",
                                                                 "DELTA_TRUNCATED_TRANSACTION_LOG")
    assert rows(spark, folder) == 60
    spark.stop()


@pytest.mark.parametrize("content", [b"", b"PAR1", b"\xff" * 1000, "truncate"])
def test_damaged_checkpoint(new_server, table, content):
    """The commits below a checkpoint that cannot be read still hold the table, or the error says which file it was."""
    checkpoint = next((table / "_delta_log").glob("*.checkpoint.parquet"))
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[:len(whole) // 2] if content == "truncate" else content)
    spark = new_server().session()
    try:
        assert rows(spark, table) == 120
    except PySparkException as error:
        assert error.getCondition() not in (None, "INTERNAL_ERROR"), error
    checkpoint.write_bytes(whole)
    assert rows(spark, table) == 120
    (table / "_delta_log" / "_last_checkpoint").write_text('{"version":99999999999,"size":-1,"parts":1000000}')
    assert rows(spark, table) == 120
    spark.stop()


@pytest.mark.parametrize("content", [None, b"", b"not parquet at all", "truncate"])
def test_damaged_data_file(spark, client, table, content):
    file = next(f for f in sorted(table.glob("*.parquet")))
    whole = file.read_bytes()
    file.unlink()
    if content is not None:
        file.write_bytes(whole[:len(whole) - 40] if content == "truncate" else content)
    found = condition(lambda: spark.read.format("delta").load(str(table)).agg({"id": "sum"}).collect())
    assert found.startswith("FAILED_READ_FILE"), found
    with pytest.raises(PySparkException):
        spark.sql(f"DELETE FROM delta.`{table}` WHERE id % 2 = 0").collect()
    assert not commit(table, 12).exists()
    file.write_bytes(whole)
    assert spark.read.format("delta").load(str(table)).selectExpr("sum(id)").first()[0] == sum(range(120))


@pytest.mark.parametrize("form", ["json", "csv"])
def test_truncated_gzip(spark, client, tmp_path, form):
    """A compressed file that ends in the middle is no shorter file."""
    import gzip
    lines = "".join('{"a":%d}\n' % i if form == "json" else "%d\n" % i for i in range(20_000))
    file = tmp_path / f"x.{form}.gz"
    file.write_bytes(gzip.compress(lines.encode()))
    assert spark.read.format(form).schema("a int").load(str(file)).count() == 20_000
    file.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(PySparkException) as raised:
        spark.read.format(form).schema("a int").load(str(file)).selectExpr("sum(a)").collect()
    assert raised.value.getCondition() == "FAILED_READ_FILE.NO_HINT"
