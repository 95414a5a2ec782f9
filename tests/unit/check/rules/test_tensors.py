"""Inputs and outputs of a configuration by themselves; cases judged by tritonserver 2.51.0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found
from triton_watch.check.options import Options
from triton_watch.check.rules.tensors import RULES

if TYPE_CHECKING:
    from pathlib import Path

IN = 'input { name: "A" data_type: TYPE_FP32 dims: [ 4 ] }\n'
OUT = 'output { name: "B" data_type: TYPE_FP32 dims: [ 4 ] }\n'
CODE = "class TritonPythonModel:\n    @staticmethod\n    def auto_complete_config(c):\n        return c\n"


@pytest.mark.parametrize(
    ("io", "rules"),
    [
        (IN + OUT, []),
        ("input { data_type: TYPE_FP32 dims: [ 4 ] }\n" + OUT, ["TW301"]),
        ('input { name: "" data_type: TYPE_FP32 dims: [ 4 ] }\n' + OUT, ["TW301"]),
        ('input { name: "A" dims: [ 4 ] }\n' + OUT, ["TW301"]),
        ('input { name: "A" data_type: TYPE_INVALID dims: [ 4 ] }\n' + OUT, ["TW301"]),
        ('input { name: "A" data_type: TYPE_FP32 dims: [ ] }\n' + OUT, ["TW301"]),
        ("input { }\noutput { }\n", ["TW301", "TW301"]),
        (IN, ["TW302"]),
        (OUT, ["TW302"]),
        ("", ["TW302"]),
        ('input { name: "A" data_type: TYPE_FP32 dims: [ 4, 0 ] }\n' + OUT, ["TW304"]),
        ('input { name: "A" data_type: TYPE_FP32 dims: [ -2 ] }\n' + OUT, ["TW304"]),
        ('input { name: "A" data_type: TYPE_FP32 dims: [ -1, 9223372036854775807 ] }\n' + OUT, []),
        (IN + IN + OUT, ["TW305"]),
        (IN + OUT + OUT, ["TW305"]),
        (IN + OUT.replace('"B"', '"A"'), ["TW306"]),
        ('input { name: "A" data_type: 99 dims: [ 4 ] }\n' + OUT, []),
    ],
)
def test_a_tensor_has_a_name_a_type_and_valid_dims(io: str, rules: list[str], tmp_path: Path) -> None:
    assert [one.rule for one in found(RULES, f'backend: "onnxruntime"\n{io}', tmp_path)] == rules


@pytest.mark.parametrize(
    ("backend", "rules"),
    [
        ("onnxruntime", ["TW302"]),
        ("tensorrt", ["TW302"]),
        ("python", ["TW302"]),
        ("my_backend", ["TW302"]),
        ("vllm", []),
        ("pytorch", ["TW303", "TW303"]),
    ],
)
def test_missing_specifications_cross_a_red_line_and_are_errors_for_pytorch_only(
    backend: str, rules: list[str], tmp_path: Path
) -> None:
    hits = found(RULES, f'backend: "{backend}"\nmax_batch_size: 1\n', tmp_path)
    assert [one.rule for one in hits] == rules
    assert all(one.red_line for one in hits)
    assert {one.severity.value for one in hits} <= {"error" if backend == "pytorch" else "warning"}


@pytest.mark.parametrize(
    ("backend", "auto_complete", "count"),
    [("tensorrt", True, 0), ("tensorrt", False, 1), ("onnxruntime", True, 1), ("openvino", True, 1)],
)
def test_only_some_backends_complete_a_single_tensor(
    backend: str, auto_complete: bool, count: int, tmp_path: Path
) -> None:
    config = f'backend: "{backend}"\ninput {{ name: "A" }}\n{OUT}'
    assert len(found(RULES, config, tmp_path, Options(auto_complete=bool(auto_complete)))) == count


def test_a_python_model_may_complete_its_tensors_itself(tmp_path: Path) -> None:
    config = f'--- m/config.pbtxt\nbackend: "python"\ninput {{ name: "A" }}\n{OUT}--- m/1/model.py\n'
    assert not found(RULES, config + CODE, tmp_path)
    (one,) = found(RULES, config + "class TritonPythonModel:\n    pass\n", tmp_path / "without")
    assert one.rule == "TW301"


def test_a_finding_points_at_the_dimension(tmp_path: Path) -> None:
    config = 'backend: "onnxruntime"\ninput {\n  name: "A"\n  data_type: TYPE_FP32\n  dims: [ 4, 0 ]\n}\n' + OUT
    (one,) = found(RULES, config, tmp_path)
    assert (one.line, one.column, one.fix) == (5, 14, "write dims: [ 4, -1 ] if it varies")


@pytest.mark.parametrize("config", ["", 'backend: "onnxruntime"\ninput [ {\n'])
def test_what_does_not_parse_is_not_called_missing(config: str, tmp_path: Path) -> None:
    expected = ["TW302"] if not config else []
    assert [
        one.rule for one in found(RULES, f"--- m/config.pbtxt\n{config}\n--- m/1/model.onnx\nx\n", tmp_path)
    ] == expected


def test_a_hundred_thousand_inputs_are_bounded(tmp_path: Path) -> None:
    many = "".join(f'input {{ name: "{n % 7}" dims: [ 0 ] }}\n' for n in range(20_000))
    assert len(found(RULES, f'backend: "onnxruntime"\n{many}', tmp_path)) <= 200 * len(RULES)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ('backend: "onnxruntime"', "fills it in from the model's file"),
        ('platform: "tensorflow_graphdef"', "fills nothing in"),
        ('backend: "python"', "fills nothing in"),
    ],
)
def test_the_finding_says_whether_anything_fills_in_what_is_missing(config: str, words: str, tmp_path: Path) -> None:
    (one,) = found(RULES, config, tmp_path)
    assert words in one.message
