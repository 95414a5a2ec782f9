"""The last result for each key, for as long as it is made of the same parts."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_MOST: Final = 1000
"""Keys: more targets than one agent watches."""


class Memo(Generic[T]):
    """Keeps one result for each key; of more than `most` keys those are forgotten that were asked for longest ago.

    For any number of threads: whoever wants what another one is making waits for that, and for nothing else.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        """Held for moments, never while something is made."""
        self._places: OrderedDict[str, _Place[T]] = OrderedDict()

    def get(self, key: str, parts: tuple[object, ...], make: Callable[[], T]) -> T:
        """Return what was made of equal parts, or make it; state that is swapped whole is equal to itself alone."""
        place = self._place(key)
        known = place.known
        if known is not None and known[0] == parts:
            return known[1]
        with place.making:
            known = place.known
            if known is not None and known[0] == parts:
                return known[1]
            made = make()
            place.known = (parts, made)
            return made

    def _place(self, key: str) -> _Place[T]:
        with self._lock:
            place = self._places.get(key)
            if place is None:
                place = self._places[key] = _Place()
                if len(self._places) > self._most:
                    self._places.popitem(last=False)
            else:
                self._places.move_to_end(key)
            return place


class _Place(Generic[T]):
    """What is known of one key, and the lock of whoever makes it anew."""

    def __init__(self) -> None:
        self.making = threading.Lock()
        self.known: tuple[tuple[object, ...], T] | None = None
