"""Which series a scrape shows: one builder for each metric of `conventions`, over an immutable view.

A builder yields (label set, value) pairs for one target; what is not known is not yielded. Rows of an
SLI table are read whole, and nothing is kept between scrapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from triton_watch import conventions as c
from triton_watch.daemon.alert_families import ALERT_BUILDERS
from triton_watch.daemon.canary_families import CANARY_BUILDERS, CanaryView, canary_view
from triton_watch.daemon.discovery_families import DISCOVERY_BUILDERS
from triton_watch.daemon.ensemble_families import steps
from triton_watch.daemon.labels import LabelSet
from triton_watch.daemon.slo_families import SLO_BUILDERS, SloView, slo_view
from triton_watch.daemon.state import AlertsView, ReloadStatus, StateSource, TargetCounts
from triton_watch.records import (
    FloatArray,
    ModelKey,
    ModelState,
    ModelStatus,
    Outcome,
    ProbeResult,
    Sli,
    SliTable,
    SourceStatus,
    TargetSnapshot,
)
from triton_watch.slo import gpus, queue

if TYPE_CHECKING:
    from numpy.typing import NDArray

Series: TypeAlias = tuple[LabelSet, float]


class Family(NamedTuple):
    """One metric and its series; `series` can be read once."""

    metric: c.Metric
    series: Iterable[Series]


@dataclass(frozen=True, slots=True, eq=False)
class TargetView:
    """One target at the moment of the scrape.

    `models` are the label sets of the SLI table's columns, `by_key` the same by model.
    """

    name: str
    labels: LabelSet
    counts: TargetCounts
    snapshot: TargetSnapshot | None
    models: NDArray[np.object_]
    by_key: Mapping[ModelKey, LabelSet]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Everything that one scrape shows."""

    version: str
    reload: ReloadStatus
    targets: tuple[TargetView, ...]
    slo: SloView
    canaries: CanaryView
    alerts: AlertsView
    sources: tuple[SourceStatus, ...] = ()


Builder: TypeAlias = Callable[[TargetView], Iterable[Series]]
_NOTHING = LabelSet()

INDEX_PROBE = "index"
"""The probe that reads the repository index."""


def view_of(source: StateSource, version: str) -> View:
    """What `source` knows now; `version` is the agent's. Takes references only, so it never waits."""
    counters, snapshots = source.counters(), source.snapshots()
    names = sorted(counters.keys() | snapshots.keys())
    targets = (_target_view(name, counters.get(name), snapshots.get(name)) for name in names)
    return View(
        version,
        source.reload(),
        tuple(targets),
        slo_view(source.budgets()),
        canary_view(source),
        source.alerts(),
        source.discovery(),
    )


def families(view: View) -> Iterator[Family]:
    """The families of the page in the order of `conventions.METRICS`, each made when it is asked for."""
    for metric in c.METRICS:
        if metric in AGENT_BUILDERS:
            yield Family(metric, AGENT_BUILDERS[metric](view))
        elif metric in SLO_BUILDERS:
            yield Family(metric, SLO_BUILDERS[metric](view.slo))
        elif metric in CANARY_BUILDERS:
            yield Family(metric, CANARY_BUILDERS[metric](view.canaries))
        elif metric in ALERT_BUILDERS:
            yield Family(metric, ALERT_BUILDERS[metric](view.alerts))
        elif metric in DISCOVERY_BUILDERS:
            yield Family(metric, DISCOVERY_BUILDERS[metric](view.sources))
        else:
            yield Family(metric, _over_targets(BUILDERS[metric], view.targets))


def _over_targets(builder: Builder, targets: tuple[TargetView, ...]) -> Iterator[Series]:
    for target in targets:
        yield from builder(target)


def _target_view(name: str, counts: TargetCounts | None, snapshot: TargetSnapshot | None) -> TargetView:
    keys = snapshot.slis.models.keys if snapshot is not None and snapshot.slis is not None else ()
    models = np.empty(len(keys), dtype=np.object_)
    models[:] = [_model_labels(name, key) for key in keys]
    by_key = dict(zip(keys, models, strict=True))
    return TargetView(name, LabelSet(target=name), counts or TargetCounts(), snapshot, models, by_key)


def _model_labels(target: str, key: ModelKey, **more: str) -> LabelSet:
    if key.namespace:
        more["model_namespace"] = key.namespace
    return LabelSet(target=target, model=key.name, version=key.version, **more)


# What makes a builder of a plain reading


def _of_snapshot(read: Callable[[TargetSnapshot], float | None]) -> Builder:
    def build(target: TargetView) -> Iterator[Series]:
        value = None if target.snapshot is None else read(target.snapshot)
        if value is not None:
            yield target.labels, float(value)

    return build


def _of_table(read: Callable[[SliTable], float]) -> Builder:
    return _of_snapshot(lambda snapshot: None if snapshot.slis is None else read(snapshot.slis))


def _of_counts(read: Callable[[TargetCounts], int]) -> Builder:
    return lambda target: [(target.labels, float(read(target.counts)))]


def _of_probe(read: Callable[[ProbeResult], float]) -> Builder:
    def build(target: TargetView) -> Iterator[Series]:
        for name, result in _probes(target):
            if result.outcome is not Outcome.NOT_TRIED:
                yield LabelSet(target=target.name, probe=name), float(read(result))

    return build


def _of_models(read: Callable[[SliTable], FloatArray]) -> Builder:
    """A series for each model that has a value."""

    def build(target: TargetView) -> Iterator[Series]:
        if target.snapshot is not None and target.snapshot.slis is not None:
            values = read(target.snapshot.slis)
            known = ~np.isnan(values)
            yield from zip(target.models[known], values[known].tolist(), strict=True)

    return build


def _of_sli(sli: Sli) -> Builder:
    row = list(Sli).index(sli)
    return _of_models(lambda table: table.values[row])


def _of_gpus(read: Callable[[SliTable], FloatArray]) -> Builder:
    """A series for each GPU that has a value."""

    def build(target: TargetView) -> Iterator[Series]:
        table = target.snapshot.slis if target.snapshot is not None else None
        if table is not None:
            for gpu, value in zip(table.frame.gpus, read(table).tolist(), strict=True):
                if value == value:  # noqa: PLR0124 - NaN is the one that differs
                    yield LabelSet(target=target.name, gpu_uuid=gpu), float(value)

    return build


# Targets and probes


def _is_up(snapshot: TargetSnapshot) -> bool:
    return snapshot.live is not None or snapshot.ready is not None


def _target_info(target: TargetView) -> Iterator[Series]:
    if target.snapshot is not None and target.snapshot.server is not None:
        server = target.snapshot.server
        yield LabelSet(target=target.name, server=server.name, server_version=server.version), 1.0


def _models_with_data(target: TargetView) -> Iterator[Series]:
    if target.snapshot is not None and target.snapshot.slis is not None:
        counts = np.count_nonzero(~np.isnan(target.snapshot.slis.values), axis=1)
        for sli, count in zip(Sli, counts.tolist(), strict=True):
            yield LabelSet(target=target.name, sli=sli.value), float(count)


def _probes(target: TargetView) -> Iterable[tuple[str, ProbeResult]]:
    return () if target.snapshot is None else target.snapshot.probes.items()


def _probe_outcome(target: TargetView) -> Iterator[Series]:
    for name, result in _probes(target):
        yield LabelSet(target=target.name, probe=name, outcome=result.outcome.value), 1.0


def _probe_failures(target: TargetView) -> Iterator[Series]:
    for (probe, outcome), count in sorted(target.counts.failures.items()):
        yield LabelSet(target=target.name, probe=probe, outcome=outcome.value), float(count)


# Models


def _last_states(target: TargetView) -> Iterable[ModelState]:
    """The states of the last index that could be read, one for each key: no series stands on a page twice."""
    states = target.snapshot.models if target.snapshot is not None else None
    return {state.key: state for state in states or ()}.values()


def _states(target: TargetView) -> Iterable[ModelState]:
    """The states of this cycle's index. That a model was ready before its server vanished is no news."""
    index = target.snapshot.probes.get(INDEX_PROBE) if target.snapshot is not None else None
    return _last_states(target) if index is None or index.ok else ()


def _model_state(target: TargetView) -> Iterator[Series]:
    for state in _states(target):
        yield _model_labels(target.name, state.key, state=state.status.value), 1.0


def _model_ready(target: TargetView) -> Iterator[Series]:
    for state in _states(target):
        labels = target.by_key.get(state.key) or _model_labels(target.name, state.key)
        yield labels, float(state.status is ModelStatus.READY)


def _expected_missing(target: TargetView) -> Iterator[Series]:
    expected: dict[str, bool] = {}
    for state in _states(target):
        if state.expected:
            is_missing = state.status is ModelStatus.MISSING
            expected[state.key.name] = is_missing and expected.get(state.key.name, True)
    for model, missing in expected.items():
        yield LabelSet(target=target.name, model=model), float(missing)


def _model_info(target: TargetView) -> Iterator[Series]:
    configs = (target.snapshot.configs if target.snapshot is not None else None) or {}
    for state in _last_states(target):
        config = configs.get(state.key.name)
        if config is not None:
            labels = _model_labels(
                target.name,
                state.key,
                backend=config.backend,
                platform=config.platform,
                max_batch_size=str(config.max_batch_size),
                instances=str(config.instances),
                dynamic_batching=_truth(config.dynamic_batching),
                ensemble=_truth(config.is_ensemble),
            )
            yield labels, 1.0


def _ensemble_steps(target: TargetView) -> Iterator[Series]:
    configs = (target.snapshot.configs if target.snapshot is not None else None) or {}
    for step in steps(_last_states(target), configs):
        member = {"member": step.member.name, "member_version": step.member.version}
        yield _model_labels(target.name, step.ensemble, step=str(step.number), **member), 1.0


def _truth(value: bool) -> str:
    return "true" if value else "false"


# GPUs


def _gpu_model_share(target: TargetView) -> Iterator[Series]:
    table = target.snapshot.slis if target.snapshot is not None else None
    if table is None:
        return
    shown = ~np.isnan(table.gpu_share) & (table.configs.on_gpu != 0)
    for gpu, model in np.argwhere(shown).tolist():
        labels = _model_labels(target.name, table.models.keys[model], gpu_uuid=table.frame.gpus[gpu])
        yield labels, float(table.gpu_share[gpu, model])


# The agent


def _build_info(view: View) -> Iterator[Series]:
    yield LabelSet(version=view.version), 1.0


def _reload_success(view: View) -> Iterator[Series]:
    yield _NOTHING, float(view.reload.success)


def _reload_timestamp(view: View) -> Iterator[Series]:
    if view.reload.last_success is not None:
        yield _NOTHING, view.reload.last_success


AGENT_BUILDERS: dict[c.Metric, Callable[[View], Iterable[Series]]] = {
    c.BUILD_INFO: _build_info,
    c.CONFIG_LAST_RELOAD_SUCCESS: _reload_success,
    c.CONFIG_LAST_RELOAD_SUCCESS_TIMESTAMP: _reload_timestamp,
}

BUILDERS: dict[c.Metric, Builder] = {
    c.TARGET_UP: _of_snapshot(_is_up),
    c.TARGET_HEARD: _of_snapshot(lambda snapshot: snapshot.is_heard),
    c.TARGET_SILENT_CYCLES: _of_snapshot(lambda snapshot: snapshot.silent_cycles),
    c.TARGET_LIVE: _of_snapshot(lambda snapshot: snapshot.live),
    c.TARGET_READY: _of_snapshot(lambda snapshot: snapshot.ready),
    c.TARGET_INFO: _target_info,
    c.CYCLES: _of_counts(lambda counts: counts.cycles),
    c.CYCLES_SKIPPED: _of_counts(lambda counts: counts.skipped),
    c.LAST_CYCLE_DURATION: _of_snapshot(lambda snapshot: snapshot.duration),
    c.LAST_CYCLE_TIMESTAMP: _of_snapshot(lambda snapshot: snapshot.at),
    c.METRICS_PAGE_BYTES: _of_table(lambda table: table.frame.size),
    c.COUNTERS_FROZEN: _of_table(lambda table: table.counters_off),
    c.TARGET_GPU_METRICS_MISSING: _of_snapshot(gpus.metrics_missing),
    c.SLI_INTERVAL: _of_table(lambda table: table.interval),
    c.SLI_MODELS_WITH_DATA: _models_with_data,
    c.PROBE_SUCCESS: _of_probe(lambda result: result.ok),
    c.PROBE_DURATION: _of_probe(lambda result: result.duration),
    c.PROBE_OUTCOME: _probe_outcome,
    c.PROBE_FAILURES: _probe_failures,
    c.MODEL_STATE: _model_state,
    c.MODEL_READY: _model_ready,
    c.MODEL_EXPECTED_MISSING: _expected_missing,
    c.MODEL_INFO: _model_info,
    c.ENSEMBLE_STEP_INFO: _ensemble_steps,
    c.MODEL_REQUEST_RATE: _of_sli(Sli.REQUEST_RATE),
    c.MODEL_FAILURE_RATE: _of_sli(Sli.FAILURE_RATE),
    c.MODEL_AVAILABILITY: _of_sli(Sli.AVAILABILITY),
    c.MODEL_QUEUE_TIME: _of_sli(Sli.QUEUE_TIME),
    c.MODEL_REQUEST_TIME: _of_sli(Sli.REQUEST_TIME),
    c.MODEL_COMPUTE_INPUT_TIME: _of_sli(Sli.COMPUTE_INPUT_TIME),
    c.MODEL_COMPUTE_INFER_TIME: _of_sli(Sli.COMPUTE_INFER_TIME),
    c.MODEL_COMPUTE_OUTPUT_TIME: _of_sli(Sli.COMPUTE_OUTPUT_TIME),
    c.MODEL_IN_FLIGHT: _of_sli(Sli.IN_FLIGHT),
    c.MODEL_IN_FLIGHT_PER_INSTANCE: _of_models(queue.in_flight_per_instance),
    c.MODEL_QUEUE_DEPTH: _of_models(queue.depth_ratio),
    c.MODEL_BATCH_SIZE: _of_sli(Sli.AVERAGE_BATCH),
    c.MODEL_BATCH_FILL: _of_sli(Sli.BATCH_FILL),
    c.MODEL_BATCH_EFFICIENCY: _of_sli(Sli.BATCH_EFFICIENCY),
    c.MODEL_CACHE_HIT: _of_sli(Sli.CACHE_HIT_RATIO),
    c.MODEL_GPU_UTILIZATION: _of_sli(Sli.GPU_UTILIZATION),
    c.MODEL_ENERGY: _of_sli(Sli.ENERGY_PER_INFERENCE),
    c.GPU_MODEL_SHARE: _gpu_model_share,
    c.GPU_MEMORY_USED: _of_gpus(gpus.memory_used),
    c.GPU_UTILIZATION_UNDER_LOAD: _of_gpus(gpus.utilization_under_load),
    c.GPU_QUEUEING_MODELS: _of_gpus(lambda table: gpus.queueing_models(table).sum(axis=1)),
}
"""Every metric about targets. Sli.PENDING has none: it would be Triton's own gauge once more."""
