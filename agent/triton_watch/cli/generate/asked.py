"""What is generated from: the configuration, and the flags that go over it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from triton_watch.cli.default_file import default_file
from triton_watch.cli.generate import parsing
from triton_watch.cli.generate.ending import INVALID, UNREADABLE, warn
from triton_watch.generate.rules.options import INTERVAL, BurnBy, RuleOptions, Source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from triton_watch.generate.kubernetes import ObjectOptions
    from triton_watch.records import ModelConfig, Settings

_ANY_TARGET: Final = "http://localhost:8000"
"""Where there is no configuration: what is generated depends on no target."""


def settings_of(config_file: Path | None, flags: Mapping[str, Any]) -> Settings:
    """Return the configuration, or the defaults, with --severity, --period and --grafana-url put over it.

    `flags` are those that the command has, by name. Prints what is wrong and exits with 2, or 3 if the file cannot be
    read.
    """
    from triton_watch.generate.rules.adjusted import with_grafana, with_period, with_severities

    settings = _loaded(config_file)
    renamed, period = parsing.renamed(flags.get("severities", ())), parsing.period(flags.get("period"))
    grafana = parsing.public(flags.get("grafana_url"), "--grafana-url")
    if renamed:
        settings = with_severities(settings, renamed)
    if grafana:
        settings = with_grafana(settings, grafana)
    return settings if period is None else with_period(settings, period)


def _loaded(config_file: Path | None) -> Settings:
    from triton_watch.config import ConfigError, ConfigUnreadableError, from_flags, load

    config_file = config_file or default_file()
    try:
        return from_flags([_ANY_TARGET]) if config_file is None else load(config_file)
    except ConfigError as error:
        for line in str(error).splitlines():
            warn(line)
        sys.exit(UNREADABLE if isinstance(error, ConfigUnreadableError) else INVALID)


def rule_options(flags: Mapping[str, Any], models: tuple[ModelConfig, ...] | None) -> RuleOptions:
    """Return what the flags of rules say."""
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


def object_options(flags: Mapping[str, Any]) -> ObjectOptions:
    """Return what the flags of objects say."""
    from triton_watch.generate.kubernetes import ObjectOptions

    return ObjectOptions(parsing.namespace(flags["namespace"]), parsing.object_labels(flags["rule_labels"]))


def mind(source: Source, settings: Settings, options: RuleOptions, flags: Mapping[str, Any]) -> None:
    """Print on stderr what of the configuration the rules do not say, and what else they need."""
    from triton_watch.generate.rules.left_out import left_out

    for sentence in left_out(source, settings, options):
        warn(sentence)
    if flags["period"] is not None and source is Source.AGENT and options.burn_by is BurnBy.TARGET:
        warn(
            "--period: alerts on budgets of one server are over what its agent exports: give the agents the same "
            "period (slo.objectives), or say --burn-by model."
        )
