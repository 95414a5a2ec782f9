"""The line that a finding points at, with carets below it, as compilers show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from triton_watch.wording.text import printable, whole

if TYPE_CHECKING:
    from triton_watch.daemon.facts.finding import Finding

_TAB: Final = "    "
_BEFORE: Final = 60
_WIDEST: Final = 160


class Excerpt(NamedTuple):
    """`line` has `number` in the file; `carets` stands below it."""

    number: int
    line: str
    carets: str


def excerpt(finding: Finding) -> Excerpt | None:
    """Return the excerpt of a finding; None where it has no source, or points behind it."""
    source, column, number = finding.source, finding.column, finding.line
    if not source or not source.strip() or number is None or column is None or not 1 <= column <= len(source) + 1:
        return None
    start = max(0, column - 1 - _BEFORE)
    before, rest = source[start : column - 1], source[column - 1 :]
    cut = "…" if start else ""
    shown = rest[: max(_WIDEST - len(before), 20)]
    meant = shown[: max(1, finding.width)]
    line = f"{cut}{_shown(before)}{_shown(shown)}{'…' if len(shown) < len(rest) else ''}"
    return Excerpt(number, line, " " * len(cut + _shown(before)) + "^" * max(1, len(_shown(meant))))


def _shown(text: str) -> str:
    """Return what stands for a text: one that moves the cursor or is not seen would shift the carets."""
    return printable(whole(text.replace("\t", _TAB)))
