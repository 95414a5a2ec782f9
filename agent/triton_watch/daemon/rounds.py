"""Many who wait for the same page get one: however many ask, the next in line waits for one making, or two."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")


class Rounds(Generic[T]):
    """What was made for a key is for all who had asked before its making began, so that nobody gets anything old.

    `clock`: monotonic seconds. For any number of threads; one at a time makes. The last value of each key is kept,
    so there should be few.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._last: dict[Hashable, tuple[float, T]] = {}

    def get(self, key: Hashable, asked_at: float, make: Callable[[], T]) -> T:
        """Return what was made for `key` since `asked_at`, or make it. Raises what `make` raises."""
        with self._lock:
            last = self._last.pop(key, None)
            if last is not None and last[0] > asked_at:
                self._last[key] = last
                return last[1]
            del last  # which may be megabytes, before there are as many again
            begun = self._clock()
            value = make()
            self._last[key] = begun, value
            return value
