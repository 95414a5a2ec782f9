"""TritonErrorBudgetBurn over events recorded from Triton's own metrics: several windows, several burn rates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.alerting.definitions.budgets import BUDGET_PAGE, BUDGET_TICKET
from triton_watch.alerting.marks import MarkedRule
from triton_watch.alerting.promql import number
from triton_watch.alerting.variants import variants
from triton_watch.config.units import format_duration
from triton_watch.conventions import recorded
from triton_watch.generate.rules.adjusted import without_targets
from triton_watch.generate.rules.options import BurnBy
from triton_watch.generate.rules.triton_events import parts
from triton_watch.generate.rules.triton_parts import alert, labels_by, matchers, of_target
from triton_watch.records import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.alerting.definition import AlertDefinition
    from triton_watch.alerting.variants import Variant
    from triton_watch.generate.rules.options import RuleOptions
    from triton_watch.generate.rules.triton_events import Part
    from triton_watch.records import AlertSettings, BurnWindow, Objective

_DEFINITIONS: Final = {Page.PAGE: BUDGET_PAGE, Page.TICKET: BUDGET_TICKET}
_ON_TARGET: Final = " on {{ $labels.target }}"
_WINDOW: Final = "{{ $labels.window }}"
"""A label of the rule, which the words of an alert do not know: they know those of its series alone."""


def burn_alerts(objective: Objective, settings: AlertSettings, options: RuleOptions) -> Iterator[MarkedRule]:
    """Yield the alerts of an objective, one for each of its burn windows; more where overrides differ by model."""
    told = without_targets(settings)
    for tier in objective.windows:
        for variant in variants(_worded(tier, options), told):
            labels = {"slo": objective.name, "window": format_duration(tier.long)}
            rule = alert(
                variant,
                _expr(objective, tier, variant, options),
                settings=settings,
                options=options,
                hold=tier.hold if variant.hold is None else variant.hold,
                labels=of_target(labels) if options.burn_by is BurnBy.TARGET else labels,
            )
            yield MarkedRule(rule, factor=number(tier.factor), override=variant.mark)


def _worded(tier: BurnWindow, options: RuleOptions) -> AlertDefinition:
    """The definition with its window, and without the words on the server where the alert is about all of them."""
    definition = _DEFINITIONS[tier.severity]
    told = definition.description.replace(_WINDOW, format_duration(tier.long))
    if options.burn_by is BurnBy.TARGET:
        return replace(definition, description=told)
    summary, description = (text.replace(_ON_TARGET, "") for text in (definition.summary, told))
    return replace(definition, summary=summary, description=description)


def _expr(objective: Objective, tier: BurnWindow, variant: Variant, options: RuleOptions) -> str:
    every = [_burns(objective, part, tier, variant, options) for part in parts(objective)]
    return every[0] if len(every) == 1 else " or ".join(f"({one})" for one in every)


def _burns(objective: Objective, part: Part, tier: BurnWindow, variant: Variant, options: RuleOptions) -> str:
    """Both windows burn, and there were enough events in the long one. The value is the burn rate of the long one."""
    where = f'{matchers(options, (*part.models, *variant.matchers))}, slo="{objective.name}"'
    windows = [format_duration(one) for one in (tier.long, tier.short)]
    long, short = (recorded.SLO_WINDOW_EVENTS.over(one).name for one in windows)
    factor, enough = number(tier.factor), f">= {part.goal.min_events}"
    if options.burn_by is BurnBy.TARGET:
        burning = [f"{recorded.SLO_BURN_RATE.over(one).name}{{{where}}} > {factor}" for one in windows]
        return f"{' and '.join(burning)} and sum without (result) ({long}{{{where}}}) {enough}"
    total = f"sum by ({', '.join(labels_by(options, 'model', 'slo'))})"
    above = f"/ {number(1 - part.goal.objective)} > {factor}"
    rates = [
        f'{total} ({name}{{{where}, result="bad"}}) / ({total} ({name}{{{where}}}) > 0) {above}'
        for name in (long, short)
    ]
    return f"{rates[0]} and {rates[1]} and {total} ({long}{{{where}}}) {enough}"
