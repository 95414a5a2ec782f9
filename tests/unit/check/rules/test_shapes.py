"""dims and types against the model's file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found
from triton_watch.check.options import Options
from triton_watch.check.rules.model_examples import onnx
from triton_watch.check.rules.shapes import RULES, example, tensor

if TYPE_CHECKING:
    from pathlib import Path

X = "x FP32 -1 3 224 224"
Y = "y FP32 -1 1000"
OUT = tensor("output", "y", "FP32", "1000")


def case(io: str, model: str = "", batch: int = 8) -> str:
    return example(f"max_batch_size: {batch}\n{io}", model or onnx(X, Y))


@pytest.mark.parametrize(
    ("dims", "rules", "fix"),
    [
        ("3, 224, 224", [], ""),
        ("-1, 3, 224, 224", ["TW341"], "write dims: [ 3, 224, 224 ]"),
        ("1, 3, 224, 224", ["TW341"], "write dims: [ 3, 224, 224 ]"),
        ("3, 256, 256", ["TW340"], "write dims: [ 3, 224, 224 ]"),
        ("3, -1, -1", ["TW340"], "write dims: [ 3, 224, 224 ]"),
        ("224, 224", ["TW340"], "write dims: [ 3, 224, 224 ]"),
    ],
)
def test_a_finding_has_the_line_to_paste(dims: str, rules: list[str], fix: str, tmp_path: Path) -> None:
    hits = found(RULES, case(tensor("input", "x", "FP32", dims) + OUT), tmp_path)
    assert [one.rule for one in hits] == rules
    assert all((one.fix, one.line, one.severity.value) == (fix, 3, "error") for one in hits)


@pytest.mark.parametrize(
    ("io", "model", "batch", "rules"),
    [
        (tensor("input", "x", "FP32", "1, 3"), onnx("x FP32 1 3", "y FP32 1 4"), 0, []),
        (tensor("input", "x", "FP32", "-1, 3"), onnx("x FP32 1 3", "y FP32 1 4"), 0, ["TW340"]),
        (tensor("input", "x", "FP32", "3"), onnx("x FP32 1 3", "y FP32 -1 4"), 8, ["TW342"]),
        (tensor("input", "x", "FP32", "3"), onnx("x FP32 -1 3", "y FP32 -1 4"), 0, ["TW340"]),
        (tensor("output", "y", "FP32", "4"), onnx("x FP32 -1 3", "y FP32 -1 -1"), 8, ["TW343"]),
        (tensor("output", "y", "FP32", "-1"), onnx("x FP32 -1 3", "y FP32 -1 -1"), 8, []),
        (tensor("input", "x", "INT64", "3"), onnx("x FP32 -1 3", "y FP32 -1 4"), 8, ["TW344"]),
        (tensor("input", "x", "FP32", "1"), onnx("x FP32", "y FP32 4"), 0, []),
        ('input { name: "x" data_type: TYPE_FP32 dims: [ 1 ] reshape { shape: [ ] } }\n', onnx("x FP32 -1", Y), 8, []),
        (
            'input { name: "x" data_type: TYPE_FP32 dims: [ 6 ] reshape { shape: [ 2, 3 ] } }\n',
            onnx("x FP32 -1 2 3", Y),
            8,
            [],
        ),
        (
            'input { name: "x" data_type: TYPE_FP32 dims: [ 6 ] reshape { shape: [ 3, 2 ] } }\n',
            onnx("x FP32 -1 2 3", Y),
            8,
            ["TW340"],
        ),
        (
            'input { name: "x" data_type: TYPE_FP32 dims: [ 4 ] allow_ragged_batch: true }\n',
            onnx("x FP32 -1", Y),
            8,
            [],
        ),
    ],
)
def test_shapes_and_types_of_a_graph(io: str, model: str, batch: int, rules: list[str], tmp_path: Path) -> None:
    # The other side is left to Triton's completion, which judges nothing but batching.
    hits = found(RULES, case(io, model, batch), tmp_path, Options(auto_complete=False))
    assert [one.rule for one in hits] == rules


@pytest.mark.parametrize(
    ("io", "auto_complete", "count"),
    [("", True, 1), ("", False, 0), (tensor("input", "x", "FP32", "3"), True, 2)],
)
def test_a_model_that_cannot_batch_is_found_where_triton_fills_in(
    io: str, auto_complete: bool, count: int, tmp_path: Path
) -> None:
    text = case(io, onnx("x FP32 1 3", "y FP32 1 4"))
    assert len(found(RULES, text, tmp_path, Options(auto_complete=bool(auto_complete)))) == count


@pytest.mark.parametrize("backend", ["python", "tensorrt", "identity"])
def test_other_backends_are_not_compared_with_an_onnx_file(backend: str, tmp_path: Path) -> None:
    text = case(tensor("input", "x", "INT8", "7")).replace('"onnxruntime"', f'"{backend}"')
    assert not found(RULES, text, tmp_path)


def test_for_openvino_a_difference_is_a_warning(tmp_path: Path) -> None:
    text = case(tensor("input", "x", "INT8", "7")).replace(
        'backend: "onnxruntime"', 'backend: "openvino" default_model_filename: "model.onnx"'
    )
    assert [(one.rule, one.severity.value) for one in found(RULES, text, tmp_path)] == [("TW340", "warning")]
