"""From events to verdicts: burn rates, what is left of the budget, and until when.

Multi-window, multi-burn-rate alerting of the Google SRE Workbook, chapter 5. Ratios are formed last: what
is added up before, over replicas say, are events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.records import (
    VERDICTS,
    BudgetTable,
    BurnWindow,
    FloatArray,
    Goal,
    Objective,
    Page,
    SeriesKey,
    Verdict,
    WindowSums,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

CODE = {verdict: code for code, verdict in enumerate(VERDICTS)}


@dataclass(frozen=True, slots=True, eq=False)
class Goals:
    """The goals of n series as vectors, NaN = open; `tiers` are all burn windows, the most urgent first.

    `evaluated` is (len(tiers), n): whether the series' objective has that tier.
    """

    objective: FloatArray
    low: FloatArray
    high: FloatArray
    min_events: FloatArray
    no_data_after: FloatArray
    tiers: tuple[BurnWindow, ...]
    evaluated: NDArray[np.bool_]

    @property
    def allowed(self) -> FloatArray:
        """(n,) share of events that may be bad; 1 - 0.999 is 0.001 here, without the noise of floating point."""
        return np.round(1 - self.objective, 12)


def goals_of(keys: Sequence[SeriesKey], objectives: Mapping[str, Objective]) -> Goals:
    """Return the goals of the series; every key's objective is in `objectives`, by name."""
    tiers = tuple(sorted({tier for one in objectives.values() for tier in one.windows}, key=_urgency))
    per_key: dict[tuple[str, str], Goal] = {}
    goals = []
    for key in keys:
        name = (key.slo, key.model.name)
        if name not in per_key:
            per_key[name] = objectives[key.slo].goal_of(key.model.name)
        goals.append(per_key[name])
    has = {name: np.array([tier in one.windows for tier in tiers], dtype=np.bool_) for name, one in objectives.items()}
    evaluated = np.array([has[key.slo] for key in keys], dtype=np.bool_).reshape(len(keys), len(tiers)).T
    return Goals(
        objective=np.array([goal.objective for goal in goals], dtype=np.float64),
        low=_or_open([goal.low for goal in goals]),
        high=_or_open([goal.high for goal in goals]),
        min_events=np.array([goal.min_events for goal in goals], dtype=np.float64),
        no_data_after=np.array([objectives[key.slo].no_data_after for key in keys], dtype=np.float64),
        tiers=tiers,
        evaluated=evaluated,
    )


def judge(sums: WindowSums, goals: Goals, counted: FloatArray | None = None) -> BudgetTable:
    """Return what the events say of each objective.

    `counted` is (2, n): good and bad since this process began, where a process counts.
    """
    total = sums.good + sums.bad
    allowed = goals.allowed
    with np.errstate(divide="ignore", invalid="ignore"):
        burn = sums.bad / total / allowed
        remaining = 1 - sums.bad[-1] / (total[-1] * allowed)
    firing = _firing(sums, total, burn, goals)
    fires = _first(firing)
    return BudgetTable(
        sums=sums,
        objective=goals.objective,
        low=goals.low,
        high=goals.high,
        burn=burn,
        remaining=remaining,
        exhaustion=_exhaustion(sums, total, goals),
        tiers=goals.tiers,
        evaluated=goals.evaluated,
        firing=firing,
        fires=fires,
        min_events=goals.min_events,
        verdict=_verdicts(sums, remaining, fires, goals),
        counted_good=np.zeros(len(sums.keys)) if counted is None else counted[0],
        counted_bad=np.zeros(len(sums.keys)) if counted is None else counted[1],
    )


def _firing(sums: WindowSums, total: FloatArray, burn: FloatArray, goals: Goals) -> NDArray[np.bool_]:
    """(len(tiers), n): whether both windows burn faster than the tier allows, with enough events in the long one."""
    firing = np.zeros((len(goals.tiers), len(sums.keys)), dtype=np.bool_)
    row = {window: i for i, window in enumerate(sums.windows)}
    for tier, window in enumerate(goals.tiers):
        long, short = row[window.long], row[window.short]
        with np.errstate(invalid="ignore"):
            burns = (burn[long] > window.factor) & (burn[short] > window.factor)
        firing[tier] = burns & (total[long] >= goals.min_events) & goals.evaluated[tier]
    return firing


def _first(firing: NDArray[np.bool_]) -> NDArray[np.int8]:
    """(n,) the most urgent tier that fires, -1 = none."""
    first = np.full(firing.shape[1], -1, dtype=np.int8)
    for tier in reversed(range(len(firing))):
        first[firing[tier]] = tier
    return first


def _exhaustion(sums: WindowSums, total: FloatArray, goals: Goals) -> FloatArray:
    """(n,) seconds until the budget is spent at the pace of the most urgent long window; NaN = not at this pace.

    While the series is younger than the period each further request adds to the budget; afterwards old
    requests leave as new ones come, of which the worst is assumed: that none of those was bad.
    """
    if not goals.tiers:
        return np.full(len(sums.keys), np.nan)
    row = sums.windows.index(goals.tiers[0].long)
    seconds = np.minimum(sums.windows[row], sums.covered)
    allowed = goals.allowed
    left = total[-1] * allowed - sums.bad[-1]
    grows = sums.covered < sums.windows[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        pace = (sums.bad[row] - np.where(grows, total[row] * allowed, 0.0)) / seconds
        until: FloatArray = np.where(left <= 0, 0.0, np.where(pace > 0, left / pace, np.nan))
    return np.where(total[-1] > 0, until, np.nan)


def _verdicts(sums: WindowSums, remaining: FloatArray, fires: NDArray[np.int8], goals: Goals) -> NDArray[np.int8]:
    verdict = np.full(len(sums.keys), CODE[Verdict.OK], dtype=np.int8)
    verdict[fires >= 0] = CODE[Verdict.BURNING]
    with np.errstate(invalid="ignore"):
        # A share formed in floating point that is a hair over 0 is nothing left.
        verdict[remaining <= 1e-9] = CODE[Verdict.EXHAUSTED]
        verdict[np.isnan(remaining) | ~(sums.silence <= goals.no_data_after)] = CODE[Verdict.NO_DATA]
    return verdict


def _or_open(bounds: Sequence[float | None]) -> FloatArray:
    return np.array([np.nan if bound is None else bound for bound in bounds], dtype=np.float64)


def _urgency(tier: BurnWindow) -> tuple[bool, float, float, float]:
    return tier.severity is not Page.PAGE, tier.long, tier.short, -tier.factor
