"""Statements whose logs are compared: a row is what a table lives through. {t} is the table, {p} a folder of its own."""

SEQUENCES = {
    "create_forms": [
        "CREATE TABLE {t} (id INT NOT NULL COMMENT 'key', v STRING, d DECIMAL(10,2), ts TIMESTAMP) USING DELTA COMMENT 'words'",
        "CREATE OR REPLACE TABLE {t} (id BIGINT, p STRING) USING DELTA PARTITIONED BY (p) TBLPROPERTIES ('delta.appendOnly' = 'true', 'own' = 'x')",
        "REPLACE TABLE {t} USING DELTA AS SELECT 1 id, 'a' v",
        "CREATE TABLE IF NOT EXISTS {t} (other INT) USING DELTA",
        "CREATE OR REPLACE TABLE {t} USING DELTA PARTITIONED BY (v) AS SELECT id, string(id % 2) v FROM range(4)",
    ],
    "create_as": ["CREATE TABLE {t} USING DELTA COMMENT 'c' TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true') AS SELECT 1 id, NULL :: STRING v"],
    "create_at": ["CREATE TABLE {t} (id INT) USING DELTA LOCATION '{p}'", "INSERT INTO {t} VALUES (1)"],
    "append": [
        "CREATE TABLE {t} (id INT, v STRING, p INT) USING DELTA PARTITIONED BY (p)",
        "INSERT INTO {t} VALUES (1, 'a', 1), (2, NULL, 1), (3, 'c', NULL)",
        "INSERT INTO {t} (v, id) VALUES ('d', 4)",
        "INSERT INTO {t} BY NAME SELECT 5 id, 2 p",
        "INSERT INTO {t} PARTITION (p = 3) VALUES (6, 'f')",
        "INSERT INTO {t} SELECT * FROM {t} WHERE id > 100",
        "INSERT INTO {t} SELECT id + 10, v, p FROM {t} WHERE id = 1",
    ],
    "overwrite": [
        "CREATE TABLE {t} (id INT, p INT) USING DELTA PARTITIONED BY (p)",
        "INSERT INTO {t} VALUES (1, 1), (2, 2)",
        "INSERT OVERWRITE {t} VALUES (3, 3), (4, 4)",
        "INSERT OVERWRITE {t} PARTITION (p = 3) VALUES (33)",
        "INSERT INTO {t} REPLACE WHERE p = 4 VALUES (44, 4)",
        "INSERT INTO {t} REPLACE WHERE id = 44 VALUES (44, 5)",
        {"set": {"spark.sql.sources.partitionOverwriteMode": "dynamic"}},
        "INSERT OVERWRITE {t} VALUES (7, 3), (8, 9)",
        "TRUNCATE TABLE {t}",
    ],
    "writer": [
        {"write": "SELECT 1 id, 'a' p", "table": "{t}", "by": ["p"], "mode": "append", "options": {"userMetadata": "first"}},
        {"write": "SELECT 2 id, 'b' p", "table": "{t}", "mode": "append", "options": {"txnAppId": "app", "txnVersion": "3"}},
        {"write": "SELECT 3 id, 'b' p", "table": "{t}", "mode": "overwrite", "options": {"replaceWhere": "p = 'b'"}},
        {"write": "SELECT 4 id, 'c' p", "table": "{t}", "mode": "overwrite", "options": {"partitionOverwriteMode": "dynamic"}},
        {"write": "SELECT 5 id, 'c' p, 1.5 :: DOUBLE x", "table": "{t}", "mode": "append", "options": {"mergeSchema": "true"}},
        {"write": "SELECT 6 other", "table": "{t}", "mode": "overwrite", "options": {"overwriteSchema": "true"}},
        {"write": "SELECT 6 other", "table": "{t}", "mode": "overwrite", "options": {"dataChange": "false"}},
        {"set": {"spark.databricks.delta.commitInfo.userMetadata": "of the session"}},
        {"write": "SELECT 7 other", "table": "{t}", "mode": "append"},
        "DELETE FROM {t} WHERE other = 7",
    ],
}

for kind, vectors, feed in (("vectors", "true", "false"), ("feed", "false", "true")):
    SEQUENCES[f"rows_{kind}"] = [
        "CREATE TABLE {t} (id INT, v STRING) USING DELTA TBLPROPERTIES "
        f"('delta.enableDeletionVectors' = '{vectors}', 'delta.enableChangeDataFeed' = '{feed}')",
        "INSERT INTO {t} SELECT id, string(id) FROM range(8)",
        "UPDATE {t} SET v = 'u' WHERE id = 3",
        "UPDATE {t} SET v = 'u' WHERE id = 300",
        "DELETE FROM {t} WHERE id = 4 OR v = '5'",
        "DELETE FROM {t} WHERE id = 400",
        "MERGE INTO {t} t USING (SELECT 1 id, 'm' v UNION ALL SELECT 2, 'd' UNION ALL SELECT 50, 'n') s ON t.id = s.id "
        "WHEN MATCHED AND s.v = 'd' THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT *",
        "MERGE INTO {t} t USING (SELECT 60 id) s ON t.id = s.id WHEN NOT MATCHED BY SOURCE AND t.id = 6 THEN UPDATE SET v = 'b' "
        "WHEN NOT MATCHED BY SOURCE AND t.id = 7 THEN DELETE",
        "MERGE INTO {t} t USING (SELECT 60 id, 'i' v UNION ALL SELECT 1, 'x') s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)",
        "MERGE INTO {t} t USING (SELECT 999 id) s ON t.id = s.id WHEN MATCHED THEN DELETE",
        "DELETE FROM {t}",
    ]
