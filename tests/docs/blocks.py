"""Code blocks of a Markdown file, and the commands in them."""
import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*)\s*$")


@dataclass
class Block:
    file: str
    line: int
    language: str   # of a fence; "" for an indented block, which is shell
    lines: list = field(default_factory=list)

    @property
    def text(self):
        return "\n".join(self.lines) + "\n"


@dataclass
class Command:
    file: str
    line: int
    text: str
    output: str | None  # what the page shows below it, if it does

    def __str__(self):
        return f"{self.file}:{self.line}"


def blocks(file):
    """Fenced blocks, and indented ones that follow an empty line."""
    found, current, fenced, before = [], None, False, ""
    for number, line in enumerate((ROOT / file).read_text().splitlines(), 1):
        fence = FENCE.match(line)
        if fence:
            fenced = not fenced
            current = Block(file, number, fence[1]) if fenced else None
            if fenced:
                found.append(current)
        elif fenced:
            current.lines.append(line)
        elif line.startswith("    ") and (current or not before):
            if not current:
                current = Block(file, number - 1, "")
                found.append(current)
            current.lines.append(line[4:])
        else:
            current = None
        before = line
    return found


def commands(file):
    """One a line; in a `console` block they stand behind "$ " and their output below them."""
    found = []
    for block in blocks(file):
        for number, line in enumerate(block.lines, block.line + 1):
            if block.language in ("", "sh", "bash"):
                found.append(Command(file, number, line, None))
            elif block.language == "console" and line.startswith("$ "):
                found.append(Command(file, number, line[2:], ""))
            elif block.language == "console":
                found[-1].output += line + "\n"
    return found
