"""The terminal that tables are printed on, or the file or pipe in its place."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from rich.console import RenderableType

_PIPED_WIDTH = 160
"""Columns when the output is no terminal and COLUMNS is not set."""


class Terminal:
    """Prints tables and text to standard output: colours only on a terminal (NO_COLOR is honoured)."""

    def __init__(self) -> None:
        self._tty = sys.stdout.isatty()
        columns = os.environ.get("COLUMNS", "")
        piped = int(columns) if columns.isdecimal() and int(columns) > 0 else _PIPED_WIDTH
        self._console = Console(highlight=False, width=None if self._tty else piped)

    @property
    def width(self) -> int:
        """Columns."""
        return self._console.width

    def print(self, *parts: RenderableType, wrap: bool = True) -> None:
        """Print each part on lines of its own; `wrap` False leaves long lines whole, for commands to copy."""
        if self._tty:
            for part in parts:
                self._console.print(part, soft_wrap=not wrap)
            return
        with self._console.capture() as capture:
            for part in parts:
                self._console.print(part, soft_wrap=not wrap)
        sys.stdout.write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))
