"""The last hour of models: ratios of sums, in even steps, with nothing where nobody looked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.daemon.telling.recent import recent_of
from triton_watch.records import ModelIndex, RecentSlot, RecentTable, Sum
from unit.daemon.telling.scenes import key, keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triton_watch.daemon.facts.model import Recent
    from triton_watch.records import FloatArray, ModelKey

STEP = 30.0
BEGIN = 1_700_000_010.0
A, B = keys(2)
NUMBERS = st.one_of(
    st.just(0.0), st.just(math.nan), st.floats(min_value=1e-6, max_value=1e9, allow_nan=False, allow_infinity=False)
)


def slot(place: int, sums: FloatArray, models: Sequence[ModelKey] = (A,), step: float = STEP) -> RecentSlot:
    index = ModelIndex(tuple(models), {one: row for row, one in enumerate(models)})
    return RecentSlot(BEGIN + place * step, step, index, sums)


def sums(good: float = 0.0, bad: float = 0.0, seconds: float = STEP, **more: float) -> FloatArray:
    """(len(Sum), 1)"""
    found = np.zeros((len(Sum), 1))
    found[Sum.GOOD], found[Sum.BAD], found[Sum.SECONDS] = good, bad, seconds
    for name, value in more.items():
        found[Sum[name.upper()]] = value
    return found


def hour(*slots: RecentSlot, at: float = 0.0, interval: float = 15.0, of: ModelKey = A) -> Recent | None:
    """What is told of one model, `at` steps after the begin of the first slot."""
    (found,) = recent_of(RecentTable(slots), [of], BEGIN + at * STEP + 1.0, interval)
    return found


def test_each_curve_is_a_ratio_of_sums() -> None:
    found = hour(slot(0, sums(good=60, bad=30, queue=6, request=12, inferences=240, executions=60)))
    assert found is not None
    assert (found.begin, found.step_seconds) == (BEGIN, STEP)
    assert (found.request_rate, found.failure_rate) == ((3.0,), (1.0,))
    assert (found.queue_time, found.request_time, found.average_batch) == ((0.1,), (0.2,), (4.0,))


def test_a_step_without_traffic_has_rates_of_zero_and_no_times() -> None:
    found = hour(slot(0, sums()))
    assert found is not None
    assert (found.request_rate, found.failure_rate) == ((0.0,), (0.0,))
    assert (found.queue_time, found.request_time, found.average_batch) == ((None,), (None,), (None,))


def test_executions_that_all_fail_make_no_batch() -> None:
    found = hour(slot(0, sums(bad=3, executions=3)))
    assert found is not None
    assert found.average_batch == (None,)


def test_what_the_server_does_not_serve_is_not_known() -> None:
    found = hour(slot(0, sums(good=30, queue=math.nan, request=3, inferences=math.nan, executions=math.nan)))
    assert found is not None
    assert (found.request_rate, found.request_time) == ((1.0,), (0.1,))
    assert (found.queue_time, found.average_batch) == ((None,), (None,))


def test_steps_are_even_where_slots_are_missing_and_up_to_now() -> None:
    found = hour(slot(0, sums(good=30)), slot(3, sums(good=60)), at=5)
    assert found is not None
    assert found.request_rate == (1.0, None, None, 2.0, None, None)


def test_no_more_than_an_hour_is_told() -> None:
    found = hour(slot(0, sums(good=30)), slot(119, sums(good=60)), at=119)
    assert found is not None
    assert len(found.request_rate) == 120
    found = hour(slot(0, sums(good=30)), slot(119, sums(good=60)), at=120)
    assert found is not None
    assert (len(found.request_rate), found.begin) == (2, BEGIN + 119 * STEP)
    assert hour(slot(0, sums(good=30)), at=120) is None


def test_a_clock_that_was_put_back_does_no_harm() -> None:
    found = hour(slot(0, sums(good=30)), slot(2, sums(good=60)), at=-1000)
    assert found is not None
    assert found.request_rate == (1.0, None, 2.0)


def test_a_poll_that_watched_for_longer_than_a_step_tells_of_the_steps_before_it() -> None:
    slots = [slot(place, sums(good=120, seconds=60)) for place in (0, 2, 4)]
    found = hour(*slots, at=4, interval=60)
    assert found is not None
    assert found.request_rate == (2.0,) * 5


def test_a_poll_after_a_long_silence_tells_nothing_of_single_steps_in_it() -> None:
    found = hour(slot(0, sums(good=30)), slot(20, sums(good=600, seconds=600)), at=20, interval=15)
    assert found is not None
    assert found.request_rate == (1.0, *[None] * 19, 1.0)


def test_slots_of_another_length_do_not_count() -> None:
    found = hour(slot(-1, sums(good=600, seconds=60), step=60.0), slot(0, sums(good=30)))
    assert found is not None
    assert found.request_rate == (1.0,)


def test_a_model_has_its_own_column_whatever_the_order_of_the_page() -> None:
    first = slot(0, np.hstack([sums(good=30), sums(good=60)]), [A, B])
    second = slot(1, np.hstack([sums(good=90), sums(good=120)]), [B, A])
    told = recent_of(RecentTable((first, second)), [B, A, key("stranger")], BEGIN + STEP, 15.0)
    assert [None if one is None else one.request_rate for one in told] == [(2.0, 3.0), (1.0, 4.0), None]


@pytest.mark.parametrize("table", [None, RecentTable(), RecentTable((slot(0, sums(good=1), step=0.0),))])
def test_without_slots_nothing_is_told(table: RecentTable | None) -> None:
    assert recent_of(table, [A, B], BEGIN, 15.0) == [None, None]


def test_a_model_that_was_never_watched_has_no_hour() -> None:
    assert hour(slot(0, sums(seconds=0.0))) is None


def ratio(above: float, below: float) -> float | None:
    """As a person would: nothing without a denominator, or where something is not known."""
    return above / below if below > 0 and not math.isnan(above) else None


@given(st.lists(st.lists(NUMBERS, min_size=len(Sum) - 1, max_size=len(Sum) - 1), min_size=1, max_size=5))
def test_all_curves_agree_with_a_plain_computation(columns: list[list[float]]) -> None:
    slots = [slot(place, np.array([*column, STEP]).reshape(-1, 1)) for place, column in enumerate(columns)]
    found = hour(*slots, at=len(slots) - 1)
    assert found is not None
    for place, (good, bad, queue, request, inferences, executions) in enumerate(columns):
        batch = ratio(inferences, executions) if inferences > 0 else None
        expected = (ratio(good + bad, STEP), ratio(bad, STEP), ratio(queue, good), ratio(request, good), batch)
        told = (found.request_rate, found.failure_rate, found.queue_time, found.request_time, found.average_batch)
        assert tuple(curve[place] for curve in told) == tuple(
            None if one is None else pytest.approx(one, rel=1e-5) for one in expected
        )
