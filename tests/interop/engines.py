"""The engines that read lakeshed's tables, each answering as Arrow, and the one form in which answers are compared."""
import json
import os
import pathlib
import subprocess
import sys
import time

import deltalake
import duckdb
import duckdb_extension_delta
import pyarrow

PEER = pathlib.Path(__file__).with_name("spark_peer.py")
COMMAND_SECONDS = 240


def plain(scalar):
    """An Arrow value as a Python value that has one spelling only, whichever engine made it."""
    if isinstance(scalar, pyarrow.DictionaryScalar):
        return plain(scalar.value)
    if isinstance(scalar, pyarrow.ExtensionScalar):
        return plain(scalar.value)
    if not scalar.is_valid:
        return None
    kind = scalar.type
    if pyarrow.types.is_struct(kind):
        return tuple((field.name, plain(scalar[i])) for i, field in enumerate(kind))
    if pyarrow.types.is_map(kind):
        return tuple(sorted(((plain(entry[0]), plain(entry[1])) for entry in scalar.values), key=repr))
    if pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind) or pyarrow.types.is_list_view(kind):
        return tuple(plain(item) for item in scalar.values)
    if pyarrow.types.is_timestamp(kind):
        per_microsecond = {"s": 1_000_000, "ms": 1000, "us": 1}
        micros = scalar.value // 1000 if kind.unit == "ns" else scalar.value * per_microsecond[kind.unit]
        return ("instant" if kind.tz else "wall clock", micros)
    if pyarrow.types.is_date(kind):
        return ("day", scalar.cast(pyarrow.int32()).as_py())
    if pyarrow.types.is_floating(kind):
        return ("float", repr(scalar.as_py()))
    if pyarrow.types.is_decimal(kind):
        return ("decimal", str(scalar.as_py()))
    return scalar.as_py()


def rows(table, *columns):
    """Every row of an Arrow table as a tuple in the order of the columns' names, sorted."""
    names = sorted(columns or table.column_names)
    return sorted((tuple(map(plain, row)) for row in zip(*(table.column(name) for name in names))), key=repr)


def history(table):
    """What happened, oldest first."""
    return [operation for _, operation in sorted(zip(table.column("version").to_pylist(), table.column("operation").to_pylist()))]


class Spark:
    """A classic Spark in a process of its own (spark_peer.py under ORACLE_PYTHON): one JVM for every question."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.answered = 0
        self.saved = 0
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("SPARK_", "PYSPARK_"))}
        environment |= {"TZ": "UTC", "SPARK_LOCAL_IP": "127.0.0.1",
                        "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
        self.log = self.folder / "spark.log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([os.environ["ORACLE_PYTHON"], "-W", "ignore", str(PEER), str(self.folder)],
                                            stdin=subprocess.PIPE, stdout=log, stderr=log, text=True, env=environment,
                                            cwd=self.folder)

    def ask(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        answer = self.folder / f"{self.answered}.json"
        self.answered += 1
        deadline = time.monotonic() + COMMAND_SECONDS
        while not answer.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("Spark ended or hangs:\n" + self.log.read_text()[-3000:])
            time.sleep(0.01)
        return json.loads(answer.read_text())

    def done(self, **command):
        answer = self.ask(**command)
        assert "error" not in answer, f"Spark: {answer['error']}\nasked: {command}"
        return answer["schemas"]

    def sql(self, *statements, **settings):
        self.done(statements=statements, settings=settings)

    def steps(self, asked, folder):
        """The outcome of each step (steps.py)."""
        answer = self.ask(steps=asked, folder=folder)
        assert "error" not in answer, answer["error"]
        return answer["outcomes"]

    def refusal(self, statement):
        """The error of a statement that must fail."""
        return self.ask(statements=[statement])["error"]

    def read(self, *reads):
        """Arrow tables, one a read: {"query": SQL} or {"path": folder, "options": {...}}."""
        wanted = []
        for read in reads:
            self.saved += 1
            wanted.append(read | {"to": str(self.folder / f"rows-{self.saved}.arrow")})
        self.done(reads=wanted)
        return [self._load(read["to"]) for read in wanted]

    @staticmethod
    def _load(path):
        with pyarrow.OSFile(path, "rb") as source:
            return pyarrow.ipc.open_file(source).read_all()

    def query(self, text):
        return self.read({"query": text})[0]

    def path(self, name):
        return self.query(f"DESCRIBE DETAIL {name}").column("location")[0].as_py().removeprefix("file:")

    def history(self, name):
        return history(self.query(f"DESCRIBE HISTORY {name}"))

    def last_version(self, name):
        return len(self.history(name)) - 1

    def version(self, path, *versions):
        return self.read(*({"path": path, "options": {"versionAsOf": str(v)}} for v in versions))

    def changes(self, path, start, end):
        options = {"readChangeFeed": "true", "startingVersion": str(start), "endingVersion": str(end)}
        return self.read({"path": path, "options": options})[0]

    def schema(self, path):
        return json.loads(self.done(reads=[{"path": path, "options": {}, "to": str(self.folder / "schema.arrow")}])[0])

    def stop(self):
        self.process.stdin.close()
        try:
            return self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class DeltaRs:
    """delta-rs: its DataFusion reader, which applies deletion vectors."""

    @staticmethod
    def version(path, *versions):
        tables = []
        for version in versions:
            table = deltalake.DeltaTable(path, version=version)
            query = deltalake.QueryBuilder().register("t", table).execute("SELECT * FROM t")
            tables.append(pyarrow.table(query.read_all()))
        return tables

    @staticmethod
    def changes(path, start, end):
        return pyarrow.table(deltalake.DeltaTable(path).load_cdf(starting_version=start, ending_version=end).read_all())


class Duck:
    """DuckDB with its delta extension, from the Python packages of both."""

    def __init__(self):
        self.connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
        package = pathlib.Path(duckdb_extension_delta.__file__).parent
        self.connection.execute(f"LOAD '{next(package.rglob('delta.duckdb_extension'))}'")
        self.connection.execute("SET threads = 1")

    def version(self, path, *versions):
        scan = "SELECT * FROM delta_scan('{}', version => {})"
        return [self.connection.execute(scan.format(path.replace("'", "''"), version)).to_arrow_table() for version in versions]
