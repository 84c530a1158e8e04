"""The Spark Connect protocol itself: streams, reattaching, releasing, interrupting, hostile bytes, errors."""
import threading
import time
import uuid

import grpc
import pytest
import pyspark.sql.connect.proto as pb
import pyspark.sql.connect.proto.base_pb2_grpc as service
from pyspark.errors import PySparkException
from pyspark.sql import Observation, functions as F

UNLIMITED = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


@pytest.fixture
def channel(server):
    with grpc.insecure_channel(server.address, options=UNLIMITED) as channel:
        yield channel


@pytest.fixture
def stub(channel):
    return service.SparkConnectServiceStub(channel)


@pytest.fixture
def session_id():
    return str(uuid.uuid4())


def raw(channel, method, data, stream=False):
    make = channel.unary_stream if stream else channel.unary_unary
    call = make("/spark.connect.SparkConnectService/" + method, request_serializer=bytes, response_deserializer=bytes)
    answer = call(data, timeout=60)
    return list(answer) if stream else answer


def version(stub, session_id):
    request = pb.AnalyzePlanRequest(session_id=session_id, spark_version=pb.AnalyzePlanRequest.SparkVersion())
    return stub.AnalyzePlan(request).spark_version.version


def fails(code, call):
    with pytest.raises(grpc.RpcError) as raised:
        call()
    assert raised.value.code() == code, raised.value.details()
    return raised.value.details()


def execute(session_id, end, operation_id=None, reattachable=True):
    options = [pb.ExecutePlanRequest.RequestOption(reattach_options=pb.ReattachOptions(reattachable=reattachable))]
    return pb.ExecutePlanRequest(session_id=session_id, operation_id=operation_id or str(uuid.uuid4()),
                                 plan=pb.Plan(root=pb.Relation(range=pb.Range(end=end, step=1))),
                                 request_options=options)


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def nested_request(session_id, levels):
    relation = field(15, b"\x10\x05")
    for _ in range(levels):
        relation = field(8, field(1, relation) + b"\x10\x07")
    return field(1, session_id.encode()) + field(3, field(1, relation))


# ---- hostile bytes ----

def test_unknown_method(channel):
    assert "Nope" in fails(grpc.StatusCode.UNIMPLEMENTED, lambda: raw(channel, "Nope", b""))


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", b"\x0a\xff\x01abc", b"\x00", b"\x0a\x01\xff"])
def test_malformed(channel, stub, session_id, data):
    assert "LAKESHED_MESSAGE_INVALID" in fails(grpc.StatusCode.INVALID_ARGUMENT, lambda: raw(channel, "Config", data))
    fails(grpc.StatusCode.INVALID_ARGUMENT, lambda: raw(channel, "ExecutePlan", data, True))
    assert version(stub, session_id) == "4.2.0"


@pytest.mark.parametrize("levels, accepted", [(100, True), (900, True), (1100, False), (20000, False)])
def test_nesting(channel, stub, session_id, levels, accepted):
    request = nested_request(session_id, levels)
    if accepted:
        assert len(raw(channel, "ExecutePlan", request, True)) == 2
    else:
        assert "LAKESHED_PLAN_TOO_DEEP" in fails(grpc.StatusCode.INVALID_ARGUMENT,
                                                 lambda: raw(channel, "ExecutePlan", request, True))
    assert version(stub, session_id) == "4.2.0"


def test_message_too_large(channel, stub, session_id):
    message = b"\x1a\x80\x80\x80\x64" + bytes(200 << 20)
    fails(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: raw(channel, "ExecutePlan", message, True))
    assert version(stub, session_id) == "4.2.0"


def test_bad_compression(stub, session_id):
    broken = pb.Plan.CompressedOperation(data=b"abc", op_type=1, compression_codec=1)
    request = pb.ExecutePlanRequest(session_id=session_id, plan=pb.Plan(compressed_operation=broken))
    assert "CANNOT_PARSE" in fails(grpc.StatusCode.INTERNAL, lambda: list(stub.ExecutePlan(request)))


# ---- handles ----

def test_handles(stub, session_id):
    reattach = pb.ReattachExecuteRequest(session_id=session_id, operation_id=str(uuid.uuid4()))
    assert "INVALID_HANDLE.SESSION_NOT_FOUND" in fails(grpc.StatusCode.NOT_FOUND,
                                                       lambda: list(stub.ReattachExecute(reattach)))
    version(stub, session_id)
    assert "INVALID_HANDLE.OPERATION_NOT_FOUND" in fails(grpc.StatusCode.NOT_FOUND,
                                                         lambda: list(stub.ReattachExecute(reattach)))
    changed = pb.ConfigRequest(session_id=session_id, client_observed_server_side_session_id=str(uuid.uuid4()))
    assert "INVALID_HANDLE.SESSION_CHANGED" in fails(grpc.StatusCode.INTERNAL, lambda: stub.Config(changed))
    assert "INVALID_HANDLE.FORMAT" in fails(grpc.StatusCode.INTERNAL,
                                            lambda: stub.Config(pb.ConfigRequest(session_id="x")))
    stub.ReleaseSession(pb.ReleaseSessionRequest(session_id=session_id))
    assert "INVALID_HANDLE.SESSION_CLOSED" in fails(grpc.StatusCode.INTERNAL, lambda: version(stub, session_id))


# ---- streams ----

def test_stream_shape(stub, session_id):
    request = execute(session_id, 150000)
    responses = list(stub.ExecutePlan(request))
    assert [r.WhichOneof("response_type") for r in responses] == ["arrow_batch"] * 3 + ["result_complete"]
    assert [r.arrow_batch.start_offset for r in responses[:3]] == [0, 65536, 131072]
    assert sum(r.arrow_batch.row_count for r in responses) == 150000
    assert responses[0].HasField("schema")
    assert len({r.response_id for r in responses}) == 4
    assert {r.operation_id for r in responses} == {request.operation_id}
    assert len({r.server_side_session_id for r in responses}) == 1


def test_reattach_and_release(stub, session_id):
    request = execute(session_id, 150000)
    ids = [r.response_id for r in stub.ExecutePlan(request)]
    handle = dict(session_id=session_id, operation_id=request.operation_id)

    def again(last):
        return [r.response_id for r in stub.ReattachExecute(pb.ReattachExecuteRequest(**handle, last_response_id=last))]

    assert again(ids[0]) == ids[1:]
    assert again("") == ids
    until = pb.ReleaseExecuteRequest.ReleaseUntil(response_id=ids[1])
    stub.ReleaseExecute(pb.ReleaseExecuteRequest(**handle, release_until=until))
    # Out of order: what is gone already is no error.
    older = pb.ReleaseExecuteRequest.ReleaseUntil(response_id=ids[0])
    stub.ReleaseExecute(pb.ReleaseExecuteRequest(**handle, release_until=older))
    assert again(ids[1]) == ids[2:]
    assert "OPERATION_ALREADY_EXISTS" in fails(grpc.StatusCode.INTERNAL, lambda: list(stub.ExecutePlan(request)))
    stub.ReleaseExecute(pb.ReleaseExecuteRequest(**handle, release_all=pb.ReleaseExecuteRequest.ReleaseAll()))
    fails(grpc.StatusCode.NOT_FOUND, lambda: again(ids[1]))
    assert not stub.ReleaseExecute(pb.ReleaseExecuteRequest(**handle, release_all=pb.ReleaseExecuteRequest.ReleaseAll())
                                   ).operation_id


def test_slow_client_does_not_fill_memory(new_server):
    server = new_server("data", "--result-buffer-bytes", "4000000")
    session_id, rows = str(uuid.uuid4()), 20_000_000
    with grpc.insecure_channel(server.address, options=UNLIMITED) as channel:
        stub = service.SparkConnectServiceStub(channel)
        list(stub.ExecutePlan(execute(session_id, 10)))
        request = execute(session_id, rows)
        before, count, stream = server.rss_kb(), 0, stub.ExecutePlan(request)
        for response in stream:
            count += response.arrow_batch.row_count
            if count > 70000 and count < 200000:
                time.sleep(0.7)
                assert server.rss_kb() - before < 60000
            until = pb.ReleaseExecuteRequest.ReleaseUntil(response_id=response.response_id)
            stub.ReleaseExecute(pb.ReleaseExecuteRequest(session_id=session_id, operation_id=request.operation_id,
                                                         release_until=until))
        assert count == rows


def state(stub, session_id, operation_id):
    asked = pb.GetStatusRequest.OperationStatusRequest(operation_ids=[operation_id])
    answer = stub.GetStatus(pb.GetStatusRequest(session_id=session_id, operation_status=asked))
    return answer.operation_statuses[0].state


STATES = pb.GetStatusResponse.OperationStatus


def test_disconnect_cancels(stub, session_id):
    request = execute(session_id, 10**12, reattachable=False)
    stream = stub.ExecutePlan(request)
    next(stream)
    assert state(stub, session_id, request.operation_id) == STATES.OPERATION_STATE_RUNNING
    stream.cancel()
    for _ in range(100):
        if state(stub, session_id, request.operation_id) == STATES.OPERATION_STATE_CANCELLED:
            return
        time.sleep(0.05)
    pytest.fail("the query goes on without its client")


def test_interrupt(spark):
    failures = []

    def run():
        spark.addTag("mine")
        try:
            spark.range(10**10).selectExpr("sum(sqrt(id * 1.5 + cast(id as string)))").collect()
        except PySparkException as e:
            failures.append(e)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.7)
    assert spark.interruptTag("other") == []
    assert len(spark.interruptTag("mine")) == 1
    thread.join(20)
    assert failures and failures[0].getCondition() == "OPERATION_CANCELED"


def test_many_at_once(server):
    """More slow queries than workers: releasing, interrupting and settings are answered meanwhile."""
    sessions = [server.session() for _ in range(12)]
    threads = [threading.Thread(target=lambda s=s: pytest.raises(PySparkException, s.range(10**10).selectExpr(
        "sum(sqrt(id * 1.5 + cast(id as string)))").collect)) for s in sessions]
    for thread in threads:
        thread.start()
    time.sleep(1)
    started = time.time()
    assert sessions[0].conf.get("spark.sql.shuffle.partitions") == "200"
    for s in sessions:
        s.interruptAll()
    assert time.time() - started < 5
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    for s in sessions:
        s.stop()


# ---- errors ----

@pytest.mark.parametrize("statement, python_class, condition, state, parameters", [
    ("selec 1", "ParseException", "PARSE_SYNTAX_ERROR", "42601", {"error": "'selec'", "hint": ""}),
    ("select nope", "AnalysisException", "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "42703", {"objectName": "`nope`"}),
    ("select * from no.t", "AnalysisException", "TABLE_OR_VIEW_NOT_FOUND", "42P01", {"relationName": "`no`.`t`"}),
    ("select 1/0", "ArithmeticException", "DIVIDE_BY_ZERO", "22012", {"config": '"spark.sql.ansi.enabled"'}),
    ("select cast('a' as int)", "NumberFormatException", "CAST_INVALID_INPUT", "22018",
     {"expression": "'a'", "sourceType": '"STRING"', "targetType": '"INT"'}),
    ("select cast('a' as date)", "DateTimeException", "CAST_INVALID_INPUT", "22018", {"targetType": '"DATE"'}),
    ("select array(1)[5]", "ArrayIndexOutOfBoundsException", "INVALID_ARRAY_INDEX", "22003",
     {"indexValue": "5", "arraySize": "1"}),
])
def test_error_classes(spark, statement, python_class, condition, state, parameters):
    with pytest.raises(PySparkException) as raised:
        spark.sql(statement).collect()
    error = raised.value
    assert type(error).__name__ == python_class
    assert error.getCondition() == condition
    assert error.getSqlState() == state
    got = error.getMessageParameters()
    assert {k: got.get(k) for k in parameters} == parameters
    assert "JVM" not in str(error)


# ---- plans ----

def test_compressed_plans(spark):
    spark.conf.set("spark.connect.session.planCompression.threshold", "10")
    rows = [(i, "x" * 50) for i in range(500)]
    assert spark.createDataFrame(rows, "a int, b string").selectExpr("sum(a)").first()[0] == 124750
    assert spark.sql("select " + " + ".join(["1"] * 200) + " as x").first()[0] == 200


def test_text_with_nul(spark):
    df = spark.createDataFrame([("a\0b",)], "x string").select(F.length("x"), F.length(F.lit("a\0bc")))
    assert df.first() == (3, 4)


def test_sql_arguments(spark):
    assert spark.sql("select :a + 1 as x", args={"a": 1}).first()[0] == 2
    assert spark.sql("select ? + 1 as x", args=[4]).first()[0] == 5
    assert spark.sql("select count(*) from {d}", d=spark.range(7)).first()[0] == 7


def test_observe(spark):
    seen = Observation("seen")
    assert spark.range(5).observe(seen, F.count(F.lit(1)).alias("n"), F.max("id").alias("m")).count() == 5
    assert seen.get == {"n": 5, "m": 4}


def test_analyze(spark):
    df = spark.range(3)
    assert df.isLocal() is False and df.isStreaming is False
    assert df.withColumn("a", F.col("id") * 2).sameSemantics(df.withColumn("b", F.col("id") * 2))
    assert not df.sameSemantics(spark.range(4))
    assert df.semanticHash() == spark.range(3).semanticHash()
    df.persist()
    assert df.storageLevel.useMemory
    df.unpersist()
    assert not df.storageLevel.useMemory
    assert spark.version == "4.2.0"


def test_temp_views(spark):
    spark.range(3).createOrReplaceTempView("v")
    assert spark.sql("select sum(id) from v").first()[0] == 3
    spark.range(4).createOrReplaceTempView("v")
    assert spark.table("v").count() == 4
    assert spark.catalog.dropTempView("v") and not spark.catalog.dropTempView("v")


# ---- sessions ----

def test_settings(spark):
    spark.conf.set("spark.sql.shuffle.partitions", 7)
    assert spark.conf.get("spark.sql.shuffle.partitions") == "7"
    assert spark.conf.get("no.such.key", "x") == "x" and spark.conf.get("no.such.key", None) is None
    assert spark.conf.isModifiable("spark.sql.ansi.enabled") and not spark.conf.isModifiable("spark.sql.warehouse.dir")
    for key, value, condition in [("spark.sql.shuffle.partitions", "x", "INVALID_CONF_VALUE.TYPE_MISMATCH"),
                                  ("spark.sql.warehouse.dir", "/x", "CANNOT_MODIFY_STATIC_CONFIG"),
                                  ("spark.sql.session.timeZone", "Mars/X", "INVALID_CONF_VALUE.TIME_ZONE")]:
        with pytest.raises(PySparkException) as raised:
            spark.conf.set(key, value)
        assert raised.value.getCondition() == condition
    with pytest.raises(PySparkException) as raised:
        spark.conf.get("no.such.key")
    assert raised.value.getCondition() == "SQL_CONF_NOT_FOUND"


def test_artifacts(server, spark, tmp_path):
    module = tmp_path / "mod_x.py"
    module.write_text("x = 1\n" * 20000)
    spark.addArtifacts(str(module), pyfile=True)
    digest = spark.client.cache_artifact(b"hello")
    assert spark.client._artifact_manager.is_cached_artifact(digest)
    stored = list((server.data / "artifacts").rglob("mod_x.py"))
    assert len(stored) == 1 and stored[0].read_bytes() == module.read_bytes()
    spark.client.release_session()
    assert not stored[0].exists()


def test_large_local_relation(spark):
    """Above the cache threshold the rows travel as an artifact."""
    spark.conf.set("spark.sql.session.localRelationCacheThreshold", "1000")
    df = spark.createDataFrame([(i, "x" * 100) for i in range(2000)], "a int, b string")
    assert df.selectExpr("sum(a)", "sum(length(b))").first() == (1999000, 200000)


def test_clone(spark, stub):
    spark.conf.set("a.b", "1")
    spark.range(3).createOrReplaceTempView("v")
    clone = spark.cloneSession()
    assert clone.conf.get("a.b") == "1" and clone.table("v").count() == 3
    clone.conf.set("a.b", "2")
    assert spark.conf.get("a.b") == "1"
