"""MERGE of an upsert (half updates all over the table, half inserts) into a large table; the files must then hold the same."""
from deltalake import DeltaTable

import tables
from measure import Contender, Results, expect, linked_copy, side_by_side
from servers import lakeshed, sail

STATEMENT = """MERGE INTO target t USING news s ON t.order_id = s.order_id
WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"""


def over_connect(server, target, name):
    """Sail and lakeshed: the statement over Spark Connect."""
    session, place = server.session(), {}
    session.sql(f"CREATE TABLE news USING delta LOCATION '{tables.news()}'").collect()

    def prepare():
        session.sql("DROP TABLE IF EXISTS target").collect()
        place["folder"] = linked_copy(target, name)
        session.sql(f"CREATE TABLE target USING delta LOCATION '{place['folder']}'").collect()

    return Contender(server.name, lambda: session.sql(STATEMENT).collect(), server.cpu, prepare,
                     lambda _: check(place["folder"], server.name))


def with_delta_rs(target):
    source, place = DeltaTable(tables.news()).to_pyarrow_table(), {}

    def prepare():
        place["folder"] = linked_copy(target, "delta-rs")

    def work():
        table = DeltaTable(place["folder"])
        (table.merge(source, "t.order_id = s.order_id", source_alias="s", target_alias="t")
         .when_matched_update_all().when_not_matched_insert_all().execute())

    return Contender("delta-rs", work, prepare=prepare, check=lambda _: check(place["folder"], "delta-rs"))


def floor(target):
    """The least a rewrite can cost: one outer join in DuckDB, written as one Parquet file, no log."""
    out = linked_copy(target, "floor") / "all.parquet"
    old, new = f"read_parquet('{target}/*.parquet')", f"read_parquet('{tables.news()}/*.parquet')"
    columns = ", ".join(f"CASE WHEN s.order_id IS NULL THEN t.{c} ELSE s.{c} END AS {c}"
                        for c in ("order_id", "customer_id", "amount", "status", "version"))
    c = tables.connection()
    return Contender("DuckDB join and COPY",
                     lambda: c.execute(f"COPY (SELECT {columns} FROM {old} t FULL JOIN {new} s ON t.order_id = s.order_id) "
                                       f"TO '{out}' (FORMAT parquet, COMPRESSION snappy)"),
                     check=lambda _: wanted(tables.sums_of([out])))


seen = {}


def wanted(sums):
    expect("the floor's sums", sums, seen.setdefault("sums", sums))


def check(folder, name):
    expect(f"sums after MERGE by {name}", tables.sums_of(DeltaTable(folder).file_uris()), seen["sums"])


def main():
    target = tables.orders()
    servers = [lakeshed(), sail()]
    try:
        contenders = [floor(target), over_connect(servers[0], target, "by-lakeshed"), with_delta_rs(target),
                      over_connect(servers[1], target, "by-sail")]
        contenders[0].turn(False)  # says what the others must arrive at
        side_by_side(contenders)
        results = Results("merge")
        ours, theirs = contenders[1], [contenders[2], contenders[3], contenders[0]]
        results.add_turns(f"MERGE {tables.SOURCE_ROWS:,} rows into {tables.ROWS:,}", [ours, *theirs])
        results.add("peak memory of the server", "MiB", {s.name: s.memory("VmHWM") for s in servers})
    finally:
        for server in servers:
            server.stop()
    results.finish()


if __name__ == "__main__":
    main()
