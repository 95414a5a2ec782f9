"""What the alerts about GPUs say, by pages made by hand and by pages of real H200 GPUs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from support.alert_facts import GPU, TARGET, facts, snapshot, table
from support.alert_moments import CALM, FULL, GOOD, GPUS, IDLE, WAITING
from triton_watch.alerting.definitions.gpus import (
    GPU_MEMORY_HIGH,
    GPU_METRICS_MISSING,
    GPU_SATURATED,
    GPU_UNDERUSED,
)
from triton_watch.records import Gpu, ModelConfig
from triton_watch.slo.facts import config_vectors
from triton_watch.slo.sli import compute
from triton_watch.triton.scrape import MetricsReader
from unit.alerting.test_definitions import cases

if TYPE_CHECKING:
    from triton_watch.alerting.definition import Facts

PAGES = Path(__file__).parents[2] / "fixtures" / "pages"


def recorded(*pages: str) -> Facts:
    """Facts from two pages that a real Triton served."""
    configs = {name: ModelConfig(name, max_batch_size=16, uses_gpu=True) for name in ("encoder", "ranker")}
    reader = MetricsReader()
    before, after = (reader.read((PAGES / page).read_bytes(), float(at)) for at, page in enumerate(pages))
    slis = compute(before, after, config_vectors(after.models, configs, after.gpus))
    return facts(snapshot(slis=slis, configs=configs))


BUSY_H200 = recorded("two_models_h200_load_15s.txt", "two_models_h200_load_30s.txt")
IDLE_H200 = recorded("two_models_h200_idle.txt", "two_models_h200_idle.txt")


def test_a_full_memory_is_told_with_the_gpu() -> None:
    found = cases(GPU_MEMORY_HIGH, facts(snapshot(slis=table(GOOD, gpu=FULL))))
    assert found is not None
    assert dict(found[0].labels) == {"gpu_uuid": GPU}
    assert found[0].detail == "99% of the memory of GPU GPU-1 is in use, by any process."


def test_an_idle_gpu_is_told_with_the_models_that_have_traffic() -> None:
    found = cases(GPU_UNDERUSED, facts(snapshot(slis=table(GOOD, GPUS["encoder"], gpu=IDLE), configs=GPUS)))
    assert found is not None
    assert found[0].detail == "GPU GPU-1 is used 2% of the time while encoder has traffic on it."


def test_a_saturated_gpu_is_told_with_the_models_that_queue() -> None:
    found = cases(GPU_SATURATED, facts(snapshot(slis=table(WAITING, GPUS["encoder"], gpu=FULL), configs=GPUS)))
    assert found is not None
    assert found[0].detail == (
        "GPU GPU-1 is used 99% of the time, and requests for encoder wait for longer than they are computed."
    )


def test_a_gpu_that_serves_no_value_is_not_known() -> None:
    unknown = facts(snapshot(slis=table(GOOD, GPUS["encoder"], gpu={Gpu.POWER: 100.0}), configs=GPUS))
    for one in (GPU_MEMORY_HIGH, GPU_UNDERUSED, GPU_SATURATED):
        assert [case.holds for case in cases(one, unknown) or ()] == [None]


def test_a_model_whose_gpu_nobody_knows_loads_none() -> None:
    slis = table(GOOD, GPUS["encoder"], gpu=IDLE)
    lost = replace(slis, configs=replace(slis.configs, on_gpu=np.full((1, 1), np.nan)))
    assert [case.holds for case in cases(GPU_UNDERUSED, facts(snapshot(slis=lost))) or ()] == [None]


def test_missing_gpu_metrics_are_told_where_a_model_or_the_configuration_wants_a_gpu() -> None:
    by_model = cases(GPU_METRICS_MISSING, facts(snapshot(configs=GPUS)))
    by_target = cases(GPU_METRICS_MISSING, facts(snapshot(target=replace(TARGET, gpus=(GPU,)))))
    assert by_model is not None
    assert by_target is not None
    assert by_model[0].detail == "1 model may run on a GPU, and the metrics page has no nv_gpu_ series."
    assert by_target[0].detail.startswith("GPUs are configured for the target, and")
    assert cases(GPU_METRICS_MISSING, facts()) == ()
    assert cases(GPU_METRICS_MISSING, facts(snapshot(slis=table(gpu=CALM), configs=GPUS))) == ()


def test_busy_h200s_are_neither_underused_nor_full_and_their_metrics_are_there() -> None:
    for alert in (GPU_METRICS_MISSING, GPU_MEMORY_HIGH, GPU_UNDERUSED):
        assert cases(alert, BUSY_H200) == ()


def test_an_h200_at_full_load_is_saturated_as_soon_as_requests_wait_for_it() -> None:
    slis, condition = BUSY_H200.snapshot.slis, GPU_SATURATED.condition
    assert slis is not None
    assert condition is not None
    load = float(slis.frame.gpu_values[Gpu.UTILIZATION, 0])
    assert [one.holds for one in condition(BUSY_H200, load - 0.01) or ()] == [True]
    assert tuple(condition(BUSY_H200, load + 0.01) or ()) == ()


def test_an_h200_without_traffic_is_not_called_underused() -> None:
    assert [one.holds for one in cases(GPU_UNDERUSED, IDLE_H200) or ()] == [None]
