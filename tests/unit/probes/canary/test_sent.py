"""What canaries add to a server's counters: their own, and those of an ensemble's members."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.probes.canary.sent import SentCounts, members_of
from triton_watch.records import CanaryReason, CanarySent, EnsembleStep, ModelConfig, ModelKey
from unit.probes.canary.parts import KEY, result_of

A, B, C = (ModelKey(name, "1") for name in "abc")


def ensemble(name: str, *steps: str | tuple[str, int]) -> ModelConfig:
    pairs = [(step, -1) if isinstance(step, str) else step for step in steps]
    return ModelConfig(name, platform="ensemble", steps=tuple(EnsembleStep(*pair) for pair in pairs))


def members(config: ModelConfig, *others: ModelConfig, ready: tuple[ModelKey, ...] = (A, B, C)) -> dict[ModelKey, int]:
    return members_of(config, {one.name: one for one in (config, *others)}, frozenset(ready))


@pytest.mark.parametrize(
    ("reason", "responses", "expected"),
    [
        (CanaryReason.OK, 1, CanarySent(passed=1, served=1, rows=4)),
        (CanaryReason.NOT_FINITE, 1, CanarySent(failed=1, served=1, rows=4)),
        (CanaryReason.UNREADABLE, 0, CanarySent(failed=1, served=1, rows=4)),
        (CanaryReason.SERVER_ERROR, 0, CanarySent(failed=1, broken=1, rows=4)),
        (CanaryReason.OVERLOADED, 0, CanarySent(failed=1)),
        (CanaryReason.NOT_SERVED, 0, CanarySent(failed=1)),
        (CanaryReason.DEADLINE, 0, CanarySent(failed=1)),
        (CanaryReason.UNREACHABLE, 0, CanarySent(failed=1)),
    ],
)
def test_a_request_is_served_or_broken_or_neither(reason: CanaryReason, responses: int, expected: CanarySent) -> None:
    counts = SentCounts()
    counts.add(result_of(reason, responses=responses), 4, {})
    assert counts.take() == {KEY: expected}


@pytest.mark.parametrize(
    ("reason", "requests", "responses", "expected"),
    [
        (CanaryReason.OK, 3, 3, CanarySent(passed=1, served=3, rows=6)),
        (CanaryReason.SERVER_ERROR, 2, 1, CanarySent(failed=1, served=1, broken=1, rows=4)),
        (CanaryReason.OVERLOADED, 3, 2, CanarySent(failed=1, served=2, rows=4)),
        (CanaryReason.DEADLINE, 1, 0, CanarySent(failed=1)),
    ],
)
def test_of_a_sequence_each_request_that_was_answered_was_served(
    reason: CanaryReason, requests: int, responses: int, expected: CanarySent
) -> None:
    counts = SentCounts()
    counts.add(result_of(reason, requests=requests, responses=responses), 2, {})
    assert counts.take()[KEY] == expected


def test_many_responses_of_a_stream_are_one_request() -> None:
    counts = SentCounts()
    counts.add(result_of(responses=50), 1, {})
    assert counts.take()[KEY].served == 1


def test_members_of_an_ensemble_are_counted_by_how_often_they_run() -> None:
    counts = SentCounts()
    counts.add(result_of(), 2, {A: 1, B: 3})
    counts.add(result_of(CanaryReason.SERVER_ERROR), 2, {A: 1, B: 3})
    taken = counts.take()
    assert taken[KEY] == CanarySent(passed=1, failed=1, served=1, broken=1, rows=4)
    assert taken[A] == CanarySent(served=1, broken=1, rows=4)
    assert taken[B] == CanarySent(served=3, broken=3, rows=12)


def test_what_was_taken_is_counted_no_more() -> None:
    counts = SentCounts()
    counts.add(result_of(), 1, {})
    assert counts.take() != {}
    assert counts.take() == {}


def test_steps_are_members_as_often_as_they_stand_there() -> None:
    assert members(ensemble("e", "a", "b", "a")) == {A: 2, B: 1}


def test_ensembles_within_an_ensemble_are_members_and_so_are_theirs() -> None:
    inner = ensemble("c", "a", "a")
    assert members(ensemble("e", "c", "b", "c"), inner) == {C: 2, A: 4, B: 1}


def test_the_latest_version_is_the_one_with_the_highest_number() -> None:
    ready = (ModelKey("a", "9"), ModelKey("a", "10"), ModelKey("b", "1"))
    assert members(ensemble("e", "a"), ready=ready) == {ModelKey("a", "10"): 1}
    assert members(ensemble("e", ("a", 9)), ready=ready) == {ModelKey("a", "9"): 1}


def test_members_that_are_not_ready_are_left_out() -> None:
    assert members(ensemble("e", "a", "gone", ("b", 7))) == {A: 1}


@pytest.mark.parametrize("steps", [("e",), ("e", "e"), ("a", "e")])
def test_an_ensemble_in_itself_ends(steps: tuple[str, ...]) -> None:
    found = members(ensemble("e", *steps), ready=(A, ModelKey("e", "1")))
    assert sum(found.values()) <= 1000


def test_ensembles_that_run_each_other_twice_each_end() -> None:
    chain = [ensemble(f"e{number}", f"e{number + 1}", f"e{number + 1}") for number in range(60)]
    assert sum(members(chain[0], *chain, ready=(ModelKey("e5", "1"),)).values()) <= 1000


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("ab"), max_size=4))
def test_members_are_those_of_the_flattened_steps(outer: list[str], inner: list[str]) -> None:
    flat = outer + inner * outer.count("c")
    expected = {key: flat.count(key.name) for key in (A, B, C) if flat.count(key.name)}
    assert members(ensemble("e", *outer), ensemble("c", *inner)) == expected
