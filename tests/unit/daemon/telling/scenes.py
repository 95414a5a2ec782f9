"""Targets whose models are well, and what may be wrong with them, by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from support.objectives import availability
from synthetic_state import SyntheticState, table_of
from triton_watch.daemon.state import BudgetsView, TargetBudgets
from triton_watch.records import (
    CanaryReason,
    CanaryResult,
    CanaryState,
    CanaryVerdict,
    ModelKey,
    ModelState,
    ModelStatus,
    Outcome,
    ProbeResult,
    SeriesKey,
    SilentFailure,
    SkipReason,
    Target,
    TargetSnapshot,
    Wedged,
    WindowSums,
)
from triton_watch.slo.budget import goals_of, judge
from triton_watch.slo.levels import windows_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from triton_watch.records import Objective, SliTable

AT = 1_700_000_000.0
NOW = AT + 3.0
LATE = AT + 600.0


def key(name: str, version: str = "1") -> ModelKey:
    return ModelKey(name, version)


def keys(count: int) -> tuple[ModelKey, ...]:
    return tuple(key(f"m{i}") for i in range(count))


def ready(one: ModelKey, **more: Any) -> ModelState:
    return ModelState(one, **{"status": ModelStatus.READY, **more})


def target(name: str = "t") -> Target:
    return Target(name, f"http://{name}:8000", f"http://{name}:8002/metrics", f"{name}:8001")


def snapshot(states: Sequence[ModelState], name: str = "t", **changes: Any) -> TargetSnapshot:
    """A server that says that all is well, with these models and without a metrics page."""
    values: dict[str, Any] = {
        "probes": {"ready": ProbeResult("ready", Outcome.OK, 0.001)},
        "live": True,
        "ready": True,
        "models": tuple(states),
        **changes,
    }
    return TargetSnapshot(target(name), cycle=3, at=AT, duration=0.01, **values)


def deaf(states: Sequence[ModelState], name: str = "t", **changes: Any) -> TargetSnapshot:
    """A server of which nothing answered in the last poll."""
    probes = {"live": ProbeResult("live", Outcome.REFUSED, 0.001, "t:8000 refused the connection")}
    return snapshot(states, name, probes=probes, live=None, ready=None, **changes)


def calm(models: Sequence[ModelKey]) -> SliTable:
    """A metrics page on which nothing happened."""
    table = table_of(models, 0)
    return replace(table, values=np.full_like(table.values, np.nan), deltas=np.zeros_like(table.deltas))


def source(*snapshots: TargetSnapshot, **fields: Any) -> SyntheticState:
    return SyntheticState({one.target.name: one for one in snapshots}, **fields)


def passing(one: ModelKey) -> CanaryState:
    return CanaryState(one, CanaryVerdict.PASSING, last=run(one), recent=(True,))


def failing(one: ModelKey, reason: CanaryReason = CanaryReason.NOT_FINITE) -> CanaryState:
    last = run(one, reason, "Y holds NaN")
    return CanaryState(one, CanaryVerdict.FAILING, last=last, last_failure=last, recent=(False, False))


def undecided(one: ModelKey, skip: SkipReason | None = None) -> CanaryState:
    return CanaryState(one, last_skip=skip)


def run(one: ModelKey, reason: CanaryReason = CanaryReason.OK, detail: str = "") -> CanaryResult:
    return CanaryResult(one, at=AT, began=1.0, ended=1.5, reason=reason, detail=detail, latency=0.5)


SILENT = SilentFailure(AT, CanaryReason.NOT_FINITE, "Y holds NaN", 3.0)
WEDGED = Wedged(4, 60.0, 3.0)

EVENTS = 1e6
"""Requests of a period."""


def budgets(
    left: Mapping[ModelKey, float],
    *objectives: Objective,
    name: str = "t",
    burning: Sequence[ModelKey] = (),
    silence: float = 1.0,
) -> BudgetsView:
    """Budgets of one target of which so much is left; NaN = no requests. Those of `burning` models burn just now."""
    stand = objectives or (availability(0.99),)
    by_name = {one.name: one for one in stand}
    series = tuple(SeriesKey(one.name, name, model) for one in stand for model in left)
    windows = windows_of(stand)
    total = np.where([np.isnan(left[one.model]) for one in series], 0.0, np.full((len(windows), len(series)), 1000.0))
    bad = total * [0.2 if one.model in burning else 0.0 for one in series]
    total[-1] *= EVENTS / 1000.0
    bad[-1] = [
        EVENTS * (1 - by_name[one.slo].goal_of(one.model.name).objective) * (1 - left[one.model]) for one in series
    ]
    bad = np.nan_to_num(bad)
    covered, quiet = np.full(len(series), windows[-1]), np.full(len(series), silence)
    sums = WindowSums(AT, series, windows, total - bad, bad, covered, quiet)
    table = judge(sums, goals_of(series, by_name))
    return BudgetsView(stand, {name: TargetBudgets((table,), {one.name: len(left) for one in stand})})
