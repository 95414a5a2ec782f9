"""A server that does not answer is left in peace: all its canaries wait, but for a scout now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from triton_watch.records import ModelKey

PATIENCE: Final = 3
"""Canaries in a row without an answer, of any models, before the others wait."""
_LONGEST: Final = 120.0


class Backoff:
    """Decides whether a canary may go. Pauses double from `interval` to four times that, at most two minutes.

    One model that hangs among others that answer stops nobody: an answer ends everything.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._silent = 0
        self._pause = min(interval, _LONGEST)
        self._next = 0.0
        self._has_scout = False
        self._asked: set[ModelKey] = set()

    def may_go(self, now: float) -> bool:
        """Whether a canary may go now (monotonic seconds); of those that wait one is let through a pause."""
        if self._silent < PATIENCE:
            return True
        if now < self._next:
            return False
        self._next, self._has_scout = now + self._pause, True
        return True

    def unanswered(self, key: ModelKey, now: float, models: int) -> None:
        """Count a canary without an answer; of a server with several `models` it takes several to count."""
        if self._silent >= PATIENCE:
            self._failed_while_waiting(now)
            return
        self._asked.add(key)
        self._silent += 1
        if self._silent >= PATIENCE and len(self._asked) < min(PATIENCE, models):
            self._silent = PATIENCE - 1
        if self._silent >= PATIENCE:
            self._next = now + self._pause

    def answered(self) -> None:
        """The server is there."""
        self._silent, self._pause, self._has_scout = 0, min(self._interval, _LONGEST), False
        self._asked.clear()

    def _failed_while_waiting(self, now: float) -> None:
        """A scout makes the pauses longer; canaries that were under way before the others wait say nothing new."""
        if self._has_scout:
            self._has_scout = False
            self._pause = min(2 * self._pause, 4 * self._interval, _LONGEST)
            self._next = now + self._pause
