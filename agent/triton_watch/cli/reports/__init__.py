"""The formats of `triton-watch slo report`: one module each, imported when it is asked for."""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.records import Report

TEXT = "text"
FORMATS: Mapping[str, str] = MappingProxyType(
    {
        TEXT: "triton_watch.cli.reports.text",
        "json": "triton_watch.cli.reports.as_json",
        "markdown": "triton_watch.cli.reports.markdown",
        "html": "triton_watch.cli.reports.page",
    }
)
"""Name -> module. All but the text's have `render(report, most) -> str`; `most` rows are shown, None = all."""

MOST_ROWS = 50
"""Rows that people are shown without --all. JSON and HTML have every row."""

WITH_COURSES = frozenset({"json", "html"})
"""The formats that say how events came about over the period."""


def render(report: Report, format_name: str, most: int | None = MOST_ROWS) -> str:
    """Return a report in a format of `FORMATS`, the text as on a wide terminal without colours; ends with a newline."""
    written: str = importlib.import_module(FORMATS[format_name]).render(report, most)
    return written
