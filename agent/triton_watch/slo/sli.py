"""The SLIs of DESIGN §4, for all models of a server at once.

Every formula keeps to numerator and denominator of one interval. NaN inside the vectors means "no data";
`value_of` says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from triton_watch.records import (
    ConfigVectors,
    Counter,
    FloatArray,
    Gpu,
    MetricsFrame,
    ModelKey,
    NoData,
    NoDataReason,
    Sli,
    SliTable,
    SliValue,
)
from triton_watch.slo.deltas import Deltas, between, histogram_between

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from triton_watch.slo.apart import CanaryDebt

SLIS = tuple(Sli)
"""The order of the rows of `SliTable.values`."""
ROW = {sli: row for row, sli in enumerate(SLIS)}

MICROSECOND = 1e-6

_QUEUE_AND_BATCH = (Sli.QUEUE_TIME, Sli.AVERAGE_BATCH, Sli.BATCH_FILL, Sli.BATCH_EFFICIENCY)
_DURATION_OF = {
    Sli.QUEUE_TIME: Counter.QUEUE_US,
    Sli.REQUEST_TIME: Counter.REQUEST_US,
    Sli.COMPUTE_INPUT_TIME: Counter.COMPUTE_INPUT_US,
    Sli.COMPUTE_INFER_TIME: Counter.COMPUTE_INFER_US,
    Sli.COMPUTE_OUTPUT_TIME: Counter.COMPUTE_OUTPUT_US,
}


def compute(
    previous: MetricsFrame | None,
    current: MetricsFrame,
    configs: ConfigVectors,
    debt: CanaryDebt | None = None,
    canaries: FloatArray | None = None,
) -> SliTable:
    """Return the SLIs of the interval between two pages of one server.

    `configs` is over `current.models` and `current.gpus`. Without a previous page only gauges have values.
    `debt` are the canaries that come off the counters first; `canaries` are those that passed and failed, (2, n).
    """
    deltas = between(previous, current)
    completed = _completed(deltas.counters)
    if debt is not None:
        deltas = debt.taken_off(deltas, current.models, configs)
    counters_off = _counters_off(current)
    values = np.full((len(SLIS), len(current.models)), np.nan)
    share = _gpu_share(deltas, configs)
    values[ROW[Sli.PENDING]] = current.pending
    if not counters_off:
        with np.errstate(divide="ignore", invalid="ignore"):
            _rates(values, deltas)
            _times(values, deltas)
            _batches(values, deltas, configs)
            _gpu(values, deltas, configs, share, current)
    for sli in _QUEUE_AND_BATCH:
        values[ROW[sli], configs.is_ensemble] = np.nan
    return SliTable(
        interval=deltas.interval,
        models=current.models,
        values=values,
        deltas=deltas.counters,
        is_new=deltas.is_new,
        was_reset=deltas.was_reset,
        configs=configs,
        gpu_share=share,
        gpu_energy=deltas.energy,
        frame=current,
        first_response=histogram_between(previous, current, deltas),
        counters_off=counters_off,
        completed=completed,
        canaries=canaries,
    )


def _completed(deltas: FloatArray) -> FloatArray:
    good, failed = good_and_bad(deltas)
    return good + failed


def good_and_bad(deltas: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (n,) requests answered and requests failed by the server.

    A canceled request is the client's doing: it is in neither (DESIGN §4).
    """
    failed = _or_zero(
        deltas[[Counter.FAIL_BACKEND, Counter.FAIL_OTHER, Counter.FAIL_REJECTED, Counter.FAIL_UNLABELLED]]
    ).sum(axis=0)
    return deltas[Counter.SUCCESS], failed


def _counters_off(frame: MetricsFrame) -> bool:
    """With counter_latencies=false success, failure, count and exec_count stand at 0 under load.

    Seen on tritonserver 2.51.0 (TRITON.md §1): the duration families are then absent, so their absence
    beside the success family tells.
    """
    return "nv_inference_request_success" in frame.families and "nv_inference_request_duration_us" not in frame.families


def _or_zero(values: FloatArray) -> FloatArray:
    """Zero for a series that the page lacks. A third of the time of numpy's nan_to_num."""
    return np.where(np.isnan(values), 0.0, values)


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    return np.where(denominator > 0, numerator / denominator, np.nan)


def _rates(values: FloatArray, deltas: Deltas) -> None:
    good, bad = good_and_bad(deltas.counters)
    values[ROW[Sli.AVAILABILITY]] = _ratio(good, good + bad)
    if deltas.interval > 0:
        values[ROW[Sli.REQUEST_RATE]] = (good + bad) / deltas.interval
        values[ROW[Sli.FAILURE_RATE]] = np.where(np.isnan(good), np.nan, bad) / deltas.interval
        values[ROW[Sli.IN_FLIGHT]] = deltas.counters[Counter.REQUEST_US] * MICROSECOND / deltas.interval
    hits, misses = deltas.counters[Counter.CACHE_HITS], deltas.counters[Counter.CACHE_MISSES]
    values[ROW[Sli.CACHE_HIT_RATIO]] = _ratio(hits, hits + misses)


def _computed(deltas: Deltas) -> FloatArray:
    """Requests that reached the model: cache hits count as success, but not in compute or batches."""
    computed: FloatArray = deltas.counters[Counter.SUCCESS] - _or_zero(deltas.counters[Counter.CACHE_HITS])
    return computed


def _times(values: FloatArray, deltas: Deltas) -> None:
    success, computed = deltas.counters[Counter.SUCCESS], _computed(deltas)
    for sli, counter in _DURATION_OF.items():
        whole_request = counter in (Counter.QUEUE_US, Counter.REQUEST_US)
        requests = success if whole_request else computed
        values[ROW[sli]] = _ratio(deltas.counters[counter] * MICROSECOND, requests)


def _batches(values: FloatArray, deltas: Deltas, configs: ConfigVectors) -> None:
    inferences, executions = deltas.counters[Counter.INFERENCES], deltas.counters[Counter.EXECUTIONS]
    # Executions that fail are counted, their inferences are not: an average of 0 would be no batch at all.
    average = np.where(inferences > 0, _ratio(inferences, executions), np.nan)
    batches = configs.max_batch_size > 1
    in_flight_samples = values[ROW[Sli.IN_FLIGHT]] * _ratio(inferences, _computed(deltas))
    possible = np.minimum(configs.max_batch_size, np.maximum(1.0, in_flight_samples / configs.instances))
    values[ROW[Sli.AVERAGE_BATCH]] = average
    values[ROW[Sli.BATCH_FILL]] = np.where(batches, average / configs.max_batch_size, np.nan)
    values[ROW[Sli.BATCH_EFFICIENCY]] = np.where(batches, average / possible, np.nan)


def _gpu_share(deltas: Deltas, configs: ConfigVectors) -> FloatArray:
    """(g, n): each model's share of the compute_infer time on each GPU; a model's time is spread evenly."""
    busy = deltas.counters[Counter.COMPUTE_INFER_US]
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = configs.on_gpu / configs.on_gpu.sum(axis=0)
        # A model whose GPU nobody knows leaves NaN, which spoils the shares of the GPU only while it computes.
        placed = np.where((configs.on_gpu == 0) | (busy == 0), 0.0, spread * busy)
        return _ratio(placed, placed.sum(axis=1, keepdims=True))


def _gpu(values: FloatArray, deltas: Deltas, configs: ConfigVectors, share: FloatArray, current: MetricsFrame) -> None:
    if not current.gpus:
        return
    mine = configs.on_gpu == 1
    used = mine.any(axis=0)
    load = current.gpu_values[Gpu.UTILIZATION][:, np.newaxis] * share
    energy = deltas.energy[:, np.newaxis] * share
    total_load, total_energy = (np.where(mine, per_gpu, 0.0).sum(axis=0) for per_gpu in (load, energy))
    unknown = np.isnan(configs.on_gpu).any(axis=0) | ~used
    values[ROW[Sli.GPU_UTILIZATION]] = np.where(unknown, np.nan, total_load / mine.sum(axis=0))
    inferences = deltas.counters[Counter.INFERENCES]
    values[ROW[Sli.ENERGY_PER_INFERENCE]] = np.where(unknown, np.nan, _ratio(total_energy, inferences))


def value_of(table: SliTable, key: ModelKey, sli: Sli) -> SliValue | NoData:
    """Return one cell of the table, or why it is empty."""
    row = table.models.row.get(key)
    if row is None:
        return NoData(NoDataReason.GONE)
    value = float(table.values[ROW[sli], row])
    return NoData(_why_not(table, row, sli)) if np.isnan(value) else SliValue(value)


def quantile_of(table: SliTable, key: ModelKey, kind: str, quantile: str) -> SliValue | NoData:
    """Return a quantile exactly as the server serves it, in seconds.

    `kind` is "request" or "queue"; `quantile` as on the page ("0.99"). Quantiles of several servers
    or intervals can't be combined, so nothing here does.
    """
    row = table.models.row.get(key)
    if row is None:
        return NoData(NoDataReason.GONE)
    served = table.frame.quantiles.get((kind, quantile))
    if served is None:
        return NoData(NoDataReason.NOT_SERVED)
    value = float(served[row]) * MICROSECOND
    return NoData(NoDataReason.NO_TRAFFIC) if np.isnan(value) else SliValue(value)


def _why_not(table: SliTable, row: int, sli: Sli) -> NoDataReason:
    """Say why a cell is NaN: the first reason that applies, the most fundamental first."""
    configs = table.configs
    known = bool(configs.known[row])
    needs_batches = sli in (Sli.BATCH_FILL, Sli.BATCH_EFFICIENCY)
    reasons = (
        (sli is Sli.PENDING, NoDataReason.NOT_SERVED),
        (sli in _QUEUE_AND_BATCH and bool(configs.is_ensemble[row]), NoDataReason.ENSEMBLE),
        (table.counters_off, NoDataReason.COUNTERS_OFF),
        (table.interval <= 0, NoDataReason.FIRST_SCRAPE),
        (sli is Sli.CACHE_HIT_RATIO and known and not configs.has_cache[row], NoDataReason.NO_CACHE),
        (needs_batches and not known, NoDataReason.NO_CONFIG),
        (needs_batches and not configs.max_batch_size[row] > 1, NoDataReason.NOT_BATCHING),
    )
    fundamental = next((reason for applies, reason in reasons if applies), None)
    if fundamental is not None:
        return fundamental
    if sli in (Sli.GPU_UTILIZATION, Sli.ENERGY_PER_INFERENCE):
        return _why_no_gpu(table, row)
    if _not_served(table, row, sli):
        return NoDataReason.NOT_SERVED
    traffic = table.values[ROW[Sli.REQUEST_RATE], row] > 0
    return NoDataReason.NO_SUCCESS if traffic else NoDataReason.NO_TRAFFIC


def _why_no_gpu(table: SliTable, row: int) -> NoDataReason:
    placed = table.configs.on_gpu[:, row]
    if np.isnan(placed).any():
        return NoDataReason.GPU_UNMAPPED if table.configs.known[row] else NoDataReason.NO_CONFIG
    if not (placed == 1).any():
        return NoDataReason.NO_GPU
    busy = table.deltas[Counter.COMPUTE_INFER_US, row]
    if busy > 0 and np.isnan(table.gpu_share[placed == 1]).any():
        return NoDataReason.GPU_UNMAPPED
    return NoDataReason.NO_TRAFFIC if busy == 0 else NoDataReason.NOT_SERVED


_NEEDS: dict[Sli, tuple[Counter, ...]] = {
    **{sli: (counter, Counter.SUCCESS) for sli, counter in _DURATION_OF.items()},
    Sli.IN_FLIGHT: (Counter.REQUEST_US,),
    Sli.AVERAGE_BATCH: (Counter.INFERENCES, Counter.EXECUTIONS),
    Sli.BATCH_FILL: (Counter.INFERENCES, Counter.EXECUTIONS),
    Sli.BATCH_EFFICIENCY: (Counter.INFERENCES, Counter.EXECUTIONS, Counter.REQUEST_US),
    Sli.CACHE_HIT_RATIO: (Counter.CACHE_HITS, Counter.CACHE_MISSES),
}


def _not_served(table: SliTable, row: int, sli: Sli) -> bool:
    needed: NDArray[np.float64] = table.deltas[list(_NEEDS.get(sli, (Counter.SUCCESS,))), row]
    return bool(np.isnan(needed).any())
