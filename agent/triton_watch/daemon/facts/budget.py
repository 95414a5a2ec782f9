"""Error budgets, as told."""

from __future__ import annotations

from dataclasses import dataclass

from triton_watch.daemon.facts.moment import Moment
from triton_watch.records.budget import Verdict
from triton_watch.records.objective import Page, SloSli


@dataclass(frozen=True, slots=True)
class Burn:
    """Events of one window that ends now, and the burn rate; null = no events."""

    window_seconds: float
    good: float
    bad: float
    burn: float | None


@dataclass(frozen=True, slots=True)
class Budget:
    """One objective of one model version on one target. Events of time-based indicators are seconds."""

    slo: str
    sli: SloSli
    target: str
    model: str
    version: str
    namespace: str
    objective: float
    goal: str
    """In words: `99% ≤ 50 ms`."""
    period_seconds: float
    good: float
    bad: float
    remaining: float | None
    """Share of the budget that is left; negative = overspent."""
    exhaustion_seconds: float | None
    """Until nothing is left at the pace of the shortest paging window."""
    verdict: Verdict
    fires: Page | None
    covered_seconds: float
    """Of the period, for how long it has been watched."""
    silence_seconds: float | None
    """Since the indicator last had a say."""
    windows: tuple[Burn, ...]
    """Ascending; the last is the period."""


@dataclass(frozen=True, slots=True)
class Objective:
    """One objective of the configuration. `sentence` says it in words; `models_matched` counts over all targets."""

    name: str
    sli: SloSli
    description: str
    sentence: str
    models_matched: int


@dataclass(frozen=True, slots=True)
class BudgetList:
    """GET /api/v1/slo: the least budget left first."""

    version: int
    at: Moment
    total: int
    offset: int
    limit: int
    objectives: tuple[Objective, ...]
    budgets: tuple[Budget, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """How the events of a budget came about: cumulative sums at moments of the period, ascending."""

    slo: str
    at: tuple[Moment, ...]
    good: tuple[float, ...]
    bad: tuple[float, ...]
