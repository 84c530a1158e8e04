"""A table's log as lines that two engines can be compared by: names of files, ids, sizes and times stand as `*`."""
import json
import pathlib
import re

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
EXPRESSION_ID = re.compile(r"#\d+L?")
# Members of actions that only a run can know.
UNKNOWN = {
    "commitInfo": {"timestamp", "inCommitTimestamp", "txnId", "engineInfo"},
    "add": {"size", "modificationTime"},
    "remove": {"size", "deletionTimestamp"},
    "cdc": {"size"},
    "metaData": {"id", "createdTime"},
    "txn": {"lastUpdated", "appId"},
    "deletionVector": {"pathOrInlineDv", "offset", "sizeInBytes"},
}
MEASURED = re.compile(r"(TimeMs|Bytes|numBytes|Size|bytes|Duration)", re.I)
# Texts that are JSON within JSON.
JSON_TEXTS = {"stats", "schemaString", "configuration", "properties"}


def text(value, path):
    value = value.replace("file://" + path, "PATH").replace("file:" + path, "PATH").replace(path, "PATH")
    return EXPRESSION_ID.sub("#", UUID.sub("*", value))


def member(name, value, path, kind):
    if name in UNKNOWN.get(kind, ()):
        return "*"
    if kind in ("add", "remove", "cdc") and name == "path":
        return text(value.rpartition("/")[0], path)
    if kind == "operationMetrics" and MEASURED.search(name):
        return "*"
    if isinstance(value, str) and value[:1] in "[{" and name in JSON_TEXTS:
        return plain(json.loads(value), path, name)
    return plain(value, path, name)


def plain(value, path, kind):
    if isinstance(value, dict):
        return {name: member(name, item, path, kind) for name, item in value.items()}
    if isinstance(value, list):
        items = [plain(item, path, kind) for item in value]
        return sorted(items) if kind in ("readerFeatures", "writerFeatures") else items
    return text(value, path) if isinstance(value, str) else value


def lines(value, place=""):
    """`place: text` for every leaf."""
    if isinstance(value, dict) and value:
        return [line for name in sorted(value) for line in lines(value[name], f"{place}.{name}" if place else name)]
    if isinstance(value, list) and value and not all(isinstance(item, str) for item in value):
        return [line for number, item in enumerate(value) for line in lines(item, f"{place}[{number}]")]
    return [f"{place}: {json.dumps(value, ensure_ascii=False)}"]


def together(files):
    """Files that differ by their statistics alone as one: how many files hold the rows is the writer's own affair."""
    groups = {}
    for file in files:
        stats = file.get("stats", {})
        vector = file.get("deletionVector", {})
        rest = {name: value for name, value in file.items() if name not in ("stats", "baseRowId")}
        rest["deletionVector"] = {name: value for name, value in vector.items() if name != "cardinality"}
        rest["tightBounds"] = stats.get("tightBounds")
        group = groups.setdefault(json.dumps(rest, sort_keys=True), rest | {"all": [], "deleted": 0})
        group["all"].append(stats)
        group["deleted"] += vector.get("cardinality", 0)
        if "baseRowId" in file:
            group["baseRowId"] = min(file["baseRowId"], group.get("baseRowId", file["baseRowId"]))
    for group in groups.values():
        group["stats"] = sum_of(group.pop("all"))
    return list(groups.values())


def sum_of(stats):
    """Counts added up, bounds widened."""
    ways = {"numRecords": sum, "nullCount": sum, "minValues": min, "maxValues": max}

    def fold(values, way):
        if isinstance(values[0], dict):
            names = {name for value in values for name in value}
            return {name: fold([value[name] for value in values if name in value], way) for name in names}
        return way(values)
    return {name: fold([one[name] for one in stats if name in one], way) for name, way in ways.items() if any(name in one for one in stats)}


# What comes first in a commit is the protocol's affair; the order of file actions is not.
FILES = ("add", "remove", "cdc")


def commit(file, path):
    """The actions of a commit: kinds in their order, file actions last, and within a kind sorted by what they say."""
    actions = [json.loads(line) for line in file.read_text().splitlines()]
    runs = {}
    for action in actions:
        kind = next(iter(action))
        runs.setdefault(kind, []).append(plain(action[kind], path, kind))
    kinds = [kind for kind in runs if kind not in FILES] + [kind for kind in FILES if kind in runs]
    result = [f"kinds: {' '.join(kinds)}"]
    for kind in FILES:
        if kind in runs:
            runs[kind] = together(runs[kind])
    for kind, said in runs.items():
        for number, action in enumerate(sorted(said, key=lambda a: json.dumps(a, sort_keys=True))):
            result += lines(action, kind if len(said) == 1 else f"{kind}[{number}]")
    return result


def log(path):
    """All commits, oldest first: `version place: text`."""
    files = sorted(pathlib.Path(path, "_delta_log").glob("*.json"))
    return [f"{int(file.stem)} {line}" for file in files if file.stem.isdigit() for line in commit(file, path)]


HISTORY = {"timestamp", "userId", "userName", "job", "notebook", "clusterId", "engineInfo"}
DETAIL = {"id", "createdAt", "lastModified", "sizeInBytes"}


def described(rows, unknown, path, place):
    """Rows of DESCRIBE HISTORY or DETAIL, as Arrow, as such lines."""
    result = []
    for row in rows.to_pylist():
        number = row.get("version", 0)
        row = {name: dict(value) if isinstance(value, list) and value and isinstance(value[0], tuple) else value
               for name, value in row.items() if name not in unknown}
        result += [f"{place}[{number}] {line}" for line in lines(plain(row, path, place))]
    return result
