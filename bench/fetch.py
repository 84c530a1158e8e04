"""A large result to the client as Arrow. The client's own CPU is counted too: it is half of the work."""
import pyarrow.compute

import tables
from measure import Contender, ROWS, Results, expect, own_cpu, side_by_side
from servers import lakeshed, sail


def check(table):
    expect("the sum of fetched keys", (table.num_rows, pyarrow.compute.sum(table["k"]).as_py()), (ROWS, ROWS * (ROWS - 1) // 2))


def over_connect(server, path):
    session = server.session()
    return Contender(server.name, lambda: session.read.format("delta").load(path).select("k", "v", "s").toArrow(),
                     lambda: server.cpu() + own_cpu(), check=check)


def main():
    path = str(tables.points())
    c = tables.connection()
    duck = Contender("DuckDB in process", lambda: c.execute(f"SELECT k, v, s FROM read_parquet('{path}/*.parquet')").to_arrow_table(),
                     check=check)
    servers = [lakeshed(), sail()]
    try:
        contenders = [*(over_connect(s, path) for s in servers), duck]
        side_by_side(contenders)
        results = Results("fetch")
        results.add_turns(f"{ROWS:,} rows toArrow()", contenders)
        results.add("peak memory of the server", "MiB", {s.name: s.memory("VmHWM") for s in servers})
    finally:
        for server in servers:
            server.stop()
    results.finish()


if __name__ == "__main__":
    main()
