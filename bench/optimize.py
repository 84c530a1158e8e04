"""OPTIMIZE of a table of 10,000,000 rows in 100 files: packed into large ones, and laid out by ZORDER BY over two columns."""
from deltalake import DeltaTable, write_deltalake

import tables
from measure import ROWS, Contender, Results, expect, linked_copy, made_once, side_by_side
from servers import lakeshed

FILES = 100
COLUMNS = ("customer_id", "amount")


def scattered():
    """Twice the usual rows, in files that each hold customers and amounts of every kind."""
    def make(folder):
        c = tables.connection()
        for i in range(FILES):
            rows = c.execute(f"SELECT n AS order_id, {tables.ORDER}, 1 AS version FROM range({2 * ROWS * i // FILES}, "
                             f"{2 * ROWS * (i + 1) // FILES}) r(n)").to_arrow_table()
            write_deltalake(folder, rows, mode="append")
    return made_once(f"scattered-{2 * ROWS}", make)


seen = {}


def check(folder, name):
    sums = tables.sums_of(DeltaTable(folder).file_uris())
    expect(f"sums after OPTIMIZE by {name}", sums, seen.setdefault("sums", sums))


def with_lakeshed(server, source, name, statement):
    session, place = server.session(), {}

    def prepare():
        place["folder"] = linked_copy(source, name)

    return Contender(server.name, lambda: session.sql(statement.format(place["folder"])).collect(), server.cpu, prepare,
                     lambda _: check(place["folder"], server.name))


def with_delta_rs(source, name, action):
    place = {}

    def prepare():
        place["folder"] = linked_copy(source, name)

    return Contender("delta-rs", lambda: action(DeltaTable(place["folder"]).optimize), prepare=prepare,
                     check=lambda _: check(place["folder"], "delta-rs"))


def main():
    source, server = scattered(), lakeshed()
    check(source, "nobody")
    try:
        results = Results("optimize")
        for what, statement, action in (
                ("OPTIMIZE", "OPTIMIZE delta.`{}`", lambda o: o.compact()),
                ("OPTIMIZE ... ZORDER BY two columns", f"OPTIMIZE delta.`{{}}` ZORDER BY ({', '.join(COLUMNS)})",
                 lambda o: o.z_order(list(COLUMNS)))):
            contenders = [with_lakeshed(server, source, "optimize-lakeshed", statement),
                          with_delta_rs(source, "optimize-delta-rs", action)]
            side_by_side(contenders)
            results.add_turns(f"{what}, {2 * ROWS:,} rows in {FILES} files", contenders)
        results.add("peak memory of the server", "MiB", {server.name: server.memory("VmHWM")})
    finally:
        server.stop()
    results.finish()


if __name__ == "__main__":
    main()
