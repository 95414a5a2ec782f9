"""`triton-watch slo report`: what is left of the error budgets, from a state directory or from a Prometheus."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from triton_watch.cli.reports import FORMATS, MOST_ROWS, TEXT, WITH_COURSES
from triton_watch.cli.targets import settings_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triton_watch.records import Objective, PrometheusSettings, Report, SloSettings

BURNS, UNREADABLE, NOTHING_FOUND = 1, 3, 4
_PATH = click.Path(path_type=Path, readable=False)


@click.command("report")
@click.option("--state", type=_PATH, metavar="DIR", help="State directory of an agent, running or not.")
@click.option("--prometheus", metavar="URL", help="A Prometheus, Thanos or Mimir that scrapes the agents.")
@click.option("--config", "-c", "config_file", type=_PATH, metavar="FILE", help="Its `slo` section names the source.")
@click.option("--format", "form", type=click.Choice([*FORMATS]), default=TEXT, show_default=True, metavar="NAME")
@click.option("--out", "-o", type=_PATH, metavar="FILE", help="Write the report there.")
@click.option("--per-target", is_flag=True, help="A row for each target; otherwise events are added up.")
@click.option("--slo", "slos", multiple=True, metavar="NAME", help="Only this objective. Repeatable.")
@click.option("--model", "models", multiple=True, metavar="GLOB", help="Only models that match. Repeatable.")
@click.option("--all", "everything", is_flag=True, help=f"All rows, not the worst {MOST_ROWS}: text, markdown.")
def command(**flags: Any) -> None:  # noqa: ANN401 - the flags above
    """Report what is left of each error budget, how fast it burns, and what to do, the worst first.

    Formats: text, json, markdown, html (one file with charts). Read is the --state directory, by
    default the one that `triton-watch run` uses, or a Prometheus.

    Exit code: 0 all well; 1 a budget burns or is exhausted; 2 usage; 3 the source cannot be read;
    4 nothing found. "No data" is no 1 by itself, and does not hide one.

    \b
    Example:
      triton-watch slo report
      triton-watch slo report --state /var/lib/triton-watch --format html --out budgets.html
      triton-watch slo report --prometheus http://prometheus:9090 --slo availability
    """
    from triton_watch.cli.reports.deliver import deliver

    report = _of_models(_read(flags), flags["models"])
    deliver(report, flags["form"], flags["out"], None if flags["everything"] else MOST_ROWS)
    if not report.rows:
        of = f" of a model that matches {' or '.join(flags['models'])}" if flags["models"] else ""
        click.echo(f"triton-watch: nothing found: {report.source} has no events{of}.", err=True)
    sys.exit(exit_code(report))


def exit_code(report: Report) -> int:
    """Return 4 when there is nothing to judge, 1 when a budget burns or is spent, or was when data ended, else 0."""
    from triton_watch.records import Verdict
    from triton_watch.wording.stories import is_spent

    if not report.rows:
        return NOTHING_FOUND
    unwell = (Verdict.BURNING, Verdict.EXHAUSTED)
    return BURNS if any(row.verdict in unwell or is_spent(row) or row.fires for row in report.rows) else 0


def _read(flags: dict[str, Any]) -> Report:
    """Read the report from the one source that the flags name; print why not and exit with 3 where that fails."""
    if flags["state"] is not None and flags["prometheus"] is not None:
        raise click.UsageError("--state and --prometheus are two sources: give one of them.")
    settings = None if flags["config_file"] is None else settings_from(flags["config_file"]).slo
    prometheus = _prometheus(flags, settings)
    if prometheus is not None:
        return _from_prometheus(prometheus, flags)
    return _from_state(_folder(flags["state"], settings), flags)


def _prometheus(flags: dict[str, Any], settings: SloSettings | None) -> PrometheusSettings | None:
    """Return the Prometheus to ask, None for the store. The file's credentials go to the file's URL only."""
    from triton_watch.config import ParseError
    from triton_watch.config.addresses import prometheus_url
    from triton_watch.config.overrides import query_timeouts
    from triton_watch.records import Credentials, PrometheusSettings, TlsSettings

    configured = None if settings is None else settings.prometheus
    if flags["prometheus"] is None:
        return configured if flags["state"] is None else None
    try:
        url = prometheus_url(flags["prometheus"])
    except ParseError as error:
        raise click.UsageError(f"--prometheus: {error}") from None
    if configured is not None and configured.url == url:
        return configured
    return PrometheusSettings(url, query_timeouts(), Credentials(), TlsSettings())


def _folder(given: Path | None, settings: SloSettings | None) -> Path:
    import os

    from triton_watch.config.state_dir import default_state_dir

    if given is not None:
        return given
    if settings is None:
        return default_state_dir(os.environ)
    if settings.state_dir is None:
        raise click.UsageError("--config says that events are kept in memory only: give --prometheus URL.")
    return settings.state_dir


def _from_state(folder: Path, flags: dict[str, Any]) -> Report:
    from triton_watch.cli.reports.sources import from_state
    from triton_watch.store.errors import StoreError

    choose = partial(_chosen, slos=flags["slos"], source=str(folder))
    try:
        return from_state(folder, time.time(), choose, per_target=flags["per_target"])
    except StoreError as error:
        click.echo(f"triton-watch: {error}", err=True)
        sys.exit(UNREADABLE)


def _from_prometheus(settings: PrometheusSettings, flags: dict[str, Any]) -> Report:
    from triton_watch.cli.reports.sources import from_prometheus, patience
    from triton_watch.store.prometheus import HistoryError
    from triton_watch.triton.errors import shown

    source = shown(settings.url)
    choose = partial(_chosen, slos=flags["slos"], source=source)
    courses = flags["form"] in WITH_COURSES
    try:
        with patience(f"asking {source}"):
            return from_prometheus(settings, choose, per_target=flags["per_target"], courses=courses)
    except HistoryError as error:
        click.echo(f"triton-watch: {error}", err=True)
        sys.exit(UNREADABLE)


def _chosen(objectives: Sequence[Objective], slos: Sequence[str], source: str) -> tuple[Objective, ...]:
    """Return the objectives that --slo names, or all; exit with 4 where one has no such name."""
    from triton_watch.wording.text import clip, listed

    names = [one.name for one in objectives]
    for name in slos:
        if name not in names:
            there = f"there is {listed(names)}" if names else "it has none"
            click.echo(f'triton-watch: no objective of {source} is called "{clip(name)}": {there}.', err=True)
            sys.exit(NOTHING_FOUND)
    return tuple(one for one in objectives if not slos or one.name in slos)


def _of_models(report: Report, models: tuple[str, ...]) -> Report:
    """Leave the rows of models that match one of the globs; without globs, all."""
    from triton_watch.records.objective import matches

    return replace(report, rows=tuple(row for row in report.rows if matches(models, row.model))) if models else report
