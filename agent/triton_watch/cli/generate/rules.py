"""`triton-watch generate rules`: recording and alerting rules for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from triton_watch.cli.generate import options
from triton_watch.cli.generate.asked import mind, rule_options, settings_of
from triton_watch.cli.generate.deliver import deliver
from triton_watch.cli.generate.live import live_models
from triton_watch.generate.rules.options import Source

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="Prometheus rules: indicators, objectives and alerts.")
@options.CONFIG
@options.TARGET
@options.FILE
@options.CHECK
@options.SOURCE
@options.rule_flags
def rules(config_file: Path | None, target: str | None, out: str, source: str, *, check: bool, **flags: Any) -> None:  # noqa: ANN401 - flags of click
    """Generate rules for a Prometheus: what to record of objectives, and the alerts.

    The thresholds, times and objectives are the configuration's. Set `alerts: {mode: prometheus}` there, or people
    are told by both.

    \b
    Exit code: 0 written, or the same; 1 --check found a difference; 2 usage, or the configuration is
    not valid; 3 a file or the server cannot be read, or a file not written.

    \b
    Example:
      triton-watch generate rules --out rules/triton-watch.yaml
      triton-watch generate rules --source triton --target http://localhost:8000
      triton-watch generate rules --severity page=critical --selector cluster=eu --period 7d
    """
    settings = settings_of(config_file, flags)
    chosen = rule_options(flags, live_models(settings, target))
    mind(Source(source), settings, chosen, flags)
    from triton_watch.generate.rules.agent import agent_yaml
    from triton_watch.generate.rules.triton import triton_yaml

    make = agent_yaml if Source(source) is Source.AGENT else triton_yaml
    deliver(make(settings, chosen), out, check=check)
