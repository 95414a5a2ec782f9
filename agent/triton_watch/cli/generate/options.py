"""The flags of `triton-watch generate`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from triton_watch.cli.default_file import DEFAULT_FILE
from triton_watch.generate.rules.options import AGENT_JOB, INTERVAL, TRITON_JOB, BurnBy, Source

Function = TypeVar("Function", bound=Callable[..., Any])

CONFIG = click.option(
    "--config",
    "-c",
    "config_file",
    type=click.Path(path_type=Path),
    help=f"Configuration file.  [default: ./{DEFAULT_FILE}, where there is one]",
)
TARGET = click.option(
    "--target",
    "-t",
    metavar="URL|NAME",
    help="A running Triton, by URL or its name in the configuration: limits of its models are used.",
)
CHECK = click.option("--check", is_flag=True, help="Change nothing: print how what is there differs.")
FILE = click.option("--out", "-o", default="-", metavar="FILE", help="Write it there.  [default: print]")
FOLDER = click.option("--out", "-o", metavar="DIR", help="Write the files there.")
SOURCE = click.option(
    "--source",
    type=click.Choice([one.value for one in Source]),
    default=Source.AGENT.value,
    show_default=True,
    help="What the agents export, or Triton's own metrics.",
)

SEVERITY = click.option(
    "--severity", "severities", multiple=True, metavar="NAME=NEW", help="Another name for it, such as page=critical."
)
PERIOD = click.option("--period", metavar="DURATION", help="Of all objectives, such as 7d.")

_RULES = (
    click.option("--external-url", metavar="URL", help="Where people reach the agent: for links."),
    click.option("--grafana-url", metavar="URL", help="Where the dashboards are: alerts link to them."),
    click.option("--job", default=AGENT_JOB, show_default=True, help="The job that scrapes the agents."),
    click.option("--triton-job", default=TRITON_JOB, show_default=True, help="The job that scrapes Triton."),
    click.option("--selector", "selectors", multiple=True, metavar="LABEL=VALUE", help="What all series must have."),
    click.option("--label", "labels", multiple=True, metavar="LABEL=VALUE", help="Added to every alert."),
    SEVERITY,
    PERIOD,
    click.option("--interval", metavar="DURATION", help=f"How often rules are recorded.  [default: {INTERVAL:g}s]"),
    click.option(
        "--burn-by",
        type=click.Choice([one.value for one in BurnBy]),
        default=BurnBy.TARGET.value,
        show_default=True,
        help="Budgets of a model on one server, or over all.",
    ),
)
_OBJECTS = (
    click.option("--namespace", help="Namespace of the objects.  [default: that of kubectl]"),
    click.option("--rule-label", "rule_labels", multiple=True, metavar="LABEL=VALUE", help="Of each PrometheusRule."),
)


def rule_flags(function: Function) -> Function:
    """Add the flags of rules."""
    return _with(_RULES, function)


def object_flags(function: Function) -> Function:
    """Add the flags of objects for Kubernetes."""
    return _with(_OBJECTS, function)


def _with(options: tuple[Callable[[Function], Function], ...], function: Function) -> Function:
    for option in reversed(options):
        function = option(function)
    return function
