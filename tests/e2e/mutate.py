"""Statements made wrong on purpose: tokens deleted, doubled, swapped, exchanged; the same ones for the same seed.

As a program it keeps at it until told to stop, against a server that is running:
    python mutate.py --remote HOST:PORT --seed 1 --minutes 10 [FILE.sql ...]
"""
import argparse
import json
import pathlib
import random
import re
import sys
import time
import uuid

import grpc
import pyspark.sql.connect.proto as pb
import pyspark.sql.connect.proto.base_pb2_grpc as service

RECORDED = pathlib.Path(__file__).parents[1] / "conformance" / "data" / "functions.jsonl"
TOKEN = re.compile(r"\s+|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`|\w+(?:\.\d+)?|<=>|[<>=!|:-][>=|:]|.", re.S)
ODD = ["NULL", "''", "0", "-1", "9223372036854775807", "-9223372036854775808", "1e308", "'NaN'", "array()", "map()",
       "struct()", "named_struct('a', 1)", "array(NULL)", "map(1, array(2))", "X''", "INTERVAL '1' MONTH",
       "INTERVAL '1 02:03:04' DAY TO SECOND", "DATE'9999-12-31'", "TIMESTAMP'0001-01-01'", "CAST(NULL AS INT)", "true",
       "12345678901234567890123456789012345678", "0.00000000000000000000000000000000000001", "'\\u0000'", "'\\uD83D'",
       "x -> x", "(x, y) -> x", "*", "t.*", "(SELECT 1)", "(SELECT NULL WHERE false)", "count(*)", "sum(1) OVER ()",
       "explode(array(1, 2))", "DISTINCT", "LATERAL", "cast(1 AS decimal(38, 38))", "repeat('a', 100000)", "rand(0)",
       "1Y", "1S", "1F", "1D", "1BD", "CURRENT_DATE", "parse_json('{}')", "time'12:00:00'", "current_user()"]
ENGINE_TALK = re.compile(r"INTERNAL_ERROR|(Binder|Conversion|Catalog|Parser|Invalid Input|Out of Range|Not implemented) Error")
CONTEXT = ["SELECT {}", "SELECT {} FROM VALUES (1, 'a', NULL), (2, NULL, 3.5) AS t(a, b, c)", "SELECT * FROM ({}) AS q",
           "SELECT count(*) FROM ({})", "WITH q AS ({}) SELECT * FROM q, q AS r", "SELECT array(({}))", "{} UNION ALL {}",
           "SELECT a FROM VALUES (1), (2) AS t(a) WHERE {}", "SELECT max(a), {} FROM VALUES (1), (2) AS t(a) GROUP BY a",
           "SELECT a FROM VALUES (1), (2) AS t(a) ORDER BY {}", "EXPLAIN {}", "CREATE OR REPLACE TEMP VIEW v AS {}",
           "SELECT transform(array(1, NULL), x -> {})", "VALUES ({})", "DESCRIBE QUERY {}",
           "CREATE OR REPLACE TABLE fuzz_t AS {}", "INSERT INTO fuzz_t {}", "DELETE FROM fuzz_t WHERE {}"]


def recorded():
    with RECORDED.open(encoding="utf-8") as lines:
        return [json.loads(line)["sql"] for line in lines]


def statements_of(path):
    text = re.sub(r"^--.*$", "", pathlib.Path(path).read_text(encoding="utf-8", errors="replace"), flags=re.M)
    return [part.strip() for part in re.split(r";\s*\n", text) if part.strip()]


class Mutator:
    def __init__(self, statements, seed):
        self.random = random.Random(seed)
        self.tokens = [TOKEN.findall(statement) for statement in statements if len(statement) < 4000]

    def expression(self):
        """What stands between the SELECT and the FROM of some statement."""
        text = "".join(self.random.choice(self.tokens))
        found = re.match(r"(?is)\s*select\s+(.*?)(\sfrom\s.*)?$", text)
        return found.group(1) if found else text

    def change(self, tokens):
        r, n = self.random, len(tokens)
        if not n:
            return [r.choice(ODD)]
        i, j = sorted((r.randrange(n), r.randrange(n)))
        kind = r.randrange(9)
        if kind == 0:
            del tokens[i:min(j, i + r.choice((1, 1, 2, 5)))]
        elif kind == 1:
            tokens[i:i] = tokens[i:min(j + 1, i + 6)]
        elif kind == 2:
            tokens[i], tokens[j] = tokens[j], tokens[i]
        elif kind in (3, 4):
            words = [k for k, token in enumerate(tokens) if re.match(r"[\w'\"]", token)]
            tokens[r.choice(words) if words else i] = r.choice(ODD)
        elif kind == 5:
            tokens[i] = r.choice(r.choice(self.tokens) or [" "])
        elif kind == 6:
            tokens[i:i] = ["("] + list(self.expression()) + [")"]
        elif kind == 7:
            other = r.choice(self.tokens)
            tokens[i:] = other[r.randrange(len(other) + 1):]
        else:
            words = [k for k, token in enumerate(tokens) if re.match(r"[A-Za-z_]", token)]
            mine = [t for t in r.choice(self.tokens) if re.match(r"[A-Za-z_]", t)]
            if words and mine:
                tokens[r.choice(words)] = r.choice(mine)
        return tokens

    def next(self):
        r = self.random
        tokens = list(r.choice(self.tokens))
        for _ in range(r.choice((0, 1, 1, 1, 2, 2, 3, 5))):
            tokens = self.change(tokens)
        text = "".join(tokens)
        if r.random() < 0.3:
            frame = r.choice(CONTEXT)
            text = frame.replace("{}", text if "SELECT * FROM ({" in frame or "UNION" in frame else
                                 r.choice((text, self.expression())))
        return text


class Client:
    """One session, spoken to without the client's retries."""

    def __init__(self, address, seconds=30):
        self.channel = grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)])
        self.stub = service.SparkConnectServiceStub(self.channel)
        self.session_id, self.seconds = str(uuid.uuid4()), seconds

    def run(self, statement):
        """The rows' number, or the error: its code and text."""
        relation = pb.Relation(sql=pb.SQL(query=statement))
        request = pb.ExecutePlanRequest(session_id=self.session_id, plan=pb.Plan(root=relation))
        try:
            return sum(answer.arrow_batch.row_count for answer in self.stub.ExecutePlan(request, timeout=self.seconds))
        except grpc.RpcError as error:
            return error

    def alive(self):
        return self.run("SELECT 1") == 1

    def close(self):
        self.stub.ReleaseSession(pb.ReleaseSessionRequest(session_id=self.session_id), timeout=self.seconds)
        self.channel.close()


def our_fault(answer):
    """A crash, an internal error, the engine's own words: anything but rows or an error that a user can act on."""
    if isinstance(answer, int) or answer.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
        return False
    return (answer.code() == grpc.StatusCode.UNAVAILABLE or bool(ENGINE_TALK.search(answer.details() or "INTERNAL_ERROR")))


def open_session(address, setup):
    """A new session in which the statements that make views and tables have been run."""
    client = Client(address)
    for statement in setup:
        if re.match(r"(?i)(create|insert|declare|set)\b", statement):
            client.run(statement)
    return client


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--remote", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    files, rest = [statements_of(path) for path in options.files] or [[]], recorded()
    count, started, seen, client = 0, time.time(), set(), None
    while time.time() - started < options.minutes * 60:
        if count % 400 == 0:
            if client:
                client.close()
            picked = random.Random(options.seed * 1000003 + count).choice(files)
            client = open_session(options.remote, picked)
            mutator = Mutator(picked * 3 + rest[count % 7::7], options.seed * 1000003 + count)
        statement = mutator.next()
        count += 1
        if "directory" in statement.lower():
            continue
        answer = client.run(statement)
        if isinstance(answer, grpc.RpcError) and answer.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
            print(json.dumps({"n": count, "slow": statement}), flush=True)
        if our_fault(answer):
            text = answer.details() or str(answer.code())
            shape = re.sub(r"\d+|'[^']*'|\"[^\"]*\"|`[^`]*`", "_", text)[:90]
            if shape not in seen:
                seen.add(shape)
                print(json.dumps({"n": count, "sql": statement, "error": text[:600]}), flush=True)
            if answer.code() == grpc.StatusCode.UNAVAILABLE and not client.alive():
                return 1
    print(f"{count} statements", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
