"""The last hour of one target in slots of 30 seconds: what sparklines are drawn of.

A poll's sums go whole into the slot in which the poll ended, and the time that it watched with them. So a ratio of two
sums of a slot, or of any number of slots, is exact: requests / SECONDS is the mean rate while somebody watched. Where
polls are farther apart than a slot is long (an interval of 60 s, a server that was down), some slots are not there, and
the next one tells of the time before it, too: its SECONDS say of how much.

Sums are kept in single precision: seven digits, whole numbers exact up to 16 million in a slot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from triton_watch.records import Counter, FloatArray, ModelIndex, RecentSlot, RecentTable, Sum
from triton_watch.slo.events import ABSURD
from triton_watch.slo.sli import MICROSECOND, good_and_bad

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from triton_watch.records import SliTable

SLOT: Final = 30.0
"""Seconds."""
SLOTS: Final = 120
_OF_BATCHES = (Sum.QUEUE, Sum.INFERENCES, Sum.EXECUTIONS)
"""What an ensemble has none of its own of."""


class Recent:
    """Takes polls in. One thread at a time; `table` is for any, and never changes after it was handed out."""

    def __init__(self) -> None:
        self.table = RecentTable()
        self._placed: tuple[ModelIndex, ModelIndex, NDArray[np.intp]] | None = None
        """Rows of the models of the last poll in the slot's own index."""

    def observe(self, slis: SliTable | None, at: float) -> None:
        """Add a poll that ended at `at` (Unix seconds, which may jump); without a table, time passes.

        What is older than an hour, or later than now, is dropped.
        """
        begin = at // SLOT * SLOT
        kept = tuple(slot for slot in self.table.slots if begin - SLOTS * SLOT < slot.begin <= begin)
        if slis is not None and slis.interval > 0 and not slis.counters_off:
            before = kept[-1] if kept else None
            if before is not None and before.begin == begin:
                kept = (*kept[:-1], self._added(before, slis))
            else:
                kept = (*kept, self._opened(begin, slis, before))
        if kept != self.table.slots:
            self.table = RecentTable(kept)

    def _opened(self, begin: float, slis: SliTable, before: RecentSlot | None) -> RecentSlot:
        models = slis.models
        if before is not None and before.models is not models and _has_room_for(before.models, models):
            models = before.models
        nothing = np.zeros((len(Sum), len(models)), dtype=np.float32)
        return self._added(RecentSlot(begin, SLOT, models, nothing), slis)

    def _added(self, slot: RecentSlot, slis: SliTable) -> RecentSlot:
        """The slot with a poll more; models that it does not know yet are appended."""
        new = _sums(slis)
        models, sums = slot.models, slot.sums
        if models is slis.models:
            return RecentSlot(slot.begin, slot.seconds, models, (sums + new).astype(np.float32))
        if not models.row.keys() >= slis.models.row.keys():
            models = _joined(models, slis.models)
        grown = np.zeros((len(Sum), len(models)))
        grown[:, : sums.shape[1]] = sums
        grown[:, self._rows(models, slis.models)] += new
        return RecentSlot(slot.begin, slot.seconds, models, grown.astype(np.float32))

    def _rows(self, models: ModelIndex, polled: ModelIndex) -> NDArray[np.intp]:
        if self._placed is None or self._placed[0] is not models or self._placed[1] is not polled:
            self._placed = models, polled, np.array([models.row[key] for key in polled.keys], dtype=np.intp)
        return self._placed[2]


def _has_room_for(models: ModelIndex, polled: ModelIndex) -> bool:
    """Whether a slot's index serves the next slot, too: where models come and go, one index is shared by many slots."""
    return len(models) <= 2 * len(polled) and models.row.keys() >= polled.row.keys()


def _joined(models: ModelIndex, polled: ModelIndex) -> ModelIndex:
    keys = models.keys + tuple(key for key in polled.keys if key not in models.row)
    return ModelIndex(keys, {key: row for row, key in enumerate(keys)})


def _sums(slis: SliTable) -> FloatArray:
    """(len(Sum), n) of one interval; zeros, watched for no time, where a model's requests are not known."""
    deltas = slis.deltas
    sums = np.empty((len(Sum), len(slis.models)))
    sums[Sum.GOOD], sums[Sum.BAD] = good_and_bad(deltas)
    sums[Sum.QUEUE] = deltas[Counter.QUEUE_US] * MICROSECOND
    sums[Sum.REQUEST] = deltas[Counter.REQUEST_US] * MICROSECOND
    sums[Sum.INFERENCES] = deltas[Counter.INFERENCES]
    sums[Sum.EXECUTIONS] = deltas[Counter.EXECUTIONS]
    sums[Sum.SECONDS] = slis.interval
    ensembles = slis.configs.is_ensemble
    if ensembles.any():
        for row in _OF_BATCHES:
            sums[row, ensembles] = np.nan
    unknown = np.isnan(sums[Sum.GOOD]) | (sums > ABSURD).any(axis=0)
    sums[:, unknown] = 0.0
    return sums
