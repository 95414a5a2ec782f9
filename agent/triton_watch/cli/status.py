"""`triton-watch status`: what one server is doing right now."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from triton_watch.cli.targets import settings_from, target_options

if TYPE_CHECKING:
    from triton_watch.records import Target, TargetSnapshot

UNREACHABLE = 3
SHORTEST_WAIT, LONGEST_WAIT = 1.0, 600.0


@click.command("status")
@target_options
@click.option("--wait", default="3s", show_default=True, help="Time between the two polls.")
@click.option("--name", help="Name of the server in the agent's configuration.  [default: host:port]")
@click.option("--state", type=click.Path(path_type=Path), metavar="DIR", help="An agent's state: shows its budgets.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(wait: str, state: Path | None, as_json: bool, **flags: object) -> None:
    """Poll a Triton twice and print its models: state, traffic, errors, queue, batches, latency, GPU.

    Where `triton-watch run` on this machine watches that server, its error budgets are shown, too.

    Exit code: 0 all well; 1 something is wrong (it is listed); 3 nothing there answered as
    Triton does.

    \b
    Example:
      triton-watch status --target http://localhost:8000
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
    snapshot = poll_twice(settings.targets[0], pause, quiet=as_json)
    _show(snapshot, state, as_json=as_json)
    sys.exit(exit_code(snapshot))


def poll_twice(target: Target, pause: float, *, quiet: bool = False) -> TargetSnapshot:
    """Run two cycles `pause` seconds apart and return the second; a bar on stderr counts the pause."""
    from rich.console import Console
    from rich.progress import Progress

    from triton_watch.probes.cycle import TargetPoller

    poller = TargetPoller(target)
    try:
        first = poller.cycle()
        if not first.probes["metrics"].ok and not first.probes["live"].ok:
            return first
        console = Console(stderr=True, quiet=quiet or not sys.stderr.isatty())
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task(f"measuring for {pause:g} s", total=pause)
            end = time.monotonic() + pause
            while (left := end - time.monotonic()) > 0:
                time.sleep(min(0.1, left))
                progress.update(task, completed=pause - max(0.0, left))
        return poller.cycle()
    finally:
        poller.close()


def exit_code(snapshot: TargetSnapshot) -> int:
    """Return 3 when nothing answered as Triton, 1 when something is wrong, else 0."""
    from triton_watch.slo.troubles import Level, find

    heard = (snapshot.live, snapshot.ready, snapshot.server, snapshot.slis)
    if all(one is None for one in heard):
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
