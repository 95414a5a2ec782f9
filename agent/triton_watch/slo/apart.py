"""Canaries are counted by the server like any request: here they come off, before the counters are about clients.

Exact: requests, and the inferences in them. Not exact, for no counter tells: the time they took (the mean of all
requests is taken for theirs), executions (a canary may have shared one), and a canary that was canceled at its
deadline, which the server may still answer and count later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.records import Counter, ModelKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.records import CanarySent, ConfigVectors, FloatArray, ModelIndex
    from triton_watch.slo.deltas import Deltas

_DURATIONS = (
    Counter.REQUEST_US,
    Counter.QUEUE_US,
    Counter.COMPUTE_INPUT_US,
    Counter.COMPUTE_INFER_US,
    Counter.COMPUTE_OUTPUT_US,
)
_FAILURES = (Counter.FAIL_BACKEND, Counter.FAIL_OTHER, Counter.FAIL_UNLABELLED, Counter.FAIL_REJECTED)
"""Where a canary that was answered with an error may stand, the likeliest first."""


@dataclass(slots=True)
class _Owed:
    """What a model's counters will show, or have shown: requests served, requests answered with an error.

    `each` is the rows of one request. The server counts a moment after it answers, so an error that no page shows yet
    waits for the next one (`old`) before it is looked for among the successes, where an error that a model returns
    is counted.
    """

    served: float = 0.0
    broken: float = 0.0
    old: float = 0.0
    each: float = 1.0


class CanaryDebt:
    """Remembers canaries until the counters show them. For one target, not for two threads at once."""

    def __init__(self) -> None:
        self._owed: dict[ModelKey, _Owed] = {}

    def add(self, sent: Mapping[ModelKey, CanarySent]) -> None:
        """Add what was sent since the last time."""
        for key, count in sent.items():
            owed = self._owed.setdefault(key, _Owed())
            owed.served += count.served
            owed.broken += count.broken
            if count.served + count.broken:
                owed.each = count.rows / (count.served + count.broken)

    def taken_off(self, deltas: Deltas, models: ModelIndex, configs: ConfigVectors) -> Deltas:
        """Return the deltas without the canaries that they hold."""
        if not self._owed or deltas.interval <= 0:
            return deltas
        counters = deltas.counters.copy()
        rows = rows_by_name(models)
        for key, owed in list(self._owed.items()):
            row = rows.get((key.name, key.version))
            if row is None or not counters[Counter.SUCCESS, row] >= 0:
                del self._owed[key]  # the model is gone, and its counters with it
                continue
            column = counters[:, row]
            _take(column, owed, has_cache=bool(configs.has_cache[row]), most=float(configs.max_batch_size[row]))
            if deltas.was_reset[row]:
                owed.served = owed.broken = owed.old = 0.0
            if not (owed.served or owed.broken or owed.old):
                del self._owed[key]
        return replace(deltas, counters=counters)


def rows_by_name(models: ModelIndex) -> Mapping[tuple[str, str], int]:
    """Row of each model by name and version: canaries know no namespaces."""
    return {(key.name, key.version): row for row, key in enumerate(models.keys)}


def _take(column: FloatArray, owed: _Owed, *, has_cache: bool, most: float) -> None:
    """Take the debt off one model's counters, as far as they show it."""
    before = float(column[Counter.SUCCESS])
    served = min(owed.served, before)
    owed.served -= served
    left = owed.broken + owed.old
    for counter in _FAILURES:
        if column[counter] > 0:  # False where the page lacks it
            taken = min(left, float(column[counter]))
            column[counter] -= taken
            left -= taken
    failed = owed.broken + owed.old - left
    as_success = min(owed.old, left, before - served)
    left -= as_success
    owed.broken, owed.old = 0.0, left
    taken = served + as_success
    if taken > 0:
        column[Counter.SUCCESS] = before - taken
        column[list(_DURATIONS)] *= (before - taken) / before
    computed = taken - (_take_hits(column, taken) if has_cache else 0.0)
    _take_batches(column, computed, computed * owed.each, failed, most)


def _take_hits(column: FloatArray, taken: float) -> float:
    """Take canaries off hits and misses of the cache; return those that were hits, which the model never saw."""
    hits = min(taken, float(np.nan_to_num(column[Counter.CACHE_HITS])))
    column[Counter.CACHE_HITS] -= hits
    column[Counter.CACHE_MISSES] = max(0.0, float(column[Counter.CACHE_MISSES]) - (taken - hits))
    return hits


def _take_batches(column: FloatArray, computed: float, rows: float, failed: float, most: float) -> None:
    """Executions that fail are counted, their inferences are not. No fewer are left than the inferences need."""
    if computed + failed <= 0:
        return
    inferences = max(0.0, float(column[Counter.INFERENCES]) - rows)
    fewest = np.ceil(inferences / max(1.0, float(np.nan_to_num(most))))
    column[Counter.INFERENCES] = inferences
    column[Counter.EXECUTIONS] = max(fewest, float(column[Counter.EXECUTIONS]) - computed - failed, 0.0)
