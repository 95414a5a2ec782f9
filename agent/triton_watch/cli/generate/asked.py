"""What is generated from: the configuration, the flags that go over it, and a running server's models."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from triton_watch.cli.config import DEFAULT_FILE
from triton_watch.cli.generate import parsing

if TYPE_CHECKING:
    from triton_watch.generate.kubernetes import ObjectOptions
    from triton_watch.generate.rules.options import RuleOptions
    from triton_watch.records import ModelConfig, Settings, Target

INVALID, UNREADABLE = 2, 3
_ANY_TARGET = "http://localhost:8000"
"""Where there is no configuration: what is generated depends on no target."""

_PERIOD_OF_AGENTS: Final = (
    "triton-watch: --period: alerts on budgets of one server are over what its agent exports: "
    "give the agents the same period (slo.objectives), or say --burn-by model."
)


def settings_of(config_file: Path | None) -> Settings:
    """Load the configuration, or the defaults; print what is wrong and exit with 2, or 3 if it cannot be read."""
    from triton_watch.config import ConfigError, ConfigUnreadableError, from_flags, load

    if config_file is None and Path(DEFAULT_FILE).exists():
        config_file = Path(DEFAULT_FILE)
    try:
        return from_flags([_ANY_TARGET]) if config_file is None else load(config_file)
    except ConfigError as error:
        for line in str(error).splitlines():
            click.echo(f"triton-watch: {line}", err=True)
        sys.exit(UNREADABLE if isinstance(error, ConfigUnreadableError) else INVALID)


def live_models(settings: Settings, target: str | None) -> tuple[ModelConfig, ...]:
    """Return the configurations of the models that are ready on the server, by name and in order; () without one.

    Exits with 3 when nothing there answers as Triton does.
    """
    if target is None:
        return ()
    from triton_watch.records import ModelStatus
    from triton_watch.triton.client import TritonClient
    from triton_watch.triton.errors import TritonError

    server = _target(settings, target)
    try:
        with TritonClient(server) as client:
            index = client.repository_index()
            names = sorted({state.key.name for state in index if state.status is ModelStatus.READY})
            return tuple(client.model_config(name) for name in names)
    except TritonError as error:
        fail(f"{server.http_url}: {error}.")


def _target(settings: Settings, text: str) -> Target:
    """A target of the configuration by name or URL, with its credentials; else a URL as it is."""
    from triton_watch.config import ConfigError, from_flags

    for one in settings.targets:
        if text in (one.name, one.http_url) or text.rstrip("/") == one.http_url:
            return one
    try:
        return from_flags([text]).targets[0]
    except ConfigError as error:
        raise click.UsageError(str(error)) from None


def adjusted(settings: Settings, flags: dict[str, Any]) -> Settings:
    """Put --severity, --grafana-url and --period over the settings."""
    from triton_watch.generate.rules.adjusted import with_grafana, with_period, with_severities

    severities, period = parsing.renamed(flags["severities"]), parsing.period(flags["period"])
    grafana = parsing.public(flags["grafana_url"], "--grafana-url")
    if severities:
        settings = with_severities(settings, severities)
    if grafana:
        settings = with_grafana(settings, grafana)
    if period is None:
        return settings
    if flags["burn_by"] == "target":
        click.echo(_PERIOD_OF_AGENTS, err=True)
    return with_period(settings, period)


def rule_options(flags: dict[str, Any], models: tuple[ModelConfig, ...]) -> RuleOptions:
    """Return what the flags of rules say."""
    from triton_watch.generate.rules.options import INTERVAL, BurnBy, RuleOptions

    return RuleOptions(
        external_url=parsing.public(flags["external_url"], "--external-url"),
        agent_job=parsing.job(flags["job"], "--job"),
        triton_job=parsing.job(flags["triton_job"], "--triton-job"),
        selectors=parsing.selectors(flags["selectors"]),
        labels=parsing.added_labels(flags["labels"]),
        interval=parsing.interval(flags["interval"], INTERVAL),
        burn_by=BurnBy(flags["burn_by"]),
        models=models,
    )


def object_options(flags: dict[str, Any]) -> ObjectOptions:
    """Return what the flags of objects say."""
    from triton_watch.generate.kubernetes import ObjectOptions

    return ObjectOptions(parsing.namespace(flags["namespace"]), parsing.object_labels(flags["rule_labels"]))


def fail(sentence: str) -> NoReturn:
    """Print why nothing came of it and exit with 3."""
    click.echo(f"triton-watch: {sentence}", err=True)
    sys.exit(UNREADABLE)
