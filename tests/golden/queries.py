"""Generated whole queries over the views of tables.sql, from a grammar whose expressions know their types."""
import random

COLUMNS = {
    "emp": {"id": "int", "dept": "text", "sal": "decimal", "hired": "date", "boss": "int"},
    "dept": {"name": "text", "city": "text", "budget": "long"},
    "ev": {"k": "int", "ts": "time", "v": "double", "tag": "text"},
    "nest": {"id": "int", "xs": "ints", "m": "map", "s": "struct", "xss": "texts2"},
    "none": {"a": "long", "b": "text", "c": "decimal"},
}
FLAT = ["emp", "dept", "ev", "none"]
NUMERIC = ("int", "long", "decimal", "double")
LITERALS = {
    "int": ["0", "1", "2", "3", "-1", "NULL"], "long": ["0L", "10000L", "-5L"], "decimal": ["750.25", "0.5", "1000.00"], "double": ["1.5D", "0D", "double('NaN')"],
    "text": ["'dev'", "'a'", "''", "'Rome'", "NULL"], "date": ["DATE'2021-03-14'", "DATE'2020-02-29'", "'2021-01-01'"],
    "time": ["TIMESTAMP'2021-03-14 03:30:00'", "TIMESTAMP'2000-01-01 00:00:00'"], "bool": ["true", "false", "NULL"],
}
AGGREGATES = {
    "any": ["count({0})", "count(DISTINCT {0})", "min({0})", "max({0})", "count(*)", "count_if({0} IS NULL)", "any_value({0}) IS NULL", "mode({0}, true)",
            "max_by({0}, {1})", "min_by({0}, {1})", "sort_array(collect_set({0}))", "sort_array(collect_list({0}), false)", "size(collect_list({0}))"],
    "number": ["sum({0})", "avg({0})", "sum(DISTINCT {0})", "median({0})", "try_sum({0})", "try_avg({0})", "percentile({0}, 0.25)",
               "percentile_approx({0}, 0.5)", "percentile_cont(0.3) WITHIN GROUP (ORDER BY {0})", "percentile_disc(0.6) WITHIN GROUP (ORDER BY {0} DESC)",
               "max({0}) - min({0})", "sum({0} + 1)", "round(stddev({0}), 6)", "regr_count({0}, {0})", "round(var_pop({0}), 6)", "avg(DISTINCT {0})"],
    "text": ["listagg({0}, ',') WITHIN GROUP (ORDER BY {0})", "max(upper({0}))", "string_agg(DISTINCT {0}) WITHIN GROUP (ORDER BY {0} DESC)",
             "min(length({0}))"],
    "bool": ["bool_and({0})", "some({0})", "every({0})", "count_if({0})"],
}
WINDOWS = ["row_number()", "rank()", "dense_rank()", "percent_rank()", "cume_dist()", "ntile(3)", "lag({0})", "lead({0}, 2)", "lag({0}, 1, {0})",
           "first_value({0})", "last_value({0}) IGNORE NULLS", "nth_value({0}, 2)", "lead({0}) IGNORE NULLS", "count({0})", "min({0})", "max({0})", "any_value({0}, true)"]
FRAMED = ["first_value({0})", "last_value({0})", "count({0})", "min({0})", "max({0})", "sum({1})", "avg({1})", "count(*)", "nth_value({0}, 2) IGNORE NULLS",
          "collect_list({0})"]
BOUNDS = ["UNBOUNDED PRECEDING", "2 PRECEDING", "1 PRECEDING", "CURRENT ROW", "1 FOLLOWING", "2 FOLLOWING", "UNBOUNDED FOLLOWING"]


class Grammar:
    def __init__(self, rng):
        self.rng = rng

    def pick(self, items):
        return self.rng.choice(list(items))

    def chance(self, share):
        return self.rng.random() < share

    # ---- expressions ----

    def column(self, scope, kinds=None):
        """A column of the scope {name: kind} of one of the kinds; None when it has none."""
        found = [name for name, kind in scope.items() if kinds is None or kind in kinds]
        return self.pick(found) if found else None

    def leaf(self, scope, kind):
        name = self.column(scope, (kind,))
        return name if name and self.chance(0.75) else self.pick(LITERALS[kind])

    def expression(self, scope, kind, depth=2):
        if depth == 0 or self.chance(0.25):
            return self.leaf(scope, kind)
        def e(k):
            return self.expression(scope, k, depth - 1)
        number = self.pick(NUMERIC)
        shapes = {
            "int": lambda: self.pick([f"{e('int')} + {e('int')}", f"length({e('text')})", f"abs({e('int')})", f"year({e('date')})", f"-{self.leaf(scope, 'int')}",
                                      f"coalesce({e('int')}, {e('int')})", f"CASE WHEN {e('bool')} THEN {e('int')} END", f"{e('int')} * 2", f"pmod({e('int')}, 3)",
                                      f"CAST({e('double')} AS INT)", f"datediff({e('date')}, {e('date')})", f"instr({e('text')}, 'e')"]),
            "long": lambda: self.pick([f"CAST({e('int')} AS BIGINT)", f"{e('int')} + {self.leaf(scope, 'long')}", f"{e('int')} div 2", f"floor({e('decimal')})"]),
            "decimal": lambda: self.pick([f"{self.leaf(scope, 'decimal')} + {self.leaf(scope, 'decimal')}", f"{self.leaf(scope, 'decimal')} * 1.10", f"round({e('decimal')}, 1)",
                                          f"{self.leaf(scope, 'decimal')} / 3", f"coalesce({e('decimal')}, {e('int')})", f"{self.leaf(scope, 'decimal')} % 7"]),
            "double": lambda: self.pick([f"{e(number)} / 4", f"CAST({e('int')} AS DOUBLE)", f"{e('double')} + {e('int')}", f"nanvl({e('double')}, 0D)", f"sqrt(abs({e('int')}))"]),
            "text": lambda: self.pick([f"upper({e('text')})", f"concat({e('text')}, {e('int')})", f"{e('text')} || '-'", f"substring({e('text')}, 2)", f"CAST({e(number)} AS STRING)",
                                       f"coalesce({e('text')}, 'none')", f"if({e('bool')}, {e('text')}, 'x')", f"date_format({e('date')}, 'MMM yyyy')", f"CAST({e('date')} AS STRING)",
                                       f"reverse({e('text')})", f"nullif({e('text')}, {e('text')})"]),
            "date": lambda: self.pick([f"date_add({self.leaf(scope, 'date')}, 1)", f"last_day({e('date')})", f"trunc({e('date')}, 'MM')",
                                       f"CAST({self.leaf(scope, 'time')} AS DATE)"]),
            "time": lambda: self.pick([f"{self.leaf(scope, 'time')} + INTERVAL '1' HOUR", f"date_trunc('DAY', {e('time')})", f"CAST({self.leaf(scope, 'date')} AS TIMESTAMP)"]),
            "bool": lambda: self.predicate(scope, depth),
        }
        return shapes[kind]()

    def predicate(self, scope, depth=2):
        kind = self.pick(["int", "text", "decimal", "date", "double", "int"])
        def e(k=None):
            return self.expression(scope, k or kind, depth - 1)
        column = self.column(scope, LITERALS) or "1"
        return self.pick([lambda: f"{e()} {self.pick(['=', '<', '>', '<=', '>=', '!=', '<=>'])} {e()}", lambda: f"{column} IS NULL", lambda: f"{column} IS NOT NULL",
                          lambda: f"{e()} IN ({e()}, {e()})", lambda: f"{e()} BETWEEN {e()} AND {e()}", lambda: f"NOT ({e('bool')})", lambda: f"({e('bool')} AND {e('bool')})",
                          lambda: f"({e('bool')} OR {e('bool')})", lambda: f"{e('text')} LIKE '%{self.pick('aeoR')}%'", lambda: f"({e('int')} > 1) IS NOT FALSE",
                          lambda: f"{e()} NOT IN ({e()}, {e()})"])() if depth > 0 else self.leaf(scope, "bool")

    def any_expression(self, scope, depth=2):
        return self.expression(scope, self.pick(["int", "int", "text", "text", "decimal", "date", "double", "bool", "long", "time"]), depth)

    # ---- relations ----

    def table(self, alias=None, names=FLAT):
        name = self.pick([*names[:3], *names[:3], *names[3:]] if names is FLAT else names)
        prefix = f"{alias}." if alias else ""
        return name, (f"{name} {alias}" if alias else name), {prefix + column: kind for column, kind in COLUMNS[name].items()}

    def finish(self, sql, columns):
        """Most queries are ordered by everything they return, so that their order is one."""
        if not self.chance(0.75):
            return sql
        numbers = list(range(1, columns + 1))
        if self.chance(0.5):
            self.rng.shuffle(numbers)
        order = ", ".join(str(number) + self.pick(["", "", " DESC", " ASC NULLS LAST", " DESC NULLS FIRST"]) for number in numbers)
        limit = self.pick(["", "", f" LIMIT {self.rng.randint(0, 4)}", f" LIMIT 3 OFFSET {self.rng.randint(0, 2)}", " OFFSET 1"]) if self.chance(0.4) else ""
        return f"{sql} ORDER BY {order}{limit}"

    def select(self):
        _, source, scope = self.table()
        items = [self.any_expression(scope) + (f" AS c{index}" if self.chance(0.4) else "") for index in range(self.rng.randint(1, 4))]
        distinct = "DISTINCT " if self.chance(0.2) else ""
        where = f" WHERE {self.predicate(scope)}" if self.chance(0.6) else ""
        return self.finish(f"SELECT {distinct}{', '.join(items)} FROM {source}{where}", len(items))

    def join(self):
        left, _, a = self.table("a")
        right, _, b = self.table("b")
        both = {**a, **b}
        kind = self.pick(["JOIN", "INNER JOIN", "LEFT JOIN", "RIGHT OUTER JOIN", "FULL OUTER JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN", "CROSS JOIN"])
        pair = self.pick([("int", "int"), ("text", "text"), ("int", "long"), ("decimal", "int"), ("text", "text")])
        x, y = self.column(a, (pair[0],)), self.column(b, (pair[1],))
        equal = f"{x} {self.pick(['=', '=', '<=>'])} {y}" if x and y else self.predicate(both, 1)
        condition = self.pick([equal, equal, f"{equal} AND {self.predicate(both, 1)}", f"{equal} OR {self.predicate(both, 1)}", self.predicate(both)])
        common = set(COLUMNS[left]) & set(COLUMNS[right])
        if common and self.chance(0.4) and kind != "CROSS JOIN":
            source = f"{left} a {kind} {right} b USING ({self.pick(sorted(common))})"
        elif self.chance(0.1) and kind not in ("CROSS JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN"):
            source = f"{left} a NATURAL {kind} {right} b"
        else:
            source = f"{left} a {kind} {right} b" + ("" if kind == "CROSS JOIN" else f" ON {condition}")
        scope = a if kind in ("LEFT SEMI JOIN", "LEFT ANTI JOIN") else both
        if self.chance(0.15):
            third, _, c = self.table("c")
            x, y = self.column(a, ("int", "long")), self.column(c, ("int", "long"))
            source += f" LEFT JOIN {third} c ON {x or 1} = {y or 1}"
            scope = {**scope, **c}
        if self.chance(0.15):
            return f"SELECT * FROM {source}"
        if self.chance(0.2):
            return f"SELECT count(*), count({self.pick(scope)}), min({self.pick(scope)}) FROM {source}"
        items = [self.any_expression(scope, 1) for _ in range(self.rng.randint(1, 4))]
        where = f" WHERE {self.predicate(scope, 1)}" if self.chance(0.3) else ""
        return self.finish(f"SELECT {', '.join(items)} FROM {source}{where}", len(items))

    def aggregate_call(self, scope):
        family = self.pick(["any", "any", "number", "number", "text", "bool"])
        kinds = {"number": NUMERIC, "text": ("text",), "any": tuple(LITERALS), "bool": ()}[family]
        name = self.column(scope, kinds)
        if family == "bool":
            name = f"{self.pick(scope)} IS NOT NULL"
        elif name is None:
            return "count(1)"
        elif self.chance(0.25) and family == "number":
            name = self.expression(scope, self.pick(["int", "decimal", "double"]), 1)
        call = self.pick(AGGREGATES[family]).format(name, self.column(scope, LITERALS))
        plain = call.endswith(")") and call.count("(") == 1 and "WITHIN" not in call
        return call + (f" FILTER (WHERE {self.predicate(scope, 1)})" if plain and self.chance(0.3) else "")

    def aggregate(self):
        _, source, scope = self.table()
        keys = [self.pick([self.pick(scope), self.any_expression(scope, 1)]) for _ in range(self.rng.randint(0, 2))]
        keys = [key for key in keys if key in scope or "(" in key]
        calls = [self.aggregate_call(scope) for _ in range(self.rng.randint(1, 3))]
        where = f" WHERE {self.predicate(scope, 1)}" if self.chance(0.25) else ""
        group = ""
        if keys:
            group = self.pick([f" GROUP BY {', '.join(keys)}", " GROUP BY " + ", ".join(str(index + 1) for index in range(len(keys))), " GROUP BY ALL"])
        having = f" HAVING {self.pick(['count(*) > 1', 'count(*) >= 1', calls[0] + ' IS NOT NULL'])}" if self.chance(0.25) else ""
        return self.finish(f"SELECT {', '.join([*keys, *calls])} FROM {source}{where}{group}{having}", len(keys) + len(calls))

    def grouping(self):
        _, source, scope = self.table(names=["emp", "ev", "dept"])
        x, y = self.rng.sample(list(scope), 2)
        sets = self.pick([f"ROLLUP ({x}, {y})", f"CUBE ({x}, {y})", f"GROUPING SETS (({x}, {y}), ({x}), ())", f"GROUPING SETS (({y}), ({x}))", f"{x}, ROLLUP ({y})",
                          f"{x}, {y} WITH ROLLUP", f"{x}, {y} WITH CUBE", f"GROUPING SETS (({x}), ({x}), ())", f"{x}, {y} GROUPING SETS (({x}), ({y}))"])
        extra = self.pick([f"grouping({x})", "grouping_id()", f"grouping_id({x}, {y})", "count(*)", f"grouping({y}) + grouping({x})"])
        having = f" HAVING {self.pick([f'grouping({x}) = 0', 'count(*) > 1', f'{x} IS NOT NULL'])}" if self.chance(0.3) else ""
        call = self.aggregate_call({name: kind for name, kind in scope.items() if name not in (x, y)} or scope)
        return self.finish(f"SELECT {x}, {y}, {extra}, {call} FROM {source} GROUP BY {sets}{having}", 4)

    def window(self):
        _, source, scope = self.table(names=["emp", "ev", "nest"] if self.chance(0.1) else ["emp", "ev", "dept"])
        flat = {name: kind for name, kind in scope.items() if kind in LITERALS}
        # Ordered by all columns: ties are equal rows.
        order = list(flat)
        self.rng.shuffle(order)
        items = []
        for _ in range(self.rng.randint(1, 2)):
            partition = f"PARTITION BY {self.pick(flat)} " if self.chance(0.6) else ""
            name, number = self.pick(flat), self.column(flat, NUMERIC)
            total = "ORDER BY " + ", ".join(key + self.pick(["", "", " DESC", " NULLS LAST"]) for key in order)
            style = self.rng.random()
            if style < 0.4:
                items.append(f"{self.pick(WINDOWS).format(name)} OVER ({partition}{total})")
            elif style < 0.7:
                low, high = sorted(self.rng.sample(range(7), 2)) if self.chance(0.9) else (3, 3)
                low, high = min(low, 5), max(high, 1)
                items.append(f"{self.pick(FRAMED).format(name, number)} OVER ({partition}{total} ROWS BETWEEN {BOUNDS[low]} AND {BOUNDS[high]})")
            elif style < 0.9:
                key = self.column(flat, NUMERIC + ("date", "time"))
                step = {"date": "INTERVAL '30' DAY", "time": "INTERVAL '2' HOUR"}.get(flat[key], "2")
                frame = self.pick([f"RANGE BETWEEN {step} PRECEDING AND CURRENT ROW", f"RANGE BETWEEN CURRENT ROW AND {step} FOLLOWING", f"RANGE BETWEEN {step} PRECEDING AND {step} FOLLOWING",
                                   "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", "RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING", ""])
                call = self.pick(["count({0})", "min({0})", "max({0})", "count(*)", "sum({1})", "avg({1})"]).format(name, number)
                items.append(f"{call} OVER ({partition}ORDER BY {key}{self.pick(['', ' DESC'])} {frame})")
            else:
                items.append(f"{self.pick(['count(*)', 'sum({1})', 'max({0})', 'count({0})']).format(name, number)} OVER ({partition.strip()})")
        return f"SELECT {', '.join(flat)}, {', '.join(items)} FROM {source} ORDER BY {', '.join(flat)}"

    def set_operation(self):
        kinds = [self.pick(["int", "text", "decimal", "date", "double", "long"]) for _ in range(self.rng.randint(1, 3))]
        def branch(index):
            _, source, scope = self.table()
            near = [kind if self.chance(0.8) else self.pick(["int", "long", "decimal", "double", "text"]) for kind in kinds]
            return f"SELECT {', '.join(self.expression(scope, kind, 1) + (f' AS u{n}' if index == 0 else '') for n, kind in enumerate(near))} FROM {source}"
        operators = ["UNION", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL", "MINUS", "UNION DISTINCT"]
        sql = f"{branch(0)} {self.pick(operators)} {branch(1)}"
        if self.chance(0.25):
            sql = f"({sql}) {self.pick(operators)} {branch(2)}"
        return self.finish(sql, len(kinds))

    def subquery(self):
        outer, _, a = self.table("a", ["emp", "ev", "dept"])
        inner, _, b = self.table("b")
        x, y = self.column(a, ("int", "long")), self.column(b, ("int", "long"))
        p, q = self.column(a, ("text",)), self.column(b, ("text",))
        tie = self.pick([f"{x} = {y}", f"{p} = {q}", f"{p} = {q}", f"{p} = {q} AND {self.predicate(b, 1)}"]) if x and y else f"{p} = {q}"
        some = self.pick([f"{x} IN (SELECT {y} FROM {inner} b)", f"{p} NOT IN (SELECT {q} FROM {inner} b WHERE {q} IS NOT NULL)", f"{p} NOT IN (SELECT {q} FROM {inner} b)",
                          f"EXISTS (SELECT 1 FROM {inner} b WHERE {tie})", f"NOT EXISTS (SELECT * FROM {inner} b WHERE {tie})",
                          f"{x} > (SELECT min({y}) FROM {inner} b)", f"{x} = (SELECT max({y}) FROM {inner} b WHERE {p} = {q})", f"({x}, {p}) IN (SELECT {y}, {q} FROM {inner} b)",
                          f"EXISTS (SELECT 1 FROM {inner} b WHERE {tie}) OR {self.predicate(a, 1)}", f"{x} IN (SELECT {y} FROM {inner} b WHERE {p} = {q})",
                          f"(SELECT count(*) FROM {inner} b WHERE {tie}) > 0"])
        scalar = self.pick([f"(SELECT count(*) FROM {inner} b WHERE {tie})", f"(SELECT max({self.pick(b)}) FROM {inner} b)", f"(SELECT min({self.pick(b)}) FROM {inner} b WHERE {tie})",
                            f"(SELECT sum({y}) FROM {inner} b WHERE {p} = {q}) + 1", f"(SELECT {self.pick(b)} FROM {inner} b)", f"EXISTS (SELECT 1 FROM {inner} b WHERE {tie})",
                            f"{x} IN (SELECT {y} FROM {inner} b)", f"coalesce((SELECT max({q}) FROM {inner} b WHERE {tie}), 'none')",
                            f"(SELECT {y} FROM {inner} b WHERE {tie} ORDER BY {y} LIMIT 1)"])
        form = self.rng.random()
        column = self.pick(a)
        if form < 0.45:
            return self.finish(f"SELECT {column}, {x} FROM {outer} a WHERE {some}", 2)
        if form < 0.8:
            return self.finish(f"SELECT {column}, {scalar} FROM {outer} a", 2)
        if form < 0.9:
            return self.finish(f"SELECT {p}, t.* FROM {outer} a, LATERAL (SELECT count(*) AS n, max({y}) AS top FROM {inner} b WHERE {tie}) t", 3)
        return self.finish(f"SELECT {p}, count(*) FROM {outer} a GROUP BY {p} HAVING count(*) >= (SELECT count(*) FROM {inner} b WHERE {q} = {p})", 2)

    def pivot(self):
        return self.pick([
            lambda: self.finish("SELECT * FROM (SELECT dept, id, sal FROM emp) PIVOT (" + self.pick(["sum(sal)", "max(sal) AS top", "count(*) AS n, min(sal) AS low", "avg(id)"])
                                + " FOR dept IN (" + self.pick(["'dev', 'ops'", "'dev' AS d, 'sales' AS s", "'x', NULL", "'ops'"]) + "))", 2),
            lambda: self.finish("SELECT * FROM (SELECT tag, k, v FROM ev) PIVOT (" + self.pick(["first(v, true)", "count(v)", "max(v) AS m"]) + " FOR (k, tag) IN ((1, 'a') AS p, (2, 'a') AS q))", 2),
            lambda: self.finish("SELECT sal, col, val FROM emp UNPIVOT " + self.pick(["", "INCLUDE NULLS ", "EXCLUDE NULLS "])
                                + "(val FOR col IN (" + self.pick(["id, boss", "id AS i, boss AS b", "boss"]) + "))", 3),
            lambda: self.finish("SELECT name, n, v FROM dept UNPIVOT " + self.pick(["", "INCLUDE NULLS "]) + "(v FOR n IN (budget))", 3),
        ])()

    def generator(self):
        outer = self.pick(["", "OUTER "])
        return self.pick([
            lambda: f"SELECT id, x FROM nest LATERAL VIEW {outer}explode(xs) t AS x ORDER BY id, x",
            lambda: f"SELECT id, p, x FROM nest LATERAL VIEW {outer}posexplode(xs) t AS p, x ORDER BY id, p",
            lambda: f"SELECT id, k, v FROM nest LATERAL VIEW {outer}explode(m) t AS k, v ORDER BY id, k",
            lambda: f"SELECT id, y FROM nest LATERAL VIEW {outer}explode(xss) t AS ys LATERAL VIEW {outer}explode(ys) u AS y ORDER BY id, y",
            lambda: self.finish(f"SELECT id, {self.pick(['explode(xs)', 'explode_outer(xs)', 'posexplode(xs) AS (p, q)', 'explode(m)', 'posexplode_outer(xs)'])} FROM nest", 2),
            lambda: self.finish(f"SELECT t.* FROM nest, LATERAL {self.pick(['explode(xs)', 'explode_outer(xs)', 'stack(2, id, id + 1)', 'inline(array(s))'])} AS t", 1),
            lambda: f"SELECT * FROM {self.pick(['range(3)', 'range(5, 0, -2)', 'explode(array(1, NULL))', 'stack(2, 1, 2, 3)', 'inline(array(struct(1, 2)))', 'explode(map(1, 2))', 'posexplode(array())'])}",
            lambda: self.finish(f"SELECT id, sum(x), count(*) FROM nest LATERAL VIEW {outer}explode(xs) t AS x GROUP BY id", 3),
        ])()

    def nested(self):
        items = ["s.x", "s.y", "xs[0]", "m['a']", "m['zz']", "xss[0]", "size(xs)", "size(m)", "cardinality(xss)", "transform(xs, x -> x * 2)", "filter(xs, x -> x > 1)",
                 "aggregate(xs, 0, (acc, x) -> acc + x)", "exists(xs, x -> x IS NULL)", "forall(xs, x -> x > 0)", "transform(xs, (x, i) -> x + i)", "map_keys(m)", "map_values(m)",
                 "map_filter(m, (k, v) -> v > 1)", "transform_values(m, (k, v) -> v + id)", "transform_keys(m, (k, v) -> upper(k))", "array_contains(xs, 5)", "array_sort(xs)",
                 "sort_array(xs, false)", "array_max(xs)", "array_position(xs, 2)", "concat(xs, array(9))", "zip_with(xs, xs, (a, b) -> a + b)", "map_entries(m)", "array_distinct(concat(xs, xs))",
                 "flatten(xss)", "element_at(m, 'b')", "try_element_at(xs, 4)", "get(xs, -1)", "slice(xs, 1, 2)", "arrays_zip(xs, xs)", "named_struct('p', xs, 'q', s)", "s = named_struct('x', 1, 'y', 'p')",
                 "xs < array(3)", "to_json(s)", "to_json(m)", "CAST(xs AS STRING)", "CAST(s AS STRING)", "CAST(m AS STRING)", "CAST(xs AS ARRAY<STRING>)", "reverse(xs)", "array_append(xs, id)",
                 "map_concat(m, map('z', 0))", "map_zip_with(m, m, (k, a, b) -> a + b)", "array_join(CAST(xs AS ARRAY<STRING>), '-', '?')", "array_except(xs, array(1))", "array_intersect(xs, array(1, NULL))",
                 "xss[0][0]", "transform(xss, a -> size(a))", "transform(xss, a -> transform(a, b -> upper(b)))", "struct(id, s.*)", "map_contains_key(m, 'a')", "hash(xs)", "xxhash64(s)", "array_repeat(s, 2)",
                 "s IN (named_struct('x', 1, 'y', 'p'))", "xs[id]", "element_at(xs, -1)", "array_insert(xs, 2, 0)", "array_compact(xs)", "array_size(xs)", "sequence(1, id)", "array_union(xs, xs)"]
        chosen = self.rng.sample(items, self.rng.randint(1, 3))
        form = self.rng.random()
        if form < 0.7:
            return f"SELECT id, {', '.join(chosen)} FROM nest{self.pick(['', ' WHERE id < 3', ' WHERE xs IS NOT NULL', ' WHERE size(m) > 0'])} ORDER BY id"
        if form < 0.8:
            return f"SELECT {self.pick(['xs', 's', 'xss', 's.y'])}, count(*) FROM nest GROUP BY 1 ORDER BY 1"
        if form < 0.9:
            return f"SELECT DISTINCT {self.pick(['xs', 's', 'size(xs)', 's.x'])} FROM nest ORDER BY 1 {self.pick(['', 'DESC', 'NULLS LAST'])}"
        return f"SELECT {self.pick(['max(xs)', 'min(s)', 'max(s.x)', 'count(DISTINCT xs)', 'max(struct(id, xs))', 'max_by(xs, id)', 'sort_array(collect_list(s.x))', 'count(m)'])} FROM nest"

    def chain(self):
        """Common table expressions, derived tables and pipes around one of the other queries."""
        _, source, scope = self.table()
        x, y = self.pick(scope), self.pick(scope)
        inner = f"SELECT {x} AS p, {self.any_expression(scope, 1)} AS q FROM {source}"
        return self.pick([
            lambda: self.finish(f"WITH t AS ({inner}) SELECT p, q FROM t WHERE p IS NOT NULL", 2),
            lambda: self.finish(f"WITH t AS ({inner}), u AS (SELECT p, count(q) AS n FROM t GROUP BY p) SELECT t.q, u.n FROM t JOIN u ON t.p <=> u.p", 2),
            lambda: self.finish(f"SELECT p, count(*), max(q) FROM ({inner}) GROUP BY p", 3),
            lambda: f"WITH RECURSIVE r(n, m) AS (SELECT 1, {self.pick(['1', '10', '0'])} UNION ALL SELECT n + 1, m * 2 FROM r WHERE n < {self.rng.randint(0, 6)}) SELECT * FROM r ORDER BY n",
            lambda: f"FROM {source} |> WHERE {self.predicate(scope, 1)} |> SELECT {x} AS p, {y} AS q |> ORDER BY p, q",
            lambda: f"FROM {source} |> AGGREGATE {self.aggregate_call(scope)} AS n GROUP BY {x} |> ORDER BY n, {x}",
            lambda: f"FROM {source} |> EXTEND {self.any_expression(scope, 1)} AS e |> SELECT {x}, e |> ORDER BY 1, 2",
            lambda: self.finish(f"SELECT * EXCEPT ({x}) FROM {source}", max(1, len(scope) - 1)),
            lambda: self.finish(f"SELECT q, p FROM ({inner}) t(q, p)", 2),
            lambda: self.finish(f"VALUES ({self.rng.randint(0, 3)}, 'a'), ({self.rng.randint(0, 3)}, NULL), (2.5, 'b')", 2),
        ])()


SHARES = {"select": 260, "join": 330, "aggregate": 330, "grouping": 160, "window": 300, "set_operation": 200, "subquery": 300, "pivot": 80, "generator": 110,
          "nested": 240, "chain": 190}


def cases():
    for name, count in SHARES.items():
        for number in range(count):
            rng = random.Random(f"query/{name}/{number}")
            yield f"query/{name}", getattr(Grammar(rng), name)(), rng
