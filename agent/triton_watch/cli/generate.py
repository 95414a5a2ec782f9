"""`triton-watch generate`: files for Prometheus and Alertmanager."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from triton_watch.cli.config import DEFAULT_FILE

if TYPE_CHECKING:
    from triton_watch.records import Settings

_STALE, _INVALID, _UNREADABLE = 1, 2, 3
_ANY_TARGET = "http://localhost:8000"
"""Where there is no configuration: what is generated depends on no target."""

Function = TypeVar("Function", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--config",
        "-c",
        "config_file",
        type=click.Path(path_type=Path),
        help=f"Configuration file.  [default: ./{DEFAULT_FILE}, where there is one]",
    ),
    click.option("--out", "-o", default="-", metavar="FILE", help="Write it there.  [default: print]"),
    click.option("--check", is_flag=True, help="Change nothing: print how the file of --out differs."),
)


def output_options(function: Function) -> Function:
    """Add the flags that every generated file has."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.group()
def command() -> None:
    """Generate what Prometheus and Alertmanager need to tell people of these alerts.

    \b
    Example:
      triton-watch generate alertmanager --out alertmanager.yaml
    """


@command.command(short_help="A configuration of Alertmanager: routes and inhibition.")
@output_options
def alertmanager(config_file: Path | None, out: str, *, check: bool) -> None:
    """Generate a configuration of Alertmanager: who is told of which alert, and which keep others back.

    The receivers are to be filled in. Severities and external labels are those of the configuration.

    \b
    Exit code: 0 written, or the same; 1 --check found a difference; 2 usage, or the configuration is
    not valid; 3 a file cannot be read or written.

    \b
    Example:
      triton-watch generate alertmanager
      triton-watch generate alertmanager --out alertmanager.yaml --check
    """
    settings = _settings(config_file)
    from triton_watch.generate.alerts import alertmanager_yaml

    _deliver(alertmanager_yaml(settings), out, check=check)


@command.command(short_help="Prometheus rules: the same alerts, evaluated by Prometheus.")
@output_options
@click.option("--external-url", metavar="URL", help="Where people reach the agent: for links in alerts.")
@click.option("--job", default="triton-watch", show_default=True, help="The job that scrapes the agents.")
def rules(config_file: Path | None, out: str, external_url: str | None, job: str, *, check: bool) -> None:
    """Generate alerting rules for a Prometheus that scrapes the agents.

    They are the agent's own alerts with the thresholds, times and objectives of the configuration. Set
    `alerts: {mode: prometheus}` there, or people are told by both.

    \b
    Exit code: 0 written, or the same; 1 --check found a difference; 2 usage, or the configuration is
    not valid; 3 a file cannot be read or written.

    \b
    Example:
      triton-watch generate rules --out rules/triton-watch.yaml
      triton-watch generate rules --out rules/triton-watch.yaml --check
    """
    if not job.strip():
        raise click.UsageError("--job: is empty: give the name of the job that scrapes the agents.")
    url = "" if external_url is None else _public(external_url)
    settings = _settings(config_file)
    from triton_watch.generate.alerts import rules_yaml

    _deliver(rules_yaml(settings, external_url=url, job=job), out, check=check)


def _public(url: str) -> str:
    from triton_watch.config import ParseError
    from triton_watch.config.addresses import public_url

    try:
        return public_url(url)
    except ParseError as error:
        raise click.UsageError(f"--external-url: {error}") from None


def _settings(config_file: Path | None) -> Settings:
    """Load the configuration, or the defaults; print what is wrong and exit with 2, or 3 if it cannot be read."""
    from triton_watch.config import ConfigError, ConfigUnreadableError, from_flags, load

    if config_file is None and Path(DEFAULT_FILE).exists():
        config_file = Path(DEFAULT_FILE)
    try:
        return from_flags([_ANY_TARGET]) if config_file is None else load(config_file)
    except ConfigError as error:
        for line in str(error).splitlines():
            click.echo(f"triton-watch: {line}", err=True)
        sys.exit(_UNREADABLE if isinstance(error, ConfigUnreadableError) else _INVALID)


def _deliver(text: str, out: str, *, check: bool) -> None:
    """Print the text, write it, or say how the file differs. Exits with 1 when it does, 3 when it cannot be used."""
    from triton_watch.generate.write import difference, write

    if out == "-":
        if check:
            raise click.UsageError("--check compares a file: which one? Give --out FILE.")
        click.echo(text, nl=False)
        return
    path = Path(out)
    try:
        if not check:
            click.echo(f"wrote {out}" if write(path, text) else f"{out} is as it should be")
            return
        differs = difference(path, text)
    except OSError as error:
        _fail(f"{out} cannot be used ({error.strerror}): choose another --out.")
    except UnicodeDecodeError:
        _fail(f"{out} is no text: choose another --out.")
    if differs:
        click.echo(differs, nl=False)
        click.echo(f"triton-watch: {out} is out of date: run the command again without --check.", err=True)
        sys.exit(_STALE)


def _fail(sentence: str) -> NoReturn:
    click.echo(f"triton-watch: {sentence}", err=True)
    sys.exit(_UNREADABLE)
