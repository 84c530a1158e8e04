"""The tables that several questions are asked about, made once by delta-rs from DuckDB's numbers."""
import duckdb
from deltalake import write_deltalake

from measure import ROWS, made_once

SOURCE_ROWS = ROWS // 50
ORDER = """'C' || lpad(((n * 7919) % 500000)::VARCHAR, 7, '0') AS customer_id, ((n * 37) % 100000) / 100.0::DOUBLE AS amount,
    ['NEW', 'PAID', 'SHIPPED', 'DONE'][1 + n % 4] AS status"""


def connection():
    c = duckdb.connect(config={"threads": "2"})
    c.execute("SET TimeZone = 'UTC'")
    return c


def orders():
    def make(folder):
        rows = connection().execute(f"SELECT n AS order_id, {ORDER}, 1 AS version FROM range({ROWS}) r(n)").to_arrow_table()
        write_deltalake(folder, rows, target_file_size=32 << 20)
    return made_once(f"orders-{ROWS}", make)


def news():
    """Half of the rows are changes of orders all over the table, half are new orders."""
    half = SOURCE_ROWS // 2
    def make(folder):
        rows = connection().execute(
            f"""SELECT CASE WHEN n < {half} THEN n * {ROWS // half} ELSE {ROWS} + n END AS order_id, {ORDER}, 2 AS version
            FROM range({SOURCE_ROWS}) r(n)""").to_arrow_table()
        write_deltalake(folder, rows)
    return made_once(f"news-{ROWS}", make)


def points():
    def make(folder):
        rows = connection().execute(f"""SELECT n AS k, n * 0.5::DOUBLE AS v, 'row-' || lpad(n::VARCHAR, 9, '0') AS s
            FROM range({ROWS}) r(n)""").to_arrow_table()
        write_deltalake(folder, rows)
    return made_once(f"points-{ROWS}", make)


def sums_of(files):
    """Rows, sum of versions, amounts in cents, and a hash of every cell: equal tables give equal sums."""
    listed = ", ".join(f"'{f}'" for f in files)
    return connection().execute(f"""SELECT count(*), sum(version)::BIGINT, sum(round(amount * 100)::BIGINT)::BIGINT,
        bit_xor(hash(order_id::BIGINT, customer_id, amount, status, version::INTEGER))::VARCHAR FROM read_parquet([{listed}])""").fetchone()
