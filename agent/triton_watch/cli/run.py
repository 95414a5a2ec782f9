"""`triton-watch run`: the daemon."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from triton_watch.cli.targets import settings_from, target_options

DEFAULT_FILE = "triton-watch.yaml"


@click.command("run")
@click.option("--config", "-c", "config_file", type=click.Path(path_type=Path), help="Configuration file.")
@target_options
@click.option("--expect-model", "expected_models", multiple=True, help="A model that must be there. Repeatable.")
@click.option("--interval", help="Time between two polls, such as 15s.  [default: 15s]")
@click.option("--listen", help="host:port of the agent's own HTTP.  [default: 127.0.0.1:8003]")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="[default: info]")
@click.option("--log-format", type=click.Choice(["text", "json"]), help="[default: text]")
def command(config_file: Path | None, **flags: object) -> None:
    """Watch Triton servers until SIGTERM; serve /metrics, /-/healthy and /-/ready.

    Give --target once for each server. SIGHUP, or a change of the file, loads the configuration
    again. Without --config and --target, triton-watch.yaml in the working directory is read.

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
    settings = settings_from(config_file, **flags)
    watcher = ConfigWatcher(config_file, settings) if config_file is not None else None
    try:
        service = Service(settings, watcher=watcher)
    except WebError as error:
        click.echo(f"triton-watch: {error}", err=True)
        sys.exit(3)
    sys.exit(service.run())
