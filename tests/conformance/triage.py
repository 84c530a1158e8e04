#!/usr/bin/env python3
"""Groups the failures of a conformance run into families, the largest first: what to work on next.

  triage.py RESULTS.jsonl [--top N] [--cases N] [--family TEXT]

A family is the error class of the first thing that went wrong in a case, or the way in which the output differs;
under it stand the most frequent first lines, with numbers and quoted names left out, and some of the cases.
"""
import argparse
import collections
import difflib
import json
import re

BRACKETED = re.compile(r"\[([A-Z][A-Z0-9_]+(?:\.[A-Z0-9_]+)*)\]")
BORDER = re.compile(r"^[+|\-\s]*$")


def family(result):
    """The name under which a failed case is counted."""
    if result["status"] in ("timeout", "dead"):
        return result["status"]
    if result.get("outcome") not in (None, "refused"):
        return result["outcome"]
    error = result.get("error")
    if error:
        in_text = BRACKETED.search(error)
        return result.get("condition") or (in_text[1] if in_text else error.split(":")[0])
    if "got" in result:
        return "output differs: " + difference(result.get("want", ""), result["got"])
    return result["status"]


def difference(want, got):
    """Which part of the printed output is not as wanted."""
    if "Traceback" in want:
        return "an error was due"
    if not got.strip():
        return "nothing was printed"
    if want.lstrip().startswith("root\n") or got.lstrip().startswith("root\n"):
        return "printed schema"
    if "DataFrame[" in want or "StructType(" in want:
        return "schema"
    wanted, printed = table_lines(want), table_lines(got)
    if len(wanted) > 1 and len(printed) > 1:
        if wanted[0] != printed[0]:
            return "column names of a table"
        return "order of rows" if sorted(wanted) == sorted(printed) else "rows of a table"
    return "a value"


def table_lines(text):
    """The lines of a printed table without its borders and padding: the header, then the rows."""
    lines = [re.sub(r"\s+", "", line) for line in text.splitlines() if line.lstrip().startswith("|")]
    return [line for line in lines if not BORDER.match(line)]


def first_line(result):
    """One line that says what happened, the same for all cases with the same cause."""
    if result.get("error"):
        line = str(result["error"]).strip().splitlines()[0]
        line = re.sub(r"'[^']*/[^']*'|file:\S+", "<path>", line)
        return re.sub(r"(?<![\w`])\d+", "N", line)[:150]
    if "got" in result:
        changed = [line for line in difflib.unified_diff(result.get("want", "").splitlines(), result["got"].splitlines(), n=0, lineterm="")
                   if not line.startswith(("---", "+++", "@@")) and not BORDER.match(line[1:])]
        return " / ".join(line.strip() for line in changed[:2])[:150]
    return ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", help="the file that --out wrote")
    parser.add_argument("--top", type=int, default=25, help="families to print")
    parser.add_argument("--cases", type=int, default=4, help="cases to name under a family")
    parser.add_argument("--family", help="only families whose name contains this; prints every case with its example")
    options = parser.parse_args()
    with open(options.results) as lines:
        results = [json.loads(line) for line in lines]
    failed = [result for result in results if result["status"] not in ("pass", "skip")]
    families = collections.defaultdict(list)
    for result in failed:
        families[family(result)].append(result)
    print(f"{len(failed)} of {len(results)} cases do not pass, in {len(families)} families")
    ranked = sorted(families.items(), key=lambda item: (-len(item[1]), item[0]))
    if options.family:
        for name, members in ranked:
            if options.family.lower() in name.lower():
                print_members(name, members)
        return
    for name, members in ranked[:options.top]:
        print(f"\n{len(members):4}  {name}")
        for line, count in collections.Counter(map(first_line, members)).most_common(3):
            print(f"      {count:4} x {line}")
        print("           " + ", ".join(short(result["case"]) for result in members[:options.cases])
              + (", ..." if len(members) > options.cases else ""))


def print_members(name, members):
    print(f"\n{len(members):4}  {name}")
    for result in members:
        print(f"\n  {result['case']}")
        for key in ("source", "error", "want", "got"):
            if result.get(key):
                print("".join(f"    {key + ':':8}{line}\n" for line in str(result[key]).strip().splitlines()[:12]), end="")


def short(case):
    return case if "/" in case else ".".join(case.split(".")[-2:])


if __name__ == "__main__":
    main()
