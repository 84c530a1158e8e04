"""Opening a table of many commits and files that the server has not seen before, with and without a checkpoint."""
import json
import shutil

from deltalake import DeltaTable, write_deltalake

import tables
from measure import Contender, Results, expect, linked_copy, made_once, side_by_side
from servers import lakeshed, sail

COMMITS = 5000
STATS = json.dumps({"numRecords": 10, "minValues": {"id": 0}, "maxValues": {"id": 9}, "nullCount": {"id": 0}})


def make(folder):
    write_deltalake(folder, tables.connection().execute("SELECT range AS id FROM range(10)").to_arrow_table())
    first = next(folder.glob("*.parquet"))
    for version in range(1, COMMITS):
        name, when = f"part-{version:05d}.parquet", 1750000000000 + version
        shutil.copyfile(first, folder / name)
        lines = [{"commitInfo": {"timestamp": when, "operation": "WRITE", "operationParameters": {"mode": "Append"}}},
                 {"add": {"path": name, "partitionValues": {}, "size": first.stat().st_size, "modificationTime": when,
                          "dataChange": True, "stats": STATS}}]
        (folder / "_delta_log" / f"{version:020d}.json").write_text("".join(json.dumps(line) + "\n" for line in lines))


def make_with_checkpoint(folder):
    shutil.copytree(made_once(f"log-{COMMITS}", make), folder)
    DeltaTable(folder).create_checkpoint()


def check(answer):
    expect("the table's rows", int(answer), COMMITS * 10)


def over_connect(server, source, query):
    session, place = server.session(), {}

    def prepare():
        place["folder"] = linked_copy(source, f"log-of-{server.name}-{place.setdefault('turn', 0)}")
        place["turn"] += 1

    return Contender(server.name, lambda: session.sql(query.format(place["folder"])).collect()[0][0], server.cpu, prepare,
                     check if "count" in query else None)


def with_delta_rs(source):
    place = {}

    def prepare():
        place["folder"] = linked_copy(source, "log-of-delta-rs")

    return Contender("delta-rs", lambda: DeltaTable(place["folder"]).count(), prepare=prepare, check=check)


def main():
    servers = [lakeshed(), sail()]
    results = Results("log")
    try:
        for what, name, maker in ((f"count(*), {COMMITS} commits", f"log-{COMMITS}", make),
                                  ("the same, checkpoint at the end", f"log-{COMMITS}-checkpoint", make_with_checkpoint)):
            source = made_once(name, maker)
            contenders = [over_connect(servers[0], source, "SELECT count(*) FROM delta.`{}`"), with_delta_rs(source),
                          over_connect(servers[1], source, "SELECT count(*) FROM delta.`{}`")]
            side_by_side(contenders)
            results.add_turns(what, contenders)
    finally:
        for server in servers:
            server.stop()
    results.finish()


if __name__ == "__main__":
    main()
