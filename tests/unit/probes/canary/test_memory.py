"""Answers to the other input are found where nothing was recorded, and nobody is accused wrongly."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.probes.canary.memory import SURE, Memory
from triton_watch.triton.infer.messages import Tensor
from unit.probes.canary.parts import tensor

if TYPE_CHECKING:
    from collections.abc import Callable

A, B, C = (tensor([number, 0.2, 0.3, 0.4]) for number in (0.1, 0.5, 0.9))
VALUES = st.lists(st.floats(width=32, allow_nan=False), min_size=4, max_size=6)


def asked(memory: Memory, variant: int, *outputs: Tensor) -> int | None:
    return memory.swapped_with(variant, [{"y": one} for one in outputs])


def sure_of(first: Tensor = A, second: Tensor = B, times: int = SURE) -> Memory:
    memory = Memory()
    for _ in range(times):
        assert asked(memory, 0, first) is None
        assert asked(memory, 1, second) is None
    return memory


def test_the_answer_to_the_other_input_is_found_once_both_are_sure() -> None:
    memory = sure_of()
    assert asked(memory, 0, B) == 1
    assert asked(memory, 1, A) == 0


def test_a_swapped_answer_is_found_each_time_and_the_right_one_is_fine_afterwards() -> None:
    memory = sure_of()
    assert [asked(memory, 0, one) for one in (B, B, A, B)] == [1, 1, None, 1]


def test_nothing_is_said_before_both_are_sure() -> None:
    assert asked(sure_of(times=SURE - 1), 0, B) is None
    memory = Memory()
    for _ in range(SURE):
        asked(memory, 0, A)
    for _ in range(SURE - 1):
        asked(memory, 1, B)
    assert asked(memory, 0, B) is None


def test_a_new_answer_is_no_swap() -> None:
    assert asked(sure_of(), 0, C) is None


def test_after_a_change_it_takes_long_to_be_sure_again() -> None:
    memory = sure_of()
    assert [asked(memory, 0, C) for _ in range(12)] == [None] * 12
    assert asked(memory, 0, B) is None
    for _ in range(30):
        assert asked(memory, 0, C) is None
    assert asked(memory, 0, B) == 1


def test_one_odd_answer_among_many_leaves_the_usual_one() -> None:
    memory = sure_of(times=12)
    assert [asked(memory, 0, one) for one in (C, A, A, B)] == [None, None, None, 1]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (tensor([1, 2, 3, 4], "INT64"), tensor([4, 3, 2, 1], "INT64")),
        (tensor(["a", "b", "c", "d"], "BYTES"), tensor(["d", "c", "b", "a"], "BYTES")),
        (tensor([0.1, 0.2, 0.3]), tensor([0.3, 0.2, 0.1])),
        (tensor([0.1, 0.1, 0.1, 0.9]), tensor([0.9, 0.1, 0.1, 0.1])),
    ],
)
def test_answers_that_may_meet_by_chance_say_nothing(first: Tensor, second: Tensor) -> None:
    memory = sure_of(first, second, times=2 * SURE)
    assert asked(memory, 0, second) is None


def test_what_cannot_be_read_says_nothing() -> None:
    memory = Memory()
    for one in (Tensor("FP32", (4,), b"\0"), Tensor("FP32", (-2, -2), b""), Tensor("FP9", (9,), b""), tensor([])):
        assert asked(memory, 0, one) is None
    assert memory.swapped_with(0, []) is None


def test_all_responses_of_a_stream_make_the_answer() -> None:
    memory = Memory()
    for _ in range(SURE):
        asked(memory, 0, A, C)
        asked(memory, 1, B, C)
    assert asked(memory, 0, B, C) == 1
    assert asked(memory, 0, A, B) is None


@given(st.lists(st.integers(0, 3), max_size=60), st.lists(VALUES, min_size=4, max_size=4))
def test_a_model_that_always_answers_the_same_way_is_never_accused(order: list[int], values: list[list[float]]) -> None:
    memory = Memory()
    assert {asked(memory, variant, tensor(values[variant])) for variant in order} <= {None}


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2**32 - 1)), max_size=60))
def test_a_model_that_answers_at_random_is_never_accused(runs: list[tuple[int, int]]) -> None:
    memory = Memory()
    for variant, seed in runs:
        rng = random.Random(seed * 2 + variant)
        assert asked(memory, variant, tensor([rng.random() for _ in range(8)])) is None


def _accused(answer: Callable[[random.Random, int], Tensor], models: int = 120, runs: int = 200) -> float:
    """The share of models that are ever accused."""
    found = 0
    for seed in range(models):
        rng, memory = random.Random(seed), Memory()
        found += any(asked(memory, run % 2, answer(rng, run % 2)) is not None for run in range(runs))
    return found / models


def test_a_model_that_tosses_a_coin_between_two_answers_is_hardly_ever_accused() -> None:
    # Three heads and three tails in a row at the very start: 1 of 32. All later chances are far smaller.
    assert _accused(lambda rng, _: rng.choice((A, B))) < 0.08


def test_a_model_that_is_right_nine_times_of_ten_is_found_out() -> None:
    def answer(rng: random.Random, variant: int) -> Tensor:
        return (A, B)[variant if rng.random() < 0.9 else 1 - variant]

    assert _accused(answer) > 0.9


@given(st.integers(SURE, 20), st.lists(VALUES, min_size=2, max_size=2, unique_by=lambda one: tensor(one).data))
def test_a_swap_is_found_however_long_all_was_well(times: int, values: list[list[float]]) -> None:
    first, second = (tensor(one) for one in values)
    memory = sure_of(first, second, times)
    tells: Any = [len(set(one.array().tolist())) >= 4 for one in (first, second)]
    assert asked(memory, 0, second) == (1 if all(tells) else None)
