"""`triton-watch alerts explain`: the runbook of an alert, or a list of all alerts."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

    from triton_watch.alerting.definition import AlertDefinition
    from triton_watch.records import Objective

_ANY_TARGET: Final = "http://localhost:8000"
"""The objectives that there are without a configuration depend on no target."""


@click.command("explain")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """Print the runbook of the alert NAME: what it means, how to confirm it, likely causes, how to silence it.

    The prefix Triton may be left out, and case does not count. Without NAME all alerts are listed.

    \b
    Exit codes: 0 printed, 2 there is no such alert.

    \b
    Example:
      triton-watch alerts explain
      triton-watch alerts explain CanaryFailing
    """
    from triton_watch.cli.terminal import Terminal

    if name is None:
        from triton_watch.alerting.definitions import ALERTS

        Terminal().print(listing(ALERTS))
        return
    from triton_watch.alerting.runbooks import runbook

    text = runbook(_named(name))
    if not sys.stdout.isatty():
        click.echo(text.rstrip())
        return
    from rich.markdown import Markdown

    Terminal().print(Markdown(text))


def _named(given: str) -> str:
    """Return the alert that was meant; a usage error where there is none."""
    from triton_watch.conventions.alerts import ALERT_NAMES, ALERT_PREFIX
    from triton_watch.wording.text import clip, nearest

    known = {name.casefold(): name for name in ALERT_NAMES}
    word = given.strip().casefold()
    found = known.get(word) or known.get(f"{ALERT_PREFIX.casefold()}{word}")
    if found is not None:
        return found
    near = nearest(given, ALERT_NAMES) or nearest(f"{ALERT_PREFIX}{given}", ALERT_NAMES)
    hint = f'did you mean "{near}"? ' if near else ""
    raise click.UsageError(f'there is no alert "{clip(given)}": {hint}`triton-watch alerts explain` lists them all.')


def listing(alerts: Iterable[AlertDefinition]) -> RenderableType:
    """Return a table of alerts: who is told, after how long, and of what."""
    from rich.text import Text

    from triton_watch.cli.alerts_render import STYLES
    from triton_watch.cli.render import bare_table
    from triton_watch.config import from_flags

    objectives = from_flags([_ANY_TARGET]).slo.objectives
    table = bare_table()
    for title in ("ALERT", "SEVERITY", "FOR"):
        table.add_column(title, no_wrap=True)
    table.add_column("WHAT IT SAYS", overflow="fold")
    for one in alerts:
        severity = Text(one.severity.value, style=STYLES[one.severity])
        table.add_row(one.name, severity, _patience(one, objectives), Text(_said(one.summary)))
    return table


def _patience(one: AlertDefinition, objectives: Sequence[Objective]) -> str:
    """Say for how long the condition must hold, and in how many polls."""
    from triton_watch.generate.pages import hold_words

    polls = [f"{one.failures} of {one.window} polls"] if one.window > 1 else []
    held = hold_words(one, objectives)
    return ", ".join([*([held] if held else []), *polls]) or "at once"


def _said(summary: str) -> str:
    """Put names in place of what Prometheus fills in: `{{ $labels.model }}` is `<model>`."""
    return re.sub(r"\{\{[^}]*?\$(?:labels\.)?(\w+)[^}]*\}\}", r"<\1>", summary)
