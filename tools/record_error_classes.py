#!/usr/bin/env python3
"""Writes src/base/error_class.def from the error catalogues inside Spark's and Delta's jars.

  record_error_classes.py JAR... > src/base/error_class.def

The jars: spark-common-utils (it is inside the pyspark wheel, pyspark/jars) and delta-spark (Maven Central).
"""
import json
import sys
import zipfile

CATALOGUES = ("error/error-conditions.json", "error/delta-error-classes.json")
WIDTH = 100
HEADER = """\
/* Error classes as rows: the names, states and texts that Spark programs test for.
 *
 * ERROR_CLASS(id, class, sqlstate, template). A template names its parameters as <name>; a subclass row
 * holds the whole message, the parent's text first. sqlstate is "" where Spark gives none. Rendered as
 * "[class] text SQLSTATE: state". Sorted by class, so that a name is found by binary search (strcmp).
 * Origin: the error catalogues of Apache Spark %s and Delta Lake %s, Apache-2.0; see NOTICE.
 * Written by tools/record_error_classes.py: do not edit; classes of our own stand in error_class_own.def. */
"""


def literal(text):
    """One piece of text as a C string literal."""
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
        text = text.replace(plain, escaped)
    return f'"{text}"'


def literals(text, width):
    """The text as adjacent literals, each at most `width` wide, cut after a space or a line end."""
    pieces, piece, word = [], "", ""
    for char in text + "\0":
        if char != "\0":
            word += char
        if char in " \n\0":
            if piece and len(literal(piece + word)) > width:
                pieces.append(literal(piece))
                piece = ""
            piece, word = piece + word, ""
    return pieces + [literal(piece)]


def rows(catalogue):
    """(class, sqlstate, template) of every class and subclass."""
    for name, entry in catalogue.items():
        state, text = entry.get("sqlState", ""), "\n".join(entry["message"])
        yield name, state, text
        for sub, details in entry.get("subClass", {}).items():
            yield f"{name}.{sub}", details.get("sqlState", state), text + " " + "\n".join(details["message"])


def render(name, state, text):
    head = f'ERROR_CLASS(ERR_{name.replace(".", "__")}, "{name}", "{state}",'
    if len(head) + len(literal(text)) + 2 <= WIDTH:
        return f"{head} {literal(text)})"
    return "\n".join([head] + ["    " + piece for piece in literals(text, WIDTH - 5)]) + ")"


def main(jars):
    found, versions = {}, {}
    for jar in jars:
        with zipfile.ZipFile(jar) as archive:
            for path in CATALOGUES:
                if path not in archive.namelist():
                    continue
                versions[path] = jar.rsplit("-", 1)[1].removesuffix(".jar")
                for name, state, text in rows(json.loads(archive.read(path))):
                    assert name not in found, f"two classes named {name}"
                    found[name] = (state, text)
    assert len(versions) == len(CATALOGUES), f"need jars that hold {CATALOGUES}"
    ids = {name.replace(".", "__") for name in found}
    assert len(ids) == len(found), "two classes share a C identifier"
    print(HEADER % tuple(versions[path] for path in CATALOGUES))
    for name in sorted(found):
        print(render(name, *found[name]))


if __name__ == "__main__":
    main(sys.argv[1:])
