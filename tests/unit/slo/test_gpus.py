"""GPUs against the traffic of the models that run on them."""

from __future__ import annotations

import numpy as np
import pytest

from support.alert_facts import BUSY, GPU, ON_GPU, TARGET, snapshot, table
from support.alert_moments import FULL, GOOD, WAITING
from triton_watch.records import Gpu, ModelConfig, Target
from triton_watch.slo import gpus

NO_LOAD = table({}, ON_GPU, gpu=FULL)
ON_CPU = ModelConfig("encoder", max_batch_size=8)


def test_utilization_is_told_under_load_alone() -> None:
    assert gpus.utilization_under_load(table(GOOD, ON_GPU, gpu=FULL)).tolist() == [0.99]
    assert np.isnan(gpus.utilization_under_load(NO_LOAD)).all()
    assert np.isnan(gpus.utilization_under_load(table(GOOD, ON_CPU, gpu=FULL))).all(), "its traffic is the CPU's"
    assert gpus.utilization_under_load(table(GOOD, ON_GPU)).tolist() == []


def test_models_queue_on_a_gpu_where_their_requests_wait_for_longer_than_they_are_computed() -> None:
    assert gpus.queueing_models(table(WAITING, ON_GPU, gpu=FULL)).tolist() == [[True]]
    assert gpus.queueing_models(table(GOOD, ON_GPU, gpu=FULL)).tolist() == [[False]]
    assert gpus.queueing_models(table(WAITING, ON_CPU, gpu=FULL)).tolist() == [[False]]


@pytest.mark.parametrize(
    ("values", "share"),
    [
        ({Gpu.MEMORY_USED: 40.0, Gpu.MEMORY_TOTAL: 80.0}, 0.5),
        ({Gpu.MEMORY_USED: 0.0, Gpu.MEMORY_TOTAL: 80.0}, 0.0),
        ({Gpu.MEMORY_USED: 40.0, Gpu.MEMORY_TOTAL: 0.0}, np.nan),
        ({Gpu.MEMORY_TOTAL: 80.0}, np.nan),
    ],
)
def test_the_share_of_memory_is_told_where_both_parts_are(values: dict[Gpu, float], share: float) -> None:
    np.testing.assert_equal(gpus.memory_used(table(BUSY, ON_GPU, gpu=values)), [share])


@pytest.mark.parametrize(
    ("config", "target", "has_gpu", "missing"),
    [
        (ON_GPU, TARGET, False, True),
        (ON_GPU, TARGET, True, False),
        (ON_CPU, TARGET, False, False),
        (ON_CPU, Target("t", "http://t", "http://t", "t:1", gpus=(GPU,)), False, True),
    ],
)
def test_gpu_metrics_are_missing_where_a_gpu_is_wanted_and_the_page_has_none(
    config: ModelConfig, target: Target, has_gpu: bool, missing: bool
) -> None:
    slis = table(GOOD, config, gpu=FULL if has_gpu else None)
    assert gpus.metrics_missing(snapshot(slis=slis, configs={config.name: config}, target=target)) is missing
    assert gpus.metrics_missing(snapshot(slis=None, configs={config.name: config}, target=target)) is None
