"""The error budgets of all targets: fed after each cycle, read without waiting, written by the flush job."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from triton_watch.daemon.left_ledgers import MOST_LEFT, LeftLedgers
from triton_watch.daemon.state import TargetBudgets
from triton_watch.records.objective import matches
from triton_watch.slo.ledger import Ledger, limited
from triton_watch.slo.timeline import Timeline, after_pause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from triton_watch.records import Course, LedgerState, ModelKey, Objective, SliTable, SloSettings


@dataclass(slots=True)
class _Account:
    """One target: its ledgers by period, on one time line."""

    line: Timeline
    ledgers: dict[float, Ledger] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Budgets:
    """Keeps the ledgers of the watched targets. `stored` is what a store kept of an earlier process.

    `clock` gives monotonic seconds, `now` Unix seconds.
    """

    def __init__(
        self,
        settings: SloSettings,
        stored: Iterable[LedgerState] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        most_left: int = MOST_LEFT,
    ) -> None:
        self.settings = settings
        self._left = LeftLedgers(stored, now=now, most=most_left)
        self._clock = clock
        self._now = now
        self._lock = threading.Lock()
        self._accounts: dict[str, _Account] = {}
        self._targets: Mapping[str, TargetBudgets] = MappingProxyType({})

    def recall(self, stored: Iterable[LedgerState]) -> None:
        """What a store kept, that was opened later: for ledgers that are still to begin."""
        self._left.recall(stored)

    def all_known(self) -> None:
        """All targets were watched by now: what the store had of others may make room, too."""
        self._left.all_known()

    def watch(self, target: str) -> None:
        """Begin with a target, where a store left off if it knows it."""
        account = _Account(self._timeline(target))
        account.ledgers = self._ledgers(target, account)
        with self._lock:
            self._accounts[target] = account

    def forget(self, target: str) -> None:
        """A target is no longer watched; what the store has of it stays there until it is too old."""
        with self._lock:
            account = self._accounts.pop(target, None)
            self._targets = MappingProxyType({name: known for name, known in self._targets.items() if name != target})
        if account is not None:
            with account.lock:
                states = [ledger.changes(self._now(), full=True) for ledger in account.ledgers.values()]
            self._left.leave(states)

    def observe(self, target: str, table: SliTable | None) -> None:
        """Count what a cycle found, and judge; without a table time passes and windows move on."""
        account = self._accounts.get(target)
        if account is None:
            return
        wall = self._now()
        with account.lock:
            moment = account.line.advance(wall, self._clock())
            for ledger in account.ledgers.values():
                ledger.observe(table, moment)
            found = _judged(account.ledgers.values(), wall)
        with self._lock:
            if self._accounts.get(target) is account:
                self._targets = MappingProxyType({**self._targets, target: found})

    def targets(self) -> Mapping[str, TargetBudgets]:
        """The budgets of each target as of its last cycle; not changed after it was handed out."""
        return self._targets

    def courses(self, target: str, key: ModelKey) -> Mapping[str, Course]:
        """How the events of each objective of a model came about, by the objective's name.

        Waits for a cycle of the target that is being counted, and lets the next one wait.
        """
        account = self._accounts.get(target)
        if account is None:
            return {}
        with account.lock:
            wall = self._now()
            return {
                series.slo: ledger.course(series, wall)
                for ledger in account.ledgers.values()
                for series in ledger.keys
                if series.model == key
            }

    def changes(self, *, full: bool) -> list[LedgerState]:
        """What has to be written: what is new since the last call, or everything.

        Ledgers that went away are told once, and again when everything is: their target or period may come back.
        """
        states = self._left.changes(full=full)
        for account in list(self._accounts.values()):
            with account.lock:
                states += [ledger.changes(self._now(), full=full) for ledger in account.ledgers.values()]
        return states

    def swap(self, settings: SloSettings) -> None:
        """Go over to other objectives: what was counted for those that stay is kept, and judged anew at once."""
        before, self.settings = {one.name: one for one in self.settings.objectives}, settings
        same = {one.name for one in settings.objectives if one.name in before and before[one.name].sli is one.sli}
        self._left.limit(same)
        found = {}
        for target, account in list(self._accounts.items()):
            with account.lock:
                old = account.ledgers
                account.ledgers = self._ledgers(target, account, old)
                gone = [ledger for period, ledger in old.items() if period not in account.ledgers]
                found[target] = _judged(account.ledgers.values(), self._now())
            self._left.leave([limited(ledger.changes(self._now(), full=True), same) for ledger in gone])
        with self._lock:
            self._targets = MappingProxyType({**self._targets, **found})

    def _timeline(self, target: str) -> Timeline:
        wall = self._now()
        kept = self._left.of(target)
        begin = max((after_pause(state.time, state.wall, wall) for state in kept), default=wall)
        return Timeline(begin, wall, self._clock())

    def _ledgers(
        self, target: str, account: _Account, old: Mapping[float, Ledger] = MappingProxyType({})
    ) -> dict[float, Ledger]:
        ledgers = {}
        for period, objectives in _by_period(self.settings.objectives, target).items():
            if period in old:
                ledgers[period] = old[period].succeeded_by(objectives)
            else:
                state = self._left.take(target, period)
                ledgers[period] = Ledger(target, objectives, time=account.line.time, state=state)
        return ledgers


def _by_period(objectives: Iterable[Objective], target: str) -> dict[float, Sequence[Objective]]:
    groups: dict[float, list[Objective]] = defaultdict(list)
    for objective in objectives:
        if matches(objective.targets, target):
            groups[objective.period].append(objective)
    return dict(groups)


def _judged(ledgers: Iterable[Ledger], wall: float) -> TargetBudgets:
    matched: dict[str, int] = {}
    odd: dict[str, int] = {}
    refused, tables = 0, []
    for ledger in ledgers:
        tables.append(ledger.table(wall))
        matched |= ledger.matched()
        odd |= ledger.odd
        refused += ledger.refused
    return TargetBudgets(tuple(tables), MappingProxyType(matched), MappingProxyType(odd), refused)
