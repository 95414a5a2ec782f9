"""GPUs: TritonGpuMetricsMissing, TritonGpuMemoryHigh, TritonGpuUnderused and TritonGpuSaturated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from triton_watch.alerting.definition import AlertDefinition, Facts
from triton_watch.alerting.definitions.cases import counted, labels, named
from triton_watch.records import AlertCase, AlertSeverity
from triton_watch.slo import gpus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from triton_watch.alerting.definition import Condition
    from triton_watch.records import FloatArray, SliTable

_GPU = ("gpu_uuid",)


def _missing(facts: Facts, _threshold: float) -> Iterable[AlertCase] | None:
    is_missing = gpus.metrics_missing(facts.snapshot)
    if is_missing is None:
        return None
    if not is_missing:
        return ()
    users = [name for name, config in (facts.snapshot.configs or {}).items() if config.uses_gpu]
    who = f"{counted(len(users), 'model')} may run on a GPU" if users else "GPUs are configured for the target"
    return (AlertCase((), holds=True, detail=f"{who}, and the metrics page has no nv_gpu_ series."),)


def _judging(
    values: Callable[[SliTable], FloatArray], cases: Callable[[SliTable, FloatArray, float], Iterator[AlertCase]]
) -> Condition:
    """A condition on a value of each GPU; where there is none it is not known."""

    def condition(facts: Facts, threshold: float) -> Iterable[AlertCase] | None:
        table = facts.snapshot.slis
        if table is None:
            return None
        value = values(table)
        unknown = (table.frame.gpus[gpu] for gpu in np.flatnonzero(np.isnan(value)).tolist())
        return (*cases(table, value, threshold), *(AlertCase(labels(gpu_uuid=gpu), holds=None) for gpu in unknown))

    return condition


def _full(table: SliTable, used: FloatArray, threshold: float) -> Iterator[AlertCase]:
    with np.errstate(invalid="ignore"):
        found = np.flatnonzero(used > threshold).tolist()
    for gpu in found:
        detail = f"{used[gpu]:.0%} of the memory of GPU {table.frame.gpus[gpu]} is in use, by any process."
        yield AlertCase(labels(gpu_uuid=table.frame.gpus[gpu]), holds=True, detail=detail, value=float(used[gpu]))


def _idle(table: SliTable, load: FloatArray, threshold: float) -> Iterator[AlertCase]:
    busy = gpus.busy_models(table)
    with np.errstate(invalid="ignore"):
        found = np.flatnonzero(load < threshold).tolist()
    for gpu in found:
        who = named(table.models.keys[row] for row in np.flatnonzero(busy[gpu]).tolist())
        detail = f"GPU {table.frame.gpus[gpu]} is used {load[gpu]:.0%} of the time while {who} has traffic on it."
        yield AlertCase(labels(gpu_uuid=table.frame.gpus[gpu]), holds=True, detail=detail, value=float(load[gpu]))


def _saturated(table: SliTable, load: FloatArray, threshold: float) -> Iterator[AlertCase]:
    queueing = gpus.queueing_models(table)
    with np.errstate(invalid="ignore"):
        found = np.flatnonzero((load > threshold) & queueing.any(axis=1)).tolist()
    for gpu in found:
        who = named(table.models.keys[row] for row in np.flatnonzero(queueing[gpu]).tolist())
        detail = (
            f"GPU {table.frame.gpus[gpu]} is used {load[gpu]:.0%} of the time, and requests for {who} wait for longer "
            "than they are computed."
        )
        yield AlertCase(labels(gpu_uuid=table.frame.gpus[gpu]), holds=True, detail=detail, value=float(load[gpu]))


GPU_METRICS_MISSING = AlertDefinition(
    name="TritonGpuMetricsMissing",
    severity=AlertSeverity.TICKET,
    summary="GPU metrics of Triton {{ $labels.target }} are missing",
    description="Models on {{ $labels.target }} may use a GPU, and its metrics page has no nv_gpu_ series: "
    "utilization, memory and power are not watched.",
    advice="See in Triton's log why DCGM did not start (MIG, another DCGM agent, no NVML in the container), and keep "
    "--allow-gpu-metrics=true.",
    expr="triton_watch_target_gpu_metrics_missing == 1",
    condition=_missing,
    dashboard="gpu",
    hold=300.0,
)

GPU_MEMORY_HIGH = AlertDefinition(
    name="TritonGpuMemoryHigh",
    severity=AlertSeverity.TICKET,
    summary="Memory of GPU {{ $labels.gpu_uuid }} of {{ $labels.target }} is almost full",
    description="{{ $value | humanizePercentage }} of the memory of GPU {{ $labels.gpu_uuid }} of {{ $labels.target }} "
    "is in use: the next load or a larger batch may fail.",
    advice="See with nvidia-smi who holds it; lower instance counts or max_batch_size, or unload a model.",
    expr="triton_watch_gpu_memory_used_ratio > $threshold",
    condition=_judging(gpus.memory_used, _full),
    dashboard="gpu",
    labels=_GPU,
    hold=300.0,
    threshold=0.95,
    unit="ratio",
)

GPU_UNDERUSED = AlertDefinition(
    name="TritonGpuUnderused",
    severity=AlertSeverity.INFO,
    summary="GPU {{ $labels.gpu_uuid }} of {{ $labels.target }} idles while its models have traffic",
    description="Models on GPU {{ $labels.gpu_uuid }} of {{ $labels.target }} have traffic, and it is used "
    "{{ $value | humanizePercentage }} of the time.",
    advice="Put more models on it, or move these to fewer GPUs; see first whether they run on the CPU instead.",
    expr="triton_watch_gpu_utilization_under_load_ratio < $threshold",
    condition=_judging(gpus.utilization_under_load, _idle),
    dashboard="gpu",
    labels=_GPU,
    hold=1800.0,
    threshold=0.10,
    unit="ratio",
)

GPU_SATURATED = AlertDefinition(
    name="TritonGpuSaturated",
    severity=AlertSeverity.TICKET,
    summary="GPU {{ $labels.gpu_uuid }} of {{ $labels.target }} is saturated, and requests queue",
    description="GPU {{ $labels.gpu_uuid }} of {{ $labels.target }} is used {{ $value | humanizePercentage }} of the "
    "time, and requests of a model on it wait for longer than they are computed.",
    advice="Add a GPU or a replica; more instances on this one make it no faster.",
    expr="triton_watch_gpu_utilization_under_load_ratio > $threshold and triton_watch_gpu_queueing_models > 0",
    condition=_judging(gpus.utilization_under_load, _saturated),
    dashboard="gpu",
    labels=_GPU,
    hold=600.0,
    threshold=0.95,
    unit="ratio",
)
