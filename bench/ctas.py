"""CREATE TABLE AS of computed rows: one folder, and thirty partitions by date."""
import duckdb
from deltalake import DeltaTable, write_deltalake

import tables
from measure import Contender, ROWS, Results, expect, fresh_folder, side_by_side
from servers import lakeshed, sail

COUNT = 2 * ROWS
SQL = f"""SELECT id, id * 0.5D AS v, concat('customer-', CAST(id % 100000 AS STRING)) AS s, CAST(id % 1000 AS INT) AS q,
    date_add(DATE '2025-01-01', CAST(id % 30 AS INT)) AS d FROM range({COUNT})"""
DUCK = f"""SELECT range AS id, range * 0.5::DOUBLE AS v, 'customer-' || (range % 100000)::VARCHAR AS s, (range % 1000)::INTEGER AS q,
    DATE '2025-01-01' + (range % 30)::INTEGER AS d FROM range({COUNT})"""


def check(files, name):
    listed = ", ".join(f"'{f}'" for f in files)
    got = duckdb.execute(f"SELECT count(*), sum(id)::BIGINT FROM read_parquet([{listed}], hive_partitioning = false)").fetchone()
    expect(f"rows that {name} wrote", got, (COUNT, COUNT * (COUNT - 1) // 2))


def over_connect(server, partitioned):
    session, place = server.session(), {}

    def prepare():
        session.sql("DROP TABLE IF EXISTS made").collect()
        place["folder"] = fresh_folder(f"by-{server.name}")

    def work():
        session.sql(f"CREATE TABLE made USING delta {'PARTITIONED BY (d)' if partitioned else ''} LOCATION '{place['folder']}' AS {SQL}").collect()

    return Contender(server.name, work, server.cpu, prepare, lambda _: check(DeltaTable(place["folder"]).file_uris(), server.name))


def with_delta_rs(partitioned):
    c, place = tables.connection(), {}

    def prepare():
        place["folder"] = fresh_folder("by-delta-rs")

    def work():
        write_deltalake(place["folder"], c.execute(DUCK).to_arrow_reader(100_000), partition_by=["d"] if partitioned else None)

    return Contender("delta-rs", work, prepare=prepare, check=lambda _: check(DeltaTable(place["folder"]).file_uris(), "delta-rs"))


def floor(partitioned):
    c, place = tables.connection(), {}

    def prepare():
        place["folder"] = fresh_folder("floor")
        place["folder"].mkdir()

    def work():
        where = f"'{place['folder']}' (FORMAT parquet, PARTITION_BY (d), OVERWRITE_OR_IGNORE" if partitioned else f"'{place['folder']}/all.parquet' (FORMAT parquet"
        c.execute(f"COPY ({DUCK}) TO {where}, COMPRESSION snappy)")

    return Contender("DuckDB COPY", work, prepare=prepare, check=lambda _: check(place["folder"].rglob("*.parquet"), "DuckDB"))


def main():
    servers = [lakeshed(), sail()]
    results = Results("ctas")
    try:
        for name, partitioned in (("one folder", False), ("thirty partitions", True)):
            contenders = [over_connect(servers[0], partitioned), floor(partitioned), with_delta_rs(partitioned), over_connect(servers[1], partitioned)]
            side_by_side(contenders)
            results.add_turns(f"CTAS of {COUNT:,} rows, {name}", contenders)
    finally:
        for server in servers:
            server.stop()
    results.finish()


if __name__ == "__main__":
    main()
