"""Two engines on one local table at once: no commit is lost, no version missing, whoever comes first."""
import os

import commits
import pytest

COMMITS = int(os.environ.get("LAKESHED_COMMITS", 12))


@pytest.mark.parametrize("peer", ["spark", "delta-rs"])
def test_two_writers(lakeshed, spark, duck, tmp_path, peer):
    path = str(tmp_path / "shared")
    lakeshed.sql(f"CREATE TABLE delta.`{path}` (id BIGINT, engine STRING) USING DELTA TBLPROPERTIES ('delta.checkpointInterval' = '7')")
    other = commits.SqlEngine("spark", spark.sql) if peer == "spark" else commits.DeltaRs()
    rows, figures = commits.interleave(path, [commits.SqlEngine("lakeshed", lakeshed.sql), other], COMMITS)
    print(figures)
    rows = sorted(rows)
    assert len(rows) == 2 * COMMITS - 4 * (COMMITS // commits.DELETE_EVERY)
    assert commits.ids_of(path) == rows
    query = f"SELECT id FROM delta.`{path}`"
    assert sorted(lakeshed.query(query).column("id").to_pylist()) == rows
    assert sorted(spark.query(query).column("id").to_pylist()) == rows
    assert sorted(duck.version(path, 2 * COMMITS)[0].column("id").to_pylist()) == rows
