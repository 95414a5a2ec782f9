"""The series of canaries: one builder for each metric of `conventions.canary`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, TypeAlias

from triton_watch.conventions import canary as c
from triton_watch.daemon.labels import LabelSet
from triton_watch.records import LATENCY_BUCKETS, CanaryResult, CanaryState, CanaryVerdict, ModelKey, Wedged
from triton_watch.slo.serving import Serving, ServingVerdict

if TYPE_CHECKING:
    from triton_watch.conventions import Metric
    from triton_watch.daemon.state import StateSource
    from triton_watch.records import TargetSnapshot

Series: TypeAlias = tuple[LabelSet, float]


@dataclass(frozen=True, slots=True, eq=False)
class CanaryView:
    """What one scrape shows of canaries: each state with its labels, made once."""

    states: tuple[tuple[str, LabelSet, CanaryState], ...]
    snapshots: Mapping[str, TargetSnapshot]
    serving: Mapping[str, ServingVerdict]


Builder: TypeAlias = Callable[[CanaryView], Iterable[Series]]


def canary_view(source: StateSource) -> CanaryView:
    """The view of the canaries, targets and models by name."""
    by_target = source.canaries()
    states = (
        (name, _labels(name, key), by_target[name][key])
        for name in sorted(by_target)
        for key in sorted(by_target[name])
    )
    return CanaryView(tuple(states), source.snapshots(), source.serving())


def _labels(target: str, key: ModelKey) -> LabelSet:
    return LabelSet(target=target, model=key.name, version=key.version)


# What makes a builder of a plain reading


def _of_state(read: Callable[[CanaryState], float | None]) -> Builder:
    def build(view: CanaryView) -> Iterator[Series]:
        for _, labels, state in view.states:
            value = read(state)
            if value is not None:
                yield labels, float(value)

    return build


def _of_last(read: Callable[[CanaryResult], float | None]) -> Builder:
    return _of_state(lambda state: None if state.last is None else read(state.last))


def _of_counts(read: Callable[[CanaryState], Mapping[str, int]]) -> Builder:
    def build(view: CanaryView) -> Iterator[Series]:
        for _, labels, state in view.states:
            for reason, count in sorted(read(state).items()):
                yield labels.plus("reason", reason), float(count)

    return build


def _verdict(view: CanaryView) -> Iterator[Series]:
    for _, labels, state in view.states:
        yield labels.plus("verdict", state.verdict.value), 1.0


def _reason(view: CanaryView) -> Iterator[Series]:
    for _, labels, state in view.states:
        if state.last is not None:
            yield labels.plus("reason", state.last.reason.value), 1.0


def _failing(view: CanaryView) -> Iterator[Series]:
    for _, labels, state in view.states:
        if state.verdict is CanaryVerdict.FAILING and state.last_failure is not None:
            yield labels.plus("reason", state.last_failure.reason.value), 1.0


_BOUNDS = (*(f"{bound:g}" for bound in LATENCY_BUCKETS), "+Inf")


def _latency(view: CanaryView) -> Iterator[Series]:
    for _, labels, state in view.states:
        for bound, count in zip(_BOUNDS, accumulate(state.buckets), strict=True):
            yield labels.plus("le", _as_float(bound)).on("_bucket"), float(count)
        yield labels.on("_count"), float(sum(state.buckets))
        yield labels.on("_sum"), state.latency_sum


def _as_float(bound: str) -> str:
    """OpenMetrics writes bounds as floats: 1.0, not 1."""
    return bound if "." in bound or bound == "+Inf" else f"{bound}.0"


def _silent(view: CanaryView) -> Iterator[Series]:
    for name, labels, state in view.states:
        snapshot = view.snapshots.get(name)
        if snapshot is not None and state.recent:
            # A canary may have passed since the poll that found it.
            yield labels, float(state.key in snapshot.silent and state.verdict is CanaryVerdict.FAILING)


def _of_wedged(read: Callable[[Wedged | None], float]) -> Builder:
    """Told of every model on a metrics page: no canary is needed to see it."""

    def build(view: CanaryView) -> Iterator[Series]:
        for name in sorted(view.snapshots):
            snapshot = view.snapshots[name]
            for key in () if snapshot.slis is None else snapshot.slis.models.keys:
                more = {"model_namespace": key.namespace} if key.namespace else {}
                labels = LabelSet(target=name, model=key.name, version=key.version, **more)
                yield labels, read(snapshot.wedged.get(key))

    return build


def _serving(view: CanaryView) -> Iterator[Series]:
    for name, one in sorted(view.serving.items()):
        if one.verdict is not Serving.UNKNOWN:
            yield LabelSet(target=name), float(one.verdict is Serving.SERVING)


CANARY_BUILDERS: dict[Metric, Builder] = {
    c.CANARY_SUCCESS: _of_last(lambda last: last.ok),
    c.CANARY_VERDICT: _verdict,
    c.CANARY_REASON: _reason,
    c.CANARY_FAILING: _failing,
    c.CANARY_RUNS: _of_counts(lambda state: {reason.value: count for reason, count in state.runs.items()}),
    c.CANARY_SKIPPED: _of_counts(lambda state: {reason.value: count for reason, count in state.skipped.items()}),
    c.CANARY_LATENCY: _latency,
    c.CANARY_LAST_LATENCY: _of_last(lambda last: last.latency),
    c.CANARY_FIRST_RESPONSE: _of_last(lambda last: last.first_response),
    c.CANARY_FIRST_CALL: _of_state(lambda state: state.first_call),
    c.CANARY_LAST_RUN: _of_last(lambda last: last.at),
    c.CANARY_REQUESTS: _of_state(lambda state: state.requests),
    c.CANARY_OVERHEAD: _of_state(lambda state: state.overhead),
    c.CANARY_HAS_GOLDEN: _of_state(lambda state: state.has_golden),
    c.MODEL_CLIENT_AVAILABILITY: _of_state(lambda state: state.availability),
    c.MODEL_SILENT_FAILURE: _silent,
    c.MODEL_WEDGED: _of_wedged(lambda wedged: float(wedged is not None and wedged.is_sure)),
    c.MODEL_STUCK: _of_wedged(lambda wedged: 0.0 if wedged is None else wedged.seconds),
    c.TARGET_SERVING: _serving,
}
