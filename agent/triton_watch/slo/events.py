"""Good and bad events of one interval, for all models that an objective covers (DESIGN §4).

Requests: those of an interval are all good when the interval's value is within the threshold, else all
bad. Batches and GPUs: each second of an interval with traffic is good or bad.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.records import Counter, FloatArray, Sli, SliTable, SloSli
from triton_watch.slo.sli import MICROSECOND, ROW, good_and_bad

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

TICK = 1024
"""Fractions of a second that are told apart: sums of such seconds are exact in floating point."""
ABSURD = 2.0**50
"""No interval has so many events: a counter that jumped there is garbage."""


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """Some models of a table, all with one served quantile; `rows`, `low` and `high` are (m,), NaN = open."""

    rows: NDArray[np.intp]
    low: FloatArray
    high: FloatArray
    quantile: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """(m,) good and bad events, and whether the indicator had a say; `odd` is how many had to be thrown away."""

    good: FloatArray
    bad: FloatArray
    reported: NDArray[np.bool_]
    odd: int = 0


def events_of(sli: SloSli, table: SliTable, scope: Scope) -> Events:
    """Return the events of the table's interval. Where the indicator had no say there are none."""
    good, bad, says = _COUNTERS[sli](table, scope)
    reported = says & applies(sli, table, scope.rows) & (table.interval > 0)
    if sli is not SloSli.CANARY:
        reported &= not table.counters_off
    sane = (good >= 0) & (bad >= 0) & (good < ABSURD) & (bad < ABSURD)
    odd = int(np.count_nonzero(reported & ~sane))
    reported &= sane
    return Events(np.where(reported, good, 0.0), np.where(reported, bad, 0.0), reported, odd)


def applies(sli: SloSli, table: SliTable, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """(m,) whether the server serves the indicator for the models at all, traffic or not."""
    there = _Served(table, rows)
    return {
        SloSli.AVAILABILITY: lambda: there.counters(Counter.SUCCESS),
        SloSli.REQUEST_TIME: lambda: there.counters(Counter.SUCCESS, Counter.REQUEST_US),
        SloSli.QUEUE_TIME: lambda: there.counters(Counter.SUCCESS, Counter.QUEUE_US) & there.has_instances,
        SloSli.BATCH_EFFICIENCY: there.batches,
        SloSli.GPU_UTILIZATION: there.gpus,
        SloSli.TTFT: there.histogram,
        SloSli.CANARY: there.canaries,
    }[sli]()


@dataclass(frozen=True, slots=True, eq=False)
class _Served:
    table: SliTable
    rows: NDArray[np.intp]

    def counters(self, *counters: Counter) -> NDArray[np.bool_]:
        known: NDArray[np.bool_] = ~np.isnan(self.table.frame.counters[list(counters)][:, self.rows]).any(axis=0)
        return known

    @property
    def has_instances(self) -> NDArray[np.bool_]:
        own: NDArray[np.bool_] = ~self.table.configs.is_ensemble[self.rows]
        return own

    def batches(self) -> NDArray[np.bool_]:
        takes_batches = self.table.configs.max_batch_size[self.rows] > 1
        served = self.counters(Counter.SUCCESS, Counter.INFERENCES, Counter.EXECUTIONS, Counter.REQUEST_US)
        return served & takes_batches & self.has_instances

    def gpus(self) -> NDArray[np.bool_]:
        placed = self.table.configs.on_gpu[:, self.rows]
        mapped: NDArray[np.bool_] = (placed == 1).any(axis=0) & ~np.isnan(placed).any(axis=0)
        return mapped & self.counters(Counter.SUCCESS, Counter.COMPUTE_INFER_US)

    def canaries(self) -> NDArray[np.bool_]:
        """Which models have one changes with every load; a target either has canaries or not."""
        return np.full(len(self.rows), self.table.canaries is not None)

    def histogram(self) -> NDArray[np.bool_]:
        served = self.table.frame.first_response
        if served is None:
            return np.zeros(len(self.rows), dtype=np.bool_)
        known: NDArray[np.bool_] = ~np.isnan(served.counts[-1, self.rows])
        return known


_Counted = tuple[FloatArray, FloatArray, "NDArray[np.bool_]"]


def _availability(table: SliTable, scope: Scope) -> _Counted:
    good, bad = good_and_bad(table.deltas[:, scope.rows])
    return good, bad, ~np.isnan(good)


def _latency(sli: Sli, kind: str) -> Callable[[SliTable, Scope], _Counted]:
    def count(table: SliTable, scope: Scope) -> _Counted:
        requests = table.deltas[Counter.SUCCESS, scope.rows]
        value = _mean_or_quantile(table, scope, sli, kind)
        if value is None:
            return requests, requests, np.zeros(len(scope.rows), dtype=np.bool_)
        # Without traffic there is no value and nothing to count; with traffic and no value, nobody can tell.
        says = (requests == 0) | ~np.isnan(value)
        return *_split(requests, value, scope), says

    return count


def _mean_or_quantile(table: SliTable, scope: Scope, sli: Sli, kind: str) -> FloatArray | None:
    """(m,) seconds; None where the quantile is not served."""
    if scope.quantile is None:
        mean: FloatArray = table.values[ROW[sli], scope.rows]
        return mean
    served = table.frame.quantiles.get((kind, scope.quantile))
    return None if served is None else served[scope.rows] * MICROSECOND


def _seconds(sli: Sli) -> Callable[[SliTable, Scope], _Counted]:
    def count(table: SliTable, scope: Scope) -> _Counted:
        value = table.values[ROW[sli], scope.rows]
        has_traffic = table.deltas[Counter.SUCCESS, scope.rows] > 0
        seconds = round(table.interval * TICK) / TICK
        # Requests that the cache answered make no batch: traffic without a value is nothing to judge there.
        says = np.full(len(scope.rows), sli is Sli.BATCH_EFFICIENCY) | ~has_traffic | ~np.isnan(value)
        return *_split(np.where(has_traffic & ~np.isnan(value), seconds, 0.0), value, scope), says

    return count


def _first_response(table: SliTable, scope: Scope) -> _Counted:
    """Requests by the histogram: the bucket that ends at the threshold, or the last one below it, is good."""
    histogram = table.first_response
    unknown = np.full(len(scope.rows), np.nan)
    if histogram is None:
        return unknown, unknown, np.zeros(len(scope.rows), dtype=np.bool_)
    bucket = np.searchsorted(histogram.bounds, scope.high * 1000 * (1 + 1e-9), side="right") - 1
    total = histogram.counts[-1, scope.rows]
    good = np.where(bucket < 0, 0.0, histogram.counts[bucket, scope.rows])
    return good, total - good, ~np.isnan(total)


def _canaries(table: SliTable, scope: Scope) -> _Counted:
    if table.canaries is None:
        unknown = np.full(len(scope.rows), np.nan)
        return unknown, unknown, np.zeros(len(scope.rows), dtype=np.bool_)
    passed, failed = table.canaries[:, scope.rows]
    return passed, failed, ~np.isnan(passed)


def _split(events: FloatArray, value: FloatArray, scope: Scope) -> tuple[FloatArray, FloatArray]:
    """Events on the good and on the bad side of the thresholds. A comparison with an open side is never bad."""
    with np.errstate(invalid="ignore"):
        is_bad = (value > scope.high) | (value < scope.low)
    return np.where(is_bad, 0.0, events), np.where(is_bad, events, 0.0)


_COUNTERS: dict[SloSli, Callable[[SliTable, Scope], _Counted]] = {
    SloSli.AVAILABILITY: _availability,
    SloSli.QUEUE_TIME: _latency(Sli.QUEUE_TIME, "queue"),
    SloSli.REQUEST_TIME: _latency(Sli.REQUEST_TIME, "request"),
    SloSli.TTFT: _first_response,
    SloSli.BATCH_EFFICIENCY: _seconds(Sli.BATCH_EFFICIENCY),
    SloSli.GPU_UTILIZATION: _seconds(Sli.GPU_UTILIZATION),
    SloSli.CANARY: _canaries,
}
