"""Formats of images, shape tensors, non-linear formats; cases judged by tritonserver 2.51.0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found
from triton_watch.check.rules.tensor_kinds import RULES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("backend", "field", "rules"),
    [
        ("onnxruntime", "dims: [ 3, 8, 8 ] format: FORMAT_NCHW", []),
        ("onnxruntime", "dims: [ 3, -1, -1 ] format: FORMAT_NHWC", []),
        ("onnxruntime", "dims: [ 8, 8 ] format: FORMAT_NCHW", ["TW310"]),
        ("onnxruntime", "dims: [ 1, 3, 8, 8 ] format: FORMAT_NHWC", ["TW310"]),
        ("onnxruntime", "dims: [ 1, 2, 3, 4, 5 ] format: FORMAT_NONE", []),
        ("onnxruntime", "dims: [ 1 ] is_shape_tensor: true", ["TW311"]),
        ("onnxruntime", "dims: [ 1 ] is_shape_tensor: false", []),
        ("tensorrt", "dims: [ 1 ] is_shape_tensor: true", []),
        ("onnxruntime", "dims: [ 1 ] is_non_linear_format_io: true", ["TW312"]),
        ("python", "dims: [ 1, 2, 3 ] is_non_linear_format_io: true", ["TW312"]),
        ("tensorrt", "dims: [ 1 ] is_non_linear_format_io: true", ["TW312"]),
        ("tensorrt", "dims: [ 1, 2, 3 ] is_non_linear_format_io: true", []),
    ],
)
def test_special_kinds_of_tensors(backend: str, field: str, rules: list[str], tmp_path: Path) -> None:
    config = f'backend: "{backend}"\ninput {{ name: "A" data_type: TYPE_INT32 {field} }}'
    assert [one.rule for one in found(RULES, config, tmp_path)] == rules


def test_the_platform_alone_makes_it_tensorrt(tmp_path: Path) -> None:
    config = 'platform: "tensorrt_plan" input { name: "A" data_type: TYPE_INT32 dims: [ 1 ] is_shape_tensor: true }'
    assert not found(RULES, config, tmp_path)
