"""`triton-watch status`: what one server is doing right now."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from triton_watch.cli.canary_ask import each, settled
from triton_watch.cli.targets import settings_from, target_options
from triton_watch.cli.terminal_bar import progress_bar

if TYPE_CHECKING:
    from triton_watch.records import CanarySettings, Target, TargetSnapshot

UNREACHABLE = 3
_SHORT_PAUSE = 2.0
"""Seconds between the polls that tell whether a model is wedged, at most."""
SHORTEST_WAIT, LONGEST_WAIT = 1.0, 600.0


@click.command("status")
@target_options
@click.option("--wait", default="3s", show_default=True, help="Time between the two polls.")
@click.option("--name", help="Name of the server in the agent's configuration.  [default: host:port]")
@click.option("--state", type=click.Path(path_type=Path), metavar="DIR", help="An agent's state: shows its budgets.")
@click.option("--canary", is_flag=True, help="Ask each ready model with two inferences, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(wait: str, state: Path | None, canary: bool, as_json: bool, **flags: object) -> None:
    """Poll a Triton twice and print its models: state, traffic, errors, queue, batches, latency, GPU.

    Where `triton-watch run` on this machine watches that server, its error budgets are shown, too.

    Exit code: 0 all well; 1 something is wrong (it is listed); 3 nothing there answered as
    Triton does.

    \b
    Example:
      triton-watch status --target http://localhost:8000
      triton-watch status --target http://localhost:8000 --canary
      triton-watch status --target http://localhost:8000 --json | jq '.models[].slis'
    """
    from triton_watch.config import ParseError, parse_duration

    if not flags["targets"]:
        raise click.UsageError("which server? Give --target http://HOST:8000.")
    if len(flags["targets"]) > 1:  # type: ignore[arg-type]  # click makes a tuple of a repeatable flag
        raise click.UsageError("status looks at one server: give --target once, or use `run` for several.")
    try:
        pause = parse_duration(wait)
    except ParseError as error:
        raise click.UsageError(f"--wait: {error}") from None
    if not SHORTEST_WAIT <= pause <= LONGEST_WAIT:
        raise click.UsageError("--wait: give 1s to 10m; Triton renews its gauges every 2 s by default.")
    settings = settings_from(None, **flags)
    snapshot = poll_twice(settings.targets[0], pause, quiet=as_json, canary=settings.canary if canary else None)
    _show(snapshot, state, as_json=as_json)
    sys.exit(exit_code(snapshot))


def poll_twice(
    target: Target, pause: float, *, quiet: bool = False, canary: CanarySettings | None = None
) -> TargetSnapshot:
    """Run two cycles `pause` seconds apart and return the second; a bar on stderr counts the pause.

    Where requests wait for a model and none was answered, more cycles follow, until they tell whether it is wedged.
    With `canary` each ready model is asked then. The indicators are of the two cycles all the same.
    """
    from triton_watch.probes.canary.canaries import TargetCanaries
    from triton_watch.probes.cycle import TargetPoller
    from triton_watch.slo.wedge import POLLS

    canaries = None if canary is None else TargetCanaries(target, canary)
    poller = TargetPoller(target, canaries=canaries)
    try:
        snapshot = poller.cycle()
        if not snapshot.probes["metrics"].ok and not snapshot.probes["live"].ok:
            return snapshot
        _wait(pause, quiet=quiet)
        measured = snapshot = poller.cycle()
        for _ in range(POLLS):
            if not _looks_stuck(snapshot):
                break
            _wait(min(pause, _SHORT_PAUSE), quiet=quiet)
            snapshot = poller.cycle()
        if canaries is not None and canary is not None:
            begun = canaries.follow(snapshot).begun
            each(begun, canaries.run_all, "asking each model", at_once=canary.concurrency, quiet=quiet)
            snapshot = settled(poller)
        return replace(snapshot, slis=measured.slis)
    finally:
        poller.close()
        if canaries is not None:
            canaries.close()


def _wait(pause: float, *, quiet: bool) -> None:
    with progress_bar(quiet=quiet) as progress:
        task = progress.add_task(f"measuring for {pause:g} s", total=pause)
        end = time.monotonic() + pause
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(0.1, left))
            progress.update(task, completed=pause - max(0.0, left))


def _looks_stuck(snapshot: TargetSnapshot) -> bool:
    """Whether requests wait for a model of which none was answered, and nobody can tell yet what that means."""
    table = snapshot.slis
    if table is None or table.completed is None or table.counters_off:
        return False
    if any(one.is_sure for one in snapshot.wedged.values()):
        return False
    return bool(((table.frame.pending > 0) & (table.completed == 0)).any())


def exit_code(snapshot: TargetSnapshot) -> int:
    """Return 3 when nothing answered as Triton, 1 when something is wrong, else 0."""
    from triton_watch.slo.troubles import Level, find

    if not snapshot.is_heard:
        return UNREACHABLE
    return int(any(trouble.level is Level.PROBLEM for trouble in find(snapshot)))


def _show(snapshot: TargetSnapshot, state: Path | None, *, as_json: bool) -> None:
    from triton_watch.cli.budgets import budgets_table, stored_budgets

    budgets = stored_budgets(snapshot.target.name, state)
    if budgets is not None and not budgets.rows:
        click.echo(f"triton-watch: {'; '.join(budgets.warnings)}", err=True)
    if as_json:
        import json

        from triton_watch.cli.reports.as_json import row_of
        from triton_watch.daemon.describe import describe

        rows = [] if budgets is None else [row_of(row) for row in budgets.rows]
        click.echo(json.dumps({**describe(snapshot), "budgets": rows}, indent=2, ensure_ascii=False))
        return
    from triton_watch.cli.render import status
    from triton_watch.cli.terminal import Terminal

    terminal = Terminal()
    terminal.print(status(snapshot, terminal.width))
    if budgets is not None and budgets.rows:
        terminal.print("", "[bold]Error budgets[/bold]", budgets_table(budgets, terminal.width))
