"""The ledgers of targets that are not watched: kept, for their targets or periods may come back, and bounded."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.slo.ledger import limited

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from triton_watch.records import LedgerState

MOST_LEFT: Final = 10_000
"""Series, in memory and in the store: some 6 KB each after a month."""
_MOST_DROPPED: Final = 200
"""Ledgers that the store is told to forget at a time; it forgets others when they are out of their period."""


class LeftLedgers:
    """Those that a store kept of an earlier process, and those that this one left. For any number of threads.

    `now` gives Unix seconds, `most` is in series.
    """

    def __init__(self, stored: Iterable[LedgerState], *, now: Callable[[], float], most: int) -> None:
        self._now = now
        self._most = most
        self._lock = threading.Lock()
        """Held for moments."""
        self._states = {(state.target, state.period): state for state in stored}
        self._own: set[tuple[str, float]] = set()
        """Those that this process left."""
        self._unwritten: set[tuple[str, float]] = set()
        self._dropped: list[LedgerState] = []
        """What the store is to forget with the next changes."""
        self._all_known = False

    def recall(self, stored: Iterable[LedgerState]) -> None:
        """Add what a store kept, that was opened later."""
        with self._lock:
            self._states.update({(state.target, state.period): state for state in stored})

    def leave(self, states: Iterable[LedgerState]) -> None:
        """Keep whole ledgers that are no longer counted in, and have them written."""
        left = {(state.target, state.period): state for state in states}
        with self._lock:
            self._states.update(left)
            self._own |= left.keys()
            self._unwritten |= left.keys()
            self._make_room()

    def all_known(self) -> None:
        """All targets were watched by now: what an earlier process left of others may make room, too."""
        self._all_known = True

    def of(self, target: str) -> list[LedgerState]:
        """Return what there is of a target."""
        with self._lock:
            return [state for (name, _), state in self._states.items() if name == target]

    def take(self, target: str, period: float) -> LedgerState | None:
        """Return a ledger that is counted in again, and keep it no longer; `period` is in seconds."""
        with self._lock:
            self._own.discard((target, period))
            return self._states.pop((target, period), None)

    def limit(self, objectives: Collection[str]) -> None:
        """Drop the series of all other objectives."""
        with self._lock:
            self._states = {place: limited(state, objectives) for place, state in self._states.items()}

    def changes(self, *, full: bool) -> list[LedgerState]:
        """Return what has to be written: what is new since the last call, or everything."""
        with self._lock:
            unwritten, self._unwritten = self._unwritten, set()
            dropped, self._dropped = self._dropped, []
            states = [state for place, state in self._states.items() if full or place in unwritten]
        return states if full else [*dropped, *states]  # one that was dropped may have been left again

    def _make_room(self) -> None:
        """Let the ledgers go that were left first, so that targets that come and go for ever do not fill memory.

        The store forgets what is out of its period: these are told once more as if they were that. What an earlier
        process left stays until all targets are known: its target may still be found.
        """
        now, room = self._now(), self._most
        for place, state in sorted(self._states.items(), key=lambda one: -one[1].wall):
            if not (self._all_known or place in self._own):
                continue
            room -= max(1, len(state.keys))
            if room < 0 or state.wall + state.period < now:
                del self._states[place]
                self._own.discard(place)
                self._unwritten.discard(place)
                self._dropped.append(replace(state, wall=0.0, rows=()))
        del self._dropped[:-_MOST_DROPPED]
