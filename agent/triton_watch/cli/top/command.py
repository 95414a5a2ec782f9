"""`triton-watch top`: the facts of an agent, or of servers that it polls itself, sorted and filtered by keys."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from triton_watch.cli.agent_options import agent_of, agent_options
from triton_watch.cli.targets import settings_from, target_options

if TYPE_CHECKING:
    from triton_watch.cli.top.sources import Source
    from triton_watch.cli.top.view import View

UNHEARD = 3
_PAUSE: Final = 3.0
"""Seconds between the two polls of --once."""
_SORTS: Final = ("trouble", "name", "rate", "queue", "latency", "budget", "failures")
_AGENT: Final = ("agent", "config_file", "agent_ca", "agent_user", "agent_password_file")


@click.command("top")
@agent_options
@target_options
@click.option("--canary", is_flag=True, help="With --target: send inferences, too.")
@click.option("--once", is_flag=True, help="Print once and end, as into a pipe.")
@click.option("--interval", help="Time between two looks.  [default: 2s]")
@click.option("--sort", type=click.Choice(_SORTS), default="trouble", metavar="ORDER", help=f"{', '.join(_SORTS)}.")
@click.option("--filter", "text", default="", metavar="TEXT", help="Only models whose name or target has it.")
@click.option("--standing", default="", metavar="LIST", help="Such as wrong,failing.")
@click.option("--lines", type=click.IntRange(1), metavar="N", help="Models that --once prints.  [default: all]")
def command(*, canary: bool, once: bool, interval: str | None, lines: int | None, **flags: Any) -> None:  # noqa: ANN401 - click's
    """Show all models, the worst first, and renew it; keys sort, filter and open them (? lists them).

    It asks a running agent; with --target it polls those servers itself.

    Exit code: 0 nothing is wrong or failing; 1 something is; 3 nothing could be read.
    On a screen: 0, or 3 where there never was an answer.

    \b
    Example:
      triton-watch top
      triton-watch top --once --target http://localhost:8000
    """
    seconds = _seconds(interval)
    view = _view(seconds, **{name: flags.pop(name) for name in ("sort", "text", "standing")})
    agent = {name: flags.pop(name) for name in _AGENT}
    is_once = once or not sys.stdout.isatty() or os.environ.get("TERM") in ("dumb", "")
    keyboard = None
    if not is_once:
        from triton_watch.cli.top.keyboard import find_keyboard

        keyboard = find_keyboard()
        is_once = keyboard is None and interval is None
    source = _source(agent, flags, canary=canary, interval=_PAUSE if is_once and interval is None else seconds)
    if is_once:
        from triton_watch.cli.top.once import print_once

        _end(source, print_once(source, view, lines))
    from triton_watch.cli.top.live import Top
    from triton_watch.cli.top.signals import Signals

    with Signals() as signals:
        heard = Top(source, view, keyboard, signals).run()
    _end(source, 0 if heard else UNHEARD)


def _seconds(interval: str | None) -> float:
    from triton_watch.config import ParseError, parse_duration

    try:
        seconds = parse_duration(interval or "2s")
    except ParseError as error:
        raise click.UsageError(f"--interval: {error}") from None
    if not 0.5 <= seconds <= 600:
        raise click.UsageError("--interval: give 500ms to 10m.")
    return seconds


def _view(interval: float, sort: str, text: str, standing: str) -> View:
    from triton_watch.cli.top.view import Sort, View
    from triton_watch.daemon.facts.standing import Standing

    known = {one.value: one for one in Standing}
    wanted = [one.strip() for one in standing.split(",") if one.strip()]
    for one in wanted:
        if one not in known:
            raise click.UsageError(f"--standing: there is no standing {one!r}; there are: {', '.join(known)}.")
    return View(sort=Sort(sort), text=text, standings=tuple(known[one] for one in wanted), interval=interval)


def _source(agent: dict[str, Any], flags: dict[str, Any], *, canary: bool, interval: float) -> Source:
    """Return the agent, or the servers, that the flags name."""
    given = [name for name, value in flags.items() if value not in (None, False, ())]
    if not flags["targets"]:
        if given or canary:
            names = ", ".join(
                "--" + name.replace("_", "-").removesuffix("s") for name in (*given, *["canary"] * canary)
            )
            raise click.UsageError(f"{names} goes with --target: an agent has it in its configuration.")
        from triton_watch.cli.top.sources import AgentSource

        return AgentSource(agent_of(**agent))
    if any(value is not None for value in agent.values()):
        raise click.UsageError("--target polls servers without an agent: leave out the flags that name one.")
    from triton_watch.cli.top.servers import ServerSource
    from triton_watch.config.overrides import with_canary_flags

    settings = with_canary_flags(settings_from(None, **flags), enabled=canary, goldens=None)
    return ServerSource(settings, interval)


def _end(source: Source, code: int) -> NoReturn:
    """Let go of everything and end; a poll that hangs in a thread is not waited for."""
    if source.close():
        sys.exit(code)
    sys.stdout.flush()
    os._exit(code)
