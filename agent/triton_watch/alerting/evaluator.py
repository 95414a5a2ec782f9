"""The conditions of all targets through the state machine of `machine`, on clocks that are handed in."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from triton_watch.alerting.board import ORPHAN, Board, Moment
from triton_watch.alerting.in_force import InForce, target_of
from triton_watch.alerting.machine import ended, unknown
from triton_watch.alerting.roster import Roster
from triton_watch.conventions.alerts import WATCHDOG

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Collection, Iterable, Sequence

    from triton_watch.alerting.definition import AlertDefinition, Facts
    from triton_watch.alerting.in_force import Found
    from triton_watch.records import AlertKey, AlertSettings, AlertState

LIMIT: Final = 20_000
"""Alerts at the same time, resolved ones included. One target may have half of them: it must not hide the others."""
_NO_TARGET: Final = ""


class Evaluator:
    """Keeps the alerts of all targets. `stored` are those of the process before: not known until their target is.

    `clock` gives monotonic seconds, by which durations are measured, `now` Unix seconds. Every method is for any
    thread; `states` and `refused` return at once.
    """

    def __init__(
        self,
        settings: AlertSettings,
        definitions: Sequence[AlertDefinition],
        stored: Iterable[AlertState] = (),
        *,
        log: logging.Logger,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        limit: int = LIMIT,
    ) -> None:
        self._log = log
        self._clock = clock
        self._now = now
        self._limit = limit
        self._lock = threading.Lock()
        self._definitions = tuple(definitions)
        self._in_force = InForce(settings, self._definitions)
        self._watched: frozenset[str] | None = None
        self._boards: dict[str, Board] = {}
        self._failing: set[str] = set()
        self._is_full = False
        self._roster = Roster()
        self._bark()
        for state in tuple(stored)[:limit]:
            self._restore(state)
        self._publish(self._boards.values())

    @property
    def refused(self) -> int:
        """Alerts that were not begun for want of room, at the last evaluation of each target."""
        return sum(board.refused for board in tuple(self._boards.values()))

    def states(self) -> tuple[AlertState, ...]:
        """All alerts that are not inactive: firing, pending, resolved, each kind by severity, name and labels."""
        return self._roster.states

    def observe(self, facts: Facts) -> None:
        """Evaluate everything on one target, which must be among those of the last `only`, if there was one."""
        self.observe_all((facts,))

    def observe_all(self, facts: Iterable[Facts]) -> None:
        """Evaluate everything on these targets, of which those that the last `only` does not have are ignored.

        The alerts are sorted once, however many targets change.
        """
        found = tuple(facts)
        with self._lock:
            seen: dict[str, Board] = {}
            total = sum(board.size for board in self._boards.values())
            for one in found if self._in_force else ():
                target = one.snapshot.target.name
                if self._watched is None or target in self._watched:
                    board = seen[target] = self._board(target)
                    others = total - board.size
                    self._see(board, one, min(self._limit - others, self._limit // 2))
                    total = others + board.size
            if seen:
                self._tell_room(seen.values())
                self._publish(seen.values())

    def advance(self) -> None:
        """Let time pass; cheap where nothing is pending, about to resolve or resolved."""
        with self._lock:
            moment = Moment(self._clock(), self._now())
            counting = [board for board in self._boards.values() if board.is_counting]
            for board in counting:
                board.let_pass(moment)
            self._publish(counting)

    def only(self, targets: Collection[str]) -> None:
        """From now on these targets are watched: what hangs on others resolves, and facts about them are ignored."""
        with self._lock:
            watched = frozenset(targets)
            if watched == self._watched:
                return
            self._watched = watched
            gone = [board for name, board in self._boards.items() if name != _NO_TARGET and name not in watched]
            for board in gone:
                board.end(self._now())
            self._publish(gone)

    def swap(self, settings: AlertSettings) -> None:
        """Go over to other settings. What they switch off, or tell with another severity, resolves at once."""
        with self._lock:
            if settings == self._in_force.settings:
                return
            self._in_force = InForce(settings, self._definitions)
            for board in self._boards.values():
                board.rebase(self._in_force, self._now())
            self._bark()
            self._publish(self._boards.values())

    def _see(self, board: Board, facts: Facts, room: int) -> None:
        moment = Moment(self._clock(), self._now(), is_new=facts.snapshot.cycle != board.cycle)
        board.cycle, board.refused = facts.snapshot.cycle, 0
        board.let_pass(moment)
        for place in self._in_force.places():
            board.see(place, self._found(place, facts, has_alerts=board.has(place)), moment, room)

    def _found(self, place: int, facts: Facts, *, has_alerts: bool) -> dict[AlertKey, Found] | None:
        name = self._definitions[place].name
        try:
            return self._in_force.judge(place, facts, has_alerts=has_alerts)
        except Exception as error:  # noqa: BLE001 - a fault of ours in one condition must not silence all other alerts
            if name not in self._failing:
                self._failing.add(name)
                where, kind = facts.snapshot.target.name, type(error).__name__
                self._log.error("%s is not known on %s: its condition fails (%s: %s)", name, where, kind, error)
            return None

    def _tell_room(self, boards: Iterable[Board]) -> None:
        board = next((one for one in boards if one.refused), None)
        if board is not None and not self._is_full:
            self._log.error(
                "there are more alerts than the %d that are kept: %d on %s are left out; look at those that fire first",
                self._limit,
                board.refused,
                board.target,
            )
        self._is_full = self.refused > 0

    def _board(self, target: str) -> Board:
        if target not in self._boards:
            self._boards[target] = Board(target, self._in_force, self._clock())
        return self._boards[target]

    def _bark(self) -> None:
        """Let the watchdog fire where it is wanted and does not."""
        watchdog = self._in_force.watchdog(self._now())
        if watchdog is not None:
            place, fires = watchdog
            board = self._board(_NO_TARGET)
            if not any(one.key == fires.key and one.phase is fires.phase for one in board.states()):
                board.put(place, fires)

    def _restore(self, state: AlertState) -> None:
        """Take a stored alert; one that nobody evaluates any more ends, and is told."""
        board = self._board(target_of(state.key.labels))
        places = self._in_force.places_of(state.key, board.target)
        over = None if places else ended(state, self._now())
        if over is not None:
            board.put(ORPHAN, over)
        for place in places:
            if self._definitions[place].name != WATCHDOG:
                board.put(place, unknown(state))

    def _publish(self, boards: Collection[Board]) -> None:
        changes = [change for board in boards for change in board.changes()]
        if changes:
            self._roster.update(changes, self._everything)
        for board in tuple(boards):
            if not board.size and self._watched is not None and board.target not in self._watched:
                self._boards.pop(board.target, None)

    def _everything(self) -> list[AlertState]:
        return [state for board in self._boards.values() for state in board.states()]
