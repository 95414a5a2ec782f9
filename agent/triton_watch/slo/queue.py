"""Queues: how deep each is against what the model takes at once, and which cost more than the computing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from triton_watch.records import FloatArray, Sli, SliTable
from triton_watch.slo.sli import ROW

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONG_QUEUE: Final = 0.010
"""Seconds of queue time that are worth a word when they also exceed the compute time."""
_LEAST: Final = 5.0
"""Requests that may wait for any model: a handful is no queue."""


def depth_ratio(table: SliTable) -> FloatArray:
    """(n,) requests that wait, divided by what all instances take at once (at least five).

    NaN for ensembles, which have no queue of their own, and where the configuration is not known.
    """
    configs = table.configs
    at_once = configs.instances * np.fmax(1.0, configs.max_batch_size)
    ratio: FloatArray = table.frame.pending / np.maximum(_LEAST, at_once)
    return np.where(configs.is_ensemble, np.nan, ratio)


def in_flight_per_instance(table: SliTable) -> FloatArray:
    """(n,) requests inside the server at a time, for each instance of the model; NaN where either is not known."""
    ratio: FloatArray = table.values[ROW[Sli.IN_FLIGHT]] / table.configs.instances
    return np.where(table.configs.is_ensemble, np.nan, ratio)


def queues_longer(table: SliTable) -> NDArray[np.bool_]:
    """(n,) whether requests wait for longer than they are computed, and long enough to matter."""
    queue, compute = table.values[ROW[Sli.QUEUE_TIME]], table.values[ROW[Sli.COMPUTE_INFER_TIME]]
    with np.errstate(invalid="ignore"):
        longer: NDArray[np.bool_] = (queue > LONG_QUEUE) & (queue > compute)
    return longer
