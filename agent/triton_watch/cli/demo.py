"""`triton-watch demo`: a real Triton with good and bad models, a load, and the watcher beside them."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

if TYPE_CHECKING:
    from rich.table import Table

    from triton_watch.demo import EmbeddedTriton
    from triton_watch.demo.verdict import Verdict
    from triton_watch.records import Target, TargetSnapshot

USUAL_PORT = 8003
TARGET = "demo"
_CANARY_STYLE = {"ok": "green", "": ""}
WARM_UP = 3.0
"""Seconds of load before the measurement: Python backends are slow at first."""


@click.command("demo")
@click.option("--once", is_flag=True, help="Measure, print and end, instead of running until Ctrl-C.")
@click.option(
    "--seconds",
    type=click.IntRange(2, 600),
    default=10,
    show_default=True,
    help="Length of the measurement.",
)
@click.option("--listen", help="host:port of the watcher.  [default: 127.0.0.1:8003, or a free port]")
def command(once: bool, seconds: int, listen: str | None) -> None:
    """Start the real tritonserver from its PyPI wheel with example models, load it, and watch it.

    Some of the models lie: their clients get errors or nonsense while Triton counts successes. Needs
    `pip install triton-watch[demo]` on Linux x86-64, and nothing else.

    \b
    Example:
      triton-watch demo --once
    """
    from triton_watch.demo import EmbeddedTritonError

    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with ExitStack() as stack:
            _run(stack, once=once, seconds=seconds, listen=listen)
    except EmbeddedTritonError as error:
        click.echo(f"triton-watch: {error}", err=True)
        sys.exit(3)
    except KeyboardInterrupt:
        click.echo("stopped", err=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _run(stack: ExitStack, *, once: bool, seconds: int, listen: str | None) -> None:
    from rich.console import Console

    from triton_watch.cli.budgets import budgets_table, stored_budgets
    from triton_watch.cli.render import status
    from triton_watch.cli.status import poll_twice
    from triton_watch.cli.terminal import Terminal
    from triton_watch.demo import EmbeddedTriton, EmbeddedTritonError, Load, example_repository
    from triton_watch.demo.verdict import compare
    from triton_watch.demo.watcher import WatcherProcess, free_address

    address = free_address(listen, USUAL_PORT)
    is_kept = address.endswith(f":{USUAL_PORT}")
    state = _empty_state(stack, is_kept=is_kept)
    steps, out = Console(stderr=True, highlight=False), Terminal()
    with steps.status("starting the real tritonserver with 13 example models (about 10 s) …"):
        triton = stack.enter_context(EmbeddedTriton(example_repository()))
    with steps.status("starting a load on it and the watcher beside it …"):
        load = stack.enter_context(Load(triton))
        watcher = stack.enter_context(WatcherProcess(triton, address, state))
    with steps.status("warming up …"):
        time.sleep(WARM_UP)
    snapshot = poll_twice(_target(triton), seconds)
    verdicts = compare(load.clients(), snapshot, watcher.canaries())
    out.print("", status(snapshot, out.width), "")
    out.print("[bold]What clients and canaries saw since the start, beside what the server counted[/bold]")
    out.print(_comparison(verdicts), "", *_explanations(verdicts, snapshot), "")
    budgets = stored_budgets(TARGET, state)
    if budgets is not None:
        out.print("[bold]Error budgets of the default objectives since the watcher began[/bold]")
        out.print(budgets_table(budgets, out.width), "")
    out.print(*where_to_look(_target(triton), watcher.url, state, is_kept=is_kept), wrap=False)
    if not once:
        out.print("", "Running until Ctrl-C.")
        sys.stdout.flush()
        while triton.running:
            time.sleep(0.5)
        raise EmbeddedTritonError(f"tritonserver ended by itself; the end of its log:\n{triton.log_tail(5)}")


def _empty_state(stack: ExitStack, *, is_kept: bool) -> Path:
    """Where the demo's budgets are kept: they can be read after its end. A second demo has a folder for its time."""
    from triton_watch.config.state_dir import default_state_dir

    if not is_kept:
        return Path(stack.enter_context(TemporaryDirectory(prefix="triton-watch-state-")))
    folder = default_state_dir(os.environ) / "demo"
    for old in folder.glob("slo.sqlite*"):
        old.unlink()
    return folder


def _target(triton: EmbeddedTriton) -> Target:
    from triton_watch.records import Target

    return Target(TARGET, triton.http_url, triton.metrics_url, triton.grpc_address)


def _comparison(verdicts: tuple[Verdict, ...]) -> Table:
    from rich.text import Text

    from triton_watch.cli.render import bare_table
    from triton_watch.wording.words import NO_DATA

    table = bare_table()
    table.add_column("MODEL", no_wrap=True)
    table.add_column("CLIENTS FAILED", justify="right", no_wrap=True)
    for title in ("TRITON COUNTED", "CANARY"):
        table.add_column(title, no_wrap=True)
    table.add_column("", no_wrap=True)
    for v in sorted(verdicts, key=lambda v: (not v.silent, not v.failed, v.model)):
        word, style = ("it lies", "bold red") if v.silent else ("", "")
        if v.failed and not v.silent:
            word, style = "it counts them", "yellow"
        table.add_row(
            v.model,
            Text(f"{v.failed} of {v.sent}", style="red" if v.failed else ""),
            f"{v.counted_success} ok, {v.counted_failure} failed",
            Text(v.canary or NO_DATA, style=_CANARY_STYLE.get(v.canary, "red")),
            Text(word, style=style),
        )
    return table


def _explanations(verdicts: tuple[Verdict, ...], snapshot: TargetSnapshot) -> list[str]:
    from rich.markup import escape

    silent = [v for v in verdicts if v.silent]
    lines = [
        f"[red]{v.model}[/red]: clients got {v.kinds} ({escape(v.example)}); "
        f"Triton counted {v.counted_success} successes; the canary says {v.canary or 'nothing yet'}."
        for v in silent
    ]
    dead = next((v for v in verdicts if v.failed and not v.silent and "Stub" in v.example), None)
    if dead is not None:
        lines.append(
            f"[red]{dead.model}[/red]: its process is gone ({escape(dead.example)}), and Triton says READY; "
            f"the canary says {dead.canary or 'nothing yet'}."
        )
    if silent and snapshot.ready:
        lines.append(
            f"All the while /v2/health/ready says yes: {len(silent)} of {len(verdicts)} models fail "
            "without the server noticing."
        )
    return lines


def where_to_look(target: Target, watcher: str, state: Path, *, is_kept: bool) -> list[str]:
    """Return a line for each place where one can look. `is_kept`: whether `state` is there when the demo is over."""
    url = urlsplit(target.http_url)
    grpc = "" if target.grpc_address == f"{url.hostname}:{(url.port or 0) + 1}" else f" --grpc {target.grpc_address}"
    lines = [
        f"[bold]status page              {watcher}/[/bold]",
        f"the same in a terminal   triton-watch top --agent {watcher}",
        f"as JSON                  {watcher}/api/v1/status, {watcher}/api/v1/openapi.json",
        f"metrics of the watcher   {watcher}/metrics",
        f"its verdict on Triton    {watcher}/-/serving",
        f"Triton                   {target.http_url}, metrics {target.metrics_url}",
        f"ask again                triton-watch status --target {target.http_url} --metrics-url {target.metrics_url}"
        f"{grpc} --name {TARGET} --state {state}",
    ]
    return [*lines, f"budgets, also later      triton-watch slo report --state {state}"] if is_kept else lines
