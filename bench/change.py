"""MERGE, UPDATE and DELETE on a large table as it is, with a change data feed, and with deletion vectors."""
import duckdb
from deltalake import DeltaTable, QueryBuilder

import tables
from measure import Contender, ROWS, Results, expect, fresh_folder, linked_copy, side_by_side
from servers import lakeshed, sail

PICKED = ", ".join(str(i * (ROWS // 1000) + 1) for i in range(1000))
STATEMENTS = {
    "MERGE": """MERGE INTO target t USING news s ON t.order_id = s.order_id
        WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *""",
    "UPDATE of 1,000 rows": f"UPDATE target SET status = 'FIXED', version = 3 WHERE order_id IN ({PICKED})",
    "DELETE of 1,000 rows": f"DELETE FROM target WHERE order_id IN ({PICKED})",
}
VARIANTS = {"plain": None, "change data feed": "delta.enableChangeDataFeed", "deletion vectors": "delta.enableDeletionVectors"}
COLUMNS = ("order_id", "customer_id", "amount", "status", "version")


def result(operation, old, new):
    """What the table must hold afterwards, over DuckDB's views of the target and of the news."""
    if operation == "MERGE":
        picked = ", ".join(f"CASE WHEN s.order_id IS NULL THEN t.{c} ELSE s.{c} END AS {c}" for c in COLUMNS)
        return f"SELECT {picked} FROM {old} t FULL JOIN {new} s ON t.order_id = s.order_id"
    if operation.startswith("UPDATE"):
        return f"""SELECT order_id, customer_id, amount, CASE WHEN order_id IN ({PICKED}) THEN 'FIXED' ELSE status END AS status,
            CASE WHEN order_id IN ({PICKED}) THEN 3 ELSE version END AS version FROM {old}"""
    return f"SELECT * FROM {old} WHERE order_id NOT IN ({PICKED})"


SUMS = """SELECT count(*), sum(version)::BIGINT, sum(round(amount * 100)::BIGINT)::BIGINT,
    bit_xor(hash(order_id::BIGINT, customer_id, amount, status, version::INTEGER))::VARCHAR FROM """


def check(folder, operation, wanted):
    """delta-rs reads the rows, with their deletion vectors; DuckDB adds them up."""
    rows = QueryBuilder().register("t", DeltaTable(folder)).execute("SELECT * FROM t").read_all()
    expect(f"sums after {operation} in {folder.name}", duckdb.from_arrow(rows).query("t", SUMS + "t").fetchone(), wanted)


def over_connect(server, operation, setting, target, wanted):
    session, place = server.session(), {}
    session.sql(f"CREATE TABLE IF NOT EXISTS news USING delta LOCATION '{tables.news()}'").collect()

    def prepare():
        session.sql("DROP TABLE IF EXISTS target").collect()
        place["folder"] = linked_copy(target, f"by-{server.name}")
        if setting:
            DeltaTable(place["folder"]).alter.set_table_properties({setting: "true"})
        session.sql(f"CREATE TABLE target USING delta LOCATION '{place['folder']}'").collect()

    return Contender(server.name, lambda: session.sql(STATEMENTS[operation]).collect(), server.cpu, prepare,
                     lambda _: check(place["folder"], operation, wanted))


def with_delta_rs(operation, setting, target, wanted):
    source, place = DeltaTable(tables.news()).to_pyarrow_table(), {}

    def prepare():
        place["folder"] = linked_copy(target, "by-delta-rs")
        if setting:
            DeltaTable(place["folder"]).alter.set_table_properties({setting: "true"})

    def work():
        table = DeltaTable(place["folder"])
        if operation == "MERGE":
            (table.merge(source, "t.order_id = s.order_id", source_alias="s", target_alias="t")
             .when_matched_update_all().when_not_matched_insert_all().execute())
        elif operation.startswith("UPDATE"):
            table.update(updates={"status": "'FIXED'", "version": "3"}, predicate=f"order_id IN ({PICKED})")
        else:
            table.delete(f"order_id IN ({PICKED})")

    return Contender("delta-rs", work, prepare=prepare, check=lambda _: check(place["folder"], operation, wanted))


def floor(operation, target):
    """The least a rewrite can cost: one query in DuckDB, written as one Parquet file, no log."""
    c, place = tables.connection(), {}
    query = result(operation, f"read_parquet('{target}/*.parquet')", f"read_parquet('{tables.news()}/*.parquet')")

    def prepare():
        place["out"] = fresh_folder("floor")
        place["out"].mkdir()

    return Contender("DuckDB query and COPY", lambda: c.execute(f"COPY ({query}) TO '{place['out']}/all.parquet' (COMPRESSION snappy)"),
                     prepare=prepare)


def main():
    target, servers = tables.orders(), [lakeshed(), sail()]
    results = Results("change")
    try:
        for operation in STATEMENTS:
            query = result(operation, f"read_parquet('{target}/*.parquet')", f"read_parquet('{tables.news()}/*.parquet')")
            wanted = tables.connection().execute(SUMS + f"({query})").fetchone()
            for variant, setting in VARIANTS.items():
                contenders = [over_connect(servers[0], operation, setting, target, wanted)]
                if variant != "deletion vectors":  # it cannot write them
                    contenders.append(with_delta_rs(operation, setting, target, wanted))
                if variant != "change data feed":  # it refuses the table
                    contenders.append(over_connect(servers[1], operation, setting, target, wanted))
                if variant == "plain":
                    contenders.append(floor(operation, target))
                side_by_side(contenders)
                results.add_turns(f"{operation}, {variant}", contenders)
    finally:
        for server in servers:
            server.stop()
    results.finish()


if __name__ == "__main__":
    main()
