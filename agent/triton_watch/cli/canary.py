"""`triton-watch canary`: real inferences whose answers are checked."""

from __future__ import annotations

from typing import Final

import click

from triton_watch.cli.lazy import LazyGroup

_COMMANDS: Final = {
    "run": ("triton_watch.cli.canary_run", "Ask each model once and check its answers."),
    "record": ("triton_watch.cli.canary_record", "Record what models answer, to compare later answers with."),
    "list": ("triton_watch.cli.canary_list", "List canaries and goldens: what is asked, how answers are compared."),
}


@click.group(cls=LazyGroup, modules=_COMMANDS)
def command() -> None:
    """Send real inferences and check the answers: shape, type, NaN, time, and recorded answers.

    \b
    Example:
      triton-watch canary run --target http://localhost:8000
    """
