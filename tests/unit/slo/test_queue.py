"""How deep a queue is against what its model takes at once, and whether waiting costs more than computing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from support.frames import facts, frame, key
from triton_watch.records import Counter, ModelConfig, SliTable
from triton_watch.slo.queue import depth_ratio, in_flight_per_instance, queues_longer
from triton_watch.slo.sli import compute

M = key("m")


def table(config: ModelConfig | None = None, pending: float = 0.0, **counts: float) -> SliTable:
    """Ten seconds in which `m` counted so much; the counters are those of the frames."""
    nothing: dict[Counter, float] = dict.fromkeys(
        (c for c in Counter if c not in (Counter.CACHE_HITS, Counter.CACHE_MISSES)), 0.0
    )
    counted = {**nothing, **{Counter[name.upper()]: value for name, value in counts.items()}}
    before, after = frame(10.0, {M: nothing}), frame(20.0, {M: counted}, pending=pending)
    return compute(before, after, facts(after, *([] if config is None else [config])))


@pytest.mark.parametrize(
    ("batch", "instances", "pending", "ratio"),
    [
        (8, 1, 16.0, 2.0),
        (8, 4, 16.0, 0.5),
        (0, 1, 10.0, 2.0),  # no batches: one request an instance, and five are no queue yet
        (0, 10, 20.0, 2.0),
        (1, 1, 5.0, 1.0),
        (64, 1, 0.0, 0.0),
    ],
)
def test_depth_is_measured_by_what_all_instances_take_at_once_and_at_least_five(
    batch: int, instances: int, pending: float, ratio: float
) -> None:
    config = ModelConfig("m", max_batch_size=batch, instances=instances)
    assert depth_ratio(table(config, pending)).tolist() == [ratio]


def test_nothing_is_said_of_ensembles_unknown_models_and_gauges_that_are_not_served() -> None:
    ensemble = ModelConfig("m", platform="ensemble")
    for found in (table(ensemble, 9.0), table(None, 9.0), table(ModelConfig("m"), np.nan)):
        assert np.isnan(depth_ratio(found)).all()
    for config in (ensemble, None):
        assert np.isnan(in_flight_per_instance(table(config, success=10, request_us=1e7))).all()


def test_requests_in_flight_are_shared_out_over_the_instances() -> None:
    found = table(ModelConfig("m", instances=4), success=10, request_us=80e6)
    assert in_flight_per_instance(found).tolist() == [2.0]


@pytest.mark.parametrize(
    ("queue_us", "compute_us", "longer"),
    [(5e6, 2e6, True), (5e6, 5e6, False), (2e6, 5e6, False), (5e5, 1e5, False), (1.1e6, 1e5, True)],
)
def test_a_wait_counts_from_ten_milliseconds_when_it_is_longer_than_the_computing(
    queue_us: float, compute_us: float, longer: bool
) -> None:
    found = table(ModelConfig("m"), success=100, queue_us=queue_us, compute_infer_us=compute_us)
    assert queues_longer(found).tolist() == [longer]


def test_without_traffic_nothing_waits() -> None:
    idle = table(ModelConfig("m"))
    assert queues_longer(idle).tolist() == [False]
    assert queues_longer(replace(idle, values=np.full_like(idle.values, np.nan))).tolist() == [False]
