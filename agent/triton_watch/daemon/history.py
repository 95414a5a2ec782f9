"""Budgets as a Prometheus sees them, in place of the agent's own memory: it survives the agent and its disk."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.daemon.state import HistoryStatus, TargetBudgets
from triton_watch.records import BudgetTable, SeriesKey, Verdict, WindowSums
from triton_watch.slo.budget import CODE, goals_of, judge
from triton_watch.slo.levels import windows_of
from triton_watch.store.prometheus import HistoryError, PrometheusHistory

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from triton_watch.records import BurnWindow, FloatArray, Objective, SloSettings
    from triton_watch.store.prometheus import PeriodSums


SHARE = 0.05
"""Of its time that a Prometheus is kept busy at most: a month of a large fleet takes it ten seconds and more."""


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """One answer: events by period, with the column of each series, and the objectives that were asked for."""

    objectives: Mapping[str, Objective]
    by_period: Mapping[float, tuple[WindowSums, Mapping[SeriesKey, int]]]


@dataclass(frozen=True, slots=True, eq=False)
class _Overlay:
    """What came of live budgets and an answer."""

    budgets: TargetBudgets
    answer: _Answer | None
    objectives: tuple[Objective, ...]
    result: TargetBudgets

    def is_of(self, budgets: TargetBudgets, answer: _Answer | None, objectives: tuple[Objective, ...]) -> bool:
        """Whether these would give the same."""
        return self.budgets is budgets and self.answer is answer and self.objectives is objectives


class HistoryReader:
    """Asks the configured Prometheus from time to time; `overlaid` puts its last answer over live tables."""

    def __init__(
        self,
        settings: SloSettings,
        *,
        log: logging.Logger,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if settings.prometheus is None:
            raise ValueError("no Prometheus is configured")
        self._objectives = settings.objectives
        self._no_data_after = settings.no_data_after
        self._log = log
        self._now = now
        self._clock = clock
        self._next = -np.inf
        self._history = PrometheusHistory(settings.prometheus, now=now, windows_of=_no_windows)
        self._answer: _Answer | None = None
        self._overlays: dict[str, _Overlay] = {}
        self.status = HistoryStatus(success=False, reason="not asked yet")

    def read(self) -> None:
        """Ask, unless that is too soon. A failure is logged when it is news; the last answer stays until too old."""
        begin = self._clock()
        if begin < self._next:
            return
        asked = self._objectives
        self._ask(asked)
        pause = min((self._clock() - begin) / SHARE, self._no_data_after / 3)
        self._next = begin + pause if self._objectives is asked else -np.inf

    def _ask(self, asked: tuple[Objective, ...]) -> None:
        at = self._now()
        try:
            found = self._history.sums(asked, per_target=True)
        except HistoryError as error:
            if self.status.reason != str(error):
                self._log.warning("the history of objectives could not be read: %s", error)
            self.status = HistoryStatus(success=False, at=self.status.at, reason=str(error))
            return
        if not self.status.success and self.status.at is not None:
            self._log.info("the history of objectives can be read again")
        objectives = {one.name: one for one in asked}
        self._answer = _Answer(objectives, MappingProxyType({one.sums.windows[-1]: _indexed(one) for one in found}))
        self.status = HistoryStatus(success=True, at=at)

    def swap(self, objectives: Sequence[Objective]) -> None:
        """Ask for other objectives, and that the next time."""
        self._objectives = tuple(objectives)
        self._next = -np.inf

    def overlaid(self, budgets: TargetBudgets, target: str = "") -> TargetBudgets:
        """A target's budgets with the events of Prometheus; what this process counted stays as it is.

        As long as nothing changed it is the same object: alerts are evaluated when something did.
        """
        known = self._overlays.get(target)
        if known is not None and known.is_of(budgets, self._answer, self._objectives):
            return known.result
        answer, objectives = self._answer, self._objectives
        result = replace(budgets, tables=tuple(self._over(table) for table in budgets.tables))
        self._overlays[target] = _Overlay(budgets, answer, objectives, result)
        return result

    def forget(self, target: str) -> None:
        """A target is no longer watched."""
        self._overlays.pop(target, None)

    def close(self) -> None:
        """Close the connection."""
        self._history.close()

    def _over(self, live: BudgetTable) -> BudgetTable:
        sums, answer = live.sums, self._fresh_answer(live.sums.at)
        known = answer.by_period.get(sums.windows[-1]) if answer is not None else None
        if answer is None or known is None or not _speaks_of(answer, known[0], sums):
            return _nothing_known(live)
        history, columns = known
        rows = [history.windows.index(window) for window in sums.windows]  # some of theirs: of this target's objectives
        at = np.array([columns.get(key, -1) for key in sums.keys], dtype=np.intp)
        merged = replace(
            sums,
            good=_taken(history.good[rows], at),
            bad=_taken(history.bad[rows], at),
            covered=np.where(at < 0, sums.covered, np.append(history.covered, np.nan)[at]),
        )
        goals = goals_of(sums.keys, {key.slo: answer.objectives[key.slo] for key in sums.keys})
        counted = np.array([live.counted_good, live.counted_bad])
        return judge(merged, goals, counted)

    def _fresh_answer(self, at: float) -> _Answer | None:
        """The last answer, if it is about the objectives of now and not too old."""
        answer, asked = self._answer, {one.name: one for one in self._objectives}
        if answer is None or answer.objectives != asked or self.status.at is None:
            return None
        return None if at - self.status.at > self._no_data_after else answer


def _speaks_of(answer: _Answer, history: WindowSums, sums: WindowSums) -> bool:
    """Whether an answer has the objectives and windows of a live table: just after a reload either may be older."""
    slos = {key.slo for key in sums.keys}
    if not slos <= answer.objectives.keys() or not set(sums.windows) <= set(history.windows):
        return False
    return not slos or set(windows_of([answer.objectives[slo] for slo in slos])) <= set(sums.windows)


def _nothing_known(live: BudgetTable) -> BudgetTable:
    """The table with no events in any window: nothing is known, which is not the same as good."""
    nothing = np.full_like(live.sums.good, 0.0)
    unknown = np.full_like(live.remaining, np.nan)
    return replace(
        live,
        sums=replace(live.sums, good=nothing, bad=nothing),
        burn=np.full_like(live.burn, np.nan),
        remaining=unknown,
        exhaustion=unknown,
        fires=np.full_like(live.fires, -1),
        verdict=np.full_like(live.verdict, CODE[Verdict.NO_DATA]),
    )


def _indexed(found: PeriodSums) -> tuple[WindowSums, Mapping[SeriesKey, int]]:
    return found.sums, MappingProxyType({key: column for column, key in enumerate(found.sums.keys)})


def _taken(values: FloatArray, columns: NDArray[np.intp]) -> FloatArray:
    """(w, n) of theirs for our series; 0 for one that they do not know yet."""
    padded: FloatArray = np.concatenate([values, np.zeros((len(values), 1))], axis=1)
    return padded[:, columns]


def _no_windows(_period: float) -> tuple[BurnWindow, ...]:
    return ()
