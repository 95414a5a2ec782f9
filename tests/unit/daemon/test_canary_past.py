"""The canaries of late: packed, and unpacked as they were; bounded whatever fails how often."""

from __future__ import annotations

import sys
import threading
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.frames import key
from synthetic_state import HOSTILE
from triton_watch.daemon.canary_past import DETAIL, FAILURES, MODELS, RUNS, CanaryPast
from triton_watch.records import CanaryFailure, CanaryHistory, CanaryReason, CanaryResult, CanaryRun, ModelKey

M = key("m")
FAILED = CanaryReason.NOT_FINITE


def result(
    at: float, reason: CanaryReason = CanaryReason.OK, detail: str = "", latency: float | None = 0.005, of: ModelKey = M
) -> CanaryResult:
    first = None if latency is None else latency / 2
    return CanaryResult(of, at, at, at, reason, detail, latency, first_response=first)


def test_a_model_that_was_never_asked_has_an_empty_history() -> None:
    assert CanaryPast().of("t", M) == CanaryHistory()


def test_a_reader_finds_the_history_of_a_model_at_any_moment() -> None:
    past, over = CanaryPast(), threading.Event()
    past.add("t", result(0))

    def add() -> None:
        while not over.is_set():
            past.add("t", result(1))

    before, thread = sys.getswitchinterval(), threading.Thread(target=add)
    sys.setswitchinterval(1e-6)
    thread.start()
    try:
        assert all(past.of("t", M).runs for _ in range(2_000))
    finally:
        over.set()
        thread.join()
        sys.setswitchinterval(before)


def test_failures_outlive_the_runs_and_those_in_a_row_that_say_the_same_are_one() -> None:
    past = CanaryPast()
    for at in range(5):
        past.add("t", result(at, FAILED, "SCORES holds NaN"))
    past.add("t", result(5))
    past.add("t", result(6, FAILED, "SCORES holds NaN"))
    past.add("t", result(7, FAILED, "SCORES holds Inf"))
    past.add("t", result(8, CanaryReason.DEADLINE, "SCORES holds Inf", None))
    for at in range(100, 100 + RUNS):
        past.add("t", result(at))
    found = past.of("t", M)
    assert found.failures == (
        CanaryFailure(CanaryReason.DEADLINE, "SCORES holds Inf", 8.0, 8.0),
        CanaryFailure(FAILED, "SCORES holds Inf", 7.0, 7.0),
        CanaryFailure(FAILED, "SCORES holds NaN", 0.0, 6.0, 6),
    )
    assert [run.at for run in found.runs] == list(range(100 + RUNS - 1, 99, -1))
    assert found.runs[0] == CanaryRun(100.0 + RUNS - 1, CanaryReason.OK, 0.005, 0.0025)


reasons = st.sampled_from((CanaryReason.OK, CanaryReason.OK, FAILED, CanaryReason.DEADLINE))
details = st.sampled_from(("", "a", "b", "größe 模型", "x" * 400))
latencies = st.one_of(st.none(), st.floats(0, 1e6))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(reasons, details, latencies), max_size=80))
def test_what_is_packed_comes_out_as_an_oracle_keeps_it(story: list[tuple[CanaryReason, str, float | None]]) -> None:
    past = CanaryPast()
    runs: list[CanaryRun] = []
    failures = [CanaryFailure(CanaryReason.OK, "nothing yet", 0, 0)]
    for at, (reason, detail, latency) in enumerate(story):
        one = result(float(at), reason, detail, latency)
        past.add("t", one)
        runs.insert(0, CanaryRun(one.at, reason, one.latency, one.first_response))
        if not one.ok:
            last, kept = failures[0], detail[:DETAIL]
            same = (last.reason, last.detail) == (reason, kept)
            first, count = (last.first, last.count + 1) if same else (one.at, 1)
            failures = [CanaryFailure(reason, kept, first, one.at, count), *failures[same:]]
    assert past.of("t", M) == CanaryHistory(tuple(runs[:RUNS]), tuple(failures[:-1][:FAILURES]))


@pytest.mark.parametrize("detail", [*HOSTILE, "模型" * 200, "🜁" * 400, "x" * 100_000])
def test_a_detail_is_printable_and_short_whatever_a_server_says(detail: str) -> None:
    past = CanaryPast()
    past.add("t", result(1.0, FAILED, detail))
    (failure,) = past.of("t", M).failures
    assert failure.detail.isprintable()
    assert len(failure.detail.encode()) <= DETAIL
    assert len(failure.detail) >= min(len(detail), DETAIL // 4)


def test_the_models_that_were_asked_last_are_kept_and_a_target_that_is_forgotten_is_not() -> None:
    past = CanaryPast()
    past.add("other", result(0.0))
    for number in range(MODELS + 1):
        past.add("t", result(1.0, of=key(f"m{number}")))
        past.add("t", result(1.0, of=key("m0")))
    assert past.of("other", M) == past.of("t", key("m1")) == CanaryHistory()
    assert past.of("t", key("m0")).runs
    assert past.of("t", key(f"m{MODELS}")).runs
    past.forget("t")
    assert past.of("t", key("m0")) == CanaryHistory()


def test_a_thousand_models_that_fail_in_every_way_they_can_take_less_than_8_mb() -> None:
    past = CanaryPast()
    models = [key(f"model_{number:04d}") for number in range(1000)]
    tracemalloc.start()
    try:
        for at in range(RUNS):
            for one in models:
                past.add("t", result(at, FAILED, f"{one.name} {at} ".ljust(DETAIL, "x"), of=one))
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(past.of("t", models[0]).failures) == FAILURES
    assert size < 8e6, size


def test_threads_that_add_at_the_same_time_lose_nothing() -> None:
    past = CanaryPast()
    models = [key(f"m{number}") for number in range(8)]

    def add(one: ModelKey) -> None:
        for at in range(500):
            past.add("t", result(at, FAILED, "no", of=one))

    threads = [threading.Thread(target=add, args=(one,)) for one in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [past.of("t", one).failures[0].count for one in models] == [500] * 8
