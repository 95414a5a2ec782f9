"""The SLIs of one model, beside what its objectives ask of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from triton_watch.config import format_percentage
from triton_watch.daemon.facts.model import Indicator
from triton_watch.daemon.telling.parts import finite
from triton_watch.records import FAILURE_REASONS, NoData, Sli, SloSli
from triton_watch.slo.sli import quantile_of, value_of
from triton_watch.wording import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from triton_watch.records import Goal, ModelKey, Objective, SliTable

_UNITS: Final = {
    Sli.REQUEST_RATE: "req/s",
    Sli.FAILURE_RATE: "req/s",
    Sli.IN_FLIGHT: "requests",
    Sli.PENDING: "requests",
    Sli.QUEUE_TIME: "s",
    Sli.REQUEST_TIME: "s",
    Sli.COMPUTE_INPUT_TIME: "s",
    Sli.COMPUTE_INFER_TIME: "s",
    Sli.COMPUTE_OUTPUT_TIME: "s",
    Sli.AVERAGE_BATCH: "samples",
    Sli.ENERGY_PER_INFERENCE: "J",
}
"""Where there is none here it is a ratio."""
_BOUND: Final = {
    Sli.AVAILABILITY: SloSli.AVAILABILITY,
    Sli.QUEUE_TIME: SloSli.QUEUE_TIME,
    Sli.REQUEST_TIME: SloSli.REQUEST_TIME,
    Sli.BATCH_EFFICIENCY: SloSli.BATCH_EFFICIENCY,
    Sli.GPU_UTILIZATION: SloSli.GPU_UTILIZATION,
}
_KINDS: Final = {Sli.QUEUE_TIME: "queue", Sli.REQUEST_TIME: "request"}
_FAILURES: Final = {reason or "unlabelled": counter for reason, counter in FAILURE_REASONS.items()}
_NO_PAGE: Final = "the last poll read no metrics page"


class _Bound(NamedTuple):
    """What an objective asks of a value; of a served quantile where it names one."""

    goal: str
    low: float
    high: float
    quantile: str | None


def indicators(
    table: SliTable | None, key: ModelKey, target: str, objectives: Sequence[Objective]
) -> tuple[Indicator, ...]:
    """Return every SLI of a model on a target, with the strictest bound of the objectives that cover it."""
    return tuple(_indicator(sli, table, key, _bound(sli, target, key, objectives)) for sli in Sli)


def percentiles(table: SliTable | None, key: ModelKey) -> Mapping[str, Mapping[str, float | None]]:
    """Return the quantiles that the server serves, seconds, by kind."""
    found: dict[str, dict[str, float | None]] = {"request": {}, "queue": {}}
    for kind, quantile in () if table is None else table.frame.quantiles:
        found.setdefault(kind, {})[quantile] = _reading(table, key, kind, quantile)
    return found


def failures(table: SliTable | None, key: ModelKey) -> Mapping[str, float | None]:
    """Return the requests of the last interval that failed, by reason."""
    row = None if table is None else table.models.row.get(key)
    if table is None or row is None:
        return dict.fromkeys(_FAILURES)
    return {reason: finite(table.deltas[counter, row]) for reason, counter in _FAILURES.items()}


def _indicator(sli: Sli, table: SliTable | None, key: ModelKey, bound: _Bound | None) -> Indicator:
    found = None if table is None else value_of(table, key, sli)
    is_known = found is not None and not isinstance(found, NoData)
    value = finite(found.value) if found is not None and not isinstance(found, NoData) else None
    reason = found.reason.value if isinstance(found, NoData) else _NO_PAGE
    return Indicator(
        sli=sli,
        value=value,
        no_data="" if is_known else reason,
        unit=_UNITS.get(sli, "ratio"),
        goal="" if bound is None else bound.goal,
        within=_within(value, bound, sli, table, key),
    )


def _within(value: float | None, bound: _Bound | None, sli: Sli, table: SliTable | None, key: ModelKey) -> bool | None:
    if bound is None:
        return None
    judged = value if bound.quantile is None else _reading(table, key, _KINDS[sli], bound.quantile)
    return None if judged is None else bound.low <= judged <= bound.high


def _reading(table: SliTable | None, key: ModelKey, kind: str, quantile: str) -> float | None:
    found = None if table is None else quantile_of(table, key, kind, quantile)
    return None if found is None or isinstance(found, NoData) else finite(found.value)


def _bound(sli: Sli, target: str, key: ModelKey, objectives: Sequence[Objective]) -> _Bound | None:
    """Return the strictest bound: the narrowest one, and of means before served quantiles, which are other values."""
    found = [
        _bound_of(one, one.goal_of(key.name))
        for one in objectives
        if one.sli is _BOUND.get(sli) and one.covers(target, key.name)
    ]
    return min(found, key=lambda one: (one.quantile is not None, min(one.high, 1e9) - max(one.low, 0.0)), default=None)


def _bound_of(objective: Objective, goal: Goal) -> _Bound:
    if objective.sli is SloSli.AVAILABILITY:
        return _Bound(f"≥ {format_percentage(goal.objective)}", goal.objective, 1.0, None)
    parts = (words.quantile(goal), words.bounds(objective, goal))
    return _Bound(
        " ".join(part for part in parts if part),
        -math.inf if goal.low is None else goal.low,
        math.inf if goal.high is None else goal.high,
        goal.quantile,
    )
