"""Cumulative sums of all series at remembered moments, and how much came after any of them.

A window's events are the totals now less the totals at the window's start, so a window of any length costs
one subtraction for all series, and nothing has to be added up.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.records import BucketRow, FloatArray
from triton_watch.slo.levels import CAPACITY, Level

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

GOOD, BAD = 0, 1


class Buckets:
    """A ring of rows at one resolution, over up to `room` series; row = (2, room) cumulative good and bad.

    `slots` and `times` (seconds) are oldest first.
    """

    def __init__(self, level: Level, room: int) -> None:
        self.level = level
        self.slots: list[int] = []
        self.times: list[float] = []
        self._places: list[int] = []
        self._matrix = np.zeros((CAPACITY, 2, room))

    def begin(self, time: float, totals: FloatArray) -> None:
        """Remember the totals (2, n) of the start: as if it were of the slot before, so that nothing replaces it."""
        self.put(time, totals, self.level.slot(time) - 1)

    def put(self, time: float, totals: FloatArray, slot: int | None = None) -> None:
        """Remember the totals (2, n) at a moment, which is no earlier than the last; in its slot it replaces that."""
        slot = self.level.slot(time) if slot is None else slot
        if not self.slots or slot > self.slots[-1]:
            self._push(slot)
        self.times[-1] = time
        self._matrix[self._places[-1], :, : totals.shape[1]] = totals

    def at_start(self, time: float, window: float) -> FloatArray:
        """Return (2, room): the totals at `time` less `window` seconds.

        That is the last row that is no younger, to half a slot; where all are younger, the oldest: nothing
        is known of the time before it.
        """
        count = bisect_right(self.times, time - window + self.level.resolution / 2)
        start: FloatArray = self._matrix[self._places[max(count - 1, 0)]]
        return start

    def rows(self, n: int, since_slot: int | None = None) -> Iterable[BucketRow]:
        """Copies of the rows of n series, oldest first, from a slot on."""
        for slot, time, place in zip(self.slots, self.times, self._places, strict=True):
            if since_slot is None or slot >= since_slot:
                good, bad = self._matrix[place, :, :n].copy()
                yield BucketRow(self.level.resolution, slot, time, good, bad)

    def column(self, column: int) -> tuple[FloatArray, FloatArray]:
        """One series' (k,) good and bad over the rows, oldest first."""
        values = self._matrix[self._places, :, column]
        return values[:, GOOD], values[:, BAD]

    def keep(self, columns: NDArray[np.intp], room: int) -> None:
        """Go over to these columns, in this order, with room for more."""
        matrix = np.zeros((CAPACITY, 2, room))
        for place in self._places:
            matrix[place, :, : len(columns)] = self._matrix[place][:, columns]
        self._matrix = matrix

    def _push(self, slot: int) -> None:
        if len(self.slots) == CAPACITY:
            place = self._places.pop(0)
            del self.slots[0], self.times[0]
        else:
            place = len(self.slots)
        self.slots.append(slot)
        self.times.append(0.0)
        self._places.append(place)
