"""`triton-watch slo`: objectives and their error budgets."""

from __future__ import annotations

from typing import Final

import click

from triton_watch.cli.lazy import LazyGroup

_COMMANDS: Final = {
    "check": ("triton_watch.cli.slo_check", "Say objectives in words, and whether a server has the data."),
    "report": ("triton_watch.cli.slo_report", "Report error budgets and burn rates."),
    "export": ("triton_watch.cli.slo_export", "Write objectives as OpenSLO documents."),
    "import": ("triton_watch.cli.slo_import", "Read objectives from OpenSLO documents."),
}


@click.group(cls=LazyGroup, modules=_COMMANDS)
def command() -> None:
    """Check objectives, report their error budgets, exchange them as OpenSLO.

    \b
    Example:
      triton-watch slo check examples/slo.yaml
    """
