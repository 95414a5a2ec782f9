"""Canaries are counted by the server like any request: here they come off, before the counters are about clients.

Exact over time: requests, and the inferences in them. Not exact, for no counter tells: the time they took (the mean
of all requests is taken for theirs), executions (a canary may have shared one), which requests the cache answered,
a model that counts some errors as failures and some as successes, and a canary that was canceled at its deadline,
which the server may still answer and count later.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.records import Counter, ModelKey
from triton_watch.slo.owed import Owed, take

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.records import CanarySent, ConfigVectors, FloatArray, ModelIndex
    from triton_watch.slo.deltas import Deltas


class CanaryDebt:
    """Remembers canaries until the counters show them. For one target, not for two threads at once."""

    def __init__(self) -> None:
        self._owed: dict[ModelKey, Owed] = {}
        self._shown: tuple[ModelIndex, FloatArray] | None = None

    def add(self, sent: Mapping[ModelKey, CanarySent]) -> None:
        """Add what was sent since the last time."""
        for key, count in sent.items():
            if not count.served + count.broken:
                continue
            owed = self._owed.setdefault(key, Owed())
            owed.new.served += count.served
            owed.new.broken += count.broken
            owed.each = count.rows / (count.served + count.broken)

    def taken_off(self, deltas: Deltas, models: ModelIndex, configs: ConfigVectors) -> Deltas:
        """Return the deltas without the canaries that they hold."""
        if deltas.interval <= 0:
            self._owed.clear()  # the first page: what it shows is where counting begins
            return deltas
        if self._owed:
            deltas = replace(deltas, counters=deltas.counters.copy())
            self._take_all(deltas, models, configs)
        self._shown = models, deltas.counters[Counter.SUCCESS]
        return deltas

    def _take_all(self, deltas: Deltas, models: ModelIndex, configs: ConfigVectors) -> None:
        rows = rows_by_name(models)
        before, shown = (rows, None) if self._shown is None else (rows_by_name(self._shown[0]), self._shown[1])
        for key, owed in list(self._owed.items()):
            place = (key.name, key.version)
            row = rows.get(place)
            if row is None or not deltas.counters[Counter.SUCCESS, row] >= 0:
                del self._owed[key]  # the model is gone, and its counters with it
                continue
            old = before.get(place)
            owed.pass_time(deltas.interval, 0.0 if shown is None or old is None else float(np.nan_to_num(shown[old])))
            take(
                deltas.counters[:, row],
                owed,
                has_cache=bool(configs.has_cache[row]),
                most=float(configs.max_batch_size[row]),
            )
            if deltas.was_reset[row] or owed.is_settled:
                del self._owed[key]


@lru_cache(maxsize=64)  # a target's index is one object while its models stay the same: see `ModelIndex`
def rows_by_name(models: ModelIndex) -> Mapping[tuple[str, str], int]:
    """Row of each model by name and version: canaries know no namespaces."""
    return {(key.name, key.version): row for row, key in enumerate(models.keys)}
