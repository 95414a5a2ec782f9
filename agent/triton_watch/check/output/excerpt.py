"""The line of source that a finding points at, with its number and carets, cut to the terminal's width."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triton_watch.records import Finding

_TAB = "    "
_NARROWEST = 20
_CUT = "…"
_WHOLE_FILE = (1, 1, 1)
"""Line, column and width of what is missing in a file: its first character has nothing to do with it."""


class Excerpt(NamedTuple):
    """`number` is the line's number; the carets stand below `line` behind `offset` columns, `carets` of them."""

    number: str
    line: str
    offset: int
    carets: int


def excerpt(finding: Finding, width: int) -> Excerpt | None:
    """Return the excerpt of a finding in `width` columns, None when it has no source or points behind it."""
    source, column = finding.source, finding.column
    if not source or not source.strip() or finding.line is None or column is None or column > len(source) + 1:
        return None
    if (finding.line, column, finding.width) == _WHOLE_FILE:
        return None
    number, at = str(finding.line), column - 1
    room = max(_NARROWEST, width - len(number) - 3)
    if len(source) <= room and source.isascii() and source.isprintable():
        return Excerpt(number, source, at, max(1, len(source[at : at + finding.width])))
    shown = [_shown(character) for character in source]
    start, end = _window(shown, at, room)
    before, after = _CUT if start else "", _CUT if end < len(shown) else ""
    line = f"{before}{''.join(shown[start:end])}{after}"
    offset = len(before) + cell_len("".join(shown[start:at]))
    return Excerpt(number, line, offset, max(1, cell_len("".join(shown[at : min(end, at + finding.width)]))))


def _shown(character: str) -> str:
    """Return what stands for a character: one that moves the cursor or is not seen would shift the carets."""
    if character.isprintable():
        return character
    return _TAB if character == "\t" else "\N{REPLACEMENT CHARACTER}"


def _window(shown: Sequence[str], at: int, room: int) -> tuple[int, int]:
    """Return the range of characters to show so that the one at `at` is seen, with what stands around it."""
    widths = [len(one) if one.isascii() else cell_len(one) for one in shown]
    if sum(widths) <= room:
        return 0, len(shown)
    room -= 2 * len(_CUT)
    start, used = 0, sum(widths[:at])
    while used > room // 2:
        used -= widths[start]
        start += 1
    end = at
    while end < len(shown) and used + widths[end] <= room:
        used += widths[end]
        end += 1
    return start, end
