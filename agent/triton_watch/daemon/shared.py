"""Answers that many readers ask for at once are made once: kept for a moment, bounded, one maker at a time for each."""

from __future__ import annotations

import time
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")

KEPT_SECONDS: Final = 1.0
KEPT_ENTRIES: Final = 64
KEPT_BYTES: Final = 16 * 2**20


def weight_of_bytes(value: object) -> int:
    """The bytes that a value holds, as far as that is plain to see; 0 for all but bytes."""
    return len(value) if isinstance(value, bytes) else 0


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    value: T
    until: float
    weight: int


class Shared(Generic[T]):
    """What was made for a key is everybody's for `seconds` after its making began. For any number of threads.

    Whoever asks while it is being made waits for it, and does not make it again. What `make` raises reaches those
    who wait, too, and is not kept: the next one to ask makes anew. `make` must not ask for its own key.
    At most `entries` values and `weight` bytes (as `weigh` counts them) are kept; the oldest go first.
    """

    def __init__(
        self,
        seconds: float = KEPT_SECONDS,
        entries: int = KEPT_ENTRIES,
        weight: int = KEPT_BYTES,
        *,
        weigh: Callable[[T], int] = weight_of_bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds, self._entries, self._weight = seconds, entries, weight
        self._weigh, self._clock = weigh, clock
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, _Kept[T]] = OrderedDict()
        self._making: dict[Hashable, Future[T]] = {}
        self._total = 0

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what was made for `key` of late, or make it. Raises what `make` raises."""
        with self._lock:
            self._forget_old()
            kept = self._kept.get(key)
            if kept is not None and kept.until > self._clock():
                return kept.value
            under_way = self._making.get(key)
            if under_way is None:
                mine = self._making[key] = Future()
        return self._made(key, make, mine) if under_way is None else under_way.result()

    def _made(self, key: Hashable, make: Callable[[], T], mine: Future[T]) -> T:
        until = self._clock() + self._seconds
        try:
            value = make()
            kept = _Kept(value, until, self._weigh(value))
        except BaseException as error:
            with self._lock:
                del self._making[key]
            mine.set_exception(error)
            raise
        with self._lock:
            del self._making[key]
            self._keep(key, kept)
        mine.set_result(value)
        return value

    def _keep(self, key: Hashable, kept: _Kept[T]) -> None:
        before = self._kept.pop(key, None)  # one that took long is old behind one that is not
        self._total += kept.weight - (0 if before is None else before.weight)
        self._kept[key] = kept
        while len(self._kept) > self._entries or self._total > self._weight:
            self._drop_oldest()

    def _forget_old(self) -> None:
        now = self._clock()
        while self._kept and next(iter(self._kept.values())).until <= now:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        _, dropped = self._kept.popitem(last=False)
        self._total -= dropped.weight
