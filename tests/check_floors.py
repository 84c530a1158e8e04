#!/usr/bin/env python3
"""Fails when a folder of src/ includes a header of its own floor's siblings or of a higher floor (src/floors.txt)."""
import pathlib
import re
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')


def read_floors():
    floors = {}
    lines = [line.split("#")[0].split() for line in (SOURCE / "floors.txt").read_text().splitlines()]
    for level, names in enumerate(filter(None, lines)):
        for name in names:
            floors[name] = level
    return floors


def check_file(path, folder, floors):
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match or match[1].endswith(".pb-c.h"):
            continue
        target, slash, rest = match[1].partition("/")
        where = f"src/{path.relative_to(SOURCE)}:{number}"
        if not slash:
            yield f'{where}: write "{folder}/{match[1]}", not "{match[1]}"'
        elif target not in floors:
            yield f"{where}: {target}/ is on no floor of floors.txt"
        elif target == folder:
            continue
        elif floors[target] >= floors[folder]:
            relation = "a sibling of" if floors[target] == floors[folder] else "above"
            yield f"{where}: {target}/ is {relation} {folder}/"
        elif rest.endswith("_impl.h"):
            yield f"{where}: {match[1]} is private to {target}/"


def main():
    floors = read_floors()
    failed, passed = [], 0
    for folder in sorted(p for p in SOURCE.iterdir() if p.is_dir()):
        if folder.name not in floors:
            failed.append(f"src/{folder.name}/ is on no floor of floors.txt")
            continue
        for path in sorted(p for p in folder.rglob("*") if p.suffix in (".c", ".h", ".def", ".inc")):
            found = list(check_file(path, folder.name, floors))
            failed += found
            passed += not found
    print("\n".join(failed) + ("\n" if failed else "") + f"{passed} passed, {len(failed)} failed")
    return 1 if failed else 0


sys.exit(main())
