"""`triton-watch alerts test`: one alert sent to Alertmanagers, to see it arrive."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from triton_watch.cli.default_file import DEFAULT_FILE, default_file
from triton_watch.cli.targets import settings_from
from triton_watch.cli.terminal_bar import progress_bar

if TYPE_CHECKING:
    from concurrent.futures import Future

    from rich.text import Text

    from triton_watch.alerting.manager.trial import Trial
    from triton_watch.records import AlertSettings

NOT_ARRIVED, UNREACHABLE = 1, 3
_QUIET: Final = 2.0
"""Seconds after which a bar shows that something goes on."""
_SHORTEST, _LONGEST = 1.0, 600.0


@click.command("test", short_help="Send one alert to Alertmanagers and see it arrive.")
@click.option("--alertmanager", "urls", multiple=True, metavar="URL", help="Such as http://localhost:9093.")
@click.option(
    "--config",
    "-c",
    "config_file",
    type=click.Path(path_type=Path),
    help=f"File: its alertmanagers and labels.  [default: ./{DEFAULT_FILE}, where there is one]",
)
@click.option("--wait", "patience", default="10s", show_default=True, help="For how long to look for the alert.")
@click.option("--keep", is_flag=True, help="Let it fire; it ends by itself in 5 minutes.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(urls: tuple[str, ...], config_file: Path | None, patience: str, keep: bool, as_json: bool) -> None:
    """Send the alert TritonWatchTest (severity info) to Alertmanagers, see it arrive, resolve it.

    Says to which receivers each routed it, and how long it took. Credentials and TLS are taken from
    the configuration file.

    \b
    Exit codes: 0 arrived everywhere, 1 not, or silenced or inhibited there, 2 usage, 3 unreachable.

    \b
    Example:
      triton-watch alerts test --alertmanager http://localhost:9093
      triton-watch alerts test --config triton-watch.yaml --json
    """
    settings = _settings(urls, config_file)
    trials = _tried(settings, _seconds(patience), keep=keep, quiet=as_json)
    _show(trials, as_json=as_json)
    if any(trial.is_unreachable for trial in trials):
        sys.exit(UNREACHABLE)
    sys.exit(0 if all(trial.arrived and not trial.suppressed for trial in trials) else NOT_ARRIVED)


def _settings(urls: tuple[str, ...], config_file: Path | None) -> AlertSettings:
    from triton_watch.config import ParseError
    from triton_watch.config.addresses import alertmanager_url
    from triton_watch.records import Alertmanager, AlertSettings

    if urls and config_file is not None:
        raise click.UsageError("--config says it all: leave out --alertmanager, and write it into the file.")
    if config_file is None and not urls:
        config_file = default_file()
    if config_file is not None:
        found = settings_from(config_file).alerts
        if not found.alertmanagers:
            raise click.UsageError(f"{config_file} has no alertmanagers under alerts: add one, or use --alertmanager.")
        return found
    if not urls:
        raise click.UsageError("which one? Give --alertmanager http://HOST:9093, or --config FILE.")
    try:
        peers = dict.fromkeys(alertmanager_url(url) for url in urls)
    except ParseError as error:
        raise click.UsageError(f"--alertmanager: {error}") from None
    return AlertSettings(alertmanagers=tuple(Alertmanager(url) for url in peers))


def _seconds(text: str) -> float:
    from triton_watch.config import ParseError, parse_duration

    try:
        seconds = parse_duration(text)
    except ParseError as error:
        raise click.UsageError(f"--wait: {error}") from None
    if not _SHORTEST <= seconds <= _LONGEST:
        raise click.UsageError("--wait: give 1s to 10m.")
    return seconds


def _tried(settings: AlertSettings, patience: float, *, keep: bool, quiet: bool) -> list[Trial]:
    """Try all peers at the same time."""
    from triton_watch.alerting.manager.trial import Trier

    trier = Trier(settings, wait=patience, keep=keep, clock=time.monotonic, now=time.time, sleep=time.sleep)
    with ThreadPoolExecutor(len(settings.alertmanagers)) as pool:
        futures = [pool.submit(trier.tried, peer) for peer in settings.alertmanagers]
        if wait(futures, timeout=_QUIET).not_done:
            _watch(futures, quiet=quiet)
        return [future.result() for future in futures]


def _watch(futures: list[Future[Trial]], *, quiet: bool) -> None:
    with progress_bar(quiet=quiet) as progress:
        task = progress.add_task("waiting for the alert to arrive", total=len(futures))
        while wait(futures, timeout=0.2).not_done:
            progress.update(task, completed=sum(future.done() for future in futures))


def _show(trials: list[Trial], *, as_json: bool) -> None:
    if as_json:
        import json

        click.echo(json.dumps(as_data(trials), indent=2, ensure_ascii=False))
        return
    from triton_watch.cli.terminal import Terminal

    Terminal().print(*(_line(trial) for trial in trials))


def _line(trial: Trial) -> Text:
    from rich.text import Text

    if trial.seconds is None:
        return Text.assemble((f"{trial.url}: ", "bold"), ("not arrived", "bold red"), f". {trial.error}")
    receivers = ", ".join(trial.receivers) or "nobody"
    word = ("arrived", "bold red" if trial.suppressed else "green")
    end = "; resolved again." if trial.resolved else "; it goes on firing." if not trial.error else "."
    line = Text.assemble((f"{trial.url}: ", "bold"), word, f" in {trial.seconds:.2f} s, routed to {receivers}{end}")
    return line.append(f" {trial.error}") if trial.error else line


def as_data(trials: list[Trial]) -> dict[str, Any]:
    """Return what was found as JSON data; field names are a contract. Times are seconds."""
    return {
        "version": 1,
        "arrived": all(trial.arrived for trial in trials),
        "suppressed": any(trial.suppressed for trial in trials),
        "alertmanagers": [
            {
                "url": trial.url,
                "arrived": trial.arrived,
                "suppressed": trial.suppressed,
                "seconds": trial.seconds,
                "receivers": list(trial.receivers),
                "silenced_by": list(trial.silenced_by),
                "inhibited_by": list(trial.inhibited_by),
                "resolved": trial.resolved,
                "reachable": not trial.is_unreachable,
                "error": trial.error,
            }
            for trial in trials
        ],
    }
