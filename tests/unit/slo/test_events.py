"""Which events an interval has, for each thing that an objective can be about: numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from support.frames import facts, frame, key
from support.objectives import availability, batch_efficiency, gpu_band, queue_time, ttft
from triton_watch.records import (
    Counter,
    EnsembleStep,
    Goal,
    Gpu,
    HistogramFrame,
    MetricsFrame,
    ModelConfig,
    Objective,
    Override,
    SliTable,
    SloSli,
)
from triton_watch.slo.counting import count, plan_of
from triton_watch.slo.ledger import Ledger
from triton_watch.slo.sli import compute

M = key("m")
ZERO = dict.fromkeys(Counter, 0.0)
MS = 1000.0
"""Microseconds."""


def table(
    later: dict[Counter, float], *, config: ModelConfig | None = None, seconds: float = 10.0, **pages: object
) -> SliTable:
    """The SLIs of one interval in which the model's counters went from 0 to `later`."""
    before = replace(frame(100.0, {M: ZERO}), **pages)  # type: ignore[arg-type]  # names of fields
    now = replace(frame(100.0 + seconds, {M: {**ZERO, **later}}), **pages)  # type: ignore[arg-type]  # names of fields
    return compute(before, now, facts(now, config or ModelConfig("m", max_batch_size=8)))


def events(objective: Objective, of: SliTable) -> tuple[float, float] | None:
    """Good and bad events, None where the indicator has no say or is not served."""
    found = [one for one, _, _ in count(plan_of((objective,), "t", of), of)]
    if not found or not found[0].reported.all():
        return None
    return float(found[0].good[0]), float(found[0].bad[0])


def busy(**more: float) -> dict[Counter, float]:
    return {Counter[name.upper()]: value for name, value in more.items()}


def test_failures_are_bad_for_availability_and_canceled_requests_are_neither() -> None:
    later = busy(success=90, fail_backend=3, fail_other=2, fail_rejected=4, fail_canceled=50, fail_unlabelled=1)
    assert events(availability(), table(later)) == (90.0, 10.0)


@pytest.mark.parametrize(("queue_ms", "expected"), [(49, (10.0, 0.0)), (50, (10.0, 0.0)), (51, (0.0, 10.0))])
def test_all_requests_of_an_interval_are_good_up_to_the_threshold_and_bad_beyond(
    queue_ms: float, expected: tuple[float, float]
) -> None:
    assert events(queue_time(0.05), table(busy(success=10, queue_us=10 * queue_ms * MS))) == expected


def test_no_traffic_is_no_event_but_the_indicator_had_its_say() -> None:
    idle = table({})
    for objective in (availability(), queue_time(), batch_efficiency()):
        assert events(objective, idle) == (0.0, 0.0)


def test_failures_alone_are_no_event_of_a_latency() -> None:
    assert events(queue_time(), table(busy(fail_backend=10))) == (0.0, 0.0)


@pytest.mark.parametrize(("served_ms", "expected"), [(40, (10.0, 0.0)), (60, (0.0, 10.0))])
def test_a_served_quantile_judges_in_place_of_the_mean(served_ms: float, expected: tuple[float, float]) -> None:
    quantiles = {("queue", "0.99"): np.array([served_ms * MS])}
    slow_on_average = busy(success=10, queue_us=10 * 900 * MS)
    assert events(queue_time(0.05, quantile="0.99"), table(slow_on_average, quantiles=quantiles)) == expected


def test_a_quantile_that_is_not_served_or_has_no_value_under_traffic_is_no_data() -> None:
    objective, traffic = queue_time(0.05, quantile="0.99"), busy(success=10, queue_us=10)
    assert events(objective, table(traffic)) is None
    nothing = {("queue", "0.99"): np.array([np.nan])}
    assert events(objective, table(traffic, quantiles=nothing)) is None
    assert events(objective, table({}, quantiles=nothing)) == (0.0, 0.0)


def test_an_override_judges_its_models_by_their_own_goal() -> None:
    objective = queue_time(0.05, overrides=(Override(("m*",), Goal(0.9, high=0.2)),))
    assert events(objective, table(busy(success=10, queue_us=10 * 100 * MS))) == (10.0, 0.0)


@pytest.mark.parametrize(("executions", "expected"), [(10, (12.5, 0.0)), (80, (0.0, 12.5))])
def test_seconds_with_traffic_are_judged_by_batch_efficiency(executions: float, expected: tuple[float, float]) -> None:
    later = busy(success=80, inferences=80, executions=executions, request_us=1e8)
    assert events(batch_efficiency(0.5), table(later, seconds=12.5)) == expected


def test_seconds_are_whole_parts_of_1024_so_that_sums_of_them_are_exact() -> None:
    later = busy(success=80, inferences=80, executions=10, request_us=1e8)
    good, _ = events(batch_efficiency(0.5), table(later, seconds=0.1)) or (0.0, 0.0)
    assert good == round(0.1 * 1024) / 1024
    assert sum([good] * 1_000_000) == 1_000_000 * good


@pytest.mark.parametrize("config", [ModelConfig("m", max_batch_size=1), ModelConfig("other")])
def test_a_model_that_takes_no_batches_or_is_not_known_has_no_batch_events(config: ModelConfig) -> None:
    assert events(batch_efficiency(), table(busy(success=1), config=config)) is None


def test_an_ensemble_has_no_queue_and_no_batches_of_its_own() -> None:
    config = ModelConfig("m", platform="ensemble", steps=(EnsembleStep("x", -1),))
    of = table(busy(success=10, queue_us=10), config=config)
    assert events(queue_time(), of) is None
    assert events(batch_efficiency(), of) is None
    assert events(availability(), of) == (10.0, 0.0)


def gpu_table(utilization: float, later: dict[Counter, float]) -> SliTable:
    gpus = {"GPU-1": {Gpu.UTILIZATION: utilization}}
    pages = [frame(at, {M: values}, gpus=gpus) for at, values in ((0.0, ZERO), (10.0, {**ZERO, **later}))]
    return compute(pages[0], pages[1], facts(pages[1], ModelConfig("m", uses_gpu=True)))


@pytest.mark.parametrize(
    ("utilization", "expected"), [(0.1, (0.0, 10.0)), (0.2, (10.0, 0.0)), (0.9, (10.0, 0.0)), (0.95, (0.0, 10.0))]
)
def test_gpu_utilization_is_good_inside_its_band(utilization: float, expected: tuple[float, float]) -> None:
    traffic = busy(success=5, compute_infer_us=1e6)
    assert events(gpu_band(0.2, 0.9), gpu_table(utilization, traffic)) == expected


def test_an_idle_gpu_is_not_below_the_band_and_a_model_without_gpu_has_no_events() -> None:
    assert events(gpu_band(0.2, 0.9), gpu_table(0.0, {})) == (0.0, 0.0)
    assert events(gpu_band(0.2, 0.9), table(busy(success=1))) is None


def histogram_table(before: list[float], now: list[float], bounds: tuple[float, ...] = (100, 500, np.inf)) -> SliTable:
    def page(at: float, counts: list[float]) -> MetricsFrame:
        buckets = HistogramFrame(bounds, np.array(counts, dtype=np.float64).reshape(len(counts), 1))
        return replace(frame(at, {M: ZERO}), first_response=buckets)

    later = page(10.0, now)
    return compute(page(0.0, before), later, facts(later, ModelConfig("m")))


def test_first_responses_are_good_in_the_buckets_up_to_the_threshold() -> None:
    of = histogram_table([1, 2, 3], [11, 17, 23])
    assert events(ttft(0.1), of) == (10.0, 10.0)
    assert events(ttft(0.5), of) == (15.0, 5.0)
    assert events(ttft(0.3), of) == (10.0, 10.0), "a threshold between bounds counts by the one below"
    assert events(ttft(0.05), of) == (0.0, 20.0), "nothing is known to be as fast as that"


def test_first_responses_of_a_model_that_was_loaded_again_count_from_zero() -> None:
    assert events(ttft(0.1), histogram_table([100, 200, 300], [4, 5, 6])) == (4.0, 2.0)


def test_more_fast_responses_than_responses_are_thrown_away_as_impossible() -> None:
    of = histogram_table([0, 0, 0], [9, 9, 5])
    (found, _, _) = next(iter(count(plan_of((ttft(0.1),), "t", of), of)))
    assert (found.odd, found.good[0], found.bad[0]) == (1, 0.0, 0.0)


def test_a_server_without_the_histogram_has_no_first_response_events() -> None:
    assert events(ttft(0.1), table(busy(success=1))) is None


def test_a_server_whose_counters_stand_still_reports_nothing() -> None:
    frozen = table(busy(success=10), families=frozenset({"nv_inference_request_success"}))
    assert frozen.counters_off
    assert events(availability(), frozen) is None


CANARY = Objective(
    "canary", SloSli.CANARY, Goal(0.99, min_events=1), availability().period, windows=availability().windows
)
OTHER = key("other")


def canaries(*counts: tuple[float, float], later: MetricsFrame | None = None) -> SliTable:
    """An interval in which so many canaries of each model passed and failed."""
    now = later or frame(110.0, dict.fromkeys((M, OTHER)[: len(counts)], ZERO))
    before = frame(100.0, dict.fromkeys(now.models.keys, ZERO), families=now.families)
    return compute(before, now, facts(now, ModelConfig("m")), canaries=np.array(counts).T)


def test_canaries_that_passed_are_good_and_those_that_failed_are_bad() -> None:
    assert events(CANARY, canaries((3.0, 2.0))) == (3.0, 2.0)
    assert events(CANARY, canaries((0.0, 0.0))) == (0.0, 0.0)


def test_a_model_without_a_canary_has_no_say_and_a_target_without_canaries_has_no_series() -> None:
    of = canaries((3.0, 2.0), (np.nan, np.nan))
    ((found, _, _),) = count(plan_of((CANARY,), "t", of), of)
    assert found.reported.tolist() == [True, False]
    assert (found.good.tolist(), found.bad.tolist()) == ([3.0, 0.0], [2.0, 0.0])
    without = table(busy(success=10))
    assert list(count(plan_of((CANARY,), "t", without), without)) == []


def test_canaries_are_judged_while_the_counters_stand_still() -> None:
    """They are what clients see: no counter of the server is needed."""
    frozen = canaries((3.0, 2.0), later=frame(110.0, {M: ZERO}, families=frozenset({"nv_inference_request_success"})))
    assert frozen.counters_off
    assert events(CANARY, frozen) == (3.0, 2.0)


def test_each_canary_is_counted_once_over_many_polls() -> None:
    """Also through polls without a page, after which the next one brings all canaries since."""
    ledger, last = Ledger("t", (CANARY,), time=0.0), None
    for number, brought in enumerate([(0, 0), (2, 0), None, (3, 2), (0, 0), (1, 0)]):
        at = 10.0 * number
        if brought is None:
            ledger.observe(None, at)
            continue
        page = frame(at, {M: ZERO})
        ledger.observe(compute(last, page, facts(page), canaries=np.array([brought], dtype=np.float64).T), at)
        last = page
    sums = ledger.sums(0.0)
    assert [one.model for one in sums.keys] == [M]
    assert (sums.good[-1, 0], sums.bad[-1, 0]) == (6.0, 2.0)


def test_every_thing_that_an_objective_can_be_about_is_tested_here() -> None:
    made = {one.sli for one in (availability(), queue_time(), batch_efficiency(), gpu_band(0, 1), ttft(1))}
    assert made | {SloSli.REQUEST_TIME, SloSli.CANARY} == set(SloSli)
    request = replace(queue_time(0.05), sli=SloSli.REQUEST_TIME)
    assert events(request, table(busy(success=10, request_us=10 * 60 * MS))) == (0.0, 10.0)
