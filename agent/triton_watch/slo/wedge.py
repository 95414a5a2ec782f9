"""ModelWedged: requests wait for a model, and none is answered, poll after poll."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from triton_watch.records import Sli, Wedged
from triton_watch.records.snapshot import WEDGED_POLLS
from triton_watch.slo.sli import ROW

if TYPE_CHECKING:
    from triton_watch.records import FloatArray, ModelIndex, ModelKey, SliTable

POLLS: Final = WEDGED_POLLS
_SUSPECT: Final = 2
"""Polls in a row after which a model is reported at all: `Wedged.is_sure` says from when on that is certain."""
_PATIENCE: Final = 3.0
"""Times the usual request time that must have passed, too: a slow model is not a dead one."""


class WedgeWatch:
    """Counts, for each model, the polls without an answer. For one target, not for two threads at once."""

    def __init__(self) -> None:
        self._models: ModelIndex | None = None
        self._count = self._seconds = self._usual = np.zeros(0)
        self._waiting = self._waited = np.zeros(0)
        """Requests that wait at the end of the last interval, and at its beginning."""

    def observe(self, table: SliTable | None) -> dict[ModelKey, Wedged]:
        """Take in a poll; return the models that look wedged, `Wedged.is_sure` or not.

        One poll is enough where requests waited from the beginning of the interval, and usually take less than that.
        Where nothing is counted nothing is known, and nothing changes.
        """
        if table is None or table.completed is None or table.counters_off or table.interval <= 0:
            return {} if table is None else self._wedged(table)
        self._align(table.models)
        with np.errstate(invalid="ignore"):
            stuck = (table.frame.pending > 0) & (table.completed == 0) & ~table.was_reset & ~table.is_new
        self._count = np.where(stuck, self._count + 1, 0.0)
        self._seconds = np.where(stuck, self._seconds + table.interval, 0.0)
        times = table.values[ROW[Sli.REQUEST_TIME]]
        self._usual = np.where(np.isnan(times), self._usual, times)
        self._waited, self._waiting = self._waiting, table.frame.pending
        return self._wedged(table)

    def _wedged(self, table: SliTable) -> dict[ModelKey, Wedged]:
        if self._models is not table.models:
            return {}
        with np.errstate(invalid="ignore"):
            at_once = (self._count == 1) & (self._waited > 0) & (self._usual > 0)
        suspect = at_once | (self._count >= _SUSPECT)
        found = np.flatnonzero(suspect & (self._seconds > _PATIENCE * self._usual))
        return {
            table.models.keys[row]: Wedged(
                int(self._count[row]), float(self._seconds[row]), float(table.frame.pending[row])
            )
            for row in found.tolist()
        }

    def _align(self, models: ModelIndex) -> None:
        if self._models is models:
            return
        old = {} if self._models is None else self._models.row
        rows = np.array([old.get(key, -1) for key in models.keys], dtype=np.intp)
        self._count, self._seconds, self._usual, self._waiting = (
            _moved(values, rows) for values in (self._count, self._seconds, self._usual, self._waiting)
        )
        self._models = models


def _moved(values: FloatArray, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> FloatArray:
    padded = np.append(values, 0.0)
    moved: FloatArray = padded[np.where(rows < 0, len(values), rows)]
    return moved
