"""Which series the columns of a ledger's vectors are, from flush to flush.

A blob is never written again because series came or went: it keeps its layout, and reading takes those of its
columns that live on. So a series that was evicted and came back must be another series to the store, or its new
events would be set off against its old ones. A new life is known by another `since`, or by its place in the order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from triton_watch.records import FloatArray, LedgerState, SeriesKey

NEW = -1
"""In the place of an id: the series has none yet."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """A ledger's row and current layout in the store, and the (n,) ids of its series."""

    ledger: int
    layout: int
    keys: tuple[SeriesKey, ...]
    since: FloatArray
    ids: NDArray[np.int64]
    layouts: int = 1
    """Layouts that are stored of this ledger."""

    def fit(self, state: LedgerState) -> bool:
        """Whether the state has exactly these series."""
        return self.keys == state.keys and np.array_equal(self.since, state.since)

    def lives_of(self, state: LedgerState) -> NDArray[np.int64]:
        """The (n,) ids of the state's series; `NEW` for a series that the store does not know, or not any more."""
        ids = np.full(len(state.keys), NEW, np.int64)
        place = {key: position for position, key in enumerate(self.keys)}
        last = -1
        for column, key in enumerate(state.keys):
            position = place.get(key, -1)
            if position > last and self.since[position] == state.since[column]:
                ids[column] = self.ids[position]
                last = position
        return ids

    def begin(self, ids: NDArray[np.int64]) -> bool:
        """Whether the ids only add to these: then the layout can grow, for shorter vectors are its beginning."""
        return ids.size >= self.ids.size and bool(np.array_equal(ids[: self.ids.size], self.ids))


def carried(vectors: FloatArray, layout: NDArray[np.int64], current: NDArray[np.int64]) -> FloatArray:
    """The (m, k) vectors of a layout, with the columns moved to where the current ids are; 0 for new series.

    Raises ValueError when the vectors are longer than their layout.
    """
    ids = layout[: vectors.shape[1]]
    if ids.size != vectors.shape[1]:
        raise ValueError(f"a bucket has {vectors.shape[1]} columns, and its layout {layout.size}")
    _, before, after = np.intersect1d(ids, current, assume_unique=True, return_indices=True)
    moved = np.zeros((vectors.shape[0], int(after.max(initial=-1)) + 1))
    moved[:, after] = vectors[:, before]
    return moved
