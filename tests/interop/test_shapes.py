"""Tables with GEOMETRY and GEOGRAPHY, a preview of Delta 4.4: written in turns, read alike."""
from engines import rows

POINT = "X'0101000000000000000000f03f0000000000000040'"
LINE = "X'010200000002000000000000000000f03f000000000000004000000000000008400000000000001040'"
PREVIEW = {"spark.databricks.delta.geo.preview.enabled": "true"}
CREATE = """CREATE TABLE {t} (id INT, g GEOMETRY(4326), h GEOGRAPHY(4326), many ARRAY<GEOMETRY(0)>, inner STRUCT<g: GEOGRAPHY(4326)>)
            USING delta TBLPROPERTIES ('delta.columnMapping.mode' = 'name')"""
SHAPES = """INSERT INTO {t} SELECT {id}, st_geomfromwkb({wkb}, 4326), st_geogfromwkb({wkb}), array(st_geomfromwkb({wkb}), NULL),
            struct(st_geogfromwkb({wkb}))"""
NOTHING = "INSERT INTO {t} VALUES ({id}, NULL, NULL, NULL, NULL)"
SHOWN = """SELECT id, hex(st_asbinary(g)) AS g, st_srid(g) AS s, hex(st_asbinary(h)) AS h,
           transform(many, m -> hex(st_asbinary(m))) AS many, hex(st_asbinary(inner.g)) AS i FROM {t}"""


def test_turns(lakeshed, spark, tmp_path):
    for first, second in ((lakeshed, spark), (spark, lakeshed)):
        table = f"delta.`{tmp_path}/{first.__class__.__name__}{first is spark}`"
        first.sql(CREATE.format(t=table), **PREVIEW)
        for number, engine in enumerate((first, second)):
            engine.sql(SHAPES.format(t=table, id=4 * number, wkb=POINT), NOTHING.format(t=table, id=4 * number + 1),
                       SHAPES.format(t=table, id=4 * number + 2, wkb=LINE),
                       f"UPDATE {table} SET h = st_geogfromwkb({LINE}) WHERE id = {4 * number}", **PREVIEW)
        second.sql(f"OPTIMIZE {table}", **PREVIEW)
        seen = rows(lakeshed.query(SHOWN.format(t=table)))
        assert len(seen) == 6 and seen == rows(spark.query(SHOWN.format(t=table)))
