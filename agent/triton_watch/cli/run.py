"""`triton-watch run`: the daemon."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from triton_watch.cli.targets import settings_from, target_options

if TYPE_CHECKING:
    from triton_watch.records import Settings

DEFAULT_FILE = "triton-watch.yaml"


@click.command("run")
@click.option("--config", "-c", "config_file", type=click.Path(path_type=Path), help="Configuration file.")
@target_options
@click.option("--expect-model", "expected_models", multiple=True, help="A model that must be there. Repeatable.")
@click.option("--interval", help="Time between two polls, such as 15s.  [default: 15s]")
@click.option("--listen", help="host:port of the agent's own HTTP.  [default: 127.0.0.1:8003]")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="[default: info]")
@click.option("--log-format", type=click.Choice(["text", "json"]), help="[default: text]")
def command(config_file: Path | None, **flags: Any) -> None:  # noqa: ANN401 - click's; config checks them
    """Watch Triton servers until SIGTERM; serve /metrics, /-/healthy and /-/ready.

    Give --target once for each server. SIGHUP, or a change of the file, loads the configuration
    again; --log-level and --log-format go over it. Without --config and --target, triton-watch.yaml
    in the working directory is read.

    \b
    Example:
      triton-watch run --target http://localhost:8000
      triton-watch run --config /etc/triton-watch/triton-watch.yaml
    """
    from triton_watch.daemon.heap import bound

    bound()
    from triton_watch.daemon.reload import ConfigWatcher
    from triton_watch.daemon.service import Service
    from triton_watch.daemon.web import WebError

    if config_file is None and not flags["targets"]:
        config_file = Path(DEFAULT_FILE)
        if not config_file.exists():
            raise click.UsageError(f"nothing to watch: give --target URL, --config FILE, or put {DEFAULT_FILE} here.")
    if config_file is None:
        settings, watcher = settings_from(None, **flags), None
    else:
        over = {name: flags.pop(name) for name in ("log_level", "log_format")}
        adjust = partial(_with_log, level=over["log_level"], format=over["log_format"])
        settings = adjust(settings_from(config_file, **flags))
        watcher = ConfigWatcher(config_file, settings, adjust=adjust)
    try:
        service = Service(settings, watcher=watcher)
    except WebError as error:
        click.echo(f"triton-watch: {error}", err=True)
        sys.exit(3)
    sys.exit(service.run())


def _with_log(settings: Settings, level: str | None, format: str | None) -> Settings:  # noqa: A002 - the record's name
    """Put the two logging flags over what the file says."""
    log = settings.log
    return replace(settings, log=replace(log, level=level or log.level, format=format or log.format))
