"""A large append: rows computed on the way into a new Delta table, and appended to it once more."""
from deltalake import DeltaTable, write_deltalake

import tables
from measure import Contender, ROWS, Results, expect, fresh_folder, side_by_side
from servers import lakeshed, sail

SQL = f"""SELECT id AS order_id, concat('C', CAST((id * 7919) % 500000 AS STRING)) AS customer_id,
    CAST((id * 37) % 100000 AS DOUBLE) / 100 AS amount, id % 4 AS kind FROM range({ROWS})"""
DUCK = f"""SELECT range AS order_id, 'C' || ((range * 7919) % 500000)::VARCHAR AS customer_id,
    ((range * 37) % 100000)::DOUBLE / 100 AS amount, range % 4 AS kind FROM range({ROWS})"""


def check(folder, name):
    listed = ", ".join(f"'{f}'" for f in DeltaTable(folder).file_uris())
    got = tables.connection().execute(f"SELECT count(*), sum(order_id)::BIGINT FROM read_parquet([{listed}])").fetchone()
    expect(f"rows that {name} wrote", got, (2 * ROWS, ROWS * (ROWS - 1)))


def over_connect(server):
    session, folder = server.session(), fresh_folder(f"by-{server.name}")

    def work():
        for _ in range(2):
            session.sql(SQL).write.format("delta").mode("append").save(str(folder))

    return Contender(server.name, work, server.cpu, lambda: fresh_folder(folder.name), lambda _: check(folder, server.name))


def with_delta_rs():
    folder, c = fresh_folder("by-delta-rs"), tables.connection()

    def work():
        for _ in range(2):
            write_deltalake(folder, c.execute(DUCK).to_arrow_reader(100_000), mode="append")

    return Contender("delta-rs", work, prepare=lambda: fresh_folder("by-delta-rs"), check=lambda _: check(folder, "delta-rs"))


def main():
    servers = [lakeshed(), sail()]
    try:
        contenders = [over_connect(servers[0]), with_delta_rs(), over_connect(servers[1])]
        side_by_side(contenders)
        results = Results("write")
        results.add_turns(f"two appends of {ROWS:,} computed rows", contenders)
    finally:
        for server in servers:
            server.stop()
    results.finish()


if __name__ == "__main__":
    main()
