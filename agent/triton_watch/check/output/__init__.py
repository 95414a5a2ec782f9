"""The formats of a report: one module each, imported when it is asked for."""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from triton_watch.check.report import Report

TERMINAL = "terminal"

FORMATS: Mapping[str, str] = MappingProxyType(
    {
        TERMINAL: "triton_watch.check.output.terminal",
        "json": "triton_watch.check.output.as_json",
        "sarif": "triton_watch.check.output.sarif",
        "junit": "triton_watch.check.output.junit",
        "github": "triton_watch.check.output.github",
        "markdown": "triton_watch.check.output.markdown",
    }
)
"""Name -> module with `write(report, place)`. All but the terminal's write text to a stream, as they go."""


class Printer(Protocol):
    """What the terminal's format prints on: `triton_watch.cli.terminal.Terminal`."""

    @property
    def width(self) -> int:
        """Columns."""

    def print(self, *parts: RenderableType, wrap: bool = True) -> None:
        """Print each part on lines of its own."""


def write(report: Report, format_name: str, place: Printer | TextIO) -> None:
    """Write a report in one of `FORMATS`: `terminal` on a terminal, the others to a stream."""
    importlib.import_module(FORMATS[format_name]).write(report, place)
