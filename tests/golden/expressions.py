"""Generated cases of one expression: every function of the registry, every operator, every cast."""
import random
import re

import registry
import values
from values import CLASSES, POOL, SCALAR, pick

PER_FUNCTION = 11
# What these build grows with a number: they meet small numbers only.
GROWING = {"repeat", "space", "lpad", "rpad", "sequence", "array_repeat", "range", "rand", "randn", "randstr", "bitmap_construct_agg",
           "format_number", "zeroifnull_", "stack", "shuffle", "histogram_numeric", "approx_top_k", "kll_sketch_agg_bigint"}
# Answers of the machine, of the session, of time, of the engine's own formats or order.
LEFT_OUT = re.compile(r"^(current_.*|curdate|now|localtimestamp|uuid|user|session_user|version|spark_partition_id|input_file.*|reflect|"
                      r"java_method|try_reflect|typeof_|raise_error|monotonically_.*|shuffle|sample.*|kll_.*|hll_.*|theta_.*|tuple_.*|"
                      r"approx_top_k.*|count_min_sketch|approx_count_distinct|st_.*|.*_avro|.*_protobuf|assert_true|unix_timestamp|"
                      r"aes_encrypt|try_secret|secret|list_secrets|rand.*|uniform|collation.*|collate|vector_.*|measure|session_window|"
                      r"histogram_numeric|is_valid_.*|make_valid_.*|bitmap_.*_agg|python_.*|read_side_padding|write_side_padding|partition_.*)$")
SMALL = {"tinyint": ["0Y", "3Y", "-1Y"], "smallint": ["2S"], "int": ["0", "1", "-1", "2", "5", "12"], "bigint": ["0L", "4L", "-2L"]}
BINARY = ["+", "-", "*", "/", "%", "div", "=", "<=>", "<", ">=", "!=", "&", "|", "^", "||", "and", "or", "<<", ">>>"]
CAST_TARGETS = ["boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal(3,1)", "decimal(10,2)", "decimal(38,18)", "string",
                "binary", "date", "timestamp", "timestamp_ntz", "time(6)", "time(0)", "interval year to month", "interval month",
                "interval day to second", "interval hour", "interval second", "array<string>", "map<string,string>", "struct<a:string,b:int>",
                "variant"]
NAMES = "abcdefgh"


def generator(*words):
    """Random numbers of one function or operator: what another one asks for does not move them."""
    return random.Random("/".join(map(str, words)))


def concrete(rng, text, bound):
    """A type of the pool for a parameter of a signature; None when there is none."""
    text = text.rstrip("?!")
    if text in POOL:
        return text
    if re.fullmatch("[A-Z]", text):
        return bound.setdefault(text, rng.choice(["int", "string", "double", "date", "decimal(10,2)", "bigint"]))
    if text.startswith(("array<", "map<")):
        found = [kind for kind in values.NESTED if kind.startswith(text[:4])]
        exact = [kind for kind in found if kind == text]
        choice = rng.choice(exact or found)
        for name, item in zip(re.findall(r"\b[A-Z]\b", text), re.findall(r"<(\w+)", choice)):
            bound.setdefault(name, item if item in POOL else "int")
        return choice
    if text.startswith("decimal"):
        return rng.choice(values.DECIMALS)
    return rng.choice(CLASSES[text]) if text in CLASSES else None


def typed_arguments(rng, row, small):
    """[(type, SQL)] by the signature; a lambda or a constant that must be one comes from the example."""
    parameters = rng.choice(registry.alternatives(row.signature))
    shown = registry.example_call(row)
    shown = shown[1] if shown else []
    bound, made = {}, []
    for index, (text, optional, variadic) in enumerate(parameters):
        if optional and rng.random() < 0.5:
            break
        for _ in range(rng.randint(1, 3) if variadic else 1):
            kind = concrete(rng, text, bound)
            if kind is None:
                if index >= len(shown):
                    return None
                made.append((None, shown[index]))
            elif index < len(shown) and rng.random() < 0.25:
                made.append((None, shown[index]))
            else:
                made.append((kind, rng.choice(SMALL[kind]) if small and kind in SMALL else pick(rng, kind)))
    return made


def like_example(rng, row, small):
    """The example's arguments, one or two of them replaced by values of the same or of any type."""
    call = registry.example_call(row)
    if not call or not call[1] or any(" FROM " in text or " PLACING " in text for text in call[1]):
        return None
    made = [(None, text) for text in call[1]]
    for _ in range(rng.choice([1, 1, 2])):
        index = rng.randrange(len(made))
        if "->" in made[index][1]:
            continue
        kind = literal_kind(call[1][index])
        if kind is None or rng.random() < 0.2:
            kind = rng.choice(list(POOL))
        made[index] = (kind, rng.choice(SMALL[kind]) if small and kind in SMALL else pick(rng, kind, 0.25))
    return made


def literal_kind(text):
    if re.fullmatch(r"-?\d+", text):
        return "int"
    if re.fullmatch(r"-?\d*\.\d+", text):
        return "decimal(10,2)"
    if re.fullmatch(r"'([^']|\\')*'", text):
        return "string"
    for mark, kind in (("date'", "date"), ("timestamp_ntz'", "timestamp_ntz"), ("timestamp'", "timestamp"), ("array(", "array<int>"),
                       ("map(", "map<string,int>"), ("x'", "binary"), ("named_struct(", "struct<x:int,y:string>"), ("time'", "time(6)")):
        if text.lower().startswith(mark):
            return kind
    return None


def column_query(rng, call, made):
    """The call over columns: rows of the same types, one of them of nulls."""
    columns = [index for index, (kind, _) in enumerate(made) if kind not in (None, "void")]
    if not columns:
        return None
    names = [NAMES[columns.index(index)] if index in columns else text for index, (_, text) in enumerate(made)]
    lines = [[made[index][1] for index in columns]]
    for _ in range(2):
        lines.append([pick(rng, made[index][0]) for index in columns])
    lines.append([values.null_of(made[index][0]) for index in columns])
    table = ", ".join(f"({', '.join(line)})" for line in lines)
    return f"SELECT {call(names)} FROM VALUES {table} AS t({', '.join(NAMES[:len(columns)])})"


def function_cases(program):
    for row in registry.rows(program):
        if row.random or LEFT_OUT.match(row.name) or row.kind == "window" or not re.fullmatch(r"\w+", row.name):
            continue
        seen = set()
        for number in range(PER_FUNCTION):
            rng = generator("function", row.name, number)
            small = row.name in GROWING
            made = None
            if row.signature and rng.random() < 0.6:
                made = typed_arguments(rng, row, small)
            made = made or like_example(rng, row, small)
            if made is None and row.signature:
                made = typed_arguments(rng, row, small)
            if made is None:
                continue
            if rng.random() < 0.04:
                made = made[:-1] if rng.random() < 0.5 else [*made, ("int", "1")]
            name = registry.example_call(row)[0] if registry.example_call(row) else row.name

            def call(arguments):
                return f"{name}({', '.join(arguments)})"

            sql = None
            if row.kind == "aggregate" or (row.kind == "scalar" and rng.random() < 0.35 and not small):
                sql = column_query(rng, call, made)
            sql = sql or f"SELECT {call([text for _, text in made])}"
            if sql not in seen:
                seen.add(sql)
                yield f"function/{row.name}", sql, rng


def operator_cases():
    kinds = [*SCALAR, "array<int>", "map<string,int>", "struct<x:int,y:string>", "void"]
    for operator in BINARY:
        for number in range(55):
            rng = generator("operator", operator, number)
            left = rng.choice(kinds)
            near = [kind for kind in kinds if family(kind) == family(left)]
            right = rng.choice(near) if rng.random() < 0.65 else rng.choice(kinds)
            if rng.random() < 0.3:
                sql = column_query(rng, lambda names: f"{names[0]} {operator} {names[1]}", [(left, pick(rng, left)), (right, pick(rng, right))])
            else:
                sql = None
            yield f"operator/{operator}", sql or f"SELECT {pick(rng, left, 0.05)} {operator} {pick(rng, right, 0.05)}", rng
    shapes = ["{0} IN ({1}, {2})", "{0} NOT IN ({1}, NULL)", "{0} BETWEEN {1} AND {2}", "CASE WHEN {0} > {1} THEN {1} ELSE {2} END",
              "CASE {0} WHEN {1} THEN 1 WHEN {2} THEN 2 END", "coalesce({0}, {1}, {2})", "greatest({0}, {1}, {2})", "least({0}, {1}, {2})",
              "if({0} = {1}, {0}, {2})", "nullif({0}, {1})", "{0} IS NOT DISTINCT FROM {1}", "array({0}, {1}, {2})", "map({0}, {1})",
              "named_struct('p', {0}, 'q', {1}) < named_struct('p', {2}, 'q', {1})", "-{0}", "NOT {0}", "~{0}", "{0} IS NULL",
              "{0} LIKE {1}", "{0} LIKE ANY ({1}, {2})", "{0} ILIKE ALL ({1}, {2})", "{0} RLIKE {1}", "struct({0}, {1}).col2", "array({0}, {1})[1]",
              "array({0})[3]", "{0} IS TRUE"]
    for shape in shapes:
        for number in range(16):
            rng = generator("shape", shape, number)
            first = rng.choice(kinds)
            near = [kind for kind in kinds if family(kind) == family(first)]
            picks = [pick(rng, first, 0.05), *(pick(rng, rng.choice(near if rng.random() < 0.8 else kinds), 0.08) for _ in range(2))]
            yield "shape/" + re.sub(r"\W+", "_", shape).strip("_")[:24], f"SELECT {shape.format(*picks)}", rng


def family(kind):
    if kind in values.NUMBERS:
        return "number"
    return {"date": "time", "timestamp": "time", "timestamp_ntz": "time"}.get(kind, kind.split("<")[0].split()[0])


def cast_cases():
    sources = [kind for kind in POOL]
    for source in sources:
        for target in CAST_TARGETS:
            for number in range(2):
                rng = generator("cast", source, target, number)
                form = rng.choice(["CAST({0} AS {1})", "CAST({0} AS {1})", "try_cast({0} AS {1})"])
                yield f"cast/{source.split('<')[0]}", f"SELECT {form.format(pick(rng, source, 0.06), target.upper())}", rng
    texts = ["' 12 '", "'1.5'", "'+7'", "'1e2'", "'0x1F'", "'12abc'", "''", "'t'", "'yes'", "'off'", "'2024-2-9'", "'2024-02-30'", "'2024'",
             "'2024-02-29T10:11:12.123456789Z'", "'2024-02-29 10:11:12 Europe/Berlin'", "'12:30'", "'24:00:00'", "'-0001-01-01'", "'+12345-06-07'",
             "'epoch'", "'1-2'", "'-3 04:05:06.7'", "'INTERVAL 3 DAYS'", "'infinity'", "'-inf'", "'1D'", "'99999999999999999999'", "'\u0663'",
             "'1 day 2 hours'", "'.5'", "'5.'", "'1e400'", "'10:11:12.5 PM'"]
    for text in texts:
        for target in CAST_TARGETS[:22]:
            rng = generator("cast text", text, target)
            yield "cast/text", f"SELECT {rng.choice(['CAST', 'try_cast', 'CAST'])}({text} AS {target.upper()})", rng
