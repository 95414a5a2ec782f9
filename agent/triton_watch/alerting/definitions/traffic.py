"""Traffic that a model does not handle well: TritonQueueGrowing and TritonNotBatching."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from triton_watch.alerting.definition import AlertDefinition, Facts
from triton_watch.alerting.definitions.cases import MODEL, of_model, unknown_of
from triton_watch.records import AlertCase, AlertSeverity, Sli
from triton_watch.slo.batching import ENOUGH_IN_FLIGHT, LOW_EFFICIENCY, WITH_BATCHER, poor_batches
from triton_watch.slo.queue import depth_ratio
from triton_watch.slo.sli import ROW

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from triton_watch.records import SliTable


def _growing(facts: Facts, threshold: float) -> Iterable[AlertCase] | None:
    return None if facts.snapshot.slis is None else _deep(facts.snapshot.slis, threshold)


def _deep(table: SliTable, threshold: float) -> Iterator[AlertCase]:
    ratio, pending = depth_ratio(table), table.frame.pending
    with np.errstate(invalid="ignore"):
        deep = ratio > threshold
        unknown = np.isnan(ratio) & (pending > 0) & ~table.configs.is_ensemble
    for row in np.flatnonzero(deep | unknown).tolist():
        key = table.models.keys[row]
        if deep[row]:
            detail = (
                f"{pending[row]:.0f} requests wait for {key.name}, {ratio[row]:.1f} times what it takes at once, and "
                "more come than are served."
            )
            yield AlertCase(of_model(key), holds=True, detail=detail, value=float(ratio[row]))
        else:
            yield unknown_of(key)


def _not_batching(facts: Facts, threshold: float) -> Iterable[AlertCase] | None:
    table = facts.snapshot.slis
    return None if table is None else _poor(facts, table, threshold)


def _poor(facts: Facts, table: SliTable, threshold: float) -> Iterator[AlertCase]:
    configs = facts.snapshot.configs or {}
    for poor in poor_batches(table, configs, threshold):
        batcher = "on" if poor.dynamic_batching else "missing from its configuration"
        detail = f"{poor.figures}; dynamic_batching is {batcher}."
        yield AlertCase(of_model(poor.key), holds=True, detail=detail, value=poor.efficiency)
    if not facts.wants_unknown:
        return
    with np.errstate(invalid="ignore"):
        may_batch = ~(table.configs.max_batch_size <= 1) & ~table.configs.is_ensemble
    unknown = may_batch & np.isnan(table.values[ROW[Sli.BATCH_EFFICIENCY]])
    for row in np.flatnonzero(unknown).tolist():
        yield unknown_of(table.models.keys[row])


QUEUE_GROWING = AlertDefinition(
    name="TritonQueueGrowing",
    severity=AlertSeverity.TICKET,
    summary="Queue of model {{ $labels.model }} on {{ $labels.target }} does not drain",
    description="Far more requests wait for {{ $labels.model }} on {{ $labels.target }} than it takes at once, most of "
    "the time: more come than are served.",
    advice="Add instances or replicas, or let the queue refuse early (default_queue_policy with max_queue_size).",
    # Prometheus sees no polls: each counts as 15 s, the default interval.
    expr="count_over_time((triton_watch_model_queue_depth_ratio > $threshold)[$span:$step]) >= $failures",
    condition=_growing,
    dashboard="model",
    labels=MODEL,
    keep=120.0,
    failures=6,
    window=8,
    threshold=2.0,
    unit="times",
)

NOT_BATCHING = AlertDefinition(
    name="TritonNotBatching",
    severity=AlertSeverity.INFO,
    summary="Model {{ $labels.model }} on {{ $labels.target }} hardly batches",
    description="{{ $labels.model }} on {{ $labels.target }} makes {{ $value | humanizePercentage }} of the batches "
    "that its traffic could fill.",
    advice="Add dynamic_batching { } to its config.pbtxt, or raise max_queue_delay_microseconds where it is there.",
    expr=f"""(
  triton_watch_model_batch_efficiency_ratio < {WITH_BATCHER:g} * $threshold
  or (
    triton_watch_model_batch_efficiency_ratio < $threshold
    unless on (instance, target, model, version) triton_watch_model_info{{dynamic_batching="true"}}
  )
)
and on (instance, target, model, version)
  triton_watch_model_requests_in_flight_per_instance >= {ENOUGH_IN_FLIGHT:g}""",
    condition=_not_batching,
    dashboard="batching",
    labels=MODEL,
    hold=900.0,
    threshold=LOW_EFFICIENCY,
    unit="ratio",
)
