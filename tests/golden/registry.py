"""The function registry as the generator sees it: the rows that print_rows.c prints, their signatures and examples taken apart."""
import json
import re
import subprocess
from dataclasses import dataclass

CALL = re.compile(r"^(?:SELECT )?([a-z_][a-z0-9_]*)\(", re.I)


@dataclass(frozen=True)
class Row:
    name: str
    kind: str          # scalar, aggregate, window, generator
    random: bool       # another answer every time
    signature: str     # "" when a hook decides
    example: str


def rows(program):
    lines = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
    return [Row(**json.loads(line)) for line in lines]


def split(text):
    """Arguments between top-level commas."""
    parts, depth, quote, part = [], 0, None, ""
    for c in text:
        if quote:
            quote = None if c == quote and not part.endswith("\\") else quote
        elif c in "'\"":
            quote = c
        elif c in "([<{":
            depth += 1
        elif c in ")]}" or (c == ">" and not part.endswith("-")):
            depth -= 1
        elif c == "," and depth <= 0:
            parts.append(part.strip())
            part = ""
            continue
        part += c
    return parts + [part.strip()] if part.strip() else parts


def example_call(row):
    """(written name, arguments, text behind the call) of an example that is one call; None otherwise."""
    match = CALL.match(row.example)
    if not match:
        return None
    depth, quote = 0, None
    for at in range(match.end() - 1, len(row.example)):
        c = row.example[at]
        if quote:
            quote = None if c == quote else quote
        elif c in "'\"":
            quote = c
        else:
            depth += (c == "(") - (c == ")")
            if depth == 0:
                return match[1], split(row.example[match.end():at]), row.example[at + 1:]
    return None


def alternatives(signature):
    """[[parameter]] of a signature; a parameter is (type text, optional, variadic)."""
    found = []
    for alternative in signature.split(";"):
        inside = re.match(r"\s*\((.*)\)\s*->", alternative)
        if not inside:
            continue
        parameters = []
        for text in split(inside[1]):
            optional = text.startswith("[")
            text = text.removeprefix("[").removesuffix("]") if optional else text
            variadic = text.endswith("...")
            text = text.removesuffix("...")
            optional |= text.endswith("*")
            parameters.append((text.rstrip("*?!"), optional, variadic))
        found.append(parameters)
    return found
