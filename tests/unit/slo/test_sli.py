"""Each SLI formula against numbers worked out by hand, and against a scalar oracle on made intervals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.frames import facts, frame, key
from triton_watch.records import (
    Counter,
    EnsembleStep,
    Gpu,
    MetricsFrame,
    ModelConfig,
    ModelKey,
    NoData,
    NoDataReason,
    Sli,
    SliTable,
    SliValue,
)
from triton_watch.slo.ensemble import breakdown
from triton_watch.slo.sli import compute, value_of

if TYPE_CHECKING:
    from collections.abc import Mapping

M = key("m")
BATCHING = ModelConfig("m", backend="onnxruntime", max_batch_size=8, instances=2, dynamic_batching=True)


def counters(**values: float) -> dict[Counter, float]:
    base: dict[Counter, float] = dict.fromkeys(
        (c for c in Counter if c not in (Counter.FAIL_UNLABELLED, Counter.CACHE_HITS, Counter.CACHE_MISSES)),
        0.0,
    )
    return {**base, **{Counter[name.upper()]: float(value) for name, value in values.items()}}


def between(*pages: MetricsFrame, config: ModelConfig = BATCHING) -> SliTable:
    previous, current = pages if len(pages) == 2 else (None, pages[0])
    return compute(previous, current, facts(current, config))


def number(table: SliTable, sli: Sli, model: ModelKey = M) -> float:
    value = value_of(table, model, sli)
    assert isinstance(value, SliValue), value
    return value.value


def why(table: SliTable, sli: Sli, model: ModelKey = M) -> NoDataReason:
    value = value_of(table, model, sli)
    assert isinstance(value, NoData), value
    return value.reason


ZERO = frame(10.0, {M: counters()})
LOAD = frame(
    20.0,
    {
        M: counters(
            success=100,
            fail_backend=20,
            fail_other=3,
            fail_rejected=2,
            fail_canceled=50,
            inferences=400,
            executions=100,
            request_us=5_000_000,
            queue_us=1_000_000,
            compute_input_us=10_000,
            compute_infer_us=3_000_000,
            compute_output_us=20_000,
        )
    },
)


@pytest.mark.parametrize(
    ("sli", "expected"),
    [
        (Sli.AVAILABILITY, 100 / 125),
        (Sli.REQUEST_RATE, 12.5),
        (Sli.FAILURE_RATE, 2.5),
        (Sli.QUEUE_TIME, 0.010),
        (Sli.REQUEST_TIME, 0.050),
        (Sli.COMPUTE_INPUT_TIME, 0.0001),
        (Sli.COMPUTE_INFER_TIME, 0.030),
        (Sli.COMPUTE_OUTPUT_TIME, 0.0002),
        (Sli.IN_FLIGHT, 0.5),
        (Sli.AVERAGE_BATCH, 4.0),
        (Sli.BATCH_FILL, 0.5),
        (Sli.BATCH_EFFICIENCY, 4.0),
        (Sli.PENDING, 0.0),
    ],
)
def test_each_formula_gives_the_value_worked_out_by_hand(sli: Sli, expected: float) -> None:
    assert number(between(ZERO, LOAD), sli) == pytest.approx(expected)


def test_canceled_requests_are_neither_good_nor_bad() -> None:
    page = frame(20.0, {M: counters(success=10, fail_canceled=90)})
    assert number(between(ZERO, page), Sli.AVAILABILITY) == 1.0


def test_efficiency_compares_with_what_the_traffic_allowed_not_with_max_batch_size() -> None:
    # 40 s of request time in 10 s: 4 in flight on 2 instances, so batches of 2 were possible.
    page = frame(20.0, {M: counters(success=100, inferences=100, executions=100, request_us=40_000_000)})
    table = between(ZERO, page)
    assert number(table, Sli.BATCH_FILL) == pytest.approx(1 / 8)
    assert number(table, Sli.BATCH_EFFICIENCY) == pytest.approx(0.5)


def test_a_lonely_request_batches_as_well_as_can_be() -> None:
    page = frame(20.0, {M: counters(success=1, inferences=1, executions=1, request_us=5_000)})
    assert number(between(ZERO, page), Sli.BATCH_EFFICIENCY) == 1.0


def test_one_slow_request_in_ten_seconds_keeps_its_true_queue_time() -> None:
    page = frame(20.0, {M: counters(success=1, queue_us=5_000, request_us=6_000)})
    assert number(between(ZERO, page), Sli.QUEUE_TIME) == pytest.approx(0.005)


def test_cache_hits_are_kept_out_of_compute_times() -> None:
    before = frame(10.0, {M: {**counters(), Counter.CACHE_HITS: 0.0, Counter.CACHE_MISSES: 0.0}})
    after = frame(
        20.0,
        {
            M: {
                **counters(success=100, compute_infer_us=10_000, inferences=10, executions=10),
                Counter.CACHE_HITS: 90.0,
                Counter.CACHE_MISSES: 10.0,
            }
        },
    )
    table = between(before, after)
    assert number(table, Sli.COMPUTE_INFER_TIME) == pytest.approx(0.001)
    assert number(table, Sli.CACHE_HIT_RATIO) == pytest.approx(0.9)


def test_failures_without_a_reason_of_old_servers_count_as_failures() -> None:
    old = {Counter.SUCCESS: 0.0, Counter.FAIL_UNLABELLED: 0.0, Counter.REQUEST_US: 0.0}
    new = {Counter.SUCCESS: 3.0, Counter.FAIL_UNLABELLED: 1.0, Counter.REQUEST_US: 9.0}
    assert number(between(frame(10.0, {M: old}), frame(20.0, {M: new})), Sli.AVAILABILITY) == 0.75


@pytest.mark.parametrize(
    ("sli", "reason"),
    [
        (Sli.AVAILABILITY, NoDataReason.NO_TRAFFIC),
        (Sli.QUEUE_TIME, NoDataReason.NO_TRAFFIC),
        (Sli.AVERAGE_BATCH, NoDataReason.NO_TRAFFIC),
        (Sli.BATCH_EFFICIENCY, NoDataReason.NO_TRAFFIC),
        (Sli.CACHE_HIT_RATIO, NoDataReason.NO_CACHE),
        (Sli.GPU_UTILIZATION, NoDataReason.NO_GPU),
    ],
)
def test_an_idle_interval_has_no_data_and_says_why(sli: Sli, reason: NoDataReason) -> None:
    assert why(between(ZERO, frame(20.0, {M: counters()})), sli) is reason


def test_a_model_whose_requests_all_fail_has_traffic_but_no_times() -> None:
    table = between(ZERO, frame(20.0, {M: counters(fail_backend=9, executions=9)}))
    for sli in (Sli.QUEUE_TIME, Sli.REQUEST_TIME, Sli.AVERAGE_BATCH, Sli.BATCH_EFFICIENCY):
        assert why(table, sli) is NoDataReason.NO_SUCCESS
    assert number(table, Sli.AVAILABILITY) == 0.0


def test_an_idle_model_has_a_request_rate_of_zero_which_is_data() -> None:
    assert number(between(ZERO, frame(20.0, {M: counters()})), Sli.REQUEST_RATE) == 0.0


def test_a_first_scrape_has_gauges_only() -> None:
    table = between(frame(10.0, {M: counters(success=5)}, pending=3.0))
    assert number(table, Sli.PENDING) == 3.0
    assert why(table, Sli.AVAILABILITY) is NoDataReason.FIRST_SCRAPE


@pytest.mark.parametrize("at", [10.0, 9.0])
def test_two_scrapes_of_one_moment_or_in_the_wrong_order_make_no_interval(at: float) -> None:
    table = between(ZERO, frame(at, {M: counters(success=5)}))
    assert why(table, Sli.AVAILABILITY) is NoDataReason.FIRST_SCRAPE


def test_missing_durations_are_not_served_rather_than_zero() -> None:
    before = frame(10.0, {M: {Counter.SUCCESS: 0.0}})
    after = frame(20.0, {M: {Counter.SUCCESS: 5.0}})
    assert why(between(before, after), Sli.QUEUE_TIME) is NoDataReason.NOT_SERVED


def test_counters_that_stand_still_by_configuration_are_no_data_rather_than_no_traffic() -> None:
    families = frozenset({"nv_inference_request_success"})
    pages = [frame(at, {M: counters()}, families=families) for at in (10.0, 20.0)]
    table = between(*pages)
    assert table.counters_off
    assert why(table, Sli.REQUEST_RATE) is NoDataReason.COUNTERS_OFF


def test_a_model_that_does_not_batch_has_no_fill_and_no_efficiency() -> None:
    table = between(ZERO, LOAD, config=ModelConfig("m", max_batch_size=0))
    assert why(table, Sli.BATCH_FILL) is NoDataReason.NOT_BATCHING
    assert number(table, Sli.AVERAGE_BATCH) == 4.0


def test_without_a_configuration_fill_is_unknown() -> None:
    table = between(ZERO, LOAD, config=ModelConfig("other"))
    assert why(table, Sli.BATCH_FILL) is NoDataReason.NO_CONFIG


def test_an_ensemble_has_no_queue_and_no_batches_of_its_own() -> None:
    table = between(ZERO, LOAD, config=ModelConfig("m", platform="ensemble"))
    for sli in (Sli.QUEUE_TIME, Sli.AVERAGE_BATCH, Sli.BATCH_FILL, Sli.BATCH_EFFICIENCY):
        assert why(table, sli) is NoDataReason.ENSEMBLE
    assert number(table, Sli.REQUEST_TIME) == pytest.approx(0.05)


def test_a_model_that_is_not_on_the_page_is_gone() -> None:
    assert why(between(ZERO, LOAD), Sli.QUEUE_TIME, key("other")) is NoDataReason.GONE


def test_an_ensemble_is_broken_down_by_member_with_the_latest_version_and_its_overhead() -> None:
    ensemble, one, old, new = key("e"), key("one"), key("two", "2"), key("two", "10")
    pages = [
        frame(
            at,
            {
                ensemble: counters(success=n, request_us=10_000 * n),
                one: counters(success=n, request_us=4_000 * n, queue_us=1_000 * n),
                old: counters(success=0),
                new: counters(success=n, request_us=5_000 * n),
            },
        )
        for at, n in ((10.0, 0), (20.0, 10))
    ]
    configs = {"e": ModelConfig("e", platform="ensemble", steps=(EnsembleStep("one", 1), EnsembleStep("two", -1)))}
    table = compute(pages[0], pages[1], facts(pages[1], *configs.values()))
    parts = breakdown(table, ensemble, configs)
    assert parts is not None
    assert [member.key for member in parts.members] == [one, new]
    queue = parts.members[0].queue_time
    assert isinstance(queue, SliValue)
    assert queue.value == pytest.approx(0.001)
    assert parts.overhead == pytest.approx(0.001)
    assert breakdown(table, one, configs) is None


# Resets, models that come and go, gaps: a scalar oracle, one model and one counter at a time.

life = st.lists(
    st.one_of(
        st.tuples(st.just("serve"), st.integers(0, 1000)),
        st.tuples(st.just("reload"), st.integers(0, 50)),
        st.just(("vanish", 0)),
        st.just(("miss", 0)),
    ),
    min_size=2,
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcd"), life, min_size=1),
    st.lists(st.floats(0.1, 1e6), min_size=12, max_size=12),
)
def test_what_is_counted_over_a_life_of_reloads_and_gaps_is_what_was_served(
    lives: dict[str, list[tuple[str, int]]], steps: list[float]
) -> None:
    """Each request is counted in exactly one interval unless its counters were wiped before anybody saw them.

    The oracle keeps what a scraper could know: after a wipe that left a smaller value, or an absence, the
    new value; otherwise the difference.
    """
    now, previous = 0.0, None
    served = dict.fromkeys(lives, 0)
    on_page: dict[str, int] = {}
    for turn, step in enumerate(steps[: max(map(len, lives.values()))]):
        now += step
        visible = {}
        for name, events in lives.items():
            what, count = events[turn] if turn < len(events) else ("serve", 0)
            served[name] = count if what == "reload" else served[name] + count
            if what == "vanish":
                served[name] = 0
            else:
                visible[name] = served[name]
        current = frame(now, {key(n): counters(success=v, request_us=7 * v) for n, v in visible.items()})
        table = compute(previous, current, facts(current))
        for name, value in visible.items():
            increase = float(table.deltas[Counter.SUCCESS, table.models.row[key(name)]])
            if previous is None:
                assert math.isnan(increase)
                continue
            before = on_page.get(name)
            expected = value if before is None or value < before else value - before
            assert increase == expected
            assert increase >= 0
        previous, on_page = current, visible


def test_when_one_counter_of_a_model_went_down_all_its_counters_began_again() -> None:
    before = frame(10.0, {M: counters(success=100, queue_us=50)})
    after = frame(20.0, {M: counters(success=10, queue_us=60)})
    table = between(before, after)
    assert table.was_reset.tolist() == [True]
    assert number(table, Sli.QUEUE_TIME) == pytest.approx(6e-6)


def test_another_version_of_a_model_is_another_model() -> None:
    before = frame(10.0, {key("m", "1"): counters(success=100)})
    after = frame(20.0, {key("m", "1"): counters(success=100), key("m", "2"): counters(success=4)})
    table = between(before, after)
    assert number(table, Sli.REQUEST_RATE, key("m", "2")) == pytest.approx(0.4)
    assert table.is_new.tolist() == [False, True]


# GPUs

G0, G1 = "GPU-0", "GPU-1"


def gpu_pages(busy: Mapping[str, float], gpus: tuple[str, ...] = (G0, G1)) -> list[MetricsFrame]:
    cards = {uuid: {Gpu.UTILIZATION: 0.8, Gpu.ENERGY: 1000.0} for uuid in gpus}
    later = {uuid: {Gpu.UTILIZATION: 0.8, Gpu.ENERGY: 1500.0} for uuid in gpus}
    none = {key(n): counters() for n in busy}
    done = {key(n): counters(success=10, inferences=10, executions=10, compute_infer_us=v) for n, v in busy.items()}
    return [frame(10.0, none, gpus=cards), frame(20.0, done, gpus=later)]


def test_gpu_utilization_is_shared_out_by_compute_time() -> None:
    before, after = gpu_pages({"a": 3e6, "b": 1e6})
    configs = [ModelConfig("a", uses_gpu=True, gpus=(0, 1)), ModelConfig("b", uses_gpu=True)]
    table = compute(before, after, facts(after, *configs))
    assert table.gpu_share[:, 0].tolist() == [0.75, 0.75]
    assert number(table, Sli.GPU_UTILIZATION, key("a")) == pytest.approx(0.6)
    assert number(table, Sli.GPU_UTILIZATION, key("b")) == pytest.approx(0.2)
    assert number(table, Sli.ENERGY_PER_INFERENCE, key("a")) == pytest.approx(2 * 500 * 0.75 / 10)


def test_a_model_on_one_gpu_of_two_has_its_share_there_once_the_order_of_gpus_is_configured() -> None:
    before, after = gpu_pages({"a": 1e6, "b": 1e6})
    configs = [ModelConfig("a", uses_gpu=True, gpus=(1,)), ModelConfig("b", uses_gpu=True, gpus=(0, 1))]
    told = compute(before, after, facts(after, *configs, gpu_order=(G0, G1)))
    assert told.gpu_share.round(6).tolist() == [[0.0, 1.0], [0.666667, 0.333333]]
    untold = compute(before, after, facts(after, *configs))
    assert why(untold, Sli.GPU_UTILIZATION, key("a")) is NoDataReason.GPU_UNMAPPED
    assert why(untold, Sli.GPU_UTILIZATION, key("b")) is NoDataReason.GPU_UNMAPPED


def test_an_idle_model_on_an_unknown_gpu_does_not_spoil_the_shares_of_the_others() -> None:
    before, after = gpu_pages({"a": 0.0, "b": 1e6})
    configs = [ModelConfig("a", uses_gpu=True, gpus=(1,)), ModelConfig("b", uses_gpu=True)]
    table = compute(before, after, facts(after, *configs))
    assert number(table, Sli.GPU_UTILIZATION, key("b")) == pytest.approx(0.8)


def test_a_cpu_model_has_no_gpu_share() -> None:
    before, after = gpu_pages({"a": 1e6, "b": 1e6})
    table = compute(before, after, facts(after, ModelConfig("a"), ModelConfig("b", uses_gpu=True)))
    assert why(table, Sli.GPU_UTILIZATION, key("a")) is NoDataReason.NO_GPU
    assert number(table, Sli.GPU_UTILIZATION, key("b")) == pytest.approx(0.8)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 10**12), min_size=1))
def test_the_shares_of_a_busy_gpu_add_up_to_one(busy: dict[str, int]) -> None:
    before, after = gpu_pages(busy)
    table = compute(before, after, facts(after, *(ModelConfig(n, uses_gpu=True) for n in busy)))
    total = np.nansum(table.gpu_share, axis=1)
    expected = 1.0 if any(busy.values()) else 0.0
    assert total.tolist() == pytest.approx([expected, expected])


def test_an_energy_counter_that_restarted_counts_from_zero() -> None:
    before = frame(10.0, {M: counters()}, gpus={G0: {Gpu.ENERGY: 5000.0}})
    after = frame(20.0, {M: counters()}, gpus={G0: {Gpu.ENERGY: 70.0}})
    assert compute(before, after, facts(after)).gpu_energy.tolist() == [70.0]
