"""`triton-watch alerts list`: what fires at a running agent, and who is told."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from triton_watch.cli.config import DEFAULT_FILE
from triton_watch.cli.targets import settings_from

if TYPE_CHECKING:
    from triton_watch.cli.agent_alerts import Told, ToldAlert
    from triton_watch.records import WebSettings

FIRES, UNKNOWN = 1, 3
_HOST: Final = "127.0.0.1"
_EVERYWHERE: Final = {"0.0.0.0": _HOST, "::": "::1"}  # noqa: S104 - asked, not listened on


@click.command("list")
@click.option(
    "--agent", metavar="URL", help="Where the agent is.  [default: http://127.0.0.1:8003, or as the file says]"
)
@click.option(
    "--config",
    "-c",
    "config_file",
    type=click.Path(path_type=Path),
    help=f"Its file: web.listen is asked.  [default: ./{DEFAULT_FILE}, where there is one]",
)
@click.option("--target", metavar="NAME", help="Only alerts of this target.")
@click.option("--all", "everything", is_flag=True, help="Pending and resolved ones, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    agent: str | None, config_file: Path | None, target: str | None, *, everything: bool, as_json: bool
) -> None:
    """Ask a running agent which alerts fire: since when, of what, why, what to do first, and who is told.

    Exit code: 0 nothing fires that is a page or a ticket; 1 something does; 2 usage; 3 there is no
    agent, or it evaluates no alerts.

    \b
    Example:
      triton-watch alerts list
      triton-watch alerts list --agent http://gpu-7:8003 --all
      triton-watch alerts list --json | jq '.alerts[].name'
    """
    from triton_watch.cli.agent_alerts import AgentError, UnknownTargetError, ask

    url = _url(agent, config_file)
    try:
        told = ask(url, target)
    except UnknownTargetError as error:
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


def _url(agent: str | None, config_file: Path | None) -> str:
    from triton_watch.config import ParseError
    from triton_watch.config.addresses import public_url
    from triton_watch.records import WebSettings

    if agent is not None and config_file is not None:
        raise click.UsageError("--agent and --config both say where the agent is: give one of them.")
    if agent is None:
        if config_file is None and Path(DEFAULT_FILE).exists():
            config_file = Path(DEFAULT_FILE)
        return _of(WebSettings() if config_file is None else settings_from(config_file).web)
    try:
        return public_url(agent)
    except ParseError as error:
        raise click.UsageError(f"--agent: {error}") from None


def _of(web: WebSettings) -> str:
    """Return the URL at which a program on this machine reaches an agent that listens there."""
    if web.port == 0:
        raise click.UsageError(
            "web.listen of the configuration has port 0, any free one: give --agent URL, as its log says it."
        )
    host = _EVERYWHERE.get(web.host, web.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{web.port}"


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
