"""Where a report goes: the terminal, a pipe or a file."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import click

from triton_watch.cli.reports import TEXT, render

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.records import Report

STANDARD_OUTPUT = "-"
COULD_NOT_WRITE = 3


def deliver(report: Report, form: str, out: Path | None, most: int | None) -> None:
    """Print the report, or write it to a file; then the sentence that sums it up is told on standard error.

    `most` rows are shown where the format is for people, None = all. Exits with 3 where the file cannot be written.
    """
    if out is None or str(out) == STANDARD_OUTPUT:
        _print(report, form, most)
        return
    from triton_watch.wording.stories import headline

    try:
        out.write_text(render(report, form, most), encoding="utf-8")
    except OSError as error:
        click.echo(f"triton-watch: {out} cannot be written ({error.strerror}): check the path.", err=True)
        sys.exit(COULD_NOT_WRITE)
    click.echo(f"triton-watch: {headline(report)} Written to {out}.", err=True)


def _print(report: Report, form: str, most: int | None) -> None:
    """Print text as wide as the terminal, and the other formats in UTF-8, whatever the terminal speaks."""
    if form != TEXT:
        click.echo(render(report, form, most).encode(), nl=False)
        return
    from triton_watch.cli.reports.text import renderable
    from triton_watch.cli.terminal import Terminal

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a name that the terminal cannot show is no reason to fail
    terminal = Terminal()
    bars = (sys.stdout.encoding or "").lower().startswith("utf")
    terminal.print(renderable(report, terminal.width, most, bars=bars))
