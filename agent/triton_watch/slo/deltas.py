"""Increases of counters between two pages, whatever happened in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.records import FloatArray, Gpu, HistogramFrame, MetricsFrame

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Deltas:
    """Increases over one interval, for the models of its later page.

    `interval` is seconds, at least 0. `counters` is (len(Counter), n), NaN where either page lacks the
    series; `energy` is (g,) joules. `is_new` and `was_reset` are (n,).
    """

    interval: float
    counters: FloatArray
    energy: FloatArray
    is_new: NDArray[np.bool_]
    was_reset: NDArray[np.bool_]


def between(previous: MetricsFrame | None, current: MetricsFrame) -> Deltas:
    """Return what was counted between two pages of one server.

    A model's counters live and die together, so when any of them went down the model was loaded again and
    each of its increases is its new value. A model that was not on the previous page was loaded since:
    it, too, counted from zero. Without a previous page, or when no time has passed, nothing is known.
    """
    n, g = len(current.models), len(current.gpus)
    if previous is None or current.at <= previous.at:
        nobody = np.zeros(n, dtype=np.bool_)
        unknown = np.full_like(current.counters, np.nan)
        return Deltas(0.0, unknown, np.full(g, np.nan), nobody, nobody)
    before, is_new = _aligned(previous, current)
    increase = current.counters - before
    was_reset = (increase < 0).any(axis=0)
    from_zero = was_reset | is_new
    if from_zero.any():
        increase = np.where(from_zero, current.counters, increase)
    return Deltas(
        interval=current.at - previous.at,
        counters=increase,
        energy=_energy(previous, current),
        is_new=is_new,
        was_reset=was_reset,
    )


def histogram_between(previous: MetricsFrame | None, current: MetricsFrame, deltas: Deltas) -> HistogramFrame | None:
    """Return the increases of the first-response buckets; None without two pages that have the same buckets."""
    now, then = current.first_response, None if previous is None else previous.first_response
    if previous is None or now is None or then is None or now.bounds != then.bounds or deltas.interval <= 0:
        return None
    before = then.counts
    if previous.models is not current.models:
        if not len(previous.models):
            return HistogramFrame(now.bounds, now.counts)
        rows = [previous.models.row.get(key, 0) for key in current.models.keys]
        before = then.counts[:, rows]
    increase = now.counts - before
    from_zero = deltas.was_reset | deltas.is_new | (increase < 0).any(axis=0)
    return HistogramFrame(now.bounds, np.where(from_zero, now.counts, increase))


def _aligned(previous: MetricsFrame, current: MetricsFrame) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return the previous counters in the order of the current models, and which models are new."""
    if previous.models is current.models:
        return previous.counters, np.zeros(len(current.models), dtype=np.bool_)
    rows = np.array([previous.models.row.get(key, -1) for key in current.models.keys], dtype=np.intp)
    is_new = rows < 0
    if not len(previous.models):
        return np.full_like(current.counters, np.nan), is_new
    before: FloatArray = previous.counters[:, rows]
    before[:, is_new] = np.nan
    return before, is_new


def _energy(previous: MetricsFrame, current: MetricsFrame) -> FloatArray:
    """Joules by GPU. The counter restarts with the server: then the new value is the increase."""
    used = np.full(len(current.gpus), np.nan)
    for i, uuid in enumerate(current.gpus):
        if uuid in previous.gpus:
            now = current.gpu_values[Gpu.ENERGY, i]
            then = previous.gpu_values[Gpu.ENERGY, previous.gpus.index(uuid)]
            used[i] = now if now < then else now - then
    return used
