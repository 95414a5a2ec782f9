"""Whether a server has the data that objectives are about: which models they cover, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from triton_watch.records import Goal, ModelKey, ModelStatus, NoData, NoDataReason, Sli, SliTable, SliValue, SloSli
from triton_watch.slo.sli import quantile_of, value_of
from triton_watch.slo.words import budget_words, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.records import Objective, TargetSnapshot

_TRAFFIC: Final = (NoDataReason.NO_TRAFFIC, NoDataReason.NO_SUCCESS)
"""Nothing to measure right now, and nothing to mend."""
_INAPPLICABLE: Final = (NoDataReason.ENSEMBLE, NoDataReason.NOT_BATCHING)
"""What some models have by nature: worth a warning only where somebody named them."""
_KINDS: Final = {SloSli.QUEUE_TIME: "queue", SloSli.REQUEST_TIME: "request"}


@dataclass(frozen=True, slots=True)
class Covered:
    """One model version that an objective covers, and its indicator now; None = counted, without a single value."""

    target: str
    key: ModelKey
    reading: SliValue | NoData | None


def covered_by(objective: Objective, snapshot: TargetSnapshot) -> tuple[Covered, ...]:
    """Return the models of a target that an objective covers: those on its metrics page, and others that are ready."""
    target, table = snapshot.target.name, snapshot.slis
    ready = [state.key for state in snapshot.models or () if state.status is ModelStatus.READY]
    keys = dict.fromkeys([*(table.models.keys if table else ()), *ready])
    return tuple(
        Covered(target, key, _reading(objective, key, table))
        for key in sorted(keys)
        if objective.covers(target, key.name)
    )


def gaps(objective: Objective, covered: tuple[Covered, ...], snapshot: TargetSnapshot) -> Iterator[str]:
    """Yield a sentence for each reason why models that the objective covers on a target have no data."""
    target = snapshot.target.name
    why: dict[NoDataReason, list[str]] = {}
    for one in covered:
        if isinstance(one.reading, NoData) and _is_gap(objective, one.reading.reason):
            why.setdefault(one.reading.reason, []).append(one.key.name)
    for reason, names in why.items():
        models = listed(sorted(dict.fromkeys(names)))
        yield f"{objective.name} has no data for {models} on {target}: {_cure(objective, reason)}."
    if objective.sli is SloSli.TTFT and snapshot.slis is not None:
        yield from _between_bounds(objective, covered, snapshot.slis)


def _reading(objective: Objective, key: ModelKey, table: SliTable | None) -> SliValue | NoData | None:
    if table is None or key not in table.models.row:
        return NoData(NoDataReason.GONE)
    if objective.sli is SloSli.CANARY:
        return None  # its events are the agent's own
    goal = objective.goal_of(key.name)
    if objective.sli is SloSli.TTFT:
        return _first_response(table, key)
    if goal.quantile is not None:
        return _quantile(table, key, _KINDS[objective.sli], goal.quantile)
    return value_of(table, key, Sli(objective.sli.value))


def _quantile(table: SliTable, key: ModelKey, kind: str, quantile: str) -> SliValue | NoData:
    """A quantile without a value under traffic is not served: so with models that have a response cache."""
    reading = quantile_of(table, key, kind, quantile)
    rate = value_of(table, key, Sli.REQUEST_RATE)
    is_busy = isinstance(rate, SliValue) and rate.value > 0
    return NoData(NoDataReason.NOT_SERVED) if isinstance(reading, NoData) and is_busy else reading


def _first_response(table: SliTable, key: ModelKey) -> NoData | None:
    served = table.frame.first_response
    if served is None or np.isnan(served.counts[-1, table.models.row[key]]):
        return NoData(NoDataReason.NOT_SERVED)
    rate = value_of(table, key, Sli.REQUEST_RATE)
    return NoData(NoDataReason.NO_TRAFFIC) if isinstance(rate, SliValue) and rate.value == 0 else None


def _is_gap(objective: Objective, reason: NoDataReason) -> bool:
    if reason in _INAPPLICABLE:
        return "*" not in objective.models
    return reason not in _TRAFFIC


def _cure(objective: Objective, reason: NoDataReason) -> str:
    if reason is NoDataReason.NOT_SERVED and objective.sli is SloSli.TTFT:
        return "the server does not serve the first-response histogram (Triton 24.11, histogram_latencies=true)"
    if reason is NoDataReason.NOT_SERVED and any(goal.quantile for goal in _goals(objective)):
        return (
            "its quantile is not served: start Triton with --metrics-config summary_latencies=true (a model with a "
            "response cache has no request quantiles)"
        )
    return str(reason.value)


def _goals(objective: Objective) -> tuple[Goal, ...]:
    return (objective.goal, *(override.goal for override in objective.overrides))


def _between_bounds(objective: Objective, covered: tuple[Covered, ...], table: SliTable) -> Iterator[str]:
    served = table.frame.first_response
    if served is None:
        return
    bounds = [bound / 1000 for bound in served.bounds if np.isfinite(bound)]
    limits = {objective.goal_of(one.key.name).high for one in covered}
    for limit in sorted(limit for limit in limits if limit is not None):
        if not any(np.isclose(limit, bound) for bound in bounds):
            choice = listed([budget_words(bound) for bound in bounds])
            yield (
                f"{objective.name} has a threshold of {budget_words(limit)}, which is no bound of the server's "
                f"histogram: choose one of {choice}, or the next lower one counts."
            )
