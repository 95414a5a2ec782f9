"""`triton-watch alerts list`: what fires at a running agent, and who is told."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from triton_watch.cli.agent_options import agent_of, agent_options

if TYPE_CHECKING:
    from triton_watch.cli.agent_alerts import Told, ToldAlert

FIRES, UNKNOWN = 1, 3


@click.command("list")
@agent_options
@click.option("--target", metavar="NAME", help="Only alerts of this target.")
@click.option("--all", "everything", is_flag=True, help="Pending and resolved ones, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(target: str | None, *, everything: bool, as_json: bool, **flags: Any) -> None:  # noqa: ANN401 - of agent_options
    """Ask a running agent which alerts fire: since when, of what, why, what to do first, and who is told.

    Exit code: 0 nothing fires that is a page or a ticket; 1 something does; 2 usage; 3 there is no
    agent, or it evaluates no alerts.

    \b
    Example:
      triton-watch alerts list
      triton-watch alerts list --agent http://gpu-7:8003 --all
      triton-watch alerts list --json | jq '.alerts[].name'
    """
    from triton_watch.cli.agent_alerts import ask
    from triton_watch.cli.agent_client import AgentError, NotThereError

    try:
        with agent_of(**flags) as agent:
            told = ask(agent, target)
    except NotThereError as error:
        raise click.UsageError(f"--target: {error}") from None
    except AgentError as error:
        click.echo(f"triton-watch: {error}", err=True)
        sys.exit(UNKNOWN)
    _show(told, everything=everything, as_json=as_json)
    sys.exit(exit_code(told))


def exit_code(told: Told) -> int:
    """Return 3 where nothing is evaluated, 1 where a page or a ticket fires, else 0."""
    from triton_watch.records import AlertMode, AlertPhase, AlertSeverity

    if told.mode is AlertMode.OFF or told.evaluated_at is None:
        return UNKNOWN
    loud = (AlertSeverity.PAGE, AlertSeverity.TICKET)
    return FIRES if any(one.phase is AlertPhase.FIRING and one.severity in loud for one in told.alerts) else 0


def _show(told: Told, *, everything: bool, as_json: bool) -> None:
    from triton_watch.records import AlertPhase

    def is_shown(one: ToldAlert) -> bool:
        return everything or one.phase is AlertPhase.FIRING

    if as_json:
        import json

        raw = [one for one, alert in zip(told.raw["alerts"], told.alerts, strict=True) if is_shown(alert)]
        # In ASCII: the name of a model may hold half a character, which no terminal takes.
        click.echo(json.dumps({**told.raw, "alerts": raw}, indent=2))
        return
    from triton_watch.cli.alerts_render import lines
    from triton_watch.cli.terminal import Terminal

    terminal = Terminal()
    shown = [one for one in told.alerts if is_shown(one)]
    terminal.print(*lines(told, shown, terminal.width, everything=everything))
