"""The other alerts that Triton's own metrics can tell: the agent's words, severity and patience, other expressions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from triton_watch.alerting.definitions import by_name
from triton_watch.alerting.inhibition import BURN
from triton_watch.alerting.marks import MarkedRule, told_apart
from triton_watch.alerting.promql import any_of, filled, inside
from triton_watch.alerting.rules import POLL, patience
from triton_watch.alerting.variants import left_out, variants
from triton_watch.conventions.alerts import ALERT_NAMES, WATCHDOG
from triton_watch.generate.rules.adjusted import without_targets
from triton_watch.generate.rules.triton_parts import (
    alert,
    group,
    labels_by,
    matchers,
    not_ensembles,
    of_target,
    overrides_left_out,
)
from triton_watch.generate.rules.triton_table import ALWAYS, LIVE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from triton_watch.alerting.definition import AlertDefinition
    from triton_watch.alerting.variants import Variant
    from triton_watch.generate.rules.options import RuleOptions
    from triton_watch.generate.rules.triton_parts import Group
    from triton_watch.generate.rules.triton_table import Told
    from triton_watch.records import Settings


def alerts_group(settings: Settings, options: RuleOptions) -> Group:
    """Return the group `triton-alerts`."""
    rules = (rule for one in _definitions(options) for rule in _rules(one, settings, options))
    return group("triton-alerts", options.interval, told_apart(rules))


def left_out_of_alerts(settings: Settings, options: RuleOptions) -> tuple[str, ...]:
    """Return what of the overrides the rules do not say, a sentence each, for a comment."""
    alerts = without_targets(settings.alerts)
    every = [*_definitions(options), *by_name(BURN)]
    sentences = [*overrides_left_out(settings.alerts), *(one for each in every for one in left_out(each, alerts))]
    return tuple(dict.fromkeys(sentences))


def untold(options: RuleOptions) -> tuple[str, ...]:
    """The names of the alerts that Triton's own metrics cannot tell."""
    known = {*_table(options), BURN}  # the latter is told elsewhere: see `triton_burn`
    return tuple(name for name in ALERT_NAMES if name not in known)


def _table(options: RuleOptions) -> Mapping[str, Told]:
    return ALWAYS if options.models is None else {**ALWAYS, **LIVE}


def _definitions(options: RuleOptions) -> Iterator[AlertDefinition]:
    """The definitions as these rules tell them. They are about a model where a model's series are looked at."""
    table = _table(options)
    for name in ALERT_NAMES:
        for definition in by_name(name) if name in table else ():
            told = table[name]
            is_of_model = "$models" in told.expr or "$own" in told.expr
            counts = "$failures" in told.expr
            yield replace(
                definition,
                expr=told.expr,
                hold=definition.hold if told.hold is None else told.hold,
                description=definition.description if told.description is None else told.description,
                labels=tuple(one for one in definition.labels if is_of_model or one not in ("model", "version")),
                failures=definition.failures if counts else 1,
                window=definition.window if counts else 1,
            )


def _rules(definition: AlertDefinition, settings: Settings, options: RuleOptions) -> Iterator[MarkedRule]:
    if definition.name == WATCHDOG and not settings.alerts.watchdog:
        return
    for variant in variants(definition, without_targets(settings.alerts)):
        told = variant.definition
        rule = alert(
            variant,
            filled(told.expr, _values(variant, options)),
            settings=settings.alerts,
            options=options,
            hold=told.hold,
            labels={} if definition.name == WATCHDOG else of_target({}),
        )
        yield MarkedRule(rule, override=variant.mark)


def _values(variant: Variant, options: RuleOptions) -> dict[str, str]:
    batchers = sorted({one.name for one in options.models or () if one.dynamic_batching})
    return {
        **patience(variant.definition, POLL),
        "server": matchers(options),
        "models": matchers(options, variant.matchers),
        "own": matchers(options, (*variant.matchers, *not_ensembles(options))),
        "by": ", ".join(labels_by(options, "instance", "model", "version")),
        "batchers": inside(any_of(batchers)),
    }
