"""Parts of what is told of one model: its configuration, steps, batches, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.daemon.facts import model as facts
from triton_watch.daemon.telling.parts import finite, model_links, number, sentence
from triton_watch.daemon.telling.troubles import is_silent
from triton_watch.records import ModelKey, NoData
from triton_watch.slo.ensemble import EnsembleBreakdown, breakdown
from triton_watch.wording.text import whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triton_watch.daemon.state import AlertsView, StateSource
    from triton_watch.daemon.telling.views import Row
    from triton_watch.records import CanaryState, ModelConfig, SliValue, TargetSnapshot, TensorSpec


def configuration(config: ModelConfig | None) -> facts.Configuration | None:
    """Return a model's completed configuration as told."""
    if config is None:
        return None
    return facts.Configuration(
        backend=whole(config.backend),
        platform=whole(config.platform),
        max_batch_size=config.max_batch_size,
        instances=config.instances,
        instance_kinds=tuple(map(whole, config.instance_kinds)),
        gpus=config.gpus,
        dynamic_batching=config.dynamic_batching,
        sequence_batching=config.sequence_batching,
        decoupled=config.decoupled,
        response_cache=config.response_cache,
        inputs=_tensors(config.inputs),
        outputs=_tensors(config.outputs),
    )


def members_of(
    snapshot: TargetSnapshot | None, key: ModelKey, alerts: AlertsView
) -> tuple[tuple[facts.Member, ...], float | None]:
    """Return the steps of an ensemble, and the seconds that are none of theirs; () for another model."""
    table = None if snapshot is None else snapshot.slis
    parts = None if snapshot is None or table is None else breakdown(table, key, snapshot.configs or {})
    if parts is None or snapshot is None:
        return (), None
    return _members(parts, snapshot.target.name, alerts), finite(parts.overhead)


def batches(source: StateSource, row: Row, config: ModelConfig | None) -> facts.Batches | None:
    """Return the executions by batch size; None = not asked yet, or an ensemble, which has none of its own."""
    if config is not None and config.is_ensemble:
        return None
    found = source.batch_sizes(row.target, row.key.name, row.key.version)
    if found is None:
        return None
    sizes = tuple(sorted(found.executions))
    return facts.Batches(
        at=finite(found.at),
        sizes=sizes,
        executions=tuple(found.executions[size] for size in sizes),
        problem=sentence(found.problem),
    )


def silent_failure(
    snapshot: TargetSnapshot | None, key: ModelKey, canary: CanaryState | None
) -> facts.SilentFailure | None:
    """Return how the model fails in silence, while its canary, of which `canary` is known now, has not passed since."""
    plain = ModelKey(key.name, key.version)
    if snapshot is None or not is_silent(snapshot, plain, canary):
        return None
    found = snapshot.silent[plain]
    return facts.SilentFailure(found.at, found.reason, sentence(found.detail), number(found.counted_success))


def wedged(snapshot: TargetSnapshot | None, key: ModelKey) -> facts.Wedged | None:
    """Return for how long requests have waited in vain, once that is certain."""
    found = None if snapshot is None else snapshot.wedged.get(key)
    if found is None or not found.is_sure:
        return None
    return facts.Wedged(found.polls, number(found.seconds), number(found.pending))


def versions(rows: Iterable[Row], alerts: AlertsView) -> tuple[facts.Version, ...]:
    """Return the versions of a model."""
    return tuple(
        facts.Version(
            version=whole(row.key.version),
            namespace=whole(row.key.namespace),
            standing=row.standing,
            state=None if row.state is None else row.state.status,
            reason="" if row.state is None else sentence(row.state.reason),
            links=model_links(alerts, row.target, row.key),
        )
        for row in rows
    )


def _members(parts: EnsembleBreakdown, target: str, alerts: AlertsView) -> tuple[facts.Member, ...]:
    return tuple(
        facts.Member(
            name=whole(one.key.name),
            version=whole(one.key.version),
            request_rate=_value(one.request_rate),
            queue_time=_value(one.queue_time),
            compute_infer_time=_value(one.compute_infer_time),
            request_time=_value(one.request_time),
            links=model_links(alerts, target, one.key),
        )
        for one in parts.members
    )


def _tensors(specs: Iterable[TensorSpec]) -> tuple[facts.Tensor, ...]:
    return tuple(facts.Tensor(whole(one.name), whole(one.datatype), one.dims, one.optional) for one in specs)


def _value(found: SliValue | NoData) -> float | None:
    return None if isinstance(found, NoData) else finite(found.value)
