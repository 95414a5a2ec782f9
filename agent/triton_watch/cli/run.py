"""`triton-watch run`: the daemon."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from triton_watch.cli.default_file import DEFAULT_FILE, default_file, working_directory
from triton_watch.cli.targets import settings_from, target_options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from triton_watch.records import Settings


@click.command("run")
@click.option("--config", "-c", "config_file", type=click.Path(path_type=Path), help="Configuration file.")
@target_options
@click.option("--expect-model", "expected_models", multiple=True, help="A model that must be there. Repeatable.")
@click.option("--interval", help="Time between two polls, such as 15s.  [default: 15s]")
@click.option("--listen", help="host:port of the agent's own HTTP.  [default: 127.0.0.1:8003]")
@click.option("--web-config", metavar="FILE", help="TLS and passwords, in Prometheus's format.")
@click.option("--state", metavar="DIR", help="Where budgets are kept; none = in memory.  [default: per user]")
@click.option("--history", metavar="prometheus=URL", help="Read budgets from a Prometheus instead.")
@click.option("--no-canary", is_flag=True, help="Send no inferences.")
@click.option("--goldens", metavar="DIR", help="Recorded answers to canaries.")
@click.option("--alertmanager", "alertmanagers", multiple=True, metavar="URL", help="Told of alerts. Repeatable.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="[default: info]")
@click.option("--log-format", type=click.Choice(["text", "json"]), help="[default: text]")
def command(config_file: Path | None, **flags: Any) -> None:  # noqa: ANN401 - click's; config checks them
    """Watch Triton servers until SIGTERM; serve /metrics, /-/healthy, /-/ready and /-/serving.

    /-/serving is 200 while Triton's canaries, real inferences, pass. Give --target once for each server.
    SIGHUP, or a change of the file, loads the configuration again; the flags from --state on go over it.
    Without --config and --target, triton-watch.yaml in the working directory is read.

    \b
    Example:
      triton-watch run --target http://localhost:8000
      triton-watch run --config /etc/triton-watch/triton-watch.yaml
    """
    from triton_watch.cli.live_audit import audit_apart
    from triton_watch.config import ConfigError
    from triton_watch.daemon.heap import bound

    bound()
    from triton_watch.daemon.reload import ConfigWatcher
    from triton_watch.daemon.service import Service
    from triton_watch.daemon.web import WebError
    from triton_watch.store.errors import StoreBusyError

    if config_file is None and not flags["targets"]:
        config_file = default_file()
        if config_file is None:
            where = f"or put {DEFAULT_FILE} into {working_directory()}"
            raise click.UsageError(f"nothing to watch: give --target URL, --config FILE, {where}.")
    canary = {"enabled": False if flags.pop("no_canary") else None, "goldens": flags.pop("goldens")}
    more = partial(_with_more, canary, flags.pop("alertmanagers"), flags.pop("web_config"))
    if config_file is None:
        settings = _or_exit(more, settings_from(None, **flags))
        watcher = None
    else:
        over = {name: flags.pop(name) for name in ("log_level", "log_format", "state", "history")}
        adjust = partial(_with_flags, over, more)
        settings = _or_exit(adjust, settings_from(config_file, **flags))
        watcher = ConfigWatcher(config_file, settings, adjust=adjust)
    try:
        service = Service(settings, watcher=watcher, audit=audit_apart)
    except (WebError, StoreBusyError, ConfigError) as error:
        click.echo(f"triton-watch: {error}", err=True)
        sys.exit(3)
    sys.exit(service.run())


def _or_exit(adjust: Callable[[Settings], Settings], settings: Settings) -> Settings:
    from triton_watch.config import ConfigError

    try:
        return adjust(settings)
    except ConfigError as error:
        click.echo(f"triton-watch: {error}", err=True)
        sys.exit(2)


def _with_more(
    canary: Mapping[str, Any], alertmanagers: Sequence[str], web_config: str | None, settings: Settings
) -> Settings:
    """Put the flags of canaries, alerts and the web configuration over the settings. Raises `ConfigError`."""
    from triton_watch.config import with_alert_flags, with_canary_flags, with_web_flags

    with_canaries = with_canary_flags(settings, **canary)
    return with_web_flags(with_alert_flags(with_canaries, alertmanagers), web_config)


def _with_flags(over: Mapping[str, str | None], more: Callable[[Settings], Settings], settings: Settings) -> Settings:
    """Put the flags that go with a file over what the file says. Raises `ConfigError`."""
    from triton_watch.config.overrides import with_slo_flags

    log = settings.log
    log = replace(log, level=over["log_level"] or log.level, format=over["log_format"] or log.format)
    settings = with_slo_flags(replace(settings, log=log), over["state"], over["history"])
    return more(settings)
