"""What a model's canaries say of it, step by step."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.probes.canary.states import (
    REMEMBERED,
    after_run,
    after_skip,
    is_undecided,
    verdict_of,
    with_failure,
)
from triton_watch.records import (
    LATENCY_BUCKETS,
    CanaryReason,
    CanarySettings,
    CanaryState,
    CanaryVerdict,
    SkipReason,
)
from unit.probes.canary.parts import KEY, result_of

SETTINGS = CanarySettings()
NEW = CanaryState(KEY)
BAD = CanaryReason.NOT_FINITE
WINDOWS = st.integers(1, REMEMBERED).flatmap(lambda window: st.tuples(st.integers(1, window), st.just(window)))


def ran(state: CanaryState, *oks: bool, settings: CanarySettings = SETTINGS) -> CanaryState:
    for ok in oks:
        state = after_run(state, result_of(CanaryReason.OK if ok else BAD), settings, is_first=False)
    return state


@given(st.lists(st.booleans(), max_size=60), WINDOWS)
def test_k_failures_of_the_last_n_are_failing(oks: list[bool], bounds: tuple[int, int]) -> None:
    failures, window = bounds
    settings = CanarySettings(failures=failures, window=window)
    state = ran(NEW, *oks, settings=settings)
    last = oks[-window:]
    if sum(not ok for ok in last) >= failures:
        expected = CanaryVerdict.FAILING
    elif any(last):
        expected = CanaryVerdict.PASSING
    else:
        expected = CanaryVerdict.UNKNOWN
    assert state.verdict is expected
    assert state.recent == tuple(oks[-REMEMBERED:])
    assert state.availability == (sum(state.recent) / len(state.recent) if oks else None)


@pytest.mark.parametrize(
    ("oks", "verdict"),
    [
        ([], CanaryVerdict.UNKNOWN),
        ([False], CanaryVerdict.UNKNOWN),
        ([True], CanaryVerdict.PASSING),
        ([True, False], CanaryVerdict.PASSING),
        ([True, False, False], CanaryVerdict.FAILING),
        ([True, False, True, False], CanaryVerdict.FAILING),
        ([False, False, True], CanaryVerdict.FAILING),
        ([False, False, True, True], CanaryVerdict.PASSING),
    ],
)
def test_by_default_two_of_three_decide(oks: list[bool], verdict: CanaryVerdict) -> None:
    assert verdict_of(tuple(oks), SETTINGS) is verdict


@pytest.mark.parametrize(
    ("oks", "undecided"),
    [
        ([], False),
        ([True], False),
        ([False], True),
        ([True, False], True),
        ([True, False, False], False),
        ([False, False, True], True),
        ([False, False, True, True], False),
    ],
)
def test_a_run_that_says_otherwise_than_the_verdict_leaves_a_doubt(oks: list[bool], undecided: bool) -> None:
    assert is_undecided(ran(NEW, *oks)) is undecided


@given(st.lists(st.sampled_from(CanaryReason), max_size=30))
def test_runs_are_counted_by_their_reasons(reasons: list[CanaryReason]) -> None:
    state = NEW
    for reason in reasons:
        state = after_run(state, result_of(reason, requests=2, overhead=0.5), SETTINGS, is_first=False)
    assert dict(state.runs) == Counter(reasons)
    assert state.requests == 2 * len(reasons)
    assert state.overhead == 0.5 * len(reasons)
    assert (state.last and state.last.reason) == (reasons[-1] if reasons else None)
    bad = [reason for reason in reasons if reason is not CanaryReason.OK]
    assert (state.last_failure and state.last_failure.reason) == (bad[-1] if bad else None)


@given(st.lists(st.floats(0, 30) | st.sampled_from(LATENCY_BUCKETS), max_size=30))
def test_each_latency_is_in_the_bucket_whose_bounds_hold_it(latencies: list[float]) -> None:
    state = NEW
    for latency in latencies:
        state = after_run(state, result_of(latency=latency), SETTINGS, is_first=False)
    bounds = (-1.0, *LATENCY_BUCKETS, float("inf"))
    expected = tuple(sum(low < latency <= high for latency in latencies) for low, high in pairwise(bounds))
    assert state.buckets == expected
    assert state.latency_sum == pytest.approx(sum(latencies))


def test_the_first_call_after_a_load_is_kept_apart() -> None:
    state = after_run(NEW, result_of(latency=4.0), SETTINGS, is_first=True)
    assert (state.first_call, sum(state.buckets), state.latency_sum) == (4.0, 0, 0.0)
    state = after_run(state, result_of(latency=0.03), SETTINGS, is_first=False)
    assert (state.first_call, sum(state.buckets), state.latency_sum) == (4.0, 1, 0.03)


def test_a_first_call_without_an_answer_leaves_the_one_before() -> None:
    state = after_run(NEW, result_of(latency=4.0), SETTINGS, is_first=True)
    assert after_run(state, result_of(CanaryReason.UNREACHABLE), SETTINGS, is_first=True).first_call == 4.0


def test_a_run_that_does_not_count_is_told_and_leaves_the_verdict() -> None:
    passing = ran(NEW, True, True)
    state = after_run(passing, result_of(CanaryReason.NOT_SERVED), SETTINGS, is_first=False, counts=False)
    assert (state.recent, state.verdict) == (passing.recent, CanaryVerdict.PASSING)
    assert state.last_failure is not None
    assert state.runs[CanaryReason.NOT_SERVED] == 1
    later = with_failure(with_failure(state, SETTINGS), SETTINGS)
    assert (later.recent, later.verdict) == ((True, True, False, False), CanaryVerdict.FAILING)
    assert len(with_failure(ran(NEW, *[True] * 30), SETTINGS).recent) == REMEMBERED


def test_skips_are_counted_and_the_next_run_ends_them() -> None:
    state = after_skip(after_skip(NEW, SkipReason.PENDING), SkipReason.BACKING_OFF)
    state = after_skip(state, SkipReason.PENDING)
    assert (dict(state.skipped), state.last_skip) == (
        {SkipReason.PENDING: 2, SkipReason.BACKING_OFF: 1},
        SkipReason.PENDING,
    )
    assert ran(state, True).last_skip is None
