"""The indicators of DESIGN §4, recorded from Triton's own metrics alone; with a live server's facts batching too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.conventions import recorded
from triton_watch.generate import queries
from triton_watch.generate.queries import Scope
from triton_watch.generate.rules.triton_parts import (
    base,
    group,
    labels_by,
    matchers,
    model_scope,
    not_ensembles,
    record,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.generate.rules.options import RuleOptions
    from triton_watch.generate.rules.triton_parts import Group, Rule

_SPAN: Final = "5m"
"""Holds ten scrapes at 30 s: a model with a request every ten seconds has thirty in it."""
_LEAST: Final = 5
"""Requests that may wait for any model: a handful is no queue."""
_OF_CONFIG: Final = "on (job, model) group_left ()"


def sli_group(options: RuleOptions) -> Group:
    """Return the group `triton-sli`. A rule reads what the rules before it recorded."""
    rules = [*_configs(options), *_models(options), *_batches(options), *_gpus(options)]
    return group("triton-sli", options.interval, rules)


def _models(options: RuleOptions) -> Iterator[Rule]:
    every = model_scope(options, _SPAN)
    own = model_scope(options, _SPAN, not_ensembles(options))
    yield record(recorded.REQUESTS, queries.requests(every))
    yield record(recorded.FAILURES, queries.failures(every))
    yield record(recorded.ERROR_RATIO, queries.error_ratio(every))
    yield record(recorded.REQUEST_TIME, queries.mean_time(every, "request"))
    yield record(recorded.QUEUE_TIME, queries.mean_time(own, "queue"))
    yield record(recorded.COMPUTE_INPUT_TIME, queries.compute_time(every, "compute_input"))
    yield record(recorded.COMPUTE_INFER_TIME, queries.compute_time(every, "compute_infer"))
    yield record(recorded.COMPUTE_OUTPUT_TIME, queries.compute_time(every, "compute_output"))
    yield record(recorded.AVERAGE_BATCH, queries.average_batch(own))
    yield record(recorded.IN_FLIGHT, queries.in_flight(every))
    yield record(recorded.CACHE_HIT_RATIO, queries.cache_hit_ratio(every))
    yield record(recorded.QUEUE_DEPTH, _depth(options, own))


def _depth(options: RuleOptions, own: Scope) -> str:
    """Without configurations what a model takes at once is what it computes at a time.

    While requests wait it computes all that it can, so that both are the same then. In its first minutes a rate over
    five of them is too low: nothing is said until it has been there for as long.
    """
    pending = "nv_inference_pending_request_count"
    if options.models is None:
        depth = f"{own.total(pending)} / clamp_min({queries.in_flight(own, 'compute_infer')}, {_LEAST})"
        return f"{depth} and on ({', '.join(own.by)}) {own.series(pending)} offset {_SPAN}"
    instances, largest = (own.series(one.name) for one in (recorded.INSTANCES, recorded.MAX_BATCH_SIZE))
    at_once = f"{instances} * on (job, model) clamp_min({largest}, 1)"
    return f"{own.total(pending)} / {_OF_CONFIG} clamp_min({at_once}, {_LEAST})"


def _configs(options: RuleOptions) -> Iterator[Rule]:
    """What a live server said, as constants. An ensemble has neither instances nor batches of its own."""
    for one in options.models or ():
        if not one.is_ensemble:
            labels = {**dict(base(options)), "model": one.name}
            yield record(recorded.MAX_BATCH_SIZE, f"vector({one.max_batch_size})", **labels)
            yield record(recorded.INSTANCES, f"vector({one.instances})", **labels)


def _batches(options: RuleOptions) -> Iterator[Rule]:
    """The lesser of two denominators is the greater of two quotients: fill, and batch over what is in flight."""
    if options.models is None:
        return
    own = model_scope(options, _SPAN, not_ensembles(options))
    batch, fill = own.series(recorded.AVERAGE_BATCH.name), own.series(recorded.BATCH_FILL.name)
    yield record(recorded.BATCH_FILL, f"{batch} / {_OF_CONFIG} ({own.series(recorded.MAX_BATCH_SIZE.name)} > 1)")
    samples = f"{own.series(recorded.IN_FLIGHT.name)} * {queries.samples_per_request(own)}"
    on_hand = f"clamp_min({samples} / {_OF_CONFIG} {own.series(recorded.INSTANCES.name)}, 1)"
    used = f"{batch} / {on_hand}"
    # A rate over five minutes is too low in a model's first five, so that its batches would look good.
    grown = f"on ({', '.join(own.by)}) {own.series('nv_inference_request_success')} offset {_SPAN}"
    yield record(recorded.BATCH_EFFICIENCY, f"(({fill} >= {used}) or ({used} and {fill})) and {grown}")


def _gpus(options: RuleOptions) -> Iterator[Rule]:
    scope = Scope(matchers(options), _SPAN, labels_by(options, "instance", "gpu_uuid"))
    yield record(recorded.GPU_UTILIZATION, scope.highest("nv_gpu_utilization"))
    yield record(recorded.GPU_MEMORY_USED, queries.gpu_memory_used(scope))
    yield record(recorded.GPU_POWER, scope.highest("nv_gpu_power_usage"))
