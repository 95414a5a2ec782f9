"""The events of one target's objectives of one period: counted, remembered for each window, and judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.records import (
    BucketRow,
    BudgetTable,
    Course,
    FloatArray,
    LedgerState,
    ModelKey,
    Objective,
    SeriesKey,
    SliTable,
    SloSli,
    WindowSums,
)
from triton_watch.slo.buckets import BAD, GOOD, Buckets
from triton_watch.slo.budget import Goals, goals_of, judge
from triton_watch.slo.counting import Plan, count, plan_of
from triton_watch.slo.levels import Level, levels_for, windows_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from numpy.typing import NDArray

MAX_SERIES = 50_000
"""Series of one ledger; what has been silent longest makes room, and then no more are taken."""
GAP = 3.0
"""An interval of so many times the one before is no interval between two polls."""


class Ledger:
    """Counts for `objectives`, which have one period. `time` is seconds on the caller's time line, never going back.

    `state` is what a store kept of this ledger: series of objectives that are gone are dropped. Counted are
    what the objectives cover of the tables given to `observe`. Not for two threads at once.
    """

    def __init__(
        self,
        target: str,
        objectives: Sequence[Objective],
        *,
        time: float,
        state: LedgerState | None = None,
        max_series: int = MAX_SERIES,
    ) -> None:
        self.target = target
        self.objectives = {one.name: one for one in objectives}
        self.period = objectives[0].period
        self.windows = windows_of(objectives)
        self.time = time
        self.keys: tuple[SeriesKey, ...] = ()
        self.refused = 0
        """Models' series that found no room at the last observation."""
        self.odd: dict[str, int] = {}
        """Intervals thrown away for numbers that cannot be, by objective."""
        self._max_series = max_series
        self._levels = levels_for(self.windows)
        self._column: dict[SeriesKey, int] = {}
        self._room = 0
        self._totals = np.zeros((2, 0))
        self._base = np.zeros((2, 0))
        self._since = self._reported = np.zeros(0)
        self._buckets = {level: Buckets(level, 0) for level in dict.fromkeys(self._levels.values())}
        self._flushed: dict[Level, int] = {}
        self._missed = False
        self._usual = 0.0
        self._plan: Plan | None = None
        self._goals: Goals | None = None
        if state is not None:
            self._restore(state)
        for buckets in self._buckets.values():
            if not buckets.slots:
                buckets.begin(time if state is None else state.time, self._totals)

    def observe(self, table: SliTable | None, time: float) -> None:
        """Count what happened until `time`; without a table nothing is known of it, and time passes."""
        self.time = max(self.time, time)
        if table is None:
            self._missed = True
            return
        has_gap = self._after_gap(table.interval)
        plan = self._plan_for(table)
        self.refused = plan.refused
        for events, columns, slo in count(plan, table, has_gap=has_gap):
            self._totals[GOOD, columns] += events.good
            self._totals[BAD, columns] += events.bad
            self._reported[columns[events.reported]] = self.time
            if events.odd:
                self.odd[slo] = self.odd.get(slo, 0) + events.odd
        self._remember()

    def sums(self, wall: float) -> WindowSums:
        """The events of every window that ends now, at the Unix time `wall`."""
        n = len(self.keys)
        totals = self._totals
        counted = np.empty((2, len(self.windows), n))
        for row, window in enumerate(self.windows):
            start = self._buckets[self._levels[window]].at_start(self.time, window)
            np.subtract(totals, start[:, :n], out=counted[:, row])
        return WindowSums(
            at=wall,
            keys=self.keys,
            windows=self.windows,
            good=counted[GOOD],
            bad=counted[BAD],
            covered=np.minimum(self.time - self._since, self.period),
            silence=self.time - self._reported,
        )

    def table(self, wall: float) -> BudgetTable:
        """The verdicts now, at the Unix time `wall`."""
        if self._goals is None:
            self._goals = goals_of(self.keys, self.objectives)
        return judge(self.sums(wall), self._goals, self._totals - self._base)

    def changes(self, wall: float, *, full: bool = False) -> LedgerState:
        """What a store has to write: the rows that are new since the last call, or all; `wall` is Unix seconds now."""
        n = len(self.keys)
        rows: list[BucketRow] = []
        for level, buckets in self._buckets.items():
            rows += buckets.rows(n, None if full else self._flushed.get(level))
            self._flushed[level] = buckets.slots[-1]
        return LedgerState(
            target=self.target,
            period=self.period,
            time=self.time,
            wall=wall,
            keys=self.keys,
            good=self._totals[GOOD].copy(),
            bad=self._totals[BAD].copy(),
            since=self._since.copy(),
            reported=self._reported.copy(),
            rows=tuple(rows),
            spans=tuple((level.resolution, level.span + 2 * level.resolution) for level in self._buckets),
        )

    def course(self, key: SeriesKey, wall: float) -> Course:
        """How a series' events of the period came about; `wall` is the Unix time that is now."""
        column = self._column[key]
        begin = self.time - self.period
        points: dict[float, tuple[float, float]] = {}
        for level, buckets in self._buckets.items():
            values = zip(buckets.times, *buckets.column(column), strict=True)
            points.update({time: (good, bad) for time, good, bad in values if time >= begin - level.resolution})
        times = np.array(sorted(points))
        good, bad = np.array([points[time] for time in times.tolist()]).T
        return Course(times - self.time + wall, good - good[0], bad - bad[0])

    def matched(self) -> dict[str, int]:
        """How many models each objective counts events of, by the models of the last table."""
        found = dict.fromkeys(self.objectives, 0)
        matched = self.keys if self._plan is None else self._plan.keys
        for key in matched:
            found[key.slo] += 1
        return found

    def succeeded_by(self, objectives: Sequence[Objective]) -> Ledger:
        """A ledger with other objectives of the same period that goes on with what this one counted."""
        same = {one.name for one in objectives if self._is_about(one.name, one.sli)}
        heir = Ledger(self.target, objectives, time=self.time, state=limited(self.changes(0.0, full=True), same))
        heir._usual, heir._missed = self._usual, self._missed
        columns = [self._column[key] for key in heir.keys]
        heir._base = self._base[:, columns]
        heir.odd = {name: count for name, count in self.odd.items() if name in heir.objectives}
        return heir

    def prune(self) -> None:
        """Forget the series that had nothing to say for a whole period."""
        kept = np.flatnonzero(self.time - self._reported <= self.period)
        if len(kept) < len(self.keys):
            self._keep(kept)

    def _after_gap(self, interval: float) -> bool:
        """Whether an interval reaches over time of which nothing is known: a page was missing, or the agent slept."""
        has_gap = self._missed or interval > GAP * self._usual > 0
        self._missed, self._usual = False, interval
        return has_gap

    def _plan_for(self, table: SliTable) -> Plan:
        """The plan for the table's models; made, and room for new series with it, when they or their facts changed."""
        if self._plan is None or not self._plan.fits(table):
            self.prune()
            plan = plan_of(tuple(self.objectives.values()), self.target, table)
            self._make_room(plan.keys)
            self._plan = plan.on(self._column)
        return self._plan

    def _make_room(self, wanted: Iterable[SeriesKey]) -> None:
        new = [key for key in dict.fromkeys(wanted) if key not in self._column]
        over = len(self.keys) + len(new) - self._max_series
        if over > 0:
            now = set(wanted)
            idle = [i for i in np.argsort(self._reported, kind="stable").tolist() if self.keys[i] not in now]
            gone = set(idle[:over])
            self._keep(np.array([i for i in range(len(self.keys)) if i not in gone], dtype=np.intp))
            new = new[: max(0, self._max_series - len(self.keys))]
        if new:
            self._add(new)

    def _add(self, keys: Sequence[SeriesKey]) -> None:
        n, more = len(self.keys), len(keys)
        if n + more > self._room:
            self._resize(np.arange(n, dtype=np.intp), n + more)
        self.keys += tuple(keys)
        self._column.update({key: n + i for i, key in enumerate(keys)})
        nothing = np.zeros((2, more))
        self._totals = np.concatenate([self._totals, nothing], axis=1)
        self._base = np.concatenate([self._base, nothing], axis=1)
        self._since, self._reported = (
            np.append(old, np.full(more, self.time)) for old in (self._since, self._reported)
        )
        self._goals = None

    def _keep(self, columns: NDArray[np.intp]) -> None:
        self._resize(columns, len(columns))
        self.keys = tuple(self.keys[i] for i in columns.tolist())
        self._column = {key: i for i, key in enumerate(self.keys)}
        self._totals, self._base = self._totals[:, columns], self._base[:, columns]
        self._since, self._reported = self._since[columns], self._reported[columns]
        self._plan = self._goals = None

    def _resize(self, columns: NDArray[np.intp], room: int) -> None:
        self._room = room
        for buckets in self._buckets.values():
            buckets.keep(columns, room)

    def _remember(self) -> None:
        for buckets in self._buckets.values():
            buckets.put(self.time, self._totals)

    def _restore(self, state: LedgerState) -> None:
        """Take over what was kept, less what the objectives no longer cover."""
        known = [i for i, key in enumerate(state.keys) if self._covers(key.slo, key.model)]
        columns = np.array(known, dtype=np.intp)
        self.keys = tuple(state.keys[i] for i in known)
        self._column = {key: i for i, key in enumerate(self.keys)}
        self._totals = np.array([state.good[columns], state.bad[columns]])
        self._base = self._totals.copy()
        self._since, self._reported = state.since[columns], state.reported[columns]
        self._resize(np.arange(0, dtype=np.intp), len(known))
        by_resolution = {level.resolution: buckets for level, buckets in self._buckets.items()}
        for row in state.rows:
            buckets = by_resolution.get(row.resolution)
            if buckets is not None:
                padded = np.zeros((2, len(state.keys)))
                padded[GOOD, : len(row.good)], padded[BAD, : len(row.bad)] = row.good, row.bad
                padded[:, state.since > row.time] = 0.0  # of a series of that name that was forgotten meanwhile
                buckets.put(row.time, padded[:, columns], row.slot)

    def _is_about(self, name: str, sli: SloSli) -> bool:
        return name in self.objectives and self.objectives[name].sli is sli

    def _covers(self, slo: str, model: ModelKey) -> bool:
        objective = self.objectives.get(slo)
        return objective is not None and objective.covers(self.target, model.name)


def limited(state: LedgerState, names: Collection[str]) -> LedgerState:
    """A state with the series of these objectives alone, in their order."""
    columns = np.array([i for i, key in enumerate(state.keys) if key.slo in names], dtype=np.intp)
    if len(columns) == len(state.keys):
        return state

    def of(vector: FloatArray) -> FloatArray:
        kept: FloatArray = vector[columns[columns < len(vector)]]
        return kept

    return replace(
        state,
        keys=tuple(state.keys[i] for i in columns.tolist()),
        good=of(state.good),
        bad=of(state.bad),
        since=of(state.since),
        reported=of(state.reported),
        rows=tuple(replace(row, good=of(row.good), bad=of(row.bad)) for row in state.rows),
    )
