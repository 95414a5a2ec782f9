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


def burn_alerts(objective: Objective, settings: AlertSettings, options: RuleOptions) -> Iterator[MarkedRule]:
    """Yield the alerts of an objective, one for each of its burn windows; more where overrides differ by model."""
    told = without_targets(settings)
    for tier in objective.windows:
        for variant in variants(_worded(_DEFINITIONS[tier.severity], options), told):
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


def _worded(definition: AlertDefinition, options: RuleOptions) -> AlertDefinition:
    """The definition, without the words on the server where the alert is about all of them."""
    if options.burn_by is BurnBy.TARGET:
        return definition
    summary, description = (text.replace(_ON_TARGET, "") for text in (definition.summary, definition.description))
    return replace(definition, summary=summary, description=description)


def _expr(objective: Objective, tier: BurnWindow, variant: Variant, options: RuleOptions) -> str:
    every = [_burns(objective, part, tier, variant, options) for part in parts(objective)]
    return every[0] if len(every) == 1 else " or ".join(f"({one})" for one in every)


def _burns(objective: Objective, part: Part, tier: BurnWindow, variant: Variant, options: RuleOptions) -> str:
    """Both windows burn, and there were enough events in the long one. The value is the burn rate of the long one."""
    where = matchers(options, (*part.models, *variant.matchers))
    long, short = (
        f'{{{where}, slo="{objective.name}", window="{format_duration(one)}"}}' for one in (tier.long, tier.short)
    )
    above = f"/ {number(1 - part.goal.objective)} > {number(tier.factor)}"
    name = recorded.SLO_WINDOW_EVENTS.name
    if options.burn_by is BurnBy.TARGET:
        ratio = recorded.SLO_ERROR_RATIO.name
        burning = f"{ratio}{long} {above} and ignoring (window) {ratio}{short} {above}"
        return f"{burning} and sum without (result) ({name}{long}) >= {part.goal.min_events}"
    total = f"sum by ({', '.join(labels_by(options, 'model', 'slo'))}) ({name}"
    rates = [f'{total}{one[:-1]}, result="bad"}}) / ({total}{one}) > 0) {above}' for one in (long, short)]
    return f"{rates[0]} and {rates[1]} and {total}{long}) >= {part.goal.min_events}"
