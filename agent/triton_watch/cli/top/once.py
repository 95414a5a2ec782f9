"""One look, printed: into a pipe, or where nobody can press keys."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click
from rich.console import Group

from triton_watch.cli.terminal import Terminal
from triton_watch.cli.terminal_bar import progress_bar
from triton_watch.cli.top.cells import Encoded
from triton_watch.cli.top.list_screen import Place, printed
from triton_watch.cli.top.sources import UnheardError
from triton_watch.daemon.facts.standing import Standing

if TYPE_CHECKING:
    from triton_watch.cli.top.sources import Seen, Source
    from triton_watch.cli.top.view import View

WRONG, UNHEARD = 1, 3


def print_once(source: Source, view: View, most: int | None) -> int:
    """Print what is so now, at most so many models of it, and return the exit code."""
    try:
        with progress_bar(quiet=False) as progress:
            if source.settles:
                progress.add_task("measuring", total=None)
            source.settle()
            seen = source.read()
    except UnheardError as error:
        click.echo(f"triton-watch: {error}", err=True)
        return UNHEARD
    terminal, encoding = Terminal(), sys.stdout.encoding or "ascii"
    place = Place(terminal.width, 0, source.where, source.has_alerts, time.monotonic())
    terminal.print(Encoded(Group(*printed(seen, view, place, most)), encoding))
    return exit_code(seen)


def exit_code(seen: Seen) -> int:
    """Return 3 where nothing was read, 1 where something is wrong or failing or no server is watched, else 0."""
    if not seen.is_heard:
        return UNHEARD
    if not seen.status.targets:
        return WRONG
    return WRONG if seen.status.standing in (Standing.WRONG, Standing.FAILING) else 0
