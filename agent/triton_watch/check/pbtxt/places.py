"""Offsets to lines and columns, computed when somebody asks: most places of a file are never looked at."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from triton_watch.check.pbtxt.records import Path, Place, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

Offsets: TypeAlias = "tuple[int, int, int, int, int]"
"""Start and end of the name, start and end of the value, end of the extent. The extent starts with the name."""


class Lines:
    """Finds the line and column of an offset. Only a line feed ends a line, as in protobuf's tokenizer."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def span(self, start: int, end: int) -> Span:
        """The range from `start` to `end`, in characters of the text."""
        line = bisect_right(self._starts, start)
        return Span(start, end, line, start - self._starts[line - 1] + 1)


class Places(Mapping[Path, Place]):
    """Places by path, in the order of the file, made from offsets on access."""

    def __init__(self, lines: Lines, offsets: dict[Path, Offsets]) -> None:
        self._lines = lines
        self._offsets = offsets

    def __getitem__(self, path: Path) -> Place:
        name, name_end, value, value_end, end = self._offsets[path]
        span = self._lines.span
        return Place(span(name, name_end), span(value, value_end), span(name, end))

    def __contains__(self, path: object) -> bool:
        return path in self._offsets

    def __iter__(self) -> Iterator[Path]:
        return iter(self._offsets)

    def __len__(self) -> int:
        return len(self._offsets)
