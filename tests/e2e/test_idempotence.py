"""txnAppId and txnVersion: a write that is repeated changes nothing, whether options or the session say which it is."""
import pytest
from pyspark.errors import IllegalArgumentException

APP, VERSION = "spark.databricks.delta.write.txnAppId", "spark.databricks.delta.write.txnVersion"
PARTS = "DELTA_INVALID_IDEMPOTENT_WRITES_OPTIONS"


@pytest.fixture
def session(server):
    own = server.session()
    yield own
    own.stop()


def newest(session, table):
    last = session.sql(f"DESCRIBE HISTORY {table}").collect()[0]
    return last.version, last.operation


def mark(session, version):
    session.conf.set(APP, "job")
    session.conf.set(VERSION, version)


def test_options_of_a_writer(session):
    session.sql("CREATE TABLE marked_frame (id BIGINT)")

    def write(mode="append", **options):
        session.range(3).write.format("delta").mode(mode).options(**options).saveAsTable("marked_frame")
        return newest(session, "marked_frame")[0]

    assert write(txnAppId="a", txnVersion="1") == 1
    assert write(txnAppId="a", txnVersion="1") == 1
    assert write("overwrite", txnAppId="a", txnVersion="0") == 1
    assert write(txnAppId="", txnVersion="1") == 2
    assert write("overwrite", txnAppId="a", txnVersion="2") == 3
    for options, condition in (({"txnAppId": "a"}, PARTS), ({"txnVersion": "1"}, PARTS),
                               ({"txnAppId": "a", "txnVersion": "-1"}, "DELTA_ILLEGAL_OPTION")):
        with pytest.raises(IllegalArgumentException) as refused:
            write(**options)
        assert refused.value.getCondition() == condition
    assert session.table("marked_frame").count() == 3


STATEMENTS = ("INSERT INTO {} VALUES (7)", "INSERT OVERWRITE {} VALUES (1), (2), (3)", "UPDATE {} SET id = 20 WHERE id = 2",
              "UPDATE {} SET id = 0 WHERE id = 77", "DELETE FROM {} WHERE id = 1",
              "MERGE INTO {} t USING (SELECT 5L id) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT *",
              "MERGE INTO {} t USING (SELECT 6L id) s ON t.id = s.id WHEN MATCHED THEN DELETE", "DELETE FROM {}",
              "CREATE OR REPLACE TABLE {} AS SELECT 9L id")


def test_settings_of_the_session(session):
    table = "marked_session"
    session.sql(f"CREATE TABLE {table} AS SELECT 1L id UNION ALL SELECT 2L")
    for version, statement in enumerate(STATEMENTS, 1):
        mark(session, version)
        session.sql(statement.format(table)).collect()
        assert newest(session, table)[0] == version, statement
        rows = sorted(session.table(table).collect())
        again = session.sql(statement.format(table)).collect()
        assert again == []
        assert newest(session, table)[0] == version, statement
        assert sorted(session.table(table).collect()) == rows
    session.sql(f"OPTIMIZE {table}").collect()  # no write of rows: it is not asked which it is
    session.conf.unset(VERSION)
    with pytest.raises(IllegalArgumentException) as refused:
        session.sql(f"DELETE FROM {table}").collect()
    assert refused.value.getCondition() == PARTS


def test_a_delete_of_no_row_is_not_counted(session):
    session.sql("CREATE TABLE marked_nothing AS SELECT 1L id")
    mark(session, 1)
    session.sql("DELETE FROM marked_nothing WHERE id = 5").collect()
    assert newest(session, "marked_nothing")[0] == 0


def test_versions_that_reset_themselves(session):
    session.sql("CREATE TABLE marked_reset (id BIGINT)")
    session.conf.set(VERSION + ".autoReset.enabled", "true")
    for expected in (1, 1):  # written, then passed over: reset both times
        mark(session, 1)
        session.sql("INSERT INTO marked_reset VALUES (1)").collect()
        assert session.conf.get(VERSION, None) is None
        assert newest(session, "marked_reset")[0] == expected
    mark(session, 2)  # what a writer's options say leaves the session's alone
    session.range(1).write.option("txnAppId", "other").option("txnVersion", 1).mode("append").saveAsTable("marked_reset")
    assert session.conf.get(VERSION) == "2"
