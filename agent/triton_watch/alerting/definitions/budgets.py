"""Error budgets that burn too fast: TritonErrorBudgetBurn, for pages and for tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from triton_watch.alerting.definition import AlertDefinition, Facts
from triton_watch.alerting.definitions.cases import labels, states_now, versions_in
from triton_watch.config.units import format_duration
from triton_watch.records import VERDICTS, AlertCase, AlertSeverity, Page, Verdict
from triton_watch.slo.words import percent, period_words, times, window_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from triton_watch.alerting.definition import Condition
    from triton_watch.records import BudgetTable

_NO_DATA: Final = VERDICTS.index(Verdict.NO_DATA)

BURN_EXPR: Final = """(
  triton_watch_slo_burn_rate{slo=~"$slo", window="$long"} > $factor
  and ignoring (window) triton_watch_slo_burn_rate{slo=~"$slo", window="$short"} > $factor
  and triton_watch_slo_window_events_ratio{slo=~"$slo", window="$long"} >= 1
  unless ignoring (window, verdict) triton_watch_slo_verdict{slo=~"$slo", verdict="no_data"}
)
and on (instance, target, model, version) (
  triton_watch_model_ready
  or on (instance, target, model, version) (
    triton_watch_slo_objective_ratio{slo=~"$slo"}
    unless on (instance, target) triton_watch_probe_success{probe="index"} == 1
  )
)"""
"""One tier of some objectives. The second part: of models that the index no longer names nobody wants to hear."""


def _burning(severity: Page) -> Condition:
    def condition(facts: Facts, _threshold: float) -> Iterator[AlertCase]:
        if not facts.budgets:
            return
        states = states_now(facts.snapshot)
        known = None if states is None else versions_in(states)
        for table in facts.budgets:
            for tier, window in enumerate(table.tiers):
                if window.severity is severity:
                    yield from _of_tier(facts, table, tier, known)

    return condition


def _of_tier(
    facts: Facts, table: BudgetTable, tier: int, known: frozenset[tuple[str, str]] | None
) -> Iterator[AlertCase]:
    unknown = _unknown(table, tier)
    window = table.tiers[tier]
    for row in np.flatnonzero(table.firing[tier] | unknown).tolist():
        slo, _, (name, version, namespace) = table.sums.keys[row]
        if known is not None and (name, version) not in known:
            continue
        of = labels(
            slo=slo, model=name, version=version, model_namespace=namespace, window=format_duration(window.long)
        )
        if unknown[row]:
            yield AlertCase(of, holds=None, hold=window.hold)
        else:
            rate = float(table.burn[table.sums.windows.index(window.long), row])
            yield AlertCase(of, holds=True, detail=_detail(facts, table, tier, row), value=rate, hold=window.hold)


def _unknown(table: BudgetTable, tier: int) -> NDArray[np.bool_]:
    """(n,) whether nobody can tell: the long window burns and the short one is empty, or the indicator is silent.

    A series without a bad event in the whole period cannot have burnt: of those none is asked.
    """
    sums, window = table.sums, table.tiers[tier]
    long, short = sums.windows.index(window.long), sums.windows.index(window.short)
    total = sums.good + sums.bad
    with np.errstate(invalid="ignore"):
        burns = (table.burn[long] > window.factor) & (total[long] >= table.min_events)
    is_silent = (table.verdict == _NO_DATA) & (sums.bad[-1] > 0)
    unknown: NDArray[np.bool_] = table.evaluated[tier] & ((burns & (total[short] == 0)) | is_silent)
    return unknown


def _detail(facts: Facts, table: BudgetTable, tier: int, row: int) -> str:
    key, window = table.sums.keys[row], table.tiers[tier]
    long, short = (float(table.burn[table.sums.windows.index(one), row]) for one in (window.long, window.short))
    left = f"{table.remaining[row]:.0%}" if table.remaining[row] > 0 else "nothing"
    period = period_words(table.sums.windows[-1])
    objective = facts.objectives.get(key.slo)
    promise = "" if objective is None else f" ({percent(objective.goal_of(key.model.name).objective)})"
    return (
        f"{key.slo}{promise} of {key.model.name} on {key.target} burns its budget too fast: over "
        f"{window_words(window.long)} at {times(long)} times and over {window_words(window.short)} at {times(short)} "
        f"times the pace at which it just lasts for {period} (limit {window.factor:g}); {left} of it is left."
    )


def _definition(severity: AlertSeverity, page: Page, what: str, advice: str) -> AlertDefinition:
    return AlertDefinition(
        name="TritonErrorBudgetBurn",
        severity=severity,
        summary=f"Error budget of {{{{ $labels.slo }}}} burns {what}: model {{{{ $labels.model }}}} on "
        "{{ $labels.target }}",
        description="The error budget of {{ $labels.slo }} for {{ $labels.model }} on {{ $labels.target }} was spent "
        '{{ $value | printf "%.1f" }} times faster than allowed over the last {{ $labels.window }}.',
        advice=advice,
        expr=BURN_EXPR,
        condition=_burning(page),
        dashboard="slo",
        labels=("slo", "model", "version", "window"),
        keep=120.0,
    )


BUDGET_PAGE = _definition(
    AlertSeverity.PAGE,
    Page.PAGE,
    "fast",
    "See on the board when it began and what changed then: a deployment, the traffic, or a model that fails.",
)
BUDGET_TICKET = _definition(
    AlertSeverity.TICKET,
    Page.TICKET,
    "slowly",
    "Find in the next days what fails or is slow all the time: the board shows which requests cost the budget.",
)
