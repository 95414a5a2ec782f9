"""The error budgets that an agent on this machine keeps of a server, for commands that show the server."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

    from triton_watch.records import Report

UNREADABLE = 3
FEW, MANY = 5, 30
"""Rows that are shown beside other tables, at least and at most."""


def stored_budgets(target: str, folder: Path | None) -> Report | None:
    """Return the budgets of one target as an agent last wrote them, None where no agent keeps any.

    `folder` is the agent's state directory, None = the one that it uses by default; of one that was given a report
    without rows says in its warning what is there. Prints why a folder that was given cannot be read and exits with 3.
    """
    from triton_watch.cli.reports.sources import from_state
    from triton_watch.config.state_dir import default_state_dir
    from triton_watch.store.errors import StoreError

    place = default_state_dir(os.environ) if folder is None else folder
    try:
        report = from_state(place, time.time(), tuple, per_target=True)
    except StoreError as error:
        if folder is None:
            return None
        click.echo(f"triton-watch: {error}", err=True)
        sys.exit(UNREADABLE)
    rows = tuple(row for row in report.rows if row.targets == (target,))
    if rows:
        return replace(report, rows=rows)
    return None if folder is None else replace(report, rows=(), warnings=(_only_others(report, target),))


def _only_others(report: Report, target: str) -> str:
    known = sorted({name for row in report.rows for name in row.targets})
    if not known:
        return f"{report.source} has no budgets yet."
    others = ", ".join(known[:5]) + (", …" if len(known) > 5 else "")
    return f"{report.source} has no budgets of {target}, only of {others}: give the server's name there with --name."


def budgets_table(report: Report, width: int) -> RenderableType:
    """Return the budgets as a table for `width` columns: all that are not well, or a few that are."""
    from triton_watch.cli.reports.text import renderable
    from triton_watch.records import Verdict

    unwell = sum(row.verdict is not Verdict.OK for row in report.rows)
    bars = (sys.stdout.encoding or "").lower().startswith("utf")
    how = f"triton-watch slo report --state {report.source} --all"
    return renderable(report, width, min(max(unwell, FEW), MANY), bars=bars, how=how)
