"""Which models an objective covers on a server, and why some of them have no data."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.frames import facts, frame, key
from triton_watch.records import (
    Counter,
    EnsembleStep,
    Goal,
    HistogramFrame,
    ModelConfig,
    ModelState,
    ModelStatus,
    NoData,
    NoDataReason,
    Objective,
    SliValue,
    SloSli,
    Target,
    TargetSnapshot,
)
from triton_watch.slo.coverage import covered_by, gaps
from triton_watch.slo.sli import compute

if TYPE_CHECKING:
    from triton_watch.records import MetricsFrame, ModelKey, SliTable

BUSY, IDLE, PIPELINE, ABSENT = key("busy"), key("idle"), key("pipeline"), key("absent")
CONFIGS = (
    ModelConfig("busy", max_batch_size=8),
    ModelConfig("idle", max_batch_size=1),
    ModelConfig("pipeline", platform="ensemble", steps=(EnsembleStep("busy", -1),)),
)
TARGET = Target("gpu-0", "http://a:8000", "http://a:8002/metrics", "a:8001")
NONE: dict[Counter, float] = dict.fromkeys((c for c in Counter if c is not Counter.FAIL_UNLABELLED), 0.0)
SOME: dict[Counter, float] = {**NONE, Counter.SUCCESS: 10.0, Counter.QUEUE_US: 50_000.0, Counter.REQUEST_US: 90_000.0}


def page(at: float, busy: dict[Counter, float], **changed: Any) -> MetricsFrame:
    made = frame(at, {BUSY: busy, IDLE: NONE, PIPELINE: NONE})
    return replace(made, **changed)


def table(**changed: Any) -> SliTable:
    current = page(2.0, SOME, **changed)
    return compute(page(0.0, NONE, **changed), current, facts(current, *CONFIGS))


def snapshot(slis: SliTable | None, ready: tuple[ModelKey, ...] = ()) -> TargetSnapshot:
    states = tuple(ModelState(one, ModelStatus.READY) for one in ready)
    return TargetSnapshot(TARGET, 2, 0.0, 0.0, MappingProxyType({}), models=states, slis=slis)


def objective(sli: SloSli, **changed: Any) -> Objective:
    return Objective(**{"name": "x", "sli": sli, "goal": Goal(0.9, high=0.5), "period": 1.0, "windows": (), **changed})


def readings(one: Objective, seen: TargetSnapshot) -> dict[str, object]:
    return {covered.key.name: _plain(covered.reading) for covered in covered_by(one, seen)}


def _plain(reading: SliValue | NoData | None) -> object:
    if isinstance(reading, SliValue):
        return pytest.approx(reading.value)
    return None if reading is None else reading.reason


def told(one: Objective, seen: TargetSnapshot) -> list[str]:
    return list(gaps(one, covered_by(one, seen), seen))


def test_each_covered_model_has_its_value_or_the_reason_why_not() -> None:
    assert readings(objective(SloSli.QUEUE_TIME), snapshot(table())) == {
        "busy": 0.005,
        "idle": NoDataReason.NO_TRAFFIC,
        "pipeline": NoDataReason.ENSEMBLE,
    }


@pytest.mark.parametrize(
    ("changed", "models"),
    [
        ({"models": ("b*",)}, {"busy"}),
        ({"exclude_models": ("i*", "pipeline")}, {"busy"}),
        ({"targets": ("cpu-*",)}, set()),
        ({"targets": ("gpu-*",), "models": ("idle",)}, {"idle"}),
    ],
)
def test_only_models_that_match_are_covered(changed: dict[str, Any], models: set[str]) -> None:
    assert set(readings(objective(SloSli.AVAILABILITY, **changed), snapshot(table()))) == models


def test_idle_models_and_ensembles_under_a_star_are_no_gap() -> None:
    assert told(objective(SloSli.QUEUE_TIME), snapshot(table())) == []


def test_a_model_that_somebody_named_and_that_never_has_data_is_a_gap() -> None:
    assert told(objective(SloSli.QUEUE_TIME, models=("pipe*",)), snapshot(table())) == [
        "x has no data for pipeline on gpu-0: an ensemble has no queue, instances or batches of its own: see its "
        "members."
    ]
    assert told(objective(SloSli.BATCH_EFFICIENCY, models=("idle",)), snapshot(table())) == [
        "x has no data for idle on gpu-0: max_batch_size is at most 1."
    ]


def test_a_ready_model_that_the_page_lacks_is_a_gap() -> None:
    seen = snapshot(table(), ready=(ABSENT, BUSY))
    assert told(objective(SloSli.AVAILABILITY), seen) == [
        "x has no data for absent on gpu-0: the model is not on the metrics page."
    ]
    assert readings(objective(SloSli.AVAILABILITY), snapshot(None, ready=(BUSY,))) == {"busy": NoDataReason.GONE}


def test_a_quantile_that_the_server_does_not_serve_is_a_gap() -> None:
    one = objective(SloSli.QUEUE_TIME, goal=Goal(0.9, high=0.5, quantile="0.99"), models=("busy",))
    assert told(one, snapshot(table())) == [
        "x has no data for busy on gpu-0: its quantile is not served: start Triton with --metrics-config "
        "summary_latencies=true (a model with a response cache has no request quantiles)."
    ]
    served = table(quantiles={("queue", "0.99"): np.array([7000.0, np.nan, np.nan])})
    assert readings(one, snapshot(served)) == {"busy": 0.007}
    without_value = table(quantiles={("queue", "0.99"): np.array([np.nan, np.nan, np.nan])})
    assert readings(one, snapshot(without_value)) == {"busy": NoDataReason.NOT_SERVED}, "it has traffic"
    assert told(one, snapshot(served)) == []


def test_a_first_response_that_the_server_does_not_serve_is_a_gap() -> None:
    assert told(objective(SloSli.TTFT, models=("busy",)), snapshot(table())) == [
        "x has no data for busy on gpu-0: the server does not serve the first-response histogram (Triton 24.11, "
        "histogram_latencies=true)."
    ]


HISTOGRAM = HistogramFrame((100.0, 500.0, float("inf")), np.array([[1.0, 0, 0], [2.0, 0, 0], [3.0, 0, 0]]))


def test_a_first_response_has_no_single_value() -> None:
    seen = snapshot(table(first_response=HISTOGRAM))
    one = objective(SloSli.TTFT)
    assert readings(one, seen) == {
        "busy": None,
        "idle": NoDataReason.NO_TRAFFIC,
        "pipeline": NoDataReason.NO_TRAFFIC,
    }
    assert told(one, seen) == []


def test_a_threshold_between_the_bounds_of_the_histogram_is_told() -> None:
    one = objective(SloSli.TTFT, goal=Goal(0.9, high=0.3))
    assert told(one, snapshot(table(first_response=HISTOGRAM))) == [
        "x has a threshold of 300 ms, which is no bound of the server's histogram: choose one of 100 ms and 500 ms, "
        "or the next lower one counts."
    ]
