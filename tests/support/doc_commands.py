"""The commands in the shell blocks of a page, in order, as a person would type them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final, NamedTuple

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
_BLOCK: Final = re.compile(r"^```(?:sh|bash|shell|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Command(NamedTuple):
    """One command line without its comment, and the folder of the checkout in which it is typed."""

    folder: str
    line: str


def blocks(page: str) -> list[list[Command]]:
    """All commands of a page, block by block; a `cd` holds to the end of its block."""
    found: list[list[Command]] = []
    for block in _BLOCK.findall((DOCS / page).read_text()):
        folder = "."
        found.append([])
        for line in _lines(block):
            if line.startswith("cd "):
                folder = line.removeprefix("cd ")
            else:
                found[-1].append(Command(folder, line))
    return found


def block_with(line: str, page: str = "deploy.md") -> list[Command]:
    """The block of a page that has this command."""
    return next(block for block in blocks(page) if line in [command.line for command in block])


def install_of_the_service() -> list[str]:
    """The commands of the page on deployment that put the service on a machine, up to what systemd itself does."""
    lines = [command.line for command in block_with("systemctl enable --now triton-watch")]
    return lines[: lines.index("systemctl daemon-reload")]


def _lines(block: str) -> list[str]:
    whole = re.sub(r" *\\\n *", " ", block)
    return [found for line in whole.splitlines() if (found := _without_comment(line))]


def _without_comment(line: str) -> str:
    """The line up to a # that begins a word outside of quotes."""
    for match in re.finditer(r"(?:^|\s+)#", line):
        try:
            shlex.split(line[: match.start()])
        except ValueError:  # within quotes
            continue
        return line[: match.start()].strip()
    return line.strip()
