"""A report on error budgets: what `triton-watch slo report` shows, whatever the events were read from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from triton_watch.records.budget import Verdict
    from triton_watch.records.metrics import FloatArray
    from triton_watch.records.objective import BurnWindow, Goal, Objective


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """How the events of a series came about: cumulative good and bad at moments of the period.

    All three are (k,), `times` in Unix seconds, ascending; the first point is the start of what is known
    and has zero events. A restart or a gap leaves the sums where they were.
    """

    times: FloatArray
    good: FloatArray
    bad: FloatArray


@dataclass(frozen=True, slots=True)
class WindowBurn:
    """One window of a row: events in it, and the burn rate; None = no events. `window` is seconds."""

    window: float
    good: float
    bad: float
    burn: float | None


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One objective of one model version, on one target or added up over `targets`.

    Ratios are 0..1, times seconds, None = no data. `good` and `bad` are events of the period (seconds for
    time-based SLIs). `windows` are ascending, the last is the period.
    """

    objective: Objective
    goal: Goal
    model: str
    version: str
    namespace: str
    targets: tuple[str, ...]
    good: float
    bad: float
    covered: float
    remaining: float | None
    exhaustion: float | None
    verdict: Verdict
    fires: BurnWindow | None
    silence: float | None
    windows: tuple[WindowBurn, ...]
    course: Course | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Report:
    """All rows, the worst first. `at` is Unix seconds; `source` says where the events are from.

    `warnings` are sentences: an objective that matches no model, a source that is partly unreadable.
    """

    at: float
    source: str
    objectives: tuple[Objective, ...]
    rows: tuple[ReportRow, ...]
    warnings: tuple[str, ...] = ()
