"""A server that does not answer is left in peace, and one model that hangs stops nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.probes.canary.backoff import PATIENCE, Backoff
from triton_watch.records import ModelKey

KEYS = [ModelKey(f"m{number}", "1") for number in range(5)]


def silenced(interval: float = 30.0, at: float = 100.0) -> Backoff:
    """A server of which three models have just not answered."""
    backoff = Backoff(interval)
    for key in KEYS[:PATIENCE]:
        assert backoff.may_go(at)
        backoff.unanswered(key, at, len(KEYS))
    return backoff


def pauses(backoff: Backoff, at: float, count: int) -> list[float]:
    """How long it takes each time until a scout may go, each of which is not answered."""
    found = []
    for _ in range(count):
        began = at
        while not backoff.may_go(at):
            at += 1.0
        found.append(at - began)
        backoff.unanswered(KEYS[0], at, len(KEYS))
    return found


def test_all_wait_after_three_without_an_answer_but_for_a_scout() -> None:
    backoff = silenced()
    assert not backoff.may_go(100.0)
    assert not backoff.may_go(129.9)
    assert backoff.may_go(130.0)
    assert not backoff.may_go(130.0)
    assert not backoff.may_go(159.9)
    assert backoff.may_go(160.0)


def test_pauses_double_to_four_times_the_interval() -> None:
    assert pauses(silenced(10.0), 100.0, 5) == [10, 20, 40, 40, 40]


@pytest.mark.parametrize(("interval", "expected"), [(50.0, [50, 100, 120, 120]), (300.0, [120, 120, 120, 120])])
def test_no_pause_is_over_two_minutes(interval: float, expected: list[float]) -> None:
    assert pauses(silenced(interval), 100.0, 4) == expected


def test_canaries_that_were_under_way_already_do_not_make_the_pause_longer() -> None:
    backoff = silenced(10.0)
    for key in KEYS[PATIENCE:]:
        backoff.unanswered(key, 105.0, len(KEYS))
    assert backoff.may_go(110.0)


def test_an_answer_ends_everything() -> None:
    backoff = silenced(10.0)
    pauses(backoff, 100.0, 3)
    backoff.answered()
    assert all(backoff.may_go(200.0) for _ in range(5))
    for key in KEYS[:PATIENCE]:
        backoff.unanswered(key, 200.0, len(KEYS))
    assert pauses(backoff, 200.0, 1) == [10]


def test_one_model_that_hangs_among_others_stops_nobody() -> None:
    backoff = Backoff(30.0)
    for at in range(50):
        backoff.unanswered(KEYS[0], at, len(KEYS))
        assert backoff.may_go(at)


@given(st.lists(st.sampled_from(KEYS), max_size=60))
def test_one_model_that_hangs_among_others_that_answer_stops_nobody(order: list[ModelKey]) -> None:
    backoff = Backoff(30.0)
    for at, key in enumerate(order):
        assert backoff.may_go(at)
        if key == KEYS[0]:
            backoff.unanswered(key, at, len(KEYS))
        else:
            backoff.answered()


@pytest.mark.parametrize("models", [0, 1, 2])
def test_a_server_with_few_models_is_silent_once_all_of_them_are(models: int) -> None:
    backoff = Backoff(30.0)
    for number in range(PATIENCE):
        assert backoff.may_go(0.0)
        backoff.unanswered(KEYS[number % max(models, 1)], 0.0, models)
    assert not backoff.may_go(0.0)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 100), st.sampled_from(KEYS)), max_size=80))
def test_however_it_goes_a_canary_may_go_within_four_intervals(steps: list[tuple[bool, float, ModelKey]]) -> None:
    backoff, at, last = Backoff(30.0), 0.0, 0.0
    for answered, seconds, key in steps:
        at += seconds
        if backoff.may_go(at):
            last = at
            if answered:
                backoff.answered()
            else:
                backoff.unanswered(key, at, len(KEYS))
        assert at - last < 120.0
