"""The definitions as Prometheus rules: the same conditions over the agent's own metrics."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from triton_watch.alerting.definitions import ALERTS
from triton_watch.alerting.definitions.agent import WATCHDOG
from triton_watch.alerting.definitions.budgets import BUDGET_PAGE
from triton_watch.alerting.links import about_in_rules, dashboard_url, runbook_url
from triton_watch.alerting.marks import MarkedRule, told_apart
from triton_watch.alerting.promql import any_of, filled, inside, narrowed, number
from triton_watch.alerting.variants import left_out, variants
from triton_watch.config.units import format_duration
from triton_watch.records import Page

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from triton_watch.alerting.definition import AlertDefinition
    from triton_watch.alerting.variants import Variant
    from triton_watch.records import AlertSettings, BurnWindow, Objective

Rule = dict[str, Any]
POLL: Final = 15.0
"""Seconds that a poll counts as where polls are counted: the default interval."""


def alert_groups(
    settings: AlertSettings,
    objectives: Sequence[Objective],
    *,
    external_url: str,
    job: str = "triton-watch",
    poll: float = POLL,
    definitions: Sequence[AlertDefinition] = ALERTS,
) -> list[dict[str, Any]]:
    """Return the `groups` of a rule file: a group for each board, its rules in the order of the definitions.

    `external_url` is where people reach the agent, `job` the name of its scrape job, `poll` how often it polls where
    that is counted, seconds.
    """
    groups: dict[str, list[MarkedRule]] = {}
    for definition in definitions:
        if definition.name == WATCHDOG.name and not settings.watchdog:
            continue
        about = () if definition.condition is None else ("target", *definition.labels)
        for variant in variants(definition, settings):
            for one in _expressions(variant, objectives, job, poll):
                rule = alert_rule(
                    variant,
                    one.expr,
                    hold=one.hold,
                    labels=one.labels,
                    about=about,
                    settings=settings,
                    external_url=external_url,
                )
                marked = MarkedRule(rule, one.period, one.factor, variant.mark)
                groups.setdefault(definition.dashboard, []).append(marked)
    return [{"name": f"triton-watch-{name}", "rules": told_apart(rules)} for name, rules in groups.items()]


def left_out_of(settings: AlertSettings, definitions: Sequence[AlertDefinition] = ALERTS) -> tuple[str, ...]:
    """Return what of the overrides the rules do not say, a sentence each, for a comment."""
    return tuple(dict.fromkeys(sentence for definition in definitions for sentence in left_out(definition, settings)))


class _Expression(NamedTuple):
    """An expression, for how long it must hold, and labels that tell its rule from others of the same alert.

    `period` and `factor` are those of a burn window.
    """

    expr: str
    hold: float
    labels: Mapping[str, str] = MappingProxyType({})
    period: str = ""
    factor: str = ""


def _expressions(variant: Variant, objectives: Sequence[Objective], job: str, poll: float) -> Iterator[_Expression]:
    """Yield the expressions of a variant: for burning budgets one a tier."""
    definition = variant.definition
    values = {**patience(definition, poll), "job": inside(job)}
    if definition.name != BUDGET_PAGE.name:
        yield _Expression(narrowed(filled(definition.expr, values), variant.matchers), definition.hold)
        return
    for tier, of_tier in _tiers(definition, objectives):
        more = {
            "slo": inside(any_of(one.name for one in of_tier)),
            "long": format_duration(tier.long),
            "short": format_duration(tier.short),
            "factor": number(tier.factor),
        }
        hold = tier.hold if variant.hold is None else variant.hold
        expr = narrowed(filled(definition.expr, {**values, **more}), variant.matchers)
        periods = ", ".join(map(format_duration, sorted({one.period for one in of_tier})))
        yield _Expression(expr, hold, {"window": more["long"]}, periods, more["factor"])


def patience(definition: AlertDefinition, poll: float) -> dict[str, str]:
    """What `$failures`, `$span`, `$step` and `$threshold` of an expression are where a poll is so many seconds."""
    values = {
        "failures": str(definition.failures),
        "span": format_duration(poll * definition.window - 5),  # a range of n steps may hold n + 1 of them
        "step": format_duration(poll),
    }
    return values if definition.threshold is None else {**values, "threshold": number(definition.threshold)}


def _tiers(
    definition: AlertDefinition, objectives: Sequence[Objective]
) -> Iterator[tuple[BurnWindow, tuple[Objective, ...]]]:
    """Yield each burn window of the definition's kind, with the objectives that have it."""
    # An override may have changed the definition's severity, which is another thing than its windows'.
    severity = Page.PAGE if definition.condition is BUDGET_PAGE.condition else Page.TICKET
    tiers = dict.fromkeys(tier for one in objectives for tier in one.windows)
    for tier in tiers:
        if tier.severity is severity:
            yield tier, tuple(one for one in objectives if tier in one.windows)


def alert_rule(
    variant: Variant,
    expr: str,
    *,
    hold: float,
    labels: Mapping[str, str],
    about: Collection[str],
    settings: AlertSettings,
    external_url: str,
) -> Rule:
    """Return an alerting rule with the words of its definition, for an expression that must hold for `hold` seconds.

    `labels` are the rule's own; `about` are those of its alerts that a link to a board may name.
    """
    definition = variant.definition
    rule: Rule = {"alert": definition.name, "expr": expr}
    if hold > 0:
        rule["for"] = format_duration(hold)
    if definition.keep > 0:
        rule["keep_firing_for"] = format_duration(definition.keep)
    severity = settings.severity_label(definition.severity)
    board = dashboard_url(settings, external_url, definition.dashboard, about_in_rules(about))
    rule["labels"] = {**dict(variant.labels), **labels, "severity": severity}
    rule["annotations"] = {
        "summary": definition.summary,
        "description": f"{definition.description} {definition.advice}",
        "runbook_url": runbook_url(settings, external_url, definition.name),
        "dashboard_url": board,
    }
    return rule
