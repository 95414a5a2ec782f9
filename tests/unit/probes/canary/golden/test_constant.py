"""Answers that are all zero, or all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from triton_watch.probes.canary.golden.compare import constant_where_golden_is_not, is_constant
from unit.probes.canary.golden.tensors import tensor, tensors

if TYPE_CHECKING:
    from triton_watch.triton.infer.messages import Tensor

NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "datatype", "constant"),
    [
        ([0.0], "FP32", True),
        ([-0.0, 0.0], "FP16", True),
        ([3.0], "FP32", False),
        ([3.0, 3.0], "BF16", True),
        ([3.0, 3.5], "FP64", False),
        ([NAN, NAN], "FP32", True),
        ([NAN, 1.0], "FP32", False),
        ([], "FP32", False),
        ([7, 7], "INT64", True),
        ([False], "BOOL", True),
        ([True], "BOOL", False),
        ([True, True], "BOOL", True),
        (["a"], "BYTES", False),
        ([""], "BYTES", True),
        (["a", "a"], "BYTES", True),
        (["a", "b"], "BYTES", False),
    ],
)
def test_constant_is_one_value_several_times_or_zero(values: list[object], datatype: str, constant: bool) -> None:
    assert is_constant(tensor(values, datatype)) is constant


@given(tensors())
def test_any_tensor_is_one_or_the_other_as_its_set_of_values_says(one: Tensor) -> None:
    values = one.array().reshape(-1).tolist()
    distinct = {"nan" if value != value else value for value in values}  # noqa: PLR0124 - NaN
    assert is_constant(one) is (len(distinct) == 1 and (len(values) > 1 or not values[0]))


def test_the_sentence_names_the_value_and_how_many() -> None:
    assert constant_where_golden_is_not(tensor([1.0, 2.0]), tensor([0.5, 0.5])) == (
        "all 2 values are 0.5, and those that were expected are not all the same"
    )
    assert constant_where_golden_is_not(tensor(["hi"], "BYTES"), tensor([""], "BYTES")) == (
        'the only value is "", and "hi" was expected'
    )


def test_a_golden_that_is_constant_itself_forgives() -> None:
    assert constant_where_golden_is_not(tensor([0.0, 0.0]), tensor([1.0, 1.0])) == ""
    assert constant_where_golden_is_not(tensor([0.0, 1.0]), tensor([1.0, 2.0])) == ""
