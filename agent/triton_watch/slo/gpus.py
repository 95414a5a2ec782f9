"""GPUs and the models on them: whether they work when there is work, and whether anybody tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from triton_watch.records import FloatArray, Gpu, Sli, SliTable, TargetSnapshot
from triton_watch.slo.queue import queues_longer
from triton_watch.slo.sli import ROW

if TYPE_CHECKING:
    from numpy.typing import NDArray


def metrics_missing(snapshot: TargetSnapshot) -> bool | None:
    """Whether GPUs are used, and the metrics page has nothing of them; None = there is no page.

    They are used where a loaded model may run on one, or somebody listed the target's GPUs.
    """
    if snapshot.slis is None:
        return None
    uses_gpu = bool(snapshot.target.gpus) or any(config.uses_gpu for config in (snapshot.configs or {}).values())
    return uses_gpu and not snapshot.slis.frame.gpus


def busy_models(table: SliTable) -> NDArray[np.bool_]:
    """(g, n) whether a model that has traffic is known to run on the GPU."""
    with np.errstate(invalid="ignore"):
        busy: NDArray[np.bool_] = (table.configs.on_gpu == 1) & (table.values[ROW[Sli.REQUEST_RATE]] > 0)
    return busy


def utilization_under_load(table: SliTable) -> FloatArray:
    """(g,) utilization of each GPU whose models have traffic; NaN = none has, or it is not served."""
    has_load = busy_models(table).any(axis=1)
    return np.where(has_load, table.frame.gpu_values[Gpu.UTILIZATION], np.nan)


def queueing_models(table: SliTable) -> NDArray[np.bool_]:
    """(g, n) whether requests for a model that runs on the GPU wait for longer than they are computed."""
    queueing: NDArray[np.bool_] = busy_models(table) & queues_longer(table)
    return queueing


def memory_used(table: SliTable) -> FloatArray:
    """(g,) share of each GPU's memory that is in use, by any process; NaN = not served."""
    used, total = table.frame.gpu_values[[Gpu.MEMORY_USED, Gpu.MEMORY_TOTAL]]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((used >= 0) & (total > 0), used / total, np.nan)
