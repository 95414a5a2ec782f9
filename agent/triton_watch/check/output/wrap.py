"""Prose in lines of so many columns. Words are never cut: a path or a value is copied whole."""

from __future__ import annotations

import textwrap

from rich.cells import cell_len

WIDEST = 110
"""Columns; longer lines of prose are hard to read."""


def wrap(text: str, width: int, indent: str = "", first: str | None = None) -> list[str]:
    """Break text at spaces into lines of at most `width` columns (and `WIDEST`) where its words allow it.

    `indent` stands before each line, `first` before the first one instead.
    """
    width = max(20, min(width, WIDEST))
    start = indent if first is None else first
    if text.isascii() and start.isascii():
        return textwrap.wrap(
            text, width, initial_indent=start, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        ) or [start.rstrip()]
    lines, line = [], start
    separator = ""
    for word in text.split():
        if separator and cell_len(line) + 1 + cell_len(word) > width:
            lines.append(line)
            line = indent + word
        else:
            line += separator + word
        separator = " "
    return [*lines, line]
