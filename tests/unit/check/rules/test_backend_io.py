"""What single backends demand of tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found
from triton_watch.check.rules.backend_io import FORWARD, RULES
from triton_watch.check.rules.model_examples import torchscript

if TYPE_CHECKING:
    from pathlib import Path


def config(backend: str, *inputs: str, batch: int = 0) -> str:
    return f'backend: "{backend}"\nmax_batch_size: {batch}\n' + "".join(f"input {{ {one} }}\n" for one in inputs)


@pytest.mark.parametrize(
    ("backend", "dtype", "count"),
    [
        ("tensorrt", "STRING", 1),
        ("tensorrt", "FP64", 1),
        ("tensorrt", "INT64", 0),
        ("tensorrt", "BF16", 0),
        ("pytorch", "UINT32", 1),
        ("pytorch", "UINT8", 0),
        ("onnxruntime", "STRING", 0),
        ("python", "UINT16", 0),
    ],
)
def test_types_that_a_backend_lacks(backend: str, dtype: str, count: int, tmp_path: Path) -> None:
    assert len(found(RULES, config(backend, f'name: "A" data_type: TYPE_{dtype} dims: [ 1 ]'), tmp_path)) == count


@pytest.mark.parametrize(("batch", "dims", "rules"), [(0, "-1", []), (0, "2, 2", ["TW331"]), (8, "1", ["TW331"])])
def test_strings_of_pytorch_have_one_dimension(
    batch: int, dims: tuple[int, ...], rules: list[str], tmp_path: Path
) -> None:
    text = config("pytorch", f'name: "A" data_type: TYPE_STRING dims: [ {dims} ]', batch=batch)
    assert [one.rule for one in found(RULES, text, tmp_path)] == rules


@pytest.mark.parametrize(("backend", "count"), [("tensorrt", 1), ("python", 0), ("onnxruntime", 0), ("dali", 0)])
def test_optional_inputs(backend: str, count: int, tmp_path: Path) -> None:
    text = config(backend, 'name: "A" data_type: TYPE_FP32 dims: [ 1 ] optional: true')
    assert [one.severity.value for one in found(RULES, text, tmp_path)] == ["warning"] * count


@pytest.mark.parametrize(
    ("names", "count"),
    [
        (["INPUT__0", "INPUT__1"], 0),
        (["INPUT__1", "INPUT__0"], 0),
        (["ids", "mask"], 0),
        (["INPUT__0", "mask"], 1),
        (["INPUT__0", "INPUT__0"], 1),
        (["INPUT__1", "INPUT__2"], 1),
        (["a__x", "b"], 0),
    ],
)
def test_names_of_pytorch_tensors_are_counted_or_plain(names: list[str], count: int, tmp_path: Path) -> None:
    text = config("pytorch", *(f'name: "{name}" data_type: TYPE_FP32 dims: [ 1 ]' for name in names))
    assert len(found(RULES, text, tmp_path)) == count


@pytest.mark.parametrize(
    ("arguments", "more", "count"),
    [
        ("x", "", 0),
        ("x y", "", 1),
        ("x", 'input { name: "y" data_type: TYPE_FP32 dims: [ 1 ] }', 0),
        ("x y", 'input { name: "y" data_type: TYPE_FP32 dims: [ 1 ] }', 0),
        ("x y z", "sequence_batching { }", 0),
    ],
)
def test_forwards_arguments_are_counted_where_the_file_shows_them(
    arguments: str, more: str, count: int, tmp_path: Path
) -> None:
    text = f'--- m/config.pbtxt\nbackend: "pytorch"\ninput {{ name: "x" data_type: TYPE_FP32 dims: [ 1 ] }}\n{more}\n'
    example = f"{text}--- m/1/model.pt\n{torchscript(*arguments.split())}\n"
    assert len(found([FORWARD], example, tmp_path)) == count
