"""The values of every type that generated calls meet: nulls, empty, least and greatest, and what is special between."""

NUMBERS = {
    "tinyint": ["0Y", "1Y", "-1Y", "127Y", "-128Y"],
    "smallint": ["0S", "7S", "-1S", "32767S", "-32768S"],
    "int": ["0", "1", "-1", "2", "7", "100", "2147483647", "-2147483648"],
    "bigint": ["0L", "3L", "-1L", "1000000L", "9223372036854775807L", "-9223372036854775808L"],
    "float": ["0.0F", "1.5F", "-2.25F", "3.4028235E38F", "1.0E-45F", "float('NaN')", "float('Infinity')", "float('-0.0')"],
    "double": ["0.0D", "2.5D", "-3.7D", "1.0E-300D", "1.7976931348623157E308D", "4.9E-324D", "double('NaN')", "double('Infinity')",
               "double('-Infinity')", "double('-0.0')", "0.1D", "123456789.987654321D"],
    "decimal(3,1)": ["0.5BD", "-9.9BD", "10.5BD"],
    "decimal(10,2)": ["CAST(0 AS DECIMAL(10,2))", "12345678.91BD", "CAST(-1.25 AS DECIMAL(10,2))"],
    "decimal(38,0)": ["99999999999999999999999999999999999999BD", "-99999999999999999999999999999999999999BD", "CAST(7 AS DECIMAL(38,0))"],
    "decimal(38,18)": ["CAST(1.5 AS DECIMAL(38,18))", "99999999999999999999.999999999999999999BD", "0.000000000000000001BD"],
}
TEXTS = {
    "string": ["''", "' '", "'a'", "'Spark SQL'", "'  padded '", "'é\u00df\u0130'", "'\U0001F600x\U00010400'", "'a,b;c'", "'%_\\\\d'", "'0'", "'-12'",
               "'3.75'", "'1e3'", "'NaN'", "'2024-02-29'", "'2024-02-29 12:34:56.789'", "'true'", "'{\"a\":1,\"b\":[1,null]}'", "'null'",
               "'9223372036854775808'", "'\\t\\n'"],
    "binary": ["X''", "X'00'", "X'FF80'", "X'537061726B'", "X'F09F9880'"],
}
TIMES = {
    "date": ["DATE'1970-01-01'", "DATE'2024-02-29'", "DATE'0001-01-01'", "DATE'9999-12-31'", "DATE'1582-10-15'", "DATE'1582-10-04'",
             "DATE'1969-12-31'", "DATE'2021-03-14'", "DATE'-0044-03-15'"],
    "timestamp": ["TIMESTAMP'1970-01-01 00:00:00'", "TIMESTAMP'2024-02-29 12:34:56.789123'", "TIMESTAMP'0001-01-01 00:00:00'",
                  "TIMESTAMP'9999-12-31 23:59:59.999999'", "TIMESTAMP'1582-10-15 00:00:00'", "TIMESTAMP'2021-03-14 02:30:00'",
                  "TIMESTAMP'2021-11-07 01:30:00'", "TIMESTAMP'2021-03-28 02:30:00'", "TIMESTAMP'1883-11-18 12:00:00'",
                  "TIMESTAMP'2020-06-15 01:02:03+05:30'", "TIMESTAMP'1969-12-31 23:59:59.999999Z'"],
    "timestamp_ntz": ["TIMESTAMP_NTZ'1970-01-01 00:00:00'", "TIMESTAMP_NTZ'2024-02-29 12:34:56.789123'", "TIMESTAMP_NTZ'0001-01-01 00:00:00'",
                      "TIMESTAMP_NTZ'9999-12-31 23:59:59.999999'", "TIMESTAMP_NTZ'2021-03-14 02:30:00'", "TIMESTAMP_NTZ'1582-10-04 06:00:00'"],
    "time(6)": ["TIME'00:00:00'", "TIME'23:59:59.999999'", "TIME'12:34:56.789'"],
    "interval year to month": ["INTERVAL '0-0' YEAR TO MONTH", "INTERVAL '1-2' YEAR TO MONTH", "INTERVAL '-3-11' YEAR TO MONTH",
                               "INTERVAL '178956970-7' YEAR TO MONTH"],
    "interval month": ["INTERVAL '1' MONTH", "INTERVAL '-25' MONTH"],
    "interval day to second": ["INTERVAL '0 00:00:00' DAY TO SECOND", "INTERVAL '1 02:03:04.5' DAY TO SECOND",
                               "INTERVAL '-10 23:59:59.999999' DAY TO SECOND", "INTERVAL '106751991 04:00:54.775807' DAY TO SECOND"],
    "interval hour": ["INTERVAL '5' HOUR", "INTERVAL '-36' HOUR"],
    "interval": ["make_interval(1, 2, 0, 3, 4, 5, 6.5)", "make_interval(0, -1, 0, 40)", "make_interval()"],
}
TRUTH = {"boolean": ["true", "false"]}
VOID = {"void": ["NULL"]}
NESTED = {
    "array<int>": ["array(1, 2, 3)", "array(3, NULL, -1, 3)", "CAST(array() AS ARRAY<INT>)", "array(CAST(NULL AS INT))", "array(2147483647, -2147483648)"],
    "array<string>": ["array('b', 'a', 'c')", "array('x', NULL, '')", "array('\U0001F600', 'z', 'z')"],
    "array<double>": ["array(1.5D, double('NaN'), NULL, double('-Infinity'))", "array(double('-0.0'), 0.0D)"],
    "array<boolean>": ["array(true, false, NULL)"],
    "array<date>": ["array(DATE'2024-02-29', DATE'0001-01-01')"],
    "array<array<int>>": ["array(array(1, 2), array(), NULL)", "array(array(3), array(NULL))"],
    "array<struct<x:int,y:string>>": ["array(named_struct('x', 1, 'y', 'a'), named_struct('x', 0, 'y', 'b'))",
                                      "array(named_struct('x', 2, 'y', CAST(NULL AS STRING)), NULL)"],
    "map<string,int>": ["map('a', 1, 'b', 2)", "map('k', CAST(NULL AS INT))", "CAST(map() AS MAP<STRING,INT>)"],
    "map<int,string>": ["map(1, 'x', -1, 'y')", "map(0, '')"],
    "map<string,array<int>>": ["map('p', array(1, NULL), 'q', array())"],
    "struct<x:int,y:string>": ["named_struct('x', 1, 'y', 'b')", "named_struct('x', CAST(NULL AS INT), 'y', '')"],
    "struct<s:struct<d:date>>": ["named_struct('s', named_struct('d', DATE'2024-02-29'))"],
}
VARIANT = {"variant": ["parse_json('{\"a\": [1, null, \"x\"], \"b\": {\"c\": 1.5}}')", "parse_json('null')", "parse_json('12')", "parse_json('\"t\"')"]}

POOL = {**TRUTH, **NUMBERS, **TEXTS, **TIMES, **NESTED, **VARIANT, **VOID}
SCALAR = {**TRUTH, **NUMBERS, **TEXTS, **TIMES}
INTEGRAL = ["tinyint", "smallint", "int", "bigint"]
DECIMALS = [name for name in NUMBERS if name.startswith("decimal")]
CLASSES = {
    "numeric": list(NUMBERS), "integral": INTEGRAL, "fractional": ["float", "double", *DECIMALS], "decimal": DECIMALS,
    "datetime": ["date", "timestamp", "timestamp_ntz"], "anytimestamp": ["timestamp", "timestamp_ntz"],
    "interval_ym": ["interval year to month", "interval month"], "interval_dt": ["interval day to second", "interval hour"],
    "orderable": [*SCALAR, "array<int>", "struct<x:int,y:string>"], "struct": ["struct<x:int,y:string>", "struct<s:struct<d:date>>"],
    "any": list(POOL), "long": ["bigint"], "short": ["smallint"], "byte": ["tinyint"], "time": ["time(6)"], "interval": ["interval"],
    "array": [name for name in NESTED if name.startswith("array")], "map": [name for name in NESTED if name.startswith("map")],
}


def null_of(kind):
    return "NULL" if kind == "void" else f"CAST(NULL AS {kind.upper()})"


def pick(random, kind, nulls=0.12):
    """A value of the type as SQL text; now and then its null."""
    if random.random() < nulls:
        return null_of(kind)
    return random.choice(POOL[kind])
