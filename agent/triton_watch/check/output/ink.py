"""Styled text for large amounts of output."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions


class Ink:
    """Whole lines, printed as they stand. Rich's own `Text` wraps and splits them again, which takes 10 times as long.

    Made of text that moves no cursor (see `text.printable`); each line ends with a line feed.
    """

    def __init__(self) -> None:
        self._segments: list[Segment] = []

    def add(self, text: str, style: str = "") -> Ink:
        """Add text in a style of rich's."""
        self._segments.append(Segment(text, _style(style)))
        return self

    def line(self, text: str = "", style: str = "") -> Ink:
        """Add text and end the line."""
        return self.add(text, style).add("\n")

    def __str__(self) -> str:
        return "".join(segment.text for segment in self._segments)

    def __rich_console__(self, _console: Console, _options: ConsoleOptions) -> Iterator[Segment]:
        yield from self._segments


@cache
def _style(definition: str) -> Style | None:
    return Style.parse(definition) if definition else None
