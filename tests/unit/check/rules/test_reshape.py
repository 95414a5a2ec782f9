"""Reshapes as tritonserver 2.51.0 judges them, and label files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.rule_examples import found
from triton_watch.check.rules.reshape import RULES, difference, elements

if TYPE_CHECKING:
    from pathlib import Path

SIZE = "has different size for dims and reshape"
VARIABLE = "has different number of variable-size dimensions for dims and reshape"
DIMS = st.lists(st.one_of(st.just(-1), st.integers(1, 12)), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("dims", "shape", "reason"),
    [
        ([4, 2], [8], None),
        ([4, 2], [9], SIZE),
        ([1], [], None),
        ([1, 1], [], None),
        ([4], [], SIZE),
        ([-1], [4], SIZE),
        ([4], [-1], SIZE),
        ([-1], [], SIZE),
        ([-1, -1], [-1], VARIABLE),
        ([-1, 2], [2, -1], SIZE),
        ([2, -1, 3], [6, -1], SIZE),
        ([6, -1], [2, 3, -1], None),
        ([-1, 2, -1], [-1, -1, 2], SIZE),
        ([2, 4, -1, 6], [8, -1, 1, 6], None),
    ],
)
def test_a_reshape_keeps_each_stretch_between_variable_dimensions(
    dims: list[int], shape: list[int], reason: str | None
) -> None:
    found = difference(dims, shape)
    assert (found and found.reason) == reason


@given(DIMS)
def test_any_dims_can_stay_as_they_are_or_get_ones_added(dims: list[int]) -> None:
    assert difference(dims, dims) is None
    assert difference(dims, [1, *dims, 1]) is None


@given(DIMS, DIMS)
def test_a_reshape_works_in_both_directions_or_in_none(dims: list[int], shape: list[int]) -> None:
    assert (difference(dims, shape) is None) == (difference(shape, dims) is None)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.lists(st.integers(1, 12), min_size=1, max_size=6))
def test_without_variable_dimensions_only_the_product_counts(dims: list[int], shape: list[int]) -> None:
    assert (difference(dims, shape) is None) == (elements(dims) == elements(shape))


@pytest.mark.parametrize(("dims", "count"), [([], 0), ([-1, 5], -1), ([2**63 - 1, 2], -2), ([2**32, 2**32], 0)])
def test_elements_are_counted_in_64_bits(dims: list[int], count: int) -> None:
    assert elements(dims) == count


@pytest.mark.parametrize(
    ("batch", "dims", "reshape", "rules"),
    [
        (8, "1", "{ shape: [ ] }", []),
        (0, "1", "{ shape: [ ] }", ["TW315"]),
        (0, "1", "{ }", ["TW315"]),
        (8, "4", "{ }", ["TW317"]),
        (8, "4", "{ shape: [ 0 ] }", ["TW316"]),
        (8, "4", "{ shape: [ -2, -2 ] }", ["TW316"]),
        (8, "4", "{ shape: [ 5 ] }", ["TW317"]),
        (8, "-1, -1", "{ shape: [ -1 ] }", ["TW318"]),
        (8, "0", "{ shape: [ 3 ] }", []),
    ],
)
@pytest.mark.parametrize("field", ["input", "output"])
def test_each_kind_of_refusal_has_its_rule(
    field: str, batch: int, dims: str, reshape: str, rules: list[str], tmp_path: Path
) -> None:
    config = f'backend: "onnxruntime"\nmax_batch_size: {batch}\n'
    config += f'{field} {{ name: "A" data_type: TYPE_FP32 dims: [ {dims} ] reshape {reshape} }}'
    assert [one.rule for one in found(RULES, config, tmp_path)] == rules


@pytest.mark.parametrize(
    ("name", "file", "count"),
    [
        ("labels.txt", "labels.txt", 0),
        ("labels.txt", "1/labels.txt", 1),
        ("1/labels.txt", "1/labels.txt", 0),
        ("../m/labels.txt", "labels.txt", 0),
        ("/etc/hostname", "labels.txt", 1),
        ("labels", "labels/x", 1),
    ],
)
def test_a_label_file_is_looked_for_in_the_models_directory(name: str, file: str, count: int, tmp_path: Path) -> None:
    config = (
        f'backend: "onnxruntime"\noutput {{ name: "B" data_type: TYPE_FP32 dims: [ 2 ] label_filename: "{name}" }}\n'
    )
    example = f"--- m/config.pbtxt\n{config}--- m/1/model.onnx\nx\n--- m/{file}\na\n"
    assert len(found(RULES, example, tmp_path)) == count


def test_the_fix_knows_a_label_file_in_the_version(tmp_path: Path) -> None:
    config = 'backend: "onnxruntime"\noutput { name: "B" data_type: TYPE_FP32 dims: [ 2 ] label_filename: "l.txt" }\n'
    (one,) = found(RULES, f"--- m/config.pbtxt\n{config}--- m/1/l.txt\na\n", tmp_path)
    assert one.fix == 'write label_filename: "1/l.txt"'
